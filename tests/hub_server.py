"""Hubs for tests (one like the real hub, one with faults) and the small data sets they serve."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import wave
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from unitalk.net import Hub, Patience
from unitalk.net.loopback import Call, Handler, LoopbackHub, Reply, error_reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAIN = "SFa5_upNcHM"  # the first of the published train list
VAL = ("qv3-HaaxGUc", "EEey6Pt0rqI")  # the first two of the published val list
DASH = "-ASZexdSdWE"  # a published train id that looks like an option
EXTRA = "zzExtraVid0"  # in no published list

HEADER = (
    b"video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    b"label,entity_id,label_id,instance_id\n"
)
"""The first line of a joined csv."""
KILLER = Path(__file__).with_name("killer.py")

QUICK = {"connect": 2.0, "read": 0.5, "backoff": 0.001, "tries": 5, "longest": 0.2}


@dataclass(frozen=True, kw_only=True)
class Logged:
    """One request, and how many bytes of its answer's body were handed to the network."""

    role: str
    method: str
    path: str
    range: str | None
    had_authorization: bool
    status: int
    sent: int


class HubServer(LoopbackHub):
    """A hub like the real one: pages, redirects, a storage host of its own, a log, a slow line.

    Small files come by a redirect to the hub itself, archives by one to the storage host (another
    port, so another origin), which refuses whoever brings a token along.

    Args:
        folder: what to serve.
        page_size: how many files a page of the listing has.
        bytes_per_second: the speed of each connection for what files have; None is as it goes.
        latency: the seconds before each answer, and once more for each new connection.

    Attributes:
        storage: the address of the storage host, inside the block.
        log: the requests so far.
    """

    def __init__(
        self, folder: Path, *, page_size=1000, bytes_per_second=None, latency=0.0, **options
    ) -> None:
        super().__init__(folder, **options)
        self.page_size = page_size
        self.bytes_per_second = bytes_per_second
        self.latency = latency
        self.storage = ""
        self._log: list[Logged] = []
        self._log_lock = threading.Lock()

    def __enter__(self):
        super().__enter__()
        self.storage = self.start_server("cdn")
        return self

    @property
    def log(self) -> tuple[Logged, ...]:
        with self._log_lock:
            return tuple(self._log)

    def reply(self, call: Call) -> Reply:
        if call.role == "cdn":
            if "Authorization" in call.headers:
                return Reply(status=400, body=b"Only one auth mechanism allowed")
            name = call.path.lstrip("/")
            entry = next((e for e in self.entries.values() if name == e.sha256), None)
            return Reply(status=404) if entry is None else self.content(call, entry)
        cache = f"/api/resolve-cache/datasets/{self.repository}/{self.commit}/"
        entry = self.entries.get(unquote(call.path.removeprefix(cache)))
        if call.path.startswith(cache) and entry is not None:
            return self.content(call, entry)
        return super().reply(call)

    def tree(self, call: Call, path: str) -> Reply:
        start = int(parse_qs(urlsplit(call.target).query).get("cursor", ["0"])[0])
        entries = list(self.entries.values())
        following = start + self.page_size
        page = json_reply([entry.to_listing() for entry in entries[start:following]])
        if following >= len(entries):
            return page
        link = f'<{self.endpoint}{call.path}?recursive=true&cursor={following}>; rel="next"'
        return replace(page, headers={**page.headers, "Link": link})

    def resolve(self, call: Call, path: str) -> Reply:
        entry = self.entries.get(path)
        if entry is None:
            return super().resolve(call, path)
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

    def send(self, call: Call, reply: Reply, handler: Handler) -> int:
        known = getattr(handler, "known", False)  # each connection has a handler of its own
        handler.known = True
        time.sleep(self.latency if known else 2 * self.latency)
        length = len(reply.body) if reply.file is None else reply.length
        logged = Logged(
            role=call.role,
            method=call.method,
            path=call.path,
            range=call.headers.get("Range"),
            had_authorization="Authorization" in call.headers,
            status=reply.status,
            sent=0 if call.method == "HEAD" else length,
        )
        # Noted before anything goes out, so that whoever has the answer finds it in the log.
        with self._log_lock:
            place = len(self._log)
            self._log.append(logged)
        sent = super().send(call, reply, handler)
        with self._log_lock:
            self._log[place] = replace(logged, sent=sent)
        return sent

    def write(self, call: Call, reply: Reply, handler: Handler) -> int:
        if reply.file is None or self.bytes_per_second is None:
            return super().write(call, reply, handler)
        # A schedule for the connection: a late sleep is made up for, a pause of the client is not.
        free, sent = max(getattr(handler, "free", 0.0), time.monotonic()), 0
        with reply.file.open("rb") as source:
            while sent < reply.length:
                speed = self.bytes_per_second or 1 << 40  # it may change meanwhile
                piece = min(max(1, speed // 50), reply.length - sent)
                gone = handler.connection.sendfile(source, reply.start + sent, piece)
                if not gone:
                    break
                sent += gone
                handler.free = free = max(free + gone / speed, time.monotonic() - 0.1)
                time.sleep(max(0.0, free - time.monotonic()))
        return sent


@dataclass
class Fault:
    """What goes wrong with the requests whose path matches.

    Bytes are counted from where the body of the answer begins; where it has fewer, it is the last
    one that `cut`, `rst`, `stall` and `damage` mean, so that no fault goes without effect.

    Args:
        match: a regular expression, searched in "<role> <unquoted path>".
        query: another, searched in what follows the path.
        times: how often; -1 is always.
        after: how many matching requests go well before.
        status: answer this, with `code` and `said` as the hub says them.
        headers: these instead of the usual ones; an empty one takes a header away.
        body: these bytes instead of the right ones.
        cut: close the connection after so many bytes.
        rst: reset it after so many bytes, and `pause` seconds in which they can be read.
        stall: say nothing more after so many bytes, until the case is over.
        hold: take the request and say nothing at all.
        ignore_range: answer 200 and the whole, whatever was asked.
        shift_range: begin so many bytes before what was asked, and say so.
        wrong_total: name a total that is so many bytes too large.
        short_range: give one half of the range that was asked, and say so.
        gzip: compress the body.
        damage: change one byte; the size stays.
        too_much: one byte more than there is.
        html: a login page with 200: "page", or "padded" to the size of the right body.
        loop: redirect to the very same address.
        unless_identity: only for whoever does not ask for identity encoding.
    """

    match: str
    query: str = ""
    times: int = 1
    after: int = 0
    status: int | None = None
    code: str = ""
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int | None = None
    rst: int | None = None
    pause: float = 0.05
    stall: int | None = None
    hold: bool = False
    ignore_range: bool = False
    shift_range: int = 0
    wrong_total: int = 0
    short_range: bool = False
    gzip: bool = False
    damage: int | None = None
    too_much: bool = False
    html: str = ""
    loop: bool = False
    unless_identity: bool = False

    def takes(self, call: Call) -> bool:
        if not re.search(self.match, f"{call.role} {unquote(call.path)}"):
            return False
        if not re.search(self.query, call.target.partition("?")[2]):
            return False
        if self.unless_identity and call.headers.get("Accept-Encoding") == "identity":
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0:
            return False
        self.times -= 1
        return True


class FaultyHub(HubServer):
    """A hub with a list of faults; each request takes the first that wants it.

    Attributes:
        faults: those that are still to come, and those that are used up.
        heard: every request, noted before anything is done about it; also those that `hold` never
            answers, and that `log` so never has.
        token: the only one that a `private` repository takes.
        gated: nobody gets a file, whatever the token.
        moved_from: an older name of the repository, which redirects to the present one.
        next_link: the `Link` header of each page of the listing, instead of the right one.
        sizes: sizes that the listing tells instead of the right ones, by path.
        signed_once: each address of the storage is good for one request.
    """

    def __init__(self, folder: Path, *, faults: tuple[Fault, ...] = (), **options) -> None:
        super().__init__(folder, **options)
        self.faults = list(faults)
        self.gated = False
        self.private = False
        self.token = "hf_good"
        self.moved_from: str | None = None
        self.next_link: str | None = None
        self.sizes: dict[str, int] = {}
        self.signed_once = False
        self.signatures: set[str] = set()
        self.awake = threading.Event()
        self.heard: list[Call] = []
        self._taken: dict[int, Fault] = {}
        self._fault_lock = threading.Lock()

    def __exit__(self, *args: object) -> None:
        self.awake.set()
        super().__exit__(*args)

    def renew(self, *faults: Fault) -> None:
        """Begin anew with other faults: nobody waits any more, and nothing is remembered."""
        self.awake.set()
        self.awake = threading.Event()
        with self._fault_lock:
            self.faults = list(faults)
            self.signatures.clear()
            self.sizes.clear()
            self.heard.clear()
        self.gated = self.private = self.signed_once = False
        self.moved_from = self.next_link = None

    def tokens_at_the_storage(self) -> list[str]:
        """Where a token was brought that nobody there may see."""
        with self._fault_lock:
            return [
                c.target for c in self.heard if c.role == "cdn" and "Authorization" in c.headers
            ]

    def reply(self, call: Call) -> Reply:
        with self._fault_lock:
            self.heard.append(call)
            fault = next((fault for fault in self.faults if fault.takes(call)), None)
            if fault is not None:
                self._taken[id(call)] = fault
        if fault is not None and fault.hold:
            self.awake.wait(20)
            raise ConnectionAbortedError
        refused = self._refused(call) if call.role == "hub" else self._expired(call)
        if refused is not None:
            return refused
        if fault is None:
            return self._bent(call, super().reply(call))
        if fault.loop:
            return Reply(status=302, headers={"Location": call.target}, body=b"Found")
        if fault.status is not None:
            reply = error_reply(fault.status, fault.code, fault.said)
            return replace(reply, headers={**reply.headers, **fault.headers})
        return self._broken(call, fault)

    def _bent(self, call: Call, reply: Reply) -> Reply:
        if "/tree/" in call.path and reply.status == 200:
            entries = json.loads(reply.body)
            for entry in entries:
                entry["size"] = self.sizes.get(entry["path"], entry["size"])
            headers = dict(reply.headers)
            if self.next_link is not None:
                headers["Link"] = self.next_link
            return replace(reply, body=json.dumps(entries).encode(), headers=headers)
        if self.signed_once and reply.status == 302:
            signature = f"{len(self.log)}-{threading.get_ident()}"
            self.signatures.add(signature)
            place = f"{reply.headers['Location']}&Signature={signature}"
            return replace(reply, headers={**reply.headers, "Location": place})
        return reply

    def _expired(self, call: Call) -> Reply | None:
        """With `signed_once`, an address is good for one request."""
        if not self.signed_once:
            return None
        signature = parse_qs(urlsplit(call.target).query).get("Signature", [""])[0]
        with self._fault_lock:
            good = signature in self.signatures
            self.signatures.discard(signature)
        expired = Reply(status=403, headers={"Content-Type": "application/xml"}, body=b"<Expired/>")
        return None if good else expired

    def _refused(self, call: Call) -> Reply | None:
        good = call.headers.get("Authorization") == f"Bearer {self.token}"
        if self.private and not good:
            if "Authorization" in call.headers:
                return error_reply(401, "", "Invalid credentials in Authorization header")
            return error_reply(401, "RepoNotFound", "Repository not found")
        if self.gated and "/resolve/" in call.path:
            status = 403 if "Authorization" in call.headers else 401
            return error_reply(status, "GatedRepo", "Access to this dataset is restricted.")
        if self.moved_from is not None and self.moved_from in call.path:
            place = call.target.replace(self.moved_from, self.repository)
            return Reply(status=307, headers={"Location": place}, body=b"Moved")
        return None

    def _broken(self, call: Call, fault: Fault) -> Reply:
        if fault.ignore_range:
            del call.headers["Range"]
        reply = self._bent(call, super().reply(call))
        headers = dict(reply.headers)
        content = reply.body
        if reply.file is not None:
            content = reply.file.read_bytes()[reply.start : reply.start + reply.length]
        if reply.status == 206:
            content, headers = _bent_range(reply, fault, content, headers)
        headers |= fault.headers
        if fault.body is not None:
            content = fault.body
        if fault.html:
            content = _login_page(len(content) if fault.html == "padded" else 0)
            headers = {"Content-Type": "text/html; charset=utf-8"}
            reply = replace(reply, status=200)
        if fault.damage is not None and content:
            at = min(fault.damage, len(content) - 1)
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        if fault.gzip:
            content = gzip.compress(content)
            headers["Content-Encoding"] = "gzip"
        if fault.too_much:
            content += b"one byte too many"[:1]
        return replace(reply, headers=headers, body=content, file=None)

    def write(self, call: Call, reply: Reply, handler) -> int:
        with self._fault_lock:
            fault = self._taken.pop(id(call), None)
        if fault is None:
            return super().write(call, reply, handler)
        last = max(0, len(reply.body) - 1)
        if fault.cut is not None:
            handler.wfile.write(reply.body[: min(fault.cut, last)])
            return min(fault.cut, last)
        if fault.stall is not None:
            handler.wfile.write(reply.body[: min(fault.stall, last)])
            self.awake.wait(20)
            return min(fault.stall, last)
        if fault.rst is not None:
            handler.wfile.write(reply.body[: min(fault.rst, last)])
            # Let the client read what was sent; with this option, close() is a reset.
            threading.Event().wait(fault.pause)
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            # What is half closed cannot be reset: the server would do that first.
            handler.connection.close()
            return min(fault.rst, last)
        # Without a length, only the connection's end tells where the body ends.
        handler.close_connection = "Content-Length" in fault.headers
        return super().write(call, reply, handler)


def _bent_range(
    reply: Reply, fault: Fault, content: bytes, headers: dict[str, str]
) -> tuple[bytes, dict[str, str]]:
    """Another piece than was asked for, or another name for the right one."""
    total = reply.file.stat().st_size
    start, end = reply.start, reply.start + reply.length
    if fault.shift_range:
        start = max(0, start - fault.shift_range)
    if fault.short_range:
        end = start + max(1, (end - start) // 2)
    if (start, end) != (reply.start, reply.start + reply.length):
        content = reply.file.read_bytes()[start:end]
    given = f"bytes {start}-{end - 1}/{total + fault.wrong_total}"
    return content, {**headers, "Content-Range": given}


def _login_page(size: int) -> bytes:
    page = b"<!doctype html><title>Sign in</title><p>Please sign in to this network."
    return page[:size].ljust(size, b"\n") if size else page


def quick(endpoint: str, repository: str = "plnguyen2908/UniTalk-ASD", **options) -> Hub:
    """A hub client that loses patience soon enough for a test."""
    patience = Patience(**{**QUICK, **options.pop("patience", {})})
    return Hub(endpoint, repository, patience=patience, **options)


# ------------------------------------------------------------------------------ data


def zip_of(members: dict[str, bytes], *, stored: bool = True) -> bytes:
    """An archive with these members, in this order, always the same bytes."""
    out = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return out.getvalue()


def sound(seed: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(random.Random(seed).randbytes(640))
    return out.getvalue()


def rows(video: str, times: tuple[str, ...] = ("0.00", "0.04", "0.40")) -> bytes:
    """A video's csv as it is published: ten columns, no header."""
    return b"".join(
        f"{video},{time},0.1,0.20,0.300,0.4,NOT_SPEAKING,{video}:0,0,{video}:0:0\n".encode()
        for time in times
    )


def faces(video: str, *, top: bool = True, size: int = 300, version: int = 0) -> dict[str, bytes]:
    """The members of a video's archive of face crops: the two marks of a jpg, and bytes between
    them that follow from the name."""
    prefix = f"{video}/" if top else ""
    return {
        f"{prefix}{video}:0/{time}.jpg": b"\xff\xd8"
        + random.Random(f"{video}{time}{version}").randbytes(size - 4)
        + b"\xff\xd9"
        for time in ("0.00", "0.04", "0.40")
    }


def publish(
    folder: Path,
    split: str,
    video: str,
    *,
    top: bool = True,
    size: int = 300,
    litter: bool = False,
    version: int = 0,
) -> None:
    """Put the three files of a video into a folder that a hub serves."""
    prefix = f"{video}/" if top else ""
    crops = faces(video, top=top, size=size, version=version)
    if litter:
        crops[f"__MACOSX/{video}/._0.00.jpg"] = b"litter"
        crops[f"{prefix}.DS_Store"] = b"litter"
    files = {
        f"csv/{split}/{video}.csv": rows(video),
        f"clips_audios/{split}/{video}.zip": zip_of({f"{prefix}{video}:0.wav": sound(len(video))}),
        f"clips_videos/{split}/{video}.zip": zip_of(crops),
    }
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def snapshot(root: Path, *, without: tuple[str, ...] = (".unitalk",)) -> dict[str, bytes]:
    """Every file below a folder and its bytes; folders without a file too, as `name/`."""
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in without:
            continue
        if path.is_file():
            found[name] = path.read_bytes()
        elif path.is_dir() and not any(path.iterdir()):
            found[name + "/"] = b""
    return found


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder for many small runs; in memory, where the system has such a place."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    with tempfile.TemporaryDirectory(dir=memory if usable else None) as folder:
        yield Path(folder).resolve()


# ------------------------------------------------------------------------------ what was asked


def unpacked(video: str, split: str, *, size: int = 300, version: int = 0) -> dict[str, bytes]:
    """What one video of `publish` becomes on the disk, by hand from what was published."""
    files = {
        f"csv/{split}/{video}.csv": rows(video),
        f"clips_audios/{split}/{video}/{video}:0.wav": sound(len(video)),
    }
    for name, content in faces(video, top=False, size=size, version=version).items():
        files[f"clips_videos/{split}/{video}/{name}"] = content
    return files


def final_name(path: str) -> str:
    """What a path of the hub becomes on the disk: an archive becomes a folder."""
    return path.removesuffix(".zip")


def held(root: Path, server: HubServer) -> dict[str, int]:
    """How many bytes of each served file a folder has: all, where the final name is there, else
    those of the partial file, which bears the file's hash in its name."""
    names = [path for path in root.glob(".unitalk/**/*") if path.is_file()]
    have = {}
    for path, entry in server.entries.items():
        proof = entry.sha256 or entry.git_sha1
        # A receipt's name is that of the file, so whatever bears the hash holds the bytes.
        parts = [name.stat().st_size for name in names if proof in name.name]
        have[path] = entry.size if (root / final_name(path)).exists() else max(parts, default=0)
    return have


def bodies(server: HubServer, since: int = 0) -> dict[str, list[Logged]]:
    """The requests for the bytes of each file that asked for them, in their order."""
    places = {
        f"/{entry.sha256}" if entry.sha256 else f"/{quote(path, safe='')}": path
        for path, entry in server.entries.items()
    }
    found: dict[str, list[Logged]] = {}
    for call in server.log[since:]:
        if call.role == "cdn" or "/resolve-cache/" in call.path:
            path = next((p for place, p in places.items() if call.path.endswith(place)), None)
            if path is not None:
                found.setdefault(path, []).append(call)
    return found


def fetched_twice(server: HubServer, since: int, before: dict[str, int]) -> list[str]:
    """Which files a run asked for bytes that the folder had before it; see `held`."""
    wrong = []
    for path, calls in bodies(server, since).items():
        have, size = before[path], server.entries[path].size
        wanted = f"bytes={have}-" if have else None
        if have >= size or calls[0].range != wanted:
            wrong.append(f"{path}: {have} of {size} were there, asked was {calls[0].range}")
    return wrong


# ------------------------------------------------------------------------------ deaths


def killed_download(server: HubServer, root: Path, moment: str, *options: str) -> None:
    """Run `unitalk download` and kill it right before a step on the disk; see `killer.py`."""
    line = ["download", "-q", "--jobs", "1", "--save-path", str(root), "--endpoint",
            server.endpoint, *options]  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(KILLER), "at", moment, str(root), *line],
        capture_output=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
