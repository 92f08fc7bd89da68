"""`unitalk crop`: what it makes, continued, refused, replaced, killed."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build import HEADER
from conftest import exhaustive, one_in, tree, without_coverage

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import FACE, Form, make_video, write_rows

from unitalk.dataset.crop import cut_crops
from unitalk.executor import Processes
from unitalk.files import mark

KILLER = Path(__file__).with_name("killer.py")
VIDEOS = ("-dash000000", "EEey6Pt0rqI", "9Zja_cIAwY8")


def faces(video: str, count: int = 8, tracks: int = 2):
    return [
        (video, round(n / 25, 2), FACE, f"{video}:{track}")
        for track in range(tracks)
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Three small videos with sound, and rows of two tracks of each; it is only read."""
    folder = tmp_path_factory.mktemp("source")
    for video in VIDEOS:
        form = Form(frames=10, size=(64, 48), sound="pcm_s16le")
        make_video(folder / f"videos/{video}.mkv", form)
    write_rows(folder / "val_orig.csv", [row for video in VIDEOS for row in faces(video)])
    return folder


def arguments(source: Path, made: Path, *more: object) -> list[str]:
    return [
        "crop", str(source / "val_orig.csv"), "--video-dir", str(source / "videos"),
        "--destination", str(made), *map(str, more),
    ]  # fmt: skip


def test_a_folder_made_under_the_verb_s_earlier_name_is_continued(run, source, tmp_path):
    made = tmp_path / "made"
    assert run(*arguments(source, made)).code == 0
    marker = made / ".unitalk/dataset.json"
    text = marker.read_text()
    assert '"made_by": "crop"' in text
    marker.write_text(text.replace('"made_by": "crop"', '"made_by": "crops"'))
    again = run(*arguments(source, made))
    assert (again.code, "0 cut, 3 kept from an earlier run" in again.stdout) == (0, True)


def copied(source: Path, to: Path) -> Path:
    """A source of its own to change, its files of the same times."""
    import shutil

    shutil.copytree(source, to)
    return to


def contents(made: Path) -> dict[str, bytes]:
    """A dataset's files, less what is remembered of the videos' times."""
    return {k: v for k, v in tree(made).items() if not k.startswith(".unitalk/cut/")}


# ------------------------------------------------------------------------------ what is made


def test_it_makes_a_dataset(run, source, tmp_path):
    made = tmp_path / "made"
    ran = run(*arguments(source, made, "--jobs", 1))
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        f"{made}: 48 face crops, 6 sounds",
        "val: 3 videos, 6 tracks, 48 faces",
        "videos: 3 cut, 0 kept from an earlier run",
    ]
    assert (made / "csv/val_orig.csv").read_text() == (source / "val_orig.csv").read_text()
    names = [name for name in tree(made) if name.endswith((".jpg", ".wav"))]
    assert sorted(names) == sorted(
        [
            f"clips_videos/val/{v}/{v}:{track}/{n / 25:.2f}.jpg"
            for v in VIDEOS for track in range(2) for n in range(8)
        ]
        + [f"clips_audios/val/{v}/{v}:{track}.wav" for v in VIDEOS for track in range(2)]
    )  # fmt: skip
    verified = run("verify", made, "--deep", "--jobs", 1)
    assert verified.code == 0, verified.stdout


def test_the_bytes_are_the_same_whoever_cuts(source, tmp_path):
    csvs = {"val": source / "val_orig.csv"}
    for name, executor in (("here", None), ("processes", Processes(2))):
        cut_crops(
            csvs, tmp_path / name, video_dir=source / "videos", source=source / "val_orig.csv",
            executor=executor,
        )  # fmt: skip
    assert tree(tmp_path / "here") == tree(tmp_path / "processes")


def test_a_dataset_some_videos_and_a_margin(run, source, tmp_path):
    dataset = tmp_path / "set"
    (dataset / "csv").mkdir(parents=True)
    (dataset / "csv/val_orig.csv").write_text((source / "val_orig.csv").read_text())
    (tmp_path / "list.txt").write_text("-dash000000\n")
    ran = run(
        "crop", dataset, "--video-dir", source / "videos", "--destination", tmp_path / "m",
        "--video", f"@{tmp_path / 'list.txt'}", "--margin", "0.05", "--split", "val", "--jobs", 1,
        "--compat",
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    rows = (tmp_path / "m/csv/val_orig.csv").read_text().splitlines()
    assert rows[0] == HEADER
    assert len(rows) == 1 + 16
    import cv2

    image = cv2.imread(str(tmp_path / "m/clips_videos/val/-dash000000/-dash000000:0/0.00.jpg"))
    # 0.8 of 64 x 48 and 0.05 of that on each side: from 0.06 to 0.94, or 3..60 and 2..45.
    assert image.shape == (43, 57, 3)
    wav = tmp_path / "m/clips_audios/val/-dash000000/-dash000000:0.wav"
    assert wav.stat().st_size == 44 + 2 * 7 * 640


def test_what_is_missing_is_listed_and_is_exit_code_3(run, source, tmp_path):
    own = copied(source, tmp_path / "own")
    (own / "videos/EEey6Pt0rqI.mkv").unlink()
    (own / "videos/9Zja_cIAwY8.mkv").write_bytes(b"")
    ran = run(*arguments(own, tmp_path / "made", "--jobs", 1))
    assert (ran.code, ran.stderr) == (3, "")
    assert ran.stdout.splitlines()[0].endswith("16 face crops, 2 sounds")
    assert "wrong: video-empty: val/9Zja_cIAwY8: the file has no bytes" in ran.stdout
    missing = f"wrong: video-missing: 1 video without a file in {own / 'videos'}: EEey6Pt0rqI"
    assert missing in ran.stdout
    assert "problems with 2 videos" in ran.stdout
    for name in ("EEey6Pt0rqI", "9Zja_cIAwY8"):
        (own / f"videos/{name}.mkv").write_bytes((source / f"videos/{name}.mkv").read_bytes())
    again = run(*arguments(own, tmp_path / "made", "--jobs", 1))
    assert again.code == 0
    assert "videos: 2 cut, 1 kept from an earlier run" in again.stdout
    run(*arguments(source, tmp_path / "whole", "--jobs", 1))
    assert contents(tmp_path / "made") == contents(tmp_path / "whole")


# ------------------------------------------------------------------------------ all ten columns


def labelled(video: str, labels: str, *, track: int = 0, start: float = 0.0) -> list[str]:
    """Rows of AVA's eight columns, a face a letter: A audible, N not audible, - neither."""
    words = {"A": "SPEAKING_AUDIBLE", "N": "SPEAKING_NOT_AUDIBLE", "-": "NOT_SPEAKING", "0": ""}
    return [
        f"{video},{start + n / 25:.2f},0.1,0.1,0.9,0.9,{words[letter]},{video}:{track}"
        for n, letter in enumerate(labels)
    ]


def written(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def cut_rows(run, source, rows, to, *more):
    given = to.with_name(f"{to.name}_val.csv")
    given.write_text("\n".join(rows) + "\n")
    return run("crop", given, "--video-dir", source / "videos", "--destination", to,
               "--jobs", 1, *more)  # fmt: skip


def test_rows_of_eight_columns_become_ten_that_every_verb_takes(run, source, tmp_path):
    """A track's rows lie apart, in no order; of another the label goes to and fro."""
    one = labelled("-dash000000", "--AA-A")
    two = labelled("EEey6Pt0rqI", "NN-AA", track=1)
    made = tmp_path / "made"
    assert cut_rows(run, source, [*one[3:], *two, *one[:3]], made).code == 0
    found = written(made / "csv/val_orig.csv")
    assert list(found[0]) == HEADER.split(",")
    assert [(row["label_id"], row["instance_id"].rpartition(":")[2]) for row in found] == [
        ("1", "1"), ("0", "2"), ("1", "3"),
        ("2", "0"), ("2", "0"), ("0", "1"), ("1", "2"), ("1", "2"),
        ("0", "0"), ("0", "0"), ("1", "1"),
    ]  # fmt: skip
    lines = [line.rsplit(",", 2)[0] for line in (made / "csv/val_orig.csv").read_text().split()]
    assert lines[1:] == [*one[3:], *two, *one[:3]]  # the rest as it was, where it was
    kinds = json.loads(run("verify", made, "--format", "json").stdout)["counts"]
    assert set(kinds) <= {"rows-apart", "rows-unordered"}  # which were so before
    assert run("convert-talknet", made, "--destination", tmp_path / "t").code == 0


def test_a_folder_of_csv_files_is_taken_where_a_csv_is(run, source, tmp_path):
    folder = tmp_path / "my_val"
    folder.mkdir()
    whole = []
    for video in sorted(VIDEOS):
        rows = labelled(video, "--AA")
        whole += rows
        (folder / f"{video}.csv").write_text("\n".join(rows))
    words = ("--video-dir", source / "videos", "--jobs", 1)
    ran = run("crop", folder, "--destination", tmp_path / "folder", *words)
    assert ran.code == 0, ran.stderr
    cut_rows(run, source, whole, tmp_path / "file")
    # The marker has the hashes of what was given.
    assert {k: v for k, v in tree(tmp_path / "folder").items() if "dataset.json" not in k} == {
        k: v for k, v in tree(tmp_path / "file").items() if "dataset.json" not in k
    }
    again = run("crop", folder, "--destination", tmp_path / "folder", *words)
    assert "0 cut, 3 kept" in again.stdout
    (folder / f"{VIDEOS[1]}.csv").write_text("\n".join(labelled(VIDEOS[1], "--A-")))
    ran = run("crop", folder, "--destination", tmp_path / "folder", *words)
    assert (ran.code, "rows of val was" in ran.stderr) == (2, True)


# ------------------------------------------------------------------------------ what is dropped


@pytest.fixture(scope="module")
def lacking(tmp_path_factory):
    """Of ten frames a video: rows past the end, a box outside, no sound, no file; one is whole."""
    folder = tmp_path_factory.mktemp("lacking")
    for video, sound in (("whole", "pcm_s16le"), ("short", "pcm_s16le"), ("mute", None)):
        make_video(folder / f"videos/{video}.mkv", Form(frames=10, size=(64, 48), sound=sound))
    rows = [
        *labelled("short", "--AAAA", start=0.2),  # the last one is past the end
        *labelled("short", "AA--", track=1, start=0.6),  # and all of these
        *labelled("short", "A--", track=2, start=0.2),  # the first of these has no pixel
        *labelled("mute", "A-"), *labelled("absent", "A-"), *labelled("whole", "-A-A"),
    ]  # fmt: skip
    gone = [rows[5], *rows[6:10], rows[10], *rows[13:17]]
    gone[5] = rows[10] = rows[10].replace("0.1,0.1,0.9,0.9", "1.5,0.1,1.9,0.9")
    (folder / "val.csv").write_text("\n".join(rows))
    return folder, rows, gone


def test_what_cannot_be_cut_is_dropped_and_the_rest_is_sound(run, lacking, tmp_path):
    folder, rows, gone = lacking
    words = ("crop", folder / "val.csv", "--video-dir", folder / "videos", "--jobs", 1)
    assert run(*words, "--destination", tmp_path / "all").code == 3
    ran = run(*words, "--destination", tmp_path / "made", "--drop-missing", "--format", "json")
    assert ran.code == 0
    report = json.loads(ran.stdout)
    assert (report["dropped"], report["findings"]) == (len(gone), [])
    assert {note["kind"] for note in report["notes"]} >= {
        "past-end", "crop-empty", "sound-missing", "video-missing"
    }  # fmt: skip

    def text(path):
        return [line.split(",")[:8] for line in path.read_text().splitlines()[1:]]

    kept = [row for row in rows if row not in gone]
    assert text(tmp_path / "made/csv/val_orig.csv") == [row.split(",") for row in kept]
    assert text(tmp_path / "made/dropped.csv") == [row.split(",") for row in gone]
    assert [row["reason"] for row in written(tmp_path / "made/dropped.csv")] == [
        *["no face crop"] * 6, *["no sound"] * 2, *["no video"] * 2
    ]  # fmt: skip
    verified = run("verify", tmp_path / "made", "--deep", "--jobs", 1)
    assert verified.code == 0, verified.stdout
    # As if the rows had never been there: crops, and sounds that begin and end with the faces.
    cut_rows(run, folder, kept, tmp_path / "fresh")
    media = {k: v for k, v in tree(tmp_path / "fresh").items() if k.startswith("clips_")}
    assert media == {k: v for k, v in tree(tmp_path / "made").items() if k.startswith("clips_")}


def test_what_was_dropped_comes_back_when_it_can_be_cut(run, lacking, tmp_path):
    folder, rows, _ = lacking
    own = copied(folder, tmp_path / "own")
    made = tmp_path / "made"
    words = ("crop", own / "val.csv", "--video-dir", own / "videos", "--jobs", 1,
             "--destination", made)  # fmt: skip
    run(*words, "--drop-missing")
    before = tree(made)
    assert "0 cut, 3 kept" in run(*words, "--drop-missing").stdout
    assert tree(made) == before
    for video in ("absent", "mute"):
        (own / f"videos/{video}.mkv").write_bytes((own / "videos/whole.mkv").read_bytes())
    ran = run(*words, "--drop-missing")
    assert "2 cut, 2 kept" in ran.stdout
    assert len(written(made / "dropped.csv")) == 6
    refused = run(*words)
    assert (refused.code, "drop missing was on and is off" in refused.stderr) == (2, True)
    assert run(*words, "--overwrite").code == 3  # all rows again, and what is wrong with them
    assert len(written(made / "csv/val_orig.csv")) == len(rows)
    assert not (made / "dropped.csv").exists()


def test_where_nothing_can_be_cut_nothing_is_dropped(run, lacking, tmp_path):
    folder, _, _ = lacking
    words = ("crop", folder / "val.csv", "--video-dir", folder / "videos", "--jobs", 1)
    words += ("--destination", tmp_path / "made", "--video", "absent", "--video", "mute")
    ran = run(*words, "--drop-missing")
    assert (ran.code, ran.stdout) == (3, "")
    assert "not one of the 4 faces can be cut: no sound (2), no video (2)" in ran.stderr
    assert len(written(tmp_path / "made/csv/val_orig.csv")) == 4


# ------------------------------------------------------------------------------ to continue


def test_what_was_damaged_or_changed_is_cut_again(run, source, tmp_path):
    own = copied(source, tmp_path / "own")
    made = tmp_path / "made"
    run(*arguments(own, made, "--jobs", 1))
    whole = contents(made)
    next((made / "clips_videos/val/-dash000000").rglob("0.04.jpg")).unlink()
    (made / ".unitalk/cut/val/EEey6Pt0rqI.json").write_text("{damaged")
    os.utime(own / "videos/9Zja_cIAwY8.mkv", (1, 1))
    (made / ".unitalk/staging/left").mkdir(parents=True)
    again = run(*arguments(own, made, "--jobs", 1))
    assert "videos: 3 cut, 0 kept" in again.stdout
    assert contents(made) == whole
    (made / "clips_audios/val/-dash000000/-dash000000:1.wav").unlink()
    assert "videos: 1 cut, 2 kept" in run(*arguments(own, made, "--jobs", 1)).stdout
    assert contents(made) == whole


def test_a_video_that_was_removed_once_it_was_cut_does_not_matter(run, source, tmp_path):
    own = copied(source, tmp_path / "own")
    run(*arguments(own, tmp_path / "made", "--jobs", 1))
    before = tree(tmp_path / "made")
    for path in (own / "videos").iterdir():
        path.unlink()
    again = run(*arguments(own, tmp_path / "made", "--jobs", 1))
    assert again.code == 0
    assert "videos: 0 cut, 3 kept" in again.stdout
    assert tree(tmp_path / "made") == before


def test_something_else_is_refused_and_takes_its_place_when_it_may(run, source, tmp_path):
    more = ("--margin", "0.1", "--video", "EEey6Pt0rqI")
    said = "videos was not set and is EEey6Pt0rqI; margin was 0.0 and is 0.1"
    made = tmp_path / "made"
    run(*arguments(source, made, "--jobs", 1))
    before = tree(made)
    ran = run(*arguments(source, made, "--jobs", 1, *more))
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "--overwrite" in ran.stderr
    assert tree(made) == before
    assert run(*arguments(source, made, "--jobs", 1, *more, "--overwrite")).code == 0
    run(*arguments(source, tmp_path / "fresh", "--jobs", 1, *more))
    assert tree(made) == tree(tmp_path / "fresh")


def test_other_rows_are_refused_and_only_what_differs_is_cut(run, source, tmp_path):
    own = copied(source, tmp_path / "own")
    made = tmp_path / "made"
    run(*arguments(own, made, "--jobs", 1))
    # One video without its last face, one as it was, one that is gone.
    rows = [*faces("-dash000000")[:-1], *faces("EEey6Pt0rqI")]
    write_rows(own / "val_orig.csv", rows)
    refused = run(*arguments(own, made, "--jobs", 1))
    assert refused.code == 2
    assert "rows of val was" in refused.stderr
    ran = run(*arguments(own, made, "--jobs", 1, "--overwrite"))
    assert ran.code == 0
    assert "videos: 1 cut, 1 kept from an earlier run" in ran.stdout
    run(*arguments(own, tmp_path / "fresh", "--jobs", 1))
    assert tree(made) == tree(tmp_path / "fresh")


def test_stale_crops_of_a_video_that_is_gone_do_not_stay(run, source, tmp_path):
    """They are of another margin, and cannot be cut anew."""
    own = copied(source, tmp_path / "own")
    run(*arguments(own, tmp_path / "made", "--jobs", 1))
    (own / "videos/EEey6Pt0rqI.mkv").unlink()
    ran = run(*arguments(own, tmp_path / "made", "--margin", 0.1, "--overwrite", "--jobs", 1))
    assert ran.code == 3
    assert not list((tmp_path / "made").rglob("EEey6Pt0rqI*"))


def test_a_destination_that_is_not_ours(run, source, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    mark(tmp_path / "sample", made_by="sample", about={})
    before = tree(tmp_path)
    for more in ((), ("--overwrite",)):
        ran = run(*arguments(source, tmp_path / "mine", *more))
        assert ran.code == 2
        assert "did not make it" in ran.stderr
        ran = run(*arguments(source, tmp_path / "sample", *more))
        assert ran.code == 2
        assert "and this is 'crop'" in ran.stderr
    assert run(*arguments(source, source / "videos/made")).code == 2
    assert tree(tmp_path) == before


def test_wrong_arguments(run, source, tmp_path):
    made = tmp_path / "made"
    ran = run(*arguments(source, made, "--video", "nobody"))
    assert (ran.code, ran.stdout) == (3, "")
    assert "has no rows of nobody" in ran.stderr
    assert run(*arguments(source, made, "--margin", "-1")).code == 2
    assert run(*arguments(source, made, "-o", source / "val_orig.csv")).code == 2
    assert run("crop", tmp_path / "none.csv").code == 2
    assert not made.exists()
    both = copied(source, tmp_path / "both")
    (both / "videos/EEey6Pt0rqI.mp4").write_bytes(b"x")
    ran = run(*arguments(both, made))
    assert ran.code == 3
    assert "EEey6Pt0rqI.mkv and " in ran.stderr
    assert not made.exists()


# ------------------------------------------------------------------------------ SIGKILL


def killer(fatal: int, *line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(KILLER), str(fatal), *line],
        env=without_coverage(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@exhaustive
def test_killed_at_any_change_of_the_disk_it_is_continued(source, tmp_path):
    more = ("--jobs", "1", "-q", "--format", "json")
    undisturbed = killer(0, *arguments(source, tmp_path / "whole", *more))
    assert undisturbed.returncode == 0, undisturbed.stderr
    count = int(re.search(r"changes=(\d+)", undisturbed.stderr).group(1))
    assert count > 60
    whole = tree(tmp_path / "whole")
    for fatal in (1, count // 4, count // 2, 3 * count // 4, count - 6, count - 2):
        made = tmp_path / f"killed{fatal}"
        killed = killer(fatal, *arguments(source, made, *more))
        assert killed.returncode == -signal.SIGKILL
        left = {name: data for name, data in tree(made).items() if "/staging/" not in name}
        assert left.items() <= whole.items()  # what has its name is whole
        receipts = len(list(made.glob(".unitalk/cut/val/*.json")))
        again = json.loads(killer(0, *arguments(source, made, *more)).stdout)
        assert (again["kept"], again["written"]) == (receipts, 3 - receipts)
        assert tree(made) == whole
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@exhaustive
def test_killed_while_other_rows_take_their_place(source, tmp_path):
    """The folder is never taken for one that it is not, and the same again makes it whole."""
    more = ("--jobs", "1", "-q")
    changed = (*more, "--video", "EEey6Pt0rqI", "--margin", "0.1", "--overwrite")
    killer(0, *arguments(source, tmp_path / "before", *more))
    killer(0, *arguments(source, tmp_path / "after", *changed))
    before, after = tree(tmp_path / "before"), tree(tmp_path / "after")
    for fatal in (2, 12, 40):
        made = copied(tmp_path / "before", tmp_path / f"made{fatal}")
        assert killer(fatal, *arguments(source, made, *changed)).returncode == -signal.SIGKILL
        plain = killer(0, *arguments(source, made, *more))
        assert plain.returncode == (0 if tree(made) == before else 2)
        assert killer(0, *arguments(source, made, *changed)).returncode == 0
        assert tree(made) == after


@pytest.mark.parametrize("ending", one_in(2, [signal.SIGINT, signal.SIGKILL]))
def test_ended_half_way_with_two_processes(source, tmp_path, ending):
    cut_crops(
        {"val": source / "val_orig.csv"}, tmp_path / "whole", video_dir=source / "videos",
        source=source / "val_orig.csv",
    )  # fmt: skip
    made = tmp_path / "made"
    process = subprocess.Popen(
        [sys.executable, "-m", "unitalk", *arguments(source, made, "-q", "--jobs", "2")],
        env=without_coverage(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list(made.glob(".unitalk/staging/*/faces/*/*.jpg")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(ending)
    said = process.communicate()[1]
    if ending == signal.SIGINT:
        assert process.returncode in {130, 0}  # it may just have been done
        assert "Traceback" not in said
        assert not (made / ".unitalk/staging").exists()
    report = cut_crops(
        {"val": source / "val_orig.csv"}, made, video_dir=source / "videos",
        source=source / "val_orig.csv", executor=Processes(2),
    )  # fmt: skip
    assert report.kept + report.written == 3
    assert tree(made) == tree(tmp_path / "whole")
