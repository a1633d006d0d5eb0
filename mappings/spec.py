"""What a mapping file says, validated: plain immutable data, from which code, docs and the way back are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.model.entities import Child, Entity
from hub.model.fields import Field
from mappings.problems import Place

#: How a source value stands in JSON: ``guid`` and ``date`` are texts with a shape; a ``table`` is a list of objects.
WIRES = ("text", "number", "bool", "int", "guid", "date")
#: Value of a constant or of a condition.
Plain = str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class Const:
    """The same value for every record, in travelling form."""

    value: str | int | None


@dataclass(frozen=True, slots=True)
class Read:
    """One source value through a transform (a name of ``mappings.transforms``)."""

    name: str
    transform: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """One source value looked up in a table; ``code`` is the reject code for a value that is not in it."""

    name: str
    table: tuple[tuple[Plain, str | int | None], ...]
    has_default: bool = False
    default: str | int | None = None
    code: str = "bad_enum"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference. Typed ones (1C's composite attributes) carry their target's type in ``<name>_Type``.

    ``word``: the plain key of the target, no GUID: a key in a database, or the word of an enumeration, which is the key
    of a record that a mapping file tells itself.
    """

    name: str
    targets: tuple[str, ...]
    typed: bool
    not_self: bool = False
    code: str = "bad_reference"
    word: bool = False

    @property
    def wire(self) -> str:
        """What the source value must be."""
        return "text" if self.typed or self.word else "guid"


@dataclass(frozen=True, slots=True)
class First:
    """The first of several that is not empty."""

    options: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of numbers, each with its sign; empty only if all are."""

    parts: tuple[tuple[int, Read], ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """Texts joined by a separator, empty ones left out."""

    parts: tuple[Read, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a condition. ``values`` empty: the source value is filled (a flag: set)."""

    name: str
    wire: str
    values: tuple[Plain, ...] = ()
    negate: bool = False


Condition = tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """The value of the first branch whose condition holds; an empty condition always holds."""

    branches: tuple[tuple[Condition, Expr], ...]


@dataclass(frozen=True, slots=True)
class OfRow:
    """A value of one row of a tabular part: of the first (or last) row that passes and has one."""

    table: str
    last: bool
    when: Condition
    value: Expr


Expr = Const | Read | Mapped | Ref | First | Sum | Concat | Cases | OfRow


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One canonical field (or ``ext`` field) and where its value comes from. ``optional``: may be missing in a base."""

    field: Field
    expr: Expr
    required: bool
    optional: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Maker:
    """A function that makes whole child rows from source values; ``options`` are its constants.

    An empty source name is one that the base does not publish: the function gets ``None`` there.
    """

    name: str
    sources: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """One test of a record that is looked up: its field is one of ``values``, those first that are named first; or the
    record of the same catalogue that the field refers to passes one of the alternatives ``of``.
    """

    name: str
    values: tuple[Plain, ...] = ()
    of: tuple[tuple[Match, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Find:
    """The key of a record of the base: the first of the alternatives ``by`` that finds one.

    ``same``: fields in which that record and the one that is written agree. ``single``: several that fit are none.
    """

    stream: str
    by: tuple[tuple[Match, ...], ...]
    same: tuple[str, ...] = ()
    single: bool = False


#: What a new record or row gets besides what is told: names with constants or look-ups.
Initial = tuple[tuple[str, Plain | Find], ...]


@dataclass(frozen=True, slots=True)
class Supply:
    """A reference field that a new record takes from the record which another field of it refers to, ``of``.

    ``take``: the reference field of that record. ``only``: the entity of which exactly one living record names that one
    in its own field ``of`` and passes ``where``; then that one.
    """

    field: str
    of: str
    take: str = ""
    only: str = ""
    where: tuple[tuple[str, Plain], ...] = ()


@dataclass(frozen=True, slots=True)
class Follows:
    """A number of a line that follows from others of it whenever the line is written, if the record passes ``when``.

    ``times``: the field of the line that names the unit; the sum is in such units, the number in what they are made of.
    """

    name: str
    parts: tuple[tuple[int, str], ...]
    when: Condition
    times: str = ""


@dataclass(frozen=True, slots=True)
class RowSpec:
    """A template of child rows: one row of literals, or one per row of a tabular part (``table``) that passes.

    ``initial``: what a row of the source gets besides when the way back adds one. ``follows``: of lines only.
    """

    table: str
    when: Condition
    fields: tuple[FieldSpec, ...]
    maker: Maker | None
    number: str
    optional: bool
    place: Place
    initial: Initial = ()
    follows: tuple[Follows, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """The rows of one child table."""

    child: Child
    rows: tuple[RowSpec, ...]


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """One mapping file, overlay included.

    ``guessed``: source names that nobody has seen yet (``*``: all of them; ``Part.*``: all of a tabular part).
    ``left_out``: names that this base does not publish and that the mapping can do without. ``changed``: the stream's
    own "changed at". ``period``: the last days that a virtual table is computed for, ``None`` for all. ``part``:
    tells mappings of one stream and table apart. ``initial``: what a record that is created gets besides; ``supplies``:
    references that it takes from the record it is for. ``given``:
    the records themselves, as JSON objects, where the file tells them and no base is asked. ``unseen``: streams that
    keys are to be found in and that this base does not publish, or not with what they are known by.
    """

    name: str
    profile: str
    entity: Entity
    stream: str
    table: str
    key: tuple[str, ...]
    place: Place
    version: str | None = None
    deleted: str | None = None
    date: str | None = None
    total: str | None = None
    absent: str | None = None
    changed: str | None = None
    part: str = ""
    period: int | None = None
    initial: Initial = ()
    supplies: tuple[Supply, ...] = ()
    given: tuple[bytes, ...] = ()
    skip: tuple[tuple[str, Condition], ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    ext: tuple[FieldSpec, ...] = ()
    children: tuple[ChildSpec, ...] = ()
    guessed: frozenset[str] = field(default_factory=frozenset)
    left_out: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    def is_guess(self, name: str) -> bool:
        """Whether a source name (``Field`` or ``Part.Field``) is a guess."""
        part = name.partition(".")[0]
        return not self.guessed.isdisjoint({"*", name, f"{part}.*"})
