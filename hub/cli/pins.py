"""``obmen pin``, ``unpin`` and ``pins``: values that persons set, which outrank every system."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.parser import argument, command, option

if TYPE_CHECKING:
    from hub.exchange.pins import Pinned


def commands(lang: str) -> list[click.Command]:
    """The three commands."""
    words = [argument(name, name.upper(), required=True) for name in ("entity", "ident", "field")]
    note = option(lang, "--note", "note", metavar="TEXT", default=None)
    return [
        command(lang, "pin", pin, [*words, argument("value", "VALUE", required=True), note]),
        command(lang, "unpin", unpin, words),
        command(lang, "pins", pins, [argument("entity", "ENTITY")]),
    ]


def pin(call: Call, entity: str, ident: str, field: str, value: str, note: str | None = None) -> Outcome:
    """Set a value. An empty one clears the field."""
    from hub.exchange import pins as service
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        done = service.pin(hub, entity, ident, field, value, by=getpass.getuser(), note=note)
    if not done.run_id:
        return Outcome(DONE, asdict(done), [call.text("pin_same", field=done.path, record=done.record_id)])
    return _told(call, done, "pin_set")


def unpin(call: Call, entity: str, ident: str, field: str) -> Outcome:
    """Take a value back."""
    from hub.exchange import pins as service
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        done = service.unpin(hub, entity, ident, field, by=getpass.getuser())
    return _told(call, done, "pin_taken")


def pins(call: Call, entity: str | None = None) -> Outcome:
    """List the pins that hold."""
    from hub.exchange import pins as service
    from hub.exchange.hub import Hub
    from hub.exchange.which import entity_of

    with Hub.open(call.home) as hub:
        found = service.pins(hub, entity_of(hub, entity) if entity else None)
        zone = ZoneInfo(hub.settings.company_timezone)
    lines = []
    for one in found:
        told = {
            "entity": one.entity,
            "record": one.record_id,
            "label": one.label,
            "field": one.path,
            "value": one.value if one.value is not None else call.text("why_empty"),
            "by": one.by,
            "at": f"{one.at.astimezone(zone):%d.%m.%Y %H:%M}",
            "note": f" ({one.note})" if one.note else "",
        }
        lines.append(call.text("pin_line_ends" if one.ends else "pin_line", **told))
    return Outcome(DONE, {"pins": [asdict(one) for one in found]}, lines or [call.text("pin_none")])


def _told(call: Call, done: Pinned, code: str) -> Outcome:
    empty = call.text("why_empty")
    told = {"field": done.path, "record": done.record_id, "label": done.label, "run": done.run_id}
    before, after = (empty if value is None else value for value in (done.before, done.after))
    lines = [call.text(code, **told), call.text("pin_value", before=before, after=after)]
    if done.told:
        lines.append(call.text("pin_told", systems=", ".join(done.told)))
    if done.left:
        lines.append(call.text("pin_left", systems=", ".join(done.left)))
    return Outcome(DONE, asdict(done), lines)
