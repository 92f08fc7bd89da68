"""A bucket of plain files that misbehaves, and a proxy that plays the hosts of the internet."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import threading
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hub_server import QUICK, Fault, FaultyHub, HubServer

from unitalk.net import Patience
from unitalk.net.loopback import Call, Reply
from unitalk.net.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = re.compile(r"bytes=(\d+)-")


class GetFault(Fault):
    """A fault of GET only: a HEAD passes it by."""

    def takes(self, call: Call) -> bool:
        return call.method == "GET" and super().takes(call)


class HeadFault(Fault):
    """A fault of HEAD only."""

    def takes(self, call: Call) -> bool:
        return call.method == "HEAD" and super().takes(call)


class _Plain(HubServer):
    """Serves what is in the folder now, with S3's headers or with those of other servers.

    Attributes:
        tags: "md5" as S3 has it, "opaque" as most web servers do, "weak", or "none".
        s3: whether it says that it is S3.
        dates: whether it says when a file was modified.
        if_range: whether it understands If-Range.
    """

    tags = "md5"
    s3 = True
    dates = True
    if_range = True

    def reply(self, call: Call) -> Reply:
        file = self.folder / unquote(call.path).lstrip("/")
        if not file.is_file():
            return Reply(status=404, headers={"Content-Type": "application/xml"}, body=b"<Error/>")
        content = file.read_bytes()
        headers = {"Accept-Ranges": "bytes", "Content-Type": "binary/octet-stream"}
        etag = self.etag(content)
        if etag:
            headers["ETag"] = etag
        if self.dates:
            headers["Last-Modified"] = formatdate(file.stat().st_mtime, usegmt=True)
        if self.s3:
            headers["x-amz-request-id"] = "4442587FB7D0A2F9"
        asked = _RANGE.fullmatch(call.headers.get("Range", ""))
        same = call.headers.get("If-Range") in {None, etag, headers.get("Last-Modified")}
        if asked is None or (self.if_range and not same):
            return Reply(headers=headers, file=file, length=len(content))
        start = int(asked[1])
        if start >= len(content):
            headers["Content-Range"] = f"bytes */{len(content)}"
            return Reply(status=416, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Reply(
            status=206, headers=headers, file=file, start=start, length=len(content) - start
        )

    def etag(self, content: bytes) -> str:
        digest = hashlib.md5(content).hexdigest()
        kinds = {"md5": f'"{digest}"', "opaque": f'"{digest[:8]}-x"', "weak": f'W/"{digest}"'}
        return kinds.get(self.tags, "")


class Bucket(FaultyHub, _Plain):
    """The files of a folder, with faults."""

    def bodies(self, path: str) -> list[tuple[str | None, int, int]]:
        """The requests for a file's bytes: the range asked for, the status, the bytes sent."""
        return [
            (call.range, call.status, call.sent)
            for call in self.log
            if call.method == "GET" and unquote(call.path) == f"/{path}"
        ]

    def asked(self) -> list[str]:
        """Every request, as `GET /path`."""
        return [f"{call.method} {unquote(call.path)}" for call in self.log]


def quick_site(endpoint, **options) -> Site:
    """A client that loses patience soon enough for a test."""
    patience = Patience(**{**QUICK, **options.pop("patience", {})})
    return Site(endpoint, patience=patience, **options)


# ------------------------------------------------------------------------------ the internet


@dataclass
class Page:
    """What a host answers: a status, headers, and a body; `cut` after so many bytes of it."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None


class Internet:
    """A proxy on this machine behind which every host is played by a function.

    A client comes here by `https_proxy`, asks for a tunnel to a host, and finds one with a
    certificate that it trusts by `REQUESTS_CA_BUNDLE`; so real clients with fixed addresses, such
    as gdown, run unchanged.

    Args:
        play: given host and path with query, says what is answered.
        pem: a certificate for those hosts, and its key.

    Attributes:
        asked: host and path of each request.
    """

    def __init__(self, play: Callable[[str, str], Page], pem: Path) -> None:
        self._play = play
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(line,), daemon=True).start()

    def _tunnel(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            line.settimeout(20)
            head = _head(line)
            host = head.split()[1].rpartition(":")[0]
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._tls.wrap_socket(line, server_side=True) as inner:
                while True:
                    path = _head(inner).split()[1]
                    self.asked.append(host + path)
                    self._answer(inner, self._play(host, path))

    def _answer(self, inner: ssl.SSLSocket, page: Page) -> None:
        lines = [f"HTTP/1.1 {page.status} x", f"Content-Type: {page.kind}",
                 f"Content-Length: {len(page.body)}",
                 *(f"{name}: {value}" for name, value in page.headers)]  # fmt: skip
        inner.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + page.body[: page.cut])
        if page.cut is not None:
            raise ConnectionAbortedError


def _head(line: socket.socket) -> str:
    """What a client says until an empty line."""
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        piece = line.recv(1)
        if not piece:
            raise ConnectionAbortedError
        said += piece
    return said.decode()
