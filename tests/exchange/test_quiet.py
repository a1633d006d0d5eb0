"""Quiet hours: nothing is asked in them, what has begun stops between pages, and routes end as waiting."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.base import ReadRequest
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import quiet
from hub.exchange.quiet import QuietConnector, quiet_until
from hub.exchange.service import exchange_changes, run_exchange
from hub.model.errors import RetryLater
from hub.model.settings import SystemSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange.installation import make_hub

CLIENTS = "Catalog_Контрагенты"


def system(first: str, last: str, zone: str = "Europe/Moscow") -> SystemSettings:
    hours = (time.fromisoformat(first), time.fromisoformat(last))
    return SystemSettings("ut", "memory", zone, "onec_ut11", quiet_hours=hours)


@pytest.mark.parametrize(
    ("first", "last", "utc", "until"),
    [
        ("01:00", "03:00", "2026-11-26T22:30", "2026-11-27T03:00"),
        ("01:00", "03:00", "2026-11-26T21:59", None),
        ("01:00", "03:00", "2026-11-27T00:00", None),
        ("23:00", "02:00", "2026-11-26T20:30", "2026-11-27T02:00"),
        ("23:00", "02:00", "2026-11-26T22:30", "2026-11-27T02:00"),
        ("23:00", "02:00", "2026-11-26T12:00", None),
    ],
)
def test_hours_are_those_of_the_system(first: str, last: str, utc: str, until: str | None) -> None:
    """By the system's own clocks, its end excluded, over midnight too."""
    end = quiet_until(system(first, last), datetime.fromisoformat(utc).replace(tzinfo=UTC))
    assert (f"{end:%Y-%m-%dT%H:%M}" if end else None) == until


def test_a_read_under_way_stops_at_its_next_page(base: MemoryBase) -> None:
    """The hours begin between two pages: the second is not asked for, and the error says how long they last."""
    moments = iter(["2026-11-26T21:59", "2026-11-26T22:00"])
    clock: Any = lambda: datetime.fromisoformat(next(moments)).replace(tzinfo=UTC)  # noqa: E731
    inner = MemoryConnector(base, page_size=10)
    pages = QuietConnector(inner, system("01:00", "03:00"), clock).read(ReadRequest(CLIENTS, key=("Ref_Key",)))
    assert len(next(pages).records) == 10
    with pytest.raises(RetryLater) as caught:
        next(pages)
    assert (caught.value.code, caught.value.retry_after, caught.value.params["until"]) == ("quiet_hours", 7200, "03:00")
    assert inner.traffic.requests == 1


def test_routes_wait_and_nothing_is_asked(
    store: Store, base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchange and changes end well, every route waits with its sentence; not one request was sent."""
    monkeypatch.setattr(quiet, "quiet_until", lambda _system, now: now.replace(hour=23, minute=59))
    connector = MemoryConnector(base)
    hub = make_hub(store, tmp_path, {"ut": connector}, {"ut": system("00:00", "23:59")})
    for report in (run_exchange(hub), exchange_changes(hub)):
        assert {route.state for route in report.routes} == {"waiting"}
        assert (report.exit_code, report.state) == (0, "waiting")
    assert connector.traffic.requests == 0
    with store.read() as conn:
        rows = conn.execute(select(core.run_route.c.state, core.run_route.c.error_code)).all()
        runs = conn.execute(select(core.exchange_run.c.state)).scalars().all()
    assert set(rows) == {("waiting", "quiet_hours")}
    assert set(runs) == {"waiting"}
