"""The data of the emulated base: records by set, their versions, and what changed since whom.

A record is a dict of the fields that differ from 1C's empty value, in the form they have in JSON (``"3"`` for an Int64,
``"2026-01-31T10:00:00"`` for a date). A tabular part is a list of such dicts with ``LineNumber``, or a callable that
makes the list when it is read: most documents are never looked into.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from stand.onec.model import EMPTY_REF, NAMESPACE, EntitySet

if TYPE_CHECKING:
    from stand.onec.configurations import Configuration

Record = dict[str, Any]
Rows = list[Record]
Key = str | tuple[str, ...]

FIRST_VERSION = "AAAAAAAAAAE="


def rows_of(value: Rows | Callable[[], Rows] | None) -> Rows:
    """The rows of a tabular part, made now if they are lazy."""
    if value is None:
        return []
    return value() if callable(value) else value


def next_version(version: str) -> str:
    """The DataVersion after this one: eight bytes, big-endian, base64."""
    number = int.from_bytes(base64.b64decode(version), "big") + 1
    return base64.b64encode(number.to_bytes(8, "big")).decode()


class Table:
    """Records of one set, in the order of creation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[Key, Record] = {}
        self.version = 0

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)


class World:
    """The base. Everything that changes it goes through ``edit``, ``add`` and ``delete``, under ``lock``.

    ``hidden``: documents that exist and make movements, but are not published. ``frozen``: movements of documents that
    were changed without being posted anew, as PATCH does. ``forbidden``: (set, key) that row-level rights hide.
    ``unpublished``: sets that OData does not show, though references lead there. ``clock``: the base's own time; it
    goes on by a second with every change, so that a day of it repeats exactly.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.model = configuration.model
        self.clock = datetime(2026, 11, 13, 20)
        self.tables = {name: Table(name) for name, item in self.model.sets.items() if item.kind not in DERIVED}
        self.hidden: list[Record] = []
        self.frozen: dict[tuple[str, str], dict[str, Rows]] = {}
        self.forbidden: set[tuple[str, Key]] = set()
        self.listeners: list[Callable[[str, Key], None]] = []
        self.version = 0
        self.lock = threading.RLock()
        self.unpublished: frozenset[str] = frozenset()
        self.notes: dict[str, Any] = {}

    def put(self, name: str, record: Record) -> Record:
        """Store a record without a trace; for making the base."""
        self.tables[name].rows[self.key_of(name, record)] = record
        return record

    def key_of(self, name: str, record: Mapping[str, Any]) -> Key:
        """The record's key: its ``Ref_Key``, or the tuple of key fields of an independent register."""
        item = self.model.sets[name]
        if item.key == ("Ref_Key",):
            return str(record["Ref_Key"])
        return tuple(str(record.get(field, item.shape.defaults[field])) for field in item.key)

    def get(self, name: str, key: Key) -> Record | None:
        """The record, or ``None``."""
        table = self.tables.get(name)
        return table.rows.get(key) if table else None

    def records(self, name: str) -> list[Record]:
        """All records of a set, for a test that looks for one to edit."""
        return list(self.tables[name])

    def add(self, name: str, fields: Mapping[str, Any]) -> Record:
        """Create a record as a user of 1C would; its first version is 1. ``ValueError``: it has no ``Ref_Key``."""
        with self.lock:
            record = {"DataVersion": FIRST_VERSION, **self._checked(name, fields)}
            if self.model.sets[name].key == ("Ref_Key",) and "Ref_Key" not in record:
                raise ValueError(f"a new record of {name} needs Ref_Key, a guid of your own")
            self._stamp(name, record)
            self.put(name, record)
            self.announce(name, self.key_of(name, record))
            return record

    def edit(self, name: str, key: Key, fields: Mapping[str, Any]) -> Record:
        """Change fields and tabular parts as a user of 1C would (a posted document is posted anew).

        ``KeyError``: no such record. Bumps DataVersion even when nothing differs, as 1C does.
        """
        with self.lock:
            record = self.tables[name].rows[key]
            record.update(self._checked(name, fields))
            if isinstance(key, str):
                self.frozen.pop((name, key), None)
            self.touch(name, key)
            return record

    def _checked(self, name: str, fields: Mapping[str, Any]) -> Record:
        """Fields of an edit; rows without LineNumber are numbered. ``ValueError`` names fields the set lacks."""
        item = self.model.sets[name]
        if unknown := fields.keys() - item.shape.by_name.keys():
            raise ValueError(f"{name} has no field {', '.join(sorted(unknown))}")
        return {
            field: [{"LineNumber": str(n), **row} for n, row in enumerate(value, 1)]
            if isinstance(value, list)
            else value
            for field, value in fields.items()
        }

    def touch(self, name: str, key: Key) -> None:
        """Write a record unchanged: its version grows and it is registered for exchange."""
        with self.lock:
            record = self.tables[name].rows[key]
            if "DataVersion" in self.model.sets[name].shape.by_name:
                record["DataVersion"] = next_version(record.get("DataVersion", FIRST_VERSION))
            self._stamp(name, record)
            self.announce(name, key)

    def _stamp(self, name: str, record: Record) -> None:
        """Note the time of a change where the configuration keeps it."""
        self.clock += timedelta(seconds=1)
        if field := self.configuration.stamped.get(name):
            record[field] = self.clock.isoformat()

    def delete(self, name: str, key: Key) -> None:
        """Delete physically. ``KeyError``: no such record."""
        with self.lock:
            del self.tables[name].rows[key]
            self.announce(name, key)

    def announce(self, name: str, key: Key) -> None:
        """Count a change and tell whoever listens."""
        self.version += 1
        self.tables[name].version += 1
        for listener in self.listeners:
            listener(name, key)

    def presentation(self, name: str, record: Record) -> tuple[str, ...]:
        """What 1C shows for a reference, as a sort key: a catalogue's name, a document's date and number."""
        kind = self.model.sets[name].kind
        if kind == "document":
            return (record.get("Date", ""), record.get("Number", ""))
        if kind == "accounts":
            return (record.get("Code", ""), "")
        return (collate(record.get("Description", "")), record.get("Code", ""))

    def presentation_of(self, name: str, key: str) -> tuple[str, ...]:
        """The same for a reference; an empty or broken one sorts first."""
        record = self.get(name, key) if key != EMPTY_REF else None
        return self.presentation(name, record) if record else ("", "")

    def identifier(self, name: str) -> str:
        """The guid that stands for a set where its name must not be told."""
        return derived_guid(f"type {name}")

    def set_of(self, name: str) -> EntitySet:
        """The description of a set."""
        return self.model.sets[name]


#: Kinds of sets that are views of other data.
DERIVED = frozenset({"table", "recordset", "records"})


def collate(text: str) -> str:
    """A sort key close to 1C's: case does not matter, ё stands with е."""
    return text.lower().replace("ё", "е")


def type_name(name: str) -> str:
    """``StandardODATA.Catalog_X`` for ``Catalog_X``, as ``X_Type`` says it."""
    return NAMESPACE + name


def derived_guid(text: str) -> str:
    """A guid that the same text always gives."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-11ec-8{digest[13:16]}-0050{digest[16:24]}"
