"""A letter out of its whole source, where the server cannot tell its structure, and for files.

Only the splitting into parts is the standard library's; its fields are read by ``headers``, as those of a server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import Parser
from email.policy import compat32

from connectors.imap import tnef
from connectors.imap.headers import Head, parameters
from connectors.imap.letter import Letter
from connectors.imap.structure import DEEPEST, MOST, TNEF, Content, Part, content
from connectors.imap.text import from_html, plain, tidy, transferred

#: Bytes of one part that are read.
MOST_BYTES = 65_536
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n|\r\r")


@dataclass(slots=True)
class Whole:
    """The parts of a letter with their bytes as they were sent, by number."""

    root: Part
    bodies: dict[str, bytes]


def split(raw: bytes) -> Whole:
    """A letter taken apart; whatever it is, some part comes out."""
    # As Latin-1 every byte is one character, and comes back as it was.
    message = Parser(policy=compat32).parsestr(raw.decode("latin-1"))
    bodies: dict[str, bytes] = {}
    return Whole(_part(message, "", 0, bodies), bodies)


def _part(message: Message, number: str, depth: int, bodies: dict[str, bytes]) -> Part:
    mime, params = parameters(_field(message, "content-type"))
    payload = message.get_payload()
    if isinstance(payload, list) and mime.startswith("multipart/") and depth < DEEPEST:
        children = [
            _part(child, f"{number}.{n}" if number else str(n), depth + 1, bodies)
            for n, child in enumerate(payload[:MOST], 1)
            if isinstance(child, Message)
        ]
        return Part(number, mime, params, children=children)
    number = number or "1"
    bodies[number] = _bytes(message)
    disposition, disposed = parameters(_field(message, "content-disposition"))
    encoding = _field(message, "content-transfer-encoding").decode("ascii", "ignore").strip().lower()
    known = mime if mime.count("/") == 1 and not mime.startswith("multipart/") else "text/plain"
    return Part(number, known, params, encoding, len(bodies[number]), disposition, disposed)


def _field(message: Message, name: str) -> bytes:
    """A field as it came, folding undone."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return re.sub(rb"\r?\n[ \t]*", b" ", str(value).encode("latin-1")).strip()
    return b""


def _bytes(message: Message) -> bytes:
    payload = message.get_payload()
    if isinstance(payload, list):
        return "".join(child.as_string() for child in payload if isinstance(child, Message)).encode(
            "latin-1", "replace"
        )
    return str(payload or "").encode("latin-1", "replace")


def head_of(raw: bytes) -> bytes:
    """The head of a letter's source, without the line that a mailbox file puts before it."""
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    raw = raw.lstrip(b"\r\n")
    found = _END_OF_HEAD.search(raw)
    return raw[: found.start()] if found else raw


def text_of(found: Content, bodies: dict[str, bytes], hint: str = "") -> str:
    """What is to be read of a letter; ``bodies``: of its parts by number, cut or not."""
    read = from_html if found.html else plain
    texts = [read(bodies.get(part.number, b"")[:MOST_BYTES], part.encoding, part.charset, hint) for part in found.texts]
    return tidy("\n\n".join(filter(None, texts)))


def hint_of(found: Content) -> str:
    """The charset that a letter's raw bytes are probably of: that of its text."""
    return next((part.charset for part in found.texts if part.charset), "")


def inside_tnef(part: Part, body: bytes) -> tnef.Tnef:
    """What a ``winmail.dat`` holds."""
    return tnef.read(transferred(body, part.encoding))


def read(raw: bytes, location: str, folder: str, arrived: datetime, *, sent: bool = False) -> Letter:
    """A letter out of its source."""
    whole = split(raw)
    found = content(whole.root)
    hint = hint_of(found)
    text, files = text_of(found, whole.bodies, hint), list[str]()
    for part in found.files:
        if part.mime in TNEF:
            told = inside_tnef(part, whole.bodies[part.number])
            text, files = text or tidy(told.text), [*files, *told.names]
    return Letter(location, folder, Head(head_of(raw), hint), found, text, len(raw), arrived, sent, files)
