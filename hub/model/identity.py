"""Russian identity rules: control digits of identifiers, phones, e-mails and personal names.

Pure and small. Nothing here refuses a value: what fails its check is kept as written and marked invalid, because a
base holds what people typed. Control digits: ИНН by the order of ФНС, ОГРН and ОГРНИП by the rules of the state
registers, СНИЛС by the rules of the pension fund, ОКПО by ПР 50.1.024-2005.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import NamedTuple

import phonenumbers

_NOT_DIGIT = re.compile(r"[^0-9]+")
_BLANKS = re.compile(r"\s+")
INN10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
INN11 = (7, *INN10)
INN12 = (3, *INN11)
_WIDE = {0xFF10 + n: str(n) for n in range(10)} | {0xFF0B: "+"}
_KPP = re.compile(r"\d{4}[0-9A-Z]{2}\d{3}")


def digits(value: str) -> str:
    """Only the ASCII digits of ``value``, whatever separates them."""
    return value if value.isascii() and value.isdigit() else _NOT_DIGIT.sub("", value)


def ascii_digits(text: str) -> str:
    """``text`` with the wide digits and the wide plus of the East as plain ones."""
    return text if text.isascii() else text.translate(_WIDE)


def _weighted(number: str, weights: Sequence[int]) -> int:
    """Sum of the digits by weight, over as many digits as there are weights (ASCII digits only)."""
    return sum(map(mul, map(int, number), weights))


def inn_valid(value: str) -> bool:
    """ИНН of an organisation (10 digits) or a person (12 digits) with the right control digits.

    There is no tax office 00: the order of ФНС ЕД-7-14/559@ begins the number with the code of a region.
    """
    if not (value.isascii() and value.isdigit()) or value.startswith("00"):
        return False
    if len(value) == 10:
        return _weighted(value, INN10) % 11 % 10 == int(value[9])
    if len(value) == 12:
        eleventh = _weighted(value, INN11) % 11 % 10 == int(value[10])
        return eleventh and _weighted(value, INN12) % 11 % 10 == int(value[11])
    return False


def inn_restored(value: str) -> str:
    """``value`` with the leading zero that a spreadsheet took from an ИНН (9, 11 digits), where that makes it valid."""
    padded = "0" + value
    return padded if len(padded) in (10, 12) and inn_valid(padded) else value


def kpp_valid(value: str) -> bool:
    """КПП: four digits of the tax office, two characters of the reason (digits or A-Z), three digits; no control."""
    return _KPP.fullmatch(value) is not None


def ogrn_valid(value: str) -> bool:
    """ОГРН of an organisation: 13 digits."""
    return _register_valid(value, 13)


def ogrnip_valid(value: str) -> bool:
    """ОГРНИП of a sole proprietor: 15 digits."""
    return _register_valid(value, 15)


def _register_valid(value: str, length: int) -> bool:
    if len(value) != length or not (value.isascii() and value.isdigit()) or not int(value):
        return False
    return int(value[:-1]) % (length - 2) % 10 == int(value[-1])


def snils_valid(value: str) -> bool:
    """СНИЛС: 11 digits; numbers up to 001-001-998 never had control digits and pass."""
    if len(value) != 11 or not (value.isascii() and value.isdigit()) or not int(value):
        return False
    if int(value[:9]) <= 1_001_998:
        return True
    return _weighted(value, range(9, 0, -1)) % 101 % 100 == int(value[9:])


def okpo_valid(value: str) -> bool:
    """ОКПО: 8 digits of an organisation or 10 of a sole proprietor."""
    if len(value) not in (8, 10) or not (value.isascii() and value.isdigit()) or not int(value):
        return False
    control = _weighted(value[:-1], (1, 2, 3, 4, 5, 6, 7, 8, 9)) % 11
    if control == 10:
        control = _weighted(value[:-1], (3, 4, 5, 6, 7, 8, 9, 10, 1)) % 11 % 10
    return control == int(value[-1])


_CHECKS = {
    "inn": inn_valid,
    "kpp": kpp_valid,
    "ogrn": ogrn_valid,
    "ogrnip": ogrnip_valid,
    "snils": snils_valid,
    "okpo": okpo_valid,
}


def identifier_norm(scheme: str, value: str) -> str:
    """The form two writings of one identifier share; the bare text where nothing would be left of it."""
    if scheme in _CHECKS and scheme != "kpp":
        return digits(value) or value.strip()
    return _BLANKS.sub("", value).upper() or value.strip()


def identifier_valid(scheme: str, norm: str) -> bool | None:
    """Whether a normalised identifier passes its control digits; ``None`` for schemes that have none."""
    check = _CHECKS.get(scheme)
    return None if check is None else check(norm)


class Phone(NamedTuple):
    """``norm``: E.164 (``+74951234567``) when ``valid``, else what digits there were. ``ext``: digits or empty."""

    norm: str
    ext: str
    valid: bool


_EXT = re.compile(
    r"[\s,;(]*(?:доб(?:авочный)?|вн(?:утр(?:енний)?)?|ext(?:ension)?|;ext=|#|[xх](?=\s*\d{1,6}\s*\)?$))"
    r"[\s.:№=]*(\d{1,8})\s*\)?\s*$",
    re.IGNORECASE,
)
#: Without any of these there is no extension to look for.
_EXT_HINT = re.compile(r"[a-zа-яё#=]", re.IGNORECASE)
#: ``8 495 123-45-67,123``: a few digits after a comma are dialled once the call is answered.
_EXT_COMMA = re.compile(r"(?<=\d)\s*[,;]+\s*(\d{1,4})\s*$")
_SEVERAL = re.compile(r"[,;/\n]+|\s+или\s+", re.IGNORECASE)
#: First digits of a national number under +7 whose codes are all given out: geographic and mobile codes of Russia.
_CODES_7 = frozenset("3489")


#: The plain way, which most numbers are written in.
_PLAIN_PHONE = re.compile(
    r"\s*(?:\+?7|8)[ (-]{0,2}([34689][0-9]{2})[ )-]{0,2}([0-9]{3})[ -]?([0-9]{2})[ -]?([0-9]{2})\s*"
)


_WHOLE_PHONE = re.compile(r"(?:\+?7|8)(?:[ ()-]{0,3}[0-9]){10}")


def parse_phone(text: str, city: str = "") -> Phone:
    """One phone as people write it: ``8 (495) 123-45-67 доб. 12``, ``+7…``, ``7…``, ``(4912) 55-12-34``.

    ``city``: the code to complete a number without one, such as ``495``.
    """
    body, ext = text.strip(), ""
    body = ascii_digits(body)
    found = (_EXT.search(body) if _EXT_HINT.search(body) else None) or _EXT_COMMA.search(body)
    if found:
        body, ext = body[: found.start()], found[1]
    lead = body.lstrip("( ")[:2]
    plus = lead[:1] == "+" or lead == "00"
    number = digits(body)
    if lead == "00":
        number = number[2:]
    elif number.startswith("810") and len(number) > 11:
        plus, number = True, number[3:]
    national = _national(number, plus, city)
    if national is not None:
        return Phone(f"+7{national}", ext, national[0] in _CODES_7 or _given_out(f"+7{national}"))
    if plus and 8 <= len(number) <= 15:
        return Phone(f"+{number}", ext, not number.startswith("7"))
    if 11 <= len(number) <= 15 and _given_out(f"+{number}"):
        return Phone(f"+{number}", ext, True)  # telephone exchanges write numbers of other countries without the plus
    return Phone(number or _BLANKS.sub(" ", text.strip()).lower(), ext, False)


def _national(number: str, plus: bool, city: str) -> str | None:
    """The ten digits after +7, or ``None`` when this is not a number of that plan."""
    if len(number) == 11 and (number[0] == "7" or number[0] == "8"):
        return number[1:]  # "+8 …" is a slip of the pen: no country has 8 followed by ten digits of this shape
    if plus:
        return None
    if len(number) == 10:
        # ``8495123456`` is eleven digits less one: completed, it would be somebody else's number.
        return number if number[0] not in "78" or _given_out(f"+7{number}") else None
    if city and len(number) + len(city) == 10:
        return city + number
    return None


@lru_cache(maxsize=4096)
def _given_out(number: str) -> bool:
    """Whether a number with its plus stands in the numbering plan of its country."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def parse_phones(text: str, city: str = "") -> list[Phone]:
    """All phones of a text that lists several; a number without a code takes the code of the one before it."""
    plain = _PLAIN_PHONE.fullmatch(text)
    if plain:
        return [Phone("+7" + "".join(plain.groups()), "", True)]
    parts = [part for part in _SEVERAL.split(text) if part.strip()]
    if len(parts) < 2 or any(len(digits(part)) < 5 for part in parts):
        parts = _run_together(text)
    if len(parts) < 2:
        return [parse_phone(text, city)] if text.strip() else []
    phones: list[Phone] = []
    for part in parts:
        lead = phones[-1].norm[2:] if phones and phones[-1].valid and phones[-1].norm.startswith("+7") else ""
        short = len(digits(part))
        phones.append(parse_phone(part, lead[: 10 - short] if lead and 5 <= short <= 7 else city))
    return phones


def _run_together(text: str) -> list[str]:
    """Numbers with nothing but blanks between them; none unless they are all that the text has."""
    parts = _WHOLE_PHONE.findall(text) if len(text) > 20 else []
    return parts if "".join(map(digits, parts)) == digits(text) else []


_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]]+@(?:\w(?:[\w-]{0,61}\w)?\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})")
_BRACKETS = re.compile(r"<([^<>]+)>")
_EMAIL_SPLIT = re.compile(r"[\s,;]+")
_AROUND_AT = re.compile(r"\s*@\s*")
_PLAIN_EMAIL = re.compile(r"[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}")


def email_norm(text: str) -> tuple[str, bool]:
    """An address in lower case without ``mailto:`` and angle brackets, and whether it has the shape of one.

    An international domain in its ASCII form (``xn--…``) is told in its own letters, as people write it.
    """
    found = _BRACKETS.search(text)
    norm = (found[1] if found else text).strip().lower().removeprefix("mailto:").rstrip(".")
    if "xn--" in norm:
        norm = _own_letters(norm)
    return norm, len(norm) <= 254 and _EMAIL.fullmatch(norm) is not None


def _own_letters(address: str) -> str:
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return address


def parse_emails(text: str) -> list[tuple[str, str, bool]]:
    """All addresses of a text as (as written, normalised, valid); a text without any is one invalid address."""
    lower = text.lower()
    if _PLAIN_EMAIL.fullmatch(lower) and "xn--" not in lower:
        return [(text, lower, True)]
    parts = [part for part in _EMAIL_SPLIT.split(_AROUND_AT.sub("@", text)) if "@" in part]
    found = [(part, *email_norm(part)) for part in parts]
    if len(parts) == 1 and found[0][2]:
        return [(text.strip(), *found[0][1:])]
    if any(valid for _, _, valid in found):
        return found
    return [(text.strip(), _BLANKS.sub(" ", lower).strip(), False)] if text.strip() else []


class PersonName(NamedTuple):
    """Parts of a personal name; ``gender`` is ``male``, ``female`` or empty, told by the patronymic only."""

    last: str
    first: str
    middle: str
    gender: str


#: Endings of patronymics.
_MALE = ("вич", "ьич", "мич", "кич", "оглы", "улы", "угли")
_FEMALE = ("вна", "чна", "инична", "кызы", "гызы", "кизи")
_TITLE = re.compile(r"^(?:ип|индивидуальный\s+предприниматель|гр(?:ажданин|ажданка)?)[.\s]+", re.IGNORECASE)
_TAIL = re.compile(r"[(,].*$|\s+(?:ИП|индивидуальный\s+предприниматель)$", re.IGNORECASE | re.DOTALL)
_SURNAME = re.compile(r"(?:[оеё]ва?|[иы]на?|[сц]к(?:ий|ая|ой)|[уюя]к|енко|ых|их|ян|дзе|швили)$", re.IGNORECASE)
_INITIALS = re.compile(r"([А-ЯЁA-Z])\.\s*(?:([А-ЯЁA-Z])\.?)?$")
#: First names that end like surnames.
_NAMES = frozenset(
    re.findall(
        r"\w+",
        """августина алевтина алина альбина ангелина анжелина антонина арина валентин валентина галина диана екатерина
        зарина ирина карина константин кристина лев лиана марина мартин нина полина регина сабина ульяна фаина эвелина
        яков яна янина""",
    )
)


@lru_cache(maxsize=4096)
def split_name(full: str) -> PersonName:
    """A full name into its parts, told apart by the patronymic: ``Иванов Иван Иванович`` or ``Иван Иванович Иванов``.

    Without a patronymic the order is surname first, unless only the second word looks like a surname.
    """
    text = _TAIL.sub("", _TITLE.sub("", _BLANKS.sub(" ", full).strip())).strip()
    initials = _INITIALS.search(text)
    if initials:
        first, middle = initials[1] + ".", initials[2] + "." if initials[2] else ""
        return PersonName(text[: initials.start()].strip(), first, middle, "")
    words = text.split(" ") if text else []
    if len(words) > 3 and words[-1].lower() in ("оглы", "кызы", "гызы", "улы", "угли", "кизи"):
        words[-2:] = [" ".join(words[-2:])]
    where = next((n for n, word in enumerate(words) if n and patronymic_gender(word)), 0)
    if where:
        return _by_patronymic(words, where)
    if len(words) == 2:
        last, first = words if _surname_first(*words) else reversed(words)
        return PersonName(last, first, "", "")
    if len(words) < 2:
        return PersonName("", text, "", "")
    return PersonName(words[0], words[1], " ".join(words[2:]), "")


def patronymic_gender(word: str) -> str:
    """``male`` or ``female`` when a Cyrillic word ends as patronymics do, else empty."""
    lower = word.lower()
    return "male" if lower.endswith(_MALE) else "female" if lower.endswith(_FEMALE) else ""


def _by_patronymic(words: list[str], where: int) -> PersonName:
    gender = patronymic_gender(words[where])
    first = words[where - 1]
    rest = words[: where - 1] + words[where + 1 :]
    return PersonName(" ".join(rest), first, words[where], gender)


def like_surname(word: str) -> bool:
    """Whether a Cyrillic word ends as surnames do and is no first name that ends like one."""
    return word.lower() not in _NAMES and _SURNAME.search(word) is not None


def _surname_first(one: str, two: str) -> bool:
    return like_surname(one) or not like_surname(two)
