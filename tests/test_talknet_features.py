"""The sound as the networks hear it: golden vectors, closed forms, and the definition itself."""

from __future__ import annotations

import math
import tracemalloc
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from conftest import slow
from hypothesis import given, settings
from hypothesis import strategies as st
from talknet_formula import golden

pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.features import COEFFICIENTS, PER_FRAME, RATE, audio_features, mfcc

LOG_EPS = -52 * math.log(2)  # -36.0437

# From the facts: the rate, then a window and a step in samples.
LENGTHS = {
    "25": (400, 160),
    "24": (417, 167),
    "30": (333, 133),
    "23.976": (417, 167),
    "29.97": (334, 133),
    "23.25": (430, 172),
    "24.8333": (403, 161),
    "18": (556, 222),
}


def noise(samples: int, loudness: int = 3000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-loudness, loudness + 1, samples, dtype=np.int16)


# ------------------------------------------------------------------------------ golden vectors


@pytest.mark.parametrize("fps", LENGTHS)
def test_mfcc_is_the_golden_one(fps, caplog):
    """At 18 fps a window is longer than the FFT: it is cut without a word."""
    want = golden("golden_mfcc")[f"mfcc_fps{fps}"]
    found = mfcc(golden("golden_mfcc")["wave"], fps=float(fps))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-6)
    assert not caplog.records


@pytest.mark.parametrize("fps", LENGTHS)
def test_a_track_of_25_faces_is_the_golden_one(fps):
    """compat: what is missing are the first rows again, what is too long is cut."""
    want = golden("golden_mfcc")[f"load_audio25_fps{fps}"].astype(np.float32)
    found = audio_features(golden("golden_mfcc")["wave"], 25, fps=float(fps), compat=True)
    assert (found.dtype, found.shape) == (np.float32, (100, 13))
    np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------ by definition


def by_definition(samples: np.ndarray, rate: int, fps: float) -> np.ndarray:
    """Row by row, sum by sum: Davis and Mermelstein's coefficients with the original's settings."""

    def whole(seconds: float) -> int:
        return int(Decimal(seconds * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    window, step = whole(0.025 * 25 / fps), whole(0.010 * 25 / fps)
    before = np.concatenate([[0.0], samples[:-1]])
    sound = np.concatenate([samples - 0.97 * before, np.zeros(window)])
    bins = np.arange(257)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(512), bins) / 512)
    top = math.log10(1 + rate / 1400)
    corners = [513 * 700 * (10 ** (top * n / 27) - 1) // rate for n in range(28)]
    rows = []
    for start in range(0, max(len(samples) - window + step, 1), step):
        heard = sound[start : start + window][:512]
        power = np.abs(heard @ waves[: len(heard)]) ** 2 / 512
        logs = [
            math.log(float(power @ np.interp(bins, corners[n : n + 3], [0, 1, 0])) or 2.0**-52)
            for n in range(26)
        ]
        row = [math.log(float(power.sum()) or 2.0**-52)]
        for k in range(1, 13):
            cosine = sum(log * math.cos(math.pi * k * (n + 0.5) / 26) for n, log in enumerate(logs))
            row.append(cosine * math.sqrt(2 / 26) * (1 + 11 * math.sin(math.pi * k / 22)))
        rows.append(row)
    return np.array(rows)


@slow
@settings(max_examples=15)
@given(
    samples=st.integers(1, 16_000),
    fps=st.one_of(st.floats(5, 120), st.sampled_from([16.0, 23.976, 25.0, 32.0, 64.0])),
    rate=st.sampled_from([8_000, 16_000]),
    seed=st.integers(0, 9),
)
def test_mfcc_is_its_definition(samples, fps, rate, seed):
    sound = noise(samples, 10**seed if seed < 5 else 32_767, seed)
    want = by_definition(sound, rate, fps)
    np.testing.assert_allclose(mfcc(sound, rate=rate, fps=fps), want, rtol=0, atol=1e-6)


def test_silence_is_the_logarithm_of_the_least_step():
    """A constant has no cosine but the first, which the energy replaces."""
    found = mfcc(np.zeros(1000, np.int16))
    np.testing.assert_allclose(found[:, 0], LOG_EPS, rtol=1e-15)
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-10)


@pytest.mark.parametrize("height", [1, -300, 32_767, -32_768])
def test_the_energy_of_an_impulse(height):
    """Pre-emphasised it is h, -0.97 h. The power of bin k is h^2 (1 + 0.97^2 - 1.94 cos) / 512; the
    cosines of half a turn cancel out, so 257 bins have h^2 * 1.9409 * 257 / 512."""
    sound = np.zeros(400, np.int16)
    sound[0] = height
    want = math.log(height**2 * 1.9409 * 257 / 512)
    assert mfcc(sound)[0, 0] == pytest.approx(want, abs=1e-12)


# ------------------------------------------------------------------------------ size


def test_a_long_sound_needs_little_memory():
    """Five minutes as floats would be 38 MB; as windows, 96 MB."""
    sound = np.tile(noise(RATE), 300)
    mfcc(sound[:RATE])  # its tables are kept
    tracemalloc.start()
    try:
        rows = mfcc(sound)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # ceil((4,800,000 - 400) / 160) = 29,998 after the first
    assert rows.shape == (29_999, 13)
    assert peak < rows.nbytes + 8_000_000  # ours is 1.6 MB; the interpreter's tables may grow too


# ------------------------------------------------------------------------------ four rows a face


# Missing rows by rate for tracks of 25, 100 and 300 faces, measured with the original. (Of 300
# faces at 23.976 fps five or six, as times are rounded: 12.47 s are 199,520 samples, and after the
# first row there are ceil((199,520 - 417) / 167) = 1,193.)
MISSING = {
    25: (5, 5, 5),
    24: (5, 6, 7),
    23.976: (5, 5, 6),
    23.25: (5, 5, 5),
    29.97: (5, 4, 0),
    30: (5, 4, 2),
}


@pytest.mark.parametrize("fps", MISSING)
def test_fault_7_the_last_faces_do_not_hear_the_beginning(fps):
    """A track of AVA ends loud after a quiet beginning; the original lets its end hear that."""
    for faces, missing in zip((25, 100, 300), MISSING[fps], strict=True):
        samples = int(round((faces - 1) / fps, 2) * RATE)  # to the time of the last face
        sound = np.concatenate([noise(2000, 10), noise(samples - 2000, 20_000)])
        rows = PER_FRAME * faces - missing
        assert min(len(mfcc(sound, fps=fps)), PER_FRAME * faces) == rows
        ours = audio_features(sound, faces, fps=fps)
        theirs = audio_features(sound, faces, fps=fps, compat=True)
        np.testing.assert_array_equal(ours[:rows], theirs[:rows])
        np.testing.assert_array_equal(theirs[rows:], theirs[:missing])
        # About log(400 * 1.9409 * l^2 / 3 / 2): 9.5 for l = 10, 24.7 for l = 20,000.
        assert (theirs[rows:, 0] < 13).all()
        assert (ours[rows:, 0] > 20).all()
        assert (ours[rows:] == ours[rows - 1]).all()


@slow
@given(
    samples=st.integers(1, 12_000),
    faces=st.integers(0, 40),
    fps=st.sampled_from([float(fps) for fps in LENGTHS]),
)
def test_four_rows_a_face_whatever_the_sound(samples, faces, fps):
    sound = noise(samples)
    heard = mfcc(sound, fps=fps)
    ours, theirs = (
        audio_features(sound, faces, fps=fps, compat=compat) for compat in (False, True)
    )
    assert ours.shape == theirs.shape == (PER_FRAME * faces, COEFFICIENTS)
    there = min(len(heard), PER_FRAME * faces)
    np.testing.assert_allclose(ours[:there], heard[:there], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(ours[:there], theirs[:there])
    for row in range(there, PER_FRAME * faces):
        np.testing.assert_array_equal(ours[row], ours[there - 1])
        np.testing.assert_array_equal(theirs[row], theirs[row - there])
