"""Which of a file's streams of pictures and of sound are used, and in what words that is said."""

from __future__ import annotations

from typing import Any, NamedTuple

_ATTACHED_PICTURE = 0x400  # of FFmpeg's dispositions: a cover


class Chosen(NamedTuple):
    """A stream that is used.

    Attributes:
        place: among all streams of the file; None where there is no such stream.
        said: what it is and of how many, such as "took 1 of 2 (aac, stereo, eng)"; without a
            stream, which one was asked for in vain, if one was.
        several: whether it was chosen among several, and not by the caller.
    """

    place: int | None
    said: str = ""
    several: bool = False


def pictures_of(container: Any, number: int | None = None) -> Chosen:  # noqa: ANN401 - of an extra
    """Choose a stream of pictures that move: a cover is not one.

    Args:
        container: the opened file.
        number: which, counted from 1; default: the one that FFmpeg takes for the best.
    """
    own = [one for one in container.streams.video if not one.disposition.value & _ATTACHED_PICTURE]
    best = container.streams.best("video")
    return _chosen("pictures", own, best, number)


def sound_of(container: Any, pictures: int, number: int | None = None) -> Chosen:  # noqa: ANN401
    """Choose a stream of sound.

    Args:
        container: the opened file.
        pictures: the index of the stream of pictures: of several programmes its own is taken.
        number: which, counted from 1; default: the one that FFmpeg takes for the best.
    """
    best = container.streams.best("audio", related=container.streams[pictures])
    return _chosen("sound", list(container.streams.audio), best, number)


def _chosen(of: str, own: list[Any], best: Any, number: int | None) -> Chosen:  # noqa: ANN401
    if number is not None and number > len(own):
        count = f"{len(own)} stream{'s' * (len(own) != 1)} of {of}"
        return Chosen(None, f"it has {count}, and number {number} was asked for")
    if not own:
        return Chosen(None)
    if number is not None:
        chosen = own[number - 1]
    else:  # the best may be a cover
        chosen = next((one for one in own if best and one.index == best.index), own[0])
    said = f"took {own.index(chosen) + 1} of {len(own)} ({_form(chosen)})"
    return Chosen(chosen.index, said, number is None and len(own) > 1)


def _form(stream: Any) -> str:  # noqa: ANN401
    """Say what a stream is, such as "aac, stereo, eng"."""
    words = ["no decoder"]
    if stream.codec_context is not None:
        sound = stream.type == "audio"
        form = _layout(stream.layout) if sound else f"{stream.width}x{stream.height}"
        words = [stream.codec_context.name, form]
    return ", ".join([*words, *filter(None, [stream.language])])


def _layout(layout: Any) -> str:  # noqa: ANN401
    """The layout's name; where the file does not name it, that of so many channels."""
    return {1: "mono", 2: "stereo"}.get(layout.nb_channels, str(layout.name))
