"""Golden scenarios 7, 8 and 9: a telephone that is taken away, deletion marks, and what somebody deleted for good."""

from __future__ import annotations

from hub.model.settings import RouteSettings
from hub.store import core
from tests.golden.world import TRIO, Builder, World

PHONE, OTHER = "74951234567", "74957654321"


def test_07_clearing_a_phone(trio: World) -> None:
    """All have the telephone since before; trade takes it away: it leaves all three, and does not come back."""
    keys = trio.known_everywhere(phones=["+7 495 1234567", "+7 495 7654321"])
    trio.desks["ut"].change(keys["ut"], phones=["+7 495 7654321"])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{OTHER}] * 3
    trio.quiet()
    trio.quiet()
    assert list(trio.seen(keys, "phones").values()) == [{OTHER}] * 3


def test_07_a_cleared_phone_returns_when_another_states_it_later(trio: World) -> None:
    """Somebody types the number anew after it was taken away: it is true again, everywhere."""
    keys = trio.known_everywhere(phones=["+7 495 1234567"])
    trio.desks["ut"].change(keys["ut"], phones=[])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [set()] * 3
    trio.desks["crm"].change(keys["crm"], phones=["8 (495) 123-45-67"])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{PHONE}] * 3
    trio.quiet()


def test_07_clearing_and_adding_in_one_night(trio: World) -> None:
    """Trade takes one telephone away while sales adds another: both are done."""
    keys = trio.known_everywhere(phones=["+7 495 1234567"])
    trio.desks["ut"].change(keys["ut"], phones=[])
    trio.desks["crm"].change(keys["crm"], phones=["+7 495 1234567", "+7 495 7654321"])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{OTHER}] * 3
    trio.quiet()


def test_07_an_emptied_name_erases_nothing(trio: World) -> None:
    """The accountant empties the name by mistake: the card keeps it, and it is not written back over the accountant."""
    keys = trio.known_everywhere()
    trio.desks["bp"].change(keys["bp"], legal_name="", name="Ромашка")
    trio.night()
    assert trio.card("bp", keys["bp"])["legal_name"] == "ООО Ромашка"
    assert trio.seen(keys, "legal_name") == {"ut": "ООО Ромашка", "bp": "", "crm": "ООО Ромашка"}
    trio.quiet()


def test_08_a_deletion_mark_of_a_client_is_a_question(trio: World) -> None:
    """Trade marks a client for deletion: nobody else loses it before a person says so, and taking it back ends it."""
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], marked=True)
    trio.night()
    assert trio.card("ut", keys["ut"])["record_state"] == "active"
    assert trio.seen(keys, "marked") == {"ut": True, "bp": False, "crm": False}
    assert [(row["field"], row["state"]) for row in trio.rows(core.conflict)] == [("record_state", "open")]
    trio.quiet()
    trio.desks["ut"].change(keys["ut"], marked=False)
    trio.night()
    assert trio.seen(keys, "marked") == {"ut": False, "bp": False, "crm": False}
    assert [row["state"] for row in trio.rows(core.conflict)] == ["settled"]
    trio.quiet()


def test_08_a_deletion_mark_is_carried_and_its_removal_asks(build_world: Builder) -> None:
    """Where marks are carried all systems are marked, by a mark and never by a DELETE; bringing it back is asked."""
    route = RouteSettings("ut.party", write="all", deletion="propagate")
    trio = build_world(TRIO, {"ut.party": route})
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], marked=True)
    trio.night()
    assert trio.card("ut", keys["ut"])["record_state"] == "marked"
    assert set(trio.seen(keys, "marked").values()) == {True}
    trio.quiet()
    trio.desks["bp"].change(keys["bp"], marked=False)
    trio.night()
    assert trio.card("ut", keys["ut"])["record_state"] == "marked"
    assert trio.seen(keys, "marked") == {"ut": True, "bp": False, "crm": True}
    (conflict,) = trio.rows(core.conflict)
    assert (conflict["field"], conflict["ours"], conflict["theirs"]) == ("record_state", "marked", "active")
    trio.quiet()


def test_08_nothing_is_written_to_a_marked_client(build_world: Builder) -> None:
    """A mark that is kept to itself: the marked record gets nothing of what others change, until it lives again."""
    route = RouteSettings("ut.party", write="all", deletion="ignore")
    trio = build_world(TRIO, {"ut.party": route})
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], marked=True, comment="не трогать")
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.night()
    assert trio.card("crm", keys["crm"])["record_state"] == "active"
    assert trio.seen(keys, "comment")["ut"] == "не трогать"
    assert trio.seen(keys, "comment")["bp"] == "звонить после обеда"
    trio.quiet()
    trio.desks["ut"].change(keys["ut"], marked=False)
    trio.night()
    assert trio.card("crm", keys["crm"])["record_state"] == "active"
    trio.quiet()


def test_09_a_physical_delete_is_found_and_never_repeated(build_world: Builder) -> None:
    """Somebody deletes the client in trade for good: the comparison finds it, the others are marked, none loses it."""
    route = RouteSettings("ut.party", write="all", deletion="propagate")
    trio = build_world(TRIO, {"ut.party": route})
    keys = trio.known_everywhere()
    trio.desks["ut"].delete(keys["ut"])
    trio.night()
    left = {code: key for code, key in keys.items() if code != "ut"}
    assert set(trio.seen(left, "marked").values()) == {True}
    assert set(trio.seen(left, "legal_name").values()) == {"ООО Ромашка"}
    trio.quiet()


def test_09_a_physical_delete_of_a_client_is_a_question(trio: World) -> None:
    """By default a person is asked; until then the others keep the client and may change it, nothing goes to trade."""
    keys = trio.known_everywhere()
    trio.desks["ut"].delete(keys["ut"])
    trio.night()
    assert trio.card("bp", keys["bp"])["record_state"] == "active"
    assert [(row["field"], row["theirs"]) for row in trio.rows(core.conflict)] == [("record_state", "deleted")]
    trio.desks["crm"].change(keys["crm"], comment="переехали")
    trio.night()
    assert trio.desks["bp"].sees(keys["bp"])["comment"] == "переехали"
    assert (keys["ut"],) not in trio.bases["ut"].records["Catalog_Контрагенты"]
    trio.quiet()
