"""Addresses of 1C's contact information (БСП): JSON of ``Значение``, or the older XML of ``ЗначенияПолей``.

Shapes are those of the recorded feeds and of БСП 3.1: JSON ``{"value", "country", "ZIPcode", "area", "areaType",
"city", "cityType", "street", "streetType", "houseNumber", "buildings": [{"type", "number"}]}``; XML namespace
``http://www.v8.1c.ru/ssl/contactinfo`` with ``СубъектРФ``, ``Город``, ``Улица`` and ``ДопАдрЭл`` (type 1010 house,
1050 block, 10100000 postal code).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

import msgspec

#: text, country, region, city, street, house, postal_code, fias_id
Address = tuple[str, str | None, str | None, str | None, str | None, str | None, str | None, str | None]
_MAX_XML = 200_000
_HOUSE, _BLOCKS, _POSTCODE = "1010", {"1050": "корпус", "1060": "строение", "1080": "литера"}, "10100000"


def parse_address(text: str | None, json_text: str | None = None, xml_text: str | None = None) -> Address | None:
    """The address, or ``None`` if it has no text; parts are as good as the base filled them, never invented."""
    shown = text.strip() if text else ""
    parts = _from_json(json_text) if json_text and json_text.lstrip().startswith("{") else None
    if parts is None and xml_text and xml_text.lstrip("\ufeff \r\n\t").startswith("<"):
        parts = _from_xml(xml_text)
    shown = shown or (parts or {}).get("text") or ""
    if not shown:
        return None
    get = (parts or {}).get
    return (
        shown,
        get("country"),
        get("region"),
        get("city"),
        get("street"),
        get("house"),
        get("postal_code"),
        get("fias_id"),
    )


def _named(name: Any, kind: Any) -> str | None:
    """``Типанова`` and ``ул`` as ``Типанова ул``: name first, as 1C writes it."""
    if not isinstance(name, str) or not name.strip():
        return None
    return f"{name.strip()} {kind.strip()}" if isinstance(kind, str) and kind.strip() else name.strip()


def _plain(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _from_json(text: str) -> dict[str, str | None] | None:
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    if not isinstance(data, dict):
        return None
    get = data.get
    house = _plain(get("houseNumber"))
    for block in get("buildings") or ():
        if isinstance(block, dict) and _plain(block.get("number")):
            house = " ".join(filter(None, (house, str(block.get("type") or "").lower(), block["number"].strip())))
    return {
        "text": _plain(get("value")),
        "country": _plain(get("country")),
        "region": _named(get("area"), get("areaType")),
        "city": _named(get("city"), get("cityType")) or _named(get("locality"), get("localityType")),
        "street": _named(get("street"), get("streetType")),
        "house": house,
        "postal_code": _plain(get("ZIPcode")),
        "fias_id": _plain(get("houseId")) or _plain(get("streetId")) or _plain(get("id")),
    }


def write_address(row: Mapping[str, Any]) -> str:
    """Parts of an address as the JSON of ``Значение``, empty if it has none; ``parse_address`` reads it."""
    names = {
        "country": "country",
        "region": "area",
        "city": "city",
        "street": "street",
        "house": "houseNumber",
        "postal_code": "ZIPcode",
        "fias_id": "id",
    }
    parts = {name: row[own] for own, name in names.items() if row.get(own)}
    if not parts:
        return ""
    return msgspec.json.encode({"value": row.get("text") or "", "type": "Адрес", **parts}).decode()


class _Refused(Exception):
    """The XML declares a document type or entities: nothing of ours does, so it is not read."""


class _XmlReader:
    """Collects the few elements of an address; the parser is told to refuse document types and entities."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.blocks: list[str] = []
        self._kind = ""
        self._open: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._open.append(name)
        if attributes.get("Страна"):
            self.found["country"] = attributes["Страна"]
        if name == "КонтактнаяИнформация" and attributes.get("Представление"):
            self.found["text"] = attributes["Представление"]
        value = attributes.get("Значение", "").strip()
        if not value:
            return
        if attributes.get("ТипАдрЭл") == _POSTCODE:
            self.found["postal_code"] = value
        elif attributes.get("Тип") == _HOUSE:
            self.found["house"] = value
        elif attributes.get("Тип") in _BLOCKS:
            self.blocks.append(f"{_BLOCKS[attributes['Тип']]} {value}")

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        field = {"СубъектРФ": "region", "Город": "city", "НаселПункт": "locality", "Улица": "street"}.get(
            self._open[-1]
        )
        if field and text.strip():
            self.found[field] = self.found.get(field, "") + text


def _refuse(*_: object) -> None:
    raise _Refused


def _from_xml(text: str) -> dict[str, str | None] | None:
    if len(text) > _MAX_XML:
        return None
    reader = _XmlReader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text.lstrip("\ufeff \r\n\t"), True)
    except (expat.ExpatError, _Refused):
        return None
    found: dict[str, str | None] = {key: value.strip() for key, value in reader.found.items()}
    found["city"] = found.get("city") or found.get("locality")
    if reader.blocks:
        found["house"] = " ".join(filter(None, (found.get("house"), *reader.blocks)))
    return found
