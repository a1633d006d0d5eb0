"""A pin that is taken back: the systems decide again, and what none of them speaks of is not left without an owner."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from hub.exchange.pins import pin, pins, unpin
from hub.exchange.undo import undo
from hub.exchange.why import why
from hub.model.settings import PolicySettings, RouteSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import Two, bare, client, make_two, phone

COMMENT, CONTACTS = "ДополнительнаяИнформация", "КонтактнаяИнформация"
PHONE = "contact_point[phone,+74951234567,]"


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    """Two systems of which each may write all; a comment may be emptied."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    comment = {"comment": PolicySettings(policy="latest", clearable=True)}
    routes = {"ut.party": RouteSettings("ut.party", write="all", policies=comment)}
    return make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})


@pytest.fixture
def keys(two: Two) -> dict[str, str]:
    """One client that both know, exchanged."""
    made = {code: two.put(code, client("ООО Ромашка")) for code in ("ut", "ut2")}
    night(two)
    night(two)
    return made


def night(two: Two) -> None:
    two.exchange("ut.party", "ut2.party")


def comments(two: Two, keys: dict[str, str]) -> set[str | None]:
    """What readers and both systems show."""
    shown = {two.shows(code, key)[COMMENT] or None for code, key in keys.items()}
    return shown | {two.golden("ut", keys["ut"])["comment"]}


def pinned(two: Two, keys: dict[str, str], value: str = "закреплено") -> int:
    """Pin the comment and send it; the run."""
    done = pin(two.hub, "party", keys["ut"], "comment", value, by="Анна")
    night(two)
    assert comments(two, keys) == {value or None}
    return done.run_id


def test_a_word_of_a_system_comes_back_everywhere(two: Two, keys: dict[str, str]) -> None:
    """УТ had said something: taken back, the pin is gone from readers and from both systems, and nothing is left."""
    two.edit("ut", keys["ut"], **{COMMENT: "из УТ"})
    night(two)
    pinned(two, keys)
    done = unpin(two.hub, "party", keys["ut"], "comment", by="Вера")
    assert (done.after, done.told, done.left) == ("из УТ", ("ut", "ut2"), ())
    night(two)
    assert comments(two, keys) == {"из УТ"}
    assert pins(two.hub) == []


def test_what_nobody_else_says_stays_until_a_system_changes_it(two: Two, keys: dict[str, str]) -> None:
    """No system had a word: the value stays here and there, `unpin` says where; the first edit ends it for good."""
    pinned(two, keys)
    done = unpin(two.hub, "party", keys["ut"], "comment", by="Вера")
    assert (done.before, done.after, done.told) == ("закреплено", "закреплено", ())
    assert done.left == ("ut", "ut2")
    assert [(one.value, one.by, one.ends) for one in pins(two.hub)] == [("закреплено", "Вера", True)]
    writes = two.writes()
    night(two)
    assert (two.writes(), comments(two, keys)) == (writes, {"закреплено"})
    (cell,) = why(two.hub, "party", keys["ut"], "comment").cells
    assert cell.pin is not None
    assert (cell.value, cell.rule, cell.pin.ends, cell.shown) == ("закреплено", "pin", True, ())
    two.edit("ut2", keys["ut2"], **{COMMENT: "из CRM"})
    night(two)
    assert comments(two, keys) == {"из CRM"}
    assert pins(two.hub) == []


@pytest.mark.parametrize("emptied", ["by a pin", "in a system", "by an undo"])
def test_it_can_be_emptied_everywhere(two: Two, keys: dict[str, str], emptied: str) -> None:
    """An empty pin, a clearing in one of the systems, and an undo of the pin's run: nothing is left anywhere."""
    run = pinned(two, keys)
    if emptied == "by an undo":
        assert undo(two.hub, run, by="Вера").counts == {"unpin": 1}
    else:
        unpin(two.hub, "party", keys["ut"], "comment", by="Вера")
        if emptied == "by a pin":
            pinned(two, keys, "")
            assert unpin(two.hub, "party", keys["ut"], "comment", by="Вера").left == ()
            assert pins(two.hub) == []
        else:
            two.edit("ut2", keys["ut2"], **{COMMENT: ""})
    night(two)
    assert comments(two, keys) == {None}
    assert two.rows(core.outbox) == []


def test_a_pin_that_was_not_sent_leaves_nothing(two: Two, keys: dict[str, str]) -> None:
    """Taken back before the exchange: nobody was told, so nothing stays; sent with no answer, it may have arrived."""
    pin(two.hub, "party", keys["ut"], "comment", "закреплено", by="Анна")
    done = unpin(two.hub, "party", keys["ut"], "comment", by="Вера")
    assert (done.after, done.left, pins(two.hub)) == (None, (), [])
    night(two)
    assert comments(two, keys) == {None}
    pin(two.hub, "party", keys["ut"], "comment", "закреплено", by="Анна")
    with two.store.begin() as conn:
        link = next(row["id"] for row in two.rows(core.link) if row["external_id"] == keys["ut"])
        sent = update(core.outbox).where(core.outbox.c.link_id == link)
        conn.execute(sent.values(state="unknown", meant={"comment": "закреплено"}))
    assert unpin(two.hub, "party", keys["ut"], "comment", by="Вера").left == ("ut",)
    night(two)
    assert comments(two, keys) == {"закреплено"}


def test_the_undo_of_taking_a_pin_back_pins_again(two: Two, keys: dict[str, str]) -> None:
    """It outranks systems as before; taken back once more, what a system has said meanwhile comes everywhere."""
    pinned(two, keys)
    taken = unpin(two.hub, "party", keys["ut"], "comment", by="Вера")
    undo(two.hub, taken.run_id, by="Вера")
    assert [(one.value, one.ends) for one in pins(two.hub)] == [("закреплено", False)]
    two.edit("ut2", keys["ut2"], **{COMMENT: "из CRM"})
    night(two)
    assert comments(two, keys) == {"закреплено"}
    assert unpin(two.hub, "party", keys["ut"], "comment", by="Вера").left == ()
    night(two)
    assert comments(two, keys) == {"из CRM"}


def test_a_phone_that_was_pinned_stays_too(two: Two, keys: dict[str, str]) -> None:
    """A row of a set: it stays in both systems, and goes from everywhere when somebody takes it out of one."""
    pin(two.hub, "party", keys["ut"], "contact_point[phone]", "+7 495 1234567", by="Анна")
    night(two)
    assert unpin(two.hub, "party", keys["ut"], "contact_point[phone]", by="Вера").left == ("ut", "ut2")
    night(two)
    assert all(two.shows(code, key)[CONTACTS] for code, key in keys.items())
    two.edit("ut", keys["ut"], КонтактнаяИнформация=[])
    others = [*two.shows("ut2", keys["ut2"])[CONTACTS], phone("+7 495 7654321")]
    two.edit("ut2", keys["ut2"], КонтактнаяИнформация=others)
    night(two)
    numbers = [[row["Представление"] for row in two.shows(code, key)[CONTACTS]] for code, key in keys.items()]
    assert numbers == [["+7 495 7654321"]] * 2
