"""What stands behind the in-memory connector when it is certified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from connectors.base import Connector
from connectors.certify.subject import Changing, Fault, Faulty, Known
from connectors.memory import MemoryBase, MemoryConnector
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem

ORDERS, CLIENTS, STOCK = "Document_ЗаказКлиента", "Catalog_Контрагенты", "AccumulationRegister_СвободныеОстатки"

#: One of each class that a source can be the cause of.
ERRORS: Mapping[str, HubError] = {
    "busy": RetryLater("source_busy", system="ut", status=503),
    "cut": RetryLater("page_cut", system="ut", stream=ORDERS),
    "no_rights": StopRoute("rights_missing", system="ut", stream=ORDERS),
    "no_login": StopSystem("auth_failed", system="ut"),
    "no_proxy": NeedsPerson("proxy_invalid", system="ut"),
}


class InMemory(Changing, Faulty):
    """Forty clients, sixty orders over twenty days, five balances."""

    node = "хаб"
    faults: ClassVar[Mapping[str, Fault]] = {name: Fault(type(error)) for name, error in ERRORS.items()}

    def __init__(self) -> None:
        base = self.base = MemoryBase("ut")
        text, number = "Edm.String", "Edm.Double"
        base.define(CLIENTS, {"Ref_Key": text, "DataVersion": text, "Description": text})
        base.define(ORDERS, {"Ref_Key": text, "Date": text, "Сумма": number}, tables={"Товары": {"Цена": number}})
        base.define(f"{STOCK}#balance", {"Товар": text, "Склад": text, "Остаток": number}, ("Товар", "Склад"))
        for n in range(40):
            base.put(CLIENTS, {"Ref_Key": f"c{n:03d}", "Description": f"Клиент {n}"})
        for n in range(60):
            day = date(2026, 1, 1) + timedelta(days=n // 3)
            total = n * 100.01
            base.put(ORDERS, {"Ref_Key": f"o{n:03d}", "Date": f"{day}T12:00:00", "Сумма": total, "Товары": []})
        for n in range(5):
            base.put(f"{STOCK}#balance", {"Товар": f"t{n}", "Склад": "s", "Остаток": n})
        base.subscribe(self.node)
        clients = frozenset(f"c{n:03d}" for n in range(40))
        orders = frozenset(f"o{n:03d}" for n in range(60))
        stock = frozenset(f"t{n}|s" for n in range(5))
        self.catalog = Known(CLIENTS, ("Description", "DataVersion"), clients, version="DataVersion")
        self.dated = Known(
            ORDERS, ("Date", "Сумма", "Товары"), orders, date_field="Date", total_field="Сумма", changed="Date"
        )
        self.virtual = Known(STOCK, ("Остаток",), stock, ("Товар", "Склад"), table="balance")
        self.edits = 0

    def connect(self) -> Connector:
        """Another connector to the same base."""
        return MemoryConnector(self.base)

    def edit(self, stream: str, key: str) -> None:
        """Rename."""
        self.edits += 1
        self.base.put(stream, {**self.base.records[stream][key,], "Description": f"Другое имя {self.edits}"})

    def delete(self, stream: str, key: str) -> None:
        """Delete."""
        self.base.delete(stream, key)

    def fail(self, name: str, times: int = 0) -> None:
        """The next requests raise."""
        self.base.fail(*[ERRORS[name]] * (times or 1000))

    def mend(self) -> None:
        """They do not."""
        self.base._faults.clear()
