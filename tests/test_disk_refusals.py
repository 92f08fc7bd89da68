"""What a disk refuses, met by every verb: a sentence that names the place, and a way out."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from bucket import Bucket
from build import make_tiny
from conftest import bound_by_permissions, exhaustive, made_once, one_in
from hub_server import FaultyHub, publish
from video_files import Form, make_video, write_rows

from unitalk.cli._shared.console import Console
from unitalk.cli.main import cli
from unitalk.errors import UnitalkError
from unitalk.models.registry import new_network

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHED = "SFa5_upNcHM"
VIDEO = "vvvvvvvvvvv"


def make_given(root: Path) -> None:
    """A small one of everything that a verb reads."""
    data = make_tiny(root / "data")
    truth = (data / "csv/val_orig.csv").read_text().splitlines()[1:]
    scored = [f"{row.split(',')[7]},{row.split(',')[1]},0.{n:03}" for n, row in enumerate(truth)]
    (root / "scores.csv").write_text("\n".join(["entity_id,frame_timestamp,score", *scored]))
    torch.save(new_network("light-asd").state_dict(), root / "light.model")
    make_video(root / f"videos/{VIDEO}.mp4", Form(frames=12, sound="aac"))
    box = (0.1, 0.1, 0.6, 0.6)
    write_rows(
        root / "faces/csv/val_orig.csv", [(VIDEO, n / 25, box, f"{VIDEO}:0") for n in range(10)]
    )
    ava = [f"{VIDEO},{n / 25:.2f},0.1,0.1,0.5,0.5,NOT_SPEAKING,{VIDEO}_0000_0060:1"
           for n in range(5)]  # fmt: skip
    (root / "ava").mkdir()
    (root / f"ava/{VIDEO}-activespeaker.csv").write_text("\n".join(ava))
    publish(root / "served", "train", PUBLISHED)
    (root / "bucket/trainval").mkdir(parents=True)
    shutil.copy(root / f"videos/{VIDEO}.mp4", root / "bucket/trainval")
    shutil.copytree(data, root / "damaged")
    (root / "damaged" / CROP.removeprefix("data/")).unlink()
    (root / "ids.txt").write_text("ccccccccccc\n")
    with FaultyHub(root / "served") as server:
        line = f"download --endpoint {server.endpoint} --video {PUBLISHED} --no-unpack -q"
        words = [*line.split(), "--save-path", str(root / "kept")]
        cli.main(words, standalone_mode=False, obj=Console())
    (root / "bucket/list.txt").write_text(f"{VIDEO}.mp4\n")


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    return made_once(tmp_path_factory, "refusals", make_given)


@pytest.fixture(scope="module")
def servers(given):
    with FaultyHub(given / "served") as hub, Bucket(given / "bucket") as bucket:
        yield {"hub": hub.endpoint, "bucket": bucket.endpoint}


@dataclass(frozen=True)
class Verb:
    """A command: what it is given, with `{out}` for what it writes, and what it reads."""

    line: str
    reads: tuple[str, ...] = ()

    def words(self, given: Path, servers: dict[str, str], out: object) -> list[str]:
        return [word.format(given=given, out=out, **servers) for word in self.line.split()]


TRUTH = "data/csv/val_orig.csv"
CROP = "data/clips_videos/val/ccccccccccc/ccccccccccc:0/0.08.jpg"
SOUND = "data/clips_audios/val/ccccccccccc/ccccccccccc:0.wav"
EVAL = "eval -g {given}/data/csv/val_orig.csv -p {given}/scores.csv"
NETWORK = "{given}/data --device cpu"
VERBS = {
    "eval -o": Verb(f"{EVAL} -o {{out}}", (TRUTH, "scores.csv")),
    "eval --plot": Verb(f"{EVAL} --plot {{out}}.png"),
    "eval --report": Verb(f"{EVAL} --dataset {{given}}/data --report {{out}}"),
    "diagnose": Verb(EVAL.replace("eval", "diagnose") + " -o {out}", (TRUTH, "scores.csv")),
    "stats": Verb("stats {given}/data -o {out}", (TRUTH, CROP.rpartition("/")[0])),
    "stats --plot": Verb("stats {given}/data --plot {out}.svg"),
    "verify": Verb("verify {given}/damaged --jobs 1 --ids {out}"),
    "trim": Verb(
        "trim --path {given}/data --new-path {out} --list {given}/ids.txt --link copy",
        ("ids.txt", TRUTH, CROP, SOUND),
    ),
    "convert-asc": Verb(
        "convert-asc --source {given}/data --destination {out} --link copy", (TRUTH, CROP, SOUND)
    ),
    "convert-talknet": Verb(
        "convert-talknet {given}/data --destination {out} --link copy",
        (TRUTH, CROP, SOUND),
    ),
    "convert-loconet": Verb(
        "convert-loconet {given}/data --destination {out} --link copy",
        (TRUTH, CROP, SOUND),
    ),
    "export webdataset": Verb(
        "export webdataset {given}/data --destination {out} --jobs 1", (TRUTH, CROP, SOUND)
    ),
    "export parquet": Verb(
        "export parquet {given}/data --destination {out} --jobs 1", (CROP, SOUND)
    ),
    "import ava": Verb(
        "import ava {given}/ava --split val --destination {out} --jobs 1",
        (f"ava/{VIDEO}-activespeaker.csv",),
    ),
    "crops": Verb(
        "crop {given}/faces --video-dir {given}/videos --destination {out} --jobs 1",
        ("faces/csv/val_orig.csv", f"videos/{VIDEO}.mp4"),
    ),
    "download": Verb(f"download --save-path {{out}} --endpoint {{hub}} --video {PUBLISHED}"),
    "unpack": Verb(
        f"unpack {{given}}/kept --destination {{out}} --video {PUBLISHED}",
        (f"kept/archives/clips_audios/train/{PUBLISHED}.zip",),
    ),
    "ava download": Verb(
        "ava download --destination {out} --base-url {bucket} --list {given}/bucket/list.txt "
        "--split trainval",
        ("bucket/list.txt",),
    ),
    "sample": Verb("sample {out}"),
    "quickstart": Verb("quickstart {out}"),
    "predict": Verb(
        f"predict {NETWORK} --weights {{given}}/light.model -o {{out}}",
        ("light.model", TRUTH, CROP, SOUND),
    ),
    "train": Verb(
        f"train {NETWORK} --model light-asd --epochs 1 --workers 0 --destination {{out}}",
        (TRUTH, CROP, SOUND),
    ),
    "weights": Verb(
        "weights download talknet-ava --from-file {given}/light.model -o {out}", ("light.model",)
    ),
}
# What these have done stays, and the same command resumes.
RESUMED = {"download", "unpack", "ava download", "crops", "export webdataset", "export parquet",
           "train", "predict"}  # fmt: skip


# ------------------------------------------------------------------------------ places


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A file system of its own on a folder."""
    folder.mkdir(exist_ok=True)
    line = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(line, capture_output=True, check=False).returncode
    ):
        pytest.skip("only root may mount a disk that is too small")
    try:
        for option in options:
            subprocess.run(["mount", "-o", option, str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def no_permission(folder: Path) -> Iterator[Path]:
    folder.mkdir(mode=0o555)
    with bound_by_permissions():
        yield folder / "new"
    folder.chmod(0o755)


@contextlib.contextmanager
def below_a_file(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    (folder / "file").write_text("years of work")
    yield folder / "file/deep/new"


@contextlib.contextmanager
def too_long_a_name(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    yield folder / ("n" * 270)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    with mounted(folder, "remount,ro"):
        yield folder / "deep/new"


@contextlib.contextmanager
def full(folder: Path) -> Iterator[Path]:
    """With room for some files without a byte, and for not one byte more."""
    with mounted(folder):
        with open(folder / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield folder / "new"


@contextlib.contextmanager
def limited(folder: Path) -> Iterator[Path]:
    """No file may be larger than a few bytes, and the system says so without a name."""
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
    try:
        yield folder / "new"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


PLACES = {
    no_permission: errno.EACCES,
    below_a_file: errno.ENOTDIR,
    too_long_a_name: errno.ENAMETOOLONG,
    read_only: errno.EROFS,
    full: errno.ENOSPC,
    limited: errno.EFBIG,
}


def refused(run, given, servers, verb: str, out: Path) -> str:
    """Run a verb that cannot be done; what it says."""
    ran = run(*VERBS[verb].words(given, servers, out))
    assert ran.code in {1, 2, 3, 4}
    assert "Traceback" not in ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("verb", "place"), one_in(11, [(verb, place) for verb in VERBS for place in PLACES])
)
def test_a_place_that_cannot_be_written(run, given, servers, tmp_path, monkeypatch, verb, place):
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    with place(tmp_path / "place") as out:
        before = sorted(os.listdir(tmp_path / "place"))
        said = refused(run, given, servers, verb, out)
        if verb not in RESUMED:
            assert sorted(os.listdir(tmp_path / "place")) == before
    assert str(tmp_path) in said
    assert os.strerror(PLACES[place]) in said or "is not a folder" in said or "free" in said
    assert said.count("  -> ") == 1


# ------------------------------------------------------------------------------ what is read


READ = [(verb, path) for verb, about in VERBS.items() for path in about.reads]


@pytest.mark.parametrize(("verb", "path"), one_in(9, READ))
def test_what_may_not_be_read(run, given, servers, tmp_path, monkeypatch, verb, path):
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    own = tmp_path / "given"
    shutil.copytree(given, own)
    mode = (own / path).stat().st_mode
    (own / path).chmod(0)
    try:
        with bound_by_permissions():
            said = refused(run, own, servers, verb, tmp_path / "new")
    finally:
        (own / path).chmod(mode)
    assert str(own / path) in said or Path(path).stem in said
    assert "ermission" in said
    assert "download" not in said
    assert "fetch" not in said


# ------------------------------------------------------------------------------ any refusal


REFUSALS = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR,
    errno.ENAMETOOLONG, errno.EMFILE, errno.EIO, errno.ESTALE, errno.EFBIG, errno.ENFILE,
)  # fmt: skip
ASKED = {"open", "os.mkdir", "os.rename", "os.listdir", "os.scandir", "os.symlink", "os.link"}


class Refuser:
    """Refuses what this process asks of the disk below a folder, at one moment; or only counts.

    Python reports what it asks for to an audit hook, which stays for as long as the process.
    """

    def __init__(self) -> None:
        self.folder: str | None = None
        self.seen: list[str] = []
        self.at = self.errno = 0
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None or event not in ASKED:
            return
        names = [os.fsdecode(name) for name in arguments if isinstance(name, str | bytes | Path)]
        if not any(name.startswith(self.folder) for name in names):
            return
        self.seen.append(f"{event} {names}")
        if len(self.seen) == self.at:
            raise OSError(self.errno, os.strerror(self.errno), names[0])

    @contextlib.contextmanager
    def at_work(self, folder: Path, at: int, number: int) -> Iterator[list[str]]:
        self.seen, self.at, self.errno, self.folder = [], at, number, str(folder)
        try:
            yield self.seen
        finally:
            self.folder = None


REFUSER = Refuser()


# These say that there is no such file or folder, of which each verb has its own words.
NO_SUCH_FILE = {errno.ENOTDIR, errno.ENAMETOOLONG}
SAMPLE = {"sample", "quickstart"}  # five thousand files, four times


def moments(count: int, most: int) -> list[int]:
    """Some of the first so many numbers: the first, the last, and between."""
    return sorted({1 + round(n * (count - 1) / (most - 1)) for n in range(most)})


@pytest.mark.parametrize(
    ("verb", "most"),
    [
        *one_in(9, [(verb, 3) for verb in VERBS if verb not in SAMPLE]),
        pytest.param("sample", 4, marks=exhaustive),
        *(pytest.param(verb, 25, marks=exhaustive) for verb in VERBS if verb not in SAMPLE),
    ],
)
def test_a_refusal_at_any_moment_is_said_or_changes_nothing(
    given, servers, tmp_path, monkeypatch, capsys, verb, most
):
    """Without what `main` makes of errors, as a caller from Python is without it."""
    own = tmp_path / "all"
    shutil.copytree(given, own / "given")
    monkeypatch.setenv("UNITALK_WEIGHTS", str(own / "weights"))

    def once(at: int, number: int) -> tuple[list[str], str, UnitalkError | None]:
        words = VERBS[verb].words(own / "given", servers, own / f"out{at}" / "new")
        error, code = None, 0
        with REFUSER.at_work(own, at, number) as seen:
            try:
                cli.main(["-q", *words], standalone_mode=False, obj=Console())
            except SystemExit as left:
                code = left.code
            except UnitalkError as raised:
                error = raised
        return seen, f"{code} {capsys.readouterr().out}".replace(f"out{at}", "out"), error

    wanted, whole, _ = once(0, 0)
    for place, at in enumerate(moments(len(wanted), most)):
        number = REFUSALS[(place + zlib.crc32(verb.encode())) % len(REFUSALS)]
        seen, said, error = once(at, number)
        if error is None:
            told = said == whole or os.strerror(number) in said
            assert told or number in NO_SUCH_FILE, seen[at - 1]
        else:
            told = os.strerror(number) in error.message
            assert told or number in NO_SUCH_FILE, seen[at - 1]
            assert str(own) in error.message
            assert error.hint
        shutil.rmtree(own / "weights", ignore_errors=True)
