"""Say what is wrong with a file of predictions: the cause, and what to do about it.

`reading` reads what can be read, `ids`, `times` and `pairing` find each prediction's face, also
where ids and times are spelled in another way, `coverage`, `boxes`, `scores` and `order` look at
the pairs, `running` does one after the other.
"""

from unitalk.evaluation.diagnosis.findings import Diagnosis, Finding
from unitalk.evaluation.diagnosis.running import diagnose

__all__ = ["Diagnosis", "Finding", "diagnose"]
