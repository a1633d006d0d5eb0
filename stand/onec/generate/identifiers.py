"""Russian tax identifiers with their control digits (Федеральная налоговая служба, order ЕД-7-14/559@)."""

from __future__ import annotations

from stand.onec.generate.luck import Luck

_TEN = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_ELEVENTH = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_TWELFTH = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def _control(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 % 10)


def inn_of_organisation(luck: Luck, region: str) -> str:
    """Ten digits, the last one a control digit."""
    body = region + luck.digits(7)
    return body + _control(body, _TEN)


def inn_of_person(luck: Luck, region: str) -> str:
    """Twelve digits, the last two control digits."""
    body = region + luck.digits(8)
    body += _control(body, _ELEVENTH)
    return body + _control(body, _TWELFTH)


def kpp(inn: str, number: int = 1, reason: str = "01") -> str:
    """Reason code of registration: ``01`` by location, ``43`` a branch."""
    return f"{inn[:4]}{reason}{number:03d}"


def ogrn(luck: Luck, region: str, person: bool) -> str:
    """Registration number: 13 digits for organisations, 15 for sole proprietors, with the control digit."""
    body = f"{'3' if person else '1'}{luck.whole(2, 25):02d}{region}{luck.digits(9 if person else 7)}"
    return body + str(int(body) % (13 if person else 11) % 10)


def broken(inn: str) -> str:
    """The same number with a wrong last digit, as a typing error leaves it."""
    return inn[:-1] + str((int(inn[-1]) + 3) % 10)


def inn_is_right(inn: str) -> bool:
    """Whether the control digits agree."""
    if not inn.isdigit():
        return False
    if len(inn) == 10:
        return _control(inn[:9], _TEN) == inn[9]
    return len(inn) == 12 and _control(inn[:10], _ELEVENTH) + _control(inn[:11], _TWELFTH) == inn[10:]
