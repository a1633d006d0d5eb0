"""Weights fitted to what persons of this site said: only when asked for, told beforehand, taken back by a name."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from dedup.explain import why
from dedup.refit import LEAST
from dedup.weights import CURRENT, weights
from hub.exchange.duplicates.compare import compare_all
from hub.exchange.duplicates.partition import edge_of
from hub.exchange.duplicates.refit import judged, refit
from hub.exchange.merging.judgements import Verdict, put
from hub.model.errors import NeedsPerson
from hub.reports.refit import refit_lines
from hub.store import core, duplicates, tables
from tests.golden.conftest import build_world, shapes  # noqa: F401 - fixtures
from tests.golden.world import Builder, World

PAIRS = 110
GREEK = ("Альфа", "Бета", "Гамма", "Дельта", "Эпсилон", "Дзета", "Эта", "Тета", "Йота", "Каппа", "Лямбда")


@pytest.fixture
def world(build_world: Builder) -> World:  # noqa: F811
    """Clients of which two and two share a number: here a longer name is the same firm, another name is another one."""
    world = build_world({"ut": "ut", "crm": "crm"})
    world.hub.settings = replace(world.hub.settings, duplicates="propose")
    for number in range(PAIRS):
        name, phone = f"{GREEK[number % len(GREEK)]}{number}строй", f"+7 916 55{number:05d}"
        world.desks["ut"].add(f"ООО {name}", inn="", kpp="", phones=[phone])
        world.desks["crm"].add(f"{name} Логистика Урал", inn="", kpp="", phones=[phone])
        other = f"+7 903 44{number:05d}"
        world.desks["ut"].add(f"ООО Завод {name}", inn="", kpp="", phones=[other])
        world.desks["crm"].add(f"Ремонт окон {number}", inn="", kpp="", phones=[other])
    world.night()
    compare_all(world.hub, by="тест")
    return world


def say(world: World, few: int | None = None) -> None:
    """A person goes through the pairs that share a number."""
    by_phone: dict[str, list[tuple[int, str]]] = {}
    names = {row["id"]: row["display_name"] for row in world.rows(tables.ROOTS["party"])}
    for row in world.rows(tables.CHILDREN["contact_point"]):
        by_phone.setdefault(row["value_norm"], []).append((row["party_id"], names[row["party_id"]]))
    with world.store.begin() as conn:
        for one, other in [tuple(found) for found in by_phone.values() if len(found) == 2][:few]:
            word: Verdict = "same" if "Логистика" in one[1] + other[1] else "different"
            put(conn, "party", one[0], other[0], word, by="Анна", note=None, run_id=1)


def bands(world: World) -> set[tuple[str, str]]:
    """What pairs of the store are taken for, and by which table."""
    return {(edge_of(row["detail"]).version, row["band"]) for row in world.rows(duplicates.edge)}


def test_weights_follow_judgements_and_come_back(world: World) -> None:
    """Shown, nothing is changed; applied, all is compared with the new table; by its name the shipped one returns."""
    with pytest.raises(NeedsPerson, match="мало"):
        refit(world.hub, by="Анна")
    say(world)
    before = world.rows(duplicates.edge)
    shown = refit(world.hub, by="Анна")
    assert (shown.fit.pairs, shown.fit.same, shown.version) == (2 * PAIRS, PAIRS, None)
    assert shown.fit.better
    assert shown.fit.moved["name", "part"] > 0 > shown.fit.moved["name", "differ"]
    assert world.rows(duplicates.edge) == before
    assert world.rows(duplicates.weights) == []
    told = refit_lines(shown, "ru")
    assert told[0].startswith(f"Решений людей: {2 * PAIRS}")
    assert "--apply" in told[-1]
    done = refit(world.hub, by="Анна", apply=True)
    assert done.version is not None
    assert done.version.startswith(f"{CURRENT}+")
    assert {version for version, _ in bands(world)} == {done.version}
    assert done.version in refit_lines(done, "ru")[-1]
    again = refit(world.hub, by="Анна")
    assert again.fit == shown.fit, "what is fitted is the shipped table, not the last fit"
    compare_all(world.hub, by="Анна")
    assert {version for version, _ in bands(world)} == {done.version}, "it stays in force"
    compare_all(world.hub, by="Анна", weights=CURRENT)
    assert {version for version, _ in bands(world)} == {CURRENT}


def test_one_record_is_weighed_by_the_table_in_force(world: World) -> None:
    """A client that comes after the fit is judged as everything is; what speaks for a pair says by which table."""
    say(world)
    found = refit(world.hub, by="Анна", apply=True)
    known = {(row["a"], row["b"]) for row in world.rows(duplicates.edge)}
    world.desks["ut"].add("ООО Новстрой", inn="", kpp="", phones=["+7 916 7770001"])
    world.desks["crm"].add("Новстрой Логистика Урал", inn="", kpp="", phones=["+7 916 7770001"])
    world.night()
    (edge,) = [edge_of(row["detail"]) for row in world.rows(duplicates.edge) if (row["a"], row["b"]) not in known]
    shipped = weights().levels["name"]["part"].plus
    (part,) = [part for part in edge.parts if part.fact == "name"]
    assert (edge.version, part.level) == (found.version, "part")
    assert part.bits == shipped + found.fit.moved["name", "part"] != shipped
    assert CURRENT in why(edge, "ru")


def test_a_table_that_is_not_there_is_named(world: World) -> None:
    """A mistyped name leaves everything as it is, without a run; a table of other facts is refused by its name."""
    runs = world.rows(core.exchange_run)
    with pytest.raises(NeedsPerson, match="ru-1"):
        compare_all(world.hub, by="Анна", weights="ru-9")
    assert world.rows(core.exchange_run) == runs
    say(world)
    version = refit(world.hub, by="Анна", apply=True).version
    (row,) = world.rows(duplicates.weights)
    with world.store.begin() as conn:
        changed = row["body"].replace('"postcode"', '"postbox"')
        conn.execute(update(duplicates.weights).values(body=changed))
    with pytest.raises(NeedsPerson, match="других признаков"):
        compare_all(world.hub, by="Анна", weights=version)
    compare_all(world.hub, by="Анна", weights=CURRENT)


def test_what_is_judged_is_counted_once_and_only_by_persons(world: World) -> None:
    """Words taken back, "unsure" and merges of a rule are no judgements; too few of one kind fit nothing."""
    say(world, few=LEAST // 2)
    with world.store.begin() as conn:
        number = len(list(judged(conn)))
        assert number == LEAST // 2
        first, second, *_ = conn.execute(select(core.judgement.c.id).order_by(core.judgement.c.id)).scalars()
        table = core.judgement
        conn.execute(update(table).where(table.c.id == first).values(verdict="unsure"))
        conn.execute(update(table).where(table.c.id == second).values(revoked_at=world.clock.now(), revoked_by="Анна"))
        assert len(list(judged(conn))) == number - 2
    ids = sorted(row["id"] for row in world.rows(table))
    assert all(one < other for one, other in pairwise(ids))
