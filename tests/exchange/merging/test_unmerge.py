"""The undo of merges that stand on each other, splits, and what is left where somebody was faster."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from hub.exchange.merging import log
from hub.exchange.merging import unmerge as undoing
from hub.exchange.pins import pin, unpin
from hub.exchange.undo import undo
from hub.exchange.which import living
from hub.model.errors import NeedsPerson
from hub.store import core
from tests.exchange.merging.desk import COMMENT, CONTACTS, Desk
from tests.exchange.two.systems import CLIENTS, client, phone


def three(desk: Desk) -> tuple[list[str], list[int]]:
    """Three cards of one client: keys in УТ, and numbers."""
    keys = [desk.add("ut", f"Ромашка {at}", **{CONTACTS: [phone(f"+7 495 000000{at}")]}) for at in range(3)]
    desk.night()
    return keys, [desk.record("ut", key) for key in keys]


def test_a_chain_leads_to_its_end_in_one_step(desk: Desk) -> None:
    """The first went into the second, that into the third: both lead to the third at once, and never in a circle."""
    keys, (first, second, third) = three(desk)
    desk.merge(second, first)
    desk.merge(third, second)
    assert {desk.record("ut", key) for key in keys} == {third}
    redirects = {row["from_record_id"]: row["to_record_id"] for row in desk.two.rows(core.redirect)}
    assert redirects == {first: third, second: third}
    with desk.two.store.read() as conn:
        assert {living(conn, number) for number in (first, second, third)} == {third}
    with pytest.raises(NeedsPerson, match=f"№ {third}"):
        desk.merge(first, third)


def test_what_stands_on_a_merge_is_undone_first(desk: Desk) -> None:
    """The first merge of a chain is refused with the number of the later one; in a cascade both go, newest first."""
    keys, (first, second, third) = three(desk)
    before = {number: (desk.row(number)["display_name"], desk.phones(number)) for number in (first, second, third)}
    one = desk.merge(second, first)
    two = desk.merge(third, second)
    with pytest.raises(NeedsPerson, match=f"№ {two.run_id}"):
        desk.unmerge(one.run_id)
    done = desk.unmerge(one.run_id, cascade=True)
    assert done.undone == [two.run_id, one.run_id]
    assert [desk.record("ut", key) for key in keys] == [first, second, third]
    after = {number: (desk.row(number)["display_name"], desk.phones(number)) for number in (first, second, third)}
    assert after == before
    assert desk.two.rows(core.redirect) == []
    assert desk.unmerge(two.run_id).already == done.run_id


def test_an_earlier_merge_beside_a_later_one_is_undone_alone(desk: Desk) -> None:
    """Two went into the third one after the other: the first of them comes out, the other stays."""
    keys, (first, second, third) = three(desk)
    one = desk.merge(third, first)
    desk.merge(third, second)
    desk.unmerge(one.run_id)
    assert [desk.record("ut", key) for key in keys] == [first, third, third]
    assert desk.phones(third) == {"+74950000001", "+74950000002"}


def test_the_later_undone_leaves_the_earlier_as_it_was(desk: Desk) -> None:
    """Only the second merge of a chain is undone: the first still leads to where it led before."""
    keys, (first, second, third) = three(desk)
    desk.merge(second, first)
    desk.unmerge(desk.merge(third, second).run_id)
    assert [desk.record("ut", key) for key in keys] == [second, second, third]
    assert [(r["from_record_id"], r["to_record_id"]) for r in desk.two.rows(core.redirect)] == [(first, second)]


def test_what_stands_beside_is_no_part_of_the_cascade(desk: Desk) -> None:
    """A third was merged into the second before both went on: the cascade of the first merge leaves that one alone."""
    keys, (first, second, third) = three(desk)
    fourth = desk.add("ut", "Ромашка 4")
    desk.night()
    one = desk.merge(second, first)
    desk.merge(second, desk.record("ut", fourth))
    last = desk.merge(third, second)
    assert desk.unmerge(one.run_id, cascade=True).undone == [last.run_id, one.run_id]
    assert [desk.record("ut", key) for key in (*keys, fourth)] == [first, second, third, second]


def test_one_of_several_losers_comes_back(desk: Desk) -> None:
    """Two went into one in a single run; by its number one of them comes out, and later the rest of the run."""
    keys, (first, second, third) = three(desk)
    done = desk.merge(third, first, second)
    undoing.unmerge(desk.two.hub, undoing.of_record(desk.two.hub, "party", str(first), by="Борис"))
    assert [desk.record("ut", key) for key in keys] == [first, third, third]
    assert desk.unmerge(done.run_id).already is None
    assert [desk.record("ut", key) for key in keys] == [first, second, third]
    with desk.two.store.read() as conn:
        assert log.entries(conn, run_id=done.run_id, standing=True) == []


def test_what_is_no_merge_is_said(desk: Desk) -> None:
    """A run that merged nothing, a record that others were merged into, and one that never was."""
    _, (first, second, third) = three(desk)
    hub = desk.two.hub
    done = desk.merge(second, first)
    with pytest.raises(NeedsPerson, match="ничего не объединял"):
        undoing.of_run(hub, 1, by="Борис")
    with pytest.raises(NeedsPerson, match=f"запуски № {done.run_id}"):
        undoing.of_record(hub, "party", str(second), by="Борис")
    with pytest.raises(NeedsPerson, match="не объединяли"):
        undoing.of_record(hub, "party", str(third), by="Борис")


def test_a_split_stands_on_the_merge_before_it(desk: Desk) -> None:
    """A merged record was split off again: the merge cannot be undone past that, in a cascade all is as at first."""
    keys, (first, second, _) = three(desk)
    one = desk.merge(second, first)
    two = desk.split(second, keys[0])
    with pytest.raises(NeedsPerson, match=f"№ {two.run_id}"):
        desk.unmerge(one.run_id)
    desk.unmerge(one.run_id, cascade=True)
    assert [desk.record("ut", key) for key in keys[:2]] == [first, second]
    assert desk.phones(first) == {"+74950000000"}
    desk.night()
    desk.quiet()


def test_a_link_that_somebody_else_moved_stays_there(desk: Desk) -> None:
    """An undo of a night took the only record away: there is nothing to give back, and that is said."""
    one, other, first, second = desk.pair()
    done = desk.merge(first, second)
    where = core.link.c.external_id == other
    with desk.two.store.begin() as conn:
        conn.execute(update(core.link).where(where).values(record_id=second + 100))
    with pytest.raises(NeedsPerson, match="с тех пор перенесли"):
        desk.unmerge(done.run_id)
    assert desk.record("ut", one) == first


def test_a_client_that_came_since_stays_and_is_told(desk: Desk) -> None:
    """A third system's record found the merged card by its ИНН: the undo leaves it there and says so."""
    one = desk.two.put("ut", client("ООО Ромашка"))
    twin = desk.add("ut", "Ромашка")
    desk.night()
    first, second = desk.record("ut", one), desk.record("ut", twin)
    done = desk.merge(first, second)
    late = desk.two.put("ut2", client("Ромашка, ООО"))
    desk.night()
    assert desk.record("ut2", late) == first
    back = desk.unmerge(done.run_id)
    assert [(stay.reason, stay.what) for stay in back.stays] == [("link_new", late)]
    assert desk.record("ut2", late) == first


def test_a_pin_that_was_taken_back_meanwhile_does_not_return(desk: Desk) -> None:
    """The loser's pin went along, and a person took it back on the merged card: the undo says so."""
    _, (first, second, _) = three(desk)
    pin(desk.two.hub, "party", str(second), "segment", "опт", by="Анна")
    done = desk.merge(first, second)
    unpin(desk.two.hub, "party", str(first), "segment", by="Борис")
    back = desk.unmerge(done.run_id)
    assert [(stay.reason, stay.what) for stay in back.stays] == [("pin_gone", "segment")]
    assert (desk.row(first)["segment"], desk.row(second)["segment"]) == (None, None)


def test_a_split_leaves_what_we_made_able_to_speak(desk: Desk) -> None:
    """We made the client in the other system; its own base's record is split off: what we made says what it shows."""
    for code in ("ut.party", "ut2.party"):
        desk.rule(code, create="always", create_in="counterparty")
    one = desk.add("ut", "ООО Ромашка", **{COMMENT: "из УТ"})
    desk.night()
    desk.night()
    first = desk.record("ut", one)
    (made,) = set(desk.links(first)) - {one}
    desk.split(first, one)
    assert desk.row(first)["legal_name"] == desk.row(desk.record("ut", one))["legal_name"] == "ООО Ромашка"
    assert desk.shows("ut2", made) == desk.row(first)["comment"] == "из УТ"
    desk.night()
    named = [row["Description"] for row in desk.two.bases["ut2"].records[CLIENTS].values()]
    assert named.count("ООО Ромашка") == 2, "what was split off is made there anew"


def test_the_undo_of_a_split_is_undone_too(desk: Desk) -> None:
    """``obmen undo`` of a split joins, of that it splits again."""
    keys, (first, second, _) = three(desk)
    desk.merge(second, first)
    done = desk.split(second, keys[0])
    back = undo(desk.two.hub, done.run_id, by="Борис")
    assert desk.record("ut", keys[0]) == second
    undo(desk.two.hub, back.run_id, by="Борис")
    assert desk.record("ut", keys[0]) not in (first, second)
    assert desk.phones(desk.record("ut", keys[0])) == {"+74950000000"}
