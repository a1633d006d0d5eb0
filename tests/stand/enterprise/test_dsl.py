"""The HTTP service `exchange_dsl_1_0_0_1`, asked as the vendor's own client asks it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from lxml import etree

from stand.onec.enterprise.dsl import Dsl
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.client import Answer, Client
from tests.stand.enterprise.peer import FORMAT, PLAN, archive, message, party, told
from tests.stand.enterprise.xdto import DATA, needs_data

PARTIES = "Catalog_Контрагенты"
NEW = derived_guid("a counterparty from elsewhere")


class Peer:
    """Calls operations; like the vendor's client it sends neither Content-Type nor Accept."""

    def __init__(self, stand: OneCStand, client: Client, code: str = "ХАБ") -> None:
        self.root = f"/{stand.publication}/hs/exchange_dsl_1_0_0_1"
        self.client = client
        self.code = code

    def call(self, method: str, name: str, body: bytes = b"", /, **asked: object) -> Answer:
        """One operation with its parameters in the query, Cyrillic as UTF-8."""
        query = "&".join(f"{key}={quote(str(value))}" for key, value in asked.items())
        return self.client.send(method, f"{self.root}/v1/{name}?{query}", body)

    def mine(self, method: str, name: str, **asked: object) -> Answer:
        """An operation about this peer's own exchange."""
        return self.call(method, name, ExchangePlanName=PLAN, NodeCode=self.code, **asked)

    def put(self, data: bytes, size: int = 300) -> str:
        """Hand over a file in pieces; its identifier there."""
        session, packed = uuid4(), archive(data)
        parts = [packed[start : start + size] for start in range(0, len(packed), size)]
        for number, part in enumerate(parts, 1):
            assert self.call("POST", "PutFilePart", part, SessionID=session, PartNumber=number).status == 200
        return str(self.call("POST", "SaveFileFromParts", SessionID=session, PartCount=len(parts)).json["FileID"])

    def get(self, file: str, size: object = 16) -> bytes:
        """Fetch a file in pieces and let it be deleted."""
        offer = self.call("POST", "PrepareGetFile", FileID=file, BlockSize=size).json
        session = offer["SessionID"]
        numbers = range(1, offer["PartCount"] + 1)
        parts = [self.call("GET", "GetFilePart", SessionID=session, PartNumber=n).body for n in numbers]
        assert self.call("DELETE", "ReleaseFile", SessionID=session).status == 200
        assert self.call("GET", "GetFilePart", SessionID=session, PartNumber=1).status == 400
        return b"".join(parts)

    def exchange(self, data: bytes) -> bytes:
        """Their message to the base, the base's message back."""
        loaded = self.mine("POST", "DownloadData", FileID=self.put(data), TimeConsumingOperationAllowed="Нет")
        assert loaded.json == {"TimeConsumingOperation": False, "OperationID": None}
        return self.get(self.mine("POST", "UploadData", TimeConsumingOperationAllowed="Нет").json["FileID"])


@pytest.fixture
def peer(stand: OneCStand, own: Client) -> Peer:
    """The peer that the base knows."""
    return Peer(stand, own)


def test_version(stand: OneCStand, own: Client, peer: Peer) -> None:
    """The test of a connection answers 1, also where the client doubles the slash at the front."""
    assert own.send("GET", f"{peer.root}/version").body == b"1"
    assert own.send("GET", f"/{peer.root}/version").body == b"1"


def test_parameters_of_the_base(stand: OneCStand, peer: Peer) -> None:
    """The base tells who it is and what it sends and receives, as JSON under the type of a page."""
    answer = peer.mine("GET", "GetIBParameters", IsXDTOExchangePlan="Да")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    told_ = answer.json
    assert (told_["ThisNodeCode"], told_["NodeExists"], told_["ExchangePlanExists"]) == ("УТ", True, True)
    assert (told_["ExchangeFormat"], told_["ExchangeFormatVersions"]) == (FORMAT, ["1.8"])
    assert told_["DataExchangeSettingsFormatVersion"] == "2.0"
    types = {item["Object"]: (item["Send"], item["Receive"]) for item in told_["SupportedObjectsInFormat"]}
    assert (types["Справочник.Контрагенты"], types["Справочник.Договоры"]) == (("*", "*"), ("*", []))
    other = peer.call("GET", "GetIBParameters", ExchangePlanName="Другой", NodeCode="X").json
    assert (other["NodeExists"], other["ExchangePlanExists"]) == (False, False)


def test_messages_both_ways(stand: OneCStand, peer: Peer) -> None:
    """A file put is loaded, the answer carries everything and confirms; a second round carries nothing more."""
    first = told(peer.exchange(message(1, party(NEW, "ООО Из HTTP"))))
    record = stand.world.get(PARTIES, NEW)
    assert record is not None
    assert record["Description"] == "ООО Из HTTP"
    assert (first.head("MessageNo"), first.head("ReceivedNo"), bool(first.refs)) == ("1", "1", True)
    second = told(peer.exchange(message(2, received=1)))
    assert (second.head("MessageNo"), second.head("ReceivedNo"), second.refs) == ("2", "2", set())


def test_a_long_operation(stand: OneCStand, peer: Peer) -> None:
    """Where it is allowed and takes long, an operation is polled; a yes may be Russian."""
    stand.quirks.operation_polls = 1
    made = peer.mine("POST", "UploadData", TimeConsumingOperationAllowed="Да").json
    assert made["TimeConsumingOperation"] is True
    state = [peer.call("GET", "GetContinuousOperationStatus", OperationID=made["OperationID"]).json for _ in range(2)]
    assert [item["ActionState"] for item in state] == ["Active", "Completed"]
    assert told(peer.get(made["FileID"])).head("MessageNo") == "1"
    assert peer.mine("POST", "UploadData", TimeConsumingOperationAllowed="Нет").json["TimeConsumingOperation"] is False


@pytest.mark.parametrize("lost", [True, False])
def test_texts_that_get_lost(stand: OneCStand, peer: Peer, lost: bool) -> None:
    """The sentence of a failed operation is lost on the way in БСП; the switch says whether here too."""
    stand.quirks.update({"operation_polls": 1, "lost_error_texts": lost})
    file = peer.put(message(1, to="НЕ"))
    name = peer.mine("POST", "DownloadData", FileID=file, TimeConsumingOperationAllowed="true").json["OperationID"]
    assert peer.call("GET", "GetContinuousOperationStatus", OperationID=name).json["ActionState"] == "Active"
    answer = peer.call("GET", "GetContinuousOperationStatus", OperationID=name)
    assert answer.status == 400
    text = answer.json["Message"]
    assert (text is None) is lost
    assert lost or "Получатель" in text


def test_numbers_may_be_grouped(peer: Peer) -> None:
    """A block size of a thousand and more may come with the blank that 1C puts into numbers."""
    file = peer.mine("POST", "UploadData").json["FileID"]
    assert told(peer.get(file, "1\u00a0024")).refs


def _settings(**more: Any) -> bytes:
    main = {"FormatVersion": "2.0", "NodeCode": "НХ", "CorrespondentNodeCode": "УТ", "SourceInfobasePrefix": "НХ"}
    plans = {"ExchangePlanName": PLAN, "CorrespondentExchangePlanName": PLAN}
    return json.dumps({"MainExchangeParameters": main | plans | more, "TransportSettings": {}}).encode()


def test_a_node_is_created_and_removed(stand: OneCStand, own: Client, peer: Peer) -> None:
    """A new peer introduces itself, is told everything, goes on where it was, and can leave."""
    assert peer.call("POST", "CreateExchangeNode", b"\xef\xbb\xbf" + _settings()).status == 200
    other = Peer(stand, own, "НХ")
    assert other.mine("GET", "GetIBParameters").json["NodeExists"] is True
    found = told(other.exchange(message(1, sender="НХ")))
    assert (found.head("To"), bool(found.refs)) == ("НХ", True)
    assert peer.call("POST", "CreateExchangeNode", _settings(SentNo=7, ReceivedNo=9)).status == 200
    again = told(other.exchange(message(8, sender="НХ", received=9)))
    assert (again.head("MessageNo"), again.head("ReceivedNo")) == ("10", "8")
    assert other.mine("DELETE", "RemoveExchangeNode").status == 200
    assert other.mine("DELETE", "RemoveExchangeNode").status == 400
    stand.quirks.lost_error_texts = False
    for body in (b"{", b"[]", _settings(CorrespondentExchangePlanName="Другой"), _settings(SentNo="x")):
        assert peer.call("POST", "CreateExchangeNode", body).json["Message"]


@pytest.mark.parametrize(
    ("method", "name", "asked", "status"),
    [
        ("GET", "GetFilePart", {"SessionID": "../../etc/passwd", "PartNumber": 1}, 400),
        ("GET", "GetFilePart", {"SessionID": NEW, "PartNumber": "x"}, 400),
        ("POST", "SaveFileFromParts", {"SessionID": NEW, "PartCount": 2}, 400),
        ("POST", "PrepareGetFile", {"FileID": NEW, "BlockSize": 1}, 400),
        ("POST", "DownloadData", {"FileID": NEW, "ExchangePlanName": PLAN, "NodeCode": "ХАБ"}, 400),
        ("POST", "UploadData", {"ExchangePlanName": PLAN, "NodeCode": "НЕТ"}, 400),
        ("POST", "PutMessageForDataMatching", {"ExchangePlanName": PLAN, "NodeCode": "ХАБ"}, 400),
        ("GET", "GetContinuousOperationStatus", {"OperationID": NEW}, 400),
        ("GET", "UploadData", {}, 405),
        ("GET", "Nothing", {}, 404),
    ],
)
def test_what_is_refused(peer: Peer, method: str, name: str, asked: dict[str, object], status: int) -> None:
    """Unknown sessions, files, nodes and operations are 400 with a Message; other addresses 404 and 405."""
    answer = peer.call(method, name, **asked)
    assert answer.status == status
    assert status != 400 or answer.json.keys() == {"Message"}


def test_a_count_of_parts_that_nobody_sent(peer: Peer) -> None:
    """A file said to have more parts than came is refused, however many are claimed."""
    session = uuid4()
    peer.call("POST", "PutFilePart", archive(message(1)), SessionID=session, PartNumber=1)
    answer = peer.call("POST", "SaveFileFromParts", SessionID=session, PartCount=10**12)
    assert (answer.status, "Не найден фрагмент 2" in answer.json["Message"]) == (400, True)


def test_login_and_faults_on_demand() -> None:
    """The service stands behind the login, and the switches strike its operations by name."""
    with OneCStand(build(2, clients=5, products=5, orders=5), user="u", password="p") as stand, Client(stand) as client:
        peer = Peer(stand, client)
        assert peer.mine("GET", "GetIBParameters").status == 401
        stand.service.login.expected = ""
        stand.quirks.update({"fail_status": 502, "only": ["GetIBParameters"], "times": 1})
        assert client.send("GET", f"{peer.root}/version").status == 200
        assert [peer.mine("GET", "GetIBParameters").status for _ in range(2)] == [502, 200]
        stand.quirks.update({"locked": True, "acts": ["create"], "only": ["PutFilePart"], "times": 1})
        answer = peer.call("POST", "PutFilePart", b"x", SessionID=NEW, PartNumber=1)
        assert (answer.status, "заблокировать" in answer.json["Message"]) == (400, True)


@needs_data
def test_the_addresses_are_the_vendors(stand: OneCStand) -> None:
    """Methods and names are those of the vendor's descriptor."""
    root = etree.parse(DATA / "HTTPServices" / "exchange_dsl_1_0_0_1.xml").getroot()
    found = {
        (method.text, template.text.rpartition("/")[2])
        for item in root.iter("{*}URLTemplate")
        for template in item.iter("{*}Template")
        for method in item.iter("{*}HTTPMethod")
        if method.text and template.text
    }
    assert found - {("GET", "version")} == Dsl(stand.exchange)._calls.keys()
