"""A mapping against what a base publishes right now: what is missing, what it can do without.

A name that is missing is left out where its field is ``optional`` or the name is only guessed and its field is not
required; a ``first`` is content with any of its sources. Everything else pauses the mapping, which then names what it
misses. A stream that references point to need not be published: its links stay expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.base import StreamInfo
from mappings.finds import KEY, answerable
from mappings.problems import Place, Problem, closest
from mappings.scope import key_wire, of_rows, reads, row_reads, tests
from mappings.spec import (
    Cases,
    ChildSpec,
    Expr,
    FieldSpec,
    Find,
    First,
    Follows,
    Initial,
    Maker,
    MappingSpec,
    OfRow,
    RowSpec,
)

_NUMBERS = ("Double", "Decimal", "Single", "Int64", "Int32", "Int16", "Byte", "integer", "numeric")
#: Type names of the source that each wire can be read from: those of OData (without ``Edm.``), and in small letters
#: those of tables of a database.
_FITS: dict[str, tuple[str, ...]] = {
    "number": _NUMBERS,
    "int": ("Int64", "Int32", "Int16", "Byte", "String", "integer", "text"),
    "bool": ("Boolean", "boolean", "integer"),
    "date": ("DateTime", "DateTimeOffset", "date", "timestamp"),
    "guid": ("Guid", "uuid"),
    "text": ("String", "Guid", *_NUMBERS, "Boolean", "DateTime", "text", "uuid", "boolean", "timestamp", "date"),
}


#: How 1C names what a virtual table tells of a resource.
_SUMS: dict[str, tuple[str, ...]] = {
    "balance": ("Balance",),
    "turnovers": ("Turnover", "Receipt", "Expense"),
    "balance_and_turnovers": ("OpeningBalance", "Turnover", "Receipt", "Expense", "ClosingBalance"),
}


def published_fields(info: StreamInfo, table: str) -> Mapping[str, str]:
    """Fields of what is read: the set's own, or those of a register's virtual table (made from its record set)."""
    if table == "set":
        return info.fields
    rows = info.tables.get("RecordSet", info.fields)
    return {**rows, **{f"{name}{sum_}": kind for sum_ in _SUMS.get(table, ()) for name, kind in rows.items()}}


@dataclass(slots=True)
class _Fitting:
    spec: MappingSpec
    info: StreamInfo
    fields: Mapping[str, str]
    streams: Mapping[str, StreamInfo]
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def missing(self, name: str, wire: str, scope: str) -> bool:
        """Whether a name is not published; a wrong type is a problem at once."""
        known = self.info.tables.get(scope, {}) if scope else self.fields
        kind = known.get(name)
        if kind is None:
            return True
        bare = kind.removeprefix("Edm.")
        if wire != "any" and bare not in _FITS[wire] and "." not in bare and not bare.startswith("Collection"):
            self._complain("mapping_field_type", name, scope, actual=kind, wanted=wire)
        return False

    def absent(self, expr: Expr, scope: str) -> list[str]:
        """The names of an expression that are not published."""
        return [name for name, wire in reads(expr) if self.missing(name, wire, scope)]

    def _complain(self, code: str, name: str, scope: str, **params: object) -> None:
        published = self.info.tables.get(scope, {}) if scope else self.fields
        shown = f"{scope}.{name}" if scope else name
        place = Place()
        guess = closest(name, published) if code == "mapping_field_missing" else ""
        params |= {"mapping": self.spec.name, "stream": self.spec.stream, "source": shown, "guess": guess}
        if all((known.code, known.params["source"]) != (code, shown) for known in self.problems):
            self.problems.append(Problem(code, place, **params))  # once, though several fields may read the name

    def lack(self, names: list[str], scope: str) -> None:
        """These names are needed and not published."""
        for name in dict.fromkeys(names):
            self._complain("mapping_field_missing", name, scope)

    def forgo(self, names: list[str], scope: str) -> None:
        """These names are not published, and the mapping does without them."""
        self.left_out.extend(f"{scope}.{name}" if scope else name for name in names)

    def dispensable(self, names: list[str], scope: str) -> bool:
        """Whether all of them are only guesses."""
        return all(self.spec.is_guess(f"{scope}.{name}" if scope else name) for name in names)

    def expr(self, expr: Expr, scope: str) -> Expr:
        """The expression without alternatives that are not published, as long as one is left."""
        if isinstance(expr, First):
            kept = [option for option in expr.options if not self.absent(option, scope)]
            if kept and len(kept) < len(expr.options):
                for option in expr.options:
                    self.forgo(self.absent(option, scope), scope)
                return kept[0] if len(kept) == 1 else First(tuple(kept))
        if isinstance(expr, Cases):
            return self._cases(expr, scope)
        return expr

    def _cases(self, expr: Cases, scope: str) -> Expr:
        kept = []
        for condition, branch in expr.branches:
            names = [name for name, wire in tests(condition) if self.missing(name, wire, scope)]
            names += self.absent(branch, scope)
            if names and self.dispensable(names, scope):
                self.forgo(names, scope)
            else:
                kept.append((condition, self.expr(branch, scope)))
        return Cases(tuple(kept)) if kept else expr

    def field(self, item: FieldSpec, scope: str) -> FieldSpec | None:
        """The field as this base can fill it; ``None`` if it stays empty."""
        expr = self.expr(item.expr, scope)
        names = self.absent(expr, scope)
        for look in of_rows(expr):
            names += self._looked(look)
        if not names:
            return replace(item, expr=expr)
        if item.optional or (not item.required and self.dispensable(names, scope)):
            self.forgo(names, scope)
        else:
            self.lack(names, scope)
        return None

    def _looked(self, look: OfRow) -> list[str]:
        """What a look into a tabular part misses, as names of the record's own scope."""
        part = self.info.tables.get(look.table)
        if part is None:
            return [look.table]
        pairs = [*tests(look.when), *reads(look.value)]
        return [f"{look.table}.{name}" for name, wire in pairs if self.missing(name, wire, look.table)]

    def row(self, row: RowSpec) -> RowSpec | None:
        """The row template as this base can fill it; ``None`` if it makes no rows here."""
        scope = row.table
        if scope and scope not in self.info.tables:
            if row.optional or self.dispensable([scope], ""):
                self.forgo([scope], "")
            else:
                self.lack([scope], "")
            return None
        core = replace(row, fields=(), maker=row.maker and replace(row.maker, sources=row.maker.sources[:1]))
        names = [name for name, wire in row_reads(core) if self.missing(name, wire, scope)]
        if names:
            if row.optional or self.dispensable(names, scope):
                self.forgo(names, scope)
            else:
                self.lack(names, scope)
            return None
        fields = [self.field(item, scope) for item in row.fields]
        if any(kept is None and item.required for kept, item in zip(fields, row.fields, strict=True)):
            return None
        initial = self.initial(row.initial, scope)
        maker = self._maker(row.maker, scope)
        follows = tuple(one for one in row.follows if self._followed(one, scope))
        return replace(row, fields=tuple(filter(None, fields)), maker=maker, initial=initial, follows=follows)

    def initial(self, pairs: Initial, scope: str) -> Initial:
        """What a new record or row gets, as far as the base has it."""
        gone = [name for name, _ in pairs if self.missing(name, "any", scope)]
        self.forgo(gone, scope)
        kept = [(name, value) for name, value in pairs if name not in gone]
        return tuple((name, self.find(value) if isinstance(value, Find) else value) for name, value in kept)

    def find(self, find: Find) -> Find:
        """The look-up with the alternatives that this base can answer; with none left it finds nothing."""
        info = self.streams.get(find.stream)
        known = info.fields if info is not None else {}
        able = KEY in known and all(name in known for name in find.same)
        by = answerable(find.by, known) if able else ()
        if not by:
            self.unseen.append(find.stream)
        return replace(find, by=by)

    def _followed(self, one: Follows, scope: str) -> bool:
        """Whether a number that follows, what it follows from and the condition on the record are all there."""
        names = [name for name in (one.name, *(name for _, name in one.parts)) if self.missing(name, "number", scope)]
        heads = [name for name, wire in tests(one.when) if self.missing(name, wire, "")]
        self.forgo(names, scope)
        self.forgo(heads, "")
        return not names and not heads

    def _maker(self, maker: Maker | None, scope: str) -> Maker | None:
        if maker is None:
            return None
        gone = [name for name in maker.sources if name and self.missing(name, "text", scope)]
        self.forgo(gone, scope)
        return replace(maker, sources=tuple("" if name in gone else name for name in maker.sources))

    def heading(self) -> dict[str, str | None]:
        """Version, deletion mark, date, total and "changed at": only what is there."""
        wires = {"version": "text", "deleted": "bool", "date": "date", "total": "number", "changed": "date"}
        kept: dict[str, str | None] = {}
        for what, wire in wires.items():
            name = getattr(self.spec, what)
            if name is not None and self.missing(name, wire, ""):
                self.forgo([name], "")
                name = None
            kept[what] = name
        return kept

    def skip(self) -> list[tuple[str, tuple[object, ...]]]:
        """The rules that can be tested here."""
        rules: list[tuple[str, tuple[object, ...]]] = []
        for reason, condition in self.spec.skip:
            names = [name for name, wire in tests(condition) if self.missing(name, wire, "")]
            if not names:
                rules.append((reason, condition))
            elif self.dispensable(names, ""):
                self.forgo(names, "")
            else:
                self.lack(names, "")
        return rules


def _meant(stream: str, streams: Mapping[str, StreamInfo]) -> str:
    """The published object of the same kind whose own name is close; that both are documents makes no two alike."""
    kind, _, name = stream.partition("_")
    alike = {known.partition("_")[2]: known for known in streams if known.startswith(f"{kind}_") and "#" not in known}
    return alike.get(closest(name, alike), "")


def fit(spec: MappingSpec, streams: Mapping[str, StreamInfo]) -> tuple[MappingSpec, list[Problem]]:
    """The mapping as this base can fill it, and what it misses (then it must not run)."""
    if spec.given:
        return spec, []
    virtual = streams.get(f"{spec.stream}#{spec.table}")
    info = virtual or streams.get(spec.stream)
    if info is None:
        guess = _meant(spec.stream, streams)
        place = Place()
        return spec, [Problem("mapping_stream_missing", place, mapping=spec.name, stream=spec.stream, guess=guess)]
    fields = virtual.fields if virtual else published_fields(info, spec.table)
    fitting = _Fitting(spec, info, fields, streams)
    fitting.lack([name for name in spec.key if fitting.missing(name, key_wire(name), "")], "")
    children = tuple(
        ChildSpec(child.child, rows)
        for child in spec.children
        if (rows := tuple(filter(None, (fitting.row(row) for row in child.rows))))
    )
    initial = fitting.initial(spec.initial, "")
    fitted = replace(
        spec,
        **fitting.heading(),  # type: ignore[arg-type]
        skip=tuple(fitting.skip()),  # type: ignore[arg-type]
        fields=tuple(filter(None, (fitting.field(item, "") for item in spec.fields))),
        ext=tuple(filter(None, (fitting.field(item, "") for item in spec.ext))),
        children=children,
        initial=initial,
        left_out=tuple(dict.fromkeys(fitting.left_out)),
        unseen=tuple(dict.fromkeys(fitting.unseen)),
    )
    return fitted, fitting.problems
