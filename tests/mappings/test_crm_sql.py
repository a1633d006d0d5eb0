"""The profile of a plain CRM's tables, over the database of the CRM stand: read whole, and back without loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Change, ReadRequest
from connectors.sql_tables.config import SqlSettings
from connectors.sql_tables.connector import SqlTables
from mappings.backward import Backward
from mappings.compiled import CompiledMapping, CompiledProfile, Mapped, RefTarget, compile_profile
from stand.crm import build_crm
from tests.mappings.build import compiled
from tests.mappings.run import one, root, rows, run


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[SqlTables]:
    """A connector to a CRM of its own."""
    build_crm(tmp_path / "crm.db")
    made = SqlTables(SqlSettings(f"sqlite:///{tmp_path}/crm.db", title="CRM", timezone="Europe/Moscow"))
    yield made
    made.close()


@pytest.fixture
def profile(crm: SqlTables) -> CompiledProfile:
    """The profile, fitted to what that database publishes."""
    return compile_profile("crm_sql", "Europe/Moscow", None, crm.streams())


def raws(crm: SqlTables, mapping: CompiledMapping) -> list[bytes]:
    """All records of a mapping's stream, as it asks for them."""
    request = ReadRequest(mapping.stream, mapping.select, mapping.key)
    return [bytes(raw) for page in crm.read(request) for raw in page.records]


def told(mapping: CompiledMapping, raw: bytes) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """What the record says of all that can be written back: root fields, and rows by child."""
    way = Backward(mapping)
    record = json.loads(raw)
    items = {item.field.name: item for item in mapping.spec.fields if item.field.name in mapping.writable}
    values = {name: way.forward.value(item, record) for name, item in items.items()}
    children: dict[str, list[dict[str, Any]]] = {}
    for spec in mapping.spec.children:
        if columns := mapping.writable_children.get(spec.child.name):
            made = [row for template in spec.rows for row in way.forward.rows(spec.child, template, record)]
            kept = {*columns, "line_key"}
            numbered = [{**row, "line_no": n} if spec.child.lines else row for n, row in enumerate(made, 1)]
            children[spec.child.name] = [
                {name: value for name, value in row.items() if name in kept or name == "line_no"} for row in numbered
            ]
    return values, children


def test_the_stand_is_what_the_profile_reads(profile: CompiledProfile) -> None:
    """Every mapping fits the database: nothing is paused, nothing is left out."""
    assert profile.paused == {}
    assert {name: mapping.left_out for name, mapping in profile.mappings.items() if mapping.left_out} == {}
    assert set(profile.mappings) == {"user", "client", "contact_person", "product", "sales_order", "task"}


def test_every_record_becomes_one(crm: SqlTables, profile: CompiledProfile) -> None:
    """No record of the CRM is refused or passed over by its mapping."""
    for name, mapping in profile.mappings.items():
        outcome = run(mapping, raws(crm, mapping))
        assert outcome, name
        assert [item for item in outcome if not isinstance(item, Mapped)] == []


def test_an_order_as_it_is_known_here(crm: SqlTables, profile: CompiledProfile) -> None:
    """Money is exact hundredths, times are UTC, lines have their numbers and the keys that they are known by."""
    mapping = profile.mappings["sales_order"]
    raw = raws(crm, mapping)[0]
    record, mapped = json.loads(raw), one(mapping, raw)
    values, lines = root(mapping, mapped), rows(mapping, mapped, "sales_order_line")
    assert values["total"] == round(record["total"] * 100)
    assert values["posting_state"] == "posted"
    assert values["date"] < record["ordered_at"].replace("T", " "), "Moscow is ahead of UTC"
    assert [(line["line_no"], line["line_key"]) for line in lines] == [
        (int(row["line_no"]), row["id"]) for row in record["order_lines"]
    ]
    assert sum(line["amount"] for line in lines) == values["total"]


def test_a_client_as_it_is_known_here(crm: SqlTables, profile: CompiledProfile) -> None:
    """Identifiers, telephones, roles and the owner of a card; a deletion mark is the card's state."""
    mapping = profile.mappings["client"]
    company = next(raw for raw in raws(crm, mapping) if b'"kpp":"' in raw and b'"phone"' in raw)
    mapped = one(mapping, company)
    assert {row["scheme"] for row in rows(mapping, mapped, "party_identifier")} >= {"inn", "kpp"}
    assert any(row["system"] == "phone" and row["is_valid"] for row in rows(mapping, mapped, "contact_point"))
    assert "customer" in {row["role"] for row in rows(mapping, mapped, "party_role")}
    marked = json.dumps({**json.loads(company), "is_deleted": True}).encode()
    assert (mapped.record_state, one(mapping, marked).record_state) == ("active", "marked")
    assert mapping.collect(mapping.decode([company], ["x"])) == {"users": {str(json.loads(company)["owner_id"])}}


def test_what_is_read_writes_nothing(crm: SqlTables, profile: CompiledProfile) -> None:
    """Every record, mapped and turned back, is left as it stands: our own echo is not a change."""
    for mapping in profile.mappings.values():
        way = Backward(mapping)
        for raw in raws(crm, mapping):
            values, children = told(mapping, raw)
            payload = way.payload(values, children, json.loads(raw))
            assert (payload.fields, payload.unsaid) == ({}, []), mapping.name


def test_what_is_written_is_read_back(crm: SqlTables, profile: CompiledProfile) -> None:
    """A card and an order of another system, made anew in the CRM, say there what they said here."""
    for name in ("client", "contact_person", "sales_order", "task"):
        mapping = profile.mappings[name]
        sample = max(raws(crm, mapping), key=len)
        values, children = told(mapping, sample)
        payload = Backward(mapping).payload(values, children)
        assert payload.unsaid == []
        key = f"00000000-0000-4000-8000-0000000000{len(name):02}"
        (result,) = crm.write(mapping.stream, [Change(key, payload.fields, create=True)])
        assert (result.became, result.differences, result.external_id) == ("written", (), key), name
        assert told(mapping, result.record or b"")[0] == values
        again = told(mapping, result.record or b"")[1]
        for child, rows_ in children.items():
            assert [strip(row) for row in again[child]] == [strip(row) for row in rows_], child


def strip(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what the database that has it gives it."""
    return {name: value for name, value in row.items() if name not in {"line_key", "line_no"}}


def test_fields_and_rows_change_one_by_one(crm: SqlTables, profile: CompiledProfile) -> None:
    """Another status, owner and telephone: only these columns and that row are written, the row keeps its key."""
    mapping = profile.mappings["client"]
    way = Backward(mapping)
    raw = next(raw for raw in raws(crm, mapping) if raw.count(b'"kind":') == 3)
    children = told(mapping, raw)[1]
    record = json.loads(raw)
    points = [dict(row) for row in children["contact_point"]]
    phone = next(row for row in points if row["system"] == "phone")
    phone.update(value_raw="+7 495 000-11-22", value_norm="+74950001122", ext=None, is_valid=1)
    owner = RefTarget("users", "2" if record["owner_id"] != "2" else "3")
    payload = way.payload({"status": "blocked", "owner": owner}, {"contact_point": points}, record)
    assert payload.unsaid == []
    assert set(payload.fields) == {"status", "owner_id", "client_contacts"}
    assert payload.fields["owner_id"] == owner.external_id
    (result,) = crm.write("clients", [Change(record["id"], payload.fields, version=record["_version"])])
    assert (result.became, result.differences) == ("written", ())
    shown = json.loads(result.record or b"")
    assert [row["id"] for row in shown["client_contacts"]] == [row["id"] for row in record["client_contacts"]]
    assert "+7 495 000-11-22" in [row["value"] for row in shown["client_contacts"]]
    assert (shown["status"], shown["owner_id"]) == ("blocked", owner.external_id)


def test_a_new_line_comes_after_the_others(crm: SqlTables, profile: CompiledProfile) -> None:
    """An order gets one line more and another price: standing lines keep their keys, the new one its number."""
    mapping = profile.mappings["sales_order"]
    raw = next(raw for raw in raws(crm, mapping) if raw.count(b'"line_no"') == 2)
    record = json.loads(raw)
    lines = told(mapping, raw)[1]["sales_order_line"]
    wanted = [{**row, "line_no": n} for n, row in enumerate(lines, 1)]
    wanted[0]["price"] = 12345
    new = {"product": RefTarget("products", "1"), "qty": 2_500_000, "price": 100, "amount": 250, "cancelled": 0}
    wanted.append({"line_no": 3, **new})
    payload = Backward(mapping).payload({}, {"sales_order_line": wanted}, record)
    assert payload.unsaid == []
    (result,) = crm.write("orders", [Change(record["id"], payload.fields, version=record["_version"])])
    assert (result.became, result.differences) == ("written", ())
    shown = json.loads(result.record or b"")["order_lines"]
    assert [row["id"] for row in shown[:2]] == [row["id"] for row in record["order_lines"]]
    told_of = [(row["line_no"], row["price"]) for row in shown]
    assert (told_of[0], told_of[2], shown[2]["qty"]) == ((1, 123.45), (3, 1), 2.5)


def test_a_reference_by_any_key_is_known_by_its_stream() -> None:
    """A stream that is no set of 1C is referred to by its key as it is: a text, never a GUID, and nothing beside it."""
    mapping = compiled(
        """\
        stream: cards
        entity: party
        key: code
        fields:
          kind: {const: organization}
          display_name: name
          owner: {ref: manager, to: staff}
          head_party: {ref: head, to: cards, not_self: true}
        """
    )
    raws = [
        b'{"code": "7", "name": "A", "manager": "iv", "head": "7"}',
        b'{"code": 8, "name": "B", "manager": 12, "head": 7}',
    ]
    assert set(mapping.select) == {"code", "name", "manager", "head"}
    items = mapping.decode(raws, ["7", "8"])
    assert mapping.collect(items) == {"staff": {"iv", "12"}, "cards": {"7"}}
    assert list(mapping.heads(raws)) == [("7", None), ("8", None)]
    wanted = {"owner": None, "head_party": RefTarget("cards", "9")}
    payload = Backward(mapping).payload(wanted, None, json.loads(raws[1]))
    assert payload.fields == {"manager": "", "head": "9"}
