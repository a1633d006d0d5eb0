"""The undo of a run in which a person said whose a letter is."""

from __future__ import annotations

from hub.exchange.comms import hand
from hub.exchange.undo import plan, undo
from tests.exchange.comms.world import Firm


def letters(firm: Firm) -> str:
    """Two clients with one address, and a letter of it, the number of which is told."""
    firm.client("romashka", "Ромашка", "office@gmail.com")
    firm.client("lutik", "Лютик", "office@gmail.com")
    firm.letter("1", "office@gmail.com", "sales@firm.ru")
    firm.night()
    assert firm.match("post", "1")[0] == "ambiguous"
    return str(firm.record("post", "1"))


def test_a_word_is_undone_to_the_word_before_it(firm: Firm) -> None:
    """Of two words the later one is undone, then the first; each plan says so and changes nothing."""
    number = letters(firm)
    rules = firm.match("post", "1")
    first = hand.link(firm.hub, number, "romashka", by="админ").run_id
    second = hand.ignore(firm.hub, number, by="админ").run_id
    [stays] = plan(firm.hub, first).stays
    assert (stays.reason, stays.run, stays.initiator) == ("edited_later", second, "админ")
    [step] = plan(firm.hub, second).steps
    assert (step.kind, step.then) == ("match_party", "Ромашка")
    assert firm.match("post", "1") == ("ignored", "manual", set())
    undone = undo(firm.hub, second, by="админ")
    assert (undone.counts, undone.left) == ({"match_party": 1}, 0)
    assert firm.match("post", "1") == ("manual", "manual", {("matched", "Ромашка")})
    assert undo(firm.hub, second, by="админ").already == 1
    assert plan(firm.hub, first).steps[0].kind == "match_rules"
    undo(firm.hub, first, by="админ")
    assert firm.match("post", "1") == rules


def test_an_undo_of_it_is_undone(firm: Firm) -> None:
    """A run like any other: the word holds again."""
    number = letters(firm)
    said = hand.link(firm.hub, number, "lutik", by="админ").run_id
    back = undo(firm.hub, said, by="админ").run_id
    assert firm.match("post", "1")[0] == "ambiguous"
    again = undo(firm.hub, back, by="админ")
    assert again.counts == {"match_party": 1}
    assert firm.match("post", "1") == ("manual", "manual", {("matched", "Лютик")})


def test_a_word_taken_back_is_had_back(firm: Firm) -> None:
    """``release`` is undone too, and a word that nobody was named in."""
    number = letters(firm)
    hand.ignore(firm.hub, number, by="админ")
    free = hand.release(firm.hub, number, by="админ").run_id
    [step] = undo(firm.hub, free, by="админ").steps
    assert step.kind == "match_ignored"
    assert firm.match("post", "1") == ("ignored", "manual", set())
    firm.night()
    assert firm.match("post", "1") == ("ignored", "manual", set()), "and no night takes it back"
