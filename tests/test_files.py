"""The hazards of the disk: what is half made, what is not ours, what cannot be linked."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from conftest import on_another_file_system, slow, tree

import unitalk
from unitalk.errors import DiskError
from unitalk.files import (
    LINKS,
    Placer,
    atomic_write,
    check_apart,
    check_destination,
    check_writable,
    disk_boundary,
    disk_errors,
    read_json,
    staged_folder,
    write_json,
)
from unitalk.layout import Layout


def make(destination: Path, text: str = "whole", **options) -> None:
    with staged_folder(destination, made_by="test", about={"n": 1}, **options) as folder:
        (folder / "file").write_text(text)


# ------------------------------------------------------------------------------ one file


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path) as file:
        file.write("a\r\nü")
        assert not path.exists()
    assert path.read_bytes() == "a\r\nü".encode()
    with pytest.raises(KeyError), atomic_write(path) as file:
        file.write("half")
        raise KeyError
    assert path.read_bytes() == "a\r\nü".encode()
    assert os.listdir(path.parent) == ["file.txt"]


def test_a_file_is_as_readable_as_any_other(tmp_path):
    with atomic_write(tmp_path / "ours", "wb") as file:
        file.write(b"x")
    (tmp_path / "theirs").write_bytes(b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


def test_json_is_strict_both_ways(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    assert read_json(tmp_path / "none.json") is None
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(unitalk.UnitalkError, match=r"c.json: not a JSON file"):
        read_json(tmp_path / "c.json")


# ------------------------------------------------------------------------------ one folder


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_gets_its_name_when_it_is_whole(tmp_path, exists):
    destination = tmp_path / "deep" / "down"
    if exists:
        destination.mkdir(parents=True)
    with staged_folder(destination, made_by="test", about={"n": 1}) as folder:
        (folder / "file").write_text("x")
        assert not destination.exists() or not os.listdir(destination)
    assert (destination / "file").read_text() == "x"
    assert os.listdir(destination.parent) == ["down"]
    marker = read_json(Layout(destination).marker)
    assert marker == {"made_by": "test", "unitalk_version": unitalk.__version__, "n": 1}


def test_after_an_error_nothing_is_left(tmp_path):
    destination = tmp_path / "folder"
    with pytest.raises(KeyError), staged_folder(destination, made_by="test", about={}):
        raise KeyError
    assert os.listdir(tmp_path) == []


@slow
def test_two_processes_cannot_write_one_folder_and_a_dead_one_holds_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from unitalk import files\n"
        "with files.staged_folder(Path(sys.argv[1]), made_by='test', about={}):\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    destination = tmp_path / "folder"
    with subprocess.Popen(
        [sys.executable, "-c", code, destination], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"ready\n"
        with pytest.raises(unitalk.DestinationError, match="another process is writing"):
            make(destination)
        other.kill()
    make(destination)
    assert (destination / "file").read_text() == "whole"


def test_a_folder_that_is_not_ours_is_never_touched(tmp_path):
    destination = tmp_path / "thesis"
    destination.mkdir()
    (destination / "chapter1.tex").write_text("years of work")
    before = tree(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(unitalk.DestinationError, match="did not make it"):
            make(destination, overwrite=overwrite)
    assert tree(tmp_path) == before


def test_what_another_verb_made_is_not_replaced(tmp_path):
    make(tmp_path / "folder")
    with (
        pytest.raises(unitalk.DestinationError, match="made by 'test'"),
        staged_folder(tmp_path / "folder", made_by="trim", overwrite=True, about={}),
    ):
        pass


def test_what_the_same_verb_made_is_replaced_only_on_request(tmp_path):
    make(tmp_path / "folder", "old")
    with pytest.raises(unitalk.DestinationError, match="is not empty") as caught:
        make(tmp_path / "folder", "new")
    assert "`overwrite=True`" in caught.value.hint
    assert (tmp_path / "folder" / "file").read_text() == "old"
    make(tmp_path / "folder", "new", overwrite=True)
    assert (tmp_path / "folder" / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["folder"]


def test_a_failed_replacement_leaves_the_old_folder(tmp_path):
    make(tmp_path / "folder", "old")
    with (
        pytest.raises(KeyError),
        staged_folder(tmp_path / "folder", made_by="test", overwrite=True, about={}),
    ):
        raise KeyError
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["folder"]


def test_a_run_killed_between_the_two_renames_loses_nothing(tmp_path):
    make(tmp_path / "folder", "old")
    (tmp_path / "folder").rename(tmp_path / ".folder.unitalk-old")
    with pytest.raises(unitalk.DestinationError, match="is not empty"):
        make(tmp_path / "folder", "new")
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["folder"]


def test_a_destination_that_is_a_file_or_a_mount_point(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(unitalk.DestinationError, match="is not a folder"):
        make(tmp_path / "file")
    with pytest.raises(unitalk.DestinationError, match="is not a folder"):
        (tmp_path / "dangling").symlink_to(tmp_path / "none")
        check_destination(tmp_path / "dangling", made_by="test")


@pytest.mark.parametrize(
    ("source", "destination", "how"),
    [("a", "a", "is"), ("a", "a/b", "lies inside"), ("a/b", "a", "contains"),
     ("a", "link/b", "lies inside"), ("a", "c/../a/d", "lies inside")],
)  # fmt: skip
def test_source_and_destination_must_be_apart(tmp_path, source, destination, how):
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(unitalk.DestinationError, match=f" {how} the source"):
        check_apart(tmp_path / source, tmp_path / destination)
    check_apart(tmp_path / "a", tmp_path / "ab")


# ------------------------------------------------------------------------------ placing


@pytest.fixture
def linked(tmp_path):
    """A folder that is reached by a link, with links in it: to a file, and to a folder elsewhere.

    ::

        real/video/0.00.jpg                 a
        real/video/0.04.jpg                 -> ../far/b
        real/video/inner/0.08.jpg           c
        real/video/other                    -> ../far
        real/far/b                          b
        alias                               -> real
    """
    (tmp_path / "real/video/inner").mkdir(parents=True)
    (tmp_path / "real/far").mkdir()
    (tmp_path / "real/video/0.00.jpg").write_bytes(b"a")
    (tmp_path / "real/far/b").write_bytes(b"b")
    (tmp_path / "real/video/inner/0.08.jpg").write_bytes(b"c")
    (tmp_path / "real/video/0.04.jpg").symlink_to("../far/b")
    (tmp_path / "real/video/other").symlink_to("../far")
    (tmp_path / "alias").symlink_to("real")
    return tmp_path / "alias/video"


@pytest.mark.parametrize("link", ["auto", "hard", "copy"])
def test_a_tree_with_links_in_it_is_placed_as_what_they_lead_to(tmp_path, linked, link):
    placer = Placer(link)
    placer.tree(linked, tmp_path / "new")
    assert tree(tmp_path / "new") == {
        "0.00.jpg": b"a", "0.04.jpg": b"b", "inner/0.08.jpg": b"c", "other/b": b"b",
    }  # fmt: skip
    assert not any(path.is_symlink() for path in (tmp_path / "new").rglob("*"))
    assert placer.placed == {"copy" if link == "copy" else "hard": 4}
    # Of the four names, two are of the one file far/b.
    assert os.stat(tmp_path / "real/far/b").st_nlink == (1 if link == "copy" else 3)
    placer = Placer("sym")
    placer.tree(linked, tmp_path / "linked")
    assert (os.readlink(tmp_path / "linked"), placer.placed) == (
        str(tmp_path / "real/video"), {"sym": 1},
    )  # fmt: skip


def test_files_go_into_a_folder_that_is_there_beside_what_it_has(tmp_path, linked):
    for link in LINKS:
        to = tmp_path / f"to-{link}"
        to.mkdir()
        (to / "mine").write_bytes(b"mine")
        placer = Placer(link)
        placer.into(linked, to, [("0.00.jpg", "x"), ("0.04.jpg", "y"), ("0.04.jpg", "z")])
        assert tree(to) == {"mine": b"mine", "x": b"a", "y": b"b", "z": b"b"}
        assert sum(placer.placed.values()) == 3
        with pytest.raises(FileExistsError):
            Placer("sym" if link == "sym" else "hard").into(linked, to, [("0.00.jpg", "x")])
    # Symbolic links lead to the files themselves: past the alias, and past the link to far/b.
    assert os.readlink(tmp_path / "to-sym/x") == str(tmp_path / "real/video/0.00.jpg")
    assert os.readlink(tmp_path / "to-sym/y") == str(tmp_path / "real/far/b")


def test_a_folder_whose_names_stay_becomes_one_symbolic_link(tmp_path, linked, monkeypatch):
    names = {"0.00.jpg": "0.00.jpg", "0.04.jpg": "0.04.jpg"}
    assert Placer("sym").files(linked, tmp_path / "one", names) is True
    assert os.readlink(tmp_path / "one") == str(tmp_path / "real/video")
    assert Placer("sym").files(linked, tmp_path / "two", {"0.00.jpg": "0.0.jpg"}) is False
    assert Placer("hard").files(linked, tmp_path / "three", names) is False
    monkeypatch.chdir(linked)
    for number, spelled in enumerate((f"{linked}/", f"{linked}/inner/..", ".", "../video")):
        Placer("sym").files(spelled, tmp_path / f"new{number}", {})
        assert os.readlink(tmp_path / f"new{number}") == str(tmp_path / "real/video")


def test_auto_copies_where_no_hard_link_can_be_and_hard_says_so(tmp_path, linked):
    other = on_another_file_system(tmp_path)
    target = other / f"unitalk-test-{os.getpid()}"
    try:
        with pytest.raises(unitalk.UnitalkError, match="no hard link") as caught:
            Placer("hard").file(linked / "0.00.jpg", target)
        assert "`link='copy'`" in caught.value.hint
        placer = Placer("auto")
        placer.file(linked / "0.00.jpg", target)
        assert (target.read_bytes(), placer.placed) == (b"a", {"copy": 1})
    finally:
        target.unlink(missing_ok=True)


# ------------------------------------------------------------------------------ refusals in words


@pytest.mark.parametrize("number", [13, 30, 28, 36])
def test_a_refusal_names_the_file_or_what_was_being_written(number, tmp_path):
    @disk_boundary("place")
    def write(_: int, *, place: Path, names: tuple[str, ...]) -> None:
        raise OSError(number, os.strerror(number), *names)

    for names, named in (((), tmp_path), (("other",), "other")):
        with pytest.raises(DiskError) as caught:
            write(1, place=tmp_path, names=names)
        assert str(caught.value) == f"{named}: {os.strerror(number)}"
        assert caught.value.hint


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLError(1, "CERTIFICATE_VERIFY_FAILED"),  # 1 is EPERM elsewhere
        socket.gaierror(5, "no address"),  # 5 is EIO elsewhere
        requests.ConnectionError(OSError(13, "Permission denied")),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError(110, "timed out"),
        FileNotFoundError(2, "No such file or directory", "ours"),
        OSError("cannot identify image file"),
    ],
)
def test_the_networks_errors_and_our_own_stay_what_they_are(error):
    with pytest.raises(type(error)) as caught, disk_errors("x"):
        raise error
    assert caught.value is error


def test_a_file_that_cannot_be_written_is_known_before(tmp_path):
    (tmp_path / "file").touch()
    for name in ("file/x.csv", "n" * 270):
        with pytest.raises(DiskError, match=str(tmp_path)):
            check_writable(tmp_path / name)
    check_writable(tmp_path / "new/folder/x.csv")
    assert os.listdir(tmp_path) == ["file"]
