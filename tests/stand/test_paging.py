"""Order and pages: the part everyone gets wrong."""

from __future__ import annotations

from typing import Any

import pytest

from stand.onec.server import OneCStand
from stand.onec.world import collate
from tests.stand.client import Client

ORDERS = "Document_ЗаказКлиента"
PARTIES = "Catalog_Контрагенты"
GOODS = "Catalog_Номенклатура"


def _pages(odata: Client, path: str, size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = odata.rows(f"{path}&$top={size}&$skip={len(found)}")
        found += page
        if len(page) < size:
            return found


def test_ref_key_sorts_by_presentation(odata: Client) -> None:
    """$orderby=Ref_Key is no order of guids: catalogues come by name, documents by date and number."""
    rows = odata.rows(f"{PARTIES}?$select=Ref_Key,Description&$orderby=Ref_Key")
    assert [r["Description"] for r in rows] == sorted((r["Description"] for r in rows), key=collate)
    assert [r["Ref_Key"] for r in rows] != sorted(r["Ref_Key"] for r in rows)
    documents = odata.rows(f"{ORDERS}?$select=Ref_Key,Date,Number&$orderby=Ref_Key")
    keys = [(r["Date"], r["Number"]) for r in documents]
    assert keys == sorted(keys)
    last = odata.rows(f"{PARTIES}?$select=Ref_Key&$orderby=Ref_Key desc&$top=1")
    assert last[0]["Ref_Key"] == rows[-1]["Ref_Key"]


def test_default_order(odata: Client) -> None:
    """Without $orderby: documents by date and number; a hierarchical catalogue gives root items first."""
    documents = [(r["Date"], r["Number"]) for r in odata.rows(f"{ORDERS}?$select=Date,Number")]
    assert documents == sorted(documents)
    goods = odata.rows(f"{GOODS}?$select=Parent_Key,Description")
    roots = [row["Parent_Key"].startswith("00000000") for row in goods]
    assert roots == sorted(roots, reverse=True)
    assert any(roots)


@pytest.mark.parametrize("name", [PARTIES, ORDERS, GOODS])
def test_pages_by_full_key_lose_nothing(odata: Client, name: str) -> None:
    """Pages ordered by Ref_Key put together are the whole set, each record once."""
    found = [row["Ref_Key"] for row in _pages(odata, f"{name}?$select=Ref_Key&$orderby=Ref_Key", 37)]
    assert len(found) == len(set(found)) == int(odata.get(f"{name}/$count").body)


def test_skip_comes_before_top(odata: Client) -> None:
    """$top=3&$skip=5 are the sixth to eighth records; beyond the end there is nothing."""
    whole = odata.rows(f"{PARTIES}?$select=Ref_Key")
    assert odata.rows(f"{PARTIES}?$select=Ref_Key&$top=3&$skip=5") == whole[5:8]
    assert odata.rows(f"{PARTIES}?$select=Ref_Key&$skip={len(whole)}") == []
    assert odata.rows(f"{PARTIES}?$top=0") == []
    assert odata.fail(f"{PARTIES}?$top=-1")[:2] == (400, "14")


def test_orderby_fields_directions_and_paths(shared: OneCStand, odata: Client) -> None:
    """Fields sort for real, desc turns, a reference sorts by what it shows, a path by the referred object's field."""
    sums = [r["СуммаДокумента"] for r in odata.rows(f"{ORDERS}?$select=СуммаДокумента&$orderby=СуммаДокумента desc")]
    assert sums == sorted(sums, reverse=True)
    two = odata.rows(f"{ORDERS}?$select=Статус,Date&$orderby=Статус,Date desc")
    groups = [r["Статус"] for r in two]
    assert groups == sorted(groups, key=collate)
    first = [r["Date"] for r in two if r["Статус"] == groups[0]]
    assert first == sorted(first, reverse=True)
    world = shared.world
    shown = [
        world.presentation_of(PARTIES, r["Контрагент_Key"])
        for r in odata.rows(f"{ORDERS}?$select=Контрагент_Key&$orderby=Контрагент_Key")
    ]
    assert shown == sorted(shown)
    by_path = odata.rows(f"{ORDERS}?$select=Контрагент_Key&$orderby=Контрагент/ИНН")
    inns = [(world.get(PARTIES, r["Контрагент_Key"]) or {}).get("ИНН", "") for r in by_path]
    assert inns == sorted(inns)


def test_unknown_orderby_field(odata: Client) -> None:
    """Catalogues and independent registers refuse an unknown field; registers of recorders do not even look."""
    assert odata.fail(f"{PARTIES}?$orderby=Нет")[:2] == (400, "6")
    assert odata.fail("InformationRegister_КурсыВалют?$orderby=Нет")[:2] == (400, "6")
    assert odata.fail(f"{PARTIES}?$orderby=Description sideways")[:2] == (400, "14")
    register = "AccumulationRegister_ТоварыНаСкладах"
    plain = odata.rows(f"{register}?$select=Recorder&$top=50")
    assert odata.rows(f"{register}?$select=Recorder&$top=50&$orderby=Нет desc") == plain


def test_registers_keep_their_own_order(odata: Client) -> None:
    """By type of recorder, then by date; stable, so pages by $skip are whole."""
    name = "AccumulationRegister_РасчетыСКлиентами"
    rows = _pages(odata, f"{name}_RecordType?$select=Recorder,Recorder_Type,Period,LineNumber", 200)
    keys = [(r["Recorder_Type"], r["Period"]) for r in rows]
    assert keys == sorted(keys)
    assert len({(r["Recorder"], r["LineNumber"]) for r in rows}) == len(rows)
    assert len({r["Recorder_Type"] for r in rows}) == 3
    assert len(rows) == sum(len(r["RecordSet"]) for r in odata.rows(name))


def test_tabular_sets_lose_rows_without_line_number(odata: Client) -> None:
    """Paged by Ref_Key alone some rows are lost between pages; with LineNumber none are."""
    name = f"{ORDERS}_Товары"
    total = int(odata.get(f"{name}/$count").body)

    def distinct(orderby: str) -> int:
        rows = _pages(odata, f"{name}?$select=Ref_Key,LineNumber&$orderby={orderby}", 500)
        return len({(r["Ref_Key"], r["LineNumber"]) for r in rows})

    assert distinct("Ref_Key,LineNumber") == total
    assert distinct("Ref_Key") < total


def test_text_of_unlimited_length_cannot_sort(odata: Client) -> None:
    """1C refuses to order by such a field."""
    assert odata.fail(f"{ORDERS}?$orderby=Комментарий")[0] == 500
