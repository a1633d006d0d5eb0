"""A FAKE of Telegram's Bot API, in this process, on loopback. It is made from the service's description, as the
connector is, so it proves that the connector keeps to it, not that Telegram does.

What it enforces: updates wait until ``getUpdates`` is called with a higher offset and are gone for good then; at most a
hundred come at once; 409 while a webhook is set; 429 with ``retry_after``; numbers that begin anew at random.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.server import Reply, Request, Scripted, serving

TOKEN = "7012345678:AAfake-token_of-a-test-0123456789abcd"
BOT = 7012345678
ANNA = {"id": 501, "is_bot": False, "first_name": "Анна", "last_name": "Петрова", "username": "Anna_P"}
PETR = {"id": 502, "is_bot": False, "first_name": "Пётр"}
GROUP = {"id": -1001700000001, "type": "supergroup", "title": "Ромашка и мы"}
#: One way to fail: what comes instead of the answer.
FAULTS: dict[str, Reply] = {
    "dropped": Reply(cut=-1),
    "cut": Reply(200, b'{"ok": true, "result": [', headers={"Content-Length": "500"}, cut=24),
    "busy": Reply(503, b"busy", "text/plain"),
    "gateway": Reply(502, b"<html>bad gateway</html>", "text/html"),
    "page": Reply(200, b"<!doctype html><html>please log in</html>", "text/html"),
    "moved": Reply(302, b"", headers={"Location": "https://elsewhere.example/x"}),
}


def refusal(code: int, text: str, **parameters: Any) -> Reply:
    """A no in the API's own form."""
    told = {"ok": False, "error_code": code, "description": text, **({"parameters": parameters} if parameters else {})}
    return Reply(code, json.dumps(told).encode())


FAULTS |= {
    "limit": refusal(429, "Too Many Requests: retry after 0", retry_after=0),
    "revoked": refusal(401, "Unauthorized"),
    "other_reader": refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot "
                            "instance is running"),
    "refused": refusal(400, f"Bad Request: something about bot{TOKEN}"),
}  # fmt: skip


@dataclass
class FakeTelegram:
    """One bot. ``queue``: updates that wait; ``confirmed``: numbers of those that an offset made forgotten."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1))
    next_update: int = 900_000_000
    queue: list[dict[str, Any]] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    offsets: list[int | None] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    webhook: str = ""
    privacy: bool = False
    failing: list[str] = field(default_factory=list)
    drop_confirming: bool = False
    scripted: Scripted | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        """Its address."""
        assert self.scripted is not None
        return self.scripted.url

    def write(
        self, text: str = "", user: dict[str, Any] = ANNA, chat: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Somebody writes to the bot, or in a group; the message. ``more``: its other fields."""
        place = chat or {"id": user["id"], "type": "private", "first_name": user["first_name"]}
        number = self.numbers[place["id"]] = self.numbers.get(place["id"], 0) + 1
        message = {"message_id": number, "from": user, "chat": place, "date": self._clock()}
        message |= ({"text": text} if text else {}) | more
        self._put("message", message)
        return message

    def edit(self, message: dict[str, Any], text: str) -> None:
        """The sender changes it."""
        self._put("edited_message", {**message, "text": text, "edit_date": self._clock()})

    def expire(self, key: str) -> None:
        """What is told of a message has waited for more than a day."""
        self.queue = [one for one in self.queue if _key(one) != key]

    def silence(self, then: int) -> None:
        """Nobody writes for more than a week: numbers begin anew."""
        assert not self.queue, "what waited is gone by then"
        self.next_update = then

    def _clock(self) -> int:
        self.now += timedelta(seconds=1)
        return int(self.now.timestamp())

    def _put(self, kind: str, message: dict[str, Any]) -> None:
        with self.lock:
            self.queue.append({"update_id": self.next_update, kind: message})
            self.next_update += 1

    def answer(self, request: Request) -> Reply:
        """What the service would say."""
        with self.lock:
            path = request.raw.removeprefix("/base/bot")
            secret, _, method = path.partition("/")
            if self.failing:
                name = self.failing[0] if self.failing[0].endswith("!") else self.failing.pop(0)
                return FAULTS[name.rstrip("!")]
            if secret != TOKEN:
                return refusal(401, "Unauthorized")
            return self._method(method, json.loads(request.body or b"{}"))

    def _method(self, method: str, told: dict[str, Any]) -> Reply:
        match method:
            case "getMe":
                me = {"id": BOT, "is_bot": True, "username": "FirmaBot"}
                return _good({**me, "can_read_all_group_messages": not self.privacy})
            case "getWebhookInfo":
                return _good({"url": self.webhook, "pending_update_count": len(self.queue)})
            case "getUpdates":
                return self._updates(told)
        return refusal(404, "Not Found")

    def _updates(self, told: dict[str, Any]) -> Reply:
        if self.webhook:
            return refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
                           "delete the webhook first")  # fmt: skip
        offset = told.get("offset")
        if offset is not None and self.drop_confirming:
            return Reply(cut=-1)
        self.offsets.append(offset)
        if offset:
            self.confirmed += [one["update_id"] for one in self.queue if one["update_id"] < offset]
            self.queue = [one for one in self.queue if one["update_id"] >= offset]
        return _good(self.queue[: min(100, told.get("limit", 100))])


def _key(update: dict[str, Any]) -> str:
    message = update.get("message") or update["edited_message"]
    return f"{message['chat']['id']}/{message['message_id']}"


def _good(result: Any) -> Reply:
    return Reply(200, json.dumps({"ok": True, "result": result}, ensure_ascii=False).encode())


@contextmanager
def telegram() -> Iterator[FakeTelegram]:
    """A fake that answers until the block ends."""
    made = FakeTelegram()
    with serving(made.answer) as made.scripted:
        yield made
