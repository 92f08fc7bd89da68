"""A hub that misbehaves: the loopback hub with faults, and the small data sets that it serves."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import socket
import struct
import threading
import wave
import zipfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from unitalk.hub import Hub, Patience
from unitalk.loopback import Call, LoopbackHub, Reply, error_reply

if TYPE_CHECKING:
    from pathlib import Path

TRAIN = "SFa5_upNcHM"  # the first of the published train list
VAL = ("qv3-HaaxGUc", "EEey6Pt0rqI")  # the first two of the published val list
DASH = "-ASZexdSdWE"  # a published train id that looks like an option
EXTRA = "zzExtraVid0"  # in no published list

QUICK = {"connect": 2.0, "read": 0.5, "backoff": 0.001, "tries": 5, "longest": 0.2}


@dataclass
class Fault:
    """What goes wrong with the requests whose path matches.

    Args:
        match: a regular expression, searched in "<role> <unquoted path>".
        times: how often; -1 is always.
        after: how many matching requests go well before.
    """

    match: str
    times: int = 1
    after: int = 0
    status: int | None = None
    code: str = ""
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int | None = None
    rst: int | None = None
    stall: int | None = None
    ignore_range: bool = False
    shift_range: int = 0
    gzip: bool = False
    damage: int | None = None
    too_much: bool = False
    unless_identity: bool = False

    def takes(self, call: Call) -> bool:
        from urllib.parse import unquote

        if not re.search(self.match, f"{call.role} {unquote(call.path)}"):
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


class FaultyHub(LoopbackHub):
    """The loopback hub, with a list of faults; each request takes the first that wants it."""

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
        self._taken: dict[int, Fault] = {}
        self._fault_lock = threading.Lock()

    def __exit__(self, *args: object) -> None:
        self.awake.set()
        super().__exit__(*args)

    def reply(self, call: Call) -> Reply:
        with self._fault_lock:
            fault = next((fault for fault in self.faults if fault.takes(call)), None)
            if fault is not None:
                self._taken[id(call)] = fault
        refused = self._refused(call) if call.role == "hub" else self._expired(call)
        if refused is not None:
            return refused
        if fault is None:
            return self._bent(call, super().reply(call))
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
        signature = call.query.get("Signature", [""])[0]
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
        reply = super().reply(call)
        headers = {**reply.headers, **fault.headers}
        content = reply.body
        if reply.file is not None:
            content = reply.file.read_bytes()[reply.start : reply.start + reply.length]
        if fault.body is not None:
            content = fault.body
        if fault.shift_range and reply.status == 206:
            start = reply.start - fault.shift_range
            content = reply.file.read_bytes()[start:]
            total = reply.file.stat().st_size
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if fault.damage is not None:
            at = fault.damage
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
        if fault.cut is not None:
            handler.wfile.write(reply.body[: fault.cut])
            return fault.cut
        if fault.stall is not None:
            handler.wfile.write(reply.body[: fault.stall])
            self.awake.wait(20)
            return fault.stall
        if fault.rst is not None:
            handler.wfile.write(reply.body[: fault.rst])
            # Let the client read what was sent; with this option, close() is a reset.
            threading.Event().wait(0.05)
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            # What is half closed cannot be reset: the server would do that first.
            handler.connection.close()
            raise ConnectionResetError
        # Without a length, only the connection's end tells where the body ends.
        handler.close_connection = "Content-Length" in fault.headers
        return super().write(call, reply, handler)


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


def faces(video: str, *, top: bool = True, size: int = 300) -> dict[str, bytes]:
    """The members of a video's archive of face crops; their bytes follow from the name."""
    prefix = f"{video}/" if top else ""
    names = [f"{prefix}{video}:0/{time}.jpg" for time in ("0.00", "0.04", "0.40")]
    return {name: random.Random(f"{video}{name[-8:]}").randbytes(size) for name in names}


def publish(
    folder: Path, split: str, video: str, *, top: bool = True, size: int = 300, litter: bool = False
) -> None:
    """Put the three files of a video into a folder that a hub serves."""
    prefix = f"{video}/" if top else ""
    crops = faces(video, top=top, size=size)
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
