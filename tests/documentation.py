"""The pages of the documentation as tests read them: fenced blocks, marks, headings, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)
_MARK = re.compile(r"^<!-- ([^\n]*?)(?: -->)?\n\Z", re.M)
_USES_UNITALK = re.compile(
    r"^(?:\$ )?unitalk [\w-](?!.*\[OPTIONS\])|^\s*(?:>>> )?(?:import|from) unitalk\b", re.M
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: the number of its first line in the file, for messages.
        language: what follows the fence, such as console.
        mark: the comment on the line above, such as `needs: asw`; "" without one.
        text: what is between the fences.
    """

    line: int
    language: str
    mark: str
    text: str

    @property
    def reason(self) -> str | None:
        """Why it is not run; None for a block that is."""
        kind, _, reason = self.mark.partition(":")
        return reason.strip() if kind == "not run" else None

    @property
    def needs(self) -> str | None:
        """The real data that it needs, asw or weights; None for none."""
        kind, _, what = self.mark.partition(":")
        return what.strip() if kind == "needs" else None

    @property
    def uses_unitalk(self) -> bool:
        """Whether it shows a command or code of ours."""
        return bool(_USES_UNITALK.search(self.text))


def name(page: Path) -> str:
    """A page's path from the top of the checkout."""
    return page.relative_to(CHECKOUT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        mark = _MARK.search(before[before.rfind("\n", 0, -1) + 1 :])
        found.append(
            Block(
                line=before.count("\n") + 1,
                language=fence["info"].strip(),
                mark=mark[1] if mark else "",
                text=fence["text"],
            )
        )
    return found


def prose(page: Path) -> str:
    """A page without its blocks, comments and code in backticks."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*`", "", re.sub(r"<!--.*?-->", "", text, flags=re.S))


def links(page: Path) -> list[str]:
    """Where a page leads within the project: links and pictures."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    targets += re.findall(r"<(?:img|a)\s[^>]*(?:src|href)=\"([^\"]+)\"", prose(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors that a page has both on GitHub and on the site, and the site's of an API."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = [re.sub(r"[`*]", "", heading) for heading in re.findall(r"^#+ (.*)$", text, re.M)]
    on_github = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    on_site = {
        re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in headings
    }
    return on_github & on_site | set(re.findall(r"^::: (\S+)$", text, re.M))
