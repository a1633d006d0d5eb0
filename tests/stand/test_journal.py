"""What is written to a base is there after a new start, versions included, wherever the process was ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from stand.onec.__main__ import main, parser
from stand.onec.generate.build import build
from stand.onec.journal import Journal, WrongJournal
from stand.onec.server import OneCStand
from stand.onec.world import World, rows_of
from tests.stand.client import Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
SIZE: dict[str, int] = {"seed": 3, "clients": 20, "products": 30, "orders": 60}


def content(world: World) -> dict[str, Any]:
    """All that the base holds, lines made."""
    tables = {
        name: [(key, {field: rows_of(v) if callable(v) else v for field, v in row.items()}) for key, row in rows]
        for name, table in world.tables.items()
        if (rows := list(table.rows.items()))
    }
    return {"tables": tables, "frozen": world.frozen, "clock": world.clock}


def started(path: Path) -> tuple[World, Journal]:
    """The base generated anew, with the journal played; no stand is needed for that."""
    world = build(SIZE["seed"], SIZE["clients"], SIZE["products"], SIZE["orders"])
    journal = Journal(path, world, SIZE)
    journal.replay()
    return world, journal


def work(world: World) -> None:
    """Writes of every kind: through OData, as a user, over the control address."""
    orders, parties = world.records(ORDERS), world.records(PARTIES)
    with OneCStand(world, control=True) as stand, Client(stand) as client:
        posted = next(row for row in orders if row.get("Posted"))
        path = f"{ORDERS}(guid'{posted['Ref_Key']}')"
        for method, where, body in (
            ("PATCH", path, {"Комментарий": "через OData"}),
            ("POST", PARTIES, {"Description": "Новый", "ИНН": "7707083893"}),
            ("POST", ORDERS, {"Комментарий": "новый заказ"}),
        ):
            answer = client.send(method, quote(f"{stand.path}/{where}"), json.dumps(body, ensure_ascii=False).encode())
            assert answer.status in (200, 201), answer.body
        assert client.send("POST", quote(f"{stand.path}/{path}/Unpost"), b"").status == 200
        for action, told in (
            ("edit", {"set": PARTIES, "key": parties[0]["Ref_Key"], "fields": {"КПП": "770501001"}}),
            ("touch", {"set": PARTIES, "key": parties[1]["Ref_Key"]}),
            ("delete", {"set": PARTIES, "key": parties[2]["Ref_Key"]}),
        ):
            assert client.send("POST", f"/_stand/{action}", json.dumps(told).encode()).status == 200
        task = next(row for row in world.tables["Task_ЗадачаИсполнителя"] if not row.get("Executed"))
        doing = f"{stand.path}/Task_ЗадачаИсполнителя(guid'{task['Ref_Key']}')/ExecuteTask"
        done = client.send("POST", quote(doing), b"")
        assert done.status == 200


def test_what_was_written_is_there_after_a_new_start(tmp_path: Path) -> None:
    """The whole base, movements that were kept and the clock included; and it goes on from there as it would have."""
    path = tmp_path / "journal"
    world, journal = started(path)
    before = content(world)
    work(world)
    journal.close()
    after = content(world)
    assert after != before
    again, journal = started(path)
    assert content(again) == after
    key = world.records(PARTIES)[0]["Ref_Key"]
    for one in (world, again):
        one.edit(PARTIES, key, {"КПП": "770501009"})
    journal.close()
    assert content(again) == content(world)
    third, journal = started(path)
    journal.close()
    assert content(third) == content(world)


def test_the_end_may_come_in_the_middle_of_a_line(tmp_path: Path) -> None:
    """Cut after any byte of its last lines the journal gives the base before that change, and takes new ones."""
    path = tmp_path / "journal"
    world, journal = started(path)
    keys = [row["Ref_Key"] for row in world.records(PARTIES)[:3]]
    for key in keys[:2]:
        world.edit(PARTIES, key, {"КПП": "770501001"})
    journal.close()
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 3
    last = len(whole) - len(lines[-1])
    for cut in (1, len(lines[0]) - 1, last + 1, last + len(lines[-1]) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        again, journal = started(path)
        kept = [again.get(PARTIES, key) for key in keys[:2]]
        assert [row is not None and row["КПП"] == "770501001" for row in kept] == [cut > last, False]
        again.edit(PARTIES, keys[2], {"КПП": "770501002"})
        journal.close()
        more, journal = started(path)
        journal.close()
        assert content(more) == content(again)


def test_another_base_or_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A sentence names what differs, or the line; the file stays as it is."""
    path = tmp_path / "journal"
    world, journal = started(path)
    world.touch(PARTIES, world.records(PARTIES)[0]["Ref_Key"])
    journal.close()
    told = path.read_bytes()
    with pytest.raises(WrongJournal, match="another base: seed 3, not 4; orders 60, not 61"):
        Journal(path, world, SIZE | {"seed": 4, "orders": 61}).replay()
    assert path.read_bytes() == told
    path.write_bytes(told.replace(b"\n", b"\nhalf\n", 1))
    with pytest.raises(WrongJournal, match="line 2"):
        Journal(path, world, SIZE).replay()
    path.write_bytes(b"a text\n")
    with pytest.raises(WrongJournal, match="line 1"):
        Journal(path, world, SIZE).replay()


def test_a_base_with_a_journal_is_not_put_back(tmp_path: Path) -> None:
    """A journal knows no way back: restoring is refused over the control address, with what to do."""
    world, journal = started(tmp_path / "journal")
    with OneCStand(world, control=True) as stand, Client(stand) as client:
        stand.snapshots.kept = True
        assert client.send("POST", "/_stand/snapshot", b'{"name": "night"}').status == 200
        answer = client.send("POST", "/_stand/restore", b'{"name": "night"}')
    journal.close()
    assert (answer.status, "without --journal" in answer.json["error"]) == (400, True)


def test_the_command_refuses_the_journal_of_another_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a sentence; a packed set with a journal is refused as well, before anything is built."""
    path = tmp_path / "journal"
    _, journal = started(path)
    journal.close()
    words = ["--clients", "20", "--products", "30", "--orders", "60", "--journal", str(path)]
    assert main([*words, "--seed", "4"]) == 2
    assert "is the journal of another base" in capsys.readouterr().err
    assert parser().parse_args(words).journal == path
    with pytest.raises(SystemExit):
        main([*words, "--packed", str(tmp_path)])
    assert "--packed" in capsys.readouterr().err
