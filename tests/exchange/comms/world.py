"""A firm with its clients, mailboxes, telephone exchange and calendars, all in memory, on a clock that a test moves.

The profiles are small ones of the tests (``profiles/``): matching knows nothing of connectors but activities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.base import Capabilities, ReadRequest
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, backfill, run_exchange
from hub.model.records import Page, Window
from hub.model.settings import RouteSettings, Settings, SystemSettings
from hub.model.settings_comms import CallSettings, MailSettings
from hub.store import comms_tables, core, tables
from hub.store.database import Store

PROFILES = Path(__file__).parent / "profiles"
_PEOPLE = {
    "role": "Edm.String",
    "kind": "Edm.String",
    "address": "Edm.String",
    "number": "Edm.String",
    "ext": "Edm.String",
    "name": "Edm.String",
}
_FIELDS = ("id", "direction", "subject", "at", "status", "key", "line", "message_id", "in_reply_to", "references")
_TYPES = {
    "at": "Edm.DateTime",
    "marked": "Edm.Boolean",
    "auto": "Edm.Boolean",
    "answered": "Edm.Boolean",
    "flagged": "Edm.Boolean",
    "total": "Edm.Double",
}
_STREAMS = {"letters": "messages", "phone": "calls", "meetings": "events"}


def typed(names: Sequence[str]) -> dict[str, str]:
    """Fields with their types."""
    return {name: _TYPES.get(name, "Edm.String") for name in names}


class History(MemoryConnector):
    """Reads on from a place in the base's own history, as mailboxes and calendars do."""

    def __init__(self, base: MemoryBase, page_size: int) -> None:
        super().__init__(base, node="reader", page_size=page_size)
        self.capabilities = Capabilities(windows=True, tokens=True)
        self.journal: list[tuple[str, str]] = []
        put, delete = base.put, base.delete

        def noted(stream: str, record: dict[str, Any]) -> None:
            put(stream, record)
            self.journal.append((stream, str(record["id"])))

        def gone(stream: str, *key: str) -> None:
            delete(stream, *key)
            self.journal.append((stream, key[0]))

        base.put, base.delete = noted, gone  # type: ignore[method-assign]

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """All there is, or what was written to the journal since."""
        if request.window is not None:
            yield from super().read(replace(request, position=None))
            return
        place = request.position or {}
        since = len(self.journal) if "after" in place or not place else int(place["n"])
        since = int(place.get("n", since))
        if not place or "after" in place:
            pages = super().read(replace(request, date_field="", position={"after": place.get("after", [])}))
            for page in pages:
                page.position = {"n": since} if page.last else {"n": since, **page.position}
                yield page
            return
        keys = list(dict.fromkeys(key for stream, key in self.journal[since:] if stream == request.stream))
        living = self.base.records[request.stream]
        records = [self._encode(request, living[key,]) for key in keys if (key,) in living]
        gone = [key for key in keys if (key,) not in living]
        yield Page(request.stream, records, gone, {"n": len(self.journal)}, True, 0)


@dataclass
class Firm:
    """``bases`` by system code; ``crm`` holds clients, the others what happens."""

    hub: Hub
    store: Store
    bases: Mapping[str, MemoryBase]
    at: datetime
    numbers: dict[str, int] = field(default_factory=dict)

    def client(self, key: str, name: str = "", *contacts: str, **more: Any) -> str:
        """A client, contact person or employee; ``contacts``: addresses and numbers. ``firm``: whose person it is."""
        record = {
            "id": key,
            "name": name or key,
            "kind": "person" if more.get("firm") else "company",
            "marked": False,
            "owner": "",
            "role": "",
            "firm": None,
            "contacts": [{"kind": "email" if "@" in one else "phone", "value": one} for one in contacts],
        }
        self.bases["crm"].put("clients", {**record, **more})
        return key

    def order(self, key: str, client: str, status: str = "in_work") -> None:
        """An order of a client."""
        moment = self.at.strftime("%Y-%m-%dT%H:%M:%S")
        self.bases["crm"].put("orders", {"id": key, "client": client, "status": status, "at": moment, "total": 100})

    def letter(self, place: str, sender: str, *to: str, system: str = "post", minutes: float = 0, **more: Any) -> str:
        """A letter in a mailbox; its ``place`` names it too, if ``message_id`` is not told."""
        people = [self._person("from", sender), *(self._person("to", one) for one in to)]
        told = {
            "direction": "inbound",
            "subject": "",
            "line": "sales@firm.ru",
            "message_id": f"<{place}@x>",
            "key": more.get("message_id", f"<{place}@x>"),
            "folder": "INBOX",
            "auto": False,
            "answered": False,
            "flagged": False,
            "people": people,
        }
        return self._put(system, "messages", place, minutes, {**told, **more})

    def call(
        self, key: str, number: str, status: str = "missed", *, system: str = "pbx", minutes: float = 0, **more: Any
    ) -> str:
        """A call with a client's number (inbound unless told otherwise), answered by or meant for extension 101."""
        way = more.pop("direction", "inbound")
        kind = more.pop("kind", "phone")
        mine = ("agent", "extension", "101")
        theirs = ("callee" if way == "outbound" else "caller", kind, number)
        people = [
            {"role": role, "kind": one, "number": norm, "ext": more.get("ext", ""), "name": ""}
            for role, one, norm in (theirs, mine)
        ]
        told = {"direction": way, "status": status, "line": "+74950000001", "key": f"{system}:{key}", "people": people}
        return self._put(system, "calls", key, minutes, {**told, **more})

    def meeting(self, key: str, *people: str, system: str = "calendar", minutes: float = 0, **more: Any) -> str:
        """A meeting in a calendar; the first of the people has called it."""
        roles = ["organizer", *["attendee"] * (len(people) - 1)]
        told = [self._person(role, one) for role, one in zip(roles, people, strict=True)]
        record = {"subject": "", "status": "planned", "uid": key, "line": "", "people": told}
        return self._put(system, "events", key, minutes, {**record, **more})

    def _person(self, role: str, address: str) -> dict[str, str]:
        return {"role": role, "address": address, "name": address.partition("@")[0]}

    def _put(self, system: str, stream: str, key: str, minutes: float, record: dict[str, Any]) -> str:
        moment = self.at + timedelta(minutes=minutes)
        blank: dict[str, Any] = dict.fromkeys(_FIELDS, "")
        self.bases[system].put(stream, {**blank, "id": key, "at": moment.strftime("%Y-%m-%dT%H:%M:%S"), **record})
        return key

    def night(self, *routes: str) -> RunReport:
        """One exchange; its rule that every record is accounted for is looked at each time."""
        report = run_exchange(self.hub, list(routes) or None)
        assert {one.route: one.paused for one in report.routes if one.paused} == {}
        return self._sound(report)

    def backfill(self, route: str, days: int = 400) -> RunReport:
        """The last days of a route, read again."""
        today = datetime.now(UTC).date() + timedelta(days=2)
        return self._sound(backfill(self.hub, [route], Window(today - timedelta(days=days), today)))

    def _sound(self, report: RunReport) -> RunReport:
        assert {one.route: str(one.error) for one in report.routes if one.error} == {}
        assert all(one.counters.balanced for one in report.routes)
        refused = [(row["reason_code"], row["params"]) for row in self.rows(core.quarantine)]
        assert refused == []
        return report

    def record(self, system: str, key: str) -> int:
        """Number of the canonical record."""
        link, stream, of = core.link, core.stream, core.system
        query = (
            select(link.c.record_id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(of, of.c.id == stream.c.system_id)
            .where(of.c.code == system, link.c.external_id == key)
        )
        with self.store.read() as conn:
            return int(conn.execute(query).scalar_one())

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key.columns)).mappings()]

    def root(self, entity: str) -> list[dict[str, Any]]:
        """Golden rows of an entity."""
        return self.rows(tables.ROOTS[entity])

    def match(self, system: str, key: str) -> tuple[str, str, set[tuple[str, str]]]:
        """(state, rule, {(kind, name of client)}) of an activity; leads by their key."""
        number = self.record(system, key)
        (row,) = [row for row in self.rows(comms_tables.activity_match) if row["activity_id"] == number]
        names = {one["id"]: one["display_name"] for one in self.root("party")}
        names |= {one["id"]: one["dedupe_key"] for one in self.root("lead")}
        parties = self.rows(comms_tables.activity_party)
        told = {(one["kind"], names[one["record_id"]]) for one in parties if one["activity_id"] == number}
        return row["state"], row["rule"], told

    def thread(self, system: str, key: str) -> int | None:
        """Thread of a letter."""
        number = self.record(system, key)
        found: int | None = {r["activity_id"]: r["thread_id"] for r in self.rows(comms_tables.activity_match)}[number]
        return found


def make_firm(
    store: Store,
    home: Path,
    *,
    unknown: str = "keep",
    unknown_lines: tuple[tuple[str, str], ...] = (),
    systems: Sequence[tuple[str, str]] = (("post", "letters"), ("pbx", "phone"), ("calendar", "meetings")),
    page_size: int = 20,
    routes: Mapping[str, RouteSettings] | None = None,
    **more: Any,
) -> Firm:
    """A firm of the systems (code, profile) beside its ``crm``; ``unknown``: what becomes of strangers."""
    bases = {"crm": MemoryBase("crm")}
    fields = ("id", "name", "kind", "marked", "owner", "role", "firm")
    bases["crm"].define("clients", typed(fields), ["id"], {"contacts": {"kind": "Edm.String", "value": "Edm.String"}})
    bases["crm"].define("orders", typed(("id", "client", "status", "at", "total")), ["id"])
    connectors: dict[str, MemoryConnector] = {"crm": MemoryConnector(bases["crm"])}
    settings = {"crm": SystemSettings("crm", "memory", "UTC", "people", page_size=page_size)}
    for code, profile in systems:
        base = bases[code] = MemoryBase(code)
        names = (*_FIELDS, "folder", "auto", "answered", "flagged", "uid")
        base.define(_STREAMS[profile], typed(names), ["id"], {"people": _PEOPLE})
        connectors[code] = History(base, page_size)
        section: dict[str, Any] = {}
        if profile == "letters":
            section["mail"] = MailSettings(own=("boss@partner-mail.ru",), unknown=unknown)  # type: ignore[arg-type]
            section["user"] = "sales@firm.ru"
        elif profile == "phone":
            section["calls"] = CallSettings(
                own_numbers=("8 (495) 000-00-01",),
                unknown=unknown,  # type: ignore[arg-type]
                unknown_lines=unknown_lines,  # type: ignore[arg-type]
            )
        settings[code] = SystemSettings(code, "memory", "UTC", profile, page_size=page_size, **section)
    whole = Settings(
        home=home,
        path=home / "hub.yaml",
        company_timezone="Europe/Moscow",
        store_url="",
        systems=settings,
        routes=dict(routes or {}),
        demo=True,
        **more,
    )
    hub = Hub(whole, store, lambda system, _cache: connectors[system.code])
    return Firm(hub, store, bases, datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3))
