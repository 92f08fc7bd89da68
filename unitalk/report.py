"""The base of every result of a verb: a frozen dataclass that writes itself as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The numbers that a field may have; `json_schema` reads it.

    Attributes:
        minimum: the lowest.
        maximum: the highest; None: any.
    """

    minimum: float
    maximum: float | None = None


Count = Annotated[int, Range(minimum=0)]
"""A number of things."""
Share = Annotated[float, Range(minimum=0, maximum=1)]
"""A part of one."""
INTERNAL: Mapping[str, str | None] = {"json": None}
"""The metadata of a field that does not belong in the JSON; `{"json": NAME}` renames one there."""


class Report:
    """The base of every result.

    A subclass is a frozen dataclass. The class attributes say what its JSON has besides the fields:

    Attributes:
        schema_version: of a result that is a whole JSON document; None for a part of one.
        computed: names of properties that are written after the fields; by their keys, where these
            are others.
        sparse: leave out what is None.
    """

    __slots__ = ()

    schema_version: ClassVar[int | None] = None
    computed: ClassVar[tuple[str, ...] | Mapping[str, str]] = ()
    sparse: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON: full precision, None for what is undefined."""
        made: dict[str, Any] = {}
        if self.schema_version is not None:
            made["schema_version"] = self.schema_version
        for key, name in keys(type(self)).items():
            value = getattr(self, name)
            if not (self.sparse and value is None):
                made[key] = _plain(value)
        if self.schema_version is not None:
            made.setdefault("warnings", [])
        return made


def keys(report: type[Report]) -> dict[str, str]:
    """Return the keys of a result's JSON, in order, and the attribute that each one comes from."""
    fields = dataclasses.fields(report)  # type: ignore[arg-type] # each subclass is a dataclass
    keys = {f.metadata.get("json", f.name): f.name for f in fields}
    more = report.computed
    computed = dict(more) if isinstance(more, Mapping) else {name: name for name in more}
    return {key: name for key, name in keys.items() if key} | computed


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    if isinstance(value, Report):
        return value.to_dict()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):  # an array
        return value.tolist()
    return value
