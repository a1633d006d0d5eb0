"""Writing Python source safely: lines, depths, and constants that stay out of the text.

Whatever comes from a mapping file (source names, words of a table, constants) is put into the namespace of the
generated code as an object named ``k0``, ``k1`` … and never into its text. The text itself consists of this package's
own keywords, of ``f0`` … (attributes), ``v0`` … (variables), ``k0`` … (constants) and of numbers, so a file cannot
make the compiler run anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mappings.spec import Condition, Test
from mappings.structs import Shape


@dataclass(slots=True)
class Writer:
    """Source text under construction, and the namespace its constants live in."""

    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    depth: int = 0
    _count: int = 0

    def add(self, line: str) -> None:
        """One line at the present depth."""
        self.lines.append("    " * self.depth + line)

    @contextmanager
    def block(self, line: str) -> Iterator[None]:
        """A line that ends with a colon, and what is inside it; an empty block passes."""
        self.add(line)
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.add("pass")
        self.depth -= 1

    def const(self, value: Any) -> str:
        """The name of a constant; ``None`` stands for itself."""
        if value is None:
            return "None"
        for name, known in self.constants.items():
            if type(known) is type(value) and repr(known) == repr(value):
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def var(self) -> str:
        """A new variable name."""
        self._count += 1
        return f"v{self._count}"

    def text(self) -> str:
        """The source so far."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where source names are looked up: variable of the item at hand, its shape, and its path for messages."""

    var: str
    shape: Shape
    path: str = ""

    def get(self, name: str) -> str:
        """The attribute that holds a source value."""
        return f"{self.var}.{self.shape.attributes[name]}"


def condition_source(writer: Writer, condition: Condition, scope: Scope) -> str:
    """A condition as a Python expression; the empty one is ``True``."""
    return " and ".join(_test_source(writer, test, scope) for test in condition) or "True"


def _test_source(writer: Writer, test: Test, scope: Scope) -> str:
    value = scope.get(test.name)
    if not test.values:
        return f"not {value}" if test.negate else value
    choices: list[str] = []
    if None in test.values:
        choices.append(f"{value} in NOTHING")
    flags = [choice for choice in test.values if isinstance(choice, bool)]
    choices += [value if flag else f"not {value}" for flag in flags]
    words = [choice for choice in test.values if choice is not None and not isinstance(choice, bool)]
    if len(words) == 1:
        choices.append(f"{value} == {writer.const(words[0])}")
    elif words:
        choices.append(f"{value} in {writer.const(tuple(words))}")
    joined = " or ".join(choices)
    return f"not ({joined})" if test.negate else f"({joined})"
