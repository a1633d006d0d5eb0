"""A whole exchange of a base with a site, step by step as 1C does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stand.onec.calling import Failed
from stand.onec.commerceml import catalog, orders
from stand.onec.commerceml.site import Site
from stand.onec.enterprise.trees import BadXml
from stand.onec.world import World


@dataclass(slots=True)
class Report:
    """``sent``: names of files the site took in. ``progress``: how often it asked for patience. ``orders``: keys."""

    sent: list[str] = field(default_factory=list)
    progress: int = 0
    orders: list[str] = field(default_factory=list)


def send_catalog(world: World, site: Site, only: Iterable[str] | None = None) -> Report:
    """Goods, prices and stock to the site. ``only``: keys of products that changed. ``Failed``: the site refused."""
    report = Report()
    site.begin("catalog")
    files = catalog.files(world, site.terms.version, only)
    site.send("catalog", files)
    for name, _ in files:
        report.progress += site.apply("catalog", name)
        report.sent.append(name)
    if catalog.is_three(site.terms.version):
        site.tell("catalog", "complete")
    return report


def exchange_orders(world: World, site: Site) -> Report:
    """Orders from the site, then what became of them back.

    The site is told ``success`` after its orders are written and not before: if that word is lost they come again.
    ``Failed``: the site refused, or its orders cannot be read.
    """
    report = Report()
    site.begin("sale")
    answer = site.query()
    try:
        report.orders = orders.load(world, answer)
    except (BadXml, ValueError) as error:
        raise Failed(f"query: {error}") from None
    site.tell("sale", "success")
    site.send("sale", [("orders.xml", orders.statuses(world, site.terms.version))])
    report.progress = site.apply("sale", "orders.xml")
    report.sent.append("orders.xml")
    return report
