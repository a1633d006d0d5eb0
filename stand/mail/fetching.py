"""FETCH: what is told of a letter."""

from __future__ import annotations

import re
from typing import Any

from stand.mail import mime
from stand.mail.boxes import Letter
from stand.mail.words import MONTHS, Bad, joined

_MACROS = {
    "ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"],
    "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
    "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"],
}
_SECTION = re.compile(r"BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)


def items(asked: Any, *, uid: bool) -> list[str]:
    """The items that a client asked for; with UID where it asked by uid."""
    words = asked if isinstance(asked, list) else _MACROS.get(str(asked).upper(), [asked])
    found: list[str] = []
    for word in words:
        if not isinstance(word, str):
            raise Bad("FETCH")
        found.append(word if word.upper().startswith("BODY") and "[" in word else word.upper())
    return ["UID", *found] if uid and "UID" not in found else found


def marks_read(asked: list[str]) -> bool:
    """Whether the items, asked for without PEEK, mark a letter as read."""
    return any(item.upper().startswith(("BODY[", "RFC822")) and item != "RFC822.SIZE" for item in asked)


def told(place: int, letter: Letter, asked: list[str]) -> bytes:
    """One untagged FETCH."""
    return b"* %d FETCH (%b)\r\n" % (place, b" ".join(_item(letter, item) for item in asked))


def _item(letter: Letter, item: str) -> bytes:
    if item == "UID":
        return b"UID %d" % letter.uid
    if item == "FLAGS":
        return b"FLAGS (%b)" % joined(sorted(letter.flags))
    if item == "INTERNALDATE":
        return b'INTERNALDATE "%b"' % internal(letter).encode()
    if item == "RFC822.SIZE":
        return b"RFC822.SIZE %d" % len(letter.raw)
    if item == "ENVELOPE":
        return b"ENVELOPE " + mime.envelope(letter.root)
    if item in {"BODYSTRUCTURE", "BODY"}:
        return item.encode() + b" " + mime.structure(letter.root, extended=item != "BODY")
    whole = {"RFC822": "", "RFC822.HEADER": "HEADER", "RFC822.TEXT": "TEXT"}
    if item in whole:
        return item.encode() + b" " + _literal(mime.section(letter.root, whole[item]))
    found = _SECTION.fullmatch(item)
    if found is None:
        raise Bad(item)
    data = mime.section(letter.root, found[2])
    start = f"<{found[3]}>" if found[3] else ""
    if data is not None and found[3]:
        data = data[int(found[3]) : int(found[3]) + int(found[4])]
    return f"BODY[{found[2]}]{start} ".encode() + _literal(data)


def _literal(data: bytes | None) -> bytes:
    return b"NIL" if data is None else b"{%d}\r\n%b" % (len(data), data)


def internal(letter: Letter) -> str:
    """When a letter arrived, as IMAP writes it."""
    at = letter.arrived
    return f"{at.day:2d}-{MONTHS[at.month - 1]}-{at.year} {at:%H:%M:%S %z}"
