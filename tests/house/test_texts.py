"""Everything a person reads stands in the catalogue, in both languages, and is used."""

from __future__ import annotations

import ast
import re
import string

import pytest
import yaml

from hub.texts import LANGS, catalogue
from tests.house.codes import uses
from tests.house.source import ROOT, modules

KEYS = {*LANGS, *(f"{lang}_advice" for lang in LANGS)}
CYRILLIC = re.compile("[а-яё]")  # ИНН and КПП are names in English too


def marks(text: str) -> set[str]:
    """Names of the ``{marks}`` of a text; raises ``ValueError`` for a lone brace."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_search_sees_the_codes_of_the_house() -> None:
    """The search behind these tests finds direct calls, errors and helpers, so its silence means something."""
    found = {use.code for use in uses()}
    assert {"secret_missing", "unknown_route", "settings_line", "settings_twice", "fenced"} <= found
    assert len(found) > 60


def test_every_code_used_is_in_the_catalogue() -> None:
    """A code without an entry would be shown to an admin bare."""
    assert sorted({f"{use.code} ({use.place})" for use in uses() if use.code not in catalogue()}) == []


def test_every_reason_of_not_sending_has_its_text_and_advice() -> None:
    """What a row of the outbox may be left with is told in words, with what to do about it."""
    left = {use.code for use in uses() if use.place.startswith(("hub/exchange/push/", "hub/exchange/brakes"))}
    left |= {"first_contact", "record_not_taken", "period_closed", "object_locked"}
    wanted = {"mass_change", "mass_delete", "reference_missing", "mapping_paused", "shadow", "record_gone"}
    assert wanted | {"record_moved", "more_owed", "shows_otherwise"} <= left
    assert sorted(code for code in left - {"stopped"} if not catalogue().get(code, {}).get("ru_advice")) == []
    states = ("pending", "sending", "waiting", "held", "unknown", "failed", "refused", "not_posted")
    assert [state for state in states if not catalogue().get(f"owed_{state}", {}).get("ru_advice")] == []


def problems(code: str, entry: dict[str, str]) -> list[str]:
    """What is wrong with one entry, in words."""
    bare = re.sub(r"\{[^}]*\}|`[^`]*`|«[^»]*»|“[^”]*”", "", entry.get("en", ""))
    checks = {
        "a code is snake_case": re.fullmatch(r"[a-z][a-z0-9_]*", code),
        "an unknown key": set(entry) <= KEYS,
        "a language is missing": entry.get("ru", "").strip() and entry.get("en", "").strip(),
        "advice in one language only": bool(entry.get("ru_advice")) == bool(entry.get("en_advice")),
        "different marks": marks(entry.get("ru", "")) == marks(entry.get("en", "")),
        "different marks in the advice": marks(entry.get("ru_advice", "")) == marks(entry.get("en_advice", "")),
        "an English text in Russian": not CYRILLIC.search(bare),
    }
    return [f"{code}: {wrong}" for wrong, right in checks.items() if not right]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "hub/texts").glob("*.yaml")))
def test_an_entry_says_the_same_in_both_languages(name: str) -> None:
    """Both languages, advice in both or in none, the same marks in both, no Russian in an English sentence."""
    entries = yaml.safe_load((ROOT / "hub/texts" / name).read_text(encoding="utf-8")) or {}
    assert [problem for code, entry in entries.items() for problem in problems(code, entry)] == []


def test_a_wrong_entry_is_seen() -> None:
    """The check above can fail: an entry with every fault is told each of them."""
    assert len(problems("Bad-code", {"ru": "{a}", "en": "ошибка", "ru_advice": "x", "de": ""})) == 5


def skip_reasons() -> set[str]:
    """Reasons of skipping: given to ``Counters.skip`` in code, and named by ``skip:`` in mappings."""
    reasons = {
        call.args[0].value
        for module in modules()
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "skip"
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }
    for path in (ROOT / "mappings").rglob("*.yaml"):
        skip = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("skip") or []
        reasons |= {rule["reason"] for rule in skip}
    return reasons


def test_every_reason_of_skipping_has_its_text() -> None:
    """A reason in the counters of a run is shown by its entry ``skip_<reason>``."""
    reasons = skip_reasons()
    assert {"not_mapped", "folder"} <= reasons
    assert sorted(reason for reason in reasons if f"skip_{reason}" not in catalogue()) == []


def test_every_mark_is_filled_where_a_text_is_asked_for() -> None:
    """A text asked for directly gets every parameter its marks name."""
    wrong = []
    for use in uses():
        entry = catalogue().get(use.code)
        if use.params is None or entry is None:
            continue
        needed = marks(entry["ru"]) if not use.params else marks(entry["ru"]) - use.params
        if needed:
            wrong.append(f"{use.place}: {use.code} lacks {sorted(needed)}")
    assert wrong == []


def _written() -> tuple[set[str], tuple[str, ...]]:
    """String constants of the product's code and of its YAML outside the catalogue, and beginnings of f-strings."""
    words: set[str] = set()
    beginnings: set[str] = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words |= set(re.findall(r"\w+", node.value))  # a mapping is compiled into text that names codes
            elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    for path in (*(ROOT / "mappings").rglob("*.yaml"), *(ROOT / "hub").rglob("*.yaml")):
        if "texts" not in path.parts:
            words |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return words, tuple(word for word in beginnings if re.fullmatch(r"[a-z][a-z0-9]*_[a-z0-9_]*", word))


def test_every_entry_is_used() -> None:
    """An entry that nothing names any more is only in the way of its translator."""
    words, beginnings = _written()
    assert sorted(code for code in catalogue() if code not in words and not code.startswith(beginnings)) == []
