"""Faults on demand: where each strikes, how it is bounded, and what is left in the base afterwards."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import quote

import pytest

from stand.onec.errors import OUT_OF_MEMORY
from stand.onec.generate.build import NODE
from stand.onec.quirks import FAULTS, Quirks
from stand.onec.server import OneCStand
from tests.stand.client import Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def _path(stand: OneCStand, index: int = 0) -> tuple[str, dict[str, Any]]:
    record = stand.world.records(PARTIES)[index]
    return f"{PARTIES}(guid'{record['Ref_Key']}')", record


def _unposted(stand: OneCStand) -> dict[str, Any]:
    order = stand.world.records(ORDERS)[0]
    stand.world.edit(ORDERS, order["Ref_Key"], {"Posted": False, "DeletionMark": False})
    return order


def test_dropped_before_the_commit(stand: OneCStand, own: Client) -> None:
    """The connection goes without a byte and nothing was written: not a POST, not a PATCH, not a Post."""
    path, record = _path(stand)
    order = _unposted(stand)
    version, posted = record["DataVersion"], order["DataVersion"]
    stand.quirks.update({"drop_before_commit": True, "times": 3})
    for method, where in (("POST", PARTIES), ("PATCH", path), ("POST", f"{ORDERS}(guid'{order['Ref_Key']}')/Post")):
        with pytest.raises(http.client.RemoteDisconnected):
            own.write(method, where, {"Ref_Key": KEY, "Description": "Новый"})
    assert stand.world.get(PARTIES, KEY) is None
    assert (record["DataVersion"], order["DataVersion"], order["Posted"]) == (version, posted, False)
    assert own.write("PATCH", path, {}).status == 200


def test_dropped_after_the_commit(stand: OneCStand, own: Client) -> None:
    """The same from outside, but it is written: the record is there, the version grown, the document posted."""
    path, record = _path(stand)
    order = _unposted(stand)
    stand.quirks.update({"drop_after_commit": True, "times": 3})
    for method, where in (("POST", PARTIES), ("PATCH", path), ("POST", f"{ORDERS}(guid'{order['Ref_Key']}')/Post")):
        with pytest.raises(http.client.RemoteDisconnected):
            own.write(method, where, {"Ref_Key": KEY, "Description": "Новый"})
    assert (stand.world.get(PARTIES, KEY) or {}).get("Description") == "Новый"
    assert (record["Description"], order["Posted"]) == ("Новый", True)


def test_a_read_is_not_dropped_by_a_fault_of_writes(stand: OneCStand, own: Client) -> None:
    """Faults of writes let reads pass and do not count them, unless reads are asked for by name."""
    stand.quirks.update({"drop_after_commit": True, "times": 1})
    assert own.rows(f"{PARTIES}?$top=1")
    with pytest.raises(http.client.RemoteDisconnected):
        own.write("PATCH", _path(stand)[0], {})
    stand.quirks.update({"drop_after_commit": True, "times": 1, "acts": ["read"]})
    with pytest.raises(http.client.RemoteDisconnected):
        own.get(f"{PARTIES}?$top=1")
    assert stand.quirks.struck == 2


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_gateway_that_gives_up(stand: OneCStand, own: Client, carried_out: bool) -> None:
    """502 in HTML after a POST: with not_carried_out nothing was written, without it the record is there."""
    stand.quirks.update({"fail_status": 502, "times": 1, "acts": ["create"], "not_carried_out": not carried_out})
    answer = own.write("POST", PARTIES, {"Ref_Key": KEY, "Description": "Новый"})
    assert (answer.status, b"odata.error" in answer.body) == (502, False)
    assert (stand.world.get(PARTIES, KEY) is not None) is carried_out
    assert not stand.quirks.not_carried_out


def test_pages_pass_before_the_fault(stand: OneCStand, own: Client) -> None:
    """after=2: the third page is a 500, the fourth is whole again."""
    stand.quirks.update({"fail_status": 500, "after": 2, "times": 1, "only": [PARTIES]})
    statuses = [own.get(f"{PARTIES}?$format=json&$top=5&$skip={skip}").status for skip in (0, 5, 10, 10)]
    assert statuses == [200, 200, 500, 200]


def test_an_error_in_the_middle_of_a_page(stand: OneCStand, own: Client) -> None:
    """Status 200, half the page, then 1C's error body: no JSON, and the length agrees."""
    stand.quirks.update({"error_mid_page": True, "times": 1})
    answer = own.get(f"{PARTIES}?$format=json")
    assert (answer.status, b'"Ref_Key"' in answer.body, answer.body.count(b"odata.error")) == (200, True, 1)
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_one_object_is_struck(stand: OneCStand, own: Client) -> None:
    """keys: only a request that names this guid; acts: only what it does."""
    first, record = _path(stand)
    second, _ = _path(stand, 1)
    stand.quirks.update({"locked": True, "keys": [record["Ref_Key"]], "acts": ["change"], "times": 1})
    assert own.write("PATCH", second, {}).status == 200
    assert own.get(f"{first}?$format=json").status == 200
    status, code, text = own.write("PATCH", first, {}).error
    assert (status, code, text.startswith("Не удалось заблокировать запись")) == (500, "-1", True)
    assert own.write("PATCH", first, {}).status == 200


def test_memory_in_bytes_and_in_rows(stand: OneCStand, own: Client) -> None:
    """A page over the bytes is the application server's own body, one over the rows 1C's; smaller pages pass."""
    whole = len(own.get(f"{ORDERS}?$format=json&$top=20").body)
    stand.quirks.update({"memory_error_over_bytes": whole // 2, "only": [ORDERS]})
    answer = own.get(f"{ORDERS}?$format=json&$top=20")
    assert (answer.status, answer.json["descr"]) == (500, OUT_OF_MEMORY)
    assert len(own.rows(f"{ORDERS}?$top=5")) == 5
    assert own.get(f"{PARTIES}?$format=json").status == 200
    stand.quirks.update({"memory_error_over_bytes": 0, "memory_error_over_rows": 3, "times": 1})
    assert own.fail(f"{ORDERS}?$top=4") == (500, "-1", OUT_OF_MEMORY)
    assert len(own.rows(f"{ORDERS}?$top=4")) == 4


def test_a_slow_answer_of_one_set(stand: OneCStand, own: Client) -> None:
    """A delay is bounded like every fault: one request of one set waits."""
    stand.quirks.update({"slow": 0.2, "only": [ORDERS], "times": 1})
    started = time.monotonic()
    own.rows(f"{ORDERS}?$top=1")
    assert time.monotonic() - started >= 0.2
    assert stand.quirks.slow == 0.0


def test_a_restart(stand: OneCStand, own: Client) -> None:
    """503 for a while, then everything is as before; a write meanwhile has not happened."""
    path, record = _path(stand)
    version = record["DataVersion"]
    stand.restart(0.3)
    assert own.write("PATCH", path, {}).status == 503
    deadline = time.monotonic() + 10
    while own.get(f"{PARTIES}?$format=json&$top=1").status == 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert record["DataVersion"] == version


def test_texts_in_base64(stand: OneCStand, own: Client) -> None:
    """A text with a control character comes in base64 by itself, every text with the switch; in Atom too."""
    path, _ = _path(stand)
    text = own.write("PATCH", path, {"Партнер_Key": "нет\x02"}).error[2]
    assert "нет\x02" in base64.b64decode(text).decode()
    stand.quirks.base64_messages = True
    assert base64.b64decode(own.fail("Catalog_Нет")[2]).decode().startswith("Сущность")
    atom = own.get("Catalog_Нет").xml.findtext("{*}message")
    assert base64.b64decode(str(atom)).decode().startswith("Сущность")


def test_three_bodies_of_errors(stand: OneCStand, own: Client) -> None:
    """OData's (JSON and Atom), the application server's, and a page in HTML."""
    assert own.fail("Catalog_Нет")[1] == "8"
    assert own.get("Catalog_Нет").xml.findtext("{*}code") == "8"
    stand.quirks.update({"exception_body": True, "times": 1})
    assert set(own.get(f"{PARTIES}?$format=json").json) == {"exception", "inner", "descr"}
    stand.quirks.update({"fail_status": 500, "times": 1})
    answer = own.get(f"{PARTIES}?$format=json")
    assert (answer.status, b"1C:Enterprise 8 application error" in answer.body) == (500, True)


def test_what_the_web_server_finds_too_long(stand: OneCStand, own: Client) -> None:
    """IIS's 2048 bytes of query string, counted as sent, are a switch; the 260 of a segment can be switched off."""
    text = " or ".join(["Description eq 'Ы'"] * 80)
    assert own.get(f"{PARTIES}?$format=json&$filter={text}").status == 200
    stand.quirks.longest_query = 2048
    answer = own.get(f"{PARTIES}?$format=json&$filter={text}")
    assert (answer.status, b"404.15" in answer.body) == (404, True)
    prices = "InformationRegister_ЦеныНоменклатуры_RecordType"
    stand.quirks.longest_segment = 0
    condition = " or ".join(["Цена gt 1"] * 30)
    assert own.get(f"{prices}/SliceLast(Condition='{condition}')?$format=json&$top=1").status == 200


def test_a_plus_is_no_blank_unless_the_web_server_says_so(stand: OneCStand, own: Client) -> None:
    """Behind IIS `+` in a filter is refused; with the switch it is the blank that most clients mean by it."""
    path = f"{own.path}/{quote(PARTIES)}?$format=json&$filter=DeletionMark+eq+false&$top=1"
    assert own.send("GET", path).status == 400
    stand.quirks.plus_is_blank = True
    assert len(own.send("GET", path).value) == 1


def test_a_feed_that_was_not_received(stand: OneCStand, own: Client) -> None:
    """SelectChanges dropped after the commit has stamped its rows: a repeat with the same number brings them again."""
    stand.world.touch(PARTIES, stand.world.records(PARTIES)[0]["Ref_Key"])
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
    stand.quirks.update({"drop_after_commit": True, "acts": ["select"], "times": 1})
    path = f"SelectChanges?DataExchangePoint={point}&MessageNo=1"
    with pytest.raises(http.client.RemoteDisconnected):
        own.write("POST", path)
    assert len(own.write("POST", path).entries) == 1
    assert own.write("POST", path.replace("MessageNo=1", "MessageNo=2")).entries == []


def test_switches_are_checked() -> None:
    """A value of another kind, an act or a mode that does not exist: told, and nothing is changed."""
    quirks = Quirks()
    for wrong in (
        {"times": "3"},
        {"down": 1},
        {"acts": ["прочее"]},
        {"reuse_sessions": "always"},
        {"only": "Catalog_А"},
    ):
        with pytest.raises((TypeError, ValueError)):
            quirks.update({"bom": True, **wrong})
    assert quirks.state() == Quirks().state()
    quirks.update({"latency": 1, "only": ["А"], "required_to_post": {"Б": ["В"]}})
    assert (quirks.latency, quirks.only, quirks.required_to_post) == (1.0, ("А",), {"Б": ("В",)})


def test_every_fault_ends_by_its_times() -> None:
    """Counted down together; when the last is struck, all faults are off and all traits stay."""
    quirks = Quirks()
    quirks.update({fault: type(getattr(quirks, fault))(1) for fault in FAULTS} | {"times": 2, "bom": True})
    assert [quirks.fault("А", "change") is not None for _ in range(4)] == [True, True, False, False]
    assert quirks.struck == 2
    assert quirks.bom


def test_times_are_exact_under_threads(stand: OneCStand) -> None:
    """Eight clients at once and three faults: three of the sixteen answers are struck."""
    stand.quirks.update({"fail_status": 500, "times": 3})
    statuses: list[int] = []

    def ask() -> None:
        with Client(stand) as client:
            statuses.extend(client.get(f"{PARTIES}?$format=json&$top=1").status for _ in range(2))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200] * 13 + [500] * 3
