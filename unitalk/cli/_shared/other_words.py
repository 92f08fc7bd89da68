"""Words that are not verbs or options here: earlier spellings, and those of other tools.

`spelling` answers each of them with the command to type.
"""

from __future__ import annotations

REMOVED_VERBS = {
    "crops": "crop",
    "talknet train": "train",
    "talknet predict": "predict",
}
"""Earlier spellings of verbs."""

OTHER_VERBS = {
    "benchmark": "eval",
    "check": "verify",
    "checkpoints": "weights list",
    "compare": "eval",
    "convert-to-asc": "convert-asc",
    "cut": "crop",
    "describe": "stats",
    "download-dataset": "download",
    "evaluate": "eval",
    "evaluation": "eval",
    "export huggingface": "export hf",
    "export wds": "export webdataset",
    "extract": "unpack",
    "fetch": "download",
    "filter": "trim",
    "finetune": "train",
    "fine-tune": "train",
    "fit": "train",
    "get": "download",
    "get-ava-active-speaker-performance": "eval",
    "infer": "predict",
    "inference": "predict",
    "info": "stats",
    "models": "weights list",
    "preprocess": "crop",
    "score": "eval",
    "subset": "trim",
    "test": "eval",
    "trim-dataset": "trim",
    "unzip": "unpack",
    "validate": "verify",
    "weights fetch": "weights download",
    "weights get": "weights download",
    "weights info": "weights show",
}
"""Verbs of other tools and of the original scripts, and the verb that does the same."""

RAW_VIDEO = ("annotate", "asd", "demo", "detect", "diarize", "run", "track")
"""Verbs by which other tools find who speaks in a raw video."""

VIDEO_ENDINGS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
"""A file that ends so is a raw video, which `predict` does not take."""

RAW_VIDEO_ANSWER = (
    "find and track the faces yourself, write their boxes to a csv, then: "
    "unitalk crop CSV --video-dir DIR --destination DATASET && "
    "unitalk predict DATASET --weights NAME -o FILE"
)

ANSWERS = {
    "talknet": "unitalk train DATASET --model talknet --destination RUN",
    "talknet evaluate": "unitalk predict DATASET --weights NAME -o FILE && "
    "unitalk eval DATASET FILE",
}
"""Words that no single verb replaces, and what to type."""

_INPUT = ("dataset", "source", "csv", "labels", "json_dir", "groundtruth")
_DESTINATION = ("destination", "save_path", "new_path", "output")

REMOVED_OPTIONS = {
    "ava download --videos": ("destination",),
    "ava prepare --csv": ("csv",),
    "ava prepare --videos": ("video_dir",),
    "convert-loconet --source": ("dataset",),
    "convert-talknet --source": ("dataset",),
    "crop --csv": ("source",),
    "crop --videos": ("video_dir",),
    "eval --data": ("dataset",),
    "export hf --source": ("dataset",),
    "export parquet --source": ("dataset",),
    "export webdataset --source": ("dataset",),
    "import asw --json": ("json_dir",),
    "import asw --lists": ("list_dir",),
    "import ava --csv": ("csv",),
    "import columbia --labels": ("labels",),
    "import wasd --csv": ("csv",),
    "predict --data": ("dataset",),
    "train --data": ("dataset",),
    "train --out": ("destination",),
    "unpack --save-path": ("destination",),
}
"""Earlier spellings of a verb's options, and click's name of the parameter that each has become."""

OTHER_OPTIONS = {
    "--batch-size": ("batch_frames",),
    "--batchsize": ("batch_frames",),
    "--checkpoint": ("weights",),
    "--ckpt": ("weights",),
    "--csv": _INPUT,
    "--data": _INPUT,
    "--data-dir": _INPUT,
    "--data-path": _INPUT,
    "--datapathava": _INPUT,
    "--dataset": _INPUT,
    "--dest": _DESTINATION,
    "--destination": _DESTINATION,
    "--dst": _DESTINATION,
    "--evaldatatype": ("split", "splits"),
    "--force": ("overwrite",),
    "--gt": ("groundtruth",),
    "--hyp": ("given", "predictions"),
    "--hypothesis": ("given", "predictions"),
    "--input": _INPUT,
    "--learning-rate": ("lr",),
    "--lrdecay": ("lr_decay",),
    "--max-epoch": ("epochs",),
    "--max-epochs": ("epochs",),
    "--maxepoch": ("epochs",),
    "--n-jobs": ("jobs",),
    "--ndataloaderthread": ("workers", "jobs"),
    "--new-path": _DESTINATION,
    "--num-epochs": ("epochs",),
    "--num-workers": ("workers", "jobs"),
    "--out": _DESTINATION,
    "--out-dir": _DESTINATION,
    "--output-dir": _DESTINATION,
    "--path": _INPUT,
    "--prediction": ("given", "predictions", "output"),
    "--predictions": ("output",),
    "--pretrainmodel": ("weights",),
    "--processes": ("jobs",),
    "--ref": ("groundtruth",),
    "--reference": ("groundtruth",),
    "--save-dir": _DESTINATION,
    "--save-path": _DESTINATION,
    "--savepath": _DESTINATION,
    "--source": _INPUT,
    "--testinterval": ("eval_every",),
    "--threads": ("jobs",),
    "--video-folder": ("video_dir",),
    "--video-path": ("video_dir",),
    "--videofolder": ("video_dir",),
    "--videos": ("video_dir", "videos"),
    "--videos-dir": ("video_dir",),
    "--weight": ("weights",),
}
"""Options of other tools and of the original scripts, and the parameters that may be meant.

The first that a verb has is meant.
"""
