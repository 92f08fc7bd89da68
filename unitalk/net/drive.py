"""Files that are shared on Google Drive, by gdown, which knows the pages that stand before them."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

import requests

from unitalk import stopping
from unitalk.errors import AccessError, HubError, MissingExtraError
from unitalk.net import responses
from unitalk.net.http_client import drop
from unitalk.net.mirrors import Mirrors, Turns
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.timeouts import Patience, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DRIVE = "https://drive.google.com"
_HOSTS = frozenset({"drive.google.com", "docs.google.com", "drive.usercontent.google.com"})
_IN_PATH = re.compile(r"/file/(?:u/\d+/)?d/([\w-]+)(?:/|$)")
_ID = re.compile(r"[\w-]+")
# What Drive says on the page that comes when a file was fetched too often in a day.
_TOO_OFTEN = re.compile(r"too many users|quota", re.IGNORECASE)


class Get(Protocol):
    """What fetches one file of Drive: `gdown.download`, as far as it is used here."""

    def __call__(
        self,
        *,
        id: str,  # noqa: A002 - gdown's name
        output: str,
        quiet: bool,
        use_cookies: bool,
        progress: Callable[[int, int | None], None],
        timeout: tuple[float, float],
        cancel: threading.Event,
    ) -> object:
        """Leave the file of that id at `output`."""
        ...


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
    get: Get | None = None,
) -> None:
    """Leave the bytes of a file on Google Drive at `part`.

    Drive tells no hash, and gdown's files of an earlier process do not say what they are a part
    of; so each run begins anew. What a page of Drive says instead of the file is an error.

    Args:
        url: such as `https://drive.google.com/file/d/ID/view` or `.../uc?id=ID`.
        part: where the bytes go; a folder of its own is best, as gdown has its files beside it.
        on_bytes: told how many more bytes there are; negative when some had to be dropped.
        patience: how long to wait, and how often to try.
        stop: when set, it ends with `StoppedError`.
        say: told, in a sentence, when it has to be tried again.
        get: what fetches; default: `gdown.download`.

    Raises:
        MissingExtraError: gdown is not installed.
        AccessError: Drive does not give it: it is not shared, or was fetched too often today.
        HubError: Drive cannot be reached, or gives something else.
        StoppedError: `stop` is set.
        OSError: the disk is full, or does not take the file.
    """
    patience = Patience() if patience is None else patience
    stop = threading.Event() if stop is None else stop
    get = _gdown() if get is None else get
    number = file_id(url)
    if number is None:
        raise HubError(f"{url}: no file of Google Drive", hint="give an address like /file/d/ID")
    part.parent.mkdir(parents=True, exist_ok=True)
    turns = _turns(url, patience, stop, say)
    while True:
        mirror = turns.next()
        try:
            _once(get, number, url, part, on_bytes, patience=patience, stop=stop)
        except PassingError as trouble:
            turns.failed(mirror, trouble)
        except RefusedError as refused:
            turns.refused(mirror, refused)
        else:
            return


def _turns(
    url: str, patience: Patience, stop: threading.Event, say: Callable[[str], object] | None
) -> Turns:
    """The clients' own way to try again, with a single place to ask."""

    def check_stop() -> None:
        if stop.is_set():
            raise StoppedError("stopped", hint="run the command again to continue")

    mirrors = Mirrors(
        (DRIVE,),
        "",
        patience=patience,
        sleep=patience.sleep or (lambda seconds: stopping.pause(stop, seconds)),
        check_stop=check_stop,
        warn=lambda *_: None,
    )
    return Turns(mirrors, url, say=say)


def _once(
    get: Get,
    number: str,
    url: str,
    part: Path,
    on_bytes: Callable[[int], object],
    *,
    patience: Patience,
    stop: threading.Event,
) -> None:
    """One try.

    Raises:
        PassingError: it may go well the next time.
        RefusedError: it will not.
    """
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
    except BaseException as error:
        on_bytes(-counted)
        for leftover in part.parent.glob(f"{part.name}*"):
            drop(leftover)
        trouble = _trouble(error, url, stop)
        if trouble is None:
            raise
        raise trouble from error


def _trouble(
    error: BaseException, url: str, stop: threading.Event
) -> PassingError | RefusedError | StoppedError | None:
    """What kept gdown from the file; None for what has nothing to do with it."""
    if stop.is_set():
        return StoppedError("stopped", hint="run the command again to continue")
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _status(error.response, url)
    if isinstance(error, requests.RequestException):
        return _network(error, url)
    return _page(error, url)


def _page(error: BaseException, url: str) -> PassingError | RefusedError | None:
    """What gdown made of a page of Drive."""
    name = type(error).__name__  # gdown is not imported here, as it need not be there
    if name == "FileURLRetrievalError":
        why = "it was fetched too often today"
        if not _TOO_OFTEN.search(str(error)):
            why = f"it is not shared with everybody, or {why}"
        what = f"{url}: Google Drive does not give the file: {why}"
        return RefusedError(AccessError(what, hint=_by_hand(url)))
    if name == "DownloadError":
        return PassingError(responses.one_line(str(error)))
    if isinstance(error, (LookupError, AttributeError, AssertionError, ValueError)):
        # Pages of Drive change; what gdown then trips over says nothing to anybody.
        what = f"{url}: Google Drive answered what gdown cannot read ({name})"
        return RefusedError(HubError(what, hint=_by_hand(url)))
    return None


def _status(response: requests.Response, url: str) -> PassingError | RefusedError:
    status = response.status_code
    what = f"{url}: {responses.host(response.url or url)} answered {status}"
    if status in responses.PASSING or status >= responses.SERVER_FAULT:
        return PassingError(what, wait=responses.retry_after(response))
    return RefusedError(AccessError(what, hint=_by_hand(url)))


def _network(error: requests.RequestException, url: str) -> PassingError | RefusedError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        said = responses.without_queries(error)
        hint = "behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its CA file"
        return RefusedError(HubError(f"{url}: its certificate is not trusted: {said}", hint=hint))
    return responses.network_trouble(error, url)


def _by_hand(url: str) -> str:
    return f"open {url} in a browser, and save the file"


def _gdown() -> Get:
    try:
        import gdown
    except ImportError as error:
        raise MissingExtraError(
            "files on Google Drive are fetched by gdown, which is not installed",
            hint='pip install "unitalk[weights]"',
        ) from error
    download: Any = gdown.download
    fetcher: Get = download
    return fetcher
