from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.atom import ATOM, DATA, META, TOMBSTONES, Entry, entries, pages
from connectors.onec_odata.feed import packet
from connectors.onec_odata.recorded import RecordedOneC, packet_from_files
from connectors.onec_odata.xml import NotXml
from hub.model.errors import HubError
from tests.connectors.recordings import FEEDS, METADATA, needed

FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="{atom}" xmlns:at="{tomb}" xmlns:d="{data}" xmlns:m="{meta}">'
    "{body}</feed>"
)
ENTRY = '<entry><category term="StandardODATA.{name}"/><content><m:properties>{body}</m:properties></content></entry>'


def feed(*bodies: str) -> bytes:
    """A feed of these entries."""
    return FEED.format(atom=ATOM, tomb=TOMBSTONES, data=DATA, meta=META, body="".join(bodies)).encode()


def parsed(body: bytes) -> list[Entry]:
    """All entries of a feed."""
    return list(entries(io.BytesIO(body)))


# What XML can carry: no control characters (a carriage return would become a line feed), no lone surrogates.
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\n\t")
)
NAMES = st.text(st.sampled_from("АБВабвABCabc_"), min_size=1, max_size=8)
SCALAR = st.none() | XML_TEXT
ROW = st.dictionaries(NAMES, SCALAR, min_size=1, max_size=4)
RECORD = st.dictionaries(NAMES, SCALAR | st.lists(ROW, max_size=3), max_size=8)


def written(parent: etree._Element, name: str, value: Any) -> None:
    """One property as 1C writes it."""
    element = etree.SubElement(parent, f"{{{DATA}}}{name}")
    if value is None:
        element.set(f"{{{META}}}null", "true")
    elif isinstance(value, list):
        element.set(f"{{{META}}}type", "Collection(StandardODATA.X_RowType)")
        for row in value:
            line = etree.SubElement(element, f"{{{DATA}}}element")
            line.set(f"{{{META}}}type", "StandardODATA.X_RowType")
            for key, part in row.items():
                written(line, key, part)
    else:
        element.text = value


@given(st.lists(st.tuples(NAMES, RECORD), max_size=5))
def test_a_record_comes_out_as_it_went_in(found: list[tuple[str, dict[str, Any]]]) -> None:
    """Texts, nulls, empty and filled tables of any record survive Atom, entry by entry, under the right set."""
    root = etree.Element(f"{{{ATOM}}}feed")
    for name, record in found:
        entry = etree.SubElement(root, f"{{{ATOM}}}entry")
        etree.SubElement(entry, f"{{{ATOM}}}category").set("term", f"StandardODATA.{name}")
        content = etree.SubElement(entry, f"{{{ATOM}}}content")
        properties = etree.SubElement(content, f"{{{META}}}properties")
        for key, value in record.items():
            written(properties, key, value)
    body = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    assert [(item.stream, msgspec.json.decode(item.record)) for item in parsed(body)] == found


def test_scalars_stay_texts() -> None:
    """Atom says no types: numbers and flags are texts, an empty element is the empty text, null is null."""
    fields = '<d:N>461111.9</d:N><d:B>false</d:B><d:E/><d:Z m:null="true"/><d:T m:type="Collection(Edm.String)"/>'
    [item] = parsed(feed(ENTRY.format(name="Document_X", body=fields)))
    assert msgspec.json.decode(item.record) == {"N": "461111.9", "B": "false", "E": "", "Z": None, "T": []}


def test_nested_values_become_objects_and_lists() -> None:
    """A record set is a list of objects, a complex value an object, a collection of scalars a list of texts."""
    body = (
        '<d:RecordSet m:type="Collection(StandardODATA.R_RowType)"><d:element m:type="StandardODATA.R_RowType">'
        "<d:Period>2024-01-01T00:00:00</d:Period></d:element></d:RecordSet>"
        '<d:Type m:type="StandardODATA.TypeDescription"><d:Types m:type="Collection(Edm.String)">'
        '<d:element>a</d:element></d:Types></d:Type><d:None m:type="StandardODATA.PointInTime"/>'
    )
    [item] = parsed(feed(ENTRY.format(name="R", body=body)))
    assert msgspec.json.decode(item.record) == {
        "RecordSet": [{"Period": "2024-01-01T00:00:00"}],
        "Type": {"Types": ["a"]},
        "None": {},
    }


@pytest.mark.parametrize(
    ("address", "stream", "key"),
    [
        ("http://h/b/odata/standard.odata/Catalog_X(guid'c3314aea-6899-11e8-8780-b06ebf2faaf6')", "Catalog_X",
         "c3314aea-6899-11e8-8780-b06ebf2faaf6"),
        ("Document_X(guid&apos;C3314AEA-6899-11e8-8780-b06ebf2faaf6&apos;)", "Document_X",
         "C3314AEA-6899-11e8-8780-b06ebf2faaf6"),
        ("http://h/Document_X_T(Ref_Key=guid'1', LineNumber=20)", "Document_X_T", "1|20"),
        ("http://h/R(Period=datetime'2024-01-01T00:00:00', Код='a,b(''c'')=d')", "R", "2024-01-01T00:00:00|a,b('c')=d"),
        ("http://h/Catalog_%D0%AF(guid'1')", "Catalog_Я", "1"),
    ],
)  # fmt: skip
def test_a_deleted_object_is_named_by_its_address(address: str, stream: str, key: str) -> None:
    """Set and key come from the tombstone's reference, keys of several fields joined as external ids are."""
    [item] = parsed(feed(f'<at:deleted-entry ref="{address}" when="2024-01-01T00:00:00"/>'))
    assert (item.stream, item.deleted, item.record) == (stream, key, b"")


@pytest.mark.parametrize(
    "body",
    [
        feed("<entry><content/></entry>"),
        feed('<at:deleted-entry ref="http://h/nothing"/>'),
        feed(ENTRY.format(name="X", body="<d:A>1</d:A>"))[:-20],
        b"",
        b"plain words",
        '<?xml version="1.0" encoding="UTF-16"?><feed/>'.encode("utf-16"),
        b'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "b">]><feed>&a;</feed>',
        b"<!-- x --><!DOCTYPE feed SYSTEM 'http://127.0.0.1/x.dtd'><feed/>",
        b"<!-- never closed",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE feed+AD4-<feed/>",
        b"<feed>&outside;</feed>",
    ],
)
def test_what_is_no_whole_feed_is_refused(body: bytes) -> None:
    """Cut, empty, foreign, with a document type or an entity, or with an entry that does not say what it is."""
    with pytest.raises(NotXml):
        parsed(body)


def test_entities_never_reach_the_parser() -> None:
    """A bomb in an attribute's entity is refused by its document type, before anything is expanded."""
    bomb = b'<!DOCTYPE f [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]><f t="&b;&b;"/>'
    with pytest.raises(NotXml, match="root"):
        parsed(bomb)


def test_pages_hold_one_stream_each_in_the_order_of_the_feed() -> None:
    """Entries are grouped while their stream stays the same and the page is not full; the last page says so."""
    found = [*(Entry("A", b"{}") for _ in range(3)), Entry("B", deleted="k"), Entry("A", b"{}")]
    made = pages(found, 2, 7, 1000)
    shape = [(p.stream, len(p.records), list(p.deleted), p.last) for p in made]
    assert shape == [("A", 2, [], False), ("A", 1, [], False), ("B", 0, ["k"], False), ("A", 1, [], True)]
    assert all(page.position == {"message": 7} for page in made)
    assert sum(page.nbytes for page in made) == 1000


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"<m:error><m:code>20</m:code><m:message>x</m:message></m:error>", "", "rights_missing"),
        (b'{"odata.error":{"code":"8","message":{"value":"x"}}}', "", "unknown_set"),
        (b"<html><title>Proxy</title></html>", "text/html", "html_page"),
        (feed(ENTRY.format(name="X", body=""))[:-9], "", "feed_cut"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_feed_becomes_its_error(body: bytes, kind: str, code: str) -> None:
    """An error in place of the packet is named, a cut packet is to be asked for again."""
    with pytest.raises(HubError) as error:
        packet(Answer(200, {"content-type": kind}, body), Asked("УТ", "ExchangePlan_X", "SelectChanges"), 1, 10)
    assert error.value.code == code


def test_an_empty_feed_is_no_packet() -> None:
    """Nothing registered: no packet, so nothing is acknowledged."""
    assert packet(Answer(200, {}, feed()), Asked("УТ"), 1, 10) is None


@needed
def test_the_recorded_feeds_of_a_real_base() -> None:
    """All 19 entries of three recorded answers come through the same parser, with their sets, tables and values."""
    found = packet_from_files(FEEDS, number=4)
    shape: dict[str, int] = {}
    for page in found.pages:
        shape[page.stream] = shape.get(page.stream, 0) + len(page.records)
    assert shape == {
        "Catalog_Номенклатура": 5,
        "Document_ЗаказКлиента": 3,
        "InformationRegister_СуммыДокументовВВалютахУчета": 3,
        "AccumulationRegister_ЗаказыКлиентов": 3,
        "Catalog_Контрагенты": 5,
    }
    assert [page.last for page in found.pages] == [False] * (len(found.pages) - 1) + [True]
    orders = [msgspec.json.decode(r) for p in found.pages if p.stream == "Document_ЗаказКлиента" for r in p.records]
    assert sorted(order["СуммаДокумента"] for order in orders) == ["25000", "336.1", "461111.9"]
    assert all(order["Товары"][0]["LineNumber"] == "1" for order in orders)


@needed
def test_a_recording_is_served_as_a_base_is() -> None:
    """Packets come one by one and again until acknowledged; what they brought can be read as sets too."""
    recorded = RecordedOneC(METADATA, FEEDS)
    first = recorded.feed("")
    assert first is not None
    assert recorded.feed("") is first
    seen = []
    while (found := recorded.feed("")) is not None:
        seen.append(found.number)
        recorded.acknowledge("", found.number)
    assert seen == [1, 2, 3]
    assert recorded.traffic.writes == 3
    assert len(recorded.base.records["Catalog_Контрагенты"]) == 5
