"""Check the rows of a training before its first batch: labels, leaks of videos, frame rates."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.cross_split import videos_in_splits
from unitalk.errors import DataError, examples

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from unitalk.media.tracks import Tracks

_SAME_RATE = 0.01  # of a rate: 30 and 29.97 are one


def check_training_rows(
    train: Tracks, val: Tracks, rate: float | None = None, *, allow_leak: bool = False
) -> tuple[str, ...]:
    """Check the rows of a training before its first batch.

    Args:
        train: the tracks to train on.
        val: the tracks that score each epoch.
        rate: frames per second of the weights that the training starts from; None for random
            ones, which take the rates of `train`.
        allow_leak: warn of videos in both splits instead of refusing them.

    Returns:
        Warnings: val has one class only, or videos have other frame rates.

    Raises:
        DataError: a face has no label, all of train is of one class, or a video is in both.
    """
    labels = {name: _labels(name, own) for name, own in (("train", train), ("val", val))}
    speaking = _speaking(labels["train"])
    if speaking in {0, len(labels["train"])}:
        raise DataError(
            f"train has one class: {speaking:,} of its {len(labels['train']):,} faces speak "
            "audibly, and nothing can be learned from that",
            hint="give a train split in which some faces speak and some do not",
        )
    warnings = _leaks(train, val, allow_leak=allow_leak)
    counted = labels["val"][np.concatenate([track.scored for track in val])]
    speaking = _speaking(counted)
    if speaking in {0, len(counted)}:
        warnings.append(
            f"val has one class: {speaking:,} of its {len(counted):,} faces speak audibly, so "
            "that AP is undefined and no epoch is the best"
        )
    known = set(train.frame_rates.tolist()) if rate is None else {rate}
    whose = "train" if rate is None else "the weights"
    for name, own in (("train", train), ("val", val)):
        warnings += _other_rates(name, own, known, whose)
    return tuple(warnings)


def _labels(name: str, tracks: Tracks) -> npt.NDArray[np.int64]:
    """The label of each face; a face without one is an error."""
    labels: npt.NDArray[np.int64] = np.concatenate([track.label_id for track in tracks])
    lacking = np.count_nonzero(labels < 0)
    if lacking:
        raise DataError(
            f"{name}: {lacking:,} of {len(labels):,} faces have no label",
            hint="give splits with labels for training",
        )
    return labels


def _speaking(labels: npt.NDArray[np.int64]) -> int:
    return int(np.count_nonzero(labels == schema.LABEL_IDS[schema.SPEAKING]))


def _leaks(train: Tracks, val: Tracks, *, allow_leak: bool) -> list[str]:
    """Warn of videos that are in both splits, or refuse them."""
    found = videos_in_splits({"train": Counter(train.videos), "val": Counter(val.videos)})
    both = [one.video_id for one in found if one.kind == "video-in-both-splits"]
    if not both:
        return []
    said = (
        f"{len(both):,} of {len(set(val.videos)):,} val videos are in train too: {examples(both)}; "
        "a network that is tried on what it learned from scores too high"
    )
    if not allow_leak:
        raise DataError(
            said, hint="take them out of one of the splits, or allow it with `allow_leak=True`"
        )
    return [said]


def _other_rates(name: str, tracks: Tracks, known: Collection[float], whose: str) -> list[str]:
    """Warn of videos with other frame rates than the known ones."""
    rates = dict(zip(tracks.videos, tracks.frame_rates.tolist(), strict=True))
    other = Counter(
        rate for rate in rates.values() if all(abs(rate - one) > _SAME_RATE * one for one in known)
    )
    if not other:
        return []
    wanted = " or ".join(f"{one:g}" for one in sorted(known))
    found = examples(f"{rate:g} ({count:,} videos)" for rate, count in other.most_common())
    return [
        f"{other.total():,} of {len(rates):,} {name} videos have other frame rates than {whose} "
        f"({wanted} a second): {found}"
    ]
