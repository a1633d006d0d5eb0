"""Movements of УТ's documents: orders, stock on hand and free, settlements with clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stand.onec.model import EMPTY_REF
from stand.onec.movements import Made, Posting, movement
from stand.onec.world import FIRST_VERSION, Record, Rows, World, derived_guid, rows_of, type_name

ORDERS = "AccumulationRegister_ЗаказыКлиентов"
STOCK = "AccumulationRegister_ТоварыНаСкладах"
FREE = "AccumulationRegister_СвободныеОстатки"
SETTLEMENTS = "AccumulationRegister_РасчетыСКлиентами"
ORDER = "Document_ЗаказКлиента"
SHIPMENT = "Document_РеализацияТоваровУслуг"
BANK = "Document_ПоступлениеБезналичныхДенежныхСредств"
CASH = "Document_ПриходныйКассовыйОрдер"
_ANALYTICS = ("Партнер_Key", "Контрагент_Key", "Договор_Key", "Организация_Key")


def analytics_key(document: Record) -> str:
    """The guid of the settlements key of a document's partner, counterparty, contract and organisation."""
    parts = [str(document.get(name, EMPTY_REF)) for name in _ANALYTICS]
    return derived_guid("".join(parts))


def analytics_record(world: World, document: Record) -> Record:
    """The catalogue record of that key."""
    partner = world.get("Catalog_Партнеры", str(document.get("Партнер_Key", EMPTY_REF))) or {}
    contract = document.get("Договор_Key", EMPTY_REF)
    known = {"Договор": contract, "Договор_Type": type_name("Catalog_ДоговорыКонтрагентов")}
    return {
        "Ref_Key": analytics_key(document),
        "DataVersion": FIRST_VERSION,
        "Description": str(partner.get("Description", "")),
        "Партнер_Key": document.get("Партнер_Key", EMPTY_REF),
        "Организация_Key": document.get("Организация_Key", EMPTY_REF),
        "Контрагент": document.get("Контрагент_Key", EMPTY_REF),
        "Контрагент_Type": type_name("Catalog_Контрагенты"),
        **(known if contract != EMPTY_REF else {}),
    }


def _goods(world: World, document: Record) -> Iterator[tuple[int, Record]]:
    """Numbered rows of goods that stand in stock: no services, no cancelled lines."""
    number = 0
    for row in rows_of(document.get("Товары")):
        product = world.get("Catalog_Номенклатура", row.get("Номенклатура_Key", EMPTY_REF)) or {}
        if product.get("ТипНоменклатуры") != "Услуга" and not row.get("Отменено"):
            number += 1
            yield number, row


def _stock_row(document: Record, number: int, kind: str, row: Record, **resources: Any) -> Record:
    where = row.get("Склад_Key") or document.get("Склад_Key", EMPTY_REF)
    return movement(
        document, number, kind, Номенклатура_Key=row.get("Номенклатура_Key", EMPTY_REF),
        Характеристика_Key=row.get("Характеристика_Key", EMPTY_REF), Склад_Key=where, **resources,
    )  # fmt: skip


def _order_rows(world: World, document: Record, order: str, kind: str) -> Rows:
    return [
        _stock_row(
            document, number, kind, row, ЗаказКлиента=order, ЗаказКлиента_Type=type_name(ORDER),
            КодСтроки=row.get("КодСтроки", ""), Заказано=row.get("Количество", 0), Сумма=row.get("СуммаСНДС", 0),
        )
        for number, row in _goods(world, document)
    ]  # fmt: skip


def _reserving(order: Record | None) -> bool:
    return order is not None and order.get("Статус") == "КОтгрузке" and bool(order.get("Posted"))


def _free_rows(world: World, document: Record) -> Rows:
    order = world.get(ORDER, str(document.get("ЗаказКлиента", "")))
    reserved = _reserving(order)
    rows = []
    for number, row in _goods(world, document):
        qty = row.get("Количество", 0)
        reserve = {"ВРезервеСоСклада": qty} if reserved else {}
        rows.append(_stock_row(document, number, "Expense", row, ВНаличии=qty, **reserve))
    return rows


def _settlement_rows(document: Record, kind: str) -> Rows:
    amount, rub = document.get("СуммаДокумента", 0), document.get("Валюта_Key", EMPTY_REF)
    return [
        movement(
            document,
            1,
            kind,
            АналитикаУчетаПоПартнерам_Key=analytics_key(document),
            Валюта_Key=rub,
            Сумма=amount,
            СуммаРегл=amount,
            **{name: document.get(name, EMPTY_REF) for name in _ANALYTICS},
        )
    ]


def _order(world: World, document: Record) -> Made:
    found: Made = {ORDERS: lambda: _order_rows(world, document, document["Ref_Key"], "Receipt")}
    if _reserving(document):
        found[FREE] = lambda: [
            _stock_row(document, number, "Receipt", row, ВРезервеСоСклада=row.get("Количество", 0))
            for number, row in _goods(world, document)
        ]
    return found


def _shipment(world: World, document: Record) -> Made:
    return {
        STOCK: lambda: [
            _stock_row(document, number, "Expense", row, ВНаличии=row.get("Количество", 0))
            for number, row in _goods(world, document)
        ],
        FREE: lambda: _free_rows(world, document),
        ORDERS: lambda: _order_rows(world, document, str(document.get("ЗаказКлиента", "")), "Expense"),
        SETTLEMENTS: lambda: _settlement_rows(document, "Receipt"),
    }


def _payment(_world: World, document: Record) -> Made:
    return {SETTLEMENTS: lambda: _settlement_rows(document, "Expense")}


POSTINGS: dict[str, Posting] = {ORDER: _order, SHIPMENT: _shipment, BANK: _payment, CASH: _payment}
