"""What one verb writes, every other verb takes: each one's dataset, given to all that read one."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from build import make_tiny
from conftest import StopAfter, exhaustive, one_in

from unitalk import schemas, tracks
from unitalk.dataset.sample import make_sample, publish
from unitalk.errors import UnitalkError
from unitalk.layout import Layout
from unitalk.net.loopback import LoopbackHub

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import Form, make_video  # noqa: E402

from unitalk.models.predict import PredictOptions, predict  # noqa: E402
from unitalk.models.train import TrainOptions, train_network  # noqa: E402

VIDEOS = ("-2345678901", "EEey6Pt0rqI")  # the second is published, and could be downloaded
LABELS = ("NOT_SPEAKING", "SPEAKING_AUDIBLE")


def ava_rows(video: str, *, labelled: bool = True) -> str:
    """Eight columns without a header, as AVA has them: two tracks of eight faces."""
    return "".join(
        f"{video},{n / 25:.2f},0.1,0.1,0.9,0.9,{LABELS[n // 3 % 2] * labelled},{video}:{track}\n"
        for track in (0, 1)
        for n in range(8)
    )


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """What verbs make datasets of: videos, others' annotations, a hub."""
    root = tmp_path_factory.mktemp("given")
    make_tiny(root / "tiny")
    publish(root / "tiny", root / "hub")
    (root / "list.txt").write_text("ccccccccccc\n")
    for video in VIDEOS:
        make_video(root / f"videos/{video}.mkv", Form(frames=10, size=(64, 48), sound="pcm_s16le"))
    for split, labelled in (("train", True), ("val", True), ("test", False)):
        folder = root / f"ava/ava_activespeaker_{split}_v1.0"
        folder.mkdir(parents=True)
        video = VIDEOS[1] if split == "val" else VIDEOS[0]
        text = ava_rows(video, labelled=labelled)
        if split == "test":
            (root / "unlabelled").mkdir()
            (root / "unlabelled/ava_activespeaker_test_v1.0").mkdir()
            folder.rmdir()
            folder = root / "unlabelled/ava_activespeaker_test_v1.0"
        (folder / f"{video}-activespeaker.csv").write_text(text)
    (root / "eight_val.csv").write_text("".join(map(ava_rows, VIDEOS)))
    faces = [
        {"time": n / 5, "bbox": [0.1, 0.1, 0.9, 0.9], "label": n % 2, "eval": 1} for n in range(2)
    ]
    (root / "asw/json").mkdir(parents=True)
    (root / f"asw/json/{VIDEOS[1]}.json").write_text(json.dumps({"track_000000": faces}))
    (root / "asw/split").mkdir()
    (root / "asw/split/valset.list").write_text(f"{VIDEOS[1]}.json\n")
    (root / "columbia").mkdir()
    (root / "columbia/bell.txt").write_text("0\t100\t50\t60\t0\n1\t101\t50\t60\t1\n")
    (root / "wasd").mkdir()
    cut = "abcdefghijk_0-30"
    (root / "wasd/val_orig.csv").write_text(ava_rows(cut))
    (root / "wasd/dataset_division.txt").write_text("# Interview\nabcdefghijk\n")
    return root


def words(name: str, given: Path, to: Path) -> list[object]:
    """The command that makes a dataset."""
    tiny, videos = given / "tiny", given / "videos"
    crops = ("--video-dir", videos, "--destination", to, "--jobs", 1)
    return {
        "trim": ("trim", "--path", tiny, "--new-path", to, "--list", given / "list.txt"),
        "convert-talknet": ("convert-talknet", tiny, "--destination", to),
        "convert-loconet": ("convert-loconet", tiny, "--destination", to),
        "crops": ("crop", given / "eight_val.csv", *crops),
        "ava prepare": ("ava", "prepare", given / "ava", *crops),
        "ava prepare, unlabelled": ("ava", "prepare", given / "unlabelled", *crops),
        "import ava": ("import", "ava", given / "ava", "--destination", to),
        "import ava, unlabelled": (
            "import", "ava", given / "unlabelled", "--destination", to
        ),
        "import asw": (
            "import", "asw", given / "asw/json", given / "asw/split",
            "--destination", to,
        ),
        "import wasd": (
            "import", "wasd", given / "wasd", "--division",
            given / "wasd/dataset_division.txt", "--destination", to,
        ),
        "import columbia": ("import", "columbia", given / "columbia",
                            "--destination", to),
    }[name]  # fmt: skip


def make(run, name: str, given: Path, to: Path) -> Path:
    """Have a verb make its dataset."""
    if name == "sample":
        make_sample(to)
        return to
    if name in {"download", "unpack"}:
        kept = [] if name == "download" else ["--no-unpack"]
        with LoopbackHub(given / "hub") as server:
            ran = run(
                "download", "-q", "--save-path", to, "--endpoint", server.endpoint,
                "--video", "aaaaaaaaaaa", "--video", "ccccccccccc", *kept,
            )  # fmt: skip
        assert ran.code == 0, ran.stderr
        if name == "download":
            return to
        command = ("unpack", "-q", to, "--destination", to.with_name("unpacked"))
        ran = run(*command, "--format", "json")
        jsonschema.validate(json.loads(ran.stdout), schemas.read("unpack"))
        to = to.with_name("unpacked")
    else:
        ran = run(*words(name, given, to), "-q")
    assert ran.code == 0, ran.stderr
    return to


def reads(run, made: Path, split: str, weights: Path, tmp_path: Path) -> dict[str, str | None]:
    """Give a dataset to all that read one; what each says against it."""
    first = tracks(made, split=split).videos[0]
    said: dict[str, str | None] = {}
    for verb, *line in (
        ("verify", "verify", made, "--jobs", 1),
        ("stats", "stats", made),
        ("convert-asc", "convert-asc", "--source", made, "--destination", tmp_path / "asc"),
        ("convert-talknet", "convert-talknet", made, "--destination", tmp_path / "t"),
        ("convert-loconet", "convert-loconet", made, "--destination", tmp_path / "l"),
        ("export", "export", "webdataset", made, "--destination", tmp_path / "w",
         f"--video={first}", "--split", split, "--jobs", 1),
    ):  # fmt: skip
        ran = run(*line)
        said[verb] = ran.stdout + ran.stderr if ran.code else None
    stop = StopAfter(1)  # the first batch is a look at everything
    options = TrainOptions(
        model="light-asd", batch_frames=40, workers=0, device="cpu", train_split=split,
        val_split=split,
    )  # fmt: skip
    for verb, do in {
        "train": lambda: train_network(
            made, tmp_path / "run", score=lambda *_: 0.5, options=options, stop=stop
        ),
        "predict": lambda: predict(
            made, weights, tmp_path / "p.csv", split=split, videos=[first],
            options=PredictOptions(device="cpu"),
        ),
    }.items():  # fmt: skip
        said[verb] = None
        try:
            do()
        except UnitalkError as error:
            said[verb] = f"{error.message} -> {error.hint}"
    return said


# Those that take seconds are among the many.
WITH_MEDIA = (
    "unpack", "crops", "convert-loconet",
    *(pytest.param(verb, marks=exhaustive)
      for verb in ("download", "trim", "ava prepare", "convert-talknet", "sample")),
)  # fmt: skip
ROWS_ALONE = ("import ava", "import asw", "import wasd", "import columbia")


@pytest.mark.parametrize("name", WITH_MEDIA)
def test_a_dataset_is_taken_by_every_verb(run, given, weights, tmp_path, name):
    made = make(run, name, given, tmp_path / "made")
    said = reads(run, made, "val", weights, tmp_path)
    assert said == dict.fromkeys(said)


@pytest.mark.parametrize("name", one_in(2, ROWS_ALONE))
def test_rows_alone_are_read_and_what_they_lack_is_not_to_be_downloaded(
    run, given, weights, tmp_path, name
):
    """Their videos are somebody's; UniTalk must not be put into their folder."""
    made = make(run, name, given, tmp_path / "made")
    split = Layout(made).splits()[-1]
    said = reads(run, made, split, weights, tmp_path)
    assert said["stats"] is None
    kinds = json.loads(run("verify", made, "--format", "json").stdout)["counts"]
    assert set(kinds) == {"missing-split"}
    for verb in ("train", "predict", "export"):
        assert "missing" in said[verb]
    assert not [verb for verb, text in said.items() if text and "unitalk download" in text]


@pytest.mark.parametrize("name", ["ava prepare, unlabelled", "import ava, unlabelled"])
def test_a_split_without_labels_is_taken_by_all_that_need_none(run, given, weights, tmp_path, name):
    made = make(run, name, given, tmp_path / "made")
    said = reads(run, made, "test", weights, tmp_path)
    has_media = name.startswith("ava")
    taken = {"stats", *({"verify", "export", "predict", "convert-asc"} if has_media else ())}
    assert {verb for verb, text in said.items() if text is None} == taken
    for verb in ("convert-talknet", "convert-loconet"):
        assert "not one face has a label" in said[verb]
    assert not [verb for verb, text in said.items() if text and "unitalk download" in text]
    found = json.loads(run("stats", made, "--format", "json").stdout)["total"]
    assert (found["speaking_share"], found["labels"]["counts"]["unlabelled"]) == (None, 16)
    if has_media:
        assert "no face has a label" in run("verify", made).stdout
        assert "no labels" not in run("stats", made, "--plot", tmp_path / "p.png").stderr


def test_statistics_count_a_share_of_those_faces_that_have_a_label(run, given, tmp_path):
    """Half of AVA's csv files: 16 faces with labels, 6 of them positives, and 16 without."""
    made = make(run, "import ava", given, tmp_path / "made")
    other = make(run, "import ava, unlabelled", given, tmp_path / "other")
    (made / "csv/train_orig.csv").unlink()
    (other / "csv/test_orig.csv").rename(made / "csv/test_orig.csv")
    ran = run("stats", made, "--format", "json")
    assert ran.code == 0, ran.stderr
    total = json.loads(ran.stdout)["total"]
    # Of eight faces, numbers 3, 4 and 5 speak; there are two tracks.
    assert (total["speaking"], total["faces"], total["speaking_share"]) == (6, 32, 6 / 16)
