"""The one style of the package's plots, and the only module that sets up matplotlib.

Nothing global is touched: no pyplot, no display, and the settings of the user's matplotlib are
neither read nor changed, so that the same numbers give the same bytes everywhere that the same
matplotlib is installed.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from unitalk.errors import MissingExtraError, UsageError
from unitalk.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
"""The endings of files that can be drawn."""

INK, GREY, LINE = "#222222", "#555555", "#DDDDDD"
"""Words, what explains them, and the grid."""

_DOTS_PER_INCH = 200
# Whatever would make the bytes depend on the day or on matplotlib's own version.
_FIXED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def check(path: Path, *others: Path | None) -> None:
    """Check whether a plot can be drawn into a file of this name.

    Args:
        path: the plot's file.
        others: further files that will be written.

    Raises:
        UsageError: the ending is not one of `FORMATS`, or two files are the same.
        MissingExtraError: matplotlib is not installed.
    """
    if _format(path) not in FORMATS:
        raise UsageError(
            f"{path}: a plot cannot have the ending {path.suffix!r}",
            hint=f"the endings are {', '.join('.' + known for known in FORMATS)}",
        )
    if path.resolve() in {other.resolve() for other in others if other is not None}:
        raise UsageError(f"{path} would be written twice", hint="give the plot another name")
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ImportError as error:
        raise MissingExtraError(
            "plots are drawn with matplotlib, which is not installed",
            hint='pip install "unitalk[plot]"',
        ) from error


def write(path: Path, fill: Callable[[Figure], None], *, inches: tuple[float, float]) -> None:
    """Draw a figure into a file, which has its name only once it is whole.

    Args:
        path: the file; its ending decides the format.
        fill: puts everything on the empty figure.
        inches: the figure's width and height.

    Raises:
        UsageError, MissingExtraError: as `check` raises them.
        DiskError: the disk refused.
    """
    check(path)
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes, without a warning.
        warnings.filterwarnings("ignore", message="Glyph")
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "unitalk"  # else the ids in an svg are random
        mpl.rcParams["pdf.fonttype"] = 42  # text in fonts that publishers accept
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasAgg(figure)
        fill(figure)
        form = _format(path)
        figure.savefig(drawn, format=form, dpi=_DOTS_PER_INCH, metadata=_FIXED[form])
    with atomic_write(path, "wb") as file:
        file.write(drawn.getvalue())


def dress(axes: Axes, *, grid: str = "both") -> None:
    """Give axes a light grid behind the data and no frame that is not needed."""
    axes.grid(axis=grid, color=LINE, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(color=GREY)


def shown(name: str, longest: int) -> str:
    """Return a name without letters that cannot be drawn, and not too long."""
    text = "".join(letter if letter.isprintable() else " " for letter in name)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _format(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
