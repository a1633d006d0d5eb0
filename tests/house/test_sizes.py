"""How long things may grow."""

from __future__ import annotations

import statistics

from tests.house.source import AROUND, PACKAGES, modules

MODULE_LINES = 500
FUNCTION_LINES = 80


def lengths(*tops: str) -> dict[str, int]:
    """Lines of each function, by its place."""
    return {
        f"{module.path}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for module in modules(*tops)
        for function in module.functions()
    }


def test_no_module_is_longer_than_500_lines() -> None:
    """A module that outgrows 500 lines is named here."""
    assert {str(m.path): m.lines for m in (*modules(*PACKAGES), *modules(*AROUND)) if m.lines > MODULE_LINES} == {}


def test_no_function_is_longer_than_80_lines() -> None:
    """A function that outgrows 80 lines is named here, those of tests too."""
    assert {place: n for place, n in lengths(*PACKAGES, *AROUND).items() if n > FUNCTION_LINES} == {}


def test_functions_and_modules_of_the_product_are_short_as_a_whole() -> None:
    """Functions: median at most 10 lines, nine of ten at most 30; modules: median at most 150."""
    functions = list(lengths(*PACKAGES).values())
    assert len(functions) > 100, "the sources were not found"
    assert statistics.median(functions) <= 10
    assert statistics.quantiles(functions, n=10)[-1] <= 30
    assert statistics.median(module.lines for module in modules()) <= 150
