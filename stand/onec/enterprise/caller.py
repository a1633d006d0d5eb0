"""The base as the client of another's HTTP service: what an unmodified 1C does with a correspondent over HTTP.

It sends neither Content-Type nor Accept, puts two slashes before the path, and writes a yes in the base's language.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from stand.onec.calling import Address, Failed
from stand.onec.enterprise.dsl import SERVICE
from stand.onec.enterprise.exchange import Synchronisation
from stand.onec.enterprise.files import cut, packed, unpacked
from stand.onec.enterprise.nodes import Node
from stand.onec.enterprise.objects import FORMAT, PLAN, VERSIONS

#: Kilobytes of a part.
PART = 1024
#: How often an operation is asked about before the base gives up.
PATIENCE = 100


@dataclass(slots=True)
class Caller:
    """One base's exchange with the service at an address. ``wait``: what is done between two looks at an operation."""

    exchange: Synchronisation
    address: Address
    part: int = PART
    wait: Callable[[float], None] = time.sleep
    asked: list[str] = field(default_factory=list)

    def connect(self) -> Node:
        """Meet the other side, introduce this base if it is a stranger there, and learn what it receives.

        ``Failed``: it is no such service, or exchanges by another plan or format.
        """
        if self._call("GET", "version").strip() != b"1":
            raise Failed("version: another version of the service")
        told = self._asked("GET", "GetIBParameters", NodeCode=self.exchange.code, IsXDTOExchangePlan=True, SettingID="")
        if not told.get("ExchangePlanExists") or not {*told.get("ExchangeFormatVersions", ())} & {*VERSIONS}:
            raise Failed("GetIBParameters: no plan or no version of the format in common")
        code = str(told["ThisNodeCode"])
        node = self.exchange.nodes.add(code, str(told.get("InfobasePrefix") or ""))
        if not told.get("NodeExists"):
            self._call("POST", "v1/CreateExchangeNode", self._settings(node))
        types = told.get("SupportedObjectsInFormat")
        if types is not None:
            node.wants = frozenset(str(item["Object"]) for item in types if item.get("Receive"))
        return node

    def send(self, node: Node) -> None:
        """Give the other side the next message and let it be loaded. ``Failed``: it was not."""
        session = str(uuid4())
        parts = cut(packed(self.exchange.produce(node)), self.part)
        for number, part in enumerate(parts, 1):
            self._call("POST", "v1/PutFilePart", part, SessionID=session, PartNumber=number)
        file = self._json("POST", "SaveFileFromParts", SessionID=session, PartCount=len(parts))["FileID"]
        self._finish(self._asked("POST", "DownloadData", FileID=file, **self._mine()))

    def receive(self, node: Node) -> None:
        """Let the other side make its message, fetch it and take it in. ``Failed``, ``Refused``: it did not work."""
        made = self._asked("POST", "UploadData", **self._mine())
        self._finish(made)
        offer = self._json("POST", "PrepareGetFile", FileID=made["FileID"], BlockSize=self.part)
        session = offer["SessionID"]
        numbers = range(1, int(offer["PartCount"]) + 1)
        data = b"".join(self._call("GET", "v1/GetFilePart", SessionID=session, PartNumber=n) for n in numbers)
        self._call("DELETE", "v1/ReleaseFile", SessionID=session)
        self.exchange.accept(node, unpacked(data))

    def _mine(self) -> dict[str, Any]:
        return {"NodeCode": self.exchange.code, "TimeConsumingOperationAllowed": True}

    def _finish(self, started: dict[str, Any]) -> None:
        """Wait for a long operation; a failed one is told by the answer itself."""
        if not started.get("TimeConsumingOperation"):
            return
        for _ in range(PATIENCE):
            state = self._json("GET", "GetContinuousOperationStatus", OperationID=started["OperationID"])
            if state["ActionState"] == "Completed":
                return
            if state["ActionState"] != "Active":
                raise Failed(f"{state['ActionState']}: {state.get('Message')}")
            self.wait(0.05)
        raise Failed("an operation without end")

    def _settings(self, node: Node) -> bytes:
        title = self.exchange.world.configuration.title
        main = {
            "FormatVersion": "2.0",
            "SourceInfobasePrefix": self.exchange.code,
            "DestinationInfobasePrefix": node.prefix,
            "NodeCode": self.exchange.code,
            "CorrespondentNodeCode": node.code,
            "ExchangePlanName": PLAN,
            "CorrespondentExchangePlanName": PLAN,
            "ThisInfobaseDescription": title,
            "SecondInfobaseDescription": "",
            "ExchangeSetupOption": "",
            "TransportID": "HTTP",
            "SentNo": node.sent,
            "ReceivedNo": node.received,
            "ExchangeFormatVersions": [*VERSIONS],
        }
        types = [
            {"Object": name, "Send": "*" if sends else [], "Receive": "*" if receives else []}
            for name, (sends, receives) in self.exchange.announced.items()
        ]
        told = {"MainExchangeParameters": main, "XDTOExchangeParameters": {"ExchangeFormat": FORMAT}}
        return json.dumps({**told, "SupportedObjectsInFormat": types, "TransportSettings": {}}).encode()

    def _asked(self, method: str, name: str, **words: Any) -> dict[str, Any]:
        return self._json(method, name, ExchangePlanName=PLAN, **words)

    def _json(self, method: str, name: str, **words: Any) -> dict[str, Any]:
        answer = self._call(method, f"v1/{name}", **words)
        try:
            found: dict[str, Any] = json.loads(answer)
        except ValueError:
            raise Failed(f"{name}: the answer is no JSON") from None
        return found

    def _call(self, method: str, name: str, body: bytes | None = None, /, **words: Any) -> bytes:
        """One operation. ``Failed`` with the raw body for any status but 200: 1C's client shows just that."""
        query = "&".join(f"{key}={quote(self._written(value))}" for key, value in words.items())
        self.asked.append(f"{method} {name}")
        target = f"//{self.address.path.strip('/')}/hs/{SERVICE}/{name}"
        status, data = self.address.call(method, f"{target}?{query}" if query else target, body)
        if status != 200:
            raise Failed(f"{name}: HTTP {status}: {data.decode(errors='replace')[:500]}")
        return data

    def _written(self, value: Any) -> str:
        """A value as 1C writes it into a query: booleans as words, thousands perhaps with a blank."""
        if isinstance(value, bool):
            words = ("Нет", "Да") if self.exchange.quirks.russian_words else ("false", "true")
            return words[value]
        if isinstance(value, int) and self.exchange.quirks.grouped_numbers:
            return f"{value:,}".replace(",", "\u00a0")
        return str(value)
