"""Two systems, one card: what is edited in one appears in the other, and nothing comes back as an echo."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.exchange.pauses import pause, resume
from hub.model.settings import RouteSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import CLIENTS, Two, bare, client, make_two, phone


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    return make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})


def test_one_client_of_two_systems_is_one_card(two: Two) -> None:
    """Two systems know a client by one ИНН and КПП: one record with two links, and nothing is written unseen."""
    one = two.put("ut", client("ООО Ромашка", КонтактнаяИнформация=[phone("+7 495 1234567")]))
    other = two.put("ut2", client("Ромашка, ООО", КонтактнаяИнформация=[phone("+7 495 7654321")]))
    two.exchange()
    assert two.record("ut", one) == two.record("ut2", other)
    assert two.golden("ut", one)["legal_name"] == "ООО Ромашка"
    assert two.writes() == 0
    assert [(row["state"], row["last_error"]) for row in two.rows(core.outbox)] == [("held", "first_contact")] * 2


def test_an_edit_reaches_the_other_system_and_is_no_echo(two: Two) -> None:
    """A comment typed in one system is written to the other; the next night reads it back and changes nothing."""
    one = two.put("ut", client("ООО Ромашка"))
    other = two.put("ut2", client("ООО Ромашка"))
    two.exchange()
    two.edit("ut2", other, ДополнительнаяИнформация="звонить после обеда")
    two.exchange()
    assert two.shows("ut", one)["ДополнительнаяИнформация"] == "звонить после обеда"
    assert two.golden("ut", one)["comment"] == "звонить после обеда"
    before = two.writes()
    report = two.exchange()
    assert two.writes() == before
    assert {route.counters.updated for route in report.routes} == {0}
    assert two.rows(core.outbox) == []


def test_an_edit_lost_to_the_master_becomes_a_task(two: Two) -> None:
    """Who is not master of the legal name changes it: the card stays, and one task says who wanted what, and where."""
    one = two.put("ut", client("ООО Ромашка"))
    other = two.put("ut2", client("ООО Ромашка"))
    two.exchange()
    two.edit("ut2", other, НаименованиеПолное="ООО Ромашка плюс")
    two.exchange()
    assert two.golden("ut", one)["legal_name"] == "ООО Ромашка"
    tasks = [row for row in two.rows(tables.ROOTS["task"]) if "ООО Ромашка плюс" in (row["body"] or "")]
    assert [row["title"] for row in tasks] == ["ООО Ромашка: «Полное наименование» изменили в ut2, главный — ut"]
    two.exchange()
    assert len([row for row in two.rows(tables.ROOTS["task"]) if "Ромашка плюс" in (row["body"] or "")]) == 1
    assert two.shows("ut2", other)["НаименованиеПолное"] == "ООО Ромашка плюс"


def test_who_was_quicker_is_linked_and_not_made_twice(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """Before a client is made in the other system, somebody enters it there by hand: it is linked, nothing is made."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    creates = RouteSettings("ut2.party", write="all", create="always", create_in="counterparty")
    two = make_two(store, tmp_path, bases, {"ut2.party": creates}, roles={"ut": "trade", "ut2": "crm"})
    pause(two.hub, "ut2.party", "проверка", "тест", until=None, direction="push")
    one = two.put("ut", client("ООО Ромашка"))
    two.exchange()
    assert "create" in {row["op"] for row in two.rows(core.outbox)}
    other = two.put("ut2", client("ООО Ромашка"))
    resume(two.hub, "ut2.party", direction="push")
    two.exchange()
    assert two.record("ut", one) == two.record("ut2", other)
    names = [record["Description"] for record in two.bases["ut2"].records[CLIENTS].values()]
    assert names.count("ООО Ромашка") == 1
