"""`verify_dataset(deep=True)`: one planted defect of a jpg or a wav a test; and the parts of it."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
import wave

import numpy as np
import pyarrow as pa
import pytest
from build import HEADER
from conftest import bound_by_permissions, exhaustive
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from verify_data import A, B, Data, copy_of, found, only

from unitalk.dataset.verify import deep_check, verify_dataset
from unitalk.dataset.verify.crop_sizes import contradicting, one_size
from unitalk.dataset.verify.media_check import look, sound_faults
from unitalk.layout import face_name
from unitalk.media import jpegs
from unitalk.schema import Faces
from unitalk.schema.face_names import FaceNames
from unitalk.schema.split_rows import SplitRows

JPG = f"clips_videos/val/{A}/{A}:0/12.40.jpg"
WAV = f"clips_audios/val/{A}/{A}:0.wav"


@pytest.fixture
def data(sample, tmp_path) -> Data:
    return copy_of(sample, tmp_path / "dataset")


def deep(data):
    return data.verify(deep=True, jobs=1)


def encoded(pixels, form="JPEG", **options) -> bytes:
    file = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(file, form, **options)
    return file.getvalue()


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def painted(size, colour) -> bytes:
    return encoded(Image.new("RGB", size, colour))


# ------------------------------------------------------------------------------ jpgs


def test_a_sound_dataset_is_sound_and_shallow_does_not_open_files(data):
    assert deep(data).ok
    data.put(data.root / JPG, b"")
    assert data.verify().ok


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def defects():
    def same_size(change):
        return lambda old: change(opened(old).size, old)

    return {
        "empty": ("jpg-empty", lambda old: b""),
        "cut in the middle": ("jpg-truncated", lambda old: old[: len(old) // 2]),
        "cut by two bytes": ("jpg-truncated", lambda old: old[:-2]),
        "zeros for its end": ("jpg-truncated", lambda old: old[:-99] + bytes(99)),
        "not a picture": ("jpg-unreadable", lambda old: b"<html>no such file</html>"),
        "a png": (
            "jpg-unreadable", same_size(lambda size, old: encoded(noise(*size), "PNG"))
        ),
        "no header": ("jpg-unreadable", lambda old: old[:2] + bytes(200) + old[202:]),
        "only both ends": ("jpg-unreadable", lambda old: old[:2] + old[-2:]),
        "black": ("jpg-black", same_size(lambda size, old: painted(size, (0, 0, 0)))),
        "nearly black": ("jpg-black", same_size(lambda size, old: painted(size, (5, 4, 6)))),
        "grey": ("jpg-constant", same_size(lambda size, old: painted(size, (128, 128, 128)))),
        "pink": ("jpg-constant", same_size(lambda size, old: painted(size, (250, 130, 140)))),
        "another size": ("crop-size", lambda old: encoded(noise(180, 240))),
        "turned": (
            "crop-size",
            lambda old: encoded(opened(old).rotate(90, expand=True)),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", defects())
def test_a_jpg_that_is_damaged(data, name):
    kind, change = defects()[name]
    data.put(data.root / JPG, change((data.root / JPG).read_bytes()))
    report = deep(data)
    only(report, kind, split="val", video_id=A, entity_id=f"{A}:0", seconds=12.4, path=JPG)
    assert f"(videos=({A!r},), parts=('video',), refetch=True)" in report.repairs[0]


def test_what_may_not_be_read_is_not_fetched_again(data):
    for path in (next(data.track(f"{A}:0").iterdir()), data.wav(f"{A}:0")):
        path.chmod(0)
        with bound_by_permissions():
            report = data.verify(deep=True, jobs=1)
        (finding,) = report.findings
        assert (finding.kind, finding.detail) == ("file-unreadable", "Permission denied")
        assert not report.repairs
        path.chmod(0o644)


def test_a_dark_crop_and_a_pale_one_are_no_black_and_no_constant_ones(data):
    """Noise of some 40 values, at either end; and one that is grey but for a corner."""
    size = opened((data.root / JPG).read_bytes()).size
    folder = (data.root / JPG).parent
    data.put(folder / "12.40.jpg", encoded(noise(*size) // 6, quality=95))
    data.put(folder / "12.44.jpg", encoded(255 - noise(*size) // 6, quality=95))
    corner = np.full((size[1], size[0], 3), 128, np.uint8)
    corner[:12, :12] = 30
    data.put(folder / "12.48.jpg", encoded(corner))
    assert found(deep(data)) == []


def test_a_crop_that_is_one_pixel_off_is_rounded_otherwise(data):
    """Three pixels and three percent are allowed."""
    picture = opened((data.root / JPG).read_bytes())
    size = picture.size
    data.put(data.root / JPG, encoded(picture.resize((size[0] + 1, size[1] - 2))))
    assert deep(data).ok


def test_crops_that_were_all_brought_to_one_size_are_a_note(data):
    for path in data.root.glob("clips_videos/*/*/*/*.jpg"):
        data.put(path, encoded(noise(24, 24)))
    report = deep(data)
    assert (report.ok, report.findings) == (True, ())
    assert len(report.notes) == 2
    assert "val were brought to 24 x 24 pixels" in report.notes[1]


def test_a_video_whose_crops_follow_no_frame_is_one_finding(data):
    rng = random.Random(0)
    for path in data.root.glob(f"clips_videos/val/{B}/*/*.jpg"):
        data.put(path, encoded(noise(rng.randrange(8, 200), rng.randrange(8, 200))))
    only(deep(data), "crop-size", video_id=B, faces=90, path=f"clips_videos/val/{B}")


def cut(box, frame) -> tuple[int, int]:
    """The size of a crop as the preprocessing of TalkNet and ASC cuts it."""
    left, top, right, bottom = box
    return (
        int(right * frame[0]) - int(left * frame[0]),
        int(bottom * frame[1]) - int(top * frame[1]),
    )


@settings(max_examples=50)
@given(
    st.integers(0, 10**6), st.sampled_from([(1280, 720), (640, 360), (1920, 1080), (854, 480)]),
    st.integers(3, 40), st.data(),
)  # fmt: skip
def test_the_crops_with_another_size_are_named_and_no_others(seed, frame, count, draw):
    """Random boxes cut from a frame; up to a third of the crops are made wider by a quarter."""
    rng = random.Random(seed)
    boxes = []
    for _ in range(count):
        across, down = rng.uniform(0.08, 0.3), rng.uniform(0.1, 0.4)
        left, top = rng.uniform(0, 1 - across), rng.uniform(0, 1 - down)
        boxes.append(tuple(round(edge, 6) for edge in (left, top, left + across, top + down)))
    wrong = draw.draw(st.sets(st.integers(0, count - 1), max_size=count // 3))
    sizes = [cut(box, frame) for box in boxes]
    sizes = [(round(w * 1.25) + 4, h) if i in wrong else (w, h) for i, (w, h) in enumerate(sizes)]
    places, (width, height) = contradicting(np.array(sizes), np.array(boxes))
    assert set(places.tolist()) == wrong
    assert abs(width - frame[0]) <= 0.02 * frame[0]
    assert abs(height - frame[1]) <= 0.02 * frame[1]


def test_a_box_that_leaves_the_frame_is_cut_at_its_edge_or_padded():
    """In a frame of 1000 x 500: 0.9 to 1.1 is 100 pixels of the frame, or 200 with padding."""
    boxes = np.array([(0.1, 0.2, 0.3, 0.6), (0.4, 0.2, 0.7, 0.6), (0.9, 0.2, 1.1, 0.6)] * 2)
    sizes = np.array([(200, 200), (300, 200), (100, 200), (200, 200), (300, 200), (200, 200)])
    places, frame = contradicting(sizes, boxes)
    assert (places.tolist(), frame) == ([], (1000, 500))
    sizes[2] = (150, 200)
    assert contradicting(sizes, boxes)[0].tolist() == [2]


def test_one_size_needs_boxes_that_differ():
    """All boxes alike: crops of one size are what they should be."""
    sizes = np.full((20, 2), 100)
    alike = np.tile([0.1, 0.1, 0.2, 0.2], (20, 1))
    varied = alike + np.linspace(0, 0.2, 20)[:, None] * [0, 0, 1, 1]
    assert one_size(sizes, alike) is None
    assert one_size(sizes, varied) == (100, 100)
    sizes[:3] = 50  # 17 of 20 are less than nine tenths
    assert one_size(sizes, varied) is None
    assert one_size(sizes[:0], varied[:0]) is None


@settings(max_examples=66)
@given(st.integers(0, 10**9))
def test_no_damage_to_a_jpg_is_an_error(tmp_path_factory, seed):
    rng = random.Random(seed)
    content = bytearray(encoded(noise(24, 30, seed)))
    content = content[: rng.randrange(len(content) + 1)] if rng.random() < 0.3 else content
    for _ in range(rng.randrange(1, 8) if content else 0):
        content[rng.randrange(min(len(content), rng.choice([25, 700, 10**6])))] = rng.randrange(256)
    path = tmp_path_factory.mktemp("d") / "x.jpg"
    path.write_bytes(content)
    seen = look(path)
    if content[:2] != b"\xff\xd8" or content[-2:] != b"\xff\xd9":
        assert seen.kind in {"jpg-empty", "jpg-truncated", "jpg-unreadable"}


def test_a_jpg_that_is_gone_meanwhile_is_unreadable(tmp_path):
    assert look(tmp_path / "x.jpg")[1:] == ("jpg-unreadable", "No such file or directory")


@pytest.mark.parametrize("pixels", [1_000, 2_000])
def test_a_bomb_is_unreadable(tmp_path, monkeypatch, pixels):
    """Pillow warns of more pixels than this, and refuses twice as many: 50 x 60 are 3,000."""
    monkeypatch.setattr(jpegs, "decoder", jpegs.pillow)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels)
    (tmp_path / "x.jpg").write_bytes(encoded(noise(50, 60)))
    assert look(tmp_path / "x.jpg").kind == "jpg-unreadable"


def test_a_bomb_is_unreadable_for_the_extra_s_decoder(tmp_path):
    """The frame's header, FF C0, has height and width from its sixth byte on."""
    pytest.importorskip("simplejpeg", reason="the decoder of the extra [tracks]")
    content = bytearray(encoded(noise(50, 60)))
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", 9000, 9000)
    (tmp_path / "x.jpg").write_bytes(content)
    seen = look(tmp_path / "x.jpg")
    assert seen == ((0, 0), "jpg-unreadable", "9,000 x 9,000 pixels are too many for a face crop")


# ------------------------------------------------------------------------------ wavs


def sound(samples, rate=16000, channels=1, width=2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((channels, width, rate, 0, "NONE", ""))
        wav.writeframes(samples)
    return file.getvalue()


def hum(seconds, rate=16000, channels=1, width=2) -> bytes:
    values = np.random.default_rng(0).integers(1, 100, round(seconds * rate) * channels)
    return values.astype(f"<i{width}" if width > 1 else np.uint8).tobytes()


WAVS = {
    # EEey6Pt0rqI:0 has 61 faces: 2.40 s from the first to the last, 2.44 s with the last one's time
    "8 kHz": ("wav-format", sound(hum(2.44, 8000), 8000), "8,000 Hz, 1 channel of 16 bits"),
    "48 kHz": ("wav-format", sound(hum(2.44, 48000), 48000), "48,000 Hz"),
    "stereo": ("wav-format", sound(hum(2.44, channels=2), channels=2), "2 channels"),
    "8 bits": ("wav-format", sound(hum(2.44, width=1), width=1), "8 bits"),
    "32 bits": ("wav-format", sound(hum(2.44, width=4), width=4), "32 bits"),
    "zeros": ("wav-silent", sound(bytes(2 * 39040)), "2.44 s of one value"),
    "one value": ("wav-silent", sound(b"\7\1" * 39040), "2.44 s of one value"),
    "too short": ("wav-length", sound(hum(2.19)), "2.19 s for faces over 2.40 s"),
    "too long": ("wav-length", sound(hum(2.65)), "2.65 s for faces over 2.40 s"),
    "no samples": ("wav-length", sound(b""), "0.00 s for faces"),
    "cut off": ("wav-truncated", sound(hum(2.44))[:-1000], "77,080 of 78,080 bytes"),
    "cut behind the header": ("wav-truncated", sound(hum(2.44))[:44], "0 of 78,080 bytes"),
    "cut in the header": ("wav-unreadable", sound(hum(2.44))[:30], "ends within its header"),
    "empty": ("wav-unreadable", b"", "the file is empty"),
    "an mp3": ("wav-unreadable", b"ID3\4" + bytes(5000), "it is an MP3 file"),
    "an avi": ("wav-unreadable", b"RIFF\0\0\0\0AVI " + bytes(5000), "not begin as a wav"),
    "no format": (
        "wav-unreadable", b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", "does not say which"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAVS)
def test_a_wav_that_is_damaged(data, name):
    kind, content, says = WAVS[name]
    data.put(data.root / WAV, content)
    finding = only(deep(data), kind, split="val", video_id=A, entity_id=f"{A}:0", path=WAV)
    assert says in finding["detail"]


@pytest.mark.parametrize("seconds", [2.21, 2.40, 2.44, 2.63])
def test_a_wav_within_a_fifth_of_a_second_is_long_enough(data, seconds):
    """From 2.40 - 0.2 to 2.44 + 0.2."""
    data.put(data.root / WAV, sound(hum(seconds)))
    assert found(deep(data)) == []


def test_chunks_before_the_samples_and_odd_lengths_are_passed_over(data):
    plain = sound(hum(2.44))
    more = plain[:12] + struct.pack("<4sI", b"LIST", 5) + b"hello\0" + plain[12:] + b"tail"
    data.put(data.root / WAV, more)
    assert deep(data).ok


@settings(max_examples=50)
@given(st.integers(0, 10**9))
def test_no_damage_to_a_wav_is_an_error_and_what_wave_reads_is_read(tmp_path_factory, seed):
    """Beside Python's own reader: lengths that both can tell are the same."""
    rng = random.Random(seed)
    content = bytearray(sound(hum(rng.uniform(0.01, 0.3))))
    content = content[: rng.randrange(len(content) + 1)] if rng.random() < 0.3 else content
    for _ in range(rng.randrange(0, 4) if content else 0):
        content[rng.randrange(min(len(content), 48))] = rng.randrange(256)
    path = tmp_path_factory.mktemp("d") / "x.wav"
    path.write_bytes(content)
    faults = dict(sound_faults(path, 100.0, 0.04))
    try:
        with wave.open(str(path)) as wav:
            params = wav.getparams()
            seconds = params.nframes / params.framerate
    except (OSError, EOFError, wave.Error, RuntimeError, ZeroDivisionError):
        assert faults
        return
    length = int.from_bytes(content[40:44], "little")
    if not length or length >= 0x7FFF0000:
        return  # of a length that says nothing, only we know better
    if not {"wav-format", "wav-truncated", "wav-unreadable"} & set(faults):
        assert faults["wav-length"] == f"{seconds:.2f} s for faces over 100.00 s"


# ------------------------------------------------------------------------------ file names


@pytest.mark.parametrize("longest", [3_000, 3_900_000])
@settings(max_examples=33)
@given(st.data())
def test_the_names_of_faces_are_those_that_layout_writes(longest, draw):
    """Made once a name and looked up, and the same to the last half of a hundredth."""
    halves = st.integers(0, longest * 200).map(lambda number: number / 200)
    seconds = draw.draw(st.lists(st.floats(0, longest) | halves, min_size=1))
    one = pa.array(["v:0"] * len(seconds)).dictionary_encode()
    table = pa.table({"video_id": one, "frame_timestamp": seconds, "entity_id": one})
    rows = SplitRows(split="val", path="x", faces=Faces("x", table))
    names = FaceNames(rows).ours(0, len(seconds))
    assert names == [face_name(seconds[row]) for row in rows.table.rows().tolist()]


# ------------------------------------------------------------------------------ processes


def test_several_processes_find_what_one_finds(data, monkeypatch):
    monkeypatch.setattr(deep_check, "ALONE", 0)
    monkeypatch.setattr(deep_check, "FILES", 16)  # so that tracks are cut into several jobs
    for name in ("12.40", "12.44", "13.96"):
        data.put((data.root / JPG).with_name(f"{name}.jpg"), b"")
    data.put(data.root / f"clips_videos/val/{B}/{B}:1/900.80.jpg", painted((40, 50), (9, 9, 99)))
    data.put(data.root / WAV, b"")
    (data.root / f"clips_videos/val/{B}/{B}:0/900.20.jpg").unlink()
    shutil.rmtree(data.root / f"clips_videos/val/{A}/{A}:1")
    one, two = deep(data), data.verify(deep=True, jobs=2)
    assert len(one.findings) == 7 + ("crop-size" in one.counts)
    assert one.to_dict() == two.to_dict()


INTERRUPTED = """
import sys
from unitalk.cli.main import main
from unitalk.dataset.verify import deep_check
deep_check.ALONE = 0
if __name__ == "__main__":
    main(["verify", sys.argv[1], "--deep", "--jobs", "2"])
"""


def nobody_left(group: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("processes are left")


@exhaustive
def test_ctrl_c_ends_all_processes_at_once(tmp_path, unmeasured):
    """6,000 names of one large jpg are minutes of work.

    The signal goes to the whole group, as a terminal sends it.
    """
    root = tmp_path / "d"
    folder = root / "clips_videos/val/v/v:0"
    folder.mkdir(parents=True)
    (root / "csv").mkdir()
    (folder / "first").write_bytes(encoded(noise(640, 480)))
    with (root / "csv/val_orig.csv").open("w") as rows:
        rows.write(HEADER + "\n")
        for number in range(6_000):
            os.link(folder / "first", folder / f"{number / 25:.2f}.jpg")
            rows.write(f"v,{number / 25},0.1,0.1,0.2,0.2,NOT_SPEAKING,v:0,0,v:0:0\n")
    (tmp_path / "run.py").write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py"), str(root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(3)
    assert process.poll() is None
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    seconds = time.monotonic() - started
    assert (process.returncode, out) == (130, "")
    assert "unitalk: interrupted" in err
    assert "Traceback" not in err
    assert "Process" not in err
    assert seconds < 2  # a quarter, on a machine that does nothing else
    nobody_left(process.pid)


def test_progress_counts_every_face_once(data):
    """190 faces of val, of which one is missing, and 111 of train."""
    told: list[tuple[str, int | None]] = []
    done: list[int] = []

    class Task:
        def advance(self, amount=1):
            done.append(amount)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    class Progress:
        def task(self, description, *, total=None, unit=""):
            told.append((description, total))
            return Task()

        def note(self, text):
            raise AssertionError(text)

    (data.root / JPG).unlink()
    for is_deep in (False, True):
        told.clear()
        done.clear()
        verify_dataset(data.root, deep=is_deep, jobs=1, progress=Progress())
        assert told == [("checking train", 111), ("checking val", 190)]
        assert sum(done) == 301


def test_the_module_opens_pictures_only_when_it_is_asked_to():
    code = (
        "import sys, unitalk.dataset.verify; print('PIL' in sys.modules, 'pandas' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"
