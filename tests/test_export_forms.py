"""Each form of a shard, read by the program that it is for: the same records, the same bytes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import tree, without_coverage
from export_data import FACES, TRACKS, make_pictured, on_disk

from unitalk.dataset.export import export_tracks
from unitalk.formats import huggingface
from unitalk.formats.parquet import write_parquet
from unitalk.formats.shard_record import Record
from unitalk.media.tracks import tracks

SHARD = 40_000  # some tracks; the longest have one to themselves

FORMS = ("webdataset", "parquet", "hf")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return make_pictured(tmp_path_factory.mktemp("source") / "dataset")


@pytest.fixture(scope="module")
def shards(source, tmp_path_factory) -> dict[str, Path]:
    """The dataset in each form."""
    made = {}
    for form in FORMS:
        made[form] = tmp_path_factory.mktemp("shards") / form
        report = export_tracks(source, made[form], form=form, shard_size=SHARD)
        assert report.sound
        assert min(count["shards"] for count in report.splits.values()) >= 2
    return made


WORDS = ("entity_id", "video_id", "frame_timestamp", "label_id", "boxes")

# ------------------------------------------------------------------------------ webdataset

# webdataset leaves its files open, for whom the garbage collector says a word.
leaky = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


def streamed(split: str, folder: Path, *decoders: str) -> list[dict]:
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    urls = sorted(map(str, folder.glob(f"{split}-*.tar")))
    read = list(wds.WebDataset(urls, shardshuffle=False).decode(*decoders))
    gc.collect()
    return read


@leaky
def test_webdataset_streams_the_tracks(source, shards):
    for split in TRACKS:
        read = streamed(split, shards["webdataset"])
        for number, (record, true) in enumerate(zip(read, on_disk(source, split), strict=True)):
            assert record["__key__"] == f"{split}-{number:09}"
            about = record["json"]
            assert {word: about[word] for word in WORDS} == {word: true[word] for word in WORDS}
            assert (about["split"], about["faces"]) == (split, len(true["jpgs"]))
            assert record["wav"] == true["wav"]
            names = sorted(name for name in record if name.endswith(".jpg"))
            assert [record[name] for name in names] == true["jpgs"]
            assert names == [f"{place:05}.jpg" for place in range(len(names))]
    decoded = streamed("val", shards["webdataset"], "rgb8")[0]
    for place, picture in enumerate(tracks(source, split="val")[0].images):
        assert np.array_equal(decoded[f"{place:05}.jpg"], picture)


@leaky
def test_webdataset_shards_are_dealt_to_workers(shards):
    """Two workers: each shard goes to one of them, every track comes once."""
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    urls = sorted(map(str, shards["webdataset"].glob("*.tar")))
    stream = wds.WebDataset(urls, shardshuffle=False).decode().map(only_key)
    loader = torch.utils.data.DataLoader(stream, batch_size=None, num_workers=2)
    keys = sorted(loader)
    assert keys == [f"{split}-{n:09}" for split, count in TRACKS.items() for n in range(count)]


def only_key(record: dict) -> str:
    return record["__key__"]


def test_a_tar_knows_nothing_of_who_made_it_and_when(shards):
    for path in shards["webdataset"].glob("*.tar"):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in members} == {
            (0, 0, 0, "", "", 0o644, tarfile.REGTYPE)
        }
        assert all("/" not in m.name and m.name.count(".") in {1, 2} for m in members)


# ------------------------------------------------------------------------------ parquet


def test_parquet_has_the_files_as_they_were(source, shards):
    read = [
        row
        for path in sorted(shards["parquet"].glob("val-*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    for row, true in zip(read, on_disk(source, "val"), strict=True):
        assert {word: row[word] for word in WORDS} == {word: true[word] for word in WORDS}
        assert [image["bytes"] for image in row["images"]] == true["jpgs"]
        assert [image["path"] for image in row["images"]] == [
            f"{time:.2f}.jpg" for time in true["frame_timestamp"]
        ]
        assert row["audio"] == {"bytes": true["wav"], "path": f"{true['entity_id']}.wav"}
        assert list(row) == [
            "entity_id", "video_id", "images", "audio", "frame_timestamp", "label_id", "boxes"
        ]  # fmt: skip


def test_a_row_group_ends_with_the_track_that_fills_it(source, tmp_path):
    found = enumerate(tracks(source, split="val"))
    with (tmp_path / "p.parquet").open("wb", buffering=0) as file:
        write_parquet(
            file, (Record(n, track, track.jpgs(), track.wav()) for n, track in found),
            row_group=50_000,
        )  # fmt: skip
    about = pq.ParquetFile(tmp_path / "p.parquet").metadata
    # By hand, of the files of each track: a group is closed when it has 50 kB.
    groups, size = [0], 0
    for track in on_disk(source, "val"):
        if size >= 50_000:
            groups, size = [*groups, 0], 0
        groups[-1] += 1
        size += len(track["wav"]) + sum(map(len, track["jpgs"]))
    assert [about.row_group(n).num_rows for n in range(about.num_row_groups)] == groups
    assert len(groups) >= 3


def test_no_jpg_is_compressed_and_none_is_in_the_footer(shards):
    path = min(shards["parquet"].glob("*.parquet"))
    for form, packed in (("parquet", set()), ("hf", {"audio.array.list.element"})):
        file = min(shards[form].rglob("*.parquet"))
        group = pq.ParquetFile(file).metadata.row_group(0)
        columns = [group.column(number) for number in range(group.num_columns)]
        assert {c.path_in_schema for c in columns if c.compression != "UNCOMPRESSED"} == packed
        assert {c.path_in_schema for c in columns if c.statistics is not None} == {
            "entity_id", "video_id"
        }  # fmt: skip
    assert pq.ParquetFile(path).metadata.serialized_size < 10_000


# ------------------------------------------------------------------------------ Hugging Face

READER = """
import json, sys
import numpy as np
from datasets import load_dataset

folder, cache, split, into = sys.argv[1:]
whole = load_dataset(folder, split=split, cache_dir=cache)
streamed = load_dataset(folder, split=split, cache_dir=cache, streaming=True)
everything = load_dataset(folder, cache_dir=cache)
arrays = {}
records = []
for kind, rows in (("whole", whole), ("streamed", streamed)):
    for number, row in enumerate(rows):
        arrays[f"{kind}{number}sound"] = np.asarray(row["audio"].pop("array"), np.int16)
        for place, picture in enumerate(row.pop("images")):
            arrays[f"{kind}{number}picture{place}"] = np.asarray(picture.convert("RGB"))
        records.append([kind, row])
np.savez(into, **arrays)
print(json.dumps({"records": records, "columns": whole.column_names,
                  "rows": {name: len(rows) for name, rows in everything.items()}}))
"""


def test_load_dataset_opens_the_folder_offline(source, shards, tmp_path):
    pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
    before = tree(shards["hf"])
    ran = subprocess.run(
        [sys.executable, "-c", READER, shards["hf"], tmp_path / "cache", "val", tmp_path / "a.npz"],
        env={**without_coverage(), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"),
             "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "no_proxy": "*"},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    arrays = np.load(tmp_path / "a.npz")
    ours = list(tracks(source, split="val"))
    truth = on_disk(source, "val")
    assert set(ours[0]) <= set(said["columns"])  # the keys of our own records, and more
    assert said["rows"] == TRACKS
    for kind in ("whole", "streamed"):
        read = [row for own, row in said["records"] if own == kind]
        for number, (row, true, track) in enumerate(zip(read, truth, ours, strict=True)):
            assert {word: row[word] for word in WORDS} == {word: true[word] for word in WORDS}
            assert row["audio"] == {"sampling_rate": 16000}
            assert np.array_equal(arrays[f"{kind}{number}sound"], true["samples"])
            assert np.array_equal(arrays[f"{kind}{number}sound"], track["audio"]["array"])
            pictures = [
                arrays[f"{kind}{number}picture{place}"] for place in range(len(track["images"]))
            ]
            assert all(map(np.array_equal, pictures, track["images"]))
            assert f"{kind}{number}picture{len(pictures)}" not in arrays
    assert tree(shards["hf"]) == before  # reading leaves nothing there


def test_the_features_are_those_of_the_table(shards):
    """What `datasets` makes of the words that we write is the table that we write."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
    form = pq.read_schema(min((shards["hf"] / "data").glob("*.parquet")))
    features = datasets.Features.from_arrow_schema(form)
    assert features.arrow_schema.metadata == form.metadata
    for own, theirs in zip(form, features.arrow_schema, strict=True):
        assert pa.types.is_list(own.type) == pa.types.is_list(theirs.type)
        assert str(own.type).replace("element:", "item:") == str(theirs.type)
    assert isinstance(features["images"].feature, datasets.Image)


def test_the_card_says_what_is_where(shards):
    text = (shards["hf"] / "README.md").read_text()
    head = text.split("---\n")[1]
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(head) == {
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train-*.parquet"},
                    {"split": "val", "path": "data/val-*.parquet"},
                ],
            }
        ]
    }
    assert f"| val | 2 | {TRACKS['val']} | {FACES['val']} |\n" in text
    counts = {"train": {"videos": 1, "tracks": 2, "faces": 3000}}
    assert "| train | 1 | 2 | 3,000 |\n" in huggingface.card(counts)
    assert "CC BY-NC 4.0" in text
    assert "license:" not in head


def test_writing_needs_no_extra(source, tmp_path):
    """Neither datasets nor webdataset nor torch is imported to write any form."""
    code = (
        "import sys\n"
        "from unitalk.dataset.export import export_tracks\n"
        "for form in ('webdataset', 'parquet', 'hf'):\n"
        "    export_tracks(sys.argv[1], sys.argv[2] + form, form=form)\n"
        "print(*sorted({'datasets', 'webdataset', 'torch', 'cv2'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path) + os.sep],
        env=without_coverage(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.strip()) == (0, ""), ran.stderr
