"""The head of a letter: its fields, words of RFC 2047, parameters of RFC 2231, however badly they are written."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from connectors.imap.charset import NOT_BASE64, clean, decode, known

#: A field longer than this is cut: nobody reads on, and it must not stand in a store.
LONGEST = 16_384
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)[ \t\r\n]+(=\?)")
_BLANKS = re.compile(r"\s+")
_ENDS = re.compile(rb"\r?\n|\r")


class Head:
    """The fields of a head, each as it came: values by name in lower case, in their order, folding undone."""

    __slots__ = ("fields", "hint")

    def __init__(self, data: bytes, hint: str = "") -> None:
        self.fields: dict[str, list[bytes]] = {}
        #: The charset that raw bytes in it are probably of.
        self.hint = hint
        name, value = "", b""
        for line in _ENDS.split(data):
            if line[:1] in b" \t" and line:
                value += b" " + line.strip()
                continue
            self._keep(name, value)
            found = _FIELD.match(line)
            name, value = (found[1].decode("ascii").lower(), line[found.end() :].strip()) if found else ("", b"")
        self._keep(name, value)

    def _keep(self, name: str, value: bytes) -> None:
        if name:
            self.fields.setdefault(name, []).append(value[:LONGEST])

    def raw(self, name: str) -> bytes:
        """The first field of that name that says something, as it came; empty without one."""
        return next((value for value in self.fields.get(name, ()) if value), b"")

    def text(self, name: str) -> str:
        """The same as people read it: one line, decoded."""
        return one_line(words(self.raw(name), self.hint))

    def plain(self, name: str) -> str:
        """The same for a program to read: lower case, nothing decoded."""
        return self.raw(name).decode("ascii", "ignore").strip().lower()

    def all_raw(self, name: str) -> bytes:
        """All fields of that name with commas between: addresses are sometimes spread over several."""
        return b", ".join(filter(None, self.fields.get(name, ())))


def one_line(text: str) -> str:
    """Without line ends: a decoded subject may hold some, and a head is made of lines."""
    return _BLANKS.sub(" ", clean(text)).strip()


def words(raw: bytes, hint: str = "") -> str:
    """A field's text: encoded words decoded, raw bytes between them guessed.

    Words that follow each other in one charset are put together before they are decoded: programs cut letters in two.
    """
    if b"=?" not in raw:
        return decode(raw, "", hint) if raw else ""
    text = raw.decode("latin-1")
    text = _BETWEEN.sub(r"\1\2", text)
    parts: list[tuple[str, bytes]] = []
    end = 0
    for found in _WORD.finditer(text):
        if found.start() > end:
            parts.append(("", text[end : found.start()].encode("latin-1")))
        charset = found[1].partition("*")[0]
        data = _base64(found[3]) if found[2] in "bB" else _quoted(found[3])
        if parts and parts[-1][0].lower() == charset.lower() and found.start() == end:
            parts[-1] = (charset, parts[-1][1] + data)
        else:
            parts.append((charset, data))
        end = found.end()
    if end < len(text):
        parts.append(("", text[end:].encode("latin-1")))
    return "".join(decode(data, charset, hint) for charset, data in parts)


def _base64(text: str) -> bytes:
    bare = text.encode("latin-1").translate(None, NOT_BASE64)
    try:
        return b64decode(bare + b"=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b64decode(bare[: len(bare) // 4 * 4])


def _quoted(text: str) -> bytes:
    data = text.replace("_", " ").encode("latin-1")
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), data)


def parameter(params: Mapping[str, bytes], name: str, hint: str = "") -> str:
    """A parameter of a field (``filename``): plain, in pieces and with a charset of its own (RFC 2231), or in words of
    RFC 2047, which stand there too although they should not.

    ``params``: values by name in lower case, as they stand there (``filename*0*`` and so on).
    """
    pieces = sorted((int(key[len(name) + 1 :].rstrip("*") or 0), key) for key in params if _is_piece(key, name))
    if not pieces:
        return one_line(words(params.get(name, b""), hint))
    charset, data = "", b""
    for number, key in pieces:
        value = params[key]
        if key.endswith("*"):
            if number == pieces[0][0] and value.count(b"'") >= 2:
                told, _, value = value.split(b"'", 2)
                charset = told.decode("ascii", "ignore")
            value = unquote_to_bytes(value)
        data += value
    if b"=?" in data:
        return one_line(words(data, charset or hint))
    return one_line(decode(data, charset if known(charset) else "", hint))


def _is_piece(key: str, name: str) -> bool:
    if not key.startswith(f"{name}*"):
        return False
    number = key[len(name) + 1 :].rstrip("*")
    return not number or (number.isdigit() and len(number) < 4)


_PARAM = re.compile(rb';\s*([!#$&+\-^_`{|}~*.A-Za-z0-9\']+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)')


def parameters(raw: bytes) -> tuple[str, dict[str, bytes]]:
    """The value of a field like ``Content-Type`` in lower case, and its parameters as ``parameter`` takes them."""
    value = raw.partition(b";")[0].strip().decode("ascii", "ignore").lower()
    found: dict[str, bytes] = {}
    for name, text in _PARAM.findall(raw):
        if text.startswith(b'"'):
            text = re.sub(rb"\\(.)", rb"\1", text.strip(b'"'))
        found.setdefault(name.decode("ascii", "ignore").lower(), text.strip())
    return value, found
