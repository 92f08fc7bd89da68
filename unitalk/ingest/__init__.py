"""Importers: the annotations of other datasets, brought into this one's form.

One file a dataset. Each finds its files and says how one of them is read as rows of text;
`writing` checks the rows, puts them in order, completes them, and writes the csv of each split.
"""

from unitalk.ingest.asw import import_asw
from unitalk.ingest.ava import import_ava
from unitalk.ingest.columbia import import_columbia
from unitalk.ingest.report import ImportReport, SplitCounts
from unitalk.ingest.wasd import import_wasd

__all__ = [
    "ImportReport",
    "SplitCounts",
    "import_asw",
    "import_ava",
    "import_columbia",
    "import_wasd",
]
