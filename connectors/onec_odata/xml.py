"""Parsing XML that came over the network: no entities, no DTD, no network, in bounded memory.

``huge_tree`` is needed (metadata of a big configuration and whole change packets pass libxml2's default limits) and
switches off libxml2's own guard against entity bombs, so a document type is refused before the parser sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from lxml import etree

_SPACE = b" \t\r\n"
_PROLOG = 1 << 16


class NotXml(Exception):
    """The bytes are no XML that we take: broken, cut, or with a document type."""


def _skip_prolog(head: bytes) -> bytes:
    """What follows byte-order mark, blanks, declarations and comments at the start of ``head``."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    while True:
        for opening, closing in ((b"<?", b"?>"), (b"<!--", b"-->")):
            if rest.startswith(opening):
                found = rest.find(closing)
                if found < 0:
                    raise NotXml("prolog")
                rest = rest[found + len(closing) :].lstrip(_SPACE)
                break
        else:
            return rest


def guard(source: IO[bytes]) -> None:
    """Raise ``NotXml`` unless ``source`` begins as UTF-8 XML with a root element and no document type; rewinds it."""
    source.seek(0)
    rest = _skip_prolog(source.read(_PROLOG))
    source.seek(0)
    if not (rest.startswith(b"<") and (rest[1:2].isalpha() or rest[1:2] in {b"_", b":"} or rest[1:2] >= b"\x80")):
        raise NotXml("root")


def elements(source: IO[bytes], tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """Each element with one of ``tags`` when it is complete; it is emptied after use, so memory stays flat."""
    guard(source)
    try:
        events = etree.iterparse(
            source,
            events=("end",),
            tag=tags,
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=True,
            remove_comments=True,
            remove_pis=True,
        )
        for _, element in events:
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise NotXml(error.msg) from None


def local(name: str) -> str:
    """A tag or attribute name without its namespace."""
    return name.rpartition("}")[2]
