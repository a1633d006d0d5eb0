"""What persons type for cells: money, days, flags, words, rows of sets, and a sentence for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.exchange.cards.layout import layout_of
from hub.exchange.typed import Reader
from hub.model.errors import NeedsPerson
from hub.model.fields import Kind, show
from hub.texts import catalogue


def reader(entity: str) -> Reader:
    """A reader whose company lives in Moscow; every record that is named has the link 77."""
    return Reader(layout_of(entity), "Europe/Moscow", lambda target, ident: 77)


@pytest.mark.parametrize(
    ("entity", "path", "text", "value"),
    [
        ("invoice", "total", "1 234,50", 123450),
        ("invoice", "total", "1\u00a0234.5", 123450),
        ("invoice", "total", "1.234,50", 123450),
        ("invoice", "total", "1,234.50 руб.", 123450),
        ("invoice", "total", "-0,01", -1),
        ("vat_rate", "percent", "20 %", 200000),
        ("unit", "factor_num", "0,000001", 1),
        ("party", "registered_on", "31.01.2026", "2026-01-31"),
        ("party", "registered_on", "2026-01-31", "2026-01-31"),
        ("party", "registered_on", "", None),
        ("sales_order", "date", "31.01.2026 14:30", "2026-01-31 11:30:00"),
        ("sales_order", "date", "2026-01-31T14:30:05", "2026-01-31 11:30:05"),
        ("sales_order", "date", "31.01.2026", "2026-01-30 21:00:00"),
        ("sales_order", "vat_included", "Да", 1),
        ("sales_order", "vat_included", "no", 0),
        ("party", "kind", "Person", "person"),
        ("party", "owner", "Иванов", 77),
        ("party", "comment", "  звонить ", "звонить"),
        ("party", "person_detail.birth_date", "01.02.1980", "1980-02-01"),
        ("party", "record_state", "archived", "archived"),
        ("party", "record_state", "", "active"),
        ("party", "ext.region", "Урал", "Урал"),
    ],
)
def test_a_value_is_read_by_the_kind_of_its_field(entity: str, path: str, text: str, value: object) -> None:
    """Decimal marks, blanks, days of either order, the company's clock, words in any case."""
    assert (reader(entity).read(path, text).path, reader(entity).read(path, text).value) == (path, value)


@pytest.mark.parametrize(
    ("path", "text", "cell", "value"),
    [
        (
            "contact_point[phone]",
            "8 (495) 123-45-67 доб. 12",
            "contact_point[phone,+74951234567,12]",
            ("phone", None, "8 (495) 123-45-67 доб. 12", "+74951234567", "12", 1),
        ),
        (
            "contact_point[email]",
            "Ivan@Firma.RU",
            "contact_point[email,ivan@firma.ru,]",
            ("email", None, "Ivan@Firma.RU", "ivan@firma.ru", None, 1),
        ),
        (
            "party_identifier[inn]",
            "7707083893",
            "party_identifier[inn,7707083893]",
            ("inn", "7707083893", "7707083893", 1),
        ),
        ("party_role[supplier]", "да", "party_role[supplier]", ("supplier",)),
        ("party_role[supplier]", "", "party_role[supplier]", None),
        ("contact_point[phone,+74951234567,]", "", "contact_point[phone,+74951234567,]", None),
        ("address[legal]", "Москва, Арбат, 1", "address[legal,Москва\\, Арбат\\, 1]", ("legal", "Москва, Арбат, 1")),
        ("party_relationship[contact_of]", "Ромашка", "party_relationship[contact_of,77]", ("contact_of", 77, None)),
    ],
)
def test_a_row_of_a_set_is_added_by_its_kind_and_taken_out_by_its_path(
    path: str, text: str, cell: str, value: tuple[object, ...] | None
) -> None:
    """The row is the one that a mapping would make: the same key, so that two tellings of a phone are one cell."""
    typed = reader("party").read(path, text)
    assert typed.path == cell
    told = typed.value
    assert (None if told is None else told[: len(value or ())]) == value  # type: ignore[index]


@pytest.mark.parametrize(
    ("entity", "path", "text", "code"),
    [
        ("invoice", "total", "сто", "typed_number"),
        ("invoice", "total", "1,234", "typed_places"),
        ("invoice", "total", "NaN", "typed_places"),
        ("invoice", "total", "9" * 20, "typed_big"),
        ("invoice", "total", "", "typed_required"),
        ("party", "registered_on", "31.02.2026", "typed_day"),
        ("sales_order", "date", "вчера", "typed_moment"),
        ("sales_order", "vat_included", "может быть", "typed_flag"),
        ("party", "kind", "банк", "typed_choice"),
        ("party", "record_state", "merged", "typed_choice"),
        ("party", "display_nam", "x", "typed_unknown_field"),
        ("party", "contact_point", "+7 495 1234567", "typed_row"),
        ("party", "contact_point[fon]", "+7 495 1234567", "typed_choice"),
        ("party", "contact_point[phone]", "нет", "typed_phone"),
        ("party", "contact_point[email]", "нет", "typed_email"),
        ("party", "contact_point[phone]", "", "typed_row_which"),
        ("party", "contact_point[phone,+74951234567,]", "x", "typed_row_whole"),
        ("party", "party_identifier[inn]", "7707083894", "typed_identifier"),
        ("sales_order", "sales_order_line", "x", "typed_lines"),
    ],
)
def test_what_cannot_be_is_said(entity: str, path: str, text: str, code: str) -> None:
    """Each refusal has a code of its own with a sentence in both languages that leaves no mark unfilled."""
    with pytest.raises(NeedsPerson) as caught:
        reader(entity).read(path, text)
    assert caught.value.code == code
    for lang in ("ru", "en"):
        assert "{" not in caught.value.sentence(lang) + caught.value.advice(lang)
    assert code in catalogue()


@given(st.integers(-(10**17), 10**17), st.sampled_from([" ", "\u00a0", ""]), st.sampled_from([",", "."]))
def test_money_is_read_as_it_is_shown(hundredths: int, blank: str, mark: str) -> None:
    """Whatever amount is shown, grouped by thousands or not, with comma or point: it is read as the same amount."""
    shown = show(Kind.MONEY, hundredths)
    assert shown is not None
    whole, _, part = shown.lstrip("-").partition(".")
    grouped = f"{int(whole):,}".replace(",", blank)
    text = f"{'-' if hundredths < 0 else ''}{grouped}{mark}{part}"
    assert reader("invoice").read("total", text).value == hundredths
