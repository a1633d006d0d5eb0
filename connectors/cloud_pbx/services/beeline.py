"""Beeline's cloud PBX: statistics without ids, a page at a time.

From a client of others; not tried against the live service. Not certain, and met both ways: whether pages are counted
from 0 or from 1 (asked from 0; what comes twice counts once, and a refused page 0 is passed over), how fields are
spelled (``phone_from`` or ``phoneFrom``). Its notices carry no proof of who sent them, so none is read. The service's
list of recordings is asked only when somebody wants to listen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.cloud_pbx.answers import json_rows
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning
from connectors.cloud_pbx.moments import number
from connectors.cloud_pbx.service import Listing, Paging, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import in_header
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording
from hub.model.errors import NeedsPerson

_MOMENT = "%Y-%m-%dT%H:%M:%S.000Z"
#: A recording and a call are of each other when they begin no further apart.
_NEAR_MS = 5000
_PAGES = 20


def _complaint(answer: Answer) -> Meaning | None:
    del answer
    return None  # its statuses say it all


def _prepared(row: Row) -> Row:
    person = row.get("abonent")
    person = person if isinstance(person, Mapping) else {}
    back = str(row.get("direction") or "").upper().startswith("OUT")
    source, target = row.get("phone_from") or row.get("phoneFrom"), row.get("phone_to") or row.get("phoneTo")
    status, talk = str(row.get("status") or "").upper(), number(row.get("duration"))
    missed = "MISS" in status or talk == 0
    user = str(person.get("userId") or row.get("userId") or "")
    digits = re.sub(r"\D", "", str((target if back else source) or ""))
    return {
        **row,
        "other": target if back else source,
        "line": source if back else target,
        "agent": person.get("extension") or "",
        "person": " ".join(str(person.get(name) or "") for name in ("lastName", "firstName")).strip(),
        "userId": user,
        "outcome": "no_answer" if missed else "answered",
        "source": source,
        "target": target,
        "find": "" if missed else f"{user}/{row.get('startDate')}/{digits}",
    }


def _recording(client: Client, recording: Recording) -> Ask:
    """The recording of a call is the one of the same person and number that begins with it."""
    user, at, digits = recording.recording_id.split("/")
    near = [datetime.fromtimestamp(int(at) / 1000 + shift, UTC) for shift in (-60, 60)]
    told: dict[str, Any] = {"userId": user, "dateFrom": f"{near[0]:{_MOMENT}}", "dateTo": f"{near[1]:{_MOMENT}}"}
    for _ in range(_PAGES):
        rows = json_rows()(client.ask(Ask("GET", "/records", told)))
        for row in rows:
            same_number = re.sub(r"\D", "", str(row.get("phone") or ""))[-10:] == digits[-10:]
            if same_number and abs(number(row.get("date")) - int(at)) <= _NEAR_MS:
                return Ask("GET", f"/v2/records/{row['id']}/download")
        last = rows[-1].get("id") if rows else None
        if last is None or told.get("id") == last:
            break
        told = {**told, "id": last}
    raise NeedsPerson("recording_gone", system=client.settings.title)


BEELINE = Service(
    "beeline",
    "Билайн Облачная АТС",
    "https://cloudpbx.beeline.ru/apis/portal",
    in_header("X-MPBX-API-AUTH-TOKEN"),
    _complaint,
    Listing(
        "GET",
        "/v2/statistics",
        {
            "dateFrom": f"{{start:{_MOMENT}}}",
            "dateTo": f"{{end:{_MOMENT}}}",
            "page": "{page}",
            "pageSize": "{size}",
        },
        json_rows(),
        Paging("page", size=100, first=0),
    ),
    Shape(
        call=(),
        hashed=("userId", "startDate", "direction", "source", "target"),
        started=("startDate",),
        moment="ms",
        client=("other",),
        ours=("line",),
        agent=("agent",),
        name=("person",),
        direction=Words(("direction",), {"inbound": "inbound", "outbound": "outbound"}),
        outcome=Words(("outcome",), {"answered": "answered"}, "no_answer"),
        talk=("duration",),
        cause=("status",),
        recordings=("find",),
        prepare=_prepared,
    ),
    zone="UTC",
    recording=_recording,
)
