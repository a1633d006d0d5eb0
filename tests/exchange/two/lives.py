"""One life of systems from a seed: the same acts as the state machine's, chosen by a generator of random numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.engine.cells import STATE
from hub.model.errors import RetryLater
from hub.model.settings import BudgetSettings, PolicySettings, RouteSettings
from hub.store import core
from hub.store.database import Store
from tests.exchange.two.clock import Clock
from tests.exchange.two.life import ENTITIES, INNS, TEXTS, Life, route
from tests.exchange.two.living import LivingBase
from tests.exchange.two.proof import assert_at_rest, assert_sound, settle
from tests.exchange.two.recorded import recording
from tests.exchange.two.systems import CLIENTS, ORDERS, phone
from tests.exchange.two.why_proof import assert_why

TWO = {"ut": "trade", "ut2": "crm"}
THREE = {**TWO, "bp": "accounting"}
#: Seconds that the settings let a clock be off.
SKEW = 120


def settings_of(rng: random.Random, systems: list[str]) -> dict[str, RouteSettings]:
    """Routes that write everything, with policies of the generator's choosing."""
    policies = {
        "comment": PolicySettings(
            policy=rng.choice(["latest", "master", "manual", "fill_empty", "append_only", "latest"]),
            clearable=rng.choice([True, False]),
            on_loss=rng.choice(["restore", "keep", "task"]),
        ),
        "contact_point": PolicySettings(policy=rng.choice(["union", "union", "append_only", "master"])),
    }
    deletion = rng.choice(["propagate", "archive", "ignore", "ask"])
    found = {}
    for system in systems:
        more = {"create": rng.choice(["never", "always", "after_match"]), "deletion": deletion, "skew": SKEW}
        if rng.random() < 0.2:  # brakes that are met now and then
            more["change_budget"] = more["delete_budget"] = BudgetSettings(rng.choice([0, 1, 2]), None, 0)
        for entity in ENTITIES:
            found[f"{system}.{entity}"] = route(f"{system}.{entity}", **more)
    first = f"{systems[0]}.party"
    found[first] = replace(found[first], policies=policies)
    return found


def born(store: Store, home: Path, rng: random.Random, systems: dict[str, str], clock: Clock) -> Life:
    """A life with settings and habits of the generator's choosing.

    Some systems tell when a record was changed, by clocks that are off within what the settings allow, or years ahead;
    some keep a feed.
    """
    fast = {code: rng.choice([None, None, 0, SKEW - 5, 5 - SKEW, 10**8]) for code in systems}
    feeds = frozenset(code for code in systems if rng.random() < 0.5)
    bases = {code: LivingBase(code, fast[code]) for code in systems}
    life = Life(store, home, systems, settings_of(rng, list(systems)), clock, bases, feeds=feeds)
    for base in life.bases.values():
        base.habits.heeds_version = rng.random() < 0.7
        if rng.random() < 0.3:
            base.habits.cut[CLIENTS, "ДополнительнаяИнформация"] = 5
            base.habits.own_keys = rng.random() < 0.7
    return life


class Acts:
    """What may happen in a life; each act chooses its object by numbers, so that a failing life can be made smaller."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.systems = list(life.bases)

    def system(self, number: int) -> str:
        return self.systems[number % len(self.systems)]

    def key(self, system: str, number: int, stream: str = CLIENTS) -> str | None:
        keys = self.life.keys(system, stream)
        return keys[number % len(keys)] if keys else None

    def make(self, system: int, inn: int) -> None:
        """A new client, of a few ИНН or of none: two systems may know the same one."""
        self.life.new_client(self.system(system), inn % len(INNS) if inn % 8 < 6 else None)

    def order(self, system: int, client: int) -> None:
        """A new order."""
        code = self.system(system)
        key = self.key(code, client)
        if key is not None:
            self.life.new_order(code, key)

    def edit(self, system: int, client: int, name: int, how: int) -> None:
        """A text changes, is emptied, or is set to one of two that come again and again."""
        code = self.system(system)
        key = self.key(code, client)
        if key is not None:
            field = list(TEXTS)[name % len(TEXTS)]
            value = self.life.text() if how % 8 < 5 else "" if how % 8 == 5 else f"снова{how % 2}"
            self.life.edit(code, key, field, value)

    def edit_order(self, system: int, order: int) -> None:
        """The comment of an order changes."""
        code = self.system(system)
        key = self.key(code, order, ORDERS)
        if key is not None:
            self.life.edit(code, key, "Комментарий", self.life.text(), ORDERS)

    def phones(self, system: int, client: int, which: int) -> None:
        """The phones of a client become others."""
        code = self.system(system)
        key = self.key(code, client)
        if key is not None:
            numbers = [f"+7900000000{n}" for n in range(3) if which >> n & 1]
            rows = [{**phone(number), "LineNumber": str(at)} for at, number in enumerate(numbers, 1)]
            self.life.change(code, key, КонтактнаяИнформация=rows)

    def rename(self, system: int, client: int, inn: int) -> None:
        """A client gets another ИНН."""
        code = self.system(system)
        key = self.key(code, client)
        if key is not None:
            self.life.change(code, key, ИНН=INNS[inn % len(INNS)])

    def mark(self, system: int, number: int, order: int) -> None:
        """A deletion mark is set or taken back."""
        code, stream = self.system(system), ORDERS if order % 3 == 0 else CLIENTS
        key = self.key(code, number, stream)
        if key is not None:
            marked = bool(self.life.bases[code].records[stream][key,].get("DeletionMark"))
            self.life.change(code, key, stream, DeletionMark=not marked)

    def delete(self, system: int, number: int) -> None:
        """A client is physically deleted."""
        code = self.system(system)
        key = self.key(code, number)
        if key is not None and len(self.life.keys(code)) > 2:
            self.life.bases[code].delete(CLIENTS, key)

    def lose(self, system: int, after: int, then: int) -> None:
        """An answer to a write is lost; perhaps the system cannot be reached after that either."""
        code = self.system(system)
        errors = [RetryLater("source_unreachable", system=code)] * (then % 4)
        self.life.bases[code].lose("after" if after % 2 else "before", *errors)

    def fail(self, system: int, times: int) -> None:
        """The next requests fail."""
        code = self.system(system)
        self.life.bases[code].fail(*[RetryLater("source_unreachable", system=code)] * (times % 3 + 1))

    def between(self, system: int, client: int, name: int) -> None:
        """Somebody edits between the connector's look and its write."""
        code = self.system(system)
        heeds = self.life.bases[code].habits.heeds_version

        def act() -> None:
            key = self.key(code, client)
            if key is not None:
                text = self.life.text()
                if not heeds:
                    self.life.excused.add(text)
                self.life.edit(code, key, list(TEXTS)[name % len(TEXTS)], text)

        self.life.bases[code].between(act)

    def night(self, dies_at: int, shuffle: int) -> None:
        """One exchange; the process may die in it, and the routes come in another order."""
        order = [f"{code}.{entity}" for entity in ENTITIES for code in self.systems]
        random.Random(shuffle).shuffle(order)
        self.life.night(dies_at=dies_at, order=order[: max(1, len(order) - shuffle % 2)])

    def changes(self, systems: int, dies_at: int) -> None:
        """What has changed in some of the systems, by the cheapest way of each."""
        self.life.changes(self.systems[: 1 + systems % len(self.systems)], dies_at=dies_at)

    def backfill(self, system: int, days: int, dies_at: int) -> None:
        """A system's last days are read again."""
        self.life.backfill(self.system(system), days % 4, dies_at=dies_at)

    def judge(self, number: int, approve: bool) -> None:
        """An admin's word on one change that the brakes hold back."""
        self.life.judge(number, "approve" if approve else "reject")

    def approve(self) -> None:
        """An admin lets pass what waits, and tries anew what failed."""
        self.life.approve()
        self.life.retry()

    def answer(self, number: int, ours: bool) -> None:
        """A person decides a conflict."""
        found = self.life.rows(core.conflict, core.conflict.c.state == "open")
        found = [row for row in found if row["field"] != STATE] or found
        if found:
            self.life.answer(found[number % len(found)]["id"], ours=ours)

    def pin(self, system: int, client: int, value: int) -> None:
        """A person pins a comment, or takes the pin back."""
        code = self.system(system)
        key = self.key(code, client)
        record = self.life.record(code, key) if key is not None else None
        if record is not None and self.life.reports:
            self.life.pin("party", record, "comment", self.life.text() if value % 4 else None)


def live(store: Store, home: Path, seed: int, steps: int, systems: dict[str, str], clock: Clock) -> Life:
    """One life; what must always hold is looked at after each night, and in the end what ``why`` says of it."""
    with recording(store):
        return _live(store, home, seed, steps, systems, clock)


def _live(store: Store, home: Path, seed: int, steps: int, systems: dict[str, str], clock: Clock) -> Life:
    rng = random.Random(seed)
    life = born(store, home, rng, systems, clock)
    acts = Acts(life)

    def n() -> int:
        return rng.randrange(1000)

    chances: list[tuple[int, Callable[[], Any]]] = [
        (1, lambda: acts.make(n(), n())),
        (1, lambda: acts.order(n(), n())),
        (10, lambda: acts.edit(n(), n(), n(), n())),
        (1, lambda: acts.edit_order(n(), n())),
        (3, lambda: acts.phones(n(), n(), n())),
        (1, lambda: acts.rename(n(), n(), n())),
        (1, lambda: acts.mark(n(), n(), n())),
        (1, lambda: acts.delete(n(), n())),
        (2, lambda: acts.lose(n(), n(), n())),
        (1, lambda: acts.fail(n(), n())),
        (2, lambda: acts.between(n(), n(), n())),
        (8, lambda: acts.night(rng.choice([0, 0, rng.randrange(1, 80)]), n())),
        (3, lambda: acts.changes(n(), rng.choice([0, 0, 0, rng.randrange(1, 60)]))),
        (1, lambda: acts.backfill(n(), n(), 0)),
        (2, lambda: acts.judge(n(), rng.random() < 0.6)),
        (2, acts.approve),
        (2, lambda: acts.answer(n(), rng.random() < 0.5)),
        (1, lambda: acts.pin(n(), n(), n())),
    ]
    for number in range(rng.randint(1, 3)):
        for code in systems:
            if number == 0 or rng.random() < 0.6:
                life.new_client(code, number)
    if rng.random() < 0.5:
        life.night()
        life.approve()
        life.night()
    weights = [weight for weight, _ in chances]
    for _ in range(steps):
        nights = len(life.reports)
        rng.choices([act for _, act in chances], weights)[0]()
        if len(life.reports) > nights:
            assert_sound(life)
    rest(life)
    return life


def rest(life: Life) -> None:
    """In the end there is peace, the brakes are off, and everything must come to rest."""
    settle(life)
    life.release()
    life.approve()
    life.retry()
    settle(life)
    assert_at_rest(life)
    assert assert_why(life)
