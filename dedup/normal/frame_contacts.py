"""Phones and e-mails of a frame: see ``dedup.normal.contacts``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from dedup.normal import contacts
from dedup.normal.columns import put

_PHONE, _EMAIL, _DOMAIN = 0, 1, 2
#: One Russian number, with or without the code of the country, perhaps with an extension.
_PLAIN_PHONE = (
    r"^ {0,3}(?:\+?7|8)?[ (-]{0,2}[34689][0-9]{2}[ )-]{0,2}[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2} {0,3}"
    r"(?:(?:доб|вн)\.? ?[0-9]{1,8})?$"
)
_EXTENSION = r"(?:доб|вн).*$"
_PLAIN_EMAIL = r"^[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}$"


def phones(texts: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Rows of contacts out of texts without nulls, and for each text the area code of its first landline."""
    plain = texts.str.contains(_PLAIN_PHONE)
    number = texts.filter(plain).str.replace(_EXTENSION, "").str.replace_all("[^0-9]", "").str.slice(-10)
    row = plain.arg_true().cast(pl.UInt32)
    usable = _usable(number)
    norm = ("+7" + number).filter(usable)
    rows = (~plain & (texts != "")).arg_true().cast(pl.UInt32)
    closer = [[phone.norm for phone in contacts.phones(text)] for text in texts.gather(rows)]
    areas = _areas(number.filter(usable), row.filter(usable), len(texts))
    first = [next(filter(None, map(contacts.area, found)), "") for found in closer]
    found = pl.concat([_rows(row.filter(usable), _PHONE, norm), _several(rows, _PHONE, closer)])
    return found, put(areas, rows, first)


def _usable(national: pl.Series) -> pl.Series:
    """The rule of ``contacts.phone_usable`` over the ten national digits, which are valid here."""
    number = national.cast(pl.Int64).to_numpy()
    seen = np.zeros(len(number), dtype=np.int64)
    for place in range(7):
        seen |= np.left_shift(np.int64(1), number // 10**place % 10)
    different = _popcount(seen) > 2
    counting = np.isin(number % 10**7, [int(tail) for tail in contacts.COUNTING])
    return pl.Series(different & ~counting, dtype=pl.Boolean)


def _popcount(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table = np.array([n.bit_count() for n in range(1024)], dtype=np.int64)
    return table[bits]


def _areas(national: pl.Series, rows: pl.Series, height: int) -> pl.Series:
    whole = pl.repeat("", height, dtype=pl.String, eager=True)
    landline = national.str.contains("^[34]")
    return whole.scatter(rows.filter(landline), national.filter(landline).str.slice(0, 3))


def _rows(row: pl.Series, what: int, value: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"row": row, "what": pl.repeat(what, len(row), dtype=pl.UInt8, eager=True), "value": value})


def _several(rows: pl.Series, what: int, values: list[list[str]]) -> pl.DataFrame:
    """A row of contacts for each different value of each list."""
    flat = [(row, value) for row, found in zip(rows, values, strict=True) for value in dict.fromkeys(found)]
    return _rows(
        pl.Series([row for row, _ in flat], dtype=pl.UInt32),
        what,
        pl.Series([value for _, value in flat], dtype=pl.String),
    )


def emails(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of contacts for mailboxes and for corporate domains out of texts without nulls."""
    low = texts.str.to_lowercase()
    plain = texts.str.contains(r"^[ -~]*$") & low.str.contains(_PLAIN_EMAIL)
    halves = low.filter(plain).str.split_exact("@", 1).struct
    local, name = halves.field("field_0"), halves.field("field_1")
    frame = pl.DataFrame({"row": plain.arg_true().cast(pl.UInt32), "local": local, "name": name})
    table = [(value, *contacts.domain(value)) for value in name.unique()]
    known = pl.DataFrame(table, schema={"name": pl.String, "domain": pl.String, "nature": pl.String}, orient="row")
    frame = frame.join(known, on="name", how="left", maintain_order="left").with_columns(value=_boxes())
    nobody = pl.col("value").str.contains(contacts.NOBODY) | (pl.col("local") + "@" + pl.col("name")).str.contains(
        contacts.NOBODY
    )
    frame = frame.filter((pl.col("nature") != "nobody") & ~nobody)
    rows = (~plain & (texts != "")).arg_true().cast(pl.UInt32)
    closer = [contacts.emails(text) for text in texts.gather(rows)]
    firm = frame.filter(pl.col("nature") == "corporate")
    return (
        pl.concat(
            [
                _rows(frame["row"], _EMAIL, frame["value"]),
                _several(rows, _EMAIL, [[box.norm for box in found] for found in closer]),
            ]
        ),
        pl.concat(
            [
                _rows(firm["row"], _DOMAIN, firm["domain"]),
                _several(
                    rows, _DOMAIN, [[box.domain for box in found if box.nature == "corporate"] for found in closer]
                ),
            ]
        ),
    )


def _boxes() -> pl.Expr:
    """The rule of ``contacts.local_part``, and the mailbox it makes."""
    local, at = pl.col("local"), pl.col("domain")
    untagged = local.str.splitn("+", 2).struct.field("field_0")
    gmail = untagged.str.replace_all(".", "", literal=True)
    yandex = pl.when(untagged != "").then(untagged).otherwise(local).str.replace_all("-", ".", literal=True)
    part = (
        pl.when((at == "gmail.com") & (gmail != "")).then(gmail)
        .when(at == "yandex.ru").then(yandex)
        .otherwise(local)
    )  # fmt: skip
    return part + "@" + at
