"""Another service than Mailman, which is everywhere: the same hub, the same rules, nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.store import core
from hub.store.database import Store
from tests.connectors.mailing.in_memory import MemoryService, on_memory
from tests.connectors.mailing.world import Firm, email, make_firm


@pytest.fixture
def service() -> MemoryService:
    """A service without lists."""
    return MemoryService()


@pytest.fixture
def firm(store: Store, tmp_path: Path, profiles: Path, service: MemoryService, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm with one list on it."""
    list_id = service.new_list()
    return make_firm(store, tmp_path, service, on_memory(service, monkeypatch, list_id), list_id)


def test_what_the_hub_makes_for_one_system_alone_is_confirmed(firm: Firm, service: MemoryService) -> None:
    """A record of the hub's own, in the only system that has it: made, read back, settled, and quiet from then on."""
    anna = email()
    firm.client("Анна", anna)
    assert firm.sent(firm.night()) == {"confirmed": 1}
    assert firm.sent(firm.night()) == {}
    assert (service.asked, firm.members, firm.known()) == ([anna], {anna}, {anna: "subscribed"})
    assert {row["state"] for row in firm.rows(core.link) if "|" in row["external_id"]} == {"active"}
    assert firm.rows(core.outbox) == []


def test_unsubscribe_wins_at_any_service(firm: Firm, service: MemoryService) -> None:
    """Who leaves has left, through edits and a lost place; what was subscribed by himself is never asked for."""
    anna, himself = email(), email()
    service.subscribe(firm.list_id, himself)
    service.asked.clear()
    firm.client("Анна", anna)
    firm.client("Сам", himself)
    firm.night()
    service.unsubscribe(firm.list_id, anna)
    firm.night()
    firm.client("Анна", anna, segment="Опт")
    firm.night()
    with firm.store.begin() as conn:
        conn.execute(core.cursor.delete())
    firm.client("Анна", anna)
    firm.night()
    firm.night()
    assert (service.asked, firm.members) == ([anna], {himself})
    assert firm.known() == {anna: "unsubscribed", himself: "subscribed"}


def test_consent_that_is_taken_back_ends_it_at_any_service(firm: Firm, service: MemoryService) -> None:
    """The hub's own later word is sent; given again, it subscribes nobody."""
    anna = email()
    firm.client("Анна", anna)
    firm.night()
    firm.client("Анна", anna, consent=False)
    assert firm.sent(firm.night()) == {"confirmed": 1}
    firm.client("Анна", anna)
    firm.night()
    assert (service.asked, firm.members, firm.known()) == ([anna], set(), {anna: "unsubscribed"})
