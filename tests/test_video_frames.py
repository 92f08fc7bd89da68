"""Which frame a time is, and its pixels: those of the original's seeking loop, byte for byte."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from conftest import one_in

pytest.importorskip("av", reason='pip install "unitalk[video]"')

import cv2
from video_files import (
    FILM,
    NTSC,
    Form,
    SeekingLoop,
    crop,
    cut_out,
    make_video,
    number_in,
    picture,
)

from unitalk.executor import Processes
from unitalk.media.decode import edges
from unitalk.media.timeline import Timeline, read_timeline

BOXES = [
    (0.1, 0.2, 0.5, 0.7),
    (0.333333, 0.015, 0.667, 0.98),
    (0.0, 0.0, 1.0, 1.0),
    (0.512345, 0.4, 0.61, 0.55),
]
B_FRAMES = (("preset", "fast"), ("g", "12"), ("bf", "3"))
CONSTANT = {
    "25.mp4": Form(),
    "25.mkv": Form(),
    "25.webm": Form(codec="libvpx", options=()),
    "29.mp4": Form(rate=NTSC),
    "29.mkv": Form(rate=NTSC),
    "23.mp4": Form(rate=FILM),
    "23.mkv": Form(rate=FILM),
    "30.mp4": Form(rate=30),
    "30.mkv": Form(rate=30),
    "23q.mp4": Form(rate=Fraction(93, 4)),
    "late.mp4": Form(offset=0.52),
    "late.mkv": Form(offset=0.52, rate=NTSC),
    "between.mp4": Form(options=B_FRAMES),
    "between.mkv": Form(options=B_FRAMES, rate=30),
    "odd.mkv": Form(size=(159, 95), codec="ffv1", options=()),
    "odd.mp4": Form(size=(161, 97), codec="mpeg4", options=()),
    "444.mp4": Form(pix_fmt="yuv444p", size=(161, 97)),
    "422.mkv": Form(pix_fmt="yuv422p"),
    "full.mp4": Form(pix_fmt="yuvj420p"),
    "ten.mp4": Form(pix_fmt="yuv420p10le"),
    "turned.mp4": Form(rotation=90),
    "upside.mp4": Form(rotation=180),
}


def rows_of(video: str, form: Form, extra: float = 0.0):
    """A face in every frame, at its time in two decimals, and some between two frames."""
    rate = float(form.rate)
    times = {round(n / rate + extra, 2) for n in range(form.frames - 1)}
    return [(video, time, BOXES[n % 4], f"{video}:{n % 3}") for n, time in enumerate(sorted(times))]


@pytest.mark.parametrize("name", one_in(4, CONSTANT))
def test_crops_are_those_of_the_seeking_loop(tmp_path, name):
    form = CONSTANT[name]
    path = make_video(tmp_path / "videos" / name, form)
    video = path.stem
    loop = SeekingLoop(path)
    for extra in (0.0, 0.02):  # at 25 a second the second is a tie for each frame
        rows = rows_of(video, form, extra)
        report = cut_out(tmp_path, rows, overwrite=True)
        assert (report.crops, report.sounds) == (len(rows), 0)
        assert {one.kind for one in report.findings} == {"sound-missing"}
        for _, seconds, box, track in rows:
            assert crop(tmp_path, video, track, seconds) == loop.crop(seconds, box)


def test_threads_and_processes_make_the_same(tmp_path):
    form = Form(options=B_FRAMES, frames=80)
    for name in ("a.mp4", "b.mkv"):
        make_video(tmp_path / "videos" / name, form)
    rows = rows_of("a", form) + rows_of("b", form)
    one = cut_out(tmp_path, rows)
    before = [crop(tmp_path, video, track, seconds) for video, seconds, _, track in rows]
    cut_out(tmp_path, rows[:1], overwrite=True)
    two = cut_out(tmp_path, rows, overwrite=True, executor=Processes(2))
    assert [crop(tmp_path, v, track, seconds) for v, seconds, _, track in rows] == before
    assert (one.written, two.written, two.crops) == (2, 2, len(rows))


def test_long_stretches_without_a_face_are_not_decoded(tmp_path, monkeypatch):
    """300 frames, key frames every 12, faces near the begin and from frame 200 on."""
    from unitalk.media import decode

    form = Form(frames=300, size=(64, 48), options=B_FRAMES)
    path = make_video(tmp_path / "videos/a.mp4", form)
    rows = [("a", n / 25, BOXES[2], "a:0") for n in (3, 4, 200, 201, 203, 290)]
    seen = []
    whole = decode.decoded
    monkeypatch.setattr(
        decode, "decoded", lambda *given: (seen.append(f) or f for f in whole(*given))
    )
    cut_out(tmp_path, rows)
    loop = SeekingLoop(path)
    # From 0 to 4; from the key frame before that of 200 to 203; of 290 likewise.
    assert 5 <= len(seen) < 5 + 30 + 30 + 10
    for _, seconds, box, track in rows:
        assert crop(tmp_path, "a", track, seconds) == loop.crop(seconds, box)


# ------------------------------------------------------------------------------ which frame


def timeline(pts: list[int], *, rate: float, tick: float = 0.001, constant: bool = True):
    return Timeline(
        pts=np.array(pts), keys=np.array([pts[0]]), tick=tick, rate=rate, constant=constant,
        counted=False, end=(pts[-1] - pts[0]) * tick + 1 / rate,
    )  # fmt: skip


def test_the_number_of_a_frame_is_that_of_the_seek_arithmetic():
    """By Python's own floats, time by time."""
    for rate in (25.0, 30000 / 1001, 24000 / 1001, 23.25, 30.0, 24.833):
        line = timeline(list(range(0, 400_000, 40)), rate=rate)
        seconds = np.array([n / 100 for n in range(20_000)] + [n * 0.04 + 0.02 for n in range(900)])
        wanted = [int(t * 1e3 / 1000.0 * rate + 0.5) for t in seconds.tolist()]
        assert line.frames_at(seconds).tolist() == wanted


def test_a_time_past_the_end_has_no_frame():
    line = timeline([0, 40, 80], rate=25.0)
    # The third frame lasts until 0.12 s; half a frame before, a seek comes to a fourth.
    assert line.frames_at(np.array([0.0, 0.08, 0.0999, 0.1, 5])).tolist() == [0, 2, 2, -1, -1]


def test_at_a_variable_rate_the_nearest_frame_is_taken():
    """Frames at 0, 0.04, 0.2 and 0.24 s; the last one lasts 0.08 s."""
    line = Timeline(
        pts=np.array([1000, 1040, 1200, 1240]), keys=np.array([1000]), tick=0.001, rate=12.5,
        constant=False, counted=False, end=0.32,
    )  # fmt: skip
    times = [0.0, 0.019, 0.021, 0.119, 0.12, 0.121, 0.22, 0.23, 0.31, 0.32]
    # 0.12 lies in the middle of 0.04 and 0.2, and 0.22 of 0.2 and 0.24: the later one.
    assert line.frames_at(np.array(times)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3, -1]


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_variable_rate_video_is_seen_and_handled(tmp_path, name):
    """The second ten frames last twice as long, by the numbers that the frames show."""
    steps = [0.04] * 10 + [0.08] * 10 + [0.04] * 9
    times = tuple(np.round(np.cumsum([0.0, *steps]), 2).tolist())
    path = make_video(tmp_path / "videos" / name, Form(times=times))
    line = read_timeline(str(path), 0, until=99, threads=1)
    assert not line.constant
    assert line.frames_at(np.array(times)).tolist() == list(range(30))
    rows = [("v", time, BOXES[2], "v:0") for time in times]
    report = cut_out(tmp_path, rows)
    [note] = report.notes
    assert (note.kind, note.video) == ("variable-rate", "v")
    for number, time in enumerate(times):
        image = cv2.imdecode(np.frombuffer(crop(tmp_path, "v", "v:0", time), np.uint8), 1)
        assert number_in(image) == number


def test_one_missing_frame_makes_a_rate_variable(tmp_path):
    """Frame 11 is not there: what is counted would be one frame off from then on."""
    times = tuple(round(n / 25, 2) for n in range(31) if n != 11)
    path = make_video(tmp_path / "videos/v.mp4", Form(times=times))
    line = read_timeline(str(path), 0, until=99, threads=1)
    assert not line.constant
    assert line.frames_at(np.array([0.4, 0.48, 1.2])).tolist() == [10, 11, 29]


@pytest.mark.parametrize("name", ["29.mkv", "late.mkv", "23q.mp4"])
def test_what_containers_round_is_a_constant_rate(tmp_path, name):
    path = make_video(tmp_path / name, CONSTANT[name])
    line = read_timeline(str(path), 0, until=99, threads=1)
    assert line.constant
    assert line.rate == pytest.approx(float(CONSTANT[name].rate), rel=1e-6)
    assert len(line.pts) == CONSTANT[name].frames


CONTAINERS = {
    "t.ts": (Form(), set()),
    "tb.ts": (Form(options=B_FRAMES), set()),
    "p.mpg": (Form(codec="mpeg2video", options=()), set()),
    "x.avi": (Form(codec="mpeg4", options=()), set()),
    "b.avi": (Form(options=B_FRAMES), {"times-unknown"}),
    "r.h264": (Form(), {"times-unknown"}),
    "f.flv": (Form(codec="flv1", options=()), set()),
}


@pytest.mark.parametrize("name", one_in(2, CONTAINERS))
def test_other_containers_give_the_frames_of_a_sequential_pass(tmp_path, name):
    """OpenCV cannot seek exactly in most of these; its own pass is what it is compared with."""
    form, notes = CONTAINERS[name]
    path = make_video(tmp_path / "videos" / name, form)
    video = path.stem
    rows = [(video, n / 25, BOXES[2], f"{video}:0") for n in range(form.frames)]
    report = cut_out(tmp_path, rows)
    assert {note.kind for note in report.notes} == notes
    assert report.crops == form.frames
    reader = cv2.VideoCapture(str(path))
    for _, seconds, _, track in rows:
        there, frame = reader.read()
        assert there
        assert crop(tmp_path, video, track, seconds) == cv2.imencode(".jpg", frame)[1].tobytes()


def test_turned_frames_come_upright(tmp_path):
    """A file that tells players to turn its frames by 90 degrees; 160 x 96 becomes 96 x 160."""
    make_video(tmp_path / "videos/r.mp4", Form(rotation=90, codec="libx264"))
    report = cut_out(tmp_path, [("r", 0.2, BOXES[2], "r:0")])
    [note] = report.notes
    assert (note.kind, note.what.rpartition(": ")[2]) == ("rotated", "by 90 degrees")
    image = cv2.imdecode(np.frombuffer(crop(tmp_path, "r", "r:0", 0.2), np.uint8), 1)
    assert image.shape == (160, 96, 3)
    drawn = np.rot90(picture(5, (160, 96)))
    assert np.abs(image.astype(int) - drawn).mean() < 20  # and not one of the other three turns
    for turns in (1, 2, 3):
        other = np.rot90(drawn, turns)
        if other.shape == image.shape:
            assert np.abs(image.astype(int) - other).mean() > 40


def test_more_than_eight_bits_are_noted(tmp_path):
    make_video(tmp_path / "videos/d.mp4", Form(pix_fmt="yuv420p10le"))
    report = cut_out(tmp_path, [("d", 0.2, BOXES[2], "d:0")])
    assert [note.kind for note in report.notes] == ["deep-colour"]
    assert report.crops == 1


def test_woven_frames_are_noted(tmp_path):
    options = (("flags", "+ildct+ilme"), ("top", "1"))
    make_video(tmp_path / "videos/i.mpg", Form(codec="mpeg2video", options=options))
    report = cut_out(tmp_path, [("i", 0.2, BOXES[2], "i:0")])
    assert [note.kind for note in report.notes] == ["interlaced"]


# ------------------------------------------------------------------------------ boxes


def test_boxes_that_leave_the_frame_are_cut_at_its_edge():
    """ASW has boxes from -0.08 to 1.14; the original would take a negative edge for one from the
    other side. int(-0.08 * 100) is -8, which is 0 here; int(1.14 * 100) is 113, which is 100."""
    boxes = np.array([[-0.08, -0.001, 0.5, 1.14], [1.01, 0.2, 1.2, 0.4], [-0.5, 0.2, -0.1, 0.4]])
    assert edges(boxes, 100, 100).tolist() == [
        [0, 0, 50, 100],
        [100, 20, 100, 40],
        [0, 20, 0, 40],
    ]


def test_a_margin_widens_boxes_within_the_frame():
    """A box of 20 by 40 pixels from (30, 10): 0.5 of it on each side is 10 and 20."""
    boxes = np.array([[0.3, 0.1, 0.5, 0.5]])
    assert edges(boxes, 100, 100, 0.5).tolist() == [[20, 0, 60, 70]]
    assert edges(boxes, 100, 100).tolist() == [[30, 10, 50, 50]]
