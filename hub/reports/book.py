"""Workbooks (xlsx) for people: how every file that an admin gets looks, and how one comes back.

A sheet of data has a header, a filter over all of it, a frozen first row and column widths; days, moments and numbers
are of their own types, not texts. The sheet «О файле» tells what the file is. Rows are streamed, so a sheet of any
length needs the memory of one row.

What comes from data never becomes a formula: a text that a spreadsheet would take for one is written as a text with
the mark for texts (``quotePrefix``), so that it stays one when the cell is edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from hub.model.errors import NeedsPerson
from hub.texts import LANGS, sentence

if TYPE_CHECKING:
    from typing import Self

Kind = Literal["text", "number", "money", "day", "moment"]
_FORMATS: dict[Kind, str] = {
    "text": "@",
    "number": "0",
    "money": "#,##0.00",
    "day": "DD.MM.YYYY",
    "moment": "DD.MM.YYYY HH:MM",
}
#: What XML cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What a spreadsheet may take for a formula or an error value when it reads or edits the cell.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "#")
#: The longest text of a cell.
LONGEST = 32_000
_HEAD = PatternFill("solid", fgColor="DCE6F1")
_ASKED = PatternFill("solid", fgColor="FFF2CC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``code``: of its heading in the catalogue. ``choices``: what a person may choose in its cells.

    ``asked``: a person fills it in; its empty cells are texts, so that a code keeps its zeros in front.
    ``hidden``: for the program only.
    """

    code: str
    width: int = 16
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    asked: bool = False
    hidden: bool = False


class Book:
    """A workbook being written, inside ``with``. ``zone``: IANA name of the zone that moments are shown in."""

    def __init__(self, lang: str, zone: str) -> None:
        self._lang, self._zone = lang, ZoneInfo(zone)
        self._book = Workbook(write_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was streamed to temporary files and not saved."""
        for sheet in self._sheets():
            if sheet._writer is not None:
                with suppress(OSError, ValueError):  # those of a file that was saved are gone already
                    sheet._writer.cleanup()

    def sheet(self, code: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
        """Write a sheet, titled by ``code``, of rows as long as ``columns``; how many there were."""
        sheet = self._book.create_sheet(sentence(code, self._lang))
        sheet.freeze_panes = "A2"
        for letter, column in zip(map(get_column_letter, range(1, 1 + len(columns))), columns, strict=True):
            sheet.column_dimensions[letter].width = column.width
            sheet.column_dimensions[letter].hidden = column.hidden
        sheet.append([self._heading(sheet, column) for column in columns])
        styles = [self._style(sheet, column.kind) for column in columns]
        number = 0
        for row in rows:
            number += 1
            cells = zip(columns, styles, row, strict=True)
            sheet.append([self._cell(sheet, column, style, value) for column, style, value in cells])
        last = number + 1
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
        for letter, column in zip(map(get_column_letter, range(1, 1 + len(columns))), columns, strict=True):
            if column.choices and number:
                sheet.data_validations.append(_choice(column.choices, f"{letter}2:{letter}{last}"))
        return number

    def about(self, facts: Iterable[tuple[str, Any]], how: Iterable[str] = ()) -> None:
        """The sheet «О файле»: (code of a label, value) pairs, then how to fill the file in, line by line."""
        sheet = self._book.create_sheet(sentence("book_about", self._lang))
        sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 26, 100
        for code, value in facts:
            label = WriteOnlyCell(sheet, sentence(code, self._lang))
            label.font = Font(bold=True)
            kind: Kind = "moment" if isinstance(value, datetime) else "day" if isinstance(value, date) else "text"
            sheet.append([label, self._cell(sheet, Column(code, kind=kind), self._style(sheet, kind), value)])
        for line in how:
            cell = WriteOnlyCell(sheet, _clean(line))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.append([None, cell])

    def save(self, path: Path) -> None:
        """Write the file whole or not at all; ``NeedsPerson(book_unwritable)`` where that is not possible."""
        self._sheets()
        part = path.with_name(f".{path.name}.part")
        try:
            self._book.save(part)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise NeedsPerson("book_unwritable", path=path, detail=error.strerror or str(error)) from None

    def _sheets(self) -> list[Any]:
        """The sheets, each brought to its end: one that is left open complains when it is collected."""
        sheets: list[Any] = list(self._book.worksheets)
        for sheet in sheets:
            if not sheet.closed:
                sheet.close()
        return sheets

    def _heading(self, sheet: Any, column: Column) -> Any:
        cell = WriteOnlyCell(sheet, sentence(column.code, self._lang))
        cell.font = Font(bold=True)
        cell.fill = _ASKED if column.asked else _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        return cell

    @staticmethod
    def _style(sheet: Any, kind: Kind) -> Any:
        """The style of a kind of cell, made once a sheet: a style is looked up by its parts otherwise, cell by cell."""
        pattern: Any = WriteOnlyCell(sheet)
        if kind == "text":
            pattern.quotePrefix = True
        pattern.number_format = _FORMATS[kind]
        return pattern._style

    def _cell(self, sheet: Any, column: Column, style: Any, value: Any) -> Any:
        if value is None or value == "":
            return _styled(WriteOnlyCell(sheet), style) if column.asked and not column.choices else None
        if isinstance(value, datetime):
            value = value.astimezone(self._zone).replace(tzinfo=None)
        if column.kind != "text" and isinstance(value, int | float | Decimal | date):
            cell: Any = WriteOnlyCell(sheet)
            cell.value = value
            return _styled(cell, style)
        shown = _clean(str(value))
        if not shown.startswith(_RISKY):
            return shown
        cell = WriteOnlyCell(sheet, shown)
        cell.data_type = "s"
        return _styled(cell, style)


def _styled(cell: Any, style: Any) -> Any:
    cell._style = copy(style)
    return cell


def _clean(value: str) -> str:
    return _ILLEGAL.sub("\ufffd", value)[:LONGEST]


def _choice(choices: Sequence[str], cells: str) -> Any:
    """A list to choose from. Other words give a warning, not a refusal: the other language's are understood too."""
    return DataValidation(
        type="list",
        formula1=f'"{",".join(choices)}"',
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        sqref=cells,
    )


def dated_path(path: Path, stem: str, today: date) -> Path:
    """Where a file goes: into a folder under a name with the day, else to exactly that path."""
    return path / f"{stem}_{today.isoformat()}.xlsx" if path.is_dir() else path


def read_rows(path: Path, code: str, columns: Sequence[Column]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of the sheet titled by ``code``: (number of the row, values by the columns' codes); empty rows are left out.

    Columns are found by their headings in either language, so they may have been moved, and others added.
    ``NeedsPerson``: ``book_unreadable``, ``book_no_sheet``, ``book_no_column``.
    """
    with _opened(path) as book:
        titles = [sentence(code, lang) for lang in LANGS]
        sheet = next((book[title] for title in titles if title in book.sheetnames), None)
        if sheet is None:
            raise NeedsPerson("book_no_sheet", path=path, sheet=titles[0], found=", ".join(book.sheetnames))
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        places = _places(path, next(rows, (1, ()))[1], columns)
        for number, row in rows:
            values = {name: row[place] if place < len(row) else None for name, place in places.items()}
            if any(value not in {None, ""} for value in values.values()):
                yield number, values


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The workbook at ``path``, read row by row; what a cell computes is its value as last seen."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            book = load_workbook(file, read_only=True, data_only=True)
        except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as error:
            detail = str(error).partition("\n")[0][:200]
            raise NeedsPerson("book_unreadable", path=path, detail=detail) from None
        stack.callback(book.close)
        yield book


def _places(path: Path, header: Sequence[Any], columns: Sequence[Column]) -> dict[str, int]:
    named = {str(value).strip().casefold(): place for place, value in enumerate(header) if value is not None}
    places = {}
    for column in columns:
        headings = [sentence(column.code, lang) for lang in LANGS]
        place = next((named[heading.casefold()] for heading in headings if heading.casefold() in named), None)
        if place is None:
            raise NeedsPerson("book_no_column", path=path, column=headings[0])
        places[column.code] = place
    return places
