"""The commands that repair a dataset, as far as commands can."""

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

IDS_FILE = "wrong.txt"
_NAMED = 5  # so many videos are named in a command; more are read from `IDS_FILE`


def repair_commands(report: VerifyReport) -> tuple[str, ...]:
    """List the commands, in the order in which to run them."""
    if report.ok:
        return ()
    root = shlex.quote(report.root)
    made_again = _made_again(report, root)
    if made_again is not None:
        return (made_again,)
    commands = [*_moves(report), *_wavs(report)]
    if report.made_by == "download":
        commands += _downloads(report, root)
    if any(finding.kind.startswith("loader-") for finding in report.findings):
        commands.append(f"unitalk convert-talknet --source {root} --overwrite")
    return tuple(dict.fromkeys(commands))


def _made_again(report: VerifyReport, root: str) -> str | None:
    """The command that makes the folder again, if another verb than `download` made it."""
    if report.layout == "asc":
        return f"unitalk convert-asc --source DATASET --destination {root} --overwrite"
    cut = f"--csv CSV --videos VIDEOS --destination {root}"
    commands = {
        "crops": f"unitalk crops {cut}",
        "ava prepare": f"unitalk ava prepare {cut}",
        "trim": f"unitalk trim --path SOURCE --new-path {root} --list LIST --overwrite",
        **{
            verb: f"unitalk {verb} --source DATASET --destination {root} --overwrite"
            for verb in ("convert-talknet", "convert-loconet")
        },
    }
    return commands.get(report.made_by or "")


def _moves(report: VerifyReport) -> Iterator[str]:
    """Move what is misplaced, or verify it in the layout that it has."""
    found = [one for one in report.findings if one.kind == "misplaced"]
    for one in found:
        if one.names is not None and one.to is not None:
            to = shlex.quote(f"{report.root}/{one.to}")
            names = (shlex.quote(f"{report.root}/{one.path}/{name}") for name in one.names)
            yield f"mkdir -p {to} && mv -n {' '.join(names)} {to}"
    if any(one.to is None for one in found):
        yield _verify(report, "--layout asc")


def _wavs(report: VerifyReport) -> Iterator[str]:
    """Convert each sound that has another form."""
    root = Path(report.root)
    for finding in report.findings:
        if finding.kind == "wav-format" and finding.path is not None:
            yield wavs.converting(root / finding.path, root)


def _downloads(report: VerifyReport, root: str) -> Iterator[str]:
    """Download what is missing or damaged; only published videos can be."""
    for one in report.findings:
        if one.kind == "missing-split" and one.part is not None:
            yield f"unitalk download --save-path {root} --split {one.split} --only {one.part}"
    known = {video.video_id for video in video_list.videos()}
    for part in PARTS:
        wanted = [video for video in report.videos_to_fetch(part) if video in known]
        # `--video -abc` would be taken for an option.
        named = " ".join(f"--video={v}" if v.startswith("-") else f"--video {v}" for v in wanted)
        if len(wanted) > _NAMED and set(wanted) <= set(report.ids):
            named = f"--video @{IDS_FILE}"
            yield _verify(report, f"--ids {IDS_FILE}")
        if wanted:
            yield f"unitalk download --save-path {root} {named} --only {part} --refetch"


def _verify(report: VerifyReport, options: str) -> str:
    return f"unitalk verify {shlex.quote(report.root)} {options}" + " --deep" * report.deep
