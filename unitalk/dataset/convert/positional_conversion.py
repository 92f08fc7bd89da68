"""Convert for loaders that give scores back by position: TalkNet's and those that grew from it.

Into a new folder, files are placed where the loader looks; faces that lack a crop are left out of
all tables, so that no score slides to another face. In place, only tables are written, and only
where nothing is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk.dataset.convert.conversion import Conversion
from unitalk.dataset.convert.convert_report import Found, sentences
from unitalk.dataset.convert.place_files import list_files, place_files
from unitalk.errors import DestinationError, LayoutError, examples
from unitalk.files import Placer, atomic_write
from unitalk.formats import loconet, talknet
from unitalk.formats.positional import beside, by_time, misnamed
from unitalk.formats.positional_rows import PositionalRows
from unitalk.layout import SPLITS, Layout
from unitalk.schema.frame_rate import GAP_FRAMES, USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from unitalk.dataset.convert.conversion import Files
    from unitalk.dataset.convert.convert_report import Target
    from unitalk.dataset.convert.place_files import Job, VideoFiles
    from unitalk.formats.positional_rows import Bools
    from unitalk.layout import Split
    from unitalk.schema.split_rows import Track

_READERS: dict[Target, str] = {"talknet": "TalkNet", "loconet": "LoCoNet"}


class PositionalConversion(Conversion):
    """A conversion for TalkNet or LoCoNet."""

    def into(self, root: Path, splits: tuple[Split, ...]) -> None:
        """Make a dataset of its own."""
        new = Layout(root)
        for split in splits:
            rows = self._read(self.old.csv(split), split)
            files = self._files(rows, new.root)
            self._note_differences(rows, files)
            kept = rows.kept({entity: own.left_out for entity, own in files.items()})
            if not kept.any():
                raise LayoutError(
                    f"{self.old.root}: no face of {split} has its crop",
                    hint="see what is missing with `verify_dataset`",
                )
            csv = new.csv(split)
            if rows.in_order and kept.all():
                csv.parent.mkdir(exist_ok=True)
                Placer("copy").file(rows.path, csv)
            else:
                rows.write(csv, kept)
            self._note_order(rows)
            tables = self._tables(rows, csv, kept)
            self._write(new, tables, first=[csv])
            self._check(csv, split, files)
        self._write_empty(new)

    def _note_differences(self, rows: PositionalRows, files: Files) -> None:
        for track in rows.tracks:
            found = files[track.entity]
            folder = f"{rows.split}/{track.entity}"
            names = rows.names(track) if found.left_out else ()
            for place in found.left_out:
                self.found["black"].add(f"{folder}/{names[place]}")
            for name in found.extra:
                self.found["extra"].add(f"{folder}/{name}")

    # -------------------------------------------------------------------------- in place

    def in_place(self, splits: tuple[Split, ...], *, overwrite: bool) -> None:
        """Write tables into the dataset, once it is certain that nothing is in the way."""
        planned = []
        for split in splits:
            csv = self.old.csv(split)
            rows = self._read(csv, split)
            files = self._files(rows, self.old.root, list_files)
            self._refuse_other_files(rows, files)
            tables = self._tables(rows, csv, np.ones(len(rows), bool))
            changed = {path: text for path, text in tables.items() if not _has(path, text)}
            _refuse_to_replace(changed, overwrite=overwrite)
            if not rows.in_order:
                _refuse_to_lose(csv)
            planned.append((rows, files, changed))
        for rows, files, changed in planned:
            csv, before = rows.path, _before(rows.path)
            if not rows.in_order:
                if not before.exists():
                    _write(before, csv.read_bytes())
                rows.write(csv, np.ones(len(rows), bool))
            self._note_order(rows)
            self._write(self.old, changed, first=[] if rows.in_order else [before, csv])
            self._check(csv, rows.split, files)
        self._write_empty(self.old)

    def _refuse_other_files(self, rows: PositionalRows, files: Files) -> None:
        """Refuse crops and sounds that are not those that the loader opens for the rows."""
        nowhere = Found("tracks whose crops are not where the loader looks")
        others = Found("tracks whose crops are not those of their rows")
        silent = Found("tracks without sound where the loader looks")
        for track in rows.tracks:
            found = files[track.entity]
            name = f"{rows.split}/{track.entity}"
            wanted = rows.names(track)
            if not found.crops:
                nowhere.add(name)
            elif wrong := misnamed(found.crops, wanted, exact=self.target == "loconet"):
                others.add(f"{name} ({wrong})")
            if found.seconds is None:
                silent.add(name)
        said = sentences(nowhere, others, silent)
        if said:
            raise LayoutError(
                f"{self.old.root}: nothing was written, as {_READERS[self.target]} would not find "
                f"what the csv says: {'; '.join(said)}",
                hint="convert into a folder of its own with `destination`, where files get the "
                "places and names that it opens; what is missing or damaged is listed by "
                "`verify_dataset`",
            )

    # -------------------------------------------------------------------------- both

    def _read(self, csv: Path, split: Split) -> PositionalRows:
        return PositionalRows(csv, split, _READERS[self.target])

    def _files(
        self, rows: PositionalRows, root: Path, place: Callable[[Job], VideoFiles] = place_files
    ) -> Files:
        tracks = ((track.video, track.entity, rows.names(track)) for track in rows.tracks)
        return self.files(rows.split, tracks, root, place)

    def _tables(self, rows: PositionalRows, csv: Path, kept: Bools) -> dict[Path, bytes]:
        """The tables that the loader reads beside the split's csv."""
        tables = {talknet.loader_csv(csv): talknet.loader_text(rows, kept)}
        if self.target == "loconet":
            texts = loconet.json_texts(rows, kept)
            tables |= dict(zip(loconet.json_files(csv), texts, strict=True))
        return {path: text.encode() for path, text in tables.items()}

    def _write(self, layout: Layout, tables: dict[Path, bytes], first: Iterable[Path] = ()) -> None:
        for path, content in tables.items():
            _write(path, content)
        self.written += [path.relative_to(layout.root).as_posix() for path in (*first, *tables)]

    def _write_empty(self, layout: Layout) -> None:
        """Write LoCoNet's empty files for the splits that do not exist."""
        if self.target == "loconet":
            absent = [layout.csv(split) for split in SPLITS if not layout.csv(split).exists()]
            paths = [path for csv in absent for path in loconet.json_files(csv)]
            empty = {path: loconet.EMPTY.encode() for path in paths if not path.exists()}
            self._write(layout, empty)

    def _note_order(self, rows: PositionalRows) -> None:
        if not rows.in_order:
            self.reordered.append(rows.split)

    # -------------------------------------------------------------------------- reading back

    def _check(self, csv: Path, split: Split, files: Files) -> None:
        """Read the written files as the loader does.

        See `dataLoader.py` and `talkNet.py` (`evaluate_network`) of TalkNet-ASD: the first n crops
        of a track by the numbers of their names are its n frames, and the scores of all lines, one
        after the other, are set beside the rows of the split's csv.
        """
        rows = self._read(csv, split)
        self.rows += len(rows)
        self.videos.update(rows.rows.video[1])
        lines, faults = talknet.read_loader(csv)
        self.tracks += len(lines)
        faults += talknet.compare(lines, rows.rows, complete=not faults)
        if faults or not rows.in_order:  # scores would not find their rows
            detail = faults[0].detail if faults else "its rows are not in the order of the tracks"
            self.found["misaligned"].add(f"{csv.name} ({detail})", len(rows))
            return
        people = loconet.JsonCheck(csv) if self.target == "loconet" else None
        for line, track in zip(lines, rows.tracks, strict=True):
            self.rates[line.rate] += 1
            found, scored = files[line.entity], rows.names(track)
            seen = found.crops[: line.frames]
            shown = seen if people else by_time(seen)
            same = sum(one == two for one, two in zip(shown, scored, strict=False))
            wrong = line.frames - same or (people.wrong_faces(line, shown) if people else 0)
            if wrong:
                self.found["misaligned"].add(f"{split}/{line.entity}", wrong)
            else:
                self._listen(rows, track, line.rate, found.seconds)

    def _listen(
        self, rows: PositionalRows, track: Track, rate: float, seconds: float | None
    ) -> None:
        """Compare the sound of a track with its times."""
        name = f"{rows.split}/{track.entity}"
        times = rows.seconds[track.start : track.stop]
        self.listen(name, seconds, times[0], times[-1])
        gaps = np.flatnonzero(np.diff(times) > GAP_FRAMES / rate)
        if len(gaps):
            before, after = times[gaps[0]], times[gaps[0] + 1]
            self.gaps.add(f"{name} ({before:.2f} to {after:.2f} s)")

    def warnings(self) -> tuple[str, ...]:
        """What the reader should know, one sentence per kind."""
        said = [
            f"{text}; after a gap the model hears what was said before"
            for text in sentences(self.gaps)
        ]
        unusual = {rate: count for rate, count in self.rates.items() if rate != USUAL}
        if unusual:
            each = examples(f"{rate:g} ({count:,} tracks)" for rate, count in unusual.items())
            said.append(
                f"not at {USUAL:g} frames a second: {each}; the loader cuts the sound to it, and "
                "models are trained at about that rate"
            )
        return tuple(said)


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path, "wb") as file:
        file.write(content)


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _before(csv: Path) -> Path:
    """Where a split's csv is kept when its rows are brought into another order."""
    return beside(csv, "_orig.before-convert.csv")


def _refuse_to_lose(csv: Path) -> None:
    """Raise when another csv is kept already; a run that was stopped kept this very one."""
    before = _before(csv)
    if before.exists() and not _has(before, csv.read_bytes()):
        raise DestinationError(
            f"{before} is there already, and {csv.name} would be kept under its name",
            hint="move it elsewhere, or convert into another folder with `destination`",
        )


def _refuse_to_replace(tables: dict[Path, bytes], *, overwrite: bool) -> None:
    """Raise when a table with other content would be lost by accident."""
    there = [path for path in tables if path.exists()]
    if there and not overwrite:
        raise DestinationError(
            f"{there[0]} is there already, and it is not what would be written",
            hint="convert into another folder with `destination`, or replace it with "
            "`overwrite=True`",
        )
