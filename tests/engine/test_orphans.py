"""What the hub wrote somewhere and nobody says any more is taken back there."""

from __future__ import annotations

from dataclasses import replace

from hub.engine.arrive import Known, golden_of
from hub.engine.cells import STATE, Contribution, Moment, Value
from hub.engine.incoming import incoming
from hub.engine.outgoing import Way, outgoing
from hub.engine.policies import Policy, Rules

ROW: tuple[Value, ...] = ("phone", "1", None)
PHONE = "point[phone,1,]"
RULES = Rules({"point": Policy("union", clearable=True), "x": Policy("master")})
WAY = Way(frozenset({"x", "point", STATE}))


def told(**cells: Value) -> Contribution:
    """A contribution after first contact."""
    return incoming(Contribution(1, "a"), cells, Moment(0, 10), lists=["point"]).contribution


def test_what_the_other_link_said_is_taken_back_when_it_has_left() -> None:
    """A phone and a name that came from a link which belongs to another record by now are emptied where we put them."""
    base = told(y="своё")
    after = replace(base, shown={**base.shown, "x": "Чужое", PHONE: ROW}, sent={"x": "Чужое", PHONE: ROW})
    golden = golden_of(Known((after,)), RULES)
    assert outgoing(after, golden, RULES, WAY) == {"x": None, PHONE: None}
    assert outgoing(after, golden, RULES, Way(frozenset({"x"}))) == {"x": None}
    assert outgoing(replace(after, primary=False), golden, RULES, WAY) == {}
    marked = replace(after, shown={**after.shown, STATE: "marked"})
    assert outgoing(marked, golden, RULES, Way(frozenset({"x", "point"}))) == {}, (
        "nothing is written to a marked record"
    )


def test_what_the_system_has_made_its_own_stays() -> None:
    """Once its user typed anything there it is that system's word, and nobody takes it back."""
    base = told(y="своё")
    after = replace(base, shown={**base.shown, "x": "Чужое"}, sent={"x": "Чужое"})
    edited = incoming(after, {"x": "Наше теперь"}, Moment(20, 30)).contribution
    assert outgoing(edited, golden_of(Known((edited,)), RULES), RULES, WAY) == {}
    empty = replace(base, shown={**base.shown, "x": None}, sent={"x": None})
    assert outgoing(empty, golden_of(Known((empty,)), RULES), RULES, WAY) == {}, "what was emptied is empty"
