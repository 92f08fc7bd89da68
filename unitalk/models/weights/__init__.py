"""Published checkpoints: which there are, and the files of those that are on this machine.

One folder has the files, and `weights.json` that says of each what it is: size, sha256, where it
came from and when. Most are shared without a hash, so the first file that is registered under a
name decides, and every later one, and the file itself ever after, is held to it::

    address or file -> .incoming/<name>/, then what it begins with is looked at: no web page passes
                    -> sha256, compared with the table's, else with the one registered before
                    -> weights.json
                    -> renamed to its final name

`folder_index` reads and writes `weights.json`, `local` finds a file, `fetch` downloads and
registers one. The table of checkpoints is `catalog.checkpoints`.
"""

from unitalk.catalog.checkpoints import Checkpoint, checkpoints
from unitalk.models.weights.fetch import WeightsReport, download_weights, register_weights
from unitalk.models.weights.local import Held, HeldList, HeldReport, find_weights, held

__all__ = [
    "Checkpoint",
    "Held",
    "HeldList",
    "HeldReport",
    "WeightsReport",
    "checkpoints",
    "download_weights",
    "find_weights",
    "held",
    "register_weights",
]
