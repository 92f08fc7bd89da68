"""The parts by themselves: times of packets and frames, stretches, edges, places, swaps."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("av", reason='pip install "unitalk[video]"')

import av
from video_files import FACE, Form, cut_out, make_video

from unitalk.dataset.crop import video_job
from unitalk.dataset.crop.crop_options import CropOptions
from unitalk.dataset.crop.wanted_faces import Wanted
from unitalk.errors import DiskError
from unitalk.media import sound
from unitalk.media.decode import Reader, edges
from unitalk.media.timeline import Timeline, of_frames, of_packets

KEY, OTHER = True, False


# ------------------------------------------------------------------------------ times


def test_packets_come_in_the_order_of_decoding_and_are_shown_in_another():
    """A key frame, one that is predicted from it, and one between both: 0, 80, 40 ms."""
    seen = [(0, 40, KEY), (80, 40, OTHER), (40, 40, OTHER), (120, 40, KEY)]
    line = of_packets(seen, 0.001, 25.0)
    assert line is not None
    assert line.pts.tolist() == [0, 40, 80, 120]
    assert line.keys.tolist() == [0, 120]
    assert (line.constant, line.counted, line.end) == (True, False, pytest.approx(0.16))


def test_what_is_before_the_first_key_frame_is_not_shown():
    """A stream that was cut: two frames that need one which is not there."""
    seen = [(0, 40, OTHER), (120, 40, KEY), (80, 40, OTHER), (160, 40, OTHER)]
    line = of_packets(seen, 0.001, 25.0)
    assert line is not None
    assert line.pts.tolist() == [120, 160]
    assert line.start == pytest.approx(0.12)
    assert line.frames_at(np.array([0.0, 0.04, 0.08])).tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    "seen",
    [
        [(0, 40, KEY), (None, 40, OTHER)],  # one does not say when
        [(0, 40, OTHER), (40, 40, OTHER)],  # nothing to begin with
        [(0, 40, KEY), (0, 40, OTHER)],  # two fields of one frame, each a packet
        [],
    ],
)
def test_packets_that_do_not_tell(seen):
    assert of_packets(seen, 0.001, 25.0) is None


def test_frames_that_do_not_tell_are_counted():
    for seen in ([(None, 0, KEY)] * 3, [(0, 1, KEY), (80, 1, OTHER), (40, 1, OTHER)]):
        line = of_frames(seen, 0.001, 25.0)
        assert line is not None
        assert (line.counted, line.constant, line.start) == (True, True, 0.0)
        assert line.frames_at(np.array([0.0, 0.08, 0.12])).tolist() == [0, 2, -1]
    assert of_frames([], 0.001, 25.0) is None


@pytest.mark.parametrize(("late", "constant"), [(0, True), (9, True), (11, False), (39, False)])
def test_how_far_a_frame_may_be_from_its_place(late, constant):
    """A quarter of 40 ms is 10."""
    pts = [0, 40, 80 + late, 120 + late, 160 + late]
    line = of_packets([(one, 40, KEY) for one in pts], 0.001, 25.0)
    assert line is not None
    assert line.constant == constant


def test_a_wrong_average_rate_is_no_constant_one():
    """26 a second is said and 25 come: after 7 frames the count is a quarter of a frame off."""
    line = of_packets([(n * 40, 40, KEY) for n in range(50)], 0.001, 26.0)
    assert line is not None
    assert not line.constant
    assert line.frames_at(np.arange(50) * 0.04).tolist() == list(range(50))


# ------------------------------------------------------------------------------ stretches


def stretches(wanted: list[int], keys: list[int], *, skip: bool = True):
    line = Timeline(
        pts=np.arange(0, 100_000, 40), keys=np.array(keys), tick=0.001, rate=25.0, constant=True,
        counted=False, end=100.0,
    )  # fmt: skip
    return Reader("none", 0, line, threads=1, skip=skip).stretches(np.array(wanted, np.int64))


def test_where_decoding_begins_and_ends():
    """Key frames every 5 s; one more than needed is decoded before each stretch."""
    keys = list(range(0, 100_000, 5000))
    assert stretches([0, 400, 4000], keys) == [(None, 4000)]
    assert stretches([12_000, 12_040], keys) == [(5000, 12_040)]
    assert stretches([40, 31_000, 31_040, 90_000], keys) == [
        (None, 40), (25_000, 31_040), (85_000, 90_000),
    ]  # fmt: skip
    assert stretches([40, 12_000], keys) == [(None, 40), (5000, 12_000)]
    assert stretches([3400, 12_000], keys) == [(None, 12_000)]  # less than 2 s would be left out
    assert stretches([40, 90_000], keys, skip=False) == [(None, 90_000)]
    assert stretches([40, 90_000], []) == [(None, 90_000)]
    assert stretches([], keys) == []


# ------------------------------------------------------------------------------ edges


@given(
    st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4),
    st.integers(2, 4000),
    st.integers(2, 4000),
)
def test_edges_within_the_frame_are_those_of_the_original(box, width, height):
    """For every box whose edges are in order, as Python's own `int` cuts them."""
    left, right = sorted((box[0], box[2]))
    top, bottom = sorted((box[1], box[3]))
    wanted = [int(left * width), int(top * height), int(right * width), int(bottom * height)]
    assert edges(np.array([[left, top, right, bottom]]), width, height).tolist() == [wanted]


# ------------------------------------------------------------------------------ sound


def frame(samples: np.ndarray, at: float | None, rate: int = 16000):
    made = av.AudioFrame.from_ndarray(samples[None].astype(np.int16), "s16", "mono")
    made.sample_rate = rate
    made.time_base = Fraction(1, rate)
    made.pts = None if at is None else round(at * rate)
    return made


def placed(*frames, start: float = 0.0) -> np.ndarray:
    scratch = io.BytesIO()
    track = sound.PlacedSound(av, scratch)
    for one in frames:
        track.put(one, start)
    track.flush()
    assert len(scratch.getvalue()) == 2 * track.length
    return np.frombuffer(scratch.getvalue(), "<i2")


def test_frames_with_a_gap_or_an_overlap():
    one, two = np.full(800, 5), np.full(800, 7)  # 50 ms each
    apart = placed(frame(one, 0), frame(two, 0.1))
    assert apart.tolist() == [5] * 800 + [0] * 800 + [7] * 800
    over = placed(frame(one, 0), frame(two, 0.025))
    assert over.tolist() == [5] * 800 + [7] * 400
    assert placed(frame(one, 0), frame(two, 0.0)).tolist() == [5] * 800


def test_frames_before_the_first_picture():
    one = np.arange(1600)
    assert placed(frame(one, 1.0), start=1.05).tolist() == list(range(800, 1600))
    assert placed(frame(one, 1.0), start=0.95).tolist() == [0] * 800 + list(range(1600))
    assert placed(frame(one, 1.0), start=1.2).tolist() == []


def test_a_form_that_changes():
    """From 16 kHz to 8: twice the samples come out."""
    made = placed(frame(np.full(800, 100), 0), frame(np.full(400, 100), 0.05, 8000))
    assert len(made) == 1600
    assert (np.abs(made[850:1550] - 100) < 5).all()


def test_drift_is_put_right():
    """Sound that comes a thousandth too seldom: after 20 ms of it the rest is moved."""
    frames = [frame(np.full(160, 9), n * 0.01002) for n in range(3000)]
    made = placed(*frames)
    assert abs(len(made) - 3000 * 0.01002 * 16000) <= 0.02 * 16000


# ------------------------------------------------------------------------------ places on the disk


def one_face(video: str = "a") -> Wanted:
    return Wanted(
        "val", video, (f"{video}:0",), np.array([0, 1]), np.array([0.2]), np.array([FACE])
    )


def test_a_disk_that_is_full_ends_the_run_and_leaves_no_half(tmp_path, monkeypatch):
    path = make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))

    def full(*_: object):
        raise OSError(28, "No space left on device", str(tmp_path / "made"))

    monkeypatch.setattr(sound, "write_wav", full)
    (tmp_path / "made").mkdir()
    with pytest.raises(DiskError, match="No space left on device"):
        video_job.cut_video(
            video_job.Job(str(tmp_path / "made"), str(path), one_face(), CropOptions(), 1)
        )
    assert [path for path in (tmp_path / "made").rglob("*") if path.is_file()] == []


def test_ctrl_c_in_this_process_leaves_no_half(tmp_path, monkeypatch):
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))

    def interrupt(*_: object, **__: object):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sound, "read_sound", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cut_out(tmp_path, [("a", 0.2, FACE, "a:0")])
    assert not (tmp_path / "made/.unitalk/staging").exists()
    assert not list((tmp_path / "made").rglob("*.jpg"))
    assert cut_out(tmp_path, [("a", 0.2, FACE, "a:0")]).written == 1
