"""What a person sees while a long job runs, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest

from unitalk.progress import SilentProgress, StderrProgress, duration, size


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (2e11, "200.0 GB"),
     (999_950, "1.0 MB"), (5e12, "5.0 TB"), (-2000, "-2.0 kB")],
)  # fmt: skip
def test_sizes(amount, text):
    assert size(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (75, "1:15"), (3725, "1:02:05")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_off_a_terminal_there_is_a_line_now_and_then(monkeypatch):
    clock = iter([0.0, 10.0, 31.0, 45.0, 70.0, 75.0])
    monkeypatch.setattr("unitalk.progress.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    progress = StderrProgress(out)
    with progress.task("downloading", total=4_000_000, unit="B") as task:
        for _ in range(4):
            task.advance(1_000_000)
    assert out.getvalue().splitlines() == [
        # 2 MB after 31 s: as long again for the other half.
        "downloading: 2.0 MB of 4.0 MB (50%), 64.5 kB/s, 0:31 left, 0:31 so far",
        "downloading: 4.0 MB of 4.0 MB (100%), 57.1 kB/s, 1:10 so far",
        "downloading: 4.0 MB of 4.0 MB (100%), 53.3 kB/s, 1:15 so far",
    ]


def test_things_are_counted_in_their_unit_and_a_short_job_leaves_no_line():
    out = io.StringIO()
    with StderrProgress(out, seconds=0).task("placing", total=2, unit="tracks") as task:
        task.advance()
    assert out.getvalue() == "placing: 1 of 2 tracks (50%), 0:00 left, 0:00 so far\n"
    out = io.StringIO()
    with StderrProgress(out).task("placing", unit="tracks") as task:
        task.advance(3)
    assert out.getvalue() == ""


def test_on_a_terminal_there_is_a_bar():
    out = Terminal()
    progress = StderrProgress(out)
    with progress.task("downloading", total=2_000_000, unit="B") as task:
        task.advance(2_000_000)
        progress.note("the hub asks for patience")
    assert "downloading: 100%" in out.getvalue()
    assert "2.00M/2.00M" in out.getvalue()
    assert "the hub asks for patience\n" in out.getvalue()
    assert out.getvalue().isascii()


def test_silence_is_silent(capsys):
    progress = SilentProgress()
    with progress.task("x", total=1) as task:
        task.advance()
    progress.note("y")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_what_was_done_earlier_counts_for_the_share_and_not_for_the_speed(monkeypatch):
    clock = iter([0.0, 50.0, 60.0])
    monkeypatch.setattr("unitalk.progress.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    with StderrProgress(out).task("downloading", total=4_000_000, unit="B", done=2_000_000) as task:
        task.advance(1_000_000)
    assert out.getvalue().splitlines() == [
        # One of the two that were left in 50 s: as long again.
        "downloading: 3.0 MB of 4.0 MB (75%), 20.0 kB/s, 0:50 left, 0:50 so far",
        "downloading: 3.0 MB of 4.0 MB (75%), 16.7 kB/s, 1:00 left, 1:00 so far",
    ]


def test_a_bar_begins_where_an_earlier_run_ended():
    out = Terminal()
    with StderrProgress(out).task("downloading", total=4_000_000, unit="B", done=2_000_000) as task:
        task.advance(1_000_000)
    assert "50%" in out.getvalue().split("\r")[1]
    assert "75%" in out.getvalue()
