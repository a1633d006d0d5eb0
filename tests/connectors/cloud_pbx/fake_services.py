"""What the FAKE of each service answers. Signatures are checked with formulas written down here once more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.connectors.cloud_pbx.fake import AUDIO, SECRET, USER, FakeCall, FakeCloud, Got, Reply

MSK = ZoneInfo("Europe/Moscow")
SOUND = Reply(200, AUDIO, "audio/mpeg")
_HEADINGS = (
    "Тип;Статус;Время;Схема;Исходящая линия;Откуда;Куда;Кто ответил;Длительность звонка, сек;"
    "Длительность разговора, сек;Время ответа, сек;Оценка;ID записи;Запись существует"
)


def _json(told: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(told, ensure_ascii=False).encode(), headers=headers or {})


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _waits(cloud: FakeCloud) -> bool:
    """Whether a recording is not ready yet; each question brings it nearer."""
    cloud.recording_waits -= 1
    return cloud.recording_waits >= 0


# --- Mango ----------------------------------------------------------------------------------------------------------
def mango(cloud: FakeCloud, got: Got) -> Reply:
    """Signed forms; a report is ordered, then not ready so many times; recordings by a link that works once."""
    if got.path.startswith("/once/"):
        if "vpbx_api_key" in got.params or cloud.state.pop(got.path, None) is None:
            return Reply(404)
        return SOUND
    text = got.params.get("json", "")
    sign = hashlib.sha256((USER + text + SECRET).encode()).hexdigest()
    if got.params.get("vpbx_api_key") != USER or got.params.get("sign") != sign:
        return _json({"result": 3102, "message": f"wrong sign for {got.params.get('vpbx_api_key')}"}, 401)
    asked = json.loads(text)
    if got.path == "/stats/request":
        key = f"r{len(cloud.got)}"
        cloud.state[key] = [asked, cloud.not_ready]
        return _json({"key": key})
    if got.path == "/stats/result" and asked["key"] in cloud.state:
        report = cloud.state[asked["key"]]
        report[1] -= 1
        return Reply(204) if report[1] >= 0 else _mango_report(cloud, report[0])
    if got.path == "/queries/recording/post":
        if _waits(cloud):
            return Reply(404)
        cloud.state[link := f"/once/{len(cloud.got)}"] = True
        return Reply(302, b"", headers={"Location": cloud.url + link})
    return Reply(404)


def _mango_report(cloud: FakeCloud, asked: dict[str, str]) -> Reply:
    span = [datetime.fromtimestamp(int(asked[name]), UTC) for name in ("date_from", "date_to")]
    assert all(isinstance(asked[name], str) for name in ("date_from", "date_to"))
    lines = []
    for call in cloud.within(*span):
        for n, leg in enumerate([*call.legs, call.agent]):
            start = int(call.start.timestamp()) + n * 5
            last = leg == call.agent
            answer = start + call.wait if last and call.answered else 0
            row = {
                "records": f"[{call.id}-r]" if answer else "[]",
                "start": start,
                "finish": int(call.finish.timestamp()) if last else start + 5,
                "answer": answer,
                "from_extension": leg if call.direction == "out" else "",
                "from_number": f"sip:{leg}@pbx" if call.direction == "out" else call.client,
                "to_extension": "" if call.direction == "out" else leg,
                "to_number": call.client if call.direction == "out" else f"sip:{leg}@pbx",
                "disconnect_reason": 1100,
                "line_number": call.line,
                "location": "abonent",
                "entry_id": call.id,
            }
            lines.append(";".join(str(row[name]) for name in asked["fields"].split(",")))
    return Reply(200, "\r\n".join(lines).encode(), "text/csv")


# --- MegaFon --------------------------------------------------------------------------------------------------------
def megafon(cloud: FakeCloud, got: Got) -> Reply:
    """A key in a header; at most ``limit`` rows, no pages."""
    if got.headers.get("x-api-key") != SECRET:
        return _json({"error": "Invalid token"}, 401)
    if got.path.startswith("/records/"):
        return Reply(404) if _waits(cloud) else SOUND
    span = [datetime.strptime(got.params[n], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for n in ("start", "end")]
    rows = [
        {
            "uid": call.id,
            "type": call.direction,
            "status": call.word or ("success" if call.answered else "missed"),
            "client": call.client.removeprefix("+"),
            "user": call.agent,
            "diversion": call.line.removeprefix("+"),
            "start": f"{call.start:%Y-%m-%dT%H:%M:%SZ}",
            "wait": call.wait,
            "duration": call.talk if call.answered else 0,
            "record": f"{cloud.url}/records/{call.id}.mp3" if call.answered else "",
        }
        for call in cloud.within(*span)
    ]
    return _json(rows[: int(got.params["limit"])])


# --- UIS and Novofon ------------------------------------------------------------------------------------------------
def uis(cloud: FakeCloud, got: Got) -> Reply:
    """JSON-RPC; every answer tells the limits; files by an address without a key."""
    if got.path.startswith("/media/"):
        return Reply(404) if _waits(cloud) or "secret" in str(got.headers) else SOUND
    call = json.loads(got.body)
    asked = call["params"]
    if asked["access_token"] != SECRET:
        data = {"mnemonic": "access_token_invalid"}
        return _json({"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32001, "message": "bad", "data": data}})
    assert call["method"] == "get.calls_report"
    first, last = (
        datetime.strptime(asked[n], "%Y-%m-%d %H:%M:%S").replace(tzinfo=MSK) for n in ("date_from", "date_till")
    )
    rows = [_uis_row(one) for one in cloud.within(first, last + timedelta(seconds=1))]
    limits = {"minute_limit": 100, "minute_remaining": cloud.state.get("left", 50), "minute_reset": 17}
    told = {"data": cloud.part(rows, asked["offset"], asked["limit"])}
    told["metadata"] = {"limits": limits, "total_items": len(rows)}  # type: ignore[assignment]
    return _json({"jsonrpc": "2.0", "id": call["id"], "result": told})


def _uis_row(call: FakeCall) -> dict[str, Any]:
    return {
        "id": int(call.id),
        "start_time": f"{call.start.astimezone(MSK):%Y-%m-%d %H:%M:%S}",
        "finish_time": f"{call.finish.astimezone(MSK):%Y-%m-%d %H:%M:%S}",
        "finish_reason": "numb_not_exists" if not call.answered else "operator_disconnects",
        "direction": call.direction,
        "is_lost": not call.answered,
        "contact_phone_number": call.client.removeprefix("+"),
        "virtual_phone_number": call.line.removeprefix("+"),
        "communication_id": f"9{call.id}",
        "wait_duration": call.wait,
        "talk_duration": call.talk if call.answered else 0,
        "total_duration": call.wait + (call.talk if call.answered else 0),
        "employees": [{"employee_full_name": "Анна Петрова", "is_answered": call.answered, "extension": call.agent}],
        "call_records": ["a1b2"] if call.answered else None,
    }


# --- Zadarma --------------------------------------------------------------------------------------------------------
def zadarma(cloud: FakeCloud, got: Got) -> Reply:
    """``Authorization`` over the sorted query; limits in headers; links to recordings that live shortly."""
    if got.path.startswith("/short/"):
        return Reply(404) if "authorization" in got.headers else SOUND
    digest = hmac.new(SECRET.encode(), (got.path + got.raw_query + _md5(got.raw_query)).encode(), hashlib.sha1)
    names = [part.split("=")[0] for part in got.raw_query.split("&")]
    wanted = f"{USER}:{base64.b64encode(digest.hexdigest().encode()).decode()}"
    if names != sorted(names) or got.params.get("format") != "json" or got.headers.get("authorization") != wanted:
        return _json({"status": "error", "message": "Not authorized"}, 401)
    if got.path == "/v1/pbx/record/request/":
        if _waits(cloud):
            return Reply(404, b'{"status": "error", "message": "not found"}')
        return _json({"status": "success", "link": f"{cloud.url}/short/{got.params['pbx_call_id']}.mp3"})
    first, last = (datetime.strptime(got.params[n], "%Y-%m-%d %H:%M:%S").replace(tzinfo=MSK) for n in ("start", "end"))
    rows = [row for call in cloud.within(first, last + timedelta(seconds=1)) for row in _zadarma_rows(call)]
    told = {"status": "success", "stats": cloud.part(rows, int(got.params["skip"]), int(got.params["limit"]))}
    left = cloud.state.get("left", 99)
    return _json(told, headers={"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": "23"})


def _zadarma_rows(call: FakeCall) -> list[dict[str, Any]]:
    out = call.direction == "out"
    rows = []
    for n, leg in enumerate([*call.legs, call.agent]):
        last = leg == call.agent
        rows.append(
            {
                "call_id": f"{call.id}.{n}",
                "sip": leg if out else call.client,
                "callstart": f"{(call.start + timedelta(seconds=n * 5)).astimezone(MSK):%Y-%m-%d %H:%M:%S}",
                "clid": call.line if out else call.client,
                "destination": call.client if out else leg,
                "disposition": call.word or ("answered" if last and call.answered else "no answer"),
                "seconds": call.talk if last and call.answered else 0,
                "is_recorded": str(last and call.answered).lower(),
                "pbx_call_id": call.id,
            }
        )
    return rows


# --- Beeline --------------------------------------------------------------------------------------------------------
def beeline(cloud: FakeCloud, got: Got) -> Reply:
    """A token in a header; rows without ids, pages by number; recordings are a list of their own."""
    if got.headers.get("x-mpbx-api-auth-token") != SECRET:
        return _json({"errorCode": "InvalidToken", "description": "no"}, 401)
    if got.path.endswith("/download"):
        return Reply(404) if _waits(cloud) else SOUND
    span = [
        datetime.strptime(got.params[n], "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=UTC) for n in ("dateFrom", "dateTo")
    ]
    if got.path == "/records":
        return _json(
            [_beeline_record(call) for call in cloud.within(*span) if call.answered and "id" not in got.params]
        )
    page = int(got.params["page"]) - cloud.pages_from
    if page < 0:
        return _json({"errorCode": "WrongPage", "description": "page"}, 400)
    rows = [_beeline_row(call) for call in cloud.within(*span)]
    return _json(cloud.part(rows, page * min(int(got.params["pageSize"]), cloud.cap), int(got.params["pageSize"])))


def _beeline_row(call: FakeCall) -> dict[str, Any]:
    out, line = call.direction == "out", call.line.removeprefix("+7")
    client = call.client.removeprefix("+7")
    return {
        "startDate": int(call.start.timestamp() * 1000),
        "direction": "OUTBOUND" if out else "INBOUND",
        "status": ("PLACED" if out else "RECIEVED") if call.answered else "MISSED",
        "phone_from" if call.answered else "phoneFrom": line if out else client,
        "phone_to" if call.answered else "phoneTo": client if out else line,
        "duration": call.talk if call.answered else 0,
        "abonent": {"userId": "u1@mpbx", "firstName": "Анна", "lastName": "Петрова", "extension": call.agent},
    }


def _beeline_record(call: FakeCall) -> dict[str, Any]:
    at = int(call.start.timestamp() * 1000) + 900
    return {"id": f"rec{call.id}", "phone": call.client.removeprefix("+7"), "date": at, "direction": "INBOUND"}


# --- Telphin --------------------------------------------------------------------------------------------------------
def telphin(cloud: FakeCloud, got: Got) -> Reply:
    """A token for id and secret, which runs out when the fake says so; pages from 1; a recording may be a link."""
    if got.path == "/oauth/token":
        if (got.params.get("client_id"), got.params.get("client_secret")) != (USER, SECRET):
            return _json({"error": "invalid_client"}, 401)
        cloud.state["token"] = f"t{len(cloud.got)}"
        return _json({"access_token": cloud.state["token"], "token_type": "Bearer", "expires_in": 3600})
    if got.path.startswith("/files/"):
        return Reply(404) if "authorization" in got.headers else SOUND
    if got.headers.get("authorization") != f"Bearer {cloud.state.get('token')}":
        return _json({"error": "expired"}, 401)
    if "/record/" in got.path:
        link = f"{cloud.url}/files/{got.path.rpartition('/')[2]}.mp3"
        return Reply(404) if _waits(cloud) else _json({"record_url": link})
    first, last = (
        datetime.strptime(got.params[n], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        for n in ("start_datetime", "end_datetime")
    )
    rows = [_telphin_row(call) for call in cloud.within(first, last + timedelta(seconds=1))]
    size = min(int(got.params["count"]), cloud.cap)
    return _json({"calls": cloud.part(rows, (int(got.params["page"]) - 1) * size, size), "page": got.params["page"]})


def _telphin_row(call: FakeCall) -> dict[str, Any]:
    out = call.direction == "out"
    leg = {"extension_id": 77, "record_uuid": f"rec-{call.id}" if call.answered else None}
    return {
        "call_uuid": call.id,
        "init_time_gmt": f"{call.start:%Y-%m-%d %H:%M:%S}",
        "flow": call.direction,
        "result": "answered" if call.answered else "not answered",
        "from_number" if out else "from_username": call.agent if out else call.client,
        "to_number" if out else "to_username": call.client if out else call.agent,
        "did_number": call.line,
        "duration": call.wait + (call.talk if call.answered else 0),
        "bridged_duration": call.talk if call.answered else 0,
        "hangup_cause": "NORMAL_CLEARING",
        "cdr": [leg],
    }


# --- Sipuni ---------------------------------------------------------------------------------------------------------
def sipuni(cloud: FakeCloud, got: Got) -> Reply:
    """A hash over the form; whole days; a text with a mark of the byte order."""
    told = {name: value for name, value in got.params.items() if name not in {"user", "hash"}}
    wanted = _md5("+".join([told[name] for name in sorted(told)] + [USER, SECRET]))
    if got.params.get("user") != USER or got.params.get("hash") != wanted:
        return _json({"success": False, "message": "Hash does not match"})
    if got.path == "/api/statistic/record":
        return Reply(404) if _waits(cloud) else SOUND
    first, last = (datetime.strptime(got.params[n], "%d.%m.%Y").replace(tzinfo=MSK) for n in ("from", "to"))
    lines = [_HEADINGS, *(_sipuni_line(call) for call in cloud.within(first, last + timedelta(days=1)))]
    return Reply(200, ("\ufeff" + "\r\n".join(lines) + "\r\n").encode(), "text/csv; charset=utf-8")


def _sipuni_line(call: FakeCall) -> str:
    out = call.direction == "out"
    talk = call.talk if call.answered else 0
    row = [
        "Исходящий" if out else "Входящий",
        "Отвечен" if call.answered else "Не отвечен",
        f"{call.start.astimezone(MSK):%d.%m.%Y %H:%M:%S}",
        "Продажи",
        call.line if out else "",
        call.agent if out else call.client,
        call.client if out else call.line,
        "" if out or not call.answered else call.agent,
        call.wait + talk,
        talk,
        call.wait,
        "",
        f"{call.id}.wav" if call.answered else "",
        "1" if call.answered else "0",
    ]
    return ";".join(map(str, row))


PROTOCOLS: dict[str, Callable[[FakeCloud, Got], Reply]] = {
    "mango": mango,
    "megafon": megafon,
    "uis": uis,
    "novofon": uis,
    "zadarma": zadarma,
    "beeline": beeline,
    "telphin": telphin,
    "sipuni": sipuni,
}
