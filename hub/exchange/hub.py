"""The opened installation: settings, store, systems with their profiles and connectors, and the routes between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, select, update
from xxhash import xxh3_64_hexdigest

from connectors.base import Connector, Traffic
from connectors.registry import open_connector
from hub.exchange.finds import Shelf
from hub.exchange.naming import stream_name
from hub.exchange.quiet import QuietConnector
from hub.exchange.rules import RuleBook
from hub.exchange.rules_flaws import refuse
from hub.model.entities import ENTITIES, Entity
from hub.model.errors import NeedsPerson
from hub.model.settings import RouteSettings, Settings, SystemSettings, load_settings
from hub.store import core
from hub.store.database import Store, open_store
from mappings.compiled import CompiledProfile, compile_profile
from mappings.finds import Found

if TYPE_CHECKING:
    from typing import Self

#: Makes the connector of a system; the folder is for what it need not parse anew.
Opener = Callable[[SystemSettings, Path], Connector]


@dataclass(frozen=True, slots=True)
class Route:
    """System × entity × direction. ``mappings``: names of the mappings that feed it, in load order."""

    id: int
    code: str
    system: str
    entity: Entity
    mappings: tuple[str, ...]
    settings: RouteSettings


class Hub:
    """One per process; opening it touches the store but no network."""

    def __init__(
        self, settings: Settings, store: Store, opener: Opener = open_connector, rules: RuleBook | None = None
    ) -> None:
        self.settings = settings
        #: Who wins and who may write; the declared mappings too.
        self.rules = rules or RuleBook.of(settings)
        self.store = store
        self.routes: dict[str, Route] = {}
        #: Routes that write, by the same codes; their own codes end in ``.push``.
        self.push_routes: dict[str, Route] = {}
        self.streams: dict[str, dict[str, int]] = {}
        self._opener = opener
        self._connectors: dict[str, Connector] = {}
        self._other: dict[str, Route] = {}
        self._live: dict[str, CompiledProfile] = {}
        self._shelves: dict[str, Shelf] = {}
        self._route_of: dict[str, dict[str, int]] = {}
        self._looked: set[tuple[int, str]] = set()
        self._schema_seconds = 0.0
        with store.begin() as conn:
            for system in settings.systems.values():
                self._register(conn, system)

    @classmethod
    def open(cls, home: Path, opener: Opener = open_connector) -> Self:
        """Open the installation of ``home``; ``NeedsPerson`` for settings, rules or mappings that are wrong."""
        settings = load_settings(home)
        rules = RuleBook.of(settings)
        refuse(rules)
        secret = settings.store_password.resolve() if settings.store_password else None
        store = open_store(settings.store_url, secret)
        try:
            store.migrate()
            return cls(settings, store, opener, rules)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Give connections and sessions back."""
        for connector in self._connectors.values():
            connector.close()
        self._connectors.clear()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def system(self, code: str) -> SystemSettings:
        """Settings of one system; ``NeedsPerson(unknown_system)`` lists the valid ones."""
        try:
            return self.settings.systems[code]
        except KeyError:
            raise NeedsPerson("unknown_system", system=code, valid=", ".join(self.settings.systems)) from None

    def route(self, code: str) -> Route:
        """The route of that code; ``NeedsPerson(unknown_route)`` lists the valid ones."""
        try:
            return self.routes[code]
        except KeyError:
            raise NeedsPerson("unknown_route", route=code, valid=", ".join(self.routes)) from None

    def other_route(self, system: str) -> Route:
        """Where records of a change feed are accounted for whose stream no mapping reads."""
        return self._other[system]

    def route_of_stream(self, system: str) -> dict[str, int]:
        """Route ids by the name of the stream that a mapping of the route reads, live or paused."""
        return dict(self._route_of[system])

    def declared(self, system: str) -> CompiledProfile:
        """The system's mappings as their files say, whatever it publishes."""
        return self.rules.profiles[system]

    def streams_of(self, system: str, entity: str) -> list[str]:
        """Names of the streams that the route's mappings read."""
        profile = self.rules.profiles[system]
        return [stream_name(one) for one in profile.mappings.values() if one.entity.name == entity]

    def look_once(self, run_id: int, system: str, *, again: bool = False) -> bool:
        """True the first time a run asks: whether its base is still the one known is looked at once a run.

        ``again``: looking failed, it is to be done by the next who asks.
        """
        key = (run_id, system)
        if again:
            self._looked.discard(key)
        elif key not in self._looked:
            self._looked.add(key)
            return True
        return False

    def traffic(self, system: str) -> Traffic | None:
        """What this process has sent to the system so far; None before the first request."""
        connector = self._connectors.get(system)
        return connector.traffic if connector is not None else None

    def connector(self, system: str) -> Connector:
        """The connector of a system, opened at first use."""
        if system not in self._connectors:
            settings = replace(self.system(system), schema_seconds=self._schema_seconds)
            opened = self._opener(settings, self.settings.home / "cache")
            self._connectors[system] = opened if settings.quiet_hours is None else QuietConnector(opened, settings)
        return self._connectors[system]

    def believe_schemas(self, seconds: float) -> None:
        """Let connectors opened from now on do with a schema that was read less than ``seconds`` ago."""
        self._schema_seconds = seconds

    def profile_hash(self, system: str) -> str:
        """A short text that changes when any live mapping of the system does."""
        prints = sorted(mapping.fingerprint for mapping in self.profile(system).mappings.values())
        return xxh3_64_hexdigest(",".join(map(str, prints)).encode())

    def profile(self, system: str) -> CompiledProfile:
        """The system's mappings, checked against what it publishes now (read once per process)."""
        if system not in self._live:
            settings, connector = self.system(system), self.connector(system)
            self._live[system] = compile_profile(
                settings.profile, settings.timezone, settings.overlay, connector.streams()
            )
            fingerprint = connector.fingerprint()
            with self.store.begin() as conn:
                conn.execute(update(core.system).where(core.system.c.code == system).values(metadata_hash=fingerprint))
        return self._live[system]

    def found(self, system: str, entity: str) -> Found:
        """What the look-ups of the mappings of one route find in the base (each catalogue read once per process)."""
        profile = self.profile(system)
        if system not in self._shelves:
            self._shelves[system] = Shelf(self.connector(system), profile, self.system(system).page_size)
        return self._shelves[system].found(one for one in profile.mappings.values() if one.entity.name == entity)

    def _register(self, conn: Connection, system: SystemSettings) -> None:
        """Rows for the system, its streams and its routes, made where missing."""
        profile = self.rules.profiles[system.code]
        system_id = _ensure(
            conn,
            core.system,
            {"code": system.code},
            {"kind": system.kind, "title": system.title, "timezone": system.timezone},
        )
        entity_of = {stream_name(mapping): mapping.entity.name for mapping in profile.mappings.values()}
        for mapping in profile.mappings.values():
            for stream in mapping.ref_streams:
                entity_of.setdefault(stream, "")
        self.streams[system.code] = {
            name: _ensure(conn, core.stream, {"system_id": system_id, "name": name}, {"entity": entity})
            for name, entity in entity_of.items()
        }
        self._route_of[system.code] = {}
        for name in ENTITIES:
            own = tuple(m.name for m in profile.mappings.values() if m.entity.name == name)
            if own:
                route = self._add_route(conn, system, system_id, ENTITIES[name], own)
                mine = [stream_name(profile.mappings[mapping]) for mapping in own]
                self._route_of[system.code].update(dict.fromkeys(mine, route.id))
        code = f"{system.code}.other"
        number = _ensure(conn, core.route, {"code": code}, _route_values(system_id, ""))
        nothing = Entity("", "Прочее", "Other", "", ())
        self._other[system.code] = Route(number, code, system.code, nothing, (), RouteSettings(code=code))

    def _add_route(
        self, conn: Connection, system: SystemSettings, system_id: int, entity: Entity, mappings: tuple[str, ...]
    ) -> Route:
        code = f"{system.code}.{entity.name}"
        settings = self.settings.routes.get(code) or RouteSettings(code=code)
        number = _ensure(conn, core.route, {"code": code}, _route_values(system_id, entity.name))
        self.routes[code] = Route(number, code, system.code, entity, mappings, settings)
        back = {**_route_values(system_id, entity.name), "direction": "push"}
        number = _ensure(conn, core.route, {"code": f"{code}.push"}, back)
        self.push_routes[code] = Route(number, f"{code}.push", system.code, entity, mappings, settings)
        return self.routes[code]


def _route_values(system_id: int, entity: str) -> dict[str, object]:
    return {"system_id": system_id, "entity": entity, "direction": "pull", "enabled": True}


def _ensure(conn: Connection, table: Table, key: dict[str, object], values: dict[str, object]) -> int:
    """Id of the row with ``key``, inserted with ``values`` where missing; differing values are brought up to date."""
    condition = [table.c[name] == value for name, value in key.items()]
    row = conn.execute(select(table).where(*condition)).mappings().first()
    if row is None:
        return int(conn.execute(table.insert().returning(table.c.id).values(**key, **values)).scalar_one())
    fresh = {n: v for n, v in values.items() if row[n] != v and n not in {"enabled", "direction"} and v != ""}
    if fresh:
        conn.execute(update(table).where(table.c.id == row["id"]).values(**fresh))
    return int(row["id"])
