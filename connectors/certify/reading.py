"""What the tests of all points do with pages and records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from connectors.base import Connector, FeedPacket, WriteResult
from connectors.certify.subject import Known
from hub.model.errors import HubError
from hub.model.records import Page, Window
from hub.texts import LANGS

#: A window in which no subject has documents.
NOWHEN = Window(date(1990, 1, 1), date(1990, 1, 2))


def decoded(pages: Iterable[Page]) -> list[dict[str, Any]]:
    """All records of all pages."""
    return [json.loads(bytes(raw)) for page in pages for raw in page.records]


def ids(known: Known, pages: Iterable[Page]) -> list[str]:
    """External ids in the order of delivery."""
    return ["|".join(str(record[name]) for name in known.key) for record in decoded(pages)]


def by_id(known: Known, pages: Iterable[Page]) -> dict[str, dict[str, Any]]:
    """Records by external id."""
    return {"|".join(str(record[name]) for name in known.key): record for record in decoded(pages)}


def raws(known: Known, pages: Iterable[Page]) -> dict[str, bytes]:
    """Records as they are handed over, by external id."""
    return {ids(known, [Page("", [raw])])[0]: bytes(raw) for page in pages for raw in page.records}


def days(connector: Connector, known: Known) -> list[date]:
    """Days of all records of a dated stream, in order."""
    return sorted(date.fromisoformat(r[known.date_field][:10]) for r in decoded(connector.read(known.request())))


def of_stream(known: Known, packet: FeedPacket | None) -> list[Page]:
    """Pages of that stream in a packet of the change feed, which must be there."""
    assert packet is not None, "the change feed gives no packet although something has changed"
    return [page for page in packet.pages if page.stream == known.stream]


def only_the_last_is_last(pages: Iterable[Page]) -> bool:
    """Whether there is a page, and exactly the last one says so."""
    marks = [page.last for page in pages]
    return bool(marks) and marks == [False] * (len(marks) - 1) + [True]


def told(error: HubError) -> bool:
    """Whether an error has a sentence and an advice in every language, and not just its code."""
    return all(error.sentence(lang) not in {"", error.code} and error.advice(lang) for lang in LANGS)


def shown(result: WriteResult) -> dict[str, Any]:
    """The record that a result shows, which must be there."""
    assert result.record is not None, f"the result ({result.became}) shows no record"
    found: dict[str, Any] = json.loads(result.record)
    return found


def otherwise(record: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> list[str]:
    """Names of the fields that a record shows otherwise; a nested table by the values of its rows that were sent."""
    assert record is not None, "the record is not there"
    return [name for name, value in fields.items() if not _same(record.get(name), value)]


def _same(shows: Any, sent: Any) -> bool:
    if not isinstance(sent, list | tuple):
        return bool(shows == sent)
    rows = list(shows or ())
    return len(rows) == len(sent) and all(
        all(row.get(name) == value for name, value in wanted.items()) for row, wanted in zip(rows, sent, strict=True)
    )
