"""Look for what is missing, damaged or wrong in a dataset.

`finding_kinds` lists what can be wrong. `split_csv` reads a csv as far as possible; `csv_check` and
`cross_split` check rows, `loader_findings` the csv files of other people's loaders. `folders`
compares folders with rows, from each `folder_listing` alone; `misplaced` finds files in the wrong
folder. `deep_check` opens files for `media_check`; `crop_sizes` compares crops with their boxes.
`verify` runs it all; `parts` checks one part of one video. `verify_report` is the result, `repairs`
are the calls that help.
"""

from unitalk.dataset.verify.finding_kinds import KINDS, Kind
from unitalk.dataset.verify.parts import faults_of_part
from unitalk.dataset.verify.verify import verify_dataset
from unitalk.dataset.verify.verify_report import Finding, VerifyReport

__all__ = [
    "KINDS",
    "Finding",
    "Kind",
    "VerifyReport",
    "faults_of_part",
    "verify_dataset",
]
