"""The structure of a letter as IMAP tells it: ENVELOPE, BODYSTRUCTURE and the bytes of a section."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import getaddresses

_PARAM = re.compile(rb';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')
_DEEPEST = 20


@dataclass
class Node:
    """A part: its head and body as bytes. ``children``: of a ``multipart``, or the letter of a ``message/rfc822``."""

    head: bytes
    body: bytes
    kind: str
    params: list[tuple[bytes, bytes]]
    children: list[Node] = field(default_factory=list)

    @property
    def multipart(self) -> bool:
        """Whether it is made of parts."""
        return self.kind.startswith("multipart/")


def cut(raw: bytes) -> tuple[bytes, bytes]:
    """Head (with the empty line) and body."""
    if raw.startswith(b"\r\n"):
        return b"\r\n", raw[2:]
    head, mark, body = raw.partition(b"\r\n\r\n")
    return (head + mark, body) if mark else (raw, b"")


def value(head: bytes, name: bytes) -> bytes:
    """The first field of that name, unfolded."""
    found = re.search(rb"(?:^|\r\n)" + name + rb"[ \t]*:([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.IGNORECASE)
    return re.sub(rb"\r\n[ \t]*", b" ", found[1]).strip() if found else b""


def parse(raw: bytes, depth: int = 0) -> Node:
    """A letter, or a part of one, taken apart."""
    head, body = cut(raw)
    said = value(head, b"content-type")
    kind = said.partition(b";")[0].strip().lower().decode("ascii", "ignore") or "text/plain"
    params = [(name, text.strip(b'"')) for name, text in _PARAM.findall(said)]
    if kind.count("/") != 1:
        kind, params = "text/plain", []
    node = Node(head, body, kind, params)
    if depth < _DEEPEST and node.multipart:
        boundary = next((text for name, text in params if name.lower() == b"boundary"), b"")
        node.children = [parse(part, depth + 1) for part in _parts(body, boundary)] if boundary else []
        if not node.children:
            node.kind, node.params = "text/plain", []
    elif depth < _DEEPEST and kind == "message/rfc822":
        node.children = [parse(body, depth + 1)]
    return node


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    pieces = re.split(rb"(?:^|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|$)", body)
    found = []
    for mark, piece in zip(pieces[1::2], pieces[2::2], strict=False):
        if mark:
            break
        found.append(piece)
    return found


def section(root: Node, path: str) -> bytes | None:
    """Bytes of ``BODY[path]``: numbers, then nothing, HEADER, TEXT, MIME or HEADER.FIELDS (…); ``None`` for none."""
    numbers, _, what = re.match(r"((?:\d+\.?)*)()(.*)", path, re.DOTALL).groups()  # type: ignore[union-attr]
    node: Node | None = root
    for number in filter(None, numbers.split(".")):
        node = _child(node, int(number)) if node is not None else None
    if node is None:
        return None
    return _of_node(node, what.upper(), inner=bool(numbers))


def _child(node: Node, number: int) -> Node | None:
    if node.kind == "message/rfc822" and node.children:
        node = node.children[0]
    if node.multipart:
        return node.children[number - 1] if 0 < number <= len(node.children) else None
    return node if number == 1 else None


def _of_node(node: Node, what: str, *, inner: bool) -> bytes | None:
    if what == "MIME":
        return node.head
    if not what:
        return node.body if inner else node.head + node.body
    letter = node.children[0] if inner and node.kind == "message/rfc822" else node
    if what == "TEXT":
        return letter.body
    if what == "HEADER":
        return letter.head
    named = re.fullmatch(r"HEADER\.FIELDS(\.NOT)? \(([^)]*)\)", what)
    return fields(letter.head, named[2].split(), wanted=not named[1]) if named else None


def fields(head: bytes, names: list[str], *, wanted: bool) -> bytes:
    """The fields of those names (or all but them), and the empty line."""
    known = {name.strip('"').lower().encode() for name in names}
    lines = re.findall(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", head)
    kept = [line for line in lines if line.strip() and (line.partition(b":")[0].strip().lower() in known) == wanted]
    return b"".join(kept) + b"\r\n"


def quoted(text: bytes | None) -> bytes:
    """A text as IMAP writes it: NIL, quoted, or a literal."""
    if text is None:
        return b"NIL"
    if len(text) > 900 or not text.isascii() or re.search(rb"[\r\n\0\"\\]", text):
        return b"{%d}\r\n%b" % (len(text), text)
    return b'"' + text + b'"'


def envelope(root: Node) -> bytes:
    """ENVELOPE of a letter."""
    head = root.head
    people = [_people(value(head, name)) for name in (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")]
    people[1] = people[0] if people[1] == b"NIL" else people[1]
    people[2] = people[0] if people[2] == b"NIL" else people[2]
    said = [quoted(value(head, name) or None) for name in (b"date", b"subject")]
    ids = [quoted(value(head, name) or None) for name in (b"in-reply-to", b"message-id")]
    return b"(" + b" ".join([*said, *people, *ids]) + b")"


def _people(said: bytes) -> bytes:
    found = []
    for name, address in getaddresses([said.decode("latin-1")]):
        local, _, host = address.rpartition("@")
        if address:
            shown = [name.encode("latin-1") or None, None, (local or host).encode("latin-1"), host.encode("latin-1")]
            found.append(b"(" + b" ".join(map(quoted, shown)) + b")")
    return b"(" + b"".join(found) + b")" if found else b"NIL"


def structure(node: Node, *, extended: bool) -> bytes:
    """BODYSTRUCTURE, or BODY where not ``extended``."""
    kind, _, subtype = node.kind.partition("/")
    if node.multipart:
        parts = b"".join(structure(child, extended=extended) for child in node.children)
        tail = b" " + _pairs(node.params) + b" NIL NIL" if extended else b""
        return b"(" + parts + b" " + quoted(subtype.encode()) + tail + b")"
    encoding = value(node.head, b"content-transfer-encoding") or b"7BIT"
    named = [value(node.head, name) or None for name in (b"content-id", b"content-description")]
    said = [quoted(kind.encode()), quoted(subtype.encode()), _pairs(node.params), *map(quoted, named)]
    said += [quoted(encoding), str(len(node.body)).encode()]
    if node.kind == "message/rfc822" and node.children:
        inner = node.children[0]
        said += [envelope(inner), structure(inner, extended=extended), str(node.body.count(b"\r\n")).encode()]
    elif kind == "text":
        said.append(str(node.body.count(b"\r\n")).encode())
    if extended:
        said += [b"NIL", _disposition(value(node.head, b"content-disposition")), b"NIL"]
    return b"(" + b" ".join(said) + b")"


def _pairs(params: list[tuple[bytes, bytes]]) -> bytes:
    said = b" ".join(quoted(part) for pair in params for part in pair)
    return b"(" + said + b")" if said else b"NIL"


def _disposition(said: bytes) -> bytes:
    if not said:
        return b"NIL"
    params = [(name, text.strip(b'"')) for name, text in _PARAM.findall(said)]
    return b"(" + quoted(said.partition(b";")[0].strip()) + b" " + _pairs(params) + b")"
