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
            held.append(line)
            at += len(line)
            joined = b"".join(held)
            if joined.count(b'"') % 2 and len(held) < _LINES:
                continue
            if len(held) == _LINES and joined.count(b'"') % 2:  # the first line is broken, the others are themselves
                joined, rest = held[0], held[1:]
                yield begins, joined.decode("utf-8", "replace")
                begins += len(joined)
                for single in rest:
                    yield begins, single.decode("utf-8", "replace")
                    begins += len(single)
            else:
                yield begins, joined.decode("utf-8", "replace")
            held, begins = [], at
            piece.read = at
        piece.read = max(piece.read, start)
    piece.size = min(_HEAD, piece.read)
    piece.head = _hash(head[: piece.size])


def rows(found: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Records as the fields of CSV; what is none has no fields."""
    places: list[int] = []

    def texts() -> Iterator[str]:
        for place, record in found:
            places.append(place)
            yield record

    reader = csv.reader(texts())
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
        place = places[-1]
        places.clear()
        yield place, row
