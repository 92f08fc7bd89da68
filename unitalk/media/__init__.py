"""The bytes of a face crop and of a sound: one parser of each, for all who read or check them.

`jpegs` makes pixels, `wavs` makes samples; both say what else a file is.
"""
