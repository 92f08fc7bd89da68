"""Plots: what is on the curves, the bytes of each format, and that nothing global is touched."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import unitalk
from unitalk.plot_style import FORMATS, check
from unitalk.score.curve import curve
from unitalk.score.plot import COLOURS, MOST, fill_axes, plot

mpl = pytest.importorskip("matplotlib", reason="matplotlib is not installed")

SIX = curve(np.array([1, 0, 1, 0, 0, 1], bool), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]))
"""Six faces, three of them speaking; AVA's AP is (1 + 2/3 + 1/2) / 3 = 13/18.

score      .9   .8   .7   .6   .5   .4
speaking    x    -    x    -    -    x
recall    1/3  1/3  2/3  2/3  2/3    1
precision 1/1  1/2  2/3  2/4  2/5  3/6
envelope    1  2/3  2/3  1/2  1/2  1/2
"""
CONSTANT = curve(np.array([1, 1, 0, 0, 0], bool), np.full(5, 0.5))


def many_points(seed: int):
    random = np.random.default_rng(seed)
    labels = random.random(2000) < 0.4
    return curve(labels, random.normal(size=2000) + (1 + seed) * labels)


def axes_of(curves, prior=0.5):
    """What `plot` draws, as matplotlib's objects."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    fill_axes(axes, curves, prior)
    return axes


def in_svg(path) -> str:
    """The words of an svg: matplotlib draws them as shapes, and says in comments what they are."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


# ------------------------------------------------------------------------------ what lies on it


def test_both_lines_of_a_system_and_the_prior():
    """The raw line has the points of `SIX`; the envelope is steps that begin at recall 0."""
    raw, envelope, _marks, prior, _legend = axes_of({"six": (SIX, 13 / 18)}, 0.25).lines
    assert raw.get_xdata() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, 1])
    assert raw.get_ydata() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 5, 1 / 2])
    assert raw.get_drawstyle() == "default"
    assert envelope.get_drawstyle() == "steps-pre"
    x, y = envelope.get_xdata(), envelope.get_ydata()
    assert x[0] == 0
    assert float(np.sum(np.diff(x) * y[1:])) == pytest.approx(13 / 18, abs=1e-12)
    assert raw.get_color() == envelope.get_color()
    assert raw.get_linewidth() < envelope.get_linewidth() / 2
    assert raw.get_alpha() < 1
    assert list(prior.get_ydata()) == [0.25, 0.25]
    assert list(prior.get_xdata()) == [0, 1]
    assert prior.is_dashed()


def test_systems_differ_in_colour_and_in_mark():
    curves = {f"system {number}": (many_points(number), 0.5) for number in range(MOST)}
    axes = axes_of(curves)
    drawn = [line for line in axes.lines if line.get_drawstyle() == "steps-pre"]
    assert len({line.get_color() for line in drawn}) == MOST == 8
    marked = axes.get_legend().legend_handles[:MOST]
    assert len({line.get_marker() for line in marked}) == MOST
    assert [line.get_color() for line in marked] == [line.get_color() for line in drawn]
    # One system needs no mark.
    alone = axes_of({"one": (SIX, 0.7)})
    assert alone.get_legend().legend_handles[0].get_marker() in {"", "None", None}


def test_marks_lie_on_the_envelope_and_equal_curves_show_all_of_theirs():
    axes = axes_of({"one": (SIX, 0.7), "other": (SIX, 0.7)})
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert len(marks) == 2
    assert not set(marks[0].get_xdata()) & set(marks[1].get_xdata())
    for line in marks:
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):
            assert y == pytest.approx(1 if x <= 1 / 3 else 2 / 3 if x <= 2 / 3 else 1 / 2)


def test_colours_can_be_told_from_white_and_from_each_other():
    """WCAG's contrast, (1.05) / (luminance + .05), is at least 2 against white for every line."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert luminance("#ffffff") == pytest.approx(1)
    assert all(1.05 / (luminance(colour) + 0.05) > 2 for colour in COLOURS)


# ------------------------------------------------------------------------------ the legend


def test_the_legend_has_the_numbers_in_percent(tmp_path):
    path = tmp_path / "plot.svg"
    plot({"TalkNet": (SIX, 13 / 18), "nothing": (SIX, None)}, 0.4236, path)
    words = in_svg(path).splitlines()
    assert "72.22 %  TalkNet" in words
    assert "undefined  nothing" in words
    assert any(word.startswith("42.36 % ") for word in words)
    assert words.index("72.22 %  TalkNet") < words.index("undefined  nothing")


NAMES = {
    "_hidden": "_hidden",  # matplotlib leaves out such labels
    "$x$": "$x$",  # and reads these as formulas,
    r"$\frac$": r"$\frac$",  # even invalid ones
    "a\nb\tc": "a b c",
    "a" * 41: "a" * 37 + "...",
    "<b>&": "&lt;b&gt;&amp;",
}


def test_names_are_shown_as_they_are(tmp_path):
    path = tmp_path / "plot.svg"
    plot(dict.fromkeys(NAMES, (SIX, 0.5)), 0.5, path)
    ET.parse(path)
    assert {f"50.00 %  {shown}" for shown in NAMES.values()} <= set(in_svg(path).splitlines())


# ------------------------------------------------------------------------------ files


def test_each_format_is_what_its_ending_says(tmp_path):
    for name in FORMATS:
        plot({"six": (SIX, 0.5), "constant": (CONSTANT, 0.4)}, 0.5, tmp_path / f"plot.{name}")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.format == "PNG"
        assert picture.size == (1200, 900)  # 6 x 4.5 inches at 200 dots
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert (0x00, 0x72, 0xB2) in colours  # the first system's blue
    assert (0xD5, 0x5E, 0x00) in colours  # the second's vermilion
    root = ET.parse(tmp_path / "plot.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("432pt", "324pt")  # at 72 to the inch
    pdf = (tmp_path / "plot.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/MediaBox [ 0 0 432 324 ]" in pdf
    assert b"/Type3" not in pdf  # a kind of font that publishers refuse
    assert b"/CIDFontType2" in pdf


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_curves_are_the_same_bytes(tmp_path, name):
    curves = {"one": (many_points(1), 0.8), "other": (many_points(2), 0.9)}
    for number in range(2):
        plot(curves, 0.4, tmp_path / f"{number}.{name}")
    one, other = ((tmp_path / f"{number}.{name}").read_bytes() for number in range(2))
    assert one == other
    assert not re.search(rb"CreationDate|<dc:date>|Matplotlib v", one)


def draw_six(path):
    plot({"six": (SIX, 0.5)}, 0.5, path)


@pytest.mark.parametrize("refuses", [draw_six, check])
def test_what_cannot_be_drawn_is_refused_before_a_file_is_made(tmp_path, monkeypatch, refuses):
    for name in ("plot.jpg", "plot", "-"):
        with pytest.raises(unitalk.UsageError) as caught:
            refuses(tmp_path / name)
        assert all(form in caught.value.hint for form in FORMATS)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    with pytest.raises(unitalk.MissingExtraError) as caught:
        refuses(tmp_path / "plot.png")
    assert "unitalk[plot]" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_one_file_is_not_written_twice(tmp_path):
    check(tmp_path / "p.png", tmp_path / "other.png", None)
    with pytest.raises(unitalk.UsageError):
        check(tmp_path / "p.png", None, tmp_path / "x" / ".." / "p.png")


def test_a_file_keeps_what_it_had_when_drawing_fails(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def half(self, file, **options):
        file.write(b"half")
        raise MemoryError

    path = tmp_path / "plot.png"
    path.write_bytes(b"the plot of yesterday")
    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(MemoryError):
        plot({"six": (SIX, 0.5)}, 0.5, path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [
        ("plot.png", b"the plot of yesterday")
    ]


# ------------------------------------------------------------------------------ nothing global


def test_the_users_settings_are_neither_read_nor_changed(tmp_path):
    plot({"six": (SIX, 0.5)}, 0.5, tmp_path / "plain.png")
    theirs = {"axes.facecolor": "#ff0000", "lines.linewidth": 9, "font.size": 30}
    with mpl.rc_context(theirs):
        before = dict(mpl.rcParams)
        plot({"six": (SIX, 0.5)}, 0.5, tmp_path / "theirs.png")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "theirs.png").read_bytes()


def test_no_pyplot_and_no_import_before_it_is_needed(tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from unitalk.score import plot, curve\n"
        "print('matplotlib' in sys.modules)\n"
        "made = curve.curve(np.array([True, False]), np.array([1.0, 0.0]))\n"
        f"plot.plot({{'one': (made, 1.0)}}, 0.5, Path({str(tmp_path / 'plot.png')!r}))\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\nTrue False\n"
    assert (tmp_path / "plot.png").exists()
