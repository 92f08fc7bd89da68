"""Export a dataset's tracks into shards, resuming an earlier run.

The destination's marker has the request and the plan of the shards. The same command again keeps
the whole shards; another request is refused. The index is written last, when all shards are there.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.dataset.export.export_report import ExportReport
from unitalk.dataset.export.shard_plan import Shard, estimated, plan_shards
from unitalk.dataset.export.shards import FORMS, Job, remove_half_shards, whole, write_shard
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
    from collections.abc import Mapping, Sequence

    from unitalk.choices import FormName
    from unitalk.executor import Executor
    from unitalk.formats.shard_record import Form
    from unitalk.layout import Split

SHARD_SIZE = 256_000_000
"""Bytes of a shard, about: few enough for a worker's memory, many enough for an object storage."""

INDEX = "manifest.json"

_WAY_OUT = "give a new folder, or `overwrite=True` to begin anew there"


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
        run = _Run(target, FORMS[form], found, shards, progress or SilentProgress())
        run.write_missing(executor or Here())
        counts = _counted(found, shards)
        if not run.damaged:
            run.write_index(counts)
        return ExportReport(
            source=str(source),
            destination=str(destination),
            form=form,
            splits=counts,
            bytes=run.bytes,
            written=len(run.whole) - run.kept,
            kept=run.kept,
            damaged=run.damaged,
            findings=tuple(run.findings),
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


@dataclass(slots=True)
class _Run:
    """Writes the missing shards.

    Attributes:
        whole: the whole shards by name, each with its counts and its receipt.
        kept: how many of them an earlier run wrote.
        damaged: how many tracks cannot be read.
        findings: what is wrong with the first ones.
    """

    destination: Path
    form: Form
    tracks: Tracks
    shards: tuple[Shard, ...]
    progress: Progress
    whole: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: int = 0
    damaged: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The bytes of all whole shards."""
        return sum(about["bytes"] for about in self.whole.values())

    def name(self, shard: Shard) -> str:
        """The path of a shard below the destination."""
        return self.form.shard_name(shard.split, shard.number)

    def write_missing(self, executor: Executor) -> None:
        """Write the missing shards.

        Raises:
            DiskError: there is too little room for them.
        """
        for shard in self.shards:
            self._look(shard)
        self.kept = len(self.whole)
        missing = [shard for shard in self.shards if self.name(shard) not in self.whole]
        remove_half_shards(self.destination, self.form)
        if not missing:
            return
        _check_space(self.destination, sum(shard.size for shard in missing))
        (self.destination / INDEX).unlink(missing_ok=True)
        results = executor.run(write_shard, map(self._job, missing))
        total = sum(shard.tracks for shard in self.shards)
        done = total - sum(shard.tracks for shard in missing)
        try:
            with self.progress.task("exporting", total=total, unit="tracks", done=done) as task:
                for shard, result in zip(missing, results, strict=True):
                    self.damaged += result.damaged
                    self.findings += result.examples[: EXAMPLES - len(self.findings)]
                    self._look(shard)
                    task.advance(shard.tracks)
        finally:
            if isinstance(results, Generator):
                results.close()  # ends the tasks that are still writing
            remove_half_shards(self.destination, self.form)

    def _job(self, shard: Shard) -> Job:
        start = sum(one.tracks for one in self.shards[: self.shards.index(shard)])
        return Job(
            self.form.name,
            str(self.destination),
            self.name(shard),
            shard.first,
            tuple(self.tracks[start : start + shard.tracks]),
        )

    def _look(self, shard: Shard) -> None:
        name = self.name(shard)
        receipt = whole(self.destination, name)
        if receipt is not None:
            counts = {"split": shard.split, "tracks": shard.tracks, "faces": shard.faces}
            self.whole[name] = counts | receipt

    def write_index(self, splits: Mapping[Split, Mapping[str, int]]) -> None:
        """Write the index, which says that all shards are there, and the card of `hf`."""
        if self.form.name == "hf":
            with atomic_write(self.destination / CARD) as file:
                file.write(card(splits))
        shards = [{"name": name, **about} for name, about in self.whole.items()]
        write_json(
            self.destination / INDEX,
            {
                "schema_version": 1,
                "form": self.form.name,
                "form_version": self.form.version,
                "splits": splits,
                "shards": sorted(shards, key=lambda shard: shard["name"]),
            },
        )


def _check_space(destination: Path, needed: int) -> None:
    free = free_bytes(destination)
    if needed > free:
        raise DiskError(
            f"{destination}: about {size(needed)} are needed and {size(free)} are free",
            hint="make room, or export less: a split, or some videos",
        )
