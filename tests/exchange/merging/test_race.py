"""A page that comes in the middle of a merge waits for it, and finds its record where it hangs then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from hub.exchange.merging import finish as finishing
from hub.exchange.merging import merge as merging
from hub.store import core
from tests.exchange.merging.desk import COMMENT, Desk


def meanwhile(desk: Desk, first: int, second: int, act: Callable[[], Any]) -> None:
    """Merge, and let ``act`` begin when the links have moved, and the merge is not through yet."""
    honest, begun, threads = finishing.finish, threading.Event(), list[threading.Thread]()

    def started() -> None:
        begun.set()
        act()

    def slow(*args: Any, **more: Any) -> None:
        threads.append(threading.Thread(target=started))
        threads[0].start()
        assert begun.wait(10)
        time.sleep(1.0)  # long enough for the other to come to the lock; should it not, the test proves less
        honest(*args, **more)

    with patch.object(merging, "finish", slow):
        desk.merge(first, second)
    threads[0].join(60)
    assert not threads[0].is_alive()


def test_a_page_that_comes_meanwhile_finds_the_survivor(desk: Desk) -> None:
    """The loser's record was edited, and is read while the merge goes on: the edit arrives at the survivor."""
    one, other, first, second = desk.pair()
    desk.two.edit("ut2", other, **{COMMENT: "в это время"})
    failures: list[BaseException] = []

    def act() -> None:
        try:
            desk.night("ut2.party")
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    meanwhile(desk, first, second, act)
    assert failures == []
    assert desk.two.rows(core.quarantine) == []
    desk.night()
    assert desk.row(first)["comment"] == desk.shows("ut", one) == "в это время"
    assert desk.record("ut2", other) == first
    desk.quiet()
