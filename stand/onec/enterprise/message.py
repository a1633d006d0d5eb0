"""The envelope of a message: header with numbers and confirmation, body with objects.

The order of the header's elements is the one of the vendor's package; ``CreationDate`` is UTC without a suffix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

from stand.onec.enterprise.objects import FORMAT, PLAN, VERSIONS, Kind
from stand.onec.enterprise.trees import BadXml, Tree, child, local, parse, text, xml

MESSAGE = "http://www.1c.ru/SSL/Exchange/Message"
BOM = b"\xef\xbb\xbf"
_SPACES = (
    f'xmlns:msg="{MESSAGE}" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


@dataclass(frozen=True, slots=True)
class Header:
    """``version`` is empty for a message of settings only. ``types``: object name → (sends, receives), as announced."""

    sender: str
    to: str
    number: int
    received: int
    version: str = VERSIONS[-1]
    plan: str = PLAN
    prefix: str = ""
    versions: tuple[str, ...] = VERSIONS
    types: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    base: str = FORMAT
    new_sender: str = ""


def announced(kinds: Iterable[Kind]) -> dict[str, tuple[bool, bool]]:
    """What a base says of itself: it sends every kind it has and receives only what it really loads."""
    return {kind.name: (True, kind.receives) for kind in kinds}


def write(header: Header, objects: Iterable[tuple[Kind, Tree]], gone: Iterable[tuple[Kind, str]]) -> bytes:
    """A message with a BOM. ``gone``: uuids of deleted objects. Without a version there is no body."""
    head = xml([("Header", _header(header))], "msg:")
    parts = [BOM, f'<?xml version="1.0" encoding="UTF-8"?>\n<Message {_SPACES}>{head}'.encode()]
    if header.version:
        parts.append(f'<Body xmlns="{FORMAT}/{header.version}">'.encode())
        parts += [xml([(kind.name, tree)]).encode() for kind, tree in objects]
        parts += [xml([_deletion(kind, uuid)]).encode() for kind, uuid in gone]
        parts.append(b"</Body>")
    return b"".join([*parts, b"</Message>"])


def _deletion(kind: Kind, uuid: str) -> tuple[str, Tree]:
    # The package nests two elements of one name: the property, and the reference of any type inside it.
    return "УдалениеОбъекта", [("СсылкаНаОбъект", [("СсылкаНаОбъект", [(kind.reference, uuid)])])]


def _header(header: Header) -> Tree:
    confirmation: Tree = [
        ("ExchangePlan", header.plan),
        ("To", header.to),
        ("From", header.sender),
        ("MessageNo", str(header.number)),
        ("ReceivedNo", str(header.received)),
    ]
    types: Tree = [
        ("ObjectType", [("Name", name), ("Sending", "*" * sends), ("Receiving", "*" * receives)])
        for name, (sends, receives) in header.types.items()
    ]
    return [
        ("Format", f"{header.base}/{header.version}" if header.version else header.base),
        ("CreationDate", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")),
        ("Confirmation", confirmation),
        *[("AvailableVersion", version) for version in header.versions],
        ("NewFrom", header.new_sender),
        ("AvailableObjectTypes", types),
        ("Prefix", header.prefix),
    ]


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message. ``body`` is ``None`` when there is none."""

    header: Header
    body: etree._Element | None


def read(data: bytes) -> Message:
    """The message in these bytes. ``BadXml``: not XML, or without the elements that a message must have."""
    root = parse(data)
    head = child(root, "Header")
    confirmation = child(head, "Confirmation")
    if local(root) != "Message" or head is None or confirmation is None:
        raise BadXml("a message has Message, Header and Confirmation")
    words = text(head, "Format").split()
    if not words:
        raise BadXml("a message has a Format")
    base, version = _format(words[0])
    return Message(
        Header(
            sender=text(confirmation, "From"),
            to=text(confirmation, "To"),
            number=_number(text(confirmation, "MessageNo")),
            received=_number(text(confirmation, "ReceivedNo")),
            version=version,
            plan=text(confirmation, "ExchangePlan"),
            prefix=text(head, "Prefix"),
            versions=tuple(text(item) for item in head if local(item) == "AvailableVersion"),
            types=_types(child(head, "AvailableObjectTypes")),
            base=base,
            new_sender=text(head, "NewFrom"),
        ),
        child(root, "Body"),
    )


def _format(text_: str) -> tuple[str, str]:
    """The format's address and the version behind it, which a message of settings does not have."""
    base, _, last = text_.rpartition("/")
    return (base, last) if last[:1].isdigit() else (text_, "")


def _number(text_: str) -> int:
    if text_ and not text_.lstrip("-").isdigit():
        raise BadXml(f"not a message number: {text_}")
    return int(text_ or 0)


def _types(element: etree._Element | None) -> dict[str, tuple[bool, bool]]:
    found = () if element is None else tuple(element)
    return {text(item, "Name"): (bool(text(item, "Sending")), bool(text(item, "Receiving"))) for item in found}
