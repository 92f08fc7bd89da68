"""Read face tracks: crops, sound, times and labels; from folders, or from archives kept packed.

    tracks = unitalk.tracks("UniTalk", split="val")
    for track in tracks:
        track.gray(112)     # [faces, 112, 112] uint8
        track.audio         # {"array": [samples] int16, "sampling_rate": 16000}
        track.label_id      # [faces] int64

Nothing of a track is read before it is asked for. A file that is missing or damaged is an error
that names it, never a black picture and never silence.

`track_rows` reads a csv file into arrays, `dataset_rows` those of a dataset; `sequence` makes a
`track` when it is asked for; `media_files` and `packed_files` find its files in folders and in
archives (`file_source` decides which); `crop_pixels` and `sound_samples` decode them;
`torch_dataset` is a PyTorch data set.
"""

from unitalk.media.tracks.media_files import SOURCES, Source
from unitalk.media.tracks.sequence import Tracks, tracks
from unitalk.media.tracks.track import Audio, Track

__all__ = ["SOURCES", "Audio", "Source", "Track", "Tracks", "tracks"]
