"""Entries of БП's documents in the accounting register: sales, VAT, cost of goods, settlements with buyers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from stand.onec.model import EMPTY_REF
from stand.onec.movements import Made, Posting, movement
from stand.onec.world import Record, Rows, World, derived_guid, rows_of, type_name

REGISTER = "AccountingRegister_Хозрасчетный"
CHART, KINDS = "ChartOfAccounts_Хозрасчетный", "ChartOfCharacteristicTypes_ВидыСубконтоХозрасчетные"
SALE, BANK, CASH = (
    "Document_РеализацияТоваровУслуг",
    "Document_ПоступлениеНаРасчетныйСчет",
    "Document_ПриходныйКассовыйОрдер",
)


class Account(NamedTuple):
    """An account of the chart; ``kinds``: its analytics in order; ``unit``: counts quantities too."""

    code: str
    name: str
    type: str
    kinds: tuple[str, ...] = ()
    unit: bool = False
    foreign: bool = False


ACCOUNTS = (
    Account("10", "Материалы", "Active", ("Номенклатура", "Склады"), unit=True),
    Account("10.01", "Сырье и материалы", "Active", ("Номенклатура", "Склады"), unit=True),
    Account("41", "Товары", "Active", ("Номенклатура", "Склады"), unit=True),
    Account("41.01", "Товары на складах", "Active", ("Номенклатура", "Склады"), unit=True),
    Account("50", "Касса", "Active"),
    Account("50.01", "Касса организации", "Active"),
    Account("50.21", "Касса организации (в валюте)", "Active", foreign=True),
    Account("51", "Расчетные счета", "Active", ("БанковскиеСчета",)),
    Account("52", "Валютные счета", "Active", ("БанковскиеСчета",), foreign=True),
    Account("60", "Расчеты с поставщиками и подрядчиками", "ActivePassive", ("Контрагенты", "Договоры")),
    Account("60.01", "Расчеты с поставщиками и подрядчиками", "Passive", ("Контрагенты", "Договоры")),
    Account("62", "Расчеты с покупателями и заказчиками", "ActivePassive", ("Контрагенты", "Договоры")),
    Account("62.01", "Расчеты с покупателями и заказчиками", "Active",
            ("Контрагенты", "Договоры", "ДокументыРасчетовСКонтрагентами")),
    Account("62.02", "Расчеты по авансам полученным", "Passive",
            ("Контрагенты", "Договоры", "ДокументыРасчетовСКонтрагентами")),
    Account("62.21", "Расчеты с покупателями и заказчиками (в валюте)", "Active",
            ("Контрагенты", "Договоры", "ДокументыРасчетовСКонтрагентами"), foreign=True),
    Account("62.22", "Расчеты по авансам полученным (в валюте)", "Passive",
            ("Контрагенты", "Договоры", "ДокументыРасчетовСКонтрагентами"), foreign=True),
    Account("68", "Расчеты по налогам и сборам", "ActivePassive"),
    Account("68.02", "Налог на добавленную стоимость", "ActivePassive"),
    Account("90", "Продажи", "ActivePassive", ("НоменклатурныеГруппы",)),
    Account("90.01", "Выручка", "Passive", ("НоменклатурныеГруппы",)),
    Account("90.01.1", "Выручка по деятельности с основной системой налогообложения", "Passive",
            ("НоменклатурныеГруппы",)),
    Account("90.02", "Себестоимость продаж", "Active", ("НоменклатурныеГруппы",)),
    Account("90.02.1", "Себестоимость продаж по деятельности с основной системой налогообложения", "Active",
            ("НоменклатурныеГруппы",)),
    Account("90.03", "Налог на добавленную стоимость", "Active", ("НоменклатурныеГруппы",)),
)  # fmt: skip
_BY_CODE = {account.code: account for account in ACCOUNTS}


@cache
def account_key(code: str) -> str:
    """The guid of an account; empty for no account."""
    return derived_guid(f"account {code}") if code else EMPTY_REF


@cache
def kind_key(name: str) -> str:
    """The guid of a kind of analytics."""
    return derived_guid(f"analytics {name}")


class Side(NamedTuple):
    """One side of an entry: the account and its analytics as (guid, set)."""

    code: str
    analytics: tuple[tuple[str, str], ...] = ()
    quantity: float = 0
    currency: str = ""
    amount: float = 0

    def fields(self, side: str) -> Record:
        """Fields of the record, ``side`` being ``Dr`` or ``Cr``."""
        found: Record = {f"Account{side}_Key": account_key(self.code), f"Количество{side}": self.quantity}
        if self.currency:
            found |= {f"Валюта{side}_Key": self.currency, f"ВалютнаяСумма{side}": self.amount}
        kinds = _BY_CODE[self.code].kinds
        for number, (kind, (key, target)) in enumerate(zip(kinds, self.analytics, strict=False), 1):
            found[f"ExtDimensionType{side}{number}_Key"] = kind_key(kind)
            if key != EMPTY_REF:
                found |= {f"ExtDimension{side}{number}": key, f"ExtDimension{side}{number}_Type": type_name(target)}
        return found


def entry(document: Record, number: int, debit: Side, credit: Side, amount: float, text: str) -> Record:
    """One entry of a document."""
    org = document.get("Организация_Key", EMPTY_REF)
    sides = debit.fields("Dr") | credit.fields("Cr")
    return movement(document, number, "", Организация_Key=org, Сумма=amount, Содержание=text, **sides)


def settlement_accounts(world: World, document: Record) -> tuple[str, str]:
    """Accounts of the debt and of the advances: other ones for foreign currency."""
    currency = world.get("Catalog_Валюты", document.get("ВалютаДокумента_Key", EMPTY_REF)) or {}
    return ("62.01", "62.02") if currency.get("Description", "RUB") == "RUB" else ("62.21", "62.22")


def _rubles(rate: Record, amount: float) -> float:
    per, course = int(rate.get("КратностьВзаиморасчетов", "1")), float(rate.get("КурсВзаиморасчетов", 1))
    return round(amount * course / per, 2)


def _buyer(document: Record, contract: str, paper: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    party = str(document.get("Контрагент_Key") or document.get("Контрагент", EMPTY_REF))
    return ((party, "Catalog_Контрагенты"), (contract, "Catalog_ДоговорыКонтрагентов"), paper)


def _lines(document: Record) -> Iterator[tuple[bool, Record]]:
    for part in ("Товары", "Услуги"):
        for row in rows_of(document.get(part)):
            yield part == "Товары", row


def line_total(document: Record, row: Record) -> float:
    """A line with its VAT."""
    vat = 0 if document.get("СуммаВключаетНДС") else row.get("СуммаНДС", 0)
    return round(float(row.get("Сумма", 0) + vat), 2)


def _sale_rows(world: World, document: Record) -> Rows:
    debt, _ = settlement_accounts(world, document)
    contract = str(document.get("ДоговорКонтрагента_Key", EMPTY_REF))
    rows: Rows = []
    buyer = _buyer(document, contract, (document["Ref_Key"], SALE))
    foreign = document.get("ВалютаДокумента_Key", "") if debt == "62.21" else ""
    for stocked, row in _lines(document):
        total, vat = line_total(document, row), _rubles(document, row.get("СуммаНДС", 0))
        group = ((str(row.get("Субконто", EMPTY_REF)), "Catalog_НоменклатурныеГруппы"),)
        to = Side(debt, buyer, currency=foreign, amount=total)
        made = [(to, Side("90.01.1", group), _rubles(document, total), "Реализация товаров и услуг")]
        if vat:
            made.append((Side("90.03", group), Side("68.02"), vat, "НДС с реализации"))
        if stocked:
            made.append(
                (Side("90.02.1", group), _goods(document, row), row.get("Себестоимость", 0), "Списание товаров")
            )
        rows += [entry(document, len(rows) + n, *parts) for n, parts in enumerate(made, 1)]
    return rows


def _goods(document: Record, row: Record) -> Side:
    place = (str(document.get("Склад_Key", EMPTY_REF)), "Catalog_Склады")
    product = (str(row.get("Номенклатура_Key", EMPTY_REF)), "Catalog_Номенклатура")
    return Side("41.01", (product, place), quantity=row.get("Количество", 0))


def _payment_rows(world: World, document: Record, name: str) -> Rows:
    """Paid for a shipment (``Сделка``): the debt on that shipment; else an advance on the payment itself."""
    debt, advance = settlement_accounts(world, document)
    foreign = document.get("ВалютаДокумента_Key", "") if debt == "62.21" else ""
    codes = ("50.21", "50.01") if name == CASH else ("52", "51")
    purse = codes[0 if foreign else 1]
    bank = ((str(document.get("СчетОрганизации_Key", EMPTY_REF)), "Catalog_БанковскиеСчета"),)
    found = []
    for number, row in enumerate(rows_of(document.get("РасшифровкаПлатежа")), 1):
        amount, deal = row.get("СуммаВзаиморасчетов", 0), str(row.get("Сделка", ""))
        paper = (deal, SALE) if deal else (document["Ref_Key"], name)
        buyer = _buyer(document, str(row.get("ДоговорКонтрагента_Key", EMPTY_REF)), paper)
        credit = Side(debt if deal else advance, buyer, currency=foreign, amount=amount)
        debit = Side(purse, bank if name == BANK else (), currency=foreign, amount=amount)
        found.append(entry(document, number, debit, credit, _rubles(row, amount), "Оплата от покупателя"))
    return found


def _sale(world: World, document: Record) -> Made:
    return {REGISTER: lambda: _sale_rows(world, document)}


def _bank(world: World, document: Record) -> Made:
    return {REGISTER: lambda: _payment_rows(world, document, BANK)}


def _cash(world: World, document: Record) -> Made:
    return {REGISTER: lambda: _payment_rows(world, document, CASH)}


POSTINGS: dict[str, Posting] = {SALE: _sale, BANK: _bank, CASH: _cash}


def purchase_rows(told: Any, costs: dict[str, int], org: str, supplier: str, date: str) -> Rows:
    """Entries of an unpublished purchase: goods at their cost (kopecks by product), owed to a supplier."""
    document = {"Date": date, "Организация_Key": org}
    owed = Side("60.01", ((supplier, "Catalog_Контрагенты"),))
    found = []
    for number, row in enumerate(told(), 1):
        product, place, quantity = row["Номенклатура_Key"], row["Склад_Key"], row["ВНаличии"]
        goods = Side("41.01", ((product, "Catalog_Номенклатура"), (place, "Catalog_Склады")), quantity=quantity)
        amount = round(costs[product] * quantity / 100, 2)
        found.append(entry(document, number, goods, owed, amount, "Поступление товаров"))
    return found
