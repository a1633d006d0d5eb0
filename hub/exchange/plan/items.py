"""A plan's items, made of what a rehearsed exchange left in its copy of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, func, literal, select

from hub.engine.cells import STATE
from hub.exchange.cards.card import load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.exchange.hub import Hub
from hub.exchange.naming import stream_name
from hub.exchange.plan.parts import Behind, Cell, Item, Kind, Left
from hub.exchange.plan.spell import Columns, Speller, label_of, mark_of, named_links
from hub.store import core, tables
from hub.store.database import Store

_CHUNK = 200
_notes = MetaData()
#: Versions of all records before the rehearsal.
BEFORE = Table("plan_before", _notes, Column("id", BigInteger, primary_key=True), Column("version", BigInteger))
#: Links whose record arrived before anything was sent, as it was read.
ARRIVED = Table(
    "plan_arrived",
    _notes,
    Column("id", BigInteger, primary_key=True),
    Column("row_hash", BigInteger),
    Column("version", Text),
)
#: What would be sent, by link; ``body``: an ``Outgoing`` as JSON.
SENT = Table(
    "plan_sent",
    _notes,
    Column("id", BigInteger, primary_key=True),
    Column("record_id", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
#: Changes of one record by one link. ``first``: number of their first row in the change log.
_GROUP = Table(
    "plan_group",
    _notes,
    Column("first", BigInteger, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("link_id", BigInteger),
)
#: Arrivals that no log row tells of stand behind those that one does.
_SILENT = 1 << 60


def prepare(store: Store) -> None:
    """Before the rehearsal: remember the versions of all records, in the copy itself."""
    with store.begin() as conn:
        temporary = "TEMP " if conn.dialect.name == "postgresql" else ""
        for table in _notes.sorted_tables:
            columns = ", ".join(
                f"{column.name} {column.type.compile(conn.dialect)}{' PRIMARY KEY' if column.primary_key else ''}"
                for column in table.columns
            )
            conn.exec_driver_sql(f"CREATE {temporary}TABLE {table.name} ({columns})")
        for root in tables.ROOTS.values():
            conn.execute(BEFORE.insert().from_select(["id", "version"], select(root.c.id, root.c.row_version)))


def note_arrived(store: Store, run_id: int) -> int:
    """After reading, before sending: remember what arrived; the number of the last row of the change log."""
    link, log = core.link, core.change_log
    with store.begin() as conn:
        arrived = select(link.c.id, link.c.row_hash, link.c.version).where(link.c.last_run == run_id)
        conn.execute(ARRIVED.insert().from_select(["id", "row_hash", "version"], arrived))
        return int(conn.execute(select(log.c.id).order_by(log.c.id.desc()).limit(1)).scalar() or 0)


class Reading:
    """Reads the items of a rehearsed exchange. ``runs``: its runs; ``read``: last log row before anything was sent."""

    def __init__(self, hub: Hub, runs: Sequence[int], read: int) -> None:
        self.hub, self.runs, self.read = hub, list(runs), read
        self.spell = Speller()
        self._columns = columns_by_stream(hub)

    def items(self) -> Iterator[Item]:
        """In the order in which they came about."""
        self._group()
        last = -1
        while True:
            with self.hub.store.read() as conn:
                query = select(_GROUP).where(_GROUP.c.first > last).order_by(_GROUP.c.first).limit(_CHUNK)
                groups = conn.execute(query).all()
                made = self._made(conn, groups)
            if not groups:
                return
            yield from made
            last = groups[-1].first

    def sent(self) -> Iterator[bytes]:
        """What would be sent, as JSON."""
        last = 0
        while True:
            with self.hub.store.read() as conn:
                query = select(SENT).where(SENT.c.id > last).order_by(SENT.c.id).limit(_CHUNK)
                rows = conn.execute(query).all()
            if not rows:
                return
            yield from (row.body.encode() for row in rows)
            last = rows[-1].id

    def _group(self) -> None:
        log, link = core.change_log, core.link
        by = (log.c.entity, log.c.record_id, log.c.link_id)
        with self.hub.store.begin() as conn:
            found = select(func.min(log.c.id), *by).where(log.c.run_id.in_(self.runs)).group_by(*by)
            conn.execute(_GROUP.insert().from_select(["first", "entity", "record_id", "link_id"], found))
            # A record that was found to belong to a card, or whose card is to be told elsewhere, says so by no row.
            told = select(literal(1)).where(_GROUP.c.link_id == link.c.id).exists()
            owed = select(literal(1)).where(SENT.c.record_id == link.c.record_id).exists()
            known = select(literal(1)).where(BEFORE.c.id == link.c.record_id).exists()
            silent = (
                select(link.c.id + _SILENT, core.stream.c.entity, link.c.record_id, link.c.id)
                .join(ARRIVED, ARRIVED.c.id == link.c.id)
                .join(core.stream, core.stream.c.id == link.c.stream_id)
                .where(known, ~told, link.c.first_run.in_(self.runs) | owed)
            )
            conn.execute(_GROUP.insert().from_select(["first", "entity", "record_id", "link_id"], silent))

    def _made(self, conn: Connection, groups: Sequence[Any]) -> list[Item]:
        links = _links(conn, [group.link_id for group in groups if group.link_id is not None])
        records = sorted({group.record_id for group in groups})
        before = {row.id: row.version for row in conn.execute(select(BEFORE).where(BEFORE.c.id.in_(records)))}
        rows = self._rows(conn, records)
        cells: dict[int, dict[str, Any]] = {}
        for entity in {group.entity for group in groups}:
            of_entity = [group.record_id for group in groups if group.entity == entity]
            cards = load(conn, entity, of_entity, References(), lock=False)
            cells.update({number: card.cells for number, card in cards.items()})
            layout = layout_of(entity)
            self.spell.learn(conn, {number for card in cards.values() for number in layout.link_ids(card.cells)})
            learn_logged(
                conn, self.spell, entity, [row for key, told in rows.items() if key[0] == entity for row in told]
            )
        return [
            self._item(
                group,
                links.get(group.link_id),
                before.get(group.record_id),
                rows.get((group.entity, group.record_id, group.link_id), []),
                cells.get(group.record_id, {}),
            )
            for group in groups
        ]

    def _rows(self, conn: Connection, records: Sequence[int]) -> dict[tuple[Any, ...], list[Any]]:
        log, found = core.change_log, defaultdict[tuple[Any, ...], list[Any]](list)
        query = select(log).where(log.c.record_id.in_(records), log.c.run_id.in_(self.runs)).order_by(log.c.id)
        for row in conn.execute(query):
            found[row.entity, row.record_id, row.link_id].append(row)
        return found

    def _item(self, group: Any, link: Any, version: int | None, rows: Sequence[Any], cells: Mapping[str, Any]) -> Item:
        created = any(row.op == "insert" for row in rows)
        columns = self._columns.get((link.system, link.stream)) if link is not None else None
        told = log_cells(self.spell, rows, columns)
        shown = self._whole(group.entity, cells) if created else told
        ops = {row.op for row in rows if row.field == STATE} - {"update"}
        silent = "link" if link is not None and link.first_run in self.runs else "seen"
        op = "create" if created else min(ops) if ops else "update" if rows else silent
        common: dict[str, Any] = {"entity": group.entity, "mark": mark(told), "label": label_of(cells)}
        common |= {"record": None if created else group.record_id, "version": version, "changes": shown}
        if link is None:
            return Item("rules", op, "", **common)
        return Item(
            self._kind(group, link, arrived=link.row_hash is not None),
            op,
            f"{link.system}.{group.entity}",
            system=link.system,
            stream=link.stream,
            external_id=link.external_id,
            told=link.version,
            row_hash=link.row_hash,
            **common,
        )

    def _kind(self, group: Any, link: Any, *, arrived: bool) -> Kind:
        if self.read < group.first < _SILENT:
            return "sent"
        if arrived:
            return "record"
        return "zero" if "#" in link.stream else "gone"

    def _whole(self, entity: str, cells: Mapping[str, Any]) -> tuple[Cell, ...]:
        """All that a new record holds."""
        return tuple(
            Cell("insert", path, None, self.spell.value(entity, path, value))
            for path, value in sorted(cells.items())
            if value is not None and value != () and not (path == STATE and value == "active")
        )


def mark(cells: Sequence[Cell]) -> str:
    """What two lists of changes share only when they are the same."""
    return mark_of([(cell.op, cell.field, cell.before, cell.after) for cell in cells])


def log_cells(spell: Speller, rows: Sequence[Any], columns: Columns | None) -> tuple[Cell, ...]:
    """Rows of the change log in words. ``columns``: of the mapping that told them."""
    return tuple(
        Cell(
            row.op,
            row.field,
            spell.logged(row.entity, row.field, row.before, columns),
            spell.logged(row.entity, row.field, row.after, columns),
        )
        for row in rows
    )


def learn_logged(conn: Connection, spell: Speller, entity: str, rows: Sequence[Any]) -> None:
    """Teach the links that rows of the change log name."""
    spell.learn(conn, named_links(entity, [(row.field, value) for row in rows for value in (row.before, row.after)]))


def _links(conn: Connection, ids: Sequence[int]) -> dict[int, Any]:
    """Each link with its system and stream, and as what its record arrived."""
    link, stream, system = core.link, core.stream, core.system
    query = (
        select(link.c.id, system.c.code.label("system"), stream.c.name.label("stream"), link.c.external_id)
        .add_columns(ARRIVED.c.row_hash, ARRIVED.c.version, link.c.first_run)
        .join(stream, stream.c.id == link.c.stream_id)
        .join(system, system.c.id == stream.c.system_id)
        .outerjoin(ARRIVED, ARRIVED.c.id == link.c.id)
        .where(link.c.id.in_(ids))
    )
    return {row.id: row for row in conn.execute(query)}


def columns_by_stream(hub: Hub) -> dict[tuple[str, str], dict[str, tuple[str, ...]]]:
    """Columns that the mapping of each (system, stream) tells, by child table."""
    return {
        (system, stream_name(mapping)): {part.child.name: part.columns for part in mapping.children}
        for system, profile in hub.rules.profiles.items()
        for mapping in profile.mappings.values()
    }


def left_out(hub: Hub, runs: Sequence[int]) -> Iterator[Left]:
    """What does not pass or is not sent, with the reason: of these runs, and what stands in the outbox."""
    route, stream, system, link = core.route, core.stream, core.system, core.link
    broken, parked, held, box = core.quarantine, core.parked, core.held, core.outbox
    with hub.store.read() as conn:
        kinds: tuple[tuple[Behind, Any, str, Any], ...] = (
            ("quarantined", broken, "open", broken.c.reason_code),
            ("parked", parked, "waiting", literal("parked")),
            ("held", held, "open", held.c.reason_code),
        )
        for what, table, state, reason in kinds:
            told = (broken.c.field, broken.c.value) if table is broken else (literal(None), literal(None))
            query = (
                select(route.c.code, stream.c.name, table.c.external_id, reason, *told)
                .join(route, route.c.id == table.c.route_id)
                .join(stream, stream.c.id == table.c.stream_id)
                .where(table.c.state == state, table.c.last_run.in_(runs))
                .order_by(table.c.id)
            )
            for row in conn.execute(query).all():
                yield Left(what, row[0], row[1], row[2], row[3], row[4] or "", row[5] or "")
        query = (
            select(route.c.code, system.c.code, stream.c.name, link.c.external_id, box.c.state, box.c.last_error)
            .join(route, route.c.id == box.c.route_id)
            .join(link, link.c.id == box.c.link_id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(system, system.c.id == stream.c.system_id)
            .order_by(box.c.id)
        )
        for row in conn.execute(query).all():
            yield Left("outgoing", row[0], row[2], row[3], row[5] or row[4])
