"""The made-up base: the same for the same seed, consistent to the kopeck, with the flaws it is meant to have."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest

from stand.onec.generate.build import TODAY, build
from stand.onec.generate.identifiers import inn_is_right
from stand.onec.generate.lines import vat_of
from stand.onec.jsonout import dump
from stand.onec.model import EMPTY_REF, MODEL, Kind
from stand.onec.projection import project
from stand.onec.query import Reader
from stand.onec.world import Record, World, next_version, rows_of

ORDERS, PARTIES = "Document_ЗаказКлиента", "Catalog_Контрагенты"
SHIPMENTS, INVOICES = "Document_РеализацияТоваровУслуг", "Document_СчетНаОплатуКлиенту"
PAYMENTS = ("Document_ПоступлениеБезналичныхДенежныхСредств", "Document_ПриходныйКассовыйОрдер")


@pytest.fixture(scope="module")
def world() -> World:
    """A base big enough for every flaw to occur."""
    return build(7, clients=900, products=400, orders=2500)


def _digest(world: World) -> str:
    """A hash of everything that can be read."""
    reader, total = Reader(world), sha256()
    for item in MODEL.sets.values():
        fields = project(item, ())
        for record in reader.source(item):
            total.update(dump(fields.plain(record)))
    return total.hexdigest()


def _kopecks(value: float) -> int:
    return round(value * 100)


def test_a_seed_means_one_base() -> None:
    """Equal arguments give equal bases byte for byte; another seed another base."""
    sizes: dict[str, Any] = {"clients": 15, "products": 20, "orders": 30}
    assert _digest(build(5, **sizes)) == _digest(build(5, **sizes))
    assert _digest(build(5, **sizes)) != _digest(build(6, **sizes))


@pytest.mark.slow
def test_default_base_has_the_promised_size() -> None:
    """3,000 clients, 2,000 products, 20,000 orders; every kind of document and register has content."""
    world = build()
    assert len(world.tables["Catalog_Партнеры"]) >= 3000
    assert len(world.tables[PARTIES]) >= 3000
    assert sum(not r.get("IsFolder") for r in world.tables["Catalog_Номенклатура"]) == 2000
    assert len(world.tables[ORDERS]) == 20000
    for name in (INVOICES, SHIPMENTS, *PAYMENTS, "Catalog_КонтактныеЛицаПартнеров", "Catalog_ДоговорыКонтрагентов"):
        assert len(world.tables[name]) > 1000, name


def test_orders_add_up(world: World) -> None:
    """Amount = price × packs − discount, VAT by the rate, total = lines that are not cancelled: all to the kopeck."""
    rates = {r["Ref_Key"]: r["Ставка"] for r in world.records("Catalog_СтавкиНДС")}
    for order in world.records(ORDERS):
        total = 0
        for row in rows_of(order["Товары"]):
            gross = (_kopecks(row["Цена"]) * round(row["КоличествоУпаковок"] * 1000) + 500) // 1000
            assert _kopecks(row["Сумма"]) == gross - _kopecks(row.get("СуммаРучнойСкидки", 0))
            included = order["ЦенаВключаетНДС"]
            vat = vat_of(_kopecks(row["Сумма"]), rates[row["СтавкаНДС_Key"]], included=included)
            assert _kopecks(row["СуммаНДС"]) == vat
            added = 0 if included else vat
            assert _kopecks(row["СуммаСНДС"]) == _kopecks(row["Сумма"]) + added
            total += 0 if row.get("Отменено") else _kopecks(row["СуммаСНДС"])
        assert _kopecks(order["СуммаДокумента"]) == total
        stages = rows_of(order.get("ЭтапыГрафикаОплаты"))
        assert not stages or sum(_kopecks(s["СуммаПлатежа"]) for s in stages) == total
        assert 1 <= len(rows_of(order["Товары"])) <= 8


def test_vat_is_rounded_half_up() -> None:
    """Two amounts of a recorded order (20 000.00 and 5 000.00 with 20 % inside), halves up, VAT on top."""
    assert [vat_of(2_000_000, 20, included=True), vat_of(500_000, 20, included=True)] == [333_333, 83_333]
    assert [vat_of(3, 20, included=True), vat_of(100, 20, included=True)] == [1, 17]
    assert [vat_of(125, 10, included=False), vat_of(124, 10, included=False)] == [13, 12]


def test_following_documents_add_up(world: World) -> None:
    """A shipment is its lines, an invoice its order, a payment its allocations; none ships more than was ordered."""
    ordered = {o["Ref_Key"]: o for o in world.records(ORDERS)}
    shipped: Counter[tuple[str, str]] = Counter()
    for shipment in world.records(SHIPMENTS):
        rows = rows_of(shipment["Товары"])
        assert _kopecks(shipment["СуммаДокумента"]) == sum(_kopecks(r["СуммаСНДС"]) for r in rows)
        assert shipment["Date"] > ordered[shipment["ЗаказКлиента"]]["Date"]
        for row in rows:
            shipped[row["ЗаказКлиента"], row["КодСтроки"]] += 1
    assert max(shipped.values()) == 1
    for invoice in world.records(INVOICES):
        assert invoice["СуммаДокумента"] == ordered[invoice["ДокументОснование"]]["СуммаДокумента"]
    for name in PAYMENTS:
        for payment in world.records(name):
            rows = rows_of(payment["РасшифровкаПлатежа"])
            assert _kopecks(payment["СуммаДокумента"]) == sum(_kopecks(r["Сумма"]) for r in rows)
            assert all(ordered[r["Заказ"]]["Контрагент_Key"] == payment["Контрагент_Key"] for r in rows)


def test_payments_never_exceed_orders(world: World) -> None:
    """All that is paid for an order is at most its total, and some orders are paid exactly."""
    paid: Counter[str] = Counter()
    for name in PAYMENTS:
        for payment in world.records(name):
            for row in rows_of(payment["РасшифровкаПлатежа"]):
                paid[row["Заказ"]] += _kopecks(row["Сумма"])
    totals = {o["Ref_Key"]: _kopecks(o["СуммаДокумента"]) for o in world.records(ORDERS)}
    assert all(amount <= totals[order] for order, amount in paid.items())
    assert sum(amount == totals[order] for order, amount in paid.items()) > 100


def test_references_lead_somewhere(world: World) -> None:
    """Every filled reference to a published set finds its record."""
    for name, table in world.tables.items():
        shape = world.model.sets[name].shape
        for record in table:
            for prop in shape.props:
                if prop.kind is Kind.REF and record.get(prop.name, EMPTY_REF) != EMPTY_REF:
                    assert world.get(prop.targets[0], record[prop.name]) is not None, (name, prop.name)


def test_documents_lie_within_two_years(world: World) -> None:
    """No document is dated after today or more than two years before; numbers start anew with each year."""
    dates = [date.fromisoformat(r["Date"][:10]) for name in (ORDERS, SHIPMENTS, INVOICES) for r in world.records(name)]
    assert TODAY - timedelta(days=731) <= min(dates)
    assert max(dates) <= TODAY
    numbers = Counter(r["Number"] for r in world.records(ORDERS))
    assert max(numbers.values()) > 1
    pairs = Counter((r["Number"], r["Date"][:4]) for r in world.records(ORDERS))
    assert max(pairs.values()) == 1


def test_parties_have_the_flaws_of_real_bases(world: World) -> None:
    """Wrong, padded, short and missing ИНН; ИП with twelve digits; branches; twins; two legal entities of a partner."""
    parties: list[Record] = world.records(PARTIES)
    inns = [p["ИНН"] for p in parties if p.get("ИНН")]
    right = sum(inn_is_right(inn) for inn in inns)
    assert 0.9 < right / len(inns) < 1
    assert any(inn != inn.strip() for inn in inns)
    assert any(not p.get("ИНН") for p in parties)
    traders = [p for p in parties if p["ЮрФизЛицо"] == "ИндивидуальныйПредприниматель" and p.get("ИНН")]
    assert {len(p["ИНН"]) for p in traders} <= {12, 9}
    assert all("КПП" not in p for p in traders)
    branches = [p for p in parties if p.get("ОбособленноеПодразделение")]
    for branch in branches:
        head = world.get(PARTIES, branch["ГоловнойКонтрагент_Key"])
        assert head is not None
        assert head["ИНН"] == branch["ИНН"]
        assert head.get("КПП") != branch["КПП"]
    assert branches
    assert max(Counter(p["Партнер_Key"] for p in parties).values()) == 2
    assert any(p["Ref_Key"] == p["Партнер_Key"] for p in parties)
    twins = Counter((p["ИНН"], p.get("КПП")) for p in parties if p.get("ИНН"))
    assert max(twins.values()) > 1
    assert any(p.get("DeletionMark") for p in parties)


def test_contact_information_is_messy_but_well_formed(world: World) -> None:
    """Telephones in many spellings; addresses with XML, JSON or both; no address could reach a living person."""
    rows = [row for p in world.records(PARTIES) for row in rows_of(p.get("КонтактнаяИнформация"))]
    phones = [r["Представление"] for r in rows if r["Тип"] == "Телефон"]
    for mark in ("+7 (", "8(", "доб.", ", "):
        assert any(mark in phone for phone in phones), mark
    addresses = [r for r in rows if r["Тип"] == "Адрес"]
    stored = Counter((bool(r["ЗначенияПолей"]), bool(r["Значение"])) for r in addresses)
    assert stored.keys() == {(True, False), (True, True), (False, True)}
    mails = [r["АдресЭП"] for r in rows if r["Тип"] == "АдресЭлектроннойПочты"]
    assert mails
    assert all("example" in mail.lower() for mail in mails)
    assert any("@" in mail and mail != mail.strip() for mail in mails)


def test_folders_marks_and_unposted_documents_occur(world: World) -> None:
    """Folders among items, predefined records, marked and unposted documents, services, characteristics, packs."""
    goods = world.records("Catalog_Номенклатура")
    assert sum(bool(r.get("IsFolder")) for r in goods) > 5
    assert any(r.get("ТипНоменклатуры") == "Услуга" for r in goods)
    assert len(world.tables["Catalog_ХарактеристикиНоменклатуры"]) > 20
    assert any(r.get("Predefined") for r in world.records("Catalog_Партнеры"))
    for name in (ORDERS, SHIPMENTS, INVOICES):
        assert any(r.get("DeletionMark") and not r["Posted"] for r in world.records(name)), name
        assert any(not r.get("DeletionMark") and not r["Posted"] for r in world.records(name)), name
    rates = {r["Ref_Key"]: r["Description"] for r in world.records("Catalog_СтавкиНДС")}
    used = {rates[row["СтавкаНДС_Key"]] for o in world.records(ORDERS) for row in rows_of(o["Товары"])}
    assert used >= {"20%", "22%", "10%"}


def test_edit_bumps_the_version_and_checks_names(world: World) -> None:
    """An edit changes one record and its DataVersion; a field the set lacks is refused; rows are numbered."""
    own = build(3, clients=5, products=10, orders=5)
    key = str(own.records(ORDERS)[0]["Ref_Key"])
    before = own.records(ORDERS)[0]["DataVersion"]
    record = own.edit(ORDERS, key, {"Комментарий": "новый", "ЭтапыГрафикаОплаты": [{"СуммаПлатежа": 1}]})
    assert record["DataVersion"] == next_version(before)
    assert record["ЭтапыГрафикаОплаты"] == [{"LineNumber": "1", "СуммаПлатежа": 1}]
    with pytest.raises(ValueError, match="Нет"):
        own.edit(ORDERS, key, {"Нет": 1})
    with pytest.raises(KeyError):
        own.edit(ORDERS, "нет такого", {})
    assert next_version("AAAAAAAAAAE=") == "AAAAAAAAAAI="
