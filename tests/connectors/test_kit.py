"""The members of the house that are certified: in memory, recorded, and 1C over OData on the stand."""

from __future__ import annotations

import json

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Changing, Known, Subject
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.onec_odata.recorded import RecordedOneC
from stand.onec.generate.build import NODE, build
from stand.onec.server import OneCStand
from stand.onec.wire import Request
from tests.connectors.conftest import EAGER, SECRET
from tests.connectors.in_memory import InMemory, WithKeysOfItsOwn
from tests.connectors.recordings import FEEDS, METADATA, needed

ORDERS, CLIENTS, STOCK = "Document_ЗаказКлиента", "Catalog_Контрагенты", "AccumulationRegister_СвободныеОстатки"
PLAN = "ExchangePlan_ДляODATA"


class Recorded(Subject):
    """What three recorded change feeds of a real base brought."""

    def __init__(self) -> None:
        records = RecordedOneC(METADATA, FEEDS).base.records
        own = {name: frozenset(key[0] for key in found) for name, found in records.items()}
        self.catalog = Known(CLIENTS, ("Description", "ИНН", "DataVersion"), own[CLIENTS], version="DataVersion")
        fields = ("Date", "СуммаДокумента", "Товары")
        self.dated = Known(ORDERS, fields, own[ORDERS], date_field="Date", total_field="СуммаДокумента", changed="Date")
        register = "AccumulationRegister_ЗаказыКлиентов"
        self.virtual = Known(register, ("ЗаказаноBalance",), frozenset(), ("Номенклатура_Key",), table="balance")

    def connect(self) -> Connector:
        """The recording from its beginning."""
        return RecordedOneC(METADATA, FEEDS)


class OnStand(Changing):
    """A small trade base served over OData by the stand."""

    node = f"{PLAN}(guid'{NODE}')"
    no_node = f"{PLAN}/нет такого"

    def __init__(self) -> None:
        world = build(2, clients=20, products=30, orders=60)
        self.stand = OneCStand(world, user="Обмен", password=SECRET).start()
        clients = frozenset(str(record["Ref_Key"]) for record in world.records(CLIENTS))
        orders = frozenset(str(record["Ref_Key"]) for record in world.records(ORDERS))
        fields = ("Description", "DataVersion", "КонтактнаяИнформация")
        self.catalog = Known(CLIENTS, fields, clients, version="DataVersion")
        self.dated = Known(
            ORDERS, ("Date", "СуммаДокумента", "Товары"), orders, date_field="Date", total_field="СуммаДокумента"
        )
        key = ("Номенклатура_Key", "Характеристика_Key", "Склад_Key")
        found = self.stand.engine.handle(Request("GET", f"{STOCK}/Balance()", "$format=json", {}, b""))
        stock = frozenset("|".join(row[name] for name in key) for row in json.loads(found.body)["value"])
        assert stock
        self.virtual = Known(STOCK, ("ВНаличииBalance",), stock, key, table="balance")
        self.edits = 0

    def connect(self) -> Connector:
        """A connector with the login that the stand asks for."""
        return OneC(OneCSettings("ut", self.stand.url, "Обмен", SECRET, patience=EAGER, timeout=20.0))

    def close(self) -> None:
        """End the sessions, then the stand."""
        super().close()
        self.stand.stop()

    def edit(self, stream: str, key: str) -> None:
        """Rename, as a user of 1C would."""
        self.edits += 1
        self.stand.world.edit(stream, key, {"Description": f"Другое имя {self.edits}"})

    def delete(self, stream: str, key: str) -> None:
        """Delete physically."""
        self.stand.world.delete(stream, key)


class TestMemory(Kit):
    """The in-memory connector."""

    subject_type = InMemory


class TestMemoryWithKeysOfItsOwn(Kit):
    """The same connector where a record gets another key than the one reserved."""

    subject_type = WithKeysOfItsOwn


@needed
class TestRecorded(Kit):
    """The recorded base."""

    subject_type = Recorded


class TestOneCOnTheStand(Kit):
    """1C over OData."""

    subject_type = OnStand
