"""The vendor's XDTO packages as an XML Schema, for a look at messages that does not come from the stand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lxml import etree

DATA = Path(__file__).parents[4] / "shared" / "data" / "onec" / "bsp"
NO_DATA = "../shared/data is absent: nothing of the vendor's to hold the stand to"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=NO_DATA)
PACKAGES = ("ExchangeMessage", "EnterpriseData_1_8_6")
XS = "http://www.w3.org/2001/XMLSchema"
_FACETS = ("maxLength", "totalDigits", "fractionDigits", "minLength", "length")
_MESSAGE = "http://www.1c.ru/SSL/Exchange/Message"


def _xs(tag: str, /, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{XS}}}{tag}", attributes)


class _Package:
    """One package, turned into a schema element by element."""

    def __init__(self, root: etree._Element) -> None:
        self.space = root.get("targetNamespace", "")
        spaces = {"xs": XS, "t": self.space, "m": _MESSAGE}
        self.schema = etree.Element(f"{{{XS}}}schema", nsmap=spaces)
        self.schema.set("targetNamespace", self.space)
        self.schema.set("elementFormDefault", "qualified")
        if self.space != _MESSAGE:
            self.schema.append(_xs("import", namespace=_MESSAGE))
        for item in root:
            kind, name = etree.QName(item).localname, item.get("name", "")
            if kind == "valueType":
                self.schema.append(self._simple(item, name))
            elif kind == "objectType":
                self.schema.append(self._complex(item, name))
                if self.space != _MESSAGE:
                    self.schema.append(_xs("element", name=name, type=f"t:{name}"))

    def _name(self, item: etree._Element, text: str) -> str:
        prefix, _, name = text.rpartition(":")
        if prefix == "xs":
            return text
        return f"{'m' if item.nsmap.get(prefix) == _MESSAGE and self.space != _MESSAGE else 't'}:{name}"

    def _simple(self, item: etree._Element, name: str) -> etree._Element:
        made = _xs("simpleType", **({"name": name} if name else {}))
        bound = etree.SubElement(made, f"{{{XS}}}restriction", base=self._name(item, item.get("base", "xs:string")))
        for facet in _FACETS:
            if item.get(facet):
                etree.SubElement(bound, f"{{{XS}}}{facet}", value=item.get(facet, ""))
        for value in item:
            if etree.QName(value).localname == "enumeration":
                etree.SubElement(bound, f"{{{XS}}}enumeration", value=value.text or "")
        return made

    def _complex(self, item: etree._Element, name: str) -> etree._Element:
        made = _xs("complexType", **({"name": name} if name else {}))
        holder = made
        if item.get("base"):
            content = etree.SubElement(made, f"{{{XS}}}complexContent")
            holder = etree.SubElement(content, f"{{{XS}}}extension", base=self._name(item, item.get("base", "")))
        body = etree.SubElement(holder, f"{{{XS}}}sequence")
        for prop in item:
            if etree.QName(prop).localname == "property":
                body.append(self._element(prop))
        return made

    def _element(self, prop: etree._Element) -> etree._Element:
        most = prop.get("upperBound", "1")
        made = _xs("element", name=prop.get("name", ""), minOccurs=prop.get("lowerBound", "1"))
        made.set("maxOccurs", "unbounded" if most == "-1" else most)
        if prop.get("nillable") == "true":
            made.set("nillable", "true")
        if prop.get("type"):
            made.set("type", self._name(prop, prop.get("type", "")))
        else:
            inner = next(child for child in prop if etree.QName(child).localname == "typeDef")
            object_ = inner.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "ObjectType"
            made.append(self._complex(inner, "") if object_ else self._simple(inner, ""))
        return made


@cache
def schemas() -> tuple[etree.XMLSchema, etree.XMLSchema]:
    """Of a header, and of an object of the body (any element the package of 1.8 has)."""
    envelope, objects = (
        _Package(etree.parse(DATA / "XDTOPackages" / f"{name}.xdto.xml").getroot()).schema for name in PACKAGES
    )
    envelope.append(_xs("element", name="Header", type="t:Header"))
    with TemporaryDirectory() as folder:
        place = Path(folder) / "message.xsd"
        place.write_bytes(etree.tostring(envelope))
        for found in objects.iter(f"{{{XS}}}import"):
            found.set("schemaLocation", place.as_uri())
        return etree.XMLSchema(envelope), etree.XMLSchema(objects)


def faults(message: bytes) -> list[str]:
    """What is wrong with a message, by the vendor's own packages; empty when nothing is."""
    head, objects = schemas()
    root = etree.fromstring(message.removeprefix(b"\xef\xbb\xbf"))
    found = []
    for schema, items in ((head, [root[0]]), (objects, [*root[1]] if len(root) > 1 else [])):
        for item in items:
            try:
                schema.assertValid(item)
            except etree.DocumentInvalid as invalid:
                found.append(f"{etree.QName(item).localname}: {invalid}")
    return found
