"""What the state machine has found once: each a short story of its own, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.exchange.pauses import pause, resume
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.life import CLIENTS, Life, route

Make = Callable[..., Life]


@pytest.fixture
def make(store: Store, tmp_path: Path) -> Iterator[Make]:
    """Two living systems; the routes of clients with the settings that the test names."""
    with ticking(Clock()) as clock:

        def made(ut: dict[str, object] | None = None, ut2: dict[str, object] | None = None) -> Life:
            routes = {"ut.party": route("ut.party", **(ut or {})), "ut2.party": route("ut2.party", **(ut2 or {}))}
            return Life(store, tmp_path, {"ut": "trade", "ut2": "crm"}, routes, clock)

        yield made


def golden(life: Life, system: str, key: str) -> dict[str, object]:
    """The row that readers see."""
    root = tables.ROOTS["party"]
    return life.rows(root, root.c.id == life.record(system, key))[0]


def test_a_record_that_nothing_changes_in_is_not_written_anew(make: Make) -> None:
    """A night that brings nothing new of a shared client leaves its row as it was, version included."""
    life = make()
    one = life.new_client("ut", 0)
    life.new_client("ut2", 0)
    life.night()
    before = golden(life, "ut", one)
    life.change("ut", one)  # saved without a change: another version
    life.night()
    assert golden(life, "ut", one) == before


def test_what_is_only_reserved_has_not_vanished(make: Make) -> None:
    """A client that could not be made elsewhere tonight is not taken for one deleted there: it is made tomorrow."""
    life = make(ut2={"create": "always"})
    life.new_client("ut2", 1)
    life.night()
    pause(life.hub, "ut2.party", "не сегодня", "тест", until=None, direction="push")
    key = life.new_client("ut", 0)
    life.night()
    life.night()
    resume(life.hub, "ut2.party", direction="push")
    life.night()
    assert golden(life, "ut", key)["record_state"] == "active"
    assert len(life.keys("ut2", CLIENTS)) == 2
    assert life.rows(core.outbox) == []


@pytest.mark.parametrize("when", ["always", "after_match"])
def test_what_a_system_has_already_is_not_made_there(make: Make, when: str) -> None:
    """Read first in the very night in which it could be made, or typed by two people on one day: one card, no twin."""
    life = make(ut2={"create": when})
    first, other = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.night(order=["ut.party", "ut2.party"])
    assert life.record("ut", first) == life.record("ut2", other)
    second, twin = life.new_client("ut", 1), life.new_client("ut2", 1)
    life.night(order=["ut.party", "ut2.party"])
    assert life.record("ut", second) == life.record("ut2", twin)
    life.night()
    assert len(life.keys("ut2", CLIENTS)) == 2


def test_who_corrects_one_cell_of_a_card_keeps_the_others(make: Make) -> None:
    """A client made in УТ by us: somebody corrects its ИНН there, and neither its КПП nor its name is taken away."""
    life = make(ut={"create": "always"})
    life.night()
    there = life.new_client("ut2", 0)
    life.night()
    (here,) = life.keys("ut", CLIENTS)
    life.change("ut", here, ИНН="7728168971")
    life.night()
    shows = life.bases["ut"].records[CLIENTS][here,]
    assert (shows["ИНН"], shows["КПП"], shows["НаименованиеПолное"]) == ("7728168971", "773601001", "т1")
    assert golden(life, "ut2", there)["legal_name"] == "т1"
