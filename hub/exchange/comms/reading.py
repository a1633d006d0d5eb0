"""Activities as matching sees them: who took part, what names them, and what is known of their match already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from hub.store import bulk, comms_tables, core, tables


class Participant(NamedTuple):
    """One who took part; ``kind`` and ``norm`` of the handle as the model has them."""

    role: str
    kind: str
    norm: str
    ext: str
    name: str


@dataclass(slots=True)
class Mail:
    """What a letter says of itself and of others. ``folder``: where it lies."""

    message_id: str = ""
    in_reply_to: str = ""
    references: str = ""
    folder: str = ""
    auto_kind: str = ""


@dataclass(slots=True)
class Event:
    """One activity. ``at``: its start, UTC, as text; ``chat``: of a message, the key of its chat."""

    id: int
    type: str
    direction: str
    subject: str
    at: str
    status: str
    party_link: int | None
    order_link: int | None
    key: str
    line: str
    auto: bool
    people: list[Participant] = field(default_factory=list)
    mail: Mail | None = None
    chat: str = ""


class Known(NamedTuple):
    """The row of ``activity_match``."""

    id: int
    state: str
    rule: str
    domain: str | None
    thread: int | None
    subject: int | None


_ROOT = (
    "id",
    "type",
    "direction",
    "subject",
    "started_at",
    "status",
    "party_link_id",
    "order_link_id",
    "external_key",
    "line",
    "is_auto",
    "record_state",
)
_PEOPLE = ("activity_id", "role", "handle_kind", "handle_norm", "ext", "display_name")
_MAIL = ("activity_id", "message_id", "in_reply_to", "reference_ids", "folder", "auto_kind")
_MATCH = ("activity_id", "state", "rule", "domain", "thread_id", "subject_key")


def events(conn: Connection, ids: Iterable[int]) -> dict[int, Event]:
    """The activities, by number; one that was merged away is not there."""
    wanted = sorted(set(ids))
    found: dict[int, Event] = {}
    for row in bulk.fetch_rows(conn, tables.ROOTS["activity"], _ROOT, "id", wanted):
        number, kind, way, subject, at, status, party, order, key, line, auto, state = row
        if state != "merged":
            texts = (subject or "", str(at), status)
            found[number] = Event(number, kind, way or "", *texts, party, order, key or "", line or "", bool(auto))
    for number, *told in bulk.fetch_rows(
        conn, tables.CHILDREN["activity_participant"], _PEOPLE, "activity_id", wanted, ("activity_id", "seq")
    ):
        if number in found:
            found[number].people.append(Participant(*(part or "" for part in told)))
    letters = [number for number, one in found.items() if one.type == "email"]
    for number, *told in bulk.fetch_rows(conn, tables.CHILDREN["email_detail"], _MAIL, "activity_id", letters):
        found[number].mail = Mail(*(text or "" for text in told))
    messages = [number for number, one in found.items() if one.type == "chat_message"]
    for number, chat in bulk.fetch_rows(
        conn, tables.CHILDREN["chat_detail"], ("activity_id", "chat"), "activity_id", messages
    ):
        found[number].chat = chat or ""
    return found


def matches(conn: Connection, ids: Iterable[int]) -> dict[int, Known]:
    """What is known of their match, by activity."""
    rows = bulk.fetch_rows(conn, comms_tables.activity_match, _MATCH, "activity_id", sorted(set(ids)))
    return {row[0]: Known(*row) for row in rows}


def of_threads(conn: Connection, threads: Iterable[int]) -> list[Known]:
    """All letters of these threads."""
    rows = bulk.fetch_rows(conn, comms_tables.activity_match, _MATCH, "thread_id", sorted(set(threads)))
    return [Known(*row) for row in rows]


def links_of(conn: Connection, record_ids: Iterable[int]) -> dict[int, int]:
    """The first link of each record: what a reference to it holds."""
    first: dict[int, int] = {}
    for number, record_id in bulk.fetch_rows(
        conn, core.link, ("id", "record_id"), "record_id", sorted(set(record_ids))
    ):
        first[record_id] = min(number, first.get(record_id, number))
    return first


def records_of(conn: Connection, link_ids: Iterable[int]) -> Mapping[int, int]:
    """The record of each link that has one."""
    rows = bulk.fetch_rows(conn, core.link, ("id", "record_id"), "id", sorted(set(link_ids)))
    return {number: record_id for number, record_id in rows if record_id is not None}
