"""Query options: what to keep, in which order, which page. Orders records as 1C does (see ``ordered``)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stand.onec.errors import ODataError, bad_option, denied, segment_not_found
from stand.onec.evaluate import Compiler
from stand.onec.model import EMPTY_REF, EntitySet, Kind, Shape
from stand.onec.movements import of_register
from stand.onec.syntax import Parser
from stand.onec.veil import hidden
from stand.onec.world import Record, World, collate, rows_of


@dataclass(frozen=True, slots=True)
class Options:
    """Parsed query options; ``top`` is ``None`` when not given. ``select`` is split, otherwise as written."""

    filter: str = ""
    orderby: str = ""
    select: tuple[str, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    allowed_only: bool = False
    expand: tuple[str, ...] = ()


def options(pairs: dict[str, str]) -> Options:
    """Options of a URL. Code 14 for a number that is none or is negative."""

    def number(name: str) -> int | None:
        text = pairs.get(name)
        if text is None:
            return None
        if not text.isdigit():
            raise bad_option(name, text)
        return int(text)

    def words(name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in pairs.get(name, "").split(",") if word.strip())

    return Options(
        filter=pairs.get("$filter", ""),
        orderby=pairs.get("$orderby", ""),
        select=words("$select"),
        top=number("$top"),
        skip=number("$skip") or 0,
        count=pairs.get("$inlinecount", "") == "allpages",
        allowed_only=pairs.get("allowedOnly", "") == "true",
        expand=words("$expand"),
    )


class Results:
    """Keeps the last few sorted and filtered lists, so that the pages of one read are cut from one list."""

    def __init__(self, world: World, keep: int = 12) -> None:
        self.world = world
        self.keep = keep
        self.lists: OrderedDict[tuple[Any, ...], list[Record]] = OrderedDict()

    def get(self, key: tuple[Any, ...], make: Callable[[], list[Record]]) -> list[Record]:
        """The list for that key, made anew once the base has changed."""
        full = (*key, self.world.version)
        if full in self.lists:
            self.lists.move_to_end(full)
            return self.lists[full]
        made = self.lists[full] = make()
        for old in [item for item in self.lists if item[-1] != self.world.version]:
            del self.lists[old]
        while len(self.lists) > self.keep:
            self.lists.popitem(last=False)
        return made


class Reader:
    """Reads sets of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.results = Results(world)

    def select(self, item: EntitySet, asked: Options) -> list[Record]:
        """All records that pass the filter and the rights, in order; not yet cut into pages."""
        unstable = _unstable(item, asked.orderby)
        key = (item.name, asked.filter, asked.orderby, asked.skip if unstable else 0)

        def make() -> list[Record]:
            found = self._filtered(item, asked.filter)
            return ordered(self.world, item, found, asked.orderby, asked.skip if unstable else None)

        return self._allowed(item, self.results.get(key, make), asked.allowed_only)

    def _allowed(self, item: EntitySet, found: list[Record], allowed_only: bool) -> list[Record]:
        hidden = {key for name, key in self.world.forbidden if name == item.name}
        if not hidden:
            return found
        kept = [record for record in found if self.world.key_of(item.name, record) not in hidden]
        if len(kept) < len(found) and not allowed_only:
            raise denied()
        return kept

    def _filtered(self, item: EntitySet, text: str) -> list[Record]:
        source = self.results.get(("", item.name), lambda: list(self.source(item)))
        if not text:
            return source
        test = Compiler(self.world, item.name, item.shape, item.tables).predicate(Parser(text).parse())
        return [record for record in source if test(record)]

    def source(self, item: EntitySet) -> Iterable[Record]:
        """All records of a set, of rows of tabular parts and of registers' records too, in their own order."""
        if item.kind == "table":
            for owner in self.world.tables[item.owner]:
                for row in rows_of(owner.get(item.part)):
                    yield {"Ref_Key": owner["Ref_Key"], **row}
        elif item.kind in ("recordset", "records"):
            for move in of_register(self.world, item.owner or item.name):
                head = {"Recorder": move.recorder, "Recorder_Type": move.recorder_type}
                if item.kind == "recordset":
                    yield {**head, "RecordSet": move.rows}
                else:
                    yield from ({**head, **row} for row in move.rows())
        else:
            yield from self.world.tables[item.name]


def page(found: list[Record], asked: Options) -> list[Record]:
    """``$skip`` before ``$top``."""
    end = None if asked.top is None else asked.skip + asked.top
    return found[asked.skip : end]


def _unstable(item: EntitySet, orderby: str) -> bool:
    """Rows of one document come in no particular order unless LineNumber is asked for: pages lose rows."""
    names = {part.split()[0] for part in orderby.split(",") if part.split()}
    return item.kind == "table" and "Ref_Key" in names and "LineNumber" not in names


def ordered(
    world: World, item: EntitySet, found: list[Record], orderby: str, shuffle: int | None = None
) -> list[Record]:
    """Records in 1C's order.

    Without ``$orderby``: catalogues by name (root items first), documents by date and number. References are ordered by
    what they show, never by guid. Registers of recorders keep their own order whatever is asked.
    """
    if item.kind in ("recordset", "records"):
        return found
    result = sorted(found, key=_default_key(world, item))
    if shuffle is not None:
        result.sort(key=lambda row: (int(row["LineNumber"]) * 7919 + shuffle * 31) % 101)
    for part in reversed([part for part in orderby.split(",") if part.strip()]):
        path, _, direction = part.strip().partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise bad_option("$orderby", part.strip())
        key = _sort_key(world, item, tuple(path.split("/")))
        result.sort(key=key, reverse=direction.strip() == "desc")
    return result


def _default_key(world: World, item: EntitySet) -> Callable[[Record], Any]:
    if item.kind == "table":
        owner = item.owner
        return lambda row: (world.presentation_of(owner, row["Ref_Key"]), row["Ref_Key"], int(row["LineNumber"]))
    if item.kind == "independent":
        names, empty = item.key, item.shape.defaults
        return lambda record: tuple(str(record.get(name, empty[name])) for name in names)
    if item.hierarchical:
        return lambda record: (record.get("Parent_Key", EMPTY_REF) != EMPTY_REF, world.presentation(item.name, record))
    return lambda record: world.presentation(item.name, record)


def _sort_key(world: World, item: EntitySet, names: tuple[str, ...]) -> Callable[[Record], Any]:
    if names == ("Ref_Key",):
        if item.kind == "table":
            owner = item.owner
            return lambda row: (world.presentation_of(owner, row["Ref_Key"]), row["Ref_Key"])
        return lambda record: world.presentation(item.name, record)
    shape: Shape = item.shape
    name = names[0]
    prop = shape.by_name.get(name if len(names) == 1 else f"{name}_Key")
    if prop is None or prop.kind is Kind.ROWS:
        raise segment_not_found(name)
    if prop.kind is Kind.TEXT:
        raise ODataError(500, -1, "Поля неограниченной длины не могут участвовать в упорядочивании")
    if len(names) > 1:
        target = world.model.sets[prop.targets[0]]
        if hidden(world, target.name):
            raise segment_not_found(name)
        inner = _sort_key(world, target, names[1:])
        return lambda record: inner(world.get(target.name, record.get(prop.name, EMPTY_REF)) or {})
    if prop.kind is Kind.REF:
        return lambda record: world.presentation_of(prop.targets[0], record.get(name, EMPTY_REF))
    if prop.kind is Kind.INT64:
        return lambda record: int(record.get(name, "0"))
    if prop.kind in (Kind.STRING, Kind.ENUM, Kind.FIXED):
        return lambda record: collate(record.get(name, ""))
    return lambda record: record.get(name, prop.empty)
