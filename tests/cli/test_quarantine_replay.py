"""``obmen quarantine``: causes in groups, records in full, and replays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors import registry
from connectors.memory import MemoryBase
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.store import core
from tests.cli.conftest import Obmen
from tests.dagster.base import ORDERS, PARTIES, guid, opener, order, party, small_base, write_home
from tests.exchange.quarantine_world import BROKEN_DAY, everything


@pytest.fixture
def base(home: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBase:
    """Five orders with impossible days, and one that waits for its client."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    made = small_base("replay")
    write_home(home, "replay")
    for number in range(1, 6):
        made.put(ORDERS, order(number, BROKEN_DAY))
    made.put(ORDERS, order(6, "2026-03-02", client=99))
    return made


@pytest.fixture
def hub(home: Path, base: MemoryBase) -> Iterator[Hub]:
    """The installation, after its first exchange."""
    with Hub.open(home, opener) as opened:
        run_exchange(opened)
        yield opened


def many(hub: Hub, number: int) -> None:
    """The first record of quarantine so many times more, under other keys."""
    table = core.quarantine
    with hub.store.begin() as conn:
        row = dict(conn.execute(select(table).order_by(table.c.id)).mappings().first() or {})
        del row["id"]
        conn.execute(table.insert(), [row | {"external_id": f"много-{place}"} for place in range(number)])


def test_records_of_one_cause_are_one_line(obmen: Obmen, hub: Hub) -> None:
    """Four thousand of them: one line with their number, three of them shown, and how many more there are."""
    many(hub, 4000)
    said = obmen("quarantine")
    assert said.code == 1
    (line,) = [line for line in said.out.splitlines() if "4005" in line]
    for part in ("ut.sales_order", "bad_date", "Date"):
        assert part in line
    assert said.out.count(f"Date: {BROKEN_DAY}") == 3
    assert "ещё 4002" in said.out
    assert "Ждут других записей (это не карантин): 1." in said.out
    assert len(said.out.splitlines()) < 15
    found = obmen("quarantine", "--json", "--limit", "7").document
    (group,) = found["result"]["groups"]
    assert (group["number"], group["reason"], group["field"], len(group["samples"])) == (4005, "bad_date", "Date", 3)
    assert (len(found["result"]["records"]), found["result"]["parked"], found["command"]) == (7, 1, "quarantine")


def test_the_list_needs_no_word_for_itself(obmen: Obmen, hub: Hub) -> None:
    """With or without ``list``, with options and routes before and after, the answer is the same."""
    said = obmen("quarantine").out
    assert said
    for words in (
        ("list",),
        ("ut.sales_order",),
        ("list", "ut.sales_order"),
        ("--limit", "3"),
        ("--lang", "ru", "list"),
    ):
        assert obmen("quarantine", *words).out == said
    assert obmen("quarantine", "ut.party").code == 0
    assert obmen("quarantine", "--cause", "bad_number").code == 0


def test_help_names_the_commands_of_the_family(obmen: Obmen) -> None:
    """Each with its line; each has a page of its own."""
    said = obmen("quarantine", "--help")
    assert said.code == 0
    for name in ("list", "show", "export", "import", "replay"):
        assert f"\n  {name} " in said.out
        assert obmen("quarantine", name, "--help").code == 0


def test_a_record_is_shown_whole(obmen: Obmen, hub: Hub) -> None:
    """Reason, value and the record itself as it came, masked in nothing."""
    said = obmen("quarantine", "show", "--id", guid(3, 1))
    assert said.code == 1
    for part in ("bad_date", BROKEN_DAY, '"Number": "УТ-000001"', guid(1, 1)):
        assert part in said.out
    (record,) = obmen("quarantine", "show", "--id", guid(3, 1), "--json").document["result"]["records"]
    assert record["payload"]["Товары"][0]["Цена"] == 100.0
    assert obmen("quarantine", "show", "--cause", "bad_date", "--limit", "2").out.count('"Ref_Key"') == 2
    nothing = obmen("quarantine", "show", "--id", "нет такой")
    assert (nothing.code, nothing.out.strip()) == (0, "Таких записей в карантине нет.")


def test_a_record_cannot_command_the_terminal(obmen: Obmen, hub: Hub) -> None:
    """Control characters of a record that is not even JSON are shown as escapes."""
    with hub.store.begin() as conn:
        conn.execute(core.quarantine.update().values(payload="\x1b[2Jне JSON"))
    said = obmen("quarantine", "show", "--limit", "1")
    assert "\x1b" not in said.out
    assert "\\u001b[2Jне JSON" in said.out


def test_a_replay_is_dry_until_told_otherwise(obmen: Obmen, hub: Hub) -> None:
    """It tells how many would pass and why the others would not; with --apply it is done and numbered."""
    table = core.quarantine
    with hub.store.begin() as conn:
        for row in conn.execute(select(table.c.id, table.c.payload).order_by(table.c.id).limit(2)).all():
            good = json.dumps(json.loads(row.payload) | {"Date": "2026-03-02T12:00:00"}, ensure_ascii=False)
            conn.execute(table.update().where(table.c.id == row.id).values(payload=good))
    before = everything(hub.store)
    dry = obmen("quarantine", "replay")
    assert everything(hub.store) == before
    assert dry.code == 1
    for part in (
        "записей: 5 · пройдёт: 2",
        "не пройдёт: 3",
        "не проходит 3:",
        BROKEN_DAY,
        "--apply",
        "это не карантин",
    ):
        assert part in dry.out
    told = obmen("quarantine", "replay", "ut.sales_order", "--cause", "bad_date", "--apply", "--json").document
    (cause,) = told["result"]["causes"]
    assert (cause["number"], cause["passed"]) == (5, 2)
    assert [(one["reason"], one["field"], one["number"]) for one in cause["refused"]] == [("bad_date", "Date", 3)]
    assert (told["command"], told["exit_code"], told["result"]["applied"]) == ("quarantine replay", 1, True)
    with hub.store.read() as conn:
        run = conn.execute(select(core.exchange_run).order_by(core.exchange_run.c.id.desc())).first()
    assert run is not None
    assert (run.id, run.mode) == (told["result"]["run"], "replay")
    status = obmen("status")
    assert "Повтор карантина" in status.out


def test_everything_mended_ends_well(obmen: Obmen, hub: Hub, base: MemoryBase) -> None:
    """Once nothing waits the exit code is 0, and an empty quarantine has nothing to replay."""
    for number in range(1, 6):
        base.put(ORDERS, order(number, "2026-03-01"))
    base.put(PARTIES, party(99))
    run_exchange(hub)
    said = obmen("quarantine", "replay", "--apply")
    assert (said.code, said.out.strip()) == (0, "Повторять нечего.")


def test_a_base_that_is_down_is_told(obmen: Obmen, hub: Hub, base: MemoryBase) -> None:
    """The mappings of now cannot be held against a base that does not answer: exit code 3, nothing is written."""
    from hub.model.errors import RetryLater

    before = everything(hub.store)
    base.fail(*(RetryLater("source_unreachable", system="Торговля") for _ in range(3)))
    said = obmen("quarantine", "replay")
    assert (said.code, "ut.sales_order" in said.out) == (3, True)
    assert everything(hub.store) == before
