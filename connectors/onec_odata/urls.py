"""Addresses as 1C takes them: built by hand, because every library's own encoding breaks somewhere.

IIS refuses ``+`` for a blank inside ``$filter`` and 1C wants ``$`` unescaped, while ``urlencode`` makes ``+`` and
``%24`` of them. Values go into literals first (a quote inside a string is doubled), then into the address.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from urllib.parse import quote

#: Left as they are; everything else is percent-encoded UTF-8.
SAFE = "$()_-,.=/'"
JSON = "application/json;odata=nometadata"

#: 1C's own calendar ends here; a later bound of a window is no bound.
_LAST_YEAR = 3999

Options = Iterable[tuple[str, str]]


def build(root: str, path: str, options: Options = ()) -> str:
    """``root``/``path``?``options``. A blank becomes ``%20``; ``&``, ``+``, ``#``, ``%`` inside values are encoded."""
    query = "&".join(f"{quote(name, safe=SAFE)}={quote(value, safe=SAFE)}" for name, value in options)
    address = f"{root}/{quote(path, safe=SAFE)}" if path else f"{root}/"
    return f"{address}?{query}" if query else address


def text(value: str) -> str:
    """A string literal of ``$filter``."""
    return "'" + value.replace("'", "''") + "'"


def guid(value: str) -> str:
    """A GUID literal."""
    return f"guid'{value}'"


def moment(value: date) -> str:
    """A date literal; a plain date is its first second."""
    second = value.strftime("%H:%M:%S") if isinstance(value, datetime) else "00:00:00"
    return f"datetime'{value.year:04d}-{value.month:02d}-{value.day:02d}T{second}'"


def between(field: str, start: date, end: date) -> str:
    """``field`` from ``start`` up to but not including ``end``; empty when neither bound lies within 1C's calendar."""
    bounds = []
    if start > type(start).min:
        bounds.append(f"{field} ge {moment(start)}")
    if end.year <= _LAST_YEAR:
        bounds.append(f"{field} lt {moment(end)}")
    return " and ".join(bounds)
