"""The job that sends what is owed, on demand: the same as ``obmen push``."""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetSelection, define_asset_job, in_process_executor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from hub.assets import names
from hub.model.settings import Settings, SystemSettings
from hub.texts import sentence
from schedules.jobs import MAX_RUNTIME

NAME = "push_now"


def outgoing_selection(systems: Sequence[SystemSettings]) -> AssetSelection:
    """The assets that send, and their checks."""
    return AssetSelection.assets(*(names.outgoing_key(system.code) for system in systems))


def push_job(settings: Settings, systems: Sequence[SystemSettings]) -> UnresolvedAssetJobDefinition:
    """Sends to all systems; to some of them when only their assets are chosen."""
    return define_asset_job(
        NAME,
        selection=outgoing_selection(systems),
        description=sentence("dg_job_push", settings.locale),
        tags={
            names.MODE_TAG: "push",
            names.SYSTEM_TAG: systems[0].code if len(systems) == 1 else names.SEVERAL,
            names.ENTITY_TAG: names.SEVERAL,
            "dagster/max_runtime": str(MAX_RUNTIME),
        },
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
