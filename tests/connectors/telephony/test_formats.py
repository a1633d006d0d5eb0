"""FreeSWITCH and MikoPBX: their rows as calls, and how an exchange's kind is told or found missing."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base import Traffic
from connectors.sql_tables.config import SqlSettings
from connectors.telephony.config import PbxSettings
from connectors.telephony.connector import InDatabase, Pbx
from connectors.telephony.sources import FORMATS
from hub.model.settings_comms import CallSettings
from tests.connectors.telephony.asterisk import InCsv, InTable, Row

_MIKO = (
    "start", "endtime", "answer", "src_chan", "src_num", "dst_chan", "dst_num", "UNIQUEID", "linkedid", "did",
    "disposition", "recordingfile", "from_account", "to_account", "appname", "transfer", "is_app", "duration",
    "billsec",
)  # fmt: skip


class Miko(InTable):
    """The file ``cdr.db`` of MikoPBX."""

    def __init__(self, path: Path, **calls: Any) -> None:
        super().__init__(f"sqlite:///{path}", **calls)
        with self.engine.begin() as conn:
            conn.exec_driver_sql("DROP TABLE cdr")
            conn.exec_driver_sql(f"CREATE TABLE cdr_general (id INTEGER PRIMARY KEY, {', '.join(_MIKO)})")

    def write(self, *rows: Row) -> None:
        """Insert rows."""
        with self.engine.begin() as conn:
            for row in rows:
                told = tuple(str(row.get(name, "")) for name in _MIKO)
                marks = ", ".join("?" * len(_MIKO))
                conn.exec_driver_sql(f"INSERT INTO cdr_general ({', '.join(_MIKO)}) VALUES ({marks})", told)


def test_a_queue_of_mikopbx(tmp_path: Path) -> None:
    """Its rows have parts of seconds and an id each, the queue is a row of its own; ``linkedid`` names the call."""
    exchange = Miko(tmp_path / "cdr.db", recordings="/mnt/pbx/monitor")
    call = {"linkedid": "mikopbx-1793602800.1", "did": "74951112233", "src_num": "79161234567"}
    path = "/storage/usbdisk1/mikopbx/voicemailarchive/monitor/2026/11/02/10/m1.mp3"
    exchange.write(
        call
        | {
            "UNIQUEID": "mikopbx-1793602800.1_a",
            "start": "2026-11-02 10:00:00.120",
            "endtime": "2026-11-02 10:01:00.500",
        }
        | {"dst_num": "2000", "is_app": "1", "appname": "queue", "disposition": "ANSWERED", "billsec": 60},
        call
        | {
            "UNIQUEID": "mikopbx-1793602800.1_b",
            "start": "2026-11-02 10:00:02.000",
            "endtime": "2026-11-02 10:00:12.000",
        }
        | {"dst_num": "201", "is_app": "0", "disposition": "NOANSWER", "billsec": 0},
        call
        | {
            "UNIQUEID": "mikopbx-1793602800.1_c",
            "start": "2026-11-02 10:00:12.000",
            "endtime": "2026-11-02 10:01:00.500",
        }
        | {"dst_num": "202", "is_app": "0", "disposition": "ANSWERED", "billsec": 40, "recordingfile": path},
    )
    ((record,), position) = exchange.poll()
    told = ("id", "direction", "status", "agent", "talk_s", "legs", "queue", "line", "recording")
    assert [record[key] for key in told] == [
        "mikopbx-1793602800.1", "inbound", "held", "202", 40, 3, "2000", "+74951112233", "2026/11/02/10/m1.mp3",
    ]  # fmt: skip
    assert record["started_at"] == "2026-11-02T07:00:00Z"
    assert exchange.poll(position)[0] == []


def test_a_menu_of_mikopbx_is_no_answer(tmp_path: Path) -> None:
    """A call that heard the menu and nobody is missed."""
    exchange = Miko(tmp_path / "cdr.db")
    exchange.write(
        {"linkedid": "mikopbx-1793602800.1", "UNIQUEID": "u", "start": "2026-11-02 10:00:00", "src_num": "79161234567"}
        | {"endtime": "2026-11-02 10:00:30", "dst_num": "ivr", "is_app": "1", "disposition": "ANSWERED", "billsec": 30},
    )
    ((record,), _) = exchange.poll()
    assert (record["status"], record["disposition"], record["agent"]) == ("missed", "no_answer", "")


def _freeswitch(path: Path, *rows: tuple[str, ...]) -> InCsv:
    exchange = InCsv(path)
    with exchange.path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return exchange


def _row(
    uuid: str, start: str, caller: str, dialled: str, *, talk: int = 0, cause: str, bleg: str = ""
) -> tuple[str, ...]:
    day = "2026-11-02 "
    answer = day + start if talk else ""
    end = day + start[:-2] + f"{int(start[-2:]) + max(talk, 5):02}"
    who = ("Иван", caller, dialled, "public")
    return (*who, day + start, answer, end, str(max(talk, 5)), str(talk), cause, uuid, bleg, "acc")


def test_calls_of_freeswitch(tmp_path: Path) -> None:
    """An answered call, one to a busy line, one given up, one that ended in the letter-box and one of ours."""
    one, two = "aaaaaaaa-0000-4000-8000-00000000000", "bbbbbbbb-0000-4000-8000-00000000000"
    exchange = _freeswitch(
        tmp_path / "cdr-csv",
        _row(f"{one}1", "10:00:00", "+79161234567", "101", talk=30, cause="NORMAL_CLEARING", bleg=f"{two}1"),
        _row(f"{one}2", "10:01:00", "+79161234567", "101", cause="USER_BUSY"),
        _row(f"{one}3", "10:02:00", "anonymous", "101", cause="ORIGINATOR_CANCEL"),
        _row(f"{one}4", "10:03:00", "+79161234567", "101", talk=20, cause="NORMAL_CLEARING"),
        _row(f"{one}5", "10:04:00", "101", "84951234567", talk=9, cause="NORMAL_CLEARING", bleg=f"{two}5"),
    )
    found, position = exchange.poll()
    told = [(r["direction"], r["disposition"], r["status"], r["agent"], r["talk_s"]) for r in found]
    assert told == [
        ("inbound", "answered", "held", "101", 30),
        ("inbound", "busy", "missed", "", 0),
        ("inbound", "cancelled", "missed", "", 0),
        ("inbound", "no_answer", "missed", "", 0),
        ("outbound", "answered", "held", "101", 9),
    ]
    assert found[2]["people"][0]["kind"] == "hidden"
    assert found[1]["hangup_cause"] == "USER_BUSY"
    assert exchange.poll(position)[0] == []


def _connect(url: str, **calls: Any) -> Pbx:
    settings = PbxSettings(SqlSettings(url, title="АТС"), "pbx", CallSettings(**calls), settle=0)
    traffic = Traffic()
    return Pbx(settings, InDatabase(settings, traffic), traffic)


def test_the_kind_is_told_by_the_tables(tmp_path: Path) -> None:
    """Set to ``auto`` each kind is found; another kind than is there is a problem that names the possible ones."""
    InTable(f"sqlite:///{tmp_path}/a.db")
    Miko(tmp_path / "m.db")
    assert _connect(f"sqlite:///{tmp_path}/a.db").check().product == "asterisk (cdr)"
    assert _connect(f"sqlite:///{tmp_path}/m.db").check().product == "mikopbx (cdr_general)"
    (problem,) = _connect(f"sqlite:///{tmp_path}/a.db", format="kamailio").check().problems
    assert problem.code == "calls_no_tables"
    assert all(name in problem.advice("en") for name in FORMATS)


def test_a_table_without_an_index_is_noted(tmp_path: Path) -> None:
    """Reading works, and the admin learns why it is slow."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/n.db")
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "CREATE TABLE cdr (calldate datetime, src, dst, channel, dstchannel, disposition, uniqueid, duration,"
            " billsec)"
        )
        told = (
            "2026-11-02 10:00:00",
            "79161234567",
            "101",
            "SIP/t-00000001",
            "SIP/101-00000002",
            "ANSWERED",
            "1.1",
            9,
            5,
        )
        conn.exec_driver_sql(f"INSERT INTO cdr VALUES ({', '.join('?' * 9)})", told)
    engine.dispose()
    report = _connect(f"sqlite:///{tmp_path}/n.db").check()
    assert [note.code for note in report.notes] == ["calls_no_index"]
    assert report.problems == []


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path is a problem of the check, and no new file."""
    report = _connect(f"sqlite:///{tmp_path}/none.db").check()
    assert (report.reachable, len(report.problems)) == (False, 1)
    assert not (tmp_path / "none.db").exists()


def test_settings_of_the_exchange_are_kept(tmp_path: Path) -> None:
    """A poll never looks further back than the settings say: a call that ended after that is not looked for."""
    exchange = InTable(f"sqlite:///{tmp_path}/cdr.db", look_back_hours=1)
    assert exchange.settings.reach.total_seconds() == 3600
    assert replace(exchange.settings, calls=CallSettings()).reach.total_seconds() == 12 * 3600


@pytest.mark.parametrize("form", FORMATS)
def test_each_kind_can_be_set(form: str) -> None:
    """What the settings offer is what the connector knows."""
    assert CallSettings(format=form).format == form  # type: ignore[arg-type]
