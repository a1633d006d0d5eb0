"""Fills the file: calls of the last two weeks, most of them of clients whose telephones are in the 1C stand."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path

from stand.crm import SHARED_WITH
from stand.onec.configurations import UT
from stand.onec.generate.build import TODAY
from stand.onec.generate.catalogs import Base, make_catalogs
from stand.onec.generate.luck import Luck
from stand.onec.generate.parties import make_parties
from stand.onec.world import World
from stand.pbx.calls import EXTENSIONS, KINDS, ZONE, Exchange, Row

#: The office's own number.
OWN = "74951112233"
_SCHEMA = Path(__file__).with_name("schema.sql")
_DAYS = 14
#: How often each kind happens among so many calls.
_USUAL = (
    *("answered",) * 8,
    *("queue",) * 4,
    *("outbound",) * 4,
    *("missed",) * 2,
    *("called_back",) * 2,
    "given_up",
    "abandoned",
    *("transfer",) * 2,
    "busy",
    "hidden",
    "internal",
)
#: One in so many callers is nobody whom the office knows.
_UNKNOWN = 0.12


def clients_phones(seed: int = 1, today: date = TODAY) -> list[str]:
    """Telephones of the first clients of the 1C stand of this seed, as providers write them (``79161234567``).

    Only numbers that are whole: people type others as well.
    """
    base = Base(World(UT), Luck(seed), today)
    make_catalogs(base)
    found: dict[str, None] = {}
    for client in make_parties(base, SHARED_WITH):
        for text in client.contacts.phones:
            digits = re.sub(r"\D", "", re.split(r"[,;]|доб", text)[0])
            if len(digits) >= 10:
                found.setdefault(f"7{digits[-10:]}")
    return list(found)


def build_pbx(path: Path, seed: int = 1, calls: int = 120, today: date = TODAY) -> dict[str, int]:
    """Make the file ``path``; how many rows each table holds. Equal arguments make equal content."""
    luck, exchange = Luck(seed * 6007 + 11), Exchange(OWN)
    known = clients_phones(seed, today)
    for moment in sorted(_moment(luck, today) for _ in range(calls)):
        stranger = luck.chance(_UNKNOWN)
        src = f"79{luck.whole(0, 8)}{luck.digits(8)}" if stranger else luck.pick(known)
        KINDS[luck.pick(_USUAL)](exchange, moment, _spelled(luck, src), luck.pick(EXTENSIONS), luck.whole(15, 400))
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(_SCHEMA.read_text(encoding="utf-8"))
        _write(conn, exchange)
        conn.commit()
    return {table: len(rows) for table, rows in exchange.rows.items()}


def add_call(
    path: Path,
    kind: str = "answered",
    src: str = "",
    ext: str = EXTENSIONS[0],
    talk: int = 60,
    at: datetime | None = None,
) -> Row:
    """Let one more call be made, which ends now unless ``at`` says when it begins; its first row.

    ``src``: the client's number, of 1C's first client without. ``ValueError`` for a kind or an extension that there is
    none of.
    """
    if kind not in KINDS or ext not in EXTENSIONS:
        raise ValueError(f"{kind} {ext}: there are {', '.join(KINDS)}; {', '.join(EXTENSIONS)}")
    start = at or (datetime.now(ZONE).replace(tzinfo=None, microsecond=0) - timedelta(seconds=talk + 60))
    with closing(sqlite3.connect(path)) as conn:
        (most,) = conn.execute("SELECT coalesce(max(sequence), 0) + 2 FROM cdr").fetchone()
        exchange = Exchange(OWN, most)
        KINDS[kind](exchange, start, re.sub(r"\D", "", src) or clients_phones()[0], ext, talk)
        _write(conn, exchange)
        conn.commit()
    return exchange.rows["cdr"][0]


def _moment(luck: Luck, today: date) -> datetime:
    """A second of some working hour."""
    day = today - timedelta(days=luck.whole(0, _DAYS - 1))
    return datetime.combine(day, time(9 + luck.whole(0, 8), luck.whole(0, 59), luck.whole(0, 59)))


def _spelled(luck: Luck, number: str) -> str:
    """As one provider or another writes it."""
    return luck.pick((number, f"+{number}", f"8{number[1:]}", number[1:]))


def _write(conn: sqlite3.Connection, exchange: Exchange) -> None:
    for table, rows in exchange.rows.items():
        for row in rows:
            places = ", ".join(f":{name}" for name in row)
            conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", row)
