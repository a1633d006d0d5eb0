"""Random histories of several systems and their hub, held against an oracle that replays them whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.engine.cells import STATE, Moment, blank
from hub.engine.codec import decode, encode
from hub.engine.incoming import incoming
from hub.engine.outgoing import Way
from hub.engine.policies import Policy, Rules, StateWord
from tests.engine.oracle import Oracle
from tests.engine.world import System, World, short

ORDER = ("a", "b", "reader")
POLICIES = {
    "name": Policy("master", ORDER),
    "kept": Policy("master", ORDER, on_loss="keep"),
    "note": Policy("latest", ORDER, clearable=True),
    "hint": Policy("latest", ORDER),
    "fill": Policy("fill_empty", ORDER),
    "gap": Policy("fill_empty", ORDER, clearable=True),
    "log": Policy("append_only", ORDER, clearable=True),
    "limit": Policy("manual", ORDER),
    "first": Policy("latest", ORDER, group="person"),
    "last": Policy("latest", ORDER, group="person"),
    "point[x]": Policy("union", ORDER, clearable=True),
    "point[y]": Policy("union", ORDER, clearable=True),
}
PATHS = sorted(POLICIES)
WAY = Way(frozenset(PATHS) | {"point", STATE})


def words(path: str) -> st.SearchStrategy[Any]:
    """Values of a cell, ``None`` for empty."""
    if path == "limit":
        return st.sampled_from([None, 3, 10, 14, 17])
    if path.startswith("point"):
        return st.sampled_from([None, (path, "work"), (path, "home")])
    if path == STATE:
        return st.sampled_from(["active", "active", "marked", "deleted"])
    return st.sampled_from([None, "к", "кот", "кол", "дом"])


History = tuple[list[str], tuple[dict[str, Any], ...], list[tuple[Any, ...]], StateWord]


def edits(paths: list[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Edits of those cells by users of any system."""
    return st.sampled_from(paths).flatmap(
        lambda path: st.tuples(st.sampled_from(["edit", "said"]), st.sampled_from(ORDER), st.just(path), words(path))
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A few cells, so that they meet; three cards of them; and what users and the hub do."""
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2, unique=True))
    paths = sorted({*paths, *(["first", "last"] if {"first", "last"} & set(paths) else [])})
    paths += draw(st.sampled_from([[], [], [STATE]]))
    card = st.fixed_dictionaries({path: words(path) for path in paths})
    shell = st.tuples(st.sampled_from(["read", "push", "push", "crash", "twice"]), st.sampled_from(ORDER))
    acts = st.lists(st.one_of(edits(paths), edits(paths), shell), min_size=12, max_size=30)
    ends: StateWord = draw(st.sampled_from(["propagate", "archive", "ignore", "ask"]))
    return paths, draw(st.tuples(card, card, card)), draw(acts), ends


def play(history: History) -> tuple[World, Oracle]:
    """A world of three systems with those cards and an oracle; ``b`` cuts and rounds, ``reader`` is read only."""
    systems = {
        name: System(
            name, number, {path: value for path, value in card.items() if value is not None or "[" not in path}
        )
        for number, (name, card) in enumerate(zip(ORDER, history[1], strict=True), 1)
    }
    systems["a"].way = systems["b"].way = WAY
    systems["b"].normal = short
    clearable = {path for path, policy in POLICIES.items() if policy.clearable}
    words = {path: policy.word for path, policy in POLICIES.items()}
    oracle = Oracle(list(ORDER), dict(words), clearable, [["first", "last"]], {"a", "b"}, history[3])
    world = World(Rules(POLICIES, state=history[3], state_order=ORDER), systems)
    world.watch = oracle.look
    return world, oracle


def step(world: World, act: tuple[Any, ...]) -> None:
    """One act of a history."""
    if act[0] in {"edit", "said"}:
        world.edit(*act[1:])
        if act[0] == "said":
            world.read(act[1])
    elif act[0] in {"read", "twice"}:
        world.read(act[1])
        if act[0] == "twice":
            again = world.read(act[1])
            assert (*again.changes, *again.conflicts, *again.losses) == (), "the same record delivered twice"
    else:
        world.push(act[1], crash=act[0] == "crash")


def hold_together(world: World, oracle: Oracle, paths: list[str]) -> None:
    """Golden values and guards are the oracle's, and every statement that is not golden is named as lost."""
    golden = world.golden()
    links = {system.name: system.link_id for system in world.systems.values()}
    for path in paths:
        value, guards = oracle.golden(path)
        cell = golden.get(path)
        assert (cell.value if cell else None) == value, path
        assert (set(cell.guards) if cell else set()) == {links[name] for name in guards}, path
    for one in world.known.contributions:
        assert decode(one.link_id, one.system, encode(one), origin=one.origin) == one
        for path, own in one.own.items():
            said = None if own.cleared else own.value
            lost = [loss.value for loss in golden[path].lost if loss.link_id == one.link_id]
            won = said == golden[path].value or (path == STATE and golden[path].link_id == one.link_id)
            assert lost == ([] if won else [said])


def replayed(history: History) -> None:
    """Play it, and hold the engine against the oracle after each act."""
    world, oracle = play(history)
    for act in history[2]:
        before = {path: cell.value for path, cell in world.golden().items()}
        seen = len(world.arrivals)
        step(world, act)
        hold_together(world, oracle, history[0])
        for came, arrival in world.arrivals[seen:]:
            asked, lost = {one.path for one in arrival.conflicts}, {one.edit.path for one in arrival.losses}
            won = {edit.path for edit in came.edits if arrival.golden[edit.path].value == edit.after}
            assert asked.isdisjoint(lost)
            assert won | asked | lost == {edit.path for edit in came.edits}, "a lost edit"
        after = {path: cell.value for path, cell in world.golden().items()}
        for path, value in before.items():
            if value is not None and after[path] is None and STATE not in history[0]:
                assert path in {"note", "gap", "point[x]", "point[y]", "first", "last"}, "empty erased filled"


def rested(history: History) -> None:
    """Play it, then exchange until nothing is owed, and compare the systems."""
    world, oracle = play(history)
    for act in history[2]:
        step(world, act)
    world.settle()
    hold_together(world, oracle, history[0])
    writes, known = world.writes, world.known
    world.settle()
    assert (world.writes, world.known) == (writes, known)
    assert world.refused == []
    for name, system in world.systems.items():
        found = world.contribution(name)
        assert found is not None
        again = incoming(found, system.cells, Moment(world.now, world.now + 9), lists=system.lists, rebase=True)
        assert (again.contribution, again.edits) == (found, ()), "another mapping that sees the same"
    for name in ("a", "b"):
        system = world.systems[name]
        ended = system.cells.get(STATE, "active") != "active"
        for path, cell in world.golden().items():
            may_differ = path in {"kept", STATE} or system.link_id in cell.guards or ended
            if not may_differ and (cell.value is not None or cell.cleared):
                assert blank(system.cells.get(path)) in {system.normal(path, cell.value), cell.value}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_any_history_gives_what_its_replay_gives(history: History) -> None:
    """After every edit, read, write, double delivery and crash: golden, guards and losses as the oracle tells them."""
    replayed(history)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_every_history_comes_to_rest(history: History) -> None:
    """Exchange on and on, and nothing is owed; then re-reading and re-sending do nothing, and the systems agree.

    Where they may differ it is written down: a value tolerated by ``keep``, a clearing not followed, an open question,
    an ended card.
    """
    rested(history)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_many_histories(history: History) -> None:
    """Both of the above, many times more."""
    replayed(history)
    rested(history)


@settings(max_examples=80, deadline=None)
@given(histories(), st.permutations(ORDER), st.data())
def test_the_order_of_reading_does_not_matter(history: History, order: list[str], data: st.DataObject) -> None:
    """Systems read in another order in the same night give the same golden values, but for ``manual``."""
    world, _ = play(history)
    other, _ = play(history)
    for one in (world, other):
        for name in ORDER:
            one.read(name)
    changed = data.draw(st.lists(edits(history[0]), min_size=1, max_size=6))
    night = world.now + 1000
    for one, names in ((world, ORDER), (other, order)):
        for act in changed:
            step(one, act)
        for name in names:
            one.now = night  # one night: who is read first is chance
            one.read(name)
    told = [{path: cell.value for path, cell in one.golden().items() if path != "limit"} for one in (world, other)]
    assert told[0] == told[1]
