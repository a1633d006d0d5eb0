"""Explanations: every code is in the catalogue, the words fit the decision, the bars sum to the total."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from dedup.explain import waterfall, why
from dedup.facts import FACTS, KEY_RULES, LATE, RELATIONS, VETOES
from dedup.frequencies import Counted
from dedup.normal.record import normalise
from dedup.score import Edge, score
from hub.texts import LANGS, catalogue

_RAWS = [
    {
        "kind": "org",
        "name": "ООО Ромашка",
        "inn": "7707083893",
        "kpp": "770701001",
        "phone": "+7 495 223-45-89",
        "city": "Москва",
    },
    {
        "kind": "org",
        "name": "Ромашка, ООО",
        "inn": "7707083893",
        "kpp": "770701001",
        "phone": "8 (916) 555-44-33",
        "city": "Москва",
    },
    {"kind": "org", "name": "ООО Ромашка", "inn": "7707083893", "kpp": "165543001", "city": "Казань"},
    {"kind": "person", "name": "Иванов Иван Петрович", "phone": "8 916 223-45-87"},
    {"kind": "person", "name": "Иванова Мария", "phone": "8 916 223-45-87"},
    {"kind": "org", "name": "Ромашка", "phone": "+7 495 223-45-89"},
]
_RECORDS = [normalise(raw, number) for number, raw in enumerate(_RAWS)]


def _edge(one: int, other: int, judged: str = "") -> Edge:
    return score(_RECORDS[one], _RECORDS[other], Counted(_RECORDS), judged=judged)


def test_everything_a_score_can_say_is_in_the_catalogue() -> None:
    """Every level of every fact, every veto, rule and relation has words in both languages."""
    codes = [f"dedup_fact_{fact.name}_{level.name}" for fact in (*FACTS, *LATE) for level in fact.levels]
    codes += [f"dedup_veto_{name}" for name in (*VETOES, "judged")]
    codes += [f"dedup_rule_{name}" for name in (*KEY_RULES, "facts", "judged")]
    codes += [f"dedup_relation_{name}" for name in RELATIONS]
    for code in codes:
        assert all(catalogue()[code][lang] for lang in LANGS), code


@pytest.mark.parametrize(
    ("one", "other", "judged", "words"),
    [
        (0, 1, "", ["Это один клиент", "ИНН совпал", "ИНН и КПП совпали", "Против: телефоны разные"]),
        (0, 2, "", ["разные клиенты", "КПП разные", "один из них филиал другого", "Хотя есть общее"]),
        (3, 4, "", ["разные клиенты", "один из них мужчина", "одна семья", "телефон совпал"]),
        (0, 1, "different", ["разные клиенты: человек решил"]),
        (3, 4, "same", ["один клиент", "Так решил человек"]),
    ],
)
def test_the_sentence_fits_the_decision(one: int, other: int, judged: str, words: list[str]) -> None:
    """A merge names what carries it, a refusal names the veto first, and both name the total."""
    said = why(_edge(one, other, judged))
    assert all(word in said for word in words), said
    assert re.search(r"Итог [+−]\d+,\d при пороге", said)
    assert "{" not in said


def test_english_has_its_own_words() -> None:
    """The English sentence holds no Russian word but the names of requisites."""
    said = why(_edge(0, 1), "en").replace("ИНН", "").replace("КПП", "")
    assert not re.search("[а-яё]", said)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 2), (3, 4), (0, 5)])
def test_the_bars_sum_to_the_total(one: int, other: int) -> None:
    """The picture is well-formed, and its bars but the last add up to the last, which is the weight of the pair."""
    edge = _edge(one, other)
    bars = etree.fromstring(waterfall(edge).encode()).findall("{http://www.w3.org/2000/svg}rect")
    added = [int(bar.attrib["data-bits"]) for bar in bars]
    assert sum(added[:-1]) == added[-1] == edge.weight
    ends = [float(bar.attrib["x"]) for bar in bars]
    assert min(ends) >= 0
