"""Telphin: a token for the application's id and secret, then a history of whole calls in UTC.

From clients of others; not tried against the live service. Not certain, and met both ways: how the list and the numbers
are called in an answer, and whether a recording comes as a file or as a link to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cloud_pbx.answers import json_rows
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning, decoded
from connectors.cloud_pbx.moments import listed, number
from connectors.cloud_pbx.service import Listing, Paging, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import bearer
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording
from hub.model.errors import StopSystem

_MOMENT = "%Y-%m-%d %H:%M:%S"
OUTCOMES = {
    "answered": "answered",
    "not answered": "no_answer",
    "no answer": "no_answer",
    "missed": "no_answer",
    "busy": "busy",
    "rejected": "busy",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "failed": "failed",
    "voicemail": "voicemail",
}


def _complaint(answer: Answer) -> Meaning | None:
    found = decoded(answer) if answer.status in {400, 401} else None
    error = str(found.get("error") or "") if isinstance(found, dict) else ""
    return ("key", error) if error in {"invalid_client", "invalid_grant", "unauthorized_client"} else None


def _login(client: Client) -> str:
    """A token by ``client_credentials``."""
    keys = client.keys
    told = {"grant_type": "client_credentials", "client_id": keys.user, "client_secret": keys.password, "scope": "all"}
    found = decoded(client.login(Ask("POST", "/oauth/token", told)))
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise StopSystem("cloud_not_service", system=client.settings.title, service=client.service)
    return token


def _prepared(row: Row) -> Row:
    """Which side is ours is told by ``flow``; the recording by the leg that has one."""
    legs = [leg for leg in listed(row.get("cdr")) if isinstance(leg, Mapping)]
    recorded = [leg for leg in legs if leg.get("record_uuid")]
    out = str(row.get("flow") or "").lower() == "out"
    source = row.get("from_number") or row.get("from_username")
    target = row.get("to_number") or row.get("to_username")
    told = [row.get(name) for name in ("duration", "bridged_duration")]
    rang = max(0, number(told[0]) - number(told[1])) if None not in told else ""
    return {
        **row,
        "rang": rang,
        "other": target if out else source,
        "agent": (source if out else target) or "",
        "recorded": [f"{leg.get('extension_id')}/{leg['record_uuid']}" for leg in recorded],
    }


def _recording(client: Client, recording: Recording) -> Ask:
    del client
    extension, record = recording.recording_id.partition("/")[::2]
    return Ask("GET", f"/api/ver1.0/extension/{extension}/record/{record}")


_FLOWS: dict[str, Any] = {"in": "inbound", "out": "outbound", "internal": "internal", "local": "internal"}

TELPHIN = Service(
    "telphin",
    "Телфин.Офис",
    "https://apiproxy.telphin.ru",
    bearer,
    _complaint,
    Listing(
        "GET",
        "/api/ver1.0/client/@me/call_history/",
        {
            "start_datetime": f"{{start:{_MOMENT}}}",
            "end_datetime": f"{{last:{_MOMENT}}}",
            "order": "asc",
            "count": "{size}",
            "page": "{page}",
        },
        json_rows("calls|call_history|items"),
        Paging("page", size=500),
    ),
    Shape(
        call=("call_uuid", "uuid", "id"),
        hashed=("start_time_gmt", "flow", "from_number", "from_username", "to_number", "to_username"),
        started=("init_time_gmt", "start_time_gmt"),
        client=("other",),
        ours=("did_number", "did"),
        agent=("agent",),
        name=("to_screen_name",),
        direction=Words(("flow",), _FLOWS),
        outcome=Words(("result",), OUTCOMES, "no_answer"),
        talk=("bridged_duration",),
        wait=("rang",),
        total=("duration",),
        cause=("hangup_cause",),
        recordings=("recorded",),
        prepare=_prepared,
    ),
    needs=("user", "password"),
    zone="UTC",
    login=_login,
    recording=_recording,
)
