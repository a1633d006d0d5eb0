"""One contestant of ``bench.mail``, one process: prints its CPU seconds, memory and commands as one line of JSON.

``plan``: the connector alone, writing down what it fetches; ``bare``: imapclient alone fetching that very same;
``hub``: an exchange, fetched and stored; run again on the same store it is the second, empty sync.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from bench import measure
from connectors.base import ReadRequest
from connectors.imap.config import ImapSettings
from connectors.imap.connector import Imap
from connectors.imap.session import Session
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import Settings, SystemSettings
from hub.model.settings_comms import MailSettings
from hub.store.database import open_store
from tests.connectors.imap.dovecot import PASSWORD

USER = "bench@own.example"


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


def hub(port: int, url: str, home: Path) -> dict[str, Any]:
    """An exchange of the mailbox."""
    system = SystemSettings(code="mail", kind="imap", timezone="Europe/Moscow", profile="mail", mail=MailSettings())
    settings = Settings(home, home / "hub.yaml", "Europe/Moscow", "", systems={"mail": system})
    store = open_store(url)
    store.migrate()
    opened = connector(port)
    made = Hub(settings, store, lambda _system, _cache: opened)
    made.profile("mail")
    before, wall, commands = measure.cpu(), time.monotonic(), opened.traffic.requests
    report = run_exchange(made)
    assert report.state == "completed", report.routes[0].error
    counters = report.routes[0].counters
    opened.close()
    return {
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
    if contestant == "hub":
        told = hub(int(port), rest[0], Path(rest[1]))
    else:
        told = {"plan": plan, "bare": bare}[contestant](int(port), Path(rest[0]))
    told = {"cpu": measure.cpu() - before, "wall": time.monotonic() - wall, "rss": measure.peak_rss_mb()} | told
    print(json.dumps(told))


if __name__ == "__main__":
    main()
