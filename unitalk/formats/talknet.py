"""The table that the loaders of TalkNet, Light-ASD and LR-ASD read: written, read and checked.

::

    csv/<split>_loader.csv    no header; track, frames, frames a second, labels, index; by tabs

Which tracks there are, the loader reads here; the labels are a Python list, and 2 (speaking, but
not audible) is 0 to it. Scores are given back by position (see `formats.positional`), in the order
of these lines: they must be the tracks of the split's csv, in its order, each with as many frames
and the same labels. A track in another place, or with another number of frames, moves all later
scores to other faces, without a message.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.formats.positional import beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.formats.positional_rows import Bools, PositionalRows
    from unitalk.schema.split_rows import SplitRows, Track

_CELLS = 5
_SHOWN = 60


class Fault(NamedTuple):
    """One thing that is wrong with a loader's csv.

    Attributes:
        kind: its name among the kinds of `verify`.
        line: where it is.
        track: the track that it is about, where it is one of the split's csv.
        detail: a clause that says more.
    """

    kind: Literal[
        "loader-missing", "loader-row", "loader-order", "loader-tracks", "loader-count",
        "loader-labels",
    ]  # fmt: skip
    line: int | None = None
    track: Track | None = None
    detail: str | None = None


class Line(NamedTuple):
    """One line of the loader's csv."""

    number: int
    entity: str
    frames: int
    rate: float
    labels: list[int]


def loader_csv(csv: Path) -> Path:
    """The loader's csv of a split, beside the split's own."""
    return beside(csv, "_loader.csv")


def loader_text(rows: PositionalRows, kept: Bools) -> str:
    """Write the loader's csv: the tracks that keep a face, in the order of the split's csv."""
    lines: list[str] = []
    for track in rows.kept_tracks(kept):
        _, labels = rows.of_track(track, kept)
        rate = rows.rates[track.video]
        lines.append(f"{track.entity}\t{len(labels)}\t{rate}\t{labels}\t{len(lines)}\n")
    return "".join(lines)


def read_loader(csv: Path) -> tuple[list[Line], list[Fault]]:
    """Read the loader's csv of a split; lines at which the loader would stop are faults."""
    try:
        text = loader_csv(csv).read_text(encoding="utf-8")
    except FileNotFoundError:
        return [], [Fault("loader-missing")]
    except (OSError, UnicodeDecodeError) as error:
        return [], [Fault("loader-row", detail=str(error))]
    read = [_read_line(number, line) for number, line in enumerate(text.splitlines(), 1)]
    lines = [one for one in read if isinstance(one, Line)]
    return lines, [one for one in read if isinstance(one, Fault)]


def _read_line(number: int, line: str) -> Line | Fault:
    cells = line.split("\t")
    if len(cells) != _CELLS:
        detail = f"{len(cells)} cells apart by tabs where {_CELLS} are expected"
        return Fault("loader-row", number, detail=detail)
    entity, frames, fps, labels, _ = cells  # the index is only to sort by
    rate, found = _rate(fps), _labels(labels)
    if frames.isdecimal() and rate is not None and found is not None:
        return Line(number, entity, int(frames), rate, found)
    what = "frames" if not frames.isdecimal() else "fps" if found else "labels"
    said = {"frames": frames, "fps": fps, "labels": labels}[what][:_SHOWN]
    return Fault("loader-row", number, detail=f"{what}: {said!r}")


def _labels(text: str) -> list[int] | None:
    """A list of numbers as Python writes it, which is as JSON does."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(type(label) is int for label in found):
        return found
    return None


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


# ------------------------------------------------------------------------------ checking


def faults(csv: Path, rows: SplitRows) -> list[Fault]:
    """Find what is wrong with the loader's csv, which is beside the split's, and should fit it."""
    lines, found = read_loader(csv)
    missing = any(fault.kind == "loader-missing" or fault.line is None for fault in found)
    if missing or not rows.whole:  # nothing can be said of rows that were left out
        return found
    return found + compare(lines, rows, complete=not found)


def compare(lines: Sequence[Line], rows: SplitRows, *, complete: bool = True) -> list[Fault]:
    """Compare the lines of a loader's csv with the rows of the split's.

    Args:
        lines: those that could be read.
        rows: the split.
        complete: whether these are all lines, so that a track without one is a fault.
    """
    strays = _strays(lines, rows, complete=complete)
    return [*strays, *_order(lines, rows), *_contents(lines, rows)]


def _strays(lines: Sequence[Line], rows: SplitRows, *, complete: bool) -> Iterator[Fault]:
    """Tracks that one of the two files lacks."""
    known = {track.entity for track in rows.tracks}
    for line in lines:
        if line.entity not in known:
            detail = f"{line.entity[:_SHOWN]} is not in the split's csv"
            yield Fault("loader-tracks", line.number, detail=detail)
    there = {line.entity for line in lines}
    for track in rows.tracks if complete else ():
        if track.entity not in there:
            yield Fault("loader-tracks", track=track, detail="is not in the loader's csv")


def _order(lines: Sequence[Line], rows: SplitRows) -> Iterator[Fault]:
    """The first track that is not in its place, and how many are not."""
    there = {line.entity for line in lines}
    wanted = [track for track in rows.tracks if track.entity in there]
    known = {track.entity for track in wanted}
    given = [line for line in lines if line.entity in known]
    wrong = [
        (line, track)
        for line, track in zip(given, wanted, strict=False)
        if line.entity != track.entity
    ]
    if wrong:
        line, track = wrong[0]
        detail = f"{line.entity} stands there; {len(wrong):,} tracks are not in their places"
        yield Fault("loader-order", line.number, track, detail)
    elif len(given) > len(wanted):
        yield Fault("loader-tracks", given[len(wanted)].number, detail="is there twice")


def _contents(lines: Sequence[Line], rows: SplitRows) -> Iterator[Fault]:
    """Numbers of frames, and labels in time order."""
    found = {line.entity: line for line in lines}
    labels = _label_ids(rows)
    for track in rows.tracks:
        line = found.get(track.entity)
        if line is None:
            continue
        count = track.faces
        if line.frames != count or len(line.labels) != count:
            detail = f"{line.frames:,} frames and {len(line.labels):,} labels for {count:,} faces"
            yield Fault("loader-count", line.number, track, detail)
        elif labels is not None and (
            wrong := _wrong_labels(line.labels, labels[track.start : track.stop])
        ):
            detail = f"{wrong:,} of {count:,} labels"
            yield Fault("loader-labels", line.number, track, detail)


def _label_ids(rows: SplitRows) -> npt.NDArray[np.int64] | None:
    """[places] each face's label_id; None where there are no labels."""
    if schema.LABEL_ID not in rows.faces.table.column_names or rows.unlabelled:
        return None
    codes, texts = rows.faces.codes(schema.LABEL_ID)
    return rows.table.ordered(np.array([int(text) for text in texts])[codes])


def _wrong_labels(given: list[int], own: npt.NDArray[np.int64]) -> int:
    """How many labels are not the csv's; the loader has two classes, so 0 may stand for 2."""
    unheard = schema.LABEL_IDS[schema.NOT_AUDIBLE]
    silent = schema.LABEL_IDS[schema.NOT_SPEAKING]
    said = np.array(given)
    return int(np.count_nonzero((said != own) & ~((own == unheard) & (said == silent))))
