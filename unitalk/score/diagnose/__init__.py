"""Say what is wrong with a file of predictions: the cause, and what to do about it.

`predictions_file` reads what can be read. `ids`, `times` and `pairing` find each prediction's face,
even where ids and times are spelled differently. `coverage`, `duplicate_causes`, `boxes`,
`score_values` and `order` look at the pairs. `checks` runs them all.
"""

from unitalk.score.diagnose.checks import diagnose
from unitalk.score.diagnose.findings import CHECKS, Diagnosis, Finding

__all__ = ["CHECKS", "Diagnosis", "Finding", "diagnose"]
