"""«Дубли.xlsx»: pairs of clients for a person who decides line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.exchange.decisions import Line
from hub.exchange.duplicates import decide, queue
from hub.exchange.duplicates.told import told
from hub.reports.book import Column, read_rows
from hub.reports.decision_book import export, text_of

if TYPE_CHECKING:
    from hub.exchange.hub import Hub

SHEET = "book_duplicates"
_KEY, _WORD = Column("book_key", hidden=True), "book_decision"


def columns(lang: str) -> tuple[Column, ...]:
    """The columns, in order."""
    return (
        Column("book_number", 6, "number"),
        Column("book_record", 36),
        Column("book_other", 36),
        Column("book_systems", 24),
        Column("book_affects", 12, "number"),
        Column("book_weight", 10, "number"),
        Column("book_because", 90),
        Column(_WORD, 14, choices=decide.words(lang), asked=True),
        _KEY,
    )


def export_duplicates(
    hub: Hub, path: Path, wanted: queue.Wanted, lang: str, *, force: bool = False
) -> tuple[Path, int]:
    """Write the file: its path and how many lines it has; ``NeedsPerson``: ``book_exists``, ``book_unwritable``."""
    found = queue.doubts(hub, wanted)
    rows = [
        [
            at,
            f"№ {one.one} {one.labels[0]}",
            f"№ {one.other} {one.labels[1]}",
            " ↔ ".join(one.systems),
            one.affects,
            one.weight / 100,
            told(one.edge, lang),
            None,
            one.key,
        ]
        for at, one in enumerate(found, 1)
    ]
    chosen = (*wanted.patterns, *wanted.bands, *map(str, wanted.records))
    return export(hub, path, SHEET, columns(lang), rows, chosen, lang, force=force)


def read_duplicates(path: Path) -> list[Line]:
    """The lines of a file that came back; ``NeedsPerson`` where it is none of ours."""
    rows = read_rows(path, SHEET, (_KEY, Column(_WORD)))
    return [Line(row, text_of(values[_KEY.code]), text_of(values[_WORD])) for row, values in rows]
