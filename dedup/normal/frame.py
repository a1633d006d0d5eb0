"""A frame of raw records, normalised column by column: the vectorised twin of ``dedup.normal.record``.

The scalar functions are the definition. A column is done in three ways that give what they give: plain values by an
expression that repeats the scalar rule, words and domains by calling it once for each different one, and the few values
that are not plain by calling it. A test holds both equal on any input.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from dedup.normal.columns import each
from dedup.normal.frame_contacts import emails, phones
from dedup.normal.frame_names import names, parts
from dedup.normal.frame_places import addresses
from dedup.normal.frame_requisites import requisites
from dedup.normal.record import RAW, birthday, code
from dedup.normal.requisites import BRANCH_REASONS

#: What a contact is, as ``Normal.contacts.what``.
PHONE, EMAIL, DOMAIN = 0, 1, 2


class Normal(NamedTuple):
    """``main``: a row for each record, in their order, with the text columns of ``Record`` and ``row`` (u32).

    ``contacts``: ``row``, ``what`` (phone 0, e-mail 1, corporate domain 2), ``value``; each once.
    """

    main: pl.DataFrame
    contacts: pl.DataFrame


def normalise(raw: pl.DataFrame) -> Normal:
    """A frame with columns of ``RAW``, which may be absent or hold lists, in its own order."""
    texts = raw.select(_text(raw, field) for field in RAW)
    known = requisites(texts["inn"], texts["kpp"], texts["ogrn"])
    named = names(texts["kind"], texts["name"], known["inn"])
    apart = (texts["last_name"] != "") | (texts["first_name"] != "")
    if apart.any():
        named = parts(texts.with_columns(apart=apart), named)
    reasoned = known["kpp"].str.slice(4, 2).is_in(list(BRANCH_REASONS))
    named = named.with_columns(branch=named["branch"] | reasoned)
    calls, areas = phones(texts["phone"])
    main = pl.concat(
        [
            pl.DataFrame({"row": pl.int_range(raw.height, dtype=pl.UInt32, eager=True)}),
            named,
            known,
            pl.DataFrame({"birthday": each(texts["birthday"], birthday)}),
            addresses(texts),
            pl.DataFrame({"fias": each(texts["fias"], code), "area": areas}),
        ],
        how="horizontal",
    )
    return Normal(main, pl.concat([calls, *emails(texts["email"])]))


def _text(raw: pl.DataFrame, field: str) -> pl.Expr:
    """A column as text without nulls; a list as its items between semicolons."""
    if field not in raw.columns:
        return pl.lit("").alias(field)
    column = pl.col(field)
    if isinstance(raw.schema[field], pl.List):
        column = column.cast(pl.List(pl.String)).list.eval(pl.element().filter(pl.element() != "")).list.join(";")
    return column.cast(pl.String).fill_null("").alias(field)
