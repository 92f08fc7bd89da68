"""Every hint that contains a command, a flag or a line of code is provoked, and then obeyed.

A scenario makes the program print its hints and then types what they say. It passes only if each
of its hints was really printed, and if each flag, verb and extra in it was used with success. A
text in the sources that has a command and is in none of the tables below fails a test.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason='pip install "unitalk[talknet]"')
pytest.importorskip("av", reason='pip install "unitalk[video]"')

import video_files  # noqa: E402
from bucket import Bucket  # noqa: E402
from build import make_tiny  # noqa: E402
from conftest import made_once, on_another_file_system  # noqa: E402
from hints import Person, Scenario, typed  # noqa: E402
from hub_server import Fault  # noqa: E402
from video_files import FACE, Form, Voice  # noqa: E402

import unitalk  # noqa: E402
from unitalk.catalog.video_list import REPOSITORY  # noqa: E402
from unitalk.dataset.sample import publish  # noqa: E402
from unitalk.dataset.trim import trim_dataset  # noqa: E402
from unitalk.net.loopback import LoopbackHub  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCENARIOS: list[Scenario] = []


def obeys(*texts: str, unless: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Register what provokes and obeys some texts; `unless` names what is typed in other tests."""

    def register(play: Callable[[Person], None]) -> Callable[[Person], None]:
        SCENARIOS.append(Scenario(texts, play, frozenset(unless)))
        return play

    return register


@pytest.fixture(scope="module")
def small(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's three videos of the category noise, only read."""
    return made_once(tmp_path_factory, "hints", lambda to: trim_dataset(sample, to, videos="noise"))


@pytest.fixture
def person(run, small, sample, tmp_path, monkeypatch) -> Person:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    return Person(run=run, small=small, sample=sample, tmp=tmp_path, patch=monkeypatch)


# ------------------------------------------------------------------------------ catalogue, AVA


@obeys("categories divide the val split only; see `videos()`")
def a_category_of_train(person):
    person.says("videos", "--split", "train", "--category", "noise", code=2)
    person.does("videos")


@obeys("the categories are {}; `videos()` lists ids")
def a_list_that_is_not_there(person):
    person.says("trim", "--path", person.small, "--new-path", "cut", "--list", "quiet", code=2)
    ids = person.does("videos", "--category", "noise", "--ids")
    Path("ids.txt").write_text(ids)
    person.does("trim", "--path", person.small, "--new-path", "cut", "--list", "ids.txt")


def ava_bucket(person, *, faults=(), lists=True) -> Bucket:
    served = person.tmp / "served"
    for split, name in (("trainval", "aaaaaaaaaaa.mkv"), ("test", "bbbbbbbbbbb.mp4")):
        (served / split).mkdir(parents=True)
        (served / split / name).write_bytes(split.encode() * 999)
        if lists:
            (served / "annotations").mkdir(exist_ok=True)
            (served / f"annotations/ava_file_names_{split}_v2.1.txt").write_text(f"{name}\n")
    return Bucket(served, faults=faults)


@obeys("give one with `list_files`, one name per line")
def ava_has_no_list(person):
    with ava_bucket(person, lists=False) as bucket:
        words = ("ava", "download", "--videos", "ava", "--split", "test", "--base-url",
                 bucket.endpoint)  # fmt: skip
        person.says(*words, code=1)
        Path("names.txt").write_text("bbbbbbbbbbb.mp4\n")
        person.does(*words, "--list", "names.txt")


@obeys("`splits=({},)`")
def ava_names_of_an_unknown_split(person):
    Path("names.txt").write_text("bbbbbbbbbbb.mp4\n")
    with ava_bucket(person) as bucket:
        words = ("ava", "download", "--videos", "ava", "--list", "names.txt", "--base-url",
                 bucket.endpoint)  # fmt: skip
        person.says(*words, code=2)
        person.does(*words, "--split", "test")


@obeys("or only what is left, with --video @{}")
def some_files_fail(person):
    with ava_bucket(person, faults=(Fault("aaaaaaaaaaa", status=403, times=-1),)) as bucket:
        words = ("ava", "download", "--videos", "ava", "--base-url", bucket.endpoint)
        said = person.says(*words, code=4)
        bucket.faults.clear()
        named = re.search(r"--video (@\S+)", said)
        person.does(*words, "--video", named[1])


# ------------------------------------------------------------------------------ download, unpack


@contextlib.contextmanager
def hub(person, *more: str) -> Iterator[str]:
    """A hub that has the small dataset; of `more` videos it has what the first one has."""
    folder = person.tmp / "hub"
    publish(person.small, folder)
    for name in more:
        first = sorted(folder.glob("csv/val/*.csv"))[0]
        first.with_name(f"{name}.csv").write_text(first.read_text().replace(first.stem, name))
    with LoopbackHub(folder) as server:
        yield server.endpoint


def download(endpoint: str, *more: object, to: str = "data") -> list[object]:
    return ["download", "--save-path", to, "--endpoint", endpoint, "--category", "noise", *more]


@obeys("the hub also has {} videos that no published list has; ask for them with --video")
def videos_that_no_list_has(person):
    with hub(person, "unlistedvid") as endpoint:
        person.says("download", "--save-path", "data", "--endpoint", endpoint, "--only", "csv",
                    "--split", "val", code=4)  # fmt: skip
        person.does("download", "--save-path", "data", "--endpoint", endpoint, "--only", "csv",
                    "--video", "unlistedvid")  # fmt: skip


@obeys("leave out `update` to begin one", unless=("--update",))
def an_update_of_nothing(person):
    with hub(person) as endpoint:
        person.says(*download(endpoint, "--update"), code=2)
        person.does(*download(endpoint))


@obeys(
    "the hub has moved on to {}; this folder stays at {} without `update`",
    "`update=True` moves the folder there; without a revision it stays at its commit",
)
def the_hub_has_moved_on(person):
    with hub(person) as endpoint:
        person.does(*download(endpoint))
    first = sorted(person.tmp.glob("hub/csv/val/*.csv"))[0]
    first.write_text(first.read_text().replace("0.5", "0.6"))
    with LoopbackHub(person.tmp / "hub") as server:
        person.does(*download(server.endpoint))
        person.says(*download(server.endpoint, "--revision", "main"), code=2)
        person.does(*download(server.endpoint, "--update"))


@obeys(
    "`adopt=True` takes it over: what is whole is kept, the rest is fetched",
    "{} parts were there and look whole; they are kept, and no hash proves them; "
    "`verify_dataset({}, deep=True)` looks further, `refetch=True` fetches them",
)
def a_dataset_of_the_original_script(person):
    shutil.copytree(person.small, "data")
    shutil.rmtree("data/.unitalk")
    with hub(person) as endpoint:
        person.says(*download(endpoint), code=2)
        person.does(*download(endpoint, "--adopt"))
        person.does("verify", "data", "--deep")
        person.does(*download(endpoint, "--refetch"))


@obeys("`run_download(PLAN, HUB, keep_archives=True)` keeps them below archives/")
def no_archive_is_kept(person):
    with hub(person) as endpoint:
        person.does(*download(endpoint))
        person.says("unpack", "data", code=3)
        person.does(*download(endpoint, "--keep-archives", to="kept"))
        person.does("unpack", "kept", "--save-path", "again")
        person.does(*download(endpoint, "--no-unpack", to="packed"))
        person.does("unpack", "packed")


@obeys("`run_download(PLAN, HUB, sources=(FOLDER,))` takes whole files from any folder")
def archives_of_somebody_else(person):
    with hub(person) as endpoint:
        person.says("unpack", "hub", "--save-path", "data", code=3)
        person.does(*download(endpoint, "--archives", "hub"))


# ------------------------------------------------------------------------------ scores


def truth(person) -> Path:
    return person.small / "csv/val_orig.csv"


def scores(person) -> Path:
    """Predictions of the small dataset's faces."""
    path = person.tmp / "scores.csv"
    head, *lines = (person.sample / "predictions.csv").read_text().splitlines(keepends=True)
    videos = {line.partition(",")[0] for line in truth(person).read_text().splitlines()}
    path.write_text(head + "".join(x for x in lines if x.partition(",")[0] in videos))
    return path


def evaluated(person, *more: object, predictions: object = None) -> list[object]:
    return ["eval", "-g", truth(person), "-p", predictions or scores(person), *more]


@obeys(
    "--categories", "--by category", "--frame-size", "--by face-size", "--face-size", "--data",
    "--by face-size or --report", "--ci-unit", "--ci", "--threshold", "--metrics", "--leaderboard",
    "give --format text, json or markdown",
)  # fmt: skip
def options_that_need_another(person):
    Path("lists.csv").write_text("EEey6Pt0rqI,noise\n")
    categories, size = ("--categories", "lists.csv"), ("--frame-size", "640x360")
    area, data = ("--face-size", "area"), ("--data", person.small)
    unit, threshold = ("--ci-unit", "track"), ("--threshold", "0.4")
    for words in (categories, size, area, data, unit, threshold):
        person.says(*evaluated(person, *words), code=2)
    person.does(*evaluated(person, *categories, "--by", "category"))
    person.does(*evaluated(person, *size, "--by", "face-size"))
    person.does(*evaluated(person, *size, *area, "--by", "face-size"))
    person.does(*evaluated(person, *data, "--by", "face-size"))
    person.does(*evaluated(person, *data, "--report", "page.html"))
    person.does(*evaluated(person, *unit, "--ci", "10"))
    person.does(*evaluated(person, *threshold, "--metrics"))
    for extra in ("--metrics", "--leaderboard"):
        person.says(*evaluated(person, extra, "--format", "csv"), code=2)
        for form in ("text", "json", "markdown"):
            person.does(*evaluated(person, extra, "--format", form))
    person.typed.append(["--by category", "--by face-size"])


def videos_of(text: str) -> dict[str, None]:
    """The ids of a csv's videos."""
    return dict.fromkeys(line.partition(",")[0] for line in text.splitlines()[1:])


@obeys(
    "give a file with a line `id,category` each",
    "give one `id,category` a line",
    "UniTalk's categories divide its val split; for other videos give `categories`, a file "
    "with a line `id,category` for each",
)
def categories_of_other_videos(person):
    text = truth(person).read_text()
    for number, video in enumerate(videos_of(text)):
        text = text.replace(video, f"mine{number}")
    Path("mine.csv").write_text(text)
    guesses = "".join(
        f"{cells[0]},{cells[1]},{cells[7]},0.{number % 10}\n"
        for number, line in enumerate(text.splitlines()[1:])
        if (cells := line.split(","))
    )
    Path("p.csv").write_text(f"video_id,frame_timestamp,entity_id,score\n{guesses}")
    words = ("eval", "-g", "mine.csv", "-p", "p.csv", "--by", "category")
    person.says(*words, code=2)
    person.says(*words, "--categories", "none.csv", code=2)
    Path("wrong.csv").write_text("only-an-id\n")
    person.says(*words, "--categories", "wrong.csv", code=3)
    Path("right.csv").write_text("".join(f"{video},loud\n" for video in videos_of(text)))
    person.does(*words, "--categories", "right.csv")


@obeys("give the frame's size with `frame_size`, or the dataset with `data`, whose crops "
       "tell it")  # fmt: skip
def faces_by_size(person):
    person.says(*evaluated(person, "--by", "face-size"), code=2)
    person.does(*evaluated(person, "--by", "face-size", "--frame-size", "640x360"))
    person.does(*evaluated(person, "--by", "face-size", "--data", person.small))


@obeys("give the dataset that the csv belongs to, with its crops as they were cut, or the frame's "
       "size itself (`frame_size`)")  # fmt: skip
def crops_that_do_not_tell_the_frames_size(person):
    shutil.copytree(person.small, "data")
    for crop in Path("data").glob("clips_videos/val/*/*/*.jpg"):
        crop.write_bytes(crop.read_bytes()[:10])
    person.says(*evaluated(person, "--by", "face-size", "--data", "data"), code=3)
    person.does(*evaluated(person, "--by", "face-size", "--frame-size", "640x360"))


@obeys("; or score only what matches with `partial=True`")
def predictions_of_some_faces(person):
    path = Path("some.csv")
    path.write_text("".join(scores(person).read_text().splitlines(keepends=True)[:100]))
    person.says(*evaluated(person, predictions=path), code=3)
    person.does(*evaluated(person, "--partial", predictions=path))


@obeys("{} the prior: these scores get {} on faces that they do not belong to{}; "
       "`diagnose` looks for the cause")  # fmt: skip
def scores_that_say_nothing(person):
    head, *lines = scores(person).read_text().splitlines()
    half = "\n".join(f"{line.rpartition(',')[0]},0.5" for line in lines)
    Path("half.csv").write_text(f"{head}\n{half}\n")
    person.does(*evaluated(person, predictions="half.csv"))
    person.does("diagnose", "-g", truth(person), "-p", "half.csv", code=3)


@obeys("give a signature of `evaluate`, whole")
def half_a_signature(person):
    said = person.does(*evaluated(person))
    last = next(line for line in said.splitlines() if line.startswith("ap:"))
    person.raises(lambda: unitalk.parse_signature(last[:20]))
    assert unitalk.parse_signature(last).faces == 316


def in_order_of(person, name: str, scores: Callable[[pd.DataFrame], Any]) -> list[object]:
    """Look at predictions of the sample's val faces; `scores` gives one for each row."""
    path = person.sample / "csv/val_orig.csv"
    faces = pd.read_csv(path)
    keys = faces[["video_id", "frame_timestamp", "entity_id"]]
    keys.assign(score=scores(faces)).to_csv(name, index=False)
    return ["diagnose", "-g", path, "-p", name]


@obeys(
    "write each score beside its {} and {}; a program that goes by position needs a loader file "
    'with the tracks in the ground truth\'s order, `groupby("{}", sort=False)`',
    '`groupby("{}")` sorts the ids, and so does a listing of folders: a loader file made so has '
    "another order than the ground truth",
)
def scores_in_the_order_of_sorted_ids(person):
    own = pd.read_csv(person.sample / "predictions.csv")["score"].to_numpy()

    def misplaced(faces: pd.DataFrame) -> Any:
        return own[faces["entity_id"].sort_values(kind="stable").index]

    person.does(*in_order_of(person, "sorted.csv", misplaced), code=3)
    faces = pd.read_csv(person.sample / "csv/val_orig.csv")
    ids = [name for name, _ in faces.groupby("entity_id", sort=False)]
    assert ids == list(dict.fromkeys(faces["entity_id"])) != sorted(ids)


@obeys("look at what the model saw: black crops (`convert_asc` lists them), silent audio, "
       "weights that were not loaded, a shuffled loader")  # fmt: skip
def scores_that_no_order_explains(person):
    noise = np.random.default_rng(5)
    person.does(*in_order_of(person, "noise.csv", lambda faces: noise.random(len(faces))))
    person.does("convert-asc", "--source", person.small, "--destination", "asc")


# ------------------------------------------------------------------------------ places


@obeys("give a new folder, or `overwrite=True` to replace what {} made there")
def a_folder_that_is_full(person):
    words = ("trim", "--path", person.small, "--list", "noise", "--new-path")
    person.does(*words, "cut")
    person.says(*words, "cut", code=2)
    person.does(*words, "new")
    person.does(*words, "cut", "--overwrite")


@obeys("use `link='auto'`, `link='copy'` or `link='sym'`")
def no_hard_links(person):
    other = on_another_file_system(person.small)
    with tempfile.TemporaryDirectory(dir=other) as folder:
        words = ("trim", "--path", person.small, "--list", "noise", "--new-path")
        person.says(*words, f"{folder}/hard", "--link", "hard", code=1)
        for link in ("auto", "copy", "sym"):
            person.does(*words, f"{folder}/{link}", "--link", link)


# ------------------------------------------------------------------------------ conversions


@obeys("convert one split at a time with `splits`")
def a_video_in_both_splits(person):
    data = shutil.copytree(person.small, "data")
    for old, new in (("csv/val_orig.csv", "csv/train_orig.csv"),):
        shutil.copy(Path(data) / old, Path(data) / new)
    for part in ("clips_videos", "clips_audios"):
        shutil.copytree(f"data/{part}/val", f"data/{part}/train")
    words = ("convert-asc", "--source", "data", "--destination")
    person.says(*words, "both", code=3)
    person.does(*words, "train", "--split", "train")
    person.does(*words, "val", "--split", "val")


@obeys(
    "convert into a folder of its own with `destination`, where files get the places and names "
    "that it opens; what is missing or damaged is listed by `verify_dataset`",
    "see what is missing with `verify_dataset`",
)
def crops_that_are_missing(person):
    data = Path(shutil.copytree(person.small, "data"))
    crops = sorted(data.glob("clips_videos/val/*/*/*.jpg"))
    crops[0].unlink()
    person.says("convert-talknet", "--source", data, code=3)
    person.does("verify", data, code=3)
    person.does("convert-talknet", "--source", data, "--destination", "made", code=3)
    for crop in crops[1:]:
        crop.unlink()
    person.says("convert-talknet", "--source", data, "--destination", "none", code=3)
    person.does("verify", data, code=3)


@obeys(
    "move it elsewhere, or convert into another folder with `destination`",
    "convert into another folder with `destination`, or replace it with `overwrite=True`",
)
def tables_that_are_there(person):
    data = Path(shutil.copytree(person.small, "data"))
    person.does("convert-talknet", "--source", data)
    (table,) = data.glob("csv/val_loader.csv")
    table.write_text("mine\n")
    person.says("convert-talknet", "--source", data, code=2)
    person.does("convert-talknet", "--source", data, "--destination", "elsewhere")
    person.does("convert-talknet", "--source", data, "--overwrite")
    # Rows out of order make it keep the csv under another name, which is taken.
    head, *rows = (data / "csv/val_orig.csv").read_text().splitlines(keepends=True)
    (data / "csv/val_orig.csv").write_text("".join([head, *reversed(rows)]))
    (data / "csv/val_orig.before-convert.csv").write_text("mine\n")
    person.says("convert-talknet", "--source", data, "--overwrite", code=2)
    person.does("convert-talknet", "--source", data, "--destination", "another")


@obeys("give either `jobs` or `scheduler`", unless=("--scheduler",))
def processes_and_a_cluster(person):
    words = ("convert-asc", "--source", person.small, "--destination")
    person.says(*words, "asc", "--jobs", "1", "--scheduler", "tcp://127.0.0.1:1", code=2)
    person.does(*words, "asc", "--jobs", "1")


@obeys("give a new folder, or `overwrite=True` to begin anew there")
def an_export_of_something_else(person):
    words = ("export", "webdataset", "--source", person.small, "--destination")
    person.does(*words, "shards")
    person.says(*words, "shards", "--shard-size", "2MB", code=2)
    person.does(*words, "new", "--shard-size", "2MB")
    person.does(*words, "shards", "--shard-size", "2MB", "--overwrite")


# ------------------------------------------------------------------------------ imports


@obeys(
    "import it with `rate=5`, which keeps the rows as they are",
    "take them from the dataset's repository, or leave them out with `partial=True`",
)
def asw_that_is_not_whole(person):
    labelled = [{"time": time, "bbox": [0.1, 0.1, 0.3, 0.4], "label": label, "eval": 1}
                for time, label in ((0.0, 0), (0.07, 1), (0.4, 1))]  # fmt: skip
    for folder in ("json", "split"):
        Path(folder).mkdir()
    Path("json/aaaaaaaaaaa.json").write_text(json.dumps({"track_000000": labelled}))
    Path("split/valset.list").write_text("aaaaaaaaaaa.json\nbbbbbbbbbbb.json\n")
    words = ("import", "asw", "--json", "json", "--destination")
    person.says(*words, "made", "--lists", "json", code=2)
    person.says(*words, "made", "--lists", "split", code=3)
    person.says(*words, "made", "--lists", "split", "--partial", "--rate", "25", code=3)
    person.does(*words, "made", "--lists", "split", "--partial", "--rate", "5")


@obeys("a line has frame, x, y, size, 0 or 1, separated by tabs; boxes fit `frame_size`")
def a_box_beside_columbias_frame(person):
    Path("fusion").mkdir()
    Path("fusion/bell.txt").write_text("1\t1000\t50\t60\t1\n2\t1000\t50\t60\t0\n")
    words = ("import", "columbia", "--labels", "fusion", "--destination", "made")
    person.says(*words, code=3)
    person.does(*words, "--frame-size", "2560x1440")


@obeys("{}: {} gaps of more than 0.2 s within tracks; `verify_dataset` lists them")
def gaps_of_an_import(person):
    Path("fusion").mkdir()
    Path("fusion/bell.txt").write_text("1\t10\t5\t60\t1\n900\t10\t5\t60\t0\n")
    person.does("import", "columbia", "--labels", "fusion", "--destination", "made")
    assert "gap" in person.does("verify", "made", code=3)


# ------------------------------------------------------------------------------ statistics, trim


@obeys("give the folder that holds csv/, or leave out `splits`", unless=("--split",))
def a_split_of_a_csv(person):
    person.says("stats", truth(person), "--split", "val", code=2)
    person.does("stats", person.small, "--split", "val")
    person.does("stats", truth(person))


@obeys("give the folder in which they are, or leave out `splits`", unless=("--split",))
def a_split_that_a_folder_lacks(person):
    words = ("import", "ava", "--csv", person.small / "csv", "--destination", "made")
    person.says(*words, "--split", "test", code=2)
    person.does(*words)


@obeys("give `split={}`", "leave them out with `partial=True`")
def listed_videos_that_are_not_there(person):
    words = ("trim", "--path", person.sample, "--new-path")
    Path("mixed.txt").write_text("-maoolmiKi0\n")
    person.says(*words, "a", "--list", "mixed.txt", code=3)
    person.does(*words, "a", "--list", "mixed.txt", "--split", "train")
    Path("mixed.txt").write_text("EEey6Pt0rqI\nnever-there\n")
    person.says(*words, "b", "--list", "mixed.txt", code=3)
    person.does(*words, "b", "--list", "mixed.txt", "--partial")


@obeys("leave them out with `partial=True`")
def videos_without_sound(person):
    data = shutil.copytree(person.small, "data")
    shutil.rmtree(sorted(Path(data).glob("clips_audios/val/*"))[0])
    words = ("trim", "--path", "data", "--new-path", "cut", "--list", "noise")
    person.says(*words, code=3)
    person.does(*words, "--partial")


# ------------------------------------------------------------------------------ the reader


def first_track(data: object) -> Any:
    return unitalk.tracks(data, split="val")[0]


def typed_in_a_shell(person, line: str) -> None:
    """Type a line that is no command of this program's."""
    subprocess.run(line, shell=True, check=True, capture_output=True)
    person.typed.append(shlex.split(line))


def called(text: str, **given: object) -> Any:
    """Do what a hint says in Python; `given` are the names that it leaves to the caller."""
    names = {name: getattr(unitalk, name) for name in unitalk.__all__}
    return eval(re.search("`(.*?)`", text)[1], names, given)


@obeys("run `{}`: it lists what is wrong and how to set it right")
def a_crop_that_was_lost(person):
    with hub(person) as endpoint:
        person.does(*download(endpoint))
        first = first_track("data")
        next(Path(f"data/clips_videos/val/{first.video_id}/{first.entity_id}").iterdir()).unlink()
        said = person.raises(lambda: first_track("data").jpgs())
        assert called(said).counts == {"missing-jpg": 1}
        obeyed(person, repairs(person, "data"), "--endpoint", endpoint)
        assert first_track("data").jpgs()


@obeys("run `{}`", "mv -n {} {} && ffmpeg -nostdin -i {} {} {}")
def sounds_of_another_form(person):
    shutil.copytree(person.small, "data")
    shutil.rmtree("data/.unitalk")
    sounds = sorted(Path("data").glob("clips_audios/val/*/*.wav"))[:2]
    for sound in sounds:
        with wave.open(str(sound)) as file:
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        with wave.open(str(sound), "wb") as file:
            file.setparams((2, 2, 16000, 0, "NONE", ""))
            file.writeframes(np.repeat(heard, 2).tobytes())

    def track(sound: Path) -> Any:
        return next(t for t in unitalk.tracks("data", split="val") if t.entity_id == sound.stem)

    said = person.raises(lambda: track(sounds[0]).audio)
    typed_in_a_shell(person, re.search("run `(.*)`", said)[1])
    assert track(sounds[0]).audio["array"].any()
    report = json.loads(person.does("-q", "verify", "data", "--deep", "--format", "json", code=3))
    (line,) = report["repairs"]
    typed_in_a_shell(person, line)
    person.does("verify", "data", "--deep")


@obeys("run `plan_download(HUB, {}, selection={})`")
def an_archive_that_is_missing(person):
    with hub(person) as endpoint:
        person.does(*download(endpoint, "--no-unpack"))
        track = unitalk.tracks("data", split="val")[0]
        Path(f"data/archives/clips_videos/val/{track.video_id}.zip").unlink()
        said = person.raises(unitalk.tracks("data", split="val", source="archives")[0].jpgs)
        with unitalk.Hub(endpoint, REPOSITORY) as source:
            plan = called(said, HUB=source)
            unitalk.run_download(plan, source)
        assert unitalk.tracks("data", split="val", source="archives")[0].jpgs()


# ------------------------------------------------------------------------------ extras


WITHOUT = """
import sys
from pathlib import Path

absent, data, *tries = sys.argv[1:]
for module in absent.split():
    sys.modules[module] = None
import unitalk
for code in tries:
    try:
        exec(code)
    except unitalk.UnitalkError as error:
        print(error.hint)
"""
"""Run code in a process in which some modules are not installed."""


EXTRAS = {
    "cluster": "from unitalk import executor\n"
               "with executor.open_executor(scheduler='tcp://127.0.0.1:1'): pass",
    "plot": "from unitalk import plot_style; plot_style.check(Path('p.png'))",
    "talknet": "import unitalk.models.registry",
    "torch": "import unitalk.media.tracks.torch_dataset",
    "tracks": "unitalk.tracks(data, split='val')[0].gray(112)",
    "video": "from unitalk.media import libraries; libraries.load('av')",
    "weights": "unitalk.download_weights('talknet-ava', Path('w'))",
}  # fmt: skip
TENSORBOARD = "from unitalk.models import tensorboard_log; tensorboard_log.open_board(Path('.'))"


@obeys('pip install "unitalk[{}]"', *(text for text in typed() if text.startswith("pip install ")))
def extras_that_are_not_installed(person):
    for absent, tries in (
        ("av cv2 distributed gdown matplotlib torch", EXTRAS.values()),
        ("torch.utils.tensorboard", [TENSORBOARD]),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", WITHOUT, absent, person.small, *tries],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        person.hears(ran.stdout)
    for extra in (*EXTRAS, "tensorboard"):
        person.installs(extra)


# ------------------------------------------------------------------------------ verify's repairs


def repairs(person, *words: object) -> list[list[str]]:
    """The commands that `unitalk verify` prints, in words."""
    report = json.loads(person.does("-q", "verify", *words, "--format", "json", code=3))
    person.hears("\n".join(report["repairs"]))
    return [shlex.split(line)[1:] for line in report["repairs"]]


def obeyed(person, commands: list[list[str]], *more: object) -> None:
    for words in commands:
        own = more if words[0] == "download" else ()
        person.does(*words, *own, code=3 if words[0] == "verify" else 0)


@obeys(" --video @{}")
def a_download_that_was_damaged(person):
    publish(person.sample, person.tmp / "hub")
    with LoopbackHub(person.tmp / "hub") as server:
        endpoint = ("--endpoint", server.endpoint)
        person.does("download", "--save-path", "data", "--split", "val", *endpoint)
        sounds = sorted(Path("data").glob("clips_audios/val/*"))
        shutil.rmtree(sounds[0])
        obeyed(person, repairs(person, "data"), *endpoint)
        for folder in sounds:
            next(folder.iterdir()).write_bytes(b"RIFF")
        obeyed(person, repairs(person, "data", "--deep"), *endpoint)
        shutil.rmtree("data/clips_audios")
        obeyed(person, repairs(person, "data"), *endpoint)
        person.does("verify", "data", "--deep")


@obeys()
def a_video_whose_id_begins_with_a_dash(person):
    trim = ("trim", "--path", person.sample, "--split", "train", "--list", "ids.txt")
    Path("ids.txt").write_text("-maoolmiKi0\n")
    person.does(*trim, "--new-path", "dashed")
    publish(person.tmp / "dashed", person.tmp / "hub")
    with LoopbackHub(person.tmp / "hub") as server:
        endpoint = ("--endpoint", server.endpoint)
        person.does("download", "--save-path", "data", "--video=-maoolmiKi0", *endpoint)
        sorted(Path("data").glob("clips_audios/train/*/*.wav"))[0].unlink()
        obeyed(person, repairs(person, "data"), *endpoint)
        person.does("verify", "data")


@obeys("mkdir -p {} && mv -n {} {}")
def crops_in_another_place(person):
    shutil.copytree(person.small, "data")
    shutil.rmtree("data/.unitalk")
    for video in sorted(Path("data/clips_videos/val").iterdir()):
        video.rename(f"data/clips_videos/{video.name}")
    report = json.loads(person.does("-q", "verify", "data", "--format", "json", code=3))
    for line in report["repairs"]:
        person.hears(line)
        typed_in_a_shell(person, line)
    person.does("verify", "data")
    for part in ("clips_videos", "clips_audios"):  # ASC's layout has no folder of the video
        for track in sorted(Path(f"data/{part}/val").glob("*/*")):
            track.rename(track.parents[1] / track.name)
        for video in sorted(Path(f"data/{part}/val").iterdir()):
            if video.is_dir() and not any(video.iterdir()):
                video.rmdir()
    (words,) = repairs(person, "data")
    said = person.does(*words, code=3)  # whose loader wants times spelled as the files
    assert re.findall(r"^ *\d+  ([a-z-]+):", said, re.MULTILINE) == [
        "asc-time-text",
        "asc-groundtruth",
    ]


@obeys()
def crops_of_videos_that_were_damaged(person):
    words = [*filmed(person), "--destination"]
    Path("rows").mkdir()
    shutil.copy("val_orig.csv", "rows")
    ava = ["ava", "prepare", "--csv", "rows", *words[3:]]
    for made, line in (("made", words), ("ava-made", ava)):
        person.does(*line, made)
        sorted(Path(made).glob("clips_videos/val/*/*/*.jpg"))[0].unlink()
        (again,) = repairs(person, made)
        person.does(*filled_in(again, CSV=line[line.index("--csv") + 1], VIDEOS="videos"))
        person.does("verify", made)


@obeys()
def a_trimmed_dataset_that_was_damaged(person):
    person.does("trim", "--path", person.sample, "--new-path", "cut", "--list", "noise")
    sorted(Path("cut").glob("clips_audios/val/*/*.wav"))[0].unlink()
    (words,) = repairs(person, "cut")
    person.does(*filled_in(words, SOURCE=person.sample, LIST="noise"))
    person.does("verify", "cut")


@obeys("convert the dataset again (`convert_asc`)")
def a_conversion_that_was_damaged(person):
    for verb, layout in (("convert-loconet", ()), ("convert-asc", ("--layout", "asc"))):
        person.does(verb, "--source", person.small, "--destination", verb)
        sorted(Path(verb).rglob("*.wav"))[0].unlink()
        if layout:
            csv = Path(verb) / "csv/val_orig.csv"
            csv.write_text(csv.read_text().replace(".04,", ".040,", 1))
            person.does("verify", verb, *layout, code=3)
        (words,) = repairs(person, verb, *layout)
        person.does(*filled_in(words, DATASET=person.small))
        person.does("verify", verb, *layout)


@obeys("make the loader's csv again (`convert_talknet`)")
def a_loaders_table_that_was_damaged(person):
    shutil.copytree(person.small, "data")
    shutil.rmtree("data/.unitalk")
    person.does("convert-talknet", "--source", "data")
    (table,) = Path("data").glob("csv/val_loader.csv")
    table.write_text(table.read_text().replace("\t", " ", 1))
    person.does("verify", "data", "--layout", "talknet", code=3)
    (words,) = [w for w in repairs(person, "data", "--layout", "talknet") if "talknet" in w[0]]
    person.does(*words)
    person.does("verify", "data", "--layout", "talknet")


def filled_in(words: list[str], **given: object) -> list[object]:
    return [given.get(word, word) for word in words]


# ------------------------------------------------------------------------------ cropping


def filmed(person) -> list[object]:
    video_files.make_video(Path("videos/aaaaaaaaaaa.mkv"), Form(frames=10, sound="pcm_s16le"))
    video_files.write_rows(Path("val_orig.csv"), [
        ("aaaaaaaaaaa", round(n / 25, 2), FACE, "aaaaaaaaaaa:0") for n in range(8)
    ])  # fmt: skip
    return ["crops", "--csv", "val_orig.csv", "--videos", "videos", "--jobs", "1"]


@obeys("give a new folder, or `overwrite=True` to replace what differs")
def crops_of_something_else(person):
    words = filmed(person)
    person.does(*words, "--destination", "made")
    words += ["--margin", "0.2", "--destination"]
    person.says(*words, "made", code=2)
    person.does(*words, "new")
    person.does(*words, "made", "--overwrite")


@obeys("name one with `splits`")
def rows_of_an_unknown_split(person):
    words = filmed(person)
    Path("val_orig.csv").rename("mine.csv")
    words[2] = "mine.csv"
    person.says(*words, "--destination", "made", code=2)
    person.does(*words, "--destination", "made", "--split", "val")


@obeys("to take another stream, run the same command with --audio-stream N or --video-stream N, "
       "and --overwrite")  # fmt: skip
def videos_with_several_streams(person):
    words = [*filmed(person), "--destination", "made"]
    voice = Voice(samples=np.ones((1, 6400), np.int16))
    video_files.make_streams(Path("videos/aaaaaaaaaaa.mkv"), [Form(frames=10)] * 2, [voice] * 2)
    person.does(*words)
    person.does(*words, "--audio-stream", "2", "--video-stream", "2", "--overwrite")


@obeys("run it without `drop_missing`, into a new folder, to see what is wrong with each video",
       unless=("--drop-missing",))  # fmt: skip
def no_face_can_be_cut(person):
    words = [*filmed(person), "--destination"]
    Path("videos/aaaaaaaaaaa.mkv").rename("elsewhere.mkv")
    person.says(*words, "made", "--drop-missing", code=3)
    assert "aaaaaaaaaaa" in person.does(*words, "new", code=3)


# ------------------------------------------------------------------------------ networks


def train(data: object, to: object, *more: object) -> list[object]:
    return ["talknet", "train", "--data", data, "--out", to, "--model", "light-asd", "--workers",
            "0", "--batch-frames", "40", *more]  # fmt: skip


@obeys("continue it with `resume=True`; or give a new folder",
       "`resume=True` needs the folder that an earlier run wrote to",
       "{}: not a checkpoint of `train_network`")  # fmt: skip
def a_run_that_is_there(person):
    data = make_tiny(person.tmp / "data")
    person.does(*train(data, "run", "--epochs", "1"))
    person.says(*train(data, "run", "--epochs", "2"), code=2)
    person.does(*train(data, "new", "--epochs", "1"))
    shutil.copytree("run", "broken")
    torch.save({"weight": torch.zeros(1)}, "broken/last.pt")
    person.says(*train(data, "broken", "--epochs", "2", "--resume"), code=3)
    person.does(*train(data, "run", "--epochs", "2", "--resume"))


@obeys("take them out of one of the splits, or allow it with `allow_leak=True`")
def a_video_in_train_and_in_val(person):
    data = make_tiny(person.tmp / "data")
    path = data / "csv/train_orig.csv"
    kept = path.read_text()
    for csv in ("csv/val_orig.csv",):
        path.write_text(kept + "".join((data / csv).read_text().splitlines(keepends=True)[1:]))
    for part in ("clips_videos", "clips_audios"):
        shutil.copytree(data / part / "val", data / part / "train", dirs_exist_ok=True)
    person.says(*train(data, "run", "--epochs", "1"), code=3)
    person.does(*train(data, "run", "--epochs", "1", "--allow-leak"))
    path.write_text(kept)
    person.does(*train(data, "other", "--epochs", "1"))


@obeys("give `device='cpu'`, or install a build of PyTorch for your GPU")
def a_gpu_that_is_not_there(person):
    person.patch.setattr("torch.cuda.device_count", lambda: 0)
    words = train(make_tiny(person.tmp / "data"), "run", "--epochs", "1", "--device")
    person.says(*words, "cuda", code=2)
    person.does(*words, "cpu")


@obeys("LoCoNet's own code reads it; `convert_loconet` writes what that reads")
def weights_of_loconet(person):
    names = ("model.convAV.weight", "lossAV.FC.bias")
    torch.save({f"model.module.{name}": torch.zeros(1) for name in names}, "loconet.model")
    person.says("talknet", "predict", "--data", person.small, "--weights", "loconet.model", "-o",
                "p.csv", code=3)  # fmt: skip
    person.does("convert-loconet", "--source", person.small, "--destination", "loconet")


# ------------------------------------------------------------------------------ weights


REGISTERED = ("weights", "download", "talknet-ava", "--from-file")


def saved(name: str, content: bytes = b"weights") -> str:
    Path(name).write_bytes(b"PK\x03\x04" + content)
    return name


@obeys("`download_weights({}, {})`", "to have that one again: `download_weights({}, {})`",
       "a {}, for: unitalk talknet predict --weights {}", "unitalk talknet --model {}",
       "kept in {}; `unitalk weights show NAME` says what reads the others",
       unless=("--weights", "talknet", "--model"))  # fmt: skip
def weights_that_are_not_here(person):
    predict = ("talknet", "predict", "--data", person.small, "--weights", "talknet-ava", "-o", "p")
    person.says(*predict, code=2)
    person.does(*REGISTERED, saved("a.model"))
    person.does("weights", "list")
    person.does("weights", "show", "talknet-ava")
    saved("weights/talknet-ava.model", b"other")
    person.says(*predict, code=3)
    Path("weights/talknet-ava.model").unlink()
    person.does(*REGISTERED, "a.model")


@obeys(
    "if it is the right one: `register_weights({}, {}, {})`",
    "fetch it again; or let it take the other one's place with `replace=True`",
    "put it elsewhere, then register each file: `register_weights(NAME, FOLDER, FILE)`",
    unless=("--weights",),
)
def weights_that_are_others(person):
    Path("weights").mkdir()
    saved("weights/talknet-ava.model")
    person.says(*REGISTERED, saved("a.model"), code=2)
    person.does(*REGISTERED, "weights/talknet-ava.model")
    person.says(*REGISTERED, saved("b.model", b"other"), code=1)
    person.does(*REGISTERED, "b.model", "--replace")
    person.says("weights", "download", "light-asd-ava", "--from-file", "b.model", code=1)
    Path("weights/weights.json").write_text("[]")
    person.says("weights", "list", code=3)
    Path("weights/weights.json").rename("elsewhere.json")
    person.does(*REGISTERED, "weights/talknet-ava.model")


# ------------------------------------------------------------------------------ the tables


CLUSTER = "test_executor.py::test_a_scheduler_that_is_not_there_or_has_no_worker"

CAUSES = "test_diagnose_causes.py"

CARD = next(text for text in typed() if text.startswith("---\nconfigs:"))

ELSEWHERE = {
    "was there too little memory? run again with `jobs=1`":
        "test_executor.py::test_a_process_that_is_killed_is_said",
    "to keep what was made, and try the verbs on it: unitalk quickstart DEST":
        "test_quickstart.py::test_without_a_folder_it_leaves_nothing",
    "start one with `dask scheduler`, which says its address": CLUSTER,
    "start some with `dask worker {}`": CLUSTER,
    'install it there: pip install "unitalk[cluster]=={}"': CLUSTER,
    "start all of them together, with torchrun --nproc-per-node N":
        "test_talknet_distributed.py::test_two_processes_are_one_with_twice_the_frames",
    "unitalk: stopped, and saved\n  -> --resume goes on where it stopped":
        "test_cli_talknet.py::test_an_interrupt_saves_and_says_how_to_go_on",
    "open {} in a browser, save the file, then: `register_weights({}, FOLDER, FILE)`":
        "test_weights.py::test_no_network_at_all_is_said",
    CARD: "test_export_forms.py::test_load_dataset_opens_the_folder_offline",
    'predictions = predictions[predictions["{}"] == "{}"]':
        "test_diagnose.py::test_of_one_row_for_each_label_those_of_speaking_are_kept",
    "predictions = predictions.drop_duplicates({})":
        "test_diagnose.py::test_a_file_that_was_written_twice_is_mended_by_the_line_that_is_given",
    'predictions["{}"]': f"{CAUSES}::test_times_that_were_changed",
    'predictions["{}"].astype(str)': f"{CAUSES}::test_ids_in_another_spelling",
    '{} = {} + ":" + {}.astype(str)': f"{CAUSES}::test_ids_in_another_spelling",
    "{} = {}.astype(str){}": f"{CAUSES}::test_ids_in_another_spelling",
    'predictions["{}"] = "{}"': f"{CAUSES}::test_labels_that_are_mixed",
    'predictions["{}"] = -predictions["{}"]': f"{CAUSES}::test_scores_that_are_inverted",
    'order = predictions.astype({}).reset_index(drop=True).sort_values({}, kind="stable").index\n'
    "{} = {}{}.to_numpy()[{}]": f"{CAUSES}::test_scores_in_the_order_of_sorted_rows",
}  # fmt: skip
"""Texts that another test provokes and obeys."""

TABLE, REGEX = "describes a table", "a regular expression"

NO_ADVICE = {
    "`{}`": "a signature or a character in quotes",
    "have `{}` for `:`": "a cause that diagnose names; its lines of code are in ELSEWHERE",
    "Train TalkNet or Light-ASD; --resume to go on.": "a line of --help",
    "{}:{}: {} is no id below a line `# Category`": "quotes a file's line",
    " --video[= ](\\S+)": REGEX,
    "(?: --video[= ]\\S+)+": REGEX,
    "faces by how many faces their frame has, as `evaluate(by='faces')`": TABLE,
    "tracks by seconds, as `evaluate(by='track-length')`: 1.0 counts to 1-3, 10 to 5-10": TABLE,
    "faces by pixel_width, as `evaluate(by='face-size')`": TABLE,
    "faces by pixel_width times pixel_height, as "
    "`evaluate(by='face-size', options=EvaluateOptions(face_size='area'))`":
        TABLE,
    "the box's width in pixels, or with `face_size='area'` its area against 64 x 64 and 128 x "
    "128, as UniTalk's authors count; needs `frame_size` or `data`, whose crops tell the "
    "frame's size": TABLE,
    "UniTalk's lists of its val split, or those of `categories`": "a table of the README",
}  # fmt: skip
"""Texts that tell nobody to type anything, and what they are."""


def test_every_text_with_a_command_is_in_a_table():
    known = {text for scenario in SCENARIOS for text in scenario.texts} | ELSEWHERE.keys()
    found = typed()
    unknown = {text: places for text, places in found.items()
               if text not in known and text not in NO_ADVICE}  # fmt: skip
    assert not unknown, "write a scenario that provokes and obeys each of these"
    assert not (known | NO_ADVICE.keys()) - found.keys(), "no source has these any more"


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_what_is_tested_elsewhere_is(place):
    file, _, name = place.partition("::")
    assert re.search(
        rf"^def {name}\(", Path(__file__).with_name(file).read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.play.__name__)
def test_a_hint_works_when_it_is_obeyed(person, scenario):
    scenario.play(person)
    scenario.judge(person)
