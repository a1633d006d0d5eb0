"""Quarantine as a person sees it: groups of one cause, their oldest records, all of them in a stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from hub.store import core
from hub.store.database import Store
from hub.store.quarantined import Choice, by_ids, decided_number, every, groups, key_of, label, quarantined

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def filled(store: Store) -> Store:
    """Two routes: seven orders of one cause, two of another, one client without a field, one resolved, one left out."""
    with store.begin() as conn:
        system = insert(core.system).returning(core.system.c.id)
        number = conn.execute(system.values(code="ut", kind="memory", title="", timezone="UTC")).scalar_one()
        for code, stream in (("ut.party", "Catalog_К"), ("ut.sales_order", "Document_З")):
            route = insert(core.route).returning(core.route.c.id)
            made = {"code": code, "system_id": number, "entity": code[3:], "direction": "pull"}
            route_id = conn.execute(route.values(**made)).scalar_one()
            rows = insert(core.stream).returning(core.stream.c.id)
            stream_id = conn.execute(rows.values(system_id=number, name=stream)).scalar_one()
            for place, (reason, field, state) in enumerate(RECORDS[code]):
                conn.execute(
                    insert(core.quarantine).values(
                        route_id=route_id,
                        stream_id=stream_id,
                        external_id=f"{stream}-{place}",
                        reason_code=reason,
                        field=field,
                        value=f"v{place}",
                        params={"n": place},
                        payload=f'{{"Number": "{place}", "Date": "d"}}',
                        state=state,
                        attempts=place + 1,
                        first_run=1,
                        last_run=1,
                        first_at=AT - timedelta(days=place),
                        last_at=AT,
                    )
                )
    return store


Kept = tuple[str, str | None, str]
RECORDS: dict[str, list[Kept]] = {
    "ut.party": [("bad_json", None, "open"), ("bad_json", None, "skipped"), ("bad_date", "Date", "resolved")],
    "ut.sales_order": [("bad_date", "Дата", "open"), ("bad_number", "Сумма", "open")],
}
RECORDS["ut.sales_order"][:0] = [("bad_date", "Date", "open")] * 7


def test_records_of_one_cause_are_one_group(filled: Store) -> None:
    """By route, reason and field, the largest first, with age, the most attempts and its three oldest."""
    with filled.read() as conn:
        found = groups(conn, Choice())
    assert [(one.route, one.reason_code, one.field, one.number) for one in found] == [
        ("ut.sales_order", "bad_date", "Date", 7),
        ("ut.party", "bad_json", "", 1),
        ("ut.sales_order", "bad_date", "Дата", 1),
        ("ut.sales_order", "bad_number", "Сумма", 1),
    ]
    largest = found[0]
    assert (largest.oldest, largest.attempts) == (AT - timedelta(days=6), 7)
    assert [sample.value for sample in largest.samples] == ["v6", "v5", "v4"]
    assert [len(one.samples) for one in found] == [3, 1, 1, 1]


def test_a_choice_narrows_groups_and_samples_alike(filled: Store) -> None:
    """By route, cause and id."""
    with filled.read() as conn:
        for choice, number in (
            (Choice(("ut.party",)), 1),
            (Choice(causes=("bad_date",)), 8),
            (Choice(("ut.sales_order",), ("bad_number",)), 1),
            (Choice(external_ids=("Document_З-0", "Document_З-1")), 2),
            (Choice(("ut.party",), ("bad_number",)), 0),
        ):
            found = groups(conn, choice)
            assert sum(one.number for one in found) == number
            assert all(one.samples for one in found)
            assert len(quarantined(conn, choice)) == number
        assert decided_number(conn, Choice()) == 1


def test_all_of_it_comes_part_by_part_while_other_things_are_asked(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is that of the list; the connection is free for other questions meanwhile."""
    monkeypatch.setattr("hub.store.quarantined._PART", 4)
    parts: list[list[Any]] = []
    with filled.read() as conn:
        for part in every(conn, Choice()):
            parts.append(part)
            assert conn.execute(select(core.system.c.code)).scalar_one() == "ut"
        listed = quarantined(conn, Choice())
    assert [len(part) for part in parts] == [4, 4, 2]
    assert [item for part in parts for item in part] == listed


def test_a_key_tells_a_form(filled: Store) -> None:
    """Another payload, reason or field is another key; the same row has the same key whenever it is read."""
    with filled.read() as conn:
        (item,) = by_ids(conn, [quarantined(conn, Choice(("ut.party",)))[0].id]).values()
    assert item.key == key_of(item.id, item.payload, item.reason_code, item.field)
    others = {
        key_of(item.id, item.payload + " ", item.reason_code, item.field),
        key_of(item.id, item.payload, "other", item.field),
        key_of(item.id, item.payload, item.reason_code, "other"),
        key_of(item.id + 1, item.payload, item.reason_code, item.field),
    }
    assert len(others | {item.key}) == 5


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ('{"Number": "7", "Date": "d", "Description": "x"}', "7 · d"),
        ('{"Code": "7", "Description": "x"}', "7 · x"),
        ('{"Description": "x"}', "x"),
        ("{", ""),
        ("[1]", ""),
        (None, ""),
    ],
)
def test_a_record_is_called_as_in_its_system(payload: str | None, shown: str) -> None:
    """Number and date of a document, code and name of a catalogue item, nothing of what cannot be read."""
    assert label(payload) == shown
