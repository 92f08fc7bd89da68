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
    from unitalk.convert.asc import ConvertReport, convert_asc
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
    from unitalk.hub import Hub
    from unitalk.layout import Layout
    from unitalk.leaderboard import Published, published
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
    "ConvertReport": "convert.asc",
    "CoverageError": "errors",
    "DataError": "errors",
    "DestinationError": "errors",
    "Diagnosis": "evaluation.diagnosis",
    "Difference": "evaluation",
    "DiskError": "errors",
    "DownloadReport": "download",
    "EvaluateOptions": "evaluation",
    "Evaluation": "evaluation",
    "Finding": "evaluation.diagnosis",
    "Group": "evaluation",
    "Hub": "hub",
    "HubError": "errors",
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
    "TrimReport": "trim",
    "UnitalkError": "errors",
    "UsageError": "errors",
    "VerifyReport": "verify",
    "Video": "catalog",
    "compare": "evaluation",
    "convert_asc": "convert.asc",
    "diagnose": "evaluation.diagnosis",
    "evaluate": "evaluation",
    "make_sample": "sample",
    "parse_signature": "evaluation",
    "plan_download": "download:plan",
    "published": "leaderboard",
    "read_groundtruth": "schema",
    "read_predictions": "schema",
    "reference_score": "evaluation",
    "run_download": "download:run",
    "statistics": "stats",
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
    "Finding",
    "Group",
    "Hub",
    "HubError",
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
    "TrimReport",
    "UnitalkError",
    "UsageError",
    "VerifyReport",
    "Video",
    "__version__",
    "compare",
    "convert_asc",
    "diagnose",
    "evaluate",
    "make_sample",
    "parse_signature",
    "plan_download",
    "published",
    "read_groundtruth",
    "read_predictions",
    "reference_score",
    "run_download",
    "statistics",
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
