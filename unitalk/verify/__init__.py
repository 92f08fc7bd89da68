"""Look for what is missing, damaged or wrong in a dataset.

`kinds` says what can be wrong, `rows` reads a csv as far as it can be, `csvs` and `across` judge
rows, `tree` and `media` hold folders against rows from listings alone, `pictures` and `sounds` open
files (in `workers`' processes), `misplaced` says what is in another folder, `asc` and `talknet`
know what those loaders want besides; `running` does it all, and `parts` judges one part of one
video.
"""

from unitalk.verify.kinds import KINDS, Kind
from unitalk.verify.parts import faults_of_part
from unitalk.verify.report import Checked, Finding, LayoutName, VerifyReport
from unitalk.verify.running import verify_dataset

__all__ = [
    "KINDS",
    "Checked",
    "Finding",
    "Kind",
    "LayoutName",
    "VerifyReport",
    "faults_of_part",
    "verify_dataset",
]
