"""One contestant of ``bench.mail``, one process: prints its CPU seconds, memory and commands as one line of JSON.

``plan``: the connector alone, writing down what it fetches; ``bare``: imapclient alone fetching that very same;
``clients``: those whom the letters may be of are read from a CRM; ``hub``: an exchange of the mailbox, fetched, stored,
matched and threaded; run again on the same store it is the second, empty sync.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from imapclient import IMAPClient
from sqlalchemy import func, select

from bench import measure
from connectors.base import Connector, ReadRequest
from connectors.imap.config import ImapSettings
from connectors.imap.connector import Imap
from connectors.imap.session import Session
from connectors.registry import open_connector
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import Settings, SystemSettings
from hub.model.settings_comms import MailSettings
from hub.store import comms_tables
from hub.store.database import open_store
from tests.connectors.imap.dovecot import PASSWORD

HOUSE = Path(__file__).parents[1]
USER = "bench@own.example"
#: How many persons write; the CRM knows each second of them.
SENDERS = 2000


def address(n: int) -> str:
    """The mailbox of a sender, at a firm of its own."""
    return f"client{n}@firm{n}.example"


def connector(port: int) -> Imap:
    """To the mailbox at that port."""
    return Imap(
        ImapSettings(f"imap://127.0.0.1:{port}", USER, lambda: PASSWORD, title="bench", timezone="Europe/Moscow")
    )


def plan(port: int, file: Path) -> dict[str, Any]:
    """Read everything, and write down each FETCH."""
    fetched: list[list[Any]] = []
    fetch = Session.fetch

    def noted(session: Session, uids: Any, *items: str) -> Any:
        fetched.append([session.folder, sorted(uids), [item for item in items if item != "UID"]])
        return fetch(session, uids, *items)

    Session.fetch = noted  # type: ignore[method-assign, assignment]
    opened = connector(port)
    number = sum(len(page.records) for page in opened.read(ReadRequest("messages", key=("location",), page_size=500)))
    file.write_text(json.dumps(fetched))
    return {"records": number, "commands": opened.traffic.requests}


def bare(port: int, file: Path) -> dict[str, Any]:
    """The same FETCH commands by imapclient, nothing else."""
    fetched = json.loads(file.read_text())
    number, folder = 0, ""
    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login(USER, PASSWORD)
        for name, uids, items in fetched:
            if name != folder:
                client.select_folder(name, readonly=True)
                folder = name
            number += len(client.fetch(uids, items))
    return {"records": number, "commands": len(fetched)}


def _hub(url: str, home: Path, opened: Imap) -> Hub:
    systems = {
        "crm": SystemSettings("crm", "sql", "Europe/Moscow", "crm_sql", url=f"sqlite:///{home / 'crm.db'}"),
        "mail": SystemSettings("mail", "imap", "Europe/Moscow", "mail", mail=MailSettings()),
    }
    settings = Settings(home, home / "hub.yaml", "Europe/Moscow", "", systems=systems)
    store = open_store(url)
    store.migrate()

    def opener(system: SystemSettings, cache: Path | None) -> Connector:
        return opened if system.code == "mail" else open_connector(system, cache)

    return Hub(settings, store, opener)


def clients(port: int, url: str, home: Path) -> dict[str, Any]:
    """Each second of the senders comes from a CRM: a run of its own, which is not measured."""
    base = home / "crm.db"
    if not base.exists():
        with closing(sqlite3.connect(base)) as conn, conn:
            conn.executescript((HOUSE / "stand/crm/schema.sql").read_text(encoding="utf-8"))
            told = [(str(n), f"Клиент номер {n}", address(n)) for n in range(0, SENDERS, 2)]
            row = "INSERT INTO clients (id, name, updated_at) VALUES (?, ?, '2024-01-01 00:00:00')"
            conn.executemany(row, [one[:2] for one in told])
            row = "INSERT INTO client_contacts (client_id, kind, value) VALUES (?, 'email', ?)"
            conn.executemany(row, [one[::2] for one in told])
    report = run_exchange(_hub(url, home, connector(port)), ["crm.party"])
    assert report.state == "completed", report.routes[0].error
    return {"records": report.routes[0].counters.received}


def hub(port: int, url: str, home: Path) -> dict[str, Any]:
    """An exchange of the mailbox."""
    opened = connector(port)
    made = _hub(url, home, opened)
    made.profile("mail")
    before, wall, commands = measure.cpu(), time.monotonic(), opened.traffic.requests
    report = run_exchange(made, ["mail.activity"])
    assert report.state == "completed", report.routes[0].error
    counters = report.routes[0].counters
    opened.close()
    with made.store.read() as conn:
        table = comms_tables.activity_match
        matched = conn.execute(select(func.count()).where(table.c.state == "matched")).scalar_one()
        threads = conn.execute(select(func.count(table.c.thread_id.distinct()))).scalar_one()
    return {
        "matched": matched,
        "threads": threads,
        "records": counters.received,
        "created": counters.created,
        "quarantined": counters.quarantined,
        "commands": opened.traffic.requests - commands - 1,  # the first is the connection itself
        "cpu": measure.cpu() - before,
        "wall": time.monotonic() - wall,
    }


def main() -> None:
    contestant, port, *rest = sys.argv[1:]
    before, wall = measure.cpu(), time.monotonic()
    if contestant in {"clients", "hub"}:
        told = {"clients": clients, "hub": hub}[contestant](int(port), rest[0], Path(rest[1]))
    else:
        told = {"plan": plan, "bare": bare}[contestant](int(port), Path(rest[0]))
    told = {"cpu": measure.cpu() - before, "wall": time.monotonic() - wall, "rss": measure.peak_rss_mb()} | told
    print(json.dumps(told))


if __name__ == "__main__":
    main()
