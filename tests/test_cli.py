"""What a person types and sees: help, spellings, exit codes, where each word goes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import click
import jsonschema
import pytest
from conftest import slow, tree
from hub_server import HubServer, publish

import unitalk
from unitalk import schemas
from unitalk.cli._shared.console import Console
from unitalk.cli.main import VERBS, cli
from unitalk.net.loopback import LoopbackHub

HEAVY = ("pandas", "numpy", "pyarrow", "requests", "sklearn", "PIL", "tqdm")


def process(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unitalk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# ------------------------------------------------------------------------------ help


@slow
@pytest.mark.parametrize("arguments", [["--help"], ["-h"], [], ["eval", "--help"], ["trim", "-h"],
                                       ["--version"]])  # fmt: skip
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from unitalk.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        f"finally: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert ran.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_file_its_help_and_the_common_options(run, verb):
    ran = run(verb, "--help")
    assert ran.code == 0
    assert run(verb, "-h").stdout == ran.stdout
    # The list of verbs shows the first line of the verb's own help.
    command = cli.get_command(None, verb)
    assert VERBS[verb] == command.help.strip().split("\n\n")[0].replace("\n", " ")
    assert max(map(len, ran.stdout.splitlines())) <= 80


def leaves() -> list[tuple[str, ...]]:
    """What can be run: verbs, and for those with verbs of their own these."""
    found = []
    for verb in VERBS:
        command = cli.get_command(None, verb)
        own = command.list_commands(None) if isinstance(command, click.Group) else []
        found += [(verb, name) for name in own] or [(verb,)]
    return found


@pytest.mark.parametrize("verb", leaves(), ids=" ".join)
def test_whatever_can_be_run_has_the_common_options(run, verb):
    ran = run(*verb, "--help")
    assert ran.code == 0
    for option in ("--quiet", "--verbose", "--version", "--help", "--format", "--output"):
        assert option in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_the_top_lists_the_verbs_and_the_exit_codes(run):
    ran = run("--help")
    for verb, line in VERBS.items():
        assert re.search(rf"^  {verb} +{line.split()[0]}", ran.stdout, re.MULTILINE)
    assert "130 interrupted" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_version_everywhere(run):
    for arguments in (["--version"], ["eval", "--version"], ["download", "--version"]):
        assert run(*arguments).stdout == f"unitalk, version {unitalk.__version__}\n"


# ------------------------------------------------------------------------------ usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval"], "no ground truth given"),
        (["eval", "a.csv"], "no predictions given"),
        (["eval", "-g", "a.csv", "-p", "b.csv", "--cj"], "No such option"),
        (["download", "--save-path", "x", "--split", "test"], "'test' is not one of"),
        (["download", "--save-path", "x", "--jobs", "0"], "0 is not in the range"),
        (["trim", "--path", "a", "--new-path", "b", "--list", "c", "--link", "soft"], "'soft'"),
        (["sample", "x", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_goes_to_stderr(run, arguments, message):
    ran = run(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr


def parameters(name: str) -> list[tuple[click.Command, click.Parameter]]:
    """A parameter of every verb that has it."""
    found = []
    for verb, *own in leaves():
        command = cli.get_command(None, verb)
        command = command.get_command(None, own[0]) if own else command
        found += [(command, one) for one in command.params if name in one.opts]
    return found


@pytest.mark.parametrize("value", ["out/", "none/deeper/", "a/..", "."])
def test_no_verb_takes_the_name_of_a_folder_for_a_file(value, tmp_path, monkeypatch):
    """`-o outdir/` wrote a file called `outdir` where there was no such folder."""
    monkeypatch.chdir(tmp_path)
    written = [one for name in ("-o", "--plot", "--report", "--predictions", "--ids")
               for one in parameters(name) if isinstance(one[1].type, click.Path)]  # fmt: skip
    assert len(written) > 25
    for command, parameter in written:
        with pytest.raises(click.BadParameter, match="Give the name of a file"):
            parameter.type_cast_value(click.Context(command), value)


def test_a_verb_reads_the_names_of_videos_as_lists_do(tmp_path):
    (tmp_path / "list.txt").write_text("https://youtu.be/-maoolmiKi0\nseen/9Zja_cIAwY8.mkv\n")
    given = ("EEey6Pt0rqI.mp4", "https://www.youtube.com/shorts/kzr8J4AFkBI?feature=share",
             f"@{tmp_path / 'list.txt'}", "own.v2_0-30")  # fmt: skip
    wanted = ("EEey6Pt0rqI", "kzr8J4AFkBI", "-maoolmiKi0", "9Zja_cIAwY8", "own.v2_0-30")
    every = parameters("--video")
    assert len(every) > 7
    for command, parameter in every:
        context = click.Context(command)
        assert parameter.process_value(context, given) == wanted
        with pytest.raises(click.BadParameter, match="names no video"):
            parameter.process_value(context, ("https://example.org/watch/12",))


def test_an_error_says_what_and_what_next(run, tmp_path):
    ran = run("eval", "-g", tmp_path / "none.csv", "-p", tmp_path / "none.csv")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"unitalk: {tmp_path}/none.csv does not exist\n  -> give a csv file, or - for stdin\n"
    )


def test_what_is_our_own_bug_keeps_its_traceback(monkeypatch):
    from unitalk.cli.main import main

    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(unitalk.catalog.video_list, "select", broken)
    with pytest.raises(ZeroDivisionError):
        main(["videos"])


def test_quiet_and_verbose_work_before_and_after_the_verb(run, tmp_path, dataset):
    for index, words in enumerate((("-q", "trim"), ("trim", "-q"))):
        ran = run(
            *words, "--path", dataset, "--new-path", tmp_path / f"q{index}", "--list", "noise",
            "--partial",
        )  # fmt: skip
        assert ran.code == 0
        # A warning is no talk.
        assert ran.stderr.startswith("warning: not in")
    console = Console()
    cli.main(["-v", "videos", "-o", str(tmp_path / "o")], standalone_mode=False, obj=console)
    assert console.verbose
    assert not console.quiet


# ------------------------------------------------------------------------------ output


def test_output_goes_to_a_file_atomically(run, tmp_path):
    target = tmp_path / "sub" / "videos.json"
    ran = run("videos", "--format", "json", "-o", target)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    found = json.loads(target.read_text())
    assert len(found["videos"]) == 117
    jsonschema.validate(found, schemas.read("videos"))
    assert os.listdir(target.parent) == ["videos.json"]


@slow
def test_a_reader_that_stops_reading_is_no_error():
    command = f"{sys.executable} -m unitalk videos | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["video_id", "split", "category", "link"]
    assert ran.stderr == ""


@slow
def test_colour_only_on_a_terminal_and_never_against_no_color(monkeypatch):
    import pty

    def told(**environment: str) -> bytes:
        leader, follower = pty.openpty()
        subprocess.run(
            [sys.executable, "-m", "unitalk", "eval", "-g", "none", "-p", "none"],
            stderr=follower, check=False, env={**os.environ, **environment},
        )  # fmt: skip
        os.close(follower)
        said = os.read(leader, 1000)
        os.close(leader)
        return said

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert b"\x1b[31m" in told()
    assert b"\x1b" not in told(NO_COLOR="1")
    assert "\x1b" not in process("eval", "-g", "none", "-p", "none").stderr


# ------------------------------------------------------------------------------ download


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Two val videos and one train video whose id begins with `-`, as the hub keeps them."""
    root = tmp_path_factory.mktemp("hub")
    for split, video in (("val", "EEey6Pt0rqI"), ("val", "9Zja_cIAwY8"), ("train", "-maoolmiKi0")):
        publish(root, split, video)
    return root


@pytest.fixture
def endpoint(published, monkeypatch):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent/token")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with LoopbackHub(published) as server:
        yield server.endpoint


@slow
@pytest.mark.parametrize("spelling", [["--video=-maoolmiKi0"], ["--video", "-maoolmiKi0"]])
def test_an_id_that_begins_with_a_dash(run, tmp_path, endpoint, spelling):
    ran = run("download", "--save-path", tmp_path / "d", "--endpoint", endpoint, *spelling)
    assert (ran.code, ran.stderr) == (0, "")
    assert (tmp_path / "d/clips_videos/train/-maoolmiKi0/-maoolmiKi0:0/0.40.jpg").is_file()
    assert "csv/train_orig.csv: 1 video" in ran.stdout


@slow
def test_a_dry_run_shows_and_fetches_nothing(run, tmp_path, endpoint):
    ran = run(
        "download", "--save_path", tmp_path / "d", "--endpoint", endpoint, "--dry-run",
        "--video", "EEey6Pt0rqI", "--video", "9Zja_cIAwY8", "--only", "csv",
    )  # fmt: skip
    lines = ran.stdout.splitlines()
    assert lines[1].split() == ["split", "videos", "files", "size", "to", "fetch", "size"]
    assert lines[2].split()[:3] == ["val", "2", "2"]
    assert ran.code == 0
    assert not (tmp_path / "d").exists()


@slow
def test_a_video_that_the_hub_lacks_is_named_and_is_exit_code_4(run, tmp_path, endpoint):
    ran = run(
        "download", "--save-path", tmp_path / "d", "--endpoint", endpoint, "--category", "noise",
        "--format", "json",
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert ran.code == 4
    assert [video["video_id"] for video in found["missing"]] == ["Hyk-WhQBIq0"]
    assert found["csv"] == {"csv/val_orig.csv": 2}
    assert len(found["fetched"]) == 6
    text = run("download", "--save-path", tmp_path / "d", "--endpoint", endpoint, "--category",
               "noise")  # fmt: skip
    assert "not on the hub: Hyk-WhQBIq0" in text.stdout
    assert "downloaded 0 files, 0 B; 6 existed already" in text.stdout


@slow
def test_the_environment_names_the_hub_and_the_flag_beats_it(run, tmp_path, endpoint, monkeypatch):
    command = ("download", "--save-path", tmp_path / "d", "--video", "EEey6Pt0rqI")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert run(*command).code == 0
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run(*command, "--endpoint", endpoint).code == 0


@slow
def test_an_interrupt_ends_it_within_a_second_keeps_what_is_there_and_exits_130(
    tmp_path, published
):
    """The real process, a real SIGINT, from a hub that sends 40 bytes a second."""
    with HubServer(published, bytes_per_second=40) as server:
        command = [sys.executable, "-m", "unitalk", "download", "--save-path", tmp_path / "d",
                   "--endpoint", server.endpoint, "--video", "EEey6Pt0rqI"]  # fmt: skip
        environment = {**os.environ, "HF_TOKEN_PATH": "/nonexistent", "NO_PROXY": "127.0.0.1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as ran:
            parts = tmp_path / "d/.unitalk/parts"
            deadline = time.monotonic() + 20
            while not any(parts.glob("*")) and time.monotonic() < deadline:
                time.sleep(0.02)
            ran.send_signal(signal.SIGINT)
            stdout, stderr = ran.communicate(timeout=10)
    assert (ran.returncode, stdout) == (130, "")
    assert "unitalk: interrupted" in stderr
    assert "Traceback" not in stderr
    with LoopbackHub(published) as server:
        command[command.index("--endpoint") + 1] = server.endpoint
        again = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert again.returncode == 0
    assert len(tree(tmp_path / "d/clips_videos")) == 3
