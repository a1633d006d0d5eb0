"""A plan as a workbook for people: what would change, what would be sent, what stays behind, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from hub import __version__
from hub.exchange.plan import file
from hub.exchange.plan.parts import Item, Left, Outgoing
from hub.exchange.runs import now
from hub.model.entities import ENTITIES
from hub.reports.book import Book, Column
from hub.texts import advice, sentence

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.service import RunReport

#: Lines of a sheet at most: the file with all of them is the JSON beside the workbook.
MOST = 200_000

_TOTALS = (Column("plan_route", 28), Column("plan_what", 44), Column("plan_number", 12, "number"))
_WHERE = (Column("plan_system", 14), Column("plan_entity", 18), Column("plan_label", 36), Column("plan_op", 14))
_CELLS = (Column("plan_field", 28), Column("plan_before", 36), Column("plan_after", 36), Column("plan_key", 60))
_LEFT = (
    Column("plan_route", 24),
    Column("plan_what", 16),
    Column("plan_key", 44),
    Column("plan_reason", 60),
    Column("plan_field", 24),
    Column("plan_value", 30),
    Column("plan_advice", 60),
)


def write_book(hub: Hub, code: str, counts: file.Counts, report: RunReport) -> None:
    """Write the workbook of a plan whose file is there; ``NeedsPerson(book_unwritable)``."""
    lang, path = hub.settings.locale, file.book_path(hub, code)
    with Book(lang, hub.settings.company_timezone) as book:
        book.sheet("plan_sheet_totals", _TOTALS, _totals(counts, report, lang))
        book.sheet("plan_sheet_items", (*_WHERE, *_CELLS), islice(_items(hub, code, lang), MOST))
        book.sheet("plan_sheet_outgoing", (*_WHERE, *_CELLS), islice(_outgoing(hub, code, lang), MOST))
        book.sheet("plan_sheet_left", _LEFT, islice(_left(hub, code, lang), MOST))
        facts = [
            ("book_what", sentence("plan_book_what", lang)),
            ("plan_code", code),
            ("book_home", str(hub.settings.home)),
            ("book_made", now()),
            ("plan_expires", now() + file.LASTS),
            ("book_version", __version__),
        ]
        book.about(facts, [sentence("plan_book_how", lang, plan=code, most=MOST)])
        book.save(path)
    path.chmod(0o600)


def _totals(counts: file.Counts, report: RunReport, lang: str) -> Iterator[tuple[Any, ...]]:
    for section, routes in counts.by.items():
        for route, numbers in routes.items():
            for what, number in sorted(numbers.items()):
                yield route or "—", count_name(section, what, lang), number
    ended = [(one.route, one.error) for one in report.routes] + [(one.route, one.error) for one in report.pushes]
    for route, error in ended:
        if error is not None:
            yield route, error.sentence(lang), None


def count_name(section: str, what: str, lang: str) -> str:
    """A count of a plan in words."""
    if section == "left":
        kind, _, reason = what.partition(":")
        return f"{sentence(f'plan_left_{kind}', lang)}: {reason_name(reason, lang)}"
    return f"{sentence(f'plan_sheet_{section}', lang)}: {op_name(what, lang)}"


def op_name(op: str, lang: str) -> str:
    """What happens to a record, in words; the word of the change log where there are none."""
    told = sentence(f"plan_op_{op}", lang)
    return op if told == f"plan_op_{op}" else told


def reason_name(reason: str, lang: str) -> str:
    """Why something stays behind: a short text of plans, else the sentence of the code, its marks unfilled."""
    told = sentence(f"plan_why_{reason}", lang)
    return told if told != f"plan_why_{reason}" else sentence(reason, lang)


def _entity(name: str, lang: str) -> str:
    entity = ENTITIES[name]
    return entity.ru if lang == "ru" else entity.en


def _field(entity: str, path: str | None, lang: str) -> str:
    """The field's own label in Russian, its path in English and where it is a part of a table."""
    found = next((item for item in ENTITIES[entity].fields if item.name == path), None)
    return found.ru if found is not None and lang == "ru" else path or ""


def _items(hub: Hub, code: str, lang: str) -> Iterator[tuple[Any, ...]]:
    for item in file.read(hub, code, Item):
        where = (item.system or "—", _entity(item.entity, lang), item.label, op_name(item.op, lang))
        if not item.changes:
            yield (*where, None, None, None, item.key)
        for cell in item.changes:
            yield (*where, _field(item.entity, cell.field, lang), cell.before, cell.after, item.key)


def _outgoing(hub: Hub, code: str, lang: str) -> Iterator[tuple[Any, ...]]:
    for part in file.read(hub, code, Outgoing):
        op = op_name("first_contact" if part.first else part.op, lang)
        where = (part.system, _entity(part.entity, lang), part.label, op)
        for cell in part.changes:
            yield (*where, _field(part.entity, cell.field, lang), cell.before, cell.after, part.key)


def _left(hub: Hub, code: str, lang: str) -> Iterator[tuple[Any, ...]]:
    for part in file.read(hub, code, Left):
        kind, key = sentence(f"plan_left_{part.what}", lang), f"{part.stream}/{part.external_id}"
        told = {"field": part.field, "value": part.value, "stream": part.stream}
        yield (
            part.route,
            kind,
            key,
            reason_name(part.reason, lang),
            part.field,
            part.value,
            advice(part.reason, lang, **told),
        )
