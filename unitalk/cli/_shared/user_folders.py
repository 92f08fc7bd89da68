"""Where the command line keeps what is not of one dataset."""

from __future__ import annotations

import os
from pathlib import Path


def weights_folder() -> Path:
    """The folder of checkpoints: what UNITALK_WEIGHTS names, else one in the user's cache."""
    if named := os.environ.get("UNITALK_WEIGHTS"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "unitalk" / "weights"
