"""A wrong number never beats a right one, a master's old word gives way to a much later one, a register comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.engine.cells import Contribution, Moment, Own, Value
from hub.engine.matrix import rules_for
from hub.engine.policies import Policy, Rules
from hub.engine.resolve import resolve
from hub.model.entities import PARTY

DAY = 24 * 3600
ROLES = {"accounting": ("bp",), "trade": ("ut",), "crm": ("crm",), "registry": ("egrul",)}


def said(link_id: int, system: str, when: Moment, **cells: Value) -> Contribution:
    """A contribution that says these cells; ``_`` in a name stands for what a path may hold."""
    return Contribution(link_id, system, {path: Own(value, when, when) for path, value in cells.items()}, dict(cells))


def inn(value: str, valid: int | None) -> dict[str, Value]:
    """A row of a set of identifiers."""
    return {f"party_identifier[inn,{value}]": ("inn", value, value, valid)}


def names(*contributions: Contribution, rules: Rules | None = None) -> dict[str, Value]:
    """What readers see of those clients."""
    found = resolve(contributions, rules or rules_for(PARTY, ROLES))
    return {path: cell.value for path, cell in found.items() if cell.value is not None and path != "record_state"}


def test_an_invalid_inn_never_beats_a_valid_one() -> None:
    """The accountant, who is master, has a wrong ИНН: trade's card wins with all that belongs to it."""
    at = Moment(0, 10)
    wrong = said(1, "bp", at, legal_name="ООО Ромашка", **inn("7707083894", 0))
    right = said(2, "ut", at, legal_name="Ромашка", **inn("7707083893", 1))
    assert names(wrong, right) == {"legal_name": "Ромашка", **inn("7707083893", 1)}
    for better in (1, None):
        master = said(1, "bp", at, legal_name="ООО Ромашка", **inn("7728168971", better))
        assert names(master, right) == {"legal_name": "ООО Ромашка", **inn("7728168971", better)}, (
            "unlooked at is right"
        )
    silent = said(2, "ut", at, legal_name="Ромашка")
    assert names(wrong, silent)["legal_name"] == "ООО Ромашка", "wrong only loses to right"
    assert names(wrong, replace(right, own={**right.own, **wrong.own})).keys() >= {"legal_name"}


def test_two_wrong_ones_go_by_the_order() -> None:
    """Nobody is right: the master's stands, as before; a number that was cleared is none."""
    at = Moment(0, 10)
    one = said(1, "bp", at, **inn("7707083894", 0))
    two = said(2, "ut", at, **inn("7707083895", 0))
    assert names(one, two) == inn("7707083894", 0)
    path = next(iter(inn("7707083893", 1)))
    gone = Own(inn("7707083893", 1)[path], at, at, cleared=Moment(10, 20))
    assert names(one, replace(two, own={path: gone})) == inn("7707083894", 0)


def test_each_wrong_in_another_kind_goes_by_the_order() -> None:
    """One has a wrong ИНН, the other a wrong ОГРН: neither is better, the master's card stands."""
    at = Moment(0, 10)
    ogrn = {at: {f"party_identifier[ogrn,{value}]": ("ogrn", value, value, at)} for at, value in ((0, "1"), (1, "2"))}
    one = said(1, "bp", at, **inn("7707083894", 0), **ogrn[1])
    two = said(2, "ut", at, **inn("7707083893", 1), **ogrn[0])
    assert names(one, two) == {**inn("7707083894", 0), **ogrn[1]}


def test_a_register_is_master_of_what_it_registers() -> None:
    """What a register says of names and numbers stands before the accountant's word; not of comments."""
    at = Moment(0, 10)
    state = said(1, "egrul", at, legal_name="ООО «РОМАШКА»", comment="из реестра", **inn("7707083893", 1))
    books = said(2, "bp", at, legal_name="Ромашка", comment="из бухгалтерии", **inn("7728168971", 1))
    assert names(state, books) == {
        "legal_name": "ООО «РОМАШКА»",
        "comment": "из бухгалтерии",
        **inn("7707083893", 1),
    }


@pytest.mark.parametrize(("days", "winner"), [(9, "a"), (10, "b"), (400, "b")])
def test_a_masters_word_fades(days: int, winner: str) -> None:
    """Ten days after the master's last word a later one of the next outranks it; the present day is nothing."""
    rules = Rules({"x": Policy("master", ("a", "b", "c"), fades=10)})
    old, new = Moment(0, 5 * DAY), Moment((5 + days) * DAY, (6 + days) * DAY)
    assert names(said(1, "a", old, x="a"), said(2, "b", new, x="b"), rules=rules) == {"x": winner}
    assert names(said(1, "a", old, x="a"), said(2, "b", new, x="b"), rules=Rules({})) == {"x": "a"}


def test_fading_goes_on_from_system_to_system() -> None:
    """The second outranks the first by age, the third only if it is as much later than the second."""
    rules = Rules({"x": Policy("master", ("a", "b", "c"), fades=10)})
    ages = [Moment(0, DAY), Moment(20 * DAY, 21 * DAY)]
    two = [said(1, "a", ages[0], x="a"), said(2, "b", ages[1], x="b")]
    for day, winner in ((25, "b"), (31, "c")):
        third = said(3, "c", Moment(day * DAY, (day + 1) * DAY), x="c")
        assert names(*two, third, rules=rules) == {"x": winner}
        assert names(third, *reversed(two), rules=rules) == {"x": winner}, "the order of arguments is nothing"


def test_an_inn_that_the_master_has_not_typed_comes_from_who_contradicts_it_nowhere() -> None:
    """A kind of number that it never said anything of is filled, like a field; one that it took away is away."""
    early, late = Moment(0, 10), Moment(20, 30)
    bare = said(1, "ut", early, legal_name="ООО Ромашка")
    known = said(2, "crm", early, legal_name="ООО Ромашка", **inn("7707083893", 1))
    assert names(bare, known) == {"legal_name": "ООО Ромашка", **inn("7707083893", 1)}
    other = said(2, "crm", early, legal_name="ООО Лютик", **inn("7707083893", 1))
    assert names(bare, other) == {"legal_name": "ООО Ромашка"}, "the name of one firm never stands beside another's ИНН"
    path, row = next(iter(inn("7707083893", 1).items()))
    gone = replace(bare, own={**bare.own, path: Own(row, early, early, cleared=late)})
    assert names(gone, known) == {"legal_name": "ООО Ромашка"}
    second = said(1, "ut", early, legal_name="ООО Ромашка", **inn("7728168971", 1))
    assert names(second, known) == {"legal_name": "ООО Ромашка", **inn("7728168971", 1)}, "it has one of its own"


def test_of_two_cards_of_one_system_the_fuller_one_speaks() -> None:
    """Typed twice in УТ, the second time with its numbers: the card that has them wins, whichever is the older one."""
    at = Moment(0, 10)
    first = said(1, "ut", at, legal_name="РОМАШКА (дубль)")
    second = replace(said(2, "ut", at, legal_name="ООО Ромашка", **inn("7707083893", 1)), primary=False)
    assert names(first, second) == {"legal_name": "ООО Ромашка", **inn("7707083893", 1)}
    crm = said(3, "crm", at, legal_name="Ромашка", **inn("7707083893", 1))
    assert names(first, crm)["legal_name"] == "РОМАШКА (дубль)", "between systems their order decides"


def test_a_kind_is_told_by_its_name_and_row_by_row() -> None:
    """A wrong ИНН loses to a right ИНН and not to a right ОГРН; of one's own numbers of a kind nobody adds another."""
    at = Moment(0, 10)
    ogrn: dict[str, Value] = {"party_identifier[ogrn,1027700132195]": ("ogrn", "1027700132195", "1027700132195", 1)}
    wrong = said(1, "bp", at, legal_name="ООО Ромашка", **inn("7707083894", 0))
    assert names(wrong, said(2, "ut", at, legal_name="Ромашка", **ogrn))["legal_name"] == "ООО Ромашка"
    one = said(1, "bp", at, legal_name="ООО Ромашка", **inn("7707083893", 1))
    more = said(2, "ut", at, legal_name="ООО Ромашка", **inn("7707083893", 1), **inn("7728168971", 1))
    assert names(one, more) == {"legal_name": "ООО Ромашка", **inn("7707083893", 1)}


def test_what_fills_a_gap_does_not_fade() -> None:
    """The card that wins says nothing of it: the first that fits fills it, however much later the second one spoke."""
    rules = Rules(dict.fromkeys("xq", Policy("master", ("a", "b", "c"), group="g")))
    winner = said(1, "a", Moment(0, 10), x="к")
    first = said(2, "b", Moment(0, 10), x="к", q="первое")
    later = said(3, "c", Moment(900 * DAY, 900 * DAY + 5), x="к", q="позднее")
    assert names(winner, first, later, rules=rules)["q"] == "первое"


def test_cards_that_survive_together_fade_together() -> None:
    """The group's policy says how old a master's card may be: much later words of another win all of it."""
    policy = Policy("master", ("a", "b"), group="g", fades=30)
    rules = Rules({"x": policy, "y": policy})
    old = said(1, "a", Moment(0, DAY), x="старое", y="старое")
    for days, heard in ((29, "старое"), (40, "новое")):
        new = said(2, "b", Moment(days * DAY, (days + 1) * DAY), x="новое")
        assert names(old, new, rules=rules)["x"] == heard
