"""Movements of УНФ's documents: orders, stock, settlements with buyers, sales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stand.onec.model import EMPTY_REF
from stand.onec.movements import Made, Posting, movement
from stand.onec.world import Record, Rows, World, rows_of, type_name

ORDERS = "AccumulationRegister_ЗаказыПокупателей"
STOCK = "AccumulationRegister_ЗапасыНаСкладах"
SETTLEMENTS = "AccumulationRegister_РасчетыСПокупателями"
SALES = "AccumulationRegister_Продажи"
ORDER, SHIPMENT, ACT = "Document_ЗаказПокупателя", "Document_РасходнаяНакладная", "Document_АктВыполненныхРабот"
BANK, CASH = "Document_ПоступлениеНаСчет", "Document_ПоступлениеВКассу"
_PACK = type_name("Catalog_ЕдиницыИзмерения")


def base_quantity(world: World, row: Record) -> float:
    """A line's quantity in the product's own unit: a pack holds ``Коэффициент`` of these."""
    quantity = float(row.get("Количество", 0))
    if row.get("ЕдиницаИзмерения_Type") != _PACK:
        return quantity
    pack = world.get("Catalog_ЕдиницыИзмерения", row.get("ЕдиницаИзмерения", EMPTY_REF)) or {}
    return round(quantity * float(pack.get("Коэффициент", 1)), 3)


def in_rubles(document: Record, amount: float) -> float:
    """An amount of the document's currency at the document's rate."""
    return round(amount * float(document.get("Курс", 1)) / int(document.get("Кратность", "1")), 2)


def _lines(document: Record) -> Iterator[tuple[int, Record]]:
    return enumerate(rows_of(document.get("Запасы") or document.get("РаботыИУслуги")), 1)


def _product(row: Record) -> str:
    """By ``Номенклатура_Key``, or in an order by the composite ``Номенклатура``."""
    return str(row.get("Номенклатура_Key") or row.get("Номенклатура", EMPTY_REF))


def _goods(world: World, row: Record) -> dict[str, Any]:
    variant = row.get("Характеристика_Key", EMPTY_REF)
    quantity = base_quantity(world, row)
    return {"Номенклатура_Key": _product(row), "Характеристика_Key": variant, "Количество": quantity}


def _order_rows(world: World, document: Record, order: str, kind: str) -> Rows:
    org = document.get("Организация_Key", EMPTY_REF)
    return [
        movement(document, n, kind, Организация_Key=org, ЗаказПокупателя_Key=order, **_goods(world, row))
        for n, row in _lines(document)
    ]


def _stock_rows(world: World, document: Record) -> Rows:
    """Services do not stand in stock; the first organisation buys for all, so it is its stock that is spent."""
    place = document.get("СтруктурнаяЕдиница_Key", EMPTY_REF)
    org = str(next(iter(world.tables["Catalog_Организации"]))["Ref_Key"])
    kept = [row for _, row in _lines(document) if _stocked(world, row)]
    return [
        movement(document, n, "Expense", СтруктурнаяЕдиница_Key=place, Организация_Key=org, **_goods(world, row))
        for n, row in enumerate(kept, 1)
    ]


def _stocked(world: World, row: Record) -> bool:
    product = world.get("Catalog_Номенклатура", _product(row)) or {}
    return product.get("ТипНоменклатуры") != "Услуга"


def _sales_rows(world: World, document: Record, name: str) -> Rows:
    whose = {
        "Организация_Key": document.get("Организация_Key", EMPTY_REF),
        "Контрагент_Key": document.get("Контрагент_Key", EMPTY_REF),
        "ЗаказПокупателя_Key": document.get("Заказ", EMPTY_REF) or EMPTY_REF,
        "Документ": document["Ref_Key"],
        "Документ_Type": type_name(name),
        "Ответственный_Key": document.get("Ответственный_Key", EMPTY_REF),
    }
    return [
        movement(
            document, n, "", **whose, **_goods(world, row), Сумма=in_rubles(document, row.get("Всего", 0)),
            СуммаНДС=in_rubles(document, row.get("СуммаНДС", 0)),
        )
        for n, row in _lines(document)
    ]  # fmt: skip


def _settlement(document: Record, number: int, kind: str, amount: float, **more: Any) -> Record:
    whose = {name: document.get(name, EMPTY_REF) for name in ("Организация_Key", "Контрагент_Key")}
    return movement(document, number, kind, **whose, Сумма=in_rubles(document, amount), СуммаВал=amount, **more)


def _debt(document: Record, name: str) -> Rows:
    return [
        _settlement(
            document, 1, "Receipt", document.get("СуммаДокумента", 0), ТипРасчетов="Долг",
            Договор_Key=document.get("Договор_Key", EMPTY_REF), Документ=document["Ref_Key"],
            Документ_Type=type_name(name), Заказ=document.get("Заказ", ""), Заказ_Type=document.get("Заказ_Type", ""),
        )
    ]  # fmt: skip


def _paid(document: Record, name: str) -> Rows:
    """What is paid ahead stands on the payment itself, what is paid for a shipment on that shipment."""
    found = []
    for number, row in enumerate(rows_of(document.get("РасшифровкаПлатежа")), 1):
        ahead = bool(row.get("ПризнакАванса"))
        own = {"Документ": document["Ref_Key"], "Документ_Type": type_name(name)}
        paper = own if ahead else {f: row.get(f, "") for f in ("Документ", "Документ_Type")}
        found.append(
            _settlement(
                document, number, "Expense", row.get("СуммаРасчетов", 0), ТипРасчетов="Аванс" if ahead else "Долг",
                Договор_Key=row.get("Договор_Key", EMPTY_REF), СчетНаОплату_Key=row.get("СчетНаОплату", EMPTY_REF),
                Заказ=row.get("Заказ", ""), Заказ_Type=row.get("Заказ_Type", ""), **paper,
            )
        )  # fmt: skip
    return found


def _order(world: World, document: Record) -> Made:
    return {ORDERS: lambda: _order_rows(world, document, document["Ref_Key"], "Receipt")}


def _shipment(world: World, document: Record) -> Made:
    return {STOCK: lambda: _stock_rows(world, document), **_sale(world, document, SHIPMENT)}


def _act(world: World, document: Record) -> Made:
    return _sale(world, document, ACT)


def _sale(world: World, document: Record, name: str) -> Made:
    made: Made = {
        SETTLEMENTS: lambda: _debt(document, name),
        SALES: lambda: _sales_rows(world, document, name),
    }
    if order := str(document.get("Заказ", "")):
        made[ORDERS] = lambda: _order_rows(world, document, order, "Expense")
    return made


def _bank(_world: World, document: Record) -> Made:
    return {SETTLEMENTS: lambda: _paid(document, BANK)}


def _cash(_world: World, document: Record) -> Made:
    return {SETTLEMENTS: lambda: _paid(document, CASH)}


POSTINGS: dict[str, Posting] = {ORDER: _order, SHIPMENT: _shipment, ACT: _act, BANK: _bank, CASH: _cash}
