"""The parts of the diagnosis: by hand, against slow implementations, and in combination."""

from __future__ import annotations

import gzip
import random as python_random
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import area_fast, ranked
from test_diagnose import BOX, VIDEOS, after, area_of, draw, found, only_problem, percent, write

from unitalk.cli.diagnose import render
from unitalk.schema import from_frame
from unitalk.score.diagnose import Diagnosis, Finding, diagnose, order, pairing
from unitalk.score.diagnose import times as times_of
from unitalk.score.diagnose.boxes import _LAYOUTS, _scale, _sizes
from unitalk.score.diagnose.findings import counted, note, places, problem
from unitalk.score.diagnose.ids import _CHANGES, _letters
from unitalk.score.diagnose.score_values import Scored, Worth
from unitalk.score.diagnose.search import CHECKS


@pytest.fixture(scope="module")
def data():
    return draw(11)


# ------------------------------------------------------------------------------ words


def test_numbers_and_their_nouns():
    assert [counted(n, "face") for n in (0, 1, 2, 1234)] == [
        "0 faces", "1 face", "2 faces", "1,234 faces",
    ]  # fmt: skip


def test_places_are_three_at_most(data):
    faces = from_frame(data.guess, "predictions")
    said = places(faces, range(4, 100), (f"the {n}th" for n in range(100)))
    assert said == [f"the frame of predictions row {4 + n}: the {n}th" for n in range(3)]


def test_the_text_of_a_diagnosis_to_the_letter():
    """Eight columns of status, eleven and a blank of check; what follows hangs below itself."""
    long = "a sentence that does not fit into one line of eighty columns, so that it goes on"
    code = 'predictions["score"] = -predictions["score"]  # a line is not broken, though it is long'
    diagnosis = Diagnosis(
        findings=(
            Finding(check="file", status="ok", what="fine"),
            Finding(
                check="duplicates", status="problem", what=long, examples=("p.csv:3: here",),
                advice="do this", code=f"{code}\nsecond",
            ),
            Finding(check="result", status="note", what="nothing"),
        )
    )  # fmt: skip
    assert render(diagnosis).splitlines() == [
        "ok       file        fine",
        "problem  duplicates  a sentence that does not fit into one line of eighty",
        "                     columns, so that it goes on",
        "                     p.csv:3: here",
        "                     -> do this",
        f"    {code}",
        "    second",
        "note     result      nothing",
        "1 problem",
    ]
    assert [finding.check for finding in diagnosis.problems] == ["duplicates"]


def test_nothing_that_a_terminal_obeys_is_told():
    r"""A bell, a NUL and the escape that colours text come as \\x07, \\x00 and \\x1b."""
    for finding in (
        note("ids", "a\x07\x00b\u202e"),
        problem("ids", "a\x07\x00b\u202e", advice="x"),
    ):
        assert finding.what == r"a\x07\x00b\u202e"
    said = problem("ids", "fine: \u00e9 \u4e2d", examples=["\x1b[31mred"], advice="x")
    assert (said.what, said.examples) == ("fine: \u00e9 \u4e2d", (r"\x1b[31mred",))


# ------------------------------------------------------------------------------ pairs


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.lists(st.integers(0, 12), min_size=1, max_size=15),
)
def test_pairs_are_those_of_a_dictionary(truth, keys):
    place: dict[int, int] = {}
    for row, key in enumerate(truth):
        place.setdefault(key, row)
    seen: set[int] = set()
    wanted = []
    for key in keys:
        again = key in seen
        seen.add(key)
        wanted.append((pairing.NOBODY if again else place.get(key, pairing.NOBODY), again))
    partners, repeats = pairing.pair(np.array(truth), np.array(keys))
    assert list(zip(partners.tolist(), repeats.tolist(), strict=True)) == wanted


def test_keys_put_the_track_before_the_time():
    """2**32 milliseconds are 49 days, longer than any time that the schema takes."""
    keys = pairing.keys_of(np.array([0, 0, 1]), np.array([7, 3_999_999_999, 0]))
    assert keys.tolist() == [7, 3_999_999_999, 4_294_967_296]


random_rows = st.lists(st.integers(0, 39), max_size=25)


@settings(max_examples=40)
@given(random_rows, random_rows, st.integers(0, 3))
@example([36, 37, 38, 39], [35], 0)  # a face at 1 s, twice: not the next one's time, rounded
def test_coverage_and_duplicates_count_what_sets_count(dropped, doubled, strangers):
    """Forty faces of eight tracks; some predictions dropped, some doubled, some of nobody."""
    truth = pd.DataFrame(
        [[f"v{i // 20}", round(1 + (i % 5) * 0.04, 2), 0.1, 0.1, 0.2, 0.2,
          "SPEAKING_AUDIBLE" if i % 3 else "NOT_SPEAKING", f"v{i // 20}:{i // 5}"]
         for i in range(40)],
        columns=["video_id", "frame_timestamp", *BOX, "label", "entity_id"],
    )  # fmt: skip
    good = truth.assign(label="SPEAKING_AUDIBLE", score=np.arange(40.0))
    kept = good.drop(index=sorted(set(dropped)))
    doubles = kept.loc[[row for row in doubled if row in kept.index]]
    extra = good[:strangers].assign(entity_id="nobody:77")
    guess = pd.concat([kept, doubles, extra], ignore_index=True)
    if guess.empty:
        return
    diagnosis = diagnose(truth, guess)
    coverage = found(diagnosis, "coverage")
    missing = len(set(dropped))
    assert (coverage.status == "problem") == bool(missing or strangers)
    if kept.empty:
        assert "not one of the" in coverage.what
        return
    # Videos, tracks and single faces: what they are said to lack is all that is missing.
    said = [text for text in coverage.what.split("; ") if "nobody" not in text]
    if missing and "more" not in coverage.what:
        sizes = [re.search(r", (\d+) faces?$", text) for text in said]
        assert sum(int(size[1]) for size in sizes if size) == missing
    if strangers:
        noun = "1 prediction is" if strangers == 1 else f"{strangers} predictions are"
        assert f"{noun} for no face of the ground truth, of 1 track: nobody:77" in coverage.what
    twice = found(diagnosis, "duplicates")
    assert (twice.status == "problem") == bool(len(doubles))
    if len(doubles):
        assert twice.what.startswith(counted(len(doubles), "prediction"))
        assert twice.what.endswith("each with the same label, box and score")


# ------------------------------------------------------------------------------ times


def tiny(times: list[float], said: list[float], *, tracks: list[int] | None = None) -> Diagnosis:
    """Faces at some times, of one track or of several, and predictions that say other times."""
    tracks = tracks or [0] * len(times)
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": times,
        **dict.fromkeys(BOX, 0.1),
        "label": ["SPEAKING_AUDIBLE" if i % 2 else "NOT_SPEAKING" for i in range(len(times))],
        "entity_id": [f"v:{track}" for track in tracks],
    })  # fmt: skip
    guess = truth.assign(frame_timestamp=said, label="SPEAKING_AUDIBLE", score=range(len(said)))
    return diagnose(truth, guess)


def test_rounded_times_by_hand():
    """Half up, half down and half to even all count as rounding; so does cutting off.

    face     0.25  0.35  0.45  1.00
    rounded  0.3   0.4   0.4   1.0     by hand, from numpy, from printf
    cut off  0.2   0.3   0.4   1.0
    """
    times = [0.25, 0.35, 0.45, 1.0]
    for said, words in (([0.3, 0.4, 0.4, 1.0], "are rounded to 1 decimal"),
                        ([0.2, 0.4, 0.5, 1.0], "are rounded to 1 decimal"),
                        ([0.2, 0.3, 0.4, 1.0], "are rounded to 1 decimal"),
                        ([0.2, 0.3, 0.4, 0.8], None)):  # fmt: skip
        finding = found(tiny(times, said), "times")
        assert (finding.status == "problem") == (words is not None)
        assert words is None or words in finding.what
    cut = tiny([0.28, 0.36, 0.49, 1.0], [0.2, 0.3, 0.4, 1.0])
    assert "are cut off after 1 decimal" in only_problem(cut, "times").what


def test_two_predictions_that_became_one_by_rounding_are_no_duplicates():
    """0.04 and 0.08 s are 0.0 and 0.1; 0.12 s is 0.1 as well, and in file order the later one."""
    finding = only_problem(tiny([0.04, 0.08, 0.12, 0.2], [0.0, 0.1, 0.1, 0.2]), "times")
    assert finding.what.startswith("3 predictions of 1 track are at times that are rounded")
    assert finding.examples == (
        "the frame of predictions row 0: 0 where the face is at 0.04 s",
        "the frame of predictions row 1: 0.1 where the face is at 0.08 s",
        "the frame of predictions row 2: 0.1 where the face is at 0.12 s",
    )


def test_an_explanation_that_leaves_a_fifth_unexplained_is_none():
    """Nine of ten faces must fit. Of ten, one stays behind: explained; of five: not."""
    ten = [round(5 + 0.04 * i, 2) for i in range(10)]
    shifted = [round(t + 0.4, 2) for t in ten]
    assert "shifted: 0.4 s too late" in found(tiny(ten, [*shifted[:9], 7.777]), "times").what
    five = tiny(ten[:5], [*shifted[:4], 7.777])
    assert found(five, "times").status == "note"
    assert "neither rounding nor a shift" in found(five, "times").what


def test_a_shift_that_no_key_can_see_is_none():
    """A third of a millisecond is the same key."""
    assert tiny([0.04, 0.08, 0.12], [0.0403, 0.0803, 0.1203]).problems == ()


@settings(max_examples=40)
@given(st.integers(2, 400), st.sampled_from([-1, 1]), st.integers(0, 1000))
def test_any_shift_is_named_with_its_size(milliseconds, sign, seed):
    """Tracks begin 1 s into their video at the earliest, so that no time becomes negative."""
    random = np.random.default_rng(seed)
    times = np.round(1 + np.cumsum(random.integers(1, 9, 12)) * 0.083, 3)
    said = np.round(times + sign * milliseconds / 1000, 3)
    finding = found(tiny(times.tolist(), said.tolist()), "times")
    assert finding.status == "problem"
    if "shifted" in finding.what:  # a small one on coarse times may look like rounding
        assert f"{milliseconds / 1000:.3g} s too {'late' if sign > 0 else 'early'}" in finding.what
    else:
        assert re.search("rounded|cut off", finding.what)


def test_each_frame_rate_is_told_from_the_others(data):
    """Late in a video 24 and 23.976 frames a second are far apart."""
    times = data.truth["frame_timestamp"] + 900
    late = data.truth.assign(frame_timestamp=times.round(3))
    for fps in (23.976, 24, 25, 29.97, 30, 50, 60):
        exact = {23.976: 24_000 / 1001, 29.97: 30_000 / 1001}.get(fps, fps)
        guess = data.guess.assign(frame_timestamp=(late["frame_timestamp"] * exact).round())
        said = only_problem(diagnose(late, guess), "times").what
        assert f"numbers of frames, {fps:g} a second, from 0 on" in said


def slowly(faces: list[float], said: list[float], below: float, above: float) -> int:
    """How many of one track's predictions can have a face each: all ways, by recursion."""
    if not faces or not said:
        return 0
    first, low, high = faces[0], said[0] - below - 1e-9, said[0] + above + 1e-9
    without = max(slowly(faces[1:], said, below, above), slowly(faces, said[1:], below, above))
    if low <= first <= high:
        return max(without, 1 + slowly(faces[1:], said[1:], below, above))
    return without


@settings(max_examples=80)
@given(
    st.lists(st.lists(st.integers(0, 12), max_size=5), min_size=2, max_size=3),
    st.lists(st.lists(st.integers(0, 12), max_size=5), min_size=2, max_size=3),
    st.integers(0, 2), st.integers(0, 2),
)  # fmt: skip
def test_predictions_are_laid_on_as_many_faces_as_possible(truth, guess, below, above):
    """Tenths of seconds of a few tracks; each face is given once, in order, and in its window."""
    tracks = min(len(truth), len(guess))
    faces = [sorted(set(times)) for times in truth[:tracks]]
    said = [sorted(times) for times in guess[:tracks]]
    codes = np.repeat(np.arange(tracks), [len(times) for times in faces])
    rows = np.repeat(np.arange(tracks), [len(times) for times in said])
    true, seen = (np.array([t for times in side for t in times], float) / 10
                  for side in (faces, said))  # fmt: skip
    side = times_of._Tracks(
        np.arange(len(codes)), codes, true, np.arange(len(rows)), rows, seen,
        np.zeros(len(rows), bool),
    )  # fmt: skip
    change = times_of._Change("", seen, below / 10, above / 10)
    most = sum(
        slowly([t / 10 for t in ours], [t / 10 for t in theirs], below / 10, above / 10)
        for ours, theirs in zip(faces, said, strict=True)
    )
    for laid in side.lay(change):
        there = laid != pairing.NOBODY
        assert there.sum() == most
        assert (np.diff(laid[there]) > 0).all()
        assert codes[laid[there]].tolist() == rows[there].tolist()
        off = seen[there] - true[laid[there]]
        assert (off >= -above / 10 - 1e-9).all()
        assert (off <= below / 10 + 1e-9).all()


def test_predictions_that_leave_a_choice_go_where_their_boxes_are():
    """0.36, 0.40 and 0.44 s are all 0.4; of three faces the first, or the last, has no prediction.

    face      0.36  0.40  0.44    1.08 ... 1.88, one face every 0.1 s, of which none is cut off
    box          1     2     3
    said       -     0.4   0.4    which is 1 2, or 2 3: the boxes 2 and 3 say so
    """
    times = [0.36, 0.40, 0.44, *(round(1.08 + i / 10, 2) for i in range(9))]
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": times,
        "entity_box_x1": np.arange(12) / 20, "entity_box_y1": 0.1,
        "entity_box_x2": np.arange(12) / 20 + 0.1, "entity_box_y2": 0.2,
        "label": ["SPEAKING_AUDIBLE", "NOT_SPEAKING"] * 6, "entity_id": "v:0",
    })  # fmt: skip
    guess = truth.assign(frame_timestamp=truth["frame_timestamp"].round(1), score=range(12))
    for gone in (0, 2):
        diagnosis = diagnose(truth, guess.drop(index=gone).assign(label="SPEAKING_AUDIBLE"))
        assert "rounded to 1 decimal" in found(diagnosis, "times").what
        assert found(diagnosis, "boxes").status == "ok"
        assert f"at {times[gone]:g} s" in found(diagnosis, "coverage").examples[0]


@pytest.mark.parametrize("change", [lambda t: t.round(1), lambda t: t.round(0)])
def test_a_face_that_is_mistaken_for_its_neighbour_has_no_wrong_box(data, change):
    """Shuffled rows at rounded times: which of three faces one is for, nobody knows."""
    guess = data.guess.assign(frame_timestamp=change(data.guess["frame_timestamp"]))
    guess = guess.sample(frac=1, random_state=1)
    assert [f.check for f in diagnose(data.truth, guess).problems] == ["times"]
    wrong = guess.copy()
    wrong.iloc[7, wrong.columns.get_loc(BOX[2])] += 0.05
    diagnosis = diagnose(data.truth, wrong)
    assert [f.check for f in diagnosis.problems] == ["times", "boxes"]
    assert found(diagnosis, "boxes").what.startswith(f"1 of {len(guess):,} boxes")


def test_a_shift_is_taken_off_with_the_sign_that_one_reads(data):
    """0.04 s too early: 0.04 is added, and nothing is taken off twice negated."""
    early = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] - 0.04)
    column = 'predictions["frame_timestamp"]'
    assert only_problem(diagnose(data.truth, early), "times").code == f"{column} = {column} + 0.04"
    late = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] + 1234.568)
    code = only_problem(diagnose(data.truth, late), "times").code
    assert code == f"{column} = {column} - 1234.568"


def test_a_line_for_one_video_names_it(data):
    inside = data.guess["video_id"] == VIDEOS[1]
    broken = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] + 0.2 * inside)
    finding = only_problem(diagnose(data.truth, broken), "times")
    column = 'predictions["frame_timestamp"]'
    assert finding.code == (
        f"{column} = ({column} - 0.2).where("
        f"predictions[\"video_id\"].isin(['{VIDEOS[1]}']), {column})"
    )
    assert finding.what.startswith(f"{inside.sum()} predictions of 12 tracks are at times")
    without = only_problem(diagnose(data.truth, broken.drop(columns="video_id")), "times")
    assert without.code is None
    some = data.guess["entity_id"].str.endswith("1")  # 1 and 11 of each video: no video is whole
    broken = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] + 0.2 * some)
    assert only_problem(diagnose(data.truth, broken), "times").code is None


def test_a_line_that_does_not_restore_the_times_is_not_given(data):
    """Frames counted at 30 a second lie between those of 25: dividing does not bring these back."""
    broken = data.guess.assign(frame_timestamp=(data.guess["frame_timestamp"] * 30).round())
    finding = only_problem(diagnose(data.truth, broken), "times")
    assert "30 a second" in finding.what
    assert finding.code is None


def test_times_below_zero_that_nothing_explains_are_refused(data):
    """Forty faces at random times below 0 are no shift; the message is that of the reader."""
    times = -np.random.default_rng(0).random(len(data.guess))
    diagnosis = diagnose(data.truth, data.guess.assign(frame_timestamp=times))
    assert "frame_timestamp" in only_problem(diagnosis, "times").what
    assert "not checked" in found(diagnosis, "coverage").what


# ------------------------------------------------------------------------------ ids


def test_every_change_undoes_what_it_says():
    """What a program does to an id, and which of the changes takes it back."""
    video, entity = "a_b-C.d", "a_b-C.d:7"
    for name in ("a_b-C.d_7", "a_b-C.d-7", "a_b-C.d.7", "a_b-C.d%3A7", " a_b-C.d:7\t",
                 "x/y/a_b-C.d:7", "c:\\x\\a_b-C.d:7", "a_b-C.d:7.png", "a_b-C.d:7:0", "7",
                 "a_b-C.d 7", "a_b-C.d\uff1a7", "a_b-C.d|7", "a_b-C.d;7"):  # fmt: skip
        assert entity in {change.undo(name, video) for change in _CHANGES}, name


def test_no_separator_is_taken_within_a_videos_id():
    """Behind a colon there is nothing to mend, whatever stands before it."""
    for change in _CHANGES:
        if change.by == r":\1":
            assert change.undo("a_b-c.d:7", "v") == "a_b-c.d:7"


def test_the_letters_of_an_id():
    assert _letters("Ab-C_d:007") == _letters("ab.c%5fD 7") == "ab_c_d_7"
    assert _letters("v:10") != _letters("v:1")
    assert _letters("v:0") == "v_0"


def test_ids_whose_letters_are_shared_are_not_guessed(data):
    """Two videos that differ in capitals only: small letters say not which one is meant."""
    twin = data.truth.assign(
        video_id=data.truth["video_id"].str.swapcase(),
        entity_id=data.truth["entity_id"].str.swapcase(),
    )
    truth = pd.concat([data.truth, twin], ignore_index=True)
    both = pd.concat([data.guess, data.guess], ignore_index=True)
    guess = both.assign(entity_id=truth["entity_id"].str.lower(), video_id="")
    guess = guess.drop(columns="video_id")
    diagnosis = diagnose(truth, guess)
    assert found(diagnosis, "ids").status == "note"
    assert "coverage" in [finding.check for finding in diagnosis.problems]


# ------------------------------------------------------------------------------ boxes


def test_the_size_of_a_frame_from_whole_pixels():
    """int() takes half a pixel off every edge on average; the slope does not see it."""
    edges = np.linspace(0.1, 0.9, 500)
    for size in (240, 720, 1080, 1919, 3840):
        for pixels in (np.floor(edges * size), np.rint(edges * size), edges * size):
            assert _scale(edges, pixels) == size
    assert _scale(edges, edges) == 1
    assert _scale(np.full(3, 0.5), np.full(3, 300.0)) == 1  # one edge says nothing


def test_layouts_by_hand():
    """One box, from (.2, .3) to (.6, .8): .4 wide and .5 high, its middle at (.4, .55)."""
    box = np.array([[0.2, 0.3, 0.6, 0.8]])
    made = {layout.name: layout.of(box)[0].round(12).tolist() for layout in _LAYOUTS}
    assert made == {
        "x1, y1, x2, y2": [0.2, 0.3, 0.6, 0.8],
        "x, y, width, height": [0.2, 0.3, 0.4, 0.5],
        "centre x, centre y, width, height": [0.4, 0.55, 0.4, 0.5],
        "y1, x1, y2, x2": [0.3, 0.2, 0.8, 0.6],
        "x1, x2, y1, y2": [0.2, 0.6, 0.3, 0.8],
        "x2, y2, x1, y1": [0.6, 0.8, 0.2, 0.3],
        "x2, y1, x1, y2": [0.6, 0.3, 0.2, 0.8],
        "x1, y2, x2, y1": [0.2, 0.8, 0.6, 0.3],
    }


def test_sizes_are_counted_by_group():
    random = np.random.default_rng(0)
    corners = random.random((60, 4))
    groups = np.repeat([0, 1, 2], 20).astype(np.int32)
    scale = np.repeat([[1280, 720], [640, 480], [1280, 720]], 20, axis=0)[:, [0, 1, 0, 1]]
    across = np.array([True, False, True, False])
    assert _sizes(corners, corners * scale, groups, across) == Counter(
        {(1280.0, 720.0): 2, (640.0, 480.0): 1}
    )
    one_group = np.zeros(60, np.int32)
    assert _sizes(corners, corners * scale, one_group, across) is None


@pytest.mark.parametrize(("share", "explained"), [(0.03, True), (0.1, False)])
def test_a_layout_must_explain_nearly_all_boxes(data, share, explained):
    """Nineteen of twenty: three wild ones in a hundred are overlooked, ten are not."""
    random = np.random.default_rng(1)
    boxes = np.rint(data.truth[BOX].to_numpy() * [1280, 720, 1280, 720])
    wild = random.permutation(len(boxes))[: round(share * len(boxes))]
    boxes[wild] = random.uniform(100, 500, (len(wild), 4))
    broken = data.guess.assign(**dict(zip(BOX, boxes.T, strict=True)))
    said = only_problem(diagnose(data.truth, broken), "boxes").what
    assert ("look like pixels" in said) == explained
    assert ("in no way known" in said) == (not explained)


def test_boxes_in_percent_are_no_pixels(data):
    broken = data.guess.assign(**{name: data.guess[name] * 100 for name in BOX})
    said = only_problem(diagnose(data.truth, broken), "boxes").what
    assert said.endswith("they look like percent of the frame; 0 to 1 is wanted")


@pytest.mark.parametrize("edges", [(0, 2, 1, 3), (2, 1, 0, 3), (0, 3, 2, 1)])
def test_edges_in_another_order_are_named(data, edges):
    """The edges are x1 y1 x2 y2; what stands in each place."""
    names = ["x1", "y1", "x2", "y2"]
    boxes = data.truth[BOX].to_numpy()[:, edges]
    said = only_problem(
        diagnose(data.truth, data.guess.assign(**dict(zip(BOX, boxes.T, strict=True)))), "boxes"
    ).what
    assert f"they look like {', '.join(names[edge] for edge in edges)} where" in said


def test_edges_in_two_heaps_have_no_size():
    """The rest of the line through the heaps' medians is 0 or 800; no edge lies at its median."""
    wanted = np.array([0.1, 0.1, 0.9, 0.9])
    assert _scale(wanted, np.array([100.0, 900.0, 100.0, 900.0])) == 1


# ------------------------------------------------------------------------------ order


def scored(rows: list[tuple[str, int]], *, labels=None, scores=None) -> Scored:
    """Faces of (track, milliseconds) in the order given; a track's video is its first letter."""
    names = list(dict.fromkeys(track for track, _ in rows))
    titles = list(dict.fromkeys(name[0] for name in names))
    count = len(rows)
    return Scored(
        tracks=np.array([names.index(track) for track, _ in rows], np.int32),
        names=names,
        videos=np.array([titles.index(track[0]) for track, _ in rows], np.int32),
        titles=titles,
        moments=np.array([moment for _, moment in rows]),
        places=np.arange(count),
        labels=np.array(labels or [False] * count, bool),
        scores=np.array(scores or range(count), float),
    )


SEVEN = [("b10", 40), ("b10", 80), ("b2", 40), ("a1", 0), ("b2", 80), ("a1", 40), ("b2", 0)]
"""Rows 0 to 6: track b10 has two, b2 three (row 6 is its first in time), a1 two."""

LAID = {
    "tracks sorted by id as text": [3, 5, 0, 1, 6, 2, 4],
    "tracks sorted by id, numbers as numbers": [3, 5, 6, 2, 4, 0, 1],
    "tracks sorted by id without regard to capitals": [3, 5, 0, 1, 6, 2, 4],
    "tracks one after the other": [0, 1, 6, 2, 4, 3, 5],
    "videos sorted by id, tracks as in the file": [3, 5, 0, 1, 6, 2, 4],
    "videos sorted by id, tracks by number": [3, 5, 6, 2, 4, 0, 1],
    "videos as in the file, tracks sorted as text": [0, 1, 6, 2, 4, 3, 5],
    "videos as in the file, tracks by number": [6, 2, 4, 0, 1, 3, 5],
    "tracks sorted by length": [0, 1, 3, 5, 6, 2, 4],
    "tracks sorted by length, then by id": [3, 5, 0, 1, 6, 2, 4],
    "tracks sorted by length, longest first": [6, 2, 4, 0, 1, 3, 5],
    "tracks sorted by length, longest first, then by id downwards": [6, 2, 4, 0, 1, 3, 5],
    "tracks in the reverse order": [3, 5, 6, 2, 4, 0, 1],
    "tracks sorted by id, backwards": [6, 2, 4, 0, 1, 3, 5],
    "tracks moved up by one": [6, 2, 4, 3, 5, 0, 1],
    "tracks moved down by one": [3, 5, 0, 1, 6, 2, 4],
    "rows frame by frame, videos as in the file": [6, 0, 2, 1, 4, 3, 5],
    "rows sorted by video, time and id": [3, 5, 6, 0, 2, 1, 4],
    "rows sorted by time and id": [3, 6, 5, 0, 2, 1, 4],
    "rows sorted by time": [3, 6, 0, 2, 5, 1, 4],
    "rows sorted by video and time": [3, 5, 6, 0, 2, 1, 4],
    "videos sorted by id, backwards, tracks as in the file": [0, 1, 6, 2, 4, 3, 5],
    "videos in the reverse order, tracks as in the file": [3, 5, 0, 1, 6, 2, 4],
    "videos in the reverse order, tracks by number": [3, 5, 6, 2, 4, 0, 1],
    "rows from the last to the first": [6, 5, 4, 3, 2, 1, 0],
    "each track from its end to its start": [1, 0, 4, 2, 6, 5, 3],
    "rows moved up by one": [1, 2, 3, 4, 5, 6, 0],
    "rows moved down by one": [6, 0, 1, 2, 3, 4, 5],
}
"""The order in which the rows of SEVEN stand, worked out by hand."""


@pytest.mark.parametrize("name", LAID)
def test_each_order_by_hand(name):
    faces = scored(SEVEN)
    base = order._Order("as it is", "", np.arange(7))
    laid = {found.name: found.rows.tolist() for found in order._orders(faces, base)}
    assert laid[name] == LAID[name]


def test_orders_are_permutations_that_have_a_cause():
    faces = scored(SEVEN)
    laid = list(order._orders(faces, order._Order("", "", np.array([4, 2, 6, 0, 5, 1, 3]))))
    assert all(sorted(one.rows.tolist()) == list(range(7)) for one in laid)
    assert all(one.cause for one in laid)
    assert len({one.name for one in laid}) == len(laid)


def test_first_appearance_is_that_of_the_order_that_one_looks_from():
    """Seen from row 4 on, track b2 is first, then b10, then a1."""
    base = order._Order("", "", np.array([4, 2, 6, 0, 5, 1, 3]))
    laid = {found.name: found.rows.tolist() for found in order._orders(scored(SEVEN), base)}
    assert laid["tracks one after the other"] == [6, 2, 4, 0, 1, 3, 5]
    assert laid["rows moved up by one"] == [2, 6, 0, 5, 1, 3, 4]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("019"), st.integers(0, 30)),
                min_size=1, max_size=20, unique=True))  # fmt: skip
def test_the_columns_that_are_named_give_the_order(rows):
    """What pandas makes of `sort_values` with the columns that an order gives."""
    faces = scored([(video + number, moment) for video, number, moment in rows])
    frame = pd.DataFrame({
        "video_id": [faces.titles[v] for v in faces.videos],
        "frame_timestamp": faces.moments, "entity_id": [faces.names[t] for t in faces.tracks],
    })  # fmt: skip
    laid = list(order._orders(faces, order._Order("", "", np.arange(len(rows)))))
    simple = [one for one in laid if one.columns]
    assert len(simple) == 5
    for one in simple:
        index = frame.sort_values(list(one.columns), kind="stable").index
        assert one.rows.tolist() == index.tolist()


def test_numbers_within_ids_are_numbers():
    names = ["v:10", "v:9", "v:09x", "v10:1", "v9:1", "v:", "7"]
    assert sorted(names, key=order._natural) == ["7", "v9:1", "v10:1", "v:", "v:9", "v:09x", "v:10"]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=15))
def test_ranks_are_shared_by_equal_scores(values):
    """Of each score: how many lie below, and half of those that are equal, less the middle."""
    ranks = order._ranks(np.array(values, float))
    wanted = [
        sum(other < value for other in values) + values.count(value) / 2 - len(values) / 2
        for value in values
    ]
    assert ranks.tolist() == pytest.approx(wanted)
    assert sum(ranks) == pytest.approx(0)


def test_the_best_fit_is_the_one_with_the_largest_area_under_the_roc():
    """Positives' ranks summed are the area under the ROC curve, times a constant, plus one."""
    random = np.random.default_rng(3)
    rows = [(f"{'ab'[t % 2]}{t}", 40 * i) for t in (3, 1, 2, 0) for i in range(10)]
    faces = scored(rows, labels=(random.random(40) < 0.5).tolist(),
                   scores=random.normal(size=40).tolist())  # fmt: skip
    for fit in order._fits(faces):
        labels, scores = faces.labels[fit.made.rows], faces.scores[fit.written.rows]
        high, low = scores[labels], scores[~labels]
        roc = np.mean(high[:, None] > low[None, :])
        signed = -fit.strength if fit.turned else fit.strength
        assert signed == pytest.approx((roc - 0.5) * len(high) * len(low))


# ------------------------------------------------------------------------------ in combination


def in_pixels(frame: pd.DataFrame) -> pd.DataFrame:
    sizes = zip(BOX, [1920, 1080, 1920, 1080], strict=True)
    return frame.assign(**{name: (frame[name] * size).round() for name, size in sizes})


BREAKS = {
    "ids": [
        lambda f: f.assign(entity_id=f["entity_id"].str.replace(":", "_")),
        lambda f: f.assign(entity_id=f["entity_id"].str.split(":").str[1]),
        lambda f: f.assign(entity_id="val/" + f["entity_id"] + ".npy"),
    ],
    "times": [
        lambda f: f.assign(frame_timestamp=f["frame_timestamp"].round(1)),
        lambda f: f.assign(frame_timestamp=(f["frame_timestamp"] * 25).round() + 1),
        lambda f: f.assign(frame_timestamp=f["frame_timestamp"] + 0.04),
    ],
    "coverage": [
        lambda f: f[f["video_id"] != VIDEOS[1]],
        lambda f: f[~f["entity_id"].str.contains("9", regex=False)],
    ],
    "boxes": [in_pixels, lambda f: f.assign(**dict.fromkeys(BOX, 0.5))],
    "labels": [lambda f: f.assign(label=np.where(f["score"] > 0.5, "SPEAKING_AUDIBLE",
                                                 "NOT_SPEAKING"))],
    "scores": [lambda f: f.assign(score=0.5), lambda f: f.assign(score=1 - f["score"]),
               lambda f: f.assign(score=f["score"].round(1))],
}  # fmt: skip
"""By check, ways to make it the one that complains. In this order they do not disturb each other:
coverage goes first, as the others change what it looks at."""


@pytest.mark.parametrize("seed", range(40))
def test_any_set_of_causes_is_named_and_no_other(data, seed):
    random = python_random.Random(seed)
    chosen = {check for check in BREAKS if random.random() < 0.45}
    broken = data.guess
    for check in ("coverage", "labels", "scores", "boxes", "times", "ids"):
        if check in chosen:
            broken = random.choice(BREAKS[check])(broken)
    if seed % 2:
        broken = broken.reset_index(drop=True)
    diagnosis = diagnose(data.truth, broken)
    assert [f.check for f in diagnosis.problems] == [c for c in CHECKS if c in chosen]


@pytest.mark.parametrize("seed", range(12))
def test_good_predictions_are_good_whatever_was_drawn(seed):
    drawn = draw(100 + seed)
    guess = drawn.guess.sample(frac=1, random_state=seed) if seed % 2 else drawn.guess
    assert diagnose(drawn.truth, guess).problems == ()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_does_not_hang_on_the_order_of_the_rows(seed):
    """But for the places, which go by row, and the orders, of which the file's own is one."""
    drawn = draw(3)
    gone = drawn.guess.drop(index=[5, 6, 400]).assign(label=drawn.truth["label"])
    rows = list(gone.index)
    python_random.Random(seed).shuffle(rows)
    one, two = diagnose(drawn.truth, gone), diagnose(drawn.truth, gone.loc[rows])
    for check in set(CHECKS) - {"order"}:
        assert found(one, check).what == found(two, check).what


@pytest.mark.parametrize(
    "scale", [lambda s: 3 * s + 1, lambda s: np.log(s / (1 - s)), lambda s: s**3]
)
def test_a_strictly_increasing_map_of_misordered_scores_changes_nothing(scale):
    drawn = draw(5)
    rows = drawn.truth.sort_values(["entity_id", "frame_timestamp"], kind="stable").index
    pasted = drawn.guess["score"].to_numpy()[rows]
    said = only_problem(diagnose(drawn.truth, drawn.guess.assign(score=scale(pasted))), "order")
    assert f"they get {percent(drawn.area)} instead of" in said.what


RESTORED = {
    **{f"ids {i}": ("ids", change) for i, change in enumerate(BREAKS["ids"])},
    "times": ("times", BREAKS["times"][2]),
    "scores": ("scores", BREAKS["scores"][1]),
    "order": ("order", lambda f: f.assign(
        score=f["score"].to_numpy()[np.lexsort((f["frame_timestamp"], f["entity_id"]))])),
    "order upside down": ("order", lambda f: f.assign(
        score=1 - f["score"].to_numpy()[np.lexsort((f["frame_timestamp"], f["entity_id"]))])),
    "twice": ("duplicates", lambda f: pd.concat([f, f])),
}  # fmt: skip
"""Causes that a line takes back altogether; those of scores first, as in `BREAKS`."""


@pytest.mark.parametrize("kind", ["as they come", "categories", "one index"])
@pytest.mark.parametrize("name", RESTORED)
def test_every_line_that_is_given_does_what_it_says(data, name, kind):
    """On plain frames, on those of `read_predictions`, and where an index says nothing."""
    check, change = RESTORED[name]
    broken = change(data.guess)
    if kind == "categories":
        broken = broken.astype({"entity_id": "category", "video_id": "category"})
    elif kind == "one index":
        broken.index = [0] * len(broken)
    mended = after(only_problem(diagnose(data.truth, broken), check), broken)
    diagnosis = diagnose(data.truth, mended)
    assert diagnosis.problems == ()
    assert percent(data.area) in found(diagnosis, "result").what


@pytest.mark.parametrize("extra", ["a stranger", "rounded times", "other videos"])
def test_no_line_sorts_rows_that_it_cannot_sort(data, extra):
    """Sorting needs each row's face, its times, and here its video, as the ground truth has them.

    One row that is for no face moves all behind it; rounded times are sorted otherwise.
    """
    keys = ["video_id", "frame_timestamp", "entity_id"]
    order_of = data.truth.sort_values(keys, kind="stable").index
    broken = data.guess.assign(score=data.guess["score"].to_numpy()[order_of])
    assert only_problem(diagnose(data.truth, broken), "order").code
    if extra == "a stranger":
        broken = pd.concat([broken, broken[:1].assign(entity_id="nobody:0")], ignore_index=True)
    elif extra == "rounded times":
        broken["frame_timestamp"] = broken["frame_timestamp"].round(1)
    else:
        broken["video_id"] = broken["video_id"].map({v: str(i) for i, v in enumerate(VIDEOS)})
    finding = found(diagnose(data.truth, broken), "order")
    assert "made for rows sorted by video, time and id" in finding.what
    assert finding.code is None


def test_two_orders_that_fit_as_well_are_both_told():
    """Runs of five faces speak or not; the orders differ in two faces that do not speak."""
    labels = [bool(i // 5 % 2) for i in range(200)]
    rows = [(f"a{t:02}", 40 * i) for t in range(20) for i in range(10)]
    good = np.array(labels) + 0.001 * np.arange(200)
    faces = scored(rows, labels=labels, scores=np.roll(good, 50).tolist())
    as_is = order._Order("as it is", "", np.arange(200))
    right, swapped = np.roll(np.arange(200), 50), np.roll(np.arange(200), 50)
    swapped[[53, 54]] = swapped[[54, 53]]  # faces 3 and 4
    one, two, other = (
        order._Fit(1.0, order._Order(name, "c", made), as_is, "c", turned=False)
        for name, made in (("one", right), ("two", swapped), ("other", np.roll(right, 5)))
    )
    best = one.on(faces)
    assert best.tolist() == good.tolist()
    assert not order._is_worse(faces, two, best)
    assert order._is_worse(faces, other, best)  # every run is the other's
    assert order._is_worse(faces, one, best)  # the same in other words is no rival
    worth = Worth(area=0.5, best=0.5, chance=(0.45, 0.55), prior=0.5, rows=200)
    finding = order._misordered(faces, one, two, 0.9, worth)
    assert finding.what == (
        "the scores are on the wrong faces: made for one and written to as it is, they get 90.00 % "
        "instead of 50.00 %; made for two and written to as it is, they get hardly less"
    )
    assert finding.code is None


# ------------------------------------------------------------------------------ kinds of files


def test_a_folder_of_one_file_a_video(data, tmp_path):
    """Places are told by the file that the row is in, from its own first line."""
    folder = tmp_path / "pred"
    folder.mkdir()
    for video, rows in data.guess.groupby("video_id", sort=False):
        label = "NOT_SPEAKING" if video == VIDEOS[3] else "SPEAKING_AUDIBLE"
        rows.assign(label=label).to_csv(folder / f"{video}.csv", index=False)
    finding = only_problem(diagnose(data.truth, folder), "labels")
    assert finding.examples[0] == f"{folder}/{VIDEOS[3]}.csv:2: NOT_SPEAKING"


def test_a_folder_in_which_one_file_has_a_broken_cell(data, tmp_path):
    folder = tmp_path / "pred"
    folder.mkdir()
    for video, rows in data.guess.groupby("video_id", sort=False):
        text = rows.to_csv(index=False)
        if video == VIDEOS[2]:
            text = text.replace("SPEAKING_AUDIBLE", "YES", 1)
        write(folder, f"{video}.csv", text)
    diagnosis = diagnose(data.truth, folder)
    said = only_problem(diagnosis, "labels")
    assert any(f"{VIDEOS[2]}.csv:2: column label: 'YES'" in text for text in said.examples)
    assert found(diagnosis, "coverage").status == "ok"


def test_a_folder_of_paths_for_ids(data, tmp_path):
    """The ids of all files are read, though the schema refuses every one."""
    folder = tmp_path / "pred"
    folder.mkdir()
    for video, rows in data.guess.groupby("video_id", sort=False):
        rows.assign(entity_id="x/" + rows["entity_id"]).to_csv(folder / f"{video}.csv", index=False)
    finding = only_problem(diagnose(data.truth, folder), "ids")
    assert finding.what.startswith("60 of 60 ids in the predictions have a path before them")


def test_packed_files_without_a_header(data, tmp_path):
    text = data.guess.assign(score=0.5).to_csv(index=False, header=False)
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(text.encode()))
    diagnosis = diagnose(data.truth, tmp_path / "p.csv.gz")
    assert "every score is 0.5" in only_problem(diagnosis, "scores").what


def test_swapped_files_are_told_by_their_columns(data, tmp_path):
    data.truth.to_csv(tmp_path / "g.csv", index=False)
    data.guess.to_csv(tmp_path / "p.csv", index=False)
    said = only_problem(diagnose(tmp_path / "p.csv", tmp_path / "g.csv"), "file")
    assert "looks like ground truth" in said.what


def test_a_truncated_line_is_the_files_fault(data, tmp_path):
    text = data.guess.to_csv(index=False)
    path = write(tmp_path, "p.csv", text[: text.rindex(",")] + "\n")
    finding = only_problem(diagnose(data.truth, path), "file")
    line = len(data.guess) + 1
    assert f"p.csv:{line}: 8 cells where 9 are expected" in finding.examples[0]


def test_the_numbers_are_the_reference_implementations():
    """Three draws, of more and less speech, scored by the slow implementation."""
    for seed in (21, 22, 23):
        drawn = draw(seed)
        speaking = (drawn.truth["label"] == "SPEAKING_AUDIBLE").tolist()
        area = area_fast(ranked(speaking, drawn.guess["score"].tolist()))
        assert area == area_of(drawn.truth, drawn.guess["score"])
        said = found(diagnose(drawn.truth, drawn.guess), "result").what
        assert said.startswith(f"average precision {percent(area)} of {len(speaking):,} faces")


# ------------------------------------------------------------------------------ labels and scores


def six(scores: list[float], labels: list[str] | None = None, **columns) -> Diagnosis:
    """Six faces of two tracks, speaking, not, speaking, not, not, speaking, and some scores."""
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": [0.0, 0.04, 0.08, 0.0, 0.04, 0.08],
        **dict.fromkeys(BOX, 0.1),
        "label": [("NOT_SPEAKING", "SPEAKING_AUDIBLE")[s] for s in (1, 0, 1, 0, 0, 1)],
        "entity_id": ["v:0"] * 3 + ["v:1"] * 3,
    })  # fmt: skip
    guess = truth.assign(score=scores, label=labels or "SPEAKING_AUDIBLE", **columns)
    return diagnose(truth, guess)


def test_a_result_that_can_be_checked_by_eye():
    """Three of six faces speak, so the prior is 50 %.

    score      .9   .8   .7   .6   .5   .4
    speaking    x    -    x    -    -    x
    precision 1/1       2/3            3/6     area = (1 + 2/3 + 1/2) / 3 = 13/18 = 72.22 %
    """
    said = found(six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), "result").what
    assert said.startswith("average precision 72.22 % of 6 faces, prior 50.00 %;")


def test_ties_that_can_be_checked_by_eye():
    """The first four faces share .8: two of them speak, and the last face is the third.

    rows                      -  -  x  x       x       the others first
    precision                      2/4     (.5 .4) 3/6
    envelope                     1/2 1/2          1/2     area = 1/2 = 50.00 %
    rows                      x  x  -  -       x       the speaking ones first
    precision                1/1 2/2           3/6        area = (1 + 1 + 1/2) / 3 = 83.33 %
    """
    finding = only_problem(six([0.8, 0.8, 0.8, 0.8, 0.5, 0.4]), "scores")
    assert "anything from 50.00 % to 83.33 %" in finding.what
    # Four of the six are tied; one has the lowest score, four have the highest.
    assert finding.what.startswith(
        "66.67 % of the faces share their score with another one, written with 1 decimal "
        "(16.67 % have the lowest, 66.67 % the highest)"
    )


def test_one_score_a_track_is_told_as_that():
    """Sixty tracks of one score each; below, two of which one has two, and two scores in all."""
    finding = only_problem(six([0.9, 0.9, 0.9, 0.2, 0.2, 0.2]), "scores")
    assert "only two scores" in finding.what  # which is said first
    ties = found(six([0.9, 0.9, 0.9, 0.2, 0.2, 0.1]), "scores")
    assert "all faces of a track share one" not in ties.what
    truth = draw(4).truth
    codes = pd.factorize(truth["entity_id"])[0]
    finding = only_problem(diagnose(truth, truth.assign(
        label="SPEAKING_AUDIBLE", score=np.random.default_rng(2).normal(size=60)[codes]
    )), "scores")  # fmt: skip
    assert "100.00 % of the faces share their score with another one; all faces of a track" in (
        finding.what
    )
    assert "a score for each face" in finding.advice


def test_ties_among_faces_of_one_class_are_harmless():
    """The speaking ones share .9, the others .1 and .2: no order of rows changes anything."""
    diagnosis = six([0.9, 0.1, 0.9, 0.1, 0.2, 0.9])
    assert diagnosis.problems == ()
    assert found(diagnosis, "scores").what == "3 different scores, 0.1 to 0.9"
    assert "average precision 100.00 %" in found(diagnosis, "result").what


def test_scores_without_a_short_form_are_not_said_to_be_rounded():
    third = 1 / 3
    said = only_problem(six([third, third, third, third, 0.2, 0.1]), "scores").what
    assert "written with" not in said


def test_whole_numbers_have_no_decimals():
    assert "written with 0 decimals" in only_problem(six([5, 5, 5, 5, 2, 1]), "scores").what


def test_the_labels_that_are_there_are_counted_by_kind():
    labels = ["SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE", "", "", "NOT_SPEAKING"]
    finding = only_problem(six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], labels), "labels")
    assert finding.what == (
        "the predictions' labels are mixed: 1 SPEAKING_NOT_AUDIBLE, 1 SPEAKING_AUDIBLE, "
        "2 NOT_SPEAKING, 2 nothing; the reference fails on them or drops rows"
    )
    assert finding.examples == (
        "the frame of predictions row 1: NOT_SPEAKING",
        "the frame of predictions row 2: SPEAKING_NOT_AUDIBLE",
    )


def test_one_label_that_is_not_speaking_is_mixed_as_well():
    """A program that writes NOT_SPEAKING everywhere has not one row that the reference takes."""
    finding = only_problem(six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], ["NOT_SPEAKING"] * 6), "labels")
    assert "mixed: 6 NOT_SPEAKING" in finding.what


def test_the_other_spelling_of_ava_is_the_same_label():
    diagnosis = six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], ["SPEAKING_AND_AUDIBLE"] * 6)
    assert found(diagnosis, "labels").status == "ok"


def test_labels_are_looked_at_where_scores_cannot_be():
    """A score is missing: the labels and the duplicates still have their say."""
    labels = ["SPEAKING_AUDIBLE"] * 5 + ["NOT_SPEAKING"]
    diagnosis = six([0.9, 0.8, float("nan"), 0.6, 0.5, 0.4], labels)
    assert [finding.check for finding in diagnosis.problems] == ["labels", "scores"]
    twice = six(
        [0.9, 0.8, float("nan"), 0.6, 0.5, 0.4], frame_timestamp=[0, 0, 0.08, 0, 0.04, 0.08]
    )
    assert found(twice, "duplicates").what == (
        "1 prediction is for a face that has one already; each with the same label and box"
    )
    assert "1 of 6 faces has no prediction" in found(twice, "coverage").what


def test_faces_of_one_class_that_match_have_no_result():
    """The ground truth has both, but only speaking faces have a prediction."""
    drawn = draw(2)
    only = drawn.guess[drawn.truth["label"] == "SPEAKING_AUDIBLE"]
    diagnosis = diagnose(drawn.truth, only)
    assert [finding.check for finding in diagnosis.problems] == ["coverage"]
    assert "not checked" in found(diagnosis, "result").what


# ------------------------------------------------------------------------------ identity by hand


def named(truth_ids: list[str], guess_ids: list[str], videos: list[str] | None = None) -> Finding:
    """One face an id, all at one time; what the check of ids says."""
    count = len(truth_ids)
    truth = pd.DataFrame({
        "video_id": [name.rpartition(":")[0] for name in truth_ids], "frame_timestamp": 1.0,
        **dict.fromkeys(BOX, 0.1),
        "label": ["SPEAKING_AUDIBLE" if i % 2 else "NOT_SPEAKING" for i in range(count)],
        "entity_id": truth_ids,
    })  # fmt: skip
    guess = pd.DataFrame(
        {"frame_timestamp": 1.0, "entity_id": guess_ids, "score": np.arange(len(guess_ids)) / 7}
    )
    if videos:
        guess["video_id"] = videos
    return found(diagnose(truth, guess), "ids")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a_b_0", "a_b_1", "c-d_0"], "have `_` for `:`"),
        (["a_b-0", "a_b-1", "c-d-0"], "have `-` for `:`"),
        (["a_b~0", "a_b~1", "c-d~0"], "have `~` for `:`"),
        (["a_b 0", "a_b 1", "c-d 0"], "have a blank for `:`"),
        (["a_b:0.jpg", "a_b:1.jpg", "c-d:0.jpg"], "have a file's extension"),
        (["A_B:0", "A_B:1", "C-D:0"], "differ in capitals or punctuation"),
        (["a-b:0", "a-b:1", "c_d:0"], "differ in capitals or punctuation"),
        (["a_b:00", "a_b:01", "c-d:00"], "differ in capitals or punctuation"),
    ],
)
def test_spellings_by_hand(given, words):
    """a_b:0, a_b:1 and c-d:0, as other programs write them."""
    finding = named(["a_b:0", "a_b:1", "c-d:0"], given)
    assert finding.status == "problem"
    assert finding.what == f"3 of 3 ids in the predictions {words} (3 faces)"


def test_half_of_the_unknown_ids_must_come_back():
    """Of four unknown ids two are misspelt: enough. Of five, two: not."""
    truth = ["v:0", "v:1", "v:2"]
    assert "2 of 4 ids" in named(truth, ["v_0", "v_1", "x", "y"]).what
    assert named(truth, ["v_0", "v_1", "x", "y", "z"]).status == "note"


def test_a_missing_prefix_needs_the_videos():
    truth = ["v:0", "v:1", "w:0"]
    assert named(truth, ["0", "1", "0"], ["v", "v", "w"]).what == (
        "3 of 3 ids in the predictions lack the video's id (3 faces)"
    )
    finding = named(truth, ["0", "1", "5"])  # `0` may be v:0 or w:0, `5` is nobody
    assert finding.what == (
        "the video's id is not part of 2 ids in the predictions, and no column video_id says which "
        "video is meant"
    )
    assert finding.examples == ("'0' may be 'v:0' or 'w:0'", "'1' may be 'v:1'")
    assert finding.code is None
    assert named(truth, ["0", "5", "6"]).status == "note"  # one of three may be luck


def test_two_ids_that_become_one_are_instances_of_one_track():
    """`v:0:0` and `v:0:1` are both of `v:0`; that they are at one time is another matter."""
    finding = named(["v:0", "w:0"], ["v:0:0", "v:0:1", "w:0:4"])
    assert finding.what.startswith("3 of 3 ids in the predictions are instance_ids")


def test_ids_that_say_no_video_leave_coverage_and_duplicates_alone():
    """Two tracks `0` at one time are two persons, and no row is to be dropped."""
    truth = draw(6).truth
    bare = truth.assign(entity_id=truth["entity_id"].str.split(":").str[1], score=range(len(truth)))
    diagnosis = diagnose(truth, bare.drop(columns=["video_id", "label"]))
    finding = only_problem(diagnosis, "ids")
    assert finding.what.startswith("the video's id is not part of 12 ids in the predictions")
    assert finding.examples[0].endswith("or 2 more")
    assert finding.code is None
    assert found(diagnosis, "coverage").what.startswith("not checked")


def test_a_video_that_is_no_id_is_worth_a_note(data, tmp_path):
    """`evaluate` does not read the column; other programs may."""
    data.guess.assign(video_id=" v").to_csv(tmp_path / "p.csv", index=False)
    diagnosis = diagnose(data.truth, tmp_path / "p.csv")
    assert diagnosis.problems == ()
    assert found(diagnosis, "file").status == "note"
    assert "problems in the predictions" in found(diagnosis, "file").what


def test_doubles_that_pandas_does_not_see_are_not_dropped_by_a_line(data):
    """A tenth of a millisecond apart is one face for us and two rows for `drop_duplicates`."""
    again = data.guess[:2].assign(frame_timestamp=data.guess["frame_timestamp"][:2] + 0.0001)
    guess = pd.concat([data.guess, again], ignore_index=True)
    finding = only_problem(diagnose(data.truth, guess), "duplicates")
    assert finding.what.startswith("2 predictions are for a face that has one already")
    assert finding.code is None


# ------------------------------------------------------------------------------ small tracks


def test_missing_tracks_beyond_three_are_counted(data):
    names = list(dict.fromkeys(data.truth["entity_id"]))
    gone = [name for name in names if name.startswith(VIDEOS[0])][:5]
    said = only_problem(
        diagnose(data.truth, data.guess[~data.guess["entity_id"].isin(gone)]), "coverage"
    ).what
    sizes = data.truth["entity_id"].value_counts()
    first = names.index(gone[0])  # tracks are told in the order in which they come
    told = "; ".join(f"{name}, {sizes[name]} faces" for name in names[first : first + 3])
    assert said == f"5 of 60 tracks have no prediction: {told}; and 2 more"


def test_a_track_that_has_one_face_more_than_the_ground_truth(data):
    more = data.guess[:1].assign(frame_timestamp=777.0)
    diagnosis = diagnose(data.truth, pd.concat([data.guess, more], ignore_index=True))
    said = only_problem(diagnosis, "coverage")
    entity = data.truth["entity_id"][0]
    assert said.what == (
        f"1 prediction is for no face of the ground truth, of 1 track: {entity}, 1 face"
    )
    assert said.advice.startswith("leave out what the ground truth does not have")


def test_rows_frame_by_frame_of_tracks_that_do_not_overlap_are_in_order():
    """One track after another in time: by frame and by track are then the same order."""
    rows = [(f"a{t}", 1000 * t + 40 * i) for t in range(6) for i in range(8)]
    base = order._Order("", "", np.arange(len(rows)))
    laid = {found.name: found.rows.tolist() for found in order._orders(scored(rows), base)}
    same = {name for name, rows_of in laid.items() if rows_of == list(range(48))}
    assert {"rows frame by frame, videos as in the file", "tracks sorted by id as text"} <= same
    # What equals the file's own order is no candidate.
    names = {fit.made.name for fit in order._fits(scored(rows, scores=list(range(48))))}
    assert not same & names
