"""Read face tracks: crops, sound, times and labels; from folders, or from archives kept packed.

    tracks = unitalk.tracks("UniTalk", split="val")
    for track in tracks:
        track.gray(112)     # [faces, 112, 112] uint8
        track.audio         # {"array": [samples] int16, "sampling_rate": 16000}
        track.label_id      # [faces] int64

Nothing of a track is read before it is asked for. A file that is missing or damaged is an error
that names it, never a black picture and never silence.

`rows` brings the csv files into arrays; `sequence` makes a track of them when it is asked for;
`media` and `archives` find its files; `pictures` and `sounds` make arrays of these; `torch` is a
PyTorch data set over all of it.
"""

from unitalk.reading.media import SOURCES, Source
from unitalk.reading.sequence import Tracks, tracks
from unitalk.reading.track import Audio, Track

__all__ = ["SOURCES", "Audio", "Source", "Track", "Tracks", "tracks"]
