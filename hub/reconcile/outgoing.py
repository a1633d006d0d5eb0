"""What a system is owed and has not been given: by reason, since when, what to do; and what waits for a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import func, select

from hub.exchange.hub import Hub
from hub.reconcile.finding import MOST_ROWS, Finding
from hub.reconcile.history import local
from hub.reports.model import DAY
from hub.reports.reasons import safe, why
from hub.store import core
from hub.store.outgoing import Standing, standing

_BRAKES = frozenset({"mass_change", "mass_delete"})


@dataclass(frozen=True, slots=True)
class SystemCheck:
    """A check of what is sent to one system."""

    name: str
    look: Callable[[Hub, str], Finding]


def outbox_empty(hub: Hub, system: str) -> Finding:
    """Nothing was refused, nothing has an unknown outcome, nothing waits for more than a day."""
    now = datetime.now(UTC)
    rows = _standing(hub, system)
    stuck = [row for row in rows if row.state in {"failed", "unknown"}]
    late = [row for row in rows if row.state in {"pending", "sending", "waiting"} and now - row.oldest > DAY]
    late = [row for row in late if row.reason != "shadow"]
    numbers: dict[str, int | float] = {"rc_owed": _sum(rows), "rc_failed": _sum(stuck), "rc_late": _sum(late)}
    if not stuck and not late:
        return Finding(True, "rc_outbox_good", {"number": _sum(rows)}, "warn", numbers)
    found = [*stuck, *late]
    severity: Literal["warn", "error"] = "error" if stuck else "warn"
    said, advise = why(found[0].reason or found[0].state, hub.settings.locale, **safe(found[0].params))
    params = {
        "failed": _sum(stuck),
        "late": _sum(late),
        "since": local(hub, min(row.oldest for row in found)),
        "reason": said,
        "what": advise,
    }
    return Finding(False, "rc_outbox_bad", params, severity, numbers, _table(hub, found))


def mass_change(hub: Hub, system: str) -> Finding:
    """No brake holds anything back, neither what is to be sent to the system nor what came from it."""
    rows = [row for row in _standing(hub, system) if row.state == "held" and row.reason in _BRAKES]
    came = _came(hub, system)
    numbers: dict[str, int | float] = {"rc_held_out": _sum(rows), "rc_held_in": _sum(came)}
    found = [*rows, *came]
    if not found:
        return Finding(True, "rc_mass_good", numbers=numbers)
    params = {"out": _sum(rows), "in": _sum(came), "since": local(hub, min(row.oldest for row in found))}
    return Finding(False, "rc_mass_bad", params, "error", numbers, _table(hub, found))


def first_contact(hub: Hub, system: str) -> Finding:
    """No card of the system waits for somebody to see in what it differs from the others'."""
    rows = [row for row in _standing(hub, system) if row.state == "held" and row.reason not in _BRAKES]
    numbers: dict[str, int | float] = {"rc_number": _sum(rows)}
    if not rows:
        return Finding(True, "rc_first_good", numbers=numbers)
    params = {"number": _sum(rows), "since": local(hub, min(row.oldest for row in rows))}
    return Finding(False, "rc_first_bad", params, "warn", numbers, _table(hub, rows))


def conflicts_open(hub: Hub, system: str) -> Finding:
    """No field of a record of the system waits for a person to decide."""
    table, route, code = core.conflict, core.route, core.system
    with hub.store.read() as conn:
        rows = conn.execute(
            select(
                table.c.entity,
                table.c.field,
                table.c.policy,
                func.count().label("number"),
                func.min(table.c.created_at).label("since"),
            )
            .join(route, route.c.id == table.c.route_id)
            .join(code, code.c.id == route.c.system_id)
            .where(table.c.state == "open", code.c.code == system)
            .group_by(table.c.entity, table.c.field, table.c.policy)
        ).all()
    groups: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:  # a path may hold a number or an address: of a row of a set only the set is named
        key = (row.entity, row.field.partition("[")[0], row.policy)
        groups.setdefault(key, []).append(row.number)
    number = sum(row.number for row in rows)
    numbers: dict[str, int | float] = {"rc_number": number}
    if not rows:
        return Finding(True, "rc_conflicts_good", numbers=numbers)
    told = tuple(
        {"rc_entity": entity, "rc_field": field, "rc_rule": rule, "rc_number": sum(many)}
        for (entity, field, rule), many in sorted(groups.items(), key=lambda item: -sum(item[1]))[:MOST_ROWS]
    )
    params = {"number": number, "since": local(hub, min(row.since for row in rows))}
    return Finding(False, "rc_conflicts_bad", params, "warn", numbers, told)


#: In the order an admin reads them.
CHECKS: dict[str, SystemCheck] = {
    check.name: check
    for check in (
        SystemCheck("outbox_empty", outbox_empty),
        SystemCheck("mass_change", mass_change),
        SystemCheck("first_contact", first_contact),
        SystemCheck("conflicts_open", conflicts_open),
    )
}


def _standing(hub: Hub, system: str) -> list[Standing]:
    with hub.store.read() as conn:
        return standing(conn, [system])


def _came(hub: Hub, system: str) -> list[Standing]:
    """Changes of the system that are held back, by route and reason."""
    table, route, code = core.held, core.route, core.system
    with hub.store.read() as conn:
        rows = conn.execute(
            select(
                route.c.code,
                route.c.entity,
                table.c.reason_code,
                func.count().label("number"),
                func.min(table.c.at).label("oldest"),
            )
            .join(route, route.c.id == table.c.route_id)
            .join(code, code.c.id == route.c.system_id)
            .where(table.c.state == "open", code.c.code == system)
            .group_by(route.c.code, route.c.entity, table.c.reason_code)
            .order_by(route.c.code)
        ).all()
    return [
        Standing(system, row.code, row.entity, "held_in", row.reason_code, row.number, row.oldest, {}) for row in rows
    ]


def _sum(rows: Sequence[Standing]) -> int:
    return sum(row.number for row in rows)


def _table(hub: Hub, rows: Sequence[Standing]) -> tuple[dict[str, object], ...]:
    told = []
    for row in rows[:MOST_ROWS]:
        said, advise = why(row.reason or row.state, hub.settings.locale, **safe(row.params))
        told.append(
            {
                "rc_route": row.route,
                "rc_number": row.number,
                "rc_since": local(hub, row.oldest),
                "rc_reason": said,
                "rc_advice": advise,
            }
        )
    return tuple(told)
