"""Sipuni: an export in CSV with Russian headings, by whole days.

From clients of others; not tried against the live service. Not certain, and met both ways: which of its headings an
account's export has (only the moment is insisted on), whether missed calls carry an id (a call is told apart by its
moment, kind and numbers, which never change).
"""

from __future__ import annotations

from connectors.cloud_pbx.answers import csv_rows, is_page
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning, decoded, words
from connectors.cloud_pbx.service import Listing, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import sipuni
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording

_DAY = "%d.%m.%Y"
OUTCOMES = {
    "отвечен": "answered",
    "отвеченный": "answered",
    "не отвечен": "no_answer",
    "неотвечен": "no_answer",
    "пропущен": "no_answer",
    "занято": "busy",
    "отменен": "cancelled",
    "отменён": "cancelled",
    "голосовая почта": "voicemail",
}


def _complaint(answer: Answer) -> Meaning | None:
    """Errors come with a good status, as JSON or as a bare sentence."""
    if answer.status != 200:
        return None
    if answer.kind == "json":
        found = decoded(answer)
        told = isinstance(found, dict) and (found.get("success") is False or "error" in found or "message" in found)
        text = words(answer) if told else ""
    else:
        text = "" if is_page(answer) or b";" in bytes(answer.content[:300]) else words(answer)
    said = text.lower()
    if not said.strip():
        return None
    if "hash" in said:
        return "sign", text
    return ("key" if "user" in said or "auth" in said else "refused"), text


def _prepared(row: Row) -> Row:
    out = str(row.get("Тип") or "").strip().lower().startswith("исход")
    kept = str(row.get("Запись существует") or "1").strip().lower() in {"1", "да", "true", "yes"}
    agent = row.get("Кто ответил") or ""
    return {
        **row,
        "other": row.get("Куда") if out else row.get("Откуда"),
        "line": row.get("Исходящая линия") or row.get("Схема") if out else row.get("Куда"),
        "agent": (row.get("Откуда") or agent) if out else agent,
        "recorded": row.get("ID записи") if kept and row.get("ID записи") else "",
    }


def _recording(client: Client, recording: Recording) -> Ask:
    del client
    return Ask("POST", "/api/statistic/record", {"id": recording.recording_id})


SIPUNI = Service(
    "sipuni",
    "Sipuni",
    "https://sipuni.com",
    sipuni,
    _complaint,
    Listing(
        "POST",
        "/api/statistic/export",
        {
            "anonymous": "1",
            "firstTime": "0",
            "from": f"{{start:{_DAY}}}",
            "fromNumber": "",
            "state": "0",
            "to": f"{{last:{_DAY}}}",
            "toAnswer": "",
            "toNumber": "",
            "tree": "",
            "type": "0",
        },
        csv_rows(heading="Время"),
    ),
    Shape(
        call=(),
        hashed=("Время", "Тип", "Откуда", "Куда"),
        started=("Время",),
        moment="%d.%m.%Y %H:%M:%S",
        client=("other",),
        ours=("line",),
        agent=("agent",),
        queue=("Схема",),
        direction=Words(("Тип",), {"входящий": "inbound", "исходящий": "outbound", "внутренний": "internal"}),
        outcome=Words(("Статус",), OUTCOMES, "no_answer"),
        talk=("Длительность разговора, сек", "Длительность разговора"),
        wait=("Время ответа, сек", "Время ответа"),
        total=("Длительность звонка, сек", "Длительность звонка"),
        cause=("Статус",),
        recordings=("recorded",),
        prepare=_prepared,
    ),
    needs=("user", "password"),
    grain="day",
    recording=_recording,
)
