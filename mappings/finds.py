"""Keys that are found in the base itself: kinds of contact information, our company, the currency of the country.

A mapping names what is to be found (``spec.Find``); whoever writes reads the small catalogues once and hands over
``Found``. Nothing here reads anything.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mappings.reverse import hold
from mappings.runtime import EMPTY
from mappings.spec import Find, MappingSpec, Match

#: What a record of a catalogue of 1C is known by, and the flags of those that nothing new refers to.
KEY, PASSED_OVER = "Ref_Key", ("DeletionMark", "IsFolder")


def finds(spec: MappingSpec) -> Iterator[tuple[str, Find, dict[str, Any]]]:
    """Every look-up of a mapping: the name (``Field`` or ``Part.Field``) that gets what it finds, the look-up, and what
    a new row of its template says of itself.
    """
    for name, value in spec.initial:
        if isinstance(value, Find):
            yield name, value, {}
    for row in (row for child in spec.children for row in child.rows):
        for name, value in row.initial:
            if isinstance(value, Find):
                yield f"{row.table}.{name}", value, hold(row.when)


def names_of(match: Iterable[Match]) -> Iterator[str]:
    """The fields that tests look at, those of the records they refer to included."""
    for one in match:
        yield one.name
        for other in one.of:
            yield from names_of(other)


def answerable(by: Iterable[tuple[Match, ...]], known: Container[str]) -> tuple[tuple[Match, ...], ...]:
    """The alternatives that look at known fields only."""
    found = []
    for one in by:
        pruned = tuple(replace(match, of=answerable(match.of, known)) for match in one)
        if all(new.name in known and bool(new.of) == bool(old.of) for new, old in zip(pruned, one, strict=True)):
            found.append(pruned)
    return tuple(found)


def asked(specs: Iterable[MappingSpec]) -> dict[str, tuple[str, ...]]:
    """By stream that look-ups need, the fields to be read of it; the flags of ``PASSED_OVER`` are not among them."""
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for _, find, _ in finds(spec):
            if find.by:
                names = found.setdefault(find.stream, {KEY: None})
                names |= dict.fromkeys((*find.same, *(name for by in find.by for name in names_of(by))))
    return {stream: tuple(names) for stream, names in found.items()}


class Found:
    """Answers look-ups. ``records``: raw records by stream, with what ``asked`` names; others find nothing."""

    def __init__(self, records: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> None:
        self._records = dict(records or {})
        self._by_key = {
            stream: {str(record.get(KEY)): record for record in known} for stream, known in self._records.items()
        }

    def key(self, find: Find, written: Mapping[str, Any]) -> str | None:
        """The key, or ``None``. ``written``: what is known of the record or row that it is for.

        Of several that fit one alternative the one whose values are named first counts, then the lowest key, so that
        every night finds the same.
        """
        for by in find.by:
            fit = [
                (rank, str(record[KEY]))
                for record in self._records.get(find.stream, ())
                if not any(record.get(flag) for flag in PASSED_OVER)
                and all(record.get(name) == written.get(name) for name in find.same)
                and (rank := self._rank(find.stream, record, by)) is not None
            ]
            if find.single and len(fit) > 1:
                return None
            if fit:
                return min(fit)[1]
        return None

    def _rank(self, stream: str, record: Mapping[str, Any], by: Sequence[Match]) -> tuple[int, ...] | None:
        """How early the record's values are named; ``None`` if it does not pass."""
        rank: list[int] = []
        for match in by:
            value = record.get(match.name)
            value = value.strip() if isinstance(value, str) else value  # 1C pads texts of a fixed length
            if match.of:
                other = self._by_key[stream].get(str(value))
                ranks = [] if other is None else [self._rank(stream, other, of) for of in match.of]
                if all(found is None for found in ranks):
                    return None
            elif value in EMPTY or value not in match.values:
                return None
            else:
                rank.append(match.values.index(value))
        return tuple(rank)
