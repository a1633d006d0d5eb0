"""After a night: what changed is compared, what is one client beyond doubt is made one, the rest waits for a person."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select, update

from dedup.keys import VERSION
from hub.assets.duplicates import queue_page
from hub.exchange.duplicates.queue import doubts
from hub.exchange.duplicates.rebuild import rebuild
from hub.exchange.duplicates.sample import draw, interval, precision
from hub.exchange.duplicates.sample import judge as judge_sample
from hub.exchange.duplicates.settle import Settled, settle
from hub.exchange.merging import log
from hub.exchange.merging import unmerge as undoing
from hub.exchange.merging.judgements import judge, put
from hub.exchange.merging.merge import ask, merge
from hub.exchange.merging.unmerge import of_record, unmerge
from hub.model.errors import RetryLater
from hub.model.settings import RouteSettings
from hub.reports.summary import summary
from hub.reports.text import markdown, plain
from hub.store import core, duplicates
from tests.golden.conftest import build_world, shapes  # noqa: F401 - fixtures
from tests.golden.world import Builder, World

SYSTEMS = ("ut", "crm")
MOBILE = "+7 916 555-01-02"


@pytest.fixture
def world(build_world: Builder) -> World:  # noqa: F811
    """УТ and the CRM, compared once with some clients that nobody doubts."""
    world = build_world({"ut": "ut", "crm": "crm"})
    for number in range(6):
        world.desks["ut"].add(f"ООО Завод {'АБВГДЕ'[number]}", inn="", kpp="", phones=[f"+7 495 700-10-0{number}"])
    night(world)
    return world


def night(world: World) -> Settled:
    """A night, and what the comparison in it came to."""
    world.hub.settings = replace(world.hub.settings, duplicates="merge")
    found = world.night().duplicates
    assert found is not None
    return found


def test_one_client_of_two_systems_is_made_one(world: World) -> None:
    """УТ writes «ООО „Ромашка“», the CRM «Ромашка, ООО» with the same mobile number: one card by morning."""
    ut = world.desks["ut"].add('ООО "Ромашка плюс"', inn="", kpp="", phones=[MOBILE])
    night(world)
    crm = world.desks["crm"].add("Ромашка плюс, ООО", inn="", kpp="", phones=["8 (916) 555 01 02"])
    found = night(world)
    assert (found.merged, found.refused) == (1, {})
    assert world.at("ut", ut) == world.at("crm", crm)
    night(world)  # the two systems are told of each other
    world.quiet()
    again = settle(world.hub, 1)
    assert (again.compared, again.merged) == (0, 0)


def test_without_a_word_in_the_settings_nothing_is_merged(build_world: Builder) -> None:  # noqa: F811
    """By default what is found is shown and no more, night after night."""
    world = build_world({"ut": "ut", "crm": "crm"})
    world.night()
    keys = [world.desks[code].add("ООО Ромашка плюс", inn="", kpp="", phones=[MOBILE]) for code in ("ut", "crm")]
    world.night()
    found = world.night().duplicates
    assert found is not None
    assert found.merged == 0
    assert world.at("ut", keys[0]) != world.at("crm", keys[1])
    assert [row["band"] for row in world.rows(duplicates.edge)] == ["auto"]


def test_an_existing_base_is_only_proposed(build_world: Builder) -> None:  # noqa: F811
    """What the first comparison finds is merged by nobody: it stands in the store for a person to see."""
    world = build_world({"ut": "ut", "crm": "crm"})
    keys = (
        world.desks["ut"].add('ООО "Ромашка плюс"', inn="", kpp="", phones=[MOBILE]),
        world.desks["crm"].add("Ромашка плюс, ООО", inn="", kpp="", phones=[MOBILE]),
    )
    found = night(world)
    assert found.rebuilt is not None
    assert (found.rebuilt.groups, found.merged) == (1, 0)
    assert world.at("ut", keys[0]) != world.at("crm", keys[1])
    assert [row["band"] for row in world.rows(duplicates.edge)] == ["auto"]


def test_what_a_person_said_is_never_overruled(world: World) -> None:
    """Merged, taken apart again by a person: the rule never makes one of them again, however often they change."""
    ut = world.desks["ut"].add('ООО "Ромашка плюс"', inn="", kpp="", phones=[MOBILE])
    crm = world.desks["crm"].add("Ромашка плюс, ООО", inn="", kpp="", phones=[MOBILE])
    assert night(world).merged == 1
    with world.store.read() as conn:
        gone = conn.execute(select(core.redirect.c.from_record_id)).scalar_one()
    unmerge(world.hub, of_record(world.hub, "party", str(gone), by="тест"))
    assert world.at("ut", ut) != world.at("crm", crm)
    for comment in ("раз", "два"):
        world.desks["ut"].change(ut, comment=comment)
        assert night(world).merged == 0
    assert world.at("ut", ut) != world.at("crm", crm)


@pytest.fixture
def readers(build_world: Builder) -> World:  # noqa: F811
    """The same, of two systems that the hub only reads."""
    world = build_world(
        {"ut": "ut", "crm": "crm"}, {f"{code}.party": RouteSettings(f"{code}.party") for code in SYSTEMS}
    )
    for number in range(6):
        world.desks["ut"].add(f"ООО Завод {'АБВГДЕ'[number]}", inn="", kpp="", phones=[f"+7 495 700-10-0{number}"])
    night(world)
    return world


def merged(world: World) -> tuple[str, str]:
    """One client of both systems whom the rule made one; the keys."""
    ut = world.desks["ut"].add('ООО "Ромашка плюс"', inn="", kpp="", phones=[MOBILE])
    night(world)
    crm = world.desks["crm"].add("Ромашка плюс, ООО", inn="", kpp="", phones=[MOBILE])
    assert night(world).merged == 1
    assert world.at("ut", ut) == world.at("crm", crm)
    return ut, crm


def standing(world: World) -> list[tuple[str, int | None]]:
    """Merges that are not undone: how each was made, and the run that told somebody."""
    return [(row["mode"], row["told_run"]) for row in world.rows(core.merge_log) if row["undone_run"] is None]


def test_what_the_rule_would_not_merge_again_parts_as_long_as_nobody_was_told(readers: World) -> None:
    """The CRM corrects a name and a number that were somebody else's: two clients again, and one once they agree."""
    ut, crm = merged(readers)
    whole = readers.at("ut", ut)
    assert standing(readers) == [("auto", None)]
    readers.desks["crm"].change(crm, comment="звонил")
    assert night(readers).parted == 0, "what still fits together stays"
    readers.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    found = night(readers)
    assert (found.parted, found.merged, found.refused) == (1, 0, {})
    assert readers.at("ut", ut) == whole != readers.at("crm", crm)
    assert standing(readers) == []
    assert readers.rows(core.redirect) + readers.rows(core.judgement) == []
    assert {row["undone_by"] for row in readers.rows(core.merge_log)} == {"duplicates"}
    readers.desks["crm"].change(crm, name="Ромашка плюс", legal_name="ООО Ромашка плюс", phones=[MOBILE])
    assert night(readers).merged == 1
    assert readers.at("ut", ut) == readers.at("crm", crm)


def test_once_a_system_was_told_only_a_person_parts(world: World) -> None:
    """Names and phones of one stand in the other by then: the rule keeps its hands off."""
    _, crm = merged(world)
    assert standing(world)[0][1] is not None, "the night that merged them told the systems too"
    world.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    assert night(world).parted == 0
    assert len(standing(world)) == 1


def test_what_a_person_agreed_to_or_did_the_rule_never_parts(readers: World) -> None:
    """A person's "same" of a pair that a rule merged holds; so does a merge of a person's."""
    ut, crm = merged(readers)
    (row,) = readers.rows(core.merge_log)
    with readers.store.begin() as conn:
        put(conn, "party", row["record_id"], row["other_id"], "same", by="Анна", note=None, run_id=row["run_id"])
    readers.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    assert night(readers).parted == 0
    other = readers.desks["crm"].add("Ландыш", inn="", kpp="")
    night(readers)
    numbers = [str(readers.at("ut", ut)), str(readers.at("crm", other))]
    merge(readers.hub, ask(readers.hub, "party", numbers[0], numbers[1:], by="Анна"))
    readers.desks["crm"].change(other, comment="другой")
    assert night(readers).parted == 0
    assert readers.at("ut", ut) == readers.at("crm", crm) == readers.at("crm", other)


def test_a_word_on_somebody_else_keeps_no_merge(readers: World) -> None:
    """A "same" of the merged card and a third client says nothing of the two sides: no person stands behind them."""
    merged(readers)
    third = readers.desks["ut"].add("ООО Ландыш", inn="", kpp="", phones=["+7 903 555-66-77"])
    night(readers)
    (row,) = readers.rows(core.merge_log)
    pair = sorted((readers.at("ut", third), row["other_id"]))
    with readers.store.begin() as conn:
        put(conn, "party", pair[0], pair[1], "unsure", by="Анна", note=None, run_id=row["run_id"])
        (entry,) = log.entries(conn)
        assert log.agreed(conn, [entry]) == set()
        put(conn, "party", pair[0], pair[1], "same", by="Анна", note=None, run_id=row["run_id"])
        assert log.agreed(conn, [entry]) == set(), "a third client that is no part of the card"


def test_a_merge_called_right_in_a_sample_is_a_persons_too(readers: World) -> None:
    """Somebody looked at it blind and said that it is one client: the rule never parts it."""
    ut, crm = merged(readers)
    (row,) = readers.rows(core.merge_log)
    judge_sample(readers.hub, {row["id"]: True}, by="Анна")
    readers.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    assert night(readers).parted == 0
    assert readers.at("ut", ut) == readers.at("crm", crm)


def test_what_stands_on_such_a_merge_keeps_it(readers: World) -> None:
    """A person merged the whole into another client: what is inside is a person's matter now."""
    ut, crm = merged(readers)
    third = readers.desks["ut"].add("ООО Ландыш", inn="", kpp="", phones=["+7 903 555-66-77"])
    night(readers)
    numbers = [str(readers.at("ut", third)), str(readers.at("ut", ut))]
    merge(readers.hub, ask(readers.hub, "party", numbers[0], numbers[1:], by="Анна"))
    readers.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    assert night(readers).parted == 0
    assert len({readers.at("ut", ut), readers.at("ut", third), readers.at("crm", crm)}) == 1


def test_what_came_at_a_bad_time_is_looked_at_again(readers: World) -> None:
    """A run that is sending to the record holds it: the rule tries again the next night."""
    ut, crm = merged(readers)
    readers.desks["crm"].change(crm, name="Лютик", legal_name="ООО Лютик", phones=["+7 903 111-22-33"])
    with patch.object(undoing, "refuse_busy", side_effect=RetryLater("merge_busy", run=1)):
        found = night(readers)
    assert (found.parted, found.refused) == (0, {"merge_busy": 1})
    assert night(readers).parted == 1
    assert readers.at("ut", ut) != readers.at("crm", crm)


def test_who_is_said_to_be_the_same_is_one_group(world: World) -> None:
    """A person's "same" joins two cards that nothing else speaks for."""
    ut = world.desks["ut"].add("ООО Василёк", inn="", kpp="")
    crm = world.desks["crm"].add("Мечта, ИП Сидоров", inn="", kpp="")
    night(world)
    judge(world.hub, "party", str(world.at("ut", ut)), str(world.at("crm", crm)), "same", by="Анна")
    world.desks["ut"].change(ut, comment="ещё раз")
    assert night(world).merged == 1
    assert world.at("ut", ut) == world.at("crm", crm)


def test_merges_count_in_the_budget_of_changes(world: World) -> None:
    """More merges than the route may change in one night wait; those within the budget are done."""
    with world.store.begin() as conn:
        conn.execute(update(duplicates.statistics).values(records=10_000))
    pairs = []
    for number in range(4):
        phone = f"+7 916 555-02-0{number}"
        ut = world.desks["ut"].add(f'ООО "Ландыш {"АБВГ"[number]}н"', inn="", kpp="", phones=[phone])
        pairs.append((ut, world.desks["crm"].add(f"Ландыш {'АБВГ'[number]}н ООО", inn="", kpp="", phones=[phone])))
    found = night(world)
    assert found.merged == 4
    assert all(world.at("ut", ut) == world.at("crm", crm) for ut, crm in pairs)


def test_judged_one_by_one_and_all_at_once_come_to_the_same(world: World) -> None:
    """Groups and pairs after a week of changes are those of comparing everything anew."""
    for number in range(5):
        phone = f"+7 916 555-03-0{number}"
        world.desks["ut"].add(f'ООО "Сирень {"АБВГД"[number]}о"', inn="", kpp="", phones=[phone])
        night(world)
        world.desks["crm"].add(f"Сирень {'АБВГД'[number]}о", inn="", kpp="", phones=[phone])
        night(world)

    def kept() -> tuple[Any, Any]:
        pairs = {(row["a"], row["b"], row["band"]) for row in world.rows(duplicates.edge)}
        return pairs, {row["link_id"]: row["grp"] for row in world.rows(duplicates.unit)}

    said = kept()
    with world.store.begin() as conn:
        rebuild(conn, 1)
    assert kept() == said


def test_records_of_another_normaliser_are_compared_anew(world: World) -> None:
    """After an upgrade that reads records otherwise, stored keys mean nothing: everything is compared, once."""
    kept = duplicates.statistics
    with world.hub.store.begin() as conn:
        conn.execute(duplicates.key.delete())
        conn.execute(update(kept).values(normaliser=VERSION - 1))
    found = night(world)
    assert found.rebuilt is not None
    with world.hub.store.read() as conn:
        assert conn.execute(select(kept.c.normaliser)).scalar_one() == VERSION
        assert conn.execute(select(duplicates.key.c.k)).first() is not None
    assert night(world).rebuilt is None


def test_a_rule_that_is_right_too_seldom_merges_no_more(world: World) -> None:
    """Of its merges a person found most to be wrong: they are undone, and the next pair of the rule waits."""
    for number in range(3):
        phone = f"+7 916 555-04-0{number}"
        world.desks["ut"].add(f'ООО "Вереск {"АБВ"[number]}о"', inn="", kpp="", phones=[phone])
        world.desks["crm"].add(f"Вереск {'АБВ'[number]}о", inn="", kpp="", phones=[phone])
    assert night(world).merged == 3
    drawn = draw(world.hub, 50, seed=1)
    assert len(drawn) == 3
    undone = judge_sample(world.hub, {one.id: False for one in drawn}, by="Анна")
    assert len(undone) == 3
    with world.store.read() as conn:
        (told,) = precision(conn)
    assert (told.rule, told.looked, told.right, told.off) == ("facts", 3, 0, True)
    assert draw(world.hub, 50, seed=1) == []
    world.desks["ut"].add("ООО Мальва", inn="", kpp="", phones=[MOBILE])
    world.desks["crm"].add("Мальва ООО", inn="", kpp="", phones=[MOBILE])
    found = night(world)
    assert (found.merged, found.refused) == (0, {"rule_off": 1})


def test_the_interval_is_wilsons() -> None:
    """Figures of the literature: 8 of 10 is 49 to 94 of a hundred, 50 of 50 is 93 to 100."""
    assert [round(one, 3) for one in interval([True] * 8 + [False] * 2)] == [0.49, 0.943]
    assert [round(one, 3) for one in interval([True] * 50)] == [0.929, 1.0]


def test_the_summary_tells_how_many_pairs_wait(build_world: Builder) -> None:  # noqa: F811
    """Pairs that nobody has decided stand in the morning summary; one that is put off does not, until it changes."""
    world = build_world({"ut": "ut", "crm": "crm"})
    keys = [world.desks[code].add("ООО Ромашка плюс", inn="", kpp="", phones=[MOBILE]) for code in ("ut", "crm")]
    world.night()
    said = summary(world.hub)
    assert said.duplicates == {"auto": 1}
    assert any("пар без сомнений 1, под вопросом 0" in line for line in plain(said, "ru"))
    assert "1 pairs beyond doubt" in markdown(said, "en")
    one, other = (world.at(code, key) for code, key in zip(("ut", "crm"), keys, strict=True))
    judge(world.hub, "party", str(one), str(other), "unsure", by="Анна")
    assert (summary(world.hub).duplicates, doubts(world.hub)) == ({}, [])
    world.desks["ut"].change(keys[0], comment="ещё раз")
    world.night()
    assert summary(world.hub).duplicates == {"auto": 1}
    assert [found.put_off for found in doubts(world.hub, limit=1)] == ["Анна"]


def test_the_page_of_the_queue_shows_why_without_a_name(build_world: Builder) -> None:  # noqa: F811
    """Dagster shows the first pairs by number, with words and a picture; names and telephones stay in the store."""
    world = build_world({"ut": "ut", "crm": "crm"})
    for code in ("ut", "crm"):
        world.desks[code].add("ООО Ромашка плюс", inn="", kpp="", phones=[MOBILE])
    world.night()
    shown = queue_page(world.hub, "ru")
    picture = b64decode(re.findall(r"!\[\]\(data:image/svg\+xml;base64,([^)]+)\)", shown)[0]).decode()
    assert (picture[:4], picture[-6:], picture.count("<rect") > 2) == ("<svg", "</svg>", True)
    for text in (shown, picture):
        assert not re.search("Ромашка|5550102", text)
