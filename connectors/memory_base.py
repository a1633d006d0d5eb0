"""A system in memory: records, exchange nodes, habits and faults on order; ``connectors.memory`` speaks to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from connectors.base import StreamInfo
from hub.model.errors import HubError

Key = tuple[str, ...]
Record = dict[str, Any]


@dataclass(slots=True)
class Node:
    """What is registered for one reader: objects by (stream, key) with the packet they were last sent in."""

    received: int = 0
    registered: dict[tuple[str, Key], int] = field(default_factory=dict)


@dataclass(slots=True)
class Habits:
    """How a base takes what is written to it; as made, it takes everything as sent.

    ``cut``: the longest text of (stream, field). ``defaults``: what new records of a stream get where nothing is sent.
    ``rule``: why a record of a stream is refused, empty when it is not. ``own_keys``: whether a new record gets the key
    reserved for it; ``heeds_version``: whether the base itself refuses to change another version.
    """

    cut: dict[tuple[str, str], int] = field(default_factory=dict)
    defaults: dict[str, Record] = field(default_factory=dict)
    rule: Callable[[str, Record], str] | None = None
    own_keys: bool = True
    heeds_version: bool = True


class MemoryBase:
    """Records by stream and key. Every ``put`` gives a new ``DataVersion`` to streams that have that field."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.infos: dict[str, StreamInfo] = {}
        self.records: dict[str, dict[Key, Record]] = {}
        self.nodes: dict[str, Node] = {}
        self.habits = Habits()
        self.lock = threading.RLock()
        self._faults: list[HubError] = []
        self._between: list[Callable[[], None]] = []
        self._lost: list[tuple[Literal["before", "after"], tuple[HubError, ...]]] = []
        self._version = 0

    @classmethod
    def load(cls, path: Path) -> MemoryBase:
        """A base from a JSON file: ``{stream: {"key": […], "fields": {…}, "records": […]}}``."""
        base = cls(path.stem)
        for name, part in msgspec.json.decode(path.read_bytes()).items():
            base.define(name, part["fields"], part.get("key", ["Ref_Key"]), part.get("tables"))
            for record in part.get("records", ()):
                base.put(name, record)
        return base

    def define(
        self,
        stream: str,
        fields: Mapping[str, str],
        key: Sequence[str] = ("Ref_Key",),
        tables: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Offer a stream. A virtual table is a stream named ``set#balance`` or ``set#slice_last``."""
        nested = {name: dict(part) for name, part in (tables or {}).items()}
        with self.lock:
            self.infos[stream] = StreamInfo(stream, dict(fields), nested, tuple(key))
            self.records.setdefault(stream, {})

    def put(self, stream: str, record: Record) -> None:
        """Insert or replace one record and register the change for every node."""
        with self.lock:
            info = self.infos[stream]
            if "DataVersion" in info.fields:
                self._version += 1
                record = {**record, "DataVersion": f"{self._version:08d}"}
            key = tuple(str(record[name]) for name in info.key)
            self.records[stream][key] = record
            self._register(stream, key)

    def delete(self, stream: str, *key: str) -> None:
        """Delete one record physically and register that."""
        with self.lock:
            del self.records[stream][key]
            self._register(stream, key)

    def subscribe(self, node: str) -> None:
        """Make a node; what changes from now on is registered for it."""
        with self.lock:
            self.nodes.setdefault(node, Node())

    def fail(self, *errors: HubError) -> None:
        """Let the next requests fail with ``errors``, one each."""
        with self.lock:
            self._faults.extend(errors)

    def lose(self, when: Literal["before", "after"], *then: HubError) -> None:
        """Let the answer of a writing request be lost, before or after it is done; the next requests raise ``then``.

        Asked for several times, as many writing requests are lost, one after another.
        """
        with self.lock:
            self._lost.append((when, then))

    def between(self, action: Callable[[], None]) -> None:
        """Do ``action`` when the next writing request arrives: after the connector has looked, before it is done."""
        with self.lock:
            self._between.append(action)

    def disturb(self) -> str:
        """Do what is ordered for a writing request that arrives; when its answer is to be lost, empty for never."""
        with self.lock:
            if self._between:
                self._between.pop(0)()
            when, then = self._lost.pop(0) if self._lost else ("", ())
            self._faults.extend(then)
            return when

    def trip(self) -> None:
        """Raise the next fault on order."""
        with self.lock:
            if self._faults:
                raise self._faults.pop(0)

    def _register(self, stream: str, key: Key) -> None:
        for node in self.nodes.values():
            node.registered[stream, key] = 0
