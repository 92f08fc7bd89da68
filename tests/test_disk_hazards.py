"""The disk at its worst, met by the command line as a person runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from build import Track, make_dataset
from conftest import on_another_file_system, one_in, tree

import unitalk
from unitalk import trim_dataset
from unitalk.files import staged_folder

pytestmark = pytest.mark.usefixtures("unmeasured")

KILLER = Path(__file__).with_name("killer.py")

# Root reads and writes everything; without these two capabilities it is as bound as anybody.
WEAKENED = (
    "import ctypes, os, sys\n"
    "if os.geteuid() == 0 and sys.platform != 'linux': sys.exit(77)\n"
    "for capability in (1, 2) if os.geteuid() == 0 else ():\n"  # CAP_DAC_OVERRIDE, _READ_SEARCH
    "    if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0): sys.exit(77)\n"  # PR_CAPBSET_DROP
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
)


def unitalk_line(*arguments: object, first: tuple[object, ...] = ("-m", "unitalk")) -> list[str]:
    return [sys.executable, *map(str, (*first, *arguments))]


def weakened(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as somebody whom permissions bind."""
    line = unitalk_line("-m", "unitalk", *arguments, first=("-c", WEAKENED))
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    if ran.returncode == 77:
        pytest.skip("runs as root, who cannot be bound by permissions here")
    return ran


def trim_line(source: Path, to: object, *more: object) -> tuple[object, ...]:
    return ("trim", "-q", "--path", source, "--new-path", to, "--list", "noise", "--partial", *more)


def convert_line(source: Path, to: object, *more: object) -> tuple[object, ...]:
    return ("convert-asc", "-q", "--source", source, "--destination", to, *more)


LINES = {"trim": trim_line, "convert-asc": convert_line}


@pytest.fixture
def second_disk(tmp_path):
    """A folder on another file system."""
    folder = on_another_file_system(tmp_path) / f"unitalk-{uuid.uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Three thousand crops: enough to be in the middle of."""
    times = [f"{frame / 25}" for frame in range(600)]
    tracks = [Track(f"EEey6Pt0rqI:{n}", times, [0] * 600) for n in range(5)]
    return make_dataset(tmp_path_factory.mktemp("large") / "d", {"EEey6Pt0rqI": tracks})


# ------------------------------------------------------------------------------ where it goes


@pytest.mark.parametrize("verb", one_in(2, LINES))
def test_on_another_disk_files_are_copied_or_linked_by_name_or_it_is_said(
    run, dataset, second_disk, verb
):
    for link in ("auto", "copy", "sym"):
        ran = run(*LINES[verb](dataset, second_disk / link, "--link", link))
        assert ran.code == 0
        assert ("copies" in ran.stdout) == (link != "sym")
    assert sum(path.is_symlink() for path in (second_disk / "auto").rglob("*")) == 0
    contents = [sorted(tree(second_disk / link).values()) for link in ("auto", "copy")]
    assert contents[0] == contents[1]
    ran = run(*LINES[verb](dataset, second_disk / "hard", "--link", "hard"))
    assert (ran.code, ran.stdout) == (1, "")
    assert "use --link auto" in ran.stderr
    assert sorted(os.listdir(second_disk)) == ["auto", "copy", "sym"]


@pytest.mark.parametrize(
    ("name", "code"),
    one_in(2, [("./a/../new/", 0), ("-new", 0), ("dätä-数据 1/deep", 0), ("empty", 0),
               ("to-empty", 0), ("file", 2), ("to-full", 2), ("dangling", 2)]),
)  # fmt: skip
@pytest.mark.parametrize("verb", ["trim"])
def test_a_destination_however_it_is_spelled(run, dataset, tmp_path, monkeypatch, verb, name, code):
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "empty", "real-empty", "full"):
        Path(folder).mkdir()
    for file in ("full/thesis.tex", "file"):
        Path(file).write_text("years of work")
    for link, target in (("to-empty", "real-empty"), ("to-full", "full"), ("dangling", "none")):
        Path(link).symlink_to(target)
    before = tree(tmp_path)
    ran = run(*LINES[verb](dataset, name))
    assert ran.code == code
    assert before.items() <= tree(tmp_path).items()
    if code:
        assert tree(tmp_path) == before
    else:
        assert (Path(name) / "csv/val_orig.csv").is_file()
        assert Path(name).is_symlink() is (name == "to-empty")
    assert [path for path in os.listdir(tmp_path) if path.startswith(".")] == []


# ------------------------------------------------------------------------------ where it comes from


@pytest.mark.parametrize("verb", one_in(2, LINES))
def test_a_source_that_may_only_be_read(dataset, tmp_path, verb):
    before = tree(dataset)
    for path in dataset.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        # The last one replaces copies of files that may only be read.
        for link, *more in (["auto"], ["sym"], ["copy"], ["copy", "--overwrite"]):
            ran = weakened(*LINES[verb](dataset, tmp_path / link, "--link", link, *more))
            assert (ran.returncode, ran.stderr.count("Traceback")) == (0, 0)
        assert tree(dataset) == before
    finally:
        for path in dataset.rglob("*"):
            path.chmod(0o755)


# ------------------------------------------------------------------------------ the disk refuses


@contextlib.contextmanager
def small_disk(folder: Path):
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a disk that is too small")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(params=["read-only folder", "unreadable file", "full disk"])
def refusing(request, dataset, tmp_path):
    """A folder for a result that the disk will refuse."""
    place = tmp_path / "place"
    crop = dataset / "clips_videos/val/9Zja_cIAwY8/9Zja_cIAwY8:1/900.20.jpg"
    with contextlib.ExitStack() as stack:
        if request.param == "full disk":
            stack.enter_context(small_disk(place))
            crop.write_bytes(bytes(1 << 20))
        else:
            place.mkdir()
        if request.param == "read-only folder":
            place.chmod(0o555)
            stack.callback(place.chmod, 0o755)
        if request.param == "unreadable file":
            crop.chmod(0)
        yield place


@pytest.mark.parametrize("verb", one_in(2, LINES))
def test_a_disk_that_refuses_is_told_in_a_sentence_and_nothing_is_left(dataset, refusing, verb):
    ran = weakened(*LINES[verb](dataset, refusing / "new", "--link", "copy"))
    assert (ran.returncode, ran.stdout, os.listdir(refusing)) == (1, "", [])
    assert ran.stderr.startswith("unitalk: ")
    assert str(refusing) in ran.stderr or "900.20.jpg" in ran.stderr


# ------------------------------------------------------------------------------ it is stopped


@contextlib.contextmanager
def in_the_middle(line: list[str], staging: Path):
    """A process that has placed some of its files, and many more to place."""
    with subprocess.Popen(line, stdout=-1, stderr=-1, text=True) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            if len(list(staging.glob("clips_videos/**/*.jpg"))) > 20:
                break
            time.sleep(0.005)
        yield process


@pytest.mark.parametrize(
    ("verb", "number"), one_in(2, [("trim", signal.SIGTERM), ("convert-asc", signal.SIGINT)])
)
def test_an_interrupt_leaves_nothing_and_says_so(large, tmp_path, verb, number):
    line = unitalk_line(*LINES[verb](large, tmp_path / "new", "--link", "copy"))
    with in_the_middle(line, tmp_path / ".new.unitalk-staging") as process:
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.strip().startswith("unitalk: interrupted; nothing half-made was left")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("verb", one_in(2, LINES))
def test_after_a_kill_the_same_command_clears_up_and_makes_it_whole(large, tmp_path, verb):
    """A user's own folder that a link in the litter points to is not cleared with it."""
    line = unitalk_line(*LINES[verb](large, tmp_path / "new", "--link", "copy"))
    staging, mine = tmp_path / ".new.unitalk-staging", tmp_path / "mine"
    with in_the_middle(line, staging) as process:
        process.kill()
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert os.listdir(tmp_path) == [staging.name]
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    (staging / "clips_videos/link").symlink_to(mine)
    assert subprocess.run(line, capture_output=True, check=False).returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["mine", "new"]
    assert (mine / "thesis.tex").read_text() == "years of work"
    assert not (tmp_path / "new/clips_videos/link").exists()
    assert len(tree(tmp_path / "new/clips_videos")) == 3000


# ------------------------------------------------------------------------------ found by trying


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_at_the_destination_meanwhile_is_not_deleted(tmp_path, overwrite):
    with contextlib.suppress(unitalk.DestinationError):
        with staged_folder(
            tmp_path / "new", made_by="test", overwrite=overwrite, about={}
        ) as folder:
            (folder / "ours").write_text("x")
            (tmp_path / "new").mkdir()
            (tmp_path / "new/thesis.tex").write_text("years of work")
    assert (tmp_path / "new/thesis.tex").read_text() == "years of work"


def test_a_link_under_the_staging_name_is_not_followed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    (tmp_path / ".new.unitalk-staging").symlink_to(tmp_path / "mine")
    with contextlib.suppress(unitalk.UnitalkError):
        with staged_folder(tmp_path / "new", made_by="test", about={}):
            pass
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(("name", "target"), [("up", ".."), ("self", "self"), ("gone", "none")])
def test_a_link_in_the_source_that_leads_nowhere_or_back_is_a_layout_error(
    dataset, tmp_path, name, target
):
    (dataset / "clips_videos/val/EEey6Pt0rqI" / name).symlink_to(target)
    with pytest.raises(unitalk.LayoutError, match="EEey6Pt0rqI"):
        trim_dataset(dataset, tmp_path / "new", videos=["EEey6Pt0rqI"])


def test_a_result_goes_into_a_pipe_and_not_in_its_place(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("videos", "--category", "noise", "--ids", "-o", tmp_path / "pipe").code == 0
        assert len(os.read(reader, 1000).split()) == 3
    finally:
        os.close(reader)
