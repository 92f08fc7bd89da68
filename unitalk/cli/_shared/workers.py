"""Where a verb's tasks run: --jobs and --scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.option_group import option_group

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from unitalk.executor import Executor

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What --jobs and --scheduler say.

    Attributes:
        jobs: processes; None: not given.
        scheduler: the address of a Dask scheduler.
    """

    jobs: int | None = None
    scheduler: str | None = None

    def executor(self) -> AbstractContextManager[Executor]:
        """Open an executor; see `unitalk.open_executor`."""
        from unitalk.executor import open_executor

        return open_executor(jobs=self.jobs, scheduler=self.scheduler)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWorker(Workers):
    """The same for a verb that uses one process unless it is asked for more."""

    def __post_init__(self) -> None:
        if self.jobs is None and self.scheduler is None:
            object.__setattr__(self, "jobs", 1)


def _workers(kind: str, default: str) -> Callable[[Function], Function]:
    return option_group(
        "workers",
        f"{__name__}:{kind}",
        click.option(
            "--jobs", type=click.IntRange(min=1), metavar="N",
            help=f"Number of parallel processes.  [default: {default}]",
        ),
        click.option(
            "--scheduler", metavar="ADDRESS",
            help="Run on this Dask cluster instead of local processes, such as tcp://host:8786.",
        ),
    )  # fmt: skip


def workers_options(function: Function) -> Function:
    """Add --jobs and --scheduler; the verb takes `workers`."""
    return _workers("Workers", "one per processor")(function)


def one_worker_options(function: Function) -> Function:
    """Add the same where one process is the default."""
    return _workers("OneWorker", "1")(function)
