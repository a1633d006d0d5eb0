"""Stories of an exchange that admins know, told on two or three systems and one hub."""

from __future__ import annotations

from dataclasses import replace

from hub.engine.arrive import decided
from hub.engine.budget import Budget, judge
from hub.engine.cells import STATE, Moment, Pin, Value
from hub.engine.loops import ping_pong
from hub.engine.policies import Policy
from tests.engine.world import World, as_is, make_world

ORDER = ("base", "crm")
MASTER = Policy("master", ORDER)
LATEST = Policy("latest", ORDER)
MANUAL = Policy("manual", ORDER)
PHONES = Policy("union", ORDER, clearable=True)
PHONE, MOBILE = "point[phone,74951234567,]", "point[phone,79161234567,]"
ROW: tuple[Value, ...] = ("phone", "work", "+7 495 123-45-67", "74951234567", None, 1)


def two(card: dict[str, Value], policies: dict[str, Policy], **more: object) -> World:
    """A base and a CRM that agree on a card, everything written and read back."""
    living: dict[str, Value] = {STATE: card[STATE]} if STATE in card else {}
    world = make_world(policies, {"base": card, "crm": living}, **more)
    world.read("base")
    world.settle()
    assert world.systems["crm"].cells == {path: value for path, value in card.items() if value is not None}
    return world


def both(world: World, path: str) -> tuple[Value, Value]:
    """What the two systems show."""
    return world.systems["base"].cells.get(path), world.systems["crm"].cells.get(path)


def test_two_edits_of_different_fields_both_survive() -> None:
    """The trade name changes in the CRM and the legal name in 1C in one night: both values reach both systems."""
    world = two({"legal": "ООО Ромашка", "trade": "Ромашка"}, {"legal": MASTER, "trade": Policy("master", ORDER[::-1])})
    world.edit("base", "legal", "АО Ромашка")
    world.edit("crm", "trade", "Ромашка-Плюс")
    world.settle()
    assert both(world, "legal") == ("АО Ромашка", "АО Ромашка")
    assert both(world, "trade") == ("Ромашка-Плюс", "Ромашка-Плюс")


def test_two_edits_of_one_field_go_to_the_master_and_the_loser_is_named() -> None:
    """Both sides rename the client: 1C is master, the CRM's name is a loss and stands among what lost."""
    world = two({"name": "Ромашка"}, {"name": MASTER})
    world.edit("base", "name", "Ромашка 1")
    world.edit("crm", "name", "Ромашка 2")
    world.read("base")
    arrival = world.read("crm")
    assert [(loss.edit.after, loss.winner.value, loss.winner.rule) for loss in arrival.losses] == [
        ("Ромашка 2", "Ромашка 1", "master")
    ]
    assert [(one.system, one.value) for one in world.golden()["name"].lost] == [("crm", "Ромашка 2")]
    world.settle()
    assert both(world, "name") == ("Ромашка 1", "Ромашка 1")


def test_two_edits_of_one_field_wait_for_a_person_where_the_policy_says_so() -> None:
    """Both sides change a manual field: the CRM's edit waits, nothing is written over it, a person's word goes out."""
    world = two({"limit": 10}, {"limit": MANUAL})
    world.edit("base", "limit", 20)
    world.edit("crm", "limit", 30)
    world.read("base")
    conflict = world.read("crm").conflicts[0]
    assert (conflict.base, conflict.ours, conflict.theirs) == (10, 20, 30)
    world.settle()
    assert both(world, "limit") == (20, 30)
    assert world.golden()["limit"].rule == "held"
    world.now += 10
    world.known = decided(world.known, {"limit": 25}, Moment(world.now - 1, world.now))
    world.settle()
    assert both(world, "limit") == (25, 25)
    world.edit("crm", "limit", 40)
    world.settle()
    assert both(world, "limit") == (40, 40), "a decision is no pin"


def test_the_same_edit_on_both_sides_is_no_conflict() -> None:
    """Both people typed the same new limit: nobody is asked."""
    world = two({"limit": 10}, {"limit": MANUAL})
    for name in ORDER:
        world.edit(name, "limit", 20)
        assert world.read(name).conflicts == ()
    assert world.golden()["limit"].lost == ()


def test_a_question_is_settled_when_the_system_comes_round() -> None:
    """The CRM's user puts in what 1C says: the conflict is over without a person."""
    world = two({"limit": 10}, {"limit": MANUAL})
    world.edit("base", "limit", 20)
    world.edit("crm", "limit", 30)
    world.read("base")
    assert world.read("crm").conflicts
    world.edit("crm", "limit", 35)
    again = world.read("crm")
    assert (again.conflicts[0].theirs, again.settled) == (35, ())
    world.edit("crm", "limit", 20)
    assert world.read("crm").settled == ("limit",)
    assert world.known.holds == {}


def test_later_wins_where_the_field_says_latest() -> None:
    """A comment typed in the CRM a day after the one in 1C stays; one typed in the same night goes by the order."""
    world = two({"note": "звонить"}, {"note": LATEST})
    world.edit("base", "note", "не звонить")
    world.settle()
    world.edit("crm", "note", "звонить утром")
    world.settle()
    assert both(world, "note") == ("звонить утром", "звонить утром")
    world.edit("crm", "note", "вечером")
    world.edit("base", "note", "днём")
    world.settle()
    assert both(world, "note") == ("днём", "днём")


def test_a_clock_that_is_wrong_does_not_win() -> None:
    """The CRM says it changed the note in the next century: its word is dated by when it was read, not by its clock."""
    world = two({"note": "а"}, {"note": LATEST})
    world.edit("crm", "note", "б")
    world.edit("base", "note", "в")
    world.read("crm", told=world.now + 10**9)
    world.read("base")
    assert world.value("note") == "в"


def test_clearing_a_phone_ends_it_everywhere() -> None:
    """The CRM's user removes a number: it goes from 1C too, and re-reading 1C does not bring it back."""
    world = two({PHONE: ROW}, {"point": PHONES})
    world.edit("crm", PHONE, None)
    world.settle()
    assert both(world, PHONE) == (None, None)
    world.read("base")
    world.settle()
    assert both(world, PHONE) == (None, None)
    world.edit("base", PHONE, ROW)
    world.settle()
    assert both(world, PHONE) == (ROW, ROW), "typed again later, it is back"


def test_a_phone_that_one_system_never_had_is_not_removed() -> None:
    """Two full cards meet with one number each: both end up with both."""
    world = make_world({"point": PHONES}, {"base": {PHONE: ROW}, "crm": {MOBILE: ROW}})
    world.settle()
    assert both(world, PHONE) == both(world, MOBILE) == (ROW, ROW)


def test_clearing_a_field_that_must_not_go_empty() -> None:
    """1C loses the name by mistake: readers keep it, the CRM keeps it, and 1C is not fought over it."""
    world = two({"name": "Ромашка"}, {"name": MASTER})
    world.edit("base", "name", None)
    world.settle()
    assert both(world, "name") == (None, "Ромашка")
    assert (world.golden()["name"].rule, world.value("name")) == ("kept", "Ромашка")
    world.edit("base", "name", "Ромашка 2")
    world.settle()
    assert both(world, "name") == ("Ромашка 2", "Ромашка 2")


def test_a_deletion_mark_travels_and_its_removal_is_asked() -> None:
    """1C marks the client: the CRM is marked too. 1C takes the mark back: a person says yes before the CRM follows."""
    world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER})
    world.edit("base", STATE, "marked")
    world.settle()
    assert both(world, STATE) == ("marked", "marked")
    world.edit("base", STATE, "active")
    assert world.read("base").conflicts[0].path == STATE
    world.settle()
    assert both(world, STATE) == ("active", "marked")
    world.now += 10
    world.known = decided(world.known, {STATE: "active"}, Moment(world.now - 1, world.now))
    world.settle()
    assert both(world, STATE) == ("active", "active")


def test_a_deletion_that_must_be_asked_waits() -> None:
    """The CRM marks a client and the policy asks: 1C keeps it until a person agrees."""
    world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER}, state="ask")
    world.edit("crm", STATE, "marked")
    assert [one.theirs for one in world.read("crm").conflicts] == ["marked"]
    world.settle()
    assert both(world, STATE) == ("active", "marked")
    asked, at = world.known, world.now + 10
    world.now = at
    world.known = decided(asked, {STATE: "marked"}, Moment(at - 1, at))
    world.settle()
    assert both(world, STATE) == ("marked", "marked")


def test_a_refused_deletion_is_taken_back() -> None:
    """A person says the client stays: the mark in the CRM is removed."""
    world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER}, state="ask")
    world.edit("crm", STATE, "marked")
    world.read("crm")
    world.now += 10
    world.known = decided(world.known, {STATE: "active"}, Moment(world.now - 1, world.now))
    world.settle()
    assert both(world, STATE) == ("active", "active")


def test_a_deletion_is_archived_or_ignored_by_policy() -> None:
    """``archive`` ends the record for readers only, ``ignore`` for nobody; the other system is told nothing."""
    for policy, state in (("archive", "archived"), ("ignore", "active")):
        world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER}, state=policy)
        world.edit("base", STATE, "marked")
        world.settle()
        assert world.value(STATE) == state
        assert both(world, STATE) == ("marked", "active")


def test_an_edit_against_a_deletion_goes_by_policy() -> None:
    """1C marks the client while the CRM edits it: the mark travels, the edit is kept and is what readers see."""
    world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER})
    world.edit("base", STATE, "marked")
    world.edit("crm", "name", "Ромашка 2")
    world.settle()
    assert both(world, STATE) == ("marked", "marked")
    assert world.value("name") == "Ромашка 2", "a marked card votes only if no living one does"
    assert both(world, "name")[0] == "Ромашка", "nothing but its state is written to a marked card"


def test_what_was_deleted_physically_is_marked_elsewhere() -> None:
    """The card is gone from 1C: the CRM is marked, never deleted, and nothing is sent to what is not there."""
    world = two({"name": "Ромашка", STATE: "active"}, {"name": MASTER})
    world.edit("base", STATE, "deleted")
    world.edit("crm", "name", "Ромашка 2")
    world.settle()
    assert both(world, STATE) == ("deleted", "marked")
    assert world.owed("base") == {}


def test_what_a_closed_period_refuses_is_owed_until_it_opens() -> None:
    """1C keeps its value: the cell is refused and stays owed; next day it passes, with the value of then."""
    world = two({"date": "2026-01-31"}, {"date": Policy("master", ORDER[::-1])})
    world.systems["base"].normal = lambda path, value: "2026-01-31"
    world.systems["base"].way = world.systems["crm"].way
    world.edit("crm", "date", "2026-02-01")
    world.read("crm")
    accepts = world.systems["base"].accepts
    world.systems["base"].accepts = lambda path, meant, shown: shown == meant  # type: ignore[method-assign]
    world.push("base")
    assert [(one.meant, one.shown) for one in world.refused] == [("2026-02-01", "2026-01-31")]
    assert world.owed("base") == {"date": "2026-02-01"}
    world.systems["base"].normal = as_is
    world.systems["base"].accepts = accepts  # type: ignore[method-assign]
    world.settle()
    assert both(world, "date") == ("2026-02-01", "2026-02-01")


def test_an_edit_found_before_writing_is_taken_in_first() -> None:
    """The version moved between deciding and writing: the edit in between is read, and lost nowhere."""
    world = two({"limit": 10}, {"limit": MANUAL})
    world.edit("base", "limit", 20)
    world.read("base")
    world.edit("crm", "limit", 30)
    assert world.push("crm") == {}, "what is owed is a question now"
    assert both(world, "limit") == (20, 30)


def test_a_crash_after_the_write_repeats_nothing() -> None:
    """The hub dies before it confirms: it looks, sees its own value, and does not repeat it."""
    world = two({"name": "Ромашка"}, {"name": Policy("master", ORDER[::-1])})
    world.edit("crm", "name", "Ромашка 2")
    world.read("crm")
    world.push("base", crash=True)
    arrival = world.read("base")
    assert (*arrival.changes, *arrival.losses) == ()
    assert world.owed("base") == {}
    assert (
        "name" not in world.known.contributions[-1].own or world.known.contributions[-1].own["name"].value == "Ромашка"
    )


def test_a_lost_event_is_found_by_the_next_full_read() -> None:
    """No event told of the edit: reading everything finds it, because what the system shows is compared."""
    world = two({"name": "Ромашка"}, {"name": MASTER})
    world.edit("base", "name", "Ромашка 2")
    assert [change.after for change in world.read("base").changes] == ["Ромашка 2"]


def test_our_own_echo_is_nothing() -> None:
    """What we wrote comes back, cut as the mapping declares: no edit, no vote, nothing to send."""
    world = make_world({"name": MASTER}, {"base": {"name": "Ромашка"}, "crm": {}})
    world.systems["crm"].normal = lambda path, value: value[:3] if isinstance(value, str) and path == "name" else value
    world.settle()
    assert both(world, "name") == ("Ромашка", "Ром")
    arrival = world.read("crm")
    assert (*arrival.changes, *arrival.losses, *arrival.conflicts) == ()
    assert all("name" not in one.own for one in world.known.contributions if one.system == "crm")
    assert world.owed("crm") == world.owed("base") == {}


def test_ping_pong_is_seen_and_names_both_systems() -> None:
    """Two systems each put their own value back: after the third return the field is stopped."""
    there_and_back = [("base", "А"), ("crm", "Б")] * 4
    assert ping_pong(there_and_back[:6]) is None
    found = ping_pong(there_and_back[:7])
    assert found is not None
    assert (found.systems, found.values) == (("base", "crm"), ("А", "Б"))
    assert ping_pong([*there_and_back[:6], ("base", "В")]) is None, "someone types something new"


def test_a_kopeck_that_the_system_rounds_away_is_no_change() -> None:
    """1C rounds to roubles as declared: it is told once, and both sides stay as they are."""
    world = make_world({"total": Policy("master", ORDER[::-1])}, {"base": {}, "crm": {"total": 227625}})
    world.systems["base"].normal = lambda path, value: value // 100 * 100 if isinstance(value, int) else value
    world.settle()
    assert both(world, "total") == (227600, 227625)
    writes = world.writes
    world.settle()
    assert world.writes == writes


def test_an_empty_date_erases_nothing() -> None:
    """1C's empty date comes as NULL: a filled one stays."""
    world = two({"due": "2026-03-01"}, {"due": LATEST})
    world.edit("base", "due", None)
    world.settle()
    assert world.value("due") == "2026-03-01"


def test_a_field_that_vanished_from_the_metadata_is_not_cleared() -> None:
    """The mapping no longer tells a field: its last value stands, and the next master does not take over."""
    world = two({"name": "Ромашка", "kpp": "770101001"}, {"name": MASTER, "kpp": MASTER})
    del world.systems["base"].cells["kpp"]
    world.edit("crm", "kpp", "770201001")
    world.read("crm")
    assert world.read("base").changes == ()
    assert world.value("kpp") == "770101001"


def test_a_mass_change_stops_at_twenty_percent() -> None:
    """201 of 1000 clients changed at once wait for a person; 200 pass; ten of twenty are too few to count as many."""
    budget = Budget(percent=20, minimum=50)
    assert judge(budget, 200, 1000).passes
    assert not judge(budget, 201, 1000).passes
    assert not judge(budget, 101, 1000, passed=100).passes
    assert judge(budget, 10, 20).passes


def test_a_paused_route_sends_one_write_when_it_resumes() -> None:
    """Three changes while nothing is written are one write of the last value: what is owed is computed late."""
    world = two({"name": "1"}, {"name": MASTER})
    writes = world.writes
    for value in ("2", "3", "4"):
        world.edit("base", "name", value)
        world.read("base")
    assert world.push("crm") == {"name": "4"}
    assert world.writes == writes + 1


def test_a_night_that_is_run_again_changes_nothing() -> None:
    """The same cards read and sent again: no change, no write, the same contributions."""
    world = two({"name": "Ромашка", PHONE: ROW, "limit": 3}, {"name": MASTER, "point": PHONES, "limit": MANUAL})
    known, writes = world.known, world.writes
    world.settle()
    assert world.writes == writes
    assert world.known == known


def test_a_value_undone_by_a_person_goes_back_and_ends_with_the_next_edit() -> None:
    """A pin made by an undo holds against its system, and ends when that system says something else."""
    world = two({"name": "Ромашка"}, {"name": MASTER})
    world.edit("base", "name", "Рамашка")
    world.settle()
    world.known = replace(world.known, pins={"name": Pin("Ромашка", ends=True)})
    world.settle()
    assert both(world, "name") == ("Ромашка", "Ромашка")
    world.edit("base", "name", "ООО Ромашка")
    assert world.read("base").ended == ("name",)
    world.settle()
    assert both(world, "name") == ("ООО Ромашка", "ООО Ромашка")
