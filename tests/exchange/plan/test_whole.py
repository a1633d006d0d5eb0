"""A whole base by plans: what is planned and applied is what an exchange does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub
from hub.exchange.plan import file
from hub.exchange.plan.apply import apply_plan
from hub.exchange.plan.items import columns_by_stream, learn_logged, log_cells
from hub.exchange.plan.make import make_plan
from hub.exchange.plan.parts import Item
from hub.exchange.plan.spell import Speller
from hub.exchange.service import run_exchange
from hub.store import core
from hub.store.database import Store, open_store
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub


def hub_of(store: Store, home: Path, base: MemoryBase) -> Hub:
    home.mkdir(exist_ok=True)
    return make_hub(store, home, {"ut": MemoryConnector(base)})


def test_a_first_load_by_plan_is_a_first_load(
    store: Store, tmp_path: Path, small_base: MemoryBase, sqlite_template: Path
) -> None:
    """Every record of a base by plan and apply: the store is that of an exchange, references and balances too."""
    other = tmp_path / "other.db"
    other.write_bytes(sqlite_template.read_bytes())
    plain = open_store(f"sqlite:///{other}")
    run_exchange(hub_of(plain, tmp_path / "plain", small_base))
    hub = hub_of(store, tmp_path / "planned", small_base)
    report = apply_plan(hub, make_plan(hub).code)
    wanted, found = dump(plain), dump(store)
    plain.close()
    assert report.moved == []
    assert {name: found[name] for name in found if name not in {"quarantine", "parked", "expected"}} == {
        name: wanted[name] for name in wanted if name not in {"quarantine", "parked", "expected"}
    }
    run_exchange(hub)
    assert dump(store) == wanted


def test_what_a_plan_shows_is_what_the_exchange_then_does(store: Store, tmp_path: Path, small_base: MemoryBase) -> None:
    """Each change of each record, in the plan and in the change log of the exchange after it."""
    hub = hub_of(store, tmp_path / "home", small_base)
    first = make_plan(hub)
    planned = planned_of(hub, first.code)
    run = run_exchange(hub).run_id
    assert logged_of(hub, run) == planned
    assert sum(planned.values()) > 200
    order = next(iter(small_base.records["Document_ЗаказКлиента"]))
    record = small_base.records["Document_ЗаказКлиента"][order]
    small_base.put("Document_ЗаказКлиента", {**record, "Комментарий": "иначе"})
    planned = planned_of(hub, make_plan(hub).code)
    run = run_exchange(hub).run_id
    assert logged_of(hub, run) == planned
    assert planned


def planned_of(hub: Hub, code: str) -> Counter[tuple[str, str | None, str | None, str | None]]:
    """(key, field, before, after) of every change that is not of a new record, which the log tells by one row."""
    found: Counter[tuple[str, str | None, str | None, str | None]] = Counter()
    for item in file.read(hub, code, Item):
        cells = [cell for cell in item.changes if item.op != "create"]
        found.update((item.key, cell.field, cell.before, cell.after) for cell in cells)
        found.update([(item.key, None, None, None)] if item.op == "create" else [])
    return found


def logged_of(hub: Hub, run: int) -> Counter[tuple[str, str | None, str | None, str | None]]:
    spell, columns, found = Speller(), columns_by_stream(hub), Counter[tuple[str, str | None, str | None, str | None]]()
    with hub.store.read() as conn:
        rows = conn.execute(select(core.change_log).where(core.change_log.c.run_id == run)).all()
        for entity in {row.entity for row in rows}:
            learn_logged(conn, spell, entity, [row for row in rows if row.entity == entity])
        spell.learn(conn, [row.link_id for row in rows])
        for row in rows:
            key = spell.link(row.link_id)
            system, _, rest = key.partition(":")
            (cell,) = log_cells(spell, [row], columns.get((system, rest.partition("/")[0])))
            found[key, cell.field, cell.before, cell.after] += 1
    return found


def test_a_balance_that_is_listed_no_more_is_planned_and_set_to_zero(
    store: Store, tmp_path: Path, base: MemoryBase
) -> None:
    """1C lists no zeros: a missing row is in the plan, is looked for again when it is applied, and becomes zero."""
    hub = hub_of(store, tmp_path / "home", base)
    run_exchange(hub, ["ut.product", "ut.unit", "ut.warehouse", "ut.stock_balance"])
    (stream,) = hub.streams_of("ut", "stock_balance")
    before = quantities(hub)
    gone = next(iter(base.records[stream]))
    kept = base.records[stream].pop(gone)
    code = make_plan(hub, ["ut.stock_balance"]).code
    assert [item.kind for item in file.read(hub, code, Item)] == ["zero"]
    report = apply_plan(hub, code)
    assert (report.applied, report.moved) == (1, [])
    assert sum(value == 0 for value in quantities(hub)) == sum(value == 0 for value in before) + 1
    code = make_plan(hub, ["ut.stock_balance"]).code
    assert list(file.read(hub, code, Item)) == []
    base.records[stream][gone] = kept
    code = make_plan(hub, ["ut.stock_balance"]).code
    del base.records[stream][gone]
    assert [one.reason for one in apply_plan(hub, code).moved] == ["plan_gone"]


def quantities(hub: Hub) -> list[object]:
    table = hub.routes["ut.stock_balance"].entity.name
    with hub.store.read() as conn:
        return [row[0] for row in conn.exec_driver_sql(f"SELECT on_hand FROM {table}")]
