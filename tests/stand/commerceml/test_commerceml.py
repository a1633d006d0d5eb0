"""The base as the client of a site: the protocol call by call, and what is in the documents."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from stand.onec.calling import Address, Failed
from stand.onec.commerceml import orders
from stand.onec.commerceml.session import exchange_orders, send_catalog
from stand.onec.commerceml.site import PATIENCE, Site
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.client import Client
from tests.stand.commerceml.site import Behaviour, FakeSite

ITEMS, ORDERS = "Catalog_Номенклатура", "Document_ЗаказКлиента"
DATA = Path(__file__).parents[4] / "shared" / "data" / "commerceml"


@pytest.fixture
def site() -> Iterator[FakeSite]:
    """A site of the plain kind: no archive, no limit."""
    with FakeSite() as running:
        yield running


def _goods(stand: OneCStand) -> set[str]:
    return {r["Ref_Key"] for r in stand.world.records(ITEMS) if not r.get("IsFolder") and not r.get("DeletionMark")}


def _ids(data: bytes, path: str) -> list[str]:
    return [item.text or "" for item in etree.fromstring(data.removeprefix(b"\xef\xbb\xbf")).iterfind(path)]


def test_a_catalogue_session(stand: OneCStand, site: FakeSite) -> None:
    """checkauth, init, a file at a time, then import of each; the cookie goes with every call after the first."""
    report = send_catalog(stand.world, Site(Address(site.url, "сайт", "слово")))
    assert [(method, query["mode"]) for method, query, _ in site.calls] == [
        ("GET", "checkauth"), ("GET", "init"), ("POST", "file"), ("POST", "file"), ("GET", "import"), ("GET", "import"),
    ]  # fmt: skip
    assert {query["type"] for _, query, _ in site.calls} == {"catalog"}
    login = base64.b64encode("сайт:слово".encode()).decode()
    assert {headers["authorization"] for *_, headers in site.calls} == {f"Basic {login}"}
    assert [headers.get("cookie") for *_, headers in site.calls] == [None] + ["PHPSESSID=abc"] * 5
    assert report.sent == ["import.xml", "offers.xml"] == [*site.files]


def test_goods_prices_and_stock(stand: OneCStand, site: FakeSite) -> None:
    """The catalogue holds every product, the offers a price and the quantity that the register has."""
    send_catalog(stand.world, Site(Address(site.url)))
    goods, offers = site.files["import.xml"], site.files["offers.xml"]
    assert goods.startswith(b"\xef\xbb\xbf<?xml")
    assert {*_ids(goods, "{*}Каталог/{*}Товары/{*}Товар/{*}Ид")} == _goods(stand)
    assert {*_ids(offers, ".//{*}Предложение/{*}Ид")} == _goods(stand)
    assert etree.fromstring(goods[3:]).get("ВерсияСхемы") == "2.08"
    with Client(stand) as client:
        rows = client.rows("AccumulationRegister_ТоварыНаСкладах/Balance(Dimensions='Номенклатура')")
        prices = client.rows("InformationRegister_ЦеныНоменклатуры_RecordType/SliceLast()")
    stock = {row["Номенклатура_Key"]: row["ВНаличииBalance"] for row in rows}
    found = {o.findtext("{*}Ид", ""): o for o in etree.fromstring(offers[3:]).iter("{*}Предложение")}
    assert {key: float(o.findtext("{*}Количество", "0")) for key, o in found.items()} == pytest.approx(
        {key: stock.get(key, 0) for key in found}
    )
    key, kind, price = next((r["Номенклатура_Key"], r["ВидЦены_Key"], r["Цена"]) for r in prices)
    told = {p.findtext("{*}ИдТипаЦены"): p.findtext("{*}ЦенаЗаЕдиницу", "") for p in found[key].iter("{*}Цена")}
    assert float(told[kind]) == pytest.approx(price)
    unit = etree.fromstring(goods[3:]).find(".//{*}БазоваяЕдиница[@Код='796']")
    assert unit is not None
    assert unit.text == "шт"


def test_only_changes(stand: OneCStand, site: FakeSite) -> None:
    """Told which products changed, the base sends these and says that they are not all."""
    key = min(_goods(stand))
    send_catalog(stand.world, Site(Address(site.url)), [key])
    assert _ids(site.files["import.xml"], ".//{*}Товар/{*}Ид") == [key]
    marks = [etree.fromstring(data[3:]).find("*[@СодержитТолькоИзменения]") for data in site.files.values()]
    assert [None if mark is None else mark.get("СодержитТолькоИзменения") for mark in marks] == ["true", "true"]


def test_pieces_archive_and_patience(stand: OneCStand) -> None:
    """Files come in pieces of the limit, in an archive where the site wants it, and progress is asked again."""
    with FakeSite(Behaviour(limit=1000, progress=3)) as plain, FakeSite(Behaviour(zipped=True, limit=5000)) as zipped:
        report = send_catalog(stand.world, Site(Address(plain.url)))
        send_catalog(stand.world, Site(Address(zipped.url)))
        assert max(plain.pieces) == 1000
        assert (report.progress, plain.asked["import"]) == (3, 5)
        assert [*zipped.raw] == ["v8_exchange.zip"]
        assert max(zipped.pieces) <= 5000
        assert zipped.files == plain.files


def test_version_three(stand: OneCStand) -> None:
    """A site of version 3 gets a file for each kind, the session in the address, and a word at the end."""
    with FakeSite(Behaviour(version="3.1", sessid="s1", limit=0)) as site:
        report = send_catalog(stand.world, Site(Address(site.url)))
        assert report.sent == ["import.xml", "goods.xml", "offers.xml", "prices.xml", "rests.xml"]
        assert site.calls[-1][1]["mode"] == "complete"
        assert [query.get("sessid") for _, query, _ in site.calls] == [None] + ["s1"] * (len(site.calls) - 1)
        roots = [etree.fromstring(data[3:]) for data in site.files.values()]
        assert {(root.tag.partition("}")[0], root.get("ВерсияСхемы")) for root in roots} == {
            ("{urn:1C.ru:commerceml_3", "3.1")
        }
        assert _ids(site.files["rests.xml"], ".//{*}Остаток/{*}Склад/{*}Количество")
        exchange_orders(stand.world, Site(Address(site.url)))
        assert _ids(site.files["orders.xml"], "{*}Контейнер/{*}Документ/{*}Ид") == ["site-20"]


def test_orders_both_ways(stand: OneCStand, site: FakeSite) -> None:
    """Orders are written, confirmed, and told back with their numbers; what the base lacks is created."""
    item = site.behaves.item = min(_goods(stand))
    report = exchange_orders(stand.world, Site(Address(site.url)))
    modes = [query["mode"] for _, query, _ in site.calls]
    assert modes == ["checkauth", "init", "query", "success", "file", "import"]
    order = stand.world.get(ORDERS, report.orders[0])
    assert order is not None
    assert (order["Date"], order["СуммаДокумента"], order["Posted"]) == ("2026-11-14T15:40:40", 9683.42, True)
    assert [row["Номенклатура_Key"] for row in order["Товары"]] == [item, derived_guid("site ORDER_DELIVERY")]
    buyer = stand.world.get("Catalog_Контрагенты", order["Контрагент_Key"])
    assert buyer is not None
    assert buyer["Description"] == "Пётр Петров"
    told = etree.fromstring(site.files["orders.xml"][3:])
    values = {v.findtext("{*}Наименование"): v.findtext("{*}Значение") for v in told.iter("{*}ЗначениеРеквизита")}
    assert (values["Номер по 1С"], values["Проведен"], values["Отменен"]) == (order["Number"], "true", "false")


def test_orders_that_come_again_are_the_same(stand: OneCStand, site: FakeSite) -> None:
    """A site that did not hear success sends its orders again: no second document; a marked one is cancelled."""
    site.behaves.answers["success"] = b"failure\nno"
    with pytest.raises(Failed, match="success: failure"):
        exchange_orders(stand.world, Site(Address(site.url)))
    count = len(stand.world.tables[ORDERS])
    del site.behaves.answers["success"]
    key = exchange_orders(stand.world, Site(Address(site.url))).orders[0]
    assert len(stand.world.tables[ORDERS]) == count
    stand.world.edit(ORDERS, key, {"DeletionMark": True})
    site.raw.clear()
    exchange_orders(stand.world, Site(Address(site.url)))
    assert "<Наименование>Отменен</Наименование><Значение>true" in site.files["orders.xml"].decode()


@pytest.mark.parametrize("name", ["unf", "bp"])
def test_other_configurations(name: str, site: FakeSite) -> None:
    """УНФ and БП send their catalogue too, and take a site's order as the document they have for it."""
    world = build(2, clients=10, products=15, orders=20, configuration=name)
    send_catalog(world, Site(Address(site.url)))
    assert _ids(site.files["offers.xml"], ".//{*}ЦенаЗаЕдиницу")
    report = exchange_orders(world, Site(Address(site.url)))
    order = world.get(orders.order_set(world), report.orders[0])
    assert order is not None
    assert order["СуммаДокумента"] == 9683.42


@pytest.mark.parametrize(
    ("mode", "answer", "text"),
    [
        ("checkauth", b"failure\nwrong password", "wrong password"),
        ("checkauth", b"success", "checkauth: success"),
        ("init", b"<html>", "init"),
        ("file", "failure\nНет места".encode("cp1251"), "Нет места"),
        ("import", b"failure\nbad file", "bad file"),
        ("import", b"", "import.xml: $"),
        ("import", b"progress", "without end"),
    ],
)
def test_a_site_that_refuses(stand: OneCStand, site: FakeSite, mode: str, answer: bytes, text: str) -> None:
    """Failure with its text, answers that mean nothing, and progress without end stop the session."""
    site.behaves.answers[mode] = answer
    with pytest.raises(Failed, match=text):
        send_catalog(stand.world, Site(Address(site.url)))
    assert site.asked["import"] <= PATIENCE


@pytest.mark.parametrize("answer", [b"failure\nno", b"<broken", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"])
def test_orders_that_cannot_be_read(stand: OneCStand, site: FakeSite, answer: bytes) -> None:
    """A refusal, broken XML and XML with a DTD are not taken, and the site is not told success."""
    site.behaves.answers["query"] = answer
    with pytest.raises(Failed):
        exchange_orders(stand.world, Site(Address(site.url)))
    assert site.asked["success"] == 0


@pytest.mark.parametrize(
    "url", ["http://example.org/1c", "https://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.2/"]
)
def test_only_the_loopback_is_called(url: str) -> None:
    """The stand calls no site of another machine."""
    with pytest.raises(ValueError, match="loopback"):
        Address(url)


def test_by_control(stand: OneCStand, own: Client, site: FakeSite) -> None:
    """Another process starts a session by the control address; a site that is not there is a sentence."""

    def ask(**fields: Any) -> tuple[int, Any]:
        answer = own.send("POST", "/_stand/site", json.dumps(fields).encode())
        return answer.status, answer.json

    status, found = ask(url=site.url, do="catalog")
    assert (status, found["sent"]) == (200, ["import.xml", "offers.xml"])
    assert len(ask(url=site.url, do="orders")[1]["orders"]) == 1
    assert ask(url="http://127.0.0.1:9/", do="catalog")[0] == 400
    assert "loopback" in ask(url="http://example.org/", do="catalog")[1]["error"]
    assert "catalog or orders" in ask(url=site.url, do="x")[1]["error"]


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no recorded documents of CommerceML")
def test_documents_have_the_recorded_shape(stand: OneCStand, site: FakeSite) -> None:
    """Every element we write stands under the same parent in a recorded import or offers; recorded orders are read."""
    send_catalog(stand.world, Site(Address(site.url)))
    for name in ("import.xml", "offers.xml"):
        recorded = _pairs(etree.parse(DATA / name).getroot())
        assert _pairs(etree.fromstring(site.files[name][3:])) - recorded == set(), name
    keys = orders.load(stand.world, (DATA / "orders.xml").read_bytes())
    order = stand.world.get(ORDERS, keys[0])
    assert order is not None
    assert (order["СуммаДокумента"], len(order["Товары"])) == (9683.42, 2)


def _pairs(root: etree._Element) -> set[tuple[str, str]]:
    return {
        (etree.QName(parent).localname, etree.QName(item).localname)
        for item in root.iter("{*}*")
        if (parent := item.getparent()) is not None
    }
