"""What was asked for: compared with what an earlier run was asked for, and remembered."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unitalk.dataset.export.shard_plan import Shard, estimated, from_list, plan_shards, to_list
from unitalk.errors import DestinationError
from unitalk.files import locked, read_json, sha256, staged_folder
from unitalk.layout import SPLITS, Layout

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.formats.shard_record import Form
    from unitalk.layout import Split
    from unitalk.media.tracks import Tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What decides which bytes stand in which shard.

    Attributes:
        splits: which to export, in the order of `layout.SPLITS`.
        shard_size: about how many bytes a shard has.
        fingerprint: what must be the same where a run continues another one.
    """

    splits: tuple[Split, ...]
    shard_size: int
    fingerprint: dict[str, Any]

    @classmethod
    def look(
        cls,
        source: Layout,
        form: Form,
        splits: tuple[Split, ...],
        videos: tuple[str, ...],
        shard_size: int,
    ) -> Wanted:
        """Look what the arguments come to.

        Raises:
            LayoutError: the source is no dataset, or lacks a split.
        """
        asked = source.require_splits(splits)
        splits = tuple(split for split in SPLITS if split in asked)  # in whatever order it was said
        fingerprint = {
            "form_version": form.version,
            "shard_size": shard_size,
            "videos": sorted(set(videos)),
            "csv": {split: sha256(source.csv(split)) for split in splits},
        }
        return cls(splits=splits, shard_size=shard_size, fingerprint=fingerprint)

    def check_fits(self, destination: Path) -> None:
        """Compare with what an earlier run was asked for.

        Raises:
            DestinationError: it was something else.
        """
        marker = read_json(Layout(destination).marker)
        if marker is None or marker.get("fingerprint") == self.fingerprint:
            return
        earlier = marker.get("fingerprint") or {}
        other = [key for key, now in self.fingerprint.items() if earlier.get(key) != now]
        words = {"csv": "the rows or splits", "form_version": "the version of the form"}
        differ = ", ".join(words.get(key, key.replace("_", " ")) for key in other)
        raise DestinationError(
            f"{destination} holds an export of something else: {differ} are not the same",
            hint="give a new folder, or --overwrite to begin anew there",
        )

    def remembered(self, destination: Path, tracks: int) -> tuple[Shard, ...]:
        """How so many tracks are cut, as the destination says.

        Raises:
            DestinationError: it does not say it.
        """
        self.check_fits(destination)
        marker = read_json(Layout(destination).marker) or {}
        try:
            shards = from_list(marker["shards"])
        except (KeyError, TypeError):
            shards = ()
        if sum(shard.tracks for shard in shards) != tracks:
            raise DestinationError(
                f"{Layout(destination).marker} does not say how the {tracks:,} tracks were cut: it "
                "was damaged from outside",
                hint="give a new folder, or --overwrite to begin anew there",
            )
        return shards


def begin(
    destination: Path, wanted: Wanted, found: Tracks, *, made_by: str, overwrite: bool
) -> None:
    """Put a folder there that holds nothing but what is to be done."""
    sizes = estimated(found)
    faces = found.lengths.tolist()
    splits = [track.split for track in found]
    shards = plan_shards(zip(splits, faces, sizes, strict=True), wanted.shard_size)
    about = {"fingerprint": wanted.fingerprint, "shards": to_list(shards)}
    old = Layout(destination)
    nobody_else = locked(old.memory) if old.marker.is_file() else nullcontext()
    with (
        nobody_else,
        staged_folder(destination, made_by=made_by, overwrite=overwrite, about=about),
    ):
        pass
