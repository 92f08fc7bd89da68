"""Fail when a page of the built site fetches anything from elsewhere.

    python .ci/site.py SITE

A link may lead anywhere; a script, a style, a font, a picture or a frame may not.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

_FETCHED = {"audio", "embed", "iframe", "img", "link", "object", "script", "source", "video"}
_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Resources(HTMLParser):
    """The addresses that a browser fetches by itself when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one tag fetches."""
        given = dict(attrs)
        # rel=canonical, next and prev are links.
        if tag == "link" and set((given.get("rel") or "").split()) & {"canonical", "next", "prev"}:
            return
        if tag in _FETCHED:
            self.found += [given[name] or "" for name in ("src", "href", "data") if name in given]


def remote(file: Path) -> list[str]:
    """What a page or a style sheet fetches from another host."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".css":
        return _STYLE.findall(text)
    page = Resources()
    page.feed(text)
    return [one for one in page.found if re.match(r"(https?:)?//", one)] + _STYLE.findall(text)


def main(site: Path) -> None:
    """Print what the pages of a site fetch from elsewhere, and fail if there is any."""
    files = [file for kind in ("html", "css") for file in sorted(site.rglob(f"*.{kind}"))]
    pages = sum(file.suffix == ".html" for file in files)
    found = [f"{file}: {address}" for file in files for address in remote(file)]
    print(
        f"{pages} pages, {len(found)} addresses that are fetched from elsewhere", *found, sep="\n"
    )
    if found or pages < 30:  # noqa: PLR2004 - a site of fewer is not whole
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
