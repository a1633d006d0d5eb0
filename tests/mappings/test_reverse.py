"""The way back: what a mapping reads of its own payload is what was written."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.entities import Entity
from hub.model.fields import Field, Kind
from mappings.compiled import CompiledMapping, RefTarget, compile_profile
from mappings.spec import Mapped as MappedWords
from tests.mappings.build import ZERO, compiled, guid
from tests.mappings.run import link_all, one, root

PROFILE = compile_profile("onec_ut11", "Europe/Moscow")
_SCALED = st.integers(min_value=-(10**13), max_value=10**13)
_WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs", "Cc", "Z"]), min_size=1
)


def values_of(mapping: CompiledMapping, field: Field) -> st.SearchStrategy[Any]:
    """Travelling values that a field of a mapping can hold and send."""
    by_kind: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.TEXT: _WORDS,
        Kind.BOOL: st.sampled_from([0, 1]),
        Kind.MONEY: _SCALED,
        Kind.QTY: _SCALED,
        Kind.PERCENT: _SCALED,
        Kind.DATE: st.dates(min_value=datetime(1901, 1, 1).date()).map(str),
        Kind.TIMESTAMP: st.datetimes(min_value=datetime(2015, 1, 1), max_value=datetime(2090, 1, 1)).map(
            lambda moment: str(moment.replace(microsecond=0))
        ),
    }
    if field.kind is Kind.REF:
        spec = next(item for item in mapping.spec.fields if item.field == field)
        targets = sorted({target for ref in _refs(spec.expr) for target in ref.targets})
        refs = st.builds(
            lambda stream, number: RefTarget(stream, guid(number)), st.sampled_from(targets), st.integers(1, 99)
        )
        return refs if spec.required else st.none() | refs
    if field.kind is Kind.ENUM:
        return st.sampled_from(_choices(mapping, field))
    return by_kind[field.kind] if field.required else st.none() | by_kind[field.kind]


def _refs(expr: Any) -> list[Any]:
    return list(expr.options) if hasattr(expr, "options") else [expr]


def _choices(mapping: CompiledMapping, field: Field) -> list[str]:
    expr = next(item.expr for item in mapping.spec.fields if item.field == field)
    assert isinstance(expr, MappedWords)
    return sorted({str(value) for _, value in expr.table if value is not None})


def base(entity: Entity, mapping: CompiledMapping) -> dict[str, Any]:
    """A record with every name filled that a required field may need."""
    wires = mapping._shape.wires
    empties = {"guid": guid(1), "date": "2026-01-01T00:00:00", "number": 1, "bool": False, "int": 1, "text": "x"}
    return {name: empties[wire] for name, wire in wires.items()} | {"Ref_Key": guid(1)}


@pytest.mark.parametrize("name", sorted(PROFILE.mappings))
@given(data=st.data())
def test_written_values_are_read_back(name: str, data: st.DataObject) -> None:
    """For every writable field of every shipped mapping: emit(reverse(x)) is x."""
    mapping = PROFILE.mappings[name]
    fields = [field for field in mapping.entity.fields if field.name in mapping.writable]
    if not fields:
        return
    field = data.draw(st.sampled_from(fields))
    value = data.draw(values_of(mapping, field))
    payload = mapping.reverse({field.name: value})
    raw = json.dumps({**base(mapping.entity, mapping), **payload}).encode()
    items = mapping.decode([raw], [""])
    links = link_all(mapping.collect(items))
    if isinstance(value, RefTarget):
        value = links[value.stream][value.external_id]
    elif value is None and field.kind in {Kind.MONEY, Kind.QTY, Kind.PERCENT, Kind.BOOL}:
        value = 0  # 1C has no empty number and no empty flag
    assert root(mapping, one(mapping, raw))[field.column] == value


def test_orders_tell_what_can_be_written() -> None:
    """Names, amounts and references can go back; a constant, a condition and a sum cannot."""
    order = PROFILE.mappings["sales_order"]
    assert {"number", "comment", "total", "party", "requested_on", "delivery_address"} <= order.writable
    assert "posting_state" not in order.writable
    assert order.reverse({"party": RefTarget("Catalog_Партнеры", guid(4)), "comment": None}) == {
        "Контрагент_Key": ZERO,
        "Партнер_Key": guid(4),
        "Комментарий": "",
    }
    assert order.reverse({"total": 46_111_190, "requested_on": "2026-06-07 07:14:42"}) == {
        "СуммаДокумента": 461111.9,
        "ДатаОтгрузки": "2026-06-07T10:14:42",
    }


def test_the_first_word_of_several_is_written() -> None:
    """Where words of the source mean the same, the one the file names first goes back."""
    assert PROFILE.mappings["product"].reverse({"type": "good"}) == {"ТипНоменклатуры": "Товар"}


def test_what_has_no_way_back_is_refused() -> None:
    """A field that is not writable is a programming error; a word the source does not have is a wrong value."""
    order = PROFILE.mappings["sales_order"]
    with pytest.raises(KeyError):
        order.reverse({"posting_state": "posted"})
    with pytest.raises(ValueError, match="confirmed"):
        order.reverse({"business_status": "confirmed"})
    with pytest.raises(ValueError, match="Catalog_Склады"):
        order.reverse({"party": RefTarget("Catalog_Склады", guid(4))})


def test_a_typed_reference_takes_its_type_along() -> None:
    """A composite attribute is written with its type, an empty one as undefined."""
    shipment = PROFILE.mappings["shipment"]
    assert shipment.reverse({"order": RefTarget("Document_ЗаказКлиента", guid(4))}) == {
        "ЗаказКлиента": guid(4),
        "ЗаказКлиента_Type": "StandardODATA.Document_ЗаказКлиента",
    }
    assert shipment.reverse({"order": None}) == {"ЗаказКлиента": "", "ЗаказКлиента_Type": "StandardODATA.Undefined"}


def test_a_map_with_nothing_for_null_says_empty() -> None:
    """NULL becomes the empty word, or false for a flag."""
    mapping = compiled(
        """
        stream: X
        entity: party
        key: Ref_Key
        fields:
          kind: {const: person}
          display_name: Name
          status: {from: S, map: {а: active}}
          segment: {from: F, map: {'true': A, 'false': B}}
        """
    )
    assert mapping.reverse({"status": None, "segment": None}) == {"S": "", "F": False}
    assert mapping.reverse({"segment": "A"}) == {"F": True}
