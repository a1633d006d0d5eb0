"""Puts one base together."""

from __future__ import annotations

import gc
from datetime import date

from stand.onec.generate.catalogs import Base, make_catalogs
from stand.onec.generate.flows import make_flows
from stand.onec.generate.goods import make_goods
from stand.onec.generate.luck import Luck
from stand.onec.generate.orders import make_orders
from stand.onec.generate.parties import make_parties
from stand.onec.world import World

#: The last day of the base unless told otherwise; fixed, so that a seed means one base.
TODAY = date(2026, 11, 13)
NODE = "6f9619ff-8b86-11e9-b42d-00cf4fc964ff"
THIS_NODE = "6f9619fe-8b86-11e9-b42d-00cf4fc964ff"


def build(seed: int = 1, clients: int = 3000, products: int = 2000, orders: int = 20000, today: date = TODAY) -> World:
    """A base of that size. Equal arguments give equal bases; the sizes are exact, the rest follows from them."""
    running = gc.isenabled()
    gc.disable()
    try:
        base = Base(World(), Luck(seed), today)
        make_catalogs(base)
        people = make_parties(base, clients)
        goods = make_goods(base, products)
        make_flows(base, make_orders(base, orders, people, goods))
        _nodes(base)
        return base.world
    finally:
        if running:
            gc.enable()


def _nodes(base: Base) -> None:
    plan = "ExchangePlan_ДляODATA"
    base.put(plan, Ref_Key=THIS_NODE, Code="УТ", Description="Управление торговлей (эта база)")
    base.put(plan, Ref_Key=NODE, Code="ХАБ", Description="Узел обмена с хабом")
