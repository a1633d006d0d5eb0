"""What a mailbox offers: one stream, whose records are letters as they lie in folders."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from connectors.base import ReadRequest, StreamInfo
from hub.model.errors import StopRoute

STREAM = "messages"
KEY = ("location",)
DATE = "date"

INFO = StreamInfo(
    STREAM,
    fields={
        "location": "text",
        "kind": "text",
        "folder": "text",
        "date": "timestamp",
        "direction": "text",
        "subject": "text",
        "text": "text",
        "message_key": "text",
        "message_id": "text",
        "in_reply_to": "text",
        "references": "text",
        "fingerprint": "text",
        "size": "integer",
        "auto": "text",
        "is_auto": "boolean",
        "answered": "boolean",
        "flagged": "boolean",
        "line": "text",
        "problem": "text",
        "raw": "text",
    },
    tables={
        "people": {"role": "text", "address": "text", "raw": "text", "name": "text"},
        "files": {"n": "integer", "name": "text", "mime": "text", "size": "integer", "part": "text"},
    },
    key=KEY,
)
FINGERPRINT = hashlib.sha256(
    json.dumps([INFO.name, INFO.fields, INFO.tables, INFO.key], sort_keys=True).encode()
).hexdigest()
#: A record as it travels.
encode = msgspec.json.Encoder().encode
#: Fields that cannot be told without the text of a letter.
_OF_TEXT = frozenset(("text", "message_key", "fingerprint"))


def check(request: ReadRequest, title: str) -> None:
    """``StopRoute`` names the stream or the field that there is not."""
    if request.stream != STREAM:
        raise StopRoute("unknown_set", system=title, stream=request.stream)
    if request.table != "set":
        raise StopRoute("unknown_table", system=title, stream=request.stream, table=request.table)
    known = INFO.fields.keys() | INFO.tables.keys()
    for name in (*request.fields, *request.key, *filter(None, (request.date_field, request.changed_field))):
        if name not in known:
            raise StopRoute("unknown_field", system=title, stream=request.stream, field=name)


def needs_text(request: ReadRequest) -> bool:
    """Whether the text of letters has to be fetched for what was asked."""
    return not request.fields or not _OF_TEXT.isdisjoint(request.fields)


def only(request: ReadRequest, record: dict[str, Any]) -> dict[str, Any]:
    """The fields that were asked for, and the key."""
    if not request.fields:
        return record
    wanted = {*request.fields, *KEY}
    return {name: record[name] for name in record if name in wanted}
