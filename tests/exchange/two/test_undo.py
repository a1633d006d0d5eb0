"""Undo: a run is taken back by pins and moved links; what was edited later stays, and an undo can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.exchange import undo as undoing
from hub.exchange.pins import pin, pins, unpin
from hub.exchange.service import RunReport
from hub.exchange.undo import undo
from hub.model.errors import NeedsPerson
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import Two, bare, client, make_two, phone

COMMENT, NAME = "ДополнительнаяИнформация", "НаименованиеПолное"


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    return make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})


def night_of(two: Two) -> RunReport:
    """One night of the clients."""
    return two.exchange("ut.party", "ut2.party")


def linked(two: Two) -> tuple[str, str]:
    """One client in both systems, exchanged; the first contact of two equal cards owes nothing."""
    one = two.put("ut", client("ООО Ромашка"))
    night_of(two)
    other = two.put("ut2", client("ООО Ромашка"))
    night_of(two)
    return one, other


def back(two: Two, run_id: int) -> undoing.UndoReport:
    return undo(two.hub, run_id, by="тест")


def cells(two: Two) -> dict[int, dict[str, Any]]:
    """All that readers see of clients, by record."""
    from hub.exchange.cards.card import load
    from hub.exchange.cards.refs import References

    with two.store.read() as conn:
        ids = list(conn.execute(select(tables.ROOTS["party"].c.id)).scalars())
        cards = load(conn, "party", ids, References(), lock=False)
    return {number: card.cells for number, card in cards.items()}


def said_of(two: Two, system: str, key: str) -> list[Any]:
    """Contribution rows of the links of the record's card."""
    links = {row["id"] for row in two.rows(core.link) if row["record_id"] == two.record(system, key)}
    return [row for row in two.rows(core.contribution) if row["link_id"] in links]


def test_an_edit_is_set_back_in_both_systems_and_forth_again(two: Two) -> None:
    """A night carries an edit over; its undo brings the old text back to both systems, the undo of that the new one."""
    one, other = linked(two)
    two.edit("ut2", other, **{COMMENT: "старое"})
    night_of(two)
    before = cells(two)
    two.edit("ut2", other, **{COMMENT: "по ошибке"})
    night = night_of(two)
    after = cells(two)
    planned = undoing.plan(two.hub, night.run_id)
    assert [(step.path, step.now, step.then) for step in planned.steps] == [("comment", "по ошибке", "старое")]
    assert cells(two) == after
    report = back(two, night.run_id)
    assert (report.counts, report.left) == ({"value": 1}, 0)
    assert cells(two) == before
    night_of(two)
    assert [two.shows(*where)[COMMENT] for where in (("ut", one), ("ut2", other))] == ["старое"] * 2
    again = back(two, report.run_id)
    assert again.counts == {"unpin": 1}
    night_of(two)
    assert [two.shows(*where)[COMMENT] for where in (("ut", one), ("ut2", other))] == ["по ошибке"] * 2
    assert cells(two) == after
    run = two.rows(core.exchange_run)
    assert [(row["mode"], row["undoes"]) for row in run if row["mode"] == "undo"] == [
        ("undo", night.run_id),
        ("undo", report.run_id),
    ]


def test_what_was_edited_later_is_left_alone(two: Two) -> None:
    """The comment was typed anew the next day: it stays and is named with its run; the phone goes."""
    _, other = linked(two)
    two.edit("ut2", other, **{COMMENT: "первое"}, КонтактнаяИнформация=[phone("+7 495 1234567")])
    night = night_of(two)
    two.edit("ut2", other, **{COMMENT: "второе"})
    later = night_of(two)
    report = back(two, night.run_id)
    assert [(step.kind, step.path, step.then) for step in report.steps] == [
        ("value", "contact_point[phone,+74951234567,]", None)
    ]
    assert [(stay.path, stay.reason, stay.run) for stay in report.stays] == [("comment", "edited_later", later.run_id)]
    assert two.golden("ut2", other)["comment"] == "второе"
    night_of(two)
    assert two.shows("ut2", other)["КонтактнаяИнформация"] == []


def test_a_pin_of_an_undo_ends_when_the_field_changes_at_its_source(two: Two) -> None:
    """What was set back holds only until somebody types something new there."""
    one, other = linked(two)
    two.edit("ut2", other, **{COMMENT: "по ошибке"})
    night = night_of(two)
    back(two, night.run_id)
    night_of(two)
    assert two.shows("ut2", other)[COMMENT] == ""
    assert [entry.ends for entry in pins(two.hub)] == [True]
    two.edit("ut", one, **{COMMENT: "верное"})
    night_of(two)
    assert two.shows("ut2", other)[COMMENT] == "верное"
    assert pins(two.hub) == []


def test_a_record_of_one_system_is_set_back_too(two: Two) -> None:
    """The bulk path left no contribution: the value comes back all the same, and goes to the system."""
    one = two.put("ut", client("ООО Ромашка"))
    two.put("ut", client("ООО Лютик", inn="7736050003", kpp="773601001"))
    night_of(two)
    before = cells(two)
    two.edit("ut", one, **{NAME: "ООО Ромашка плюс", COMMENT: "новое"})
    night = night_of(two)
    assert said_of(two, "ut", one) == []
    assert back(two, night.run_id).counts == {"value": 2}
    assert cells(two) == before
    night_of(two)
    assert two.shows("ut", one)[COMMENT] == ""


def test_what_the_run_made_is_archived_not_deleted(two: Two) -> None:
    """The record stays with its link, archived; the undo of the undo lets it live. Touched since, it is left alone."""
    one = two.put("ut", client("ООО Ромашка"))
    other = two.put("ut", client("ООО Лютик", inn="7736050003", kpp="773601001"))
    night = night_of(two)
    two.edit("ut", other, **{COMMENT: "работаем"})
    later = night_of(two)
    report = back(two, night.run_id)
    mine = [(step.kind, step.then) for step in report.steps if step.record_id == two.record("ut", one)]
    assert mine == [("archive", "archived")]
    assert report.counts == {"archive": len(report.steps)}
    assert [(stay.reason, stay.run) for stay in report.stays] == [("edited_later", later.run_id)]
    assert two.golden("ut", one)["record_state"] == "archived"
    assert two.golden("ut", other)["record_state"] == "active"
    assert two.shows("ut", one)["DeletionMark"] is False
    before = two.writes()
    night_of(two)
    assert two.golden("ut", one)["record_state"] == "archived"
    assert two.writes() == before
    back(two, report.run_id)
    assert two.golden("ut", one)["record_state"] == "active"


def test_a_record_found_to_belong_to_a_card_gets_its_own_again(two: Two) -> None:
    """The night hung the second system's client on the first one's card; undone there are two, and undone again one."""
    one = two.put("ut", client("ООО Ромашка", КонтактнаяИнформация=[phone("+7 495 1234567")]))
    night_of(two)
    before = cells(two)
    other = two.put("ut2", client("Ромашка, другая", КонтактнаяИнформация=[phone("+7 495 7654321")]))
    night = night_of(two)
    after = cells(two)
    card = two.record("ut", one)
    assert two.record("ut2", other) == card
    report = back(two, night.run_id)
    assert report.counts["split"] == 1
    own = two.record("ut2", other)
    assert own != card
    assert cells(two)[card] == before[card]
    assert cells(two)[own]["legal_name"] == "Ромашка, другая"
    assert [path for path in cells(two)[own] if path.startswith("contact_point")] == [
        "contact_point[phone,+74957654321,]"
    ]
    writes = two.writes()
    night_of(two)
    assert two.writes() == writes
    assert said_of(two, "ut", one) == said_of(two, "ut2", other) == []
    again = back(two, report.run_id)
    assert again.counts["join"] == 1
    assert two.record("ut2", other) == card
    assert cells(two)[card] == after[card]
    assert cells(two)[own]["record_state"] == "merged"
    assert [(row["from_record_id"], row["to_record_id"]) for row in two.rows(core.redirect)] == [(own, card)]
    third = back(two, again.run_id)
    assert third.counts["join"] == 1
    assert two.record("ut2", other) == own
    assert cells(two)[own]["record_state"] == "active"
    assert two.rows(core.redirect) == []


def test_a_persons_pin_is_taken_back_and_the_one_before_set_again(two: Two) -> None:
    """Undo of a run in which a value was pinned over another pin, and undo of taking a pin back."""
    one, _ = linked(two)
    first = pin(two.hub, "party", one, "comment", "первое", by="Анна", note="по звонку")
    second = pin(two.hub, "party", one, "comment", "второе", by="Борис")
    assert two.golden("ut", one)["comment"] == "второе"
    back(two, second.run_id)
    assert two.golden("ut", one)["comment"] == "первое"
    assert [(entry.value, entry.note, entry.ends) for entry in pins(two.hub)] == [("первое", "по звонку", False)]
    taken = unpin(two.hub, "party", one, "comment", by="Вера")
    assert not two.golden("ut", one)["comment"]
    back(two, taken.run_id)
    assert two.golden("ut", one)["comment"] == "первое"
    assert back(two, first.run_id).counts == {}


def test_an_undo_that_was_undone_lets_the_run_be_undone_again(two: Two) -> None:
    """Undo, undo of it, undo once more: the second undo counts for nothing, and so does the first."""
    _, other = linked(two)
    two.edit("ut2", other, **{COMMENT: "по ошибке"})
    night = night_of(two)
    first = back(two, night.run_id)
    assert back(two, night.run_id).counts == {}
    back(two, first.run_id)
    assert two.golden("ut2", other)["comment"] == "по ошибке"
    report = back(two, night.run_id)
    assert (report.counts, report.left) == ({"value": 1}, 0)
    assert not two.golden("ut2", other)["comment"]


def test_what_cannot_be_undone_is_said(two: Two) -> None:
    """An unknown run, one that goes on, and one whose rows of the log are gone: a sentence each."""
    two.put("ut", client("ООО Ромашка"))
    night_of(two)
    assert two.last is not None
    with pytest.raises(NeedsPerson, match="Запуска № 99 нет"):
        undo(two.hub, 99, by="тест")
    run = core.exchange_run
    with two.store.begin() as conn:
        conn.execute(update(run).where(run.c.id == two.last.run_id).values(state="running"))
    with pytest.raises(NeedsPerson, match="ещё идёт"):
        undo(two.hub, two.last.run_id, by="тест")
    with two.store.begin() as conn:
        conn.execute(update(run).where(run.c.id == two.last.run_id).values(state="completed"))
        conn.execute(core.change_log.delete())
    with pytest.raises(NeedsPerson, match="журнале изменений уже нет"):
        undo(two.hub, two.last.run_id, by="тест")
