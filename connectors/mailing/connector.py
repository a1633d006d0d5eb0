"""The connector of kind ``mailing``: reads who is on which list, and subscribes whom the hub says, never twice.

Whoever has left a list has left it: that is the service's word, and nothing that the hub sends takes it back. A change
from ``unsubscribed`` to ``subscribed`` is refused here, whatever asks for it. A subscription whose answer was lost is
looked for before it is asked for again, and an address that the service knows and that is not on the list is taken for
one that has left meanwhile: in doubt nobody is subscribed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.base import Capabilities, Change, CheckReport, ReadRequest, StreamInfo, Traffic, WriteResult
from connectors.lacking import NoFeed, NoTotals
from connectors.mailing import schema
from connectors.mailing.config import Account
from connectors.mailing.mailman import Mailman
from connectors.mailing.schema import SUBSCRIBED, UNSUBSCRIBED
from connectors.mailing.service import Service
from connectors.writing import Refused, Shown, Writing
from hub.model.errors import HubError, NeedsPerson, SkipRecord, StopRoute
from hub.model.records import Page

SERVICES: dict[str, Callable[[Account, Callable[[float], None]], Service]] = {"mailman": Mailman}
#: So many addresses of one list are asked for one by one; for more the list is read.
_ONE_BY_ONE = 25


class Mailing(NoFeed, NoTotals):
    """Speaks to one service; nothing is asked before the first question. ``sleep`` is replaced in tests."""

    capabilities: Capabilities = Capabilities(
        versions=True, versions_return=True, write=True, read_back=True, places=True
    )

    def __init__(self, account: Account, *, sleep: Callable[[float], None] = time.sleep) -> None:
        if account.service not in SERVICES:
            raise NeedsPerson("mailing_service_missing", system=account.title, valid=", ".join(SERVICES))
        self.title = account.title
        self._account = account
        self._service = SERVICES[account.service](account, sleep)
        self._writing = Writing(_Target(account.title, self._service, self._one), derived=True)

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._service.traffic

    def check(self) -> CheckReport:
        """Try address and login, and look for the lists of the settings."""
        report = CheckReport(streams=1)
        try:
            report.product = self._service.product()
            report.reachable, report.server_time = True, datetime.now(UTC)
            self._lists()
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """The one stream, ``members``."""
        return {schema.STREAM: schema.INFO}

    def fingerprint(self) -> str:
        """SHA-256 of the stream's fields: the same for every service."""
        return schema.FINGERPRINT

    def count(self, request: ReadRequest) -> int:
        """Subscribers of all lists, by the service's own word."""
        self._checked(request)
        return sum(self._service.size(one) for one in self._lists())

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Who is on the lists, by list and address. Each list is read to its end before an address of it comes."""
        self._checked(request)
        after = str((request.position or {}).get("after", ""))
        size = max(1, min(request.page_size, self._account.page_size))
        held: Page | None = None
        for list_id in self._lists():
            if list_id < after.partition("|")[0]:
                continue
            roster = self._service.roster(list_id)
            keys = [key for email in sorted(roster) if _later(key := schema.join(list_id, email), after)]
            for at in range(0, len(keys), size):
                if held is not None:
                    yield held
                some = [key.partition("|")[2] for key in keys[at : at + size]]
                records = [schema.record(list_id, email, SUBSCRIBED, roster[email]) for email in some]
                held = schema.page(request, records, {"after": records[-1]["id"]})
        last = held or schema.page(request, [], {"after": after} if after else {})
        last.last = True
        yield last

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single addresses. One that is not on its list is unsubscribed; one that the service does not know is gone."""
        self._checked(request)
        asked = list(dict.fromkeys(external_ids))
        by_list: dict[str, list[str]] = defaultdict(list)
        for key in asked:
            list_id, bar, email = key.partition("|")
            if bar:
                by_list[list_id].append(email)
        found: dict[str, dict[str, Any]] = {}
        for list_id, emails in by_list.items():
            rosters = self._service.roster(list_id) if len(emails) > _ONE_BY_ONE else None
            for email in emails:
                one = self._one(schema.join(list_id, email), rosters)
                if one is not None:
                    found[one["id"]] = one
        page = schema.page(request, [found[key] for key in asked if key in found], {}, last=True)
        page.deleted = [key for key in asked if key not in found]
        return page

    def place(self, stream: str, change: Change) -> str:
        """A list and an address are all the key there is."""
        list_id, email = (str(change.fields.get(name) or "") for name in ("list", "email"))
        return schema.join(list_id, email) if list_id and email else change.external_id

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One address after another, each looked for afterwards."""
        for change in changes:
            yield self._writing.write(stream, change)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _checked(self, request: ReadRequest) -> None:
        schema.check(request, self.title)
        if request.window is not None and request.window.end.year < 9999:
            raise StopRoute("mailing_no_days", system=self.title)

    def _lists(self) -> list[str]:
        """The lists that are exchanged; ``StopRoute(mailing_list_unknown)`` names those that are not there."""
        there, wanted = self._service.lists(), [one.replace("@", ".").lower() for one in self._account.lists]
        if missing := [one for one in wanted if one not in there]:
            known = ", ".join(there) or "—"
            raise StopRoute("mailing_list_unknown", system=self.title, lists=", ".join(missing), known=known)
        return [one for one in there if one in wanted] if wanted else there

    def _one(self, key: str, roster: dict[str, str] | None = None) -> dict[str, Any] | None:
        """One address on a list as it is now; ``None`` where the service has never heard of it."""
        list_id, _, email = key.partition("|")
        version = self._service.version(list_id, email) if roster is None else roster.get(email)
        if version is not None:
            return schema.record(list_id, email, SUBSCRIBED, version)
        return schema.record(list_id, email, UNSUBSCRIBED) if self._service.known(email) else None


def _later(key: str, after: str) -> bool:
    """In the order of lists, then of addresses."""
    return tuple(key.split("|", 1)) > tuple(after.split("|", 1))


class _Target:
    """The service as something to write to."""

    def __init__(self, system: str, service: Service, look: Callable[[str], dict[str, Any] | None]) -> None:
        self.system = system
        self._service, self._look = service, look

    def body(self, stream: str, change: Change) -> dict[str, Any]:
        """The fields to be sent; only whether somebody is subscribed ever changes."""
        if stream != schema.STREAM:
            raise StopRoute("unknown_set", system=self.system, stream=stream)
        allowed = {"list", "email", "status"} if change.create else {"status"}
        for name in change.fields:
            if name not in allowed:
                raise Refused(SkipRecord("field_not_writable", name, system=self.system, stream=stream))
        if change.create and not (change.fields.get("list") and change.fields.get("email")):
            raise Refused(SkipRecord("field_not_writable", "email", system=self.system, stream=stream))
        return dict(change.fields)

    def look(self, stream: str, key: str) -> Shown | None:
        """The address as it is; a reserved key names none."""
        found = self._look(key) if "|" in key else None
        if found is None:
            return None
        return Shown(found["id"], found[schema.VERSION], msgspec.json.encode(found), found)

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Nothing is found by a mark: list and address are the key."""
        return []

    def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
        """Subscribe; ``Taken`` where the address is on the list, which is what was wanted."""
        list_id, email = str(body["list"]), str(body["email"])
        if body.get("status", SUBSCRIBED) != SUBSCRIBED:
            raise Refused(SkipRecord("mailing_not_wanted", system=self.system, list=list_id))
        self._service.subscribe(list_id, email)
        return schema.join(list_id, email)

    def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
        """Unsubscribe. The other way round is nobody's to ask for but the subscriber's own."""
        list_id, _, email = before.key.partition("|")
        if body.get("status") != UNSUBSCRIBED:
            raise Refused(SkipRecord("mailing_unsubscribed", system=self.system, list=list_id))
        self._service.unsubscribe(list_id, email)

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """Nothing is posted."""
        raise Refused(SkipRecord("field_not_writable", posting, system=self.system, stream=stream))

    def pause(self, attempt: int) -> bool:
        """Wait before looking again."""
        return self._service.pause(attempt)
