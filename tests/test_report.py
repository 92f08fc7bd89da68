"""Results as JSON, and the schema of that JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jsonschema
import pytest
from conftest import exhaustive

from unitalk import schemas
from unitalk.json_schema import json_schema
from unitalk.report import INTERNAL, Count, Report, Share

if TYPE_CHECKING:
    from unitalk.choices import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Report):
    """One part.

    Attributes:
        span: from and to,
            in seconds.
    """

    span: tuple[float, float]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Report):
    """A whole result.

    Attributes:
        parts: in order.
    """

    schema_version = 3
    computed = ("count",)

    path: Path
    size: Count = field(metadata={"json": "bytes"})
    share: Share | None
    unit: Unit
    state: Literal["new", "old"]
    parts: tuple[Part, ...]
    by_name: dict[str, Part]
    array: object = field(default=None, metadata=INTERNAL)

    @property
    def count(self) -> int:
        """How many parts."""
        return len(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparse(Report):
    """Only what applies."""

    sparse = True

    here: int | None
    there: int | None


PART = Part(span=(0.5, 1.25))
WHOLE = Whole(
    path=Path("a/b"), size=7, share=None, unit="video", state="new", parts=(PART,),
    by_name={"x": PART}, array=object(),
)  # fmt: skip


def test_a_result_is_what_json_can_hold():
    part = {"span": [0.5, 1.25], "note": None}
    assert WHOLE.to_dict() == {
        "schema_version": 3, "path": "a/b", "bytes": 7, "share": None, "unit": "video",
        "state": "new", "parts": [part], "by_name": {"x": part}, "count": 1, "warnings": [],
    }  # fmt: skip
    assert next(iter(WHOLE.to_dict())) == "schema_version"
    assert Sparse(here=1, there=None).to_dict() == {"here": 1}


def test_the_schema_describes_it():
    schema = json_schema(Whole)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(WHOLE.to_dict(), schema, jsonschema.Draft202012Validator)
    assert (
        schema["$defs"]["Part"]["properties"]["span"]["description"] == "from and to, in seconds."
    )
    assert schema["$defs"]["Whole"]["properties"]["unit"]["enum"] == ["video", "track"]
    assert "array" not in schema["$defs"]["Whole"]["properties"]
    jsonschema.validate({"here": 1}, json_schema(Sparse), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 4}, {"path": 5}, {"bytes": -1}, {"share": 1.5}, {"unit": "face"},
        {"state": "odd"}, {"parts": [{"span": [1]}]}, {"parts": [{"span": [1, 2, 3], "note": ""}]},
        {"by_name": {"x": 1}}, {"count": None}, {"warnings": ["one"]}, {"other": 1},
    ],
)  # fmt: skip
def test_what_differs_does_not_fit(change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            WHOLE.to_dict() | change, json_schema(Whole), jsonschema.Draft202012Validator
        )


def test_one_schema_for_either_of_two():
    schema = json_schema(Whole, Part)
    for one in (WHOLE, PART):
        jsonschema.validate(one.to_dict(), schema, jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema, jsonschema.Draft202012Validator)


# ------------------------------------------------------------------------------ the verbs


@pytest.mark.parametrize("verb", schemas.VERBS)
def test_the_shipped_schemas_are_those_of_the_dataclasses(verb):
    """Where this fails: `python docs/make_schemas.py`."""
    pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    jsonschema.Draft202012Validator.check_schema(schemas.read(verb))
    assert schemas.read(verb) == schemas.generate(verb)


EVAL = "eval -g {0}/csv/val_orig.csv -p {0}/predictions.csv"


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("eval", f"{EVAL} --by category --ci 50 --metrics --leaderboard"),
        ("eval", f"{EVAL} -p b={{0}}/baseline.csv"),
        ("diagnose", "diagnose -g {0}/csv/val_orig.csv -p {0}/predictions.csv"),
        pytest.param("sample", "sample {1}/sample", marks=exhaustive),
        ("trim", "trim --path {0} --new-path {1}/trimmed --list noise"),
        ("stats", "stats {0} --by video"),
        ("export", "export webdataset {0} --destination {1}/shards --jobs 1"),
        ("verify", "verify {0} --deep"),
        ("verify", "verify {0} --layout asc"),
    ],
)
def test_json_follows_the_shipped_schema(run, sample, tmp_path, verb, command):
    ran = run(*command.format(sample, tmp_path).split(), "--format", "json")
    found = json.loads(ran.stdout)
    jsonschema.validate(found, schemas.read(verb), jsonschema.Draft202012Validator)
