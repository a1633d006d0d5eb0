"""A route's report as metadata of its materialization: numbers that plot, one small table, nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from hub.assets.request import Request
from hub.exchange.service import RouteReport
from hub.model.records import OUTCOMES
from hub.texts import sentence

#: Labels in the reader's language with Dagster's metadata values.
Metadata = dict[str, Any]
ROW_COUNT = "dagster/row_count"
ONE_DAY = timedelta(days=1)
_MOST_REASONS = 20


def route_metadata(report: RouteReport, ask: Request, run_id: int, rows: int, lang: str) -> Metadata:
    """``run_id``: number of the exchange run; ``rows``: records of the route's system that the store holds now."""
    counters = report.counters
    numbers: dict[str, int | float] = {
        "dg_received": counters.received,
        **{f"dg_{name}": getattr(counters, name) for name in OUTCOMES},
        "dg_deleted": report.deleted,
        "dg_restored": report.restored,
        "dg_released": report.released,
        "dg_absent": report.absent,
        "dg_in_quarantine": sum(report.quarantine.values()),
        "dg_pages": report.pages,
        "dg_requests": report.requests,
        "dg_seconds": round(report.seconds, 2),
        "dg_run": run_id,
    }
    told: Metadata = {ROW_COUNT: rows}
    told |= {sentence(label, lang): value for label, value in numbers.items()}
    told[sentence("dg_mode", lang)] = sentence(f"dg_mode_{ask.mode}", lang)
    if ask.window is not None:
        told[sentence("dg_window", lang)] = f"{ask.window.start:%d.%m.%Y} … {ask.window.end - ONE_DAY:%d.%m.%Y}"
    if counters.skipped_by or report.quarantine:
        told[sentence("dg_reasons", lang)] = reasons(counters.skipped_by, report.quarantine, lang)
    if report.later:
        told[sentence("dg_later", lang)] = ", ".join(report.later)
    if report.resumed:
        told[sentence("dg_resumed", lang)] = True
    return told


def reasons(skipped: Mapping[str, int], quarantine: Mapping[str, int], lang: str) -> MetadataValue[Any]:
    """Why records did not pass, the most frequent first. Reasons are codes: a sentence may name a client."""
    kind, reason, number = (sentence(label, lang) for label in ("dg_kind", "dg_reason", "dg_number"))
    rows = [("dg_skipped", _why(code, lang), count) for code, count in skipped.items()]
    rows += [("dg_in_quarantine", code, count) for code, count in quarantine.items()]
    rows.sort(key=lambda row: -row[2])
    return MetadataValue.table(
        records=[
            TableRecord({kind: sentence(what, lang), reason: why, number: count})
            for what, why, count in rows[:_MOST_REASONS]
        ],
        schema=TableSchema([TableColumn(kind), TableColumn(reason), TableColumn(number, "int")]),
    )


def _why(reason: str, lang: str) -> str:
    """A reason for passing a record over; a site's own mapping may name one that has no text."""
    said = sentence(f"skip_{reason}", lang)
    return reason if said == f"skip_{reason}" else said
