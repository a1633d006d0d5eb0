"""Synthetic pages of a trade base for benchmarks: counterparties and customer orders in 1C's JSON, from a seed.

A counterparty has 25 properties and two rows of contact information, an order 18 properties and five lines of ten
(sizes as measured on real bases: 1.2 KB and 3 KB). Pages of 1,000 are written once to files, so that every contestant
reads the same bytes.
"""

from __future__ import annotations

import json
import random
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = 1000
PRODUCTS = 2000
ZERO = str(uuid.UUID(int=0))
CLIENTS_SET = "Catalog_Контрагенты"
ORDERS_SET = "Document_ЗаказКлиента"
PRODUCTS_SET = "Catalog_Номенклатура"

_FIRST = ("Альфа", "Вектор", "Гранит", "Дельта", "Заря", "Искра", "Кедр", "Луч", "Маяк", "Ромашка", "Север", "Факел")
_SECOND = ("Сервис", "Строй", "Торг", "Снаб", "Трейд", "Плюс", "Мастер", "Центр", "Групп", "Маркет")
_CITY = ("Тверь", "Казань", "Самара", "Омск", "Пермь", "Воронеж", "Калуга", "Уфа", "Томск", "Рязань")


def key(kind: int, number: int) -> str:
    """A GUID-shaped key, spread like a random one so that indexes work as they would in life."""
    mixed = (number * 0x9E3779B97F4A7C15 + kind * 0xC2B2AE3D27D4EB4F) % (1 << 64)
    return str(uuid.UUID(int=(mixed << 64) | ((kind << 56) | number)))


def inn(rng: random.Random) -> str:
    """A ten-digit ИНН with its control digit."""
    digits = [rng.randrange(1, 10), *(rng.randrange(10) for _ in range(8))]
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    control = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 % 10
    return "".join(map(str, [*digits, control]))


def _contact(number: int, kind: str, shown: str, **cells: str) -> dict[str, Any]:
    row = {
        "Ref_Key": ZERO,
        "LineNumber": str(number),
        "Тип": kind,
        "Вид_Key": key(9, number),
        "Представление": shown,
        "ЗначенияПолей": "",
        "Страна": "",
        "Регион": "",
        "Город": "",
        "АдресЭП": "",
        "ДоменноеИмяСервера": "",
        "НомерТелефона": "",
        "НомерТелефонаБезКодов": "",
        "ВидДляСписка_Key": key(9, number),
        "ДействуетС": "0001-01-01T00:00:00",
        "Значение": "",
    }
    return row | cells


def client(number: int, edited: bool) -> dict[str, Any]:
    """One counterparty as the base sends it; ``edited``: its note and version differ."""
    rng = random.Random(number)
    name = f"{rng.choice(_FIRST)}{rng.choice(_SECOND)}-{number}"
    phone = f"9{rng.randrange(10**9):09d}"
    own = key(1, number)
    return {
        "Ref_Key": own,
        "Predefined": False,
        "PredefinedDataName": "",
        "DataVersion": "AAAAAAAAAAI=" if edited else "AAAAAAAAAAE=",
        "Description": name,
        "DeletionMark": False,
        "НаименованиеПолное": f'ООО "{name}"',
        "ОбособленноеПодразделение": False,
        "ЮридическоеФизическоеЛицо": "ЮридическоеЛицо",
        "СтранаРегистрации_Key": key(8, 1),
        "ГоловнойКонтрагент_Key": own,
        "ИНН": inn(rng),
        "КПП": f"{rng.randrange(1, 99):02d}0{rng.randrange(1, 9)}01001",
        "ДополнительнаяИнформация": f"Изменено: заметка {number}" if edited else f"Заметка {number}",
        "Партнер_Key": key(2, number),
        "ЮрФизЛицо": "ЮрЛицо",
        "НДСПоСтавкам4и2": False,
        "КодПоОКПО": f"{rng.randrange(10**8):08d}",
        "РегистрационныйНомер": "",
        "НалоговыйНомер": "",
        "НаименованиеМеждународное": "",
        "КонтактнаяИнформация": [
            _contact(
                1, "Телефон", f"+7 ({phone[:3]}) {phone[3:6]}-{phone[6:8]}-{phone[8:]}", НомерТелефона=f"7{phone}"
            ),
            _contact(2, "АдресЭлектроннойПочты", f"office@client{number}.ru", АдресЭП=f"office@client{number}.ru"),
        ],
        "ДополнительныеРеквизиты": [],
        "ИсторияКПП": [],
        "ИсторияНаименований": [],
    }


def _line(rng: random.Random, number: int) -> tuple[dict[str, Any], int]:
    qty, price = rng.randrange(1, 20), rng.randrange(1000, 500_000)
    amount = qty * price
    vat = round(amount * 20 / 120)
    row = {
        "LineNumber": str(number),
        "Номенклатура_Key": key(3, rng.randrange(PRODUCTS)),
        "Характеристика_Key": ZERO,
        "Упаковка_Key": ZERO,
        "Количество": qty,
        "Цена": price / 100,
        "Сумма": amount / 100,
        "СтавкаНДС_Key": key(7, 1),
        "СуммаНДС": vat / 100,
        "КодСтроки": str(number),
        "Отменено": False,
    }
    return row, amount


def order(number: int, clients: int, edited: bool) -> dict[str, Any]:
    """One customer order as the base sends it; ``edited``: its comment and version differ."""
    rng = random.Random(number + 7_000_000)
    lines, total = [], 0
    for position in range(1, 6):
        row, amount = _line(rng, position)
        lines.append(row)
        total += amount
    day = f"2026-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    buyer = rng.randrange(clients)
    return {
        "Ref_Key": key(4, number),
        "DataVersion": "AAAAAAAAAAI=" if edited else "AAAAAAAAAAE=",
        "Number": f"ТД00-{number:06d}",
        "Date": f"{day}T{rng.randrange(9, 19):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}",
        "DeletionMark": False,
        "Posted": True,
        "Партнер_Key": key(2, buyer),
        "Контрагент_Key": key(1, buyer),
        "Организация_Key": key(5, 1),
        "Договор_Key": ZERO,
        "Валюта_Key": key(10, 1),
        "СуммаДокумента": total / 100,
        "Склад_Key": key(11, rng.randrange(3)),
        "ЦенаВключаетНДС": True,
        "Менеджер_Key": key(12, rng.randrange(20)),
        "Статус": "КОбеспечению",
        "ДатаОтгрузки": f"{day}T00:00:00",
        "АдресДоставки": f"{rng.choice(_CITY)}, Лесная ул, дом № {rng.randrange(1, 90)}",
        "НомерПоДаннымКлиента": "",
        "Комментарий": f"Изменено: {number}" if edited else "",
        "Товары": lines,
    }


def product(number: int) -> dict[str, Any]:
    """One item of goods."""
    return {
        "Ref_Key": key(3, number),
        "DataVersion": "AAAAAAAAAAE=",
        "Description": f"Товар {number}",
        "НаименованиеПолное": f"Товар номер {number}",
        "Code": f"00-{number:08d}",
        "Артикул": f"A-{number}",
        "IsFolder": False,
        "DeletionMark": False,
        "ТипНоменклатуры": "Товар",
        "ЕдиницаИзмерения_Key": key(13, 1),
        "СтавкаНДС_Key": key(7, 1),
    }


def _records(name: str, clients: int, orders: int, every: int) -> Iterator[dict[str, Any]]:
    if name == PRODUCTS_SET:
        yield from (product(number) for number in range(PRODUCTS))
    elif name == CLIENTS_SET:
        yield from (client(number, bool(every) and number % every == 0) for number in range(clients))
    else:
        yield from (order(number, clients, bool(every) and number % every == 0) for number in range(orders))


def write(folder: Path, clients: int, orders: int, every: int = 0) -> dict[str, list[Path]]:
    """Page files by set under ``folder``, made where missing. ``every``: each so-many-th record is edited."""
    made = folder / f"{clients}_{orders}_{every}"
    complete = made / "complete"
    sets = (PRODUCTS_SET, CLIENTS_SET, ORDERS_SET)
    if not complete.exists():
        shutil.rmtree(made, ignore_errors=True)
        for name in sets:
            (made / name).mkdir(parents=True)
            _write_set(made / name, _records(name, clients, orders, every))
        complete.touch()
    return {name: sorted((made / name).glob("*.json")) for name in sets}


def _write_set(folder: Path, records: Iterator[dict[str, Any]]) -> None:
    page: list[str] = []
    number = 0
    for record in records:
        page.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
        if len(page) == PAGE:
            _write_page(folder, number, page)
            page, number = [], number + 1
    if page:
        _write_page(folder, number, page)


def _write_page(folder: Path, number: int, page: list[str]) -> None:
    head = f'{{"odata.metadata":"http://bench/odata/standard.odata/$metadata#{folder.name}","value":['
    (folder / f"{number:05d}.json").write_text(head + ",".join(page) + "]}", encoding="utf-8")
