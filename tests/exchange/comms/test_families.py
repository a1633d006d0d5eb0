"""A partner of 1C and its legal entities are one client: what both have tells no two clients apart."""

from __future__ import annotations

from hub.exchange.comms.directory import Holder, one_of_each


def holder(number: int, kind: str = "organization") -> Holder:
    return Holder(number, "party", kind, False, "", True)


def test_of_a_partner_and_its_one_entity_the_entity_counts() -> None:
    """Documents are made out to it, so letters and calls lie beside them."""
    assert one_of_each([holder(1), holder(2)], {2: 1}) == [holder(2)]


def test_of_a_partner_and_several_entities_the_partner_counts() -> None:
    """Nobody can tell which of the entities called, but whose they are is known."""
    assert one_of_each([holder(1), holder(2), holder(3)], {2: 1, 3: 1}) == [holder(1)]


def test_strangers_to_each_other_stay_apart() -> None:
    """Entities of another partner, or whose partner does not have the number, are each their own."""
    assert one_of_each([holder(2), holder(5)], {2: 1, 5: 4}) == [holder(2), holder(5)]
    assert one_of_each([holder(1), holder(2), holder(5)], {2: 1}) == [holder(2), holder(5)]
