"""MegaFon's virtual PBX, and others of the same engine (Dom.ru, Moldcell …): one address for each company.

From a module of MikoPBX, clients of others and the service's own description; not tried against the live service. Not
certain, and met both ways: how ``start`` is written (with or without punctuation, with or without a zone), and whether
a list is cut at ``limit``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from connectors.cloud_pbx.answers import json_rows
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning
from connectors.cloud_pbx.hooks import field_of, same, without
from connectors.cloud_pbx.service import HookKeys, Listing, Paging, Service, Shape, Words
from connectors.cloud_pbx.signing import in_header
from connectors.notices import Hint
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording

_TITLE = "МегаФон ВАТС"
_MOMENT = "%Y%m%dT%H%M%SZ"
OUTCOMES = {
    "success": "answered",
    "missed": "no_answer",
    "noanswer": "no_answer",
    "busy": "busy",
    "cancel": "cancelled",
    "notavailable": "failed",
    "notallowed": "failed",
    "notfound": "failed",
}
#: Notices of what has ended.
_OVER = {"completed", "cancelled", "history"}


def _complaint(answer: Answer) -> Meaning | None:
    return ("key", "") if answer.status == 403 and answer.kind == "json" else None


def _verify(keys: HookKeys, headers: Mapping[str, str], body: bytes) -> Hint:
    """``crm_token`` is the word that was agreed on in the cabinet."""
    del headers
    form = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    same(_TITLE, field_of(form, "crm_token"), keys.hook)
    event = (field_of(form, "type") if field_of(form, "cmd") == "event" else field_of(form, "cmd")).lower()
    told = without(form, "crm_token")
    return Hint("megafon", field_of(form, "callid"), event, field_of(form, "link"), event in _OVER, told)


def _recording(client: Client, recording: Recording) -> Ask:
    """The key goes to the company's own address only, whatever address a row names."""
    at_home = urlsplit(recording.url).hostname == urlsplit(client.base).hostname
    return Ask("GET", recording.url, bare=not at_home)


MEGAFON = Service(
    "megafon",
    _TITLE,
    "",
    in_header("X-API-KEY"),
    _complaint,
    Listing(
        "GET",
        "/crmapi/v1/history/json",
        {"start": f"{{start:{_MOMENT}}}", "end": f"{{end:{_MOMENT}}}", "type": "all", "limit": "{size}"},
        json_rows(),
        Paging("halves", size=100),
    ),
    Shape(
        call=("uid", "callid"),
        hashed=("start", "type", "client", "diversion"),
        started=("start",),
        client=("client", "phone"),
        ours=("diversion", "telnum"),
        agent=("ext", "user"),
        name=("user",),
        queue=("group_name", "groupRealName"),
        direction=Words(("type",), {"in": "inbound", "out": "outbound", "missed": "inbound", "internal": "internal"}),
        outcome=Words(("status",), OUTCOMES),
        talk=("duration",),
        wait=("wait",),
        cause=("status",),
        link=("record", "link"),
    ),
    example="https://company.megapbx.ru",
    zone="UTC",
    span=timedelta(days=1),
    recording=_recording,
    verify=_verify,
)
