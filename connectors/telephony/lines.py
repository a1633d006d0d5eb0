"""Rows of a file that a program appends to: where each begins, and nothing of what is not written to its end yet."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import xxhash

#: A file is known by its beginning: it keeps that when it is renamed, packed or copied.
_HEAD = 256
#: A field in quotes may hold a few ends of lines; a quote that nothing closes must not swallow the file.
_LINES = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read. ``head``: hash of its first ``size`` bytes. ``back``: where rows begin that are to be
    read again; ``read``: up to where it was read.
    """

    size: int
    head: str
    back: int
    read: int


@dataclass(slots=True)
class Piece:
    """What one file gave: rows and broken lines with where they begin, and where the next read begins."""

    size: int = 0
    head: str = ""
    read: int = 0
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def opened(path: Path) -> BinaryIO:
    """The file, unpacked where ``logrotate`` has packed it."""
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def known(path: Path, marks: list[Mark]) -> Mark | None:
    """How far this file was read, whatever it is called by now; ``None`` for one that nobody has seen.

    A file that was emptied and begun anew (``copytruncate``) has another beginning, and its copy has the one known.
    """
    with opened(path) as file:
        head = file.read(_HEAD)
        for mark in sorted(marks, key=lambda mark: -mark.size):
            if mark.size and len(head) >= mark.size and _hash(head[: mark.size]) == mark.head:
                return mark if file.seek(mark.back) == mark.back else None
    return None


def _hash(head: bytes) -> str:
    return xxhash.xxh3_64_hexdigest(head)


def records(path: Path, start: int, piece: Piece) -> Iterator[tuple[int, str]]:
    """Whole records from ``start`` on, each with where it begins; ``piece`` learns how far that led.

    A line without its end, or a quote without its other one at the end of the file, is written by this very moment.
    """
    with opened(path) as file:
        head = file.read(_HEAD)
        file.seek(start)
        held: list[bytes] = []
        begins = at = start
        for line in file:
            if not line.endswith(b"\n"):
                break
            if held and _is_row(line):  # what is held was cut off: the exchange was, in the middle of a line
                yield begins, b"".join(held).decode("utf-8", "replace")
                held, begins = [], at
            held.append(line)
            at += len(line)
            joined = b"".join(held)
            if joined.count(b'"') % 2 and len(held) < _LINES:
                continue
            yield begins, joined.decode("utf-8", "replace")
            held, begins = [], at
            piece.read = at
        piece.read = max(piece.read, start)
    piece.size = min(_HEAD, piece.read)
    piece.head = _hash(head[: piece.size])


def _is_row(line: bytes) -> bool:
    """Whether a line is a row by itself, and not a part of a field with ends of lines in it."""
    return line.count(b'"') % 2 == 0 and line.count(b'","') >= 6


def rows(found: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Records as the fields of CSV; what is none is one field, the whole of it."""
    for place, record in found:
        try:
            yield place, [record] if record.count('"') % 2 else next(csv.reader([record]))
        except (csv.Error, StopIteration):
            yield place, [record]
