"""Small videos, made with PyAV: pictures whose every frame is another, sound with clicks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

FACE = (0.1, 0.1, 0.9, 0.9)
NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a video is made.

    Attributes:
        rate: frames a second.
        frames: how many.
        size: width and height.
        codec: of the pictures.
        pix_fmt: of the pictures.
        times: of each frame in seconds, where they do not come at the rate.
        sound: codec of the sound; None: there is none.
        sound_rate: samples a second.
        sound_start: when it begins, in seconds from the first frame.
        sound_seconds: how long it is; None: as the pictures.
        silence: of a stretch (from, to) of the sound there are no packets.
        offset: seconds that all times are moved by.
        options: of the pictures' encoder.
        rotation: in degrees, counter-clockwise, that the file tells players to turn frames by.
    """

    rate: Fraction | int = 25
    frames: int = 30
    size: tuple[int, int] = (160, 96)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    times: tuple[float, ...] | None = None
    sound: str | None = None
    sound_rate: int = 16000
    sound_start: float = 0.0
    sound_seconds: float | None = None
    silence: tuple[float, float] | None = None
    offset: float = 0.0
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"), ("g", "12"))
    rotation: int = 0


def picture(number: int, size: tuple[int, int]) -> np.ndarray:
    """A frame, [height, width, 3]: a moving texture, and the number as eight bars."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    shades = [
        127 + 120 * np.sin(x / (7 + part) + number / 3) * np.cos(y / (9 - part) - number / 5)
        for part in range(3)
    ]
    made = np.stack(shades, axis=2).astype(np.uint8)
    for bit in range(8):
        left, right = bit * width // 8, (bit + 1) * width // 8
        made[: height // 4, left:right] = 255 * (number >> bit & 1)
    return made


def number_in(image: np.ndarray) -> int:
    """Read the number of a whole frame backwards, out of its bars."""
    height, width = image.shape[:2]
    bars = [image[height // 8, (2 * bit + 1) * width // 16].mean() > 127 for bit in range(8)]
    return sum(1 << bit for bit, bar in enumerate(bars) if bar)


def clicks(seconds: float, rate: int) -> np.ndarray:
    """Sound with a click of 4 ms every 0.25 s, and nothing between, int16."""
    made = np.zeros(round(seconds * rate), np.int16)
    for number in range(int(seconds * 4 + 0.999)):
        start = round(number * rate / 4)
        made[start : start + rate // 250] = 20000
    return made


def make_video(path: Path, form: Form = Form()) -> Path:
    """Write a video; its container is that of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        _write_streams(container, form)
    return path


def _write_streams(container, form: Form) -> None:
    pictures = container.add_stream(form.codec, rate=form.rate, options=dict(form.options))
    pictures.width, pictures.height = form.size
    pictures.pix_fmt = form.pix_fmt
    pictures.codec_context.thread_count = 1
    tick = Fraction(1, 90000)
    pictures.codec_context.time_base = tick if form.times else 1 / Fraction(form.rate)
    if form.rotation:
        pictures.set_display_rotation(form.rotation)
    sound = None
    if form.sound:
        sound = container.add_stream(form.sound, rate=form.sound_rate)
        sound.layout = "mono"
    packets = list(_pictures(pictures, form, tick))
    if sound is not None:
        packets += _sound(sound, form)
    packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
    for packet in packets:
        moved = round(form.offset / packet.time_base)
        packet.pts += moved
        packet.dts += moved
        container.mux(packet)


def _pictures(stream, form: Form, tick: Fraction):
    for number in range(form.frames):
        frame = av.VideoFrame.from_ndarray(picture(number, form.size), "bgr24")
        frame = frame.reformat(format=form.pix_fmt)
        if form.times:
            frame.pts, frame.time_base = round(form.times[number] / tick), tick
        else:
            frame.pts, frame.time_base = number, 1 / Fraction(form.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(stream, form: Form):
    seconds = form.frames / float(form.rate) if form.sound_seconds is None else form.sound_seconds
    samples = clicks(seconds, form.sound_rate)
    first = round(form.sound_start * form.sound_rate)
    step = 160 if form.sound.startswith("pcm") else 1024
    made = []
    for place in range(0, len(samples), step):
        frame = av.AudioFrame.from_ndarray(samples[None, place : place + step], "s16", "mono")
        frame.sample_rate = form.sound_rate
        frame.pts, frame.time_base = first + place, Fraction(1, form.sound_rate)
        made += stream.encode(frame)
    made += stream.encode(None)
    if form.silence:
        since, to = form.silence
        made = [p for p in made if not since <= float(p.pts * p.time_base) < to]
    return made


LAYOUTS = {1: "mono", 2: "stereo", 4: "quad", 6: "5.1"}


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One stream of sound among several.

    Attributes:
        samples: [channels, samples] int16, at 16 kHz.
        language: three letters.
        default: whether players are told to take it.
        start: when it begins, in seconds.
    """

    samples: np.ndarray
    language: str | None = None
    default: bool = False
    start: float = 0.0


def make_streams(path: Path, pictures: list[Form], voices: list[Voice], *, cover: int = 0) -> Path:
    """Write a Matroska file with several streams, and a cover of so many pixels a side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    default = av.stream.Disposition.default
    with av.open(str(path), "w", format="matroska") as container:
        if cover:
            container.add_attachment("cover.jpg", "image/jpeg", _cover(cover))
        packets = []
        for form in pictures:
            stream = container.add_stream(form.codec, rate=form.rate, options=dict(form.options))
            stream.width, stream.height = form.size
            stream.pix_fmt = form.pix_fmt
            stream.codec_context.time_base = 1 / Fraction(form.rate)
            packets.append((_pictures, stream, form, None))
        for voice in voices:
            stream = container.add_stream("pcm_s16le", rate=16000)
            stream.layout = LAYOUTS[len(voice.samples)]
            stream.disposition = default if voice.default else av.stream.Disposition(0)
            if voice.language:
                stream.metadata["language"] = voice.language
            packets.append((_voice, stream, voice))
        made = [packet for write, *given in packets for packet in write(*given)]
        for packet in sorted(made, key=lambda packet: float(packet.dts * packet.time_base)):
            container.mux(packet)
    return path


def _cover(side: int) -> bytes:
    return cv2.imencode(".jpg", np.full((side, side, 3), 90, np.uint8))[1].tobytes()


def _voice(stream, voice: Voice):
    packed = np.ascontiguousarray(voice.samples.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, "s16", stream.layout.name)
    frame.sample_rate = 16000
    frame.pts, frame.time_base = round(voice.start * 16000), Fraction(1, 16000)
    yield from stream.encode(frame)
    yield from stream.encode(None)


class SeekingLoop:
    """The original's way (TalkNet, utils/tools.py): seek, read, cut, pack, row by row."""

    def __init__(self, path: Path) -> None:
        self._video = cv2.VideoCapture(str(path))

    def crop(self, seconds: float, box: tuple[float, ...]) -> bytes:
        """The bytes of the JPEG of one face."""
        self._video.set(cv2.CAP_PROP_POS_MSEC, seconds * 1e3)
        _, frame = self._video.read()
        height, width = np.size(frame, 0), np.size(frame, 1)
        x1, y1 = int(box[0] * width), int(box[1] * height)
        x2, y2 = int(box[2] * width), int(box[3] * height)
        return cv2.imencode(".jpg", frame[y1:y2, x1:x2, :])[1].tobytes()


def write_rows(path: Path, rows: list[tuple[str, float, tuple[float, ...], str]]) -> Path:
    """Write a csv of faces: video, seconds, box, track; each is labelled as not speaking."""
    lines = [
        ",".join([video, f"{seconds:.6f}".rstrip("0"), *map(repr, box), "NOT_SPEAKING", track,
                  "0", f"{track}:0"])
        for video, seconds, box, track in rows
    ]  # fmt: skip
    return write_lines(path, lines)


def write_lines(path: Path, lines: list[str]) -> Path:
    """Write rows of ten cells under the header."""
    from build import HEADER

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def cut_out(folder: Path, rows: list[tuple[str, float, tuple[float, ...], str]], **options: object):
    """Cut rows of a val split out of the videos of `folder/videos` into `folder/made`."""
    from unitalk.dataset.crop import CropOptions, cut_crops

    csv = write_rows(folder / "val_orig.csv", rows)
    names = {field.name for field in fields(CropOptions)}
    how = CropOptions(**{name: options.pop(name) for name in names & set(options)})
    return cut_crops(
        {"val": csv},
        folder / "made",
        video_dir=folder / "videos",
        source=csv,
        options=how,
        **options,
    )


def crop(folder: Path, video: str, track: str, seconds: float) -> bytes:
    """The bytes of a crop that `cut_out` made."""
    return (folder / f"made/clips_videos/val/{video}/{track}/{seconds:.2f}.jpg").read_bytes()


def heard(folder: Path, video: str, track: str) -> np.ndarray:
    """The samples of a sound that `cut_out` made, int16."""
    import wave

    with wave.open(str(folder / f"made/clips_audios/val/{video}/{track}.wav")) as sound:
        assert sound.getparams()[:3] == (1, 2, 16000)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2")


def onsets(samples: np.ndarray) -> list[float]:
    """When clicks begin, in seconds."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 4000)
    firsts = loud[np.append(True, np.diff(loud) > 800)] if len(loud) else loud
    return (firsts / 16000).tolist()
