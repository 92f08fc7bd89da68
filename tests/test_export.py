"""Exports as a whole: the same bytes whoever writes them, continued, refused, never half-made."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from conftest import exhaustive, one_in, tree, without_coverage
from export_data import DRAWN, FACES, TRACKS, make_pictured

from unitalk.cli.main import cli
from unitalk.dataset.export import export_tracks
from unitalk.errors import DataError, DestinationError, DiskError, LayoutError, UsageError
from unitalk.executor import Here, Processes

SHARD = 40_000
FORMS = ("webdataset", "parquet", "hf")
KILLER = Path(__file__).with_name("killer.py")


@pytest.fixture
def source(tmp_path) -> Path:
    return make_pictured(tmp_path / "dataset")


def shards_of(root: Path) -> set[str]:
    return {p.name for p in root.rglob("*") if p.suffix in {".tar", ".parquet"}}


def leftovers(root: Path) -> list[str]:
    return [p.name for p in root.rglob("*") if p.name.endswith(".part")]


# ------------------------------------------------------------------------------ what is made


def test_the_report_and_the_index_say_what_is_there(source, tmp_path):
    report = export_tracks(source, tmp_path / "e", form="webdataset", shard_size=SHARD)
    names = sorted(shards_of(tmp_path / "e"))
    count = {split: sum(name.startswith(split) for name in names) for split in TRACKS}
    assert names == [
        f"{split}-{n:06}.tar" for split in ("train", "val") for n in range(count[split])
    ]
    assert report.splits == {
        split: {"videos": len(DRAWN[split]), "tracks": TRACKS[split], "faces": FACES[split],
                "shards": count[split]}
        for split in ("train", "val")
    }  # fmt: skip
    assert (report.written, report.kept, report.damaged) == (len(names), 0, 0)
    index = json.loads((tmp_path / "e/manifest.json").read_text())
    assert [shard["name"] for shard in index["shards"]] == names
    for shard in index["shards"]:
        data = (tmp_path / "e" / shard["name"]).read_bytes()
        assert shard["bytes"] == len(data)
        assert shard["sha256"] == hashlib.sha256(data).hexdigest()
    assert report.bytes == sum(shard["bytes"] for shard in index["shards"])
    for split in TRACKS:
        own = [shard for shard in index["shards"] if shard["split"] == split]
        assert sum(shard["tracks"] for shard in own) == TRACKS[split]
        assert sum(shard["faces"] for shard in own) == FACES[split]
    assert index["splits"] == report.splits
    assert not leftovers(tmp_path / "e")


@pytest.mark.parametrize("form", one_in(3, FORMS))
def test_the_bytes_are_the_same_whoever_writes_them(source, tmp_path, form):
    for name, executor in (("here", None), ("processes", Processes(2))):
        export_tracks(source, tmp_path / name, form=form, shard_size=SHARD, executor=executor)
    here = tree(tmp_path / "here")
    assert len([name for name in here if name.endswith((".tar", ".parquet"))]) >= 4
    assert tree(tmp_path / "processes") == here


def test_a_split_and_some_videos(source, tmp_path):
    report = export_tracks(source, tmp_path / "val", form="parquet", splits=("val",))
    assert list(report.splits) == ["val"]
    assert shards_of(tmp_path / "val") == {"val-000000.parquet"}
    one = export_tracks(source, tmp_path / "one", form="parquet", videos=("-maoolmiKi0",))
    assert one.splits == {"train": {"videos": 1, "tracks": 3, "faces": 33, "shards": 1}}
    with pytest.raises(DataError, match="nobody"):
        export_tracks(source, tmp_path / "none", form="parquet", videos=("nobody",))
    assert not (tmp_path / "none").exists()


def test_kept_archives_give_the_same_shards(source, tmp_path):
    """The source's folders packed as the hub has them: no file of it is unpacked."""
    packed = tmp_path / "packed"
    shutil.copytree(source / "csv", packed / "csv")
    for kind in ("clips_videos", "clips_audios"):
        for folder in (source / kind).glob("*/*"):
            into = packed / "archives" / kind / folder.parent.name / folder.name
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.make_archive(str(into), "zip", folder.parent, folder.name)
    for name, root in (("folders", source), ("archives", packed)):
        export_tracks(root, tmp_path / name, form="webdataset", executor=Processes(2))
    assert tree(tmp_path / "archives") == tree(tmp_path / "folders")


def test_times_out_of_order_and_of_any_spelling(source, tmp_path):
    """Rows in any order give the same shards but for the order of tracks; `0.4.jpg` is 0.40."""
    export_tracks(source, tmp_path / "e", form="webdataset", splits=("val",))
    csv = source / "csv/val_orig.csv"
    head, *rows = csv.read_text().splitlines()
    csv.write_text("\n".join([head, *reversed(rows)]) + "\n")
    crop = source / "clips_videos/val/EEey6Pt0rqI/EEey6Pt0rqI:0/1.00.jpg"
    crop.rename(crop.with_name("1.0.jpg"))
    export_tracks(source, tmp_path / "again", form="webdataset", splits=("val",))
    old, new = (records(tmp_path / name / "val-000000.tar") for name in ("e", "again"))
    assert list(old) != list(new)  # the tracks come in another order
    assert old == new


def records(path: Path) -> dict[str, list[bytes]]:
    """Of each track what its members hold, in their order."""
    import tarfile

    found: dict[str, list[bytes]] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            found.setdefault(member.name.split(".")[0], []).append(tar.extractfile(member).read())
    return {json.loads(track[0])["entity_id"]: track for track in found.values()}


# ------------------------------------------------------------------------------ to continue


def test_again_keeps_what_is_whole_and_writes_what_is_not(source, tmp_path):
    made = tmp_path / "e"
    first = export_tracks(source, made, form="hf", shard_size=SHARD)
    whole = tree(made)
    again = export_tracks(source, made, form="hf", shard_size=SHARD)
    assert (again.written, again.kept) == (0, first.written)
    assert tree(made) == whole
    (made / "data/val-000001.parquet").unlink()
    (made / "data/train-000000.parquet").write_bytes(b"cut off")
    (made / ".unitalk/shards/data/val-000000.parquet.json").write_text("{damaged")
    (made / "data/.val-000001.parquet.k3jx.part").write_bytes(b"half")
    (made / "manifest.json").unlink()
    times = {p: p.stat().st_mtime_ns for p in made.rglob("*.parquet")}
    repaired = export_tracks(source, made, form="hf", shard_size=SHARD)
    assert (repaired.written, repaired.kept) == (3, first.written - 3)
    assert tree(made) == whole
    unchanged = [p for p, before in times.items() if p.stat().st_mtime_ns == before]
    assert len(unchanged) == first.written - 3


def test_the_index_stands_only_where_all_shards_do(source, tmp_path):
    made = tmp_path / "e"
    export_tracks(source, made, form="webdataset")
    assert (made / "manifest.json").exists()
    (made / "val-000000.tar").unlink()
    next((source / "clips_videos/val").rglob("900.20.jpg")).unlink()
    report = export_tracks(source, made, form="webdataset")
    assert (report.sound, report.kept, report.written) == (False, 1, 0)
    assert shards_of(made) == {"train-000000.tar"}
    assert not (made / "manifest.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shard_size": 50_000}, "shard size was 40000 and is 50000"),
        ({"splits": ("val",)}, "csv of train was [0-9a-f]{12}... and is not set"),
        ({"videos": ("EEey6Pt0rqI",)}, "videos was not set and is EEey6Pt0rqI"),
    ],
)
def test_another_export_does_not_fit(source, tmp_path, change, said):
    export_tracks(source, tmp_path / "e", form="webdataset", shard_size=SHARD)
    before = tree(tmp_path / "e")
    with pytest.raises(DestinationError, match=said) as raised:
        export_tracks(source, tmp_path / "e", form="webdataset", **({"shard_size": SHARD} | change))
    assert "`overwrite=True`" in raised.value.hint
    assert tree(tmp_path / "e") == before


def test_a_destination_that_is_not_ours(source, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    export_tracks(source, tmp_path / "tars", form="webdataset")
    before = tree(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(DestinationError, match="did not make it"):
            export_tracks(source, tmp_path / "mine", form="hf", overwrite=overwrite)
        with pytest.raises(DestinationError, match="made by 'export webdataset'"):
            export_tracks(source, tmp_path / "tars", form="hf", overwrite=overwrite)
        for inside in (source, source / "csv/e", tmp_path):
            with pytest.raises(DestinationError):
                export_tracks(source, inside, form="hf", overwrite=overwrite)
    assert tree(tmp_path) == before


def test_a_marker_that_was_damaged(source, tmp_path):
    export_tracks(source, tmp_path / "e", form="webdataset")
    marker = tmp_path / "e/.unitalk/dataset.json"
    said = json.loads(marker.read_text())
    for shards in ([{"split": "val"}], [], said["shards"][:1], None):
        marker.write_text(json.dumps({**said, "shards": shards}))
        with pytest.raises(DestinationError, match="does not say how the 10 tracks were cut"):
            export_tracks(source, tmp_path / "e", form="webdataset")
    assert export_tracks(source, tmp_path / "e", form="webdataset", overwrite=True).sound


# ------------------------------------------------------------------------------ what is wrong


def test_a_track_that_cannot_be_read(source, tmp_path):
    """Its shard is not written, all others are; repaired, the same again gives the whole."""
    export_tracks(source, tmp_path / "whole", form="parquet", shard_size=SHARD)
    crops, sounds = source / "clips_videos/val", source / "clips_audios"
    crop = crops / "EEey6Pt0rqI/EEey6Pt0rqI:1/12.04.jpg"
    half = crops / "EEey6Pt0rqI/EEey6Pt0rqI:2/900.20.jpg"
    sound = sounds / "train/-maoolmiKi0/-maoolmiKi0:1.wav"
    kept = {path: path.read_bytes() for path in (crop, half, sound)}
    crop.unlink()
    half.write_bytes(kept[half][:-40])
    sound.write_bytes(kept[sound][:100])
    for executor in (Here(), Processes(2)):
        report = export_tracks(
            source, tmp_path / "e", form="parquet", shard_size=SHARD, executor=executor
        )
        assert not report.sound
        assert report.damaged == len(report.findings) == 3
        for path, finding in zip((sound, crop, half), report.findings, strict=True):
            assert str(path) in finding
        assert not (tmp_path / "e/manifest.json").exists()
        assert not leftovers(tmp_path / "e")
    there, whole = shards_of(tmp_path / "e"), shards_of(tmp_path / "whole")
    assert there < whole
    for path, data in kept.items():
        path.write_bytes(data)
    repaired = export_tracks(source, tmp_path / "e", form="parquet", shard_size=SHARD)
    assert (repaired.sound, repaired.kept) == (True, len(there))
    assert shards_of(tmp_path / "e") == whole
    assert tree(tmp_path / "e") == tree(tmp_path / "whole")


def test_too_little_room_is_said_before_anything_is_written(source, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(DiskError, match=r"about \d+\.\d kB are needed and 100.0 kB are free"):
        export_tracks(source, tmp_path / "e", form="webdataset")
    assert shards_of(tmp_path / "e") == set()


def test_what_is_no_export(source, tmp_path):
    with pytest.raises(UsageError, match="holds nothing"):
        export_tracks(source, tmp_path / "e", form="webdataset", shard_size=0)
    with pytest.raises(LayoutError, match="lacks csv/test_orig.csv"):
        export_tracks(source, tmp_path / "e", form="webdataset", splits=("test",))
    assert not (tmp_path / "e").exists()


# ------------------------------------------------------------------------------ SIGKILL


def command_of(form: str) -> click.Command:
    return cli.get_command(None, "export").get_command(None, form)


def command(source: Path, made: Path, *more: str) -> list[str]:
    return ["export", "webdataset", "-q", str(source), "--destination", str(made),
            "--shard-size", "40kB", "--format", "json", *more]  # fmt: skip


def killer(fatal: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(KILLER), str(fatal), *arguments],
        env=without_coverage(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@exhaustive
def test_killed_at_any_change_of_the_disk_it_is_continued(source, tmp_path):
    undisturbed = killer(0, *command(source, tmp_path / "whole", "--jobs", "1"))
    assert undisturbed.returncode == 0, undisturbed.stderr
    count = int(re.search(r"changes=(\d+)", undisturbed.stderr).group(1))
    whole = tree(tmp_path / "whole")
    shards = shards_of(tmp_path / "whole")
    for fatal in (1, count // 3, 2 * count // 3, count):
        made = tmp_path / f"killed{fatal}"
        killed = killer(fatal, *command(source, made, "--jobs", "1"))
        assert killed.returncode == -signal.SIGKILL
        left = {p.name: p.stat().st_ino for p in made.rglob("*.tar")}
        assert left.keys() <= shards
        for name in left:  # what has its name is whole
            assert (made / name).read_bytes() == whole[name]
        again = json.loads(killer(0, *command(source, made, "--jobs", "1")).stdout)
        assert (again["kept"], again["written"]) == (len(left), len(shards) - len(left))
        assert tree(made) == whole
        assert {p.name: p.stat().st_ino for p in made.rglob("*.tar")}.items() >= left.items()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize("ending", one_in(2, [signal.SIGINT, signal.SIGKILL]))
def test_ended_half_way_with_two_processes(source, tmp_path, ending):
    export_tracks(source, tmp_path / "whole", form="webdataset", shard_size=1)
    made = tmp_path / "e"
    process = subprocess.Popen(
        [sys.executable, "-m", "unitalk", *command(source, made, "--jobs", "2"),
         "--shard-size", "1B"],
        env=without_coverage(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not shards_of(made) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(ending)
    said = process.communicate()[1]
    left = shards_of(made)
    if ending == signal.SIGINT:
        assert process.returncode in {130, 0}  # it may just have been done
        assert "Traceback" not in said
        assert not leftovers(made)
    report = export_tracks(source, made, form="webdataset", shard_size=1, executor=Processes(2))
    assert report.kept >= len(left) >= 1  # a process ends with the shard that it is at
    assert report.kept + report.written == 10
    assert tree(made) == tree(tmp_path / "whole")


# ------------------------------------------------------------------------------ the command line


def test_the_command_says_what_it_made(run, source, tmp_path):
    made = tmp_path / "e"
    arguments = (source, "--destination", made, "--jobs", 1)
    ran = run("export", "hf", *arguments)
    assert ran.code == 0
    lines = ran.stdout.splitlines()
    assert re.fullmatch(rf"{re.escape(str(made))}: hf, \d+\.\d kB", lines[0])
    assert lines[1:] == [
        "train: 1 video, 3 tracks, 33 faces, 1 shard",
        "val: 2 videos, 7 tracks, 127 faces, 1 shard",
        "shards: 2 written, 0 kept from an earlier run",
    ]
    again = run("export", "hf", *arguments, "--format", "json")
    said = json.loads(again.stdout)
    assert (again.code, again.stderr) == (0, "")
    assert said["schema_version"] == 1
    assert (said["form"], said["written"], said["kept"]) == ("hf", 0, 2)
    assert said["splits"]["val"] == {"videos": 2, "tracks": 7, "faces": 127, "shards": 1}
    assert (said["damaged"], said["findings"], said["warnings"]) == (0, [], [])


def test_the_command_lists_what_cannot_be_read(run, source, tmp_path):
    crop = source / "clips_videos/val/EEey6Pt0rqI/EEey6Pt0rqI:0/1.00.jpg"
    crop.unlink()
    ran = run("export", "webdataset", source, "--destination", tmp_path / "e",
              "--jobs", 1, "--split", "val", "--shard-size", "40 kB")  # fmt: skip
    assert ran.code == 3
    assert f"wrong: a face crop is missing: {crop}" in ran.stdout
    assert "not written: the shards of 1 unreadable track" in ran.stdout
    assert ran.stderr == ""


def test_lists_of_videos_and_sizes(run, source, tmp_path):
    (tmp_path / "list.txt").write_text("-maoolmiKi0\n")
    arguments = (source, "--destination", tmp_path / "e", "--jobs", 1)
    ran = run("export", "parquet", *arguments, "--video", f"@{tmp_path / 'list.txt'}",
              "--shard-size", "0.00001GB", "--format", "json")  # fmt: skip
    said = json.loads(ran.stdout)
    assert ran.code == 0
    # 12 faces in 0.44 s, 1 face, 20 faces in 0.76 s: each crop has more than 800 bytes beside, so
    # that the first and the third are larger than 10 kB, and the second does not fit to either.
    assert said["splits"] == {"train": {"videos": 1, "tracks": 3, "faces": 33, "shards": 3}}
    other = run("export", "parquet", *arguments)
    assert other.code == 2
    assert (
        "shard size was 10000 and is 256000000; videos was -maoolmiKi0 and is not" in other.stderr
    )
    assert run("export", "parquet", *arguments, "--overwrite").code == 0


def test_a_size_without_a_unit_is_not_taken_for_a_few_bytes():
    """Everybody who types 512 means megabytes; a hundred shards of 512 bytes is what came."""
    option = next(one for one in command_of("webdataset").params if "--shard-size" in one.opts)

    def read(text):
        return option.process_value(click.Context(command_of("webdataset")), text)

    for text in ("1", "512", "999999", " 2.5 "):
        with pytest.raises(click.BadParameter, match="without a unit") as caught:
            read(text)
        given = re.findall(r"Give ([^ ]+), or ([^ ]+) for bytes", caught.value.message)[0]
        assert [read(one) for one in given] == [int(float(text) * 1e6), int(float(text))]
    for text in ("1e6B", "0", "none", "1 PB", "0.0001kB", "64Mi b"):
        with pytest.raises(click.BadParameter, match="such as 256MB"):
            read(text)
    for text, size in {
        "1000000": 1_000_000, "7B": 7, "3 kb": 3000, "1.5G": 1_500_000_000,
        "64MiB": 64 * 1024**2, "2Gi": 2 * 1024**3,
    }.items():  # fmt: skip
        assert read(text) == size
