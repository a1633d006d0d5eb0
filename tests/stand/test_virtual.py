"""Balances and slices, computed here a second time from the documents."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

from stand.onec.movements_ut import FREE, SETTLEMENTS, STOCK
from stand.onec.server import OneCStand
from stand.onec.world import rows_of
from tests.stand.client import Client

PRICES = "InformationRegister_ЦеныНоменклатуры_RecordType"


def _settlements(stand: OneCStand) -> dict[tuple[str, str], float]:
    """Debt by counterparty and currency: posted shipments less posted payments."""
    debts: Counter[tuple[str, str]] = Counter()
    for name, sign in (
        ("Document_РеализацияТоваровУслуг", 1),
        ("Document_ПоступлениеБезналичныхДенежныхСредств", -1),
        ("Document_ПриходныйКассовыйОрдер", -1),
    ):
        for document in stand.world.records(name):
            if document["Posted"]:
                kopecks = round(document["СуммаДокумента"] * 100)
                debts[document["Контрагент_Key"], document["Валюта_Key"]] += sign * kopecks
    return {key: kopecks / 100 for key, kopecks in debts.items() if kopecks}


def test_settlements_are_shipments_less_payments(shared: OneCStand, odata: Client) -> None:
    """Balance by two dimensions equals what the documents add up to; balances of zero are not told."""
    rows = odata.rows(f"{SETTLEMENTS}/Balance(Dimensions='Контрагент,Валюта')")
    assert {(r["Контрагент_Key"], r["Валюта_Key"]): r["СуммаBalance"] for r in rows} == _settlements(shared)
    assert set(rows[0]) >= {"Контрагент_Key", "Валюта_Key", "СуммаBalance"}
    assert "Партнер_Key" not in rows[0]


def test_whole_balance_sums_to_the_grouped_one(odata: Client) -> None:
    """Without Dimensions the rows are finer and add up to the same; each names a published key of analytics."""
    fine = odata.rows(f"{SETTLEMENTS}/Balance")
    coarse = odata.rows(f"{SETTLEMENTS}/Balance(Dimensions='Валюта')")
    for row in coarse:
        parts = [r["СуммаBalance"] for r in fine if r["Валюта_Key"] == row["Валюта_Key"]]
        assert round(sum(parts) * 100) == round(row["СуммаBalance"] * 100)
    keys = {r["Ref_Key"]: r for r in odata.rows("Catalog_КлючиАналитикиУчетаПоПартнерам")}
    assert all(keys[r["АналитикаУчетаПоПартнерам_Key"]]["Партнер_Key"] == r["Партнер_Key"] for r in fine)
    pairs = [(r["АналитикаУчетаПоПартнерам_Key"], r["Валюта_Key"]) for r in fine]
    assert len(pairs) == len(set(pairs))


def test_stock_never_goes_below_zero(odata: Client) -> None:
    """Both stock registers agree on what is on hand; reserves are not more than that."""
    stock = odata.rows(f"{STOCK}/Balance")
    free = odata.rows(f"{FREE}/Balance")
    names = ("Номенклатура_Key", "Характеристика_Key", "Склад_Key")
    on_hand = {tuple(r[n] for n in names): r["ВНаличииBalance"] for r in stock}
    assert min(on_hand.values()) > 0
    assert {tuple(r[n] for n in names): r["ВНаличииBalance"] for r in free} == on_hand
    assert any(r["ВРезервеСоСкладаBalance"] > 0 for r in free)
    assert all(0 <= r["ВРезервеСоСкладаBalance"] <= r["ВНаличииBalance"] for r in free)
    assert len({r["Склад_Key"] for r in stock}) == 3


def test_balance_before_a_moment(shared: OneCStand, odata: Client) -> None:
    """Period cuts the movements off: the moment itself is not included."""
    shipped = sorted((d["Date"], d) for d in shared.world.records("Document_РеализацияТоваровУслуг") if d["Posted"])
    edge = shipped[0][0]
    assert odata.rows(f"{SETTLEMENTS}/Balance(Period=datetime'2020-01-01T00:00:00')") == []
    before = odata.rows(f"{SETTLEMENTS}/Balance?Period=datetime'{edge}'")
    assert sum(1 for row in before if row["СуммаBalance"] > 0) == 0


@pytest.mark.parametrize("where", ["path", "query", "bare query"])
def test_condition(shared: OneCStand, odata: Client, where: str) -> None:
    """Condition goes into the parentheses with its inner quotes as they are, or into the query."""
    warehouse = shared.world.records(STOCK.replace("AccumulationRegister_ТоварыНаСкладах", "Catalog_Склады"))[1]
    text = f"Склад_Key eq guid'{warehouse['Ref_Key']}'"
    path = {
        "path": f"{STOCK}/Balance(Condition='{text}',Dimensions='Номенклатура')",
        "query": f"{STOCK}/Balance?Condition='{text}'&Dimensions='Номенклатура'",
        "bare query": f"{STOCK}/Balance()?Condition={text}&Dimensions=Номенклатура",
    }[where]
    found = {row["Номенклатура_Key"]: row["ВНаличииBalance"] for row in odata.rows(path)}
    wanted: defaultdict[str, float] = defaultdict(float)
    for row in odata.rows(f"{STOCK}/Balance"):
        if row["Склад_Key"] == warehouse["Ref_Key"]:
            wanted[row["Номенклатура_Key"]] += row["ВНаличииBalance"]
    assert found == {key: pytest.approx(value) for key, value in wanted.items()}
    assert found


def test_options_apply_to_virtual_tables(odata: Client) -> None:
    """$filter, $select, $orderby and pages work on the rows of a balance; these are really sorted."""
    path = f"{STOCK}/Balance?$select=Склад_Key,ВНаличииBalance&$orderby=ВНаличииBalance desc"
    rows = odata.rows(f"{path}&$filter=ВНаличииBalance gt 10")
    values = [row["ВНаличииBalance"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert min(values) > 10
    assert [name for name in rows[0] if "@" not in name] == ["Склад_Key", "ВНаличииBalance"]
    assert odata.rows(f"{path}&$filter=ВНаличииBalance gt 10&$top=2&$skip=1") == rows[1:3]


def test_slice_last_is_the_latest_price(odata: Client) -> None:
    """One row per product, characteristic and kind of price: the newest; with Period the newest until then."""

    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return row["Номенклатура_Key"], row["Характеристика_Key"], row["ВидЦены_Key"]

    def latest(until: str) -> dict[tuple[str, ...], float]:
        found = {}
        for row in sorted(odata.rows(PRICES), key=lambda r: str(r["Period"])):
            if row["Period"] <= until:
                found[key(row)] = row["Цена"]
        return found

    now = odata.rows(f"{PRICES}/SliceLast")
    assert {key(row): row["Цена"] for row in now} == latest("9999")
    assert len(now) == len({key(row) for row in now})
    past = odata.rows(f"{PRICES}/SliceLast(Period=datetime'2025-01-01T00:00:00',Condition='Цена gt 100')")
    old = {k: price for k, price in latest("2025-01-01T00:00:00").items() if price > 100}
    assert {key(row): row["Цена"] for row in past} == old
    assert old != latest("9999")


def test_slice_of_an_independent_register(odata: Client) -> None:
    """Rates of three currencies, the newest of each; the set itself has them all."""
    name = "InformationRegister_КурсыВалют"
    everything, now = odata.rows(name), odata.rows(f"{name}/SliceLast")
    assert len(everything) > len(now) == 3
    newest = max(row["Period"] for row in everything)
    assert {row["Period"] for row in now} == {newest}
    one = everything[0]
    path = f"{name}(Period=datetime'{one['Period']}', Валюта_Key=guid'{one['Валюта_Key']}')"
    assert odata.get(f"{path}?$format=json").json["Курс"] == one["Курс"]
    assert odata.fail(f"{name}(Валюта_Key=guid'{one['Валюта_Key']}')")[:2] == (400, "7")


def test_methods_a_set_does_not_have(odata: Client) -> None:
    """Balance of a register of turnovers or of a catalogue is «Метод не найден», code 6."""
    for path in (
        "AccumulationRegister_ВыручкаИСебестоимостьПродаж/Balance",
        "Catalog_Контрагенты/Balance()",
        f"{PRICES}/Balance",
        "InformationRegister_ЦеныНоменклатуры/SliceLast",
        f"{STOCK}_RecordType/Balance",
    ):
        status, code, text = odata.fail(path)
        assert (status, code) == (400, "6")
        assert text.startswith("Метод не найден")
    assert odata.fail(f"{STOCK}/Balance(StartPeriod=datetime'2026-01-01T00:00:00')")[:2] == (400, "12")
    assert odata.fail(f"{STOCK}/Balance(Dimensions='Нет')")[:2] == (400, "14")
    assert odata.fail(f"{STOCK}/Balance(Нет='1')")[:2] == (400, "12")


def test_orders_register_follows_orders_and_shipments(shared: OneCStand, odata: Client) -> None:
    """What is ordered and not shipped: closed orders leave nothing behind."""
    rows = odata.rows("AccumulationRegister_ЗаказыКлиентов/Balance?$filter=ЗаказаноBalance ne 0")
    world = shared.world
    open_orders = {row["ЗаказКлиента"] for row in rows}
    assert open_orders
    for order in open_orders:
        record = world.get("Document_ЗаказКлиента", order)
        assert record is not None
        shipped = [s for s in world.records("Document_РеализацияТоваровУслуг") if s["ЗаказКлиента"] == order]
        whole = record["Статус"] == "Закрыт" and shipped and all(s["Posted"] for s in shipped)
        lines = [line for line in rows_of(record["Товары"]) if not line.get("Отменено")]
        assert not whole or len(lines) > sum(len(rows_of(s["Товары"])) for s in shipped)
