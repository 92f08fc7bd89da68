from ._version import __version__
from .catalog.results import Published, published
from .catalog.video_list import Video, videos
from .dataset.ava.ava_download import AvaReport, download_ava, plan_ava
from .dataset.ava.ava_planning import AvaPlan
from .dataset.ava.prepare import prepare_ava
from .dataset.convert import ConvertReport, convert_asc, convert_loconet, convert_talknet
from .dataset.crop import CropOptions, CropReport, cut_crops
from .dataset.download import (
    DownloadReport,
    Plan,
    Selection,
    plan_download,
    run_download,
)
from .dataset.export import ExportReport, export_tracks
from .dataset.import_ import ImportReport, import_asw, import_ava, import_columbia, import_wasd
from .dataset.sample import SampleReport, make_sample
from .dataset.stats import Statistics, statistics
from .dataset.training_rows import check_training_rows
from .dataset.trim import TrimReport, trim_dataset
from .dataset.unpack import unpack_archives
from .dataset.verify import VerifyReport, verify_dataset
from .errors import (
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
from .executor import Executor, open_executor
from .layout import Layout
from .media.tracks import Track, Tracks, tracks
from .models.contract import Logits, Network
from .models.predict import PredictOptions, PredictReport, predict
from .models.registry import load_network
from .models.train import TrainOptions, TrainReport, train_network
from .models.weights import (
    Checkpoint,
    WeightsReport,
    checkpoints,
    download_weights,
    find_weights,
    get_weights,
    register_weights,
)
from .net import Hub
from .schema import read_groundtruth, read_predictions
from .score import (
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
from .score.diagnose import Diagnosis, Finding, diagnose
from .score.report import to_html
from .score.score_tables import to_frame

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
    "Logits",
    "MissingExtraError",
    "Network",
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
    "get_weights",
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
