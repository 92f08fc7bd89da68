"""Score predictions: the number, what it rests on, and what to think of it.

`scoring` has the functions that people call, `result` what they give. Below them `match` joins two
files, `breakdown` divides the faces, `groups` scores each group with `ap` (arithmetic on arrays)
and `jackknife` (intervals and p-values), `remarks` warns, `signature` says what the number is.
Beside them stand `metrics` and `curve` for more than one number, `tables`, `page` and `plot` for
showing it, and `diagnosis`, which says what is wrong with a file of predictions.
"""

from unitalk.evaluation.options import EvaluateOptions
from unitalk.evaluation.result import Comparison, Difference, Evaluation, Group, Resamples
from unitalk.evaluation.scoring import compare, evaluate, reference_score
from unitalk.evaluation.signature import Signature, parse_signature

__all__ = [
    "Comparison",
    "Difference",
    "EvaluateOptions",
    "Evaluation",
    "Group",
    "Resamples",
    "Signature",
    "compare",
    "evaluate",
    "parse_signature",
    "reference_score",
]
