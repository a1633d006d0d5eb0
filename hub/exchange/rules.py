"""The rules of the exchange, made of ``hub.yaml`` and the mappings: who wins, who may write what, what is held back.

Made without a network and without the store. What cannot work is found here, before anything is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hub.engine.budget import Budget
from hub.engine.cells import Cells, head, names_of
from hub.engine.matrix import rules_for
from hub.engine.outgoing import Way
from hub.engine.policies import ByValue, Policy, Rules
from hub.exchange.tellable import makes_records, readable, tellable
from hub.model.entities import ENTITIES
from hub.model.settings import BudgetSettings, PolicySettings, RouteSettings, Settings
from hub.model.settings_routes import CHANGES, DELETES, ROLES, Role, role_of
from mappings.compiled import CompiledMapping, CompiledProfile, compile_profile


@dataclass(frozen=True, slots=True)
class Creation:
    """How a route makes records in its system: by ``mapping``, ``when``, and only those that ``where`` lets pass.

    ``where``: by root field, or child table with the first part of its key, the travelling values that will do.
    """

    when: Literal["always", "after_match"]
    mapping: str
    where: Mapping[str, tuple[str | int, ...]]

    def lets(self, cells: Cells) -> bool:
        """Whether a record with these golden cells may be made: of each name one of its values is there."""
        there = {names_of(path)[1] for path, value in cells.items() if value is not None}
        return all(
            cells.get(name) in values or any(f"{name}[{value}]" in there for value in values)
            for name, values in self.where.items()
        )


@dataclass(frozen=True, slots=True)
class RoutePart:
    """One route with the mappings that feed it and the policies it states, orders being those of systems."""

    settings: RouteSettings
    system: str
    entity: str
    mappings: tuple[CompiledMapping, ...]
    policies: Mapping[str, Policy]

    @property
    def reads(self) -> frozenset[str]:
        """What it fills."""
        return frozenset().union(*(readable(mapping) for mapping in self.mappings))

    @property
    def tells(self) -> frozenset[str]:
        """What some mapping of it can write back."""
        return frozenset().union(*(tellable(mapping) for mapping in self.mappings))

    @property
    def makers(self) -> tuple[str, ...]:
        """Mappings by which records can be made."""
        return tuple(mapping.name for mapping in self.mappings if makes_records(mapping))


class RuleBook:
    """Rules, ways and budgets of an installation; ``profiles``: the declared mappings of each system."""

    def __init__(self, settings: Settings, profiles: Mapping[str, CompiledProfile]) -> None:
        self.settings = settings
        self.profiles = profiles
        self.roles: dict[str, tuple[str, ...]] = {
            role: tuple(code for code in settings.systems if self.role(code) == role) for role in ROLES
        }
        self.parts = {part.settings.code: part for part in self._parts()}
        self._rules = {name: self._rules_of(name) for name in ENTITIES}
        self._ways = {code: _way(part) for code, part in self.parts.items()}

    @classmethod
    def of(cls, settings: Settings) -> RuleBook:
        """With the profiles as their files and the sites' overlays declare them; ``MappingInvalid``."""
        systems = settings.systems.values()
        return cls(settings, {one.code: compile_profile(one.profile, one.timezone, one.overlay) for one in systems})

    def role(self, system: str) -> Role:
        """What the system is to the others."""
        its = self.settings.systems[system]
        return its.role or role_of(its.profile)

    def rules(self, entity: str) -> Rules:
        """Who wins, field by field: what the routes say over the default matrix."""
        return self._rules[entity]

    def way(self, system: str, entity: str) -> Way:
        """What the route may write: what its settings let it, and some mapping of it can tell the system.

        A mapping may be able to tell less than all of it: ``tellable`` says what.
        """
        return self._ways.get(f"{system}.{entity}", Way(frozenset()))

    def creation(self, system: str, entity: str) -> Creation | None:
        """How records are made there; ``None``: never."""
        part = self.parts.get(f"{system}.{entity}")
        if part is None or part.settings.create == "never":
            return None
        return Creation(part.settings.create, part.settings.create_in or part.makers[0], part.settings.where)

    def budgets(self, route: str) -> tuple[Budget, Budget]:
        """How many records of the route may end, and how many that exist already may change, unasked."""
        its = self.settings.route(route)
        part = self.parts.get(route)
        registers = part is not None and all(mapping.table != "set" for mapping in part.mappings)
        unsaid = (BudgetSettings(), BudgetSettings()) if registers else (DELETES, CHANGES)
        said = (its.delete_budget, its.change_budget)
        deletes, changes = (_budget(one or default) for one, default in zip(said, unsaid, strict=True))
        return deletes, changes

    def skew(self, system: str, entity: str) -> int:
        """Seconds that the clock of the system may be off."""
        return self.settings.route(f"{system}.{entity}").skew

    def stated_by(self, entity: str, name: str) -> str:
        """The route that overrides the default of that name; empty where the default holds."""
        of_entity = (part for part in self.parts.values() if part.entity == entity)
        return next((part.settings.code for part in of_entity if name in part.policies), "")

    def _parts(self) -> list[RoutePart]:
        parts = []
        for system, profile in self.profiles.items():
            for name in ENTITIES:
                mappings = tuple(one for one in profile.mappings.values() if one.entity.name == name)
                settings = self.settings.route(f"{system}.{name}")
                if mappings or settings.code in self.settings.routes:
                    parts.append(RoutePart(settings, system, name, mappings, self._stated(name, settings)))
        return parts

    def _stated(self, entity: str, settings: RouteSettings) -> dict[str, Policy]:
        """The policies a route states, each completed by the default of its name."""
        default = rules_for(ENTITIES[entity], self.roles)
        said = {name: _policy(default.of(name), one) for name, one in settings.policies.items()}
        placed = rules_for(ENTITIES[entity], self.roles, said).policies
        return {name: placed[name] for name in said}

    def _rules_of(self, entity: str) -> Rules:
        its = [part for part in self.parts.values() if part.entity == entity]
        stated: dict[str, Policy] = {}
        for part in its:
            stated |= part.policies
        state = next((part.settings.deletion for part in its if part.settings.deletion), None)
        return rules_for(ENTITIES[entity], self.roles, stated, state)


def _policy(base: Policy, said: PolicySettings) -> Policy:
    by = base.by
    if said.by is not None:
        by = ByValue(said.by.field, frozenset(said.by.values), said.by.order) if said.by.field else None
    return replace(
        base,
        word=said.policy or base.word,
        order=said.order or base.order,
        on_loss=said.on_loss or base.on_loss,
        clearable=base.clearable if said.clearable is None else said.clearable,
        group=base.group if said.group is None else said.group,
        by=by,
        fades=base.fades if said.fades is None else said.fades,
    )


def _budget(said: BudgetSettings) -> Budget:
    return Budget(said.absolute, said.percent, said.minimum)


def _way(part: RoutePart) -> Way:
    if part.settings.write == "all":
        return Way(part.tells, frozenset(part.settings.asks))
    written = {name for said in part.settings.write for name in narrowed(said, part.tells)}
    return Way(frozenset(written), frozenset(part.settings.asks))


def narrowed(name: str, names: frozenset[str]) -> set[str]:
    """What a written name means of ``names``: it, all parts of it, or it as a part of one; nothing if it is neither."""
    return {one for one in names if one == name or head(one) == name} or ({name} if head(name) in names else set())
