"""`faults_of_part`: one part of one video, judged by its csv and by the ends of its files."""

from __future__ import annotations

import builtins
import shutil

import pytest
from build import write_csv
from verify_data import VIDEO, A, B, Data, copy_of

from unitalk import schema
from unitalk.dataset.verify import faults_of_part
from unitalk.layout import Layout


@pytest.fixture
def data(sample, tmp_path) -> Data:
    return copy_of(sample, tmp_path / "dataset")


def faults(data, part, video=A, split="val") -> list[str]:
    """As the download asks: with the rows of the video's own csv, which has no header."""
    rows = [row for row in data.rows(split) if row[VIDEO] == video]
    path = write_csv(data.root / "csv" / split / f"{video}.csv", rows, header=None)
    faces = schema.load(path, "groundtruth", columns=(schema.VIDEO, schema.TIME, schema.ENTITY))
    return faults_of_part(Layout(data.root), part, split, video, faces)


@pytest.mark.parametrize("part", ["audio", "video"])
@pytest.mark.parametrize(("video", "split"), [(A, "val"), (B, "val"), ("h7yBkFhjVtE", "train")])
def test_a_whole_part_has_none(data, part, video, split):
    assert faults(data, part, video, split) == []


def test_the_other_part_and_the_other_videos_are_not_looked_at(data):
    shutil.rmtree(data.root / "clips_audios")
    shutil.rmtree(data.root / "clips_videos/val" / B)
    assert faults(data, "video") == []


JPG = f"clips_videos/val/{A}/{A}:0/12.40.jpg"
WAV = f"clips_audios/val/{A}/{A}:0.wav"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda old: b"", "jpg-empty"),
        (lambda old: old[:-1], "jpg-truncated"),
        (lambda old: old[:1], "jpg-unreadable"),
        (lambda old: b"x" + old, "jpg-unreadable"),
        (lambda old: old + b"\0", "jpg-truncated"),
    ],
)
def test_a_jpg_that_is_empty_or_cut(data, change, kind):
    data.put(data.root / JPG, change((data.root / JPG).read_bytes()))
    assert faults(data, "video") == [f"{kind}: {JPG}"]
    assert faults(data, "audio") == []


def test_nothing_between_the_ends_is_looked_at(data):
    """It is for adopting 100 GB: two bytes at each end, whatever lies between."""
    data.put(data.root / JPG, b"\xff\xd8 this is no picture \xff\xd9")
    assert faults(data, "video") == []


def test_of_a_wav_the_header_alone_is_read(data, monkeypatch):
    read = []
    real = builtins.open

    def spy(path, *args, **kwargs):
        file = real(path, *args, **kwargs)
        if str(path).endswith(".wav"):
            inner = file.read
            file = _Spied(file, lambda size: read.append(size) or inner(size))
        return file

    class _Spied:
        def __init__(self, file, read):
            self._file, self.read = file, read

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def __getattr__(self, name):
            return getattr(self._file, name)

    monkeypatch.setattr(builtins, "open", spy)
    assert faults(data, "audio") == []
    assert read
    assert sum(read) < 200 * 2  # two wavs of 80,000 bytes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda old: b"", "wav-unreadable, the file is empty"),
        (lambda old: old[:20], "wav-unreadable, it ends within its header"),
        (lambda old: old[:-2], "wav-truncated, 78,078 of 78,080 bytes of samples are there"),
        (lambda old: b"x" + old, "wav-unreadable, it does not begin as a wav"),
    ],
)
def test_a_wav_that_is_cut(data, change, says):
    """61 faces at 640 samples of two bytes are 78,080."""
    data.put(data.root / WAV, change((data.root / WAV).read_bytes()))
    assert faults(data, "audio") == [f"{says}: {WAV}"]
    assert faults(data, "video") == []


def test_missing_and_extra_files(data):
    (data.root / JPG).unlink()
    (data.track(f"{A}:0") / "99.00.jpg").write_bytes(b"")
    shutil.copytree(data.track(f"{A}:0"), data.track(f"{A}:8"))
    found = faults(data, "video")
    assert [line.partition(":")[0] for line in found] == [
        "missing-jpg", "extra-jpg", "extra-track",
    ]  # fmt: skip
    assert JPG in found[0]
    shutil.rmtree(data.track(f"{A}:8"))
    shutil.rmtree(data.track(f"{A}:1"))
    assert any(line.startswith("missing-track: ") for line in faults(data, "video"))
    data.wav(f"{A}:1").rename(data.wav(f"{A}:3"))
    found = faults(data, "audio")
    assert [line.partition(":")[0] for line in found] == ["missing-wav", "extra-wav"]


@pytest.mark.parametrize(("part", "folder"), [("video", "clips_videos"), ("audio", "clips_audios")])
def test_a_part_that_is_not_there(data, part, folder):
    shutil.rmtree(data.root / folder / "val" / A)
    (line,) = faults(data, part)
    assert line == f"missing-video: {folder}/val/{A}: 100 faces"


def test_what_macos_leaves_is_no_reason_to_fetch_again(data):
    (data.root / f"clips_videos/val/{A}/.DS_Store").touch()
    (data.root / f"clips_videos/val/{A}/{A}:0/._12.40.jpg").touch()
    (data.root / f"clips_audios/val/{A}/._{A}:0.wav").touch()
    assert faults(data, "video") == faults(data, "audio") == []


def test_what_another_program_left_is_one(data):
    (data.root / f"clips_videos/val/{A}/half.zip").touch()
    assert [line.partition(":")[0] for line in faults(data, "video")] == ["stray-file"]


def test_rows_of_another_video_do_not_make_it_whole(data):
    faces = schema.load(data.root / "csv/val_orig.csv", "groundtruth")
    found = faults_of_part(Layout(data.root), "video", "val", A, faces)
    assert found == [f"the csv has rows of the video {B}"]


def test_names_that_are_found_by_their_time_are_whole(data):
    folder = data.track(f"{A}:0")
    (folder / "12.40.jpg").rename(folder / "12.4.jpg")
    folder.rename(folder.with_name(f"{A}_0"))
    assert faults(data, "video") == []


@pytest.mark.parametrize("part", ["audio", "video"])
def test_a_file_that_may_not_be_read_is_a_fault(data, part, monkeypatch):
    path = data.root / (JPG if part == "video" else WAV)
    real = builtins.open

    def refuse(name, *args, **kwargs):
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", refuse)
    (line,) = faults(data, part)
    assert "unreadable, Permission denied" in line
