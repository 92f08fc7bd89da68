"""The loopback hub by itself; `test_fault_matrix.py` has the real hub's own client judge it."""

from __future__ import annotations

import hashlib

import pytest
import requests
from hub_server import TRAIN, VAL, publish

from unitalk.net.loopback import LoopbackHub

ZIP = f"clips_videos/train/{TRAIN}.zip"
CSV = f"csv/train/{TRAIN}.csv"


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    publish(folder, "train", TRAIN)
    publish(folder, "val", VAL[0])
    (folder / ".hidden").write_text("x")
    return folder


@pytest.fixture
def hub(served):
    with LoopbackHub(served) as hub:
        yield hub


def get(url, method="get", **options):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=20, **options)


def resolve(hub, path):
    return f"{hub.endpoint}/datasets/{hub.repository}/resolve/{hub.commit}/{path}"


def test_commit_follows_from_names_and_content_alone(served):
    commits = []
    for change in (lambda: None, (served / CSV).touch, lambda: (served / CSV).write_bytes(b"x")):
        change()
        with LoopbackHub(served) as hub:
            answer = get(f"{hub.endpoint}/api/datasets/{hub.repository}/revision/main").json()
            commits.append(answer["sha"])
    assert commits[0] == commits[1] != commits[2]


def test_listing_has_sizes_and_both_kinds_of_hashes(hub, served):
    url = f"{hub.endpoint}/api/datasets/{hub.repository}/tree/{hub.commit}?recursive=true"
    listed = {e["path"]: e for e in get(url).json()}
    assert len(listed) == 6  # three files of two videos, and nothing hidden
    content = (served / CSV).read_bytes()
    # git: sha1 of "blob <size>\0" and the content
    expected = hashlib.sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()
    assert listed[CSV] == {"type": "file", "path": CSV, "size": len(content), "oid": expected}
    archive = (served / ZIP).read_bytes()
    assert listed[ZIP]["lfs"]["oid"] == hashlib.sha256(archive).hexdigest()
    assert listed[ZIP]["size"] == listed[ZIP]["lfs"]["size"] == len(archive)
    wrong = hashlib.sha1(b"blob %d\0" % len(archive) + archive).hexdigest()
    assert listed[ZIP]["oid"] != wrong, "git's hash of a large file is that of its pointer"


@pytest.mark.parametrize(
    ("asked", "status", "given", "piece"),
    [
        (None, 200, None, slice(None)),
        ("bytes=10-", 206, "bytes 10-{last}/{size}", slice(10, None)),
        ("bytes=10-19", 206, "bytes 10-19/{size}", slice(10, 20)),
        ("bytes={size}-", 416, "bytes */{size}", slice(0)),
    ],
)
def test_files_and_ranges(hub, served, asked, status, given, piece):
    content = (served / ZIP).read_bytes()
    known = {"size": len(content), "last": len(content) - 1}
    answer = get(resolve(hub, ZIP), headers={"Range": asked and asked.format(**known)})
    assert (answer.status_code, answer.content) == (status, content[piece])
    assert answer.headers.get("Content-Range") == (given and given.format(**known))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/datasets/{repo}/revision/gone", "RevisionNotFound"),
        ("/api/datasets/who/what/revision/main", "RepoNotFound"),
        ("/datasets/{repo}/resolve/main/.hidden", "EntryNotFound"),
        ("/datasets/{repo}/resolve/main/..%2Fsecret", "EntryNotFound"),
    ],
)
def test_what_is_not_there(hub, path, code):
    answer = get(hub.endpoint + path.format(repo=hub.repository))
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, code)
