"""How to play the people of the demo: commands that are ready to be typed, on a client and an order of both systems."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, Select, select

from hub.cli.call import Call
from hub.model.settings import Settings
from hub.store import core, tables
from hub.store.database import open_store


def ways_to_edit(call: Call, settings: Settings, crm: Path, url: str) -> list[str]:
    """Lines for a person. ``url``: of the 1C stand that goes on running, empty when it does not."""
    store = open_store(settings.store_url)
    try:
        with store.read() as conn:
            inn, order = _client(conn), _order(conn)
    finally:
        store.close()
    python = _relative(Path(sys.executable))
    onec = [python, "-m", "stand.onec.people", "{}://{}".format(*urlsplit(url)[:2])] if url else []
    base = [python, "-m", "stand.crm.people", _relative(crm)]
    told = [
        ("demo_edit_phone", base, ["phone", inn, "+7 495 000-00-01"], inn),
        ("demo_edit_comment", onec, ["comment", inn, call.text("demo_edit_words")], inn),
        ("demo_edit_line", onec, ["line", order, "7"], order),
    ]
    lines = [call.text(code, command=shlex.join([*who, *words])) for code, who, words, known in told if who and known]
    if not lines:
        return []
    again = shlex.join([_obmen(), "exchange", "--home", _relative(Path(call.named_home or ""))])
    last = call.text("demo_edit_then", command=again) if url else call.text("demo_edit_later")
    return [call.text("demo_edit"), *(f"  {line}" for line in (*lines, last))]


def _client(conn: Connection) -> str:
    """ИНН of a client that both systems have and of which nothing waits: what is edited in one goes to the other."""
    party, name = tables.ROOTS["party"], tables.CHILDREN["party_identifier"]
    both = _of_both("party")
    found = conn.execute(
        select(name.c.value_norm)
        .join(party, party.c.id == name.c.party_id)
        .where(party.c.id.in_(both), party.c.record_state == "active", name.c.scheme == "inn")
        .order_by(party.c.id)
    )
    return str(found.scalars().first() or "")


def _order(conn: Connection) -> str:
    """Number of such an order."""
    order = tables.ROOTS["sales_order"]
    found = conn.execute(
        select(order.c.number)
        .where(order.c.id.in_(_of_both("sales_order")), order.c.record_state == "active")
        .order_by(order.c.id)
    )
    return str(found.scalars().first() or "")


def _of_both(entity: str) -> Select[tuple[int]]:
    """Records of the entity with a living link in each of the two systems and nothing in the outbox."""
    root, link, stream, system, box = tables.ROOTS[entity], core.link, core.stream, core.system, core.outbox
    query = select(root.c.id)
    for code in ("ut", "crm"):
        linked = (
            select(link.c.id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(system, system.c.id == stream.c.system_id)
            .where(link.c.record_id == root.c.id, link.c.state == "active", system.c.code == code)
        )
        query = query.where(linked.exists())
    owed = select(box.c.id).join(link, link.c.id == box.c.link_id).where(link.c.record_id == root.c.id)
    return query.where(~owed.exists())


def _obmen() -> str:
    """This command as it was called."""
    called = Path(sys.argv[0])
    return _relative(called) if called.stem == "obmen" else "obmen"


def _relative(path: Path) -> str:
    """As a person in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)
