"""What clients say, taken apart: words, quoted texts, literals, lists; and sets of numbers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WORD = re.compile(
    rb'\s*(?:"((?:[^"\\]|\\.)*)"|(\()|(\))|\{(\d+)\+?\}\r\n|((?:BODY(?:\.PEEK)?\[[^\]]*\][^\s()]*)|[^\s()"]+))',
    re.IGNORECASE,
)


class Bad(Exception):
    """What a client said makes no sense."""


def read(line: bytes) -> list[Any]:
    """Words as ``str`` (``bytes`` of a literal), lists as lists."""
    stack: list[list[Any]] = [[]]
    place = 0
    while place < len(line):
        found = _WORD.match(line, place)
        if found is None:
            if line[place:].strip():
                raise Bad(line[place : place + 20].decode("latin-1"))
            break
        place = found.end()
        quoted, opened, closed, literal, word = found.groups()
        if opened:
            stack.append([])
        elif closed:
            if len(stack) == 1:
                raise Bad(")")
            done = stack.pop()
            stack[-1].append(done)
        elif literal:
            stack[-1].append(line[place : place + int(literal)])
            place += int(literal)
        elif quoted is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted).decode("utf-8", "replace"))
        else:
            stack[-1].append(word.decode("utf-8", "replace"))
    if len(stack) != 1:
        raise Bad("(")
    return stack[0]


def text(word: Any) -> str:
    """A word, whichever way it was sent."""
    if isinstance(word, list):
        raise Bad("(")
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def numbers(spec: str, there: list[int]) -> list[int]:
    """Numbers of a set like ``1:3,7,9:*`` that are there, in order; ``there`` is in order."""
    chosen: set[int] = set()
    highest = there[-1] if there else 0
    for part in spec.split(","):
        ends = part.split(":")
        if not all(end == "*" or end.isdigit() for end in ends) or len(ends) > 2:
            raise Bad(spec[:40])
        low, high = sorted(highest if end == "*" else int(end) for end in (ends[0], ends[-1]))
        chosen.update(number for number in there if low <= number <= high)
    return sorted(chosen)


def day(word: str) -> date:
    """``1-Feb-2026``."""
    found = re.fullmatch(r"(\d{1,2})-(\w{3})-(\d{4})", word.strip('"'))
    if found is None or found[2].title() not in MONTHS:
        raise Bad(word)
    return date(int(found[3]), MONTHS.index(found[2].title()) + 1, int(found[1]))


def to_utf7(name: str) -> bytes:
    """The name of a folder as IMAP writes it (RFC 3501, 5.1.3)."""
    parts = re.split(r"([\x20-\x7e]+)", name)
    return b"".join(
        part.replace("&", "&-").encode("ascii") if n % 2 else _base64(part) for n, part in enumerate(parts) if part
    )


def _base64(part: str) -> bytes:
    return b"&" + base64.b64encode(part.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",") + b"-"


def from_utf7(name: str) -> str:
    """The way back."""

    def decode(found: re.Match[str]) -> str:
        packed = found[1].replace(",", "/")
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-16-be") if packed else "&"

    return re.sub(r"&([A-Za-z0-9+,]*)-", decode, name)


def joined(words: Iterable[str]) -> bytes:
    """Words with blanks between."""
    return " ".join(words).encode()
