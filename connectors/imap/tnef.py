"""Outlook's ``winmail.dat``: the text of a letter and the names of its files, out of Microsoft's TNEF.

The shape is that of [MS-OXTNEF]: a signature, then attributes, each with its level, id, length, data and checksum.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from connectors.imap.charset import decode

_SIGNATURE = 0x223E9F78
_BODY, _TITLE, _CODEPAGE, _PROPS, _RENDER = 0x0002800C, 0x00018010, 0x00069007, 0x00069003, 0x00069002
_ATTACH_PROPS = 0x00069005
#: MAPI's properties: the body as text, the long name of a file.
_MAPI_BODY, _MAPI_LONG_NAME = 0x1000, 0x3707
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_LONG = (0x1E, 0x1F, 0x0D, 0x102)


@dataclass(slots=True)
class Tnef:
    """``text`` may be empty; ``names``: of the files inside."""

    text: str = ""
    names: list[str] = field(default_factory=list)


def read(data: bytes) -> Tnef:
    """What can be read of it; of a broken or cut one what stands before the break."""
    found, charset = Tnef(), "cp1251"
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return found
    place = 6
    while place + 9 <= len(data):
        _, name, length = struct.unpack_from("<BII", data, place)
        body = data[place + 9 : place + 9 + length]
        place += 9 + length + 2
        if len(body) < length:
            break
        if name == _CODEPAGE and length >= 4:
            charset = f"cp{struct.unpack_from('<I', body)[0]}"
        elif name == _BODY:
            found.text = decode(body.rstrip(b"\0"), charset)
        elif name == _TITLE:
            found.names.append(decode(body.rstrip(b"\0"), charset))
        elif name in {_PROPS, _ATTACH_PROPS}:
            _properties(found, body, charset)
    return found


def _properties(found: Tnef, data: bytes, charset: str) -> None:
    """MAPI properties tell text and long names in Unicode; a kind that is not known here ends the reading of them."""
    try:
        (number,) = struct.unpack_from("<I", data)
        place = 4
        for _ in range(min(number, 1000)):
            kind, name = struct.unpack_from("<HH", data, place)
            place += 4
            if name >= 0x8000:
                place = _named(data, place)
            if kind in _FIXED:
                place += _FIXED[kind]
                continue
            if kind not in _LONG:
                return
            (count,) = struct.unpack_from("<I", data, place)
            place += 4
            for _ in range(min(count, 1000)):
                (length,) = struct.unpack_from("<I", data, place)
                value = data[place + 4 : place + 4 + length]
                place += 4 + length + -length % 4
                _property(found, kind, name, value, charset)
    except struct.error:
        return


def _named(data: bytes, place: int) -> int:
    """Past the name of a named property."""
    (kind,) = struct.unpack_from("<I", data, place + 16)
    if kind == 0:
        return place + 24
    (length,) = struct.unpack_from("<I", data, place + 20)
    return int(place + 24 + length + -length % 4)


def _property(found: Tnef, kind: int, name: int, value: bytes, charset: str) -> None:
    if name not in {_MAPI_BODY, _MAPI_LONG_NAME} or kind not in {0x1E, 0x1F}:
        return
    text = decode(value, "utf-16-le" if kind == 0x1F else charset).rstrip("\0")
    if name == _MAPI_BODY:
        found.text = found.text or text
    elif found.names:
        found.names[-1] = text  # the short name before it is of the same file
    else:
        found.names.append(text)
