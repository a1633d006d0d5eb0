"""What an entity is: fields, and the child tables that go with a record."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model.fields import Field


@dataclass(frozen=True, slots=True)
class Child:
    """A child table: the lines of a document, or a set of values of a card.

    A *lines* child is ordered and keyed by ``line_no``; a *set* child is keyed by the values named in ``key`` and its
    rows are numbered by ``seq`` only to have a primary key. Both are replaced as a whole when their record changes.
    """

    name: str
    ru: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    lines: bool = False

    @property
    def number_column(self) -> str:
        """Column that numbers the rows within their parent."""
        return "line_no" if self.lines else "seq"


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of canonical object.

    ``group``: the asset group it is shown in. ``dated_by``: for documents, the timestamp field that daily partitions
    and windows go by. ``total``: the money field that sums by day are compared on.
    """

    name: str
    ru: str
    en: str
    group: str
    fields: tuple[Field, ...]
    children: tuple[Child, ...] = ()
    dated_by: str = ""
    total: str = ""

    def field(self, name: str) -> Field:
        """The root field of that name; ``KeyError`` names the valid ones."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no field {name!r}; it has {', '.join(f.name for f in self.fields)}")

    def child(self, name: str) -> Child:
        """The child table of that name; ``KeyError`` names the valid ones."""
        for item in self.children:
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no child {name!r}; it has {', '.join(c.name for c in self.children)}")
