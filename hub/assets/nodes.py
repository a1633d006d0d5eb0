"""What is to be shown, from the settings and the mappings alone: no store, no network.

A code server and every run's process load the definitions; none of them may need the database for it, or a store that
is down would look like an installation without assets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.exchange.naming import stream_name
from hub.model.entities import ENTITIES, Entity
from hub.model.settings import RouteSettings, Settings, SystemSettings
from mappings.compiled import CompiledProfile, compile_profile

_RANK = {name: position for position, name in enumerate(ENTITIES)}


@dataclass(frozen=True, slots=True)
class RouteNode:
    """One route as an asset. ``references``: entities its records name; ``rank``: its place in the load order."""

    code: str
    system: SystemSettings
    entity: Entity
    streams: tuple[str, ...]
    references: tuple[str, ...]
    settings: RouteSettings
    rank: int

    @property
    def step(self) -> str:
        """Name of the asset's op, which is its step key."""
        return self.code.replace(".", "__")

    @property
    def dated(self) -> bool:
        """Documents: laid out by day."""
        return bool(self.entity.dated_by)


def route_nodes(settings: Settings) -> list[RouteNode]:
    """A node per route of every system, in load order; the same routes as ``Hub.routes``.

    ``NeedsPerson`` for mappings that cannot be compiled.
    """
    nodes: list[RouteNode] = []
    for system in settings.systems.values():
        profile = compile_profile(system.profile, system.timezone, system.overlay)
        nodes.extend(_of_system(settings, system, profile, len(nodes)))
    return nodes


def _of_system(settings: Settings, system: SystemSettings, profile: CompiledProfile, first: int) -> Iterator[RouteNode]:
    entity_of = {stream_name(mapping): mapping.entity.name for mapping in profile.mappings.values()}
    for entity in ENTITIES.values():
        own = [mapping for mapping in profile.mappings.values() if mapping.entity.name == entity.name]
        if not own:
            continue
        code = f"{system.code}.{entity.name}"
        targets = {entity_of.get(stream, "") for mapping in own for stream in mapping.ref_streams}
        yield RouteNode(
            code,
            system,
            entity,
            tuple(sorted({mapping.stream for mapping in own})),
            _earlier(entity, targets),
            settings.route(code),
            first,
        )
        first += 1


def _earlier(entity: Entity, targets: set[str]) -> tuple[str, ...]:
    """Targets that come before ``entity`` in load order: lineage stays free of cycles, whatever mappings refer to."""
    return tuple(name for name in ENTITIES if name in targets and _RANK[name] < _RANK[entity.name])
