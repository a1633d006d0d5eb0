"""A base that people go on working in while it is read: random edits, faults and kills, all from one seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, update

from connectors.base import FeedPacket, ReadRequest
from connectors.memory import MemoryBase, MemoryConnector
from hub.model.errors import RetryLater
from hub.model.records import Page
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen

CLIENTS, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
CHANGED = "ДатаИзменения"
ZONE = ZoneInfo("Europe/Moscow")


class Killed(BaseException):
    """The process dies here; nothing of the house may catch it."""


def small(streams: frozen.Frozen, clients: int = 40, orders: int = 30) -> MemoryBase:
    """The frozen base with few clients and orders, dated within the last days, and with a "changed at" of their own."""
    chosen = {name: dict(part) for name, part in streams.items()}
    kept = [record for record in chosen[CLIENTS]["records"] if not record.get("IsFolder")][:clients]
    keys = {record["Ref_Key"] for record in kept}
    chosen[CLIENTS]["records"] = kept
    mine = [record for record in chosen[ORDERS]["records"] if record["Контрагент_Key"] in keys][:orders]
    for name, part in chosen.items():
        if name.partition("_")[0] in {"Document", "AccumulationRegister", "InformationRegister"}:
            part["records"] = []
    chosen[ORDERS]["records"] = mine
    for name in (CLIENTS, ORDERS):
        chosen[name] = {**chosen[name], "fields": {**chosen[name]["fields"], CHANGED: "Edm.DateTime"}}
    base = frozen.load(chosen)
    now = datetime.now(ZONE)
    for number, key in enumerate(list(base.records[ORDERS])):
        dated = f"{now - timedelta(days=1 + number % 20):%Y-%m-%dT%H:%M:%S}"
        base.put(ORDERS, base.records[ORDERS][key] | {"Date": dated, CHANGED: dated})
    for key in list(base.records[CLIENTS]):
        base.put(CLIENTS, base.records[CLIENTS][key] | {CHANGED: f"{now - timedelta(days=30):%Y-%m-%dT%H:%M:%S}"})
    return base


@dataclass
class People:
    """Who edits the base. ``gone``: what they deleted physically; ``least``: so many records are always left."""

    base: MemoryBase
    rng: random.Random
    gone: set[str] = field(default_factory=set)
    own: list[str] = field(default_factory=list)
    edits: int = 0

    def act(self) -> None:
        """One edit: a change, a rename, a mark, an insertion, a deletion, or the same record written again.

        Pages are read ahead in a thread while records are fetched: an edit is whole, whoever brings it about.
        """
        acts: list[Callable[[], None]] = [
            self.rename, self.comment, self.comment, self.mark, self.insert, self.insert, self.delete, self.rewrite
        ]  # fmt: skip
        with self.base.lock:
            self.edits += 1
            self.rng.choice(acts)()

    def _write(self, stream: str, record: dict[str, Any], **changes: Any) -> None:
        late = timedelta(minutes=self.rng.choice([0, 0, 0, 5, 45]))  # a transaction begins before it is seen
        at = f"{datetime.now(ZONE) - late:%Y-%m-%dT%H:%M:%S}"
        self.base.put(stream, {**record, **changes, CHANGED: at})

    def _any(self, stream: str) -> dict[str, Any]:
        return dict(self.base.records[stream][self.rng.choice(sorted(self.base.records[stream]))])

    def rename(self) -> None:
        """A client sorts elsewhere from now on."""
        name = f"{self.rng.choice('АЖМЯ')} клиент {self.edits}"
        self._write(CLIENTS, self._any(CLIENTS), Description=name, НаименованиеПолное=name)

    def comment(self) -> None:
        """An order or a client gets a remark."""
        if self.rng.random() < 0.5:
            self._write(ORDERS, self._any(ORDERS), Комментарий=f"правка {self.edits}")
        else:
            self._write(CLIENTS, self._any(CLIENTS), ДополнительнаяИнформация=f"правка {self.edits}")

    def mark(self) -> None:
        """A deletion mark is set or taken back."""
        stream = self.rng.choice([CLIENTS, ORDERS])
        record = self._any(stream)
        self._write(stream, record, DeletionMark=not record["DeletionMark"], Posted=False)

    def rewrite(self) -> None:
        """Saved without a change: another version, the same content."""
        self._write(CLIENTS, self._any(CLIENTS))

    def insert(self) -> None:
        """A new order, or a new client that nothing refers to."""
        key = str(uuid.UUID(int=self.rng.getrandbits(128)))
        if self.rng.random() < 0.5:
            date = datetime.now(ZONE) - timedelta(days=self.rng.randint(0, 20))
            self._write(ORDERS, self._any(ORDERS), Ref_Key=key, Number=key[:9], Date=f"{date:%Y-%m-%dT%H:%M:%S}")
        else:
            self.own.append(key)
            self._write(CLIENTS, self._any(CLIENTS), Ref_Key=key, Description=f"Новый {self.edits}")

    def delete(self) -> None:
        """An order, or a client that nothing refers to, is physically deleted."""
        living = [key for key in self.own if (key,) in self.base.records[CLIENTS]]
        if living and self.rng.random() < 0.5:
            key, stream = self.rng.choice(living), CLIENTS
        elif len(self.base.records[ORDERS]) > 20:
            key, stream = self._any(ORDERS)["Ref_Key"], ORDERS
        else:
            return
        self.base.delete(stream, key)
        self.gone.add(f"{stream}/{key}")


class RestlessConnector(MemoryConnector):
    """Reads as a base with ``$skip`` and an order by presentation does, while people edit and the network fails.

    ``unrest``: chance of an edit at each request; ``faults``: chance that the request fails.
    """

    def __init__(self, people: People, page_size: int, node: str = "") -> None:
        super().__init__(people.base, "ut", node, page_size)
        self.people, self.unrest, self.faults = people, 0.0, 0.0

    def _meddle(self) -> None:
        rng = self.people.rng
        while rng.random() < self.unrest:
            self.people.act()
        if rng.random() < self.faults:
            raise RetryLater("source_unreachable", system="ut")

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages by offset, ordered by date and presentation: what moves meanwhile may be missed or come twice."""
        size = max(1, min(request.page_size, self._page_size))
        start = int((request.position or {}).get("skip", 0))
        while True:
            self._meddle()
            rows = sorted(self._chosen(request), key=lambda item: (item[0][0], str(item[1].get("Description", ""))))
            part = rows[start : start + size]
            start += len(part)
            last = len(part) < size
            yield Page(request.stream, [self._encode(request, r) for _, r in part], (), {"skip": start}, last, 100)
            if last:
                return

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Edits may come between the question and the answer, too."""
        self._meddle()
        return super().fetch(request, external_ids)

    def feed(self, node: str) -> FeedPacket | None:
        """What changes while a packet is worked on comes with the next one."""
        self._meddle()
        return super().feed(node)

    def acknowledge(self, node: str, number: int) -> None:
        """People go on between the packet and its acknowledgement."""
        self._meddle()
        super().acknowledge(node, number)


@contextmanager
def deadly(store: Store, rng: random.Random, chance: float) -> Iterator[None]:
    """Each transaction may be the last thing that the process does: just before it is committed, or just after."""
    honest = store.begin

    @contextmanager
    def begin() -> Iterator[Connection]:
        with honest() as conn:
            yield conn
            if rng.random() < chance:
                raise Killed
        if rng.random() < chance:
            raise Killed

    store.begin = begin  # type: ignore[method-assign]
    try:
        yield
    finally:
        store.begin = honest  # type: ignore[method-assign]


def bury(store: Store) -> None:
    """What the machine knows after a crash: the process of every running run is gone."""
    with store.begin() as conn:
        runs = core.exchange_run
        conn.execute(update(runs).where(runs.c.state == "running").values(process_started="gone"))
