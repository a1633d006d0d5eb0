"""ИНН, КПП and ОГРН as they are compared; control digits are told by ``hub.model.identity``."""

from __future__ import annotations

from typing import NamedTuple

from hub.model.identity import digits, inn_restored, inn_valid, kpp_valid, ogrn_valid, ogrnip_valid

#: Reasons of a КПП (its fifth and sixth digits) that only a part of a firm is given.
BRANCH_REASONS = ("43", "44", "45")


class Requisites(NamedTuple):
    """``inn`` and ``ogrn``: valid, or empty. ``inn_bad``: an ИНН that fails its control digits, as digits; else
    empty.
    """

    inn: str
    inn_bad: str
    kpp: str
    ogrn: str


def inn(text: str) -> tuple[str, str]:
    """An ИНН as (valid, not valid), one of them empty; a leading zero that a spreadsheet took comes back."""
    number = inn_restored(digits(text))
    return (number, "") if inn_valid(number) else ("", number if len(number) >= 9 and len(set(number)) > 1 else "")


def requisites(inn_text: str, kpp_text: str, ogrn_text: str) -> Requisites:
    """The requisites of a card. ``7701234567/770101001`` in the field of the ИНН is read as both."""
    head, _, tail = inn_text.partition("/")
    good, bad = inn(head)
    kpp = (kpp_text or tail).strip().upper()
    ogrn = digits(ogrn_text)
    return Requisites(
        good,
        bad,
        kpp if kpp_valid(kpp) and not kpp.startswith("0000") else "",
        ogrn if ogrn_valid(ogrn) or ogrnip_valid(ogrn) else "",
    )
