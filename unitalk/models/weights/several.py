"""Fetches several checkpoints: those that fail do not stop the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.catalog.checkpoints import named
from unitalk.errors import DiskError, UnitalkError, UsageError, examples
from unitalk.files import disk_boundary
from unitalk.models.weights.fetch import WeightsReport, download_weights
from unitalk.models.weights.local import look
from unitalk.net.timeouts import StoppedError
from unitalk.net.transfer import FailedFile
from unitalk.progress import SilentProgress
from unitalk.progress import size as human_size
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from unitalk.catalog.checkpoints import Checkpoint
    from unitalk.net import Patience
    from unitalk.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralWeightsReport(Report):
    """The result for several checkpoints.

    Attributes:
        folder: where registered files are.
        checkpoints: those that are here now, in the order in which they were named.
        failed: those that could not be fetched, by their names.
    """

    schema_version = 1

    folder: Path
    checkpoints: tuple[WeightsReport, ...]
    failed: tuple[FailedFile, ...]


@disk_boundary("folder")
def download_several_weights(
    names: Iterable[str],
    folder: Path,
    *,
    replace: bool = False,
    forbidden_by: str | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> SeveralWeightsReport:
    """Fetch checkpoints one after the other; called again, it fetches what failed.

    Args:
        names: names of `checkpoints`; each is fetched once.
        folder: the folder of registered files; created if needed.
        replace: see `download_weights`.
        forbidden_by: see `download_weights`.
        patience: how long to wait for the network.
        progress: where to report to.

    Raises:
        UsageError: there is no such name, or the network is forbidden and one is not here.
        DiskError: the disk refused.
    """
    progress = SilentProgress() if progress is None else progress
    every = [named(name) for name in dict.fromkeys(names)]
    missing = [one for one in every if replace or look(one, folder).state != "present"]
    if missing and forbidden_by is not None:
        which = examples((one.name for one in missing), limit=3)
        raise UsageError(
            f"{which} would have to be fetched to {folder}, which {forbidden_by} forbids",
            hint=f"run it without {forbidden_by}",
        )
    if missing:
        progress.note(f"{len(missing)} of {len(every)} to fetch: {_amount(missing)}")
    reports, failed = [], []
    for one in every:
        try:
            report = download_weights(
                one.name, folder, replace=replace, patience=patience, progress=progress
            )
        except (DiskError, StoppedError):
            raise
        except UnitalkError as error:
            failed.append(FailedFile.of(one.name, error))
        else:
            reports.append(report)
    return SeveralWeightsReport(folder=folder, checkpoints=tuple(reports), failed=tuple(failed))


def _amount(missing: Sequence[Checkpoint]) -> str:
    """How much is to be fetched, as far as it is known."""
    known = [one.size for one in missing if one.size is not None]
    unknown = len(missing) - len(known)
    parts = [f"{human_size(sum(known))} for {len(known)} of them"] if known else []
    parts += [f"size not known for {unknown}"] if unknown else []
    return ", ".join(parts)
