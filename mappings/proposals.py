"""What a value or a row could be written as, and the record in the making that proposals are tried on.

The whole way back (``mappings.backward``), its lines and its tabular parts are made of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.compiled import CompiledMapping
from mappings.finds import Found
from mappings.forward import Forward
from mappings.makers import way_back
from mappings.reverse import assign, has_way_back, hold, holds
from mappings.rows import Row, same
from mappings.runtime import EMPTY
from mappings.spec import Const, FieldSpec, Find, RowSpec


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What could not be told to the source. ``field``: a root field with its value, or a child table with its row.

    ``gone``: the row should not be there any more, and cannot be taken away.
    """

    field: str
    value: Any
    gone: bool = False


@dataclass(slots=True)
class Payload:
    """``fields``: what to write, in the source's own names and JSON forms, a tabular part always whole; for
    ``connectors.base.Change``. Empty: it all stands there already. ``unsaid``: what this mapping has no words for here.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    unsaid: list[Unsaid] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """One record in the making. ``now``: what the source would show. ``said``: what is decided so far."""

    now: dict[str, Any]
    said: dict[str, Any]
    left: dict[str, list[Row]]
    payload: Payload

    def attempt(self, made: Mapping[str, Any], proven: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Take ``made`` over if nothing said before contradicts it and the record it makes is ``proven``."""
        if any(name in self.said and self.said[name] != value for name, value in made.items()):
            return False
        trial = {**self.now, **made}
        if not proven(trial):
            return False
        self.now = trial
        self.said.update(made)
        return True


class Proposals:
    """Source values for single fields and rows of one mapping; none of them is proven yet."""

    def __init__(self, mapping: CompiledMapping, found: Found | None = None) -> None:
        self.mapping = mapping
        self.found = found or Found()
        self.forward = Forward(mapping)

    def begun(self, row: RowSpec, standing: Sequence[Row]) -> Row | None:
        """What a new row begins with; ``None`` if a key that it needs is nowhere to be found.

        A key that is looked up is first that of the rows of this kind which stand there already: people chose it.
        """
        made, kind = {}, hold(row.when)
        for name, value in row.initial:
            if isinstance(value, Find):
                known = (raw.get(name) for raw in standing if holds(row.when, raw))
                key = next((key for key in known if key not in EMPTY), None) or self.found.key(value, kind)
                if key is None:
                    return None
                made[name] = key
            else:
                made[name] = value
        return made

    def assign(self, item: FieldSpec, value: Any, now: Mapping[str, Any]) -> dict[str, Any]:
        """Source values for one field; ``ValueError`` where there are none."""
        if not has_way_back(item.expr):
            raise ValueError(item.field.name)
        return assign(item.expr, item.field, value, now, self.mapping.clock)

    def shows(self, item: FieldSpec, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a record shows this value of a root field."""
        return same(item.field.kind, self.forward.value(item, record), value)

    def proposals(self, row: RowSpec, wanted: Row, now: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Source values of which one may make the wanted row, the likeliest first."""
        condition = hold(row.when)
        if row.maker is not None:
            back = way_back(row.maker)
            texts = back(wanted) if back is not None else ()
            named = [dict(zip(row.maker.sources, text, strict=False)) for text in texts]
            return [{**condition, **{n: v for n, v in made.items() if n}} for made in named if any(made.values())]
        made = dict(condition)
        for item in row.fields:
            value = wanted.get(item.field.name)
            if isinstance(item.expr, Const):
                if value is not None and value != item.expr.value:
                    return []
                continue
            if value is None and item.field.name not in wanted:
                continue
            try:
                made |= self.assign(item, value, {**now, **made})
            except ValueError:
                return []
        return [made] if made else []
