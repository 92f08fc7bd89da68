"""Face tracks as a PyTorch data set; the only module that imports PyTorch.

    from torch.utils.data import DataLoader

    dataset = unitalk.tracks("UniTalk", split="train").to_torch()
    loader = DataLoader(dataset, batch_size=None, shuffle=True, num_workers=2)

Tracks are as long as they are, so a batch of several is for the model to make (`collate_fn`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unitalk import schema
from unitalk.errors import DataError, MissingExtraError
from unitalk.media.tracks.track import GRAY_SIZE

try:
    import torch
    from torch.utils.data import Dataset
except ImportError as error:
    raise MissingExtraError(
        "a PyTorch data set needs PyTorch", hint='pip install "unitalk[models]"'
    ) from error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.media.tracks.track import Track


class TrackDataset(Dataset[dict[str, Any]]):
    """Tracks as tensors, in whole numbers: a model makes floats of them where it computes.

    An item has the keys of a track's record: `entity_id`; `images` [faces, size, size] uint8, gray
    as `Track.gray` makes it; `audio` [samples] int16; `frame_timestamp` [faces] float64; `label_id`
    [faces] int64.

    Args:
        tracks: what `unitalk.tracks` gave, or some of it.
        size: the side of a crop in pixels.
        rate: samples a second that each sound must have.
    """

    def __init__(
        self, tracks: Sequence[Track], *, size: int = GRAY_SIZE, rate: int = 16_000
    ) -> None:
        self.tracks = tracks
        self.size = size
        self.rate = rate

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Read the track of a number.

        Raises:
            IndexError: there is none.
            LayoutError: a file of it is missing.
            DataError: a file of it is damaged, or its sound has another rate.
        """
        track = self.tracks[index]
        audio = track.audio
        if audio["sampling_rate"] != self.rate:
            raise DataError(
                f"{track.entity_id}: its sound has {audio['sampling_rate']:,} samples a second, "
                f"and {self.rate:,} are wanted",
                hint="give the rate that the sounds have, or bring them to this one",
            )
        return {
            schema.ENTITY: track.entity_id,
            "images": torch.from_numpy(track.gray(self.size)),
            "audio": torch.from_numpy(audio["array"]),
            # A track's times are a piece of what all tracks share, and not to be written into.
            schema.TIME: torch.from_numpy(track.frame_timestamp.copy()),
            schema.LABEL_ID: torch.from_numpy(track.label_id),
        }
