"""Decode frames of a video one after the other, and cut crops out of them.

PyAV decodes: it knows when each frame is shown, and with one converter for all frames it is faster
than OpenCV (with a new one per frame, slower). OpenCV packs the crops.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.media.libraries import load
from unitalk.media.timeline import decoded, prepared_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from unitalk.media.timeline import Timeline

    Image = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]

QUALITY = 95
"""Of a JPEG; the default of `cv2.imwrite`."""

_SKIP = 2.0  # seconds without a face for which it pays to leave frames undecoded
_EIGHT = 8  # bits of a colour
_QUARTER = 90  # degrees


class Reader:
    """Decodes the wanted frames of a video.

    Attributes:
        damaged: places, among the wanted frames, of those that the decoder marked as damaged.
        errors: how many packets could not be decoded.
        deep: whether a frame had more than 8 bits per colour.
        interlaced: whether a frame was woven of two fields.
        rotation: in degrees, counter-clockwise.
        sizes: widths and heights of frames as they are shown.

    Args:
        path: the video.
        index: of its stream of pictures.
        timeline: its frames.
        threads: of the decoder; 0: as many as there are processors.
        skip: leave long stretches without a face undecoded.
    """

    def __init__(
        self, path: str, index: int, timeline: Timeline, *, threads: int = 1, skip: bool = True
    ) -> None:
        self._path = path
        self._index = index
        self._timeline = timeline
        self._threads = threads
        self._skip = skip
        self.damaged: list[int] = []
        self.errors = 0
        self.deep = False
        self.interlaced = False
        self.rotation = 0
        self.sizes: dict[tuple[int, int], None] = {}

    def read(self, numbers: Ints) -> Iterator[tuple[int, Image]]:
        """Decode frames.

        Args:
            numbers: [wanted] of frames in the timeline, ascending, each once.

        Yields:
            The place among `numbers`, and the frame: [height, width, 3], blue, green, red. Those
            that cannot be decoded do not come.
        """
        av = load("av")
        convert = _converter(av)
        wanted = self._timeline.pts[numbers]
        place = {int(pts): n for n, pts in enumerate(wanted)}
        with av.open(self._path) as container:
            stream = prepared_stream(container, self._index, self._threads)
            for seek, last in self.stretches(wanted):
                if seek is not None:
                    container.seek(seek, stream=stream, backward=True)
                count = -1
                for frame in decoded(av, container, stream, self._failed):
                    count += 1
                    pts = count if self._timeline.counted else frame.pts
                    if pts in place:
                        yield place[pts], self._image(convert, frame, place[pts])
                    if pts is not None and pts >= last:
                        break

    def stretches(self, wanted: Ints) -> list[tuple[int | None, int]]:
        """The stretches that are decoded in one go: where to seek to first, and the last frame.

        A decoder begins at a key frame. It gets one more before the one that it needs, as the
        frames between two may depend on both.
        """
        if not len(wanted):
            return []
        line, keys = self._timeline, self._timeline.keys
        if not (self._skip and len(keys)):
            return [(None, int(wanted[-1]))]
        before = np.searchsorted(keys, wanted, side="right") - 2
        from_ = np.where(before >= 0, keys[before], line.pts[0])
        earlier = np.concatenate([line.pts[:1], wanted[:-1]])
        begins = np.flatnonzero((from_ - earlier) * line.tick > _SKIP)
        cuts = sorted({0, *begins.tolist()})
        ends = [*cuts[1:], len(wanted)]
        jumps = set(begins.tolist())
        return [
            (int(from_[first]) if first in jumps else None, int(wanted[end - 1]))
            for first, end in zip(cuts, ends, strict=True)
        ]

    def _failed(self, _: Exception) -> None:
        self.errors += 1

    def _image(self, convert: Callable[[Any], Any], frame: Any, place: int) -> Image:  # noqa: ANN401
        if frame.is_corrupt:
            self.damaged.append(place)
        self.interlaced |= bool(frame.interlaced_frame)
        self.deep |= max((part.bits for part in frame.format.components), default=0) > _EIGHT
        self.rotation = frame.rotation
        image: Image = convert(frame).to_ndarray()
        if self.rotation % _QUARTER == 0:
            image = np.rot90(image, self.rotation // _QUARTER)
        self.sizes[image.shape[1], image.shape[0]] = None
        return image


def _converter(av: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Converts frames of any form to blue, green, red: bicubic, in one thread, as OpenCV does.

    Before version 17 PyAV gave other colours for odd frame sizes and for more than 8 bits.
    """
    convert = av.video.reformatter.VideoReformatter().reformat
    return partial(convert, format="bgr24", interpolation="BICUBIC", threads=1)


def edges(boxes: npt.NDArray[np.float64], width: int, height: int, margin: float = 0.0) -> Ints:
    """The pixels of boxes: `frame[int(y1 * h):int(y2 * h), int(x1 * w):int(x2 * w)]`.

    Args:
        boxes: [boxes, 4] left, top, right, bottom, relative to the frame; may reach beyond it.
        width: of the frame.
        height: of the frame.
        margin: by which share of its size a box is widened on each side.

    Returns:
        [boxes, 4] in pixels within the frame, cut down towards zero; left == right or top ==
        bottom where nothing is left.
    """
    if margin:
        more = (boxes[:, 2:] - boxes[:, :2]) * margin
        boxes = np.concatenate([boxes[:, :2] - more, boxes[:, 2:] + more], axis=1)
    sides = np.array([width, height, width, height])
    whole: Ints = np.clip(np.trunc(boxes * sides), 0, sides).astype(np.int64)
    whole[:, 2:] = np.maximum(whole[:, :2], whole[:, 2:])
    return whole


def pack(crop: Image) -> bytes:
    """A crop, [height, width, 3], as the bytes of a JPEG: those that `cv2.imwrite` writes."""
    cv2 = load("cv2")
    _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data)
