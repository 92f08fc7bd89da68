"""Words that are not ours, or no longer, are answered with the command to type.

A table of words is typed in; what is answered is split as a shell does, and click has to take it.
"""

from __future__ import annotations

import re
import shlex

import click
import pytest

from unitalk.cli._shared import other_words
from unitalk.cli.main import VERBS, cli

# What is typed, and what is answered. The verbs of the last round first.
TYPED = """
crops --csv rows.csv --videos films --destination made --margin 0.2
    unitalk crop rows.csv --video-dir films --destination made --margin 0.2
crops
    unitalk crop DATASET --video-dir DIRECTORY --destination DIRECTORY
talknet train --data data --out run --epochs 3 --compat
    unitalk train data --destination run --epochs 3 --compat
talknet predict --data data --weights talknet-ava -o p.csv --split=train
    unitalk predict data --weights talknet-ava -o p.csv --split train
talknet evaluate --data data --weights w --predictions p.csv
    unitalk predict DATASET --weights NAME -o FILE && unitalk eval DATASET FILE
talknet
    unitalk train DATASET --model talknet --destination RUN
convert-talknet --source data --destination made
    unitalk convert-talknet data --destination made
convert-loconet --source=data --jobs 2
    unitalk convert-loconet data --jobs 2
export webdataset --source data --destination made
    unitalk export webdataset data --destination made
import asw --lists l --json 'my json' --destination d --rate 25
    unitalk import asw 'my json' l --destination d --rate 25
import ava --csv c --destination d
    unitalk import ava c --destination d
import wasd --csv c --division f --destination d
    unitalk import wasd c --division f --destination d
import columbia --labels l --destination d
    unitalk import columbia l --destination d
ava download --videos v --dry-run
    unitalk ava download --destination v --dry-run
ava prepare --csv c --videos v --destination d
    unitalk ava prepare c --video-dir v --destination d
eval -g g.csv -p p.csv --by face-size --data data
    unitalk eval -g g.csv -p p.csv --by face-size --dataset data
unpack data --save-path other
    unitalk unpack data --destination other
train --dataPathAVA AVADataPath --maxEpoch 25 --lrDecay 0.95 --savePath exps/exp1
    unitalk train AVADataPath --epochs 25 --lr-decay 0.95 --destination exps/exp1
train data --out run --batch-size 100 --num-workers 4
    unitalk train data --destination run --batch-frames 100 --workers 4
verify --data-dir data --deep
    unitalk verify data --deep
stats --dataset data
    unitalk stats data
trim --source a --destination b --list mixed
    unitalk trim --path a --new-path b --list mixed
convert-asc --path a --out b
    unitalk convert-asc --source a --destination b
download --destination data --video abc
    unitalk download --save-path data --video abc
eval --gt g.csv --prediction p.csv
    unitalk eval --groundtruth g.csv --predictions p.csv
predict data --checkpoint w.pt --out p.csv
    unitalk predict data --weights w.pt --output p.csv
evaluate -g g.csv -p p.csv --by category
    unitalk eval -g g.csv -p p.csv --by category
evaluate
    unitalk eval GT PRED
score g.csv p.csv
    unitalk eval g.csv p.csv
test g.csv p.csv --ci --metrics
    unitalk eval g.csv p.csv --ci --metrics
infer data --weights w -o p.csv
    unitalk predict data --weights w -o p.csv
preprocess rows.csv --video-folder films --out made
    unitalk crop rows.csv --video-dir films --destination made
download_dataset --save_path data
    unitalk download --save-path data
trim_dataset --path a --new_path b --list mixed
    unitalk trim --path a --new-path b --list mixed
convert_to_ASC --source a --destination b
    unitalk convert-asc --source a --destination b
get_ava_active_speaker_performance -g g.csv -p p.csv
    unitalk eval -g g.csv -p p.csv
finetune data --weights talknet-ava --destination run
    unitalk train data --weights talknet-ava --destination run
weights get talknet-ava
    unitalk weights download talknet-ava
export huggingface data --destination d
    unitalk export hf data --destination d
models
    unitalk weights list
verfy data
    unitalk verify data
convert-talknett data
    unitalk convert-talknet data
import columbai l --destination d
    unitalk import columbia l --destination d
ava prepar c --video-dir v --destination d
    unitalk ava prepare c --video-dir v --destination d
"""
PAIRS = list(zip(*[map(str.strip, TYPED.strip().splitlines())] * 2, strict=True))

RAW = ["demo --videoName 001", "run film.mp4", "diarize film.mp4", "annotate film.mp4",
       "detect film.mp4", "infer film.mp4", "predict FILM.MP4"]  # fmt: skip


def answer(run, line: str) -> str:
    ran = run(*shlex.split(line))
    assert (ran.code, ran.stdout) == (2, ""), ran
    message, hint = ran.stderr.splitlines()
    assert message.startswith("unitalk: ")
    return hint.removeprefix("  -> ").replace("type: ", "")


def parses(line: str) -> None:
    """See that click takes a line; places and numbers that a person fills in are filled in."""
    for one in line.split(" && "):
        words = shlex.split(one)
        assert words[0] == "unitalk"
        command, names = cli, []
        context = click.Context(cli, info_name="unitalk", **cli.context_settings)
        while isinstance(command, click.Group):
            names.append(words[len(names) + 1])
            command = command.get_command(context, names[-1])
            assert command is not None, one
        rest = words[len(names) + 1 :]
        own = click.Context(command, parent=context, info_name=names[-1])
        given = command.make_parser(own).parse_args(args=rest)[0]
        for parameter in command.params:
            assert not parameter.required or parameter.name in given, (one, parameter.name)


@pytest.mark.parametrize(("typed", "answered"), PAIRS)
def test_other_spellings_are_answered_with_the_command(run, monkeypatch, tmp_path, typed, answered):
    monkeypatch.chdir(tmp_path)
    assert answer(run, typed) == answered
    parses(answered)


def test_every_other_spelling_that_is_known_is_answered(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for word in {**other_words.REMOVED_VERBS, **other_words.OTHER_VERBS, **other_words.ANSWERS}:
        assert answer(run, word).startswith("unitalk "), word
    for spelled in other_words.REMOVED_OPTIONS:
        assert f"has no option {spelled.split()[-1]}" in run(*spelled.split(), "x").stderr, spelled
    # No option that a verb has is in the tables under its own name.
    names = {one.name for _, command in leaves() for one in command.params}
    for spelled, meant in {**other_words.REMOVED_OPTIONS, **other_words.OTHER_OPTIONS}.items():
        known = set(meant) & (names | {"eval_every"})
        assert known, spelled


def leaves() -> list[tuple[str, click.Command]]:
    found = []
    for verb in VERBS:
        command = cli.get_command(None, verb)
        own = command.list_commands(None) if isinstance(command, click.Group) else []
        found += [(f"{verb} {name}", command.get_command(None, name)) for name in own] or [
            (verb, command)
        ]
    return found


@pytest.mark.parametrize("typed", RAW)
def test_raw_video_is_answered_with_what_there_is(run, monkeypatch, tmp_path, typed):
    monkeypatch.chdir(tmp_path)
    said = answer(run, typed)
    lines = re.findall(r"unitalk .*", said)
    assert lines
    for line in lines:
        parses(line)


def test_a_word_that_is_like_nothing_is_answered_with_the_help(run):
    assert answer(run, "xyzzy") == "`unitalk --help` lists the commands"
    assert answer(run, "import xyzzy") == "`unitalk import --help` lists the commands"


def test_an_option_that_is_misspelt_gets_the_nearest(run):
    ran = run("verify", "data", "--jbos", 2)
    assert (ran.code, ran.stdout) == (2, "")
    assert "--jobs" in ran.stderr


# What the original scripts offer, in everybody's own scripts: spelling and defaults stay.
ORIGINAL = {
    "download": {"--save-path": None},
    "trim": {"--path": None, "--new-path": None, "--list": None},
    "convert-asc": {"--source": None, "--destination": None},
    "eval": {"--groundtruth": None, "--predictions": None},
}
REST = {
    "download": "--split --category --video --limit --only --jobs=8 --revision --endpoint "
    "--dry-run --update --adopt --refetch --keep-archives --no-unpack --archives",
    "trim": "--split=val --partial --link=auto --overwrite",
    "convert-asc": "--split --link=auto --overwrite --jobs --scheduler",
    "eval": "--split --by --ci --seed=0 --partial --categories --frame-size --dataset --face-size "
    "--ci-unit --metrics --threshold --leaderboard --plot --report",
}
COMMON = "--format=text --output --quiet --verbose --version --help"


@pytest.mark.parametrize("verb", ORIGINAL)
def test_the_original_verbs_keep_their_options_and_defaults(run, verb):
    shown = run(verb, "--help").stdout
    options = shown.partition("\nOptions:\n")[2]
    entries = re.split(r"\n(?=  -)", "\n" + options)[1:]
    found = []
    for entry in entries:
        text = " ".join(entry.split())
        name = re.search(r"--[a-z-]+", text)[0]
        default = re.search(r"\[(?:.*; )?default: ([\w.]+)(?:; [^\]]*)?\]$", text)
        # A default that is a word of ours, such as "all", is not click's.
        own = default[1] if default and default[1] in {"8", "0", "val", "auto", "text"} else None
        found.append(f"{name}={own}" if own else name)
    known = [*ORIGINAL[verb], *REST[verb].split(), *COMMON.split()]
    if verb == "eval":  # "[default: val]" where the ground truth is a dataset
        known[known.index("--split")] = "--split=val"
    assert sorted(found) == sorted(known)


@pytest.mark.parametrize("spelling", ["--save_path", "--save-path"])
def test_the_underscores_of_the_original_scripts_are_taken(run, tmp_path, spelling):
    ran = run("download", spelling, tmp_path / "d", "--endpoint", "http://127.0.0.1:9", "--dry-run")
    assert ran.code == 1  # no hub there: it was asked
    assert "no option" not in ran.stderr
