"""What stands behind the in-memory connector when it is certified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from connectors.base import Connector
from connectors.certify.subject import Bent, Changing, Fault, Faulty, Known, Lost, Writable, Writing
from connectors.memory import MemoryBase, MemoryConnector
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem

ORDERS, CLIENTS, STOCK = "Document_ЗаказКлиента", "Catalog_Контрагенты", "AccumulationRegister_СвободныеОстатки"
TASKS = "Task_ЗадачаИсполнителя"

#: One of each class that a source can be the cause of.
ERRORS: Mapping[str, HubError] = {
    "busy": RetryLater("source_busy", system="ut", status=503),
    "cut": RetryLater("page_cut", system="ut", stream=ORDERS),
    "no_rights": StopRoute("rights_missing", system="ut", stream=ORDERS),
    "no_login": StopSystem("auth_failed", system="ut"),
    "no_proxy": NeedsPerson("proxy_invalid", system="ut"),
}


def _refuses(stream: str, record: Mapping[str, Any]) -> str:
    """The business rules of this base."""
    if stream == CLIENTS and not record.get("Description"):
        return "Наименование не заполнено"
    if stream == ORDERS and record.get("Posted") and not record.get("Сумма"):
        return "Пустой документ не проводится"
    return ""


def writables(marker: str = "") -> list[Writable]:
    """A client, an order with rows that can be posted, and a task that can be executed."""
    client = Writable(
        CLIENTS,
        {"Description": "Новый клиент", "ИНН": "7701234567"},
        {"Description": "Переименованный клиент"},
        marker=marker,
        version="DataVersion",
        bent=(Bent("ИНН", "7701234567, не проверен", "cut"), Bent("НетТакогоПоля", "текст", "dropped")),
        fills=("Статус",),
        refused={"Description": ""},
    )
    rows = [{"Товар": "гайка", "Цена": 1.5}, {"Товар": "болт", "Цена": 2.25}, {"Товар": "шайба", "Цена": 0.1}]
    order = Writable(
        ORDERS,
        {"Date": "2026-02-01T10:00:00", "Сумма": 10.5},
        {"Сумма": 20.25},
        marker=marker,
        version="DataVersion",
        table="Товары",
        rows=(rows, rows[:1]),
        posted="Posted",
        unpostable={"Сумма": 0},
    )
    task = Writable(
        TASKS,
        {"Description": "Позвонить", "Описание": "Напомнить об оплате"},
        {"Описание": "Напомнить о встрече"},
        marker=marker,
        version="DataVersion",
        executed="Executed",
    )
    return [client, order, task]


class InMemory(Changing, Writing, Faulty):
    """Forty clients, sixty orders over twenty days, five balances; writing is cut, filled and refused as in life."""

    node = "хаб"
    losses = ("after", "before")
    faults: ClassVar[Mapping[str, Fault]] = {name: Fault(type(error)) for name, error in ERRORS.items()}

    def __init__(self) -> None:
        base = self.base = MemoryBase("ut")
        text, number = "Edm.String", "Edm.Double"
        own = {"Ref_Key": text, "DataVersion": text, "Комментарий": text}
        base.define(CLIENTS, own | {"Description": text, "ИНН": text, "Статус": text})
        order = own | {"Date": text, "Сумма": number, "Posted": "Edm.Boolean"}
        base.define(ORDERS, order, tables={"Товары": {"Товар": text, "Цена": number}})
        base.define(TASKS, own | {"Description": text, "Описание": text, "Executed": "Edm.Boolean"})
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
        base.habits.cut[CLIENTS, "ИНН"] = 12
        base.habits.defaults[CLIENTS] = {"Статус": "новый"}
        base.habits.rule = _refuses
        self.writables = writables()
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

    def stored(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """As the base holds it."""
        return self.base.records[stream].get((key,))

    def population(self, stream: str) -> int:
        """As the base holds them."""
        return len(self.base.records[stream])

    def lose(self, lost: Lost) -> None:
        """The next write."""
        self.base.lose(lost)

    def fail(self, name: str, times: int = 0) -> None:
        """The next requests raise."""
        self.base.fail(*[ERRORS[name]] * (times or 1000))

    def mend(self) -> None:
        """They do not."""
        self.base._faults.clear()


class WithKeysOfItsOwn(InMemory):
    """The same base when it gives keys of its own instead of those reserved."""

    def __init__(self) -> None:
        super().__init__()
        self.base.habits.own_keys = False
        self.writables = writables(marker="Комментарий")
