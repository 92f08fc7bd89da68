"""Download the dataset: which files of which commit, and how they get their final names.

A video's parts are files of the hub: one csv, one archive of sounds, one of face crops. Each goes
through the same steps, and a run that dies between any two of them is continued by the next::

    bytes -> .unitalk/parts/, proven by size and hash          (or found whole on the disk)
          -> unpacked into .unitalk/staging/
          -> what stood under the final name moved aside
          -> receipt written to .unitalk/receipts/   (says whose content the final name will have)
          -> renamed to the final name
          -> archive deleted, or moved to archives/ in the dataset's folder

A part is *present* when its receipt has the listed hash and its final name exists. The folder
belongs to one commit of one repository; `.unitalk/dataset.json` says which.

`video_selection` is the request, `planning` decides, `download` runs (by `net.transfer`),
`video_steps` are the steps above, `csv_merge` joins the csv files, `adoption` looks at what the
original script left, `receipts` and `failures` remember.
"""

from unitalk.dataset.download.download import DownloadReport, run_download
from unitalk.dataset.download.planning import MissingVideo, Plan, PlannedFile, plan_download
from unitalk.dataset.download.video_selection import Selection

__all__ = [
    "DownloadReport",
    "MissingVideo",
    "Plan",
    "PlannedFile",
    "Selection",
    "plan_download",
    "run_download",
]
