"""What the engine works on: cells of a record, who said what and when, and the golden cells made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hub.model.entities import Child
from hub.model.fields import Field

#: A value in travelling form; a row or the lines of a document are tuples.
Value: TypeAlias = "str | int | tuple[Value, ...] | None"
Cells: TypeAlias = Mapping[str, Value]
#: Are two values of a path the same thing? The caller looks references up: two links may name one record.
Same: TypeAlias = Callable[[str, Value, Value], bool]
#: Rows of a child table with the table and its columns, as ``CompiledMapping`` names them.
Rows: TypeAlias = tuple[Child, Sequence[str], Sequence[tuple[Value, ...]]]

STATE = "record_state"
LIVING = "active"
#: The contributor for what rules and persons of the hub itself say; it has no link.
HUB = "hub"


def equal(_path: str, one: Value, other: Value) -> bool:
    """Two values are the same when they are equal in travelling form."""
    return one == other


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was said: after second ``first`` (rounded down; 0: nobody knows), by ``last`` (rounded up)."""

    first: int
    last: int

    def after(self, other: Moment) -> bool:
        """Certainly later: the two intervals do not overlap, or the other was there when its system was first seen.

        Systems are read one after another: what the first of them changed since its first reading would else never be
        later than what a system showed that was first read some minutes after it.
        """
        apart = self.first >= other.last or other.first == 0 < self.first
        return apart and other.last < self.last


def changed_at(read_before: int, read_now: int, told: int | None = None, skew: int = 0) -> Moment:
    """When a change was made that is seen at ``read_now`` and was not there at ``read_before`` (0: never read).

    ``told``: what the system itself says, believed to ``skew`` seconds and never beyond the two reads: a clock that is
    further off tells nothing.
    """
    seen = Moment(min(read_before, read_now), read_now)
    if told is None:
        return seen
    moment = Moment(max(seen.first, told - skew - 1), min(seen.last, told + skew))
    return moment if moment.first < moment.last else seen


@dataclass(frozen=True, slots=True)
class Own:
    """What a system last said of one cell of its own accord.

    ``value``: the last one that was not empty, ``None`` if there was none. ``when`` it was said. ``since``: when the
    system first filled the cell. ``cleared``: when it was emptied again; the value is kept beside the mark.
    """

    value: Value
    when: Moment
    since: Moment
    cleared: Moment | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one link's system says, shows and was sent. A path in ``sent`` shows what we wrote, any other its own word.

    ``primary``: of several links of one system the one that is written to. ``origin``: the record was made there.
    """

    link_id: int
    system: str
    own: Mapping[str, Own] = field(default_factory=dict)
    shown: Cells = field(default_factory=dict)
    sent: Cells = field(default_factory=dict)
    primary: bool = True
    origin: bool = False

    def stands_for(self, path: str) -> Value:
        """The golden value that the cell now stands for; what has no state lives."""
        return self.sent[path] if path in self.sent else self.shown.get(path, LIVING if path == STATE else None)

    @property
    def voiced(self) -> set[str]:
        """Cells that it speaks for by showing them, as a rule; of living nobody needs to speak."""
        filled = {path for path, value in self.shown.items() if value is not None and (path, value) != (STATE, LIVING)}
        return filled - self.sent.keys()

    @property
    def plain(self) -> bool:
        """It says all that it shows, and nothing else: as the only contribution of a record it needs no row."""
        cleared = any(own.cleared for own in self.own.values())
        return not self.sent and self.voiced == self.own.keys() and not cleared

    @property
    def living(self) -> bool:
        """The system has not, of its own accord, marked the record or lost it."""
        own = self.own.get(STATE)
        return own is None or own.value in (None, LIVING)


@dataclass(frozen=True, slots=True)
class Pin:
    """A value that a person set. ``ends``: only until a system says something else (an undo made it)."""

    value: Value
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """The last agreed value of a cell that waits for a person; ``links`` are the ones whose own word is in question."""

    value: Value
    links: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Lost:
    """A statement that is not the golden value; ``value`` ``None`` where it was a clearing."""

    link_id: int
    system: str
    value: Value
    when: Moment


@dataclass(frozen=True, slots=True)
class Golden:
    """The value readers see, and why.

    ``rule``: a policy's word, ``pin``, ``held``, ``kept`` (a clearing not followed), ``nobody``. ``system``,
    ``link_id``, ``when``: whose word it is. ``cleared``: empty because someone said so. ``guards``: links that it is
    not sent to: they cleared it, or their own word waits for a person.
    """

    value: Value
    rule: str
    link_id: int | None = None
    system: str = ""
    when: Moment | None = None
    lost: tuple[Lost, ...] = ()
    cleared: bool = False
    guards: frozenset[int] = frozenset()


#: A cell that nobody says anything of.
NOBODY = Golden(None, "nobody")


def blank(value: Value) -> Value:
    """``None`` for what is empty (no text, no lines), else the value; zero is a value."""
    return None if value in ("", ()) else value


def head(path: str) -> str:
    """The name of the child table that a path lies in, or the field itself."""
    return path.partition("[")[0].partition(".")[0]


def names_of(path: str) -> tuple[str, str, str]:
    """What settings may call a path, the most particular first: itself, ``child[first part of the key]``, its head."""
    return path, f"{path.partition(',')[0].removesuffix(']')}]", head(path)


def is_member(path: str) -> bool:
    """Whether a path is a row of a set."""
    return "[" in path


def _part(part: object) -> str:
    """One part of a key, so written that two keys never give one path."""
    if part is None:
        return ""
    return str(part).replace("\\", "\\\\").replace(",", "\\,") or "\\"


def member(child: Child, key: Sequence[object]) -> str:
    """Path of the row of ``child`` with that key (or line number); the child's own name without one."""
    return f"{child.name}[{','.join(map(_part, key))}]" if key else child.name


def key_positions(child: Child, columns: Sequence[str]) -> list[int]:
    """Where the values of a set's key stand in its rows."""
    return [columns.index(next(item.column for item in child.fields if item.name == name)) for name in child.key]


def lay(fields: Sequence[Field], root: Sequence[Value], children: Sequence[Rows] = ()) -> dict[str, Value]:
    """Cells of a record from its rows; the children that are given are told whole."""
    cells = {item.name: blank(value) for item, value in zip(fields, root, strict=True)}
    for child, columns, rows in children:
        if child.lines:
            cells[child.name] = blank(tuple(tuple(row) for row in rows))
        elif child.key:
            at = key_positions(child, columns)
            cells.update((member(child, [row[i] for i in at]), tuple(row)) for row in rows)
        else:
            row = rows[0] if rows else (None,) * len(columns)
            cells.update((f"{child.name}.{name}", blank(value)) for name, value in zip(columns, row, strict=True))
    return cells


def lift(child: Child, columns: Sequence[str], cells: Cells) -> list[tuple[Value, ...]]:
    """Rows of ``child`` from the cells of a record; those of a set in the order of their paths."""
    if child.lines:
        lines = cells.get(child.name)
        return [row for row in lines if isinstance(row, tuple)] if isinstance(lines, tuple) else []
    if child.key:
        found = (cells[path] for path in sorted(cells) if path.startswith(child.name + "["))
        return [row for row in found if isinstance(row, tuple)]
    single = tuple(cells.get(f"{child.name}.{name}") for name in columns)
    return [single] if any(value is not None for value in single) else []
