"""Every profile on the stand of its configuration: what it fits, what it fills, and what its way back writes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from mappings.backward import Backward, Payload
from mappings.compiled import CompiledMapping, Mapped, compile_profile
from mappings.describe import used_names
from mappings.profile import read_profile
from stand.onec.model import BP_MODEL, UNF_MODEL, Model
from tests.mappings.run import run
from tests.mappings.stands import SHAPES, base, plain

COMPILED = {shape: compile_profile(profile, "Europe/Moscow") for shape, profile in SHAPES.items()}
MAPPINGS = [(shape, name) for shape, profile in COMPILED.items() for name in profile.mappings]
#: Fields that no record of a stand fills, by mapping (``*`` any) with the reason.
NEVER = {
    ("*", "comment"): "the stand's people write no comments there",
    ("*", "head_party_link_id"): "no chain of companies among our own or the partners",
    ("*", "party_identifier.is_valid"): "a code has no control digits to be right or wrong",
    ("*", "contact_point.ext"): "nobody has an extension",
    ("*", "contact_point"): "users and employees have no contacts of their own",
    ("*", "address"): "people have no addresses of their own",
    ("*", "address.fias_id"): "the stand's addresses come from no register",
    ("organization", "address.city"): "our companies sit in cities that are regions",
    ("organization", "registered_on"): "not told for our own companies",
    ("*", "person_detail.birth_date"): "nobody's birthday is known",
    ("price", "variant_link_id"): "prices are set for products as a whole",
    ("price", "unit_link_id"): "УТ's prices are for the storage unit",
    ("*", "payment_allocation.shipment_link_id"): "УТ's payments are set off against orders",
    ("contact_person", "owner_link_id"): "УНФ's contact persons belong to their company's manager",
    ("sales_order", "sales_order_line.warehouse_link_id"): "УНФ reserves by order, not by line",
    ("shipment_act", "shipment_line.variant_link_id"): "works have no variants",
    ("invoice", "invoice_line.line_key"): "the stand's БП gives lines no identifiers",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_profile_fits_its_configuration(shape: str) -> None:
    """Nothing is paused, nothing is left out: the stand publishes whatever the profile asks for, guesses included."""
    profile = base(shape).profile
    assert profile.paused == {}
    assert {name: mapping.left_out for name, mapping in profile.mappings.items() if mapping.left_out} == {}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_profile_does_not_fit_another_configuration(shape: str) -> None:
    """On a base of another kind most mappings are paused for their stream: fitting tells something."""
    for other in set(SHAPES) - {shape}:
        profile = compile_profile(SHAPES[shape], "Europe/Moscow", None, base(other).streams)
        assert len(profile.paused) >= 5, (shape, other)


@pytest.mark.parametrize(("model", "profile"), [(UNF_MODEL, "onec_unf"), (BP_MODEL, "onec_bp3")])
def test_what_the_stand_calls_a_guess_the_profile_calls_one_too(model: Model, profile: str) -> None:
    """A name that nobody has shown us is never passed off as seen."""
    for spec in read_profile(profile):
        if spec.given:
            continue
        item = model.sets[spec.stream.removesuffix("_RecordType")]
        if item.name not in model.recorded:
            assert "*" in spec.guessed, spec.name
        props = [*item.shape.props, *(item.register.dimensions if item.register else ())]
        guessed = {prop.name for prop in props if prop.guessed}
        guessed |= {
            f"{part}.{prop.name}" for part, shape in item.tables.items() for prop in shape.props if prop.guessed
        }
        passed_off = {name for name in used_names(spec) if name in guessed and not spec.is_guess(name)}
        assert passed_off == set(), spec.name


@pytest.mark.parametrize(("shape", "name"), MAPPINGS)
def test_every_record_passes_and_every_field_is_filled(shape: str, name: str) -> None:
    """No record is refused; every mapped field is filled by at least one, or stands in the list with its reason."""
    mapping, raws = base(shape).profile.mappings[name], base(shape).raws[name]
    results = run(mapping, raws)
    assert [item for item in results if not isinstance(item, Mapped | str)] == []
    made = [item for item in results if isinstance(item, Mapped)]
    assert made
    never = {field for owner, field in NEVER if owner in ("*", name)}
    assert [field for field in _never_filled(mapping, made) if field not in never] == []


def _never_filled(mapping: CompiledMapping, made: list[Mapped]) -> list[str]:
    empty = [column for n, column in enumerate(mapping.root_columns) if all(record.root[n] is None for record in made)]
    for n, part in enumerate(mapping.children):
        rows = [row for record in made for row in record.children[n]]
        first = 1 if part.child.lines else 0
        if not rows:
            empty.append(part.child.name)
            continue
        empty += [
            f"{part.child.name}.{column}"
            for at, column in enumerate(part.columns, first)
            if all(row[at] is None for row in rows)
        ]
    return empty


def test_every_excuse_is_needed() -> None:
    """A field in the list of those never filled is never filled by some mapping it is listed for."""
    seen = set()
    for shape, name in MAPPINGS:
        mapping = base(shape).profile.mappings[name]
        made = [item for item in run(mapping, base(shape).raws[name]) if isinstance(item, Mapped)]
        for field in _never_filled(mapping, made):
            seen |= {("*", field), (name, field)}
    assert set(NEVER) - seen == set()


WRITABLE = [(shape, name) for shape, name in MAPPINGS if COMPILED[shape].mappings[name].writable]


def told(way: Backward, raw: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """What a record shows, by field name, with references as keys: what the store would tell it."""
    mapping, forward = way.mapping, way.forward
    root = {
        item.field.name: forward.value(item, raw) for item in mapping.spec.fields if item.field.name in mapping.writable
    }
    children: dict[str, list[dict[str, Any]]] = {}
    for spec in mapping.spec.children:
        if spec.child.name in mapping.writable_children:
            rows = [row for template in spec.rows for row in forward.rows(spec.child, template, raw)]
            if spec.child.lines:
                rows = [{**row, "line_no": number} for number, row in enumerate(rows, 1)]
            columns = {"line_no", *mapping.writable_children[spec.child.name]}
            children[spec.child.name] = [{key: row[key] for key in row if key in columns} for row in rows]
    return root, children


@pytest.mark.parametrize(("shape", "name"), WRITABLE)
def test_the_way_back_of_a_record_writes_nothing(shape: str, name: str) -> None:
    """What a record shows, told to that record: no field is written and none is unsaid."""
    way = Backward(base(shape).profile.mappings[name], base(shape).found)
    for raw in base(shape).raws[name][:25]:
        record = plain(raw)
        assert way.payload(*told(way, record), record) == Payload(), record


#: What a new record cannot be told from what it shows: (mapping, field) with the reason.
LOST = {
    ("*", "party_identifier"): "a code is given by the system",
    ("*", "person_detail"): "the parts of a name are made from the name",
    ("*", "party_role"): "a role that every record has needs no telling",
    ("unit", "kind"): "a pack is what has a type of pack, whichever",
}
#: Tabular parts of a document beside the one that new lines go to.
FURTHER = ("Работы", "Услуги")


@pytest.mark.parametrize(("shape", "name"), WRITABLE)
def test_a_copy_of_a_record_shows_the_same(shape: str, name: str) -> None:
    """What a record shows, told to a new one: the new one shows it too, in every writable field and row."""
    way = Backward(base(shape).profile.mappings[name], base(shape).found)
    for record in [record for raw in base(shape).raws[name] if not _further(record := plain(raw))][:10]:
        root, children = told(way, record)
        payload = way.payload(root, {child: [*map(_measured, rows)] for child, rows in children.items()})
        lost = {item.field for item in payload.unsaid}
        assert lost <= {field for owner, field in LOST if owner in ("*", name)}, payload.unsaid
        copied = told(way, {key: record.get(key) for key in way.mapping.key} | payload.fields)
        assert {field: value or None for field, value in copied[0].items() if field not in lost} == {
            field: value or None for field, value in root.items() if field not in lost
        }
        for child, rows in children.items():
            if child not in lost:
                assert _rows(copied[1][child]) == _rows(rows), child


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    """The row with what the hub knows of its unit."""
    return row if row.get("unit") is None else {**row, "unit": replace(row["unit"], factor=Fraction(10))}


def _further(record: dict[str, Any]) -> bool:
    return any(record.get(part) for part in FURTHER)


def _rows(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr({name: value or None for name, value in row.items()}) for row in rows)
