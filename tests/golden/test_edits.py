"""Golden scenarios 5, 6 and 17: three systems, one client, people who edit it at the same time, and no echo."""

from __future__ import annotations

from hub.model.settings import PolicySettings, RouteSettings
from hub.store import core, tables
from tests.golden.world import TRIO, Builder, World


def test_05_two_edits_of_different_fields(trio: World) -> None:
    """The accountant renames, trade adds a telephone, sales writes a comment, in one day: all three have all three."""
    keys = trio.known_everywhere()
    trio.desks["bp"].change(keys["bp"], legal_name="ООО Ромашка плюс")
    trio.desks["ut"].change(keys["ut"], phones=["+7 495 1234567"])
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.night()
    assert set(trio.seen(keys, "legal_name").values()) == {"ООО Ромашка плюс"}
    assert set(map(tuple, trio.seen(keys, "phones").values())) == {("74951234567",)}
    assert set(trio.seen(keys, "comment").values()) == {"звонить после обеда"}
    assert trio.rows(core.conflict) == []
    assert trio.log("lost", "lost_task") == []
    trio.quiet()


def test_06_two_edits_of_one_field_the_master_wins(trio: World) -> None:
    """УТ and the accountant rename the client differently: the accountant's name stands, trade's wish is a task."""
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], legal_name="ООО Ромашка-Торг")
    trio.desks["bp"].change(keys["bp"], legal_name="ООО Ромашка плюс")
    trio.night()
    assert trio.card("bp", keys["bp"])["legal_name"] == "ООО Ромашка плюс"
    assert trio.seen(keys, "legal_name")["crm"] == "ООО Ромашка плюс"
    tasks = [row["body"] or "" for row in trio.rows(tables.ROOTS["task"])]
    assert ["ООО Ромашка-Торг" in body for body in tasks] == [True]
    trio.quiet()


def test_06_two_edits_of_one_field_the_later_word_wins(trio: World) -> None:
    """A comment belongs to nobody: of two that came on different nights the later one stands everywhere."""
    keys = trio.known_everywhere()
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.night()
    trio.desks["bp"].change(keys["bp"], comment="звонить до обеда")
    trio.night()
    assert set(trio.seen(keys, "comment").values()) == {"звонить до обеда"}
    assert trio.rows(core.conflict) == []
    trio.quiet()


def test_06_two_edits_of_one_field_nobody_knows_which_was_later(trio: World) -> None:
    """Both comments came in one night and no clock tells them apart: the order of masters decides, sales first."""
    keys = trio.known_everywhere()
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.desks["bp"].change(keys["bp"], comment="звонить до обеда")
    trio.night()
    assert trio.card("crm", keys["crm"])["comment"] == "звонить после обеда"
    assert trio.seen(keys, "comment")["ut"] == "звонить после обеда"
    assert ("update", "comment", "звонить до обеда", "звонить после обеда") in trio.log()
    trio.quiet()


def test_06_two_edits_of_one_field_a_person_decides(build_world: Builder) -> None:
    """Under ``manual`` the first edit goes out, and one that is made before it arrives is a question, not a loss."""
    manual = RouteSettings("ut.party", write="all", policies={"comment": PolicySettings("manual")})
    trio = build_world(TRIO, {"ut.party": manual})
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], comment="наценка 5 %")
    trio.desks["crm"].change(keys["crm"], comment="скидка 5 %")
    trio.night()
    (conflict,) = trio.rows(core.conflict)
    assert {conflict["ours"], conflict["theirs"]} == {"наценка 5 %", "скидка 5 %"}
    assert (conflict["field"], conflict["state"]) == ("comment", "open")
    shown = trio.seen(keys, "comment")
    assert (shown["ut"], shown["crm"]) == ("наценка 5 %", "скидка 5 %")
    trio.quiet()


def test_17_our_echo_is_nobodys_vote(trio: World) -> None:
    """What sales wrote reaches both bases; read there, it is nobody's edit, and sales may take it back."""
    keys = trio.known_everywhere()
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда", phones=["+7 495 1234567"])
    trio.night()
    trio.quiet()
    assert {row["link_id"] for row in trio.rows(core.change_log) if row["op"] == "update"} == {
        row["link_id"] for row in trio.rows(core.change_log) if row["field"] == "comment"
    }
    trio.desks["crm"].change(keys["crm"], comment="звонить до обеда", phones=[])
    trio.night()
    assert set(trio.seen(keys, "comment").values()) == {"звонить до обеда"}
    assert set(map(tuple, trio.seen(keys, "phones").values())) == {()}
    assert trio.log("lost", "lost_task", "conflict") == []
    trio.quiet()


def test_two_systems_of_one_kind_and_their_accountants(branches: World) -> None:
    """Two branches with a УТ each: one edits the comment, the other a telephone, the accountant the name; all agree."""
    keys = branches.known_everywhere()
    branches.desks["ut"].change(keys["ut"], comment="из Москвы")
    branches.desks["ut2"].change(keys["ut2"], phones=["+7 343 1234567"])
    branches.desks["bp"].change(keys["bp"], legal_name="ООО Ромашка плюс")
    branches.night()
    for word, value in (("comment", "из Москвы"), ("phones", {"73431234567"}), ("legal_name", "ООО Ромашка плюс")):
        assert list(branches.seen(keys, word).values()) == [value] * 3
    branches.quiet()


def test_two_systems_of_one_kind_have_an_order_of_their_own(branches: World) -> None:
    """Both branches give the client another working name in one night: it is kept in each, the first is the card's."""
    keys = branches.known_everywhere()
    branches.desks["ut"].change(keys["ut"], name="Ромашка (Москва)")
    branches.desks["ut2"].change(keys["ut2"], name="Ромашка (Урал)")
    branches.night()
    shown = branches.seen(keys, "name")
    assert (shown["ut"], shown["ut2"]) == ("Ромашка (Москва)", "Ромашка (Урал)")
    assert branches.card("ut", keys["ut"])["display_name"] == "Ромашка (Москва)"
    branches.quiet()
