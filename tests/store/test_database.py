"""Opening a store and its transactions."""

from __future__ import annotations

import socket
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from hub.model.errors import HubError, NeedsPerson, RetryLater
from hub.store import core, database
from hub.store.bulk import allocate
from hub.store.database import Store, open_store
from hub.store.faults import connection_fault

ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


def count_links(store: Store) -> int:
    """How many links a reader sees now."""
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(core.link)).scalar_one()


def test_a_raising_body_leaves_nothing(store: Store) -> None:
    """What a transaction wrote before its body raised is gone, and the error is the body's own."""
    values = {"stream_id": 1, "external_id": "a", "first_run": 1}
    with pytest.raises(ZeroDivisionError), store.begin() as conn:  # noqa: PT012 - the write before it is the point
        conn.execute(insert(core.link).values(id=1, **values))
        raise ZeroDivisionError
    assert count_links(store) == 0
    with store.begin() as conn:
        conn.execute(insert(core.link).values(id=1, **values))
    assert count_links(store) == 1


def test_readers_see_no_half_of_a_transaction(store: Store) -> None:
    """A reader beside an open write transaction sees the state before it, and does not wait."""
    with store.begin() as conn:
        conn.execute(insert(core.link).values(id=1, stream_id=1, external_id="a", first_run=1))
        assert count_links(store) == 0
    assert count_links(store) == 1


def test_writers_take_turns(store: Store) -> None:
    """Four threads that read a counter and write it back lose no count: nobody works on a stale snapshot."""
    failures: list[BaseException] = []
    blocks: list[range] = []

    def work() -> None:
        try:
            for _ in range(10):
                with store.begin() as conn:
                    blocks.append(allocate(conn, "link", 5))
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert sorted(number for block in blocks for number in block) == list(range(1, 201))


@ON_SQLITE
def test_sqlite_is_set_up(store: Store) -> None:
    """Every connection has the pragmas that speed and safety rest on."""
    wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30000, "page_size": 8192}
    with store.read() as conn:
        assert {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted} == wanted


@ON_SQLITE
def test_a_locked_file_is_told_so(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waited in vain gets RetryLater store_locked; a reader is served all the while."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    store = open_store(store_url)
    other = sqlite3.connect(make_url(store_url).database or "", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryLater) as caught, store.begin():
            pass
        assert caught.value.code == "store_locked"
        assert count_links(store) == 0
    finally:
        other.close()
        store.close()


@ON_POSTGRESQL
def test_sessions_speak_utc(store: Store) -> None:
    """Time zone and date style are ours whatever the server's defaults are."""
    with store.read() as conn:
        assert conn.exec_driver_sql("SHOW TimeZone").scalar_one() == "UTC"
        assert conn.exec_driver_sql("SHOW DateStyle").scalar_one() == "ISO, YMD"


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("change", "code"),
    [({"database": "no_such_base"}, "store_database_missing"), ({"username": "no_such_user"}, "store_auth_failed")],
)
def test_a_server_that_refuses(store_url: str, change: dict[str, str], code: str) -> None:
    """A missing database and an unknown user are a person's business, each by its own code."""
    url = make_url(store_url).set(**change)  # type: ignore[arg-type]
    with pytest.raises(NeedsPerson) as caught:
        open_store(url.render_as_string(hide_password=False))
    assert caught.value.code == code


def test_a_server_that_is_away() -> None:
    """Nobody listening is a passing fault, and its text holds no password, wherever the URL had it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(RetryLater) as caught:
            open_store(f"postgresql://user@127.0.0.1:{port}/base?password=s3cret", password="s3cret")
    assert caught.value.code == "store_unreachable"
    assert "s3cret" not in str(caught.value) + repr(caught.value.params)


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        ('FATAL:  password authentication failed for user "u"', NeedsPerson, "store_auth_failed"),
        ("fe_sendauth: no password supplied", NeedsPerson, "store_auth_failed"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", database "d"', NeedsPerson, "store_auth_failed"),
        ('ВАЖНО:  пользователь "u" не прошёл проверку подлинности (по паролю)', NeedsPerson, "store_auth_failed"),
        ('ВАЖНО:  роль "u" не существует', NeedsPerson, "store_auth_failed"),
        ('ВАЖНО:  база данных "d" не существует', NeedsPerson, "store_database_missing"),
        ("FATAL:  the database system is starting up", RetryLater, "store_unreachable"),
        ("FATAL:  sorry, too many clients already", RetryLater, "store_unreachable"),
    ],
)
def test_refusals_are_understood(message: str, kind: type[HubError], code: str) -> None:
    """What PostgreSQL says, in English or Russian, leads to the right act."""
    error = OperationalError("", {}, Exception(message))
    fault = connection_fault(error, URL.create("postgresql", "u", "pw", "h", database="d"))
    assert (type(fault), fault.code) == (kind, code)
    assert "pw" not in str(fault)
    assert fault.advice("en")


@pytest.mark.parametrize(
    "url", ["", "no url", "mysql://host/base", "sqlite://", "sqlite:///:memory:", "postgresql://h:x/d"]
)
def test_addresses_that_will_not_do(url: str) -> None:
    """A URL of another kind, of no file or of no sense is a matter for a person."""
    with pytest.raises(NeedsPerson) as caught:
        open_store(url)
    assert caught.value.code == "store_url_invalid"


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A missing folder and a file of another program are told as what they are."""
    alien = tmp_path / "alien.db"
    alien.write_text("this is no database, but long enough to be read as one " * 20, encoding="utf-8")
    for path in (tmp_path / "no" / "such" / "store.db", alien):
        with pytest.raises(NeedsPerson) as caught:
            open_store(URL.create("sqlite", database=str(path)).render_as_string())
        assert caught.value.code == "store_file_unusable"
