"""Cells that survive together, cell by cell: what the winner says, what is filled, what stays as we wrote it."""

from __future__ import annotations

from hub.engine.cells import LIVING, NOBODY, STATE, Contribution, Golden, Moment, Own, Value, names_of
from hub.engine.policies import Policy, Rules
from hub.engine.resolve import resolve

EARLY, LATE, LAST = Moment(10, 20), Moment(30, 40), Moment(50, 60)
GROUP = Rules(
    {
        "x": Policy("latest", ("a", "b", "c", "d"), group="g", clearable=True),
        "q": Policy("latest", ("a", "b", "c", "d"), group="g"),
        "point": Policy("master", ("a", "b"), clearable=True),
        "row": Policy("master", ("a", "b")),
    }
)
PHONE, OTHER, MAIL = "point[phone,1,]", "point[phone,9,]", "point[mail,2,]"


def says(value: Value, when: Moment, cleared: Moment | None = None) -> Own:
    """One word."""
    return Own(value, when, when, cleared)


def card(link_id: int, system: str, sent: dict[str, Value] | None = None, **own: Own) -> Contribution:
    """What a system says, and which cells show what we wrote."""
    return Contribution(link_id, system, own, {path: one.value for path, one in own.items()}, sent or {})


def golden(path: str, *cards: Contribution) -> Golden:
    """One cell of the group, without those who lost it."""
    cell = resolve(cards, GROUP).get(path, NOBODY)
    return Golden(cell.value, cell.rule, cell.link_id, cell.system, cell.when, (), cell.cleared, cell.guards)


def test_a_row_that_the_winner_has_not_is_away_since_its_last_word_on_such_rows() -> None:
    """The master's phones are told whole: another's phone is not there, by the master's word on phones, not on mail."""
    mine = Contribution(1, "a", {PHONE: says(("т",), EARLY), MAIL: says(("п",), LATE)})
    theirs = Contribution(2, "b", {OTHER: says(("д",), LAST)})
    assert golden(OTHER, mine, theirs) == Golden(None, "master", 1, "a", EARLY, cleared=True)


def test_a_row_that_we_wrote_to_the_winner_stays() -> None:
    """It shows our row, and somebody else says it: the row is there, by the winner's card."""
    mine = Contribution(1, "a", {PHONE: says(("т",), EARLY)}, sent={OTHER: ("д",)})
    theirs = Contribution(2, "b", {OTHER: says(("д",), LAST)})
    assert golden(OTHER, mine, theirs) == Golden(("д",), "master", 1, "a", EARLY)


def test_a_row_is_the_winners_alone() -> None:
    """The master emptied a row that may not be emptied and never was its own: nobody else's takes its place."""
    mine = Contribution(1, "a", {"row[1]": says(None, LATE, LATE)})
    theirs = Contribution(2, "b", {"row[1]": says(("д",), EARLY)})
    assert golden("row[1]", mine, theirs) == Golden(None, "nobody", guards=frozenset({1}))


def test_a_clearing_of_the_winner_is_followed_before_what_others_say() -> None:
    """It emptied a cell that another card fills with the same: empty it is."""
    mine, theirs = card(1, "a", x=says("к", EARLY, LATE)), card(2, "b", x=says("к", EARLY))
    assert golden("x", mine, theirs) == Golden(None, "latest", 1, "a", LATE, cleared=True)


def test_a_cell_is_filled_from_the_first_living_card_that_fits() -> None:
    """The winner says nothing of it: of two that contradict it nowhere the first in order, a later word or not."""
    mine = card(1, "a", x=says("к", LAST))
    second, third = card(2, "b", q=says("б", EARLY)), card(3, "c", q=says("в", LATE))
    assert golden("q", mine, third, second) == Golden("б", "latest", 2, "b", EARLY)
    ended = Contribution(2, "b", {"q": says("б", EARLY), STATE: says("marked", EARLY)})
    assert golden("q", mine, ended, third) == Golden("в", "latest", 3, "c", LATE)


def test_a_cell_that_nobody_who_fits_says_stays_what_we_wrote() -> None:
    """Who contradicts the winner fills nothing: what we wrote there stays, and without that nothing is there."""
    apart = card(2, "b", x=says("д", EARLY), q=says("б", EARLY))
    mine = card(1, "a", {"q": "наше"}, x=says("к", LATE))
    assert golden("q", mine, apart) == Golden("наше", "latest", 1, "a", LATE)
    assert golden("q", card(1, "a", x=says("к", LATE)), apart) == NOBODY


def test_a_card_that_filled_what_the_winner_emptied_does_not_contradict_it() -> None:
    """Where the cell may not go empty: what another says of it stands, and is not sent to who emptied it."""
    mine = card(1, "a", x=says("к", LAST), q=says(None, LATE, LATE))
    theirs = card(2, "b", x=says("к", EARLY), q=says("б", EARLY))
    assert golden("q", mine, theirs) == Golden("б", "kept", 2, "b", EARLY, guards=frozenset({1}))


def test_an_ended_card_wins_only_when_all_have_ended() -> None:
    """The later card is marked: the living one wins; once both are, the later one does."""
    living = card(1, "a", x=says("к", EARLY))
    ended = Contribution(2, "b", {"x": says("д", LATE), STATE: says("marked", LATE)})
    assert golden("x", living, ended).value == "к"
    both = Contribution(1, "a", {"x": says("к", EARLY), STATE: says("marked", EARLY)})
    assert golden("x", both, ended).value == "д"


def test_clearings_that_are_not_followed_are_passed_over_one_by_one() -> None:
    """Two emptied a field that may not go empty, one of them never had a word: neither is sent the value."""
    rules = Rules({"x": Policy("master", ("a", "b"))})
    cards = (card(1, "a", x=says(None, LATE, LATE)), card(2, "b", x=says("б", EARLY, LATE)))
    cell = resolve(cards, rules)["x"]
    assert (cell.value, cell.rule, cell.guards) == ("б", "kept", frozenset({1, 2}))


def test_a_set_without_a_row_left_is_guarded_from_nobody() -> None:
    """The only system that had the row took it out: it is away, and nobody is kept from being told."""
    rules = Rules({"point": Policy("union", ("a", "b"), clearable=True)})
    cell = resolve([Contribution(1, "a", {PHONE: says(("т",), EARLY, LATE)})], rules)[PHONE]
    assert (cell.value, cell.cleared, cell.guards) == (None, True, frozenset())


def test_what_was_added_first_stays_row_by_row() -> None:
    """``append_only``: rows are decided each for itself, and who filled a cell first keeps it, whatever the order."""
    rules = Rules({"point": Policy("append_only", ("a", "b")), "x": Policy("append_only", ("a", "b"))})
    assert rules.unit(PHONE) == PHONE
    cards = (card(1, "a", x=says("к", LATE)), card(2, "b", x=says("д", EARLY)))
    assert resolve(cards, rules)["x"].value == "д"


def test_every_comparison_knows_its_cell() -> None:
    """Whether two values are the same hangs on the cell: losers are found by it, of the state as of any other."""

    def same(path: str, one: Value, other: Value) -> bool:
        return one == other or (path in {"x", STATE} and {one, other} <= {"к", "К", "marked", "deleted"})

    cards = [
        Contribution(1, "a", {"x": says("к", EARLY), STATE: says("marked", EARLY)}),
        Contribution(2, "b", {"x": says("К", EARLY), STATE: says("deleted", EARLY)}),
    ]
    cells = resolve(cards, Rules({}, state_order=("a", "b")), same=same)
    assert (cells["x"].lost, cells[STATE].value, cells[STATE].lost) == ((), "marked", ())
    assert len(resolve(cards, Rules({}, state_order=("a", "b")))["x"].lost) == 1


def test_a_state_names_its_rule() -> None:
    """Whoever says that the record lives, or nobody: the rule is that of its end."""
    lives = Contribution(1, "a", {STATE: says(LIVING, LATE)})
    assert [resolve(cards, Rules({}, state="ask"))[STATE].rule for cards in ([lives], [])] == ["ask", "ask"]


def test_nothing_is_later_where_nobody_knows_since_when() -> None:
    """Two words that were there at the first reading of their systems are in no order."""
    assert not Moment(0, 9).after(Moment(0, 5))
    assert Moment(1, 9).after(Moment(0, 5))


def test_a_key_of_one_part_names_itself() -> None:
    """What settings may call a row whose key is its kind alone."""
    assert names_of("party_role[customer]") == ("party_role[customer]", "party_role[customer]", "party_role")
