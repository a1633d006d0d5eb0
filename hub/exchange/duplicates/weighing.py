"""Which weights are in force: the shipped ones, or a table that was fitted to this site."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from sqlalchemy import Connection, select

from dedup.weights import CURRENT, VERSIONS, Weights, weights
from hub.exchange.duplicates.statistics import current
from hub.model.errors import NeedsPerson
from hub.store import duplicates


def in_force(conn: Connection) -> Weights:
    """What the last comparison of everything was made with; before the first one, what is shipped."""
    return named(conn, current(conn)[0])


def named(conn: Connection, version: str) -> Weights:
    """A table by its name. ``NeedsPerson``: ``dedup_weights_unknown``; ``dedup_weights_unfit`` for a table whose facts
    are no longer those that are compared.
    """
    if version in VERSIONS:
        return weights(version)
    table = duplicates.weights
    body = conn.execute(select(table.c.body).where(table.c.version == version)).scalar()
    if body is None:
        there = [*VERSIONS, *conn.execute(select(table.c.version).order_by(table.c.run_id)).scalars()]
        raise NeedsPerson("dedup_weights_unknown", version=version, valid=", ".join(there))
    return _parsed(body)


def encoded(table: Weights) -> str:
    """A table as it is kept."""
    return msgspec.json.encode(table).decode()


@lru_cache(maxsize=8)
def _parsed(body: str) -> Weights:
    found = msgspec.json.decode(body, type=Weights)
    shipped = {(fact, level) for fact, levels in weights().levels.items() for level in levels}
    if {(fact, level) for fact, levels in found.levels.items() for level in levels} != shipped:
        raise NeedsPerson("dedup_weights_unfit", version=found.version, shipped=CURRENT)
    return found
