"""Systems that live on while they are exchanged: people edit, networks fail, the hub dies, and all of it on order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from connectors.base import ReadRequest
from connectors.memory import MemoryConnector
from connectors.memory_base import MemoryBase, Record
from connectors.memory_write import MemoryTarget
from hub.engine.arrive import Arrival, decided, golden_of
from hub.engine.cells import Moment
from hub.exchange import runs
from hub.exchange.cards.card import Card, load, seconds
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.hub import Hub
from hub.exchange.pins import pin, pins, unpin
from hub.exchange.rules import RuleBook
from hub.exchange.service import RunReport, run_exchange
from hub.model.records import Page
from hub.model.settings import RouteSettings, Settings, SystemSettings
from hub.store import core
from hub.store.database import Store
from mappings.compiled import CompiledProfile, compile_specs
from mappings.finds import asked
from mappings.profile import read_profile
from tests.exchange.two.clock import Clock
from tests.exchange.two.systems import CLIENTS, ORDERS, client
from tests.exchange.unrest import Killed, bury

#: Of the УТ profile only these are exchanged: a night is then a matter of a tenth of a second.
KEPT = ("counterparty", "sales_order")
ENTITIES = ("party", "sales_order")
#: The fields of 1C that people edit, with the golden cell of each.
TEXTS = {"Description": "display_name", "НаименованиеПолное": "legal_name", "ДополнительнаяИнформация": "comment"}


@cache
def profile() -> CompiledProfile:
    """The mappings of clients and orders alone; the bases of these tests publish all that they name."""
    return compile_specs("onec_ut11", "Europe/Moscow", [s for s in read_profile("onec_ut11") if s.name in KEPT])


def is_text(value: object) -> bool:
    """Whether it is one of the texts that are typed once in a life."""
    return isinstance(value, str) and len(value) == 6 and value[0] == "т" and value[-1] == "х"


class Fuse:
    """Kills the process at one of the places where it could die, counted from now; 0: never."""

    def __init__(self) -> None:
        self.left = 0

    def burn(self) -> None:
        """The process is between two steps here."""
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed


class LivingBase(MemoryBase):
    """A base that tells what people typed from what the hub wrote.

    ``crushed``: typed texts that the hub wrote over. ``said``: when each text was typed here, in seconds.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.typed: dict[tuple[str, str, str], str] = {}
        self.crushed: list[tuple[str, str, str, str]] = []
        self.made: dict[str, str] = {}
        self.said: dict[str, int] = {}
        self.clock: Clock | None = None
        self._human = False
        for mapping in profile().mappings.values():
            self.define(mapping.stream, dict.fromkeys(mapping.select, "Edm.String"))
        for stream, fields in asked(mapping.spec for mapping in profile().mappings.values()).items():
            if stream not in self.infos:
                self.define(stream, dict.fromkeys((*fields, "Ref_Key"), "Edm.String"))

    def type(self, stream: str, record: Record, **typed: str) -> None:
        """A person saves a record; ``typed``: what is new in it."""
        new = (str(record["Ref_Key"]),) not in self.records[stream]
        self._human = True
        try:
            self.put(stream, {**record, **typed})
        finally:
            self._human = False
        if self.clock is not None:
            told = (*typed.values(), *(record.values() if new else ()))
            self.said |= dict.fromkeys(filter(is_text, told), seconds(self.clock.at))
        for name, text in typed.items():
            if text:
                self.typed[stream, str(record["Ref_Key"]), name] = text

    def put(self, stream: str, record: Record) -> None:
        """As any base; who writes is told apart."""
        key = str(record["Ref_Key"])
        before = self.records[stream].get((key,))
        if not self._human:
            if before is None:
                self.made[key] = stream
            for name, value in record.items():
                text = self.typed.pop((stream, key, name), None) if before and before.get(name) != value else None
                if text is not None and before is not None and before.get(name) == text:
                    self.crushed.append((stream, key, name, text))
        super().put(stream, record)


class MortalConnector(MemoryConnector):
    """A connector in a process that may die before and after each of its requests."""

    def __init__(self, base: MemoryBase, title: str, fuse: Fuse) -> None:
        super().__init__(base, title)
        self.fuse = fuse
        self._writing._target = MortalTarget(base, title, self.traffic, fuse)

    def fetch(self, request: ReadRequest, external_ids: Any) -> Page:
        """Single records by key."""
        self.fuse.burn()
        page = super().fetch(request, external_ids)
        self.fuse.burn()
        return page


class MortalTarget(MemoryTarget):
    """The same for each request of a write."""

    def __init__(self, base: MemoryBase, title: str, traffic: Any, fuse: Fuse) -> None:
        super().__init__(base, title, traffic)
        self.fuse = fuse

    def look(self, stream: str, key: str) -> Any:
        """The record by its key."""
        self.fuse.burn()
        return super().look(stream, key)

    def create(self, stream: str, key: str, body: Record, load_mode: bool) -> str:
        """Make a record."""
        self.fuse.burn()
        made = super().create(stream, key, body, load_mode)
        self.fuse.burn()
        return made

    def change(self, stream: str, before: Any, body: Record, change: Any) -> None:
        """Change a record."""
        self.fuse.burn()
        super().change(stream, before, body, change)
        self.fuse.burn()


@contextmanager
def mortal(store: Store, fuse: Fuse) -> Iterator[None]:
    """Each transaction may be the last thing the process does: before it begins, before its commit, after it."""
    honest = store.begin

    @contextmanager
    def begin() -> Iterator[Connection]:
        fuse.burn()
        with honest() as conn:
            yield conn
            fuse.burn()
        fuse.burn()

    store.begin = begin  # type: ignore[method-assign]
    try:
        yield
    finally:
        store.begin = honest  # type: ignore[method-assign]


@dataclass
class Life:
    """A hub between living systems. ``excused``: texts whose loss is the exception that is stated."""

    store: Store
    home: Path
    roles: Mapping[str, str]
    routes: dict[str, RouteSettings]
    clock: Clock
    bases: dict[str, LivingBase] = field(default_factory=dict)
    fuse: Fuse = field(default_factory=Fuse)
    excused: set[str] = field(default_factory=set)
    counter: int = 0
    reports: list[RunReport] = field(default_factory=list)
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.bases = self.bases or {code: LivingBase(code) for code in self.roles}
        for base in self.bases.values():
            base.clock = self.clock
        self.start()

    def start(self) -> None:
        """A new process of the hub."""
        systems = {
            code: SystemSettings(
                code=code,
                kind="memory",
                timezone="Europe/Moscow",
                profile="onec_ut11",
                page_size=4,
                role=role,  # type: ignore[arg-type]
            )
            for code, role in self.roles.items()
        }
        settings = Settings(
            home=self.home,
            path=self.home / "hub.yaml",
            company_timezone="Europe/Moscow",
            store_url="",
            systems=systems,
            routes=dict(self.routes),
            demo=True,
        )
        connectors = {code: MortalConnector(base, code, self.fuse) for code, base in self.bases.items()}
        rules = RuleBook(settings, dict.fromkeys(systems, profile()))
        self.hub = Hub(settings, self.store, lambda system, _: connectors[system.code], rules)
        self.hub._live.update(dict.fromkeys(systems, profile()))

    # --- people -------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """A text that nobody has typed before."""
        self.counter += 1
        return f"т{self.counter:04d}х"

    def keys(self, system: str, stream: str = CLIENTS) -> list[str]:
        """Records of a base in a fixed order."""
        return [key for (key,) in self.bases[system].records[stream]]

    def new_client(self, system: str, number: int | None, **more: Any) -> str:
        """A person makes a client; with a ``number`` it can be known again elsewhere."""
        record = client(self.text(), inn=INNS[number] if number is not None else "", kpp="773601001", **more)
        if number is None:
            record["КПП"] = ""
        record["Ref_Key"] = str(uuid.UUID(int=random.Random(self.counter).getrandbits(128)))
        self.bases[system].type(CLIENTS, record)
        return str(record["Ref_Key"])

    def new_order(self, system: str, party: str) -> str:
        """A person makes an order of a client."""
        self.counter += 1
        key = str(uuid.UUID(int=random.Random(self.counter).getrandbits(128)))
        record = {
            "Ref_Key": key,
            "DeletionMark": False,
            "Posted": False,
            "Number": f"{self.counter:05d}",
            "Date": f"{self.clock.at:%Y-%m-%dT%H:%M:%S}",
            "Контрагент_Key": party,
            "Комментарий": "",
            "СуммаДокумента": 0,
        }
        self.bases[system].type(ORDERS, record)
        return key

    def edit(self, system: str, key: str, name: str, value: str, stream: str = CLIENTS) -> None:
        """A person changes a field. Before the hub knows the record its text is no edit."""
        base = self.bases[system]
        base.type(stream, base.records[stream][key,], **{name: value})
        if self.record(system, key, stream) is None:
            base.typed.pop((stream, key, name), None)

    def change(self, system: str, key: str, stream: str = CLIENTS, **fields: Any) -> None:
        """A person changes something that is no text."""
        base = self.bases[system]
        base.type(stream, {**base.records[stream][key,], **fields})

    # --- the hub ------------------------------------------------------------------------------------------------

    def night(self, *, dies_at: int = 0, days: float = 1.0, order: list[str] | None = None) -> bool:
        """One exchange in a process that may die at one of its steps; whether it lived to its end."""
        self.clock.pass_(days=days)
        self.fuse.left = dies_at
        wanted = order or [f"{code}.{entity}" for entity in ENTITIES for code in self.bases]
        try:
            with mortal(self.store, self.fuse):
                report = run_exchange(self.hub, wanted)
        except Killed:
            bury(self.store)
            self.start()
            return False
        finally:
            self.fuse.left = 0
        self.reports.append(report)
        for part in report.routes:
            assert part.counters.balanced, part
        return True

    def writes(self) -> int:
        """Writing requests of this process."""
        return sum(traffic.writes for code in self.bases if (traffic := self.hub.traffic(code)) is not None)

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:
        """Rows of a table of the core."""
        query = select(table).where(*where).order_by(*table.primary_key.columns)
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(query).mappings()]

    def record(self, system: str, key: str, stream: str = CLIENTS) -> int | None:
        """Number of the canonical record of one of a base."""
        link = core.link
        stream_id = self.hub.streams[system][stream]
        found = self.rows(link, link.c.stream_id == stream_id, link.c.external_id == key)
        return found[0]["record_id"] if found else None

    # --- an admin -----------------------------------------------------------------------------------------------

    def approve(self) -> int:
        """Let pass all that waits for a person's approval before it is sent."""
        box = core.outbox
        with self.store.begin() as conn:
            held = update(box).where(box.c.state == "held")
            return conn.execute(held.values(state="pending", error_params={"approved": True})).rowcount

    def retry(self) -> int:
        """Try anew what failed."""
        box = core.outbox
        with self.store.begin() as conn:
            failed = update(box).where(box.c.state == "failed")
            return conn.execute(failed.values(state="pending", attempts=0, last_error=None)).rowcount

    def answer(self, number: int, *, ours: bool) -> None:
        """Decide an open conflict: what the hub holds, or what the system says."""
        row = self.rows(core.conflict, core.conflict.c.id == number)[0]
        path = row["field"]

        def act(card: Card, desk: CardDesk, ledger: Ledger, rules: Any) -> None:
            value = row["ours"] if ours else row["theirs"]
            at = seconds(runs.now())
            card.known = decided(
                card.known, {path: tuple(value) if isinstance(value, list) else value}, Moment(at - 1, at)
            )
            ledger.close_conflicts(card, path, "resolved")

        self._decide(row["entity"], row["record_id"], act)

    def pin(self, entity: str, record_id: int, path: str, value: str | None) -> None:
        """A person pins a value (or takes the pin back where there is one already)."""
        there = [one for one in pins(self.hub, entity, record_id) if one.path == path]
        if there and not there[0].ends:
            unpin(self.hub, entity, str(record_id), path, by="test")
        else:
            pin(self.hub, entity, str(record_id), path, value or "", by="test")

    def _decide(self, entity: str, record_id: int, act: Callable[..., None]) -> None:
        with self.store.begin() as conn:
            desk = CardDesk(self.hub, self.reports[-1].run_id, f"{runs.now():%Y-%m-%d %H:%M:%S}")
            card = load(conn, entity, [record_id], desk.refs)[record_id]
            ledger = Ledger(desk, entity)
            act(card, desk, ledger, desk.rules(entity))
            golden = golden_of(card.known, desk.rules(entity), layout_of(entity).same(desk.refs))
            ledger.decided(card, Arrival(card.known, golden))
            ledger.write(conn)


def route(code: str, **more: Any) -> RouteSettings:
    """A route that writes all it can."""
    return replace(RouteSettings(code, write="all"), **more)


#: ИНН of legal entities that pass their check digits.
INNS = ("7707083893", "7728168971", "7736050003", "7702070139", "7744001497", "7710140679")
