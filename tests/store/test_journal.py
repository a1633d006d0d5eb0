"""What the store tells of its exchanges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from hub.model.records import Counters
from hub.store import core, journal
from hub.store.database import Store
from hub.store.tables import CHILDREN, ROOTS
from tests.store.rows import NOW, add_link, add_parked, add_system


def add_run(conn: Connection, number: int, mode: str = "nightly", **values: Any) -> None:
    """A run that took a minute, begun ``number`` hours after NOW."""
    started = NOW + timedelta(hours=number)
    given = {
        "initiator": "cli",
        "state": "completed",
        "started_at": started,
        "ended_at": started + timedelta(minutes=1),
    }
    conn.execute(
        insert(core.exchange_run).values({"id": number, "mode": mode, "planned": ["ut.party"], **given, **values})
    )


def add_route(conn: Connection, run_id: int, route_id: int = 1, **values: Any) -> None:
    """A route of a run, with the counters given."""
    conn.execute(insert(core.run_route).values(run_id=run_id, route_id=route_id, started_at=NOW, **values))


def test_runs_newest_first(store: Store) -> None:
    """The list ends at its limit, knows modes, and a running one has no duration."""
    with store.begin() as conn:
        for number in (1, 2, 3):
            add_run(conn, number)
        add_run(conn, 4, "manual", state="running", ended_at=None)
    with store.read() as conn:
        assert [run.id for run in journal.last_runs(conn, 2)] == [4, 3]
        nightly = journal.last_runs(conn, mode="nightly")
        assert [(run.id, run.seconds, run.planned) for run in nightly[:1]] == [(3, 60.0, ["ut.party"])]
        running = journal.run(conn, 4)
        assert running is not None
        assert (running.state, running.seconds) == ("running", None)
        assert journal.run(conn, 5) is None


def test_counters_of_a_route_come_whole(store: Store) -> None:
    """What was counted is read back as Counters that balance, reasons of skipping included."""
    with store.begin() as conn:
        add_system(conn)
        add_run(conn, 1)
        add_run(conn, 2)
        counted = {
            "received": 10,
            "created": 3,
            "updated": 1,
            "unchanged": 2,
            "skipped": 2,
            "parked": 1,
            "quarantined": 1,
        }
        add_route(conn, 1, received=0)
        add_route(conn, 2, state="warnings", skipped_by={"folder": 2}, released=4, absent=2, pages=1, **counted)
    with store.read() as conn:
        (entry,) = journal.run_routes(conn, 2)
        assert entry.counters == Counters(**counted, held=0, skipped_by={"folder": 2})
        assert entry.counters.balanced
        assert (entry.route, entry.entity, entry.state) == ("ut.party", "party", "warnings")
        assert (entry.released, entry.absent, entry.pages) == (4, 2, 1)
        assert journal.last_of_routes(conn) == {"ut.party": entry}
        assert [past.run_id for past in journal.route_history(conn, "ut.party")] == [2, 1]
        assert journal.route_history(conn, "no.such") == []


def test_the_database_itself_holds_the_balance(store: Store) -> None:
    """Counters that do not account for every record cannot be written."""
    with store.begin() as conn:
        add_system(conn)
        add_run(conn, 1)
    with pytest.raises(IntegrityError, match="balanced"), store.begin() as conn:
        add_route(conn, 1, received=3, created=1, unchanged=1)


def test_quarantine_by_reason(store: Store) -> None:
    """Open entries are counted by route, reason and field; resolved ones are no news."""
    rows = [("a", "bad_date", "Дата", "open"), ("b", "bad_date", "Дата", "open"), ("c", "oversize", None, "open")]
    rows.append(("d", "oversize", None, "resolved"))
    with store.begin() as conn:
        add_system(conn, (1, "Catalog_Партнеры"))
        for number, (external_id, code, field, state) in enumerate(rows):
            at = NOW + timedelta(days=number)
            values = {"external_id": external_id, "reason_code": code, "field": field, "state": state}
            runs = {"first_run": 1, "last_run": 1, "first_at": at, "last_at": at}
            conn.execute(insert(core.quarantine).values(route_id=1, stream_id=1, **values, **runs))
    with store.read() as conn:
        groups = journal.quarantine_groups(conn)
        assert [(g.route, g.reason_code, g.field, g.number, g.example) for g in groups] == [
            ("ut.party", "bad_date", "Дата", 2, "a"),
            ("ut.party", "oversize", None, 1, "c"),
        ]
        assert (groups[0].first_at, groups[0].last_at) == (NOW, NOW + timedelta(days=1))
        assert journal.quarantine_groups(conn, "no.such") == []
        assert journal.open_counts(conn) == {"quarantine": {"ut.party": 3}, "parked": {}}


def test_one_open_entry_per_record(store: Store) -> None:
    """A record cannot be in open quarantine twice; a resolved entry is no hindrance."""
    values = {
        "route_id": 1,
        "stream_id": 1,
        "external_id": "a",
        "reason_code": "bad_date",
        "first_run": 1,
        "last_run": 1,
    }
    entry = insert(core.quarantine).values(**values, first_at=NOW, last_at=NOW)
    with store.begin() as conn:
        add_system(conn, (1, "Catalog_Партнеры"))
        conn.execute(entry.values(state="resolved"))
        conn.execute(entry)
    with pytest.raises(IntegrityError), store.begin() as conn:
        conn.execute(entry)


def test_parked_records_name_what_they_wait_for(store: Store) -> None:
    """Each waiting record comes with stream and external id of everything that is not here yet, the oldest first."""
    with store.begin() as conn:
        add_system(conn, (1, "Document_ЗаказКлиента"), (2, "Catalog_Партнеры"))
        add_link(conn, 5, "client", stream_id=2)
        add_link(conn, 6, "other client", stream_id=2)
        add_parked(conn, 1, "order 1", [5, 6])
        add_parked(conn, 2, "order 2", [6])
        add_parked(conn, 3, "order that was let in")
        conn.execute(update(core.parked).where(core.parked.c.id == 3).values(state="released"))
    with store.read() as conn:
        found = journal.parked_records(conn)
        assert [(one.external_id, one.waits_for) for one in found] == [
            ("order 1", [("Catalog_Партнеры", "client"), ("Catalog_Партнеры", "other client")]),
            ("order 2", [("Catalog_Партнеры", "other client")]),
        ]
        assert [one.external_id for one in journal.parked_records(conn, limit=1)] == ["order 1"]
        assert journal.open_counts(conn)["parked"] == {"ut.party": 2}


def test_cursors_are_told(store: Store) -> None:
    """Position, state and place of each cursor."""
    with store.begin() as conn:
        add_system(conn, (1, "Catalog_Партнеры"))
        values = {"route_id": 1, "stream_id": 1, "name": "full", "run_id": 1, "updated_at": NOW}
        conn.execute(insert(core.cursor).values(position={"skip": 2000}, done=False, **values))
    with store.read() as conn:
        (entry,) = journal.cursors(conn)
    assert (entry.route, entry.stream, entry.position, entry.done) == (
        "ut.party",
        "Catalog_Партнеры",
        {"skip": 2000},
        False,
    )


def test_every_business_table_is_counted(store: Store) -> None:
    """All root and child tables, the empty ones too."""
    with store.begin() as conn:
        conn.execute(insert(ROOTS["currency"]).values(id=1, name="руб.", created_by_run=1, updated_by_run=1))
    with store.read() as conn:
        counts = journal.table_counts(conn)
    assert counts == {**dict.fromkeys([*ROOTS, *CHILDREN], 0), "currency": 1}
