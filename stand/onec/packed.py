"""A set of documents much larger than the base that is kept in memory: a file of ready JSON that is mapped, not read.

The base's own documents, in order of date, are the *templates*. Each comes as often as it takes to reach the count that
is wanted: first as it is, then with other keys and numbers of its own, on the same date. So references to the base's
own documents hold, a window of dates holds its share, and the same arguments make the same file, byte for byte.

The file: ``MAGIC``, the length of the head in eight digits and a line end, the head (JSON: counts and sections), then
the sections. ``keys`` has one row of fixed width for every document; ``rows`` the templates whole, cut by ``ends``.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"1CPACK1\n"
#: A key row: three fields of the plain key sweep. ``true`` is padded by a blank, so that every row is as wide.
_KEY_ROW = '{{"Ref_Key":"{}","DataVersion":"{}","DeletionMark":{:<5}}},'
WIDTH = len(_KEY_ROW.format("0" * 36, "0" * 12, "false"))
_TWIST, _MASK = 0x9E3779B1, 0xFFFFFFFF
_UNTWIST = pow(_TWIST, -1, _MASK + 1)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which template document ``n`` is made from. ``count`` documents, ``keys`` of the templates in order of date."""

    count: int
    keys: Sequence[str]

    def template(self, n: int) -> int:
        """The template of document ``n``."""
        return n * len(self.keys) // self.count

    def first(self, template: int) -> int:
        """The first document made from that template: the template itself. ``count`` for one past the last."""
        return -(-template * self.count // len(self.keys))

    def head(self, n: int) -> str:
        """The first 18 characters of the key of document ``n``; the rest of the key is its template's."""
        template = self.template(n)
        key = self.keys[template]
        if n == self.first(template):
            return key[:18]
        # 1C's own keys are of version 1: a copy's can never be one of them.
        return f"{n * _TWIST & _MASK:08x}{key[8:14]}4{key[15:18]}"

    def key(self, n: int) -> str:
        """The key of document ``n``."""
        return self.head(n) + self.keys[self.template(n)][18:]

    def find(self, key: str, own: dict[str, int]) -> int | None:
        """The document with that key. ``own``: templates by their keys."""
        template = own.get(key)
        if template is not None:
            return self.first(template)
        n = int(key[:8], 16) * _UNTWIST & _MASK
        return n if n < self.count and self.key(n) == key else None


def key_row(key: str, version: str, marked: bool) -> bytes:
    """One row of the sweep, with the comma behind it."""
    return _KEY_ROW.format(key, version, "true" if marked else "false").encode()


def write(path: Path, count: int, templates: Sequence[dict[str, Any]], row: Callable[[int], bytes]) -> None:
    """Make the file. ``templates``: Ref_Key, DataVersion, DeletionMark; ``row``: the whole template as JSON."""
    numbering = Numbering(count, [str(record["Ref_Key"]) for record in templates])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    with part.open("wb") as file:
        sections = {"keys": [0, count * WIDTH]}
        head = {"count": count, "templates": len(templates), "width": WIDTH, "sections": sections}
        # The lengths of the other sections are known only when they are written; the head has room for them.
        room = len(json.dumps(head)) + 200
        start = len(MAGIC) + 9 + room
        file.seek(start)
        file.writelines(_key_rows(numbering, templates))
        ends, end = [], 0
        for number in range(len(templates)):
            end += file.write(row(number))
            ends.append(end)
        file.write(struct.pack(f"<{len(ends)}Q", *ends))
        for name, length in (("rows", end), ("ends", 8 * len(ends))):
            sections[name] = [sum(size for _, size in sections.values()), length]
        file.seek(0)
        file.write(MAGIC + f"{room:08}\n".encode() + json.dumps(head).encode().ljust(room))
    # Two stands may make the same file at once: each replaces it by the same bytes.
    part.replace(path)


def _key_rows(numbering: Numbering, templates: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    for n in range(numbering.count):
        record = templates[numbering.template(n)]
        yield key_row(numbering.key(n), record["DataVersion"], record.get("DeletionMark", False))


class PackedFile:
    """The file, mapped. ``ValueError``: not such a file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self.map[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path} is no packed set")
        begin = len(MAGIC) + 9
        room = int(self.map[len(MAGIC) : begin])
        head = json.loads(self.map[begin : begin + room])
        self.count, self.templates = int(head["count"]), int(head["templates"])
        self._starts = {name: begin + room + start for name, (start, _) in head["sections"].items()}
        ends = self._starts["ends"]
        self._ends = (0, *struct.unpack(f"<{self.templates}Q", self.map[ends : ends + 8 * self.templates]))

    def keys(self, begin: int, end: int) -> bytes:
        """Key rows from ``begin`` to before ``end``, a comma behind each."""
        start = self._starts["keys"]
        return self.map[start + begin * WIDTH : start + end * WIDTH]

    def row(self, template: int) -> bytes:
        """A template whole."""
        start = self._starts["rows"]
        return self.map[start + self._ends[template] : start + self._ends[template + 1]]

    def close(self) -> None:
        """Unmap it."""
        self.map.close()


def stamp(words: Iterable[object], samples: Iterable[bytes]) -> str:
    """What a file is named by: all that decides its content, with samples of it in case the generator has changed."""
    digest = hashlib.sha256(MAGIC + repr([*words]).encode())
    for sample in samples:
        digest.update(sample)
    return digest.hexdigest()[:16]
