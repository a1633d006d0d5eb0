"""Golden scenarios 11, 16, 18, 29, 30, 31 and 32: masses, robots, lost events, pauses, and the same night again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from hub.exchange.pauses import pause, resume
from hub.exchange.service import backfill, exchange_changes
from hub.model.records import Window
from hub.model.settings import BudgetSettings, RouteSettings
from hub.store import core, tables
from tests.exchange.two.systems import CLIENTS
from tests.golden.world import TRIO, Builder, World, inn


def many(world: World, number: int) -> list[dict[str, str]]:
    """That many clients that all systems know alike, after the first night; keys of each by system."""
    found = []
    for at in range(number):
        words = {"inn": inn(at), "kpp": "770101001"}
        found.append({code: desk.add(f"ООО Клиент {at}", **words) for code, desk in world.desks.items()})
    world.night()
    return found


NO_BRAKES = RouteSettings("", write="all", change_budget=BudgetSettings(), delete_budget=BudgetSettings())
POISONED = [
    pytest.param(40, id="40"),
    pytest.param(1000, id="1000", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
]


@pytest.mark.parametrize("number", POISONED)
def test_11_a_poison_record_among_many(build_world: Builder, number: int) -> None:
    """One client of the night cannot be read, another is refused when it is written: all the others come and go."""
    routes = {f"{code}.party": NO_BRAKES for code in ("ut", "bp")}
    world = build_world({"ut": "ut", "bp": "bp"}, routes)
    keys = many(world, number)
    bad, refused = keys[number // 2], keys[number // 3]
    world.bases["bp"].habits.rule = lambda stream, record: (
        "Контрагент заблокирован" if stream == CLIENTS and record["Ref_Key"] == refused["bp"] else ""
    )
    for one in keys:
        world.desks["ut"].change(one["ut"], comment="переехали")
    poison = world.bases["ut"].records[CLIENTS][bad["ut"],]
    world.bases["ut"].put(CLIENTS, {**poison, "DeletionMark": "может быть"})
    report = world.night()
    came = next(one.counters for one in report.routes if one.route == "ut.party")
    went = next(one.counters for one in report.pushes if one.route == "bp.party.push")
    assert came.balanced
    assert (came.updated, came.quarantined) == (number - 1, 1)
    assert (went.confirmed, went.failed, went.owed) == (number - 2, 1, number - 1)
    told = [world.desks["bp"].sees(one["bp"])["comment"] for one in keys]
    assert told.count("переехали") == number - 2
    assert world.owed() == [("update", "failed", "source_refused")]
    assert [row["external_id"] for row in world.rows(core.quarantine) if row["state"] == "open"] == [bad["ut"]]


def test_16_an_event_that_was_lost_is_found_by_the_comparison(build_world: Builder) -> None:
    """УТ's node forgot that a client had changed: the changes of the day miss it, the night's comparison does not."""
    trio = build_world(TRIO, ut={"node": "n"})
    trio.bases["ut"].subscribe("n")
    keys = trio.known_everywhere()
    exchange_changes(trio.hub)
    trio.desks["ut"].change(keys["ut"], phones=["+7 495 1234567"])
    trio.bases["ut"].nodes["n"].registered.clear()
    exchange_changes(trio.hub)
    assert trio.seen(keys, "phones")["crm"] == set()
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{"74951234567"}] * 3
    trio.quiet()


def test_18_two_robots_that_set_each_other_back_are_stopped(trio: World) -> None:
    """Programs in trade and in accounting each insist on their remark: after three returns the field stops, both named.

    All else of the client goes on being exchanged.
    """
    keys = trio.known_everywhere()
    words = {"ut": "предоплата", "bp": "отсрочка"}
    for _ in range(5):
        for code, word in words.items():
            if trio.desks[code].sees(keys[code])["comment"] != word:
                trio.desks[code].change(keys[code], comment=word)
            trio.night()
    conflicts = trio.rows(core.conflict)
    assert {(row["field"], row["policy"], row["state"]) for row in conflicts} == {("comment", "ping_pong", "open")}
    asked = {row["link_id"] for row in conflicts}
    with trio.store.read() as conn:
        link, stream, system = core.link, core.stream, core.system
        joined = link.join(stream, stream.c.id == link.c.stream_id).join(system, system.c.id == stream.c.system_id)
        rows = conn.execute(joined.select().where(link.c.id.in_(asked)).with_only_columns(system.c.code))
        assert sorted(rows.scalars()) == ["bp", "ut"]
    assert {code: trio.desks[code].sees(keys[code])["comment"] for code in words} == words
    trio.quiet()
    trio.desks["crm"].change(keys["crm"], phones=["+7 495 1234567"])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{"74951234567"}] * 3
    assert {code: trio.desks[code].sees(keys[code])["comment"] for code in words} == words
    trio.quiet()


def test_18_two_people_who_edit_in_turn_are_no_robots(trio: World) -> None:
    """Trade and accounting write ever new remarks, night by night: nothing is stopped."""
    keys = trio.known_everywhere()
    for turn in range(8):
        code = ("ut", "bp")[turn % 2]
        trio.desks[code].change(keys[code], comment=f"звонок {turn}")
        trio.night()
    assert trio.rows(core.conflict) == []
    assert set(trio.seen(keys, "comment").values()) == {"звонок 7"}


BUDGET = BudgetSettings(None, 20, 10)


def test_29_a_mass_change_is_stopped_at_its_share(build_world: Builder) -> None:
    """A program in trade changes half of the clients: none of it is taken, all of it waits; a day of work passes."""
    routes = {f"{code}.party": RouteSettings(f"{code}.party", write="all", change_budget=BUDGET) for code in TRIO}
    trio = build_world(TRIO, routes)
    keys = many(trio, 20)
    for one in keys[:10]:
        trio.desks["ut"].change(one["ut"], comment="испорчено")
    trio.desks["crm"].change(keys[15]["crm"], comment="звонить после обеда")
    report = trio.night()
    held = {one.route: one.counters.held for one in report.routes if one.counters.held}
    assert held == {"ut.party": 10}
    assert [row["reason_code"] for row in trio.rows(core.held)] == ["mass_change"] * 10
    assert [trio.desks["crm"].sees(one["crm"])["comment"] for one in keys[:10]] == [""] * 10
    assert trio.seen(keys[15], "comment") == dict.fromkeys(TRIO, "звонить после обеда")
    trio.quiet()
    for one in keys[:10]:
        trio.desks["ut"].change(one["ut"], comment="")
    trio.desks["ut"].change(keys[3]["ut"], comment="переехали")
    trio.night()
    assert {row["state"] for row in trio.rows(core.held)} == {"settled"}
    assert trio.seen(keys[3], "comment") == dict.fromkeys(TRIO, "переехали")
    trio.quiet()


def test_29_a_mass_change_is_stopped_on_its_way_out(build_world: Builder) -> None:
    """What would change more than a fifth of the accountant's clients at once waits there, whoever caused it."""
    stopped = RouteSettings("bp.party", write="all", change_budget=BUDGET)
    trio = build_world(TRIO, {"bp.party": stopped, "ut.party": NO_BRAKES})
    keys = many(trio, 20)
    for one in keys[:10]:
        trio.desks["ut"].change(one["ut"], comment="переехали")
    trio.night()
    assert [trio.desks["crm"].sees(one["crm"])["comment"] for one in keys[:10]] == ["переехали"] * 10
    assert [trio.desks["bp"].sees(one["bp"])["comment"] for one in keys[:10]] == [""] * 10
    assert trio.owed() == [("update", "held", "mass_change")] * 10
    trio.quiet()


def test_30_a_backfill_gives_no_tasks(trio: World) -> None:
    """Trade renames a client whose name belongs to the accountant: a night gives a task, a backfill gives none."""
    first, other = trio.known_everywhere(), trio.known_everywhere("ООО Лютик", inn=inn(7), kpp="770101001")
    trio.desks["ut"].change(first["ut"], legal_name="ООО Ромашка-Торг")
    backfill(trio.hub, ["ut.party"], Window(date(2026, 11, 1), date(2026, 11, 30)))
    assert ("lost_task", "legal_name", "ООО Ромашка-Торг", "ООО Ромашка") in trio.log("lost_task")
    assert trio.rows(tables.ROOTS["task"]) == []
    trio.night()
    assert trio.rows(tables.ROOTS["task"]) == []
    trio.desks["ut"].change(other["ut"], legal_name="ООО Лютик-Торг")
    trio.night()
    assert len(trio.rows(tables.ROOTS["task"])) == 1


def test_31_a_paused_route_drains_nothing_and_resumes(trio: World) -> None:
    """Writing to the accountant is paused: what is owed stays owed for nights, the others get theirs; then it goes."""
    keys = trio.known_everywhere()
    pause(trio.hub, "bp.party", "закрытие месяца", "Главбух", until=None, direction="push")
    trio.desks["crm"].change(keys["crm"], comment="звонить после обеда")
    for _ in range(2):
        trio.night()
        assert trio.seen(keys, "comment") == {"ut": "звонить после обеда", "bp": "", "crm": "звонить после обеда"}
        assert [one[:2] for one in trio.owed()] == [("update", "pending")]
    trio.desks["crm"].change(keys["crm"], comment="звонить до обеда")
    trio.night()
    resume(trio.hub, "bp.party", direction="push")
    trio.night()
    assert set(trio.seen(keys, "comment").values()) == {"звонить до обеда"}
    assert trio.owed() == []
    trio.quiet()


def test_31_a_pause_ends_by_itself(trio: World) -> None:
    """A pause until a moment: nothing of trade is read before it, all of it after."""
    keys = trio.known_everywhere()
    pause(trio.hub, "ut.party", "обновление", "Админ", until=trio.clock.now().replace(day=5), direction="both")
    trio.desks["ut"].change(keys["ut"], comment="переехали")
    trio.night()
    assert trio.seen(keys, "comment")["crm"] == ""
    for _ in range(3):
        trio.night()
    assert set(trio.seen(keys, "comment").values()) == {"переехали"}


def test_32_any_night_again_changes_nothing(build_world: Builder) -> None:
    """A week of edits, marks, deletions and refusals in three systems: each night runs twice, the second is idle."""
    trio = build_world(TRIO)
    keys = many(trio, 6)
    ut, bp, crm = (trio.desks[code] for code in TRIO)

    def all_rename() -> None:
        for code, desk in trio.desks.items():
            desk.change(keys[4][code], legal_name=f"ООО {code}")

    def all_add() -> None:
        for desk in trio.desks.values():
            desk.add("ООО Новый", inn=inn(77), kpp="770101001")

    week: list[Callable[[], object]] = [
        lambda: ut.change(keys[0]["ut"], phones=["+7 495 1234567"], comment="один"),
        lambda: bp.change(keys[1]["bp"], legal_name="ООО Первый", marked=True),
        lambda: crm.change(keys[2]["crm"], comment="два", segment="Опт"),
        lambda: ut.delete(keys[3]["ut"]),
        all_rename,
        lambda: crm.change(keys[0]["crm"], phones=[]),
        all_add,
    ]
    for day in week:
        before = len(trio.log())
        day()
        trio.night()
        assert len(trio.log()) > before
        trio.quiet()
