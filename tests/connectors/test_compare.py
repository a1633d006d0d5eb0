"""What is shown against what was sent: values in several forms, and how a difference came about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.compare import arrived, differences, filled, same, stands

ZERO = "00000000-0000-0000-0000-000000000000"
GUID = "6F9619FF-8B86-11E9-B42D-00CF4FC964FF"


def how(sent: Any, before: Any, shown: Any) -> str:
    """How a field differs; empty when it does not."""
    found = differences({"f": sent}, {"f": before}, {"f": shown})
    return found[0].how if found else ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, "5"), (5, 5.0), (Decimal("12.30"), 12.3), ("12.30", 12.3), (True, True), (None, ""), (None, ZERO),
        (None, "0001-01-01T00:00:00"), (None, []), (None, False), ("", None), (0.1, 0.1),
    ],
)  # fmt: skip
def test_one_value_has_several_forms(one: Any, other: Any) -> None:
    """A long integer may be a text, and every kind of empty is empty."""
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("007", "7"), (True, 1), (1, True), ("1e1", 10), ("a", "A"), ("", "x"), (None, "x"), (5, "5x")]
)
def test_a_text_is_no_number_unless_the_other_side_says_so(one: Any, other: Any) -> None:
    """Codes with zeros, yes and no, and letters stay what they are."""
    assert not same(one, other)


@pytest.mark.parametrize(
    ("sent", "before", "shown", "expected"),
    [
        ("Иванов Иван", "", "Иванов", "cut"),
        ("Иванов Иван", "Иванов", "Иванов", "cut"),
        ("Иванов Иван", "", "Иванов ", "cut"),
        ("Иванов", "Петров", "Петров", "dropped"),
        ("Иванов", "", "", "dropped"),
        ("Иванов", None, None, "dropped"),
        ("Иванов", "Петров", "", "other"),
        ("Иванов", "Петров", "Сидоров", "other"),
        ("ООО  Ромашка", "", "ООО Ромашка", "spaced"),
        ("643", "", "643 ", "spaced"),
        (GUID, ZERO, GUID.lower(), "spaced"),
        (1.005, 0, 1.01, "rounded"),
        (1.005, 0, 1.0, "rounded"),
        (Decimal("2.5"), 0, "3", "rounded"),
        (2.5, 0, "2", "rounded"),
        (0.4, 0, 0, "dropped"),
        (12.34, 7, 7, "dropped"),
        (12.34, 7, 12.4, "other"),
        (15, 0, 20, "other"),
        ("2026-01-31T10:11:12", "0001-01-01T00:00:00", "2026-01-31T00:00:00", "rounded"),
        ("2026-01-31T10:11:12.500", "", "2026-01-31T10:11:12", "rounded"),
        ("2026-01-31T10:11:12", "", "2026-01-30T00:00:00", "other"),
        (True, False, False, "dropped"),
        (10**25 + 0.5, 0, 3, "other"),
    ],
)
def test_each_way_to_differ_is_told_apart(sent: Any, before: Any, shown: Any, expected: str) -> None:
    """Cut, rounded, spaced, dropped, and something else altogether."""
    assert how(sent, before, shown) == expected


def test_rows_are_compared_by_the_columns_that_were_sent() -> None:
    """Numbers of lines and columns of the system's own are no difference; a field is named with its row."""
    sent = {"Товары": [{"Цена": 10}, {"Цена": 20, "LineNumber": "7"}]}
    shown = {"Товары": [{"LineNumber": "1", "Цена": 10, "Сумма": 5}, {"LineNumber": "2", "Цена": 21, "Сумма": 6}]}
    [found] = differences(sent, {}, shown)
    assert (found.field, found.sent, found.shown, found.how) == ("Товары[2].Цена", 20, 21, "other")


def test_rows_are_taken_in_the_order_of_their_numbers() -> None:
    """A system that shows rows in another order has them all the same."""
    shown = {"Т": [{"LineNumber": "10", "A": 10}, *({"LineNumber": str(n), "A": n} for n in range(1, 10))]}
    assert differences({"Т": [{"A": n} for n in range(1, 11)]}, {}, shown) == ()


def test_another_number_of_rows_is_one_difference() -> None:
    """A table that was not replaced was dropped; one with rows lost is something else."""
    sent, old = [{"A": 1}, {"A": 2}], [{"A": 9}]
    assert [(d.field, d.how) for d in differences({"Т": sent}, {"Т": old}, {"Т": old})] == [("Т", "dropped")]
    assert [(d.field, d.how) for d in differences({"Т": sent}, {"Т": old}, {"Т": sent[:1]})] == [("Т", "other")]


def test_what_the_system_filled_in_is_named() -> None:
    """Fields not sent that changed, and columns of a table that was sent; never the key, the version or a link."""
    before = {"Ref_Key": "1", "DataVersion": "1", "Сумма": 1, "Автор": "", "Т": [{"A": 1, "B": 1}]}
    shown = {
        "Ref_Key": "1", "DataVersion": "2", "Сумма": 2, "Автор": "А", "Пусто": ZERO, "X@navigationLinkUrl": "x",
        "Т": [{"A": 2, "B": 1, "C": 3}, {"A": 3, "B": 0}], "Posted": True,
    }  # fmt: skip
    sent = {"Т": [{"A": 2}, {"A": 3}]}
    assert filled(sent, before, shown, ("Posted",)) == ("Сумма", "Автор", "Т.C")
    assert filled(sent, before, shown) == ("Сумма", "Автор", "Т.C", "Posted")


def test_padding_stands_and_a_cut_has_arrived() -> None:
    """Padding needs no second writing; a cut value has come, but would be sent again; a dropped one has not come."""
    padded = differences({"f": "643"}, {}, {"f": "643   "})
    inside = differences({"f": "ООО  Р"}, {}, {"f": "ООО Р"})
    cut = differences({"f": "Иванов"}, {}, {"f": "Ив"})
    dropped = differences({"f": "Иванов"}, {}, {"f": ""})
    assert [stands(d) for d in (padded, inside, cut, dropped)] == [True, False, False, False]
    assert [arrived(d) for d in (padded, inside, cut, dropped)] == [True, True, True, False]
