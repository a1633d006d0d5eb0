"""The map of the exchange: field by field who is master, who is written to, and why, for people to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.engine.cells import STATE, head
from hub.engine.policies import ByValue, Rules
from hub.exchange.rules import RoutePart, RuleBook
from hub.model.entities import ENTITIES, Entity


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rule of one name. ``label``: what people in Russia call it. ``order``: systems, the first wins; ``by``:
    another order by the value of another field. ``reads``, ``writes``: systems it is taken from and told to.
    ``stated_by``: the route that overrides the default; empty where the default matrix holds.
    """

    name: str
    label: str
    policy: str
    order: tuple[str, ...]
    by: ByValue | None
    on_loss: str
    clearable: bool
    group: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    stated_by: str


def mapped_entities(book: RuleBook) -> list[str]:
    """Entities that some system has, in the order of the model."""
    there = {part.entity for part in book.parts.values() if part.mappings}
    return [name for name in ENTITIES if name in there]


def rule_map(book: RuleBook, entity: str) -> list[FieldRule]:
    """The rules of an entity: what some system has of it, then the end of its records."""
    model, rules = ENTITIES[entity], book.rules(entity)
    parts = [part for part in book.parts.values() if part.entity == entity and part.mappings]
    read = frozenset().union(*(part.reads for part in parts))
    return [
        *(_row(book, model, rules, parts, name) for name in _names(model, rules, read)),
        *([_end(book, rules, parts)] if STATE in read else []),
    ]


def _names(entity: Entity, rules: Rules, read: frozenset[str]) -> Iterable[str]:
    """Fields, tables with what is said of their parts, own fields; only what is read somewhere."""
    for name in [item.name for item in entity.fields] + [child.name for child in entity.children]:
        if name in read:
            yield name
            yield from sorted(one for one in rules.policies if one != name and head(one) == name)
    yield from sorted(name for name in read if name.startswith("ext."))


def _row(book: RuleBook, entity: Entity, rules: Rules, parts: list[RoutePart], name: str) -> FieldRule:
    policy = rules.of(name)
    labels = {item.name: item.ru for item in entity.fields} | {child.name: child.ru for child in entity.children}
    return FieldRule(
        name,
        labels.get(head(name), ""),
        policy.word,
        policy.order,
        policy.by,
        policy.on_loss,
        policy.clearable,
        policy.group,
        tuple(part.system for part in parts if {name, head(name)} & part.reads),
        _writers(book, parts, name),
        book.stated_by(entity.name, name),
    )


def _end(book: RuleBook, rules: Rules, parts: list[RoutePart]) -> FieldRule:
    """The end of a record: who marked it for deletion, and what that does to the others."""
    stated = next((part.settings.code for part in parts if part.settings.deletion), "")
    readers = tuple(part.system for part in parts if STATE in part.reads)
    writers = _writers(book, parts, STATE)
    return FieldRule(STATE, "", rules.state, rules.state_order, None, "", True, "", readers, writers, stated)


def _writers(book: RuleBook, parts: list[RoutePart], name: str) -> tuple[str, ...]:
    """Systems that the name, or a part of it, is told to."""
    return tuple(
        part.system
        for part in parts
        if any(one in {name, head(name)} or head(one) == name for one in book.way(part.system, part.entity).writes)
    )
