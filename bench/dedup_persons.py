"""Pairs of Cyrillic names labelled by hand: is it one person? Judged by the shipped levels."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from dedup.frequencies import Counted
from dedup.normal.record import normalise
from dedup.score import score

#: There is no number to set: surname and first name agree at one of these levels, and nothing forbids the merge.
_AGREE = frozenset({"same", "slip", "crossed", "part", "short", "initial"})
_NAMES = ("last", "first", "middle")


class Judged(NamedTuple):
    """One pair: the names, the label, and what the score said."""

    one: str
    other: str
    label: bool
    said: bool
    why: str


def judge(path: Path) -> list[Judged]:
    """Every pair of the file, with the frequencies of the names in it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["name1"], row["name2"], row["ground truth"] == "TRUE") for row in csv.DictReader(file)]
    names = [name for one, other, _ in rows for name in (one, other)]
    records = [normalise({"kind": "person", "name": name}, number) for number, name in enumerate(names)]
    frequencies = Counted(records)
    found = []
    for number, (one, other, label) in enumerate(rows):
        edge = score(records[2 * number], records[2 * number + 1], frequencies)
        levels = {part.fact: part.level for part in edge.parts if part.fact in _NAMES}
        agree = all(levels.get(part) in _AGREE for part in ("last", "first"))
        why = " ".join([*(f"{fact}.{level}" for fact, level in levels.items()), *edge.vetoes])
        found.append(Judged(one, other, label, agree and not edge.vetoes, why))
    return found


def f1(judged: list[Judged]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right = sum(one.said and one.label for one in judged)
    said, true = sum(one.said for one in judged), sum(one.label for one in judged)
    return right / max(1, said), right / max(1, true), 2 * right / max(1, said + true)
