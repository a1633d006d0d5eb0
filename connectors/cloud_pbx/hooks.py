"""Notices that services send: who sent them is proven, and what they tell is a hint to look, never a call.

There is no listener here: whoever receives a notice (``hub/exchange/notices.py``) hands headers and body to ``verify``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from hub.model.errors import SkipRecord


def refused(service: str) -> SkipRecord:
    """The error of a notice that does not prove itself."""
    return SkipRecord("cloud_hook_refused", service=service)


def same(service: str, given: str, expected: str) -> None:
    """``SkipRecord(cloud_hook_refused)`` unless a proof is the expected one; an empty proof proves nothing."""
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise refused(service)


def field_of(form: Mapping[str, Sequence[str]], name: str) -> str:
    """A field of a form; one that is there twice is none, for the proof could be of the other."""
    found = form.get(name) or [""]
    return found[0] if len(found) == 1 else ""


def without(form: Mapping[str, Sequence[str]], *proofs: str) -> str:
    """A form as text, but for the fields that prove it."""
    return urlencode({name: values for name, values in form.items() if name not in proofs}, doseq=True)


def json_of(service: str, text: str) -> dict[str, Any]:
    """A JSON object; ``SkipRecord(cloud_hook_refused)`` for anything else."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise refused(service) from None
    if not isinstance(found, dict):
        raise refused(service)
    return found
