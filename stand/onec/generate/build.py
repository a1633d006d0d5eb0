"""Puts one base together."""

from __future__ import annotations

import gc
from datetime import date, datetime, time

from stand.onec.configurations import CONFIGURATIONS, UT
from stand.onec.generate.catalogs import Base, make_catalogs
from stand.onec.generate.flows import make_flows
from stand.onec.generate.goods import make_goods
from stand.onec.generate.kinds import make_kinds
from stand.onec.generate.luck import Luck
from stand.onec.generate.orders import make_orders
from stand.onec.generate.parties import make_parties
from stand.onec.generate.tasks import make_tasks
from stand.onec.world import FIRST_VERSION, World

#: The last day of the base unless told otherwise; fixed, so that a seed means one base.
TODAY = date(2026, 11, 13)
NODE = "6f9619ff-8b86-11e9-b42d-00cf4fc964ff"
THIS_NODE = "6f9619fe-8b86-11e9-b42d-00cf4fc964ff"
_PLAN = "ExchangePlan_ДляODATA"
_CODES = {"ut": "УТ", "unf": "НФ", "bp": "БП"}


def build(
    seed: int = 1,
    clients: int = 3000,
    products: int = 2000,
    orders: int = 20000,
    today: date = TODAY,
    configuration: str = "ut",
) -> World:
    """A base of that size and configuration (``ut``, ``unf`` or ``bp``).

    Equal arguments give equal bases; the sizes are exact, the rest follows from them. The same seed is the same
    business in every configuration: its clients, goods, documents and payments. ``KeyError``: no such configuration.
    """
    chosen = CONFIGURATIONS[configuration]
    running = gc.isenabled()
    gc.disable()
    try:
        world = _business(seed, clients, products, orders, today)
        if chosen.retell is not None:
            business, world = world, World(chosen)
            chosen.retell(business, world)
        make_kinds(world)
        world.clock = datetime.combine(today, time(20))
        _nodes(world)
        return world
    finally:
        if running:
            gc.enable()


def _business(seed: int, clients: int, products: int, orders: int, today: date) -> World:
    """The business as УТ, the richest of the configurations, writes it down."""
    base = Base(World(UT), Luck(seed), today)
    make_catalogs(base)
    people = make_parties(base, clients)
    goods = make_goods(base, products)
    made = make_orders(base, orders, people, goods)
    make_flows(base, made)
    make_tasks(base, seed, people, made)
    return base.world


def _nodes(world: World) -> None:
    code, title = _CODES[world.configuration.name], world.configuration.title
    for key, name, shown in ((THIS_NODE, code, f"{title} (эта база)"), (NODE, "ХАБ", "Узел обмена с хабом")):
        world.put(_PLAN, {"Ref_Key": key, "DataVersion": FIRST_VERSION, "Code": name, "Description": shown})
