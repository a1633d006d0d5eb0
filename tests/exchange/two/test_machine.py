"""A state machine over systems that exchange through one hub: whatever is done to them, nothing is lost or doubled."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.store.database import Store, open_store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.lives import THREE, TWO, Acts, born, live, rest
from tests.exchange.two.proof import assert_sound
from tests.exchange.two.recorded import recording

#: Which of the things that are there an act is about.
ANY = st.integers(0, 11)
#: A step of a night at which the process dies; most nights it does not.
STEP = st.one_of(st.just(0), st.integers(1, 90))


class Machine(RuleBasedStateMachine):
    """``stores`` makes an empty store for one life, with what is to be called when the life is over."""

    stores: Callable[[], tuple[Store, Path, Callable[[], None]]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.nights = 0
        store, home, done = type(self).stores()
        self.stack.callback(done)
        self.store, self.home = store, home
        self.clock = self.stack.enter_context(ticking(Clock()))
        self.stack.enter_context(recording(store))

    @initialize(seed=st.integers(0, 1000), three=st.booleans(), met=st.booleans())
    def begin(self, seed: int, three: bool, met: bool) -> None:
        """Systems with a few clients that some of them share; with ``met`` the first nights are over."""
        rng, systems = random.Random(seed), THREE if three else TWO
        self.life = born(self.store, self.home, rng, systems, self.clock)
        for number in range(2):
            for code in systems:
                self.life.new_client(code, number)
        self.acts = Acts(self.life)
        if met:
            self.life.night()
            self.life.approve()
            self.life.night()

    @rule(system=ANY, inn=ANY)
    def make(self, system: int, inn: int) -> None:
        """A new client."""
        self.acts.make(system, inn)

    @rule(system=ANY, client=ANY)
    def order(self, system: int, client: int) -> None:
        """A new order."""
        self.acts.order(system, client)

    @rule(system=ANY, client=ANY, name=ANY, how=ANY)
    def edit(self, system: int, client: int, name: int, how: int) -> None:
        """A text changes, or is emptied."""
        self.acts.edit(system, client, name, how)

    @rule(system=ANY, client=ANY, which=ANY)
    def phones(self, system: int, client: int, which: int) -> None:
        """Phones change."""
        self.acts.phones(system, client, which)

    @rule(system=ANY, client=ANY, inn=ANY)
    def rename(self, system: int, client: int, inn: int) -> None:
        """Another ИНН."""
        self.acts.rename(system, client, inn)

    @rule(system=ANY, number=ANY, order=ANY)
    def mark(self, system: int, number: int, order: int) -> None:
        """A mark is set or taken back."""
        self.acts.mark(system, number, order)

    @rule(system=ANY, number=ANY)
    def remove(self, system: int, number: int) -> None:
        """A client is physically deleted."""
        self.acts.delete(system, number)

    @rule(system=ANY, after=ANY, then=ANY)
    def lose(self, system: int, after: int, then: int) -> None:
        """An answer will be lost."""
        self.acts.lose(system, after, then)

    @rule(system=ANY, times=ANY)
    def fail(self, system: int, times: int) -> None:
        """Requests will fail."""
        self.acts.fail(system, times)

    @rule(system=ANY, client=ANY, name=ANY)
    def between(self, system: int, client: int, name: int) -> None:
        """Somebody will edit between a look and a write."""
        self.acts.between(system, client, name)

    @rule(dies_at=STEP, shuffle=ANY)
    def night(self, dies_at: int, shuffle: int) -> None:
        """An exchange."""
        self.acts.night(dies_at, shuffle)

    @rule(systems=ANY, dies_at=STEP)
    def changes(self, systems: int, dies_at: int) -> None:
        """Only what has changed: by a feed, by dates, by windows."""
        self.acts.changes(systems, dies_at)

    @rule(system=ANY, days=ANY, dies_at=STEP)
    def backfill(self, system: int, days: int, dies_at: int) -> None:
        """A silent reading of some days in between."""
        self.acts.backfill(system, days, dies_at)

    @rule(number=ANY, approve=st.booleans())
    def judge(self, number: int, approve: bool) -> None:
        """An admin's word on what the brakes hold back."""
        self.acts.judge(number, approve)

    @rule()
    def approve(self) -> None:
        """An admin lets everything pass."""
        self.acts.approve()

    @rule(number=ANY, ours=st.booleans())
    def answer(self, number: int, ours: bool) -> None:
        """A person decides a conflict."""
        self.acts.answer(number, ours)

    @precondition(lambda self: self.life.reports)
    @rule(system=ANY, client=ANY, value=ANY)
    def pin(self, system: int, client: int, value: int) -> None:
        """A person pins a comment, or takes the pin back."""
        self.acts.pin(system, client, value)

    @invariant()
    def is_sound(self) -> None:
        """After each night."""
        if hasattr(self, "life") and len(self.life.reports) > self.nights:
            self.nights = len(self.life.reports)
            assert_sound(self.life)

    def teardown(self) -> None:
        """In the end there is peace, and everything must come to rest."""
        try:
            if hasattr(self, "life"):
                rest(self.life)
        finally:
            self.stack.close()


def play(stores: Callable[[], tuple[Store, Path, Callable[[], None]]], examples: int, steps: int) -> int:
    """Run the machine on these stores, always the same lives; how many there were."""
    begun = []

    def counted() -> tuple[Store, Path, Callable[[], None]]:
        begun.append(1)
        return stores()

    machine = type("Lives", (Machine,), {"stores": staticmethod(counted)})
    told = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=told)
    return len(begun)


@pytest.fixture
def files(sqlite_template: Path) -> Callable[[], tuple[Store, Path, Callable[[], None]]]:
    """A file of its own for each life."""

    def made() -> tuple[Store, Path, Callable[[], None]]:
        home = Path(tempfile.mkdtemp(prefix="obmen_life_"))
        shutil.copyfile(sqlite_template, home / "store.db")
        store = open_store(f"sqlite:///{home / 'store.db'}")

        def done() -> None:
            store.close()
            shutil.rmtree(home, ignore_errors=True)

        return store, home, done

    return made


def test_lives(files: Callable[[], Any]) -> None:
    """A few short lives, always the same ones."""
    assert play(files, examples=8, steps=20) >= 8


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_lives(files: Callable[[], Any]) -> None:
    """Many long lives."""
    assert play(files, examples=150, steps=50) >= 150


@pytest.mark.parametrize("seed", range(100, 102))
def test_a_life_on_either_database(store: Store, tmp_path: Path, seed: int) -> None:
    """The same on PostgreSQL, too."""
    with ticking(Clock()) as clock:
        assert live(store, tmp_path, seed, 25, TWO, clock).reports


@pytest.mark.parametrize("seed", range(4))
def test_a_busy_life(files: Callable[[], Any], seed: int) -> None:
    """Lives with more edits of fewer clients than the machine comes to."""
    assert _busy(files, seed, 25) > 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 80))
def test_a_long_busy_life(files: Callable[[], Any], seed: int) -> None:
    """The same for long."""
    assert _busy(files, seed, 50) > 2


def _busy(files: Callable[[], Any], seed: int, steps: int) -> int:
    store, home, done = files()
    try:
        with ticking(Clock()) as clock:
            return len(live(store, home, seed, steps, THREE if seed % 4 == 3 else TWO, clock).reports)
    finally:
        done()
