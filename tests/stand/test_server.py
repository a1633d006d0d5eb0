"""The stand as a server: logins, faults on demand, the session pool, counters, control, the command line."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stand.onec.errors import OUT_OF_MEMORY
from stand.onec.generate.build import build
from stand.onec.quirks import FAULTS, Quirks
from stand.onec.server import OneCStand
from tests.stand.client import Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"


def _basic(user: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()


def test_login_is_utf8_only() -> None:
    """A Cyrillic login works in UTF-8; in cp1251, with a wrong password or without any it is a 401 page in HTML."""
    with (
        OneCStand(build(2, clients=2, products=5, orders=2), user="Обмен", password="пароль") as stand,
        Client(stand) as client,
    ):
        assert client.get("?$format=json", Authorization=_basic("Обмен", "пароль")).status == 200
        for header in (_basic("Обмен", "пароль", "cp1251"), _basic("Обмен", "не тот"), "", "Basic !", "Bearer x"):
            answer = client.get("?$format=json", Authorization=header)
            assert answer.status == 401
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.headers["www-authenticate"].startswith("Basic")


def test_connection_is_kept_alive(own: Client) -> None:
    """Several requests, errors among them, go over one connection."""
    own.get("?$format=json")
    socket = own.connection.sock
    for path in ("Catalog_Нет?$format=json", f"{PARTIES}?$format=json&$top=1", "$metadata"):
        own.get(path)
    assert own.connection.sock is socket


def test_unknown_set_and_address(stand: OneCStand, own: Client) -> None:
    """An unknown set is code 8 with 404; outside the publication the web server answers a page."""
    assert own.fail("Catalog_Нет")[:2] == (404, "8")
    assert own.fail(f"{PARTIES}/Нет")[:2] == (400, "6")
    assert own.send("GET", "/other").headers["content-type"].startswith("text/html")
    assert own.get("Catalog_Нет").xml.tag.endswith("error")


def test_a_long_path_segment_is_refused_by_the_web_server(own: Client) -> None:
    """More than 260 characters between slashes is IIS's own 400; the same as a query option passes."""
    condition = " or ".join(["Цена gt 1"] * 30)
    prices = "InformationRegister_ЦеныНоменклатуры_RecordType"
    answer = own.get(f"{prices}/SliceLast(Condition='{condition}')?$format=json&$top=1")
    assert (answer.status, b"Invalid URL" in answer.body) == (400, True)
    assert len(own.rows(f"{prices}/SliceLast?$top=1&Condition='{condition}'")) == 1


def test_an_option_given_twice(own: Client) -> None:
    """The same query option twice in one address is refused with code 18."""
    assert own.fail(f"{PARTIES}?$top=1&$top=2")[:2] == (400, "18")


def test_requests_are_counted(stand: OneCStand, own: Client) -> None:
    """Method, path and set of every request; reading a feed is no write, PATCH is."""
    own.rows(f"{PARTIES}?$top=1")
    own.write("POST", "SelectChanges?MessageNo=1")
    assert (len(stand.requests), stand.requests.writes) == (2, 0)
    own.write("PATCH", f"{PARTIES}(guid'{stand.world.records(PARTIES)[0]['Ref_Key']}')", {})
    assert stand.requests.writes == 1
    assert stand.requests.sets[PARTIES] == 2
    assert stand.requests.items[0] == ("GET", f"{stand.path}/{PARTIES}")
    stand.requests.clear()
    assert len(stand.requests) == 0


def test_forbidden_records(stand: OneCStand, own: Client) -> None:
    """One record hidden by rights fails the whole read with 401 and code 20; allowedOnly=true leaves it out."""
    records = stand.world.records(PARTIES)
    stand.world.forbidden.add((PARTIES, records[0]["Ref_Key"]))
    assert own.fail(f"{PARTIES}?$top=5")[:2] == (401, "20")
    assert len(own.rows(f"{PARTIES}?allowedOnly=true")) == len(records) - 1


@pytest.mark.parametrize(
    ("quirk", "value", "status", "mark"),
    [
        ("down", True, 503, b"Service Unavailable"),
        ("html_instead_of_json", True, 200, b"<!DOCTYPE html>"),
        ("fail_status", 502, 502, b"<!DOCTYPE html>"),
        ("exception_body", True, 500, b'"descr"'),
        ("wrong_content_type", True, 200, b'"value"'),
    ],
)
def test_faults_of_one_answer(stand: OneCStand, own: Client, quirk: str, value: Any, status: int, mark: bytes) -> None:
    """A fault limited to one set and two times strikes there, twice, and is over."""
    stand.quirks.update({quirk: value, "only": [PARTIES], "times": 2})
    assert own.get(f"{ORDERS}?$format=json&$top=1").value
    for _ in range(2):
        answer = own.get(f"{PARTIES}?$format=json&$top=1")
        assert answer.status == status
        assert mark in answer.body
        assert "html" in answer.headers["content-type"] or quirk == "exception_body"
    assert own.rows(f"{PARTIES}?$top=1")
    assert quirk in FAULTS


def test_a_page_cut_in_half(stand: OneCStand, own: Client) -> None:
    """The body ends in the middle though its length says it is whole; with drop_connection the length is a lie."""
    stand.quirks.update({"cut_page_in_half": True, "times": 1})
    with pytest.raises(json.JSONDecodeError):
        _ = own.get(f"{PARTIES}?$format=json").json
    stand.quirks.update({"drop_connection": True, "times": 1})
    with pytest.raises(http.client.IncompleteRead):
        own.get(f"{PARTIES}?$format=json")


def test_traits_of_the_base(stand: OneCStand, own: Client) -> None:
    """BOM, ignored $skip, unusable $count, $inlinecount that lifts $top, memory, an empty composition."""
    everything = len(stand.world.records(PARTIES))
    whole = own.rows(f"{PARTIES}?$select=Ref_Key")
    stand.quirks.bom = True
    assert own.get(f"{PARTIES}/$count").body.startswith(b"\xef\xbb\xbf")
    stand.quirks.update({"bom": False, "ignore_skip": True})
    assert own.rows(f"{PARTIES}?$select=Ref_Key&$top=2&$skip=4") == whole[:2]
    stand.quirks.update({"ignore_skip": False, "count_unusable": True})
    assert own.get(f"{PARTIES}/$count").status == 400
    stand.quirks.inlinecount_ignores_top = True
    assert len(own.rows(f"{PARTIES}?$top=1&$skip=3&$inlinecount=allpages")) == everything
    stand.quirks.memory_error_over_rows = 3
    assert own.fail(f"{PARTIES}?$top=4") == (500, "-1", OUT_OF_MEMORY)
    assert len(own.rows(f"{PARTIES}?$top=3")) == 3
    stand.quirks.empty_service_list = True
    assert own.get("?$format=json").json["value"] == []
    assert own.fail(PARTIES)[:2] == (404, "8")


def test_unknown_quirk_names_the_valid_ones() -> None:
    """A misspelt switch does not pass silently."""
    with pytest.raises(ValueError, match="ignore_skip"):
        Quirks().update({"ignore_skipp": True})


def test_session_pool(stand: OneCStand) -> None:
    """With one session taken and no patience the second request is 406; when it is free again, it passes."""
    stand.quirks.update({"pool_size": 1, "pool_timeout": 0.05, "slow_first": 1.0})
    statuses: list[int] = []

    def ask() -> None:
        with Client(stand) as client:
            statuses.append(client.get(f"{PARTIES}?$format=json&$top=1").status)

    first = threading.Thread(target=ask)
    first.start()
    deadline = time.monotonic() + 5
    while stand.service.busy == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    ask()
    assert statuses == [406]
    first.join(10)
    ask()
    assert statuses == [406, 200, 200]


def test_control_from_another_process(stand: OneCStand, own: Client) -> None:
    """/_stand/ edits, adds, deletes and switches quirks; its own requests are not counted."""
    record = stand.world.records(PARTIES)[0]

    def post(action: str, **asked: Any) -> Any:
        answer = own.send("POST", f"/_stand/{action}", json.dumps(asked).encode())
        return answer.status, answer.json

    status, reply = post("edit", set=PARTIES, key=record["Ref_Key"], fields={"КПП": "770501001"})
    assert (status, reply["DataVersion"]) == (200, record["DataVersion"])
    assert own.get(f"{PARTIES}(guid'{record['Ref_Key']}')?$format=json").json["КПП"] == "770501001"
    assert post("add", set=PARTIES, fields={"Ref_Key": "1" * 8, "Description": "Новый"})[1] == {"key": "1" * 8}
    assert post("delete", set=PARTIES, key="1" * 8)[0] == 200
    assert post("quirks", down=True)[1]["down"] is True
    assert own.get("?$format=json").status == 503
    assert post("quirks", down=False)[0] == 200
    assert post("quirks", нет=1)[0] == post("edit", set="Нет", key="", fields={})[0] == 400
    assert post("edit", set=PARTIES, key=record["Ref_Key"], fields={"Нет": 1})[0] == 400
    assert post("other")[0] == 404
    state = own.send("GET", "/_stand/state").json
    assert (state["requests"], state["writes"]) == (2, 0)
    assert state["records"][ORDERS] == 60


def test_control_is_closed_unless_asked_for(odata: Client) -> None:
    """Without --control nothing answers there."""
    assert odata.send("GET", "/_stand/state").status == 404


def test_command_line() -> None:
    """`python -m stand.onec` announces its address in one JSON line, serves, and ends on SIGTERM."""
    words = [sys.executable, "-m", "stand.onec", "--clients", "3", "--products", "5", "--orders", "4", "--seed", "9"]
    words += ["--user", "u", "--password", "p", "--control", "--today", "2026-06-30"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            assert line["pid"] == process.pid
            port = int(line["url"].split(":")[2].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            path = line["url"].partition(str(port))[2]
            connection.request("GET", f"{path}/?$format=json", headers={"Authorization": _basic("u", "p")})
            assert connection.getresponse().status == 200
            connection.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0 or sys.platform == "win32"
        finally:
            if process.poll() is None:
                process.kill()


def test_a_publication_is_the_configurations_own_or_chosen() -> None:
    """Each configuration has a name of its own in the address; another may be given, and nothing else answers."""
    for name, publication in (("ut", "trade"), ("unf", "unf"), ("bp", "bp")):
        with OneCStand(build(2, clients=3, products=3, orders=3, configuration=name)) as stand, Client(stand) as client:
            assert stand.url == f"{stand.address}/{publication}/odata/standard.odata"
            assert client.get("?$format=json").json["odata.metadata"].startswith(stand.url)
            stand.quirks.reuse_sessions = "use"
            assert client.get("$metadata", IBSession="start").headers["set-cookie"].endswith(f"; Path=/{publication}")
    with OneCStand(build(2, clients=3, products=3, orders=3), publication="ut_demo") as stand, Client(stand) as client:
        assert client.get("?$format=json").status == 200
        assert client.send("GET", "/trade/odata/standard.odata/").status == 404
        assert client.send("GET", "/ut_demo/odata/standard.odata2/").status == 404
    with pytest.raises(ValueError, match="latin letters"):
        OneCStand(build(2, clients=3, products=3, orders=3), publication="../база")


def test_a_new_record_needs_a_key(stand: OneCStand, own: Client) -> None:
    """Adding by the control address without a key is a sentence that says what is missing."""
    body = json.dumps({"set": PARTIES, "fields": {"Description": "Без ключа"}}).encode()
    answer = own.send("POST", "/_stand/add", body)
    assert answer.status == 400
    assert answer.json["error"] == f"ValueError: a new record of {PARTIES} needs Ref_Key, a guid of your own"
