"""Published checkpoints: the table, the folder, and the ways by which a file comes into it.

Downloads go through the real clients, gdown among them: a proxy on the loopback interface plays
Google Drive and GitHub under their own names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from bucket import Internet, Page
from hub_client import certificate
from real_data import LIGHT_ASD, LR_ASD, needs

from unitalk import schemas
from unitalk.catalog.results import published
from unitalk.errors import (
    AccessError,
    DataError,
    DestinationError,
    HubError,
    IntegrityError,
    MissingExtraError,
    UnitalkError,
    UsageError,
)
from unitalk.files import locked
from unitalk.models import weights
from unitalk.models.weights.local import look
from unitalk.net import Patience, StoppedError, drive

GOOD = b"PK\x03\x04" + b"weights of a network" * 50
OTHER = b"\x80\x02" + b"weights of another one" * 50
SHA = hashlib.sha256(GOOD).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
TALKNET_AVA = "1NVIkksrD3zbxbDuDbPc_846bLfPSZcZm"
"""The id of talknet-ava on Google Drive, from TalkNet's utils/tools.py."""


def by_name():
    return {one.name: one for one in weights.checkpoints()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weights"


@pytest.fixture
def saved(tmp_path):
    """A file that somebody has fetched by hand."""
    file = tmp_path / "saved.model"
    file.write_bytes(GOOD)
    return file


def bringing(content, *, calls=None):
    """What brings a checkpoint's bytes, without a network."""

    def fetch(checkpoint, part, on_bytes):
        if calls is not None:
            calls.append(checkpoint.name)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        on_bytes(len(content))

    return fetch


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# ------------------------------------------------------------------------------ the table


def test_what_loads_into_which_model():
    loads = {name: one.loads_into for name, one in by_name().items() if one.loads_into}
    assert loads == {
        "unitalk-talknet": "talknet", "talknet-ava": "talknet", "talknet-talkset": "talknet",
        "light-asd-ava": "light-asd", "light-asd-talkset": "light-asd",
    }  # fmt: skip
    assert all(bool(one.loads_into) != bool(one.elsewhere) for one in weights.checkpoints())


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("https://drive.google.com/file/d/1a-B_c/view?usp=sharing", "1a-B_c"),
        ("https://drive.google.com/file/d/1a-B_c", "1a-B_c"),
        ("https://drive.google.com/file/u/0/d/1a-B_c/edit", "1a-B_c"),
        ("https://drive.google.com/uc?id=1a-B_c&export=download", "1a-B_c"),
        ("https://drive.google.com/open?id=1a-B_c", "1a-B_c"),
        ("https://drive.usercontent.google.com/download?id=1a-B_c&confirm=t", "1a-B_c"),
        ("https://drive.google.com/uc?id=1&id=2", None),
        ("https://drive.google.com/uc?id=../x", None),
        ("https://drive.google.com/drive/folders/1a-B_c", None),
        ("https://example.org/file/d/1a-B_c", None),
        ("https://example.org/uc?id=1a-B_c", None),
    ],
)
def test_ids_in_addresses(url, number):
    assert drive.file_id(url) == number


def test_published_numbers_are_those_of_the_table_of_results():
    """Two tables, from different readings, have no number twice with different values."""
    results = {
        (one.benchmark, one.model, one.trained_on): one.value
        for one in published()
        if one.part == "overall" and one.metric == "mAP"
    }
    compared = set()
    for one in weights.checkpoints():
        number = one.published
        if number is None or number.metric != "mAP":
            continue
        known = results.get((number.benchmark, one.model, one.trained_on))
        if known is not None:
            compared.add(one.name)
            assert number.value == known, one.name
    assert len(compared) >= 8


def test_what_is_said_of_networks_alone():
    for one in weights.checkpoints():
        about = (one.crop, one.frame_rate, one.published)
        assert (None not in about) == (one.kind == "network"), one.name
        assert (one.kind == "archive") == one.file.endswith(".tar.gz")
        assert one.licence or one.terms, one.name  # terms travel


def test_crops_of_talkset():
    """TalkNet's demo: s is half the longer side, and the crop 2.8 s wide and high.

    So it is 1.4 times that side, 0.2 of it more on each side of a square box.
    """
    for one in weights.checkpoints():
        if one.trained_on == "TalkSet":
            assert one.margin == pytest.approx((2.8 / 2 - 1) / 2)


@needs(LIGHT_ASD)
@needs(LR_ASD)
@pytest.mark.parametrize(
    "file",
    [
        LIGHT_ASD, LIGHT_ASD.with_name("finetuning_TalkSet.model"),
        LR_ASD, LR_ASD.with_name("finetuning_TalkSet.model"),
    ],
)  # fmt: skip
def test_sizes_and_hashes_are_those_of_the_real_files(file):
    one = next(
        one
        for one in weights.checkpoints()
        if one.url.endswith(f"/{file.name}") and file.parent.name == one.model.lower()
    )
    content = file.read_bytes()
    assert (one.size, one.sha256) == (len(content), hashlib.sha256(content).hexdigest())


# ------------------------------------------------------------------------------ find


def test_a_name_that_is_not_here_says_how_to_get_it(folder):
    with pytest.raises(UsageError, match="talknet-ava is not on this machine") as caught:
        weights.find_weights("talknet-ava", folder)
    hint = caught.value.hint
    assert hint == f"`download_weights('talknet-ava', {str(folder)!r})`"
    assert not folder.exists()
    # It works as it stands, with the folder as a text.
    fetch = bringing(GOOD)
    eval(hint.strip("`"), {"download_weights": partial(weights.download_weights, fetch=fetch)})
    assert weights.find_weights("talknet-ava", str(folder)) == folder / "talknet-ava.model"


def test_names_that_are_not_here_or_not_known(folder, tmp_path, monkeypatch, saved):
    """A file counts first, a folder such as a run's last; and what is meant is said."""
    weights.register_weights("talknet-ava", folder, saved)
    monkeypatch.chdir(tmp_path)
    Path("talknet-ava").mkdir()
    assert weights.find_weights("talknet-ava", folder) == folder / "talknet-ava.model"
    Path("run").mkdir()
    assert weights.find_weights("run", folder) == Path("run")
    Path("light-asd-ava").write_bytes(OTHER)
    assert weights.find_weights("light-asd-ava", folder) == Path("light-asd-ava")
    with pytest.raises(UsageError, match="'light-asd-av' is neither a file nor") as caught:
        weights.find_weights("light-asd-av", folder, models=("light-asd",))
    assert caught.value.hint.startswith("did you mean light-asd-ava")
    assert {name for name in by_name() if name in caught.value.hint} == {
        name for name, one in by_name().items() if one.loads_into == "light-asd"
    }


@pytest.mark.parametrize("models", [("talknet",), ("talknet", "light-asd")])
def test_what_cannot_be_loaded_is_not_asked_for(folder, models):
    """Whether it fits is looked at before whether it is here: nobody fetches it for nothing."""
    for name, one in by_name().items():
        with pytest.raises(UsageError) as caught:
            weights.find_weights(name, folder, models=models)
        fits = one.loads_into in models
        assert ("cannot load" in caught.value.message) != fits
        assert caught.value.hint.startswith(f"`download_weights({name!r}, ") == fits
        if not fits:
            named = caught.value.hint.removeprefix("use one of ").split(", ")
            assert {by_name()[other].loads_into for other in named} == set(models)


def test_a_file_that_was_lost_is_not_here_any_more(saved, folder):
    weights.register_weights("talknet-ava", folder, saved).path.unlink()
    with pytest.raises(UsageError, match="there is no .*talknet-ava.model"):
        weights.find_weights("talknet-ava", folder)
    assert look(by_name()["talknet-ava"], folder).state == "lost"


def test_a_file_that_was_altered_is_refused(saved, folder):
    path = weights.register_weights("talknet-ava", folder, saved).path
    path.write_bytes(OTHER)
    with pytest.raises(DataError, match="is not the file that was registered") as caught:
        weights.find_weights("talknet-ava", folder)
    assert SHA in caught.value.message
    assert hashlib.sha256(OTHER).hexdigest() in caught.value.message
    assert caught.value.exit_code == 3


def test_what_size_and_time_hide_a_check_finds(saved, folder):
    """The price of not hashing a hundred megabytes at each start, and the way to be sure."""
    path = weights.register_weights("talknet-ava", folder, saved).path
    stat = path.stat()
    path.write_bytes(GOOD[:-1] + b"!")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights.find_weights("talknet-ava", folder) == path
    checkpoint = by_name()["talknet-ava"]
    assert look(checkpoint, folder).state == "present"
    checked = look(checkpoint, folder, check=True)
    assert checked.state == "altered"
    assert checked.found_sha256 == hashlib.sha256(GOOD[:-1] + b"!").hexdigest()


def test_a_touched_file_is_hashed_once(saved, folder):
    path = weights.register_weights("talknet-ava", folder, saved).path
    os.utime(path, ns=(1, 10**18))
    checkpoint = by_name()["talknet-ava"]
    first = look(checkpoint, folder)
    assert (first.state, first.found_sha256) == ("present", SHA)
    assert look(checkpoint, folder).found_sha256 is None  # the new time is remembered


@pytest.mark.parametrize("text", ["{", "[]", '{"checkpoints": {"s3fd": {"size": 1}}}'])
def test_a_damaged_registry_is_named(folder, text):
    folder.mkdir()
    (folder / "weights.json").write_text(text)
    with pytest.raises(UnitalkError, match=r"weights\.json: "):
        weights.find_weights("s3fd", folder)


# ------------------------------------------------------------------------------ from a file


def test_registering_copies_hashes_and_remembers(saved, folder):
    report = weights.register_weights("talknet-ava", folder, saved)
    assert (report.how, report.size, report.sha256) == ("registered", len(GOOD), SHA)
    assert report.compared_with is None
    assert "must match it" in report.warnings[0]
    assert saved.read_bytes() == GOOD
    assert files_in(folder) == ["talknet-ava.model", "weights.json"]
    entry = json.loads((folder / "weights.json").read_text())["checkpoints"]["talknet-ava"]
    assert entry["sha256"] == SHA
    assert entry["registered"] == report.registered
    assert report.registered.endswith("Z")


def test_the_first_file_decides_and_replace_lets_another_one_in(saved, folder):
    weights.register_weights("talknet-ava", folder, saved)
    assert weights.register_weights("talknet-ava", folder, saved).compared_with == "registry"
    saved.write_bytes(OTHER)
    with pytest.raises(IntegrityError, match="but talknet-ava was registered on .* with") as caught:
        weights.register_weights("talknet-ava", folder, saved)
    assert "`replace=True`" in caught.value.hint
    assert weights.find_weights("talknet-ava", folder).read_bytes() == GOOD
    assert (
        weights.register_weights("talknet-ava", folder, saved, replace=True).compared_with is None
    )
    assert weights.find_weights("talknet-ava", folder).read_bytes() == OTHER


@pytest.mark.parametrize("replace", [False, True])
def test_a_published_hash_cannot_be_replaced(saved, folder, replace):
    with pytest.raises(IntegrityError, match="light-asd-ava is published with d44bc3ea") as caught:
        weights.register_weights("light-asd-ava", folder, saved, replace=replace)
    assert "pass its path" in caught.value.hint
    assert files_in(folder) == []


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("talknet-ava", PAGE, "a web page, not a checkpoint of PyTorch"),
        ("talknet-ava", b"\n  <html>", "a web page"),
        ("talknet-ava", b"\xef\xbb\xbf<html>", "a web page"),
        ("talknet-ava", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("talknet-ava", b"", "an empty file"),
        ("talknet-ava", b"\x1f\x8b\x08", "gzip data"),
        ("ava-csv", GOOD, "not a tar.gz"),
        ("ava-csv", PAGE, "a web page, not a tar.gz"),
    ],
)
def test_what_is_no_checkpoint_is_refused(saved, folder, name, content, what):
    saved.write_bytes(content)
    with pytest.raises(IntegrityError, match=what) as caught:
        weights.register_weights(name, folder, saved, replace=True)
    assert f"`register_weights({name!r}, FOLDER, FILE)`" in caught.value.hint
    assert files_in(folder) == []


def test_a_file_that_was_saved_right_there_is_taken(folder):
    folder.mkdir()
    there = folder / "talknet-ava.model"
    there.write_bytes(GOOD)
    assert weights.register_weights("talknet-ava", folder, there).how == "registered"
    assert weights.find_weights("talknet-ava", folder).read_bytes() == GOOD


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_that_nobody_registered_is_not_written_over(saved, folder, replace):
    folder.mkdir()
    (folder / "talknet-ava.model").write_bytes(b"mine")
    with pytest.raises(DestinationError, match="was never registered") as caught:
        weights.register_weights("talknet-ava", folder, saved, replace=replace)
    assert f"{str(folder / 'talknet-ava.model')!r})`" in caught.value.hint
    assert (folder / "talknet-ava.model").read_bytes() == b"mine"


# ------------------------------------------------------------------------------ download


def test_a_download_is_registered_and_not_repeated(folder):
    calls = []
    fetch = bringing(GOOD, calls=calls)
    report = weights.download_weights("talknet-ava", folder, fetch=fetch)
    assert (report.how, report.sha256, report.compared_with) == ("downloaded", SHA, None)
    assert report.origin == by_name()["talknet-ava"].url
    assert files_in(folder) == ["talknet-ava.model", "weights.json"]
    again = weights.download_weights("talknet-ava", folder, fetch=fetch)
    assert (again.how, again.registered) == ("present", report.registered)
    assert calls == ["talknet-ava"]
    assert (
        weights.download_weights("talknet-ava", folder, fetch=fetch, replace=True).how
        == "downloaded"
    )
    assert calls == ["talknet-ava", "talknet-ava"]


def test_the_report_is_json(folder):
    report = weights.download_weights("talknet-ava", folder, fetch=bringing(GOOD)).to_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["schema_version"], report["loads_into"]) == (1, "talknet")
    jsonschema.validate(report, schemas.read("weights-download"))


# ------------------------------------------------------------------------------ over the network

HOSTS = ("drive.google.com", "drive.usercontent.google.com", "raw.githubusercontent.com")
QUICK = Patience(connect=5.0, read=5.0, backoff=0.001, tries=4, longest=0.05)

# The page that Drive puts before files that are too large to be looked through for viruses.
VIRUS_PAGE = (
    b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>\n"
    b'<p class="uc-warning-caption">Google Drive can\'t scan this file for viruses.</p>'
    b'<form id="download-form" action="https://drive.usercontent.google.com/download" method="get">'
    b'<input type="submit" value="Download anyway"/>'
    b'<input type="hidden" name="id" value="' + TALKNET_AVA.encode() + b'">'
    b'<input type="hidden" name="export" value="download">'
    b'<input type="hidden" name="confirm" value="t"></form></body></html>'
)

QUOTA_PAGE = (
    b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>\n"
    b'<p class="uc-error-caption">Sorry, you can\'t view or download this file at this time.</p>\n'
    b'<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. '
    b"Please try accessing the file again later.</p></body></html>"
)


@pytest.fixture
def internet(tmp_path, monkeypatch):
    """Play the hosts of the internet behind a proxy."""
    pem = certificate(tmp_path, *(f"DNS:{host}" for host in HOSTS))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    for name in ("NO_PROXY", "no_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with contextlib.ExitStack() as stack:

        def begin(play):
            net = stack.enter_context(Internet(play, pem))
            monkeypatch.setenv("https_proxy", net.url)
            return net

        yield begin


@pytest.fixture
def gdown():
    return pytest.importorskip("gdown", reason='pip install "unitalk[weights]"')


def a_file(content=GOOD, **more):
    name = ("Content-Disposition", 'attachment; filename="pretrain_AVA.model"')
    return Page(content, headers=(name,), **more)


def a_page(content, status=200):
    return Page(content, status=status, kind="text/html; charset=utf-8")


def test_a_large_file_of_drive_stands_behind_a_page(internet, gdown, folder):
    def play(host, path):
        return a_page(VIRUS_PAGE) if host == "drive.google.com" else a_file()

    net = internet(play)
    assert weights.download_weights("talknet-ava", folder, patience=QUICK).path.read_bytes() == GOOD
    query = parse_qs(urlsplit(net.asked[-1]).query)
    assert query == {"id": [TALKNET_AVA], "export": ["download"], "confirm": ["t"]}


def test_a_file_that_was_fetched_too_often(internet, gdown, folder):
    net = internet(lambda host, path: a_page(QUOTA_PAGE))
    with pytest.raises(AccessError, match="does not give the file: it was fetched too often") as c:
        weights.download_weights("talknet-ava", folder, patience=QUICK)
    assert "FILE)`" in c.value.hint
    assert len(net.asked) == 1
    assert not folder.exists() or files_in(folder) == []


def test_a_cut_line_of_drive_is_begun_anew(internet, gdown, folder):
    pages = [a_file(cut=100), a_file(cut=500), a_file()]
    net = internet(lambda host, path: pages.pop(0))
    counted = Counted()
    report = weights.download_weights("talknet-ava", folder, patience=QUICK, progress=counted)
    assert report.path.read_bytes() == GOOD
    assert counted.done == len(GOOD)
    assert len(net.asked) == 3
    assert files_in(folder) == ["talknet-ava.model", "weights.json"]


class Counted:
    """A `Progress` that adds up, and keeps what it is told."""

    def __init__(self):
        self.done = 0
        self.notes = []

    def task(self, description, *, total=None, unit="", done=0):
        return self

    def note(self, text):
        self.notes.append(text)

    def advance(self, amount=1):
        self.done += amount

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_name_is_fetched_when_it_is_needed(internet, gdown, folder):
    net = internet(lambda host, path: a_file())
    counted = Counted()
    options = {"models": ("talknet",), "patience": QUICK, "progress": counted}
    path = weights.get_weights("talknet-ava", folder, **options)
    assert path == folder / "talknet-ava.model"
    assert path.read_bytes() == GOOD
    url = by_name()["talknet-ava"].url
    assert counted.notes == [
        f"fetching talknet-ava (size not known, licence not known) from {url}",
        "terms of talknet-ava: no licence is stated; the repository that links to it is MIT",
    ]
    asked = list(net.asked)
    assert weights.get_weights("talknet-ava", folder, forbidden_by="a rule", **options) == path
    path.unlink()  # lost: it comes again, and has to be the same
    assert weights.get_weights("talknet-ava", folder, **options) == path
    assert net.asked == asked * 2


def test_what_is_not_wanted_is_not_fetched(internet, folder, saved):
    net = internet(lambda host, path: a_file())
    assert weights.get_weights(str(saved), folder, models=("talknet",)) == saved
    for name in ("s3fd", "ava-csv", "unitalk-loconet", "light-asd-ava"):
        with pytest.raises(UsageError, match="which talknet cannot load"):
            weights.get_weights(name, folder, models=("talknet",))
    with pytest.raises(UsageError, match="which of mine cannot load"):
        weights.get_weights("talknet-ava", folder, models=("of mine",))
    with pytest.raises(UsageError, match="would have to be fetched to .*, which a rule forbids"):
        weights.get_weights("talknet-ava", folder, models=("talknet",), forbidden_by="a rule")
    assert net.asked == []
    assert not folder.exists()


def test_a_process_that_fetches_the_same_is_waited_for(folder):
    """So all processes of a training, and all jobs of an array, may name the same checkpoint."""
    busy, told = threading.Event(), threading.Event()
    calls = []

    def first():
        with locked(folder):
            busy.set()
            assert told.wait(20)

    counted = Counted()
    counted.note = lambda text: told.set() if "another process is writing" in text else None
    thread = threading.Thread(target=first)
    thread.start()
    assert busy.wait(20)
    report = weights.download_weights(
        "talknet-ava", folder, fetch=bringing(GOOD, calls=calls), progress=counted
    )
    thread.join()
    assert told.is_set()
    assert (report.how, calls) == ("downloaded", ["talknet-ava"])


def test_of_several_one_that_fails_does_not_stop_the_others(internet, gdown, folder):
    names = ["talknet-ava", "talknet-talkset", "s3fd"]
    ids = {drive.file_id(by_name()[name].url): name for name in names}
    refused = {"talknet-talkset"}

    def play(host, path):
        name = ids[parse_qs(urlsplit(path).query)["id"][0]]
        return a_page(QUOTA_PAGE) if name in refused else a_file(name.encode().join([GOOD, b""]))

    net = internet(play)
    counted = Counted()
    report = weights.download_several_weights(names, folder, patience=QUICK, progress=counted)
    assert [one.name for one in report.checkpoints] == ["talknet-ava", "s3fd"]
    (failed,) = report.failed
    assert failed.path == "talknet-talkset"
    assert "fetched too often" in failed.cause
    assert "register_weights('talknet-talkset'" in failed.hint
    assert counted.notes[0] == "3 of 3 to fetch: size not known for 3"
    jsonschema.validate(report.to_dict(), schemas.read("weights-download"))

    refused.clear()
    before = len(net.asked)
    again = weights.download_several_weights(names, folder, patience=QUICK)
    assert [one.how for one in again.checkpoints] == ["present", "downloaded", "present"]
    assert again.failed == ()
    assert {ids[parse_qs(urlsplit(path).query)["id"][0]] for path in net.asked[before:]} == {
        "talknet-talkset"
    }


def test_of_several_none_is_fetched_where_a_name_is_wrong(internet, folder):
    net = internet(lambda host, path: a_file())
    with pytest.raises(UsageError, match="'talknet' is neither"):
        weights.download_several_weights(["talknet-ava", "talknet"], folder)
    with pytest.raises(UsageError, match="s3fd would have to be fetched to .*, which a rule"):
        weights.download_several_weights(["s3fd"], folder, forbidden_by="a rule")
    assert net.asked == []


def test_all_are_downloaded_and_failures_are_listed(internet, run, folder, monkeypatch):
    """Without gdown, whatever is on Google Drive fails for one and the same reason."""
    monkeypatch.setenv("UNITALK_WEIGHTS", str(folder))
    monkeypatch.setitem(sys.modules, "gdown", None)
    net = internet(lambda host, path: Page(status=404))
    ran = run("weights", "download", "--all")
    assert ran.code == 4
    lines = ran.stdout.splitlines()
    assert lines[0] == f"{folder}: 0 of {len(weights.checkpoints())} checkpoints"
    assert lines[-1] == "incomplete: run the same command again to continue"
    assert ran.stdout.count('-> pip install "unitalk[weights]"') == 1
    assert "unitalk weights download light-asd-ava --from-file FILE" in ran.stdout
    assert {path.rpartition("/")[2] for path in net.asked} == {
        one.url.rpartition("/")[2] for one in weights.checkpoints() if "raw.github" in one.url
    }
    first = ran.stderr.splitlines()[0]
    known = 2 * 4_175_289 + 2 * 3_426_337  # Light-ASD's and LR-ASD's files
    count = len(weights.checkpoints())
    assert first == (
        f"{count} of {count} to fetch: {known / 1e6:.1f} MB for 4 of them, "
        f"size not known for {count - 4}"
    )


def test_no_network_at_all_is_said(gdown, folder, monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    for name in ("talknet-ava", "light-asd-ava"):
        with pytest.raises(HubError, match="given up") as caught:
            weights.download_weights(name, folder, patience=QUICK)
        assert caught.value.message.startswith(f"{name} could not be fetched: ")
        assert "in a browser, save the file, then: `register_weights(" in caught.value.hint
    assert files_in(folder) == []


@needs(LIGHT_ASD)
def test_the_real_weights_come_from_github(internet, folder):
    internet(lambda host, path: Page(LIGHT_ASD.read_bytes()))
    report = weights.download_weights("light-asd-ava", folder, patience=QUICK)
    assert (report.how, report.compared_with) == ("downloaded", "table")
    assert report.path.read_bytes() == LIGHT_ASD.read_bytes()
    assert files_in(folder) == ["light-asd-ava.model", "weights.json"]


def test_what_came_from_github_before_the_line_was_cut_is_kept(internet, folder):
    big = GOOD.ljust(4_175_289, b"\0")
    tag = (("ETag", '"a tag"'),)
    internet(lambda host, path: Page(big, headers=tag, cut=1_000_000))
    with pytest.raises(HubError, match="given up"):
        weights.download_weights("light-asd-talkset", folder, patience=QUICK)
    part = folder / ".incoming/light-asd-talkset/light-asd-talkset.model"
    assert part.stat().st_size == 1_000_000


# ------------------------------------------------------------------------------ --weights NAME


@pytest.fixture
def named_weights(internet, gdown, folder, monkeypatch, request):
    """A network on "Google Drive" under the name talknet-ava; what was asked for there."""
    pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    content = request.getfixturevalue("weights").read_bytes()
    monkeypatch.setenv("UNITALK_WEIGHTS", str(folder))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return internet(lambda host, path: a_file(content))


def test_predict_fetches_a_name_once(run, named_weights, folder, tiny, tmp_path):
    words = ("predict", tiny, "--weights", "talknet-ava", "-o")
    ran = run(*words, tmp_path / "first.csv")
    assert ran.code == 0, ran.stderr
    lines = ran.stderr.splitlines()
    assert lines[0].startswith("fetching talknet-ava (size not known, licence not known) from http")
    assert lines[1].startswith("terms of talknet-ava: no licence is stated")
    assert files_in(folder) == ["talknet-ava.model", "weights.json"]
    count = len(named_weights.asked)
    ran = run(*words, tmp_path / "second.csv", "--offline")
    assert ran.code == 0, ran.stderr
    assert "fetching" not in ran.stderr
    assert (tmp_path / "second.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()
    assert len(named_weights.asked) == count


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_offline_nothing_is_fetched(run, named_weights, folder, tiny, tmp_path, monkeypatch, verb):
    out = tmp_path / "made"
    place = {"train": "--destination", "predict": "-o"}[verb]
    words = (verb, tiny, "--weights", "talknet-ava", "--model", "talknet", place, out)
    ran = run(*words, "--offline")
    assert (ran.code, ran.stdout) == (2, "")
    assert "which --offline forbids" in ran.stderr
    assert "fetch it without --offline: unitalk weights download talknet-ava" in ran.stderr
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ran = run(*words)
    assert (ran.code, ran.stdout) == (2, "")
    assert "which HF_HUB_OFFLINE forbids" in ran.stderr
    for name in ("s3fd", "unitalk-loconet", "columbia-labels", "light-asd-ava"):
        ran = run(*(name if word == "talknet-ava" else word for word in words))
        assert "which talknet cannot load" in ran.stderr
    assert named_weights.asked == []
    assert not out.exists()
    assert not folder.exists()


@pytest.mark.usefixtures("unmeasured")
def test_an_interrupt_while_weights_are_fetched(internet, gdown, folder, tiny, tmp_path):
    """It is answered within a second, nothing half-made stays, and the same command goes on."""
    asked, goes_on = threading.Event(), threading.Event()

    def play(host, path):
        asked.set()
        goes_on.wait(20)
        return a_file()

    internet(play)
    words = ["predict", tiny, "--weights", "talknet-ava", "-o", tmp_path / "p.csv"]
    environment = os.environ | {"UNITALK_WEIGHTS": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "unitalk", *words], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert asked.wait(20)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        stdout, stderr = process.communicate(timeout=20)
        took = time.monotonic() - began
    goes_on.set()
    assert (process.returncode, stdout) == (130, "")
    assert took < 1.5, f"{took:.2f} s"  # alone it takes a tenth of a second
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert files_in(folder) == []


# ------------------------------------------------------------------------------ gdown, in our hands


def test_drive_takes_no_cookies_and_every_wait_has_an_end(tmp_path):
    seen = {}

    def get(**options):
        seen.update(options)
        Path(options["output"]).write_bytes(GOOD)

    drive.fetch("https://drive.google.com/uc?id=abc", tmp_path / "x" / "p", print, get=get)
    assert (seen["id"], seen["quiet"], seen["use_cookies"]) == ("abc", True, False)
    assert seen["timeout"] == (10.0, 15.0)  # those of `Patience`


@pytest.mark.parametrize("error", [KeyError("Content-Type"), AssertionError(), AttributeError("x")])
def test_what_gdown_trips_over_is_no_traceback(tmp_path, error):
    def get(**options):
        Path(options["output"] + "abc.part").write_bytes(b"half")
        raise error

    with pytest.raises(HubError, match="gdown cannot read Google Drive's answer"):
        drive.fetch("https://drive.google.com/uc?id=abc", tmp_path / "p", lambda _: None, get=get)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_is_not_gdowns_fault_is_passed_on_and_leaves_nothing(tmp_path, error):
    def get(**options):
        Path(options["output"] + "abc.part").write_bytes(b"half")
        raise error

    with pytest.raises(type(error)):
        drive.fetch("https://drive.google.com/uc?id=abc", tmp_path / "p", lambda _: None, get=get)
    assert list(tmp_path.iterdir()) == []


def test_stop_ends_it(tmp_path):
    stop = threading.Event()

    def get(**options):
        stop.set()
        raise ValueError("cancelled")

    with pytest.raises(StoppedError):
        drive.fetch("https://drive.google.com/uc?id=abc", tmp_path / "p", print, get=get, stop=stop)


def test_without_gdown_it_is_said_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(MissingExtraError) as caught:
        weights.download_weights("talknet-ava", folder)
    assert caught.value.hint == 'pip install "unitalk[weights]"'
