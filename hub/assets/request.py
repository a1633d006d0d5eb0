"""What a step is asked to do, read off its run: mode, window, and which routes the run is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagster import AssetExecutionContext, DagsterRun

from hub.assets.names import ENTITY_TAG, MODE_TAG, RUN_TAG, SEVERAL, SYSTEM_TAG, outgoing_step
from hub.assets.nodes import RouteNode
from hub.exchange import service
from hub.exchange.hub import Hub
from hub.model.records import Window

#: Set by jobs; a run without the tag was started by a person on the assets themselves.
MODES = ("nightly", "manual", "backfill", "initial", "push")


@dataclass(frozen=True, slots=True)
class Request:
    """``window``: days to re-read; None reads as the route is set."""

    mode: str
    window: Window | None

    @property
    def silent(self) -> bool:
        """Nothing but data may come of it: no tasks, no mails."""
        return self.mode in {"backfill", "initial"}


def request_of(context: AssetExecutionContext) -> Request:
    """Jobs say their mode in a tag and read as the route is set, whatever partition the run carries.

    Days chosen by a person on the asset itself are a backfill of exactly these days.
    """
    told = context.run.tags.get(MODE_TAG)
    if told in MODES and told != "backfill":
        return Request(str(told), None)
    if context.has_partition_key or context.has_partition_key_range:
        return Request("backfill", partition_window(context))
    return Request(str(told or "manual"), None)


def partition_window(context: AssetExecutionContext) -> Window:
    """The days of the run's partitions; ends are midnights in the company's zone, whatever their length in hours."""
    window = context.partition_time_window
    return Window(window.start.date(), window.end.date())


def planned(context: AssetExecutionContext, nodes: Mapping[str, RouteNode]) -> list[RouteNode]:
    """The routes this run is to pull, in load order. ``nodes``: all there are, by step key."""
    steps = _steps(context)
    return [node for step, node in nodes.items() if step in steps]


def _steps(context: AssetExecutionContext) -> set[str]:
    return set(context.run.step_keys_to_execute or ()) or {node.name for node in context.job_def.nodes}


def opened(context: AssetExecutionContext, hub: Hub, nodes: Mapping[str, RouteNode], ask: Request) -> int:
    """The exchange run of this Dagster run: opened by the first of its steps, joined by the others.

    It stays open until every route it is to pull has ended, and every route of the systems it is to send to.
    """
    run, routes, steps = context.run, planned(context, nodes), _steps(context)
    sent_to = [system for system in hub.settings.systems if outgoing_step(system) in steps]
    schedule = run.tags.get("dagster/schedule_name")
    run_id = service.open_run(
        hub,
        [node.code for node in routes],
        sends_to=sent_to,
        mode=ask.mode,
        initiator=f"schedule:{schedule}" if schedule else "dagster",
        dagster_run_id=run.run_id,
        supersedes=run.parent_run_id,
        silent=ask.silent,
    )
    tags = run_tags(run, {node.system.code for node in routes} | set(sent_to), routes, ask.mode)
    context.instance.add_run_tags(run.run_id, {**tags, RUN_TAG: str(run_id)})
    return run_id


def run_tags(run: DagsterRun, systems: set[str], routes: list[RouteNode], mode: str) -> dict[str, str]:
    """Tags to look runs up by, for those that the run does not carry from its job."""
    tags = {
        SYSTEM_TAG: _one(systems),
        ENTITY_TAG: _one({node.entity.name for node in routes}),
        MODE_TAG: mode,
    }
    return {name: value for name, value in tags.items() if name not in run.tags}


def _one(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else SEVERAL
