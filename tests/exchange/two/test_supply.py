"""An order that names a client alone is made in 1C with his partner and his contract, as a form of 1C fills them in."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from hub.model.settings import RouteSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import CLIENTS, ORDERS, PARTNERS, Two, bare, client, make_two

CONTRACTS = "Catalog_ДоговорыКонтрагентов"
NONE = "00000000-0000-0000-0000-000000000000"


def order(party: str, **more: Any) -> dict[str, Any]:
    """An order of the other system."""
    head = {"Ref_Key": str(uuid.uuid4()), "DeletionMark": False, "Posted": False, "Number": "00001"}
    return {**head, "Date": "2026-11-02T10:00:00", "Контрагент_Key": party, "СуммаДокумента": 0, **more}


def contract(party: str, kind: str = "СПокупателем", **more: Any) -> dict[str, Any]:
    """A contract of УТ."""
    return {"Ref_Key": str(uuid.uuid4()), "DeletionMark": False, "Description": "Договор", "Контрагент_Key": party,
            "ТипДоговора": kind, **more}  # fmt: skip


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    """УТ, which makes the orders that the other one (a CRM) has; both know one client, УТ his partner."""
    routes = {
        "ut.sales_order": RouteSettings("ut.sales_order", write="all", create="always"),
        "ut.contract": RouteSettings("ut.contract"),
        "ut2.sales_order": RouteSettings("ut2.sales_order"),
    }
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    for base in bases.values():
        base.records[CONTRACTS].clear()
    made = make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})
    made.keys["partner"] = made.put(
        "ut", {"Ref_Key": str(uuid.uuid4()), "DeletionMark": False, "Description": "Ромашка (холдинг)"}, PARTNERS
    )
    made.keys["client"] = made.put("ut", client("ООО Ромашка", Партнер_Key=made.keys["partner"]))
    made.keys["his"] = made.put("ut2", client("ООО Ромашка"))
    return made


def night(two: Two) -> None:
    """Clients and contracts, then orders."""
    two.exchange("ut.party", "ut2.party", "ut.contract", "ut.sales_order", "ut2.sales_order")


def made(two: Two) -> dict[str, Any]:
    """The one order of УТ."""
    (found,) = two.bases["ut"].records[ORDERS].values()
    return dict(found)


def test_a_new_order_has_the_partner_and_the_contract_of_its_client(two: Two) -> None:
    """Both are УТ's own afterwards: the next night changes nothing, and who takes them away there is not overruled."""
    sale = two.put("ut", contract(two.keys["client"]), CONTRACTS)
    two.put("ut", contract(two.keys["client"], "СПоставщиком"), CONTRACTS)
    two.put("ut", contract(two.keys["client"], DeletionMark=True), CONTRACTS)
    night(two)
    two.put("ut2", order(two.keys["his"]), ORDERS)
    night(two)
    shown = made(two)
    assert (shown["Контрагент_Key"], shown["Партнер_Key"]) == (two.keys["client"], two.keys["partner"])
    assert shown["Договор_Key"] == sale
    writes, owed = two.writes(), two.rows(core.outbox)
    night(two)
    assert (two.writes(), two.rows(core.outbox)) == (writes, owed)
    two.edit("ut", shown["Ref_Key"], ORDERS, Договор_Key=NONE)
    night(two)
    assert (made(two)["Договор_Key"], two.writes()) == (NONE, writes)


def test_of_several_contracts_none_is_put_in(two: Two) -> None:
    """Which of two contracts an order is under only a person knows."""
    for _ in range(2):
        two.put("ut", contract(two.keys["client"]), CONTRACTS)
    night(two)
    two.put("ut2", order(two.keys["his"]), ORDERS)
    night(two)
    assert (made(two)["Партнер_Key"], made(two).get("Договор_Key")) == (two.keys["partner"], None)


def test_what_is_told_counts_before(two: Two) -> None:
    """An order that names its partner keeps it."""
    other = {"Ref_Key": str(uuid.uuid4()), "DeletionMark": False, "Description": "Другой"}
    for code in ("ut", "ut2"):
        two.put(code, dict(other), PARTNERS)
    night(two)
    with two.store.begin() as conn:  # the partner of both systems is one record
        ids = {code: two.record(code, str(other["Ref_Key"]), PARTNERS) for code in ("ut", "ut2")}
        conn.execute(core.link.update().where(core.link.c.record_id == ids["ut2"]).values(record_id=ids["ut"]))
    two.put("ut2", order(two.keys["his"], Партнер_Key=other["Ref_Key"]), ORDERS)
    night(two)
    assert made(two)["Партнер_Key"] == other["Ref_Key"]


def test_a_client_without_a_partner_gives_none(two: Two) -> None:
    """Nothing is made up."""
    two.edit("ut", two.keys["client"], CLIENTS, Партнер_Key=NONE)
    night(two)
    two.put("ut2", order(two.keys["his"]), ORDERS)
    night(two)
    assert made(two).get("Партнер_Key") is None
