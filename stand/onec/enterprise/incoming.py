"""What others tell, written into the base: objects of a message's body as edits of records.

An object is looked for by its uuid, a counterparty then by ИНН and КПП, a product by its article; found by neither it
is created under the uuid it came with. Properties that are not in the message stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lxml import etree

from stand.onec.enterprise.nodes import Node
from stand.onec.enterprise.objects import Kind
from stand.onec.enterprise.outgoing import CURRENCY
from stand.onec.enterprise.trees import child, local, text
from stand.onec.model import EMPTY_REF, EntitySet
from stand.onec.world import Record, World, derived_guid, type_name

_CONTACTS = {
    "ЮридическийАдрес": "Адрес",
    "ФактическийАдрес": "Адрес",
    "ПочтовыйАдрес": "Адрес",
    "ТелефонРабочий": "Телефон",
}


def fitting(item: EntitySet, *names: str) -> str:
    """The name this configuration has for a field."""
    return next((name for name in names if name in item.shape.by_name), "")


def number(value: str) -> float:
    """A number, whole where it is one. ``ValueError``: the text is none."""
    found = float(value or 0)
    return int(found) if found == int(found) else found


@dataclass(slots=True)
class Loader:
    """Writes objects of one message. ``kinds``: set → kind, of this configuration."""

    world: World
    node: Node
    kinds: dict[str, Kind]

    def load(self, body: Iterable[etree._Element]) -> None:
        """Write every object in the order of the message; kinds that the base does not receive are passed over."""
        receiving = {kind.name: name for name, kind in self.kinds.items() if kind.receives}
        for element in body:
            name = local(element)
            if name == "УдалениеОбъекта":
                self._mark(element)
            elif name in receiving:
                self._write(receiving[name], element)
                self.node.loaded += 1
            elif name:
                self.node.skipped += 1

    def _mark(self, element: etree._Element) -> None:
        """A deletion marks the object; one that is not here is passed over."""
        reference = next((item for item in element.iter() if not len(item) and (item.text or "").strip()), None)
        kind = None if reference is None else local(reference)
        name = next((name for name, own in self.kinds.items() if own.reference == kind), "")
        key = self._ours(text(reference))
        if name and self.world.get(name, key) is not None:
            fields: Record = {"DeletionMark": True}
            if self.kinds[name].is_document:
                fields["Posted"] = False
            self.world.edit(name, key, fields)
            self.node.loaded += 1
        else:
            self.node.skipped += 1

    def _ours(self, uuid: str) -> str:
        return self.node.theirs.get(uuid.lower(), uuid.lower())

    def _write(self, name: str, element: etree._Element) -> None:
        keys = child(element, "КлючевыеСвойства")
        item = self.world.set_of(name)
        if name == "Catalog_Контрагенты":
            fields = self._party(item, keys) | self._party_rest(item, element)
        elif name == "Catalog_Номенклатура":
            fields = self._item(item, keys) | self._item_rest(item, element)
        else:
            fields = self._order(item, element, keys)
        self._put(name, keys, fields)

    def _put(self, name: str, keys: etree._Element | None, fields: Record) -> str:
        """Change the object, or create it; its key here."""
        key = self._found(name, keys)
        known = {field: value for field, value in fields.items() if field in self.world.set_of(name).shape.by_name}
        if self.world.get(name, key) is not None:
            self.world.edit(name, key, known)
        else:
            self.world.add(name, {"Ref_Key": key, **known})
        self.node.told.add((name, key))
        return key

    def _found(self, name: str, keys: etree._Element | None) -> str:
        """The key of the object here: by uuid, else by what it is, else a new one."""
        told = text(keys, "Ссылка").lower()
        try:
            uuid = str(UUID(told))
        except ValueError:
            uuid = derived_guid(f"{self.node.code} {name} {etree.tostring(keys).decode() if keys is not None else ''}")
        key = self._ours(uuid)
        if self.world.get(name, key) is not None:
            return key
        sought = self._sought(name, keys)
        if not sought:
            return key
        for record in self.world.tables[name]:
            if all(record.get(field, "") == value for field, value in sought.items()):
                self.node.match(uuid, str(record["Ref_Key"]))
                return str(record["Ref_Key"])
        return key

    def _sought(self, name: str, keys: etree._Element | None) -> dict[str, str]:
        if name == "Catalog_Контрагенты" and text(keys, "ИНН"):
            return {"ИНН": text(keys, "ИНН"), "КПП": text(keys, "КПП")}
        if name == "Catalog_Номенклатура" and text(keys, "Артикул"):
            return {"Артикул": text(keys, "Артикул")}
        return {}

    def _reference(self, name: str, keys: etree._Element | None) -> str:
        """The key of what a reference leads to. An unknown counterparty or product is made of its key properties."""
        if keys is None or not len(keys):
            return EMPTY_REF
        key = self._found(name, keys)
        if self.world.get(name, key) is None:
            item = self.world.set_of(name)
            made = {"Catalog_Контрагенты": self._party, "Catalog_Номенклатура": self._item}.get(name)
            if made is not None:
                return self._put(name, keys, made(item, keys))
        return key

    def _party(self, item: EntitySet, keys: etree._Element | None) -> Record:
        legal = text(keys, "ЮридическоеФизическоеЛицо") or "ЮридическоеЛицо"
        return {
            "Description": text(keys, "Наименование"),
            **_given(keys, "НаименованиеПолное", "ИНН", "КПП"),
            fitting(item, "ЮридическоеФизическоеЛицо", "ВидКонтрагента"): legal,
        }

    def _party_rest(self, item: EntitySet, element: etree._Element) -> Record:
        fields: Record = {}
        if child(element, "ДополнительнаяИнформация") is not None:
            name = fitting(item, "ДополнительнаяИнформация", "Комментарий")
            fields[name] = text(element, "ДополнительнаяИнформация")
        if child(element, "ОКПО") is not None:
            fields["КодПоОКПО"] = text(element, "ОКПО")
        contacts = child(element, "КонтактнаяИнформация")
        if contacts is not None:
            fields["КонтактнаяИнформация"] = [_contact(row) for row in contacts if local(row) == "Строка"]
        return fields

    def _item(self, _item: EntitySet, keys: etree._Element | None) -> Record:
        return {"Description": text(keys, "Наименование"), **_given(keys, "НаименованиеПолное", "Артикул")}

    def _item_rest(self, item: EntitySet, element: etree._Element) -> Record:
        service = text(element, "ТипНоменклатуры") in ("Услуга", "Работа")
        fields: Record = {"Услуга": service} if "Услуга" in item.shape.by_name else {}
        if "ТипНоменклатуры" in item.shape.by_name:
            goods = "Запас" if "ДатаИзменения" in item.shape.by_name else "Товар"
            fields["ТипНоменклатуры"] = "Услуга" if service else goods
        if child(element, "Описание") is not None:
            fields["Описание"] = text(element, "Описание")
        unit = text(element, "ЕдиницаИзмерения", "Ссылка")
        return fields | ({"ЕдиницаИзмерения_Key": self._ours(unit)} if unit else {})

    def _order(self, item: EntitySet, element: etree._Element, keys: etree._Element | None) -> Record:
        party = self._reference("Catalog_Контрагенты", child(element, "Контрагент"))
        known = self.world.get("Catalog_Контрагенты", party) or {}
        part = "Товары" if "Товары" in item.tables else "Запасы"
        tables = [table for table in element if local(table) in ("Товары", "Услуги")]
        lines = [self._line(item, part, row) for table in tables for row in table if local(row)]
        references = {
            fitting(item, *CURRENCY): self._currency(child(element, "Валюта")),
            fitting(item, "Склад_Key", "СтруктурнаяЕдиницаРезерв_Key"): self._plain(element, "Склад"),
            "Организация_Key": self._plain(element, "КлючевыеСвойства", "Организация"),
            "Договор_Key": self._plain(element, "ДанныеВзаиморасчетов", "Договор"),
            "Партнер_Key": known.get("Партнер_Key", EMPTY_REF),
        }
        return {
            "Date": text(keys, "Дата")[:19],
            "Number": text(keys, "Номер"),
            "Контрагент_Key": party,
            "СуммаДокумента": number(text(element, "Сумма")),
            fitting(item, "ЦенаВключаетНДС", "СуммаВключаетНДС"): text(element, "СуммаВключаетНДС") == "true",
            **{name: value for name, value in references.items() if value not in ("", EMPTY_REF)},
            **_given(element, "АдресДоставки", "Комментарий"),
            part: lines,
            # Documents are written first and posted at the end of the load; nobody sees the moment between.
            "Posted": True,
        }

    def _plain(self, element: etree._Element, *path: str) -> str:
        """The key of a reference that is taken as it is, even when nothing is there: 1C calls such a link broken."""
        return self._ours(text(element, *path, "Ссылка"))

    def _currency(self, keys: etree._Element | None) -> str:
        own, code = self._ours(text(keys, "Ссылка")), text(keys, "ДанныеКлассификатора", "Код")
        rows = self.world.tables["Catalog_Валюты"].rows
        if own in rows:
            return own
        return next((str(key) for key, row in rows.items() if row.get("Code") == code), "")

    def _line(self, item: EntitySet, part: str, row: etree._Element) -> Record:
        shape = item.tables[part]
        product = self._reference("Catalog_Номенклатура", child(row, "ДанныеНоменклатуры", "Номенклатура"))
        total = number(text(row, "Сумма"))
        line: dict[str, Any] = {
            "Количество": number(text(row, "Количество")),
            "Цена": number(text(row, "Цена")),
            "Сумма": total,
            "СуммаНДС": number(text(row, "СуммаНДС")),
            "СуммаСНДС": total,
            "Всего": total,
            "СтавкаНДС_Key": self._rate(text(row, "СтавкаНДС")),
            "Номенклатура_Key": product,
            "Номенклатура": product,
            "Номенклатура_Type": type_name("Catalog_Номенклатура"),
            "КодСтроки": text(row, "НомерСтрокиДокумента") or "0",
        }
        return {name: value for name, value in line.items() if name in shape.by_name}

    def _rate(self, name: str) -> str:
        for key, row in self.world.tables["Catalog_СтавкиНДС"].rows.items():
            if name and name in (row.get("ПеречислениеСтавкаНДС"), f"НДС{row.get('Ставка')}"):
                return str(key)
        return EMPTY_REF


def _given(element: etree._Element | None, *names: str) -> dict[str, str]:
    """Texts of those properties that are in the message."""
    return {name: text(element, name) for name in names if child(element, name) is not None}


def _contact(row: etree._Element) -> Record:
    kind, value = text(row, "ВидКонтактнойИнформации"), text(row, "ЗначенияПолей")
    told = {"Тип": _CONTACTS.get(kind, kind), "ЗначенияПолей": value if value.startswith("<") else ""}
    return told | {"Представление": "" if value.startswith("<") else value}
