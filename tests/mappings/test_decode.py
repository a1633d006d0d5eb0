"""Decoding: strict first, lax for Atom, value by value for the rest; what cannot be read is named and stops nobody."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.errors import SkipRecord
from hub.model.records import Reject
from mappings.compiled import Mapped
from tests.mappings.build import ZERO, compiled, guid
from tests.mappings.run import one, root, rows, run

ORDER = compiled(
    """
    stream: D
    entity: sales_order
    key: Ref_Key
    version: DataVersion
    deleted: DeletionMark
    date: Date
    total: Total
    fields:
      number: Number
      date: Date
      posting_state: {cases: [{when: Posted, then: posted}, {then: unposted}]}
      party: {ref: P_Key, to: Catalog_P}
      total: Total
    children:
      sales_order_line:
        - table: Rows
          number: N
          fields:
            product: {ref: G_Key, to: Catalog_G}
            qty: Q
            amount: A
            cancelled: C
    """
)
GOOD: dict[str, Any] = {
    "Ref_Key": guid(1),
    "DataVersion": "AAAAAAAAAAE=",
    "DeletionMark": False,
    "Number": "ТДУТ-000001",
    "Date": "2026-06-07T10:14:42",
    "Posted": True,
    "P_Key": guid(2),
    "Total": 461111.9,
    "Rows": [{"N": "1", "G_Key": guid(3), "Q": 2, "A": 461111.9, "C": False}],
}


def raw(**values: Any) -> bytes:
    """A good order with some values replaced."""
    return json.dumps({**GOOD, **values}, ensure_ascii=False).encode()


def as_atom(value: Any) -> Any:
    """The same data as it comes out of an Atom feed: every scalar a text."""
    if isinstance(value, dict):
        return {key: as_atom(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_atom(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def test_json_and_atom_come_to_the_same() -> None:
    """Numbers, flags and line numbers as texts give the very same rows."""
    plain, atom = run(ORDER, [raw(), json.dumps(as_atom(GOOD)).encode()])
    assert isinstance(plain, Mapped)
    assert plain == atom


def test_a_raw_slice_of_a_page_is_as_good_as_bytes() -> None:
    """Connectors hand over ``msgspec.Raw``; heads and decoding take it without a copy."""
    page = b"[" + raw() + b"," + raw(Ref_Key=guid(9)) + b"]"
    raws = msgspec.json.decode(page, type=list[msgspec.Raw])
    assert ORDER.heads(raws) == [(guid(1), "AAAAAAAAAAE="), (guid(9), "AAAAAAAAAAE=")]
    links = {"Catalog_P": {guid(2): 1}, "Catalog_G": {guid(3): 2}}
    assert ORDER.emit(ORDER.decode(raws, ["", ""]), links) == ORDER.emit(ORDER.decode([raw(), raw()], ["", ""]), links)


@pytest.mark.parametrize(
    ("values", "code", "field", "value"),
    [
        ({"Total": "много"}, "bad_number", "Total", "много"),
        ({"P_Key": "не ссылка"}, "bad_reference", "P_Key", "не ссылка"),
        ({"P_Key": 7}, "bad_reference", "P_Key", "7"),
        ({"Posted": "да нет"}, "bad_bool", "Posted", "да нет"),
        ({"Date": "2026-13-01T00:00:00"}, "bad_date", "Date", "2026-13-01T00:00:00"),
        ({"Number": {"a": 1}}, "bad_value", "Number", "{'a': 1}"),
        ({"Number": ""}, "required_blank", "Number", ""),
        ({"P_Key": ZERO}, "required_blank", "P_Key", ""),
        ({"Rows": "x"}, "bad_value", "Rows", "x"),
        ({"Rows": [3]}, "not_an_object", "Rows", "3"),
        ({"Rows": [{"N": "x", "G_Key": guid(3), "Q": 1, "A": 1}]}, "bad_number", "Rows.N", "x"),
        ({"Rows": [{"N": "1", "G_Key": guid(3), "Q": "пять", "A": 1}]}, "bad_number", "Rows.Q", "пять"),
        ({"Rows": [{"N": "1", "G_Key": guid(3), "Q": 1, "A": 1e17}]}, "oversize", "Rows.A", "1e+17"),
        ({"Rows": [{"N": "1.5", "G_Key": guid(3), "Q": 1, "A": 1}]}, "bad_number", "Rows.N", "1.5"),
    ],
)
def test_a_bad_record_is_refused_by_field_and_value_and_the_others_pass(
    values: dict[str, Any], code: str, field: str, value: str
) -> None:
    """The reject names record, field and value; records before and after it are mapped."""
    before, bad, after = run(ORDER, [raw(), raw(Ref_Key=guid(5), **values), raw(Ref_Key=guid(6))])
    assert isinstance(before, Mapped)
    assert isinstance(after, Mapped)
    assert isinstance(bad, Reject)
    assert (bad.external_id, bad.code, bad.field, bad.value) == (guid(5), code, field, value)


@pytest.mark.parametrize(
    "values",
    [
        {"Total": " 461\u00a0111,90 "},
        {"P_Key": f" {guid(2)} "},
        {"DeletionMark": "", "Rows": None},
        {"Posted": "Да", "Rows": ""},
        {"Number": 7},
    ],
)
def test_what_can_be_mended_is_mended(values: dict[str, Any]) -> None:
    """A number with blanks and a comma, a padded reference, an empty flag or table, a number as a text."""
    assert isinstance(run(ORDER, [raw(**values)])[0], Mapped)


def test_null_everywhere_but_where_it_must_not_be() -> None:
    """Nulls and missing names are empty values, not errors."""
    bare = {key: GOOD[key] for key in ("Ref_Key", "Number", "Date", "P_Key", "Total")}
    mapped = one(ORDER, json.dumps({**bare, "Posted": None, "Rows": []}).encode())
    assert root(ORDER, mapped)["posting_state"] == "unposted"
    assert rows(ORDER, mapped, "sales_order_line") == []


def test_half_a_surrogate_does_not_stop_a_record() -> None:
    """1C can hold half of an emoji; it arrives as a replacement mark, the rest of the text whole."""
    mapped = one(ORDER, raw().replace("ТДУТ".encode(), rb"\ud83d-A"))
    assert root(ORDER, mapped)["number"] == "?-A-000001"


@pytest.mark.parametrize("broken", [b"", b"{", b'{"Ref_Key": "', b"\xff\xfe", b"null", b"[]", b"1", b"{}"])
def test_what_is_no_record_has_no_head(broken: bytes) -> None:
    """Cut, empty or foreign bytes are a reject, from one head and from many."""
    head = ORDER.heads([broken])[0]
    assert isinstance(head, Reject)
    assert head.code in {"bad_json", "not_an_object", "no_key"}
    with pytest.raises(SkipRecord) as caught:
        ORDER.head(broken)
    assert caught.value.code == head.code


@given(st.binary(max_size=60))
def test_no_bytes_whatever_raise(data: bytes) -> None:
    """Any bytes in the place of a record give a reject or a struct, never an exception."""
    heads = ORDER.heads([data])
    decoded = ORDER.decode([data], ["x"])
    assert len(heads) == len(decoded) == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), _JSON, max_size=4))
def test_no_values_whatever_raise(values: dict[str, Any]) -> None:
    """Any JSON in the place of any value gives rows or a reject that names a field of the record."""
    outcome = run(ORDER, [raw(**values)])[0]
    assert isinstance(outcome, Mapped | Reject)
    if isinstance(outcome, Reject) and outcome.code not in {"no_key", "bad_json"}:
        assert outcome.field.split(".")[0].split("/")[0] in GOOD


REGISTER = compiled(
    """
    stream: R
    table: balance
    entity: stock_balance
    key: [A_Key, V_Key, B_Key]
    fields:
      product: {ref: A_Key, to: Catalog_A}
      warehouse: {ref: B_Key, to: Catalog_B}
      on_hand: XBalance
    """
)


def test_the_key_of_a_register_is_its_dimensions() -> None:
    """An empty dimension is part of the key; all empty is no key. Rejects carry the same id."""
    good = {"A_Key": guid(1), "V_Key": ZERO, "B_Key": guid(2), "XBalance": 1}
    bad = {**good, "XBalance": "x"}
    none = dict.fromkeys(("A_Key", "V_Key", "B_Key"), ZERO)
    raws = [json.dumps(item).encode() for item in (good, bad, none)]
    assert ORDER.heads(raws)[0] != REGISTER.heads(raws)[0]
    assert REGISTER.heads(raws)[0] == (f"{guid(1)}|{ZERO}|{guid(2)}", None)
    outcome = run(REGISTER, raws)
    assert isinstance(outcome[1], Reject)
    assert outcome[1].external_id == f"{guid(1)}|{ZERO}|{guid(2)}"
    assert isinstance(outcome[2], Reject)
    assert outcome[2].code == "no_key"


@pytest.mark.parametrize(
    "beginning",
    [
        '{"Ref_Key":"%s","DataVersion":"AAA=",',
        '{"Ref_Key": "%s", "Predefined": false, "PredefinedDataName": "", "DataVersion": "AAA=",',
        '{"DataVersion":"AAA=","Ref_Key":"%s",',
        '{"Rows":[{"Ref_Key":"00000009-0000-11ec-8104-60a44ccf99dc"}],"Ref_Key":"%s","DataVersion":"AAA=",',
        '{"Ref_Key":"%s","DataVersion":"A\\u0041A=",',
    ],
)
def test_heads_are_the_same_however_a_record_begins(beginning: str) -> None:
    """The short cut through the beginning of a record never says anything else than reading it whole."""
    data = (beginning % guid(1) + '"Number":"1"}').encode()
    assert ORDER.heads([data]) == [(guid(1), "AAA=")]
