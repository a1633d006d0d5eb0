"""A merge: what moves, what stays, what is sent, and what is refused."""

from __future__ import annotations

import pytest

from hub.exchange import runs
from hub.exchange.conflicts_decided import Answer, resolve
from hub.exchange.merging import merge as merging
from hub.exchange.pauses import pause
from hub.exchange.pins import pin, pins
from hub.exchange.undo import plan as undo_plan
from hub.exchange.undo import undo
from hub.model.entities import PARTY
from hub.model.errors import NeedsPerson, RetryLater
from hub.model.settings import PolicySettings
from hub.reconcile.rows import table_rows
from hub.store import core, tables
from tests.exchange.merging.desk import COMMENT, CONTACTS, NAME, Desk
from tests.exchange.two.systems import CLIENTS, ORDERS, client, phone


def test_a_plan_changes_nothing_and_tells_what_a_merge_does(desk: Desk) -> None:
    """The plan names links, cells and who is to be told; afterwards the store is as it was, and the merge does that."""
    one, other, first, second = desk.pair(**{CONTACTS: [phone("+7 495 1234567")]})
    before = desk.everything()
    asked = merging.ask(desk.two.hub, "party", str(first), [other], by="Анна")
    planned = merging.plan(desk.two.hub, asked)
    assert desk.everything() == before
    assert [(link.external_id, link.before, link.after) for link in planned.links] == [(other, second, first)]
    assert [(told.system, told.external_id) for told in planned.told] == [("ut2", other)]
    done = merging.merge(desk.two.hub, asked)
    assert (planned.cells, planned.told) == (done.cells, done.told)
    desk.night()
    assert [row["НомерТелефона"] for row in desk.shows("ut2", other, CONTACTS)] == ["74951234567"]
    assert desk.row(first)["legal_name"] == desk.shows("ut", one, NAME) == "ООО Ромашка"
    desk.quiet()


def test_a_merged_record_is_counted_once(desk: Desk) -> None:
    """Two became one: the number of clients says so."""
    _, _, first, second = desk.pair()
    before = table_rows(desk.two.hub, PARTY)
    desk.merge(first, second)
    assert table_rows(desk.two.hub, PARTY) == before - 1


def test_an_order_of_the_merged_client_sends_nothing(desk: Desk) -> None:
    """Orders name links: after the merge none is written, and the reader finds the survivor behind each."""
    one, other, first, second = desk.pair()
    routes = ("ut.party", "ut2.party", "ut.sales_order", "ut2.sales_order")
    desk.order("ut", one)
    desk.order("ut2", other)
    desk.night(*routes)
    desk.merge(first, second)
    assert {row["entity"] for row in desk.two.rows(core.change_log) if row["op"] in {"link", "unlink"}} == {"party"}
    desk.night()
    writes, orders = desk.two.writes(), desk.two.rows(tables.ROOTS["sales_order"])
    desk.night(*routes)
    assert desk.two.writes() == writes
    assert desk.two.rows(tables.ROOTS["sales_order"]) == orders
    links = {row["id"]: row["record_id"] for row in desk.two.rows(core.link)}
    assert len(orders) == 2
    assert {links[row["party_link_id"]] for row in orders} == {first}
    assert not desk.two.rows(core.outbox)
    assert len(desk.two.bases["ut"].records[ORDERS]) == 1


def test_of_two_links_of_one_system_one_is_written_to(desk: Desk) -> None:
    """Two cards of УТ become one: the survivor's own is written to, the other keeps what it shows."""
    one, twin = desk.add("ut", "ООО Ромашка"), desk.add("ut", "Ромашка ИП")
    other = desk.add("ut2", "Ромашка")
    desk.night()
    first = desk.record("ut", one)
    done = desk.merge(first, desk.record("ut", twin), desk.record("ut2", other))
    assert desk.links(first) == {one: True, twin: False, other: True}
    desk.two.edit("ut2", other, **{COMMENT: "из второй"})
    desk.night()
    assert [desk.shows("ut", key) for key in (one, twin)] == ["из второй", ""]
    desk.quiet()
    back = desk.unmerge(done.run_id)
    assert len(back.links) == 2
    assert desk.links(desk.record("ut", twin)) == {twin: True}
    desk.night()
    assert desk.shows("ut", one) == ""
    desk.quiet()


def test_the_survivors_dead_link_gives_way_to_a_living_one(desk: Desk) -> None:
    """The survivor's card in УТ is gone, the duplicate's lives: that one is written to, and the record lives."""
    one, other, first, _ = desk.pair()
    twin = desk.add("ut", "Ромашка ИП")
    desk.night()
    desk.merge(first, desk.record("ut2", other))
    desk.night()
    desk.two.edit("ut", one, DeletionMark=True)
    desk.night()
    (question,) = [row for row in desk.two.rows(core.conflict) if row["state"] == "open"]
    resolve(desk.two.hub, [Answer(question["id"], "ours")], by="Анна")
    desk.merge(first, desk.record("ut", twin))
    assert desk.links(first) == {one: False, twin: True, other: True}
    assert desk.row(first)["record_state"] == "active"


def test_a_marked_duplicate_does_not_end_the_survivor(desk: Desk) -> None:
    """An accountant marks the duplicate first, then merges: the client lives on, and nobody is marked by us."""
    one, other, first, second = desk.pair()
    twin = desk.add("ut", "Дубль")
    desk.night()
    third = desk.record("ut", twin)
    desk.two.edit("ut", twin, DeletionMark=True)
    desk.night()
    assert desk.row(third)["record_state"] == "marked"
    with pytest.raises(NeedsPerson, match="Объедините наоборот"):
        desk.merge(third, first)
    done = desk.merge(first, second, third)
    assert desk.row(first)["record_state"] == "active"
    desk.night()
    marks = [desk.shows(*where, "DeletionMark") for where in (("ut", one), ("ut2", other), ("ut", twin))]
    assert marks == [False, False, True]
    desk.quiet()
    desk.unmerge(done.run_id)
    assert desk.row(third)["record_state"] == "marked"
    desk.night()
    desk.quiet()


def test_pins_of_both_sides(desk: Desk) -> None:
    """A pin goes along where the survivor has none for the field; undone, each has its own again."""
    _, other, first, second = desk.pair()
    hub = desk.two.hub
    pin(hub, "party", str(first), "comment", "наше", by="Анна")
    pin(hub, "party", str(second), "comment", "их", by="Борис")
    pin(hub, "party", str(second), "segment", "опт", by="Борис")
    before = [(one.record_id, one.path, one.value) for one in pins(hub)]
    done = desk.merge(first, second)
    assert done.pins == ["segment"]
    row = desk.row(first)
    assert (row["comment"], row["segment"]) == ("наше", "опт")
    assert sorted((one.record_id, one.path) for one in pins(hub)) == [
        (first, "comment"),
        (first, "segment"),
        (second, "comment"),
    ]
    desk.night()
    assert desk.shows("ut2", other) == "наше"
    desk.unmerge(done.run_id)
    assert [(one.record_id, one.path, one.value) for one in pins(hub)] == before
    assert (desk.row(first)["segment"], desk.row(second)["segment"]) == (None, "опт")
    desk.night()
    assert desk.shows("ut2", other) == "их"
    desk.quiet()


@pytest.fixture
def asking(desk: Desk) -> Desk:
    """Comments are a person's to decide."""
    desk.rule("ut.party", policies={"comment": PolicySettings("manual")})
    return desk


def test_open_questions_go_along_and_come_back(asking: Desk) -> None:
    """The duplicate waits for a person: so does the survivor's field, at what its readers see; undone, as before."""
    desk, two = asking, asking.two
    one, other = two.put("ut", client("ООО Лютик")), two.put("ut2", client("ООО Лютик"))
    desk.night()
    twin = desk.add("ut2", "Лютик")
    desk.two.edit("ut2", twin, **{COMMENT: "у дубля"})
    desk.night()
    first, second = desk.record("ut2", twin), desk.record("ut", one)
    two.edit("ut", one, **{COMMENT: "из УТ"})
    two.edit("ut2", other, **{COMMENT: "из второй"})
    desk.night()
    (question,) = two.rows(core.conflict)
    assert (question["record_id"], question["ours"]) == (second, "из УТ")
    done = desk.merge(first, second)
    (moved,) = two.rows(core.conflict)
    assert (moved["record_id"], moved["ours"], moved["state"]) == (first, "у дубля", "open")
    assert desk.row(first)["comment"] == "у дубля"
    desk.unmerge(done.run_id)
    (back,) = two.rows(core.conflict)
    assert (back["record_id"], back["ours"], back["state"]) == (second, "из УТ", "open")
    assert (desk.row(first)["comment"], desk.row(second)["comment"]) == ("у дубля", "из УТ")


def test_what_a_person_answered_goes_along_and_comes_back(asking: Desk) -> None:
    """The hub's own word on the duplicate holds for the survivor where nothing was said, and leaves it again."""
    desk, two = asking, asking.two
    one, other = two.put("ut", client("ООО Лютик")), two.put("ut2", client("ООО Лютик"))
    twin = desk.add("ut2", "Лютик")
    desk.night()
    first, second = desk.record("ut2", twin), desk.record("ut", one)
    two.edit("ut", one, **{COMMENT: "из УТ"})
    two.edit("ut2", other, **{COMMENT: "из второй"})
    desk.night()
    resolve(two.hub, [Answer(two.rows(core.conflict)[0]["id"], "value", "решено")], by="Анна")
    assert desk.row(second)["comment"] == "решено"
    done = desk.merge(first, second)
    assert desk.row(first)["comment"] == "решено"
    desk.unmerge(done.run_id)
    assert (desk.row(first)["comment"], desk.row(second)["comment"]) == (None, "решено")
    assert [row["link_id"] for row in two.rows(core.contribution) if row["link_id"] < 0] == [-second]


def creations(desk: Desk, *records: int) -> int:
    """How many records are to be made of these cards."""
    links = {row["id"] for row in desk.two.rows(core.link) if row["record_id"] in records}
    return sum(row["op"] == "create" and row["link_id"] in links for row in desk.two.rows(core.outbox))


def test_what_was_only_to_be_made_is_not_made_twice(desk: Desk) -> None:
    """Both clients were to be made in the other system; merged, neither is, since it is there. Undone, both are."""
    one, other = desk.add("ut", "ООО Ромашка"), desk.add("ut2", "Ромашка")
    for code in ("ut.party", "ut2.party"):
        desk.rule(code, create="always", create_in="counterparty")
        pause(desk.two.hub, code, "проверка", "тест", until=None, direction="push")
    desk.night()
    desk.night()
    first, second = desk.record("ut", one), desk.record("ut2", other)
    assert creations(desk, first, second) == 2
    done = desk.merge(first, second)
    assert creations(desk, first, second) == 0
    assert set(desk.links(first)) == {one, other}
    desk.unmerge(done.run_id)
    assert creations(desk, first, second) == 2
    assert [len(desk.two.bases[code].records[CLIENTS]) for code in ("ut", "ut2")] == [1, 1]


def test_what_cannot_be_merged_is_said(desk: Desk) -> None:
    """One record, one that is merged, one that is being written to, what is no client: a sentence each, and no run."""
    _, other, first, second = desk.pair()
    third = desk.add("ut", "Третий")
    desk.night()
    desk.merge(first, second)
    count = len(desk.two.rows(core.exchange_run))
    with pytest.raises(NeedsPerson, match=f"уже объединена с № {first} "):
        desk.merge(desk.record("ut", third), second)
    with pytest.raises(NeedsPerson, match="названа дважды"):
        desk.merge(first, first)
    with pytest.raises(NeedsPerson, match="не объединяют"):
        merging.ask(desk.two.hub, "sales_order", "1", ["2"], by="Анна")
    desk.night()
    desk.two.edit("ut", third, **{COMMENT: "едет"})
    box = {"route_id": 1, "op": "update", "state": "sending", "attempts": 1, "idempotency_key": "k", "run_id": 1}
    sender = runs.open_run(desk.two.store, [], mode="push", initiator="тест")
    link = next(row["id"] for row in desk.two.rows(core.link) if row["external_id"] == other)
    with desk.two.store.begin() as conn:
        lease = {"lease_run_id": sender, "lease_until": runs.now() + runs.LEASE, "created_at": runs.now()}
        conn.execute(core.outbox.insert().values(link_id=link, **box, **lease))
    with pytest.raises(RetryLater, match=f"запуск № {sender}"):
        desk.merge(first, desk.record("ut", third))
    assert desk.record("ut2", other) == first
    assert len([row for row in desk.two.rows(core.exchange_run) if row["mode"] == "merge"]) == 2
    assert len(desk.two.rows(core.exchange_run)) > count


def test_undo_of_the_run_is_its_unmerge_and_of_that_a_merge(desk: Desk) -> None:
    """``obmen undo`` of a merge parts them, of the undo joins them again, as often as one likes."""
    _, other, first, second = desk.pair()
    done = desk.merge(first, second, reason="одна фирма")
    planned = undo_plan(desk.two.hub, done.run_id)
    assert [(step.kind, step.then) for step in planned.steps if step.kind == "join"] == [("join", str(second))]
    back = undo(desk.two.hub, done.run_id, by="Борис")
    assert desk.record("ut2", other) == second
    again = undo(desk.two.hub, back.run_id, by="Вера")
    assert desk.record("ut2", other) == first
    undo(desk.two.hub, again.run_id, by="Борис")
    assert desk.record("ut2", other) == second
    assert desk.row(second)["record_state"] == "active"
    modes = [(row["mode"], row["undoes"]) for row in desk.two.rows(core.exchange_run) if row["mode"] != "manual"]
    assert modes == [("merge", None), ("unmerge", done.run_id), ("merge", back.run_id), ("unmerge", again.run_id)]
    assert undo(desk.two.hub, again.run_id, by="Борис").counts == {}
