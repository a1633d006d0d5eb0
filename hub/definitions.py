"""What Dagster loads: everything put together from the settings of the home, without network and without the store.

``obmen up`` serves this module by its own code server; ``dagster dev`` in a folder with ``workspace.yaml`` works too.
A home without usable settings shows one asset that says what is missing.
"""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dagster import AssetsDefinition, AssetSelection, AssetSpec, BetaWarning, Definitions, in_process_executor

from hub.assets import names
from hub.assets.acts import act_ops
from hub.assets.changes import changes_op, decide_op, state_checks
from hub.assets.checks import route_checks
from hub.assets.comms import whose_op
from hub.assets.connections import connection_ops
from hub.assets.duplicates import STAGES, compared, duplicates_assets, duplicates_checks, duplicates_ops
from hub.assets.hand import hand_ops
from hub.assets.lineage import source_specs, table_specs
from hub.assets.merge import merge_ops
from hub.assets.nodes import RouteNode, route_nodes
from hub.assets.plan import apply_op, plan_op
from hub.assets.recording import recording_op
from hub.assets.replay import replay_op
from hub.assets.routes import route_assets
from hub.assets.sending import outgoing_assets, outgoing_checks, written_to
from hub.assets.summary import summary_asset
from hub.assets.workplace import Workplace
from hub.model.errors import NeedsPerson
from hub.model.settings import Settings, SystemSettings, find_home, load_settings
from hub.texts import sentence
from schedules.acts import act_jobs
from schedules.changes import changes_job, changes_sensor, decide_job
from schedules.comms import whose_job
from schedules.duplicates import duplicates_jobs
from schedules.hand import hand_jobs
from schedules.jobs import connections_job, exchange_jobs
from schedules.merge import merge_jobs
from schedules.nightly import nightly_schedule
from schedules.partitions import document_days
from schedules.plan import apply_job, plan_job
from schedules.recording import recording_job
from schedules.replay import replay_job
from schedules.retries import retry_sensor
from schedules.sending import outgoing_selection, push_job
from schedules.sensors import journal_sensor


def build(settings: Settings, work: Workplace) -> Definitions:
    """Definitions of an installation; ``NeedsPerson`` for mappings that cannot be compiled."""
    nodes = route_nodes(settings)
    today = datetime.now(ZoneInfo(settings.company_timezone)).date()
    days = document_days(settings.company_timezone, settings.routes.values(), today)
    assets: list[AssetsDefinition | AssetSpec] = [*source_specs(settings), *table_specs(settings, nodes)]
    assets += [*route_assets(settings, nodes, days, work), summary_asset(settings, nodes, work)]
    active = [node for node in nodes if node.settings.enabled]
    keys = [names.route_key(node.system.code, node.entity.name) for node in active]
    states = state_checks(settings, work)
    sent_to = written_to(settings) if active else []
    assets += outgoing_assets(settings, sent_to, nodes, work)
    selection = AssetSelection.assets(*keys, names.SUMMARY_KEY) | AssetSelection.checks(*states)
    if sent_to:
        selection |= outgoing_selection(sent_to)
    doubles = compared(settings, nodes)
    if doubles:
        assets.append(duplicates_assets(settings, work))
        selection |= AssetSelection.assets(*(["dedup", stage] for stage in STAGES))
    jobs = exchange_jobs(settings, selection) if active else []
    systems = _with_routes(active)
    changes = [changes_job(settings, system, changes_op(settings, system, work)) for system in systems]
    asked = [
        changes_sensor(settings, system, made, work)
        for system, made in zip(systems, changes, strict=True)
        if system.sensor
    ]
    by_day = any(node.dated for node in active)
    return Definitions(
        assets=assets,
        asset_checks=[
            *route_checks(settings, nodes, work),
            *states,
            *outgoing_checks(settings, sent_to, work),
            *([duplicates_checks(settings, work)] if doubles else []),
        ],
        jobs=[
            *jobs,
            *([push_job(settings, sent_to)] if sent_to else []),
            *changes,
            connections_job(settings, connection_ops(settings, work)),
            decide_job(settings, decide_op(settings, work)),
            replay_job(settings, replay_op(settings, work)),
            *act_jobs(settings, act_ops(settings, work)),
            *hand_jobs(settings, hand_ops(settings, work)),
            *merge_jobs(settings, merge_ops(settings, work)),
            *(duplicates_jobs(settings, duplicates_ops(settings, work)) if doubles else []),
            recording_job(settings, recording_op(settings, work)),
            whose_job(settings, whose_op(settings, work)),
            plan_job(settings, plan_op(settings, work)),
            apply_job(settings, apply_op(settings, work)),
        ],
        schedules=[nightly_schedule(settings, jobs[0], by_day=by_day)] if jobs else [],
        sensors=[journal_sensor(settings, work), retry_sensor(settings), *asked],
        executor=in_process_executor,
    )


def _with_routes(active: list[RouteNode]) -> list[SystemSettings]:
    """Systems of which anything is exchanged."""
    return list({node.system.code: node.system for node in active}.values())


def empty(problem: NeedsPerson, lang: str = "ru") -> Definitions:
    """One asset whose page says what is missing and what to do."""
    text = f"{problem.sentence(lang)} {problem.advice(lang)}".strip()
    spec = AssetSpec(
        names.SUMMARY_KEY,
        description=sentence("dg_empty", lang, problem=text),
        group_name=names.SUMMARY_GROUP,
        owners=[names.OWNER],
    )
    return Definitions(assets=[spec])


def load(home: Path) -> Definitions:
    """Definitions of the installation in ``home``, whatever state it is in."""
    lang = "ru"
    try:
        settings = load_settings(home)
        lang = settings.locale
        return build(settings, Workplace.at(settings.home))
    except NeedsPerson as problem:
        return empty(problem, lang)


# Parts of Dagster that we use on purpose still carry the mark; a warning for each asset would fill the logs.
warnings.filterwarnings("ignore", category=BetaWarning)
defs = load(find_home())
