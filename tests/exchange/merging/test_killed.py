"""A process that dies in a merge, its undo or a split has done all of it or nothing, and the next one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from hub.exchange.merging import log
from hub.store import core
from tests.exchange.merging.desk import CONTACTS, Desk
from tests.exchange.two.living import Fuse
from tests.exchange.two.systems import phone
from tests.exchange.unrest import Killed, bury

Act = Callable[[], object]


@contextmanager
def dying(desk: Desk, fuse: Fuse) -> Iterator[None]:
    """Each statement to the store may be the last thing that the process does."""

    def burn(*_: object) -> None:
        fuse.burn()

    engine = desk.two.store.engine
    event.listen(engine, "before_cursor_execute", burn)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", burn)


def killed_everywhere(desk: Desk, act: Act, there: Callable[[], bool], every: int) -> None:
    """Kill the act at each ``every``-th of its statements: nothing of it is there, or all."""
    before, at = desk.everything(), 1
    while True:
        fuse = Fuse()
        fuse.left = at
        try:
            with dying(desk, fuse):
                act()
        except Killed:
            bury(desk.two.store)
            if not there():
                assert desk.everything() == before, f"half done at statement {at}"
        if there():
            return
        at += every


@pytest.mark.parametrize("kind", ["merge", "unmerge", "split"])
def test_killed_between_any_two_steps(desk: Desk, kind: str) -> None:
    """The store is as it was until the transaction is through; the same act is done by the next process."""
    _, other, first, second = desk.pair(**{CONTACTS: [phone("+7 495 1234567")]})
    if kind != "merge":
        run = desk.merge(first, second).run_id
        desk.night()

    def act() -> object:
        if kind == "merge":
            return desk.merge(first, second)
        return desk.unmerge(run) if kind == "unmerge" else desk.split(first, other)

    def done() -> bool:
        return (desk.record("ut2", other) == first) == (kind == "merge")

    killed_everywhere(desk, act, done, every=7)
    assert done()
    states = [row["state"] for row in desk.two.rows(core.exchange_run) if row["mode"] == kind]
    assert states[-1] in {"completed", "failed"}
    assert set(states[:-1]) <= {"failed"}
    with desk.two.store.read() as conn:
        assert len(log.entries(conn, standing=True)) == {"merge": 1, "unmerge": 0, "split": 2}[kind]
    desk.night()
    desk.quiet()
