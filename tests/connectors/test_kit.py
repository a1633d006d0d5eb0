"""The members of the house that are certified: in memory, recorded, and 1C over OData on the stand."""

from __future__ import annotations

import pytest

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.points.faults import Faults
from connectors.certify.points.readback import ReadBack
from connectors.certify.subject import Known, Subject
from connectors.onec_odata.recorded import RecordedOneC
from stand.onec.quirks import FAULTS, MEMORY
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


class TestOneCUNF(on_stand.ServedOnce, Kit):
    """1C over OData: a base of УНФ."""

    subject_type = on_stand.OnUNF


class TestOneCBP(on_stand.ServedOnce, Kit):
    """1C over OData: a base of БП."""

    subject_type = on_stand.OnBP


@pytest.mark.slow
class TestOneCUNFWithEveryFault(on_stand.ServedOnce, Faults):
    """УНФ under each fault of the stand; УТ is so in the kit above."""

    subject_type = on_stand.OnUNFWithEveryFault


@pytest.mark.slow
class TestOneCBPWithEveryFault(on_stand.ServedOnce, Faults):
    """БП under each fault of the stand."""

    subject_type = on_stand.OnBPWithEveryFault


class TestOneCWithKeysOfItsOwn(on_stand.ServedOnce, ReadBack):
    """1C that ignores the key which a new record is sent with."""

    subject_type = on_stand.WithKeysOfItsOwn


def test_every_fault_of_the_stand_is_certified() -> None:
    """A fault that the stand learns is one that 1C must be certified under."""
    assert {switch for switch, _, _ in on_stand.FAULTS.values()} >= {*FAULTS, *MEMORY}
