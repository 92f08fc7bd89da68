"""Forms of jpgs and wavs: the reader reads what `verify --deep` passes, and as others read it."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from build import Track, make_dataset, make_real
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unitalk.dataset.verify import verify_dataset
from unitalk.errors import DataError
from unitalk.media import jpegs
from unitalk.media.tracks import tracks

TIMES = [f"{n / 25:.2f}" for n in range(25)]  # a second of faces


@pytest.fixture
def root(tmp_path) -> Path:
    made = make_real(make_dataset(tmp_path / "my data", {"v": [Track("v:0", TIMES, [1] * 25)]}))
    (made / "clips_audios/val/v/v:0.wav").write_bytes(GOOD["plain"])
    return made


def found(root: Path) -> dict[str, str | None]:
    return {one.kind: one.detail for one in verify_dataset(root, deep=True).findings}


# ------------------------------------------------------------------------------ wavs

SAMPLES = np.random.default_rng(5).integers(-9000, 9000, 16000).astype("<i2")
ENDLESS = 0xFFFFFFFF


def wav(
    data: bytes, *, code: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16,
    whole: int | None = None, said: int | None = None, before: bytes = b"", guid: int | None = None,
    after: bytes = b"",
) -> bytes:  # fmt: skip
    """A wav by hand: RIFF, chunks before, the format, the samples, chunks after."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * frame, frame, bits)
    if guid is not None:
        form += struct.pack("<HHIH", 22, bits, 0, guid)
        form += bytes.fromhex("000000001000800000aa00389b71")
    chunks = b"WAVE" + before + struct.pack("<4sI", b"fmt ", len(form)) + form
    chunks += struct.pack("<4sI", b"data", len(data) if said is None else said) + data + after
    return b"RIFF" + struct.pack("<I", len(chunks) if whole is None else whole) + chunks


PLAIN = SAMPLES.tobytes()
LIST = struct.pack("<4sI", b"LIST", 7) + b"INFOabc\0"  # seven bytes, and one that makes it even
GOOD = {
    "plain": wav(PLAIN),
    "extensible": wav(PLAIN, code=0xFFFE, guid=1),
    "a list before": wav(PLAIN, before=LIST),
    "a list after": wav(PLAIN, after=LIST),
    "both, extensible": wav(PLAIN, before=LIST * 2, after=LIST, code=0xFFFE, guid=1),
    "from a pipe": wav(PLAIN, whole=ENDLESS, said=ENDLESS),
    "from a pipe, with a sign": wav(PLAIN, whole=0x7FFFFFFF, said=0x7FFFFFFF - 36),
    "from a pipe, extensible": wav(PLAIN, whole=ENDLESS, said=ENDLESS, code=0xFFFE, guid=1),
    "never finished": wav(PLAIN, whole=36, said=0),
    "no lengths": wav(PLAIN, whole=0, said=0, before=LIST),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_wav_passes_and_is_read(root, name):
    path = root / "clips_audios/val/v/v:0.wav"
    path.write_bytes(GOOD[name])
    assert found(root) == {}
    audio = tracks(root)[0].audio
    np.testing.assert_array_equal(audio["array"], SAMPLES)
    assert audio["sampling_rate"] == 16000
    path.write_bytes(wav(PLAIN)[:-500])
    assert list(found(root)) == ["wav-truncated"]
    with pytest.raises(DataError, match="31,500 of 32,000 bytes of samples are there"):
        _ = tracks(root)[0].audio


LOUD = SAMPLES.astype("<f4") / 10000
OTHER = {
    "stereo": (
        wav(np.repeat(SAMPLES, 2).tobytes(), channels=2), "16,000 Hz, 2 channels of 16 bits"
    ),
    "44.1 kHz": (
        wav(np.resize(SAMPLES, 44100).tobytes(), rate=44100), "44,100 Hz, 1 channel of 16 bits"
    ),
    "8 bits": (
        wav((SAMPLES // 256 + 128).astype("u1").tobytes(), bits=8), "16,000 Hz, 1 channel of 8 bits"
    ),
    "24 bits": (
        wav(np.column_stack([SAMPLES * 0, SAMPLES]).astype("<i2").tobytes()[:48000], bits=24),
        "16,000 Hz, 1 channel of 24 bits",
    ),
    "floats": (
        wav(LOUD.tobytes(), code=3, bits=32), "16,000 Hz, 1 channel of 32 bits, floating point"
    ),
    "floats, extensible": (
        wav(LOUD.tobytes(), code=0xFFFE, guid=3, bits=32),
        "16,000 Hz, 1 channel of 32 bits, floating point",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_a_wav_of_another_form_is_named_and_the_line_makes_it_right(root, name):
    path = root / "clips_audios/val/v/v:0.wav"
    content, form = OTHER[name]
    path.write_bytes(content)
    assert found(root) == {"wav-format": form}
    with pytest.raises(DataError) as raised:
        tracks(root)[0].sound_at(16000)
    assert (
        raised.value.message
        == f"{path}: {form}; a track's sound is 16,000 Hz, 1 channel of 16 bits"
    )
    line = raised.value.hint.split("`")[1]
    assert verify_dataset(root, deep=True).repairs == (line,)
    if shutil.which("ffmpeg"):
        subprocess.run(["sh", "-c", line], check=True, capture_output=True)
        assert found(root) == {}
        assert abs(len(tracks(root)[0].sound_at(16000)) - 16000) < 2
        assert (root / "v:0.old.wav").read_bytes() == content


def test_sounds_that_are_no_wavs_are_named(root):
    path = root / "clips_audios/val/v/v:0.wav"
    for start, kind in ((b"fLaC", "a FLAC file"), (b"\0\0\0\x20ftypM4A ", "an MP4 file"),
                        (b"OggS", "an Ogg file")):  # fmt: skip
        path.write_bytes(start + bytes(500))
        assert found(root) == {"wav-unreadable": f"it is {kind}"}
        with pytest.raises(DataError, match=f"it is {kind}") as raised:
            tracks(root)[0].wav()
        assert "ffmpeg" in raised.value.hint


# ------------------------------------------------------------------------------ jpgs


def picture(width: int, height: int, mode: str, seed: int) -> Image.Image:
    """Smooth colours and noise."""
    rng = np.random.default_rng(seed)
    parts = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 110 * np.sin(x / (5 + n) + seed) * np.cos(y / (7 - n)) for n in range(parts)]
    made = np.stack(waves, 2) + rng.integers(-17, 17, (height, width, parts))
    made = made.astype(np.uint8)
    return (
        Image.fromarray(made[..., 0])
        if parts == 1
        else Image.frombytes(mode, (width, height), made.tobytes())
    )


def exif(orientation: int, order: str, more: int) -> bytes:
    """An APP1 of so many other tags, and the orientation."""
    tags = [struct.pack(order + "HHI4s", 0x010F, 2, 4, b"abc\0")] * more
    tags.append(struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0))
    start = b"II*\0" if order == "<" else b"MM\0*"
    tiff = start + struct.pack(order + "IH", 8, len(tags)) + b"".join(tags) + bytes(4)
    return segment(0xE1, b"Exif\0\0" + tiff)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


XMP = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'/>")


@st.composite
def jpgs(draw) -> bytes:
    """Any size, colours, way to pack, and header."""
    mode = draw(st.sampled_from(["RGB", "RGB", "L", "CMYK"]))
    width, height = draw(st.sampled_from([(1, 16), (16, 1), (1, 1), (59, 76), (17, 33), (64, 48)]))
    file = io.BytesIO()
    picture(width, height, mode, draw(st.integers(0, 50))).save(
        file, "JPEG", quality=draw(st.sampled_from([30, 75, 95])),
        progressive=draw(st.booleans()), restart_marker_blocks=draw(st.sampled_from([0, 1, 3])),
        subsampling=-1 if mode == "L" else draw(st.sampled_from([0, 1, 2])),
    )  # fmt: skip
    data = file.getvalue()
    ink = data.find(b"\xff\xee\0\x0eAdobe")
    if ink > 0 and draw(st.booleans()):  # without Adobe's word that its inks are turned over
        data = data[:ink] + data[ink + 16 :]
    turned = exif(draw(st.integers(0, 9)), draw(st.sampled_from("<>")), draw(st.integers(0, 3)))
    heads = [b"", turned, XMP, XMP + turned, segment(0xE1, b"Exif\0\0II*\0") + turned, turned[:22]]
    head = draw(st.sampled_from(heads))
    if head == turned[:22]:
        head = segment(0xE1, turned[4:22])  # cut off within its tags
    return data[:2] + head + data[2:]


@pytest.mark.parametrize("decoder", ["extra", "pillow"])
def test_a_jpg_is_what_opencv_reads(decoder, monkeypatch):
    """Pixels and size, with the extra's decoder and without it."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is the oracle")
    if decoder == "extra":
        pytest.importorskip("simplejpeg", reason="the decoder of the extra [tracks]")
    else:
        monkeypatch.setattr(jpegs, "decoder", jpegs.pillow)

    @given(jpgs())
    def check(data: bytes) -> None:
        want = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        np.testing.assert_array_equal(jpegs.decode(data), want)
        size, gray = jpegs.glance(data)
        assert size == (want.shape[1], want.shape[0])
        assert gray.ndim == 2

    check()


def test_a_turned_crop_is_read_turned_everywhere(root):
    """59 x 76 pixels in the file, orientation 6: 76 wide. A box of half a frame of 152 x 118."""
    cv2 = pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
    from unitalk.media.frame_sizes import Face, frame_sizes

    file = io.BytesIO()
    picture(59, 76, "RGB", 1).save(file, "JPEG")
    data = file.getvalue()
    data = data[:2] + exif(6, ">", 1) + data[2:]
    for path in root.glob("clips_videos/val/v/v:0/*.jpg"):
        path.write_bytes(data)
    track = tracks(root)[0]
    want = cv2.imread(str(root / "clips_videos/val/v/v:0/0.00.jpg"))
    assert want.shape == (59, 76, 3)
    np.testing.assert_array_equal(track.images[3], want[..., ::-1])
    gray = cv2.resize(cv2.cvtColor(want, cv2.COLOR_BGR2GRAY), (112, 112))
    np.testing.assert_array_equal(track.gray()[3], gray)
    assert frame_sizes(root, [Face("v", "v:0", 0.0, (0.0, 0.0, 0.5, 0.5))]) == {"v": (152, 118)}


def test_pictures_of_another_kind_are_named(root):
    path = root / "clips_videos/val/v/v:0/0.08.jpg"
    for form, kind in (("PNG", "a PNG"), ("BMP", "a BMP"), ("WEBP", "a WebP"), ("GIF", "a GIF")):
        picture(30, 40, "RGB", 1).save(path, form)
        assert found(root) == {"jpg-unreadable": f"it is {kind}, not a JPEG"}
        with pytest.raises(DataError, match=f"it is {kind}, not a JPEG"):
            tracks(root)[0].jpgs()
