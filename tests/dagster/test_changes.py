"""Changes in Dagster: a sensor that asks cheaply and starts one run, and an admin's word on a base as a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterRunStatus,
    SensorResult,
    SkipReason,
    build_sensor_context,
)
from sqlalchemy import select

from hub.assets import names
from hub.exchange import went_back
from hub.exchange.service import run_exchange
from hub.model.errors import StopSystem
from hub.store import core
from tests.dagster.base import ORDERS, PARTIES, order, party
from tests.dagster.conftest import Site, numbers, site_at

NODE = "    exchange_plan: Обмен\n    node: n\n"


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Site]:
    """A site whose base has a node for us, asked every minute."""
    with site_at(tmp_path / "home", "fed", system=f"{NODE}    sensor: 1m\n") as made:
        made.base.subscribe("n")
        run_exchange(made.hub)
        yield made


@pytest.fixture
def unfed(tmp_path: Path) -> Iterator[Site]:
    """A site without a node: only its documents can be asked about."""
    with site_at(tmp_path / "home", "unfed", system="    sensor: 5m\n") as made:
        run_exchange(made.hub)
        yield made


def tick(site: Site, cursor: str | None = None) -> SensorResult | SkipReason:
    """One tick of the sensor of ``ut``."""
    asked = site.defs.resolve_sensor_def("changes_ut_sensor")
    with build_sensor_context(instance=site.instance, cursor=cursor) as context:
        found = asked(context)
    assert isinstance(found, (SensorResult, SkipReason))
    return found


def started(found: SensorResult | SkipReason) -> list[str | None]:
    """Keys of the runs that a tick asks for."""
    return [run.run_key for run in found.run_requests or ()] if isinstance(found, SensorResult) else []


def test_nothing_new_starts_nothing_and_takes_nothing(fed: Site) -> None:
    """An idle base gets one question; the node is free again and nothing is acknowledged."""
    before = fed.hub.connector("ut").traffic.requests
    assert started(tick(fed)) == []
    assert fed.hub.connector("ut").traffic.requests == before + 1
    assert fed.rows(select(core.feed_node.c.holder, core.feed_node.c.acknowledged)) == [(None, None)]


def test_two_ticks_never_start_two_runs(fed: Site) -> None:
    """The same news has the same key; while the run is going nothing is asked; once taken, nothing is new."""
    fed.base.put(PARTIES, party(1) | {"Description": "Новое имя"})
    first = tick(fed)
    assert isinstance(first, SensorResult)
    assert len(started(first)) == 1
    assert started(tick(fed)) == started(first)
    run = fed.instance.create_run_for_job(
        fed.defs.resolve_job_def("changes_ut"), tags={names.SYSTEM_TAG: "ut"}, status=DagsterRunStatus.STARTED
    )
    before = fed.hub.connector("ut").traffic.requests
    assert isinstance(tick(fed), SkipReason)
    assert fed.hub.connector("ut").traffic.requests == before
    fed.instance.delete_run(run.run_id)
    result = fed.run("changes_ut", day=None)
    assert result.success
    assert numbers(result, "ut/party")["изменено"] == 1
    assert started(tick(fed, first.cursor)) == []
    assert fed.rows(select(core.exchange_run.c.mode, core.exchange_run.c.dagster_run_id))[-1] == (
        "changes",
        result.run_id,
    )


def test_a_run_that_failed_is_started_again(fed: Site) -> None:
    """The cursor of Dagster is a hint: the same news after a failed run has another key."""
    fed.base.put(PARTIES, party(1) | {"Description": "Новое имя"})
    first = tick(fed)
    assert isinstance(first, SensorResult)
    fed.instance.create_run_for_job(fed.defs.resolve_job_def("changes_ut"), status=DagsterRunStatus.FAILURE)
    again = started(tick(fed, first.cursor))
    assert len(again) == 1
    assert again != started(first)


def test_documents_of_today_are_asked_about_where_there_is_no_feed(unfed: Site) -> None:
    """One page of keys and versions: a new order and a changed one are news, an unchanged one is none."""
    day = datetime.now(ZoneInfo("Europe/Moscow")).date().isoformat()
    turns = [json.dumps({"turn": turn, "mark": ""}) for turn in range(8)]
    assert [key for turn in turns for key in started(tick(unfed, turn))] == []
    unfed.base.put(ORDERS, order(77, day))
    assert len([key for turn in turns for key in started(tick(unfed, turn))]) >= 1
    assert unfed.run("changes_ut", day=None).success
    assert [key for turn in turns for key in started(tick(unfed, turn))] == []
    unfed.base.put(ORDERS, order(77, day, 999.0))
    assert len([key for turn in turns for key in started(tick(unfed, turn))]) >= 1


def test_a_base_that_went_back_fails_its_check_and_waits_for_the_job(fed: Site) -> None:
    """Check and sensor say what is wrong; the job has the same effect as the command."""
    with pytest.raises(StopSystem):
        went_back.stop(fed.hub, "ut", "back_feed", {"stream": "", "number": 1, "of": 2})
    found = tick(fed)
    assert isinstance(found, SkipReason)
    assert "вернулась в прошлое" in str(found.skip_message)
    result = fed.run()
    evaluations = {one.asset_check_key: one for one in result.get_asset_check_evaluations()}
    state = evaluations[AssetCheckKey(AssetKey(["ut", "source"]), "system_state")]
    assert not state.passed
    decided = fed.run(
        "decide_system", day=None, run_config={"ops": {"decide": {"config": {"system": "ut", "decision": "go-on"}}}}
    )
    assert decided.success
    assert fed.rows(select(core.system.c.state, core.system.c.state_by)) == [("live", "dagster")]
    assert not isinstance(tick(fed), SkipReason)


def test_no_sensor_without_the_setting(site: Site) -> None:
    """Nothing is asked of a base whose settings do not say so; its changes can still be taken by hand."""
    assert [sensor.name for sensor in site.defs.sensors or ()] == ["command_exchanges", "lost_retries"]
    assert site.defs.resolve_job_def("changes_ut").name == "changes_ut"


STATE = AssetCheckKey(AssetKey(["ut", "source"]), "system_state")


def shown(site: Site) -> list[bool]:
    """What Dagster keeps of the system's check, the newest first: did it pass."""
    records = site.instance.event_log_storage.get_asset_check_execution_history(STATE, limit=10)
    return [record.event.dagster_event.asset_check_evaluation_data.passed for record in records]  # type: ignore[union-attr]


def test_the_run_that_finds_a_base_gone_back_says_so_at_its_check(fed: Site) -> None:
    """The run fails, and the check of the system is red without waiting for the next exchange; the admin's word mends
    it at once, and a run of changes keeps it so.
    """
    before = dict(fed.base.records[PARTIES])
    fed.base.put(PARTIES, party(1) | {"Description": "Новое имя"})
    assert fed.run("changes_ut", day=None).success
    assert shown(fed) == [True]
    fed.base.records[PARTIES] = before
    assert not fed.run("changes_ut", day=None).success
    assert shown(fed) == [False, True]
    config = {"ops": {"decide": {"config": {"system": "ut", "decision": "restored"}}}}
    assert fed.run("decide_system", day=None, run_config=config).success
    assert shown(fed)[0]
    assert fed.run("changes_ut", day=None).success
    assert shown(fed) == [True, True, False, True]


def test_what_a_run_of_changes_leaves_to_the_night_is_said(unfed: Site) -> None:
    """Lists without a node are not shown as read: the run names them, and their pages get no new entry."""
    result = unfed.run("changes_ut", day=None)
    assert result.success
    (output,) = [event for event in result.all_events if event.is_successful_output]
    later = str(output.step_output_data.metadata["ждут ночи"].value).split(", ")
    assert "ut.party" in later
    assert "ut.sales_order" not in later
    assert AssetKey(["ut", "party"]) not in {one.asset_key for one in result.get_asset_materialization_events()}
    (state,) = unfed.rows(
        select(core.run_route.c.state)
        .join(core.route, core.route.c.id == core.run_route.c.route_id)
        .where(core.route.c.code == "ut.party")
        .order_by(core.run_route.c.run_id.desc())
        .limit(1)
    )
    assert state == ("later",)
