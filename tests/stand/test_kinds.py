"""Kinds of contact information: what 1C would show of a row, and what it stores and shows to nobody."""

from __future__ import annotations

import json
import urllib.request

import pytest

from stand.onec.generate.build import build
from stand.onec.generate.kinds import CONTACTS, KINDS, USES, kind_of, owners
from stand.onec.server import OneCStand
from stand.onec.unshown import unshown
from stand.onec.world import rows_of


@pytest.mark.parametrize("name", ["ut", "unf", "bp"])
def test_every_generated_contact_is_shown(name: str) -> None:
    """Each catalogue has its group of kinds; every row of the base has a kind of its own catalogue and type."""
    world = build(5, clients=15, products=5, orders=5, configuration=name)
    assert len(world.tables[KINDS]) == len(owners(world)) * (len(USES) + 1)
    rows = 0
    for owner in owners(world):
        for record in world.tables[f"Catalog_{owner}"]:
            record[CONTACTS] = rows_of(record.get(CONTACTS))
            rows += len(record[CONTACTS])
    assert rows > 30
    assert unshown(world) == []


def test_a_row_that_nobody_sees_is_stored_and_told() -> None:
    """Without a kind, with one of another catalogue, with one of another type: each is stored, and told."""
    with OneCStand(build(5, clients=3, products=3, orders=3), control=True) as stand:
        key = stand.world.records("Catalog_Контрагенты")[0]["Ref_Key"]
        row = {"Тип": "Телефон", "Представление": "112"}
        kinds = [{}, *({"Вид_Key": kind_of(*kind)} for kind in (("Партнеры", "phone"), ("Контрагенты", "email")))]
        kinds.append({"Вид_Key": kind_of("Контрагенты", "mobile")})
        rows = [{"LineNumber": str(number), **row, **kind} for number, kind in enumerate(kinds, 1)]
        stand.world.edit("Catalog_Контрагенты", key, {CONTACTS: rows})
        with urllib.request.urlopen(f"{stand.address}/_stand/state") as answer:
            told = json.load(answer)["unshown_contacts"]
    assert [(one["row"], one["why"]) for one in told] == [("1", "no kind"), ("2", "other owner"), ("3", "other type")]
    assert {(one["set"], one["key"]) for one in told} == {("Catalog_Контрагенты", key)}
