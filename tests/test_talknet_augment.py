"""What training changes in sound and faces: the golden vectors, the distributions, the faults."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talknet_formula import bgr_image, golden

from unitalk.media import jpegs
from unitalk.media.tracks import crop_pixels
from unitalk.media.tracks.media_files import Crops

pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.augment import KINDS, Look, draw, draw_look, mix

DRAWS = 6000


@pytest.fixture
def cv2():
    return pytest.importorskip("cv2", reason='pip install "unitalk[tracks]"')


@pytest.fixture(scope="module")
def looks() -> list[Look]:
    rng = np.random.default_rng(11)
    return [draw_look(rng) for _ in range(4 * DRAWS)]


def int16(*values: int) -> np.ndarray:
    return np.array(values, np.int16)


def sounds() -> tuple[np.ndarray, np.ndarray]:
    data = golden("golden_mfcc")
    return data["overlap_clean"], data["overlap_noise"]


# ------------------------------------------------------------------------------ sound


@pytest.mark.parametrize("snr_db", [-5, 0, 5])
def test_compat_mixes_as_the_original(snr_db):
    clean, noise = sounds()
    want = golden("golden_mfcc")[f"overlap_out_snr{snr_db}"]
    np.testing.assert_array_equal(mix(clean, noise, snr_db, compat=True), want)


@pytest.mark.parametrize(
    ("loud", "quiet", "added"),
    [
        # 2000^2 = 61 * 65,536 + 48^2, so that the loud sound counts as 48:
        (2000, 150, 48),
        # 6000^2 = 549 * 65,536 + 144^2:
        (6000, 50, 144),
    ],
)
def test_fault_2_loud_sounds_keep_their_level(loud, quiet, added):
    """Asked for no difference in decibels: ours adds the noise as loud as the sound, the original
    a noise of 48 to a sound of 2000, which is 32.4 dB off."""
    clean = np.full(100, loud, np.int16)
    noise = np.tile(int16(quiet, -quiet), 50)
    ours = mix(clean, noise, 0).astype(int) - clean
    theirs = mix(clean, noise, 0, compat=True).astype(int) - clean
    np.testing.assert_allclose(np.abs(ours), loud, atol=1)  # a fraction is cut off
    np.testing.assert_allclose(np.abs(theirs), added, atol=1)
    assert round(20 * math.log10(loud / added), 1) == 32.4


@pytest.mark.parametrize(
    ("each", "ours", "theirs"),
    [(20_000, 32_767, -25_536), (-20_000, -32_768, 25_536), (30_000, 32_767, -5_536)],
)
def test_fault_4_a_sum_is_cut_off_and_does_not_wrap_around(each, ours, theirs):
    """20,000 + 20,000 = 40,000, and 40,000 - 65,536 = -25,536: a click."""
    sound = np.full(10, each, np.int16)
    assert set(mix(sound, sound, 0)) == {ours}
    assert set(mix(sound, sound, 0, compat=True)) == {theirs}


@given(
    clean=st.lists(st.integers(-181, 181), max_size=60),
    noise=st.lists(st.integers(-181, 181), max_size=60),
    snr_db=st.floats(-5, 5),
)
def test_quiet_sounds_are_mixed_as_the_original_does(clean, noise, snr_db):
    """Up to 181, whose square 32,761 still is an int16, there is no fault to mend."""
    if any(clean) and not any(noise):
        noise = []  # the original multiplies silence by a large number, and so do we: nothing
    first, second = int16(*clean), int16(*noise)
    ours, theirs = mix(first, second, snr_db), mix(first, second, snr_db, compat=True)
    np.testing.assert_array_equal(ours, theirs)
    assert (ours.dtype, ours.shape) == (np.int16, first.shape)


@given(snr_db=st.floats(-5, 5), levels=st.tuples(st.integers(200, 4000), st.integers(200, 4000)))
def test_the_noise_is_as_loud_as_asked(snr_db, levels):
    """Of two square waves: the sum's two values are the clean one's, with and less the noise."""
    own, other = levels
    clean, noise = int16(*[own] * 8), int16(*[other, -other] * 4)
    added = np.abs(mix(clean, noise, snr_db).astype(float) - clean)
    np.testing.assert_allclose(added, own / 10 ** (snr_db / 20), atol=1)


# ------------------------------------------------------------------------------ faces


def face() -> np.ndarray:
    return golden("golden_visual")["resize_200x150"]


@pytest.mark.parametrize("name", ["112x112", "200x150", "91x73", "40x30", "17x300", "1x1", "2x3",
                                  "480x360", "113x111", "224x224"])  # fmt: skip
def test_gray_and_size_are_the_golden_ones(name, cv2, monkeypatch):
    """By the function behind `Track.gray`, given the pixels in place of a jpg's."""
    height, width = map(int, name.split("x"))
    colours = bgr_image(height, width)[..., ::-1]
    monkeypatch.setattr(jpegs, "decode", lambda data: np.ascontiguousarray(colours))
    (sized,) = crop_pixels.grays(Crops([b"\xff\xd8\xff\xd9"], str, ""), 112)
    np.testing.assert_array_equal(sized, golden("golden_visual")[f"resize_{name}"])
    red, green, blue = np.moveaxis(colours.astype(int), -1, 0)
    gray = (3735 * blue + 19_235 * green + 9798 * red + 16_384) >> 15
    every = 4 if height * width > 40_000 else 1  # of the largest every fourth pixel is kept
    np.testing.assert_array_equal(gray[::every, ::every], golden("golden_visual")[f"gray_{name}"])


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("flip", Look(kind="flip")),
        ("crop_x5_y9_n90", Look(kind="crop", left=5, top=9, extent=90)),
        ("crop_x30_y2_n79", Look(kind="crop", left=30, top=2, extent=79)),
    ],
)
def test_flips_and_crops_are_the_golden_ones(name, look, cv2):
    for shown in look.apply(np.stack([face(), face()])):
        np.testing.assert_array_equal(shown, golden("golden_visual")[name])


@pytest.mark.parametrize("degrees", ["7.5", "-15", "0"])
def test_rotations_are_the_golden_ones(degrees, cv2):
    """They came from OpenCV 5, which rounds otherwise than OpenCV 4: four levels at most."""
    (shown,) = Look(kind="rotation", degrees=float(degrees)).apply(face()[None])
    off = np.abs(shown.astype(int) - golden("golden_visual")[f"rot_{degrees}"])
    assert off.max() <= (0 if int(cv2.__version__.split(".")[0]) >= 5 else 4)


@pytest.mark.parametrize("kind", KINDS)
def test_all_faces_of_a_track_look_alike_and_are_left_alone(kind, cv2):
    """Also where they lie in memory otherwise than in rows."""
    faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)
    look = Look(kind=kind, left=22, top=3, extent=90, degrees=-9.0)
    before = faces.copy()
    want = np.stack([look.apply(each[None])[0] for each in faces])
    for given_faces in (faces, np.asfortranarray(faces), faces[:, ::-1][:, ::-1]):
        shown = look.apply(given_faces)
        np.testing.assert_array_equal(shown, want)
        assert kind == "as-is" or not np.shares_memory(shown, faces)
    mirrored = faces[:, :, ::-1]
    np.testing.assert_array_equal(look.apply(mirrored), look.apply(mirrored.copy()))
    np.testing.assert_array_equal(faces, before)
    assert look.apply(faces[:0]).shape == (0, 112, 112)


# ------------------------------------------------------------------------------ distributions


def test_fault_5_crops_reach_the_far_edge(looks):
    """The original's numpy.random.randint(0, 112 - n) leaves its upper end away."""
    rng = np.random.default_rng(3)
    theirs = [draw_look(rng, compat=True) for _ in range(DRAWS)]
    for edge in ("left", "top"):
        reached = {getattr(look, edge) + look.extent for look in looks if look.kind == "crop"}
        assert max(reached) == 112
        reached = {getattr(look, edge) + look.extent for look in theirs if look.kind == "crop"}
        assert max(reached) == 111


@pytest.mark.parametrize("compat", [False, True])
def test_fault_5_a_crop_of_the_whole_face_has_a_place(compat):
    """U(0.7, 1) may be rounded to 1; the original then asks for a number below 0 from 0 on."""
    with pytest.raises(ValueError, match="high <= 0|low >= high"):
        np.random.default_rng(0).integers(0, 112 - int(112 * 1.0))
    rng = np.random.default_rng(0)
    ends = SimpleNamespace(
        uniform=lambda low, high: high,
        integers=lambda high, size=None: 2 if size is None else rng.integers(high, size=size),
    )
    look = draw_look(ends, compat=compat)
    assert look == Look(kind="crop", left=0, top=0, extent=112)


# ------------------------------------------------------------------------------ a track's draw


def test_fault_3_a_track_is_drawn_whatever_others_there_are():
    """The original draws from a set, which `random.sample` refuses since Python 3.11, and from
    nothing where a track is alone."""
    with pytest.raises(TypeError):
        random.sample({"a", "b"}, 1)
    with pytest.raises(ValueError):
        random.sample([], 1)
    rng = np.random.default_rng(0)
    assert {draw(rng, 0).noise for _ in range(50)} == {None}
    assert {draw(rng, 1).noise for _ in range(50)} == {None, 0}


def test_numbers_are_drawn_in_the_documented_order():
    """Whether, which, how loud; the kind; a crop's side and place, or a rotation's degrees."""
    kinds = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        mixed, noise, snr_db = rng.random() < 0.5, int(rng.random() * 5), rng.uniform(-5, 5)
        kind = ("as-is", "flip", "crop", "rotation")[rng.integers(4)]
        want = {}
        if kind == "crop":
            extent = int(112 * rng.uniform(0.7, 1.0))
            left, top = rng.integers(113 - extent, size=2)
            want = {"extent": extent, "left": left, "top": top}
        elif kind == "rotation":
            want = {"degrees": rng.uniform(-15, 15)}
        found = draw(np.random.default_rng(seed), 5)
        assert found.noise == (noise if mixed else None)
        assert found.snr_db == snr_db
        assert found.look == Look(kind=kind, **want)
        kinds.add(kind)
    assert len(kinds) == 4
