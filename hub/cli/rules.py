"""``obmen rules``: the map of the exchange, who is master of what and who is written to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.parser import argument, command
from hub.model.errors import NeedsPerson
from hub.model.settings import load_settings
from hub.model.settings_routes import ORIGIN

if TYPE_CHECKING:
    from hub.exchange.rule_map import FieldRule


def commands(lang: str) -> list[click.Command]:
    """The command."""
    return [command(lang, "rules", rules, [argument("entity", "ENTITY")])]


def rules(call: Call, entity: str | None = None) -> Outcome:
    """Read settings and mappings; no store is opened and no system asked."""
    from hub.exchange.rule_map import mapped_entities, rule_map
    from hub.exchange.rules import RuleBook
    from hub.exchange.rules_flaws import refuse
    from hub.model.entities import ENTITIES

    book = RuleBook.of(load_settings(call.home))
    refuse(book)
    there = mapped_entities(book)
    if entity is not None and entity not in there:
        raise NeedsPerson("unknown_entity", entity=entity, valid=", ".join(there))
    data: dict[str, Any] = {}
    lines = [
        call.text("rules_roles", systems=", ".join(f"{code} ({book.role(code)})" for code in book.settings.systems))
    ]
    for name in [entity] if entity else there:
        found = rule_map(book, name)
        title = ENTITIES[name].ru if call.lang == "ru" else ENTITIES[name].en
        data[name] = [_as_dict(rule) for rule in found]
        names = [f"{rule.name} · {rule.label}" if rule.label and call.lang == "ru" else rule.name for rule in found]
        width = max(map(len, names))
        lines += ["", call.text("rules_entity", title=title, entity=name)]
        lines += [f"  {name.ljust(width)}  {_line(rule, call)}" for name, rule in zip(names, found, strict=True)]
    return Outcome(DONE, {"roles": {code: book.role(code) for code in book.settings.systems}, "rules": data}, lines)


def _as_dict(rule: FieldRule) -> dict[str, Any]:
    by = rule.by and {"field": rule.by.field, "values": sorted(rule.by.values, key=str), "order": rule.by.order}
    return {**{name: value for name, value in asdict(rule).items() if name != "by"}, "by": by}


def _line(rule: FieldRule, call: Call) -> str:
    """The rule in words: what it is, in which order, who is told, what the loser gets, where it is stated."""
    parts = [call.text(f"rules_policy_{rule.policy}", order=_order(rule.order, rule.reads))]
    if rule.by is not None:
        values = ", ".join(sorted(map(str, rule.by.values)))
        order = _order(rule.by.order, rule.reads)
        parts.append(call.text("rules_by", field=rule.by.field, values=values, order=order))
    parts.append(
        call.text("rules_writes", systems=", ".join(rule.writes)) if rule.writes else call.text("rules_silent")
    )
    if rule.writes and rule.on_loss and rule.policy not in {"union", "append_only"}:
        parts.append(call.text(f"rules_loss_{rule.on_loss}"))
    if rule.group:
        parts.append(call.text("rules_together", group=rule.group))
    parts.append(call.text("rules_stated", route=rule.stated_by) if rule.stated_by else call.text("rules_default"))
    return " · ".join(parts)


def _order(order: tuple[str, ...], reads: tuple[str, ...]) -> str:
    """Of those that have the field: the ones named, then the others, who have the last word by their codes."""
    named = [name for name in order if name == ORIGIN or name in reads]
    return " → ".join([*named, *sorted({*reads} - {*named})])
