"""Between pages: progress is told in measure, and a run that Dagster has ended writes no further page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, AssetObservation, DagsterEventType, DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import select

from connectors.base import ReadRequest
from hub.assets.watch import LOG_EVERY, LOOK_EVERY, OBSERVE_EVERY, Fence, Teller
from hub.exchange.service import Progress
from hub.model.errors import Fenced
from hub.model.records import Page
from hub.store import core
from tests.dagster.conftest import Site


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """A Dagster instance of the test's own."""
    with DagsterInstance.ephemeral(tempdir=str(tmp_path)) as made:
        yield made


def progress(done: int, total: int | None = 100) -> Progress:
    """Some way through a read."""
    return Progress("ut.party", "Catalog_Контрагенты", done, total, done, 0)


def test_progress_is_logged_in_measure() -> None:
    """One line per interval, however many pages; observations are rarer still."""
    clock = Clock()
    lines: list[str] = []
    observed: list[AssetObservation] = []

    def observe(event: AssetObservation) -> None:
        observed.append(event)

    teller = Teller(lines.append, observe, AssetKey(["ut", "party"]), "ru", clock)
    for second in range(int(OBSERVE_EVERY) + 1):
        clock.now = float(second)
        teller(progress(second))
    assert len(lines) == int(OBSERVE_EVERY / LOG_EVERY)
    assert lines[0] == "ut.party: прочитано 10 из 100, создано 10, изменено 0"
    assert len(observed) == 1


def test_progress_without_a_known_total() -> None:
    """A source that does not tell how many there are gives a line without "of"."""
    clock = Clock()
    lines: list[str] = []
    teller = Teller(lines.append, lambda _: None, AssetKey(["ut", "party"]), "en", clock)
    clock.now = LOG_EVERY
    teller(progress(7, None))
    assert lines == ["ut.party: 7 read, 7 created, 0 updated"]


@pytest.mark.parametrize(
    ("status", "stops"),
    [
        (DagsterRunStatus.STARTED, False),
        (DagsterRunStatus.STARTING, False),
        (DagsterRunStatus.CANCELING, True),
        (DagsterRunStatus.CANCELED, True),
        (DagsterRunStatus.FAILURE, True),
    ],
)
def test_the_fence_follows_the_run_s_state(instance: DagsterInstance, status: DagsterRunStatus, stops: bool) -> None:
    """Only a run that is going on may write."""
    clock = Clock()
    fence = Fence(instance, create_run_for_test(instance, status=status).run_id, clock)
    clock.now = LOOK_EVERY
    assert fence() is stops


def test_the_fence_looks_at_a_bounded_rate_and_stays_down(instance: DagsterInstance) -> None:
    """Between two looks the storage is not read; a run that was deleted is fenced for good."""
    clock = Clock()
    run = create_run_for_test(instance, status=DagsterRunStatus.STARTED)
    fence = Fence(instance, run.run_id, clock)
    instance.delete_run(run.run_id)
    assert not fence()
    clock.now = LOOK_EVERY - 0.1
    assert not fence()
    clock.now = LOOK_EVERY
    assert fence()
    assert fence()


def test_a_run_ended_by_a_person_writes_no_further_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is failed in Dagster while its process reads on: the page that comes then is not written."""
    monkeypatch.setattr("hub.assets.watch.LOOK_EVERY", 0.0)
    site.materialize("ut/product", "ut/party")
    connector = site.hub.connector("ut")
    real = connector.read

    def slow(request: ReadRequest) -> Iterator[Page]:
        for run in site.instance.get_runs(limit=1):
            site.instance.report_run_failed(run, "ended by a person")
        yield from real(request)

    monkeypatch.setattr(connector, "read", slow)
    result = site.materialize("ut/sales_order")
    assert not result.success
    assert site.rows(select(core.change_log.c.id).where(core.change_log.c.entity == "sales_order")) == []
    (event,) = result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_FAILURE)
    assert event.step_failure_data.error is not None
    assert event.step_failure_data.error.message == str(Fenced("stopped", route="ut.sales_order"))
