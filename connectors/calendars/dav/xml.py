"""What CalDAV asks and answers in XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

DAV, CALDAV = "DAV:", "urn:ietf:params:xml:ns:caldav"
_STATUS = re.compile(r"\d{3}")
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_NS = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_SAFE = "/@:!$&'()*+,;=~-._"


class NotDav(ValueError):
    """An answer that is no WebDAV."""


@dataclass(frozen=True, slots=True)
class Item:
    """One ``response``: its path, its own status (0 where its properties have theirs), properties that are there."""

    href: str
    status: int
    props: dict[str, etree._Element] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A property as a text."""
        found = self.props.get(name)
        return (found.text or "").strip() if found is not None else ""

    def inner(self, name: str) -> str:
        """The path inside a property that names another resource."""
        found = self.props.get(name)
        href = found.find(f"{{{DAV}}}href") if found is not None else None
        return path_of(href.text or "") if href is not None and href.text else ""

    def names(self, name: str) -> set[str]:
        """Local names of the elements below a property."""
        found = self.props.get(name)
        return {etree.QName(one).localname for one in found.iter("*")} if found is not None else set()


@dataclass(frozen=True, slots=True)
class Multistatus:
    """``token``: of ``sync-collection``; ``cut``: the server says that it has more (507)."""

    items: tuple[Item, ...]
    token: str = ""
    cut: bool = False


def path_of(href: str) -> str:
    """A path in one spelling, whatever the server escapes; the host is dropped."""
    return quote(unquote(urlsplit(href.strip()).path), safe=_SAFE)


def multistatus(body: bytes, own: str) -> Multistatus:
    """An answer 207; ``own``: path of what was asked, whose own 507 says that the answer is cut."""
    root = _parse(body)
    if root.tag != f"{{{DAV}}}multistatus":
        raise NotDav(str(root.tag)[:80])
    items, cut = [], False
    for response in root.iterfind(f"{{{DAV}}}response"):
        href = path_of(response.findtext(f"{{{DAV}}}href") or "")
        status = _status(response.findtext(f"{{{DAV}}}status"))
        if status == 507 and href == own:
            cut = True
            continue
        props: dict[str, etree._Element] = {}
        for stat in response.iterfind(f"{{{DAV}}}propstat"):
            if _status(stat.findtext(f"{{{DAV}}}status")) == 200:
                for prop in stat.iterfind(f"{{{DAV}}}prop"):
                    props.update({etree.QName(one).localname: one for one in prop})
        items.append(Item(href, status, props))
    return Multistatus(tuple(items), (root.findtext(f"{{{DAV}}}sync-token") or "").strip(), cut)


def conditions(body: bytes) -> set[str]:
    """Names of the preconditions that an error answer says were not met; empty where it says none."""
    try:
        root = _parse(body)
    except NotDav:
        return set()
    return {etree.QName(one).localname for one in root.iter("*")} if root.tag == f"{{{DAV}}}error" else set()


def _parse(body: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise NotDav("no XML") from None
    if root is None:
        raise NotDav("no XML")
    return root


def _status(text: str | None) -> int:
    found = _STATUS.search((text or "").partition(" ")[2])
    return int(found[0]) if found else 0


def _props(names: Iterable[str]) -> str:
    return f"<prop>{''.join(f'<{name}/>' for name in names)}</prop>"


def propfind(*names: str) -> bytes:
    """Properties of a resource (``C:`` before those of CalDAV)."""
    return f"{_HEAD}<propfind {_NS}>{_props(names)}</propfind>".encode()


def sync_collection(token: str) -> bytes:
    """What is new, changed or gone since. Never with a limit: some servers then cut off and tell the newest token."""
    inner = f"<sync-token>{escape(token)}</sync-token><sync-level>1</sync-level>"
    return f"{_HEAD}<sync-collection {_NS}>{inner}{_props(['getetag', 'getcontenttype'])}</sync-collection>".encode()


def multiget(hrefs: Sequence[str]) -> bytes:
    """Resources by their paths, with their texts."""
    wanted = "".join(f"<href>{escape(href)}</href>" for href in hrefs)
    inner = _props(["getetag", "C:calendar-data"]) + wanted
    return f"{_HEAD}<C:calendar-multiget {_NS}>{inner}</C:calendar-multiget>".encode()


def query(component: str, uid: str = "", start: str = "", end: str = "") -> bytes:
    """Paths and ETags of resources of a component: those with a UID, those that happen in a time, or all."""
    inner = ""
    if start or end:
        span = "".join(f' {name}="{value}"' for name, value in (("start", start), ("end", end)) if value)
        inner = f"<C:time-range{span}/>"
    if uid:
        inner += f'<C:prop-filter name="UID"><C:text-match>{escape(uid)}</C:text-match></C:prop-filter>'
    filters = f'<C:comp-filter name="{component}">{inner}</C:comp-filter>'
    return (
        f"{_HEAD}<C:calendar-query {_NS}>{_props(['getetag'])}"
        f'<C:filter><C:comp-filter name="VCALENDAR">{filters}</C:comp-filter></C:filter></C:calendar-query>'
    ).encode()
