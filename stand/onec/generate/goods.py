"""Products: folders, items, characteristics, packs; and the prices of three kinds set twice a year."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from stand.onec.generate.catalogs import NEW_RATE_FROM, Base, moment
from stand.onec.generate.goods_words import GROUPS, Group
from stand.onec.generate.lines import rubles
from stand.onec.model import EMPTY_REF
from stand.onec.world import FIRST_VERSION, Rows, type_name

PRICE_SETTING = "UnavailableEntities.UnavailableEntity_5f0d6b1e-3f5a-4c2b-9d56-6f1f2a0c9b71"
#: Days a price list is in force.
SEASON = 182
#: What each kind of price is of the retail price, in thousandths.
MARKUPS = (1000, 880, 790)


class Product(NamedTuple):
    """What documents need to know of a product. ``price``: the first retail price in kopecks, VAT included."""

    key: str
    unit: str
    vat: int
    price: int
    variants: tuple[str, ...]
    pack: str
    in_pack: int
    service: bool
    loose: bool


def make_goods(base: Base, count: int) -> list[Product]:
    """``count`` items in folders; returns those that are sold."""
    root = base.put("Catalog_Номенклатура", Code="00-00000001", Description="Товары", IsFolder=True)
    folders = [_folder(base, group, root, number) for number, group in enumerate(GROUPS)]
    names = _names()
    products: list[Product] = []
    for number in range(count):
        index, name = names[number % len(names)]
        again = f" вар. {number // len(names) + 1}" if number >= len(names) else ""
        products.append(_product(base, GROUPS[index], folders[index], name + again, number))
    _price_settings(base, products)
    return products


def _names() -> list[tuple[int, str]]:
    """(group, name) taking turns between groups, so that a small base has some of everything."""
    lists = [
        [(index, f"{noun} {mark}".strip()) for mark in group.marks for noun in group.nouns]
        for index, group in enumerate(GROUPS)
    ]
    longest = max(map(len, lists))
    return [names[row] for row in range(longest) for names in lists if row < len(names)]


def _folder(base: Base, group: Group, root: str, number: int) -> str:
    return base.put(
        "Catalog_Номенклатура", Code=f"00-{number + 2:08d}", Description=group.name, IsFolder=True, Parent_Key=root
    )


def _product(base: Base, group: Group, folder: str, name: str, number: int) -> Product:
    luck, service = base.luck, group.name == "Услуги"
    unit, (rate, _) = base.refs[f"unit:{group.unit}"], base.rates[_rate(group.vat, moment(base.today, 0))]
    price = int((group.low + (group.high - group.low) * luck.real() ** 2) * 100) // 10 * 10
    key, marked = luck.guid(), luck.chance(0.02)
    characteristics = bool(group.variants) and luck.chance(0.8)
    pack, in_pack = _pack(base, key, unit, group) if luck.chance(0.25) and not service else (EMPTY_REF, 1)
    base.put(
        "Catalog_Номенклатура",
        Ref_Key=key,
        Code=f"00-{number + 100:08d}",
        Description=name,
        НаименованиеПолное=name if luck.chance(0.7) else f"{name} (арт. {number + 100})",
        Parent_Key=folder,
        Артикул=f"{luck.pick('АБВГКМНПРСТ')}-{luck.digits(5)}" if luck.chance(0.8) else "",
        КодДляПоиска=str(number + 100),
        ЕдиницаИзмерения_Key=unit,
        ЕдиницаДляОтчетов_Key=unit,
        КоэффициентЕдиницыДляОтчетов=1,
        ТипНоменклатуры="Услуга" if service else "Товар",
        ВариантОформленияПродажи="РеализацияТоваровУслуг",
        Качество="" if service else "Новый",
        ИспользованиеХарактеристик="ИндивидуальныеДляНоменклатуры" if characteristics else "НеИспользовать",
        ИспользоватьУпаковки=pack != EMPTY_REF,
        СтавкаНДС_Key=rate,
        DeletionMark=marked,
        Описание=f"{name}. Поставляется со склада." if luck.chance(0.2) else "",
        **_weight(base, service),
    )
    variants = tuple(_variant(base, key, size) for size in group.variants) if characteristics else ()
    return Product(key, unit, group.vat, price, variants, pack, in_pack, service, group.unit in ("кг", "м"))


def _weight(base: Base, service: bool) -> dict[str, Any]:
    if service or base.luck.chance(0.4):
        return {}
    weight = base.luck.whole(50, 30000) / 1000
    return {"ВесИспользовать": True, "ВесЧислитель": weight, "ВесЗнаменатель": 1,
            "ВесЕдиницаИзмерения_Key": base.refs["unit:кг"]}  # fmt: skip


def _variant(base: Base, product: str, size: str) -> str:
    return base.put(
        "Catalog_ХарактеристикиНоменклатуры",
        Description=size,
        НаименованиеПолное=f"размер {size}",
        Owner=product,
        Owner_Type=type_name("Catalog_Номенклатура"),
    )


def _pack(base: Base, product: str, unit: str, group: Group) -> tuple[str, int]:
    size = base.luck.pick((5, 10, 12, 20, 24, 50))
    key = base.put(
        "Catalog_УпаковкиЕдиницыИзмерения",
        Code="778 ",
        Description=f"упак ({size} {group.unit})",
        НаименованиеПолное=f"Упаковка ({size} {group.unit})",
        Owner=product,
        Owner_Type=type_name("Catalog_Номенклатура"),
        ЕдиницаИзмерения_Key=unit,
        ТипУпаковки="Разупаковываемая",
        Числитель=size,
        Знаменатель=1,
        КоличествоУпаковок=1,
    )
    return key, size


def _rate(vat: int, when: str) -> int:
    """Index of the rate in force: the general rate changed on the day of ``NEW_RATE_FROM``."""
    return 4 if vat == 0 and when >= NEW_RATE_FROM else vat


def rate_at(base: Base, product: Product, when: str) -> tuple[str, int]:
    """Reference and percent of the VAT rate of a product at a moment."""
    return base.rates[_rate(product.vat, when)]


def price_of(product: Product, kind: int, season: int) -> int:
    """A price in kopecks: retail grows by 4 % each half-year; the dealer's price is without VAT."""
    return product.price * MARKUPS[kind] * (100 + 4 * season) // 100000 // 10 * 10


def season_of(base: Base, day: date) -> int:
    """Which price list is in force on a day: 0 for the first half-year, and so on."""
    return (day - base.start).days // SEASON


def season_start(base: Base, season: int) -> date:
    """The day a price list comes into force."""
    return base.start + timedelta(days=SEASON * season)


def _price_settings(base: Base, products: list[Product]) -> None:
    """Documents that set prices are not published; the register they make is."""
    for season in range(season_of(base, base.today) + 1):
        kinds = (0, 1, 2) if season % 2 == 0 else (0, 1)
        # The first price list covers everything; later ones leave a tenth of the items as they were.
        items = [p for p in products if season == 0 or base.luck.chance(0.9)]
        when = moment(season_start(base, season), 8 * 3600)
        make = partial(_price_rows, base.prices, base.refs["RUB"], kinds, items, season, when)
        base.world.hidden.append(
            {
                "Ref_Key": base.luck.guid(),
                "DataVersion": FIRST_VERSION,
                "Date": when,
                "~type": PRICE_SETTING,
                "~movements": {"InformationRegister_ЦеныНоменклатуры": make},
            }
        )


def _price_rows(
    prices: list[str], rub: str, kinds: tuple[int, ...], items: list[Product], season: int, when: str
) -> Rows:
    rows: Rows = []
    for kind in kinds:
        for item in items:
            rows.append(
                {
                    "Period": when,
                    "LineNumber": str(len(rows) + 1),
                    "Active": True,
                    "Номенклатура_Key": item.key,
                    "ВидЦены_Key": prices[kind],
                    "Цена": rubles(price_of(item, kind, season)),
                    "Упаковка_Key": EMPTY_REF,
                    "Валюта_Key": rub,
                }
            )
    return rows
