"""The few calls of Matrix's client-server API (v1.3 or later) that are made, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.base import Traffic
from connectors.messengers.config import Account, address, token
from connectors.rest import Answer, Ask, Wire, by_status
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

NAME = "Matrix"
_V3 = "/_matrix/client/v3"
_KEY = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"})
_TEXT = 200
#: What is asked for of a room: what people say, what they take back, and pictures that are no files.
SAID = ("m.room.message", "m.room.encrypted", "m.room.redaction", "m.sticker")
Json = Mapping[str, Any]


class Gone(Exception):
    """A room or an event is not there, or not for us."""


class Forgotten(Exception):
    """The server does not know this place in its history any more."""


class Client:
    """One account."""

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        base = address(account, "", "https://matrix.firma.example")
        headers = {"Authorization": f"Bearer {token(account)}"}
        self._account = account
        self._wire = Wire(account.way, base, self._meaning, headers, account.patience, sleep)
        self._me = ""

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._wire.traffic

    def me(self) -> str:
        """Whose the token is; asked for once."""
        self._me = self._me or str(self._get("/account/whoami").get("user_id") or "")
        return self._me

    def sync(self, since: str, events: int, state: Sequence[str] = ()) -> Json:
        """What happened since, at most so many newest events of each room. ``Forgotten``: the place is not known."""
        kinds: dict[str, list[str]] = {"types": []}
        timeline = {"limit": events, "types": list(SAID)}
        room = {"timeline": timeline, "state": {"types": list(state)}, "ephemeral": kinds, "account_data": kinds}
        told = {"room": room, "presence": kinds, "account_data": kinds}
        query = {"timeout": 0, "set_presence": "offline", "filter": json.dumps(told)}
        return self._get("/sync", {**query, **({"since": since} if since else {})})

    def messages(self, room: str, begin: str, end: str, limit: int) -> Json:
        """What was said in a room before ``begin`` (empty: now), the newest first, back to ``end``. ``Gone``."""
        query = {"dir": "b", "limit": limit, "filter": json.dumps({"types": list(SAID)})}
        query |= {name: value for name, value in (("from", begin), ("to", end)) if value}
        return self._get(f"/rooms/{_part(room)}/messages", query)

    def event(self, room: str, event: str) -> Json:
        """One event as it is now. ``Gone``."""
        return self._get(f"/rooms/{_part(room)}/event/{_part(event)}")

    def state(self, room: str) -> list[Json]:
        """What is set in a room: its name, its people, whether it is encrypted. ``Gone``."""
        return [one for one in self._asked(f"/rooms/{_part(room)}/state", {}, list) if isinstance(one, dict)]

    def rooms(self) -> list[str]:
        """Rooms that the account is in, in one order."""
        found = self._get("/joined_rooms").get("joined_rooms")
        return sorted(str(one) for one in found) if isinstance(found, list) else []

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._asked(path, query or {}, dict)
        return found

    def _asked(self, path: str, query: Mapping[str, Any], kind: type) -> Any:
        try:
            found = self._wire.read(Ask("GET", _V3 + path, query)).json
        except _Refused as no:
            if no.status == 400 and "since" in query:
                raise Forgotten from None
            if no.status in {403, 404} and path.startswith("/rooms/"):
                raise Gone from None
            raise no.error from None
        if not isinstance(found, kind):
            raise StopRoute("service_unexpected", system=self._account.title)
        return found

    def _meaning(self, answer: Answer) -> HubError | None:
        system, said = self._account.title, answer.json
        if answer.status == 200 and said is not None:
            return None
        if not isinstance(said, dict):
            broken = answer.status == 200 and not answer.is_page
            return RetryLater("service_cut", system=system) if broken else by_status(answer, system, NAME)
        code, text = str(said.get("errcode") or ""), " ".join(str(said.get("error") or "").split())[:_TEXT]
        if answer.status == 401 or code in _KEY:
            return StopSystem("chat_token_refused", system=system, service=NAME)
        if answer.status == 429:
            asked = said.get("retry_after_ms")
            pause = asked / 1000 if isinstance(asked, int | float) else answer.retry_after
            return RetryLater("service_busy", pause, system=system, service=NAME)
        if code == "M_UNRECOGNIZED" or (answer.status == 404 and not code):
            return StopSystem("service_not_it", system=system, service=NAME)
        if 400 <= answer.status < 500:
            shown = f"{code} {text}".strip() or f"HTTP {answer.status}"
            raise _Refused(answer.status, StopRoute("service_refused", system=system, service=NAME, text=shown))
        return by_status(answer, system, NAME)


class _Refused(Exception):
    """The server's no to one question."""

    def __init__(self, status: int, error: HubError) -> None:
        super().__init__(error.code)
        self.status, self.error = status, error


def _part(text: str) -> str:
    return quote(text, safe="")
