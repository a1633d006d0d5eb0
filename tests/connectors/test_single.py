"""Records read one by one or in groups by key, and what was changed since a moment."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.onec_odata.rows import lone
from connectors.onec_odata.single import LONGEST, literal
from hub.model.errors import HubError
from hub.model.records import Window
from stand.onec.configurations import UT
from stand.onec.engine import Engine
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import World
from tests.connectors.conftest import Open
from tests.connectors.inside import ROOT, inside
from tests.connectors.server import Reply, Request, collection, fault

CLIENTS = "Catalog_Контрагенты"
RATES, MOVES = "InformationRegister_КурсыВалют", "AccumulationRegister_ЗаказыКлиентов"
READ = ReadRequest(CLIENTS, ("Description", "DataVersion"))
GONE = fault(404, "9", "Экземпляр сущности не найден")


@pytest.fixture(scope="module")
def stand() -> Iterator[OneCStand]:
    """A small base that is only read."""
    with OneCStand(build(3, clients=60, products=20, orders=80)) as own:
        yield own


def keys(number: int) -> list[str]:
    """So many GUIDs."""
    return [str(uuid.UUID(int=n + 1)) for n in range(number)]


def asked_for(request: Request) -> list[str]:
    """Keys in the filter or in the address."""
    return [part.split("'")[1] for part in request.path.split("guid")[1:]]


def a_base(there: set[str], apart: Reply | None = None) -> Any:
    """Answers groups with those that are ``there`` (or with ``apart``), addresses with the record or code 9."""

    def answer(request: Request) -> Reply:
        found = [{"Ref_Key": key, "Description": "x"} for key in asked_for(request) if key in there]
        if "$filter" in request.path:
            return apart or collection(found)
        return Reply(body=json.dumps(found[0], ensure_ascii=False).encode()) if found else GONE

    return answer


@pytest.mark.parametrize("number", [1, 2, 19, 100])
def test_each_id_comes_once_or_is_gone(scripted: Open, number: int) -> None:
    """Records that are there, ids that 1C does not know; absence is asked of each address, and of nothing else."""
    ids = keys(number)
    there = set(ids[::2])
    connector, server = scripted(a_base(there))
    page = connector.fetch(READ, [*ids, *ids])
    assert sorted(record["Ref_Key"] for record in decoded([page])) == sorted(there)
    assert (sorted(page.deleted), page.last, page.stream) == (sorted(set(ids) - there), True, CLIENTS)
    alone = [asked_for(r)[0] for r in server.requests if "$filter" not in r.path]
    assert set(alone) >= set(page.deleted)
    assert all(len(request.raw) <= LONGEST for request in server.requests)
    if number == 100:
        assert len(server.requests) <= 5 + 50


@pytest.mark.parametrize(
    "apart",
    [
        fault(500, "-1", "Недостаточно памяти для получения результата запроса к базе данных"),
        Reply(404, b"<html><h2>404.15 - Query String Too Long</h2></html>", "text/html"),
        collection([]),
        collection([{"Ref_Key": "f" * 36, "Description": "not asked for"}]),
    ],
)
def test_a_group_that_fails_is_no_absence(scripted: Open, apart: Reply) -> None:
    """Too heavy, too long, empty, or something else: each record is asked for alone, and all are there."""
    ids = keys(7)
    page = scripted(a_base(set(ids), apart))[0].fetch(READ, ids)
    assert (len(page.records), page.deleted) == (7, [])


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (fault(404, "8", "Сущность «Catalog_X» не найдена"), "unknown_set"),
        (fault(401, "20", "Нарушение прав доступа!"), "rights_missing"),
        (Reply(404, b"<html>404</html>", "text/html"), "not_onec"),
        (Reply(200, b"<html>login</html>", "text/html"), "html_page"),
        (Reply(500, b"", "text/html"), "source_failed"),
        (Reply(200, b'{"Description": "no key"}'), "key_missing"),
    ],
)
def test_anything_but_the_word_of_1c_is_raised(scripted: Open, reply: Reply, code: str) -> None:
    """A missing set, missing rights, a foreign 404, a page, a failure: never taken for a deletion."""
    with pytest.raises(HubError) as error:
        scripted(lambda r: reply)[0].fetch(READ, keys(1))
    assert error.value.code == code


def test_no_more_are_asked_for_at_once_than_there_are_sessions(scripted: Open) -> None:
    """Forty absent records over three sessions: three at a time, and a fault ends the rest unasked."""
    now, most, lock, broken = [0], [0], threading.Lock(), [False]

    def answer(request: Request) -> Reply:
        if "$filter" in request.path:
            return collection([])
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1
        return Reply(401) if broken[0] else GONE

    connector, server = scripted(answer, max_sessions=3)
    assert len(connector.fetch(READ, keys(40)).deleted) == 40
    assert most == [3]
    broken[0], before = True, len(server.requests)
    with pytest.raises(HubError) as error:
        connector.fetch(READ, keys(40))
    assert error.value.code == "auth_failed"
    assert len(server.requests) - before < 15


def test_nothing_wanted_asks_nothing(scripted: Open) -> None:
    """No ids, no request."""
    connector, server = scripted(a_base(set()))
    page = connector.fetch(READ, [])
    assert (list(page.records), list(page.deleted), server.requests) == ([], [], [])


def test_a_record_fetched_is_the_record_read() -> None:
    """By page, in a group or alone: the same bytes, so that a hash tells that nothing has changed."""
    world = build(3, clients=30, products=10, orders=20)
    connector, transport = inside(Engine(world, ROOT))
    whole = {bytes(raw) for page in connector.read(READ) for raw in page.records}
    ids = [str(record["Ref_Key"]) for record in world.records(CLIENTS)]
    together = connector.fetch(READ, [key.upper() for key in ids])
    alone = [connector.fetch(READ, [key]) for key in ids]
    assert {bytes(raw) for raw in together.records} == whole
    assert {bytes(raw) for page in alone for raw in page.records} == whole
    assert len([url for url in transport.urls if "$filter" in url]) < len(ids) / 10


def test_what_odata_says_about_a_record_is_no_part_of_it() -> None:
    """``odata.metadata`` and links are left out, all values stay as they were written."""
    body = '{"odata.metadata":"…#X/@Element","Ref_Key":"1","Сумма":1.50,"Т":[{"a":1}],"К@navigationLinkUrl":"…"}'
    assert bytes(lone(body.encode())) == '{"Ref_Key":"1","Сумма":1.50,"Т":[{"a":1}]}'.encode()
    assert bytes(lone(b'{"Ref_Key": "1"}')) == b'{"Ref_Key": "1"}'


@pytest.mark.parametrize("name", [RATES, MOVES, f"{MOVES}_RecordType"])
def test_records_of_a_register_are_fetched_by_their_full_key(stand: OneCStand, name: str) -> None:
    """Each part of the key is written by its type; one that is not there is told by 1C."""
    connector, _ = inside(stand.engine)
    info = connector.streams()[name]
    asked = ReadRequest(name, (), info.key)
    there = [raw for page in connector.read(asked) for raw in page.records][:5]
    keys = ["|".join(str(record[part]) for part in info.key) for record in map(json.loads, map(bytes, there))]
    absent = keys[0].replace(keys[0][:4], "1999", 1)
    page = connector.fetch(asked, [*keys, absent])
    assert {bytes(raw) for raw in page.records} == {bytes(raw) for raw in there}
    assert len(page.records) == 5
    assert page.deleted == [absent]


@pytest.mark.parametrize("asked", [ReadRequest(RATES, (), ("A", "B")), ReadRequest(f"{MOVES}#balance", (), ("A_Key",))])
def test_what_has_no_address_is_not_fetched(stand: OneCStand, asked: ReadRequest) -> None:
    """A key of another length than asked for, a row of a virtual table: an error, and never an absence."""
    with pytest.raises(HubError) as error:
        inside(stand.engine)[0].fetch(asked, ["1"])
    assert error.value.code == "single_unreadable"


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("Edm.Guid", "1f", "guid'1f'"),
        ("Edm.DateTime", "2026-01-31T00:00:00", "datetime'2026-01-31T00:00:00'"),
        ("Edm.Int64", "7", "7"),
        ("Edm.Double", "1.5", "1.5"),
        ("Edm.Boolean", "True", "true"),
        ("Edm.String", "О'Нил", "'О''Нил'"),
        ("StandardODATA.Вид", "Розница", "'Розница'"),
    ],
)
def test_a_part_of_a_key_is_written_by_its_type(kind: str, value: str, written: str) -> None:
    """As 1C's addresses want it; a quote cannot end the literal."""
    assert literal(kind, value) == written


def test_what_changed_since_a_moment_is_asked_for_by_its_own_field(scripted: Open) -> None:
    """Filter and order by the field, then the key; a window of the record's own date stays beside it."""
    connector, server = scripted(lambda r: collection([]) if "$count" not in r.path else Reply(body=b"3"))
    asked = ReadRequest("Catalog_X", ("Code",), changed_field="ДатаИзменения", since="2026-01-31T10:20:30")
    dated = replace(asked, window=Window(date(2026, 1, 1), date(2026, 2, 1)), date_field="Date", since="")
    list(connector.read(asked))
    list(connector.read(dated))
    assert connector.count(asked) == 3
    head = "Catalog_X?$format=application/json;odata=nometadata&$select=Ref_Key,Code&"
    moment = "ДатаИзменения ge datetime'2026-01-31T10:20:30'"
    window = "Date ge datetime'2026-01-01T00:00:00' and Date lt datetime'2026-02-01T00:00:00'"
    tail = "$orderby=ДатаИзменения,Ref_Key&$top=50&$skip=0"
    assert [request.path for request in server.requests] == [
        f"{head}$filter={moment}&{tail}",
        f"{head}$filter={window}&{tail}",
        f"Catalog_X/$count?$filter={moment}",
    ]


def test_changed_records_come_and_no_others() -> None:
    """Those of the moment itself included, in spans of days, oldest change first."""
    world = World(UT)
    for number, key in enumerate(keys(90)):
        world.add(
            "Document_ЗаказКлиента",
            {"Ref_Key": key, "Date": f"2026-{number // 28 + 1:02}-{number % 28 + 1:02}T10:00:00"},
        )
    connector, transport = inside(Engine(world, ROOT), request_days=7)
    asked = ReadRequest(
        "Document_ЗаказКлиента", ("Date",), changed_field="Date", since="2026-02-03T10:00:00", page_size=9
    )
    got = [record["Date"] for record in decoded(connector.read(asked))]
    assert got == sorted(str(r["Date"]) for r in world.records("Document_ЗаказКлиента") if r["Date"] >= asked.since)
    assert any("Date lt" in url for url in transport.urls)
    assert connector.count(asked) == len(got)
