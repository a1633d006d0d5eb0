"""Answers recorded from real bases, accounted for to the last value: nothing of them is lost on the way.

The XML is taken apart here anew, by walking its leaves, and held against what the connector hands over.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.base import StreamInfo
from connectors.onec_odata import metadata
from connectors.onec_odata.recorded import packet_from_files
from connectors.onec_odata.virtual import VIRTUAL
from tests.connectors.recordings import CASES, FEEDS, METADATA, needed

pytestmark = needed

ATOM, TOMBSTONES = "{http://www.w3.org/2005/Atom}", "{http://purl.org/atompub/tombstones/1.0}"
META = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
#: What an entry says beside its properties; each of it is made from the key or names the set, as the test below shows.
ABOUT = {"id", "category", "title", "updated", "author", "summary", "link", "content"}
DOCUMENTS = [METADATA, *sorted(CASES.glob("*.xml"))]

SNAKE = re.compile(r"(?<!^)(?=[A-Z])")


def root(path: Path) -> Any:
    """The document."""
    return etree.parse(str(path), etree.XMLParser(remove_comments=True)).getroot()


def bare(element: Any) -> str:
    """Its name without namespace."""
    return str(etree.QName(element).localname)


def in_xml(element: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(place, text) of every leaf below; an empty collection is a leaf too."""
    counts: Counter[str] = Counter()
    for child in element:
        name = bare(child)
        here = f"{place}/{name}" if name != "element" else f"{place}[{counts[name]}]"
        assert not (counts[name] and name != "element"), f"{here} stands twice"
        counts[name] += 1
        kind = child.get(f"{META}type", "")
        assert set(child.attrib) <= {f"{META}type", f"{META}null"}, f"{here}: an attribute nobody looks at"
        if len(child):
            yield from in_xml(child, here)
        elif kind.startswith("Collection("):
            yield here, []
        else:
            yield here, None if child.get(f"{META}null") == "true" else (child.text or "")


def in_json(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The same of a record as it is handed over."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from in_json(part, f"{place}/{name}")
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            yield from in_json(part, f"{place}[{number}]")
    else:
        yield place, value


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_every_value_of_every_entry_is_handed_over(path: Path) -> None:
    """Same entries, same order, same places, same texts: nothing more and nothing less."""
    feed = root(path)
    packet = packet_from_files([path])
    found = [(page.stream, json.loads(raw)) for page in packet.pages for raw in page.records]
    gone = [key for page in packet.pages for key in page.deleted]
    entries = feed.findall(f"{ATOM}entry")
    assert {bare(child) for child in feed} <= {"entry", "deleted-entry"}
    assert len(found) == len(entries) > 0
    assert len(gone) == len(feed.findall(f"{TOMBSTONES}deleted-entry"))
    values = 0
    for entry, (stream, record) in zip(entries, found, strict=True):
        assert stream == entry.find(f"{ATOM}category").get("term").removeprefix("StandardODATA.")
        [properties] = entry.iter(f"{META}properties")
        expected = dict(in_xml(properties))
        assert dict(in_json(record)) == expected
        values += len(expected)
    assert values == sum(1 for _ in leaves(feed))


def leaves(feed: Any) -> Iterator[Any]:
    """Every data element of the document without children, wherever it stands."""
    return (e for e in feed.iter() if "dataservices" in e.tag and not e.tag.startswith(META) and not len(e))


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_what_an_entry_says_beside_its_values_is_known(path: Path) -> None:
    """Address, links and category repeat the key and the set; title, author and summary are empty; ``updated`` is when
    the answer was made.
    """
    for entry in root(path).findall(f"{ATOM}entry"):
        assert {bare(child) for child in entry} <= ABOUT
        values = {bare(child): child.text or "" for child in next(entry.iter(f"{META}properties"))}
        key = values.get("Ref_Key") or values.get("Recorder")
        assert key
        address = entry.findtext(f"{ATOM}id")
        assert key in address
        for link in entry.findall(f"{ATOM}link"):
            assert key in link.get("href")
            related = link.get("rel").rpartition("/related/")[2]
            assert link.get("rel") == "edit" or f"{related}_Key" in values or f"{related}_Type" in values
        for name in ("title", "author", "summary"):
            assert not (entry.findtext(f"{ATOM}{name}") or "").strip()


class Account:
    """One ``$metadata``: each declared element is either found again in the streams or left for a reason."""

    def __init__(self, path: Path) -> None:
        self.document = root(path)
        self.elements: dict[str, list[Any]] = defaultdict(list)
        for element in self.document.iter():
            self.elements[bare(element)].append(element)
        self.rows: dict[str, list[Any]] = defaultdict(list)
        for prop in self.of("Property"):
            self.rows[prop.get("Type")].append(prop)
        with path.open("rb") as file:
            self.streams = metadata.parse(file)
        self.sets = {kind(s.get("EntityType")): s.get("Name") for s in self.of("EntitySet")}
        self.ends = {(a.get("Name"), e.get("Role")): kind(e.get("Type")) for a in self.of("Association") for e in a}
        self.left: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.lost: list[str] = []

    def of(self, name: str) -> list[Any]:
        """All elements of that name."""
        return self.elements[name]

    def take(self, element: Any) -> None:
        """Account for one element."""
        name, what = bare(element), element.get("Name", "")
        reason = getattr(self, f"_of_{SNAKE.sub('_', name).lower()}", self._unknown)(element, what)
        if reason is True:
            self.kept[name] += 1
        elif reason:
            self.left[f"{name}: {reason}"] += 1
        else:
            self.lost.append(f"{name} {what} in {element.getparent().get('Name')}")

    def all(self) -> Account:
        """Account for everything."""
        for element in self.document.iter():
            self.take(element)
        return self

    def _unknown(self, element: Any, name: str) -> str:
        return ""

    def _frame(self, element: Any, name: str) -> str:
        return "the frame of the document"

    _of_edmx = _of_data_services = _of_schema = _of_entity_container = _frame

    def _values(self, element: Any, name: str) -> str:
        return "values of enumerations travel as their names, whatever they are"

    _of_enum_type = _of_member = _values

    def _of_entity_set(self, element: Any, name: str) -> bool:
        return self.streams[name].name == name

    def _of_entity_type(self, element: Any, name: str) -> bool | str:
        return name in self.sets or "no set holds it"

    def _of_complex_type(self, element: Any, name: str) -> bool | str:
        return bool(self.holders(name)) or "no set and no function gives rows of it"

    def _of_key(self, element: Any, name: str) -> bool | str:
        return self._of_entity_type(element, element.getparent().get("Name"))

    def _of_property_ref(self, element: Any, name: str) -> bool | str:
        owner = element.getparent().getparent().get("Name")
        return "no set holds it" if owner not in self.sets else name in self.streams[self.sets[owner]].key

    def holders(self, name: str) -> list[dict[str, str]]:
        """Fields of every nested table and virtual table whose rows are of that type."""
        owners = [(prop.getparent().get("Name"), prop) for prop in self.rows[f"Collection(StandardODATA.{name})"]]
        rows = [self.streams[self.sets[owner]].tables[prop.get("Name")] for owner, prop in owners if owner in self.sets]
        made = [self.virtual(f) for f in self.of("FunctionImport") if kind(f.get("ReturnType", "")) == name]
        return [*rows, *(stream.fields for stream in made if stream is not None)]

    def _of_property(self, element: Any, name: str) -> bool | str:
        owner, edm = element.getparent().get("Name"), element.get("Type")
        if bare(element.getparent()) == "ComplexType":
            holders = self.holders(owner)
            return all(fields.get(name) == edm for fields in holders) if holders else "no rows of its type"
        if owner not in self.sets:
            return "no set holds it"
        info = self.streams[self.sets[owner]]
        return bool(info.fields.get(name) == edm or name in info.tables)

    def _of_navigation_property(self, element: Any, name: str) -> bool | str:
        owner = element.getparent().get("Name")
        end = self.ends.get((kind(element.get("Relationship")), element.get("ToRole")), "")
        target = self.sets.get(end)
        if owner not in self.sets or target is None:
            return "what it leads to is not published"
        return bool(self.streams[self.sets[owner]].refs.get(f"{name}_Key") == target)

    def _of_association(self, element: Any, name: str) -> bool | str:
        used = {kind(link.get("Relationship")) for link in self.of("NavigationProperty")}
        return name in used or "no reference uses it"

    def _of_end(self, element: Any, name: str) -> bool | str:
        return self._of_association(element, element.getparent().get("Name"))

    def virtual(self, function: Any) -> StreamInfo | None:
        """The stream that a function is."""
        tables = {called: table for table, called in VIRTUAL.items()}
        bound = [p.get("Type") for p in function if p.get("Name") == "bindingParameter"]
        owner = self.sets.get(kind(bound[0]) if bound else "", function.get("EntitySetPath", ""))
        return self.streams.get(f"{owner}#{tables.get(function.get('Name'))}")

    def _of_function_import(self, element: Any, name: str) -> bool | str:
        if name in VIRTUAL.values():
            return self.virtual(element) is not None
        return "it writes or accounts: called by its name, which 1C's documentation gives"

    def _of_parameter(self, element: Any, name: str) -> bool | str:
        return "parameters are the platform's own, the same in every base"


def kind(name: str) -> str:
    """The bare name of a type."""
    return name.removeprefix("Collection(").removesuffix(")").partition(".")[2] or name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_declared_element_is_kept_or_left_for_a_reason(path: Path) -> None:
    """Sets, fields with their types, keys, tables, references, virtual tables; the rest is named here with its why."""
    account = Account(path).all()
    assert account.lost == []
    assert sum(account.kept.values()) + sum(account.left.values()) == sum(1 for _ in account.document.iter())


def test_of_the_real_base_little_is_left() -> None:
    """Every property of every published set and of every row of a table is kept, with its type."""
    account = Account(METADATA).all()
    assert account.kept["Property"] > 1900
    assert {reason for reason in account.left if reason.startswith(("Property", "EntitySet", "Key"))} <= {
        "Property: no rows of its type"
    }


def test_the_account_sees_what_is_missing() -> None:
    """The search above can fail: a field, a set and a reference taken out of the result are each told."""
    account = Account(METADATA)
    order = account.streams["Document_ЗаказКлиента"]
    del order.fields["СуммаДокумента"], order.tables["Товары"]["Цена"], order.refs["Контрагент_Key"]
    lost = account.all().lost
    assert {line.split(" in ")[0] for line in lost} == {
        "Property СуммаДокумента", "Property Цена", "NavigationProperty Контрагент",
    }  # fmt: skip
