"""Golden scenarios 1 and 3: one client spelled three ways, a sole proprietor and the person he is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.exchange.duplicates.settle import Settled
from hub.store import core, duplicates
from tests.golden.world import Builder, World, links_of

#: ИНН of two persons.
HIS, ANOTHERS = "500100732259", "773173084809"
MOBILE, OFFICE = "+7 916 555-01-02", "+7 495 123-45-67"


@pytest.fixture
def office(build_world: Builder) -> World:
    """УТ, УНФ and the CRM; clients were compared once, and what is beyond doubt is merged from now on."""
    world = build_world({"ut": "ut", "unf": "unf", "crm": "crm"})
    for number in range(6):
        world.desks["ut"].add(f"ООО Завод {'АБВГДЕ'[number]}", inn="", kpp="", phones=[f"+7 495 700-10-0{number}"])
    world.hub.settings = replace(world.hub.settings, duplicates="merge")
    compared(world)
    return world


def compared(world: World) -> Settled:
    """A night, and what comparing clients came to in it."""
    found = world.night().duplicates
    assert found is not None
    return found


def test_01_one_client_of_three_systems_spelled_three_ways(office: World) -> None:
    """«ООО „Ромашка плюс“», «Ромашка плюс, ООО» and «РОМАШКА ПЛЮС»: one card by morning, and each keeps its name."""
    keys = {
        "ut": office.desks["ut"].add('ООО "Ромашка плюс"', phones=[OFFICE, MOBILE]),
        "unf": office.desks["unf"].add("Ромашка плюс, ООО", inn="", kpp="", phones=["8 (916) 555 01 02"]),
        "crm": office.desks["crm"].add("РОМАШКА  ПЛЮС", kpp="", phones=["89165550102"], comment="платит вовремя"),
    }
    found = compared(office)
    assert (found.merged, found.refused) == (2, {})
    (one,) = {office.at(code, key) for code, key in keys.items()}
    assert links_of(office, one) == ["ut", "unf", "crm"]
    office.night()
    assert set(office.seen(keys, "comment").values()) == {"платит вовремя"}
    assert list(office.seen(keys, "phones").values()) == [{"74951234567", "79165550102"}] * 3
    assert [row["to_record_id"] for row in office.rows(core.redirect)] == [one, one]
    office.quiet()


def test_01_a_like_name_alone_is_not_one_client(office: World) -> None:
    """Two «Ромашка плюс» that share nothing but the name stay two until a person says otherwise."""
    ut = office.desks["ut"].add('ООО "Ромашка плюс"', phones=[OFFICE])
    crm = office.desks["crm"].add("Ромашка плюс, ООО", inn="", kpp="", phones=["+7 843 200-30-40"])
    assert compared(office).merged == 0
    assert office.at("ut", ut) != office.at("crm", crm)


def test_03_a_sole_proprietor_and_the_person_he_is(office: World) -> None:
    """УТ knows the ИП, the CRM the man himself by the same ИНН: one client. His namesake is another."""
    ut = office.desks["ut"].add("ИП Кузнецов Пётр Ильич", inn=HIS, kpp="", kind="entrepreneur", phones=[MOBILE])
    crm = office.desks["crm"].add("Кузнецов Пётр Ильич", inn=HIS, kpp="", kind="person")
    namesake = office.desks["unf"].add("Кузнецов Пётр Ильич", inn=ANOTHERS, kpp="", kind="person", phones=[MOBILE])
    compared(office)
    one = office.at("ut", ut)
    assert office.at("crm", crm) == one
    assert office.at("unf", namesake) != one
    assert links_of(office, one) == ["ut", "crm"]
    assert {row["band"] for row in office.rows(duplicates.edge)} <= {"auto", "nothing"}
    office.night()
    assert office.desks["crm"].sees(crm)["phones"] == {"79165550102"}
    office.quiet()


def test_03_a_firm_of_his_name_is_not_the_person(office: World) -> None:
    """An organisation named after its owner, with his mobile number, is not merged with him by a rule."""
    firm = office.desks["ut"].add("ООО Кузнецов", phones=[MOBILE])
    person = office.desks["crm"].add("Кузнецов Пётр Ильич", inn=HIS, kpp="", kind="person", phones=[MOBILE])
    assert compared(office).merged == 0
    assert office.at("ut", firm) != office.at("crm", person)
