"""БП's accounting register: balances, turnovers and entries, computed a second time from the documents' own rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stand.onec.model import EMPTY_REF
from stand.onec.movements_bp import CHART, KINDS, REGISTER, SALE, account_key
from stand.onec.server import OneCStand
from stand.onec.world import Record, World, rows_of
from tests.stand.client import Client

BANK, CASH = "Document_ПоступлениеНаРасчетныйСчет", "Document_ПриходныйКассовыйОрдер"
TYPE = "StandardODATA."
FOREIGN = ("62.21", "62.22")


@pytest.fixture(scope="module")
def odata_bp(bp: OneCStand) -> Iterator[Client]:
    """A client of the БП base."""
    with Client(bp) as client:
        yield client


def _rubles(rates: Record, amount: float) -> int:
    course, per = float(rates["КурсВзаиморасчетов"]), int(rates["КратностьВзаиморасчетов"])
    return round(round(amount * course / per, 2) * 100)


def _owed(world: World) -> Iterator[tuple[str, str, int]]:
    """Date, client, and by how much its debt grew: kopecks, by the rows of posted sales and payments."""
    for sale in world.records(SALE):
        for part in ("Товары", "Услуги"):
            for row in rows_of(sale[part]) if sale["Posted"] else ():
                total = row["Сумма"] + (0 if sale["СуммаВключаетНДС"] else row["СуммаНДС"])
                yield sale["Date"], sale["Контрагент_Key"], _rubles(sale, round(total, 2))
    for name in (BANK, CASH):
        for payment in world.records(name):
            for row in rows_of(payment["РасшифровкаПлатежа"]) if payment["Posted"] else ():
                yield payment["Date"], payment["Контрагент"], -_rubles(row, row["СуммаВзаиморасчетов"])


def _kopecks(value: float) -> int:
    return round(value * 100)


def _filled(values: Mapping[Any, int]) -> dict[Any, int]:
    """Without zeros: a client with as much debt as advances is shown, since both stand in the split balance."""
    return {key: value for key, value in values.items() if value}


def test_debts_of_clients(bp: OneCStand, odata_bp: Client) -> None:
    """Account 62 by its first analytics is what was sold less what was paid; the chart is reached by a path."""
    wanted: Counter[str] = Counter()
    for _, party, kopecks in _owed(bp.world):
        wanted[party] += kopecks
    condition = "startswith(Account/Code,'62')"
    rows = odata_bp.rows(f"{REGISTER}/Balance(AccountCondition='{condition}',Dimensions='ExtDimension1')")
    assert _filled({r["ExtDimension1"]: _kopecks(r["СуммаBalance"]) for r in rows}) == _filled(wanted)
    assert {r["ExtDimension1_Type"] for r in rows} == {f"{TYPE}Catalog_Контрагенты"}
    assert len(rows) > 10


def test_stock_of_goods(bp: OneCStand, odata_bp: Client) -> None:
    """Account 41.01 by product and warehouse: quantities are purchases less sales, at cost, and never below zero."""
    world = bp.world
    wanted: Counter[tuple[str, str]] = Counter()
    for document in world.hidden:
        for row in rows_of(document["~movements"].get(REGISTER)):
            wanted[row["ExtDimensionDr1"], row["ExtDimensionDr2"]] += round(row["КоличествоDr"] * 1000)
    for sale in world.records(SALE):
        for row in rows_of(sale["Товары"]) if sale["Posted"] else ():
            wanted[row["Номенклатура_Key"], sale["Склад_Key"]] -= round(row["Количество"] * 1000)
    names = "ExtDimension1,ExtDimension2"
    rows = odata_bp.rows(f"{REGISTER}/Balance?AccountCondition='Account/Code eq '41.01''&Dimensions='{names}'")
    found = {(r["ExtDimension1"], r["ExtDimension2"]): round(r["КоличествоBalance"] * 1000) for r in rows}
    assert {key: value for key, value in found.items() if value} == {
        key: value for key, value in wanted.items() if value
    }
    assert min(r["КоличествоBalance"] for r in rows) >= 0
    assert all(r["СуммаBalance"] >= -0.05 for r in rows)
    assert {r["ExtDimension2_Type"] for r in rows} == {f"{TYPE}Catalog_Склады"}


def test_debits_equal_credits(odata_bp: Client) -> None:
    """The trial balance: all accounts together are zero, now and at any moment; so are all turnovers."""
    for given in ("", "Period=datetime'2026-03-01T00:00:00',"):
        rows = odata_bp.rows(f"{REGISTER}/Balance({given}Dimensions='Account')")
        assert len(rows) > 5
        assert sum(_kopecks(row["СуммаBalance"]) for row in rows) == 0
    rows = odata_bp.rows(f"{REGISTER}/Turnovers(Dimensions='Account')")
    assert sum(_kopecks(r["СуммаTurnoverDr"]) for r in rows) == sum(_kopecks(r["СуммаTurnoverCr"]) for r in rows) > 0


def test_sides_of_a_balance(odata_bp: Client) -> None:
    """Active accounts show their balance as debit, passive ones as credit; split sides do not cancel each other."""
    types = {row["Ref_Key"]: row["Type"] for row in odata_bp.rows(CHART)}
    rows = odata_bp.rows(f"{REGISTER}/Balance(Dimensions='Account')")
    for row in rows:
        net, sides = row["СуммаBalance"], (row["СуммаBalanceDr"], row["СуммаBalanceCr"])
        if types[row["Account_Key"]] == "Active":
            assert sides == (net, 0)
        elif types[row["Account_Key"]] == "Passive":
            assert sides == (0, -net)
        else:
            assert sides == (max(net, 0), max(-net, 0))
        split = _kopecks(row["СуммаSplittedBalanceDr"]) - _kopecks(row["СуммаSplittedBalanceCr"])
        assert split == _kopecks(net)
    assert {types[row["Account_Key"]] for row in rows} == {"Active", "Passive", "ActivePassive"}
    whole = odata_bp.rows(
        f"{REGISTER}/Balance(AccountCondition='startswith(Account/Code,'62')',Dimensions='Организация')"
    )
    assert min(min(r["СуммаSplittedBalanceDr"], r["СуммаSplittedBalanceCr"]) for r in whole) > 0


def test_turnovers_of_an_account_between_two_moments(bp: OneCStand, odata_bp: Client) -> None:
    """Debit turnover of 62.01 and 62.21 is what was sold in the window, both ends included."""
    dates = sorted(sale["Date"] for sale in bp.world.records(SALE) if sale["Posted"])
    start, end = dates[len(dates) // 4], dates[3 * len(dates) // 4]
    wanted: Counter[str] = Counter()
    for when, party, kopecks in _owed(bp.world):
        if start <= when <= end and kopecks > 0:
            wanted[party] += kopecks
    window = f"StartPeriod=datetime'{start}',EndPeriod=datetime'{end}'"
    condition = f"Account_Key eq guid'{account_key('62.01')}' or Account_Key eq guid'{account_key('62.21')}'"
    path = f"{REGISTER}/Turnovers({window},AccountCondition='{condition}',Dimensions='ExtDimension1')"
    rows = odata_bp.rows(path)
    found = {r["ExtDimension1"]: _kopecks(r["СуммаTurnoverDr"]) for r in rows if r["СуммаTurnoverDr"]}
    assert found == dict(wanted)
    assert all(
        _kopecks(r["СуммаTurnover"]) == _kopecks(r["СуммаTurnoverDr"]) - _kopecks(r["СуммаTurnoverCr"]) for r in rows
    )


def test_balance_and_turnovers_close(odata_bp: Client) -> None:
    """For every account: opening is the balance at the start, closing is opening plus debit less credit."""
    start, end = "2026-02-01T00:00:00", "2026-05-31T23:59:59"
    window = f"StartPeriod=datetime'{start}',EndPeriod=datetime'{end}',Dimensions='Account'"
    rows = odata_bp.rows(f"{REGISTER}/BalanceAndTurnovers({window})")
    path = f"{REGISTER}/Balance(Period=datetime'{{}}',Dimensions='Account')"
    before = {r["Account_Key"]: _kopecks(r["СуммаBalance"]) for r in odata_bp.rows(path.format(start))}
    after = {r["Account_Key"]: _kopecks(r["СуммаBalance"]) for r in odata_bp.rows(path.format("2026-06-01T00:00:00"))}
    for row in rows:
        opening, closing = _kopecks(row["СуммаOpeningBalance"]), _kopecks(row["СуммаClosingBalance"])
        assert opening == before.get(row["Account_Key"], 0)
        assert closing == after.get(row["Account_Key"], 0)
        assert closing == opening + _kopecks(row["СуммаTurnoverDr"]) - _kopecks(row["СуммаTurnoverCr"])
    assert len(rows) > 5


def test_entries_with_their_analytics(bp: OneCStand, odata_bp: Client) -> None:
    """RecordsWithExtDimensions tells kind and value of each analytics; the records themselves do not have any."""
    kinds = {row["Ref_Key"]: row["PredefinedDataName"] for row in odata_bp.rows(KINDS)}
    edges = ("2026-03-01T00:00:00", "2026-03-31T23:59:59")
    window = f"StartPeriod=datetime'{edges[0]}',EndPeriod=datetime'{edges[1]}'"
    rows = odata_bp.rows(f"{REGISTER}/RecordsWithExtDimensions({window})")
    plain = odata_bp.rows(
        f"{REGISTER}_RecordType?$filter=Period ge datetime'{edges[0]}' and Period le datetime'{edges[1]}'"
    )
    assert len(rows) == len(plain) > 20
    assert sum(_kopecks(r["Сумма"]) for r in rows) == sum(_kopecks(r["Сумма"]) for r in plain)
    assert not any(name.startswith("ExtDimension") for name in plain[0])
    sold = [r for r in rows if r["AccountDr_Key"] == account_key("62.01")]
    for row in sold:
        assert [kinds[row[f"ExtDimensionTypeDr{n}_Key"]] for n in (1, 2)] == ["Контрагенты", "Договоры"]
        assert (row["ExtDimensionDr3"], row["ExtDimensionDr3_Type"]) == (row["Recorder"], f"{TYPE}{SALE}")
        assert row["ExtDimensionTypeCr2_Key"] == EMPTY_REF
    assert sold
    first = f"{REGISTER}/RecordsWithExtDimensions({window},Top=3,Order='Period desc')"
    assert [r["Period"] for r in odata_bp.rows(first)] == sorted((r["Period"] for r in rows), reverse=True)[:3]
    mine = f"AccountCr_Key eq guid'{account_key('41.01')}'"
    goods = odata_bp.rows(f"{REGISTER}/RecordsWithExtDimensions({window},Condition='{mine}')")
    assert {r["ExtDimensionCr1_Type"] for r in goods} == {f"{TYPE}Catalog_Номенклатура"}
    assert all(r["КоличествоCr"] > 0 for r in goods)
    paged = odata_bp.rows(f"{REGISTER}/RecordsWithExtDimensions?$filter={mine}&$select=Period,Сумма&$top=2&$skip=1")
    assert [set(row) for row in paged] == [{"Period", "Сумма"}] * 2


def test_foreign_currency_has_accounts_of_its_own(bp: OneCStand, odata_bp: Client) -> None:
    """A sale in dollars is owed on 62.21 in dollars and in roubles; a rouble account holds no currency."""
    rub = next(r["Ref_Key"] for r in bp.world.records("Catalog_Валюты") if r["Description"] == "RUB")
    codes = {row["Ref_Key"]: row["Code"] for row in odata_bp.rows(CHART)}
    foreign = 0
    for row in odata_bp.rows(f"{REGISTER}_RecordType"):
        code = codes[row["AccountDr_Key"]]
        if code == "62.21":
            foreign += 1
            assert row["ВалютаDr_Key"] not in (EMPTY_REF, rub)
            assert 0 < row["ВалютнаяСуммаDr"] < row["Сумма"]
        elif code == "62.01":
            assert row["ВалютаDr_Key"] == EMPTY_REF
    sales = [s for s in bp.world.records(SALE) if s["ВалютаДокумента_Key"] != rub and s["Posted"]]
    assert foreign == sum(len(rows_of(s["Товары"])) + len(rows_of(s["Услуги"])) for s in sales)


def test_the_chart_is_a_tree_with_analytics(odata_bp: Client) -> None:
    """Accounts come by code, know their parents and their kinds of analytics in order."""
    rows = odata_bp.rows(CHART)
    codes = [row["Code"] for row in rows]
    keys = {row["Ref_Key"]: row["Code"] for row in rows}
    assert "41.01" in codes
    for row in rows:
        parent = row["Code"].rpartition(".")[0]
        assert keys.get(row["Parent_Key"], "") == parent
    kinds = {row["Ref_Key"]: row["Description"] for row in odata_bp.rows(KINDS)}
    goods = next(row for row in rows if row["Code"] == "41.01")
    assert [kinds[r["ExtDimensionType_Key"]] for r in goods["ExtDimensionTypes"]] == ["Номенклатура", "Склады"]
    assert goods["Количественный"]


def test_turnovers_with_another_account(odata_bp: Client) -> None:
    """Turnovers of 62 with 51 alone are the entries between the two, by either way of naming the other account."""
    codes = {row["Ref_Key"]: row["Code"] for row in odata_bp.rows(CHART)}
    wanted = {"Dr": 0, "Cr": 0}
    for row in odata_bp.rows(f"{REGISTER}/RecordsWithExtDimensions"):
        sides = {side: codes[row[f"Account{side}_Key"]] for side in ("Dr", "Cr")}
        for side, other in (("Dr", "Cr"), ("Cr", "Dr")):
            if sides[side].startswith("62") and sides[other].startswith("51"):
                wanted[side] += _kopecks(row["Сумма"])
    assert wanted["Cr"] > 0
    for name in ("Account", "BalancedAccount"):
        conditions = "AccountCondition='startswith(Account/Code,'62')',"
        conditions += f"BalancedAccountCondition='startswith({name}/Code,'51')',Dimensions='Account'"
        rows = odata_bp.rows(f"{REGISTER}/Turnovers({conditions})")
        for side, kopecks in wanted.items():
            assert sum(_kopecks(row[f"СуммаTurnover{side}"]) for row in rows) == kopecks


@pytest.mark.parametrize("by_guid", [False, True])
def test_extra_dimensions_choose_kinds_of_analytics(odata_bp: Client, by_guid: bool) -> None:
    """Only the kinds listed remain, in that order; accounts that lack one of them are not told."""
    keys = {row["Description"]: row["Ref_Key"] for row in odata_bp.rows(KINDS)}
    words = [f"guid'{keys[name]}'" if by_guid else name for name in ("Склады", "Номенклатура")]
    rows = odata_bp.rows(f"{REGISTER}/Balance?ExtraDimensions='{','.join(words)}'&Dimensions='ExtDimension1'")
    whole = odata_bp.rows(f"{REGISTER}/Balance?AccountCondition='Account/Code eq '41.01''&Dimensions='ExtDimension2'")
    assert {row["ExtDimension1_Type"] for row in rows} == {f"{TYPE}Catalog_Склады"}
    assert {r["ExtDimension1"]: r["КоличествоBalance"] for r in rows} == pytest.approx(
        {r["ExtDimension2"]: r["КоличествоBalance"] for r in whole}
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{REGISTER}/Balance(ExtraDimensions='x')", (400, "14")),
        (f"{REGISTER}/Balance(BalancedAccountCondition='Account/Code eq '90'')", (400, "12")),
        (f"{REGISTER}/Balance(StartPeriod=datetime'2026-01-01T00:00:00')", (400, "12")),
        (f"{REGISTER}/Balance(Dimensions='ExtDimension9')", (400, "14")),
        (f"{REGISTER}/Balance(AccountCondition='Account/Нет eq 1')", (400, "6")),
        (f"{REGISTER}/RecordsWithExtDimensions(Top=x)", (400, "14")),
        (f"{REGISTER}_RecordType/Balance", (400, "6")),
        (f"{REGISTER}/SliceLast", (400, "6")),
    ],
)
def test_what_the_register_refuses(odata_bp: Client, path: str, expected: tuple[int, str]) -> None:
    """What does not exist is refused as 1C refuses it."""
    assert odata_bp.fail(path)[:2] == expected


def test_prices_of_bp_have_a_recorder(odata_bp: Client) -> None:
    """Unlike УНФ's: the slice is bound to the records, each with its unavailable recorder."""
    name = "InformationRegister_ЦеныНоменклатуры"
    rows: list[dict[str, Any]] = odata_bp.rows(f"{name}_RecordType/SliceLast")
    assert len({(r["ТипЦен_Key"], r["Номенклатура_Key"]) for r in rows}) == len(rows) > 100
    assert all(r["Recorder_Type"].startswith("UnavailableEntities.") for r in rows)
    assert odata_bp.fail(f"{name}/SliceLast")[:2] == (400, "6")


def test_advances_have_an_account_of_their_own(bp: OneCStand, odata_bp: Client) -> None:
    """What a sale is named for pays the debt on that sale, the rest is an advance on the payment itself."""
    codes = {row["Ref_Key"]: row["Code"] for row in odata_bp.rows(CHART)}
    wanted: Counter[tuple[bool, str]] = Counter()
    for name in (BANK, CASH):
        for payment in bp.world.records(name):
            for row in rows_of(payment["РасшифровкаПлатежа"]) if payment["Posted"] else ():
                deal = str(row.get("Сделка", ""))
                wanted[bool(deal), deal or payment["Ref_Key"]] += _rubles(row, row["СуммаВзаиморасчетов"])
    found: Counter[tuple[bool, str]] = Counter()
    for row in odata_bp.rows(f"{REGISTER}/RecordsWithExtDimensions?$filter=startswith(AccountCr/Code,'62')"):
        found[codes[row["AccountCr_Key"]] in ("62.01", "62.21"), row["ExtDimensionCr3"]] += _kopecks(row["Сумма"])
    assert found == wanted
    assert {paid for paid, _ in found} == {True, False}
