"""Files that are not csv text, given where a csv file is wanted."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from build import Track, face, make_dataset, write_csv
from conftest import slow

import unitalk
from unitalk import schema
from unitalk.catalog.video_list import read_list
from unitalk.files.file_types import FIRST_BYTES, identify
from unitalk.score.eval_options import read_categories

FRAME = pd.DataFrame(
    {"entity_id": ["v:0"] * 40, "frame_timestamp": np.arange(40) / 25, "score": 1.0}
)
CSV = FRAME.to_csv(index=False).encode()


def saved(save) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    def save(file):
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name.replace("__", "/"), content)

    return saved(save)


def tarred(file) -> None:
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("val_res.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))


# What a library writes is written by that library; of formats without one, the first bytes of
# their specification and some that are no text.
FILES = {
    "pickle": ("a Python pickle", saved(FRAME.to_pickle)),
    "old pickle": ("a Python pickle", pickle.dumps([0.5] * 9, 2)),
    "npy": ("a NumPy array", saved(lambda file: np.save(file, np.arange(99.0)))),
    "npz": ("a NumPy archive", saved(lambda file: np.savez(file, scores=np.arange(99.0)))),
    "parquet": ("a Parquet file", saved(FRAME.to_parquet)),
    "feather": ("an Arrow", saved(FRAME.to_feather)),
    "xlsx": ("an Excel workbook", zipped(**{"[Content_Types].xml": b"<Types/>"})),
    "ods": ("an OpenDocument", zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet")),
    "zip": ("a zip archive", zipped(**{"val_res.csv": CSV})),
    "torch": ("a PyTorch file", zipped(**{"model__data.pkl": pickle.dumps([1.0], 2)})),
    "old torch": (
        "a PyTorch file",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps({"a": 1}, 2),
    ),
    "safetensors": ("a safetensors file", (20).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}' * 3),
    "xz": ("an xz archive", lzma.compress(CSV)),
    "bz2": ("a bzip2 archive", bz2.compress(CSV)),
    "zst": ("a Zstandard archive", b"\x28\xb5\x2f\xfd\x24\x80" + CSV),
    "7z": ("a 7-Zip archive", b"7z\xbc\xaf\x27\x1c\0\4" + b"\x9a" * 99),
    "tar": ("a tar archive", saved(tarred)),
    "tar.gz": ("a tar archive", gzip.compress(saved(tarred))),
    "gz.gz": ("gzip data", gzip.compress(gzip.compress(CSV))),
    "hdf5": ("an HDF5 file", b"\x89HDF\r\n\x1a\n\0\0"),
    "xls": ("an Excel workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16),
    "sqlite": ("an SQLite database", b"SQLite format 3\0\x10\0"),
    "utf-16": ("UTF-16 text", CSV.decode().encode("utf-16")),
    "utf-16 without a mark": ("UTF-16 text", CSV.decode().encode("utf-16-be")),
    "utf-32": ("UTF-32 text", CSV.decode().encode("utf-32")),
    "lfs": (
        "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 12345\n",
    ),
    "html": ("a web page", b"\n<!DOCTYPE html>\n<html><head><title>403, denied</title>"),
    "json": ("JSON", FRAME.to_json().encode()),
    "json records": ("JSON", json.dumps([{"score": 1}], indent=2).encode()),
    "json rows": ("JSON", json.dumps([[0, 1, 2, 3, 4, 5, 6, 7]]).encode()),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_not_csv_is_named_as_what_it_is(tmp_path, what):
    named, content = FILES[what]
    path = tmp_path / "predictions.csv"  # whatever its name says
    path.write_bytes(content)
    for kind in ("groundtruth", "faces", "predictions"):
        with pytest.raises(unitalk.SchemaError) as caught:
            schema.load(path, kind)
        assert caught.value.message.startswith(f"{path}: the file is {named}")
        assert caught.value.hint


@slow
def test_wherever_a_csv_is_wanted(run, tmp_path):
    """A quarter of the forms here, each verb with another one."""
    good = write_csv(tmp_path / "good.csv", [face("v", "0.04", "v:0", 1)])
    (tmp_path / "films").mkdir()
    wrong = tmp_path / "source/val_orig.csv"
    wrong.parent.mkdir()
    forms = iter(list(FILES.values())[::4])
    for arguments in (
        ("eval", "-g", good, "-p", wrong),
        ("eval", "-g", wrong, "-p", good),
        ("diagnose", "-g", good, "-p", wrong),
        ("stats", wrong),
        ("import", "ava", wrong.parent, "--destination", tmp_path / "made"),
        ("crop", wrong, "--video-dir", tmp_path / "films", "--destination", tmp_path / "a"),
    ):
        named, content = next(forms)
        wrong.write_bytes(content)
        ran = run(*arguments)
        assert ran.code == 3, (arguments, ran)
        assert f"{wrong}: the file is {named}" in " ".join((ran.stdout + ran.stderr).split())
    data = make_dataset(tmp_path / "data", {"v": [Track("v:0", ["0.04"], [1])]})
    (data / "csv/val_orig.csv").write_bytes(FILES["xz"][1])
    ran = run("verify", data)
    assert ran.code == 3
    assert "the file is an xz archive" in ran.stdout


@pytest.mark.parametrize("read", [read_list, read_categories])
def test_lists_too(tmp_path, read):
    path = tmp_path / "list.csv"
    for what in ("xlsx", "npy", "lfs", "html", "utf-16"):
        named, content = FILES[what]
        path.write_bytes(content)
        with pytest.raises(unitalk.DataError, match=f"the file is {named}"):
            read(path)


@pytest.mark.parametrize(
    "start", ["PAR1", "BZh9", "RIFF", "ARROW1", "%PDF-", "[a]", "{b}", "<i>", "PK"]
)
def test_an_id_may_begin_like_another_format(tmp_path, start):
    path = tmp_path / "p.csv"
    path.write_text(f"{start}é,0.04,0,0,1,1,{start}:0,0.5\n", encoding="utf-8")
    assert schema.load(path, "predictions").codes("entity_id")[1] == [f"{start}:0"]


@pytest.mark.parametrize("letter", ["e", "é", "語", "\U0001f600"])
def test_a_letter_cut_in_two_is_still_text(letter):
    for length in range(FIRST_BYTES - 4, FIRST_BYTES + 1):
        text = ("a" * length + letter).encode()
        assert identify(b"PAR1" + text[4:FIRST_BYTES]) is None


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift-jis", "gb18030"])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_bytes_that_are_not_utf8_are_shown_as_bytes(tmp_path, encoding, place):
    """In an id, a name of a column, a number, a row of no form; each where it is, as a byte."""
    text = "語" if encoding in {"shift-jis", "gb18030"} else "é"
    content = (
        f"entity_id,frame_timestamp,score\nv:{text},0.04,1\n",
        f"entity_id,frame_timestamp,score,{text}\nv:0,0.04,1,2\n",
        f"entity_id,frame_timestamp,score\nv:0,{text},1\n",
        f"{text},2,3\n",
    )[place].encode(encoding)
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(unitalk.SchemaError, match="not UTF-8 text") as caught:
        schema.load(path, "predictions")
    said = caught.value.message + (caught.value.hint or "")
    assert "\\udc" not in said
    said.encode()  # no surrogate
    if place < 3:
        assert f"\\x{text.encode(encoding)[0]:x}" in said
