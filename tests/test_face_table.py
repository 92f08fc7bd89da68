"""The table of faces by track and time: small cases by hand, any rows beside plain dictionaries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitalk.layout import face_name
from unitalk.schema.face_table import (
    GAP,
    NOBODY,
    FaceTable,
    KeyIndex,
    ascend,
    first_stray,
    pack,
    unpack_times,
    unpack_tracks,
)


def table_of(rows, *, seconds: bool = False, videos: bool = True) -> FaceTable:
    """The table of (video, entity, milliseconds); texts are numbered by the alphabet."""
    video, entity, times = zip(*rows, strict=True)
    codes = [np.unique(text, return_inverse=True)[1] for text in (entity, video)]
    scale = np.array(times) / 1000 if seconds else np.array(times)
    return FaceTable.of(scale, *codes[: 1 + videos])


# row  track  time     place  row
#   0  v:0      0          0    0
#   1  v:1      0          1    3
#   2  v:0     80          2    2   280 ms later follows row 4
#   3  v:0     40          3    4
#   4  v:0    360          4    1
#   5  v:1      0          5    5
ROWS = [("v", "v:0", 0), ("v", "v:1", 0), ("v", "v:0", 80), ("v", "v:0", 40), ("v", "v:0", 360),
        ("v", "v:1", 0)]  # fmt: skip


def test_the_rows_above():
    table = table_of(ROWS)
    assert len(table) == 6
    assert table.track.tolist() == [0, 1, 0, 0, 0, 1]
    assert table.heads.tolist() == [0, 1]
    assert table.rows().tolist() == [0, 3, 2, 4, 1, 5]
    assert table.rows(slice(2, 4)).tolist() == [2, 4]
    assert table.rows(np.array([5, 1])).tolist() == [5, 3]
    assert table.starts.tolist() == [0, 4, 6]
    assert table.inside.tolist() == [True, True, True, False, True]
    assert [part.tolist() for part in table.gaps()] == [[3], [280]]
    assert table.apart.tolist() == [2, 5]
    assert table.unordered.tolist() == [3]
    assert table.ordered(np.arange(6)).tolist() == [0, 3, 2, 4, 1, 5]
    twice, near = table.clashes(np.array([row[2] for row in ROWS]) / 1000)
    assert (twice.tolist(), near.tolist()) == ([5], [])


def test_rows_that_have_the_order_are_left_as_they_are():
    table = table_of(sorted(ROWS))
    values = np.arange(6)
    assert table.order is None
    assert table.ordered(values) is values
    assert table.rows().tolist() == table.rows(values).tolist() == [0, 1, 2, 3, 4, 5]
    assert table.rows(slice(2, 4)).tolist() == [2, 3]
    assert table.apart.tolist() == table.unordered.tolist() == []


def test_no_rows_are_no_tracks():
    table = FaceTable.of(np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32))
    assert (len(table), table.starts.tolist(), table.inside.tolist()) == (0, [0], [])
    assert [part.tolist() for part in table.clashes(np.empty(0))] == [[], []]


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        (0.04, 0.04, "twice"),
        (0.0401, 0.0404, "twice"),  # one millisecond
        (0.04499, 0.04501, "twice"),  # one millisecond, though 0.04.jpg and 0.05.jpg
        (0.0404, 0.0406, "near"),  # two milliseconds, one file
        (0.036, 0.044, "near"),
        (0.035, 0.045, "near"),  # as floats a little more and a little less: both 0.04.jpg
        (0.034, 0.036, None),  # 0.03.jpg and 0.04.jpg
        (0.04, 0.05, None),
    ],
)
def test_clashes(one, two, clash):
    table = FaceTable.of(np.array([two, one]), np.zeros(2, np.int32))
    twice, near = table.clashes(np.array([two, one]))
    assert (twice.tolist(), near.tolist()) == ([1] * (clash == "twice"), [1] * (clash == "near"))


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [
        (12.0, 12.2, False),  # five frames of 25 a second
        (12.004, 12.2049, False),  # 0.2009 s, of whole milliseconds 201
        (1.0, 1.201, False),  # as floats, 0.20100000000000007 s
        (12.0, 12.2019, True),  # of whole milliseconds 202
        (12.0, 12.24, True),
    ],
)
def test_a_gap_is_more_than_five_frames(before, after, gap):
    seconds = np.array([before, after])
    for times in (seconds, np.rint(seconds * 1000).astype(np.int64)):
        table = FaceTable.of(times, np.zeros(2, np.int32))
        assert table.gaps()[0].tolist() == [1] * gap


# ------------------------------------------------------------------------------ any rows

FACES = st.lists(
    st.tuples(st.sampled_from("vw"), st.sampled_from(["v:0", "v:1", "w:0"]),
              st.sampled_from([0, 4, 5, 9, 40, 80, 281, 500])),
    min_size=1, max_size=14,
)  # fmt: skip


@given(FACES, st.booleans(), st.booleans())
def test_any_rows_beside_dictionaries(rows, seconds, videos):
    """With and without videos, times in milliseconds and in seconds."""
    tracks: dict[tuple[str, ...], list[int]] = {}
    for row, (video, entity, _) in enumerate(rows):
        tracks.setdefault((video, entity) if videos else (entity,), []).append(row)
    lists = list(tracks.values())
    in_time = [sorted(own, key=lambda row: rows[row][2]) for own in lists]
    order = list(itertools.chain(*in_time))
    pairs = [pair for own in in_time for pair in itertools.pairwise(own)]
    table = table_of(rows, seconds=seconds, videos=videos)
    assert [table.track[own].tolist() for own in lists] == [
        [n] * len(o) for n, o in enumerate(lists)
    ]
    assert table.heads.tolist() == [own[0] for own in lists]
    assert table.rows().tolist() == order
    assert (table.order is None) == (order == sorted(order))
    assert np.diff(table.starts).tolist() == [len(own) for own in lists]
    steps = [(b, rows[b][2] - rows[a][2]) for a, b in pairs]
    places, wide = table.gaps()
    found = zip(table.rows(places).tolist(), wide.tolist(), strict=True)
    assert list(found) == [(row, step) for row, step in steps if step > GAP]
    neighbours = [list(itertools.pairwise(own)) for own in lists]
    apart = [[b for a, b in own if b != a + 1][:1] for own in neighbours]
    falls = [[b for a, b in own if rows[b][2] < rows[a][2]][:1] for own in neighbours]
    assert table.apart.tolist() == sorted(itertools.chain(*apart))
    assert table.unordered.tolist() == sorted(itertools.chain(*falls))
    texts = [face_name(time / 1000) for _, _, time in rows]
    twice = [b for a, b in pairs if rows[a][2] == rows[b][2]]
    near = [b for a, b in pairs if texts[a] == texts[b] and b not in twice]
    clashes = table.clashes(np.array([time for _, _, time in rows]) / 1000)
    assert [table.rows(found).tolist() for found in clashes] == [twice, near]


@given(FACES)
def test_the_first_stray_is_of_a_track_with_another_video_at_its_end(rows):
    video, entity, _ = zip(*rows, strict=True)
    last = dict(zip(entity, video, strict=True))
    strays = [row for row in range(len(rows)) if last[entity[row]] != video[row]]
    codes = (np.unique(text, return_inverse=True)[1] for text in (entity, video))
    assert first_stray(*codes) == (strays[0] if strays else None)


# ------------------------------------------------------------------------------ keys


def test_a_key_has_its_track_and_its_time():
    """The largest time that the schema takes is 3,999,999,999 ms; -1 is an unknown track."""
    tracks, times = np.array([0, 0, 1, -1], np.int32), np.array([0, 3_999_999_999, 0, 7])
    keys = pack(tracks, times)
    assert ascend(keys[:3])
    assert not ascend(keys[[0, 0]])
    assert unpack_times(keys).tolist() == times.tolist()
    assert unpack_tracks(keys).tolist() == tracks.tolist()


@given(st.lists(st.integers(-3, 6), min_size=1, max_size=12), st.lists(st.integers(-4, 7)))
def test_an_index_finds_the_first_row_of_each_key(keys, wanted):
    index = KeyIndex.of(np.array(keys))
    first = {key: keys.index(key) for key in keys}
    found = index.find(np.array(wanted, np.int64))
    assert found.tolist() == [first.get(key, NOBODY) for key in wanted]
    rows, firsts = index.repeats()
    repeats = [(row, first[key]) for row, key in enumerate(keys) if row != first[key]]
    assert sorted(zip(rows.tolist(), firsts.tolist(), strict=True)) == repeats
