"""Other people's clients of 1C, as they are on the package index, do their work against the stand unchanged.

What a client needs and the stand lacked was mended in the stand. Each test is the round that the client was made for:
read, filter, create, change, post, look at the result (``enterprise-1c-odata`` only reads).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

import enterprise_1c_odata as enterprise
import odata1cw.catalog
import odata1cw.core
import odata1cw.document
import odata1cw.informationregister
import pytest
import python_1c_odata as python_1c

from stand.onec.generate.build import build
from stand.onec.server import OneCStand

USER, PASSWORD = "Обмен", "пароль"
PARTIES, ORDERS = "Контрагенты", "ЗаказКлиента"
DAY = "2026-11-20T10:00:00"


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """A small base with a Cyrillic login."""
    with OneCStand(build(2, clients=20, products=30, orders=60), user=USER, password=PASSWORD) as own:
        yield own


def _server(stand: OneCStand) -> tuple[str, str]:
    """The address as these clients want it: the server, and the name of the publication."""
    return stand.address, stand.publication


def _lines(stand: OneCStand) -> list[dict[str, Any]]:
    goods = [r["Ref_Key"] for r in stand.world.records("Catalog_Номенклатура") if not r.get("IsFolder")]
    return [
        {"LineNumber": str(n), "Номенклатура_Key": goods[n], "Количество": n, "Цена": 10, "Сумма": 10 * n}
        for n in (1, 2, 3)
    ]


def _shipments(stand: OneCStand, key: str) -> list[dict[str, Any]]:
    """Movements of the order that a client has posted."""
    rows = stand.engine.reader.source(stand.world.model.sets["AccumulationRegister_ЗаказыКлиентов_RecordType"])
    return [row for row in rows if row["Recorder"] == key]


def _with(stand: OneCStand, work: Callable[[python_1c.Infobase], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with python_1c.Infobase(*_server(stand), USER, PASSWORD, **options) as base:
            await work(base)

    asyncio.run(run())


def test_python_1c_odata_reads(stand: OneCStand) -> None:
    """Metadata, pages, a filter of its builder, $inlinecount, presentations, one record, balances and slices."""

    async def work(base: python_1c.Infobase) -> None:
        assert set(await base.entity_sets()) == set(stand.world.model.sets)
        assert (await base.entity_type_for_set("Catalog_Контрагенты")).keys
        parties = python_1c.Catalog(base, PARTIES)
        keys = [row["Ref_Key"] async for row in parties.iterate(page_size=7, select="Ref_Key", orderby="Ref_Key")]
        assert sorted(keys) == sorted(r["Ref_Key"] for r in stand.world.records("Catalog_Контрагенты"))
        assert await parties.count() == len(keys)
        one = await parties.get(keys[3])
        page = await parties.query(odata_filter=f"ИНН eq '{one['ИНН']}' and DeletionMark eq false", inlinecount=True)
        assert one["Ref_Key"] in [row["Ref_Key"] for row in page.value]
        assert page.count == len(page.value)
        shown = await parties.query(top=1, select="Партнер_Key", presentations=True)
        assert any(name.endswith("____Presentation") for name in shown.value[0])
        balance = await python_1c.AccumulationRegister(base, "ТоварыНаСкладах").balance()
        assert "ВНаличииBalance" in balance["value"][0]
        prices = await python_1c.InformationRegister(base, "ЦеныНоменклатуры", record_type=True).slice_last(
            period="2026-11-01T00:00:00"
        )
        assert prices["value"]

    _with(stand, work)


def test_python_1c_odata_writes(stand: OneCStand) -> None:
    """Create, change with If-Match, an order with lines, post, unpost, mark, delete; errors as its own classes."""

    async def work(base: python_1c.Infobase) -> None:
        parties, orders = python_1c.Catalog(base, PARTIES), python_1c.Document(base, ORDERS)
        made = await parties.create({"Description": "Чужой клиент", "ИНН": "7705260674"})
        changed = await parties.edit(made["Ref_Key"], {"КПП": "770501001"}, if_match=made["DataVersion"])
        assert (changed["ИНН"], changed["КПП"]) == ("7705260674", "770501001")
        order = await orders.create({"Date": DAY, "Контрагент_Key": made["Ref_Key"], "Товары": _lines(stand)})
        assert (len(order["Товары"]), order["Posted"], order["СуммаДокумента"]) == (3, False, 60)
        await orders.post(order["Ref_Key"], python_1c.PostingMode.POST)
        assert (await orders.get(order["Ref_Key"]))["Posted"] is True
        assert _shipments(stand, order["Ref_Key"])
        await orders.unpost(order["Ref_Key"])
        assert not _shipments(stand, order["Ref_Key"])
        stand.quirks.refuses = {"Document_ЗаказКлиента": "Заказ согласован!"}
        with pytest.raises(python_1c.ODataError, match="Заказ согласован!"):
            await orders.edit(order["Ref_Key"], {"Комментарий": "а"})
        await orders.edit(order["Ref_Key"], {"Комментарий": "а"}, data_load_mode=True)
        stand.quirks.refuses = {}
        assert await orders.delete(order["Ref_Key"]) is None
        with pytest.raises(python_1c.EntityNotFound):
            await orders.get(order["Ref_Key"])

    _with(stand, work)


def test_python_1c_odata_in_atom(stand: OneCStand) -> None:
    """The same client speaking Atom: feeds, counts, an entry created and changed, an error told."""

    async def work(base: python_1c.Infobase) -> None:
        parties = python_1c.Catalog(base, PARTIES)
        page = await parties.query(top=5, inlinecount=True)
        assert (len(page.value), page.count) == (5, len(stand.world.records("Catalog_Контрагенты")))
        made = await parties.create({"Description": "Из Atom", "DeletionMark": True})
        assert (await parties.edit(made["Ref_Key"], {"ИНН": "7705260674"}))["ИНН"] == "7705260674"
        record = stand.world.get("Catalog_Контрагенты", made["Ref_Key"]) or {}
        assert (record["Description"], record["DeletionMark"]) == ("Из Atom", True)
        with pytest.raises(python_1c.ODataError) as error:
            await parties.query(odata_filter="Нет eq 1")
        assert error.value.internal_code == "6"

    _with(stand, work, format="atom")


def test_python_1c_odata_over_a_poor_line(stand: OneCStand) -> None:
    """A page of HTML with status 200 and one of 500 are errors to it, not data."""

    async def work(base: python_1c.Infobase) -> None:
        parties = python_1c.Catalog(base, PARTIES)
        for fault in ({"html_instead_of_json": True}, {"fail_status": 500}):
            stand.quirks.update({**fault, "times": 1})
            with pytest.raises(python_1c.ODataError):
                await parties.query(top=1)
        assert len((await parties.query(top=1)).value) == 1

    _with(stand, work)


def test_enterprise_1c_odata_reads(stand: OneCStand) -> None:
    """Selected fields, pages, order, expansion; a filter where the web server takes `+` for a blank; a wrong login."""
    client = enterprise.ODataClient(stand.url, USER, PASSWORD)

    def query() -> Any:
        return enterprise.ODataQuery(quote(f"Document_{ORDERS}"))

    found = client.execute(query().select("Ref_Key", "Number", "Контрагент").expand("Контрагент").top(4).skip(2))
    assert found.count == 4
    assert all(set(row) >= {"Ref_Key", "Number", "Контрагент_Key"} for row in found.items)
    assert found.next_link is None
    keys: list[str] = []
    while page := client.execute(query().select("Ref_Key").orderby("Ref_Key").top(25).skip(len(keys))).items:
        keys += [row["Ref_Key"] for row in page]
    assert sorted(keys) == sorted(r["Ref_Key"] for r in stand.world.records(f"Document_{ORDERS}"))
    posted = query().filter("Posted eq true and DeletionMark eq false").orderby("Date desc").select("Date")
    stand.quirks.plus_is_blank = True
    dates = [row["Date"] for row in client.execute(posted).items]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == sum(bool(r["Posted"]) for r in stand.world.records(f"Document_{ORDERS}"))
    with pytest.raises(enterprise.ODataAuthError):
        enterprise.ODataClient(stand.url, USER, "не тот").execute(query())


def test_odata1cw_does_its_round(stand: OneCStand) -> None:
    """Query with a filter, get, create, edit; an order created, posted, read back, unposted; a slice of prices."""
    server, name = _server(stand)
    # It hands the words to requests, whose basic authentication knows Latin letters only unless it is given bytes.
    base = odata1cw.core.Infobase(f"{server}/", name, USER.encode(), PASSWORD.encode())
    parties, orders = odata1cw.catalog.Catalog(base, PARTIES), odata1cw.document.Document(base, ORDERS)
    first = parties.query(top=1)[0]
    assert [r["Ref_Key"] for r in parties.query(odata_filter=f"Ref_Key eq guid'{first['Ref_Key']}'")] == [
        first["Ref_Key"]
    ]
    made = parties.create({"Description": "Ещё один"})
    assert parties.edit(made["Ref_Key"], {"ИНН": "7705260674"})["ИНН"] == "7705260674"
    assert parties.get(made["Ref_Key"], select="Description")["Description"] == "Ещё один"
    order = orders.create({"Date": DAY, "Контрагент_Key": made["Ref_Key"], "Товары": _lines(stand)}, "POST")
    assert orders.get(order["Ref_Key"])["Posted"] is True
    assert len(_shipments(stand, order["Ref_Key"])) > 0
    orders.unpost(order["Ref_Key"])
    assert not _shipments(stand, order["Ref_Key"])
    assert orders.edit(order["Ref_Key"], {"Комментарий": "а"})["Комментарий"] == "а"
    register = odata1cw.informationregister.InformationRegister(base, "КурсыВалют")
    assert register.slice_last(period="Period=datetime'2026-11-01T00:00:00'", condition="Condition='Курс gt 1'")
