"""Rows on their way back: tabular parts written whole, with what the mapping does not know kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.backward import Backward, Payload, Unsaid
from mappings.compiled import CompiledMapping, RefTarget, compile_profile
from mappings.finds import Found
from mappings.forward import Forward
from mappings.spec import Find
from tests.mappings.build import ONEC, ZERO, compiled, guid
from tests.mappings.run import one, rows

PROFILES = {name: compile_profile(name, "Europe/Moscow") for name in ONEC}


class AnyKind(Found):
    """A base in which whatever is looked for is found."""

    def key(self, find: Find, written: Mapping[str, Any]) -> str | None:
        return guid(99)


WAYS = {name: Backward(profile.mappings["counterparty"], AnyKind()) for name, profile in PROFILES.items()}
ORDERS = {name: Backward(PROFILES[name].mappings["sales_order"], AnyKind()) for name in ("onec_ut11", "onec_unf")}
Row = dict[str, Any]

_PHONES = ["8 (495) 123-45-67", "+7 903 000-11-22 доб. 15", "8 495 765-43-21, 8 916 222-33-44", "звонить Оле", "112"]
_MAILS = ["Info@Romashka.ru", "a@b.ru; c@d.ru", "не почта"]
_PLACES = ["196135, Санкт-Петербург г, Типанова ул, дом 18", "Москва, Тверская 1"]
_JSON = json.dumps({"value": _PLACES[0], "area": "Санкт-Петербург", "areaType": "г", "houseNumber": "18"})


def contact_row() -> st.SearchStrategy[Row]:
    """A row of contact information as bases hold them: known kinds, unknown kinds, stray columns."""

    def of(kind: str, texts: list[str], **more: Any) -> st.SearchStrategy[Row]:
        row = {"Тип": st.just(kind), "Представление": st.sampled_from(texts), "Вид_Key": st.integers(1, 9).map(guid)}
        return st.fixed_dictionaries(row | {name: st.just(value) for name, value in more.items()})

    return st.one_of(
        of("Телефон", _PHONES, НомерТелефона="", ДействуетС="2026-01-01T00:00:00"),
        of("Факс", _PHONES),
        of("АдресЭлектроннойПочты", _MAILS, АдресЭП=""),
        of("Адрес", _PLACES, Значение=_JSON, ЗначенияПолей=""),
        of("ВебСтраница", ["romashka.ru", "Romashka.RU/a"]),
        of("Другое", ["приходить днём"]),
        of("НеизвестныйВид", ["сигнальные флаги"]),
    )


def record(contacts: list[Row]) -> Row:
    """A counterparty with these contacts, numbered as 1C does."""
    table = [{"LineNumber": str(n), **row} for n, row in enumerate(contacts, 1)]
    return {"Ref_Key": guid(1), "Description": "Ромашка", "ИНН": "7707083893", "КонтактнаяИнформация": table}


def children(way: Backward, raw: Row, *names: str) -> dict[str, list[Row]]:
    """Child rows of a record by field name, references as keys."""
    found: dict[str, list[Row]] = {}
    forward: Forward = way.forward
    for spec in way.mapping.spec.children:
        if spec.child.name in names:
            made = [row for template in spec.rows for row in forward.rows(spec.child, template, raw)]
            kept: dict[Any, Row] = {}
            for row in made:
                kept.setdefault(tuple(row.get(name) for name in spec.child.key) or len(kept), row)
            found[spec.child.name] = list(kept.values())
    return found


def keys(mapping: CompiledMapping, raw: Row, child: str, *columns: str) -> set[tuple[Any, ...]]:
    """What the mapping as a whole makes of a record."""
    found = rows(mapping, one(mapping, json.dumps(raw).encode()), child)
    return {tuple(row[column] for column in columns) for row in found}


POINT = ("system", "value_norm", "ext")
SETS = ("contact_point", "address", "party_identifier")


@settings(max_examples=40)
@given(contacts=st.lists(contact_row(), max_size=7), name=st.sampled_from(sorted(WAYS)))
def test_what_a_record_shows_needs_no_writing(contacts: list[Row], name: str) -> None:
    """Map → back on the same record: nothing is written, nothing is unsaid, whatever stands in the rows."""
    way, raw = WAYS[name], record(contacts)
    assert way.payload({}, children(way, raw, *SETS), raw) == Payload()


@settings(max_examples=40)
@given(contacts=st.lists(contact_row(), max_size=7), name=st.sampled_from(sorted(WAYS)))
def test_a_created_record_shows_what_was_told(contacts: list[Row], name: str) -> None:
    """Map → back to nothing → map: the same contacts, addresses and identifiers stand in the new record."""
    way, raw = WAYS[name], record(contacts)
    wanted = children(way, raw, *SETS)
    payload = way.payload({}, wanted, None)
    assert payload.unsaid == []
    made = {"Ref_Key": guid(1), "Description": "Ромашка", **payload.fields}
    table = made.get("КонтактнаяИнформация", [])
    assert [row["LineNumber"] for row in table] == [str(n) for n in range(1, len(table) + 1)]
    again = children(way, made, *SETS)
    for child in SETS:
        assert sorted(map(repr, again[child])) == sorted(map(repr, wanted[child]))


@settings(max_examples=40)
@given(data=st.data(), name=st.sampled_from(sorted(WAYS)))
def test_an_edit_changes_what_it_says_and_keeps_the_rest(data: st.DataObject, name: str) -> None:
    """Some contacts go, some come: exactly those are shown after; unknown rows and other children stay as they were."""
    way, mapping = WAYS[name], WAYS[name].mapping
    raw = record(data.draw(st.lists(contact_row(), max_size=6)))
    other = record(data.draw(st.lists(contact_row(), max_size=4)))
    had = children(way, raw, "contact_point")["contact_point"]
    more = children(way, other, "contact_point")["contact_point"]
    wanted = [row for row in had if data.draw(st.booleans())]
    seen = {tuple(row[column] for column in POINT) for row in wanted}
    wanted += [row for row in more if tuple(row[column] for column in POINT) not in seen]
    payload = way.payload({}, {"contact_point": wanted}, raw)
    assert payload.unsaid == []
    after = {**raw, **payload.fields}
    expected = {tuple(row[column] for column in POINT) for row in wanted}
    assert keys(mapping, after, "contact_point", *POINT) == expected
    assert keys(mapping, after, "address", "text") == keys(mapping, raw, "address", "text")
    table = after["КонтактнаяИнформация"]
    assert [row["LineNumber"] for row in table] == [str(n) for n in range(1, len(table) + 1)]
    for kind in ("НеизвестныйВид", "Адрес"):
        before = [{**row, "LineNumber": ""} for row in raw["КонтактнаяИнформация"] if row["Тип"] == kind]
        assert [{**row, "LineNumber": ""} for row in table if row["Тип"] == kind] == before


def point(system: str, raw: str, norm: str, ext: str | None = None) -> Row:
    """A contact point as the store holds it."""
    return {"system": system, "value_raw": raw, "value_norm": norm, "ext": ext, "is_valid": 1, "use": None}


def test_a_changed_phone_stays_the_same_kind_of_phone() -> None:
    """The row keeps its kind and its date; what told the old number in other ways is gone; no other row is touched."""
    way = WAYS["onec_ut11"]
    old = {"Тип": "Телефон", "Вид_Key": guid(7), "Представление": "8 495 123-45-67", "НомерТелефона": "74951234567"}
    old |= {"НомерТелефонаБезКодов": "1234567", "ДействуетС": "2020-01-01T00:00:00"}
    mail = {"Тип": "АдресЭлектроннойПочты", "Вид_Key": guid(8), "АдресЭП": "A@b.ru", "Представление": "A@b.ru"}
    wanted = [point("phone", "8 495 000-00-01", "+74950000001"), point("email", "a@b.ru", "a@b.ru")]
    payload = way.payload({}, {"contact_point": wanted}, record([mail, old]))
    assert payload == Payload(
        {
            "КонтактнаяИнформация": [
                {"LineNumber": "1", **mail},
                {
                    "LineNumber": "2",
                    "Тип": "Телефон",
                    "Вид_Key": guid(7),
                    "Представление": "8 495 000-00-01",
                    "НомерТелефона": "74950000001",
                    "ДействуетС": "2020-01-01T00:00:00",
                },
            ]
        }
    )


def test_a_row_that_feeds_a_child_which_is_not_told_is_kept() -> None:
    """One row makes a phone and a role: only the phones are told, and the row, which is the role too, stays."""
    mapping = compiled(
        """
        stream: X
        entity: party
        key: Ref_Key
        fields:
          kind: {const: person}
          display_name: Name
        children:
          contact_point:
            - {table: T, make: phone, from: P}
          party_role:
            - {table: T, fields: {role: {from: R, map: {клиент: customer}}}}
        """
    )
    raw = {"T": [{"LineNumber": "1", "P": "8 495 123-45-67", "R": "клиент"}]}
    wanted = [point("phone", "8 495 000-00-01", "+74950000001")]
    payload = Backward(mapping).payload({}, {"contact_point": wanted}, raw)
    assert payload.fields["T"][0] == raw["T"][0]
    assert [row["P"] for row in payload.fields["T"][1:]] == ["8 495 000-00-01"]


def test_one_of_two_phones_in_a_row_goes_and_the_other_stays() -> None:
    """A row of two numbers becomes a row of the one that is still wanted."""
    both = {"Тип": "Телефон", "Вид_Key": guid(7), "Представление": "8 495 765-43-21, 8 916 222-33-44"}
    wanted = [point("phone", both["Представление"], "+79162223344")]
    payload = WAYS["onec_bp3"].payload({}, {"contact_point": wanted}, record([both]))
    assert [row["Представление"] for row in payload.fields["КонтактнаяИнформация"]] == ["+79162223344"]


def test_identifiers_go_into_the_fields_that_hold_them() -> None:
    """ИНН changes, КПП is added, ОКПО goes; an ОГРН takes the field of registration numbers; the code is not ours."""
    raw = {"Ref_Key": guid(1), "Code": "00-01", "ИНН": "7707083893", "КодПоОКПО": "00032537", "КПП": ""}
    told = [("inn", "7736207543"), ("kpp", "773601001"), ("ogrn", "1027700132195"), ("code", "00-01"), ("snils", "1")]
    wanted = [{"scheme": scheme, "value": value, "value_norm": value, "is_valid": None} for scheme, value in told]
    payload = WAYS["onec_unf"].payload({}, {"party_identifier": wanted}, raw)
    assert payload.fields == {
        "ИНН": "7736207543",
        "КПП": "773601001",
        "РегистрационныйНомер": "1027700132195",
        "КодПоОКПО": "",
    }
    assert [(item.field, item.value["scheme"]) for item in payload.unsaid] == [("party_identifier", "snils")]


def test_the_systems_own_code_is_never_told_to_it() -> None:
    """A code from another system is unsaid, the own one is not taken away."""
    raw = {"Ref_Key": guid(1), "Code": "00-01"}
    wanted = [{"scheme": "code", "value": "X", "value_norm": "X", "is_valid": None}]
    payload = WAYS["onec_unf"].payload({}, {"party_identifier": wanted}, raw)
    assert payload.fields == {}
    assert [(item.value["value"], item.gone) for item in payload.unsaid] == [("00-01", True), ("X", False)]


def test_roles_are_flags() -> None:
    """A role that is wanted sets its flag, one that is not clears it; a role without a flag is unsaid."""
    raw = {"Ref_Key": guid(1), "Покупатель": False, "Поставщик": True, "ПрочиеОтношения": False}
    payload = WAYS["onec_unf"].payload({}, {"party_role": [{"role": "customer"}, {"role": "carrier"}]}, raw)
    assert payload == Payload({"Покупатель": True, "Поставщик": False}, [Unsaid("party_role", {"role": "carrier"})])


def test_a_relation_and_a_field_cannot_name_two_owners() -> None:
    """The owner of a contact person is told once; a relation to somebody else is unsaid."""
    way = Backward(PROFILES["onec_ut11"].mappings["contact_person"], AnyKind())
    one_owner, other = RefTarget("Catalog_Партнеры", guid(2)), RefTarget("Catalog_Партнеры", guid(3))
    relation = {"type": "contact_of", "to_party": other, "position": None}
    payload = way.payload({"commercial_party": one_owner}, {"party_relationship": [relation]}, {"Owner_Key": ZERO})
    assert payload.fields == {"Owner_Key": guid(2)}
    assert {item.field for item in payload.unsaid} == {"party_relationship"}


# --- lines ----------------------------------------------------------------------------------------------------------

GOODS = {"onec_ut11": "Товары", "onec_unf": "Запасы"}


def line(number: int, product: int, qty: int, amount: int, **more: Any) -> Row:
    """A line of an order as the store holds it; ``qty`` in millionths, ``amount`` in hundredths."""
    return {"line_no": number, "product": RefTarget("Catalog_Номенклатура", guid(product)), "qty": qty} | {
        "amount": amount,
        **more,
    }


_LINE = st.builds(line, st.just(0), st.integers(1, 5), st.integers(1, 9_999_999), st.integers(0, 10**9))


def numbered(lines: list[Row]) -> list[Row]:
    """Lines with their numbers."""
    return [{**row, "line_no": number} for number, row in enumerate(lines, 1)]


def shown(way: Backward, raw: Row) -> list[Row]:
    """The lines that the whole mapping makes of an order, by what they are told as."""
    mapping = way.mapping
    whole = {"Ref_Key": guid(1), "Number": "1", "Date": "2026-01-01T00:00:00", "Контрагент_Key": guid(9), **raw}
    mapped = one(mapping, json.dumps({**whole, "СуммаДокумента": 1}).encode())
    return [
        {name: row[name] for name in ("line_no", "qty", "amount")} for row in rows(mapping, mapped, "sales_order_line")
    ]


@settings(max_examples=40)
@given(lines=st.lists(_LINE, max_size=6), name=st.sampled_from(sorted(ORDERS)))
def test_lines_of_a_created_order(lines: list[Row], name: str) -> None:
    """Back to nothing, then map: the same lines in the same order, and told again nothing is written."""
    way, wanted = ORDERS[name], numbered(lines)
    payload = way.payload({}, {"sales_order_line": wanted})
    assert payload.unsaid == []
    assert shown(way, payload.fields) == [{key: row[key] for key in ("line_no", "qty", "amount")} for row in wanted]
    assert way.payload({}, {"sales_order_line": wanted}, payload.fields) == Payload()


@settings(max_examples=40)
@given(data=st.data(), name=st.sampled_from(sorted(ORDERS)))
def test_lines_of_a_changed_order(data: st.DataObject, name: str) -> None:
    """Lines change, go and come; each that stays keeps what the mapping does not tell; numbers run from 1."""
    way, table = ORDERS[name], GOODS[name]
    had = numbered(data.draw(st.lists(_LINE, min_size=1, max_size=5)))
    raw = way.payload({}, {"sales_order_line": had}).fields
    for number, row in enumerate(raw[table]):
        row["СвойРеквизит"] = f"своё {number}"
    kept = [{**row, "amount": data.draw(st.integers(0, 10**6))} for row in had if data.draw(st.booleans())]
    new = [{**row, "line_no": 50 + n} for n, row in enumerate(data.draw(st.lists(_LINE, max_size=3)))]
    payload = way.payload({}, {"sales_order_line": kept + new}, raw)
    assert payload.unsaid == []
    after = {**raw, **payload.fields}
    assert [row["LineNumber"] for row in after[table]] == [str(n) for n in range(1, len(kept + new) + 1)]
    own = [row.get("СвойРеквизит") for row in after[table]]
    assert own == [*(f"своё {row['line_no'] - 1}" for row in kept), *(None for _ in new)]
    assert [(row["qty"], row["amount"]) for row in shown(way, after)] == [
        (row["qty"], row["amount"]) for row in kept + new
    ]


def test_lines_of_two_tabular_parts_stay_where_they_are() -> None:
    """Goods and works of one order: each line is changed in its own part; a part that does not change is not sent."""
    raw: Row = {
        "Запасы": [
            {"LineNumber": "1", "Номенклатура": guid(1), "Номенклатура_Type": "StandardODATA.Catalog_Номенклатура"}
            | {"Количество": 1, "Сумма": 10, "Всего": 12, "ЕдиницаИзмерения": guid(7)}
        ],
        "Работы": [{"LineNumber": "1", "Номенклатура_Key": guid(2), "Количество": 1, "Всего": 5}],
    }
    way = ORDERS["onec_unf"]
    payload = way.payload({}, {"sales_order_line": [line(1, 1, 1_000_000, 1200), line(2, 2, 3_000_000, 1500)]}, raw)
    assert payload == Payload(
        {"Работы": [{"LineNumber": "1", "Номенклатура_Key": guid(2), "Количество": 3, "Всего": 15, "Сумма": 15}]}
    )


def test_a_line_is_known_by_its_key_not_by_its_place() -> None:
    """Line 1 was taken out elsewhere: what is now line 1 is still the row with its own key, kept with all it has."""
    raw = {
        "Товары": [
            {"LineNumber": "1", "КодСтроки": "1", "Номенклатура_Key": guid(1), "КоличествоУпаковок": 1, "СуммаСНДС": 1},
            {"LineNumber": "2", "КодСтроки": "2", "Номенклатура_Key": guid(2), "КоличествоУпаковок": 2, "СуммаСНДС": 2},
        ]
    }
    wanted = [line(1, 2, 2_000_000, 200, line_key="2")]
    payload = ORDERS["onec_ut11"].payload({}, {"sales_order_line": wanted}, raw)
    assert payload.fields["Товары"] == [{**raw["Товары"][1], "LineNumber": "1"}]
    assert payload.unsaid == []


def test_packs_and_amounts_follow_in_proportion() -> None:
    """Twice the packs is twice the units, and an amount with VAT takes the one without along."""
    row = {"LineNumber": "1", "Номенклатура_Key": guid(1), "КоличествоУпаковок": 2, "Количество": 24}
    raw = {"Товары": [{**row, "СуммаСНДС": 120, "Сумма": 100}]}
    wanted = [line(1, 1, 4_000_000, 24000)]
    changed = ORDERS["onec_ut11"].payload({}, {"sales_order_line": wanted}, raw).fields["Товары"][0]
    assert (changed["КоличествоУпаковок"], changed["Количество"]) == (4, 48)
    assert (changed["СуммаСНДС"], changed["Сумма"]) == (240, 200)


def pack(number: int, factor: Fraction | None) -> RefTarget:
    """A unit as whoever writes names it."""
    return RefTarget("Catalog_УпаковкиЕдиницыИзмерения", guid(number), factor)


@pytest.mark.parametrize(
    ("unit", "packs", "pieces"),
    [(pack(7, Fraction(12)), 5, 60), (pack(7, Fraction(1, 3)), 2, 0.667), (pack(7, Fraction(1)), 5, 5), (None, 5, 5)],
)
def test_a_new_line_tells_its_packs_in_pieces(unit: RefTarget | None, packs: int, pieces: float) -> None:
    """Stock moves by Количество: five packs of twelve are sixty; without a unit they are told in pieces anyway."""
    wanted = [line(1, 1, packs * 1_000_000, 60000, unit=unit)]
    [row] = ORDERS["onec_ut11"].payload({}, {"sales_order_line": wanted}, None).fields["Товары"]
    assert (row["КоличествоУпаковок"], row["Количество"]) == (packs, pieces)


def test_a_line_that_changes_its_unit_counts_anew() -> None:
    """Five pieces become five packs; a line that keeps its unit goes on in proportion, whatever the unit says."""
    row = {"LineNumber": "1", "Номенклатура_Key": guid(1), "Упаковка_Key": guid(8), "Количество": 5, "СуммаСНДС": 600}
    raw = {"Товары": [{**row, "КоличествоУпаковок": 5}]}
    way = ORDERS["onec_ut11"]
    changed = way.payload({}, {"sales_order_line": [line(1, 1, 5_000_000, 60000, unit=pack(7, Fraction(12)))]}, raw)
    assert (changed.fields["Товары"][0]["Упаковка_Key"], changed.fields["Товары"][0]["Количество"]) == (guid(7), 60)
    kept = way.payload({}, {"sales_order_line": [line(1, 1, 10_000_000, 60000, unit=pack(8, None))]}, raw)
    assert kept.fields["Товары"][0]["Количество"] == 10


def test_a_pack_of_nobody_knows_how_many_is_not_told() -> None:
    """No line is better than one that moves five pieces instead of sixty; the admin reads that it was left out."""
    wanted = [line(1, 1, 5_000_000, 60000, unit=pack(7, None))]
    payload = ORDERS["onec_ut11"].payload({}, {"sales_order_line": wanted}, None)
    assert [one.field for one in payload.unsaid] == ["sales_order_line"]
    assert not payload.fields.get("Товары")


def test_the_first_number_of_a_sum_takes_what_the_others_leave() -> None:
    """The discount by hand is what is wanted less the discount by rule."""
    row = {"LineNumber": "1", "Номенклатура_Key": guid(1), "КоличествоУпаковок": 1, "СуммаСНДС": 90}
    raw = {"Товары": [{**row, "СуммаАвтоматическойСкидки": 3.5, "СуммаРучнойСкидки": 0}]}
    wanted = [line(1, 1, 1_000_000, 9000, discount_amount=1000)]
    payload = ORDERS["onec_ut11"].payload({}, {"sales_order_line": wanted}, raw)
    assert payload.unsaid == []
    assert payload.fields["Товары"] == [{**raw["Товары"][0], "СуммаРучнойСкидки": 6.5}]


def test_rows_that_are_no_lines_are_kept() -> None:
    """Rows that a condition of the template passes over stand where they stood."""
    mapping = compiled(
        """
        stream: X
        entity: sales_order
        key: Ref_Key
        date: D
        total: T
        fields:
          number: N
          date: D
          posting_state: {const: posted}
          party: {ref: P_Key, to: Catalog_Контрагенты}
          total: T
        children:
          sales_order_line:
            - table: L
              when: {K: товар}
              number: LineNumber
              fields:
                product: {ref: G_Key, to: Catalog_Номенклатура}
                qty: Q
                amount: A
              initial: {K2: новая}
        """
    )
    note = {"LineNumber": "1", "K": "заметка", "Текст": "хрупкое"}
    goods = {"LineNumber": "2", "K": "товар", "G_Key": guid(1), "Q": 1, "A": 1}
    wanted = [line(2, 1, 2_000_000, 100), line(3, 2, 1_000_000, 100)]
    payload = Backward(mapping).payload({}, {"sales_order_line": wanted}, {"L": [note, goods]})
    assert payload == Payload(
        {
            "L": [
                note,
                {**goods, "Q": 2},
                {"LineNumber": "3", "K": "товар", "K2": "новая", "G_Key": guid(2), "Q": 1, "A": 1},
            ]
        }
    )


def test_what_a_line_cannot_tell_is_told_as_unsaid() -> None:
    """A unit from a catalogue that the base's lines do not refer to, and a line without a product."""
    way, unit = ORDERS["onec_ut11"], RefTarget("Catalog_Чужой", guid(3))
    broken = {"line_no": 2, "qty": 1_000_000, "amount": 5}
    payload = way.payload({}, {"sales_order_line": [line(1, 1, 1_000_000, 100, unit=unit), broken]})
    assert len(payload.fields["Товары"]) == 1
    assert payload.unsaid == [
        Unsaid("sales_order_line", {"line_no": 1, "unit": unit}),
        Unsaid("sales_order_line", broken),
    ]
