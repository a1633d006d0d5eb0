"""Turns a parsed ``$filter`` into a function of a record, refusing what 1C refuses and failing where 1C fails.

What it reproduces on purpose: guids cannot be ordered (500); a composite reference equals a bare guid never; texts of
unlimited length cannot be compared; comparing strings ignores case; fields of tabular parts live inside any/all only.
"""

from __future__ import annotations

import calendar
import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from stand.onec.errors import INTERNAL, ODataError, bad_option, incomparable, segment_not_found, set_not_found
from stand.onec.model import EMPTY_DATE, EMPTY_REF, NAMESPACE, UNDEFINED, Kind, Prop, Shape
from stand.onec.syntax import COMPARISONS, Call, Lambda, Literal, Node, Path
from stand.onec.veil import hidden
from stand.onec.world import Record, World, collate, rows_of

#: Value of an expression for (record, current row of a lambda).
Getter = Callable[[Record, Record], Any]
_KINDS = {
    Kind.GUID: "guid", Kind.REF: "guid", Kind.COMPOSITE: "ref", Kind.TYPE: "type", Kind.BOOL: "bool",
    Kind.DOUBLE: "number", Kind.INT16: "number", Kind.INT64: "number", Kind.DATE: "date", Kind.ENUM: "text",
    Kind.STRING: "text", Kind.FIXED: "text", Kind.TEXT: "long",
}  # fmt: skip
#: Types of composite values that are no references, with the kind of what a cast to them gives.
_PRIMITIVE = {"Edm.String": ("text", ""), "Edm.DateTime": ("date", EMPTY_DATE)}
_ORDER = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
_SUM: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: a / b if b else 0,
}


class Expr(NamedTuple):
    """A compiled expression.

    ``kind``: guid, ref, type, bool, number, date, text or long. ``target``: where a guid leads.
    """

    get: Getter
    kind: str
    target: str = ""
    literal: bool = False


class Compiler:
    """Compiles for one set; ``shape`` is its record, ``rows`` the shape of a lambda's row while inside one."""

    def __init__(self, world: World, name: str, shape: Shape, tables: dict[str, Shape]) -> None:
        self.world = world
        self.name = name
        self.shape = shape
        self.tables = tables
        self.variable = ""
        self.row_shape: Shape | None = None

    def predicate(self, node: Node) -> Callable[[Record], bool]:
        """The whole option as a test of a record."""
        test = self._bool(node)
        return lambda record: bool(test(record, record))

    def _bool(self, node: Node) -> Getter:
        expr = self.compile(node)
        if expr.kind != "bool":
            raise incomparable()
        return expr.get

    def compile(self, node: Node) -> Expr:
        """Any expression."""
        if isinstance(node, Literal):
            value = node.value
            return Expr(lambda _record, _row: value, node.kind, literal=True)
        if isinstance(node, Path):
            return self._path(node.names)
        if isinstance(node, Lambda):
            return self._lambda(node)
        if node.name in ("and", "or", "not"):
            return self._logic(node)
        if node.name in COMPARISONS:
            return self._compare(node.name, self.compile(node.args[0]), self.compile(node.args[1]))
        if node.name in _SUM:
            return self._arithmetic(node)
        return self._function(node)

    def _logic(self, node: Call) -> Expr:
        tests = [self._bool(arg) for arg in node.args]
        first, last = tests[0], tests[-1]
        if node.name == "not":
            return Expr(lambda record, row: not first(record, row), "bool")
        if node.name == "and":
            return Expr(lambda record, row: first(record, row) and last(record, row), "bool")
        return Expr(lambda record, row: first(record, row) or last(record, row), "bool")

    def _path(self, names: tuple[str, ...]) -> Expr:
        if self.row_shape is not None and names[0] == self.variable:
            if len(names) == 1:
                raise segment_not_found(names[0])
            inner = self._field(self.row_shape, names[1:], self.name)
            return inner._replace(get=lambda _record, row: inner.get(row, row))
        return self._field(self.shape, names, self.name)

    def _field(self, shape: Shape, names: tuple[str, ...], owner: str) -> Expr:
        name, *rest = names
        if name in self.tables and shape is self.shape:
            raise ODataError(500, -1, INTERNAL)
        if not rest:
            prop = shape.by_name.get(name)
            if prop is None or prop.kind is Kind.ROWS:
                raise segment_not_found(name)
            return _value(prop, owner)
        prop = shape.by_name.get(f"{name}_Key") or shape.by_name.get(name)
        if prop is None:
            raise segment_not_found(name)
        return self._navigate(prop, tuple(rest))

    def _navigate(self, prop: Prop, rest: tuple[str, ...]) -> Expr:
        """Follow a reference; a composite one needs the type as its next segment."""
        world, field = self.world, prop.name
        if prop.kind is Kind.REF:
            target = prop.targets[0]
        elif prop.kind is Kind.COMPOSITE and len(rest) > 1 and rest[0] in prop.targets:
            target, rest = rest[0], rest[1:]
        else:
            raise segment_not_found(rest[0])
        wanted = NAMESPACE + target if prop.kind is Kind.COMPOSITE else ""
        if target not in world.model.sets or hidden(world, target):
            raise segment_not_found(rest[0])
        inner = self._field(world.model.sets[target].shape, rest, target)

        def get(record: Record, row: Record) -> Any:
            if wanted and record.get(f"{field}_Type") != wanted:
                return inner.get({}, row)
            return inner.get(world.get(target, record.get(field, EMPTY_REF)) or {}, row)

        return inner._replace(get=get)

    def _lambda(self, node: Lambda) -> Expr:
        table = self.tables.get(node.path[0])
        if table is None or len(node.path) != 1:
            raise segment_not_found("/".join(node.path))
        name = node.path[0]
        if node.body is None:
            return Expr(lambda record, _row: bool(rows_of(record.get(name))), "bool")
        outer = self.variable, self.row_shape
        self.variable, self.row_shape = node.variable, table
        try:
            test = self._bool(node.body)
        finally:
            self.variable, self.row_shape = outer
        check = any if node.name == "any" else all
        return Expr(lambda record, _row: check(test(record, item) for item in rows_of(record.get(name))), "bool")

    def _compare(self, op: str, left: Expr, right: Expr) -> Expr:
        if left.literal and not right.literal:
            flip = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}
            return self._compare(flip.get(op, op), right, left)
        a, b, kinds = left.get, right.get, (left.kind, right.kind)
        if "long" in kinds:
            raise incomparable()
        if "guid" in kinds or "ref" in kinds or "type" in kinds:
            return self._compare_references(op, left, right)
        if left.kind != right.kind:
            raise incomparable()
        if left.kind == "text":
            a, b = _folded(a), _folded(b)
        if op == "eq":
            return Expr(lambda record, row: a(record, row) == b(record, row), "bool")
        if op == "ne":
            return Expr(lambda record, row: a(record, row) != b(record, row), "bool")
        if left.kind == "bool":
            raise incomparable()
        test = _ORDER[op]
        return Expr(lambda record, row: test(a(record, row), b(record, row)), "bool")

    def _compare_references(self, op: str, left: Expr, right: Expr) -> Expr:
        a, b, kinds = left.get, right.get, (left.kind, right.kind)
        if op in _ORDER:
            if kinds == ("guid", "text") and right.literal:
                return self._compare_presentations(op, left, right)
            raise incomparable()
        equal: Getter
        if kinds == ("guid", "guid") or kinds in (("ref", "ref"), ("type", "text"), ("type", "type")):
            equal = lambda record, row: a(record, row) == b(record, row)  # noqa: E731
        elif kinds == ("guid", "ref"):
            whole = NAMESPACE + left.target
            equal = lambda record, row: (a(record, row), whole) == b(record, row)  # noqa: E731
        elif kinds == ("ref", "text"):
            equal = lambda record, row: a(record, row) == (b(record, row), "Edm.String")  # noqa: E731
        elif kinds in (("ref", "guid"), ("guid", "text")):
            equal = _never
        else:
            raise incomparable()
        return Expr(equal if op == "eq" else lambda record, row: not equal(record, row), "bool")

    def _compare_presentations(self, op: str, left: Expr, right: Expr) -> Expr:
        """``Ref_Key gt '…'`` is accepted and compares presentations: the trap for paging by key."""
        world, target, test = self.world, left.target, _ORDER[op]
        a, b = left.get, right.get

        def get(record: Record, row: Record) -> bool:
            shown = world.presentation_of(target, a(record, row)) if target in world.tables else (a(record, row),)
            return bool(test(shown[0], collate(str(b(record, row)))))

        return Expr(get, "bool")

    def _arithmetic(self, node: Call) -> Expr:
        left, right = (self.compile(arg) for arg in node.args)
        if (left.kind, right.kind) != ("number", "number"):
            raise incomparable()
        a, b, do = left.get, right.get, _SUM[node.name]
        return Expr(lambda record, row: do(a(record, row), b(record, row)), "number")

    def _function(self, node: Call) -> Expr:
        if node.name in ("cast", "isof"):
            return self._type_function(node)
        args = [self.compile(arg) for arg in node.args]
        do, kind, wanted = _FUNCTIONS[node.name]
        for arg, need in zip(args, wanted, strict=False):
            if need != ("text" if arg.kind == "long" else arg.kind):
                raise incomparable()
        gets = [arg.get for arg in args]
        return Expr(lambda record, row: do(*(get(record, row) for get in gets)), kind)

    def _type_function(self, node: Call) -> Expr:
        subject, wanted = self.compile(node.args[0]), node.args[1]
        if not isinstance(wanted, Literal) or wanted.kind != "text":
            raise bad_option("$filter", node.name)
        full = wanted.value if "." in wanted.value else NAMESPACE + wanted.value
        target = full.removeprefix(NAMESPACE)
        if target not in {*self.world.model.sets, "Undefined", *_PRIMITIVE} and not full.startswith("Unavailable"):
            raise set_not_found(wanted.value)
        get = subject.get
        if node.name == "isof":
            if subject.kind != "ref":
                raise incomparable()
            return Expr(lambda record, row: get(record, row)[1] == full, "bool")
        if subject.kind != "ref":
            return Expr(lambda record, row: (get(record, row), full), "ref", literal=subject.literal)
        if full in _PRIMITIVE:
            kind, empty = _PRIMITIVE[full]
            return Expr(lambda record, row: _of_type(get(record, row), full, empty), kind)
        return Expr(lambda record, row: _of_type(get(record, row), full, EMPTY_REF), "guid", target)


def _value(prop: Prop, owner: str) -> Expr:
    name, empty, kind = prop.name, prop.empty, _KINDS[prop.kind]
    if prop.kind is Kind.COMPOSITE:
        twin = f"{name}_Type"
        return Expr(lambda record, _row: (record.get(name, ""), record.get(twin) or UNDEFINED), kind)
    if prop.kind is Kind.INT64:
        return Expr(lambda record, _row: int(record.get(name, "0")), kind)
    if prop.kind is Kind.FIXED:
        return Expr(lambda record, _row: record.get(name, empty).rstrip(), kind)
    target = owner if name == "Ref_Key" else prop.targets[0] if prop.targets else ""
    return Expr(lambda record, _row: record.get(name, empty), kind, target)


def _of_type(value: tuple[str, str], full: str, empty: str) -> str:
    """A composite value seen as of one type: empty when it is of another."""
    return value[0] if value[1] == full else empty


def _never(_record: Record, _row: Record) -> bool:
    return False


def _folded(get: Getter) -> Getter:
    return lambda record, row: get(record, row).lower().rstrip()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _like(text: str, pattern: str) -> bool:
    """1C's ПОДОБНО: ``%`` any run, ``_`` any character."""
    wanted = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(wanted, text, re.IGNORECASE | re.DOTALL) is not None


_MONTHS = {"month": 1, "quarter": 3, "halfyear": 6, "year": 12}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "tendays": 864000}


def _add_date(text: str, part: str, number: float) -> str:
    """1C's ДОБАВИТЬКДАТЕ; code 14 for a part of time it does not know."""
    when = _moment(text)
    if part in _MONTHS:
        months = when.year * 12 + when.month - 1 + int(number) * _MONTHS[part]
        year, month = months // 12, months % 12 + 1
        return when.replace(year=year, month=month, day=min(when.day, calendar.monthrange(year, month)[1])).isoformat()
    if part not in _SECONDS:
        raise bad_option("$filter", part)
    return (when + timedelta(seconds=int(number) * _SECONDS[part])).isoformat()


def _date_difference(first: str, last: str, part: str) -> int:
    """1C's РАЗНОСТЬДАТ: how many borders of that part of time lie between (12th noon to 14th nine: 2 days)."""
    start, end = _moment(first), _moment(last)
    if part in ("month", "quarter", "year"):
        return (end.year * 12 + end.month - 1) // _MONTHS[part] - (start.year * 12 + start.month - 1) // _MONTHS[part]
    if part not in ("second", "minute", "hour", "day"):
        raise bad_option("$filter", part)
    zero, size = datetime(1, 1, 1), _SECONDS[part]
    return int((end - zero).total_seconds() // size - (start - zero).total_seconds() // size)


_TWO_TEXTS, _DATE_ONLY = ("text", "text"), ("date",)
#: Function → what computes it, the kind of its value, the kinds of its arguments.
_FUNCTIONS: dict[str, tuple[Callable[..., Any], str, tuple[str, ...]]] = {
    "substringof": (lambda part, text: part.lower() in text.lower(), "bool", _TWO_TEXTS),
    "startswith": (lambda text, part: text.lower().startswith(part.lower()), "bool", _TWO_TEXTS),
    "endswith": (lambda text, part: text.lower().rstrip().endswith(part.lower()), "bool", _TWO_TEXTS),
    "like": (_like, "bool", _TWO_TEXTS),
    "concat": (lambda a, b: a + b, "text", _TWO_TEXTS),
    "substring": (lambda text, start, count=None: text[start - 1 :][:count], "text", ("text", "number", "number")),
    "year": (lambda d: _moment(d).year, "number", _DATE_ONLY),
    "quarter": (lambda d: (_moment(d).month + 2) // 3, "number", _DATE_ONLY),
    "month": (lambda d: _moment(d).month, "number", _DATE_ONLY),
    "day": (lambda d: _moment(d).day, "number", _DATE_ONLY),
    "hour": (lambda d: _moment(d).hour, "number", _DATE_ONLY),
    "minute": (lambda d: _moment(d).minute, "number", _DATE_ONLY),
    "second": (lambda d: _moment(d).second, "number", _DATE_ONLY),
    "dayofweek": (lambda d: _moment(d).isoweekday(), "number", _DATE_ONLY),
    "dayofyear": (lambda d: _moment(d).timetuple().tm_yday, "number", _DATE_ONLY),
    "round": (lambda number, places=0: round(number, places), "number", ("number", "number")),
    "dateadd": (_add_date, "date", ("date", "text", "number")),
    "datedifference": (_date_difference, "number", ("date", "date", "text")),
}
