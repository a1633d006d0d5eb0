"""Which fields of a record are answered, and the record as plain JSON values in 1C's own order of properties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stand.onec.errors import segment_not_found
from stand.onec.model import EMPTY_REF, NAMESPACE, EntitySet, Kind, Prop, Shape
from stand.onec.veil import hidden
from stand.onec.world import Record, World, rows_of

if TYPE_CHECKING:
    from stand.onec.expanding import Expansion

PRESENTATION = "____Presentation"


@dataclass(slots=True)
class Part:
    """A tabular part in the answer: its fields with their empty values, and what is copied from the owner."""

    name: str
    fields: list[tuple[str, Any]]
    inherited: tuple[str, ...]

    def rows(self, record: Record) -> list[Record]:
        """The rows with every field in place."""
        shared = {name: record[name] for name in self.inherited}
        fields = self.fields
        return [
            {name: row.get(name, shared.get(name, empty)) for name, empty in fields}
            for row in rows_of(record.get(self.name))
        ]


@dataclass(slots=True)
class Projection:
    """Compiled ``$select`` of one set.

    ``links``: (navigation name, field, composite) that get a link when filled; ``shown``: presentations asked for.
    """

    item: EntitySet
    before: list[tuple[str, Any]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    after: list[tuple[str, Any]] = field(default_factory=list)
    links: list[tuple[str, str, bool]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    expanded: list[Expansion] = field(default_factory=list)

    def plain(self, record: Record) -> Record:
        """The record's fields as JSON values, without links."""
        get = record.get
        result = {name: get(name, empty) for name, empty in self.before}
        for part in self.parts:
            result[part.name] = part.rows(record)
        for name, empty in self.after:
            result[name] = get(name, empty)
        return result

    def references(self, world: World, record: Record) -> list[str]:
        """Navigation names that have a link: the reference is filled and leads to something published."""
        found = []
        for name, source, composite in self.links:
            value = record.get(source, EMPTY_REF)
            if value in ("", EMPTY_REF):
                continue
            if composite:
                target = record.get(f"{source}_Type", "").removeprefix(NAMESPACE)
            else:
                target = self.item.shape.by_name[source].targets[0]
            if target in world.model.sets and not hidden(world, target):
                found.append(name)
        return found


def virtual(shape: Shape) -> Projection:
    """Everything of a row of a virtual table."""
    return project(EntitySet(shape.name, "virtual", shape, ()), ())


def project(item: EntitySet, select: tuple[str, ...]) -> Projection:
    """Compile ``$select``. Code 6 for a field that does not exist; ``*`` is all, ``**`` all but tabular parts."""
    wanted, parts, shown = _wanted(item, select)
    result = Projection(item, shown=shown)
    flat = result.before
    inherited = ("Recorder", "Recorder_Type") if item.kind == "recordset" else ("Ref_Key",)
    for prop in item.shape.props:
        if prop.kind is Kind.ROWS:
            flat = result.after
            if prop.name in parts:
                fields = [*item.tables[prop.name].defaults.items()]
                only = parts[prop.name]
                chosen = [(name, empty) for name, empty in fields if not only or name in only]
                result.parts.append(Part(prop.name, chosen, inherited))
        elif prop.name in wanted:
            flat.append((prop.name, prop.empty))
    result.links = [_link(prop) for prop in item.shape.props if prop.name in wanted and _leads(prop)]
    return result


def _leads(prop: Prop) -> bool:
    return prop.kind is Kind.REF or (prop.kind is Kind.COMPOSITE and bool(prop.targets))


def _link(prop: Prop) -> tuple[str, str, bool]:
    return prop.navigation, prop.name, prop.kind is Kind.COMPOSITE


def _wanted(item: EntitySet, select: tuple[str, ...]) -> tuple[set[str], dict[str, set[str]], list[str]]:
    """Names of flat fields, tabular parts (with chosen fields, empty for all), presentations asked for."""
    flat = {prop.name for prop in item.shape.props if prop.kind is not Kind.ROWS}
    tables: dict[str, set[str]] = {name: set() for name in item.tables}
    if not select or "*" in select:
        extra = [word for word in select if word.endswith(PRESENTATION)]
        return flat, tables, _presentations(item, extra)
    wanted: set[str] = set(flat) if "**" in select else set()
    parts: dict[str, set[str]] = {}
    for word in select:
        head, _, field_name = word.partition("/")
        if word == "**" or word.endswith(PRESENTATION) or word == "Presentation":
            continue
        if word in flat:
            wanted.add(word)
        elif head in item.tables and (not field_name or field_name in item.tables[head].by_name):
            parts.setdefault(head, set()).update([field_name] if field_name else ())
        elif f"{head}_Key" in flat and not field_name:
            wanted.add(f"{head}_Key")
        else:
            raise segment_not_found(field_name or head)
    asked = [word for word in select if word.endswith(PRESENTATION) or word == "Presentation"]
    return wanted, parts, _presentations(item, asked)


def _presentations(item: EntitySet, asked: list[str]) -> list[str]:
    """Fields whose presentation is wanted; ``*____Presentation`` means every reference."""
    found: list[str] = []
    for word in asked:
        name = word.removesuffix(PRESENTATION)
        if name == "*":
            found += [prop.name for prop in item.shape.navigable]
        elif name in item.shape.by_name:
            found.append(name)
        elif word == "Presentation" and "Ref_Key" in item.shape.by_name:
            found.append("Ref_Key")
        else:
            raise segment_not_found(word)
    return found
