"""«Задержано.xlsx» and «Конфликты.xlsx»: what waits for a word, for a person who decides line by line.

The same round trip as of quarantine: a column for the decision, a hidden key that tells whether a line still is what it
was when somebody decided about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub import __version__
from hub.exchange import conflicts, conflicts_decided, held, held_words
from hub.exchange.decisions import Line
from hub.model.entities import ENTITIES
from hub.model.errors import NeedsPerson
from hub.reports import facts
from hub.reports.book import Book, Column, dated_path, read_rows
from hub.reports.reasons import known
from hub.texts import advice, sentence

if TYPE_CHECKING:
    from hub.exchange.hub import Hub

HELD, CONFLICTS = "book_held", "book_conflicts"
_KEY, _WORD, _VALUE = Column("book_key", hidden=True), "book_decision", Column("book_value_new", 24, asked=True)


def held_columns(lang: str) -> tuple[Column, ...]:
    """The columns of «Задержано», in order."""
    return (
        Column("book_number", 6, "number"),
        Column("book_direction", 14),
        Column("book_system", 18),
        Column("book_entity", 20),
        Column("book_label", 30),
        Column("book_changes", 70),
        Column("book_reason", 50),
        Column("book_advice", 50),
        Column("book_first", 16, "moment"),
        Column(_WORD, 14, choices=held_words.words(lang), asked=True),
        _KEY,
    )


def conflict_columns(lang: str) -> tuple[Column, ...]:
    """The columns of «Конфликты», in order."""
    return (
        Column("book_number", 6, "number"),
        Column("book_entity", 20),
        Column("book_label", 30),
        Column("book_field", 24),
        Column("book_base", 24),
        Column("book_ours", 24),
        Column("book_theirs", 24),
        Column("book_system", 18),
        Column("book_first", 16, "moment"),
        Column("book_rule", 36),
        Column("book_suggestion", 24),
        Column(_WORD, 14, choices=conflicts_decided.words(lang), asked=True),
        _VALUE,
        _KEY,
    )


def export_held(hub: Hub, path: Path, wanted: held.Wanted, lang: str, *, force: bool = False) -> tuple[Path, int]:
    """Write the file: its path and how many lines it has; ``NeedsPerson``: ``book_exists``, ``book_unwritable``."""
    items = held.items(hub, wanted)
    rows = [[at, *_held(hub, item, lang), None, item.key] for at, item in enumerate(items, 1)]
    chosen = (*wanted.routes, *wanted.reasons, *wanted.ids)
    return export(hub, path, HELD, held_columns(lang), rows, chosen, lang, force=force)


def export_conflicts(
    hub: Hub, path: Path, wanted: conflicts.Wanted, lang: str, *, force: bool = False
) -> tuple[Path, int]:
    """As ``export_held``, of open questions."""
    found = conflicts.questions(hub, wanted)
    rows = [[at, *_question(hub, one, lang), None, None, one.key] for at, one in enumerate(found, 1)]
    chosen = (*wanted.routes, *wanted.fields, *map(str, wanted.ids))
    return export(hub, path, CONFLICTS, conflict_columns(lang), rows, chosen, lang, force=force)


def read_held(path: Path) -> list[Line]:
    """The lines of a file that came back; ``NeedsPerson`` where it is none of ours."""
    rows = read_rows(path, HELD, (_KEY, Column(_WORD)))
    return [Line(row, text_of(values[_KEY.code]), text_of(values[_WORD])) for row, values in rows]


def read_conflicts(path: Path) -> list[Line]:
    """As ``read_held``, of open questions."""
    rows = read_rows(path, CONFLICTS, (_KEY, Column(_WORD), _VALUE))
    return [Line(row, text_of(told[_KEY.code]), text_of(told[_WORD]), told[_VALUE.code]) for row, told in rows]


def export(
    hub: Hub,
    path: Path,
    sheet: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    chosen: Sequence[str],
    lang: str,
    *,
    force: bool,
) -> tuple[Path, int]:
    """Write one sheet with a column for decisions, and where it comes from; its path and how many lines it has."""
    at, zone = facts.now(), hub.settings.company_timezone
    path = dated_path(path, sentence(sheet, lang), at.astimezone(ZoneInfo(zone)).date())
    if path.exists() and not force:
        raise NeedsPerson("book_exists", path=path)
    with Book(lang, zone) as book:
        number = book.sheet(sheet, columns, rows)
        about: list[tuple[str, Any]] = [
            ("book_what", sentence(f"book_what_{sheet.removeprefix('book_')}", lang)),
            ("book_home", str(hub.settings.home.resolve())),
            ("book_made", at),
            ("book_version", __version__),
            ("book_chosen", ", ".join(chosen)),
            ("book_rows", number),
        ]
        book.about(about, sentence(f"book_how_{sheet.removeprefix('book_')}", lang).splitlines())
        book.save(path)
    return path, number


def _held(hub: Hub, item: held.Item, lang: str) -> list[Any]:
    cells = "; ".join(f"{cell.label}: {cell.before or '—'} → {cell.after or '—'}" for cell in item.cells)
    told = {"system": item.system, "stream": item.stream, "route": item.route, **item.params}
    code = known(item.reason)
    return [
        sentence(f"held_{item.direction}", lang),
        _title(hub, item.system),
        _entity(item.entity, lang),
        item.label or item.external_id,
        cells,
        sentence(code, lang, **told),
        advice(code, lang, **told),
        item.at,
    ]


def _question(hub: Hub, one: conflicts.Question, lang: str) -> list[Any]:
    return [
        _entity(one.entity, lang),
        one.label,
        one.title,
        one.base,
        one.ours,
        one.theirs,
        _title(hub, one.system),
        one.at,
        rule_told(one, lang),
        suggestion_told(one, lang),
    ]


def rule_told(one: conflicts.Question, lang: str) -> str:
    """Why somebody is asked; of systems that undo each other, which."""
    return sentence(f"conflict_rule_{one.rule}", lang, systems=", ".join((one.system, *one.others)))


def suggestion_told(one: conflicts.Question, lang: str) -> str:
    """What the usual order of systems would make of it."""
    return sentence(f"conflict_suggest_{one.suggestion}", lang, value=one.suggested or "—")


def _title(hub: Hub, system: str) -> str:
    known_ = hub.settings.systems.get(system)
    return (known_.title or known_.code) if known_ else system


def _entity(entity: str, lang: str) -> str:
    model = ENTITIES[entity]
    return model.ru if lang == "ru" else model.en


def text_of(value: Any) -> str:
    """What a person wrote into a cell, without blanks around it."""
    return "" if value is None else str(value).strip()
