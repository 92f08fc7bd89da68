"""The client: one session, many threads, one clock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import random
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from unitalk import __version__
from unitalk.errors import AccessError, HubError, IntegrityError, NotFoundError
from unitalk.hub import answers, given
from unitalk.hub.answers import NETWORK_FAULT, PassingError, RemoteFile
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CHUNK = 1 << 17
"""How many bytes are read at a time: little enough that a cut loses nothing worth keeping."""

_HOPS = 10
_USER_AGENT = f"unitalk/{__version__}; python/{platform.python_version()}"
_NOT_A_HUB = "check the endpoint and the proxy; a login page or a mirror's fault looks like this"


class StoppedError(HubError):
    """The caller has set `stop`; what has arrived is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds, and by which clock.

    Attributes:
        connect: for a connection.
        read: for the next bytes, headers included. Also the longest that `Hub.abort` can be kept
            waiting, by a server that has taken a request and says nothing.
        slow: a transfer that brings less than `CHUNK` in this time is begun anew.
        tries: how many failures in a row, without one more byte, end a request.
        backoff: the first wait; doubled after each failure.
        longest: no wait is longer, whatever the hub asks for.
        refetches: how often a file with a wrong hash is fetched again.
        clock: seconds, from anywhere, never going back.
        sleep: waits; default: until `stop` is set, at most so long.
    """

    connect: float = 10.0
    read: float = 15.0
    slow: float = 60.0
    tries: int = 8
    backoff: float = 1.0
    longest: float = 330.0
    refetches: int = 2
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None


class _Token(AuthBase):
    """Adds the token on the endpoint's own origin, and nothing elsewhere.

    It is given with every request, since requests looks into netrc for whichever has no auth.
    """

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._origin = answers.origin(endpoint)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token and answers.origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Hub:
    """One dataset repository on a hub; may be used from many threads.

    Args:
        endpoint: such as `ENDPOINT`; a path in it is kept.
        repository: `<owner>/<name>`.
        token: sent to the endpoint's own origin only.
        patience: how long to wait.
        stop: when set, every thread ends with `StoppedError` soon.
        say: told, in a sentence, when a question has to be asked again; nothing else moves then.
        session: what sends requests; default: a new one, which honours the proxies of the
            environment.

    Attributes:
        warnings: what the hub asks to tell its users, a text a topic.

    Raises:
        UsageError: an argument cannot be one.
    """

    def __init__(
        self,
        endpoint: str,
        repository: str,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        say: Callable[[str], object] | None = None,
        session: requests.Session | None = None,
    ) -> None:
        self.endpoint = given.check_endpoint(endpoint)
        self.repository = given.check_repository(repository)
        self.stop = threading.Event() if stop is None else stop
        self.warnings: dict[str, str] = {}
        self._say = say or (lambda _: None)
        self._auth = _Token(self.endpoint, given.check_token(token))
        self._has_token = bool(token)
        self._patience = Patience() if patience is None else patience
        self._sleep = self._patience.sleep or self.stop.wait
        self._session = _new_session() if session is None else session
        self._lock = threading.Lock()
        self._not_before = self._patience.clock()
        self._open: set[requests.Response] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def abort(self) -> None:
        """Set `stop`, and wake the threads that wait for bytes."""
        self.stop.set()
        with self._lock:
            for response in self._open:
                connection = getattr(response.raw, "connection", None)
                sock = getattr(connection, "sock", None)
                if sock is not None:
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)

    def check_stop(self) -> None:
        """Raise `StoppedError` when `stop` is set."""
        if self.stop.is_set():
            raise StoppedError("stopped", hint="run the command again to continue")

    # -------------------------------------------------------------------------- questions

    def commit(self, revision: str) -> str:
        """The commit that a branch, a tag or a commit names now: 40 hexadecimal digits.

        Raises:
            NotFoundError: no such repository or revision, or a private one and no token.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached, or answers what is no answer.
        """
        url = f"{self._api()}/revision/{quote(revision, safe='')}"
        answer, _ = self._json(url)
        sha = answer.get("sha") if isinstance(answer, dict) else None
        if not isinstance(sha, str) or not answers.COMMIT.fullmatch(sha):
            raise HubError(f"{url}: the answer names no commit: {sha!r}", hint=_NOT_A_HUB)
        return sha

    def tree(self, commit: str) -> tuple[RemoteFile, ...]:
        """All files of a commit, sorted by path.

        Raises:
            NotFoundError: no such commit.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached, or lists what no repository of ours may hold.
        """
        first = f"{self._api()}/tree/{quote(commit, safe='')}?recursive=true&expand=false"
        files: dict[str, RemoteFile] = {}
        seen: set[str] = set()
        url: str | None = first
        while url is not None and url not in seen:
            seen.add(url)
            page, following = self._json(url)
            if not isinstance(page, list):
                raise HubError(f"{url}: the answer is no list of files", hint=_NOT_A_HUB)
            for entry in page:
                file = answers.remote_file(entry, url)
                if file is not None:
                    files[file.path] = file
            # Behind a mirror the link may name the mirrored host; stay where we were sent.
            url = None if following is None else self._here(urljoin(url, following))
        return tuple(files[path] for path in sorted(files))

    def _api(self) -> str:
        return f"{self.endpoint}/api/datasets/{self.repository}"

    def _here(self, url: str) -> str:
        home, there = urlsplit(self.endpoint), urlsplit(url)
        return urlunsplit((home.scheme, home.netloc, there.path, there.query, ""))

    def _json(self, url: str) -> tuple[Any, str | None]:
        """The answer to one question, and the link to its next page."""
        failures = 0
        while True:
            try:
                with self._get(url, {"Accept": "application/json"}) as response:
                    kind = response.headers.get("Content-Type", "no type at all")
                    if "json" not in kind.lower():
                        raise HubError(f"{url}: answered {kind}, not JSON", hint=_NOT_A_HUB)
                    return response.json(), response.links.get("next", {}).get("url")
            except (*NETWORK_FAULT, ValueError) as error:  # a cut body, with or without notice
                trouble = answers.network_trouble(error, url)
            except PassingError as error:
                trouble = error
            failures += 1
            if failures < self._patience.tries:
                self._say(f"{trouble.reason}; trying again")
            self._pause(trouble, failures, url)

    # -------------------------------------------------------------------------- files

    def fetch(
        self, file: RemoteFile, commit: str, part: Path, on_bytes: Callable[[int], object]
    ) -> None:
        """Leave a file's bytes at `part`, proven whole by size and hash.

        What an earlier run left at `part` is continued. After an error, what has arrived stays
        there for the next run.

        Args:
            file: what `tree` listed.
            commit: the commit that it listed.
            part: where the bytes go; no other thread or process may write there. Its name should
                hold the file's hash, so that no two files are ever mixed.
            on_bytes: told how many more bytes are at `part`, first those found there; negative
                when some had to be dropped.

        Raises:
            IntegrityError: the bytes that come are not the listed ones, again and again.
            NotFoundError: the file is not there.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached.
            StoppedError: `stop` is set.
            OSError: the disk is full, or does not take the file.
        """
        part.parent.mkdir(parents=True, exist_ok=True)
        on_bytes(_size(part))
        for remaining in range(self._patience.refetches, -1, -1):
            self._complete(file, commit, part, on_bytes)
            found = self._hash(part, file)
            if found == file.hash:
                return
            on_bytes(-_drop(part))
            if not remaining:
                raise IntegrityError(
                    f"{file.path}: the bytes that arrive have the hash {found}, "
                    f"listed is {file.hash}",
                    hint="a proxy or mirror may alter them; try again later or by another line",
                )

    def _complete(
        self, file: RemoteFile, commit: str, part: Path, on_bytes: Callable[[int], object]
    ) -> None:
        """Bring `part` to the listed size; a file that has it makes no request."""
        failures = refusals = 0
        best = _size(part)
        while True:
            have = _size(part)
            if have > file.size:
                on_bytes(-_drop(part))
            elif have == file.size and part.exists():
                return
            else:
                try:
                    self._append(file, commit, part, on_bytes)
                except PassingError as error:
                    now = _size(part)
                    failures = 1 if now > best else failures + 1
                    best = max(best, now)
                    # A server that twice refuses the rest may still give the whole.
                    refusals = refusals + 1 if error.range_refused else 0
                    if refusals > 1:
                        on_bytes(-_drop(part))
                    self._pause(error, failures, file.path)

    def _append(
        self, file: RemoteFile, commit: str, part: Path, on_bytes: Callable[[int], object]
    ) -> None:
        """One try to get the bytes that `part` lacks."""
        have = _size(part)
        url = (
            f"{self.endpoint}/datasets/{self.repository}/resolve/"
            f"{quote(commit, safe='')}/{quote(file.path)}"
        )
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._get(
            url, headers, accept={answers.OK, answers.PARTIAL, answers.RANGE_REFUSED}
        ) as response:
            start = answers.where_it_starts(response, have, file)
            with open(part, "r+b" if part.exists() else "xb") as out:
                out.truncate(start)
                out.seek(start)
                on_bytes(start - have)
                for block in self._blocks(response):
                    if out.tell() + len(block) > file.size:
                        out.truncate(0)
                        on_bytes(-out.tell())
                        raise PassingError(f"more bytes come than the {file.size:,} listed")
                    out.write(block)
                    # Out of our own memory at once: a killed run keeps what has come.
                    out.flush()
                    on_bytes(len(block))
                os.fsync(out.fileno())
                if out.tell() < file.size:
                    raise PassingError(f"the line ended at byte {out.tell():,} of {file.size:,}")

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        """The body as it comes, watched for speed."""
        clock = self._patience.clock
        # read1 gives what is there; read (urllib3 before 2.2) waits until all of it is.
        read = getattr(response.raw, "read1", response.raw.read)
        with self._lock:
            self._open.add(response)
        try:
            since, amount = clock(), 0
            while True:
                self.check_stop()
                block = read(CHUNK, decode_content=True)
                if not block:
                    return
                yield block
                amount += len(block)
                if clock() - since > self._patience.slow:
                    if amount < CHUNK:
                        raise PassingError(f"{human_size(amount)} in {clock() - since:.0f} s")
                    since, amount = clock(), 0
        except NETWORK_FAULT as error:
            self.check_stop()
            raise answers.network_trouble(error, response.url) from error
        finally:
            with self._lock:
                self._open.discard(response)

    def _hash(self, part: Path, file: RemoteFile) -> str:
        """The hash of the whole of `part`, of the kind that is listed."""
        if file.sha256 is not None:
            digest = hashlib.sha256()
        else:
            digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
        with part.open("rb") as source:
            while block := source.read(1 << 20):
                self.check_stop()
                digest.update(block)
        return digest.hexdigest()

    # -------------------------------------------------------------------------- one request

    def _get(
        self, url: str, headers: Mapping[str, str], *, accept: set[int] | None = None
    ) -> requests.Response:
        """Send one GET and follow where it is sent; only an accepted status comes back."""
        self._hold()
        at = url
        for _ in range(_HOPS):
            self.check_stop()
            response = self._send(at, headers)
            self._heed(response)
            if response.status_code in ({answers.OK} if accept is None else accept):
                return response
            with response:
                if response.status_code not in answers.REDIRECTS:
                    raise self._refusal(response, url)
                at = urljoin(at, response.headers.get("Location", ""))
            if urlsplit(at).scheme not in {"http", "https"}:
                break
        raise HubError(f"{url}: redirected in circles, or to what is not HTTP", hint=_NOT_A_HUB)

    def _send(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        host = answers.host(url)
        try:
            return self._session.get(
                url,
                headers={"Accept-Encoding": "identity", "User-Agent": _USER_AGENT, **headers},
                auth=self._auth,
                stream=True,
                allow_redirects=False,
                # The environment's proxy is on another machine, and has a loopback of its own.
                proxies={"no_proxy": host} if answers.is_loopback(host) else None,
                timeout=(self._patience.connect, self._patience.read),
            )
        except (*NETWORK_FAULT, ValueError) as error:
            self.check_stop()
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise HubError(
                    f"{host}: its certificate is not trusted: {answers.without_queries(error)}",
                    hint="behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its CA file",
                ) from error
            raise answers.network_trouble(error, url) from error

    def _heed(self, response: requests.Response) -> None:
        """Take note of what a reply says beside its answer."""
        seconds = answers.quota_wait(response)
        if seconds is not None:
            self._postpone(seconds)
        topic, _, text = response.headers.get("X-HF-Warning", "").partition(";")
        if text.strip():
            self.warnings.setdefault(topic.strip(), text.strip())

    def _refusal(self, response: requests.Response, url: str) -> HubError | PassingError:
        """What a status that is no success means."""
        status = response.status_code
        code = response.headers.get("X-Error-Code", "")
        said = answers.error_text(response)
        elsewhere = answers.origin(response.url) != answers.origin(self.endpoint)
        what = f"{url}: " + (f"{answers.host(response.url)} " if elsewhere else "")
        what += f"answered {status}" + "".join(f", {piece}" for piece in (code, said) if piece)
        what += answers.request_id(response)
        if status in answers.PASSING or status >= answers.SERVER_FAULT:
            wait = answers.retry_after(response)
            shared = status == answers.TOO_MANY or wait is not None
            return PassingError(what, shared=shared, wait=wait)
        # A storage host refuses addresses that have expired; the endpoint then gives a new one.
        if elsewhere and not code:
            return PassingError(what)
        return self._denial(status, code, said, what)

    def _denial(self, status: int, code: str, said: str, what: str) -> HubError:
        page = f"{self.endpoint}/datasets/{self.repository}"
        unknown = code == "RepoNotFound" or (status == answers.UNAUTHORIZED and not self._has_token)
        meanings: tuple[tuple[bool, type[HubError], str], ...] = (
            (code == "GatedRepo", AccessError, f"accept the terms at {page}, then set HF_TOKEN"),
            ("Invalid credentials" in said, AccessError, "the token is wrong: set a new HF_TOKEN"),
            ("resource is disabled" in said, AccessError, "the hub has closed this repository"),
            (code == "RevisionNotFound", NotFoundError, "give a branch, tag or commit it has"),
            (code == "EntryNotFound", NotFoundError, "the commit has no such file"),
            (unknown, NotFoundError, "check the name; a private one needs a token: set HF_TOKEN"),
            (
                status in {answers.UNAUTHORIZED, answers.FORBIDDEN},
                AccessError,
                "the token does not allow this: set another HF_TOKEN",
            ),
            (status == answers.NOT_FOUND, NotFoundError, "check repository, revision and endpoint"),
            (True, HubError, _NOT_A_HUB),
        )
        kind, hint = next((kind, hint) for applies, kind, hint in meanings if applies)
        return kind(what, hint=hint)

    # -------------------------------------------------------------------------- waiting

    def _pause(self, trouble: PassingError, failures: int, what: str) -> None:
        """Wait before the next try, or give up.

        Raises:
            HubError: there were as many failures as patience allows.
        """
        self.check_stop()
        if failures >= self._patience.tries:
            raise HubError(
                f"{what}: given up after {failures} failures in a row, the last: {trouble.reason}",
                hint="run the command again to continue where it stopped",
            ) from trouble
        delay = self._patience.backoff * 2 ** (failures - 1)
        if trouble.shared:
            self._postpone(delay if trouble.wait is None else trouble.wait)
        else:
            self._sleep(min(delay, self._patience.longest) * (0.5 + self._jitter() / 2))

    def _postpone(self, seconds: float) -> None:
        """Let no thread send a request before so many seconds have passed."""
        until = self._patience.clock() + min(seconds, self._patience.longest)
        with self._lock:
            self._not_before = max(self._not_before, until)

    def _hold(self) -> None:
        """Wait for the clock that all threads share."""
        while True:
            self.check_stop()
            with self._lock:
                left = self._not_before - self._patience.clock()
            if left <= 0:
                return
            # Not all in the same instant.
            self._sleep(left + self._jitter() * self._patience.backoff / 4)

    def _jitter(self) -> float:
        return random.random()  # noqa: S311 - spreads waits, guards no secret


def _new_session() -> requests.Session:
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=16, pool_maxsize=64)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _drop(path: Path) -> int:
    """Remove a partial file and say how many bytes it had."""
    size = _size(path)
    path.unlink(missing_ok=True)
    return size
