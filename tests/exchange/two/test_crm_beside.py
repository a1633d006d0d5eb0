"""1C and a CRM's own database by the demo's settings: people edit both, and each edit is seen on the other side."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from hub.cli.call import Call
from hub.cli.demo import write_settings
from hub.cli.demo_stands import CRM
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, run_exchange
from hub.store import core
from stand.crm import SHARED_WITH, build_crm
from stand.crm import people as crm_people
from stand.onec import people
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import World

ORDERS = 20


def base() -> World:
    """A base of 1C as it is before anybody has written to it."""
    return build(1, clients=SHARED_WITH, products=20, orders=ORDERS)


@dataclass
class Beside:
    """A hub between the two stands."""

    hub: Hub
    stand: OneCStand
    crm: Path

    def exchange(self) -> RunReport:
        """One night, in which nothing is refused and nothing fails."""
        report = run_exchange(self.hub)
        errors = [one.error for one in report.routes] + [one.error for one in report.pushes]
        assert [error for error in errors if error] == []
        assert [one.counters.by for one in report.pushes if one.counters.failed] == []
        assert sum(one.counters.quarantined for one in report.routes) == 0
        return report

    def asked(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the CRM."""
        with closing(sqlite3.connect(self.crm)) as conn:
            return conn.execute(statement, values).fetchall()

    def dump(self) -> list[str]:
        """All that the CRM holds."""
        with closing(sqlite3.connect(self.crm)) as conn:
            return list(conn.iterdump())

    def owed(self) -> list[dict[str, Any]]:
        """The outbox."""
        with self.hub.store.read() as conn:
            return [dict(row) for row in conn.execute(select(core.outbox)).mappings()]

    def order(self) -> tuple[str, dict[str, Any]]:
        """Number of an order of the CRM that 1C has as well, and 1C's record of it."""
        there = {row.get("Number", "").strip(): row for row in self.stand.world.records(people.ORDERS)}
        number = next(row[0] for row in self.asked("SELECT number FROM orders ORDER BY number") if row[0] in there)
        return number, there[number]

    def client(self) -> tuple[str, dict[str, Any]]:
        """ИНН of a client of the CRM that was made in 1C, and 1C's record of it."""
        made = [row for row in self.stand.world.records(people.CLIENTS)[SHARED_WITH:] if not row.get("Партнер_Key")]
        inns = {row.get("ИНН"): row for row in made}
        inn = next(row[0] for row in self.asked("SELECT inn FROM clients ORDER BY inn") if row[0] in inns)
        return inn, inns[inn]


def words(url: str) -> dict[str, str]:
    """What the demo's settings are filled in with."""
    named = [f"{name}_{what}" for name in ("mail", "calendar") for what in ("url", "password")]
    unused = dict.fromkeys([*named, "pbx_url", "mailbox", "manager"], "x")
    return {**unused, "user": "obmen", "stand_url": url, "stand_password": "слово", "crm_url": f"sqlite:///{CRM}"}


def only_these(path: Path, *systems: str) -> None:
    """The settings without the other systems, and their routes."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    told["systems"] = {code: told["systems"][code] for code in systems}
    told["routes"] = {code: one for code, one in told["routes"].items() if code.partition(".")[0] in systems}
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    """After the first night."""
    build_crm(tmp_path / CRM)
    with OneCStand(base(), user="obmen", password="слово") as stand:
        write_settings(Call(), tmp_path, words(stand.url))
        only_these(tmp_path / "hub.yaml", "ut", "crm")
        with Hub.open(tmp_path) as hub:
            made = Beside(hub, stand, tmp_path / CRM)
            made.exchange()
            yield made


@pytest.mark.slow
def test_the_first_night_is_safe_and_the_second_finds_nothing(beside: Beside) -> None:
    """Made in 1C are goods, customers with an ИНН, orders and tasks; clients of both wait; nobody is written over."""
    new = {name: len(beside.stand.world.records(name)) for name in (people.ORDERS, "Catalog_Номенклатура")}
    plain = base()
    assert new["Catalog_Номенклатура"] == len(plain.records("Catalog_Номенклатура")) + 24
    assert new[people.ORDERS] > ORDERS
    made = beside.stand.world.records(people.ORDERS)[ORDERS:]
    assert not any(row.get("Posted") for row in made), "an order of the CRM is posted by people"
    for before in plain.records(people.CLIENTS):
        assert beside.stand.world.get(people.CLIENTS, before["Ref_Key"])["DataVersion"] == before["DataVersion"]  # type: ignore[index]
    reasons = {(row["state"], row["last_error"]) for row in beside.owed()}
    assert reasons == {("held", "first_contact"), ("waiting", "reference_missing")}
    assert {row["error_params"]["field"] for row in beside.owed() if row["state"] == "waiting"} == {"party"}
    build_crm(beside.crm.with_name("plain.db"))
    with closing(sqlite3.connect(beside.crm.with_name("plain.db"))) as conn:
        assert list(conn.iterdump()) == beside.dump(), "the CRM is as it was"
    again = beside.exchange()
    assert sum(one.counters.created + one.counters.updated for one in again.routes) == 0
    assert sum(one.counters.confirmed for one in again.pushes) == 0


def test_edits_of_both_sides_travel(beside: Beside) -> None:
    """A telephone typed in the CRM is in 1C after the exchange, a comment and an order's line of 1C are in the CRM."""
    (inn, record), (number, order) = beside.client(), beside.order()
    crm_people.work(beside.crm, "phone", inn, "+7 495 000-00-01")
    people.work(beside.stand.world, "comment", inn, "Звонить после обеда")
    people.work(beside.stand.world, "line", number, "77")
    beside.exchange()
    assert "+7 495 000-00-01" in {row.get("Представление") for row in record["КонтактнаяИнформация"]}
    assert beside.asked("SELECT comment FROM clients WHERE inn = ?", inn) == [("Звонить после обеда",)]
    lines = beside.asked(
        "SELECT qty, total FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE number = ? ORDER BY line_no",
        number,
    )
    assert lines[0] == (77, order["СуммаДокумента"])
    again = beside.exchange()
    assert sum(one.counters.updated for one in again.routes) == 0
    assert sum(one.counters.confirmed for one in again.pushes) == 0


@pytest.mark.slow
def test_a_task_done_in_1c_is_done_in_the_crm(beside: Beside) -> None:
    """1C does a task by an act of its own; the CRM is told by a field, and asked for no act."""
    name = "Task_ЗадачаИсполнителя"
    titles = {row[0] for row in beside.asked("SELECT title FROM tasks WHERE priority = 'high' AND status != 'done'")}
    task = next(row for row in reversed(beside.stand.world.records(name)) if row.get("Description") in titles)
    beside.stand.world.edit(name, task["Ref_Key"], {"Executed": True, "ДатаИсполнения": "2026-11-13T20:00:00"})
    before = len(beside.asked("SELECT id FROM tasks WHERE status = 'done'"))
    beside.exchange()
    assert len(beside.asked("SELECT id FROM tasks WHERE status = 'done'")) == before + 1
