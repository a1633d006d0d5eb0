"""Requests and responses as the engine sees them, and the choice of format."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stand.onec import atomout, jsonout
from stand.onec.errors import ODataError, bad_option

XML = "application/xml;charset=utf-8"
FEED = "application/atom+xml;type=feed;charset=utf-8"
ENTRY = "application/atom+xml;type=entry;charset=utf-8"
SERVICE = "application/atomsvc+xml;charset=utf-8"
PLAIN = "text/plain;charset=utf-8"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Request:
    """``path``: below the service root, still percent-encoded. ``headers``: names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """Status, body, and headers beside Content-Type and Content-Length."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The format of the answer: ``json`` with a level of detail, or Atom."""

    json: bool
    detail: str = "minimalmetadata"

    @property
    def content_type(self) -> str:
        """Of a JSON answer."""
        return f"application/json;odata={self.detail};charset=utf-8"


def form_of(asked: Mapping[str, str], accept: str) -> Form:
    """``$format`` wins over Accept; Atom is the default. Code 14 for an unknown format."""
    text = asked.get("$format", "").lower().replace(" ", "")
    if not text:
        if "application/json" not in accept.lower():
            return Form(json=False)
        detail = accept.partition("odata=")[2].split(";")[0].split(",")[0].strip()
        text = f"application/json;odata={detail or 'minimalmetadata'}"
    if text in ("atom", "application/atom+xml", "xml", "application/xml"):
        return Form(json=False)
    detail = text.partition("odata=")[2] or "minimalmetadata"
    if text.split(";")[0] not in ("json", "application/json") or detail not in jsonout.DETAILS:
        raise bad_option("$format", asked.get("$format", ""))
    return Form(json=True, detail=detail)


def refusal(error: ODataError, form: Form, *, encoded: bool = False) -> Response:
    """The error body in the format of the request; a text with control characters (or ``encoded``) in base64."""
    text = error.text
    if encoded or _CONTROL.search(text):
        text = base64.b64encode(text.encode()).decode()
    if form.json:
        return Response(error.status, form.content_type, jsonout.error(error.code, text))
    return Response(error.status, XML, atomout.error(error.code, text))
