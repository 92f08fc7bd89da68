"""Which tracks a shard has: known before anything is written, and remembered.

Sizes are estimated of a few crops a video, as looking at four million files would take as long as
reading them on a network disk. What was once decided stands in the destination, so that a run that
continues cuts at the same places even where the source was repaired meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from unitalk.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unitalk.layout import Split
    from unitalk.media.tracks import Track

_TRACKS = 3  # of a video are looked at
_CROPS = 8  # of such a track
_UNKNOWN = 30_000  # bytes of a crop where none could be read: about what UniTalk's have
_BESIDE = 800  # bytes that a crop costs beside its own: its head in a tar, its time, its box
_SOUND = 32_000  # bytes of a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Tracks of one split that stand one after the other.

    Attributes:
        split: theirs.
        number: the shard's, from 0 in each split.
        first: the place of its first track among the exported ones of the split.
        tracks: how many.
        faces: theirs together.
        size: about how many bytes it will have.
    """

    split: Split
    number: int
    first: int
    tracks: int
    faces: int
    size: int


def plan_shards(tracks: Iterable[tuple[Split, int, int]], shard_size: int) -> tuple[Shard, ...]:
    """Cut tracks into shards; a track that is larger than a shard has one to itself.

    Args:
        tracks: of each its split, its faces, its bytes; those of a split stand together.
        shard_size: a shard has no more bytes than this, by the estimate.
    """
    shards: list[Shard] = []
    for split, faces, size in tracks:
        last = shards[-1] if shards and shards[-1].split == split else None
        if last is None or last.size + size > shard_size:
            number, first = (last.number + 1, last.first + last.tracks) if last else (0, 0)
            last = Shard(split=split, number=number, first=first, tracks=0, faces=0, size=0)
            shards.append(last)
        shards[-1] = replace(
            last, tracks=last.tracks + 1, faces=last.faces + faces, size=last.size + size
        )
    return tuple(shards)


def estimated(tracks: Sequence[Track]) -> list[int]:
    """About how many bytes each track will take in a shard."""
    videos: dict[tuple[str, str], list[int]] = {}
    for place, track in enumerate(tracks):
        videos.setdefault((track.split, track.video_id), []).append(place)
    means = {
        video: _mean_crop([tracks[place] for place in _spread(places, _TRACKS)])
        for video, places in videos.items()
    }
    known = [mean for mean in means.values() if mean is not None]
    other = sum(known) // len(known) if known else _UNKNOWN
    sizes = []
    for track in tracks:
        mean = means[track.split, track.video_id]
        times = track.frame_timestamp
        sound = _SOUND * float(times[-1] - times[0])
        crops = len(times) * (_BESIDE + (other if mean is None else mean))
        sizes.append(crops + round(sound))
    return sizes


def _mean_crop(tracks: Iterable[Track]) -> int | None:
    """The mean size of some crops; None where none can be read, which is told when it is due."""
    sizes: list[int] = []
    for track in tracks:
        some = replace(track, frame_timestamp=_spread(track.frame_timestamp, _CROPS))
        try:
            sizes += map(len, some.jpgs())
        except DataError:
            continue
    return sum(sizes) // len(sizes) if sizes else None


def _spread(items: Any, count: int) -> Any:  # noqa: ANN401 - a list or an array
    """Some of a sequence's items, evenly over it, from its first on."""
    return items[:: -(-len(items) // count)]
