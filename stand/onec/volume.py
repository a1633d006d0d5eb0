"""Serves a packed set: up to a million documents at the price of copying bytes.

Read-only but for ``edit``. ``$top``, ``$skip``, ``$select``, ``$inlinecount`` and ``/$count`` work; ``$orderby`` is not
looked at but for its direction: the order is always date. ``$filter`` knows windows of ``Date`` and lists of
``Ref_Key eq guid'…'``; anything else is 501. Answers are JSON without links.
"""

from __future__ import annotations

import json
import re
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from stand.onec import jsonout
from stand.onec.errors import OUT_OF_MEMORY, ODataError, instance_not_found, segment_not_found
from stand.onec.model import EntitySet
from stand.onec.packed import Numbering, PackedFile, key_row, stamp, write
from stand.onec.projection import project
from stand.onec.query import Options
from stand.onec.quirks import Quirks
from stand.onec.urls import Segment, key_in
from stand.onec.wire import PLAIN, Form, Response
from stand.onec.world import FIRST_VERSION, Record, World, next_version

#: Selections that are served from the section of keys; the order of columns is 1C's, whatever is asked.
_KEYS = frozenset({"Ref_Key", "DataVersion", "DeletionMark"})
#: Places in the pieces of a template; no piece of JSON is like these.
_KEY_HERE, _NUMBER_HERE = b"\0key", b"\0number"
_WINDOW = re.compile(r"\(*\s*Date\s+(ge|gt|le|lt)\s+datetime'([^']+)'\s*\)*")
_KEY = re.compile(r"\(*\s*Ref_Key\s+eq\s+guid'([0-9a-fA-F-]{36})'\s*\)*")


def default_folder() -> Path:
    """Where packed files are kept unless told otherwise."""
    return Path(tempfile.gettempdir()) / "onec-stand"


def open_volume(world: World, name: str, count: int, folder: Path | None = None) -> Volume:
    """The set ``name`` with ``count`` documents, made of those in the base; the file is made when it is not there yet.

    ``ValueError``: fewer than the base holds, or none to make them of.
    """
    item = world.model.sets[name]
    templates = sorted(world.records(name), key=lambda r: (r.get("Date", ""), r.get("Number", ""), r["Ref_Key"]))
    if not 0 < len(templates) <= count:
        raise ValueError(f"{count} of {name} cannot be made of {len(templates)}")
    whole = project(item, ())

    def row(number: int) -> bytes:
        return jsonout.dump(jsonout.entity(world, whole, templates[number], "nometadata", ""))

    step = max(1, len(templates) // 50)
    words = (name, count, [t["Ref_Key"] for t in templates])
    mark = stamp(words, (row(number) for number in range(0, len(templates), step)))
    path = (folder or default_folder()) / f"{name}-{count}-{mark}.pack"
    if not path.exists():
        write(path, count, templates, row)
    return Volume(world, item, PackedFile(path), templates)


class Volume:
    """One packed set. ``edited``: fields of documents that were changed since, by number. ``quirks``: the engine's."""

    def __init__(self, world: World, item: EntitySet, file: PackedFile, templates: Sequence[Record]) -> None:
        self.quirks = Quirks()
        self.world = world
        self.item = item
        self.file = file
        self.numbering = Numbering(file.count, [str(record["Ref_Key"]) for record in templates])
        self.edited: dict[int, Record] = {}
        self._templates = templates
        self._own = {key: number for number, key in enumerate(self.numbering.keys)}
        self._dates = [str(record.get("Date", "")) for record in templates]
        # Copies of a template stand together: a few are enough.
        self._pieces = lru_cache(64)(self._cut)

    def edit(self, key: str, fields: Record) -> str:
        """Change fields of one document (an empty ``fields`` only writes it); the new DataVersion. ``KeyError``."""
        n = self.numbering.find(key, self._own)
        if n is None:
            raise KeyError(f"{self.item.name} has no {key}")
        if unknown := fields.keys() - self.item.shape.by_name.keys():
            raise ValueError(f"{self.item.name} has no field {', '.join(sorted(unknown))}")
        template = self._templates[self.numbering.template(n)]
        before = self.edited.get(n, {"DataVersion": template.get("DataVersion", FIRST_VERSION)})
        self.edited[n] = before | fields | {"DataVersion": next_version(before["DataVersion"])}
        return str(self.edited[n]["DataVersion"])

    def read(self, steps: list[Segment], asked: Options, form: Form, root: str) -> Response:
        """Answer a GET. Code 21 with 501 for what a packed set does not do."""
        inside, rest = steps[0].inside or "", steps[1:]
        if not form.json and not (rest and rest[0].name == "$count"):
            raise _cannot("Atom")
        if inside.strip():
            n = self.numbering.find(key_in(self.item, inside)["Ref_Key"], self._own)
            if n is None:
                raise instance_not_found()
            if rest:
                raise _cannot(rest[0].name)
            body = b"".join(self._row(n, asked.select))
            head = f'{{"odata.metadata":"{root}/$metadata#{self.item.name}/@Element",'.encode()
            return Response(200, form.content_type, body if form.detail == "nometadata" else head + body[1:])
        numbers = self._filtered(asked.filter)
        if rest:
            if rest[0].name != "$count":
                raise segment_not_found(rest[0].name)
            return Response(200, PLAIN, str(len(numbers)).encode())
        if asked.orderby.strip().endswith(" desc"):
            numbers = numbers[::-1]
        chosen = numbers[asked.skip : None if asked.top is None else asked.skip + asked.top]
        return self._page(chosen, asked, form, len(numbers), root)

    def _page(self, chosen: Sequence[int], asked: Options, form: Form, total: int, root: str) -> Response:
        head = b"{"
        if form.detail != "nometadata":
            head += f'"odata.metadata":"{root}/$metadata#{self.item.name}",'.encode()
        if asked.count:
            head += f'"odata.count":"{total}",'.encode()
        if self.quirks.too_large(self.item.name, rows=len(chosen)):
            raise ODataError(500, -1, OUT_OF_MEMORY)
        fields = project(self.item, asked.select)
        if frozenset(asked.select) == _KEYS and not fields.shown:
            pieces = [self._keys(chosen)[:-1]]
        else:
            pieces = [piece for n in chosen for piece in (*self._row(n, asked.select), b",")][:-1]
        return Response(200, form.content_type, b"".join([head, b'"value":[', *pieces, b"]}"]))

    def _keys(self, chosen: Sequence[int]) -> bytes:
        if isinstance(chosen, range) and chosen.step == 1:
            found = self.file.keys(chosen.start, chosen.stop) if chosen else b""
            if not any(n in chosen for n in self.edited):
                return found
        return b"".join(self._key(n) for n in chosen)

    def _key(self, n: int) -> bytes:
        changed = self.edited.get(n)
        if changed is None:
            return self.file.keys(n, n + 1)
        template = self._templates[self.numbering.template(n)]
        marked = changed.get("DeletionMark", template.get("DeletionMark", False))
        return key_row(self.numbering.key(n), changed["DataVersion"], bool(marked))

    def _row(self, n: int, select: tuple[str, ...]) -> list[bytes]:
        """The pieces of one row; a page is joined once."""
        template = self.numbering.template(n)
        if n in self.edited:
            row = json.loads(b"".join(self._made(n, template, select)))
            return [jsonout.dump(row | {name: value for name, value in self.edited[n].items() if name in row})]
        return self._made(n, template, select)

    def _made(self, n: int, template: int, select: tuple[str, ...]) -> list[bytes]:
        """The template's pieces with the key and number of this document between them."""
        pieces, number = self._pieces(template, select), str(self._templates[template].get("Number", ""))
        if n != self.numbering.first(template):
            number = _numbered(number, n)
        mine = {_KEY_HERE: self.numbering.head(n).encode(), _NUMBER_HERE: number.encode()}
        return [mine.get(piece, piece) for piece in pieces]

    def _cut(self, template: int, select: tuple[str, ...]) -> list[bytes]:
        """A template with the fields asked for, cut where its key and its number stand."""
        record = self._templates[template]
        if select:
            fields = project(self.item, select)
            body = jsonout.dump(jsonout.entity(self.world, fields, record, "nometadata", ""))
        else:
            body = self.file.row(template)
        field, number = b'"Number":"', str(record.get("Number", "")).encode()
        before, found, after = body.partition(field + number)
        key = self.numbering.keys[template][:18].encode()
        pieces = _between(before.split(key), _KEY_HERE)
        return [*pieces, field, _NUMBER_HERE, *_between(after.split(key), _KEY_HERE)] if found else pieces

    def _filtered(self, text: str) -> Sequence[int]:
        """Numbers of the documents that pass, in order."""
        if not text.strip():
            return range(self.file.count)
        keys = [_KEY.fullmatch(part.strip()) for part in re.split(r"\s+or\s+", text)]
        if all(keys):
            found = (self.numbering.find(match[1].lower(), self._own) for match in keys if match)
            return sorted({n for n in found if n is not None})
        edges = [_WINDOW.fullmatch(part.strip()) for part in re.split(r"\s+and\s+", text)]
        if not all(edges):
            raise _cannot(f"$filter={text}")
        begin, end = 0, self.file.count
        for operator, moment in (match.groups() for match in edges if match):
            # Documents of one template share its date.
            place = (bisect_left if operator in ("ge", "lt") else bisect_right)(self._dates, moment)
            n = self.numbering.first(place)
            begin, end = (max(begin, n), end) if operator in ("ge", "gt") else (begin, min(end, n))
        return range(begin, max(begin, end))

    def close(self) -> None:
        """Unmap the file."""
        self.file.close()


def _between(pieces: list[bytes], place: bytes) -> list[bytes]:
    """The pieces with ``place`` between each two."""
    return [word for piece in pieces for word in (place, piece)][1:]


def _cannot(what: str) -> ODataError:
    return ODataError(501, 21, f"Упакованный набор стенда этого не умеет: {what}")


def _numbered(number: str, n: int) -> str:
    """A number of its own as long as the template's: six digits of the document's place behind the prefix."""
    digits = len(number) - len(number.rstrip("0123456789"))
    return f"{number[: len(number) - digits]}{n % 10**digits:0{digits}d}" if digits else number
