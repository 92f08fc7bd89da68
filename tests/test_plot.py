"""The plot: what lies on it, the bytes of each format, and that nothing global is touched."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import unitalk
from unitalk.score import plot as module
from unitalk.score.curve import curve
from unitalk.score.plot import FORMATS, MOST, check, plot

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
    module._fill(axes, curves, prior)
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


def test_the_axes_say_what_they_are():
    axes = axes_of({"six": (SIX, 13 / 18)})
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Recall", "Precision")
    assert axes.get_xlim() == (0, 1)
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] >= 1


def test_a_constant_score_is_a_level_line_and_a_dot():
    raw, envelope, *_ = axes_of({"constant": (CONSTANT, 0.4)}).lines
    assert list(envelope.get_xdata()) == [0, 1]
    assert list(envelope.get_ydata()) == [0.4, 0.4]
    assert raw.get_marker() == "."  # one point makes no line
    assert axes_of({"six": (SIX, 0.7)}).lines[0].get_marker() in {"", "None", None}


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
    assert all(1.05 / (luminance(colour) + 0.05) > 2 for colour in module._COLOURS)


# ------------------------------------------------------------------------------ the legend


def test_the_legend_has_the_numbers_in_percent(tmp_path):
    path = tmp_path / "plot.svg"
    plot({"TalkNet": (SIX, 13 / 18), "nothing": (SIX, None)}, 0.4236, path)
    words = in_svg(path).splitlines()
    assert "72.22 %  TalkNet" in words
    assert "undefined  nothing" in words
    assert "42.36 %  prior: a constant score" in words
    assert "raw precision, without the envelope" in words
    assert words.index("72.22 %  TalkNet") < words.index("undefined  nothing")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("_hidden", "_hidden"),  # matplotlib passes over such labels
        ("$x$", "$x$"),  # and reads these as formulas,
        (r"$\frac$", r"$\frac$"),  # even those that are none
        ("a\nb\tc", "a b c"),
        ("a" * 40, "a" * 40),
        ("a" * 41, "a" * 37 + "..."),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)
def test_a_name_is_shown_as_it_is(tmp_path, name, shown):
    path = tmp_path / "plot.svg"
    plot({name: (SIX, 0.5)}, 0.5, path)
    ET.parse(path)
    assert f"50.00 %  {shown}" in in_svg(path).splitlines()


def test_letters_that_the_font_lacks_are_no_reason_to_warn(tmp_path):
    plot({"说话人 🙂": (SIX, 0.5)}, 0.5, tmp_path / "plot.png")  # warnings are errors here
    plot({"说话人 🙂": (SIX, 0.5)}, 0.5, tmp_path / "plot.pdf")


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


def test_the_prior_is_where_its_number_is(tmp_path):
    """The dashed line of an svg: y falls evenly as the prior goes 0, 1/2, 1."""
    heights = []
    for prior in (0, 0.5, 1):
        plot({"six": (SIX, 0.5)}, prior, tmp_path / "plot.svg")
        text = (tmp_path / "plot.svg").read_text(encoding="utf-8")
        dashed = re.findall(r'<path d="M \S+ (\S+)\s+L \S+ (\S+)\s+"[^>]*stroke-dasharray', text)
        [(first, last)] = dashed  # the one in the legend has three points
        assert first == last
        heights.append(float(first))
    assert heights[0] > heights[1] > heights[2]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=1e-3)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_curves_are_the_same_bytes(tmp_path, name):
    curves = {"one": (many_points(1), 0.8), "other": (many_points(2), 0.9)}
    for number in range(2):
        plot(curves, 0.4, tmp_path / f"{number}.{name}")
    one, other = ((tmp_path / f"{number}.{name}").read_bytes() for number in range(2))
    assert one == other
    assert not re.search(rb"CreationDate|<dc:date>|Matplotlib v", one)


def test_an_ending_in_capitals_will_do(tmp_path):
    plot({"six": (SIX, 0.5)}, 0.5, tmp_path / "PLOT.PNG")
    assert (tmp_path / "PLOT.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "ending"), [("plot.jpg", ".jpg"), ("plot", ""), ("-", "")])
def test_another_ending(tmp_path, name, ending):
    for refuses in (lambda path: plot({"six": (SIX, 0.5)}, 0.5, path), check):
        with pytest.raises(
            unitalk.UsageError, match=f"cannot have the ending '{ending}'"
        ) as caught:
            refuses(tmp_path / name)
        assert caught.value.hint == "the endings are .png, .svg, .pdf"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("systems", [0, 9])
def test_none_or_too_many_systems(tmp_path, systems):
    curves = {str(number): (SIX, 0.5) for number in range(systems)}
    with pytest.raises(unitalk.UsageError, match=f"a plot of {systems} systems") as caught:
        plot(curves, 0.5, tmp_path / "plot.png")
    assert caught.value.hint == "one plot shows one to 8 systems"
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not there
    for refuses in (lambda path: plot({"six": (SIX, 0.5)}, 0.5, path), check):
        with pytest.raises(unitalk.MissingExtraError, match="matplotlib") as caught:
            refuses(tmp_path / "plot.png")
        assert caught.value.hint == 'pip install "unitalk[plot]"'
    assert list(tmp_path.iterdir()) == []


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


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(unitalk.DiskError):
        plot({"six": (SIX, 0.5)}, 0.5, tmp_path / "file" / "plot.png")


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
    assert Image.open(io.BytesIO((tmp_path / "plot.png").read_bytes())).size == (1200, 900)
