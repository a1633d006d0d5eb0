"""What an answer that is no good one means, in words of the house::

    RetryLater   cloud_busy · cloud_failed · cloud_cut · cloud_not_ready
    StopRoute    cloud_refused · cloud_unexpected
    StopSystem   cloud_key_refused · cloud_sign_refused · cloud_ip_refused · cloud_right_missing · cloud_moved
                 · cloud_not_service

Texts of a service are passed on cut and masked: they may repeat what was asked, keys and telephones included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connectors import web
from connectors.cloud_pbx.asking import Keys
from connectors.onec_odata.answers import Answer
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

TEXT_LIMIT = 200
_NUMBER = re.compile(r"\+?\d[\d\s()\-]{5,}\d")

#: What a service's own word means: a key of ``_ERRORS``, and the word itself; ``None`` where the answer is a good one.
Meaning = tuple[str, str]
Complaint = Callable[[Answer], Meaning | None]

_ERRORS: dict[str, Callable[..., HubError]] = {
    "key": lambda **told: StopSystem("cloud_key_refused", system=told["system"], service=told["service"]),
    "sign": lambda **told: StopSystem("cloud_sign_refused", system=told["system"], service=told["service"]),
    "address": lambda **told: StopSystem("cloud_ip_refused", system=told["system"], service=told["service"]),
    "right": lambda **told: StopSystem("cloud_right_missing", **told),
    "limit": lambda **told: RetryLater("cloud_busy", system=told["system"], service=told["service"]),
    "passing": lambda **told: RetryLater("cloud_failed", **told),
    "refused": lambda **told: StopRoute("cloud_refused", **told),
}


def masked(text: str, keys: Keys) -> str:
    """A text of the service without keys and long numbers, in one line of at most ``TEXT_LIMIT`` characters."""
    for secret in sorted(filter(None, (keys.password, keys.token, keys.user)), key=len, reverse=True):
        text = text.replace(secret, "•••")
    text = " ".join(_NUMBER.sub("•••", text).split())
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def meant(meaning: Meaning, system: str, service: str, keys: Keys) -> HubError:
    """The error that a service's own word means."""
    kind, text = meaning
    return _ERRORS[kind](system=system, service=service, text=masked(text, keys))


def by_status(answer: Answer, system: str, service: str, keys: Keys) -> HubError | None:
    """The error of an answer by its status alone; ``None`` for a good one."""
    status = answer.status
    if status in {200, 201, 202, 204}:
        return None
    if status == 401:
        return StopSystem("cloud_key_refused", system=system, service=service)
    if status == 403:
        return StopSystem("cloud_ip_refused", system=system, service=service)
    if 300 <= status < 400:
        host = urlsplit(answer.headers.get("location", "")).hostname or "—"
        return StopSystem("cloud_moved", system=system, host=host)
    if status in {429, 503}:
        return RetryLater("cloud_busy", retry_after=web.retry_after(answer.headers), system=system, service=service)
    if status >= 500:
        text = f"HTTP {status}"
        pause = web.retry_after(answer.headers)
        return RetryLater("cloud_failed", retry_after=pause, system=system, service=service, text=text)
    if status == 404:
        return StopSystem("cloud_not_service", system=system, service=service)
    text = masked(f"HTTP {status} {words(answer)}", keys)
    return StopRoute("cloud_refused", system=system, service=service, text=text)


def words(answer: Answer) -> str:
    """What the service says in its answer, as far as it is text."""
    if bytes(answer.content[:512]).lstrip().startswith(b"<"):
        return ""
    found = decoded(answer)
    if isinstance(found, dict):
        said = [found.get(name) for name in ("message", "error", "error_description", "description", "errorCode")]
        return " ".join(str(part) for part in said if isinstance(part, str | int))
    return bytes(answer.content[:1000]).decode("utf-8", errors="replace")


def decoded(answer: Answer) -> Any:
    """The body as JSON; ``None`` where it is none."""
    try:
        return msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
