"""Three systems of three minds: who may keep its own, and that the proof tells a difference with a reason from none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.exchange.why import why
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.differences import unexplained
from tests.exchange.two.life import INNS, Life, route
from tests.exchange.two.lives import THREE
from tests.exchange.two.systems import CLIENTS


@pytest.fixture
def life(store: Store, tmp_path: Path) -> Iterator[Life]:
    """УТ, a CRM and the accounting, which is the master of requisites; each may write all."""
    with ticking(Clock()) as clock:
        yield Life(store, tmp_path, THREE, {f"{code}.party": route(f"{code}.party") for code in THREE}, clock)


def test_two_losers_of_one_master_keep_what_each_of_them_says(life: Life) -> None:
    """One client, three ИНН: the master's is golden, both others keep theirs, a person is told, `why` says so."""
    keys = {code: life.new_client(code, 0) for code in THREE}
    life.night()
    life.approve()
    life.night()
    life.change("ut", keys["ut"], ИНН=INNS[1])
    life.change("ut2", keys["ut2"], ИНН=INNS[2])
    life.night()
    life.night()
    shows = {code: life.bases[code].records[CLIENTS][key,]["ИНН"] for code, key in keys.items()}
    assert shows == {"ut": INNS[1], "ut2": INNS[2], "bp": INNS[0]}
    cells = {cell.path: cell for cell in why(life.hub, "party", keys["bp"]).cells}
    cell = cells[f"party_identifier[inn,{INNS[0]}]"]
    assert cell.winner is not None
    assert cell.winner.system == "bp"
    assert sorted((one.system, one.reason) for one in cell.shown) == [("ut", "tolerated"), ("ut2", "tolerated")]
    for code, number in (("ut", INNS[1]), ("ut2", INNS[2])):
        (lost,) = cells[f"party_identifier[inn,{number}]"].lost
        assert (lost.system, lost.cleared) == (code, False)
    assert len(life.rows(tables.ROOTS["task"])) >= 2
    assert life.rows(core.outbox) == []
    assert list(unexplained(life, "party")) == []


def test_what_nobody_said_there_is_a_difference_without_a_reason(life: Life) -> None:
    """A base that shows what neither its people nor we wrote, and that the exchange has not seen: the proof tells."""
    keys = {code: life.new_client(code, 0) for code in THREE}
    life.night()
    life.approve()
    life.night()
    assert list(unexplained(life, "party")) == []
    life.change("ut", keys["ut"], ИНН=INNS[1])
    (told,) = {line.partition(":")[0] for line in unexplained(life, "party")}
    assert told == "party 1 in ut party_identifier[inn"
