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

if TYPE_CHECKING:
    from unitalk.ava.download import AvaReport
    from unitalk.ava.download import plan as plan_ava
    from unitalk.ava.download import run as download_ava
    from unitalk.ava.planning import AvaPlan
    from unitalk.ava.prepare import prepare as prepare_ava
    from unitalk.catalog import Video, videos
    from unitalk.convert.asc import convert_asc
    from unitalk.convert.loconet import convert_loconet
    from unitalk.convert.report import ConvertReport
    from unitalk.convert.talknet import convert_talknet
    from unitalk.download import DownloadReport, Plan, Selection, unpack_archives
    from unitalk.download import plan as plan_download
    from unitalk.download import run as run_download
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
    from unitalk.evaluation import (
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
    from unitalk.evaluation.diagnosis import Diagnosis, Finding, diagnose
    from unitalk.executor import Executor, open_executor
    from unitalk.export import ExportReport, export_tracks
    from unitalk.hub import Hub
    from unitalk.ingest import ImportReport, import_asw, import_ava, import_columbia, import_wasd
    from unitalk.layout import Layout
    from unitalk.leaderboard import Published, published
    from unitalk.reading import Track, Tracks, tracks
    from unitalk.sample import SampleReport, make_sample
    from unitalk.schema import read_groundtruth, read_predictions
    from unitalk.stats import Statistics, statistics
    from unitalk.talknet.networks import load_weights as load_network
    from unitalk.talknet.predict import PredictOptions, PredictReport, predict
    from unitalk.talknet.train import TrainOptions, TrainReport
    from unitalk.talknet.train import train as train_network
    from unitalk.training_rows import check_training_rows
    from unitalk.trim import TrimReport, trim_dataset
    from unitalk.verify import VerifyReport, verify_dataset
    from unitalk.video import CropOptions, CropReport
    from unitalk.video import cut as cut_crops
    from unitalk.weights import Checkpoint, WeightsReport, checkpoints
    from unitalk.weights import download as download_weights
    from unitalk.weights import find as find_weights
    from unitalk.weights import register as register_weights

__version__ = "0.1.0"

_HOME = {
    "AccessError": "errors",
    "ArchiveError": "errors",
    "AvaPlan": "ava.planning",
    "AvaReport": "ava.download",
    "Checkpoint": "weights",
    "Comparison": "evaluation",
    "ConvertReport": "convert.report",
    "CoverageError": "errors",
    "CropOptions": "video",
    "CropReport": "video",
    "DataError": "errors",
    "DestinationError": "errors",
    "Diagnosis": "evaluation.diagnosis",
    "Difference": "evaluation",
    "DiskError": "errors",
    "DownloadReport": "download",
    "EvaluateOptions": "evaluation",
    "Evaluation": "evaluation",
    "Executor": "executor",
    "ExportReport": "export",
    "Finding": "evaluation.diagnosis",
    "Group": "evaluation",
    "Hub": "hub",
    "HubError": "errors",
    "ImportReport": "ingest",
    "IncompleteError": "errors",
    "IntegrityError": "errors",
    "Layout": "layout",
    "LayoutError": "errors",
    "MissingExtraError": "errors",
    "NotFoundError": "errors",
    "Plan": "download",
    "PredictOptions": "talknet.predict",
    "PredictReport": "talknet.predict",
    "Published": "leaderboard",
    "Resamples": "evaluation",
    "SampleReport": "sample",
    "SchemaError": "errors",
    "Selection": "download",
    "Signature": "evaluation",
    "Statistics": "stats",
    "Track": "reading",
    "Tracks": "reading",
    "TrainOptions": "talknet.train",
    "TrainReport": "talknet.train",
    "TrimReport": "trim",
    "UnitalkError": "errors",
    "UsageError": "errors",
    "VerifyReport": "verify",
    "Video": "catalog",
    "WeightsReport": "weights",
    "check_training_rows": "training_rows",
    "checkpoints": "weights",
    "compare": "evaluation",
    "convert_asc": "convert.asc",
    "convert_loconet": "convert.loconet",
    "convert_talknet": "convert.talknet",
    "cut_crops": "video:cut",
    "diagnose": "evaluation.diagnosis",
    "download_ava": "ava.download:run",
    "download_weights": "weights:download",
    "evaluate": "evaluation",
    "export_tracks": "export",
    "find_weights": "weights:find",
    "import_asw": "ingest",
    "import_ava": "ingest",
    "import_columbia": "ingest",
    "import_wasd": "ingest",
    "load_network": "talknet.networks:load_weights",
    "make_sample": "sample",
    "open_executor": "executor",
    "parse_signature": "evaluation",
    "plan_ava": "ava.download:plan",
    "plan_download": "download:plan",
    "predict": "talknet.predict",
    "prepare_ava": "ava.prepare:prepare",
    "published": "leaderboard",
    "read_groundtruth": "schema",
    "read_predictions": "schema",
    "reference_score": "evaluation",
    "register_weights": "weights:register",
    "run_download": "download:run",
    "statistics": "stats",
    "tracks": "reading",
    "train_network": "talknet.train:train",
    "trim_dataset": "trim",
    "unpack_archives": "download",
    "verify_dataset": "verify",
    "videos": "catalog",
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
