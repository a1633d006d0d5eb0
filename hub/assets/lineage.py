"""What Dagster shows but does not run: the systems where routes begin, and the central store's tables they feed."""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetSpec

from hub.assets import names
from hub.assets.nodes import RouteNode
from hub.model.entities import ENTITIES, Entity
from hub.model.settings import Settings, SystemSettings
from hub.texts import sentence


def source_specs(settings: Settings) -> list[AssetSpec]:
    """One for each system. Its address is not shown: it may be nobody's business who looks at the UI."""
    return [_source(settings, system) for system in settings.systems.values()]


def _source(settings: Settings, system: SystemSettings) -> AssetSpec:
    title = system.title or system.code
    return AssetSpec(
        names.source_key(system.code),
        description=sentence("dg_source", settings.locale, title=title, kind=system.kind, sessions=system.max_sessions),
        group_name=names.SOURCES_GROUP,
        kinds=set(system.kind.split("_")),
        owners=[names.OWNER],
    )


def table_specs(settings: Settings, nodes: Sequence[RouteNode]) -> list[AssetSpec]:
    """One for each entity that any route feeds."""
    fed = {node.entity.name for node in nodes}
    return [_table(settings, entity, nodes) for name, entity in ENTITIES.items() if name in fed]


def _table(settings: Settings, entity: Entity, nodes: Sequence[RouteNode]) -> AssetSpec:
    lang = settings.locale
    return AssetSpec(
        names.table_key(entity.name),
        deps=[names.route_key(node.system.code, node.entity.name) for node in nodes if node.entity is entity],
        description=sentence("dg_table", lang, entity=entity.ru if lang == "ru" else entity.en, table=entity.name),
        group_name=names.group_of(entity),
        kinds={"table"},
        owners=[names.OWNER],
    )
