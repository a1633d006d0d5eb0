"""Where a system shows something else than readers see there must be a reason: the differences that have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from hub.engine.arrive import golden_of
from hub.engine.cells import LIVING, STATE, Contribution, Golden
from hub.engine.policies import Rules
from hub.exchange.cards.card import Card, CardLink, load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.store import core, tables
from tests.exchange.two.life import TEXTS, Life
from tests.exchange.two.systems import CLIENTS, ORDERS

STREAMS = {"party": CLIENTS, "sales_order": ORDERS}


def shown_by_1c(entity: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What people see in 1C of the cells that are compared; an identifier by its scheme, a phone by its number."""
    if entity == "sales_order":
        return {"comment": raw.get("Комментарий") or None}
    told = {path: raw.get(name) or None for name, path in TEXTS.items()}
    told["display_name"] = told["display_name"] or told["legal_name"]
    for scheme, name in (("inn", "ИНН"), ("kpp", "КПП")):
        if raw.get(name):
            told[f"party_identifier[{scheme}"] = raw[name]
    for row in raw.get("КонтактнаяИнформация", ()):
        told[f"contact_point[phone,{row['Представление']}"] = row["Представление"]
    return told


def seen_by_readers(entity: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The same of the golden record."""
    told: dict[str, Any] = {}
    for path, value in cells.items():
        if path.startswith("party_identifier[") and isinstance(value, tuple):
            scheme, number = path.partition("[")[2].split(",")[:2]
            told[f"party_identifier[{scheme}"] = number.rstrip("]")
        elif path.startswith("contact_point[") and isinstance(value, tuple):
            number = next(part for part in path.partition("[")[2].split(",") if part.startswith("+7"))
            told[f"contact_point[phone,{number}"] = number
        elif path in {"comment", *TEXTS.values()} and (entity == "party" or path == "comment"):
            told[path] = value
    return told


@dataclass(frozen=True, slots=True)
class _Place:
    """One link of a card, with all that could be a reason."""

    card: Card
    link: CardLink
    rules: Rules
    resolved: Mapping[str, Golden]
    log: Sequence[Mapping[str, Any]]

    @property
    def contribution(self) -> Contribution:
        return self.card.contribution(self.link.id)

    def excused(self, path: str) -> bool:
        """Whether this cell may be another one here than readers see."""
        mine, cell = self.contribution, self.resolved.get(path)
        unit = self.rules.unit(path)
        asked = any(self.rules.unit(one) == unit for one, _ in self.card.conflicts)
        guarded = cell is not None and self.link.id in cell.guards
        reasons = (asked, guarded, _left(cell, mine, path), self._tolerated(path), self._unsaid(path))
        return any(reasons)

    def _tolerated(self, path: str) -> bool:
        """Its own word lost, and it may keep that until the winner says something new."""
        mine, cell = self.contribution, self.resolved.get(path)
        own = mine.own.get(path)
        if own is None or path in mine.sent or self.rules.of(path).on_loss == "restore":
            return False
        return cell is None or cell.when is None or cell.when.last <= (own.cleared or own.when).last

    def _unsaid(self, path: str) -> bool:
        kind = path.partition(",")[0]
        return any(
            row["op"] == "unsaid" and row["link_id"] == self.link.id and (row["field"] or "").startswith(kind)
            for row in self.log
        )


def _left(cell: Golden | None, contribution: Contribution, path: str) -> bool:
    """What we wrote was emptied elsewhere, where emptying is not followed: it stays, since silence is never sent."""
    silent = cell is not None and cell.value is None and not cell.cleared and bool(cell.guards)
    return silent and path in contribution.sent and path not in contribution.own


def not_taken(life: Life) -> set[tuple[int, str]]:
    """Records (stream, external id) that show what is not here: refused, waiting for another one, held back."""
    found = {(row["stream_id"], row["external_id"]) for row in life.rows(core.parked)}
    for table in (core.quarantine, core.held):
        found |= {(row["stream_id"], row["external_id"]) for row in life.rows(table, table.c.state == "open")}
    return found


def unexplained(life: Life, entity: str) -> Iterator[str]:
    """Cells that show neither the golden value nor a reason."""
    root, rules = tables.ROOTS[entity], life.hub.rules.rules(entity)
    refs = References()
    with life.store.read() as conn:
        ids = list(conn.execute(select(root.c.id)).scalars())
        cards = load(conn, entity, ids, refs, lock=False)
    owed, waiting = {row["link_id"] for row in life.rows(core.outbox)}, not_taken(life)
    log = life.rows(core.change_log)
    for card in cards.values():
        resolved = golden_of(card.known, rules, layout_of(entity).same(refs))
        for link in card.links.values():
            raw = life.bases[link.system].records[STREAMS[entity]].get((link.external_id,))
            writes = life.hub.rules.way(link.system, entity).writes
            told = link.id in owed or (link.stream_id, link.external_id) in waiting
            if raw is not None and not told and writes and link.primary:
                yield from _of_place(_Place(card, link, rules, resolved, log), entity, raw)


def _of_place(place: _Place, entity: str, raw: Mapping[str, Any]) -> Iterator[str]:
    card, link, mine = place.card, place.link, place.contribution
    marked, ended = bool(raw.get("DeletionMark")), card.cells[STATE] != LIVING
    if marked or ended:
        asked = any(path == STATE for path, _ in card.conflicts)
        tolerated = place.rules.state in {"archive", "ignore", "ask"} or mine.own.get(STATE)
        if not (asked or tolerated or marked == ended):
            yield f"{link.system} {link.external_id} marked {marked}, golden {card.cells[STATE]}"
        return
    golden, shown = seen_by_readers(entity, card.cells), shown_by_1c(entity, raw)
    for path in shown.keys() | golden.keys():
        ours, theirs = golden.get(path), shown.get(path)
        if ours == theirs or (ours and theirs and ours.startswith(theirs)):
            continue
        for cell in _cells(path, ours, theirs, place.resolved):
            if not place.excused(cell):
                yield (
                    f"{entity} {card.record_id} in {link.system} {path}: golden {ours!r}, shows {theirs!r}, {cell} is "
                    f"{place.resolved.get(cell)}, own {mine.own.get(cell)}, sent {mine.sent.get(cell)}"
                )


def _cells(path: str, ours: str | None, theirs: str | None, resolved: Mapping[str, Golden]) -> list[str]:
    """The cells that a difference is of: another ИНН is one row that is here and not there, and one the other way."""
    if not path.startswith("party_identifier["):
        return [next((one for one in resolved if one.startswith(path)), path)]
    return [f"{path},{number}]" for number in (ours, theirs) if number]
