"""What has not come through: open quarantine, and references to records that are not here."""

from __future__ import annotations

from sqlalchemy import func, select

from hub.exchange.hub import Hub, Route
from hub.reconcile.finding import MOST_ROWS, Finding
from hub.reconcile.history import local
from hub.reconcile.rows import stream_ids
from hub.store import core


def quarantine_empty(hub: Hub, route: Route) -> Finding:
    """No record of the route is in open quarantine."""
    table = core.quarantine
    with hub.store.read() as conn:
        groups = conn.execute(
            select(
                table.c.reason_code,
                func.count().label("number"),
                func.min(table.c.first_at).label("since"),
                func.max(table.c.attempts).label("attempts"),
            )
            .where(table.c.route_id == route.id, table.c.state == "open")
            .group_by(table.c.reason_code)
            .order_by(func.count().desc())
        ).all()
    number = sum(group.number for group in groups)
    numbers = {"rc_in_quarantine": number, "rc_reasons": len(groups)}
    if not groups:
        return Finding(passed=True, code="rc_quarantine_good", severity="warn", numbers=numbers)
    params = {
        "number": number,
        "since": local(hub, min(group.since for group in groups)),
        "route": route.code,
        "reasons": ", ".join(group.reason_code for group in groups[:5]),
    }
    rows = tuple(
        {
            "rc_reason": group.reason_code,
            "rc_number": group.number,
            "rc_since": local(hub, group.since),
            "rc_attempts": group.attempts,
        }
        for group in groups[:MOST_ROWS]
    )
    return Finding(False, "rc_quarantine_bad", params, "warn", numbers, rows)


def references_late(hub: Hub, route: Route) -> Finding:
    """Nobody refers to a record of this kind that is not here, and no record of the route waits for another one."""
    link, run = core.link, core.exchange_run
    with hub.store.read() as conn:
        streams = stream_ids(conn, route)
        late = conn.execute(
            select(link.c.stream_id, func.count().label("number"), func.min(run.c.started_at).label("since"))
            .outerjoin(run, run.c.id == link.c.first_run)
            .where(link.c.stream_id.in_(list(streams.values())), link.c.record_id.is_(None), link.c.state == "expected")
            .group_by(link.c.stream_id)
        ).all()
        parked = conn.execute(
            select(func.count().label("number"), func.min(run.c.started_at).label("since"))
            .select_from(core.parked.outerjoin(run, run.c.id == core.parked.c.first_run))
            .where(core.parked.c.route_id == route.id, core.parked.c.state == "waiting")
        ).one()
    expected = sum(row.number for row in late)
    numbers = {"rc_expected": expected, "rc_parked": parked.number}
    if not expected and not parked.number:
        return Finding(passed=True, code="rc_references_good", severity="warn", numbers=numbers)
    since = min(moment for moment in (parked.since, *(row.since for row in late)) if moment is not None)
    name_of = {number: name for name, number in streams.items()}
    rows = tuple({"rc_stream": name_of[row.stream_id], "rc_number": row.number} for row in late[:MOST_ROWS])
    params = {"expected": expected, "parked": parked.number, "since": local(hub, since), "route": route.code}
    return Finding(False, "rc_references_bad", params, "warn", numbers, rows)
