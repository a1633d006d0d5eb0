"""A mapping file (with its overlay laid over it) to a validated ``MappingSpec``; every problem with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from hub.model.entities import ENTITIES, Child, Entity
from hub.model.fields import Field, Kind
from mappings.makers import MAKERS
from mappings.parse_initial import InitialReader
from mappings.parse_supplies import SupplyReader
from mappings.problems import Place, Problem
from mappings.scope import merge, root_reads, table_reads
from mappings.source import Tree
from mappings.spec import ChildSpec, Condition, FieldSpec, Maker, MappingSpec, RowSpec

TABLES = ("set", "balance", "turnovers", "balance_and_turnovers", "slice_last", "slice_first")
#: Virtual tables of a period: without one 1C would add up all that ever was.
PERIODIC = ("turnovers", "balance_and_turnovers")
#: Keys of a mapping file, in the order they are documented in.
KEYS = (
    "stream",
    "table",
    "period",
    "entity",
    "key",
    "version",
    "deleted",
    "date",
    "total",
    "absent",
    "changed",
    "part",
    "records",
    "skip",
    "fields",
    "children",
    "initial",
    "supplies",
    "guessed",
)
#: Reasons a record may be passed over for; each has its sentence in the catalogue as ``skip_<reason>``.
SKIP_REASONS = ("folder", "predefined", "service", "not_ours", "draft")
#: Keys of a template of child rows.
ROW_KEYS = ("table", "when", "unless", "make", "from", "number", "optional", "fields", "initial", "follows")
#: The longest period that is told in days; a longer one is ``all``.
_MOST_DAYS = 3660
_EXT_KINDS = (Kind.TEXT, Kind.INT, Kind.BOOL, Kind.MONEY, Kind.QTY, Kind.PERCENT, Kind.TIMESTAMP, Kind.DATE)


def parse_mapping(name: str, profile: str, tree: Tree, problems: list[Problem]) -> MappingSpec | None:
    """The mapping of one file; ``None`` when it lacks what nothing can be made without (the problems say what)."""
    return _MappingReader(problems).mapping(name, profile, tree)


@dataclass(slots=True)
class _MappingReader(InitialReader, SupplyReader):
    def mapping(self, name: str, profile: str, tree: Tree) -> MappingSpec | None:
        self._strange_keys(tree, KEYS)
        entity = self._entity(tree)
        stream = self._head(tree, "stream")
        key = self.texts(tree.items["key"], "key") if "key" in tree.items else ()
        if not key:
            self.complain("mapping_missing_key", tree.place, key="key")
        if entity is None or stream is None or not key:
            return None
        table = self._word(tree, "table", TABLES) or "set"
        period = self._period(tree, table)
        absent = self._word(tree, "absent", ("zero",))
        initial = self.initial(tree.get("initial"))
        spec = MappingSpec(
            name,
            profile,
            entity,
            stream,
            table,
            key,
            tree.place,
            version=self._source(tree, "version"),
            deleted=self._source(tree, "deleted"),
            date=self._source(tree, "date"),
            total=self._source(tree, "total"),
            absent=absent,
            changed=self._source(tree, "changed"),
            part=self._source(tree, "part") or "",
            period=period,
            initial=tuple((name, value) for name, value in initial if "." not in name),
            supplies=self.supplies(
                tree.get("supplies"), entity, tree.items["fields"].items if "fields" in tree.items else ()
            ),
            given=self._records(tree.get("records"), key),
            skip=self._skip(tree.get("skip")),
            fields=self._fields(entity.fields, tree.get("fields"), entity.name, ext=False),
            ext=self._fields((), tree.get("fields"), entity.name, ext=True),
            children=self.shared(initial, self._children(entity, tree.get("children")), tree),
            guessed=self._guessed(tree.get("guessed")),
        )
        self._check(spec, tree)
        return spec

    def _head(self, tree: Tree, key: str) -> str | None:
        part = tree.get(key)
        if part is None:
            self.complain("mapping_missing_key", tree.place, key=key)
            return None
        return self.text(part, key)

    def _source(self, tree: Tree, key: str) -> str | None:
        part = tree.get(key)
        return None if part is None or (part.value is None and part.kind == "scalar") else self.text(part, key)

    def _word(self, tree: Tree, key: str, words: tuple[str, ...]) -> str | None:
        word = self._source(tree, key)
        if word is not None and word not in words:
            self.unknown("mapping_unknown_word", tree.items[key].place, word, words, key=key)
            return None
        return word

    def _period(self, tree: Tree, table: str) -> int | None:
        """Days, or ``None`` for all of it; a table of a period says which, others have none but ``slice_first``."""
        part = tree.get("period")
        if part is None:
            if table in PERIODIC:
                self.complain("mapping_period_missing", tree.items["table"].place, table=table)
            return None
        if table not in (*PERIODIC, "slice_first"):
            self.complain("mapping_period_needless", tree.key_places["period"], table=table)
        days = part.value if part.kind == "scalar" else None
        if days == "all":
            return None
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
            self.complain("mapping_wrong_type", part.place, what="period", wanted=f"1 … {_MOST_DAYS}, all")
            return None
        return days

    def _entity(self, tree: Tree) -> Entity | None:
        name = self._head(tree, "entity")
        if name is not None and name not in ENTITIES:
            self.unknown("mapping_unknown_entity", tree.items["entity"].place, name, ENTITIES)
        return ENTITIES.get(name) if name else None

    def _guessed(self, tree: Tree | None) -> frozenset[str]:
        if tree is None:
            return frozenset()
        if tree.kind == "scalar" and tree.value == "all":
            return frozenset({"*"})
        return frozenset(self.texts(tree, "guessed"))

    def _skip(self, tree: Tree | None) -> tuple[tuple[str, Condition], ...]:
        rules: list[tuple[str, Condition]] = []
        for item in self._list(tree, "skip"):
            self._strange_keys(item, ("reason", "when", "unless"))
            reason = self._word(item, "reason", SKIP_REASONS)
            if "reason" not in item.items:
                self.complain("mapping_missing_key", item.place, key="reason")
            condition = self.condition(item)
            if not condition:
                self.complain("mapping_missing_key", item.place, key="when")
            if reason and condition:
                rules.append((reason, condition))
        return tuple(rules)

    def _records(self, tree: Tree | None, key: tuple[str, ...]) -> tuple[bytes, ...]:
        """Records told by the file, as the JSON objects a base would answer; each needs its key."""
        records = []
        for item in self._list(tree, "records"):
            for name in key:
                if name not in item.items:
                    self.complain("mapping_missing_key", item.place, key=name)
            records.append(msgspec.json.encode({name: self.plain(part, name) for name, part in item.items.items()}))
        return tuple(records)

    def _list(self, tree: Tree | None, what: str) -> list[Tree]:
        if tree is None:
            return []
        if tree.kind != "list" or any(part.kind != "map" for part in tree.parts):
            self.complain("mapping_wrong_type", tree.place, what=what, wanted="- {…}")
            return []
        return tree.parts

    def _fields(self, known: tuple[Field, ...], tree: Tree | None, owner: str, *, ext: bool) -> tuple[FieldSpec, ...]:
        """Specs in registry order (``ext`` ones in the order of the file)."""
        if tree is None or tree.kind != "map":
            if tree is not None and not ext:
                self.complain("mapping_wrong_type", tree.place, what="fields", wanted="field: source")
            return ()
        by_name = {item.name: item for item in known}
        found: dict[str, FieldSpec] = {}
        for name, item in tree.items.items():
            place = tree.key_places[name]
            if name.startswith("ext.") != ext:
                continue
            field = self._ext_field(name, item, place) if ext else by_name.get(name)
            if field is None:
                if not ext:
                    self.unknown("mapping_unknown_field", place, name, by_name, entity=owner)
                continue
            if not ext and item.kind == "map" and "type" in item.items:
                self.complain("mapping_type_not_ext", item.key_places["type"], field=name)
            spec = self.field(field, item, place)
            if spec is not None:
                found[name] = spec
        order = list(found) if ext else [item.name for item in known if item.name in found]
        return tuple(found[name] for name in order)

    def _ext_field(self, name: str, tree: Tree, place: Place) -> Field | None:
        bare = name.removeprefix("ext.")
        if not bare.isidentifier():
            self.complain("mapping_ext_name", place, field=name)
            return None
        kind = tree.get("type") if tree.kind == "map" else None
        words = [item.value for item in _EXT_KINDS]
        if kind is None:
            self.complain("mapping_ext_without_type", place, field=name, known=", ".join(words))
            return None
        word = self.text(kind, "type")
        if word not in words:
            self.unknown("mapping_unknown_word", kind.place, str(word), words, key="type")
            return None
        return Field(bare, Kind(word), bare)

    def _children(self, entity: Entity, tree: Tree | None) -> tuple[ChildSpec, ...]:
        if tree is None:
            return ()
        if tree.kind != "map":
            self.complain("mapping_wrong_type", tree.place, what="children", wanted="child: [...]")
            return ()
        known = {child.name: child for child in entity.children}
        found: dict[str, ChildSpec] = {}
        for name, item in tree.items.items():
            if name not in known:
                self.unknown("mapping_unknown_child", tree.key_places[name], name, known, entity=entity.name)
                continue
            rows = [self._row(known[name], part) for part in self._list(item, name)]
            found[name] = ChildSpec(known[name], tuple(rows))
        return tuple(found[child.name] for child in entity.children if child.name in found)

    def _row(self, child: Child, tree: Tree) -> RowSpec:
        self._strange_keys(tree, (*ROW_KEYS, *(option for kind in MAKERS.values() for option in kind.options)))
        maker = self._maker(child, tree)
        fields = self._fields(child.fields, tree.get("fields"), child.name, ext=False)
        number = self._source(tree, "number") or ""
        if number and not child.lines:
            self.complain("mapping_number_in_set", tree.key_places["number"], child=child.name)
        row = RowSpec(
            self._source(tree, "table") or "",
            self.condition(tree),
            fields,
            maker,
            number,
            self.flag(tree.get("optional"), "optional"),
            tree.place,
            self.initial(tree.get("initial")),
            self.follows(tree.get("follows"), child),
        )
        filled = {item.field.name for item in fields} | set(MAKERS[maker.name].columns if maker else ())
        for field in child.fields:
            if field.required and field.name not in filled:
                self.complain("mapping_required_missing", tree.place, field=field.name, entity=child.name)
        return row

    def _maker(self, child: Child, tree: Tree) -> Maker | None:
        name = self._source(tree, "make")
        if name is None:
            if "from" in tree.items:
                self.complain("mapping_missing_key", tree.place, key="make")
            return None
        kind = MAKERS.get(name)
        if kind is None:
            self.unknown("mapping_unknown_maker", tree.items["make"].place, name, MAKERS)
            return None
        strange = [column for column in kind.columns if column not in {field.name for field in child.fields}]
        if strange:
            self.complain("mapping_maker_misfit", tree.place, maker=name, entity=child.name, fields=", ".join(strange))
            return None
        sources = self.texts(tree.items["from"], "from") if "from" in tree.items else ()
        if not kind.sources[0] <= len(sources) <= kind.sources[1]:
            self.complain("mapping_maker_sources", tree.place, maker=name, least=kind.sources[0], most=kind.sources[1])
            return None
        options: list[tuple[str, str]] = []
        for option, words in kind.options.items():
            word = self._word(tree, option, words)
            options.append((option, word or words[0]))
        return Maker(name, sources, tuple(options))

    def _check(self, spec: MappingSpec, tree: Tree) -> None:
        """What can only be told when the whole file is read."""
        filled = {item.field.name for item in spec.fields}
        for field in spec.entity.fields:
            if field.required and field.name not in filled and not _noted(self.problems, tree, field.name):
                place = tree.key_places.get("fields", tree.place)
                self.complain("mapping_required_missing", place, field=field.name, entity=spec.entity.name)
        for key, wanted in (("date", spec.entity.dated_by), ("total", spec.entity.total)):
            if wanted and key not in tree.items and spec.table == "set":
                self.complain("mapping_missing_key", tree.place, key=key)
        scopes: Mapping[str, list[tuple[str, str]]] = {"": list(root_reads(spec)), **table_reads(spec)}
        for scope, pairs in scopes.items():
            for name, one, other in merge(pairs)[1]:
                shown = f"{scope}.{name}" if scope else name
                self.complain("mapping_two_types", tree.place, source=shown, one=one, other=other)


def _noted(problems: list[Problem], tree: Tree, field: str) -> bool:
    """Whether a problem about this very field stands already: then its absence is no news."""
    fields = tree.get("fields")
    return fields is not None and field in fields.items and any(p.place.file == tree.place.file for p in problems)
