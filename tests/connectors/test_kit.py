"""The members of the house that are certified: in memory, recorded, and 1C over OData on the stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import Connector
from connectors.memory import MemoryBase, MemoryConnector
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.onec_odata.recorded import RecordedOneC
from stand.onec.generate.build import NODE, build
from stand.onec.server import OneCStand
from stand.onec.wire import Request
from tests.connectors.conftest import EAGER
from tests.connectors.kit import Changing, ChangingKit, ConnectorKit, Known, Subject
from tests.connectors.recordings import FEEDS, METADATA, needed

ORDERS, CLIENTS, STOCK = "Document_ЗаказКлиента", "Catalog_Контрагенты", "AccumulationRegister_СвободныеОстатки"
PLAN = "ExchangePlan_ДляODATA"


class Memory(Changing):
    """Forty clients, sixty orders over twenty days, five balances."""

    node = "хаб"

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
        self.catalog = Known(CLIENTS, ("Description", "DataVersion"), frozenset(f"c{n:03d}" for n in range(40)))
        self.dated = Known(
            ORDERS, ("Date", "Сумма", "Товары"), frozenset(f"o{n:03d}" for n in range(60)),
            date_field="Date", total_field="Сумма",
        )  # fmt: skip
        stock = frozenset(f"t{n}|s" for n in range(5))
        self.virtual = Known(STOCK, ("Остаток",), stock, ("Товар", "Склад"), table="balance")

    def open(self) -> Connector:
        """Another connector to the same base."""
        return MemoryConnector(self.base)

    def edit(self, stream: str, key: str) -> None:
        """Rename."""
        self.base.put(stream, {**self.base.records[stream][key,], "Description": "Другое имя"})

    def delete(self, stream: str, key: str) -> None:
        """Delete."""
        self.base.delete(stream, key)


class Recorded(Subject):
    """What three recorded change feeds of a real base brought."""

    def __init__(self) -> None:
        records = RecordedOneC(METADATA, FEEDS).base.records
        own = {name: frozenset(key[0] for key in found) for name, found in records.items()}
        self.catalog = Known(CLIENTS, ("Description", "ИНН", "DataVersion"), own[CLIENTS])
        self.dated = Known(
            ORDERS, ("Date", "СуммаДокумента", "Товары"), own[ORDERS], date_field="Date", total_field="СуммаДокумента"
        )
        register = "AccumulationRegister_ЗаказыКлиентов"
        self.virtual = Known(register, ("ЗаказаноBalance",), frozenset(), ("Номенклатура_Key",), table="balance")

    def open(self) -> Connector:
        """The recording from its beginning."""
        return RecordedOneC(METADATA, FEEDS)


class OnStand(Changing):
    """A small trade base served over OData by the stand."""

    node = f"{PLAN}(guid'{NODE}')"

    def __init__(self, stand: OneCStand) -> None:
        self.stand = stand
        self.opened: list[OneC] = []
        world = stand.world
        clients = frozenset(str(record["Ref_Key"]) for record in world.records(CLIENTS))
        orders = frozenset(str(record["Ref_Key"]) for record in world.records(ORDERS))
        self.catalog = Known(CLIENTS, ("Description", "DataVersion", "КонтактнаяИнформация"), clients)
        self.dated = Known(
            ORDERS, ("Date", "СуммаДокумента", "Товары"), orders, date_field="Date", total_field="СуммаДокумента"
        )
        key = ("Номенклатура_Key", "Характеристика_Key", "Склад_Key")
        found = stand.engine.handle(Request("GET", f"{STOCK}/Balance()", "$format=json", {}, b""))
        stock = frozenset("|".join(row[name] for name in key) for row in json.loads(found.body)["value"])
        assert stock
        self.virtual = Known(STOCK, ("ВНаличииBalance",), stock, key, table="balance")

    def open(self, **settings: Any) -> Connector:
        """A connector with the login that the stand asks for."""
        given = {"user": "Обмен", "password": "Пароль-7%", "patience": EAGER, "timeout": 20.0, **settings}
        self.opened.append(OneC(OneCSettings("ut", self.stand.url, **given)))
        return self.opened[-1]

    def edit(self, stream: str, key: str) -> None:
        """Rename, as a user of 1C would."""
        self.stand.world.edit(stream, key, {"Description": "Другое имя"})

    def delete(self, stream: str, key: str) -> None:
        """Delete physically."""
        self.stand.world.delete(stream, key)


class TestMemory(ChangingKit):
    """The in-memory connector."""

    @pytest.fixture
    def subject(self) -> Memory:
        """A base of this test."""
        return Memory()


@needed
class TestRecorded(ConnectorKit):
    """The recorded base."""

    @pytest.fixture
    def subject(self) -> Recorded:
        """The recording."""
        return Recorded()


class TestOneCOnTheStand(ChangingKit):
    """1C over OData."""

    @pytest.fixture
    def subject(self) -> Iterator[OnStand]:
        """A stand of this test."""
        world = build(2, clients=20, products=30, orders=60)
        with OneCStand(world, user="Обмен", password="Пароль-7%") as stand:
            found = OnStand(stand)
            yield found
            for connector in found.opened:
                connector.close()
