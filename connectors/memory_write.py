"""Writing to a ``MemoryBase``: the same procedure as for a real system, and nothing between but what a test ordered."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from connectors.base import Change, Traffic
from connectors.memory_base import Key, MemoryBase, Record
from connectors.writing import ACTS, Overtaken, Refused, Shown, Taken, Unanswered
from hub.model.errors import SkipRecord, StopRoute

#: How often a lost answer is looked for; there is nothing to wait for in memory.
_LOOKS = 2


class MemoryTarget:
    """A base in memory as something to write to; ``traffic`` is the connector's."""

    def __init__(self, base: MemoryBase, title: str, traffic: Traffic) -> None:
        self.system = title
        self._base = base
        self._traffic = traffic

    def body(self, stream: str, change: Change) -> Record:
        """The fields with the marker; ``Refused`` for those that the base keeps itself."""
        info = self._base.infos.get(stream)
        if info is None:
            raise StopRoute("unknown_set", system=self.system, stream=stream)
        marker = {change.marker[0]: change.marker[1]} if change.create and change.marker else {}
        fields: Record = {**marker, **change.fields}
        for name in fields:
            if name in {*info.key, "DataVersion", "Posted", "Executed"}:
                raise Refused(SkipRecord("field_not_writable", name, system=self.system, stream=stream))
        return fields

    def look(self, stream: str, key: str) -> Shown | None:
        """The record by its key."""
        self._request()
        with self._base.lock:
            record = self._base.records[stream].get(_parts(key))
            return _shown(key, record) if record is not None else None

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Keys of the records with that text in that field."""
        self._request()
        name, text = marker
        with self._base.lock:
            found = self._base.records[stream].items()
            return ["|".join(key) for key, record in found if text in str(record.get(name, ""))]

    def create(self, stream: str, key: str, body: Record, load_mode: bool) -> str:
        """Put a record with the key reserved for it, or with one of the base's own."""
        lost, base, info = self._begin(), self._base, self._base.infos[stream]
        with base.lock:
            parts = _parts(key) if base.habits.own_keys else (str(uuid.uuid4()),)
            if parts in base.records[stream]:
                raise Taken
            record = {**base.habits.defaults.get(stream, {}), **body, **dict(zip(info.key, parts, strict=True))}
            self._commit(stream, record, lost, load_mode)
        return self._answer(lost, "|".join(parts))

    def change(self, stream: str, before: Shown, body: Record, change: Change) -> None:
        """Put the record with its new fields, unless it is another version and the base heeds that."""
        lost, base = self._begin(), self._base
        with base.lock:
            record = base.records[stream].get(_parts(before.key))
            if record is None:
                raise Refused(SkipRecord("record_gone", system=self.system, stream=stream, id=before.key))
            if base.habits.heeds_version and change.version not in (None, record.get("DataVersion")):
                raise Overtaken
            self._commit(stream, record | body, lost, change.load_mode)
        self._answer(lost, "")

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """Set ``Posted`` or ``Executed``."""
        flag, wanted, _ = ACTS[posting]
        lost = self._begin()
        with self._base.lock:
            record = self._base.records[stream][_parts(shown.key)]
            self._commit(stream, record | {flag: wanted}, lost, False)
        self._answer(lost, "")

    def pause(self, attempt: int) -> bool:
        """Nobody waits."""
        return attempt < _LOOKS

    def _begin(self) -> str:
        """What is to happen to the answer of the writing request that begins here."""
        self._traffic.writes += 1
        self._request()
        return self._base.disturb()

    def _request(self) -> None:
        self._traffic.requests += 1
        self._base.trip()

    def _commit(self, stream: str, record: Record, lost: str, load_mode: bool) -> None:
        habits = self._base.habits
        reason = "" if load_mode or habits.rule is None else habits.rule(stream, record)
        if reason:
            raise Refused(SkipRecord("source_refused", system=self.system, stream=stream, text=reason))
        if lost != "before":
            self._base.put(stream, self._kept(stream, record))

    def _kept(self, stream: str, record: Record) -> Record:
        """What the base keeps of it: fields that it knows, texts as long as they may be."""
        info, cut = self._base.infos[stream], self._base.habits.cut
        known = info.fields.keys() | info.tables.keys() | set(info.key)
        return {name: _short(value, cut.get((stream, name))) for name, value in record.items() if name in known}

    def _answer(self, lost: str, answer: str) -> str:
        if lost:
            raise Unanswered
        return answer


def _short(value: Any, length: int | None) -> Any:
    return value[:length] if isinstance(value, str) and length is not None else value


def _parts(key: str) -> Key:
    return tuple(key.split("|"))


def _shown(key: str, record: Record) -> Shown:
    version = record.get("DataVersion")
    raw = msgspec.json.encode(record)
    return Shown(key, str(version) if version is not None else None, raw, msgspec.json.decode(raw))
