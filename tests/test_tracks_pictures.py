"""A jpg's bytes to pixels: the same as OpenCV's and Pillow's own ways, and never a guess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from build import Track, jpg, make_dataset, make_real
from conftest import without_coverage
from PIL import Image

from unitalk.errors import DataError
from unitalk.media import jpegs
from unitalk.media.tracks import tracks

NAME = "0.40.jpg"


@pytest.fixture
def cv2():
    return pytest.importorskip("cv2", reason="gray needs the extra [tracks]")


@pytest.fixture(params=["extra", "pillow"])
def decoder(request, monkeypatch):
    """With the extra's decoder, and as if it were not installed."""
    if request.param == "extra":
        pytest.importorskip("simplejpeg", reason="the decoder of the extra [tracks]")
    else:
        monkeypatch.setattr(jpegs, "decoder", jpegs.pillow)
    return request.param


@pytest.fixture
def one(tmp_path) -> Path:
    """A dataset of one track of one face; returns the face's path."""
    root = make_dataset(tmp_path / "d", {"v": [Track("v:0", ["0.4"], [1])]})
    make_real(root)
    return root / "clips_videos/val/v/v:0" / NAME


def track_of(path: Path):
    return tracks(path.parents[4])[0]


def paths(small: Path, track) -> list[Path]:
    folder = small / "clips_videos" / track.split / track.video_id / track.entity_id
    return [folder / f"{seconds:.2f}.jpg" for seconds in track.frame_timestamp]


# ------------------------------------------------------------------------------ the same pixels


def test_colours_are_pillow_s(small, decoder):
    for track in tracks(small):
        for image, path in zip(track.images, paths(small, track), strict=True):
            want = np.asarray(Image.open(path).convert("RGB"))
            assert image.dtype == np.uint8
            assert image.flags.writeable
            np.testing.assert_array_equal(image, want)


@pytest.mark.parametrize("size", [112, 33])
def test_gray_is_what_the_models_loaders_make(small, decoder, cv2, size):
    """TalkNet's dataLoader.py: imread, cvtColor to gray, resize to a square."""
    for track in tracks(small)[::3]:
        gray = track.gray(size)
        assert (gray.shape, gray.dtype) == ((len(track.label_id), size, size), np.uint8)
        for image, path in zip(gray, paths(small, track), strict=True):
            read = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
            np.testing.assert_array_equal(image, cv2.resize(read, (size, size)))


# ------------------------------------------------------------------------------ damage


def damaged(one: Path, words: str, *, gray: bool = True) -> None:
    track = track_of(one)
    for read in (lambda: track.images, track.gray)[: 1 + gray]:
        with pytest.raises(DataError) as raised:
            read()
        assert raised.value.message.startswith(f"{one}: not a whole face crop: ")
        assert words in raised.value.message
        assert f"verify_dataset({str(one.parents[4])!r}, deep=True)" in raised.value.hint


def test_what_opencv_makes_grey_of_is_refused(one, cv2, decoder):
    """A crop whose second half is gone, an end sewn on: OpenCV gives a picture and no error."""
    whole = jpg(7, 120, 150)
    cut = whole[: len(whole) // 2] + b"\xff\xd9"
    one.write_bytes(cut[:-2])
    damaged(one, "it is cut off")
    one.write_bytes(cut)
    shown = cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_COLOR)
    assert shown is None or shown.shape == (150, 120, 3)
    if decoder == "extra":
        damaged(one, "premature end of data segment")


def test_changed_bytes_are_noticed_by_the_extra_s_decoder(one):
    """Of a hundred single changed bytes: each that libjpeg warns of is refused, with the path."""
    simplejpeg = pytest.importorskip("simplejpeg", reason="the decoder of the extra [tracks]")
    whole = jpg(7, 120, 150)
    refused = 0
    for place in range(200, len(whole) - 2, len(whole) // 100):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        one.write_bytes(changed)
        try:
            simplejpeg.decode_jpeg(bytes(changed), "RGB", strict=True)
        except ValueError as error:
            odd = "subsampling" in str(error)  # this form is left to Pillow
            damaged(one, "" if odd else str(error).splitlines()[0], gray=False)
            refused += 1
        else:
            assert track_of(one).images[0].shape == (150, 120, 3)
    assert refused > 10


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xd9", b"\xff\xd8" + bytes(50) + b"\xff\xd9"])
def test_a_jpg_without_a_picture_is_refused(one, decoder, content):
    one.write_bytes(content)
    damaged(one, "", gray=False)


def test_a_picture_that_would_burst_is_refused(one, monkeypatch):
    """By Pillow's own limit; warnings are errors here, so both of its kinds are seen."""
    monkeypatch.setattr(jpegs, "decoder", jpegs.pillow)
    for limit in (100, 1_500):  # more than twice the limit, and less
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        damaged(one, "could be decompression bomb", gray=False)


# ------------------------------------------------------------------------------ without the extra

WITHOUT = """
import sys
for name in ("cv2", "simplejpeg", "torch"):
    sys.modules[name] = None
from unitalk.errors import MissingExtraError
from unitalk.media.tracks import tracks
track = tracks(sys.argv[1])[0]
print(len(track.jpgs()), track.images[0].shape[2], track.audio["sampling_rate"])
for read in (track.gray, lambda: __import__("unitalk.media.tracks.torch_dataset")):
    try:
        read()
    except MissingExtraError as error:
        print(error.hint)
"""


def test_without_the_extra_there_are_colours_and_sound_and_a_line_that_says_more(one):
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, one.parents[4]],
        capture_output=True, text=True, check=False, env=without_coverage(),
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "1 3 16000",
        'pip install "unitalk[tracks]"',
        'pip install "unitalk[models]"',
    ]


def test_reading_imports_no_decoder_before_it_is_needed(one):
    code = (
        "import sys, unitalk; unitalk.tracks(sys.argv[1])[0].jpgs(); "
        "print(*[n for n in ('cv2', 'simplejpeg', 'PIL', 'torch', 'pandas') if n in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, one.parents[4]],
        capture_output=True, text=True, check=True, env=without_coverage(),
    )  # fmt: skip
    assert ran.stdout.strip() == ""
