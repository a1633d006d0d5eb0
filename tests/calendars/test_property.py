"""People edit two calendars at random while the hub between them loses answers and is killed: nothing gets lost."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from connectors.calendars.dav.client import Resource
from connectors.calendars.dav.reading import read_record
from hub.exchange.pull import Pull
from hub.exchange.push.push import Push
from hub.exchange.service import run_exchange
from hub.store.database import open_store
from tests.calendars.servers import DavServer, account, event
from tests.calendars.world import World, world
from tests.connectors.server import Reply

SIDES = ("anna", "boris")
#: What people write: field of a record, the property, and values that are told apart.
WORDS = {"summary": "SUMMARY", "location": "LOCATION", "description": "DESCRIPTION"}
FAULTS: dict[str, tuple[str, Any]] = {
    "lost_after": ("PUT", "after"),
    "lost_before": ("PUT", "before"),
    "half": ("REPORT", "half"),
    "busy": ("*", Reply(503)),
}
_side, _meeting = st.sampled_from(SIDES), st.integers(0, 2)
_acts = st.one_of(
    st.tuples(st.just("add"), _side, st.just(0)),
    st.tuples(st.sampled_from(tuple(WORDS)), _side, _meeting),
    st.tuples(st.just("move"), _side, _meeting),
    st.tuples(st.just("delete"), _side, _meeting),
)
_trouble = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(tuple(FAULTS)), _side),
    st.tuples(st.just("killed_reading"), st.integers(1, 4)),
    st.tuples(st.just("killed_writing"), st.integers(1, 3)),
)
DAYS = st.lists(st.tuples(st.lists(_acts, max_size=4), _trouble), min_size=2, max_size=4)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Life:
    """What people did. ``said``: last value by meeting, field and side; ``ended``: meetings that somebody deleted."""

    made: World
    said: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    meetings: list[str] = field(default_factory=list)
    number: int = 0

    def act(self, what: str, side: str, which: int) -> None:
        """One thing that a person does in his calendar; nothing where the meeting is not there yet."""
        self.number += 1
        desk = self.made.desks[side]
        if what == "add":
            uid = f"m{self.number}"
            desk.add(uid, event(uid, SUMMARY=f":Новая {self.number}"))
            self.meetings.append(uid)
            self.said[uid, "summary"] = {side: f"Новая {self.number}"}
            return
        if not self.meetings:
            return
        uid = self.meetings[which % len(self.meetings)]
        for href in desk.says(f"UID:{uid}\n"):
            if what == "delete":
                desk.server.delete(href)
                self.ended.add(uid)
            elif what == "move":
                at = f"202602{10 + self.number % 15:02d}T100000"
                self._put(desk, href, "DTSTART", f"DTSTART;TZID=Europe/Moscow:{at}", "DURATION", "DURATION:PT1H")
                self.said.setdefault((uid, "start"), {})[side] = f"2026-02-{10 + self.number % 15:02d}T07:00:00Z"
            else:
                self._put(desk, href, WORDS[what], f"{WORDS[what]}:Слово {self.number}")
                self.said.setdefault((uid, what), {})[side] = f"Слово {self.number}"

    @staticmethod
    def _put(desk: Any, href: str, *lines: str) -> None:
        """Write properties anew, as a calendar program does."""
        text = desk.server.get(href).replace("\r\n ", "")
        names = {*lines[::2], *(("DTEND",) if "DURATION" in lines else ())}
        head, begin, tail = text.partition("BEGIN:VEVENT")  # zones, which have a DTSTART of their own, stand before
        rest = [line for line in tail.split("\r\n")[1:] if line.partition(":")[0].partition(";")[0] not in names]
        desk.server.put(href, head + "\r\n".join([begin, *lines[1::2], *rest]))

    def night(self, trouble: Any) -> None:
        """The hub runs, and something may happen to it."""
        self.made.clock.pass_(hours=8)
        if trouble is None or trouble[0] in FAULTS:
            if trouble is not None:
                self.made.desks[trouble[1]].way.on(*FAULTS[trouble[0]])
            run_exchange(self.made.hub)
            return
        owner, name = (Pull, "commit") if trouble[0] == "killed_reading" else (Push, "_settle")
        left, inner = [trouble[1]], getattr(owner, name)

        def dying(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                raise Killed
            return inner(*args, **more)

        with patch.object(owner, name, dying):
            try:
                run_exchange(self.made.hub)
            except Killed:
                self.made.clock.pass_(hours=1)

    def settle(self) -> None:
        """Quiet nights until nothing is written any more."""
        for desk in self.made.desks.values():
            desk.way.orders.clear()
        for _ in range(6):
            before = self.made.writes()
            self.made.let_go()
            self.made.exchange()
            if self.made.writes() == before:
                return
        raise AssertionError("it does not come to rest")

    def wrong(self) -> list[Any]:
        """Meetings that the two do not show alike, or without what somebody wrote last."""
        shown = {side: self.shown(side) for side in SIDES}
        found: list[Any] = []
        for uid in self.meetings:
            one, other = (shown[side].get(uid) for side in SIDES)
            if uid in self.ended:
                continue
            if one is None or one != other:
                found.append((uid, one, other))
                continue
            for name in (*WORDS, "start"):
                told = self.said.get((uid, name))
                if told is not None and one[name] not in told.values():
                    found.append((uid, name, one[name], told))
        return found

    def shown(self, side: str) -> dict[str, dict[str, Any]]:
        """What a calendar shows of its meetings, by UID."""
        desk, found = self.made.desks[side], {}
        for href, text in desk.texts().items():
            record = read_record("events", Resource(href, "", text.encode()), account("http://x").zone) or {}
            assert record["uid"] not in found, "a meeting stands there twice"
            found[record["uid"]] = {name: record[name] for name in (*WORDS, "start", "end")}
        return found


def lived(days: Any, servers: dict[str, DavServer], template: Path) -> list[Any]:
    """A life of some days, then rest; what is wrong then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        shutil.copyfile(template, path)
        store = open_store(URL.create("sqlite", database=str(path)).render_as_string())
        try:
            with world(store, Path(folder), servers) as made:
                life = Life(made)
                made.exchange()
                for acts, trouble in days:
                    for act in acts:
                        life.act(*act)
                    life.night(trouble)
                life.settle()
                return life.wrong()
        finally:
            store.close()


@pytest.fixture
def servers(radicale: DavServer, xandikos: DavServer) -> dict[str, DavServer]:
    """Anna's and Boris's."""
    return {"anna": radicale, "boris": xandikos}


_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


@given(days=DAYS)
@settings(max_examples=6, derandomize=True, phases=[Phase.generate], **_COMMON)
def test_a_life_between_two_calendars(days: Any, servers: dict[str, DavServer], sqlite_template: Path) -> None:
    """Some lives: both calendars come out the same, each meeting once, with what was written last."""
    assert lived(days, servers, sqlite_template) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(days=DAYS)
@settings(max_examples=60, **_COMMON)
def test_many_lives_between_two_calendars(days: Any, servers: dict[str, DavServer], sqlite_template: Path) -> None:
    """The same of many."""
    assert lived(days, servers, sqlite_template) == []


#: The process dies after a create and before it is noted; the next day somebody edits the meeting.
MADE_AND_FORGOTTEN = [
    ([("add", "anna", 0), ("add", "anna", 0)], None),
    ([("description", "boris", 1), ("add", "boris", 0), ("description", "anna", 1)], ("killed_writing", 1)),
    ([], ("killed_reading", 1)),
    ([("delete", "boris", 0), ("move", "boris", 0), ("move", "boris", 1), ("summary", "boris", 2)], None),
]
KILLED = [
    ([("add", "anna", 0), ("add", "boris", 0)], ("lost_after", "boris")),
    ([("summary", "anna", 0), ("location", "boris", 0)], ("killed_writing", 1)),
    ([("move", "boris", 0), ("description", "anna", 1)], ("killed_reading", 2)),
]


@pytest.mark.parametrize("days", [KILLED, MADE_AND_FORGOTTEN])
def test_a_life_with_every_kind_of_death(days: Any, servers: dict[str, DavServer], sqlite_template: Path) -> None:
    """An answer lost after the create, a kill after a write before it was noted, a kill between two pages."""
    assert lived(days, servers, sqlite_template) == []
