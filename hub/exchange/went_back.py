"""A base that went back in time: restored from a backup, or a copy that answers at the same address.

Before anything of such a base is written, its system is stopped until an admin says what it is. What is taken as
evidence, and why nothing else is, stands in ``docs/adr/0008-a-base-that-went-back.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from sqlalchemy import Connection, delete, select, update

from connectors.base import Connector, ReadRequest
from hub.exchange import cursors, runs, sentinels
from hub.exchange.hub import Hub
from hub.exchange.naming import stream_name
from hub.exchange.sentinels import Sentinel
from hub.model.errors import NeedsPerson, RetryLater, StopSystem
from hub.model.records import Reject
from hub.store import core

DECISIONS = ("restored", "copy", "go-on")

#: Streams whose sentinels are looked at before a run, one request each.
STREAMS = 3
#: So many of a stream's newest records must be gone, and nearly all that were looked at: people delete records too.
VANISHED, NEARLY_ALL = 5, 0.8
#: What one complete sweep may lose of records that nobody had marked for deletion.
GONE_AT_MOST, GONE_SHARE = 50, 0.2


@dataclass(frozen=True, slots=True)
class SystemState:
    """``live``, ``went_back`` or ``copy``; ``why``: code of the evidence with its parameters; ``by``: who decided."""

    system: str
    state: str
    why: dict[str, Any]
    at: datetime | None
    by: str | None

    def error(self) -> StopSystem | None:
        """Why nothing may be read of it; ``None`` for a living one."""
        if self.state == "live":
            return None
        return StopSystem("base_went_back" if self.state == "went_back" else "system_is_copy", **self.why)


def state_of(conn: Connection, system: str) -> SystemState:
    """What is known of a system now; one that was never opened lives."""
    table = core.system
    row = conn.execute(select(table).where(table.c.code == system)).mappings().first()
    if row is None:
        return SystemState(system, "live", {}, None, None)
    return SystemState(system, row["state"], dict(row["state_why"] or {}), row["state_at"], row["state_by"])


def guard(hub: Hub, run_id: int, system: str) -> None:
    """Before a run reads of a system: ``StopSystem`` while it is stopped, or when it is seen to have gone back now."""
    with hub.store.read() as conn:
        error = state_of(conn, system).error()
    if error is not None:
        raise error
    if hub.look_once(run_id, system):
        try:
            look(hub, system)
        except RetryLater:
            hub.look_once(run_id, system, again=True)
            raise


def look(hub: Hub, system: str) -> None:
    """Ask the base for its sentinels and judge; ``StopSystem(base_went_back)`` when they are those of an old day."""
    with hub.store.read() as conn:
        found = sentinels.newest(conn, _system_id(conn, system), STREAMS)
    if not found:
        return
    connector = hub.connector(system)
    if not connector.capabilities.versions:
        return
    profile = hub.profile(system)
    mapping_of = {stream_name(mapping): mapping for mapping in profile.mappings.values() if mapping.table == "set"}
    shown: dict[tuple[str, str], str | None] = {}
    for stream, told in found.items():
        if stream in mapping_of:
            shown.update(_shown(connector, mapping_of[stream], stream, told))
    looked = [one for told in found.values() for one in told]
    if connector.capabilities.versions_return:  # whoever takes an edit back shows the version of before
        looked = [replace(one, earlier=frozenset()) for one in looked]
    evidence = judge(looked, shown)
    if evidence is not None:
        stop(hub, system, *evidence)


def _shown(connector: Connector, mapping: Any, stream: str, told: list[Sentinel]) -> dict[tuple[str, str], str | None]:
    """Versions that the base shows now; ``None`` for a record that it says it does not have."""
    request = ReadRequest(mapping.stream, (mapping.version_field,), mapping.key)
    page = connector.fetch(request, [one.external_id for one in told])
    shown: dict[tuple[str, str], str | None] = {(stream, external_id): None for external_id in page.deleted}
    for head in mapping.heads(page.records):
        if not isinstance(head, Reject):
            shown[stream, head[0]] = head[1]
    return shown


def judge(told: list[Sentinel], shown: Mapping[tuple[str, str], str | None]) -> tuple[str, dict[str, Any]] | None:
    """The evidence that a base went back (code and parameters), or ``None``. Pure.

    A version that a record had before and no longer has is proof: a base does not use one twice. Vanished records are
    proof only when nearly all of a stream's newest are gone.
    """
    looked = [one for one in told if (one.stream, one.external_id) in shown]
    back = [one for one in looked if shown[one.stream, one.external_id] in one.earlier]
    if back:
        return "back_version", {"stream": back[0].stream, "number": len(back), "of": len(looked)}
    for stream in dict.fromkeys(one.stream for one in looked):
        mine = [one for one in looked if one.stream == stream]
        gone = sum(shown[stream, one.external_id] is None for one in mine)
        if gone >= VANISHED and gone >= NEARLY_ALL * len(mine):
            return "back_vanished", {"stream": stream, "number": gone, "of": len(mine)}
    return None


def too_many_gone(hub: Hub, system: str, stream: str, lost: int, of: int) -> None:
    """A sweep found ``lost`` of ``of`` living records gone: beyond measure that is a base of another day."""
    if lost > max(GONE_AT_MOST, of * GONE_SHARE):
        stop(hub, system, "back_swept", {"stream": stream, "number": lost, "of": of})


def feed_number(hub: Hub, system: str, acknowledged: int | None, number: int) -> None:
    """The base offers packet ``number`` although a later one, ``acknowledged``, was received here."""
    if acknowledged is not None and number <= acknowledged:
        stop(hub, system, "back_feed", {"stream": "", "number": number, "of": acknowledged})


def stop(hub: Hub, system: str, evidence: str, params: dict[str, Any]) -> NoReturn:
    """Remember that the system waits for an admin, and stop it."""
    title = hub.system(system).title or system
    why = {"title": title, "system": system, "evidence": evidence, **params}
    with hub.store.begin() as conn:
        _set(conn, system, "went_back", why, None)
    raise StopSystem("base_went_back", **why)


def decide(hub: Hub, system: str, decision: str, by: str) -> SystemState:
    """An admin's word on a system. ``restored``: what it shows now is the truth, all of it is read anew;

    ``copy``: it stays stopped; ``go-on``: it was a false alarm, or it is to be trusted again. Nobody may be reading the
    system at this moment (``RetryLater(system_busy)``): he would go on in the belief of before.
    """
    if decision not in DECISIONS:
        raise NeedsPerson("unknown_decision", value=decision, known=", ".join(DECISIONS))
    title = hub.system(system).title or system
    routes = [*(route for route in hub.routes.values() if route.system == system), hub.other_route(system)]
    streams = hub.streams[system]
    with hub.store.begin() as conn:
        runs.close_dead_runs(conn)
        table = core.route
        busy = select(table.c.lease_run_id).where(
            table.c.id.in_([route.id for route in routes]), table.c.lease_until > runs.now()
        )
        run_id = conn.execute(busy.where(table.c.lease_run_id.is_not(None))).scalar()
        if run_id is not None:
            raise RetryLater("system_busy", system=system, run=run_id)
        if decision == "copy":
            _set(conn, system, "copy", {"title": title, "system": system}, by)
        else:
            _set(conn, system, "live", {}, by)
            sentinels.forget(conn, list(streams.values()))
            node = core.feed_node
            conn.execute(update(node).where(node.c.system_id == _system_id(conn, system)).values(acknowledged=None))
        if decision == "restored":
            cursors.forget(conn, [route.id for route in routes])
            _trust(conn, hub, system)
        return state_of(conn, system)


def _trust(conn: Connection, hub: Hub, system: str) -> None:
    """Make the next read of every stream a complete sweep that believes whatever it finds."""
    sweeps = delete(core.cursor).where(core.cursor.c.name == cursors.SWEEP)
    conn.execute(sweeps.where(core.cursor.c.route_id.in_(set(hub.route_of_stream(system).values()))))
    for name, route_id in hub.route_of_stream(system).items():
        conn.execute(
            core.cursor.insert().values(
                route_id=route_id,
                stream_id=hub.streams[system][name],
                name=cursors.SWEEP,
                position={"trust": True},
                done=True,
                fingerprint="",
                run_id=0,
                updated_at=runs.now(),
            )
        )


def _set(conn: Connection, system: str, state: str, why: dict[str, Any], by: str | None) -> None:
    values = {"state": state, "state_why": why, "state_at": datetime.now(UTC).replace(microsecond=0), "state_by": by}
    conn.execute(update(core.system).where(core.system.c.code == system).values(**values))


def _system_id(conn: Connection, system: str) -> int:
    return int(conn.execute(select(core.system.c.id).where(core.system.c.code == system)).scalar_one())
