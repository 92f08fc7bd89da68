"""The published algorithm, written down once more from its description, slowly and on its own.

It takes rows in the order in which they stand after sorting, so that the order within ties is the
caller's. Nothing of it comes from the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def area(labels: Sequence[bool]) -> Fraction:
    """VOC's average precision of rows from the highest score down, in exact fractions."""
    labels = [bool(label) for label in labels]  # numpy's own would overflow in fractions
    positives = sum(labels)
    points = []
    found = 0
    for number, label in enumerate(labels, 1):
        found += label
        points.append((Fraction(found, positives), Fraction(found, number)))
    total, envelope, above = Fraction(0), Fraction(0), None
    for recall, precision in reversed(points):
        if above is not None:
            total += (above - recall) * envelope
        envelope = max(envelope, precision)
        above = recall
    return total + above * envelope


def area_fast(labels: Sequence[bool]) -> float:
    """The same in floating point, for more rows than fractions can bear."""
    precision, found = [], 0
    for number, label in enumerate(labels, 1):
        found += bool(label)
        precision.append(found / number)
    for index in range(len(precision) - 2, -1, -1):
        precision[index] = max(precision[index], precision[index + 1])
    return sum(p for p, label in zip(precision, labels, strict=True) if label) / found


def ranked(labels: Sequence[bool], scores: Sequence[float]) -> list[bool]:
    """Labels from the highest score down; rows of equal score keep their order."""
    return [labels[i] for i in sorted(range(len(scores)), key=lambda i: -scores[i])]
