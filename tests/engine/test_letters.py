"""Cases that one changed letter of the engine would break and no history is likely to meet: found by mutation."""

from __future__ import annotations

import pytest

from hub.engine.arrive import Known, arrive, decided
from hub.engine.cells import HUB, STATE, Contribution, Hold, Moment, Own, Value, changed_at, lay, member
from hub.engine.codec import decode
from hub.engine.decide import Change
from hub.engine.incoming import Edit, confirmed, incoming
from hub.engine.loops import RouteWord, competing
from hub.engine.matrix import rules_for
from hub.engine.outgoing import Way, outgoing
from hub.engine.policies import Policy, Rules
from hub.engine.resolve import resolve
from hub.model.entities import PARTY

NOW = Moment(20, 30)
RULES = Rules(
    {
        "owner": Policy("manual", ("a", "b")),
        "head": Policy("latest", ("a", "b"), group="g"),
        "q": Policy("latest", ("a", "b"), group="g"),
    }
)
WAY = Way(frozenset({"owner", "head", "q", STATE}))


def same(path: str, one: Value, other: Value) -> bool:
    """Two links, 5 and 9, name one record, where the cell is a reference."""
    return one == other or (path in {"owner", "head"} and {one, other} == {5, 9})


def card(link_id: int, system: str, **cells: Value) -> Contribution:
    """What a system shows at first contact."""
    return incoming(Contribution(link_id, system), cells, Moment(0, 10)).contribution


def test_references_that_name_one_record_are_compared_as_such_before_and_after() -> None:
    """Two cards that agree only because 5 and 9 are one: neither before nor after an edit does the filled cell move."""
    known = Known((card(1, "a", head=5), card(2, "b", head=9, q="к")))
    old = known.contributions[0]
    came = arrive(known, incoming(old, {"owner": 1}, NOW), RULES, WAY, same)
    assert came.changes == (Change("owner", None, 1),)
    assert came.golden["q"].value == "к"


def test_a_reference_that_says_the_same_is_no_conflict_and_is_not_owed() -> None:
    """The same record under another number: saying it is no conflict; standing for it, one is free to edit."""
    ours, theirs = card(1, "a", owner=5), card(2, "b", owner=1)
    known = Known((ours, theirs))
    came = arrive(known, incoming(theirs, {"owner": 9}, NOW), RULES, WAY, same)
    assert (came.conflicts, came.losses) == ((), ())
    stands = card(2, "b", owner=9)
    came = arrive(Known((ours, stands)), incoming(stands, {"owner": 7}, NOW), RULES, WAY, same)
    assert came.conflicts == ()
    asked = arrive(known, incoming(theirs, {"owner": 7}, NOW), RULES, WAY, same)
    assert [one.theirs for one in asked.conflicts] == [7]


def test_a_question_is_answered_by_the_same_record_under_another_number() -> None:
    """What is held is 5, the system comes to say 9: the question is settled."""
    theirs = card(2, "b", owner=1)
    known = Known((card(1, "a", owner=5), theirs), holds={"owner": Hold(5, frozenset({2}))})
    came = arrive(known, incoming(theirs, {"owner": 9}, NOW), RULES, WAY, same)
    assert (came.settled, came.known.holds) == (("owner",), {})


def test_a_return_is_not_asked_where_ends_are_ignored() -> None:
    """Both systems had marked the record, and marks are ignored while anybody holds it: who takes it back is heard."""
    rules = Rules({}, state="ignore")
    cards = tuple(card(number, name, **{STATE: "marked"}) for number, name in ((1, "a"), (2, "b")))
    came = arrive(Known(cards), incoming(cards[0], {STATE: "active"}, NOW), rules, WAY)
    assert (came.conflicts, came.golden[STATE].value) == ((), "active")
    asked = arrive(Known(cards), incoming(cards[0], {STATE: "active"}, NOW), Rules({}), WAY)
    assert [one.path for one in asked.conflicts] == [STATE]


def test_the_hub_speaks_under_no_link() -> None:
    """What a person decided is the word of link 0, and no system's."""
    (hub,) = decided(Known(), {"x": "к"}, NOW).contributions
    assert (hub.link_id, hub.system) == (0, HUB)


def test_what_a_stored_row_leaves_out() -> None:
    """A link is primary and not the origin unless told; a moment that nobody knows is no moment."""
    one = decode(7, "a", {"own": {}, "shown": {"x": "к"}, "sent": {}})
    assert (one.primary, one.origin) == (True, False)
    assert one.own == {"x": Own("к", Moment(0, 0), Moment(0, 0))}


@pytest.mark.parametrize(
    ("told", "skew", "moment"), [(15, None, Moment(14, 15)), (10, 0, Moment(10, 20)), (9, 1, Moment(10, 20))]
)
def test_the_edges_of_an_interval(told: int, skew: int | None, moment: Moment) -> None:
    """A clock is exact unless told; a date at the very second of the reading before leaves no time for a change."""
    more = {} if skew is None else {"skew": skew}
    assert changed_at(10, 20, told, **more) == moment


def test_paths_are_stored_and_so_written_in_one_way() -> None:
    """Commas and backslashes of a key are escaped, and a key that is an empty text is a lone backslash."""
    address = PARTY.child("address")
    assert member(address, ("а,б", "в\\г")) == "address[а\\,б,в\\\\г]"
    assert member(address, ("", "а")) == "address[\\,а]"


def test_rows_that_do_not_fit_their_columns_are_refused() -> None:
    """A value less than there are fields would shift all that follow."""
    with pytest.raises(ValueError, match="shorter"):
        lay(PARTY.fields[:2], ("person",))
    detail = PARTY.child("person_detail")
    with pytest.raises(ValueError, match="shorter"):
        lay((), (), [(detail, ("last_name", "first_name"), [("Иванов",)])])


def test_what_is_not_read_back_shows_what_it_showed() -> None:
    """A write of what stood there already, of a cell that the read-back does not tell, is confirmed."""
    after, refused = confirmed(card(1, "a", x="к"), {"x": "к"}, {}, NOW)
    assert (after.sent, refused) == ({"x": "к"}, ())


def test_a_loser_keeps_its_word_against_what_was_said_by_the_same_second() -> None:
    """``keep``: only what became known later is new."""
    rules = Rules({"x": Policy("master", ("a", "b"), on_loss="keep")})
    cards = (card(1, "a", x="к"), card(2, "b", x="д"))
    assert outgoing(cards[1], resolve(cards, rules), rules, Way(frozenset({"x"}))) == {}


def test_roles_that_nobody_has_leave_no_name_in_an_order() -> None:
    """One system alone: the orders of the matrix name it, and neither the CRM nor the accounting that are not there."""
    assert rules_for(PARTY, {"trade": ("ut",)}).of("comment").order == ("ut",)
    assert rules_for(PARTY, {"trade": ("ut",)}, {"comment": Policy("latest", ("x", "crm"))}).of("comment").order == (
        "x",
    )


def test_routes_that_speak_of_different_fields_are_at_peace() -> None:
    """Only a field that both name can be at odds."""
    one, other = (
        RouteWord(f"{name}.party", name, frozenset({field}), frozenset({field}), {field: Policy("master", (name,))})
        for name, field in (("ut", "x"), ("crm", "y"))
    )
    assert competing([one, other]) == []


def test_an_edit_that_names_the_same_record_anew_is_no_loss() -> None:
    """УТ is master and says 5; the CRM comes to say 9, which is the same: nothing is lost."""
    rules = Rules({"owner": Policy("master", ("a", "b"))})
    theirs = card(2, "b", owner=1)
    came = arrive(Known((card(1, "a", owner=5), theirs)), incoming(theirs, {"owner": 9}, NOW), rules, WAY, same)
    assert came.losses == ()
    lost = arrive(Known((card(1, "a", owner=5), theirs)), incoming(theirs, {"owner": 7}, NOW), rules, WAY, same)
    assert [one.edit for one in lost.losses] == [Edit("owner", 1, 7)]
