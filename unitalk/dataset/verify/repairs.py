"""What repairs a dataset, as far as something can that is typed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.catalog import video_list
from unitalk.layout import PARTS
from unitalk.media import wavs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unitalk.dataset.verify.verify_report import VerifyReport


def repairs_of(report: VerifyReport) -> tuple[str, ...]:
    """List calls of this package and lines for a shell, in the order in which to run them."""
    if report.ok:
        return ()
    made_again = _made_again(report)
    if made_again is not None:
        return (made_again,)
    found = [*_moves(report), *_wavs(report)]
    if report.made_by == "download":
        found += _downloads(report)
    if any(finding.kind.startswith("loader-") for finding in report.findings):
        found.append(f"convert_talknet({report.root!r}, overwrite=True)")
    return tuple(dict.fromkeys(found))


def _made_again(report: VerifyReport) -> str | None:
    """The call that makes the folder again, if something else than a download made it."""
    root = repr(report.root)
    if report.layout == "asc":
        return f"convert_asc(DATASET, {root}, overwrite=True)"
    calls = {
        "crop": f"cut_crops(CSV, video_dir=VIDEOS, destination={root})",
        "ava prepare": f"prepare_ava(CSV, VIDEOS, {root})",
        "trim": f"trim_dataset(SOURCE, {root}, videos=LIST, overwrite=True)",
        "convert-talknet": f"convert_talknet(DATASET, {root}, overwrite=True)",
        "convert-loconet": f"convert_loconet(DATASET, {root}, overwrite=True)",
    }
    return calls.get(report.made_by or "")


def _moves(report: VerifyReport) -> Iterator[str]:
    """Move what is misplaced, or verify it in the layout that it has."""
    found = [one for one in report.findings if one.kind == "misplaced"]
    for one in found:
        if one.names is not None and one.to is not None:
            to = shlex.quote(f"{report.root}/{one.to}")
            names = (shlex.quote(f"{report.root}/{one.path}/{name}") for name in one.names)
            yield f"mkdir -p {to} && mv -n {' '.join(names)} {to}"
    if any(one.to is None for one in found):
        deep = ", deep=True" * report.deep
        yield f"verify_dataset({report.root!r}, layout='asc'{deep})"


def _wavs(report: VerifyReport) -> Iterator[str]:
    """Convert each sound that has another form."""
    root = Path(report.root)
    for finding in report.findings:
        if finding.kind == "wav-format" and finding.path is not None:
            yield wavs.converting(root / finding.path, root)


def _downloads(report: VerifyReport) -> Iterator[str]:
    """Download what is missing or damaged; only published videos can be."""
    for one in report.findings:
        if one.kind == "missing-split" and one.part is not None:
            yield _download(report, f"splits=({one.split!r},), parts=({one.part!r},)")
    known = {video.video_id for video in video_list.videos()}
    for part in PARTS:
        wanted = tuple(video for video in report.videos_to_fetch(part) if video in known)
        if wanted:
            yield _download(report, f"videos={wanted!r}, parts=({part!r},), refetch=True")


def _download(report: VerifyReport, selection: str) -> str:
    return f"plan_download(HUB, {report.root!r}, selection=Selection({selection}))"
