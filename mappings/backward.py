"""A whole record on its way back: canonical values, and what the source shows now, to the fields to be written.

Every proposal (``mappings.reverse``) is proven by running the mapping forwards on what the record would become: what
does not come out as it was meant is not sent but told as unsaid, so map → back → map is the identity on all the rest.
What stands there already is left as it stands, however it is written: an exchange never reformats another system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.compiled import CompiledMapping
from mappings.finds import Found
from mappings.lines import write_lines
from mappings.makers import way_back
from mappings.proposals import Payload, Proposals, Unsaid, Work
from mappings.reverse import break_off
from mappings.rows import Row, covered, row_key, same, take
from mappings.spec import ChildSpec, FieldSpec, Find, RowSpec
from mappings.tables import write_table

__all__ = ["Backward", "Payload", "Unsaid"]


class Backward(Proposals):
    """The way back of one mapping; compiles what it needs once, holds nothing of a record."""

    def __init__(self, mapping: CompiledMapping, found: Found | None = None) -> None:
        """``found``: the records of the base in which the mapping's look-ups are answered."""
        super().__init__(mapping, found)
        self._fields = {item.field.name: item for item in mapping.spec.fields}
        self._children = {child.child.name: child for child in mapping.spec.children}

    def payload(
        self,
        root: Mapping[str, Any],
        children: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        current: Mapping[str, Any] | None = None,
    ) -> Payload:
        """What to write so that the source shows these values.

        ``root``: values by field name in travelling form, references as ``RefTarget``. ``children``: per child table
        that is to be told, all of its rows by field name (lines with ``line_no``; of a line only the columns that are
        told). ``current``: the raw record as it stands, ``None`` for one to be created. ``KeyError`` for a field or
        child that the mapping does not fill or that has no way back at all.
        """
        initial = self._initial() if current is None else {}
        wanted = {name: [dict(row) for row in rows] for name, rows in (children or {}).items()}
        work = Work({**initial, **(current or {})}, {}, wanted, Payload())
        if strange := [name for name in root if name not in self.mapping.writable]:
            raise KeyError(strange[0])
        self._roots(work, [(self._fields[name], value) for name, value in root.items()])
        specs = [self._children[name] for name in wanted]
        for spec in specs:
            if spec.child.lines:
                write_lines(self, work, spec)
            else:
                self._literals(work, spec)
        self._tables(work, [spec for spec in specs if not spec.child.lines])
        work.payload.unsaid += [Unsaid(name, row) for name, rows in work.left.items() for row in rows]
        work.payload.fields = _changed({**initial, **work.said}, current)
        return work.payload

    def _initial(self) -> dict[str, Any]:
        """What a new record begins with; a key that is not found is left to the system."""
        pairs = [
            (name, self.found.key(value, {}) if isinstance(value, Find) else value)
            for name, value in self.mapping.spec.initial
        ]
        lost = {f"{name}_Type" for name, value in pairs if value is None}  # half a composite reference is none
        return {name: value for name, value in pairs if value is not None and name not in lost}

    def _roots(self, work: Work, told: Sequence[tuple[FieldSpec, Any]]) -> None:
        """Values come before what is emptied: of several fields of one attribute only one can have a value, and saying
        it empties the others. What stands or is said stays so, whatever is told after it.
        """
        settled: list[tuple[FieldSpec, Any]] = []
        for item, value in sorted(told, key=lambda pair: pair[1] is None):
            settled.append((item, value))
            if not self._root(work, item, value, settled):
                work.payload.unsaid.append(Unsaid(item.field.name, value))
                settled.pop()

    def _root(self, work: Work, item: FieldSpec, value: Any, settled: Sequence[tuple[FieldSpec, Any]]) -> bool:
        if self.shows(item, value, work.now):
            return True
        try:
            made = self.assign(item, value, work.now)
        except ValueError:
            return False
        return work.attempt(made, lambda trial: all(self.shows(field, wanted, trial) for field, wanted in settled))

    # --- rows of sets -------------------------------------------------------------------------------------------

    def _literals(self, work: Work, spec: ChildSpec) -> None:
        """Templates that make a row out of the record's own fields: identifiers, roles, relations."""
        rows = [row for row in spec.rows if not row.table]
        left = work.left[spec.child.name]
        open_rows = [row for row in rows if not self._stands(work, spec, row, left)]
        for row in open_rows:
            for candidate in left:
                if any(self._say(work, spec, row, made, left) for made in self.proposals(row, candidate, work.now)):
                    break
            else:
                self._unsay(work, spec, row)

    def _stands(self, work: Work, spec: ChildSpec, row: RowSpec, left: list[Row]) -> bool:
        """Whether a template makes nothing but what is wanted; that is wanted no more then."""
        made = self.forward.rows(spec.child, row, work.now)
        if not made or not covered(spec, made, left):
            return False
        wanted = next(each for each in left if row_key(spec, each) == row_key(spec, made[0]))
        take(spec, made, left)
        if row.maker is None or not spec.child.key:
            self._complete(work, spec, row, wanted)
        return True

    def _complete(self, work: Work, spec: ChildSpec, row: RowSpec, wanted: Row) -> None:
        """Tell what such a row says beside its key (the position in a relation)."""
        kinds = {item.name: item.kind for item in spec.child.fields}

        def proven(record: Mapping[str, Any]) -> bool:
            made = self.forward.rows(spec.child, row, record)
            return bool(made) and all(
                same(kinds[name], made[0][name], wanted.get(name, made[0][name])) for name in made[0]
            )

        if proven(work.now):
            return
        if not any(work.attempt(made, proven) for made in self.proposals(row, wanted, work.now)):
            work.payload.unsaid.append(Unsaid(spec.child.name, wanted))

    def _say(self, work: Work, spec: ChildSpec, row: RowSpec, made: Mapping[str, Any], left: list[Row]) -> bool:
        def proven(trial: Mapping[str, Any]) -> bool:
            rows = self.forward.rows(spec.child, row, trial)
            return bool(rows) and covered(spec, rows, left)

        return work.attempt(made, proven) and take(spec, self.forward.rows(spec.child, row, work.now), left)

    def _unsay(self, work: Work, spec: ChildSpec, row: RowSpec) -> None:
        """Nobody wants what this template makes: take it away, or tell that it cannot be."""
        made = self.forward.rows(spec.child, row, work.now)
        if not made:
            return
        if row.maker is not None:
            empty = dict.fromkeys(filter(None, row.maker.sources), "") if way_back(row.maker) else {}
        else:
            try:
                empty = break_off(row.when, work.now)
            except ValueError:
                empty = {}
        if not empty or not work.attempt(empty, lambda trial: not self.forward.rows(spec.child, row, trial)):
            work.payload.unsaid += [Unsaid(spec.child.name, shown, gone=True) for shown in made]

    def _tables(self, work: Work, specs: Sequence[ChildSpec]) -> None:
        """Templates that make rows out of a tabular part; one part may feed several children, so it is done once."""
        told = {row.table for spec in specs for row in spec.rows if row.table}
        for table in dict.fromkeys(row.table for spec in specs for row in spec.rows if row.table in told):
            feeds = [
                (child, row)
                for child in self._children.values()
                for row in child.rows
                if row.table == table and not child.child.lines
            ]
            write_table(self, work, table, feeds)


def _changed(said: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """What differs from what stands there; the two halves of a composite reference only together."""
    if current is None:
        return dict(said)
    differ = {name for name, value in said.items() if name not in current or current[name] != value}
    pairs = {name.removesuffix("_Type") for name in differ} | {f"{name}_Type" for name in differ}
    return {name: value for name, value in said.items() if name in differ or name in pairs & said.keys()}
