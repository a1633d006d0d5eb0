"""$filter: each feature against the same test in Python, and each thing 1C refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stand.onec.errors import INCOMPARABLE, ODataError
from stand.onec.server import OneCStand
from stand.onec.syntax import Parser
from stand.onec.world import Record, World, rows_of
from tests.stand.client import Client

ORDERS = "Document_ЗаказКлиента"
PARTIES = "Catalog_Контрагенты"
UNITS = "Catalog_УпаковкиЕдиницыИзмерения"
SHIPMENTS = "Document_РеализацияТоваровУслуг"
Test = Callable[[Record], Any]


def _same(odata: Client, world: World, name: str, text: str, test: Test) -> None:
    """The stand and Python choose the same records, and neither all nor none of them."""
    records = world.records(name)
    wanted = {record["Ref_Key"] for record in records if test(record)}
    assert 0 < len(wanted) < len(records), "the test says nothing"
    assert {row["Ref_Key"] for row in odata.rows(f"{name}?$select=Ref_Key&$filter={text}")} == wanted


def _party(world: World, order: Record) -> Record:
    return world.get(PARTIES, order["Контрагент_Key"]) or {}


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("Date ge datetime'2026-01-01T00:00:00'", lambda r: r["Date"] >= "2026"),
        ("Date lt datetime'2026-01-01'", lambda r: r["Date"] < "2026"),
        ("datetime'2026-01-01' le Date", lambda r: r["Date"] >= "2026"),
        ("Posted eq false", lambda r: not r["Posted"]),
        ("not Posted", lambda r: not r["Posted"]),
        ("DeletionMark", lambda r: r.get("DeletionMark")),
        ("СуммаДокумента gt 100000.5", lambda r: r["СуммаДокумента"] > 100000.5),
        ("СуммаДокумента sub 1000 mul 2 lt 0", lambda r: r["СуммаДокумента"] - 2000 < 0),
        ("(СуммаДокумента sub 1000) mul 2 lt 0", lambda r: r["СуммаДокумента"] < 1000),
        ("СуммаДокумента div 2 add 1 ge 50000", lambda r: r["СуммаДокумента"] / 2 + 1 >= 50000),
        ("МаксимальныйКодСтроки eq 3", lambda r: r["МаксимальныйКодСтроки"] == "3"),
        ("Статус eq 'Закрыт' or Статус eq 'КОтгрузке'", lambda r: r["Статус"] in ("Закрыт", "КОтгрузке")),
        ("Статус ne 'закрыт'", lambda r: r["Статус"] != "Закрыт"),
        ("year(Date) eq 2025 and month(Date) ge 6", lambda r: "2025-06" <= r["Date"] < "2026"),
        ("day(Date) eq 1", lambda r: r["Date"][8:10] == "01"),
        ("hour(Date) lt 12 and minute(Date) gt 30", lambda r: r["Date"][11:13] < "12" and r["Date"][14:16] > "30"),
        ("quarter(Date) eq 2", lambda r: r["Date"][5:7] in ("04", "05", "06")),
        ("dateadd(Date,'month',1) ge datetime'2026-11-01'", lambda r: r["Date"] >= "2026-10"),
        ("substringof('00012',Number)", lambda r: "00012" in r["Number"]),
        ("startswith(Number,'кс')", lambda r: r["Number"].startswith("КС")),
        ("endswith(Number,'7') eq true", lambda r: r["Number"].endswith("7")),
        ("like(Number,'КС%1_')", lambda r: r["Number"].startswith("КС") and r["Number"][-2] == "1"),
        ("concat(Number,'!') eq 'ТДУТ-000007!'", lambda r: r["Number"] == "ТДУТ-000007"),
        ("substring(Number,1,2) eq 'КС'", lambda r: r["Number"].startswith("КС")),
        ("substringof('пропуск',Комментарий)", lambda r: "пропуск" in r.get("Комментарий", "")),
        ("round(СуммаДокумента,0) ne СуммаДокумента", lambda r: round(r["СуммаДокумента"]) != r["СуммаДокумента"]),
        ("Договор_Key eq guid'00000000-0000-0000-0000-000000000000'", lambda r: r.get("Договор_Key", "0") < "00000001"),
        ("Товары/any(d: d/Отменено eq true)", lambda r: any(x.get("Отменено") for x in rows_of(r["Товары"]))),
        ("Товары/all(t: t/Количество gt 2)", lambda r: all(x["Количество"] > 2 for x in rows_of(r["Товары"]))),
        ("ЭтапыГрафикаОплаты/any()", lambda r: r.get("ЭтапыГрафикаОплаты")),
    ],
)
def test_feature_chooses_what_python_chooses(shared: OneCStand, odata: Client, text: str, test: Test) -> None:
    """Operators, functions and lambdas mean what they say, with and/or/not and parentheses binding as in OData."""
    _same(odata, shared.world, ORDERS, text, test)


def test_paths_reach_the_referred_object(shared: OneCStand, odata: Client) -> None:
    """Контрагент/ИНН is the field of the counterparty; two steps work as well."""
    world = shared.world
    inn = next(p["ИНН"] for o in world.records(ORDERS) if "ИНН" in (p := _party(world, o)))
    _same(odata, world, ORDERS, f"Контрагент/ИНН eq '{inn}'", lambda o: _party(world, o).get("ИНН") == inn)
    kind = "Контрагент/Партнер/ЮрФизЛицо eq 'ЧастноеЛицо'"
    _same(odata, world, ORDERS, kind, lambda o: _party(world, o)["ЮрФизЛицо"] == "ФизЛицо")


def test_composite_reference_needs_cast(shared: OneCStand, odata: Client) -> None:
    """With cast the owner is found; a bare guid never equals a composite reference; isof tells the type."""
    pack = next(u for u in shared.world.records(UNITS) if u["Owner_Type"] == "StandardODATA.Catalog_Номенклатура")
    owner = f"guid'{pack['Owner']}'"
    assert [u["Ref_Key"] for u in odata.rows(f"{UNITS}?$filter=Owner eq cast({owner},'Catalog_Номенклатура')")] == [
        pack["Ref_Key"]
    ]
    assert odata.rows(f"{UNITS}?$filter=Owner eq {owner}") == []
    assert odata.rows(f"{UNITS}?$filter=Owner eq cast({owner},'Catalog_Склады')") == []
    everything = len(shared.world.records(UNITS))
    assert len(odata.rows(f"{UNITS}?$filter=Owner ne {owner}")) == everything
    isof = "isof(Owner,'Catalog_Номенклатура')"
    _same(odata, shared.world, UNITS, isof, lambda u: u["Owner_Type"] == "StandardODATA.Catalog_Номенклатура")
    _same(
        odata, shared.world, SHIPMENTS, f"ЗаказКлиента eq cast(guid'{shared.world.records(ORDERS)[0]['Ref_Key']}',"
        "'Document_ЗаказКлиента')", lambda s: s["ЗаказКлиента"] == shared.world.records(ORDERS)[0]["Ref_Key"],
    )  # fmt: skip


def test_quotes_are_doubled_inside_strings(stand: OneCStand, own: Client) -> None:
    """An apostrophe in a name is written twice."""
    stand.world.edit(PARTIES, stand.world.records(PARTIES)[0]["Ref_Key"], {"Description": "О'Брайен"})
    assert len(own.rows(f"{PARTIES}?$filter=Description eq 'О''Брайен'")) == 1


@pytest.mark.parametrize("op", ["gt", "ge", "lt", "le"])
def test_guids_cannot_be_ordered(odata: Client, op: str) -> None:
    """Ordering by guid is a 500 with the recorded sentence: no keyset paging."""
    status, code, text = odata.fail(f"{ORDERS}?$filter=Ref_Key {op} guid'11111111-1111-1111-1111-111111111111'")
    assert (status, code, text) == (500, "-1", INCOMPARABLE)


def test_guid_against_a_string_compares_presentations(odata: Client) -> None:
    """`Ref_Key gt '…'` compiles and compares something else: pages by it would lose records."""
    everything = odata.rows(f"{PARTIES}?$select=Ref_Key")
    middle = sorted(row["Ref_Key"] for row in everything)[len(everything) // 2]
    found = {row["Ref_Key"] for row in odata.rows(f"{PARTIES}?$select=Ref_Key&$filter=Ref_Key gt '{middle}'")}
    assert found != {row["Ref_Key"] for row in everything if row["Ref_Key"] > middle}
    assert odata.rows(f"{PARTIES}?$filter=Ref_Key eq '{middle}'") == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (ORDERS, "Комментарий eq 'Срочно!'", (500, "-1")),
        (ORDERS, "Date eq 'вчера'", (500, "-1")),
        (ORDERS, "Number", (500, "-1")),
        (ORDERS, "НетТакого eq 1", (400, "6")),
        (ORDERS, "Контрагент/НетТакого eq 1", (400, "6")),
        (ORDERS, "Товары/Цена gt 1", (500, "-1")),
        (ORDERS, "Товары/any(d: d/Нет eq 1)", (400, "6")),
        (ORDERS, "Нет/any(d: d/Цена eq 1)", (400, "6")),
        (ORDERS, "length(Number) gt 3", (400, "14")),
        (ORDERS, "tolower(Number) eq 'a'", (400, "14")),
        (ORDERS, "startswith(Number)", (400, "12")),
        (ORDERS, "Posted eq", (400, "14")),
        (ORDERS, "(Posted eq true", (400, "14")),
        (ORDERS, "Posted eq true true", (400, "14")),
        (ORDERS, "Number eq 'a", (400, "14")),
        (ORDERS, "Ref_Key eq guid'xx'", (400, "14")),
        (ORDERS, "Ref_Key eq guid'11'", (400, "1")),
        (ORDERS, "Date ge datetime'2026'", (400, "1")),
        (SHIPMENTS, "ЗаказКлиента eq cast(guid'11111111-1111-1111-1111-111111111111','Нет')", (404, "8")),
        ("AccumulationRegister_ЗаказыКлиентов", "Period ge datetime'2026-01-01'", (400, "6")),
        ("AccumulationRegister_ЗаказыКлиентов", "RecordSet/Period ge datetime'2026-01-01'", (500, "-1")),
        (
            "AccumulationRegister_ЗаказыКлиентов",
            "Recorder_Key eq guid'11111111-1111-1111-1111-111111111111'",
            (400, "6"),
        ),
    ],
)
def test_refusals(odata: Client, name: str, text: str, expected: tuple[int, str]) -> None:
    """Unknown segments are code 6, unparsable options 14, bad literals 1, incomparable kinds a 500."""
    assert odata.fail(f"{name}?$filter={text}")[:2] == expected


def test_plus_is_no_blank(odata: Client) -> None:
    """`Posted+eq+true` is refused, as IIS with 1C does; %20 is what works."""
    assert odata.get(f"{ORDERS}?$format=json&$filter=Posted+eq+true").error[:2] == (400, "14")


def test_recordsets_are_windowed_by_their_rows(odata: Client) -> None:
    """RecordSet/any over Period is the way to read a register by dates."""
    name = "AccumulationRegister_ЗаказыКлиентов"
    window = "RecordSet/any(r: r/Period ge datetime'2026-03-01' and r/Period lt datetime'2026-04-01')"
    found = odata.rows(f"{name}?$filter={window}")
    assert found
    assert all(row["Period"][:7] == "2026-03" for record in found for row in record["RecordSet"])
    rows = odata.rows(f"{name}_RecordType?$filter=Period ge datetime'2026-03-01' and Period lt datetime'2026-04-01'")
    assert len(rows) == sum(len(record["RecordSet"]) for record in found)


def test_parser_keeps_precedence() -> None:
    """`or` binds weaker than `and`, `not` stronger."""
    whole = Parser("not A or B and C").parse()
    assert whole == Parser("(not A) or (B and C)").parse()
    with pytest.raises(ODataError):
        Parser("").parse()
