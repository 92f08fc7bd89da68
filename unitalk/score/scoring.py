"""Score files of predictions: one system, or several beside each other."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.catalog import groundtruths
from unitalk.errors import DataError, UsageError
from unitalk.files import disk_boundary
from unitalk.layout import Layout
from unitalk.score import ap, notices
from unitalk.score.breakdown import Divider, check_names
from unitalk.score.digest import row_hashes, track_hashes
from unitalk.score.eval_options import EvaluateOptions
from unitalk.score.groundtruth_source import DEFAULT_SPLIT, groundtruth_rows, is_dataset
from unitalk.score.groups import count, score_groups
from unitalk.score.jackknife import METHOD, RESAMPLES, Resampling
from unitalk.score.match import Matched, Truth, match, match_all
from unitalk.score.result import Comparison, Difference, Evaluation, Group, Resamples
from unitalk.score.signature import Signature
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        groundtruth: a csv file, a folder of them, a dataset's folder (see `EvaluateOptions.split`),
            or a frame, with AVA's eight columns (UniTalk's ten do as well). Faces whose `eval` is
            0, where there is such a column, are not scored.
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
    systems, _ = _run(
        groundtruth, {name or name_of(predictions): predictions},
        by=by, ci=ci, seed=seed, partial=partial, options=options or EvaluateOptions(),
    )  # fmt: skip
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
    if not predictions:
        raise UsageError("there is nothing to compare", hint="give predictions by name")
    systems, differences = _run(
        groundtruth, predictions,
        by=by, ci=ci, seed=seed, partial=partial, options=options or EvaluateOptions(),
    )  # fmt: skip
    return Comparison(systems=tuple(systems), differences=differences)


@disk_boundary("predictions")
def reference_score(groundtruth: str | Path, predictions: str | Path) -> float:
    """The number that the reference prints, 0 to 1, ties in the order in which pandas leaves them.

    The join and its checks are ours; only the order within ties is the reference's: that of
    `DataFrame.sort_values(by="score", ascending=False)` on the ground truth's row order.

    Raises:
        DataError: there is no positive; otherwise as `evaluate`.
    """
    import pandas as pd

    truth, predicted = _load_first(groundtruth_rows(groundtruth), {"": predictions})
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


def _with_dataset(options: EvaluateOptions, groundtruth: Given) -> EvaluateOptions:
    """Let a dataset that is the ground truth tell the frames' sizes, if it has crops."""
    if options.dataset is not None or not isinstance(groundtruth, (str, Path)):
        return options
    split = options.split or DEFAULT_SPLIT
    told = is_dataset(groundtruth) and Layout(Path(groundtruth)).has_crops(split)
    return replace(options, dataset=groundtruth) if told else options


def _load_first(groundtruth: Given, predictions: Mapping[str, Given]) -> tuple[Faces, Faces]:
    given = [one for one in (groundtruth, *predictions.values()) if isinstance(one, (str, Path))]
    if [str(one) for one in given].count("-") > 1:
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    # Some of Arrow's reading runs on one core; beside that of the other file it costs no time.
    with Threads(2, only_read=True) as pool:
        truth = pool.submit(_load, groundtruth, "groundtruth")
        first = pool.submit(_load, next(iter(predictions.values())), "predictions")
        return truth.result(), first.result()


def _load(given: Given, kind: schema.Kind) -> Faces:
    columns: tuple[str, ...] = (*schema.AVA_COLUMNS, schema.EVAL)
    if kind == "predictions":
        columns = (schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY, schema.SCORE)
    if isinstance(given, (str, Path)):
        return schema.load(given, kind, columns=columns)
    return schema.from_frame(given, kind, columns=columns)


# ------------------------------------------------------------------------------ scoring


def _run(
    groundtruth: Given,
    predictions: Mapping[str, Given],
    *,
    by: str | Sequence[str],
    ci: int | bool | None,
    seed: int,
    partial: bool,
    options: EvaluateOptions,
) -> tuple[list[Evaluation], tuple[Difference, ...]]:
    """Load, join, divide and score."""
    breakdowns = check_names(by)
    limit = RESAMPLES if ci is True else ci
    resampling = Resampling(resamples=limit, seed=seed) if limit else None
    options = _with_dataset(options, groundtruth)
    faces, first = _load_first(groundtruth_rows(groundtruth, options.split), predictions)
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
        matches = match_all(truth, named, partial=partial)
    else:
        matches = [match(truth, first, partial=partial)]
    systems = dict(zip(predictions, matches, strict=True))
    tables = Divider(truth, options).tables(breakdowns)
    inputs = {"groundtruth": faces.describe()}
    del truth, faces, first  # the boxes are compared; half of the memory goes back here
    pa.default_memory_pool().release_unused()
    scored: list[Scored] = []
    if tables or resampling or rest:
        scored = score_groups(systems, tables, resampling, options.ci_unit)
    resamples = (
        None
        if resampling is None
        else Resamples(
            method=METHOD,
            unit=options.ci_unit,
            limit=resampling.resamples,
            count=scored[-1].resamples,
            seed=resampling.seed,
            confidence=resampling.confidence,
        )
    )
    evaluations = [
        _score(
            name,
            matched,
            options=options,
            resamples=resamples,
            inputs=inputs | {"predictions": heads[index]},
            groups=tuple(one.groups[index] for one in scored),
        )
        for index, (name, matched) in enumerate(systems.items())
    ]
    differences = tuple(one.differences[index] for index in range(len(rest)) for one in scored)
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
    total = groups[-1] if groups else count({}, matched)
    undefined = notices.undefined(total.faces, total.positives)
    with Threads(1, only_read=True) as pool:  # numpy sorts beside the rest
        ranked = pool.submit(ap.rank, matched.labels, matched.scores)
        tracks = track_hashes(matched)
        hashes = row_hashes(matched, tracks)
        chance = None if undefined else notices.chance(matched, hashes, tracks)
        ranking = ranked.result()
    area = None if undefined else ap.average_precision(ranking)
    best = area if area is None or not ranking.ties else ap.best_case(ranking)
    missing = matched.missing + matched.elsewhere
    digest = f"{int(hashes.sum(dtype=np.uint64)):016x}"
    signature = Signature(
        videos=total.videos,
        tracks=total.tracks,
        faces=total.faces,
        positives=total.positives,
        gt=groundtruths.name_of(digest, total.faces) or digest,
        eval=f"-{matched.left_out}" if matched.left_out else None,
        partial=f"-{missing}+{matched.extra}" if missing or matched.extra else None,
        ci=resamples.method if resamples else None,
        unit=resamples.unit if resamples else None,
        resamples=resamples.count if resamples else None,
        seed=resamples.seed if resamples else None,
    )
    return Evaluation(
        name=name,
        average_precision=area,
        undefined=undefined,
        interval=total.interval,
        faces=total.faces,
        tracks=total.tracks,
        videos=total.videos,
        positives=total.positives,
        prior=total.prior,
        ties=ranking.ties,
        reference_interval=None if area is None or best is None else (area, best),
        chance_interval=chance,
        left_out=matched.left_out,
        missing=matched.missing,
        extra=matched.extra,
        groups=groups or (replace(total, average_precision=area),),
        resamples=resamples,
        metrics=_metrics(matched, options),
        inputs=inputs,
        warnings=tuple(notices.warnings(matched, area, best, chance, ranking.ties)),
        signature=signature.long(),
        matched=matched,
    )


def _metrics(matched: Matched, options: EvaluateOptions) -> Metrics | None:
    if not options.metrics:
        return None
    from unitalk.score.metrics import metrics

    return metrics(matched.labels, matched.scores, threshold=options.threshold)
