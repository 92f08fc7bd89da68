"""Export a dataset's tracks into shards, resuming an earlier run.

The destination's marker has the request and the plan of the shards. The same command again keeps
the whole shards; another request is refused. The index is written last, when all shards are there.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.dataset.export.export_report import ExportReport
from unitalk.dataset.export.shard_plan import Shard, estimated, plan_shards
from unitalk.dataset.export.shards import FORMS, Done, Job, remove_half_shards, whole, write_shard
from unitalk.errors import EXAMPLES, DestinationError, DiskError, UsageError
from unitalk.executor import Here
from unitalk.files import (
    Request,
    atomic_write,
    check_apart,
    check_destination,
    disk_boundary,
    free_bytes,
    locked,
    read_json,
    sha256,
    staged_folder,
    write_json,
)
from unitalk.formats.huggingface import CARD, card
from unitalk.layout import SPLITS, Layout
from unitalk.media.tracks import Tracks, tracks
from unitalk.progress import Progress, SilentProgress, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from unitalk.choices import FormName
    from unitalk.executor import Executor
    from unitalk.formats.shard_record import Form
    from unitalk.layout import Split

SHARD_SIZE = 256_000_000
"""Bytes of a shard, about: few enough for a worker's memory, many enough for an object storage."""

INDEX = "manifest.json"

_WAY_OUT = "give a new folder, or `overwrite=True` to start over there"


@disk_boundary("destination")
def export_tracks(
    source: Path,
    destination: Path,
    *,
    form: FormName,
    splits: tuple[Split, ...] = (),
    videos: tuple[str, ...] = (),
    shard_size: int = SHARD_SIZE,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a dataset's tracks into shards; the same call again resumes an interrupted run.

    The bytes of a shard depend on the tracks alone, not on the time, the place or the number of
    processes; the bytes of the face crops are unchanged.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or was made by an export of the same
            tracks into the same form.
        form: `webdataset` (tar), `parquet`, or `hf` (Parquet that `load_dataset` opens).
        splits: the splits to export; default: all.
        videos: export only the tracks of these; default: all.
        shard_size: about how many bytes a shard has; a larger track has a shard to itself.
        overwrite: replace what an earlier export into the same form made there.
        executor: writes the shards; default: this process, one after the other.
        progress: where to report to.

    Returns:
        The report. Tracks that cannot be read are in its `findings`; their shards are not written,
        and all others are: repair the tracks, and export again.

    Raises:
        DestinationError: the destination is not free, contains another export, or one folder
            contains the other.
        LayoutError: the source is not a dataset, or lacks a split.
        SchemaError: the source's csv breaks the schema.
        DataError: a video has no rows.
        DiskError: there is too little room.
        UsageError: the size of a shard is below 1.
    """
    if shard_size < 1:
        raise UsageError(f"a shard of {shard_size} bytes holds nothing", hint="give 1 or more")
    # Whole paths: a worker elsewhere stands in another folder.
    root, target = Path(source).absolute(), Path(destination).absolute()
    made_by = f"export {form}"
    check_apart(root, target)
    check_destination(target, made_by=made_by, overwrite=True, in_place=not overwrite)
    layout = Layout(root)
    named = layout.require_splits(splits)
    splits = tuple(split for split in SPLITS if split in named)
    request = _request(layout, FORMS[form], splits, videos, shard_size)
    if not overwrite:
        request.check(target)
    found = tracks(root, split=splits, videos=videos or None)
    if overwrite or not Layout(target).marker.is_file():
        _begin(target, request, found, made_by=made_by, overwrite=overwrite)
    with locked(Layout(target).memory):
        request.check(target)
        shards = _recorded_plan(target, len(found))
        kept = len(_whole(target, FORMS[form], shards))
        wrong = _write_missing(
            target,
            FORMS[form],
            found,
            shards,
            executor=executor or Here(),
            progress=progress or SilentProgress(),
        )
        there = _whole(target, FORMS[form], shards)
        counts = _counted(found, shards)
        if not wrong.damaged:
            _write_index(target, FORMS[form], counts, there)
        return ExportReport(
            source=str(source),
            destination=str(destination),
            form=form,
            splits=counts,
            bytes=sum(shard["bytes"] for shard in there),
            written=len(there) - kept,
            kept=kept,
            damaged=wrong.damaged,
            findings=wrong.examples,
        )


def _request(
    source: Layout, form: Form, splits: Sequence[Split], videos: Sequence[str], shard_size: int
) -> Request:
    """Everything that decides which bytes stand in which shard."""
    return Request(
        values={
            "form_version": form.version,
            "shard_size": shard_size,
            "videos": sorted(set(videos)),
            "csv": {split: sha256(source.csv(split)) for split in splits},
        },
        way_out=_WAY_OUT,
    )


def _begin(
    destination: Path, request: Request, found: Tracks, *, made_by: str, overwrite: bool
) -> None:
    """Make the folder, in place of an older one, with nothing in it but request and plan."""
    splits = [track.split for track in found]
    shards = plan_shards(
        zip(splits, found.lengths.tolist(), estimated(found), strict=True),
        request.values["shard_size"],
    )
    about = {**request.about, "shards": [asdict(shard) for shard in shards]}
    old = Layout(destination)
    with (
        locked(old.memory) if old.marker.is_file() else nullcontext(),
        staged_folder(destination, made_by=made_by, overwrite=overwrite, about=about),
    ):
        pass


def _recorded_plan(destination: Path, tracks: int) -> tuple[Shard, ...]:
    """How so many tracks are cut, as the marker says; a damaged marker is refused."""
    marker = Layout(destination).marker
    try:
        shards = tuple(Shard(**shard) for shard in (read_json(marker) or {})["shards"])
    except (KeyError, TypeError):
        shards = ()
    if sum(shard.tracks for shard in shards) != tracks:
        raise DestinationError(
            f"{marker} does not say how the {tracks:,} tracks were cut: it was damaged from "
            "outside",
            hint=_WAY_OUT,
        )
    return shards


def _counted(found: Tracks, shards: Sequence[Shard]) -> dict[Split, dict[str, int]]:
    counts: dict[Split, dict[str, int]] = {}
    for shard in shards:
        count = counts.setdefault(shard.split, {"videos": 0, "tracks": 0, "faces": 0, "shards": 0})
        count["tracks"] += shard.tracks
        count["faces"] += shard.faces
        count["shards"] += 1
    for split, _ in {(track.split, track.video_id) for track in found}:
        counts[split]["videos"] += 1
    return counts


# ------------------------------------------------------------------------------ the run


def _whole(destination: Path, form: Form, shards: Iterable[Shard]) -> list[dict[str, Any]]:
    """The whole shards, each with its counts and its receipt."""
    found = []
    for shard in shards:
        name = form.shard_name(shard.split, shard.number)
        if receipt := whole(destination, name):
            counts = {"split": shard.split, "tracks": shard.tracks, "faces": shard.faces}
            found.append({"name": name, **counts, **receipt})
    return found


def _write_missing(
    destination: Path,
    form: Form,
    found: Tracks,
    shards: Sequence[Shard],
    *,
    executor: Executor,
    progress: Progress,
) -> Done:
    """Write the missing shards; tells of the tracks that cannot be read."""
    there = {shard["name"] for shard in _whole(destination, form, shards)}
    starts = itertools.accumulate((shard.tracks for shard in shards), initial=0)
    missing = [
        (shard, start)
        for shard, start in zip(shards, starts, strict=False)
        if form.shard_name(shard.split, shard.number) not in there
    ]
    remove_half_shards(destination, form)
    if not missing:
        return Done(0, ())
    _check_space(destination, sum(shard.size for shard, _ in missing))
    (destination / INDEX).unlink(missing_ok=True)
    jobs = (
        Job(
            form.name,
            str(destination),
            form.shard_name(shard.split, shard.number),
            shard.first,
            tuple(found[start : start + shard.tracks]),
        )
        for shard, start in missing
    )
    results = executor.run(write_shard, jobs)
    total = len(found)
    done = total - sum(shard.tracks for shard, _ in missing)
    damaged = 0
    examples: tuple[str, ...] = ()
    try:
        with progress.task("exporting", total=total, unit="tracks", done=done) as task:
            for (shard, _), result in zip(missing, results, strict=True):
                damaged += result.damaged
                examples = (*examples, *result.examples)[:EXAMPLES]
                task.advance(shard.tracks)
    finally:
        if isinstance(results, Generator):
            results.close()  # ends the tasks that are still writing
        remove_half_shards(destination, form)
    return Done(damaged, examples)


def _write_index(
    destination: Path,
    form: Form,
    splits: Mapping[Split, Mapping[str, int]],
    shards: Iterable[Mapping[str, Any]],
) -> None:
    """Write the index, which says that all shards are there, and the card of `hf`."""
    if form.name == "hf":
        with atomic_write(destination / CARD) as file:
            file.write(card(splits))
    index = {
        "schema_version": 1,
        "form": form.name,
        "form_version": form.version,
        "splits": splits,
        "shards": sorted(shards, key=lambda shard: str(shard["name"])),
    }
    write_json(destination / INDEX, index)


def _check_space(destination: Path, needed: int) -> None:
    free = free_bytes(destination)
    if needed > free:
        raise DiskError(
            f"{destination}: about {size(needed)} are needed and {size(free)} are free",
            hint="make room, or export less: a split, or some videos",
        )
