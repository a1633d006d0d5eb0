"""``obmen system``: what an admin says about a base that seems to have gone back in time."""

from __future__ import annotations

import getpass
from typing import Any

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command
from hub.texts import sentence


def commands(lang: str) -> list[click.Command]:
    """The command."""
    return [
        command(
            lang,
            "system",
            system,
            [argument("code", "SYSTEM", required=True), argument("decision", "restored|copy|go-on")],
        )
    ]


def system(call: Call, code: str, decision: str | None = None) -> Outcome:
    """Decide what the system's base is; without a decision tell how it stands."""
    from hub.exchange import went_back
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        title = hub.system(code).title or code
        if decision is not None:
            state = went_back.decide(hub, code, decision, getpass.getuser())
        else:
            with hub.store.read() as conn:
                state = went_back.state_of(conn, code)
    data: dict[str, Any] = {
        "system": code,
        "state": state.state,
        "why": state.why,
        "at": state.at.isoformat() if state.at else None,
        "by": state.by,
    }
    lines = [call.text(f"system_{state.state}", title=title, system=code)]
    error = state.error()
    if error is not None:
        if "evidence" in state.why:
            lines.append(sentence(state.why["evidence"], call.lang, **state.why))
        lines.append(error.advice(call.lang))
        data["advice"] = error.advice(call.lang)
    if decision == "restored":
        lines.append(call.text("system_reread", system=code))
    return Outcome(DONE if state.state == "live" else WAITS, data, lines)
