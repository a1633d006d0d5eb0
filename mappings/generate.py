"""A validated mapping to straight-line Python: ``emit``, ``gather`` (references) and ``skip``.

Why this may be executed: see ``mappings.writer``: no text of a mapping file ever gets into the source. Why it is done
at all: per record, attribute access and a handful of inline operations cost a fraction of any interpreted walk over
the file's fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hub.model.fields import SCALE, Field
from mappings import runtime
from mappings.makers import MAKERS
from mappings.scope import reads, refs
from mappings.spec import (
    Cases,
    ChildSpec,
    Concat,
    Const,
    Expr,
    FieldSpec,
    First,
    Mapped,
    MappingSpec,
    OfRow,
    Read,
    Ref,
    RowSpec,
    Sum,
)
from mappings.structs import Shape
from mappings.transforms import TRANSFORMS
from mappings.writer import Scope, Writer, condition_source

_LIMIT = runtime.LIMIT


@dataclass(slots=True)
class Generated:
    """Source and constants of one mapping's functions, ready to be executed (and hashed)."""

    source: str
    constants: dict[str, Any]


def child_fields(child: ChildSpec) -> tuple[Field, ...]:
    """Fields of a child table that any of its templates fills, in registry order."""
    filled: set[str] = set()
    for row in child.rows:
        filled.update(item.field.name for item in row.fields)
        if row.maker is not None:
            filled.update(MAKERS[row.maker.name].columns)
    return tuple(field for field in child.child.fields if field.name in filled)


def generate(spec: MappingSpec, shape: Shape) -> Generated:
    """The functions of one mapping: ``emit(items, links)``, ``gather(items, adders)``, ``needs(…)``, ``skip(item)``."""
    writer = Writer()
    _Emit(writer, spec, shape).write()
    gather = _Gather(writer, spec, shape)
    gather.write("gather", required=False)
    gather.write("needs", required=True)
    scope = Scope("i", shape)
    with writer.block("def skip(i):"):
        for reason, condition in spec.skip:
            with writer.block(f"if {condition_source(writer, condition, scope)}:"):
                writer.add(f"return {writer.const(reason)}")
        writer.add("return None")
    return Generated(writer.text(), writer.constants)


def streams_of(items: Iterable[FieldSpec]) -> list[str]:
    """Every stream the references of these fields may name, in order of first use."""
    return list(dict.fromkeys(target for item in items for ref in refs(item.expr) for target in ref.targets))


def _type_table(writer: Writer, ref: Ref, getter: Callable[[str], str]) -> str:
    """Source of a dict from ``<name>_Type`` values to what handles that stream; short type names pass too."""
    pairs = [(f"StandardODATA.{stream}", stream) for stream in ref.targets] + [(s, s) for s in ref.targets]
    return "{" + ", ".join(f"{writer.const(word)}: {getter(stream)}" for word, stream in pairs) + "}"


class _Tables:
    """Per-call tables from type names to handlers, written into the head of a function once its body is known."""

    def __init__(self, writer: Writer, prefix: str) -> None:
        self.writer = writer
        self.streams: dict[str, str] = {}
        self.types: dict[tuple[str, ...], tuple[str, Ref]] = {}
        self._prefix = prefix

    def stream(self, name: str) -> str:
        return self.streams.setdefault(name, f"{self._prefix}{len(self.streams)}")

    def typed(self, ref: Ref) -> str:
        return self.types.setdefault(ref.targets, (f"y{len(self.types)}", ref))[0]

    def head(self, at: int, template: str) -> None:
        """Insert the preparation at a line: one getter per stream, then one dict per set of types."""
        for _, ref in self.types.values():
            for stream in ref.targets:
                self.stream(stream)
        writer = self.writer
        lines = [f"{var} = {template.format(writer.const(name))}" for name, var in self.streams.items()]
        lines += [f"{var} = {_type_table(writer, ref, self.stream)}" for var, ref in self.types.values()]
        writer.lines[at:at] = ["    " + line for line in lines]


class _Emit:
    """Writes ``emit(items, links)``."""

    def __init__(self, writer: Writer, spec: MappingSpec, shape: Shape) -> None:
        self.writer = writer
        self.spec = spec
        self.shape = shape
        self.tables = _Tables(writer, "l")

    def write(self) -> None:
        writer = self.writer
        with writer.block("def emit(items, links):"):
            head = len(writer.lines)
            writer.add("out = []")
            writer.add("add = out.append")
            with writer.block("for i in items:"):
                with writer.block("try:"):
                    self._record()
                with writer.block("except Bad as error:"):
                    writer.add("add(rejected(external_id(i), error))")
                with writer.block("except (ValueError, OverflowError) as error:"):
                    writer.add("add(broken(i, error))")
            writer.add("return out")
            self.tables.head(head, "links.get({}, NO_LINKS).get")

    def _record(self) -> None:
        writer, scope = self.writer, Scope("i", self.shape)
        root = [self._field(item, scope) for item in self.spec.fields]
        for item, value in zip(self.spec.fields, root, strict=True):
            self._demand(item, value, scope)
        if self.spec.ext:
            values = [self.value(item.expr, item.field, scope) for item in self.spec.ext]
            names = writer.const(tuple(item.field.name for item in self.spec.ext))
            kinds = writer.const(tuple(item.field.kind for item in self.spec.ext))
            root.append(f"ext_json({names}, {kinds}, ({_joined(values)}))")
        children = [self._child(child) for child in self.spec.children]
        state = f"{self._marked(scope)}"
        writer.add(f"add(Mapped({state}, ({_joined(root)}), ({_joined(children)})))")

    def _marked(self, scope: Scope) -> str:
        marked, active = self.writer.const("marked"), self.writer.const("active")
        return f"{marked} if {scope.get(self.spec.deleted)} else {active}" if self.spec.deleted else active

    def _field(self, item: FieldSpec, scope: Scope) -> str:
        return self.value(item.expr, item.field, scope)

    def _demand(self, item: FieldSpec, value: str, scope: Scope) -> None:
        if item.required and not _never_empty(item.expr):
            name = "/".join(dict.fromkeys(name for name, _ in reads(item.expr) if not name.endswith("_Type")))
            with self.writer.block(f"if {value} is None:"):
                self.writer.add(f"bad('required_blank', {self.writer.const(scope.path + name)})")

    # --- child rows ---------------------------------------------------------------------------------------------

    def _child(self, child: ChildSpec) -> str:
        writer, rows = self.writer, self.writer.var()
        writer.add(f"{rows} = []")
        fields = child_fields(child)
        for row in child.rows:
            if row.table:
                with writer.block(f"for r in i.{self.shape.attributes[row.table]} or ():"):
                    self._row(child, row, fields, rows, Scope("r", self.shape.tables[row.table], f"{row.table}."))
            else:
                self._row(child, row, fields, rows, Scope("i", self.shape))
        with writer.block(f"if len({rows}) > 1:"):
            if child.child.lines:
                writer.add(f"{rows} = numbered({rows})")
            else:
                key = tuple(n for n, field in enumerate(fields) if field.name in child.child.key)
                writer.add(f"{rows} = distinct({rows}, {writer.const(key)})")
        if child.child.lines and all(not row.number for row in child.rows):
            writer.add(f"{rows} = numbered({rows})")
        return rows

    def _row(self, child: ChildSpec, row: RowSpec, fields: tuple[Field, ...], rows: str, scope: Scope) -> None:
        condition = condition_source(self.writer, row.when, scope)
        if condition == "True":
            self._row_body(child, row, fields, rows, scope)
            return
        with self.writer.block(f"if {condition}:"):
            self._row_body(child, row, fields, rows, scope)

    def _row_body(self, child: ChildSpec, row: RowSpec, fields: tuple[Field, ...], rows: str, scope: Scope) -> None:
        writer = self.writer
        values = {item.field.name: self.value(item.expr, item.field, scope) for item in row.fields}
        demanded = [item for item in row.fields if item.required and not _never_empty(item.expr)]
        number = []
        if child.child.lines:
            for item in demanded:
                self._demand(item, values[item.field.name], scope)
            demanded = []
            shown = writer.const(scope.path + row.number)
            number = ["None"]
            if row.number:
                line = scope.get(row.number)
                number = [f"int({line}) if {line} else integer({line}, {shown})"]
        if row.maker is not None:
            kind, made = MAKERS[row.maker.name], writer.var()
            given = [writer.const(word) for _, word in row.maker.options]
            given += [scope.get(name) if name else "None" for name in row.maker.sources]
            for n, column in enumerate(kind.columns):
                values.setdefault(column, f"{made}[{n}]")
            writer.add(f"for {made} in {writer.const(kind.make)}({_joined(given)}):")
            writer.depth += 1
        cells = [*number, *(values.get(field.name, "None") for field in fields)]
        append = f"{rows}.append(({_joined(cells)}))"
        if demanded:
            filled = " and ".join(f"{values[item.field.name]} is not None" for item in demanded)
            append = f"if {filled}: {append}"
        writer.add(append)
        if row.maker is not None:
            writer.depth -= 1

    # --- values -------------------------------------------------------------------------------------------------

    def value(self, expr: Expr, field: Field, scope: Scope) -> str:
        """Write what computes a value; the name that holds it."""
        if isinstance(expr, Const):
            return self.writer.const(expr.value)
        out = self.writer.var()
        self._assign(out, expr, field, scope)
        return out

    def _assign(self, out: str, expr: Expr, field: Field, scope: Scope) -> None:
        writer = self.writer
        match expr:
            case Const(value):
                writer.add(f"{out} = {writer.const(value)}")
            case Read():
                self._read(out, expr, field, scope)
            case Mapped():
                self._mapped(out, expr, scope)
            case Ref():
                self._ref(out, expr, scope)
            case First(options):
                self._assign(out, options[0], field, scope)
                for option in options[1:]:
                    writer.add(f"if {out} is None:")
                    writer.depth += 1
                    self._assign(out, option, field, scope)
                writer.depth -= len(options) - 1
            case Sum(parts):
                names = [self.value(part, field, scope) for _, part in parts]
                empty = " and ".join(f"{name} is None" for name in names)
                total = " ".join(
                    f"{'-' if sign < 0 else '+'} ({name} or 0)" for (sign, _), name in zip(parts, names, strict=True)
                )
                writer.add(f"{out} = None if {empty} else {total}")
            case Concat(parts, separator):
                names = [self.value(part, field, scope) for part in parts]
                glue = writer.const(separator)
                writer.add(f"{out} = {glue}.join(filter(None, ({_joined(names)}))) or None")
            case Cases(branches):
                self._cases(out, branches, field, scope)
            case OfRow():
                self._of_row(out, expr, field)

    def _of_row(self, out: str, expr: OfRow, field: Field) -> None:
        writer, scope = self.writer, Scope("q", self.shape.tables[expr.table], f"{expr.table}.")
        rows = f"i.{self.shape.attributes[expr.table]} or ()"
        writer.add(f"{out} = None")
        with writer.block(f"for q in reversed({rows}):" if expr.last else f"for q in {rows}:"):
            condition = condition_source(writer, expr.when, scope)
            if condition != "True":
                writer.add(f"if not ({condition}): continue")
            self._assign(out, expr.value, field, scope)
            writer.add(f"if {out} is not None: break")

    def _cases(self, out: str, branches: Any, field: Field, scope: Scope) -> None:
        word = "if"
        for condition, expr in branches:
            source = condition_source(self.writer, condition, scope)
            with self.writer.block("else:" if source == "True" and word == "elif" else f"{word} {source}:"):
                self._assign(out, expr, field, scope)
            word = "elif"
        if branches[-1][0]:
            with self.writer.block("else:"):
                self.writer.add(f"{out} = None")

    def _read(self, out: str, expr: Read, field: Field, scope: Scope) -> None:
        writer, value = self.writer, scope.get(expr.name)
        name = writer.const(scope.path + expr.name)
        if expr.transform in runtime.OF_TEXT:
            writer.add(f"{out} = {value}")
            function = writer.const(runtime.OF_TEXT[expr.transform])
            writer.add(f"{out} = {function}({out}) if {out} else None")
        elif expr.transform == "timestamp":
            writer.add(f"{out} = {value}")
            with writer.block(f"if {out}:"):
                writer.add(f"h = hours.get({out}[:13])")
                fast = f"h + {out}[13:] if h is not None and {out}[13:] in MMSS"
                writer.add(f"{out} = {fast} else moment({out}, {name})")
            with writer.block("else:"):
                writer.add(f"{out} = None")
        elif expr.transform == "utc":
            writer.add(f"{out} = {value}")
            writer.add(f"{out} = {writer.const(runtime.instant)}({out}, {name}) if {out} else None")
        elif expr.transform == "date":
            writer.add(f"{out} = days.get({value}, MISS)")
            with writer.block(f"if {out} is MISS:"):
                writer.add(f"{out} = day({value}, {name})")
        elif expr.transform == "bool":
            writer.add(f"{out} = {value}")
            with writer.block(f"if {out} is not None:"):
                writer.add(f"{out} = +{out}")
        elif TRANSFORMS[expr.transform].wire == "number":
            self._number(out, value, SCALE[field.kind], name)
            if expr.transform in ("above_zero", "below_zero"):
                sign = "" if expr.transform == "above_zero" else "-"
                writer.add(f"{out} = None if {out} is None else max({sign}{out}, 0)")
        elif expr.transform == "int_text":
            writer.add(f"{out} = {value}")
            with writer.block(f"if type({out}) is not str or not {out}.isdigit():"):
                writer.add(f"{out} = int_text({out}, {name})")
        else:
            writer.add(f"{out} = integer({value}, {name})")

    def _number(self, out: str, value: str, scale: int, name: str) -> None:
        """A double to a scaled integer: exact when dividing back gives the same double, else by decimal text."""
        writer, power = self.writer, 10**scale
        writer.add(f"{out} = {value}")
        with writer.block(f"if {out}:"):
            writer.add(f"n = floor({out} * {power} + 0.5)")
            sure = f"n / {power} == {out} and {-_LIMIT} < n < {_LIMIT}"
            writer.add(f"{out} = n if {sure} else exact({out}, {scale}, {name})")
        with writer.block(f"elif {out} is not None:"):
            writer.add(f"{out} = 0")

    def _mapped(self, out: str, expr: Mapped, scope: Scope) -> None:
        writer, value = self.writer, scope.get(expr.name)
        table: dict[Any, Any] = dict(expr.table)
        if expr.has_default:
            writer.add(f"{out} = {writer.const(table)}.get({value}, {writer.const(expr.default)})")
            return
        for empty in (None, ""):
            table.setdefault(empty, None)
        writer.add(f"{out} = {writer.const(table)}.get({value}, MISS)")
        with writer.block(f"if {out} is MISS:"):
            writer.add(f"bad({writer.const(expr.code)}, {writer.const(scope.path + expr.name)}, {value})")

    def _ref(self, out: str, expr: Ref, scope: Scope) -> None:
        writer, value = self.writer, scope.get(expr.name)
        if expr.not_self:
            writer.add(f"if {value} == {self._own_key()}: {out} = None")
            writer.add("else:")
            writer.depth += 1
        complaint = f"lost({writer.const(scope.path + expr.name)}, {value}, {writer.const(expr.code)})"
        if expr.typed:
            writer.add(f"g = {self.tables.typed(expr)}.get({scope.get(expr.name + '_Type')})")
            writer.add(f"{out} = None if g is None else g({value})")
            writer.add(f"if {out} is None and g is not None and {value} not in EMPTY: {complaint}")
        else:
            writer.add(f"{out} = {self.tables.stream(expr.targets[0])}({value})")
            writer.add(f"if {out} is None and {value} not in EMPTY: {complaint}")
        if expr.not_self:
            writer.depth -= 1

    def _own_key(self) -> str:
        return f"i.{self.shape.attributes[self.spec.key[0]]}"


class _Gather:
    """Writes functions that give every reference of items to the adder of its stream: ``f(items, adders)``."""

    def __init__(self, writer: Writer, spec: MappingSpec, shape: Shape) -> None:
        self.writer = writer
        self.spec = spec
        self.shape = shape
        self.tables = _Tables(writer, "a")

    def write(self, name: str, *, required: bool) -> None:
        """``required``: only those without which the record has to wait."""
        writer = self.writer
        self.tables = _Tables(writer, "a")
        with writer.block(f"def {name}(items, adders):"):
            head = len(writer.lines)
            with writer.block("for i in items:"):
                scope = Scope("i", self.shape)
                self._fields(self.spec.fields, scope, required=required)
                for child in self.spec.children:
                    for row in child.rows:
                        self._row(row, required=required)
            self.tables.head(head, "adders[{}]")

    def _row(self, row: RowSpec, *, required: bool) -> None:
        if not any(True for item in row.fields if _wanted(item, required=required)):
            return
        if not row.table:
            self._guarded(row, Scope("i", self.shape), required=required)
            return
        with self.writer.block(f"for r in i.{self.shape.attributes[row.table]} or ():"):
            scope = Scope("r", self.shape.tables[row.table], f"{row.table}.")
            self._guarded(row, scope, required=required)

    def _guarded(self, row: RowSpec, scope: Scope, *, required: bool) -> None:
        condition = condition_source(self.writer, row.when, scope)
        if condition == "True":
            self._fields(row.fields, scope, required=required)
            return
        with self.writer.block(f"if {condition}:"):
            self._fields(row.fields, scope, required=required)

    def _fields(self, items: Iterable[FieldSpec], scope: Scope, *, required: bool) -> None:
        for item in items:
            if _wanted(item, required=required):
                self._visit(item.expr, scope)

    def _visit(self, expr: Expr, scope: Scope) -> None:
        match expr:
            case Ref(typed=False, not_self=False):
                self.writer.add(f"{self.tables.stream(expr.targets[0])}({scope.get(expr.name)})")
            case Ref():
                self._guarded_ref("p", expr, scope)
            case First(options):
                self._first(options, scope)
            case Cases(branches):
                word = "if"
                for condition, branch in branches:
                    with self.writer.block(f"{word} {condition_source(self.writer, condition, scope)}:"):
                        self._visit(branch, scope)
                    word = "elif"
            case _:
                return

    def _first(self, options: tuple[Expr, ...], scope: Scope) -> None:
        """Only the reference that will be used: the next is looked at when those before it are empty."""
        opened = 0
        for option in options:
            if opened or option is not options[0]:
                self.writer.add("if p is None:")
                self.writer.depth += 1
                opened += 1
            if isinstance(option, Ref):
                self._guarded_ref("p", option, scope)
            else:
                self.writer.add("p = None")
                self._visit(option, scope)
        self.writer.depth -= opened

    def _guarded_ref(self, out: str, ref: Ref, scope: Scope) -> None:
        writer = self.writer
        writer.add(f"{out} = {scope.get(ref.name)}")
        empty = f"{out} in EMPTY"
        if ref.not_self:
            empty += f" or {out} == i.{self.shape.attributes[self.spec.key[0]]}"
        if ref.typed:
            writer.add(f"g = {self.tables.typed(ref)}.get({scope.get(ref.name + '_Type')})")
            empty += " or g is None"
        with writer.block(f"if {empty}:"):
            writer.add(f"{out} = None")
        with writer.block("else:"):
            writer.add(f"{'g' if ref.typed else self.tables.stream(ref.targets[0])}({out})")


def _wanted(item: FieldSpec, *, required: bool) -> bool:
    return (item.required or not required) and any(True for _ in refs(item.expr))


def _never_empty(expr: Expr) -> bool:
    if isinstance(expr, Const):
        return expr.value is not None
    if isinstance(expr, Cases):
        return not expr.branches[-1][0] and all(_never_empty(branch) for _, branch in expr.branches)
    if not isinstance(expr, Mapped) or not expr.has_default or expr.default is None:
        return False
    return all(value is not None for _, value in expr.table)


def _joined(parts: Iterable[str]) -> str:
    """Elements of a tuple; a comma after the last one, so that one element is a tuple too."""
    return "".join(f"{part}, " for part in parts).rstrip(" ")
