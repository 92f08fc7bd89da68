"""TensorBoard's curves of a run, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from unitalk.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.models.training_run import Board


def open_board(folder: Path) -> Board:
    """Open a run's curves; those of an earlier run in the same folder stay.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(
            "curves are drawn by TensorBoard", hint='pip install "unitalk[tensorboard]"'
        ) from error
    writer: Any = SummaryWriter  # which has no types
    return cast("Board", writer(log_dir=str(folder / "tensorboard")))
