"""Fetches files that are shared on Google Drive, by gdown, which knows Drive's pages."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import requests

from unitalk import stopping
from unitalk.errors import AccessError, HubError, MissingExtraError
from unitalk.net import responses
from unitalk.net.part_file import drop
from unitalk.net.request import trouble_of
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.status_errors import may_pass
from unitalk.net.timeouts import Patience, check_stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HOSTS = frozenset({"drive.google.com", "docs.google.com", "drive.usercontent.google.com"})
_IN_PATH = re.compile(r"/file/(?:u/\d+/)?d/([\w-]+)(?:/|$)")
_ID = re.compile(r"[\w-]+")
# What Drive says on its page when a file was fetched too often in a day.
_TOO_OFTEN = re.compile(r"too many users|quota", re.IGNORECASE)


def file_id(url: str) -> str | None:
    """The id in the address of a file on Google Drive; None for any other address."""
    pieces = urlsplit(url)
    if pieces.hostname not in _HOSTS:
        return None
    match = _IN_PATH.match(pieces.path)
    ids = [match[1]] if match else parse_qs(pieces.query).get("id", [])
    return ids[0] if len(ids) == 1 and _ID.fullmatch(ids[0]) else None


def fetch(
    url: str,
    part: Path,
    on_bytes: Callable[[int], object],
    *,
    patience: Patience | None = None,
    stop: threading.Event | None = None,
    say: Callable[[str], object] | None = None,
    get: Callable[..., object] | None = None,
) -> None:
    """Leave the bytes of a file on Google Drive at `part`.

    Drive announces no hash, so bytes of an earlier try prove nothing: each try starts over.

    Args:
        url: such as `https://drive.google.com/file/d/ID/view` or `.../uc?id=ID`.
        part: where the bytes go, in a folder of its own, as gdown puts its own files beside it.
        on_bytes: called with how many more bytes there are; negative when some were dropped.
        patience: how long to wait, and how often to try.
        stop: when set, it ends with `StoppedError`.
        say: called with a sentence before it is tried again.
        get: what fetches; default: `gdown.download`.

    Raises:
        MissingExtraError: gdown is not installed.
        AccessError: Drive refuses: the file is not shared, or was fetched too often today.
        HubError: Drive cannot be reached, or answers something else.
        StoppedError: `stop` is set.
        OSError: the disk is full, or does not take the file.
    """
    patience = patience or Patience()
    stop = stop or threading.Event()
    get = gdown_download() if get is None else get
    number = file_id(url)
    if number is None:
        raise HubError(f"{url}: no file of Google Drive", hint="give an address like /file/d/ID")
    part.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    while True:
        count += 1
        try:
            return _once(get, number, part, on_bytes, patience=patience, stop=stop)
        except Exception as error:
            check_stop(stop)
            trouble = _trouble(error, url)
            if trouble is None:
                raise
            if isinstance(trouble, RefusedError):
                raise trouble.error from error
            if count == patience.unreached:
                text = f"{url}: given up, the last failure: {trouble.reason}"
                raise HubError(text, hint="run the command again, or fetch it by hand") from error
        if say is not None:
            say(f"{trouble.reason}; trying again")
        wait = patience.backoff * 2 ** (count - 1) if trouble.wait is None else trouble.wait
        stopping.pause(stop, min(wait, patience.longest))


def _once(
    get: Callable[..., object],
    number: str,
    part: Path,
    on_bytes: Callable[[int], object],
    *,
    patience: Patience,
    stop: threading.Event,
) -> None:
    """Try once; nothing is left behind by a try that fails."""
    counted = 0

    def count(so_far: int, total: int | None) -> None:
        nonlocal counted
        del total
        on_bytes(so_far - counted)
        counted = so_far

    try:
        get(
            id=number, output=str(part), quiet=True, use_cookies=False, progress=count,
            timeout=(patience.connect, patience.read), cancel=stop,
        )  # fmt: skip
    except BaseException:
        on_bytes(-counted)
        for leftover in part.parent.glob(f"{part.name}*"):
            drop(leftover)
        raise


def _trouble(error: Exception, url: str) -> PassingError | RefusedError | None:
    """Whether what kept gdown from the file may pass; None for what has nothing to do with it."""
    by_hand = f"open {url} in a browser, and save the file"
    kind = type(error).__name__  # gdown is not imported here, as it need not be installed
    if isinstance(error, requests.HTTPError) and error.response is not None:
        what = f"{url}: answered {error.response.status_code}"
        passing = may_pass(error.response, what)
        return passing or RefusedError(AccessError(what, hint=by_hand))
    if isinstance(error, requests.RequestException):
        return trouble_of(error, url)
    if kind == "FileURLRetrievalError":
        why = "it was fetched too often today"
        if not _TOO_OFTEN.search(str(error)):
            why = f"it is not shared with everybody, or {why}"
        what = f"{url}: Google Drive does not give the file: {why}"
        return RefusedError(AccessError(what, hint=by_hand))
    if kind == "DownloadError":
        return PassingError(responses.one_line(str(error)))
    if isinstance(error, (LookupError, AttributeError, AssertionError, ValueError)):
        # Drive's pages change; what gdown then trips over says nothing to anybody.
        what = f"{url}: gdown cannot read Google Drive's answer ({kind})"
        return RefusedError(HubError(what, hint=by_hand))
    return None


def gdown_download() -> Callable[..., object]:
    """Return what fetches a file: `gdown.download`.

    Raises:
        MissingExtraError: gdown is not installed.
    """
    try:
        import gdown
    except ImportError as error:
        raise MissingExtraError(
            "files on Google Drive are fetched by gdown, which is not installed",
            hint='pip install "unitalk[weights]"',
        ) from error
    get: Callable[..., object] = gdown.download
    return get
