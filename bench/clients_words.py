"""Words, numbers and spellings that ``bench.clients`` makes its clients of."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import yaml

from hub.model.identity import INN10, INN11, INN12


class City(NamedTuple):
    """``region``: code of the subject, the first digits of its ИНН; ``area``: telephone code."""

    name: str
    region: str
    area: str
    weight: int


class Place(NamedTuple):
    """Where in the city."""

    street: str
    house: str
    unit: str


_TABLES = yaml.safe_load(Path(__file__).with_name("clients.yaml").read_text(encoding="utf-8"))
CITIES = [City(name, *row) for name, row in _TABLES["cities"].items()]
_CITY_WEIGHTS = [city.weight for city in CITIES]
_STREETS: list[str] = _TABLES["streets"].split()
SURNAMES: list[str] = _TABLES["surnames"].split()
MALE: tuple[list[str], list[int]] = (list(_TABLES["male"]), list(_TABLES["male"].values()))
FEMALE: tuple[list[str], list[int]] = (list(_TABLES["female"]), list(_TABLES["female"].values()))
FIRMS: list[str] = _TABLES["firms"].split()
_HEADS: list[str] = _TABLES["heads"].split()
_TAILS: list[str] = _TABLES["tails"].split()
_SYLLABLES: list[str] = _TABLES["syllables"].split()
FORMS: list[str] = list(_TABLES["forms"])
FORM_WEIGHTS: list[int] = [weight for weight, _ in _TABLES["forms"].values()]
_FULL: dict[str, str] = {form: full for form, (_, full) in _TABLES["forms"].items()}
ROLES = ("info", "office", "zakaz", "sales", "buh", "mail1")
_FREE = ("mail.ru", "yandex.ru", "ya.ru", "gmail.com", "bk.ru", "list.ru", "inbox.ru", "rambler.ru")
_TRANSLIT = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "yo",
            "zh",
            "z",
            "i",
            "y",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            ".",
            "y",
            ".",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)
_LOOKALIKE = str.maketrans("асеоркхАСЕОРКХВМТН", "aceopkxACEOPKXBMTH")
_NOTES = (" (офис)", " НЕТ ДОГОВОРА", " (старый)", " !!!", " новый")
_SHORT: dict[str, str] = _TABLES["short_names"]


def latin(text: str) -> str:
    """``text`` in Latin letters."""
    out = []
    for letter in text:
        found = _TRANSLIT.get(letter.lower(), letter).strip(".")
        out.append(found.capitalize() if letter.isupper() else found)
    return "".join(out)


def surname(rng: random.Random) -> str:
    """A rare surname."""
    return (
        "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 3)))) + rng.choice(("нов", "тов", "лин", "ев", "ров", "ский"))
    ).capitalize()


def feminine(last: str) -> str:
    """A surname as a woman bears it."""
    if last.endswith(("ий", "ый")):
        return last[:-2] + "ая"
    return last + "а" if last.endswith(("в", "н")) else last


def masculine(last: str) -> str:
    """A woman's surname as her husband bears it."""
    return last[:-2] + "ий" if last.endswith("ая") else last[:-1] if last.endswith(("ва", "на")) else last


def patronymic(first: str, male: bool) -> str:
    """Of a father's first name."""
    special = {"Илья": "Иль", "Никита": "Никит", "Пётр": "Петров", "Павел": "Павлов", "Лев": "Львов"}
    if first == "Илья":
        return "Ильич" if male else "Ильинична"
    if first == "Никита":
        return "Никитич" if male else "Никитична"
    stem = special.get(first) or (first[:-1] + "ев" if first[-1] in "йь" else first + "ов")
    if first.endswith("ий") and first not in {"Дмитрий", "Георгий"}:
        stem = first[:-2] + "ьев"
    return stem + ("ич" if male else "на")


def firm(rng: random.Random) -> str:
    """A name of a firm that few bear."""
    draw = rng.random()
    made = "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 2, 3, 3, 4)))).capitalize()
    if draw < 0.25:
        return rng.choice(_HEADS) + rng.choice(_TAILS)
    if draw < 0.55:
        return made + rng.choice(_TAILS)
    if draw < 0.65:
        return f"{rng.choice(('ТД', 'ПКФ', 'НПО', 'ГК'))} {made}"
    return f"{made} {rng.choice(FIRMS)}" if draw < 0.78 else made + rng.choice(("", "н", "с", "р", "л"))


def city(rng: random.Random) -> City:
    """A city by its size."""
    return rng.choices(CITIES, _CITY_WEIGHTS)[0]


def place(rng: random.Random) -> Place:
    """A street, a house and perhaps a flat."""
    return Place(rng.choice(_STREETS), str(rng.randint(1, 150)), str(rng.randint(1, 400)) if rng.random() < 0.6 else "")


def address(rng: random.Random, town: str, at: Place, clean: bool) -> str:
    """An address as people type it."""
    if clean or rng.random() < 0.35:
        return f"{rng.randint(101000, 699999)}, г. {town}, ул. {at.street}, д. {at.house}" + (
            f", оф. {at.unit}" if at.unit else ""
        )
    unit = at.unit if rng.random() < 0.85 else ""
    style = rng.randrange(4)
    if style == 0:
        return f"{town}, {at.street} {at.house}" + (f"-{unit}" if unit else "")
    if style == 1:
        return f"г.{town}, ул.{at.street}, дом {at.house}" + (f", офис {unit}" if unit else "")
    if style == 2:
        return f"ул. {at.street}, {at.house}" + (f", каб.{unit}" if unit else "")
    return f"{town}, ул {at.street}, {at.house}".upper() + (f" кв {unit}" if unit else "")


def _control(body: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11 % 10)


def inn10(rng: random.Random, region: str) -> str:
    """A firm's ИНН."""
    body = region + f"{rng.randint(0, 9999999):07}"
    return body + _control(body, INN10)


def inn12(rng: random.Random, region: str) -> str:
    """A person's ИНН."""
    body = region + f"{rng.randint(0, 99999999):08}"
    body += _control(body, INN11)
    return body + _control(body, INN12)


def ogrn(rng: random.Random, region: str) -> str:
    """A firm's ОГРН."""
    body = f"1{rng.randint(2, 24):02}{region}{rng.randint(0, 9999999):07}"
    return body + str(int(body) % 11 % 10)


def ogrnip(rng: random.Random, region: str) -> str:
    """A sole proprietor's ОГРНИП."""
    body = f"3{rng.randint(4, 24):02}{region}{rng.randint(0, 999999999):09}"
    return body + str(int(body) % 13 % 10)


def mobile(rng: random.Random) -> str:
    """Ten national digits of a mobile."""
    return f"9{rng.randint(0, 99):02}{rng.randint(0, 9999999):07}"


def landline(rng: random.Random, town: City) -> str:
    """Ten national digits of a landline of that city."""
    return town.area + f"{rng.randint(2000000, 9999999)}"


def spelled_phone(rng: random.Random, line: str) -> str:
    """Ten digits as people type them."""
    a, b, c, d = line[:3], line[3:6], line[6:8], line[8:]
    form = rng.choice(
        (
            "+7{0}{1}{2}{3}",
            "8{0}{1}{2}{3}",
            "8 ({0}) {1}-{2}-{3}",
            "+7 {0} {1} {2} {3}",
            "({0}) {1}-{2}{3}",
            "+7({0}){1}{2}{3}",
        )
    )
    return form.format(a, b, c, d) + (f" доб. {rng.randint(1, 999)}" if rng.random() < 0.07 else "")


def domain(rng: random.Random, name: str, region: str) -> str:
    """A firm's own domain."""
    stem = "".join(letter for letter in latin(name.lower()) if letter.isalnum())
    return stem + (f"-{region}" if rng.random() < 0.4 else "") + ".ru"


def free_box(rng: random.Random, name: str) -> str:
    """A mailbox with a provider."""
    stem = "".join(letter for letter in latin(name.lower()) if letter.isalnum())[:14]
    return f"{stem}{rng.randint(1, 99999)}@{rng.choice(_FREE)}"


def typo(rng: random.Random, text: str) -> str:
    """One slip of the fingers."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    letter = rng.choice("аеиоунтрслк")
    return text[:at] + letter + text[at + (kind == 2) :]


def mixed(rng: random.Random, text: str) -> str:
    """Some Cyrillic letters as the Latin ones that look the same."""
    return "".join(letter.translate(_LOOKALIKE) if rng.random() < 0.5 else letter for letter in text)


def spelled_firm(rng: random.Random, form: str, base: str, clean: bool) -> str:
    """A firm's name as people write it."""
    if clean:
        return f'{form} "{base}"'
    style = rng.randrange(9)
    if style == 0:
        return f"{_FULL[form]} «{base}»"
    plain = (
        f'{form} "{base}"',
        f"{form} «{base}»",
        f"{form} {base}",
        base,
        f"{base}, {form}",
        f"{base} ({form})",
        f'{form}"{base}"',
        f'{form} "{base}"'.upper(),
    )[style - 1]
    return plain + (rng.choice(_NOTES) if rng.random() < 0.04 else "")


def spelled_human(rng: random.Random, kind: str, last: str, first: str, middle: str, clean: bool) -> str:
    """A person's name as people write it."""
    before = "ИП " if kind == "ip" else ""
    if clean:
        return f"{before}{last} {first} {middle}"
    style = rng.randrange(12)
    if kind == "ip" and rng.random() < 0.15:
        before = rng.choice(("", "Индивидуальный предприниматель "))
    short = _SHORT.get(first, first) if rng.random() < 0.5 else first
    return (
        before
        + (
            f"{last} {first} {middle}",
            f"{last} {first}",
            f"{first} {last}",
            f"{last} {first[0]}.{middle[0]}.",
            f"{first} {middle} {last}",
            f"{last} {first} {middle}".upper(),
            latin(f"{last} {first}"),
            f"{last} {short}",
            f"{short} {last}",
            f"{last} {first[0]}. {middle[0]}.",
            f"{last} {first} {middle}".replace("ё", "е"),
            f"{last} {first} {middle}",
        )[style]
    )
