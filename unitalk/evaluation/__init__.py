"""Score predictions: the number, what it rests on, and what to think of it.

`match` joins two files, `ap` is the arithmetic, `report` is the result that the command line prints
and Python gets.
"""

from unitalk.evaluation.report import Evaluation, evaluate, reference_score

__all__ = ["Evaluation", "evaluate", "reference_score"]
