"""The sound of a track: when clicks are heard, how long it is, and what is not there."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import one_in
from real_data import GRID, needs

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import (
    FACE,
    Form,
    Voice,
    clicks,
    crop,
    cut_out,
    heard,
    make_streams,
    make_video,
    onsets,
)

from unitalk.dataset.crop.video_cutter import span

MPEG = {"codec": "mpeg2video", "options": ()}


def faces(video: str, first: int, count: int, track: str = "0", rate: float = 25.0):
    return [(video, round((first + n) / rate, 2), FACE, f"{video}:{track}") for n in range(count)]


SOUNDS = {
    "plain.mkv": Form(sound="pcm_s16le"),
    "cd.mkv": Form(sound="pcm_s16le", sound_rate=44100),
    "aac.mp4": Form(sound="aac", sound_rate=44100),
    "aac48.mkv": Form(sound="aac", sound_rate=48000),
    "mp3.mp4": Form(sound="mp3", sound_rate=44100),
    "mp2.mpg": Form(sound="mp2", sound_rate=44100, **MPEG),
    "opus.webm": Form(sound="libopus", sound_rate=48000, codec="libvpx", options=()),
    "moved.mkv": Form(sound="pcm_s16le", offset=0.52),
    "moved.mp4": Form(sound="aac", sound_rate=48000, offset=0.52),
}


@pytest.mark.parametrize("name", one_in(2, SOUNDS))
def test_clicks_are_heard_when_they_were_made(tmp_path, name):
    """Every 0.25 s from the first frame on; a codec smears a click by less than 2 ms."""
    path = make_video(tmp_path / "videos" / name, SOUNDS[name])
    video = path.stem
    report = cut_out(tmp_path, faces(video, 0, 30) + faces(video, 10, 14, "1"))
    assert report.sounds == 2
    assert report.whole
    whole = heard(tmp_path, video, f"{video}:0")
    assert len(whole) == 30 * 640
    assert onsets(whole) == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0], abs=0.002)
    later = heard(tmp_path, video, f"{video}:1")  # from 0.4 s on
    assert onsets(later) == pytest.approx([0.1, 0.35], abs=0.002)
    assert np.array_equal(later, whole[6400 : 6400 + 14 * 640])


def test_sound_of_the_wanted_form_keeps_its_samples(tmp_path):
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    cut_out(tmp_path, faces("a", 0, 30))
    assert np.array_equal(heard(tmp_path, "a", "a:0"), clicks(1.2, 16000))


@pytest.mark.parametrize(
    ("codec", "start"), [("pcm_s16le", 0.3), ("aac", -0.3), ("aac", 0.05), ("pcm_s16le", -0.05)]
)
def test_sound_that_begins_at_another_time_than_pictures(tmp_path, start, codec):
    """Later: so much silence before it; earlier: so much cut off its head."""
    rate = 16000 if codec == "pcm_s16le" else 48000
    form = Form(sound=codec, sound_rate=rate, sound_start=start, sound_seconds=1.6, offset=0.52)
    make_video(tmp_path / "videos/a.mkv", form)
    report = cut_out(tmp_path, faces("a", 0, 30))
    assert report.whole
    found = heard(tmp_path, "a", "a:0")
    assert len(found) == 30 * 640
    wanted = [start + n / 4 for n in range(7) if 0 <= start + n / 4 < 1.2]
    assert onsets(found) == pytest.approx(wanted, abs=0.002)
    if start > 0 and codec == "pcm_s16le":
        assert not found[: round(start * 16000)].any()


def test_a_gap_stays_a_gap(tmp_path):
    """No packets from 0.4 to 0.8 s: the clicks at 0.5 and 0.75 are gone, that at 1.0 is there."""
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le", silence=(0.4, 0.8)))
    cut_out(tmp_path, faces("a", 0, 30))
    found = heard(tmp_path, "a", "a:0")
    assert len(found) == 30 * 640
    assert onsets(found) == pytest.approx([0.0, 0.25, 1.0], abs=0.0005)


def test_sound_that_ends_early_is_silent_and_told(tmp_path):
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le", sound_seconds=0.6))
    report = cut_out(tmp_path, faces("a", 0, 15) + faces("a", 0, 30, "1"))
    [finding] = report.findings
    assert (finding.kind, finding.where, finding.count) == ("sound-short", "a:1", 1)
    found = heard(tmp_path, "a", "a:1")
    assert len(found) == 30 * 640
    assert not found[9600:].any()


def test_no_sound_is_told_and_there_is_no_wav(tmp_path):
    make_video(tmp_path / "videos/a.mp4", Form())
    report = cut_out(tmp_path, faces("a", 0, 5) + faces("a", 0, 5, "1"))
    [finding] = report.findings
    assert (finding.kind, finding.where, finding.count) == ("sound-missing", "a:0, a:1", 2)
    assert (report.crops, report.sounds) == (10, 0)
    assert not list(tmp_path.rglob("*.wav"))


# ------------------------------------------------------------------------------ channels


@pytest.mark.parametrize(
    ("channels", "left", "cancelled"),
    [(2, 0.02, True), (2, 0.15, True), (4, 0.05, True), (6, 0.05, True), (2, 0.25, False)],
)
def test_channels_that_cancel_each_other_out(tmp_path, channels, left, cancelled):
    """The first channel is the second one turned over, less a share.

    The mix of two has half of that share, and that of more has no more: it is lost up to 0.2.
    """
    voice = clicks(1.2, 16000)
    samples = np.zeros((channels, len(voice)), np.int16)
    samples[1], samples[0] = voice, -(voice * (1 - left)).astype(np.int16)
    make_streams(tmp_path / "videos/a.mkv", [Form()], [Voice(samples=samples)])
    report = cut_out(tmp_path, faces("a", 0, 30) + faces("a", 3, 9, "1"))
    found = [(one.kind, one.where, one.what.rpartition(": ")[2]) for one in report.findings]
    said = f"channel 2 of {channels}"
    assert found == ([("sound-cancelled", "a:0, a:1", said)] if cancelled else [])
    mix = voice if cancelled else (voice * left / 2).astype(np.int16)
    np.testing.assert_allclose(heard(tmp_path, "a", "a:0"), mix, atol=1)
    np.testing.assert_allclose(heard(tmp_path, "a", "a:1"), mix[1920 : 1920 + 9 * 640], atol=1)


def test_a_channel_alone_stays_where_it_is_heard(tmp_path):
    """The sound begins 0.3 s after the pictures: silence, and clicks 0.3 s later."""
    samples = np.stack([clicks(1.2, 16000), -clicks(1.2, 16000)])
    make_streams(tmp_path / "videos/a.mkv", [Form()], [Voice(samples=samples, start=0.3)])
    report = cut_out(tmp_path, faces("a", 0, 30))
    assert [one.kind for one in report.findings] == ["sound-cancelled"]
    assert onsets(heard(tmp_path, "a", "a:0")) == pytest.approx([0.3, 0.55, 0.8, 1.05], abs=0.001)


def test_a_silent_track_of_a_sound_that_is_not_silent(tmp_path):
    """Nothing from 0.3 to 1 s: the track within it is told, the others are not."""
    voice = np.full((1, 19200), 3000, np.int16)
    voice[:, 4800:16000] = 0
    make_streams(tmp_path / "videos/a.mkv", [Form()], [Voice(samples=voice)])
    report = cut_out(tmp_path, faces("a", 0, 30) + faces("a", 9, 15, "1") + faces("a", 2, 7, "2"))
    [finding] = report.findings
    assert (finding.kind, finding.where) == ("sound-silent", "a:1")


def test_a_silent_stream_is_noted(tmp_path):
    silent = [Voice(samples=np.zeros((2, 19200), np.int16))]
    make_streams(tmp_path / "videos/a.mkv", [Form()], silent)
    report = cut_out(tmp_path, faces("a", 0, 30))
    assert report.whole
    assert [note.kind for note in report.notes] == ["silent-stream"]


# ------------------------------------------------------------------------------ where it ends


def test_a_sound_ends_with_its_last_frame():
    """25 a second: 640 samples a face. 12.04 s to 12.12 s: 3 faces from sample 192,640 on."""
    assert span(12.04, 12.12, 25.0) == (192_640, 192_640 + 3 * 640)
    assert span(0.0, 0.0, 25.0) == (0, 640)
    # 29.97 a second: 16000 / 29.97 is 533.87, rounded with the begin of 0.03 s.
    assert span(0.03, 0.03, 30000 / 1001) == (480, 1014)
    # The original: int(1024.08 * 16000) is 16385279, one less than 1024.08 s are.
    assert span(1024.08, 1024.16, 25.0, compat=True) == (16_385_279, 16_386_560)
    assert span(1024.08, 1024.16, 25.0) == (16_385_280, 16_386_560 + 640)


def test_compat_cuts_as_the_original(tmp_path):
    """One sample of sound a face less, and none for a track of one face, which is told."""
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    report = cut_out(tmp_path, faces("a", 5, 10) + faces("a", 8, 1, "1"), compat=True)
    whole = clicks(1.2, 16000)
    assert np.array_equal(heard(tmp_path, "a", "a:0"), whole[int(0.2 * 16000) : int(0.56 * 16000)])
    assert len(heard(tmp_path, "a", "a:1")) == 0
    [finding] = report.findings
    assert (finding.kind, finding.where) == ("sound-empty", "a:1")
    assert report.sounds == 2


# ------------------------------------------------------------------------------ a real clip


@needs(GRID)
def test_a_real_clip_is_cut_in_step(tmp_path):
    """GRID swwp2s: MPEG-PS, 3 s at 25 a second; speech from 0.49 to 2.21 s by its alignment."""
    import cv2

    (tmp_path / "videos").symlink_to(GRID.parent)
    box = (118 / 360, 75 / 288, 246 / 360, 262 / 288)
    rows = [("swwp2s", round(n / 25, 2), box, "swwp2s:0") for n in range(75)]
    report = cut_out(tmp_path, rows)
    assert (report.crops, report.sounds, report.whole) == (75, 1, True)
    reader = cv2.VideoCapture(str(GRID))
    for _, seconds, _, track in rows:
        _, frame = reader.read()
        wanted = cv2.imencode(".jpg", frame[75:262, 118:246])[1].tobytes()
        assert crop(tmp_path, "swwp2s", track, seconds) == wanted
    sound = heard(tmp_path, "swwp2s", "swwp2s:0").astype(float)
    assert len(sound) == 75 * 640
    loud = np.sqrt((sound.reshape(75, 640) ** 2).mean(axis=1))
    speech = np.flatnonzero(loud > 0.1 * loud.max()) / 25
    assert speech[0] == pytest.approx(0.49, abs=0.1)
    assert speech[-1] == pytest.approx(2.21, abs=0.15)
