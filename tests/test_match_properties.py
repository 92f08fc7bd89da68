"""Joining and scoring against a join by dictionary and the area in tests/reference.py."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from conftest import HEADER, face, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import area, ranked

import unitalk
from unitalk import evaluate

TEN = HEADER.split(",")
# Ids that a careless comparison takes for each other: by prefix, case, number, and accents.
LOOKALIKES = ["v:1", "v:10", "V:1", "v:01", "1", "1.0", "nan", "-v", "v:1-",
              unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")]  # fmt: skip
# The same millisecond, written in many ways; none lies half-way between two.
WRITTEN = {
    0: ["0", "0.0", "-0", "0.00049", "1e-9"],
    100: ["0.1", "0.10", "1e-1", "0.1000000000000000055"],
    300: ["0.3", "0.30000000000000004", "3e-1", "0.2996", "0.3004"],
    301: ["0.301", "0.3006"],
    3_999_999_000: ["3999999", "3999999.0", "3.999999e6"],
}


def predicted(row: list[str], score: float) -> list[str]:
    return [*row[:6], "SPEAKING_AUDIBLE", row[7], repr(score)]


def grouped(faces: list[tuple[bool, float]], *, best: bool = False) -> float:
    """The area when tied rows stand in the worst order, or in the best one."""
    ordered = sorted(faces, key=lambda face: face[0] is not best)
    return float(area(ranked([label for label, _ in ordered], [score for _, score in ordered])))


keys = st.tuples(st.sampled_from(LOOKALIKES), st.sampled_from(sorted(WRITTEN)))


@st.composite
def problems(draw):
    """Ground truth and predictions that share most keys, each maybe with twins and strangers."""
    pool = draw(st.lists(keys, min_size=1, max_size=12, unique=True))

    def side(others):
        chosen = list(pool) if draw(st.booleans()) else draw(st.lists(st.sampled_from(pool)))
        if draw(st.integers(0, 3)):  # three times of four without a face that is there twice
            chosen = list(dict.fromkeys(chosen))
        more = draw(st.lists(others, max_size=2)) if draw(st.booleans()) else []
        return draw(st.permutations([*chosen, *more]))

    truth = side(keys) or pool[:1]
    guess = side(st.tuples(st.sampled_from([*LOOKALIKES, "stranger", "v:2"]), st.just(100)))
    guess = guess or pool[:1]
    labels = draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    scores = draw(
        st.lists(st.sampled_from([-2.5, 0.0, 0.5, 7.0]), min_size=len(guess), max_size=len(guess))
    )
    spell = [draw(st.sampled_from(WRITTEN[time])) for _, time in [*truth, *guess]]
    return truth, guess, labels, scores, spell, draw(st.booleans())


def verdict(truth, guess, labels, scores, partial) -> tuple[type | None, list[str], list]:
    """What a join by dictionary says: the error's class, what it counts, or the joined faces."""
    known = {entity for entity, _ in truth}
    for side in (truth, [key for key in guess if key[0] in known]):
        twins = len(side) - len(set(side))
        if twins:
            return unitalk.DataError, [f"{twins} faces are there twice"], []
    score_of = {key: score for key, score in zip(guess, scores, strict=True) if key[0] in known}
    joined = [(bool(label), score_of[key]) for key, label in zip(truth, labels, strict=True)
              if key in score_of]  # fmt: skip
    missing = [key for key in truth if key not in score_of]
    extra = Counter(key for key in guess if key not in set(truth))
    if (missing or extra) and not (partial and joined):
        said = [f"{len(joined)} of {len(truth)} faces match"]
        if missing:
            tracks = len({entity for entity, _ in missing})
            said.append(f"{len(missing)} faces have no prediction, of {tracks} tracks: ")
        if extra:
            tracks = len({entity for entity, _ in extra})
            said.append(
                f"{extra.total()} predictions have no face in the ground truth, of {tracks}"
            )
        return unitalk.CoverageError, said, []
    return None, [f"{len(missing)} {extra.total()}"], joined


@settings(max_examples=300, deadline=None)
@given(problem=problems())
def test_a_join_by_dictionary_comes_to_the_same_verdict_and_number(problem, tmp_path_factory):
    truth, guess, labels, scores, spell, partial = problem
    folder = tmp_path_factory.getbasetemp()
    rows = [
        face("v", text, entity, int(label))
        for (entity, _), label, text in zip(truth, labels, spell, strict=False)
    ]
    body = [
        predicted(face("v", text, entity, 0), score)
        for (entity, _), score, text in zip(guess, scores, spell[len(truth) :], strict=True)
    ]
    paths = write_csv(folder / "g.csv", rows), write_csv(folder / "p.csv", body, None)
    error, said, joined = verdict(truth, guess, labels, scores, partial)
    if error:
        with pytest.raises(error) as caught:
            evaluate(*paths, partial=partial)
        assert type(caught.value) is error
        for words in said:
            assert words in caught.value.message
        return
    result = evaluate(*paths, partial=partial)
    assert f"{result.missing} {result.extra}" == said[0]
    positives = sum(label for label, _ in joined)
    assert (result.faces, result.positives) == (len(joined), positives)
    if positives in {0, len(joined)}:
        assert result.average_precision is result.reference_interval is None
        assert result.undefined
        return
    low, high = grouped(joined), grouped(joined, best=True)
    assert result.average_precision == pytest.approx(low, abs=1e-12)
    assert result.reference_interval == pytest.approx((low, high), abs=1e-12)
    count = Counter(score for _, score in joined)
    assert result.ties == sum(number for number in count.values() if number > 1)


# ------------------------------------------------------------------------------ the digest


def base() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve faces of two tracks, every third one speaking, and scores that rise along the rows."""
    truth = pd.DataFrame([face("v", "0", f"v:{i % 2}", int(i % 3 == 0)) for i in range(12)],
                         columns=TEN).astype(dict.fromkeys(TEN[1:6], "float64"))  # fmt: skip
    truth = truth.assign(
        frame_timestamp=[i / 25 for i in range(12)], label_id=truth["label_id"].astype("int64")
    )
    guess = truth[TEN[:8]].assign(label="SPEAKING_AUDIBLE", score=[i / 12 for i in range(12)])
    return truth, guess


# From the top, 11 down to 0, the positives are 9, 6, 3 and 0, at ranks 3, 6, 9 and 12: each
# precision is k / 3k, so that the area is 1/3, which is also the prior.
BASE_AREA = 1 / 3


def digest(truth: pd.DataFrame, guess: pd.DataFrame) -> str:
    parts = evaluate(truth, guess).signature.split("|")
    return next(part for part in parts if part.startswith("gt:"))


def both(change):
    """Make the change in the ground truth and the predictions, so that they still fit."""
    return lambda truth, guess: (change(truth), change(guess))


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("order", lambda t, g: (t[::-1], g), True),
        ("time within a millisecond",
         both(lambda f: f.assign(frame_timestamp=f["frame_timestamp"] + 0.0004)), True),
        ("labels that are no positives",
         lambda t, g: (t.replace({"label": {"NOT_SPEAKING": "SPEAKING_NOT_AUDIBLE"}}), g), True),
        ("another spelling",
         lambda t, g: (t.replace({"label": {"SPEAKING_AUDIBLE": "SPEAKING_AND_AUDIBLE"}}), g),
         True),
        ("scores", lambda t, g: (t, g.assign(score=-g["score"])), True),
        ("boxes", both(lambda f: f.assign(entity_box_x1=0.2)), True),
        ("the video's name", both(lambda f: f.assign(video_id="w")), True),
        ("one label", lambda t, g: (t.assign(label=[t["label"][3], *t["label"][1:3],
                                                    "NOT_SPEAKING", *t["label"][4:]]), g), False),
        ("two labels swapped", lambda t, g: (t.assign(label=np.roll(t["label"], 1)), g), False),
        ("every time by a frame",
         both(lambda f: f.assign(frame_timestamp=f["frame_timestamp"] + 0.04)), False),
        ("one time by a millisecond",
         both(lambda f: f.assign(frame_timestamp=[*f["frame_timestamp"][:11], 0.441])), False),
        ("one entity's name",
         both(lambda f: f.replace({"entity_id": {"v:1": "v:2"}})), False),
        ("two entities' names swapped",
         both(lambda f: f.replace({"entity_id": {"v:1": "v:0", "v:0": "v:1"}})), False),
        ("one face less", both(lambda f: f[:11]), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_digest_is_of_keys_and_positives_alone(name, change, same):
    assert (digest(*change(*base())) == digest(*base())) is same


def test_every_small_ground_truth_has_a_digest_of_its_own():
    """A sum of hashes must not take two faces' labels for each other: all 255 patterns differ."""
    truth, guess = (frame[:8] for frame in base())
    seen = {
        digest(truth.assign(label=np.where([bits >> i & 1 for i in range(8)], "SPEAKING_AUDIBLE",
                                           "NOT_SPEAKING")), guess)
        for bits in range(256)
    }  # fmt: skip
    assert len(seen) == 256


# ------------------------------------------------------------------------------ the intervals


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=2, max_size=6))
def test_the_reference_interval_is_that_of_all_orders_and_chance_that_of_all_shifts(faces):
    labels = [label for label, _ in faces]
    if all(labels) or not any(labels):
        return
    truth, guess = (frame[: len(faces)] for frame in base())
    # One track, so that the order of its times is the order along which scores are shifted.
    truth = truth.assign(
        entity_id="v:0", label=np.where(labels, "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    )
    guess = guess.assign(entity_id="v:0", score=[float(score) for _, score in faces])
    result = evaluate(truth.sample(frac=1, random_state=1), guess)
    areas = {
        float(area(ranked([label for label, _ in order], [score for _, score in order])))
        for order in permutations(faces)
    }
    assert result.reference_interval == pytest.approx((min(areas), max(areas)), abs=1e-12)
    # With fewer than 21 faces every shift but none is among the 20.
    shifted = [
        grouped([(labels[i - shift], float(faces[i][1])) for i in range(len(faces))])
        for shift in range(1, len(faces))
    ]
    assert result.chance_interval == pytest.approx((min(shifted), max(shifted)), abs=1e-12)


def test_scores_at_the_edges_of_float64_are_ranked_as_they_are():
    truth, guess = base()
    edges = [5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 0.0, -0.0, 1.0,
             1.0000000000000002, 0.9999999999999999, 1e-300, -1e-300, 2.0]  # fmt: skip
    result = evaluate(truth, guess.assign(score=edges))
    labels = truth["label"].eq("SPEAKING_AUDIBLE").tolist()
    assert result.ties == 2  # 0 and -0 are equal
    assert result.average_precision == pytest.approx(
        grouped(list(zip(labels, edges, strict=True))), abs=1e-12
    )


# ------------------------------------------------------------------------------ frames


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.set_axis([0] * 12),
        lambda f: f.set_axis(list("aabbccddeeff")),
        lambda f: f.set_index(["video_id", "frame_timestamp"], drop=False),
        lambda f: f.set_axis(pd.Index(TEN[:8] + list(f.columns[8:]), name="column"), axis=1),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: pd.concat([f[:5], f[5:]]).convert_dtypes(dtype_backend="pyarrow"),
        lambda f: pd.concat([f[:5].convert_dtypes(dtype_backend="pyarrow"), f[5:]]),
        lambda f: f.convert_dtypes(),
        lambda f: f.astype(object),
        lambda f: f.astype({"entity_id": "category", "label": "category", "video_id": "category"}),
        lambda f: f.astype({"entity_id": pd.CategoricalDtype(["v:1", "unused", "v:0"])}),
        lambda f: f.astype({"frame_timestamp": "float32", "entity_box_x1": "float32"}),
        lambda f: f.astype(dict.fromkeys(TEN[1:6], str)),
        lambda f: f.assign(remark=object()),
        lambda f: f[f.columns[::-1]],
    ],
    ids=["one index", "twins in the index", "multiindex", "named columns", "pyarrow", "chunks",
         "mixed chunks", "nullable", "object", "category", "unused category", "float32",
         "numbers as text", "another column", "order of columns"],
)  # fmt: skip
def test_frames_of_any_make_are_the_same_faces_and_stay_as_they_are(change):
    truth, guess = (change(frame) for frame in base())
    copies = truth.copy(), guess.copy()
    result = evaluate(truth, guess)
    assert result.average_precision == pytest.approx(BASE_AREA, abs=1e-12)
    assert result.signature == evaluate(*base()).signature
    pd.testing.assert_frame_equal(truth, copies[0])
    pd.testing.assert_frame_equal(guess, copies[1])


def test_whole_seconds_and_yes_or_no_are_numbers():
    truth, guess = base()
    truth, guess = (frame.assign(frame_timestamp=range(12)) for frame in (truth, guess))
    result = evaluate(truth, guess.assign(score=truth["label"].eq("SPEAKING_AUDIBLE")))
    assert result.average_precision == 1.0
    assert result.ties == 12


@pytest.mark.parametrize("hole", [None, float("nan"), pd.NA, pd.NaT, float("inf")], ids=repr)
@pytest.mark.parametrize("column", ["score", "frame_timestamp", "entity_box_x1"])
def test_a_hole_among_the_numbers_of_a_frame_is_a_schema_error(column, hole):
    truth, guess = base()
    broken = guess.astype({column: object})
    broken.loc[3, column] = hole
    with pytest.raises(unitalk.SchemaError, match="predictions"):
        evaluate(truth, broken)


@pytest.mark.parametrize("hole", [None, float("nan"), pd.NA], ids=repr)
@pytest.mark.parametrize(
    "dtype",
    # Before pandas 3, astype("str") makes of a hole the text "nan", which is an id like another.
    [object, "string", "category", *(["str"] if int(pd.__version__.split(".")[0]) > 2 else [])],
)
@pytest.mark.parametrize("column", ["entity_id", "label", "video_id"])
def test_a_hole_among_the_texts_of_a_frame_is_a_schema_error(column, dtype, hole):
    """A left join on the wrong key leaves them."""
    truth, guess = base()
    holes = truth.astype({column: object})
    holes.loc[3, column] = hole
    with pytest.raises(unitalk.SchemaError, match=column):
        evaluate(holes.astype({column: dtype}), guess)


def test_a_column_that_is_there_twice_in_a_frame_is_a_schema_error():
    truth, guess = base()
    with pytest.raises(unitalk.SchemaError, match=r"score.* twice"):
        evaluate(truth, pd.concat([guess, guess[["score"]]], axis=1))


def test_a_frame_is_looked_at_where_a_file_is():
    """`truth.merge(scores, how="left")` makes label_id a float; a file's label_id is not read."""
    truth, guess = base()
    result = evaluate(truth, guess.assign(label_id=1.0, instance_id=""))
    assert result.average_precision == pytest.approx(BASE_AREA, abs=1e-12)
