"""Made-up rows in travelling form, and what Hypothesis draws them from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Table, insert

from hub.model.fields import SCALE, Kind
from hub.store import bulk, core
from hub.store.tables import CHILDREN, ROOTS, child_columns, parent_column, root_columns
from hub.store.types import PRECISION, dump_json, kind_of

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

#: Texts as 1C bases hold them, with everything that COPY, JSON or SQL treats specially. U+0000 is tested apart.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        "",
        "\\N",
        "\\.",
        "\\",
        "\r",
        "\n",
        "\t",
        "None",
        "C:\\New\\t",
        "строка\nвторая\tтабуляция\r",
        '"кавычки" и «ёлочки»',
        "\\\x02\x03",
        "😀",
    ]
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

_big = st.integers(-(2**63), 2**63 - 1)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Any value of ``kind`` in travelling form, but not None."""
    if kind in SCALE:
        most = 10 ** PRECISION[kind] - 1
        return st.integers(-most, most)
    plain: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.INT: _big,
        Kind.BOOL: st.sampled_from([0, 1]),
        Kind.TIMESTAMP: st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(
            lambda moment: moment.replace(microsecond=0).isoformat(" ")
        ),
        Kind.DATE: st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat),
        Kind.JSON: _json.map(dump_json).filter(lambda text: text != "null"),
    }
    return plain.get(kind, texts)


def cell(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Any value that may stand in ``column``."""
    some = st.integers(-(2**31), 2**31 - 1) if str(column.type) == "INTEGER" else values(kind_of(column))
    return st.none() | some if column.nullable else some


def cells(table: Table, columns: Sequence[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Any values of ``columns``."""
    return st.tuples(*(cell(table.c[name]) for name in columns))


def every_kind() -> tuple[Table, tuple[str, ...]]:
    """A table and all its columns but ``id``: texts, numbers, flags, moments and JSON, filled and empty."""
    table = ROOTS["sales_order"]
    return table, (*root_columns(table.info["entity"]), "ext", "created_by_run", "updated_by_run", "row_version")


def order_line(order_id: int, number: int, product_link: int = 7, amount: int = 46111190) -> tuple[Any, ...]:
    """A line of an order, columns as ``order_line_columns``."""
    return (order_id, number, product_link, None, None, 1_500_000, 1000, 500_000, None, None, 99, amount, None, None, 0)


def order_line_columns() -> tuple[str, ...]:
    """Parent, number, then the registry's columns."""
    table = CHILDREN["sales_order_line"]
    return (parent_column(table.info["entity"]), "line_no", *child_columns(table.info["child"]))


def add_order(conn: Connection) -> None:
    """Order 100 of the client behind link 5, with one line of the product behind link 7."""
    columns = ("id", "number", "date", "posting_state", "party_link_id", "total", "created_by_run", "updated_by_run")
    row = (100, "УТ-1", "2026-02-03 04:05:06", "posted", 5, 46111190, 1, 1)
    bulk.insert_rows(conn, ROOTS["sales_order"], columns, [row])
    bulk.insert_rows(conn, CHILDREN["sales_order_line"], order_line_columns(), [order_line(100, 1)])


def add_system(conn: Connection, *streams: tuple[int, str], code: str = "ut", number: int = 1) -> None:
    """A system, its streams (id, name), and a pull route ``<code>.party`` with the system's number."""
    conn.execute(
        insert(core.system).values(id=number, code=code, kind="memory", title="База", timezone="Europe/Moscow")
    )
    for stream_id, name in streams:
        conn.execute(insert(core.stream).values(id=stream_id, system_id=number, name=name, entity="party"))
    conn.execute(
        insert(core.route).values(id=number, code=f"{code}.party", system_id=number, entity="party", direction="pull")
    )


def add_link(
    conn: Connection, link_id: int, external_id: str, record_id: int | None = None, stream_id: int = 1
) -> None:
    """A link, expected when it has no record."""
    state = "expected" if record_id is None else "active"
    conn.execute(
        insert(core.link).values(
            id=link_id, stream_id=stream_id, external_id=external_id, record_id=record_id, state=state, first_run=1
        )
    )


def add_parked(conn: Connection, number: int, external_id: str, waits_for: Sequence[int] = ()) -> None:
    """A record of route and stream 1 that waits for the records of these links."""
    at = NOW + timedelta(seconds=number)
    conn.execute(
        insert(core.parked).values(
            id=number, route_id=1, stream_id=1, external_id=external_id, payload="{}", first_run=1, last_run=1, at=at
        )
    )
    for link_id in waits_for:
        conn.execute(insert(core.parked_wait).values(parked_id=number, link_id=link_id))
