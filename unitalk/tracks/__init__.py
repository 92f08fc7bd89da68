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

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from unitalk.tracks.media import SOURCES, Source
from unitalk.tracks.sequence import Tracks, tracks
from unitalk.tracks.track import Audio, Track

__all__ = ["SOURCES", "Audio", "Source", "Track", "Tracks", "tracks"]


class _Module(ModuleType):
    """This module, which can be called: `unitalk.tracks(...)` is the function of its name.

    Python gives a package an attribute for each of its modules that was imported, and the package
    serves the function under the same name; so whichever of the two is there does the same.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Tracks:  # noqa: ANN401 - see `tracks`
        return tracks(*arguments, **options)


sys.modules[__name__].__class__ = _Module
