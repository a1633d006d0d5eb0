"""The vectorised normal forms are the scalar ones."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.clients import make
from dedup.normal import frame, record
from dedup.normal.letters import skeleton
from hub.model import identity

_ODD = st.text(max_size=30)
_NEAR = st.text(alphabet="аиоеёвнскмтИОНВAaBoOxсь\"«»№.,-()0123456789 @/+'’ёЁгдул", max_size=30)


def _like(*samples: str) -> st.SearchStrategy[str]:
    """Texts people type, cut, joined and spoiled."""
    return st.one_of(
        st.sampled_from(samples),
        st.lists(st.sampled_from([word for sample in samples for word in sample.split(" ")]), max_size=7).map(" ".join),
        _NEAR,
        _ODD,
    )


_RAW = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["org", "ip", "person", "", "Company"]),
        "name": _like(
            'ООО "Ромашка-2"',
            "Иванов И.И. оглы",
            "ИП Мария Иванова",
            "Общество с ограниченной ответственностью",
            "филиал Тюмень",
            "Ivanova Yulia Ильич",
        ),
        "inn": _like("7707083893", "500100732259", "7707083893/770701001", "50010073225", "1111111111"),
        "kpp": _like("770701001", "770743001", "000000000"),
        "ogrn": _like("1027700132195", "304500116000157"),
        "phone": _like(
            "8 (495) 123-45-89 доб. 12", "+74951234589", "4951234589", "8 9161234589, 223-45-89", "+375 29 1234589"
        ),
        "email": _like("ivan-p+x@ya.ru", "I.P+x@googlemail.com", "info@почта.рф", "no@mail.ru", "+@gmail.com"),
        "city": _like("г. Санкт-Петербург", "СПб", "Ростов-на-Дону"),
        "address": _like(
            "144772, г. Томск, ул. Мира, д. 94, оф. 3", "Ижевск, Горького 8-155", "Московская обл., пр-т Мира, 5а"
        ),
        "birthday": _like("1980-12-31", "31.12.1980", "0001-01-01"),
        "unit": _like("12 Б", " 7"),
    }
)


def _assert_same(raws: list[dict[str, Any]]) -> None:
    found = frame.normalise(pl.DataFrame(raws))
    contacts: dict[tuple[int, int], list[str]] = {}
    for row, what, value in found.contacts.sort("row", maintain_order=True).iter_rows():
        contacts.setdefault((row, what), []).append(value)
    for row, (raw, columns) in enumerate(zip(raws, found.main.iter_rows(named=True), strict=True)):
        scalar = record.normalise(raw, row)
        del columns["row"]
        assert columns == {name: getattr(scalar, name) for name in columns}, raw
        for what, name in ((frame.PHONE, "phones"), (frame.EMAIL, "emails"), (frame.DOMAIN, "domains")):
            assert tuple(contacts.get((row, what), ())) == getattr(scalar, name), raw


@settings(deadline=None, max_examples=80)
@given(st.lists(_RAW, min_size=1, max_size=12))
def test_a_frame_is_normalised_as_its_records_are(raws: list[dict[str, Any]]) -> None:
    """Whatever stands in a base, a column done at once gives what each value alone gives."""
    _assert_same(raws)


def test_generated_clients_are_normalised_alike() -> None:
    """All spellings of the generator, too."""
    _assert_same(make(3000, 5).to_dicts())


def test_parts_in_fields_of_their_own() -> None:
    """Surname and first name that the source keeps apart are not looked for in a text; lists are read item by item."""
    raws = [
        {"last_name": "Иванова", "first_name": "Маша", "middle_name": "", "phone": ["89161234589", "+74951234589"]},
        {"last_name": "", "first_name": "", "middle_name": "", "phone": []},
    ]
    _assert_same(raws)
    assert record.normalise(raws[0]).first == "marx"


@given(st.text(max_size=20))
def test_a_skeleton_is_ascii_and_stays_what_it_is_in_length(word: str) -> None:
    """Distances count letters: every skeleton is ASCII."""
    assert skeleton(word.lower()).isascii()


def test_control_digits_agree_with_an_independent_implementation() -> None:
    """Random and valid numbers are judged as python-stdnum judges them, offices 00 apart."""
    inn = pytest.importorskip("stdnum.ru.inn", reason="python-stdnum is not installed: no independent control digits")
    ogrn = pytest.importorskip("stdnum.ru.ogrn", reason="python-stdnum is not installed: no independent control digits")
    rng = random.Random(1)
    for length in (10, 12):
        for _ in range(4000):
            number = f"{rng.randrange(10**length):0{length}}"
            assert identity.inn_valid(number) == (inn.is_valid(number) and not number.startswith("00"))
    for length, valid in ((13, identity.ogrn_valid), (15, identity.ogrnip_valid)):
        seen = 0
        for _ in range(20_000):
            number = f"{rng.choice('15' if length == 13 else '34')}{rng.randrange(10 ** (length - 1)):0{length - 1}}"
            # The oracle compares a remainder of ten and more as it is; the register takes its last digit.
            if length == 13 or int(number[:-1]) % 13 < 10:
                assert valid(number) == ogrn.is_valid(number)
                seen += valid(number)
        assert seen > 500
