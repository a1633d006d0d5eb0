"""The summary: what it says follows from the journal, and no record's content enters it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from hub.model.errors import RetryLater
from hub.model.records import Counters
from hub.model.settings import Settings, SystemSettings
from hub.reports.building import build
from hub.reports.model import Summary
from hub.reports.text import duration, markdown, moment, number, plain
from hub.store import core
from hub.store.database import Store
from hub.texts import LANGS

NIGHT = datetime(2026, 3, 13, 23, 0, tzinfo=UTC)  # 02:00 in Moscow on the 14th
PERSON = "Иванова Мария Петровна"
GUID = "5b0f8a9e-0000-4000-8000-00000000beef"


def settings(home: Path) -> Settings:
    """Two bases: one that is exchanged, one that never was."""
    systems = {
        code: SystemSettings(code, "memory", "Europe/Moscow", "onec_ut11", title)
        for code, title in (("ut", "Торговля"), ("bp", "Бухгалтерия"))
    }
    return Settings(home, home / "hub.yaml", "Europe/Moscow", "", systems=systems)


class Journal:
    """Writes what an exchange would have left in the store."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.system = self._new(core.system, code="ut", kind="memory", title="Торговля", timezone="Europe/Moscow")
        self.stream = self._new(core.stream, system_id=self.system, name="Catalog_Партнеры", entity="party")
        self.routes: dict[str, int] = {}

    def _new(self, table: Any, **values: Any) -> int:
        return int(self.conn.execute(insert(table).returning(table.c.id).values(**values)).scalar_one())

    def route(self, entity: str) -> int:
        """Id of the route, made at first use."""
        code = f"ut.{entity}"
        if code not in self.routes:
            values = {"code": code, "system_id": self.system, "entity": entity, "direction": "pull", "enabled": True}
            self.routes[code] = self._new(core.route, **values)
        return self.routes[code]

    def run(self, state: str, mode: str = "nightly", at: datetime = NIGHT) -> int:
        """An exchange of 47 minutes, or one still going on."""
        ended = None if state == "running" else at + timedelta(minutes=47)
        values = {"mode": mode, "initiator": "test", "state": state, "started_at": at, "ended_at": ended, "planned": []}
        return self._new(core.exchange_run, **values)

    def did(self, run: int, entity: str, state: str = "completed", at: datetime = NIGHT, **more: Any) -> None:
        """A route of the run with the given counters."""
        ended = None if state == "running" else at + timedelta(seconds=65)
        values = {"run_id": run, "route_id": self.route(entity), "state": state, "started_at": at, "ended_at": ended}
        self.conn.execute(insert(core.run_route).values(skipped_by={}, **values, **more))

    def quarantine(self, run: int, entity: str, reason: str, field: str) -> None:
        """A record with a person in it that could not pass."""
        number = len(self.conn.execute(core.quarantine.select()).all())
        values = {"route_id": self.route(entity), "stream_id": self.stream, "external_id": f"{GUID}-{number}"}
        values |= {"reason_code": reason, "field": field, "value": PERSON, "payload": PERSON}
        values |= {"params": {"detail": PERSON}, "first_run": run, "last_run": run, "first_at": NIGHT}
        self._new(core.quarantine, state="open", attempts=number + 1, last_at=NIGHT, **values)

    def park(self, run: int, entity: str, link: int) -> None:
        """A record with a person in it that waits for another one."""
        values = {"id": link, "stream_id": self.stream, "external_id": f"{GUID}-p{link}", "first_run": run}
        self.conn.execute(insert(core.link).values(**values))
        values = {
            "route_id": self.route(entity),
            "stream_id": self.stream,
            "external_id": f"{GUID}-{link}",
            "at": NIGHT,
        }
        parked = self._new(core.parked, payload=PERSON, state="waiting", first_run=run, last_run=run, **values)
        self.conn.execute(insert(core.parked_wait).values(parked_id=parked, link_id=link))


Telling = Callable[[Journal], object]


def told(store: Store, home: Path, telling: Telling, *, hours: float = 1, **more: Any) -> Summary:
    """The summary some ``hours`` after a night of which ``telling`` wrote the journal."""
    with store.begin() as conn:
        telling(Journal(conn))
    return build(store, settings(home), more.get("run_id"), more.get("errors", {}), NIGHT + timedelta(hours=hours))


def good_night(journal: Journal) -> None:
    """Two routes, nothing wrong."""
    run = journal.run("completed")
    journal.did(run, "party", received=3000, created=20, updated=80, unchanged=2900)
    journal.did(run, "sales_order", received=20000, unchanged=20000, released=3)


def bad_night(journal: Journal) -> None:
    """Quarantine for two reasons, one parked order, a failed route."""
    run = journal.run("failed")
    journal.did(run, "party", "warnings", received=5, created=2, quarantined=3)
    journal.did(run, "sales_order", "warnings", received=1, parked=1)
    journal.did(run, "invoice", "failed", error_code="store_unreachable", error_text="ut.invoice: нет ответа. Ждите.")
    journal.did(run, "payment", "failed", error_code="store_unreachable", error_text="ut.payment: нет ответа. Ждите.")
    journal.quarantine(run, "party", "bad_date", "Дата")
    journal.quarantine(run, "party", "bad_date", "Сумма")
    journal.quarantine(run, "party", "refused_by_store", "Имя")
    journal.park(run, "sales_order", 1)


def test_before_the_first_exchange_it_says_what_to_do(store: Store, tmp_path: Path) -> None:
    """An empty journal is told as such, with the way to the first exchange."""
    found = build(store, settings(tmp_path), None, {}, NIGHT)
    assert (found.verdict, found.run_id) == ("none", 0)
    assert "obmen exchange" in plain(found, "ru")[0]
    assert "obmen exchange" in markdown(found, "en")
    assert json.loads(json.dumps(found.as_dict()))["routes"] == []


def test_a_good_night_asks_for_nothing_from_the_system_that_ran(store: Store, tmp_path: Path) -> None:
    """Counters, balance and freshness of the base that was read; the one never read is the only thing to do."""
    found = told(store, tmp_path, good_night)
    assert found.totals == Counters(received=23000, created=20, updated=80, unchanged=22900)
    assert [(item.code, item.severity) for item in found.todo] == [("report_never", "red")]
    text = "\n".join(plain(found, "ru"))
    assert "НОЧНОЙ ОБМЕН № 1 · 14.03 02:00–02:47" in text
    assert "Торговля 02:01 ✓ · Бухгалтерия данных нет ✗" in text
    assert "Баланс сошёлся" in text
    assert "Дождались и записаны: 3." in text
    assert "карантин " not in text.splitlines()[5]


def test_all_is_well_when_it_is(store: Store, tmp_path: Path) -> None:
    """With every system fresh and nothing waiting the verdict is good and there is nothing to do."""
    with store.begin() as conn:
        good_night(Journal(conn))
    only = settings(tmp_path)
    only.systems.pop("bp")
    found = build(store, only, None, {}, NIGHT + timedelta(hours=1))
    assert (found.verdict, found.todo) == ("good", ())
    assert "ВСЁ В ПОРЯДКЕ" in plain(found, "ru")[0]
    assert "Nothing needs doing." in markdown(found, "en")


def test_a_bad_night_says_what_to_do_first(store: Store, tmp_path: Path) -> None:
    """Failures come before quarantine, a base that is down is one item, each reason names its fields and its advice."""
    found = told(store, tmp_path, bad_night)
    assert [(item.severity, item.code, item.number) for item in found.todo] == [
        ("red", "report_failed", 2),
        ("red", "report_never", 0),
        ("yellow", "report_quarantine", 2),
        ("yellow", "report_quarantine", 1),
        ("yellow", "report_parked", 1),
    ]
    assert found.todo[0].routes == ("ut.invoice", "ut.payment")
    assert found.verdict == "attention"
    assert [(item.reason, item.number, item.fields, item.attempts) for item in found.quarantine] == [
        ("bad_date", 2, ("Дата", "Сумма"), 2),
        ("refused_by_store", 1, ("Имя",), 3),
    ]
    assert [(item.route, item.stream, item.number) for item in found.parked] == [
        ("ut.sales_order", "Catalog_Партнеры", 1)
    ]
    text = "\n".join(plain(found, "ru"))
    assert "(красных 2, жёлтых 3)" in text
    assert "нет ответа. Ждите." in text
    assert "нет ещё: Торговля: Catalog_Партнеры" in text


@pytest.mark.parametrize("lang", LANGS)
def test_no_content_of_a_record_is_in_it(store: Store, tmp_path: Path, lang: str) -> None:
    """Values, payloads and external ids of troubled records stay in the store, in every form of the summary."""
    found = told(store, tmp_path, bad_night)
    for text in (
        "\n".join(plain(found, lang)),
        markdown(found, lang),
        json.dumps(found.as_dict(lang), ensure_ascii=False),
    ):
        assert PERSON not in text
        assert GUID not in text
    assert "{" not in markdown(found, lang)


def test_a_live_error_speaks_the_readers_language(store: Store, tmp_path: Path) -> None:
    """The journal keeps Russian texts; who still holds the error gets it in English."""
    error = RetryLater("store_unreachable", store="db", detail="refused")
    errors = {"ut.invoice": error, "ut.payment": error}
    found = told(store, tmp_path, bad_night, errors=errors)
    assert error.sentence("en") in found.todo[0].said["en"]
    assert found.todo[0].advice["en"] == error.advice("en")


def test_the_rest_of_a_feed_has_a_line_only_when_there_is_one(store: Store, tmp_path: Path) -> None:
    """What no route takes of an exchange plan is named and counted; with none of it there is nothing to read about."""

    def feed(journal: Journal) -> None:
        run = journal.run("completed", "changes")
        journal.did(run, "party", received=2, updated=2)
        values = {"code": "ut.other", "system_id": journal.system, "entity": "", "direction": "pull", "enabled": True}
        journal.routes["ut."] = journal._new(core.route, **values)
        journal.did(run, "")

    none = told(store, tmp_path, feed)
    assert [line.route for line in none.routes] == ["ut.party"]
    with store.begin() as conn:
        conn.execute(core.run_route.update().where(core.run_route.c.received == 0).values(received=3, skipped=3))
    some = build(store, settings(tmp_path), None, {}, NIGHT)
    assert [line.route for line in some.routes] == ["ut.party", "ut.other"]
    assert any("ut.other · прочее из плана обмена" in line for line in plain(some, "ru"))
    assert some.totals.received == 5


def test_words_of_a_source_end_before_the_advice_begins(store: Store, tmp_path: Path) -> None:
    """1C's own words have no full stop; the advice after them begins a sentence of its own."""
    error = RetryLater("source_failed", system="УТ", status=500, text="Сеанс завершён")
    errors = {"ut.invoice": error, "ut.payment": error}
    text = "\n".join(plain(told(store, tmp_path, bad_night, errors=errors), "ru"))
    assert "Сеанс завершён. Повторите обмен." in text


def test_what_was_put_off_is_told_with_its_reason(store: Store, tmp_path: Path) -> None:
    """In quiet hours nothing is read: the summary says why, and does not send anybody to test the connection."""

    def quiet(journal: Journal) -> None:
        run = journal.run("waiting", "manual")
        params = {"system": "Торговля", "until": "20:00"}
        for entity in ("party", "invoice"):
            journal.did(run, entity, "waiting", error_code="quiet_hours", error_text="…", error_params=params)

    with store.begin() as conn:
        quiet(Journal(conn))
    only = settings(tmp_path)
    only.systems.pop("bp")
    found = build(store, only, None, {}, NIGHT + timedelta(hours=1))
    assert [(item.severity, item.code, item.number) for item in found.todo] == [("yellow", "report_waiting", 2)]
    assert "тихие часы до 20:00" in "\n".join(plain(found, "ru"))
    assert found.verdict == "attention"


def test_everything_failed_is_failed(store: Store, tmp_path: Path) -> None:
    """When no route came through, the verdict does not speak of attention."""

    def telling(journal: Journal) -> None:
        run = journal.run("failed")
        journal.did(run, "party", "failed", error_code="store_busy", error_text="занято")
        journal.did(run, "unit", "disabled")

    found = told(store, tmp_path, telling)
    assert found.verdict == "failed"
    assert "НЕ ВЫПОЛНЕН" in plain(found, "ru")[0]


def test_a_running_exchange_is_not_blamed(store: Store, tmp_path: Path) -> None:
    """While it goes on, nothing is stale and the time of its end is open."""

    def telling(journal: Journal) -> None:
        journal.did(journal.run("running"), "party", "running", received=10, created=10)

    found = told(store, tmp_path, telling)
    assert (found.verdict, found.todo) == ("running", ())
    assert "14.03 02:00–…" in plain(found, "ru")[0]


def test_a_warning_without_a_record_points_to_the_check(store: Store, tmp_path: Path) -> None:
    """A paused mapping leaves no quarantine; the route is named all the same."""

    def telling(journal: Journal) -> None:
        journal.did(journal.run("warnings"), "party", "warnings", received=1, created=1)

    found = told(store, tmp_path, telling)
    assert ("report_warned", ("ut.party",)) in [(item.code, item.routes) for item in found.todo]


def test_freshness_fades(store: Store, tmp_path: Path) -> None:
    """Two nights without data make a base that once ran stale."""
    found = told(store, tmp_path, good_night, hours=50)
    assert [(item.system, item.fresh) for item in found.freshness] == [("ut", False), ("bp", False)]
    assert "report_stale" in {item.code for item in found.todo}


def test_what_is_usual_comes_from_earlier_nights(store: Store, tmp_path: Path) -> None:
    """The median of earlier runs of the same mode is the measure; other modes and failures do not count."""

    def telling(journal: Journal) -> None:
        for day, received in ((5, 100), (4, 300), (3, 200)):
            at = NIGHT - timedelta(days=day)
            journal.did(journal.run("completed", at=at), "party", at=at, received=received, unchanged=received)
        at = NIGHT - timedelta(days=2)
        journal.did(journal.run("completed", "backfill", at), "party", at=at, received=9, unchanged=9)
        journal.did(journal.run("failed", at=at), "party", "failed", at=at, received=1, unchanged=1)
        journal.did(journal.run("completed"), "party", received=150, unchanged=150)

    found = told(store, tmp_path, telling)
    assert found.routes[0].usual == 200
    assert "−25 %" in "\n".join(plain(found, "ru"))


def test_an_earlier_run_can_be_asked_for(store: Store, tmp_path: Path) -> None:
    """The run that is named is told, not the latest; one that never was is told as none."""

    def telling(journal: Journal) -> None:
        journal.did(journal.run("completed"), "party", received=1, created=1)
        journal.did(journal.run("completed", "manual"), "party", received=2, unchanged=2)

    assert told(store, tmp_path, telling, run_id=1).totals.created == 1
    assert build(store, settings(tmp_path), None, {}, NIGHT).totals.unchanged == 2
    assert build(store, settings(tmp_path), 77, {}, NIGHT).verdict == "none"


def test_the_form_for_machines(store: Store, tmp_path: Path) -> None:
    """Names of the JSON form that others build upon."""
    found = json.loads(json.dumps(told(store, tmp_path, bad_night).as_dict("en")))
    assert {"run_id", "mode", "state", "verdict", "started_at", "ended_at", "zone", "todo", "freshness"} <= set(found)
    assert found["totals"]["received"] == 6
    assert found["balanced"] is True
    assert found["started_at"] == NIGHT.isoformat()
    expected = {"severity", "code", "routes", "number", "sentence", "advice"}
    assert all(set(item) == expected for item in found["todo"])
    assert {"route", "system", "entity", "state", "received", "created", "skipped_by", "usual"} <= set(
        found["routes"][0]
    )


def test_numbers_times_and_moments_read_well() -> None:
    """Thousands apart, seconds as minutes, moments in the company's zone."""
    assert (number(1234567, "ru"), number(1234567, "en"), number(7, "ru")) == ("1 234 567", "1,234,567", "7")
    assert (duration(4.4), duration(185), duration(3723)) == ("0:04", "3:05", "1:02:03")
    assert moment(NIGHT, "Asia/Vladivostok") == "14.03 09:00"
    assert moment(NIGHT, "UTC", today=NIGHT) == "23:00"
    assert moment(None, "UTC") == "…"
