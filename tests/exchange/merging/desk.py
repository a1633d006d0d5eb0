"""What these tests do over and over: clients that exact names do not join, nights, merges and what is seen of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from hub.exchange.merging import merge as merging
from hub.exchange.merging import split as splitting
from hub.exchange.merging import unmerge as undoing
from hub.exchange.merging.told import Moved
from hub.exchange.rules import RuleBook
from hub.model.settings import RouteSettings
from hub.store import core, tables
from tests.exchange.two.systems import CLIENTS, ORDERS, Two, client

COMMENT, NAME, CONTACTS = "ДополнительнаяИнформация", "НаименованиеПолное", "КонтактнаяИнформация"


@dataclass
class Desk:
    """Two systems and the admin between them."""

    two: Two
    made: int = 0

    def add(self, system: str, name: str, **more: Any) -> str:
        """A client without ИНН: two systems' records of it are not joined by themselves."""
        self.made += 1  # the order of keys is the order in which a night reads them
        return self.two.put(system, client(name, "", "", Ref_Key=str(uuid.UUID(int=self.made)), **more))

    def night(self, *routes: str) -> None:
        """One exchange of clients, or of ``routes``; no route fails."""
        report = self.two.exchange(*(routes or ("ut.party", "ut2.party")))
        assert [one.error for one in report.routes if one.error] == []
        assert [one.error for one in report.pushes if one.error] == []

    def quiet(self) -> None:
        """A further night writes and changes nothing."""
        writes, log = self.two.writes(), self.two.rows(core.change_log)
        self.night()
        assert self.two.writes() == writes
        assert self.two.rows(core.change_log) == log

    def pair(self, **more: Any) -> tuple[str, str, int, int]:
        """A client of УТ and the same one in the other system, two cards: keys and numbers."""
        one, other = self.add("ut", "ООО Ромашка", **more), self.add("ut2", "Ромашка")
        self.night()
        return one, other, self.record("ut", one), self.record("ut2", other)

    def record(self, system: str, key: str) -> int:
        """Number of its card."""
        return self.two.record(system, key)

    def merge(self, survivor: int, *losers: int, **more: Any) -> Moved:
        """A merge by a person."""
        names = [str(number) for number in losers]
        return merging.merge(self.two.hub, merging.ask(self.two.hub, "party", str(survivor), names, by="Анна", **more))

    def unmerge(self, run: int, **more: Any) -> Moved:
        """Its undo."""
        return undoing.unmerge(self.two.hub, undoing.of_run(self.two.hub, run, by="Борис", **more))

    def split(self, record: int, *keys: str, **more: Any) -> Moved:
        """Records taken out of a card."""
        return splitting.split(self.two.hub, splitting.ask(self.two.hub, "party", str(record), keys, by="Вера", **more))

    def rule(self, route: str, **more: Any) -> None:
        """Other settings of a route that may write all."""
        hub = self.two.hub
        routes = {**hub.settings.routes, route: RouteSettings(route, write="all", **more)}
        hub.settings = replace(hub.settings, routes=routes)
        hub.rules = RuleBook(hub.settings, hub.rules.profiles)

    def row(self, record: int) -> dict[str, Any]:
        """The golden row."""
        return next(row for row in self.two.rows(tables.ROOTS["party"]) if row["id"] == record)

    def phones(self, record: int) -> set[str]:
        """Phones that readers of the card see."""
        rows = self.two.rows(tables.CHILDREN["contact_point"])
        return {row["value_norm"] for row in rows if row["party_id"] == record}

    def shows(self, system: str, key: str, field: str = COMMENT) -> Any:
        """A field as the system has it."""
        return self.two.shows(system, key)[field]

    def links(self, record: int) -> dict[str, bool]:
        """Keys of the card's records, and whether each is the one that is written to."""
        rows = self.two.rows(core.link)
        return {row["external_id"]: bool(row["is_primary"]) for row in rows if row["record_id"] == record}

    def order(self, system: str, party: str, **more: Any) -> str:
        """An order of a client."""
        key = str(uuid.uuid4())
        self.two.put(
            system,
            {
                "Ref_Key": key,
                "DataVersion": "",
                "DeletionMark": False,
                "Posted": False,
                "Number": f"{len(self.two.bases[system].records[ORDERS]) + 1:05d}",
                "Date": "2026-11-02T10:00:00",
                "Контрагент_Key": party,
                "СуммаДокумента": "0",
                "Товары": [],
                **more,
            },
            ORDERS,
        )
        return key

    def everything(self) -> dict[str, Any]:
        """All that a merge that failed must not have touched, but the journal of runs."""
        kept = (core.link, core.contribution, core.pin, core.conflict, core.redirect, core.judgement, core.merge_log)
        found = {table.name: self.two.rows(table) for table in (*kept, core.outbox, core.change_log)}
        roots = {name: self.two.rows(table) for name, table in tables.ROOTS.items() if name == "party"}
        return {**found, **roots, "clients": [dict(base.records[CLIENTS]) for base in self.two.bases.values()]}
