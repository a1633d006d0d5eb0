"""How often values are said, as counted once for all: scores do not depend on who came first.

The counts are made together with the partition of everything and stay until it is made anew. A value that was not there
then counts as said by one.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection
from xxhash import xxh3_64_intdigest

from dedup.compare import Compared
from dedup.frequencies import Counted
from dedup.weights import CURRENT
from hub.exchange.duplicates import sql
from hub.store import bulk, duplicates

_SIGN, _WRAP = 1 << 63, 1 << 64
_PAGE = 5000
#: The row of the statistics in force.
THE_ONE = 1


def hashed(kind: str, value: str) -> int:
    """Signed 64-bit hash of a value of a kind, as keys and counts are kept by."""
    number = xxh3_64_intdigest(f"{kind}|{value}".encode())
    return number - _WRAP if number >= _SIGN else number


def _names(what: str) -> str:
    return f"names:{what}"


class Statistics:
    """Frequencies out of the store. Values are to be ``learned`` before they are asked for."""

    def __init__(self, records: int) -> None:
        self.records = records
        self._known: dict[tuple[str, str], int] = {}

    def learn(self, conn: Connection, pairs: Iterable[Compared]) -> None:
        """Read what is to be known before these are weighed."""
        said: set[tuple[str, str]] = set()
        for one in pairs:
            said.update(one.counted())
            said.update((_names(what), value) for what, value in one.contacts())
        wanted = {value: hashed(*value) for value in said if value not in self._known}
        found = dict(sql.many(conn, "SELECT k, n FROM dedup_statistic WHERE k", wanted.values()))
        self._known.update((value, found.get(k, 1)) for value, k in wanted.items())

    def count(self, what: str, value: str) -> int:
        """See ``dedup.frequencies.Frequencies``."""
        return self._known[what, value]

    def names(self, what: str, value: str) -> int:
        """See ``dedup.frequencies.Frequencies``."""
        return self._known[_names(what), value]


def current(conn: Connection) -> tuple[str, Statistics]:
    """Those in force with the version of the weights; of an empty store those of one record and what is shipped."""
    found = sql.many(conn, "SELECT weights, records FROM dedup_statistics WHERE id", [THE_ONE])
    version, records = found[0] if found else (CURRENT, 1)
    return version, Statistics(int(records))


def store(conn: Connection, counted: Counted) -> None:
    """Put counts in the place of those that are there; what is said once is not kept."""
    conn.execute(duplicates.statistic.delete())
    rows = [(hashed(what, value), n) for what, value, n in counted.items() if n > 1]
    rows += [(hashed(_names(what), value), n) for what, value, n in counted.contacts() if n > 1]
    for start in range(0, len(rows), _PAGE):
        bulk.insert_rows(conn, duplicates.statistic, ("k", "n"), rows[start : start + _PAGE])
