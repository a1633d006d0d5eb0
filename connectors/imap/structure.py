"""What a letter is made of: the part that people read, and what is attached to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from connectors.imap.headers import one_line, parameter

#: Nesting and numbers beyond these are no letter of a person.
DEEPEST, MOST = 30, 300
TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_NAME = 255


@dataclass(slots=True)
class Part:
    """A part of a letter. ``number``: as IMAP counts (``1.2``); ``params`` and ``disposed``: parameters of its type and
    its disposition by name; ``children``: of a ``multipart``.
    """

    number: str
    mime: str
    params: Mapping[str, bytes] = field(default_factory=dict)
    encoding: str = ""
    size: int = 0
    disposition: str = ""
    disposed: Mapping[str, bytes] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)

    @property
    def charset(self) -> str:
        """As named; may be empty or wrong."""
        return self.params.get("charset", b"").decode("ascii", "ignore")

    def name(self, hint: str = "") -> str:
        """The file name; empty without one."""
        found = parameter(self.disposed, "filename", hint) or parameter(self.params, "name", hint)
        return one_line(found.replace("\\", "/").rpartition("/")[2])[:_NAME]


@dataclass(slots=True)
class Content:
    """``texts``: parts to be read one after another, all ``text/plain`` or all ``text/html``. ``files``: the others."""

    texts: list[Part]
    files: list[Part]

    @property
    def html(self) -> bool:
        """Whether what is to be read is HTML."""
        return bool(self.texts) and self.texts[0].mime == "text/html"


def of_server(body: Any, number: str = "") -> Part:
    """A part as ``BODYSTRUCTURE`` tells it (nested tuples); ``ValueError``, ``TypeError``, ``IndexError`` otherwise."""
    return _of_server(body, number, 0)


def _of_server(body: Any, number: str, depth: int) -> Part:
    if depth > DEEPEST:
        raise ValueError(number)
    if isinstance(body[0], tuple):
        return _multipart(body, number, depth)
    mime = f"{_word(body[0])}/{_word(body[1])}"
    part = Part(number or "1", mime, _params(body[2]), _word(body[5]), int(body[6] or 0))
    # Behind the basic fields stand those of the type, then MD5 and the disposition.
    after = 10 if mime == "message/rfc822" and len(body) > 9 else 8 if mime.startswith("text/") else 7
    if len(body) > after + 1:
        part.disposition, part.disposed = _disposition(body[after + 1])
    return part


def _multipart(body: Any, number: str, depth: int) -> Part:
    kinds = list(takewhile(lambda item: isinstance(item, tuple), body))
    rest = body[len(kinds) :]
    subtype = next((_word(item) for item in rest if isinstance(item, bytes)), "mixed")
    children = [
        _of_server(item, f"{number}.{n}" if number else str(n), depth + 1) for n, item in enumerate(kinds[:MOST], 1)
    ]
    params = _params(rest[1]) if len(rest) > 1 and isinstance(rest[1], tuple) else {}
    return Part(number, f"multipart/{subtype}", params, children=children)


def _word(value: Any) -> str:
    return value.decode("ascii", "ignore").lower() if isinstance(value, bytes) else ""


def _params(value: Any) -> dict[str, bytes]:
    """``value``: names and values in turns, or ``None``; a number is a text of digits that the client took for one."""
    if not isinstance(value, tuple):
        return {}
    pairs = zip(value[::2], value[1::2], strict=False)
    return {_word(name): item if isinstance(item, bytes) else str(item or "").encode() for name, item in pairs}


def _disposition(value: Any) -> tuple[str, dict[str, bytes]]:
    if isinstance(value, bytes):
        return _word(value), {}
    if not isinstance(value, tuple) or not value:
        return "", {}
    return _word(value[0]), _params(value[1]) if len(value) > 1 else {}


def content(root: Part) -> Content:
    """What is to be read of a letter: ``text/plain`` where there is any, else ``text/html``; what is a file."""
    plain, html, files = list[Part](), list[Part](), list[Part]()
    for part in _read(root):
        if part.mime == "text/plain" and not _is_file(part):
            plain.append(part)
        elif part.mime == "text/html" and not _is_file(part):
            html.append(part)
        elif not _is_report(part):
            files.append(part)
    if not plain and not html:
        # Some programs give the text itself a file name.
        plain = [part for part in files if part.mime == "text/plain" and part.disposition != "attachment"][:1]
    if any(part.size > 2 for part in plain) or not html:
        return Content(plain, files)
    return Content(html, files)


def _read(part: Part) -> Iterator[Part]:
    """Parts that matter, in their order; of alternatives the ones that say it plainly, and whatever is no text."""
    if not part.children:
        yield part
        return
    if part.mime == "multipart/alternative":
        inner = [leaf for child in part.children for leaf in _read(child)]
        has_plain = any(leaf.mime == "text/plain" and leaf.size > 2 and not _is_file(leaf) for leaf in inner)
        for leaf in inner:
            if leaf.mime not in {"text/html", "text/enriched", "text/richtext", "text/x-amp-html"} or (
                not has_plain and leaf.mime == "text/html"
            ):
                yield leaf
        return
    for child in part.children:
        yield from _read(child)


def _is_file(part: Part) -> bool:
    return part.disposition == "attachment" or bool(part.name())


def _is_report(part: Part) -> bool:
    """What machines tell each other beside the text: a delivery's status, the head of a letter that came back."""
    told = part.mime in {"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"}
    signed = part.mime in {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
    # A winmail.dat is the letter itself in another dress, but it holds files: it stays.
    return told or signed or part.mime.startswith("multipart/")
