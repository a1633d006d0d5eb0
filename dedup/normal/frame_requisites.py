"""ИНН, КПП and ОГРН of a frame: see ``dedup.normal.requisites``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from dedup.normal.columns import put
from dedup.normal.requisites import requisites as scalar
from hub.model.identity import INN10, INN11, INN12

_KPP = r"^[0-9]{4}[0-9A-Z]{2}[0-9]{3}$"


def requisites(inn: pl.Series, kpp: pl.Series, ogrn: pl.Series) -> pl.DataFrame:
    """Columns ``inn``, ``inn_bad``, ``kpp``, ``ogrn`` of texts without nulls."""
    good = _valid_inn(inn)
    bad = (inn.str.contains("^(?:[0-9]{10}|[0-9]{12})$")) & ~good & ~_one_digit(inn)
    kpp_good = kpp.str.contains(_KPP) & ~kpp.str.starts_with("0000")
    ogrn_good = _valid_ogrn(ogrn)
    # What is neither empty nor plain goes through the scalar rule.
    odd = ((inn != "") & ~good & ~bad) | ((kpp != "") & ~kpp_good) | ((ogrn != "") & ~ogrn_good)
    columns = {
        "inn": _where(inn, good),
        "inn_bad": _where(inn, bad),
        "kpp": _where(kpp, kpp_good),
        "ogrn": _where(ogrn, ogrn_good),
    }
    rows = odd.arg_true()
    found = [scalar(*texts) for texts in zip(inn.gather(rows), kpp.gather(rows), ogrn.gather(rows), strict=True)]
    return pl.DataFrame(
        {name: put(column, rows, [getattr(one, name) for one in found]) for name, column in columns.items()}
    )


def _where(column: pl.Series, mask: pl.Series) -> pl.Series:
    return column.zip_with(mask, pl.repeat("", len(column), dtype=pl.String, eager=True))


def _one_digit(column: pl.Series) -> pl.Series:
    """Whether a text of digits is one digit repeated."""
    return column.str.contains("^(?:" + "|".join(f"{digit}+" for digit in range(10)) + ")$")


def _numbers(column: pl.Series, length: int) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """Where the text is that many digits, and the numbers there."""
    mask = column.str.contains(f"^[0-9]{{{length}}}$")
    return mask, column.filter(mask).cast(pl.Int64).to_numpy()


def _controlled(number: npt.NDArray[np.int64], weights: tuple[int, ...], at: int) -> npt.NDArray[np.bool_]:
    """Whether the digit ``at`` places from the right is the control digit of those before it."""
    total = np.zeros(len(number), dtype=np.int64)
    for place, weight in enumerate(reversed(weights), start=at + 1):
        total += number // 10**place % 10 * weight
    right: npt.NDArray[np.bool_] = total % 11 % 10 == number // 10**at % 10
    return right


def _spread(mask: pl.Series, found: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    whole = mask.to_numpy().copy()
    whole[whole] = found
    return whole


def _valid_inn(column: pl.Series) -> pl.Series:
    ten, firm = _numbers(column, 10)
    twelve, person = _numbers(column, 12)
    firm_good = _controlled(firm, INN10, 0) & (firm >= 10**8)
    person_good = _controlled(person, INN11, 1) & _controlled(person, INN12, 0) & (person >= 10**10)
    return pl.Series(_spread(ten, firm_good) | _spread(twelve, person_good))


def _valid_ogrn(column: pl.Series) -> pl.Series:
    found = np.zeros(len(column), dtype=bool)
    for length in (13, 15):
        mask, number = _numbers(column, length)
        found |= _spread(mask, (number // 10 % (length - 2) % 10 == number % 10) & (number > 0))
    return pl.Series(found)
