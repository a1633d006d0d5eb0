"""Change feeds of an exchange plan: which node, which packet, and telling 1C that a packet is committed here.

``SelectChanges`` with number N gives what is registered for the node and stamps it N; asked again with the same N it
gives the same and what came since. ``NotifyChangesReceived`` with N forgets everything up to N, and cannot be taken
back: it is sent only after our own commit. N is always the node's ``ReceivedNo`` + 1, read anew, for with an old number
1C would go on answering and never count further.
"""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec

from connectors.base import FeedPacket
from connectors.onec_odata.answers import Answer, Asked, complaint, failure, misfit
from connectors.onec_odata.atom import entries, pages
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.rows import split
from connectors.onec_odata.transport import Transport
from connectors.onec_odata.urls import JSON, build, guid
from connectors.onec_odata.xml import NotXml
from hub.model.errors import NeedsPerson, RetryLater

_PREFIX = "ExchangePlan_"
_ADDRESS = re.compile(r"^(?:ExchangePlan_)?(?P<plan>[^/()]+)(?:/|\(guid')(?P<node>[^/()']+)(?:'\))?$")


class _Node(msgspec.Struct):
    """A node of an exchange plan. 1C writes numbers of messages as texts."""

    key: str = msgspec.field(name="Ref_Key")
    code: str = msgspec.field(name="Code", default="")
    title: str = msgspec.field(name="Description", default="")
    received: str | int = msgspec.field(name="ReceivedNo", default=0)
    own: bool = msgspec.field(name="ThisNode", default=False)


_decode_node = msgspec.json.Decoder(_Node).decode


class Feed:
    """Change feeds of one base."""

    def __init__(self, settings: OneCSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport

    def look_up(self) -> None:
        """``NeedsPerson(node_unknown)`` unless the plan has the node of the settings; takes and registers nothing."""
        self._node("")

    def next(self, node: str) -> FeedPacket | None:
        """The packet after the last one acknowledged for ``node``; ``None`` when nothing is registered."""
        plan, found = self._node(node)
        number = int(found.received) + 1
        asked = Asked(self._settings.name, plan, "SelectChanges")
        # Registering what was selected is no writing of data: it changes nothing that anybody sees.
        answer = self._transport.post(self._url("SelectChanges", plan, found, number), asked, "*/*", writes=False)
        return packet(answer, asked, number, self._settings.page_size)

    def acknowledge(self, node: str, number: int) -> None:
        """Let 1C forget everything registered for ``node`` up to packet ``number``."""
        plan, found = self._node(node)
        asked = Asked(self._settings.name, plan, "NotifyChangesReceived")
        url = self._url("NotifyChangesReceived", plan, found, number)
        self._transport.post(url, asked, "*/*", writes=True)

    def _url(self, function: str, plan: str, node: _Node, number: int) -> str:
        point = f"'{self._transport.root}/{plan}({guid(node.key)})'"
        return build(self._transport.root, function, [("DataExchangePoint", point), ("MessageNo", str(number))])

    def _node(self, node: str) -> tuple[str, _Node]:
        """The plan's set and the node meant by ``plan/node``: by GUID, else by code, else by name.

        An unknown node is an error and never "begin at 1": 1C would answer, and the counting would stand still unseen.
        """
        settings = self._settings
        match = _ADDRESS.match(node.strip() or f"{settings.exchange_plan}/{settings.node}")
        if match is None:
            raise NeedsPerson("node_unknown", system=settings.name, node=node, valid="")
        plan = match["plan"] if match["plan"].startswith(_PREFIX) else _PREFIX + match["plan"]
        asked = Asked(settings.name, plan)
        answer = self._transport.get(build(self._transport.root, plan, [("$format", JSON)]), asked)
        nodes = [_decode(raw, answer, asked) for raw in split(answer, asked).rows]
        wanted = match["node"].casefold()
        for name in ("key", "code", "title"):
            for found in nodes:
                if str(getattr(found, name)).strip().casefold() == wanted and not found.own:
                    return plan, found
        valid = ", ".join(f"{found.code.strip()} ({found.title.strip()})" for found in nodes if not found.own)
        raise NeedsPerson("node_unknown", system=settings.name, node=match["node"], valid=valid or "—")


def _decode(raw: Any, answer: Answer, asked: Asked) -> _Node:
    try:
        return _decode_node(raw)
    except msgspec.DecodeError:
        raise misfit(answer, asked) from None


def packet(answer: Answer, asked: Asked, number: int, size: int) -> FeedPacket | None:
    """The packet that an answer of ``SelectChanges`` holds; ``None`` when it is an empty feed."""
    if answer.kind != "xml":
        raise misfit(answer, asked)
    body = bytes(answer.content)
    try:
        found = list(entries(io.BytesIO(body)))
    except NotXml:
        if complaint(answer).source:
            raise failure(answer, asked) from None
        raise RetryLater("feed_cut", system=asked.system, plan=asked.stream) from None
    if not found and complaint(answer).source:
        raise failure(answer, asked)
    return FeedPacket(number, pages(found, max(1, size), number, len(body))) if found else None
