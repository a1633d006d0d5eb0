"""What is sent to 1C: fields checked before they leave, rows of tabular parts numbered as 1C wants them.

1C drops or cuts much without a word and answers some mistakes with an internal error; what can be known to be wrong is
refused here, with a sentence.

A tabular part is replaced as a whole, with every column that is not sent emptied. So a row that names the
``LineNumber`` it has in 1C *continues* that row: the columns it does not name are sent back as they stand there
(references to unpublished objects, ``UnavailableEntities…``, among them). A row without a number is a new one. In the
order of the list they are numbered from 1, as texts, which is the JSON form of a long integer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from connectors import compare
from connectors.base import Change
from connectors.onec_odata.answers import Asked
from connectors.writing import Refused
from hub.model.errors import SkipRecord

#: Kept by 1C: the key and the version are never assigned; a document is posted by an action, which makes movements, and
#: a task is executed by one, which lets its business process go on.
_KEPT = frozenset({"Ref_Key", "DataVersion", "Posted", "Executed"})
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOBODY = "00000000-0000-0000-0000-000000000000"

Fields = dict[str, Any]

encode = msgspec.json.Encoder(decimal_format="number").encode


def checked(change: Change, asked: Asked) -> Fields:
    """The fields of ``change``, with its marker where a new record does not name that field itself.

    ``Refused`` for what must not be sent: fields that 1C keeps, values that are no JSON scalar, rows without sense.
    """
    if not _GUID.fullmatch(change.external_id) or change.external_id == _NOBODY:
        raise _no("key_malformed", asked, "Ref_Key", change.external_id)
    marker = {change.marker[0]: change.marker[1]} if change.create and change.marker else {}
    fields = {**marker, **change.fields}
    for name, value in fields.items():
        if name in _KEPT or "@" in name or name.startswith("odata."):
            raise _no("field_not_writable", asked, name, value)
        if isinstance(value, list):
            _check_rows(name, value, asked)
        elif not _is_scalar(value):
            raise _no("value_malformed", asked, name, value)
    return fields


def _check_rows(table: str, rows: list[Any], asked: Asked) -> None:
    numbers: set[str] = set()
    for place, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise _no("row_malformed", asked, f"{table}[{place}]", row)
        for name, value in row.items():
            if not _is_scalar(value):
                raise _no("value_malformed", asked, f"{table}[{place}].{name}", value)
        number = _number(row)
        if number and (not number.isdecimal() or int(number) < 1 or number in numbers):
            raise _no("row_malformed", asked, f"{table}[{place}].LineNumber", number)
        numbers.add(number or f"new {place}")


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float | Decimal):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int | bool)


def _number(row: Mapping[str, Any]) -> str:
    given = row.get("LineNumber")
    return "" if given is None else str(given)


def created(fields: Fields, key: str) -> bytes:
    """The body of a new record, with the key reserved for it."""
    return encode({"Ref_Key": key, **{name: _sendable(value, []) for name, value in fields.items()}})


def changed(fields: Fields, before: Fields) -> bytes:
    """The body of a change. A table that stands as it is stays out: sent, it would lose the columns we do not know."""
    body = {}
    for name, value in fields.items():
        old = before.get(name)
        if isinstance(value, list) and not compare.differences({name: value}, {}, before):
            continue
        body[name] = _sendable(value, old if isinstance(old, list) else [])
    return encode(body)


def _sendable(value: Any, old: list[Fields]) -> Any:
    if not isinstance(value, list):
        return value
    standing = {_number(row): row for row in old}
    return [_row(row, standing.get(_number(row), {}), place) for place, row in enumerate(value, 1)]


def _row(row: Mapping[str, Any], standing: Fields, place: int) -> Fields:
    carried = {name: value for name, value in standing.items() if "@" not in name}
    merged = {**carried, **row, "LineNumber": str(place)}
    merged.pop("Ref_Key", None)  # the document's own, in every row
    return merged


def _no(code: str, asked: Asked, field: str, value: Any) -> Refused:
    return Refused(SkipRecord(code, field, value, system=asked.system, stream=asked.stream))
