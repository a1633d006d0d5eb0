from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from connectors.onec_odata.atom import ATOM, DATA, META
from hub.model.errors import HubError, NeedsPerson
from tests.connectors.conftest import Open
from tests.connectors.server import Reply, Request, Script, collection, fault

GUID = "6f9619ff-8b86-11e9-b42d-00cf4fc964ff"
OWN = "6f9619fe-8b86-11e9-b42d-00cf4fc964ff"
NODES: list[dict[str, Any]] = [
    {"Ref_Key": OWN, "Code": "УТ", "Description": "Эта база", "ReceivedNo": "0", "ThisNode": True},
    {"Ref_Key": GUID, "Code": "CRM  ", "Description": "Хаб", "ReceivedNo": "41", "SentNo": "42"},
]


def feed(*clients: str) -> Reply:
    """A packet of changed clients."""
    body = "".join(
        f'<entry><category term="StandardODATA.Catalog_X"/><content><m:properties><d:Ref_Key>{key}</d:Ref_Key>'
        "</m:properties></content></entry>"
        for key in clients
    )
    head = f'<feed xmlns="{ATOM}" xmlns:d="{DATA}" xmlns:m="{META}">'
    return Reply(body=f"{head}{body}</feed>".encode(), kind="application/atom+xml")


def base(packet: Reply) -> Script:
    """A base with two nodes that answers a selection with ``packet``."""

    def answer(request: Request) -> Reply:
        if request.path.startswith("ExchangePlan_"):
            return collection(NODES)
        return packet if request.path.startswith("SelectChanges") else Reply(200, b"", "text/plain")

    return answer


def test_the_packet_after_the_last_acknowledged_is_asked_for(scripted: Open) -> None:
    """By POST, with the node's whole address in quotes as 1C wants it, and the number after ``ReceivedNo``."""
    connector, server = scripted(base(feed("1", "2")))
    packet = connector.feed("ОбменСХабом/CRM")
    assert packet is not None
    assert (packet.number, [len(page.records) for page in packet.pages]) == (42, [2])
    request = server.requests[-1]
    point = f"{server.url}/odata/standard.odata/ExchangePlan_ОбменСХабом(guid'{GUID}')"
    assert (request.method, request.path) == ("POST", f"SelectChanges?DataExchangePoint='{point}'&MessageNo=42")
    assert quote("ОбменСХабом") in request.raw
    assert connector.traffic.writes == 0


def test_an_acknowledgement_is_one_writing_request(scripted: Open) -> None:
    """It names the packet that was committed, not the one that is next."""
    connector, server = scripted(base(feed()))
    connector.acknowledge(f"ОбменСХабом/{GUID.upper()}", 42)
    assert server.requests[-1].path.startswith("NotifyChangesReceived?")
    assert server.requests[-1].path.endswith("&MessageNo=42")
    assert connector.traffic.writes == 1


def test_a_packet_is_paged(scripted: Open) -> None:
    """A packet comes as one answer; its pages are as big as the settings allow."""
    packet = scripted(base(feed(*"12345")), page_size=2)[0].feed("P/CRM")
    assert packet is not None
    assert [len(page.records) for page in packet.pages] == [2, 2, 1]


@pytest.mark.parametrize("node", ["P/УТ", f"P/{OWN}", "P/ERP", "P", "P/(", ""])
def test_a_node_that_cannot_be_read_is_refused(scripted: Open, node: str) -> None:
    """The base's own node, an unknown one, something that names none: nothing is selected for it."""
    connector, server = scripted(base(feed("1")))
    with pytest.raises(NeedsPerson) as error:
        connector.feed(node)
    assert error.value.code == "node_unknown"
    assert not [request for request in server.requests if request.method == "POST"]


def test_a_fault_of_the_selection_is_not_an_empty_packet(scripted: Open) -> None:
    """An error in place of the packet stops the route: nothing is taken for "no changes"."""
    for reply in (
        fault(400, "2", "Недопустимый символ"),
        Reply(body=b"<feed>", kind="application/xml"),
        Reply(body=b""),
    ):
        with pytest.raises(HubError):
            scripted(base(reply))[0].feed("P/CRM")


def test_nodes_that_make_no_sense_are_not_guessed(scripted: Open) -> None:
    """A list of nodes without keys is no list of nodes."""
    with pytest.raises(HubError):
        scripted(lambda r: collection([{"Code": "CRM"}]))[0].feed("P/CRM")
