"""The tables of the normaliser: legal forms and first names, read once from the YAML beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dedup.normal.letters import skeleton


class FirstName(NamedTuple):
    """``canon``: skeleton of the full name; ``gender``: m, f or empty; ``others``: full names a short form may mean."""

    canon: str
    gender: str
    others: tuple[str, ...] = ()


@cache
def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return loaded


@cache
def words(kind: str) -> frozenset[str]:
    """Words that mean something beside a name or within an address: a list of ``words.yaml``."""
    return frozenset(_read("words.yaml")[kind].split())


@cache
def city_names() -> dict[str, str]:
    """Cities as people call them, as cut words → as they are called."""
    return dict(_read("words.yaml")["cities"])


@cache
def short_forms() -> dict[str, str]:
    """Short legal form, such as ``ооо``, to its group."""
    return {short: group for group, entry in _read("forms.yaml").items() for short in entry["short"]}


@cache
def full_forms() -> dict[str, str]:
    """Full legal form in lower case to the short form that stands for its group; longest first."""
    found = {full: entry["short"][0] for entry in _read("forms.yaml").values() for full in entry["full"]}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


@cache
def first_names() -> dict[str, FirstName]:
    """First name, or a short form of one, as skeleton → what it stands for."""
    meant: dict[str, set[tuple[str, str]]] = {}
    for gender, names in _read("first_names.yaml").items():
        for name, shorts in names.items():
            for spelling in (name, *str(shorts).split()):
                meant.setdefault(skeleton(spelling), set()).add((skeleton(name), gender[0]))
    return {spelling: _one(spelling, sorted(names)) for spelling, names in meant.items()}


def _one(spelling: str, names: list[tuple[str, str]]) -> FirstName:
    own = [name for name in names if name[0] == spelling]  # Оксана is a name, and Ксения's short form
    if own or len(names) == 1:
        return FirstName(*(own or names)[0])
    genders = {gender for _, gender in names}
    return FirstName(spelling, genders.pop() if len(genders) == 1 else "", tuple(name for name, _ in names))
