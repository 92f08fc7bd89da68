"""The client of a Hugging Face hub: lists a dataset repository and fetches its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from unitalk.errors import IntegrityError
from unitalk.net import config, responses
from unitalk.net.file_check import content_hash
from unitalk.net.http_client import Client, no_answer, size_of
from unitalk.net.mirrors import Mirror, Turns
from unitalk.net.status_errors import refusal

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import requests

    from unitalk.net.responses import PassingError, RefusedError, RemoteFile
    from unitalk.net.timeouts import Patience

_LONGEST_PAGE = 1 << 26
_JSON = frozenset({responses.OK})
_BYTES = frozenset({responses.OK, responses.PARTIAL, responses.RANGE_REFUSED})


@dataclass(slots=True)
class _Listing:
    """How much of a commit one endpoint has listed."""

    url: str | None
    files: dict[str, RemoteFile] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


class Hub(Client):
    """One dataset repository on a hub and its mirrors; safe to use from many threads.

    Args:
        endpoint: such as `ENDPOINT`, or several in order of preference; a path in one is kept. The
            first is home. Where it fails, the next is asked, for the same commit and hashes.
        repository: `<owner>/<name>`.
        token: sent to the first endpoint's own origin only.
        patience: how long to wait.
        stop: when set, every thread ends with `StoppedError` soon.
        say: called with a sentence when a question has to be asked again.
        session: sends the requests; default: a new one, which honours the environment's proxies.

    Attributes:
        endpoint: the first.
        endpoints: all, in order.
        repository: as given.
        stop: as given.
        warnings: the hub's notes to its users by topic, and why an endpoint was passed over, by
            its address.

    Raises:
        UsageError: an argument is invalid.
    """

    def __init__(
        self,
        endpoint: str | Sequence[str],
        repository: str,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        say: Callable[[str], object] | None = None,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(
            endpoint,
            config.check_repository(repository),
            token=token,
            patience=patience,
            stop=stop,
            say=say,
            session=session,
        )

    def _refusal(
        self, mirror: Mirror, response: requests.Response, body: bytes, url: str
    ) -> PassingError | RefusedError:
        return refusal(response, body, url=url, endpoint=mirror.endpoint, page=self._page(mirror))

    def _heed(self, mirror: Mirror, response: requests.Response) -> None:
        super()._heed(mirror, response)
        topic, _, text = response.headers.get("X-HF-Warning", "").partition(";")
        if text.strip():
            self.warnings.setdefault(responses.one_line(topic), responses.one_line(text))

    def _page(self, mirror: Mirror) -> str:
        """The repository's page at an endpoint."""
        return f"{mirror.endpoint}/datasets/{self.repository}"

    def _api(self, mirror: Mirror) -> str:
        return f"{mirror.endpoint}/api/datasets/{self.repository}"

    # -------------------------------------------------------------------------- questions

    def commit(self, revision: str) -> str:
        """The commit that a branch, a tag or a commit names now: 40 hexadecimal digits.

        Raises:
            NotFoundError: no such repository or revision, or a private one and no token.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached, or its answer makes no sense.
        """
        turns = Turns(self._mirrors, f"the commit of {revision!r}", say=self._say)

        def ask(mirror: Mirror) -> str:
            url = f"{self._api(mirror)}/revision/{quote(revision, safe='')}"
            answer, _ = self._json(mirror, url)
            sha = answer.get("sha") if isinstance(answer, dict) else None
            if not isinstance(sha, str) or not responses.COMMIT.fullmatch(sha):
                raise no_answer(f"{url}: the answer names no commit")
            return sha

        mirror, sha = self._ask(turns, ask)
        if mirror.place and revision != sha:
            self.warnings.setdefault(
                f"commit {revision}",
                f"{mirror.endpoint} says that {revision!r} is {sha}; it may lag behind "
                f"{self.endpoint}, which could not be asked",
            )
        return sha

    def tree(self, commit: str) -> tuple[RemoteFile, ...]:
        """All files of a commit, sorted by path.

        Raises:
            NotFoundError: no such commit.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached, or its listing is unsafe or malformed.
        """
        turns = Turns(self._mirrors, f"the files of {commit}", commit=commit, say=self._say)
        first = f"tree/{quote(commit, safe='')}?recursive=true&expand=false"
        # Pages of one endpoint need not end where another's do: each continues its own.
        listings: dict[Mirror, _Listing] = {}

        def ask(mirror: Mirror) -> dict[str, RemoteFile]:
            listing = listings.setdefault(mirror, _Listing(f"{self._api(mirror)}/{first}"))
            while listing.url is not None and listing.url not in listing.seen:
                self._read_page(mirror, listing)
                turns.advanced()
            return listing.files

        _, files = self._ask(turns, ask)
        return tuple(files[path] for path in sorted(files))

    def _read_page(self, mirror: Mirror, listing: _Listing) -> None:
        url = listing.url or ""
        page, following = self._json(mirror, url)
        if not isinstance(page, list):
            raise no_answer(f"{url}: the answer is no list of files")
        for entry in page:
            file = responses.remote_file(entry, url)
            if file is not None:
                listing.files[file.path] = file
        listing.seen.add(url)
        # Behind a mirror the link may name the mirrored host; stay where we were sent.
        listing.url = None if following is None else _at(mirror.endpoint, urljoin(url, following))

    def _json(self, mirror: Mirror, url: str) -> tuple[Any, str | None]:
        """The answer to one question, and the link to its next page."""
        with self._get(mirror, url, {"Accept": "application/json"}, accept=_JSON) as response:
            kind = responses.one_line(response.headers.get("Content-Type", "no type at all"))
            if "json" not in kind.lower():
                raise no_answer(f"{url}: answered {kind}, not JSON")
            body = self._wire.content(response, _LONGEST_PAGE)
            try:
                return json.loads(body), response.links.get("next", {}).get("url")
            except ValueError as error:  # a cut body, where no length tells
                raise responses.network_trouble(error, url) from error

    # -------------------------------------------------------------------------- files

    def fetch(
        self, file: RemoteFile, commit: str, part: Path, on_bytes: Callable[[int], object]
    ) -> None:
        """Bring a file's bytes to `part`, proven by size and hash.

        Bytes that an earlier run left at `part` are continued, from any endpoint. After an error,
        what has arrived stays there for the next run. A file of full size causes no request.

        Args:
            file: what `tree` listed.
            commit: the commit that it listed.
            part: where the bytes go; no other thread or process may write there. Its name should
                contain the file's hash, so that no two files are ever mixed.
            on_bytes: called with how many more bytes are at `part`, first those found there;
                negative when some were dropped.

        Raises:
            IntegrityError: the bytes have a wrong hash, again and again.
            NotFoundError: the file is not there.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached.
            StoppedError: `stop` is set.
            OSError: the disk is full, or refuses the file.
        """

        def wrong() -> IntegrityError | None:
            found = content_hash(part, file, self.check_stop)
            return None if found == file.hash else _wrong_bytes(file, found)

        self._bring(
            Turns(self._mirrors, file.path, commit=commit),
            part,
            on_bytes,
            size=lambda: file.size,
            append=lambda mirror: self._append(mirror, file, commit, part, on_bytes),
            wrong=wrong,
        )

    def _append(
        self,
        mirror: Mirror,
        file: RemoteFile,
        commit: str,
        part: Path,
        on_bytes: Callable[[int], object],
    ) -> None:
        """Try once to get the bytes that `part` lacks."""
        have = size_of(part)
        headers = {"Range": f"bytes={have}-"} if have else {}
        url = f"{self._page(mirror)}/resolve/{quote(commit, safe='')}/{quote(file.path)}"
        with self._get(mirror, url, headers, accept=_BYTES) as response:
            start = responses.where_it_starts(response, have, file)
            self._write(response, part, start, file.size, on_bytes)


def _at(endpoint: str, url: str) -> str:
    """An address of the mirrored hub, such as a link to a next page, at an endpoint."""
    home, there = urlsplit(endpoint), urlsplit(url)
    path = there.path if there.path.startswith(f"{home.path}/") else home.path + there.path
    return urlunsplit((home.scheme, home.netloc, path, there.query, ""))


def _wrong_bytes(file: RemoteFile, found: str) -> IntegrityError:
    return IntegrityError(
        f"{file.path}: the bytes that arrive have the hash {found}, listed is {file.hash}",
        hint="a proxy or mirror may alter them; try again later or by another line",
    )
