"""Writing records of one 1C base over OData: what ``connectors.writing`` decides, in 1C's requests.

Nothing here deletes: a record is given up by its ``DeletionMark``, and no DELETE is ever sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Change
from connectors.onec_odata import body as bodies
from connectors.onec_odata.answers import Answer, Asked, complaint, misfit
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.refusals import refusal
from connectors.onec_odata.rows import split
from connectors.onec_odata.transport import Transport
from connectors.onec_odata.urls import JSON, build, guid, text
from connectors.writing import Overtaken, Refused, Shown, Taken, Unanswered
from hub.model.errors import HubError, SkipRecord

_FORMAT = [("$format", JSON)]
_JSON_BODY = {"Content-Type": "application/json;charset=utf-8"}
_KEY_TAKEN = "15"
_OPERATIONAL = re.compile(r"(?i)оперативн|operational")
#: A body cut in the middle with a good length is asked for again.
_CUT_RETRIES = 2
#: Records with a marker that are looked at: more than one is too many already, the rest is what ``like`` overmatches.
_MARKED = 50


class OneCTarget:
    """One 1C base as something to write to. ``now`` tells the time in the base's zone; replaced in tests."""

    def __init__(self, settings: OneCSettings, transport: Transport, now: Callable[[], datetime] | None = None) -> None:
        self.system = settings.name
        self._transport = transport
        zone = ZoneInfo(settings.timezone)
        self._now = now or (lambda: datetime.now(zone))

    def body(self, stream: str, change: Change) -> dict[str, Any]:
        """The fields, checked; rows are numbered, and joined with those that stand there, when they are sent."""
        return bodies.checked(change, Asked(self.system, stream))

    def look(self, stream: str, key: str) -> Shown | None:
        """The record by its key; ``None`` for 1C's own "no such instance"."""
        asked = Asked(self.system, stream)
        url = build(self._transport.root, _record(stream, key), _FORMAT)
        for remaining in range(_CUT_RETRIES, -1, -1):
            try:
                return _shown(self._transport.get(url, asked), asked)
            except HubError as error:
                if error.code == "unknown_object":
                    return None
                if error.code == "rights_missing":  # of this record perhaps: rights may be by record
                    raise Refused(SkipRecord("rights_missing_write", system=self.system, stream=stream)) from None
                if error.code != "page_cut" or not remaining:
                    raise
        raise AssertionError("unreachable")

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Keys of records with that text in that field.

        1C compares no text of unlimited length by ``eq`` and none of another type by ``substringof``: the first form
        that the field bears counts. Case and the wildcards of ``like`` are checked here.
        """
        field, wanted = marker
        asked = Asked(self.system, stream)
        options = [*_FORMAT, ("$select", f"Ref_Key,{field}"), ("$top", str(_MARKED))]
        forms = (
            f"substringof({text(wanted)},{field})",
            f"like({field},{text(f'%{wanted}%')})",
            f"{field} eq {text(wanted)}",
        )
        for form in forms:
            url = build(self._transport.root, stream, [*options, ("$filter", form)])
            try:
                found = split(self._transport.get(url, asked), asked)
            except HubError as error:
                if error.code != "source_error" or form is forms[-1]:
                    raise
                continue
            rows = [msgspec.json.decode(raw) for raw in found.rows]
            return [str(row["Ref_Key"]) for row in rows if wanted in str(row.get(field, ""))]
        raise AssertionError("unreachable")

    def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
        """POST with the reserved key. The key that counts is in the answer's body, never in its ``Location``."""
        asked = Asked(self.system, stream)
        url = build(self._transport.root, stream, _FORMAT)
        answer = self._transport.send("POST", url, asked, bodies.created(body, key), _headers(load_mode))
        if complaint(answer).code == _KEY_TAKEN:
            raise Taken
        self._judge(answer, asked)
        try:
            return str(msgspec.json.decode(answer.content)["Ref_Key"])
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
            raise Unanswered from None

    def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
        """PATCH. ``If-Match`` goes with it where a version was decided on: most bases ignore it.

        A base that answers 412 although it shows the same version wants another form of that header: it goes without.
        """
        guard = {"If-Match": before.version} if change.version is not None and before.version else {}
        try:
            self._patch(stream, before, body, _headers(change.load_mode) | guard)
        except Overtaken:
            now = self.look(stream, before.key)
            if now is None or now.version != before.version:
                raise
            self._patch(stream, before, body, _headers(change.load_mode))

    def _patch(self, stream: str, before: Shown, body: dict[str, Any], headers: dict[str, str]) -> None:
        asked = Asked(self.system, stream)
        url = build(self._transport.root, _record(stream, before.key), _FORMAT)
        sent = bodies.changed(body, before.fields)
        self._judge(self._transport.send("PATCH", url, asked, sent, headers), asked)

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """``/Post``, ``/Unpost`` or ``/ExecuteTask``.

        Operational when the document is of today in the base's own zone: some documents make their movements only then.
        Where 1C will have none of it, it is posted otherwise.
        """
        if posting == "execute":
            self._act(stream, shown, "ExecuteTask", refused="execution_refused")
            return
        if posting == "unpost":
            self._act(stream, shown, "Unpost", operational=False)
            return
        today = str(shown.fields.get("Date", ""))[:10] == self._now().date().isoformat()
        try:
            self._act(stream, shown, "Post", operational=today)
        except Refused as no:
            if not today or not _OPERATIONAL.search(str(no.error.params.get("text", ""))):
                raise
            self._act(stream, shown, "Post", operational=False)

    def _act(
        self,
        stream: str,
        shown: Shown,
        action: str,
        *,
        operational: bool | None = None,
        refused: str = "posting_refused",
    ) -> None:
        asked = Asked(self.system, stream, action)
        options = [] if operational is None else [("PostingModeOperational", "true" if operational else "false")]
        url = build(self._transport.root, f"{_record(stream, shown.key)}/{action}", options)
        self._judge(self._transport.send("POST", url, asked, b"", {}), asked, refused)

    def pause(self, attempt: int) -> bool:
        """As patient as reading is."""
        return self._transport.pause(attempt)

    def _judge(self, answer: Answer, asked: Asked, refused: str = "source_refused") -> None:
        """Return for a success; ``Refused``, ``Overtaken``, or ``HubError`` for what must stop the route.

        A success with a page or half a text in place of 1C's answer says nothing: ``Unanswered``.
        """
        if answer.status in {200, 201, 204} and complaint(answer).source != "odata":
            if answer.kind == "html":
                raise Unanswered
            return
        if answer.status == 412:
            raise Overtaken
        error, own = refusal(answer, asked, refused)
        raise Refused(error) if own else error


def _record(stream: str, key: str) -> str:
    return f"{stream}({guid(key)})"


def _headers(load_mode: bool) -> dict[str, str]:
    return _JSON_BODY | ({"1C_OData-DataLoadMode": "true"} if load_mode else {})


def _shown(answer: Answer, asked: Asked) -> Shown:
    try:
        fields = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise misfit(answer, asked) from None
    if not isinstance(fields, dict) or not isinstance(fields.get("Ref_Key"), str):
        raise misfit(answer, asked)
    version = fields.get("DataVersion")
    return Shown(fields["Ref_Key"], str(version) if version is not None else None, bytes(answer.content), fields)
