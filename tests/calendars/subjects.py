"""What stands behind the connector of CalDAV when it is certified: forty tasks and sixty meetings on a real server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from connectors.base import Connector
from connectors.calendars.dav import xml
from connectors.calendars.dav.client import Resource
from connectors.calendars.dav.connector import CalDav
from connectors.calendars.dav.reading import read_record
from connectors.calendars.ical.record import COMPONENT
from connectors.certify.subject import Changing, Fault, Faulty, Known, Lost, Writable, Writing
from hub.model.errors import RetryLater, StopRoute, StopSystem
from tests.calendars.servers import Between, DavServer, account, event, todo
from tests.connectors.server import Reply

#: What the way to the server may do, and what is owed.
FAULTS: Mapping[str, tuple[Any, Fault]] = {
    "dropped": ("before", Fault(RetryLater, hidden=True)),
    "cut": ("half", Fault(RetryLater, hidden=True)),
    "busy": (Reply(503, headers={"Retry-After": "0"}), Fault(RetryLater, hidden=True)),
    "too_many": (Reply(429, headers={"Retry-After": "0"}), Fault(RetryLater, hidden=True)),
    "gateway": (Reply(502), Fault(RetryLater, hidden=True)),
    "unauthorised": (Reply(401), Fault(StopSystem)),
    "page": (Reply(207, b"<html><body>portal</body></html>", "text/html"), Fault(StopSystem)),
    "teapot": (Reply(418), Fault(StopRoute)),
}


def template(server: DavServer) -> str:
    """Path of a calendar with all of it, made once per server."""
    if "kit" not in server.templates:
        path = server.calendar()
        for n in range(40):
            due = date(2026, 1, 1) + timedelta(days=n)
            server.put(f"{path}t{n:03d}.ics", todo(f"t{n:03d}", DUE=f";VALUE=DATE:{due:%Y%m%d}"))
        for n in range(60):
            day = date(2026, 1, 1) + timedelta(days=n // 3)
            server.put(f"{path}e{n:03d}.ics", event(f"e{n:03d}", f";TZID=Europe/Moscow:{day:%Y%m%d}T{10 + n % 3}0000"))
        server.pack(path)
        server.templates["kit"] = path
    return server.templates["kit"]


class OnDav(Changing, Writing, Faulty):
    """A calendar of the test's own on one of the servers."""

    losses: ClassVar[tuple[Lost, ...]] = ("after", "before")
    faults: ClassVar[Mapping[str, Fault]] = {name: fault for name, (_, fault) in FAULTS.items()}

    def __init__(self, way: Between) -> None:
        self.way, self.server = way, way.server
        self.path = self.server.copy(template(self.server))
        self.edits = 0
        tasks = frozenset(f"{self.path}t{n:03d}.ics" for n in range(40))
        meetings = frozenset(f"{self.path}e{n:03d}.ics" for n in range(60))
        key = ("href",)
        self.catalog = Known("todos", ("summary", "due", "alarms", "_version"), tasks, key, version="_version")
        self.dated = Known("events", ("start", "end", "summary", "attendees"), meetings, key, date_field="start")
        person = {"role": "attendee", "kind": "email"}
        people = [{**person, "email": f"client{n}@example.ru", "name": f"Клиент {n}"} for n in range(3)]
        alarms = [{"offset_s": offset, "at": "", "action": "display"} for offset in (-86400, -900)]
        self.writables = [
            Writable(
                "events",
                {"summary": "Встреча с клиентом", "start": "2026-02-01T10:00:00Z", "end": "2026-02-01T11:00:00Z"},
                {"summary": "Переговоры, «Ромашка»; зал 2", "start": "2026-02-01T10:30:00Z"},
                key,
                version="_version",
                table="attendees",
                rows=(people, people[:1]),
                fills=("uid", "tz"),
                refused={"end": "2026-01-01T00:00:00Z"},
                derived=True,
            ),
            Writable(
                "todos",
                {"summary": "Позвонить", "due": "2026-02-01T10:00:00Z", "priority": "high"},
                {"summary": "Позвонить ещё раз", "priority": "low"},
                key,
                version="_version",
                table="alarms",
                rows=(alarms, alarms[1:]),
                fills=("uid",),
                refused={"status": "waiting"},
                derived=True,
            ),
        ]

    def connect(self) -> Connector:
        """Another connector to the same calendar, along the way that may fail."""
        return CalDav(account(self.way.root + self.path, max_sessions=4))

    def close(self) -> None:
        """Take the calendar away."""
        super().close()
        self.server.forget(self.path)

    def edit(self, stream: str, key: str) -> None:
        """A person renames it."""
        self.edits += 1
        text = self.server.get(key) or ""
        line = next(line for line in text.split("\r\n") if line.startswith("SUMMARY:"))
        self.server.edit(key, line, f"SUMMARY:Другое имя {self.edits}")

    def delete(self, stream: str, key: str) -> None:
        """A person deletes it."""
        self.server.delete(key)

    def stored(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """The record as the server holds it."""
        text = self.server.get(key) if key.startswith("/") else None
        zone = ZoneInfo("Europe/Moscow")
        return None if text is None else read_record(stream, Resource(key, "", text.encode()), zone)

    def population(self, stream: str) -> int:
        """How many resources of the kind there are."""
        ask = xml.query(COMPONENT[stream])
        status, _, body = self.server.ask("REPORT", self.path, ask, Depth="1", Content_Type="application/xml")
        assert status == 207
        return body.count(b"response>") // 2

    def lose(self, lost: Lost) -> None:
        """The next write."""
        self.way.on("PUT", lost)

    def fail(self, name: str, times: int = 0) -> None:
        """The next requests fail."""
        act = FAULTS[name][0]
        if times:
            self.way.on("*", *[act] * times)
        else:
            self.way.always = act

    def mend(self) -> None:
        """They do not."""
        self.way.always = None
        self.way.orders.clear()
