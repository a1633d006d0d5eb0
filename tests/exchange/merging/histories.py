"""Two lives from one history: in one of them records are merged and parted again, in the other nobody ever did."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.exchange.merging import log
from hub.exchange.merging import merge as merging
from hub.exchange.merging import unmerge as undoing
from hub.exchange.pins import pin
from hub.model.settings import RouteSettings
from hub.store import core, tables
from hub.store.database import open_store
from tests.exchange.two.clock import Clock as Ticking
from tests.exchange.two.days import ROUTES, Clock, clock, night
from tests.exchange.two.life import Life
from tests.exchange.two.systems import CLIENTS, Two, client, phone

#: Clients of a family by system: how many each has, all without ИНН, so that nothing joins them but a merge.
CARDS = (("ut", 0), ("ut", 1), ("ut2", 2), ("ut2", 3))
#: Texts that people edit, and whether they may be emptied there.
TEXTS = {"ДополнительнаяИнформация": True, "НаименованиеПолное": False, "Description": False}
CONTACTS = "КонтактнаяИнформация"
Step = tuple[str, int, int, int]
KINDS = ["edit"] * 5 + ["phone"] * 2 + ["drop"] * 2 + ["merge"] * 4 + ["unmerge"] * 3 + ["pin"] * 2
#: One step in so many is a night.
NIGHTS = 7


def draw(seed: int, length: int, families: int = 1) -> list[list[Step]]:
    """What happens on each day to each of the families, and numbers that choose who and how.

    Each family has a history of its own; they have only the nights in common. A day without steps is a night.
    """
    rng = random.Random(seed)
    return [[] if rng.randrange(NIGHTS) == 0 else [_step(rng) for _ in range(families)] for _ in range(length)]


def _step(rng: random.Random) -> Step:
    return rng.choice(KINDS), rng.randrange(100), rng.randrange(100), rng.randrange(100)


class Family:
    """Four clients that nobody confuses with those of other families, and what is done to them in one of two lives."""

    def __init__(self, two: Two, number: int, *, merges: bool) -> None:
        self.two, self.merges, self.number, self.texts = two, merges, number, 0
        self.keys: list[tuple[str, str]] = []
        self.mine: dict[int, list[str]] = {}
        self.records: list[int] = []
        self.began = False
        for system, at in CARDS:
            key = f"00000000-0000-0000-0000-{number:06d}00001{at}"
            told = f"+7 495 {number:06d}{at}"
            record = client(f"Клиент {number}-{at}", "", "", Ref_Key=key, **{CONTACTS: [phone(told)]})
            self.keys.append((system, two.put(system, record)))
            self.mine[at] = [f"+{_digits(told)}"]

    def known(self) -> None:
        """After their first night: the records that the store keeps of them."""
        self.records = [self.two.record(*where) for where in self.keys]

    def live(self, step: Step) -> None:
        kind, *numbers = step
        self.began = self.began or kind == "merge"
        if kind != "pin" or not self.began:  # what is pinned on a merged record is the whole's, and stays there
            getattr(self, f"_{kind}")(*numbers)

    def part(self) -> None:
        """Undo what is still merged."""
        while self.merges and self._standing():
            self._unmerge(0, 0, 0)

    def _text(self) -> str:
        """A text that nobody has typed before: what is typed alike in both lives means the same in both."""
        self.texts += 1
        return f"т{self.number}-{self.texts}"

    def _edit(self, who: int, name: int, how: int) -> None:
        system, key = self.keys[who % len(self.keys)]
        field = list(TEXTS)[name % len(TEXTS)]
        text = self._text()
        self.two.edit(system, key, **{field: "" if TEXTS[field] and how % 6 == 0 else text})

    def _phone(self, who: int, _: int, __: int) -> None:
        """One more phone of their own."""
        at = who % len(self.keys)
        self.texts += 1
        self.mine[at].append(f"+79{self.number:06d}{self.texts:03d}")
        self._phones(at, add=self.mine[at][-1])

    def _drop(self, who: int, which: int, _: int) -> None:
        """One phone of their own less."""
        at = who % len(self.keys)
        if self.mine[at]:
            self._phones(at, drop=self.mine[at].pop(which % len(self.mine[at])))

    def _phones(self, at: int, add: str = "", drop: str = "") -> None:
        system, key = self.keys[at]
        rows = [row for row in self.two.shows(system, key)[CONTACTS] if _digits(row["Представление"]) != _digits(drop)]
        rows += [phone(add)] if add else []
        rows = [{**row, "LineNumber": str(line)} for line, row in enumerate(rows, 1)]
        self.two.edit(system, key, CLIENTS, **{CONTACTS: rows})

    def _pin(self, who: int, _: int, __: int) -> None:
        """A person pins the segment of a record."""
        record = self.records[who % len(self.records)]
        pin(self.two.hub, "party", str(record), "segment", self._text(), by="Анна")

    def _merge(self, one: int, other: int, _: int) -> None:
        if not self.merges:
            return
        records = [self.two.record(*self.keys[number % len(self.keys)]) for number in (one, other)]
        if records[0] != records[1]:
            asked = merging.Asked("party", records[0], (records[1],), "Анна", confirm=True)
            merging.merge(self.two.hub, asked)

    def _unmerge(self, which: int, how: int, _: int) -> None:
        if not self.merges:
            return
        standing = self._standing()
        if standing:
            run = standing[which % len(standing)]
            chosen = undoing.of_run(self.two.hub, run, by="Борис", cascade=True, judge=bool(how % 2))
            undoing.unmerge(self.two.hub, chosen)

    def _standing(self) -> list[int]:
        with self.two.store.read() as conn:
            return [entry.run_id for entry in log.entries(conn, standing=True) if entry.record_id in self.records]


class Lived:
    """One of the two lives of some families: in it they are merged and parted, or nobody ever does."""

    def __init__(self, two: Two, clock: Any, families: int, *, merges: bool) -> None:
        self.two, self.clock, self.merges = two, clock, merges
        self.families = [Family(two, number, merges=merges) for number in range(families)]
        night(two, clock)
        for family in self.families:
            family.known()

    def live(self, days: Sequence[Sequence[Step]]) -> None:
        for day in days:
            for family, step in zip(self.families, day, strict=False):
                family.live(step)
            if not day:
                night(self.two, self.clock)
        for family in self.families:
            family.part()
        for _ in range(4):
            night(self.two, self.clock)

    def state(self) -> dict[str, Any]:
        """What readers and users see, which words count, and what is owed."""
        two = self.two
        golden = {row["id"]: _without(row, "updated_by_run", "row_version") for row in two.rows(tables.ROOTS["party"])}
        children = {
            name: sorted((tuple(_without(row, "seq").items()) for row in two.rows(tables.CHILDREN[name])), key=str)
            for name in ("contact_point", "party_identifier")
        }
        links = [_without(row, "row_hash", "version", "last_run", "first_run") for row in two.rows(core.link)]
        keys = [where for family in self.families for where in family.keys]
        records = [number for family in self.families for number in family.records]
        shown = {key: _telling(two.shows(system, key)) for system, key in keys}
        pins = sorted((row["record_id"], row["field"], str(row["value"])) for row in two.rows(core.pin))
        return {
            "golden": {number: golden[number] for number in records},
            "children": children,
            "links": [row for row in links if row["record_id"] in records],
            "systems": shown,
            "pins": pins,
            "redirects": two.rows(core.redirect),
            "owed": [row["link_id"] for row in two.rows(core.outbox)],
        }


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _telling(record: dict[str, Any]) -> dict[str, Any]:
    """What people see in 1C; how a phone is written is nobody's matter."""
    phones = sorted(_digits(row["Представление"]) for row in record[CONTACTS])
    return {**{name: record[name] or "" for name in TEXTS}, "phones": phones, "marked": record["DeletionMark"]}


@contextmanager
def small(template: Path) -> Iterator[tuple[Two, Clock]]:
    """Two empty systems that are read for clients alone, on a store and a clock of their own."""
    folder = Path(tempfile.mkdtemp(prefix="obmen_merges_"))
    path = folder / "store.db"
    path.write_bytes(template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    try:
        with clock() as made:
            routes = {code: RouteSettings(code, write="all") for code in ROUTES}
            life = Life(store, folder, {"ut": "trade", "ut2": "crm"}, routes, Ticking())
            yield Two(life.hub, store, life.bases), made
    finally:
        store.close()
        shutil.rmtree(folder)


def both(template: Path, days: Sequence[Sequence[Step]], families: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """The end of the life with merges, and of the one without."""
    ends = []
    for merges in (True, False):
        with small(template) as (two, moving):
            lived = Lived(two, moving, families, merges=merges)
            lived.live(days)
            ends.append(lived.state())
    return ends[0], ends[1]
