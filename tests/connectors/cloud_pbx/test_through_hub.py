"""From a FAKE service through the hub: nights that change nothing, calls corrected later, who has which recording."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.base import Connector
from connectors.cloud_pbx.connector import CloudPbx
from connectors.recordings import Recording
from hub.exchange import recordings
from hub.exchange.check import check_system
from hub.exchange.hub import Hub
from hub.exchange.quiet import QuietConnector
from hub.exchange.recordings import Fetched, fetch_recording, in_home
from hub.exchange.service import backfill, exchange_changes, run_exchange
from hub.exchange.why import why
from hub.model.errors import HubError, NeedsPerson, RetryLater
from hub.model.records import Window
from hub.model.settings import SystemSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.connectors.cloud_pbx.base import Account, some
from tests.connectors.cloud_pbx.fake import AUDIO, NOW, FakeCall, Reply
from tests.exchange.installation import make_hub

At = Callable[[str], Account]


@dataclass
class Home:
    """A hub whose one system is an account on the fake."""

    hub: Hub
    account: Account
    store: Store
    folder: Path

    def night(self) -> dict[str, int]:
        """Exchange everything; what became of the records."""
        (report,) = run_exchange(self.hub, None, mode="nightly", initiator="test").routes
        assert report.error is None
        counters = report.counters
        return {
            name: n for name in ("created", "updated", "unchanged", "quarantined") if (n := getattr(counters, name))
        }

    def rows(self, query: Any) -> list[Any]:
        """What a query of the store gives."""
        with self.store.read() as conn:
            return list(conn.execute(query))

    def activities(self) -> list[Any]:
        """Calls as the store has them, in the order they came."""
        root = tables.ROOTS["activity"]
        return self.rows(select(root).order_by(root.c.id))

    def fetch(self, ident: str, name: str = "x.mp3", **more: Any) -> Fetched:
        """Fetch a recording into a file of the folder."""
        return fetch_recording(self.hub, ident, self.folder / name, by="Анна", sleep=self.account.slept.append, **more)

    def refused(self, ident: str, name: str = "x.mp3", **more: Any) -> HubError:
        """The error of a recording that cannot be had; no file is left."""
        there = sorted(self.folder.iterdir())
        with pytest.raises(HubError) as error:
            self.fetch(ident, name, **more)
        assert sorted(self.folder.iterdir()) == there
        return error.value


def settings(account: Account) -> SystemSettings:
    return SystemSettings("pbx", "pbx_cloud", "Europe/Moscow", "calls", "АТС", account.cloud.url)


@pytest.fixture
def living(at: At, store: Store, tmp_path: Path) -> Iterator[Callable[[str], Home]]:
    """A home for an account of that service, on each store."""
    opened: list[Hub] = []

    def make(service: str, opener: Callable[[Account], Connector] | None = None) -> Home:
        account = at(service)
        connector = opener(account) if opener else account.open()
        hub = make_hub(store, tmp_path, {"pbx": connector}, {"pbx": settings(account)})
        opened.append(hub)
        folder = tmp_path / "files"
        folder.mkdir()
        return Home(hub, account, store, folder)

    yield make
    for hub in opened:
        hub.close()


@pytest.mark.parametrize("service", ["mango", "sipuni", "beeline"])
def test_a_second_night_changes_nothing(living: Callable[[str], Home], service: str) -> None:
    """Every call becomes a card once; what overlaps is unchanged; a corrected call is the same card, changed."""
    home = living(service)
    home.account.cloud.add(*some(30, days=10), FakeCall("900", NOW - timedelta(minutes=40), answered=False))
    assert home.night() == {"created": 31}
    home.account.now += timedelta(minutes=10)
    again = home.night()
    assert set(again) == {"unchanged"}
    home.account.cloud.change("900", answered=True, talk=77)
    home.account.now += timedelta(minutes=10)
    assert home.night()["updated"] == 1
    last = home.activities()[-1]
    assert (last.type, last.status, last.duration_s) == ("call", "held", 77 if service == "beeline" else 84)
    details = tables.CHILDREN["call_detail"]
    detail = home.rows(select(details).where(details.c.activity_id == last.id))
    assert (detail[0].talk_s, detail[0].disposition) == (77, "answered")
    people = tables.CHILDREN["activity_participant"]
    found = {(one.role, one.handle_norm) for one in home.rows(select(people).where(people.c.activity_id == last.id))}
    assert found >= {("caller", "+79161234567"), ("callee", "+74951112233"), ("agent", "101")}


def test_a_night_that_breaks_off_goes_on_where_it_was(living: Callable[[str], Home]) -> None:
    """A fault in the middle moves no place: the next run brings the rest, each call once."""
    home = living("telphin")
    home.account.cloud.add(*some(60))
    inner, asked = home.account.cloud._answer, []

    def failing(cloud: Any, got: Any) -> Reply:
        asked.append(got)
        return Reply(503) if len(asked) > 12 else inner(cloud, got)

    home.account.cloud._answer = failing
    (report,) = run_exchange(home.hub, None, mode="nightly", initiator="test").routes
    assert report.error is not None
    assert isinstance(report.error, RetryLater)
    assert 0 < report.counters.created < 60
    home.account.cloud._answer = inner
    home.account.now += timedelta(minutes=3)
    assert home.night().get("created", 0) + report.counters.created == len(home.activities()) == 60
    (kept,) = home.rows(select(core.cursor.c.position).where(core.cursor.c.name == "token"))
    assert kept.position == {"to": (NOW - timedelta(minutes=1)).isoformat()}  # where the read that broke off began


def test_changes_and_backfill_bring_what_they_are_asked_for(living: Callable[[str], Home]) -> None:
    """The short run takes the last hours; a backfill reads days from long before the first read."""
    home = living("uis")
    old = FakeCall("5", NOW - timedelta(days=200))
    home.account.cloud.add(old, FakeCall("6", NOW - timedelta(hours=1)))
    assert home.night() == {"created": 1}
    home.account.cloud.add(FakeCall("7", NOW + timedelta(minutes=1)))
    home.account.now += timedelta(minutes=5)
    assert exchange_changes(home.hub, ["pbx"]).routes[0].counters.created == 1
    day = old.start.date()
    report = backfill(home.hub, ["pbx.activity"], Window(day, day + timedelta(days=1)), initiator="test")
    assert report.routes[0].counters.created == 1
    assert len(home.activities()) == 3


def test_a_row_that_cannot_be_read_waits_in_the_quarantine(living: Callable[[str], Home]) -> None:
    """A call without a moment, and one of an unknown kind, are refused by name; the others pass."""
    home = living("megafon")
    inner = home.account.cloud._answer
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))

    def broken(cloud: Any, got: Any) -> Reply:
        reply = inner(cloud, got)
        (row,) = json.loads(reply.body) or [{}]
        rows = [row, {**row, "uid": "2", "start": "скоро"}, {**row, "uid": "3", "type": "факс"}] if row else []
        return Reply(200, json.dumps(rows).encode())

    home.account.cloud._answer = broken
    assert home.night() == {"created": 1, "quarantined": 2}
    assert {one.external_id for one in home.rows(select(core.quarantine))} == {"2", "3"}


@pytest.mark.parametrize("service", ["mango", "megafon"])
def test_a_recording_is_fetched_and_the_journal_knows_by_whom(living: Callable[[str], Home], service: str) -> None:
    """The file is whole and only its owner's; the run names who, when and of which call; why shows it."""
    home = living(service)
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    home.night()
    (call,) = home.activities()
    done = home.fetch(str(call.id))
    path = home.folder / "x.mp3"
    assert (path.read_bytes(), done.size, done.system) == (AUDIO, len(AUDIO), "pbx")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    run = home.rows(select(core.exchange_run).where(core.exchange_run.c.id == done.run_id))[0]
    assert (run.mode, run.initiator, run.state) == ("recording", "Анна", "completed")
    event = [one for one in why(home.hub, "activity", str(call.id)).events if one.op == recordings.OP]
    assert [(one.run, one.initiator, one.after) for one in event] == [(done.run_id, "Анна", "pbx")]


def test_no_temporary_link_is_kept_anywhere(living: Callable[[str], Home]) -> None:
    """The link that worked once is in no table of the store after the recording was fetched."""
    home = living("mango")
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    home.night()
    home.fetch(str(home.activities()[0].id))
    assert any(got.path.startswith("/once/") for got in home.account.cloud.got)
    kept = [str(row) for table in tables.metadata.sorted_tables for row in home.rows(select(table))]
    assert not any("/once/" in row for row in kept)


def test_a_call_that_has_just_ended_is_waited_for(living: Callable[[str], Home]) -> None:
    """Not ready: asked for again within minutes; of a call of yesterday the same answer means that it is gone."""
    home = living("sipuni")
    just = datetime.now(UTC).replace(microsecond=0)
    home.account.now = just + timedelta(minutes=2)
    home.account.cloud.add(FakeCall("1", just - timedelta(minutes=2)), FakeCall("2", just - timedelta(days=1)))
    home.night()
    fresh = next(one for one in home.activities() if one.started_at.day == (just - timedelta(minutes=2)).day)
    old = next(one for one in home.activities() if one.id != fresh.id)
    home.account.slept.clear()
    home.account.cloud.recording_waits = 2
    assert home.fetch(str(fresh.id)).size == len(AUDIO)
    assert home.account.slept == [5.0, 10.0]
    home.account.cloud.recording_waits = 10**6
    found = home.refused(str(fresh.id), "y.mp3")
    assert (type(found), found.code) == (RetryLater, "recording_not_ready")
    assert sum(home.account.slept) < 650
    assert home.refused(str(old.id), "z.mp3").code == "recording_gone"
    states = home.rows(select(core.exchange_run.c.state).where(core.exchange_run.c.mode == "recording"))
    assert sorted(one.state for one in states) == ["completed", "failed", "failed"]


def test_what_cannot_be_fetched_is_told_before_anything_is_asked(living: Callable[[str], Home]) -> None:
    """A missed call, a wrong part, a file that is there, a folder that is not: each by its own sentence."""
    home = living("mango")
    home.account.cloud.add(
        FakeCall("1", NOW - timedelta(hours=1)), FakeCall("2", NOW - timedelta(hours=2), answered=False)
    )
    home.night()
    with_one = next(str(one.id) for one in home.activities() if one.status == "held")
    without = next(str(one.id) for one in home.activities() if one.status == "missed")
    before = len(home.account.cloud.got)
    (home.folder / "there.mp3").write_bytes(b"mine")
    assert home.refused(without).code == "recording_none"
    assert home.refused(with_one, part=2).code == "recording_number"
    assert home.refused(with_one, "there.mp3").code == "recording_file_there"
    assert home.refused(with_one, "no/such/x.mp3").code == "recording_file_folder"
    assert home.refused("99999").code == "which_nothing"
    assert len(home.account.cloud.got) == before
    assert (home.folder / "there.mp3").read_bytes() == b"mine"


def test_a_file_that_appears_meanwhile_is_not_replaced(
    living: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody makes a file of that name while the recording is on its way: it stays as it is."""
    home = living("mango")
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    home.night()
    monkeypatch.setattr(recordings, "_may_be_written", lambda path: path.write_bytes(b"mine"))
    with pytest.raises(NeedsPerson) as error:
        home.fetch(str(home.activities()[0].id))
    assert error.value.code == "recording_file_there"
    assert (home.folder / "x.mp3").read_bytes() == b"mine"


def test_the_check_of_the_installation_covers_an_account(living: Callable[[str], Home]) -> None:
    """A working account has no problems and no paused mapping; a wrong key is the one problem there is."""
    home = living("zadarma")
    assert check_system(home.hub, "pbx").report.problems == []
    home.account.cloud.failing = ["key!"]
    assert [one.code for one in check_system(home.hub, "pbx").report.problems] == ["cloud_key_refused"]


def test_a_journal_that_cannot_be_written_leaves_no_file(
    living: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bytes stay with anybody of whom the journal does not know."""
    home = living("mango")
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    home.night()

    def broken(*_: object) -> None:
        raise RetryLater("store_busy")

    monkeypatch.setattr(recordings, "write_log", broken)
    assert home.refused(str(home.activities()[0].id)).code == "store_busy"


def test_each_of_several_recordings_can_be_fetched() -> None:
    """A call with three recordings has three references of one each."""
    parts = Recording("mango", "a,b,c", expires="2026-12-31").parts()
    assert [part.recording_id for part in parts] == ["a", "b", "c"]
    assert {part.expires for part in parts} == {"2026-12-31"}


def test_quiet_hours_are_kept_for_recordings_too(living: Callable[[str], Home]) -> None:
    """In quiet hours nothing is asked of the exchange, a recording no more than anything else."""
    home = living("mango")
    home.account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    home.night()
    inner = home.hub.connector("pbx")
    assert isinstance(inner, CloudPbx)
    quiet = SystemSettings(
        "pbx", "pbx_cloud", "Europe/Moscow", "calls", "АТС",
        quiet_hours=(datetime.min.time(), datetime.max.time().replace(microsecond=0)),
    )  # fmt: skip
    home.hub._connectors["pbx"] = QuietConnector(inner, quiet)
    assert home.refused(str(home.activities()[0].id)).code == "quiet_hours"


def test_a_name_from_the_launchpad_stays_in_its_folder(living: Callable[[str], Home]) -> None:
    """Whoever starts the job from a browser writes into the folder of recordings and nowhere else."""
    home = living("mango")
    wrong = ["", ".", "..", "../x.mp3", "a/b.mp3", "a\\b.mp3", "/etc/passwd", "c:x.mp3", "x\0.mp3", "x\n"]
    for name in wrong:
        with pytest.raises(NeedsPerson) as error:
            in_home(home.hub, name)
        assert error.value.code == "recording_file_name"
    assert in_home(home.hub, "звонок 17.mp3") == home.hub.settings.home / "recordings" / "звонок 17.mp3"
