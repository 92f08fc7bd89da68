"""Files with several streams of pictures or of sound: which is taken, and what is said of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import FACE, Form, Voice, clicks, crop, cut_out, heard, make_streams, make_video

from unitalk.dataset.crop import CropOptions
from unitalk.errors import DestinationError, UsageError

SMALL = Form(size=(64, 48))
SILENT = np.zeros((2, 19200), np.int16)
CLICKS = np.stack([clicks(1.2, 16000)] * 2)
ROWS = [("a", n / 25, FACE, "a:0") for n in range(30)]


def said(report) -> dict[str, str]:
    """What is said of each kind after its words."""
    return {one.kind: one.what.rpartition(": ")[2] for one in (*report.findings, *report.notes)}


def test_the_stream_that_is_marked_is_taken_and_said(tmp_path):
    """A silent commentary first, and slides; players take what is marked as the default."""
    voices = [
        Voice(samples=SILENT[:1], language="ger"),
        Voice(samples=SILENT),
        Voice(samples=CLICKS, language="eng", default=True),
    ]
    make_streams(tmp_path / "videos/a.mkv", [SMALL, Form()], voices, cover=500)
    report = cut_out(tmp_path, ROWS)
    assert report.whole
    assert said(report) == {
        "several-video-streams": "took 1 of 2 (h264, 64x48)",
        "several-audio-streams": "took 3 of 3 (pcm_s16le, stereo, eng)",
    }
    np.testing.assert_array_equal(heard(tmp_path, "a", "a:0"), CLICKS[0])


def test_one_stream_of_each_and_a_cover_are_no_choice(tmp_path):
    make_streams(tmp_path / "videos/a.mkv", [Form()], [Voice(samples=CLICKS)], cover=500)
    report = cut_out(tmp_path, ROWS)
    assert (report.whole, report.notes, report.crops) == (True, (), 30)
    make_streams(tmp_path / "videos/a.mkv", [], [Voice(samples=CLICKS)], cover=500)
    assert list(said(cut_out(tmp_path, ROWS))) == ["no-pictures"]


def test_a_stream_is_chosen_by_its_number(tmp_path):
    voices = [Voice(samples=CLICKS // 2), Voice(samples=CLICKS, default=True)]
    make_streams(tmp_path / "videos/a.mkv", [SMALL, Form()], voices)
    for number, (width, loud) in enumerate([(64, 10000), (160, 20000)], 1):
        chosen = {"audio_stream": number, "video_stream": number}
        report = cut_out(tmp_path, ROWS, overwrite=True, **chosen)
        assert (report.whole, report.notes, report.written) == (True, (), 1)
        image = cv2.imdecode(np.frombuffer(crop(tmp_path, "a", "a:0", 0.4), np.uint8), 1)
        assert image.shape[1] == int(0.9 * width) - int(0.1 * width)
        assert heard(tmp_path, "a", "a:0").max() == loud
        assert cut_out(tmp_path, ROWS, **chosen).kept == 1
    with pytest.raises(
        DestinationError,
        match="audio stream was 2 and is not set; video",
    ):
        cut_out(tmp_path, ROWS)


def test_a_number_that_a_file_does_not_have(tmp_path):
    """No other stream is taken for it; what else was asked for is there."""
    make_streams(tmp_path / "videos/a.mkv", [Form()], [Voice(samples=CLICKS)] * 2)
    report = cut_out(tmp_path, ROWS, audio_stream=3)
    assert said(report) == {
        "no-such-stream": "it has 2 streams of sound, and number 3 was asked for"
    }
    assert (report.crops, report.sounds) == (30, 0)
    report = cut_out(tmp_path, ROWS, video_stream=2, overwrite=True)
    assert said(report) == {
        "no-such-stream": "it has 1 stream of pictures, and number 2 was asked for"
    }
    assert (report.crops, report.sounds) == (0, 0)
    with pytest.raises(UsageError):
        CropOptions(audio_stream=0)


def test_what_else_is_a_choice_is_noted(tmp_path):
    """Sound from 0.4 s before the first frame; times count from that frame, as OpenCV counts."""
    make_video(
        tmp_path / "videos/a.mkv",
        Form(sound="pcm_s16le", sound_start=-0.4, sound_seconds=1.6, offset=0.52),
    )
    assert said(cut_out(tmp_path, ROWS)) == {"pictures-begin-later": "0.40 s"}
