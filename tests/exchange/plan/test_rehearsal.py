"""A rehearsal is felt by nobody: not by systems, not by who works on the store meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from connectors.base import Change, FeedPacket, ReadRequest, WriteResult
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import runs
from hub.exchange.plan.make import make_plan
from hub.exchange.plan.rehearsal import RehearsedConnector, rehearsal
from hub.exchange.service import run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import bulk, core, tables
from hub.store.database import Store
from tests.exchange.installation import make_hub


class Deaf(MemoryConnector):
    """A system that must be told nothing, and asked for no feed."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        raise AssertionError("something was written")

    def feed(self, node: str) -> FeedPacket | None:
        raise AssertionError("the feed was asked")

    def acknowledge(self, node: str, number: int) -> None:
        raise AssertionError("something was acknowledged")


def test_the_feed_is_not_asked(store: Store, tmp_path: Path, small_base: MemoryBase) -> None:
    """A route that is read by the feed is read whole by a plan; the node stays as it was, and so does its lease."""
    system = SystemSettings(
        code="ut", kind="memory", timezone="Europe/Moscow", profile="onec_ut11", page_size=20, node="n"
    )
    routes = {"ut.party": RouteSettings("ut.party", read="feed")}
    run_exchange(make_hub(store, tmp_path, {"ut": MemoryConnector(small_base, node="n")}, {"ut": system}, routes))
    hub = make_hub(store, tmp_path, {"ut": Deaf(small_base, node="n")}, {"ut": system}, routes)
    key = next(iter(small_base.records["Catalog_Контрагенты"]))
    record = small_base.records["Catalog_Контрагенты"][key]
    small_base.put("Catalog_Контрагенты", {**record, "НаименованиеПолное": "ООО Другое"})
    node = dict(small_base.nodes["n"].registered)
    assert node
    with store.read() as conn:
        before = conn.execute(select(core.feed_node)).all()
    report = make_plan(hub, ["ut.party"])
    assert [one.error for one in report.run.routes] == [None]
    assert report.counts.by["items"] == {"ut.party": {"update": 1}}
    assert small_base.nodes["n"].registered == node
    with store.read() as conn:
        assert conn.execute(select(core.feed_node)).all() == before


def test_nobody_waits_for_a_rehearsal(store: Store, tmp_path: Path, small_base: MemoryBase) -> None:
    """In the middle of one, all of it written, others hold the routes, change the same rows and number new ones."""
    hub = make_hub(store, tmp_path, {"ut": MemoryConnector(small_base)})
    run_exchange(hub, ["ut.party"])
    (tmp_path / "plans").mkdir()
    key = next(iter(small_base.records["Catalog_Контрагенты"]))
    record = small_base.records["Catalog_Контрагенты"][key]
    small_base.put("Catalog_Контрагенты", {**record, "НаименованиеПолное": "ООО Другое"})
    run = runs.open_run(store, ["ut.party"], mode="manual", initiator="test")
    route = hub.route("ut.party")
    with store.begin() as conn:
        runs.take_route(conn, run, route.id, route.code)
        number = bulk.allocate(conn, "link", 1)[0]
    root = tables.ROOTS["party"]
    with rehearsal(hub, tmp_path / "plans", lambda _: lambda *_told: None) as apart:
        done = run_exchange(apart, ["ut.party"])
        assert [(one.error, one.counters.updated) for one in done.routes] == [(None, 1)]
        with store.begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            runs.hold(conn, run, route.id, route.code)
            conn.execute(update(root).values(row_version=root.c.row_version))
            conn.execute(update(core.system).values(title="Ж"))
            assert bulk.allocate(conn, "link", 1)[0] == number + 1
        with apart.store.begin() as conn:
            assert conn.execute(select(core.system.c.title)).scalar() == ""
            assert bulk.allocate(conn, "link", 1)[0] > number
    with store.begin() as conn:
        runs.hold(conn, run, route.id, route.code)
        assert conn.execute(select(root.c.legal_name).where(root.c.legal_name == "ООО Другое")).all() == []
    assert list((tmp_path / "plans").iterdir()) == []


def test_the_copy_of_a_process_that_was_killed_is_removed(quick: Store, tmp_path: Path, small_base: MemoryBase) -> None:
    """What lies there of a process that is gone is swept by the next plan; the copy of a living one is left alone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = tmp_path / "plans"
    left, living = folder / f".copy-{gone.pid}-x", folder / ".copy-1-x"
    for place in (left, living):
        place.mkdir(parents=True)
        (place / "store.db").write_text("")
    make_plan(make_hub(quick, tmp_path, {"ut": MemoryConnector(small_base)}), ["ut.unit"])
    assert [path.name for path in folder.iterdir() if path.name.startswith(".copy")] == [living.name]


@pytest.mark.parametrize("posting", ["keep", "post"])
def test_a_rehearsed_write_shows_what_it_would_make(small_base: MemoryBase, posting: str) -> None:
    """The record with the change laid over it, now and when it is fetched again; the base has not heard of it."""
    stream = "Document_ЗаказКлиента"
    inner = Deaf(small_base)
    heard: list[tuple[str, str, Change]] = []
    connector = RehearsedConnector("ut", inner, lambda *told: heard.append(told))
    key = next(iter(small_base.records[stream]))
    before = dict(small_base.records[stream][key])
    request = ReadRequest(stream)
    connector.fetch(request, ["|".join(key)])
    change = Change("|".join(key), {"Комментарий": "иначе"}, posting=posting)  # type: ignore[arg-type]
    (result,) = connector.write(stream, [change])
    shown = msgspec.json.decode(result.record or b"")
    expected = {**before, "Комментарий": "иначе", **({"Posted": True} if posting == "post" else {})}
    assert shown == msgspec.json.decode(msgspec.json.encode(expected))
    page = connector.fetch(request, ["|".join(key)])
    assert [msgspec.json.decode(raw) for raw in page.records] == [shown]
    assert small_base.records[stream][key] == before
    assert [told[:2] for told in heard] == [("ut", stream)]
