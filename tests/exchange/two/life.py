"""Systems that live on while they are exchanged: people edit, networks fail, the hub dies, and all of it on order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from hub.engine.arrive import Arrival, decided, golden_of
from hub.engine.cells import Moment
from hub.exchange import runs
from hub.exchange.cards.card import UNSEEN, Card, load, seconds
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.held import Wanted, items
from hub.exchange.held_decided import Word, decide
from hub.exchange.hub import Hub
from hub.exchange.pins import pin, pins, unpin
from hub.exchange.push.box import FIRST_CONTACT
from hub.exchange.rules import RuleBook
from hub.exchange.service import RunReport, backfill, exchange_changes, run_exchange
from hub.model.records import Window
from hub.model.settings import BudgetSettings, RouteSettings, Settings, SystemSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange.two.clock import Clock
from tests.exchange.two.living import NODE, Fuse, LivingBase, MortalConnector, mortal, profile
from tests.exchange.two.systems import CLIENTS, ORDERS, client
from tests.exchange.unrest import Killed, bury

ENTITIES = ("party", "sales_order")
#: The fields of 1C that people edit, with the golden cell of each.
TEXTS = {"Description": "display_name", "НаименованиеПолное": "legal_name", "ДополнительнаяИнформация": "comment"}


@dataclass
class Life:
    """A hub between living systems. ``excused``: texts whose loss is the exception that is stated. ``feeds``: systems
    that keep a feed of changes for the hub.
    """

    store: Store
    home: Path
    roles: Mapping[str, str]
    routes: dict[str, RouteSettings]
    clock: Clock
    bases: dict[str, LivingBase] = field(default_factory=dict)
    fuse: Fuse = field(default_factory=Fuse)
    excused: set[str] = field(default_factory=set)
    feeds: frozenset[str] = frozenset()
    counter: int = 0
    reports: list[RunReport] = field(default_factory=list)
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.bases = self.bases or {code: LivingBase(code) for code in self.roles}
        for code, base in self.bases.items():
            base.clock = self.clock
            if code in self.feeds:
                base.subscribe(NODE)
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
                node=NODE if code in self.feeds else None,
            )
            for code, role in self.roles.items()
        }
        profiles = {code: profile(dated=base.fast is not None) for code, base in self.bases.items()}
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
        rules = RuleBook(settings, profiles)
        self.hub = Hub(settings, self.store, lambda system, _: connectors[system.code], rules)
        self.hub._live.update(profiles)

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
        if not self.seen(system, key, stream):
            base.typed.pop((stream, key, name), None)

    def change(self, system: str, key: str, stream: str = CLIENTS, **fields: Any) -> None:
        """A person changes something that is no text."""
        base = self.bases[system]
        base.type(stream, {**base.records[stream][key,], **fields})

    # --- the hub ------------------------------------------------------------------------------------------------

    def night(self, *, dies_at: int = 0, days: float = 1.0, order: list[str] | None = None) -> bool:
        """One exchange in a process that may die at one of its steps; whether it lived to its end."""
        self.clock.pass_(days=days)
        wanted = order or [f"{code}.{entity}" for entity in ENTITIES for code in self.bases]
        return self._run(lambda: run_exchange(self.hub, wanted), dies_at)

    def changes(self, systems: list[str], *, dies_at: int = 0) -> bool:
        """What has changed in these systems, some minutes later, by the cheapest way that each of them offers."""
        self.clock.pass_(minutes=10)
        return self._run(lambda: exchange_changes(self.hub, systems), dies_at)

    def backfill(self, system: str, days: int, *, dies_at: int = 0) -> bool:
        """The last days of one system are read again, silently."""
        today = self.clock.at.date()
        window = Window(today - timedelta(days=days), today + timedelta(days=1))
        routes = [f"{system}.{entity}" for entity in ENTITIES]
        return self._run(lambda: backfill(self.hub, routes, window), dies_at)

    def _run(self, act: Callable[[], RunReport], dies_at: int) -> bool:
        self.fuse.left = dies_at
        try:
            with mortal(self.store, self.fuse):
                report = act()
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

    def seen(self, system: str, key: str, stream: str = CLIENTS) -> bool:
        """Whether what the record shows has arrived at its card; the brakes may hold back its very first word."""
        link, number = core.link, self.hub.streams[system][stream]
        found = self.rows(link, link.c.stream_id == number, link.c.external_id == key, link.c.record_id.is_not(None))
        return bool(found) and found[0]["state"] not in UNSEEN

    # --- an admin -----------------------------------------------------------------------------------------------

    def approve(self) -> int:
        """Let pass all that waits for a person's approval before it is sent."""
        box = core.outbox
        with self.store.begin() as conn:
            held = update(box).where(box.c.state == "held")
            return conn.execute(held.values(state="pending", error_params={"approved": True})).rowcount

    def judge(self, number: int, word: Word) -> None:
        """A word on one of the changes that the brakes hold back, whichever way they go."""
        waits = [one for one in items(self.hub, Wanted(), cells=False) if one.reason != FIRST_CONTACT]
        if waits:
            result = decide(self.hub, [(waits[number % len(waits)], word)], by="test")
            assert result.error is None, result.error

    def release(self) -> None:
        """The brakes are taken off: from now on everything may pass."""
        self.routes = {
            code: replace(one, change_budget=BudgetSettings(), delete_budget=BudgetSettings())
            for code, one in self.routes.items()
        }
        self.start()

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
