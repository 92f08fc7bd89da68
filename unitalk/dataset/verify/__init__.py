"""Look for what is missing, damaged or wrong in a dataset.

`finding_kinds` lists what can be wrong. `row_groups` reads a csv as far as possible; `csv_check`
and `cross_split` check rows. `tree` and `media_check` compare folders with rows from listings
alone; `crop_check` and `wav_check` open files (in the processes of `workers`); `misplaced` finds
files in the wrong folder. `loader_findings` checks what other people's loaders read besides.
`verify` runs it all; `parts` checks one part of one video.
"""

from unitalk.dataset.verify.finding_kinds import KINDS, Kind
from unitalk.dataset.verify.parts import faults_of_part
from unitalk.dataset.verify.verify import verify_dataset
from unitalk.dataset.verify.verify_report import Checked, Finding, VerifyReport

__all__ = [
    "KINDS",
    "Checked",
    "Finding",
    "Kind",
    "VerifyReport",
    "faults_of_part",
    "verify_dataset",
]
