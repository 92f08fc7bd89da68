"""Tracks as shards: a few large files instead of four million small ones.

For streaming from a disk or an object storage with WebDataset, for everything that reads Parquet,
and as a dataset that `datasets.load_dataset` opens from its folder.

`forms` has what the three forms share, `webdataset`, `parquet` and `huggingface` write one shard
each, `plan` says which tracks a shard has, `wanted` remembers what was asked for, `shards` writes a
shard so that it is whole or not there, `running` does it all.
"""

from unitalk.export.report import ExportReport
from unitalk.export.running import export_tracks

__all__ = ["ExportReport", "export_tracks"]
