"""Which records of a base are objects of the format, and by which names their fields go.

The three configurations name the same things differently; ``first`` reads whichever name a record has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stand.onec.model import EMPTY_DATE, EMPTY_REF, Model
from stand.onec.world import Record, World, rows_of

#: The exchange plan of БСП for this format, and the format's own address without a version.
PLAN = "СинхронизацияДанныхЧерезУниверсальныйФормат"
FORMAT = "http://v8.1c.ru/edi/edi_stnd/EnterpriseData"
#: Versions the base speaks. What it writes was checked against the package of exactly this one.
VERSIONS = ("1.8",)


@dataclass(frozen=True, slots=True)
class Kind:
    """An object of the format.

    ``sets``: what it is called in a base, one of them each. ``reference``: its name in ``УдалениеОбъекта``.
    ``receives``: whether the base loads it; others are only handed out.
    """

    name: str
    sets: tuple[str, ...]
    reference: str
    receives: bool = False

    @property
    def is_document(self) -> bool:
        """Whether it has a date and a number."""
        return self.name.startswith("Документ.")


KINDS = (
    Kind("Справочник.Контрагенты", ("Catalog_Контрагенты",), "КонтрагентыСсылка", receives=True),
    Kind("Справочник.Договоры", ("Catalog_ДоговорыКонтрагентов",), "ДоговорыСсылка"),
    Kind("Справочник.Номенклатура", ("Catalog_Номенклатура",), "НоменклатураСсылка", receives=True),
    Kind(
        "Документ.ЗаказКлиента",
        ("Document_ЗаказКлиента", "Document_ЗаказПокупателя"),
        "ЗаказКлиентаСсылка",
        receives=True,
    ),
    Kind(
        "Документ.СчетПокупателю",
        ("Document_СчетНаОплатуКлиенту", "Document_СчетНаОплату", "Document_СчетНаОплатуПокупателю"),
        "СчетПокупателюСсылка",
    ),
    Kind(
        "Документ.РеализацияТоваровУслуг",
        ("Document_РеализацияТоваровУслуг", "Document_РасходнаяНакладная"),
        "РеализацияТоваровУслугСсылка",
    ),
)


def known(model: Model) -> dict[str, Kind]:
    """Sets of a configuration that are objects of the format, in the order in which they are written."""
    found = {}
    for kind in KINDS:
        name = next((name for name in kind.sets if name in model.sets), "")
        if name:
            found[name] = kind
    return found


def first(record: Mapping[str, Any], *names: str) -> str:
    """The first filled field as a text, or an empty one; empty dates and references count as not filled."""
    for name in names:
        value = record.get(name)
        if value is None or value is False or value in ("", EMPTY_REF, EMPTY_DATE):
            continue
        return "true" if value is True else str(value)
    return ""


def target(world: World, record: Mapping[str, Any], sets: tuple[str, ...], *names: str) -> Record | None:
    """The record that the first filled reference of those leads to, if it is in one of these sets."""
    key = first(record, *names)
    for name in sets:
        found = world.get(name, key) if key else None
        if found is not None:
            return found
    return None


def lines(record: Record) -> list[Record]:
    """All lines of goods and services of a document, whatever the configuration calls their tables."""
    return [row for part in ("Товары", "Запасы", "Услуги", "Работы") for row in rows_of(record.get(part))]


def is_service(item: Mapping[str, Any]) -> bool:
    """Whether a product is a service."""
    return item.get("ТипНоменклатуры") in ("Услуга", "Работа") or bool(item.get("Услуга"))
