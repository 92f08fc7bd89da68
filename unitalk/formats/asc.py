"""The flat form that the loaders of ASC (Active Speakers in Context) and ASDNet read.

Both take the csv's text of a time as a file name: `<entity_id>/<text>.jpg`. Where there is no such
file they see a black image, and where a wav is missing they hear silence, both without a message.
Cells are counted from the end of a row, and the post-processing scores each video against a file of
its own.

::

    csv/<split>_orig.csv                            ten columns, header; read from the end
    csv/<split>/<video_id>-activespeaker.csv        AVA's eight columns, no header
    gt/<video_id>.csv                               the same file under the name that papers use
    clips_audios/<split>/<entity_id>.wav
    clips_videos/<split>/<entity_id>/<time>.jpg

See core/dataset.py (`_cache_entity_data`) and core/io.py (`load_av_clip_from_metadata`) of ASC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unitalk import schema
from unitalk.errors import LayoutError
from unitalk.files import Placer
from unitalk.formats.loaders import check_columns, shared_id
from unitalk.layout import face_name
from unitalk.schema.face_table import FaceTable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import FlatLayout, Split

    Codes = npt.NDArray[np.int32]

# ------------------------------------------------------------------------------ writing


def write_rows(source: Path, new: FlatLayout, split: Split) -> dict[str, str]:
    """Write a split's rows to all their places, with times as their files' names.

    Returns:
        The video of each track.

    Raises:
        SchemaError: a column is missing.
        LayoutError: two videos have tracks of one id, or a video is in two splits.
    """
    head, batches = schema.read_text(source)
    check_columns(source, head, "ASC")
    tracks: dict[str, str] = {}
    new.activespeaker_folder(split).mkdir(parents=True)

    def rewritten() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            ten = _with_file_times(batch)
            for video, part in _by_video(ten):
                for entity in map(str, pc.unique(part[schema.ENTITY])):
                    if tracks.setdefault(entity, video) != video:
                        raise shared_id(source, tracks[entity], video, entity, "the flat layout")
                with new.activespeaker(split, video).open("ab") as file:
                    schema.append_text(file, part.select(schema.AVA_COLUMNS))
            yield ten

    schema.write_text(new.csv(split), schema.COLUMNS, rewritten())
    second_name = Placer()
    for video in dict.fromkeys(tracks.values()):
        path = new.groundtruth(video)
        if path.exists():
            raise LayoutError(
                f"{source}: the video {video} is in the other split too, and gt/ has one file a "
                "video",
                hint="convert one split at a time with `splits`",
            )
        path.parent.mkdir(exist_ok=True)
        second_name.file(new.activespeaker(split, video), path)
    return tracks


def _with_file_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The ten columns, with each time's text equal to the name of its face's file."""
    times, place = np.unique(schema.seconds_of(batch), return_inverse=True)
    texts = [face_name(time).removesuffix(".jpg") for time in times.tolist()]
    columns = {name: batch[name] for name in schema.COLUMNS}
    columns[schema.TIME] = schema.text_column(texts, place.astype(np.int32))
    return pa.RecordBatch.from_pydict(columns)


def _by_video(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    videos = pc.unique(batch[schema.VIDEO])
    for video in videos:
        whole = len(videos) == 1
        yield str(video), batch if whole else batch.filter(pc.equal(batch[schema.VIDEO], video))


# ------------------------------------------------------------------------------ checking


def wrong_columns(csv: Path) -> str | None:
    """Say which columns a split's csv has, where they are not the ten in their order; or None."""
    columns = schema.read_head(schema.Source(csv), "groundtruth").columns
    return None if columns == schema.COLUMNS else f"the columns are {', '.join(columns)}"


def video_files(new: FlatLayout, split: str, videos: Sequence[str]) -> list[tuple[str, Path]]:
    """The files of single videos, each with the id of its video."""
    return [
        (video, file)
        for video in videos
        for file in (new.activespeaker(split, video), new.groundtruth(video))
    ]


class Keys:
    """The rows of a split's csv as the loader finds their files: tracks, and times as texts.

    Attributes:
        table: the rows by track and time.
        entities: the id of each track.
        codes: [rows] which of the texts each row has.
        texts: the texts of times.
    """

    def __init__(self, csv: Path) -> None:
        entities: dict[str, int] = {}
        texts: dict[str, int] = {}
        parts: list[tuple[Codes, Codes, npt.NDArray[np.float64]]] = []
        _, batches = schema.read_text(csv, only_keys=True)
        for batch in batches:
            entity = _numbered(batch[schema.ENTITY], entities)
            parts.append((entity, _numbered(batch[schema.TIME], texts), schema.seconds_of(batch)))
        entity, self.codes, seconds = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.table = FaceTable.of(seconds, entity)
        self.entities, self.texts = list(entities), list(texts)

    def spans(self) -> Iterator[tuple[str, float, float]]:
        """Each track, and the times of its first row, where its sound begins, and of its last."""
        table = self.table
        last = table.times[table.rows(table.starts[1:] - 1)]
        yield from zip(self.entities, table.times[table.heads].tolist(), last.tolist(), strict=True)

    def black_faces(self, crops: Callable[[str], Collection[str]]) -> list[str]:
        """The faces that the loader would see as a black image, in the order of the csv.

        Args:
            crops: gives the names of a track's crops.

        Returns:
            `<entity_id>/<name>` for each.
        """
        names = np.array([f"{text}.jpg" for text in self.texts], object)
        starts = self.table.starts.tolist()
        black: list[tuple[int, str]] = []
        for entity, start, stop in zip(self.entities, starts[:-1], starts[1:], strict=True):
            own = self.table.rows(slice(start, stop))
            opened = names[self.codes[own]].tolist()
            present = set(crops(entity))
            if not present.issuperset(opened):
                black += [
                    (row, f"{entity}/{name}")
                    for row, name in zip(own.tolist(), opened, strict=True)
                    if name not in present
                ]
        return [face for _, face in sorted(black)]


def _numbered(column: pa.Array[Any], numbers: dict[str, int]) -> Codes:
    """Number the texts of a column in the order in which they first occur."""
    encoded: Any = column.dictionary_encode()
    own = [numbers.setdefault(str(text), len(numbers)) for text in encoded.dictionary.to_pylist()]
    numbered: Codes = np.array(own, np.int32)[schema.as_numpy(encoded.indices)]
    return numbered
