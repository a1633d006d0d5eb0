"""Kamailio's accounting: the recorded rows, what may stand in its tables, and calls placed through a real one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ReadRequest, Traffic
from connectors.sql_tables.config import SqlSettings
from connectors.telephony.config import PbxSettings
from connectors.telephony.connector import InDatabase, Pbx
from hub.model.settings_comms import CallSettings
from tests.connectors.telephony.asterisk import records
from tests.connectors.telephony.conftest import NO_SHARED, SHARED
from tests.connectors.telephony.kamailio import BUSY, CANCELS, LETS_RING, Kamailio

_SETTINGS = PbxSettings(SqlSettings("", title="Kamailio", timezone="Europe/Moscow"), "sip", CallSettings(), settle=0)


def poll(path: Path, position: dict[str, Any] | None = None, **more: Any) -> tuple[list[dict[str, Any]], Any]:
    """What a poll brings, and the position after it."""
    settings = replace(_SETTINGS, sql=replace(_SETTINGS.sql, url=f"sqlite:///{path}"), **more)
    traffic = Traffic()
    connector = Pbx(settings, InDatabase(settings, traffic), traffic)
    pages = list(connector.read(ReadRequest("calls", key=("id",), position=position)))
    connector.close()
    return records(pages), pages[-1].position


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """The recorded rows of a real Kamailio in a file of SQLite."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    with closing(sqlite3.connect(tmp_path / "kam.sqlite")) as conn:
        conn.executescript((SHARED / "kamailio_acc_dump.sql").read_text(encoding="utf-8"))
    return tmp_path / "kam.sqlite"


def test_the_recorded_calls(dump: Path) -> None:
    """Two answered calls of two seconds, and one to a busy telephone; days are Julian, of UTC."""
    found, position = poll(dump)
    told = ("id", "direction", "disposition", "status", "talk_s", "agent")
    assert [[record[key] for key in told] for record in found] == [
        ["1-10842@127.0.0.1", "inbound", "answered", "held", 2, "101"],
        ["2-10842@127.0.0.1", "inbound", "answered", "held", 2, "102"],
        ["1-11118@127.0.0.1", "inbound", "busy", "missed", 0, ""],
    ]
    assert [record["people"][0]["number"] for record in found] == ["+79161234567", "+74951234567", "+79161234567"]
    assert found[0]["started_at"] == "2026-11-23T14:20:41Z"
    assert found[2]["hangup_cause"] == "486 Busy Here"
    assert poll(dump, position)[0] == []


def test_a_dialogue_without_an_end_waits_for_it(dump: Path) -> None:
    """An answer whose BYE is not there yet is a call that goes on; after hours it is told as it stands."""
    with closing(sqlite3.connect(dump)) as conn:
        now = conn.execute("SELECT julianday('now')").fetchone()[0]
        row = ("INVITE", "a", "b", "live@host", "200", "OK", "+79161234567", "101", "101")
        names = "method, from_tag, to_tag, callid, sip_code, sip_reason, src_user, dst_ouser, dst_user, time"
        conn.execute(f"INSERT INTO acc ({names}) VALUES ({', '.join('?' * 10)})", (*row, now - 0.01))
        conn.commit()
        assert "live@host" not in {record["id"] for record in poll(dump)[0]}
        conn.execute(f"INSERT INTO acc ({names}) VALUES ({', '.join('?' * 10)})", ("BYE", *row[1:], now - 0.005))
        conn.commit()
        (live,) = [record for record in poll(dump)[0] if record["id"] == "live@host"]
        assert live["talk_s"] == 432
        conn.execute("DELETE FROM acc WHERE callid = 'live@host' AND method = 'BYE'")
        conn.execute("UPDATE acc SET time = ? WHERE callid = 'live@host'", (now - 1,))
        conn.commit()
        assert "live@host" in {record["id"] for record in poll(dump)[0]}


def test_a_branch_that_was_busy_is_no_missed_call(dump: Path) -> None:
    """Two telephones were rung at once, one was busy and one answered: the call is held."""
    with closing(sqlite3.connect(dump)) as conn:
        conn.execute(
            "INSERT INTO missed_calls"
            " (method, from_tag, to_tag, callid, sip_code, sip_reason, time, src_user, dst_user)"
            " SELECT 'INVITE', '', '', callid, '486', 'Busy', time, src_user, '103' FROM acc WHERE id = 1"
        )
        conn.commit()
    (first, *_) = poll(dump)[0]
    assert (first["id"], first["status"], first["agent"], first["legs"]) == ("1-10842@127.0.0.1", "held", "101", 1)


def test_an_empty_exchange_is_asked_again(dump: Path) -> None:
    """A connector that saw empty tables does not know how they write moments: it learns it with the first call."""
    with closing(sqlite3.connect(dump)) as conn:
        conn.executescript("CREATE TABLE kept AS SELECT * FROM acc; DELETE FROM acc; DELETE FROM acc_cdrs")
        conn.execute("DELETE FROM missed_calls")
        conn.commit()
        settings = replace(_SETTINGS, sql=replace(_SETTINGS.sql, url=f"sqlite:///{dump}"))
        connector = Pbx(settings, InDatabase(settings, traffic := Traffic()), traffic)
        request = ReadRequest("calls", key=("id",))
        assert records(connector.read(request)) == []
        conn.execute("INSERT INTO acc SELECT * FROM kept")
        conn.commit()
        assert len(records(connector.read(request))) == 2
        connector.close()


@pytest.fixture(scope="module")
def kamailio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    """A real one."""
    running = Kamailio.start(tmp_path_factory.mktemp("kam"))
    yield running
    running.stop()


def _rows(running: Kamailio, statement: str) -> int:
    with closing(sqlite3.connect(running.database)) as conn:
        return int(conn.execute(statement).fetchone()[0])


@pytest.mark.slow
def test_calls_placed_through_a_real_exchange(kamailio: Kamailio) -> None:
    """An answered call, one to a busy telephone and one that the caller gives up come out as these, in their order."""
    _, position = poll(kamailio.database)
    kamailio.place("+79161234567", "101")
    kamailio.place("89031112233", "102", answers=BUSY)
    kamailio.place("84957654321", "103", answers=LETS_RING, calls=CANCELS)
    for _ in range(50):
        if (
            _rows(kamailio, "SELECT count(*) FROM acc_cdrs")
            and _rows(kamailio, "SELECT count(*) FROM missed_calls") > 1
        ):
            break
        time.sleep(0.1)
    found, position = poll(kamailio.database, position)
    told = [
        (record["people"][0]["number"], record["disposition"], record["status"], record["agent"]) for record in found
    ]
    assert told == [
        ("+79161234567", "answered", "held", "101"),
        ("+79031112233", "busy", "missed", ""),
        ("+74957654321", "cancelled", "missed", ""),
    ]
    assert found[0]["talk_s"] in {2, 3}
    assert poll(kamailio.database, position)[0] == []
