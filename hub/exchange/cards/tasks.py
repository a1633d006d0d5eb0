"""Tasks that the hub itself gives: an edit lost to a master whose policy says that somebody is to be told.

The card stays as its master has it, and a person who can change it there learns who wanted what. A task is a record
like any other: a route that makes tasks in a system (``create``) carries it to whoever works there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from hub.exchange.cards.creation import offer
from hub.exchange.write import write_log
from hub.model.entities import ENTITIES
from hub.store import bulk, core, tables
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.cards.desk import CardDesk

_OPEN = ("not_started", "in_progress", "waiting", "deferred")
_COLUMNS = (
    "id",
    "title",
    "body",
    "date",
    "status",
    "party_link_id",
    "record_state",
    "created_by_run",
    "updated_by_run",
)


@dataclass(frozen=True, slots=True)
class LostEdit:
    """An edit that did not win. ``label``: what people call the record; ``link_id``: of the system that made it.

    ``kept``, ``wanted``: the values as people read them; ``master``: the system whose word stands.
    """

    entity: str
    record_id: int
    link_id: int
    label: str
    field: str
    system: str
    master: str
    kept: str
    wanted: str


def give(conn: Connection, desk: CardDesk, lost: Sequence[LostEdit]) -> int:
    """One task for each edit that nobody was told of yet; how many. A silent run gives none."""
    if not lost or silent(conn, desk.run_id):
        return 0
    lang = desk.hub.settings.locale
    told = {_title(desk, one, lang): one for one in lost}
    task = tables.ROOTS["task"]
    there = select(task.c.title).where(task.c.title.in_(list(told)), task.c.status.in_(_OPEN))
    known = set(conn.execute(there).scalars())
    new = {title: one for title, one in told.items() if title not in known}
    if not new:
        return 0
    numbers, log_ids = bulk.allocate(conn, "record", len(new)), []
    rows = []
    for number, (title, one) in zip(numbers, new.items(), strict=True):
        body = sentence("task_lost_body", lang, kept=one.kept, wanted=one.wanted, **_names(desk, one))
        party = one.link_id if one.entity == "party" else None
        rows.append((number, title, body, desk.at, "not_started", party, "active", desk.run_id, desk.run_id))
        log_ids.append((desk.run_id, "task", number, None, "insert", None, None, None, desk.at))
    bulk.insert_rows(conn, task, _COLUMNS, rows)
    write_log(conn, log_ids)
    offer(conn, desk, "task", list(numbers))
    return len(rows)


def _title(desk: CardDesk, one: LostEdit, lang: str) -> str:
    model = ENTITIES[one.entity]
    name = one.field.partition("[")[0].partition(".")[0]
    labels = {item.name: item.ru for item in model.fields} | {child.name: child.ru for child in model.children}
    field = labels.get(name, name) if lang == "ru" else name
    return sentence("task_lost_title", lang, label=one.label, field=field, **_names(desk, one))


def _names(desk: CardDesk, one: LostEdit) -> dict[str, str]:
    systems = desk.hub.settings.systems
    titles = {code: system.title or code for code, system in systems.items()}
    return {"system": titles.get(one.system, one.system), "master": titles.get(one.master, one.master)}


def silent(conn: Connection, run_id: int) -> bool:
    """First loads and backfills give no tasks."""
    run = core.exchange_run
    return bool(conn.execute(select(run.c.silent).where(run.c.id == run_id)).scalar())
