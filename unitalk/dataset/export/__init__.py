"""Tracks as shards: a few large files instead of four million small ones.

For streaming from a disk or an object storage with WebDataset, for everything that reads Parquet,
and as a dataset that `datasets.load_dataset` opens from its folder.

`shard_plan` assigns tracks to shards, `shards` writes one shard atomically in one of the `formats`,
`export` runs it all.
"""

from unitalk.dataset.export.export import export_tracks
from unitalk.dataset.export.export_report import ExportReport

__all__ = ["ExportReport", "export_tracks"]
