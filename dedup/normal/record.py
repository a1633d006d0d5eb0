"""One normalised record: what is compared, and nothing else. The scalar twin of ``dedup.normal.frame``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dedup.normal import contacts, names, places
from dedup.normal.requisites import BRANCH_REASONS, requisites
from dedup.normal.words import Word, look

#: Raw fields that are read; all may be absent. ``phone`` and ``email`` hold one, several in a text, or a list.
RAW = (
    "kind", "name", "last_name", "first_name", "middle_name", "inn", "kpp", "ogrn", "phone", "email", "city", "address",
    "postcode", "street", "house", "unit", "fias", "birthday",
)  # fmt: skip
_KINDS = {
    **dict.fromkeys(("org", "organization", "organisation", "company", "o"), "o"),
    **dict.fromkeys(("ip", "sole", "i"), "i"),
    **dict.fromkeys(("person", "individual", "p"), "p"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """What is compared. Texts are empty where nothing is known; names are skeletons (see ``dedup.normal.letters``).

    ``rec``: the caller's id. ``kind``: o firm, i sole proprietor, p person, empty unknown. ``name``: a firm's words in
    alphabetical order, a person's parts joined. ``branch``: the name or the КПП tells that it is a part of a firm.
    ``area``: area code of the first landline. ``domains``: corporate only.
    """

    rec: int | str
    kind: str = ""
    name: str = ""
    flat: str = ""
    numbers: str = ""
    form: str = ""
    branch: bool = False
    last: str = ""
    first: str = ""
    middle: str = ""
    gender: str = ""
    others: str = ""
    inn: str = ""
    inn_bad: str = ""
    kpp: str = ""
    ogrn: str = ""
    birthday: str = ""
    postcode: str = ""
    city: str = ""
    street: str = ""
    house: str = ""
    unit: str = ""
    fias: str = ""
    area: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


class Named(NamedTuple):
    """The columns that come of a name."""

    kind: str
    name: str
    flat: str
    numbers: str
    form: str
    branch: bool
    last: str
    first: str
    middle: str
    gender: str
    others: str


def raw_kind(value: str) -> str:
    """What a source calls the kind of a client, as o, i, p or empty."""
    return _KINDS.get(value.strip().lower(), "")


def kind_of(stated: str, form: str, inn: str, classes: str) -> str:
    """The kind by what is stated, the legal form, the ИНН and the words of the name, in this order of strength."""
    if form == "ip":
        return "i"
    if stated or form:
        return stated or "o"
    if inn:
        return "o" if len(inn) == 10 else "p"
    kept = [kind for kind in classes if kind != "X"]
    return "p" if ("P" in kept or "F" in kept) and 2 <= len(kept) <= 4 else ""


def named(stated: str, name: str, inn: str) -> Named:
    """The columns of a name; ``stated``: its kind as ``raw_kind`` tells it."""
    words = [look(word) for word in names.person_words(name).split()]
    form = next((word.form for word in words if word.form), "")
    kind = kind_of(stated, form, inn, names.person_classes(words))
    if kind in ("i", "p"):
        return _named_person(kind, form, names.person(words))
    words = [look(word) for word in names.firm_words(name).split()]
    return _named_firm(kind, words)


def _named_firm(kind: str, words: Sequence[Word]) -> Named:
    firm = names.firm(words)
    kind = kind or kind_of("", firm.form, "", "")
    return Named(kind, firm.key, firm.flat, firm.numbers, firm.form, firm.branch, "", "", "", "", "")


def _named_person(kind: str, form: str, person: names.Person) -> Named:
    whole = " ".join(filter(None, (person.last, person.first, person.middle)))
    return Named(kind, whole, "", "", form, False, *person)


def named_parts(stated: str, last: str, first: str, middle: str) -> Named:
    """The columns of a person whose parts the source keeps apart."""
    found = names.person_parts(last, first, middle)
    return _named_person(stated if stated in ("i", "p") else "p", "", found)


def birthday(text: str) -> str:
    """``YYYYMMDD`` out of an ISO date, ``31.12.1980`` or eight digits; 1C's empty date is none."""
    iso = re.match(r"(\d{4})-?(\d\d)-?(\d\d)", text, re.ASCII)
    dotted = re.match(r"(\d\d)\.(\d\d)\.(\d{4})", text, re.ASCII)
    found = "".join(iso.groups()) if iso else "".join(reversed(dotted.groups())) if dotted else ""
    return "" if found.startswith("0001") else found


def code(text: str) -> str:
    """A code such as a postcode, a flat or a ФИАС id, without blanks around it, in lower case."""
    return text.strip().lower()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ";".join(str(item) for item in value if item)
    return str(value)


def normalise(raw: Mapping[str, Any], rec: int | str = 0) -> Record:
    """One raw record, with the fields of ``RAW``, as it is compared."""
    get = {field: _text(raw.get(field)) for field in RAW}
    found = requisites(get["inn"], get["kpp"], get["ogrn"])
    stated = raw_kind(get["kind"])
    if get["last_name"] or get["first_name"]:
        name = named_parts(stated, get["last_name"], get["first_name"], get["middle_name"])
    else:
        name = named(stated, get["name"], found.inn)
    if found.kpp[4:6] in BRANCH_REASONS:
        name = name._replace(branch=True)
    at = _address(get)
    phones = tuple(dict.fromkeys(phone.norm for phone in contacts.phones(get["phone"])))
    boxes = contacts.emails(get["email"])
    return Record(
        rec,
        *name,
        *found,
        birthday(get["birthday"]),
        *at,
        code(get["fias"]),
        next(filter(None, map(contacts.area, phones)), ""),
        phones,
        tuple(dict.fromkeys(box.norm for box in boxes)),
        tuple(dict.fromkeys(box.domain for box in boxes if box.nature == "corporate")),
    )


def _address(get: Mapping[str, str]) -> places.Address:
    at = places.address(get["address"])
    street = places.street_words(get["street"]) if get["street"] else at.street
    return places.Address(
        code(get["postcode"]) or at.postcode,
        places.city_key(get["city"]) or at.city,
        street,
        places.house_key(get["house"]) or at.house,
        code(get["unit"]) or at.unit,
    )
