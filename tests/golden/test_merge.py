"""Golden scenarios 2, 4, 22, 23: branches, partners, a merge that is undone after edits, a wrong one that is split."""

from __future__ import annotations

from typing import Any

import pytest

from hub.exchange.merging import merge as merging
from hub.exchange.merging import split as splitting
from hub.exchange.merging import unmerge as undoing
from hub.exchange.merging.judgements import between
from hub.exchange.merging.told import Moved
from hub.exchange.why import why
from hub.model.errors import NeedsPerson
from hub.store import core, tables
from tests.exchange.two.systems import PARTNERS, client
from tests.golden.world import World, inn, links_of

PHONE, OTHER = "74951234567", "74957654321"


def joined(world: World, survivor: int, *losers: int, **more: Any) -> Moved:
    """A merge by a person."""
    names = [str(number) for number in losers]
    return merging.merge(world.hub, merging.ask(world.hub, "party", str(survivor), names, by="Анна", **more))


def parted(world: World, run: int, **more: Any) -> Moved:
    """The undo of a merge."""
    return undoing.unmerge(world.hub, undoing.of_run(world.hub, run, by="Борис", **more))


def state_of(world: World, record: int) -> str:
    """The state of a record's row."""
    (row,) = [row for row in world.rows(tables.ROOTS["party"]) if row["id"] == record]
    return str(row["record_state"])


def pair(trio: World) -> tuple[dict[str, str], str, int, int]:
    """A client that all know, and the same one once more in the CRM, under another name and without ИНН."""
    keys = trio.known_everywhere(phones=["+7 495 1234567"])
    twin = trio.desks["crm"].add("Ромашка (старая)", inn="", kpp="", phones=["+7 495 7654321"], comment="из CRM")
    trio.night()
    return keys, twin, trio.at("ut", keys["ut"]), trio.at("crm", twin)


def test_22_merge_later_edits_undo(trio: World) -> None:
    """Two cards become one; people edit both; undone, each has its own again with the later edits, in all systems."""
    keys, twin, one, other = pair(trio)
    assert one != other
    done = joined(trio, one, other, reason="одна фирма")
    assert links_of(trio, one) == ["ut", "bp", "crm", "crm"]
    assert state_of(trio, other) == "merged"
    assert {(told.system, told.paths) for told in done.told if told.system == "ut"}
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{PHONE, OTHER}] * 3
    assert list(trio.seen(keys, "comment").values()) == ["из CRM"] * 3
    assert trio.desks["crm"].sees(twin)["phones"] == {OTHER}, "its own card stays its own"
    trio.quiet()
    trio.desks["bp"].change(keys["bp"], legal_name="ООО Ромашка плюс")
    trio.desks["crm"].change(twin, comment="позже из CRM", phones=["+7 495 7654321", "+7 495 1112233"])
    trio.night()
    assert list(trio.seen(keys, "comment").values()) == ["позже из CRM"] * 3
    assert list(trio.seen(keys, "phones").values()) == [{PHONE, OTHER, "74951112233"}] * 3
    back = parted(trio, done.run_id)
    assert [link.after for link in back.links] == [other]
    assert state_of(trio, other) == "active"
    assert trio.card("crm", twin)["comment"] == "позже из CRM"
    assert trio.card("ut", keys["ut"])["legal_name"] == "ООО Ромашка плюс"
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{PHONE}] * 3
    assert [word or "" for word in trio.seen(keys, "comment").values()] == [""] * 3
    assert list(trio.seen(keys, "legal_name").values()) == ["ООО Ромашка плюс"] * 3
    assert trio.desks["crm"].sees(twin)["phones"] == {OTHER, "74951112233"}
    assert trio.desks["crm"].sees(twin)["legal_name"] == "Ромашка (старая)"
    assert (links_of(trio, one), links_of(trio, other)) == (["ut", "bp", "crm"], ["crm"])
    assert trio.rows(core.redirect) == trio.rows(core.outbox) == []
    trio.quiet()


def test_22_what_was_edited_where_we_wrote_stays(trio: World) -> None:
    """The undo takes back only what is still ours: a phone that trade corrected meanwhile is trade's by now."""
    keys, _, one, other = pair(trio)
    done = joined(trio, one, other)
    trio.night()
    trio.desks["ut"].change(keys["ut"], comment="исправлено в УТ")
    trio.night()
    parted(trio, done.run_id)
    trio.night()
    assert list(trio.seen(keys, "comment").values()) == ["исправлено в УТ"] * 3
    trio.quiet()


def test_22_undone_twice_changes_nothing(trio: World) -> None:
    """The second undo says by which run it was undone, and leaves no run behind."""
    _, _, one, other = pair(trio)
    done = joined(trio, one, other)
    back = parted(trio, done.run_id)
    runs = len(trio.rows(core.exchange_run))
    again = parted(trio, done.run_id)
    assert (again.already, again.run_id) == (back.run_id, 0)
    by_record = undoing.of_record(trio.hub, "party", str(other), by="Вера")
    assert undoing.unmerge(trio.hub, by_record).already == back.run_id
    assert len(trio.rows(core.exchange_run)) == runs


def test_22_a_rule_never_merges_again_what_a_person_parted(trio: World) -> None:
    """The undo leaves the word "different": a rule is refused, a person may go over it, and takes it back by that."""
    _, _, one, other = pair(trio)
    parted(trio, joined(trio, one, other, mode="auto", rule="phone").run_id)
    asked = merging.ask(trio.hub, "party", str(one), [str(other)], by="правило", mode="auto", confirm=True)
    with pytest.raises(NeedsPerson, match=r"решил.* разные"):
        merging.merge(trio.hub, asked)
    with pytest.raises(NeedsPerson, match="--force"):
        joined(trio, one, other)
    joined(trio, one, other, confirm=True)
    with trio.store.read() as conn:
        assert between(conn, one, other) is None


def test_23_a_wrong_merge_is_split(trio: World) -> None:
    """Two firms were merged by mistake: the CRM's record is taken out to a card of its own, systems are told."""
    keys, twin, one, other = pair(trio)
    joined(trio, one, other)
    trio.night()
    asked = splitting.ask(trio.hub, "party", str(one), [f"crm:{twin}"], by="Борис", reason="другая фирма")
    done = splitting.split(trio.hub, asked)
    (new,) = done.others
    assert new not in (one, other)
    assert (links_of(trio, one), links_of(trio, new)) == (["ut", "bp", "crm"], ["crm"])
    trio.night()
    assert list(trio.seen(keys, "phones").values()) == [{PHONE}] * 3
    assert trio.desks["crm"].sees(twin)["phones"] == {OTHER}
    assert trio.card("crm", twin)["legal_name"] == "Ромашка (старая)"
    with trio.store.read() as conn:
        said = between(conn, one, new)
    assert said is not None
    assert (said.verdict, said.note) == ("different", "другая фирма")
    trio.quiet()
    back = parted(trio, done.run_id)
    assert back.undone == [done.run_id]
    assert links_of(trio, one) == ["ut", "bp", "crm", "crm"]
    assert state_of(trio, new) == "merged"


def test_23_a_card_that_was_never_merged_is_split_too(trio: World) -> None:
    """An exact name has put two firms on one card: the accountant's gets its own, and the others stay together."""
    keys = trio.known_everywhere()
    one = trio.at("ut", keys["ut"])
    with pytest.raises(NeedsPerson, match="нельзя вынести всё"):
        splitting.ask(trio.hub, "party", str(one), list(keys.values()), by="Борис")
    splitting.split(trio.hub, splitting.ask(trio.hub, "party", str(one), [keys["bp"]], by="Борис"))
    assert trio.at("bp", keys["bp"]) != one
    assert links_of(trio, one) == ["ut", "crm"]
    trio.desks["bp"].change(keys["bp"], legal_name="ООО Лютик")
    trio.night()
    assert trio.seen(keys, "legal_name") == {"ut": "ООО Ромашка", "bp": "ООО Лютик", "crm": "ООО Ромашка"}
    trio.quiet()


def test_02_branches_of_one_inn_are_not_merged_silently(trio: World) -> None:
    """One ИНН and two КПП: a rule is refused, a person is told why and may go over it."""
    head = trio.desks["ut"].add("ООО Сеть", inn=inn(5), kpp="770101001")
    branch = trio.desks["ut"].add("ООО Сеть, Тверь", inn=inn(5), kpp="695001001")
    trio.night()
    one, other = trio.at("ut", head), trio.at("ut", branch)
    asked = merging.ask(trio.hub, "party", str(one), [str(other)], by="правило", mode="auto", rule="inn")
    assert [veto.code for veto in merging.plan(trio.hub, asked).vetoes] == ["veto_kpp"]
    with pytest.raises(NeedsPerson, match="филиал"):
        merging.merge(trio.hub, asked)
    assert [row["mode"] for row in trio.rows(core.exchange_run)] == ["manual"]
    joined(trio, one, other, confirm=True)
    assert links_of(trio, one) == ["ut", "ut"]


def test_04_a_partner_and_its_two_counterparties_stay_three(trio: World) -> None:
    """Trade keeps a partner with two legal entities: neither the partner nor the two are one client to a rule."""
    key = "11111111-1111-1111-1111-111111111111"
    partner = {"Ref_Key": key, "DataVersion": "", "DeletionMark": False, "Description": "Холдинг"}
    trio.put("ut", {**partner, "ЮрФизЛицо": "Компания"}, PARTNERS)
    firms = [trio.put("ut", client(f"ООО Дом {at}", inn(at), "770101001", Партнер_Key=key)) for at in (7, 8)]
    trio.night()
    whole = trio.record("ut", key, PARTNERS)
    one, two = (trio.at("ut", key) for key in firms)
    for pair_, code in (((one, two), "veto_inn"), ((whole, one), "veto_partner"), ((two, whole), "veto_partner")):
        names = [str(number) for number in pair_]
        asked = merging.ask(trio.hub, "party", names[0], names[1:], by="правило", mode="auto")
        assert [veto.code for veto in merging.plan(trio.hub, asked).vetoes] == [code]
        with pytest.raises(NeedsPerson, match="Не объединено"):
            merging.merge(trio.hub, asked)


def test_04_two_entities_of_one_partner_are_no_duplicates_to_a_rule(trio: World) -> None:
    """One of the two has no ИНН yet: a rule leaves them apart, a person who knows merges them."""
    key = "11111111-1111-1111-1111-111111111111"
    partner = {"Ref_Key": key, "DataVersion": "", "DeletionMark": False, "Description": "Холдинг"}
    trio.put("ut", {**partner, "ЮрФизЛицо": "Компания"}, PARTNERS)
    told = (("ООО Дом", inn(7), "770101001"), ("ООО Дом Трейд", "", ""))
    firms = [trio.put("ut", client(*one, Партнер_Key=key)) for one in told]
    trio.night()
    one, two = (trio.at("ut", key) for key in firms)
    asked = merging.ask(trio.hub, "party", str(one), [str(two)], by="правило", mode="auto")
    with pytest.raises(NeedsPerson, match="два контрагента одного партнёра"):
        merging.merge(trio.hub, asked)
    joined(trio, one, two, confirm=True)
    assert links_of(trio, one) == ["ut", "ut"]


def test_who_merged_what_is_told(trio: World) -> None:
    """``why`` of the merged record tells which record came by which merge, who did it, and when."""
    _, twin, one, other = pair(trio)
    done = joined(trio, one, other, reason="одна фирма")
    answer = why(trio.hub, "party", str(other))
    assert answer.record_id == one
    (came,) = answer.merges
    assert (came.run, came.record_id, came.by, came.reason, came.keys) == (
        done.run_id,
        other,
        "Анна",
        "одна фирма",
        (("crm", twin),),
    )
