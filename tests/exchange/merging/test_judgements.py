"""What persons say of pairs outlives merges, splits and their undo, and is theirs to take back."""

from __future__ import annotations

import pytest

from hub.exchange.merging.judgements import between, blocked_pairs, judge, judgements, revoke
from hub.model.errors import NeedsPerson
from hub.store import core
from tests.exchange.merging.desk import Desk


def four(desk: Desk) -> tuple[list[str], list[int]]:
    """Four clients of УТ: keys and numbers."""
    keys = [desk.add("ut", f"Клиент {at}") for at in range(4)]
    desk.night()
    return keys, [desk.record("ut", key) for key in keys]


def verdict(desk: Desk, one: int, other: int) -> str | None:
    """What holds between two cards."""
    with desk.two.store.read() as conn:
        said = between(conn, one, other)
    return said.verdict if said else None


def test_a_judgement_is_kept_with_who_when_and_why(desk: Desk) -> None:
    """The new word takes the place of the old one, which is kept; taken back, nothing holds; each is in the journal."""
    keys, (first, second, *_) = four(desk)
    hub = desk.two.hub
    judge(hub, "party", keys[1], keys[0], "unsure", by="Анна", note="один телефон")
    done = judge(hub, "party", str(first), str(second), "different", by="Борис")
    assert (done.before, verdict(desk, second, first)) == ("unsure", "different")
    assert judge(hub, "party", str(first), str(second), "different", by="Вера").run_id == 0
    (now,) = judgements(hub, "party")
    assert (now.judgement.by, now.labels) == ("Борис", ("Клиент 0", "Клиент 1"))
    assert len(judgements(hub, "party", str(second), every=True)) == 2
    assert judgements(hub, "party", str(second + 1)) == []
    revoke(hub, "party", str(second), str(first), by="Вера")
    assert verdict(desk, first, second) is None
    with pytest.raises(NeedsPerson, match="никто ничего не говорил"):
        revoke(hub, "party", str(second), str(first), by="Вера")
    with pytest.raises(NeedsPerson, match="одна запись"):
        judge(hub, "party", str(first), keys[0], "same", by="Вера")
    told = [
        (row["record_id"], row["before"], row["after"])
        for row in desk.two.rows(core.change_log)
        if row["op"] == "judge"
    ]
    assert told[-2:] == [(first, f"different {second}", None), (second, f"different {first}", None)]
    assert [row["mode"] for row in desk.two.rows(core.exchange_run)][-3:] == ["decide"] * 3


def test_it_holds_for_the_card_that_a_record_was_merged_into(desk: Desk) -> None:
    """The second differs from the fourth; merged into the first, the first does too; bulk searches are told as well."""
    _, (first, second, third, fourth) = four(desk)
    judge(desk.two.hub, "party", str(second), str(fourth), "different", by="Анна")
    done = desk.merge(first, second)
    desk.merge(third, first)
    assert verdict(desk, third, fourth) == "different"
    with desk.two.store.read() as conn:
        assert blocked_pairs(conn, "party", [third, fourth]) == {(third, fourth)}
    with pytest.raises(NeedsPerson, match="разные"):
        desk.merge(third, fourth)
    desk.unmerge(done.run_id, cascade=True)
    assert (verdict(desk, first, fourth), verdict(desk, second, fourth)) == (None, "different")


def test_a_part_takes_along_what_was_said_of_the_whole(desk: Desk) -> None:
    """What is said of a merged card holds for both after the undo, and for what is split off."""
    keys, (first, second, third, fourth) = four(desk)
    done = desk.merge(first, second)
    judge(desk.two.hub, "party", str(first), str(fourth), "different", by="Анна")
    desk.unmerge(done.run_id)
    assert [verdict(desk, one, fourth) for one in (first, second, third)] == ["different", "different", None]
    desk.merge(third, first)
    new = desk.split(third, keys[0]).others[0]
    assert [verdict(desk, one, fourth) for one in (new, third)] == ["different", "different"]


def test_the_undo_of_a_merge_against_a_judgement_gives_it_back(desk: Desk) -> None:
    """A person merged what another had called different; undone without a new word, the old one holds again."""
    _, (first, second, *_) = four(desk)
    judge(desk.two.hub, "party", str(first), str(second), "different", by="Анна", note="проверено")
    done = desk.merge(first, second, confirm=True)
    assert verdict(desk, first, second) is None
    desk.unmerge(done.run_id, judge=False)
    (said,) = judgements(desk.two.hub, "party")
    assert (said.judgement.by, said.judgement.note) == ("Анна", "проверено")


def test_without_a_word_the_pair_may_be_merged_again(desk: Desk) -> None:
    """The undo is told to leave no judgement: a rule may try again."""
    _, (first, second, *_) = four(desk)
    desk.unmerge(desk.merge(first, second).run_id, judge=False)
    desk.merge(first, second, mode="auto", rule="name")
    assert desk.row(second)["record_state"] == "merged"
