"""Numbers of calls: every trap of what exchanges write, and equality with what cards hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import identity
from hub.model.identity import Phone
from hub.model.phones import own_numbers, read_phone, read_phones


@pytest.mark.parametrize(
    "text",
    [
        "8 (916) 123-45-67",
        "89161234567",
        "79161234567",
        "9161234567",
        "+79161234567",
        "+7 916 123 45 67",
        "８９１６１２３４５６７",
        "sip:+79161234567@10.0.0.1",
        "sip:89161234567@10.0.0.1:5060;user=phone",
        "tel:+79161234567",
        '"Иван Петров" <89161234567>',
        "<sip:+79161234567@host;transport=udp>",
        "79161234567@from-internal",
    ],
)
def test_one_mobile_in_every_spelling(text: str) -> None:
    """Prefixes, blanks, wide digits, SIP and tel addresses, a name before the number: one E.164."""
    handle = read_phone(text)
    assert (handle.kind, handle.norm, handle.ext, handle.raw) == ("phone", "+79161234567", "", text)


@pytest.mark.parametrize(
    ("text", "norm", "ext"),
    [
        ("8 (495) 123-45-67 доб. 123", "+74951234567", "123"),
        ("84951234567 ext. 45", "+74951234567", "45"),
        ("84951234567,123", "+74951234567", "123"),
        ("84951234567,,7", "+74951234567", "7"),
        ("tel:+74951234567;ext=12", "+74951234567", "12"),
        ("8-800-555-35-35", "+78005553535", ""),
        ("998901234567", "+998901234567", ""),
        ("375291234567", "+375291234567", ""),
        ("00375291234567", "+375291234567", ""),
        ("810375291234567", "+375291234567", ""),
        ("87011234567", "+77011234567", ""),
        ("77011234567", "+77011234567", ""),
        ("+12025550123", "+12025550123", ""),
        ("84951234567, 89161234567", "+74951234567", ""),
    ],
)
def test_numbers_with_extensions_and_of_other_countries(text: str, norm: str, ext: str) -> None:
    """An extension stands apart; other countries with 00, 810, 8 or nothing before them are found; of two the first."""
    assert read_phone(text)[:3] == ("phone", norm, ext)


@pytest.mark.parametrize(
    ("text", "kind", "norm"),
    [
        ("101", "extension", "101"),
        ("2001", "extension", "2001"),
        ("100500", "extension", "100500"),
        ("sip:101@192.168.0.5", "extension", "101"),
        ('"Склад" <204>', "extension", "204"),
        ("112", "service", "112"),
        ("0611", "service", "0611"),
        ("*98", "service", "*98"),
        ("*72*89161234567#", "service", "*72*89161234567#"),
        ("#31#", "service", "#31#"),
        ("7495123456", "other", "7495123456"),
        ("8495123456", "other", "8495123456"),
        ("77491234567", "other", "+77491234567"),
        ("1234567", "other", "1234567"),
        ("sip:ivan@office.example", "other", "ivan@office.example"),
        ("PJSIP/trunk", "other", "pjsip/trunk"),
    ],
)
def test_what_is_no_number_of_the_network(text: str, kind: str, norm: str) -> None:
    """Extensions, services, numbers short of a digit or of a code, names: none passes for a telephone number."""
    assert read_phone(text)[:2] == (kind, norm)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "anonymous",
        "Anonymous",
        "unknown",
        "Restricted",
        "private",
        "Unavailable",
        "<unknown>",
        '"Anonymous" <anonymous>',
        "sip:anonymous@anonymous.invalid",
        "anonymous@anonymous.invalid",
        "Номер скрыт",
        "номер не определён",
    ],
)
def test_hidden_callers_are_one_kind(text: str | None) -> None:
    """However an exchange says that a caller hides, it is ``hidden`` and no number."""
    assert read_phone(text)[:3] == ("hidden", "hidden", "")


@pytest.mark.parametrize(
    ("text", "code", "kind", "norm"),
    [
        ("1234567", "495", "phone", "+74951234567"),
        ("123-45-67", "812", "phone", "+78121234567"),
        ("551234", "4912", "phone", "+74912551234"),
        ("551234", "495", "extension", "551234"),
        ("1234", "495123", "extension", "1234"),
        ("89161234567", "495", "phone", "+79161234567"),
    ],
)
def test_the_code_of_the_line_completes_a_town_number(text: str, code: str, kind: str, norm: str) -> None:
    """Seven digits and the code of the line, or six and a code of four, are a number; an extension stays one."""
    assert read_phone(text, code)[:2] == (kind, norm)


@pytest.mark.parametrize(
    ("text", "norms"),
    [
        ("84951234567, 89161234567", ["+74951234567", "+79161234567"]),
        ("8 (495) 123-45-67 8 916 123-45-67", ["+74951234567", "+79161234567"]),
        ("84951234567;84951234568", ["+74951234567", "+74951234568"]),
        ("89161234567", ["+79161234567"]),
        ("anonymous", ["hidden"]),
        ("101", ["101"]),
    ],
)
def test_two_numbers_in_one_field(text: str, norms: list[str]) -> None:
    """Each number of a list is told, with commas, semicolons or mere blanks between them."""
    assert [handle.norm for handle in read_phones(text)] == norms


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("375291234567", Phone("+375291234567", "", True)),
        ("8495123456", Phone("8495123456", "", False)),
        ("+7 749 123 45 67", Phone("+77491234567", "", False)),
        ("8 495 123-45-67,123", Phone("+74951234567", "123", True)),
        ("８ (495) 123-45-67", Phone("+74951234567", "", True)),
    ],
)
def test_cards_read_numbers_as_calls_do(text: str, phone: Phone) -> None:
    """The traps of exchanges are the traps of what people type into cards: both are read by one rule."""
    assert identity.parse_phone(text) == phone


def test_own_numbers_in_any_spelling() -> None:
    """What the settings call ours is compared as E.164; what is no number is left out."""
    listed = ("8 (495) 111-22-33", "+74951112244", "2345678", "sales")
    assert own_numbers(listed, "495") == {"+74951112233", "+74951112244", "+74952345678"}


@given(st.text(max_size=40))
def test_any_text_is_survived(text: str) -> None:
    """Nothing raises, there is always a norm, and a phone is its own norm on cards and on calls."""
    handle = read_phone(text)
    assert handle.norm or handle.kind == "other"
    if handle.kind == "phone":
        assert read_phone(handle.norm)[:2] == ("phone", handle.norm)
        assert identity.parse_phone(handle.norm).norm == handle.norm
