"""Atom feeds of 1C (answers of ``SelectChanges``) as the same JSON objects that reading a set gives.

Every scalar arrives as a text, for Atom says no types: ``"false"``, ``"2"``, ``"461111.9"``; ``m:null`` becomes
``null``, a ``Collection(…)`` a list of objects. The set is named by the entry's category, a deleted object only by its
address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote

import msgspec
from lxml import etree

from connectors.onec_odata.xml import NotXml, elements, local
from hub.model.records import Page

ATOM = "http://www.w3.org/2005/Atom"
DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
META = f"{DATA}/metadata"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"

_ENTRY, _DELETED = f"{{{ATOM}}}entry", f"{{{TOMBSTONES}}}deleted-entry"
_PROPERTIES, _CATEGORY = f"{{{META}}}properties", f"{{{ATOM}}}category"
_TYPE, _NULL = f"{{{META}}}type", f"{{{META}}}null"
_SPACE = "StandardODATA."
_ADDRESS = re.compile(r"([^/()]+)\(((?:'[^']*'|[^()'])*)\)/?$")
#: A value of a key: ``guid'…'``, ``datetime'…'``, ``'…'`` or a bare number, after its name where the key has several.
_VALUE = re.compile(r"(?:^|,)\s*(?:[^\W\d]\w*\s*=\s*)?(?:(?:guid|datetime)?'((?:[^']|'')*)'|([\w.-]+))\s*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: ``record`` (a JSON object), or ``deleted``: the key of an object that is gone.

    Values of a key of several fields are joined by ``|``, as external ids are.
    """

    stream: str
    record: bytes = b""
    deleted: str = ""


def entries(source: IO[bytes]) -> Iterator[Entry]:
    """Changes of a feed in its order.

    ``NotXml`` when the feed is broken or cut, or has an entry that does not say what it is: none is passed over.
    """
    for element in elements(source, (_ENTRY, _DELETED)):
        yield _living(element) if element.tag == _ENTRY else _gone(str(element.get("ref", "")))


def _living(element: etree._Element) -> Entry:
    category = element.find(_CATEGORY)
    stream = "" if category is None else str(category.get("term", "")).rpartition(".")[2]
    if not stream:
        raise NotXml("an entry without its set")
    properties = next(element.iter(_PROPERTIES), None)
    return Entry(stream, msgspec.json.encode({} if properties is None else _object(properties)))


def _gone(address: str) -> Entry:
    found = _ADDRESS.search(unquote(address))
    values = [(quoted or bare).replace("''", "'") for quoted, bare in _VALUE.findall(found[2])] if found else []
    if found is None or not values:
        raise NotXml("a deleted entry without its address")
    return Entry(found[1], deleted="|".join(values))


def _object(element: etree._Element) -> dict[str, Any]:
    return {local(str(child.tag)): _value(child) for child in element}


def _value(element: etree._Element) -> Any:
    if element.get(_NULL) == "true":
        return None
    kind = str(element.get(_TYPE, ""))
    if kind.startswith("Collection("):
        return [_value(child) for child in element]
    if len(element) or kind.startswith(_SPACE):
        return _object(element)
    return element.text or ""


def pages(found: list[Entry], size: int, number: int, nbytes: int) -> tuple[Page, ...]:
    """Changes as pages of at most ``size`` entries, each page of one stream, in the feed's order.

    ``number``: of the packet, kept as the position. ``nbytes`` is shared out among the pages.
    """
    groups: list[list[Entry]] = []
    for entry in found:
        if groups and groups[-1][0].stream == entry.stream and len(groups[-1]) < size:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return tuple(
        Page(
            group[0].stream,
            [entry.record for entry in group if not entry.deleted],
            [entry.deleted for entry in group if entry.deleted],
            {"message": number},
            group is groups[-1],
            nbytes * len(group) // len(found),
        )
        for group in groups
    )
