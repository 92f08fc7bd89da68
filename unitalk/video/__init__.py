"""Face crops and sounds, cut out of full videos; the only package that decodes video.

`places` finds the files, `rows` what is wanted of each, `streams` which of a file's streams are
used, `timeline` which frame is shown when,
`pictures` decodes and crops them, `sound` brings the sound to 16 kHz, `job` makes one video's
files, `dropping` leaves out what cannot be cut, `running` makes all of them.
"""

from unitalk.video.options import CropOptions
from unitalk.video.report import CropReport, Finding
from unitalk.video.rows import find_csvs
from unitalk.video.running import cut

__all__ = ["CropOptions", "CropReport", "Finding", "cut", "find_csvs"]
