"""What a new record or row begins with, and what its numbers follow from: constants, look-ups, sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.model.entity import Child
from hub.model.fields import Kind
from mappings.parse_expr import Reader, is_of_onec
from mappings.source import Tree
from mappings.spec import ChildSpec, Find, Follows, Initial, Match, Plain

#: Keys of a look-up.
FIND_KEYS = ("find", "by", "same", "single")


@dataclass(slots=True)
class InitialReader(Reader):
    """Reads ``initial`` and ``follows``."""

    def initial(self, tree: Tree | None) -> Initial:
        """Names with what they get; an entry that an overlay has taken away is none."""
        if tree is None:
            return ()
        if tree.kind != "map":
            self.complain("mapping_wrong_type", tree.place, what="initial", wanted="Name: value")
            return ()
        found: list[tuple[str, Plain | Find]] = []
        for name, item in tree.items.items():
            value = self._find(item) if item.kind == "map" else self.plain(item, name)
            if value is not None:
                found.append((name, value))
        return tuple(found)

    def _find(self, tree: Tree) -> Find | None:
        self._strange_keys(tree, FIND_KEYS)
        for key in ("find", "by"):
            if key not in tree.items:
                self.complain("mapping_missing_key", tree.place, key=key)
                return None
        stream = self.text(tree.items["find"], "find")
        if stream is not None and not is_of_onec(stream):
            self.complain("mapping_wrong_type", tree.items["find"].place, what="find", wanted="Catalog_…")
        part = tree.items["by"]
        options = part.parts if part.kind == "list" else [part]
        by = tuple(self._matches(option) for option in options)
        same = self.texts(tree.items["same"], "same") if "same" in tree.items else ()
        single = self.flag(tree.get("single"), "single")
        return None if stream is None else Find(stream, by, same, single)

    def _matches(self, tree: Tree) -> tuple[Match, ...]:
        if tree.kind != "map":
            self.complain("mapping_wrong_type", tree.place, what="by", wanted="Name: value")
            return ()
        found = []
        for name, item in tree.items.items():
            parts = item.parts if item.kind == "list" else [item]
            if any(part.kind == "map" for part in parts):
                found.append(Match(name, of=tuple(self._matches(part) for part in parts)))
            else:
                found.append(Match(name, tuple(self.plain(part, name) for part in parts)))
        return tuple(found)

    def follows(self, tree: Tree | None, child: Child) -> tuple[Follows, ...]:
        """Numbers of a line by the numbers they follow from."""
        if tree is None:
            return ()
        if tree.kind != "map" or not child.lines or any(item.kind != "map" for item in tree.items.values()):
            self.complain("mapping_wrong_type", tree.place, what="follows", wanted="Name: sum: [A, -B]")
            return ()
        units = [item.name for item in child.fields if item.kind is Kind.REF and item.target == "unit"]
        found = []
        for name, item in tree.items.items():
            self._strange_keys(item, ("sum", "times", "when", "unless"))
            if "sum" not in item.items:
                self.complain("mapping_missing_key", item.place, key="sum")
                continue
            names = self.texts(item.items["sum"], "sum")
            parts = tuple((-1 if one.startswith("-") else 1, one.removeprefix("-").strip()) for one in names)
            times = self.one_of(item, "times", units) or "" if "times" in item.items else ""
            found.append(Follows(name, parts, self.condition(item), times))
        return tuple(found)

    def shared(self, initial: Initial, children: Sequence[ChildSpec], tree: Tree) -> tuple[ChildSpec, ...]:
        """The children with what ``initial`` says of tabular parts (``Part.Field``) in each template of the part.

        What a template says itself stands.
        """
        parts: dict[str, list[tuple[str, Plain | Find]]] = {}
        for name, value in initial:
            part, dot, bare = name.partition(".")
            if dot:
                parts.setdefault(part, []).append((bare, value))
        tables = {row.table for child in children for row in child.rows if row.table}
        for part in parts.keys() - tables:
            self.unknown("mapping_initial_nowhere", tree.key_places["initial"], part, tables)
        return tuple(
            replace(
                child,
                rows=tuple(
                    replace(row, initial=tuple({**dict(parts.get(row.table, ())), **dict(row.initial)}.items()))
                    for row in child.rows
                ),
            )
            for child in children
        )
