"""Plain files below an address, such as a bucket or a web server, and its mirrors.

Nothing lists such files with sizes and hashes, as a hub does; all that is known of one is what the
server says when it is asked for it. So that is written down beside the partial file before its
first byte, and what comes later is added only if it is a piece of the very same file: the server is
asked for the rest by `If-Range`, and what it answers is compared once more.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unitalk.errors import DataError, HubError, IntegrityError
from unitalk.files import read_json, write_json
from unitalk.net import responses
from unitalk.net.http_client import Client, drop, no_answer, size_of
from unitalk.net.mirrors import Mirror, Turns
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.status_errors import site_refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

_WHOLE = frozenset({responses.OK})
_BYTES = frozenset({responses.OK, responses.PARTIAL, responses.RANGE_REFUSED})
_MD5 = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1 << 20


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
        return any(mirror.answered for mirror in self._mirrors.all)

    def _refusal(
        self, mirror: Mirror, response: requests.Response, body: bytes, url: str
    ) -> PassingError | RefusedError:
        return site_refusal(response, body, url=url, endpoint=mirror.endpoint)

    # -------------------------------------------------------------------------- questions

    def look(self, path: str) -> SiteFile:
        """Ask what the server says about a file, without fetching it.

        Raises:
            NotFoundError: there is no such file.
            AccessError: there is none, or it is not for us.
            HubError: nobody can be reached, or what answers has no files.
        """
        turns = Turns(self._mirrors, path, say=self._say)

        def ask(mirror: Mirror) -> SiteFile:
            url = f"{mirror.endpoint}/{quote(path)}"
            with self._get(mirror, url, {}, accept=_WHOLE, method="HEAD") as response:
                _check_kind(response, url)
                return _told(response, mirror)

        return self._ask(turns, ask)[1]

    def read(self, path: str, most: int) -> bytes:
        """The whole of a short file, such as a list.

        Args:
            path: below the address.
            most: more bytes are refused.

        Raises:
            NotFoundError: there is no such file.
            AccessError: there is none, or it is not for us.
            HubError: nobody can be reached, or what answers has no files.
        """
        turns = Turns(self._mirrors, path, say=self._say)

        def ask(mirror: Mirror) -> bytes:
            url = f"{mirror.endpoint}/{quote(path)}"
            with self._get(mirror, url, {}, accept=_WHOLE) as response:
                _check_kind(response, url)
                size = _told(response, mirror).size
                body = self._wire.content(response, most)
                if size is not None and len(body) != size:
                    raise PassingError(f"the line ended at byte {len(body):,} of {size:,}")
                return body

        return self._ask(turns, ask)[1]

    # -------------------------------------------------------------------------- files

    def fetch(self, path: str, part: Path, on_bytes: Callable[[int], object]) -> SiteFile:
        """Bring a file's bytes to `part`, of the announced size and, if there is one, hash.

        Bytes that an earlier run left at `part` are continued if the file is still the same, and
        dropped if it is not or nobody can know. A whole file causes no request.

        Args:
            path: below the address.
            part: where the bytes go; what is known of them goes to the same name with `.json`. No
                other thread or process may write there.
            on_bytes: called with how many more bytes are at `part`, first those found there;
                negative when some were dropped.

        Returns:
            What the server said of the file that is now at `part`.

        Raises:
            IntegrityError: the bytes have a wrong hash, again and again.
            NotFoundError: there is no such file.
            AccessError: there is none, or it is not for us.
            HubError: nobody can be reached, or the server tells no size.
            StoppedError: `stop` is set.
            OSError: the disk is full, or does not take the file.
        """
        if _remembered(part) is None:
            drop(part)  # nobody knows any more what it is a part of
        turns = Turns(self._mirrors, path)

        def wrong() -> IntegrityError | None:
            told = _remembered(part)
            if told is not None and told.md5 is None:
                return None
            found = md5_of(part, self.check_stop)
            if told is not None and found == told.md5:
                return None
            forget(part)
            return _wrong_bytes(path, found, None if told is None else told.md5)

        self._bring(
            turns,
            part,
            on_bytes,
            size=lambda: _size_told(part),
            append=lambda mirror: self._append(turns, mirror, path, part, on_bytes),
            wrong=wrong,
        )
        told = _remembered(part)
        assert told is not None  # noqa: S101 - else its size were unknown
        return told

    def _append(
        self,
        turns: Turns,
        mirror: Mirror,
        path: str,
        part: Path,
        on_bytes: Callable[[int], object],
    ) -> None:
        """Try once to get the bytes that `part` lacks."""
        have, known = size_of(part), _remembered(part)
        headers = {}
        if have and known is not None and known.validator is not None:
            headers = {"Range": f"bytes={have}-", "If-Range": known.validator}
        url = f"{mirror.endpoint}/{quote(path)}"
        with self._get(mirror, url, headers, accept=_BYTES) as response:
            _check_kind(response, url)
            told = _told(response, mirror)
            start = self._where_it_starts(turns, response, have, known, told)
            size = known.size if start and known is not None else told.size
            if size is None:
                raise _no_size(url)
            if start == 0:
                on_bytes(-drop(part))  # before the next line: old bytes under new words are poison
                write_json(_memory(part), asdict(told))
            self._write(response, part, start, size, on_bytes)

    def _where_it_starts(
        self,
        turns: Turns,
        response: requests.Response,
        have: int,
        known: SiteFile | None,
        told: SiteFile,
    ) -> int:
        """The place in the file where a reply's body begins: at what we have, or at its first byte.

        Raises:
            PassingError: it fits neither.
        """
        changed = known is not None and not _same(known, told)
        if have and known is not None and known.validator is not None and changed:
            # Another server's file of that name is no reason to give up what is half here, as long
            # as the one that gave it may give the rest.
            giver = known.endpoint
            if giver != told.endpoint and turns.may_ask(giver):
                raise PassingError(f"has another file than {giver}, which gave a part of it")
        if response.status_code == responses.OK:
            return 0
        given = response.headers.get("Content-Range", "")
        match = responses.CONTENT_RANGE.fullmatch(given)
        if match is None or int(match[1]) != have or changed or _encoded(response):
            raise PassingError(
                f"asked for the bytes from {have:,}, answered {response.status_code} {given!r}"
                + " of another file" * changed,
                range_refused=True,
            )
        return have


def md5_of(path: Path, check: Callable[[], object] | None = None) -> str:
    """The MD5 of a file.

    Args:
        path: the file to read.
        check: called before each mebibyte; what it raises ends the reading.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if check is not None:
                check()
            digest.update(block)
    return digest.hexdigest()


def forget(part: Path) -> None:
    """Remove what is known of a partial file, when that has got its final name."""
    _memory(part).unlink(missing_ok=True)


# ------------------------------------------------------------------------------ what is said


def _told(response: requests.Response, mirror: Mirror) -> SiteFile:
    """What the headers of a reply say of the file that it is about."""
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
    return int(length) if length.isdigit() and not _encoded(response) else None


def _encoded(response: requests.Response) -> bool:
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def _announced_md5(response: requests.Response, etag: str) -> str | None:
    """The content's MD5, where the ETag is one.

    It is for what was uploaded to S3 in one piece and not encrypted with a key of somebody's own.
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


def _check_kind(response: requests.Response, url: str) -> None:
    """Refuse a page where a file is expected.

    Raises:
        RefusedError: it is one.
    """
    kind = responses.one_line(response.headers.get("Content-Type", ""))
    if "text/html" in kind.lower() and not url.endswith((".html", ".htm")):
        raise no_answer(f"{url}: answered a web page, not the file")


def _no_size(url: str) -> RefusedError:
    return RefusedError(
        HubError(
            f"{url}: the server does not say how many bytes there are",
            hint="so nobody can know when the file is whole; fetch it by hand, or from elsewhere",
        )
    )


def _wrong_bytes(path: str, found: str | None, listed: str | None) -> IntegrityError:
    return IntegrityError(
        f"{path}: the bytes that arrive have the MD5 {found}, announced is {listed}",
        hint="a proxy or mirror may alter them; try again later or by another line",
    )


# ------------------------------------------------------------------------------ what is remembered


def _memory(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _remembered(part: Path) -> SiteFile | None:
    """What was said of a partial file; None where that is not known, or cannot be read."""
    try:
        known: Any = read_json(_memory(part))
        return None if known is None else SiteFile(**known)
    except (DataError, TypeError):  # damaged from outside
        return None


def _size_told(part: Path) -> int | None:
    known = _remembered(part)
    return None if known is None else known.size
