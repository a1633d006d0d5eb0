"""``obmen activity``: letters, calls, messages and meetings whose client is not known, and a person's word on them."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command, family, option
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.comms.hand import Said
    from hub.exchange.comms.queue import Open

STATES = ("ambiguous", "unmatched")


def commands(lang: str) -> list[click.Command]:
    """The family."""
    named = argument("ident", "ID", required=True)
    limit = option(lang, "--limit", "limit", metavar="N", type=click.IntRange(1), default=None)
    state = option(lang, "--state", "match_state", type=click.Choice(STATES), default=None)
    parts = [
        command(lang, "list", waiting, [state, limit], of="activity"),
        command(lang, "link", link, [named, argument("party", "PARTY", required=True)], of="activity"),
        command(lang, "ignore", ignore, [named], of="activity"),
        command(lang, "release", release, [named], of="activity"),
    ]
    return [family(lang, "activity", parts)]


def waiting(call: Call, match_state: str | None = None, limit: int | None = None) -> Outcome:
    """Those that wait for a person."""
    from hub.exchange.comms import queue
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        states = [match_state] if match_state else list(STATES)
        found = queue.waiting(hub, states, limit or queue.MOST)  # type: ignore[arg-type]
        zone = ZoneInfo(hub.settings.company_timezone)
    lines = [line for one in found for line in _lines(call, one, zone)]
    data = {"activities": [asdict(one) for one in found]}
    return Outcome(WAITS if found else DONE, data, lines or [call.text("activity_none")])


def link(call: Call, ident: str, party: str) -> Outcome:
    """The activity is that client's."""
    from hub.exchange.comms import hand
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        return _told(call, hand.link(hub, ident, party, by=getpass.getuser()))


def ignore(call: Call, ident: str) -> Outcome:
    """The activity is no client's."""
    from hub.exchange.comms import hand
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        return _told(call, hand.ignore(hub, ident, by=getpass.getuser()))


def release(call: Call, ident: str) -> Outcome:
    """The rules decide again."""
    from hub.exchange.comms import hand
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        return _told(call, hand.release(hub, ident, by=getpass.getuser()))


def _told(call: Call, said: Said) -> Outcome:
    told = {"activity": said.activity_id, "party": said.party_id, "label": said.label, "run": said.run_id}
    state = sentence(f"comms_state_{said.after[0]}", call.lang)
    return Outcome(DONE, asdict(said), [call.text(f"activity_{said.word}", state=state, **told)])


def _lines(call: Call, one: Open, zone: ZoneInfo) -> list[str]:
    told = {
        "activity": one.activity_id,
        "kind": sentence(f"comms_kind_{one.type}", call.lang),
        "at": f"{one.at.astimezone(zone):%d.%m.%Y %H:%M}",
        "who": ", ".join(one.who) or "—",
        "subject": f" «{one.subject}»" if one.subject else "",
        "state": sentence(f"comms_state_{one.state}", call.lang),
        "rule": sentence(f"comms_rule_{one.rule}", call.lang),
    }
    lines = [call.text("activity_line", **told)]
    for candidate in one.candidates:
        last = f"{candidate.last_at.astimezone(zone):%d.%m.%Y}" if candidate.last_at else "—"
        named = {"entity": candidate.entity, "record": candidate.record_id, "label": candidate.label}
        lines.append(call.text("activity_candidate", last=last, **named))
    return lines
