"""GNU Mailman 3 over its REST interface (API 3.1); tried against Mailman 3.3.10.

Who is taken off a list by himself, by an owner or by bounces is simply not on it any more, but Mailman goes on knowing
his address. A roster comes by pages that are counted anew for each question: it is taken only if all of it was told at
one moment, as far as counts and the first page's ``http_etag`` can tell.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from connectors.base import Traffic
from connectors.mailing.config import Account, address
from connectors.rest import Answer, Ask, Wire, by_status
from connectors.writing import Refused, Taken
from hub.model.errors import HubError, NeedsPerson, RetryLater, SkipRecord, StopRoute, StopSystem

NAME = "GNU Mailman"
#: Members that one page holds.
COUNT = 200
#: How often a roster that changes while it is read is read anew.
_TRIES = 3
_TEXT = 200


class Mailman:
    """One Mailman core."""

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        base = address(account, "https://lists.firma.example/mailman/3.1")
        if not account.user or not account.secret:
            raise NeedsPerson("mailing_login_missing", system=account.title)
        login = base64.b64encode(f"{account.user}:{account.secret}".encode()).decode("ascii")
        self._account = account
        headers = {"Authorization": f"Basic {login}"}
        self._wire = Wire(account.way, base, self._meaning, headers, account.patience, sleep)

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._wire.traffic

    def product(self) -> str:
        """``GNU Mailman 3.3.10 (…)``."""
        return str(self._get("/system/versions").get("mailman_version") or NAME)

    def lists(self) -> list[str]:
        """Ids such as ``news.lists.firma.example``."""
        return sorted(str(one["list_id"]) for one in self._get("/lists").get("entries", []))

    def size(self, list_id: str) -> int:
        """The roster's own count."""
        return int(self._page(list_id, 1, 1).get("total_size", 0))

    def roster(self, list_id: str) -> dict[str, str]:
        """See ``Service.roster``. ``RetryLater(mailing_restless)``."""
        for _ in range(_TRIES):
            found = self._whole(list_id)
            if found is not None:
                return found
        raise RetryLater("mailing_restless", system=self._account.title, list=list_id)

    def version(self, list_id: str, email: str) -> str | None:
        """The ``http_etag`` of the membership."""
        entries = self._found(list_id, email).get("entries") or []
        return str(entries[0].get("http_etag", "")) if entries else None

    def known(self, email: str) -> bool:
        """Mailman keeps an address after its last membership has ended."""
        return self._asked(f"/addresses/{quote(email, safe='')}") is not None

    def subscribe(self, list_id: str, email: str) -> None:
        """Without a letter asking for confirmation, and without a welcome: consent is the client's own, given to us."""
        flags = dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), "true")
        form = {"list_id": list_id, "subscriber": email, **flags, "send_welcome_message": "false"}
        answer = self._wire.send(Ask("POST", "/members", form=form))
        if answer.status == 409:
            raise Taken
        if answer.status not in {200, 201, 202}:
            self._refuse(answer, list_id, email)

    def unsubscribe(self, list_id: str, email: str) -> None:
        """The membership ends; no letter is sent."""
        for one in self._found(list_id, email).get("entries") or []:
            answer = self._wire.send(Ask("DELETE", f"/members/{quote(str(one.get('member_id')), safe='')}"))
            if answer.status not in {200, 202, 204, 404}:
                self._refuse(answer, list_id, email)

    def pause(self, attempt: int) -> bool:
        """See ``Wire.pause``."""
        return self._wire.pause(attempt)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _whole(self, list_id: str) -> dict[str, str] | None:
        """The roster; ``None`` when it was another one in between."""
        first = told = self._page(list_id, 1)
        total, found, number = int(first.get("total_size", 0)), dict[str, str](), 1
        while entries := told.get("entries") or []:
            found |= {str(one.get("email", "")).lower(): str(one.get("http_etag", "")) for one in entries}
            if len(entries) < COUNT:
                break
            number += 1
            told = self._page(list_id, number)
        still = number == 1 or self._page(list_id, 1).get("http_etag") == first.get("http_etag")
        return found if still and len(found) == total else None

    def _page(self, list_id: str, number: int, count: int = COUNT) -> dict[str, Any]:
        path = f"/lists/{quote(list_id, safe='')}/roster/member"
        found = self._asked(path, {"count": count, "page": number})
        if found is None:
            raise StopRoute("mailing_list_unknown", system=self._account.title, lists=list_id, known=self._names())
        return found

    def _names(self) -> str:
        return ", ".join(self.lists()) or "—"

    def _found(self, list_id: str, email: str) -> dict[str, Any]:
        form = {"list_id": list_id, "subscriber": email, "role": "member"}
        return self._good(self._wire.read(Ask("POST", "/members/find", form=form)))

    def _get(self, path: str) -> dict[str, Any]:
        found = self._asked(path)
        if found is None:
            raise StopSystem("service_not_it", system=self._account.title, service=NAME)
        return found

    def _asked(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """``None`` where Mailman itself says that there is no such thing."""
        answer = self._wire.read(Ask("GET", path, query or {}))
        return None if answer.status == 404 else self._good(answer)

    def _good(self, answer: Answer) -> dict[str, Any]:
        found = answer.json
        if not isinstance(found, dict):
            raise StopRoute("service_unexpected", system=self._account.title)
        return found

    def _meaning(self, answer: Answer) -> HubError | None:
        system = self._account.title
        if answer.status in {401, 403}:
            return StopSystem("mailing_login_refused", system=system, service=NAME)
        if answer.is_page or answer.status >= 500 or 300 <= answer.status < 400:
            return by_status(answer, system, NAME)
        if answer.status in {200, 404}:
            return None if isinstance(answer.json, dict) else RetryLater("service_cut", system=system)
        return by_status(answer, system, NAME)

    def _refuse(self, answer: Answer, list_id: str, email: str) -> None:
        """What the service says of one address is that record's; what stops us stops."""
        if answer.status in {401, 403} or 300 <= answer.status < 400:
            fault = self._meaning(answer)
            assert fault is not None
            raise fault
        said = answer.json
        text = str(said.get("description") or said.get("title") or "") if isinstance(said, dict) else ""
        text = " ".join(text.replace(email, "•••").split())[:_TEXT] or f"HTTP {answer.status}"
        raise Refused(SkipRecord("mailing_refused", system=self._account.title, list=list_id, text=text))
