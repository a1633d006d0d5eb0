"""An installation over a base in memory, its definitions and a Dagster instance of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, Definitions, ExecuteInProcessResult

from connectors.memory import MemoryBase
from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.hub import Hub
from hub.model.settings import load_settings
from tests.dagster.base import opener, small_base, write_home


@dataclass
class Site:
    """A base, the home that exchanges with it, and Dagster on top."""

    home: Path
    base: MemoryBase
    work: Workplace
    defs: Definitions
    instance: DagsterInstance

    @property
    def hub(self) -> Hub:
        """The opened hub of the steps."""
        return self.work.hub

    def run(self, job: str = "nightly_exchange", day: str | None = "2026-03-02", **more: Any) -> ExecuteInProcessResult:
        """Carry a job out here, as its executor would."""
        found = self.defs.resolve_job_def(job)
        return found.execute_in_process(instance=self.instance, partition_key=day, raise_on_error=False, **more)

    def materialize(self, *keys: str, tags: Mapping[str, str] | None = None, **more: Any) -> ExecuteInProcessResult:
        """Materialize assets as a person does in the UI: a run with no job of ours. ``keys``: ``ut/party`` …"""
        job = self.defs.resolve_implicit_global_asset_job_def()
        wanted = [AssetKey(key.split("/")) for key in keys]
        return job.execute_in_process(
            instance=self.instance, asset_selection=wanted, tags=dict(tags or {}), raise_on_error=False, **more
        )

    def rows(self, query: Any) -> list[Any]:
        """What a query of the store gives."""
        with self.hub.store.read() as conn:
            return list(conn.execute(query))


def numbers(result: ExecuteInProcessResult, key: str) -> dict[str, Any]:
    """Metadata of the last materialization of an asset in a run, by label."""
    found = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == AssetKey(key.split("/"))
    ]
    assert found, f"{key} was not materialized"
    return {label: value.value for label, value in found[-1].metadata.items()}


@contextmanager
def site_at(home: Path, name: str, **more: Any) -> Iterator[Site]:
    """A site at ``home`` over a small base called ``name``; ``more`` goes to the settings."""
    base = small_base(name)
    write_home(home, name, **more)
    work = Workplace(lambda: Hub.open(home, opener))
    defs = build(load_settings(home), work)
    with DagsterInstance.ephemeral(tempdir=str(home)) as instance:
        yield Site(home, base, work, defs, instance)
    work.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The usual small site."""
    with site_at(tmp_path / "home", "site") as made:
        yield made
