"""Values through SQLAlchemy Core: the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy.exc import StatementError

from hub.model.fields import Kind
from hub.store import core
from hub.store.database import Store
from hub.store.tables import CHILDREN, ROOTS, metadata
from hub.store.types import canonical_json, clean_json, column_type, kind_of
from tests.store.rows import NOW

ORDER = {
    "id": 1,
    "number": "УТ-1",
    "date": NOW,
    "posting_state": "posted",
    "party_link_id": 1,
    "total": Decimal("461111.90"),
    "created_by_run": 1,
    "updated_by_run": 1,
}


def stored(store: Store, table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """What comes back of one inserted row."""
    with store.begin() as conn:
        conn.execute(insert(table).values(values))
    with store.read() as conn:
        return dict(conn.execute(select(table)).mappings().one())


def test_an_order_comes_back(store: Store) -> None:
    """Money is an exact Decimal, moments are aware and in UTC, JSON is a value, defaults are set."""
    moscow = timezone(timedelta(hours=3))
    given = {**ORDER, "date": datetime(2026, 2, 3, 1, 30, tzinfo=moscow), "ext": {"ключ": [1, None, "я"]}}
    row = stored(store, ROOTS["sales_order"], {**given, "vat_included": True})
    assert row["total"] == Decimal("461111.90")
    assert str(row["total"]) == "461111.90"
    assert (row["date"], row["date"].tzinfo) == (datetime(2026, 2, 2, 22, 30, tzinfo=UTC), UTC)
    assert row["ext"] == {"ключ": [1, None, "я"]}
    assert row["vat_included"] is True
    assert (row["record_state"], row["row_version"], row["comment"]) == ("active", 1, None)


def test_parts_of_a_second_stay_and_sort(store: Store) -> None:
    """Microseconds survive, and moments with and without them sort by time."""
    moments = [NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1)]
    columns = ROOTS["sales_order"].c
    with store.begin() as conn:
        rows = [{**ORDER, "id": number, "date": moment} for number, moment in enumerate(reversed(moments))]
        conn.execute(insert(ROOTS["sales_order"]), rows)
        assert conn.execute(select(columns.date).order_by(columns.date)).scalars().all() == moments
        assert conn.execute(select(columns.id).where(columns.date > NOW).order_by(columns.id)).scalars().all() == [0, 1]


def test_money_is_compared_and_summed_as_money(store: Store) -> None:
    """A condition and a sum speak of roubles on both databases, not of stored hundredths."""
    columns = ROOTS["sales_order"].c
    with store.begin() as conn:
        for number, total in enumerate(("10.00", "25000.00", "336.10")):
            conn.execute(insert(ROOTS["sales_order"]).values({**ORDER, "id": number, "total": Decimal(total)}))
        assert conn.execute(select(func.sum(columns.total))).scalar_one() == Decimal("25346.10")
        assert conn.execute(select(func.count()).where(columns.total > Decimal("336.09"))).scalar_one() == 2


@pytest.mark.parametrize(("given", "kept"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("7", "7.00")])
def test_more_places_are_rounded_alike(store: Store, given: str, kept: str) -> None:
    """Both databases round half away from zero."""
    row = stored(store, ROOTS["sales_order"], {**ORDER, "total": Decimal(given)})
    assert str(row["total"]) == kept


def test_days_come_back(store: Store) -> None:
    """A date is a date."""
    values = {"id": 1, "name": "Договор", "party_link_id": 1, "created_by_run": 1, "updated_by_run": 1}
    row = stored(store, ROOTS["contract"], {**values, "valid_thru": date(2026, 12, 31)})
    assert (row["valid_thru"], row["date"]) == (date(2026, 12, 31), None)


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    """A naive datetime is a mistake of ours, never a guess."""
    with pytest.raises(StatementError, match="without a time zone"):
        stored(store, ROOTS["sales_order"], {**ORDER, "date": NOW.replace(tzinfo=None)})


def test_none_in_json_is_null(store: Store) -> None:
    """None is NULL for the database, not JSON's null, and an empty object is not None."""
    row = stored(store, core.contribution, {"link_id": 1, "own": None, "shown": {}, "run_id": 1})
    assert (row["own"], row["shown"], row["sent"]) == (None, {}, None)
    with store.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM contribution WHERE own IS NULL").scalar_one() == 1


def test_no_nul_reaches_a_table(store: Store) -> None:
    """U+0000 is left out of texts and of JSON at any depth: PostgreSQL would refuse the row."""
    values = {"link_id": 1, "own": {"a\0": ["\0b", {"c": "\0"}]}, "run_id": 1}
    assert stored(store, core.contribution, values)["own"] == {"a": ["b", {"c": ""}]}
    link = {"id": 1, "stream_id": 1, "external_id": "a\0b", "first_run": 1}
    assert stored(store, core.link, link)["external_id"] == "ab"


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_knows_its_column(kind: Kind) -> None:
    """What travels in a column can be told from its type; a reference is a number, an enumeration a text."""
    from sqlalchemy import Column

    alike = {Kind.REF: Kind.INT, Kind.ENUM: Kind.TEXT}
    assert kind_of(Column("x", column_type(kind))) is alike.get(kind, kind)


def test_json_texts_of_equal_values_are_equal() -> None:
    """Order of keys and blanks do not matter, Cyrillic stays readable."""
    assert canonical_json('{"b": 1,\n "а": "\\u044f"}') == canonical_json('{"а":"я","b":1}') == '{"b":1,"а":"я"}'
    assert clean_json('{"b": 1}') == '{"b": 1}'


def test_every_table_holds_what_the_registry_says() -> None:
    """Roots have their service columns, children their key; nothing of the registry is lost."""
    for name, table in ROOTS.items():
        fields = [field.column for field in table.info["entity"].fields]
        service = ["record_state", "ext", "created_by_run", "updated_by_run", "row_version"]
        assert table.columns.keys() == ["id", *fields, *service], name
    for name, table in CHILDREN.items():
        child = table.info["child"]
        key = [f"{table.info['entity'].name}_id", child.number_column]
        assert table.columns.keys() == [*key, *(field.column for field in child.fields)], name
        assert table.primary_key.columns.keys() == key
    assert len(metadata.tables) == len(ROOTS) + len(CHILDREN) + 37
