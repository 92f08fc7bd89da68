"""Importers: the annotations of other datasets, brought into this one's form.

One file per dataset. Each finds its files and reads one of them into rows of text; `csv_writer`
checks the rows, sorts and completes them, and writes the csv of each split.
"""

from unitalk.dataset.import_.asw import import_asw
from unitalk.dataset.import_.ava import import_ava
from unitalk.dataset.import_.columbia import import_columbia
from unitalk.dataset.import_.import_report import ImportReport, SplitCounts
from unitalk.dataset.import_.wasd import import_wasd

__all__ = [
    "ImportReport",
    "SplitCounts",
    "import_asw",
    "import_ava",
    "import_columbia",
    "import_wasd",
]
