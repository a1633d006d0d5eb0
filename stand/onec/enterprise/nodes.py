"""Who the base exchanges with, and what each has been told: registration of changes and the numbers of messages.

A change is registered without a number; the message that carries it first stamps it. It goes with every message until
the other side confirms a number that is not lower. What came from a node is not registered for that node.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from stand.onec.enterprise.objects import Kind, known
from stand.onec.world import Key, World

Item = tuple[str, str]


@dataclass(slots=True)
class Node:
    """One peer.

    ``sent`` and ``received``: numbers of the last message each way. ``changes``: object → the message that carried it
    first. ``told``: objects the peer has confirmed. ``theirs``: their uuid → ours, for objects found by what they are;
    ``ours``: the same the other way. ``wants``: kinds the peer says it receives, ``None`` until it has said anything.
    ``loaded`` and ``skipped`` count objects that came.
    """

    code: str
    prefix: str = ""
    sent: int = 0
    received: int = 0
    changes: dict[Item, int | None] = field(default_factory=dict)
    told: set[Item] = field(default_factory=set)
    theirs: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    wants: frozenset[str] | None = None
    loaded: int = 0
    skipped: int = 0

    def public(self, key: str) -> str:
        """The uuid by which the peer knows our object."""
        return self.ours.get(key, key)

    def match(self, theirs: str, key: str) -> None:
        """The peer's object is this one of ours."""
        self.theirs[theirs], self.ours[key] = key, theirs

    def confirm(self, number: int) -> None:
        """The peer has received everything up to that message."""
        for item in [item for item, first in self.changes.items() if first is not None and first <= number]:
            del self.changes[item]
            self.told.add(item)

    def copy(self) -> Node:
        """A node that shares nothing with this one."""
        return replace(
            self, changes=dict(self.changes), told=set(self.told), theirs=dict(self.theirs), ours=dict(self.ours)
        )


class Nodes:
    """All peers of one base."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kinds: dict[str, Kind] = known(world.model)
        self.by_code: dict[str, Node] = {}
        self._loading: Node | None = None
        world.listeners.append(self._changed)

    def add(self, code: str, prefix: str = "") -> Node:
        """A new peer, for whom everything is registered; one that exists is returned as it is."""
        with self.world.lock:
            if code not in self.by_code:
                self.by_code[code] = Node(code, prefix)
                self.register_all(self.by_code[code])
            return self.by_code[code]

    def register_all(self, node: Node) -> None:
        """Register every object, as «Зарегистрировать все» does. Groups are not objects of the format."""
        running = gc.isenabled()
        # A base of millions of objects would be looked through for each thousand of these.
        gc.disable()
        try:
            for name in self.kinds:
                rows = self.world.tables[name].rows
                node.changes.update({(name, str(key)): None for key, row in rows.items() if not row.get("IsFolder")})
        finally:
            if running:
                gc.enable()

    def _changed(self, name: str, key: Key) -> None:
        if name not in self.kinds or (self.world.get(name, key) or {}).get("IsFolder"):
            return
        for node in self.by_code.values():
            if node is not self._loading:
                node.changes[name, str(key)] = None

    @contextmanager
    def loading(self, node: Node) -> Iterator[None]:
        """While this lasts, changes are not registered for the node they came from."""
        self._loading = node
        try:
            yield
        finally:
            self._loading = None

    def state(self) -> dict[str, dict[str, int]]:
        """Numbers of every peer, for the control address."""
        return {
            code: {
                "sent": node.sent,
                "received": node.received,
                "registered": len(node.changes),
                "loaded": node.loaded,
                "skipped": node.skipped,
            }
            for code, node in self.by_code.items()
        }
