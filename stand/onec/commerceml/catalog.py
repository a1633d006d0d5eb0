"""Goods, prices and stock of a base as CommerceML 2.08 (two files) or 3.1 (a file for each kind)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from xml.sax.saxutils import quoteattr

from stand.onec.enterprise.objects import first, is_service, target
from stand.onec.enterprise.outgoing import CURRENCIES, PLACES, UNITS
from stand.onec.enterprise.trees import Tree, xml
from stand.onec.query import Reader
from stand.onec.virtual import table
from stand.onec.world import Record, World, derived_guid

ITEMS = "Catalog_Номенклатура"
_PRICE_KINDS = ("Catalog_ВидыЦен", "Catalog_ТипыЦенНоменклатуры")
_KIND = ("ВидЦены_Key", "ВидЦен_Key", "ТипЦен_Key")
_STOCK = {
    "AccumulationRegister_ТоварыНаСкладах": "ВНаличииBalance",
    "AccumulationRegister_ЗапасыНаСкладах": "КоличествоBalance",
}
_PLACE = ("Склад_Key", "СтруктурнаяЕдиница_Key")
CATALOG = derived_guid("commerceml catalogue")


def is_three(version: str) -> bool:
    """Whether a version of the schema is one of the third."""
    return version.startswith("3")


def document(version: str, body: str, moment: datetime) -> bytes:
    """A whole document in UTF-8 with a BOM, as 1C writes both versions today."""
    major, version = ("3", version) if is_three(version) else ("2", version or "2.08")
    head = f'xmlns="urn:1C.ru:commerceml_{major}" ВерсияСхемы="{version}" ДатаФормирования="{moment.isoformat()}"'
    declared = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return b"\xef\xbb\xbf" + f"{declared}<КоммерческаяИнформация {head}>{body}</КоммерческаяИнформация>".encode()


def files(world: World, version: str = "", only: Iterable[str] | None = None) -> list[tuple[str, bytes]]:
    """Files of a catalogue in the order in which they are sent. ``only``: keys of products, ``None`` for all."""
    with world.lock:
        return _files(world, version, None if only is None else {*only})


def _files(world: World, version: str, wanted: set[str] | None) -> list[tuple[str, bytes]]:
    goods = [r for r in world.tables[ITEMS] if not r.get("IsFolder") and not r.get("DeletionMark")]
    goods = [r for r in goods if wanted is None or r["Ref_Key"] in wanted]
    changes = "true" if wanted is not None else "false"
    book, groups = _Book(world), _groups(world)
    catalog: Tree = [*_HEAD, ("Товары", [("Товар", book.item(r)) for r in goods])]
    told = {
        "import": _classifier(groups) + f'<Каталог СодержитТолькоИзменения="{changes}">{xml(catalog)}</Каталог>',
        "offers": _package(changes, [*book.kinds(), ("Предложения", [("Предложение", book.offer(r)) for r in goods])]),
    }
    if is_three(version):
        told = {
            "import": _classifier(groups),
            "goods": f'<Каталог СодержитТолькоИзменения="{changes}">{xml(catalog)}</Каталог>',
            "offers": _package(changes, [("Предложения", [("Предложение", book.named(r)) for r in goods])]),
            "prices": _package(changes, [*book.kinds(), ("Предложения", [*_each(goods, book.prices)])]),
            "rests": _package(changes, [("Предложения", [*_each(goods, book.rests)])]),
        }
    return [(f"{name}.xml", document(version, body, world.clock)) for name, body in told.items()]


_HEAD: Tree = [("Ид", CATALOG), ("ИдКлассификатора", CATALOG), ("Наименование", "Основной каталог товаров")]


def _each(goods: list[Record], part: Callable[[Record], Tree]) -> Iterator[tuple[str, Tree]]:
    for record in goods:
        yield "Предложение", [("Ид", record["Ref_Key"]), *part(record)]


def _classifier(groups: Tree) -> str:
    return xml([("Классификатор", [("Ид", CATALOG), ("Наименование", "Классификатор"), ("Группы", groups)])])


def _package(changes: str, body: Tree) -> str:
    head: Tree = [("Ид", f"{CATALOG}#"), ("Наименование", "Пакет предложений"), ("ИдКаталога", CATALOG)]
    return f'<ПакетПредложений СодержитТолькоИзменения="{changes}">{xml([*head, *body])}</ПакетПредложений>'


def _groups(world: World) -> Tree:
    folders = [record for record in world.tables[ITEMS] if record.get("IsFolder")]

    def below(parent: str) -> Tree:
        return [
            ("Группа", [("Ид", r["Ref_Key"]), ("Наименование", r["Description"]), ("Группы", below(r["Ref_Key"]))])
            for r in folders
            if first(r, "Parent_Key") == parent
        ]

    return below("")


class _Book:
    """What a base knows of its products: the latest prices, and what lies where."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of_item: dict[str, list[Record]] = {}
        self.at: dict[str, dict[str, float]] = {}
        reader = Reader(world)
        for name in ("InformationRegister_ЦеныНоменклатуры_RecordType", "InformationRegister_ЦеныНоменклатуры"):
            if name in world.model.sets:
                for row in table(world, world.set_of(name), "SliceLast", {}, reader.source).make():
                    self.of_item.setdefault(row["Номенклатура_Key"], []).append(row)
                break
        for name, field in _STOCK.items():
            if name in world.model.sets:
                for row in table(world, world.set_of(name), "Balance", {}, reader.source).make():
                    places = self.at.setdefault(row["Номенклатура_Key"], {})
                    place = first(row, *_PLACE)
                    places[place] = places.get(place, 0) + row[field]

    def kinds(self) -> Tree:
        """Kinds of prices, and stores."""
        kinds: Tree = [
            ("ТипЦены", [("Ид", r["Ref_Key"]), ("Наименование", r["Description"]), ("Валюта", self._currency(r))])
            for name in _PRICE_KINDS
            if name in self.world.model.sets
            for r in self.world.tables[name]
        ]
        stores: Tree = [
            ("Склад", [("Ид", r["Ref_Key"]), ("Наименование", r["Description"])])
            for name in PLACES
            if name in self.world.model.sets
            for r in self.world.tables[name]
            if not r.get("IsFolder")
        ]
        return [("ТипыЦен", kinds), ("Склады", stores)]

    def _currency(self, record: Record) -> str:
        found = target(self.world, record, CURRENCIES, "ВалютаЦены_Key", "Валюта_Key")
        return first(found or {}, "Description") or "RUB"

    def item(self, record: Record) -> Tree:
        """A product of the catalogue."""
        kind = "Услуга" if is_service(record) else "Товар"
        traits = (("ТипНоменклатуры", kind), ("Полное наименование", first(record, "НаименованиеПолное")))
        return [
            *self.named(record),
            ("Группы", [("Ид", first(record, "Parent_Key"))]),
            ("Описание", first(record, "Описание")),
            ("ЗначенияРеквизитов", requisites(*traits)),
        ]

    def named(self, record: Record) -> Tree:
        """What a product and an offer share."""
        unit = target(self.world, record, UNITS, "ЕдиницаИзмерения_Key") or {}
        return [
            ("Ид", record["Ref_Key"]),
            ("Артикул", first(record, "Артикул")),
            ("Наименование", record["Description"]),
            (f"БазоваяЕдиница{_attributes(unit)}", first(unit, "Description")),
        ]

    def offer(self, record: Record) -> Tree:
        """An offer of version 2: prices and the whole quantity in one."""
        total = sum(self.at.get(record["Ref_Key"], {}).values())
        return [*self.named(record), *self.prices(record), ("Количество", _number(total))]

    def prices(self, record: Record) -> Tree:
        """Prices of a product by kind."""
        told: Tree = [
            (
                "Цена",
                [
                    ("ИдТипаЦены", first(row, *_KIND)),
                    ("ЦенаЗаЕдиницу", _number(row["Цена"])),
                    ("Валюта", self._currency(row)),
                    ("Коэффициент", "1"),
                ],
            )
            for row in self.of_item.get(record["Ref_Key"], [])
        ]
        return [("Цены", told)]

    def rests(self, record: Record) -> Tree:
        """What lies in each store."""
        places = self.at.get(record["Ref_Key"], {})
        told: Tree = [
            ("Остаток", [("Склад", [("Ид", place), ("Количество", _number(count))])]) for place, count in places.items()
        ]
        return [("Остатки", told)]


def requisites(*values: tuple[str, str]) -> Tree:
    """Pairs of a name and a value."""
    return [("ЗначениеРеквизита", [("Наименование", name), ("Значение", value)]) for name, value in values if value]


def _attributes(unit: Record) -> str:
    told = (("Код", first(unit, "Code").strip()), ("НаименованиеПолное", first(unit, "НаименованиеПолное")))
    return "".join(f" {name}={quoteattr(value)}" for name, value in told if value)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
