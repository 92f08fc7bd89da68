"""What the conversions for all loaders share: placing files, counting, and the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from unitalk.dataset.convert.convert_report import ConvertReport, Found, sentences
from unitalk.dataset.convert.place_files import Job, place_files
from unitalk.executor import Here
from unitalk.formats.loaders import ends_too_early
from unitalk.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from unitalk.dataset.convert.convert_report import Target
    from unitalk.dataset.convert.place_files import TrackFiles, VideoFiles
    from unitalk.executor import Executor
    from unitalk.files import Link
    from unitalk.layout import Layout, Split
    from unitalk.progress import Progress

Files = dict[str, "TrackFiles"]


class Conversion:
    """One conversion, and what it has written and found so far."""

    black = "faces without a crop of their own (left out)"
    silent = "tracks without sound (the loader stops)"

    def __init__(
        self,
        target: Target,
        old: Layout,
        link: Link,
        executor: Executor | None,
        progress: Progress | None,
    ) -> None:
        self.target, self.old, self.link = target, old, link
        self.executor, self.progress = executor or Here(), progress or SilentProgress()
        self.rows = self.tracks = 0
        self.videos: set[str] = set()
        self.placed: Counter[str] = Counter()
        self.written: list[str] = []
        self.reordered: list[Split] = []
        self.found = {
            "black": Found(self.black),
            "extra": Found("crops without a face (not placed)"),
            "silent": Found(self.silent),
            "short": Found("tracks whose sound ends too early"),
            "misaligned": Found("faces seen or scored as another one"),
        }
        self.gaps = Found("tracks with gaps in time")
        self.rates: Counter[float] = Counter()

    def into(self, root: Path, splits: tuple[Split, ...]) -> None:
        """Convert into a folder of its own."""
        raise NotImplementedError

    def in_place(self, splits: tuple[Split, ...], *, overwrite: bool) -> None:
        """Write tables into the dataset itself."""
        raise NotImplementedError

    def files(
        self,
        split: Split,
        tracks: Iterable[tuple[str, str, tuple[str, ...] | None]],
        root: Path,
        place: Callable[[Job], VideoFiles] = place_files,
    ) -> Files:
        """Place or list the files of a split, one task per video.

        Args:
            split: the split.
            tracks: the video, the id and the wanted crops of each track.
            root: the folder to fill.
            place: what to do with a video.
        """
        videos: dict[str, list[tuple[str, tuple[str, ...] | None]]] = defaultdict(list)
        for video, entity, names in tracks:
            videos[video].append((entity, names))
        source, to, flat = self.old.root.absolute(), root.absolute(), self.target == "asc"
        jobs = (
            Job(source, to, split, video, tuple(own), self.link, flat)
            for video, own in videos.items()
        )
        files: Files = {}
        doing = "placing" if place is place_files else "listing"
        total = sum(map(len, videos.values()))
        with self.progress.task(f"{doing} {split}", total=total, unit="tracks") as task:
            for done in self.executor.run(place, jobs):
                self.placed.update(done.placed)
                files.update(done.tracks)
                task.advance(len(done.tracks))
        return files

    def listen(self, name: str, seconds: float | None, first: float, last: float) -> None:
        """Compare the length of a track's sound with the times of its faces."""
        if seconds is None:
            self.found["silent"].add(f"{name}.wav")
        elif lengths := ends_too_early(seconds, first, last):
            self.found["short"].add(f"{name}.wav ({lengths})")

    def warnings(self) -> tuple[str, ...]:
        """What the reader should know, one sentence per kind."""
        return ()

    def report(self, destination: Path, splits: tuple[Split, ...]) -> ConvertReport:
        """The report of what was written and found."""
        return ConvertReport(
            target=self.target,
            source=str(self.old.root),
            destination=str(destination),
            splits=splits,
            rows=self.rows,
            tracks=self.tracks,
            videos=len(self.videos),
            files=dict(self.placed),
            written=tuple(self.written),
            reordered=tuple(self.reordered),
            **{kind: found.count for kind, found in self.found.items()},
            gaps=self.gaps.count,
            findings=sentences(*self.found.values()),
            warnings=self.warnings(),
        )
