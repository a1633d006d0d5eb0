"""The documents of the business as БП writes them down. There are no orders: what precedes a sale is its invoice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from stand.onec.generate.retelling import BANK, CASH, DOCUMENT, PARTIES, SALE, pick, typed
from stand.onec.model import EMPTY_REF
from stand.onec.movements_bp import REGISTER, account_key, purchase_rows
from stand.onec.world import Record, Rows, rows_of, type_name

if TYPE_CHECKING:
    from stand.onec.generate.bp import Bp

INVOICE = "Document_СчетНаОплатуПокупателю"
BANK_IN = "Document_ПоступлениеНаРасчетныйСчет"
_STOCK = "AccumulationRegister_ТоварыНаСкладах"


def tell_documents(bp: Bp) -> None:
    """Invoices, sales, payments, tasks, and the unpublished purchases."""
    invoices: dict[str, str] = {}
    for invoice in bp.source.tables["Document_СчетНаОплатуКлиенту"]:
        _invoice(bp, invoice)
        invoices.setdefault(invoice["ДокументОснование"], invoice["Ref_Key"])
    for sale in bp.source.tables[SALE]:
        _sale(bp, sale, invoices.get(sale["ЗаказКлиента"], EMPTY_REF))
    for payment in bp.source.tables[BANK]:
        _bank(bp, payment)
    for payment in bp.source.tables[CASH]:
        _cash(bp, payment)
    for task in bp.source.tables["Task_ЗадачаИсполнителя"]:
        bp.put("Task_ЗадачаИсполнителя", task, _subject(bp, task["Предмет"], task["Предмет_Type"]))
    org = next(iter(bp.source.tables["Catalog_Организации"]))["Ref_Key"]
    for document in bp.source.hidden:
        if told := document["~movements"].get(_STOCK):
            rows = partial(purchase_rows, told, bp.costs, org, bp.supplier, document["Date"])
            bp.target.hidden.append(document | {"~movements": {REGISTER: rows}})


def _subject(bp: Bp, key: str, kind: str) -> Record:
    """What a task is about: there are no orders here, so its client instead."""
    if kind == type_name("Document_СчетНаОплатуКлиенту"):
        return typed("Предмет", key, INVOICE)
    order = bp.source.tables["Document_ЗаказКлиента"].rows.get(key)
    return typed("Предмет", order["Контрагент_Key"] if order else key, PARTIES)


def _head(bp: Bp, document: Record) -> Record:
    number = str(document["Number"]).replace("УТ-", "БП-").replace("ТДКА-", "ТДБП-")
    return pick(document, *DOCUMENT, "Организация_Key", "СуммаДокумента") | {
        "Number": number,
        "ДоговорКонтрагента_Key": bp.contract(document),
        "ВалютаДокумента_Key": document["Валюта_Key"],
    }


def _rates(bp: Bp, document: Record) -> Record:
    return pick(
        bp.course(document["Валюта_Key"], document["Date"]),
        КурсВзаиморасчетов="Курс",
        КратностьВзаиморасчетов="Кратность",
    )


def _line(bp: Bp, row: Record, **more: Any) -> Record:
    """Quantities are in the product's own unit and there are no discounts: the price is what the amount comes to."""
    price = round(row["Сумма"] / row["Количество"], 2) if row["Количество"] else 0
    told = pick(row, "Количество", "Сумма", "СуммаНДС")
    return told | {"Цена": price, "СтавкаНДС": bp.rates[row["СтавкаНДС_Key"]][0]} | more


def invoice_lines(bp: Bp, rows: Rows) -> Rows:
    """Rows of an invoice: goods and services together, each named by a composite reference."""
    products = bp.target.tables["Catalog_Номенклатура"].rows
    return [
        _line(
            bp, row, **typed("Номенклатура", row["Номенклатура_Key"], "Catalog_Номенклатура"), Коэффициент=1,
            Содержание=products[row["Номенклатура_Key"]]["НаименованиеПолное"],
            ЕдиницаИзмерения_Key=bp.unit_of[row["Номенклатура_Key"]],
        )
        for row in rows
        if not row.get("Отменено")
    ]  # fmt: skip


def sale_lines(bp: Bp, invoice: str, services: bool, rows: Rows) -> Rows:
    """Rows of ``Товары`` or of ``Услуги``, with the accounts they are entered on."""
    found = []
    for row in rows:
        product = row["Номенклатура_Key"]
        if row.get("Отменено") or (product in bp.services) != services:
            continue
        accounts = {
            "СчетДоходов_Key": account_key("90.01.1"),
            "СчетУчетаНДСПоРеализации_Key": account_key("90.03"),
            "СчетРасходов_Key": account_key("90.02.1"),
        }
        stocked = {
            "ЕдиницаИзмерения_Key": bp.unit_of[product],
            "Коэффициент": 1,
            "СчетУчета_Key": account_key("41.01"),
            "Себестоимость": round(bp.costs.get(product, 0) * row["Количество"] / 100, 2),
        }
        shown = {"Содержание": bp.target.tables["Catalog_Номенклатура"].rows[product]["НаименованиеПолное"]}
        found.append(
            _line(bp, row, Номенклатура_Key=product, СчетНаОплатуПокупателю_Key=invoice, **accounts)
            | typed("Субконто", bp.group(product), "Catalog_НоменклатурныеГруппы")
            | (shown if services else stocked)
        )
    return found


def _invoice(bp: Bp, invoice: Record) -> None:
    order = bp.source.tables["Document_ЗаказКлиента"].rows[invoice["ДокументОснование"]]
    bp.put(
        INVOICE,
        _head(bp, invoice),
        _rates(bp, invoice),
        pick(invoice, "Контрагент_Key", "НазначениеПлатежа"),
        pick(order, СуммаВключаетНДС="ЦенаВключаетНДС"),
        ВидОперации="СчетНаОплату",
        СтруктурнаяЕдиница_Key=bp.account(invoice["Организация_Key"]),
        Ответственный_Key=invoice["Менеджер_Key"],
        Склад_Key=order["Склад_Key"],
        СрокОплаты=rows_of(invoice["ЭтапыГрафикаОплаты"])[-1]["ДатаПлатежа"],
        Товары=bp.told(order["Товары"], partial(invoice_lines, bp)),
    )


def _sale(bp: Bp, sale: Record, invoice: str) -> None:
    foreign = sale["Валюта_Key"] != bp.rub
    kinds = {row["Номенклатура_Key"] in bp.services for row in rows_of(sale["Товары"])}
    bp.put(
        SALE,
        _head(bp, sale),
        _rates(bp, sale),
        pick(sale, "Контрагент_Key", "Склад_Key", СуммаВключаетНДС="ЦенаВключаетНДС"),
        ВидОперации="ТоварыУслуги" if len(kinds) > 1 else "Услуги" if True in kinds else "Товары",
        СпособЗачетаАвансов="Автоматически",
        СчетУчетаРасчетовСКонтрагентом_Key=account_key("62.21" if foreign else "62.01"),
        СчетУчетаРасчетовПоАвансам_Key=account_key("62.22" if foreign else "62.02"),
        СчетНаОплатуПокупателю_Key=invoice,
        БанковскийСчетОрганизации_Key=bp.account(sale["Организация_Key"]),
        Ответственный_Key=sale["Менеджер_Key"],
        ВидЭлектронногоДокумента="АктИсполнитель" if kinds == {True} else "ТОРГ12Продавец",
        Товары=bp.told(sale["Товары"], partial(sale_lines, bp, invoice, False)),
        Услуги=bp.told(sale["Товары"], partial(sale_lines, bp, invoice, True)),
    )


def _payment(bp: Bp, payment: Record) -> Record:
    head = _head(bp, payment)
    rows = partial(allocations, bp, head["ДоговорКонтрагента_Key"], payment["Date"], _rates(bp, payment))
    return (
        head
        | typed("Контрагент", payment["Контрагент_Key"], PARTIES)
        | {
            "ВидОперации": "ОплатаПокупателя",
            "РасшифровкаПлатежа": bp.told(payment["РасшифровкаПлатежа"], rows),
        }
    )


def _bank(bp: Bp, payment: Record) -> None:
    bp.put(
        BANK_IN,
        _payment(bp, payment),
        pick(payment, "НазначениеПлатежа", "ДатаВходящегоДокумента", НомерВходящегоДокумента="ВходящийНомер"),
        СчетОрганизации_Key=bp.account(payment["Организация_Key"]),
        СчетБанк_Key=account_key("51" if payment["Валюта_Key"] == bp.rub else "52"),
    )


def _cash(bp: Bp, payment: Record) -> None:
    told = pick(payment, "ПринятоОт", "Основание")
    code = "50.01" if payment["Валюта_Key"] == bp.rub else "50.21"
    bp.put(CASH, _payment(bp, payment), told, СчетКасса_Key=account_key(code))


def allocations(bp: Bp, contract: str, when: str, rates: Record, rows: Rows) -> Rows:
    """Rows of a payment; ``Сделка`` names the sale that is paid for, an advance has none."""
    found = []
    for row in rows:
        first, sale = bp.shipped.get(row["Заказ"], ("9999", ""))
        vat = round(row["Сумма"] * 20 / 120, 2)
        found.append(
            pick(row, "СуммаВзаиморасчетов", СуммаПлатежа="Сумма", СчетНаОплату_Key="ОснованиеПлатежа")
            | (typed("Сделка", sale, SALE) if first <= when else {})
            | {
                "ДоговорКонтрагента_Key": contract,
                "СпособПогашенияЗадолженности": "ПоДокументу" if first <= when else "Автоматически",
                "СтавкаНДС": "НДС20",
                "СуммаНДС": vat,
                "СчетУчетаРасчетовСКонтрагентом_Key": account_key("62.01"),
                "СчетУчетаРасчетовПоАвансам_Key": account_key("62.02"),
                **rates,
            }
        )
    return found
