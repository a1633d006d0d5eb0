"""XML in and out. What comes in is parsed without DTD, entities or network, whoever sent it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from lxml import etree

#: Children by name, in order; a text is a leaf. Empty texts and empty branches are not written. A name may be followed
#: by attributes, as they stand in a tag.
Tree: TypeAlias = "list[tuple[str, str | Tree]]"
_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)))


class Written(str):
    """XML that was made before and goes in as it is."""

    __slots__ = ()


class BadXml(Exception):
    """Not XML, or XML with a DTD."""


def parse(data: bytes) -> etree._Element:
    """The root element, comments left out. ``BadXml`` for anything but plain XML: a DOCTYPE is refused unread."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(str(error)) from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise BadXml("a DOCTYPE is not allowed")
    return root


def local(element: etree._Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first descendant along a path of local names."""
    for name in path:
        if element is None:
            return None
        element = next((item for item in element if local(item) == name), None)
    return element


def text(element: etree._Element | None, *path: str) -> str:
    """The text at a path, trimmed; empty when there is nothing."""
    found = child(element, *path)
    return "" if found is None else (found.text or "").strip()


def xml(tree: Tree, prefix: str = "") -> str:
    """The tree as XML without a declaration. Characters that XML forbids are left out, as 1C's writer does."""
    return "".join(_parts(tree, prefix))


def _parts(tree: Tree, prefix: str) -> Iterable[str]:
    for name, value in tree:
        if isinstance(value, Written):
            inner: str = value
        else:
            inner = escape(value.translate(_ILLEGAL)) if isinstance(value, str) else xml(value, prefix)
        if inner:
            yield f"<{prefix}{name}>{inner}</{prefix}{name.partition(' ')[0]}>"
