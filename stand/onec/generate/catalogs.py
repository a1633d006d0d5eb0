"""Small catalogues: currencies, VAT rates, units, warehouses, kinds of prices, organisations, users."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from stand.onec.generate.contacts import Contacts, address, contact_rows, phone
from stand.onec.generate.identifiers import inn_of_organisation, kpp, ogrn
from stand.onec.generate.luck import Luck
from stand.onec.generate.words import CITIES, FEMALE, MALE, SURNAMES, daughter, feminine
from stand.onec.model import UNDEFINED
from stand.onec.world import FIRST_VERSION, World

#: Type text of an object that exists in the base but is not published; the guid names the type, not the object.
UNAVAILABLE = "UnavailableEntities.UnavailableEntity_"
PACK_SETS = UNAVAILABLE + "0f2c7a52-44c1-4a0b-8a39-2f2b6c1d7e10"

UNITS = (
    ("796 ", "шт", "Штука", "PCE", "КоличествоШтук"),
    ("166 ", "кг", "Килограмм", "KGM", "Вес"),
    ("006 ", "м", "Метр", "MTR", "Длина"),
    ("112 ", "л", "Литр", "LTR", "Объем"),
    ("055 ", "м2", "Квадратный метр", "MTK", "Площадь"),
    ("778 ", "упак", "Упаковка", "NMP", "КоличествоШтук"),
    ("839 ", "компл", "Комплект", "SET", "КоличествоШтук"),
    ("356 ", "ч", "Час", "HUR", "Время"),
)
RATES = (
    ("20%", "НДС20", 20),
    ("10%", "НДС10", 10),
    ("0%", "НДС0", 0),
    ("Без НДС", "БезНДС", 0),
    ("22%", "НДС22", 22),
    ("5%", "НДС5", 5),
    ("7%", "НДС7", 7),
)
#: VAT rose from 20 to 22 per cent that day.
NEW_RATE_FROM = "2026-01-01"


@dataclass(slots=True)
class Base:
    """What the makers of one world share. ``refs``: guids of small records by a short name."""

    world: World
    luck: Luck
    today: date
    refs: dict[str, str] = field(default_factory=dict)
    rates: list[tuple[str, int]] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    managers: list[str] = field(default_factory=list)
    warehouses: list[str] = field(default_factory=list)
    prices: list[str] = field(default_factory=list)

    @property
    def start(self) -> date:
        """The day of the first documents: two years before ``today``."""
        return self.today - timedelta(days=730)

    def put(self, name: str, **fields: Any) -> str:
        """Store a record with a fresh guid; returns the guid."""
        key = str(fields.get("Ref_Key") or self.luck.guid())
        self.world.put(name, {"Ref_Key": key, "DataVersion": FIRST_VERSION, **fields})
        return key


def moment(day: date, seconds: int) -> str:
    """A date and time as 1C writes it."""
    return (datetime.combine(day, time()) + timedelta(seconds=seconds)).isoformat()


def person_name(luck: Luck) -> tuple[str, str, str, bool]:
    """Surname, name, patronymic, and whether it is a woman."""
    surname, (name, patronymic) = luck.pick(SURNAMES), luck.pick(MALE)
    if luck.chance(0.45):
        return feminine(surname), luck.pick(FEMALE), daughter(patronymic), True
    return surname, name, patronymic, False


def make_catalogs(base: Base) -> None:
    """All small catalogues, in the order their references need."""
    _currencies(base)
    _rates(base)
    _units(base)
    _users(base)
    _warehouses(base)
    _prices(base)
    _organisations(base)


def _currencies(base: Base) -> None:
    for code, iso, name in (
        ("643", "RUB", "Российский рубль"),
        ("840", "USD", "Доллар США"),
        ("978", "EUR", "Евро"),
        ("156", "CNY", "Китайский юань"),
    ):
        base.refs[iso] = base.put(
            "Catalog_Валюты", Code=code, Description=iso, НаименованиеПолное=name, ЗагружаетсяИзИнтернета=iso != "RUB"
        )
    for iso, rate, per in (("USD", 80.4519, "1"), ("EUR", 93.2276, "1"), ("CNY", 113.047, "10")):
        for days in range(0, 60, 7):
            base.world.put(
                "InformationRegister_КурсыВалют",
                {
                    "Period": moment(base.today - timedelta(days=days), 0),
                    "Валюта_Key": base.refs[iso],
                    "Курс": round(rate + base.luck.real() * 2, 4),
                    "Кратность": per,
                },
            )


def _rates(base: Base) -> None:
    for name, enum, percent in RATES:
        key = base.put("Catalog_СтавкиНДС", Description=name, ПеречислениеСтавкаНДС=enum, Ставка=percent)
        base.rates.append((key, percent))


def _units(base: Base) -> None:
    for code, short, name, latin, measure in UNITS:
        key = base.put(
            "Catalog_УпаковкиЕдиницыИзмерения",
            Code=code,
            Description=short,
            НаименованиеПолное=name,
            МеждународноеСокращение=latin,
            ТипИзмеряемойВеличины=measure,
            Owner=base.refs.setdefault("base_units", base.luck.guid()),
            Owner_Type=PACK_SETS,
            Числитель=1,
            Знаменатель=1,
        )
        base.units.append(key)
        base.refs[f"unit:{short}"] = key


def _users(base: Base) -> None:
    for number in range(14):
        surname, name, patronymic, _ = person_name(base.luck)
        key = base.put(
            "Catalog_Пользователи",
            Description=f"{surname} {name} {patronymic}",
            ИдентификаторПользователяИБ=base.luck.guid(),
            Недействителен=number == 13,
            Подготовлен=True,
        )
        base.managers.append(key)
    base.put(
        "Catalog_Пользователи",
        Description="<Не указан>",
        Служебный=True,
        Predefined=True,
        PredefinedDataName="НеУказан",
    )


def _warehouses(base: Base) -> None:
    group = base.put("Catalog_Склады", Description="Склады в Москве", IsFolder=True)
    for name, kind, city in (
        ("Основной склад", "ОптовыйСклад", 0),
        ("Склад Подольск", "ОптовыйСклад", 19),
        ("Магазин на Складской", "РозничныйМагазин", 1),
    ):
        seed = Contacts(address(base.luck, city), False, (phone(base.luck, CITIES[city]),), (), "")
        key = base.put(
            "Catalog_Склады",
            Description=name,
            Parent_Key=group,
            ТипСклада=kind,
            КонтактнаяИнформация=partial(contact_rows, seed, "Склады"),
        )
        base.warehouses.append(key)


def _prices(base: Base) -> None:
    for number, (name, vat) in enumerate((("Розничная", True), ("Оптовая", True), ("Дилерская", False))):
        key = base.put(
            "Catalog_ВидыЦен",
            Description=name,
            Идентификатор=name,
            ВалютаЦены_Key=base.refs["RUB"],
            ЦенаВключаетНДС=vat,
            ИспользоватьПриПродаже=True,
            СпособЗаданияЦены="Вручную",
            Статус="Действует",
            РеквизитДопУпорядочивания=str(number + 1),
        )
        base.prices.append(key)


def _organisations(base: Base) -> None:
    for name, prefix, region in (("Торговый дом Комплексный", "ТД", "77"), ("Комплексный Сервис", "КС", "50")):
        inn = inn_of_organisation(base.luck, region)
        seed = Contacts(
            address(base.luck, 0), True, (phone(base.luck, CITIES[0]),), ("info@td-kompleksny.example",), ""
        )
        base.refs[f"org:{prefix}"] = base.put(
            "Catalog_Организации",
            Description=f"{name} ООО",
            Code=f"{prefix}0000001",
            НаименованиеСокращенное=f'ООО "{name}"',
            НаименованиеПолное=f'Общество с ограниченной ответственностью "{name}"',
            Префикс=prefix,
            ИНН=inn,
            КПП=kpp(inn),
            ОГРН=ogrn(base.luck, region, person=False),
            ЮрФизЛицо="ЮрЛицо",
            ЮридическоеФизическоеЛицо="ЮридическоеЛицо",
            КонтактнаяИнформация=partial(contact_rows, seed, "Организации"),
        )


def empty_composite(name: str) -> dict[str, str]:
    """The two fields of an unset composite reference."""
    return {name: "", f"{name}_Type": UNDEFINED}
