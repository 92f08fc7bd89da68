"""Plain files below an address, such as a bucket or a web server, and its mirrors.

Nothing lists such files with sizes and hashes, as a hub does; all that is known of one is what the
server says when it is asked for it. That is written down beside the partial file before its first
byte, and later bytes are added only if they belong to the very same file: the server is asked for
the rest by `If-Range`, and its answer is compared once more.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unitalk.errors import DataError, HubError
from unitalk.files import read_json, write_json
from unitalk.net import responses
from unitalk.net.file_check import file_hash
from unitalk.net.http_client import Client, no_answer
from unitalk.net.mirrors import Mirror, Turns
from unitalk.net.part_file import PartFile, drop, wrong_bytes
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.status_errors import site_refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from unitalk.errors import IntegrityError

_WHOLE = frozenset({responses.OK})
_BYTES = frozenset({responses.OK, responses.PARTIAL, responses.RANGE_REFUSED})
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """What a server says about a file.

    Attributes:
        endpoint: the server.
        size: the file's size; None where unknown.
        validator: changes when the file does: its ETag, else its time of modification; None when
            neither is given, or only a weak ETag.
        md5: the hash of its content, where the ETag is known to be one, else None.
    """

    endpoint: str
    size: int | None
    validator: str | None
    md5: str | None


class Site(Client):
    """Files below one address, or several with the same files; safe to use from many threads.

    Takes what `Client` takes, without a repository. Nothing secret is ever sent.
    """

    @property
    def answered(self) -> bool:
        """Whether any endpoint has ever answered anything."""
        return any(mirror.answered for mirror in self.mirrors.all)

    def _refusal(
        self, mirror: Mirror, response: requests.Response, body: bytes, url: str
    ) -> PassingError | RefusedError:
        return site_refusal(response, body, url=url, endpoint=mirror.endpoint)

    def look(self, path: str) -> SiteFile:
        """Ask what the server says about a file, without fetching it.

        Raises:
            NotFoundError: there is no such file.
            AccessError: there is no such file, or no permission to read it.
            HubError: no endpoint can be reached, or it answers with a web page.
        """

        def ask(mirror: Mirror, _: Turns) -> SiteFile:
            url = f"{mirror.endpoint}/{quote(path)}"
            with self.get(mirror, url, {}, accept=_WHOLE, method="HEAD") as response:
                return _described(response, mirror, url)

        return self.ask(path, ask)[1]

    def read(self, path: str, most: int) -> bytes:
        """The whole of a short file, such as a list; more than `most` bytes are refused.

        Raises:
            NotFoundError: there is no such file.
            AccessError: there is no such file, or no permission to read it.
            HubError: no endpoint can be reached, or it answers with a web page.
        """

        def ask(mirror: Mirror, _: Turns) -> bytes:
            url = f"{mirror.endpoint}/{quote(path)}"
            with self.get(mirror, url, {}, accept=_WHOLE) as response:
                size = _described(response, mirror, url).size
                body = self.wire.content(response, most)
                if size is not None and len(body) != size:
                    raise PassingError(f"the line ended at byte {len(body):,} of {size:,}")
                return body

        return self.ask(path, ask)[1]

    def fetch(self, path: str, part: Path, on_bytes: Callable[[int], object]) -> SiteFile:
        """Bring a file's bytes to `part`, of the announced size and, if there is one, hash.

        Bytes that an earlier run left at `part` are continued if the file is still the same, and
        dropped if it is not, or if that is unknown. A complete file causes no request.

        Args:
            path: below the address.
            part: see `PartFile`; what is known of the file goes to the same name with `.json`.
            on_bytes: see `PartFile`.

        Returns:
            What the server said about the file that is now at `part`.

        Raises:
            IntegrityError: the bytes have a wrong hash, again and again.
            NotFoundError: there is no such file.
            AccessError: there is no such file, or no permission to read it.
            HubError: no endpoint can be reached, or the server gives no size.
            StoppedError: `stop` is set.
            OSError: the disk is full, or does not take the file.
        """
        turns = Turns(self.mirrors, path)
        file = _SitePart(turns=turns, part=part, on_bytes=on_bytes, site=self, path=path)
        if file.known is None:
            drop(part)  # no record says which file it is a part of
        file.bring()
        known = file.known
        assert known is not None  # noqa: S101 - else its size were unknown
        return known


@dataclass(slots=True, kw_only=True)
class _SitePart(PartFile):
    """A file of which we know only what a server has said."""

    site: Site
    path: str

    @property
    def known(self) -> SiteFile | None:
        """What a server said about the partial file; None where no record can be read."""
        try:
            known: Any = read_json(_memory(self.part))
            return None if known is None else SiteFile(**known)
        except (DataError, TypeError):  # damaged from outside
            return None

    def size(self) -> int | None:
        known = self.known
        return None if known is None else known.size

    def append(self, mirror: Mirror) -> None:
        have, known = self.have, self.known
        headers = {}
        if have and known is not None and known.validator is not None:
            headers = {"Range": f"bytes={have}-", "If-Range": known.validator}
        url = f"{mirror.endpoint}/{quote(self.path)}"
        with self.site.get(mirror, url, headers, accept=_BYTES) as response:
            told = _described(response, mirror, url)
            start = _where_it_starts(response, have, known, told)
            size = known.size if start and known is not None else told.size
            if size is None:
                raise _no_size(url)
            if start == 0:
                self.drop()  # before the next line: old bytes under new words are poison
                write_json(_memory(self.part), asdict(told))
            self.write(self.site.wire.blocks(response), start, size)

    def wrong(self) -> IntegrityError | None:
        known = self.known
        if known is not None and known.md5 is None:
            return None
        found = md5_of(self.part, self.site.check_stop)
        if known is not None and found == known.md5:
            return None
        forget(self.part)
        return wrong_bytes(self.path, found, None if known is None else known.md5)


def _where_it_starts(
    response: requests.Response, have: int, known: SiteFile | None, told: SiteFile
) -> int:
    """The place in the file where a reply's body begins: at what we have, or at its first byte.

    Raises:
        PassingError: it fits neither.
    """
    if response.status_code == responses.OK:
        return 0
    changed = known is not None and not _same(known, told)
    given = response.headers.get("Content-Range", "")
    match = responses.CONTENT_RANGE.fullmatch(given)
    if match is None or int(match[1]) != have or changed or responses.is_encoded(response):
        raise PassingError(
            f"asked for the bytes from {have:,}, answered {response.status_code} {given!r}"
            + " of another file" * changed,
            range_refused=True,
        )
    return have


def md5_of(path: Path, check: Callable[[], object] | None = None) -> str:
    """The MD5 of a file; `check` is called before each mebibyte, and may end the reading."""
    return file_hash(path, hashlib.md5(usedforsecurity=False), check)


def forget(part: Path) -> None:
    """Remove what is known of a partial file, when that has got its final name."""
    _memory(part).unlink(missing_ok=True)


def _memory(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


# ------------------------------------------------------------------------------ what is said


def _described(response: requests.Response, mirror: Mirror, url: str) -> SiteFile:
    """What the headers of a reply say about the file.

    Raises:
        RefusedError: it is a web page where a file is expected.
    """
    kind = responses.one_line(response.headers.get("Content-Type", ""))
    if "text/html" in kind.lower() and not url.endswith((".html", ".htm")):
        raise no_answer(f"{url}: answered a web page, not the file")
    etag = response.headers.get("ETag", "").strip()
    strong = etag if etag.startswith('"') else ""
    modified = response.headers.get("Last-Modified", "").strip()
    return SiteFile(
        endpoint=mirror.endpoint,
        size=_whole_size(response),
        validator=(strong or modified or None) if not etag or strong else None,
        md5=_announced_md5(response, strong.strip('"')),
    )


def _whole_size(response: requests.Response) -> int | None:
    if response.status_code == responses.PARTIAL:
        match = responses.CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return int(match[2]) if match is not None and match[2] != "*" else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not responses.is_encoded(response) else None


def _announced_md5(response: requests.Response, etag: str) -> str | None:
    """The content's MD5, where the ETag is one.

    That is so for uploads to S3 in one piece that are not encrypted with a key of the owner's.
    Other servers have ETags that look so and mean something else.
    """
    headers = response.headers
    is_s3 = "x-amz-request-id" in headers or headers.get("Server") == "AmazonS3"
    kind = headers.get("x-amz-server-side-encryption", "AES256")
    own_key = "x-amz-server-side-encryption-customer-algorithm" in headers
    plain = is_s3 and kind == "AES256" and not own_key
    return etag if plain and _MD5.fullmatch(etag) else None


def _same(known: SiteFile, told: SiteFile) -> bool:
    """Whether two replies speak of one content; where nobody says so, they do not."""
    sizes = told.size is None or known.size == told.size
    return sizes and known.validator is not None and known.validator == told.validator


def _no_size(url: str) -> RefusedError:
    return RefusedError(
        HubError(
            f"{url}: the server does not say how many bytes there are",
            hint="so nobody can know when the file is whole; fetch it by hand, or from elsewhere",
        )
    )
