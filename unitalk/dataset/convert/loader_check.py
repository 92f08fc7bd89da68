"""Reads what was written the way TalkNet's and LoCoNet's loaders do, and scores it as they do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from unitalk import schema
from unitalk.dataset.convert.convert_report import Found, sentences
from unitalk.dataset.convert.loader_files import VIDEO_LETTERS
from unitalk.dataset.convert.loader_tables import (
    Line,
    entity_json,
    loader_csv,
    read_loader,
    read_object,
    time_json,
)
from unitalk.dataset.convert.wav_lengths import ends_too_early
from unitalk.errors import examples
from unitalk.layout import face_name, face_seconds
from unitalk.schema.frame_rate import GAP, USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.dataset.convert.loader_files import TrackFiles
    from unitalk.layout import Split


@dataclass(slots=True)
class Check:
    """What a loader would find in the result; it walks the loader's csv, line by line.

    See `dataLoader.py` and `talkNet.py` (`evaluate_network`) of TalkNet-ASD: the first n crops of
    a track by the numbers of their names are its n frames, and the scores of all lines, one after
    the other, are set beside the rows of the split's csv.
    """

    rows: int = 0
    tracks: int = 0
    videos: set[str] = field(default_factory=set)
    silent: Found = field(default_factory=lambda: Found("tracks without sound (the loader stops)"))
    short: Found = field(default_factory=lambda: Found("tracks whose sound ends too early"))
    misaligned: Found = field(default_factory=lambda: Found("faces seen or scored as another one"))
    gaps: Found = field(default_factory=lambda: Found("tracks with gaps in time"))
    rates: Counter[float] = field(default_factory=Counter)

    def read(
        self, csv: Path, split: Split, files: Mapping[str, TrackFiles], *, loconet: bool = False
    ) -> None:
        """Look up every row of a split.

        Args:
            csv: the split's csv, beside which the loader's lies.
            split: the split.
            files: what was listed of each track, where the loader looks.
            loconet: whether LoCoNet's JSON files are there too, and its names of crops wanted.
        """
        rows = _Keys(csv)
        self.rows += len(rows)
        self.videos.update(rows.videos)
        people = _People(csv) if loconet else None
        start = 0
        for line in read_loader(loader_csv(csv)):
            self.tracks += 1
            self.rates[line.rate] += 1
            found = files[line.entity]
            seen = found.names.split("/")[: line.frames] if found.names else []
            scored = rows.names(start, line.frames, line.entity)
            start += line.frames
            shown = seen if loconet or seen == scored else list(map(_time_of, seen))
            wrong = _differing(shown, scored, len(line.labels), line.frames)
            if people and not wrong:
                wrong = people.wrong_with(line, shown)
            if wrong:
                self.misaligned.add(f"{split}/{line.entity}", wrong)
            else:
                self._listen(f"{split}/{line.entity}", line, found.seconds, scored)
        if start != len(rows):
            self.misaligned.add(f"{csv.name}: {start:,} scores", abs(len(rows) - start))

    def _listen(self, name: str, line: Line, seconds: float | None, scored: list[str]) -> None:
        """Look at the sound of a track against its times."""
        times = np.array([float(text.removesuffix(".jpg")) for text in scored])
        if seconds is None:
            self.silent.add(f"{name}.wav")
        elif lengths := ends_too_early(seconds, times[0], times[-1]):
            self.short.add(f"{name}.wav ({lengths})")
        gaps = np.flatnonzero(np.diff(times) > GAP / line.rate)
        if len(gaps):
            before, after = times[gaps[0]], times[gaps[0] + 1]
            self.gaps.add(f"{name} ({before:.2f} to {after:.2f} s)")

    def findings(self, *more: Found) -> tuple[str, ...]:
        """What is wrong, one sentence a kind."""
        return sentences(*more, self.silent, self.short, self.misaligned)

    def warnings(self) -> tuple[str, ...]:
        """What the reader should know, one sentence a kind."""
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


def _time_of(name: str) -> str:
    """The name that we would have written; the loader sorts numbers, whatever their digits."""
    seconds = face_seconds(name)
    return name if seconds is None else face_name(seconds)


def _differing(shown: list[str], scored: list[str], labels: int, frames: int) -> int:
    """How many frames of a track are another face than the row that gets their score."""
    if shown == scored and labels == frames:
        return 0
    same = sum(one == two for one, two in zip(shown, scored, strict=False))
    return max(frames - min(same, labels), 1)


class _Keys:
    """The rows of a split's csv by position: whose face, at what time."""

    def __init__(self, csv: Path) -> None:
        self.videos: set[str] = set()
        entities: dict[str, int] = {}
        codes: list[npt.NDArray[Any]] = []
        seconds: list[npt.NDArray[np.float64]] = []
        _, batches = schema.read_text(csv, only_keys=True)
        for batch in batches:
            self.videos.update(map(str, pc.unique(batch[schema.VIDEO])))
            encoded: Any = pc.dictionary_encode(batch[schema.ENTITY])
            own = [entities.setdefault(str(e), len(entities)) for e in encoded.dictionary]
            codes.append(np.array(own, np.int32)[schema.as_numpy(encoded.indices)])
            seconds.append(schema.seconds_of(batch))
        self._entities = entities
        self._codes = np.concatenate(codes) if codes else np.zeros(0, np.int32)
        times = np.concatenate(seconds) if seconds else np.zeros(0)
        unique, self._places = np.unique(times, return_inverse=True)
        self._names = np.array([face_name(time) for time in unique.tolist()], object)

    def __len__(self) -> int:
        return len(self._codes)

    def names(self, start: int, count: int, entity: str) -> list[str]:
        """The crops of rows by position; "" for a row of another track."""
        own = slice(start, start + count)
        names: list[str] = self._names[self._places[own]].tolist()
        code = self._entities.get(entity, -1)
        if (self._codes[own] == code).all():
            return names
        whose = self._codes[own].tolist()
        return [name if of == code else "" for name, of in zip(names, whose, strict=True)]


class _People:
    """LoCoNet's JSON files, looked up as its loader does (`dataLoader_multiperson.py`)."""

    def __init__(self, csv: Path) -> None:
        self._entities = read_object(entity_json(csv))
        self._times = read_object(time_json(csv))

    def wrong_with(self, line: Line, shown: list[str]) -> int:
        """How many frames of a track LoCoNet would not find, or find with another label."""
        video = line.entity[:VIDEO_LETTERS]
        labels = self._entities.get(video, {}).get(line.entity, {})
        opened = [f"{float(time):.2f}.jpg" for time in labels]
        if opened != shown or list(labels.values()) != line.labels:
            return line.frames
        together = self._times.get(video, {})
        return sum(line.entity not in together.get(time, ()) for time in labels)
