"""The real recorded base goes through the shipped profile whole."""

from __future__ import annotations

import pytest

from hub.model.records import Reject
from hub.texts import sentence
from mappings.compiled import CompiledProfile, Mapped, RefTarget, compile_profile
from tests.mappings.feeds import records
from tests.mappings.run import one, root, rows, run


@pytest.fixture(scope="module")
def profile() -> CompiledProfile:
    """The shipped profile in the zone of the recorded base."""
    return compile_profile("onec_ut11", "Europe/Moscow")


def test_products_pass(profile: CompiledProfile) -> None:
    """Five recorded products map without a reject: names, type, unit, VAT rate, plain weight."""
    mapping = profile.mappings["product"]
    raws = records("msg002_nomenklatura.xml", "Catalog_Номенклатура")
    results = run(mapping, raws)
    assert [type(item) for item in results] == [Mapped] * 5
    beef = root(mapping, one(mapping, raws[0]))
    assert (beef["name"], beef["code"], beef["type"], beef["sku"]) == (
        "Говядина 1 категории",
        "00-00000282",
        "good",
        None,
    )
    assert beef["weight"] == 1_000_000
    assert mapping.collect(mapping.decode(raws[:1], [""]))["Catalog_УпаковкиЕдиницыИзмерения"] == {
        "bd72d8fb-55bc-11d9-848a-00112f43529a"
    }


def test_counterparties_pass(profile: CompiledProfile) -> None:
    """Five recorded counterparties map without a reject: a mark, addresses, and a wrong ИНН kept but marked invalid."""
    mapping = profile.mappings["counterparty"]
    raws = records("msg004_kontragenti.xml", "Catalog_Контрагенты")
    assert [type(item) for item in run(mapping, raws)] == [Mapped] * 5
    by_name = {root(mapping, item)["display_name"]: item for item in (one(mapping, raw) for raw in raws)}
    assert {name: item.record_state for name, item in by_name.items()} == {
        "АВИКА1": "active",
        "Альтаир": "marked",
        "Все для дома": "active",
        'Гостиница "Заря"': "active",
        "ИнноТрейд": "active",
    }
    wrong = rows(mapping, by_name["ИнноТрейд"], "party_identifier")
    assert [(row["scheme"], row["value"], row["is_valid"]) for row in wrong] == [
        ("inn", "0012123456", 0),
        ("kpp", "5678999", 0),
        ("okpo", "6666667777", 0),
    ]
    right = rows(mapping, by_name["АВИКА1"], "party_identifier")
    assert [(row["scheme"], row["is_valid"]) for row in right] == [("inn", 1), ("kpp", 1)]
    assert rows(mapping, by_name["Все для дома"], "address") == [
        {
            "text": "196135, Санкт-Петербург г, Типанова ул, дом № 18, корпус А, квартира 7Н",
            "country": "РОССИЯ",
            "region": "Санкт-Петербург г",
            "city": None,
            "street": "Типанова ул",
            "house": "18 корпус А",
            "postal_code": "196135",
            "fias_id": None,
        }
    ]
    from_xml = rows(mapping, by_name["Альтаир"], "address")
    assert [(row["region"], row["street"], row["house"]) for row in from_xml] == [
        ("Москва г", "40 лет Октября пр-кт", "89")
    ]


def test_own_head_is_no_head(profile: CompiledProfile) -> None:
    """A counterparty that names itself as its head has none."""
    mapping = profile.mappings["counterparty"]
    raw = records("msg004_kontragenti.xml", "Catalog_Контрагенты")[0]
    assert root(mapping, one(mapping, raw))["head_party_link_id"] is None


def test_orders_decode_to_the_hundredth(profile: CompiledProfile) -> None:
    """Three recorded orders have exactly their totals, their lines add up, and each names what it must wait for."""
    mapping = profile.mappings["sales_order"]
    raws = records("msg003_zakaz_klienta.xml", "Document_ЗаказКлиента")
    results = [one(mapping, raw) for raw in raws]
    assert [root(mapping, item)["total"] for item in results] == [2_500_000, 46_111_190, 33_610]
    for item in results:
        lines = rows(mapping, item, "sales_order_line")
        assert sum(line["amount"] for line in lines) == root(mapping, item)["total"]
        assert [line["line_no"] for line in lines] == list(range(1, len(lines) + 1))
    decoded = mapping.decode(raws, ["", "", ""])
    assert mapping.required(decoded[0]) == [
        RefTarget("Catalog_Контрагенты", "dee6e19d-55bc-11d9-848a-00112f43529a"),
        RefTarget("Catalog_Номенклатура", "f06588ab-7924-11df-b33a-0011955cba6b"),
        RefTarget("Catalog_Номенклатура", "dff7f6fa-7a0b-11df-b33a-0011955cba6b"),
    ]
    first = root(mapping, results[0])
    assert (first["number"], first["date"], first["posting_state"]) == ("ТДЦБ-000002", "2026-06-07 07:14:42", "posted")
    assert (first["requested_on"], first["business_status"], first["vat_included"]) == (None, "in_work", 1)
    assert first["contract_link_id"] is None


def test_a_broken_unit_is_an_unknown_unit(profile: CompiledProfile) -> None:
    """An order whose unit is no reference is refused with the line's field, the value and a code of its own."""
    mapping = profile.mappings["sales_order"]
    good = records("msg003_zakaz_klienta.xml", "Document_ЗаказКлиента")[2]
    bad = good.replace(b"f0658889-7924-11df-b33a-0011955cba6b", "ящ".encode())
    passed, refused = run(mapping, [good, bad])
    assert isinstance(passed, Mapped)
    assert isinstance(refused, Reject)
    assert (refused.code, refused.field, refused.value) == ("unknown_unit", "Товары.Упаковка_Key", "ящ")
    assert sentence(refused.code, "ru", field=refused.field, value=refused.value) == (
        "Неизвестная единица измерения в поле Товары.Упаковка_Key: ящ"
    )


def test_heads_know_key_and_version(profile: CompiledProfile) -> None:
    """External id and version come out of a raw record without decoding it."""
    raws = records("msg003_zakaz_klienta.xml", "Document_ЗаказКлиента")
    heads = profile.mappings["sales_order"].heads(raws)
    assert heads[0] == ("8d1d7287-6240-11f1-9296-08002761f3c5", "AAAAAAAAAAI=")
