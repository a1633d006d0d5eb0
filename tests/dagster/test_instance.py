"""The Dagster home: its file is written, checked and left alone when an admin has made it his own."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from hub import instance as homes
from hub.launcher import HubRunLauncher
from hub.model.errors import NeedsPerson
from hub.model.settings import Settings, load_settings
from tests.dagster.base import write_home


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a new home."""
    return load_settings(write_home(tmp_path / "home", "instance"))


def test_a_new_home_is_made_ready(settings: Settings) -> None:
    """The file loads into a real instance with our launcher, monitoring, retries, a queue and no telemetry."""
    home = homes.prepare(settings)
    assert home == settings.home / "dagster"
    with DagsterInstance.from_config(str(home)) as made:
        assert isinstance(made.run_launcher, HubRunLauncher)
        assert isinstance(made.run_coordinator, QueuedRunCoordinator)
        assert isinstance(made.compute_log_manager, NoOpComputeLogManager)
        assert made.run_monitoring_enabled
        assert made.run_retries_enabled
        assert not made.telemetry_enabled
        assert not made.nux_enabled
        monitoring = made.get_settings("run_monitoring")
        assert monitoring["free_slots_after_run_end_seconds"] == 15
        assert made.run_monitoring_max_runtime_seconds == 6 * 3600
        queue = made.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 4
        assert queue.tag_concurrency_limits[0]["key"] == "obmen/system"


def test_all_three_databases_are_made_in_this_process(settings: Settings) -> None:
    """Nothing is left for several processes to create at once: each database stands at one Alembic head."""
    home = homes.prepare(settings)
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        with sqlite3.connect(home / name) as connection:
            assert len(connection.execute("select version_num from alembic_version").fetchall()) == 1
        connection.close()


def test_pools_follow_the_settings(settings: Settings) -> None:
    """One pool per system with as many slots as sessions; a changed number is followed, a gone system's pool goes."""
    home = homes.prepare(settings)
    more = dataclasses.replace(settings.systems["ut"], max_sessions=5)
    other = dataclasses.replace(more, code="bp", max_sessions=1)
    homes.prepare(dataclasses.replace(settings, systems={"ut": more, "bp": other}))
    with DagsterInstance.from_config(str(home)) as made:
        limits = {limit.name: limit.limit for limit in made.event_log_storage.get_pool_limits()}
        assert limits == {"system_ut": 5, "system_bp": 1}
        made.event_log_storage.set_concurrency_slots("a_pool_of_the_admin", 3)
    homes.prepare(settings)
    with DagsterInstance.from_config(str(home)) as made:
        limits = {limit.name: limit.limit for limit in made.event_log_storage.get_pool_limits()}
        assert limits == {"system_ut": 2, "a_pool_of_the_admin": 3}


def test_preparing_again_changes_nothing(settings: Settings) -> None:
    """A second start writes the same file and keeps what is in the databases."""
    home = homes.prepare(settings)
    text = (home / "dagster.yaml").read_text(encoding="utf-8")
    homes.prepare(settings)
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == text


def test_an_edited_file_is_left_alone(settings: Settings) -> None:
    """Whatever an admin changes in it stays as he wrote it."""
    home = homes.prepare(settings)
    path = home / "dagster.yaml"
    edited = path.read_text(encoding="utf-8").replace("max_concurrent_runs: 4", "max_concurrent_runs: 2")
    path.write_text(edited, encoding="utf-8")
    homes.prepare(settings)
    assert path.read_text(encoding="utf-8") == edited
    with DagsterInstance.from_config(str(home)) as made:
        queue = made.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 2


def test_a_file_of_an_earlier_version_is_renewed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that obmen wrote and nobody touched follows the product."""
    with monkeypatch.context() as earlier:
        earlier.setattr(homes, "_BODY", homes._BODY.replace("max_runtime_seconds: 21600", "max_runtime_seconds: 60"))
        home = homes.prepare(settings)
    homes.prepare(settings)
    assert "max_runtime_seconds: 21600" in (home / "dagster.yaml").read_text(encoding="utf-8")


LAUNCHER = "run_launcher: {module: hub.launcher, class: HubRunLauncher}\n"
POSTGRES = "storage: {postgres: {postgres_db: {username: u, password: p, hostname: h, db_name: d%s}}}\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("telemetry: {enabled: [\n", "dagster_yaml_invalid", "dagster.yaml"),
        (LAUNCHER + "telemetri: {enabled: false}\n", "dagster_yaml_invalid", "telemetri"),
        ("- a list\n", "dagster_yaml_invalid", "dagster.yaml"),
        ("telemetry: {enabled: false}\n", "dagster_yaml_launcher", "HubRunLauncher"),
        (LAUNCHER + POSTGRES % "", "dagster_yaml_scheme", "psycopg2"),
        (LAUNCHER + "storage: {postgres: {postgres_url: 'postgresql://env@h/d'}}\n", "dagster_yaml_scheme", "psycopg2"),
    ],
    ids=["broken", "unknown key", "not a mapping", "no launcher", "no scheme", "bare url"],
)
def test_a_file_that_would_not_work_is_told(settings: Settings, text: str, code: str, said: str) -> None:
    """A sentence with the file's path and what to write, instead of Dagster's own failure later."""
    home = homes.dagster_home(settings.home)
    home.mkdir()
    (home / "dagster.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(NeedsPerson) as caught:
        homes.prepare(settings)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == text


def test_postgres_with_the_right_scheme_passes(settings: Settings) -> None:
    """Both ways of naming the driver are accepted, and a URL from the environment is not guessed at."""
    for storage in (
        POSTGRES % ", scheme: postgresql+psycopg2",
        "storage: {postgres: {postgres_url: 'postgresql+psycopg2://u@h/d'}}\n",
        "storage: {postgres: {postgres_url: {env: OBMEN_DAGSTER_URL}}}\n",
    ):
        assert not homes._bare_postgres(yaml.safe_load(storage))
