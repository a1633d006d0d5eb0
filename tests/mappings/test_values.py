"""What each transform and each form of a value does, against oracles where there are any."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.records import Reject
from mappings.compiled import CompiledMapping
from tests.mappings.build import ZERO, compiled, guid
from tests.mappings.run import one, root, rows, run

PRICE = """
stream: R
entity: price
key: Ref_Key
fields:
  product: {ref: Товар_Key, to: Catalog_Товар}
  price: Цена
  valid_from: {from: Period, optional: true}
"""
STOCK = """
stream: R
entity: stock_balance
key: Ref_Key
fields:
  product: {ref: A_Key, to: Catalog_A}
  warehouse: {ref: B_Key, to: Catalog_B}
  on_hand: X
  available: {sum: [X, -Y]}
"""
PARTY = """
stream: Catalog_X
entity: party
key: Ref_Key
fields:
  kind: {const: person}
  display_name: Name
"""
ORDER = """
stream: D
entity: sales_order
key: Ref_Key
date: Date
total: Total
fields:
  number: Number
  date: Date
  posting_state: {const: posted}
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
"""


def price(value: Any, **more: Any) -> bytes:
    """A price record; ``value`` as JSON text or anything JSON can say."""
    shown = value if isinstance(value, str) else json.dumps(value)
    rest = "".join(f', "{name}": {json.dumps(item)}' for name, item in more.items())
    return f'{{"Ref_Key": "{guid(1)}", "Товар_Key": "{guid(2)}", "Цена": {shown}{rest}}}'.encode()


def with_field(line: str, raw: dict[str, Any], name: str, timezone: str = "Europe/Moscow") -> Any:
    """The value of one more party field for one record."""
    mapping = compiled(PARTY + line, timezone)
    data = json.dumps({"Ref_Key": guid(1), "Name": "n", **raw}).encode()
    outcome = run(mapping, [data])[0]
    if isinstance(outcome, Reject):
        return outcome
    assert not isinstance(outcome, str)
    return root(mapping, outcome)[mapping.entity.field(name).column]


MONEY = compiled(PRICE)


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1))
def test_money_with_two_decimals_is_exact(hundredths: int) -> None:
    """Every amount 1C can hold (15 digits) arrives as exactly its hundredths, from a number and from a text."""
    text = str(Decimal(hundredths).scaleb(-2))
    for shown in (text, f'"{text}"'):
        assert root(MONEY, one(MONEY, price(shown)))["price"] == hundredths


@given(st.floats(min_value=-1e9, max_value=1e9, allow_nan=False))
def test_more_decimals_are_rounded_half_to_even_on_the_text(value: float) -> None:
    """Any double comes to what its shortest decimal text rounds to."""
    expected = Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert root(MONEY, one(MONEY, price(repr(value))))["price"] == int(expected.scaleb(2))


@pytest.mark.parametrize(
    ("value", "expected"), [("0.125", 12), ("0.135", 14), ("2.675", 268), ("-0.125", -12), ("-0.0", 0)]
)
def test_halves_go_to_the_even_hundredth(value: str, expected: int) -> None:
    """Halves are judged on the decimal text, not on the binary value beneath it."""
    assert root(MONEY, one(MONEY, price(value)))["price"] == expected


@pytest.mark.parametrize("value", ["90071992547409.92", "-90071992547409.92", "1e20", "1e300", '"1e17"'])
def test_too_large_amounts_are_refused(value: str) -> None:
    """From two to the 53rd hundredths on, nothing is stored: field and value are named."""
    outcome = run(MONEY, [price(value)])[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field, outcome.external_id) == ("oversize", "Цена", guid(1))


def test_the_largest_amount_passes() -> None:
    """One hundredth below the limit is still exact."""
    assert root(MONEY, one(MONEY, price("90071992547409.90")))["price"] == 9007199254740990


@pytest.mark.parametrize("value", ['"abc"', "true", '"nan"', '"inf"', "[1]", "1e400"])
def test_what_is_no_number_is_refused(value: str) -> None:
    """Words, flags and infinities are refused with field and value; the code says which kind of wrong."""
    outcome = run(MONEY, [price(value)])[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field) == ("bad_number", "Цена")


@pytest.mark.parametrize("value", ["null", '""', '" "'])
def test_a_required_number_that_is_empty(value: str) -> None:
    """Empty is not zero: the record is refused and the field named."""
    outcome = run(MONEY, [price(value)])[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field) == ("required_blank", "Цена")


def test_quantities_have_six_decimals_and_sums_their_signs() -> None:
    """A sum is exact where doubles would not be, takes off what has a minus, and is empty only if all parts are."""
    mapping = compiled(STOCK)
    base = {"Ref_Key": guid(1), "A_Key": guid(2), "B_Key": guid(3)}
    found = root(mapping, one(mapping, json.dumps({**base, "X": 0.3, "Y": 0.1}).encode()))
    assert (found["on_hand"], found["available"]) == (300_000, 200_000)
    found = root(mapping, one(mapping, json.dumps({**base, "X": 0.0000015, "Y": None}).encode()))
    assert (found["on_hand"], found["available"]) == (2, 2)


ZONES = (
    "Europe/Moscow",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
    "UTC",
)
BY_ZONE: dict[str, CompiledMapping] = {zone: compiled(PRICE, zone) for zone in ZONES}


@settings(max_examples=300)
@given(st.sampled_from(ZONES), st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2090, 1, 1)))
def test_local_time_to_utc_agrees_with_zoneinfo(zone: str, moment: datetime) -> None:
    """With a cold and with a warm cache, gaps and repeated hours included (fold=0)."""
    local = moment.replace(microsecond=0)
    utc = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    mapping = BY_ZONE[zone]
    for shown in (local, local.replace(minute=59, second=59), local):
        raw = price(1, Period=shown.isoformat())
        expected = utc + (shown - local) if shown == local else None
        found = root(mapping, one(mapping, raw))["valid_from"]
        assert expected is None or found == str(expected)


def test_the_hour_that_happens_twice_and_the_one_that_never_does() -> None:
    """Berlin, autumn: the first of the two. Berlin, spring: the offset before the jump."""
    mapping = BY_ZONE["Europe/Berlin"]

    def utc(text: str) -> Any:
        return root(mapping, one(mapping, price(1, Period=text)))["valid_from"]

    assert utc("2026-10-25T02:30:00") == "2026-10-25 00:30:00"
    assert utc("2026-03-29T02:30:00") == "2026-03-29 01:30:00"
    assert utc("2026-03-29T03:30:00") == "2026-03-29 01:30:00"


@pytest.mark.parametrize(
    "value",
    ["2026-02-30T00:00:00", "2026-06-07T24:00:00", "2026-06-07T10:60:00", "07.06.2026", "2026-06-07T10:14", "вчера",
     "2026-W23-7T00:00:00", "2026-06-07T10:14:42Z", "２026-06-07T10:14:42", "9999-99-99T99:99:99"],
)  # fmt: skip
def test_broken_timestamps_are_refused(value: str) -> None:
    """Days, hours and minutes that do not exist, and other notations; also when their hour is known already."""
    mapping = BY_ZONE["Europe/Moscow"]
    one(mapping, price(1, Period="2026-06-07T10:00:00"))
    outcome = run(mapping, [price(1, Period=value)])[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field, outcome.value) == ("bad_date", "Period", value)


@pytest.mark.parametrize("value", [None, "", "0001-01-01T00:00:00", "0001-01-01T09:30:00"])
def test_the_empty_date_is_null(value: str | None) -> None:
    """1C's year one, an empty text and null are no date, for timestamps and for dates."""
    assert root(MONEY, one(MONEY, price(1, Period=value)))["valid_from"] is None
    assert with_field("  registered_on: D\n", {"D": value}, "registered_on") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-06-07T00:00:00", "2026-06-07"), ("2026-06-07T23:59:59", "2026-06-07"), ("2026-06-07", "2026-06-07"),
     ("2024-02-29T00:00:00", "2024-02-29")],
)  # fmt: skip
def test_dates_have_no_zone(value: str, expected: str) -> None:
    """A date is the day as it stands in the base."""
    assert with_field("  registered_on: D\n", {"D": value}, "registered_on", "Asia/Kamchatka") == expected


@pytest.mark.parametrize(
    "value", ["2026-02-29T00:00:00", "2026-06-07T25:00:00", "2026-06-07 10:00:00", "2026-W23-7", "x"]
)
def test_broken_dates_are_refused(value: str) -> None:
    """The same care for dates."""
    outcome = with_field("  registered_on: D\n", {"D": value}, "registered_on")
    assert isinstance(outcome, Reject)
    assert outcome.code == "bad_date"


def test_a_full_cache_starts_anew() -> None:
    """More different days than the cache holds do no harm, empties included."""
    mapping = compiled(PARTY + "  registered_on: D\n")
    day = datetime(1900, 1, 1, tzinfo=UTC)
    raws = [
        json.dumps({"Ref_Key": guid(n + 1), "Name": "n", "D": f"{day + timedelta(days=n):%Y-%m-%dT%H:%M:%S}"}).encode()
        for n in range(52_000)
    ]
    found = run(mapping, [*raws, json.dumps({"Ref_Key": guid(1), "Name": "n"}).encode()])
    assert not any(isinstance(item, Reject) for item in found)


@pytest.mark.parametrize(
    ("value", "expected"), [("  a b\t", "a b"), ("\0a\0", "a"), (" \0 ", None), ("", None), (7, "7"), (True, "true")]
)
def test_texts_are_stripped_of_padding_and_nul(value: Any, expected: str | None) -> None:
    """Fixed-length strings come padded; NUL no database takes; a number where a text is due is its text."""
    assert with_field("  comment: C\n", {"C": value}, "comment") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, 1), (False, 0), ("true", 1), ("false", 0), (None, None), ("", None), (1, 1)]
)
def test_flags(value: Any, expected: int | None) -> None:
    """A flag travels as 1 or 0, from JSON and from Atom; empty is not false."""
    assert with_field("  is_legal_entity: C\n", {"C": value}, "is_legal_entity") == expected


def test_a_flag_that_is_none_is_refused() -> None:
    """A word that is neither yes nor no."""
    outcome = with_field("  is_legal_entity: C\n", {"C": "may be"}, "is_legal_entity")
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field, outcome.value) == ("bad_bool", "C", "may be")


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        ("map: {А: active, Б: blocked}", "Б", "blocked"),
        ("map: {А: active, Б: blocked}", "", None),
        ("map: {А: active}, default: former", "В", "former"),
        ("map: {А: active}, default: former", "", "former"),
        ("map: {А: active}, default: null", "В", None),
        ("map: {А: active, '': prospect}", "", "prospect"),
        ("map: {'true': active, 'false': blocked}", False, "blocked"),
    ],
)
def test_words_are_looked_up(spec: str, value: Any, expected: str | None) -> None:
    """A map with and without default, with an entry for the empty word, and on a flag."""
    assert with_field(f"  status: {{from: S, {spec}}}\n", {"S": value}, "status") == expected


@pytest.mark.parametrize(("extra", "code"), [("", "bad_enum"), (", reject: illegal_status", "illegal_status")])
def test_an_unknown_word_is_refused(extra: str, code: str) -> None:
    """Without a default the record is refused, with the code the mapping gives."""
    outcome = with_field(f"  status: {{from: S, map: {{А: active}}{extra}}}\n", {"S": "Я"}, "status")
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field, outcome.value) == (code, "S", "Я")


@pytest.mark.parametrize(
    ("transform", "value", "expected"),
    [
        ("digits", "№ 12-34", "1234"), ("digits", "нет", None), ("phone", "8 (495) 123-45-67", "+74951234567"),
        ("email", "A@B.RU", "a@b.ru"), ("last_name", "Иванов Иван Иванович", "Иванов"),
        ("first_name", "Иванов Иван Иванович", "Иван"), ("middle_name", "Иванов Иван Иванович", "Иванович"),
        ("int_text", "12", "12"), ("int_text", 12, "12"), ("int_text", "", None), ("text", " a ", "a"),
    ],
)  # fmt: skip
def test_transforms_of_texts(transform: str, value: Any, expected: str | None) -> None:
    """Each text transform on a value it is meant for."""
    assert with_field(f"  comment: {{from: C, transform: {transform}}}\n", {"C": value}, "comment") == expected


def test_above_and_below_zero() -> None:
    """A balance is split into what is owed to us and what we owe."""
    mapping = compiled(
        """
        stream: R
        entity: settlement_balance
        key: A_Key
        fields:
          party: {ref: A_Key, to: Catalog_A}
          debit: {from: S, transform: above_zero}
          credit: {from: S, transform: below_zero}
        """
    )
    raws = [json.dumps({"A_Key": guid(1), "S": value}).encode() for value in (10.5, -3, 0, None)]
    found = [root(mapping, one(mapping, raw)) for raw in raws]
    assert [(row["debit"], row["credit"]) for row in found] == [(1050, 0), (0, 300), (0, 0), (None, None)]


def test_first_and_concat_and_cases() -> None:
    """The first that is not empty; texts joined without empty ones; the first branch that holds, else NULL."""
    lines = (
        "  legal_name: {first: [A, {concat: [B, C], separator: '-'}]}\n"
        "  status:\n    cases:\n      - {when: {D: [x, y], E: true}, then: active}\n"
        "      - {unless: {D: null}, from: D, map: {z: former}, default: inactive}\n"
    )
    mapping = compiled(PARTY + lines)

    def both(**values: Any) -> tuple[Any, Any]:
        found = root(mapping, one(mapping, json.dumps({"Ref_Key": guid(1), "Name": "n", **values}).encode()))
        return found["legal_name"], found["status"]

    assert both(A="a", B="b", D="x", E=True) == ("a", "active")
    assert both(A=" ", B="b", C="c", D="x", E=False) == ("b-c", "inactive")
    assert both(A=None, B="", C="c", D="z") == ("c", "former")
    assert both(D="") == (None, None)


@pytest.mark.parametrize(("take", "expected"), [("first", "б"), ("last", "г")])
def test_a_value_of_a_row(take: str, expected: str) -> None:
    """Of the rows that pass, the first or last that has a value."""
    line = f"  comment: {{row: T, take: {take}, when: {{K: x}}, value: V}}\n"
    table = [{"K": "y", "V": "а"}, {"K": "x", "V": ""}, {"K": "x", "V": "б"}, {"K": "x", "V": "г"}, {"K": "x"}]
    assert with_field(line, {"T": table}, "comment") == expected
    assert with_field(line, {"T": []}, "comment") is None
    assert with_field(line, {}, "comment") is None


def test_references_plain_typed_and_to_itself() -> None:
    """Empty is NULL; the type of a composite one picks the stream, an unknown type is NULL; itself is none."""
    lines = (
        "  owner: {ref: M_Key, to: Catalog_U}\n"
        "  commercial_party: {ref: O, to: [Catalog_A, Catalog_B]}\n"
        "  head_party: {ref: H_Key, to: Catalog_X, not_self: true}\n"
    )
    mapping = compiled(PARTY + lines)

    def links(**values: Any) -> tuple[dict[str, set[str]], list[Any]]:
        raw = json.dumps({"Ref_Key": guid(1), "Name": "n", **values}).encode()
        wanted = mapping.collect(mapping.decode([raw], [guid(1)]))
        found = root(mapping, one(mapping, raw))
        return wanted, [found[f"{name}_link_id"] for name in ("owner", "commercial_party", "head_party")]

    assert links(M_Key=ZERO, O="", O_Type="StandardODATA.Undefined", H_Key=guid(1)) == ({}, [None, None, None])
    assert links(M_Key=guid(7), O=guid(8), O_Type="StandardODATA.Catalog_B", H_Key=guid(9)) == (
        {"Catalog_U": {guid(7)}, "Catalog_B": {guid(8)}, "Catalog_X": {guid(9)}},
        [3, 1, 2],
    )
    assert links(O=guid(8), O_Type="UnavailableEntities.UnavailableEntity_604931cd") == ({}, [None, None, None])


def test_only_the_reference_that_is_used_is_asked_for() -> None:
    """Of alternatives, the second one is not collected while the first is filled."""
    mapping = compiled(
        PRICE.replace("{ref: Товар_Key, to: Catalog_Товар}", "{first: [{ref: A_Key, to: CA}, {ref: B_Key, to: CB}]}")
    )

    def wanted(a: str, b: str) -> dict[str, set[str]]:
        raw = json.dumps({"Ref_Key": guid(1), "A_Key": a, "B_Key": b, "Цена": 1}).encode()
        items = mapping.decode([raw], [guid(1)])
        assert {(t.stream, t.external_id) for t in mapping.required(items[0])} == {
            (stream, external) for stream, ids in mapping.collect(items).items() for external in ids
        }
        return mapping.collect(items)

    assert wanted(guid(1), guid(2)) == {"CA": {guid(1)}}
    assert wanted(ZERO, guid(2)) == {"CB": {guid(2)}}
    assert wanted(ZERO, ZERO) == {}


def test_a_link_the_caller_forgot_is_refused_not_lost() -> None:
    """A reference without a link would silently become NULL; the record is refused instead."""
    items = MONEY.decode([price(1)], [guid(1)])
    outcome = MONEY.emit(items, {})[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field, outcome.value) == ("bad_reference", "Товар_Key", guid(2))


def order(lines: list[dict[str, Any]], **more: Any) -> bytes:
    """An order with these rows."""
    head = {"Ref_Key": guid(1), "Number": "1", "Date": "2026-06-07T10:00:00", "P_Key": guid(2), "Total": 1}
    return json.dumps({**head, "Rows": lines, **more}).encode()


def test_lines_keep_their_numbers_unless_they_clash() -> None:
    """Numbers come as texts or numbers; twice the same or none at all, and all lines are numbered by position."""
    mapping = compiled(ORDER)

    def numbers(*given_numbers: Any) -> list[int]:
        lines = [{"N": number, "G_Key": guid(3), "Q": 1, "A": 1} for number in given_numbers]
        return [row["line_no"] for row in rows(mapping, one(mapping, order(lines)), "sales_order_line")]

    assert numbers("1", 3, "7") == [1, 3, 7]
    assert numbers("2", "2", "3") == [1, 2, 3]
    assert numbers(None, "2") == [1, 2]
    assert numbers() == []


def test_a_line_without_its_product_refuses_the_document() -> None:
    """A required field of a line is named with its table."""
    outcome = run(compiled(ORDER), [order([{"N": "1", "G_Key": ZERO, "Q": 1, "A": 1}])])[0]
    assert isinstance(outcome, Reject)
    assert (outcome.code, outcome.field) == ("required_blank", "Rows.G_Key")


def test_rows_of_a_set_are_distinct_by_their_key_and_keep_their_order() -> None:
    """Two writings of one phone are one contact point; a row without its value is left out."""
    mapping = compiled(
        PARTY
        + "children:\n"
        + "  contact_point:\n"
        + "    - {table: C, when: {Тип: Телефон}, make: phone, from: [П, Н]}\n"
        + "    - {table: C, when: {Тип: Почта}, make: email, from: П}\n"
        + "  party_role:\n"
        + "    - {when: A, fields: {role: {const: customer}}}\n"
        + "    - {when: B, fields: {role: {const: customer}}}\n"
        + "    - {fields: {role: {from: R, map: {x: supplier}}}}\n"
    )
    table = [
        {"Тип": "Почта", "П": "A@b.ru"},
        {"Тип": "Телефон", "П": "8 (495) 123-45-67"},
        {"Тип": "Телефон", "П": "", "Н": "+74951234567"},
        {"Тип": "Телефон", "П": " ", "Н": ""},
    ]
    raw = json.dumps({"Ref_Key": guid(1), "Name": "n", "C": table, "A": True, "B": True, "R": ""}).encode()
    mapped = one(mapping, raw)
    assert [row["value_raw"] for row in rows(mapping, mapped, "contact_point")] == ["8 (495) 123-45-67", "A@b.ru"]
    assert rows(mapping, mapped, "party_role") == [{"role": "customer"}]


def test_identifiers_keep_what_is_wrong() -> None:
    """A wrong ИНН is stored and marked; ОГРН, ОГРНИП and foreign numbers are told apart."""
    mapping = compiled(
        PARTY
        + "children:\n  party_identifier:\n"
        + "    - {make: identifier, scheme: inn, from: I}\n"
        + "    - {make: identifier, scheme: registration, from: R}\n"
    )

    def found(inn: Any, number: Any) -> list[tuple[Any, ...]]:
        raw = json.dumps({"Ref_Key": guid(1), "Name": "n", "I": inn, "R": number}).encode()
        return [tuple(row.values()) for row in rows(mapping, one(mapping, raw), "party_identifier")]

    assert found("7707083893 ", "1027700132195") == [
        ("inn", "7707083893", "7707083893", 1),
        ("ogrn", "1027700132195", "1027700132195", 1),
    ]
    assert found("7707083894", "304500116000158") == [
        ("inn", "7707083894", "7707083894", 0),
        ("ogrnip", "304500116000158", "304500116000158", 0),
    ]
    assert found("", "KZ-12 34") == [("tax_id", "KZ-12 34", "KZ-1234", None)]
    assert found(7707083893, None) == [("inn", "7707083893", "7707083893", 1)]


def test_a_marked_record_is_marked() -> None:
    """The deletion mark becomes the state of the record."""
    mapping = compiled(PARTY.replace("key: Ref_Key\n", "key: Ref_Key\ndeleted: Del\n"))
    raws = [json.dumps({"Ref_Key": guid(1), "Name": "n", "Del": flag}).encode() for flag in (True, False, None, "true")]
    assert [one(mapping, raw).record_state for raw in raws] == ["marked", "active", "active", "marked"]
