"""Converting for loaders that give their scores back by position: TalkNet's and what grew of it.

Into a new folder, files are placed where the loader looks; what lacks its crop is left out of all
tables, so that no score slides onto another face. In place, only tables are written, and only where
nothing is lacking.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk.dataset.convert.convert_report import ConvertReport, Found, Target, sentences
from unitalk.dataset.convert.loader_check import Check
from unitalk.dataset.convert.loader_files import Job, list_for_loader, place_for_loader
from unitalk.dataset.convert.loader_rows import SplitRows
from unitalk.dataset.convert.loader_tables import (
    before_csv,
    entity_json,
    loader_csv,
    loader_text,
    loconet_texts,
    time_json,
)
from unitalk.errors import DestinationError, LayoutError
from unitalk.executor import Executor, Here
from unitalk.files import Link, Placer, atomic_write, check_apart, check_destination, staged_folder
from unitalk.layout import SPLITS, Layout, Split, face_name, face_seconds
from unitalk.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from unitalk.dataset.convert.loader_files import TrackFiles, VideoFiles

_READERS: dict[Target, str] = {"talknet": "TalkNet", "loconet": "LoCoNet"}
_NOTHING = "{\n}\n"  # an object without members


def convert(
    target: Target,
    source: Path,
    destination: Path | None,
    *,
    splits: tuple[Split, ...],
    link: Link,
    overwrite: bool,
    executor: Executor | None,
    progress: Progress | None,
) -> ConvertReport:
    """Convert for TalkNet's or LoCoNet's loader; see `convert_talknet` and `convert_loconet`."""
    if destination is not None:
        check_apart(source, destination)
        check_destination(destination, made_by=f"convert-{target}", overwrite=overwrite)
    old = Layout(Path(source))
    splits = old.require_splits(splits)
    run = _Run(target, old, link, executor or Here(), progress or SilentProgress())
    if destination is None:
        run.in_place(splits, overwrite=overwrite)
    else:
        about = {"source": str(old.root.resolve()), "splits": list(splits)}
        with staged_folder(
            destination, made_by=f"convert-{target}", overwrite=overwrite, about=about
        ) as staging:
            run.into(Layout(staging), splits)
    return ConvertReport(
        target=target,
        source=str(source),
        destination=str(source if destination is None else destination),
        splits=splits,
        rows=run.check.rows,
        tracks=run.check.tracks,
        videos=len(run.check.videos),
        files=dict(run.placed),
        written=tuple(run.written),
        reordered=tuple(run.reordered),
        black=run.black.count,
        silent=run.check.silent.count,
        short=run.check.short.count,
        extra=run.extra.count,
        misaligned=run.check.misaligned.count,
        gaps=run.check.gaps.count,
        findings=run.check.findings(run.black, run.extra),
        warnings=run.check.warnings(),
    )


@dataclass(slots=True)
class _Run:
    """One conversion, and what it has found so far."""

    target: Target
    old: Layout
    link: Link
    executor: Executor
    progress: Progress
    check: Check = field(default_factory=Check)
    black: Found = field(
        default_factory=lambda: Found("faces without a crop of their own (left out)")
    )
    extra: Found = field(default_factory=lambda: Found("crops without a face (not placed)"))
    placed: Counter[str] = field(default_factory=Counter)
    written: list[str] = field(default_factory=list)
    reordered: list[Split] = field(default_factory=list)

    # -------------------------------------------------------------------------- a new folder

    def into(self, new: Layout, splits: tuple[Split, ...]) -> None:
        """Make a dataset of its own."""
        for split in splits:
            rows = self._rows(split)
            files = self._files(rows, place_for_loader, new.root)
            self._note(rows, files)
            kept = rows.kept(files)
            if not kept.any():
                raise LayoutError(
                    f"{self.old.root}: no face of {split} has its crop",
                    hint="see what is missing with `unitalk verify`",
                )
            csv = new.csv(split)
            if rows.in_order and kept.all():
                csv.parent.mkdir(exist_ok=True)
                Placer("copy").file(rows.path, csv)
            else:
                rows.write(csv, kept)
            self._note_order(rows)
            tables = self._tables(rows, csv, kept)
            for path, content in tables.items():
                _write(path, content)
            self._note_written(new, [csv, *tables])
            self._check(csv, split, files)
        if self.target == "loconet":
            self._note_written(new, _empty_tables(new))

    def _note(self, rows: SplitRows, files: dict[str, TrackFiles]) -> None:
        for track in rows.tracks:
            found = files[track.entity]
            folder = f"{rows.split}/{track.entity}"
            names = rows.names(track) if found.left_out else ()
            for place in found.left_out:
                self.black.add(f"{folder}/{names[place]}")
            for name in found.extra:
                self.extra.add(f"{folder}/{name}")

    # -------------------------------------------------------------------------- in place

    def in_place(self, splits: tuple[Split, ...], *, overwrite: bool) -> None:
        """Write tables into the dataset, once it is certain that nothing is in the way."""
        planned = []
        for split in splits:
            rows = self._rows(split)
            files = self._files(rows, list_for_loader, self.old.root)
            self._refuse_what_the_loader_does_not_find(rows, files)
            csv = self.old.csv(split)
            tables = self._tables(rows, csv, np.ones(len(rows), bool))
            changed = {path: text for path, text in tables.items() if not _holds(path, text)}
            _refuse_to_replace(changed, overwrite=overwrite)
            if not rows.in_order:
                _refuse_to_lose(csv)
            planned.append((rows, files, changed))
        for rows, files, changed in planned:
            csv = self.old.csv(rows.split)
            if not rows.in_order:
                if not before_csv(csv).exists():
                    _write(before_csv(csv), csv.read_bytes())
                rows.write(csv, np.ones(len(rows), bool))
                self._note_order(rows)
                self._note_written(self.old, [before_csv(csv), csv])
            for path, content in changed.items():
                _write(path, content)
            self._note_written(self.old, changed)
            self._check(csv, rows.split, files)
        if self.target == "loconet":
            self._note_written(self.old, _empty_tables(self.old))

    def _refuse_what_the_loader_does_not_find(
        self, rows: SplitRows, files: dict[str, TrackFiles]
    ) -> None:
        """Hold the crops and the sounds that the loader opens against the rows.

        Raises:
            LayoutError: they are not in their places, or are not those of the rows.
        """
        nowhere = Found("tracks whose crops are not where the loader looks")
        others = Found("tracks whose crops are not those of their rows")
        silent = Found("tracks without sound where the loader looks")
        for track in rows.tracks:
            found, wanted = files[track.entity], list(rows.names(track))
            there = found.names.split("/") if found.names else []
            name = f"{rows.split}/{track.entity}"
            if not there:
                nowhere.add(name)
            elif wrong := self._difference(there, wanted):
                others.add(f"{name} ({wrong})")
            if found.seconds is None:
                silent.add(name)
        said = sentences(nowhere, others, silent)
        if said:
            raise LayoutError(
                f"{self.old.root}: nothing was written, as {_READERS[self.target]} would not find "
                f"what the csv says: {'; '.join(said)}",
                hint="convert into a folder of its own with --destination, where files get the "
                "places and names that it opens; what is missing or damaged is listed by "
                "`unitalk verify`",
            )

    def _difference(self, there: list[str], wanted: list[str]) -> str | None:
        """How a track's crops differ from those of its rows; None if they do not."""
        if there == wanted:
            return None
        times = [face_seconds(name) for name in there]
        ours = [
            name if time is None else face_name(time)
            for name, time in zip(there, times, strict=True)
        ]
        if ours == wanted:
            if self.target == "talknet":  # which sorts numbers, whatever their digits
                return None
            odd = next(name for name, want in zip(there, wanted, strict=True) if name != want)
            return f"{odd} is no name with two decimals"
        more, less = sorted(set(ours) - set(wanted)), sorted(set(wanted) - set(ours))
        if more or less:
            return f"{less[0]} is missing" if less else f"{more[0]} has no row"
        return f"{len(there):,} crops for {len(wanted):,} rows"

    # -------------------------------------------------------------------------- both

    def _rows(self, split: Split) -> SplitRows:
        return SplitRows(self.old.csv(split), split, _READERS[self.target])

    def _files(
        self, rows: SplitRows, place: Callable[[Job], VideoFiles], root: Path
    ) -> dict[str, TrackFiles]:
        """Place or list the files of a split's tracks, a task a video."""
        files: dict[str, TrackFiles] = {}
        doing = "placing" if place is place_for_loader else "listing"
        with self.progress.task(
            f"{doing} {rows.split}", total=len(rows.tracks), unit="tracks"
        ) as task:
            for video in self.executor.run(place, self._jobs(rows, root.absolute())):
                self.placed.update(video.placed)
                files.update(video.tracks)
                task.advance(len(video.tracks))
        return files

    def _jobs(self, rows: SplitRows, destination: Path) -> Iterator[Job]:
        videos = defaultdict(list)
        for track in rows.tracks:
            videos[track.video].append(track)
        source = self.old.root.absolute()
        for video, tracks in videos.items():
            wanted = tuple((track.entity, rows.names(track)) for track in tracks)
            yield Job(source, destination, rows.split, video, wanted, self.link)

    def _tables(self, rows: SplitRows, csv: Path, kept: npt.NDArray[np.bool_]) -> dict[Path, bytes]:
        """What the loader reads beside the split's csv."""
        tables = {loader_csv(csv): loader_text(rows, kept)}
        if self.target == "loconet":
            tables[entity_json(csv)], tables[time_json(csv)] = loconet_texts(rows, kept)
        return {path: text.encode() for path, text in tables.items()}

    def _check(self, csv: Path, split: Split, files: dict[str, TrackFiles]) -> None:
        self.check.read(csv, split, files, loconet=self.target == "loconet")

    def _note_order(self, rows: SplitRows) -> None:
        if not rows.in_order:
            self.reordered.append(rows.split)

    def _note_written(self, layout: Layout, paths: Iterable[Path]) -> None:
        self.written += [path.relative_to(layout.root).as_posix() for path in paths]


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path, "wb") as file:
        file.write(content)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _refuse_to_lose(csv: Path) -> None:
    """Let the csv that is kept be the first one; a run that was stopped has kept this very one.

    Raises:
        DestinationError: another one is kept already.
    """
    before = before_csv(csv)
    if before.exists() and not _holds(before, csv.read_bytes()):
        raise DestinationError(
            f"{before} is there already, and {csv.name} would be kept under its name",
            hint="move it elsewhere, or convert into a folder with --destination",
        )


def _refuse_to_replace(tables: dict[Path, bytes], *, overwrite: bool) -> None:
    """Let nobody's table be lost by accident; one with the same content need not be written.

    Raises:
        DestinationError: one is there and says something else.
    """
    there = [path for path in tables if path.exists()]
    if there and not overwrite:
        raise DestinationError(
            f"{there[0]} is there already, and it is not what would be written",
            hint="keep it by converting with --destination, or replace it with --overwrite",
        )


def _empty_tables(layout: Layout) -> list[Path]:
    """Write empty JSON files for the splits that are not there.

    LoCoNet makes its JSON files for train, val and test when one is missing, whatever it is to do,
    and stops at that: it opens them for reading.
    """
    made = []
    for split in SPLITS:
        csv = layout.csv(split)
        for path in (entity_json(csv), time_json(csv)):
            if not csv.exists() and not path.exists():
                _write(path, _NOTHING.encode())
                made.append(path)
    return made
