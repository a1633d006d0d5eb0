"""People who work in the base while it is being read: edits that happen when the N-th page of a set is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stand.onec.world import Key, World

Edit = Callable[[World], object]


@dataclass(slots=True)
class Step:
    """Happens right before the ``page``-th read of the set since the step was written (1 is the next one)."""

    name: str
    page: int
    edit: Edit
    seen: int = 0


@dataclass(slots=True)
class Script:
    """Steps that have not happened yet. ``played``: how many have."""

    world: World
    steps: list[Step] = field(default_factory=list)
    played: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def when(self, name: str, page: int, edit: Edit) -> None:
        """Let ``edit`` happen once, before the ``page``-th read of the set from now. ``ValueError``: no such page."""
        if page < 1:
            raise ValueError("the first page is 1")
        with self._lock:
            self.steps.append(Step(name, page, edit))

    def asked(self, name: str) -> None:
        """A page of the set is asked for: carry out what is due."""
        if not self.steps:
            return
        with self._lock:
            mine = [step for step in self.steps if step.name == name]
            for step in mine:
                step.seen += 1
            due = [step for step in mine if step.seen >= step.page]
            self.steps = [step for step in self.steps if not any(step is done for done in due)]
        for step in due:
            step.edit(self.world)
            self.played += 1


def key_of(value: Any) -> Key:
    """A key out of JSON: a list for several fields."""
    return tuple(map(str, value)) if isinstance(value, list) else str(value)


def edit_of(asked: Mapping[str, Any]) -> Callable[[World], dict[str, Any]]:
    """``{"do": "edit" | "add" | "delete" | "touch", "set", "key", "fields"}`` as an edit.

    ``KeyError`` and ``ValueError`` tell what is wrong with it; the edit itself raises them for a missing record.
    """
    action, name = asked["do"], str(asked["set"])
    key = None if action == "add" else key_of(asked["key"])
    fields = asked["fields"] if action in ("add", "edit") else {}

    def run(world: World) -> dict[str, Any]:
        if action == "add":
            return {"key": world.key_of(name, world.add(name, fields))}
        assert key is not None
        if action == "delete":
            world.delete(name, key)
            return {}
        if action == "touch":
            world.touch(name, key)
        else:
            world.edit(name, key, fields)
        return {"DataVersion": (world.get(name, key) or {}).get("DataVersion")}

    if action not in ("add", "edit", "delete", "touch"):
        raise ValueError(f"no such edit: {action}")
    return run
