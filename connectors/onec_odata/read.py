"""Reading sets page by page, virtual tables in one answer, counts, and sums by day."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from connectors.base import DayTotal, ReadRequest
from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.paging import Seam, Sizer, Stuck
from connectors.onec_odata.rows import Body, key_reader, number, split
from connectors.onec_odata.transport import TooBig, Transport
from connectors.onec_odata.urls import JSON, between, build
from hub.model.errors import HubError, RetryLater, StopRoute
from hub.model.records import Page, Window

log = logging.getLogger("obmen.onec")

#: How the virtual tables of ``ReadRequest.table`` are called in 1C.
VIRTUAL = {"balance": "Balance", "slice_last": "SliceLast"}
#: A page may weigh this many times its target before it is given up and asked for in halves.
_TOLERANCE = 4
#: A virtual table cannot be paged; it may weigh this many pages.
_WHOLE = 32
#: Faults by which a base shows that it knows no ``/$count``.
_NO_COUNT = {"source_error", "source_failed", "not_onec", "html_page", "unknown_table", "unknown_object"}
#: From this length on an address may be refused by the web server and never reach 1C: IIS takes 2048 characters of
#: query by default, and each Cyrillic letter of a field's name is six of them.
_LONG = 1500
_REFUSED = {"not_onec", "source_error"}
_CUT_RETRIES = 2
_SLOW_RETRIES = 3


def plain(request: ReadRequest) -> ReadRequest:
    """``set#table`` names of ``streams()`` taken apart; requests for plain sets as they are."""
    stream, mark, table = request.stream.partition("#")
    return replace(request, stream=stream, table=table) if mark else request


def by_recorder(request: ReadRequest) -> bool:
    """True for a set of a register subordinate to recorders: it has an order of its own and ignores ``$orderby``."""
    return any(name in {"Recorder", "Recorder_Key"} for name in request.key)


def order(request: ReadRequest) -> str:
    """``$orderby`` that makes ``$skip`` mean the same in every request: the date of a document, then the full key."""
    if by_recorder(request):
        return ""
    dated = (request.date_field,) if request.date_field and request.date_field not in request.key else ()
    return ",".join((*dated, *request.key))


def window_filter(request: ReadRequest) -> str:
    """``$filter`` for the window. Movements are dated inside their record set: there it is a lambda."""
    window, name = request.window, request.date_field
    if window is None or not name:
        return ""
    if by_recorder(request) and "LineNumber" not in request.key:
        inner = between(f"r/{name}", window.start, window.end)
        return f"RecordSet/any(r: {inner})" if inner else ""
    return between(name, window.start, window.end)


def select(request: ReadRequest) -> str:
    """``$select``: the fields asked for, with the key; empty (everything) when none were named."""
    if not request.fields:
        return ""
    missing = [name for name in request.key if name not in request.fields]
    return ",".join((*missing, *request.fields))


class Reader:
    """Reads one base through ``transport``; keeps what it learned about the weight of each stream's records."""

    def __init__(self, settings: OneCSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._weights: dict[tuple[str, tuple[str, ...]], int] = {}
        self._count_by_path = True
        self._whole: set[tuple[str, tuple[str, ...]]] = set()

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Pages of ``request`` in a stable order, from its position."""
        request = plain(request)
        return self._walk(request) if request.table == "set" else self._virtual(request)

    def _asked(self, request: ReadRequest) -> Asked:
        return Asked(self._settings.name, request.stream, VIRTUAL.get(request.table, ""))

    def _walk(self, request: ReadRequest) -> Iterator[Page]:
        asked, settings = self._asked(request), self._settings
        key_of = key_reader(request.key, asked)
        seam = Seam.resume(request.position)
        learned = (request.stream, request.fields)
        sizer = Sizer(min(request.page_size, settings.page_size), settings.page_bytes, self._weights.get(learned, 0))
        while True:
            start, size, answer, body = self._page(request, asked, seam, sizer)
            try:
                fresh = seam.accept(start, body.rows, key_of)
            except Stuck:
                raise StopRoute("skip_ignored", system=asked.system, stream=asked.stream) from None
            if fresh is None:
                continue
            last = len(body.rows) < size
            sizer.learn(len(body.rows), len(answer.body))
            self._weights[learned] = sizer.size
            yield Page(request.stream, fresh, (), seam.position, last, len(answer.body))
            if last:
                return

    def _page(self, request: ReadRequest, asked: Asked, seam: Seam, sizer: Sizer) -> tuple[int, int, Answer, Body]:
        """One page as big as the base can make; halves it when the base runs out of memory or of time."""
        slow = 0
        while True:
            start, size = seam.start(sizer.size), sizer.size
            url = self._url(request, ("$top", str(size)), ("$skip", str(start)))
            try:
                answer, body = self._fetch(url, asked, self._settings.page_bytes * _TOLERANCE)
            except TooBig:
                if not sizer.halve():
                    raise StopRoute("record_too_big", system=asked.system, stream=asked.stream) from None
            except HubError as error:
                if self._too_long(request, url, error):
                    continue
                slow += error.code == "source_timeout"
                heavy = error.code == "source_memory" or (error.code == "source_timeout" and slow <= _SLOW_RETRIES)
                if not heavy or not sizer.halve():
                    raise
            else:
                return start, size, answer, body

    def _too_long(self, request: ReadRequest, url: str, error: HubError) -> bool:
        """Whether to try without ``$select``: all fields come then, which is slow, but they come."""
        known = (request.stream, request.fields)
        if error.code not in _REFUSED or len(url) < _LONG or not request.fields or known in self._whole:
            return False
        self._whole.add(known)
        log.warning(
            "%s: the web server refuses an address of %d characters, %s is read with all its fields "
            "(raise maxQueryString of the publication)",
            self._settings.name,
            len(url),
            request.stream,
        )
        return True

    def _url(self, request: ReadRequest, *more: tuple[str, str]) -> str:
        path = request.stream if request.table == "set" else f"{request.stream}/{VIRTUAL[request.table]}()"
        named = (
            ("$select", "" if (request.stream, request.fields) in self._whole else select(request)),
            ("$filter", window_filter(request)),
            ("$orderby", order(request) if request.table == "set" else ""),
        )
        options = [("$format", JSON), *((name, value) for name, value in named if value), *more]
        return build(self._transport.root, path, options)

    def _fetch(self, url: str, asked: Asked, limit: int) -> tuple[Answer, Body]:
        """Get and split; a body cut in the middle by the base itself (with a good length) is asked for again."""
        for remaining in range(_CUT_RETRIES, -1, -1):
            answer = self._transport.get(url, asked, limit=limit)
            try:
                return answer, split(answer, asked)
            except RetryLater as error:
                if error.code != "page_cut" or not remaining:
                    raise
        raise AssertionError("unreachable")

    def _virtual(self, request: ReadRequest) -> Iterator[Page]:
        """A virtual table: computed by 1C as one answer, handed on in pages. It cannot be gone on with, only redone."""
        asked = self._asked(request)
        if request.table not in VIRTUAL:
            raise StopRoute("unknown_table", system=asked.system, stream=asked.stream, table=request.table)
        try:
            answer, body = self._fetch(self._url(request), asked, self._settings.page_bytes * _WHOLE)
        except TooBig:
            raise StopRoute("record_too_big", system=asked.system, stream=asked.stream) from None
        rows, size = body.rows, max(1, request.page_size)
        starts = range(0, max(1, len(rows)), size)
        for begin in starts:
            part = rows[begin : begin + size]
            share = len(answer.body) * len(part) // max(1, len(rows))
            yield Page(request.stream, part, (), {}, begin == starts[-1], share)

    def count(self, request: ReadRequest) -> int:
        """How many records ``pages`` would deliver.

        Some bases refuse ``/$count``; then ``$inlinecount`` is asked, which some combine with ``$top`` and some do
        not; where neither tells, the keys are read and counted.
        """
        request = plain(replace(request, position=None, fields=request.key))
        if request.table != "set":
            return sum(len(page.records) for page in self.pages(request))
        if self._count_by_path:
            try:
                return self._by_path(request)
            except HubError as error:
                if error.code not in _NO_COUNT:
                    raise
                self._count_by_path = False
        asked = self._asked(request)
        url = self._url(request, ("$top", "1"), ("$inlinecount", "allpages"))
        body = self._fetch(url, asked, self._settings.page_bytes * _WHOLE)[1]
        if body.count is not None:
            return body.count
        return sum(len(page.records) for page in self.pages(request))

    def _by_path(self, request: ReadRequest) -> int:
        asked, condition = Asked(self._settings.name, request.stream, "$count"), window_filter(request)
        options = [("$filter", condition)] if condition else []
        url = build(self._transport.root, f"{request.stream}/$count", options)
        answer = self._transport.get(url, asked, accept="text/plain,*/*")
        found = number(bytes(answer.content[:40]).decode("ascii", errors="replace"))
        if found is None:
            raise StopRoute("source_error", system=asked.system, stream=asked.stream, text="$count")
        return found

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Count and sum by day of ``stream`` within ``window``, read anew (key, date and total only).

        Days are the base's own local days; days without documents are left out. Money is exact: the number as it was
        written, rounded to hundredths.
        """
        request = ReadRequest(
            stream,
            (date_field, total_field),
            window=window,
            date_field=date_field,
            page_size=self._settings.page_size,
        )
        decode = _total_reader(date_field, total_field)
        found: dict[str, tuple[str, int]] = {}
        for page in self._walk(request):
            for raw in page.records:
                item = _decoded(decode, raw, self._asked(request), f"{date_field}, {total_field}")
                found[item.key] = (item.day[:10], _hundredths(item.total))
        days: dict[str, tuple[int, int]] = {}
        for day, total in found.values():
            count, so_far = days.get(day, (0, 0))
            days[day] = (count + 1, so_far + total)
        return [DayTotal(date.fromisoformat(day), *days[day]) for day in sorted(days)]


def _total_reader(date_field: str, total_field: str) -> Any:
    fields = [("key", str), ("day", str), ("total", Decimal | None)]
    names = {"key": "Ref_Key", "day": date_field, "total": total_field}
    return msgspec.json.Decoder(msgspec.defstruct("Total", fields, rename=names)).decode


def _decoded(decode: Any, raw: msgspec.Raw, asked: Asked, fields: str) -> Any:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StopRoute("key_missing", system=asked.system, stream=asked.stream, field=fields) from None


def _hundredths(value: Decimal | None) -> int:
    return int((value or Decimal(0)).scaleb(2).to_integral_value(ROUND_HALF_UP))
