"""Identity rules: control digits, phones, e-mails and names as Russian bases hold them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import identity
from hub.model.identity import PersonName, Phone

_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@pytest.mark.parametrize(
    ("scheme", "value", "valid"),
    [
        ("inn", "7707083893", True),
        ("inn", "500100732259", True),
        ("inn", "7707083894", False),
        ("inn", "500100732258", False),
        ("inn", "500100732269", False),
        ("inn", "0000000000", False),
        ("inn", "0012345672", False),
        ("inn", "770708389", False),
        ("inn", "٧٧٠٧٠٨٣٨٩٣", False),
        ("kpp", "773601001", True),
        ("kpp", "7736AB001", True),
        ("kpp", "77360100", False),
        ("kpp", "7736ab001", False),
        ("ogrn", "1027700132195", True),
        ("ogrn", "1027700132196", False),
        ("ogrn", "304500116000157", False),
        ("ogrnip", "304500116000157", True),
        ("ogrnip", "304500116000158", False),
        ("snils", "11223344595", True),
        ("snils", "11223344596", False),
        ("snils", "00100199800", True),
        ("okpo", "00032537", True),
        ("okpo", "00032538", False),
    ],
)
def test_control_digits(scheme: str, value: str, valid: bool) -> None:
    """Real numbers pass, a changed digit, zeros, a wrong length or digits of another alphabet do not."""
    assert identity.identifier_valid(scheme, value) is valid


@given(st.integers(min_value=10_000_000, max_value=999_999_999), st.integers(min_value=0, max_value=9))
def test_exactly_one_last_digit_is_right(body: int, last: int) -> None:
    """Of the ten possible control digits of an ИНН exactly one passes."""
    stem = f"{body:09}"
    right = [digit for digit in range(10) if identity.inn_valid(f"{stem}{digit}")]
    assert len(right) == 1
    assert identity.inn_valid(f"{stem}{last}") is (last in right)


def test_schemes_without_control_digits_have_no_verdict() -> None:
    """A code of a catalogue is neither valid nor invalid."""
    assert identity.identifier_valid("code", "00-00000282") is None


@pytest.mark.parametrize(
    ("scheme", "value", "norm"),
    [
        ("inn", " 7707 083893 ", "7707083893"),
        ("snils", "112-233-445 95", "11223344595"),
        ("kpp", "7736ab001 ", "7736AB001"),
        ("code", " ab 12 ", "AB12"),
        ("inn", "нет", "нет"),
    ],
)
def test_writings_of_one_identifier_meet(scheme: str, value: str, norm: str) -> None:
    """Blanks, dashes and case do not make another identifier; a text without digits stays itself."""
    assert identity.identifier_norm(scheme, value) == norm


@pytest.mark.parametrize(
    ("text", "norm", "ext", "valid"),
    [
        ("8 (495) 123-45-67 доб. 12", "+74951234567", "12", True),
        ("+7(495)1234567", "+74951234567", "", True),
        ("84951234567", "+74951234567", "", True),
        ("7 495 123 45 67", "+74951234567", "", True),
        ("4951234567", "+74951234567", "", True),
        ("+8 (495) 123-45-67", "+74951234567", "", True),
        ("(4912) 55-12-34", "+74912551234", "", True),
        ("8-800-555-35-35", "+78005553535", "", True),
        ("тел. (843) 265-46-07 доб. 301", "+78432654607", "301", True),
        ("8 (499) 111-22-33 вн.105", "+74991112233", "105", True),
        ("+7 916 123-45-67 (доб.5)", "+79161234567", "5", True),
        ("8 495 123 45 67 #77", "+74951234567", "77", True),
        ("+7 (495) 644-23-22 x12", "+74956442322", "12", True),
        ("8(495)1234567;ext=3", "+74951234567", "3", True),
        ("7 701 123 45 67", "+77011234567", "", True),
        ("+375 29 123 45 67", "+375291234567", "", True),
        ("00 49 30 123456", "+4930123456", "", True),
        ("810 49 30 1234567", "+49301234567", "", True),
        ("123-45-67", "1234567", "", False),
        ("+7 495 12", "749512", "", False),
        ("+7 (195) 123-45-67", "+71951234567", "", False),
        ("нет телефона", "нет телефона", "", False),
    ],
)
def test_phones_as_people_write_them(text: str, norm: str, ext: str, valid: bool) -> None:
    """Prefixes 8, 7, +7, +8, 810 and 00, city codes and every way to say an extension come to E.164 or say no."""
    assert identity.parse_phones(text) == [Phone(norm, ext, valid)]
    assert identity.parse_phone(text) == Phone(norm, ext, valid)


def test_a_city_completes_a_short_number() -> None:
    """Seven digits and a known city are a whole number."""
    assert identity.parse_phone("123-45-67", "495") == Phone("+74951234567", "", True)


def test_two_phones_in_one_field() -> None:
    """The second number of a pair takes the code of the first."""
    assert [phone.norm for phone in identity.parse_phones("8(495)123-45-67, 123-45-68")] == [
        "+74951234567",
        "+74951234568",
    ]
    assert [phone.norm for phone in identity.parse_phones("+7 916 123-45-67; +7 926 765-43-21")] == [
        "+79161234567",
        "+79267654321",
    ]


@given(_TEXT)
def test_any_text_is_survived_and_normal_phones_stay(text: str) -> None:
    """Nothing raises; a normal form is its own normal form."""
    for phone in identity.parse_phones(text):
        assert phone.norm
        if phone.valid:
            assert identity.parse_phone(phone.norm) == Phone(phone.norm, "", True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A@B.ru", [("A@B.ru", "a@b.ru", True)]),
        ("<x@y.com>", [("<x@y.com>", "x@y.com", True)]),
        ("mailto:Ivan@почта.рф", [("mailto:Ivan@почта.рф", "ivan@почта.рф", True)]),
        ("Иван <i@x.ru>", [("Иван <i@x.ru>", "i@x.ru", True)]),
        ("a@b.ru; c@d.com", [("a@b.ru", "a@b.ru", True), ("c@d.com", "c@d.com", True)]),
        ("bad@", [("bad@", "bad@", False)]),
        ("a@b", [("a@b", "a@b", False)]),
        ("info @ mail.ru", [("info @ mail.ru", "info@mail.ru", True)]),
        ("a@b,ru", [("a@b,ru", "a@b,ru", False)]),
        ("", []),
    ],
)
def test_emails(text: str, found: list[tuple[str, str, bool]]) -> None:
    """Case, brackets and lists are taken apart; what is no address is kept and said to be none."""
    assert identity.parse_emails(text) == found


@given(_TEXT)
def test_any_text_is_survived_as_an_email(text: str) -> None:
    """Nothing raises, and a valid normal form is its own normal form."""
    for _, norm, valid in identity.parse_emails(text):
        if valid:
            assert identity.email_norm(norm) == (norm, True)


@pytest.mark.parametrize(
    ("full", "name"),
    [
        ("Иванов Иван Иванович", PersonName("Иванов", "Иван", "Иванович", "male")),
        ("Иван Иванович Иванов", PersonName("Иванов", "Иван", "Иванович", "male")),
        ("Кузьмич Иван Ильич", PersonName("Кузьмич", "Иван", "Ильич", "male")),
        ("Алиев Али Вели оглы", PersonName("Алиев", "Али", "Вели оглы", "male")),
        ("Мамедова Лейла Рашид кызы", PersonName("Мамедова", "Лейла", "Рашид кызы", "female")),
        ("Мария Петровна", PersonName("", "Мария", "Петровна", "female")),
        ("ИП Сидоров А.Б.", PersonName("Сидоров", "А.", "Б.", "")),
        ("Сидоров А. Б. ИП", PersonName("Сидоров", "А.", "Б.", "")),
        ("Индивидуальный предприниматель Ким Анна Сергеевна", PersonName("Ким", "Анна", "Сергеевна", "female")),
        ("Марина Иванова", PersonName("Иванова", "Марина", "", "")),
        ("Иванова Марина", PersonName("Иванова", "Марина", "", "")),
        ("Бондарчук Фёдор (директор)", PersonName("Бондарчук", "Фёдор", "", "")),
        ("Ким", PersonName("", "Ким", "", "")),
        ("", PersonName("", "", "", "")),
    ],
)
def test_names_are_told_apart_by_the_patronymic(full: str, name: PersonName) -> None:
    """Either order, initials, foreign patronymics and titles come to the same four parts."""
    assert identity.split_name(full) == name


@given(_TEXT)
def test_any_text_is_survived_as_a_name(text: str) -> None:
    """Nothing raises, and no part has blanks around it."""
    name = identity.split_name(text)
    assert all(part == part.strip() for part in name)
