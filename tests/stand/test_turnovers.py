"""Turnovers and balances of УТ and УНФ, computed here a second time from the documents' own rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from stand.onec import movements_unf, movements_ut
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import Record, World, rows_of
from tests.stand.client import Client

SALE = "Document_РеализацияТоваровУслуг"
UT_PAID = ("Document_ПоступлениеБезналичныхДенежныхСредств", "Document_ПриходныйКассовыйОрдер")
UNF_SHIPPED = ("Document_РасходнаяНакладная", "Document_АктВыполненныхРабот")
UNF_PAID = ("Document_ПоступлениеНаСчет", "Document_ПоступлениеВКассу")
SETTLEMENTS = {"ut": movements_ut.SETTLEMENTS, "unf": movements_unf.SETTLEMENTS}
FIELD = {"ut": "Сумма", "unf": "СуммаВал"}
COLUMNS = ("OpeningBalance", "Receipt", "Expense", "ClosingBalance")
Sums = dict[str, tuple[int, int]]


def _flows(world: World) -> Iterator[tuple[str, str, int, int]]:
    """Date, client, what the client came to owe, what it paid: in kopecks, of posted documents, by their own rows."""
    if world.configuration.name == "ut":
        shipped: tuple[str, ...] = (SALE,)
        lines, total, paid, amount = "Товары", "СуммаСНДС", UT_PAID, "Сумма"
    else:
        shipped, lines, total, paid, amount = UNF_SHIPPED, "", "Всего", UNF_PAID, "СуммаРасчетов"
    for name in (*shipped, *paid):
        for document in world.records(name):
            part = "РасшифровкаПлатежа" if name in paid else lines or _part(name)
            field = amount if name in paid else total
            kopecks = sum(round(row[field] * 100) for row in rows_of(document[part]))
            if document["Posted"]:
                owed, got = (0, kopecks) if name in paid else (kopecks, 0)
                yield document["Date"], document["Контрагент_Key"], owed, got


def _part(name: str) -> str:
    return "Запасы" if name == UNF_SHIPPED[0] else "РаботыИУслуги"


def _by_client(world: World, start: str, end: str) -> Sums:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for when, client, owed, got in _flows(world):
        if start <= when <= end:
            found[client][0] += owed
            found[client][1] += got
    return {client: (owed, got) for client, (owed, got) in found.items() if owed or got}


def _kopecks(value: float) -> int:
    return round(value * 100)


@pytest.fixture(scope="module", params=["ut", "unf"])
def base(request: pytest.FixtureRequest) -> Iterator[tuple[OneCStand, Client, str, str]]:
    """A stand, its client, and the register and resource of settlements."""
    name = request.param
    with (
        OneCStand(build(4, clients=40, products=50, orders=300, configuration=name)) as stand,
        Client(stand) as client,
    ):
        yield stand, client, SETTLEMENTS[name], FIELD[name]


def _edges(world: World) -> tuple[str, str]:
    """Moments of two documents, so that both ends of the window carry movements."""
    dates = sorted({when for when, *_ in _flows(world)})
    return dates[len(dates) // 4], dates[3 * len(dates) // 4]


def test_turnovers_between_two_moments(base: tuple[OneCStand, Client, str, str]) -> None:
    """Receipt, expense and turnover by client are the documents from the first moment to the last, both included."""
    stand, client, register, field = base
    start, end = _edges(stand.world)
    window = f"StartPeriod=datetime'{start}',EndPeriod=datetime'{end}',Dimensions='Контрагент'"
    rows = client.rows(f"{register}/Turnovers({window})")
    found = {r["Контрагент_Key"]: (_kopecks(r[f"{field}Receipt"]), _kopecks(r[f"{field}Expense"])) for r in rows}
    assert found == _by_client(stand.world, start, end)
    assert found != _by_client(stand.world, start, "9999")
    for row in rows:
        assert _kopecks(row[f"{field}Turnover"]) == _kopecks(row[f"{field}Receipt"]) - _kopecks(row[f"{field}Expense"])
    assert {"Period", "Recorder", "LineNumber", "Договор_Key"}.isdisjoint(rows[0])


def test_turnovers_without_a_window_are_everything(base: tuple[OneCStand, Client, str, str]) -> None:
    """Neither end is needed; parameters may stand in the query; net of all turnovers is the balance."""
    stand, client, register, field = base
    rows = client.rows(f"{register}/Turnovers?Dimensions='Контрагент'")
    assert {r["Контрагент_Key"]: _kopecks(r[f"{field}Turnover"]) for r in rows} == {
        party: owed - got for party, (owed, got) in _by_client(stand.world, "", "9999").items()
    }
    balance = client.rows(f"{register}/Balance(Dimensions='Контрагент')")
    assert {r["Контрагент_Key"]: r[f"{field}Balance"] for r in balance} == {
        r["Контрагент_Key"]: r[f"{field}Turnover"] for r in rows if r[f"{field}Turnover"]
    }


def test_balance_and_turnovers_close(base: tuple[OneCStand, Client, str, str]) -> None:
    """Opening is the balance before the window, closing the one after it, and the turnovers lie between."""
    stand, client, register, field = base
    start, end = _edges(stand.world)
    window = f"StartPeriod=datetime'{start}',EndPeriod=datetime'{end}',Dimensions='Контрагент'"
    rows = client.rows(f"{register}/BalanceAndTurnovers({window})")
    before, after = (_net(stand.world, start), _net(stand.world, end, included=True))
    turned = _by_client(stand.world, start, end)
    for row in rows:
        party = row["Контрагент_Key"]
        values = {name: _kopecks(row[f"{field}{name}"]) for name in COLUMNS}
        assert values["OpeningBalance"] == before.get(party, 0)
        assert (values["Receipt"], values["Expense"]) == turned.get(party, (0, 0))
        assert values["ClosingBalance"] == after.get(party, 0)
        assert values["OpeningBalance"] + values["Receipt"] - values["Expense"] == values["ClosingBalance"]
    assert {row["Контрагент_Key"] for row in rows} >= set(turned)
    edge = f"{register}/Balance(Period=datetime'{start}',Dimensions='Контрагент')"
    found = {r["Контрагент_Key"]: _kopecks(r[f"{field}Balance"]) for r in client.rows(edge)}
    assert {party: value for party, value in found.items() if value} == {p: v for p, v in before.items() if v}


def _net(world: World, edge: str, *, included: bool = False) -> dict[str, int]:
    found: Counter[str] = Counter()
    for when, party, owed, got in _flows(world):
        if when < edge or (included and when == edge):
            found[party] += owed - got
    return dict(found)


@pytest.mark.parametrize("quote", ["'", "''"])
def test_condition_with_either_kind_of_quotes(base: tuple[OneCStand, Client, str, str], quote: str) -> None:
    """Inner quotes as in the documentation, or doubled as live clients send them."""
    stand, client, register, field = base
    party, (owed, got) = max(_by_client(stand.world, "", "9999").items())
    text = f"Контрагент_Key eq guid{quote}{party}{quote}"
    rows = client.rows(f"{register}/Turnovers(Condition='{text}',Dimensions='Контрагент')")
    assert [(_kopecks(r[f"{field}Receipt"]), _kopecks(r[f"{field}Expense"])) for r in rows] == [(owed, got)]


def test_what_turnovers_do_not_have(base: tuple[OneCStand, Client, str, str]) -> None:
    """No breakdown by period or recorder, no unknown dimension or parameter, no text where a date belongs."""
    _, client, register, _ = base
    for path, expected in (
        (f"{register}/Turnovers?$select=Period", (400, "6")),
        (f"{register}/Turnovers?$filter=MonthPeriod gt datetime'2026-01-01'", (400, "6")),
        (f"{register}/Turnovers(Dimensions='Recorder')", (400, "14")),
        (f"{register}/Turnovers(Dimensions='Period')", (400, "14")),
        (f"{register}/Turnovers(Period=datetime'2026-01-01T00:00:00')", (400, "12")),
        (f"{register}/Turnovers(Periodicity='Month')", (400, "12")),
        (f"{register}/Turnovers(Condition='Нет eq 1')", (400, "6")),
        (f"{register}_RecordType/Turnovers", (400, "6")),
        (f"{register}/RecordsWithExtDimensions", (400, "6")),
    ):
        assert client.fail(path)[:2] == expected, path


def test_options_apply_to_turnovers(base: tuple[OneCStand, Client, str, str]) -> None:
    """$filter, $orderby, $top and $count work on the rows."""
    _, client, register, field = base
    path = f"{register}/Turnovers(Dimensions='Контрагент')"
    rows = client.rows(f"{path}?$filter={field}Receipt gt 0&$orderby={field}Receipt desc&$top=3")
    everything = sorted((r[f"{field}Receipt"] for r in client.rows(path)), reverse=True)
    assert [r[f"{field}Receipt"] for r in rows] == everything[:3]


def _base_units(world: World, row: Record) -> float:
    pack = world.get("Catalog_ЕдиницыИзмерения", row["ЕдиницаИзмерения"]) or {}
    return float(row["Количество"] * pack.get("Коэффициент", 1))


def test_stock_of_unf_is_purchases_less_shipments(unf: OneCStand) -> None:
    """By warehouse and product, in the product's own unit: packs are counted by what they hold; never below zero."""
    world = unf.world
    wanted: Counter[tuple[str, str]] = Counter()
    for document in world.hidden:
        for row in rows_of(document["~movements"].get(movements_unf.STOCK)):
            wanted[row["СтруктурнаяЕдиница_Key"], row["Номенклатура_Key"]] += round(row["Количество"] * 1000)
    packed = 0
    for document in world.records(UNF_SHIPPED[0]):
        for row in rows_of(document["Запасы"]) if document["Posted"] else ():
            packed += row["ЕдиницаИзмерения_Type"].endswith("Catalog_ЕдиницыИзмерения")
            quantity = round(_base_units(world, row) * 1000)
            wanted[document["СтруктурнаяЕдиница_Key"], row["Номенклатура_Key"]] -= quantity
    with Client(unf) as client:
        rows = client.rows(f"{movements_unf.STOCK}/Balance(Dimensions='СтруктурнаяЕдиница,Номенклатура')")
    found = {(r["СтруктурнаяЕдиница_Key"], r["Номенклатура_Key"]): round(r["КоличествоBalance"] * 1000) for r in rows}
    assert found == {key: value for key, value in wanted.items() if value}
    assert min(found.values()) > 0 < packed


def test_sales_of_unf_are_turnovers_only(unf: OneCStand) -> None:
    """A register of turnovers: one column a resource, no balance; quantities by product are those shipped and done."""
    world = unf.world
    wanted: Counter[str] = Counter()
    for name in UNF_SHIPPED:
        for document in world.records(name):
            for row in rows_of(document[_part(name)]) if document["Posted"] else ():
                wanted[row["Номенклатура_Key"]] += round(_base_units(world, row) * 1000)
    with Client(unf) as client:
        rows = client.rows(f"{movements_unf.SALES}/Turnovers(Dimensions='Номенклатура')")
        assert {r["Номенклатура_Key"]: round(r["КоличествоTurnover"] * 1000) for r in rows} == dict(wanted)
        assert not any(name.endswith(("Receipt", "Expense")) for name in rows[0])
        assert client.fail(f"{movements_unf.SALES}/Balance")[:2] == (400, "6")
        assert client.fail(f"{movements_unf.SALES}/BalanceAndTurnovers")[:2] == (400, "6")


def test_orders_of_unf_are_what_is_not_shipped(unf: OneCStand) -> None:
    """The register of orders: by order, what it asks for less what was shipped and done for it."""
    world = unf.world
    wanted: Counter[str] = Counter()
    for order in world.records("Document_ЗаказПокупателя"):
        for row in rows_of(order["Запасы"]) if order["Posted"] else ():
            wanted[order["Ref_Key"]] += round(_base_units(world, row) * 1000)
    for name in UNF_SHIPPED:
        for document in world.records(name):
            for row in rows_of(document[_part(name)]) if document["Posted"] else ():
                wanted[document["Заказ"]] -= round(_base_units(world, row) * 1000)
    with Client(unf) as client:
        rows = client.rows(f"{movements_unf.ORDERS}/Balance(Dimensions='ЗаказПокупателя')")
    found = {row["ЗаказПокупателя_Key"]: round(row["КоличествоBalance"] * 1000) for row in rows}
    assert found == {key: value for key, value in wanted.items() if value}
    assert found


def test_advances_stand_apart_from_debts(unf: OneCStand) -> None:
    """What is paid before the first shipment is an advance on the payment, the rest names the shipment it pays for."""
    kinds = Counter[tuple[str, str]]()
    with Client(unf) as client:
        for row in client.rows(f"{movements_unf.SETTLEMENTS}_RecordType"):
            paper = row["Документ_Type"].removeprefix("StandardODATA.")
            kinds[row["RecordType"], row["ТипРасчетов"]] += 1
            if row["ТипРасчетов"] == "Аванс":
                assert paper == row["Recorder_Type"].removeprefix("StandardODATA.")
                assert row["Документ"] == row["Recorder"]
            elif row["RecordType"] == "Expense":
                assert paper in UNF_SHIPPED
    assert kinds.keys() == {("Receipt", "Долг"), ("Expense", "Долг"), ("Expense", "Аванс")}


def test_foreign_documents_are_settled_in_both_currencies() -> None:
    """СуммаВал is the document's amount, Сумма the same in roubles at the document's own rate."""
    world = build(4, clients=40, products=50, orders=300, configuration="unf")
    rub = next(r["Ref_Key"] for r in world.records("Catalog_Валюты") if r["Description"] == "RUB")
    foreign = [d for d in world.records(UNF_SHIPPED[0]) if d["ВалютаДокумента_Key"] != rub and d["Posted"]]
    assert foreign
    with OneCStand(world) as stand, Client(stand) as client:
        for document in foreign:
            key = f"Recorder eq cast(guid'{document['Ref_Key']}','{UNF_SHIPPED[0]}')"
            row = client.rows(f"{movements_unf.SETTLEMENTS}_RecordType?$filter={key}")[0]
            assert row["СуммаВал"] == document["СуммаДокумента"]
            assert row["Сумма"] == round(document["СуммаДокумента"] * document["Курс"], 2) > row["СуммаВал"]


@pytest.mark.parametrize(
    ("name", "sale", "register", "field"),
    [
        ("ut", SALE, movements_ut.SETTLEMENTS, "Сумма"),
        ("unf", UNF_SHIPPED[0], movements_unf.SETTLEMENTS, "СуммаВал"),
        ("bp", SALE, "AccountingRegister_Хозрасчетный", "Сумма"),
    ],
)
def test_movements_follow_posting_in_each_shape(name: str, sale: str, register: str, field: str) -> None:
    """Unpost takes a document's turnover away, Post brings it back; a PATCH of its date moves nothing until then."""
    world = build(2, clients=10, products=20, orders=40, configuration=name)
    document: dict[str, Any] = next(d for d in world.records(sale) if d["Posted"])
    with OneCStand(world) as stand, Client(stand) as client:
        key, path = f"{sale}(guid'{document['Ref_Key']}')", f"{register}_RecordType"
        mine = f"{path}?$filter=Recorder eq cast(guid'{document['Ref_Key']}','{sale}')"
        whole = client.rows(mine)
        assert sum(row[field] for row in whole) > 0
        assert client.write("POST", f"{key}/Unpost").status == 200
        assert client.rows(mine) == []
        assert client.write("POST", f"{key}/Post").status == 200
        assert client.rows(mine) == whole
        assert client.write("PATCH", key, {"Date": "2020-01-02T03:04:05"}).status == 200
        assert client.rows(mine) == whole
        assert client.write("POST", f"{key}/Post").status == 200
        assert {row["Period"] for row in client.rows(mine)} == {"2020-01-02T03:04:05"}


def test_frozen_movements_keep_their_moment() -> None:
    """A shipment whose date was patched is still turned over on the day it was posted, until it is posted anew."""
    world = build(2, clients=10, products=20, orders=40)
    document = next(d for d in world.records(SALE) if d["Posted"])
    window = "EndPeriod=datetime'2020-12-31T23:59:59'"
    with OneCStand(world) as stand, Client(stand) as client:
        key, path = f"{SALE}(guid'{document['Ref_Key']}')", f"{movements_ut.SETTLEMENTS}/Turnovers({window})"
        assert client.write("PATCH", key, {"Date": "2020-01-02T03:04:05"}).status == 200
        assert client.rows(path) == []
        assert client.write("POST", f"{key}/Post").status == 200
        assert [row["СуммаReceipt"] for row in client.rows(path)] == [document["СуммаДокумента"]]
