"""Zadarma, and Novofon's older interface, which is the same under another address.

From the service's own client in PHP; not tried against the live service. Not certain, and met both ways: how many rows
an answer holds at most and how long a period it may cover (pages are read until one brings nothing new, a request
covers a day), and which of ``sip``, ``clid`` and ``destination`` is our extension (the short one is).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from connectors.cloud_pbx.answers import json_rows
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning, decoded
from connectors.cloud_pbx.hooks import field_of, refused, same, without
from connectors.cloud_pbx.service import HookKeys, Listing, Paging, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import zadarma, zadarma_signature
from connectors.notices import Hint
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording
from hub.model.phones import read_phone

_TITLE = "Zadarma"
_MOMENT = "%Y-%m-%d %H:%M:%S"
OUTCOMES = {
    "answered": "answered",
    "busy": "busy",
    "cancel": "cancelled",
    "no answer": "no_answer",
    "call failed": "failed",
    "failed": "failed",
    "no money": "failed",
    "no limit": "failed",
    "no money, no limit": "failed",
    "line limit": "failed",
    "unallocated number": "failed",
    "no day limit": "failed",
}
#: What a notice is signed over, by its kind.
_SIGNED = {
    "NOTIFY_START": ("caller_id", "called_did", "call_start"),
    "NOTIFY_INTERNAL": ("caller_id", "called_did", "call_start"),
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_END": ("caller_id", "called_did", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
    "NOTIFY_IVR": ("caller_id", "called_did", "call_start"),
}
#: Seconds that links to recordings live; nobody keeps one longer than the download takes.
_LIFETIME = 180


def _complaint(answer: Answer) -> Meaning | None:
    found = decoded(answer) if answer.kind == "json" else None
    if not isinstance(found, dict) or found.get("status") != "error" or answer.status in {429, 503}:
        return None
    text = str(found.get("message") or "")
    said = text.lower()
    if answer.status == 401 or "author" in said or "signature" in said:
        return "sign", text
    if "limit" in said and "exceed" in said:
        return "limit", text
    return ("right" if answer.status == 403 else "refused"), text


def _pace(answer: Answer) -> float:
    """Seconds until requests are let in again, when this was the last one of the minute's."""
    left, reset = (answer.headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "reset"))
    if not left.isdigit() or int(left) > 0:
        return 0.0
    told = float(reset) if reset.replace(".", "", 1).isdigit() else 60.0
    return 60.0 if told > 1e6 else told  # a moment instead of a number of seconds


def _prepared(row: Row) -> Row:
    """Who is ours is told by the short number; both of them short is a call within the house."""
    ends = [str(row.get(name) or "") for name in ("sip", "destination")]
    caller = str(row.get("clid") or "")
    short = [read_phone(text).kind == "extension" for text in ends]
    way = "internal" if all(short) else "outbound" if short[0] else "inbound"
    return {
        **row,
        "way": way,
        "other": (caller or ends[0]) if way == "inbound" else ends[1] if way == "outbound" else ends[0],
        "agent": ends[0] if way == "outbound" else ends[1] if short[1] else "",
        "line": caller if way == "outbound" else ends[1] if not short[1] else "",
        "recorded": row.get("pbx_call_id") if str(row.get("is_recorded")).lower() in {"true", "1"} else "",
    }


def _verify(keys: HookKeys, headers: Mapping[str, str], body: bytes) -> Hint:
    """``Signature`` is made as ours are, over some fields joined."""
    form = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    event = field_of(form, "event")
    if event not in _SIGNED:
        raise refused(_TITLE)
    text = "".join(field_of(form, name) for name in _SIGNED[event])
    same(_TITLE, headers.get("signature", ""), zadarma_signature(keys.password, text) if keys.password else "")
    over = event.endswith(("_END", "_RECORD"))
    call, recording = field_of(form, "pbx_call_id"), field_of(form, "call_id_with_rec")
    return Hint("zadarma", call, event.lower(), recording, over, without(form))


def _recording(client: Client, recording: Recording) -> Ask:
    del client
    told: dict[str, Any] = {"pbx_call_id": recording.recording_id, "lifetime": _LIFETIME}
    return Ask("GET", "/v1/pbx/record/request/", told)


ZADARMA = Service(
    "zadarma",
    _TITLE,
    "https://api.zadarma.com",
    zadarma,
    _complaint,
    Listing(
        "GET",
        "/v1/statistics/pbx/",
        {
            "start": f"{{start:{_MOMENT}}}",
            "end": f"{{last:{_MOMENT}}}",
            "version": "2",
            "skip": "{skip}",
            "limit": "{size}",
        },
        json_rows("stats"),
        Paging("skip", size=1000),
    ),
    Shape(
        call=("pbx_call_id", "call_id"),
        hashed=("callstart", "sip", "clid", "destination"),
        started=("callstart",),
        client=("other",),
        ours=("line",),
        agent=("agent",),
        direction=Words(("way",), {"inbound": "inbound", "outbound": "outbound", "internal": "internal"}),
        outcome=Words(("disposition",), OUTCOMES, "no_answer"),
        talk=("seconds",),
        cause=("disposition",),
        recordings=("recorded",),
        prepare=_prepared,
    ),
    needs=("user", "password"),
    span=timedelta(days=1),
    margin=timedelta(hours=2),
    recording=_recording,
    pace=_pace,
    verify=_verify,
    echo="zd_echo",
)

NOVOFON_CLASSIC = replace(ZADARMA, name="novofon", title="Новофон", base="https://api.novofon.com")
