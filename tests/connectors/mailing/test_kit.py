"""The connector is certified on a real GNU Mailman, as far as it reads.

What it writes is of one kind and one way (nobody is subscribed twice), which the kit's changes to and fro are not:
``test_mailman`` holds that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import ClassVar

import pytest

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Deleting, Fault, Faulty, Known, Subject
from hub.model.errors import RetryLater, StopSystem
from tests.connectors.mailing.mailman import MailmanServer
from tests.connectors.mailing.opening import on_mailman
from tests.connectors.messengers.way import BROKEN, way_to
from tests.connectors.server import Reply

_HIDDEN = Fault(RetryLater, hidden=True)


class Lists:
    """Forty addresses on two lists."""

    def __init__(self, server: MailmanServer) -> None:
        self.server = server
        self.ids = [server.list(name) for name in ("news", "promo")]
        self.keys = [f"{self.ids[n % 2]}|kit{n:02d}@example.ru" for n in range(40)]
        for key in self.keys:
            server.subscribe(*key.split("|"))


class OnMailman(Deleting, Faulty):
    """The lists, along a way that may fail; who was deleted is put back."""

    faults: ClassVar[Mapping[str, Fault]] = {
        "dropped": _HIDDEN,
        "cut": _HIDDEN,
        "busy": _HIDDEN,
        "gateway": _HIDDEN,
        "unauthorised": Fault(StopSystem),
        "page": Fault(StopSystem),
        "moved": Fault(StopSystem),
    }

    def __init__(self, lists: Lists) -> None:
        self.lists, self.stack, self.deleted = lists, ExitStack(), list[str]()
        refused = Reply(401, b'{"title": "401 Unauthorized"}')
        self.way = self.stack.enter_context(way_to(lists.server.port, {**BROKEN, "unauthorised": refused}))
        fields = ("list", "email", "status", "_version")
        known = Known("members", fields, frozenset(lists.keys), ("id",), version="_version")
        self.catalog = self.dated = known

    def connect(self) -> Connector:
        """Another connector to the two lists."""
        return on_mailman(f"{self.way.url}/3.1", *self.lists.ids)

    def delete(self, stream: str, key: str) -> None:
        """Mailman forgets the address altogether."""
        assert self.lists.server.ask("DELETE", f"/users/{key.partition('|')[2]}")[0] == 204
        self.deleted.append(key)

    def fail(self, name: str, times: int = 0) -> None:
        """The next answers are bad ones."""
        self.way.failing = [name] * times or [f"{name}!"]

    def mend(self) -> None:
        """Answers are good again."""
        self.way.failing = []

    def close(self) -> None:
        """Close connectors and the way; the lists are as they were."""
        super().close()
        self.stack.close()
        for key in self.deleted:
            self.lists.server.subscribe(*key.split("|"))


@pytest.fixture(scope="module")
def lists(mailman: MailmanServer) -> Lists:
    """Made once."""
    return Lists(mailman)


class TestMailman(Kit):
    """Two lists."""

    subject_type = OnMailman

    @pytest.fixture
    def subject(self, lists: Lists) -> Iterator[Subject]:
        """A way of the test's own."""
        made = OnMailman(lists)
        yield made
        made.close()
