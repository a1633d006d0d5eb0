"""What the brakes hold back waits for a person, once; approved it goes, rejected our value stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.exchange import held
from hub.exchange.held import Item, Wanted
from hub.exchange.held_decided import Decided, Word, decide
from hub.model.settings import RouteSettings
from hub.model.settings_routes import BudgetSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import CLIENTS, Two, bare, client, make_two, phone

NAME = "ООО Ромашка"
COMMENT = "ДополнительнаяИнформация"
NONE = BudgetSettings(absolute=0, percent=None, minimum=0)
ONE = BudgetSettings(absolute=1, percent=None, minimum=0)


def made(store: Store, home: Path, streams: frozen.Frozen, **routes: RouteSettings) -> Two:
    """Two systems; ``routes`` in place of those that may write everything."""
    bases = {"ut": bare(streams), "ut2": bare(streams)}
    told = {f"{code}.party": replace(route, code=f"{code}.party", write="all") for code, route in routes.items()}
    return make_two(store, home, bases, told, roles={"ut": "trade", "ut2": "crm"})


def shared(two: Two, number: int) -> list[tuple[str, str]]:
    """So many clients that both systems know, alike in all; their keys by system."""
    inns = ("7707083893", "7702070139", "7728168971")
    keys = [(two.put("ut", client(NAME, inn)), two.put("ut2", client(NAME, inn))) for inn in inns[:number]]
    two.exchange()
    return keys


def waiting(two: Two, direction: str) -> list[Item]:
    """The items of one direction with what would change."""
    return [item for item in held.items(two.hub, Wanted()) if item.direction == direction]


def say(two: Two, word: Word, *items: Item) -> Decided:
    """One word on all of them."""
    return decide(two.hub, [(item, word) for item in items], by="анна")


@pytest.fixture
def braked(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    """What comes from ``ut2`` is held back, each change of a record that is here."""
    return made(
        store,
        tmp_path,
        frozen_streams,
        ut2=RouteSettings("", change_budget=NONE, delete_budget=NONE, deletion="propagate"),
    )


def test_a_held_change_waits_once_and_shows_what_it_would_do(braked: Two) -> None:
    """Two nights hold one change once; it is shown with before and after, and nothing of it is written."""
    ((_, other),) = shared(braked, 1)
    braked.edit("ut2", other, **{COMMENT: "новое"})
    braked.exchange()
    braked.exchange()
    (item,) = waiting(braked, "in")
    assert [(cell.path, cell.before, cell.after) for cell in item.cells] == [("comment", None, "новое")]
    (group,) = held.groups(braked.hub, Wanted())
    assert (group.route, group.reason, group.number) == ("ut2.party", "mass_change", 1)
    assert (group.params["wanted"], group.params["limit"]) == (1, 0)
    assert braked.golden("ut2", other)["comment"] is None
    assert len(braked.rows(core.held)) == 1


def test_an_approved_change_goes_its_way_to_the_other_system(braked: Two) -> None:
    """Approval takes the change as if it came now, names who and when, and the other system gets it."""
    ((one, other),) = shared(braked, 1)
    braked.edit("ut2", other, **{COMMENT: "новое"})
    braked.exchange()
    found = say(braked, "approve", *waiting(braked, "in"))
    assert (found.approved, found.rejected, found.gone, found.error) == (1, 0, 0, None)
    assert braked.golden("ut2", other)["comment"] == "новое"
    (row,) = braked.rows(core.held)
    assert (row["state"], row["decided_by"], row["decided_at"] is None) == ("approved", "анна", False)
    run = braked.rows(core.exchange_run)[-1]
    assert (run["mode"], run["initiator"], run["state"]) == ("decide", "анна", "completed")
    braked.exchange()
    assert braked.shows("ut", one)[COMMENT] == "новое"
    assert say(braked, "approve", *waiting(braked, "in")).run_id is None


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_what_was_held_was_read_when_it_was_held(braked: Two, word: Word) -> None:
    """Let in days later it tells nothing of what was typed since: what comes next may be as old as that reading."""
    ((_, other),) = shared(braked, 1)
    braked.edit("ut2", other, **{COMMENT: "новое"})
    braked.exchange()
    (waits,) = braked.rows(core.held)
    began = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    with braked.store.begin() as conn:
        conn.execute(
            update(core.exchange_run).where(core.exchange_run.c.id == waits["last_run"]).values(started_at=began)
        )
    say(braked, word, *waiting(braked, "in"))
    (link,) = [row["id"] for row in braked.rows(core.link) if row["external_id"] == other]
    (said,) = [row for row in braked.rows(core.contribution) if row["link_id"] == link]
    assert said["read_at"] == began


def test_a_rejected_change_leaves_our_value_and_gives_it_back(braked: Two) -> None:
    """The system's word is known and does not win; it is sent our value, and its next word counts again."""
    ((_, other),) = shared(braked, 1)
    braked.edit("ut2", other, **{COMMENT: "новое"}, НаименованиеПолное="ООО Ромашка и К")
    braked.exchange()
    assert say(braked, "reject", *waiting(braked, "in")).rejected == 1
    assert braked.golden("ut2", other)["comment"] is None
    assert {(row["field"], row["ends"], row["pinned_by"]) for row in braked.rows(core.pin)} >= {
        ("comment", True, "анна")
    }
    braked.exchange()
    assert waiting(braked, "in") == []
    assert braked.golden("ut2", other)["legal_name"] == "ООО Ромашка"
    assert braked.shows("ut2", other)[COMMENT] == ""
    braked.edit("ut2", other, **{COMMENT: "ещё новее"})
    braked.exchange()
    say(braked, "approve", *waiting(braked, "in"))
    assert braked.golden("ut2", other)["comment"] == "ещё новее"


def test_what_the_source_takes_back_waits_no_more(braked: Two) -> None:
    """The record shows again what is known of it: nothing is left to be decided, and an old decision finds nothing."""
    ((_, other),) = shared(braked, 1)
    before = braked.shows("ut2", other)
    braked.edit("ut2", other, **{COMMENT: "новое"})
    braked.exchange()
    items = waiting(braked, "in")
    braked.bases["ut2"].records[CLIENTS][other,] = before
    braked.exchange()
    assert waiting(braked, "in") == []
    assert (say(braked, "approve", *items).gone, braked.golden("ut2", other)["comment"]) == (1, None)


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_held_deletion(braked: Two, word: Word) -> None:
    """Approved the record ends here too; rejected it is kept alive."""
    ((_, other),) = shared(braked, 1)
    braked.edit("ut2", other, DeletionMark=True)
    braked.exchange()
    (item,) = waiting(braked, "in")
    assert (item.op, item.reason) == ("end", "mass_delete")
    say(braked, word, item)
    assert braked.golden("ut2", other)["record_state"] == ("marked" if word == "approve" else "active")


def test_the_rest_of_an_exchange_goes_on(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> None:
    """While changes to be sent are held back, one system's own changes are taken and sent to the other."""
    two = made(store, tmp_path, frozen_streams, ut=RouteSettings("", change_budget=ONE))
    (one, _), (_, second), (_, third) = shared(two, 3)
    two.edit("ut2", second, **{COMMENT: "раз"})
    two.edit("ut2", third, **{COMMENT: "два"})
    two.exchange()
    items = waiting(two, "out")
    assert sorted((item.route, item.reason, item.cells[0].after) for item in items) == [
        ("ut.party", "mass_change", "два"),
        ("ut.party", "mass_change", "раз"),
    ]
    two.edit("ut", one, **{COMMENT: "три"})
    two.exchange()
    assert "три" in {record[COMMENT] for record in two.bases["ut2"].records[CLIENTS].values()}
    assert len(waiting(two, "out")) == 2


def test_approved_rows_are_sent_and_rejected_ones_are_dropped(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """One goes; of the other the system's own value is tolerated until ours changes. Both decisions are on record."""
    two = made(store, tmp_path, frozen_streams, ut=RouteSettings("", change_budget=ONE))
    _, (a, second), (b, third) = shared(two, 3)
    two.edit("ut2", second, **{COMMENT: "раз"})
    two.edit("ut2", third, **{COMMENT: "два"})
    two.exchange()
    by_key = {item.external_id: item for item in waiting(two, "out")}
    say(two, "approve", by_key[a])
    say(two, "reject", by_key[b])
    two.exchange()
    assert (two.shows("ut", a)[COMMENT], two.shows("ut", b)[COMMENT]) == ("раз", "")
    assert two.rows(core.outbox) == []
    log = [(row["op"], row["after"]) for row in two.rows(core.change_log) if row["op"] in {"approve", "reject"}]
    assert log == [("approve", "анна"), ("reject", "анна")]
    two.edit("ut2", third, **{COMMENT: "четыре"})
    two.exchange()
    assert two.shows("ut", b)[COMMENT] == "четыре"


def strangers(two: Two) -> tuple[str, str]:
    """One client of both systems, each with a phone that the other lacks; their keys."""
    phones = [[phone("+7 495 1234567")], [phone("+7 495 7654321")]]
    keys = [
        two.put(system, client(NAME, КонтактнаяИнформация=rows))
        for system, rows in zip(("ut", "ut2"), phones, strict=True)
    ]
    two.exchange()
    return keys[0], keys[1]


def phones_of(two: Two, system: str, key: str) -> set[str]:
    """Numbers that the system shows."""
    return {row["Представление"] for row in two.shows(system, key)["КонтактнаяИнформация"]}


def test_first_contact_is_sent_once_approved(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> None:
    """Two full cards differ: what would be written is shown, and is written only after a person's yes."""
    two = made(store, tmp_path, frozen_streams)
    one, other = strangers(two)
    two.exchange()
    assert len(phones_of(two, "ut2", other)) == 1
    items = waiting(two, "out")
    assert {item.reason for item in items} == {"first_contact"}
    (its,) = [item for item in items if item.external_id == other]
    assert [(cell.before, cell.after) for cell in its.cells] == [(None, "+7 495 1234567")]
    say(two, "approve", *items)
    two.exchange()
    assert len(phones_of(two, "ut", one)) == len(phones_of(two, "ut2", other)) == 2


def test_what_became_equal_by_itself_waits_no_more(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> None:
    """A person enters the missing phone in the system: nothing is owed there, so nothing asks for a decision."""
    two = made(store, tmp_path, frozen_streams)
    one, other = strangers(two)
    assert {item.external_id for item in waiting(two, "out")} == {one, other}
    both = [phone("+7 495 7654321"), phone("+7 495 1234567") | {"LineNumber": "2"}]
    two.edit("ut2", other, КонтактнаяИнформация=both)
    two.exchange()
    assert {item.external_id for item in waiting(two, "out")} == {one}


def test_a_record_that_nobody_wants_made_is_not_made(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """A creation is rejected: nothing is made now or later, and a card that the system makes itself is linked."""
    ut2 = RouteSettings("", change_budget=NONE, create="always", create_in="counterparty")
    two = made(store, tmp_path, frozen_streams, ut2=ut2)
    one = two.put("ut", client("ООО Ромашка"))
    two.exchange()
    two.exchange()
    items = waiting(two, "out")
    assert {item.op for item in items} == {"create"}  # the base's own organizations are cards, too
    (its,) = [item for item in items if item.label == NAME]
    assert "legal_name" in {cell.path for cell in its.cells}
    say(two, "reject", *items)
    two.exchange()
    assert len(two.bases["ut2"].records[CLIENTS]) == 0
    other = two.put("ut2", client("ООО Ромашка"))
    two.exchange()
    assert two.record("ut", one) == two.record("ut2", other)
