"""The shape of the stand against a recorded ``$metadata`` of a real Trade Management base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from stand.onec.model import MODEL, Kind
from tests.stand.client import NS, Client, term

RECORDED = Path(__file__).parents[3] / "shared/data/onec/trade_demo"
EDM = f"{{{NS['e']}}}"
needs_recording = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded answers of a real base (../shared/data/onec/trade_demo) are not here"
)


def _types(root: etree._Element) -> dict[str, dict[str, Any]]:
    found = {}
    for element in root.iter(f"{EDM}EntityType", f"{EDM}ComplexType"):
        properties = element.findall("e:Property", NS)
        found[f"{element.tag} {element.get('Name')}"] = {
            "open": element.get("OpenType"),
            "key": [ref.get("Name") for ref in element.iter(f"{EDM}PropertyRef")],
            "properties": [(p.get("Name"), p.get("Type"), p.get("Nullable")) for p in properties],
            "links": {link.get("Name") for link in element.findall("e:NavigationProperty", NS)},
        }
    return found


def _functions(root: etree._Element) -> set[tuple[Any, ...]]:
    return {
        (f.get("Name"), f.get("ReturnType"), f.get("IsSideEffecting"), *((p.get("Name"), p.get("Type")) for p in f))
        for f in root.iter(f"{EDM}FunctionImport")
    }


@pytest.fixture(scope="module")
def ours(odata: Client) -> etree._Element:
    """What the stand answers."""
    return odata.get("$metadata").xml


@pytest.fixture(scope="module")
def theirs() -> etree._Element:
    """What the real base answered."""
    return etree.parse(RECORDED / "msg001_metadata.xml").getroot()


@needs_recording
def test_every_recorded_type_has_the_same_properties(ours: etree._Element, theirs: etree._Element) -> None:
    """Names, order, Edm types, nullability, keys and openness agree for all recorded types; links are not fewer."""
    mine, recorded = _types(ours), _types(theirs)
    assert len(recorded) > 80
    for name, wanted in recorded.items():
        got = mine[name]
        assert (got["open"], got["key"], got["properties"]) == (wanted["open"], wanted["key"], wanted["properties"]), (
            name
        )
        assert wanted["links"] <= got["links"], name


@needs_recording
def test_functions_and_enumerations_are_the_recorded_ones(ours: etree._Element, theirs: etree._Element) -> None:
    """Every recorded FunctionImport is declared alike; the platform's enumerations too, AllowedLength twice."""
    assert _functions(theirs) <= _functions(ours)

    def enums(root: etree._Element) -> list[tuple[Any, ...]]:
        return [(e.get("Name"), *(m.get("Name") for m in e)) for e in root.iter(f"{EDM}EnumType")]

    assert enums(ours) == enums(theirs)
    assert [name for name, *_ in enums(ours)].count("AllowedLength") == 2


@needs_recording
def test_recorded_sets_are_told_from_guessed_ones(theirs: etree._Element) -> None:
    """The model calls a set recorded exactly when the recording has it."""
    assert {s.get("Name") for s in theirs.iter(f"{EDM}EntitySet")} == MODEL.recorded
    assert set(MODEL.guessed) == set(MODEL.sets) - MODEL.recorded


def test_service_document_lists_the_sets_of_the_metadata(odata: Client, ours: etree._Element) -> None:
    """JSON and atompub service documents and the EntitySets of $metadata name the same sets."""
    sets = [s.get("Name") for s in ours.iter(f"{EDM}EntitySet")]
    assert [item["name"] for item in odata.get("?$format=json").json["value"]] == sets
    atom = odata.get("").xml
    assert [c.get("href") for c in atom.iter("{http://www.w3.org/2007/app}collection")] == sets


def test_metadata_is_consistent_with_itself(ours: etree._Element) -> None:
    """Collections name declared complex types; every association ends in declared entity types."""
    complex_types = {c.get("Name") for c in ours.iter(f"{EDM}ComplexType")}
    entity_types = {c.get("Name") for c in ours.iter(f"{EDM}EntityType")}
    for prop in ours.iter(f"{EDM}Property"):
        kind = str(prop.get("Type"))
        if kind.startswith("Collection(StandardODATA."):
            assert kind[len("Collection(StandardODATA.") : -1] in complex_types
    ends = [str(end.get("Type")).removeprefix("StandardODATA.") for end in ours.iter(f"{EDM}End")]
    assert ends
    assert set(ends) <= entity_types


def test_every_reference_to_a_published_set_is_known() -> None:
    """A target that the notation names but nobody publishes would silently lose its navigation property."""
    for item in MODEL.sets.values():
        for prop in item.shape.props:
            if prop.kind in (Kind.REF, Kind.COMPOSITE):
                assert set(prop.targets) <= set(MODEL.sets), (item.name, prop.name)


@needs_recording
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("msg002_nomenklatura.xml", "Catalog_Номенклатура"),
        ("msg003_zakaz_klienta.xml", "Document_ЗаказКлиента"),
        ("msg003_zakaz_klienta.xml", "AccumulationRegister_ЗаказыКлиентов"),
        ("msg004_kontragenti.xml", "Catalog_Контрагенты"),
    ],
)
def test_atom_entries_are_built_like_recorded_ones(odata: Client, file: str, name: str) -> None:
    """The same elements in the same order around the same fields, rows and collection types as in a real feed."""
    feed = etree.parse(RECORDED / file).getroot()
    recorded = next(entry for entry in feed.findall("a:entry", NS) if term(entry) == name)
    mine = odata.get(f"{name}?$top=20").entries
    assert _skeleton(mine[0]) == _skeleton(recorded)
    assert _fields(mine[0]) == _fields(recorded)
    assert _rows(mine) >= _rows([recorded])


def _fields(entry: etree._Element) -> set[str]:
    properties = entry.find(".//m:properties", NS)
    assert properties is not None
    return {str(child.tag) for child in properties}


def _skeleton(entry: etree._Element) -> list[tuple[str, ...]]:
    """Tags and attribute names of an entry's head; related links depend on the data and are left out."""
    return [
        (str(child.tag), *sorted(map(str, child.attrib)))
        for child in entry
        if not str(child.get("rel")).startswith("http://schemas.microsoft.com")
    ]


def _rows(entries: list[etree._Element]) -> set[tuple[str, ...]]:
    return {
        (str(row.get(f"{{{NS['m']}}}type")), *(str(child.tag) for child in row))
        for entry in entries
        for row in entry.iter(f"{{{NS['d']}}}element")
    }
