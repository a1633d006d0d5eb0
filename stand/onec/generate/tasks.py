"""What people are to do: tasks of the task list and planned interactions with clients, done, open and overdue."""

from __future__ import annotations

from datetime import timedelta

from stand.onec.generate.catalogs import Base, moment
from stand.onec.generate.luck import Luck
from stand.onec.generate.orders import Order
from stand.onec.generate.parties import Client
from stand.onec.model import EMPTY_REF
from stand.onec.world import Record, type_name

TASKS, PLANNED = "Task_ЗадачаИсполнителя", "Document_ЗапланированноеВзаимодействие"
_ORDER, _INVOICE, _PARTY = "Document_ЗаказКлиента", "Document_СчетНаОплатуКлиенту", "Catalog_Контрагенты"
_WORK = ("Подготовить отгрузку", "Согласовать скидку", "Проверить оплату", "Уточнить адрес доставки", "Отправить счёт")
_TALK = ("Позвонить клиенту", "Встреча по условиям поставки", "Напомнить об оплате", "Обсудить ассортимент")


def make_tasks(base: Base, seed: int, clients: list[Client], orders: list[Order]) -> None:
    """One task for eight orders, one planned interaction for six clients; drawn apart, so nothing else changes."""
    luck = Luck(seed + 0x7A5C)
    invoices = {row["ДокументОснование"]: row["Ref_Key"] for row in base.world.tables[_INVOICE]}
    for number in range(len(orders) // 8 if clients else 0):
        base.world.put(TASKS, _task(base, luck, number, luck.pick(orders), invoices))
    for number in range(len(clients) // 6):
        base.world.put(PLANNED, _planned(base, luck, number, luck.pick(clients)))


def _subject(number: int, order: Order, invoices: dict[str, str]) -> Record:
    """In turn the order, its invoice if there is one, and the client."""
    kind, key, shown = _ORDER, order.key, f"Заказ от {order.when[:10]}, {order.client.name}"
    if number % 3 == 1 and order.key in invoices:
        kind, key, shown = _INVOICE, invoices[order.key], f"Счёт, {order.client.name}"
    elif number % 3 == 2:
        kind, key, shown = _PARTY, order.client.party, order.client.name
    return {"Предмет": key, "Предмет_Type": type_name(kind), "ПредметСтрокой": shown[:500]}


def _task(base: Base, luck: Luck, number: int, order: Order, invoices: dict[str, str]) -> Record:
    age = luck.whole(0, 120)
    given = moment(base.today - timedelta(days=age), 9 * 3600 + luck.whole(0, 28800))
    due = moment(base.today - timedelta(days=age - luck.whole(1, 20)), 18 * 3600)
    done = luck.chance(0.6 if age > 5 else 0.1)
    author, performer = luck.pick(base.managers), order.client.manager
    what = luck.pick(_WORK)
    people = {
        "Автор": author,
        "Автор_Type": type_name("Catalog_Пользователи"),
        "Исполнитель": performer,
        "Исполнитель_Type": type_name("Catalog_Пользователи"),
        "АвторСтрокой": str(base.world.tables["Catalog_Пользователи"].rows[author]["Description"]),
    }
    finished = {
        "Executed": True,
        "ДатаИсполнения": moment(base.today - timedelta(days=luck.whole(0, age)), 17 * 3600),
        "РезультатВыполнения": "Сделано",
    }
    return {
        "Ref_Key": luck.guid(),
        "DataVersion": "AAAAAAAAAAE=",
        "Number": f"{number + 1:014d}",
        "Date": given,
        "Description": what,
        "Важность": luck.pick(("Обычная", "Обычная", "Высокая", "Низкая")),
        "ДатаНачала": given,
        "Описание": f"{what}: {order.client.name}",
        "ПринятаКИсполнению": done or luck.chance(0.5),
        "СостояниеБизнесПроцесса": "Активен",
        "СрокИсполнения": due,
        "DeletionMark": luck.chance(0.02),
        **people,
        **_subject(number, order, invoices),
        **(finished if done else {}),
    }


def _planned(base: Base, luck: Luck, number: int, client: Client) -> Record:
    who = client.person if client.person != EMPTY_REF and luck.chance(0.5) else client.partner
    kind = "Catalog_Партнеры" if who == client.partner else "Catalog_КонтактныеЛицаПартнеров"
    shown = str(base.world.tables[kind].rows[who]["Description"])
    return {
        "Ref_Key": luck.guid(),
        "DataVersion": "AAAAAAAAAAE=",
        "Number": f"{number + 1:011d}",
        "Date": moment(base.today + timedelta(days=luck.whole(-90, 14)), 9 * 3600 + luck.whole(0, 28800)),
        "Автор_Key": luck.pick(base.managers),
        "Ответственный_Key": client.manager,
        "Важность": luck.pick(("Обычная", "Обычная", "Высокая")),
        "Тема": luck.pick(_TALK),
        "СписокУчастников": shown,
        "Участники": [
            {
                "LineNumber": "1",
                "Контакт": who,
                "Контакт_Type": type_name(kind),
                "ПредставлениеКонтакта": shown[:100],
                "КакСвязаться": (client.contacts.phones or client.contacts.emails or ("",))[0][:100],
            }
        ],
    }
