"""Reading the section ``routes`` of ``hub.yaml``: names of fields are held to the model, orders to the systems."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from yaml.nodes import Node, ScalarNode, SequenceNode

from hub.model import settings_keys as keys
from hub.model.entities import ENTITIES, Child, Entity
from hub.model.fields import Field, Kind
from hub.model.settings_keys import Bad, Key, near
from hub.model.settings_nodes import Nodes, is_empty, line_of
from hub.model.settings_routes import (
    CHANGES,
    DELETES,
    ORIGIN,
    ROLES,
    STATE,
    BudgetSettings,
    BySettings,
    PolicySettings,
    RouteSettings,
)
from hub.model.settings_types import SystemSettings

#: Keys of a route that are single values.
ROUTE_KEYS = (
    Key("enabled", keys.yes_no),
    Key("read", keys.one_of("auto", "feed", "modified", "window", "full")),
    Key("sweep", keys.one_of("nightly", "weekly", "never")),
    Key("window_days", keys.integer(1, 3660)),
    Key("not_before", keys.day),
    Key("stub_after", keys.patience),
    Key("create", keys.one_of("never", "always", "after_match")),
    Key("create_in", keys.anything),
    Key("deletion", keys.one_of("propagate", "archive", "ignore", "ask", "keep")),
    Key("shadow", keys.yes_no),
    Key("skew", keys.span),
)
#: Keys of a route that are lists or sections.
ROUTE_SECTIONS = ("write", "where", "asks", "policies", "delete_budget", "change_budget")
POLICY_KEYS = (
    Key("policy", keys.one_of("master", "latest", "fill_empty", "union", "append_only", "manual")),
    Key("on_loss", keys.one_of("restore", "keep", "task")),
    Key("clearable", keys.yes_no),
    Key("group", keys.word_or_none(r"[a-z][a-z0-9_]*", "legal")),
    Key("fades", keys.integer(0, 36500)),
)
BUDGET_KEYS = (
    Key("absolute", keys.integer_or_none(0, 1_000_000_000)),
    Key("percent", keys.integer_or_none(0, 100)),
    Key("minimum", keys.integer(0, 1_000_000_000)),
)

Systems = Mapping[str, SystemSettings | None]


def read_routes(nodes: Nodes, node: Node | None, systems: Systems) -> dict[str, RouteSettings]:
    """Routes the file mentions; their system and their entity must exist."""
    section = None if node is None or is_empty(node) else nodes.section(node, "routes")
    if section is None:
        return {}
    bodies = nodes.entries(section, "routes", None)
    return {code: _Route(nodes, code, body, systems).read() for code, body in bodies.items()}


def known_name(entity: Entity, name: str) -> bool:
    """Whether a policy may stand under the name: a field, a child table, ``child[kind]``, ``child.field``."""
    head, kind, column = _parts(name)
    child = next((item for item in entity.children if item.name == head), None)
    if kind:
        return child is not None and bool(child.key) and _fits(_first(child), kind)
    if column:
        return head == "ext" or (child is not None and _single(child) and column in {f.name for f in child.fields})
    return child is not None or head in {item.name for item in entity.fields}


def known_names(entity: Entity) -> list[str]:
    """The names of an entity as a person may write them, kinds of sets that have a list of them included."""
    names = [item.name for item in entity.fields]
    for child in entity.children:
        names.append(child.name)
        names += [f"{child.name}[{kind}]" for kind in (_first(child).choices if child.key else ())]
        names += [f"{child.name}.{item.name}" for item in (child.fields if _single(child) else ())]
    return names


def _parts(name: str) -> tuple[str, str, str]:
    """Head, kind and column of ``head[kind]`` or ``head.column``."""
    found = re.fullmatch(r"(\w+)(?:\[([^\],\[]+)\]|\.(\w+))?", name)
    return (found[1], found[2] or "", found[3] or "") if found else (name, "", "")


def _single(child: Child) -> bool:
    """A child table of one row."""
    return not child.lines and not child.key


def _first(child: Child) -> Field:
    """The first part of the key of a set."""
    return next(item for item in child.fields if item.name == child.key[0])


def _fits(item: Field, word: str) -> bool:
    return item.kind is Kind.TEXT or word in item.choices


def _value_of(item: Field) -> Callable[[str], str | int]:
    """Parser of one value of a field, to the form in which it travels."""
    if item.kind is Kind.BOOL:
        return lambda text: int(keys.yes_no(text))
    return keys.one_of(*item.choices) if item.choices else keys.anything


class _Route:
    """One route of the file."""

    def __init__(self, nodes: Nodes, code: str, body: Node, systems: Systems) -> None:
        self.nodes = nodes
        self.code = code
        self.body = body
        self.systems = systems
        self.where = f"routes.{code}"
        self.system, _, name = code.partition(".")
        self.entity = ENTITIES.get(name)
        self.lines = {"": line_of(body)}
        if self.system not in systems:
            nodes.problem(body, self.where, "settings_route_system", value=self.system, near=near(self.system, systems))
        if self.entity is None:
            known = ", ".join(ENTITIES)
            nodes.problem(body, self.where, "settings_route_entity", value=name, known=known, near=near(name, ENTITIES))

    def read(self) -> RouteSettings:
        """The settings; what could not be read has its default, and a problem."""
        section = None if is_empty(self.body) else self.nodes.section(self.body, self.where)
        if section is None:
            return RouteSettings(self.code, lines=self.lines)
        entries = self.nodes.entries(section, self.where, [*(key.name for key in ROUTE_KEYS), *ROUTE_SECTIONS])
        self.lines |= {name: line_of(node) for name, node in entries.items()}
        values = self.nodes.values(section, entries, self.where, ROUTE_KEYS)
        for name, read in self._sections().items():
            if name in entries and not is_empty(entries[name]):
                values[name] = read(entries[name], f"{self.where}.{name}")
        made = RouteSettings(self.code, **values, lines=self.lines)
        self._together(made, entries)
        return made

    def _sections(self) -> dict[str, Callable[[Node, str], Any]]:
        budgets = {
            "delete_budget": lambda node, where: self._budget(node, where, DELETES),
            "change_budget": lambda node, where: self._budget(node, where, CHANGES),
        }
        if self.entity is None:
            return budgets  # names cannot be judged; the entity is the problem
        return {"write": self._write, "where": self._filter, "asks": self._names, "policies": self._policies, **budgets}

    def _together(self, made: RouteSettings, entries: Mapping[str, Node]) -> None:
        """What one key asks of another."""
        its = self.systems.get(self.system)
        if made.read == "feed" and its is not None and not its.node:
            self._bad(entries["read"], "read", "settings_feed_without_node", system=self.system)
        said = entries.get("write")
        silent = said is None or _is_none(said) or (isinstance(said, SequenceNode) and not said.value)
        if made.create != "never" and silent:
            self._bad(entries["create"], "create", "settings_without", needed="write")
        if "asks" in entries and silent:
            self._bad(entries["asks"], "asks", "settings_without", needed="write")
        never = "create" not in entries or getattr(entries["create"], "value", "") == "never"
        for name in ("create_in", "where"):
            if name in entries and never:
                self._bad(entries[name], name, "settings_without", needed="create")

    def _bad(self, node: Node, name: str, code: str, **params: Any) -> None:
        self.nodes.problem(node, f"{self.where}.{name}", code, **params)

    def _name(self, text: str) -> str:
        """A parser of the names of this entity."""
        assert self.entity is not None
        known = known_names(self.entity)
        if known_name(self.entity, text):
            return text
        shown = [name for name in known if "[" not in name and "." not in name]
        raise Bad("settings_field", value=text, entity=self.entity.name, known=", ".join(shown), near=near(text, known))

    def _written(self, text: str) -> str:
        return text if text == STATE else self._name(text)

    def _names(self, node: Node, where: str) -> tuple[str, ...]:
        return self.nodes.items(node, where, self._written)

    def _write(self, node: Node, where: str) -> Any:
        if isinstance(node, ScalarNode) and node.value in {"all", "none"}:
            return "all" if node.value == "all" else ()
        return self._names(node, where)

    def _order(self, node: Node, where: str) -> tuple[str, ...]:
        known = [ORIGIN, *ROLES, *self.systems]

        def parse(text: str) -> str:
            if text not in known:
                raise Bad("settings_order", value=text, known=", ".join(dict.fromkeys(known)), near=near(text, known))
            return text

        return self.nodes.items(node, where, parse)

    def _filter(self, node: Node, where: str) -> dict[str, tuple[str | int, ...]]:
        """``where``: fields and sets of the entity with the values that will do."""
        section = self.nodes.section(node, where)
        if section is None or self.entity is None:
            return {}
        fields = {item.name: item for item in self.entity.fields if item.kind in {Kind.ENUM, Kind.BOOL}}
        fields |= {child.name: _first(child) for child in self.entity.children if child.key}
        found = {}
        for name, body in self.nodes.entries(section, where, fields).items():
            found[name] = self.nodes.items(body, f"{where}.{name}", _value_of(fields[name]))
            if not found[name] and is_empty(body):
                self.nodes.problem(body, f"{where}.{name}", "settings_required")
        return found

    def _budget(self, node: Node, where: str, default: BudgetSettings) -> BudgetSettings:
        """A budget; what it does not say is as by default."""
        section = self.nodes.section(node, where)
        if section is None:
            return default
        entries = self.nodes.entries(section, where, [key.name for key in BUDGET_KEYS])
        return replace(default, **self.nodes.values(section, entries, where, BUDGET_KEYS))

    def _policies(self, node: Node, where: str) -> dict[str, PolicySettings]:
        section = self.nodes.section(node, where)
        found: dict[str, PolicySettings] = {}
        for name, body in (self.nodes.entries(section, where, None) if section else {}).items():
            place = f"{where}.{name}"
            self.lines[f"policies.{name}"] = line_of(body)
            try:
                self._name(name)
            except Bad as bad:
                self.nodes.problem(body, place, bad.code, **bad.params)
                continue
            found[name] = self._policy(body, place)
        return found

    def _policy(self, node: Node, where: str) -> PolicySettings:
        """A policy by its word alone, or as a section."""
        if isinstance(node, ScalarNode) and not is_empty(node):
            words = self.nodes.scalar(node, where, POLICY_KEYS[0].parse)
            return PolicySettings(policy=words[0] if words else None)
        section = self.nodes.section(node, where)
        if section is None:
            return PolicySettings()
        entries = self.nodes.entries(section, where, [*(key.name for key in POLICY_KEYS), "order", "by"])
        values = self.nodes.values(section, entries, where, POLICY_KEYS)
        if "order" in entries:
            values["order"] = self._order(entries["order"], f"{where}.order")
        if "by" in entries:
            values["by"] = self._by(entries["by"], f"{where}.by")
        return PolicySettings(**values)

    def _by(self, node: Node, where: str) -> BySettings:
        if _is_none(node):
            return BySettings()
        section = self.nodes.section(node, where)
        if section is None or self.entity is None:
            return BySettings()
        fields = {item.name: item for item in self.entity.fields if item.kind in {Kind.ENUM, Kind.BOOL}}
        entries = self.nodes.entries(section, where, ["field", "values", "order"])
        for name in ("field", "values", "order"):
            if name not in entries or is_empty(entries[name]):
                self.nodes.problem(entries.get(name, section), f"{where}.{name}", "settings_required")
                return BySettings()
        named = self.nodes.scalar(entries["field"], f"{where}.field", keys.one_of(*fields))
        if not named:
            return BySettings()
        values = self.nodes.items(entries["values"], f"{where}.values", _value_of(fields[named[0]]))
        return BySettings(named[0], values, self._order(entries["order"], f"{where}.order"))


def _is_none(node: Node) -> bool:
    return is_empty(node) or (isinstance(node, ScalarNode) and node.value == "none")
