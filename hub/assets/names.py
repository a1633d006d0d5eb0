"""Names in Dagster: keys, groups, pools and tags. Renaming any of them loses what an admin sees of the past.

Dagster allows Latin letters, digits and underscores in group names, and sorts groups by name: hence the numbers, which
are the reading order of the morning view. What a group holds is said in Russian in the descriptions of its assets.
"""

from __future__ import annotations

from dagster import AssetKey

from hub.model.entities import Entity

SUMMARY_GROUP = "g00_summary"
SOURCES_GROUP = "g10_sources"
#: Asset group by the group of the canonical model.
GROUPS = {
    "catalogue": "g15_catalogue",
    "clients": "g20_clients",
    "sales": "g30_sales",
    "stock": "g40_stock",
    "communications": "g50_communications",
}

#: What is sent to the systems.
OUTGOING_GROUP = "g60_outgoing"

#: First part of the keys that belong to no system: the central store's tables and the summary.
HUB = "obmen"
SUMMARY_KEY = AssetKey([HUB, "morning_summary"])

SYSTEM_TAG = "obmen/system"
ENTITY_TAG = "obmen/entity"
MODE_TAG = "obmen/mode"
RUN_TAG = "obmen/run"
#: Value of a run tag where several apply.
SEVERAL = "several"

OWNER = "team:obmen"
_POOLS = "system_"


def group_of(entity: Entity) -> str:
    """Asset group of an entity."""
    return GROUPS[entity.group]


def route_key(system: str, entity: str) -> AssetKey:
    """Asset of a route: what the system's records of this kind became."""
    return AssetKey([system, entity])


def source_key(system: str) -> AssetKey:
    """The system itself, where its routes begin."""
    return AssetKey([system, "source"])


def outgoing_key(system: str) -> AssetKey:
    """What is sent to the system."""
    return AssetKey([system, "outgoing"])


def outgoing_step(system: str) -> str:
    """Step key of that asset."""
    return f"{system}__outgoing"


def table_key(entity: str) -> AssetKey:
    """The central store's table of an entity, fed by the routes of every system."""
    return AssetKey([HUB, entity])


def pool_of(system: str) -> str:
    """Pool whose slots are the sessions that may be open in the system at one time."""
    return f"{_POOLS}{system}"


def is_system_pool(name: str) -> bool:
    """True for the pools that ``pool_of`` names."""
    return name.startswith(_POOLS)
