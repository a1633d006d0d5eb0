"""Cities and addresses: index, street, house and unit out of what people type.

Most addresses are plain: index, city, street, house, unit, in this order and set off by commas. One pattern reads
those, here and in the vectorised form alike; the rest is read word by word.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from dedup.normal.letters import one_alphabet, skeleton
from dedup.normal.tables import city_names
from dedup.normal.tables import words as table_words

_WORDS = "[а-я][а-я -]*[а-я]"
#: Groups: index, city, street, house, unit. Over lower-case text without ё.
PLAIN_ADDRESS = (
    rf"^(?:([0-9]{{6}}), ?)?(?:(?:г\.? ?|город )?({_WORDS}), ?)?(?:ул\.? ?|улица )?({_WORDS}),? ?"
    r"(?:д\.? ?|дом )?([0-9]{1,4}[а-я]?)(?:(?:,? ?(?:оф|офис|кв|каб)\.? ?|-)([0-9]{1,5}))?$"
)
_PLAIN = re.compile(PLAIN_ADDRESS)
_BETWEEN = re.compile(r"[\W_]+")
_CHUNKS = re.compile(r"[,;]+")
_STREET = table_words("street")
_HOUSE = table_words("house")
_BLOCK = table_words("block")
_UNIT = table_words("unit")
_TOWN = table_words("town")
_REGION = table_words("region")
_MARKS = _STREET | _HOUSE | _BLOCK | _UNIT | _TOWN | _REGION
_ALIASES = city_names()


class Address(NamedTuple):
    """Parts as skeletons; empty where the text does not tell. ``street``: its words in alphabetical order."""

    postcode: str
    city: str
    street: str
    house: str
    unit: str


@lru_cache(maxsize=65536)
def city_key(text: str) -> str:
    """A city as people write it (``г. Санкт-Петербург``, ``СПб``) as one skeleton without blanks."""
    words = [one_alphabet(word) for word in _words(text.lower().replace("ё", "е"))]
    while len(words) > 1 and words[0] in _TOWN:
        words = words[1:]
    while len(words) > 1 and words[-1] in _TOWN:
        words = words[:-1]
    plain = " ".join(words)
    return "".join(skeleton(word) for word in _ALIASES.get(plain, plain).split())


@lru_cache(maxsize=65536)
def street_key(text: str) -> str:
    """Plain words of a street as its key; empty where one of them is a mark such as ``пр`` and needs a closer look."""
    words = _words(text)
    return "" if _MARKS.intersection(words) else _street(words)


def marked(text: str) -> bool:
    """Whether one of the plain words is a mark such as ``обл``, so that they are no city alone."""
    return bool(_MARKS.intersection(_words(text)))


def address(text: str) -> Address:
    """An address as people write it."""
    low = text.lower().replace("ё", "е")
    found = _PLAIN.match(low) if not low.endswith("\n") else None
    if found:
        postcode, city, street, house, unit = (group or "" for group in found.groups())
        key = street_key(street)
        if key and not marked(city):
            return Address(postcode, city_key(city) if city else "", key, house_key(house), unit)
    return _closer(low)


def street_words(text: str) -> str:
    """A street from a field of its own as its key."""
    words = _words(text.lower().replace("ё", "е"))
    return _street([word for word in words if word not in _STREET] or words)


def house_key(house: str) -> str:
    """A house number with its letter as a skeleton."""
    return skeleton(house.strip().lower())


def _words(text: str) -> list[str]:
    return [word for word in _BETWEEN.split(text) if word]


def _street(words: list[str]) -> str:
    return " ".join(sorted(filter(None, map(skeleton, words))))


def _closer(low: str) -> Address:
    """Word by word: chunks that name a region go, a chunk that names a town is the city, the rest is street and
    numbers.
    """
    postcode, city = "", ""
    rest: list[str] = []
    chunks = [_words(chunk) for chunk in _CHUNKS.split(low)]
    for n, words in enumerate(chunks):
        if len(words) == 1 and len(words[0]) == 6 and words[0].isdigit() and words[0].isascii():
            postcode = postcode or words[0]
        elif not words or _REGION.intersection(words):
            continue
        elif not city and not rest and _is_city(words, chunks[n + 1 :]):
            city = city_key(" ".join(words))
        else:
            rest.extend(words)
    street, numbers = _split(rest)
    house, unit = _numbers(numbers)
    return Address(
        postcode, city, _street([word for word in street if word not in _MARKS] or street), skeleton(house), unit
    )


def _is_city(words: list[str], later: list[list[str]]) -> bool:
    if words[0] in _TOWN or words[-1] in _TOWN:
        return len(words) > 1
    if any(word[0].isdigit() for word in words) or (_STREET | _HOUSE).intersection(words):
        return False
    return any(not word[0].isdigit() and word not in _HOUSE | _BLOCK | _UNIT for chunk in later for word in chunk)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words of the street, and what follows the last of them: numbers and their marks."""
    last = -1
    for n, word in enumerate(words):
        if not word[0].isdigit() and word not in _HOUSE | _BLOCK | _UNIT and len(word) > 1:
            last = n
    return words[: last + 1], words[last + 1 :]


def _numbers(words: list[str]) -> tuple[str, str]:
    """House and unit out of ``д 15 к 2 кв 7``, ``15 2 7`` or ``15 а``."""
    house, unit, mark = "", "", ""
    for word in words:
        if not word[0].isdigit():
            if len(word) == 1 and house and house[-1].isdigit() and not mark and word not in "дк":
                house += word
            mark = "house" if word in _HOUSE else "block" if word in _BLOCK else "unit" if word in _UNIT else mark
        elif mark == "unit" or (house and mark != "block"):
            unit, mark = unit or word, ""
        else:
            house, mark = f"{house}-{word}" if house else word, ""
    return house, unit
