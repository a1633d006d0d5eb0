"""People who edit: what a command changes in 1C and in the CRM, and what it says when it cannot."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stand.crm import build_crm
from stand.crm import people as crm_people
from stand.onec import people
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import World, rows_of


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    """A CRM."""
    path = tmp_path / "crm.db"
    build_crm(path, shared=5, own=5, orders=4)
    return path


def one(path: Path, statement: str, *args: Any) -> tuple[Any, ...]:
    """The first row that answers."""
    with closing(sqlite3.connect(path)) as conn:
        found: tuple[Any, ...] = conn.execute(statement, args).fetchone()
        return found


def some_client(world: World) -> dict[str, Any]:
    """A client with a telephone and an ИНН of its own."""
    rows = world.records(people.CLIENTS)
    inns = [row.get("ИНН") for row in rows]
    return next(
        row
        for row in rows
        if inns.count(row.get("ИНН")) == 1
        and any(point.get("Тип") == "Телефон" for point in rows_of(row.get("КонтактнаяИнформация")))
    )


def test_a_user_of_1c_edits_a_client(capsys: pytest.CaptureFixture[str]) -> None:
    """The command changes one telephone and leaves the rest, a comment, the mark and back; each moves the version."""
    with OneCStand(build(2, clients=20, products=30, orders=60), control=True) as stand:
        record = some_client(stand.world)
        points = [dict(row) for row in rows_of(record["КонтактнаяИнформация"])]
        versions = [record["DataVersion"]]
        for do, value in (("phone", "+7 495 000-00-01"), ("comment", "Звонить"), ("delete", ""), ("delete", "no")):
            assert people.main([stand.address, do, record["ИНН"], *filter(None, [value])]) == 0
            assert json.loads(capsys.readouterr().out)["client"] == record["Description"]
            versions.append(record["DataVersion"])
            if do == "delete":
                assert record["DeletionMark"] is (value != "no")
        assert len(set(versions)) == 5
        first = next(row for row in points if row["Тип"] == "Телефон")
        changed = [row for row in record["КонтактнаяИнформация"] if row not in points]
        assert [(row["LineNumber"], row["НомерТелефона"]) for row in changed] == [(first["LineNumber"], "74950000001")]
        assert record["ДополнительнаяИнформация"] == "Звонить"
        assert people.main([stand.address, "phone", "Такого нет", "1"]) == 2
        assert "0 clients are meant" in capsys.readouterr().err


def test_a_user_of_1c_edits_an_order() -> None:
    """Twice the quantity of a line is twice its sums, and the order is dearer by one of them."""
    world = build(2, clients=20, products=30, orders=60)
    record = next(row for row in world.records(people.ORDERS) if rows_of(row.get("Товары")))
    before = [dict(row) for row in rows_of(record["Товары"])]
    total = record["СуммаДокумента"]
    people.work(world, "line", record["Number"], str(before[0]["КоличествоУпаковок"] * 2))
    after = record["Товары"]
    assert after[0]["КоличествоУпаковок"] == before[0]["КоличествоУпаковок"] * 2
    assert after[0]["СуммаСНДС"] == pytest.approx(before[0]["СуммаСНДС"] * 2)
    assert after[1:] == before[1:]
    if not before[0].get("Отменено"):
        assert record["СуммаДокумента"] == pytest.approx(total + before[0]["СуммаСНДС"], abs=0.02)
    with pytest.raises(LookupError, match="no order"):
        people.work(world, "line", "нет", "1")
    with pytest.raises(ValueError, match="know no"):
        people.work(world, "dance", "x")
    with pytest.raises(ValueError, match="УТ only"):
        people.work(build(2, clients=5, products=5, orders=5, configuration="bp"), "comment", "x", "y")


def test_a_user_of_the_crm_edits(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command changes what it says, moves updated_at, and an order's total stays the sum of its lines."""
    inn, key = one(crm, "SELECT inn, id FROM clients WHERE inn IS NOT NULL")
    for do, value, statement in (
        ("phone", "+7 495 000-00-02", "SELECT value FROM client_contacts WHERE client_id = ? AND kind = 'phone'"),
        ("comment", "Звонить", "SELECT comment FROM clients WHERE id = ?"),
        ("status", "active", "SELECT status FROM clients WHERE id = ?"),
    ):
        assert crm_people.main([str(crm), do, inn, value]) == 0
        assert one(crm, statement, key)[0] == value
    assert crm_people.main([str(crm), "delete", inn]) == 0
    deleted, at = one(crm, "SELECT is_deleted, updated_at FROM clients WHERE id = ?", key)
    assert (deleted, at > "2026-11-13 20:00:00") == (1, True)
    order, line, qty = one(crm, "SELECT o.number, l.id, l.qty FROM orders o JOIN order_lines l ON l.order_id = o.id")
    assert crm_people.main([str(crm), "line", order, str(qty + 5)]) == 0
    assert one(crm, "SELECT qty FROM order_lines WHERE id = ?", line) == (qty + 5,)
    sums = "SELECT total, round((SELECT sum(amount) FROM order_lines WHERE order_id = orders.id), 2) FROM orders"
    total, lines = one(crm, f"{sums} WHERE number = ?", order)
    assert total == lines
    capsys.readouterr()
    for words in (["phone", "Такого нет", "1"], ["status", inn, "wrong"], ["line", "нет", "1"]):
        assert crm_people.main([str(crm), *words]) == 2
        assert capsys.readouterr().err.strip()
    assert crm_people.main([str(crm / "no"), "comment", inn, "x"]) == 2
