"""Cities and addresses of a frame: see ``dedup.normal.places``."""

from __future__ import annotations

import polars as pl

from dedup.normal import places
from dedup.normal.columns import each, put
from dedup.normal.record import code

#: Text of which both regular expressions think alike.
_PLAIN = r"^[ -~а-яА-ЯёЁ№«»]*$"


def addresses(texts: pl.DataFrame) -> pl.DataFrame:
    """Columns ``postcode``, ``city``, ``street``, ``house``, ``unit`` of the raw ``address`` and its sisters."""
    text = texts["address"]
    low = text.str.to_lowercase().str.replace_all("ё", "е", literal=True)
    plain = low.is_not_null() & text.str.contains(_PLAIN)
    groups = low.to_frame("low").select(pl.col("low").str.extract_groups(places.PLAIN_ADDRESS)).to_series().struct
    index, city, street, house, unit = (groups.field(str(n)).fill_null("") for n in range(1, 6))
    key = each(street, places.street_key)
    marked = each(city, lambda words: "x" if places.marked(words) else "") != ""
    plain &= (key != "") & ~marked
    found = {
        "postcode": index,
        "city": each(city, places.city_key),
        "street": key,
        "house": each(house, places.house_key),
        "unit": unit,
    }
    rows = (~plain & (text != "")).arg_true()
    closer = [places.address(value) for value in text.gather(rows)]
    empty = (text == "").arg_true()
    for n, (name, column) in enumerate(found.items()):
        found[name] = put(put(column, rows, [one[n] for one in closer]), empty, [""] * len(empty))
    return pl.DataFrame(found).select(_first(name, own) for name, own in _own(texts).items())


def _own(texts: pl.DataFrame) -> dict[str, pl.Series]:
    """What fields of their own say; it outranks the address."""
    return {
        "postcode": each(texts["postcode"], code),
        "city": each(texts["city"], places.city_key),
        "street": each(texts["street"], places.street_words),
        "house": each(texts["house"], places.house_key),
        "unit": each(texts["unit"], code),
    }


def _first(name: str, own: pl.Series) -> pl.Expr:
    return pl.when(pl.lit(own) != "").then(pl.lit(own)).otherwise(pl.col(name)).alias(name)
