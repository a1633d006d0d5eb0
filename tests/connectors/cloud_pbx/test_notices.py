"""Notices of a FAKE service through the hub: proven, kept once, of use for the moment of the next read and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.cloud_pbx.polling import SETTLE
from connectors.memory import MemoryBase, MemoryConnector
from connectors.notices import Notified
from hub.exchange.check import check_system
from hub.exchange.hub import Hub
from hub.exchange.notices import KEPT, Due, Inbox, due, teller
from hub.exchange.quiet import QuietConnector
from hub.exchange.service import exchange_changes
from hub.model.errors import NeedsPerson, SkipRecord
from hub.model.settings import SystemSettings
from hub.model.settings_comms import CallSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.connectors.cloud_pbx.base import Account, account, signed
from tests.connectors.cloud_pbx.fake import HOOK, NOW, SECRET, USER, FakeCall
from tests.exchange.installation import make_hub

RHYTHM = timedelta(minutes=5)


def system(service: str) -> SystemSettings:
    """An account whose notices are heard."""
    calls = CallSettings(service=service, notices=True)
    return SystemSettings("pbx", "pbx_cloud", "Europe/Moscow", "calls", "АТС", sensor=300, calls=calls)


@dataclass
class Home:
    """A hub whose one system is an account on the fake. ``at``: when notices are received."""

    hub: Hub
    account: Account
    at: datetime = NOW

    @contextmanager
    def inbox(self) -> Iterator[Inbox]:
        """An inbox; what was put in is stored when it closes."""
        made = Inbox(self.hub, lambda: self.at)
        try:
            yield made
        finally:
            made.close()

    def hear(self, *events: tuple[str, str]) -> None:
        """Notices come: (call, event)."""
        with self.inbox() as inbox:
            for call, event in events:
                inbox.take("pbx", *signed(self.account.cloud.service, call, event))

    def rows(self) -> list[tuple[str, str, bool, int]]:
        """What is kept: call, event, whether it is over, how often it came."""
        table = core.notice
        with self.hub.store.read() as conn:
            found = conn.execute(select(table.c.call, table.c.event, table.c.is_over, table.c.times))
            return sorted((str(a), str(b), bool(c), int(d)) for a, b, c, d in found)

    def read(self) -> dict[str, int]:
        """Take what is new, at the moment of the account."""
        (report,) = exchange_changes(self.hub, ["pbx"], initiator="test").routes
        assert report.error is None
        counters = report.counters
        return {name: n for name in ("created", "updated", "unchanged") if (n := getattr(counters, name))}

    def due(self, at: datetime) -> Due | None:
        """Whether it is time to read on."""
        with self.hub.store.read() as conn:
            position: dict[str, Any] = conn.execute(select(core.cursor.c.position)).scalar_one()
        found = teller(self.hub.connector("pbx"))
        assert found is not None
        return due(self.hub, "pbx", found, position, at)


Living = Callable[[str], Home]


@pytest.fixture
def living(store: Store, tmp_path: Path) -> Iterator[Living]:
    """A home for an account of that service, on each store."""
    with ExitStack() as stack:

        def make(service: str) -> Home:
            made = account(stack, service)
            hub = make_hub(store, tmp_path, {"pbx": made.open()}, {"pbx": system(service)})
            stack.callback(hub.close)
            return Home(hub, made)

        yield make


@pytest.mark.parametrize(
    ("service", "begins", "ends"),
    [
        ("mango", "Appeared", "Disconnected"),
        ("megafon", "incoming", "completed"),
        ("zadarma", "notify_start", "notify_end"),
    ],
)
def test_a_notice_is_kept_once_and_only_if_it_is_proven(living: Living, service: str, begins: str, ends: str) -> None:
    """Twice the same is one row; another word on the same call is another; without the proof nothing is kept."""
    home = living(service)
    send = str.upper if service != "mango" else str
    home.hear(("c1", send(begins)), ("c1", send(ends)), ("c1", send(ends)), ("c2", send(ends)))
    kept = [("c1", begins, False, 1), ("c1", ends, True, 2), ("c2", ends, True, 1)]
    assert home.rows() == sorted(kept)
    with home.hub.store.read() as conn:
        (told,) = set(conn.execute(select(core.notice.c.body).where(core.notice.c.call == "c2")).scalars())
    assert "79161234567" in told, "what the service said"
    assert not any(secret in told for secret in (HOOK, SECRET, USER, "crm_token")), "but not what proves it"
    headers, body = signed(service, "c3", send(ends))
    forged = {name: value[::-1] for name, value in headers.items()}
    with home.inbox() as inbox, pytest.raises(SkipRecord) as error:
        inbox.take("pbx", forged, body if headers else body.replace(b"c3", b"c4").replace(b"hook", b"HOOK"))
    assert error.value.code == "cloud_hook_refused"
    assert home.rows() == sorted(kept)


def test_a_call_is_never_taken_from_a_notice(living: Living) -> None:
    """A proven notice of a call that the service does not list makes no card."""
    home = living("mango")
    home.hear(("ghost", "Disconnected"))
    assert home.read() == {}
    with home.hub.store.read() as conn:
        assert list(conn.execute(select(tables.ROOTS["activity"].c.id))) == []


def test_a_notice_makes_the_next_read_come_sooner(living: Living) -> None:
    """As soon as the read finds the call, and not before; then nothing is due until the rhythm says so."""
    home = living("zadarma")
    assert home.read() == {}
    read = home.account.now
    for later in (timedelta(0), timedelta(seconds=90), RHYTHM - timedelta(seconds=1)):
        assert home.due(read + later) is None
    assert home.due(read + RHYTHM) == Due()
    ended = read + timedelta(seconds=40)
    home.account.cloud.add(FakeCall("c1", ended - timedelta(seconds=67)))
    home.at = ended
    home.hear(("c1", "NOTIFY_END"))
    assert home.due(ended + SETTLE - timedelta(seconds=1)) is None
    assert home.due(ended + SETTLE) == Due(ended)
    home.account.now = ended + SETTLE
    assert home.read() == {"created": 1}
    assert home.due(home.account.now + timedelta(seconds=90)) is None
    assert home.due(home.account.now + RHYTHM) == Due()


def test_what_a_call_that_goes_on_tells_makes_no_read(living: Living) -> None:
    """Nothing can be read of it yet; the notice is kept for whoever asks."""
    home = living("megafon")
    home.read()
    home.at = home.account.now + timedelta(seconds=30)
    home.hear(("c1", "INCOMING"), ("c1", "ACCEPTED"))
    assert home.due(home.at + SETTLE) is None
    assert len(home.rows()) == 2


def test_notices_out_of_order_late_or_missing_change_nothing(living: Living) -> None:
    """The end before the beginning, one that comes again, one that comes hours later, none at all: the same cards."""
    home = living("mango")
    home.read()
    start = home.account.now
    home.account.cloud.add(*(FakeCall(f"c{n}", start + timedelta(seconds=n)) for n in range(3)))
    home.at = start + timedelta(seconds=70)
    home.hear(("c1", "Disconnected"), ("c1", "Connected"), ("c1", "Appeared"))  # c0 and c2: never a word
    home.account.now = home.at + SETTLE
    assert home.read() == {"created": 3}
    home.at = home.account.now + timedelta(hours=1)
    home.hear(("c1", "Disconnected"), ("c0", "Disconnected"))
    home.account.now = home.at + SETTLE
    assert home.due(home.account.now) == Due()
    assert set(home.read()) == {"unchanged"}


def test_a_read_that_broke_off_goes_on_without_a_notice(living: Living) -> None:
    """Only a read that came to its end covers anything."""
    home = living("mango")
    found = teller(home.hub.connector("pbx"))
    assert isinstance(found, Notified)
    begun = {"from": NOW.isoformat(), "to": NOW.isoformat(), "chunk": NOW.isoformat(), "after": ["", ""]}
    for position in ({}, begun):
        assert due(home.hub, "pbx", found, position, NOW) == Due()


def test_old_notices_go(living: Living) -> None:
    """They are personal data, and of use for days only."""
    home = living("megafon")
    home.hear(("old", "COMPLETED"))
    home.at += KEPT - timedelta(seconds=1)
    home.hear(("new", "COMPLETED"))
    assert [row[0] for row in home.rows()] == ["new", "old"]
    home.at += timedelta(seconds=2)
    home.hear(("newest", "COMPLETED"))
    assert [row[0] for row in home.rows()] == ["new", "newest"]


def test_what_cannot_be_stored_does_not_deafen_the_listener(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails in whatever way costs the hint that it was given, and no later one."""
    home = living("megafon")
    with home.inbox() as inbox:
        store, failed = inbox._store, threading.Event()

        def broken(_: object) -> None:
            monkeypatch.setattr(inbox, "_store", store)
            failed.set()
            raise ValueError("told of +79161234567")

        monkeypatch.setattr(inbox, "_store", broken)
        inbox.take("pbx", *signed("megafon", "c1", "COMPLETED"))
        assert failed.wait(20)
        inbox.take("pbx", *signed("megafon", "c2", "COMPLETED"))
    assert [row[0] for row in home.rows()] == ["c2"]


def test_an_endless_name_is_cut(living: Living) -> None:
    """A service's own nonsense must not break what came with it."""
    home = living("mango")
    home.hear(("x" * 5000, "Disconnected"), ("c1", "Disconnected"))
    assert [len(row[0]) for row in home.rows()] == [2, 200]


def test_a_check_says_that_none_came(living: Living) -> None:
    """With the address to enter; once notices come it is silent."""
    home = living("mango")
    (note,) = check_system(home.hub, "pbx").report.notes
    assert note.code == "notices_silent"
    assert "/notices/pbx" in note.advice("ru")
    assert "127.0.0.1:3080" in note.advice("en")
    home.at = datetime.now(UTC).replace(microsecond=0)
    home.hear(("c1", "Appeared"))
    assert check_system(home.hub, "pbx").report.notes == []


def test_quiet_hours_do_not_stop_notices(living: Living) -> None:
    """Hearing asks the service nothing."""
    home = living("mango")
    quiet = replace(system("mango"), quiet_hours=(time(0), time(23, 59)))
    found = teller(QuietConnector(home.account.open(), quiet, lambda: NOW))
    assert found is not None
    assert found.notice(*signed("mango", "c1", "Disconnected")).over


def test_a_system_that_sends_none_is_told(store: Store, tmp_path: Path) -> None:
    """Whoever wrote the settings by a program gets a sentence too."""
    hub = make_hub(store, tmp_path, {"pbx": MemoryConnector(MemoryBase())}, {"pbx": system("mango")})
    with hub, pytest.raises(NeedsPerson) as error:
        Inbox(hub)
    assert error.value.code == "notices_none_sent"
    assert "АТС" in error.value.sentence("ru")
