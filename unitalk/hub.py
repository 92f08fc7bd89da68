"""The hub over HTTP: which commit, which files, and the bytes of one file, proven whole.

This is the only module that meets the network. What it holds to, because each was once somebody's
damaged dataset:

- Sizes and hashes come from the listing of one commit, never from a reply's headers.
- `identity` is asked for, as a compressed reply has no ranges; what comes is checked all the same.
- Redirects are followed here, so that the token goes to the endpoint's own origin and nowhere
  else. Signed addresses are neither kept nor shown: every try begins at the endpoint.
- Every wait has an end, every retry is counted, and the count starts again when bytes have come.
- When the hub asks for patience, all threads wait by one clock.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import os
import platform
import random
import re
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from string import Template
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import requests
import urllib3
from requests.auth import AuthBase

from unitalk import __version__
from unitalk.errors import (
    AccessError,
    HubError,
    IntegrityError,
    NotFoundError,
    UsageError,
)
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENDPOINT = "https://huggingface.co"
"""The hub that is asked when nothing else is said."""

CHUNK = 1 << 17
"""How many bytes are read at a time: little enough that a cut loses nothing worth keeping."""

_HOPS = 10
_OK, _PARTIAL, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 206, 401, 403, 404
_RANGE_REFUSED, _TOO_MANY, _SERVER_FAULT = 416, 429, 500
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, _TOO_MANY})

_NETWORK_FAULT = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_RATE_LIMIT = re.compile(r";\s*r=(\d+)\s*;\s*t=(\d+)")
_QUERY = re.compile(r"\?[^\s'\")]*")
_DRIVE = re.compile(r"[A-Za-z]:")


class StoppedError(HubError):
    """The caller has set `stop`; what has arrived is kept."""


class _PassingError(Exception):
    """What may go well the next time.

    Args:
        reason: for people.
        shared: the hub asks everybody to wait, not this thread alone.
        wait: how many seconds it asks for.
        range_refused: the partial file itself may be the reason.
    """

    def __init__(
        self,
        reason: str,
        *,
        shared: bool = False,
        wait: float | None = None,
        range_refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shared = shared
        self.wait = wait
        self.range_refused = range_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a commit, as the hub lists it.

    Attributes:
        path: where the repository has it; safe to join to a folder.
        size: its bytes.
        sha256: the hash of its content when it is kept in large file storage, else None.
        git_sha1: the hash that git knows it by; of the content only where `sha256` is None.
    """

    path: str
    size: int
    sha256: str | None
    git_sha1: str

    @property
    def hash(self) -> str:
        """The hash that proves the content."""
        return self.sha256 or self.git_sha1


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
        self._origin = _origin(endpoint)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token and _origin(request.url or "") == self._origin:
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
        session: requests.Session | None = None,
    ) -> None:
        self.endpoint = _check_endpoint(endpoint)
        self.repository = _check_repository(repository)
        self.stop = threading.Event() if stop is None else stop
        self.warnings: dict[str, str] = {}
        self._auth = _Token(self.endpoint, _check_token(token))
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
        if not isinstance(sha, str) or not _COMMIT.fullmatch(sha):
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
                file = _remote_file(entry, url)
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
            except (*_NETWORK_FAULT, ValueError) as error:  # a cut body, with or without notice
                trouble = _network_trouble(error, url)
            except _PassingError as error:
                trouble = error
            failures += 1
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
                except _PassingError as error:
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
        with self._get(url, headers, accept={_OK, _PARTIAL, _RANGE_REFUSED}) as response:
            start = _where_it_starts(response, have, file)
            with open(part, "r+b" if part.exists() else "xb") as out:
                out.truncate(start)
                out.seek(start)
                on_bytes(start - have)
                for block in self._blocks(response):
                    if out.tell() + len(block) > file.size:
                        out.truncate(0)
                        on_bytes(-out.tell())
                        raise _PassingError(f"more bytes come than the {file.size:,} listed")
                    out.write(block)
                    # Out of our own memory at once: a killed run keeps what has come.
                    out.flush()
                    on_bytes(len(block))
                os.fsync(out.fileno())
                if out.tell() < file.size:
                    raise _PassingError(f"the line ended at byte {out.tell():,} of {file.size:,}")

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
                        raise _PassingError(f"{human_size(amount)} in {clock() - since:.0f} s")
                    since, amount = clock(), 0
        except _NETWORK_FAULT as error:
            self.check_stop()
            raise _network_trouble(error, response.url) from error
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
            if response.status_code in ({_OK} if accept is None else accept):
                return response
            with response:
                if response.status_code not in _REDIRECTS:
                    raise self._refusal(response, url)
                at = urljoin(at, response.headers.get("Location", ""))
            if urlsplit(at).scheme not in {"http", "https"}:
                break
        raise HubError(f"{url}: redirected in circles, or to what is not HTTP", hint=_NOT_A_HUB)

    def _send(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        host = _host(url)
        try:
            return self._session.get(
                url,
                headers={"Accept-Encoding": "identity", "User-Agent": _USER_AGENT, **headers},
                auth=self._auth,
                stream=True,
                allow_redirects=False,
                # The environment's proxy is on another machine, and has a loopback of its own.
                proxies={"no_proxy": host} if _is_loopback(host) else None,
                timeout=(self._patience.connect, self._patience.read),
            )
        except (*_NETWORK_FAULT, ValueError) as error:
            self.check_stop()
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise HubError(
                    f"{host}: its certificate is not trusted: {_without_queries(error)}",
                    hint="behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its CA file",
                ) from error
            raise _network_trouble(error, url) from error

    def _heed(self, response: requests.Response) -> None:
        """Take note of what a reply says beside its answer."""
        limit = _RATE_LIMIT.search(response.headers.get("RateLimit", ""))
        # The header is on every reply; only with nothing left of the quota is it a demand.
        if limit is not None and int(limit[1]) == 0:
            self._postpone(float(limit[2]))
        topic, _, text = response.headers.get("X-HF-Warning", "").partition(";")
        if text.strip():
            self.warnings.setdefault(topic.strip(), text.strip())

    def _refusal(self, response: requests.Response, url: str) -> HubError | _PassingError:
        """What a status that is no success means."""
        status = response.status_code
        code = response.headers.get("X-Error-Code", "")
        said = _error_text(response)
        elsewhere = _origin(response.url) != _origin(self.endpoint)
        what = f"{url}: " + (f"{_host(response.url)} " if elsewhere else "")
        what += f"answered {status}" + "".join(f", {piece}" for piece in (code, said) if piece)
        what += _request_id(response)
        if status in _PASSING or status >= _SERVER_FAULT:
            wait = _retry_after(response)
            shared = status == _TOO_MANY or wait is not None
            return _PassingError(what, shared=shared, wait=wait)
        # A storage host refuses addresses that have expired; the endpoint then gives a new one.
        if elsewhere and not code:
            return _PassingError(what)
        return self._denial(status, code, said, what)

    def _denial(self, status: int, code: str, said: str, what: str) -> HubError:
        page = f"{self.endpoint}/datasets/{self.repository}"
        unknown = code == "RepoNotFound" or (status == _UNAUTHORIZED and not self._has_token)
        meanings: tuple[tuple[bool, type[HubError], str], ...] = (
            (code == "GatedRepo", AccessError, f"accept the terms at {page}, then set HF_TOKEN"),
            ("Invalid credentials" in said, AccessError, "the token is wrong: set a new HF_TOKEN"),
            ("resource is disabled" in said, AccessError, "the hub has closed this repository"),
            (code == "RevisionNotFound", NotFoundError, "give a branch, tag or commit it has"),
            (code == "EntryNotFound", NotFoundError, "the commit has no such file"),
            (unknown, NotFoundError, "check the name; a private one needs a token: set HF_TOKEN"),
            (
                status in {_UNAUTHORIZED, _FORBIDDEN},
                AccessError,
                "the token does not allow this: set another HF_TOKEN",
            ),
            (status == _NOT_FOUND, NotFoundError, "check repository, revision and endpoint"),
            (True, HubError, _NOT_A_HUB),
        )
        kind, hint = next((kind, hint) for applies, kind, hint in meanings if applies)
        return kind(what, hint=hint)

    # -------------------------------------------------------------------------- waiting

    def _pause(self, trouble: _PassingError, failures: int, what: str) -> None:
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


_USER_AGENT = f"unitalk/{__version__}; python/{platform.python_version()}"
_NOT_A_HUB = "check the endpoint and the proxy; a login page or a mirror's fault looks like this"


# ------------------------------------------------------------------------------ what was given


def credentials(env: Mapping[str, str]) -> tuple[str, str | None]:
    """The endpoint and the token that an environment names, as the hub's own client reads it.

    Args:
        env: such as `os.environ`.

    Raises:
        HubError: the environment forbids the network.
        UsageError: the token's file cannot be read.
    """
    if _is_true(env.get("HF_HUB_OFFLINE")):
        raise HubError("HF_HUB_OFFLINE is set: no request is made", hint="unset it to download")
    endpoint = env.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT
    if _is_true(env.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")):
        return endpoint, None
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if token := env.get(name, "").strip():
            return endpoint, token
    home = env.get("HOME") or str(Path.home())
    cache = env.get("XDG_CACHE_HOME") or f"{home}/.cache"
    folder = env.get("HF_HOME") or f"{cache}/huggingface"
    text = Template(env.get("HF_TOKEN_PATH") or f"{folder}/token").safe_substitute(env)
    path = Path(home + text[1:] if text == "~" or text.startswith("~/") else text)
    try:
        return endpoint, path.read_text(encoding="utf-8", errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return endpoint, None
    except OSError as error:
        raise UsageError(
            f"{path}: the token cannot be read: {error.strerror}",
            hint="set HF_TOKEN, or HF_TOKEN_PATH to a file that can be read",
        ) from error


def _is_true(text: str | None) -> bool:
    return (text or "").upper() in {"1", "ON", "YES", "TRUE"}


def _check_endpoint(endpoint: str) -> str:
    try:
        pieces = urlsplit(endpoint)
        good = pieces.scheme in {"http", "https"} and pieces.hostname and pieces.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{endpoint!r} is no endpoint", hint=f"give an address like {ENDPOINT}")
    return endpoint.rstrip("/")


def _check_repository(repository: str) -> str:
    if (
        not _REPOSITORY.fullmatch(repository)
        or "--" in repository
        or ".." in repository
        or repository.endswith(".git")
    ):
        raise UsageError(f"{repository!r} is no repository", hint="give <owner>/<name>")
    return repository


def _check_token(token: str | None) -> str | None:
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            "the token holds blanks, control characters or what is not ASCII",
            hint="copy it again; it is one word that begins with hf_",
        )
    return token


def _new_session() -> requests.Session:
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=16, pool_maxsize=64)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


# ------------------------------------------------------------------------------ what was answered


def _remote_file(entry: Any, url: str) -> RemoteFile | None:  # noqa: ANN401 - what JSON holds
    """Read one entry of a listing; None for a folder.

    Raises:
        HubError: it is of an unknown kind, or its path leads out of a folder.
    """
    kind = entry.get("type") if isinstance(entry, dict) else None
    if kind == "directory":
        return None
    lfs = entry.get("lfs") if kind == "file" else None
    if (
        kind != "file"
        or not _is_safe(entry.get("path"))
        or type(entry.get("size")) is not int
        or entry["size"] < 0
        or not _COMMIT.fullmatch(str(entry.get("oid")))
        or not (lfs is None or (isinstance(lfs, dict) and _SHA256.fullmatch(str(lfs.get("oid")))))
    ):
        raise HubError(
            f"{url}: lists what is no file, has no size or hash, or leads out of its folder: "
            f"{str(entry)[:200]}",
            hint="nothing of this listing was used; tell the owner of the repository",
        )
    return RemoteFile(
        path=entry["path"],
        size=entry["size"],
        sha256=None if lfs is None else lfs["oid"],
        git_sha1=entry["oid"],
    )


def _is_safe(path: object) -> bool:
    """Whether a path of the hub stays inside the folder that it is joined to."""
    return (
        isinstance(path, str)
        and str(PurePosixPath(path)) == path  # no doubled or closing separators, no "."
        and not path.startswith("/")
        and ".." not in path.split("/")
        and "\\" not in path
        and not _DRIVE.match(path)
        and path.isprintable()
        and path != "."
    )


def _where_it_starts(response: requests.Response, have: int, file: RemoteFile) -> int:
    """The place in the file where a reply's body begins.

    Raises:
        _PassingError: the reply does not fit what was asked.
    """
    status = response.status_code
    encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    if status == _OK:
        # A length that is not the listed one is another object, or an error page.
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) != file.size and not encoded:
            raise _PassingError(f"{int(length):,} bytes are offered, listed are {file.size:,}")
        return 0
    given = response.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(given)
    good = (
        status == _PARTIAL
        and match is not None
        and not encoded
        and int(match[1]) == have
        and match[2] in {"*", str(file.size)}
    )
    if not good:
        raise _PassingError(
            f"asked for the bytes from {have:,} of {file.size:,}, answered {status} {given!r}",
            range_refused=True,
        )
    return have


def _error_text(response: requests.Response) -> str:
    """What the hub says about a refusal, in one line."""
    said = response.headers.get("X-Error-Message", "")
    if not said and "json" in response.headers.get("Content-Type", ""):
        with contextlib.suppress(*_NETWORK_FAULT, ValueError):
            answer = response.json()
            said = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    return " ".join(said.split())[:300]


def _request_id(response: requests.Response) -> str:
    for name in ("X-Request-Id", "X-Amzn-Trace-Id", "X-Amz-Cf-Id"):
        if value := response.headers.get(name):
            return f" ({name} {value[:80]})"
    return ""


def _retry_after(response: requests.Response) -> float | None:
    """How many seconds a reply asks to wait: a number, or a date by the server's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        then = parsedate_to_datetime(text)
        now = parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (then - now).total_seconds())
    return None


def _network_trouble(error: Exception, url: str) -> _PassingError:
    kind = type(error).__name__
    return _PassingError(f"{kind} with {_host(url)}: {_without_queries(error)}")


def _without_queries(error: Exception) -> str:
    """An error's text without what would let a reader use a signed address."""
    return _QUERY.sub("?...", str(error))[:300]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    pieces = urlsplit(url)
    port = pieces.port or {"http": 80, "https": 443}.get(pieces.scheme)
    return pieces.scheme, pieces.hostname, port


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# ------------------------------------------------------------------------------ partial files


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
