"""Whom to call back: numbers that called and were not answered since, each with one open task.

A number waits from the first missed call after the last answered one, either way, until somebody is reached. That is a
function of its calls, whatever order they come in; a call that turns out to be answered (a leg that came late) takes
itself out. Tasks are given for what is new and recent only; they are closed by whatever shows the call back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from hub.exchange.cards.desk import CardDesk
from hub.exchange.comms import made, reading
from hub.exchange.comms.judge import Judged
from hub.exchange.runs import now
from hub.store import bulk, comms_tables, tables
from hub.texts import sentence

#: A call that was missed longer ago waits for nobody.
FORGOTTEN = timedelta(days=30)
#: By when to call back.
DUE = timedelta(hours=24)
_THEIRS = {"inbound": "caller", "outbound": "callee"}
_CLOSED = frozenset({"done", "cancelled"})
_COLUMNS = ("handle", "activity_id", "missed_at", "calls", "task_id")


class Call(NamedTuple):
    """A call with one number, in the order of time."""

    at: str
    id: int
    missed: bool
    answered: bool
    key: str


class Waiting(NamedTuple):
    """The row of ``call_back``: the first missed call, how many, the task."""

    handle: str
    activity_id: int
    missed_at: str
    calls: int
    task_id: int | None


@dataclass(slots=True)
class _Work:
    """What is to be written: tasks to be closed (with the call that answered, if any) and given (by number)."""

    closed: dict[int, Call | None]
    given: dict[str, Call]
    rows: dict[str, Waiting]
    gone: list[str]


def look(conn: Connection, desk: CardDesk, judged: Mapping[int, Judged], *, silent: bool) -> None:
    """Numbers of these calls: who waits now, and who does not any more. ``silent``: nobody is given a task."""
    numbers = {norm for one in judged.values() if (norm := _number(one)) is not None}
    if not numbers:
        return
    calls, before = _calls(conn, numbers), _before(conn, numbers)
    states = _states(conn, before.values())
    work = _Work({}, {}, {}, [])
    for number in sorted(numbers):
        _decide(work, number, calls.get(number, []), before.get(number), states, judged, silent=silent)
    tasks = _give(conn, desk, work.given, judged)
    rows = [row._replace(task_id=tasks.get(number, row.task_id)) for number, row in work.rows.items()]
    bulk.upsert_rows(conn, comms_tables.call_back, ("handle",), _COLUMNS, rows)
    if work.gone:
        table = comms_tables.call_back
        for chunk in bulk.chunks(work.gone):
            conn.execute(table.delete().where(table.c.handle.in_(chunk)))
    _close(conn, desk, work.closed, states)


def _number(one: Judged) -> str | None:
    """The client's number of a call that counts: not between our own people, and not older than anybody waits."""
    event = one.event
    role = _THEIRS.get(event.direction)
    if event.type != "call" or role is None or one.verdict.rule == "internal" or event.at < _horizon():
        return None
    ours = {row.handle for row in one.verdict.rows if row.kind == "employee"}
    return next((p.norm for p in event.people if p.role == role and p.kind == "phone" and p.norm not in ours), None)


def _horizon() -> str:
    return (now() - FORGOTTEN).strftime("%Y-%m-%d %H:%M:%S")


def _calls(conn: Connection, numbers: Collection[str]) -> dict[str, list[Call]]:
    """Calls with each number since the horizon, in the order of time."""
    root, child = tables.ROOTS["activity"], tables.CHILDREN["activity_participant"]
    wanted, found = sorted(numbers), defaultdict(list)
    for chunk in bulk.chunks(wanted):
        query = (
            select(
                child.c.handle_norm,
                child.c.role,
                root.c.direction,
                root.c.started_at,
                root.c.id,
                root.c.status,
                root.c.external_key,
            )
            .join(root, root.c.id == child.c.activity_id)
            .where(child.c.handle_norm.in_(chunk), root.c.type == "call")
            .where(root.c.started_at >= now() - FORGOTTEN, root.c.record_state != "merged")
        )
        for number, role, way, at, call, status, key in conn.execute(query):
            if _THEIRS.get(way) == role:
                told = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
                missed = way == "inbound" and status == "missed"
                found[number].append(Call(told, call, missed, status == "held", key or str(call)))
    return {number: sorted(calls) for number, calls in found.items()}


def _before(conn: Connection, numbers: Iterable[str]) -> dict[str, Waiting]:
    rows = bulk.fetch_rows(conn, comms_tables.call_back, _COLUMNS, "handle", sorted(numbers))
    return {row[0]: Waiting(*row) for row in rows}


def _states(conn: Connection, rows: Iterable[Waiting]) -> dict[int, str]:
    """Status of the tasks that were given."""
    ids = sorted({row.task_id for row in rows if row.task_id is not None})
    return dict(bulk.fetch_rows(conn, tables.ROOTS["task"], ("id", "status"), "id", ids))


def _decide(
    work: _Work,
    number: str,
    calls: Sequence[Call],
    before: Waiting | None,
    states: Mapping[int, str],
    judged: Mapping[int, Judged],
    *,
    silent: bool,
) -> None:
    answered = [call for call in calls if call.answered]
    last = answered[-1].at if answered else ""
    waiting = [call for call in calls if call.missed and call.at > last]
    task = before.task_id if before else None
    back = next((call for call in answered if before and call.at > before.missed_at), None)
    if task is not None and (not waiting or back is not None):
        work.closed[task] = back
        task = None
    if not waiting:
        if before is not None:
            work.gone.append(number)
        return
    first = waiting[0]
    work.rows[number] = Waiting(number, first.id, first.at, len(waiting), task)
    fresh = [call for call in waiting if call.id in judged and made.recent(call.at)]
    open_ = task is not None and states.get(task) not in _CLOSED
    if fresh and not open_ and not silent:
        work.given[number] = fresh[0]


def _give(conn: Connection, desk: CardDesk, given: Mapping[str, Call], judged: Mapping[int, Judged]) -> dict[str, int]:
    """One task for each number, unless that very call has had one."""
    keys = {f"missed:{number}:{call.key}": number for number, call in given.items()}
    there = bulk.fetch_rows(conn, tables.ROOTS["task"], ("dedupe_key", "id"), "dedupe_key", sorted(keys))
    known = {keys[key]: number for key, number in there}
    new = {key: number for key, number in keys.items() if number not in known}
    clients = {number: _client(judged[given[number].id]) for number in new.values()}
    parties = [record for record in clients.values() if record is not None]
    links = reading.links_of(conn, [*parties, *(given[number].id for number in new.values())])
    owners: dict[int, int | None] = dict(
        bulk.fetch_rows(conn, tables.ROOTS["party"], ("id", "owner_link_id"), "id", sorted(set(parties)))
    )
    records = [_record(desk, key, number, given[number], links, clients[number], owners) for key, number in new.items()]
    made_now = made.make(conn, desk, "task", records)
    made.offered(conn, desk, "task", made_now)
    return {**known, **dict(zip(new.values(), made_now, strict=True))}


def _client(one: Judged) -> int | None:
    """The client that the call was matched to."""
    found = [row.record_id for row in one.verdict.rows if row.kind == "matched" and row.entity == "party"]
    return found[0] if len(found) == 1 else None


def _record(
    desk: CardDesk,
    key: str,
    number: str,
    call: Call,
    links: Mapping[int, int],
    client: int | None,
    owners: Mapping[int, int | None],
) -> dict[str, Any]:
    lang = desk.hub.settings.locale
    due = datetime.fromisoformat(call.at) + DUE
    return {
        "title": sentence("comms_call_back", lang, number=number),
        "body": sentence("comms_call_back_body", lang, number=number),
        "date": desk.at,
        "kind": "call",
        "priority": "high",
        "status": "not_started",
        "assignee_link_id": owners.get(client) if client is not None else None,
        "due_at": due.strftime("%Y-%m-%d %H:%M:%S"),
        "party_link_id": links.get(client) if client is not None else None,
        "activity_link_id": links.get(call.id),
        "dedupe_key": key,
    }


def _close(conn: Connection, desk: CardDesk, closed: Mapping[int, Call | None], states: Mapping[int, str]) -> None:
    """Tasks whose number was reached are done; those whose call was answered after all are cancelled."""
    lang = desk.hub.settings.locale
    words: dict[int, dict[str, Any]] = {}
    for task, call in closed.items():
        if states.get(task) in _CLOSED:
            continue
        result = sentence("comms_called_back" if call else "comms_not_missed", lang)
        status = "done" if call else "cancelled"
        words[task] = {"status": status, "done_at": call.at if call else None, "result": result}
    made.say(
        conn, desk, "task", {task: {n: v for n, v in told.items() if v is not None} for task, told in words.items()}
    )
