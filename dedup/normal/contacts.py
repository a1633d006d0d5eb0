"""Phones and e-mails as they are compared; what a phone or an address is, is told by ``hub.model.identity``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from hub.model.identity import Phone, parse_emails, parse_phones

_LAST_SEVEN = 7
COUNTING = ("1234567", "7654321", "2345678", "8765432")
#: Mailboxes that are nobody's.
NOBODY = r"^(?:no|net|нет|test|тест|none|null|noreply|no-reply|a|aa|aaa|123|1|x|xx|xxx|qwe|qwerty|asd)@"
_NOBODY = re.compile(NOBODY)


class Email(NamedTuple):
    """``norm``: the mailbox, the same for all its aliases. ``domain`` and its ``nature``: free, corporate,
    disposable.
    """

    norm: str
    domain: str
    nature: str


def phone_usable(phone: Phone) -> bool:
    """Whether a phone can tell who somebody is: valid, and no ``999-99-99`` typed to fill the field."""
    tail = phone.norm[-_LAST_SEVEN:]
    return phone.valid and len(set(tail)) > 2 and tail not in COUNTING


def phones(text: str, city: str = "") -> list[Phone]:
    """The phones of a text that can tell who somebody is; ``city``: the code for numbers without one."""
    return [phone for phone in parse_phones(text, city) if phone_usable(phone)]


def area(phone: str) -> str:
    """The area code of a landline (``+7495…`` → ``495``); empty for mobiles, 8-800 and other countries."""
    return phone[2:5] if phone.startswith("+7") and phone[2:3] in ("3", "4") else ""


@cache
def _domains() -> dict[str, str]:
    tables = yaml.safe_load((Path(__file__).parent / "domains.yaml").read_text(encoding="utf-8"))
    return {name: nature for nature in ("free", "disposable", "nobody") for name in tables[nature]} | {
        name: f"={same}" for name, same in tables["aliases"].items()
    }


@lru_cache(maxsize=65536)
def domain(name: str) -> tuple[str, str]:
    """A mail domain as (the name that stands for its aliases, its nature)."""
    ascii_name = name
    if not name.isascii():
        try:
            ascii_name = name.encode("idna").decode("ascii")
        except UnicodeError:
            ascii_name = name
    known = _domains().get(ascii_name, "corporate")
    return domain(known[1:]) if known[0] == "=" else (ascii_name, known)


def local_part(local: str, at: str) -> str:
    """The part before the @ without what the provider ignores: tags after a plus, Gmail's dots, Yandex's dash for
    a dot.
    """
    if at == "gmail.com":
        return local.partition("+")[0].replace(".", "") or local
    if at == "yandex.ru":
        return (local.partition("+")[0] or local).replace("-", ".")
    return local


def email(norm: str) -> Email | None:
    """The mailbox of a valid address in lower case; ``None`` for one that was typed to fill the field."""
    local, _, name = norm.rpartition("@")
    at, nature = domain(name)
    box = f"{local_part(local, at)}@{at}"
    if nature == "nobody" or _NOBODY.match(norm) or _NOBODY.match(box):
        return None
    return Email(box, at, nature)


def emails(text: str) -> list[Email]:
    """The mailboxes of a text that can tell who somebody is."""
    return [found for _, norm, valid in parse_emails(text) if valid and (found := email(norm))]
