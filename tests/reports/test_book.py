"""Workbooks for people: types, looks, formulas that stay texts, and the way back."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from hub.model.errors import NeedsPerson
from hub.reports.book import LONGEST, Book, Column, dated_path, read_rows

COLUMNS = (
    Column("book_number", 6, "number"),
    Column("book_value", 24),
    Column("book_first", 16, "moment"),
    Column("book_made", 12, "day"),
    Column("book_rows", 12, "money"),
    Column("book_decision", 14, choices=("повторить", "пропустить"), asked=True),
    Column("book_value_new", 24, asked=True),
    Column("book_key", hidden=True),
)
AT = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
RISKY = ["=1+1", "+7 495 123-45-67", "-5", "@SUM(A1)", "\t=2", "#REF!", '=HYPERLINK("http://x","y")', "=", "-"]


def written(path: Path, rows: Any, lang: str = "ru") -> Path:
    """A file with that one sheet and an «О файле»."""
    with Book(lang, "Europe/Moscow") as book:
        number = book.sheet("book_quarantine", COLUMNS, rows)
        book.about(
            [("book_made", AT), ("book_rows", number), ("book_what", "=1+1")], ["первая строка", "вторая строка"]
        )
        book.save(path)
    return path


def row(value: Any = "x", number: int = 1) -> list[Any]:
    """A row of ``COLUMNS``."""
    return [number, value, AT, date(2026, 3, 1), Decimal("12.50"), None, None, f"{number}:ab"]


def test_a_sheet_looks_as_every_file_of_the_house(tmp_path: Path) -> None:
    """Header, filter over all rows, frozen first row, widths, a hidden key, a list to choose from."""
    sheet = load_workbook(written(tmp_path / "a.xlsx", [row(), row(number=2)]))["Карантин"]
    assert [cell.value for cell in sheet[1]][:2] == ["№", "значение"]
    assert sheet[1][0].font.bold
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:H3"
    assert sheet.column_dimensions["B"].width == 24
    assert sheet.column_dimensions["H"].hidden
    (choice,) = sheet.data_validations.dataValidation
    assert (str(choice.sqref), choice.formula1, choice.errorStyle) == ("F2:F3", '"повторить,пропустить"', "warning")
    assert sheet.merged_cells.ranges == set()


def test_values_have_their_own_types(tmp_path: Path) -> None:
    """Numbers and moments are no texts; a moment is shown by the clocks of the zone; empty cells to fill are texts."""
    sheet = load_workbook(written(tmp_path / "a.xlsx", [row()]))["Карантин"]
    number, text, moment, day, money, _, new, _ = sheet[2]
    assert (number.value, number.data_type) == (1, "n")
    assert (text.value, text.data_type) == ("x", "s")
    assert (moment.value, moment.number_format) == (datetime(2026, 3, 2, 0, 30), "DD.MM.YYYY HH:MM")
    assert (day.value, day.number_format) == (datetime(2026, 3, 1), "DD.MM.YYYY")
    assert (money.value, money.number_format) == (12.5, "#,##0.00")
    assert (new.value, new.number_format) == (None, "@")


@pytest.mark.parametrize("value", RISKY)
def test_a_text_of_the_data_never_becomes_a_formula(tmp_path: Path, value: str) -> None:
    """It is written as a text with the mark for texts, in the file itself too, and reads back as it was."""
    path = written(tmp_path / "a.xlsx", [row(value)])
    cell = load_workbook(path)["Карантин"]["B2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (value, "s", True)
    with zipfile.ZipFile(path) as parts:
        sheets = b"".join(parts.read(name) for name in parts.namelist() if "worksheets/sheet" in name)
    assert b"<f>" not in sheets
    assert b't="e"' not in sheets
    ((_, values),) = read_rows(path, "book_quarantine", (Column("book_value"),))
    assert values["book_value"] == value


def test_what_xml_cannot_hold_is_replaced_and_what_is_too_long_cut(tmp_path: Path) -> None:
    """Control characters, half surrogates and a text longer than a cell do not break the file."""
    dirty = "a\x00\x0b\ud800\uffffб"
    path = written(tmp_path / "a.xlsx", [row(dirty), row("я" * 50_000, 2)])
    found = [values["book_value"] for _, values in read_rows(path, "book_quarantine", (Column("book_value"),))]
    assert found == ["a\ufffd\ufffd\ufffd\ufffdб", "я" * LONGEST]


def test_the_sheet_about_the_file_says_what_it_is(tmp_path: Path) -> None:
    """Facts with their labels, then how to fill it in; the language is that of the reader."""
    sheet = load_workbook(written(tmp_path / "a.xlsx", [row()]))["О файле"]
    values = [tuple(cell.value for cell in line) for line in sheet.iter_rows()]
    assert values[0] == ("Сделан", datetime(2026, 3, 2, 0, 30))
    assert values[1] == ("Строк", "1")
    assert (sheet["B3"].value, sheet["B3"].data_type) == ("=1+1", "s")
    assert [value for _, value in values[3:]] == ["первая строка", "вторая строка"]
    assert load_workbook(written(tmp_path / "b.xlsx", [row()], "en")).sheetnames == ["Quarantine", "About"]


def test_columns_are_found_wherever_they_are(tmp_path: Path) -> None:
    """A person moved columns, added one, changed the language of a heading and left blank rows: still read."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Quarantine"
    sheet.append(["моё", "KEY ", "Решение"])
    sheet.append(["x", "1:a", "повторить"])
    sheet.append([None, None, None])
    sheet.append(["заметка", None, ""])
    sheet.append([None, "2:b"])
    book.save(tmp_path / "a.xlsx")
    found = list(read_rows(tmp_path / "a.xlsx", "book_quarantine", (Column("book_key"), Column("book_decision"))))
    assert found == [
        (2, {"book_key": "1:a", "book_decision": "повторить"}),
        (5, {"book_key": "2:b", "book_decision": None}),
    ]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, "book_unreadable"),
        (lambda path: path.write_bytes(b""), "book_unreadable"),
        (lambda path: path.write_text("это не xlsx", encoding="utf-8"), "book_unreadable"),
        (lambda path: path.mkdir(), "book_unreadable"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "book_unreadable"),
        (lambda path: Workbook().save(path), "book_no_sheet"),
        (lambda path: _other(path), "book_no_column"),
    ],
    ids=["missing", "empty", "text", "folder", "zip", "other sheets", "other columns"],
)
def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path, make: Any, code: str) -> None:
    """Whatever it is, the answer is a sentence."""
    path = tmp_path / "a.xlsx"
    make(path)
    with pytest.raises(NeedsPerson) as caught:
        list(read_rows(path, "book_quarantine", (Column("book_key"),)))
    assert caught.value.code == code


def _other(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Карантин"
    sheet.append(["что-то"])
    book.save(path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A folder that is not there: a sentence, and nothing is left behind."""
    with pytest.raises(NeedsPerson) as caught:
        written(tmp_path / "nowhere" / "a.xlsx", [row()])
    assert caught.value.code == "book_unwritable"
    assert list(tmp_path.iterdir()) == []


def test_rows_that_break_leave_nothing(tmp_path: Path) -> None:
    """What reads the rows fails in the middle: no file, no temporary file, and the fault comes through."""
    from openpyxl.worksheet import _writer

    def rows() -> Iterator[list[Any]]:
        yield row()
        raise LookupError

    before = list(_writer.ALL_TEMP_FILES)
    with pytest.raises(LookupError):
        written(tmp_path / "a.xlsx", rows())
    assert list(tmp_path.iterdir()) == []
    assert before == _writer.ALL_TEMP_FILES


def test_a_folder_gets_a_file_with_the_day_in_its_name(tmp_path: Path) -> None:
    """A file is taken as named."""
    assert dated_path(tmp_path, "Карантин", date(2026, 3, 1)) == tmp_path / "Карантин_2026-03-01.xlsx"
    assert dated_path(tmp_path / "a.xlsx", "Карантин", date(2026, 3, 1)) == tmp_path / "a.xlsx"


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Ten times the rows need no more at their peak than a little."""

    def peak(number: int) -> int:
        def rows() -> Iterator[list[Any]]:
            for place in range(number):
                yield row("=" + "я" * 50 if place % 2 else "я" * 50, place)

        tracemalloc.start()
        try:
            written(tmp_path / f"{number}.xlsx", rows())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(3000) < 1.5 * peak(300)
