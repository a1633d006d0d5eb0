"""Where the house uses codes of the catalogue: the calls that take one, and the codes they are given.

A code reaches the catalogue through ``sentence``, ``advice``, an error of the tree, a ``Reject`` or a settings
``Problem``. A function that hands its own parameter on to one of these takes a code as well, and so on until nothing
more is found; so helpers like ``self._bad(node, "settings_twice")`` are seen through, and so is one that puts a prefix
before it (``call.text("crash")`` is ``cli_crash``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.house.source import Function, Module, modules


class Takes(NamedTuple):
    """Which parameter of a callable is a code, and what is put before it."""

    position: int
    name: str = "code"
    prefix: str = ""


Takers = dict[tuple[str, str], Takes]  # by module and name; a method by the module of its class


@dataclass(frozen=True)
class Use:
    """One code at one place; ``params`` are the names its marks are filled from, None when they cannot be told."""

    place: str
    code: str
    params: frozenset[str] | None


def _parameters(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _class_takes(node: ast.ClassDef) -> Takes | None:
    """Position of ``code`` in the constructor or among the fields of a dataclass, if it has one."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            names = _parameters(part)
            return Takes(names.index("code")) if "code" in names else None
    fields = [p.target.id for p in node.body if isinstance(p, ast.AnnAssign) and isinstance(p.target, ast.Name)]
    return Takes(fields.index("code")) if "code" in fields else None


def _imports(module: Module) -> dict[str, tuple[str, str]]:
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _annotated(module: Module) -> dict[str, str]:
    """Class names that parameters, variables and fields of a module are declared with, by their own names."""
    found: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name):
            found[node.arg] = node.annotation.id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name):
            target = node.target
            found[target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")] = node.annotation.id
    return found


class _Names:
    """Which definition a called name means, followed through imports and re-exports."""

    def __init__(self) -> None:
        self.imports = {module.name: _imports(module) for module in modules()}
        self.declared = {module.name: _annotated(module) for module in modules()}

    def resolve(self, module: str, called: ast.expr) -> tuple[str, str] | None:
        """Module and name of what is called; of a method, the module of its class."""
        if isinstance(called, ast.Name):
            return self._follow(module, called.id)
        if not isinstance(called, ast.Attribute):
            return None
        owner = called.value
        if isinstance(owner, ast.Name) and owner.id == "self":
            return module, called.attr
        if isinstance(owner, ast.Name) and ".".join(self.imports[module].get(owner.id, ())) in self.imports:
            return ".".join(self.imports[module][owner.id]), called.attr  # a function of a module
        name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        declared = self.declared[module].get(name)
        return (self._follow(module, declared)[0], called.attr) if declared else None

    def _follow(self, where: str, name: str) -> tuple[str, str]:
        for _ in range(4):
            if name not in self.imports.get(where, {}):
                break
            where, name = self.imports[where][name]
        return where, name


def _given(call: ast.Call, takes: Takes) -> ast.expr | None:
    for argument in call.keywords:
        if argument.arg == takes.name:
            return argument.value
    before = call.args[: takes.position + 1]
    if len(before) <= takes.position or any(isinstance(argument, ast.Starred) for argument in before):
        return None
    return before[takes.position]


def _classes(names: _Names) -> Takers:
    """The error tree below ``HubError`` and the records that hold a code, wherever they are defined."""
    found: Takers = {("hub.texts", "sentence"): Takes(0), ("hub.texts", "advice"): Takes(0)}
    found["hub.model.errors", "HubError"] = Takes(0)
    found["hub.exchange.brakes", "Held"] = Takes(2, "reason")
    for name in ("wait", "not_sent", "wait_for", "fail", "hold"):  # why a row of the outbox is not sent
        found["hub.exchange.push.box", name] = Takes(2)
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
                    if target in found and function.name != "__init__":
                        handed = _handed_on(_given(call, found[target]), parameters, found[target].prefix)
                        if handed:
                            found.setdefault((module.name, function.name), handed)
        if len(found) == before:
            return found


def _handed_on(given: ast.expr | None, parameters: list[str], prefix: str) -> Takes | None:
    """The parameter that is handed on, bare or with a constant before it."""
    parts = given.values if isinstance(given, ast.JoinedStr) else [given]
    if len(parts) == 2 and isinstance(parts[0], ast.Constant) and isinstance(parts[1], ast.FormattedValue):
        prefix, parts = prefix + str(parts[0].value), [parts[1].value]
    last = parts[-1]
    if len(parts) == 1 and isinstance(last, ast.Name) and last.id in parameters:
        return Takes(parameters.index(last.id), last.id, prefix)
    return None


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
            found += [
                Use(f"{module.path}:{call.lineno}", known[target].prefix + code, params) for code in _literals(given)
            ]
    return found
