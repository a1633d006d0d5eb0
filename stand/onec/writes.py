"""POST, PATCH, PUT, DELETE of entities and Post/Unpost, as forgiving and as strict as 1C is.

Forgiving: unknown fields are ignored, long strings silently cut, text for a whole number not stored, broken references
accepted. Strict: guids, booleans and dates must parse; rows need LineNumber from 1. PATCH makes no movements.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from stand.onec.errors import INTERNAL, ODataError, instance_not_found, method_not_found, not_allowed
from stand.onec.handlers import Handlers
from stand.onec.model import NAMESPACE, EntitySet, Kind, Prop, Shape
from stand.onec.movements import freeze
from stand.onec.quirks import Quirks
from stand.onec.urls import key_in, link, stored_key
from stand.onec.veil import type_shown
from stand.onec.world import FIRST_VERSION, Key, Record, Rows, World

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_BIND = re.compile(r"([^/()]+)\(guid'([0-9a-fA-F-]{36})'\)$")
_OWN = ("Ref_Key", "DataVersion")


def parsed(body: bytes) -> Record:
    """The body as an object. 500 for broken JSON, as recorded; code 2 for another format."""
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except ValueError:
        raise ODataError(500, -1, "Непредвиденный символ при чтении JSON") from None
    if not isinstance(value, dict):
        raise ODataError(400, 2, "Неверный формат тела запроса")
    return value


def _bad(value: Any, prop: Prop) -> ODataError:
    return ODataError(400, 1, f"Ошибка преобразования строки «{value}» к типу {prop.edm}")


def _scalar(prop: Prop, value: Any) -> Any:
    """The value as stored, or ``None`` for one that 1C quietly drops."""
    if isinstance(value, list | dict):
        raise ODataError(500, -1, INTERNAL)
    if value is None:
        return prop.empty
    if prop.kind in (Kind.GUID, Kind.REF):
        if not _GUID.fullmatch(str(value)):
            raise _bad(value, prop)
        return str(value).lower()
    if prop.kind is Kind.BOOL:
        if str(value).lower() not in ("true", "false"):
            raise _bad(value, prop)
        return str(value).lower() == "true"
    if prop.kind is Kind.DATE:
        if not _DATE.fullmatch(str(value)[:19]):
            raise _bad(value, prop)
        return str(value)[:19]
    if prop.kind in (Kind.DOUBLE, Kind.INT16, Kind.INT64):
        return _number(prop, value)
    text = str(value)
    if prop.kind is Kind.FIXED:
        return text[: prop.length].ljust(prop.length)
    return text[: prop.length] if prop.length else text


def _number(prop: Prop, value: Any) -> Any:
    try:
        number = float(value)
    except ValueError:
        return None
    whole = int(number) if number == int(number) else number
    if prop.kind is Kind.INT64:
        return str(int(number))
    return whole if prop.kind is Kind.DOUBLE else int(number)


class Writer:
    """Writes to one world. ``load_mode`` everywhere: the header ``1C_OData-DataLoadMode`` was true."""

    def __init__(self, world: World, quirks: Quirks | None = None) -> None:
        self.world = world
        self.quirks = quirks or Quirks()
        self.handlers = Handlers(world, self.quirks)

    def fields(self, item: EntitySet, body: Record, old: Record) -> Record:
        """What a body says, converted; rows of a tabular part replace all the old ones."""
        found = self._flat(item.shape, body, old)
        for name, shape in item.tables.items():
            if isinstance(body.get(name), list):
                found[name] = self._rows(shape, body[name])
        return found

    def _flat(self, shape: Shape, body: Record, old: Record) -> Record:
        found: Record = {}
        for name, value in body.items():
            prop = shape.by_name.get(name.replace("@odata.bind", "_Key"))
            if prop is None or prop.kind is Kind.ROWS or name in _OWN:
                continue
            if prop.kind is Kind.TYPE:
                if value == type_shown(self.world, old.get(name, "")):
                    continue
                self._check_type(name, str(value), old)
            match = _BIND.search(value) if name.endswith("@odata.bind") and isinstance(value, str) else None
            stored = _scalar(prop, match[2] if match else value)
            if stored is not None:
                found[prop.name] = stored
        return found

    def _check_type(self, name: str, value: str, old: Record) -> None:
        """A type must be published, primitive or undefined; an unavailable one may only stay as it was."""
        known = value.removeprefix(NAMESPACE) in {*self.world.model.sets, "Undefined"} or value.startswith("Edm.")
        if not known and value not in ("", old.get(name)):
            raise ODataError(400, 4, f"Неверное значение свойства {name}: {value}")

    def _rows(self, shape: Shape, rows: list[Any]) -> Rows:
        found = []
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict) or "LineNumber" not in row:
                raise ODataError(500, -1, INTERNAL)
            if str(row["LineNumber"]) != str(number):
                raise ODataError(400, 4, "Неверное значение свойства LineNumber")
            found.append(self._flat(shape, row, {}) | {"LineNumber": str(number)})
        return found

    def create(self, item: EntitySet, body: Record, guid: str, *, load_mode: bool = False) -> tuple[Record, int]:
        """A new record and the status: 201, or 200 for an independent register. ``guid``: for a body without one."""
        if item.kind == "table":
            raise ODataError(400, 13, "Строка табличной части не может быть создана непосредственно")
        if item.kind in ("records", "recordset"):
            raise not_allowed("POST")
        record = self.fields(item, body, {})
        if item.key == ("Ref_Key",):
            own = (not self.quirks.own_key_ignored and body.get("Ref_Key")) or guid
            record = {"Ref_Key": _scalar(item.shape.by_name["Ref_Key"], own), "DataVersion": FIRST_VERSION, **record}
        missing = [name for name in item.key if name not in record]
        if missing:
            raise ODataError(400, 7, f"Не задана часть ключа: {', '.join(missing)}")
        key = self.world.key_of(item.name, record)
        if self.world.get(item.name, key) is not None:
            raise ODataError(400, 15, "Запись с такими ключевыми полями уже существует!")
        if item.kind in ("document", "task"):
            self._document_defaults(item, record)
        self.handlers.before_write(item, {}, record, load_mode=load_mode)
        if item.kind == "document":
            self.world.frozen[item.name, str(key)] = {}
        return self.world.add(item.name, record), 200 if item.kind == "independent" else 201

    def _document_defaults(self, item: EntitySet, record: Record) -> None:
        """1C gives a date and a number when they are not sent."""
        documents = self.world.tables[item.name]
        if item.kind == "task":
            record.setdefault("Number", f"{len(documents) + 1:014d}")
        record.setdefault("Date", max((d.get("Date", "") for d in documents), default="2026-01-01T00:00:00"))
        record.setdefault("Number", f"ОД00-{len(documents) + 1:06d}")

    def _existing(self, item: EntitySet, inside: str, headers_version: str) -> tuple[Key, Record]:
        key = stored_key(item, key_in(item, inside))
        record = self.world.get(item.name, key)
        if record is None:
            raise instance_not_found()
        if headers_version and headers_version.strip('W/"') != record.get("DataVersion"):
            raise ODataError(412, 0, "Версия объекта отличается от указанной")
        return key, record

    def change(
        self, item: EntitySet, inside: str, body: Record, version: str, *, whole: bool, load_mode: bool = False
    ) -> Record:
        """PATCH, or PUT when ``whole``; a posted document keeps the movements it had. ``version``: from If-Match."""
        if item.key != ("Ref_Key",) and item.kind != "independent":
            raise not_allowed("PUT" if whole else "PATCH")
        key, record = self._existing(item, inside, version)
        found = self.fields(item, body, record)
        moved = [name for name in item.key if found.get(name, record.get(name)) != record.get(name)]
        if item.kind == "independent" and moved:
            raise instance_not_found()
        self.handlers.before_write(item, record, found, load_mode=load_mode)
        if item.kind == "document":
            freeze(self.world, item.name, str(key))
        if whole:
            kept = {name: record[name] for name in (*item.key, *_OWN) if name in record}
            record.clear()
            record.update(kept)
        record.update(found)
        self.world.touch(item.name, key)
        return record

    def remove(self, item: EntitySet, inside: str, version: str, *, load_mode: bool = False) -> None:
        """Physical deletion."""
        if item.kind not in ("catalog", "document", "task", "independent"):
            raise not_allowed("DELETE")
        key, record = self._existing(item, inside, version)
        self.handlers.before_delete(item, record, load_mode=load_mode)
        self.world.frozen.pop((item.name, str(key)), None)
        self.world.delete(item.name, key)

    def post(self, item: EntitySet, inside: str, name: str, mode: str = "") -> None:
        """Post or Unpost a document: now the movements follow its fields again.

        ``mode``: the text of ``PostingModeOperational``; code 1 when it is no boolean.
        """
        if item.kind == "task" and name == "ExecuteTask":
            self._execute(item, inside)
            return
        if item.kind != "document" or name not in ("Post", "Unpost"):
            raise method_not_found(name)
        if mode.lower() not in ("", "true", "false"):
            raise ODataError(400, 1, f"Ошибка преобразования строки «{mode}» к типу Edm.Boolean")
        key, record = self._existing(item, inside, "")
        posting, operational = name == "Post", mode.lower() == "true"
        self.handlers.before_posting(item, record, posting=posting, operational=operational)
        if posting and not operational and self.quirks.unoperational_moves_nothing:
            self.world.frozen[item.name, str(key)] = {}
        else:
            self.world.frozen.pop((item.name, str(key)), None)
        record["Posted"] = posting
        self.world.touch(item.name, key)

    def _execute(self, item: EntitySet, inside: str) -> None:
        """Mark a task as done; one that is done already cannot be done again."""
        key, record = self._existing(item, inside, "")
        if record.get("Executed"):
            raise ODataError(500, -1, "Задача уже выполнена!")
        # Done at the moment that the write is given; whoever hears of the write must see it whole.
        done = self.world.clock + timedelta(seconds=1)
        record |= {"Executed": True, "ДатаИсполнения": done.isoformat()}
        self.world.touch(item.name, key)

    def location(self, item: EntitySet, record: Record, root: str) -> str:
        """The Location header, raw Cyrillic."""
        return f"{root}/{link(item, record)}"
