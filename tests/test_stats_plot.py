"""The picture of `unitalk stats`: what is on it; `test_plot` tests the files themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from build import face, write_csv

from unitalk.dataset.stats import statistics
from unitalk.dataset.stats.stats_plot import MOST, STRONG, TINTS, WEAK, fill_figure, plot
from unitalk.dataset.stats.stats_result import Shares, Spread
from unitalk.errors import UsageError

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def found(sample):
    return statistics(sample)


def spread(lower: float, median: float, upper: float) -> Spread:
    return Spread(least=0, lower=lower, median=median, upper=upper, most=2 * upper, mean=median)


def panels_of(found, *groups):
    """What `plot` draws, as matplotlib's objects."""
    from matplotlib.figure import Figure

    figure = Figure()
    fill_figure(figure, found, groups or [found.total])
    return figure.axes


def bars(axes, row: int) -> list[tuple[float, float]]:
    """Where the bars of a row begin and how long they are."""
    return [
        (round(bar.get_x(), 9), round(bar.get_width(), 9))
        for bar in axes.patches
        if bar.get_y() + bar.get_height() / 2 == pytest.approx(row)
    ]


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_hours_and_those_of_speaking_faces(found):
    groups = [*found.splits, found.total]
    hours, *_ = panels_of(found, *groups)
    assert [label.get_text() for label in hours.get_yticklabels()] == ["train", "val", "TOTAL"]
    low, high = hours.get_ylim()
    assert low > high  # the first row is at the top
    for row, group in enumerate(groups):
        (_, whole), (_, spoken) = bars(hours, row)
        assert whole == pytest.approx(group.faces / 90_000)
        assert spoken == pytest.approx(group.speaking / 90_000)
    # 3,697 faces are 0.0411 hours, and 1,613 of them speak, which is 43.6 %.
    assert words(hours)[2] == "0.041 h, 44 %"


def test_frames_are_pieces_of_a_bar_that_is_whole(found):
    group = replace(
        found.total,
        faces=300, frames=200,
        frames_by_faces=Shares(of="frames", counts={"1": 100, "2": 60, "3": 30, "4+": 10}),
    )  # fmt: skip
    _, frames, *_ = panels_of(found, group)
    assert bars(frames, 0) == [(0, 50), (50, 30), (80, 15), (95, 5)]
    # The narrow piece of 5 % has no number; the mean, 300 / 200, is behind the bar.
    assert words(frames)[:4] == ["50", "30", "15", "1.50"]


def test_widths_are_boxes_from_quartile_to_quartile(found):
    group = replace(found.total, pixel_width=spread(40, 70, 90))
    _, _, widths, _ = panels_of(found, group)
    assert bars(widths, 0) == [(40, 50)]
    assert [list(line.get_xdata()) for line in widths.lines] == [[64, 64], [128, 128], [70, 70]]
    assert widths.get_xlim()[0] == 0


def test_widths_are_shares_of_the_frame_where_a_row_has_no_pixels(found):
    known = replace(found.total, width=spread(0.2, 0.25, 0.4))
    _, _, widths, _ = panels_of(found, known, replace(known, pixel_width=None))
    assert bars(widths, 0) == bars(widths, 1) == [(20, 20)]
    assert len(widths.lines) == 2  # the medians; no edges
    unknown = replace(found.total, pixel_width=None, width=None, height=None, area=None)
    _, _, widths, _ = panels_of(found, unknown)
    assert "not known" in words(widths)
    assert not widths.patches


@pytest.mark.parametrize(
    ("lower", "upper", "limits"),
    [
        (1.2, 6, (1, 10)),
        (0, 0, (0.02, 0.05)),  # tracks of one face have no length, and a log axis no zero
        (2, 2, (2, 5)),  # all of one length
        (3, 200_000, (2, 50_000)),  # 55 hours: beyond the last tick
    ],
)
def test_lengths_are_on_a_log_axis_between_round_numbers(found, lower, upper, limits):
    group = replace(found.total, track_seconds=spread(lower, upper, upper))
    _, _, _, lengths = panels_of(found, group)
    assert lengths.get_xscale() == "log"
    assert lengths.get_xlim() == pytest.approx(limits)
    assert len(lengths.get_xticks()) >= 2
    if upper == 6:
        assert bars(lengths, 0) == [(1.2, 4.8)]
        assert [label.get_text() for label in lengths.get_xticklabels()] == ["1", "2", "5", "10"]


def test_colours_differ_in_lightness_and_can_be_read_on():
    """Each tint has at most two thirds of the light of the one before, WCAG's luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert all(later < 2 / 3 * before for before, later in pairwise(map(luminance, TINTS)))
    for tint, ink in TINTS.items():
        low, high = sorted((luminance(tint), luminance(ink)))
        assert (high + 0.05) / (low + 0.05) > 3.4
    assert luminance(STRONG) < luminance(WEAK) / 3


def test_a_picture_names_its_rows(found, tmp_path):
    """matplotlib draws words as shapes, and says in comments what they are."""
    for videos in (False, True):
        plot(found, tmp_path / "p.svg", videos=videos)
        text = (tmp_path / "p.svg").read_text(encoding="utf-8")
        named = re.findall(r"<!-- (.*?) -->", text)
        assert {v.video for v in found.videos} & set(named) == (
            {v.video for v in found.videos} if videos else set()
        )
        rows = [name for name in named if name in {"train", "val", "language", "noise", "TOTAL"}]
        assert rows == ([] if videos else ["train", "val", "language", "noise", "TOTAL"])
    assert [p.name for p in tmp_path.iterdir()] == ["p.svg"]


def test_more_rows_than_a_picture_holds(found, tmp_path):
    many = replace(found, videos=found.videos[:1] * (MOST + 1))
    with pytest.raises(UsageError, match="201 rows"):
        plot(many, tmp_path / "p.png", videos=True)
    assert not list(tmp_path.iterdir())


def test_counting_does_not_import_matplotlib(tmp_path):
    path = write_csv(tmp_path / "g.csv", [face("V", "0", "V:0", 1)])
    code = (
        "import sys; from unitalk.dataset.stats import statistics; statistics(sys.argv[1]); "
        "print(*sorted({'matplotlib', 'pandas', 'PIL', 'click', 'requests'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True,
                         check=True)  # fmt: skip
    assert ran.stdout == "\n"
