"""The client of a Hugging Face hub: lists a dataset repository and fetches its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from unitalk.net import config, responses
from unitalk.net.file_check import content_hash
from unitalk.net.http_client import Client, no_answer
from unitalk.net.mirrors import Mirror, Turns
from unitalk.net.part_file import PartFile, wrong_bytes
from unitalk.net.status_errors import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from unitalk.errors import IntegrityError
    from unitalk.net.responses import PassingError, RefusedError, RemoteFile

_LONGEST_PAGE = 1 << 26
_JSON = frozenset({responses.OK})
_BYTES = frozenset({responses.OK, responses.PARTIAL, responses.RANGE_REFUSED})


class Hub(Client):
    """One dataset repository on a hub and its mirrors; takes what `Client` takes.

    All endpoints are asked for the same commit and held to the same hashes.
    """

    def _checked(self, repository: str) -> str:
        return config.check_repository(repository)

    def _refusal(
        self, mirror: Mirror, response: requests.Response, body: bytes, url: str
    ) -> PassingError | RefusedError:
        page = self.page(mirror)
        return refusal(response, body, url=url, endpoint=mirror.endpoint, page=page)

    def _heed(self, mirror: Mirror, response: requests.Response) -> None:
        super()._heed(mirror, response)
        topic, _, text = response.headers.get("X-HF-Warning", "").partition(";")
        if text.strip():
            self.warnings.setdefault(responses.one_line(topic), responses.one_line(text))

    def page(self, mirror: Mirror) -> str:
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

        def ask(mirror: Mirror, _turns: Turns) -> str:
            url = f"{self._api(mirror)}/revision/{quote(revision, safe='')}"
            answer, _ = self._json(mirror, url)
            sha = answer.get("sha") if isinstance(answer, dict) else None
            if not isinstance(sha, str) or not responses.COMMIT.fullmatch(sha):
                raise no_answer(f"{url}: the answer names no commit")
            return sha

        mirror, sha = self.ask(f"the commit of {revision!r}", ask)
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
        first = f"tree/{quote(commit, safe='')}?recursive=true&expand=false"
        # Pages of one endpoint need not end where another's do: each continues its own.
        listings: dict[Mirror, _Listing] = {}

        def ask(mirror: Mirror, turns: Turns) -> dict[str, RemoteFile]:
            listing = listings.setdefault(mirror, _Listing(f"{self._api(mirror)}/{first}"))
            while listing.url is not None and listing.url not in listing.seen:
                self._read_page(mirror, listing)
                turns.advanced()
            return listing.files

        _, files = self.ask(f"the files of {commit}", ask, pinned=True)
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
        with self.get(mirror, url, {"Accept": "application/json"}, accept=_JSON) as response:
            kind = responses.one_line(response.headers.get("Content-Type", "no type at all"))
            if "json" not in kind.lower():
                raise no_answer(f"{url}: answered {kind}, not JSON")
            body = self.wire.content(response, _LONGEST_PAGE)
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
            part: see `PartFile`. Its name should contain the file's hash, so that no two files are
                ever mixed.
            on_bytes: see `PartFile`.

        Raises:
            IntegrityError: the bytes have a wrong hash, again and again.
            NotFoundError: the file is not there.
            AccessError: the hub does not let us in.
            HubError: it cannot be reached.
            StoppedError: `stop` is set.
            OSError: the disk is full, or refuses the file.
        """
        place = f"resolve/{quote(commit, safe='')}/{quote(file.path)}"
        turns = Turns(self.mirrors, file.path, pinned=True)
        _HubFile(
            turns=turns, part=part, on_bytes=on_bytes, hub=self, file=file, place=place
        ).bring()


@dataclass(slots=True)
class _Listing:
    """How much of a commit one endpoint has listed."""

    url: str | None
    files: dict[str, RemoteFile] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class _HubFile(PartFile):
    """A file of a commit, whose size and hash are known before."""

    hub: Hub
    file: RemoteFile
    place: str

    def size(self) -> int:
        return self.file.size

    def append(self, mirror: Mirror) -> None:
        have = self.have
        headers = {"Range": f"bytes={have}-"} if have else {}
        url = f"{self.hub.page(mirror)}/{self.place}"
        with self.hub.get(mirror, url, headers, accept=_BYTES) as response:
            start = responses.where_it_starts(response, have, self.file)
            self.write(self.hub.wire.blocks(response), start, self.file.size)

    def wrong(self) -> IntegrityError | None:
        found = content_hash(self.part, self.file, self.hub.check_stop)
        return (
            None if found == self.file.hash else wrong_bytes(self.file.path, found, self.file.hash)
        )


def _at(endpoint: str, url: str) -> str:
    """An address of the mirrored hub, such as a link to a next page, at an endpoint."""
    home, there = urlsplit(endpoint), urlsplit(url)
    path = there.path if there.path.startswith(f"{home.path}/") else home.path + there.path
    return urlunsplit((home.scheme, home.netloc, path, there.query, ""))
