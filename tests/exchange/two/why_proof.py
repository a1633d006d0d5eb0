"""At the end of a life: what ``why`` says of every cell of every card is what a replay of its whole history says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from hub.engine.cells import Contribution
from hub.exchange.cards.card import load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.exchange.showing import Shower
from hub.exchange.why import why
from hub.store import core, tables
from tests.exchange.two.life import ENTITIES, Life
from tests.exchange.two.recorded import Event, Forgotten, Look, Said, history
from tests.exchange.two.replayed import HUB, Replay


def assert_why(life: Life) -> int:
    """Hold them against each other; how many cells were compared."""
    events, links = history(life.store), {row["id"]: row for row in life.rows(core.link)}
    streams = {number: code for code, named in life.hub.streams.items() for number in named.values()}
    systems = {HUB: "hub", **{number: streams[row["stream_id"]] for number, row in links.items()}}
    compared = 0
    for entity in ENTITIES:
        root = tables.ROOTS[entity]
        with life.store.read() as conn:
            records = list(conn.execute(select(root.c.id)).scalars())
        for record in records:
            compared += _record(life, entity, record, events, links, systems)
    return compared


def _record(
    life: Life,
    entity: str,
    record: int,
    events: list[Event],
    links: Mapping[int, Mapping[str, Any]],
    systems: Mapping[int, str],
) -> int:
    layout, refs = layout_of(entity), References()
    here = {number for number, row in links.items() if row["record_id"] == record}
    mine = [one for one in events if (one.record == record if isinstance(one, Said) else one.link in here)]
    told = why(life.hub, entity, str(record))
    with life.store.read() as conn:
        load(conn, entity, [record], refs, lock=False)
        refs.learn(conn, (number for one in mine if isinstance(one, Look) for number in layout.link_ids(one.told)))
        shower = Shower(conn, entity)
        replay = replayed(life, entity, mine, links, systems, refs)
        cells = {cell.path: cell for cell in told.cells}
        for path in sorted({*cells, *replay._paths()}):
            ought, cell = replay.golden(path), cells.get(path)
            lost = sorted((name, str(shower.text(path, value))) for name, value in replay.lost(path))
            if cell is None:
                assert (ought.value, lost) == (None, []), f"{entity} {record} {path}: why is silent of {ought}, {lost}"
                continue
            says = (
                cell.value,
                cell.rule,
                cell.winner.system if cell.winner else None,
                sorted((one.system, str(one.value)) for one in cell.lost),
                cell.stale,
            )
            winner = systems[ought.link] if ought.link is not None else None
            expected = (shower.text(path, ought.value), ought.rule, winner, lost, False)
            assert says == expected, f"{entity} {record} {path}: why {says}, replay {expected}"
    return len(cells)


def replayed(
    life: Life,
    entity: str,
    events: list[Event],
    links: Mapping[int, Mapping[str, Any]],
    systems: Mapping[int, str],
    refs: References,
) -> Replay:
    """The record as its history leaves it."""
    replay = Replay(
        life.hub.rules.rules(entity),
        systems,
        frozenset(number for number, row in links.items() if row["origin"]),
        lambda link, path: life.hub.rules.way(systems[link], entity).may(path, Contribution(link, systems[link])),
        layout_of(entity).same(refs),
    )
    for one in events:
        if isinstance(one, Look):
            replay.look(one)
        elif isinstance(one, Forgotten):
            replay.forget(one)
        else:
            replay.word(one)
    return replay
