"""Systems that live while they are exchanged, and processes that die; people are told from the hub."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from connectors.base import ReadRequest
from connectors.memory import MemoryConnector
from connectors.memory_base import MemoryBase, Record
from connectors.memory_write import MemoryTarget
from hub.exchange.cards.card import seconds
from hub.model.records import Page
from hub.store.database import Store
from mappings.compiled import CompiledProfile, compile_specs
from mappings.finds import asked
from mappings.profile import read_profile
from tests.exchange.two.clock import Clock
from tests.exchange.unrest import CHANGED, Killed

#: Of the УТ profile only these are exchanged: a night is then a matter of a tenth of a second.
KEPT = ("counterparty", "sales_order")
#: The reader that feeds of these systems are for.
NODE = "obmen"


#: The zone of these systems, whose clocks show their own "changed at".
_ZONE = ZoneInfo("Europe/Moscow")


@cache
def profile(*, dated: bool = False) -> CompiledProfile:
    """The mappings of clients and orders alone; the bases of these tests publish all that they name.

    ``dated``: records tell when they were changed.
    """
    specs = [spec for spec in read_profile("onec_ut11") if spec.name in KEPT]
    if dated:
        specs = [replace(spec, changed=CHANGED) for spec in specs]
    return compile_specs("onec_ut11", "Europe/Moscow", specs)


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

    ``crushed``: typed texts that the hub wrote over. ``said``: when each text was typed here, in seconds. ``saves``:
    when each record was saved by anybody. ``fast``: seconds by which its clock is ahead; ``None``: it tells no times.
    """

    def __init__(self, name: str, fast: int | None = None) -> None:
        super().__init__(name)
        self.fast = fast
        self.saves: dict[str, list[int]] = defaultdict(list)
        self.typed: dict[tuple[str, str, str], str] = {}
        self.crushed: list[tuple[str, str, str, str]] = []
        self.made: dict[str, str] = {}
        self.said: dict[str, int] = {}
        self.clock: Clock | None = None
        self._human = False
        for mapping in profile().mappings.values():
            self.define(mapping.stream, dict.fromkeys((*mapping.select, CHANGED), "Edm.String"))
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
        if self.clock is not None:
            self.saves[key].append(seconds(self.clock.at))
        if self.clock is not None and self.fast is not None:
            told = (self.clock.at + timedelta(seconds=self.fast)).astimezone(_ZONE)
            record = {**record, CHANGED: f"{told:%Y-%m-%dT%H:%M:%S}"}
        super().put(stream, record)


class MortalConnector(MemoryConnector):
    """A connector in a process that may die before and after each of its requests."""

    def __init__(self, base: MemoryBase, title: str, fuse: Fuse) -> None:
        super().__init__(base, title, NODE)
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
