"""Keep what every verb and the Python API give on known data, to compare two states of the code.

    python benchmarks/behaviour.py record OUT.json [--data DATA] [--sample SAMPLE]
    python benchmarks/behaviour.py compare OLD.json NEW.json

The first runs the `unitalk` of the interpreter that it is run by, on the synthetic sample and on
the data in DATA or $UNITALK_TEST_DATA: it keeps exit codes, whether stderr is empty, the numbers
of stdout, and hashes of the files written. With SAMPLE, what `unitalk sample` once wrote, all
steps but `sample` and `quickstart` run on a copy of it, so that what depends on the bytes of face
crops can be compared too. The second prints all that differs, and exits with 1 if anything does
that is not allowed to: the words of texts, what depends on crops, quantiles, causes.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import http.server
import importlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import unitalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Rows = list[dict[str, str]]
Values = dict[str, Any]

ALLOWED = ("words", "crop", "quantile", "cause")  # the groups that may differ
TRUTH, GUESS, ASW_TRUTH = "demo/csv/val_orig.csv", "demo/predictions.csv", "asw/csv/val_orig.csv"
LIGHT = "light-asd/pretrain_AVA_CVPR.model"
BOX = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
HEAD = ("video_id", "frame_timestamp", *BOX, "label", "entity_id")
SHOWN = 10  # differences of a kind
PROSE = 4  # a string of so many words is prose

_SIZE = re.compile(r"(?<![\w.])[\d,.]+ (?:[kMGT]?B|bytes)\b")
_NUMBER = re.compile(
    r"(?<![\w.,])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)"
)
_OF_CROPS = re.compile(
    r"\.(jpg|zip|tar|parquet)$|manifest|adoption|\.unitalk/(tree|receipts|parts|shards)"
    r"|(webdataset|parquet|hf|tar)/\.unitalk/"
)
_OWN_GROUPS = {
    "crop": re.compile(r"(?:^|\.)(?:size|hash|sha256|bytes\w*|crop\w*bytes\w*)(?:$|\W)"),
    "quantile": re.compile(r"\.(?:least|most|lower|upper|median|min|max|[pq]\d+)$|quantile"),
    "cause": re.compile(r"^findings\[\d+\]\.(?:what|examples|advice|code)"),
}
_GROUP_OF = {"stats": "quantile", "statistics": "quantile", "diagnose": "cause"}
_RUN_SPECIFIC = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<server>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (
        re.compile(r"(unitalk(?:[:/ ]|, version |_version\": \"))\d+\.\d+\.\d+[\w.+]*"),
        r"\1<version>",
    ),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<commit>"),
)


class Record:
    """Runs steps in a folder and keeps what they give: of each step, a flat dict of values.

    What stands before a key's first colon is its group; those in ALLOWED may differ.
    """

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.data = data
        self.steps: dict[str, Values] = {}
        self.verbs: set[str] = set()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("UNITALK_", "HF_"))}
        own = {"UNITALK_WEIGHTS": str(root / "weights"), "HF_HOME": str(root / "hf_home")}
        usual = {"NO_PROXY": "127.0.0.1", "COLUMNS": "100", "OMP_NUM_THREADS": "2"}
        self.environment = kept | own | usual

    def play(self, steps: str, *, sample: bool = True, **names: object) -> None:
        """Run steps, a line each: `name = command -> what it writes`."""
        for line in steps.strip().replace("\n    ", " ").splitlines():
            name, _, rest = line.format(**names).partition(" = ")
            command, _, writes = rest.replace("+json", "--format json").partition(" -> ")
            self.run(name, command, writes=writes, sample=sample)

    def run(
        self, name: str, command: str, *, writes: str = "", sample: bool = True, stdin: str = ""
    ) -> str:
        """Run a verb and keep what comes of it; returns stdout.

        Args:
            name: of the step.
            command: what follows `unitalk`.
            writes: the files and folders that it writes.
            sample: what comes of it may depend on the bytes of the sample's crops.
            stdin: what the verb reads.
        """
        words = command.split()
        self.verbs |= {" ".join(words[:1]), " ".join(words[:2])}
        done = subprocess.run(
            [sys.executable, "-m", "unitalk", "-q", *words], cwd=self.root, env=self.environment,
            input=stdin, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        values = {"code": done.returncode, "stderr": bool(done.stderr.strip())}
        group = _GROUP_OF.get(words[0], "")
        if done.stdout.startswith("{"):
            values |= self.flat(json.loads(done.stdout), group=group, sample=sample)
        else:
            text = re.sub(r"[,\"]", " ", done.stdout) if "--format csv" in command else done.stdout
            values |= self.numbers(text, f"{group or 'text'}:stdout", sample=sample)
        for path in writes.split():
            values |= self.files(self.root / path, sample=sample)
        self.keep(name, values | {"words:stderr": self.plain(done.stderr)})
        return done.stdout

    def call(self, name: str, function: Callable[[], Any], *, sample: bool) -> None:
        """Call a part of the Python API and keep what it returns, or how it fails."""
        group = _GROUP_OF.get(name, "")
        try:
            result = function()
            told = result.to_dict() if hasattr(result, "to_dict") else result
            values = self.flat(told, group=group, sample=sample)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the behaviour
            code = getattr(error, "exit_code", None)
            values = {
                "error": type(error).__name__,
                "code": code,
                "words:error": self.plain(str(error)),
            }
        self.keep(f"api {name}", values)

    def keep(self, name: str, values: Values) -> None:
        """Keep values of a step."""
        self.steps.setdefault(name, {}).update(values)

    def plain(self, text: str) -> str:
        """Take out of a text what differs from run to run."""
        for path, word in ((self.root, "<root>"), (self.data, "<data>")):
            text = text.replace(str(path), word)
        for pattern, word in _RUN_SPECIFIC:
            text = pattern.sub(word, text)
        return text

    def numbers(self, text: str, key: str, *, sample: bool) -> Values:
        """Give the numbers of a text in order; apart from them sizes in bytes, and the words."""
        text = self.plain(text)
        name = key.partition(":")[2]
        found = [float(n.replace(",", "")) for n in _NUMBER.findall(_SIZE.sub(" ", text))]
        sizes = {f"{'crop' if sample else 'text'}:{name} sizes": _SIZE.findall(text)}
        return {key: found, f"words:{name}": text} | (sizes if _SIZE.search(text) else {})

    def flat(self, value: object, path: str = "", *, group: str = "", sample: bool) -> Values:
        """Give the leaves of a result by their paths; of prose the numbers, and apart the words."""
        parts: dict[str, object] = {}
        if isinstance(value, dict):
            parts = {f"{path}.{self.plain(str(key))}".strip("."): one for key, one in value.items()}
        elif isinstance(value, (list, tuple)):
            parts = {f"{path}[{number}]": one for number, one in enumerate(value)}
        if parts:
            leaves = (self.flat(v, k, group=group, sample=sample) for k, v in parts.items())
            return {key: leaf for some in leaves for key, leaf in some.items()}
        own = [name for name in (group, "crop" * sample) if name and _OWN_GROUPS[name].search(path)]
        key = f"{[*own, 'json'][0]}:{path}"
        if isinstance(value, str) and not own and len(value.split()) >= PROSE:
            return self.numbers(value, key, sample=sample)
        return {key: self.plain(value) if isinstance(value, str) else value}

    def files(self, place: Path, *, sample: bool) -> Values:
        """Give a hash of each file at a place; of archives and pages, of what they hold."""
        every = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
        values: Values = {}
        for path in every:
            name = self.plain(path.relative_to(self.root).as_posix())
            of_crops = sample and _OF_CROPS.search(name)
            for part, content in self.contents(path) if path.is_file() else [("", b"absent")]:
                group = "words" if part == "!words" else "file"
                group = "crop" if of_crops and part != "!rows" else group
                values[f"{group}:{name}{part}"] = hashlib.sha256(content).hexdigest()[:16]
        return values

    def contents(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """Give what is hashed of a file, by the name of the part: what is the same in any run."""
        suffix = path.suffix
        if suffix == ".parquet":
            table = importlib.import_module("pyarrow.parquet").read_table(path)
            columns = {name: table[name].to_pylist() for name in table.column_names}
            yield "!images", repr(columns.pop("images", None)).encode()
            yield "!rows", repr((str(table.schema.remove_metadata()), columns)).encode()
        elif suffix in {".pt", ".model"} and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                arrays = [name for name in sorted(archive.namelist()) if "/data/" in name]
                yield "", repr([archive.read(name) for name in arrays]).encode()
        elif suffix == ".html":
            text = self.plain(path.read_text())
            cells = re.findall(r"<t[dh][^>]*>([^<]*)<", text)
            yield "", repr([_NUMBER.findall(cell) for cell in cells]).encode()
            yield "!words", text.encode()
        elif suffix in {".json", ".jsonl", ".txt"}:
            yield "", self.plain(path.read_text()).encode()
        else:
            yield "", path.read_bytes()
        if suffix == ".tar":
            with tarfile.open(path) as tar:
                rows = [(m.name, tar.extractfile(m).read()) for m in tar if m.name[-4:] != ".jpg"]
                yield "!rows", repr([tar.getnames(), rows]).encode()


# ------------------------------------------------------------------------------ what steps read


def read(path: Path) -> Rows:
    """The rows of a csv with a header."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: Rows, head: Iterable[str] = (), *, header: bool = True) -> None:
    """Write rows, all columns or those of `head`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(
            file, list(head) or list(rows[0]), extrasaction="ignore", lineterminator="\n"
        )
        if header:
            out.writeheader()
        out.writerows(rows)


def by(rows: Rows, column: str) -> dict[str, Rows]:
    """The rows of each value of a column, in the order in which values first come."""
    groups: dict[str, Rows] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def changed(rows: Rows, column: str, change: Callable[[str], object]) -> Rows:
    """The rows with another text in a column."""
    return [row | {column: str(change(row[column]))} for row in rows]


def scored(rows: Rows, scores: Iterable[str]) -> Rows:
    """The rows with other scores."""
    return [row | {"score": score} for row, score in zip(rows, scores, strict=True)]


def damaged(rows: Rows) -> dict[str, Rows]:
    """Predictions that are wrong in the ways of the field."""
    tracks = by(rows, "entity_id")
    scores = [row["score"] for row in rows]
    first = next(iter(tracks))
    second = next(iter(by(rows, "video_id")))
    sorted_ids = [row["score"] for track in sorted(tracks) for row in tracks[track]]
    late = [r["score"] for t in tracks.values() for r in (t[0], *t[:-1])]
    together = [row for track in tracks.values() for row in track]
    noise = random.Random(1)
    pixels = rows
    for number, edge in enumerate(BOX):
        pixels = changed(pixels, edge, lambda x, by=(1280, 720)[number % 2]: round(float(x) * by))
    return {
        "right": rows,
        "wrong_ids": [r | {"entity_id": r["entity_id"].replace(":", "_")} for r in rows],
        "some_ids": [
            r | {"entity_id": r["entity_id"].replace(":", "-")} if r["video_id"] == second else r
            for r in rows
        ],
        "frames": changed(rows, "frame_timestamp", lambda t: round(float(t) * 25)),
        "shifted": changed(rows, "frame_timestamp", lambda t: round(float(t) + 0.04, 2)),
        "milliseconds": changed(rows, "frame_timestamp", lambda t: round(float(t) * 1000)),
        "coarse": changed(rows, "frame_timestamp", lambda t: round(float(t), 1)),
        "missing": [row for row in rows if row["entity_id"] != first],
        "twice": [*rows, *changed(tracks[first], "score", lambda s: round(1 - float(s), 6))],
        "pixels": pixels,
        "constant": changed(rows, "score", lambda _: 0.5),
        "inverted": changed(rows, "score", lambda s: -float(s)),
        "rounded": changed(rows, "score", lambda s: round(float(s), 1)),
        "misordered": scored(together, sorted_ids),
        "late": scored(together, late),
        "shuffled": scored(rows, noise.sample(scores, len(scores))),
        "mixed_labels": [
            row | {"label": "NOT_SPEAKING"} if number % 3 else row
            for number, row in enumerate(rows)
        ],
        "not_finite": [*scored(rows[:1], ["nan"]), *rows[1:]],
    }


def film(video: str, box: tuple[float, ...], rate: float, frames: int, track: int = 0) -> Rows:
    """Rows of a face that stays in its place and speaks from 0.49 s to 2.21 s."""
    rows = []
    for time_ in (round(number / rate, 3) for number in range(1, frames)):
        label = "SPEAKING_AUDIBLE" if 0.49 <= time_ <= 2.21 else "NOT_SPEAKING"
        texts = (video, time_, *box, label, f"{video}:{track}")
        rows.append(dict(zip(HEAD, map(str, texts), strict=True)))
    return rows


def publish(dataset: Path, folder: Path) -> None:
    """Write a dataset as the hub keeps it: of each video a csv and two archives."""
    for split in ("train", "val"):
        for video, rows in by(read(dataset / f"csv/{split}_orig.csv"), "video_id").items():
            write(folder / f"csv/{split}/{video}.csv", rows, header=False)
            for part in ("clips_audios", "clips_videos"):
                source, target = dataset / part / split / video, folder / part / split
                target.mkdir(parents=True, exist_ok=True)
                with zipfile.ZipFile(target / f"{video}.zip", "w") as archive:
                    for path in sorted(p for p in source.rglob("*") if p.is_file()):
                        name = f"{video}/{path.relative_to(source).as_posix()}"
                        archive.writestr(zipfile.ZipInfo(name), path.read_bytes())


class Server(http.server.SimpleHTTPRequestHandler):
    """Gives the files of a folder."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


# ------------------------------------------------------------------------------ the steps

# A step a line: its name, the command, and after `->` what it writes; `+json` is --format json.

ALONE = """
version = --version
sample = sample demo -> demo
sample seed = sample seeded --seed 7 +json -> seeded/csv seeded/predictions.csv
quickstart = quickstart quick +json -> quick/dataset quick/noise quick/asc
videos = videos +json
videos noise = videos --category noise --ids
"""
DATASET = """
stats train = stats demo --split train --by video +json
stats val = stats demo --split val +json
stats text = stats demo
stats csv only = stats demo/csv/val_orig.csv --csv-only +json
verify = verify demo +json
verify deep = verify demo --deep --jobs 2 --split train
trim = trim --path demo --new-path noise --list noise +json -> noise
trim copies = trim --path demo --new-path visual --list visual --link copy -> visual
convert-asc = convert-asc --source demo --split val --destination asc +json -> asc
convert-asc text = convert-asc --source demo --split val --destination asc --overwrite
convert-asc taken = convert-asc --source demo --split val --destination asc
convert-talknet = convert-talknet demo --split val --destination talknet +json -> talknet
convert-talknet in place = convert-talknet visual -> visual/csv
convert-loconet = convert-loconet demo --split val --destination loconet +json -> loconet
convert-loconet in place = convert-loconet noise -> noise/csv
verify asc = verify asc --layout asc +json
verify talknet = verify talknet --layout talknet +json
export webdataset = export webdataset demo {shards} webdataset +json -> webdataset
export webdataset again = export webdataset demo {shards} webdataset
export parquet = export parquet demo {shards} parquet +json -> parquet
export parquet small = export parquet noise {shards} small --shard-size 200kB
export hf = export hf demo {shards} hf +json -> hf
"""
BROKEN = """
verify broken = verify broken --deep --jobs 1 +json --ids ids.txt -> ids.txt
verify broken text = verify broken
convert broken = convert-asc --source broken --destination broken_asc +json -> broken_asc
export broken = export parquet broken {shards} broken_shards +json
"""
HUB = """
download dry run = download --save-path got --category noise {at} --dry-run +json
download = download --save-path got --category noise {at} +json -> got
download again = download --save-path got --category noise {at}
download packed = download --save-path packed {at} --split train --no-unpack +json -> packed
unpack = unpack packed --destination scratch +json -> scratch
download incomplete = download --save-path rows {at} --video kzr8J4AFkBI
    --video -maoolmiKi0 --only csv +json -> rows/csv
"""
ADOPT = """
download not ours = download --save-path got --category noise {at}
download adopt = download --save-path got --category noise {at} --adopt +json -> got
download refused = download --save-path nothing --endpoint http://127.0.0.1:9
"""
ASW = """
import asw = import asw asw_raw/json asw_raw/split --jobs 1
    --destination asw +json -> asw
import asw 25 = import asw asw_raw/json few --rate 25 --jobs 1
    --destination asw25 -> asw25
stats asw = stats asw --csv-only --by video +json
stats asw text = stats asw --csv-only
verify asw = verify asw --split val +json
verify asw text = verify asw --split val
"""
IMPORT = """
import ava = import ava ava --jobs 1 --destination ava_made +json -> ava_made
import wasd = import wasd wasd --division division.txt --jobs 1
    --destination wasd_made +json -> wasd_made
import wasd taken = import wasd wasd --division division.txt --destination wasd_made
import columbia = import columbia fusion --jobs 1 --destination columbia +json -> columbia
import columbia damaged = import columbia none --jobs 1 --destination columbia_damaged
"""
EVAL = """
eval = {demo}
eval by category = {demo} --by category --ci +json
eval by faces = {demo} --by faces --ci +json
eval by face-size = {demo} --by face-size --dataset demo --face-size area +json
eval by track-length = {demo} --by track-length --ci 12 --seed 5 +json
eval by crowded = {demo} --by crowded +json
eval by video = {demo} --by video +json
eval by all = {demo} --by all --frame-size 1280x720 --ci +json
eval crossed = {demo} --by crowded --by faces --ci 7 --seed 3
eval two text = {two} --by category --ci
eval two json = {two} --by category --ci +json
eval two csv = {two} --by category --ci --format csv
eval two markdown = {two} --by category --ci --format markdown
eval two latex = {two} --by category --ci --format latex
eval tracks = {two} --ci 30 --ci-unit track +json
eval metrics = {demo} --metrics --threshold 0.4 +json
eval leaderboard = {demo} --by category --leaderboard +json
eval leaderboard text = {two} --metrics --leaderboard
eval report = {two} --by category --ci --report page.html -o score.json +json
    -> page.html score.json
eval plot = {two} --plot curve.svg
eval asw = {asw} +json
eval asw by faces = {asw} --by faces --ci +json
eval asw by video = {asw} --by video --ci
eval asw two = {asw} -p other=asw_other.csv --by crowded --ci 100 --metrics +json
eval asw two text = {asw} -p other=asw_other.csv --ci
eval partial = eval -g {truth} -p bad/sample-some_ids.csv --partial --by category +json
eval partial text = eval -g {truth} -p bad/sample-missing.csv --partial
"""
FILMS = """
ava prepare = ava prepare film_ava --video-dir movies --destination cut --jobs 1 +json -> cut
ava prepare again = ava prepare film_ava --video-dir movies --destination cut --jobs 1
crops = crop film.csv --split val --video-dir movies --jobs 1 --destination crops +json -> crops
crops wide = crop film.csv --split val --video-dir movies --jobs 1 --destination wide
    --margin 0.2 --compat --drop-missing -> wide
verify cut = verify cut --deep --jobs 1 +json
stats cut = stats cut +json
weights register = weights download light-asd-ava --from-file {light} +json
weights list = weights list +json
weights show = weights show light-asd-ava --check
weights show json = weights show talknet-ava +json
weights unknown = weights show nothing
talknet predict = predict cut --weights {light} --device cpu --logits
    -o logits.csv +json -> logits.csv
talknet evaluate = predict cut --weights light-asd-ava --device cpu -o found.csv -> found.csv
talknet train = train cut {little} --destination run --model light-asd +json -> run
talknet resume = train cut {little} --destination run --model light-asd --resume
ava download dry run = {ava} --list trainval_list.txt --dry-run +json
ava download = {ava} --list trainval_list.txt +json -> ava_got
ava download again = {ava} --list trainval_list.txt
ava download lost = {ava} --list trainval_more.txt +json
ava download refused = ava download --destination no --base-url http://127.0.0.1:9
"""
WRONG = """
wrong verb = sing
wrong option = {demo} --loud
wrong no verb = -v
wrong no argument = eval -g {truth}
wrong choice = trim --path demo --new-path t0 --list noise --link soft
wrong range = sample s0 --seed -1
wrong prediction = eval -g {truth} -p nothing.csv
wrong no size = {demo} --by face-size
wrong same name = {demo} -p demo/predictions.csv
wrong categories = {demo} --by category --categories ids_wanted.txt
wrong taken = trim --path demo --new-path asc --list noise
wrong inside = trim --path demo --new-path demo/below --list noise
wrong list = trim --path demo --new-path t1 --list ids_wanted.txt
wrong list partial = trim --path demo --new-path t2 --list ids_wanted.txt --partial +json
wrong category = trim --path demo --new-path t3 --list sport
wrong no dataset = verify bad
wrong no folder = stats nowhere
wrong split = verify demo --split test
wrong over input = stats {truth} -o {truth}
wrong output folder = videos -o nowhere/videos.json
wrong not packed = unpack demo
wrong shard size = export hf demo --destination h0 --shard-size large
wrong asw = import asw asw_raw/json demo --destination a0
wrong wasd = import wasd wasd --division ids_wanted.txt --destination w0
wrong weights = predict demo --weights {truth} -o p0.csv
wrong sample = sample asc
wrong label = eval -g bad/label.csv -p {guess}
wrong time = eval -g bad/time.csv -p {guess}
wrong no positive = eval -g bad/silent.csv -p {guess} +json
wrong twice = eval -g bad/twice.csv -p {guess}
wrong cut = eval -g bad/cut.csv -p {guess}
wrong empty = eval -g bad/empty.csv -p {guess}
wrong bytes = eval -g bad/bytes.csv -p {guess}
wrong absent = eval -g bad/absent.csv -p {guess}
wrong groundtruth = diagnose -g bad/label.csv -p {guess} +json
"""


def help_steps(r: Record) -> None:
    """Keep the options of every verb, and the names of the Python API."""
    verbs = [""]
    for verb in verbs:
        name = f"help {verb}".strip()
        text = r.run(name, f"{verb} --help").replace("Verbs:", "Commands:")
        options, _, commands = text.partition("\nOptions:")[2].partition("\nCommands:")
        below = re.findall(r"^  ([a-z-]+)  ", commands, re.MULTILINE)
        verbs += [f"{verb} {one}".strip() for one in below]
        r.steps[name].pop("text:stdout", None)  # numbers among words
        found = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", options)
        r.keep(name, {"options": sorted(set(found))})
    r.verbs = set()
    r.keep("help", {"verbs": verbs[1:]})
    for name in unitalk.__all__:
        r.keep("api names", {name: type(getattr(unitalk, name)).__name__})


def dataset_steps(r: Record) -> None:
    """Run what reads the sample as a dataset, and damage a part of it."""
    shards = "--split val --jobs 1 --destination"
    r.play(DATASET, shards=shards)
    shutil.copytree(r.root / "visual", r.root / "broken")
    crops = sorted((r.root / "broken/clips_videos").rglob("*.jpg"))
    sounds = sorted((r.root / "broken").rglob("*.wav"))
    crops[3].unlink()
    crops[5].write_bytes(b"")
    crops[7].write_bytes(crops[7].read_bytes()[:300])
    crops[9].rename(crops[9].with_name("99.99.jpg"))
    sounds[0].write_bytes(sounds[0].read_bytes()[:9000])
    sounds[1].unlink()
    (r.root / "broken/csv/.DS_Store").write_bytes(b"\0")
    r.play(BROKEN, shards=shards)


def hub_steps(r: Record) -> None:
    """Download and unpack, from a hub on this machine."""
    try:
        loopback = importlib.import_module("unitalk.net.loopback")
    except ImportError:
        loopback = importlib.import_module("unitalk.loopback")
    publish(r.root / "demo", r.root / "published")
    with loopback.LoopbackHub(r.root / "published") as hub:
        r.play(HUB, at=f"--endpoint {hub.endpoint}")
        shutil.rmtree(r.root / "got/.unitalk")
        min((r.root / "got").rglob("*.wav")).unlink()
        r.play(ADOPT, at=f"--endpoint {hub.endpoint}")


def import_steps(r: Record) -> None:
    """Import ASW's annotations, and the sample's rows in the form of other datasets."""
    with tarfile.open(r.data / "asw/asw-dev-val.tar.xz") as tar:
        tar.extractall(r.root / "asw_raw", filter="data")
    (r.root / "few").mkdir()
    for path in (r.root / "asw_raw/split").glob("*.list"):
        (r.root / "few" / path.name).write_text("".join(path.open().readlines()[:3]))
    r.play(ASW, sample=False)
    rows = read(r.root / "demo/csv/val_orig.csv")
    videos = by(rows, "video_id")
    for video, faces in videos.items():
        path = f"ava/ava_activespeaker_val_v1.0/{video}-activespeaker.csv"
        write(r.root / path, faces, HEAD, header=False)
    cut = changed(rows, "video_id", lambda text: f"{text}_0-60")
    for column in ("entity_id", "instance_id"):
        cut = changed(cut, column, lambda text: text.replace(":", "_0-60:", 1))
    write(r.root / "wasd/csv/val_orig.csv", cut)
    names = ("Interview", "Debate", "Podcast", "React", "Police")
    parts = ("\n".join([f"# {name}", *list(videos)[n::5]]) for n, name in enumerate(names))
    (r.root / "division.txt").write_text("\n".join(parts))
    for folder, name, x in (("fusion", "bell", 100), ("fusion", "abbas", 400), ("none", "x", -90)):
        lines = (f"{n}\t{x + n % 7}\t50\t60\t{int(n % 40 > 15)}\n" for n in range(1, 300))
        (r.root / folder).mkdir(exist_ok=True)
        (r.root / folder / f"{name}.txt").write_text("".join(lines))
    r.play(IMPORT)


def eval_steps(r: Record) -> None:
    """Score and diagnose good predictions and damaged ones, on the sample and on ASW."""
    rows, chance, level, scores = read(r.root / "asw/csv/val_orig.csv"), random.Random(0), 0.0, []
    for row in rows:
        level = 0.8 * level + chance.gauss(0, 0.6)
        scores.append(f"{2 * (row['label_id'] == '1') - 1 + level + chance.gauss(0, 0.5):.6f}")
    guesses = changed(scored(rows, scores), "label", lambda _: "SPEAKING_AUDIBLE")
    write(r.root / "asw_guess.csv", guesses, [*HEAD, "score"])
    others = scored(rows, [f"{float(score) + chance.gauss(0, 0.7):.3f}" for score in scores])
    write(r.root / "asw_other.csv", others[::-1], ["entity_id", "frame_timestamp", "score"])
    for place, truth, guess in (("sample", TRUTH, GUESS), ("asw", ASW_TRUTH, "asw_guess.csv")):
        for name, rows in damaged(read(r.root / guess)).items():
            if place == "asw" and name not in {"some_ids", "misordered", "right"}:
                continue
            given = f"-g {truth} -p bad/{place}-{name}.csv"
            write(r.root / f"bad/{place}-{name}.csv", rows)
            r.run(f"diagnose {place} {name}", f"diagnose {given} --format json")
            if place == "sample":
                r.run(f"eval {place} {name}", f"eval {given} --format json")
            if name in {"some_ids", "misordered"}:
                r.run(f"diagnose {place} {name} text", f"diagnose {given}")
    demo, asw = f"eval -g {TRUTH} -p {GUESS}", f"eval -g {ASW_TRUTH} -p asw_guess.csv"
    r.play(EVAL, demo=demo, two=f"{demo} -p base=demo/baseline.csv", asw=asw, truth=TRUTH)
    stdin = (r.root / "demo/baseline.csv").read_text()
    r.run("eval stdin", f"eval -g {TRUTH} -p - --format json", stdin=stdin)


def film_steps(r: Record) -> None:
    """Cut crops and sounds of real films, run networks on them, and fetch films from a server."""
    bucket = r.root / "bucket/trainval"
    for folder in (r.root / "movies", bucket):
        folder.mkdir(parents=True)
    for name in ("grid/bbaf2n.mpg", "grid/swwp2s.mpg", "films/obama.mp4"):
        (r.root / "movies" / Path(name).name).symlink_to(r.data / name)
        made = Path(shutil.copy(r.data / name, bucket))
        os.utime(made, (1e9, 1e9))
    face = (118 / 360, 75 / 288, 246 / 360, 262 / 288)
    for split, rows in (
        ("train", film("bbaf2n", face, 25, 45)),
        ("val", film("swwp2s", face, 25, 70)),
    ):
        write(r.root / f"film_ava/ava_{split}_v1.0/x.csv", rows, header=False)
    rows = film("obama", (0.6, 0.2, 0.75, 0.5), 11.94, 60) + film("swwp2s", face, 25, 20)
    write(r.root / "film.csv", rows + film("nowhere", face, 25, 4))
    (r.root / "trainval_list.txt").write_text("swwp2s.mpg\nbbaf2n.mpg\n")
    (r.root / "trainval_more.txt").write_text("swwp2s.mpg\nlost.mkv\n")
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: Server(*given, directory=str(r.root / "bucket"))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ava = f"ava download --destination ava_got --base-url http://127.0.0.1:{server.server_port}"
        little = "--epochs 1 --batch-frames 50 --workers 0 --device cpu"
        r.play(FILMS, sample=False, ava=ava, little=little, light=r.data / LIGHT)
        server.shutdown()


def wrong_steps(r: Record) -> None:
    """Run wrong usage and bad input."""
    rows = read(r.root / TRUTH)
    for name, bad in (
        ("label", changed(rows[:9], "label", lambda _: "SINGING")),
        ("time", changed(rows[:9], "frame_timestamp", lambda _: "soon")),
        ("silent", [row | {"label": "NOT_SPEAKING", "label_id": "0"} for row in rows]),
        ("twice", [*rows, *rows[:3]]),
    ):
        write(r.root / f"bad/{name}.csv", bad)
    (r.root / "bad/cut.csv").write_text((r.root / TRUTH).read_text()[:5000])
    (r.root / "bad/empty.csv").write_text("")
    (r.root / "bad/bytes.csv").write_bytes(bytes(range(256)))
    (r.root / "ids_wanted.txt").write_text("EEey6Pt0rqI\nAAAAAAAAAAA\n")
    r.play(WRONG, demo=f"eval -g {TRUTH} -p {GUESS}", truth=TRUTH, guess=GUESS)


def frame_of(result: Any) -> Any:  # noqa: ANN401 - of either state of the code
    """The groups of a result as a frame, which was a method before it was a function."""
    return unitalk.to_frame(result) if hasattr(unitalk, "to_frame") else result.to_frame()


def api_steps(r: Record) -> None:
    """Call the Python API, in this process."""
    os.chdir(r.root)
    u, demo = unitalk, Path("demo")
    options = u.EvaluateOptions(metrics=True, frame_size=(1280, 720))
    both = {"base": "demo/baseline.csv", "mine": GUESS}
    truth, guess = u.read_groundtruth(TRUTH), u.read_predictions(GUESS)
    whole = u.evaluate(truth, guess, by="category", ci=True)
    calls: dict[str, Callable[[], Any]] = {
        "evaluate": lambda: u.evaluate(TRUTH, GUESS, by="all", ci=True, options=options),
        "evaluate frames": lambda: u.evaluate(truth, guess, by=["faces", "crowded"]),
        "to_frame": lambda: frame_of(whole).to_csv().splitlines(),
        "compare": lambda: u.compare(TRUTH, both, by="category", ci=True),
        "evaluate refused": lambda: u.evaluate(TRUTH, "bad/sample-wrong_ids.csv"),
        "reference_score": lambda: u.reference_score(TRUTH, "bad/sample-rounded.csv"),
        "parse_signature": lambda: repr(u.parse_signature(whole.signature)),
        "read_groundtruth": lambda: [*map(str, truth.dtypes), *truth[::50].to_csv().splitlines()],
        "read_predictions": lambda: [*map(str, guess.dtypes), *guess[::50].to_csv().splitlines()],
        "statistics": lambda: u.statistics(demo, splits=("val",)),
        "verify_dataset": lambda: u.verify_dataset(Path("broken"), deep=True, jobs=1),
        "diagnose": lambda: u.diagnose(TRUTH, "bad/sample-misordered.csv"),
        "trim_dataset": lambda: u.trim_dataset(demo, Path("api/trim"), videos=["EEey6Pt0rqI"]),
        "convert_asc": lambda: u.convert_asc(Path("noise"), Path("api/asc")),
        "convert_talknet": lambda: u.convert_talknet(Path("noise"), Path("api/talknet")),
        "convert_loconet": lambda: u.convert_loconet(Path("noise"), Path("api/loconet")),
        "export_tracks": lambda: u.export_tracks(Path("noise"), Path("api/tar"), form="webdataset"),
        "videos": lambda: list(map(dataclasses.asdict, u.videos())),
        "published": lambda: list(map(dataclasses.asdict, u.published())),
        "checkpoints": lambda: list(map(dataclasses.asdict, u.checkpoints())),
        "tracks": lambda: list(map(told, u.tracks(demo, split="val", videos="noise"))),
        "tracks films": lambda: list(map(told, u.tracks("cut"))),
        "tracks archives": lambda: list(map(told, u.tracks("packed", source="archives")[:3])),
        "tracks broken": lambda: list(map(told, u.tracks("broken"))),
        "tracks unknown": lambda: u.tracks(demo, split="none"),
    }
    for name, function in calls.items():
        r.call(name, function, sample=name != "tracks films")
    r.keep("api files", r.files(r.root / "api", sample=True))


def told(track: Any) -> dict[str, object]:  # noqa: ANN401 - whatever the package gives
    """Tell a track in numbers: shapes, times, labels, and sums of its pictures and its sound."""
    sound, gray = track["audio"]["array"].astype("int64"), track.gray(112)
    return {
        "id": track["entity_id"],
        "times": list(map(float, track["frame_timestamp"])),
        "labels": list(map(int, track["label_id"])),
        "boxes": list(map(float, track.boxes.sum(0))),
        "samples": [len(sound), int(sound.sum()), int((sound * sound).sum())],
        "rate": track["audio"]["sampling_rate"],
        "images": [list(image.shape) for image in track["images"]],
        "gray": list(gray.shape),
        "crop_bytes": [int(gray.sum()), sum(map(len, track.jpgs()))],
    }


# ------------------------------------------------------------------------------ the two commands


def record(out: Path, data: Path, sample: Path | None) -> None:
    """Run all steps and write what they gave."""
    began = time.monotonic()
    letters = "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz", k=12))
    root = Path(tempfile.gettempdir()).resolve() / f"behaviour-{letters}"
    root.mkdir(mode=0o700)
    try:
        r = Record(root, data.resolve())
        help_steps(r)
        r.play(ALONE)
        if sample is not None:
            shutil.rmtree(root / "demo")
            shutil.copytree(sample, root / "demo")
        for steps in (dataset_steps, hub_steps, import_steps, eval_steps, film_steps, wrong_steps):
            steps(r)
            print(f"{steps.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        api_steps(r)
        groups = {" ".join(verb.split()[:-1]) for verb in r.steps["help"]["verbs"]}
        lacking = set(r.steps["help"]["verbs"]) - groups - r.verbs
        r.keep("help", {"lacking": sorted(lacking)})
    finally:
        os.chdir(out.parent)
        shutil.rmtree(root)
    out.write_text(json.dumps(r.steps, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(r.steps)} steps, {sum(map(len, r.steps.values())):,} values")
    spent = f"{time.monotonic() - began:.0f} s, {sum(os.times()[:4]):.0f} s of processors"
    print(f"{spent}; verbs that no step runs: {', '.join(sorted(lacking)) or 'none'}")


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Give the step, the key and the two values of each difference."""
    absent = "<absent>"
    for step in dict.fromkeys([*old, *new]):
        if step not in old or step not in new:
            yield step, "step", *((absent, "there") if step not in old else ("there", absent))
            continue
        for key in dict.fromkeys([*old[step], *new[step]]):
            before, after = old[step].get(key, absent), new[step].get(key, absent)
            if before != after:
                yield step, key, before, after


def compare(old: Path, new: Path) -> int:
    """Print all differences, those that are allowed after the others; 1 if there are others."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for step, key, *values in differences(*(json.loads(path.read_text()) for path in (old, new))):
        group = key.partition(":")[0] if ":" in key else key
        kinds.setdefault((step, group), []).append(f"{key}: {shown(*values)}")
    for allowed in (False, True):
        some = {k: v for k, v in kinds.items() if (k[1] in ALLOWED) == allowed}
        print(f"{sum(map(len, some.values())):,} differences{' that are allowed' * allowed}")
        for (step, group), lines in some.items():
            print(f"  {step}, {group}: {len(lines):,}")
            print("".join(f"    {line}\n" for line in lines[:SHOWN]), end="")
    return int(any(group not in ALLOWED for _, group in kinds))


def shown(old: object, new: object) -> str:
    """Both values, from a little before where they begin to differ."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in (old, new)]
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    start = max(0, sum(1 for _ in pairs) - 20)
    return " -> ".join(f"{'...' * bool(start)}{text[start : start + 80]}" for text in texts)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("record")
    one.add_argument("out", type=Path)
    one.add_argument("--data", type=Path, default=os.environ.get("UNITALK_TEST_DATA"))
    one.add_argument("--sample", type=Path)
    two = verbs.add_parser("compare")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    asked = parser.parse_args()
    if asked.verb == "compare":
        sys.exit(compare(asked.old, asked.new))
    if asked.data is None:
        parser.error("give --data, or set UNITALK_TEST_DATA")
    sample = asked.sample and asked.sample.resolve()
    record(asked.out.resolve(), Path(asked.data), sample)


if __name__ == "__main__":
    main()
