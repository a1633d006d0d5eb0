"""Calls through the hub: activities with who talked, nothing twice, a late leg on the same record, refused lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.exchange.hub import Hub
from hub.exchange.service import backfill, run_exchange
from hub.model.records import Window
from hub.model.settings import SystemSettings
from hub.model.settings_comms import CallSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.connectors.telephony.asterisk import Exchange, InCsv, InTable, leg
from tests.connectors.telephony.test_polls import call, epoch
from tests.exchange.installation import make_hub


@pytest.fixture(params=["pbx_db", "pbx_files"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Exchange:
    """An exchange with a database, and one with files."""
    if request.param == "pbx_db":
        return InTable(f"sqlite:///{tmp_path}/cdr.db")
    return InCsv(tmp_path / "cdr-csv")


def open_hub(store: Store, home: Path, exchange: Exchange) -> Hub:
    """A hub whose one system is that exchange, opened as hub.yaml would."""
    kind, url = (
        ("pbx_files", exchange.settings.files) if exchange.settings.files else ("pbx_db", f"sqlite:///{home}/cdr.db")
    )
    told: dict[str, Any] = {"kind": kind, "url": url, "timezone": "Europe/Moscow", "profile": "calls", "page_size": 3}
    return make_hub(store, home, systems={"pbx": SystemSettings(code="pbx", calls=CallSettings(), **told)})


@pytest.fixture
def hub(store: Store, tmp_path: Path, exchange: Exchange) -> Iterator[Hub]:
    """That hub, on each store."""
    made = open_hub(store, tmp_path, exchange)
    yield made
    made.close()


def activities(store: Store) -> list[dict[str, Any]]:
    """All calls in the store, in order, with their details and who took part."""
    root, detail, people = (
        tables.ROOTS["activity"],
        tables.CHILDREN["call_detail"],
        tables.CHILDREN["activity_participant"],
    )
    with store.read() as conn:
        found = []
        for row in conn.execute(select(root).order_by(root.c.started_at, root.c.external_key)).mappings():
            own = conn.execute(select(detail).where(detail.c.activity_id == row["id"])).mappings().all()
            who = conn.execute(
                select(people.c.role, people.c.handle_kind, people.c.handle_norm).where(
                    people.c.activity_id == row["id"]
                )
            )
            found.append({**row, "detail": dict(own[0]), "people": sorted(tuple(one) for one in who)})
    return found


def counters(report: Any) -> dict[str, int]:
    """What became of what was read."""
    (route,) = report.routes
    assert route.error is None, route.error
    told = route.counters
    return {name: n for name in ("created", "updated", "unchanged", "quarantined") if (n := getattr(told, name))}


def test_calls_become_activities(hub: Hub, store: Store, exchange: Exchange) -> None:
    """A held and a missed call: kind, direction, state, moments, line, who talked with whom and how long."""
    exchange.write(
        leg(epoch("2026-11-02T10:00:00"), 1, "2026-11-02T10:00:00", 40, 30, clid='"Иван" <79161234567>'),
        call("2026-11-02T11:00:00", 2, talk=0, src="anonymous"),
    )
    assert counters(run_exchange(hub)) == {"created": 2}
    held, missed = activities(store)
    assert {name: held[name] for name in ("type", "direction", "status", "duration_s", "line", "external_key")} == {
        "type": "call",
        "direction": "inbound",
        "status": "held",
        "duration_s": 40,
        "line": "+74951112233",
        "external_key": f"pbx:{epoch('2026-11-02T10:00:00')}",
    }
    assert str(held["started_at"])[:19].replace("T", " ") == "2026-11-02 07:00:00"
    assert (held["detail"]["talk_s"], held["detail"]["agent_ext"], held["detail"]["disposition"]) == (
        30,
        "101",
        "answered",
    )
    assert held["people"] == [
        ("agent", "extension", "101"),
        ("callee", "phone", "+74951112233"),
        ("caller", "phone", "+79161234567"),
    ]
    assert (missed["status"], missed["people"][-1]) == ("missed", ("caller", "hidden", "hidden"))


def test_a_second_night_changes_nothing(store: Store, tmp_path: Path, exchange: Exchange) -> None:
    """Ten calls, then the same exchange again, in another process: nothing is new, nothing is written."""
    exchange.write(*(call(f"2026-11-02T10:{n:02}:00", n) for n in range(10)))
    with open_hub(store, tmp_path, exchange) as hub:
        assert counters(run_exchange(hub)) == {"created": 10}
    with open_hub(store, tmp_path, exchange) as hub:
        assert counters(run_exchange(hub)) == {}
        assert counters(run_exchange(hub)) == {}


def test_a_late_leg_changes_the_same_record(hub: Hub, store: Store, exchange: Exchange) -> None:
    """A missed call that an agent answered after all: the record is put right, and there is still one."""
    name = epoch("2026-11-02T10:00:00")
    exchange.write(leg(name, 1, "2026-11-02T10:00:00", 10))
    run_exchange(hub)
    (before,) = activities(store)
    exchange.write(leg(name, 2, "2026-11-02T10:00:10", 30, 25, rung="102"))
    assert counters(run_exchange(hub)) == {"updated": 1}
    (after,) = activities(store)
    assert (before["id"], before["status"], after["status"]) == (after["id"], "missed", "held")
    assert ("agent", "extension", "102") in after["people"]


def test_two_near_calls_of_one_number_stay_two_records(hub: Hub, store: Store, exchange: Exchange) -> None:
    """One number calls twice within the same second: two records with keys of their own."""
    exchange.write(call("2026-11-02T10:00:00", 1), call("2026-11-02T10:00:00", 2))
    assert counters(run_exchange(hub)) == {"created": 2}
    assert len({row["external_key"] for row in activities(store)}) == 2


def test_a_period_is_read_again(hub: Hub, store: Store, exchange: Exchange) -> None:
    """A backfill of one day brings the calls of that day alone; the exchange after it brings the others."""
    exchange.write(*(call(f"2026-11-0{day}T10:00:00", day) for day in range(1, 6)))
    one_day = Window(date(2026, 11, 3), date(2026, 11, 4))
    assert counters(backfill(hub, ["pbx.activity"], one_day)) == {"created": 1}
    assert counters(run_exchange(hub)) == {"created": 4, "unchanged": 1}


def test_a_broken_line_waits_in_quarantine(store: Store, tmp_path: Path) -> None:
    """What is no row is accounted for: it lies in quarantine with its text, the other calls have arrived."""
    exchange = InCsv(tmp_path / "cdr-csv")
    exchange.write(call("2026-11-02T10:00:00", 1))
    with exchange.path.open("ab") as file:
        file.write(b"power failed here\n")
    exchange.write(call("2026-11-02T10:10:00", 2))
    with open_hub(store, tmp_path, exchange) as hub:
        assert counters(run_exchange(hub)) == {"created": 2, "quarantined": 1}
        assert counters(run_exchange(hub)) == {}
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(core.quarantine)).scalar_one() == 1
