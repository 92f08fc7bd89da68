"""What may be wrong with a video: each is told by its name, and everything else is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import FACE, Form, SeekingLoop, crop, cut_out, make_video

from unitalk.executor import Here, Processes
from unitalk.media import timeline


def faces(video: str, count: int = 10, track: str = "0"):
    return [(video, round(n / 25, 2), FACE, f"{video}:{track}") for n in range(count)]


def test_all_that_can_be_wrong_at_once(tmp_path):
    """Seven bad videos beside a good one: it is cut as if it were alone."""
    videos = tmp_path / "videos"
    good = make_video(videos / "good.mkv", Form(sound="pcm_s16le"))
    (videos / "empty.mp4").touch()
    (videos / "text.mp4").write_text("I am no video" * 100)
    data = make_video(videos / "cut.mp4", Form()).read_bytes()
    (videos / "cut.mp4").write_bytes(data[: len(data) // 2])  # its index is at the end
    only_sound(videos / "mute.mka")
    (videos / "mute.mka").rename(videos / "blind.mkv")
    unknown = make_video(videos / "odd.mp4", Form()).read_bytes()
    assert unknown.count(b"avc1") >= 1
    (videos / "odd.mp4").write_bytes(unknown.replace(b"avc1", b"zzz9").replace(b"avcC", b"zzzC"))
    names = ["good", "gone", "empty", "text", "cut", "blind", "odd"]
    rows = [row for name in names for row in faces(name)]
    kinds = {
        "gone": "video-missing", "empty": "video-empty", "text": "video-unreadable",
        "cut": "video-unreadable", "blind": "no-pictures", "odd": "codec-unknown",
    }  # fmt: skip
    for executor in (Here(), Processes(2)):
        report = cut_out(tmp_path, rows, executor=executor, overwrite=True)
        assert {one.video: one.kind for one in report.findings} == kinds
        assert (report.crops, report.sounds, report.videos_with_findings) == (10, 1, 6)
        assert not report.whole
        assert report.splits["val"] == {"videos": 7, "tracks": 7, "faces": 70}
        loop = SeekingLoop(good)
        for _, seconds, box, track in faces("good"):
            assert crop(tmp_path, "good", track, seconds) == loop.crop(seconds, box)
    assert sorted(p.name for p in (tmp_path / "made/clips_videos/val").iterdir()) == ["good"]


def only_sound(path: Path) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def test_rows_past_the_end(tmp_path):
    """30 frames at 25 a second last 1.2 s; a face at 1.19 s would be frame 30."""
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    times = [1.08, 1.12, 1.16, 1.19, 1.2, 7.0]
    report = cut_out(tmp_path, [("a", time, FACE, "a:0") for time in times])
    [finding] = [one for one in report.findings if one.kind == "past-end"]
    assert finding.count == 3
    assert finding.where == "a:0 at 1.19 s, a:0 at 1.20 s, a:0 at 7.00 s"
    assert finding.what.endswith("it ends at 1.20 s")
    assert report.crops == 3


def test_boxes_without_a_pixel(tmp_path):
    """160 x 96: 0.5 to 0.505 is from 80 to 80.8, no pixel; -0.3 to -0.1 is outside."""
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    boxes = [(0.5, 0.1, 0.505, 0.9), (-0.3, 0.1, -0.1, 0.9), (0.6, 0.9, 0.4, 0.1), FACE]
    rows = [("a", n / 25, box, "a:0") for n, box in enumerate(boxes)]
    report = cut_out(tmp_path, rows)
    [finding] = report.findings
    assert (finding.kind, finding.count) == ("crop-empty", 3)
    assert finding.where == "a:0 at 0.00 s, a:0 at 0.04 s, a:0 at 0.08 s"
    assert (report.crops, report.sounds) == (1, 1)


def test_boxes_in_pixels(tmp_path):
    """160 x 96: no crop is made of a row in pixels, not even of one that begins at the edge.

    An edge of 1.6 is what a box that leaves the frame may have.
    """
    make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    boxes = [(0, 0, 80, 48), (0.5, 0.25, 120.5, 90.25), (2, 1, 5, 3), (-0.2, 0.1, 1.6, 1.6), FACE]
    report = cut_out(tmp_path, [("a", n / 25, box, "a:0") for n, box in enumerate(boxes)])
    [finding] = report.findings
    assert (finding.kind, finding.count) == ("boxes-in-pixels", 3)
    assert finding.where == "a:0 at 0.00 s, a:0 at 0.04 s, a:0 at 0.08 s"
    assert "look like pixels" in finding.what
    assert (report.crops, report.sounds) == (2, 1)
    only = cut_out(
        tmp_path, [("a", n / 25, (3, 4, 50, 60), "a:0") for n in range(9)], overwrite=True
    )
    assert [(one.kind, one.count) for one in only.findings] == [("boxes-in-pixels", 9)]
    assert (only.crops, only.sounds) == (0, 0)


def test_a_video_that_was_cut_off(tmp_path):
    """Half of an mkv, whose index is not needed: what is there is cut, the rest is past its end."""
    path = make_video(tmp_path / "videos/a.mkv", Form(frames=60, sound="pcm_s16le"))
    whole = cut_out(tmp_path, faces("a", 60))
    assert whole.whole
    before = {n: crop(tmp_path, "a", "a:0", n / 25) for n in range(60)}
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = cut_out(tmp_path, faces("a", 60))
    kinds = {one.kind: one.count for one in report.findings}
    assert report.written == 1
    assert 10 < kinds["past-end"] < 50
    assert report.crops == 60 - kinds["past-end"] - kinds.get("frame-lost", 0)
    there = list((tmp_path / "made/clips_videos/val/a/a:0").iterdir())
    assert len(there) == report.crops
    assert sum(before[n] == crop(tmp_path, "a", "a:0", n / 25) for n in range(10)) == 10


def packets_of(path: Path) -> list[tuple[int, int]]:
    """Where each packet of pictures begins, and its size."""
    import av

    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


@pytest.mark.parametrize("executor", [Here(), Processes(1)])
def test_frames_that_cannot_be_decoded(tmp_path, executor):
    """Key frames only; the packets of frames 5 and 6 are overwritten: just these two are lost."""
    options = (("preset", "ultrafast"), ("g", "1"))
    path = make_video(tmp_path / "videos/a.mp4", Form(options=options))
    data = bytearray(path.read_bytes())
    for place, size in packets_of(path)[5:7]:
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    report = cut_out(tmp_path, faces("a", 30), executor=executor)
    found = {one.kind: one for one in report.findings if one.kind.startswith("frame")}
    assert sum(one.count for one in found.values()) == 2
    assert found["frame-lost"].where == "a:0 at 0.20 s, a:0 at 0.24 s"
    loop = SeekingLoop(make_video(tmp_path / "again.mp4", Form(options=options)))
    for _, seconds, box, track in faces("a", 30)[7:]:  # what comes after is where it was
        assert crop(tmp_path, "a", track, seconds) == loop.crop(seconds, box)


def test_damaged_frames_are_told_and_the_same_with_one_thread(tmp_path):
    """One byte in four of a predicted frame is another: the decoder makes up what is missing."""
    path = make_video(tmp_path / "videos/a.mkv", Form(frames=40, size=(320, 240)))
    data = bytearray(path.read_bytes())
    place = data.find(b"\x1f\x43\xb6\x75")  # Matroska's first cluster
    for n in range(place + (len(data) - place) // 3, place + (len(data) - place) // 2, 4):
        data[n] ^= 0x55
    path.write_bytes(data)
    made = {}
    for name, executor in (("threads", Here()), ("one", Processes(1))):
        report = cut_out(tmp_path, faces("a", 40), executor=executor, overwrite=True)
        folder = tmp_path / "made/clips_videos/val/a/a:0"
        made[name] = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert {one.kind for one in report.findings} & {"frame-lost", "frame-damaged", "past-end"}
        cut_out(tmp_path, faces("other", 1), overwrite=True)
    assert made["threads"] == made["one"]


def test_sound_that_cannot_be_decoded(tmp_path):
    path = make_video(tmp_path / "videos/a.mkv", Form(sound="pcm_s16le"))
    path.write_bytes(path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_ZZZ/INT/LIT"))
    report = cut_out(tmp_path, faces("a"))
    [finding] = report.findings
    assert (finding.kind, finding.where) == ("sound-unreadable", "a:0")
    assert (report.crops, report.sounds) == (10, 0)


def test_the_frame_rate_that_a_file_does_not_say(tmp_path, monkeypatch):
    """Then it is that of the usual step between its frames, which is 1/30 s."""
    import av

    path = make_video(tmp_path / "videos/a.mp4", Form(rate=30))
    monkeypatch.setattr(timeline, "average_rate", lambda stream: 0.0)
    report = cut_out(tmp_path, faces("a"))
    assert report.crops == 10
    [note] = report.notes
    assert (note.kind, note.what.rpartition(": ")[2]) == ("rate-unknown", "30.000 a second")
    with av.open(str(path)) as container:
        monkeypatch.undo()
        assert timeline.average_rate(container.streams.video[0]) == 30.0
