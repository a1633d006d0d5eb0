"""The documents of the business as УНФ writes them down; a shipment of goods and services becomes two documents."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from stand.onec.generate.lines import rubles
from stand.onec.generate.orders import Numbers
from stand.onec.generate.retelling import BANK, CASH, DOCUMENT, PARTIES, SALE, pick, typed
from stand.onec.model import EMPTY_REF
from stand.onec.world import Record, Rows, derived_guid, rows_of, type_name

if TYPE_CHECKING:
    from stand.onec.generate.unf import Unf

ORDER, INVOICE = "Document_ЗаказПокупателя", "Document_СчетНаОплату"
#: What a task of УТ is about → what that is here.
_SUBJECTS = {
    type_name("Document_ЗаказКлиента"): ORDER,
    type_name("Document_СчетНаОплатуКлиенту"): INVOICE,
    type_name(PARTIES): PARTIES,
}
SHIPMENT, ACT = "Document_РасходнаяНакладная", "Document_АктВыполненныхРабот"
BANK_IN, CASH_IN = "Document_ПоступлениеНаСчет", "Document_ПоступлениеВКассу"
STOCK = "AccumulationRegister_ЗапасыНаСкладах"


def tell_documents(unf: Unf) -> None:
    """Orders, invoices, shipments, acts, payments, events, and the unpublished purchases."""
    for order in unf.source.tables["Document_ЗаказКлиента"]:
        _order(unf, order)
    for invoice in unf.source.tables["Document_СчетНаОплатуКлиенту"]:
        _invoice(unf, invoice)
    acts = Numbers("ТДНФ")
    for sale in unf.source.tables[SALE]:
        _sale(unf, sale, acts)
    for name, told in ((BANK, BANK_IN), (CASH, CASH_IN)):
        for payment in unf.source.tables[name]:
            _payment(unf, payment, told)
    _tasks(unf)
    _purchases(unf)


def number_of(document: Record) -> str:
    """УТ's number with УНФ's prefix."""
    return str(document["Number"]).replace("УТ-", "НФ-").replace("ТДКА-", "ТДНФ-")


def _head(unf: Unf, document: Record) -> Record:
    currency = document["Валюта_Key"]
    return pick(document, *DOCUMENT, "Контрагент_Key", "Организация_Key", "СуммаДокумента") | {
        "Number": number_of(document),
        "Договор_Key": unf.contract(document),
        "ВалютаДокумента_Key": currency,
        **unf.course(currency, document["Date"]),
    }


def _row(unf: Unf, row: Record, **more: Any) -> Record:
    names = ("Цена", "Сумма", "СтавкаНДС_Key", "СуммаНДС", "Характеристика_Key", "КлючСвязи")
    renamed = {
        "Количество": "КоличествоУпаковок", "Всего": "СуммаСНДС", "ПроцентСкидкиНаценки": "ПроцентРучнойСкидки",
        "СуммаСкидкиНаценки": "СуммаРучнойСкидки",
    }  # fmt: skip
    return pick(row, *names, **renamed) | unf.unit(row) | more


def order_lines(unf: Unf, day: str, rows: Rows) -> Rows:
    """Rows of an order: here a line names its product by a composite reference, and cancelled lines are gone."""
    return [
        _row(unf, row, **typed("Номенклатура", row["Номенклатура_Key"], "Catalog_Номенклатура"), ДатаОтгрузки=day)
        for row in rows
        if not row.get("Отменено")
    ]


def lines(unf: Unf, wanted: bool | None, order: str, rows: Rows) -> Rows:
    """Rows of other documents; ``wanted``: services only, goods only or (``None``) both."""
    named = typed("Заказ", order, ORDER)
    return [
        _row(unf, row, Номенклатура_Key=row["Номенклатура_Key"], **named)
        for row in rows
        if not row.get("Отменено") and wanted in (None, row["Номенклатура_Key"] in unf.services)
    ]


def _calendar(rows: Rows) -> Rows:
    return [pick(r, ДатаОплаты="ДатаПлатежа", ПроцентОплаты="ПроцентПлатежа", СуммаОплаты="СуммаПлатежа") for r in rows]


def _order(unf: Unf, order: Record) -> None:
    day = str(order.get("ДатаОтгрузки", order["Date"]))
    unf.put(
        ORDER,
        _head(unf, order),
        typed("СостояниеЗаказа", unf.states[order["Статус"]], "Catalog_СостоянияЗаказовПокупателей"),
        pick(order, "АдресДоставки", "КонтактноеЛицо_Key", НомерВходящегоДокумента="НомерПоДаннымКлиента"),
        pick(order, СуммаВключаетНДС="ЦенаВключаетНДС", ДатаВходящегоДокумента="ДатаПоДаннымКлиента"),
        DataVersion=order["DataVersion"],
        ВидОперации="ЗаказНаПродажу",
        ДатаОтгрузки=day,
        ДатаИзменения=order["Date"],
        Закрыт=order["Статус"] == "Закрыт",
        ВариантЗавершения="Успешно" if order["Статус"] == "Закрыт" else "",
        ЗапланироватьОплату="ЭтапыГрафикаОплаты" in order,
        ТипДенежныхСредств="Безналичные",
        НалогообложениеНДС="ОблагаетсяНДС",
        Ответственный_Key=unf.employee(order["Менеджер_Key"]),
        Автор_Key=order["Менеджер_Key"],
        СтруктурнаяЕдиницаПродажи_Key=unf.department,
        СтруктурнаяЕдиницаРезерв_Key=order["Склад_Key"],
        Запасы=unf.told(order["Товары"], partial(order_lines, unf, day)),
        ПлатежныйКалендарь=unf.told(order.get("ЭтапыГрафикаОплаты"), _calendar),
    )


def _invoice(unf: Unf, invoice: Record) -> None:
    order = unf.source.tables["Document_ЗаказКлиента"].rows[invoice["ДокументОснование"]]
    stages = rows_of(invoice["ЭтапыГрафикаОплаты"])
    unf.put(
        INVOICE,
        _head(unf, invoice),
        typed("ДокументОснование", order["Ref_Key"], ORDER),
        pick(invoice, "НазначениеПлатежа", "Аннулирован"),
        ОплатаДо=stages[-1]["ДатаПлатежа"],
        СуммаВключаетНДС=order["ЦенаВключаетНДС"],
        НалогообложениеНДС="ОблагаетсяНДС",
        Ответственный_Key=unf.employee(invoice["Менеджер_Key"]),
        Запасы=unf.told(order["Товары"], partial(lines, unf, None, "")),
    )


def _sale(unf: Unf, sale: Record, acts: Numbers) -> None:
    """Goods go on a «Расходная накладная», services on an «Акт выполненных работ»."""
    order, rows = sale["ЗаказКлиента"], rows_of(sale["Товары"])
    services = [row for row in rows if row["Номенклатура_Key"] in unf.services]
    common = _head(unf, sale) | typed("Заказ", order, ORDER) | typed("ДокументОснование", order, ORDER)
    common |= {
        "СуммаВключаетНДС": sale["ЦенаВключаетНДС"],
        "НалогообложениеНДС": "ОблагаетсяНДС",
        "Ответственный_Key": unf.employee(sale["Менеджер_Key"]),
    }
    if len(services) < len(rows):
        unf.put(
            SHIPMENT,
            common,
            ВидОперации="ПродажаПокупателю",
            СтруктурнаяЕдиница_Key=sale["Склад_Key"],
            СуммаДокумента=_total(row for row in rows if row not in services),
            Запасы=unf.told(sale["Товары"], partial(lines, unf, False, order)),
        )
    if services:
        key = derived_guid(f"act {sale['Ref_Key']}") if len(services) < len(rows) else sale["Ref_Key"]
        unf.put(
            ACT,
            common,
            Ref_Key=key,
            Number=acts.next(sale["Date"][:4]),
            СуммаДокумента=_total(services),
            РаботыИУслуги=unf.told(sale["Товары"], partial(lines, unf, True, "")),
        )


def _total(rows: Iterable[Record]) -> int | float:
    return rubles(sum(round(row["СуммаСНДС"] * 100) for row in rows))


def _payment(unf: Unf, payment: Record, told: str) -> None:
    rates = unf.course(payment["Валюта_Key"], payment["Date"])
    head = _head(unf, payment)
    contract = head.pop("Договор_Key")
    head["ВалютаДенежныхСредств_Key"] = head.pop("ВалютаДокумента_Key")
    amount = round(payment["СуммаДокумента"] * rates["Курс"] / int(rates["Кратность"]), 2)
    unf.put(
        told,
        head,
        pick(payment, "НазначениеПлатежа", "ПринятоОт", "Основание", "ДатаВходящегоДокумента"),
        pick(payment, НомерВходящегоДокумента="ВходящийНомер"),
        ВидОперации="ОтПокупателя",
        СуммаУчета=amount,
        РасшифровкаПлатежа=unf.told(
            payment["РасшифровкаПлатежа"], partial(allocations, unf, contract, payment["Date"], rates)
        ),
    )


def allocations(unf: Unf, contract: str, when: str, rates: Record, rows: Rows) -> Rows:
    """Rows of a payment: an advance until the order's first shipment, then a payment for that shipment."""
    found = []
    for row in rows:
        first, sale = unf.shipped.get(row["Заказ"], ("9999", ""))
        kind = SHIPMENT if sale in unf.target.tables[SHIPMENT].rows else ACT
        found.append(
            pick(row, СуммаПлатежа="Сумма", СуммаРасчетов="СуммаВзаиморасчетов")
            | typed("Заказ", row["Заказ"], ORDER)
            | typed("СчетНаОплату", row.get("ОснованиеПлатежа", ""), INVOICE)
            | (typed("Документ", sale, kind) if first <= when else {"ПризнакАванса": True})
            | {"Договор_Key": contract, **rates}
        )
    return found


def _tasks(unf: Unf) -> None:
    for task in unf.source.tables["Task_ЗадачаИсполнителя"]:
        unf.put("Task_ЗадачаИсполнителя", task, typed("Предмет", task["Предмет"], _SUBJECTS[task["Предмет_Type"]]))
    for planned in unf.source.tables["Document_ЗапланированноеВзаимодействие"]:
        kind = "Встреча" if planned["Тема"].startswith("Встреча") else "ТелефонныйЗвонок"
        unf.put(
            "Document_Событие",
            pick(planned, *DOCUMENT, "Number", "Важность", "Тема", "Автор_Key", НачалоСобытия="Date"),
            ТипСобытия=kind,
            ВходящееИсходящееСобытие="Исходящее",
            Ответственный_Key=unf.employee(planned["Ответственный_Key"]),
            Участники=unf.told(planned["Участники"], partial(_participants, unf)),
        )


def _participants(unf: Unf, rows: Rows) -> Rows:
    found = []
    for row in rows:
        if row["Контакт"] in unf.partners:
            who = typed("Контакт", unf.party_of.get(row["Контакт"], EMPTY_REF), PARTIES)
        else:
            who = typed("Контакт", row["Контакт"], "Catalog_КонтактныеЛица")
        found.append(pick(row, "КакСвязаться") | who)
    return found


def _purchases(unf: Unf) -> None:
    register = "AccumulationRegister_ТоварыНаСкладах"
    org = next(iter(unf.source.tables["Catalog_Организации"]))["Ref_Key"]
    for document in unf.source.hidden:
        if register in document["~movements"]:
            rows = partial(receipts, org, document["~movements"][register])
            unf.target.hidden.append(document | {"~movements": {STOCK: rows}})


def receipts(org: str, told: Any) -> Rows:
    """Receipts of stock in УНФ's register."""
    names = ("Period", "LineNumber", "Active", "RecordType", "Номенклатура_Key", "Характеристика_Key")
    renamed = {"Количество": "ВНаличии", "СтруктурнаяЕдиница_Key": "Склад_Key"}
    return [pick(row, *names, **renamed) | {"Организация_Key": org} for row in told()]
