"""What an answer of a 1C publication means, judged by its status *and* its body.

1C speaks through layers (platform, application server, web server, proxy) and each has its own way to fail: JSON
``odata.error``, Atom ``m:error``, the application server's ``exception`` object, HTML pages with status 200, 401 or
500. ``failure`` turns any of them into one error of the house's tree::

    RetryLater   source_busy · source_gateway · source_failed · base_locked · no_licence · page_cut
    StopRoute    unknown_set · unknown_field · unknown_table · unknown_object · rights_missing · source_memory
                 · not_json · source_error
    StopSystem   auth_failed · forbidden · not_onec · html_page · address_moved

Texts of 1C are passed on (cut to ``TEXT_LIMIT`` characters) because only they name the culprit; requests and passwords
never are.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import web
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

TEXT_LIMIT = 400
BOM = b"\xef\xbb\xbf"

_BUSY = {406, 429, 503}
_GATEWAY = {502, 504}

#: Texts of the platform, in both its languages, that decide the meaning whatever the status is.
_MEMORY = re.compile(r"(?i)недостаточно (свободной )?памяти|no space left on device|not enough memory|out of memory")
_LOCKED = re.compile(r"(?i)начало сеанса с информационной базой запрещено|session start is not allowed")
_LICENCE = re.compile(r"(?i)не (найден\w*|обнаружен\w*) (свободн\w+ )?лицензи|licen[sc]e (is )?not found")
_APPLICATION = re.compile(r"(?i)application error|ошибка приложения")
_LOGIN = re.compile(r"(?i)идентификация пользователя не выполнена|неправильное имя или пароль|authentication failed")
_SEGMENT = re.compile(r"""(?i)(?:сегмент пути|path segment) ['"«]?(\S+?)['"»]? (?:was )?(?:не найден|not found)""")
_METHOD = re.compile(r"(?i)метод\S* .*не найден|метод не найден|method .*not found")
_MARKED = re.compile(r"(?s)<m:(code|message)[^>]*>(.*?)</m:\1>")
_TAG = re.compile(r"(?si)<(script|style)\b.*?</\1\s*>|<[^>]*>")
_TITLE = re.compile(r"(?si)<title[^>]*>(.*?)</title>")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{24,}={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was about, for the sentence of an error. ``table``: the virtual table or function called."""

    system: str
    stream: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: ``status``, headers by lower-case name, body (unpacked).

    ``seconds``: how long it took, 0 where that says nothing (the base may have had to start for it).
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def content(self) -> bytes | memoryview:
        """The body without a byte-order mark."""
        return memoryview(self.body)[len(BOM) :] if self.body.startswith(BOM) else self.body

    @property
    def kind(self) -> str:
        """``json``, ``html``, ``xml`` or ``text`` by what the body begins with; its declared type breaks ties."""
        head = bytes(self.content[:512]).lstrip().lower()
        if head.startswith((b"{", b"[")):
            return "json"
        if b"<html" in head or head.startswith(b"<!doctype html"):
            return "html"
        if head.startswith(b"<"):
            return "xml"
        return "html" if "html" in self.headers.get("content-type", "") and head else "text"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the server said of the failure: ``source`` is ``odata``, ``exception``, ``html`` or ``""`` (unreadable).

    ``code`` is 1C's error code as a text (``"6"``, ``"-1"``), only with ``odata``.
    """

    source: str
    code: str = ""
    text: str = ""


def complaint(answer: Answer) -> Complaint:
    """Read whatever of the known error shapes the body has."""
    kind = answer.kind
    if kind == "json":
        return _from_json(answer)
    body = bytes(answer.content[:16384]).decode("utf-8", errors="replace")
    if kind == "xml":
        found = {name: html.unescape(value).strip() for name, value in _MARKED.findall(body)}
        return Complaint("odata", found.get("code", ""), _cut(found.get("message", ""))) if found else Complaint("")
    if kind == "html":
        title = _TITLE.search(body)
        words = _plain(_TITLE.sub(" ", body))  # most pages say their title once more
        return Complaint("html", text=_cut(words or (_plain(title.group(1)) if title else "")))
    return Complaint("", text=_cut(body.strip()))


def _from_json(answer: Answer) -> Complaint:
    try:
        found: Any = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Complaint("")
    error = found.get("odata.error") if isinstance(found, dict) else None
    if isinstance(error, dict):
        message = error.get("message")
        value = message.get("value", "") if isinstance(message, dict) else message or ""
        return Complaint("odata", str(error.get("code", "")), _cut(str(value)))
    if isinstance(found, dict) and {"exception", "descr", "inner"} & found.keys():
        words = _deepest(found) or str(found.get("exception", ""))
        return Complaint("exception", text=_cut(words))
    return Complaint("")


def _deepest(found: dict[str, Any]) -> str:
    """``descr`` of the innermost exception that has one: the outer ones only say that a call failed."""
    inner = found.get("inner")
    deeper = _deepest(inner) if isinstance(inner, dict) else ""
    return deeper or str(found.get("descr") or "")


def _plain(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _cut(text: str) -> str:
    """One line of at most ``TEXT_LIMIT`` characters; a message that 1C packed in base64 is unpacked."""
    text = " ".join("".join(c if c.isprintable() else " " for c in _unpacked(text)).split())
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def _unpacked(text: str) -> str:
    if not _BASE64.fullmatch(text):
        return text
    try:
        return base64.b64decode(text).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):  # it only looked like base64
        return text


def failure(answer: Answer, asked: Asked) -> HubError:
    """The error that an unsuccessful answer means."""
    said = complaint(answer)
    known = _by_text(said, asked) or _by_status(answer, said, asked)
    if known is not None:
        return known
    if said.source == "odata":
        return _by_code(said, asked)
    if said.source == "exception" or answer.status >= 500:
        return RetryLater("source_failed", system=asked.system, status=answer.status, text=said.text)
    if answer.status == 404:
        return StopSystem("not_onec", system=asked.system, status=answer.status)
    return StopRoute("source_error", system=asked.system, stream=asked.stream, text=said.text or str(answer.status))


def _by_text(said: Complaint, asked: Asked) -> HubError | None:
    text, system = said.text, asked.system
    if _LOGIN.search(text):
        return StopSystem("auth_failed", system=system)
    if _MEMORY.search(text):
        return StopRoute("source_memory", system=system, stream=asked.stream)
    if _LOCKED.search(text):
        return RetryLater("base_locked", system=system, text=text)
    if _LICENCE.search(text):
        return RetryLater("no_licence", system=system)
    return None


def _by_status(answer: Answer, said: Complaint, asked: Asked) -> HubError | None:
    status, system = answer.status, asked.system
    if said.code == "20" or (status == 403 and said.source == "odata"):
        return StopRoute("rights_missing", system=system, stream=asked.stream)
    if status == 401:
        return StopSystem("auth_failed", system=system)
    if status == 403:
        return StopSystem("forbidden", system=system)
    if status == 407:
        return StopSystem("proxy_unreachable", system=system)
    if 300 <= status < 400:
        target = answer.headers.get("location", "").split("?")[0].rpartition("@")[2]
        return StopSystem("address_moved", system=system, target=target)
    if status in _BUSY:
        return RetryLater("source_busy", retry_after=web.retry_after(answer.headers), system=system, status=status)
    if status in _GATEWAY:
        return RetryLater("source_gateway", retry_after=web.retry_after(answer.headers), system=system, status=status)
    return None


def _by_code(said: Complaint, asked: Asked) -> HubError:
    system, stream, text = asked.system, asked.stream, said.text
    segment = _SEGMENT.search(text)
    if segment and said.code in {"6", "10", "14"}:
        name = segment[1]
        if name in (stream, f"/{stream}"):
            return StopRoute("unknown_set", system=system, stream=stream)
        if asked.table and name.partition("(")[0] == asked.table:
            return StopRoute("unknown_table", system=system, stream=stream, table=asked.table)
        return StopRoute("unknown_field", system=system, stream=stream, field=name)
    if said.code == "11" or (said.code == "6" and asked.table and _METHOD.search(text)):
        return StopRoute("unknown_table", system=system, stream=stream, table=asked.table)
    if said.code == "8":
        return StopRoute("unknown_set", system=system, stream=stream)
    if said.code == "10":
        return StopRoute("unknown_field", system=system, stream=stream, field=text)
    if said.code == "9":
        return StopRoute("unknown_object", system=system, stream=stream, text=text)
    return StopRoute("source_error", system=system, stream=stream, text=text or said.code)


def misfit(answer: Answer, asked: Asked) -> HubError:
    """The error of an answer with a good status whose body is not what was asked for."""
    said, kind = complaint(answer), answer.kind
    if said.source in {"odata", "exception"}:
        return failure(answer, asked)
    if kind == "html":
        if _APPLICATION.search(said.text):
            return RetryLater("source_failed", system=asked.system, status=answer.status, text=said.text)
        return _by_text(said, asked) or StopSystem("html_page", system=asked.system, text=said.text[:120])
    if kind == "json" and _whole(answer):
        return StopSystem("not_onec", system=asked.system, status=answer.status)
    if kind == "json" or not answer.body.strip():
        return RetryLater("page_cut", system=asked.system, stream=asked.stream)
    return StopRoute("not_json", system=asked.system, stream=asked.stream, kind=kind)


def _whole(answer: Answer) -> bool:
    """True for well-formed JSON, whatever it says."""
    try:
        msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
