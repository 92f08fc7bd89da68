"""Cut face crops and sounds out of full videos.

`video_files` finds the videos and `wanted_faces` reads which faces are wanted. `video_cutter` cuts
one video, its faces with `face_crops`; `video_job` puts its files into their places, and writes a
receipt. `dropped_rows` removes rows that cannot be cut. `crop` runs it all. Decoding is in `media`.
"""

from unitalk.dataset.crop.crop import cut_crops
from unitalk.dataset.crop.crop_options import CropOptions
from unitalk.dataset.crop.crop_report import CropReport, Finding
from unitalk.dataset.crop.wanted_faces import find_csvs

__all__ = ["CropOptions", "CropReport", "Finding", "cut_crops", "find_csvs"]
