"""The Markdown pages of the repository, taken apart: what the tests beside this read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.house.source import ROOT, tracked

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page: its path from the root and its text."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """Contents of the fenced blocks of that language, ``""`` for those that name none."""
        return [found[2] for found in FENCE.finditer(self.text) if found[1] == language]

    def headings(self) -> list[tuple[int, str]]:
        """Level and words of each heading, in order."""
        return [(len(found[1]), found[2].strip()) for found in re.finditer(r"^(#+) (.+)$", self.prose, re.MULTILINE)]

    def anchors(self) -> set[str]:
        """The names a link may jump to, as GitHub makes them of headings."""
        bare = (re.sub(r"[^\w\- ]", "", words.lower()) for _, words in self.headings())
        return {words.replace(" ", "-") for words in bare}

    def links(self) -> list[str]:
        """Targets of links and pictures that stay within the repository."""
        targets = re.findall(r"\]\(([^)\s]+)\)", self.prose)
        return [target for target in targets if not re.match(r"[a-z]+:", target)]

    def code(self) -> list[str]:
        """Everything set as code: lines of fenced blocks without a language, and inline spans."""
        lines = [line for block in self.blocks("") for line in block.splitlines()]
        return lines + re.findall(r"`([^`\n]+)`", self.prose)


@cache
def page(name: str) -> Page:
    """The page at that path from the root."""
    return Page(Path(name), (ROOT / name).read_text(encoding="utf-8"))


@cache
def pages() -> tuple[Page, ...]:
    """All pages that git would carry to another machine."""
    return tuple(page(path.as_posix()) for path in tracked() if path.suffix == ".md")
