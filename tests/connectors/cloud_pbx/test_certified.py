"""The connector is certified against the FAKE of each service; no live service was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import ClassVar

import pytest

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Changing, Fault, Faulty, Known, Subject
from hub.model.errors import RetryLater, StopSystem
from tests.connectors.cloud_pbx.base import NAMES, WITH_IDS, account, some
from tests.connectors.cloud_pbx.fake import FakeCall
from tests.connectors.cloud_pbx.fake_services import MSK

_HIDDEN = Fault(RetryLater, hidden=True)
_STOPS = Fault(StopSystem)


def key_of(service: str, call: FakeCall) -> str:
    """The external id of a call: the service's own, or a hash of what never changes of its row."""
    if service in WITH_IDS:
        return call.id
    out, ms = call.direction == "out", str(int(call.start.timestamp() * 1000))
    if service == "beeline":
        sides = [call.line.removeprefix("+7"), call.client.removeprefix("+7")]
        told = ["u1@mpbx", ms, "OUTBOUND" if out else "INBOUND", *(sides if out else sides[::-1])]
    else:
        sides = [call.agent, call.client] if out else [call.client, call.line]
        told = [f"{call.start.astimezone(MSK):%d.%m.%Y %H:%M:%S}", "Исходящий" if out else "Входящий", *sides]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:32]


class OnFake(Changing, Faulty):
    """Thirty-six calls of twelve days in one account of the fake."""

    faults: ClassVar[Mapping[str, Fault]] = {
        "busy": _HIDDEN,
        "limit": _HIDDEN,
        "gateway": _HIDDEN,
        "dropped": _HIDDEN,
        "cut": _HIDDEN,
        "key": _STOPS,
        "address": _STOPS,
        "page": _STOPS,
        "moved": _STOPS,
    }

    def __init__(self, service: str) -> None:
        self.stack = ExitStack()
        self.account = account(self.stack, service)
        calls = some(36, days=12)
        self.keys = {key_of(service, call): call.id for call in calls}
        self.account.cloud.add(*calls)
        fields = ("start", "disposition", "people", "talk_s")
        self.catalog = self.dated = Known("calls", fields, frozenset(self.keys), ("id",), date_field="start")
        self.edits = 0

    def connect(self) -> Connector:
        """Another connector."""
        return self.account.open(history_days=16)

    def edit(self, stream: str, key: str) -> None:
        """The service corrects how long a conversation was."""
        self.edits += 1
        self.account.cloud.change(self.keys[key], answered=True, talk=1000 + self.edits)

    def delete(self, stream: str, key: str) -> None:
        """Somebody deletes a call from the history."""
        del self.account.cloud.calls[self.keys[key]]

    def fail(self, name: str, times: int = 0) -> None:
        """The next answers are bad ones."""
        self.account.cloud.failing = [name] * times or [f"{name}!"]

    def mend(self) -> None:
        """Answers are good again."""
        self.account.cloud.failing = []

    def close(self) -> None:
        """Close connectors and the fake."""
        super().close()
        self.stack.close()


#: One that answers by whole days and one by pages are certified always, the others with the slow tests.
_ALWAYS = ("sipuni", "uis")


class TestCloud(Kit):
    """Each service in turn."""

    subject_type = OnFake

    @pytest.fixture(
        params=[one if one in _ALWAYS else pytest.param(one, marks=pytest.mark.slow) for one in NAMES],
        ids=list(NAMES),
    )
    def service(self, request: pytest.FixtureRequest) -> str:
        """Its name."""
        return str(request.param)

    @pytest.fixture
    def subject(self, service: str) -> Iterator[Subject]:
        """An account of the test's own."""
        made = OnFake(service)
        yield made
        made.close()
