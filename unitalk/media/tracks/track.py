"""One face over time, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from unitalk import schema
from unitalk.errors import UsageError
from unitalk.layout import face_name
from unitalk.media.tracks import crop_pixels, sound_samples
from unitalk.media.tracks.media_files import Crops, Key, Media

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from unitalk.layout import Split

GRAY_SIZE = 112
"""The side of a gray crop in pixels that TalkNet and LoCoNet take."""

_RECORD = (schema.ENTITY, "images", "audio", schema.TIME, schema.LABEL_ID)


class Audio(TypedDict):
    """A track's sound.

    Attributes:
        array: [samples] int16.
        sampling_rate: samples a second, 16,000 in UniTalk.
    """

    array: npt.NDArray[np.int16]
    sampling_rate: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track(Mapping[str, Any]):
    """One face over time; pictures and sound are read when they are asked for, and not kept.

    As a mapping it is the record that the dataset's Hugging Face loader gives: `entity_id`,
    `images`, `audio`, `frame_timestamp`, `label_id`. Its pickle has its rows, and not its pictures
    and its sound. Reading raises LayoutError where a file is missing, DataError where it is damaged
    or of another form, and names it.

    Attributes:
        split: its split.
        video_id: its video.
        entity_id: its own id.
        frame_timestamp: [faces] float64, seconds, ascending.
        label_id: [faces] int64: 1 speaks audibly, 0 does not speak, 2 speaks and is not audible,
            -1 unlabelled.
        boxes: [faces, 4] float64: left, top, right, bottom, relative to the frame.
        scored: [faces] bool: false for faces that a dataset leaves out of its score, as ASW does.
    """

    split: Split
    video_id: str
    entity_id: str
    frame_timestamp: npt.NDArray[np.float64] = field(repr=False)
    label_id: npt.NDArray[np.int64] = field(repr=False)
    boxes: npt.NDArray[np.float64] = field(repr=False)
    scored: npt.NDArray[np.bool_] = field(repr=False)
    _media: Media = field(repr=False)
    _taken: tuple[str, ...] = field(default=(), repr=False)

    # -------------------------------------------------------------------------- what it has

    def jpgs(self) -> list[bytes]:
        """The bytes of each face crop as they are in its file, in the order of the times."""
        crops = self._faces()
        crop_pixels.check_ends(crops)
        return crops.data

    def wav(self) -> bytes:
        """The bytes of the sound as they are in its file."""
        sound = self._media.sound(self._key)
        sound_samples.samples(sound)
        return sound.data

    @property
    def images(self) -> list[npt.NDArray[np.uint8]]:
        """The face crops, each [height, width, 3], red, green, blue; decoded each time."""
        return crop_pixels.colours(self._faces())

    def gray(self, size: int = GRAY_SIZE) -> npt.NDArray[np.uint8]:
        """The face crops in gray, [faces, size, size], as the models' loaders make them.

        Of the decoded colours by `cv2.cvtColor`, brought to a square by `cv2.resize` (bilinear).

        Args:
            size: in pixels.
        """
        if size < 1:
            raise UsageError(f"a crop cannot have {size} pixels", hint="give 1 or more")
        return crop_pixels.grays(self._faces(), size)

    @property
    def audio(self) -> Audio:
        """The sound."""
        array, rate = sound_samples.samples(self._media.sound(self._key))
        return {"array": array, "sampling_rate": rate}

    def sound_at(self, rate: int) -> npt.NDArray[np.int16]:
        """The samples of the sound, [samples]; an error unless it has this rate."""
        sound = self._media.sound(self._key)
        array, own = sound_samples.samples(sound)
        if own != rate:
            raise sound_samples.wrong_form(sound)
        return array

    def known_by(self) -> tuple[object, object]:
        """The names, sizes and times of change of its crops and its sound; no file is read.

        While they are equal, nobody has written into the files.
        """
        crops = self._media.known_by("video", self._key)
        return crops, self._media.known_by("audio", self._key)

    @property
    def _key(self) -> Key:
        return Key(self.split, self.video_id, self.entity_id, self._taken)

    def _faces(self) -> Crops:
        names = [face_name(seconds) for seconds in self.frame_timestamp.tolist()]
        return self._media.faces(self._key, names)

    # -------------------------------------------------------------------------- a record

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - as different as the keys
        if key not in _RECORD:
            raise KeyError(key)
        return getattr(self, key)  # each has the name of its column

    def __iter__(self) -> Iterator[str]:
        return iter(_RECORD)

    def __len__(self) -> int:
        return len(_RECORD)

    def __contains__(self, key: object) -> bool:
        return key in _RECORD

    def __eq__(self, other: object) -> bool:
        """Whether it is the same track of the same dataset; no file is compared."""
        if not isinstance(other, Track):
            return NotImplemented
        return (self._key, self._media) == (other._key, other._media)

    def __hash__(self) -> int:
        return hash(self._key)
