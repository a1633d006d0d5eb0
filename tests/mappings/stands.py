"""Small stands of each configuration and everything their mappings read, once per session of tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache

import msgspec

from connectors.base import Connector, ReadRequest, StreamInfo
from connectors.registry import open_connector
from hub.exchange.finds import Shelf
from hub.model.settings import SystemSettings
from mappings.compiled import CompiledMapping, CompiledProfile, compile_profile
from mappings.finds import Found
from stand.onec.generate.build import build
from stand.onec.server import OneCStand

#: Profile by the configuration of the stand.
SHAPES = {"ut": "onec_ut11", "unf": "onec_unf", "bp": "onec_bp3"}


@dataclass
class Base:
    """What one stand publishes, its profile fitted to that, and the raw records of every mapping."""

    streams: dict[str, StreamInfo]
    profile: CompiledProfile
    raws: dict[str, list[bytes]] = field(default_factory=dict)
    found: Found = field(default_factory=Found)


@contextmanager
def opened(shape: str) -> Iterator[Connector]:
    """A connector to a stand of that configuration with a few hundred documents."""
    with OneCStand(build(1, clients=60, products=60, orders=200, configuration=shape)) as running:
        system = SystemSettings("base", "onec_odata", "Europe/Moscow", SHAPES[shape], url=running.url)
        with closing(open_connector(system)) as connector:
            yield connector


@cache
def base(shape: str) -> Base:
    """Read once; nothing of it is changed by a test."""
    with opened(shape) as connector:
        streams = connector.streams()
        found = Base(streams, compile_profile(SHAPES[shape], "Europe/Moscow", None, streams))
        for name, mapping in found.profile.mappings.items():
            found.raws[name] = list(mapping.given) or read(connector, mapping)
        found.found = Shelf(connector, found.profile, 100).found(found.profile.mappings.values())
    return found


def read(connector: Connector, mapping: CompiledMapping) -> list[bytes]:
    """Every raw record, with whole tabular parts."""
    request = ReadRequest(mapping.stream, mapping.select, mapping.key, mapping.table)
    return [bytes(raw) for page in connector.read(request) for raw in page.records]


def plain(raw: bytes) -> dict[str, object]:
    """A raw record as data."""
    record: dict[str, object] = msgspec.json.decode(raw)
    return record
