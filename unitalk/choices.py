"""Choices that the command line lists in its help and the library understands.

This module imports nothing of the package, so that a help text can show a choice without importing
the verb that offers it.
"""

from __future__ import annotations

from typing import Literal, get_args

Link = Literal["auto", "hard", "sym", "copy"]
LINKS: tuple[Link, ...] = get_args(Link)
"""How a file is placed in another folder; see `files.Placer`."""

Breakdown = Literal["category", "faces", "face-size", "track-length", "crowded", "video"]
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)
"""How faces are divided into groups, in the order in which `all` shows them."""

FaceSize = Literal["width", "area"]
FACE_SIZES: tuple[FaceSize, ...] = get_args(FaceSize)
"""What the size of a face is measured by."""

Unit = Literal["video", "track"]
UNITS: tuple[Unit, ...] = get_args(Unit)
"""What a resample leaves out as a whole."""

Model = Literal["talknet", "light-asd"]
MODELS: tuple[Model, ...] = get_args(Model)
"""The networks of this package; `models.plugins` finds those from outside."""

Precision = Literal["fp32", "bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""What a network computes in."""

LayoutName = Literal["unitalk", "asc", "talknet"]
LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)
"""Whose folders `verify` checks."""

FormName = Literal["webdataset", "parquet", "hf"]
FORMS: tuple[FormName, ...] = get_args(FormName)
"""The forms of an export."""
