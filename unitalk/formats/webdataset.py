"""One shard as a tar file, as WebDataset reads it.

Its readers take neighbouring files whose names agree up to the first dot for one sample, so that a
track's key has no dot: its split and its number there.

::

    val-000000012.json         ids, number of faces, times, labels, boxes
    val-000000012.wav
    val-000000012.00000.jpg    the face at the first time
    val-000000012.00001.jpg    ...
"""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.formats.shard_record import Form, Record

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable

_BLOCK = tarfile.BLOCKSIZE


def write_tar(file: io.RawIOBase, records: Iterable[Record]) -> None:
    """Write tracks as a tar file that knows nothing of owners and of the time it was made."""
    for record in records:
        key = f"{record.track.split}-{record.number:09}"
        _add(file, f"{key}.json", _about(record))
        _add(file, f"{key}.wav", record.wav)
        for place, jpg in enumerate(record.jpgs):
            _add(file, f"{key}.{place:05}.jpg", jpg)
    file.write(bytes(2 * _BLOCK))


def _about(record: Record) -> bytes:
    track = record.track
    about = {
        schema.ENTITY: track.entity_id,
        schema.VIDEO: track.video_id,
        "split": track.split,
        "faces": len(record.jpgs),
        schema.TIME: track.frame_timestamp.tolist(),
        schema.LABEL_ID: track.label_id.tolist(),
        "boxes": track.boxes.tolist(),
    }
    return json.dumps(about, separators=(",", ":"), allow_nan=False).encode()


def _add(file: io.RawIOBase, name: str, data: bytes) -> None:
    head = tarfile.TarInfo(name)  # of nobody, of 1970, readable by all
    head.size = len(data)
    file.write(head.tobuf(tarfile.USTAR_FORMAT))
    file.write(data)
    file.write(bytes(-len(data) % _BLOCK))


WEBDATASET = Form(name="webdataset", version=1, folder="", suffix=".tar", write=write_tar)
