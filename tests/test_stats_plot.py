"""The picture of `unitalk stats`: what lies in it, its bytes; and nothing global is touched."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import face, one_in, write_csv
from PIL import Image

from unitalk.dataset.stats import statistics
from unitalk.dataset.stats import stats_plot as module
from unitalk.dataset.stats.stats_plot import FORMATS, MOST, check, plot
from unitalk.dataset.stats.stats_result import Shares, Spread
from unitalk.errors import MissingExtraError, UsageError

mpl = pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def found(sample):
    return statistics(sample)


def spread(p5: float, lower: float, median: float, upper: float, p95: float) -> Spread:
    return Spread(least=0, p5=p5, lower=lower, median=median, upper=upper, p95=p95, most=p95,
                  mean=median)  # fmt: skip


def panels_of(found, groups):
    """What `plot` draws, as matplotlib's objects."""
    from matplotlib.figure import Figure

    figure = Figure()
    module._fill(figure, found, groups)
    return figure, figure.axes


def in_svg(path) -> str:
    """The words of an svg: matplotlib draws them as shapes, and says in comments what they are."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


def bars(axes, row: int) -> list[tuple[float, float]]:
    """Where the bars of a row begin and how long they are."""
    return [
        (round(bar.get_x(), 9), round(bar.get_width(), 9))
        for bar in axes.patches
        if bar.get_y() + bar.get_height() / 2 == pytest.approx(row)
    ]


# ------------------------------------------------------------------------------ what lies on it


def test_rows_are_the_splits_with_their_categories_below_and_the_total(found):
    groups = module._rows(found)
    names = [module._row_name(group) for group in groups]
    assert names == ["train", "val", "language", "mixed", "noise", "visual", "TOTAL"]
    _, (hours, *_) = panels_of(found, groups)
    assert [label.get_text() for label in hours.get_yticklabels()] == names
    weights = [label.get_fontweight() for label in hours.get_yticklabels()]
    assert weights == ["bold", "bold", "normal", "normal", "normal", "normal", "bold"]
    # The first row is at the top.
    low, high = hours.get_ylim()
    assert low > high


def test_hours_and_those_of_speaking_faces(found):
    groups = module._rows(found)
    _, (hours, *_) = panels_of(found, groups)
    for row, group in enumerate(groups):
        (_, whole), (_, spoken) = bars(hours, row)
        assert whole == pytest.approx(group.faces / 90_000)
        assert spoken == pytest.approx(group.speaking / 90_000)
    words = [text.get_text() for text in hours.texts]
    # 3,697 faces are 0.0411 hours, and 1,613 of them speak, which is 43.6 %.
    assert words[6] == "0.041 h, 44 %"
    assert hours.get_title(loc="left") == "Face hours"


def test_frames_are_pieces_of_a_bar_that_is_whole(found):
    group = replace(
        found.total,
        faces=300, frames=200,
        frames_by_faces=Shares(of="frames", counts={"1": 100, "2": 60, "3": 30, "4+": 10}),
    )  # fmt: skip
    _, (_, frames, *_) = panels_of(found, [group])
    assert bars(frames, 0) == [(0, 50), (50, 30), (80, 15), (95, 5)]
    # The narrow piece of 5 % has no number; behind the bar stands the mean, 300 / 200.
    assert [text.get_text() for text in frames.texts if text.get_text()[0].isdigit()] == [
        "50", "30", "15", "1.50"
    ]  # fmt: skip


def test_widths_are_boxes_from_quartile_to_quartile(found):
    group = replace(found.total, pixel_width=spread(20, 40, 70, 90, 200))
    _, (_, _, widths, _) = panels_of(found, [group])
    assert bars(widths, 0) == [(40, 50)]
    edges, whisker, middle = widths.lines[:2], widths.lines[2], widths.lines[3]
    assert [list(line.get_xdata()) for line in edges] == [[64, 64], [128, 128]]
    assert list(whisker.get_xdata()) == [20, 200]
    assert list(middle.get_xdata()) == [70, 70]
    assert widths.get_xlim()[0] == 0
    assert "pixels" in widths.texts[0].get_text()


def test_widths_are_of_the_frame_where_a_row_has_no_pixels(found):
    known = replace(found.total, width=spread(0.1, 0.2, 0.25, 0.4, 0.5))
    groups = [known, replace(known, pixel_width=None)]
    _, (_, _, widths, _) = panels_of(found, groups)
    assert bars(widths, 0) == bars(widths, 1) == [(20, 20)]
    assert len(widths.lines) == 4  # a whisker and a median each, no edges
    assert widths.texts[0].get_text() == "% of the frame's width"


def test_widths_that_are_not_known_are_said_to_be_so(found):
    group = replace(found.total, pixel_width=None, width=None, height=None, area=None)
    _, (_, _, widths, _) = panels_of(found, [group])
    assert "not known" in [text.get_text() for text in widths.texts]
    assert not widths.patches


def test_lengths_lie_on_a_log_axis_between_round_numbers(found):
    group = replace(found.total, track_seconds=spread(0.3, 1.2, 2.5, 6, 70))
    _, (*_, lengths) = panels_of(found, [group])
    assert lengths.get_xscale() == "log"
    assert lengths.get_xlim() == pytest.approx((0.2, 100))
    assert [label.get_text() for label in lengths.get_xticklabels()] == [
        "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"
    ]  # fmt: skip
    assert bars(lengths, 0) == [(1.2, 4.8)]


@pytest.mark.parametrize(
    ("p5", "p95", "limits"),
    [
        (0, 0, (0.02, 0.05)),  # tracks of one face have no length, and a log axis no zero
        (2, 2, (2, 5)),  # all of one length
        (1, 10, (1, 10)),
        (3, 200_000, (2, 50_000)),  # 55 hours: beyond the last tick
    ],
)
def test_the_ends_of_the_log_axis(found, p5, p95, limits):
    group = replace(found.total, track_seconds=spread(p5, p5, p5, p95, p95))
    _, (*_, lengths) = panels_of(found, [group])
    assert lengths.get_xlim() == pytest.approx(limits)
    assert len(lengths.get_xticks()) >= 2


def test_the_head_and_the_foot_say_what_it_is(found):
    figure, _ = panels_of(found, module._rows(found))
    assert figure.get_suptitle() == ("sample: 26 videos, 69 tracks, 3,697 faces, 0.041 face hours")
    assert "faces / 25 / 3600" in figure.get_supxlabel()
    assert "5 % and 95 %" in figure.get_supxlabel()


def test_a_name_with_signs_of_formulas_is_drawn_as_it_is(tmp_path):
    """`$` would begin a formula, and one that is wrong would stop the drawing."""
    rows = [face("$\\frac{V", "0", "V:0", 1)]
    rows[0][0] = "$frac{V"
    path = write_csv(tmp_path / "$x_{.csv", rows)
    found = statistics(path)
    for videos in (False, True):
        plot(found, tmp_path / "p.svg", videos=videos)
    assert "$frac{V" in in_svg(tmp_path / "p.svg")
    assert "$x_{.csv: 1 videos" in in_svg(tmp_path / "p.svg")


def test_long_and_unprintable_names_are_cut():
    assert module._shown("a\x07b") == "a b"
    assert module._shown("x" * 60) == "x" * 60
    assert module._shown("x" * 61) == "x" * 57 + "..."


def test_tints_differ_in_lightness_so_that_a_grey_print_keeps_them_apart():
    """WCAG's luminance falls by a third at least from one tint to the next, and each number has a
    contrast of 4.5 with the tint on which it stands, if large 3."""

    def luminance(colour: str) -> float:
        colour = {"white": "#ffffff"}.get(colour, colour)
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light = [luminance(tint) for tint in module._TINTS]
    assert all(later < 2 / 3 * before for before, later in pairwise(light))
    for tint, ink in zip(module._TINTS, module._ON_TINTS, strict=True):
        low, high = sorted((luminance(tint), luminance(ink)))
        assert (high + 0.05) / (low + 0.05) > 3.4
    assert luminance(module._STRONG) < luminance(module._WEAK) / 3


# ------------------------------------------------------------------------------ the file


@pytest.mark.parametrize("form", one_in(2, FORMATS))
def test_the_same_numbers_give_the_same_bytes(found, tmp_path, form):
    plot(found, tmp_path / f"a.{form}")
    plot(found, tmp_path / f"b.{form}")
    assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a.{form}", f"b.{form}"]


def test_a_png_is_a_picture_that_grows_with_its_rows(found, tmp_path):
    plot(found, tmp_path / "few.PNG")
    plot(found, tmp_path / "many.png", videos=True)
    with Image.open(tmp_path / "few.PNG") as few, Image.open(tmp_path / "many.png") as many:
        assert few.format == "PNG"
        assert few.width == many.width == 12 * 160
        assert many.height - few.height == pytest.approx((26 - 7) * 0.34 * 160, abs=2)
        assert len(few.convert("RGB").getcolors(1 << 20)) > 50


def test_an_svg_names_its_rows(found, tmp_path):
    plot(found, tmp_path / "p.svg", videos=True)
    ET.fromstring((tmp_path / "p.svg").read_text(encoding="utf-8"))
    words = in_svg(tmp_path / "p.svg")
    for video in found.videos:
        assert video.video in words
    assert "TOTAL" not in words  # it would make the bars of single videos hairs


def test_a_pdf_is_one(found, tmp_path):
    plot(found, tmp_path / "p.pdf")
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("name", ["p.gif", "p", "p.svgz"])
def test_other_endings_are_refused(found, tmp_path, name):
    with pytest.raises(UsageError, match="cannot have the ending") as caught:
        plot(found, tmp_path / name)
    assert caught.value.hint == "the endings are .png, .svg, .pdf"
    assert not list(tmp_path.iterdir())


def test_one_file_is_not_written_twice(tmp_path):
    check(tmp_path / "p.png", tmp_path / "other.png")
    with pytest.raises(UsageError, match="written twice"):
        check(tmp_path / "p.png", tmp_path / "x" / ".." / "p.png")


def test_more_rows_than_a_picture_holds(found, tmp_path):
    many = replace(found, videos=found.videos[:1] * (MOST + 1))
    with pytest.raises(UsageError, match="a picture of 201 rows") as caught:
        plot(many, tmp_path / "p.png", videos=True)
    assert "splits" in caught.value.hint
    plot(many, tmp_path / "p.png")  # its splits are as few as ever


def test_without_matplotlib_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as caught:
        check(tmp_path / "p.png")
    assert caught.value.hint == 'pip install "unitalk[plot]"'


def test_nothing_global_is_touched(found, tmp_path):
    before = dict(mpl.rcParams)
    mpl.rcParams["axes.facecolor"] = "red"
    try:
        plot(found, tmp_path / "red.svg")
        assert mpl.rcParams["axes.facecolor"] == "red"
    finally:
        mpl.rcParams["axes.facecolor"] = before["axes.facecolor"]
    plot(found, tmp_path / "p.svg")
    assert (tmp_path / "red.svg").read_bytes() == (tmp_path / "p.svg").read_bytes()
    assert dict(mpl.rcParams) == before


def test_counting_does_not_import_matplotlib(tmp_path):
    path = write_csv(tmp_path / "g.csv", [face("V", "0", "V:0", 1)])
    code = (
        "import sys; from unitalk.dataset.stats import statistics; statistics(sys.argv[1]); "
        "print(*sorted({'matplotlib', 'pandas', 'PIL', 'click', 'requests'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True,
                         check=True)  # fmt: skip
    assert ran.stdout == "\n"
