"""Score files of predictions: one system, or several beside each other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.errors import DataError, UsageError
from unitalk.files import disk_boundary
from unitalk.score import ap, notices
from unitalk.score.digest import row_hashes, track_hashes
from unitalk.score.eval_options import Asked, EvaluateOptions, tables_of
from unitalk.score.groups import flags_of, score_groups
from unitalk.score.jackknife import METHOD
from unitalk.score.match import Matched, Truth, match, match_all
from unitalk.score.result import Comparison, Difference, Evaluation, Group, Resamples
from unitalk.score.signature import Signature
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from unitalk.schema import Faces
    from unitalk.score.groups import Scored
    from unitalk.score.metrics import Metrics

    Given = str | Path | pd.DataFrame


@disk_boundary("groundtruth")
def evaluate(
    groundtruth: Given,
    predictions: Given,
    *,
    by: str | Sequence[str] = (),
    ci: int | bool | None = None,
    seed: int = 0,
    partial: bool = False,
    name: str | None = None,
    options: EvaluateOptions | None = None,
) -> Evaluation:
    """Score predictions against ground truth with AVA's average precision.

    Args:
        groundtruth: a csv file, a folder of them, or a frame, with AVA's eight columns (UniTalk's
            ten do as well); faces whose `eval` is 0, where there is such a column, leave the score.
        predictions: a csv file, a folder of them, or a frame, with the key and `score`.
        by: breakdowns whose cross table is wanted; `all` for each that applies on its own.
        ci: how many resamples to draw intervals from; True for 1,000.
        seed: of the resamples.
        partial: score the faces that both have when they do not cover each other.
        name: what to call the system; default: as its file.
        options: what else.

    Raises:
        SchemaError: a file breaks the schema.
        CoverageError: faces are missing or unknown, and `partial` was not asked for.
        DataError: a face is there twice, or boxes of the same face differ.
        UsageError: both files are stdin, or a breakdown is unknown or lacks what it needs.
    """
    asked = Asked.of(by=by, ci=ci, seed=seed, partial=partial, options=options)
    systems, _ = _run(groundtruth, {name or name_of(predictions): predictions}, asked)
    return systems[0]


@disk_boundary("groundtruth")
def compare(
    groundtruth: Given,
    predictions: Mapping[str, Given],
    *,
    by: str | Sequence[str] = (),
    ci: int | bool | None = None,
    seed: int = 0,
    partial: bool = False,
    options: EvaluateOptions | None = None,
) -> Comparison:
    """Score several systems on the same faces, each beside the first.

    Args:
        groundtruth: as for `evaluate`.
        predictions: each system's name and predictions; the first is the baseline.
        by: as for `evaluate`.
        ci: as for `evaluate`; the systems share the draws, so that the differences are paired.
        seed: as for `evaluate`.
        partial: score the faces that the ground truth and all systems have.
        options: as for `evaluate`.

    Raises:
        UnitalkError: as for `evaluate`.
    """
    _check_names(predictions)
    if not predictions:
        raise UsageError("there is nothing to compare", hint="give predictions by name")
    asked = Asked.of(by=by, ci=ci, seed=seed, partial=partial, options=options)
    systems, differences = _run(groundtruth, predictions, asked)
    return Comparison(systems=tuple(systems), differences=differences)


def _check_names(predictions: object) -> None:
    named = isinstance(predictions, Mapping)
    if not named or not all(isinstance(name, str) for name in predictions):  # type: ignore[attr-defined]
        raise UsageError(
            "the systems to compare have no names",
            hint='give a mapping: {"base": predictions, "mine": others}',
        )


@disk_boundary("predictions")
def reference_score(groundtruth: str | Path, predictions: str | Path) -> float:
    """The number that the reference prints, 0 to 1, ties in the order in which pandas leaves them.

    The join and its checks are ours; only the order within ties is the reference's: that of
    `DataFrame.sort_values(by="score", ascending=False)` on the ground truth's row order.

    Raises:
        DataError: there is no positive; otherwise as `evaluate`.
    """
    import pandas as pd

    truth, predicted = _load_first(groundtruth, {"": predictions})
    matched = match(Truth.of(truth), predicted)
    frame = pd.DataFrame({"score": matched.scores, "label": matched.labels})
    ordered = frame.sort_values(by="score", ascending=False)
    area = ap.reference_area(ordered["label"].to_numpy())
    if area is None:
        raise DataError(
            f"{groundtruth}: no face is labelled {schema.SPEAKING}, so there is no precision",
            hint="give ground truth with labels",
        )
    return area


# ------------------------------------------------------------------------------ reading


def name_of(given: Given) -> str:
    """What to call a system that was given without a name."""
    if not isinstance(given, (str, Path)):
        return "predictions"
    if str(given) == "-":
        return "stdin"
    name = os.fsencode(Path(given).name).decode("utf-8", "replace")
    for ending in (".gz", ".csv"):
        name = name.removesuffix(ending)
    return name or str(given)


def _load_first(groundtruth: Given, predictions: Mapping[str, Given]) -> tuple[Faces, Faces]:
    first = next(iter(predictions.values()))
    given = [one for one in (groundtruth, *predictions.values()) if isinstance(one, (str, Path))]
    if [str(one) for one in given].count("-") > 1:
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    # Some of Arrow's reading runs on one core; beside that of the other file it costs no time.
    with Threads(2, only_read=True) as pool:
        truth = pool.submit(_load, groundtruth, "groundtruth")
        guess = pool.submit(_load, first, "predictions")
        return truth.result(), guess.result()


def _load(given: Given, kind: schema.Kind) -> Faces:
    columns: tuple[str, ...] = (*schema.AVA_COLUMNS, schema.EVAL)
    if kind == "predictions":
        columns = (schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY, schema.SCORE)
    if isinstance(given, (str, Path)):
        return schema.load(given, kind, columns=columns)
    if not hasattr(given, "columns"):
        raise UsageError(
            f"{schema.KIND_NAME[kind]} cannot be a {type(given).__name__}",
            hint="give a path or a pandas frame",
        )
    return schema.from_frame(given, kind, columns=columns)


# ------------------------------------------------------------------------------ scoring


def _run(
    groundtruth: Given, predictions: Mapping[str, Given], asked: Asked
) -> tuple[list[Evaluation], tuple[Difference, ...]]:
    """Load, join, divide and score."""
    faces, first = _load_first(groundtruth, predictions)
    truth = Truth.of(faces)
    rest = list(predictions.values())[1:]
    heads = [first.describe()]

    def others() -> Iterator[Faces]:  # read when their turn comes, so that one is in memory
        for given in rest:
            loaded = _load(given, "predictions")
            heads.append(loaded.describe())
            yield loaded

    if rest:
        named = zip(predictions, chain([first], others()), strict=True)
        systems = match_all(truth, named, partial=asked.partial)
    else:
        systems = [match(truth, first, partial=asked.partial)]
    tables = tables_of(truth, asked)
    inputs = {"groundtruth": faces.describe()}
    del truth, faces, first  # the boxes are compared; half of the memory goes back here
    pa.default_memory_pool().release_unused()
    names = list(predictions)
    scored: list[Scored] = []
    if tables or asked.resampling or len(systems) > 1:
        scored = score_groups(names, systems, tables, asked.resampling, asked.options.ci_unit)
    resamples = _resamples(asked, scored)
    evaluations = [
        _score(
            name,
            matched,
            options=asked.options,
            resamples=resamples,
            inputs=inputs | {"predictions": heads[index]},
            groups=tuple(one.groups[index] for one in scored),
        )
        for index, (name, matched) in enumerate(zip(names, systems, strict=True))
    ]
    differences = tuple(one.differences[index] for index in range(len(names) - 1) for one in scored)
    return evaluations, differences


def _score(
    name: str,
    matched: Matched,
    *,
    options: EvaluateOptions,
    resamples: Resamples | None,
    inputs: dict[str, str],
    groups: tuple[Group, ...],
) -> Evaluation:
    faces, positives = len(matched.labels), int(np.count_nonzero(matched.labels))
    undefined = notices.undefined(faces, positives)
    with Threads(1, only_read=True) as pool:  # numpy sorts beside the rest
        ranked = pool.submit(ap.rank, matched.labels, matched.scores)
        tracks = track_hashes(matched)
        hashes = row_hashes(matched, tracks)
        chance = None if undefined else notices.chance(matched, hashes, tracks)
        ranking = ranked.result()
    area = None if undefined else ap.average_precision(ranking)
    best = area if area is None or not ranking.ties else ap.best_case(ranking)
    total = Group(
        by={},
        videos=int(np.count_nonzero(np.bincount(matched.video_codes))),
        tracks=int(np.count_nonzero(np.bincount(matched.tracks))),
        faces=faces,
        positives=positives,
        prior=positives / faces,
        average_precision=area,
        interval=groups[-1].interval if groups else None,
        flags=groups[-1].flags if groups else flags_of(faces, positives),
    )
    signature = _sign(total, resamples, matched, int(hashes.sum(dtype=np.uint64)))
    return Evaluation(
        name=name,
        average_precision=area,
        undefined=undefined,
        interval=total.interval,
        faces=faces,
        tracks=total.tracks,
        videos=total.videos,
        positives=positives,
        prior=total.prior,
        ties=ranking.ties,
        reference_interval=None if area is None or best is None else (area, best),
        chance_interval=chance,
        left_out=matched.left_out,
        missing=matched.missing,
        extra=matched.extra,
        groups=groups or (total,),
        resamples=resamples,
        metrics=_metrics(matched, options),
        inputs=inputs,
        warnings=tuple(notices.warnings(matched, area, best, chance, ranking.ties)),
        signature=signature.long(),
        matched=matched,
    )


def _resamples(asked: Asked, scored: Sequence[Scored]) -> Resamples | None:
    how = asked.resampling
    if how is None:
        return None
    return Resamples(
        method=METHOD,
        unit=asked.options.ci_unit,
        limit=how.resamples,
        count=scored[-1].resamples,
        seed=how.seed,
        confidence=how.confidence,
    )


def _sign(total: Group, resamples: Resamples | None, matched: Matched, digest: int) -> Signature:
    missing = matched.missing + matched.elsewhere
    return Signature(
        videos=total.videos,
        tracks=total.tracks,
        faces=total.faces,
        positives=total.positives,
        gt=f"{digest:016x}",
        eval=f"-{matched.left_out}" if matched.left_out else None,
        partial=f"-{missing}+{matched.extra}" if missing or matched.extra else None,
        ci=resamples.method if resamples else None,
        unit=resamples.unit if resamples else None,
        resamples=resamples.count if resamples else None,
        seed=resamples.seed if resamples else None,
    )


def _metrics(matched: Matched, options: EvaluateOptions) -> Metrics | None:
    if not options.metrics:
        return None
    from unitalk.score.metrics import metrics

    return metrics(matched.labels, matched.scores, threshold=options.threshold)
