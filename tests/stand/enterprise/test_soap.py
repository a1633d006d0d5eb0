"""The web service as an unmodified client of SOAP sees it, and as its description says it."""

from __future__ import annotations

import io
import socket
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from stand.onec.enterprise.wsdl import NAMESPACE, OPERATIONS, RESULT_FIELDS, SERVICE
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.client import Client
from tests.stand.enterprise.peer import PLAN, archive, message, party, told
from tests.stand.enterprise.xdto import DATA, needs_data

PARTIES = "Catalog_Контрагенты"
NEW = derived_guid("a counterparty from elsewhere")
CLIENT: Any = zeep.Client
TRANSPORT: Any = Transport
MD = "{http://v8.1c.ru/8.3/MDClasses}"


def _zeep(stand: OneCStand, binding: str = "SoapBinding", login: tuple[bytes, bytes] | None = None) -> Any:
    session = requests.Session()
    if login:
        session.auth = HTTPBasicAuth(*login)
    address = f"{stand.address}/{stand.publication}/ws/{SERVICE}"
    client = CLIENT(f"{address}.1cws?wsdl", transport=TRANSPORT(session=session, timeout=20))
    return client.create_service(f"{{{NAMESPACE}}}{SERVICE}{binding}", address)


@pytest.fixture(params=["SoapBinding", "Soap12Binding"])
def service(stand: OneCStand, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Zeep's service, over SOAP 1.1 and over 1.2."""
    service = _zeep(stand, request.param)
    yield service
    service._client.transport.session.close()


def _fetch(service: Any, size: float = 16) -> tuple[Any, bytes]:
    """A file of the base, as a client fetches it."""
    started = service.PrepareDataForGetting(PLAN, "ХАБ", size)
    result = service.PrepareDataActionResult(started.OperationID)["return"]
    parts = [service.GetDataPart(result.FileID, n)["return"] for n in range(1, result.PartCount + 1)]
    service.ConfirmGettingFile(result.FileID, ClearDataPool=True)
    return result, b"".join(parts)


def _put(service: Any, data: bytes, size: int = 400) -> Any:
    """Hand a file over in pieces; what became of it."""
    name = str(uuid4())
    packed = archive(data)
    for number, start in enumerate(range(0, len(packed), size), 1):
        service.PutFilePart(name, number, packed[start : start + size])
    started = service.PutData(PLAN, "ХАБ", name)
    return service.PutDataActionResult(started.OperationID)


def test_ping_and_connection(service: Any) -> None:
    """A node that exists is reported, one that does not is a no with БСП's sentence, and so is another plan."""
    assert service.Ping() in (None, "")
    assert service.TestConnection(PLAN, "ХАБ")["return"] is True
    answer = service.TestConnection(PLAN, "НЕТ")
    assert answer["return"] is False
    assert "узел плана обмена не найден" in answer.ErrorMessage
    assert service.TestConnection("Другой", "ХАБ")["return"] is False


def test_a_file_is_fetched_in_parts(stand: OneCStand, service: Any) -> None:
    """Parts of the size asked for make a ZIP whose first file is the message; after confirming they are gone."""
    result, data = _fetch(service)
    assert (result.Status, result.ErrorMessage in (None, "")) == ("Completed", True)
    assert result.PartCount == -(-len(data) // (16 * 1024))
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["data.xml"]
    found = told(data)
    assert (found.head("MessageNo"), found.head("To")) == ("1", "ХАБ")
    assert {r["Ref_Key"] for r in stand.world.records(PARTIES) if not r.get("DeletionMark")} <= found.refs
    gone = service.GetDataPart(result.FileID, 1)
    assert gone["return"] is None
    assert "Часть файла с указанным номером не найдена" in gone.ErrorMessage


def test_part_size_zero_is_one_part(service: Any) -> None:
    """Without a size the file comes whole."""
    assert _fetch(service, 0)[0].PartCount == 1


def test_a_file_is_handed_over_in_parts(stand: OneCStand, service: Any) -> None:
    """A message put in pieces is loaded; its number is confirmed by the next file."""
    answer = _put(service, message(1, party(NEW, "ООО Из SOAP", "7705000001", "770501001")))
    assert (answer["return"], answer.ErrorMessage in (None, "")) == ("Completed", True)
    record = stand.world.get(PARTIES, NEW)
    assert record is not None
    assert record["Description"] == "ООО Из SOAP"
    assert told(_fetch(service)[1]).head("ReceivedNo") == "1"


def test_confirmation_ends_repetition(stand: OneCStand, service: Any) -> None:
    """What was fetched comes again until a message put confirms its number."""
    first = told(_fetch(service)[1])
    assert told(_fetch(service)[1]).refs == first.refs
    _put(service, message(1, received=2))
    assert told(_fetch(service)[1]).objects == []


def test_a_message_that_is_refused_fails_the_operation(stand: OneCStand, service: Any) -> None:
    """What is wrong with a message is told by the operation's state; a job nobody knows is canceled."""
    answer = _put(service, message(1, to="НЕ"))
    assert answer["return"] == "Failed"
    assert "Получатель из сообщения" in answer.ErrorMessage
    assert service.PutDataActionResult(str(uuid4()))["return"] == "Canceled"
    failed = service.PrepareDataForGetting(PLAN, "НЕТ", 0)
    result = service.PrepareDataActionResult(failed.OperationID)["return"]
    assert (result.Status, result.PartCount) == ("Failed", 0)
    assert "узел плана обмена не найден" in result.ErrorMessage


def test_an_operation_takes_its_time(stand: OneCStand, service: Any) -> None:
    """With the switch an operation is Active for that many polls before it is Completed."""
    stand.quirks.operation_polls = 2
    started = service.PrepareDataForGetting(PLAN, "ХАБ", 0)
    states = [service.PrepareDataActionResult(started.OperationID)["return"].Status for _ in range(3)]
    assert states == ["Active", "Active", "Completed"]


def test_faults(service: Any) -> None:
    """A missing part, a file that is no archive and one without a name are faults of the call."""
    for name, data in ((str(uuid4()), b""), (str(uuid4()), b"not a zip")):
        if data:
            service.PutFilePart(name, None, data)
        with pytest.raises(Fault, match=r"ВебСервис\.EnterpriseDataExchange_1_0_1_1"):
            service.PutData(PLAN, "ХАБ", name)
    with pytest.raises(Fault, match="Не указан идентификатор"):
        service.PutFilePart("", 1, b"x")


def test_an_archive_bomb_is_refused(stand: OneCStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would unpack to more than a message may be is refused before it does."""
    monkeypatch.setattr("stand.onec.enterprise.files.unpacked.__defaults__", (1000,))
    with pytest.raises(Fault, match="больше допустимого"):
        _put(_zeep(stand), b"0" * 2000)


def test_a_login_is_asked_for() -> None:
    """The service stands behind the same login as OData, Cyrillic in UTF-8."""
    world = build(2, clients=5, products=5, orders=5)
    with OneCStand(world, user="Обмен", password="пароль") as stand:
        with pytest.raises(requests.HTTPError, match="401"):
            _zeep(stand)
        assert _zeep(stand, login=("Обмен".encode(), "пароль".encode())).TestConnection(PLAN, "ХАБ")["return"]


def test_faults_on_demand(stand: OneCStand) -> None:
    """Switches strike operations by name, writes and reads apart; a lock is a fault of SOAP."""
    service = _zeep(stand)
    stand.quirks.update({"locked": True, "only": ["PutFilePart"], "times": 1})
    assert service.TestConnection(PLAN, "ХАБ")["return"]
    with pytest.raises(Fault, match="Не удалось заблокировать"):
        service.PutFilePart(str(uuid4()), 1, b"x")
    stand.quirks.update({"drop_after_commit": True, "only": ["PutData"], "times": 1})
    with pytest.raises(requests.ConnectionError):
        _put(service, message(1, party(NEW, "Записано")))
    assert stand.world.get(PARTIES, NEW) is not None
    assert stand.requests.sets["TestConnection"] == 1


def test_every_call_has_a_session_of_its_own(stand: OneCStand) -> None:
    """The service does not reuse sessions, whatever the base does for OData."""
    service = _zeep(stand)
    before = stand.sessions.state()["started"]
    for _ in range(3):
        service.Ping()
    assert stand.sessions.state()["started"] == before + 3
    assert stand.sessions.state()["open"] == 0


def test_the_description_names_a_host(stand: OneCStand, own: Client) -> None:
    """The address in the description is the one asked for, or with the switch another host's, as behind a proxy."""
    path = f"/{stand.publication}/ws/{SERVICE}"
    port = etree.fromstring(own.send("GET", f"{path}?wsdl").body).findall(".//{*}address")
    assert {item.get("location") for item in port} == {f"{stand.address}{path}"}
    stand.quirks.wsdl_host = "http://internal-1c-host"
    port = etree.fromstring(own.send("GET", f"{path}.1cws?WSDL").body).findall(".//{*}address")
    assert {item.get("location") for item in port} == {f"http://internal-1c-host{path}"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "", 405), ("DELETE", "", 405), ("GET", "_2?wsdl", 404), ("POST", "/../x", 404)],
)
def test_other_addresses(stand: OneCStand, own: Client, method: str, path: str, status: int) -> None:
    """Other methods and other services are refused by the web server."""
    assert own.send(method, f"/{stand.publication}/ws/{SERVICE}{path}").status == status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<Nothing/>", "не найдена"),
        ("<GetDataPart xmlns='{ns}'><FileID>1</FileID><PartNumber>x</PartNumber></GetDataPart>", "PartNumber"),
        ("<GetDataPart xmlns='{ns}'><FileID>1</FileID></GetDataPart>", "Не задано значение параметра PartNumber"),
        ("", "нет тела"),
    ],
)
def test_a_callers_mistake_is_a_client_fault(stand: OneCStand, own: Client, body: str, text: str) -> None:
    """Unknown operations, missing and malformed parameters are 500 with a fault that blames the caller."""
    envelope = f"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{body}</s:Body></s:Envelope>"
    path = f"/{stand.publication}/ws/{SERVICE}"
    answer = own.send("POST", path, envelope.format(ns=NAMESPACE).encode(), Content_Type="text/xml")
    assert answer.status == 500
    fault = answer.xml.find(".//{http://schemas.xmlsoap.org/soap/envelope/}Fault")
    assert fault is not None
    assert [item.tag for item in fault] == ["faultcode", "faultstring", "detail"]
    assert fault.findtext("faultcode") == "soap:Client"
    assert text in fault.findtext("faultstring", "")


def test_only_plain_xml_is_read(stand: OneCStand, own: Client) -> None:
    """A DOCTYPE in a request is refused unread."""
    path = f"/{stand.publication}/ws/{SERVICE}"
    answer = own.send("POST", path, b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", Content_Type="text/xml")
    assert answer.status == 500
    assert "DOCTYPE" in answer.body.decode()


@needs_data
def test_the_service_is_the_vendors() -> None:
    """Operations, parameters, types, directions and which may be empty are those of the vendor's descriptor."""
    root = etree.parse(DATA / "WebServices" / f"{SERVICE}.xml").getroot()
    found = {}
    for operation in root.iter(f"{MD}Operation"):
        properties = operation.find(f"{MD}Properties")
        assert properties is not None
        values: dict[str, list[tuple[str, str, bool]]] = {"In": [], "Out": []}
        values["Out"].append(("return", *_typed(properties, "XDTOReturningValueType")))
        for parameter in operation.iter(f"{MD}Parameter"):
            own = parameter.find(f"{MD}Properties")
            assert own is not None
            way = own.findtext(f"{MD}TransferDirection", "")
            values[way].append((own.findtext(f"{MD}Name", ""), *_typed(own, "XDTOValueType")))
        found[properties.findtext(f"{MD}Name")] = (values["In"], values["Out"])
    assert found == {
        name: (
            [(v.name, v.type, v.nillable) for v in operation.takes],
            [(v.name, v.type, v.nillable) for v in operation.gives],
        )
        for name, operation in OPERATIONS.items()
    }
    package = etree.parse(DATA / "XDTOPackages" / f"{SERVICE}.xdto.xml").getroot()
    fields = tuple((p.get("name"), p.get("type", "").removeprefix("xs:")) for p in package[0])
    assert fields == RESULT_FIELDS


def _typed(properties: etree._Element, name: str) -> tuple[str, bool]:
    kind = properties.findtext(f"{MD}{name}", "").rpartition(":")[2]
    return kind, properties.findtext(f"{MD}Nillable") == "true"


def test_the_description_is_read_without_a_network(stand: OneCStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything a client needs is in one document: nothing else is fetched to understand it."""
    answer = requests.get(f"{stand.address}/{stand.publication}/ws/{SERVICE}?wsdl", timeout=10)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a client went to the network"))
    found = CLIENT(io.BytesIO(answer.content))
    assert {*found.wsdl.services[SERVICE].ports} == {f"{SERVICE}Soap", f"{SERVICE}Soap12"}
