"""Values that persons set: they outrank every system until taken back, and go to whoever may be written to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from hub.engine.cells import HUB, STATE, Pin, Value
from hub.engine.outgoing import outgoing
from hub.exchange.acting import acting
from hub.exchange.cards.card import UNSEEN, Card, as_value, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import golden, left_in, set_pin, settle, take_pin
from hub.exchange.hub import Hub
from hub.exchange.runs import now
from hub.exchange.showing import Shower
from hub.exchange.typed import Reader
from hub.exchange.which import label_of, link_of, living, the_one
from hub.model.errors import NeedsPerson
from hub.store import core


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a pin, or taking one back, did to a cell. ``run_id``: 0 when nothing was to be done.

    ``before``, ``after``: the cell as people read it; ``told``: systems that will be sent it. ``left``: those in which
    a pin that was taken back wrote what nobody else says; it stays, here too, until a system says something else.
    """

    run_id: int
    entity: str
    record_id: int
    label: str
    path: str
    before: str | None
    after: str | None
    told: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PinEntry:
    """A pin that holds. ``ends``: it goes when a system changes the cell; an undo made it, or a pin was taken back."""

    id: int
    entity: str
    record_id: int
    label: str
    path: str
    value: str | None
    note: str | None
    by: str
    at: datetime
    run_id: int | None
    ends: bool


def pin(
    hub: Hub,
    entity: str,
    ident: str,
    field: str,
    text: str,
    *,
    by: str,
    note: str | None = None,
    dagster_run_id: str | None = None,
) -> Pinned:
    """Set a cell of the record that ``ident`` names to what ``text`` says; ``NeedsPerson`` for what cannot be."""
    with hub.store.read() as conn:
        record_id = living(conn, the_one(conn, hub, entity, ident))
        reader = Reader(
            layout_of(entity),
            hub.settings.company_timezone,
            lambda target, named: link_of(conn, hub, target, named),
        )
        typed = reader.read(field, text)
        there = conn.execute(
            select(core.pin.c.value, core.pin.c.ends).where(
                core.pin.c.record_id == record_id, core.pin.c.field == typed.path, core.pin.c.revoked_at.is_(None)
            )
        ).first()
    wanted = Pin(typed.value)
    if there is not None and not there.ends and as_value(there.value) == typed.value:
        return _nothing(hub, entity, record_id, typed.path, typed.value)
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        desk, card = _card(conn, hub, run_id, entity, record_id)
        ledger, before = Ledger(desk, entity), card.cells.get(typed.path)
        set_pin(conn, desk, ledger, card, typed.path, wanted, by, note)
        settle(desk, ledger, card)
        ledger.write(conn)
        return _done(conn, desk, card, typed.path, before)


def unpin(hub: Hub, entity: str, ident: str, field: str, *, by: str, dagster_run_id: str | None = None) -> Pinned:
    """Take a pin back: the systems' words count again. ``NeedsPerson(pin_nothing)`` names the pins there are.

    Where no system has a word and the pin was written somewhere, the value stays until one of them says something else.
    """
    with hub.store.read() as conn:
        record_id = living(conn, the_one(conn, hub, entity, ident))
        path = _pinned_path(conn, record_id, field)
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        desk, card = _card(conn, hub, run_id, entity, record_id)
        if path not in card.pins:
            raise NeedsPerson("pin_nothing", record=record_id, field=path, valid="—")
        ledger, before = Ledger(desk, entity), card.cells.get(path)
        value = card.known.pins[path].value
        take_pin(conn, desk, ledger, card, path, by)
        left = left_in(conn, desk, card, path)
        if left:
            set_pin(conn, desk, ledger, card, path, Pin(value, ends=True), by, "unpin")
        settle(desk, ledger, card)
        ledger.write(conn)
        return replace(_done(conn, desk, card, path, before), left=left if value is not None else ())


def pins(hub: Hub, entity: str | None = None, record_id: int | None = None) -> list[PinEntry]:
    """Pins that hold, the newest first."""
    table = core.pin
    query = select(table).where(table.c.revoked_at.is_(None)).order_by(table.c.id.desc())
    if entity is not None:
        query = query.where(table.c.entity == entity)
    if record_id is not None:
        query = query.where(table.c.record_id == record_id)
    with hub.store.read() as conn:
        rows = conn.execute(query).mappings().all()
        showers = {name: Shower(conn, name) for name in {row["entity"] for row in rows}}
        return [
            PinEntry(
                row["id"],
                row["entity"],
                row["record_id"],
                label_of(conn, row["entity"], row["record_id"]),
                row["field"],
                showers[row["entity"]].text(row["field"], as_value(row["value"])),
                row["note"],
                row["pinned_by"],
                row["at"],
                row["run_id"],
                bool(row["ends"]),
            )
            for row in rows
        ]


def _pinned_path(conn: Connection, record_id: int, field: str) -> str:
    """The pinned cell that is named: itself, or the only one of its kind (``contact_point[phone]``)."""
    table = core.pin
    rows = conn.execute(select(table.c.field).where(table.c.record_id == record_id, table.c.revoked_at.is_(None)))
    paths = sorted(map(str, rows.scalars()))
    alike = [path for path in paths if path.startswith((f"{field.removesuffix(']')},", f"{field}["))]
    if field in paths:
        return field
    if len(alike) != 1:
        raise NeedsPerson("pin_nothing", record=record_id, field=field, valid=", ".join(alike or paths) or "—")
    return alike[0]


def _card(conn: Connection, hub: Hub, run_id: int, entity: str, record_id: int) -> tuple[CardDesk, Card]:
    desk = CardDesk(hub, run_id, now().strftime("%Y-%m-%d %H:%M:%S"))
    return desk, load(conn, entity, [record_id], desk.refs)[record_id]


def _nothing(hub: Hub, entity: str, record_id: int, path: str, value: Value) -> Pinned:
    with hub.store.read() as conn:
        shown = Shower(conn, entity).text(path, value)
        return Pinned(0, entity, record_id, label_of(conn, entity, record_id), path, shown, shown)


def _done(conn: Connection, desk: CardDesk, card: Card, path: str, before: Value) -> Pinned:
    shower, after = Shower(conn, card.entity), card.cells.get(path)
    cells = golden(desk, card)
    same = layout_of(card.entity).same(desk.refs)
    told = {
        one.system
        for one in card.known.contributions
        if one.system != HUB
        and card.links[one.link_id].state not in UNSEEN
        and path in outgoing(one, cells, desk.rules(card.entity), desk.way(one.system, card.entity), same)
    }
    return Pinned(
        desk.run_id,
        card.entity,
        card.record_id,
        label_of(conn, card.entity, card.record_id),
        path,
        shower.text(path, before if before is not None or path != STATE else "active"),
        shower.text(path, after),
        tuple(sorted(told)),
    )
