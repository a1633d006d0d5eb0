"""The connector is certified on Synapse, a real server of Matrix."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Fault, Faulty, Known, Subject
from hub.model.errors import RetryLater, StopSystem
from tests.connectors.messengers.opening import on_matrix
from tests.connectors.messengers.synapse import Synapse
from tests.connectors.messengers.way import BROKEN, way_to
from tests.connectors.server import Reply

_HIDDEN = Fault(RetryLater, hidden=True)


def _no(status: int, code: str, **more: int) -> Reply:
    return Reply(status, json.dumps({"errcode": code, "error": "No", **more}).encode())


class Rooms:
    """Forty messages of fourteen days in three rooms."""

    def __init__(self, server: Synapse) -> None:
        self.server = server
        self.hub, client = server.person("firm"), server.person("client")
        rooms = [server.room(self.hub, client, name=f"Чат {n}") for n in range(3)]
        first = datetime.now(UTC) - timedelta(days=15)
        self.ids = set()
        for n in range(40):
            at = first + timedelta(hours=8 * n)
            event = server.say(client, rooms[n % 3], f"Сообщение {n}", ts=int(at.timestamp() * 1000))
            self.ids.add(f"{rooms[n % 3]}/{event}")


class OnSynapse(Faulty):
    """The rooms, along a way that may fail."""

    faults: ClassVar[Mapping[str, Fault]] = {
        "dropped": _HIDDEN,
        "cut": _HIDDEN,
        "busy": _HIDDEN,
        "gateway": _HIDDEN,
        "limit": _HIDDEN,
        "revoked": Fault(StopSystem),
        "page": Fault(StopSystem),
        "moved": Fault(StopSystem),
    }

    def __init__(self, rooms: Rooms) -> None:
        self.rooms, self.stack = rooms, ExitStack()
        answers = {"limit": _no(429, "M_LIMIT_EXCEEDED", retry_after_ms=0), "revoked": _no(401, "M_UNKNOWN_TOKEN")}
        self.way = self.stack.enter_context(way_to(rooms.server.port, {**BROKEN, **answers}))
        fields = ("date", "text", "people", "direction")
        self.catalog = self.dated = Known("messages", fields, frozenset(rooms.ids), ("id",), date_field="date")

    def connect(self) -> Connector:
        """Another connector to the same account."""
        return on_matrix(self.way.url, self.rooms.server.tokens[self.rooms.hub], history_days=60)

    def fail(self, name: str, times: int = 0) -> None:
        """The next answers are bad ones."""
        self.way.failing = [name] * times or [f"{name}!"]

    def mend(self) -> None:
        """Answers are good again."""
        self.way.failing = []

    def close(self) -> None:
        """Close connectors and the way."""
        super().close()
        self.stack.close()


@pytest.fixture(scope="module")
def rooms(synapse: Synapse) -> Rooms:
    """Made once: nothing of the kit changes them."""
    return Rooms(synapse)


class TestMatrix(Kit):
    """An account in three rooms."""

    subject_type = OnSynapse

    @pytest.fixture
    def subject(self, rooms: Rooms) -> Iterator[Subject]:
        """A way of the test's own."""
        made = OnSynapse(rooms)
        yield made
        made.close()
