"""Face crops out of full videos: one decode a video beside a seek a row, and workers.

    python benchmarks/ava_prepare.py [--rows 300] [--full] [--seconds 90] [--videos 4] [--record]

The video is drawn here: 1280 x 720, 25 frames a second, H.264 (veryfast, 2 Mbit/s, a key frame
every 125 frames), a moving texture with noise, and a sine as sound. On it lie 65 tracks of 100
faces. The peer is a plain rendering of the original's loop (TalkNet, utils/tools.py,
extract_video_clips): of each track the video is opened, and for each row sought, read, cut, and
written, with OpenCV, which may have all processors. It is measured on some rows, evenly over all,
and their mean is taken for the others; `--full` measures all of them. Every crop that it made is
compared with ours, byte by byte. Ours also cuts the tracks' sounds, which the peer does not.

Then several such videos are cut by one worker and by two, a decoder thread each, and the time of
AVA's 160 train and validation videos of 15 minutes is what 40 hours of this video would take.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from _results import Result, add_option, compared, write

from unitalk.dataset.crop import cut_crops
from unitalk.executor import Executor, Here, Processes
from unitalk.schema import COLUMNS

SIZE = (1280, 720)
RATE = 25
TRACKS, FACES = 65, 100
AVA_HOURS = 40.0
SOUND_RATE = 44100

Row = tuple[str, float, tuple[float, ...]]


# ------------------------------------------------------------------------------ what is cut


def draw(path: Path, seconds: int) -> None:
    """Write the video."""
    width, height = SIZE
    random = np.random.default_rng(1)
    y, x = np.mgrid[0 : height + 512, 0 : width + 512].astype(np.float32)
    waves = [
        sum(np.sin(x * a + y * b) for a, b in random.uniform(0.002, 0.12, (6, 2))) for _ in range(3)
    ]
    texture = np.stack(waves, axis=2) * 20 + 128 + random.normal(0, 6, (*x.shape, 3))
    texture = np.clip(texture, 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "g": "125"}
        pictures = container.add_stream("libx264", rate=RATE, options=options)
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        pictures.bit_rate = 2_000_000
        sound = container.add_stream("aac", rate=SOUND_RATE)
        sound.layout = "mono"
        for number in range(seconds * RATE):
            left = int(256 + 250 * np.sin(number / 90))
            top = int(256 + 250 * np.cos(number / 70))
            piece = np.ascontiguousarray(texture[top : top + height, left : left + width])
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(piece, "bgr24")))
            if number % RATE == 0:
                container.mux(sound.encode(sine(number // RATE)))
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))


def sine(second: int) -> av.AudioFrame:
    """A second of 440 Hz."""
    times = (np.arange(SOUND_RATE) + second * SOUND_RATE) / SOUND_RATE
    wave = (np.sin(2 * np.pi * 440 * times) * 8000).astype(np.float32) / 32768
    frame = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
    frame.sample_rate = SOUND_RATE
    frame.pts, frame.time_base = second * SOUND_RATE, Fraction(1, SOUND_RATE)
    return frame


def rows_of(video: str, seconds: int) -> list[Row]:
    """65 tracks of 100 faces, evenly over the video, of 80 to 150 pixels."""
    random = np.random.default_rng(2)
    last = seconds * RATE - FACES
    found = []
    for track in range(TRACKS):
        start = track * last // (TRACKS - 1)
        left, top = random.uniform(0.05, 0.8, 2)
        wide, high = random.uniform(80, 150, 2) / SIZE
        for face in range(FACES):
            shift = 0.02 * np.sin(face / 20)
            box = (left + shift, top, left + shift + wide, min(top + high, 0.99))
            found.append((f"{video}:{track}", (start + face) / RATE, tuple(map(float, box))))
    return found


def write_csv(path: Path, videos: dict[str, list[Row]]) -> None:
    """Write rows as the dataset has them."""
    lines = [",".join(COLUMNS)]
    for video, rows in videos.items():
        for track, time_, box in rows:
            edges = ",".join(map(repr, box))
            lines.append(f"{video},{time_:.2f},{edges},NOT_SPEAKING,{track},0,{track}:0")
    path.write_text("\n".join(lines) + "\n")


# ------------------------------------------------------------------------------ the peer


def seek_a_row(path: Path, rows: list[Row], out: Path) -> float:
    """The original's loop; returns its seconds."""
    begin = time.perf_counter()
    video, owner = None, ""
    for track, seconds, box in rows:
        if track != owner:
            video, owner = cv2.VideoCapture(str(path)), track
            (out / track).mkdir(parents=True)
        assert video is not None
        video.set(cv2.CAP_PROP_POS_MSEC, round(seconds, 2) * 1e3)
        _, frame = video.read()
        height, width = np.size(frame, 0), np.size(frame, 1)
        x1, y1 = int(box[0] * width), int(box[1] * height)
        x2, y2 = int(box[2] * width), int(box[3] * height)
        cv2.imwrite(str(out / track / f"{seconds:.2f}.jpg"), frame[y1:y2, x1:x2, :])
    return time.perf_counter() - begin


# ------------------------------------------------------------------------------ ours


def ours(csv: Path, videos: Path, out: Path, executor: Executor) -> float:
    """Cut all rows; returns the seconds."""
    begin = time.perf_counter()
    report = cut_crops({"val": csv}, out, video_dir=videos, source=csv, executor=executor)
    seconds = time.perf_counter() - begin
    assert report.whole, report.findings
    return seconds


def compare(peer: Path, out: Path, video: str) -> tuple[int, int]:
    """How many of the peer's crops are ours in every byte, and how many there are."""
    paths = sorted(peer.rglob("*.jpg"))
    folder = out / "clips_videos/val" / video
    same = sum(
        path.read_bytes() == (folder / path.parent.name / path.name).read_bytes() for path in paths
    )
    return same, len(paths)


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300, help="of the peer's that are measured")
    parser.add_argument("--full", action="store_true", help="measure all of the peer's rows")
    parser.add_argument("--seconds", type=int, default=90, help="of a video")
    parser.add_argument("--videos", type=int, default=4, help="that workers share")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary one")
    add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        found = run(given, Path(scratch))
    if given.record:
        write(__file__, found)


def run(given: argparse.Namespace, scratch: Path) -> list[Result]:
    """Measure, print the tables, and return what was measured."""
    names = [f"video{number:06d}" for number in range(given.videos)]
    folders = {"one": scratch / "one", "all": scratch / "all"}
    for folder in folders.values():
        folder.mkdir()
    path = folders["one"] / f"{names[0]}.mp4"
    draw(path, given.seconds)
    for name in names:
        os.link(path, folders["all"] / f"{name}.mp4")
    rows = rows_of(names[0], given.seconds)
    write_csv(scratch / "one.csv", {names[0]: rows})
    write_csv(scratch / "all.csv", {name: rows_of(name, given.seconds) for name in names})
    for csv in ("one", "all"):
        (scratch / f"{csv}.csv").rename(scratch / f"{csv}_val.csv")
    frames = len({round(seconds * RATE) for _, seconds, _ in rows})
    print(
        f"{path.stat().st_size / 1e6:.1f} MB, {given.seconds * RATE:,} frames of "
        f"{SIZE[0]}x{SIZE[1]}; {len(rows):,} faces in {frames:,} frames; "
        f"{os.cpu_count()} processors; PyAV {av.__version__}, OpenCV {cv2.__version__}"
    )

    chosen = rows if given.full else rows[:: max(1, len(rows) // given.rows)]
    took = [ours(scratch / "one_val.csv", folders["one"], scratch / f"a{n}", Here())
            for n in range(3)]  # fmt: skip
    mine = min(took)
    sought = seek_a_row(path, chosen, scratch / "peer")
    whole = sought / len(chosen) * len(rows)
    same, count = compare(scratch / "peer", scratch / "a0", names[0])
    how = "measured in full" if given.full else f"of {len(chosen):,} rows, extrapolated"
    print(f"""
| one video, {len(rows):,} faces | seconds | ms a face |
|---|---|---|
| a seek a row ({how}) | {whole:.1f} | {whole / len(rows) * 1e3:.2f} |
| one decode, sounds included (best of 3) | {mine:.2f} | {mine / len(rows) * 1e3:.2f} |
| times faster | {whole / mine:.0f} | |

byte-identical crops: {same:,} of {count:,} compared""")

    seconds = {
        jobs: min(
            ours(scratch / "all_val.csv", folders["all"], scratch / f"w{jobs}-{n}", Processes(jobs))
            for n in range(2)
        )
        for jobs in (1, 2)
    }
    hours = given.videos * given.seconds / 3600
    print(f"""
| {given.videos} videos, workers | seconds | times faster | AVA's 160 videos, {AVA_HOURS:.0f} h |
|---|---|---|---|""")
    for jobs, took_ in seconds.items():
        ava = took_ / hours * AVA_HOURS / 3600
        print(f"| {jobs} | {took_:.1f} | {seconds[1] / took_:.2f} | {ava:.2f} h |")
    ava = whole / (given.seconds / 3600) * AVA_HOURS / 3600
    print(f"| a seek a row, alone | {whole * given.videos:.0f} | | {ava:.0f} h |")
    peer, one = "one seek per face", "one worker"
    extrapolated = None if given.full else f"{peer}: {len(chosen):,} faces, extrapolated"
    workers = {one: seconds[1], "two workers": seconds[2]}
    return [
        *compared(
            {"one decode, sounds included": mine, peer: whole}, "s", peers=[peer],
            on=f"{len(rows):,} faces of one video", note=extrapolated,
        ),
        *compared(workers, "s", peers=[one], on=f"{given.videos} videos"),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
