"""What is wrong with the rules of an installation, in the words of ``hub.yaml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.engine import loops
from hub.engine.cells import head
from hub.engine.outgoing import Way
from hub.engine.policies import Policy
from hub.exchange.rules import RoutePart, RuleBook
from hub.model.entities import ENTITIES
from hub.model.settings import Problem, SettingsInvalid
from hub.model.settings_keys import near
from hub.model.settings_routes import STATE


def find_flaws(book: RuleBook) -> list[Problem]:
    """Everything about the rules that cannot work, each with its line of the settings and an advice."""
    found = [problem for part in book.parts.values() for problem in (*_writing(part, book), *_making(part))]
    for entity in ENTITIES:
        parts = [part for part in book.parts.values() if part.entity == entity]
        if parts:
            found += [_told(flaw, parts, book) for flaw in _of_entity(entity, parts, book)] + _ends(parts)
    return found


def refuse(book: RuleBook) -> None:
    """``SettingsInvalid`` with all flaws, if there are any."""
    if found := find_flaws(book):
        raise SettingsInvalid(book.settings.path, found)


def _at(part: RoutePart, key: str, code: str, **params: object) -> Problem:
    """A problem at a key of a route, on its line if the file has it."""
    lines = part.settings.lines
    where = f"routes.{part.settings.code}.{key}"
    return Problem(lines.get(key, lines.get("", 0)), where, code, dict(params))


def _writing(part: RoutePart, book: RuleBook) -> Iterable[Problem]:
    """Names that nothing can write there."""
    known = sorted(part.tells)
    route = part.settings.code
    if part.settings.write and not known:
        yield _at(part, "write", "rules_read_only", route=route)
        return
    writes = book.way(part.system, part.entity).writes
    for key, names, valid in (("write", part.settings.write, known), ("asks", part.settings.asks, sorted(writes))):
        for name in names if names != "all" else ():
            if not any(one in {name, head(name)} or head(one) == name for one in valid):
                shown = ", ".join(valid) or "-"
                yield _at(part, key, "rules_cannot_write", route=route, value=name, known=shown, near=near(name, valid))


def _making(part: RoutePart) -> Iterable[Problem]:
    """Where records are made: one mapping must be meant."""
    settings, makers = part.settings, part.makers
    if settings.create == "never" or not part.tells:
        return
    known = ", ".join(makers)
    if not makers:
        yield _at(part, "create", "rules_makes_none", route=settings.code)
    elif settings.create_in and settings.create_in not in makers:
        value = settings.create_in
        yield _at(part, "create_in", "rules_create_in", value=value, known=known, near=near(value, makers))
    elif not settings.create_in and len(makers) > 1:
        yield _at(part, "create", "rules_create_in_needed", route=settings.code, known=known)


def _of_entity(entity: str, parts: list[RoutePart], book: RuleBook) -> list[loops.Flaw]:
    ways = [book.way(part.system, part.entity) for part in parts]
    wide = [Way(way.writes | {head(name) for name in way.writes}) for way in ways]
    systems = tuple(sorted(book.settings.systems))
    rules = book.rules(entity)
    whole = replace(rules, policies={name: _whole(policy, systems) for name, policy in rules.policies.items()})
    words = [
        loops.RouteWord(
            part.settings.code,
            part.system,
            frozenset(name for name in part.policies if {name, head(name)} & part.reads),
            frozenset(name for name in part.policies if {name, head(name)} & way.writes),
            {name: _whole(policy, systems) for name, policy in part.policies.items()},
        )
        for part, way in zip(parts, wide, strict=True)
    ]
    return [*loops.competing(words), *loops.flaws(whole, wide, systems)]


def _whole(policy: Policy, systems: tuple[str, ...]) -> Policy:
    """The same policy with every system in its orders: who is not named comes last, by code."""
    by = policy.by and replace(policy.by, order=tuple(dict.fromkeys([*policy.by.order, *systems])))
    return replace(policy, order=tuple(dict.fromkeys([*policy.order, *systems])), by=by)


def _told(flaw: loops.Flaw, parts: list[RoutePart], book: RuleBook) -> Problem:
    """The flaw at the route that states the policy; of two that disagree, at the second of them."""
    places = [(part, name) for name in (flaw.field, *flaw.names) for part in parts if name in part.policies]
    part, name = places[0] if places else (parts[0], flaw.field)
    if flaw.why in {"loop", "twice"}:
        part = next(part for part in parts if part.settings.code == flaw.names[1])
    key = f"policies.{name}"
    names = ", ".join(flaw.names)
    match flaw.why:
        case "loop":
            return _at(part, key, "rules_loop", field=flaw.field, other=flaw.names[0])
        case "twice":
            return _at(part, key, "rules_twice", field=flaw.field, other=flaw.names[0])
        case "unwritable":
            return _at(part, key, "rules_unwritable", field=flaw.field, entity=part.entity)
        case "depends":
            return _at(part, key, "rules_depends", field=flaw.field, other=names)
        case "group":
            group = book.rules(part.entity).of(flaw.field).group
            return _at(part, key, "rules_group", group=group, fields=names)
        case "unknown":
            return _at(part, key, "rules_unknown", field=flaw.field, names=names)


def _ends(parts: list[RoutePart]) -> list[Problem]:
    """Routes that treat the end of a record differently."""
    stating = [part for part in parts if part.settings.deletion]
    return [
        _at(part, "deletion", "rules_twice", field=STATE, other=stating[0].settings.code)
        for part in stating
        if part.settings.deletion != stating[0].settings.deletion
    ]
