"""A site's overlay lies beside the shipped profile: it adds, replaces and takes away, and survives an upgrade."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mappings.compiled import compile_profile
from mappings.problems import MappingInvalid
from mappings.profile import ROOT
from tests.mappings.build import folder, guid, profile_of
from tests.mappings.run import one, root, rows, run

SHIPPED = """
stream: Catalog_X
entity: party
key: Ref_Key
skip:
  - {reason: folder, when: IsFolder}
fields:
  kind: {const: person}
  display_name: Description
  trade_name: Name
children:
  party_role:
    - {when: A, fields: {role: {const: customer}}}
"""
OVERLAY = """
fields:
  display_name: Name
  trade_name: null
  segment: Segment
  ext.region: {from: Region, type: text}
  ext.limit: {from: Limit, type: money}
  ext.vip: {from: Vip, type: bool}
skip:
  - {reason: service, when: Service}
"""


def raw(**values: object) -> bytes:
    """A record of the set."""
    return json.dumps({"Ref_Key": guid(1), "Description": "D", "Name": "N", **values}).encode()


def test_fields_are_added_replaced_and_taken_away(tmp_path: Path) -> None:
    """One overlay does all three; what it does not mention stays as shipped."""
    mapping = profile_of(folder(tmp_path / "p", it=SHIPPED), folder(tmp_path / "o", it=OVERLAY)).mappings["it"]
    mapped = one(mapping, raw(Segment="S", A=True))
    assert root(mapping, mapped) == {
        "kind": "person",
        "display_name": "N",
        "segment": "S",
        "ext": None,
    }
    assert rows(mapping, mapped, "party_role") == [{"role": "customer"}]
    assert run(mapping, [raw(IsFolder=True), raw(Service=True)]) == ["folder", "service"]


def test_extra_fields_go_into_ext_as_json(tmp_path: Path) -> None:
    """``ext`` is the last column; numbers keep their decimals, flags are flags, empty ones are left out."""
    mapping = profile_of(folder(tmp_path / "p", it=SHIPPED), folder(tmp_path / "o", it=OVERLAY)).mappings["it"]
    assert mapping.root_columns[-1] == "ext"
    ext = root(mapping, one(mapping, raw(Region="Москва", Limit=1234.5, Vip=False)))["ext"]
    assert ext == '{"region":"Москва","limit":1234.50,"vip":false}'


def test_an_upgrade_of_the_shipped_profile_keeps_the_overlay(tmp_path: Path) -> None:
    """The vendor replaces the shipped file; the site's field is still there and the new shipped field comes with it."""
    shipped, overlay = folder(tmp_path / "p", it=SHIPPED), folder(tmp_path / "o", it=OVERLAY)
    profile_of(shipped, overlay)
    folder(tmp_path / "p", it=SHIPPED.replace("  trade_name: Name\n", "  trade_name: Name\n  comment: Note\n"))
    mapping = profile_of(shipped, overlay).mappings["it"]
    values = root(mapping, one(mapping, raw(Segment="S", Note="n")))
    assert (values["segment"], values["comment"]) == ("S", "n")


def test_a_new_file_is_a_mapping_of_its_own(tmp_path: Path) -> None:
    """The site may map a set that the profile does not know."""
    extra = "stream: Catalog_Y\nentity: unit\nkey: Ref_Key\nfields: {name: Description}\n"
    profile = profile_of(folder(tmp_path / "p", it=SHIPPED), folder(tmp_path / "o", mine=extra))
    assert profile.mappings["mine"].stream == "Catalog_Y"


def test_mistakes_in_an_overlay_name_the_overlay(tmp_path: Path) -> None:
    """A misspelt file name and a misspelt field are told where they stand; a missing folder too."""
    shipped = folder(tmp_path / "p", it=SHIPPED)
    overlay = folder(tmp_path / "o", itt="fields: {a: b}\n", it="\n\nfields:\n  segmnt: A\n")
    with pytest.raises(MappingInvalid) as caught:
        profile_of(shipped, overlay)
    assert [(p.code, str(p.place), p.params["guess"]) for p in caught.value.problems] == [
        ("mapping_unknown_field", "o/it.yaml:4", "segment"),
        ("overlay_unknown_file", "o/itt.yaml:1", "it"),
    ]
    with pytest.raises(MappingInvalid) as caught:
        profile_of(shipped, tmp_path / "nowhere")
    assert caught.value.problems[0].code == "overlay_missing"


def test_the_shipped_profile_takes_an_overlay_and_its_fingerprint_changes(tmp_path: Path) -> None:
    """One more field in the real profile changes the fingerprint of that mapping and of no other."""
    overlay = folder(tmp_path / "o", counterparty="fields:\n  ext.gln: {from: GLN, type: text}\n")
    plain = compile_profile("onec_ut11", "Europe/Moscow")
    more = compile_profile("onec_ut11", "Europe/Moscow", overlay)
    changed = {
        name for name, mapping in more.mappings.items() if mapping.fingerprint != plain.mappings[name].fingerprint
    }
    assert changed == {"counterparty"}
    assert more.mappings["counterparty"].root_columns[-1] == "ext"
    assert "GLN" in more.mappings["counterparty"].select
    assert not list(ROOT.rglob("*GLN*"))
