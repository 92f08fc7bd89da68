"""Join the published csv files of a split, byte for byte."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Any

from unitalk import layout
from unitalk.catalog import video_list
from unitalk.dataset.download import receipts, video_selection
from unitalk.dataset.download.set_aside import BEFORE, set_aside
from unitalk.errors import DataError
from unitalk.files import atomic_write, read_json, write_json
from unitalk.layout import PUBLISHED_SPLITS, Layout, Split
from unitalk.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from unitalk.dataset.download.planning import Plan

_BOM = b"\xef\xbb\xbf"


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


def check_rows(path: Path, hub_path: str) -> None:
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


def merge_splits(plan: Plan) -> dict[str, int]:
    """Merge each split that has csv files; return how many videos each merged file has."""
    counts = {split: _merge(plan, split) for split in PUBLISHED_SPLITS}
    names = {
        split: Layout(plan.root).csv(split).relative_to(plan.root) for split in PUBLISHED_SPLITS
    }
    return {names[split].as_posix(): count for split, count in counts.items() if count}


def _merge(plan: Plan, split: Split) -> int:
    """Join the csv files that are in place to the csv file of the split; return how many.

    In the order of the published list, then the others by id. Nothing is written where the same
    files were joined before.
    """
    root, places = plan.root, Layout(plan.root)
    inputs = _inputs(plan, split)
    merged, record_file = places.csv(split), places.memory / f"merged-{split}.json"
    if not inputs:
        if record_file.exists():  # an update has taken them all away
            merged.unlink(missing_ok=True)
            record_file.unlink()
        return 0
    record: dict[str, Any] = {"inputs": [list(pair) for pair in inputs]}
    size = merged.stat().st_size if merged.is_file() else None
    with contextlib.suppress(DataError):  # a damaged record: merge again
        if read_json(record_file) == {**record, "size": size}:
            return len(inputs)
    if plan.adopting and size is not None and not record_file.exists():
        set_aside(root, merged, BEFORE)
    with atomic_write(merged, "wb") as out:
        _write_rows(out, [places.video_csv(split, video_id) for video_id, _ in inputs])
    write_json(record_file, {**record, "size": merged.stat().st_size})
    return len(inputs)


def _inputs(plan: Plan, split: Split) -> list[tuple[str, str]]:
    """The videos of a split whose csv is in place, and the hash of each."""
    listed = {file.path: file for file in plan.tree}
    order = [video.video_id for video in video_list.select(splits=(split,))]
    others = {name for name, home in video_selection.videos_on_hub(plan.tree) if home == split}
    inputs = []
    for video_id in (*order, *sorted(others - set(order))):
        remote = listed.get(layout.hub_path("csv", split, video_id))
        if remote is None:
            continue
        state = receipts.state_of(plan.root, remote, "csv", split, video_id, archives_only=False)
        if state == "present":
            inputs.append((video_id, remote.hash))
    return inputs


def _write_rows(out: IO[bytes], sources: Iterable[Path]) -> None:
    # Bytes, never numbers: what is "0.40" in the published file stays so, as face files are
    # named by this text.
    out.write(",".join(COLUMNS).encode() + b"\n")
    for source in sources:
        out.writelines(_rows(source))
