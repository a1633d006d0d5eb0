"""A plan tells what an exchange would do, and making it changes nothing."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, select, update

from connectors.memory import MemoryBase
from hub.exchange.plan import file
from hub.exchange.plan.make import PlanReport, make_plan
from hub.exchange.plan.parts import Item, Left, Outgoing
from hub.exchange.runs import now
from hub.model.errors import NeedsPerson
from hub.store import core
from hub.store.database import Store
from hub.store.tables import metadata
from tests.exchange import frozen
from tests.exchange.two.systems import Two, bare, client, make_two


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    return make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})


def rows_of(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but plans."""
    with store.read() as conn:
        return {table.name: _rows(conn, table) for table in metadata.sorted_tables if table is not core.plan}


def _rows(conn: Any, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(repr, row)) for row in conn.execute(select(table))), key=repr)


def base_of(base: MemoryBase) -> Any:
    """Everything that a base holds."""
    nodes = {name: (dict(node.registered), node.received) for name, node in base.nodes.items()}
    return copy.deepcopy((base.records, nodes))


def parts(two: Two, report: PlanReport) -> tuple[list[Item], list[Outgoing], list[Left]]:
    hub = two.hub
    return (
        list(file.read(hub, report.code, Item)),
        list(file.read(hub, report.code, Outgoing)),
        list(file.read(hub, report.code, Left)),
    )


def test_a_plan_changes_nothing(two: Two) -> None:
    """Store, cursors and bases are row for row as before; the one thing that is new is the plan itself."""
    one = two.put("ut", client("ООО Ромашка"))
    two.put("ut2", client("ООО Ромашка", ДополнительнаяИнформация="звонить"))
    two.exchange("ut.party", "ut2.party")
    two.edit("ut", one, НаименованиеПолное="ООО Ромашка и Ко")
    two.put("ut", client("ООО Лютик", inn="7736050003", kpp="773601001"))
    before, bases = rows_of(two.store), {code: base_of(base) for code, base in two.bases.items()}
    writes = two.writes()
    report = make_plan(two.hub, ["ut.party", "ut2.party"])
    assert rows_of(two.store) == before
    assert {code: base_of(base) for code, base in two.bases.items()} == bases
    assert two.writes() == writes
    assert [row["code"] for row in two.rows(core.plan)] == [report.code]
    assert sorted(path.name for path in (two.hub.settings.home / "plans").iterdir()) == [
        f"{report.code}.json",
        f"{report.code}.xlsx",
    ]
    print(msgspec.json.format((two.hub.settings.home / "plans" / f"{report.code}.json").read_bytes()).decode())


def test_values_of_old_plans_are_forgotten(two: Two) -> None:
    """A month after it has expired the next plan removes a plan's files and samples; its row tells what it was."""
    two.put("ut", client("ООО Ромашка"))
    kept, old = make_plan(two.hub), make_plan(two.hub)
    ended = now() - file.KEPT
    with two.store.begin() as conn:
        for report, at in ((kept, ended + timedelta(hours=1)), (old, ended - timedelta(hours=1))):
            conn.execute(update(core.plan).where(core.plan.c.code == report.code).values(expires_at=at))
    make_plan(two.hub)
    assert [path.exists() for report in (kept, old) for path in (report.path, report.book)] == [
        True,
        True,
        False,
        False,
    ]
    rows = {plan.code: plan for plan in file.plans(two.hub)}
    assert (rows[kept.code].samples["items"] != [], rows[old.code].samples) == (True, {})
    assert rows[old.code].counts == rows[kept.code].counts
    with pytest.raises(NeedsPerson) as error:
        file.find(two.hub, old.code)
    assert error.value.code == "plan_expired"
    assert file.forget_old(two.hub) == []


def test_what_cannot_be_removed_is_tried_again(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody holds open keeps its row as it is, so that the next plan tries again."""
    two.put("ut", client("ООО Ромашка"))
    old = make_plan(two.hub)
    with two.store.begin() as conn:
        conn.execute(update(core.plan).values(expires_at=now() - file.KEPT - timedelta(days=1)))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "занят")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        assert file.forget_old(two.hub) == []
    assert file.forget_old(two.hub) == [old.code]
    assert not old.path.exists()
