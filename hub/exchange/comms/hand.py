"""A person's word on whose an activity is; it stays until he takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update

from hub.exchange.acting import acting
from hub.exchange.cards.desk import CardDesk
from hub.exchange.comms.follow import follow
from hub.exchange.hub import Hub
from hub.exchange.runs import now
from hub.exchange.which import label_of, living, the_one
from hub.exchange.write import write_log
from hub.model.errors import NeedsPerson
from hub.store import comms_tables

Word = Literal["link", "ignore", "release", "undo"]
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person's word did. ``before``, ``after``: (state, rule) of the match; ``label`` of the client, if any."""

    run_id: int
    activity_id: int
    word: Word
    party_id: int | None
    label: str
    before: tuple[str, str]
    after: tuple[str, str]


def link(hub: Hub, activity: str, party: str, *, by: str, dagster_run_id: str | None = None) -> Said:
    """The activity is that client's, and nobody else's. Both are named as people name records (``which``)."""
    with hub.store.read() as conn:
        client = living(conn, the_one(conn, hub, "party", party))
    with _open(hub, "link", activity, by, dagster_run_id) as act:
        act.put("manual", client)
    return act.said()


def ignore(hub: Hub, activity: str, *, by: str, dagster_run_id: str | None = None) -> Said:
    """The activity is no client's and waits for nobody."""
    with _open(hub, "ignore", activity, by, dagster_run_id) as act:
        act.put("ignored", None)
    return act.said()


def release(hub: Hub, activity: str, *, by: str, dagster_run_id: str | None = None) -> Said:
    """Take a person's word back: the rules decide again. ``NeedsPerson(comms_no_word)`` where nobody has said any."""
    with _open(hub, "release", activity, by, dagster_run_id) as act:
        act.take_back()
    return act.said()


class Act:
    """One word on one activity, in one transaction."""

    def __init__(self, conn: Connection, hub: Hub, run_id: int, word: Word, activity_id: int, by: str) -> None:
        self.conn, self.word, self.activity_id, self.by = conn, word, activity_id, by
        self.desk = CardDesk(hub, run_id, now().strftime("%Y-%m-%d %H:%M:%S"))
        self.was = self.party = self._party()
        self.label = ""
        self.before = self.after = self._state()

    def _state(self) -> tuple[str, str]:
        match = comms_tables.activity_match
        row = self.conn.execute(
            select(match.c.state, match.c.rule).where(match.c.activity_id == self.activity_id)
        ).first()
        return (row.state, row.rule) if row else ("", "")

    def _party(self) -> int | None:
        """The client that a person named."""
        rows = comms_tables.activity_party
        mine = (rows.c.activity_id == self.activity_id, rows.c.rule == MANUAL)
        found: int | None = self.conn.execute(select(rows.c.record_id).where(*mine)).scalar()
        return found

    def put(self, state: str, party: int | None) -> None:
        """The match as the person has it."""
        self.party = party
        match, rows = comms_tables.activity_match, comms_tables.activity_party
        mine = rows.c.activity_id == self.activity_id
        self.conn.execute(delete(rows).where(mine, rows.c.kind != "employee"))
        if party is not None:
            told = {"entity": "party", "kind": "matched", "rule": MANUAL, "handle": "", "place": 0}
            self.conn.execute(delete(rows).where(mine, rows.c.record_id == party))
            self.conn.execute(rows.insert().values(activity_id=self.activity_id, record_id=party, **told))
            self.label = label_of(self.conn, "party", party)
        values: dict[str, Any] = {
            "state": state,
            "rule": MANUAL,
            "domain": None,
            "decided_by": self.by,
            "decided_at": now(),
        }
        if not self.before[0]:  # nothing was to follow when it came: no rule has ever looked at it
            self.conn.execute(match.insert().values(activity_id=self.activity_id, **values))
        self.conn.execute(update(match).where(match.c.activity_id == self.activity_id).values(**values))
        self._done()

    def take_back(self) -> None:
        """No word any more."""
        if self.before[1] != MANUAL:
            raise NeedsPerson("comms_no_word", activity=self.activity_id)
        match, self.party = comms_tables.activity_match, None
        free = {"rule": "", "decided_by": None, "decided_at": None}
        self.conn.execute(update(match).where(match.c.activity_id == self.activity_id).values(**free))
        self._done()

    def _done(self) -> None:
        """What follows for its thread, and a row of the log."""
        follow(self.conn, self.desk, "activity", [self.activity_id])
        self.after = self._state()
        told = (told_in_log(self.before, self.was), told_in_log(self.after, self.party))
        row = (self.desk.run_id, "activity", self.activity_id, None, "match", None, *told, self.desk.at)
        write_log(self.conn, [row])

    def said(self) -> Said:
        """What it did."""
        ids = (self.desk.run_id, self.activity_id, self.word, self.party)
        return Said(*ids, self.label, self.before, self.after)


def told_in_log(state: tuple[str, str], party: int | None) -> str:
    """As the log has it: state, rule, and the client that a person named."""
    return " ".join((*state, str(party) if party and state[1] == MANUAL else "")).strip()


@contextmanager
def _open(hub: Hub, word: Word, activity: str, by: str, dagster_run_id: str | None) -> Iterator[Act]:
    with hub.store.read() as conn:
        number = the_one(conn, hub, "activity", activity)
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        yield Act(conn, hub, run_id, word, number, by)
