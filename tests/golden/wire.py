"""УТ on the HTTP stand beside the database of the CRM: where it matters what travels on the wire."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.registry import open_connector
from connectors.web import Patience
from hub.exchange.hub import Hub
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import core, tables
from stand.onec.generate.build import build
from stand.onec.generate.identifiers import inn_is_right
from stand.onec.server import OneCStand
from stand.onec.world import rows_of
from tests.exchange.two.systems import CLIENTS, ORDERS
from tests.golden.world import Builder, CrmDesk, World

USER, PASSWORD = "обмен", "секрет-Пароль"
#: What comes from the CRM is made in УТ: orders with the goods they name; clients are there already.
MAKES = {
    "ut.sales_order": RouteSettings("ut.sales_order", write="all", create="always", create_in="sales_order"),
    "ut.product": RouteSettings("ut.product", write="all", create="always", create_in="product"),
    "crm.sales_order": RouteSettings("crm.sales_order", write="all"),
}
ROUTES = ("crm.party", "crm.product", "crm.sales_order", "ut.party", "ut.unit", "ut.vat_rate", "ut.product",
          "ut.sales_order")  # fmt: skip


@dataclass
class Wire:
    """The two systems and the hub between them. ``client``: the key that both know it by; each has its own."""

    world: World
    stand: OneCStand
    crm: CrmDesk
    keys: dict[str, str] = field(default_factory=dict)

    def night(self, *routes: str) -> Any:
        """Everything both systems have that the scenarios are about."""
        return self.world.night(*(routes or ROUTES))

    def quiet(self) -> None:
        """The night again: nothing changes and nothing is written."""
        self.world.quiet(*ROUTES)

    def agree(self) -> None:
        """A person has seen what the two systems say of the client, and lets it go."""
        with self.world.store.begin() as conn:
            held = core.outbox.c.last_error == "first_contact"
            conn.execute(update(core.outbox).where(held).values(state="pending", error_params={"approved": True}))

    def anew(self) -> None:
        """Another process: the hub is opened again, with connectors of its own."""
        self.world.hub = Hub(
            self.world.hub.settings,
            self.world.store,
            lambda system, cache: connect(self.stand) if system.code == "ut" else open_connector(system, cache),
        )

    def later(self) -> None:
        """The next hours are over: what waits for its turn is due."""
        self.world.clock.pass_(hours=30)

    def client(self) -> dict[str, Any]:
        """The client as УТ holds it."""
        return self.of(CLIENTS, self.keys["ut"])

    def of(self, stream: str, key: str) -> dict[str, Any]:
        """A record as УТ holds it."""
        found = self.stand.world.get(stream, key)
        assert found is not None
        return found

    def orders(self) -> list[dict[str, Any]]:
        """Orders of УТ that came from the CRM: by its number."""
        return [one for one in self.stand.world.records(ORDERS) if one.get("НомерПоДаннымКлиента") == "ЦРМ-1"]

    def order(
        self, *, at: str = "2026-11-02 10:00:00", price: str = "33.33", qty: str = "3", amount: str = "99.99"
    ) -> str:
        """Sales enters an order of one product; its key. ``at``: by the clock of the CRM."""
        key = str(uuid.uuid4())
        self.crm.sql("INSERT INTO products (sku, name, updated_at) VALUES ('А-1', 'Кабель', '2026-11-01 10:00:00')")
        self.crm.sql(
            "INSERT INTO orders (id, number, ordered_at, client_id, total, client_number, comment, updated_at)"
            " VALUES (?, 'ЦРМ-1', ?, ?, ?, 'ЦРМ-1', 'срочно', ?)",
            key, at, self.keys["crm"], amount, at,
        )  # fmt: skip
        self.crm.sql(
            "INSERT INTO order_lines (order_id, line_no, product_id, qty, price, amount) VALUES (?, 1, 1, ?, ?, ?)",
            key, qty, price, amount,
        )  # fmt: skip
        return key

    def remark(self, key: str, comment: str) -> None:
        """Sales changes the remark of an order."""
        self.edit(key, comment=comment)

    def edit(self, key: str, **fields: Any) -> None:
        """Sales changes an order."""
        at = self.world.clock.now() + timedelta(hours=3)
        for name, value in {**fields, "updated_at": f"{at:%F %T}"}.items():
            self.crm.sql(f"UPDATE orders SET {name} = ? WHERE id = ?", value, key)

    def edit_line(self, key: str, **fields: Any) -> None:
        """Sales changes the line of an order."""
        for name, value in fields.items():
            self.crm.sql(f"UPDATE order_lines SET {name} = ? WHERE order_id = ?", value, key)
        self.edit(key)

    def golden_lines(self, order: str) -> list[dict[str, Any]]:
        """Lines of an order of УТ as readers see them."""
        lines = tables.CHILDREN["sales_order_line"]
        number = self.world.record("ut", order, ORDERS)
        with self.world.store.read() as conn:
            rows = conn.execute(select(lines).where(lines.c.sales_order_id == number).order_by(lines.c.line_no))
            return [dict(row) for row in rows.mappings()]

    def lines(self, order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Lines of an order of УТ."""
        return list(rows_of(order.get("Товары")))


def connect(stand: OneCStand) -> OneC:
    """A connector that has little patience."""
    settings = OneCSettings("ut", stand.url, USER, PASSWORD, "УТ", timeout=2.0, first_timeout=2.0,
                            patience=Patience(retries=1, first=0.0), timezone="Europe/Moscow")  # fmt: skip
    return OneC(settings, None)


def make_wire(
    stand: OneCStand,
    build_world: Builder,
    routes: Mapping[str, RouteSettings] | None = None,
    zone: str = "Europe/Moscow",
) -> Wire:
    """The first night is over: both know one client, УТ's orders and goods are known. ``zone``: of the CRM."""
    its = SystemSettings("ut", "onec_odata", timezone="Europe/Moscow", profile="onec_ut11", url=stand.url)
    world = build_world(
        {"crm": "crm"}, {**MAKES, **(routes or {})}, more=[(its, connect(stand))], crm={"timezone": zone}
    )
    crm = world.desks["crm"]
    assert isinstance(crm, CrmDesk)
    wire = Wire(world, stand, crm)
    ours = next(one for one in stand.world.records(CLIENTS) if inn_is_right(one["ИНН"]))
    wire.keys = {"ut": ours["Ref_Key"]}
    numbers = [row["НомерТелефона"] for row in rows_of(ours["КонтактнаяИнформация"]) if row["Тип"] == "Телефон"]
    wire.keys["crm"] = crm.add(ours["Description"], inn=ours["ИНН"], kpp=ours["КПП"], phones=numbers,
                               legal_name=ours["НаименованиеПолное"])  # fmt: skip
    wire.night()
    wire.agree()
    wire.night()
    return wire


def small_world() -> Any:
    """A base of few records."""
    return build(seed=1, clients=6, products=5, orders=6)
