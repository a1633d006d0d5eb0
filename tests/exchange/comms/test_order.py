"""Whatever comes first, clients or letters, old ones or new ones: the end is the same."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store import comms_tables, core
from hub.store.database import open_store
from mappings import profile
from tests.exchange.comms.world import PROFILES, Firm, make_firm

HANDLES = ("a@one.ru", "b@one.ru", "c@gmail.com", "d@two.ru")
CLIENTS = ("Ромашка", "Лютик", "Анна", "Пётр")


@dataclass(frozen=True)
class Step:
    """What somebody does, once."""

    what: str
    words: tuple[Any, ...]
    told: tuple[tuple[str, Any], ...] = ()

    def __call__(self, world: Firm) -> None:
        """Do it."""
        getattr(world, self.what)(*self.words, **dict(self.told))


def client_of(name: str, contacts: tuple[str, ...], firm: str | None) -> Step:
    """A client is written down; ``firm``: of a person, whose."""
    return Step("client", (name, name, *contacts), (("firm", firm),))


def letter_of(number: int, handle: str, outbound: bool, answers: int | None, subject: str, minutes: int) -> Step:
    """A letter with one of the handles; ``answers``: the number of a letter that it names, here or not."""
    people = ("sales@firm.ru", handle) if outbound else (handle, "sales@firm.ru")
    named = f"<m{answers}@x>" if answers is not None else ""
    way = "outbound" if outbound else "inbound"
    told = {"direction": way, "subject": subject, "minutes": minutes, "in_reply_to": named}
    return Step("letter", (f"m{number}", *people), tuple(told.items()))


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Step], list[int]]:
    """What people and systems do, and after which steps the hub reads."""
    contacts = st.lists(st.sampled_from(HANDLES), max_size=3, unique=True).map(tuple)
    firms = {name: None if at < 2 else draw(st.sampled_from([None, *CLIENTS[:2]])) for at, name in enumerate(CLIENTS)}
    steps = [client_of(name, draw(contacts), firms[name]) for name in CLIENTS]
    for number in range(draw(st.integers(2, 7))):
        answers = draw(st.one_of(st.none(), st.integers(0, 7)))
        subject = draw(st.sampled_from(["", "Цены", "Re: Цены"]))
        minutes = draw(st.integers(0, 100)) * 1000 - 60000
        steps.append(letter_of(number, draw(st.sampled_from(HANDLES)), draw(st.booleans()), answers, subject, minutes))
    order = draw(st.permutations(range(len(steps))))
    nights = draw(st.lists(st.integers(0, len(steps) - 1), max_size=4))
    return [steps[at] for at in order], nights


def ends(template: Path, steps: list[Step], nights: list[int]) -> tuple[Any, ...]:
    """Matches by letter, and which letters hang together, once all has been read; a night more changes nothing."""
    folder = Path(tempfile.mkdtemp(prefix="obmen_order_"))
    shutil.copyfile(template, folder / "store.db")
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    try:
        world = make_firm(store, folder, page_size=3, systems=(("post", "letters"),))
        for at, step in enumerate(steps):
            step(world)
            if at in nights:
                world.night()
        world.night()
        world.night()
        found = _told(world)
        world.night()
        assert _told(world) == found
        return found
    finally:
        store.close()
        shutil.rmtree(folder)


def _told(world: Firm) -> tuple[Any, ...]:
    """By keys of systems: numbers of ours depend on what came first."""
    keys = {row["record_id"]: row["external_id"] for row in world.rows(core.link)}
    rows: dict[str, set[Any]] = defaultdict(set)
    for row in world.rows(comms_tables.activity_party):
        rows[keys[row["activity_id"]]].add((row["kind"], row["rule"], keys[row["record_id"]], row["handle"]))
    threads: dict[int, set[str]] = defaultdict(set)
    matches = {}
    for row in world.rows(comms_tables.activity_match):
        key = keys[row["activity_id"]]
        matches[key] = (row["state"], row["rule"], frozenset(rows[key]), row["domain"])
        threads[row["thread_id"]].add(key)
    return sorted(matches.items(), key=str), sorted(sorted(one) for one in threads.values())


def _agree(template: Path, steps: list[Step], nights: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile, "ROOT", PROFILES)
        assert ends(template, steps, nights) == ends(template, list(reversed(steps)), [])


_LOOSE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=12, deadline=None, suppress_health_check=_LOOSE)
@given(story=stories())
def test_the_order_of_arrival_is_nothing(sqlite_template: Path, story: tuple[list[Step], list[int]]) -> None:
    """Clients and letters in any order, read in any portions: the same matches by the same rules, the same threads."""
    _agree(sqlite_template, *story)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=150, deadline=None, suppress_health_check=_LOOSE)
@given(story=stories())
def test_the_order_of_arrival_is_nothing_at_all(sqlite_template: Path, story: tuple[list[Step], list[int]]) -> None:
    """The same, many times more."""
    _agree(sqlite_template, *story)
