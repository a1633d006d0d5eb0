"""The systems of the golden scenarios: 1C bases in memory and the database of a CRM, with the people who work there.

People speak in the same words everywhere (``add``, ``change``, ``sees``), each *desk* writes them down as its system
does. A night reads clients only, unless a scenario names more routes.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from connectors.base import Connector
from connectors.memory import MemoryBase, MemoryConnector
from connectors.registry import open_connector
from hub.exchange.service import RunReport, run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.installation import make_hub
from tests.exchange.two.systems import CLIENTS, Two, phone

SCHEMA = Path(__file__).parents[2] / "stand" / "crm" / "schema.sql"
PROFILES = {"ut": "onec_ut11", "unf": "onec_unf", "bp": "onec_bp3", "crm": "crm_sql"}
_WORDS = {"legal_name": "НаименованиеПолное", "comment": "ДополнительнаяИнформация", "name": "Description"}
#: What each configuration calls a kind of client, and the field it stands in.
_KINDS = {
    "ut": ("ЮрФизЛицо", {"company": "ЮрЛицо", "entrepreneur": "ИндивидуальныйПредприниматель", "person": "ФизЛицо"}),
    "unf": (
        "ВидКонтрагента",
        {
            "company": "ЮридическоеЛицо",
            "entrepreneur": "ИндивидуальныйПредприниматель",
            "person": "ФизическоеЛицо",
        },
    ),
    "bp": (
        "ЮридическоеФизическоеЛицо",
        {"company": "ЮридическоеЛицо", "entrepreneur": "ФизическоеЛицо", "person": "ФизическоеЛицо"},
    ),
}
#: Trade, accounting and sales of one firm.
TRIO = {"ut": "ut", "bp": "bp", "crm": "crm"}
Sql = Callable[..., list[tuple[Any, ...]]]
Builder = Callable[..., "World"]


class Clock:
    """The time of day in these worlds: each look takes a second, each night comes a day later.

    So systems are read minutes apart, as they are in life, and nights do not fall into one second.
    """

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 2, 1, tzinfo=UTC)

    def now(self, zone: tzinfo | None = None) -> datetime:
        """A moment later than the last one."""
        self.at += timedelta(seconds=1)
        return self.at.astimezone(zone)

    def pass_(self, **time: float) -> None:
        """Let time go by: ``hours=8``."""
        self.at += timedelta(**time)


class Desk(Protocol):
    """Where people of one system work."""

    stream: str

    def add(self, name: str, **words: Any) -> str:
        """Enter a client, a ``company``, ``entrepreneur`` or ``person``; its key."""

    def change(self, key: str, **words: Any) -> None:
        """Change it: ``legal_name``, ``comment``, ``phones`` (all of them), ``marked``."""

    def sees(self, key: str) -> dict[str, Any]:
        """What they see in the same words."""

    def delete(self, key: str) -> None:
        """Remove it physically."""


@dataclass
class OneCDesk:
    """A 1C base in memory; ``kind``: ``ut``, ``unf`` or ``bp``."""

    base: MemoryBase
    kind: str
    stream: str = CLIENTS

    def add(
        self, name: str, *, inn: str = "7707083893", kpp: str = "773601001", kind: str = "company", **words: Any
    ) -> str:
        key = str(uuid.uuid4())
        field_, kinds = _KINDS[self.kind]
        told = {"legal_name": name, "comment": "", "phones": (), **words}
        self.base.put(CLIENTS, {"Ref_Key": key, "DataVersion": "", "DeletionMark": False, "IsFolder": False,
            "Description": name, "ИНН": inn, "КПП": kpp, field_: kinds[kind], **self._fields(told)})  # fmt: skip
        return key

    def change(self, key: str, **words: Any) -> None:
        self.base.put(CLIENTS, {**self.base.records[CLIENTS][key,], **self._fields(words)})

    def sees(self, key: str) -> dict[str, Any]:
        shown = self.base.records[CLIENTS][key,]
        numbers = {row["НомерТелефона"] or row["Представление"] for row in shown["КонтактнаяИнформация"]}
        words = {word: shown.get(name) for word, name in self._names().items()}
        return {**words, "phones": {_digits(number) for number in numbers}, "marked": shown["DeletionMark"]}

    def delete(self, key: str) -> None:
        self.base.delete(CLIENTS, key)

    def _names(self) -> dict[str, str]:
        return _WORDS if self.kind == "ut" else {**_WORDS, "comment": "Комментарий"}

    def _fields(self, words: Mapping[str, Any]) -> dict[str, Any]:
        fields = {name: words[word] for word, name in self._names().items() if word in words}
        if "phones" in words:
            fields["КонтактнаяИнформация"] = [
                {**phone(number), "LineNumber": str(at)} for at, number in enumerate(words["phones"], 1)
            ]
        if "marked" in words:
            fields["DeletionMark"] = words["marked"]
        return fields


@dataclass
class CrmDesk:
    """The CRM, a real database; its own program sets ``updated_at``."""

    sql: Sql
    clock: Clock
    stream: str = "clients"

    def add(
        self, name: str, *, inn: str = "7707083893", kpp: str = "773601001", kind: str = "company", **words: Any
    ) -> str:
        key = str(uuid.uuid4())
        self.sql(
            "INSERT INTO clients (id, kind, name, legal_name, inn, kpp, is_customer, comment, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, '', '')",
            key, kind, name, name, inn, kpp,
        )  # fmt: skip
        self.change(key, **words)
        return key

    def change(self, key: str, **words: Any) -> None:
        if "phones" in words:
            self.sql("DELETE FROM client_contacts WHERE client_id = ? AND kind = 'phone'", key)
            for number in words["phones"]:
                self.sql("INSERT INTO client_contacts (client_id, kind, value) VALUES (?, 'phone', ?)", key, number)
        told = {("is_deleted" if word == "marked" else word): value for word, value in words.items()}
        for word, value in told.items():
            if word != "phones":
                self.sql(f"UPDATE clients SET {word} = ? WHERE id = ?", value, key)
        local = self.clock.now(ZoneInfo("Europe/Moscow")).strftime("%Y-%m-%d %H:%M:%S")
        self.sql("UPDATE clients SET updated_at = ? WHERE id = ?", local, key)

    def sees(self, key: str) -> dict[str, Any]:
        columns = ("name", "legal_name", "comment", "segment", "is_deleted")
        (row,) = self.sql(f"SELECT {', '.join(columns)} FROM clients WHERE id = ?", key)
        shown = dict(zip(columns, row, strict=True))
        numbers = self.sql("SELECT value FROM client_contacts WHERE client_id = ? AND kind = 'phone'", key)
        return {**shown, "phones": {_digits(one[0]) for one in numbers}, "marked": bool(shown.pop("is_deleted"))}

    def delete(self, key: str) -> None:
        self.sql("DELETE FROM clients WHERE id = ?", key)


@dataclass
class World(Two):
    """A hub between systems; ``desks`` by code."""

    desks: Mapping[str, Desk] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def night(self, *routes: str) -> RunReport:
        """One exchange of clients, or of ``routes``; what people do before it they did during the day."""
        self.clock.pass_(hours=8)
        self.last = run_exchange(self.hub, list(routes) or [f"{code}.party" for code in self.desks])
        self.clock.pass_(hours=15)
        return self.last

    def quiet(self, *routes: str) -> None:
        """The night is run again: nothing changes, nothing is written, nothing new is owed."""
        writes, log, owed = self.written(), self.rows(core.change_log), self.rows(core.outbox)
        report = self.night(*routes)
        assert {one.route: str(one.error) for one in report.routes if one.error} == {}
        assert {one.route: str(one.error) for one in report.pushes if one.error} == {}
        assert {one.route: one.counters.updated for one in report.routes if one.counters.updated} == {}
        assert self.written() == writes
        assert self.rows(core.change_log) == log
        assert [row["link_id"] for row in self.rows(core.outbox)] == [row["link_id"] for row in owed]

    def known_everywhere(self, name: str = "ООО Ромашка", **words: Any) -> dict[str, str]:
        """A client that all systems know alike, after the first night; its keys."""
        keys = {code: desk.add(name, **words) for code, desk in self.desks.items()}
        self.night()
        assert len({self.at(code, key) for code, key in keys.items()}) == 1
        return keys

    def at(self, system: str, key: str) -> int:
        """Number of the canonical record."""
        return self.record(system, key, self.desks[system].stream)

    def card(self, system: str, key: str) -> dict[str, Any]:
        """The golden row."""
        return self.golden(system, key, stream=self.desks[system].stream)

    def seen(self, keys: Mapping[str, str], word: str) -> dict[str, Any]:
        """What people of each system see of one word."""
        return {code: self.desks[code].sees(key)[word] for code, key in keys.items()}

    def written(self) -> int:
        """Requests that write, sent so far to all systems."""
        found = (self.hub.traffic(code) for code in self.hub.settings.systems)
        return sum(traffic.writes for traffic in found if traffic is not None)

    def log(self, *ops: str) -> list[tuple[str, str | None, str | None, str | None]]:
        """(op, field, before, after) of the change log, of these ops."""
        rows = self.rows(core.change_log)
        return [(r["op"], r["field"], r["before"], r["after"]) for r in rows if not ops or r["op"] in ops]

    def let_go(self) -> None:
        """What waits for a moment only is due now: time has passed."""
        with self.store.begin() as conn:
            conn.execute(update(core.outbox).where(core.outbox.c.next_at.is_not(None)).values(next_at=None))

    def owed(self) -> list[tuple[str, str, str | None]]:
        """(op, state, reason) of the outbox."""
        return [(row["op"], row["state"], row["last_error"]) for row in self.rows(core.outbox)]


def make_world(
    store: Store,
    home: Path,
    shapes: Mapping[str, frozen.Frozen],
    systems: Mapping[str, str],
    routes: Mapping[str, RouteSettings] | None = None,
    more: Iterable[tuple[SystemSettings, Connector]] = (),
    clock: Clock | None = None,
    **told: Any,
) -> World:
    """A hub between ``systems``; each may write all of its clients, and makes none.

    ``systems``: by code, ``ut``, ``unf``, ``bp`` or ``crm``.
    ``told``: settings of each system by code, such as its time zone.
    """
    clock = clock or Clock()
    bases: dict[str, MemoryBase] = {}
    desks: dict[str, Desk] = {}
    settings: dict[str, SystemSettings] = {}
    connectors: dict[str, Connector] = {}
    for code, kind in systems.items():
        given = {"timezone": "Europe/Moscow", **told.get(code, {})}
        if kind == "crm":
            path = home / f"{code}.db"
            desks[code] = CrmDesk(make_crm(path), clock)
            its = SystemSettings(code, "sql", profile=PROFILES[kind], url=f"sqlite:///{path}", **given)
            connectors[code] = open_connector(its, home / "cache")
        else:
            bases[code] = frozen.load(shapes[kind])
            desks[code] = OneCDesk(bases[code], kind)
            its = SystemSettings(code, "memory", profile=PROFILES[kind], page_size=20, **given)
            connectors[code] = MemoryConnector(bases[code])
        settings[code] = its
    for its, connector in more:
        settings[its.code], connectors[its.code] = its, connector
    default = {f"{code}.party": RouteSettings(f"{code}.party", write="all") for code in settings}
    wanted = {code: replace(one, code=code) for code, one in {**default, **(routes or {})}.items()}
    hub = make_hub(store, home, connectors, settings, wanted)
    return World(hub, store, bases, desks=desks, clock=clock)


def make_crm(path: Path) -> Sql:
    """An empty CRM; executes a statement in its database."""
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(SCHEMA.read_text(encoding="utf-8"))

    def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("PRAGMA foreign_keys = ON")
            return conn.execute(statement, values).fetchall()

    return execute


def inn(at: int) -> str:
    """A right ИНН of an organisation."""
    nine = f"7701{at:05d}"
    check = sum(int(d) * w for d, w in zip(nine, (2, 4, 10, 3, 5, 9, 4, 6, 8), strict=True)) % 11 % 10
    return f"{nine}{check}"


def links_of(world: World, record: int) -> list[str]:
    """Codes of the systems that know the record, in the order of their links."""
    with world.store.read() as conn:
        found = conn.execute(
            select(core.system.c.code)
            .join(core.stream, core.stream.c.system_id == core.system.c.id)
            .join(core.link, core.link.c.stream_id == core.stream.c.id)
            .where(core.link.c.record_id == record)
            .order_by(core.link.c.id)
        )
        return list(found.scalars())


def _digits(text: str) -> str:
    digits = "".join(filter(str.isdigit, text))
    return "7" + digits[-10:] if len(digits) >= 10 else digits
