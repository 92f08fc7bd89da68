"""One shard as a Parquet file that says what Hugging Face's `datasets` is to make of it.

A row is the record of the dataset's original loading script: pictures, and the sound as the array
that `wavfile.read` gives. The feature `Audio` would be the usual one; but since version 4 it needs
torchcodec, which needs PyTorch and a system's FFmpeg, and where one of them is missing no row can
be read at all. Arrays are read everywhere, and are equal to the sample.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from unitalk import schema
from unitalk.formats.parquet import AUDIO, BOXES, IMAGES, columns, write_table
from unitalk.formats.shard_record import Form, Record
from unitalk.media import wavs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from unitalk.formats.parquet import Compression
    from unitalk.layout import Split

CARD = "README.md"
"""The file in which `datasets` reads which files are of which split."""

_ARRAY, _RATE = "array", "sampling_rate"
_SOUND = pa.struct([(_ARRAY, pa.list_(pa.int16())), (_RATE, pa.int32())])


def _value(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "_type": "Value"}


def _list(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"feature": dict(of), "_type": "List"}


_FEATURES = {
    schema.ENTITY: _value("string"),
    schema.VIDEO: _value("string"),
    IMAGES: _list({"_type": "Image"}),
    AUDIO: {_ARRAY: _list(_value("int16")), _RATE: _value("int32")},
    schema.TIME: _list(_value("float64")),
    schema.LABEL_ID: _list(_value("int64")),
    BOXES: _list(_list(_value("float64"))),
}
_SAID: dict[bytes | str, bytes | str] = {
    "huggingface": json.dumps({"info": {"features": _FEATURES}})
}

# Parquet knows no number of 16 bits: of 32, half are the same, which this takes out again.
_COMPRESSION: dict[str, Compression] = {f"{AUDIO}.{_ARRAY}.list.element": "zstd"}


def write_rows(file: io.RawIOBase, records: Iterable[Record]) -> None:
    """Write tracks as a table whose sound is an array of samples."""
    form = pa.schema(columns(_SOUND), _SAID)
    write_table(file, records, form=form, audio=_samples, compression=_COMPRESSION)


def _samples(record: Record) -> dict[str, Any]:
    wav = wavs.read_header(io.BytesIO(record.wav))
    return {_ARRAY: wavs.samples(record.wav, wav), _RATE: wav.rate}


HF = Form(name="hf", version=1, folder="data", suffix=".parquet", write=write_rows)


def card(splits: Mapping[Split, Mapping[str, int]]) -> str:
    """The dataset's card: which files are of which split, what a row is, what is in it.

    Args:
        splits: of each split the number of videos, tracks and faces.
    """
    files = "".join(
        f'  - split: {split}\n    path: "{HF.folder}/{split}-*{HF.suffix}"\n' for split in splits
    )
    rows = "".join(
        f"| {split} | {count['videos']:,} | {count['tracks']:,} | {count['faces']:,} |\n"
        for split, count in splits.items()
    )
    return _CARD.format(files=files, rows=rows, one=next(iter(splits)))


_CARD = f"""---
configs:
- config_name: default
  data_files:
{{files}}---
# Face tracks for active speaker detection

One row is one track: the faces of one person in one stretch of a video.

| split | videos | tracks | faces |
|---|---|---|---|
{{rows}}
```python
from datasets import load_dataset

tracks = load_dataset("THIS FOLDER", split="{{one}}", streaming=True)
for track in tracks:
    ...
```

Without `streaming=True` the library first copies everything into its cache.

| column | |
|---|---|
| `{schema.ENTITY}` | the track's id |
| `{schema.VIDEO}` | its video's id |
| `{IMAGES}` | the face crops in the order of their times; the jpg files as they were |
| `{AUDIO}` | `{_ARRAY}`: the sound's samples, 16 bits; `{_RATE}`: how many a second |
| `{schema.TIME}` | when each face is seen, in seconds |
| `{schema.LABEL_ID}` | of each face: 1 speaks audibly, 0 does not, 2 speaks and is not audible |
| `{BOXES}` | of each face: left, top, right, bottom, relative to the frame |

Made with `unitalk`. This card claims no licence: that of the source holds. Of UniTalk, the
paper says CC BY-NC 4.0 and a card on the hub says MIT; ask its authors which it is.
"""
