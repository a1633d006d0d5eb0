"""What a step is asked to do, read off its run: mode, window, and which routes the run is about."""

from __future__ import annotations

from dataclasses import dataclass

from dagster import AssetExecutionContext, DagsterRun

from hub.assets.names import ENTITY_TAG, MODE_TAG, SEVERAL, SYSTEM_TAG
from hub.assets.nodes import RouteNode
from hub.model.records import Window

#: Set by jobs; a run without the tag was started by a person on the assets themselves.
MODES = ("nightly", "manual", "backfill", "initial")


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


def planned(context: AssetExecutionContext, nodes: dict[str, RouteNode]) -> list[RouteNode]:
    """The routes this run is to pull, in load order. ``nodes``: all there are, by step key."""
    steps = set(context.run.step_keys_to_execute or ())
    if not steps:
        steps = {node.name for node in context.job_def.nodes}
    return [node for step, node in nodes.items() if step in steps]


def run_tags(run: DagsterRun, routes: list[RouteNode], mode: str) -> dict[str, str]:
    """Tags to look runs up by, for those that the run does not carry from its job."""
    tags = {
        SYSTEM_TAG: _one({node.system.code for node in routes}),
        ENTITY_TAG: _one({node.entity.name for node in routes}),
        MODE_TAG: mode,
    }
    return {name: value for name, value in tags.items() if name not in run.tags}


def _one(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else SEVERAL
