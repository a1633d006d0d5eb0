"""Rows of the tabular part КонтактнаяИнформация: addresses, telephones as people type them, e-mails.

Seeds are small tuples; the rows with their XML and JSON are made when somebody reads them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from stand.onec.generate.kinds import kind_of
from stand.onec.generate.luck import Luck
from stand.onec.generate.words import CITIES, STREETS, City

_SOUNDS = "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh sch - y - e yu ya e"
_TRANSLIT = {
    a: "" if b == "-" else b for a, b in zip("абвгдежзийклмнопрстуфхцчшщъыьэюяё", _SOUNDS.split(), strict=True)
}
#: Under the reserved domain: a demo must never be able to write to a living person.
_MAIL = ("pochta.example", "mail.example", "inbox.example", "list.example")


class Address(NamedTuple):
    """A seed of an address; ``form``: 0 only XML is stored (old rows), 1 XML and JSON, 2 only JSON (new rows)."""

    city: int
    street: int
    house: int
    block: int
    room: int
    form: int


class Contacts(NamedTuple):
    """A seed of a card's contact information. ``same``: the actual address repeats the legal one."""

    address: Address | None
    same: bool
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    site: str


def address(luck: Luck, city: int) -> Address:
    """An address in that city (an index in ``CITIES``)."""
    block = luck.whole(1, 9) if luck.chance(0.25) else 0
    room = luck.whole(1, 420) if luck.chance(0.6) else 0
    form = 0 if luck.chance(0.4) else 1 if luck.chance(0.7) else 2
    return Address(city, luck.whole(0, len(STREETS) - 1), luck.whole(1, 140), block, room, form)


def address_text(seed: Address) -> str:
    """One line, as forms show it."""
    city, street = CITIES[seed.city], STREETS[seed.street]
    town = "" if city.region.startswith(city.name) else f"{city.name} г, "
    block = f", корпус {seed.block}" if seed.block else ""
    room = f", оф. {seed.room}" if seed.room else ""
    return f"{city.post}{seed.house:03d}, {city.region}, {town}{street[0]} {street[1]}, дом № {seed.house}{block}{room}"


def phone(luck: Luck, city: City) -> str:
    """A city telephone in one of the ways people type them; now and then incomplete or two in one field."""
    local = luck.whole(10 ** (9 - len(city.phone)) * 2, 10 ** (10 - len(city.phone)) - 1)
    number = str(local)
    split = f"{number[:-4]}-{number[-4:-2]}-{number[-2:]}"
    style = luck.whole(0, 11)
    if style < 5:
        return f"+7 ({city.phone}) {split}"
    if style == 5:
        return f"8({city.phone}){number}"
    if style == 6:
        return f"8{city.phone}{number}"
    if style == 7:
        return f"тел. ({city.phone}) {split} доб. {luck.whole(100, 499)}"
    if style == 8:
        return split
    if style == 9:
        return f"({city.phone}) {split}, {split[:-2]}{luck.whole(10, 99)}"
    return f"+7{city.phone}{number}" if style == 10 else f"{city.phone} {split}"


def mobile(luck: Luck) -> str:
    """A mobile telephone, likewise."""
    code, number = luck.whole(900, 989), luck.digits(7)
    style = luck.whole(0, 4)
    if style < 2:
        return f"+7 ({code}) {number[:3]}-{number[3:5]}-{number[5:]}"
    return (f"8-{code}-{number[:3]}-{number[3:5]}-{number[5:]}", f"+7{code}{number}", f"8{code}{number}")[style - 2]


def email(luck: Luck, word: str) -> str:
    """An e-mail made of a name; a few with a capital, a blank or without a dot."""
    latin = "".join(_TRANSLIT.get(c, c) for c in word.lower() if c.isalnum()) or "info"
    host = luck.pick(_MAIL) if luck.chance(0.5) else f"{latin}.example"
    text = f"{luck.pick(('info', 'zakaz', 'office', latin, 'sales', 'buh'))}@{host}"
    if luck.chance(0.03):
        return luck.pick((f" {text}", text.upper(), text.replace("@", " @ "), text.replace(".", ",")))
    return text


def _row(number: int, kind: str, use: str, text: str, **more: Any) -> dict[str, Any]:
    head = {"LineNumber": str(number), "Тип": kind, "Вид_Key": use, "Представление": text, "ВидДляСписка_Key": use}
    return head | more


def _address_xml(seed: Address, text: str) -> str:
    city, street = CITIES[seed.city], STREETS[seed.street]
    town = "<Город/>" if city.region.startswith(city.name) else f"<Город>{city.name} г</Город>"
    block = f'<ДопАдрЭл><Номер Тип="1050" Значение="{seed.block}"/></ДопАдрЭл>' if seed.block else ""
    room = f'<ДопАдрЭл><Номер Тип="2010" Значение="{seed.room}"/></ДопАдрЭл>' if seed.room else ""
    return (
        '<КонтактнаяИнформация xmlns="http://www.v8.1c.ru/ssl/contactinfo" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'Представление={quoteattr(text)}><Комментарий/><Состав xsi:type="Адрес" Страна="РОССИЯ">'
        f'<Состав xsi:type="АдресРФ"><СубъектРФ>{city.region}</СубъектРФ><СвРайМО><Район/></СвРайМО>'
        f"{town}<НаселПункт/>"
        f"<Улица>{street[0]} {street[1]}</Улица>"
        f'<ДопАдрЭл><Номер Тип="1010" Значение="{seed.house}"/></ДопАдрЭл>{block}{room}'
        f'<ДопАдрЭл ТипАдрЭл="10100000" Значение="{city.post}{seed.house:03d}"/>'
        "</Состав></Состав></КонтактнаяИнформация>"
    )


def _address_json(seed: Address, text: str) -> str:
    city, street = CITIES[seed.city], STREETS[seed.street]
    area, _, area_type = city.region.rpartition(" ")
    own = city.region.startswith(city.name)
    return json.dumps(
        {
            "version": 4,
            "value": text,
            "comment": "",
            "type": "Адрес",
            "country": "РОССИЯ",
            "addressType": "Административно-территориальный",
            "countryCode": "643",
            "ZIPcode": f"{city.post}{seed.house:03d}",
            "area": area,
            "areaType": area_type,
            "city": "" if own else city.name,
            "cityType": "" if own else "г",
            "street": street[0],
            "streetType": street[1],
            "houseType": "Дом",
            "houseNumber": str(seed.house),
            "buildings": [{"type": "Корпус", "number": str(seed.block)}] if seed.block else [],
            "apartments": [{"type": "Офис", "number": str(seed.room)}] if seed.room else [],
        },
        ensure_ascii=False,
    )


def _address_row(number: int, use: str, seed: Address) -> dict[str, Any]:
    city, text = CITIES[seed.city], address_text(seed)
    return _row(
        number,
        "Адрес",
        use,
        text,
        ЗначенияПолей=_address_xml(seed, text) if seed.form < 2 else "",
        Значение=_address_json(seed, text) if seed.form else "",
        Страна="РОССИЯ",
        Регион=city.region,
        Город="" if city.region.startswith(city.name) else f"{city.name} г",
    )


def _phone_row(number: int, text: str, owner: str) -> dict[str, Any]:
    digits = "".join(c for c in text.partition("доб")[0].partition(",")[0] if c.isdigit())
    full = f"7{digits[-10:]}" if len(digits) >= 10 else digits
    use = kind_of(owner, "mobile" if full[1:2] == "9" and len(full) == 11 else "phone")
    short = full[-7:] if text.startswith("+7 (") else ""
    value = ""
    if text.startswith("+7 ("):
        area, _, rest = text[4:].partition(") ")
        value = json.dumps(
            {"value": text, "comment": "", "type": "Телефон", "countryCode": "7", "areaCode": area, "number": rest,
             "extNumber": ""},
            ensure_ascii=False,
        )  # fmt: skip
    return _row(number, "Телефон", use, text, НомерТелефона=full, НомерТелефонаБезКодов=short, Значение=value)


def contact_rows(seed: Contacts, owner: str) -> list[dict[str, Any]]:
    """The rows of one card, in the order legal address, actual address, telephones, e-mails, site.

    ``owner``: name of the catalogue that the card belongs to: it has kinds of its own.
    """
    rows: list[dict[str, Any]] = []
    if seed.address:
        rows.append(_address_row(1, kind_of(owner, "legal"), seed.address))
        if seed.same:
            rows.append(_address_row(2, kind_of(owner, "actual"), seed.address))
    for text in seed.phones:
        rows.append(_phone_row(len(rows) + 1, text, owner))
    for text in seed.emails:
        host = text.rpartition("@")[2].strip()
        kind = kind_of(owner, "email")
        rows.append(_row(len(rows) + 1, "АдресЭлектроннойПочты", kind, text, АдресЭП=text, ДоменноеИмяСервера=host))
    if seed.site:
        rows.append(_row(len(rows) + 1, "ВебСтраница", kind_of(owner, "site"), seed.site))
    return rows
