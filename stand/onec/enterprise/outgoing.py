"""What the base tells of a record: its object of the format 1.8, properties in the order of the vendor's package.

References carry the key properties of what they lead to, so that a receiver can match it without an earlier message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stand.onec.enterprise.objects import Kind, first, is_service, lines, target
from stand.onec.enterprise.trees import Tree, Written, xml
from stand.onec.world import Record, World, rows_of

PARTIES, CONTRACTS, ITEMS = ("Catalog_Контрагенты",), ("Catalog_ДоговорыКонтрагентов",), ("Catalog_Номенклатура",)
FIRMS, CURRENCIES = ("Catalog_Организации",), ("Catalog_Валюты",)
PLACES = ("Catalog_Склады", "Catalog_СтруктурныеЕдиницы")
UNITS = ("Catalog_КлассификаторЕдиницИзмерения", "Catalog_УпаковкиЕдиницыИзмерения", "Catalog_ЕдиницыИзмерения")
RATES = ("Catalog_СтавкиНДС",)
CURRENCY = ("Валюта_Key", "ВалютаДокумента_Key", "ВалютаВзаиморасчетов_Key", "ВалютаРасчетов_Key")
CONTRACT = ("Договор_Key", "ДоговорКонтрагента_Key")
#: Rates that the format 1.8 has a word for; 5, 7 and 22 percent came later and are left out.
VAT = {"НДС20", "НДС18", "НДС10", "НДС0", "БезНДС"}
CONTACTS = {
    "Адрес": "ЮридическийАдрес",
    "Телефон": "Телефон",
    "АдресЭлектроннойПочты": "АдресЭлектроннойПочты",
    "ВебСтраница": "ВебСтраница",
    "Факс": "Факс",
    "Skype": "Skype",
}
STORES = {"ОптовыйСклад": "Оптовый", "РозничныйМагазин": "Розничный"}


@dataclass(slots=True)
class Teller:
    """Tells records of one base to one node, in one message: what it has written once it does not write again.

    ``public``: the uuid by which the node knows an object of ours.
    """

    world: World
    public: Callable[[str], str]
    _written: dict[tuple[str, str], Written] = field(default_factory=dict)

    def tell(self, kind: Kind, record: Record) -> Tree:
        """The object's properties. ``KeyError``: no such kind."""
        bodies: dict[str, Callable[[Record], Tree]] = {
            "Справочник.Контрагенты": self._party,
            "Справочник.Договоры": self._contract,
            "Справочник.Номенклатура": self._item,
            "Документ.ЗаказКлиента": self._order,
            "Документ.СчетПокупателю": self._invoice,
            "Документ.РеализацияТоваровУслуг": self._shipment,
        }
        return bodies[kind.name](record)

    # Key properties: what an object is known by.

    def ref(self, record: Mapping[str, Any]) -> tuple[str, str]:
        """The reference itself."""
        return "Ссылка", self.public(str(record["Ref_Key"]))

    def party(self, record: Record) -> Tree:
        """Key properties of a counterparty."""
        legal = first(record, "ЮридическоеФизическоеЛицо", "ВидКонтрагента") or "ЮридическоеЛицо"
        return [
            self.ref(record),
            ("Наименование", first(record, "Description")),
            ("НаименованиеПолное", first(record, "НаименованиеПолное")),
            ("ИНН", first(record, "ИНН").strip()[:12]),
            ("КПП", first(record, "КПП").strip()[:9]),
            ("ЮридическоеФизическоеЛицо", "ЮридическоеЛицо" if legal.startswith(("Юр", "Гос")) else "ФизическоеЛицо"),
        ]

    def firm(self, record: Record) -> Tree:
        """Key properties of one of our own companies."""
        return [
            self.ref(record),
            ("Наименование", first(record, "Description")),
            ("НаименованиеСокращенное", first(record, "НаименованиеСокращенное")),
            ("НаименованиеПолное", first(record, "НаименованиеПолное")),
            ("ИНН", first(record, "ИНН").strip()[:12]),
            ("КПП", first(record, "КПП").strip()[:9]),
            ("ЮридическоеФизическоеЛицо", first(record, "ЮридическоеФизическоеЛицо") or "ЮридическоеЛицо"),
        ]

    def item(self, record: Record) -> Tree:
        """Key properties of a product."""
        return [
            self.ref(record),
            ("НаименованиеПолное", first(record, "НаименованиеПолное")),
            ("КодВПрограмме", first(record, "Code")),
            ("Артикул", first(record, "Артикул")),
            ("Наименование", first(record, "Description")),
        ]

    def classified(self, record: Record) -> Tree:
        """Key properties of a currency or a unit: code and name of a state classifier."""
        data: Tree = [("Код", first(record, "Code").strip()), ("Наименование", first(record, "Description"))]
        return [self.ref(record), ("ДанныеКлассификатора", data)]

    def contract(self, record: Record) -> Tree:
        """Key properties of a contract."""
        owner = target(self.world, record, PARTIES, "Контрагент_Key", "Owner", "Owner_Key")
        return [
            self.ref(record),
            ("ВидДоговора", first(record, "ВидДоговора", "ТипДоговора") or "Прочее"),
            ("Организация", self._of(FIRMS, self.firm, record, "Организация_Key")),
            ("Контрагент", self._once(self.party, owner)),
            ("ВалютаВзаиморасчетов", self._of(CURRENCIES, self.classified, record, *CURRENCY)),
            ("Наименование", first(record, "Description")),
            ("Дата", first(record, "Дата", "ДатаДоговора")[:10]),
            ("Номер", first(record, "Номер", "НомерДоговора")),
        ]

    def _of(
        self, sets: tuple[str, ...], how: Callable[[Record], Tree], record: Mapping[str, Any], *names: str
    ) -> Written | Tree:
        found = target(self.world, record, sets, *names)
        return self._once(how, found)

    def _once(self, how: Callable[[Record], Tree], record: Record | None) -> Written | Tree:
        """Key properties of a record, written once for all places that refer to it."""
        if record is None:
            return []
        key = how.__name__, str(record["Ref_Key"])
        if key not in self._written:
            self._written[key] = Written(xml(how(record)))
        return self._written[key]

    def _place(self, record: Record) -> Tree:
        kind = STORES.get(first(record, "ТипСклада"), "")
        return [self.ref(record), ("Наименование", first(record, "Description")), ("ТипСклада", kind)]

    # Whole objects.

    def _party(self, record: Record) -> Tree:
        head = first(record, "ГоловнойКонтрагент_Key")
        other = self.world.get(PARTIES[0], head) if head != record["Ref_Key"] else None
        return [
            ("КлючевыеСвойства", self.party(record)),
            ("ОКПО", first(record, "КодПоОКПО")[:10]),
            ("ДополнительнаяИнформация", first(record, "ДополнительнаяИнформация", "Комментарий")),
            ("КонтактнаяИнформация", _contacts(record)),
            ("ГоловнойКонтрагент", self._once(self.party, other)),
            ("ОбособленноеПодразделение", first(record, "ОбособленноеПодразделение")),
        ]

    def _contract(self, record: Record) -> Tree:
        until = first(record, "ДатаОкончанияДействия", "СрокДействия")[:10]
        return [("КлючевыеСвойства", self.contract(record)), ("СрокДействия", until)]

    def _item(self, record: Record) -> Tree:
        return [
            ("КлючевыеСвойства", self.item(record)),
            ("ТипНоменклатуры", "Услуга" if is_service(record) else "Товар"),
            ("Описание", first(record, "Описание")),
            ("ЕдиницаИзмерения", self._of(UNITS, self.classified, record, "ЕдиницаИзмерения_Key")),
            ("СтавкаНДС", self._vat(record)),
        ]

    def _vat(self, record: Mapping[str, Any]) -> str:
        rate = target(self.world, record, RATES, "СтавкаНДС_Key") or {}
        name = first(record, "СтавкаНДС") or first(rate, "ПеречислениеСтавкаНДС")
        if not name and rate:
            name = "БезНДС" if rate.get("НеОблагается") else f"НДС{rate.get('Ставка', 0)}"
        return name if name in VAT else ""

    def _head(self, record: Record) -> Tree:
        """Key properties of a document."""
        return [
            self.ref(record),
            ("Дата", first(record, "Date")),
            ("Номер", first(record, "Number").strip()),
            ("Организация", self._of(FIRMS, self.firm, record, "Организация_Key")),
        ]

    def _settlements(self, record: Record) -> Tree:
        found = target(self.world, record, CONTRACTS, *CONTRACT)
        currency = self._of(CURRENCIES, self.classified, record, "ВалютаВзаиморасчетов_Key", *CURRENCY)
        return [("Договор", self._once(self.contract, found)), ("ВалютаВзаиморасчетов", currency)]

    def _money(self, record: Record) -> Tree:
        currency = self._of(CURRENCIES, self.classified, record, *CURRENCY)
        return [("Валюта", currency), ("Сумма", _sum(record.get("СуммаДокумента", 0)))]

    def _common(self, record: Record) -> dict[str, str | Tree]:
        return {
            "Склад": self._of(
                PLACES, self._place, record, "Склад_Key", "СтруктурнаяЕдиница_Key", "СтруктурнаяЕдиницаРезерв_Key"
            ),
            "Контрагент": self._of(PARTIES, self.party, record, "Контрагент_Key"),
            "ДанныеВзаиморасчетов": self._settlements(record),
            "АдресДоставки": first(record, "АдресДоставки"),
            "СуммаВключаетНДС": first(record, "ЦенаВключаетНДС", "СуммаВключаетНДС"),
            "Комментарий": first(record, "Комментарий"),
        }

    def _order(self, record: Record) -> Tree:
        told = self._common(record)
        names = ("Склад", "Контрагент", "ДанныеВзаиморасчетов", "АдресДоставки", "СуммаВключаетНДС")
        return [
            ("КлючевыеСвойства", self._head(record)),
            *self._money(record),
            *[(name, told[name]) for name in names],
            *self._tables(record, plain=False),
            ("Комментарий", told["Комментарий"]),
        ]

    def _invoice(self, record: Record) -> Tree:
        told = self._common(record)
        names = ("Склад", "Контрагент", "ДанныеВзаиморасчетов", "АдресДоставки", "СуммаВключаетНДС")
        return [
            ("КлючевыеСвойства", self._head(record)),
            *self._money(record),
            *[(name, told[name]) for name in names],
            *self._tables(record),
        ]

    def _shipment(self, record: Record) -> Tree:
        told, orders = self._common(record), ("Document_ЗаказКлиента", "Document_ЗаказПокупателя")
        order = target(self.world, record, orders, "ЗаказКлиента", "Заказ")
        invoice = target(self.world, record, ("Document_СчетНаОплатуПокупателю",), "СчетНаОплатуПокупателю_Key")
        return [
            ("КлючевыеСвойства", self._head(record)),
            ("ВидОперации", "РеализацияКлиенту"),
            *self._money(record),
            *[(name, told[name]) for name in ("СуммаВключаетНДС", "Склад", "Контрагент", "ДанныеВзаиморасчетов")],
            ("Заказ", self._once(self._head, order)),
            ("СчетПокупателю", self._once(self._head, invoice)),
            *[(name, told[name]) for name in ("АдресДоставки", "Комментарий")],
            *self._tables(record),
        ]

    def _tables(self, record: Record, *, plain: bool = True) -> Tree:
        """Lines of goods and of services. ``plain``: services name their product without the element around it."""
        goods: Tree = []
        services: Tree = []
        for row in lines(record):
            item = target(self.world, row, ITEMS, "Номенклатура_Key", "Номенклатура")
            if item is not None:
                service = is_service(item)
                told = self._row(row, item, service=service, plain=service and plain)
                (services if service else goods).append(("Строка", told))
        return [("Товары", goods), ("Услуги", services)]

    def _row(self, row: Record, item: Record, *, service: bool, plain: bool) -> Tree:
        unit = target(self.world, row, UNITS, "ЕдиницаИзмерения", "ЕдиницаИзмерения_Key")
        unit = unit or target(self.world, item, UNITS, "ЕдиницаИзмерения_Key")
        product: tuple[str, str | Tree] = ("Номенклатура", self._once(self.item, item))
        told: Tree = [
            ("НомерСтрокиДокумента", str(row["LineNumber"])),
            product if plain else ("ДанныеНоменклатуры", [product]),
            *([] if service else [("ЕдиницаИзмерения", self._once(self.classified, unit))]),
            ("Количество", f"{row.get('Количество', 0):.3f}"),
            ("Сумма", _sum(row.get("Сумма", 0))),
            ("Цена", _sum(row.get("Цена", 0))),
            ("СтавкаНДС", self._vat(row)),
            ("СуммаНДС", _sum(row.get("СуммаНДС", 0))),
        ]
        return told


def _sum(value: float) -> str:
    return f"{value:.2f}"


def _contacts(record: Record) -> Tree:
    """Rows of contact information that have the vendor's XML; newer rows have JSON only, which 1.8 has no place for."""
    told: Tree = []
    for row in rows_of(record.get("КонтактнаяИнформация")):
        kind, value = CONTACTS.get(row.get("Тип", ""), ""), row.get("ЗначенияПолей") or row.get("Представление", "")
        if kind and value:
            told.append(("Строка", [("ВидКонтактнойИнформации", kind), ("ЗначенияПолей", value)]))
    return told
