"""Typed decoding: a msgspec Struct per mapping with only the fields it needs, and the lenient way for odd records.

Three steps, each only if the one before fails: strict types (what 1C's JSON holds), lax types (Atom feeds, where every
scalar is a text: ``"false"``, ``"2"``), and value by value, which mends what can be mended and names what cannot.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.model.records import Reject
from mappings.runtime import ZERO, Bad, bad, is_guid

_GUID = Annotated[str, Meta(min_length=36, max_length=36)]
_TYPES: dict[str, Any] = {
    "text": str | None,
    "date": str | None,
    "guid": _GUID | None,
    "number": float | None,
    "bool": bool | None,
    "int": int | str | None,
}
_ZERO_BYTES = ZERO.encode()
_TRUE, _FALSE = ("true", "1", "истина", "да"), ("false", "0", "ложь", "нет")


class Shape:
    """The struct of one scope: attribute names by source name, nested shapes by the name of their tabular part."""

    def __init__(self, name: str, wires: Mapping[str, str], tables: Mapping[str, Shape] | None = None) -> None:
        self.wires = dict(wires)
        self.tables = dict(tables or {})
        self.attributes = {source: f"f{n}" for n, source in enumerate([*self.wires, *self.tables])}
        fields: list[tuple[str, Any, Any]] = [(self.attributes[s], _TYPES[w], None) for s, w in self.wires.items()]
        fields += [(self.attributes[s], list[shape.struct] | None, None) for s, shape in self.tables.items()]  # type: ignore[name-defined]
        rename = {attribute: source for source, attribute in self.attributes.items()}
        self.struct: Any = msgspec.defstruct(name, fields, rename=rename, gc=False)

    def mend(self, data: Any, path: str = "") -> Any:
        """The struct out of plain JSON data, value by value; ``Bad`` names the one that cannot be used."""
        if not isinstance(data, dict):
            bad("not_an_object", path.rstrip("."), data)
        values: dict[str, Any] = {}
        for source, wire in self.wires.items():
            values[self.attributes[source]] = _COERCE[wire](data.get(source), path + source)
        for source, shape in self.tables.items():
            rows = data.get(source)
            if rows is None or rows == "":
                continue
            if not isinstance(rows, list):
                bad("bad_value", path + source, rows)
            values[self.attributes[source]] = [shape.mend(row, f"{path}{source}.") for row in rows]
        return self.struct(**values)

    def unusable(self, item: Any, path: str = "") -> tuple[str, Any]:
        """The value of a decoded record that is no usable number: (source name, value), or an empty name."""
        for source, wire in self.wires.items():
            value = getattr(item, self.attributes[source])
            if wire in ("number", "int"):
                try:
                    _COERCE[wire](value, path + source)
                except Bad:
                    return path + source, value
        for source, shape in self.tables.items():
            for row in getattr(item, self.attributes[source]) or ():
                found = shape.unusable(row, f"{path}{source}.")
                if found[0]:
                    return found
        return "", None


class Decoder:
    """Raw JSON objects to structs; a record that cannot be read is a ``Reject``, the others pass."""

    def __init__(self, shape: Shape, codes: Mapping[str, str] | None = None) -> None:
        """``codes``: by source name (``Part.Name``), what a broken reference there is refused with."""
        self._shape = shape
        self._codes = codes or {}
        self._strict = msgspec.json.Decoder(shape.struct).decode
        self._lax = msgspec.json.Decoder(shape.struct, strict=False).decode

    def decode(self, raws: Iterable[Any], external_ids: Iterable[str]) -> list[Any]:
        """One struct or ``Reject`` per raw record. ``external_ids`` name the rejects."""
        strict = self._strict
        out: list[Any] = []
        add = out.append
        for raw, external_id in zip(raws, external_ids, strict=True):
            try:
                add(strict(raw))
            except msgspec.DecodeError:
                add(self._lenient(raw, external_id))
        return out

    def _lenient(self, raw: Any, external_id: str) -> Any:
        try:
            return self._lax(raw)
        except msgspec.DecodeError:
            pass
        try:
            return self._shape.mend(plain(raw))
        except Bad as error:
            if error.code == "bad_reference":
                error.code = self._codes.get(error.field, error.code)
            return rejected(external_id, error)


def plain(raw: Any) -> Any:
    """JSON data without types; ``Bad(bad_json)`` if it is none. Half surrogates become replacement marks."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        pass
    try:
        return _whole(json.loads(bytes(raw).decode("utf-8", "replace")))
    except ValueError as error:
        raise Bad("bad_json", "", str(error)) from None


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {key: _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def rejected(external_id: str, error: Bad) -> Reject:
    """The reject a ``Bad`` stands for; its value cut to what fits a report."""
    shown = "" if error.value is None else str(error.value)
    return Reject(external_id, error.code, error.field, shown[:200])


def _as_text(value: Any, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, (bool, int, float)):
        bad("bad_value", name, value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_number(value: Any, name: str) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        bad("bad_number", name, value)
    if isinstance(value, str):
        value = value.replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        bad("bad_number", name, value)
    if not math.isfinite(number):
        bad("bad_number", name, value)
    return number


def _as_int(value: Any, name: str) -> int | None:
    number = _as_number(value, name)
    if number is None:
        return None
    if not number.is_integer():
        bad("bad_number", name, value)
    return int(number)


def _as_bool(value: Any, name: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if not word:
        return None
    if word not in _TRUE + _FALSE:
        bad("bad_bool", name, value)
    return word in _TRUE


def _as_guid(value: Any, name: str) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str) or not is_guid(value.strip()):
        bad("bad_reference", name, value)
    return value.strip()


_COERCE: dict[str, Any] = {
    "text": _as_text,
    "date": _as_text,
    "number": _as_number,
    "int": _as_int,
    "bool": _as_bool,
    "guid": _as_guid,
}


def _plain_head(key: str, version: str | None) -> re.Pattern[bytes] | None:
    """The beginning of a record as 1C writes it: the key, then (in catalogues after two more names) the version.

    What begins like this has them at its top level, so the rest of a fat document need not be scanned for them.
    """
    if version is None:
        return None
    names = [re.escape(name.encode()) for name in (key, version)]
    between = rb'(?:"Predefined":\s?(?:true|false),\s?)?(?:"PredefinedDataName":\s?"[^"\\]*",\s?)?'
    return re.compile(
        rb'\{"%b":\s?"([0-9a-f]{8}-[0-9a-f-]{27})",\s?%b"%b":\s?"([!-!#-\[\]-~]*)"' % (names[0], between, names[1])
    )


class Heads:
    """External id and version of raw records, without decoding anything else."""

    def __init__(self, key: Sequence[str], version: str | None) -> None:
        names = [*key, *([version] if version else [])]
        attributes = [f"f{n}" for n in range(len(names))]
        kind = str | None
        fields: list[tuple[str, Any, Any]] = [(attribute, kind, None) for attribute in attributes]
        struct: Any = msgspec.defstruct("Head", fields, rename=dict(zip(attributes, names, strict=True)), gc=False)
        self._decode = msgspec.json.Decoder(struct).decode
        self._shape = Shape("Head", dict.fromkeys(names, "text"))
        self._plain = _plain_head(key[0], version) if len(key) == 1 else None
        self._key = len(key)
        self._versioned = version is not None
        self._names = names

    def heads(self, raws: Iterable[Any]) -> list[Any]:
        """``(external id, version)`` or ``Reject`` per raw record."""
        return [self.head(raw) for raw in raws]

    def head(self, raw: Any) -> Any:
        """``(external id, version)``, or a ``Reject`` with code ``no_key`` or ``bad_json``."""
        plain_head = self._plain.match(raw) if self._plain is not None else None
        if plain_head is not None and plain_head[1] != _ZERO_BYTES:
            return str(plain_head[1], "ascii"), str(plain_head[2], "ascii")
        try:
            item = self._decode(raw)
        except msgspec.DecodeError:
            try:
                item = self._shape.mend(plain(raw))
            except Bad as error:
                return rejected("", error)
        version = getattr(item, f"f{self._key}") if self._versioned else None
        if self._key == 1:
            external_id = item.f0
            if external_id and external_id != ZERO:
                return external_id, version
        else:
            parts = [getattr(item, f"f{n}") or "" for n in range(self._key)]
            if any(part and part != ZERO for part in parts):
                return "|".join(parts), version
        return Reject("", "no_key", ", ".join(self._names[: self._key]))
