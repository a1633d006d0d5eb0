"""UIS and CoMagic, and Novofon, which runs on the same engine: JSON-RPC with a key among its parameters.

UIS from the service's own pages (two versions are kept, the old one is closed two months later); Novofon from clients
of others. Not tried against the live services. A key works from the addresses of its allow-list only. Every answer
tells how many points are left of the minute's and the day's; when the minute's are spent the next request waits for
its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.cloud_pbx.answers import json_rows
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning, decoded
from connectors.cloud_pbx.moments import listed, number
from connectors.cloud_pbx.service import Listing, Paging, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import json_rpc
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording

_FIELDS = [
    "id",
    "start_time",
    "finish_time",
    "finish_reason",
    "direction",
    "is_lost",
    "contact_phone_number",
    "virtual_phone_number",
    "communication_id",
    "wait_duration",
    "talk_duration",
    "total_duration",
    "employees",
    "call_records",
]
#: Parts of the service's mnemonics, in the order in which they are looked for.
_MEANINGS = (
    ("limit", "limit"),
    ("ip_", "address"),
    ("allowed_ip", "address"),
    ("token", "key"),
    ("auth", "key"),
    ("forbidden", "right"),
    ("permission", "right"),
    ("component", "right"),
    ("internal", "passing"),
    ("unavailable", "passing"),
)


def _complaint(answer: Answer) -> Meaning | None:
    found = decoded(answer) if answer.kind == "json" else None
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return None
    data = error.get("data")
    mnemonic = str(data.get("mnemonic") or "") if isinstance(data, dict) else ""
    text = f"{mnemonic} {error.get('message') or ''}".strip()
    said = mnemonic.lower() or text.lower()
    return next((kind for part, kind in _MEANINGS if part in said), "refused"), text


def _pace(answer: Answer) -> float:
    """Seconds until the minute's points are given anew, when none is left."""
    found = decoded(answer)
    limits: Any = found
    for name in ("result", "metadata", "limits"):
        limits = limits.get(name) if isinstance(limits, dict) else None
    if not isinstance(limits, dict) or number(limits.get("minute_remaining", 1)) > 0:
        return 0.0
    return float(number(limits.get("minute_reset", 60)))


def _prepared(row: Row) -> Row:
    people = [one for one in listed(row.get("employees")) if isinstance(one, Mapping)]
    spoke = [one for one in people if one.get("is_answered") or one.get("is_talked")] or people[:1]
    return {
        **row,
        "outcome": "answered" if row.get("is_lost") is not True and number(row.get("talk_duration")) else "no_answer",
        "person": spoke[0].get("employee_full_name") if spoke else "",
        "extension": spoke[0].get("extension") or spoke[0].get("internal_phone_number") if spoke else "",
        "call_records": [f"{row.get('communication_id')}/{part}" for part in listed(row.get("call_records"))],
    }


def _recording(media: str) -> Any:
    def asked(client: Client, recording: Recording) -> Ask:
        """The address of the file is made of two ids; the key has no place in it."""
        del client
        return Ask("GET", f"{media}/{recording.recording_id}", bare=True)

    return asked


UIS = Service(
    "uis",
    "UIS / CoMagic",
    "https://dataapi.uiscom.ru/v2.0",
    json_rpc,
    _complaint,
    Listing(
        "POST",
        "get.calls_report",
        {
            "date_from": "{start:%Y-%m-%d %H:%M:%S}",
            "date_till": "{last:%Y-%m-%d %H:%M:%S}",
            "offset": "{skip}",
            "limit": "{size}",
            "sort": [{"field": "start_time", "order": "asc"}],
            "fields": _FIELDS,
            "include_ongoing_calls": False,
        },
        json_rows("result", "data"),
        Paging("skip", size=1000),
    ),
    Shape(
        call=("id",),
        hashed=("start_time", "direction", "contact_phone_number", "virtual_phone_number"),
        started=("start_time",),
        client=("contact_phone_number",),
        ours=("virtual_phone_number",),
        agent=("extension",),
        name=("person",),
        direction=Words(("direction",), {"in": "inbound", "out": "outbound"}),
        outcome=Words(("outcome",), {"answered": "answered"}, "no_answer"),
        talk=("talk_duration",),
        wait=("wait_duration",),
        total=("total_duration",),
        cause=("finish_reason",),
        recordings=("call_records",),
        prepare=_prepared,
    ),
    recording=_recording("https://app.comagic.ru/system/media/talk"),
    pace=_pace,
)

NOVOFON = replace(
    UIS,
    name="novofon",
    title="Новофон",
    base="https://dataapi-jsonrpc.novofon.ru/v2.0",
    recording=_recording("https://app.novofon.ru/system/media/talk"),
)
