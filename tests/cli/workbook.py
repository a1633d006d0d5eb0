"""A person at work in an exported file: Excel's part in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook


def cells(path: Path, sheet: str = "Карантин") -> list[dict[str, Any]]:
    """Rows by heading."""
    rows = load_workbook(path)[sheet].iter_rows(values_only=True)
    header = [str(name) for name in next(rows)]
    return [dict(zip(header, row, strict=True)) for row in rows]


def decide(path: Path, decisions: Mapping[str, tuple[Any, Any]], sheet: str = "Карантин") -> None:
    """Fill decision and new value in for orders, told by their external ids (whose last part is their number)."""
    book = load_workbook(path)
    page = book[sheet]
    head = {str(cell.value): place for place, cell in enumerate(page[1])}
    for row in page.iter_rows(min_row=2):
        shown = " ".join(str(cell.value) for cell in row)
        for key, (word, value) in decisions.items():
            number = int(key.rpartition("-")[2])
            if f"УТ-{number:06d}" in shown:
                row[head["решение"]].value = word
                row[head["новое значение"]].value = value
    book.save(path)
