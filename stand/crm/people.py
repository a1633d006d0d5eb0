"""``python -m stand.crm.people FILE DO WHO [VALUE]``: people who work in the CRM, as their program would write it."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

Said = dict[str, Any]
#: The CRM's program writes Moscow time without a zone.
_MOSCOW = timedelta(hours=3)
_WAIT = 30.0


def work(path: Path, do: str, who: str, value: str = "") -> Said:
    """Do as a user of the CRM would; what it was done to, before and after.

    ``who``: of a client its ИНН or a part of its name, of an order its number. ``ValueError`` and ``LookupError`` are
    sentences.
    """
    if do not in DOINGS:
        raise ValueError(f"people know no {do}, they know {', '.join(DOINGS)}")
    if not path.is_file():
        raise LookupError(f"{path} is not there")
    with closing(sqlite3.connect(path, timeout=_WAIT)) as conn, conn:
        return DOINGS[do](conn, who, value)


def client(conn: sqlite3.Connection, who: str) -> tuple[str, str]:
    """Key and name of the one client that is meant. ``LookupError``: none, or several."""
    rows = conn.execute("SELECT id, name, inn FROM clients ORDER BY name").fetchall()
    exact = [row for row in rows if who in row[1:]]
    found = exact or [row for row in rows if who and who.lower() in row[1].lower()]
    if len(found) != 1:
        told = "; ".join(f"{name} {inn or ''}" for _, name, inn in found[:5])
        raise LookupError(f"{len(found)} clients are meant by {who!r}" + (f": {told}" if told else ""))
    return found[0][0], found[0][1]


def _phone(conn: sqlite3.Connection, who: str, value: str) -> Said:
    """The first telephone becomes another one; the only one of a client that had none."""
    key, name = client(conn, who)
    first = "SELECT id, value FROM client_contacts WHERE client_id = ? AND kind = 'phone' ORDER BY id"
    row = conn.execute(first, (key,)).fetchone()
    if row:
        conn.execute("UPDATE client_contacts SET value = ? WHERE id = ?", (value, row[0]))
    else:
        conn.execute("INSERT INTO client_contacts (client_id, kind, value) VALUES (?, 'phone', ?)", (key, value))
    _touch(conn, "clients", key)
    return _said(name, row and row[1], value)


def _field(column: str, convert: Callable[[str], Any] = str) -> Callable[[sqlite3.Connection, str, str], Said]:
    def change(conn: sqlite3.Connection, who: str, value: str) -> Said:
        key, name = client(conn, who)
        (before,) = conn.execute(f"SELECT {column} FROM clients WHERE id = ?", (key,)).fetchone()
        after = convert(value)
        conn.execute(f"UPDATE clients SET {column} = ? WHERE id = ?", (after, key))
        _touch(conn, "clients", key)
        return _said(name, before, after)

    return change


def _line(conn: sqlite3.Connection, who: str, value: str) -> Said:
    """The quantity of the first line becomes another one; its sum and the order's follow."""
    row = conn.execute(
        "SELECT o.id, l.id, l.qty, l.price FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " WHERE o.number = ? ORDER BY l.line_no",
        (who,),
    ).fetchone()
    wanted = float(value)
    if row is None:
        raise LookupError(f"there is no order {who!r} with lines")
    if wanted <= 0:
        raise ValueError("a quantity is above nothing")
    order, line, before, price = row
    amount = (Decimal(str(price)) * Decimal(value)).quantize(Decimal("0.01"))
    conn.execute("UPDATE order_lines SET qty = ?, amount = ? WHERE id = ?", (wanted, float(amount), line))
    total = "SELECT round(sum(amount), 2) FROM order_lines WHERE order_id = ? AND NOT is_cancelled"
    conn.execute(f"UPDATE orders SET total = ({total}) WHERE id = ?", (order, order))
    _touch(conn, "orders", order)
    return {"order": who, "before": before, "after": wanted}


def _touch(conn: sqlite3.Connection, table: str, key: str) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + _MOSCOW
    conn.execute(f"UPDATE {table} SET updated_at = ? WHERE id = ?", (str(now), key))


def _said(name: str, before: Any, after: Any) -> Said:
    return {"client": name, "before": before, "after": after}


DOINGS: dict[str, Callable[[sqlite3.Connection, str, str], Said]] = {
    "phone": _phone,
    "comment": _field("comment"),
    "status": _field("status"),
    "line": _line,
    "delete": _field("is_deleted", lambda value: int(value != "no")),
}


def main(argv: list[str] | None = None) -> int:
    """Do it; prints what was changed, or why nothing was."""
    made = argparse.ArgumentParser(prog="python -m stand.crm.people", description="A user of the CRM edits something")
    made.add_argument("path", type=Path, metavar="FILE", help="the CRM's database")
    made.add_argument("do", choices=DOINGS)
    made.add_argument("who", help="a client: ИНН or a part of its name; an order: its number")
    made.add_argument(
        "value", nargs="?", default="", help="the new telephone, comment, status, quantity; of delete: no"
    )
    asked = made.parse_args(argv)
    try:
        told = work(asked.path, asked.do, asked.who, asked.value)
    except (LookupError, ValueError, sqlite3.Error) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps(told, ensure_ascii=False))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
