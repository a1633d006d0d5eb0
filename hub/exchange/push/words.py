"""Golden cells in the words of a system: what is owed to a link, as the change that its connector is to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from connectors.base import Change
from hub.engine.cells import STATE, Cells, Contribution, Value, head, is_member, member
from hub.exchange.cards.card import Card, CardLink
from hub.exchange.cards.layout import Layout
from hub.exchange.cards.refs import References
from hub.exchange.tellable import by_act
from hub.model.entities import Child
from hub.model.fields import Kind
from mappings.backward import Backward, Payload, Unsaid
from mappings.compiled import CompiledMapping, RefTarget
from mappings.finds import Found
from mappings.scope import refs

Posting = Literal["keep", "post", "unpost", "execute"]
#: Where a posted document says so, and what it says.
_POSTING, _POSTED = "posting_state", "posted"
#: A task is done by an act, not by a field.
_STATUS, _DONE = "status", "done"


class Missing(Exception):
    """A record that another system must have first is not there yet: its entity and the link that names it."""

    def __init__(self, path: str, link_id: int) -> None:
        super().__init__(path)
        self.path, self.link_id = path, link_id


@dataclass(slots=True)
class Words:
    """What is to be sent. ``meant``: golden values that the request stands for; ``unsaid``: that the mapping has no
    words for; ``missing``: that name records the system does not have yet. Without ``fields`` and ``posting`` all of it
    stands there already.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    posting: Posting = "keep"
    meant: dict[str, Value] = field(default_factory=dict)
    unsaid: dict[str, Value] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Nothing is to be written."""
        return not self.fields and self.posting == "keep"

    def change(self, link: CardLink, version: str | None, *, create: bool, look_first: bool) -> Change:
        """For the connector."""
        return Change(link.external_id, self.fields, create, version, None, look_first, self.posting)


class Speaker:
    """Speaks one mapping. ``addresses``: the keys by which the system knows records, by record and stream; ``found``:
    what the mapping's look-ups find there.
    """

    def __init__(
        self,
        mapping: CompiledMapping,
        layout: Layout,
        refs: References,
        addresses: Addresses,
        found: Found | None = None,
    ) -> None:
        self.mapping, self.layout, self.refs, self.addresses = mapping, layout, refs, addresses
        self._back = Backward(mapping, found)
        self._targets = _targets(mapping)
        self._told = {part.child.name: part.columns for part in mapping.children}
        self._posts, self._executes = by_act(mapping, _POSTING), by_act(mapping, _STATUS)

    def tells(self, path: str) -> bool:
        """Whether the mapping has words for the cell at all."""
        name = head(path)
        if path == STATE:
            return bool(self.mapping.deleted_field)
        if name in self._told:
            return bool(self.mapping.writable_children.get(name))
        return path in self.mapping.writable or (path == _POSTING and self._posts)

    def say(
        self,
        card: Card,
        contribution: Contribution,
        owed: Cells,
        current: Mapping[str, Any] | None,
        besides: Mapping[str, int] | None = None,
    ) -> Words:
        """The change that makes the system show ``owed``. ``current``: its raw record, ``None`` for one to be made.

        ``besides``: references that complete a new record (links by field); they are no word of ours.
        """
        words = Words()
        root: dict[str, Any] = {}
        children: dict[str, list[dict[str, Any]]] = {}
        told: dict[str, set[str]] = {}
        for path, value in owed.items():
            if not self.tells(path):
                words.unsaid[path] = value
            elif path == STATE:
                words.fields[str(self.mapping.deleted_field)] = value != "active"
                words.posting = "unpost" if self._posted(contribution) else words.posting
                words.meant[path] = value
            elif path == _POSTING and path not in self.mapping.writable:
                words.posting = "post" if value == _POSTED else "unpost"
                words.meant[path] = value
            elif path in self.layout.fields:
                self._root(words, root, path, value)
            else:
                told.setdefault(head(path), set()).add(path)
        targets = {path: self._target(path, link_id) for path, link_id in (besides or {}).items() if self.tells(path)}
        root |= {path: target for path, target in targets.items() if target is not None}
        for name, paths in told.items():
            self._child(words, children, name, paths, contribution, owed)
        self._acts(words, root, contribution)
        payload = self._back.payload(root, children, current)
        words.fields = {**payload.fields, **words.fields}
        self._leave_out(words, payload)
        if words.fields and words.posting == "keep" and self._posted(contribution):
            words.posting = "post"
        return words

    def _posted(self, contribution: Contribution) -> bool:
        """Whether it shows a document that is posted, in a system that posts documents."""
        return self._posts and contribution.shown.get(_POSTING) == _POSTED

    def _root(self, words: Words, root: dict[str, Any], path: str, value: Value) -> None:
        if self.layout.fields[path].kind is Kind.REF and value is not None:
            assert isinstance(value, int)
            target = self._target(path, value)
            if target is None:
                words.missing[path] = value
                return
            root[path] = target
        else:
            root[path] = value
        words.meant[path] = value

    def _child(
        self,
        words: Words,
        children: dict[str, list[dict[str, Any]]],
        name: str,
        paths: Iterable[str],
        contribution: Contribution,
        owed: Cells,
    ) -> None:
        """All rows of a child as they are to be, since a system takes its tables whole."""
        child = self.layout.children[name]
        cells = {**{path: contribution.stands_for(path) for path in contribution.shown if head(path) == name}, **owed}
        try:
            rows = [self._row(child, name, row) for row in _rows(child, self.layout.columns[name], cells)]
        except Missing as missing:
            for path in paths:
                words.missing[path] = missing.link_id
            return
        children[name] = rows
        words.meant |= {path: owed[path] for path in paths}

    def _row(self, child: Child, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"line_no": row["line_no"]} if child.lines else {}
        for item in child.fields:
            if item.column not in self._told[name]:
                continue
            value = row.get(item.column)
            if item.kind is Kind.REF and value is not None:
                target = self._target(f"{name}.{item.name}", value)
                if target is None:
                    raise Missing(name, value)
                value = target
            made[item.name] = value
        return made

    def _target(self, path: str, link_id: int) -> RefTarget | None:
        record = self.refs.record(link_id)
        return self.addresses.of(record, self._targets.get(path, frozenset())) if record is not None else None

    def _acts(self, words: Words, root: dict[str, Any], contribution: Contribution) -> None:
        if root.get(_STATUS) == _DONE and self._executes and contribution.shown:
            del root[_STATUS]
            words.posting = "execute"

    def _leave_out(self, words: Words, payload: Payload) -> None:
        """Values that could not be said are not meant; of a table that keeps other rows the rows that are told."""
        for one in payload.unsaid:
            for path in self._paths(one, words.meant):
                words.unsaid[path] = words.meant.pop(path)

    def _paths(self, one: Unsaid, meant: Cells) -> list[str]:
        if one.field in self.layout.fields:
            return [path for path in (one.field,) if path in meant]
        child = self.layout.children[one.field]
        if child.key and isinstance(one.value, Mapping):
            named = {item.name: item.column for item in child.fields}
            key = [one.value.get(name) for name in child.key]
            key = [None if isinstance(part, RefTarget) else part for part in key]
            path = member(child, key) if all(name in named for name in child.key) else ""
            if path in meant:
                return [path]
            return [path for path in meant if head(path) == one.field and _begins(path, key)]
        return [path for path in meant if head(path) == one.field]


def _begins(path: str, key: list[Any]) -> bool:
    """Whether the first part of the key of a path is that of ``key``: references are told in another form."""
    return bool(key) and path.partition("[")[2].split(",")[0].removesuffix("]") == str(key[0])


class Addresses:
    """Keys by which one system knows records: of links that are confirmed, the primary one first. ``factors``: of units
    of measure (``RefTarget``).
    """

    def __init__(self, links: Iterable[tuple[int, str, str]], factors: Mapping[int, Fraction] | None = None) -> None:
        self._factors = factors or {}
        self._keys: dict[int, list[tuple[str, str]]] = {}
        for record_id, stream, external_id in links:
            self._keys.setdefault(record_id, []).append((stream, external_id))

    def of(self, record_id: int, streams: frozenset[str]) -> RefTarget | None:
        """The first key of the record in one of the streams."""
        for stream, external_id in self._keys.get(record_id, ()):
            if stream in streams:
                return RefTarget(stream, external_id, self._factors.get(record_id))
        return None


def _rows(child: Child, columns: tuple[str, ...], cells: Cells) -> list[dict[str, Any]]:
    if child.lines:
        lines = cells.get(child.name)
        found = [row for row in lines if isinstance(row, tuple)] if isinstance(lines, tuple) else []
        return [{"line_no": row[0], **dict(zip(columns, row[1:], strict=True))} for row in found]
    if child.key:
        told = [cells[path] for path in sorted(cells) if is_member(path) and head(path) == child.name]
        return [dict(zip(columns, row, strict=True)) for row in told if isinstance(row, tuple)]
    single = {column: cells.get(f"{child.name}.{column}") for column in columns}
    return [single] if any(value is not None for value in single.values()) else []


def _targets(mapping: CompiledMapping) -> dict[str, frozenset[str]]:
    """Streams that a reference may name, by root field or ``child.field``."""
    found: dict[str, set[str]] = {}
    items = [(item.field.name, item) for item in mapping.spec.fields]
    for child in mapping.spec.children:
        items += [(f"{child.child.name}.{item.field.name}", item) for row in child.rows for item in row.fields]
    for name, item in items:
        found.setdefault(name, set()).update(stream for ref in refs(item.expr) for stream in ref.targets)
    return {name: frozenset(streams) for name, streams in found.items() if streams}
