"""The loopback hub by itself: what it answers, and that the hub's own client is content with it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest
import requests
from hub_server import TRAIN, VAL, publish, snapshot

from unitalk.net import loopback
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


# ------------------------------------------------------------------------------ a slow line


def longer(served, size):
    """A file of so many bytes in a hub's folder; returns where the hub has it, the last hop."""
    (served / "csv/train/long.csv").write_bytes(bytes(size))
    home = f"/api/resolve-cache/datasets/{LoopbackHub(served).repository}"
    return f"{home}/main/csv%2Ftrain%2Flong.csv"


def fetch(address, times, size):
    """Get the same thing again and again on one connection; returns the seconds."""
    with requests.Session() as session:
        session.trust_env = False
        began = time.monotonic()
        for _ in range(times):
            assert len(session.get(address, timeout=20).content) == size
        return time.monotonic() - began


class Clock:
    """A clock that moves only when somebody sleeps, and then by `late` more than was asked for.

    A hub of an earlier test may still be answering somebody who has gone; its threads keep the real
    time.
    """

    def __init__(self, late=0.0):
        self.now, self.late, self.slept = 50.0, late, []
        self.earlier = set(threading.enumerate()) - {threading.current_thread()}

    def monotonic(self):
        return time.monotonic() if threading.current_thread() in self.earlier else self.now

    def sleep(self, seconds):
        if threading.current_thread() in self.earlier:
            time.sleep(seconds)
            return
        self.slept.append(seconds)
        self.now += seconds + self.late


def test_a_hub_of_an_earlier_test_does_not_move_the_clock(served, monkeypatch):
    path = longer(served, 4_000)
    with LoopbackHub(served, bytes_per_second=10_000) as hub:
        with requests.get(hub.endpoint + path, stream=True, timeout=5):
            pass  # gone, and 0.4 s of pieces are still to come
        clock = Clock()
        monkeypatch.setattr(loopback, "time", clock)
        time.sleep(0.2)
    assert (clock.now, clock.slept) == (50, [])


def test_speed_is_held_when_asked(served):
    """20 kB at 100 kB/s are 0.2 s; the client has the last of 50 pieces a second 20 ms before."""
    path = longer(served, 20_000)
    with LoopbackHub(served, bytes_per_second=100_000) as hub:
        assert fetch(hub.endpoint + path, 1, 20_000) > 0.17


def test_speed_is_that_of_a_connection_and_not_of_an_answer(served):
    """Ten answers of 4 kB on one connection at 100 kB/s: 0.4 s, but for the last piece's 20 ms."""
    path = longer(served, 4_000)
    with LoopbackHub(served, bytes_per_second=100_000) as hub:
        assert fetch(hub.endpoint + path, 10, 4_000) > 0.37


def test_each_connection_has_a_pace_of_its_own(served):
    paces = []

    class Watched(LoopbackHub):
        def write(self, call, reply, handler):
            paces.append(handler.pace)
            return super().write(call, reply, handler)

    path = longer(served, 4_000)
    with Watched(served, bytes_per_second=10_000_000) as hub:
        for _ in range(3):
            fetch(hub.endpoint + path, 4, 4_000)
    assert [len(set(paces[i : i + 4])) for i in (0, 4, 8)] == [1, 1, 1]
    assert len(set(paces)) == 3


@pytest.mark.parametrize("speed", [10_000_000, 100_000, 40])
def test_a_hundred_answers_take_exactly_their_time(served, monkeypatch, speed):
    """Whatever the pieces, and however late a sleep ends: bytes / speed, for the sum of all.

    Each answer has 35 bytes. The clock moves by sleeps alone, each 3 ms late; between two answers
    nobody makes up for that, so up to 3 ms an answer may come on top.
    """
    clock = Clock(late=0.003)
    monkeypatch.setattr(loopback, "time", clock)
    path = longer(served, 35)
    with LoopbackHub(served, bytes_per_second=speed) as hub:
        fetch(hub.endpoint + path, 100, 35)
    latencies = 0.003 * (100 + 1)  # sleeps of no length, one an answer and one a connection
    passed = clock.now - 50 - latencies
    last = min(35, max(1, speed // 50)) / speed  # the piece after which nobody waits for the hub
    assert 3500 / speed - last <= passed + 1e-6 <= 3500 / speed + 100 * 0.003 + 1e-5


def test_a_slow_sleep_is_made_up_for(monkeypatch):
    """The schedule counts from the begin: sleeps that are 3 ms late do not add up to 300 ms over
    a hundred pieces of 10 ms; only the last one's stay."""
    clock = Clock(late=0.003)
    monkeypatch.setattr(loopback, "time", clock)
    pace = loopback._Pace()
    pace.begin()
    for _ in range(100):
        pace.wait(0.010)
    assert clock.now - 50 == pytest.approx(100 * 0.010 + 0.003)


def test_a_pause_of_the_client_is_not_caught_up(monkeypatch):
    """A line does not save up what nobody asked for: after 5 s of silence, 10 ms are 10 ms."""
    clock = Clock()
    monkeypatch.setattr(loopback, "time", clock)
    pace = loopback._Pace()
    for _ in range(2):
        clock.now += 5.0
        pace.begin()
        pace.wait(0.010)
    assert clock.slept == pytest.approx([0.010, 0.010])


def test_a_client_that_takes_nothing_is_not_flooded_afterwards(monkeypatch):
    """Two seconds in which a piece of 10 ms does not leave: 0.1 s of them is made up for, and the
    99 other pieces take their time: 2 + 0.99 - 0.1 s."""
    clock = Clock()
    monkeypatch.setattr(loopback, "time", clock)
    pace = loopback._Pace()
    pace.begin()
    clock.now += 2.0
    for _ in range(100):
        pace.wait(0.010)
    assert clock.now - 50 == pytest.approx(2 + 0.99 - 0.1)


def test_latency_comes_before_each_answer_and_once_more_for_a_connection(served, monkeypatch):
    """Five answers on one connection: 50 ms six times. An error takes as long, and so does HEAD."""
    clock = Clock()
    monkeypatch.setattr(loopback, "time", clock)
    path = longer(served, 10)
    with LoopbackHub(served, latency=0.05) as hub:
        fetch(hub.endpoint + path, 5, 10)
        assert clock.slept == [0.05] * 6
        get(f"{hub.endpoint}/elsewhere")
        assert clock.slept == [0.05] * 8
        requests.head(hub.endpoint + path, timeout=5, proxies={"no_proxy": "*"})
        assert clock.slept == [0.05] * 10


def test_latency_is_real(served):
    path = longer(served, 10)
    with LoopbackHub(served, latency=0.05) as hub:
        assert fetch(hub.endpoint + path, 3, 10) >= 4 * 0.05


def test_a_large_file_is_sent_whole_and_from_any_place(served, tmp_path):
    """40 MB: more than the system takes in one call."""
    content = bytes(range(256)) * (40 << 12)
    (served / "csv/train/long.csv").write_bytes(content)
    with LoopbackHub(served) as hub:
        place = get(resolve(hub, "csv/train/long.csv")).headers["Location"]
        assert get(hub.endpoint + place).content == content
        rest = get(hub.endpoint + place, headers={"Range": "bytes=1000001-"})
        assert rest.content == content[1_000_001:]
        assert [call.sent for call in hub.log[1:]] == [len(content), len(content) - 1_000_001]


def test_a_file_that_shrinks_while_it_is_served_ends_the_connection(served):
    with LoopbackHub(served) as hub:
        place = get(resolve(hub, CSV)).headers["Location"]
        size = (served / CSV).stat().st_size
        (served / CSV).write_bytes(b"less")
        with pytest.raises(requests.RequestException):
            get(hub.endpoint + place)
        assert (hub.log[-1].sent, hub.entries[CSV].size) == (4, size)


def test_a_large_archive_is_hashed_without_being_read_whole(served):
    """30 MB of archive and as many of csv, in less memory than either."""
    for name in (ZIP, CSV):
        (served / name).write_bytes(bytes(30_000_000))
    tracemalloc.start()
    try:
        with LoopbackHub(served) as hub:
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert hub.entries[ZIP].sha256 == hashlib.sha256(bytes(30_000_000)).hexdigest()
    git = hashlib.sha1(b"blob 30000000\0" + bytes(30_000_000)).hexdigest()
    assert hub.entries[CSV].git_sha1 == git


def test_a_subclass_may_bend_an_answer_and_its_body(served):
    class Bent(LoopbackHub):
        def reply(self, call):
            reply = super().reply(call)
            return reply if call.path != "/x" else loopback.Reply(status=418, body=b"teapot")

        def write(self, call, reply, handler):
            if reply.status != 418:
                return super().write(call, reply, handler)
            handler.wfile.write(b"tea")
            return 3

    with Bent(served) as hub:
        assert get(tree(hub)).status_code == 200
        with pytest.raises(requests.RequestException):
            get(f"{hub.endpoint}/x")
        assert (hub.log[-1].status, hub.log[-1].sent) == (418, 3)


# ------------------------------------------------------------------------------ their own client


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
