"""A little connector as a stranger would write it, with its subject: no file of the house's tests is used here.

The system behind it gives keys of its own, cuts long names, and has neither a change feed nor virtual tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, ClassVar

from connectors.base import (
    Capabilities,
    Change,
    CheckReport,
    DayTotal,
    Difference,
    ReadRequest,
    StreamInfo,
    Traffic,
    WriteResult,
)
from connectors.certify.subject import Bent, Changing, Fault, Faulty, Known, Lost, Writable, Writing
from connectors.lacking import NoFeed
from hub.model.errors import HubError, RetryLater, SkipRecord, StopRoute, StopSystem
from hub.model.records import Page, Window

FIELDS = {
    "clients": {"id": "text", "rev": "int", "name": "text", "inn": "text", "note": "text"},
    "bills": {"id": "text", "rev": "int", "day": "text", "sum": "number", "note": "text", "stage": "text"},
}
LONGEST = 20


class Server:
    """What would be somebody's web service: rows by stream and id."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {"clients": {}, "bills": {}}
        self.faults: list[HubError] = []
        self.lost = ""
        self.last = 0

    def request(self) -> None:
        """Take a request, or fail on order."""
        if self.faults:
            raise self.faults.pop(0)

    def store(self, stream: str, key: str, fields: Mapping[str, Any]) -> str:
        """Insert (an empty key) or change; the answer may get lost."""
        lost, self.lost = self.lost, ""
        self.request()
        if lost == "before":
            raise ConnectionError
        self.last += 1
        key = key or f"{stream[0]}{self.last:05d}"
        cut = {name: value[:LONGEST] if name == "name" else value for name, value in fields.items()}
        self.rows[stream][key] = {"stage": "new", **self.rows[stream].get(key, {}), **cut, "id": key, "rev": self.last}
        if lost:
            raise ConnectionError
        return key


class Connector(NoFeed):
    """Reads and writes a ``Server``; one more try for whatever passes."""

    capabilities = Capabilities(versions=True, windows=True, totals=True, write=True, read_back=True)

    def __init__(self, server: Server) -> None:
        self.title = "Acme"
        self.server = server
        self.traffic = Traffic()

    def check(self) -> CheckReport:
        """Reachable when one request passes."""
        report = CheckReport(product="Acme 1.0", streams=len(FIELDS))
        try:
            self._ask()
            report.reachable = True
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """Two streams without tables."""
        return {name: StreamInfo(name, fields, key=("id",)) for name, fields in FIELDS.items()}

    def fingerprint(self) -> str:
        """The schema never changes."""
        return "ac3e"

    def count(self, request: ReadRequest) -> int:
        """Rows asked for."""
        return len(self._rows(request))

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages in the order of ids."""
        after, last = (request.position or {}).get("after", ""), False
        while not last:
            left = [row for row in self._rows(request) if row["id"] > after]
            page, last = left[: request.page_size], len(left) <= request.page_size
            after = page[-1]["id"] if page else after
            yield self._page(request, page, after, last=last)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """One look for all of them."""
        there = {row["id"]: row for row in self._rows(request)} if external_ids else {}
        page = self._page(request, [there[key] for key in external_ids if key in there], "", last=True)
        page.deleted = [key for key in external_ids if key not in there]
        return page

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Sums by day, in hundredths."""
        rows = self._rows(ReadRequest(stream, (date_field, total_field), ("id",), "set", window, date_field))
        found = []
        for day, items in groupby(sorted(rows, key=lambda row: row[date_field]), lambda row: row[date_field][:10]):
            sums = [round(row[total_field] * 100) for row in items]
            found.append(DayTotal(date.fromisoformat(day), len(sums), sum(sums)))
        return found

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One change after another, looked at before and after."""
        for change in changes:
            yield self._write(stream, change)

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self) -> None:
        self.traffic.requests += 1
        try:
            self.server.request()
        except RetryLater:
            self.traffic.requests += 1
            self.traffic.retries += 1
            self.server.request()

    def _rows(self, request: ReadRequest) -> list[dict[str, Any]]:
        self._ask()
        if request.stream not in FIELDS:
            raise StopRoute("unknown_set", system="Acme", stream=request.stream)
        for name in request.fields:
            if name not in FIELDS[request.stream]:
                raise StopRoute("unknown_field", system="Acme", stream=request.stream, field=name)
        rows = sorted(self.server.rows[request.stream].values(), key=lambda row: row["id"])
        if request.changed_field:
            rows = [row for row in rows if row[request.changed_field] >= request.since]
        window, dated = request.window, request.date_field
        return [row for row in rows if not window or str(window.start) <= row[dated][:10] < str(window.end)]

    def _page(self, request: ReadRequest, rows: list[dict[str, Any]], after: str, *, last: bool) -> Page:
        wanted = {*request.fields, "id"} if request.fields else FIELDS[request.stream]
        records = [json.dumps({name: row.get(name) for name in wanted}, sort_keys=True).encode() for row in rows]
        size = sum(map(len, records))
        self.traffic.bytes_read += size
        return Page(request.stream, records, (), {"after": after}, last, size)

    def _find(self, stream: str, change: Change) -> dict[str, Any] | None:
        self._ask()
        rows = self.server.rows[stream]
        if change.marker and change.create:
            name, text = change.marker
            return next((row for row in rows.values() if row.get(name) == text), None)
        return rows.get(change.external_id)

    def _write(self, stream: str, change: Change) -> WriteResult:
        found = self._find(stream, change)
        if found is None and not change.create:
            error = SkipRecord("unknown_object", system="Acme", stream=stream, text=change.external_id)
            return WriteResult(change.external_id, "refused", error=error)
        if found and all(found.get(name) == value for name, value in change.fields.items()):
            return self._result(stream, found["id"], "unchanged", change)
        if found and change.version is not None and change.version != str(found["rev"]):
            return self._result(stream, found["id"], "moved", change)
        self.traffic.requests += 1
        self.traffic.writes += 1
        try:
            key = self.server.store(stream, found["id"] if found else "", change.fields)
        except ConnectionError:
            seen = self._find(stream, change)
            if seen is None or any(seen.get(name) != value for name, value in change.fields.items()):
                return WriteResult(change.external_id, "unknown")
            key = seen["id"]
        return self._result(stream, key, "written", change)

    def _result(self, stream: str, key: str, became: Any, change: Change) -> WriteResult:
        row = self.server.rows[stream][key]
        others = tuple(
            Difference(name, sent, row.get(name), "cut") for name, sent in change.fields.items() if row[name] != sent
        )
        differences = others if became == "written" else ()
        filled = ("stage",) if change.create and "stage" not in change.fields else ()
        body = json.dumps({**row, "rev": str(row["rev"])}).encode()
        return WriteResult(key, became, str(row["rev"]), body, differences, filled)


class Acme(Changing, Writing, Faulty):
    """Forty clients, sixty bills over twenty days."""

    losses = ("after", "before")
    faults: ClassVar[Mapping[str, Fault]] = {
        "busy": Fault(RetryLater, hidden=True),
        "locked": Fault(StopSystem),
        "slow": Fault(None),
    }

    def __init__(self) -> None:
        server = self.server = Server()
        clients = [server.store("clients", "", {"name": f"Client {n}", "inn": "", "note": ""}) for n in range(40)]
        days = [date(2026, 1, 1) + timedelta(days=n // 3) for n in range(60)]
        bills = [
            server.store("bills", "", {"day": f"{day}T12:00:00", "sum": n * 1.01, "note": ""})
            for n, day in enumerate(days)
        ]
        self.catalog = Known("clients", ("name", "rev"), frozenset(clients), ("id",), version="rev")
        self.dated = Known("bills", ("day", "sum"), frozenset(bills), ("id",), "day", "sum", changed="day")
        client = {"name": "New client", "inn": "7701234567"}
        bent = (Bent("name", "A name of more than twenty letters", "cut"),)
        self.writables = [
            Writable("clients", client, {"name": "Renamed"}, ("id",), "note", "rev", bent=bent, fills=("stage",))
        ]

    def connect(self) -> Connector:
        """Another connector to the same server."""
        return Connector(self.server)

    def edit(self, stream: str, key: str) -> None:
        """Rename."""
        self.server.store(stream, key, {"note": f"edit {self.server.last}"})

    def delete(self, stream: str, key: str) -> None:
        """Delete."""
        del self.server.rows[stream][key]

    def stored(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """Past the connector."""
        return self.server.rows[stream].get(key)

    def population(self, stream: str) -> int:
        """Past the connector."""
        return len(self.server.rows[stream])

    def lose(self, lost: Lost) -> None:
        """The next write."""
        self.server.lost = lost

    def fail(self, name: str, times: int = 0) -> None:
        """Busy, locked, or slow, which nobody needs to notice."""
        errors = {
            "busy": RetryLater("source_busy", system="Acme", status=503),
            "locked": StopSystem("forbidden", system="Acme"),
        }
        if name in errors:
            self.server.faults = [errors[name]] * (times or 1000)

    def mend(self) -> None:
        """No more faults."""
        self.server.faults = []
