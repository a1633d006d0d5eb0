"""Bodies of writes in Atom: ``<entry><content><m:properties>`` as an object like a JSON body's."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from stand.onec.errors import ODataError

_DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
_META = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"


def is_atom(body: bytes, content_type: str) -> bool:
    """Whether a body is to be read as Atom: its type says so, or it can be nothing else."""
    return "xml" in content_type.lower() or body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def parsed(body: bytes) -> dict[str, Any]:
    """The properties of an entry; values are texts, rows of tabular parts lists. Code 2 for anything else."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - a stand on the loopback, and expat limits expansion
    except ET.ParseError:
        raise ODataError(400, 2, "Неверный формат тела запроса") from None
    properties = root.find(f".//{_META}properties")
    if properties is None:
        raise ODataError(400, 2, "Неверный формат тела запроса")
    return _fields(properties)


def _fields(element: ET.Element) -> dict[str, Any]:
    return {child.tag.removeprefix(_DATA): _value(child) for child in element}


def _value(element: ET.Element) -> Any:
    if element.get(f"{_META}null") == "true":
        return None
    if element.get(f"{_META}type", "").startswith("Collection("):
        return [_fields(row) for row in element]
    return element.text or ""
