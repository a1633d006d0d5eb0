"""A hub between calendars on real servers, and the people who use them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select, update

from connectors.base import Connector
from connectors.calendars.dav.connector import CalDav
from hub.exchange import runs
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.calendars.servers import Between, DavServer, account, between
from tests.exchange.installation import make_hub
from tests.golden.world import Clock

EVERYTHING = RouteSettings("", write="all", create="always", deletion="propagate")


@dataclass
class Desk:
    """One calendar of one server, as its owner sees it."""

    server: DavServer
    path: str
    way: Between
    timezone: str = "Europe/Moscow"

    def connect(self) -> CalDav:
        """A connector to it."""
        return CalDav(account(self.way.root + self.path, timezone=self.timezone))

    def add(self, name: str, text: str) -> str:
        """Put a resource there; its path."""
        href = f"{self.path}{name}.ics"
        status, _, body = self.server.put(href, text)
        assert status in {201, 204}, (status, body)
        return href

    def texts(self) -> dict[str, str]:
        """All resources by path."""
        return {href: self.server.get(href) or "" for href in self.server.hrefs(self.path)}

    def says(self, part: str) -> list[str]:
        """Paths of the resources that contain a text, in any folding."""
        return [href for href, text in self.texts().items() if part in unfolded(text)]


def _plain(value: Any) -> Any:
    """Moments as texts."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value


def unfolded(text: str) -> str:
    """The lines of a resource, whole."""
    return re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n")


class _Watch(datetime):
    """What the exchange takes for ``datetime``: nights are apart, however fast the machine is."""

    clock: Clock

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.clock.now(tz)


@dataclass
class World:
    """A hub between calendars; ``desks`` by the code of the system."""

    hub: Hub
    store: Store
    desks: Mapping[str, Desk]
    clock: Clock
    last: RunReport | None = None

    def exchange(self, *routes: str) -> RunReport:
        """One night, some hours after what people did."""
        self.clock.pass_(hours=8)
        self.last = run_exchange(self.hub, list(routes) or None)
        assert {one.route: str(one.error) for one in self.last.routes if one.error} == {}
        return self.last

    def quiet(self) -> None:
        """Another night changes nothing and writes nothing."""
        writes, log = self.writes(), self.rows(core.change_log)
        self.exchange()
        assert self.writes() == writes
        assert self.rows(core.change_log) == log
        assert [row for row in self.rows(core.outbox) if row["state"] != "failed"] == []

    def writes(self) -> int:
        """Requests that wrote, so far."""
        found = (self.hub.traffic(code) for code in self.desks)
        return sum(traffic.writes for traffic in found if traffic is not None)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self.store.read() as conn:
            found = conn.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            return [{name: _plain(value) for name, value in row.items()} for row in found]

    def meetings(self) -> list[dict[str, Any]]:
        """The golden meetings."""
        return self.rows(tables.ROOTS["activity"])

    def tasks(self) -> list[dict[str, Any]]:
        """The golden tasks."""
        return self.rows(tables.ROOTS["task"])

    def children(self, name: str) -> list[dict[str, Any]]:
        """Rows of a child table."""
        return self.rows(tables.CHILDREN[name])

    def let_go(self) -> None:
        """What waits for a moment only is due now."""
        with self.store.begin() as conn:
            conn.execute(update(core.outbox).where(core.outbox.c.next_at.is_not(None)).values(next_at=None))


@contextmanager
def world(
    store: Store,
    home: Path,
    servers: Mapping[str, DavServer],
    routes: Mapping[str, RouteSettings] | None = None,
    paths: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A hub between new calendars on ``servers``, by code of the system; each takes and makes everything."""
    _Watch.clock = Clock()
    with ExitStack() as stack, patch.object(runs, "datetime", _Watch):
        desks: dict[str, Desk] = {}
        settings: dict[str, SystemSettings] = {}
        connectors: dict[str, Connector] = {}
        for code, server in servers.items():
            way = stack.enter_context(between(server))
            desks[code] = Desk(server, (paths or {}).get(code) or server.calendar(), way)
            connectors[code] = desks[code].connect()
            stack.callback(connectors[code].close)
            url = way.root + desks[code].path
            settings[code] = SystemSettings(code, "caldav", "Europe/Moscow", "calendar", url=url)
        default = {f"{code}.{entity}": EVERYTHING for code in servers for entity in ("activity", "task")}
        wanted = {code: replace(one, code=code) for code, one in {**default, **(routes or {})}.items()}
        yield World(make_hub(store, home, connectors, settings, wanted), store, desks, _Watch.clock)
