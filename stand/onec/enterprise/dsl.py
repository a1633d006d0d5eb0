"""``/hs/exchange_dsl_1_0_0_1``: the HTTP service for the same messages, JSON for words and bytes for files.

Operations are named from this base's side: ``DownloadData`` is "load what I gave you", ``UploadData`` "make what you
have for me". Nothing of a request's Content-Type or Accept is looked at; the vendor's own client sends none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID, uuid4

from stand.onec import pages
from stand.onec.enterprise.exchange import Refused, Synchronisation
from stand.onec.enterprise.files import Files, Operations, packed, unpacked
from stand.onec.enterprise.nodes import Node
from stand.onec.enterprise.objects import FORMAT, PLAN, VERSIONS
from stand.onec.wire import Request, Response

SERVICE = "exchange_dsl_1_0_0_1"
#: БСП answers with this type, whatever is in the body.
_HTML = "text/html; charset=utf-8"
#: How a yes reads in a query: 1C writes it in the language of the base.
_YES = ("да", "истина", "true", "yes", "1")
_BYTES = "application/octet-stream"
Asked = Mapping[str, str]


class _Lost(Refused):
    """A refusal whose text БСП passes on as a string, and loses on the way."""


class Dsl:
    """The service of one base."""

    prefix = f"hs/{SERVICE}"
    sessions = ""

    def __init__(self, exchange: Synchronisation) -> None:
        self.exchange = exchange
        self.quirks = exchange.quirks
        self.files = Files()
        self.operations = Operations(exchange.quirks)
        self._calls: dict[tuple[str, str], Callable[[Asked, bytes], Response]] = {
            ("GET", "GetIBParameters"): self._parameters,
            ("POST", "CreateExchangeNode"): self._create,
            ("DELETE", "RemoveExchangeNode"): self._remove,
            ("POST", "PutFilePart"): self._put_part,
            ("POST", "SaveFileFromParts"): self._save,
            ("POST", "DownloadData"): self._load,
            ("POST", "PutMessageForDataMatching"): self._match,
            ("POST", "UploadData"): self._make,
            ("GET", "GetContinuousOperationStatus"): self._status,
            ("POST", "PrepareGetFile"): self._prepare,
            ("GET", "GetFilePart"): self._part,
            ("DELETE", "ReleaseFile"): self._release,
        }

    def what(self, request: Request) -> tuple[str, str]:
        """The operation, and what it does; a file is made ready and read, not created."""
        name = unquote(request.path).rstrip("/").rpartition("/")[2]
        if request.method == "DELETE":
            return name, "delete"
        reads = request.method in ("GET", "HEAD") or name in ("UploadData", "PrepareGetFile")
        return name, "read" if reads else "create"

    def answer(self, request: Request) -> Response:
        """The operation's answer, or 400 with a ``Message``."""
        steps = [step for step in unquote(request.path).split("/") if step]
        if steps == ["version"] and request.method == "GET":
            return Response(200, _HTML, b"1")
        if len(steps) != 2 or not any(name == steps[1] for _, name in self._calls):
            return pages.html(404, pages.NOT_FOUND)
        call = self._calls.get((request.method, steps[1]))
        if call is None:
            return pages.html(405, pages.NOT_FOUND)
        asked = dict(parse_qsl(request.query, keep_blank_values=True))
        try:
            return call(asked, request.body)
        except _Lost as refused:
            return _json(400, {"Message": None if self.quirks.lost_error_texts else str(refused)})
        except Refused as refused:
            return _json(400, {"Message": str(refused)})

    def refuse(self, text: str, _request: Request) -> Response:
        """The answer when a switch strikes before the call is carried out."""
        return _json(400, {"Message": text})

    def _node(self, asked: Asked) -> Node:
        return self.exchange.node(asked.get("ExchangePlanName", ""), asked.get("NodeCode", ""))

    # Who the base is, and who exchanges with it.

    def _parameters(self, asked: Asked, _body: bytes) -> Response:
        plan, world = asked.get("ExchangePlanName", ""), self.exchange.world
        types = [
            {"Object": name, "Receive": "*" if receives else [], "Send": "*" if sends else []}
            for name, (sends, receives) in self.exchange.announced.items()
        ]
        title = world.configuration.title
        return _json(
            200,
            {
                "ExchangePlanExists": plan == PLAN,
                "InfobasePrefix": self.exchange.code,
                "DefaultInfobasePrefix": "",
                "InfobaseDescription": title,
                "DefaultInfobaseDescription": title,
                "AccountingParametersSettingsAreSpecified": True,
                "ThisNodeCode": self.exchange.code,
                "ConfigurationVersion": world.configuration.version,
                "NodeExists": asked.get("NodeCode", "") in self.exchange.nodes.by_code,
                "DataExchangeSettingsFormatVersion": "2.0",
                "UsePrefixesForExchangeSettings": len(self.exchange.code) < 36,
                "ExchangeFormat": FORMAT,
                "ExchangePlanName": PLAN,
                "ExchangeFormatVersions": [*VERSIONS],
                "DataSynchronizationSetupCompleted": asked.get("NodeCode", "") in self.exchange.nodes.by_code,
                "MessageReceivedForDataMapping": False,
                "DataMappingSupported": False,
                "SupportedObjectsInFormat": types,
            },
        )

    def _create(self, _asked: Asked, body: bytes) -> Response:
        try:
            main = json.loads(body.decode("utf-8-sig"))["MainExchangeParameters"]
            code, prefix = str(main["NodeCode"]), str(main.get("SourceInfobasePrefix") or "")
            plan = str(main.get("CorrespondentExchangePlanName") or main.get("ExchangePlanName") or "")
            # Numbers come along when settings are restored, so that messages go on where they were.
            sent, received = int(main.get("ReceivedNo") or 0), int(main.get("SentNo") or 0)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _Lost(f"Ошибка при чтении настроек подключения: {error}") from None
        if plan != PLAN or not code:
            raise _Lost(f"План обмена «{plan}» не существует в этой программе.")
        node = self.exchange.nodes.add(code, prefix)
        node.sent, node.received = sent, received
        return Response(200, _HTML, b"")

    def _remove(self, asked: Asked, _body: bytes) -> Response:
        plan, code = asked.get("ExchangePlanName", ""), asked.get("NodeCode", "")
        if plan != PLAN or self.exchange.nodes.by_code.pop(code, None) is None:
            title = self.exchange.world.configuration.title
            raise Refused(f'В "{title}" не найден узел плана обмена "{plan}" с идентификатором "{code}".')
        return Response(200, _HTML, b"")

    # Their file to us.

    def _put_part(self, asked: Asked, body: bytes) -> Response:
        self.files.put_part(_uuid(asked, "SessionID"), _number(asked, "PartNumber"), body)
        return Response(200, _HTML, b"")

    def _save(self, asked: Asked, _body: bytes) -> Response:
        session, name = _uuid(asked, "SessionID"), str(uuid4())
        self.files.store[name] = unpacked(self.files.joined(session, _number(asked, "PartCount")))
        return _json(200, {"FileID": name})

    def _load(self, asked: Asked, _body: bytes) -> Response:
        def work(_operation: object) -> None:
            node, name = self._node(asked), _uuid(asked, "FileID")
            if name not in self.files.store:
                raise Refused(f"Файл с идентификатором {name} не найден.")
            self.exchange.accept(node, self.files.store.pop(name))

        return _json(200, self._run(asked, work))

    def _match(self, asked: Asked, _body: bytes) -> Response:
        self._node(asked)
        raise Refused("Сопоставление данных в этой программе не поддерживается.")

    # Our file to them.

    def _make(self, asked: Asked, _body: bytes) -> Response:
        name = str(uuid4())

        def work(_operation: object) -> None:
            self.files.store[name] = packed(self.exchange.produce(self._node(asked)))

        return _json(200, {**self._run(asked, work), "FileID": name})

    def _prepare(self, asked: Asked, _body: bytes) -> Response:
        name = _uuid(asked, "FileID")
        if name not in self.files.store:
            raise Refused(f"Файл с идентификатором {name} не найден.")
        session, count = self.files.offer(self.files.store.pop(name), _number(asked, "BlockSize"))
        return _json(200, {"SessionID": session, "PartCount": count})

    def _part(self, asked: Asked, _body: bytes) -> Response:
        session, number = _uuid(asked, "SessionID"), _number(asked, "PartNumber")
        found = self.files.part(session, number)
        if found is None:
            raise Refused(f"Не найден фрагмент {number} сессии передачи с идентификатором {session}")
        return Response(200, _BYTES, found)

    def _release(self, asked: Asked, _body: bytes) -> Response:
        self.files.forget(_uuid(asked, "SessionID"))
        return Response(200, _HTML, b"")

    # Long operations.

    def _run(self, asked: Asked, work: Callable[[Any], None]) -> dict[str, Any]:
        """In the background where the caller allows it and it takes long; else at once, failing with this answer."""
        allowed = asked.get("TimeConsumingOperationAllowed", "").strip().lower() in _YES
        if allowed and self.quirks.operation_polls:
            return {"TimeConsumingOperation": True, "OperationID": self.operations.start(work)}
        work(None)
        return {"TimeConsumingOperation": False, "OperationID": None}

    def _status(self, asked: Asked, _body: bytes) -> Response:
        name = _uuid(asked, "OperationID")
        state, operation = self.operations.state(name)
        if state == "Canceled":
            raise _Lost(f"Не найдено длительной операции с идентификатором {name}.")
        if state == "Failed":
            raise _Lost(operation.error)
        return _json(200, {"ActionState": state, "Message": None})


def _json(status: int, value: Any) -> Response:
    return Response(status, _HTML, json.dumps(value, ensure_ascii=False).encode())


def _uuid(asked: Asked, name: str) -> str:
    """A parameter that is a uuid, in lower case. ``Refused``: it is none."""
    try:
        return str(UUID(asked.get(name, "")))
    except ValueError:
        raise Refused(f"Неверный уникальный идентификатор в параметре {name}") from None


def _number(asked: Asked, name: str) -> int:
    """A whole number, with or without the blanks that 1C puts between thousands. ``Refused``: it is none."""
    text = "".join(asked.get(name, "").split())
    if not text.isdecimal():
        raise Refused(f"Преобразование значения параметра {name} к типу Число не может быть выполнено")
    return int(text)
