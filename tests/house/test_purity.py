"""The engine decides; it does not look at the world. Imports are held by import-linter, the rest is held here."""

from __future__ import annotations

import ast

from tests.house.source import modules

#: Builtins and methods that reach the world without an import of their own.
REACHES_OUT = {"open", "print", "input", "exec", "eval", "now", "today", "utcnow", "uuid4", "getenv", "read_text"}


def test_the_engine_calls_nothing_that_reaches_out() -> None:
    """No file, no clock, no terminal: deciding is a function of its arguments."""
    engine = [module for module in modules("hub") if module.name.startswith("hub.engine")]
    assert engine, "hub/engine was not found"
    found = []
    for module in engine:
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in REACHES_OUT:
                found.append(f"{module.path}:{call.lineno} {name}")
    assert found == []


def test_the_engine_keeps_nothing_between_calls() -> None:
    """No ``global``, no mutable container at module level: the same input always gives the same answer."""
    found = []
    for module in (m for m in modules("hub") if m.name.startswith("hub.engine")):
        found += [f"{module.path}:{n.lineno} global" for n in ast.walk(module.tree) if isinstance(n, ast.Global)]
        for node in module.tree.body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if isinstance(value, ast.List | ast.Set):
                found.append(f"{module.path}:{node.lineno} mutable")
    assert found == []
