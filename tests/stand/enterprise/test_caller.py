"""The base as the client of the HTTP service: two bases exchange with each other, each by its own registration."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from stand.onec.calling import Address, Failed
from stand.onec.enterprise.caller import Caller
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.client import Client

PARTIES, ITEMS = "Catalog_Контрагенты", "Catalog_Номенклатура"
NEW = derived_guid("a counterparty of one side")


@pytest.fixture
def pair() -> Iterator[tuple[OneCStand, OneCStand]]:
    """A base of УТ that calls, and a base of УНФ that is called; neither knows the other."""
    ut = build(2, clients=10, products=10, orders=15)
    unf = build(3, clients=8, products=8, orders=10, configuration="unf")
    with OneCStand(ut, peers=(), control=True) as caller, OneCStand(unf, peers=()) as called:
        yield caller, called


def _caller(caller: OneCStand, called: OneCStand, part: int = 16) -> Caller:
    return Caller(caller.exchange, Address(f"{called.address}/{called.publication}"), part, wait=lambda _: None)


def _living(stand: OneCStand, name: str) -> set[str]:
    return {r["Ref_Key"] for r in stand.world.records(name) if not r.get("IsFolder") and not r.get("DeletionMark")}


def test_two_bases_become_one_business(pair: tuple[OneCStand, OneCStand]) -> None:
    """After a round each way every living order and product is in both, and the next rounds carry nothing."""
    ut, unf = pair
    caller = _caller(ut, unf)
    node = caller.connect()
    caller.send(node)
    caller.receive(node)
    for mine, theirs in ((ITEMS, ITEMS), ("Document_ЗаказКлиента", "Document_ЗаказПокупателя")):
        here, there = _living(ut, mine), _living(unf, theirs)
        assert len(here) > 9
        known = {*unf.exchange.nodes.by_code["УТ"].theirs, *node.theirs}
        assert here - known <= there
        assert there - known <= here
    caller.send(node)
    caller.receive(node)
    version = unf.world.version
    caller.send(node)
    caller.receive(node)
    assert unf.world.version == version
    other = unf.exchange.nodes.by_code["УТ"]
    assert (node.sent, node.received, other.sent, other.received) == (3, 3, 3, 3)


def test_what_is_asked_for(pair: tuple[OneCStand, OneCStand]) -> None:
    """A stranger introduces itself once; only kinds that the other side receives are sent to it."""
    ut, unf = pair
    caller = _caller(ut, unf, 1024)
    node = caller.connect()
    assert caller.asked == ["GET version", "GET v1/GetIBParameters", "POST v1/CreateExchangeNode"]
    assert sorted(node.wants or ()) == ["Документ.ЗаказКлиента", "Справочник.Контрагенты", "Справочник.Номенклатура"]
    again = _caller(ut, unf)
    again.connect()
    assert again.asked == caller.asked[:2]
    caller.send(node)
    caller.receive(node)
    assert caller.asked[3:] == [
        "POST v1/PutFilePart", "POST v1/SaveFileFromParts", "POST v1/DownloadData", "POST v1/UploadData",
        "POST v1/PrepareGetFile", "GET v1/GetFilePart", "DELETE v1/ReleaseFile",
    ]  # fmt: skip


@pytest.mark.parametrize("russian", [True, False])
def test_words_numbers_and_long_operations(pair: tuple[OneCStand, OneCStand], russian: bool) -> None:
    """Either way of writing a yes and a number reaches the other side, and long operations are waited for."""
    ut, unf = pair
    ut.quirks.update({"russian_words": russian, "grouped_numbers": not russian})
    unf.quirks.operation_polls = 2
    caller = _caller(ut, unf, 2000)
    node = caller.connect()
    caller.send(node)
    caller.receive(node)
    assert caller.asked.count("GET v1/GetContinuousOperationStatus") == 6
    assert (node.sent, node.received) == (1, 1)
    words = [caller._written(value) for value in (True, False, 2000)]
    assert words == (["Да", "Нет", "2000"] if russian else ["true", "false", "2\u00a0000"])


def test_a_message_that_is_not_loaded_comes_again(pair: tuple[OneCStand, OneCStand]) -> None:
    """When the other side fails, nothing is confirmed: the next message carries the change once more."""
    ut, unf = pair
    caller = _caller(ut, unf)
    node = caller.connect()
    ut.world.add(PARTIES, {"Ref_Key": NEW, "Description": "Упорный"})
    unf.quirks.update({"locked": True, "only": ["DownloadData"], "acts": ["create"], "times": 1})
    with pytest.raises(Failed, match="заблокировать"):
        caller.send(node)
    assert unf.world.get(PARTIES, NEW) is None
    caller.send(node)
    assert unf.world.get(PARTIES, NEW) is not None
    assert unf.exchange.nodes.by_code["УТ"].received == 2


def test_failures(pair: tuple[OneCStand, OneCStand]) -> None:
    """Nobody there, another service, another plan, a page instead of JSON and an endless operation are told as such."""
    ut, unf = pair
    with pytest.raises(Failed, match="ConnectionRefused"):
        Caller(ut.exchange, Address("http://127.0.0.1:9/x")).connect()
    with pytest.raises(Failed, match="HTTP 404"):
        Caller(ut.exchange, Address(f"{unf.address}/other")).connect()
    unf.quirks.update({"html_instead_of_json": True, "only": ["GetIBParameters"], "times": 1})
    with pytest.raises(Failed, match="no JSON"):
        _caller(ut, unf).connect()
    caller = _caller(ut, unf)
    node = caller.connect()
    unf.quirks.operation_polls = 1000
    with pytest.raises(Failed, match="without end"):
        caller.send(node)


def test_by_control(pair: tuple[OneCStand, OneCStand]) -> None:
    """Another process starts a round by the control address."""
    ut, unf = pair
    with Client(ut) as client:
        body = {"url": f"{unf.address}/{unf.publication}"}
        answer = client.send("POST", "/_stand/call", json.dumps(body).encode())
        assert answer.json["НФ"]["received"] == 1
        answer = client.send("POST", "/_stand/call", json.dumps({"url": "http://127.0.0.1:9/"}).encode())
        assert answer.status == 400
