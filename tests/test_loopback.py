"""The loopback hub by itself: what it answers, and that the hub's own client is content with it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys

import pytest
import requests
from hub_server import TRAIN, VAL, publish, snapshot

from unitalk.loopback import LoopbackHub

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


def get(url, **options):
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(url, allow_redirects=False, timeout=5, **options)
        assert response.content is not None
        return response


def resolve(hub, path, revision=None):
    return f"{hub.endpoint}/datasets/{hub.repository}/resolve/{revision or hub.commit}/{path}"


def test_revision_names_the_commit(hub):
    answer = get(f"{hub.endpoint}/api/datasets/{hub.repository}/revision/main")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["sha"] == hub.commit
    assert len(hub.commit) == 40


def test_commit_follows_from_names_and_content_alone(served, tmp_path):
    with LoopbackHub(served) as one:
        first = one.commit
    (served / CSV).touch()
    with LoopbackHub(served) as two:
        assert two.commit == first
    (served / CSV).write_bytes(b"other")
    with LoopbackHub(served) as three:
        assert three.commit != first


def test_listing_has_sizes_and_both_kinds_of_hashes(hub, served):
    listed = {e["path"]: e for e in get(tree(hub)).json()}
    assert len(listed) == 6
    content = (served / CSV).read_bytes()
    # git: sha1 of "blob <size>\0" and the content
    expected = hashlib.sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()
    assert listed[CSV] == {"type": "file", "path": CSV, "size": len(content), "oid": expected}
    archive = (served / ZIP).read_bytes()
    assert listed[ZIP]["lfs"]["oid"] == hashlib.sha256(archive).hexdigest()
    assert listed[ZIP]["size"] == listed[ZIP]["lfs"]["size"] == len(archive)
    wrong = hashlib.sha1(b"blob %d\0" % len(archive) + archive).hexdigest()
    assert listed[ZIP]["oid"] != wrong, "git's hash of a large file is that of its pointer"


def tree(hub):
    return f"{hub.endpoint}/api/datasets/{hub.repository}/tree/{hub.commit}?recursive=true"


def test_listing_comes_in_pages(served):
    with LoopbackHub(served, page_size=4) as hub:
        first = get(tree(hub))
        assert len(first.json()) == 4
        second = get(first.links["next"]["url"])
        assert len(second.json()) == 2
        assert "Link" not in second.headers


def test_small_file_comes_by_a_relative_redirect(hub, served):
    answer = get(resolve(hub, CSV))
    assert answer.status_code == 307
    assert answer.headers["Location"].startswith("/api/resolve-cache/")
    assert answer.headers["X-Repo-Commit"] == hub.commit
    assert get(hub.endpoint + answer.headers["Location"]).content == (served / CSV).read_bytes()


def test_archive_comes_from_another_origin(hub, served):
    answer = get(resolve(hub, ZIP))
    content = (served / ZIP).read_bytes()
    assert answer.status_code == 302
    assert answer.headers["X-Linked-Size"] == str(len(content))
    assert answer.headers["X-Linked-ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer.headers["Location"].startswith(hub.storage)
    assert hub.storage != hub.endpoint
    assert get(answer.headers["Location"]).content == content


def test_storage_refuses_a_token(hub):
    place = get(resolve(hub, ZIP)).headers["Location"]
    assert get(place, headers={"Authorization": "Bearer x"}).status_code == 400
    assert [(c.role, c.had_authorization, c.status) for c in hub.log][-1] == ("cdn", True, 400)


@pytest.mark.parametrize(
    ("asked", "given", "piece"),
    [
        ("bytes=10-", "bytes 10-{last}/{size}", slice(10, None)),
        ("bytes=10-19", "bytes 10-19/{size}", slice(10, 20)),
        ("bytes=0-999999", "bytes 0-{last}/{size}", slice(None)),
        ("lines=1-2", None, slice(None)),
    ],
)
def test_ranges(hub, served, asked, given, piece):
    content = (served / ZIP).read_bytes()
    answer = get(get(resolve(hub, ZIP)).headers["Location"], headers={"Range": asked})
    assert answer.status_code == (200 if given is None else 206)
    if given is not None:
        wanted = given.format(last=len(content) - 1, size=len(content))
        assert answer.headers["Content-Range"] == wanted
    assert answer.content == content[piece]


def test_range_from_the_end_on_is_refused(hub, served):
    size = (served / ZIP).stat().st_size
    answer = get(get(resolve(hub, ZIP)).headers["Location"], headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/datasets/{repo}/revision/gone", "RevisionNotFound"),
        ("/api/datasets/who/what/revision/main", "RepoNotFound"),
        ("/datasets/{repo}/resolve/main/none.csv", "EntryNotFound"),
        ("/datasets/{repo}/resolve/main/.hidden", "EntryNotFound"),
        ("/datasets/{repo}/resolve/main/..%2Fsecret", "EntryNotFound"),
        ("/api/resolve-cache/datasets/{repo}/main/none.csv", "EntryNotFound"),
        ("/elsewhere", "RepoNotFound"),
    ],
)
def test_what_is_not_there(hub, path, code):
    answer = get(hub.endpoint + path.format(repo=hub.repository))
    assert answer.status_code == 404
    assert answer.headers["X-Error-Code"] == code


def test_storage_has_only_what_it_was_given(hub):
    assert get(f"{hub.storage}/csv/train/{TRAIN}.csv").status_code == 404


def test_head_has_the_length_and_no_body(hub, served):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.head(resolve(hub, CSV), allow_redirects=True, timeout=5)
        again = session.head(resolve(hub, CSV), allow_redirects=True, timeout=5)
    assert answer.headers["Content-Length"] == str((served / CSV).stat().st_size)
    assert answer.status_code == again.status_code == 200
    assert {c.sent for c in hub.log} == {0}


def test_speed_is_held_when_asked(served):
    import time

    (served / "csv/train/long.csv").write_bytes(b"x" * 20_000)
    with LoopbackHub(served, bytes_per_second=100_000) as hub:
        place = get(resolve(hub, "csv/train/long.csv")).headers["Location"]
        began = time.monotonic()
        assert len(get(hub.endpoint + place).content) == 20_000
        assert time.monotonic() - began > 0.15  # 20 kB at 100 kB/s are 0.2 s


def test_hubs_own_client_gets_identical_files(served, tmp_path):
    if importlib.util.find_spec("huggingface_hub") is None:
        pytest.skip("huggingface_hub is not installed")
    script = (
        "import sys, huggingface_hub as h; h.snapshot_download(sys.argv[1], repo_type='dataset', "
        "local_dir=sys.argv[2], token='hf_secret', max_workers=4)"
    )
    # Two pages, as that client is the judge of our Link header too.
    with LoopbackHub(served, page_size=4) as hub:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HF_HOME": str(tmp_path / "home"),
            "HF_ENDPOINT": hub.endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-c", script, hub.repository, str(tmp_path / "got")],
            env=env,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert snapshot(tmp_path / "got", without=(".cache",)) == snapshot(
            served, without=(".hidden",)
        )
        assert any(call.had_authorization for call in hub.log if call.role == "hub")
        assert not any(call.had_authorization for call in hub.log if call.role == "cdn")
