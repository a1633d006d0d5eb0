"""What a messenger offers: one stream, whose records are messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.base import ReadRequest, StreamInfo
from hub.model.errors import StopRoute
from hub.model.records import Page

STREAM = "messages"
KEY = ("id",)

INFO = StreamInfo(
    STREAM,
    fields={
        "id": "text",
        "kind": "text",
        "chat": "text",
        "title": "text",
        "message": "text",
        "key": "text",
        "date": "timestamp",
        "at": "timestamp",
        "edited_at": "timestamp",
        "direction": "text",
        "status": "text",
        "subject": "text",
        "text": "text",
        "line": "text",
        "is_auto": "boolean",
        "reply_to": "text",
    },
    tables={
        "people": {"role": "text", "kind": "text", "handle": "text", "raw": "text", "name": "text"},
        "files": {"n": "integer", "kind": "text", "name": "text", "mime": "text", "size": "integer", "file": "text"},
    },
    key=KEY,
)
FINGERPRINT = hashlib.sha256(
    json.dumps([INFO.name, INFO.fields, INFO.tables, INFO.key], sort_keys=True).encode()
).hexdigest()


def check(request: ReadRequest, title: str) -> None:
    """``StopRoute`` names the stream or the field that there is not."""
    if request.stream != STREAM:
        raise StopRoute("unknown_set", system=title, stream=request.stream)
    if request.table != "set":
        raise StopRoute("unknown_table", system=title, stream=request.stream, table=request.table)
    known = INFO.fields.keys() | INFO.tables.keys()
    for name in (*request.fields, *request.key, *filter(None, (request.date_field, request.changed_field))):
        if name not in known and (request.fields or name == request.date_field):
            raise StopRoute("unknown_field", system=title, stream=request.stream, field=name)


def page(
    request: ReadRequest,
    records: Sequence[Mapping[str, Any]],
    position: dict[str, Any],
    *,
    last: bool = False,
    more: bool = False,
) -> Page:
    """Records with the fields that were asked for, and the key."""
    wanted = {*request.fields, *KEY}
    kept = [{n: v for n, v in one.items() if n in wanted} if request.fields else one for one in records]
    raws = [msgspec.json.encode(one) for one in kept]
    return Page(STREAM, raws, (), position, last, sum(map(len, raws)), more=more)
