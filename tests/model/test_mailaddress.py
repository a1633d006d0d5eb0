from __future__ import annotations

import pytest

from hub.model.identity import parse_emails
from hub.model.mailaddress import is_own, mail_handle, nobody_reads


@pytest.mark.parametrize(
    ("written", "handle"),
    [
        ("Ivan@Firma.Example", "ivan@firma.example"),
        (" <ivan@firma.example> ", "ivan@firma.example"),
        ("ivan@xn--80a1acny.xn--p1ai", "ivan@почта.рф"),
        ("ИВАН@Почта.РФ", "иван@почта.рф"),
        ("ivan@xn--nonsense--.example", "ivan@xn--nonsense--.example"),
    ],
)
def test_a_handle_is_what_a_contact_point_is(written: str, handle: str) -> None:
    """Letters and cards write one address in many ways and have one normal form of it."""
    assert mail_handle(written) == handle
    assert [norm for _, norm, valid in parse_emails(written) if valid] in ([handle], [])


@pytest.mark.parametrize(
    ("handle", "nobody"),
    [
        ("no-reply@shop.example", True),
        ("noreply@shop.example", True),
        ("do_not_reply+5@shop.example", True),
        ("mailer-daemon@shop.example", True),
        ("bounces+123@shop.example", True),
        ("norman@shop.example", False),
        ("robotics@shop.example", False),
        ("reply@shop.example", False),
    ],
)
def test_who_says_that_nobody_reads(handle: str, nobody: bool) -> None:
    """Addresses that robots write from, and no names that merely begin like them."""
    assert nobody_reads(handle) is nobody


def test_own_addresses_and_domains() -> None:
    """An address of ours, any of a domain of ours, and not of a domain that ends like it."""
    own = frozenset({"me@a.example", "@b.example"})
    assert is_own("me@a.example", own)
    assert is_own("anyone@b.example", own)
    assert not is_own("you@a.example", own)
    assert not is_own("anyone@sub-b.example", own)
