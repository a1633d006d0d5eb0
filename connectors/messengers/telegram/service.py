"""Reading a bot's queue so that nothing is forgotten before it is stored.

Telegram keeps an update for a day, or until ``getUpdates`` is called with a higher offset: then it is gone for good. So
the offset comes from nothing but a position that the caller hands over, and the caller has it from the store, where it
was committed with the messages before it. The story, wherever it breaks off:

* read, and killed before the commit: no position was stored, the updates come again;
* committed, and killed before Telegram hears of it: the next read begins with the stored position and tells it;
* a plan, a check, a question whether there is anything new: they ask without an offset, and nothing is forgotten.

More than a hundred cannot be seen before the first hundred are confirmed: the last page says ``more`` then, and the
caller reads on from its position.

Numbers of updates are no order in time: after a week of silence they begin anew at random. Whether the queue still
begins with what was stored is seen by asking without an offset first: the position holds the number of the last update
and a mark of what it was, and only where that very update still waits is anything confirmed. A smaller number is never
taken for an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

import msgspec
from xxhash import xxh3_64_hexdigest

from connectors.base import Capabilities, CheckReport, ReadRequest, Traffic
from connectors.messengers import schema
from connectors.messengers.config import Account
from connectors.messengers.telegram.api import LIMIT, NAME, Bot
from connectors.messengers.telegram.update import key_of, message_of, told
from hub.model.errors import StopRoute, StopSystem
from hub.model.records import Page

Update = dict[str, Any]
Place = Mapping[str, Any]


class Telegram:
    """One bot."""

    capabilities: Capabilities = Capabilities(tokens=True)

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        self._account = account
        self._bot = Bot(account, sleep)
        self._lock = Lock()

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._bot.traffic

    def look(self, report: CheckReport) -> None:
        """Who the bot is, and whether its updates may be read here."""
        me = self._bot.me(anew=True)
        report.reachable, report.product = True, f"{NAME}, @{me.get('username', '')}"
        webhook = self._bot.webhook()
        if webhook.get("url"):
            raise StopSystem("chat_webhook_set", system=self._account.title)
        if not me.get("can_read_all_group_messages"):
            report.notes.append(StopRoute("chat_privacy_mode", system=self._account.title))

    def read(self, request: ReadRequest, size: int) -> Iterator[Page]:
        """What waits behind the position; ``StopRoute(chat_no_history)`` for days."""
        if request.window is not None:
            raise StopRoute("chat_no_history", system=self._account.title)
        place: Place = request.position or {}
        waiting = self._from(place)
        while True:
            rest = _behind(waiting, place)
            some = rest[:size]
            last = len(some) == len(rest)
            place = _place(some[-1]) if some else place
            more = last and bool(some) and len(waiting) == LIMIT
            yield schema.page(request, self._records(some, rest), dict(place), last=last, more=more)
            if last:
                return
            waiting = self._updates()

    def fetch(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of them that still wait in the queue."""
        waiting = self._updates()
        return {one["id"]: one for one in self._records(waiting, waiting) if one["id"] in keys}

    def count(self, request: ReadRequest) -> int:
        """Updates that wait; an edit of a message is one more."""
        if request.window is not None:
            raise StopRoute("chat_no_history", system=self._account.title)
        return int(self._bot.webhook().get("pending_update_count") or 0)

    def anything_new(self, position: dict[str, Any]) -> bool:
        """Whether anything waits besides what was stored."""
        return bool(_behind(self._updates(), position))

    def close(self) -> None:
        """Close the connections."""
        self._bot.close()

    def _from(self, place: Place) -> list[Update]:
        """What waits, once Telegram has been told of the position: see above."""
        waiting = self._updates()
        if _found(waiting, place) is None:
            return waiting
        return self._updates(place["update"] + 1)

    def _updates(self, offset: int | None = None) -> list[Update]:
        with self._lock:
            return self._bot.updates(offset)

    def _records(self, some: Sequence[Update], rest: Sequence[Update]) -> list[dict[str, Any]]:
        """Messages of the updates; one that was edited meanwhile comes once, as it is now."""
        newest = {key_of(one): update["update_id"] for update in rest if (one := told(update)) is not None}
        found = []
        for update in some:
            one = told(update)
            if one is None or newest[key_of(one)] != update["update_id"] or self._passed_over(one):
                continue
            message = message_of(one, self._bot.id, f"@{self._bot.me().get('username', '')}")
            found.append(message.record(self._account.zone, self._account.own_names))
        return found

    def _passed_over(self, one: Mapping[str, Any]) -> bool:
        chat = one["chat"]
        names = (chat.get("title"), chat.get("username") and f"@{chat['username']}", f"telegram:{chat['id']}")
        return self._account.passes_over(*filter(None, (*names, str(chat["id"]))))


def _mark(update: Update) -> str:
    """What an update is of: numbers come again, this with them does not."""
    one = told(update) or {}
    chat = one.get("chat") or {}
    parts = (update["update_id"], chat.get("id"), one.get("message_id"), one.get("date"), one.get("edit_date"))
    return xxh3_64_hexdigest(msgspec.json.encode(parts))


def _place(update: Update) -> Place:
    return {"update": update["update_id"], "mark": _mark(update)}


def _found(waiting: Sequence[Update], place: Place) -> int | None:
    """Where in the queue the last update of the position is."""
    for at, update in enumerate(waiting):
        if update["update_id"] == place.get("update") and _mark(update) == place.get("mark"):
            return at
    return None


def _behind(waiting: Sequence[Update], place: Place) -> Sequence[Update]:
    """What waits behind the position: all, where nothing of it waits any more."""
    at = _found(waiting, place)
    return waiting if at is None else waiting[at + 1 :]
