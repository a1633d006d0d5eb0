"""Addresses in the head of a letter: lists as people and programs write them, groups and comments included."""

from __future__ import annotations

import re
from typing import NamedTuple

from connectors.imap.headers import one_line, words
from hub.model.mailaddress import mail_handle

#: Of a letter to a whole list nobody keeps more.
MOST = 200
_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"?'  # a quoted text
    r"|\(((?:[^()\\]|\\.|\([^()]*\))*)\)?"  # a comment
    r"|<([^<>]*)>?"  # an address
    r"|([,;:])"
    r'|((?:=\?[^?\s]+\?[bBqQ]\?[^?]*\?=|[^"(<,;:=]|=)+)'  # words; an encoded one may hold any of these marks
)
_AT = re.compile(r"[^\s@]+@[^\s@]+")


class Address(NamedTuple):
    """Who a letter is from or to. ``handle``: as contact points are kept; ``raw``: as written; ``name``: or empty."""

    handle: str
    raw: str
    name: str


def addresses(raw: bytes, hint: str = "") -> list[Address]:
    """All addresses of a field, each once, in their order; names without an address are left out."""
    if not raw:
        return []
    found: dict[str, Address] = {}
    words_: list[str] = []
    angle, comment = "", ""
    # Bytes stay bytes until they are decoded word by word: commas inside encoded words separate nothing.
    for quoted, said, address, mark, bare in _TOKEN.findall(raw.decode("latin-1")):
        if mark == ":":
            # A group's name, unless this is a stray colon of an address.
            words_, angle, comment = [], "", ""
        elif mark:
            _keep(found, words_, angle, comment, hint)
            words_, angle, comment = [], "", ""
        elif address:
            angle = angle or address
        elif said:
            comment = comment or said
        elif quoted:
            words_.append(re.sub(r"\\(.)", r"\1", quoted))
        elif bare.strip():
            words_.append(bare.strip())
        if len(found) >= MOST:
            break
    _keep(found, words_, angle, comment, hint)
    return list(found.values())


def _keep(found: dict[str, Address], words_: list[str], angle: str, comment: str, hint: str) -> None:
    written = " ".join(words_)
    if not angle:
        # Without brackets the address is the word with an @ in it; what else stands there is its name.
        at = _AT.search(written)
        if at is None:
            return
        angle = at[0]
        written = (written[: at.start()] + written[at.end() :]).strip()
    raw = one_line(words(angle.encode("latin-1"), hint))
    at = _AT.search(raw)
    raw = at[0] if at else raw
    if "@" not in raw:
        return
    handle = mail_handle(raw)
    name = one_line(words((written or comment).encode("latin-1"), hint)).strip("'\" ")
    found.setdefault(handle, Address(handle, raw, "" if mail_handle(name) == handle else name[:200]))
