"""Published checkpoints: which there are, and the files of those that are on this machine.

One folder has the files, and `weights.json` says of each what it is: size, sha256, where it came
from and when. Most are published without a hash. So the first file that is registered under a name
decides, and every later one is compared with it, as is the file itself when it is used::

    address or file -> .incoming/<name>/, its first bytes compared: a web page is refused
                    -> sha256, compared with the table's, else with the one registered before
                    -> weights.json
                    -> renamed to its final name

`folder_index` reads and writes `weights.json`, `local` finds a file, `fetch` downloads and
registers one, `several` downloads many, `on_demand` finds a file or else fetches it. The table of
checkpoints is `catalog.checkpoints`.
"""

from unitalk.catalog.checkpoints import Checkpoint, checkpoints
from unitalk.models.weights.fetch import WeightsReport, download_weights, register_weights
from unitalk.models.weights.local import Held, HeldList, HeldReport, find_weights, held
from unitalk.models.weights.on_demand import get_weights
from unitalk.models.weights.several import SeveralWeightsReport, download_several_weights

__all__ = [
    "Checkpoint",
    "Held",
    "HeldList",
    "HeldReport",
    "SeveralWeightsReport",
    "WeightsReport",
    "checkpoints",
    "download_several_weights",
    "download_weights",
    "find_weights",
    "get_weights",
    "held",
    "register_weights",
]
