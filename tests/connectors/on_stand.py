"""What stands behind the connector of 1C when it is certified: bases served by the stand, with every fault it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from connectors.base import Connector
from connectors.certify.kit import Foundation
from connectors.certify.subject import Bent, Changing, Fault, Faulty, Known, Lost, Writable, Writing
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from hub.model.errors import RetryLater, StopSystem
from stand.onec.generate.build import build
from stand.onec.quirks import MEMORY, ON_WRITES, Quirks
from stand.onec.server import OneCStand
from stand.onec.wire import Request
from stand.onec.world import World, rows_of
from tests.connectors.conftest import EAGER, SECRET

USER, PLAN, NODE = "Обмен", "ДляODATA", "ХАБ"
CLIENTS, TASKS = "Catalog_Контрагенты", "Task_ЗадачаИсполнителя"
WRITING = ("create", "change", "post", "unpost")

#: Faults and traits of the stand by the switch that brings them about, its value, and what is owed.
FAULTS: Mapping[str, tuple[str, Any, Fault]] = {
    "down": ("down", True, Fault(RetryLater, hidden=True)),
    "drop_connection": ("drop_connection", True, Fault(RetryLater, hidden=True)),
    "cut_page_in_half": ("cut_page_in_half", True, Fault(RetryLater, hidden=True, pages_only=True)),
    "error_mid_page": ("error_mid_page", True, Fault(RetryLater, hidden=True)),
    "bad_gateway": ("fail_status", 502, Fault(RetryLater, hidden=True)),
    "server_error": ("fail_status", 500, Fault(RetryLater, hidden=True)),
    "html_instead_of_json": ("html_instead_of_json", True, Fault(RetryLater, hidden=True)),
    "exception_body": ("exception_body", True, Fault(RetryLater, hidden=True)),
    "forbidden": ("fail_status", 403, Fault(StopSystem)),
    "unauthorised": ("fail_status", 401, Fault(StopSystem)),
    "wrong_content_type": ("wrong_content_type", True, Fault(None)),
    "slow": ("slow", 0.02, Fault(None)),
    "locked": ("locked", True, Fault(None)),
    "drop_before_commit": ("drop_before_commit", True, Fault(None)),
    "drop_after_commit": ("drop_after_commit", True, Fault(None)),
    "memory_error_over_rows": ("memory_error_over_rows", 5, Fault(None)),
    "memory_error_over_bytes": ("memory_error_over_bytes", 30_000, Fault(None)),
    "bom": ("bom", True, Fault(None)),
    "count_unusable": ("count_unusable", True, Fault(None)),
    "inlinecount_ignores_top": ("inlinecount_ignores_top", True, Fault(None)),
    "base64_messages": ("base64_messages", True, Fault(None)),
    "if_match_checked": ("if_match_checked", True, Fault(None)),
    "plus_is_blank": ("plus_is_blank", True, Fault(None)),
    "one_session": ("pool_size", 1, Fault(None)),
    "a_session_each": ("reuse_sessions", "dontuse", Fault(None)),
}


def _some(faults: Mapping[str, Fault]) -> Mapping[str, Fault]:
    """One fault of each kind: hidden, told, and one that must not matter."""
    return {name: faults[name] for name in ("cut_page_in_half", "html_instead_of_json", "bom")}


class OnStand(Changing, Writing, Faulty):
    """A small base of УТ."""

    no_node = f"{PLAN}/нет такого"
    losses = ("after", "before")
    faults: ClassVar[Mapping[str, Fault]] = {name: fault for name, (_, _, fault) in FAULTS.items()}
    configuration = "ut"
    orders, table, changed = "Document_ЗаказКлиента", "Товары", "Date"
    #: A field of orders that is free to be written, one that 1C fills, and a field of clients for a marker.
    free, filled, note = "НомерПоДаннымКлиента", "Валюта_Key", "ДополнительнаяИнформация"
    #: A row's product.
    product: ClassVar[Mapping[str, str]] = {"Номенклатура_Key": ""}
    #: A virtual table: its set, its function and our name of that, its key and a field.
    register, function, virtual_table = "AccumulationRegister_СвободныеОстатки", "Balance", "balance"
    register_key: tuple[str, ...] = ("Номенклатура_Key", "Характеристика_Key", "Склад_Key")
    register_field = "ВНаличииBalance"

    def __init__(self) -> None:
        self.world = self.made()
        self.stand = OneCStand(self.world, user=USER, password=SECRET).start()
        clients = self._keys(CLIENTS)
        self.catalog = Known(
            CLIENTS, ("Description", "DataVersion", "КонтактнаяИнформация"), clients, version="DataVersion"
        )
        total = "СуммаДокумента"
        self.dated = Known(
            self.orders,
            ("Date", total, self.table),
            self._keys(self.orders),
            date_field="Date",
            total_field=total,
            changed=self.changed,
        )
        found = self.stand.engine.handle(Request("GET", f"{self.register}/{self.function}()", "$format=json", {}, b""))
        key = self.register_key
        rows = frozenset("|".join(str(row[name]) for name in key) for row in json.loads(found.body)["value"])
        assert rows
        self.virtual = Known(self.register, (self.register_field,), rows, key, table=self.virtual_table)
        self.writables = self.targets()
        self.edits = 0
        self.stand.snapshots.take()

    def made(self) -> World:
        """The base."""
        return build(2, clients=20, products=30, orders=60, configuration=self.configuration)

    def targets(self, *, marked: bool = False) -> list[Writable]:
        """A client, an order and a task; ``marked``: with a marker each."""
        good = min(self._keys("Catalog_Номенклатура"))
        product = {name: value or good for name, value in self.product.items()}
        rows = [{**product, "Количество": n, "Цена": 10.5, "Сумма": n * 10.5} for n in (1, 2, 3)]
        client = Writable(
            CLIENTS,
            {"Description": "ООО Проба", "ИНН": "7701234567"},
            {"Description": "ООО Проба и сын"},
            marker=self.note if marked else "",
            version="DataVersion",
            bent=(Bent("ИНН", "7701234567, не проверен", "cut"), Bent("НетТакогоПоля", "текст", "dropped")),
            refused={"СтранаРегистрации_Key": "не гуид"},
        )
        order = Writable(
            self.orders,
            {"Date": "2026-11-10T10:00:00", self.free: "12"},
            {self.free: "12-А"},
            marker="Комментарий" if marked else "",
            version="DataVersion",
            table=self.table,
            rows=(rows, rows[1:2]),
            bent=(Bent("Number", "слишком длинный номер", "cut"),),
            fills=("Number", self.filled),
            refused={"Date": "не дата"},
            posted="Posted",
            unpostable={"DeletionMark": True},
        )
        task = Writable(
            TASKS,
            {"Description": "Позвонить", "Описание": "Напомнить об оплате"},
            {"Описание": "Напомнить о встрече"},
            marker="РезультатВыполнения" if marked else "",
            version="DataVersion",
            executed="Executed",
        )
        return [client, order, task]

    def connect(self) -> Connector:
        """A connector with the login that the stand asks for."""
        url, plan = self.stand.url, PLAN
        return OneC(OneCSettings("ut", url, USER, SECRET, patience=EAGER, timeout=20.0, exchange_plan=plan, node=NODE))

    def close(self) -> None:
        """End the sessions and put the base back to where it began: one stand serves a class of tests."""
        super().close()
        self.opened.clear()
        self.mend()
        self.stand.snapshots.restore()

    def edit(self, stream: str, key: str) -> None:
        """Rename, as a user of 1C would."""
        self.edits += 1
        self.world.edit(stream, key, {"Description": f"Другое имя {self.edits}"})

    def delete(self, stream: str, key: str) -> None:
        """Delete physically."""
        self.world.delete(stream, key)

    def stored(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """As the base holds it; what is empty there is left out."""
        record = self.world.get(stream, key)
        return record and {name: rows_of(v) if callable(v) else v for name, v in record.items()}

    def population(self, stream: str) -> int:
        """As the base holds them."""
        return len(self.world.tables[stream])

    def lose(self, lost: Lost) -> None:
        """The connection drops before or after the commit."""
        name = "drop_after_commit" if lost == "after" else "drop_before_commit"
        self.stand.quirks.update({name: True, "acts": WRITING, "times": 1})

    def fail(self, name: str, times: int = 0) -> None:
        """Set the switch."""
        switch, value, _ = FAULTS[name]
        only = (CLIENTS, self.orders) if switch in MEMORY else ()
        acts = WRITING if switch in ON_WRITES else ()
        self.stand.quirks.update({switch: value, "times": times, "only": only, "acts": acts})

    def mend(self) -> None:
        """All switches as they were."""
        self.stand.quirks.update(Quirks().state())

    def _keys(self, name: str) -> frozenset[str]:
        return frozenset(str(record["Ref_Key"]) for record in self.world.records(name))


class OnUNF(OnStand):
    """The same business kept in УНФ, which notes when an order was changed."""

    configuration = "unf"
    orders, table, changed = "Document_ЗаказПокупателя", "Запасы", "ДатаИзменения"
    free, filled, note = "НомерВходящегоДокумента", "ВалютаДокумента_Key", "Комментарий"
    product: ClassVar[Mapping[str, str]] = {
        "Номенклатура": "",
        "Номенклатура_Type": "StandardODATA.Catalog_Номенклатура",
    }
    register = "AccumulationRegister_ЗапасыНаСкладах"
    register_key = ("СтруктурнаяЕдиница_Key", "Номенклатура_Key", "Характеристика_Key", "Партия_Key", "Организация_Key")
    register_field = "КоличествоBalance"
    faults: ClassVar[Mapping[str, Fault]] = _some(OnStand.faults)


class OnBP(OnStand):
    """The same business kept in БП, which has invoices instead of orders."""

    configuration = "bp"
    orders, table, changed = "Document_СчетНаОплатуПокупателю", "Товары", "Date"
    free, filled, note = "НазначениеПлатежа", "ВалютаДокумента_Key", "Комментарий"
    product: ClassVar[Mapping[str, str]] = OnUNF.product
    register, function, virtual_table = "InformationRegister_КурсыВалют", "SliceLast", "slice_last"
    register_key = ("Period", "Валюта_Key")
    register_field = "Курс"
    faults: ClassVar[Mapping[str, Fault]] = _some(OnStand.faults)


class OnUNFWithEveryFault(OnUNF):
    """УНФ, and all that can go wrong."""

    faults: ClassVar[Mapping[str, Fault]] = OnStand.faults


class OnBPWithEveryFault(OnBP):
    """БП, and all that can go wrong."""

    faults: ClassVar[Mapping[str, Fault]] = OnStand.faults


class WithKeysOfItsOwn(OnStand):
    """The same base when it ignores the key that a new record is sent with."""

    def __init__(self) -> None:
        super().__init__()
        self.mend()
        self.writables = self.targets(marked=True)

    def mend(self) -> None:
        """All other switches as they were."""
        super().mend()
        self.stand.quirks.own_key_ignored = True


class ServedOnce(Foundation):
    """Tests of one class share a stand: a base is put back faster than it is made and served."""

    subject_type: ClassVar[type[OnStand]]

    @pytest.fixture(scope="class")
    @classmethod
    def served(cls) -> Iterator[OnStand]:
        """The subject with its stand."""
        made = cls.subject_type()
        yield made
        made.stand.stop()

    @pytest.fixture
    def subject(self, served: OnStand) -> Iterator[OnStand]:
        """The source of this test, as it began."""
        yield served
        served.close()
