"""The documentation of the stand is whole: every switch, action, option and attribute, and none that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from stand.onec import control
from stand.onec.__main__ import parser
from stand.onec.quirks import ACTS, BOUNDS, FAULTS, MEMORY, REUSE, Quirks

README = (Path(__file__).parents[2] / "stand" / "README.md").read_text(encoding="utf-8")

FOLDER = Path(__file__).parent


def _tables(title: str) -> list[list[str]]:
    """Rows of the tables of a section, cells without blanks, heads left out."""
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("|")
    ]
    return [row for row in rows if row[0].startswith("`")]


def test_every_item_of_fidelity_has_tests_that_exist() -> None:
    """Each row of the table names at least one test, and every one it names is in that file."""
    section = README.split("\n## Fidelity\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 30
    for item, tests in rows:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", tests)
        assert named, item
        for file, name in named:
            assert f"def {name}(" in (FOLDER / file).read_text(encoding="utf-8"), (item, file, name)


def test_every_switch_is_documented_with_its_default() -> None:
    """The table of switches and the class name the same ones, with the same defaults, each once."""
    rows = _tables("Switches")
    told = {row[0].strip("`"): json.loads(row[1].strip("`")) for row in rows}
    assert len(told) == len(rows)
    assert told == json.loads(json.dumps(Quirks().state()))


def test_bounds_faults_and_words_are_documented() -> None:
    """Bounds and faults stand in their own tables; every act and every mode of sessions is named."""
    section = README.split("\n## Switches\n")[1]
    bounds, _, rest = section.partition("**Faults**")
    faults = rest.partition("**How")[0]
    assert set(re.findall(r"^\| `(\w+)`", bounds, re.MULTILINE)) == {*BOUNDS}
    assert set(re.findall(r"^\| `(\w+)`", faults, re.MULTILINE)) == {*FAULTS, *MEMORY, "not_carried_out"}
    assert all(f"`{word}`" in section for word in (*ACTS, *REUSE))


def test_every_control_action_is_documented() -> None:
    """The table of actions and the server know the same ones."""
    assert {row[0].strip("`") for row in _tables("Control")} == control.ACTIONS.keys()


def test_every_option_is_documented() -> None:
    """The command line and the section about it name the same options."""
    known = {option for action in parser()._actions for option in action.option_strings if option.startswith("--")}
    section = README.split("\n## Start\n")[1].split("\n## ")[0]
    assert set(re.findall(r"--[a-z]+", section)) == known - {"--help"}
