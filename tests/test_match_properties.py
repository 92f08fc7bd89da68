"""Joining and scoring against a join by dictionary and the area in tests/reference.py."""

from __future__ import annotations

import unicodedata
from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from build import HEADER, face, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import area, ranked

import unitalk
from unitalk import evaluate

TEN = HEADER.split(",")
ACCENTS = {unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")}
# Ids that a careless comparison takes for each other: by prefix, case, number, and accents.
LOOKALIKES = ["v:1", "v:10", "V:1", "v:01", "1", "1.0", "nan", "-v", "v:1-", *sorted(ACCENTS)]
# The same time written in many ways, half-way between two whole milliseconds, exactly one apart,
# and a little more; near both ends of what a file may have.
TIMES = [
    "0", "-0", "0.00049", "0.0005", "0.001", "0.0015", "0.0026", "0.1", "1e-1",
    "0.1000000000000000055", "0.1013", "0.3", "0.30000000000000004", "0.2996", "0.3004", "0.301",
    "0.3006", "0.302", "0.3025", "3999999", "3.999999e6", "3999998.999", "3999999.001",
]  # fmt: skip
EVAL_HEADER = HEADER + ",eval"


def millisecond(text: str) -> int:
    """What a time was before there was a reach: rounded, a half to the even one."""
    return round(float(text) * 1000)


def predicted(row: list[str], score: float) -> list[str]:
    return [*row[:6], "SPEAKING_AUDIBLE", row[7], repr(score)]


def grouped(faces: list[tuple[bool, float]], *, best: bool = False) -> float:
    """The area when tied rows stand in the worst order, or in the best one."""
    ordered = sorted(faces, key=lambda face: face[0] is not best)
    return float(area(ranked([label for label, _ in ordered], [score for _, score in ordered])))


faces_of = st.tuples(st.sampled_from(LOOKALIKES[:4]), st.sampled_from(TIMES))


@st.composite
def problems(draw):
    """Ground truth and predictions that share most faces, each maybe with twins and strangers."""
    pool = draw(st.lists(faces_of, min_size=1, max_size=12))

    def side(others):
        chosen = list(pool) if draw(st.booleans()) else draw(st.lists(st.sampled_from(pool)))
        if draw(st.integers(0, 3)):  # three times of four without a face that is there twice
            chosen = list({(entity, millisecond(text)): (entity, text)
                           for entity, text in chosen}.values())  # fmt: skip
        more = draw(st.lists(others, max_size=2)) if draw(st.booleans()) else []
        return draw(st.permutations([*chosen, *more]))

    def off(face):
        """The same face, another spelling of its time, or one that is about a millisecond off."""
        entity, text = face
        near = [t for t in TIMES if abs(Fraction(t) - Fraction(text)) <= Fraction(3, 2000)]
        return entity, draw(st.sampled_from(near))

    truth = side(faces_of) or pool[:1]
    guess = side(st.tuples(st.sampled_from([*LOOKALIKES, "stranger", "v:2"]), st.just("0.1")))
    guess = guess or pool[:1]
    if draw(st.booleans()):
        guess = [off(face) for face in guess]
    labels = draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    scores = draw(
        st.lists(st.sampled_from([-2.5, 0.0, 0.5, 7.0]), min_size=len(guess), max_size=len(guess))
    )
    counts = [True] * len(truth)
    if draw(st.booleans()):
        counts = draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    return truth, guess, labels, scores, counts, draw(st.booleans())


def by_nearest(truth, guess, pairs) -> bool:
    """Add the pairs of what is left, in exact arithmetic; False where it is open which."""
    left = [g for g in range(len(guess)) if g not in pairs.values()]
    within = {
        g: [t for t, (entity, text) in enumerate(truth) if entity == guess[g][0]
            and abs(Fraction(text) - Fraction(guess[g][1])) <= Fraction(1, 1000)]
        for g in left
    }  # fmt: skip
    reached = Counter(t for found in within.values() for t in found)
    if any(len(found) > 1 or found[0] in pairs or reached[found[0]] > 1
           for found in within.values() if found):  # fmt: skip
        return False
    pairs |= {found[0]: g for g, found in within.items() if found}
    return True


def composed(truth, guess, partial):
    """The predictions under the truth's ids: one id in two forms is one, unless a file has both.

    Where a part is enough, only if no id is known as it is.
    """
    known, own = ({entity for entity, _ in side} for side in (truth, guess))
    here, there = ACCENTS & known, ACCENTS & own
    if len(here) != 1 or len(there) != 1 or (partial and known & own):
        return guess
    return [(min(here) if entity in there else entity, time) for entity, time in guess]


def verdict(truth, guess, counts, partial) -> tuple[type | None, list[str], dict]:
    """What a join by dictionary says: the error's class, what it counts, or the joined faces.

    First comes the rule that knows whole milliseconds alone. What it accepts is accepted; where it
    refuses predictions, those that are left may have a face within a millisecond.
    """
    if not any(counts):
        return unitalk.DataError, ["none is left to score"], {}
    guess = composed(truth, guess, partial)
    known = {entity for entity, _ in truth}
    keys = [[(entity, millisecond(text)) for entity, text in side] for side in (truth, guess)]
    for side in (keys[0], [key for key in keys[1] if key[0] in known]):
        twins = len(side) - len(set(side))
        if twins:
            return unitalk.DataError, [f"{twins} faces are there twice"], {}
    place = {key: g for g, key in enumerate(keys[1]) if key[0] in known}
    pairs = {t: place[key] for t, key in enumerate(keys[0]) if key in place}

    def one_sided():
        missing = [truth[t] for t in range(len(truth)) if counts[t] and t not in pairs]
        extra = [face for g, face in enumerate(guess) if g not in pairs.values()]
        return missing, extra, sum(counts[t] for t in pairs)

    missing, extra, matching = one_sided()
    if (missing or extra) and not (partial and matching):
        if not by_nearest(truth, guess, pairs):
            return unitalk.DataError, ["predictions are ambiguous"], {}
        missing, extra, matching = one_sided()
    if (missing or extra) and not (partial and matching):
        which = " with eval 1" if not all(counts) else ""
        said = [f"{matching} of {sum(counts)} faces{which} match"]
        if missing:
            tracks = len({entity for entity, _ in missing})
            said.append(f"{len(missing)} faces{which} have no prediction, of {tracks} tracks: ")
        if extra:
            tracks = len({entity for entity, _ in extra})
            said.append(f"{len(extra)} predictions have no face in the ground truth, of {tracks}")
        return unitalk.CoverageError, said, {}
    return None, [f"{len(missing)} {len(extra)}"], {t: g for t, g in pairs.items() if counts[t]}


@settings(max_examples=120, deadline=None)
@given(problem=problems())
def test_a_join_by_dictionary_comes_to_the_same_verdict_and_number(problem, tmp_path_factory):
    truth, guess, labels, scores, counts, partial = problem
    folder = tmp_path_factory.getbasetemp()
    rows = [
        [*face("v", text, entity, int(label)), str(int(count))]
        for (entity, text), label, count in zip(truth, labels, counts, strict=True)
    ]
    body = [
        predicted(face("v", text, entity, 0), score)
        for (entity, text), score in zip(guess, scores, strict=True)
    ]
    paths = write_csv(folder / "g.csv", rows, EVAL_HEADER), write_csv(folder / "p.csv", body, None)
    error, said, pairs = verdict(truth, guess, counts, partial)
    if error:
        with pytest.raises(error) as caught:
            evaluate(*paths, partial=partial)
        assert type(caught.value) is error
        for words in said:
            assert words in caught.value.message
        return
    result = evaluate(*paths, partial=partial)
    assert f"{result.missing} {result.extra}" == said[0]
    joined = [(labels[t], scores[g]) for t, g in pairs.items()]
    positives = sum(label for label, _ in joined)
    assert (result.faces, result.positives) == (len(joined), positives)
    # The digest is that of these faces of the ground truth, whatever times are predicted.
    own = [predicted(face("v", truth[t][1], truth[t][0], 0), scores[g]) for t, g in pairs.items()]
    copied = evaluate(paths[0], write_csv(folder / "own.csv", own, None), partial=True)
    assert digest_in(copied.signature) == digest_in(result.signature)
    assert result.average_precision == copied.average_precision
    if positives in {0, len(joined)}:
        assert result.average_precision is result.reference_interval is None
        assert result.undefined
        return
    low, high = grouped(joined), grouped(joined, best=True)
    assert result.average_precision == pytest.approx(low, abs=1e-12)
    assert result.reference_interval == pytest.approx((low, high), abs=1e-12)
    count = Counter(score for _, score in joined)
    assert result.ties == sum(number for number in count.values() if number > 1)


def digest_in(signature: str) -> str:
    return next(part for part in signature.split("|") if part.startswith("gt:"))


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
    return digest_in(evaluate(truth, guess).signature)


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
    """A sum of hashes must not take two faces' labels for each other: all 32 patterns differ."""
    truth, guess = (frame[:5] for frame in base())
    seen = {
        digest(truth.assign(label=np.where([bits >> i & 1 for i in range(5)], "SPEAKING_AUDIBLE",
                                           "NOT_SPEAKING")), guess)
        for bits in range(32)
    }  # fmt: skip
    assert len(seen) == 32


# ------------------------------------------------------------------------------ the intervals


@settings(max_examples=30, deadline=None)
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
        lambda f: f.set_axis(list("aabbccddeeff")),
        lambda f: f.set_axis(pd.Index(TEN[:8] + list(f.columns[8:]), name="column"), axis=1),
        lambda f: pd.concat([f[:5], f[5:]]).convert_dtypes(dtype_backend="pyarrow"),
        lambda f: pd.concat([f[:5].convert_dtypes(dtype_backend="pyarrow"), f[5:]]),
        lambda f: f.convert_dtypes(),
        lambda f: f.astype({"entity_id": "category", "label": "category", "video_id": "category"}),
        lambda f: f.astype({"entity_id": pd.CategoricalDtype(["v:1", "unused", "v:0"])}),
        lambda f: f.astype({"frame_timestamp": "float32", "entity_box_x1": "float32"}),
        lambda f: f.astype(dict.fromkeys(TEN[1:6], str)),
        lambda f: f.assign(remark=object()),
        lambda f: f[f.columns[::-1]],
    ],
    ids=["twins in the index", "named columns", "chunks",
         "mixed chunks", "nullable", "category", "unused category", "float32",
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


@pytest.mark.parametrize("hole", [None, float("nan"), float("inf")], ids=repr)
@pytest.mark.parametrize("column", ["score", "frame_timestamp"])
def test_a_hole_among_the_numbers_of_a_frame_is_a_schema_error(column, hole):
    truth, guess = base()
    broken = guess.astype({column: object})
    broken.loc[3, column] = hole
    with pytest.raises(unitalk.SchemaError, match="predictions"):
        evaluate(truth, broken)


@pytest.mark.parametrize("hole", [None, pd.NA], ids=repr)
@pytest.mark.parametrize(
    "dtype",
    # Before pandas 3, astype("str") makes of a hole the text "nan", which is an id like another.
    [object, "string", "category", *(["str"] if int(pd.__version__.split(".")[0]) > 2 else [])],
)
@pytest.mark.parametrize("column", ["entity_id", "label"])
def test_a_hole_among_the_texts_of_a_frame_is_a_schema_error(column, dtype, hole):
    """A left join on the wrong key leaves them."""
    truth, guess = base()
    holes = truth.astype({column: object})
    holes.loc[3, column] = hole
    with pytest.raises(unitalk.SchemaError, match=column):
        evaluate(holes.astype({column: dtype}), guess)


def test_a_frame_is_looked_at_where_a_file_is():
    """`truth.merge(scores, how="left")` makes label_id a float; a file's label_id is not read."""
    truth, guess = base()
    result = evaluate(truth, guess.assign(label_id=1.0, instance_id=""))
    assert result.average_precision == pytest.approx(BASE_AREA, abs=1e-12)
