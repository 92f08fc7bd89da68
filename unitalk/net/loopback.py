"""A small hub on this machine: one folder served as one dataset repository at one commit.

It speaks what `unitalk.net` and the hub's own client need, over real HTTP on the loopback
interface: a revision, a listing in pages, and files with ranges, small ones by a redirect to the
hub itself, archives by a redirect to a storage host of their own (another port, so another origin),
which refuses whoever brings a token along. `unitalk quickstart` downloads from it.

A subclass can bend every answer in `reply`, and every body in `write`.
"""

from __future__ import annotations

import hashlib
import json
import re
import socketserver
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from unitalk import stopping
from unitalk.catalog.video_list import REPOSITORY

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

Role = Literal["hub", "cdn"]

# A large piece goes out in one call; a held connection gets one so often a second.
_CHUNK = 1 << 24
_PIECES_PER_SECOND = 50
# How far a connection may catch up, in seconds, when its client did not take what was sent.
_CATCH_UP = 0.1
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One served file and its hashes; `sha256` only for what counts as large."""

    path: str
    file: Path
    size: int
    git_sha1: str
    sha256: str | None

    def to_listing(self) -> dict[str, Any]:
        """Return what the hub lists of it."""
        listing: dict[str, Any] = {
            "type": "file",
            "path": self.path,
            "size": self.size,
            "oid": self.git_sha1,
        }
        if self.sha256 is not None:
            listing["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 128}
        return listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that came in."""

    role: Role
    method: str
    target: str
    headers: Message

    @property
    def path(self) -> str:
        """The path as it was sent, still quoted, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse_qs(urlsplit(self.target).query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered: `body`, or `length` bytes of `file` from `start`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One request, and how many bytes of its answer's body were handed to the network."""

    role: Role
    method: str
    path: str
    range: str | None
    had_authorization: bool
    status: int
    sent: int


class LoopbackHub:
    """Serves a folder until the `with` block ends.

    Args:
        folder: what to serve; read once when the block begins. Hidden files are left out.
        repository: the name under which it is served.
        page_size: how many files a page of the listing has.
        bytes_per_second: the speed of each connection, whatever is asked for on it; of files only,
            what the hub itself says is small. Default: as fast as it goes.
        latency: the seconds before each answer's first byte. A new connection takes them once more,
            before its first answer, as its handshake would on a line of such a length.

    Attributes:
        endpoint: the hub's address, inside the block.
        storage: the address of the host that has the archives, inside the block.
        commit: the one commit; follows from names and content alone.
        entries: the served files by path.
    """

    def __init__(
        self,
        folder: Path,
        *,
        repository: str = REPOSITORY,
        page_size: int = 1000,
        bytes_per_second: int | None = None,
        latency: float = 0.0,
    ) -> None:
        self.folder = folder
        self.repository = repository
        self.page_size = page_size
        self.bytes_per_second = bytes_per_second
        self.latency = latency
        self.endpoint = ""
        self.storage = ""
        self.entries: dict[str, Entry] = {}
        self.commit = ""
        self._log: list[Logged] = []
        self._lock = threading.Lock()
        self._servers: list[_Server] = []

    def __enter__(self) -> Self:
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if file.is_file() and not any(piece.startswith(".") for piece in name.parts):
                self.entries[name.as_posix()] = _entry(name.as_posix(), file)
        summary = [(e.path, e.size, e.sha256 or e.git_sha1) for e in self.entries.values()]
        digest = hashlib.sha1(json.dumps(summary).encode(), usedforsecurity=False)
        self.commit = digest.hexdigest()
        hub, cdn = _Server(self, "hub"), _Server(self, "cdn")
        self._servers = [hub, cdn]
        self.endpoint, self.storage = hub.address, cdn.address
        with stopping.noted():
            for server in self._servers:
                threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with stopping.noted():
            for server in self._servers:
                server.shutdown()
                server.server_close()

    @property
    def log(self) -> tuple[Logged, ...]:
        """The requests so far."""
        with self._lock:
            return tuple(self._log)

    # -------------------------------------------------------------------------- what is answered

    def reply(self, call: Call) -> Reply:
        """Answer one request."""
        if call.role == "cdn":
            return self._stored(call)
        api = f"/api/datasets/{self.repository}"
        routes = (
            (f"{api}/revision/", self._revision),
            (f"{api}/tree/", self._tree),
            (f"/datasets/{self.repository}/resolve/", self._resolve),
            (f"/api/resolve-cache/datasets/{self.repository}/", self._cached),
        )
        for prefix, answer in routes:
            if call.path.startswith(prefix):
                revision, _, path = call.path.removeprefix(prefix).partition("/")
                if unquote(revision) not in {"main", self.commit}:
                    return error_reply(
                        404, "RevisionNotFound", f"Invalid rev id: {unquote(revision)}"
                    )
                return answer(call, unquote(path))
        return error_reply(404, "RepoNotFound", "Repository not found")

    def write(self, call: Call, reply: Reply, handler: _Handler) -> int:
        """Write a reply's body and return how many bytes went out.

        After fewer than were promised, the connection is closed.
        """
        del call
        if reply.file is None:
            handler.wfile.write(reply.body)
            return len(reply.body)
        sent = 0
        handler.pace.begin()
        with reply.file.open("rb") as source:
            while sent < reply.length:
                speed = self.bytes_per_second
                piece = _CHUNK if speed is None else max(1, speed // _PIECES_PER_SECOND)
                piece = min(piece, reply.length - sent)
                # From the system's cache straight to the socket: no byte passes through here.
                gone = handler.connection.sendfile(source, reply.start + sent, piece)
                if not gone:
                    break
                sent += gone
                if speed is not None:
                    handler.pace.wait(gone / speed)
        return sent

    def _revision(self, call: Call, path: str) -> Reply:
        del call, path
        siblings = [{"rfilename": name} for name in self.entries]
        answer = {"id": self.repository, "sha": self.commit, "siblings": siblings}
        return _json({**answer, "private": False, "gated": False, "disabled": False})

    def _tree(self, call: Call, path: str) -> Reply:
        del path
        start = int(call.query.get("cursor", ["0"])[0])
        entries = list(self.entries.values())
        page = _json([entry.to_listing() for entry in entries[start : start + self.page_size]])
        following = start + self.page_size
        if following >= len(entries):
            return page
        link = f'<{self.endpoint}{call.path}?recursive=true&cursor={following}>; rel="next"'
        return replace(page, headers={**page.headers, "Link": link})

    def _resolve(self, call: Call, path: str) -> Reply:
        del call
        entry = self.entries.get(path)
        if entry is None:
            return error_reply(404, "EntryNotFound", f"{path} does not exist")
        headers = {"X-Repo-Commit": self.commit, "Accept-Ranges": "bytes"}
        if entry.sha256 is None:
            place = f"/api/resolve-cache/datasets/{self.repository}/{self.commit}/"
            headers["Location"] = f"{place}{quote(path, safe='')}?etag=%22{entry.git_sha1}%22"
            headers["ETag"] = f'"{entry.git_sha1}"'
            return Reply(status=307, headers=headers, body=b"Temporary Redirect")
        headers["Location"] = f"{self.storage}/{entry.sha256}?Expires=3600"
        headers["X-Linked-Size"] = str(entry.size)
        headers["X-Linked-ETag"] = f'"{entry.sha256}"'
        return Reply(status=302, headers=headers, body=b"Found")

    def _cached(self, call: Call, path: str) -> Reply:
        entry = self.entries.get(path)
        if entry is None:
            return error_reply(404, "EntryNotFound", f"{path} does not exist")
        return self._file(call, entry, {"X-Repo-Commit": self.commit})

    def _stored(self, call: Call) -> Reply:
        if "Authorization" in call.headers:
            return Reply(status=400, body=b"Only one auth mechanism allowed")
        name = call.path.lstrip("/")
        entry = next((e for e in self.entries.values() if name == e.sha256), None)
        return Reply(status=404) if entry is None else self._file(call, entry, {})

    def _file(self, call: Call, entry: Entry, headers: dict[str, str]) -> Reply:
        headers = {"ETag": f'"{entry.git_sha1}"', "Accept-Ranges": "bytes", **headers}
        match = _RANGE.fullmatch(call.headers.get("Range", ""))
        if match is None:
            return Reply(headers=headers, file=entry.file, length=entry.size)
        start = int(match[1])
        last = min(int(match[2] or entry.size), entry.size - 1)
        if start > last:
            headers["Content-Range"] = f"bytes */{entry.size}"
            return Reply(status=416, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{last}/{entry.size}"
        length = last + 1 - start
        return Reply(status=206, headers=headers, file=entry.file, start=start, length=length)

    # -------------------------------------------------------------------------- the wire

    def serve(self, call: Call, handler: _Handler) -> None:
        """Answer one request on its connection, and log it."""
        reply = self.reply(call)
        time.sleep(self.latency)
        length = len(reply.body) if reply.file is None else reply.length
        handler.send_response_only(reply.status)
        usual = {"Date": handler.date_time_string(), "Content-Length": str(length)}
        for name, value in (usual | reply.headers).items():
            if value:  # an empty one in `reply.headers` takes a header away
                handler.send_header(name, value)
        if call.method == "HEAD":
            length = 0
        logged = Logged(
            role=call.role,
            method=call.method,
            path=call.path,
            range=call.headers.get("Range"),
            had_authorization="Authorization" in call.headers,
            status=reply.status,
            sent=length,
        )
        # Noted before anything goes out, so that whoever has the answer finds it in the log.
        with self._lock:
            place = len(self._log)
            self._log.append(logged)
        handler.end_headers()
        sent = 0 if call.method == "HEAD" else self.write(call, reply, handler)
        if sent != length:
            handler.close_connection = True
            with self._lock:
                self._log[place] = replace(logged, sent=sent)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, hub: LoopbackHub, role: Role) -> None:
        self.hub = hub
        self.role = role
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        # A client that went away is no error of ours.
        if not isinstance(sys.exception(), (OSError, ValueError)):
            super().handle_error(request, client_address)


class _Pace:
    """Holds one connection to a speed, also over many short answers."""

    def __init__(self) -> None:
        self._free = 0.0

    def begin(self) -> None:
        """A body begins: what nobody asked for meanwhile is not caught up."""
        self._free = max(self._free, time.monotonic())

    def wait(self, seconds: float) -> None:
        """Wait until a piece that takes so long is through.

        What a sleep overshoots is taken off the next; so the speed is exact over many pieces.
        """
        self._free = max(self._free + seconds, time.monotonic() - _CATCH_UP)
        time.sleep(max(0.0, self._free - time.monotonic()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.pace = _Pace()
        time.sleep(self.server.hub.latency)

    def do_GET(self) -> None:
        headers = self.headers
        call = Call(role=self.server.role, method=self.command, target=self.path, headers=headers)
        self.server.hub.serve(call, self)

    do_HEAD = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Write nothing: `LoopbackHub.log` has it all."""


def _entry(name: str, file: Path) -> Entry:
    size = file.stat().st_size
    if not name.endswith(".zip"):
        return Entry(path=name, file=file, size=size, git_sha1=_git_sha1(size, file), sha256=None)
    with file.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    # What git itself stores of a large file is a note with its hash; so its git hash is not that
    # of the content, and a client that takes it for such must fail here too.
    note = f"oid sha256:{sha256}\nsize {size}\n".encode()
    git_sha1 = _git_sha1(len(note), note)
    return Entry(path=name, file=file, size=size, git_sha1=git_sha1, sha256=sha256)


def _git_sha1(size: int, content: Path | bytes) -> str:
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    if isinstance(content, bytes):
        digest.update(content)
    else:
        with content.open("rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _json(value: object, status: int = 200) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(status=status, headers=headers, body=json.dumps(value).encode())


def error_reply(status: int, code: str, text: str) -> Reply:
    """The hub's way to refuse: a status, a code in a header, and a text."""
    reply = _json({"error": text}, status)
    return replace(reply, headers={**reply.headers, "X-Error-Code": code, "X-Error-Message": text})
