"""What documents do to registers when they are posted.

Movements are computed from the documents each time they are asked for, unless a document was changed without being
posted anew (PATCH through OData): then ``World.frozen`` keeps the movements it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stand.onec.model import EMPTY_REF
from stand.onec.world import FIRST_VERSION, Record, Rows, World, rows_of, type_name

ORDERS = "AccumulationRegister_ЗаказыКлиентов"
STOCK = "AccumulationRegister_ТоварыНаСкладах"
FREE = "AccumulationRegister_СвободныеОстатки"
SETTLEMENTS = "AccumulationRegister_РасчетыСКлиентами"
ORDER = "Document_ЗаказКлиента"
SHIPMENT = "Document_РеализацияТоваровУслуг"
BANK = "Document_ПоступлениеБезналичныхДенежныхСредств"
CASH = "Document_ПриходныйКассовыйОрдер"
_ANALYTICS = ("Партнер_Key", "Контрагент_Key", "Договор_Key", "Организация_Key")


class Movement(NamedTuple):
    """The record set of one recorder in one register."""

    recorder_type: str
    recorder: str
    date: str
    rows: Callable[[], Rows]


def analytics_key(document: Record) -> str:
    """The guid of the settlements key of a document's partner, counterparty, contract and organisation."""
    parts = [str(document.get(name, EMPTY_REF)) for name in _ANALYTICS]
    text = hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-11ec-8{text[13:16]}-0050{text[16:24]}"


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


def _row(document: Record, number: int, kind: str, **fields: Any) -> Record:
    head = {"Period": document.get("Date", ""), "LineNumber": str(number), "Active": True, "RecordType": kind}
    return head | {name: value for name, value in fields.items() if value not in (0, EMPTY_REF, "")}


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
    return _row(
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
        _row(
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


def of_document(world: World, name: str, document: Record) -> dict[str, Callable[[], Rows]]:
    """Register → rows that posting this document makes; empty for a document that is not posted."""
    if not document.get("Posted"):
        return {}
    if name == ORDER:
        found = {ORDERS: lambda: _order_rows(world, document, document["Ref_Key"], "Receipt")}
        if _reserving(document):
            found[FREE] = lambda: [
                _stock_row(document, number, "Receipt", row, ВРезервеСоСклада=row.get("Количество", 0))
                for number, row in _goods(world, document)
            ]
        return found
    if name == SHIPMENT:
        return {
            STOCK: lambda: [
                _stock_row(document, number, "Expense", row, ВНаличии=row.get("Количество", 0))
                for number, row in _goods(world, document)
            ],
            FREE: lambda: _free_rows(world, document),
            ORDERS: lambda: _order_rows(world, document, str(document.get("ЗаказКлиента", "")), "Expense"),
            SETTLEMENTS: lambda: _settlement_rows(document, "Receipt"),
        }
    if name in (BANK, CASH):
        return {SETTLEMENTS: lambda: _settlement_rows(document, "Expense")}
    return {}


def _documents(world: World) -> Iterator[tuple[str, str, Record, dict[str, Callable[[], Rows]]]]:
    for name in (ORDER, SHIPMENT, BANK, CASH):
        for document in world.tables[name]:
            frozen = world.frozen.get((name, document["Ref_Key"]))
            if frozen is None:
                yield type_name(name), name, document, of_document(world, name, document)
            else:
                kept = {register: (lambda rows=rows: rows) for register, rows in frozen.items()}
                yield type_name(name), name, document, kept  # type: ignore[misc]
    for document in world.hidden:
        yield document["~type"], "", document, document["~movements"]


def of_register(world: World, register: str) -> list[Movement]:
    """All record sets of a register in its own order: by type of recorder, then by date."""
    found = [
        Movement(kind, document["Ref_Key"], document.get("Date", ""), made[register])
        for kind, _, document, made in _documents(world)
        if register in made
    ]
    found.sort(key=lambda item: (item.recorder_type, item.date))
    return found


def freeze(world: World, name: str, key: str) -> None:
    """Keep the movements a document has now, whatever happens to its fields next."""
    document = world.get(name, key)
    if document is not None and (name, key) not in world.frozen:
        world.frozen[name, key] = {reg: rows() for reg, rows in of_document(world, name, document).items()}
