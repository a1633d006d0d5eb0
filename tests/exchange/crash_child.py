"""An exchange that kills itself with signal 9 at a given point; run as a process by ``test_crash``.

Usage: ``python -m tests.exchange.crash_child URL BASE_FILE HOME [POINT NTH]``. Without a point it runs to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import cursors, runs, stage, trouble
from hub.exchange.service import pull_feed, run_exchange
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
    """Orders before their clients, then everything, then a change feed with an edit and a physical deletion."""
    base = MemoryBase.load(base_file)
    hub = make_hub(store, home, {"ut": MemoryConnector(base, page_size=60)})
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


def main() -> None:
    url, base_file, home, *point = sys.argv[1:]
    store = open_store(url)
    if point:
        arm(point[0], int(point[1]))
    scenario(store, Path(base_file), Path(home))
    store.close()


if __name__ == "__main__":
    main()
