"""``Master.csv`` as it lives: appended to, rotated, packed, copied and emptied, broken."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from connectors.base import ReadRequest
from connectors.telephony.files import InFiles
from hub.model.errors import NeedsPerson
from tests.connectors.telephony.asterisk import InCsv, leg, line
from tests.connectors.telephony.test_polls import call, epoch


@pytest.fixture
def exchange(tmp_path: Path) -> InCsv:
    """An exchange with a file."""
    return InCsv(tmp_path / "cdr-csv")


def names(found: list[dict[str, object]]) -> set[object]:
    """Names of calls."""
    return {record["id"] for record in found}


@pytest.mark.parametrize("cut", [3, 60, 64, -1])
def test_a_half_written_last_line_waits_for_its_end(exchange: InCsv, cut: int) -> None:
    """The exchange has written half a line: it is no call yet, no broken line either, and comes when it is whole."""
    exchange.write(call("2026-11-02T10:00:00", 1))
    whole = line(call("2026-11-02T10:10:00", 2))
    with exchange.path.open("ab") as file:
        file.write(whole[:cut])
    found, position = exchange.poll()
    assert names(found) == {epoch("2026-11-02T10:00:00", 1)}
    with exchange.path.open("ab") as file:
        file.write(whole[cut:])
    found, position = exchange.poll(position)
    assert epoch("2026-11-02T10:10:00", 2) in names(found)
    assert exchange.poll(position)[0] == []


def test_a_rotated_file_is_read_to_its_end(exchange: InCsv) -> None:
    """The file is renamed after more was written to it: its rest comes from the old name, what is new from the new."""
    exchange.write(call("2026-11-02T10:00:00", 1))
    _, position = exchange.poll()
    exchange.write(call("2026-11-02T10:10:00", 2))
    exchange.path.rename(exchange.path.with_name("Master.csv.1"))
    exchange.write(call("2026-11-02T10:20:00", 3))
    found, position = exchange.poll(position)
    assert names(found) >= {epoch("2026-11-02T10:10:00", 2), epoch("2026-11-02T10:20:00", 3)}
    assert exchange.poll(position)[0] == []


def test_a_file_that_was_copied_and_emptied(exchange: InCsv) -> None:
    """copytruncate: the old lines lie in a copy, the file begins anew; nothing is lost and nothing comes twice."""
    exchange.write(*(call(f"2026-11-02T10:0{n}:00", n) for n in range(5)))
    _, position = exchange.poll()
    exchange.write(call("2026-11-02T10:10:00", 7))
    shutil.copy(exchange.path, exchange.path.with_name("Master.csv.1"))
    with exchange.path.open("r+b") as file:
        file.truncate()
    exchange.write(call("2026-11-02T10:20:00", 8))
    found, position = exchange.poll(position)
    assert names(found) >= {epoch("2026-11-02T10:10:00", 7), epoch("2026-11-02T10:20:00", 8)}
    assert len(found) == len(names(found))
    assert exchange.poll(position)[0] == []


def test_a_file_emptied_and_grown_longer_than_it_was(exchange: InCsv) -> None:
    """Emptied without a copy, the file is longer by now than the place that was kept: it is read from its start."""
    exchange.write(call("2026-11-02T10:00:00", 1))
    _, position = exchange.poll()
    exchange.path.write_bytes(b"")
    exchange.write(*(call(f"2026-11-02T11:0{n}:00", n) for n in range(8)))
    assert len(exchange.poll(position)[0]) == 8


def test_packed_files_are_read(exchange: InCsv) -> None:
    """A rotated file that was packed holds calls like any other, and is known by its beginning."""
    exchange.write(call("2026-11-02T10:00:00", 1))
    _, position = exchange.poll()
    exchange.write(call("2026-11-02T10:10:00", 2))
    with gzip.open(exchange.path.with_name("Master.csv.1.gz"), "wb") as file:
        file.write(exchange.path.read_bytes())
    exchange.path.unlink()
    exchange.write(call("2026-11-02T10:20:00", 3))
    found, _ = exchange.poll(position)
    assert names(found) >= {epoch("2026-11-02T10:10:00", 2), epoch("2026-11-02T10:20:00", 3)}
    assert len(exchange.poll()[0]) == 3


def test_quotes_commas_and_ends_of_lines_within_a_name(exchange: InCsv) -> None:
    """What a caller calls himself may hold quotes, commas and an end of line: it is one field of one row."""
    odd, shown = 'ООО "Рога, копыта"\nи партнёры', 'ООО "Рога, копыта" и партнёры'
    exchange.write(call("2026-11-02T10:00:00", 1, clid=f'"{odd}" <79161234567>'), call("2026-11-02T10:10:00", 2))
    found, position = exchange.poll()
    assert [record["people"][0]["name"] for record in found] == [shown, ""]
    assert exchange.poll(position)[0] == []


def test_a_broken_line_is_told_and_costs_no_other(exchange: InCsv) -> None:
    """Power failed in the middle of a line: it comes once, as a record that no mapping takes, the others as calls."""
    exchange.write(call("2026-11-02T10:00:00", 1))
    with exchange.path.open("ab") as file:
        file.write(b'"","79161234567","749511\n')
        file.write(b"what is this\n")
    exchange.write(call("2026-11-02T10:10:00", 2))
    found, position = exchange.poll()
    broken = [record for record in found if str(record["id"]).startswith("line:")]
    assert names(found) > {epoch("2026-11-02T10:00:00", 1), epoch("2026-11-02T10:10:00", 2)}
    assert any("what is this" in record["started_at"] for record in broken)
    assert exchange.poll(position)[0] == []


def test_a_poll_reads_the_end_of_the_file_only(exchange: InCsv) -> None:
    """The token says from where on: two days of calls later a poll does not read the first of them again."""
    exchange.write(*(call(f"2026-11-0{day}T{hour:02}:00:00", hour) for day in range(1, 6) for hour in range(24)))
    _, position = exchange.poll()
    ((size, _, back, read),) = position["files"]
    assert read == exchange.path.stat().st_size
    assert size == 256
    assert 0.5 * read < back < read
    connector = exchange.connect()
    list(connector.read(ReadRequest("calls", key=("id",), position=position)))
    origin = connector._origin
    assert isinstance(origin, InFiles)
    assert origin._database is not None
    with origin._database.engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM cdr").scalar_one() == 25
    assert len(json.dumps(position)) < 1500


def test_rows_without_a_name_of_the_call(exchange: InCsv) -> None:
    """Without ``loguniqueid`` rows have no name: each is a call by itself, the same one every time."""
    row = line(leg("", 0, "2026-11-02T10:00:00", 20, 10, linkedid=""))
    exchange.path.write_bytes(b",".join(row.split(b",")[:-5]) + b"\n")
    ((record,), position) = exchange.poll()
    assert record["talk_s"] == 10
    assert record["id"]
    assert exchange.poll(position)[0] == []


def test_no_files_are_told(tmp_path: Path) -> None:
    """A path without files is named with an advice; an empty file is an exchange without calls yet."""
    exchange = InCsv(tmp_path / "cdr-csv")
    report = exchange.connect().check()
    assert (report.problems, [note.code for note in report.notes]) == ([], ["calls_none"])
    exchange.path.unlink()
    (problem,) = exchange.connect().check().problems
    assert isinstance(problem, NeedsPerson)
    assert problem.code == "calls_files_missing"
