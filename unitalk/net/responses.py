"""Reads a hub's answers: listings, ranges, refusals, requests to wait."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from unitalk.errors import HubError

OK, PARTIAL, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 206, 401, 403, 404
GONE, RANGE_REFUSED, TOO_MANY, SERVER_FAULT = 410, 416, 429, 500
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, TOO_MANY})

NETWORK_FAULT = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException)

COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_RATE_LIMIT = re.compile(r";\s*r=(\d+)\s*;\s*t=(\d+)")
_QUERY = re.compile(r"\?[^\s'\")]*")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(slots=True, eq=False)
class PassingError(Exception):
    """A failure that may pass.

    Attributes:
        reason: for people.
        shared: the hub asks everybody to wait, not this thread alone.
        wait: how many seconds it asks for.
        range_refused: the partial file itself may be the reason.
        unreachable: there was not even a connection.
    """

    reason: str
    shared: bool = False
    wait: float | None = None
    range_refused: bool = False
    unreachable: bool = False


@dataclass(slots=True, eq=False)
class RefusedError(Exception):
    """A failure that will not pass at the endpoint that gave it.

    Attributes:
        error: what it means, for callers who have no other endpoint.
        lasting: it is so for everything that this endpoint can be asked.
        lacks_commit: it is so for everything of the commit that was asked for.
    """

    error: HubError
    lasting: bool = False
    lacks_commit: bool = False


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


def remote_file(entry: Any, url: str) -> RemoteFile | None:  # noqa: ANN401 - what JSON holds
    """Read one entry of a listing; None for a folder.

    Raises:
        RefusedError: it is of an unknown kind, or its path leads out of a folder.
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
        or not COMMIT.fullmatch(str(entry.get("oid")))
        or not (lfs is None or (isinstance(lfs, dict) and _SHA256.fullmatch(str(lfs.get("oid")))))
    ):
        raise RefusedError(
            HubError(
                f"{url}: lists what is no file, has no size or hash, or leads out of its folder: "
                f"{str(entry)[:200]}",
                hint="nothing of this listing was used; tell the owner of the repository",
            )
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


def where_it_starts(response: requests.Response, have: int, file: RemoteFile) -> int:
    """The place in the file where a reply's body begins.

    Raises:
        PassingError: the reply does not fit what was asked.
    """
    status = response.status_code
    if status == OK:
        # A length that is not the listed one is another object, or an error page.
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) != file.size and not is_encoded(response):
            raise PassingError(f"{int(length):,} bytes are offered, listed are {file.size:,}")
        return 0
    given = response.headers.get("Content-Range", "")
    match = CONTENT_RANGE.fullmatch(given)
    good = (
        status == PARTIAL
        and match is not None
        and not is_encoded(response)
        and int(match[1]) == have
        and match[2] in {"*", str(file.size)}
    )
    if not good:
        raise PassingError(
            f"asked for the bytes from {have:,} of {file.size:,}, answered {status} {given!r}",
            range_refused=True,
        )
    return have


def is_encoded(response: requests.Response) -> bool:
    """Whether a body is compressed, so that its length and ranges are not the file's."""
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def error_text(response: requests.Response, body: bytes) -> str:
    """The hub's explanation of a refusal, in one line."""
    said = response.headers.get("X-Error-Message", "")
    if not said and "json" in response.headers.get("Content-Type", ""):
        with contextlib.suppress(ValueError):
            answer = json.loads(body)
            said = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    return one_line(_QUERY.sub("?...", said))


def one_line(text: str) -> str:
    """A server's text, made fit for a terminal."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]


def request_id(response: requests.Response) -> str:
    """What identifies a request in the hub's logs, to be put behind a message."""
    for name in ("X-Request-Id", "X-Amzn-Trace-Id", "X-Amz-Cf-Id"):
        if value := response.headers.get(name):
            return f" ({name} {one_line(value)[:80]})"
    return ""


def retry_after(response: requests.Response) -> float | None:
    """How many seconds a reply asks to wait: a number, or a date by the server's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        then = parsedate_to_datetime(text)
        now = parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (then - now).total_seconds())
    return None


def quota_wait(response: requests.Response) -> float | None:
    """How many seconds until the quota is renewed, when nothing is left of it.

    The header is on every reply; only with nothing left is it a demand.
    """
    limit = _RATE_LIMIT.search(response.headers.get("RateLimit", ""))
    return float(limit[2]) if limit is not None and int(limit[1]) == 0 else None


def network_trouble(error: Exception, url: str) -> PassingError:
    """The error for a network failure, without anything secret."""
    said = without_queries(error)
    if not _was_unreachable(error):
        return PassingError(f"{type(error).__name__} with {host(url)}: {said}", unreachable=False)
    # "HTTPConnectionPool(...): ... [Errno 111] Connection refused'))": only the end is for people.
    reason = said.rpartition(": ")[2].rpartition("] ")[2].rstrip("\"')")
    return PassingError(f"cannot reach {host(url)}: {reason}", unreachable=True)


def _was_unreachable(error: Exception) -> bool:
    """Whether it failed before a request could be sent: no such name, refused, no answer."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    never = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.ProxyError,
    )
    return isinstance(cause, never)


def without_queries(error: Exception) -> str:
    """An error's text without what would let a reader use a signed address."""
    return _QUERY.sub("?...", str(error))[:300]


def origin(url: str) -> tuple[str, str | None, int | None]:
    """The scheme, host and port of an address: what a token may not leave."""
    pieces = urlsplit(url)
    port = pieces.port or {"http": 80, "https": 443}.get(pieces.scheme)
    return pieces.scheme, pieces.hostname, port


def host(url: str) -> str:
    """The host of an address, for people."""
    return urlsplit(url).hostname or url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
