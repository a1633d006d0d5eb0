"""What the state machine has found once: each a short story of its own, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.exchange.held_decided import Word
from hub.exchange.pauses import pause, resume
from hub.model.errors import RetryLater
from hub.model.settings import BudgetSettings, PolicySettings
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.life import Life, route
from tests.exchange.two.proof import assert_sound
from tests.exchange.two.systems import CLIENTS, phone

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
    assert (shows["ИНН"], shows["КПП"], shows["НаименованиеПолное"]) == ("7728168971", "773601001", "т0001х")
    assert golden(life, "ut2", there)["legal_name"] == "т0001х"


def test_what_could_not_be_taken_is_not_written_over(make: Make) -> None:
    """A client whose card the mapping refuses is left alone until it is put right; then what is owed is sent."""
    life = make()
    here, there = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.night()
    life.approve()
    life.night()
    for name, value in {"Description": "", "НаименованиеПолное": "", "ДополнительнаяИнформация": "важно"}.items():
        life.edit("ut", here, name, value)
    life.edit("ut2", there, "ДополнительнаяИнформация", "другое")
    life.night()
    assert life.bases["ut"].records[CLIENTS][here,]["ДополнительнаяИнформация"] == "важно"
    assert [(row["state"], row["last_error"]) for row in life.rows(core.outbox)] == [("waiting", "record_not_taken")]
    life.edit("ut", here, "Description", "ООО Ромашка")
    life.night()
    assert life.rows(core.outbox) == []
    lost = [row["before"] for row in life.rows(core.change_log) if row["op"] == "lost"]
    shown = life.bases["ut"].records[CLIENTS][here,]["ДополнительнаяИнформация"]
    assert shown == "важно" or "важно" in lost


def test_what_the_brakes_hold_back_does_not_come_in_by_a_look(make: Make) -> None:
    """A change that waits for an admin is not taken because something else is owed to its record."""
    budget = BudgetSettings(0, None, 0)
    life = make(ut={"change_budget": budget})
    here, there = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.night()
    life.approve()
    life.night()
    named = life.bases["ut"].records[CLIENTS][here,]["Description"]
    life.edit("ut", here, "ДополнительнаяИнформация", "т90")
    life.edit("ut2", there, "Description", "другое")
    life.night()
    life.night()
    assert golden(life, "ut", here)["comment"] != "т90"
    assert [row["state"] for row in life.rows(core.held)] == ["open"]
    shown = life.bases["ut"].records[CLIENTS][here,]
    assert (shown["Description"], shown["ДополнительнаяИнформация"]) == (named, "т90")


def test_a_tolerated_loss_is_not_half_restored(make: Make) -> None:
    """An ИНН that the CRM changed for itself stays there when УТ, whose word counts, changes another field."""
    life = make()
    here, there = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.night()
    life.approve()
    life.night()
    life.change("ut2", there, ИНН="7728168971")
    life.night()
    life.edit("ut", here, "НаименованиеПолное", "ООО Новое имя")
    life.night()
    life.night()
    shows = life.bases["ut2"].records[CLIENTS][there,]
    assert (shows["ИНН"], shows["НаименованиеПолное"]) == ("7728168971", "ООО Новое имя")
    life.change("ut", here, ИНН="7736050003")
    life.night()
    assert life.bases["ut2"].records[CLIENTS][there,]["ИНН"] == "7736050003"


def test_what_is_gone_in_one_system_is_not_asked_for_every_night(make: Make) -> None:
    """A client deleted in one system lives on in the other: seen to be gone once, and no loss of the next nights."""
    life = make()
    life.new_client("ut", 0)
    there = life.new_client("ut2", 0)
    life.new_client("ut2", 1)
    life.night()
    life.bases["ut2"].delete(CLIENTS, there)
    received = []
    for _ in range(2):
        life.night()
        received.append(next(one.counters.received for one in life.reports[-1].routes if one.route == "ut2.party"))
    assert received == [2, 1]
    assert golden(life, "ut2", there)["record_state"] == "active"


def test_a_field_that_follows_what_we_wrote_is_no_word_of_its_system(make: Make) -> None:
    """The CRM shows the full name where it has no working name: ours, once we wrote it, and no edit of the CRM's."""
    life = make()
    here, there = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.edit("ut2", there, "Description", "")
    life.night()
    life.approve()
    life.night()
    named = life.bases["ut"].records[CLIENTS][here,]["Description"]
    life.edit("ut", here, "НаименованиеПолное", "ООО Новое имя")
    life.night()
    life.night()
    assert life.bases["ut"].records[CLIENTS][here,]["Description"] == named
    assert golden(life, "ut", here)["display_name"] == "т0002х"
    assert life.bases["ut2"].records[CLIENTS][there,]["Description"] == "т0002х"
    assert life.rows(core.outbox) == []


def test_a_record_made_without_an_answer_is_known_when_it_is_read(make: Make) -> None:
    """The system gives keys of its own and the answer is lost: what it made is ours when it is seen, and no twin."""
    life = make(ut2={"create": "after_match"})
    life.bases["ut2"].habits.own_keys = False
    life.night()
    here = life.new_client("ut", 0)
    life.bases["ut2"].lose("after", *[RetryLater("source_unreachable", system="ut2")] * 2)
    life.night()
    assert [row["state"] for row in life.rows(core.outbox)] == ["unknown"]
    life.night()
    life.night()
    (there,) = life.keys("ut2", CLIENTS)
    assert life.record("ut2", there) == life.record("ut", here)
    assert life.rows(core.outbox) == []
    assert len(life.rows(tables.ROOTS["party"])) == 1
    assert_sound(life)


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_what_waited_for_an_admin_was_said_when_it_was_typed(make: Make, word: Word) -> None:
    """Held back for nights and decided at last, an edit is not taken for later than what another system said meanwhile.

    The nights in between have read the held record, but a reading that held it back does not tell that it is new.
    """
    latest = {"comment": PolicySettings(policy="latest", order=("ut", "ut2"))}
    life = make(ut={"policies": latest}, ut2={"change_budget": BudgetSettings(0, None, 0)})
    here, there = life.new_client("ut", 0), life.new_client("ut2", 0)
    life.night()
    life.approve()
    life.judge(0, "approve")
    life.night()
    life.edit("ut2", there, "ДополнительнаяИнформация", "сначала")
    life.change("ut2", there, КонтактнаяИнформация=[phone("+79000000001")])  # so that it waits on
    life.night()
    life.edit("ut", here, "ДополнительнаяИнформация", "потом")
    life.night()
    life.night()
    (waits,) = life.rows(core.held, core.held.c.state == "open")
    life.judge(0, word)
    (held,) = life.rows(core.held, core.held.c.id == waits["id"])
    assert (held["state"], held["decided_by"]) == ({"approve": "approved", "reject": "rejected"}[word], "test")
    assert_sound(life)
    life.night()
    assert golden(life, "ut", here)["comment"] == "потом"
