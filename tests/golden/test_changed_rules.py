"""What an admin changes or takes back: a mapping, a mark under `archive`, a run that made or changed records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hub.exchange.hub import Hub
from hub.exchange.undo import undo
from hub.exchange.why import why
from hub.model.settings import RouteSettings
from hub.store import core
from stand.onec.server import OneCStand
from tests.exchange.two.systems import CLIENTS
from tests.golden.wire import MAKES, make_wire
from tests.golden.world import TRIO, Builder, World

REMARK = "ДополнительнаяИнформация"


def remap(world: World, system: str, overlay: Path | None) -> None:
    """The admin lays other mapping files over those of a system, and the hub is opened again."""
    was = world.hub
    systems = {**was.settings.systems, system: replace(was.settings.systems[system], overlay=overlay)}
    connectors = {code: was.connector(code) for code in systems}
    world.hub = Hub(replace(was.settings, systems=systems), world.store, lambda one, _cache: connectors[one.code])


def without_remarks(folder: Path) -> Path:
    """An overlay by which a remark of a client is not read."""
    folder.mkdir()
    (folder / "counterparty.yaml").write_text("fields:\n  comment: null\n", encoding="utf-8")
    return folder


def test_a_field_that_is_newly_mapped_is_no_edit(build_world: Builder, tmp_path: Path) -> None:
    """УТ's remarks were not read; the CRM's one could not be told there, and `why` says so. Read from now on, the old
    remark of УТ wins nothing, loses nothing and is not written over; the next edit there counts as any other.
    """
    world = build_world({"ut": "ut", "crm": "crm"})
    remap(world, "ut", without_remarks(tmp_path / "overlay"))
    keys = world.known_everywhere()
    world.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    world.night()
    (found,) = why(world.hub, "party", keys["crm"], "comment").cells
    assert [(one.system, one.reason) for one in found.shown] == [("ut", "unsaid")]
    world.desks["ut"].change(keys["ut"], comment="старое из 1С")
    world.night()
    before, writes = world.log(), world.written()
    remap(world, "ut", None)
    world.night()
    assert world.card("ut", keys["ut"])["comment"] == "звонить после обеда"
    assert (world.log(), world.written(), world.owed()) == (before, writes, [])
    assert world.seen(keys, "comment") == {"ut": "старое из 1С", "crm": "звонить после обеда"}
    world.quiet()
    world.desks["ut"].change(keys["ut"], comment="новое из 1С")
    world.night()
    assert set(world.seen(keys, "comment").values()) == {"новое из 1С"}
    world.quiet()


def test_another_mapping_of_what_is_there_is_no_edit(build_world: Builder, tmp_path: Path) -> None:
    """A name is read from another field from today on: nobody edited it, nobody is asked, the card stays; the field
    that stands for the name by now is put right as any that differs.
    """
    trio = build_world(TRIO)
    keys = trio.known_everywhere()
    shown = trio.bases["ut"].records[CLIENTS][keys["ut"],]
    trio.bases["ut"].put(CLIENTS, {**shown, "Description": "Ромашка"})
    trio.night()
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "counterparty.yaml").write_text("fields:\n  legal_name: Description\n", encoding="utf-8")
    before = trio.log()
    remap(trio, "ut", folder)
    trio.night()
    assert trio.log() == before
    assert (trio.rows(core.conflict), trio.owed()) == ([], [])
    assert trio.card("ut", keys["ut"])["legal_name"] == "ООО Ромашка"
    assert trio.bases["ut"].records[CLIENTS][keys["ut"],]["Description"] == "ООО Ромашка"
    trio.quiet()


def test_what_lies_in_quarantine_is_told_by_why(build_world: Builder) -> None:
    """The client's card in УТ loses its name: the record cannot pass, and `why` of the client says so and why."""
    world = build_world({"ut": "ut", "crm": "crm"})
    keys = world.known_everywhere()
    world.bases["ut"].put(
        CLIENTS, {**world.bases["ut"].records[CLIENTS][keys["ut"],], "Description": "", "НаименованиеПолное": ""}
    )
    world.night()
    answer = why(world.hub, "party", keys["crm"])
    assert [(place.system, place.waits[0][0]) for place in answer.places if place.waits] == [("ut", "quarantine")]
    assert world.card("crm", keys["crm"])["legal_name"] == "ООО Ромашка"


def test_08_a_mark_that_archives_and_its_removal_asks(build_world: Builder) -> None:
    """Under `archive` a mark in УТ ends the card and is written nowhere; taken back, a person is asked."""
    route = RouteSettings("ut.party", write="all", deletion="archive")
    trio = build_world(TRIO, {"ut.party": route})
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], marked=True)
    trio.night()
    assert trio.card("ut", keys["ut"])["record_state"] == "archived"
    assert trio.seen(keys, "marked") == {"ut": True, "bp": False, "crm": False}
    trio.quiet()
    trio.desks["ut"].change(keys["ut"], marked=False)
    trio.night()
    assert trio.card("ut", keys["ut"])["record_state"] == "archived"
    assert [(row["field"], row["state"]) for row in trio.rows(core.conflict)] == [("record_state", "open")]
    trio.quiet()


def test_undo_of_a_night_that_made_records_elsewhere(build_world: Builder) -> None:
    """A night carries a new client to the CRM; undone, the card is archived. Both systems keep theirs as it is,
    and both links stay, so that nothing is made twice.
    """
    made = RouteSettings("crm.party", write="all", create="always", create_in="client")
    world = build_world({"ut": "ut", "crm": "crm"}, {"crm.party": made})
    key = world.desks["ut"].add("ООО Лишняя")
    night = world.night()
    record = world.at("ut", key)
    ((other,),) = world.desks["crm"].sql("SELECT id FROM clients")  # type: ignore[attr-defined]
    assert world.at("crm", other) == record
    undo(world.hub, night.run_id, by="тест")
    world.night()
    assert world.seen({"ut": key, "crm": other}, "marked") == {"ut": False, "crm": False}
    assert world.card("ut", key)["record_state"] == "archived"
    assert world.at("crm", other) == record
    world.quiet()


def test_undo_sets_the_lines_of_an_order_back(stand: OneCStand, build_world: Builder) -> None:
    """Seven in place of three, carried to УТ by mistake: the undo brings three back to both, sums and all."""
    wire = make_wire(stand, build_world, MAKES)
    key = wire.order()
    wire.night()
    (order,) = wire.orders()
    wire.edit_line(key, qty="7", amount="233.31")
    wire.edit(key, total="233.31")
    night = wire.night()
    assert [row["qty"] for row in wire.golden_lines(order["Ref_Key"])] == [7]
    assert [row["КоличествоУпаковок"] for row in wire.lines(wire.orders()[0])] == [7]
    undo(wire.world.hub, night.run_id, by="тест")
    wire.night()
    assert [(row["qty"], row["amount"]) for row in wire.golden_lines(order["Ref_Key"])] == [(3, Decimal("99.99"))]
    assert [row["КоличествоУпаковок"] for row in wire.lines(wire.orders()[0])] == [3]
    assert wire.crm.sql("SELECT qty FROM order_lines WHERE order_id = ?", key) == [(3,)]
    assert wire.crm.sql("SELECT total FROM orders WHERE id = ?", key) == [(99.99,)]
    wire.quiet()
