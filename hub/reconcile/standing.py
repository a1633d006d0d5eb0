"""How a system and a route stand: is the base the one known, does every mapping fit what it publishes."""

from __future__ import annotations

from hub.exchange import went_back
from hub.exchange.hub import Hub, Route
from hub.model.errors import HubError
from hub.reconcile.finding import MOST_ROWS, Finding
from hub.reconcile.history import last_runs, local


def system_state(hub: Hub, system: str) -> Finding:
    """The system is exchanged; it does not wait for an admin's word on a base that went back in time."""
    with hub.store.read() as conn:
        state = went_back.state_of(conn, system)
    error = state.error()
    if error is None:
        return Finding(passed=True, code="rc_system_live", params={"system": system})
    rows = ({"rc_since": local(hub, state.at) if state.at else "", "rc_state": state.state},)
    return Finding(passed=False, code=error.code, params=error.params | {"title": _title(hub, system)}, table=rows)


def _title(hub: Hub, system: str) -> str:
    return hub.system(system).title or system


def mappings_fit(hub: Hub, route: Route) -> Finding:
    """The last exchange of the route read every mapping; those that did not fit are named with their reasons."""
    with hub.store.read() as conn:
        rows = last_runs(conn, route, 1)
    paused = dict(rows[0].paused or {}) if rows else {}
    if not paused:
        return Finding(passed=True, code="rc_mappings_fit", severity="warn", numbers={"rc_paused": 0})
    lang = hub.settings.locale
    table = tuple(
        {"rc_mapping": name, "rc_reason": HubError(one["code"], **one["params"]).sentence(lang)}
        for name, reasons in paused.items()
        for one in reasons
    )
    params = {"names": ", ".join(paused), "number": len(paused)}
    return Finding(
        passed=False,
        code="rc_mappings_paused",
        params=params,
        severity="warn",
        numbers={"rc_paused": len(paused)},
        table=table[:MOST_ROWS],
    )
