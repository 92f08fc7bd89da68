"""Importers: the annotations of other datasets, brought into this one's form."""

from unitalk.dataset.import_.import_ import import_asw, import_ava, import_columbia, import_wasd
from unitalk.dataset.import_.import_report import ImportReport, SplitCounts

__all__ = [
    "ImportReport",
    "SplitCounts",
    "import_asw",
    "import_ava",
    "import_columbia",
    "import_wasd",
]
