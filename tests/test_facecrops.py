"""Face crops: the frame's size from a few of them, and a strip of them for a page."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unitalk import schema
from unitalk.errors import DataError, LayoutError
from unitalk.layout import Layout
from unitalk.media.face_strip import strip
from unitalk.media.frame_sizes import Face, face_file, frame_sizes, telling_faces


def save(path: Path, size: tuple[int, int], colour=(200, 150, 120), mode="RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path, "JPEG")
    return path


def put(root: Path, face: Face, size: tuple[int, int], *, split="val", name=None) -> Face:
    """Write a face's crop of this size where a dataset keeps it."""
    name = name or f"{face.seconds:.2f}.jpg"
    save(root / "clips_videos" / split / face.video / face.entity / name, size)
    return face


def cut(box, frame: tuple[int, int]) -> tuple[int, int]:
    """The size of a crop as TalkNet's and ASC's preprocessing cut it, from boxes in the frame."""
    across, down = frame
    left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in box)
    return (
        int(right * across) - int(left * across),
        int(bottom * down) - int(top * down),
    )


def faces_in(frame, *, count=8, video="v", seed=0, least=0.15, most=0.4) -> list[Face]:
    """Faces with boxes of these shares, with the six digits of a csv, somewhere in a frame."""
    rng = random.Random(seed)
    made = []
    for place in range(count):
        across, down = rng.uniform(least, most), rng.uniform(least, most)
        left, top = rng.uniform(0, 1 - across), rng.uniform(0, 1 - down)
        box = tuple(round(edge, 6) for edge in (left, top, left + across, top + down))
        made.append(Face(video, f"{video}:{place % 3}", round(place / 25, 2), box))
    return made


def dataset(root: Path, faces, frame, **options) -> Path:
    for face in faces:
        put(root, face, cut(face.box, frame), **options)
    return root


# ------------------------------------------------------------------------------ the frame's size


BOXES = [(0.50, 0.20, 0.80, 0.53), (0.39, 0.39, 0.71, 0.58), (0.35, 0.28, 0.62, 0.62)]


def test_a_frame_worked_by_hand(tmp_path):
    """Three crops of a frame of 640 x 360, each edge cut down to a whole pixel::

        x1    x2    left         right        width   share   width within a pixel
        0.50  0.80  320.0 = 320  512.0 = 512    192    0.30   636.7 < W < 643.3
        0.39  0.71  249.6 = 249  454.4 = 454    205    0.32   637.5 < W < 643.8
        0.35  0.62  224.0 = 224  396.8 = 396    172    0.27   633.3 < W < 640.7

    All three allow 638, 639 and 640. From a frame of 639 the third box would be cut to
    396 - 223 = 173, from one of 638 the first to 510 - 319 = 191; only 640 gives all three
    widths. Rounded, 639 gives two of them, 640 one (192; 454 - 250 = 204, 397 - 224 = 173)::

        y1    y2    top          bottom       height  share   height within a pixel
        0.20  0.53   72.0 =  72  190.8 = 190    118    0.33   354.5 < H < 360.6
        0.39  0.58  140.4 = 140  208.8 = 208     68    0.19   352.6 < H < 363.2
        0.28  0.62  100.8 = 100  223.2 = 223    123    0.34   358.8 < H < 364.7

    Of 359 and 360 only 360 gives all three; 359 gives one (208 - 140 = 68), two if rounded.
    """
    sizes = [(192, 118), (205, 68), (172, 123)]
    faces = [
        put(tmp_path, Face("v", "v:0", place / 25, box), size)
        for place, (box, size) in enumerate(zip(BOXES, sizes, strict=True))
    ]
    assert frame_sizes(tmp_path, faces) == {"v": (640, 360)}


@pytest.mark.parametrize("frame", [(1280, 720), (1920, 1080), (640, 480), (608, 1080), (853, 480)])
@pytest.mark.parametrize("split", ["train", "val"])
def test_usual_frames_are_recovered_exactly_in_either_split(tmp_path, frame, split):
    faces = faces_in(frame)
    assert frame_sizes(dataset(tmp_path, faces, frame, split=split), faces) == {"v": frame}


@settings(max_examples=15)
@given(
    st.integers(160, 4000), st.integers(160, 2500), st.integers(1, 8), st.integers(0, 10**6),
    st.sampled_from([0.05, 0.1, 0.3]),
)  # fmt: skip
def test_a_recovered_size_is_never_further_off_than_the_crops_allow(
    tmp_path_factory, across, down, count, seed, least
):
    """Both sizes give a side within 1.01 pixels, so they differ by at most 2.02 / share."""
    root = tmp_path_factory.mktemp("d")
    faces = faces_in((across, down), count=count, seed=seed, least=least, most=least + 0.1)
    got = frame_sizes(dataset(root, faces, (across, down)), faces)["v"]
    for axis, real in enumerate((across, down)):
        share = max(face.box[axis + 2] - face.box[axis] for face in faces)
        assert abs(got[axis] - real) <= 2.02 / share


def test_boxes_that_leave_the_frame_are_cut_at_its_edges(tmp_path):
    """::

    box           within    of 1000   crop    uncut it would be
    -0.10 .. 0.30  0 .. .30  0 .. 300   300    400: 1000 = 300 / 0.3, not 300 / 0.4 = 750
     0.75 .. 1.25  .75 .. 1  750 .. 1000 250   500
    """
    faces = [
        Face("v", "v:0", 0.0, (-0.1, 0.75, 0.3, 1.25)),
        Face("v", "v:0", 0.04, (0.75, -0.1, 1.25, 0.3)),
    ]
    put(tmp_path, faces[0], (300, 250))
    put(tmp_path, faces[1], (250, 300))
    assert frame_sizes(tmp_path, faces) == {"v": (1000, 1000)}


@pytest.mark.parametrize("side", [112, 224])
def test_crops_that_were_resized_are_refused_by_their_videos_name(tmp_path, side):
    """All of 112 pixels: boxes of 0.1 to 0.2 would be of frames 560 to 1,120 pixels wide."""
    good = dataset(tmp_path, faces := faces_in((1280, 720), video="good"), (1280, 720))
    for place in range(8):
        share = 0.1 + 0.1 * place / 7
        box = (0.3, 0.3, 0.3 + share, 0.3 + share)
        faces.append(put(tmp_path, Face("shrunk", "shrunk:0", place / 25, box), (side, side)))
    with pytest.raises(LayoutError) as caught:
        frame_sizes(good, faces)
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert "1 of 2 videos: shrunk: 8 face crops do not have the size of their boxes" in text
    wide = f"{side / 0.2:.0f} to {side / 0.1:.0f}"
    assert f"frames {wide} wide and {wide} high" in text
    assert "as they were cut" in caught.value.hint


@pytest.mark.parametrize(("width", "fits"), [(500, True), (503, True), (504, False)])
def test_a_side_may_be_a_pixel_from_its_boxs_and_no_more(tmp_path, width, fits):
    """Beside a crop of 250 pixels for a quarter of the frame, one of this width for the half::

    250 for 0.25           249 < W / 4 < 251     996 < W < 1004 (and a little for digits)
    503 for 0.50           502 < W / 2 < 504    1004 < W < 1008
    504 for 0.50           503 < W / 2 < 505    1006 < W < 1010
    """
    faces = [Face("v", "v:0", 0.0, (0.1, 0, 0.35, 1)), Face("v", "v:0", 0.04, (0.1, 0, 0.6, 1))]
    put(tmp_path, faces[0], (250, 600))
    put(tmp_path, faces[1], (width, 600))
    if fits:
        assert frame_sizes(tmp_path, faces) == {"v": (1000 if width == 500 else 1004, 600)}
    else:
        with pytest.raises(LayoutError, match="v: 2 face crops do not have the size"):
            frame_sizes(tmp_path, faces)


def test_a_missing_and_a_damaged_crop_are_passed_over(tmp_path):
    frame = (1280, 720)
    faces = faces_in(frame)
    dataset(tmp_path, faces, frame)
    face_file(Layout(tmp_path), faces[0]).unlink()
    face_file(Layout(tmp_path), faces[1]).write_bytes(b"no picture")
    face_file(Layout(tmp_path), faces[2]).write_bytes(b"")
    assert frame_sizes(tmp_path, faces) == {"v": frame}


def test_a_video_without_crops_is_named_and_so_is_one_whose_crops_cannot_be_read(tmp_path):
    there, gone, bad = (faces_in((640, 480), video=name) for name in ("there", "gone", "bad"))
    dataset(tmp_path, there, (640, 480))
    for face in bad:
        put(tmp_path, face, (9, 9))
        face_file(Layout(tmp_path), face).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(LayoutError) as caught:
        frame_sizes(tmp_path, [*there, *gone, *bad])
    assert "2 of 3 videos: gone: none of 8 face crops is there" in str(caught.value)
    assert "bad: none of 8 face crops can be read" in str(caught.value)
    with pytest.raises(LayoutError, match="gone: none of 8 face crops is there"):
        frame_sizes(tmp_path / "nowhere", gone)


def test_the_sample_is_of_1280_by_720(sample):
    """From its csv to its frames, as a caller does it, in both splits and all videos."""
    for split, videos in (("train", 4), ("val", 22)):
        faces = schema.load(sample / f"csv/{split}_orig.csv", "groundtruth")
        video, names = faces.codes(schema.VIDEO)
        entity, entities = faces.codes(schema.ENTITY)
        boxes = np.stack([faces.numbers(column) for column in schema.BOX], axis=1)
        seconds = faces.numbers(schema.TIME)
        rows = telling_faces(video, boxes)
        assert len(rows) <= 8 * videos
        chosen = [
            Face(names[video[i]], entities[entity[i]], seconds[i], tuple(boxes[i])) for i in rows
        ]
        assert frame_sizes(sample, chosen) == dict.fromkeys(names, (1280, 720))


# ------------------------------------------------------------------------------ which crops


def test_large_faces_within_the_frame_are_chosen_from_the_largest_to_the_median():
    """::

    row  video  box's sides  area   within
    0    7      0.2 x 0.2    0.04   yes      the smallest of three
    1    3      0.5 x 0.5    0.25   yes      the only one within, of video 3
    2    7      0.4 x 0.4    0.16   yes      the largest
    3    3      0.9 x 0.9    0.63*  no       *0.7 x 0.9 of it lie within
    4    7      0.3 x 0.3    0.09   yes      the median
    5    7      0.6 x 0.6    0.30*  no       *0.5 x 0.6 of it lie within
    """
    sides = [0.2, 0.5, 0.4, 0.9, 0.3, 0.6]
    left = [0.1, 0.1, 0.1, -0.2, 0.1, 0.5]
    boxes = np.array([(x, 0.1, x + s, 0.1 + s) for x, s in zip(left, sides, strict=True)])
    videos = np.array([7, 3, 7, 3, 7, 7])
    # Of three, ranks 0 to 1 in two steps; of one, rank 0.
    assert telling_faces(videos, boxes, count=2).tolist() == [1, 2, 4]
    assert telling_faces(videos, boxes, count=1).tolist() == [1, 2]
    assert telling_faces(videos, boxes).tolist() == [1, 2, 4]


# ------------------------------------------------------------------------------ where a crop is


@pytest.mark.parametrize("name", ["0.40.jpg", "0.4.jpg", "0.4000.jpg", "0.400.JPG"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_a_crop_is_found_by_its_time_whatever_its_name_and_split(tmp_path, name, split):
    face = Face("-v", "-v:0", 0.4, (0, 0, 1, 1))
    put(tmp_path, face, (9, 9), split=split, name=name)
    expected = tmp_path / "clips_videos" / split / "-v" / "-v:0" / name
    assert face_file(Layout(tmp_path), face) == expected
    assert face_file(Layout(tmp_path), face._replace(seconds=0.44)) is None
    assert face_file(Layout(tmp_path), face._replace(entity="-v:1")) is None
    assert face_file(Layout(tmp_path), face._replace(video="w")) is None


def test_a_track_is_listed_only_when_a_crop_has_another_name(tmp_path, monkeypatch):
    """A track has up to thousands of files, on a disk that may be far away."""
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    faces = faces_in((640, 480))
    frame_sizes(dataset(tmp_path, faces, (640, 480)), faces)
    assert listed == []
    put(tmp_path, Face("w", "w:0", 0.4, (0, 0, 1, 1)), (9, 9), name="0.4.jpg")
    face_file(Layout(tmp_path), Face("w", "w:0", 0.4, (0, 0, 1, 1)))
    assert listed == [tmp_path / "clips_videos/val/w/w:0"]


def test_a_hostile_id_opens_nothing(tmp_path):
    with pytest.raises(DataError, match="cannot name a file"):
        face_file(Layout(tmp_path / "a"), Face("..", "v:0", 0.4, (0, 0, 1, 1)))


# ------------------------------------------------------------------------------ a strip

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 30), (30, 30, 220), (128, 128, 128)


def opened(data: bytes) -> Image.Image:
    assert data.startswith(b"\xff\xd8")
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    return picture


def colour_at(picture: Image.Image, tile: int, tiles: int) -> tuple[int, ...]:
    place = (int((tile + 0.5) * picture.width / tiles), picture.height // 2)
    return picture.getpixel(place)


def near(colour, other) -> bool:
    return max(abs(a - b) for a, b in zip(colour, other, strict=True)) <= 16


def test_faces_stand_side_by_side_and_what_cannot_be_read_is_a_grey_tile(tmp_path):
    """Crops of 60 x 80 in a strip 40 high: tiles of 30 x 40, six of them 180 wide."""
    red, green, blue = (
        save(tmp_path / f"{i}.jpg", (60, 80), colour) for i, colour in enumerate((RED, GREEN, BLUE))
    )
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(red.read_bytes()[:200])
    picture = opened(strip([red, None, green, tmp_path / "none.jpg", damaged, blue], height=40))
    assert picture.size == (180, 40)
    for place, colour in enumerate((RED, GREY, GREEN, GREY, GREY, BLUE)):
        assert near(colour_at(picture, place, 6), colour), place


def test_tiles_are_as_wide_as_the_crops_in_the_median_and_no_face_is_stretched(tmp_path):
    """Two crops of 3:4 and one of 3:2 at 40 pixels: tiles of 30 x 40.

    The wide one becomes 30 x 20 in the middle of its tile, grey in the 10 above and below.
    """
    tall, wide = save(tmp_path / "t.jpg", (60, 80), RED), save(tmp_path / "w.jpg", (90, 60), BLUE)
    picture = opened(strip([wide, tall, tall], height=40))
    assert picture.size == (90, 40)
    assert near(picture.getpixel((15, 20)), BLUE)
    assert near(picture.getpixel((15, 3)), GREY)
    assert near(picture.getpixel((15, 36)), GREY)
    assert near(picture.getpixel((45, 3)), RED)


@settings(max_examples=50)
@given(st.integers(0, 10**9))
def test_no_damage_to_a_file_is_an_error(tmp_path_factory, seed):
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("d")
    noise = Image.frombytes("RGB", (24, 24), rng.randbytes(24 * 24 * 3))
    noise.save(folder / "x.jpg", "JPEG")
    content = bytearray((folder / "x.jpg").read_bytes())
    content = content[: rng.randrange(len(content) + 1)] if rng.random() < 0.5 else content
    for _ in range(rng.randrange(1, 8) if content else 0):
        content[rng.randrange(min(len(content), rng.choice([25, 700, 10**6])))] = rng.randrange(256)
    (folder / "x.jpg").write_bytes(content)
    assert opened(strip([folder / "x.jpg"], height=16)).height == 16
