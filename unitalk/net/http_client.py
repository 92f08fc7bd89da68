"""The base of all clients: endpoints in turn, one request at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urljoin, urlsplit

from unitalk.errors import HubError
from unitalk.net import config, responses
from unitalk.net.mirrors import Mirror, Mirrors, Turns
from unitalk.net.request import Token, Wire, new_session
from unitalk.net.responses import PassingError, RefusedError
from unitalk.net.status_errors import NOT_A_HUB
from unitalk.net.timeouts import Patience, check_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from unitalk.net.request import Method

_Answer = TypeVar("_Answer")

_HOPS = 10


class Client:
    """Asks one endpoint or several mirrors of it; safe to use from many threads.

    Args:
        endpoint: an address, or several in order of preference; a path in one is kept. The first
            is home. Where it fails, the next is asked.
        repository: `<owner>/<name>` on a hub; empty for a plain site.
        token: sent to the first endpoint's own origin only.
        patience: how long to wait.
        stop: when set, every thread ends with `StoppedError` soon.
        say: called with a sentence when a question has to be asked again.
        session: sends the requests; default: a new one, which honours the environment's proxies.

    Attributes:
        endpoint: the first.
        endpoints: all, in order.
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
        self.repository = self._checked(repository)
        self.stop = threading.Event() if stop is None else stop
        self.warnings: dict[str, str] = {}
        self.say = say or (lambda _: None)
        patience = Patience() if patience is None else patience
        self.wire = Wire(
            new_session() if session is None else session,
            Token(self.endpoint, config.check_token(token)),
            patience,
            self.stop,
        )
        self.mirrors = Mirrors(self.endpoints, patience, self.stop, self.warnings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def abort(self) -> None:
        """Set `stop`, and end every wait: each thread raises `StoppedError` within a second."""
        self.wire.abort()

    def check_stop(self) -> None:
        """Raise `StoppedError` when `stop` is set."""
        check_stop(self.stop)

    # -------------------------------------------------------------------------- for each client

    def _checked(self, repository: str) -> str:
        """Return a repository's name, if it may be one."""
        return repository

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
            self.mirrors.postpone(mirror, seconds)

    # -------------------------------------------------------------------------- one question

    def ask(
        self, what: str, ask: Callable[[Mirror, Turns], _Answer], *, pinned: bool = False
    ) -> tuple[Mirror, _Answer]:
        """Ask endpoints in turn; return the first that answers, and its answer."""
        turns = Turns(self.mirrors, what, pinned=pinned, say=self.say)
        while True:
            mirror = turns.next()
            try:
                return mirror, ask(mirror, turns)
            except PassingError as trouble:
                turns.failed(mirror, trouble)
            except RefusedError as refused:
                turns.refused(mirror, refused)

    def get(
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
                response = self.wire.send(at, headers, method=method)
            except PassingError as trouble:
                mirror.silent = True
                self.mirrors.pass_over(mirror, trouble.reason)
                raise
            self._heed(mirror, response)
            if response.status_code in accept:
                return response
            with response:
                body = self.wire.note(response)
                if response.status_code not in responses.REDIRECTS:
                    raise self._refusal(mirror, response, body, url)
                at = urljoin(at, response.headers.get("Location", ""))
            if urlsplit(at).scheme not in {"http", "https"}:
                break
        raise no_answer(f"{url}: redirected in circles, or to what is not HTTP")


def no_answer(message: str) -> RefusedError:
    """The error of a reply that does not answer the question."""
    return RefusedError(HubError(message, hint=NOT_A_HUB))
