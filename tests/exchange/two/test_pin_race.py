"""A page and a person at one record at once: whoever comes second sees what the first one did."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hub.engine.cells import Pin
from hub.exchange.acting import acting
from hub.exchange.cards.card import load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import set_pin, settle
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import Two, client, make_two

COMMENT = "ДополнительнаяИнформация"


@pytest.fixture
def two(store: Store, tmp_path: Path, shapes: frozen.Frozen) -> Two:
    bases = {"ut": frozen.load(shapes)}
    return make_two(store, tmp_path, bases, roles={"ut": "trade"})


def waits(store: Store) -> bool:
    """Whether a session of PostgreSQL waits for a lock of another one."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with store.read() as conn:
        return bool(conn.execute(query).scalar())


def test_a_pin_is_not_written_over_by_a_page_that_came_at_the_same_time(two: Two) -> None:
    """A person's transaction has pinned and not ended when УТ's page with the same client comes: the page waits, sees
    the pin, and the edit loses. Were the record not locked first, the page would not see the pin and write over it.
    """
    one = two.put("ut", client("ООО Ромашка"))
    two.exchange("ut.party")
    two.edit("ut", one, **{COMMENT: "правка"})
    number = two.record("ut", one)
    page = threading.Thread(target=lambda: two.exchange("ut.party"))
    with acting(two.hub, "decide", "Анна") as run, two.store.begin() as conn:
        desk = CardDesk(two.hub, run, "2026-03-01 02:00:00")
        card = load(conn, "party", [number], desk.refs)[number]
        ledger = Ledger(desk, "party")
        set_pin(conn, desk, ledger, card, "comment", Pin("закреплено"), "Анна")
        settle(desk, ledger, card)
        ledger.write(conn)
        page.start()
        until = time.monotonic() + 20
        while two.store.dialect == "postgresql" and not waits(two.store) and time.monotonic() < until:
            time.sleep(0.05)
    page.join(60)
    assert not page.is_alive()
    assert two.golden("ut", one)["comment"] == "закреплено"
    with two.store.read() as conn:
        ops = list(conn.execute(select(core.change_log.c.op).where(core.change_log.c.field == "comment")).scalars())
    assert ops == ["pin", "update", "lost"]
