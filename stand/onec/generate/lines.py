"""Lines of documents: computed in kopecks and thousandths, kept as tuples, turned into rows when they are read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from stand.onec.world import Record, Rows, type_name

if TYPE_CHECKING:
    from stand.onec.generate.goods import Product


class Line(NamedTuple):
    """A line of goods: quantities in thousandths, money in kopecks.

    ``total`` includes VAT; ``amount`` does if the price does. ``code`` is the order's КодСтроки, by which a line of a
    shipment names the order's.
    """

    product: Product
    variant: str
    packed: bool
    packs: int
    qty: int
    price: int
    percent: int
    discount: int
    amount: int
    rate: str
    vat: int
    total: int
    cancelled: bool
    code: int


def rubles(kopecks: int) -> int | float:
    """Kopecks as the number 1C would write: ``25000`` or ``461111.9``."""
    return kopecks // 100 if kopecks % 100 == 0 else kopecks / 100


def units(thousandths: int) -> int | float:
    """A quantity likewise."""
    return thousandths // 1000 if thousandths % 1000 == 0 else thousandths / 1000


def share(amount: int, part: int, whole: int) -> int:
    """``amount * part / whole`` rounded half up, in whole kopecks."""
    return (2 * amount * part + whole) // (2 * whole)


def vat_of(amount: int, percent: int, *, included: bool) -> int:
    """VAT of an amount in kopecks."""
    return share(amount, percent, 100 + percent if included else 100)


def line_key(document: str, number: int) -> str:
    """ИдентификаторСтроки: made of the document's guid, so that nothing need be stored."""
    return f"{document[:24]}{number:012x}"


def _goods_row(document: str, number: int, line: Line, price_kind: str, warehouse: str) -> Record:
    row: Record = {
        "LineNumber": str(number),
        "Номенклатура_Key": line.product.key,
        "КоличествоУпаковок": units(line.packs),
        "Количество": units(line.qty),
        "ВидЦены_Key": price_kind,
        "Цена": rubles(line.price),
        "Сумма": rubles(line.amount),
        "СтавкаНДС_Key": line.rate,
        "СуммаНДС": rubles(line.vat),
        "СуммаСНДС": rubles(line.total),
        "КодСтроки": str(line.code),
        "КлючСвязи": str(number),
        "Склад_Key": warehouse,
        "ИдентификаторСтроки": line_key(document, number),
    }
    if line.variant:
        row["Характеристика_Key"] = line.variant
    if line.packed:
        row["Упаковка_Key"] = line.product.pack
    if line.discount:
        row["ПроцентРучнойСкидки"] = line.percent
        row["СуммаРучнойСкидки"] = rubles(line.discount)
    return row


def order_rows(document: str, lines: tuple[Line, ...], price_kind: str, warehouse: str) -> Rows:
    """Rows of ``Document_ЗаказКлиента.Товары``."""
    rows = []
    for number, line in enumerate(lines, 1):
        row = _goods_row(document, number, line, price_kind, warehouse)
        row["ВариантОбеспечения"] = "НеТребуется" if line.product.service else "КОбеспечению"
        if line.cancelled:
            row["Отменено"] = True
        rows.append(row)
    return rows


def shipment_rows(document: str, lines: tuple[Line, ...], price_kind: str, warehouse: str, order: str) -> Rows:
    """Rows of ``Document_РеализацияТоваровУслуг.Товары``; each names its order."""
    rows = []
    for number, line in enumerate(lines, 1):
        row = _goods_row(document, number, line, price_kind, warehouse)
        row["СуммаВзаиморасчетов"] = row["СуммаСНДС"]
        if order:
            row["ЗаказКлиента"] = order
            row["ЗаказКлиента_Type"] = type_name("Document_ЗаказКлиента")
        rows.append(row)
    return rows


def stage_rows(day: str, total: int, prepaid: int, since: str) -> Rows:
    """Payment stages: all after shipment, or a prepayment of ``prepaid`` per cent and the rest."""
    first = share(total, prepaid, 100)
    stages = [("ПредоплатаДоОтгрузки", prepaid, first)] if prepaid else []
    if prepaid < 100:
        stages.append(("КредитПослеОтгрузки", 100 - prepaid, total - first))
    extra = {"ВариантОтсчета": since} if since else {}
    return [
        {"LineNumber": str(n), "ВариантОплаты": kind, "ДатаПлатежа": day, "ПроцентПлатежа": percent,
         "СуммаПлатежа": rubles(amount), **extra}
        for n, (kind, percent, amount) in enumerate(stages, 1)
    ]  # fmt: skip


def later(when: str, days: int, seconds: int = 0) -> datetime:
    """A moment some days after another."""
    return datetime.fromisoformat(when) + timedelta(days=days, seconds=seconds)


def day_of(when: str) -> date:
    """The date part."""
    return date.fromisoformat(when[:10])
