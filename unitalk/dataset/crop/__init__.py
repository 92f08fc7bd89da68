"""Cut face crops and sounds out of full videos.

`video_files` finds the videos, `wanted_faces` reads which faces are wanted of each, `face_crops`
cuts them, `video_job` makes one video's files, `dropped_rows` leaves out what cannot be cut, `crop`
runs it all. What decodes video and sound is in `media`.
"""

from unitalk.dataset.crop.crop import cut
from unitalk.dataset.crop.crop_options import CropOptions
from unitalk.dataset.crop.crop_report import CropReport, Finding
from unitalk.dataset.crop.wanted_faces import find_csvs

__all__ = ["CropOptions", "CropReport", "Finding", "cut", "find_csvs"]
