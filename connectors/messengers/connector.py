"""The connector of kind ``messenger``: reads what is said to a bot or in the rooms of an account, says nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from connectors.base import Capabilities, CheckReport, ReadRequest, StreamInfo, Traffic
from connectors.lacking import NoFeed, NoTotals, ReadOnly
from connectors.messengers import schema
from connectors.messengers.config import Account
from connectors.messengers.matrix.service import Matrix
from connectors.messengers.service import Service
from connectors.messengers.telegram.service import Telegram
from hub.model.errors import HubError, NeedsPerson
from hub.model.records import Page

SERVICES: dict[str, Callable[[Account, Callable[[float], None]], Service]] = {"telegram": Telegram, "matrix": Matrix}


class Messenger(NoFeed, NoTotals, ReadOnly):
    """Speaks to one account; nothing is asked before the first question. ``sleep`` is replaced in tests."""

    def __init__(self, account: Account, *, sleep: Callable[[float], None] = time.sleep) -> None:
        if account.service not in SERVICES:
            raise NeedsPerson("chat_service_missing", system=account.title, valid=", ".join(SERVICES))
        self.title = account.title
        self._account = account
        self._service = SERVICES[account.service](account, sleep)

    @property
    def capabilities(self) -> Capabilities:
        """Those of the service."""
        return self._service.capabilities

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._service.traffic

    def check(self) -> CheckReport:
        """Try the token, and look at what keeps messages from being read."""
        report = CheckReport(streams=1)
        try:
            self._service.look(report)
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """The one stream, ``messages``."""
        return {schema.STREAM: schema.INFO}

    def fingerprint(self) -> str:
        """SHA-256 of the stream's fields: the same for every messenger."""
        return schema.FINGERPRINT

    def count(self, request: ReadRequest) -> int:
        """Messages by the service's own word, where it has one; else they are all asked for."""
        return self._service.count(self._asked(request))

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Messages that are new, changed or taken back since the position; of a window those that were said in it.

        A position that is given says that what stands before it is stored for good: a bot's queue may forget it then.
        """
        asked = self._asked(request)
        yield from self._service.read(asked, max(1, min(request.page_size, self._account.page_size)))

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single messages. Telegram tells of none by its number: one that waits no longer is answered as not there."""
        asked = self._asked(request)
        wanted = list(dict.fromkeys(external_ids))
        found = self._service.fetch(wanted) if wanted else {}
        page = schema.page(asked, [found[key] for key in wanted if key in found], {}, last=True)
        page.deleted = [key for key in wanted if key not in found]
        return page

    def anything_new(self, stream: str, position: dict[str, Any]) -> bool:
        """See ``TellsNews``."""
        return self._service.anything_new(position)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _asked(self, request: ReadRequest) -> ReadRequest:
        """The request, if it can be answered; the whole calendar is no window."""
        schema.check(request, self.title)
        window = request.window
        whole = window is not None and window.start == date.min and window.end >= date(9999, 1, 1)
        return replace(request, window=None) if whole else request
