"""Records that one system makes of what another has."""

from __future__ import annotations

from pathlib import Path

from hub.model.settings import RouteSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.systems import CLIENTS, bare, client, make_two


def test_a_record_that_is_yet_to_be_made_is_not_missed_by_a_sweep(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """A client of УТ is reserved in the other base, whose keys are compared in the same run: it is made, not gone."""
    routes = {"ut2.party": RouteSettings("ut2.party", write="all", create="always", create_in="counterparty")}
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    two = make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})
    two.exchange("ut.party", "ut2.party")
    two.put("ut", client("ООО Ромашка"))
    two.exchange("ut.party", "ut2.party")
    names = [record.get("НаименованиеПолное") for record in bases["ut2"].records[CLIENTS].values()]
    assert names.count("ООО Ромашка") == 1
    assert two.rows(core.outbox) == []
