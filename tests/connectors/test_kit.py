"""The members of the house that are certified: in memory, recorded, and 1C over OData on the stand."""

from __future__ import annotations

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.points.readback import ReadBack
from connectors.certify.subject import Known, Subject
from connectors.onec_odata.recorded import RecordedOneC
from tests.connectors import on_stand
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


class TestOneCOnTheStand(on_stand.ServedOnce, Kit):
    """1C over OData: a base of УТ."""

    subject_type = on_stand.OnStand


class TestOneCWithKeysOfItsOwn(on_stand.ServedOnce, ReadBack):
    """1C that ignores the key which a new record is sent with."""

    subject_type = on_stand.WithKeysOfItsOwn
