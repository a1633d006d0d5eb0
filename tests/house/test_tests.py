"""What is asked of every test."""

from __future__ import annotations

import ast

from tests.house.source import modules

#: Tests of the house, and those that the product brings along for authors of connectors.
WITH_TESTS = ("tests", "connectors")


def test_every_test_says_what_it_proves() -> None:
    """A test has a docstring whose first line is a sentence, not a repeated name."""
    silent = []
    for module in modules(*WITH_TESTS):
        for function in module.functions():
            said = (ast.get_docstring(function) or "").split()
            if function.name.startswith("test_") and len(said) < 3:
                silent.append(f"{module.path}:{function.lineno} {function.name}")
    assert silent == []


def test_every_test_can_fail() -> None:
    """A test asserts, expects an error, or hands on to a function of the tests that does."""
    idle = []
    helpers = {
        function.name
        for module in modules(*WITH_TESTS)
        for function in module.functions()
        if any(isinstance(node, ast.Assert) for node in ast.walk(function)) and not function.name.startswith("test_")
    }
    for module in modules(*WITH_TESTS):
        for function in module.functions():
            if not function.name.startswith("test_"):
                continue
            nodes = list(ast.walk(function))
            asserts = any(isinstance(node, ast.Assert) for node in nodes)
            calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
            if not asserts and not calls & {"pytest.raises", "pytest.fail"} and not helpers & calls:
                idle.append(f"{module.path}:{function.lineno} {function.name}")
    assert idle == []


def test_no_test_is_switched_off() -> None:
    """No test is skipped or expected to fail without a condition; one that cannot work yet does not stand here."""
    found = []
    for module in modules(*WITH_TESTS):
        for function in module.functions():
            for mark in function.decorator_list:
                text = ast.unparse(mark)
                if text.startswith(("pytest.mark.skip(", "pytest.mark.xfail")) or text == "pytest.mark.skip":
                    found.append(f"{module.path}:{function.lineno} {function.name}")
    assert found == []
