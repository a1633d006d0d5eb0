"""What a mailing service offers: one stream, whose records are an address on a list.

A record is there for good once it was: who has left the list is ``unsubscribed``, which is the service's word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.base import ReadRequest, StreamInfo
from hub.model.errors import StopRoute
from hub.model.records import Page

STREAM = "members"
KEY = ("id",)
VERSION = "_version"
SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"

INFO = StreamInfo(
    STREAM,
    fields={"id": "text", "list": "text", "email": "text", "status": "text", VERSION: "text"},
    key=KEY,
)
FINGERPRINT = hashlib.sha256(json.dumps([INFO.name, INFO.fields, INFO.key], sort_keys=True).encode()).hexdigest()


def join(list_id: str, email: str) -> str:
    """The external id of an address on a list."""
    return f"{list_id}|{email}"


def record(list_id: str, email: str, status: str, version: str = "") -> dict[str, Any]:
    """As it travels; who is not on the list has no version of his own."""
    return {
        "id": join(list_id, email),
        "list": list_id,
        "email": email,
        "status": status,
        VERSION: version or status,
    }


def check(request: ReadRequest, title: str) -> None:
    """``StopRoute`` names the stream or the field that there is not."""
    if request.stream != STREAM:
        raise StopRoute("unknown_set", system=title, stream=request.stream)
    if request.table != "set":
        raise StopRoute("unknown_table", system=title, stream=request.stream, table=request.table)
    asked = [*request.fields, *request.key] if request.fields else []
    for name in filter(None, (*asked, request.date_field, request.changed_field)):
        if name not in INFO.fields:
            raise StopRoute("unknown_field", system=title, stream=request.stream, field=name)


def page(
    request: ReadRequest, records: Sequence[Mapping[str, Any]], position: dict[str, Any], *, last: bool = False
) -> Page:
    """Records with the fields that were asked for, and the key."""
    wanted = {*request.fields, *KEY}
    kept = [{n: v for n, v in one.items() if n in wanted} if request.fields else one for one in records]
    raws = [msgspec.json.encode(one) for one in kept]
    return Page(STREAM, raws, (), position, last, sum(map(len, raws)))
