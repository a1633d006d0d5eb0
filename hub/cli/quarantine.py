"""``obmen quarantine``: the records that could not pass, each with its reason and what to do."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command, option
from hub.texts import advice, sentence

if TYPE_CHECKING:
    from hub.store.quarantined import Quarantined


def commands(lang: str) -> list[click.Command]:
    """The command."""
    limit = option(
        lang, "--limit", "limit", type=click.IntRange(1, 100_000), metavar="N", default=100, show_default=True
    )
    return [command(lang, "quarantine", quarantine, [argument("routes", "ROUTE", many=True), limit])]


def quarantine(call: Call, routes: tuple[str, ...] = (), limit: int = 100) -> Outcome:
    """Read the store; nothing is written, no system is asked."""
    from hub.exchange.hub import Hub
    from hub.store.quarantined import quarantined

    with Hub.open(call.home) as hub:
        for code in routes:
            hub.route(code)
        with hub.store.read() as conn:
            found = quarantined(conn, tuple(routes), limit)
    if not found:
        return Outcome(DONE, {"records": []}, [call.text("quarantine_empty")])
    return Outcome(WAITS, {"records": [_data(call, item) for item in found]}, _lines(call, found))


def _reason(call: Call, item: Quarantined) -> tuple[str, str]:
    params = {**item.params, "field": item.field, "value": item.value, "stream": item.stream}
    return sentence(item.reason_code, call.lang, **params), advice(item.reason_code, call.lang, **params)


def _data(call: Call, item: Quarantined) -> dict[str, Any]:
    said, advise = _reason(call, item)
    return {
        "route": item.route,
        "stream": item.stream,
        "external_id": item.external_id,
        "label": item.label,
        "reason": item.reason_code,
        "field": item.field,
        "value": item.value,
        "sentence": said,
        "advice": advise,
        "attempts": item.attempts,
        "first_at": item.first_at.isoformat(),
        "last_at": item.last_at.isoformat(),
    }


def _lines(call: Call, found: list[Quarantined]) -> list[str]:
    """By route and cause: the advice once, then each record with its culprit."""
    lines: list[str] = []
    for (code, _), group in groupby(found, lambda item: (item.route, item.reason_code)):
        items = list(group)
        said, advise = _reason(call, items[0])
        lines += ["", call.text("quarantine_cause", route=code, number=len(items), reason=said)]
        lines += [f"  {advise}"] if advise else []
        lines += [call.text("quarantine_record", **_shown(item)) for item in items]
    return [*lines[1:], "", call.text("quarantine_passes")]


def _shown(item: Quarantined) -> dict[str, Any]:
    return {
        "stream": item.stream,
        "id": item.external_id,
        "label": item.label or "—",
        "field": item.field or "—",
        "value": item.value or "—",
        "attempts": item.attempts,
        "since": f"{item.first_at:%d.%m.%Y}",
    }
