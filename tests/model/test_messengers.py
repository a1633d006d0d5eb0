"""Names in messengers are compared in one form, however they are written on a card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.messengers import messenger_norm


@pytest.mark.parametrize(
    ("written", "norm"),
    [
        ("@Ivanov", "@ivanov"),
        ("https://t.me/Ivanov", "@ivanov"),
        ("t.me/ivanov/", "@ivanov"),
        ("www.telegram.me/ivanov", "@ivanov"),
        ("tg://resolve?domain=Ivanov", "@ivanov"),
        ("Телеграм: @Ivanov", "@ivanov"),
        ("telegram ivanov", "@ivanov"),
        ("tg: 123456", "telegram:123456"),
        ("tg://user?id=123456", "telegram:123456"),
        ("telegram:-100123", "telegram:-100123"),
        ("@Ivan:Example.ru", "@ivan:example.ru"),
        ("https://matrix.to/#/%40ivan%3Aexample.ru", "@ivan:example.ru"),
        ("matrix: @ivan:example.ru", "@ivan:example.ru"),
        ("matrix:u/ivan:example.ru", "@ivan:example.ru"),
        ("Ivan.Petrov", "ivan.petrov"),
        ("live:.cid.1a2b", "live:.cid.1a2b"),
        ("t.me/+79161234567", "t.me/+79161234567"),
        ("  ", ""),
    ],
)
def test_spellings_of_one_name(written: str, norm: str) -> None:
    """Links, prefixes and case mean nothing; what is no name of Telegram or Matrix stays as it is written."""
    assert messenger_norm(written) == norm


@given(st.text(max_size=60))
def test_a_norm_is_its_own_norm(text: str) -> None:
    """Whatever is written: normalising twice is normalising once, and nothing raises."""
    once = messenger_norm(text)
    assert messenger_norm(once) == once
