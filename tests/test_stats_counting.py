"""The arithmetic of `unitalk stats`: a scene that can be checked by eye, and a slow second opinion.

The second opinion is written with dictionaries, lists and the standard library's quantiles; it
shares no line and no idea with the arrays that it checks.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean, median, quantiles

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitalk import schema
from unitalk.dataset.stats.counting import Rows, count
from unitalk.dataset.stats.grouping import Video, group, steps
from unitalk.schema.bins import AREAS, COMPANY, LENGTHS, SPEAKERS, WIDTHS, length_codes

LABELS = (YES := schema.SPEAKING, "no", "mute")

# Two videos. Each line is a face: where, which track, when (ms), its label, its box's sides.
#
#   V  track 0:  no  no  yes yes .   yes       at 0 40 80 120 . 200
#      track 1:      yes mute                  at   40 80
#   W  track 0:  yes                           at 1000
#      track 1:  yes no                        at 1000 1500
SCENE = """
    V 0    0 no   0.10 0.20
    V 0   40 no   0.10 0.20
    V 0   80 yes  0.10 0.20
    V 0  120 yes  0.10 0.20
    V 0  200 yes  0.10 0.20
    V 1   40 yes  0.30 0.50
    V 1   80 mute 0.30 0.50
    W 0 1000 yes  0.20 0.40
    W 1 1000 yes  0.25 0.10
    W 1 1500 no   0.25 0.10
"""


def parse(text: str) -> list[tuple[str, str, int, str, float, float]]:
    faces = []
    for line in text.strip().splitlines():
        video, track, time, label, width, height = line.replace("yes", YES).split()
        faces.append((video, f"{video}:{track}", int(time), label, float(width), float(height)))
    return faces


def counted(faces, *, frames=None) -> list[Video]:
    """The videos in the order of their first rows, or of the frames that are given."""
    names = list(frames or dict.fromkeys(face[0] for face in faces))
    entities = list(dict.fromkeys(face[1] for face in faces))
    video, entity, time, label, width, height = zip(*faces, strict=True)
    rows = Rows(
        video=np.array([names.index(name) for name in video], np.int32),
        entity=np.array([entities.index(name) for name in entity], np.int32),
        milliseconds=np.array(time, np.int64),
        label=np.array([LABELS.index(name) for name in label], np.int8),
        width=np.array(width),
        height=np.array(height),
    )
    return [
        Video(split="val", name=name, category=None, frame=(frames or {}).get(name), counted=own)
        for name, own in zip(names, count(rows), strict=True)
    ]


def total(videos, **options):
    return group(videos, "total", labels=LABELS, **options)


# ------------------------------------------------------------------------------ the scene


def test_the_scene():
    """Frames, their faces, and how many speak; no other label interrupts a stretch, no gap does:

    video  V  V   V   V    V    W     W       track  span    faces  length   stretches
    ms     0  40  80  120  200  1000  1500    V:0    200 ms  5      250 ms   80 to 200: 170 ms
    faces  1  2   2   1    1    2     1       V:1     40 ms  2       80 ms   40 to  40:  40 ms
    speak  0  1   1   1    1    2     0       W:0      0 ms  1        0 ms   one face:    0 ms
                                              W:1    500 ms  2     1000 ms   one of two: 500 ms
    The quartiles of 0, .08, .25, 1 lie 0.75, 1.5 and 2.25 steps from the first of three. Steps are
    40 40 40 80 40 in V and 500 in W; only those of 20 to 60 ms say how many faces a second has.
    """
    videos = counted(parse(SCENE))
    both, first, second = total(videos), total(videos[:1]), total(videos[1:])
    assert [(g.videos, g.tracks, g.faces, g.speaking) for g in (first, second, both)] == [
        (1, 2, 7, 4),
        (1, 2, 3, 2),
        (2, 4, 10, 6),
    ]
    assert both.labels.counts == {YES: 6, "no": 3, "mute": 1}
    assert (both.speaking_share, both.face_hours) == (0.6, 10 / 25 / 3600)
    assert (both.frames, both.faces_a_frame) == (7, 10 / 7)
    assert both.frames_by_faces.counts == {"1": 4, "2": 3, "3": 0, "4+": 0}
    assert both.faces_by_company.counts == {"1": 4, "2": 6, "3": 0, "4+": 0}
    assert both.frames_by_speakers.counts == {"0": 2, "1": 4, "2+": 1}
    assert both.track_seconds.to_dict() == pytest.approx(
        {"least": 0, "lower": 0.06, "median": 0.165, "upper": 0.4375, "most": 1, "mean": 1.33 / 4}
    )
    assert both.track_hours == pytest.approx(1.33 / 3600)
    assert both.stretches == 4
    assert both.stretch_seconds.median == pytest.approx((0.04 + 0.17) / 2)
    assert both.stretch_seconds.mean == pytest.approx(0.71 / 4)
    assert [g.label_changes for g in (first, second, both)] == [2, 1, 3]
    assert both.label_changes_a_minute == pytest.approx(3 / (1.33 / 60))
    assert (both.step_seconds, both.faces_a_second) == (0.04, 25)
    assert (second.step_seconds, second.faces_a_second) == (0.5, 2)
    assert both.area.mean == pytest.approx((5 * 0.02 + 2 * 0.15 + 0.08 + 2 * 0.025) / 10)
    assert both.pixel_width is both.faces_by_pixel_area is None
    # Of W alone where V's frame is not known; the relative sizes are of all.
    one = total(counted(parse(SCENE), frames={"V": None, "W": (320, 640)}))
    assert (one.faces_by_pixel_width.total, one.pixel_width.median) == (3, 80)
    assert one.width.least == 0.1
    pixels = total(counted(parse(SCENE), frames=dict.fromkeys("VW", (640, 320))), boxes=False)
    assert pixels.width is pixels.pixel_width is None


# ------------------------------------------------------------------------------ odd rows


def test_a_face_that_is_there_twice_is_counted_twice_and_told():
    faces = parse("V 0 0 no .1 .1\nV 0 40 no .1 .1\nV 0 40 no .1 .1\nV 0 80 no .1 .1")
    found = total(counted(faces))
    assert found.faces == 4
    assert found.frames == 3
    assert found.step_seconds == 0.04  # the step of 0 ms is none
    assert found.faces_a_second == 25


def test_one_face_has_no_step_and_no_changes_a_minute():
    found = total(counted(parse("V 0 5 no .1 .1")))
    assert (found.tracks, found.frames, found.faces) == (1, 1, 1)
    assert found.step_seconds is found.faces_a_second is found.label_changes_a_minute is None
    assert found.stretches == 0
    assert found.stretch_seconds is None
    assert found.track_seconds.most == found.track_hours == 0


def test_an_entity_of_two_videos_is_a_track_of_each():
    """Once as the schema wants it, `V:0` and `W:0`; once both are called `0`."""
    apart = parse("V 0 0 no .1 .1\nV 0 40 yes .1 .1\nW 0 80 no .1 .1\nW 0 120 no .1 .1")
    shared = [(video, "0", *rest) for video, _, *rest in apart]
    for faces in (apart, shared, shared[::-1], shared[::2] + shared[1::2]):
        videos = counted(faces, frames=dict.fromkeys("VW"))
        assert [total([video]).tracks for video in videos] == [1, 1]
        assert [total([video]).label_changes for video in videos] == [1, 0]
        assert total(videos).track_hours * 3600 == pytest.approx(0.16)


# ------------------------------------------------------------------------------ small pieces


@pytest.mark.parametrize(
    ("span", "faces", "name"),
    [
        (0, 1, "0-1"),  # one face
        (920, 24, "0-1"),  # 24 faces at 25 a second: 0.96 s
        (960, 25, "1-3"),  # 25 of them: one second
        (2920, 74, "1-3"),
        (2960, 75, "3-5"),
        (4920, 124, "3-5"),
        (4960, 125, "5-10"),
        (9960, 250, "5-10"),  # ten seconds
        (10_000, 251, ">10"),
        (999, 1000, "1-3"),  # a thousand faces a second: 999 * 1000 / 999 = 1000 ms exactly
    ],
)
def test_the_bounds_of_lengths(span, faces, name):
    """span * faces / (faces - 1) against 1, 3, 5 and 10 seconds, the last one inclusive."""
    code = length_codes(np.array([span]), np.array([faces]))[0]
    assert LENGTHS[code] == name


@pytest.mark.parametrize(
    ("milliseconds", "step", "rate"),
    [
        ([], None, None),
        ([0, 0], None, None),
        ([40], 0.04, 25),
        ([40] * 9 + [4000], 0.04, 25),  # a gap
        ([33, 33, 34] * 100, 0.033, 3000 / 100),  # 30 a second
        ([33, 34, 33, 33, 34, 33, 33, 34, 33, 33, 34], 0.033, 11_000 / 367),
        ([200] * 3, 0.2, 5),  # ASW
        ([20, 60, 40, 40], 0.04, 25),  # half a median more or less still counts
        ([19, 61, 40, 40], 0.04, 25),
        ([1, 100], 0.0505, None),  # none is near what lies between
    ],
)
def test_steps_and_rate(milliseconds, step, rate):
    found = steps(np.array(milliseconds, np.int64))
    assert found == (step, pytest.approx(rate) if rate is not None else None)


# ------------------------------------------------------------------------------ a second opinion


def slow_spread(values):
    if len(values) == 1:
        values = values * 2
    cuts = quantiles(values, n=4, method="inclusive")
    return {
        "least": min(values), "lower": cuts[0], "median": cuts[1], "upper": cuts[2],
        "most": max(values), "mean": fmean(values),
    }  # fmt: skip


def name_of_length(seconds_times_1000, slack=1e-9):
    seconds = seconds_times_1000 / 1000
    if seconds > 10 + slack:
        return ">10"
    return next(n for low, n in ((5, "5-10"), (3, "3-5"), (1, "1-3"), (0, "0-1"))
                if seconds >= low - slack)  # fmt: skip


def slow(faces):
    """Every number of a group, face by face."""
    tracks, frames = defaultdict(list), defaultdict(list)
    for face in faces:
        tracks[face[0], face[1]].append(face)
        frames[face[0], face[2]].append(face[3] == YES)
    length, gaps, changes, stretches = [], [], 0, []
    for own in tracks.values():
        own.sort(key=lambda face: face[2])
        step = (own[-1][2] - own[0][2]) / max(len(own) - 1, 1)
        length.append(own[-1][2] - own[0][2] + step)
        begun = None
        for before, face in zip([None, *own], own, strict=False):
            if before is not None:
                gaps.append(face[2] - before[2])
                changes += face[3] != before[3]
            if face[3] != YES:
                begun = None
                continue
            if begun is None:
                begun = face[2]
                stretches.append(0.0)
            stretches[-1] = (face[2] - begun + step) / 1000
    gaps = [gap for gap in gaps if gap > 0]
    middle = median(gaps) if gaps else 0
    usual = [gap for gap in gaps if 0.5 * middle <= gap <= 1.5 * middle]
    return {
        "videos": len({face[0] for face in faces}),
        "tracks": len(tracks),
        "faces": len(faces),
        "labels": {name: sum(face[3] == name for face in faces) for name in LABELS},
        "frames": len(frames),
        "frames_by_faces": tally(COMPANY, (min(len(own), 4) - 1 for own in frames.values())),
        "faces_by_company": tally(
            COMPANY, (min(len(own), 4) - 1 for own in frames.values() for _ in own)
        ),
        "frames_by_speakers": tally(SPEAKERS, (min(sum(own), 2) for own in frames.values())),
        "track_seconds": slow_spread([one / 1000 for one in length]),
        "tracks_by_length": tally(LENGTHS, (LENGTHS.index(name_of_length(one)) for one in length)),
        "track_hours": sum(length) / 3_600_000,
        "stretches": len(stretches),
        "stretch_seconds": slow_spread(stretches) if stretches else None,
        "label_changes": changes,
        "step_seconds": median(gaps) / 1000 if gaps else None,
        "faces_a_second": 1000 / fmean(usual) if usual else None,
        "width": slow_spread([face[4] for face in faces]),
        "height": slow_spread([face[5] for face in faces]),
        "area": slow_spread([face[4] * face[5] for face in faces]),
    }


def tally(names, codes):
    codes = list(codes)
    return {name: codes.count(place) for place, name in enumerate(names)}


def assert_same(found, wanted):
    for name, value in wanted.items():
        ours = getattr(found, name)
        if isinstance(value, dict) and value.keys() != {"least"} and hasattr(ours, "counts"):
            assert ours.counts == value, name
        elif isinstance(value, dict):
            assert ours.to_dict() == pytest.approx(value, abs=1e-9), name
        elif value is None:
            assert ours is None, name
        else:
            assert ours == pytest.approx(value, rel=1e-9, abs=1e-12), name


FACE = st.tuples(
    st.sampled_from(["V", "W", "X", "Y"]),
    st.sampled_from(["0", "1", "2", "3", "4", "5"]),
    st.integers(0, 40).map(lambda frame: 40 * frame) | st.integers(0, 20_000),
    st.sampled_from(LABELS),
    st.integers(1, 1000).map(lambda side: side / 1000),
    st.integers(1, 1000).map(lambda side: side / 1000),
)


def distinct(faces):
    """One face of a track at a time; ids that carry their video's."""
    faces = [(video, f"{video}:{number}", *rest) for video, number, *rest in faces]
    return list({face[1:3]: face for face in faces}.values())


@given(st.lists(FACE, min_size=1, max_size=60).map(distinct))
def test_the_second_opinion_agrees_whatever_the_order_of_the_rows(faces):
    videos = counted(faces)
    assert_same(total(videos), slow(faces))
    for video in videos:
        assert_same(total([video]), slow([face for face in faces if face[0] == video.name]))


@given(st.lists(FACE, min_size=1, max_size=40).map(distinct), st.integers(1, 200))
def test_pixels_are_shares_times_the_frame(faces, tens):
    """The second opinion on sizes: each face's width and area against the bounds, one by one.

    Shares are thousandths and frames' sides tens, so that no side has a third decimal to round.
    """
    side = 10 * tens
    frames = dict.fromkeys((face[0] for face in faces), (side, 2 * side))
    found = total(counted(faces, frames=frames))
    sides = [(round(face[4] * side, 2), round(face[5] * 2 * side, 2)) for face in faces]
    wide = (0 if w < 64 else 1 if w <= 128 else 2 for w, _ in sides)
    large = (0 if w * h < 4096 else 1 if w * h < 16384 else 2 for w, h in sides)
    assert found.faces_by_pixel_width.counts == tally(WIDTHS, wide)
    assert found.faces_by_pixel_area.counts == tally(AREAS, large)
    assert found.pixel_width.to_dict() == pytest.approx(slow_spread([w for w, _ in sides]))
    assert found.pixel_height.to_dict() == pytest.approx(slow_spread([h for _, h in sides]))
