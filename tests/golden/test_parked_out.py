"""Who is needed first is sent first: orders after their goods, a head after its branch, what waits for what."""

from __future__ import annotations

from hub.exchange.pauses import pause, resume
from hub.exchange.sending import writing
from hub.model.settings import RouteSettings
from hub.store import core
from tests.exchange.two.systems import CLIENTS
from tests.golden.wire import Wire
from tests.golden.world import Builder

MAKES = RouteSettings("ut2.party", write="all", create="always", create_in="counterparty")


def test_the_order_of_sending_follows_the_references(wire: Wire) -> None:
    """Goods are sent before the orders that name them, whatever the settings' order is."""
    sent = [route.code for route in writing(wire.world.hub) if route.system == "ut"]
    assert sent.index("ut.product.push") < sent.index("ut.sales_order.push")
    assert sent.index("ut.party.push") < sent.index("ut.sales_order.push")


def test_an_order_waits_for_its_goods_and_goes_when_they_are_there(wire: Wire) -> None:
    """Writing of goods is paused: the order that names one waits with that reason, and is sent when it is there."""
    pause(wire.world.hub, "ut.product", "инвентаризация", "Склад", until=None, direction="push")
    wire.order()
    for _ in range(2):
        wire.night()
        assert wire.orders() == []
        assert ("create", "waiting", "reference_missing") in wire.world.owed()
    resume(wire.world.hub, "ut.product", direction="push")
    wire.night()
    assert len(wire.orders()) == 1
    assert wire.world.owed() == []
    wire.quiet()


def test_two_clients_that_name_each_other_are_both_made(build_world: Builder) -> None:
    """A head and a branch, each naming the other: one is made without its reference, which is told in a second step."""
    world = build_world({"ut": "ut", "ut2": "ut"}, {"ut2.party": MAKES})
    head = world.desks["ut"].add("ООО Головная", inn="7707083893", kpp="773601001")
    branch = world.desks["ut"].add("ООО Филиал", inn="7707083893", kpp="500101001")
    world.edit("ut", head, ГоловнойКонтрагент_Key=branch)
    world.edit("ut", branch, ГоловнойКонтрагент_Key=head)
    world.night()
    world.night()
    made = {one["Description"]: one for one in world.bases["ut2"].records[CLIENTS].values()}
    assert made["ООО Головная"]["ГоловнойКонтрагент_Key"] == made["ООО Филиал"]["Ref_Key"]
    assert made["ООО Филиал"]["ГоловнойКонтрагент_Key"] == made["ООО Головная"]["Ref_Key"]
    assert len(made) == 2
    assert world.rows(core.outbox) == []
    world.quiet()
