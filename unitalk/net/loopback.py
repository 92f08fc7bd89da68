"""Serves a folder as one dataset repository at one commit, over real HTTP on this machine.

It speaks what `unitalk.net` and the hub's own client need: a revision, a listing, and files with
ranges. `studies.quickstart` downloads from it.

A subclass can change every answer in `reply`, and every body in `write`.
"""

from __future__ import annotations

import hashlib
import json
import re
import socketserver
import sys
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from unitalk import stopping
from unitalk.catalog.video_list import REPOSITORY
from unitalk.files import sha256

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

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
        """Return the hub's listing of it."""
        listing = {"type": "file", "path": self.path, "size": self.size, "oid": self.git_sha1}
        lfs = {"oid": self.sha256, "size": self.size, "pointerSize": 128}
        return listing if self.sha256 is None else {**listing, "lfs": lfs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `role` names the server that it came to."""

    role: str
    method: str
    target: str
    headers: Message

    @property
    def path(self) -> str:
        """The path as it was sent, still quoted, without the query."""
        return urlsplit(self.target).path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: `body`, or `length` bytes of `file` from `start`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    length: int = 0


class LoopbackHub:
    """Serves a folder until the `with` block ends.

    Args:
        folder: what to serve; read once when the block begins. Hidden files are left out.
        repository: the name under which it is served.

    Attributes:
        endpoint: the hub's address, inside the block.
        commit: the one commit; follows from names and content alone.
        entries: the served files by path.
    """

    def __init__(self, folder: Path, *, repository: str = REPOSITORY) -> None:
        self.folder = folder
        self.repository = repository
        self.endpoint = ""
        self.entries: dict[str, Entry] = {}
        self.commit = ""
        self._servers: list[_Server] = []

    def __enter__(self) -> Self:
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if file.is_file() and not any(piece.startswith(".") for piece in name.parts):
                self.entries[name.as_posix()] = _entry(name.as_posix(), file)
        summary = [(e.path, e.size, e.sha256 or e.git_sha1) for e in self.entries.values()]
        digest = hashlib.sha1(json.dumps(summary).encode(), usedforsecurity=False)
        self.commit = digest.hexdigest()
        self.endpoint = self.start_server("hub")
        return self

    def __exit__(self, *_: object) -> None:
        with stopping.noted():
            for server in self._servers:
                server.shutdown()
                server.server_close()

    def start_server(self, role: str) -> str:
        """Start a server that ends with the block; return its address."""
        server = _Server(self, role)
        self._servers.append(server)
        with stopping.noted():
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    # -------------------------------------------------------------------------- what is answered

    def reply(self, call: Call) -> Reply:
        """Answer one request."""
        api = f"/api/datasets/{self.repository}"
        routes = (
            (f"{api}/revision/", self.revision),
            (f"{api}/tree/", self.tree),
            (f"/datasets/{self.repository}/resolve/", self.resolve),
        )
        for prefix, answer in routes:
            if call.path.startswith(prefix):
                revision, _, path = unquote(call.path.removeprefix(prefix)).partition("/")
                if revision not in {"main", self.commit}:
                    return error_reply(404, "RevisionNotFound", f"Invalid rev id: {revision}")
                return answer(call, path)
        return error_reply(404, "RepoNotFound", "Repository not found")

    def revision(self, call: Call, path: str) -> Reply:  # noqa: ARG002 - as all answers take
        """Say which commit a revision is."""
        siblings = [{"rfilename": name} for name in self.entries]
        answer = {"id": self.repository, "sha": self.commit, "siblings": siblings}
        return json_reply({**answer, "private": False, "gated": False, "disabled": False})

    def tree(self, call: Call, path: str) -> Reply:  # noqa: ARG002 - as all answers take
        """List the files of the commit."""
        return json_reply([entry.to_listing() for entry in self.entries.values()])

    def resolve(self, call: Call, path: str) -> Reply:
        """Serve a file."""
        entry = self.entries.get(path)
        if entry is None:
            return error_reply(404, "EntryNotFound", f"{path} does not exist")
        return self.content(call, entry)

    def content(self, call: Call, entry: Entry) -> Reply:
        """Serve the bytes of a file, or the range of them that was asked for."""
        etag = f'"{entry.sha256 or entry.git_sha1}"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes", "X-Repo-Commit": self.commit}
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

    def send(self, call: Call, reply: Reply, handler: Handler) -> int:
        """Send a reply; return how many bytes of its body went out."""
        length = len(reply.body) if reply.file is None else reply.length
        handler.send_response_only(reply.status)
        usual = {"Date": handler.date_time_string(), "Content-Length": str(length)}
        for name, value in (usual | reply.headers).items():
            if value:  # an empty one in `reply.headers` takes a header away
                handler.send_header(name, value)
        handler.end_headers()
        sent = 0 if call.method == "HEAD" else self.write(call, reply, handler)
        if sent != length and call.method != "HEAD":
            handler.close_connection = True
        return sent

    def write(self, call: Call, reply: Reply, handler: Handler) -> int:
        """Write a reply's body; return how many bytes went out. After too few, the line is cut."""
        del call
        if reply.file is None:
            handler.wfile.write(reply.body)
            return len(reply.body)
        with reply.file.open("rb") as source:
            sent: int = handler.connection.sendfile(source, reply.start, reply.length or None)
            return sent


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, hub: LoopbackHub, role: str) -> None:
        self.hub = hub
        self.role = role
        super().__init__(("127.0.0.1", 0), Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        # A client that went away is no error of ours.
        if not isinstance(sys.exception(), (OSError, ValueError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0
    server: _Server

    def do_GET(self) -> None:
        """Answer a request."""
        headers = self.headers
        call = Call(role=self.server.role, method=self.command, target=self.path, headers=headers)
        self.server.hub.send(call, self.server.hub.reply(call), self)

    do_HEAD = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Write nothing."""


def _entry(name: str, file: Path) -> Entry:
    size = file.stat().st_size
    large = sha256(file) if name.endswith(".zip") else None
    # What git itself stores of a large file is a note with its hash, so its git hash is not that
    # of the content: a client that takes it for such must fail here too.
    stored = f"oid sha256:{large}\nsize {size}\n".encode() if large else file.read_bytes()
    return Entry(path=name, file=file, size=size, git_sha1=_git_sha1(stored), sha256=large)


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def json_reply(value: object, status: int = 200) -> Reply:
    """A reply in JSON."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(status=status, headers=headers, body=json.dumps(value).encode())


def error_reply(status: int, code: str, text: str) -> Reply:
    """The hub's way to refuse: a status, a code in a header, and a text."""
    reply = json_reply({"error": text}, status)
    return replace(reply, headers={**reply.headers, "X-Error-Code": code, "X-Error-Message": text})
