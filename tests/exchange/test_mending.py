"""A person's value in a record: of the type that the mapping reads, and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.exchange.mending import mended
from hub.model.errors import SkipRecord
from hub.store.quarantined import Quarantined
from mappings.compiled import CompiledMapping
from tests.dagster.base import guid, order
from tests.mappings.build import compiled

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def mapping() -> CompiledMapping:
    from mappings.compiled import compile_profile

    return compile_profile("onec_ut11", "Europe/Moscow").mappings["sales_order"]


def row(field: str, value: str = "", **changed: Any) -> Quarantined:
    """An order in quarantine for that field."""
    payload = json.dumps(order(1, "2026-03-01") | changed, ensure_ascii=False)
    return Quarantined(
        1,
        "ut.sales_order",
        1,
        "Document_ЗаказКлиента",
        guid(3, 1),
        "",
        "bad",
        field,
        value,
        {},
        payload,
        "open",
        1,
        AT,
        AT,
    )


@pytest.mark.parametrize(
    ("field", "value", "stands"),
    [
        ("Date", "31.12.2026", "2026-12-31T00:00:00"),
        ("Date", "31.12.2026 14:30", "2026-12-31T14:30:00"),
        ("Date", "2026-12-31", "2026-12-31T00:00:00"),
        ("Date", datetime(2026, 12, 31, 14, 30), "2026-12-31T14:30:00"),
        ("Date", date(2026, 12, 31), "2026-12-31T00:00:00"),
        ("СуммаДокумента", "1 234,50", 1234.5),
        ("СуммаДокумента", "1\u00a0000", 1000),
        ("СуммаДокумента", 7, 7),
        ("СуммаДокумента", 12.5, 12.5),
        ("Posted", "да", True),
        ("Posted", "Ложь", False),
        ("Posted", False, False),
        ("Контрагент_Key", guid(1, 7).upper(), guid(1, 7)),
        ("Комментарий", " x ", "x"),
        ("Комментарий", 7707083893.0, "7707083893"),
        ("Комментарий", "=1+1", "=1+1"),
    ],
)
def test_a_value_takes_the_type_of_its_field(mapping: CompiledMapping, field: str, value: Any, stands: Any) -> None:
    """What a spreadsheet or a person gives becomes what 1C would have sent; all other fields stay."""
    item = row(field, Posted="may be")
    before, after = json.loads(item.payload), json.loads(mended(mapping, item, value))
    assert after[field] == stands
    assert type(after[field]) is type(stands)
    assert {**after, field: None} == {**before, field: None}
    assert list(after) == list(before)[: len(after)] or field not in before


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Date", "завтра", "mend_wrong_type"),
        ("Date", "31.02.2026", "mend_wrong_type"),
        ("СуммаДокумента", "много", "mend_wrong_type"),
        ("СуммаДокумента", "1e999999999", "mend_wrong_type"),
        ("СуммаДокумента", "nan", "mend_wrong_type"),
        ("СуммаДокумента", True, "mend_wrong_type"),
        ("Posted", "может быть", "mend_wrong_type"),
        ("Контрагент_Key", "Ромашка", "mend_wrong_type"),
        ("Товары.LineNumber", "1,5", "mend_not_there"),
        ("Date", "", "mend_no_value"),
        ("Date", "  ", "mend_no_value"),
        ("Date", None, "mend_no_value"),
        ("Ref_Key", guid(3, 9), "mend_key"),
        ("НетТакого", "x", "mend_no_field"),
        ("", "x", "mend_no_field"),
        ("Ref_Key, Другой", "x", "mend_no_field"),
        ("Date", "2026-03-01T12:00:00", "mend_same"),
    ],
)
def test_what_cannot_be_used_is_told(mapping: CompiledMapping, field: str, value: Any, code: str) -> None:
    """No value, a wrong type, a key, a field that is not read, the old value: each has its own reason."""
    with pytest.raises(SkipRecord) as caught:
        mended(mapping, row(field, "?"), value)
    assert caught.value.code == code


def test_rows_of_a_tabular_part_that_hold_the_refused_value_get_the_new_one(mapping: CompiledMapping) -> None:
    """Two lines of three hold it; the third is not touched; a number that stood as a text stays a text."""
    lines = [{"LineNumber": "x", "Цена": 1}, {"LineNumber": "2", "Цена": 2}, {"LineNumber": "x", "Цена": 3}]
    raw = mended(mapping, row("Товары.LineNumber", "x", Товары=lines), 9)
    assert [line["LineNumber"] for line in json.loads(raw)["Товары"]] == ["9", "2", "9"]


def test_a_blank_of_several_fields_is_filled_in_the_first() -> None:
    """A required field that either of two may fill names both; an empty reference counts as blank in a line."""
    mapping = compiled(
        "stream: Catalog_X\nentity: party\nkey: Ref_Key\n"
        "fields:\n  kind: {const: person}\n  display_name: {first: [Имя, Полное]}\n"
    )
    item = row("Имя/Полное", Имя="")
    assert json.loads(mended(mapping, item, "Ромашка"))["Имя"] == "Ромашка"


def test_a_record_that_is_no_object_cannot_be_corrected(mapping: CompiledMapping) -> None:
    """What came cut short has no field to put a value into."""
    broken = row("Date")
    cut = Quarantined(**{name: getattr(broken, name) for name in broken.__slots__} | {"payload": '{"Date": '})
    with pytest.raises(SkipRecord) as caught:
        mended(mapping, cut, "2026-01-01")
    assert caught.value.code == "mend_no_field"
