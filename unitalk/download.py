"""Download the dataset: which files of which commit, and how they get their final names.

A video's parts are files of the hub: one csv, one archive of sounds, one of face crops. Each goes
through the same steps, and a run that dies between any two of them is continued by the next::

    bytes -> .unitalk/parts/, proven by size and hash
          -> unpacked into .unitalk/staging/
          -> what stood under the final name moved aside
          -> receipt written to .unitalk/receipts/   (says whose content the final name will have)
          -> renamed to the final name
          -> archive deleted, or moved to archives/ in the dataset's folder

A part is *present* when its receipt has the listed hash and its final name exists. The folder
belongs to one commit of one repository; `.unitalk/dataset.json` says which.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from unitalk import catalog, fsops, layout
from unitalk.errors import (
    AccessError,
    DataError,
    DestinationError,
    UnitalkError,
    UsageError,
)
from unitalk.hub import RemoteFile, StoppedError
from unitalk.layout import PARTS, SPLITS, Layout, Part, Split
from unitalk.progress import Progress, SilentProgress, Task
from unitalk.progress import size as human_size
from unitalk.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from unitalk.hub import Hub

JOBS = 8
"""How many files are fetched at a time."""

_MADE_BY = "download"

_UNPACKED = 1.1
"""What crops and sounds unpack to, as a multiple of their archive: both hardly shrink in a zip."""

# What the next file would meet just as well.
_DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to download; the default is all that is published.

    Attributes:
        splits: keep these; empty keeps all.
        categories: keep these; empty keeps all. Only val videos have one.
        videos: these ids instead of the published lists; `splits` and `limit` still apply.
        limit: at most this many videos of each split, in the order of the list.
        parts: what to fetch of each video.
    """

    splits: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    limit: int | None = None
    parts: tuple[Part, ...] = PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One part of one video, as the hub has it; `present` when the disk has it too."""

    remote: RemoteFile
    part: Part
    split: Split
    video_id: str
    present: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "path": self.remote.path,
            "part": self.part,
            "split": self.split,
            "video_id": self.video_id,
            "size": self.remote.size,
            "hash": self.remote.hash,
            "present": self.present,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVideo:
    """A video that was asked for and of which the hub lacks parts; no split when it has none."""

    video_id: str
    split: Split | None
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {"video_id": self.video_id, "split": self.split, "parts": list(self.parts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `run` will do.

    Attributes:
        root: the dataset's folder.
        repository: where from.
        commit: the one that is downloaded.
        files: what was asked for and is on the hub, in the order of the lists.
        missing: what was asked for and is not on the hub.
        extra: hub paths of videos that no published list has; not downloaded unless asked for.
        notes: what the reader should know before.
        tree: the whole commit, as listed.
    """

    root: Path
    repository: str
    commit: str
    files: tuple[PlannedFile, ...]
    missing: tuple[MissingVideo, ...]
    extra: tuple[str, ...]
    notes: tuple[str, ...]
    tree: tuple[RemoteFile, ...] = field(repr=False)

    @property
    def to_fetch(self) -> tuple[PlannedFile, ...]:
        """The files that the disk lacks."""
        return tuple(file for file in self.files if not file.present)

    def bytes_by_split(self) -> dict[str, dict[str, int]]:
        """The listed bytes of each split, and how many of them the disk lacks."""
        counts: dict[str, dict[str, int]] = {}
        for file in self.files:
            count = counts.setdefault(file.split, {"listed": 0, "to_fetch": 0})
            count["listed"] += file.remote.size
            count["to_fetch"] += 0 if file.present else file.remote.size
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return all but the tree, JSON-ready."""
        return {
            "schema_version": 1,
            "root": str(self.root),
            "repository": self.repository,
            "commit": self.commit,
            "bytes": self.bytes_by_split(),
            "files": [file.to_dict() for file in self.files],
            "missing": [video.to_dict() for video in self.missing],
            "extra": list(self.extra),
            "warnings": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFile:
    """A file that could not be had, and why."""

    path: str
    cause: str
    hint: str | None

    def to_dict(self) -> dict[str, str | None]:
        """Return the fields, JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReport:
    """What a run did.

    Attributes:
        root: the dataset's folder.
        repository: where from.
        commit: the one that was downloaded.
        fetched: hub paths that this run put in place.
        present: hub paths that were in place before.
        failed: hub paths that could not be had.
        missing: what was asked for and is not on the hub.
        bytes_fetched: the size of what this run put in place, as packed.
        csv: the merged csv files, relative to the root, and the videos in each.
        warnings: what the reader should know.
    """

    root: Path
    repository: str
    commit: str
    fetched: tuple[str, ...]
    present: tuple[str, ...]
    failed: tuple[FailedFile, ...]
    missing: tuple[MissingVideo, ...]
    bytes_fetched: int
    csv: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is in place."""
        return not self.failed and not self.missing

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "schema_version": 1,
            "root": str(self.root),
            "repository": self.repository,
            "commit": self.commit,
            "complete": self.complete,
            "fetched": list(self.fetched),
            "present": list(self.present),
            "failed": [file.to_dict() for file in self.failed],
            "missing": [video.to_dict() for video in self.missing],
            "bytes_fetched": self.bytes_fetched,
            "csv": dict(self.csv),
            "warnings": list(self.warnings),
        }


# ------------------------------------------------------------------------------ plan


def plan(
    hub: Hub, root: Path, *, revision: str | None = None, selection: Selection | None = None
) -> Plan:
    """Decide what to fetch; nothing is written.

    Args:
        hub: where from.
        root: the dataset's folder: new, empty, or made by an earlier download.
        revision: a branch, tag or commit; default: the commit that the folder already belongs to,
            for a new one the newest.
        selection: which videos, and what of each; default: all that is published.

    Raises:
        DestinationError: the folder is not ours.
        UsageError: the folder belongs to another repository or commit, or the selection
            contradicts itself.
        HubError: the hub refused, or could not be reached.
    """
    root = Path(root).resolve()
    wanted = Selection() if selection is None else selection
    _check_selection(wanted)
    pinned = _pinned(root, hub.repository)
    commit, notes = _choose_commit(hub, root, pinned, revision)
    tree = _remembered_tree(root, commit)
    if tree is None:
        tree = hub.tree(commit)
    known = _videos_on_hub(tree)
    files, missing = _match(root, wanted.parts, _choose_videos(wanted, known), tree)
    published = {(video.video_id, video.split) for video in catalog.videos()}
    return Plan(
        root=root,
        repository=hub.repository,
        commit=commit,
        files=files,
        missing=missing,
        extra=tuple(f"{split}/{name}" for name, split in known if (name, split) not in published),
        notes=notes,
        tree=tree,
    )


def _match(
    root: Path,
    parts: Sequence[Part],
    videos: Iterable[tuple[str, Split | None]],
    tree: Iterable[RemoteFile],
) -> tuple[tuple[PlannedFile, ...], tuple[MissingVideo, ...]]:
    """Look each part of each video up on the hub and on the disk."""
    on_hub = {file.path: file for file in tree}
    files: list[PlannedFile] = []
    missing: list[MissingVideo] = []
    for video_id, split in videos:
        lacking: list[Part] = []
        for part in dict.fromkeys(parts):
            remote = on_hub.get(layout.hub_path(part, split, video_id)) if split else None
            if split is None or remote is None:
                lacking.append(part)
                continue
            there = _is_present(root, remote, part, split, video_id)
            files.append(
                PlannedFile(remote=remote, part=part, split=split, video_id=video_id, present=there)
            )
        if lacking:
            missing.append(MissingVideo(video_id=video_id, split=split, parts=tuple(lacking)))
    return tuple(files), tuple(missing)


def _check_selection(selection: Selection) -> None:
    for split in selection.splits:
        if split not in SPLITS:
            raise UsageError(f"unknown split {split!r}", hint=f"splits: {', '.join(SPLITS)}")
    for part in selection.parts:
        if part not in PARTS:
            raise UsageError(f"unknown part {part!r}", hint=f"parts: {', '.join(PARTS)}")
    if not selection.parts:
        raise UsageError("no part of a video is asked for", hint=f"parts: {', '.join(PARTS)}")
    if selection.limit is not None and selection.limit < 1:
        raise UsageError(f"the limit {selection.limit} leaves no video", hint="give 1 or more")
    if selection.videos and selection.categories:
        raise UsageError(
            "videos by id and a category are asked for together",
            hint="give ids, or categories; two runs into one folder give both",
        )


def _pinned(root: Path, repository: str) -> str | None:
    """The commit that a folder belongs to; None for one that is new.

    Raises:
        DestinationError: the folder is not ours.
        UsageError: it belongs to another repository.
    """
    marker_file = Layout(root).marker
    # A run that died before it wrote its marker left nothing but our own folder.
    if root.is_dir() and not marker_file.exists() and set(os.listdir(root)) <= {".unitalk"}:
        return None
    fsops.check_destination(root, made_by=_MADE_BY, overwrite=True)
    marker = fsops.read_json(marker_file)
    if marker is None:
        return None
    if marker.get("repository") != repository:
        raise UsageError(
            f"{root} holds {marker.get('repository')}, and {repository} is asked for",
            hint="give another folder",
        )
    return str(marker.get("commit"))


def _choose_commit(
    hub: Hub, root: Path, pinned: str | None, revision: str | None
) -> tuple[str, tuple[str, ...]]:
    commit = hub.commit("main" if revision is None else revision)
    if pinned is None or pinned == commit:
        return commit, ()
    if revision is not None:
        raise UsageError(
            f"{root} belongs to commit {pinned}, and {revision} is commit {commit}",
            hint="leave the revision out to continue with that commit, or give another folder",
        )
    note = f"the hub has moved on to {commit}; this folder stays at {pinned}"
    return pinned, (note,)


def _tree_file(root: Path, commit: str) -> Path:
    return Layout(root).memory / f"tree-{commit}.json"


def _remembered_tree(root: Path, commit: str) -> tuple[RemoteFile, ...] | None:
    """A commit never changes, so its listing is asked for once."""
    try:
        entries = fsops.read_json(_tree_file(root, commit))
        return None if entries is None else tuple(RemoteFile(**entry) for entry in entries)
    except (UnitalkError, TypeError):  # damaged from outside: ask again
        return None


def _videos_on_hub(tree: Iterable[RemoteFile]) -> tuple[tuple[str, Split], ...]:
    """The videos of which the hub has any part, by split and id."""
    parsed = (layout.parse_hub_path(file.path) for file in tree)
    found = {
        (video_id, split) for _, split, video_id in filter(None, parsed) if video_id.strip(".")
    }
    return tuple(sorted(found, key=lambda video: (SPLITS.index(video[1]), video[0])))


def _choose_videos(
    selection: Selection, known: Iterable[tuple[str, Split]]
) -> list[tuple[str, Split | None]]:
    """The ids that are asked for; without a split when neither lists nor hub know one."""
    if not selection.videos:
        chosen = catalog.select(
            splits=selection.splits, categories=selection.categories, limit=selection.limit
        )
        return [(video.video_id, video.split) for video in chosen]
    homes: dict[str, list[Split]] = {}
    for video in catalog.videos():
        homes[video.video_id] = [video.split]
    for video_id, split in known:
        if split not in homes.setdefault(video_id, []):
            homes[video_id].append(split)
    asked: list[tuple[str, Split | None]] = []
    taken: Counter[Split] = Counter()
    for video_id in dict.fromkeys(selection.videos):
        if video_id not in homes:
            asked.append((video_id, None))
        for split in homes.get(video_id, []):
            wanted = not selection.splits or split in selection.splits
            if wanted and (selection.limit is None or taken[split] < selection.limit):
                taken[split] += 1
                asked.append((video_id, split))
    return asked


def _receipt(root: Path, hub_path: str) -> Path:
    return Layout(root).memory / "receipts" / f"{hub_path}.json"


def _is_present(root: Path, remote: RemoteFile, part: Part, split: str, video_id: str) -> bool:
    final = Layout(root).part(part, split, video_id)
    return final.exists() and _receipted_hash(root, remote.path) == remote.hash


def _receipted_hash(root: Path, hub_path: str) -> str | None:
    try:
        receipt = fsops.read_json(_receipt(root, hub_path))
    except UnitalkError:  # damaged from outside: as good as none
        return ""
    return None if receipt is None else str(receipt.get("hash"))


# ------------------------------------------------------------------------------ run


def run(
    plan: Plan,
    hub: Hub,
    *,
    jobs: int = JOBS,
    keep_archives: bool = False,
    progress: Progress | None = None,
) -> DownloadReport:
    """Fetch what a plan lists and merge the csv files of each split.

    A file that fails is tried once more at the end, then reported; files that arrived stay.

    Args:
        plan: what `plan` decided.
        hub: where from; after an error or an interrupt it is stopped for good.
        jobs: how many files at a time.
        keep_archives: keep each archive, as `archives/<its path on the hub>` in the dataset's
            folder. What was deleted before is not fetched again for that.
        progress: where to report to.

    Raises:
        DestinationError: the folder is not ours, or another process is writing it.
        AccessError: the hub does not let us in.
        UnitalkError: the disk is full.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs cannot fetch a file", hint="give 1 or more")
    with fsops.locked(plan.root):
        plan = _renewed(plan)
        _check_space(plan, jobs=jobs, keep_archives=keep_archives)
        _claim(plan)
        job = _Job(plan=plan, hub=hub, keep_archives=keep_archives)
        _tidy(job)
        failures = _fetch_all(job, jobs, SilentProgress() if progress is None else progress)
        _tidy(job)
        merged = _merge_splits(plan)
    fetched = [file for file in plan.to_fetch if file.remote.path not in failures]
    return DownloadReport(
        root=plan.root,
        repository=plan.repository,
        commit=plan.commit,
        fetched=tuple(file.remote.path for file in fetched),
        present=tuple(file.remote.path for file in plan.files if file.present),
        failed=tuple(_failed(path, error) for path, error in failures.items()),
        missing=plan.missing,
        bytes_fetched=sum(file.remote.size for file in fetched),
        csv=merged,
        warnings=(*plan.notes, *hub.warnings.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the steps of all files share."""

    plan: Plan
    hub: Hub
    keep_archives: bool

    @property
    def memory(self) -> Path:
        return Layout(self.plan.root).memory

    def final(self, file: PlannedFile) -> Path:
        return Layout(self.plan.root).part(file.part, file.split, file.video_id)

    def partial(self, file: PlannedFile) -> Path:
        # The hash, so that no two contents are ever mixed; the rest, as two files may have one.
        name = f"{file.remote.hash}.{file.part}.{file.split}.{file.video_id}.part"
        return self.memory / "parts" / name

    def staging(self, file: PlannedFile) -> Path:
        return self.memory / "staging" / f"{file.part}.{file.split}.{file.video_id}"

    def aside(self, file: PlannedFile) -> Path:
        return self.memory / "old" / f"{file.part}.{file.split}.{file.video_id}"


def _renewed(plan: Plan) -> Plan:
    """The plan with what is present now, when nobody else can change it."""
    files = (
        replace(f, present=_is_present(plan.root, f.remote, f.part, f.split, f.video_id))
        for f in plan.files
    )
    return replace(plan, files=tuple(files))


def _claim(plan: Plan) -> None:
    """Mark the folder, if it still is the one that the plan was made for."""
    pinned = _pinned(plan.root, plan.repository)
    if pinned is None:
        about = {"repository": plan.repository, "commit": plan.commit}
        fsops.mark(plan.root, made_by=_MADE_BY, about=about)
    elif pinned != plan.commit:
        raise UsageError(
            f"{plan.root} belongs to commit {pinned}, and the plan is for {plan.commit}",
            hint="plan again",
        )
    tree_file = _tree_file(plan.root, plan.commit)
    if _remembered_tree(plan.root, plan.commit) is None:
        fsops.write_json(tree_file, [asdict(file) for file in plan.tree])


def _tidy(job: _Job) -> None:
    """Remove what a killed run left: half-unpacked folders, and archives that are in place."""
    for name in ("staging", "old"):
        shutil.rmtree(job.memory / name, ignore_errors=True)
    csv = Layout(job.plan.root).csv(SPLITS[0]).parent
    for unfinished in (*csv.glob(".*.csv.*.part"), *job.memory.rglob(".*.json.*.part")):
        unfinished.unlink()
    for file in job.plan.files:
        if file.present and file.part != "csv":
            _put_away(job, file)
    with contextlib.suppress(OSError):  # partial files are in it, for the next run
        (job.memory / "parts").rmdir()


def _check_space(plan: Plan, *, jobs: int, keep_archives: bool) -> None:
    """Compare the free space with what the files to fetch will take.

    The listing has packed sizes only. Counted are: what the archives unpack to, by a fixed ratio;
    the archives that are on the disk at a time, which are at most `jobs` (the largest), or all
    when they are kept; each csv twice, as it is merged too. Partial files already have their space.

    Raises:
        UnitalkError: there is less.
    """
    sizes: dict[bool, list[int]] = {True: [], False: []}
    for file in plan.to_fetch:
        sizes[file.part == "csv"].append(file.remote.size)
    archives = sorted(sizes[False], reverse=True)
    at_a_time = sum(archives if keep_archives else archives[:jobs])
    with contextlib.suppress(FileNotFoundError):
        parts = Layout(plan.root).memory / "parts"
        at_a_time -= min(at_a_time, sum(part.stat().st_size for part in parts.iterdir()))
    needed = int(sum(archives) * _UNPACKED) + at_a_time + 2 * sum(sizes[True])
    free = fsops.free_bytes(plan.root)
    if needed > free:
        raise UnitalkError(
            f"{plan.root}: about {human_size(needed)} are needed and {human_size(free)} are free",
            hint="free some space, or ask for less: a split, a category, some videos, one part",
        )


# ------------------------------------------------------------------------------ many files


def _fetch_all(job: _Job, jobs: int, progress: Progress) -> dict[str, Exception]:
    """Fetch what is to fetch; return why which files failed."""
    files = job.plan.to_fetch
    if not files:
        return {}
    total = sum(file.remote.size for file in files)
    with progress.task("downloading", total=total, unit="B") as task:
        failures = _fetch_set(job, files, jobs, task)
        # What is wrong in bytes that are proven whole is wrong the second time too.
        again = [f for f in files if _may_pass(failures.get(f.remote.path))]
        if again:
            progress.note(f"trying {len(again)} failed files once more")
            for file in again:
                del failures[file.remote.path]
            failures |= _fetch_set(job, again, jobs, task)
    return failures


def _may_pass(error: Exception | None) -> bool:
    return error is not None and not isinstance(error, (DataError, DestinationError))


def _fetch_set(
    job: _Job, files: Sequence[PlannedFile], jobs: int, task: Task
) -> dict[str, Exception]:
    """Fetch some files, several at a time; a failure is a value.

    Raises:
        UnitalkError: what would stop every other file too; the others are stopped first.
    """
    failures: dict[str, Exception] = {}
    pool = ThreadPoolExecutor(min(jobs, len(files)), thread_name_prefix="download")
    try:
        pending = {pool.submit(_obtain, job, file, task): file for file in files}
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                file = pending.pop(future)
                try:
                    future.result()
                except (UnitalkError, OSError) as error:
                    _raise_fatal(job, error)
                    failures[file.remote.path] = error
    except BaseException:
        # An interrupt, too: threads end at their next block, partial files stay.
        job.hub.abort()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return {f.remote.path: failures[f.remote.path] for f in files if f.remote.path in failures}


def _raise_fatal(job: _Job, error: UnitalkError | OSError) -> None:
    """Raise what would stop every other file too."""
    if isinstance(error, (AccessError, StoppedError)):
        raise error
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        raise UnitalkError(
            f"{job.plan.root}: {error.strerror}",
            hint="what has arrived is kept; make room, then run the same command to continue",
        ) from error


def _failed(path: str, error: Exception) -> FailedFile:
    return FailedFile(path=path, cause=str(error), hint=getattr(error, "hint", None))


# ------------------------------------------------------------------------------ one file


def _obtain(job: _Job, file: PlannedFile, task: Task) -> None:
    """Bring one file from the hub to its final name; the steps are drawn at the top."""
    counted = 0

    def count(amount: int) -> None:
        nonlocal counted
        counted += amount
        task.advance(amount)

    try:
        job.hub.fetch(file.remote, job.plan.commit, job.partial(file), count)
        if file.part == "csv":
            _check_rows(job.partial(file), file.remote.path)
            _put_in_place(job, file, job.partial(file))
        else:
            _unpack(job, file)
            _put_in_place(job, file, job.staging(file))
            _put_away(job, file)
    except StoppedError:
        raise  # what has come stays, so it stays counted
    except Exception:
        task.advance(-counted)  # the second try counts it again
        raise


def _unpack(job: _Job, file: PlannedFile) -> None:
    staging = job.staging(file)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        fsops.unzip(job.partial(file), staging, top=file.video_id, on_member=job.hub.check_stop)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _put_in_place(job: _Job, file: PlannedFile, source: Path) -> None:
    """Give a whole file or folder its final name, and remember whose content it is.

    Raises:
        DestinationError: there is something that no run of ours put there.
    """
    final, aside = job.final(file), job.aside(file)
    final.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(final):
        # The receipt is written before the name is given, so whatever is ours has one.
        if _receipted_hash(job.plan.root, file.remote.path) is None:
            raise DestinationError(
                f"{final} is there already, and no download put it there",
                hint="move it elsewhere, then run the command again",
            )
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.rename(final, aside)
    receipt = {"size": file.remote.size, "hash": file.remote.hash}
    fsops.write_json(_receipt(job.plan.root, file.remote.path), receipt)
    os.rename(source, final)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)


def _put_away(job: _Job, file: PlannedFile) -> None:
    """Delete the archive of a part that is in place, or keep it where the reader finds it."""
    archive = job.partial(file)
    if not job.keep_archives:
        archive.unlink(missing_ok=True)
    elif archive.exists():
        kept = job.plan.root / "archives" / file.remote.path
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(archive, kept)


# ------------------------------------------------------------------------------ csv files


def _rows(path: Path) -> Iterator[bytes]:
    """The rows of a published csv, each as its bytes were, with one LF at the end.

    Left out are a byte order mark, a header, and blank lines.
    """
    header = COLUMNS[0].encode()
    may_be_header = True
    with path.open("rb") as source:
        if source.read(len(_BOM)) != _BOM:
            source.seek(0)
        for line in source:
            row = line.rstrip(b"\r\n")
            if not row.strip():
                continue
            if not (may_be_header and row.partition(b",")[0].strip() == header):
                yield row + b"\n"
            may_be_header = False


def _check_rows(path: Path, hub_path: str) -> None:
    """Look whether a csv can be merged at all; `verify` looks at what it says.

    Raises:
        DataError: it has no row, or a row has not ten cells.
    """
    number = 0
    for number, row in enumerate(_rows(path), 1):
        cells = row.count(b",") + 1
        if cells != len(COLUMNS):
            raise DataError(
                f"{hub_path}: row {number} has {cells} cells, not {len(COLUMNS)}: {row[:80]!r}",
                hint="the published file is at fault; tell the owner of the repository",
            )
    if not number:
        raise DataError(
            f"{hub_path}: there is no row in it",
            hint="the published file is at fault; tell the owner of the repository",
        )


def _merge_splits(plan: Plan) -> dict[str, int]:
    """Merge each split that has csv files; return how many videos each merged file has."""
    counts = {split: _merge(plan.root, split, plan.tree) for split in SPLITS}
    names = {split: Layout(plan.root).csv(split).relative_to(plan.root) for split in SPLITS}
    return {names[split].as_posix(): count for split, count in counts.items() if count}


def _merge(root: Path, split: Split, tree: Iterable[RemoteFile]) -> int:
    """Join the csv files that are in place to the csv file of the split; return how many.

    In the order of the published list, then the others by id. Nothing is written where the same
    files were joined before.
    """
    places = Layout(root)
    inputs: list[tuple[str, str]] = []
    listed = {file.path: file for file in tree}
    order = [video.video_id for video in catalog.select(splits=(split,))]
    others = {name for name, home in _videos_on_hub(listed.values()) if home == split}
    for video_id in (*order, *sorted(others - set(order))):
        remote = listed.get(layout.hub_path("csv", split, video_id))
        if remote is not None and _is_present(root, remote, "csv", split, video_id):
            inputs.append((video_id, remote.hash))
    if not inputs:
        return 0
    merged, record_file = places.csv(split), places.memory / f"merged-{split}.json"
    record: dict[str, Any] = {"inputs": [list(pair) for pair in inputs]}
    size = merged.stat().st_size if merged.is_file() else None
    with contextlib.suppress(UnitalkError):  # a damaged record: merge again
        if fsops.read_json(record_file) == {**record, "size": size}:
            return len(inputs)
    with fsops.atomic_write(merged, "wb") as out:
        _write_rows(out, [places.video_csv(split, video_id) for video_id, _ in inputs])
    fsops.write_json(record_file, {**record, "size": merged.stat().st_size})
    return len(inputs)


def _write_rows(out: IO[bytes], sources: Iterable[Path]) -> None:
    # Bytes, never numbers: what is "0.40" in the published file stays so, as face files are
    # named by this text.
    out.write(",".join(COLUMNS).encode() + b"\n")
    for source in sources:
        out.writelines(_rows(source))
