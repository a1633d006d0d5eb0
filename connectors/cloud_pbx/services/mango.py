"""Mango Office. A report is ordered, then asked for until it is ready; times are Unix seconds; no line of headings.

From clients of others and a write-up of the interface; not tried against the live service. Not certain, and met both
ways: a call that nobody answered has ``answer`` 0, an empty one is taken for 0 too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs

from connectors.cloud_pbx.answers import NotService, Unexpected, csv_rows, is_page
from connectors.cloud_pbx.asking import Ask
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Meaning, decoded
from connectors.cloud_pbx.hooks import field_of, json_of, same
from connectors.cloud_pbx.moments import number
from connectors.cloud_pbx.service import HookKeys, Listing, Row, Service, Shape, Words
from connectors.cloud_pbx.signing import mango, mango_sign
from connectors.cloud_pbx.waiting import until_ready
from connectors.notices import Hint
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording

_TITLE = "Mango Office"
_FIELDS = (
    "records",
    "start",
    "finish",
    "answer",
    "from_extension",
    "from_number",
    "to_extension",
    "to_number",
    "disconnect_reason",
    "line_number",
    "location",
    "entry_id",
)
#: Results of the service: the signature, and what passes by itself.
_SIGN, _PASSING = {3102}, {5000, 5003, 5004, 5005, 5008}


def _complaint(answer: Answer) -> Meaning | None:
    found = decoded(answer) if answer.kind == "json" else None
    if not isinstance(found, dict):
        return None
    result = found.get("result")
    if not isinstance(result, int) or result == 1000:
        return None
    text = f"{result} {found.get('message', '')}"
    if result in _SIGN:
        return "sign", text
    if result // 100 == 31:
        return "key", text
    return ("limit" if result in _PASSING else "refused"), text


def _report(client: Client, ask: Ask) -> Answer:
    """Order the report, then ask for it until it is there (204: not yet)."""
    answer = client.ask(ask)
    ordered = decoded(answer)
    if not isinstance(ordered, dict) or not ordered.get("key"):
        raise NotService if is_page(answer) else Unexpected
    return until_ready(client, Ask("POST", "/stats/result", {"key": ordered["key"]}))


def _prepared(row: Row) -> Row:
    """Direction by who has an extension; seconds by the moments of start, answer and end."""
    start, answer, finish = (number(row.get(name)) for name in ("start", "answer", "finish"))
    ours_from, ours_to = bool(row.get("from_extension")), bool(row.get("to_extension"))
    way = "internal" if ours_from and ours_to else "outbound" if ours_from else "inbound"
    talked = answer > 0 and (ours_to or way == "outbound")  # a menu answers too, and that is no conversation
    seconds = {"total": finish - start, "talk": finish - answer if talked else 0, "wait": (answer or finish) - start}
    return {
        **row,
        "way": way,
        "other": row.get("to_number") if way == "outbound" else row.get("from_number"),
        "agent": row.get("from_extension") if way == "outbound" else row.get("to_extension"),
        "outcome": "answered" if talked else "no_answer",
        "records": [part for part in str(row.get("records") or "").strip("[] ").split(",") if part],
        **{name: max(0, value) for name, value in seconds.items()},
    }


def _verify(keys: HookKeys, headers: Mapping[str, str], body: bytes) -> Hint:
    """``sign`` is made as ours are, over the text of ``json`` as it came."""
    del headers
    form = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    text = field_of(form, "json")
    same(_TITLE, field_of(form, "vpbx_api_key"), keys.user)
    same(_TITLE, field_of(form, "sign"), mango_sign(keys.user, text, keys.password) if keys.password else "")
    told = json_of(_TITLE, text)
    event = str(told.get("call_state") or told.get("recording_state") or "summary")
    over = "call_state" not in told or event == "Disconnected"
    return Hint("mango", str(told.get("entry_id") or ""), event, str(told.get("recording_id") or ""), over, text)


def _recording(client: Client, recording: Recording) -> Ask:
    del client
    return Ask("POST", "/queries/recording/post", {"recording_id": recording.recording_id, "action": "download"})


MANGO = Service(
    "mango",
    _TITLE,
    "https://app.mango-office.ru/vpbx",
    mango,
    _complaint,
    Listing(
        "POST",
        "/stats/request",
        {"date_from": "{unix_start}", "date_to": "{unix_end}", "fields": ",".join(_FIELDS)},
        csv_rows(_FIELDS),
        ask=_report,
    ),
    Shape(
        call=("entry_id",),
        hashed=("start", "from_extension", "from_number", "to_number", "line_number"),
        started=("start",),
        moment="unix",
        client=("other",),
        ours=("line_number",),
        agent=("agent",),
        direction=Words(("way",), {"inbound": "inbound", "outbound": "outbound", "internal": "internal"}),
        outcome=Words(("outcome",), {"answered": "answered"}, "no_answer"),
        talk=("talk",),
        wait=("wait",),
        total=("total",),
        cause=("disconnect_reason",),
        recordings=("records",),
        prepare=_prepared,
    ),
    needs=("user", "password"),
    zone="UTC",
    margin=timedelta(hours=2),
    recording=_recording,
    verify=_verify,
)
