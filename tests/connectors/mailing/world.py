"""A firm with clients in memory and a list of a mailing service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.base import Connector
from connectors.mailing.connector import Mailing
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.model.settings_comms import MailingSettings
from hub.store import tables
from hub.store.database import Store
from tests.exchange.installation import make_hub

PROFILES = Path(__file__).parent / "profiles"
WRITES = RouteSettings("mm.subscription", write="all", create="always")
SEGMENT = "Розница"


def mailing_system(*subscribe: tuple[str, str]) -> SystemSettings:
    """The service as the system ``mm``."""
    section = MailingSettings("mailman", subscribe=subscribe)
    return SystemSettings("mm", "mailing", "Europe/Moscow", "mailing", "Рассылки", mailing=section)


def clients() -> MemoryBase:
    """An empty base of clients."""
    base = MemoryBase("crm")
    names = dict.fromkeys(("id", "name", "segment", "role"), "Edm.String") | {"consent": "Edm.Boolean"}
    base.define("clients", names, ["id"], {"contacts": {"value": "Edm.String"}})
    return base


@dataclass
class Firm:
    """A hub of clients (``crm``) and one list of a service (``mm``); ``server``: the service past the hub."""

    hub: Hub
    store: Store
    crm: MemoryBase
    server: Any
    list_id: str

    def client(
        self, key: str, *emails: str, segment: str = SEGMENT, consent: bool | None = True, role: str = ""
    ) -> None:
        """A client with these addresses."""
        told = [{"value": one} for one in emails]
        record = {"id": key, "name": key, "segment": segment, "consent": consent, "role": role, "contacts": told}
        self.crm.put("clients", record)

    def night(self, **more: Any) -> RunReport:
        """One exchange without a fault; every record is accounted for."""
        report = run_exchange(self.hub, **more)
        assert {one.route: str(one.error) for one in report.routes if one.error} == {}
        assert {one.route: str(one.error) for one in report.pushes if one.error} == {}
        assert all(one.counters.balanced for one in report.routes)
        return report

    def sent(self, report: RunReport) -> dict[str, int]:
        """What became of what was owed to the service."""
        (found,) = (one.counters for one in report.pushes if one.route.startswith("mm."))
        names = ("confirmed", "superseded", "waiting", "held", "unknown", "failed")
        return {name: n for name in names if (n := getattr(found, name))}

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(select(table)).mappings()]

    @property
    def members(self) -> set[str]:
        """Who is on the list, past the hub."""
        found: set[str] = self.server.members(self.list_id)
        return found

    def known(self) -> dict[str, str]:
        """Status by address, as the store has it; each address once."""
        root = tables.ROOTS["subscription"]
        with self.store.read() as conn:
            rows = conn.execute(select(root.c.email, root.c.status).where(root.c.list == self.list_id)).all()
        assert len(rows) == len({row.email for row in rows})
        return {row.email: row.status for row in rows}

    def party(self, name: str) -> int:
        """Number of a client's card."""
        root = tables.ROOTS["party"]
        with self.store.read() as conn:
            return int(conn.execute(select(root.c.id).where(root.c.display_name == name)).scalar_one())


def make_firm(
    store: Store,
    home: Path,
    server: Any,
    connector: Mailing,
    list_id: str,
    routes: Mapping[str, RouteSettings] | None = None,
) -> Firm:
    """A firm whose retail clients are to be on the list."""
    crm = clients()
    systems = {
        "crm": SystemSettings("crm", "memory", "UTC", "people", page_size=20),
        "mm": mailing_system((list_id, SEGMENT)),
    }
    connectors: dict[str, Connector] = {"crm": MemoryConnector(crm), "mm": connector}
    hub = make_hub(store, home, connectors, systems, {"mm.subscription": WRITES} if routes is None else routes)
    return Firm(hub, store, crm, server, list_id)


def email() -> str:
    """An address that nobody has used yet."""
    return f"{uuid.uuid4().hex[:12]}@example.ru"
