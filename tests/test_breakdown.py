"""Each breakdown against a scene that can be checked by eye, and what divides what."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from conftest import slow
from hypothesis import given
from hypothesis import strategies as st

import unitalk
from unitalk import DataError, EvaluateOptions, UsageError
from unitalk.catalog import video_list
from unitalk.score.breakdown import DIVISIONS
from unitalk.score.eval_options import parse_frame_size, read_categories

# Two videos. Each line is a face: where, when, which track, its box from left to right and from top
# to bottom (relative to the frame), whether it speaks, and the score that a model gave.
SCENE = """
    face  video  seconds  track  left  right   top  bottom  speaks  score
    a     V      0.00     V:0    0.10  0.15   0.00  0.10    x       0.9
    b     V      0.00     V:1    0.50  0.70   0.00  0.40    -       0.8
    c     V      0.04     V:0    0.10  0.15   0.00  0.10    x       0.7
    d     V      0.04     V:1    0.50  0.70   0.00  0.40    x       0.6
    e     V      0.08     V:0    0.10  0.15   0.00  0.10    -       0.5
    f     W      0.00     W:0    0.00  0.10   0.00  0.10    x       0.4
    g     W      0.00     W:1    0.20  0.30   0.00  0.10    -       0.3
    h     W      0.00     W:2    0.40  0.50   0.00  0.10    -       0.2
    i     W      0.00     W:3    0.60  0.70   0.00  0.10    -       0.1
    j     W      0.00     W:4    0.80  0.90   0.00  0.10    x       0.0
"""


def scene(text: str = SCENE) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as ground truth and predictions."""
    lines = [line.split() for line in text.strip().splitlines()[1:]]
    rows = [
        [video, float(time), *(float(e) for e in (left, top, right, bottom)),
         "SPEAKING_AUDIBLE" if speaks == "x" else "NOT_SPEAKING", track, float(score)]
        for _, video, time, track, left, right, top, bottom, speaks, score in lines
    ]  # fmt: skip
    columns = [
        "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2",
        "entity_box_y2", "label", "entity_id", "score",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame[columns[:-1]], frame[[*columns[:6], "entity_id", "score"]]


def broken_down(*by: str, text: str = SCENE, **options):
    result = unitalk.evaluate(*scene(text), by=by, options=EvaluateOptions(**options))
    return {tuple(group.by.values()): group for group in result.groups}


def counts(group) -> tuple[int, int, int, int]:
    return group.videos, group.tracks, group.faces, group.positives


# ------------------------------------------------------------------------------ one by one


def test_by_faces():
    """How many faces the frame has.

    V at 0.00 has two (a b), V at 0.04 two (c d), V at 0.08 one (e), W at 0.00 five (f to j).

    1   e              no face speaks: no number
    2   a b c d        x - x x     precision 1 . 2/3 3/4, envelope 1 3/4 3/4: 5/6
    4+  f g h i j      x - - - x   precision 1 . . . 2/5                    : 7/10
    """
    groups = broken_down("faces")
    assert list(groups) == [("1",), ("2",), ("4+",), ()]
    assert counts(groups["1",]) == (1, 1, 1, 0)
    assert groups["1",].average_precision is None
    assert groups["1",].flags == ("no positives",)
    assert counts(groups["2",]) == (1, 2, 4, 3)
    assert groups["2",].average_precision == pytest.approx(5 / 6, abs=1e-15)
    assert counts(groups["4+",]) == (1, 5, 5, 2)
    assert groups["4+",].average_precision == pytest.approx(7 / 10, abs=1e-15)
    assert groups["4+",].prior == pytest.approx(2 / 5, abs=1e-15)


def test_by_crowded():
    """Whether another face speaks at that time.

    yes  b (a speaks), c (d), d (c), f (j), g h i (f and j), j (f)
         b c d f g h i j = - x x x - - - x   1/2 2/3 3/4 . . . 4/8, envelope 3/4 3/4 3/4 1/2
         -> (3/4 + 3/4 + 3/4 + 1/2) / 4 = 11/16
    no   a (b is silent), e (alone)         x -  -> 1
    """
    groups = broken_down("crowded")
    assert list(groups) == [("yes",), ("no",), ()]
    assert counts(groups["yes",]) == (2, 7, 8, 4)
    assert groups["yes",].average_precision == pytest.approx(11 / 16, abs=1e-15)
    assert counts(groups["no",]) == (1, 1, 2, 1)
    assert groups["no",].average_precision == 1


def test_by_face_size_in_width():
    """Widths in a frame of 640 pixels: V:0 32, V:1 128, the others 64.

    <64     a c e    x x -          -> 1
    64-128  b d f-j  - x x - - - x  1/2 2/3 3/7, envelope 2/3 2/3 3/7 -> (2/3+2/3+3/7)/3 = 37/63
    """
    groups = broken_down("face-size", frame_size=(640, 640))
    assert list(groups) == [("<64",), ("64-128",), ()]
    assert counts(groups["<64",]) == (1, 1, 3, 2)
    assert groups["<64",].average_precision == 1
    assert counts(groups["64-128",]) == (2, 6, 7, 3)
    assert groups["64-128",].average_precision == pytest.approx(37 / 63, abs=1e-15)
    # At 650 pixels V:1 is 130 wide.
    assert list(broken_down("face-size", frame_size=(650, 1))) == [
        ("<64",), ("64-128",), (">128",), (),
    ]  # fmt: skip


def test_by_face_size_in_area():
    """Areas at 640 x 480: V:0 32 x 48 = 1536, V:1 128 x 192 = 24576, the others 64 x 48 = 3072.

    64 x 64 = 4096 and 128 x 128 = 16384, so V:1 is large and all the others are small.
    <64^2     a c e f g h i j   x x - x - - - x   1 1 3/4 4/8 -> (1+1+3/4+1/2)/4 = 13/16
    >=128^2   b d               - x               1/2
    """
    groups = broken_down("face-size", frame_size=(640, 480), face_size="area")
    assert list(groups) == [("<64^2",), (">=128^2",), ()]
    assert counts(groups["<64^2",]) == (2, 6, 8, 4)
    assert groups["<64^2",].average_precision == pytest.approx(13 / 16, abs=1e-15)
    assert counts(groups[">=128^2",]) == (1, 1, 2, 1)
    assert groups[">=128^2",].average_precision == pytest.approx(1 / 2, abs=1e-15)


def test_by_video():
    """V: a-e = x - x x -   1 2/3 3/4 -> (1 + 3/4 + 3/4) / 3 = 5/6;  W: f-j, 7/10 as above."""
    groups = broken_down("video")
    assert list(groups) == [("V",), ("W",), ()]
    assert counts(groups["V",]) == (1, 2, 5, 3)
    assert groups["V",].average_precision == pytest.approx(5 / 6, abs=1e-15)
    assert groups["W",].average_precision == pytest.approx(7 / 10, abs=1e-15)


def test_a_video_without_a_category_is_in_none():
    groups = broken_down("category", categories={"V": "quiet"})
    assert list(groups) == [("quiet",), ("(none)",), ()]
    assert counts(groups["(none)",]) == (1, 5, 5, 2)


def test_by_category_of_unitalk():
    """With the published lists; the table's order is theirs, not the file's."""
    ids = {v.category: v.video_id for v in video_list.videos() if v.category}
    text = SCENE.replace("V", ids["visual"]).replace("W", ids["language"])
    groups = broken_down("category", text=text)
    assert list(groups) == [("language",), ("visual",), ()]
    assert groups["visual",].average_precision == pytest.approx(5 / 6, abs=1e-15)


LENGTHS = """
    track     faces  first  step   seconds = (last - first) * faces / (faces - 1)
    V:single      1      0     0   0                        0-1
    V:below      24      0    40   0.92 * 24/23 = 0.96      0-1
    V:one        25      0    40   0.96 * 25/24 = 1.00      1-3
    V:under      74   1000    40   2.92 * 74/73 = 2.96      1-3
    V:three      75   1000    40   2.96 * 75/74 = 3.00      3-5
    V:five       25      0   200   4.80 * 25/24 = 5.00      5-10
    V:ten        50      0   200   9.80 * 50/49 = 10.0      5-10
    V:over       51      0   200   10.0 * 51/50 = 10.2      >10
"""


def test_by_track_length():
    """The bounds themselves: see the table LENGTHS; the right-hand column is worked by hand."""
    lines = [line.split() for line in LENGTHS.strip().splitlines()[1:]]
    rows = [
        ["V", (int(first) + k * int(step)) / 1000, 0.0, 0.0, 1.0, 1.0,
         "SPEAKING_AUDIBLE" if k % 2 else "NOT_SPEAKING", track]
        for track, faces, first, step, *_ in lines
        for k in range(int(faces))
    ]  # fmt: skip
    columns = list(scene()[0].columns)
    truth = pd.DataFrame(rows, columns=columns)
    guess = truth.drop(columns="label").assign(score=np.arange(len(truth)) / 7)
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line[-1]] = wanted.get(line[-1], 0) + int(line[1])
    for order in (truth.index, truth.index[::-1]):  # whatever the order of the file
        result = unitalk.evaluate(truth.loc[order], guess, by="track-length")
        found = {g.by["track-length"]: g.faces for g in result.groups[:-1]}
        assert found == wanted
    assert wanted == {"0-1": 25, "1-3": 99, "3-5": 75, "5-10": 75, ">10": 51}


def test_a_face_has_its_company_from_the_whole_ground_truth():
    """Without predictions for W:1 to W:4, W's face f is still one of five."""
    truth, guess = scene()
    few = guess[~guess["entity_id"].isin(["W:1", "W:2", "W:3", "W:4"])]
    result = unitalk.evaluate(truth, few, by=["faces"], partial=True)
    assert [(g.by.get("faces"), g.faces) for g in result.groups] == [
        ("1", 1), ("2", 4), ("4+", 1), (None, 6),
    ]  # fmt: skip
    assert result.groups[2].flags == ("only positives",)
    assert result.groups[2].average_precision is None


# ------------------------------------------------------------------------------ cross tables


def test_the_cross_table():
    """By video and by company: V has frames of two and of one, W one of five.

    V 1    e           -                no number
    V 2    a b c d     x - x x          5/6
    W 4+   f g h i j   x - - - x        7/10
    """
    groups = broken_down("video", "faces")
    assert list(groups) == [("V", "1"), ("V", "2"), ("W", "4+"), ()]
    assert groups["V", "2"].average_precision == pytest.approx(5 / 6, abs=1e-15)
    assert groups["W", "4+"].average_precision == pytest.approx(7 / 10, abs=1e-15)
    assert groups["V", "2"].by == {"video": "V", "faces": "2"}


@slow
@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(DIVISIONS)), min_size=1, max_size=3,
                                       unique=True))  # fmt: skip
def test_the_cells_divide_the_whole(seed, names):
    """Every face, positive is in one cell; each cell's number is that of its faces alone."""
    rng = random.Random(seed)
    truth, guess = random_scene(rng, 40)
    options = EvaluateOptions(categories={"v0": "one", "v1": "two"}, frame_size=(640, 480))
    result = unitalk.evaluate(truth, guess, by=names, options=options)
    *cells, total = result.groups
    assert sum(cell.faces for cell in cells) == total.faces == len(truth)
    assert sum(cell.positives for cell in cells) == total.positives
    assert len({tuple(cell.by.values()) for cell in cells}) == len(cells)
    assert all(list(cell.by) == names for cell in cells)
    assert total.average_precision == result.average_precision


def random_scene(rng: random.Random, faces: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = [(f"v{v}", t / 25, f"v{v}:{n}") for v in range(3) for t in range(8) for n in range(4)]
    rows = []
    for video, time, track in rng.sample(keys, faces):
        left, top = rng.random() / 2, rng.random() / 2
        box = [left, top, left + 0.4 * rng.random(), top + 0.4 * rng.random()]
        label = rng.choice(["SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"])
        rows.append([video, time, *box, label, track])
    truth = pd.DataFrame(rows, columns=scene()[0].columns)
    guess = truth.drop(columns="label").assign(
        score=[rng.choice([0.1, 0.5, rng.random()]) for _ in rows]
    )
    return truth, guess


def test_all_is_every_breakdown_that_applies_on_its_own():
    def names(**options):
        result = unitalk.evaluate(*scene(), by="all", options=EvaluateOptions(**options))
        return list(dict.fromkeys(tuple(group.by) for group in result.groups))

    some = [("faces",), ("track-length",), ("crowded",), ("video",), ()]
    assert names() == some
    assert names(frame_size=(640, 480)) == [some[0], ("face-size",), *some[1:]]
    assert names(categories={"V": "quiet"}) == [("category",), *some]


# ------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("by", "said"),
    [("colour", "unknown breakdown 'colour'"), (["all", "faces"], "'all' stands for every"),
     (["faces", "faces"], "asked for twice"), ("face-size", "relative to the frame"),
     ("category", "no video of the frame of ground truth is in a category, the first is V")],
)  # fmt: skip
def test_what_cannot_be_broken_down_is_refused(by, said):
    with pytest.raises(UsageError, match=said) as error:
        unitalk.evaluate(*scene(), by=by)
    assert error.value.hint


def test_a_file_of_categories(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(
        "\ufeffid,category\nhttps://www.youtube.com/watch?v=-maoolmiKi0,far\n\n W , near \nV,far\n",
        encoding="utf-8",
    )
    assert read_categories(file) == {"-maoolmiKi0": "far", "W": "near", "V": "far"}
    groups = broken_down("category", categories=file)
    assert list(groups) == [("far",), ("near",), ()]


@pytest.mark.parametrize(
    ("text", "said"),
    [("V\n", r"mine.csv:1: 'V'"), ("V,a,b\n", r"mine.csv:1: 'V,a,b'"), ("", "mine.csv is empty"),
     ("id,category\n", "mine.csv is empty"), ("V,\n", "mine.csv:1"),
     ("V,a\nW,a\nV,b\n", "mine.csv:3: V is already in a")],
)  # fmt: skip
def test_a_file_that_is_no_list_of_categories_is_refused(tmp_path, text, said):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        broken_down("category", categories=tmp_path / "mine.csv")


def test_frame_sizes():
    assert parse_frame_size("1280x720") == (1280, 720)
    assert parse_frame_size(" 640 X 480 ") == (640, 480)
    for wrong in ("1280", "0x720", "12.5x10", "x", "-3x4", "1280x720x3", "00x1"):
        with pytest.raises(UsageError, match="not a frame size"):
            parse_frame_size(wrong)
