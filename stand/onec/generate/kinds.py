"""Kinds of contact information: what 1C shows a row of КонтактнаяИнформация under, a group of them for each catalogue.

Three keys are the recording's; names of predefined kinds follow БСП and the configurations, which is general knowledge.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from stand.onec.world import FIRST_VERSION, World, derived_guid

KINDS, CONTACTS = "Catalog_ВидыКонтактнойИнформации", "КонтактнаяИнформация"


class _Use(NamedTuple):
    """``word``: what the name of the predefined kind begins with; empty: people have added it."""

    type: str
    shown: str
    word: str
    several: bool


USES = {
    "legal": _Use("Адрес", "Юридический адрес", "ЮрАдрес", False),
    "actual": _Use("Адрес", "Фактический адрес", "ФактАдрес", False),
    "post": _Use("Адрес", "Почтовый адрес", "ПочтовыйАдрес", False),
    "phone": _Use("Телефон", "Телефон", "Телефон", True),
    "mobile": _Use("Телефон", "Мобильный телефон", "", True),
    "email": _Use("АдресЭлектроннойПочты", "Электронная почта", "Email", True),
    "fax": _Use("Факс", "Факс", "Факс", False),
    "site": _Use("ВебСтраница", "Сайт", "", False),
    "skype": _Use("Skype", "Skype", "", False),
    "other": _Use("Другое", "Другая информация", "ДругаяИнформация", True),
}
#: How the names of predefined kinds end, by catalogue.
_ENDS = {
    "Контрагенты": "Контрагента",
    "Партнеры": "Партнера",
    "КонтактныеЛицаПартнеров": "КонтактногоЛица",
    "КонтактныеЛица": "КонтактногоЛица",
    "Организации": "Организации",
    "Склады": "Склада",
    "СтруктурныеЕдиницы": "СтруктурнойЕдиницы",
    "Пользователи": "Пользователя",
    "Сотрудники": "Сотрудника",
}
#: One business is told in three configurations: the same rows, under another catalogue's name.
_SAME = {"КонтактныеЛица": "КонтактныеЛицаПартнеров", "СтруктурныеЕдиницы": "Склады"}
_RECORDED = {
    ("Контрагенты", "legal"): "1d78f391-c180-11e4-a7a9-000d884fd00d",
    ("Контрагенты", "actual"): "1d78f393-c180-11e4-a7a9-000d884fd00d",
    ("Контрагенты", "post"): "1d78f38e-c180-11e4-a7a9-000d884fd00d",
}


@cache
def kind_of(owner: str, use: str) -> str:
    """The key of a kind. ``owner``: name of the catalogue whose records have it; ``use``: of ``USES``."""
    owner = _SAME.get(owner, owner)
    return _RECORDED.get((owner, use)) or derived_guid(f"contact kind {owner} {use}")


def owners(world: World) -> list[str]:
    """Names of the catalogues whose records have contact information."""
    sets = world.model.sets
    return [name.removeprefix("Catalog_") for name, item in sets.items() if CONTACTS in item.tables]


def make_kinds(world: World) -> None:
    """A group and its kinds for each catalogue. УНФ stands for newer bases, which keep their names in an attribute."""
    named = "ИмяПредопределенногоВида" if world.configuration.name == "unf" else "PredefinedDataName"
    for owner in owners(world):
        group = derived_guid(f"contact kinds {owner}")
        shown = f"Контактная информация справочника «{owner}»"
        _put(world, group, shown, named, f"Справочник{owner}", IsFolder=True)
        for number, (use, item) in enumerate(USES.items(), 1):
            name = f"{item.word}{_ENDS[owner]}" if item.word else ""
            _put(
                world, kind_of(owner, use), item.shown, named, name, Parent_Key=group, Тип=item.type,
                Используется=True, РазрешитьВводНесколькихЗначений=item.several, РеквизитДопУпорядочивания=str(number),
            )  # fmt: skip


def _put(world: World, key: str, shown: str, named: str, name: str, **fields: object) -> None:
    head = {"Ref_Key": key, "DataVersion": FIRST_VERSION, "Description": shown, named: name}
    predefined = {"Predefined": True} if name and named == "PredefinedDataName" else {}
    world.put(KINDS, {**head, **predefined, **fields})
