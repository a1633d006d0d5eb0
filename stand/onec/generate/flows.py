"""What follows orders: invoices, shipments (whole and in parts), bank and cash payments, and purchases of stock."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from stand.onec.generate.catalogs import UNAVAILABLE, Base, moment
from stand.onec.generate.goods import season_of, season_start
from stand.onec.generate.lines import Line, day_of, later, rubles, shipment_rows, stage_rows, units
from stand.onec.generate.orders import Numbers, Order
from stand.onec.movements_ut import analytics_key, analytics_record
from stand.onec.world import FIRST_VERSION, Record, Rows, type_name

PURCHASE = UNAVAILABLE + "b1d2a7f0-6c9e-4c50-8d5a-3b2f5e2f9a11"
ORDER_TYPE = type_name("Document_ЗаказКлиента")
INVOICE_TYPE = type_name("Document_СчетНаОплатуКлиенту")
Demand = dict[tuple[int, str], dict[tuple[str, str], int]]


def make_flows(base: Base, orders: list[Order]) -> None:
    """All documents that orders lead to; stock is bought so that it never runs below zero."""
    demand: Demand = defaultdict(lambda: defaultdict(int))
    invoices = _invoices(base, orders)
    shipped = _shipments(base, orders, demand)
    _payments(base, orders, invoices, shipped)
    _purchases(base, demand)
    _analytics(base)


def _header(base: Base, order: Order, when: str, number: str, total: int) -> Record:
    client = order.client
    record: Record = {
        "Ref_Key": base.luck.guid(),
        "DataVersion": FIRST_VERSION,
        "Number": number,
        "Date": when,
        "Posted": True,
        "Партнер_Key": client.partner,
        "Контрагент_Key": client.party,
        "Организация_Key": base.refs[order.org],
        "Валюта_Key": order.currency,
        "СуммаДокумента": rubles(total),
    }
    if order.org == "org:ТД":
        record["Договор_Key"] = client.contract
    return record


def _flaw(base: Base, record: Record) -> None:
    """A few documents are left unposted or marked for deletion."""
    roll = base.luck.real()
    if roll < 0.02:
        record["Posted"] = False
        if roll < 0.008:
            record["DeletionMark"] = True


def _invoices(base: Base, orders: list[Order]) -> dict[str, str]:
    """Order guid → invoice guid."""
    numbers, made = Numbers("ТДУТ"), {}
    for order in orders:
        if not order.posted or base.luck.real() > 0.6:
            continue
        when = later(order.when, 0, 600 + int(base.luck.real() * 5400)).isoformat()
        record = _header(base, order, when, numbers.next(when[:4]), order.total)
        due = f"{later(when, 5):%Y-%m-%d}T00:00:00"
        record |= {
            "ДокументОснование": order.key,
            "ДокументОснование_Type": ORDER_TYPE,
            "Менеджер_Key": order.client.manager,
            "НазначениеПлатежа": f"Оплата по счёту {record['Number']} от {day_of(when):%d.%m.%Y}",
            "Аннулирован": base.luck.real() < 0.01,
            "ЭтапыГрафикаОплаты": partial(stage_rows, due, order.total, 100, ""),
        }
        _flaw(base, record)
        base.world.put("Document_СчетНаОплатуКлиенту", record)
        made[order.key] = record["Ref_Key"]
    return made


def _split(base: Base, order: Order) -> list[tuple[Line, ...]]:
    """Which lines each shipment of an order takes."""
    lines = tuple(line for line in order.lines if not line.cancelled)
    if order.status == "Закрыт":
        cut = 1 + int(base.luck.real() * (len(lines) - 1)) if len(lines) > 2 and base.luck.real() < 0.15 else 0
        return [part for part in (lines[:cut], lines[cut:]) if part]
    return [lines[:1]] if order.status == "КОтгрузке" and len(lines) > 1 and base.luck.real() < 0.2 else []


def _shipments(base: Base, orders: list[Order], demand: Demand) -> set[str]:
    numbers, shipped, drafts = Numbers("ТДУТ"), set(), []
    for order in orders:
        if not order.posted:
            continue
        need = demand[season_of(base, day_of(order.when)), order.warehouse]
        for line in order.lines:
            if not line.product.service and not line.cancelled:
                need[line.product.key, line.variant] += line.qty
        for part in _split(base, order):
            when = later(order.when, int(base.luck.real() * 12), 1800 + int(base.luck.real() * 7200)).isoformat()
            if when < moment(base.today, 0):
                drafts.append((when, order, part))
                shipped.add(order.key)
    drafts.sort(key=lambda draft: draft[0])
    for when, order, part in drafts:
        _shipment(base, order, part, when, numbers.next(when[:4]))
    return shipped


def _shipment(base: Base, order: Order, lines: tuple[Line, ...], when: str, number: str) -> None:
    record = _header(base, order, when, number, sum(line.total for line in lines))
    record |= {
        "ЗаказКлиента": order.key,
        "ЗаказКлиента_Type": ORDER_TYPE,
        "РеализацияПоЗаказам": True,
        "ВалютаВзаиморасчетов_Key": order.currency,
        "СуммаВзаиморасчетов": record["СуммаДокумента"],
        "Менеджер_Key": order.client.manager,
        "НалогообложениеНДС": "ПродажаОблагаетсяНДС",
        "Склад_Key": order.warehouse,
        "Согласован": True,
        "Статус": "Отгружено",
        "ХозяйственнаяОперация": "РеализацияКлиенту",
        "ЦенаВключаетНДС": order.included,
        "ПорядокРасчетов": "ПоЗаказам",
        "ВариантОформленияПродажи": "РеализацияТоваровУслуг",
        "КурсЧислитель": 1,
        "КурсЗнаменатель": 1,
        "Товары": partial(shipment_rows, record["Ref_Key"], lines, order.price_kind, order.warehouse, order.key),
    }
    _flaw(base, record)
    base.world.put("Document_РеализацияТоваровУслуг", record)


def _payments(base: Base, orders: list[Order], invoices: dict[str, str], shipped: set[str]) -> None:
    """Most orders are paid: at once or in two parts, alone or several orders of one client in one payment."""
    drafts: list[tuple[str, bool, list[tuple[Order, int]]]] = []
    waiting: dict[str, tuple[Order, int]] = {}
    for order in orders:
        roll = base.luck.real()
        if not order.posted or not order.total or roll > (0.88 if order.key in shipped else 0.25):
            continue
        if roll < 0.1:
            waiting[order.client.party + order.org + order.currency] = (order, order.total)
            continue
        before = waiting.pop(order.client.party + order.org + order.currency, None)
        half = order.total // 2 if roll > 0.75 else 0
        cash = roll < 0.22 and order.total < 10_000_000
        parts = [[(order, half)], [(order, order.total - half)]] if half else [[(order, order.total)]]
        if before:
            parts[-1].insert(0, before)
        for part in parts:
            when = later(order.when, int(base.luck.real() * 40), int(base.luck.real() * 3600)).isoformat()
            if when < moment(base.today, 0):
                drafts.append((when, cash, part))
    drafts.sort(key=lambda draft: draft[0])
    numbers = {False: Numbers("ТДУТ"), True: Numbers("ТДКА")}
    for when, cash, part in drafts:
        _payment(base, when, numbers[cash].next(when[:4]), cash, part, invoices)


def _payment(
    base: Base, when: str, number: str, cash: bool, part: list[tuple[Order, int]], invoices: dict[str, str]
) -> None:
    order, total = part[0][0], sum(amount for _, amount in part)
    record = _header(base, order, when, number, total)
    bases = tuple((item.key, invoices.get(item.key, ""), amount) for item, amount in part)
    record |= {
        "ХозяйственнаяОперация": "ПоступлениеОплатыОтКлиента",
        "РасшифровкаПлатежа": partial(allocation_rows, record["Ref_Key"], order.client.partner, order.currency, bases),
    }
    if cash:
        record |= {"ПринятоОт": order.client.name[:100], "Основание": "Оплата по заказу"}
    else:
        paper = f"{base.luck.whole(1, 9999)}"
        record |= {
            "ВходящийНомер": paper,
            "ДатаВходящегоДокумента": f"{when[:10]}T00:00:00",
            "ПроведеноБанком": True,
            "ДатаПроведенияБанком": f"{when[:10]}T00:00:00",
            "ТипПлатежногоДокумента": "ПлатежноеПоручение",
            "НазначениеПлатежа": f"Оплата по заказу от {day_of(order.when):%d.%m.%Y}, в т.ч. НДС",
        }
    _flaw(base, record)
    base.world.put(
        "Document_ПриходныйКассовыйОрдер" if cash else "Document_ПоступлениеБезналичныхДенежныхСредств", record
    )


def allocation_rows(document: str, partner: str, currency: str, bases: tuple[tuple[str, str, int], ...]) -> Rows:
    """Rows of ``РасшифровкаПлатежа``: the order each part pays for, and its invoice where there is one."""
    rows = []
    for number, (order, invoice, amount) in enumerate(bases, 1):
        basis = {"ОснованиеПлатежа": invoice, "ОснованиеПлатежа_Type": INVOICE_TYPE} if invoice else {}
        row: dict[str, Any] = {
            "LineNumber": str(number),
            "Партнер_Key": partner,
            "Заказ": order,
            "Заказ_Type": ORDER_TYPE,
            "Сумма": rubles(amount),
            "ВалютаВзаиморасчетов_Key": currency,
            "СуммаВзаиморасчетов": rubles(amount),
            "ИдентификаторСтроки": f"{document[:24]}{number:012x}",
        }
        rows.append(row | basis)
    return rows


def _purchases(base: Base, demand: Demand) -> None:
    """Purchases are not published; each half-year's demand is bought on its first day, with something to spare."""
    for (season, warehouse), need in sorted(demand.items()):
        when = moment(season_start(base, season), 1800)
        spare = base.luck.whole(3, 25) * 1000
        bought = tuple((product, variant, qty + spare) for (product, variant), qty in need.items())
        base.world.hidden.append(
            {
                "Ref_Key": base.luck.guid(),
                "DataVersion": FIRST_VERSION,
                "Date": when,
                "~type": PURCHASE,
                "~movements": {
                    register: partial(receipt_rows, when, warehouse, bought)
                    for register in ("AccumulationRegister_ТоварыНаСкладах", "AccumulationRegister_СвободныеОстатки")
                },
            }
        )


def receipt_rows(when: str, warehouse: str, bought: tuple[tuple[str, str, int], ...]) -> Rows:
    """Receipts of stock; the same rows suit both stock registers."""
    rows = []
    for number, (product, variant, qty) in enumerate(bought, 1):
        row: Record = {
            "Period": when,
            "LineNumber": str(number),
            "Active": True,
            "RecordType": "Receipt",
            "Номенклатура_Key": product,
            "Склад_Key": warehouse,
            "ВНаличии": units(qty),
        }
        if variant:
            row["Характеристика_Key"] = variant
        rows.append(row)
    return rows


def _analytics(base: Base) -> None:
    """The keys of analytics that settlements are kept by, one for each combination in use."""
    world = base.world
    for name in ("РеализацияТоваровУслуг", "ПоступлениеБезналичныхДенежныхСредств", "ПриходныйКассовыйОрдер"):
        for document in world.tables[f"Document_{name}"]:
            if analytics_key(document) not in world.tables["Catalog_КлючиАналитикиУчетаПоПартнерам"].rows:
                world.put("Catalog_КлючиАналитикиУчетаПоПартнерам", analytics_record(world, document))
