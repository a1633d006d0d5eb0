"""Connectors that are broken on purpose, by name, and where the kit must find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from connectors.memory import MemoryConnector
from tests.connectors.in_memory import InMemory


@dataclass(frozen=True)
class Caught:
    """A connector that is broken, the point that the defect belongs to, and others that cannot overlook it."""

    kind: type[MemoryConnector]
    at: str
    also: frozenset[str]

    @property
    def subject(self) -> type[InMemory]:
        """What stands behind it."""
        return type(f"Behind{self.kind.__name__}", (InMemory,), {"connect": lambda subject: self.kind(subject.base)})


BROKEN: dict[str, Caught] = {}
Kind = TypeVar("Kind", bound=type[MemoryConnector])


def broken(at: str, *also: str) -> Callable[[Kind], Kind]:
    """Register a connector."""

    def register(kind: Kind) -> Kind:
        BROKEN[kind.__name__] = Caught(kind, at, frozenset(also))
        return kind

    return register


def tests(bases: Callable[[Caught], tuple[type, ...]]) -> dict[str, type]:
    """A class of tests for each of them, by name."""
    return {f"Test{name}": type(f"Test{name}", bases(it), {"subject_type": it.subject}) for name, it in BROKEN.items()}
