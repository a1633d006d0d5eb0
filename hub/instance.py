"""The Dagster home of an installation: its ``dagster.yaml``, its databases and the pools of the systems.

Everything here runs in one process, before any other Dagster process of this home is started. Four processes that
start together on an empty home race each other through Alembic and can leave its version table with two heads, after
which no web server starts again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance
from dagster._core.errors import DagsterInvalidConfigError

from hub.assets.names import is_system_pool, pool_of
from hub.model.errors import NeedsPerson
from hub.model.settings import Settings

_MARK = "# obmen:"

_BODY = """\
# Obmen wrote this file. Edit it and obmen leaves it alone from then on; delete it and it is written anew.
telemetry: {enabled: false}
nux: {enabled: false}
# Fails a run whose process is gone (power cut, kill -9), so that run_retries can start it again.
run_launcher: {module: hub.launcher, class: HubRunLauncher}
# Steps of one system share its pool (slots: max_sessions in hub.yaml); runs tagged with one system wait for each other.
concurrency:
  pools: {default_limit: 1, granularity: op}
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits: [{key: obmen/system, value: {applyLimitPerUniqueValue: true}, limit: 1}]
run_monitoring:
  enabled: true
  poll_interval_seconds: 15
  start_timeout_seconds: 180
  cancel_timeout_seconds: 60
  max_runtime_seconds: 21600
  free_slots_after_run_end_seconds: 15
# Only for runs that died: what can be retried within a run is retried there.
run_retries: {enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}
retention:
  schedule: {purge_after_days: 90}
  sensor: {purge_after_days: {skipped: 2, failure: 30, success: 30}}
schedules: {use_threads: true, num_workers: 2}
sensors: {use_threads: true, num_workers: 4}
backfills: {use_threads: true, num_workers: 2}
freshness: {enabled: true}
python_logs: {managed_python_loggers: [obmen, hub, connectors], python_log_level: INFO}
# What a step prints goes to the code server's own output: four processes fewer for each run.
compute_logs: {module: dagster.core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
# With PostgreSQL for Dagster's own data the scheme must name psycopg2:
# storage:
#   postgres:
#     postgres_db:
#       {username: {env: OBMEN_DAGSTER_USER}, password: {env: OBMEN_DAGSTER_PASSWORD}, hostname: localhost,
#        port: 5432, db_name: dagster, scheme: postgresql+psycopg2}
"""


def dagster_home(home: Path) -> Path:
    """Where Dagster keeps its data in this installation; always absolute, as Dagster demands."""
    return home.absolute() / "dagster"


def prepare(settings: Settings) -> Path:
    """Write and check ``dagster.yaml``, make the three databases, set the pools; the Dagster home.

    Safe to repeat. ``NeedsPerson`` (``dagster_yaml_invalid``, ``dagster_yaml_scheme``, ``dagster_yaml_launcher``)
    for a file that an admin has changed into one that does not work.
    """
    home = dagster_home(settings.home)
    home.mkdir(parents=True, exist_ok=True)
    write_config(home)
    check_config(home)
    with DagsterInstance.from_config(str(home)) as instance:
        _touch(instance)
        set_pools(instance, settings)
    return home


def write_config(home: Path) -> bool:
    """Write ``dagster.yaml`` unless an admin has edited it; True if the file is now ours."""
    path = home / "dagster.yaml"
    if path.exists() and not _ours(path.read_text(encoding="utf-8")):
        return False
    path.write_text(f"{_MARK} {_digest(_BODY)}\n{_BODY}", encoding="utf-8", newline="\n")
    return True


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _ours(text: str) -> bool:
    """True when the file is as some version of obmen wrote it: its first line still vouches for the rest."""
    first, _, body = text.partition("\n")
    return first == f"{_MARK} {_digest(body)}"


def check_config(home: Path) -> None:
    """``NeedsPerson`` for what would make Dagster fail in a way that its own message does not explain."""
    path = home / "dagster.yaml"
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise NeedsPerson("dagster_yaml_invalid", path=str(path), detail=" ".join(str(error).split())) from None
    if not isinstance(config, dict):
        raise NeedsPerson("dagster_yaml_invalid", path=str(path), detail=type(config).__name__)
    launcher = config.get("run_launcher") or {}
    if launcher.get("module") in {None, "dagster", "dagster.core.launcher"}:
        raise NeedsPerson("dagster_yaml_launcher", path=str(path))
    if _bare_postgres(config):
        raise NeedsPerson("dagster_yaml_scheme", path=str(path))
    try:
        with DagsterInstance.from_config(str(home)):
            pass
    except DagsterInvalidConfigError as error:
        detail = "; ".join(item.message for item in error.errors) or str(error)
        raise NeedsPerson("dagster_yaml_invalid", path=str(path), detail=detail) from None


def _bare_postgres(config: Mapping[str, Any]) -> bool:
    """A PostgreSQL storage that would be opened with psycopg 3, which Dagster cannot speak through."""
    postgres = (config.get("storage") or {}).get("postgres")
    if not postgres:
        return False
    url = postgres.get("postgres_url")
    if isinstance(url, dict):  # {env: NAME}: only the environment knows
        return False
    scheme = url.split(":")[0] if url else (postgres.get("postgres_db") or {}).get("scheme")
    return bool(scheme != "postgresql+psycopg2")


def _touch(instance: DagsterInstance) -> None:
    """First use of each of the three storages creates or migrates it."""
    instance.get_runs(limit=1)
    instance.get_asset_keys(limit=1)
    instance.all_instigator_state()


def set_pools(instance: DagsterInstance, settings: Settings) -> None:
    """One pool per system, as many slots as sessions are allowed; pools of systems that are gone are removed."""
    storage = instance.event_log_storage
    wanted = {pool_of(code): system.max_sessions for code, system in settings.systems.items()}
    for name in storage.get_concurrency_keys():
        if is_system_pool(name) and name not in wanted:
            storage.delete_concurrency_limit(name)
    for name, slots in wanted.items():
        storage.set_concurrency_slots(name, slots)
