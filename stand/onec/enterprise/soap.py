"""``/ws/EnterpriseDataExchange_1_0_1_1``: the web service, over SOAP 1.1 and 1.2.

What goes wrong while a message is made or read is told by the operation's state; what goes wrong in a call itself is a
fault. The wording inside a fault and its empty detail are guesses: no recording shows one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from lxml import etree

from stand.onec import pages
from stand.onec.enterprise.exchange import Refused, Synchronisation
from stand.onec.enterprise.files import Files, Operation, Operations, packed, unpacked
from stand.onec.enterprise.trees import BadXml, child, local, parse, xml
from stand.onec.enterprise.wsdl import NAMESPACE, OPERATIONS, RESULT, RESULT_FIELDS, SERVICE, TYPES, Value, document
from stand.onec.wire import Request, Response

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{_XSI}}}nil"
#: What an operation does, as ``Quirks.acts`` calls it; the others read.
_ACTS = {"PutFilePart": "create", "PutData": "create", "ConfirmGettingFile": "delete"}
_CALLED = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d*)?|\.\d+)")
Arguments = dict[str, Any]


class Fault(Exception):
    """Answered with 500. ``client``: the caller's mistake rather than the base's."""

    def __init__(self, text: str, *, client: bool = False) -> None:
        super().__init__(text)
        self.client = client


class Soap:
    """The service of one base."""

    prefix = "ws"
    #: БСП publishes its services without reuse: every call has a session of its own.
    sessions = "dontuse"

    def __init__(self, exchange: Synchronisation, publication: str) -> None:
        self.exchange = exchange
        self.publication = publication
        self.quirks = exchange.quirks
        self.files = Files()
        self.operations = Operations(exchange.quirks)
        self._calls: dict[str, Callable[[Arguments], Arguments]] = {
            "Ping": lambda _: {"return": ""},
            "TestConnection": self._test,
            "PrepareDataForGetting": self._prepare,
            "PrepareDataActionResult": self._prepared,
            "GetDataPart": self._part,
            "ConfirmGettingFile": self._confirm,
            "PutFilePart": self._put_part,
            "PutData": self._put,
            "PutDataActionResult": self._put_result,
        }

    def what(self, request: Request) -> tuple[str, str]:
        """The operation that a request calls, and what it does; ``wsdl`` for the description."""
        if request.method in ("GET", "HEAD"):
            return "wsdl", "read"
        found = _CALLED.search(request.body)
        name = found[1].decode("ascii", "replace") if found else ""
        return name, _ACTS.get(name, "read")

    def answer(self, request: Request) -> Response:
        """The description, the answer of an operation, or a fault."""
        name = unquote(request.path).strip("/").removesuffix(".1cws")
        if name != SERVICE:
            return pages.html(404, pages.NOT_FOUND)
        if request.method in ("GET", "HEAD"):
            if request.query.lower() != "wsdl":
                return pages.html(405, pages.NOT_FOUND)
            host = self.quirks.wsdl_host or f"http://{request.headers.get('host', 'localhost')}"
            return Response(200, "text/xml;charset=utf-8", document(f"{host}/{self.publication}/ws/{SERVICE}"))
        if request.method != "POST":
            return pages.html(405, pages.NOT_FOUND)
        return self._posted(request)

    def _posted(self, request: Request) -> Response:
        version = SOAP12 if SOAP12.encode() in request.body else SOAP11
        try:
            call = _call(request.body)
            operation = OPERATIONS.get(local(call))
            if operation is None:
                raise Fault(f"Операция «{local(call)}» не найдена", client=True)
            arguments = {value.name: _argument(call, value) for value in operation.takes}
            given = self._calls[operation.name](arguments)
        except Fault as fault:
            return self.fault(version, str(fault), client=fault.client)
        except Refused as refused:
            return self.fault(version, _placed(str(refused)))
        body = "".join(_told(value, given.get(value.name)) for value in operation.gives)
        name = f"m:{operation.name}Response"
        spaces = f'xmlns:m="{NAMESPACE}" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="{_XSI}"'
        return _envelope(version, 200, f"<{name} {spaces}>{body}</{name}>")

    def fault(self, version: str, text: str, *, client: bool = False) -> Response:
        """A fault in the caller's version of SOAP."""
        if version == SOAP12:
            code, told = "Sender" if client else "Receiver", escape(text)
            code = f"<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
            reason = f'<soap:Reason><soap:Text xml:lang="ru">{told}</soap:Text></soap:Reason>'
            return _envelope(version, 500, f"<soap:Fault>{code}{reason}<soap:Detail/></soap:Fault>")
        code = f"<faultcode>soap:{'Client' if client else 'Server'}</faultcode>"
        body = f"<soap:Fault>{code}<faultstring>{escape(text)}</faultstring><detail/></soap:Fault>"
        return _envelope(version, 500, body)

    def refuse(self, text: str, request: Request) -> Response:
        """A fault of the base, for a switch that strikes before the call is carried out."""
        return self.fault(SOAP12 if SOAP12.encode() in request.body else SOAP11, _placed(text))

    # The operations.

    def _test(self, asked: Arguments) -> Arguments:
        try:
            self.exchange.node(asked["ExchangePlanName"], asked["PeerCode"])
        except Refused as refused:
            return {"return": False, "ErrorMessage": str(refused)}
        return {"return": True, "ErrorMessage": ""}

    def _prepare(self, asked: Arguments) -> Arguments:
        def work(operation: Operation) -> None:
            node = self.exchange.node(asked["ExchangePlanName"], asked["PeerCode"])
            archive = packed(self.exchange.produce(node))
            operation.file, operation.parts = self.files.offer(archive, asked["PartSize"])

        return {"return": "", "OperationID": self.operations.start(work), "ErrorMessage": ""}

    def _prepared(self, asked: Arguments) -> Arguments:
        state, operation = self.operations.state(asked["OperationID"])
        done = state == "Completed"
        error = operation.error if state == "Failed" else ""
        result = {
            "ErrorMessage": error,
            "FileID": operation.file if done else "",
            "PartCount": operation.parts if done else 0,
            "Status": state,
        }
        return {"return": result, "ErrorMessage": error}

    def _part(self, asked: Arguments) -> Arguments:
        found = self.files.part(asked["FileID"], asked["PartNumber"])
        error = "Часть файла с указанным номером не найдена." if found is None else ""
        return {"return": found, "ErrorMessage": error}

    def _confirm(self, asked: Arguments) -> Arguments:
        self.files.forget(asked["FileID"])
        return {"return": "", "ErrorMessage": ""}

    def _put_part(self, asked: Arguments) -> Arguments:
        if not asked["FileID"]:
            raise Refused("Не указан идентификатор загружаемого файла. Дальнейшее выполнение метода невозможно.")
        self.files.put_part(asked["FileID"], asked["PartNumber"] or 1, asked["PartData"])
        return {"return": "", "ErrorMessage": ""}

    def _put(self, asked: Arguments) -> Arguments:
        # The parts are put together in the call itself: a missing one is a fault, not a failed operation.
        data = unpacked(self.files.joined(asked["FileID"]))

        def work(_operation: Operation) -> None:
            self.exchange.accept(self.exchange.node(asked["ExchangePlanName"], asked["PeerCode"]), data)

        return {"return": "", "OperationID": self.operations.start(work), "ErrorMessage": ""}

    def _put_result(self, asked: Arguments) -> Arguments:
        state, operation = self.operations.state(asked["OperationID"])
        return {"return": state, "ErrorMessage": operation.error if state == "Failed" else ""}


def _placed(text: str) -> str:
    """A text with the place in the module that the platform puts before it."""
    return f"{{ВебСервис.{SERVICE}.Модуль(10)}}: {text}"


def _call(body: bytes) -> etree._Element:
    """The element that is called. ``Fault``: no envelope, or nothing in it."""
    try:
        root = parse(body)
    except BadXml as error:
        raise Fault(f"Ошибка разбора сообщения: {error}", client=True) from None
    inside = child(root, "Body")
    called = None if inside is None else next((item for item in inside if local(item)), None)
    if local(root) != "Envelope" or called is None:
        raise Fault("Ошибка разбора сообщения: нет тела", client=True)
    return called


def _argument(call: etree._Element, value: Value) -> Any:
    """A parameter's value; ``None`` for one that may be empty and is. ``Fault``: it is missing or of another type."""
    element = child(call, value.name)
    if element is None or element.get(_NIL) in ("true", "1"):
        if value.nillable:
            return None
        raise Fault(f"Не задано значение параметра {value.name}", client=True)
    text = (element.text or "").strip()
    try:
        if value.type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text]
        if value.type == "base64Binary":
            return base64.b64decode("".join(text.split()), validate=True)
        if value.type == "decimal" and not _DECIMAL.fullmatch(text):
            raise ValueError(text)
        return {"int": int, "decimal": float, "string": str}[value.type](text)
    except (ValueError, KeyError, binascii.Error):
        raise Fault(f"Значение параметра {value.name} не соответствует типу {value.type}", client=True) from None


def _told(value: Value, given: Any) -> str:
    """An element of the answer."""
    if given is None:
        return f'<m:{value.name} xsi:nil="true"/>'
    if value.type == RESULT:
        inner = xml([(name, str(given[name])) for name, _ in RESULT_FIELDS], "d:")
        return f'<m:{value.name} xmlns:d="{TYPES}">{inner}</m:{value.name}>'
    if isinstance(given, bytes):
        given = base64.b64encode(given).decode()
    text = str(given).lower() if isinstance(given, bool) else escape(str(given))
    return f"<m:{value.name}>{text}</m:{value.name}>"


def _envelope(version: str, status: int, body: str) -> Response:
    kind = "application/soap+xml" if version == SOAP12 else "text/xml"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{version}"><soap:Header/>'
    return Response(status, f"{kind};charset=utf-8", f"{text}<soap:Body>{body}</soap:Body></soap:Envelope>".encode())
