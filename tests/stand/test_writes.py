"""POST, PATCH, PUT, DELETE, Post: where 1C forgives, where it does not, and what it does quietly."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from stand.onec.server import OneCStand
from stand.onec.world import next_version
from tests.stand.client import Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
SHIPMENTS = "Document_РеализацияТоваровУслуг"
RATES = "InformationRegister_КурсыВалют"
OWN_KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def _party(stand: OneCStand) -> tuple[str, dict[str, Any]]:
    record = stand.world.records(PARTIES)[0]
    return f"{PARTIES}(guid'{record['Ref_Key']}')", record


def test_create(stand: OneCStand, own: Client) -> None:
    """201 with the whole object; an own Ref_Key is kept and makes a repeat fail with code 15; Location is raw UTF-8."""
    answer = own.write("POST", PARTIES, {"Description": "Новый", "ИНН": "7705260674", "Ref_Key": OWN_KEY})
    assert answer.status == 201
    assert (answer.json["Ref_Key"], answer.json["ИНН"], answer.json["КПП"]) == (OWN_KEY, "7705260674", "")
    location = answer.headers["location"].encode("latin-1").decode()
    assert location == f"{stand.url}/{PARTIES}(guid'{OWN_KEY}')"
    assert own.write("POST", PARTIES, {"Description": "Новый", "Ref_Key": OWN_KEY}).error[:2] == (400, "15")
    assert own.write("POST", PARTIES, {"Description": "Без ключа"}).json["Ref_Key"] != OWN_KEY


def test_patch_bumps_the_version_even_when_nothing_differs(stand: OneCStand, own: Client) -> None:
    """PATCH answers 200 and the whole object, the version grows each time; Ref_Key cannot be changed."""
    path, record = _party(stand)
    before = record["DataVersion"]
    answer = own.write("PATCH", path, {"Description": "Другое", "Ref_Key": OWN_KEY})
    assert answer.status == 200
    assert (answer.json["Description"], answer.json["Ref_Key"]) == ("Другое", record["Ref_Key"])
    assert answer.json["DataVersion"] == next_version(before)
    assert own.write("PATCH", path, {}).json["DataVersion"] == next_version(next_version(before))


def test_what_1c_forgives(stand: OneCStand, own: Client) -> None:
    """Unknown fields are ignored, long strings cut, text for a whole number dropped, broken references stored."""
    path, record = _party(stand)
    body = own.write("PATCH", path, {"Нет": 1, "КПП": "1234567890123", "Партнер_Key": OWN_KEY}).json
    assert "Нет" not in body
    assert (body["КПП"], body["Партнер_Key"]) == ("123456789", OWN_KEY)
    goods = stand.world.records("Catalog_Номенклатура")[-1]
    item = f"Catalog_Номенклатура(guid'{goods['Ref_Key']}')"
    assert own.write("PATCH", item, {"СрокГодности": "много"}).json["СрокГодности"] == "0"
    assert own.write("PATCH", item, {"СрокГодности": 12}).json["СрокГодности"] == "12"
    bound = own.write("PATCH", path, {"Партнер@odata.bind": f"Catalog_Партнеры(guid'{record['Ref_Key']}')"})
    assert bound.json["Партнер_Key"] == record["Ref_Key"]
    unit = stand.world.records("Catalog_УпаковкиЕдиницыИзмерения")[0]
    code = own.write("PATCH", f"Catalog_УпаковкиЕдиницыИзмерения(guid'{unit['Ref_Key']}')", {"Code": "12"}).json["Code"]
    assert code == "12  "


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Партнер_Key": "нет"}, (400, "1")),
        ({"DeletionMark": "может быть"}, (400, "1")),
        ({"Description": ["список"]}, (500, "-1")),
        ({"КонтактнаяИнформация": [{"Тип": "Телефон"}]}, (500, "-1")),
        ({"КонтактнаяИнформация": [{"LineNumber": "2", "Тип": "Телефон"}]}, (400, "4")),
    ],
)
def test_what_1c_refuses(stand: OneCStand, own: Client, fields: dict[str, Any], expected: tuple[int, str]) -> None:
    """A bad guid or boolean, a list for a scalar, rows without their numbers; nothing is changed."""
    path, record = _party(stand)
    before = dict(record)
    assert own.write("PATCH", path, fields).error[:2] == expected
    assert record == before


def test_dates_and_types_are_checked(stand: OneCStand, own: Client) -> None:
    """A malformed date is code 1; an unknown type of a composite reference code 4, the one it has passes."""
    order = stand.world.records(ORDERS)[0]
    path = f"{ORDERS}(guid'{order['Ref_Key']}')"
    assert own.write("PATCH", path, {"Date": "вчера"}).error[:2] == (400, "1")
    assert own.write("PATCH", path, {"Автор": OWN_KEY, "Автор_Type": "UnavailableEntities.X"}).error[:2] == (400, "4")
    kept = own.write("PATCH", path, {"Автор": OWN_KEY, "Автор_Type": order["Автор_Type"]})
    assert kept.json["Автор"] == OWN_KEY


def test_a_tabular_part_is_replaced_whole(stand: OneCStand, own: Client) -> None:
    """One row sent is one row left; a row cannot be posted into the part's own set (code 13)."""
    path, _ = _party(stand)
    body = own.write("PATCH", path, {"КонтактнаяИнформация": [{"LineNumber": 1, "Тип": "Телефон"}]}).json
    assert [row["LineNumber"] for row in body["КонтактнаяИнформация"]] == ["1"]
    assert own.write("POST", f"{PARTIES}_КонтактнаяИнформация", {"Тип": "Адрес"}).error[:2] == (400, "13")


def test_broken_json(own: Client) -> None:
    """A body that is no JSON is a 500 with the recorded sentence."""
    answer = own.send("POST", f"{own.path}/{quote('Catalog_Валюты')}", b"{,", Accept="application/json")
    assert answer.error == (500, "-1", "Непредвиденный символ при чтении JSON")


def test_put_replaces_the_rest_with_empty_values(stand: OneCStand, own: Client) -> None:
    """PUT keeps only what is sent."""
    path, _ = _party(stand)
    body = own.write("PUT", path, {"Description": "Один"}).json
    assert (body["Description"], body["ИНН"], body["КонтактнаяИнформация"]) == ("Один", "", [])


def test_delete_is_physical(stand: OneCStand, own: Client) -> None:
    """204, and the record is gone; a second time there is nothing to delete."""
    path, record = _party(stand)
    assert own.write("DELETE", path).status == 204
    assert stand.world.get(PARTIES, record["Ref_Key"]) is None
    assert own.write("DELETE", path).error[:2] == (404, "9")


def test_posted_by_patch_makes_no_movements(stand: OneCStand, own: Client) -> None:
    """The trap: PATCH Posted changes the flag only; Post makes the movements, Unpost takes them back."""
    shipment = next(s for s in stand.world.records(SHIPMENTS) if s["Posted"])
    path = f"{SHIPMENTS}(guid'{shipment['Ref_Key']}')"
    rows = f"AccumulationRegister_ТоварыНаСкладах?$filter=Recorder eq cast(guid'{shipment['Ref_Key']}','{SHIPMENTS}')"
    assert len(own.rows(rows)) == 1
    assert own.write("PATCH", path, {"Posted": False}).json["Posted"] is False
    assert len(own.rows(rows)) == 1
    assert own.write("POST", f"{path}/Unpost").status == 200
    assert own.rows(rows) == []
    assert own.write("PATCH", path, {"Posted": True}).json["Posted"] is True
    assert own.rows(rows) == []
    assert own.write("POST", f"{path}/Post?PostingModeOperational=false").status == 200
    assert len(own.rows(rows)) == 1


def test_patched_lines_move_nothing_until_posted(stand: OneCStand, own: Client) -> None:
    """A posted document keeps its old movements through PATCH and takes the new ones with Post (or from a user)."""
    shipment = next(s for s in stand.world.records(SHIPMENTS) if s["Posted"])
    path, before = f"{SHIPMENTS}(guid'{shipment['Ref_Key']}')", shipment["СуммаДокумента"]
    recorder = f"Recorder eq cast(guid'{shipment['Ref_Key']}','{SHIPMENTS}')"
    rows = f"AccumulationRegister_РасчетыСКлиентами_RecordType?$filter={recorder}"
    own.write("PATCH", path, {"СуммаДокумента": 1.5})
    assert [row["Сумма"] for row in own.rows(rows)] == [before]
    own.write("POST", f"{path}/Post")
    assert [row["Сумма"] for row in own.rows(rows)] == [1.5]
    own.write("PATCH", path, {"СуммаДокумента": 2})
    stand.world.edit(SHIPMENTS, shipment["Ref_Key"], {"СуммаДокумента": 3})
    assert [row["Сумма"] for row in own.rows(rows)] == [3]


def test_a_created_document_is_not_posted(stand: OneCStand, own: Client) -> None:
    """1C gives number and date; even with Posted sent there are no movements; a marked one cannot be posted."""
    body = own.write("POST", ORDERS, {"Posted": True, "DeletionMark": True}).json
    assert body["Number"]
    assert body["Date"] > "2024"
    path = f"{ORDERS}(guid'{body['Ref_Key']}')"
    assert (
        own.rows(f"AccumulationRegister_ЗаказыКлиентов?$filter=Recorder eq cast(guid'{body['Ref_Key']}','{ORDERS}')")
        == []
    )
    assert own.write("POST", f"{path}/Post").error[:2] == (500, "-1")


def test_independent_register(stand: OneCStand, own: Client) -> None:
    """POST answers 200, the same key again code 15; a key cannot be changed by PATCH; there is no version."""
    key = {"Period": "2026-11-20T00:00:00", "Валюта_Key": stand.world.records("Catalog_Валюты")[1]["Ref_Key"]}
    answer = own.write("POST", RATES, {**key, "Курс": 81.5, "Кратность": 1})
    assert (answer.status, answer.json["Кратность"]) == (200, "1")
    assert own.write("POST", RATES, {**key, "Курс": 82}).error[:2] == (400, "15")
    path = f"{RATES}(Period=datetime'{key['Period']}', Валюта_Key=guid'{key['Валюта_Key']}')"
    assert own.write("PATCH", path, {"Курс": 90}).json["Курс"] == 90
    assert own.write("PATCH", path, {"Period": "2026-11-21T00:00:00"}).error[:2] == (404, "9")
    assert own.write("POST", RATES, {"Курс": 1}).error[:2] == (400, "7")


def test_if_match_is_ignored_unless_switched_on(stand: OneCStand, own: Client) -> None:
    """Live bases ignore If-Match; the documented 412 comes with the switch."""
    path, record = _party(stand)
    assert own.write("PATCH", path, {}, If_Match="AAAAAAAAAA8=").status == 200
    stand.quirks.if_match_checked = True
    assert own.write("PATCH", path, {}, If_Match="AAAAAAAAAA8=").status == 412
    assert own.write("PATCH", path, {}, If_Match=record["DataVersion"]).status == 200


def test_what_cannot_be_written(own: Client, stand: OneCStand) -> None:
    """Records of recorders, the service root and sets without a key refuse with 405 and code 19."""
    assert own.write("POST", "AccumulationRegister_ТоварыНаСкладах_RecordType", {}).error[:2] == (405, "19")
    assert own.write("DELETE", PARTIES).error[:2] == (405, "19")
    assert own.write("POST", "", {}).error[:2] == (405, "19")
    path, _ = _party(stand)
    assert own.write("POST", f"{path}/Post").error[:2] == (400, "6")
    assert stand.requests.writes == 4
