"""Every hint that contains a command, a flag or a line of code is provoked, and then obeyed.

A scenario makes the program print its hints and then types what they say. It passes only if each
of its hints was really printed, and if each flag, verb and extra in it was used with success. A
text in the sources that has a command and is in none of the tables below fails a test.

Many scenarios are a script of `SCRIPTS`: hints behind `->`, then lines of `Person.plays`.
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
import pytest

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
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
        SCENARIOS.append(Scenario(play.__name__, texts, play, frozenset(unless)))
        return play

    return register


def scenario_of(section: str) -> Scenario:
    """Read a part of `SCRIPTS`: a name, hints behind `->`, and a script; indented lines go on."""
    head, *lines = re.sub(r"\n +", " ", section.strip()).splitlines()
    name, _, unless = head.partition("; unless ")
    texts = tuple(line.removeprefix("-> ") for line in lines if line.startswith("-> "))
    script = "\n".join(line for line in lines if not line.startswith("-> "))
    return Scenario(name, texts, lambda person: person.plays(script), frozenset(unless.split()))


@pytest.fixture(scope="module")
def small(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's three videos of the category noise, only read."""
    return made_once(tmp_path_factory, "hints", lambda to: trim_dataset(sample, to, videos="noise"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits to train on, only read."""
    return made_once(tmp_path_factory, "hints-tiny", make_tiny)


@pytest.fixture
def person(run, small, tiny, sample, tmp_path, monkeypatch) -> Person:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    names = {"small": small, "tiny": tiny, "sample": sample, "scores": tmp_path / "scores.csv",
             "truth": small / "csv/val_orig.csv"}  # fmt: skip
    names["eval"] = f"eval -g {names['truth']}"
    names["train"] = "train --model light-asd --workers 0 --batch-frames 40"
    person = Person(run=run, small=small, sample=sample, tmp=tmp_path, patch=monkeypatch,
                    names=names)  # fmt: skip
    head, *lines = (sample / "predictions.csv").read_text().splitlines(keepends=True)
    videos = {line.partition(",")[0] for line in names["truth"].read_text().splitlines()}
    own = "".join(line for line in lines if line.partition(",")[0] in videos)
    names["scores"].write_text(head + own)
    return person


# ------------------------------------------------------------------------------ scripts


SCRIPTS = r"""

== a_category_of_train
-> categories divide the val split only; see `videos()`
2! videos --split train --category noise
videos

== a_list_that_is_not_there
-> the categories are {}; `videos()` lists ids
2! trim --path {small} --new-path cut --list quiet
videos --category noise --ids -o ids.txt
trim --path {small} --new-path cut --list ids.txt

== options_that_need_another
-> --categories
-> --by category
-> --frame-size
-> --by face-size
-> --face-size
-> --dataset
-> --by face-size or --report
-> --ci-unit
-> --ci
-> --threshold
-> --metrics
-> --leaderboard
-> give --format text, json or markdown
$ echo EEey6Pt0rqI,noise > lists.csv
2! {eval} -p {scores} --categories lists.csv
{eval} -p {scores} --categories lists.csv --by category
2! {eval} -p {scores} --frame-size 640x360
2! {eval} -p {scores} --face-size area
{eval} -p {scores} --frame-size 640x360 --face-size area --by face-size
2! {eval} -p {scores} --dataset {small}
{eval} -p {scores} --dataset {small} --by face-size --report page.html
2! {eval} -p {scores} --ci-unit track
{eval} -p {scores} --ci-unit track --ci 10
2! {eval} -p {scores} --threshold 0.4
{eval} -p {scores} --threshold 0.4 --metrics
2! {eval} -p {scores} --metrics --format csv
2! {eval} -p {scores} --leaderboard --format csv
{eval} -p {scores} --metrics --leaderboard --format text
{eval} -p {scores} --metrics --leaderboard --format json
{eval} -p {scores} --metrics --leaderboard --format markdown

== a_split_of_the_ground_truth
-> give `split={}`, or the csv file itself
-> leave out `split`, or give the folder that contains csv/
$ mkdir -p data/csv && cp {truth} data/csv/train_orig.csv
2! eval data {scores}
eval data {scores} --split train
2! diagnose {truth} {scores} --split val
diagnose {truth} {scores}

== the_frames_size
-> give the frame's width and height with `frame_size`, or the dataset with `dataset`, whose crops
   tell it
-> give the dataset that the csv belongs to, with its crops as they were cut, or the frame's size
   itself (`frame_size`)
2! {eval} -p {scores} --by face-size
$ cp -r {small} data && find data -name '*.jpg' -exec truncate -s 10 {{}} +
3! {eval} -p {scores} --by face-size --dataset data
{eval} -p {scores} --by face-size --dataset {small}
{eval} -p {scores} --by face-size --frame-size 640x360

== predictions_of_some_faces
-> ; or add `partial=True` to score only the faces that match
$ head -n 100 {scores} > some.csv
3! {eval} -p some.csv
{eval} -p some.csv --partial

== scores_that_say_nothing
-> {} the prior: assigned to other faces, the same scores get {}{}; `diagnose` looks for
   the cause
$ sed 's/,[^,]*$/,0.5/; 1s/,0.5$/,score/' {scores} > half.csv
{eval} -p half.csv
3 diagnose -g {truth} -p half.csv

== a_folder_that_is_full
-> give a new folder, or `overwrite=True` to replace what {} made there
trim --path {small} --list noise --new-path cut
2! trim --path {small} --list noise --new-path cut
trim --path {small} --list noise --new-path new
trim --path {small} --list noise --new-path cut --overwrite

== a_video_in_both_splits
-> convert one split at a time with `splits`
$ cp -r {small} data && cp data/csv/val_orig.csv data/csv/train_orig.csv
$ for part in videos audios; do cp -r data/clips_$part/val data/clips_$part/train; done
3! convert-asc --source data --destination both
convert-asc --source data --destination train --split train
convert-asc --source data --destination val --split val

== crops_that_are_missing
-> convert into a folder of its own with `destination`, where files get the places and names that
   it opens; what is missing or damaged is listed by `verify_dataset`
-> see what is missing with `verify_dataset`
$ cp -r {small} data && rm "$(find data -name '*.jpg' | head -n 1)"
3! convert-talknet data
3 convert-talknet data --destination made
$ find data -name '*.jpg' -delete
3! convert-talknet data --destination none
3 verify data

== tables_that_are_there
-> move it elsewhere, or convert into another folder with `destination`
-> convert into another folder with `destination`, or replace it with `overwrite=True`
$ cp -r {small} data && echo mine > data/csv/val_loader.csv
2! convert-talknet data
convert-talknet data --destination elsewhere
convert-talknet data --overwrite
$ cd data/csv && (head -n 1 val_orig.csv; tail -n +2 val_orig.csv | tac) > out-of-order
$ cd data/csv && mv out-of-order val_orig.csv && echo mine > val_orig.before-convert.csv
2! convert-talknet data --overwrite
convert-talknet data --destination another

== processes_and_a_cluster; unless --scheduler
-> give either `jobs` or `scheduler`
2! convert-asc --source {small} --destination asc --jobs 1 --scheduler tcp://127.0.0.1:1
convert-asc --source {small} --destination asc --jobs 1

== an_export_of_something_else
-> give a new folder, or `overwrite=True` to start over there
export webdataset --jobs 1 {small} --destination shards
2! export webdataset --jobs 1 {small} --destination shards --shard-size 2MB
export webdataset --jobs 1 {small} --destination new --shard-size 2MB
export webdataset --jobs 1 {small} --destination shards --shard-size 2MB
   --overwrite

== labels_of_columbia
-> a line has frame, x, y, size, 0 or 1, separated by tabs; boxes fit `frame_size`
-> {}: {} gaps of more than 0.2 s within tracks; `verify_dataset` lists them
$ mkdir wide apart
$ printf '1\t1000\t50\t60\t1\n2\t1000\t50\t60\t0\n' > wide/bell.txt
3! import columbia --jobs 1 wide --destination made
import columbia --jobs 1 wide --destination made --frame-size 2560x1440
$ printf '1\t10\t5\t60\t1\n900\t10\t5\t60\t0\n' > apart/bell.txt
import columbia --jobs 1 apart --destination gap
3 verify gap

== a_split_of_a_csv; unless --split
-> give the folder that holds csv/, or leave out `splits`
2! stats {truth} --csv-only --split val
stats {small} --csv-only --split val
stats {truth} --csv-only

== a_split_that_a_folder_lacks; unless --split
-> give the folder in which they are, or leave out `splits`
2! import ava --jobs 1 {small}/csv --destination made --split test
import ava --jobs 1 {small}/csv --destination made

== listed_videos_that_are_not_there
-> give `split={}`
-> leave them out with `partial=True`
$ echo -maoolmiKi0 > train.txt; printf 'EEey6Pt0rqI\nnever-there\n' > mixed.txt
3! trim --path {sample} --new-path a --list train.txt
trim --path {sample} --new-path a --list train.txt --split train
3! trim --path {sample} --new-path b --list mixed.txt
trim --path {sample} --new-path b --list mixed.txt --partial
$ cp -r {small} data && rm -r data/clips_audios/val/EEey6Pt0rqI
3! trim --path data --new-path c --list noise
trim --path data --new-path c --list noise --partial

== a_video_in_train_and_in_val
-> take them out of one of the splits, or allow it with `allow_leak=True`
$ cp -r {tiny} data && tail -n +2 data/csv/val_orig.csv >> data/csv/train_orig.csv
$ for part in videos audios; do cp -r data/clips_$part/val/* data/clips_$part/train; done
3! {train} data --destination run --epochs 1
{train} data --destination run --epochs 1 --allow-leak

== weights; unless --weights predict
-> download the registered one again: `download_weights({}, {})`
-> next: unitalk predict DATASET --weights {} -o FILE
-> files are kept in {}; `unitalk weights show NAME` describes one
-> fetch it without {}: `download_weights({}, {})`
-> --offline
-> if it is the right file, register it: `register_weights({}, {}, {})`
-> download it again; or accept this file as the new one with `replace=True`
-> move it elsewhere, then register each file: `register_weights(NAME, FOLDER, FILE)`
$ printf 'PK\003\004weights' > a.model; printf 'PK\003\004other' > b.model; mkdir weights
2! predict {small} --weights talknet-ava -o p --offline
$ cp a.model weights/talknet-ava.model
2! weights download talknet-ava --from-file b.model
weights download talknet-ava --from-file weights/talknet-ava.model
weights download talknet-ava --offline
weights list
weights show talknet-ava
1! weights download talknet-ava --from-file b.model
weights download talknet-ava --from-file b.model --replace
$ echo another > weights/talknet-ava.model
3! predict {small} --weights talknet-ava -o p
$ rm weights/talknet-ava.model
weights download talknet-ava --from-file b.model
$ echo '[]' > weights/weights.json
3! weights list
$ mv weights/weights.json elsewhere.json
weights download talknet-ava --from-file weights/talknet-ava.model

== weights_that_are_not_named; unless --all --help
-> Give NAME, one or several, or --all.
-> --from-file is for one NAME.
$ printf 'PK\003\004weights' > a.model
2! weights download
2! weights download talknet-ava s3fd --from-file a.model
weights download talknet-ava --from-file a.model
"""

SCENARIOS += [scenario_of(section) for section in SCRIPTS.split("\n== ")[1:]]

# ------------------------------------------------------------------------------ catalogue, AVA


def ava_bucket(person, *, faults=(), lists=True) -> Bucket:
    served = person.tmp / "served"
    for split, name in (("trainval", "aaaaaaaaaaa.mkv"), ("test", "bbbbbbbbbbb.mp4")):
        (served / split).mkdir(parents=True)
        (served / split / name).write_bytes(split.encode() * 999)
        if lists:
            (served / "annotations").mkdir(exist_ok=True)
            (served / f"annotations/ava_file_names_{split}_v2.1.txt").write_text(f"{name}\n")
    return Bucket(served, faults=faults)


@obeys("give one with `list_files`, one name per line", "`splits=({},)`")
def ava_lacks_a_list(person):
    Path("names.txt").write_text("bbbbbbbbbbb.mp4\n")
    with ava_bucket(person, lists=False) as bucket:
        ava = f"ava download --destination ava --base-url {bucket.endpoint}"
        person.plays(f"""
            1! {ava} --split test
            2! {ava} --list names.txt
            {ava} --split test --list names.txt
        """)


@obeys("or only what is left, with --video @{}")
def some_files_fail(person):
    with ava_bucket(person, faults=(Fault("aaaaaaaaaaa", status=403, times=-1),)) as bucket:
        words = ("ava", "download", "--destination", "ava", "--base-url", bucket.endpoint)
        said = person.says(*words, code=4)
        bucket.faults.clear()
        person.does(*words, "--video", re.search(r"--video (@\S+)", said)[1])


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
        person.names["get"] = f"download --endpoint {server.endpoint} --category noise --save-path"
        yield server.endpoint


@obeys("on the hub, but not in UniTalk's lists: {}; download them with --video")
def videos_that_no_list_has(person):
    with hub(person, "unlistedvid") as endpoint:
        get = f"download --save-path data --endpoint {endpoint} --only csv"
        person.plays(f"4! {get} --split val\n{get} --video unlistedvid")


@obeys("leave out `update` to start one", unless=("--update",))
def an_update_of_nothing(person):
    with hub(person):
        person.plays("2! {get} data --update\n{get} data")


@obeys(
    "the hub has moved on to {}; this folder stays at {} without `update`",
    "`update=True` moves the folder there; without a revision it stays at its commit",
)
def the_hub_has_moved_on(person):
    with hub(person):
        person.plays("{get} data")
    first = sorted(person.tmp.glob("hub/csv/val/*.csv"))[0]
    first.write_text(first.read_text().replace("0.5", "0.6"))
    with LoopbackHub(person.tmp / "hub") as server:
        get = f"download --endpoint {server.endpoint} --category noise --save-path data"
        person.plays(f"{get}\n2! {get} --revision main\n{get} --update")


@obeys(
    "`adopt=True` takes it over: what is whole is kept, the rest is fetched",
    "{} parts were there and look whole; they are kept, and no hash proves them; "
    "`verify_dataset({}, deep=True)` looks further, `refetch=True` fetches them",
)
def a_dataset_of_the_original_script(person):
    with hub(person):
        person.plays("""
            $ cp -r {small} data && rm -r data/.unitalk
            2! {get} data
            {get} data --adopt
            verify data --deep
            {get} data --refetch
        """)


@obeys(
    "`run_download(PLAN, HUB, keep_archives=True)` keeps them below archives/",
    "`run_download(PLAN, HUB, sources=(FOLDER,))` takes whole files from any folder",
)
def archives_that_are_not_kept(person):
    with hub(person):
        person.plays("""
            {get} data
            3! unpack data
            {get} kept --keep-archives
            unpack kept --destination again
            3! unpack hub --destination other
            {get} other --archives hub
        """)


# ------------------------------------------------------------------------------ scores


@obeys(
    "give one `id,category` a line",
    "UniTalk's categories divide its val split; for other videos give `categories`, a file "
    "with a line `id,category` for each",
)
def categories_of_other_videos(person):
    for source, name in ((person.names["truth"], "mine.csv"), (person.names["scores"], "p.csv")):
        Path(name).write_text(re.sub(r"^[\w-]{9}", "another--", source.read_text(), flags=re.M)
                              .replace("another--d", "video_id", 1))  # fmt: skip
    head, *rows = Path("mine.csv").read_text().splitlines()
    assert head.startswith("video_id,")
    videos = dict.fromkeys(row.partition(",")[0] for row in rows)
    Path("right.csv").write_text("".join(f"{video},loud\n" for video in videos))
    person.plays("""
        $ echo only-an-id > wrong.csv
        2! eval -g mine.csv -p p.csv --by category
        2! eval -g mine.csv -p p.csv --by category --categories none.csv
        3! eval -g mine.csv -p p.csv --by category --categories wrong.csv
        eval -g mine.csv -p p.csv --by category --categories right.csv --partial
    """)


@obeys("give a signature of `evaluate`, whole")
def half_a_signature(person):
    said = person.plays("{eval} -p {scores}")
    last = next(line for line in said.splitlines() if line.startswith("ap:"))
    person.raises(lambda: unitalk.parse_signature(last[:20]))
    assert unitalk.parse_signature(last).faces == 316


@obeys("look at what the model saw: black crops (`convert_asc` lists them), silent audio, "
       "weights that were not loaded, a shuffled loader")  # fmt: skip
def scores_that_no_order_explains(person):
    noise = np.random.default_rng(5)
    head, *lines = (person.sample / "predictions.csv").read_text().splitlines()
    rows = [f"{line.rpartition(',')[0]},{noise.random()}" for line in lines]
    Path("noise.csv").write_text("\n".join([head, *rows]))
    person.plays("""
        diagnose -g {sample}/csv/val_orig.csv -p noise.csv
        convert-asc --source {small} --destination asc
    """)


# ------------------------------------------------------------------------------ places


@obeys("use `link='auto'`, `link='copy'` or `link='sym'`")
def no_hard_links(person):
    with tempfile.TemporaryDirectory(dir=on_another_file_system(person.small)) as folder:
        trim = f"trim --path {person.small} --list noise --new-path {folder}"
        person.plays(f"1! {trim}/hard --link hard")
        for link in ("auto", "copy", "sym"):
            person.plays(f"{trim}/{link} --link {link}")


# ------------------------------------------------------------------------------ conversions


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
    person.plays("""
        3! import asw json --jobs 1 split --destination made
        3! import asw json --jobs 1 split --destination made --partial --rate 25
        import asw json --jobs 1 split --destination made --partial --rate 5
    """)


# ------------------------------------------------------------------------------ splits, trim


# ------------------------------------------------------------------------------ the reader


def called(text: str, **given: object) -> Any:
    """Do what a hint says in Python; `given` are the names that it leaves to the caller."""
    names = {name: getattr(unitalk, name) for name in unitalk.__all__}
    return eval(re.search("`(.*?)`", text)[1], names, given)


@obeys("run `{}`: it lists what is wrong and how to set it right")
def a_crop_that_was_lost(person):
    with hub(person) as endpoint:
        person.plays("{get} data")
        first = unitalk.tracks("data", split="val")[0]
        next(Path(f"data/clips_videos/val/{first.video_id}/{first.entity_id}").iterdir()).unlink()
        said = person.raises(unitalk.tracks("data", split="val")[0].jpgs)
        assert called(said).counts == {"missing-jpg": 1}
        obeyed(person, repairs(person, "data"), "--endpoint", endpoint)
        assert unitalk.tracks("data", split="val")[0].jpgs()


@obeys("run `plan_download(HUB, {}, selection={})`")
def an_archive_that_is_missing(person):
    with hub(person) as endpoint:
        person.plays("{get} data --no-unpack")
        track = unitalk.tracks("data", split="val")[0]
        Path(f"data/archives/clips_videos/val/{track.video_id}.zip").unlink()
        said = person.raises(unitalk.tracks("data", split="val", source="archives")[0].jpgs)
        with unitalk.Hub(endpoint, REPOSITORY) as source:
            unitalk.run_download(called(said, HUB=source), source)
        assert unitalk.tracks("data", split="val", source="archives")[0].jpgs()


@obeys("run `{}`", "mv -n {} {} && ffmpeg -nostdin -i {} {} {}")
def sounds_of_another_form(person):
    person.plays("$ cp -r {small} data && rm -r data/.unitalk")
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
    person.plays(f"$ {re.search('run `(.*)`', said)[1]}")
    assert track(sounds[0]).audio["array"].any()
    (line,) = repairs(person, "data", "--deep")
    person.plays(f"$ {line}\nverify data --deep")


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
    "models": "import unitalk.models.registry",
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


def repairs(person, *words: object) -> list[str]:
    """The lines that `unitalk verify` says to type."""
    report = json.loads(person.does("-q", "verify", *words, "--format", "json", code=3))
    person.hears("\n".join(report["repairs"]))
    return report["repairs"]


def obeyed(person, lines: list[str], *more: object, **given: object) -> None:
    """Type them, `more` behind those that download; `given` is what the reader has to fill in."""
    for _, *words in map(shlex.split, lines):
        own = more if words[0] == "download" else ()
        code = 3 if words[0] == "verify" else 0
        person.does(*(given.get(word, word) for word in words), *own, code=code)


@obeys(" --video @{}")
def a_download_that_was_damaged(person):
    publish(person.sample, person.tmp / "hub")
    with LoopbackHub(person.tmp / "hub") as server:
        endpoint = ("--endpoint", server.endpoint)
        person.does("download", "--save-path", "data", "--split", "val", *endpoint)
        for folder in Path("data").glob("clips_audios/val/*"):
            next(folder.iterdir()).write_bytes(b"RIFF")
        obeyed(person, repairs(person, "data", "--deep"), *endpoint)
        shutil.rmtree("data/clips_audios")
        obeyed(person, repairs(person, "data"), *endpoint)
        person.does("verify", "data", "--deep")


@obeys()
def a_video_whose_id_begins_with_a_dash(person):
    person.plays("""
        $ echo -maoolmiKi0 > ids.txt
        trim --path {sample} --split train --list ids.txt --new-path dashed
    """)
    publish(person.tmp / "dashed", person.tmp / "hub")
    with LoopbackHub(person.tmp / "hub") as server:
        endpoint = ("--endpoint", server.endpoint)
        person.does("download", "--save-path", "data", "--video=-maoolmiKi0", *endpoint)
        person.plays("$ rm data/clips_audios/train/-maoolmiKi0/*0.wav")
        obeyed(person, repairs(person, "data"), *endpoint)
        person.does("verify", "data")


@obeys("mkdir -p {} && mv -n {} {}")
def crops_in_another_place(person):
    person.plays("$ cp -r {small} data && rm -r data/.unitalk")
    person.plays("$ cd data/clips_videos && mv val/* . && rmdir val")
    for line in repairs(person, "data"):
        person.plays(f"$ {line}")
    # ASC's layout has no folder of the video; its loader wants times spelled as the files.
    person.plays("""
        verify data
        $ for p in videos audios; do cd data/clips_$p/val; mv */* .; rmdir ? ?? 2>/dev/null; \
            find . -type d -empty -delete; cd ../../..; done
    """)
    (line,) = repairs(person, "data")
    said = person.does(*shlex.split(line)[1:], code=3)
    kinds = re.findall(r"^ *\d+  ([a-z-]+):", said, re.MULTILINE)
    assert kinds == ["asc-time-text", "asc-groundtruth"]


@obeys()
def crops_of_videos_that_were_damaged(person):
    person.plays(f"""
        {filmed(person)} --destination made
        $ mkdir rows && cp val_orig.csv rows
        ava prepare rows --video-dir videos --jobs 1 --destination ava-made
        $ rm made/clips_videos/val/*/*/0.00.jpg ava-made/clips_videos/val/*/*/0.00.jpg
    """)
    for made, csv in (("made", "val_orig.csv"), ("ava-made", "rows")):
        obeyed(person, repairs(person, made), CSV=csv, VIDEOS="videos")
        person.does("verify", made)


@obeys(
    "convert the dataset again (`convert_asc`)", "write the loader's csv again (`convert_talknet`)"
)
def what_other_verbs_made_and_was_damaged(person):
    person.plays("""
        trim --path {sample} --list noise --new-path cut
        convert-loconet {small} --destination loconet
        convert-asc --source {small} --destination asc
        $ for made in cut loconet asc; do rm "$(find $made -name '*.wav' | head -n 1)"; done
        $ sed -i '0,/\\.04,/s//.040,/' asc/csv/val_orig.csv
        3 verify asc --layout asc
        $ cp -r {small} data && rm -r data/.unitalk
        convert-talknet data
        $ sed -i '1,9s/\\t/ /' data/csv/val_loader.csv
        3 verify data --layout talknet
    """)
    given = {"SOURCE": person.sample, "LIST": "noise", "DATASET": person.small}
    for made, *layout in (["cut"], ["loconet"], ["asc", "--layout", "asc"],
                          ["data", "--layout", "talknet"]):  # fmt: skip
        obeyed(person, repairs(person, made, *layout), **given)
        person.does("verify", made, *layout)


# ------------------------------------------------------------------------------ cropping


def filmed(person) -> str:
    """Make a video and rows of it; the command that cuts them."""
    video_files.make_video(Path("videos/aaaaaaaaaaa.mkv"), Form(frames=10, sound="pcm_s16le"))
    video_files.write_rows(Path("val_orig.csv"), [
        ("aaaaaaaaaaa", round(n / 25, 2), FACE, "aaaaaaaaaaa:0") for n in range(8)
    ])  # fmt: skip
    return "crop val_orig.csv --video-dir videos --jobs 1"


@obeys(
    "give a new folder, or `overwrite=True` to replace what differs",
    "name one with `splits`",
    "to take another stream, run the same command with --audio-stream N or --video-stream N, "
    "and --overwrite",
    "run it without `drop_missing`, into a new folder, to see what is wrong with each video",
    unless=("--drop-missing",),
)
def crops_of_something_else(person):
    crops = filmed(person)
    person.plays(f"""
        {crops} --destination made
        2! {crops} --margin 0.2 --destination made
        {crops} --margin 0.2 --destination new
        {crops} --margin 0.2 --destination made --overwrite
        $ cp val_orig.csv mine.csv
        2! crop mine.csv --video-dir videos --jobs 1 --destination mine
        crop mine.csv --video-dir videos --jobs 1 --destination mine --split val
    """)
    voice = Voice(samples=np.ones((1, 6400), np.int16))
    video_files.make_streams(Path("videos/aaaaaaaaaaa.mkv"), [Form(frames=10)] * 2, [voice] * 2)
    person.plays(f"""
        {crops} --destination streams
        {crops} --destination streams --audio-stream 2 --video-stream 2 --overwrite
        $ mv videos/aaaaaaaaaaa.mkv elsewhere.mkv
        3! {crops} --destination none --drop-missing
        3 {crops} --destination seen
    """)


# ------------------------------------------------------------------------------ networks


@obeys(
    "continue it with `resume=True`; or give a new folder",
    "`resume=True` needs the folder that an earlier run wrote to",
    "{}: not a checkpoint of `train_network`",
    "give `device='cpu'`, or install a build of PyTorch for your GPU",
)
def a_run_that_is_there(person):
    person.patch.setattr("torch.cuda.device_count", lambda: 0)
    person.plays("""
        2! {train} {tiny} --destination run --epochs 1 --device cuda
        {train} {tiny} --destination run --epochs 1 --device cpu
        2! {train} {tiny} --destination run --epochs 2
        $ cp -r run broken
    """)
    torch.save({"weight": torch.zeros(1)}, "broken/last.pt")
    person.plays("""
        3! {train} {tiny} --destination broken --epochs 2 --resume
        {train} {tiny} --destination run --epochs 2 --resume
    """)


@obeys("LoCoNet's own code reads it; `convert_loconet` writes what that reads")
def weights_of_loconet(person):
    names = ("model.convAV.weight", "lossAV.FC.bias")
    torch.save({f"model.module.{name}": torch.zeros(1) for name in names}, "loconet.model")
    person.plays("""
        3! predict {small} --weights loconet.model -o p.csv
        convert-loconet {small} --destination loconet
    """)


# ------------------------------------------------------------------------------ weights


# ------------------------------------------------------------------------------ the tables


CLUSTER = "test_executor.py::test_a_scheduler_without_a_worker"

CAUSES = "test_diagnose_causes.py::test_scores_in_the_order_of_sorted_rows"

NOT_A_NETWORK = "test_plugins.py::test_what_is_not_a_network_is_named"

CARD = next(text for text in typed() if text.startswith("---\nconfigs:"))

ELSEWHERE = {
    "was there too little memory? run again with `jobs=1`":
        "test_executor.py::test_a_process_that_is_killed_is_said",
    "to keep the files and try more commands on them: unitalk quickstart DEST":
        "test_quickstart.py::test_without_a_folder_it_leaves_nothing",
    "start one with `dask scheduler`, which says its address":
        "test_executor.py::test_a_client_that_cannot_connect_is_closed_at_once",
    "start some with `dask worker {}`": CLUSTER,
    'install it there: pip install "unitalk[cluster]=={}"':
        "test_executor.py::test_what_a_task_raises_on_a_cluster",
    "start all of them together, with torchrun --nproc-per-node N":
        "test_talknet_distributed.py::test_two_processes_are_one_with_twice_the_frames",
    "unitalk: stopped, and saved\n  -> --resume continues the run":
        "test_cli_talknet.py::test_an_interrupt_saves_and_says_how_to_go_on",
    "open {} in a browser, save the file, then: `register_weights({}, FOLDER, FILE)`":
        "test_weights.py::test_what_is_no_checkpoint_is_refused",
    "`download_weights({}, {})`":
        "test_weights.py::test_a_name_that_is_not_here_says_how_to_get_it",
    CARD: "test_export_forms.py::test_load_dataset_opens_the_folder_offline",
    "write each score beside its {} and {}; a program that goes by position needs a loader file "
    'with the tracks in the ground truth\'s order, `groupby("{}", sort=False)`': CAUSES,
    '`groupby("{}")` sorts the ids, and so does a listing of folders: a loader file made so has '
    "another order than the ground truth": CAUSES,
    "return `unitalk.Logits(av)` from its forward method, with av of the shape {}":
        "test_plugins.py::test_what_is_not_a_judgement_of_each_face_is_refused",
    "give a network of your own as `model='package.module:NAME'`": NOT_A_NETWORK,
    "give the name of a class that is derived from `unitalk.Network`": NOT_A_NETWORK,
    "give the one of {} as `model={}`, or uninstall that package":
        "test_plugins.py::test_two_networks_of_one_name_are_an_error_that_names_both",
    "if you trust that code, add `model={}`":
        "test_plugins.py::test_a_file_alone_never_decides_what_is_imported",
    "install its package, or give the network as `model='package.module:NAME'`":
        "test_plugins.py::test_a_checkpoint_of_a_package_that_is_gone_says_so",
    "known are {}; give a network of your own as `model='package.module:NAME'`":
        "test_plugins.py::test_weights_alone_need_the_networks_name",
}  # fmt: skip
"""Texts that another test provokes and obeys."""

TABLE, REGEX = "describes a table", "a regular expression"

NO_ADVICE = {
    "`{}`": "a signature or a character in quotes",
    "have `{}` for `:`": "a cause that diagnose names; its lines of code are in ELSEWHERE",
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
    "128, as UniTalk's authors count; needs `frame_size` or `dataset`, whose crops tell the "
    "frame's size": TABLE,
    "UniTalk's lists of its val split, or those of `categories`": "a table of the documentation",
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


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_hint_works_when_it_is_obeyed(person, scenario):
    scenario.play(person)
    scenario.judge(person)
