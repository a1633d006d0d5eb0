"""Orders of clients over two years, and what is computed from their lines."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from stand.onec.generate.catalogs import UNAVAILABLE, Base, moment
from stand.onec.generate.contacts import address_text
from stand.onec.generate.goods import Product, price_of, rate_at, season_of
from stand.onec.generate.lines import Line, later, order_rows, rubles, stage_rows, vat_of
from stand.onec.generate.luck import Luck
from stand.onec.generate.parties import Client
from stand.onec.model import UNDEFINED

_AUTHORS = UNAVAILABLE + "604931cd-d4a8-48d0-bc59-2ac90e044abb"
_COMMENTS = ("Позвонить за час до доставки", "Самовывоз, пропуск заказан", "Срочно!", "Оплата по счёту", "Хрупкий груз")


class Order(NamedTuple):
    """What the documents made on the basis of an order need to know of it."""

    key: str
    when: str
    client: Client
    lines: tuple[Line, ...]
    total: int
    price_kind: str
    warehouse: str
    org: str
    status: str
    posted: bool
    included: bool
    currency: str


def workdays(base: Base, count: int) -> list[tuple[date, int]]:
    """``count`` moments (day, second of day) over two years, in order; no Sundays, few Saturdays."""
    span = (base.today - base.start).days
    moments: list[tuple[date, int]] = []
    while len(moments) < count:
        day = base.start + timedelta(days=int(span * base.luck.real() ** 0.9) + 1)
        if day.weekday() == 6 or (day.weekday() == 5 and base.luck.chance(0.8)):
            continue
        moments.append((day, 9 * 3600 + int(base.luck.real() * 32400)))
    moments.sort()
    return moments


class Numbers:
    """Document numbers: a prefix and six digits, starting anew every year, as 1C does (so they repeat)."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.last: dict[str, int] = {}

    def next(self, year: str) -> str:
        """The next number of that year."""
        self.last[year] = self.last.get(year, 0) + 1
        return f"{self.prefix}-{self.last[year]:06d}"


def make_orders(base: Base, count: int, clients: list[Client], products: list[Product]) -> list[Order]:
    """``count`` orders, oldest first."""
    numbers = {"org:ТД": Numbers("ТДУТ"), "org:КС": Numbers("КСУТ")}
    return [_order(base, day, second, clients, products, numbers) for day, second in workdays(base, count)]


def _lines(base: Base, products: list[Product], kind: int, included: bool, day: date, usd: bool) -> tuple[Line, ...]:
    luck, season = base.luck, season_of(base, day)
    found = []
    for code in range(1, 2 + int(luck.real() * 8)):
        product = products[int(len(products) * luck.real() ** 1.6)]
        price = price_of(product, kind, season)
        found.append(_line(base, product, price // 80 if usd else price, included, f"{day}", code))
    return (*found,)


def _line(base: Base, product: Product, price: int, included: bool, when: str, code: int) -> Line:
    luck = base.luck
    packed = product.in_pack > 1 and luck.real() < 0.5
    packs = (1 + int(luck.real() ** 3 * 40)) * 1000
    if packed:
        price *= product.in_pack
    elif product.loose and luck.real() < 0.4:
        packs += int(luck.real() * 1000)
    percent = (3, 5, 7, 10)[int(luck.real() * 4)] if luck.real() < 0.12 else 0
    gross = (price * packs + 500) // 1000
    discount = (gross * percent + 50) // 100
    amount = gross - discount
    rate, vat_percent = rate_at(base, product, when)
    vat = vat_of(amount, vat_percent, included=included)
    variant = luck.pick(product.variants) if product.variants else ""
    total = amount if included else amount + vat
    qty = packs * product.in_pack if packed else packs
    return Line(product, variant, packed, packs, qty, price, percent, discount, amount, rate, vat, total,
                luck.real() < 0.01, code)  # fmt: skip


def _status(luck: Luck, age: int) -> tuple[str, bool, bool]:
    """Status, posted, marked for deletion: the older, the more likely it is closed."""
    roll = luck.real()
    if roll < 0.015:
        return "НеСогласован", False, True
    if roll < 0.035:
        return "НеСогласован", False, False
    if luck.real() < min(0.97, age / 45):
        return "Закрыт", True, False
    return ("КОтгрузке" if luck.real() < 0.7 else "КОбеспечению"), True, False


def _order(
    base: Base, day: date, second: int, clients: list[Client], products: list[Product], numbers: dict[str, Numbers]
) -> Order:
    luck = base.luck
    client = clients[int(len(clients) * luck.real() ** 1.4)]
    usd, included = luck.real() < 0.012, client.price < 2
    lines = _lines(base, products, client.price, included, day, usd)
    total = sum(line.total for line in lines if not line.cancelled)
    status, posted, marked = _status(luck, (base.today - day).days)
    org = "org:ТД" if luck.real() < 0.9 else "org:КС"
    when, warehouse = moment(day, second), base.warehouses[int(luck.real() ** 2 * 3)]
    key, currency = luck.guid(), base.refs["USD" if usd else "RUB"]
    contract = client.contract if org == "org:ТД" else ""
    delivered = client.contacts.address is not None and luck.real() < 0.4
    price_kind = base.prices[client.price]
    record = {
        "Ref_Key": key,
        "DataVersion": "AAAAAAAAAAI=" if luck.real() < 0.3 else "AAAAAAAAAAE=",
        "Number": numbers[org].next(when[:4]),
        "Date": when,
        "Posted": posted,
        "Партнер_Key": client.partner,
        "Контрагент_Key": client.party,
        "Организация_Key": base.refs[org],
        "Валюта_Key": currency,
        "СуммаДокумента": rubles(total),
        "Склад_Key": warehouse,
        "ЦенаВключаетНДС": included,
        "Менеджер_Key": client.manager,
        "Статус": status,
        "МаксимальныйКодСтроки": str(len(lines)),
        "Согласован": posted,
        "НалогообложениеНДС": "ПродажаОблагаетсяНДС",
        "СкидкиРассчитаны": True,
        "ХозяйственнаяОперация": "РеализацияКлиенту",
        "ПорядокРасчетов": "ПоЗаказам",
        "Автор": client.manager,
        "Автор_Type": _AUTHORS,
        "ДокументОснование_Type": UNDEFINED,
        "СпособДоставки": "ДоКлиента" if delivered else "Самовывоз",
        "КонтактноеЛицо_Key": client.person,
        "Товары": partial(order_rows, key, lines, price_kind, warehouse),
    }
    if marked:
        record["DeletionMark"] = True
    if posted:
        record["ДатаСогласования"] = f"{day}T00:00:00"
        record["ДатаОтгрузки"] = f"{later(when, 1 + int(luck.real() * 14)):%Y-%m-%d}T00:00:00"
        prepaid = (0, 0, 0, 30, 50, 100)[int(luck.real() * 6)]
        record["ЭтапыГрафикаОплаты"] = partial(stage_rows, f"{day}T00:00:00", total, prepaid, "ОтДатыЗаказа")
    if contract:
        record["Договор_Key"] = contract
    if delivered and client.contacts.address:
        record["АдресДоставки"] = address_text(client.contacts.address)
    if luck.real() < 0.1:
        record["Комментарий"] = luck.pick(_COMMENTS)
    if luck.real() < 0.12:
        record["НомерПоДаннымКлиента"] = f"{luck.whole(1, 999)}-з"
        record["ДатаПоДаннымКлиента"] = f"{day}T00:00:00"
    base.world.put("Document_ЗаказКлиента", record)
    return Order(key, when, client, lines, total, price_kind, warehouse, org, status, posted, included, currency)
