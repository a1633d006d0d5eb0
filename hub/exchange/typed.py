"""What a person types for a cell, as the value it travels as; a sentence where it cannot be one.

``1 234,50`` is money, ``31.01.2026`` a date, ``да`` a flag; nothing empties the cell.
A row of a set is told by the kind it is of: ``contact_point[phone]`` with a number adds that phone; its own path, such
as ``contact_point[phone,+74951234567,]``, with nothing takes it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from hub.engine.cells import STATE, Value, head, is_member, member
from hub.exchange.cards.layout import EXT, Layout
from hub.model import identity
from hub.model.entities import Child
from hub.model.errors import NeedsPerson
from hub.model.fields import SCALE, Field, Kind
from hub.store.types import PRECISION

_YES = frozenset({"да", "true", "yes", "1", "истина"})
_NO = frozenset({"нет", "false", "no", "0", "ложь"})
#: States that a person may give a record; the others are what systems and merges make of it.
STATES = ("active", "archived", "marked")
_BLANKS = re.compile(r"[\s\u00a0\u202f']")
_DAYS = ("%d.%m.%Y", "%Y-%m-%d")
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
_BIGGEST = 2**63 - 1
#: Link of the record that a person names, for a reference to that entity.
Finder = Callable[[str, str], int]


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell and the value for it, both as the engine knows them."""

    path: str
    value: Value


class Reader:
    """Reads what persons type for cells of one entity. ``zone``: where their clocks stand. ``find``: who is named."""

    def __init__(self, layout: Layout, zone: str, find: Finder) -> None:
        self.layout, self.zone, self.find = layout, ZoneInfo(zone), find

    def read(self, path: str, text: str) -> Typed:
        """The cell and its value; ``NeedsPerson`` says what is wrong with either."""
        text = text.strip()
        child = self.layout.children.get(head(path))
        if path == STATE:
            return Typed(path, self._word(path, text or "active", STATES))
        if path.startswith(f"{EXT}."):
            return Typed(path, text or None)
        if child is not None and child.lines:
            raise NeedsPerson("typed_lines", field=path)
        if child is not None and child.key:
            return self._row(child, path, text)
        found = self.layout.field_of(path)
        if found is None:
            raise NeedsPerson("typed_unknown_field", field=path, valid=", ".join(self.known()))
        return Typed(path, self.value(found, path, text))

    def known(self) -> list[str]:
        """What a person may name: fields, cells of one-row tables, kinds of rows."""
        names = [*self.layout.fields, STATE]
        for child in self.layout.children.values():
            if child.key:
                names.append(f"{child.name}[{child.key[0]}]")
            elif not child.lines:
                names += [f"{child.name}.{item.column}" for item in child.fields]
        return names

    def value(self, item: Field, path: str, text: str) -> Value:
        """The value of a field in travelling form."""
        if not text:
            if item.required:
                raise NeedsPerson("typed_required", field=path)
            return None
        if item.kind in SCALE:
            return _scaled(item, path, text)
        if item.kind is Kind.REF:
            return self.find(item.target, text)
        if item.kind is Kind.ENUM:
            return self._word(path, text, item.choices)
        readers: dict[Kind, Callable[[str, str], Value]] = {
            Kind.INT: _whole,
            Kind.BOOL: _flag,
            Kind.DATE: _day,
            Kind.TIMESTAMP: self._moment,
            Kind.JSON: _nothing_of_json,
        }
        return readers[item.kind](path, text) if item.kind in readers else text

    @staticmethod
    def _word(path: str, text: str, choices: tuple[str, ...]) -> str:
        found = next((word for word in choices if word.casefold() == text.casefold()), None)
        if found is None:
            raise NeedsPerson("typed_choice", field=path, value=text, valid=", ".join(choices))
        return found

    def _moment(self, path: str, text: str) -> str:
        """A moment of the company's clock, in UTC."""
        for day in _DAYS:
            for clock in _TIMES:
                try:
                    told = datetime.strptime(text, day + clock).replace(tzinfo=self.zone)
                except ValueError:
                    continue
                return told.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        raise NeedsPerson("typed_moment", field=path, value=text)

    def _row(self, child: Child, path: str, text: str) -> Typed:
        """A row of a set: to be there as told, or, by its own path and nothing, to be away."""
        kinds = child.fields[0].choices if child.fields[0].name == child.key[0] else ()
        if not is_member(path):
            raise NeedsPerson("typed_row", field=path, example=f"{child.name}[{(kinds or ('legal',))[0]}]")
        inside = path.partition("[")[2].removesuffix("]")
        if "," in inside or (len(child.key) == 1 and not text):
            if text:
                raise NeedsPerson("typed_row_whole", field=path, kind=f"{child.name}[{inside.partition(',')[0]}]")
            return Typed(path, None)
        if kinds:
            self._word(path, inside, kinds)
        if not text and len(child.key) > 1:
            raise NeedsPerson("typed_row_which", field=path)
        told = self._told(child, path, inside, text)
        row = tuple(told.get(item.column) for item in child.fields)
        key = [told.get(next(item.column for item in child.fields if item.name == name)) for name in child.key]
        return Typed(member(child, key), row)

    def _told(self, child: Child, path: str, kind: str, text: str) -> dict[str, Any]:
        if child.name == "contact_point":
            return _contact(path, kind, text)
        if child.name == "party_identifier":
            norm = identity.identifier_norm(kind, text)
            valid = identity.identifier_valid(kind, norm)
            if valid is False:
                raise NeedsPerson("typed_identifier", field=path, value=text)
            return {"scheme": kind, "value": text, "value_norm": norm, "is_valid": None if valid is None else 1}
        columns = [item for item in child.fields if item.name in child.key]
        told: dict[str, Any] = {columns[0].column: kind}
        if len(columns) > 1:
            told[columns[1].column] = self.value(columns[1], path, text)
        return told


def _contact(path: str, kind: str, text: str) -> dict[str, Any]:
    if kind in {"phone", "fax"}:
        phone = identity.parse_phone(text)
        if not phone.valid:
            raise NeedsPerson("typed_phone", field=path, value=text)
        told: dict[str, Any] = {"value_norm": phone.norm, "ext": phone.ext or None, "is_valid": 1}
    elif kind == "email":
        norm, valid = identity.email_norm(text)
        if not valid:
            raise NeedsPerson("typed_email", field=path, value=text)
        told = {"value_norm": norm, "is_valid": 1}
    else:
        told = {"value_norm": text.lower()}
    return {"system": kind, "value_raw": text, **told}


def _scaled(item: Field, path: str, text: str) -> int:
    """An exact number with the decimal places of its kind; the last of ``,`` and ``.`` is the decimal mark."""
    bare = _BLANKS.sub("", text).removesuffix("%").removesuffix("₽").removesuffix("руб.").removesuffix("руб")
    mark = max(bare.rfind(","), bare.rfind("."))
    others = bare[:mark].replace(",", "").replace(".", "") if mark >= 0 else bare
    try:
        number = Decimal(f"{others}.{bare[mark + 1 :]}" if mark >= 0 else others)
    except InvalidOperation:
        raise NeedsPerson("typed_number", field=path, value=text) from None
    places = SCALE[item.kind]
    scaled = number.scaleb(places) if number.is_finite() else Decimal("0.5")
    if scaled != scaled.to_integral_value():
        raise NeedsPerson("typed_places", field=path, value=text, places=places)
    if abs(scaled) >= 10 ** PRECISION[item.kind]:
        raise NeedsPerson("typed_big", field=path, value=text)
    return int(scaled)


def _whole(path: str, text: str) -> int:
    try:
        number = int(_BLANKS.sub("", text))
    except ValueError:
        raise NeedsPerson("typed_whole", field=path, value=text) from None
    if abs(number) > _BIGGEST:
        raise NeedsPerson("typed_big", field=path, value=text)
    return number


def _flag(path: str, text: str) -> int:
    word = text.casefold()
    if word not in _YES | _NO:
        raise NeedsPerson("typed_flag", field=path, value=text)
    return int(word in _YES)


def _day(path: str, text: str) -> str:
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise NeedsPerson("typed_day", field=path, value=text)


def _nothing_of_json(path: str, text: str) -> Value:
    raise NeedsPerson("typed_json", field=path, value=text[:40])
