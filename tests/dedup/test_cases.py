"""The written table of what people type: ``cases.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dedup.normal import contacts, places
from dedup.normal.names import firm_name, person_name
from dedup.normal.requisites import requisites

CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("one", "other"), [(group[0], other) for group in CASES["firm"] for other in group[1:]])
def test_one_firm_in_many_spellings(one: str, other: str) -> None:
    """Legal forms, quotes, order, ё, look-alikes and transliteration leave one key, or one key without blanks."""
    a, b = firm_name(one), firm_name(other)
    assert a.key == b.key or a.flat == b.flat


@pytest.mark.parametrize(("one", "other"), CASES["unlike_firm"])
def test_firms_that_only_look_alike(one: str, other: str) -> None:
    """What is part of a name, a word or a number, keeps two firms apart."""
    a, b = firm_name(one), firm_name(other)
    assert a.key != b.key
    assert a.flat != b.flat


@pytest.mark.parametrize(("text", "key"), CASES["branch"])
def test_branches_are_told_by_their_names(text: str, key: str) -> None:
    """A branch bears the firm's name, a mark, and no place in its key."""
    name = firm_name(text)
    assert name.branch
    assert name.key == key


@pytest.mark.parametrize(("text", "parts"), CASES["person"])
def test_a_person_is_read_by_position(text: str, parts: list[str]) -> None:
    """Surname, first name, patronymic and gender, in any order and with initials, short names or a legal form."""
    assert list(person_name(text)[:4]) == parts


@pytest.mark.parametrize(("text", "parts"), CASES["requisites"])
def test_requisites(text: str, parts: list[str]) -> None:
    """Control digits, office 00, lost zeros, ИНН and КПП in one field."""
    inn, kpp, ogrn = text.split("|")
    assert list(requisites(inn, kpp, ogrn)) == parts


@pytest.mark.parametrize(("text", "numbers"), CASES["phone"])
def test_phones(text: str, numbers: list[str]) -> None:
    """Every spelling of a number is one; a number typed to fill the field is none."""
    assert [phone.norm for phone in contacts.phones(text)] == numbers


@pytest.mark.parametrize(("text", "boxes"), CASES["email"])
def test_emails(text: str, boxes: list[str]) -> None:
    """Aliases of one mailbox are one, a domain has a nature, nobody's mailbox is none."""
    assert [f"{box.norm} {box.nature}" for box in contacts.emails(text)] == boxes


@pytest.mark.parametrize(("text", "parts"), CASES["address"])
def test_addresses(text: str, parts: list[str]) -> None:
    """Index, city, street, house and unit in the forms that people use."""
    assert list(places.address(text)) == parts


def test_the_table_is_large_enough() -> None:
    """At least 150 cases of names, requisites and phones stand in the table."""
    named = sum(len(group) for group in CASES["firm"]) + sum(len(CASES[k]) for k in ("unlike_firm", "branch", "person"))
    assert named + len(CASES["requisites"]) + len(CASES["phone"]) >= 150
