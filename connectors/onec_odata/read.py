"""Reading sets page by page, counting them, and sums by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from connectors.base import DayTotal, ReadRequest
from connectors.onec_odata import asking
from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.asking import Span
from connectors.onec_odata.getting import Getter
from connectors.onec_odata.paging import OVERLAP, Seam, Seen, Stuck, Unsteady
from connectors.onec_odata.rows import Body, number, sight
from connectors.onec_odata.sizes import Sizer
from connectors.onec_odata.urls import build
from connectors.onec_odata.virtual import Virtual
from connectors.web import TooBig
from hub.model.errors import HubError, RetryLater, StopRoute
from hub.model.records import Page, Window

#: A page may weigh this many times its target before it is given up and asked for in halves.
_TOLERANCE = 4
#: Faults by which a base shows that it knows no ``/$count``.
_NO_COUNT = {"source_error", "source_failed", "not_onec", "html_page", "unknown_table", "unknown_object"}
_SLOW_RETRIES = 3
_PEEKS = 3
_FAR = "1000000000"


@dataclass(slots=True)
class _Place:
    """Where a walk stands: the span it is in, and the seam within it. ``around``: keys looked at to find it again."""

    request: ReadRequest
    span: Span
    seam: Seam
    around: int = 2 * OVERLAP

    @classmethod
    def of(cls, request: ReadRequest) -> _Place:
        """The start of a read, or where the request's position says."""
        found, whole = request.position or {}, asking.whole(request)
        begin, end = found.get("from", ""), found.get("to", "")
        span = Span(
            datetime.fromisoformat(begin) if begin else whole.start, datetime.fromisoformat(end) if end else whole.end
        )
        return cls(request, span, Seam.resume(found, versioned=asking.versioned(request)))

    @property
    def position(self) -> dict[str, Any]:
        """What ``of`` needs."""
        whole, span = asking.whole(self.request), self.span
        begin = {} if span.start == whole.start else {"from": span.start.isoformat()}
        end = {} if span.end == whole.end else {"to": span.end.isoformat()}
        return begin | end | self.seam.position


class Reader:
    """Reads one base; keeps what it learned about the weight of each stream's records."""

    def __init__(self, getter: Getter) -> None:
        self._getter = getter
        self._settings = getter.settings
        self._virtual = Virtual(getter)
        self._sizers: dict[tuple[str, tuple[str, ...], int], Sizer] = {}
        self._count_by_path = True

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Pages of ``request`` in a stable order, from its position."""
        request = asking.plain(request)
        return self._walk(request) if request.table == "set" else self._virtual.pages(request)

    def _sizer(self, request: ReadRequest) -> Sizer:
        settings, most = self._settings, min(request.page_size, self._settings.page_size)
        known = (request.stream, request.fields, most)
        return self._sizers.setdefault(known, Sizer(most, settings.page_bytes, settings.page_seconds))

    def _walk(self, request: ReadRequest) -> Iterator[Page]:
        settings, asked, sizer = self._settings, self._getter.asked(request), self._sizer(request)
        look, whole = sight(request.key, asked), asking.whole(request)
        days = settings.request_days if asking.divisible(request, settings.request_days) else 0
        place = _Place.of(request)
        if days and asking.by_recorder(request) and not request.position:
            place.span = Span(whole.start, whole.start).after(whole, days)
        while True:
            try:
                start, size, answer, body = self._page(place, asked, sizer)
                fresh = place.seam.accept(start, body.rows, look)
            except Stuck:
                if self._far(place, asked):
                    raise StopRoute("skip_ignored", system=asked.system, stream=asked.stream) from None
                place.seam.trust()
                continue
            except Unsteady:
                raise RetryLater("set_unsteady", system=asked.system, stream=asked.stream) from None
            if fresh is None:
                continue
            sizer.learn(len(body.rows), len(answer.body), answer.seconds)
            ended, empty = len(body.rows) < size, not body.rows and start == 0
            last = ended and place.span.end >= whole.end
            if days and not last:
                self._onward(place, whole, body.rows, ended=ended)
                last = empty and not self._anything(request, Span(place.span.start, whole.end))
            if fresh or last:
                yield Page(request.stream, fresh, (), place.position, last, len(answer.body))
            if last:
                return

    def _onward(self, place: _Place, whole: Span, rows: list[msgspec.Raw], *, ended: bool) -> None:
        """Go on to the next span after the last page of one; end a span that was open once its dates are known."""
        request, days = place.request, self._settings.request_days
        if ended:
            place.seam = Seam(versioned=place.seam.versioned)
            place.span = Span(place.span.end, whole.end)
            if asking.by_recorder(request):
                place.span = Span(place.span.start, place.span.start).after(whole, days)
        elif place.span.end == whole.end and not asking.by_recorder(request):
            first, final = (self._dated(request, raw) for raw in (rows[0], rows[-1]))
            place.span = place.span.cut(first, final, days)

    def _dated(self, request: ReadRequest, raw: msgspec.Raw) -> str:
        name = asking.axis(request)
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(name, b"")
        return bytes(found).decode().strip('"')

    def _anything(self, request: ReadRequest, span: Span) -> bool:
        """Whether the set holds any record of ``span``; asked after an empty one, so that gaps of years are no walk."""
        if span.start >= span.end:
            return False
        url = self._getter.url(asking.keys_only(request), ("$top", "1"), span=span)
        return bool(self._getter.fetch(url, self._getter.asked(request), None)[1].rows)

    def _far(self, place: _Place, asked: Asked) -> bool:
        """Whether anything comes from far beyond the end of the set."""
        url = self._getter.url(asking.keys_only(place.request), ("$top", "1"), ("$skip", _FAR), span=place.span)
        return bool(self._getter.fetch(url, asked, None)[1].rows)

    def _page(self, place: _Place, asked: Asked, sizer: Sizer) -> tuple[int, int, Answer, Body]:
        """One page as big as the base can make; halves it when the base runs out of memory or of time."""
        slow, request = 0, place.request
        while True:
            size = sizer.size
            try:
                if size == 1 and place.seam.tail:
                    return self._lone(place, asked)
                start = place.seam.start(size)
                return start, size, *self._part(place, start, size, asked)
            except TooBig:
                if not sizer.halve():
                    raise self._getter.too_big(request) from None
            except HubError as error:
                slow += error.code == "source_timeout"
                heavy = error.code == "source_memory" or (error.code == "source_timeout" and slow <= _SLOW_RETRIES)
                if not heavy or not sizer.halve():
                    raise

    def _part(self, place: _Place, start: int, size: int, asked: Asked) -> tuple[Answer, Body]:
        paged = (("$top", str(size)), ("$skip", str(start)))
        limit = self._settings.page_bytes * _TOLERANCE
        return self._getter.selected_or_all(
            place.request,
            lambda: self._getter.url(place.request, *paged, span=place.span),
            lambda url: self._getter.fetch(url, asked, limit),
        )

    def _lone(self, place: _Place, asked: Asked) -> tuple[int, int, Answer, Body]:
        """A page of one record, which cannot overlap with the last: the keys around it tell which one is next.

        Somebody may write between the two requests: then it is another record than the keys said, and both are
        asked for again.
        """
        seam, keys = place.seam, asking.keys_only(place.request)
        known = {key for key, _ in seam.tail}
        for _ in range(_PEEKS):
            skip = None
            while skip is None:
                start, rows = self._around(place, keys, asked)
                skip = seam.follow(start, rows, versioned=asking.versioned(keys))
            answer, body = self._part(place, skip, 1, asked)
            wanted = [key for key, _ in rows[skip - start :][:1]]
            found = [sight(keys.key, asked)(raw)[0] for raw in body.rows]
            if found == wanted or set(found) & known:
                return skip, 1, answer, body
            if not wanted and self._around(place, keys, asked) == (start, rows):
                return skip, 1, answer, body
        raise RetryLater("set_unsteady", system=asked.system, stream=asked.stream)

    def _around(self, place: _Place, keys: ReadRequest, asked: Asked) -> tuple[int, list[Seen]]:
        """``$skip`` and keys of a few records around the place; fewer where the base cannot even make those."""
        look = sight(keys.key, asked)
        while True:
            start = place.seam.start(place.around, least=1)
            paged = (("$top", str(place.around)), ("$skip", str(start)))
            url = self._getter.url(keys, *paged, span=place.span)
            try:
                return start, [look(raw) for raw in self._getter.fetch(url, asked, None)[1].rows]
            except HubError as error:
                if error.code != "source_memory" or place.around == 1:
                    raise
                place.around //= 2

    def count(self, request: ReadRequest) -> int:
        """How many records ``pages`` would deliver.

        Some bases refuse ``/$count``; then ``$inlinecount`` is asked, which some combine with ``$top`` and some do
        not; where neither tells, the keys are read and counted.
        """
        request = asking.plain(replace(request, position=None))
        if request.table != "set":
            return sum(len(page.records) for page in self.pages(request))
        request = replace(request, fields=request.key)
        if self._count_by_path:
            try:
                return self._by_path(request)
            except HubError as error:
                if error.code not in _NO_COUNT:
                    raise
                self._count_by_path = False
        asked = self._getter.asked(request)
        url = self._getter.url(request, ("$top", "1"), ("$inlinecount", "allpages"))
        body = self._getter.fetch(url, asked, None)[1]
        if body.count is not None:
            return body.count
        return sum(len(page.records) for page in self.pages(request))

    def _by_path(self, request: ReadRequest) -> int:
        asked = Asked(self._settings.name, request.stream, "$count")
        named = (("$filter", asking.condition(request)), self._getter.allowed)
        url = build(self._getter.transport.root, f"{request.stream}/$count", [option for option in named if option[1]])
        answer = self._getter.transport.get(url, asked, accept="text/plain,*/*")
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
                item = _decoded(decode, raw, self._getter.asked(request), f"{date_field}, {total_field}")
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
