"""Where the house uses codes of the catalogue: the calls that take one, and the codes they are given.

A code reaches the catalogue through ``sentence``, ``advice``, an error of the tree, a ``Reject`` or a settings
``Problem``. A function that hands its own parameter on to one of these takes a code as well, and so on until nothing
more is found; so a helper like ``self._bad(node, "settings_twice")`` is seen through.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.source import Function, Module, modules

Takers = dict[tuple[str, str], tuple[int, str]]  # (module, name) -> position and name of the parameter with the code


@dataclass(frozen=True)
class Use:
    """One code at one place; ``params`` are the names its marks are filled from, None when they cannot be told."""

    place: str
    code: str
    params: frozenset[str] | None


def _parameters(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _class_takes(node: ast.ClassDef) -> tuple[int, str] | None:
    """Position of ``code`` in the constructor or among the fields of a dataclass, if it has one."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            names = _parameters(part)
            return (names.index("code"), "code") if "code" in names else None
    fields = [p.target.id for p in node.body if isinstance(p, ast.AnnAssign) and isinstance(p.target, ast.Name)]
    return (fields.index("code"), "code") if "code" in fields else None


def _imports(module: Module) -> dict[str, tuple[str, str]]:
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


class _Names:
    """Which definition a called name means, followed through imports and re-exports."""

    def __init__(self) -> None:
        self.imports = {module.name: _imports(module) for module in modules()}

    def resolve(self, module: str, called: ast.expr) -> tuple[str, str] | None:
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "self":
            return module, called.attr
        if not isinstance(called, ast.Name):
            return None
        where, name = module, called.id
        for _ in range(4):
            if name not in self.imports.get(where, {}):
                break
            where, name = self.imports[where][name]
        return where, name


def _given(call: ast.Call, takes: tuple[int, str]) -> ast.expr | None:
    position, keyword = takes
    for argument in call.keywords:
        if argument.arg == keyword:
            return argument.value
    before = call.args[: position + 1]
    if len(before) <= position or any(isinstance(argument, ast.Starred) for argument in before):
        return None
    return before[position]


def _classes(names: _Names) -> Takers:
    """The error tree below ``HubError`` and the records that hold a code, wherever they are defined."""
    found: Takers = {("hub.texts", "sentence"): (0, "code"), ("hub.texts", "advice"): (0, "code")}
    found["hub.model.errors", "HubError"] = (0, "code")
    carriers = {"Reject", "Problem", "Bad"}
    for _ in range(4):  # the tree is at most that deep
        for module in modules():
            for node in ast.walk(module.tree):
                if not isinstance(node, ast.ClassDef):
                    continue
                parents = [names.resolve(module.name, base) for base in node.bases]
                inherited = next((found[parent] for parent in parents if parent in found), None)
                own = any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)
                takes = _class_takes(node) if own or node.name in carriers else inherited
                if takes and (inherited or node.name in carriers):
                    found[module.name, node.name] = takes
    return found


def takers() -> Takers:
    """Every call that takes a code: where it is defined and which of its parameters it is."""
    names = _Names()
    found = _classes(names)
    while True:
        before = len(found)
        for module in modules():
            for function in module.functions():
                parameters = _parameters(function)
                for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                    target = names.resolve(module.name, call.func)
                    given = _given(call, found[target]) if target in found else None
                    if isinstance(given, ast.Name) and given.id in parameters and function.name != "__init__":
                        found.setdefault((module.name, function.name), (parameters.index(given.id), given.id))
        if len(found) == before:
            return found


def _literals(given: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
    elif isinstance(given, ast.IfExp):
        yield from (*_literals(given.body), *_literals(given.orelse))


def uses() -> list[Use]:
    """Every code written at a call that takes one."""
    names, known, found = _Names(), takers(), []
    for module in modules():
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            target = names.resolve(module.name, call.func)
            given = _given(call, known[target]) if target in known else None
            if given is None or target is None:
                continue
            keywords = {argument.arg for argument in call.keywords}
            direct = target[0] == "hub.texts" and None not in keywords
            params = frozenset(name for name in keywords if name) if direct else None
            found += [Use(f"{module.path}:{call.lineno}", code, params) for code in _literals(given)]
    return found
