"""Active speaker detection data and scores you can trust.

>>> import unitalk
>>> result = unitalk.evaluate("val_orig.csv", "predictions.csv")  # doctest: +SKIP
>>> result.average_precision  # doctest: +SKIP
0.8320134

Importing this package imports nothing heavy: each name below is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from unitalk._version import __version__

if TYPE_CHECKING:
    from unitalk.catalog.results import Published, published
    from unitalk.catalog.video_list import Video, videos
    from unitalk.dataset.ava.ava_download import AvaReport
    from unitalk.dataset.ava.ava_download import plan as plan_ava
    from unitalk.dataset.ava.ava_download import run as download_ava
    from unitalk.dataset.ava.ava_planning import AvaPlan
    from unitalk.dataset.ava.prepare import prepare as prepare_ava
    from unitalk.dataset.convert import (
        ConvertReport,
        convert_asc,
        convert_loconet,
        convert_talknet,
    )
    from unitalk.dataset.crop import CropOptions, CropReport
    from unitalk.dataset.crop import cut as cut_crops
    from unitalk.dataset.download import DownloadReport, Plan, Selection, unpack_archives
    from unitalk.dataset.download import plan as plan_download
    from unitalk.dataset.download import run as run_download
    from unitalk.dataset.export import ExportReport, export_tracks
    from unitalk.dataset.import_ import (
        ImportReport,
        import_asw,
        import_ava,
        import_columbia,
        import_wasd,
    )
    from unitalk.dataset.sample import SampleReport, make_sample
    from unitalk.dataset.stats import Statistics, statistics
    from unitalk.dataset.training_rows import check_training_rows
    from unitalk.dataset.trim import TrimReport, trim_dataset
    from unitalk.dataset.verify import VerifyReport, verify_dataset
    from unitalk.errors import (
        AccessError,
        ArchiveError,
        CoverageError,
        DataError,
        DestinationError,
        DiskError,
        HubError,
        IncompleteError,
        IntegrityError,
        LayoutError,
        MissingExtraError,
        NotFoundError,
        SchemaError,
        UnitalkError,
        UsageError,
    )
    from unitalk.executor import Executor, open_executor
    from unitalk.layout import Layout
    from unitalk.media.tracks import Track, Tracks, tracks
    from unitalk.models.predict import PredictOptions, PredictReport, predict
    from unitalk.models.registry import load_weights as load_network
    from unitalk.models.train import TrainOptions, TrainReport
    from unitalk.models.train import train as train_network
    from unitalk.models.weights import Checkpoint, WeightsReport, checkpoints
    from unitalk.models.weights import download as download_weights
    from unitalk.models.weights import find as find_weights
    from unitalk.models.weights import register as register_weights
    from unitalk.net import Hub
    from unitalk.schema import read_groundtruth, read_predictions
    from unitalk.score import (
        Comparison,
        Difference,
        EvaluateOptions,
        Evaluation,
        Group,
        Resamples,
        Signature,
        compare,
        evaluate,
        parse_signature,
        reference_score,
    )
    from unitalk.score.diagnose import Diagnosis, Finding, diagnose
    from unitalk.score.report import to_html
    from unitalk.score.score_tables import to_frame

_HOME = {
    "AccessError": "errors",
    "ArchiveError": "errors",
    "AvaPlan": "dataset.ava.ava_planning",
    "AvaReport": "dataset.ava.ava_download",
    "Checkpoint": "models.weights",
    "Comparison": "score",
    "ConvertReport": "dataset.convert",
    "CoverageError": "errors",
    "CropOptions": "dataset.crop",
    "CropReport": "dataset.crop",
    "DataError": "errors",
    "DestinationError": "errors",
    "Diagnosis": "score.diagnose",
    "Difference": "score",
    "DiskError": "errors",
    "DownloadReport": "dataset.download",
    "EvaluateOptions": "score",
    "Evaluation": "score",
    "Executor": "executor",
    "ExportReport": "dataset.export",
    "Finding": "score.diagnose",
    "Group": "score",
    "Hub": "net",
    "HubError": "errors",
    "ImportReport": "dataset.import_",
    "IncompleteError": "errors",
    "IntegrityError": "errors",
    "Layout": "layout",
    "LayoutError": "errors",
    "MissingExtraError": "errors",
    "NotFoundError": "errors",
    "Plan": "dataset.download",
    "PredictOptions": "models.predict",
    "PredictReport": "models.predict",
    "Published": "catalog.results",
    "Resamples": "score",
    "SampleReport": "dataset.sample",
    "SchemaError": "errors",
    "Selection": "dataset.download",
    "Signature": "score",
    "Statistics": "dataset.stats",
    "Track": "media.tracks",
    "Tracks": "media.tracks",
    "TrainOptions": "models.train",
    "TrainReport": "models.train",
    "TrimReport": "dataset.trim",
    "UnitalkError": "errors",
    "UsageError": "errors",
    "VerifyReport": "dataset.verify",
    "Video": "catalog.video_list",
    "WeightsReport": "models.weights",
    "check_training_rows": "dataset.training_rows",
    "checkpoints": "models.weights",
    "compare": "score",
    "convert_asc": "dataset.convert",
    "convert_loconet": "dataset.convert",
    "convert_talknet": "dataset.convert",
    "cut_crops": "dataset.crop:cut",
    "diagnose": "score.diagnose",
    "download_ava": "dataset.ava.ava_download:run",
    "download_weights": "models.weights:download",
    "evaluate": "score",
    "export_tracks": "dataset.export",
    "find_weights": "models.weights:find",
    "import_asw": "dataset.import_",
    "import_ava": "dataset.import_",
    "import_columbia": "dataset.import_",
    "import_wasd": "dataset.import_",
    "load_network": "models.registry:load_weights",
    "make_sample": "dataset.sample",
    "open_executor": "executor",
    "parse_signature": "score",
    "plan_ava": "dataset.ava.ava_download:plan",
    "plan_download": "dataset.download:plan",
    "predict": "models.predict",
    "prepare_ava": "dataset.ava.prepare:prepare",
    "published": "catalog.results",
    "read_groundtruth": "schema",
    "read_predictions": "schema",
    "reference_score": "score",
    "register_weights": "models.weights:register",
    "run_download": "dataset.download:run",
    "statistics": "dataset.stats",
    "to_frame": "score.score_tables",
    "to_html": "score.report",
    "tracks": "media.tracks",
    "train_network": "models.train:train",
    "trim_dataset": "dataset.trim",
    "unpack_archives": "dataset.download",
    "verify_dataset": "dataset.verify",
    "videos": "catalog.video_list",
}

__all__ = [
    "AccessError",
    "ArchiveError",
    "AvaPlan",
    "AvaReport",
    "Checkpoint",
    "Comparison",
    "ConvertReport",
    "CoverageError",
    "CropOptions",
    "CropReport",
    "DataError",
    "DestinationError",
    "Diagnosis",
    "Difference",
    "DiskError",
    "DownloadReport",
    "EvaluateOptions",
    "Evaluation",
    "Executor",
    "ExportReport",
    "Finding",
    "Group",
    "Hub",
    "HubError",
    "ImportReport",
    "IncompleteError",
    "IntegrityError",
    "Layout",
    "LayoutError",
    "MissingExtraError",
    "NotFoundError",
    "Plan",
    "PredictOptions",
    "PredictReport",
    "Published",
    "Resamples",
    "SampleReport",
    "SchemaError",
    "Selection",
    "Signature",
    "Statistics",
    "Track",
    "Tracks",
    "TrainOptions",
    "TrainReport",
    "TrimReport",
    "UnitalkError",
    "UsageError",
    "VerifyReport",
    "Video",
    "WeightsReport",
    "__version__",
    "check_training_rows",
    "checkpoints",
    "compare",
    "convert_asc",
    "convert_loconet",
    "convert_talknet",
    "cut_crops",
    "diagnose",
    "download_ava",
    "download_weights",
    "evaluate",
    "export_tracks",
    "find_weights",
    "import_asw",
    "import_ava",
    "import_columbia",
    "import_wasd",
    "load_network",
    "make_sample",
    "open_executor",
    "parse_signature",
    "plan_ava",
    "plan_download",
    "predict",
    "prepare_ava",
    "published",
    "read_groundtruth",
    "read_predictions",
    "reference_score",
    "register_weights",
    "run_download",
    "statistics",
    "to_frame",
    "to_html",
    "tracks",
    "train_network",
    "trim_dataset",
    "unpack_archives",
    "verify_dataset",
    "videos",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Fetch a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module 'unitalk' has no attribute {name!r}")
    module, _, own_name = _HOME[name].partition(":")
    value = getattr(importlib.import_module(f"unitalk.{module}"), own_name or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
