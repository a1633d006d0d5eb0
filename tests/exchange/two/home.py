"""An installation with a settings file between two bases in memory, for the command and for Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import AssetKey, DagsterInstance, Definitions, ExecuteInProcessResult
from sqlalchemy import select

from connectors.memory import BASES, MemoryBase
from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.hub import Hub
from hub.model.settings import load_settings
from tests.dagster.base import define_streams, opener
from tests.exchange.two.systems import CLIENTS, client

ZONE = "Europe/Moscow"


def settings_of(name: str, route: str = "", routes: str = "") -> str:
    """``hub.yaml``: two systems that may write each other's clients; ``route``: more of both routes."""
    systems = "".join(
        f"  {code}:\n    kind: memory\n    title: {title}\n    url: http://memory.invalid/{name}_{code}\n"
        f"    timezone: {ZONE}\n    profile: onec_ut11\n    role: {role}\n"
        for code, title, role in (("ut", "Торговля", "trade"), ("crm", "Продажи", "crm"))
    )
    written = "".join(f"  {code}.party:\n    write: all\n{route}" for code in ("ut", "crm"))
    return f"company_timezone: {ZONE}\nsystems:\n{systems}routes:\n{written}{routes}"


@dataclass
class Home:
    """``bases`` by system; ``keys``: of the one client that both know."""

    home: Path
    work: Workplace
    bases: dict[str, MemoryBase]
    keys: dict[str, str]
    instance: DagsterInstance | None = None
    defs: Definitions | None = None

    @property
    def hub(self) -> Hub:
        """The opened hub."""
        return self.work.hub

    def edit(self, system: str, key: str, **fields: Any) -> None:
        """Change fields of a client as a person does."""
        base = self.bases[system]
        base.put(CLIENTS, {**base.records[CLIENTS][key,], **fields})

    def shows(self, system: str, key: str) -> dict[str, Any]:
        """The client as the system has it."""
        return dict(self.bases[system].records[CLIENTS][key,])

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table of the core."""
        with self.hub.store.read() as conn:
            return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key.columns)).mappings()]

    def run(self, job: str, **config: Any) -> ExecuteInProcessResult:
        """Carry a job out here; ``config``: of its one op, if it has one."""
        assert self.defs is not None
        found = self.defs.resolve_job_def(job)
        asked = {"ops": {found.nodes[0].name: {"config": config}}} if config else {}
        days = found.partitions_def is not None
        return found.execute_in_process(
            instance=self.instance,
            run_config=asked,
            partition_key="2026-03-02" if days else None,
            raise_on_error=False,
        )


def numbers(result: ExecuteInProcessResult, key: str) -> dict[str, Any]:
    """Metadata of the last materialization of an asset in a run, by label."""
    events = result.get_asset_materialization_events()
    found = [event.materialization for event in events if event.asset_key == AssetKey(key.split("/"))]
    assert found, f"{key} was not materialized"
    return {label: value.value for label, value in found[-1].metadata.items()}


def evaluations(result: ExecuteInProcessResult, key: str) -> dict[str, Any]:
    """Checks of an asset in a run, by name."""
    found = result.get_asset_check_evaluations()
    return {one.check_name: one for one in found if one.asset_key == AssetKey(key.split("/"))}


@contextmanager
def home_at(folder: Path, name: str, *, dagster: bool = False, route: str = "", routes: str = "") -> Iterator[Home]:
    """A home over two bases of one client that both know, unlike in nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    bases, keys = {}, {}
    for code in ("ut", "crm"):
        base = bases[code] = BASES[f"{name}_{code}"] = MemoryBase(code)
        define_streams(base)
        record = client("ООО Ромашка")
        keys[code] = str(record["Ref_Key"])
        base.put(CLIENTS, record)
    (folder / "hub.yaml").write_text(settings_of(name, route, routes), encoding="utf-8")
    work = Workplace(lambda: Hub.open(folder, opener))
    made = Home(folder, work, bases, keys)
    if not dagster:
        yield made
        work.close()
        return
    made.defs = build(load_settings(folder), work)
    with DagsterInstance.ephemeral(tempdir=str(folder)) as made.instance:
        yield made
    work.close()
