"""The rest of the $filter language: every function the documentation lists, casts of composite fields, refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from stand.onec.errors import INCOMPARABLE
from stand.onec.server import OneCStand
from stand.onec.world import Record, rows_of
from tests.stand.client import Client

ORDERS = "Document_ЗаказКлиента"
UNITS = "Catalog_УпаковкиЕдиницыИзмерения"
UNF_ORDERS = "Document_ЗаказПокупателя"
Test = Callable[[Record], Any]


def _when(record: Record) -> datetime:
    return datetime.fromisoformat(record["Date"])


@pytest.fixture(scope="module")
def odata_unf(unf: OneCStand) -> Any:
    """A client of the УНФ base."""
    with Client(unf) as client:
        yield client


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("second(Date) lt 20", lambda r: _when(r).second < 20),
        ("dayofweek(Date) eq 6", lambda r: _when(r).isoweekday() == 6),
        ("dayofyear(Date) le 100", lambda r: _when(r).timetuple().tm_yday <= 100),
        ("datedifference(Date,datetime'2026-01-01T00:00:00','year') eq 1", lambda r: _when(r).year == 2025),
        (
            "datedifference(datetime'2026-03-31T23:00:00',Date,'day') eq 1",
            lambda r: r["Date"].startswith("2026-04-01"),
        ),
        (
            "datedifference(datetime'2026-01-01T00:00:00',Date,'quarter') eq 2",
            lambda r: "2026-07" <= r["Date"] < "2026-10",
        ),
        ("dateadd(Date,'day',10) lt datetime'2025-03-01T00:00:00'", lambda r: r["Date"] < "2025-02-19T00:00:00"),
        ("dateadd(Date,'year',1) ge datetime'2027-01-01T00:00:00'", lambda r: r["Date"] >= "2026"),
        ("substring(Number,6) ge '000100'", lambda r: r["Number"][5:] >= "000100"),
        ("not startswith(Number,'КС') and not (Posted eq false)", lambda r: r["Number"][:2] != "КС" and r["Posted"]),
        ("endswith(concat(Number,'-'),'7-')", lambda r: r["Number"].endswith("7")),
        ("month(dateadd(Date,'month',1)) eq 1", lambda r: _when(r).month == 12),
    ],
)
def test_functions(shared: OneCStand, odata: Client, text: str, test: Test) -> None:
    """Each chooses what Python chooses, and neither all nor none."""
    records = shared.world.records(ORDERS)
    wanted = {record["Ref_Key"] for record in records if test(record)}
    assert 0 < len(wanted) < len(records), "the test says nothing"
    assert {row["Ref_Key"] for row in odata.rows(f"{ORDERS}?$select=Ref_Key&$filter={text}")} == wanted


def test_date_difference_counts_borders(odata: Client) -> None:
    """The documentation's own example: the 12th 10:15:34 to the 14th 9:18:06 are two days."""
    first, last = "datetime'2002-10-12T10:15:34'", "datetime'2002-10-14T09:18:06'"
    everything = odata.get(f"{ORDERS}/$count").body
    for part, number in (("day", 2), ("hour", 47), ("month", 0), ("minute", 2823), ("second", 169352)):
        text = f"datedifference({first},{last},'{part}') eq {number}"
        assert odata.get(f"{ORDERS}/$count?$filter={text}").body == everything, part


def test_lambdas_reach_through_references(shared: OneCStand, odata: Client) -> None:
    """A row's reference is followed inside any and all, and the owner's fields are known there too."""
    world = shared.world
    goods = world.tables["Catalog_Номенклатура"].rows
    text = "Товары/any(d: d/Номенклатура/ТипНоменклатуры eq 'Услуга' and d/Сумма gt 1000 and Posted)"
    wanted = {
        order["Ref_Key"]
        for order in world.records(ORDERS)
        if order["Posted"]
        and any(
            goods[row["Номенклатура_Key"]]["ТипНоменклатуры"] == "Услуга" and row["Сумма"] > 1000
            for row in rows_of(order["Товары"])
        )
    }
    assert 0 < len(wanted) < len(world.records(ORDERS))
    assert {row["Ref_Key"] for row in odata.rows(f"{ORDERS}?$select=Ref_Key&$filter={text}")} == wanted
    none = f"{ORDERS}?$filter=СкидкиНаценки/all(d: d/Сумма gt 100)&$select=Ref_Key"
    assert len(odata.rows(none)) == len(world.records(ORDERS))


def test_a_composite_field_is_cast(shared: OneCStand, odata: Client) -> None:
    """Cast to its type it is a plain reference, equal to a bare guid; of another type it is empty."""
    records = shared.world.records(UNITS)
    pack = next(u for u in records if u["Owner_Type"] == "StandardODATA.Catalog_Номенклатура")
    guid = f"guid'{pack['Owner']}'"
    assert [r["Ref_Key"] for r in odata.rows(f"{UNITS}?$filter=cast(Owner,'Catalog_Номенклатура') eq {guid}")] == [
        pack["Ref_Key"]
    ]
    assert odata.rows(f"{UNITS}?$filter=cast(Owner,'Catalog_Склады') eq {guid}") == []
    both = f"cast(Owner,'Catalog_Номенклатура') eq cast({guid},'Catalog_Номенклатура')"
    assert len(odata.rows(f"{UNITS}?$filter={both}")) == 1
    empty = "cast(Owner,'Catalog_Номенклатура') eq guid'00000000-0000-0000-0000-000000000000'"
    others = [u for u in records if u["Owner_Type"] != "StandardODATA.Catalog_Номенклатура"]
    assert len(odata.rows(f"{UNITS}?$filter={empty}")) == len(others) > 0


def test_an_unset_composite_is_undefined(unf: OneCStand, odata_unf: Client) -> None:
    """With isof one tells an unset composite, a primitive type and a reference apart."""
    payments = "Document_ПоступлениеНаСчет"
    advances = "РасшифровкаПлатежа/any(d: isof(d/Документ,'Undefined'))"
    wanted = {
        p["Ref_Key"]
        for p in unf.world.records(payments)
        if any(r.get("ПризнакАванса") for r in rows_of(p["РасшифровкаПлатежа"]))
    }
    found = {row["Ref_Key"] for row in odata_unf.rows(f"{payments}?$select=Ref_Key&$filter={advances}")}
    assert found == wanted
    assert 0 < len(wanted) < len(unf.world.records(payments))
    assert odata_unf.rows(f"{UNF_ORDERS}?$filter=isof(СостояниеЗаказа,'Edm.String')") == []


def test_a_composite_product_in_a_lambda(unf: OneCStand, odata_unf: Client) -> None:
    """УНФ's order lines name their product by a composite reference: a bare guid finds nothing, a cast one does."""
    line = rows_of(unf.world.records(UNF_ORDERS)[0]["Запасы"])[0]
    guid = f"guid'{line['Номенклатура']}'"
    assert odata_unf.rows(f"{UNF_ORDERS}?$filter=Запасы/any(d: d/Номенклатура eq {guid})") == []
    text = f"Запасы/any(d: d/Номенклатура eq cast({guid},'Catalog_Номенклатура'))"
    found = {row["Ref_Key"] for row in odata_unf.rows(f"{UNF_ORDERS}?$select=Ref_Key&$filter={text}")}
    assert found == {
        order["Ref_Key"]
        for order in unf.world.records(UNF_ORDERS)
        if any(row["Номенклатура"] == line["Номенклатура"] for row in rows_of(order["Запасы"]))
    }


def test_a_composite_path_names_its_type(unf: OneCStand, odata_unf: Client) -> None:
    """СостояниеЗаказа/Catalog_…/Description: the type is a segment of its own; without it the path is unknown."""
    name = "Catalog_СостоянияЗаказовПокупателей"
    state = next(r for r in unf.world.records(name) if r["Description"] == "Завершен")
    path = f"{UNF_ORDERS}?$select=СостояниеЗаказа&$filter=СостояниеЗаказа/{name}/Description eq 'Завершен'"
    found = odata_unf.rows(path)
    assert {row["СостояниеЗаказа"] for row in found} == {state["Ref_Key"]}
    assert odata_unf.fail(f"{UNF_ORDERS}?$filter=СостояниеЗаказа/Description eq 'Завершен'")[:2] == (400, "6")


@pytest.mark.parametrize(
    "function",
    ["length(Number) eq 1", "indexof(Number,'1') eq 1", "replace(Number,'1','2') eq '2'", "tolower(Number) eq 'a'",
     "toupper(Number) eq 'A'", "trim(Number) eq 'a'", "years(Date) eq 1", "days(Date) eq 1", "hours(Date) eq 1",
     "floor(СуммаДокумента) eq 1", "ceiling(СуммаДокумента) eq 1"],
)  # fmt: skip
def test_functions_that_1c_does_not_have(odata: Client, function: str) -> None:
    """Functions of the standard that 1C leaves out: the option cannot be parsed, code 14 in Russian."""
    status, code, text = odata.fail(f"{ORDERS}?$filter={function}")
    assert (status, code) == (400, "14")
    assert text.startswith("Ошибка разбора опции запроса $filter")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dateadd(Date,'fortnight',1) gt Date", (400, "14")),
        ("datedifference(Date,Date,'fortnight') eq 0", (400, "14")),
        ("year(Number) eq 2026", (500, "-1")),
        ("round(Number) eq 1", (500, "-1")),
        ("startswith(СуммаДокумента,'1')", (500, "-1")),
        ("Number add 1 eq 2", (500, "-1")),
        ("isof(Контрагент_Key,'Catalog_Контрагенты')", (500, "-1")),
        ("cast(Автор,'Catalog_Нет') eq Автор", (404, "8")),
        ("cast(Автор,5) eq Автор", (400, "14")),
        ("Автор eq 5", (500, "-1")),
        ("Комментарий/any(d: d/Цена gt 1)", (400, "6")),
        ("Товары/any(d: Цена gt 1)", (400, "6")),
        ("Товары/any(d: d gt 1)", (400, "6")),
        ("Товары/any(d d/Цена gt 1)", (400, "14")),
        ("Товары/some(d: d/Цена gt 1)", (400, "14")),
        ("Контрагент/ИНН/Ещё eq 'x'", (400, "6")),
        ("Автор/Description eq 'x'", (400, "6")),
        ("Товары eq 1", (500, "-1")),
        ("Posted gt true", (500, "-1")),
        ("Date eq 5", (500, "-1")),
        ("СуммаДокумента eq '5'", (500, "-1")),
        ("", (200, "")),
    ],
)
def test_refusals(odata: Client, text: str, expected: tuple[int, str]) -> None:
    """What does not fit is refused with 1C's status and code; an empty filter is none."""
    answer = odata.get(f"{ORDERS}?$format=json&$top=1&$filter={text}")
    found = (answer.status, "") if answer.status == 200 else answer.error[:2]
    assert found == expected
    if found == (500, "-1") and "Товары" not in text:
        assert answer.error[2] == INCOMPARABLE
