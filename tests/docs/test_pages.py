"""Pages lead where they say, and the two languages say the same."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.docs.pages import Page, page, pages
from tests.house.source import ROOT

TWINS = [("README.md", "README.ru.md"), ("docs/admin.md", "docs/admin.ru.md")]
#: Made by the browser test from the real UI; a link to it is right before it has been drawn.
DRAWN = {"docs/images/ui.png"}


@pytest.mark.parametrize("read", pages(), ids=lambda read: str(read.path))
def test_links_lead_somewhere(read: Page) -> None:
    """Every link within the repository names a file that is there, and a heading in it."""
    dead = []
    for target in read.links():
        name, _, anchor = target.partition("#")
        path = (ROOT / read.path.parent / name).resolve() if name else ROOT / read.path
        inside = path.relative_to(ROOT).as_posix()
        if not path.exists():
            dead += [target] * (inside not in DRAWN)
        elif anchor and anchor not in page(inside).anchors():
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize(("english", "russian"), TWINS)
def test_twins_have_the_same_shape(english: str, russian: str) -> None:
    """Both languages have the same headings by level, tables of as many rows, the same code and the same links."""
    one, other = page(english), page(russian)
    assert [level for level, _ in one.headings()] == [level for level, _ in other.headings()]
    assert one.text.count("\n| ") == other.text.count("\n| ")
    for language in ("bsl", "xml", "yaml", "ini", "sh"):
        assert one.blocks(language) == other.blocks(language)
    assert [line.split("  ")[0] for block in one.blocks("") for line in block.splitlines()] == [
        line.split("  ")[0] for block in other.blocks("") for line in block.splitlines()
    ]
    files = [{re.sub(r"(\.ru)?\.md", "", link) for link in read.links()} for read in (one, other)]
    assert files[0] == files[1]


@pytest.mark.parametrize(("english", "russian"), TWINS)
def test_each_twin_is_in_its_language(english: str, russian: str) -> None:
    """No heading was left untranslated."""
    assert [words for _, words in page(english).headings() if re.search("[а-яё]", words)] == []
    plain = {"Obmen", "PostgreSQL"}
    assert [words for _, words in page(russian).headings() if not re.search("[а-яё]", words)] in ([], sorted(plain)[:1])


def test_the_changelog_knows_the_version() -> None:
    """What pyproject.toml calls the version is in the changelog, or still unreleased."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = [words for level, words in page("CHANGELOG.md").headings() if level == 2]
    assert headings[0] == "[Unreleased]" or headings[0].startswith(f"[{version}]")


def test_every_decision_is_listed() -> None:
    """The index of decisions names each page beside it, and each page says how it stands."""
    listed = set(page("docs/adr/README.md").links())
    there = {path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md")}
    assert listed == there
    assert [name for name in there if not re.search(r"^Status: \w+", page(f"docs/adr/{name}").text, re.MULTILINE)] == []
