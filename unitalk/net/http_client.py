"""The base of all clients: endpoints in turn, one request at a time, one file made whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urljoin, urlsplit

from unitalk import stopping
from unitalk.errors import HubError
from unitalk.net import config, responses
from unitalk.net.mirrors import Mirror, Mirrors
from unitalk.net.request import Token, Wire, new_session
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.status_errors import NOT_A_HUB
from unitalk.net.timeouts import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import requests

    from unitalk.errors import IntegrityError
    from unitalk.net.mirrors import Turns
    from unitalk.net.request import Method

_Answer = TypeVar("_Answer")

_HOPS = 10


class Client:
    """Asks one endpoint or several mirrors of it; safe to use from many threads.

    Args:
        endpoint: an address, or several in order of preference. The first is home. Where it fails,
            the next is asked.
        repository: the repository's name there; empty for a plain site.
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
        warnings: the server's notes to its users by topic, and why an endpoint was passed over, by
            its address.

    Raises:
        UsageError: an argument is invalid.
    """

    def __init__(
        self,
        endpoint: str | Sequence[str],
        repository: str = "",
        *,
        token: str | None = None,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        say: Callable[[str], object] | None = None,
        session: requests.Session | None = None,
    ) -> None:
        self.endpoints = config.check_endpoints(endpoint)
        self.endpoint = self.endpoints[0]
        self.repository = repository
        self.stop = threading.Event() if stop is None else stop
        self.warnings: dict[str, str] = {}
        self._say = say or (lambda _: None)
        patience = Patience() if patience is None else patience
        self._wire = Wire(
            new_session() if session is None else session,
            Token(self.endpoint, config.check_token(token)),
            patience,
            self.stop,
        )
        self._mirrors = Mirrors(
            all=tuple(
                Mirror(endpoint=endpoint, place=place)
                for place, endpoint in enumerate(self.endpoints)
            ),
            patience=patience,
            sleep=patience.sleep or (lambda seconds: stopping.pause(self.stop, seconds)),
            check_stop=self.check_stop,
            warn=self.warnings.setdefault,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def abort(self) -> None:
        """Set `stop`, and end every wait: each thread raises `StoppedError` within a second."""
        self._wire.abort()

    def check_stop(self) -> None:
        """Raise `StoppedError` when `stop` is set."""
        self._wire.check_stop()

    # -------------------------------------------------------------------------- for each client

    def _refusal(
        self, mirror: Mirror, response: requests.Response, body: bytes, url: str
    ) -> PassingError | RefusedError:
        """The error that an unexpected status stands for."""
        raise NotImplementedError

    def _heed(self, mirror: Mirror, response: requests.Response) -> None:
        """Note what a reply's headers say about the endpoint."""
        mirror.answered, mirror.silent = True, False
        seconds = responses.quota_wait(response)
        if seconds is not None:
            self._mirrors.postpone(mirror, seconds)

    # -------------------------------------------------------------------------- one question

    def _ask(self, turns: Turns, ask: Callable[[Mirror], _Answer]) -> tuple[Mirror, _Answer]:
        """Ask endpoints in turn; return the first that answers, and its answer."""
        while True:
            mirror = turns.next()
            try:
                answer = ask(mirror)
            except PassingError as trouble:
                turns.failed(mirror, trouble)
            except RefusedError as refused:
                turns.refused(mirror, refused)
            else:
                return mirror, answer

    def _get(
        self,
        mirror: Mirror,
        url: str,
        headers: Mapping[str, str],
        *,
        accept: frozenset[int],
        method: Method = "GET",
    ) -> requests.Response:
        """Send one request, follow redirects, and return a reply with an accepted status."""
        at = url
        for _ in range(_HOPS):
            self.check_stop()
            try:
                response = self._wire.send(at, headers, method=method)
            except PassingError as trouble:
                mirror.silent = True
                self._mirrors.pass_over(mirror, trouble.reason)
                raise
            self._heed(mirror, response)
            if response.status_code in accept:
                return response
            with response:
                body = self._wire.note(response)
                if response.status_code not in responses.REDIRECTS:
                    raise self._refusal(mirror, response, body, url)
                at = urljoin(at, response.headers.get("Location", ""))
            if urlsplit(at).scheme not in {"http", "https"}:
                break
        raise no_answer(f"{url}: redirected in circles, or to what is not HTTP")

    # -------------------------------------------------------------------------- one file

    def _bring(
        self,
        turns: Turns,
        part: Path,
        on_bytes: Callable[[int], object],
        *,
        size: Callable[[], int | None],
        append: Callable[[Mirror], None],
        wrong: Callable[[], IntegrityError | None],
    ) -> None:
        """Bring `part` to its size until its hash is right.

        Args:
            turns: whose turn it is.
            part: where the bytes go.
            on_bytes: called with how many more bytes there are.
            size: returns how many there are in all; None as long as that is unknown.
            append: tries once to get the missing ones.
            wrong: returns what is wrong with the whole; None when it is proven.
        """
        part.parent.mkdir(parents=True, exist_ok=True)
        found_there = size_of(part)
        on_bytes(found_there)
        giver = None
        while True:
            giver = self._complete(turns, part, on_bytes, size=size, append=append) or giver
            error = wrong()
            if error is None:
                return
            on_bytes(-drop(part))
            # What an earlier run left may be at fault, once.
            if giver is not None and not found_there:
                turns.altered(giver, error)
            found_there = 0

    def _complete(
        self,
        turns: Turns,
        part: Path,
        on_bytes: Callable[[int], object],
        *,
        size: Callable[[], int | None],
        append: Callable[[Mirror], None],
    ) -> Mirror | None:
        """Bring `part` to its size; return who gave its last bytes, if anybody had to."""
        refusals = 0
        best = size_of(part)
        mirror = None
        while True:
            have, whole = size_of(part), size()
            if whole is not None and have > whole:
                on_bytes(-drop(part))
                continue
            if have == whole and part.exists():
                return mirror
            mirror = turns.next()
            try:
                append(mirror)
            except PassingError as trouble:
                now = size_of(part)
                # A server that twice refuses the rest may still give the whole.
                refusals = refusals + 1 if trouble.range_refused else 0
                if refusals > 1:
                    on_bytes(-drop(part))
                if now > best:
                    best = now
                    turns.advanced()
                turns.failed(mirror, trouble)
            except RefusedError as refused:
                turns.refused(mirror, refused)

    def _write(
        self,
        response: requests.Response,
        part: Path,
        start: int,
        size: int,
        on_bytes: Callable[[int], object],
    ) -> None:
        """Write a reply's body into `part` from `start` on, in place of what is there.

        Raises:
            PassingError: there are more or fewer bytes than `size`.
        """
        have = size_of(part)
        with open(part, "r+b" if part.exists() else "xb") as out:
            out.truncate(start)
            out.seek(start)
            on_bytes(start - have)
            for block in self._wire.blocks(response):
                if out.tell() + len(block) > size:
                    on_bytes(-out.tell())
                    out.truncate(0)
                    raise PassingError(f"more bytes come than the {size:,} expected")
                out.write(block)
                # Out of our own memory at once: a killed run keeps what has come.
                out.flush()
                on_bytes(len(block))
            if out.tell() < size:
                raise PassingError(f"the line ended at byte {out.tell():,} of {size:,}")


def no_answer(message: str) -> RefusedError:
    """The error of a reply that does not answer the question."""
    return RefusedError(HubError(message, hint=NOT_A_HUB))


def size_of(path: Path) -> int:
    """A file's size; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def drop(path: Path) -> int:
    """Remove a partial file; return its size."""
    size = size_of(path)
    path.unlink(missing_ok=True)
    return size
