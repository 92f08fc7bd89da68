"""The result of an evaluation, and the two functions that make one."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unitalk import __version__, schema
from unitalk.errors import DataError, UsageError
from unitalk.evaluation import ap
from unitalk.evaluation.match import Matched, match

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from unitalk.schema import Faces

SCHEMA_VERSION = 1
_CHANCE_ROWS = 100_000  # the chance interval is taken over at most about this many faces
_PRINTED = 0.5e-4  # half of the last digit that the reference prints


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One file of predictions, scored.

    Attributes:
        average_precision: 0 to 1; None when it is undefined.
        undefined: why there is no number, or None.
        rows: faces that were scored.
        tracks: entities that they belong to.
        videos: videos that they belong to.
        positives: faces labelled SPEAKING_AUDIBLE.
        prior: positives / rows; what constant scores get.
        ties: faces that share their score with another one.
        reference_interval: (lowest, highest) that the reference could print, by row order.
        chance_interval: (lowest, highest) of these scores on faces they do not belong to.
        missing: faces without a prediction (0 unless partial coverage was asked for).
        extra: predictions without a face (likewise).
        inputs: each file's name and what stood at its top.
        warnings: sentences for whoever is about to publish the number.
        signature: what the number is, in one line.
    """

    average_precision: float | None
    undefined: str | None
    rows: int
    tracks: int
    videos: int
    positives: int
    prior: float
    ties: int
    reference_interval: tuple[float, float] | None
    chance_interval: tuple[float, float] | None
    missing: int
    extra: int
    inputs: dict[str, str]
    warnings: tuple[str, ...]
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON: full precision, None for what is undefined."""
        return {
            "schema_version": SCHEMA_VERSION,
            "average_precision": self.average_precision,
            "undefined": self.undefined,
            "rows": self.rows,
            "tracks": self.tracks,
            "videos": self.videos,
            "positives": self.positives,
            "prior": self.prior,
            "ties": self.ties,
            "reference_interval": _listed(self.reference_interval),
            "chance_interval": _listed(self.chance_interval),
            "missing": self.missing,
            "extra": self.extra,
            "inputs": dict(self.inputs),
            "warnings": list(self.warnings),
            "signature": self.signature,
        }


def evaluate(
    groundtruth: str | Path | pd.DataFrame,
    predictions: str | Path | pd.DataFrame,
    *,
    partial: bool = False,
) -> Evaluation:
    """Score predictions against ground truth with AVA's average precision.

    Args:
        groundtruth: a csv file or a frame with AVA's eight columns (UniTalk's ten do as well).
        predictions: a csv file or a frame with the key, the boxes and `score`.
        partial: score the faces that both have when they do not cover each other.

    Raises:
        SchemaError: a file breaks the schema.
        CoverageError: faces are missing or unknown, and `partial` was not asked for.
        DataError: a face is there twice, or boxes of the same face differ.
        UsageError: both files are stdin.
    """
    truth, predicted = _load_both(groundtruth, predictions)
    matched = match(truth, predicted, partial=partial)
    inputs = {
        name: faces.head.describe() if faces.head else "a frame"
        for name, faces in (("groundtruth", truth), ("predictions", predicted))
    }
    del truth, predicted  # the boxes are compared; half of the memory goes back here
    pa.default_memory_pool().release_unused()
    return _score(matched, inputs)


def reference_score(groundtruth: str | Path, predictions: str | Path) -> float:
    """The number that the reference prints, 0 to 1, ties in the order in which pandas leaves them.

    The join and its checks are ours; only the order within ties is the reference's: that of
    `DataFrame.sort_values(by="score", ascending=False)` on the ground truth's row order.

    Raises:
        DataError: there is no positive; otherwise as `evaluate`.
    """
    import pandas as pd

    matched = match(*_load_both(groundtruth, predictions))
    frame = pd.DataFrame({"score": matched.scores, "label": matched.labels})
    ordered = frame.sort_values(by="score", ascending=False)
    area = ap.reference_area(ordered["label"].to_numpy())
    if area is None:
        raise DataError(
            f"{groundtruth}: no face is labelled {schema.SPEAKING}, so there is no precision",
            hint="give ground truth with labels",
        )
    return area


def _load_both(
    groundtruth: str | Path | pd.DataFrame, predictions: str | Path | pd.DataFrame
) -> tuple[Faces, Faces]:
    if isinstance(groundtruth, str) and groundtruth == predictions == "-":
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    # Some of Arrow's reading runs on one core; beside that of the other file it costs no time.
    with ThreadPoolExecutor(2) as pool:
        truth = pool.submit(_load, groundtruth, "groundtruth")
        guess = pool.submit(_load, predictions, "predictions")
        return truth.result(), guess.result()


def _load(given: str | Path | pd.DataFrame, kind: schema.Kind) -> Faces:
    columns = {
        "groundtruth": schema.AVA_COLUMNS,
        "predictions": (schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY, schema.SCORE),
    }[kind]
    if isinstance(given, (str, Path)):
        return schema.load(schema.Source(given), kind, columns=columns)
    return schema.from_frame(given, kind, columns=columns)


def _score(matched: Matched, inputs: dict[str, str]) -> Evaluation:
    rows, positives = len(matched.labels), int(np.count_nonzero(matched.labels))
    undefined = _undefined(rows, positives)
    with ThreadPoolExecutor(1) as pool:  # numpy sorts beside the rest
        ranked = pool.submit(ap.rank, matched.labels, matched.scores)
        track_hashes = _track_hashes(matched)
        hashes = _row_hashes(matched, track_hashes)
        chance = None if undefined else _chance(matched, hashes, track_hashes)
        ranking = ranked.result()
    area = None if undefined else ap.average_precision(ranking)
    best = area if area is None or not ranking.ties else ap.best_case(ranking)
    tracks = int(np.count_nonzero(np.bincount(matched.tracks)))
    signature = [
        "ap:ava",
        "ties:grouped",
        f"videos:{matched.videos}",
        f"tracks:{tracks}",
        f"faces:{rows}",
        f"positives:{positives}",
        f"gt:{int(hashes.sum(dtype=np.uint64)):016x}",
        *([f"partial:-{matched.missing}+{matched.extra}"] * bool(matched.missing + matched.extra)),
        f"unitalk:{__version__}",
    ]
    return Evaluation(
        average_precision=area,
        undefined=undefined,
        rows=rows,
        tracks=tracks,
        videos=matched.videos,
        positives=positives,
        prior=positives / rows,
        ties=ranking.ties,
        reference_interval=None if area is None or best is None else (area, best),
        chance_interval=chance,
        missing=matched.missing,
        extra=matched.extra,
        inputs=inputs,
        warnings=tuple(_warnings(matched, area, best, chance, ranking.ties)),
        signature="|".join(signature),
    )


def _undefined(rows: int, positives: int) -> str | None:
    if positives == 0:
        return f"no face is labelled {schema.SPEAKING}"
    if positives == rows:
        return (
            f"every face is labelled {schema.SPEAKING}, so that any scores would get 100 %: "
            "is this AVA's test split, which has no labels?"
        )
    return None


def _warnings(
    matched: Matched,
    area: float | None,
    best: float | None,
    chance: tuple[float, float] | None,
    ties: int,
) -> list[str]:
    said = []
    if matched.missing:
        said.append(
            f"partial: {matched.missing:,} faces have no prediction and were left out; this number "
            "is not that of the whole ground truth"
        )
    if matched.extra:
        said.append(f"partial: {matched.extra:,} predictions have no face and were left out")
    if area is not None and chance is not None and area <= chance[1]:
        low, high = (f"{100 * edge:.2f}" for edge in chance)
        span = f"{low} %" if low == high else f"{low} to {high} %"
        how = "below" if area < chance[0] else "within noise of"
        also = "; are the scores inverted?" if area < chance[0] else ""
        said.append(
            f"{how} the prior: these scores get {span} on faces that they do not belong to{also}"
        )
    if area is not None and best is not None and best - area > _PRINTED:
        said.append(
            f"{ties:,} faces share their score with others; the reference, which has no rule for "
            f"ties, prints anything from {100 * area:.2f} to {100 * best:.2f} % by row order"
        )
    if matched.other_labels:
        said.append(
            f"{matched.other_labels:,} predicted rows have another label than {schema.SPEAKING}; "
            f"each score was taken as the score of {schema.SPEAKING}"
        )
    return said


def _row_hashes(matched: Matched, track_hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A number a face made from its entity, millisecond and label.

    Their sum names the ground truth whatever the order of its rows, which a hash of the file or of
    sorted rows would not do, or not as fast. The mixing is that of splitmix64 (Steele, Lea and
    Flood, OOPSLA 2014).
    """
    hashes = np.empty(len(matched.keys), np.uint64)
    piece = 1 << 16
    for start in range(0, len(hashes), piece):
        part = slice(start, start + piece)
        moment = (matched.keys[part] & 0xFFFFFFFF).astype(np.uint64)
        moment <<= np.uint64(1)
        moment |= matched.labels[part]
        hashes[part] = _mix(track_hashes[matched.tracks[part]] ^ _mix(moment))
    return hashes


def _track_hashes(matched: Matched) -> npt.NDArray[np.uint64]:
    digests = (hashlib.blake2b(name.encode(), digest_size=8) for name in matched.track_names)
    return np.array([int.from_bytes(digest.digest()) for digest in digests], np.uint64)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _chance(
    matched: Matched, hashes: npt.NDArray[np.uint64], track_hashes: npt.NDArray[np.uint64]
) -> tuple[float, float] | None:
    """The chance interval, on a part of the faces when there are many.

    Which ones is decided by their hashes, and their order by their entity's hash and time, so that
    the order of the file's rows does not matter here either.
    """
    rows = len(hashes)
    few = np.arange(rows)
    if rows > _CHANCE_ROWS:
        few = np.flatnonzero(hashes < np.uint64(2**64 * (_CHANCE_ROWS / rows)))
    moment = matched.keys[few] & 0xFFFFFFFF
    order = few[np.lexsort((moment, track_hashes[matched.tracks[few]]))]
    return ap.chance_interval(matched.labels[order], matched.scores[order])


def _listed(pair: tuple[float, float] | None) -> list[float] | None:
    return None if pair is None else list(pair)
