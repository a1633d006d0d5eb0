"""Letters through the hub: nights, changes, a crash between a page and its place, letters that cannot be read."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.exchange.hub import Hub
from hub.exchange.service import exchange_changes, run_exchange
from hub.store import core, tables
from hub.store.database import Store
from stand.mail.boxes import Account
from stand.mail.content import fill
from stand.mail.server import MailStand
from tests.connectors.imap import corpus
from tests.connectors.imap.boxes import mail
from tests.exchange import mail_child
from tests.exchange.mail_child import PASSWORD, USER

Open = Callable[[], Hub]


@pytest.fixture
def stand() -> Iterator[MailStand]:
    """A running stand with one empty mailbox."""
    with MailStand([Account(USER, PASSWORD)]) as running:
        yield running


@pytest.fixture
def open_hub(store: Store, tmp_path: Path, stand: MailStand) -> Iterator[Open]:
    """Open a hub on that mailbox, on each store; a second one is another process as far as the mailbox can tell."""
    opened: list[Any] = []

    def make() -> Hub:
        hub, connector = mail_child.open_hub(store, tmp_path, stand.port)
        opened.extend((connector, hub))
        return hub

    yield make
    for one in reversed(opened):
        one.close()


def activities(store: Store) -> list[dict[str, Any]]:
    """All activities, in their order."""
    table = tables.ROOTS["activity"]
    with store.read() as conn:
        return [dict(row) for row in conn.execute(select(table).order_by(table.c.id)).mappings()]


def rows(store: Store, name: str) -> list[dict[str, Any]]:
    """All rows of a child table."""
    with store.read() as conn:
        return [dict(row) for row in conn.execute(select(tables.metadata.tables[name])).mappings()]


def number(store: Store, table: Any) -> int:
    """How many rows there are."""
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_night_and_the_next(open_hub: Open, store: Store, stand: MailStand) -> None:
    """The demo's letters become activities with people, details and files; the second night asks nothing."""
    letters = fill(stand.accounts[USER], letters=40)
    hub = open_hub()
    first = run_exchange(hub)
    assert (first.state, first.exit_code) == ("completed", 0), [route.error for route in first.routes]
    assert first.routes[0].counters.created == letters
    found = activities(store)
    assert {row["type"] for row in found} == {"email"}
    assert {row["direction"] for row in found} == {"inbound", "outbound"}
    assert {row["auto_kind"] for row in rows(store, "email_detail")} >= {
        None,
        "list",
        "auto_reply",
        "bounce",
        "no_reply",
    }
    assert any(row["name"].startswith("Заявка") for row in rows(store, "email_attachment"))
    assert all(row["handle_norm"] == row["handle_norm"].lower() for row in rows(store, "activity_participant"))
    stand.commands.clear()
    again = run_exchange(hub)
    assert again.routes[0].counters.received == 0
    assert "FETCH" not in stand.commands
    assert "UID" not in stand.commands


def test_what_is_new_comes_with_the_next_run(open_hub: Open, store: Store, stand: MailStand) -> None:
    """A letter that arrives is created by a run of changes; nothing else is touched."""
    fill(stand.accounts[USER], letters=15)
    hub = open_hub()
    run_exchange(hub)
    stand.accounts[USER].deliver(mail("Новое письмо", "Срочно!"))
    report = exchange_changes(hub)
    assert (report.routes[0].counters.received, report.routes[0].counters.created) == (1, 1)
    assert activities(store)[-1]["subject"] == "Новое письмо"


def test_an_answered_letter_is_marked_on_its_card(open_hub: Open, store: Store, stand: MailStand) -> None:
    """Answered and flagged in the mail program, then unmarked: the letter on the card follows, nothing else moves."""
    inbox = stand.accounts[USER].folders["INBOX"]
    letter = inbox.add(mail("Заявка"))
    stand.accounts[USER].deliver(mail("Вопрос"))
    hub = open_hub()
    run_exchange(hub)
    assert {row["is_answered"] for row in rows(store, "email_detail")} == {False}
    letter.flags |= {"\\Answered", "\\Flagged"}
    stand.accounts[USER].deliver(mail("Ещё вопрос"))
    report = exchange_changes(hub)
    assert (report.routes[0].counters.created, report.routes[0].counters.updated) == (1, 1)
    marks = {row["activity_id"]: (row["is_answered"], row["is_flagged"]) for row in rows(store, "email_detail")}
    by_subject = {row["subject"]: marks[row["id"]] for row in activities(store)}
    assert by_subject == {"Заявка": (True, True), "Вопрос": (False, False), "Ещё вопрос": (False, False)}
    letter.flags.clear()
    stand.accounts[USER].deliver(mail("Последнее"))
    exchange_changes(hub)
    assert {(row["is_answered"], row["is_flagged"]) for row in rows(store, "email_detail")} == {(False, False)}
    assert (number(store, core.conflict), number(store, core.outbox)) == (0, 0)


@pytest.mark.parametrize("strike", [1, 3])
def test_a_crash_between_a_page_and_its_place(
    open_hub: Open, store: Store, stand: MailStand, tmp_path: Path, strike: int
) -> None:
    """The process is killed after a page was written and before its place was: neither stands, the next run goes on
    from the page before, and at the end every letter is there once.
    """
    for n in range(35):
        stand.accounts[USER].folders["INBOX"].add(mail(f"Письмо {n}"))
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.exchange.mail_child", url, str(stand.port), str(tmp_path), str(strike)]
    child = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    assert len(activities(store)) == (strike - 1) * 10
    report = run_exchange(open_hub())
    assert report.state == "completed", report.routes[0].error
    assert report.routes[0].counters.created == 35 - (strike - 1) * 10
    subjects = [row["subject"] for row in activities(store)]
    assert sorted(subjects) == sorted(f"Письмо {n}" for n in range(35))


def test_a_letter_that_cannot_be_read_waits_in_quarantine(open_hub: Open, store: Store, stand: MailStand) -> None:
    """One damaged letter goes to quarantine with its place, the others pass, and the next run does not stumble."""
    for n in range(12):
        stand.accounts[USER].folders["INBOX"].add(mail(f"Письмо {n}"))
    stand.quirks.broken = {5}
    hub = open_hub()
    report = run_exchange(hub)
    counters = report.routes[0].counters
    assert (counters.received, counters.created, counters.quarantined) == (12, 11, 1)
    assert counters.balanced
    with store.read() as conn:
        (row,) = conn.execute(select(core.quarantine)).mappings().all()
    assert row["reason_code"] == "mail_unreadable"
    assert row["external_id"].endswith(":5@INBOX")
    assert run_exchange(hub).routes[0].counters.received == 0


def test_numbers_that_begin_anew_double_no_key(open_hub: Open, store: Store, stand: MailStand) -> None:
    """After a change of UIDVALIDITY every letter is under the key that it had; how links are joined is matching's."""
    account = stand.accounts[USER]
    for n in range(5):
        account.folders["INBOX"].add(mail(f"Письмо {n}"))
    hub = open_hub()
    run_exchange(hub)
    before = {row["external_key"] for row in activities(store)}
    account.folders["INBOX"].renumber(1_900_000_001)
    report = run_exchange(hub)
    assert report.state == "completed"
    assert {row["external_key"] for row in activities(store)} == before


@pytest.mark.skipif(not corpus.FOLDER.is_dir(), reason=corpus.NO_CORPUS)
def test_other_peoples_letters(open_hub: Open, store: Store, stand: MailStand) -> None:
    """Every file of the collection ends as an activity: none lost, none refused by the store, none in quarantine."""
    account = stand.accounts[USER]
    paths = corpus.files()
    for path in paths:
        account.folders["INBOX"].add(path.read_bytes(), corpus.ARRIVED)
    report = run_exchange(open_hub())
    counters = report.routes[0].counters
    assert report.state == "completed"
    assert (counters.received, counters.quarantined) == (len(paths), 0)
    assert counters.balanced
    with store.read() as conn:
        links = conn.execute(select(func.count()).select_from(core.link)).scalar_one()
    assert links == len(paths)
    assert number(store, core.quarantine) == 0
