"""Jobs: the nightly exchange, the same on demand, and the connection test.

All of them run in one process. Measured, a step costs 0.05 s there and 0.9 to 2.3 CPU seconds in a process of its own;
routes of one system wait for each other anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetSelection, JobDefinition, OpDefinition, define_asset_job, in_process_executor, job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

NIGHTLY = "nightly_exchange"
NOW = "exchange_now"
CONNECTIONS = "check_connections"
#: A run that takes longer than this has hung.
MAX_RUNTIME = 6 * 3600


def exchange_jobs(settings: Settings, selection: AssetSelection) -> list[UnresolvedAssetJobDefinition]:
    """The nightly exchange and the same on demand: ``selection`` with its checks, in one run."""
    lang = settings.locale
    nightly = sentence("dg_job_nightly", lang, time=settings.nightly, zone=settings.company_timezone)
    return [
        _exchange_job(settings, NIGHTLY, "nightly", nightly, selection),
        _exchange_job(settings, NOW, "manual", sentence("dg_job_now", lang), selection),
    ]


def _exchange_job(
    settings: Settings, name: str, mode: str, description: str, selection: AssetSelection
) -> UnresolvedAssetJobDefinition:
    systems = list(settings.systems)
    return define_asset_job(
        name,
        selection=selection,
        description=description,
        tags={
            names.MODE_TAG: mode,
            names.SYSTEM_TAG: systems[0] if len(systems) == 1 else names.SEVERAL,
            names.ENTITY_TAG: names.SEVERAL,
            "dagster/max_runtime": str(MAX_RUNTIME),
        },
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )


def connections_job(settings: Settings, ops: Sequence[OpDefinition]) -> JobDefinition:
    """Tests every system, one op for each. Untagged: it need not wait for an exchange to end."""

    @job(
        name=CONNECTIONS,
        description=sentence("dg_job_check", settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def check_connections() -> None:
        for test in ops:
            test()

    return check_connections
