"""Virtual tables of registers: computed by 1C as one answer, handed on in pages.

Parameters stand in the path (``Balance(Period=datetime'…',Dimensions='…')``) or in the query (``Balance?Period=…``);
IIS refuses a path segment of more than 260 characters, and bases are known that take only one of the two forms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from connectors.base import ReadRequest
from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.asking import FIRST, LAST, whole
from connectors.onec_odata.getting import Getter
from connectors.onec_odata.rows import Body, sight
from connectors.onec_odata.urls import JSON, SAFE, build, moment, text
from connectors.web import TooBig
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page

#: How the virtual tables of ``ReadRequest.table`` are called in 1C.
VIRTUAL = {
    "balance": "Balance",
    "turnovers": "Turnovers",
    "balance_and_turnovers": "BalanceAndTurnovers",
    "slice_last": "SliceLast",
    "slice_first": "SliceFirst",
}
#: A virtual table cannot be paged; it may weigh this many pages.
WHOLE = 32
#: Longer segments are refused by IIS.
LONGEST_SEGMENT = 260
#: Answers by which a base may show that it does not take this form of the call.
_OTHER_FORM = {"unknown_table", "source_error", "not_onec", "unknown_field"}
_SUMMED = "AccumulationRegister_"
_KEY = "_Key"
#: How columns of a virtual table end that are no dimensions, and what else is none.
_SUMS = ("Balance", "Turnover", "Receipt", "Expense", "Period")
_MOVES = {"Recorder", "Recorder_Type", "LineNumber"}


def parameters(request: ReadRequest) -> list[tuple[str, str]]:
    """Parameters of the table: moments from the window, dimensions from the key and the fields.

    ``Balance`` is of the moment before its ``Period``, the others include their moments, which have whole seconds.
    Only registers of sums take ``Dimensions``: rows that differ in others than those asked for are summed.
    """
    span, last = whole(request), timedelta(seconds=1)
    begin = moment(span.start) if span.start > FIRST else ""
    end = moment(span.end - last) if span.end < LAST else ""
    found: list[tuple[str, str]] = []
    if request.table == "balance":
        found = [("Period", moment(span.end) if end else "")]
    elif request.table == "slice_last":
        found = [("Period", end)]
    elif request.table == "slice_first":
        found = [("Period", begin)]
    else:
        found = [("StartPeriod", begin), ("EndPeriod", end)]
    return [item for item in (*found, ("Dimensions", dimensions(request))) if item[1]]


def dimensions(request: ReadRequest) -> str:
    """A text literal with the dimensions in the key and in the fields; empty where the table takes none.

    Of the fields those are dimensions that are no sums: 1C names the columns of sums by what they sum up.
    """
    fields = [name for name in request.fields if not name.endswith(_SUMS) and name not in _MOVES]
    names = list(dict.fromkeys((*request.key, *fields)))
    twins = {f"{name}_Type" for name in names}
    bare = [name.removesuffix(_KEY) for name in names if name not in twins and name != "Ref_Key"]
    if not bare or not request.stream.startswith(_SUMMED) or request.table.startswith("slice"):
        return ""
    return text(",".join(bare))


class Virtual:
    """Reads virtual tables of one base; remembers which form of a call it takes."""

    def __init__(self, getter: Getter) -> None:
        self._getter = getter
        self._in_query: set[str] = set()

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """All rows of the table. It cannot be gone on with, only redone: positions are empty.

        ``StopRoute``: ``unknown_table`` (the register has none such), ``key_repeats`` (the key does not tell rows
        apart), ``record_too_big``.
        """
        asked = self._getter.asked(request, VIRTUAL.get(request.table, request.table))
        if request.table not in VIRTUAL:
            raise StopRoute("unknown_table", system=asked.system, stream=asked.stream, table=request.table)
        try:
            answer, body = self._rows(request, asked)
        except TooBig:
            raise self._getter.too_big(request) from None
        self._distinct(request, body, asked)
        rows, size = body.rows, max(1, request.page_size)
        starts = range(0, max(1, len(rows)), size)
        for begin in starts:
            part = rows[begin : begin + size]
            share = len(answer.body) * len(part) // max(1, len(rows))
            yield Page(request.stream, part, (), {}, begin == starts[-1], share)

    def _rows(self, request: ReadRequest, asked: Asked) -> tuple[Answer, Body]:
        """By the form that is right for the length; by the other one when the base does not take it."""
        known = request.table in self._in_query
        forms = (True,) if self._too_long(request) else (known, not known)
        get = partial(self._getter.fetch, asked=asked, limit=self._getter.settings.page_bytes * WHOLE)
        refused = HubError("unknown_table")
        for number, in_query in enumerate(forms):
            try:
                found = self._getter.selected_or_all(request, partial(self._url, request, in_query), get)
            except HubError as error:
                if error.code not in _OTHER_FORM:
                    raise
                refused = refused if number else error
            else:
                if in_query and len(forms) > 1:
                    self._in_query.add(request.table)
                return found
        raise refused

    @staticmethod
    def _segment(request: ReadRequest) -> str:
        inside = ",".join(f"{name}={value}" for name, value in parameters(request))
        return f"{VIRTUAL[request.table]}({inside})"

    def _too_long(self, request: ReadRequest) -> bool:
        return len(quote(self._segment(request), safe=SAFE)) > LONGEST_SEGMENT

    def _url(self, request: ReadRequest, in_query: bool) -> str:
        options = [("$format", JSON), self._getter.selected(request)]
        last = VIRTUAL[request.table] if in_query else self._segment(request)
        more = parameters(request) if in_query else []
        return build(
            self._getter.transport.root,
            f"{request.stream}/{last}",
            [option for option in (*options, *more) if option[1]],
        )

    @staticmethod
    def _distinct(request: ReadRequest, body: Body, asked: Asked) -> None:
        """Two rows with one key would overwrite each other in the store without anybody noticing."""
        look = sight(request.key, asked)
        keys = Counter(look(raw)[0] for raw in body.rows)
        if len(keys) < len(body.rows):
            key = ", ".join(request.key)
            repeated = sum(number > 1 for number in keys.values())
            raise StopRoute(
                "key_repeats", system=asked.system, stream=asked.stream, table=asked.table, key=key, number=repeated
            )
