"""Orders of a site: read into the base, and told back with what became of them.

An order keeps the site's ``Ид``; one that comes again is the same document. What is created for it (a buyer, a product
the base lacks) gets a key made of the site's own identifier.
"""

from __future__ import annotations

from uuid import UUID

from lxml import etree

from stand.onec.commerceml.catalog import ITEMS, document, is_three, requisites
from stand.onec.enterprise.incoming import fitting, number
from stand.onec.enterprise.objects import first, lines
from stand.onec.enterprise.outgoing import CURRENCY
from stand.onec.enterprise.trees import Tree, child, local, parse, text, xml
from stand.onec.world import Record, World, derived_guid, type_name

PARTIES = "Catalog_Контрагенты"
_SETS = ("Document_ЗаказКлиента", "Document_ЗаказПокупателя", "Document_СчетНаОплатуПокупателю")


def order_set(world: World) -> str:
    """The documents that orders of a site become: orders, or invoices where a base has no orders."""
    return next(name for name in _SETS if name in world.model.sets)


def known(world: World) -> dict[str, str]:
    """The site's identifier of every order of a site, by the document's key."""
    found: dict[str, str] = world.notes.setdefault("site_orders", {})
    return found


def load(world: World, data: bytes) -> list[str]:
    """Write the orders of a document; their keys. ``BadXml``, ``ValueError``: it cannot be read."""
    root = parse(data)
    with world.lock:
        return [_write(world, item) for item in root.iter() if local(item) == "Документ"]


def _key(identifier: str) -> str:
    try:
        return str(UUID(identifier))
    except ValueError:
        return derived_guid(f"site {identifier}")


def _write(world: World, item: etree._Element) -> str:
    name, site = order_set(world), text(item, "Ид")
    key, shape = _key(f"{site}"), world.set_of(name)
    part = "Товары" if "Товары" in shape.tables else "Запасы"
    goods = child(item, "Товары")
    rows = [_line(world, name, part, row) for row in (goods if goods is not None else []) if local(row) == "Товар"]
    fields: Record = {
        "Date": f"{text(item, 'Дата')}T{text(item, 'Время') or '00:00:00'}",
        "Контрагент_Key": _buyer(world, child(item, "Контрагенты", "Контрагент")),
        "СуммаДокумента": number(text(item, "Сумма")),
        "Комментарий": text(item, "Комментарий"),
        "НомерПоДаннымКлиента": text(item, "Номер"),
        "НомерВходящегоДокумента": text(item, "Номер"),
        fitting(shape, *CURRENCY): _currency(world, text(item, "Валюта")),
        "Организация_Key": world.records("Catalog_Организации")[0]["Ref_Key"],
        part: rows,
        "Posted": True,
    }
    fields = {field: value for field, value in fields.items() if field in shape.shape.by_name}
    if world.get(name, key) is None:
        world.add(name, {"Ref_Key": key, "Number": f"С-{len(known(world)) + 1:06}", **fields})
    else:
        world.edit(name, key, fields)
    known(world)[key] = site
    return key


def _buyer(world: World, item: etree._Element | None) -> str:
    inn = text(item, "ИНН")
    for record in world.tables[PARTIES] if inn else ():
        if record.get("ИНН") == inn and record.get("КПП", "") == text(item, "КПП"):
            return str(record["Ref_Key"])
    key = _key(text(item, "Ид") or text(item, "Наименование"))
    if world.get(PARTIES, key) is None:
        shape = world.set_of(PARTIES)
        legal = "ЮридическоеЛицо" if inn and len(inn) == 10 else "ФизическоеЛицо"
        full = text(item, "ПолноеНаименование") or text(item, "ОфициальноеНаименование")
        told = {"Description": text(item, "Наименование"), "НаименованиеПолное": full, "ИНН": inn}
        kind = fitting(shape, "ЮридическоеФизическоеЛицо", "ВидКонтрагента")
        world.add(PARTIES, {"Ref_Key": key, **told, "КПП": text(item, "КПП"), kind: legal})
    return key


def _currency(world: World, name: str) -> str:
    """The currency by its letters; ``руб`` is how older sites write the first one."""
    found = world.records("Catalog_Валюты")
    wanted = "RUB" if name.lower().startswith("руб") else name
    return str(next((r for r in found if r["Description"] == wanted), found[0])["Ref_Key"])


def _line(world: World, name: str, part: str, row: etree._Element) -> Record:
    """A line; an offer's identifier is the product's before the ``#``."""
    key = _key(text(row, "Ид").partition("#")[0])
    if world.get(ITEMS, key) is None:
        world.add(ITEMS, {"Ref_Key": key, "Description": text(row, "Наименование")})
    shape, total = world.set_of(name).tables[part], number(text(row, "Сумма"))
    line: Record = {
        "Номенклатура_Key": key,
        "Номенклатура": key,
        "Номенклатура_Type": type_name(ITEMS),
        "Количество": number(text(row, "Количество")),
        "Цена": number(text(row, "ЦенаЗаЕдиницу")),
        "Сумма": total,
        "СуммаСНДС": total,
        "Всего": total,
        "Содержание": text(row, "Наименование"),
    }
    return {field: value for field, value in line.items() if field in shape.by_name}


def statuses(world: World, version: str) -> bytes:
    """What became of the site's orders: their numbers here, whether they stand, and their lines as they are now."""
    name, told = order_set(world), ""
    for key, site in known(world).items():
        record = world.get(name, key)
        if record is not None:
            order = xml([("Документ", _told(world, record, site))])
            told += f"<Контейнер>{order}</Контейнер>" if is_three(version) else order
    return document(version, told, world.clock)


def _told(world: World, record: Record, site: str) -> Tree:
    day, _, hour = first(record, "Date").partition("T")
    gone = "true" if record.get("DeletionMark") else "false"
    rows: Tree = []
    for row in lines(record):
        item = world.get(ITEMS, first(row, "Номенклатура_Key", "Номенклатура")) or {}
        figures = (("ЦенаЗаЕдиницу", "Цена"), ("Количество", "Количество"), ("Сумма", "Сумма"))
        told: Tree = [("Ид", first(item, "Ref_Key")), ("Наименование", first(item, "Description"))]
        rows.append(("Товар", [*told, *[(name, str(row.get(field, 0))) for name, field in figures]]))
    traits = (("Номер по 1С", first(record, "Number")), ("Дата по 1С", first(record, "Date")), ("Отменен", gone))
    posted = ("Проведен", "true" if record.get("Posted") else "false")
    return [
        ("Ид", site),
        ("Номер", first(record, "НомерПоДаннымКлиента", "НомерВходящегоДокумента", "Number")),
        ("Дата", day),
        ("Время", hour),
        ("ХозОперация", "Заказ товара"),
        ("Роль", "Продавец"),
        ("Валюта", "RUB"),
        ("Курс", "1"),
        ("Сумма", str(record.get("СуммаДокумента", 0))),
        ("Товары", rows),
        ("ЗначенияРеквизитов", requisites(*traits, posted)),
    ]
