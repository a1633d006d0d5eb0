"""The engine's decision for a single contributor: what changes, what is kept, and that it is pure."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import hub.engine
from hub.engine.decide import Change, decide_child, decide_root
from hub.model.entities import PARTY, SALES_ORDER, Child
from hub.model.fields import Field, Kind, field, text

FIELDS = (text("name", "Имя"), text("comment", "Заметка", clearable=True), field("total", Kind.MONEY, "Сумма"))
values = st.one_of(st.none(), st.just(""), st.text(max_size=3), st.integers(0, 3))
rows = st.tuples(values, values, values)

LINES = Child("line", "Строки", (text("product", "Товар"), field("qty", Kind.QTY, "Кол-во")), lines=True)
SET = Child("point", "Контакты", (text("system", "Вид"), text("value", "Значение")), key=("system", "value"))


@given(rows)
def test_the_same_statement_changes_nothing(row: tuple[object, ...]) -> None:
    """Re-reading an unchanged record decides no change."""
    decision = decide_root(FIELDS, row, row)
    assert decision.changes == []
    assert decision.root == row


@given(rows, rows)
def test_deciding_twice_changes_nothing_more(known: tuple[object, ...], told: tuple[object, ...]) -> None:
    """The golden row after a decision, told the same again, is stable."""
    golden = decide_root(FIELDS, known, told).root
    again = decide_root(FIELDS, golden, told)
    assert again.changes == []
    assert again.root == golden


@given(rows, rows)
def test_empty_never_erases_filled(known: tuple[object, ...], told: tuple[object, ...]) -> None:
    """A filled value goes empty only where the field allows clearing, and what was kept is named."""
    decision = decide_root(FIELDS, known, told)
    for item, before, after, golden in zip(FIELDS, known, told, decision.root, strict=True):
        filled, cleared = before not in (None, ""), after in (None, "")
        if filled and cleared and not item.clearable:
            assert golden == before
            assert item.name in decision.kept
        else:
            assert golden == after


def test_each_changed_cell_is_one_change_with_both_sides() -> None:
    """A change carries the value before and after, in the order of the fields."""
    decision = decide_root(FIELDS, ("а", "б", 100), ("в", None, 100))
    assert decision.changes == [Change("name", "а", "в"), Change("comment", "б", None)]


def test_a_changed_line_names_its_line_and_column() -> None:
    """An edit of one line is one change, an added line another."""
    known = [(1, "болт", 5), (2, "гайка", 7)]
    told = [(1, "болт", 6), (2, "гайка", 7), (3, "шайба", 1)]
    assert decide_child(LINES, ("product", "qty"), known, told) == [
        Change("line[1].qty", 5, 6),
        Change("line[3]", None, ("шайба", 1)),
    ]


def test_the_order_of_a_set_does_not_matter() -> None:
    """The same values in another order are no change; a value that is gone is one."""
    known = [("phone", "+7900"), ("email", "a@b.ru")]
    assert decide_child(SET, ("system", "value"), known, known[::-1]) == []
    gone = decide_child(SET, ("system", "value"), known, known[:1])
    assert gone == [Change("point[email,a@b.ru]", ("email", "a@b.ru"), None)]


def test_a_one_row_child_is_compared_cell_by_cell() -> None:
    """A child without key or lines holds one row; its cells change one by one."""
    detail = PARTY.child("person_detail")
    columns = tuple(item.column for item in detail.fields)
    before = ("Иванов", "Иван", None, None, None, None)
    after = ("Иванов", "Пётр", None, None, None, None)
    assert decide_child(detail, columns, [before], [after]) == [Change("person_detail.first_name", "Иван", "Пётр")]


def test_references_in_keys_are_found_by_their_column() -> None:
    """A set keyed by a reference compares link ids, which is what its rows hold."""
    relations = PARTY.child("party_relationship")
    columns = tuple(item.column for item in relations.fields)
    changes = decide_child(relations, columns, [("contact_of", 5, None)], [("contact_of", 6, None)])
    assert [change.path for change in changes] == [
        "party_relationship[contact_of,5]",
        "party_relationship[contact_of,6]",
    ]


def test_the_engine_imports_nothing_that_reads_or_writes() -> None:
    """Deciding is pure: no database, network, Dagster, logging, clock or randomness is imported anywhere in it."""
    allowed = {"__future__", "collections", "dataclasses", "enum", "functools", "typing", "hub", "itertools", "types"}
    for path in Path(next(iter(hub.engine.__path__))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
                assert not name.startswith("hub.") or name.startswith(("hub.engine", "hub.model")), name


def test_required_fields_are_not_clearable() -> None:
    """No field is both required and clearable unless it is a reference: a required value can never be emptied."""
    bad: list[Field] = [f for f in SALES_ORDER.fields if f.required and f.clearable and f.kind is not Kind.REF]
    assert bad == []


def _code(source: str) -> int:
    """Lines of code: without docstrings, comments and blank lines."""
    told = [
        node.body[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    ]
    said = {line for node in told for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if number not in said and line.strip() and not line.strip().startswith("#"))


def test_the_engine_stays_small() -> None:
    """Deciding: 400 lines with all that is said about them; the engine: 900 lines of code."""
    sources = {
        path.stem: path.read_text(encoding="utf-8") for path in Path(next(iter(hub.engine.__path__))).glob("*.py")
    }
    assert sum(len(sources[name].splitlines()) for name in ("resolve", "outgoing", "policies")) <= 400
    assert 100 < sum(map(_code, sources.values())) <= 900
