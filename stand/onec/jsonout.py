"""JSON answers of OData version 3 as 1C writes them: Int64 as strings, links after the fields, no paging links."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from stand.onec.model import Model
from stand.onec.projection import PRESENTATION, Projection
from stand.onec.urls import link
from stand.onec.veil import veil
from stand.onec.world import Record, World

DETAILS = ("nometadata", "minimalmetadata", "fullmetadata")


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8, Cyrillic as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def entity(world: World, fields: Projection, record: Record, detail: str, root: str) -> Record:
    """One record as an object; ``detail`` decides about links."""
    result = fields.plain(record)
    for name in fields.shown:
        result[_shown_name(name)] = shown(world, fields, record, name)
    veil(world, fields.item.shape, fields.item.tables, result)
    empty = []
    for expansion in fields.expanded:
        found = expansion.find(world, record)
        result[expansion.key] = entity(world, expansion.fields, found, detail, root) if found else None
        empty += [] if found else [expansion.prop.navigation]
    if detail == "nometadata":
        return result
    own = link(fields.item, record) if fields.item.key else ""
    if own:
        # An empty reference has a link where it was to be expanded, and only there.
        for name in dict.fromkeys([*fields.references(world, record), *empty]):
            result[f"{name}@navigationLinkUrl"] = f"{own}/{name}"
    if detail == "fullmetadata":
        head = {"odata.type": f"StandardODATA.{fields.item.name}", "odata.id": f"{root}/{own}", "odata.editLink": own}
        return head | result if own else result
    return result


def _shown_name(name: str) -> str:
    return "Presentation" if name == "Ref_Key" else name + PRESENTATION


def shown(world: World, fields: Projection, record: Record, name: str) -> str:
    """The presentation of a reference field."""
    if name == "Ref_Key":
        target, key = fields.item.name, record["Ref_Key"]
    else:
        prop = fields.item.shape.by_name[name]
        if not prop.targets:
            return str(record.get(name, ""))
        target, key = prop.targets[0], record.get(name, "")
    found = world.get(target, key) or {}
    if world.model.sets[target].kind == "document" and found:
        return f"{found.get('Number', '')} от {found.get('Date', '')}"
    return str(found.get("Description", ""))


def collection(
    world: World, fields: Projection, records: Iterable[Record], detail: str, root: str, count: int | None
) -> bytes:
    """The envelope of a set. ``count``: all that pass the filter, written as a string."""
    body: Record = {} if detail == "nometadata" else {"odata.metadata": f"{root}/$metadata#{fields.item.name}"}
    if count is not None:
        body["odata.count"] = str(count)
    body["value"] = [entity(world, fields, record, detail, root) for record in records]
    return dump(body)


def single(world: World, fields: Projection, record: Record, detail: str, root: str) -> bytes:
    """One record: its fields stand beside ``odata.metadata``."""
    head = {} if detail == "nometadata" else {"odata.metadata": f"{root}/$metadata#{fields.item.name}/@Element"}
    return dump(head | entity(world, fields, record, detail, root))


def service(model: Model, root: str, empty: bool) -> bytes:
    """The service document; an empty list means that nothing is published."""
    names = [] if empty else list(model.sets)
    return dump({"odata.metadata": f"{root}/$metadata", "value": [{"name": n, "url": n} for n in names]})


def error(code: int, text: str) -> bytes:
    """The error body; the code is a string."""
    return dump({"odata.error": {"code": str(code), "message": {"lang": "ru", "value": text}}})
