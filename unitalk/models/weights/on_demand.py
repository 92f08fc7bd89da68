"""Finds a checkpoint's file, and fetches it first where it is not on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.catalog.checkpoints import named
from unitalk.files import disk_boundary
from unitalk.models.weights.fetch import download_weights
from unitalk.models.weights.local import as_path, find_weights, look

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from unitalk.net import Patience
    from unitalk.progress import Progress


@disk_boundary("folder")
def get_weights(
    name_or_file: str,
    folder: str | os.PathLike[str],
    *,
    models: Collection[str],
    forbidden_by: str | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the file of a checkpoint's name, fetched if it is not here; a path as it is.

    Args:
        name_or_file: a path, or a name of `checkpoints`; see `find_weights`.
        folder: where registered files are.
        models: what the checkpoint has to load into; any other is refused before it is fetched.
        forbidden_by: see `download_weights`.
        patience: how long to wait for the network.
        progress: where to report to.

    Raises:
        UnitalkError: see `find_weights` and `download_weights`.
    """
    if as_path(name_or_file) is None:
        checkpoint = named(name_or_file, models)
        if look(checkpoint, Path(folder)).path is None:
            download_weights(
                checkpoint.name,
                folder,
                forbidden_by=forbidden_by,
                patience=patience,
                progress=progress,
            )
    return find_weights(name_or_file, folder, models=models)
