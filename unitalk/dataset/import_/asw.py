"""ASW, "Look Who's Talking" (Kim et al., Interspeech 2021; github.com/clovaai/lookwhostalking).

::

    json/<youtube_id>.json   {"track_000000": [{"time", "bbox": [x1, y1, x2, y2], "label", "eval"}]}
    split/devset.list        names of these files, one a line; likewise valset and testset

Labels stand every 0.2 s, for video at 25 frames a second. `eval` 0 marks faces at the boundaries of
tracks, which are trained on and not scored. Boxes are relative to the frame and may reach beyond
it, since they were drawn on a padded one. Here a track's id is `<youtube_id>:track_000000`: the
name as it is, so that the way back loses nothing.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.dataset.import_.csv_writer import File, Rows, write_splits
from unitalk.dataset.import_.import_report import ImportReport, Problems, remarks
from unitalk.errors import DataError, SchemaError, UsageError, examples
from unitalk.files import check_apart, check_destination, disk_boundary, staged_folder
from unitalk.schema.columns import MAX_SECONDS, wrong_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from unitalk.executor import Executor
    from unitalk.layout import Split
    from unitalk.progress import Progress

    Places = npt.NDArray[np.int32]

Rate = Literal[5, 25]
RATES: tuple[Rate, ...] = get_args(Rate)

LISTS: dict[Split, str] = {"train": "devset.list", "val": "valset.list", "test": "testset.list"}
"""What the dataset calls each split: its development set is what is trained on."""

_FRAMES = 25  # a second
_COVERED = 2  # frames before and after a label that it covers too
_ON_A_FRAME = 0.05  # frames that a time may be off
_FACE = {"time", "bbox", "label", "eval"}
_HINT = "take the file from github.com/clovaai/lookwhostalking again"


@disk_boundary("destination")
def import_asw(
    json_dir: Path,
    lists_dir: Path,
    destination: Path,
    *,
    rate: Rate = 5,
    splits: tuple[Split, ...] = (),
    partial: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a dataset of ASW's annotations: ten columns and `eval`.

    At 25 a second a label covers five frames, two before and two after its own, as the dataset's
    run_visualize.py draws it: with its box, which is held and not interpolated, for a box between
    two labels is annotated nowhere. Frames before the video's first are left away. The dataset's
    script cuts `time * 25` to a whole number, which is one frame early where a float lies below
    its decimal (4.6 * 25 is 114.99999999999999); here it is rounded.

    Args:
        json_dir: the folder of the json files, one a video.
        lists_dir: the folder of the lists; a list that is not there is a split that is not made.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by this.
        rate: rows a second; 5 keeps the rows as they are.
        splits: which to make; default: all whose list is there.
        partial: go on without files that are listed and not there.
        overwrite: replace what an earlier import made there.
        executor: where files are read, a task each; default: in this process.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free, or contains a source or lies in one.
        UsageError: there is no list, or no such rate.
        DataError: files that are listed are not there; a list is empty, or two have one video.
        SchemaError: files are damaged; all that is wrong is counted, the first ten are told.
    """
    if rate not in RATES:
        raise UsageError(f"rate is {rate!r}", hint="give 5 or 25")
    json_dir, lists_dir = Path(json_dir), Path(lists_dir)
    for source in (json_dir, lists_dir):
        check_apart(source, destination)
    check_destination(destination, made_by="import asw", overwrite=overwrite)
    listed = _read_lists(lists_dir, splits)
    files, absent = _find(json_dir, listed, rate)
    if absent and not (partial and files):
        raise DataError(
            f"{json_dir} lacks {len(absent):,} of the "
            f"{len(absent) + len(files):,} listed files: {examples(absent)}",
            hint="take them from the dataset's repository, or leave them out with --partial",
        )
    about = {"source": str(json_dir.resolve()), "rate": rate, "absent": list(absent)}
    with staged_folder(
        destination, made_by="import asw", overwrite=overwrite, about=about
    ) as staging:
        made = write_splits(staging, files, source=json_dir, executor=executor, progress=progress)
    warnings = remarks(made)
    if absent:
        warnings += (f"listed and not there, left out: {examples(absent)}",)
    empty = [split for split in listed if split not in {one.split for one in made}]
    warnings += tuple(f"{split}: not one of its files is there; it was not made" for split in empty)
    return ImportReport(
        dataset="asw",
        source=str(json_dir),
        destination=str(destination),
        splits=made,
        absent=absent,
        warnings=warnings,
    )


def _read_lists(folder: Path, splits: Sequence[Split]) -> dict[Split, tuple[str, ...]]:
    """Each split's video ids.

    Raises:
        UsageError: there is no list, or not that of a wanted split.
        DataError: a list is none, or a video is in two.
    """
    there: list[Split] = [split for split, name in LISTS.items() if (folder / name).is_file()]
    missing = [LISTS[split] for split in splits if split not in there]
    if missing or not there:
        raise UsageError(
            f"{folder} has no {' and no '.join(missing or LISTS.values())}",
            hint="give the folder `split` of the dataset's repository",
        )
    wanted = [split for split in there if not splits or split in splits]
    found = {
        split: tuple(
            name.removesuffix(".json") for name in video_list.read_list(folder / LISTS[split])
        )
        for split in wanted
    }
    names = [video for videos in found.values() for video in videos]
    twice = sorted({video for video in names if names.count(video) > 1})
    if twice:
        raise DataError(
            f"{folder}: {len(twice):,} videos are in two lists: {examples(twice)}", hint=_HINT
        )
    return found


def _find(
    folder: Path, listed: dict[Split, tuple[str, ...]], rate: Rate
) -> tuple[list[File], tuple[str, ...]]:
    """The files that are there, and the names of those that are not."""
    read = functools.partial(read_video, rate=rate)
    files, absent = [], []
    for split, videos in listed.items():
        for video in videos:
            path = folder / f"{video}.json"
            if path.is_file():
                columns = schema.EVAL_COLUMNS
                files.append(File(split=split, path=path, read=read, columns=columns))
            else:
                absent.append(path.name)
    return files, tuple(absent)


# ------------------------------------------------------------------------------ one video


class _Face(NamedTuple):
    """An annotated face: where it stands in the file, and what is said of it."""

    track: str
    number: int
    said: dict[str, Any]


def read_video(path: Path, *, rate: Rate = 5) -> Rows:
    """Read one video's json; a number's text is what Python writes for it, which is the file's.

    Raises:
        SchemaError: it is no json, or not in the form of ASW.
    """
    problems = Problems(str(path), _HINT)
    faces = list(_faces(path, _parse(path), problems))
    problems.check()
    times = [repr(face.said["time"]) for face in faces]
    place = np.arange(len(faces), dtype=np.int32)
    if rate == _FRAMES:
        place, times = _expand(path, faces)
    return Rows(
        columns=_columns(path.stem, faces, place, times),
        where=lambda rows: [_place(path, faces[place[row]]) for row in rows],
    )


def _parse(path: Path) -> dict[str, Any]:
    """Read the json; a name that is there twice would hide what stands under the first.

    Raises:
        SchemaError: it is none.
    """

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


def _faces(path: Path, tracks: dict[str, Any], problems: Problems) -> list[_Face]:
    found = []
    for track, faces in tracks.items():
        if said := wrong_with(schema.ENTITY, f"{path.stem}:{track}", "groundtruth"):
            problems.add(f"{path}: {track!r} {said}")
        if not isinstance(faces, list) or not faces:
            problems.add(f"{path}: {track}: {str(faces)[:60]} is no list of faces")
            continue
        for number, said in enumerate(faces):
            face = _Face(track, number, said)
            wrong = _wrong_with(said)
            if wrong:
                problems.add(f"{_place(path, face)}: {wrong}")
            found.append(face)
    return found


def _place(path: Path, face: _Face) -> str:
    return f"{path}: {face.track}[{face.number}]"


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


def _expand(path: Path, faces: Sequence[_Face]) -> tuple[Places, list[str]]:
    """The face that each row at 25 frames a second is of, and the rows' times.

    Raises:
        SchemaError: labels are not on frames, or cover the same ones.
    """
    problems = Problems(str(path), "import it at --rate 5, which keeps the rows as they are")
    place: list[int] = []
    times: list[str] = []
    last: dict[str, int] = {}
    number = {track: n for n, track in enumerate(dict.fromkeys(face.track for face in faces))}
    for index in sorted(
        range(len(faces)), key=lambda n: (number[faces[n].track], faces[n].said["time"])
    ):
        face = faces[index]
        exact = face.said["time"] * _FRAMES
        frame = round(exact)
        if abs(exact - frame) > _ON_A_FRAME:
            problems.add(f"{_place(path, face)}: {face.said['time']} s is no frame at 25 a second")
        if frame - last.get(face.track, -_FRAMES) <= 2 * _COVERED:
            problems.add(f"{_place(path, face)}: is less than 0.2 s after the face before")
        last[face.track] = frame
        for covered in range(max(0, frame - _COVERED), frame + _COVERED + 1):
            place.append(index)
            times.append(repr(covered / _FRAMES))
    problems.check()
    return np.array(place, np.int32), times


def _columns(
    video: str, faces: Sequence[_Face], place: Places, times: Sequence[str]
) -> dict[str, pa.StringArray]:
    """The rows' columns; `place` says which face each row is of."""
    said = [face.said for face in faces]
    entities = [f"{video}:{face.track}" for face in faces]
    labels = [schema.SPEAKING if one["label"] else schema.NOT_SPEAKING for one in said]
    boxes = {
        name: schema.text_column([repr(one["bbox"][edge]) for one in said], place)
        for edge, name in enumerate(schema.BOX)
    }
    return {
        schema.VIDEO: schema.text_column([video], np.zeros(len(times), np.int32)),
        schema.TIME: schema.text_column(times),
        **boxes,
        schema.LABEL: schema.text_column(labels, place),
        schema.ENTITY: schema.text_column(entities, place),
        schema.EVAL: schema.text_column([str(one["eval"]) for one in said], place),
    }
