"""1C over OData against the stand's misbehaviour: what the exchange sees of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from hub.model.errors import HubError
from hub.model.records import Page
from mappings.compiled import compile_profile
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from tests.connectors.conftest import EAGER, Open
from tests.connectors.server import Reply, Request, collection

ORDERS, CLIENTS = "Document_ЗаказКлиента", "Catalog_Контрагенты"
SHIPMENTS = "Document_РеализацияТоваровУслуг"
READ = ReadRequest(CLIENTS, ("Description",))

Opened = Callable[..., OneC]


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """A small base of the test's own, with a login."""
    with OneCStand(build(3, clients=60, products=20, orders=80), user="Обмен", password="Пароль-7%") as own:
        yield own


@pytest.fixture
def opened(stand: OneCStand) -> Iterator[Opened]:
    """Open a connector to the stand, with other settings where a test wants them."""
    connectors: list[OneC] = []

    def start(**settings: Any) -> OneC:
        given = {"user": "Обмен", "password": "Пароль-7%", "patience": EAGER, "timeout": 20.0, **settings}
        connectors.append(OneC(OneCSettings("ut", stand.url, **given)))
        return connectors[-1]

    yield start
    for connector in connectors:
        connector.close()


def expected(stand: OneCStand, name: str = CLIENTS) -> set[str]:
    """Keys of a set as the stand holds it."""
    return {str(record["Ref_Key"]) for record in stand.world.records(name)}


def got(connector: OneC, request: ReadRequest = READ) -> set[str]:
    """Keys that a read delivers."""
    return {record["Ref_Key"] for record in decoded(connector.read(request))}


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("cut_page_in_half", True),
        ("drop_connection", True),
        ("down", True),
        ("error_mid_page", True),
        ("html_instead_of_json", True),
        ("exception_body", True),
        ("fail_status", 500),
        ("fail_status", 503),
    ],
)
@pytest.mark.parametrize("after", [0, 2])
def test_a_fault_that_passes_is_not_seen(
    stand: OneCStand, opened: Opened, fault: str, value: object, after: int
) -> None:
    """Half a page, a broken connection, a restart, a page, a failure: two in a row, at once or in the middle of a read,
    and the read is whole all the same.
    """
    setattr(stand.quirks, fault, value)
    stand.quirks.after, stand.quirks.times = after, 2
    assert got(opened(page_size=10)) == expected(stand)
    assert stand.quirks.struck == 2


@pytest.mark.parametrize(
    ("fault", "value", "code"),
    [
        ("cut_page_in_half", True, "page_cut"),
        ("drop_connection", True, "page_cut"),
        ("down", True, "source_busy"),
        ("html_instead_of_json", True, "source_failed"),
        ("exception_body", True, "source_failed"),
        ("fail_status", 500, "source_failed"),
        ("fail_status", 502, "source_gateway"),
        ("fail_status", 403, "forbidden"),
    ],
)
def test_a_fault_that_stays_is_told(stand: OneCStand, opened: Opened, fault: str, value: object, code: str) -> None:
    """Each lasting fault ends the read with its own code, and nothing of a broken page is delivered."""
    setattr(stand.quirks, fault, value)
    pages: list[Page] = []
    with pytest.raises(HubError) as error:
        pages.extend(opened().read(READ))
    assert (error.value.code, pages) == (code, [])


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("bom", True),
        ("memory_error_over_rows", 7),
        ("memory_error_over_bytes", 9000),
        ("wrong_content_type", True),
        ("count_unusable", True),
        ("inlinecount_ignores_top", True),
    ],
)
def test_what_a_base_is_like_does_not_matter(stand: OneCStand, opened: Opened, trait: str, value: object) -> None:
    """A mark before the body, little memory, a wrong type, an odd count: content and count are right."""
    setattr(stand.quirks, trait, value)
    connector = opened()
    assert got(connector) == expected(stand)
    assert connector.count(READ) == len(expected(stand))


def test_a_base_that_ignores_skip_stops_the_route(stand: OneCStand, opened: Opened) -> None:
    """Never an endless read, never a silent half: the route stops and says why."""
    stand.quirks.ignore_skip = True
    with pytest.raises(HubError) as error:
        got(opened(page_size=10))
    assert error.value.code == "skip_ignored"


def test_a_pool_of_sessions_that_is_taken_is_waited_for(stand: OneCStand, opened: Opened) -> None:
    """One session for two readers: 406 is met with patience until the other is done."""
    stand.quirks.pool_size, stand.quirks.pool_timeout, stand.quirks.latency = 1, 0.0, 0.01
    patient = Patience(retries=40, first=0.01, longest=0.02)
    one, two = opened(page_size=5, patience=patient), opened(page_size=5, patience=patient)
    for _ in zip(one.read(READ), two.read(READ), strict=True):
        pass
    assert got(one) == got(two) == expected(stand)


def test_a_wrong_password_is_told_by_the_check(opened: Opened) -> None:
    """The check reports it and nothing else, with no exception."""
    report = opened(password="не тот").check()
    assert [problem.code for problem in report.problems] == ["auth_failed"]
    assert not report.reachable


def test_an_empty_composition_is_told_by_the_check(stand: OneCStand, opened: Opened) -> None:
    """A base that publishes nothing answers, and is of no use."""
    stand.quirks.empty_service_list = True
    report = opened().check()
    assert (report.reachable, report.streams) == (True, 0)
    assert [problem.code for problem in report.problems] == ["nothing_published"]


def test_the_check_looks_for_the_exchange_plan(opened: Opened) -> None:
    """A plan that the settings name and the base publishes is no problem; the clock agrees with itself."""
    report = opened(exchange_plan="ДляODATA", node="ХАБ").check()
    assert (report.problems, report.notes) == ([], [])
    assert opened(exchange_plan="ДляODATA", node="ХАБ").capabilities.changes_feed
    assert not opened().capabilities.changes_feed


def test_the_check_looks_for_the_node(opened: Opened) -> None:
    """A node that the plan does not have would fail the first taking of changes: the check says so before."""
    report = opened(exchange_plan="ДляODATA", node="НЕТ").check()
    assert [problem.code for problem in report.problems] == ["node_unknown"]
    assert "ХАБ" in report.problems[0].sentence()


@pytest.mark.parametrize("node", ["", "ДляODATA/ХАБ", "ExchangePlan_ДляODATA/хаб", "ДляODATA/Узел обмена с хабом"])
def test_a_node_is_found_by_what_an_admin_calls_it(stand: OneCStand, opened: Opened, node: str) -> None:
    """By code in any case, by name, or from the settings."""
    connector = opened(exchange_plan="ДляODATA", node="ХАБ")
    stand.world.touch(CLIENTS, min(expected(stand)))
    packet = connector.feed(node)
    assert packet is not None
    assert packet.number == 1
    connector.acknowledge(node, packet.number)
    assert connector.feed(node) is None


def test_a_packet_with_characters_that_xml_forbids_is_told(stand: OneCStand, opened: Opened) -> None:
    """One such character spoils the whole packet in 1C itself: its words are passed on."""
    stand.world.edit(CLIENTS, min(expected(stand)), {"Description": "Имя\x02"})
    with pytest.raises(HubError) as error:
        opened().feed("ДляODATA/ХАБ")
    assert error.value.code == "source_error"
    assert "XML" in error.value.sentence()


def test_rights_on_one_record_forbid_the_set(stand: OneCStand, opened: Opened) -> None:
    """1C refuses the whole request for one forbidden row; the set is named."""
    stand.world.forbidden.add((CLIENTS, min(expected(stand))))
    with pytest.raises(HubError) as error:
        got(opened())
    assert error.value.code == "rights_missing"


def test_rights_on_one_record_can_be_left_to_1c(stand: OneCStand, opened: Opened) -> None:
    """With ``allowed_only`` the others come, and the count is theirs; the error without it says how."""
    hidden = min(expected(stand))
    stand.world.forbidden.add((CLIENTS, hidden))
    with pytest.raises(HubError) as error:
        got(opened())
    assert "allowed_only" in error.value.advice("ru")
    assert CLIENTS in error.value.sentence("ru")
    connector = opened(allowed_only=True)
    assert got(connector) == expected(stand) - {hidden}
    assert connector.count(READ) == len(expected(stand)) - 1


def test_a_record_that_may_not_be_seen_is_not_taken_for_deleted(stand: OneCStand, opened: Opened) -> None:
    """Asked for by key it is refused, and that is raised: the hub does not know whether it is there."""
    hidden = min(expected(stand))
    stand.world.forbidden.add((CLIENTS, hidden))
    with pytest.raises(HubError) as error:
        opened().fetch(READ, sorted(expected(stand)))
    assert error.value.code == "rights_missing"


@pytest.mark.parametrize("sessions", [1, 2, 4])
def test_the_base_never_sees_more_sessions_than_allowed(stand: OneCStand, opened: Opened, sessions: int) -> None:
    """Eight threads read and fetch at once: a pool of exactly so many sessions refuses nothing."""
    stand.quirks.pool_size, stand.quirks.pool_timeout, stand.quirks.latency = sessions, 0.0, 0.002
    connector = opened(max_sessions=sessions, page_size=20)
    found: list[int] = []

    def work(number: int) -> None:
        ids = sorted(expected(stand))
        found.append(len(got(connector) if number % 2 else connector.fetch(READ, ids).records))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [len(expected(stand))] * 8
    assert connector.traffic.retries == 0


@pytest.mark.parametrize("mode", ["autouse", "use", "dontuse"])
def test_sessions_are_reused_as_the_publication_allows(stand: OneCStand, opened: Opened, mode: str) -> None:
    """By the pool, by cookie, or not at all: never more at once than allowed, and none is left when we are done."""
    stand.quirks.reuse_sessions, stand.quirks.pool_size, stand.quirks.pool_timeout = mode, 2, 0.0
    connector = opened(max_sessions=2, page_size=10)
    for _ in range(3):
        assert got(connector) == expected(stand)
    assert len(connector.fetch(READ, sorted(expected(stand))).records) == len(expected(stand))
    found, requests = stand.sessions.state(), len(stand.requests)
    assert max(found["most_open"], found["most_at_once"]) <= 2
    assert found["refused"] == connector.traffic.retries == 0
    assert found["started"] == requests if mode == "dontuse" else found["started"] <= 2 < requests
    connector.close()
    assert stand.sessions.state()["open"] <= (2 if mode == "autouse" else 0)


def test_a_base_that_wakes_up_is_waited_for(stand: OneCStand, opened: Opened) -> None:
    """The first call after a long silence takes longer than a request may; what follows does not."""
    stand.quirks.slow_first = 0.6
    assert got(opened(timeout=0.3, first_timeout=10.0)) == expected(stand)
    stand.restart(0.0)
    with pytest.raises(HubError) as error:
        got(opened(timeout=0.3, first_timeout=0.3, page_size=1))
    assert error.value.code == "source_timeout"


def test_addresses_stay_within_what_iis_takes(stand: OneCStand, opened: Opened) -> None:
    """All fields of an order named, sixty keys at once: read whole and fetched whole, whatever the web server cuts."""
    stand.quirks.longest_query = 2048
    connector = opened()
    info = connector.streams()[ORDERS]
    everything = ReadRequest(ORDERS, (*info.fields, *info.tables), date_field="Date")
    orders = sorted(expected(stand, ORDERS))[:60]
    assert got(connector, everything) == expected(stand, ORDERS)
    assert len(connector.fetch(ReadRequest(ORDERS, ("Date", "Товары")), orders).records) == 60
    assert len(opened().fetch(everything, orders).records) == 60


def test_a_composite_reference_becomes_a_link_only_with_its_type(stand: OneCStand, opened: Opened) -> None:
    """From the base through connector and mapping: an order is a link; undefined, unpublished, a client are none."""
    connector = opened()
    mapping = compile_profile("onec_ut11", "Europe/Moscow", streams=connector.streams()).mappings["shipment"]
    order, client = str(stand.world.records(ORDERS)[0]["Ref_Key"]), min(expected(stand))
    shown = {
        "StandardODATA.Document_ЗаказКлиента": order,
        "StandardODATA.Undefined": "",
        "StandardODATA.Catalog_Контрагенты": client,
        f"UnavailableEntities.UnavailableEntity_{client}": client,
    }
    keys = [str(record["Ref_Key"]) for record in stand.world.records(SHIPMENTS)[: len(shown)]]
    for key, (kind, value) in zip(keys, shown.items(), strict=True):
        stand.world.edit(SHIPMENTS, key, {"ЗаказКлиента": value, "ЗаказКлиента_Type": kind})
    page = connector.fetch(ReadRequest(SHIPMENTS, mapping.select, mapping.key), keys)
    raws = {json.loads(bytes(raw))["Ref_Key"]: bytes(raw) for raw in page.records}
    for key, (kind, value) in zip(keys, shown.items(), strict=True):
        record = json.loads(raws[key])
        assert (record["ЗаказКлиента"], record["ЗаказКлиента_Type"]) == (value, kind)
        links = mapping.collect(mapping.decode([raws[key]], [key])).get(ORDERS, set())
        assert links == ({order} if value == order else set())


def test_the_schema_is_read_once(stand: OneCStand, opened: Opened) -> None:
    """Streams, fingerprint and check of one connector cost one download of the metadata."""
    connector = opened()
    connector.streams()
    connector.fingerprint()
    connector.check()
    assert stand.requests.sets["$metadata"] == 1


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"<html><body>Proxy</body></html>", "text/html", "html_page"),
        (b'<?xml version="1.0"?><Edmx><EntitySet Name="A"', "application/xml", "page_cut"),
        (b'<?xml version="1.0"?><!DOCTYPE x><Edmx/>', "application/xml", "not_onec"),
        (b"<Edmx/>", "application/xml", "nothing_published"),
        (b'{"odata.error":{"code":"-1","message":{"value":"x"}}}', "application/json", "source_error"),
    ],
)
def test_a_schema_that_cannot_be_read_is_told(scripted: Open, body: bytes, kind: str, code: str) -> None:
    """``streams`` raises, ``check`` reports: a page, half a document, a foreign one, an empty one, an error."""

    def answer(request: Request) -> Reply:
        if request.path.startswith("$metadata"):
            return Reply(body=body, kind=kind)
        return collection([{"name": "A", "url": "A"}])

    connector, _ = scripted(answer)
    with pytest.raises(HubError) as error:
        connector.streams()
    assert error.value.code == code
    assert [problem.code for problem in connector.check().problems] == [code]


def test_movements_are_read_by_their_recorder(stand: OneCStand, opened: Opened) -> None:
    """Record sets of a register come whole, in the register's own order."""
    connector = opened(page_size=9)
    name = "AccumulationRegister_ЗаказыКлиентов"
    info = connector.streams()[name]
    records = decoded(connector.read(ReadRequest(name, ("RecordSet",), info.key)))
    keys = [tuple(record[part] for part in info.key) for record in records]
    assert len(keys) == len(set(keys)) > 9
    assert any(record["RecordSet"] for record in records)
