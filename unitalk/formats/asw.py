"""Read ASW, "Look Who's Talking" (Kim et al., Interspeech 2021).

From github.com/clovaai/lookwhostalking::

    json/<youtube_id>.json   {"track_000000": [{"time", "bbox": [x1, y1, x2, y2], "label", "eval"}]}
    split/devset.list        names of these files, one per line; likewise valset and testset

Faces are labelled every 0.2 s, in video at 25 frames a second. `eval` 0 marks faces at the ends of
tracks, which are trained on and not scored. Boxes are relative to the frame and may reach beyond
it, since they were drawn on a padded one. A track's id here is `<youtube_id>:track_000000`: the
name is kept, so that the way back loses nothing.

At 25 rows a second a label covers five frames, two before and two after its own, as the dataset's
run_visualize.py draws it: with its box, which is held and not interpolated, for no box between two
labels is annotated. Frames before the video's first are left out. The dataset's script truncates
`time * 25`, which is one frame early where a float is just below its decimal (4.6 * 25 is
114.99999999999999); here it is rounded.
"""

from __future__ import annotations

import functools
import json
import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.errors import DataError, SchemaError, UsageError, examples
from unitalk.formats.annotations import File, Problems, Rows
from unitalk.schema.columns import MAX_SECONDS, wrong_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from unitalk.layout import Split

Rate = Literal[5, 25]
RATES: tuple[Rate, ...] = get_args(Rate)

LISTS: dict[Split, str] = {"train": "devset.list", "val": "valset.list", "test": "testset.list"}
"""The dataset's name of each split's list; models are trained on its development set."""

_FRAMES = 25  # a second
_COVERED = 2  # frames before and after a label that it covers too
_ON_A_FRAME = 0.05  # frames that a time may be off
_FACE = {"time", "bbox", "label", "eval"}
_HINT = "take the file from github.com/clovaai/lookwhostalking again"


class Found(NamedTuple):
    """The listed files.

    Attributes:
        files: those that exist.
        absent: the names of the others.
        empty: splits without a single file.
    """

    files: list[File]
    absent: list[str]
    empty: list[Split]


def find_files(json_dir: Path, list_dir: Path, splits: Sequence[Split], rate: Rate) -> Found:
    """Find the json files that the lists of the wanted splits name.

    Raises:
        UsageError: there is no list, or a wanted split has none.
        DataError: a list is empty, or two lists name one video.
    """
    read = functools.partial(read_video, rate=rate)
    found = Found([], [], [])
    for split, videos in _read_lists(list_dir, splits).items():
        paths = [json_dir / f"{video}.json" for video in videos]
        there = [path for path in paths if path.is_file()]
        found.files.extend(
            File(split=split, path=path, read=read, columns=schema.EVAL_COLUMNS) for path in there
        )
        found.absent.extend(path.name for path in paths if path not in there)
        if not there:
            found.empty.append(split)
    return found


def _read_lists(folder: Path, splits: Sequence[Split]) -> dict[Split, list[str]]:
    """Each split's video ids."""
    there: list[Split] = [split for split, name in LISTS.items() if (folder / name).is_file()]
    missing = [LISTS[split] for split in splits if split not in there]
    if missing or not there:
        raise UsageError(
            f"{folder} has no {' and no '.join(missing or LISTS.values())}",
            hint="give the folder split/ of the dataset's repository",
        )
    found = {
        split: [n.removesuffix(".json") for n in video_list.read_list(folder / LISTS[split])]
        for split in there
        if not splits or split in splits
    }
    names = [video for videos in found.values() for video in videos]
    twice = sorted({video for video in names if names.count(video) > 1})
    if twice:
        raise DataError(
            f"{folder}: {len(twice):,} videos are in two lists: {examples(twice)}", hint=_HINT
        )
    return found


# ------------------------------------------------------------------------------ one video


class _Face(NamedTuple):
    """An annotated face: its place in the file, and its annotation."""

    place: str
    track: str
    said: dict[str, Any]


def read_video(path: Path, *, rate: Rate = 5) -> Rows:
    """Read one video's json; numbers are written as Python writes them, which is the file's text.

    Raises:
        SchemaError: it is not json, or not in ASW's form.
    """
    problems = Problems(str(path), _HINT)
    faces = list(_faces(path, _parse(path), problems))
    problems.check()
    shown = [(number, repr(face.said["time"])) for number, face in enumerate(faces)]
    if rate == _FRAMES:
        shown = _expand(path, faces)
    numbers, times = ([*column] for column in zip(*shown, strict=True))
    places = np.array(numbers, np.int32)
    return Rows(
        columns={schema.TIME: schema.text_column(times), **_columns(path.stem, faces, places)},
        where=lambda rows: [faces[places[row]].place for row in rows],
    )


def _parse(path: Path) -> dict[str, Any]:
    """Read the json; a name that occurs twice would hide what the first one has."""

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice!r} is there twice")
        return made

    try:
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=whole)
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SchemaError(
            f"{path}{line}: not the json of a video: {error}",
            hint=_HINT,
            problems=[f"{path}{line}: {error}"],
        ) from error
    if not isinstance(found, dict) or not found:
        what = "no track" if found == {} else f"a {type(found).__name__}, not tracks by name"
        raise SchemaError(f"{path}: there is {what}", hint=_HINT, problems=[f"{path}: {what}"])
    return found


def _faces(path: Path, tracks: dict[str, Any], problems: Problems) -> Iterator[_Face]:
    for track, faces in tracks.items():
        if said := wrong_with(schema.ENTITY, f"{path.stem}:{track}", "groundtruth"):
            problems.add(f"{path}: {track!r} {said}")
        if not isinstance(faces, list) or not faces:
            problems.add(f"{path}: {track}: {str(faces)[:60]} is no list of faces")
            continue
        for number, said in enumerate(faces):
            place = f"{path}: {track}[{number}]"
            if wrong := _wrong_with(said):
                problems.add(f"{place}: {wrong}")
            yield _Face(place, track, said)


def _wrong_with(said: object) -> str | None:
    """What is wrong with an annotated face, or None."""
    if not isinstance(said, dict) or set(said) != _FACE:
        return f"{str(said)[:60]!r} has not just {', '.join(sorted(_FACE))}"
    box = said["bbox"]
    if not _is_number(said["time"]) or not 0 <= said["time"] < MAX_SECONDS:
        return f"time is {str(said['time'])[:60]}"
    if not isinstance(box, list) or len(box) != len(schema.BOX) or not all(map(_is_number, box)):
        return f"bbox is {str(box)[:60]}"
    for name in ("label", "eval"):
        if type(said[name]) is not int or said[name] not in {0, 1}:
            return f"{name} is {str(said[name])[:60]}, neither 0 nor 1"
    return None


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]


def _expand(path: Path, faces: Sequence[_Face]) -> list[tuple[int, str]]:
    """The rows at 25 frames a second: the number of the face that each shows, and its time."""
    problems = Problems(str(path), "import it with `rate=5`, which keeps the rows as they are")
    shown: list[tuple[int, str]] = []
    last: dict[str, int] = {}
    tracks = {track: n for n, track in enumerate(dict.fromkeys(face.track for face in faces))}
    for number, face in sorted(
        enumerate(faces), key=lambda one: (tracks[one[1].track], one[1].said["time"])
    ):
        exact = face.said["time"] * _FRAMES
        frame = round(exact)
        if abs(exact - frame) > _ON_A_FRAME:
            problems.add(f"{face.place}: {face.said['time']} s is no frame at 25 a second")
        if frame - last.get(face.track, -_FRAMES) <= 2 * _COVERED:
            problems.add(f"{face.place}: is less than 0.2 s after the face before")
        last[face.track] = frame
        covered = range(max(0, frame - _COVERED), frame + _COVERED + 1)
        shown += [(number, repr(one / _FRAMES)) for one in covered]
    problems.check()
    return shown


def _columns(
    video: str, faces: Sequence[_Face], places: npt.NDArray[np.int32]
) -> dict[str, pa.StringArray]:
    """All columns but the time; `places` has the number of each row's face."""
    said = [face.said for face in faces]
    texts = {
        schema.VIDEO: [video] * len(faces),
        **{name: [repr(one["bbox"][n]) for one in said] for n, name in enumerate(schema.BOX)},
        schema.LABEL: [schema.SPEAKING if s["label"] else schema.NOT_SPEAKING for s in said],
        schema.ENTITY: [f"{video}:{face.track}" for face in faces],
        schema.EVAL: [str(one["eval"]) for one in said],
    }
    return {name: schema.text_column(column, places) for name, column in texts.items()}
