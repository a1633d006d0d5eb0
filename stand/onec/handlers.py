"""What the configuration does when an object is written or posted: fills fields in, or refuses with an exception.

These stand for ПередЗаписью, ПриЗаписи and ОбработкаПроведения. The header ``1C_OData-DataLoadMode`` skips those of
writing. Filling checks of forms do not run over OData, so an empty field stops nobody before the document is posted.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from stand.onec.errors import no_load_mode, refused
from stand.onec.model import EMPTY_REF, EntitySet, Kind
from stand.onec.quirks import Quirks
from stand.onec.world import Record, World, rows_of

#: Recorded form of a refusal (500, code −1); the sentence is worded as typical configurations do.
CLOSED = "Документ не может быть записан: период закрыт по {day:%d.%m.%Y}"
MARKED = "Помеченный на удаление документ не может быть проведен!"
NOT_TODAY = "Оперативное проведение документа возможно только текущей датой"
EMPTY_FIELD = "Поле «{name}» не заполнено"
_CURRENCIES = "Catalog_Валюты"
_RUBLE = "643"
_AMOUNTS = ("СуммаСНДС", "Всего", "Сумма")
_AUTHOR_FIELDS = ("Автор", "Автор_Key")
_CURRENCY_FIELDS = ("Валюта_Key", "ВалютаДокумента_Key")


class Handlers:
    """Of one base; ``quirks`` says how strict they are."""

    def __init__(self, world: World, quirks: Quirks) -> None:
        self.world = world
        self.quirks = quirks

    def before_write(self, item: EntitySet, old: Record, new: Record, *, load_mode: bool) -> None:
        """Refuse, or fill in. ``old``: as stored, empty for a new one; ``new``: what is being written, changed here."""
        if load_mode:
            if item.name in self.quirks.no_load_mode:
                raise no_load_mode(item.name)
            return
        if text := self.quirks.refuses.get(item.name):
            raise refused(text)
        if item.kind == "document":
            self._period_open(old.get("Date"), new.get("Date"))
        if self.quirks.fills_defaults:
            if not old:
                self._fill(item, new)
            self._sum(item, new)

    def before_delete(self, item: EntitySet, old: Record, *, load_mode: bool) -> None:
        """Refuse a deletion."""
        if load_mode:
            return
        if text := self.quirks.refuses.get(item.name):
            raise refused(text)
        if item.kind == "document":
            self._period_open(old.get("Date"))

    def before_posting(self, item: EntitySet, record: Record, *, posting: bool, operational: bool) -> None:
        """Refuse Post or Unpost as a write; Post also for a marked document, an empty field, a date not today's."""
        if text := self.quirks.refuses.get(item.name):
            raise refused(text)
        self._period_open(record.get("Date"))
        if not posting:
            return
        if record.get("DeletionMark"):
            raise refused(MARKED)
        for name in self.quirks.required_to_post.get(item.name, ()):
            prop = item.shape.by_name[name]
            empty = not rows_of(record.get(name)) if prop.kind is Kind.ROWS else _is_empty(record.get(name), prop.empty)
            if empty:
                raise refused(EMPTY_FIELD.format(name=prop.navigation))
        if operational and self.quirks.operational_today_only and record.get("Date", "")[:10] != self.today():
            raise refused(NOT_TODAY)

    def today(self) -> str:
        """The base's own day, ``YYYY-MM-DD``."""
        return self.quirks.now[:10] or time.strftime("%Y-%m-%d")

    def _period_open(self, *dates: str | None) -> None:
        edge = self.quirks.closed_until
        if edge and any(day and day[:10] <= edge for day in dates):
            raise refused(CLOSED.format(day=date.fromisoformat(edge)))

    def _fill(self, item: EntitySet, new: Record) -> None:
        """Author and currency of a document, the code of a catalogue's item, when they are not sent."""
        known = item.shape.by_name
        if item.kind == "document":
            for name in _CURRENCY_FIELDS:
                if name in known and _is_empty(new.get(name), EMPTY_REF):
                    new[name] = self._ruble()
            for name in _AUTHOR_FIELDS:
                if name in known and _is_empty(new.get(name), ""):
                    new.update(self._author(item, name))
        elif item.kind == "catalog" and "Code" in known and not new.get("Code") and known["Code"].kind is Kind.STRING:
            new["Code"] = self._next_code(item)

    def _ruble(self) -> str:
        found = (r for r in self.world.tables.get(_CURRENCIES, ()) if str(r.get("Code", "")).strip() == _RUBLE)
        return str(next(found, {}).get("Ref_Key", EMPTY_REF))

    def _author(self, item: EntitySet, name: str) -> Record:
        """The user of the session, as the newest of the other documents names him; nothing where none does."""
        for record in reversed(self.world.tables[item.name].rows.values()):
            if not _is_empty(record.get(name), ""):
                return {field: record[field] for field in (name, f"{name}_Type") if field in record}
        return {}

    def _next_code(self, item: EntitySet) -> str:
        """The number after the highest, with its prefix and width."""
        codes = [str(record.get("Code", "")) for record in self.world.tables[item.name]]
        highest = max((code for code in codes if code[-1:].isdigit()), key=_number, default="00-00000000")
        width = len(highest.rpartition("-")[2])
        return f"{highest[:-width]}{_number(highest) + 1:0{width}d}"

    def _sum(self, item: EntitySet, new: Record) -> None:
        """The document's sum follows its lines whenever these are written, whatever was sent for it."""
        if item.kind != "document" or "СуммаДокумента" not in item.shape.by_name:
            return
        amounts = [
            sum(_amount(row) for row in rows if not row.get("Отменено"))
            for part, rows in new.items()
            if isinstance(rows, list) and "Номенклатура_Key" in item.tables[part].by_name
        ]
        if amounts:
            total = round(sum(amounts), 2)
            new["СуммаДокумента"] = int(total) if total == int(total) else total


def _amount(row: Record) -> float:
    """What a row adds to the document's sum."""
    return next((float(row[name]) for name in _AMOUNTS if row.get(name)), 0.0)


def _number(code: str) -> int:
    digits = code.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _is_empty(value: Any, empty: Any) -> bool:
    return value in (None, "", EMPTY_REF, empty)
