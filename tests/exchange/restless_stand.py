"""A stand that people go on working in while it is read over HTTP, with faults of the way to it, all from one seed."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stand.onec.generate.build import NODE, build
from stand.onec.quirks import Quirks
from stand.onec.server import OneCStand
from stand.onec.wire import Response
from stand.onec.world import Record, World, rows_of

ZONE = ZoneInfo("Europe/Moscow")
PRODUCTS, CLIENTS = "Catalog_Номенклатура", "Catalog_Контрагенты"


@dataclass(frozen=True, slots=True)
class Base:
    """A configuration of the stand with what reads it. ``note``: the remark of a client."""

    name: str
    profile: str
    orders: str
    note: str


UT = Base("ut", "onec_ut11", "Document_ЗаказКлиента", "ДополнительнаяИнформация")
UNF = Base("unf", "onec_unf", "Document_ЗаказПокупателя", "Комментарий")


@dataclass(frozen=True, slots=True)
class Case:
    """One strategy: the base, ``read`` and ``window_days`` of the routes of clients, products and orders, the node."""

    base: Base
    read: str = "auto"
    window_days: int = 40
    fed: bool = False

    @property
    def node(self) -> str:
        """The node of the settings; empty where changes are not read by the feed."""
        return NODE if self.fed else ""


CASES = {
    "feed": Case(UT, fed=True),
    "modified": Case(UNF, read="modified"),
    "window": Case(UT, read="window"),
    "sweep": Case(UNF, window_days=1),
    "full": Case(UT, read="full"),
}

#: What may become of one answer. Each tells all bounds: they would stay from the fault before.
_READS: list[dict[str, Any]] = [
    {"drop_connection": True},
    {"cut_page_in_half": True},
    {"error_mid_page": True},
    {"html_instead_of_json": True},
    {"exception_body": True},
    {"fail_status": 500},
    {"fail_status": 502},
    {"fail_status": 404},
    {"down": True},
]
_POSTS: list[dict[str, Any]] = [{"drop_before_commit": True}, {"drop_after_commit": True}, *_READS]


def make_world(base: Base, seed: int) -> World:
    """A small base of today, so that its documents stand in the last days; its clock shows the time of now."""
    world = build(seed % 7 + 1, clients=10, products=6, orders=24, today=_now().date(), configuration=base.name)
    world.clock = _now()
    for number, order in enumerate(world.records(base.orders)):
        order["Date"] = (_now() - timedelta(days=number % 20, hours=1)).isoformat()
    return world


def _now() -> datetime:
    return datetime.now(ZONE).replace(tzinfo=None, microsecond=0)


@dataclass
class Workers:
    """Who edits the base. ``gone``: what they deleted physically; ``own``: what they made, nothing refers to it."""

    base: Base
    world: World
    rng: random.Random
    gone: set[tuple[str, str]] = field(default_factory=set)
    own: list[tuple[str, str]] = field(default_factory=list)
    edits: int = 0

    def act(self) -> None:
        """One edit, whole: nobody reads in the midst of it."""
        acts: list[Callable[[], None]] = [
            self.rename, self.remark, self.remark, self.order, self.order, self.product, self.mark, self.again,
            self.insert, self.insert, self.delete,
        ]  # fmt: skip
        with self.world.lock:
            self.edits += 1
            self.rng.choice(acts)()

    def _any(self, name: str) -> Record:
        return self.rng.choice(sorted(self._items(name), key=lambda record: str(record["Ref_Key"])))

    def _items(self, name: str) -> Iterator[Record]:
        return (record for record in self.world.records(name) if not record.get("IsFolder"))

    def _edit(self, name: str, record: Record, **fields: Any) -> None:
        self.world.edit(name, str(record["Ref_Key"]), fields)
        self._backdate(name, record)

    def _backdate(self, name: str, record: Record) -> None:
        """A transaction is stamped when it begins, and seen when it ends."""
        stamp = self.world.configuration.stamped.get(name)
        if stamp and self.rng.random() < 0.3:
            record[stamp] = (self.world.clock - timedelta(minutes=45)).isoformat()

    def rename(self) -> None:
        """A client sorts elsewhere from now on."""
        self._edit(CLIENTS, self._any(CLIENTS), Description=f"{self.rng.choice('АЖМЯ')} клиент {self.edits}")

    def remark(self) -> None:
        """A client gets a remark."""
        self._edit(CLIENTS, self._any(CLIENTS), **{self.base.note: f"правка {self.edits}"})

    def order(self) -> None:
        """An order gets a remark, another sum, or another date, and stands elsewhere then."""
        day = (_now() - timedelta(days=self.rng.randint(0, 20))).isoformat()
        values: list[dict[str, Any]] = [
            {"Комментарий": f"правка {self.edits}"}, {"СуммаДокумента": self.edits}, {"Date": day}
        ]  # fmt: skip
        self._edit(self.base.orders, self._any(self.base.orders), **self.rng.choice(values))

    def product(self) -> None:
        """A product is renamed."""
        self._edit(PRODUCTS, self._any(PRODUCTS), Description=f"{self.rng.choice('АЖМЯ')} товар {self.edits}")

    def mark(self) -> None:
        """A deletion mark is set or taken back."""
        name = self.rng.choice([CLIENTS, self.base.orders])
        record = self._any(name)
        posted = {"Posted": False} if name == self.base.orders else {}
        self._edit(name, record, DeletionMark=not record.get("DeletionMark", False), **posted)

    def again(self) -> None:
        """Saved without a change: another version, the same content."""
        name = self.rng.choice([CLIENTS, PRODUCTS, self.base.orders])
        self.world.touch(name, str(self._any(name)["Ref_Key"]))

    def insert(self) -> None:
        """A new client or a new order, which nothing refers to."""
        name, key = self.rng.choice([CLIENTS, self.base.orders]), str(uuid.UUID(int=self.rng.getrandbits(128)))
        like = {n: rows_of(value) if callable(value) else value for n, value in self._any(name).items()}
        like |= {"Ref_Key": key, "DeletionMark": False}
        if name == CLIENTS:
            like |= {"Description": f"{self.rng.choice('АЖМЯ')} новый {self.edits}"}
        else:
            like |= {"Number": f"Н{self.edits:06d}", "Posted": False}
        del like["DataVersion"]
        self._backdate(name, self.world.add(name, like))
        self.own.append((name, key))

    def delete(self) -> None:
        """Something of their own is physically deleted."""
        if self.own:
            name, key = self.own.pop(self.rng.randrange(len(self.own)))
            self.world.delete(name, key)
            self.gone.add((name, key))


class Unrest:
    """Edits before and after each answer, and faults of answers. ``edits``, ``faults``: chance of each.

    ``seen``: is called with the number of each request.
    """

    def __init__(self, stand: OneCStand, workers: Workers, rng: random.Random) -> None:
        self.stand, self.workers, self.rng = stand, workers, rng
        self.edits, self.faults = 0.0, 0.0
        self.requests = 0
        self.seen: Callable[[int], None] = lambda _number: None
        self._lock = threading.Lock()
        self._honest = stand.service.answer
        stand.service.answer = self._answer  # type: ignore[method-assign]

    @contextmanager
    def raging(self, edits: float, faults: float, memory: int) -> Iterator[None]:
        """Unrest until the block ends; ``memory``: records of a page that the base can make, 0 for any number."""
        self.edits, self.faults = edits, faults
        self.stand.quirks.update({"memory_error_over_rows": memory})
        try:
            yield
        finally:
            self.edits = self.faults = 0.0
            self.stand.quirks.update(Quirks().state())
            self.stand.service.down_until = 0.0

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[Response, Any]:
        with self._lock:
            self.requests += 1
            self.seen(self.requests)
            self._meddle()
            self._spoil(method)
        found = self._honest(method, target, headers, body)
        with self._lock:
            self._meddle()
        return found

    def _meddle(self) -> None:
        while self.rng.random() < self.edits:
            self.workers.act()

    def _spoil(self, method: str) -> None:
        if self.rng.random() >= self.faults:
            return
        if self.rng.random() < 0.1:
            self.stand.restart(0.02)
            return
        posts = method == "POST"
        fault = self.rng.choice(_POSTS if posts else _READS)
        acts = ("select", "notify") if posts else ()
        calm = {name: value for name, value in Quirks().state().items() if name != "memory_error_over_rows"}
        self.stand.quirks.update(calm | fault | {"acts": acts, "times": 1})
