"""Exchanges as Dagster runs them: what lands in the store, in the journal and on the asset's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterEventType, ExecuteInProcessResult, RetryPolicy
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from sqlalchemy import select

from hub.assets import outcome, summary
from hub.exchange.service import run_exchange
from hub.model.entities import ENTITIES
from hub.model.errors import RetryLater, StopRoute, StopSystem
from hub.store import core
from hub.store.journal import content_hash
from tests.dagster import base as small
from tests.dagster.conftest import Site, numbers, site_at

ORDERS = "ut/sales_order"


def failures(result: ExecuteInProcessResult) -> dict[str, str]:
    """The message of each failed step, as the UI shows it."""
    return {
        str(event.step_key): event.step_failure_data.error.message
        for event in result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_FAILURE)
        if event.step_failure_data.error is not None and "Dependencies for step" not in (event.message or "")
    }


def contents(site: Site) -> dict[str, str]:
    """A fingerprint of each business table."""
    with site.hub.store.read() as conn:
        return {name: content_hash(conn, entity) for name, entity in ENTITIES.items()}


def journal(site: Site) -> list[tuple[object, ...]]:
    """Route rows of every run without what differs by clock and by the way of starting."""
    part, run = core.run_route, core.exchange_run
    names = ("state", "received", "created", "updated", "unchanged", "skipped", "parked", "quarantined", "released")
    columns = [part.c[name] for name in (*names, "pages", "skipped_by", "window_start", "window_end", "error_code")]
    query = (
        select(part.c.run_id, core.route.c.code, run.c.mode, run.c.silent, run.c.planned, *columns)
        .join(core.route, core.route.c.id == part.c.route_id)
        .join(run, run.c.id == part.c.run_id)
        .order_by(part.c.run_id, core.route.c.id)
    )
    return [tuple(row) for row in site.rows(query)]


def test_the_nightly_job_exchanges_everything(site: Site) -> None:
    """All routes in one run and one process; the numbers on the asset's page are those of the journal."""
    result = site.run()
    assert result.success
    told = numbers(result, ORDERS)
    assert told["получено"] == told["создано"] == told["dagster/row_count"] == 6
    assert told["режим"] == "ночной"
    assert numbers(result, "obmen/party")["dagster/row_count"] == 3
    (run,) = site.rows(select(core.exchange_run))
    assert (run.mode, run.state, run.dagster_run_id, run.silent) == ("nightly", "completed", result.run_id, False)
    assert told["обмен №"] == run.id
    assert run.planned == list(site.hub.routes)


def test_the_second_night_changes_nothing(site: Site) -> None:
    """Same source: nothing created or updated, the business tables are the same."""
    site.run()
    before = contents(site)
    told = numbers(site.run(day="2026-03-03"), ORDERS)
    assert (told["создано"], told["изменено"], told["без изменений"]) == (0, 0, 6)
    assert contents(site) == before


def test_steps_go_in_load_order_with_checks_after_their_route(site: Site) -> None:
    """Referenced entities first, each route's checks before the next route, then duplicates, the summary last; the
    base's own check stands anywhere before it, once.
    """
    started = [str(event.step_key) for event in site.run().get_step_success_events()]
    started.remove("ut__source_system_state")
    routes = [step for step in started if step.startswith("ut__") and not step.endswith("__checks")]
    assert routes == [code.replace(".", "__") for code in site.hub.routes]
    last = ["duplicates", "duplicates__checks", "obmen__morning_summary"]
    assert started == [step for name in routes for step in (name, f"{name}__checks")] + last


def test_command_and_dagster_leave_the_same_journal(tmp_path: Path) -> None:
    """Two nights by Dagster here, two by the service there: same rows of the journal, same contents."""
    with site_at(tmp_path / "a", "a") as by_dagster, site_at(tmp_path / "b", "b") as by_command:
        for _ in range(2):
            assert by_dagster.run().success
            run_exchange(by_command.hub, mode="nightly", initiator="cli")
        assert journal(by_dagster) == journal(by_command)
        assert len(journal(by_dagster)) == 2 * len(by_dagster.hub.routes)
        assert contents(by_dagster) == contents(by_command)


def test_one_failed_route_does_not_stop_the_others(site: Site) -> None:
    """Products cannot be read: their step fails, orders still come and wait for them, the next night releases them."""
    site.hub.profile("ut")
    products = site.base.infos.pop(small.PRODUCTS)
    result = site.run()
    assert list(failures(result)) == ["ut__product"]
    told = numbers(result, ORDERS)
    assert (told["получено"], told["ждёт других записей"], told["создано"]) == (6, 6, 0)
    site.base.infos[small.PRODUCTS] = products
    again = site.run()
    assert again.success
    assert numbers(again, "ut/product")["дождалось и записано"] == 6
    assert numbers(again, ORDERS)["dagster/row_count"] == 6


def test_a_stopped_route_fails_with_a_sentence_and_no_stack(site: Site) -> None:
    """StopRoute: the step's message is sentence and advice, nothing is retried, the run fails, the rest is done."""
    site.base.fail(StopRoute("unknown_set", system="Торговля", stream="Catalog_Валюты"))
    result = site.run()
    assert not result.success
    error = StopRoute("unknown_set", system="Торговля", stream="Catalog_Валюты")
    assert failures(result) == {"ut__currency": str(error)}
    assert numbers(result, ORDERS)["создано"] == 6
    assert result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_UP_FOR_RETRY) == []
    report = numbers(result, "obmen/morning_summary")
    assert report["срочно"] >= 1
    (run,) = site.rows(select(core.exchange_run.c.state))
    assert run.state == "failed"


def test_a_passing_fault_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """RetryLater: the step waits, is tried again and succeeds; the run ends well and the summary waits for it."""
    # The system counts as down until every route has been put off, also on a slow machine: they come back in order.
    monkeypatch.setattr(outcome, "RETRY", RetryPolicy(max_retries=3, delay=9.0))
    monkeypatch.setattr(summary, "_LOOK_AGAIN", 0.2)
    site.base.fail(RetryLater("onec_down", system="Торговля"))
    monkeypatch.setattr("hub.assets.workplace.DOWN_FOR", 8.0)
    result = site.run()
    assert result.success
    assert numbers(result, ORDERS)["создано"] == 6
    retried = result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_UP_FOR_RETRY)
    assert "ut__currency" in {event.step_key for event in retried}
    assert [str(event.step_key) for event in result.get_step_success_events()][-1] == "obmen__morning_summary"
    (run,) = site.rows(select(core.exchange_run.c.state))
    assert run.state == "completed"
    assert "ВСЁ В ПОРЯДКЕ" in numbers(result, "obmen/morning_summary")["сводка"]


def test_a_refused_system_is_not_asked_for_its_other_routes(site: Site) -> None:
    """A wrong password is tried once, not once per route (1C locks users out). The journal has every route."""
    site.base.fail(*[StopSystem("auth_failed", system="Торговля") for _ in range(40)])
    result = site.run()
    assert not result.success
    assert set(failures(result)) == {code.replace(".", "__") for code in site.hub.routes}
    assert site.hub.connector("ut").traffic.requests == 1
    states = {row.error_code for row in site.rows(select(core.run_route.c.error_code))}
    assert states == {"auth_failed"}
    assert len(site.rows(select(core.run_route))) == len(site.hub.routes)
    (run,) = site.rows(select(core.exchange_run.c.state))
    assert run.state == "failed"


def test_a_fault_that_stays_fails_the_step_in_the_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last try the step fails with the same sentence and without a stack."""
    monkeypatch.setattr(outcome, "RETRY", RetryPolicy(max_retries=2, delay=0.05))
    monkeypatch.setattr("hub.assets.workplace.DOWN_FOR", 0.0)
    site.base.fail(*[RetryLater("onec_down", system="Торговля") for _ in range(40)])
    result = site.materialize("ut/party")
    assert not result.success
    (message,) = failures(result).values()
    assert message == str(RetryLater("onec_down", system="Торговля"))
    retried = result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_UP_FOR_RETRY)
    assert len(retried) == 2


def test_records_that_do_not_pass_are_told_by_reason(site: Site) -> None:
    """A broken date goes to quarantine, a folder is skipped: the table names both reasons and no client."""
    site.base.put(small.ORDERS, small.order(90, "2026-03-01") | {"Date": "вчера"})
    site.base.put(small.PRODUCTS, small.product(90) | {"IsFolder": True})
    result = site.run()
    told = numbers(result, ORDERS)
    assert told["в карантин"] == told["в карантине сейчас"] == 1
    (row,) = told["пропуски и карантин"].records
    assert row.data == {"что": "в карантине сейчас", "причина": "bad_date", "сколько": 1}
    (row,) = numbers(result, "ut/product")["пропуски и карантин"].records
    assert (row.data["что"], row.data["сколько"]) == ("пропущено", 1)
    assert not row.data["причина"].startswith("skip_")
    texts = [str(event.event_specific_data) for event in result.all_events]
    assert not [text for text in texts if "Клиент 1" in text or "7707083893" in text]


def test_runs_can_be_found_by_their_tags(site: Site) -> None:
    """A run that a person starts on one asset is tagged with system, entity, mode and the number of the exchange."""
    result = site.materialize("ut/party")
    run = site.instance.get_run_by_id(result.run_id)
    assert run is not None
    wanted = {"obmen/system": "ut", "obmen/entity": "party", "obmen/mode": "manual", "obmen/run": "1"}
    assert wanted.items() <= run.tags.items()
    (row,) = site.rows(select(core.exchange_run))
    assert (row.mode, row.initiator, row.planned, row.state) == ("manual", "dagster", ["ut.party"], "completed")


def test_a_retried_run_takes_over_from_its_parent(site: Site) -> None:
    """The parent's process lives on as an orphan that holds the route: the retry fences it and does the work."""
    parent = site.materialize("ut/party")
    with site.hub.store.begin() as conn:
        conn.execute(core.exchange_run.update().values(state="running", ended_at=None))
        later = datetime.now(UTC) + timedelta(hours=1)
        conn.execute(core.route.update().values(lease_run_id=1, lease_until=later))
    job = site.defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={AssetKey(["ut", "party"])})
    again = site.instance.create_run_for_job(job, parent_run_id=parent.run_id, root_run_id=parent.run_id)
    assert execute_run(InMemoryJob(job), again, site.instance).success
    states = dict(site.rows(select(core.exchange_run.c.dagster_run_id, core.exchange_run.c.state)))
    assert states == {parent.run_id: "fenced", again.run_id: "completed"}


def test_the_table_asset_follows_the_store(site: Site) -> None:
    """The central table's asset is materialized by whoever writes to it."""
    site.run()
    record = site.instance.get_latest_materialization_event(AssetKey(["obmen", "sales_order"]))
    assert record is not None
    assert record.asset_materialization is not None
    assert record.asset_materialization.metadata["dagster/row_count"].value == 6
