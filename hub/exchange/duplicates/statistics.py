"""How often values are said, as counted once for all: scores do not depend on who came first.

The counts are made together with the partition of everything and stay until it is made anew. A value that was not there
then counts as said by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection
from xxhash import xxh3_64_intdigest

from dedup.frequencies import COUNTED, Counted, contacts_of, value_of
from dedup.normal.record import Record
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


def values_of(record: Record) -> Iterator[tuple[str, str]]:
    """What a record says that is counted, each with the kind it is counted under."""
    yield from ((what, value) for what in COUNTED if (value := value_of(record, what)))
    yield from ((_names(what), value) for what, value in contacts_of(record))


class Statistics:
    """Frequencies out of the store. Values are to be ``learned`` before they are asked for."""

    def __init__(self, records: int) -> None:
        self.records = records
        self._known: dict[tuple[str, str], int] = {}

    def learn(self, conn: Connection, records: Iterable[Record]) -> None:
        """Read what is counted of all that these records say."""
        said = {value for record in records for value in values_of(record)} - self._known.keys()
        wanted = {value: hashed(*value) for value in said}
        found = dict(sql.many(conn, "SELECT k, n FROM dedup_statistic WHERE k", wanted.values()))
        self._known.update((value, found.get(k, 1)) for value, k in wanted.items())

    def count(self, what: str, value: str) -> int:
        """See ``dedup.frequencies.Frequencies``."""
        return self._known[what, value]

    def names(self, what: str, value: str) -> int:
        """See ``dedup.frequencies.Frequencies``."""
        return self._known[_names(what), value]


def current(conn: Connection) -> Statistics:
    """Those in force; of an empty store those of one record."""
    found = sql.many(conn, "SELECT records FROM dedup_statistics WHERE id", [THE_ONE])
    return Statistics(int(found[0][0]) if found else 1)


def store(conn: Connection, counted: Counted) -> None:
    """Put counts in the place of those that are there; what is said once is not kept."""
    conn.execute(duplicates.statistic.delete())
    rows = [(hashed(what, value), n) for what, value, n in counted.items() if n > 1]
    rows += [(hashed(_names(what), value), n) for what, value, n in counted.contacts() if n > 1]
    for start in range(0, len(rows), _PAGE):
        bulk.insert_rows(conn, duplicates.statistic, ("k", "n"), rows[start : start + _PAGE])
