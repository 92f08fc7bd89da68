"""Predictions broken as people break them, alone and in pairs, and files that are no csv at all.

The data is that of `test_diagnose`: five videos of twelve tracks, at 25 faces a second.
"""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pandas as pd
import pytest
from conftest import Ran, face, one_in, write_csv
from test_asw import CHECKOUT
from test_diagnose import BOX, VIDEOS, after, area_of, draw, found, only_problem, percent

import unitalk
from unitalk.errors import SchemaError
from unitalk.layout import Layout
from unitalk.media import frame_sizes
from unitalk.score.diagnose import Diagnosis, diagnose

KEY = ["entity_id", "frame_timestamp"]
SPEAKING = "SPEAKING_AUDIBLE"


@pytest.fixture(scope="module")
def data():
    return draw()


def checks(diagnosis: Diagnosis) -> list[str]:
    return [finding.check for finding in diagnosis.problems]


def mended(diagnosis: Diagnosis, predictions: pd.DataFrame) -> pd.DataFrame:
    """All lines of pandas that a diagnosis gives, executed one after the other."""
    for finding in diagnosis.problems:
        if finding.code:
            predictions = after(finding, predictions)
    return predictions


def in_order_of(guess: pd.DataFrame, tracks) -> pd.Series:
    """The scores of tracks in some order, one after the other: what lands on the file's rows."""
    groups = guess.groupby("entity_id", sort=False)["score"]
    return pd.Series(np.concatenate([groups.get_group(track) for track in tracks]), guess.index)


def misordered(guess: pd.DataFrame) -> pd.DataFrame:
    """What a loader file made with `groupby("entity_id")` does."""
    return guess.assign(score=in_order_of(guess, sorted(guess["entity_id"].unique())))


def speaks(data) -> np.ndarray:
    return (data.truth["label"] == SPEAKING).to_numpy()


def without_prefix(ids: pd.Series) -> pd.Series:
    return ids.str.rsplit(":", n=1).str[-1]


def in_one_video(guess: pd.DataFrame, column: str, changed: pd.Series) -> pd.DataFrame:
    """Change a column of the first video only."""
    return guess.assign(**{column: changed.where(guess["video_id"] == VIDEOS[0], guess[column])})


# ============================================================================== bugs
# ------------------------------------------------------------------------------ a perfect number


def four_cells(data, last) -> list[list[str]]:
    noise = np.random.default_rng(1).random(len(data.truth))
    times, ids = data.truth["frame_timestamp"], data.truth["entity_id"]
    return [
        [entity, str(time), repr(score), str(cell)]
        for entity, time, score, cell in zip(ids, times, noise.tolist(), last, strict=True)
    ]


@pytest.mark.parametrize("decimals", ["", ".0"])
def test_noise_beside_the_label_is_not_perfect(data, tmp_path, decimals):
    """`entity, time, score, label` without a header: `label - score` is no score.

    Of the scores 0 to 1, each 1 - s is above each 0 - s, so that any noise gets 100 %. A column in
    which every cell is 0 or 1 is no logit: the file is to be refused, or to be asked about.
    """
    rows = four_cells(data, [f"{int(label)}{decimals}" for label in speaks(data)])
    path = write_csv(tmp_path / "p.csv", rows, header=None)
    with pytest.raises(SchemaError):
        unitalk.evaluate(data.truth, path)


def test_the_diagnosis_says_how_it_read_a_file_without_a_header(data, tmp_path):
    rows = four_cells(data, np.random.default_rng(2).normal(size=len(data.truth)))
    path = write_csv(tmp_path / "p.csv", rows, header=None)
    assert "logit" in found(diagnose(data.truth, path), "file").what


def test_a_folder_of_logits_and_of_probabilities_is_noticed(data, tmp_path):
    """Half of the videos in ASC's form, half as probabilities: two scales in one ranking."""
    for number, (video, guess) in enumerate(data.guess.groupby("video_id", sort=False)):
        if number % 2:
            guess.to_csv(tmp_path / f"{video}.csv", index=False)
        else:
            logit = np.log(guess["score"] / (1 - guess["score"]))
            form = guess[KEY].assign(no=-2 * logit, yes=2 * logit)
            form.to_csv(tmp_path / f"{video}.csv", index=False, header=False)
    diagnosis = diagnose(data.truth, tmp_path)
    assert [f.check for f in diagnosis.findings if f.status != "ok"]


# ------------------------------------------------------------------------------ tracebacks


@pytest.mark.parametrize("id_", [b"\xff\xfe:1", b"caf\xe9:1"])
def test_ids_that_are_not_utf_8_are_a_problem_and_no_traceback(data, tmp_path, id_):
    path = tmp_path / "p.csv"
    path.write_bytes(b"entity_id,frame_timestamp,score\n" + id_ + b",0.1,2\n")
    assert "ids" in checks(diagnose(data.truth, path))


@pytest.mark.parametrize("tool", [unitalk.evaluate, diagnose])
def test_a_long_cell_does_not_hide_what_is_wrong(data, tmp_path, tool):
    """An encoder's features longer than 131,072 characters, and a face that is not there.

    The fast reader skips the features; the message about the face then looks for its line.
    """
    guess = data.guess[["video_id", *KEY[::-1], "score"]].iloc[1:]
    features = ["[0.25]"] * len(guess)
    features[1] = "[" + "0.25, " * 30_000 + "0]"
    strange = guess["entity_id"].where(guess.index != guess.index[-1], "nobody:0")
    form = guess.drop(columns="score").assign(
        entity_id=strange, number=1, no=0.0, yes=guess["score"], features=features
    )
    form.to_csv(tmp_path / "p.csv", index=False, header=False)
    with pytest.raises(unitalk.UnitalkError, match="nobody:0"):
        said = tool(data.truth, tmp_path / "p.csv")
        raise unitalk.UnitalkError(str(said.to_dict()))


def test_a_link_that_leads_to_itself_is_no_face(tmp_path):
    folder = tmp_path / "clips_videos/val/v/v:0"
    folder.mkdir(parents=True)
    (folder / "0.04.jpg").symlink_to("0.04.jpg")
    assert (
        frame_sizes.face_file(Layout(tmp_path), frame_sizes.Face("v", "v:0", 0.04, (0, 0, 1, 1)))
        is None
    )


def test_an_id_that_is_too_long_for_a_file_has_no_crop(tmp_path):
    (tmp_path / "clips_videos/val/v").mkdir(parents=True)
    long = frame_sizes.Face("v", "x" * 300, 0.04, (0, 0, 1, 1))
    assert frame_sizes.face_file(Layout(tmp_path), long) is None


@pytest.mark.filterwarnings("error")
def test_boxes_as_pixels_of_width_and_height_give_no_warning(sample):
    """The drawn faces of the sample, as x, y, width, height in a frame of 1280 x 720."""
    truth = unitalk.read_groundtruth(sample / "csv/val_orig.csv")
    guess = unitalk.read_predictions(sample / "predictions.csv")
    x1, y1, x2, y2 = (truth[name] for name in BOX)
    layout = (1280 * x1, 720 * y1, 1280 * (x2 - x1), 720 * (y2 - y1))
    guess = guess.assign(**dict(zip(BOX, map(np.rint, layout), strict=True)))
    said = only_problem(diagnose(truth, guess), "boxes").what
    assert "1280 x 720, as x, y, width, height" in said


# ------------------------------------------------------------------------------ lines that do harm


def test_the_line_for_misordered_scores_is_right_for_the_readers_own_frames(data, tmp_path):
    """`read_predictions` gives ids as categories, and a diagnosis takes such a frame."""
    misordered(data.guess).to_csv(tmp_path / "p.csv", index=False)
    guess = unitalk.read_predictions(tmp_path / "p.csv")
    diagnosis = diagnose(data.truth, guess)
    fixed = after(only_problem(diagnosis, "order"), guess)
    assert area_of(data.truth, fixed["score"]) == pytest.approx(data.area)


def test_the_line_for_misordered_scores_does_not_trust_the_index(data):
    parts = [part.reset_index(drop=True)
             for _, part in misordered(data.guess).groupby("video_id", sort=False)]  # fmt: skip
    guess = pd.concat(parts)
    fixed = after(only_problem(diagnose(data.truth, guess), "order"), guess)
    assert area_of(data.truth, fixed["score"]) == pytest.approx(data.area)


@pytest.mark.parametrize("kind", ["int64", "category"])
def test_the_line_for_a_missing_prefix_takes_any_column(data, kind):
    """`pd.read_csv` reads ids that are numbers as int64, `read_predictions` as categories."""
    ids = without_prefix(data.guess["entity_id"]).astype(kind)
    guess = data.guess.assign(entity_id=ids)
    fixed = after(only_problem(diagnose(data.truth, guess), "ids"), guess)
    assert fixed["entity_id"].tolist() == data.truth["entity_id"].tolist()


PARTIAL = {
    "shifted": ("frame_timestamp", lambda g: g["frame_timestamp"] + 0.2),
    "numbers of frames": ("frame_timestamp", lambda g: np.rint(g["frame_timestamp"] * 25)),
    "milliseconds": ("frame_timestamp", lambda g: g["frame_timestamp"] * 1000),
    "without prefix": ("entity_id", lambda g: without_prefix(g["entity_id"])),
    "instance ids": ("entity_id", lambda g: g["entity_id"] + ":3"),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_a_cause_in_one_video_has_no_line_that_breaks_the_others(data, name):
    column, change = PARTIAL[name]
    guess = in_one_video(data.guess, column, change(data.guess))
    diagnosis = diagnose(data.truth, guess)
    assert len(diagnosis.problems) == 1
    if diagnosis.problems[0].code:
        assert diagnose(data.truth, mended(diagnosis, guess)).problems == ()


def test_scores_of_not_speaking_that_say_so_are_one_problem(data):
    """Every row has the label NOT_SPEAKING and the score of that."""
    guess = data.guess.assign(label="NOT_SPEAKING", score=1 - data.guess["score"])
    diagnosis = diagnose(data.truth, guess)
    fixed = mended(diagnosis, guess)
    assert area_of(data.truth, fixed["score"]) == pytest.approx(data.area)
    assert checks(diagnosis) == ["labels"]


def test_nothing_is_dropped_because_tracks_share_a_name(data):
    """Track 0 of every video is `0`: the cause is the ids, and no row is a duplicate."""
    guess = data.guess.assign(entity_id=without_prefix(data.guess["entity_id"]))
    diagnosis = diagnose(data.truth, guess.drop(columns="video_id"))
    assert len(mended(diagnosis, guess)) == len(guess)
    assert "video" in found(diagnosis, "ids").what


def test_a_rounded_track_that_lacks_a_face_has_no_duplicates(data):
    guess = data.guess.iloc[1:]
    guess = guess.assign(frame_timestamp=guess["frame_timestamp"].round(1))
    diagnosis = diagnose(data.truth, guess)
    assert "rounded to 1 decimal" in found(diagnosis, "times").what
    assert checks(diagnosis) == ["times", "coverage"]


# ------------------------------------------------------------------------------ causes not named


CHANGED = {
    "milliseconds": lambda times: times * 1000,
    "numbers of frames": lambda times: np.rint(times * 25),
    "shifted": lambda times: times + 0.04,
    "rounded": lambda times: times.round(1),
}


@pytest.mark.parametrize("name", CHANGED)
def test_times_are_explained_though_every_track_lacks_its_last_face(data, name):
    """What TalkNet's `min(frames, audio)` does; a change of unit needs no alignment to be tried."""
    guess = data.guess.drop(data.guess.groupby("entity_id").tail(1).index)
    guess = guess.assign(frame_timestamp=CHANGED[name](guess["frame_timestamp"]))
    diagnosis = diagnose(data.truth, guess)
    assert name in found(diagnosis, "times").what
    assert checks(diagnosis) == ["times", "coverage"]


def test_ids_counted_from_one_are_no_shift(tmp_path):
    """Tracks 0 to 8 of a video, written as 1 to 9; the faces of `v:8` are now those of `v:9`.

        track          0   1   2   3   4   5   6   7   8
        faces          4   4   7  10  13  16  19  22  25
        begins at s    0   1   2   3   4   5   6   7   8

    Only tracks 0 and 1 are equally long. So `v:1` has as many predictions as faces, all of them
    one second early; of the seven other tracks that differ none is explained, and nothing is.
    """
    lengths = [4, 4, 7, 10, 13, 16, 19, 22, 25]
    places = [(track, index) for track, faces in enumerate(lengths) for index in range(faces)]
    truth = write_csv(tmp_path / "g.csv", [
        face("v", f"{track + index / 25:.2f}", f"v:{track}", index % 3 == 0)
        for track, index in places
    ])  # fmt: skip
    guess = [[f"v:{track + 1}", f"{track + index / 25:.2f}", f"{index * 7 % 25}"]
             for track, index in places]  # fmt: skip
    path = write_csv(tmp_path / "p.csv", guess, "entity_id,frame_timestamp,score")
    assert "times" not in checks(diagnose(truth, path))


def test_times_that_are_shifted_below_zero_are_shifted(tmp_path):
    rows = [face("v", f"{i / 25:.2f}", "v:0", i % 3 == 0) for i in range(40)]
    truth = write_csv(tmp_path / "g.csv", rows)
    guess = [["v:0", f"{i / 25 - 0.5:.2f}", str(i % 7)] for i in range(40)]
    header = "entity_id,frame_timestamp,score"
    path = write_csv(tmp_path / "p.csv", guess, header)
    assert "0.5 s too early" in found(diagnose(truth, path), "times").what


def test_rows_sorted_by_time_alone(data):
    """A stable sort by time, equal times as in the file: the real cause restores all."""
    order = data.guess.sort_values("frame_timestamp", kind="stable").index
    guess = data.guess.assign(score=data.guess["score"].loc[order].to_numpy())
    finding = only_problem(diagnose(data.truth, guess), "order")
    assert percent(data.area) in finding.what


def test_videos_from_the_last_to_the_first(data):
    ids = data.guess["entity_id"].unique()
    tracks = [track for video in VIDEOS[::-1] for track in ids if track.startswith(video)]
    guess = data.guess.assign(score=in_order_of(data.guess, tracks))
    assert percent(data.area) in only_problem(diagnose(data.truth, guess), "order").what


def test_misordered_and_upside_down(data):
    guess = misordered(data.guess.assign(score=1 - data.guess["score"]))
    assert "order" in checks(diagnose(data.truth, guess))


def test_a_header_within_the_file_is_the_one_problem(data, tmp_path):
    path = tmp_path / "p.csv"
    with path.open("w", newline="") as file:
        for _, part in data.guess.groupby("video_id", sort=False):
            part.to_csv(file, index=False)
    finding = only_problem(diagnose(data.truth, path), "file")
    assert "header" in finding.what


def test_a_header_in_capitals_is_the_one_problem(data, tmp_path):
    path = tmp_path / "p.csv"
    columns = ["video_id", "frame_timestamp", *BOX, "label", "entity_id", "score"]
    data.guess[columns].rename(columns=str.upper).to_csv(path, index=False)
    assert checks(diagnose(data.truth, path)) == ["file"]


def test_a_logit_that_is_none_in_the_first_row_is_told_as_that(data, tmp_path):
    rows = four_cells(data, np.linspace(-3, 3, len(data.truth)))
    rows[0][3] = "nan"
    path = write_csv(tmp_path / "p.csv", rows, header=None)
    assert "not a finite number" in str(diagnose(data.truth, path).to_dict())


def test_one_score_a_track_is_not_told_to_be_rounded(data):
    tracks = data.guess["entity_id"].unique()
    scores = dict(zip(tracks, np.random.default_rng(3).random(len(tracks)), strict=True))
    lean = data.guess.groupby("entity_id")["score"].transform("mean")
    guess = data.guess.assign(score=lean + 0.01 * data.guess["entity_id"].map(scores))
    finding = found(diagnose(data.truth, guess), "scores")
    assert "%.4f" not in (finding.advice or "")


def test_boxes_whose_left_and_right_edge_are_swapped(data):
    guess = data.guess.rename(columns={BOX[0]: BOX[2], BOX[2]: BOX[0]})
    assert "x2, y1, x1, y2" in only_problem(diagnose(data.truth, guess), "boxes").what


def test_what_eval_takes_is_no_problem_of_the_file(data, tmp_path):
    path = tmp_path / "p.csv"
    data.guess.assign(video_id="").to_csv(path, index=False)
    assert unitalk.evaluate(data.truth, path).average_precision == pytest.approx(data.area)
    assert diagnose(data.truth, path).problems == ()


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_told_at_80_columns(data, tmp_path, monkeypatch, run, mark):
    monkeypatch.chdir(tmp_path)
    data.truth.to_csv("g.csv", index=False)
    data.guess.to_csv("p.csv", index=False, sep=mark)
    ran = run("diagnose", "-g", "g.csv", "-p", "p.csv")
    assert max(len(line) for line in ran.stdout.splitlines()) <= 80


# ============================================================================== withstood
# ------------------------------------------------------------------------------ no file is too odd


def junk(data) -> dict[str, bytes]:
    """Files that are wrong, small versions of the large among them."""
    text = data.guess.head(200).to_csv(index=False)
    good = text.encode()
    head, _, rest = good.partition(b"\n")
    return {
        "empty": b"",
        "blank lines": b"\n\n\n",
        "zeros": bytes(1000),
        "binary": random.Random(5).randbytes(5000),
        "header only": head + b"\n",
        "one column": b"score\n1\n2\n",
        "one letter": b"a",
        "open quote": head + b'\n"' + rest,
        "a line of megabytes": b"x" * 2_000_000,
        "a cell of megabytes": b"entity_id,frame_timestamp,score\n" + b"x" * 3_000_000 + b",1,2\n",
        "many columns": b",".join(b"c%d" % i for i in range(50_000)) + b"\n",
        "cut off": good[: len(good) // 2],
        "ragged": good + b"a,b\n",
        "json": b'{"a": [1, 2, 3]}',
        "html": b"<!DOCTYPE html><html><body>404</body></html>",
        "utf-16": text.encode("utf-16"),
        "cut gzip": gzip.compress(good)[:300],
        "gzip of nothing": gzip.compress(b""),
        "gzip and junk": gzip.compress(good) + b"junk",
        "a huge time": b"entity_id,frame_timestamp,score\na:1,1e300,2\n",
        "a negative time": b"entity_id,frame_timestamp,score\na:1,-5,2\n",
        "a line end in an id": b'entity_id,frame_timestamp,score\n"a\n:1",1,2\n',
        "nan": b"entity_id,frame_timestamp,score\na:1,1,nan\n",
    }


@pytest.mark.parametrize("name", one_in(3, junk(draw())))
@pytest.mark.parametrize("side", ["-p", "-g"])
def test_no_file_gives_a_traceback(data, tmp_path, monkeypatch, run, name, side):
    """Whatever the file: exit code 3, the ten checks, nothing on stderr."""
    monkeypatch.chdir(tmp_path)
    data.truth.to_csv("good-g.csv", index=False)
    data.guess.to_csv("good-p.csv", index=False)
    (tmp_path / "bad.csv").write_bytes(junk(data)[name])
    files = {"-g": "good-g.csv", "-p": "good-p.csv"} | {side: "bad.csv"}
    ran = run("diagnose", "-g", files["-g"], "-p", files["-p"])
    assert (ran.code, ran.stderr) == (3, "")
    said = [line.split()[1] for line in ran.stdout.splitlines() if not line.startswith(" ")]
    assert said[:-1] == [finding.check for finding in diagnose(data.truth, data.guess).findings]


def test_a_frame_of_anything_is_a_finding(data):
    odd = {
        "score": [pd.Series([object()] * len(data.guess)), np.nan, np.inf, None, "x"],
        "frame_timestamp": [pd.to_timedelta(data.guess["frame_timestamp"], unit="s"), -1.0, 1e9],
        "entity_id": [None, "", " a", "a/b"],
        "label": [1, "speaking", True],
    }
    where = {"score": "scores", "frame_timestamp": "times", "entity_id": "ids", "label": "labels"}
    for column, values in odd.items():
        for value in values:
            diagnosis = diagnose(data.truth, data.guess.assign(**{column: value}))
            assert where[column] in checks(diagnosis)


def test_a_pipe_a_packed_file_and_a_folder_are_as_good_as_a_file(data, tmp_path, run):
    groundtruth, text = tmp_path / "g.csv", data.guess.to_csv(index=False)
    data.truth.to_csv(groundtruth, index=False)
    packed = tmp_path / "p.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    misnamed = tmp_path / "packed.csv"
    misnamed.write_bytes(packed.read_bytes())
    (tmp_path / "folder").mkdir()
    for video, part in data.guess.groupby("video_id"):
        part.to_csv(tmp_path / "folder" / f"{video}.csv", index=False)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    ran: list[Ran] = [run("diagnose", "-g", groundtruth, "-p", path)
                      for path in (pipe, packed, misnamed, tmp_path / "folder")]  # fmt: skip
    writer.join()
    assert {one.code for one in ran} == {0}
    # The folder's rows are sorted by video, so that there are other orders to try.
    said = [one.stdout.partition("ids ")[2].partition("order ")[0] for one in ran]
    assert set(said) == {said[0]}
    assert percent(data.area) in ran[0].stdout


# ------------------------------------------------------------------------------ no false alarm


def synthetic(seed, *, videos, tracks, skill, bias=0.0, flip=0.05, prior=0.5, ties=None):
    """Ground truth and a model: `skill` is what speaking adds, `bias` what the track does."""
    rng = np.random.default_rng(seed)
    rows = []
    for video in rng.integers(10**9, size=videos):
        for track in rng.permutation(tracks):
            lean, state = bias * rng.normal(), rng.random() < prior
            for index in range(int(rng.integers(15, 50))):
                state = rng.random() < prior if rng.random() < flip else state
                quiet = "SPEAKING_NOT_AUDIBLE" if rng.random() < 0.1 else "NOT_SPEAKING"
                score = skill * state + lean + 0.5 * rng.normal()
                rows.append((f"v{video}", index / 25, SPEAKING if state else quiet,
                             f"v{video}:{track}", score))  # fmt: skip
    columns = ["video_id", "frame_timestamp", "label", "entity_id", "score"]
    frame = pd.DataFrame(rows, columns=columns).assign(
        **dict(zip(BOX, (0.1, 0.1, 0.2, 0.3), strict=True))
    )
    if ties is not None:
        frame["score"] = frame["score"].round(ties)
    return frame.drop(columns="score"), frame[[*KEY, "score"]]


GOOD = {
    "barely above the prior": {"videos": 5, "tracks": 6, "skill": 0.05},
    "noise": {"videos": 5, "tracks": 6, "skill": 0.0},
    "noise with a lean per track": {"videos": 4, "tracks": 6, "skill": 0.0, "bias": 3.0},
    "a lean per track": {"videos": 5, "tracks": 6, "skill": 0.3, "bias": 3.0},
    "one video": {"videos": 1, "tracks": 8, "skill": 1.0},
    "two tracks": {"videos": 1, "tracks": 2, "skill": 1.0},
    "five tracks, labels that never change": {
        "videos": 1, "tracks": 5, "skill": 0.0, "bias": 2.0, "flip": 0.0},
    "rare speech": {"videos": 4, "tracks": 6, "skill": 0.0, "bias": 2.0, "prior": 0.15},
    "a video a track": {"videos": 12, "tracks": 1, "skill": 0.0, "bias": 2.0, "flip": 0.01},
    "worse than chance by luck": {"videos": 1, "tracks": 6, "skill": -0.2, "bias": 2.0},
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_weak_and_tiny_and_leaning_models_are_not_accused(name):
    """Three labels as AVA has them; what has no positive or no negative is no data."""
    for seed in range(12):
        truth, guess = synthetic(seed, **GOOD[name])
        if truth["label"].eq(SPEAKING).nunique() == 2:
            assert checks(diagnose(truth, guess)) == [], seed


def test_ties_are_the_scores_affair_and_no_other():
    for seed in range(5):
        truth, guess = synthetic(seed, videos=4, tracks=6, skill=1.5, ties=0)
        assert checks(diagnose(truth, guess)) == ["scores"]


@pytest.mark.parametrize("seed", range(8))
def test_tracks_in_no_order_at_all_have_no_cause(data, seed):
    """A loader shuffled at random cannot be undone, and no order among 38 may be named for it."""
    tracks = np.random.default_rng(seed).permutation(data.guess["entity_id"].unique())
    guess = data.guess.assign(score=in_order_of(data.guess, tracks))
    assert diagnose(data.truth, guess).problems == ()


@pytest.mark.parametrize("skill", [0.5, 0.8, 1.5])
def test_weak_models_that_are_misordered_are_found(data, skill):
    noise = np.random.default_rng(11).normal(size=len(data.guess))
    good = data.guess.assign(score=skill * speaks(data) + noise)
    assert diagnose(data.truth, good).problems == ()
    guess = misordered(good)
    fixed = after(only_problem(diagnose(data.truth, guess), "order"), guess)
    assert fixed["score"].tolist() == good["score"].tolist()


@pytest.mark.parametrize("name", ["percent", "logits", "huge", "tiny", "negative", "float32"])
def test_any_increasing_scale_is_fine(data, name):
    score = data.guess["score"]
    logit = np.log(score / (1 - score))
    scale = {
        "percent": 100 * score, "logits": logit, "huge": logit * 1e300, "tiny": score * 1e-300,
        "negative": score - 5, "float32": score.astype("float32"),
    }  # fmt: skip
    assert diagnose(data.truth, data.guess.assign(score=scale[name])).problems == ()


# ------------------------------------------------------------------------------ pairs


ALONE = {
    "ids": lambda g: g.assign(entity_id=g["entity_id"].str.replace(":", "_") + ".jpg"),
    "times": lambda g: g.assign(frame_timestamp=g["frame_timestamp"] * 1000),
    "coverage": lambda g: g[g["entity_id"] != g["entity_id"].iloc[-1]],
    "boxes": lambda g: g.assign(
        **{c: np.floor(g[c] * size) for c, size in zip(BOX, (1280, 720) * 2, strict=True)}
    ),
    "labels": lambda g: g.assign(label=["NOT_SPEAKING", SPEAKING] * (len(g) // 2)
                                 + [SPEAKING] * (len(g) % 2)),
    "scores": lambda g: g.assign(score=g["score"].round(1)),
}  # fmt: skip


@pytest.mark.parametrize("second", ALONE)
@pytest.mark.parametrize("first", ALONE)
def test_two_causes_are_two_problems(data, first, second):
    """In either order; a cause with itself is the cause alone."""
    guess = ALONE[first](data.guess)
    if second != first:
        guess = ALONE[second](guess)
    diagnosis = diagnose(data.truth, guess)
    assert set(checks(diagnosis)) == {first, second}


@pytest.mark.parametrize("name", ["ids", "times", "boxes", "labels", "scores"])
def test_a_misordered_file_with_another_cause_is_both(data, name):
    guess = ALONE[name](misordered(data.guess))
    diagnosis = diagnose(data.truth, guess)
    assert set(checks(diagnosis)) == {"order", name}
    fixed = mended(diagnosis, guess)
    wanted = data.guess["score"].round(1) if name == "scores" else data.guess["score"]
    assert fixed["score"].tolist() == wanted.tolist()


# ------------------------------------------------------------------------------ forms of files


def by_video(folder, frame, **options):
    folder.mkdir()
    for video, part in frame.groupby("video_id", sort=False):
        part.to_csv(folder / f"{video}.csv", index=False, **options)
    return folder


def forms(data) -> dict:
    logit = np.log(data.guess["score"] / (1 - data.guess["score"]))
    asc = data.guess[["video_id", *KEY]].assign(no=-logit / 2, yes=logit / 2)
    ste = asc.assign(number=1, features="[0.1, -0.2, 3e-05]")
    nine = data.guess[["video_id", "frame_timestamp", *BOX, "label", "entity_id", "score"]]
    return {
        "a folder": partial(by_video, frame=nine),
        "a folder without headers": partial(by_video, frame=nine, header=False),
        "only key and score": partial(by_video, frame=nine, columns=[*KEY, "score"]),
        "ASC": partial(by_video, frame=asc, columns=[*KEY, "no", "yes"], header=False),
        "ASC's encoder": partial(
            by_video, frame=ste, header=False,
            columns=["video_id", "frame_timestamp", "entity_id", "number", "no", "yes", "features"],
        ),
        "empty labels": partial(by_video, frame=nine.assign(label="")),
    }  # fmt: skip


@pytest.mark.parametrize("name", forms(draw()))
def test_every_form_is_the_same_number_in_all_three(data, tmp_path, name):
    """`eval`, `diagnose` and the drop-in script; logits 2 x l apart rank as the probabilities."""
    truth = tmp_path / "g.csv"
    data.truth.to_csv(truth, index=False)
    folder = forms(data)[name](tmp_path / "p")
    assert unitalk.evaluate(truth, folder).average_precision == pytest.approx(data.area)
    diagnosis = diagnose(truth, folder)
    assert diagnosis.problems == ()
    assert percent(data.area) in found(diagnosis, "result").what
    assert unitalk.reference_score(truth, folder) == pytest.approx(data.area)


def test_the_drop_in_script_takes_a_folder_and_has_a_line_for_none(data, tmp_path):
    truth = tmp_path / "g.csv"
    data.truth.to_csv(truth, index=False)
    folder = forms(data)["ASC"](tmp_path / "p")
    script = CHECKOUT / "tool/get_ava_active_speaker_performance.py"
    (tmp_path / "none").mkdir()
    for predictions, code in ((folder, 0), (tmp_path / "none", 2)):
        ran = subprocess.run(
            [sys.executable, script, "-g", truth, "-p", predictions],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        assert ran.returncode == code
        assert "Traceback" not in ran.stderr
        assert ran.stdout == (f"average precision: {100 * data.area:.2f}%\n" if not code else "")


def test_a_folder_that_holds_a_video_twice_is_refused_and_diagnosed(data, tmp_path):
    folder = forms(data)["a folder"](tmp_path / "p")
    (folder / "all.csv").write_text(data.guess.to_csv(index=False))
    with pytest.raises(unitalk.UnitalkError, match="there twice"):
        unitalk.evaluate(data.truth, folder)
    guess = pd.concat([data.guess, data.guess], ignore_index=True)
    finding = only_problem(diagnose(data.truth, folder), "duplicates")
    assert f"{len(data.guess):,} predictions" in finding.what
    assert "each with the same label, box and score" in finding.what
    assert diagnose(data.truth, after(finding, guess)).problems == ()


def test_ground_truth_that_fell_into_the_folder_is_named(data, tmp_path):
    folder = forms(data)["a folder"](tmp_path / "p")
    data.truth.to_csv(folder / "val_orig.csv", index=False)
    finding = found(diagnose(data.truth, folder), "file")
    assert finding.status == "problem"
    assert "val_orig.csv:1" in finding.what
    assert "ground truth" in finding.what


# ------------------------------------------------------------------------------ crops and page


def test_hostile_ids_and_names_stay_text_on_the_page(data):
    """Neither a track's nor a video's nor a system's name becomes a tag."""
    evil = "<img src=x onerror=alert(1)>'&"
    truth, guess = (
        frame.assign(entity_id=frame["entity_id"] + evil, video_id=frame["video_id"] + evil)
        for frame in (data.truth, data.guess)
    )
    page = unitalk.to_html(unitalk.evaluate(truth, guess, name="<script>x", by=["video"]))
    assert "<img src=x" not in page
    assert "<script>x" not in page
    assert "&lt;img src=x" in page


def test_a_dataset_of_damaged_crops_has_grey_strips_and_no_sizes(tmp_path):
    """Crops that are png, cut off or empty: the strip is grey, `--by face-size` names the video."""
    folder = tmp_path / "clips_videos/val/v/v:0"
    folder.mkdir(parents=True)
    for number, content in enumerate([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"]):
        (folder / f"0.0{number}.jpg").write_bytes(content)
    faces = [
        frame_sizes.Face("v", "v:0", number / 100, (0.1, 0.1, 0.2, 0.2)) for number in range(4)
    ]
    files = [frame_sizes.face_file(Layout(tmp_path), each) for each in faces]
    assert all(files)
    assert frame_sizes.strip(files, height=16).startswith(b"\xff\xd8")
    with pytest.raises(unitalk.UnitalkError, match="none of 4 face crops can be read"):
        frame_sizes.frame_sizes(tmp_path, faces)
