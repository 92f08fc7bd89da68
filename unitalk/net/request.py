"""Sends one request and reads its body; `abort` ends every wait for either."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Literal

import requests
from requests.auth import AuthBase

from unitalk import stopping
from unitalk._version import __version__
from unitalk.errors import HubError
from unitalk.net import responses
from unitalk.net.responses import NETWORK_FAULT, PassingError, RefusedError
from unitalk.net.timeouts import Patience, check_stop
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Method = Literal["GET", "HEAD"]

CHUNK = 1 << 17
"""How many bytes are read at a time: little enough that a cut loses nothing worth keeping."""

_NOT_WORTH_READING = 1 << 16
_USER_AGENT = f"unitalk/{__version__}; python/{platform.python_version()}"


class Token(AuthBase):
    """Adds the token on one origin, and nothing elsewhere.

    It is given with every request, since requests looks into netrc for whichever has no auth.
    """

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._origin = responses.origin(endpoint)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, if it goes there."""
        if self._token and responses.origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: otherwise requests reads the body, however long, before returning."""
        del resp


class Wire:
    """Sends requests for many threads, through one session's pool of connections."""

    def __init__(
        self, session: requests.Session, auth: AuthBase, patience: Patience, stop: threading.Event
    ) -> None:
        self._session = session
        self._auth = auth
        self._patience = patience
        self._stop = stop
        self._lock = threading.Lock()
        self._open: set[requests.Response] = set()

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def abort(self) -> None:
        """Set `stop`, and wake the threads that wait for bytes."""
        self._stop.set()
        with self._lock:
            for response in self._open:
                _shut_down(response)

    # -------------------------------------------------------------------------- the request

    def send(
        self, url: str, headers: Mapping[str, str], *, method: Method = "GET"
    ) -> requests.Response:
        """Send one request; return when the headers of the answer, maybe a redirect, have come.

        The request runs in a thread of its own, which is abandoned when `stop` is set or the answer
        does not begin in time: nothing else interrupts name look-up, connect, handshake and the
        wait for headers alike. An abandoned thread ends by its timeouts and closes its connection.

        Raises:
            PassingError: the network failed.
            RefusedError: it would fail again.
        """
        began = self._patience.clock()
        with stopping.noted():
            coming = _in_a_thread(lambda: self._send(url, headers, method))
            try:
                while not futures.wait((coming,), timeout=stopping.GLANCE).done:
                    stopping.check()
                    check_stop(self._stop)
                    self._check_waited(began, url)
                check_stop(self._stop)
                return coming.result()
            except (*NETWORK_FAULT, OSError, ValueError) as error:
                check_stop(self._stop)
                raise trouble_of(error, url) from error
            except BaseException:
                coming.add_done_callback(_close_late)
                raise

    def _check_waited(self, began: float, url: str) -> None:
        waited = self._patience.clock() - began
        if waited > self._patience.connect + self._patience.slow:
            raise PassingError(f"{responses.host(url)} has not answered in {waited:.0f} s")

    def _send(self, url: str, headers: Mapping[str, str], method: Method) -> requests.Response:
        host = responses.host(url)
        send = self._session.get if method == "GET" else self._session.head
        return send(
            url,
            headers={"Accept-Encoding": "identity", "User-Agent": _USER_AGENT, **headers},
            auth=self._auth,
            stream=True,
            allow_redirects=False,
            # The environment's proxy is on another machine, and has a loopback of its own.
            proxies={"no_proxy": host} if responses.is_loopback(host) else None,
            timeout=(self._patience.connect, self._patience.read),
        )

    # -------------------------------------------------------------------------- the bytes

    def blocks(self, response: requests.Response) -> Iterator[bytes]:
        """The body as it comes, watched for speed.

        Raises:
            PassingError: the line broke, or is too slow.
            StoppedError: `stop` is set.
        """
        clock = self._patience.clock
        with self._lock:
            self._open.add(response)
        try:
            since, amount = clock(), 0
            while True:
                check_stop(self._stop)
                block = response.raw.read1(CHUNK, decode_content=True)
                if not block:
                    return
                yield block
                amount += len(block)
                if clock() - since > self._patience.slow:
                    if amount < CHUNK:
                        raise PassingError(f"{human_size(amount)} in {clock() - since:.0f} s")
                    since, amount = clock(), 0
        except NETWORK_FAULT as error:
            check_stop(self._stop)
            raise responses.network_trouble(error, response.url) from error
        finally:
            with self._lock:
                self._open.discard(response)

    def content(self, response: requests.Response, most: int) -> bytes:
        """The whole of a short body.

        Raises:
            PassingError: the line broke, is too slow, or there are more bytes than `most`.
            StoppedError: `stop` is set.
        """
        body = bytearray()
        for block in self.blocks(response):
            body += block
            if len(body) > most:
                raise PassingError(
                    f"{responses.host(response.url)} answers more than {most:,} bytes"
                )
        return bytes(body)

    def note(self, response: requests.Response) -> bytes:
        """The short body of a redirect or a refusal, read so that the connection can be reused.

        A long or incomplete one is dropped: nothing depends on it.
        """
        length = response.headers.get("Content-Length", "")
        with contextlib.suppress(PassingError):
            if length.isdigit() and int(length) <= _NOT_WORTH_READING:
                return self.content(response, _NOT_WORTH_READING)
        return b""


def new_session() -> requests.Session:
    """Return a session with connections for many threads."""
    session = _Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=16, pool_maxsize=64)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _in_a_thread(send: Callable[[], requests.Response]) -> futures.Future[requests.Response]:
    """Call a function in a new thread."""
    coming: futures.Future[requests.Response] = futures.Future()

    def run() -> None:
        try:
            response = send()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            coming.set_exception(error)
        else:
            coming.set_result(response)

    threading.Thread(target=run, name="unitalk-request", daemon=True).start()
    return coming


def _close_late(coming: futures.Future[requests.Response]) -> None:
    if coming.exception() is None:
        coming.result().close()


def _shut_down(response: requests.Response) -> None:
    """End the wait for a response's bytes, in whatever thread; TLS is shut below its encryption."""
    with (
        contextlib.suppress(OSError, ValueError, AttributeError),
        socket.socket(fileno=os.dup(response.raw.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


def trouble_of(error: Exception, url: str) -> PassingError | RefusedError:
    """The error for a request that got no answer."""
    said = responses.without_queries(error)
    hint = "check the endpoint, the proxy's address and REQUESTS_CA_BUNDLE"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        text = f"{responses.host(url)}: its certificate is not trusted: {said}"
        hint = "behind a proxy that inspects TLS, set REQUESTS_CA_BUNDLE to its CA file"
    elif isinstance(error, ValueError) or not isinstance(error, NETWORK_FAULT):
        # A malformed address, or a missing file of certificates.
        text = f"{responses.host(url)} cannot be asked: {said}"
    else:
        return responses.network_trouble(error, url)
    return RefusedError(HubError(text, hint=hint), lasting=True)
