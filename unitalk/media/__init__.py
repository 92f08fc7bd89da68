"""Pixels and samples: face crops, sounds and videos are read here and nowhere else.

`jpegs` and `wavs` are the one parser of crops and of sounds. `timeline` finds the frame that is
shown at a time, `decode` decodes it, `sound` resamples to 16 kHz, `streams` picks a file's streams.
`frame_sizes` infers the size of a frame from its crops, `face_strip` pastes crops side by side.
`libraries` imports what extras bring. `tracks` is `unitalk.tracks`.
"""
