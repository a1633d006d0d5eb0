"""The replay that `why` is held against at the end of a life: that it sees what is wrong, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.model.settings import PolicySettings
from hub.store import core
from hub.store.database import Store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.life import Life, route
from tests.exchange.two.lives import THREE
from tests.exchange.two.recorded import Forgotten, Look, Said, history, recording
from tests.exchange.two.why_proof import assert_why

COMMENT = "ДополнительнаяИнформация"


@pytest.fixture
def life(store: Store, tmp_path: Path) -> Iterator[Life]:
    """Three systems with one client that all know, recorded from the beginning."""
    latest = {"comment": PolicySettings(policy="latest", order=("ut", "ut2", "bp"), on_loss="keep")}
    routes = {f"{code}.party": route(f"{code}.party", policies=latest if code == "ut" else {}) for code in THREE}
    with ticking(Clock()) as clock, recording(store):
        life = Life(store, tmp_path, THREE, routes, clock)
        for code in THREE:
            life.new_client(code, 0)
        life.night()
        life.approve()
        life.night()
        yield life


def key(life: Life, system: str) -> str:
    return life.keys(system)[0]


def test_a_history_of_everything_is_told_by_why(life: Life) -> None:
    """Edits, one that loses, a clearing, a pin that ends, phones: each cell as the replay has it, night by night."""
    record = life.record("ut", key(life, "ut"))
    assert record is not None
    life.edit("ut", key(life, "ut"), COMMENT, life.text())
    life.edit("ut2", key(life, "ut2"), COMMENT, life.text())
    life.night()
    assert assert_why(life) > 5
    life.edit("bp", key(life, "bp"), COMMENT, "")
    life.pin("party", record, "comment", life.text())
    life.night()
    assert_why(life)
    life.pin("party", record, "comment", None)
    life.edit("ut2", key(life, "ut2"), "НаименованиеПолное", life.text())
    life.night()
    assert_why(life)
    kinds = {type(one) for one in history(life.store)}
    assert kinds == {Look, Forgotten, Said}


@pytest.mark.parametrize("what", ["another word", "an earlier word", "a word less"])
def test_a_word_that_was_not_said_so_is_found(life: Life, what: str) -> None:
    """Somebody has tampered with what is stored of a system: `why` tells another story than the history does."""
    life.edit("ut", key(life, "ut"), COMMENT, life.text())
    life.night()
    life.edit("ut2", key(life, "ut2"), COMMENT, life.text())
    life.night()
    assert_why(life)
    link = next(row for row in life.rows(core.link) if row["external_id"] == key(life, "ut2"))
    (row,) = life.rows(core.contribution, core.contribution.c.link_id == link["id"])
    own = dict(row["own"])
    if what == "another word":
        own["comment"] = {**own["comment"], "v": "т9999х"}
    elif what == "an earlier word":
        own["comment"] = {**own["comment"], "t": [0, 1]}
    else:
        own[""] = [*own[""], "comment"]
        del own["comment"]
    with life.store.begin() as conn:
        conn.execute(update(core.contribution).where(core.contribution.c.link_id == link["id"]).values(own=own))
    with pytest.raises(AssertionError, match="why"):
        assert_why(life)


def test_what_is_rolled_back_was_never_written_down(life: Life) -> None:
    """The process dies in the middle of a night: the history is what was committed, and `why` agrees with it."""
    for step in (3, 9, 15, 21, 27):
        life.edit("ut", key(life, "ut"), COMMENT, life.text())
        life.night(dies_at=step)
        assert assert_why(life)
    assert life.night()
    assert assert_why(life)
