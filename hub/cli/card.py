"""``obmen card``: a client with its whole history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.parser import argument, command, option
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.comms.history import ClientCard, Entry


def commands(lang: str) -> list[click.Command]:
    """The command."""
    words = [
        click.Argument(["entity"], metavar="party", type=click.Choice(["party"])),
        argument("ident", "ID", required=True),
        option(lang, "--limit", "limit", metavar="N", type=click.IntRange(1), default=None),
    ]
    return [command(lang, "card", card, words)]


def card(call: Call, entity: str, ident: str, limit: int | None = None) -> Outcome:  # noqa: ARG001 - one entity so far
    """Show a client: who it is, and what happened with it, the newest first."""
    from hub.exchange.comms import history
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = history.card(hub, ident, limit or history.MOST)
        zone = ZoneInfo(hub.settings.company_timezone)
    return Outcome(DONE, asdict(found), list(_lines(call, found, zone)))


def _lines(call: Call, found: ClientCard, zone: ZoneInfo) -> Iterator[str]:
    told = {"record": found.record_id, "label": found.label, "kind": found.kind, "state": found.state}
    yield call.text("card_head", **told)
    yield call.text("card_keys", keys=", ".join(f"{system}: {key}" for system, key in found.keys) or "—")
    if found.points:
        points = (one.value + (f" ({one.ext})" if one.ext and one.ext not in one.value else "") for one in found.points)
        yield call.text("card_points", points=", ".join(points))
    if found.people:
        yield call.text("card_people", people=", ".join(f"{name} (№ {number})" for number, name in found.people))
    if found.merged:
        yield call.text("card_merged", numbers=", ".join(map(str, found.merged)))
    yield call.text("card_entries", shown=len(found.entries), total=found.total)
    for entry in found.entries:
        yield _entry(call, entry, zone)


def _entry(call: Call, entry: Entry, zone: ZoneInfo) -> str:
    at = f"{entry.at.astimezone(zone):%d.%m.%Y %H:%M}" if entry.at else "—"
    way = {"inbound": " ←", "outbound": " →"}.get(entry.direction or "", "")
    rule = sentence(f"comms_rule_{entry.rule}", call.lang)
    via = f", {entry.via}" if entry.via else ""
    handle = f" {entry.handle}" if entry.handle else ""
    kind = sentence(f"comms_kind_{entry.kind}", call.lang)
    title = f" «{entry.title}»" if entry.title else ""
    state = ", ".join([entry.status or "—", *(sentence(f"comms_mark_{mark}", call.lang) for mark in entry.marks)])
    return f"  {at}  {kind}{way} № {entry.record_id}{title} · {state} · {rule}{handle}{via}"
