"""The small rules of the design, one test for each sentence that no golden scenario shows."""

from __future__ import annotations

from sqlalchemy import update

from hub.model.settings import PolicySettings, RouteSettings
from hub.store import core, tables
from tests.exchange.two.systems import CLIENTS
from tests.golden.world import TRIO, Builder, World, inn, links_of


def test_not_said_at_all_is_not_cleared(trio: World) -> None:
    """Only the CRM knows a segment: that the bases are silent about it erases nothing, night after night."""
    keys = trio.known_everywhere()
    trio.desks["crm"].change(keys["crm"], segment="Опт")
    trio.desks["ut"].change(keys["ut"], comment="переехали")
    trio.night()
    assert trio.card("ut", keys["ut"])["segment"] == "Опт"
    assert trio.desks["crm"].sees(keys["crm"])["segment"] == "Опт"
    trio.quiet()


def test_an_open_question_keeps_the_last_agreed_value(build_world: Builder) -> None:
    """While a person has not answered, a further edit joins the question; nobody's value moves."""
    manual = RouteSettings("ut.party", write="all", policies={"comment": PolicySettings("manual")})
    trio = build_world(TRIO, {"ut.party": manual})
    keys = trio.known_everywhere()
    trio.desks["ut"].change(keys["ut"], comment="наценка 5 %")
    trio.desks["crm"].change(keys["crm"], comment="скидка 5 %")
    trio.night()
    agreed = trio.card("ut", keys["ut"])["comment"]
    trio.desks["crm"].change(keys["crm"], comment="скидка 7 %")
    trio.night()
    assert trio.card("ut", keys["ut"])["comment"] == agreed
    assert trio.desks["ut"].sees(keys["ut"])["comment"] == "наценка 5 %"
    assert {row["state"] for row in trio.rows(core.conflict)} == {"open"}
    trio.quiet()


def test_a_value_that_is_cut_as_the_system_cuts_is_accepted(trio: World) -> None:
    """The accountant's base keeps twelve letters: the rest is no refusal and no edit, and the card keeps all of it."""
    keys = trio.known_everywhere()
    trio.bases["bp"].habits.cut[CLIENTS, "Комментарий"] = 12
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.night()
    assert trio.desks["bp"].sees(keys["bp"])["comment"] == "звонить посл"
    assert trio.card("crm", keys["crm"])["comment"] == "звонить после обеда"
    assert trio.owed() == []
    trio.quiet()


def test_a_look_before_writing_that_differs_is_an_edit_first(trio: World) -> None:
    """The accountant changes the telephone after the night's reading: the remark is written, the telephone stays."""
    keys = trio.known_everywhere(phones=["+7 495 1234567"])
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    trio.bases["bp"].between(lambda: trio.desks["bp"].change(keys["bp"], phones=["+7 495 7654321"]))
    trio.night()
    assert trio.desks["bp"].sees(keys["bp"])["comment"] == "звонить после обеда"
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{"74957654321"}] * 3
    trio.quiet()


def test_first_contact_of_two_full_cards_sends_nothing(build_world: Builder) -> None:
    """Two cards of one client differ when they meet: the master's word is golden, nobody is written to, no conflict."""
    trio = build_world(TRIO)
    keys = {code: desk.add(f"ООО {code}", comment=code) for code, desk in trio.desks.items()}
    trio.night()
    card = trio.card("ut", keys["ut"])
    assert (card["legal_name"], card["comment"]) == ("ООО bp", "crm")
    assert trio.written() == 0
    assert trio.rows(core.conflict) == []
    assert {(state, why) for _, state, why in trio.owed()} == {("held", "first_contact")}
    trio.quiet()


def test_links_by_exact_names_only(build_world: Builder) -> None:
    """Another КПП, a wrong ИНН or the name alone make no link: each is a card of its own."""
    world = build_world({"ut": "ut", "bp": "bp"})
    one = world.desks["ut"].add("ООО Ромашка")
    others = [
        world.desks["bp"].add("ООО Ромашка", kpp="500101001"),
        world.desks["bp"].add("ООО Ромашка", inn="7707083894"),
        world.desks["bp"].add("ООО Ромашка", inn="", kpp=""),
    ]
    world.night()
    assert len({world.at("ut", one), *(world.at("bp", key) for key in others)}) == 4
    world.quiet()


def test_two_of_one_system_with_one_name_are_left_to_a_person(build_world: Builder) -> None:
    """The accountant has the client twice: trade's client is linked to neither, for nobody knows which it is."""
    world = build_world({"ut": "ut", "bp": "bp"})
    one = world.desks["ut"].add("ООО Ромашка")
    twins = [world.desks["bp"].add("ООО Ромашка") for _ in range(2)]
    world.night()
    assert len({world.at("ut", one), *(world.at("bp", key) for key in twins)}) == 3
    assert world.written() == 0


def test_of_several_links_of_one_system_the_primary_is_written_to(build_world: Builder) -> None:
    """Trade has the client twice on one card: what others change goes to the primary one alone."""
    trio = build_world(TRIO)
    keys = trio.known_everywhere()
    twin = trio.desks["ut"].add("ООО Ромашка", kpp="500101001")
    trio.night()
    card = trio.at("ut", keys["ut"])
    with trio.store.begin() as conn:
        here = core.link.c.external_id == twin
        conn.execute(update(core.link).where(here).values(record_id=card, is_primary=False, origin=False))
    trio.desks["crm"].change(keys["crm"], comment="переехали")
    trio.night()
    assert links_of(trio, card).count("ut") == 2
    assert trio.desks["ut"].sees(keys["ut"])["comment"] == "переехали"
    assert trio.desks["ut"].sees(twin)["comment"] == ""


def test_a_record_that_one_system_alone_speaks_of_pays_nothing(build_world: Builder) -> None:
    """No second link, no contribution row; the second system's client makes the rows of both."""
    world = build_world({"ut": "ut", "bp": "bp"})
    world.desks["ut"].add("ООО Ромашка")
    world.night()
    assert world.rows(core.contribution) == []
    world.desks["bp"].add("ООО Ромашка")
    world.night()
    assert len(world.rows(core.contribution)) == 2


def test_owed_is_all_that_became_of_it(trio: World) -> None:
    """Every row of the outbox ends once: confirmed, waiting, failed … add up to what was owed, for each route."""
    first, other = trio.known_everywhere(), trio.known_everywhere("ООО Лютик", inn=inn(7), kpp="770101001")
    trio.bases["bp"].habits.rule = lambda _, record: "нельзя" if record["Ref_Key"] == other["bp"] else ""
    for keys in (first, other):
        trio.desks["crm"].change(keys["crm"], comment="переехали")
    report = trio.night()
    told = {one.route: one.counters for one in report.pushes}
    assert (told["bp.party.push"].owed, told["bp.party.push"].confirmed, told["bp.party.push"].failed) == (2, 1, 1)
    assert (told["ut.party.push"].owed, told["ut.party.push"].confirmed) == (2, 2)


def test_a_task_is_given_for_an_edit_that_lost_once(trio: World) -> None:
    """The same wish on two nights is one task."""
    keys = trio.known_everywhere()
    trio.desks["crm"].change(keys["crm"], legal_name="ООО Ромашка плюс")
    trio.night()
    trio.desks["crm"].change(keys["crm"], comment="переехали")
    trio.night()
    assert len(trio.rows(tables.ROOTS["task"])) == 1
    trio.quiet()
