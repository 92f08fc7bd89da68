"""The JSON schema of what each verb writes as JSON, in `<verb>.json` beside this file.

The schemas are generated from the results' dataclasses: `python docs/make_schemas.py` writes them.
"""

from __future__ import annotations

import json
from importlib import import_module, resources
from typing import Any

from unitalk.json_schema import json_schema

_REPORTS = {
    "ava-download": ["dataset.ava.ava_download:AvaReport", "dataset.ava.ava_planning:AvaPlan"],
    "ava-prepare": ["dataset.crop:CropReport"],
    **{f"convert-{to}": ["dataset.convert:ConvertReport"] for to in ("asc", "loconet", "talknet")},
    "crop": ["dataset.crop:CropReport"],
    "diagnose": ["score.diagnose:Diagnosis"],
    "download": ["dataset.download:DownloadReport", "dataset.download:Plan"],
    "eval": ["score.result:Evaluation", "score.result:Comparison"],
    "export": ["dataset.export:ExportReport"],
    **{
        f"import-{of}": ["dataset.import_:ImportReport"]
        for of in ("asw", "ava", "columbia", "wasd")
    },
    "predict": ["models.predict:PredictReport"],
    "quickstart": ["studies.quickstart:QuickstartReport"],
    "sample": ["dataset.sample:SampleReport"],
    "stats": ["dataset.stats:Statistics"],
    "train": ["models.train:TrainReport"],
    "trim": ["dataset.trim:TrimReport"],
    "unpack": ["dataset.download:DownloadReport"],
    "verify": ["dataset.verify:VerifyReport"],
    "videos": ["catalog.video_list:VideoList"],
    "weights-download": ["models.weights:WeightsReport", "models.weights:SeveralWeightsReport"],
    "weights-list": ["models.weights:HeldList"],
    "weights-show": ["models.weights:HeldReport"],
}
_OPTIONAL = {"eval": {"leaderboard": "score.standing:Standing"}}

VERBS = tuple(_REPORTS)
"""The verbs whose JSON has a schema, groups and their verbs joined by `-`."""


def read(verb: str) -> dict[str, Any]:
    """Return the schema of a verb's JSON."""
    file = resources.files(__name__).joinpath(f"{verb}.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def generate(verb: str) -> dict[str, Any]:
    """Make the schema of a verb's JSON from the dataclasses."""
    optional = {key: _find(home) for key, home in _OPTIONAL.get(verb, {}).items()}
    return json_schema(*map(_find, _REPORTS[verb]), **optional)


def _find(home: str) -> Any:  # noqa: ANN401 - a class by its name
    module, _, name = home.partition(":")
    return getattr(import_module(f"unitalk.{module}"), name)
