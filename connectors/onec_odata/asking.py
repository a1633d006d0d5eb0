"""What to ask 1C for: a ``ReadRequest`` as query options, for each kind of set. No I/O.

Every kind of set has its own way (1C's ``$orderby`` is what makes ``$skip`` mean the same in every request)::

    catalogs, documents        $orderby=[date,]Ref_Key: 1C sorts references by what they show, never by GUID
    tabular parts              $orderby=Ref_Key,LineNumber: with Ref_Key alone rows are lost between pages
    independent registers      $orderby=full key, which really sorts
    registers of recorders     no $orderby, they ignore it and have an order of their own;
                               movements are dated inside their record set, where only any() sees them

Sets with a date are read in *spans* of days, each paged from its own start: the work of 1C for a page and the harm of a
shift stay within a span.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from connectors.base import ReadRequest
from connectors.onec_odata.rows import VERSION
from connectors.onec_odata.urls import between

#: 1C's own calendar ends with this year.
_LAST_YEAR = 3999
#: No bound.
FIRST, LAST = datetime.combine(date.min, time.min), datetime.combine(date.max, time.max)


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` up to but not including ``end``, in the base's own time zone."""

    start: datetime = FIRST
    end: datetime = LAST

    def after(self, whole: Span, days: int) -> Span:
        """The next span of at most so many days within ``whole``."""
        return Span(self.end, _later(self.end, days, whole.end))

    def cut(self, first: str, last: str, days: int) -> Span:
        """This span ended so many days after the moment ``first``, but not before the day of ``last`` is over.

        Both as 1C writes them. The same span where they are no moments.
        """
        try:
            begin, seen = datetime.fromisoformat(first), datetime.fromisoformat(last)
        except ValueError:
            return self
        return Span(self.start, max(_later(max(begin, self.start), days, self.end), _later(seen, 1, self.end)))


def _later(moment: datetime, days: int, latest: datetime) -> datetime:
    """The beginning of the day so many days later, or ``latest`` if that comes first."""
    if latest.date() - moment.date() <= timedelta(days=days):
        return latest
    return datetime.combine(moment.date() + timedelta(days=days), time.min)


def plain(request: ReadRequest) -> ReadRequest:
    """``set#table`` names of ``streams()`` taken apart; requests for plain sets as they are."""
    stream, mark, table = request.stream.partition("#")
    return replace(request, stream=stream, table=table) if mark else request


def by_recorder(request: ReadRequest) -> bool:
    """True for a set of a register subordinate to recorders: it has an order of its own and ignores ``$orderby``."""
    return any(name in {"Recorder", "Recorder_Key"} for name in request.key)


def axis(request: ReadRequest) -> str:
    """The date that records are ordered and cut by: when they were changed if that is asked for, else their own."""
    return request.changed_field or request.date_field


def order(request: ReadRequest) -> str:
    """``$orderby`` of the set: its axis, then the full key."""
    if by_recorder(request):
        return ""
    dated = (axis(request),) if axis(request) and axis(request) not in request.key else ()
    return ",".join((*dated, *request.key))


def whole(request: ReadRequest) -> Span:
    """All that is asked for, along the axis."""
    if request.changed_field:
        return Span(datetime.fromisoformat(request.since)) if request.since else Span()
    window = request.window
    if window is None or (request.table == "set" and not request.date_field):
        return Span()
    end = LAST if window.end.year > _LAST_YEAR else _midnight(window.end)
    return Span(_midnight(window.start), end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def divisible(request: ReadRequest, days: int) -> bool:
    """Whether the set is read in spans.

    The date must come with the records, to see where they are; a register of recorders shows none, and is cut only
    where both ends are given.
    """
    name, asked = axis(request), whole(request)
    if not name or asked.end - asked.start <= timedelta(days=days):
        return False
    if by_recorder(request):
        return asked.start > FIRST and asked.end < LAST
    return not request.fields or name in request.fields or name in request.key


def versioned(request: ReadRequest) -> bool:
    """Whether a change of a record shows in what is asked for."""
    return not request.fields or VERSION in request.fields


def condition(request: ReadRequest, span: Span | None = None) -> str:
    """``$filter`` for ``span`` of the axis (all that is asked for, if not given)."""
    span = span or whole(request)
    if not axis(request):
        return ""
    found = [_dated(request, axis(request), span)]
    if request.changed_field and request.window and request.date_field:
        own = whole(replace(request, changed_field=""))
        found.append(_dated(request, request.date_field, own))
    return " and ".join(filter(None, found))


def _dated(request: ReadRequest, name: str, span: Span) -> str:
    """Movements are dated inside their record set: there it is a lambda."""
    if by_recorder(request) and "LineNumber" not in request.key and name == request.date_field:
        inner = between(f"r/{name}", span.start, span.end)
        return f"RecordSet/any(r: {inner})" if inner else ""
    return between(name, span.start, span.end)


def select(request: ReadRequest) -> str:
    """``$select``: the fields asked for, with the key; empty (everything) when none were named."""
    if not request.fields:
        return ""
    missing = [name for name in request.key if name not in request.fields]
    return ",".join((*missing, *request.fields))


def keys_only(request: ReadRequest) -> ReadRequest:
    """The same records by key alone, with their version where that was asked for."""
    return replace(request, fields=tuple(dict.fromkeys((*request.key, *({VERSION} & set(request.fields))))))
