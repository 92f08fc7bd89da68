"""Say what is wrong with a file of predictions: the cause, and what to do about it.

`predictions_file` reads what can be read. `ids`, `times` and `pairing` find each prediction's face,
even where ids and times are spelled differently. `coverage`, `boxes`, `score_values`, `order` and
`duplicate_causes` look at the pairs. `search` runs them all.
"""

from unitalk.score.diagnose.findings import Diagnosis, Finding
from unitalk.score.diagnose.search import diagnose

__all__ = ["Diagnosis", "Finding", "diagnose"]
