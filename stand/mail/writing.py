"""Letters as programs write them: plain, with HTML, with files, in the charsets that are still met."""

from __future__ import annotations

import quopri
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class File(NamedTuple):
    """Something attached."""

    name: str
    mime: str
    data: bytes


def word(text: str, charset: str = "utf-8") -> str:
    """A text for a head: as it is, or as encoded words of a length that heads may have."""
    if text.isascii():
        return text
    pieces = [text[n : n + 18] for n in range(0, len(text), 18)]
    return "\r\n ".join(f"=?{charset}?B?{b64encode(piece.encode(charset)).decode()}?=" for piece in pieces)


def person(name: str, address: str, charset: str = "utf-8") -> str:
    """Who: the name, if there is one, and the address."""
    return f"{word(name, charset)} <{address}>" if name else address


def dated(moment: datetime) -> str:
    """A moment as heads tell it."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d} {month} {moment.year} {moment:%H:%M:%S %z}"


def letter(
    head: Mapping[str, str],
    text: str,
    *,
    html: str = "",
    files: Sequence[File] = (),
    charset: str = "utf-8",
) -> bytes:
    """The source of a letter. ``head``: fields ready to be written. Without ``text`` it is HTML alone."""
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    lines.append("MIME-Version: 1.0")
    bodies = [_text(said, kind, charset) for said, kind in ((text, "plain"), (html, "html")) if said]
    part = bodies[0] if bodies else _text("", "plain", charset)
    mark = f"=_{zlib.crc32(''.join(lines).encode()):08x}"
    if len(bodies) > 1:
        part = _several("alternative", f"{mark}a", bodies)
    if files:
        part = _several("mixed", f"{mark}m", [part, *map(_file, files)])
    return "\r\n".join(lines).encode("ascii", "replace") + b"\r\n" + part


def _text(said: str, kind: str, charset: str) -> bytes:
    data = quopri.encodestring(said.replace("\n", "\r\n").encode(charset, "replace"))
    data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"=0D\r\n", b"\r\n")
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + data


def _file(one: File) -> bytes:
    packed = b64encode(one.data)
    lines = b"\r\n".join(packed[n : n + 76] for n in range(0, len(packed), 76))
    name = word(one.name)
    head = (
        f'Content-Type: {one.mime};\r\n name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment;\r\n filename="{name}"\r\n\r\n'
    )
    return head.encode() + lines + b"\r\n"


def _several(kind: str, mark: str, parts: Sequence[bytes]) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode()
    border = f"\r\n--{mark}".encode()
    return head + b"".join(border + b"\r\n" + part for part in parts) + border + b"--\r\n"
