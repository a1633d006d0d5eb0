"""Golden scenarios 19, 20 and 21: kopecks and VAT, a pack of twelve, other zones and 1C's empty date, over HTTP."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from hub.exchange.pauses import pause, resume
from hub.model.settings import PolicySettings
from hub.store import core, tables
from stand.onec.server import OneCStand
from tests.exchange.two.systems import ORDERS
from tests.golden.wire import MAKES, Wire, make_wire
from tests.golden.world import Builder

UNITS, RATES, PRODUCTS = "Catalog_УпаковкиЕдиницыИзмерения", "Catalog_СтавкиНДС", "Catalog_Номенклатура"
NO_DATE = "0001-01-01T00:00:00"


def key_of(stand: OneCStand, stream: str, name: str) -> str:
    """Key of a record of УТ by its name."""
    return str(next(one["Ref_Key"] for one in stand.world.records(stream) if one["Description"] == name))


def row(stand: OneCStand, number: int, **fields: Any) -> dict[str, Any]:
    """A line of an order of УТ."""
    product = stand.world.records(PRODUCTS)[-1]["Ref_Key"]
    return {"LineNumber": str(number), "Номенклатура_Key": product, "КодСтроки": str(number), **fields}


def test_19_kopecks_and_vat_rates_are_exact(wire: Wire, stand: OneCStand) -> None:
    """Lines at 20 %, 10 % and without VAT with awkward kopecks: to the kopeck here, and an edit beside leaves them."""
    order = stand.world.records(ORDERS)[-1]["Ref_Key"]
    rates = [key_of(stand, RATES, name) for name in ("20%", "10%", "Без НДС")]
    sums = [("33.33", 3, "99.99", "16.67"), ("0.07", 1, "0.07", "0.01"), ("1234567.89", 1, "1234567.89", "0")]
    rows = [
        row(stand, at, Цена=float(price), Количество=qty, КоличествоУпаковок=qty, Сумма=float(total),
            СуммаСНДС=float(total), СуммаНДС=float(vat), СтавкаНДС_Key=rate)
        for at, ((price, qty, total, vat), rate) in enumerate(zip(sums, rates, strict=True), 1)
    ]  # fmt: skip
    stand.world.edit(ORDERS, order, {"Товары": rows, "СуммаДокумента": 1234667.95})
    wire.night()
    lines = wire.golden_lines(order)
    assert [(one["price"], one["amount"], one["vat_amount"]) for one in lines] == [
        (Decimal(price), Decimal(total), Decimal(vat)) for price, _, total, vat in sums
    ]
    assert wire.world.golden("ut", order, "sales_order", ORDERS)["total"] == Decimal("1234667.95")
    with wire.world.store.read() as conn:
        rate = tables.ROOTS["vat_rate"]
        of = {wire.world.record("ut", key, RATES): key for key in rates}
        kinds = {one.id: one.percent for one in conn.execute(select(rate).where(rate.c.id.in_(of)))}
    assert [kinds[wire.world.record("ut", key, RATES)] for key in rates] == [Decimal(20), Decimal(10), None]
    wire.quiet()


def test_19_kopecks_of_an_order_of_sales_arrive_as_they_are(wire: Wire) -> None:
    """Three for 33.33, then seven: УТ shows these very numbers, and what УТ shows comes back as the same order."""
    key = wire.order()
    wire.night()
    (line,) = wire.lines(wire.orders()[0])
    assert (line["Цена"], line["Количество"], line["СуммаСНДС"]) == (33.33, 3, 99.99)
    wire.edit_line(key, qty="7", amount="233.31")
    wire.edit(key, total="233.31")
    wire.night()
    (line,) = wire.lines(wire.orders()[0])
    assert (line["Цена"], line["Количество"], line["СуммаСНДС"]) == (33.33, 7, 233.31)
    assert wire.orders()[0]["СуммаДокумента"] == 233.31
    wire.quiet()
    assert wire.crm.sql("SELECT price, qty, amount FROM order_lines") == [(33.33, 7, 233.31)]


def test_20_a_pack_of_twelve_stays_a_pack_of_twelve(stand: OneCStand, build_world: Builder) -> None:
    """Trade sells five packs of twelve; sales, which knows no packs, makes it six: six packs, 72 pieces in УТ."""
    latest = {"sales_order_line": PolicySettings("latest", group="")}
    routes = {"ut.sales_order": MAKES["ut.sales_order"].__class__(
        "ut.sales_order", write="all", create="always", create_in="sales_order", policies=latest)}  # fmt: skip
    wire = make_wire(stand, build_world, routes)
    key = wire.order(price="120.00", qty="5", amount="600.00")
    wire.night()
    made = wire.orders()[0]
    (line,) = wire.lines(made)
    piece = stand.world.get(UNITS, key_of(stand, UNITS, "упак (10 шт)"))
    assert piece is not None
    pack = str(uuid.uuid4())
    stand.world.add(UNITS, {**piece, "Ref_Key": pack, "Description": "упак (12 шт)", "Числитель": 12,
                            "Owner": line["Номенклатура_Key"]})  # fmt: skip
    stand.world.edit(ORDERS, made["Ref_Key"], {"Товары": [
        {**line, "Упаковка_Key": pack, "КоличествоУпаковок": 5, "Количество": 60}]})  # fmt: skip
    wire.night()
    (golden,) = wire.golden_lines(made["Ref_Key"])
    assert (golden["qty"], golden["price"], golden["amount"]) == (Decimal(5), Decimal(120), Decimal(600))
    assert golden["unit_link_id"] is not None
    assert wire.crm.sql("SELECT qty, price, amount FROM order_lines") == [(5, 120, 600)]
    wire.edit_line(key, qty="6", amount="720.00")
    wire.night()
    (line,) = wire.lines(wire.orders()[0])
    assert (line["Упаковка_Key"], line["КоличествоУпаковок"], line["Количество"]) == (pack, 6, 72)
    assert (line["Цена"], line["СуммаСНДС"]) == (120, 720)
    wire.quiet()


def test_20_an_order_in_packs_is_made_in_packs(stand: OneCStand, build_world: Builder) -> None:
    """Five packs of ten of an order that УТ has not seen, as another base would tell them: УТ moves fifty pieces."""
    wire = make_wire(stand, build_world)
    wire.night()
    pause(wire.world.hub, "ut.sales_order", "проверка", "админ", until=None, direction="push")
    wire.order(price="120.00", qty="5", amount="600.00")
    wire.night()
    assert wire.orders() == []
    lines, link, pack = tables.CHILDREN["sales_order_line"], core.link, key_of(stand, UNITS, "упак (10 шт)")
    with wire.world.store.begin() as conn:
        found = select(link.c.id).where(link.c.external_id == pack).scalar_subquery()
        conn.execute(update(lines).where(lines.c.price == 120).values(unit_link_id=found))
    resume(wire.world.hub, "ut.sales_order", direction="push")
    wire.night()
    (line,) = wire.lines(wire.orders()[0])
    assert (line["Упаковка_Key"], line["КоличествоУпаковок"], line["Количество"]) == (pack, 5, 50)
    wire.quiet()


def test_21_zones_shift_the_clock_and_not_the_moment(stand: OneCStand, build_world: Builder) -> None:
    """Half past one in Yekaterinburg is half past eleven the day before in Moscow, there and back."""
    wire = make_wire(stand, build_world, zone="Asia/Yekaterinburg")
    key = wire.order(at="2026-11-02 01:30:00")
    wire.night()
    made = wire.orders()[0]
    assert made["Date"] == "2026-11-01T23:30:00"
    assert str(wire.world.golden("ut", made["Ref_Key"], "sales_order", ORDERS)["date"])[:19] == "2026-11-01 20:30:00"
    wire.quiet()
    assert wire.crm.sql("SELECT ordered_at FROM orders WHERE id = ?", key)[0][0][:19] == "2026-11-02 01:30:00"


def test_21_an_empty_date_is_no_date(wire: Wire, stand: OneCStand) -> None:
    """1C's 0001-01-01 is nothing here and there; a day that sales sets stands in УТ, year one is written nowhere."""
    key = wire.order()
    wire.night()
    made = wire.orders()[0]
    stand.world.edit(ORDERS, made["Ref_Key"], {"ДатаОтгрузки": NO_DATE})
    wire.night()
    assert wire.world.golden("ut", made["Ref_Key"], "sales_order", ORDERS)["requested_on"] is None
    assert wire.crm.sql("SELECT ship_at FROM orders WHERE id = ?", key) == [(None,)]
    wire.edit(key, ship_at="2026-11-20 00:00:00")
    wire.night()
    assert wire.orders()[0]["ДатаОтгрузки"] == "2026-11-20T00:00:00"
    wire.quiet()
    assert "0001" not in str(wire.crm.sql("SELECT * FROM orders"))
