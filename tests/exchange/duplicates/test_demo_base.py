"""The demo as a person meets it: duplicates are merged, branches are not, doubts wait, a merge is undone."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from sqlalchemy import select

from hub.exchange.duplicates.decide import decide, of
from hub.exchange.duplicates.queue import Wanted, doubts
from hub.exchange.merging.unmerge import of_run, unmerge
from hub.store import core, tables
from stand.onec.world import rows_of
from tests.exchange.two.test_crm_beside import Beside, beside  # noqa: F401 - a fixture

PARTY = tables.ROOTS["party"]
#: What a merge and its undo leave behind in a row, and rightly so.
WRITTEN = re.compile(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'\);$")  # the last column of clients: when they were written
TRACES = {"updated_by_run", "row_version", "last_run", "row_hash", "version"}


def living(hub: Any) -> dict[int, dict[str, str]]:
    """Requisites of each legal entity that lives, by record."""
    root, child = PARTY, tables.CHILDREN["party_identifier"]
    with hub.store.read() as conn:
        rows = conn.execute(
            select(root.c.id, child.c.scheme, child.c.value_norm)
            .join(child, child.c.party_id == root.c.id)
            .where(root.c.record_state == "active", child.c.scheme.in_(["inn", "kpp"]))
        )
        found: dict[int, dict[str, str]] = defaultdict(dict)
        for number, scheme, value in rows:
            found[number][scheme] = value
    return found


def by_inn(hub: Any) -> dict[str, list[str]]:
    """КПП of the living records of each ИНН."""
    found: dict[str, list[str]] = defaultdict(list)
    for told in living(hub).values():
        if {"inn", "kpp"} <= told.keys():
            found[told["inn"]].append(told["kpp"])
    return found


def said(row: dict[str, Any]) -> dict[str, Any]:
    """A row of contacts without its empty cells: 1C shows them in rows that were written, not in its first ones."""
    return {name: value for name, value in row.items() if value not in ("", "0001-01-01T00:00:00")}


def state(beside: Beside) -> dict[str, Any]:  # noqa: F811
    """Golden rows, links, redirects and what is owed; both systems as their people see them."""
    hub = beside.hub
    with hub.store.read() as conn:

        def rows(table: Any) -> list[dict[str, Any]]:
            order = list(table.primary_key.columns)
            found = conn.execute(select(table).order_by(*order)).mappings()
            return [{name: value for name, value in row.items() if name not in TRACES} for row in found]

        kept: dict[str, Any] = {
            name: rows(table) for name, table in (("party", PARTY), ("link", core.link), ("redirect", core.redirect))
        }
        for name in ("contact_point", "party_identifier", "address"):
            kept[name] = sorted(
                ({key: value for key, value in row.items() if key != "seq"} for row in rows(tables.CHILDREN[name])),
                key=str,
            )
        kept["owed"] = sorted({(row["link_id"], row["state"]) for row in rows(core.outbox)})
    world = beside.stand.world
    clients = {
        row["Ref_Key"]: {
            name: [said(row) for row in rows_of(value)] if name == "КонтактнаяИнформация" else value
            for name, value in row.items()
            if name != "DataVersion"
        }
        for row in world.records("Catalog_Контрагенты")
    }
    shown = [WRITTEN.sub("", line) for line in beside.dump()]
    return {**kept, "1C": clients, "CRM": shown}


def test_duplicates_of_the_demo(beside: Beside) -> None:  # noqa: F811
    """The first night only proposes. What is beyond doubt is merged by one word; branches stay, doubts wait."""
    hub = beside.hub
    assert beside.owed()
    with hub.store.read() as conn:
        assert conn.execute(select(core.redirect)).all() == []
    before = by_inn(hub)
    planted = {inn for inn, reasons in before.items() if len(reasons) > len(set(reasons))}
    branches = {inn for inn, reasons in before.items() if len(set(reasons)) > 1}
    assert planted
    assert branches
    done = decide(hub, of(doubts(hub, Wanted(bands=("auto",))), "merge"), by="Анна")
    assert done.by_word["merge"] >= len(planted)
    after = by_inn(hub)
    assert {inn: sorted(found) for inn, found in after.items()} == {
        inn: sorted(set(found)) for inn, found in before.items()
    }
    assert all(len(after[inn]) > 1 for inn in branches)
    waiting = doubts(hub)
    assert {"review"} <= {one.band for one in waiting}
    refused = {frozenset(pair[:2]) for pair in done.refused}
    assert {frozenset((one.one, one.other)) for one in waiting if one.band == "auto"} == refused
    again = decide(hub, of(waiting, "merge"), by="Анна")
    assert sum(again.by_word.values()) + again.gone + len(again.refused) == len(waiting)


def test_a_merge_of_the_demo_is_undone(beside: Beside) -> None:  # noqa: F811
    """One merge, a night in which the systems are told, its undo, a night more: everything is as before."""
    hub = beside.hub
    before = state(beside)
    first = doubts(hub, Wanted(bands=("auto",)), limit=1)
    done = decide(hub, of(first, "merge"), by="Анна")
    assert done.by_word == {"merge": 1}
    assert state(beside) != before
    beside.exchange()
    assert done.run_id is not None
    back = unmerge(hub, of_run(hub, done.run_id, by="Анна"))
    assert back.undone == [done.run_id]
    for _ in range(2):
        beside.exchange()
    assert state(beside) == before
