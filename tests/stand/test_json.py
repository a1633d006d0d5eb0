"""JSON answers: envelopes, value types, links, levels of detail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stand.onec.model import EMPTY_DATE, EMPTY_REF, MODEL, UNDEFINED, Kind
from stand.onec.server import OneCStand
from stand.onec.world import rows_of
from tests.stand.client import Client

ORDERS = "Document_ЗаказКлиента"
PARTIES = "Catalog_Контрагенты"


def test_collection_envelope(shared: OneCStand, odata: Client) -> None:
    """odata.metadata names the set; there is no paging link, no etag, nothing else."""
    body = odata.get(f"{PARTIES}?$format=json&$top=2").json
    assert body.keys() == {"odata.metadata", "value"}
    assert body["odata.metadata"] == f"{shared.url}/$metadata#{PARTIES}"
    assert len(body["value"]) == 2


def test_count_is_a_string_of_all_that_pass(shared: OneCStand, odata: Client) -> None:
    """$inlinecount=allpages with $top=1 gives one row and the whole count, as a string; /$count a bare number."""
    body = odata.get(f"{PARTIES}?$format=json&$top=1&$inlinecount=allpages").json
    total = len(shared.world.records(PARTIES))
    assert body["odata.count"] == str(total)
    assert len(body["value"]) == 1
    assert odata.get(f"{PARTIES}/$count").body == str(total).encode()


def test_single_entity_stands_beside_its_metadata(shared: OneCStand, odata: Client) -> None:
    """GET by guid answers the fields at top level; an unknown guid is code 9, a broken one code 1."""
    record = shared.world.records(PARTIES)[3]
    body = odata.get(f"{PARTIES}(guid'{record['Ref_Key'].upper()}')?$format=json").json
    assert body["odata.metadata"] == f"{shared.url}/$metadata#{PARTIES}/@Element"
    assert body["Description"] == record["Description"]
    assert odata.fail(f"{PARTIES}(guid'11111111-1111-1111-1111-111111111111')")[:2] == (404, "9")
    assert odata.fail(f"{PARTIES}(guid'11111111')")[:2] == (400, "1")


def test_values_have_1c_types(odata: Client) -> None:
    """Int64 is a string, Int16 and Double are numbers, dates have no zone, unset fields have 1C's empty values."""
    order = odata.rows(f"{ORDERS}?$top=1&$filter=СпособДоставки eq 'Самовывоз'")[0]
    assert order["МаксимальныйКодСтроки"].isdigit()
    assert order["СрокВозвратаМногооборотнойТары"] == 0
    assert isinstance(order["СуммаДокумента"], int | float)
    assert len(order["Date"]) == 19
    assert order["ВремяДоставкиС"] == EMPTY_DATE
    assert order["Сделка_Key"] == EMPTY_REF
    assert (order["ДокументОснование"], order["ДокументОснование_Type"]) == ("", UNDEFINED)
    assert order["Товары"][0]["LineNumber"] == "1"
    assert order["Товары"][0]["Ref_Key"] == order["Ref_Key"]
    assert order["Автор_Type"].startswith("UnavailableEntities.UnavailableEntity_")


def test_fixed_strings_are_padded(odata: Client) -> None:
    """Codes of units come with their trailing blank."""
    units = odata.rows("Catalog_УпаковкиЕдиницыИзмерения?$filter=Description eq 'шт'")
    assert [unit["Code"] for unit in units] == ["796 "]


def test_fields_come_in_declared_order_links_last(odata: Client) -> None:
    """The answer follows $metadata's order whatever $select's; links of filled references come after all fields."""
    names = "Товары,СуммаДокумента,Контрагент_Key,Number,Грузополучатель_Key,Ref_Key"
    found = odata.rows(f"{ORDERS}?$top=1&$select={names}")[0]
    wanted = ["Ref_Key", "Number", "Контрагент_Key", "СуммаДокумента", "Грузополучатель_Key", "Товары"]
    assert [*found] == [*wanted, "Контрагент@navigationLinkUrl"]
    assert found["Грузополучатель_Key"] == EMPTY_REF
    assert found["Контрагент@navigationLinkUrl"] == f"{ORDERS}(guid'{found['Ref_Key']}')/Контрагент"
    declared = [prop.name for prop in MODEL.sets[ORDERS].shape.props]
    whole = odata.rows(f"{ORDERS}?$top=1")[0]
    assert [name for name in whole if "@" not in name] == declared


def test_rows_have_links_only_in_their_own_set(odata: Client) -> None:
    """Rows inside a document carry no links; the same rows read as a set do, with their composite key."""
    order = odata.rows(f"{ORDERS}?$top=1")[0]
    assert not any("@" in name for row in order["Товары"] for name in row)
    row = odata.rows(f"{ORDERS}_Товары?$top=1&$filter=Ref_Key eq guid'{order['Ref_Key']}'")[0]
    assert {n: v for n, v in row.items() if "@" not in n} == order["Товары"][0]
    address = f"{ORDERS}_Товары(Ref_Key=guid'{order['Ref_Key']}', LineNumber=1)"
    assert row["Номенклатура@navigationLinkUrl"] == f"{address}/Номенклатура"
    assert odata.get(f"{address}?$format=json").json["Цена"] == row["Цена"]


@pytest.mark.parametrize("how", ["format", "accept"])
@pytest.mark.parametrize("detail", ["nometadata", "minimalmetadata", "fullmetadata"])
def test_levels_of_detail(odata: Client, how: str, detail: str) -> None:
    """$format and Accept choose the level: none drops metadata and links, full adds type, id and edit link."""
    kind = f"application/json;odata={detail}"
    if how == "format":
        answer = odata.get(f"{PARTIES}?$top=1&$format={kind}")
    else:
        answer = odata.get(f"{PARTIES}?$top=1", Accept=kind)
    body, record = answer.json, answer.value[0]
    assert detail in answer.headers["content-type"]
    assert ("odata.metadata" in body) == (detail != "nometadata")
    assert any(name.endswith("@navigationLinkUrl") for name in record) == (detail != "nometadata")
    assert ("odata.id" in record) == (detail == "fullmetadata")


def test_unknown_format_is_refused(odata: Client) -> None:
    """An unknown level of detail is an unparsable option."""
    assert odata.get(f"{PARTIES}?$top=1&$format=application/json;odata=verbose").error[:2] == (400, "14")
    assert odata.get(f"{PARTIES}?$top=1&$format=csv").status == 400


def test_navigation_follows_references(shared: OneCStand, odata: Client) -> None:
    """Entity(guid)/Контрагент is the referred object, /Контрагент/ИНН its field, an empty reference code 9."""
    order = shared.world.records(ORDERS)[0]
    path = f"{ORDERS}(guid'{order['Ref_Key']}')"
    party = odata.get(f"{path}/Контрагент?$format=json").json
    assert party["Ref_Key"] == order["Контрагент_Key"]
    assert odata.get(f"{path}/Контрагент/Description?$format=json").json["value"] == party["Description"]
    assert odata.fail(f"{path}/Грузополучатель")[:2] == (404, "9")
    lines = odata.rows(f"{path}/Товары")
    assert len(lines) == len(rows_of(order["Товары"]))


def test_select_star_variants_and_presentations(odata: Client) -> None:
    """** leaves tabular parts out, ____Presentation adds what a reference shows."""
    assert "Товары" not in odata.rows(f"{ORDERS}?$top=1&$select=**")[0]
    assert "Товары" in odata.rows(f"{ORDERS}?$top=1&$select=*")[0]
    shown = odata.rows(f"{ORDERS}?$top=1&$select=Контрагент_Key,Контрагент_Key____Presentation")[0]
    assert shown["Контрагент_Key____Presentation"]
    assert odata.fail(f"{ORDERS}?$select=Нет____Presentation")[:2] == (400, "6")


def test_expand_needs_the_field_in_select(odata: Client) -> None:
    """A reference is expanded only when its field is selected too; an empty one becomes null."""
    names = "Контрагент_Key,Грузополучатель_Key&$expand=Контрагент,Грузополучатель"
    both = odata.rows(f"{ORDERS}?$top=1&$select=Number,{names}")[0]
    assert both["Контрагент"]["Ref_Key"] == both["Контрагент_Key"]
    assert both["Грузополучатель"] is None
    assert "Контрагент" not in odata.rows(f"{ORDERS}?$top=1&$select=Number&$expand=Контрагент")[0]
    assert odata.fail(f"{ORDERS}?$top=1&$expand=Нет")[:2] == (400, "6")
    assert "Грузополучатель@navigationLinkUrl" in both
    plain = odata.rows(f"{ORDERS}?$top=1&$select=Number,Контрагент_Key,Грузополучатель_Key")[0]
    assert "Грузополучатель@navigationLinkUrl" not in plain


def test_expand_goes_on_from_what_is_expanded(shared: OneCStand, odata: Client) -> None:
    """A path expands several steps, with chosen fields on each; four are reported to work, more are refused."""
    contract = "Договор_Key ne guid'00000000-0000-0000-0000-000000000000'"
    names = "Number,Договор/Контрагент/Партнер/Description,Договор/Номер"
    row = odata.rows(f"{ORDERS}?$top=1&$filter={contract}&$select={names}&$expand=Договор/Контрагент/Партнер")[0]
    record = shared.world.get("Catalog_ДоговорыКонтрагентов", row["Договор_Key"])
    assert record is not None
    party = shared.world.get(PARTIES, record["Контрагент_Key"])
    assert party is not None
    partner = shared.world.get("Catalog_Партнеры", party["Партнер_Key"])
    assert partner is not None
    inner = row["Договор"]
    assert {name for name in inner if "@" not in name} == {"Номер", "Контрагент_Key", "Контрагент"}
    assert inner["Номер"] == record["Номер"]
    assert inner["Контрагент"]["Партнер"] == {"Description": partner["Description"]}
    whole = odata.rows(f"{ORDERS}?$top=1&$filter={contract}&$expand=Договор/Контрагент/*")[0]
    assert whole["Договор"]["Контрагент"]["Партнер"]["Ref_Key"] == party["Партнер_Key"]
    deep = "Договор/Контрагент/ГоловнойКонтрагент/ГоловнойКонтрагент"
    assert odata.get(f"{ORDERS}?$top=1&$format=json&$expand={deep}").status == 200
    assert odata.fail(f"{ORDERS}?$top=1&$expand={deep}/ГоловнойКонтрагент")[:2] == (400, "14")


def test_expand_of_a_composite_reference_names_its_type(odata: Client) -> None:
    """The type is a step of the path; another type than the record's is null, a type that cannot be is refused."""
    bills = "Document_СчетНаОплатуКлиенту"
    row = odata.rows(f"{bills}?$top=1&$expand=ДокументОснование/{ORDERS}")[0]
    assert row["ДокументОснование_Expanded"]["Ref_Key"] == row["ДокументОснование"]
    for path in ("ДокументОснование", f"ДокументОснование/{PARTIES}"):
        assert odata.fail(f"{bills}?$top=1&$expand={path}")[:2] == (400, "6")


def test_virtual_tables_expand(odata: Client) -> None:
    """A dimension of a virtual table is expanded beside its key."""
    balance = "AccumulationRegister_ТоварыНаСкладах/Balance(Dimensions='Номенклатура')"
    rows = odata.rows(f"{balance}?$top=3&$expand=Номенклатура")
    assert len(rows) == 3
    assert [row["Номенклатура"]["Ref_Key"] for row in rows] == [row["Номенклатура_Key"] for row in rows]


def test_every_set_can_be_read(odata: Client) -> None:
    """All published sets answer in JSON and Atom; a set without data answers an empty list."""
    for name in MODEL.sets:
        found = odata.rows(f"{name}?$top=2")
        for record in found:
            _check_kinds(name, record)
        assert odata.get(f"{name}?$top=2").status == 200


def _check_kinds(name: str, record: dict[str, Any]) -> None:
    for prop in MODEL.sets[name].shape.props:
        value = record[prop.name]
        if prop.kind is Kind.BOOL:
            assert value is True or value is False
        elif prop.kind in (Kind.DOUBLE, Kind.INT16):
            assert isinstance(value, int | float)
            assert not isinstance(value, float) or value != int(value), (prop.name, value)
        elif prop.kind is Kind.ROWS:
            assert isinstance(value, list)
        else:
            assert isinstance(value, str), (name, prop.name, value)
            assert not prop.length or len(value) <= prop.length, (name, prop.name, value)
        if prop.kind is Kind.FIXED:
            assert len(value) == prop.length


def test_json_is_one_document_in_utf8(odata: Client) -> None:
    """Cyrillic travels as it is, not escaped."""
    body = odata.get(f"{PARTIES}?$format=json&$top=1").body
    assert "Контрагенты".encode() in body
    assert json.loads(body)
