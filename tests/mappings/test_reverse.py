"""The way back: what a mapping reads of its own payload is what was written."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.fields import Field, Kind
from mappings.backward import Backward, Payload, Unsaid
from mappings.compiled import CompiledMapping, RefTarget, compile_profile
from mappings.profile import profiles
from mappings.scope import all_refs
from mappings.spec import Cases, Const, Expr, First, Ref
from mappings.spec import Mapped as MappedWords
from tests.mappings.build import ZERO, compiled, guid
from tests.mappings.run import link_all, one, root

PROFILES = {name: compile_profile(name, "Europe/Moscow") for name in profiles()}
PROFILE = PROFILES["onec_ut11"]
#: Profiles of systems that nothing is ever written to.
_READ_ONLY = {"calls", "mail", "messenger"}
#: Profiles whose moments are told in UTC.
_UTC = {"calendar"}
WAYS = {
    (profile, name): Backward(mapping)
    for profile, compiled_profile in PROFILES.items()
    for name, mapping in compiled_profile.mappings.items()
    if mapping.writable and profile not in _READ_ONLY
}
#: Flags that decide by themselves what a field is.
FLAGS = {"ОбособленноеПодразделение", "Недействителен", "Аннулирован", "Услуга", "НеОблагается"}
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
    options = list(expr.options) if isinstance(expr, First) else [expr]
    return [option for option in options if isinstance(option, Ref)]


def _choices(mapping: CompiledMapping, field: Field) -> list[str]:
    """Every canonical word that the mapping may give a field."""
    item = next(item for item in mapping.spec.fields if item.field == field)
    return sorted(_words(item.expr))


def _words(expr: Expr) -> set[str]:
    match expr:
        case MappedWords():
            return {str(value) for _, value in expr.table if value is not None}
        case Const(value):
            return {str(value)} if value is not None else set()
        case First(options):
            return {word for option in options for word in _words(option)}
        case Cases(branches):
            return {word for _, branch in branches for word in _words(branch)}
        case _:
            return set()


def base(mapping: CompiledMapping) -> dict[str, Any]:
    """A record with every name filled that a required field may need."""
    wires = mapping._shape.wires
    moment = "2026-01-01T00:00:00Z" if mapping.spec.profile in _UTC else "2026-01-01T00:00:00"
    empties = {"guid": guid(1), "date": moment, "number": 1, "bool": False, "int": 1, "text": "x"}
    record = {name: empties[wire] for name, wire in wires.items()} | {"Ref_Key": guid(1)}
    words = (item.expr for item in mapping.spec.fields if isinstance(item.expr, MappedWords))
    record |= {expr.name: expr.table[0][0] for expr in words if not expr.has_default}
    typed = [ref for _, ref in all_refs(mapping.spec) if ref.typed and ref.name in record]
    return (
        record
        | {ref.name: guid(1) for ref in typed}
        | {f"{ref.name}_Type": f"StandardODATA.{ref.targets[0]}" for ref in typed}
    )


@pytest.mark.parametrize(("profile", "name"), sorted(WAYS))
@settings(max_examples=25)
@given(data=st.data())
def test_written_values_are_read_back(profile: str, name: str, data: st.DataObject) -> None:
    """For every writable field of every shipped mapping: what is written is shown, or it is told that it cannot be."""
    way = WAYS[profile, name]
    mapping = way.mapping
    field = data.draw(st.sampled_from([field for field in mapping.entity.fields if field.name in mapping.writable]))
    value = data.draw(values_of(mapping, field))
    current = base(mapping)
    flags = [name for name, wire in mapping._shape.wires.items() if wire == "bool" and name in FLAGS]
    current |= {name: data.draw(st.booleans()) for name in flags}
    payload = way.payload({field.name: value}, None, current)
    if payload.unsaid:
        assert payload.unsaid == [Unsaid(field.name, value)]
        assert payload.fields == {}
        assert not _plainly_said(mapping, field, value), (field.name, value)
        return
    after = {**current, **payload.fields}
    raw = json.dumps(after).encode()
    links = link_all(mapping.collect(mapping.decode([raw], [""])))
    shown = root(mapping, one(mapping, raw))[field.column]
    assert way.payload({field.name: value}, None, after) == Payload()
    if value is None and field.kind in {Kind.MONEY, Kind.QTY, Kind.PERCENT, Kind.BOOL}:
        shown = shown or None  # 1C has no empty number and no empty flag
    assert shown == (links[value.stream][value.external_id] if isinstance(value, RefTarget) else value)


def _plainly_said(mapping: CompiledMapping, field: Field, value: Any) -> bool:
    """Whether a value has a way back that no condition and no alternative can spoil: then it must be said."""
    expr = next(item.expr for item in mapping.spec.fields if item.field == field)
    if isinstance(expr, First | Cases) or value is None:
        return False
    return not (isinstance(expr, Ref) and expr.not_self and value.external_id == guid(1))


def back(
    mapping: CompiledMapping, values: dict[str, Any], current: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """What is written, and the fields that cannot be."""
    payload = Backward(mapping).payload(values, None, current)
    return payload.fields, [item.field for item in payload.unsaid]


def test_orders_tell_what_can_be_written() -> None:
    """Names, amounts and references can go back; posting and marking are acts of their own, never a field."""
    order = PROFILE.mappings["sales_order"]
    assert {"number", "comment", "total", "party", "requested_on", "delivery_address"} <= order.writable
    assert "posting_state" not in order.writable
    current = {"Контрагент_Key": guid(1), "Партнер_Key": guid(2), "Комментарий": "срочно"}
    assert back(order, {"party": RefTarget("Catalog_Партнеры", guid(4)), "comment": None}, current) == (
        {"Контрагент_Key": ZERO, "Партнер_Key": guid(4), "Комментарий": ""},
        [],
    )
    assert back(order, {"total": 46_111_190, "requested_on": "2026-06-07 07:14:42"}, {}) == (
        {"СуммаДокумента": 461111.9, "ДатаОтгрузки": "2026-06-07T10:14:42"},
        [],
    )


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_what_is_no_field_is_never_writable(profile: str) -> None:
    """No document's posting, no register's row and no word of an enumeration is offered for writing."""
    for mapping in PROFILES[profile].mappings.values():
        assert "posting_state" not in mapping.writable
        if mapping.table != "set" or mapping.given:
            assert not mapping.writable | mapping.writable_children.keys()


def test_what_stands_there_is_left_as_it_stands() -> None:
    """A value that the record shows already is not written anew, whichever attribute it comes from."""
    party = PROFILE.mappings["counterparty"]
    current = {
        "Description": " ООО  Заря ",
        "НаименованиеПолное": 'ООО "Заря"',
        "ЮридическоеФизическоеЛицо": "ЮридическоеЛицо",
    }
    wanted = {"display_name": "ООО  Заря", "legal_name": 'ООО "Заря"', "kind": "organization", "comment": None}
    assert back(party, wanted, current) == ({}, [])


def test_alternatives_follow_the_one_that_is_written() -> None:
    """Words that mean the same follow; the text that is only a stopgap stays; numbers follow in proportion."""
    party = PROFILE.mappings["counterparty"]
    current = {"Description": "Заря", "НаименованиеПолное": "Заря ООО", "ЮрФизЛицо": "ЮрЛицо"}
    assert back(party, {"kind": "person", "display_name": "Ива"}, current) == (
        {"ЮрФизЛицо": "ФизЛицо", "ЮридическоеФизическоеЛицо": "ФизическоеЛицо", "Description": "Ива"},
        [],
    )


def test_two_fields_of_one_attribute_cannot_contradict_each_other() -> None:
    """The first one said stands, the other is told as unsaid."""
    order = PROFILE.mappings["sales_order"]
    values = {
        "party": RefTarget("Catalog_Партнеры", guid(4)),
        "commercial_party": RefTarget("Catalog_Партнеры", guid(5)),
    }
    fields, unsaid = back(order, values, {"Контрагент_Key": ZERO, "Партнер_Key": guid(6)})
    assert (fields, unsaid) == ({"Партнер_Key": guid(4)}, ["commercial_party"])


def test_the_first_word_of_several_is_written() -> None:
    """Where words of the source mean the same, the one the file names first goes back."""
    assert back(PROFILE.mappings["product"], {"type": "good"}) == ({"ТипНоменклатуры": "Товар"}, [])


def test_what_has_no_way_back_is_told() -> None:
    """A field that is not writable is a programming error; a word the source does not have is told as unsaid."""
    order = PROFILE.mappings["sales_order"]
    with pytest.raises(KeyError):
        back(order, {"posting_state": "posted"})
    assert back(order, {"business_status": "confirmed"}, {}) == ({}, ["business_status"])
    assert back(order, {"party": RefTarget("Catalog_Склады", guid(4))}, {}) == ({}, ["party"])


def test_a_typed_reference_takes_its_type_along() -> None:
    """A composite attribute is written with its type, an empty one as undefined."""
    shipment = PROFILE.mappings["shipment"]
    order = {"ЗаказКлиента": guid(4), "ЗаказКлиента_Type": "StandardODATA.Document_ЗаказКлиента"}
    assert back(shipment, {"order": RefTarget("Document_ЗаказКлиента", guid(4))}) == (order, [])
    assert back(shipment, {"order": RefTarget("Document_ЗаказКлиента", guid(5))}, order)[0] == {
        **order,
        "ЗаказКлиента": guid(5),
    }
    nothing = {"ЗаказКлиента": "", "ЗаказКлиента_Type": "StandardODATA.Undefined"}
    assert back(shipment, {"order": None}, order) == (nothing, [])


def test_a_word_of_an_enumeration_goes_back_as_the_word() -> None:
    """A reference to a record told by a file is the word itself."""
    line = {"line_no": 1, "product": RefTarget("Catalog_Номенклатура", guid(1)), "qty": 1_000_000, "amount": 100}
    rate = RefTarget("Enum_СтавкиНДС", "НДС20")
    payload = Backward(PROFILES["onec_bp3"].mappings["shipment"]).payload(
        {}, {"shipment_line": [{**line, "vat_rate": rate}]}
    )
    assert payload.fields["Товары"][0]["СтавкаНДС"] == "НДС20"


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
    assert back(mapping, {"status": None}, {"S": "а"}) == ({"S": ""}, [])
    assert back(mapping, {"segment": "A"}) == ({"F": True}, [])
    assert back(mapping, {"segment": None}, {"F": True}) == ({}, ["segment"])


def test_a_created_record_gets_what_the_file_says_besides() -> None:
    """``initial`` goes into a record that is created, never into one that is there."""
    order = PROFILES["onec_unf"].mappings["sales_order"]
    constants = {"ВидОперации": "ЗаказНаПродажу", "НалогообложениеНДС": "ОблагаетсяНДС", "СуммаВключаетНДС": True}
    assert back(order, {"comment": "да"}) == ({**constants, "Курс": 1, "Кратность": "1", "Комментарий": "да"}, [])
    assert back(order, {"comment": "да"}, {"Комментарий": ""}) == ({"Комментарий": "да"}, [])
