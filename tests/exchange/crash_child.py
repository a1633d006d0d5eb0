"""An exchange that kills itself with signal 9 at a given point; run as a process by ``test_crash``.

Usage: ``python -m tests.exchange.crash_child URL BASE_FILE HOME [POINT NTH]``. Without a point it runs to the end.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import compare, cursors, runs, stage, trouble, ways, went_back
from hub.exchange.service import exchange_changes, pull_feed, run_exchange
from hub.store import bulk
from hub.store.database import Store, open_store
from mappings.compiled import CompiledMapping
from tests.exchange.installation import make_hub

CLIENTS = "Catalog_Контрагенты"
ORDERS = "Document_ЗаказКлиента"

#: Where the exchange can be killed: what is wrapped, by name; ``before`` and ``after`` the call.
PLACES: dict[str, tuple[Any, str]] = {
    "heads": (CompiledMapping, "heads"),
    "find_links": (bulk, "find_links"),
    "decode": (CompiledMapping, "decode"),
    "allocate": (bulk, "allocate"),
    "collect": (CompiledMapping, "collect"),
    "insert_missing": (bulk, "insert_missing"),
    "emit": (CompiledMapping, "emit"),
    "insert_rows": (bulk, "insert_rows"),
    "update_rows": (bulk, "update_rows"),
    "quarantine": (trouble, "quarantine"),
    "park": (trouble, "park"),
    "settle": (trouble, "settle"),
    "released_by": (trouble, "released_by"),
    "hold": (runs, "hold"),
    "account": (runs, "account"),
    "cursor": (cursors.Cursor, "save"),
    "savepoint": (stage, "_attempt"),
    "end_route": (runs, "end_route"),
    "acknowledge": (MemoryConnector, "acknowledge"),
    "fetch_by_key": (MemoryConnector, "fetch"),
    "known_versions": (compare, "known_versions"),
    "unseen": (compare, "_unseen"),
}


class Bomb:
    """Counts down calls and kills the process, as a power cut would: nothing is flushed, no handler runs."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _wrap(target: Any, name: str, bomb: Bomb, after: bool) -> None:
    honest: Callable[..., Any] = getattr(target, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not after:
            bomb.tick()
        result = honest(*args, **kwargs)
        if after:
            bomb.tick()
        return result

    setattr(target, name, wrapped)


def _wrap_fetch(bomb: Bomb) -> None:
    honest = MemoryConnector.read

    def read(self: MemoryConnector, request: Any) -> Iterator[Any]:
        for page in honest(self, request):
            bomb.tick()
            yield page

    MemoryConnector.read = read  # type: ignore[method-assign]


def _wrap_commit(bomb: Bomb, after: bool) -> None:
    honest = Store.begin

    @contextmanager
    def begin(self: Store) -> Iterator[Connection]:
        with honest(self) as conn:
            yield conn
            if not after:
                bomb.tick()
        if after:
            bomb.tick()

    Store.begin = begin  # type: ignore[method-assign]


def arm(point: str, nth: int) -> None:
    """Kill this process the ``nth`` time it comes to ``point``: ``fetch``, ``before:emit``, ``after:commit`` …"""
    bomb = Bomb(nth)
    when, _, name = point.rpartition(":")
    if name == "fetch":
        _wrap_fetch(bomb)
    elif name == "commit":
        _wrap_commit(bomb, when == "after")
    else:
        target, attribute = PLACES[name]
        _wrap(target, attribute, bomb, when == "after")


def scenario(store: Store, base_file: Path, home: Path) -> None:
    """Orders before their clients, then everything, a feed with edits and a physical deletion, then a sweep with both.

    Each process begins with the base as it was at first, which is what the hub is told before it starts.
    """
    with patch.dict(ways._DUE, nightly=timedelta(0), weekly=timedelta(0)):
        _scenario(store, base_file, home)


def _scenario(store: Store, base_file: Path, home: Path) -> None:
    base = MemoryBase.load(base_file)
    base._version = time.time_ns() // 1_000_000  # no version is given twice, in whatever process
    hub = make_hub(store, home, {"ut": MemoryConnector(base, page_size=60)})
    with store.begin() as conn:
        runs.close_dead_runs(conn)
    went_back.decide(hub, "ut", "go-on", "test")
    run_exchange(hub, ["ut.sales_order"])
    run_exchange(hub, ["ut.product"])
    run_exchange(hub)
    base.subscribe("n")
    keys = list(base.records[CLIENTS])
    for key in keys[:3]:
        base.put(CLIENTS, base.records[CLIENTS][key] | {"ДополнительнаяИнформация": "из пакета изменений"})
    base.delete(CLIENTS, *keys[3])
    order = next(iter(base.records[ORDERS].values()))
    base.put(ORDERS, order | {"Комментарий": "из пакета изменений"})
    pull_feed(hub, "ut", "n")
    base.put(CLIENTS, base.records[CLIENTS][keys[5]] | {"ДополнительнаяИнформация": "найдено сверкой"})
    base.delete(CLIENTS, *keys[6])
    report = exchange_changes(hub)
    assert {item.error for item in report.routes} == {None}


def main() -> None:
    url, base_file, home, *point = sys.argv[1:]
    store = open_store(url)
    if point:
        arm(point[0], int(point[1]))
    scenario(store, Path(base_file), Path(home))
    store.close()


if __name__ == "__main__":
    main()
