"""No module needs one that needs it, not even for the name of a type."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.source import PACKAGES, modules

#: The stand describes its data by functions that make them, which know the world they make.
PRODUCT = tuple(package for package in PACKAGES if package != "stand")


def imported(body: Iterable[ast.stmt], known: frozenset[str]) -> Iterator[str]:
    """Modules among ``known`` that a module names when it is loaded, and those it names for types alone.

    What a function imports when it is called is another matter: it is late on purpose.
    """
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from imported((*node.body, *node.orelse), known)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in (whole if whole in known else node.module,) if name in known)


def circle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """One circle in who needs whom; empty when there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_nobody_needs_who_needs_him() -> None:
    """A type that two modules share belongs to a third one below both."""
    found = modules(*PRODUCT)
    known = frozenset(module.name for module in found)
    needs = {module.name: set(imported(module.tree.body, known)) - {module.name} for module in found}
    assert circle(needs) == []


@pytest.mark.parametrize("text", ["import b", "from b import x", "if TYPE_CHECKING:\n    from b import X"])
def test_a_circle_is_found(text: str) -> None:
    """However a module is named, also for its types alone; a late import is none."""
    known = frozenset({"a", "b"})
    assert circle({"a": set(imported(ast.parse(text).body, known)), "b": {"a"}}) != []
    late = ast.parse(f"def f():\n{''.join(f'    {line}' + chr(10) for line in text.splitlines())}")
    assert circle({"a": set(imported(late.body, known)), "b": {"a"}}) == []
