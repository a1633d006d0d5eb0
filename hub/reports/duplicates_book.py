"""«Дубли.xlsx»: pairs of clients for a person who decides line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dedup.explain import why
from hub.exchange.decisions import Line
from hub.exchange.duplicates import decide, queue, sample
from hub.model.errors import SkipRecord
from hub.reports.book import Column, read_rows
from hub.reports.decision_book import export, text_of
from hub.texts import LANGS, sentence

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
            why(one.edge, lang),
            None,
            one.key,
        ]
        for at, one in enumerate(found, 1)
    ]
    chosen = (*wanted.patterns, *wanted.bands, *map(str, wanted.records))
    return export(hub, path, SHEET, columns(lang), rows, chosen, lang, force=force)


SAMPLE = "book_sample"


def sample_columns(lang: str) -> tuple[Column, ...]:
    """The columns of a blind sample: nothing tells why the two were merged."""
    return (
        Column("book_number", 6, "number"),
        Column("book_record", 50),
        Column("book_other", 50),
        Column(_WORD, 14, choices=sample_words(lang), asked=True),
        _KEY,
    )


def sample_words(lang: str) -> tuple[str, str]:
    """What a person writes: it is one client, it is not."""
    return sentence("sample_same", lang), sentence("sample_different", lang)


def export_sample(hub: Hub, path: Path, size: int, seed: int, lang: str, *, force: bool = False) -> tuple[Path, int]:
    """Write a sample of automatic merges; its path and how many lines it has."""
    rows = [
        [at, f"№ {one.one} {one.labels[0]}", f"№ {one.other} {one.labels[1]}", None, str(one.id)]
        for at, one in enumerate(sample.draw(hub, size, seed), 1)
    ]
    return export(hub, path, SAMPLE, sample_columns(lang), rows, (str(size),), lang, force=force)


def read_sample(path: Path) -> dict[int, bool]:
    """Which merges were right, by number; lines that say nothing are left out. ``NeedsPerson`` as of other files,
    ``SkipRecord(decision_unknown)`` for another word.
    """
    found = {}
    known = {
        word.casefold(): right for lang in LANGS for word, right in zip(sample_words(lang), (True, False), strict=True)
    }
    for _, values in read_rows(path, SAMPLE, (_KEY, Column(_WORD))):
        key, word = text_of(values[_KEY.code]), text_of(values[_WORD]).casefold()
        if word and word not in known:
            raise SkipRecord("decision_unknown", value=word, known=", ".join(sample_words("ru") + sample_words("en")))
        if word and key.isdigit():
            found[int(key)] = known[word]
    return found


def read_duplicates(path: Path) -> list[Line]:
    """The lines of a file that came back; ``NeedsPerson`` where it is none of ours."""
    rows = read_rows(path, SHEET, (_KEY, Column(_WORD)))
    return [Line(row, text_of(values[_KEY.code]), text_of(values[_WORD])) for row, values in rows]
