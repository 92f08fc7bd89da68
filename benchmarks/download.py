"""Time and memory of `unitalk download` beside what people do without it.

    python benchmarks/download.py [--videos 24] [--megabytes 800] [--speed 10] [--latency 0.05]
        [--record]
    python benchmarks/download.py --large [--record]

A hub in a process of its own serves made-up videos (a csv, an archive of sounds, an archive of
crops each; the largest archive has eight times the bytes of the smallest) and holds each connection
to `--speed` MB/s; each answer comes `--latency` seconds after its question, and a new connection
takes as long again. Three programs get everything, whole processes with their start-up, and end
with the same unpacked tree, which is compared byte by byte with what was packed:

- `unitalk download`, which also compares sizes and hashes, and merges the csv files;
- `huggingface_hub.snapshot_download` (its defaults, Xet off), then `zipfile` for each archive;
- `wget -c` for one file after the other, then `zipfile` for each, as the original script does.

Memory is the most that a program and all processes that it starts have had at a time. Crops are
noise of which deflate can take off a little, as of a jpg. `--large` serves one archive of 2 GB with
60,000 crops instead, as fast as it goes, and asks for memory alone.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _results import add_option, compared, write

from unitalk.catalog import video_list

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from hub_server import HubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SPLIT = "train"
CROP = (25_000, 40_000)
FACES = 82
LIMIT_MB = 250

SNAPSHOT = """
import os, sys, zipfile
from pathlib import Path
from huggingface_hub import snapshot_download
root = Path(snapshot_download(sys.argv[1], repo_type="dataset", local_dir=sys.argv[2]))
for archive in sorted(root.glob("clips_*/*/*.zip")):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(archive.parent)
    archive.unlink()
"""

WGET = """
import subprocess, sys, zipfile
from pathlib import Path
base, root, wget = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
for video in sys.stdin.read().split():
    for part, end in (("csv", "csv"), ("clips_audios", "zip"), ("clips_videos", "zip")):
        file = root / part / "train" / f"{video}.{end}"
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*wget, str(file), f"{base}/{part}/train/{video}.{end}"], check=True)
        if end == "zip":
            with zipfile.ZipFile(file) as opened:
                opened.extractall(file.parent)
            file.unlink()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program to measure."""

    name: str
    root: Path
    command: list[str]
    verified: str
    stdin: str = ""


# ------------------------------------------------------------------------------ what is served


def make_videos(folder: Path, ids: list[str], total: int, *, stored: bool) -> dict[str, bytes]:
    """Write what the hub serves, and return the digest of each file that unpacking must give."""
    wanted: dict[str, bytes] = {}
    noise = random.Random(0)
    # 240 of 256 values: deflate takes off 1 %, about what it takes off a jpg.
    table = bytes(value % 240 for value in range(256))
    pool = [noise.randbytes(noise.randint(*CROP)).translate(table) for _ in range(200)]
    weights = [8 ** noise.random() for _ in ids]
    for video, weight in zip(ids, weights, strict=True):
        budget = int(total * weight / sum(weights))
        rows, crops, sounds, face = io.StringIO(), {}, {}, 0
        while budget > 0:
            entity, faces = f"{video}:{face // FACES}", 0
            while faces < FACES and budget > 0:
                seconds = f"{face / 25:.2f}"
                crops[f"{video}/{entity}/{seconds}.jpg"] = crop = noise.choice(pool)
                rows.write(
                    f"{video},{seconds},0.1,0.1,0.2,0.2,NOT_SPEAKING,{entity},0,{entity}:0\n"
                )
                budget -= len(crop)
                faces, face = faces + 1, face + 1
            sounds[f"{video}/{entity}.wav"] = _wav(faces)
            budget -= 1280 * faces
        files = {f"csv/{SPLIT}/{video}.csv": rows.getvalue().encode()}
        for name, content in files.items():
            _place(folder, name).write_bytes(content)
            wanted[name] = hashlib.sha256(content).digest()
        for part, members in (("clips_audios", sounds), ("clips_videos", crops)):
            kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            place = _place(folder, f"{part}/{SPLIT}/{video}.zip")
            with zipfile.ZipFile(place, "w", kind, compresslevel=1) as archive:
                for name, content in members.items():
                    archive.writestr(name, content)
                    wanted[f"{part}/{SPLIT}/{name}"] = hashlib.sha256(content).digest()
    return wanted


def _place(folder: Path, name: str) -> Path:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _wav(faces: int) -> bytes:
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(random.Random(faces).randbytes(1280 * faces))
    return out.getvalue()


def serve(folder: Path, speed: float, latency: float) -> None:
    """Serve until stdin ends; the first line of stdout says where."""
    held = int(speed * 1e6) or None
    with HubServer(folder, bytes_per_second=held, latency=latency) as hub:
        print(json.dumps([hub.endpoint, hub.commit]), flush=True)
        sys.stdin.read()
    used = os.times()
    print(
        f"the hub used {used.user + used.system:.1f} s of a processor", file=sys.stderr, flush=True
    )


@contextlib.contextmanager
def serving(folder: Path, speed: float, latency: float) -> Iterator[str]:
    """A hub in a process of its own; yields its address."""
    command = [sys.executable, __file__, "--serve", str(folder)]
    command += ["--speed", str(speed), "--latency", str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield json.loads(process.stdout.readline())[0] if process.stdout else ""
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait()


# ------------------------------------------------------------------------------ who is measured


def peers(endpoint: str, folder: Path, ids: list[str], jobs: int | None) -> list[Peer]:
    """The programs, each with a folder of its own; those that are not installed are left out."""
    ours, theirs, plain = (folder / name for name in ("unitalk", "snapshot", "sequential"))
    own = [sys.executable, "-m", "unitalk", "-q", "download", "--save-path", str(ours)]
    own += ["--endpoint", endpoint, "--split", SPLIT, "--limit", str(len(ids))]
    own += [] if jobs is None else ["--jobs", str(jobs)]
    checks = "size, sha256 and git hash, each member's CRC, csv rows"
    found = [Peer(name="unitalk download", root=ours, command=own, verified=checks)]
    if importlib.util.find_spec("huggingface_hub"):
        command = [sys.executable, "-c", SNAPSHOT, video_list.REPOSITORY, str(theirs)]
        name, checks = "snapshot_download + zipfile", "size, each member's CRC"
        found.append(Peer(name=name, root=theirs, command=command, verified=checks))
    base = f"{endpoint}/datasets/{video_list.REPOSITORY}/resolve/main"
    getters = {"wget": ["wget", "-q", "-c", "-O"], "curl": ["curl", "-sSfL", "-C", "-", "-o"]}
    getter = next((name for name in getters if shutil.which(name)), None)
    if getter is not None:
        found.append(
            Peer(
                name=f"sequential {getter} + zipfile",
                root=plain,
                command=[sys.executable, "-c", WGET, base, str(plain), *getters[getter]],
                verified="each member's CRC",
                stdin="\n".join(ids),
            )
        )
    return found


def measure(peer: Peer, endpoint: str, home: Path) -> tuple[float, float]:
    """The seconds that a program takes, and the most MB that it and its children have."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": endpoint,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(Path(__file__).resolve().parents[1])),
    }
    os.sync()
    peak, done = [0], threading.Event()
    began = time.perf_counter()
    with subprocess.Popen(
        peer.command, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        watch = threading.Thread(target=_watch, args=(process.pid, peak, done))
        watch.start()
        if process.stdin:
            process.stdin.write(peer.stdin.encode())
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        done.set()
        watch.join()
    if process.returncode:
        raise SystemExit(f"{peer.name} failed: {process.returncode}")
    return seconds, max(peak[0], usage.ru_maxrss * 1024) / 1e6


def _watch(pid: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(0.05):
        peak[0] = max(peak[0], _memory(pid))


def _memory(pid: int) -> int:
    """The resident bytes of a process and of all below it; 0 for one that has ended."""
    total, process = 0, Path(f"/proc/{pid}")
    with contextlib.suppress(OSError):
        total += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for thread in (process / "task").iterdir():
            total += sum(map(_memory, map(int, (thread / "children").read_text().split())))
    return total


def compare(root: Path, wanted: dict[str, bytes], name: str) -> None:
    """Every file is there with its bytes, and nothing else but what the program keeps for itself.

    Raises:
        SystemExit: a file is missing, wrong or too many.
    """
    found = {}
    for path in root.rglob("*"):
        relative = path.relative_to(root).as_posix()
        if path.is_file() and not relative.startswith(".") and not relative.endswith("_orig.csv"):
            with path.open("rb") as file:
                found[relative] = hashlib.file_digest(file, "sha256").digest()
    if found != wanted:
        differ = [path for path in {*found, *wanted} if found.get(path) != wanted.get(path)]
        raise SystemExit(f"{name}: {len(differ)} files differ, such as {min(differ)}")


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Make, serve, measure, compare and print."""
    ids = [v.video_id for v in video_list.select(splits=(SPLIT,))][: arguments.videos]
    total = int(arguments.megabytes * 1e6)
    wanted = make_videos(folder / "served", ids, total, stored=arguments.stored)
    packed = sum(p.stat().st_size for p in (folder / "served").rglob("*") if p.is_file())
    print(
        f"{len(ids)} videos, {3 * len(ids)} files, {packed / 1e6:,.0f} MB, "
        f"{len(wanted):,} files unpacked; a connection: "
        f"{arguments.speed or 'any'} MB/s, {1000 * arguments.latency:.0f} ms"
    )
    best: dict[str, tuple[Peer, float, float]] = {}
    with serving(folder / "served", arguments.speed, arguments.latency) as endpoint:
        for number in range(arguments.repeat):
            # Kept to the end: ext4 makes files slowly for seconds after many were deleted.
            for peer in peers(endpoint, folder / f"got{number}", ids, arguments.jobs):
                if arguments.only and not any(word in peer.name for word in arguments.only):
                    continue
                seconds, memory = measure(peer, endpoint, folder)
                compare(peer.root, wanted, peer.name)
                _, least, most = best.get(peer.name, (peer, seconds, memory))
                best[peer.name] = (peer, min(seconds, least), max(memory, most))
    first = next(iter(best.values()))
    print(f"{'program':28}  {'seconds':>7}  {'MB/s':>5}  {'times':>6}  {'memory':>6}  verified")
    for peer, seconds, memory in best.values():
        print(
            f"{peer.name:28}  {seconds:7.1f}  {packed / 1e6 / seconds:5.0f}  "
            f"{seconds / first[1]:5.1f}x  {memory:6.0f}  {peer.verified}"
        )
    print("every result is byte for byte what was packed; times: as long as the first; memory: MB")
    if arguments.record:
        others = [name for name in best if not name.startswith("unitalk")]
        on = f"{len(ids)} video{'s' * (len(ids) > 1)}, {arguments.megabytes:,.0f} MB"
        found = compared({n: s for n, (_, s, _) in best.items()}, "s", peers=others, on=on)
        memories = {n: m for n, (_, _, m) in best.items()}
        write(__file__, found + compared(memories, "MB", peers=others, on=on))
    if arguments.large and first[2] > LIMIT_MB:
        raise SystemExit(f"{first[0].name} took more than {LIMIT_MB} MB")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--megabytes", type=float, default=800, help="packed, all together")
    parser.add_argument("--speed", type=float, default=10, help="MB/s a connection; 0: no limit")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--jobs", type=int, help="for unitalk; default: its own")
    parser.add_argument("--repeat", type=int, default=1, help="the least time, the most memory")
    parser.add_argument("--stored", action="store_true", help="archives that are not deflated")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="programs with such a name")
    parser.add_argument("--large", action="store_true", help="one archive of 2 GB, memory alone")
    add_option(parser)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.speed, arguments.latency)
        return
    if arguments.large:
        arguments.videos, arguments.megabytes, arguments.speed = 1, 2000, 0
        arguments.only = ["unitalk"]
    with tempfile.TemporaryDirectory() as folder:
        run(arguments, Path(folder))


if __name__ == "__main__":
    main()
