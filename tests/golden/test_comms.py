"""Golden scenarios of letters and calls (24, 25, 26, 30), and that a merge and a split take them along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.exchange.cards.desk import CardDesk
from hub.exchange.comms import hand, history
from hub.exchange.comms.follow import rematch
from hub.model.errors import NeedsPerson
from hub.store import comms_tables, core, tables
from hub.store.database import Store
from mappings import profile
from tests.exchange.comms.world import PROFILES, Firm, make_firm

Make = Callable[..., Firm]


@pytest.fixture
def make(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a firm that has read its systems once, read by the small profiles of the communications' tests."""
    monkeypatch.setattr(profile, "ROOT", PROFILES)

    def build(**told: object) -> Firm:
        firm = make_firm(store, tmp_path, **told)  # type: ignore[arg-type]
        firm.night()
        return firm

    return build


def test_24_two_near_calls_from_one_number(make: Make) -> None:
    """Two calls within a second are two events, both on the client's card, and one task; read again, nothing moves."""
    firm = make()
    firm.client("romashka", "Ромашка", "+79160000001")
    firm.call("a.1", "+79160000001")
    firm.call("a.2", "+79160000001")
    firm.night()
    calls = [row for row in firm.root("activity") if row["type"] == "call"]
    assert (len(calls), calls[0]["started_at"]) == (2, calls[1]["started_at"])
    assert firm.match("pbx", "a.1") == firm.match("pbx", "a.2") == ("matched", "handle", {("matched", "Ромашка")})
    assert [row["dedupe_key"] for row in firm.root("task")] == ["missed:+79160000001:pbx:a.1"]
    log = firm.rows(core.change_log)
    firm.backfill("pbx.activity")
    firm.night()
    assert firm.rows(core.change_log) == log


def test_25_the_shared_phone_of_a_business_centre(make: Make) -> None:
    """A number of three tenants names none: all are candidates. A person says whose it was, and that stays, whatever
    contacts come and go; taken back, the rules decide again. Once 21 have it, it tells nothing.
    """
    firm = make(unknown="create")
    for number in range(3):
        firm.client(f"t{number}", f"Арендатор {number}", "+7 (495) 777-00-00")
    firm.call("1", "+74957770000", "held")
    firm.call("2", "+74957770000", "held", minutes=1)
    firm.night()
    three = {("candidate", f"Арендатор {number}") for number in range(3)}
    assert firm.match("pbx", "1") == ("ambiguous", "handle", three)
    assert firm.root("lead") == []
    done = hand.link(firm.hub, str(firm.record("pbx", "1")), "t1", by="админ")
    assert (done.before, done.after) == (("ambiguous", "handle"), ("manual", "manual"))
    firm.client("t1", "Арендатор 1")
    firm.night()
    assert firm.match("pbx", "1") == ("manual", "manual", {("matched", "Арендатор 1")})
    assert firm.match("pbx", "2") == ("ambiguous", "handle", three - {("candidate", "Арендатор 1")})
    hand.release(firm.hub, str(firm.record("pbx", "1")), by="админ")
    assert firm.match("pbx", "1") == firm.match("pbx", "2")
    for number in range(3, 22):
        firm.client(f"t{number}", f"Арендатор {number}", "+7 (495) 777-00-00")
    firm.night()
    assert firm.match("pbx", "1") == ("unmatched", "too_many", set())
    assert firm.root("lead") == []


def test_26_mail_to_a_converted_lead(make: Make) -> None:
    """A stranger becomes a lead; the lead becomes a client; his next letter, and what he wrote before, is the client's,
    even from an address that the client's card does not hold.
    """
    firm = make(unknown="create")
    firm.letter("1", "ivan@gmail.com", "sales@firm.ru", subject="Прайс")
    firm.night()
    assert firm.match("post", "1") == ("matched", "lead", {("matched", "lead:email:ivan@gmail.com")})
    firm.client("romashka", "Ромашка", "ivan@gmail.com")
    firm.night()
    assert [(row["status"], row["closed_at"] is not None) for row in firm.root("lead")] == [("converted", True)]
    firm.client("romashka", "Ромашка", "zakupki@romashka.ru")
    firm.night()
    firm.letter("2", "ivan@gmail.com", "sales@firm.ru", minutes=5)
    firm.night()
    mine = ("matched", "lead", {("matched", "Ромашка")})
    assert firm.match("post", "1") == firm.match("post", "2") == mine
    assert len(firm.root("lead")) == 1
    card = history.card(firm.hub, "romashka")
    assert sorted((one.kind, one.rule) for one in card.entries) == [
        ("email", "lead"),
        ("email", "lead"),
        ("lead", "reference"),
    ]


def test_30_backfill_makes_no_tasks_and_no_leads(make: Make, store: Store, tmp_path: Path) -> None:
    """The first reading and a backfill bring missed calls and strangers: they are counted and matched, nobody is
    given work. A call that is missed after that is a task, the same strangers' next words leads.
    """
    firm = make_firm(store, tmp_path, unknown="create")
    firm.call("1", "+79160000001")
    firm.letter("1", "ivan@gmail.com", "sales@firm.ru")
    firm.night()
    assert (firm.root("task"), firm.root("lead")) == ([], [])
    firm.call("2", "+79160000002", minutes=1)
    firm.letter("2", "petr@gmail.com", "sales@firm.ru", minutes=1)
    firm.backfill("pbx.activity")
    firm.backfill("post.activity")
    assert (firm.root("task"), firm.root("lead")) == ([], [])
    assert [row["handle"] for row in firm.rows(comms_tables.call_back)] == ["+79160000001", "+79160000002"]
    firm.night()
    assert (firm.root("task"), firm.root("lead")) == ([], [])
    firm.call("3", "+79160000001", minutes=2)
    firm.letter("3", "ivan@gmail.com", "sales@firm.ru", minutes=2)
    firm.night()
    assert [row["dedupe_key"] for row in firm.root("task")] == ["missed:+79160000001:pbx:3"]
    leads = sorted(row["dedupe_key"] for row in firm.root("lead"))
    assert leads == ["lead:email:ivan@gmail.com", "lead:phone:+79160000001"]


def test_a_merge_and_a_split_take_the_letters_along(make: Make) -> None:
    """Links that move are told to ``rematch``: letters of both are the survivor's, and each one's own again after."""
    firm = make()
    firm.client("one", "Ромашка", "a@romashka.ru")
    firm.client("two", "Ромашка, филиал", "b@gmail.com")
    firm.letter("1", "a@romashka.ru", "sales@firm.ru")
    firm.letter("2", "b@gmail.com", "sales@firm.ru")
    firm.night()
    one, two = firm.record("crm", "one"), firm.record("crm", "two")
    root, point, link = tables.ROOTS["party"], tables.CHILDREN["contact_point"], core.link
    with firm.store.begin() as conn:  # what a merge leaves: links and contacts on the survivor, the other redirected
        conn.execute(root.update().where(root.c.id == two).values(record_state="merged"))
        conn.execute(point.update().where(point.c.party_id == two).values(party_id=one, seq=7))
        conn.execute(link.update().where(link.c.record_id == two).values(record_id=one))
        conn.execute(core.redirect.insert().values(from_record_id=two, to_record_id=one, entity="party", at=firm.at))
        rematch(conn, CardDesk(firm.hub, 1, "2026-11-01 10:00:00"), [one, two])
    both = ("matched", "handle", {("matched", "Ромашка")})
    assert firm.match("post", "1") == firm.match("post", "2") == both
    assert [entry.kind for entry in history.card(firm.hub, str(two)).entries] == ["email", "email"]
    with firm.store.begin() as conn:
        conn.execute(root.update().where(root.c.id == two).values(record_state="active"))
        conn.execute(point.update().where(point.c.seq == 7).values(party_id=two, seq=1))
        conn.execute(core.redirect.delete())
        rematch(conn, CardDesk(firm.hub, 1, "2026-11-01 10:00:00"), [one, two])
    assert firm.match("post", "2") == ("matched", "handle", {("matched", "Ромашка, филиал")})


def test_a_person_s_word_is_in_the_journal_and_can_be_taken_back_once(make: Make) -> None:
    """Each word is a run of its own with a row in the log; a word that nobody said cannot be taken back."""
    firm = make()
    firm.letter("1", "who@gmail.com", "sales@firm.ru")
    firm.letter("2", "who@gmail.com", "sales@firm.ru", in_reply_to="<1@x>", minutes=1)
    firm.client("romashka", "Ромашка")
    firm.night()
    number = str(firm.record("post", "1"))
    hand.link(firm.hub, number, "romashka", by="админ")
    assert firm.match("post", "2") == ("matched", "thread", {("matched", "Ромашка")})
    hand.ignore(firm.hub, number, by="админ")
    assert firm.match("post", "1") == ("ignored", "manual", set())
    assert firm.match("post", "2")[0] == "unmatched"
    hand.release(firm.hub, number, by="админ")
    assert firm.match("post", "1") == ("unmatched", "nobody", set())
    with pytest.raises(NeedsPerson) as caught:
        hand.release(firm.hub, number, by="админ")
    assert caught.value.code == "comms_no_word"
    assert [row["op"] for row in firm.rows(core.change_log) if row["op"] == "match"] == ["match"] * 3
    modes = [(row["mode"], row["initiator"], row["state"]) for row in firm.rows(core.exchange_run)]
    assert modes[-4:] == [("decide", "админ", "completed")] * 3 + [("decide", "админ", "failed")]
