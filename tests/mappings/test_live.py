"""A profile against what a base publishes: what is missing pauses its own mapping, never another one."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from connectors.base import StreamInfo
from connectors.onec_odata.metadata import parse
from mappings.compiled import CompiledProfile, compile_profile
from mappings.describe import used_names
from mappings.live import published_fields
from mappings.profile import read_profile
from stand.onec.edmx import document
from stand.onec.model import MODEL
from tests.mappings.build import folder, guid, profile_of
from tests.mappings.feeds import need, records
from tests.mappings.run import one, root, rows

TEXT = """
stream: Catalog_X
entity: party
key: Ref_Key
version: DataVersion
deleted: DeletionMark
guessed: [Guess, Guess2, Flag, Contacts.*, Contacts, Rows.G]
skip:
  - {reason: folder, when: Flag}
fields:
  kind: {const: person}
  display_name: {first: [Name, FullName]}
  legal_name: FullName
  comment: {from: Note, optional: true}
  trade_name: Guess
  segment: {first: [Guess, Guess2]}
  status:
    cases:
      - {when: Flag, then: blocked}
      - {then: active}
children:
  contact_point:
    - {table: Contacts, when: {T: phone}, make: phone, from: [P, N]}
  address:
    - {table: Places, make: address, from: [A, J, X]}
  party_role:
    - {table: Rows, fields: {role: {from: R, map: {x: customer}, default: other}}}
    - {table: Rows, when: {G: y}, fields: {role: {const: supplier}}}
"""
FULL = StreamInfo(
    "Catalog_X",
    {
        "Ref_Key": "Edm.Guid",
        "DataVersion": "Edm.String",
        "DeletionMark": "Edm.Boolean",
        "Name": "Edm.String",
        "FullName": "Edm.String",
        "Note": "Edm.String",
        "Guess": "Edm.String",
        "Guess2": "Edm.String",
        "Flag": "Edm.Boolean",
    },
    {
        "Contacts": {"T": "Edm.String", "P": "Edm.String", "N": "Edm.String"},
        "Places": {"A": "Edm.String", "J": "Edm.String", "X": "Edm.String"},
        "Rows": {"R": "Edm.String", "G": "Edm.String"},
    },
)


def without(*names: str) -> StreamInfo:
    """The base without some fields (``Part.Field``) or whole parts (``Part``)."""
    fields = {name: kind for name, kind in FULL.fields.items() if name not in names}
    tables = {
        part: {name: kind for name, kind in own.items() if f"{part}.{name}" not in names}
        for part, own in FULL.tables.items()
        if part not in names
    }
    return replace(FULL, fields=fields, tables=tables)


def fitted(path: Path, info: StreamInfo) -> CompiledProfile:
    """The test's mapping on such a base."""
    return profile_of(folder(path / "p", it=TEXT), None, {info.name: info})


def test_a_base_that_publishes_all_of_it(tmp_path: Path) -> None:
    """Nothing is paused and nothing left out."""
    profile = fitted(tmp_path, FULL)
    assert profile.paused == {}
    assert profile.mappings["it"].left_out == ()


@pytest.mark.parametrize(
    ("gone", "left_out"),
    [
        (("Note",), ("Note",)),
        (("Guess",), ("Guess",)),
        (("Guess", "Guess2"), ("Guess", "Guess2")),
        (("Flag",), ("Flag",)),
        (("Name",), ("Name",)),
        (("DataVersion", "DeletionMark"), ("DataVersion", "DeletionMark")),
        (("Contacts",), ("Contacts",)),
        (("Contacts.T",), ("Contacts.T",)),
        (("Contacts.N",), ("Contacts.N",)),
        (("Places.J", "Places.X"), ("Places.J", "Places.X")),
        (("Rows.G",), ("Rows.G",)),
    ],
)
def test_what_a_mapping_can_do_without(tmp_path: Path, gone: tuple[str, ...], left_out: tuple[str, ...]) -> None:
    """Optional fields, guesses, alternatives and extra sources: left out, not asked for, empty; the rest goes on."""
    profile = fitted(tmp_path, without(*gone))
    assert profile.paused == {}
    mapping = profile.mappings["it"]
    assert set(mapping.left_out) == set(left_out)
    assert not set(gone) & set(mapping.select)
    data: dict[str, Any] = {"Ref_Key": guid(1), "Name": "n", "FullName": "f", "Note": "c", "Guess": "g", "Guess2": "h"}
    data |= {"Contacts": [{"T": "phone", "P": "8 495 123-45-67"}], "Rows": [{"R": "x"}], "Places": [{"A": "a"}]}
    mapped = one(mapping, json.dumps({name: value for name, value in data.items() if name not in gone}).encode())
    found = root(mapping, mapped)
    assert found["display_name"] == ("f" if "Name" in gone else "n")
    assert found["status"] == "active"
    assert rows(mapping, mapped, "address")[0]["text"] == "a"
    assert {"role": "customer"} in rows(mapping, mapped, "party_role")


@pytest.mark.parametrize(
    ("gone", "source"),
    [
        (("Ref_Key",), "Ref_Key"),
        (("Name", "FullName"), "Name"),
        (("FullName",), "FullName"),
        (("Places",), "Places"),
        (("Places.A",), "Places.A"),
        (("Rows.R",), "Rows.R"),
    ],
)
def test_what_a_mapping_cannot_do_without(tmp_path: Path, gone: tuple[str, ...], source: str) -> None:
    """The mapping is paused and names the set and the field, in a sentence."""
    profile = fitted(tmp_path, without(*gone))
    assert profile.mappings == {}
    problem = profile.paused["it"][0]
    assert (problem.code, problem.params["stream"], problem.params["source"]) == (
        "mapping_field_missing",
        "Catalog_X",
        source,
    )
    assert source in problem.sentence("ru")
    assert problem.advice("ru")


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    """Three needed fields gone are three problems."""
    problems = fitted(tmp_path, without("FullName", "Places", "Rows.R")).paused["it"]
    assert sorted(problem.params["source"] for problem in problems) == ["FullName", "Places", "Rows.R"]


def test_a_renamed_field_is_guessed_at(tmp_path: Path) -> None:
    """What the update renamed is told with the name it probably has now."""
    info = without("FullName")
    info.fields["FullNames"] = "Edm.String"
    assert fitted(tmp_path, info).paused["it"][0].params["guess"] == "FullNames"


def test_a_field_of_another_type_pauses(tmp_path: Path) -> None:
    """A flag that became a text would be misread."""
    info = replace(FULL, fields={**FULL.fields, "DeletionMark": "Edm.Double"})
    problem = fitted(tmp_path, info).paused["it"][0]
    assert (problem.code, problem.params["actual"], problem.params["wanted"]) == (
        "mapping_field_type",
        "Edm.Double",
        "bool",
    )


def test_a_name_that_several_fields_read_is_told_once(tmp_path: Path) -> None:
    """The name and a choice of names read the same field: one sentence, not one for each."""
    info = replace(FULL, fields={**FULL.fields, "FullName": "Edm.Binary"})
    assert [problem.params["source"] for problem in fitted(tmp_path, info).paused["it"]] == ["FullName"]


@pytest.mark.parametrize(
    ("published", "guess"),
    [
        ("Document_СчетНаОплатуПокупателю", "Document_СчетНаОплатуПокупателю"),
        ("Document_ЗаказКлиента", ""),
        ("Catalog_СчетНаОплатуПокупателю", ""),
    ],
)
def test_only_an_object_of_a_close_name_may_have_been_meant(tmp_path: Path, published: str, guess: str) -> None:
    """An order is no invoice because both are documents of a client."""
    text = TEXT.replace("Catalog_X", "Document_СчетНаОплатуКлиенту")
    profile = profile_of(folder(tmp_path / "p", it=text), None, {published: replace(FULL, name=published)})
    assert profile.paused["it"][0].params["guess"] == guess


def test_a_stream_that_is_not_published_pauses_its_mapping_only(tmp_path: Path) -> None:
    """References to it still give links, which stay expected."""
    path = folder(
        tmp_path / "p",
        one="stream: Catalog_A\nentity: party\nkey: Ref_Key\nfields:\n  kind: {const: group}\n  display_name: Name\n"
        "  commercial_party: {ref: P_Key, to: Catalog_B}\n",
        two="stream: Catalog_B\nentity: party\nkey: Ref_Key\nfields: {kind: {const: group}, display_name: Name}\n",
    )
    info = StreamInfo("Catalog_A", {"Ref_Key": "Edm.Guid", "Name": "Edm.String", "P_Key": "Edm.Guid"})
    profile = profile_of(path, None, {"Catalog_A": info})
    assert [problem.code for problem in profile.paused["two"]] == ["mapping_stream_missing"]
    mapping = profile.mappings["one"]
    raw = json.dumps({"Ref_Key": guid(1), "Name": "n", "P_Key": guid(2)}).encode()
    assert mapping.collect(mapping.decode([raw], [""])) == {"Catalog_B": {guid(2)}}
    assert root(mapping, one(mapping, raw))["commercial_party_link_id"] == 1


ENDS = ("OpeningBalance", "ClosingBalance")


def test_fields_of_a_virtual_table_come_from_its_own_stream_or_its_record_set() -> None:
    """Connectors tell ``set#balance``; where they do not, the resources of the record set make the names."""
    info = StreamInfo("R", {"Recorder": "Edm.String"}, {"RecordSet": {"A_Key": "Edm.Guid", "X": "Edm.Double"}})
    assert published_fields(info, "balance") == {
        "A_Key": "Edm.Guid",
        "X": "Edm.Double",
        "A_KeyBalance": "Edm.Guid",
        "XBalance": "Edm.Double",
    }
    for table in ("slice_last", "slice_first"):
        assert published_fields(info, table) == {"A_Key": "Edm.Guid", "X": "Edm.Double"}
    turnovers, both = published_fields(info, "turnovers"), published_fields(info, "balance_and_turnovers")
    assert {name for name in turnovers if name[0] == "X"} == {"X", "XTurnover", "XReceipt", "XExpense"}
    assert both.keys() - turnovers.keys() == {f"{name}{end}" for name in info.tables["RecordSet"] for end in ENDS}
    assert published_fields(info, "set") == {"Recorder": "Edm.String"}


def test_what_a_base_lacks_of_the_way_back_is_no_harm(tmp_path: Path) -> None:
    """A field of change, and what a new record gets besides, are left out where they are not published."""
    text = TEXT + "changed: Changed\ninitial: {Name: x, Own: y}\n"
    profile = profile_of(folder(tmp_path / "p", it=text), None, {"Catalog_X": FULL})
    mapping = profile.mappings["it"]
    assert (mapping.changed_field, mapping.spec.initial) == ("", (("Name", "x"),))
    assert set(mapping.left_out) == {"Changed", "Own"}


def test_records_told_by_a_file_need_no_base(tmp_path: Path) -> None:
    """Words of an enumeration are there whatever is published, as the objects a base would answer."""
    text = "stream: Enum_X\nentity: vat_rate\nkey: W\nrecords:\n  - {W: a, N: Ставка, P: 20}\n"
    text += "fields: {name: N, percent: P}\n"
    mapping = profile_of(folder(tmp_path / "p", it=text), None, {}).mappings["it"]
    assert root(mapping, one(mapping, mapping.given[0])) == {"name": "Ставка", "percent": 200_000}
    assert mapping.head(mapping.given[0]) == ("a", None)


def recorded() -> dict[str, StreamInfo]:
    """What the recorded base publishes."""
    return parse(BytesIO(need("msg001_metadata.xml").read_bytes()))


def names_of(streams: dict[str, StreamInfo], stream: str, table: str) -> set[str]:
    """Every name of a recorded stream, those of its parts with the part before them."""
    info = streams[stream if table == "set" else f"{stream}#{table}"]
    return set(info.fields) | {f"{part}.{name}" for part, own in info.tables.items() for name in own}


def test_every_name_of_the_profile_is_seen_or_said_to_be_guessed() -> None:
    """Names that are not listed as guesses occur in the recorded ``$metadata``; names that occur are no guesses."""
    streams = recorded()
    seen = set()
    for spec in read_profile("onec_ut11"):
        if spec.stream not in streams:
            assert "*" in spec.guessed, f"{spec.name}: {spec.stream} is not recorded and not said to be guessed"
            continue
        seen.add(spec.name)
        known = names_of(streams, spec.stream, spec.table)
        used = set(used_names(spec))
        assert {name for name in used if not spec.is_guess(name)} <= known, spec.name
        assert not {name for name in used if spec.is_guess(name)} & known, spec.name
    assert {"product", "counterparty", "sales_order", "shipment"} <= seen


def test_the_recorded_base_runs_what_it_publishes() -> None:
    """On the recorded base the four mappings it has run whole; all others are paused for their stream."""
    profile = compile_profile("onec_ut11", "Europe/Moscow", None, recorded())
    assert set(profile.mappings) == {"product", "counterparty", "sales_order", "shipment"}
    assert {mapping.left_out for mapping in profile.mappings.values()} == {()}
    codes = {problem.code for problems in profile.paused.values() for problem in problems}
    assert codes == {"mapping_stream_missing"}
    raws = records("msg004_kontragenti.xml", "Catalog_Контрагенты")
    assert len(profile.mappings["counterparty"].heads(raws)) == 5


def test_the_stand_publishes_the_whole_profile() -> None:
    """The demo's base misses nothing that the profile asks for, guesses included."""
    profile = compile_profile("onec_ut11", "Europe/Moscow", None, parse(BytesIO(document(MODEL))))
    assert profile.paused == {}
    assert {name: mapping.left_out for name, mapping in profile.mappings.items() if mapping.left_out} == {}
