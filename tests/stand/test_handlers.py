"""What the configuration does on writing: defaults, refusals, load mode; posting modes; bodies in Atom."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from stand.onec.model import EMPTY_REF
from stand.onec.server import OneCStand
from tests.stand.client import NS, Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
SHIPMENTS = "Document_РеализацияТоваровУслуг"
STOCK = "AccumulationRegister_ТоварыНаСкладах"
KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
LOAD = {"1C_OData-DataLoadMode": "true"}


def _order(stand: OneCStand, **more: Any) -> dict[str, Any]:
    """A body of an order with two lines."""
    old = stand.world.records(ORDERS)[0]
    goods = [record["Ref_Key"] for record in stand.world.records("Catalog_Номенклатура") if not record.get("IsFolder")]
    lines = [
        {"LineNumber": n, "Номенклатура_Key": goods[n], "Количество": n, "Цена": 100.5, "Сумма": 100.5 * n}
        for n in (1, 2)
    ]
    return {"Date": "2026-11-20T10:00:00", "Контрагент_Key": old["Контрагент_Key"], "Товары": lines, **more}


def _path(name: str, record: dict[str, Any]) -> str:
    return f"{name}(guid'{record['Ref_Key']}')"


def _load(own: Client, method: str, path: str, fields: Any) -> Any:
    """A write with the header of load mode, whose name holds an underscore."""
    own.connection.request(
        method,
        f"{own.path}/{quote(path)}",
        json.dumps(fields).encode(),
        {"Accept": "application/json", **LOAD},
    )
    response = own.connection.getresponse()
    return response.status, json.loads(response.read() or b"{}")


def test_1c_fills_in_what_was_not_sent(stand: OneCStand, own: Client) -> None:
    """Number, currency, author and the sum of the lines: the answer differs from what was sent."""
    body = own.write("POST", ORDERS, _order(stand, СуммаДокумента=1)).json
    ruble = next(r for r in stand.world.records("Catalog_Валюты") if r["Code"].strip() == "643")
    assert body["Number"]
    assert body["Валюта_Key"] == ruble["Ref_Key"]
    assert body["Автор"] == stand.world.records(ORDERS)[-2]["Автор"]
    assert body["СуммаДокумента"] == 301.5
    other = own.write("POST", ORDERS, _order(stand, Валюта_Key=KEY, Автор=KEY, Number="МОЙ-1")).json
    assert (other["Валюта_Key"], other["Автор"], other["Number"]) == (KEY, KEY, "МОЙ-1")


def test_the_sum_follows_lines_that_are_written(stand: OneCStand, own: Client) -> None:
    """PATCH of lines counts the sum anew, cancelled ones left out; PATCH of the sum alone is taken as sent."""
    body = own.write("POST", ORDERS, _order(stand)).json
    lines = [{**line, "СуммаСНДС": 10} for line in body["Товары"]]
    lines[1]["Отменено"] = True
    assert own.write("PATCH", _path(ORDERS, body), {"Товары": lines}).json["СуммаДокумента"] == 10
    assert own.write("PATCH", _path(ORDERS, body), {"СуммаДокумента": 7}).json["СуммаДокумента"] == 7


def test_a_code_is_given(stand: OneCStand, own: Client) -> None:
    """A catalogue with codes gives the next one; a base that fills nothing in leaves it empty."""
    name = "Catalog_Номенклатура"
    last = max(r["Code"] for r in stand.world.records(name))
    stand.world.edit(name, stand.world.records(name)[0]["Ref_Key"], {"Code": "99-99999999"})
    code = own.write("POST", name, {"Description": "Новое"}).json["Code"]
    assert (len(code), int(code[3:])) == (len(last), int(last[3:]) + 1)
    stand.quirks.fills_defaults = False
    assert own.write("POST", name, {"Description": "Ещё"}).json["Code"] == ""
    assert own.write("POST", ORDERS, _order(stand)).json["Валюта_Key"] == EMPTY_REF


def test_an_own_key_may_be_ignored(stand: OneCStand, own: Client) -> None:
    """Whether 1C takes the sent Ref_Key is uncertain: with the switch each POST makes another record."""
    stand.quirks.own_key_ignored = True
    keys = {own.write("POST", PARTIES, {"Ref_Key": KEY, "Description": "Дважды"}).json["Ref_Key"] for _ in range(2)}
    assert (len(keys), KEY in keys) == (2, False)


def test_too_long_is_cut_without_a_word(stand: OneCStand, own: Client) -> None:
    """A number longer than the field is stored cut, and only the answer tells."""
    assert (
        own.write("POST", ORDERS, _order(stand, Number="ERPNext-TRANSFER-PROBE-0001")).json["Number"] == "ERPNext-TRA"
    )


def test_a_closed_period(stand: OneCStand, own: Client) -> None:
    """No write, deletion or posting of a document dated in it, nor moving one into it; 500, code −1, a Russian text."""
    body = own.write("POST", ORDERS, _order(stand)).json
    old = stand.world.records(ORDERS)[0]
    stand.quirks.closed_until = old["Date"][:10]
    expected = (500, "-1")
    version = old["DataVersion"]
    for answer in (
        own.write("PATCH", _path(ORDERS, old), {"Комментарий": "а"}),
        own.write("PATCH", _path(ORDERS, body), {"Date": old["Date"]}),
        own.write("PATCH", _path(ORDERS, old), {"Date": "2026-11-20T00:00:00"}),
        own.write("POST", ORDERS, _order(stand, Date=old["Date"])),
        own.write("POST", f"{_path(ORDERS, old)}/Unpost"),
        own.write("DELETE", _path(ORDERS, old)),
    ):
        status, code, text = answer.error
        assert (status, code) == expected
        assert text.startswith("Документ не может быть записан: период закрыт")
    assert old["DataVersion"] == version
    assert own.write("PATCH", _path(ORDERS, body), {"Комментарий": "а"}).status == 200
    assert _load(own, "PATCH", _path(ORDERS, old), {"Комментарий": "а"})[0] == 200


def test_a_handler_that_refuses(stand: OneCStand, own: Client) -> None:
    """The exception's text comes through as it is; nothing is written; other sets are not touched."""
    record = stand.world.records(PARTIES)[0]
    stand.quirks.refuses = {PARTIES: "Контрагент с таким ИНН уже есть!"}
    before = dict(record)
    assert own.write("PATCH", _path(PARTIES, record), {"ИНН": "1"}).error == (
        500,
        "-1",
        "Контрагент с таким ИНН уже есть!",
    )
    assert own.write("DELETE", _path(PARTIES, record)).error[:2] == (500, "-1")
    assert record == before
    assert own.write("POST", ORDERS, _order(stand)).status == 201


def test_an_empty_field_stops_posting_only(stand: OneCStand, own: Client) -> None:
    """Filling checks do not run when writing over OData; posting refuses, and tells which field."""
    stand.quirks.required_to_post = {ORDERS: ("Контрагент_Key", "Товары")}
    body = own.write("POST", ORDERS, _order(stand, Контрагент_Key=EMPTY_REF)).json
    assert own.write("POST", f"{_path(ORDERS, body)}/Post").error == (500, "-1", "Поле «Контрагент» не заполнено")
    own.write("PATCH", _path(ORDERS, body), {"Контрагент_Key": KEY, "Товары": []})
    assert own.write("POST", f"{_path(ORDERS, body)}/Post").error == (500, "-1", "Поле «Товары» не заполнено")
    own.write("PATCH", _path(ORDERS, body), {"Товары": _order(stand)["Товары"]})
    assert own.write("POST", f"{_path(ORDERS, body)}/Post").status == 200


def test_load_mode(stand: OneCStand, own: Client) -> None:
    """The header skips handlers and defaults; an object without such a mode answers code 17."""
    stand.quirks.refuses = {ORDERS: "Нельзя!"}
    status, body = _load(own, "POST", ORDERS, _order(stand, СуммаДокумента=1))
    assert (status, body["СуммаДокумента"], body["Валюта_Key"]) == (201, 1, EMPTY_REF)
    stand.quirks.no_load_mode = (ORDERS,)
    status, body = _load(own, "PATCH", _path(ORDERS, body), {})
    assert (status, body["odata.error"]["code"]) == (400, "17")


def test_operational_posting(stand: OneCStand, own: Client) -> None:
    """Operational needs a document of today; otherwise there may be no movements (a switch); no boolean is code 1."""
    shipment = next(s for s in stand.world.records(SHIPMENTS) if s["Posted"])
    path = _path(SHIPMENTS, shipment)
    rows = f"{STOCK}?$filter=Recorder eq cast(guid'{shipment['Ref_Key']}','{SHIPMENTS}')"
    assert own.write("POST", f"{path}/Post?PostingModeOperational=true").error[:2] == (500, "-1")
    stand.quirks.now = shipment["Date"]
    assert own.write("POST", f"{path}/Post?PostingModeOperational=true").status == 200
    assert own.write("POST", f"{path}/Post(PostingModeOperational=true)").status == 200
    assert len(own.rows(rows)) == 1
    stand.quirks.unoperational_moves_nothing = True
    assert own.write("POST", f"{path}/Post?PostingModeOperational=false").status == 200
    assert (own.rows(rows), shipment["Posted"]) == ([], True)
    assert own.write("POST", f"{path}/Unpost?PostingModeOperational=true").status == 200
    assert own.write("POST", f"{path}/Post?PostingModeOperational=да").error[:2] == (400, "1")


def test_today_is_the_clocks_unless_told(stand: OneCStand, own: Client) -> None:
    """A document dated now can be posted operationally."""
    body = own.write("POST", ORDERS, _order(stand, Date=time.strftime("%Y-%m-%dT%H:%M:%S"))).json
    assert own.write("POST", f"{_path(ORDERS, body)}/Post()?PostingModeOperational=true").status == 200


def test_bodies_in_atom(stand: OneCStand, own: Client) -> None:
    """An entry creates and changes as JSON does: nulls, booleans, references, rows of a tabular part."""
    fields = (
        "<d:Description>Из Atom &amp; XML</d:Description><d:ИНН m:null='true'/><d:DeletionMark>true</d:DeletionMark>"
        f"<d:Партнер_Key>{KEY}</d:Партнер_Key>"
        "<d:КонтактнаяИнформация m:type='Collection(StandardODATA.X)'><d:element><d:LineNumber>1</d:LineNumber>"
        "<d:Тип>Телефон</d:Тип></d:element></d:КонтактнаяИнформация>"
    )
    entry = (
        f"<entry xmlns='{NS['a']}' xmlns:d='{NS['d']}' xmlns:m='{NS['m']}'><content type='application/xml'>"
        f"<m:properties>{fields}</m:properties></content></entry>"
    )
    where = f"{own.path}/{quote(PARTIES)}"
    answer = own.send("POST", where, entry.encode(), Content_Type="application/atom+xml")
    assert answer.status == 201
    key = answer.xml.findtext(".//d:Ref_Key", namespaces=NS)
    body = own.get(f"{PARTIES}(guid'{key}')?$format=json").json
    assert (body["Description"], body["ИНН"], body["DeletionMark"]) == ("Из Atom & XML", "", True)
    assert (body["Партнер_Key"], [row["Тип"] for row in body["КонтактнаяИнформация"]]) == (KEY, ["Телефон"])
    assert own.send("POST", where, b"<entry/>", Accept="application/json").error[:2] == (400, "2")
    assert own.send("POST", where, b"<entry", Accept="application/json").error[:2] == (400, "2")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_missing_record(own: Client, method: str) -> None:
    """Code 9 with 404, whatever is to be done with it."""
    assert own.write(method, f"{PARTIES}(guid'{KEY}')", {}).error[:2] == (404, "9")
