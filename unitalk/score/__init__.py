"""Score predictions: the number, what it rests on, and what to think of it.

`scoring` has the functions that people call, `result` what they return. Below them `match` joins
two files, `breakdown` divides the faces, `groups` scores each group with `ap` (arithmetic on
arrays) and `jackknife` (intervals and p-values), `notices` warns, `signature` names the number.
Beside them are `metrics` and `curve` for more than one number, `score_tables`, `report` and `plot`
to show it, and `diagnose`, which finds out what is wrong with a predictions file.
"""

from unitalk.score.eval_options import EvaluateOptions
from unitalk.score.result import Comparison, Difference, Evaluation, Group, Resamples
from unitalk.score.scoring import compare, evaluate, reference_score
from unitalk.score.signature import Signature, parse_signature

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
