"""What comes in, what is owed, what a write leaves behind, and the arrival of a record as a whole."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.engine.arrive import Known, arrive, changes, decided, golden_of
from hub.engine.cells import (
    HUB,
    LIVING,
    STATE,
    Contribution,
    Golden,
    Hold,
    Moment,
    Own,
    Pin,
    Value,
    changed_at,
)
from hub.engine.codec import decode, encode
from hub.engine.decide import Change
from hub.engine.incoming import Edit, Incoming, Refused, confirmed, incoming
from hub.engine.outgoing import Way, outgoing
from hub.engine.policies import Policy, Rules

NEW = Contribution(1, "a")
NOW = Moment(10, 20)
ROW: tuple[Value, ...] = ("phone", "1", None)
PHONE = "point[phone,1,]"


def known(told: dict[str, Value], at: int = 10) -> Contribution:
    """A contribution after first contact."""
    return incoming(NEW, told, Moment(0, at), lists=["point"]).contribution


def test_first_contact_is_no_edit_and_empty_says_nothing() -> None:
    """A full card: its filled cells are its word, nobody knows since when; empty ones and living are none."""
    came = incoming(NEW, {"x": "А", "y": None, "z": "", "n": 0, STATE: None}, NOW)
    assert (came.first, came.edits) == (True, ())
    word = Own("А", Moment(0, 20), Moment(0, 20))
    assert came.contribution.own == {"x": word, "n": replace(word, value=0)}
    assert came.contribution.shown == {"x": "А", "y": None, "z": None, "n": 0, STATE: "active"}
    assert came.contribution.plain
    assert incoming(NEW, {STATE: "marked"}, NOW).contribution.own[STATE].value == "marked"
    assert incoming(incoming(NEW, {}, NOW).contribution, {"x": "А"}, NOW).edits, "an empty card was seen, too"
    stateless = Contribution(1, "a", {}, {"x": "А"})
    assert incoming(stateless, {"x": "А", STATE: "active"}, NOW).edits == (), "what has no state lives"


def test_what_differs_from_what_was_shown_is_an_edit() -> None:
    """The system's word moves on, its first filling is remembered, and what we wrote there is over."""
    before = replace(known({"x": "А", "y": "Б", "z": None}), sent={"y": "Бб"})
    came = incoming(before, {"x": "А2", "y": None, "z": "В"}, NOW)
    assert (came.first, came.edits) == (False, (Edit("x", "А", "А2"), Edit("y", "Б", None), Edit("z", None, "В")))
    after = came.contribution
    assert after.own["x"] == Own("А2", NOW, Moment(0, 10))
    assert after.own["y"] == Own("Б", Moment(0, 10), Moment(0, 10), cleared=NOW)
    assert after.own["z"] == Own("В", NOW, NOW)
    assert after.sent == {}
    assert not after.plain
    again = incoming(after, {"y": "Б3"}, Moment(30, 40)).contribution
    assert again.own["y"] == Own("Б3", Moment(30, 40), Moment(30, 40)), "filled anew"


def test_clearing_what_it_never_filled_is_a_mark_without_a_value() -> None:
    """A system empties what we wrote: it has said "empty", and no value of its own is kept."""
    before = Contribution(1, "a", {}, {"x": "наше"}, {"x": "наше"})
    own = incoming(before, {"x": None}, NOW).contribution.own["x"]
    assert own == Own(None, NOW, NOW, cleared=NOW)
    after = incoming(before, {"x": None}, NOW).contribution
    filled = incoming(after, {"x": "своё"}, Moment(30, 40)).contribution.own["x"]
    assert filled == Own("своё", Moment(30, 40), Moment(30, 40))


def test_a_list_told_whole_tells_what_is_away() -> None:
    """A missing row is an edit where the list is told whole, and nothing where it is not."""
    before = known({"x": "А", PHONE: ROW})
    assert incoming(before, {"x": "А"}, NOW).edits == ()
    came = incoming(before, {"x": "А"}, NOW, lists=["point"])
    assert came.edits == (Edit(PHONE, ROW, None),)
    assert came.contribution.own[PHONE].cleared == NOW
    assert incoming(came.contribution, {"x": "А"}, NOW, lists=["point"]).edits == ()
    assert incoming(before, {}, NOW, lists=["address", "x"]).edits == (), "only rows go by not being told"


def test_a_new_mapping_rebases_silently() -> None:
    """Other values, new fields and rows that are away are no edits; what we wrote stands for what it stood for."""
    own = known({"x": "А", "y": "Б", "e": "Е", PHONE: ROW})
    before = replace(own, shown={**own.shown, "w": "наше", "c": None}, sent={"w": "Наше"})
    before = replace(before, own={**before.own, "c": Own("К", Moment(0, 1), Moment(0, 1), cleared=Moment(1, 2))})
    gone = Own("М", Moment(0, 1), Moment(0, 1), cleared=Moment(1, 2))
    before = replace(before, own={**before.own, "m": gone}, shown={**before.shown, "m": None, "mute": "?"})
    told: dict[str, Value] = {"x": "а", "y": None, "w": "НАШЕ", "new": "Н", "c": "К2", "m": None, "mute": None}
    came = incoming(before, told, NOW, rebase=True, lists=["point"])
    assert (came.first, came.edits) == (False, ())
    after, then = came.contribution, Moment(0, 10)
    assert after.own["x"] == Own("а", then, then)
    assert (after.own["m"], "mute" in after.own) == (gone, False)
    assert after.own["y"] == Own("Б", then, then, cleared=Moment(0, 20)), "empty does not erase"
    assert after.own["new"] == after.own["c"].__class__("Н", Moment(0, 20), Moment(0, 20))
    assert after.own["c"] == Own("К2", Moment(0, 20), Moment(0, 20))
    assert (PHONE in after.own, after.shown[PHONE]) == (False, None)
    assert (after.shown["w"], after.stands_for("w"), after.stands_for("x")) == ("НАШЕ", "Наше", "а")
    assert (after.stands_for("never"), after.stands_for(STATE)) == (None, LIVING)
    assert "w" not in after.own


def test_seeing_the_value_of_an_unknown_write_confirms_it() -> None:
    """A write whose answer was lost: its value, or what the mapping makes of it, is ours; anything else is theirs."""
    before = known({"x": "А", "y": "Б"})
    unknown: dict[str, Value] = {"x": "Длинное", "y": "Другое"}
    came = incoming(
        before,
        {"x": "Дли", "y": "чужое"},
        NOW,
        unknown=unknown,
        accepts=lambda _path, meant, shown: shown == str(meant)[:3],
    )
    assert came.edits == (Edit("y", "Б", "чужое"),)
    assert (came.contribution.shown["x"], came.contribution.sent) == ("Дли", {"x": "Длинное"})
    assert came.contribution.own["x"].value == "А"
    still = incoming(before, {"x": "Дли", "y": "Б"}, NOW, unknown=unknown).contribution
    assert still.sent == {}, "nothing was declared to cut it"
    unseen = incoming(before, {"y": "Б"}, NOW, unknown={"x": None, PHONE: ROW}, lists=["point"]).contribution
    assert unseen == before, "what is not told confirms nothing"
    rebased = incoming(before, {"x": "Длинное", "y": "Б"}, NOW, unknown=unknown, rebase=True).contribution
    assert (rebased.sent, rebased.own["x"].value) == ({"x": "Длинное"}, "А")
    made = incoming(NEW, {"x": "Длинное", "code": "1"}, NOW, unknown={"x": "Длинное"})
    assert (made.first, made.contribution.sent, list(made.contribution.own)) == (True, {"x": "Длинное"}, ["code"])


def test_a_write_is_confirmed_by_what_is_read_back() -> None:
    """As meant or as declared is confirmed, anything else refused; what else changed passes through incoming."""
    before = known({"x": "А", "y": "Б", "z": "В", PHONE: ROW})
    shows: dict[str, Value] = {"x": "Новое", "y": "Б", "z": "само", "sum": 5}
    meant: dict[str, Value] = {"x": "новое", "y": "отказ", PHONE: None, "gone": "нет"}
    after, refused = confirmed(
        before, meant, shows, NOW, lists=["point"], accepts=lambda _path, one, two: str(one).lower() == str(two).lower()
    )
    assert refused == (Refused("y", "отказ", "Б"), Refused("gone", "нет", None))
    assert (after.shown["x"], after.sent) == ("Новое", {"x": "новое", PHONE: None})
    assert after.own == before.own
    came = incoming(after, shows, NOW, lists=["point"])
    assert {edit.path for edit in came.edits} == {"z", "sum"}


def test_a_cell_that_shows_a_third_value_is_the_systems_own_word() -> None:
    """We wrote one thing, the system made another of it: refused, and its word from now on."""
    before = known({"x": "А"})
    after, refused = confirmed(before, {"x": "Б"}, {"x": "В"}, NOW)
    assert [one.shown for one in refused] == ["В"]
    assert incoming(after, {"x": "В"}, NOW).edits == (Edit("x", "А", "В"),)


def test_what_a_new_card_shows_by_itself_is_no_edit() -> None:
    """We made the card: what we filled is ours, its defaults are its first word."""
    after, refused = confirmed(NEW, {"x": "А"}, {"x": "А", "code": "000001"}, NOW)
    assert refused == ()
    assert (after.sent, list(after.own), after.own["code"].when) == ({"x": "А"}, ["code"], Moment(0, 20))


def owed(contribution: Contribution, way: Way, rules: Rules | None = None, **cells: Golden) -> dict[str, Value]:
    """What is owed of those golden cells."""
    return outgoing(contribution, cells, rules or Rules({}), way)


def test_owed_is_what_differs_and_may_be_written() -> None:
    """Only golden values that the cell does not stand for yet, on the fields of the route."""
    base = replace(known({"x": "А", "y": "Б", "z": "Вв"}), sent={"z": "Ввв"})
    way = Way(frozenset({"x", "y", "z", "point"}))
    cells = {"x": Golden("А2", "m"), "y": Golden("Б", "m"), "z": Golden("Ввв", "m"), "w": Golden("Г", "m")}
    assert outgoing(base, {**cells, PHONE: Golden(ROW, "m")}, Rules({}), way) == {"x": "А2", PHONE: ROW}
    single = Way(frozenset({"person_detail.first_name", PHONE}))
    parts = {path: Golden("Иван", "m") for path in ("person_detail.first_name", "person_detail.last_name", PHONE)}
    assert outgoing(base, parts, Rules({}), single) == {"person_detail.first_name": "Иван", PHONE: "Иван"}
    everything = outgoing(Contribution(9, "new"), {**cells, "e": Golden(None, "nobody")}, Rules({}), way)
    assert everything == {"x": "А2", "y": "Б", "z": "Ввв"}, "a card to be made"


def test_silence_is_never_sent() -> None:
    """An empty golden value is owed only where someone said so; who cleared a cell is never sent it back."""
    base, way = known({"x": "А"}), Way(frozenset({"x"}))
    assert owed(base, way, x=Golden(None, "nobody")) == {}
    assert owed(base, way, x=Golden(None, "master", cleared=True)) == {"x": None}
    assert owed(base, way, x=Golden("Б", "kept", guards=frozenset({1}))) == {}
    assert owed(base, way, x=Golden("Б", "kept", guards=frozenset({2}))) == {"x": "Б"}


def test_an_ended_card_is_told_nothing_but_its_state() -> None:
    """To a marked card only life is written, to one that is gone nothing; ends are told as marks, archives never."""
    way = Way(frozenset({"x", STATE}))
    sent = {STATE: "marked"}
    for state, told in (("marked", {STATE: "active"}), ("absent", {}), ("deleted", {})):
        base = replace(known({"x": "А", STATE: state}), own={}, sent=sent)
        assert outgoing(base, {"x": Golden("Б", "m"), STATE: Golden("active", "m")}, Rules({}), way) == told
    living = known({"x": "А"})
    for value in ("marked", "absent", "deleted"):
        assert outgoing(living, {STATE: Golden(value, "m")}, Rules({}), way) == {STATE: "marked"}
    for value in ("archived", "merged", "active"):
        assert outgoing(living, {STATE: Golden(value, "pin", cleared=True)}, Rules({}), way) == {}
    assert outgoing(Contribution(1, "a"), {STATE: Golden("active", "m")}, Rules({}), way) == {}


def test_only_the_primary_link_is_written_to() -> None:
    """Another link of the same system receives only what its route asks for."""
    way = Way(frozenset({"x", "y"}), asks=frozenset({"y", "z"}))
    spare = replace(known({"x": "А", "y": "Б", "z": "В"}), primary=False)
    cells = {path: Golden("Г", "m") for path in ("x", "y", "z")}
    assert outgoing(spare, cells, Rules({}), way) == {"y": "Г"}


def test_a_way_may_name_one_kind_of_a_set() -> None:
    """Rows of that kind are written and no others, also where the route asks for the whole set."""
    way = Way(frozenset({"address[legal]"}), asks=frozenset({"address"}))
    rows = {f"address[{key}]": Golden(("Тверь",), "m") for key in ("legal,Тверь", "legalised,Тверь", "post,Тверь")}
    for primary in (True, False):
        owed_there = outgoing(Contribution(1, "a", primary=primary), rows, Rules({}), way)
        assert owed_there == {"address[legal,Тверь]": ("Тверь",)}
    assert outgoing(Contribution(1, "a", primary=False), rows, Rules({}), Way(frozenset({"address[legal]"}))) == {}


def test_a_tolerated_loser_keeps_its_word_until_the_winner_speaks_anew() -> None:
    """``keep`` and ``task``: its own word stays, unless the winner or a person says something later."""
    base = incoming(known({"x": "А"}), {"x": "Б"}, NOW).contribution
    way = Way(frozenset({"x"}))
    older, newer = (Golden("В", "master", 2, "b", moment) for moment in (Moment(5, 15), Moment(20, 30)))
    for loss in ("keep", "task"):
        rules = Rules({"x": Policy(on_loss=loss)})
        assert owed(base, way, rules, x=older) == owed(base, way, rules, x=replace(older, when=None)) == {}
        assert owed(base, way, rules, x=newer) == {"x": "В"}
        assert owed(base, way, rules, x=Golden("В", "pin")) == owed(base, way, rules, x=Golden("В", "held")) != {}
        assert owed(replace(base, sent={"x": "Ж"}), way, rules, x=older) == {"x": "В"}, "it shows our word"
        assert owed(replace(base, own={}), way, rules, x=older) == {"x": "В"}
        cleared = incoming(base, {"x": None}, Moment(25, 35)).contribution
        assert owed(cleared, way, rules, x=newer) == {}
    assert owed(base, way, Rules({}), x=older) == {"x": "В"}


def test_references_equal_after_redirects_send_nothing() -> None:
    """The golden owner is named by another system's link of the same person: nothing is owed."""
    base, way = known({"owner": 5}), Way(frozenset({"owner"}))
    assert outgoing(base, {"owner": Golden(9, "m")}, Rules({}), way, lambda path, one, two: {one, two} == {5, 9}) == {}
    assert outgoing(base, {"owner": Golden(9, "m")}, Rules({}), way) == {"owner": 9}


MANUAL = Rules(
    {
        "x": Policy("manual", ("a", "b")),
        "p": Policy("manual", ("a", "b"), group="g"),
        "q": Policy("manual", ("a", "b"), group="g"),
        "m": Policy("master", ("a", "b"), on_loss="task"),
    }
)
WAY = Way(frozenset({"x", "p", "q", "m", STATE}))


def agreed(**cells: Value) -> Known:
    """Two links that show the same, said by ``a``."""
    a = incoming(Contribution(1, "a"), cells, Moment(0, 10)).contribution
    b, _ = confirmed(Contribution(2, "b"), cells, cells, Moment(0, 11))
    return Known((a, b))


def edit(of: Known, link_id: int, when: Moment, **cells: Value) -> Incoming:
    """The next read of one link."""
    return incoming(next(one for one in of.contributions if one.link_id == link_id), cells, when)


def test_an_arrival_tells_changes_losses_and_nothing_twice() -> None:
    """A master's edit is a change; the other's is a loss with the word on what to do; a new link is added."""
    start = agreed(m="1")
    first = arrive(start, edit(start, 1, Moment(20, 30), m="2"), MANUAL, WAY)
    assert (first.changes, first.losses, first.conflicts) == ((Change("m", "1", "2"),), (), ())
    second = arrive(first.known, edit(first.known, 2, Moment(20, 31), m="3"), MANUAL, WAY)
    assert second.changes == ()
    assert [(loss.edit, loss.winner.system, loss.on_loss) for loss in second.losses] == [
        (Edit("m", "1", "3"), "a", "task")
    ]
    assert second.golden == golden_of(second.known, MANUAL)
    third = arrive(second.known, incoming(Contribution(3, "c"), {"n": "4"}, Moment(0, 40)), MANUAL, WAY)
    assert (third.changes, len(third.known.contributions)) == ((Change("n", None, "4"),), 3)


def test_a_conflict_needs_a_value_still_owed() -> None:
    """``manual``: an edit that knew the golden value is accepted, one that could not is asked about, as a group is."""
    start = agreed(x="1", p="1", q="1")
    knew = arrive(start, edit(start, 2, Moment(20, 30), x="2"), MANUAL, WAY)
    assert (knew.conflicts, knew.changes) == ((), (Change("x", "1", "2"),))
    moved = arrive(start, edit(start, 1, Moment(20, 30), x="2", p="2"), MANUAL, WAY).known
    asked = arrive(moved, edit(moved, 2, Moment(20, 31), x="3", q="3"), MANUAL, WAY)
    assert [(one.path, one.base, one.ours, one.theirs, one.rule) for one in asked.conflicts] == [
        ("x", "1", "2", "3", "manual"),
        ("q", "1", "1", "3", "manual"),
    ]
    assert asked.known.holds == {"x": Hold("2", frozenset({2})), "q": Hold("1", frozenset({2}))}
    assert (asked.losses, asked.changes) == ((), ())
    same = arrive(moved, edit(moved, 2, Moment(20, 31), x="2"), MANUAL, WAY)
    assert same.conflicts == ()
    waiting = next(one for one in asked.known.contributions if one.link_id == 2)
    assert outgoing(waiting, asked.golden, MANUAL, WAY) == {}, "nor is what survives with it sent meanwhile"
    person = decided(asked.known, {"p": "2", "q": "3", "x": "3"}, Moment(40, 41))
    assert outgoing(waiting, golden_of(person, MANUAL), MANUAL, WAY) == {"p": "2"}
    nobody = arrive(moved, edit(moved, 2, Moment(20, 31), x="3"), MANUAL, Way(frozenset()))
    assert nobody.conflicts == (), "what may not be written is not owed"


def test_all_sides_of_a_question_must_come_round() -> None:
    """Two systems differ from what is held: the question ends when both say it; a held change of nobody's stays."""
    start = agreed(x="1")
    held = replace(start, holds={"x": Hold("1", frozenset({1, 2})), "y": Hold("5")})
    one = arrive(held, edit(held, 2, Moment(20, 30), x="2", y="6"), MANUAL, WAY)
    assert [(c.path, c.theirs) for c in one.conflicts] == [("x", "2"), ("y", "6")]
    back = arrive(one.known, edit(one.known, 2, Moment(30, 40), x="1", y="5"), MANUAL, WAY)
    assert (back.settled, back.known.holds["x"]) == (("y",), Hold("1", frozenset({1})))
    foreign = replace(start, holds={"x": Hold("9")})
    assert arrive(foreign, edit(foreign, 2, Moment(20, 30), x="9"), MANUAL, WAY).settled == ()


def test_the_end_and_the_return_of_a_record_are_asked_only_if_others_have_a_say() -> None:
    """One contributor alone is followed; the hub's own word is not another system's."""
    for state, word, asks in (
        ("marked", "ask", True),
        ("marked", "propagate", False),
        ("active", "propagate", True),
        ("active", "archive", True),
        ("active", "ignore", False),
    ):
        rules = Rules({}, state=word)  # type: ignore[arg-type]
        start = agreed(x="1") if state == "marked" else agreed(x="1", **{STATE: "marked"})
        if state == "active":
            a = start.contributions[0]
            start = start.put(replace(a, own={**a.own, STATE: Own("marked", Moment(5, 9), Moment(5, 9))}))
        asked = arrive(start, edit(start, 1, Moment(20, 30), **{STATE: state}), rules, WAY)
        assert bool(asked.conflicts) is asks, (state, word)
        assert all((one.path, one.rule) == (STATE, "record_state") for one in asked.conflicts)
    alone = decided(Known((known({STATE: "marked"}),)), {"x": "1"}, NOW)
    assert (
        arrive(alone, edit(alone, 1, Moment(20, 30), **{STATE: "active"}), Rules({}, state="ask"), WAY).conflicts == ()
    )


def test_a_decision_is_the_hubs_own_word() -> None:
    """It counts from then on like any system's, goes on after the next one, and lets go of what was held."""
    start = replace(agreed(x="1"), holds={"x": Hold("1"), "y": Hold("2")})
    once = decided(start, {"x": "3"}, Moment(39, 40))
    assert (golden_of(once, MANUAL)["x"].system, list(once.holds)) == (HUB, ["y"])
    twice = decided(once, {"y": None}, Moment(49, 50))
    hub = next(one for one in twice.contributions if one.system == HUB)
    assert hub.own == {
        "x": Own("3", Moment(39, 40), Moment(39, 40)),
        "y": Own(None, Moment(49, 50), Moment(49, 50), cleared=Moment(49, 50)),
    }
    assert len(twice.contributions) == 3


def test_a_pin_of_an_undo_ends_with_the_next_edit_and_others_do_not() -> None:
    """The undone value holds until the field changes at its source."""
    start = replace(agreed(x="1", m="1"), pins={"x": Pin("0", ends=True), "m": Pin("0")})
    came = arrive(start, edit(start, 1, Moment(20, 30), x="2", m="2"), MANUAL, WAY)
    assert (came.ended, list(came.known.pins)) == (("x",), ["m"])
    assert came.changes == (Change("x", "0", "2"),)
    assert [loss.edit.path for loss in came.losses] == ["m"]


def test_changes_name_cells_that_come_and_go() -> None:
    """A cell that one side does not have is empty there."""
    assert changes({"a": Golden("1", "m"), "c": Golden(None, "m")}, {"b": Golden("2", "m")}) == (
        Change("a", "1", None),
        Change("b", None, "2"),
    )


@pytest.mark.parametrize(
    ("before", "now", "told", "skew", "moment"),
    [
        (10, 20, None, 0, Moment(10, 20)),
        (0, 20, None, 0, Moment(0, 20)),
        (10, 20, 15, 0, Moment(14, 15)),
        (10, 20, 15, 2, Moment(12, 17)),
        (10, 20, 11, 5, Moment(10, 16)),
        (10, 20, 19, 5, Moment(13, 20)),
        (10, 20, 99, 5, Moment(10, 20)),
        (10, 20, 3, 5, Moment(10, 20)),
        (30, 20, None, 0, Moment(20, 20)),
    ],
)
def test_changed_at_is_an_interval(before: int, now: int, told: int | None, skew: int, moment: Moment) -> None:
    """The system's own date is believed within its skew and between the two reads, and not at all beyond them."""
    assert changed_at(before, now, told, skew) == moment


def test_after_is_certain() -> None:
    """Touching intervals are in order, overlapping ones and one and the same second are not."""
    assert Moment(5, 9).after(Moment(1, 5))
    assert not Moment(4, 9).after(Moment(1, 5))
    assert not Moment(1, 5).after(Moment(5, 9))
    assert not Moment(5, 5).after(Moment(5, 5))
    assert not Moment(14, 15).after(Moment(14, 15))


moments = st.tuples(st.integers(0, 3), st.integers(1, 3)).map(lambda pair: Moment(pair[0], sum(pair)))
values = st.sampled_from([None, "к", 0, ("a", None, 1), (("a",), ("b",))])
paths = st.sampled_from(["x", "y", PHONE, STATE])
cells = st.dictionaries(paths, values)
owns = st.dictionaries(paths, st.builds(Own, values, moments, moments, st.one_of(st.none(), moments)))
contributions = st.builds(Contribution, st.just(7), st.just("a"), owns, cells, cells, st.booleans(), st.booleans())


@given(contributions)
def test_a_stored_contribution_comes_back_whole(contribution: Contribution) -> None:
    """Three JSON objects hold all of it, rows and zeros and empties included."""
    row = json_copy(encode(contribution))
    back = decode(7, "a", row, primary=contribution.primary, origin=contribution.origin)
    assert back == contribution


def json_copy(value: object) -> dict[str, object]:
    """What JSON makes of a value."""
    copy: dict[str, object] = json.loads(json.dumps(value))
    return copy


def test_a_stored_contribution_says_each_thing_once() -> None:
    """A card that only speaks for itself stores its values once and its moment once."""
    row = encode(known({"x": "А", "y": None, "n": 5}))
    assert row == {
        "own": {"": [0, 10]},
        "shown": {"": ["y"], "x": "А", "n": 5, STATE: "active"},
        "sent": {},
    }
    base = replace(known({"x": "А", "y": "Б", "w": "В"}), sent={"x": "А", "y": "Бб"})
    assert encode(base)["sent"] == {"": ["x"], "y": "Бб"}
    assert encode(base)["own"] == {"": [0, 10], "x": {}, "y": {}}, "its word on what we wrote over"
    edited = incoming(base, {"w": None}, NOW).contribution
    assert encode(edited)["own"] == {"": [0, 10], "x": {}, "y": {}, "w": {"v": "В", "x": (10, 20)}}
    corrected = incoming(base, {"w": "В2"}, NOW).contribution
    assert encode(corrected)["own"]["w"] == {"t": (10, 20), "s": (0, 10)}
    assert encode(replace(base, own={}, sent={}))["own"] == {"": [0, 0, "w", "x", "y"]}
    assert encode(NEW) == {"own": {}, "shown": {}, "sent": {}}
    assert encode(incoming(NEW, {}, NOW).contribution)["own"] == {}


def test_plain_is_what_needs_no_row() -> None:
    """A card that says all it shows and nothing else; a write, a clearing or a foreign cell ends that."""
    base = known({"x": "А", STATE: "active"})
    assert base.plain
    assert known({STATE: "marked"}).plain
    assert not replace(base, sent={"x": "А"}).plain
    assert not replace(base, shown={**base.shown, "y": "Б"}).plain
    assert not incoming(base, {"x": None}, NOW).contribution.plain
