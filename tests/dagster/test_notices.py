"""The sensor of a system whose notices are heard: it looks often, asks the service seldom, tries no failure sooner."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, Definitions, SensorResult, SkipReason, build_sensor_context

from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.hub import Hub
from hub.exchange.notices import Inbox
from hub.model.settings import SystemSettings
from hub.model.settings_comms import CallSettings
from hub.store.database import open_store
from schedules.changes import LOOK
from tests.connectors.cloud_pbx.base import Account, account, signed
from tests.connectors.cloud_pbx.fake import FakeCall
from tests.exchange.installation import make_hub

Tick = SensorResult | SkipReason


@dataclass
class Site:
    """An account on a fake that was read so many seconds ago, and Dagster on top."""

    account: Account
    hub: Hub
    defs: Definitions
    instance: DagsterInstance

    def read(self, ago: int = 0) -> None:
        """A run of the sensor's job, as if it was so many seconds ago."""
        self.account.now = datetime.now(UTC) - timedelta(seconds=ago)
        result = self.defs.resolve_job_def("changes_office").execute_in_process(instance=self.instance)
        assert result.success

    def hear(self, ago: int, event: str = "Disconnected") -> None:
        """A notice of so many seconds ago."""
        inbox = Inbox(self.hub, lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=ago))
        inbox.take("office", *signed("mango", "c1", event))
        inbox.close()

    def tick(self, cursor: str | None = None) -> Tick:
        """What the sensor does."""
        with build_sensor_context(instance=self.instance, cursor=cursor) as context:
            found = self.defs.resolve_sensor_def("changes_office_sensor")(context)
        assert isinstance(found, (SensorResult, SkipReason))
        return found


def keys(found: Tick) -> list[str | None]:
    """Keys of the runs that a tick asks for."""
    return [run.run_key for run in found.run_requests or ()] if isinstance(found, SensorResult) else []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Asked every five minutes."""
    calls = CallSettings(service="mango", notices=True)
    office = SystemSettings("office", "pbx_cloud", "Europe/Moscow", "calls", "Манго", sensor=300, calls=calls)
    with ExitStack() as stack:
        made = account(stack, "mango")
        store = open_store(f"sqlite:///{tmp_path}/store.db")
        store.migrate()
        hub = make_hub(store, tmp_path, {"office": made.open()}, {"office": office})
        work = Workplace(lambda: hub)
        stack.callback(work.close)
        instance = stack.enter_context(DagsterInstance.ephemeral(tempdir=str(tmp_path)))
        yield Site(made, hub, build(hub.settings, work), instance)


def test_a_notice_starts_one_run_as_soon_as_its_call_can_be_read(site: Site) -> None:
    """Nothing is due between two reads; a notice that is ripe starts a run; once read, it starts none again."""
    sensor = site.defs.resolve_sensor_def("changes_office_sensor")
    assert sensor.minimum_interval_seconds == LOOK
    site.read(ago=120)
    asked = len(site.account.cloud.got)
    assert keys(site.tick()) == []
    site.hear(ago=20)  # not ripe yet
    assert keys(site.tick()) == []
    site.hear(ago=100, event="Connected")  # not over
    assert keys(site.tick()) == []
    site.account.cloud.add(FakeCall("c1", datetime.now(UTC) - timedelta(seconds=170)))
    site.hear(ago=90)
    first = site.tick()
    assert isinstance(first, SensorResult)
    assert len(keys(first)) == 1
    assert keys(site.tick()) == keys(first), "two ticks never start two runs"
    assert len(site.account.cloud.got) == asked, "the service itself is asked nothing"
    site.read()
    assert keys(site.tick(first.cursor)) == []


def test_the_rhythm_holds_without_any_notice(site: Site) -> None:
    """A service that sends nothing, or whose notices get lost, is asked as often as the settings say."""
    site.read(ago=310)
    assert len(keys(site.tick())) == 1


def test_a_failed_read_is_not_tried_sooner_for_a_notice(site: Site) -> None:
    """A service that is down is not asked every half minute."""
    site.read(ago=120)
    site.hear(ago=90)
    first = site.tick()
    assert isinstance(first, SensorResult)
    site.instance.create_run_for_job(site.defs.resolve_job_def("changes_office"), status=DagsterRunStatus.FAILURE)
    again = site.tick(first.cursor)
    assert isinstance(again, SkipReason)
    assert "не удался" in str(again.skip_message)
    told = json.loads(first.cursor or "{}")
    later = site.tick(json.dumps(told | {"at": int(time.time()) - 300}))
    assert len(keys(later)) == 1
    assert keys(later) != keys(first)
