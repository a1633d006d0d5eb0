"""Which letters and messages hang together: whatever names one Message-ID is one thread, in whatever order it comes,
and so are all messages of one chat.

Each Message-ID seen stands in ``thread_key`` with its thread, whether the letter itself is here or is only named: so a
parent that comes late finds its children. An answer that names no letter joins the letters of the same correspondent
with the same subject, less than 30 days apart. A thread is named by the lowest activity in it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, update
from xxhash import xxh3_64_intdigest

from hub.exchange.comms.reading import Event, Known
from hub.store import bulk, comms_tables, tables

#: Letters of one subject further apart than this are not one conversation.
APART = timedelta(days=30)
_SIGN, _WRAP = 1 << 63, 1 << 64
_ID = re.compile(r"[^\s<>,;\"()]+@[^\s<>,;\"()]+")
_ANSWER = re.compile(r"\s*(?:re|aw|sv|fwd?|wg|отв|ответ|пер|перес|на)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
#: A letter of a long list names hundreds; the last ones are the nearest.
_MOST = 60


class Place(NamedTuple):
    """Where a letter stands: its thread, and what its subject is found by (odd for an answer that names no letter)."""

    thread: int | None = None
    subject: int | None = None


def _hash(text: str) -> int:
    value = xxh3_64_intdigest(text.encode())
    return value - _WRAP if value >= _SIGN else value


def keys_of(event: Event) -> list[int]:
    """Hashes of the Message-IDs that the letter has and names; of a message, of its chat."""
    mail = event.mail
    if mail is None:
        return [_hash(f"chat {event.chat}")] if event.chat else []
    named = [*_ID.findall(mail.message_id)[:1], *_ID.findall(mail.in_reply_to), *_ID.findall(mail.references)[-_MOST:]]
    return list(dict.fromkeys(map(_hash, named)))


def subject_of(event: Event, correspondent: str) -> int | None:
    """Hash of correspondent and bare subject, odd where the letter is an answer that names no letter."""
    if event.mail is None or not correspondent:
        return None
    bare, answers = event.subject, False
    while found := _ANSWER.match(bare):
        bare, answers = bare[found.end() :], True
    bare = _BLANKS.sub(" ", bare).strip().lower()
    if not bare:
        return None
    names = _ID.search(event.mail.in_reply_to) or _ID.search(event.mail.references)
    return _hash(f"{correspondent}\n{bare}") & ~1 | (answers and names is None)


class _Union:
    """Who is joined with whom; the lowest stands for all."""

    def __init__(self) -> None:
        self._up: dict[int, int] = {}

    @property
    def nodes(self) -> set[int]:
        """All that were named."""
        return set(self._up)

    def root(self, node: int) -> int:
        up = self._up
        up.setdefault(node, node)
        while up[node] != node:
            up[node] = up[up[node]]
            node = up[node]
        return node

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        self._up[max(one, other)] = min(one, other)


def join(
    conn: Connection, events: Mapping[int, Event], firsts: Mapping[int, str], known: Mapping[int, Known]
) -> dict[int, Place]:
    """Threads of these letters; those of others are joined in the store. ``firsts``: the correspondent of each."""
    letters = {number: one for number, one in events.items() if one.type == "email" or one.chat}
    keys = {number: keys_of(one) for number, one in letters.items()}
    subjects = {number: subject_of(one, firsts.get(number, "")) for number, one in letters.items()}
    there = _there(conn, {key for told in keys.values() for key in told})
    joined, first = _Union(), dict(there)
    for number in letters:
        before = known.get(number)
        joined.join(number, before.thread if before and before.thread is not None else number)
        for key in keys[number]:
            joined.join(number, first.setdefault(key, number))
    _by_subject(conn, letters, subjects, joined)
    stood = {*there.values(), *(one.thread for one in known.values() if one.thread is not None)}
    _move(conn, {thread: joined.root(thread) for thread in sorted(stood | joined.nodes - letters.keys())})
    new = [(key, joined.root(thread)) for key, thread in first.items() if key not in there]
    bulk.insert_rows(conn, comms_tables.thread_key, ("hash", "thread_id"), new)
    return {number: Place(joined.root(number), subjects[number]) for number in letters}


def _there(conn: Connection, keys: Iterable[int]) -> dict[int, int]:
    rows = bulk.fetch_rows(conn, comms_tables.thread_key, ("hash", "thread_id"), "hash", sorted(keys))
    return dict(rows)


def _by_subject(
    conn: Connection, letters: Mapping[int, Event], subjects: Mapping[int, int | None], joined: _Union
) -> None:
    """Join answers that name no letter with what they seem to answer, in the store and among these."""
    told = {number: key for number, key in subjects.items() if key is not None}
    asked = {key | 1 for key in told.values()}
    orphans = [row for row in _of_subjects(conn, asked) if row[0] not in letters]
    wanted = {row[1] for row in orphans} | {key for key in told.values() if key & 1}
    if not wanted:
        return
    stored = orphans + [row for row in _of_subjects(conn, {key & ~1 for key in wanted}) if row[0] not in letters]
    at: dict[int, str] = dict(
        bulk.fetch_rows(conn, tables.ROOTS["activity"], ("id", "started_at"), "id", sorted(r[0] for r in stored))
    )
    groups: dict[int, list[tuple[datetime, int, int]]] = defaultdict(list)
    for number, key, thread in stored:
        groups[key | 1].append((datetime.fromisoformat(at[number]), key & 1, number if thread is None else thread))
    for number, key in told.items():
        if key | 1 in wanted:
            groups[key | 1].append((datetime.fromisoformat(letters[number].at), key & 1, number))
    for group in groups.values():
        _join_near(sorted(group), joined)


def _of_subjects(conn: Connection, keys: Iterable[int]) -> list[tuple[int, int, int | None]]:
    columns = ("activity_id", "subject_key", "thread_id")
    return bulk.fetch_rows(conn, comms_tables.activity_match, columns, "subject_key", sorted(keys))


def _join_near(group: list[tuple[datetime, int, int]], joined: _Union) -> None:
    """Each orphan (of letters in the order of time) is one with all that are near it."""
    moments, end = [moment for moment, _, _ in group], 0
    for moment, orphan, _ in group:
        if orphan:
            first = max(bisect_right(moments, moment - APART), end)
            last = bisect_left(moments, moment + APART) - 1
            for at in range(first, last):
                joined.join(group[at][2], group[at + 1][2])
            end = max(end, last)


def _move(conn: Connection, roots: Mapping[int, int]) -> None:
    """Threads that turn out to be a part of an older one."""
    moved = [{"loser": thread, "winner": root} for thread, root in roots.items() if thread != root]
    if not moved:
        return
    for table in (comms_tables.thread_key, comms_tables.activity_match):
        change = update(table).where(table.c.thread_id == bindparam("loser")).values(thread_id=bindparam("winner"))
        conn.execute(change, moved)
