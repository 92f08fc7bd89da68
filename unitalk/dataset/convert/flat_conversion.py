"""Convert for ASC's and ASDNet's loader, which does not miss what is missing: it is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.dataset.convert.conversion import Conversion
from unitalk.formats import asc
from unitalk.layout import FlatLayout

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.dataset.convert.conversion import Files
    from unitalk.layout import Split


class FlatConversion(Conversion):
    """A conversion to the flat layout."""

    black = "faces without a crop (black there)"
    silent = "tracks without sound (silent there)"

    def into(self, root: Path, splits: tuple[Split, ...]) -> None:
        """Make the flat layout, and look up every row as the loader does."""
        new = FlatLayout(root)
        for split in splits:
            csv = new.csv(split)
            videos = asc.write_rows(self.old.csv(split), new, split)
            new.track(split, "any").parent.mkdir(parents=True)
            new.audio(split, "any").parent.mkdir(parents=True)
            tracks = ((video, entity, None) for entity, video in videos.items())
            files = self.files(split, tracks, root)
            self._check(csv, split, files)
            self.videos.update(videos.values())
            self.written.append(csv.relative_to(root).as_posix())

    def _check(self, csv: Path, split: Split, files: Files) -> None:
        """Look up every row among the placed files."""
        keys = asc.Keys(csv)
        self.rows += len(keys.table)
        self.tracks += len(keys.entities)
        for face in keys.black_faces(lambda entity: files[entity].crops):
            self.found["black"].add(f"{split}/{face}")
        for entity, first, last in keys.spans():
            self.listen(f"{split}/{entity}", files[entity].seconds, first, last)
