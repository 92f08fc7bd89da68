"""Every fault at every place, alone and in pairs: whole at the end, or told and then made whole.

One video is served: its crops as a large file by the storage host, its csv as a small one by the
hub itself. A *trouble* is one kind of fault; a *step* is a trouble at one place (which request) and
one position (how much of the file is there when it comes); a *case* is one step or two, and is run
to its end. Every case is held to this::

    complete   the tree is that of `WHOLE`, byte for byte, and every fault was met
    or told    each failed file is one that a fault was meant for; its cause is in the trouble's
               words, and a hint says what next; nothing half-made has a final name;
               and the next run, without the fault, is complete and asks for no byte that was there
    always     no request to the storage host had the token that the hub was given
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from conftest import exhaustive
from hub_server import (
    HEADER,
    TRAIN,
    Fault,
    FaultyHub,
    bodies,
    fetched_twice,
    held,
    memory_folder,
    publish,
    quick,
    snapshot,
    unpacked,
)

from unitalk.dataset.download import Selection, plan_download, run_download
from unitalk.errors import UnitalkError

SIZE = 50_000  # of one crop; three are in the archive
LARGE = f"clips_videos/train/{TRAIN}.zip"
SMALL = f"csv/train/{TRAIN}.csv"
TOKEN = "hf_good"
OLD_NAME = "someone/UniTalk-before"

VIDEO = unpacked(TRAIN, "train", size=SIZE)
WHOLE = {**VIDEO, "csv/train_orig.csv": HEADER + VIDEO[SMALL]}

PARTS = ("csv", "audio", "video")
POSITIONS = ("start", "middle", "end")


def whole(parts: tuple[str, ...] = PARTS) -> dict[str, bytes]:
    """What of `WHOLE` is there when these parts were asked for."""
    folders = {"csv": "csv", "audio": "clips_audios", "video": "clips_videos"}
    wanted = {folders[part] for part in parts}
    return {name: content for name, content in WHOLE.items() if name.split("/")[0] in wanted}


@dataclass(frozen=True)
class Trouble:
    """One kind of fault.

    Args:
        name: for people.
        bends: what it is, as `Fault` takes it; `{at}` stands for the position's byte.
        words: what a cause says of it.
        once: whether a run survives it when it comes once.
        always: whether a run survives it however often it comes.
        keeps: whether no byte that came before or with it has to be fetched again.
        ranged: whether it is about a range, so that one must be asked for.
        completes: whether the answer that has it brings the whole file all the same.
        slow: whether a read timeout passes each time.
    """

    name: str
    bends: dict[str, object]
    words: str
    once: bool = True
    always: bool = False
    keeps: bool = False
    ranged: bool = False
    completes: bool = False
    slow: bool = False

    @property
    def at_byte(self) -> bool:
        """Whether it happens within a body; else to the request for the rest."""
        return "{at}" in self.bends.values()


def bent(name, words, /, **bends):
    """A trouble; what `Trouble` itself knows is taken out of `bends`."""
    own = {k: bends.pop(k) for k in list(bends) if k in Trouble.__dataclass_fields__}
    return Trouble(name=name, bends=bends, words=words, **own)


STATUSES = (400, 401, 403, 404, 408, 410, 416, 429, 500, 502, 503, 504)
PASSING = {408, 416, 429, 500, 502, 503, 504}
NO_LINK = dict.fromkeys(("X-Linked-Size", "X-Linked-ETag"), "")
NO_PROOF = dict.fromkeys(("ETag", "Accept-Ranges", "X-Repo-Commit"), "")


def statuses(survived):
    return [
        bent(str(status), f"{status}", status=status, once=status in survived, keeps=status != 416)
        for status in STATUSES
    ]


BODY = [
    bent("cut", "ended|ncomplete|closed|broken", cut="{at}", keeps=True),
    bent("reset", "reset|onnection|ended", rst="{at}", pause=0.002),
    bent("damage", "hash", damage="{at}"),
    bent("ignored range", ".", ignore_range=True, always=True, ranged=True, completes=True),
    bent("shifted range", ".", shift_range=7, always=True, ranged=True),
    bent("wrong total", ".", wrong_total=1, always=True, ranged=True),
    bent("no range named", ".", headers={"Content-Range": ""}, always=True, ranged=True),
    bent("half a range", ".", short_range=True, always=True, ranged=True, keeps=True),
    bent("gzip", ".", gzip=True, always=True, completes=True),
    bent("page", "offered|page|HTML|hash", html="page"),
    bent("padded page", "hash|offered|page|HTML", html="padded"),
    bent("too much", "offered|more bytes|hash", too_much=True),
    bent("too much, unsaid", "more bytes|hash", too_much=True, headers={"Content-Length": ""}),
    bent("no length", ".", headers={"Content-Length": ""}, always=True, keeps=True, completes=True),
    bent("no proof", ".", headers=NO_PROOF, always=True, keeps=True, completes=True),
    bent("circle", "circle|redirect", loop=True, keeps=True),
]
STALLS = [
    bent("stall", "time|ended", stall="{at}", slow=True),
    bent("silence", "time", hold=True, slow=True),
]
# The storage may refuse an address that has expired; so whatever it says, it is asked again.
AT_STORAGE = [*BODY, *statuses(set(STATUSES))]
AT_HUB = [*BODY, *statuses(PASSING)]
AT_RESOLVE = [
    bent("page", "offered|page|HTML|hash|JSON", html="page"),
    bent("no place", "circle|redirect|ocation", headers={"Location": ""}, once=False),
    bent("circle", "circle|redirect", loop=True, keeps=True),
    bent("no link", ".", headers=NO_LINK, always=True, keeps=True),
    bent("no proof", ".", headers=NO_PROOF, always=True, keeps=True),
    bent("reset", "reset|onnection|ended", rst=0, pause=0.002),
    *statuses(PASSING),
]
ASKED = [
    bent("cut", "ncomplete|closed|broken|ended|JSON|char", cut="{at}"),
    bent("cut, unsaid", "JSON|char|line|xpect", cut="{at}", headers={"Content-Length": ""}),
    bent("reset", "reset|onnection|ncomplete", rst="{at}", pause=0.002),
    bent("gzip", ".", gzip=True, always=True),
    bent("page", "html", html="page", once=False),
    bent("too much", "JSON|char|xtra", too_much=True),
    bent("no length", ".", headers={"Content-Length": ""}, always=True),
    bent("circle", "circle|redirect", loop=True),
    *statuses(PASSING - {416}),
]


def some(troubles, *names):
    return [trouble for trouble in troubles if trouble.name in names]


# Of kinds that differ in nothing but a number, pairs take one or two.
KINDS = ("cut", "reset", "damage", "ignored range", "shifted range", "wrong total",
         "no range named", "half a range", "gzip", "padded page", "too much, unsaid",
         "no length", "circle", "403", "416", "429", "503")  # fmt: skip
FEW = ("cut", "damage", "ignored range", "shifted range", "half a range", "gzip",
       "padded page", "no length", "403", "416", "429")  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One trouble at one place: a file's "bytes" or "address", or a question's name."""

    trouble: Trouble
    place: str
    file: str = ""
    position: str = "start"
    always: bool = False

    @property
    def survived(self) -> bool:
        return self.trouble.always if self.always else self.trouble.once


@dataclass(frozen=True)
class Case:
    """What is done to one download."""

    steps: tuple[Step, ...]
    mood: str = ""
    name: str = field(default="", compare=False)

    @property
    def survived(self) -> bool:
        return all(step.survived for step in self.steps)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is asked for: of pairs and stubborn troubles with one file, that file alone."""
        files = {step.file for step in self.steps}
        alone = len(files) == 1 and not self.mood and (len(self.steps) > 1 or self.steps[0].always)
        return {LARGE: ("video",), SMALL: ("csv",)}.get(files.pop(), PARTS) if alone else PARTS

    def __str__(self) -> str:
        told = (
            f"{step.trouble.name}{' always' * step.always} at the {step.position} of "
            f"{step.place} {step.file}"
            for step in self.steps
        )
        return "; ".join([*told, *([self.mood] if self.mood else [])])


# ------------------------------------------------------------------------------ the cases


def singles(troubles, place, file="", *, always):
    return [
        Case((Step(trouble, place, file, position, always),))
        for trouble in troubles
        for position in (POSITIONS if place == "bytes" or trouble.at_byte else ("start",))
    ]


def pairs(firsts, seconds, one, two):
    """Ordered pairs; their positions go through all nine combinations, again and again."""
    turns = itertools.cycle(itertools.product(POSITIONS, POSITIONS))
    cases = []
    for first, second in itertools.product(firsts, seconds):
        p, q = next(turns)
        steps = (Step(first, *one, position=p), Step(second, *two, position=q))
        # What completes a file leaves nothing for what would come after it.
        if one != two or not first.completes:
            cases.append(Case(steps))
    return cases


def large_file():
    bytes_, address = ("bytes", LARGE), ("address", LARGE)
    return {
        "once": singles(AT_STORAGE, *bytes_, always=False),
        "always": singles(some(AT_STORAGE, *KINDS), *bytes_, always=True),
        "address": singles(AT_RESOLVE, *address, always=False)
        + singles(AT_RESOLVE, *address, always=True),
        "pairs": pairs(some(AT_STORAGE, *KINDS), some(AT_STORAGE, *KINDS), bytes_, bytes_),
        "address, then bytes": pairs(AT_RESOLVE, some(AT_STORAGE, "cut", "damage"), address, bytes_)
        + pairs(some(AT_STORAGE, "cut", "damage"), AT_RESOLVE, bytes_, address),
    }


def small_file():
    bytes_, address = ("bytes", SMALL), ("address", SMALL)
    return {
        "once": singles(AT_HUB, *bytes_, always=False),
        "always": singles(some(AT_HUB, *KINDS), *bytes_, always=True),
        "address": singles(AT_RESOLVE, *address, always=False)
        + singles(AT_RESOLVE, *address, always=True),
        "pairs": pairs(some(AT_HUB, *FEW), some(AT_HUB, *FEW), bytes_, bytes_),
    }


def questions():
    """What is asked before any file: which commit, and the three pages of its listing."""
    pages, bytes_ = ("page 0", "page 1", "page 2"), ("bytes", LARGE)
    few = some(ASKED, "cut", "gzip", "page", "no length", "403", "429")
    return {
        **{f"{place} once": singles(ASKED, place, always=False) for place in ("commit", *pages)},
        **{f"{place} always": singles(ASKED, place, always=True) for place in ("commit", "page 1")},
        "commit, then page": pairs(few, few, ("commit",), ("page 1",)),
        "page, then page": pairs(few, few, ("page 0",), ("page 2",)),
        "page, then file": pairs(
            few, some(AT_STORAGE, "cut", "damage", "ignored range", "503"), ("page 1",), bytes_
        ),
    }


def moods():
    """What the whole hub is like, while one file has trouble besides."""
    survivable = ("renamed", "paged", "expiring", "private")
    return {
        mood: [Case((Step(t, "bytes", LARGE, "middle"),), mood) for t in some(AT_STORAGE, *FEW)]
        + [Case((Step(t, "bytes", SMALL, "middle"),), mood) for t in some(AT_HUB, *FEW)]
        for mood in survivable
    }


def stalls():
    few = some(AT_STORAGE, "cut", "damage", "ignored range", "503")
    bytes_ = ("bytes", LARGE)
    return {
        "large": singles(STALLS, *bytes_, always=False),
        "small": singles(STALLS, "bytes", SMALL, always=False),
        "address": singles(STALLS[1:], "address", LARGE, always=False),
        "questions": singles(STALLS[1:], "commit", always=False)
        + singles(STALLS[:1], "page 1", always=False),
        "always": [Case((Step(STALLS[0], *bytes_, "middle", always=True),))],
        "pairs": pairs(STALLS, few, bytes_, bytes_) + pairs(few, STALLS, bytes_, bytes_),
    }


GROUPS = {
    "large file": large_file(),
    "small file": small_file(),
    "questions": questions(),
    "moods": moods(),
    "stalls": stalls(),
}
REFUSALS = {
    # mood, the token that is sent, what is said
    "gated": (TOKEN, "GatedRepo"),
    "gated, no token": (None, "GatedRepo"),
    "private, wrong token": ("hf_wrong", "Invalid credentials"),
    "private, no token": (None, "RepoNotFound"),
    "closed": (TOKEN, "disabled"),
    "no such commit": (TOKEN, "RevisionNotFound"),
}
COMMANDS = {
    # what is wrong with the hub, the exit code, what is said
    "gated": ({"mood": "gated"}, 1, "GatedRepo"),
    "login page": ({"match": "/revision/", "html": "page", "times": -1}, 1, "html"),
    "damage": ({"match": "^cdn", "damage": 9, "times": -1}, 4, LARGE),
    "gone": ({"match": f"resolve/.*{SMALL}", "status": 404, "times": -1}, 4, SMALL),
    "no headers": ({"match": "", "headers": {**NO_LINK, **NO_PROOF}, "times": -1}, 0, ""),
}


# ------------------------------------------------------------------------------ a case


@pytest.fixture(scope="module")
def room():
    with memory_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def server(room):
    publish(room / "served", "train", TRAIN, size=SIZE)
    with FaultyHub(room / "served") as server:
        yield server


@pytest.fixture(scope="module")
def session():
    """One for all runs, so that each meets the connections that the faults before it left."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no netrc: thousands of looks at the same files
        yield session


def faults_of(step: Step, server: FaultyHub) -> list[Fault]:
    """A step as the server takes it."""
    trouble = step.trouble
    match, size = place_of(step, server)
    at = {"start": 0, "middle": size // 2, "end": size - 1}[step.position]
    bends = {name: at if value == "{at}" else value for name, value in trouble.bends.items()}
    page = {"page 0": "^((?!cursor).)*$", "page 1": "cursor=1$", "page 2": "cursor=2$"}
    times = -1 if step.always else 1
    fault = Fault(match, query=page.get(step.place, ""), times=times, **bends)
    if trouble.at_byte or step.place != "bytes":
        return [fault]
    # What meets a request, meets the one for the rest after a first cut; a range has one byte
    # before it, and two in it.
    first = min(max(at, 1), size - 2) if trouble.ranged else at
    return [Fault(match, cut=first), fault] if first else [fault]


def place_of(step: Step, server: FaultyHub) -> tuple[str, int]:
    """Which requests are meant, and how many bytes their answer has."""
    if not step.file:
        name = "revision" if step.place == "commit" else "tree"
        return f"^hub /api/datasets/{server.repository}/{name}/", 300
    entry = server.entries[step.file]
    matches = {
        "address": f"^hub /datasets/.*/resolve/.*{step.file}$",
        "bytes": f"^cdn /{entry.sha256}$" if entry.sha256 else f"resolve-cache/.*{step.file}$",
    }
    return matches[step.place], entry.size


def bring_into(server: FaultyHub, mood: str) -> None:
    server.page_size = 1  # three files, so three pages
    server.private = mood.startswith("private")
    server.gated = mood.startswith("gated")
    server.signed_once = mood == "expiring"
    server.moved_from = OLD_NAME if mood == "renamed" else None
    if mood == "closed":
        said = "Access to this resource is disabled."
        server.faults.append(Fault("^hub /api", status=403, said=said, times=-1))


@dataclass
class Outcome:
    """What came of one run."""

    complete: bool
    failed: dict[str, tuple[str, str | None]]
    error: UnitalkError | None = None


def attempt(
    server,
    root,
    session,
    *,
    token=TOKEN,
    mood="",
    slow=False,
    revision=None,
    parts=PARTS,
    jobs=1,
    tries=5,
) -> Outcome:
    patience = {"read": 0.12 if slow else 5.0, "tries": tries}
    name = OLD_NAME if mood == "renamed" else server.repository
    hub = quick(server.endpoint, name, token=token, session=session, patience=patience)
    asked = Selection(videos=(TRAIN,), parts=parts)
    try:
        report = run_download(
            plan_download(hub, root, revision=revision, selection=asked), hub, jobs=jobs
        )
    except UnitalkError as error:
        return Outcome(complete=False, failed={}, error=error)
    failed = {file.path: (file.cause, file.hint) for file in report.failed}
    return Outcome(complete=report.complete, failed=failed)


def check_told(outcome: Outcome, steps: tuple[Step, ...]) -> None:
    """What is said names the file, the cause and the next step."""
    words = "|".join(step.trouble.words for step in steps)
    if outcome.error is not None:
        message, hint = outcome.error.message, outcome.error.hint
        places = "|".join(step.file or "/api/datasets/|commit|files of" for step in steps)
        assert re.search(places, message), f"no file is named: {message}"
        assert re.search(words, message), f"no cause is named: {message}"
        assert hint, "no next step is named"
        return
    assert outcome.failed, "nothing is told"
    assert set(outcome.failed) <= {step.file for step in steps}, "another file failed"
    for path, (cause, hint) in outcome.failed.items():
        assert re.search(words, cause), f"no cause is named of {path}: {cause}"
        assert hint, f"no next step is named of {path}: {cause}"


def check_nothing_half_made(root: Path) -> None:
    """What has a final name is whole: a file by its bytes, a folder by all of its files."""
    seen = snapshot(root) if root.exists() else {}
    listed = seen.pop("failed.txt", b"").splitlines()
    assert not listed or listed[-1] == TRAIN.encode(), "the list that --video @failed.txt reads"
    for name, content in seen.items():
        assert WHOLE.get(name, b"" if name.endswith("/") else None) == content, name
    for folder in {name.rsplit("/", 2)[0] for name in VIDEO if name.startswith("clips_videos")}:
        if (root / folder).exists():
            inside = {name for name in WHOLE if name.startswith(folder + "/")}
            assert {name for name in seen if name.startswith(folder + "/")} == inside


def check_every_byte_once(server: FaultyHub) -> None:
    """Where every fault lets what came be kept, as many bytes went out as each file has."""
    for path, calls in bodies(server).items():
        sent = sum(call.sent for call in calls if call.status in {200, 206})
        assert sent == server.entries[path].size, f"{path}: {sent} bytes were fetched"


def check_the_rest_was_asked_for(server: FaultyHub, case: Case) -> None:
    """A range that is wrong once costs nothing that came before: it is noticed, not appended."""
    step = case.steps[0]
    wrong = step.trouble.ranged and "ignore_range" not in step.trouble.bends
    if wrong and len(case.steps) == 1 and not step.always:
        assert bodies(server)[step.file][-1].range, "what had come was thrown away"


def play(case: Case, server: FaultyHub, root: Path, session: requests.Session) -> None:
    """Run a case to its end, and hold it to what the top of this file says."""
    slow = any(step.trouble.slow for step in case.steps)
    server.renew(*(fault for step in case.steps for fault in faults_of(step, server)))
    bring_into(server, case.mood)
    began = len(server.log)
    jobs = len({step.file for step in case.steps})
    tries = 3 if any(step.always for step in case.steps) else 5
    same = {"mood": case.mood, "parts": case.parts}
    outcome = attempt(server, root, session, slow=slow, jobs=jobs, tries=tries, **same)
    assert not server.tokens_at_the_storage()
    if outcome.complete:
        assert snapshot(root) == whole(case.parts)
        unmet = [fault for fault in server.faults if fault.times > 0]
        assert not unmet, f"this fault was never met: {unmet}"
        if not slow and all(step.trouble.keeps for step in case.steps):
            check_every_byte_once(SinceThen(server, began))
        check_the_rest_was_asked_for(SinceThen(server, began), case)
        return
    assert not case.survived, f"not survived: {outcome.error or outcome.failed}"
    check_told(outcome, case.steps)
    check_nothing_half_made(root)
    before = held(root, server)
    since = len(server.log)
    server.renew()
    bring_into(server, case.mood)
    outcome = attempt(server, root, session, **same)
    assert outcome.complete, f"not completed: {outcome.error or outcome.failed}"
    assert snapshot(root) == whole(case.parts)
    assert not fetched_twice(server, since, before)
    assert not server.tokens_at_the_storage()


class SinceThen:
    """A server of which only the later requests are seen."""

    def __init__(self, server, since):
        self.entries = server.entries
        self.log = server.log[since:]


def play_all(cases, server, room, session) -> int:
    """Run cases; return how many, and fail with the first that were not as they must be."""
    wrong, ran = [], 0
    for case in cases:
        ran += 1
        root = room / "data"
        try:
            play(case, server, root, session)
        except (AssertionError, OSError, UnitalkError) as error:
            wrong.append(f"{case}\n    {str(error).splitlines()[0][:400]}")
        shutil.rmtree(root, ignore_errors=True)
    if wrong:
        pytest.fail(f"{len(wrong)} of {ran} cases:\n" + "\n".join(wrong[:12]), pytrace=False)
    return ran


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=exhaustive)])
@pytest.mark.parametrize(("group", "part"), [(g, p) for g in GROUPS for p in GROUPS[g]])
def test_every_case_is_whole_or_told_and_whole_the_next_time(
    server, room, session, group, part, every
):
    """One case in seven of each part is always played; seven goes into no cycle of positions."""
    cases = GROUPS[group][part][::every]
    assert play_all(cases, server, room, session) == len(cases) > 0


# ------------------------------------------------------------------------------ a closed hub


@pytest.mark.parametrize("name", REFUSALS)
def test_a_hub_that_lets_nobody_in_is_told_at_once(server, room, session, name):
    """Nothing is asked twice, as no patience opens it; the next run, let in, is complete."""
    token, words = REFUSALS[name]
    server.renew()
    bring_into(server, name)
    since = len(server.log)
    revision = "gone" if name == "no such commit" else None
    root = room / f"closed, {name}"
    outcome = attempt(server, root, session, token=token, revision=revision)
    assert outcome.error is not None
    assert words in outcome.error.message
    assert server.repository in outcome.error.message
    assert outcome.error.hint
    asked = [call.target for call in server.heard]
    assert len(asked) == len(set(asked)), "asked again in vain"
    # One that would have come next may be under way already.
    assert len([place for place in asked if "/resolve/" in place]) <= 2
    assert not server.tokens_at_the_storage()
    assert not [call for call in server.log[since:] if call.role == "cdn"]
    check_nothing_half_made(root)
    server.renew()
    assert attempt(server, root, session).complete
    assert snapshot(root) == WHOLE
    assert not server.tokens_at_the_storage()
    shutil.rmtree(root)


# ------------------------------------------------------------------------------ the command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_tells_the_same(server, room, run_command, name):
    """With the patience that people get; so only what is told, or survived, without a wait."""
    bends, code, words = COMMANDS[name]
    bends = dict(bends)
    mood = bends.pop("mood", "")
    server.renew(*([Fault(**bends)] if bends else []))
    bring_into(server, mood)
    root = room / f"commanded, {name}"
    ran = run_command(root, token=TOKEN)
    assert ran.code == code, ran.stderr
    assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert not server.tokens_at_the_storage()
    check_nothing_half_made(root)
    server.renew()
    again = run_command(root, token=TOKEN)
    assert again.code == 0, again.stderr
    assert snapshot(root) == WHOLE
    assert not server.tokens_at_the_storage()
    shutil.rmtree(root)


@pytest.fixture
def run_command(run, server, tmp_path, monkeypatch):
    """`unitalk download` of the one video, in this process."""
    for name in set(os.environ):
        if name.startswith(("HF_", "HUGGING_FACE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    def run_it(root, *, token):
        monkeypatch.setenv("HF_TOKEN", token)
        return run(
            "download", "-q", "--save-path", root, "--endpoint", server.endpoint, "--video", TRAIN
        )

    return run_it


# ------------------------------------------------------------------------------ the tools


def test_a_client_that_leaks_its_token_is_seen(server):
    """The proof that no token reached the storage would see one; also where no answer came."""
    server.renew(Fault("^cdn", hold=True))
    with requests.Session() as session:
        session.trust_env = False
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        place = f"{server.endpoint}/datasets/{server.repository}/resolve/{server.commit}/{LARGE}"
        answer = session.get(place, headers=bearer, allow_redirects=False, timeout=2)
        assert not server.tokens_at_the_storage()
        with pytest.raises(requests.Timeout):
            session.get(answer.headers["Location"], headers=bearer, timeout=0.1)
    assert server.tokens_at_the_storage() == [f"/{server.entries[LARGE].sha256}?Expires=3600"]
    server.renew()
    assert not server.tokens_at_the_storage()


def test_what_is_fetched_twice_is_seen(server, room, session):
    server.renew()
    root = room / "twice"
    assert attempt(server, root, session).complete
    whole = held(root, server)
    assert whole == {path: entry.size for path, entry in server.entries.items()}
    since = len(server.log)
    shutil.rmtree(root)
    assert set(held(root, server).values()) == {0}
    assert attempt(server, root, session).complete
    assert not fetched_twice(server, since, dict.fromkeys(whole, 0))
    assert len(fetched_twice(server, since, whole)) == 3
    assert len(fetched_twice(server, since, {**dict.fromkeys(whole, 0), LARGE: 5})) == 1
    (root / SMALL).write_bytes(b"half")
    with pytest.raises(AssertionError, match=SMALL):
        check_nothing_half_made(root)
    shutil.rmtree(root)


# ------------------------------------------------------------------------------ the judge


def test_the_hubs_own_client_takes_this_hub_for_one(room, tmp_path):
    """So that our picture of the hub is not ours alone: renamed, in pages, and with a bad day."""
    pytest.importorskip("huggingface_hub")
    script = (
        "import sys, huggingface_hub as h; h.snapshot_download(sys.argv[1], repo_type='dataset', "
        "local_dir=sys.argv[2], token='hf_good', max_workers=2)"
    )
    publish(room / "theirs", "train", TRAIN)
    busy = Fault(f"resolve/.*{LARGE}", status=503), Fault(f"resolve/.*{SMALL}", status=429)
    with FaultyHub(room / "theirs", faults=busy, page_size=1) as server:
        server.moved_from = OLD_NAME
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HF_HOME": str(tmp_path / "home"),
            "HF_ENDPOINT": server.endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-c", script, OLD_NAME, str(tmp_path / "got")],
            env=env, capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert snapshot(tmp_path / "got", without=(".cache",)) == snapshot(room / "theirs")
        assert all(fault.times == 0 for fault in server.faults), "they met both faults"
        assert not server.tokens_at_the_storage()
        pages = [call.target for call in server.heard if "/tree/" in call.target]
        assert len([page for page in pages if "cursor" in page]) == 2, "and both further pages"
        assert any(OLD_NAME in call.target for call in server.heard)
