"""Times that are not the ground truth's to the digit: rounded, cut off, of another rate."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from conftest import exhaustive
from diagnosed import BOX, after, found, only_problem
from hypothesis import given
from hypothesis import strategies as st

import unitalk
from unitalk import compare, diagnose, evaluate
from unitalk.score.near_times import in_seconds

KEY = ["entity_id", "frame_timestamp"]
FILM, TV, FAST = 24_000 / 1001, 30_000 / 1001, 60_000 / 1001


def scene(fps: float, first: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve tracks of 30 faces that begin 900 frames apart, times unrounded; and predictions."""
    frames = first + np.concatenate([900 * track + np.arange(30) for track in range(12)])
    random = np.random.default_rng(int(fps))
    x = random.uniform(0, 0.5, len(frames))
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": frames / fps,
        **dict(zip(BOX, (x, x, x + 0.25, x + 0.25), strict=True)),
        "label": np.where(random.random(len(frames)) < 0.4, "SPEAKING_AUDIBLE", "NOT_SPEAKING"),
        "entity_id": [f"v:{track}" for track in range(12) for _ in range(30)],
    })  # fmt: skip
    score = random.random(len(frames)) + (truth["label"] == "SPEAKING_AUDIBLE")
    return truth, truth.assign(label="SPEAKING_AUDIBLE", score=score)


def retimed(frame: pd.DataFrame, change) -> pd.DataFrame:
    return frame.assign(frame_timestamp=change(frame["frame_timestamp"]))


# ------------------------------------------------------------------------------ within reach

OFF = {
    "float32": lambda t: t.astype("float32").astype("float64"),
    "4 decimals": lambda t: t.round(4),
    "3 decimals": lambda t: t.round(3),
    "cut to milliseconds": lambda t: np.floor(t * 1000) / 1000,
    "up to milliseconds": lambda t: np.ceil(t * 1000) / 1000,
    "a millisecond late": lambda t: t + 0.001,
    "the short rate": lambda t: t * 1001 / 1001.001,  # 30 / 1.001001 is 29.97
}


@pytest.mark.parametrize(
    "fps", [FILM, FAST, pytest.param(TV, marks=exhaustive), pytest.param(15.3, marks=exhaustive)]
)
@pytest.mark.parametrize("name", OFF)
def test_times_that_are_off_by_less_than_a_millisecond_change_nothing(name, fps):
    """Neither the number nor the digest, in whatever order the rows are; diagnose says a note."""
    truth, guess = scene(fps)
    off = retimed(guess, OFF[name]).sample(frac=1, random_state=1)
    wanted, result = evaluate(truth, guess), evaluate(truth, off)
    assert result.average_precision == wanted.average_precision
    assert result.signature == wanted.signature
    diagnosis = diagnose(truth, off)
    assert diagnosis.problems == ()
    keys = [np.rint(frame["frame_timestamp"].sort_index() * 1000) for frame in (guess, off)]
    moved = int((keys[0] != keys[1]).sum())
    finding = found(diagnosis, "times")
    assert finding.status == ("note" if moved else "ok")
    assert not moved or finding.what.startswith(f"{moved} prediction")


def test_systems_whose_times_are_off_in_their_own_way_are_scored_on_all_faces():
    truth, guess = scene(TV)
    systems = {name: retimed(guess, change) for name, change in OFF.items()}
    both = compare(truth, systems).systems
    assert {system.average_precision for system in both} == {
        evaluate(truth, guess).average_precision
    }
    assert {system.faces for system in both} == {len(truth)}


def test_a_face_that_does_not_count_takes_its_prediction_too():
    truth, guess = scene(FILM)
    marks = (np.arange(len(truth)) % 3 > 0).astype(int)
    result = evaluate(truth.assign(eval=marks), retimed(guess, OFF["cut to milliseconds"]))
    assert (result.missing, result.extra, result.left_out) == (0, 0, int((marks == 0).sum()))


def test_a_partial_number_is_of_equal_milliseconds_and_says_what_it_leaves_out():
    """What `partial` accepted before there was a reach keeps its number."""
    truth, guess = scene(TV)
    off = retimed(guess, OFF["cut to milliseconds"])[30:]
    equal = np.rint(off["frame_timestamp"] * 1000) == np.rint(truth["frame_timestamp"][30:] * 1000)
    result = evaluate(truth, off, partial=True)
    assert result.faces == int(equal.sum())
    said = f"partial: {int((~equal).sum())} faces were left out although a prediction is within"
    assert any(warning.startswith(said) for warning in result.warnings)
    # Where nothing is equal there was no number; with the reach there is one.
    assert evaluate(truth, off[~equal], partial=True).faces == int((~equal).sum())


# ------------------------------------------------------------------------------ beyond it

RATES = [
    (29.97, TV, "1.000001", 40_000),
    (TV, 29.97, "0.999999", 40_000),
    (25.0, 24.0, "0.96", 100),
    (30.0, 25.0, "0.8333333", 0),
]
"""The predictions' rate, the ground truth's, the quotient, the first frame."""


@pytest.mark.parametrize(("said", "true", "quotient", "first"), RATES)
def test_another_frame_rate_is_named_and_undone(said, true, quotient, first):
    truth, guess = scene(true, first)
    other = retimed(guess, lambda t: t * true / said)
    with pytest.raises(unitalk.CoverageError):
        evaluate(truth, other)
    finding = only_problem(diagnose(truth, other), "times")
    assert f"are {quotient} times the ground truth's" in finding.what
    mended = evaluate(truth, after(finding, other))
    assert mended.average_precision == evaluate(truth, guess).average_precision


def test_the_short_rate_is_refused_from_1001_seconds_on_and_not_before():
    """After 1,000 s `i / 29.97` is 1 ms off, being a millionth longer than `i * 1001 / 30000`."""
    for first, accepted in ((29_900 - 930 * 11, True), (30_000, False)):
        truth, guess = scene(TV, first)
        other = retimed(guess, lambda t: t * TV / 29.97)
        assert (diagnose(truth, other).problems == ()) is accepted
        if accepted:
            assert evaluate(truth, other).faces == len(truth)


@pytest.mark.parametrize("shift", [0.0012, 0.0049, -0.0017])
def test_a_shift_that_is_no_whole_number_of_milliseconds_is_that_shift(shift):
    truth, guess = scene(FAST, 300)
    other = retimed(guess, lambda t: t + shift)
    finding = only_problem(diagnose(truth, other), "times")
    assert f"shifted: {abs(shift):.3g} s too {'late' if shift > 0 else 'early'}" in finding.what
    mended = evaluate(truth, after(finding, other))
    assert mended.average_precision == evaluate(truth, guess).average_precision


def test_tracks_that_are_each_off_by_their_own_time_have_no_cause():
    """Each track is off by its own 1.5 to 8 ms."""
    truth, guess = scene(TV, 300)
    random = np.random.default_rng(0)
    off = random.uniform(0.0015, 0.008, 12) * random.choice([-1, 1], 12)
    other = guess.assign(frame_timestamp=guess["frame_timestamp"] + np.repeat(off, 30))
    assert found(diagnose(truth, other), "times").status == "note"


# ------------------------------------------------------------------------------ which is open


def few(times: list[float], said: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Faces of one track at some times, and predictions for it at others."""
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": times, **dict.fromkeys(BOX, 0.1),
        "label": ["SPEAKING_AUDIBLE", *["NOT_SPEAKING"] * (len(times) - 1)], "entity_id": "v:7",
    })  # fmt: skip
    guess = pd.DataFrame({"entity_id": "v:7", "frame_timestamp": said, "score": range(len(said))})
    return truth, guess


@pytest.mark.parametrize(
    ("times", "said", "words"),
    [
        ([2.0004, 2.0016, 3.0], [2.0011, 3.0], ["v:7 at 2.0011 s", "another face is as near"]),
        ([2.0, 3.0], [2.0, 2.0009, 3.0], ["2.0009 s", "the face at 2 s", "another prediction"]),
        ([2.0001, 3.0], [1.9993, 2.0009, 3.0], ["2 predictions", "1.9993 s", "2.0009 s"]),
    ],
)
def test_a_pair_that_is_open_is_refused_and_said(times, said, words):
    truth, guess = few(times, said)
    with pytest.raises(unitalk.DataError, match="ambiguous") as caught:
        evaluate(truth, guess)
    for word in words:
        assert word in caught.value.message
    assert diagnose(truth, guess).problems


def test_two_faces_a_fraction_of_a_millisecond_apart_are_matched_as_ever():
    """20.4 and 21 ms are two faces: whole milliseconds tell them apart, and come first."""
    truth, guess = few([0.0204, 0.021, 3.0], [0.0201, 0.0213, 3.0])
    assert evaluate(truth, guess).faces == 3


# ------------------------------------------------------------------------------ times as text

times = st.floats(0, 4e6, allow_nan=False)


@given(times, st.floats(1e-9, 1e-2))
def test_times_are_printed_with_the_digits_that_tell_them_apart(time, gap):
    """What is printed differs as the times do, to a fifth; equal times are printed alike."""
    other = time + gap
    texts = in_seconds(time, other, time)
    assert texts[0] == texts[2]
    assert float(texts[1]) - float(texts[0]) == pytest.approx(other - time, rel=0.21)
    assert all(re.fullmatch(r"\d+(\.\d*[1-9])?", text) or "e" in text for text in texts)


def test_times_by_hand():
    assert in_seconds(0.5005, 1001 / 2000) == ["0.5005", "0.5005"]
    assert in_seconds(0.5005, 15 * 1001 / 30000) == ["0.5005", "0.5005"]
    assert in_seconds(0.5338, 16 * 1001 / 30000) == ["0.5338", "0.533867"]
    assert in_seconds(40.0, -0.0) == ["40", "0"]
