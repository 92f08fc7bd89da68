"""Good predictions broken in one way: `diagnose` names it alone, and its line mends it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from diagnosed import (
    BOX,
    CAUSES,
    KEY,
    SPEAKING,
    VIDEOS,
    Data,
    after,
    area_of,
    checks,
    draw,
    found,
    only_problem,
    percent,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from unitalk import Diagnosis, diagnose


@pytest.fixture(scope="module")
def data() -> Data:
    return draw()


def mends(finding, broken: pd.DataFrame, data: Data) -> bool:
    """Whether the line that is given leaves no problem and the number of the good predictions.

    It does the same on a frame of `read_predictions`, and where the index repeats.
    """
    fixed = after(finding, broken)
    diagnosis = diagnose(data.truth, fixed)
    assert diagnosis.problems == ()
    assert percent(data.area) in found(diagnosis, "result").what
    ids = [name for name in ("entity_id", "video_id") if name in broken]
    for frame in (broken.astype(dict.fromkeys(ids, "category")),
                  broken.set_index(np.zeros(len(broken), int))):  # fmt: skip
        for name, values in after(finding, frame).items():
            assert values.tolist() == fixed[name].tolist()
    return True


# ------------------------------------------------------------------------------ times

TIMES = {
    "rounded to 1 decimal": lambda t: t.round(1),
    "rounded to whole seconds": lambda t: t.round(0),
    "cut off after 1 decimal": lambda t: np.floor(t * 10 + 1e-9) / 10,
    "in milliseconds": lambda t: (t * 1000).round(),
    "shifted: 0.04 s too late (1 frame at 25 fps)": lambda t: t + 0.04,
    "shifted: 0.08 s too early (2 frames at 25 fps)": lambda t: t - 0.08,
    "shifted: 1234.568 s too late": lambda t: t + 1234.568,
    "numbers of frames, 25 per second, from 0 on": lambda t: (t * 25).round(),
    "numbers of frames, 25 per second, from 1 on": lambda t: (t * 25).round() + 1,
    "numbers of frames, 30 per second, from 0 on": lambda t: (t * 30).round(),
    "1.25 times the ground truth's": lambda t: t * 1.25,
}


@pytest.mark.parametrize("words", TIMES)
def test_times_that_were_changed(data, words):
    broken = data.guess.assign(frame_timestamp=TIMES[words](data.guess["frame_timestamp"]))
    diagnosis = diagnose(data.truth, broken)
    finding = only_problem(diagnosis, "times")
    assert words in finding.what
    # Counted as the reader would: faces whose time is another one, by more than a millisecond.
    differ = (broken["frame_timestamp"] - data.truth["frame_timestamp"]).abs() > 0.0011
    assert finding.what.startswith(f"{differ.sum():,} predictions of 60 tracks are at times")
    # Every face was found all the same, and its score with it.
    assert f"average precision {percent(data.area)} of" in found(diagnosis, "result").what
    first = int(np.flatnonzero(differ)[0])
    said, true = broken["frame_timestamp"][first], data.truth["frame_timestamp"][first]
    assert finding.examples[0].endswith(f"row {first}: {said:.8g} where the face is at {true:g} s")
    # Frames counted at 30 per second lie between those of 25: dividing does not restore these.
    exact = not any(word in words for word in ("rounded", "cut off", "30"))
    assert (finding.code is not None) == exact
    assert not exact or mends(finding, broken, data)


def tiny(times: list[float], said: list[float]) -> Diagnosis:
    """Faces of one track at some times, and predictions that say other times."""
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": times, **dict.fromkeys(BOX, 0.1),
        "label": [SPEAKING if i % 2 else "NOT_SPEAKING" for i in range(len(times))],
        "entity_id": "v:0",
    })  # fmt: skip
    guess = truth.assign(frame_timestamp=said, label=SPEAKING, score=range(len(said)))
    return diagnose(truth, guess)


def test_rounded_times_by_hand():
    """Half up, half down and half to even all count as rounding; so does cutting off.

    face     0.25  0.35  0.45  1.00
    rounded  0.3   0.4   0.4   1.0     by hand, from numpy, from printf
    """
    times = [0.25, 0.35, 0.45, 1.0]
    for said in ([0.3, 0.4, 0.4, 1.0], [0.2, 0.4, 0.5, 1.0], [0.2, 0.3, 0.4, 1.0]):
        assert "rounded to 1 decimal" in only_problem(tiny(times, said), "times").what
    assert found(tiny(times, [0.2, 0.3, 0.4, 0.8]), "times").status == "note"
    cut = tiny([0.28, 0.36, 0.49, 1.0], [0.2, 0.3, 0.4, 1.0])
    assert "cut off after 1 decimal" in only_problem(cut, "times").what


def test_an_explanation_that_leaves_a_fifth_unexplained_is_none():
    """Nine of ten faces must fit. Of ten, one stays behind: explained; of five: not."""
    ten = [round(5 + 0.04 * i, 2) for i in range(10)]
    shifted = [round(t + 0.4, 2) for t in ten]
    assert "shifted: 0.4 s too late" in found(tiny(ten, [*shifted[:9], 7.777]), "times").what
    assert found(tiny(ten[:5], [*shifted[:4], 7.777]), "times").status == "note"


@settings(max_examples=15)
@given(st.integers(2, 400), st.sampled_from([-1, 1]), st.integers(0, 1000))
def test_any_shift_is_named_with_its_size(milliseconds, sign, seed):
    """The track begins 1 s into its video at the earliest, so that no time becomes negative."""
    random = np.random.default_rng(seed)
    times = np.round(1 + np.cumsum(random.integers(1, 9, 12)) * 0.083, 3)
    said = np.round(times + sign * milliseconds / 1000, 3)
    finding = found(tiny(times.tolist(), said.tolist()), "times")
    assert finding.status == "problem"
    shift = f"{milliseconds / 1000:.3g} s too {'late' if sign > 0 else 'early'}"
    # A small one on coarse times may look like rounding.
    assert shift in finding.what or any(word in finding.what for word in ("rounded", "cut off"))


def test_a_shift_in_one_video_has_no_line_that_breaks_the_others(data):
    inside = data.guess["video_id"] == VIDEOS[3]
    broken = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] + 0.04 * inside)
    gone = int(np.flatnonzero(inside)[5])
    diagnosis = diagnose(data.truth, broken.drop(index=gone))
    assert checks(diagnosis) == ["times", "coverage"]
    finding = found(diagnosis, "times")
    assert "predictions of 12 tracks" in finding.what
    assert "shifted: 0.04 s too late" in finding.what
    assert finding.code is None
    assert f"1 of {len(data.truth):,} faces" in found(diagnosis, "coverage").what


@pytest.mark.parametrize("words", ["in milliseconds", "numbers of frames, 25 per second, from 0 on",
                                   "rounded to 1 decimal"])  # fmt: skip
def test_times_are_explained_though_every_track_lacks_its_last_face(data, words):
    """What TalkNet's `min(frames, audio)` does."""
    guess = data.guess.drop(data.guess.groupby("entity_id").tail(1).index)
    guess = guess.assign(frame_timestamp=TIMES[words](guess["frame_timestamp"]))
    diagnosis = diagnose(data.truth, guess)
    assert words in found(diagnosis, "times").what
    assert checks(diagnosis) == ["times", "coverage"]


def test_times_that_count_from_the_start_of_each_track_are_said_to(data):
    start = data.guess.groupby("entity_id")["frame_timestamp"].transform("min")
    times = data.guess["frame_timestamp"] - start
    diagnosis = diagnose(data.truth, data.guess.assign(frame_timestamp=times))
    assert "start at 0, as if counted per track" in found(diagnosis, "times").what


def test_tracks_counted_from_one_are_no_shift(tmp_path):
    """Tracks 0 to 8 of a video, written as 1 to 9; the faces of `v:8` are now those of `v:9`.

    Only tracks 0 and 1 are equally long (4, 4, 7, 10, ... 25 faces), and each begins a second after
    the one before. So `v:1` has as many predictions as faces, all of them one second early; of the
    seven other tracks that differ none is explained, and nothing is.
    """
    lengths = [4, 4, 7, 10, 13, 16, 19, 22, 25]
    places = [(track, index) for track, faces in enumerate(lengths) for index in range(faces)]
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": [round(t + i / 25, 2) for t, i in places],
        **dict.fromkeys(BOX, 0.1),
        "label": [SPEAKING if i % 3 == 0 else "NOT_SPEAKING" for _, i in places],
        "entity_id": [f"v:{t}" for t, _ in places],
    })  # fmt: skip
    guess = truth[["frame_timestamp"]].assign(
        entity_id=[f"v:{t + 1}" for t, _ in places], score=[i * 7 % 25 for _, i in places]
    )
    assert "times" not in checks(diagnose(truth, guess))


def test_a_face_that_is_mistaken_for_its_neighbour_has_no_wrong_box(data):
    """Shuffled rows at rounded times: which of three faces one is for, nobody knows."""
    guess = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"].round(1))
    guess = guess.sample(frac=1, random_state=1)
    assert checks(diagnose(data.truth, guess)) == ["times"]
    guess.iloc[7, guess.columns.get_loc(BOX[2])] += 0.05
    diagnosis = diagnose(data.truth, guess)
    assert checks(diagnosis) == ["times", "boxes"]
    assert found(diagnosis, "boxes").what.startswith(f"1 of {len(guess):,} boxes")


# ------------------------------------------------------------------------------ ids

IDS = {
    "have `_` for `:`": lambda f: f["entity_id"].str.replace(":", "_"),
    "have `-` for `:`": lambda f: f["entity_id"].str.replace(":", "-"),
    "have a path before them": lambda f: "clips/val/" + f["entity_id"],
    "have a file's extension": lambda f: f["entity_id"] + ".wav",
    "lack the video's id": lambda f: f["entity_id"].str.split(":").str[1],
}


@pytest.mark.parametrize("words", IDS)
def test_ids_in_another_spelling(data, words):
    broken = data.guess.assign(entity_id=IDS[words](data.guess))
    finding = only_problem(diagnose(data.truth, broken), "ids")
    count = len(broken[["video_id", "entity_id"]].drop_duplicates())
    assert finding.what.startswith(f"{count} of {count} ids in the predictions {words}")
    said = f"row 0: {broken['entity_id'][0]!r} is {data.truth['entity_id'][0]!r}"
    assert finding.examples[0].endswith(said)
    assert mends(finding, broken, data)


def test_ids_without_their_video_that_pandas_read_as_numbers(data):
    broken = data.guess.assign(entity_id=IDS["lack the video's id"](data.guess).astype("int64"))
    finding = only_problem(diagnose(data.truth, broken), "ids")
    assert after(finding, broken)["entity_id"].tolist() == data.truth["entity_id"].tolist()


def test_ids_that_say_no_video_leave_coverage_and_duplicates_alone(data):
    """Two tracks `0` at one time are two persons, and no row is to be dropped."""
    broken = data.guess.assign(entity_id=IDS["lack the video's id"](data.guess))
    diagnosis = diagnose(data.truth, broken.drop(columns="video_id"))
    finding = only_problem(diagnosis, "ids")
    assert "not part of 12 ids" in finding.what
    assert finding.code is None
    assert found(diagnosis, "coverage").what.startswith("not checked")


@pytest.mark.parametrize("words", ["have `_` for `:`", "lack the video's id"])
def test_ids_of_one_video_only(data, words):
    wrong = data.guess["video_id"] == VIDEOS[0]
    names = data.guess["entity_id"].where(~wrong, IDS[words](data.guess))
    broken = data.guess.assign(entity_id=names)
    finding = only_problem(diagnose(data.truth, broken), "ids")
    assert finding.what == f"12 of 60 ids in the predictions {words} ({wrong.sum()} faces)"
    # Where a line would change the right ids too there is none.
    assert (finding.code is not None) == ("_" in words)
    assert finding.code is None or mends(finding, broken, data)


def test_an_unknown_track_is_not_taken_for_one_that_is_there(data):
    """`v_0` beside `v:0` is one track too many, and no misspelling."""
    extra = data.guess[:3].assign(entity_id=f"{VIDEOS[0]}_0")
    diagnosis = diagnose(data.truth, pd.concat([data.guess, extra], ignore_index=True))
    assert "3 predictions are for no face" in only_problem(diagnosis, "coverage").what
    assert found(diagnosis, "ids").what.startswith("1 of 61 ids in the predictions are not")


def test_an_id_that_is_refused_and_belongs_to_nothing(data):
    broken = data.guess.assign(entity_id=data.guess["entity_id"].replace(f"{VIDEOS[0]}:1", 'a"b'))
    assert checks(diagnose(data.truth, broken)) == ["ids", "coverage"]


# ------------------------------------------------------------------------------ boxes


def with_boxes(data: Data, boxes: np.ndarray) -> pd.DataFrame:
    return data.guess.assign(**dict(zip(BOX, boxes.T, strict=True)))


def sized(boxes: np.ndarray) -> np.ndarray:
    """Corners as x, y, width, height."""
    return np.c_[boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]


BOXES = {
    "pixels of a frame of 1280 x 720;": lambda b: b * [1280, 720, 1280, 720],
    "pixels of a frame of 1920 x 1080;": lambda b: np.floor(b * [1920, 1080, 1920, 1080]),
    "pixels of a frame of 640 x 360;": lambda b: np.rint(b * [640, 360, 640, 360]),
    "they look like x, y, width, height": sized,
    "pixels of a frame of 1280 x 720, as x, y, width, height":
        lambda b: np.rint(sized(b) * [1280, 720, 1280, 720]),
    "by 0.3 at most": lambda b: b + np.array([0.3, 0, 0, 0.1]),
}  # fmt: skip


@pytest.mark.parametrize("words", BOXES)
def test_boxes_that_are_not_the_ground_truths(data, words):
    broken = with_boxes(data, BOXES[words](data.truth[BOX].to_numpy()))
    finding = only_problem(diagnose(data.truth, broken), "boxes")
    assert finding.what.startswith(f"{len(broken):,} of {len(broken):,} boxes differ")
    assert words in finding.what
    ours = " ".join(f"{edge:g}" for edge in data.truth[BOX].iloc[0])
    assert finding.examples[0].endswith(f"where the face is in {ours}")


def test_pixels_of_videos_of_several_sizes(data):
    """Three videos of 1280 x 720 and two of 640 x 480: the more frequent size comes first."""
    wide = data.truth["video_id"].isin(VIDEOS[:3]).to_numpy()[:, None]
    scale = np.where(wide, [1280, 720, 1280, 720], [640, 480, 640, 480])
    broken = with_boxes(data, np.rint(data.truth[BOX].to_numpy() * scale))
    said = only_problem(diagnose(data.truth, broken), "boxes").what
    assert "pixels of frames of 1280 x 720, 640 x 480;" in said


def test_one_box_that_differs_is_counted_and_the_last_digit_is_not(data):
    boxes = data.truth[BOX].to_numpy().copy()
    broken = with_boxes(data, boxes * (1 + 9e-7))  # a millionth of the edge is allowed
    assert diagnose(data.truth, broken).problems == ()
    boxes[17, 2] += 0.0701
    finding = only_problem(diagnose(data.truth, with_boxes(data, boxes)), "boxes")
    assert finding.what.startswith(f"1 of {len(boxes):,} boxes differ")
    assert "by 0.0701 at most" in finding.what
    assert " row 17: " in finding.examples[0]


# ------------------------------------------------------------------------------ labels and scores


def test_labels_that_are_mixed(data):
    guessed = np.where(data.guess["score"] > 0.7, SPEAKING, "NOT_SPEAKING")
    broken = data.guess.assign(label=guessed)
    finding = only_problem(diagnose(data.truth, broken), "labels")
    speaking = int((guessed == SPEAKING).sum())
    assert f"{speaking:,} SPEAKING_AUDIBLE, {len(broken) - speaking:,} NOT_SP" in finding.what
    assert mends(finding, broken, data)


def test_labels_that_are_empty_are_worth_a_note(data):
    diagnosis = diagnose(data.truth, data.guess.assign(label=""))
    assert diagnosis.problems == ()
    assert found(diagnosis, "labels").status == "note"


@pytest.mark.parametrize("label", [SPEAKING, "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"])
def test_ground_truth_of_one_class(data, label):
    diagnosis = diagnose(data.truth.assign(label=label), data.guess)
    assert "AVA's test split" in only_problem(diagnosis, "labels").advice
    assert "not checked" in found(diagnosis, "result").what


def test_scores_that_say_nothing(data):
    prior = (data.truth["label"] == SPEAKING).mean()
    said = only_problem(diagnose(data.truth, data.guess.assign(score=0.5)), "scores").what
    assert "every score is 0.5" in said
    assert percent(prior) in said
    hard = (data.guess["score"] > 0.5).astype(float)
    said = only_problem(diagnose(data.truth, data.guess.assign(score=hard)), "scores").what
    assert "only two scores, 0 and 1" in said


def test_scores_that_are_inverted(data):
    broken = data.guess.assign(score=1 - data.guess["score"])
    finding = only_problem(diagnose(data.truth, broken), "scores")
    before = area_of(data.truth, broken["score"])
    assert f"{percent(data.area)} instead of {percent(before)}" in finding.what
    assert mends(finding, broken, data)


@pytest.mark.parametrize(("change", "words"), [
    (lambda score: score.round(1), "written with 1 decimal"),
    (lambda score: (1 / (1 + (1 / score - 1) ** 8)).round(4), "written with 4 decimals"),
])  # fmt: skip
def test_scores_that_are_saturated(data, change, words):
    """The interval is that of all orders of tied rows: negatives first, and positives first.

    With one decimal; and logits 8 times as large, through a sigmoid and `%.4f`.
    """
    score = change(data.guess["score"])
    finding = only_problem(diagnose(data.truth, data.guess.assign(score=score)), "scores")
    speaking = (data.truth["label"] == SPEAKING).to_numpy()
    worst, best = (area_of(data.truth, score + sign * 1e-6 * speaking) for sign in (-1, 1))
    assert f"{percent(worst)} to {percent(best)}" in finding.what
    lowest, highest = (score == 0).mean(), (score == 1).mean()
    assert f"({percent(lowest)} have the lowest, {percent(highest)} the highest)" in finding.what
    assert words in finding.what
    assert "logits" in finding.advice


def test_ties_that_move_the_last_printed_digits_are_a_note(data):
    """Logits with two decimals: what the reference prints is luck, but only by little."""
    logits = np.log(data.guess["score"] / (1 - data.guess["score"])).round(2)
    speaking = (data.truth["label"] == SPEAKING).to_numpy()
    worst, best = (area_of(data.truth, logits + sign * 1e-6 * speaking) for sign in (-1, 1))
    assert 0.5e-4 < best - worst < 1e-3  # what the test is about
    diagnosis = diagnose(data.truth, data.guess.assign(score=logits))
    assert diagnosis.problems == ()
    assert found(diagnosis, "scores").status == "note"


# ------------------------------------------------------------------------------ order

SORTS = {
    "tracks sorted by id as text": KEY,
    "videos sorted by id, tracks as in the file": ["video_id"],
    "rows sorted by video, time and id": ["video_id", "frame_timestamp", "entity_id"],
}


@pytest.mark.parametrize(("inverse", "turned"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("name", SORTS)
def test_scores_in_the_order_of_sorted_rows(data, name, inverse, turned):
    """Made for sorted rows and written to the rows as they stand, or the other way round."""
    order = data.truth.sort_values(SORTS[name], kind="stable").index
    score = (1 - data.guess["score"] if turned else data.guess["score"]).to_numpy()
    broken = data.guess.assign(score=score[np.argsort(order)] if inverse else score[order])
    before = area_of(data.truth, broken["score"])
    assert before < data.area - 0.2  # it hurts
    finding = only_problem(diagnose(data.truth, broken), "order")
    made, written = name, "the rows as they stand"
    if inverse:
        made, written = written, made
    assert f"made for {made} and written to {written}" in finding.what
    assert f"they get {percent(data.area)} instead of {percent(before)}" in finding.what
    assert mends(finding, broken, data)


def test_scores_in_the_order_of_listed_folders():
    """Folders of videos `a` and `a-b`: as text, `a-b:0` comes before `a:0`."""
    data = draw(12)
    short = {VIDEOS[0]: "a", VIDEOS[1]: "a-b", VIDEOS[2]: "c", VIDEOS[3]: "d", VIDEOS[4]: "b"}
    truth, guess = (
        frame.assign(video_id=frame["video_id"].map(short),
                     entity_id=frame["video_id"].map(short) + frame["entity_id"].str[11:])
        for frame in (data.truth, data.guess)
    )  # fmt: skip
    keys = ["video_id", "entity_id", "frame_timestamp"]
    broken = guess.assign(score=guess["score"].to_numpy()[truth.sort_values(keys).index])
    finding = only_problem(diagnose(truth, broken), "order")
    assert "made for videos sorted by id, tracks sorted as text" in finding.what
    assert mends(finding, broken, Data(truth, guess, data.area))


@pytest.mark.parametrize("skill", [0.5, 0.8, 1.5])
def test_weak_models_that_are_misordered_are_found(data, skill):
    noise = np.random.default_rng(11).normal(size=len(data.guess))
    good = data.guess.assign(score=skill * (data.truth["label"] == SPEAKING) + noise)
    assert diagnose(data.truth, good).problems == ()
    order = data.truth.sort_values(KEY).index
    broken = good.assign(score=good["score"].to_numpy()[order])
    fixed = after(only_problem(diagnose(data.truth, broken), "order"), broken)
    assert fixed["score"].tolist() == good["score"].tolist()


def test_rows_that_were_shuffled_without_their_scores(data):
    broken = data.guess.sample(frac=1, random_state=8).assign(score=data.guess["score"].to_numpy())
    finding = only_problem(diagnose(data.truth, broken), "order")
    assert "made for the ground truth's rows" in finding.what
    assert "without their scores" in finding.what
    assert finding.code is None


@pytest.mark.parametrize("extra", ["a stranger", "rounded times", "other videos"])
def test_no_line_sorts_rows_that_it_cannot_sort(data, extra):
    """Sorting needs each row's face, its times, and here its video, as the ground truth has them.

    One row that is for no face moves all behind it; rounded times are sorted otherwise.
    """
    keys = ["video_id", "frame_timestamp", "entity_id"]
    order_of = data.truth.sort_values(keys, kind="stable").index
    broken = data.guess.assign(score=data.guess["score"].to_numpy()[order_of])
    if extra == "a stranger":
        broken = pd.concat([broken, broken[:1].assign(entity_id="nobody:0")], ignore_index=True)
    elif extra == "rounded times":
        broken["frame_timestamp"] = broken["frame_timestamp"].round(1)
    else:
        broken["video_id"] = broken["video_id"].map({v: str(i) for i, v in enumerate(VIDEOS)})
    finding = found(diagnose(data.truth, broken), "order")
    assert "made for rows sorted by video, time and id" in finding.what
    assert finding.code is None


def test_faces_that_do_not_count_are_sorted_with_the_others(data):
    """The line is for all rows; of these the last track is left out of the score."""
    counts = (data.truth["entity_id"] != data.truth["entity_id"].iloc[-1]).astype(int)
    truth = data.truth.assign(eval=counts.astype(str))
    order = data.truth.sort_values(KEY).index
    broken = data.guess.assign(score=data.guess["score"].to_numpy()[order])
    finding = only_problem(diagnose(truth, broken), "order")
    assert after(finding, broken)["score"].equals(data.guess["score"])


def test_few_tracks_are_not_judged(data):
    few = data.truth["entity_id"].isin(data.truth["entity_id"].unique()[:4])
    diagnosis = diagnose(data.truth[few], data.guess[few])
    assert diagnosis.problems == ()
    assert "fewer than 5 tracks" in found(diagnosis, "order").what


# ------------------------------------------------------------------------------ several at once


def test_two_causes_are_two_problems_in_either_order(data):
    """Rows that are there twice are left out: at wrong times they are too many."""
    apart = ("ids", "times", "coverage", "boxes", "labels", "scores")
    for one, two in permutations(apart, 2):
        guess = CAUSES[two](CAUSES[one](data.guess))
        assert set(checks(diagnose(data.truth, guess))) == {one, two}


def test_all_causes_together_are_named_apart_and_mended_by_their_lines(data):
    order = data.truth.sort_values(KEY).index
    broken = data.guess.assign(score=data.guess["score"].to_numpy()[order])
    for change in ("ids", "times", "boxes", "labels"):
        broken = CAUSES[change](broken)
    diagnosis = diagnose(data.truth, broken)
    assert checks(diagnosis) == ["ids", "times", "boxes", "labels", "order"]
    for finding in diagnosis.problems:
        if finding.code:
            broken = after(finding, broken)
    diagnosis = diagnose(data.truth, broken.drop(columns=BOX))
    assert diagnosis.problems == ()
    assert percent(data.area) in found(diagnosis, "result").what
