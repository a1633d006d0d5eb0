"""What becomes of a sender or caller whom nobody knows, by the mailbox, exchange or messenger that the
activity came through.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from hub.model.identity import parse_phone
from hub.model.settings import Settings, SystemSettings
from hub.store import bulk, core

_RANK = ("ignore", "keep", "create")


class Policies:
    """By system, and by line where the settings say so."""

    def __init__(self, settings: Settings) -> None:
        self._systems = {code: (_default(system), _lines(system)) for code, system in settings.systems.items()}

    def of(self, conn: Connection, lines: Mapping[int, str]) -> dict[int, str]:
        """``ignore``, ``keep`` or ``create`` for each activity (with its line); of several systems the most that one
        of them does.
        """
        told: dict[int, str] = {}
        for number, system in _systems_of(conn, lines):
            default, by_line = self._systems.get(system, ("keep", {}))
            word = by_line.get(_same(lines[number]), default)
            told[number] = max(word, told.get(number, word), key=_RANK.index)
        return told


def _default(system: SystemSettings) -> str:
    section = system.mail or system.calls or system.messenger
    return section.unknown if section is not None else "keep"


def _lines(system: SystemSettings) -> dict[str, str]:
    section = system.mail or system.calls or system.messenger
    return {_same(line): word for line, word in section.unknown_lines} if section is not None else {}


def _same(line: str) -> str:
    """A line as it is compared: numbers in one spelling, addresses in lower case."""
    found = parse_phone(line)
    return found.norm if found.valid else line.strip().lower()


def _systems_of(conn: Connection, ids: Mapping[int, str]) -> list[tuple[int, str]]:
    """(activity, code of its system), for each of its links."""
    if not ids:
        return []
    stream, system = core.stream, core.system
    query = select(stream.c.id, system.c.code).join(system, system.c.id == stream.c.system_id)
    code_of = {row.id: row.code for row in conn.execute(query)}
    links = bulk.fetch_rows(conn, core.link, ("record_id", "stream_id"), "record_id", sorted(ids))
    return [(number, code_of[stream_id]) for number, stream_id in links]
