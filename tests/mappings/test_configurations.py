"""Telling the typical configurations apart by what a base publishes."""

from __future__ import annotations

import pytest

from connectors.base import StreamInfo
from mappings.configurations import Recognised, families, recognise, tree_name
from mappings.profile import read_profile
from tests.mappings.build import ONEC

UT = ["Catalog_Контрагенты", "Catalog_Номенклатура", "Catalog_Партнеры", "Document_ЗаказКлиента"]
BOOKS = ["AccountingRegister_Хозрасчетный", "ChartOfAccounts_Хозрасчетный"]
UNF = ["Catalog_Контрагенты", "Catalog_Номенклатура", "Document_ЗаказПокупателя", "Document_РасходнаяНакладная"]
BP = ["Catalog_Контрагенты", "Catalog_Номенклатура", "Document_СчетНаОплатуПокупателю", *BOOKS]


def base(*names: str) -> dict[str, StreamInfo]:
    """A base that publishes these sets; ``Set.Field`` gives a set a field."""
    streams: dict[str, StreamInfo] = {}
    for name in names:
        stream, _, field = name.partition(".")
        info = streams.setdefault(stream, StreamInfo(stream, {"Ref_Key": "Edm.Guid"}))
        if field:
            info.fields[field] = "Edm.String"
    return streams


def known(*names: str) -> Recognised:
    """The configuration, which must be one."""
    found = recognise(base(*names))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("names", "profile", "title"),
    [
        (UT, "onec_ut11", "1С:Управление торговлей 11"),
        ([*UT, *BOOKS], "onec_ut11", "1С:Комплексная автоматизация 2 (или ERP 2)"),
        ([*UT, *BOOKS, "Document_ЭтапПроизводства2_2"], "onec_ut11", "1С:ERP Управление предприятием 2"),
        (UNF, "onec_unf", "1С:Управление нашей фирмой"),
        ([*UNF, "Document_РеализацияТоваровУслуг"], "onec_unf", "1С:Управление нашей фирмой"),
        (BP, "onec_bp3", "1С:Бухгалтерия предприятия 3.0"),
        (["Catalog_Контрагенты", BOOKS[0]], "onec_bp3", "1С:Бухгалтерия предприятия 3.0"),
        (["Catalog_Контрагенты.Партнер_Key"], "onec_ut11", "1С:Управление торговлей 11"),
        (["Catalog_Контрагенты.ВидКонтрагента"], "onec_unf", "1С:Управление нашей фирмой"),
        (["Catalog_Контрагенты.ЮридическоеФизическоеЛицо"], "onec_bp3", "1С:Бухгалтерия предприятия 3.0"),
    ],
)
def test_each_is_known_by_what_only_it_has(names: list[str], profile: str, title: str) -> None:
    """However little is published: an object of its own decides, and bookkeeping makes no Trade an Accounting."""
    found = known(*names)
    assert (found.profile, found.titles["ru"]) == (profile, title)


def test_what_all_have_is_no_sign() -> None:
    """A base of common catalogues is guessed by how much of a profile it publishes, and says that it is a guess."""
    found = known("Catalog_Контрагенты", "Catalog_Организации", "Catalog_Валюты")
    assert found.signs == ()
    assert found.matched == 3


def test_a_base_of_another_kind() -> None:
    """Nothing of ours is published: no configuration, unless the admin names one."""
    assert recognise(base("Catalog_Чужой")) is None
    asked = recognise(base("Catalog_Чужой"), "onec_bp3")
    assert asked is not None
    assert (asked.profile, asked.matched) == ("onec_bp3", 0)


def test_every_profile_has_its_signs_and_none_is_shared() -> None:
    """Families are the shipped profiles; a sign of one is nothing that another one reads or counts as its own."""
    assert sorted(family.profile for family in families()) == sorted(ONEC)
    for family in families():
        assert family.only
        for other in families():
            if other is not family:
                assert not set(family.only) & set(other.only)
                read = {spec.stream for spec in read_profile(other.profile)}
                assert not set(family.only) & read, (family.profile, other.profile)


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("Catalog_Контрагенты", "Справочник.Контрагенты"),
        ("Document_ЗаказКлиента", "Документ.ЗаказКлиента"),
        ("InformationRegister_ЦеныНоменклатуры_RecordType", "РегистрСведений.ЦеныНоменклатуры"),
        ("AccumulationRegister_СвободныеОстатки#balance", "РегистрНакопления.СвободныеОстатки"),
        ("AccountingRegister_Хозрасчетный", "РегистрБухгалтерии.Хозрасчетный"),
        ("Document_ЗаказНаПроизводство2_2", "Документ.ЗаказНаПроизводство2_2"),
        ("Enum_СтавкиНДС", "Enum_СтавкиНДС"),
        ("странное", "странное"),
    ],
)
def test_names_of_the_tree(stream: str, name: str) -> None:
    """An object is called as the tree of the configuration calls it: that is what the admin has to tick."""
    assert tree_name(stream) == name
