"""Answers to FETCH, read by one expression instead of byte by byte: imapclient's own reader is most of what a first
read of a mailbox would cost. What it makes of an answer on a uid is what imapclient makes of it, but that parts of a
structure stay tuples, and that a letter whose answer is broken is left out alone.

RFC 3501, section 7.4.2; imaplib gives a line, or, where literals stand in it, pairs of a piece of it and the literal,
and then the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from imapclient.datetime_util import parse_to_datetime
from imapclient.exceptions import ProtocolError

Told = dict[bytes, Any]
#: What imaplib gives of an answer.
Piece = bytes | tuple[bytes, bytes]

_TOKEN = re.compile(
    rb"[()]"
    rb'|"(?:[^"\\]|\\.)*+"'
    rb'|(?:[^\s()"\[]|\[[^\]]*+\])++"?'  # brackets hold blanks and marks: BODY[HEADER.FIELDS (TO)]
    rb"|\S",
    re.DOTALL,
)
_ESCAPED = re.compile(rb'\\([\\"])')


def fetched(answer: Sequence[Piece]) -> dict[int, Told]:
    """What is told of each letter by uid, keys in capitals; several answers on one letter are put together.

    What a server tells unasked, without a uid, is left out: its number in the folder could be another letter's uid. A
    letter whose answer is broken is left out too; ``ProtocolError``, without anything of the letter, where that is so
    of all of them.
    """
    found: dict[int, Told] = {}
    broken: ProtocolError | None = None
    for pieces in _answers(answer):
        try:
            uid, told = _told(pieces)
        except ProtocolError as error:
            broken = error
            continue
        if uid is not None:
            found.setdefault(uid, {}).update(told)
    if broken is not None and not found:
        raise broken
    return found


def _answers(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces of one answer after another: a piece without a literal is the last of its own."""
    some: list[Piece] = []
    for piece in pieces:
        some.append(piece)
        if isinstance(piece, bytes):
            yield some
            some = []
    if some:
        yield some


def _told(pieces: Sequence[Piece]) -> tuple[int | None, Told]:
    match _values(pieces):
        case [int(number), tuple(items)] if len(items) % 2 == 0:
            told: Told = {b"SEQ": number}
        case _:
            raise ProtocolError("no answer to FETCH")
    uid: int | None = None
    for name, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(name, bytes):
            raise ProtocolError("no name of an item")
        key = name.upper()
        if key == b"UID":
            uid = _number(value)
        elif key == b"INTERNALDATE":
            told[key] = _moment(value)
        else:
            told[key] = value
    return uid, told


def _values(pieces: Sequence[Piece]) -> list[Any]:
    """Atoms, texts, literals and, as tuples, lists of an answer, nested as they are there."""
    items: list[Any] = []
    outer: list[list[Any]] = []
    for piece in pieces:
        line, literal = (piece, None) if isinstance(piece, bytes) else piece
        for token in _TOKEN.findall(line):
            if token == b"(":
                outer.append(items)
                items = []
            elif token == b")":
                if not outer:
                    raise ProtocolError("a list that never began")
                inner, items = tuple(items), outer.pop()
                items.append(inner)
            else:
                items.append(_value(token, literal))
    if outer:
        raise ProtocolError("a list that never ended")
    return items


def _value(token: bytes, literal: bytes | None) -> Any:
    first = token[:1]
    if first == b'"':
        if len(token) == 1:
            raise ProtocolError("a text that never ended")
        text = token[1:-1]
        return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text
    if token == b"NIL":
        return None
    if token.isdigit() and (first != b"0" or len(token) == 1):
        return int(token)
    if first == b"{":
        if literal is None or token != b"{%d}" % len(literal):
            raise ProtocolError("no literal of this size")
        return literal
    if token[-1:] in {b'"', b"["}:
        raise ProtocolError("a text or a section amiss")
    return token


def _number(value: Any) -> int:
    if isinstance(value, int):
        return value
    raise ProtocolError("no uid")


def _moment(value: Any) -> Any:
    try:
        return parse_to_datetime(value, normalise=False) if isinstance(value, bytes) else None
    except (ValueError, OverflowError):
        return None
