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
    from unitalk.ingest import (
        ImportReport,
        import_asw,
        import_ava,
        import_columbia,
        import_wasd,
    )
    from unitalk.layout import Layout
    from unitalk.leaderboard import Published, published
    from unitalk.reading import Track, Tracks, tracks
    from unitalk.sample import SampleReport, make_sample
    from unitalk.schema import read_groundtruth, read_predictions
    from unitalk.stats import Statistics, statistics
    from unitalk.trim import TrimReport, trim_dataset
    from unitalk.verify import VerifyReport, verify_dataset

__version__ = "0.1.0"

_HOME = {
    "AccessError": "errors",
    "ArchiveError": "errors",
    "Comparison": "evaluation",
    "ConvertReport": "convert.report",
    "CoverageError": "errors",
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
    "Published": "leaderboard",
    "Resamples": "evaluation",
    "SampleReport": "sample",
    "SchemaError": "errors",
    "Selection": "download",
    "Signature": "evaluation",
    "Statistics": "stats",
    "Track": "reading",
    "Tracks": "reading",
    "TrimReport": "trim",
    "UnitalkError": "errors",
    "UsageError": "errors",
    "VerifyReport": "verify",
    "Video": "catalog",
    "compare": "evaluation",
    "convert_asc": "convert.asc",
    "convert_loconet": "convert.loconet",
    "convert_talknet": "convert.talknet",
    "diagnose": "evaluation.diagnosis",
    "evaluate": "evaluation",
    "export_tracks": "export",
    "import_asw": "ingest",
    "import_ava": "ingest",
    "import_columbia": "ingest",
    "import_wasd": "ingest",
    "make_sample": "sample",
    "open_executor": "executor",
    "parse_signature": "evaluation",
    "plan_download": "download:plan",
    "published": "leaderboard",
    "read_groundtruth": "schema",
    "read_predictions": "schema",
    "reference_score": "evaluation",
    "run_download": "download:run",
    "statistics": "stats",
    "tracks": "reading",
    "trim_dataset": "trim",
    "unpack_archives": "download",
    "verify_dataset": "verify",
    "videos": "catalog",
}

__all__ = [
    "AccessError",
    "ArchiveError",
    "Comparison",
    "ConvertReport",
    "CoverageError",
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
    "Published",
    "Resamples",
    "SampleReport",
    "SchemaError",
    "Selection",
    "Signature",
    "Statistics",
    "Track",
    "Tracks",
    "TrimReport",
    "UnitalkError",
    "UsageError",
    "VerifyReport",
    "Video",
    "__version__",
    "compare",
    "convert_asc",
    "convert_loconet",
    "convert_talknet",
    "diagnose",
    "evaluate",
    "export_tracks",
    "import_asw",
    "import_ava",
    "import_columbia",
    "import_wasd",
    "make_sample",
    "open_executor",
    "parse_signature",
    "plan_download",
    "published",
    "read_groundtruth",
    "read_predictions",
    "reference_score",
    "run_download",
    "statistics",
    "tracks",
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
