"""The nodes of a YAML file read as sections, words and lists: problems pile up, each with its line.

Nodes know their lines, and the raw text of a scalar is kept (YAML 1.1 would read the time ``12:15`` as the number 735).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hub.model.settings_keys import Bad, Key, near
from hub.model.settings_types import Problem


def line_of(node: Node) -> int:
    """Line of the file in which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def is_empty(node: Node) -> bool:
    """A key without a value."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


class Nodes:
    """One reading of one file; what could be read goes on being checked whatever is wrong elsewhere."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, node: Node, where: str, code: str, **params: Any) -> None:
        """Remember what is wrong at a node."""
        self.problems.append(Problem(line_of(node), where, code, params))

    def entries(self, node: MappingNode, where: str, known: Iterable[str] | None) -> dict[str, Node]:
        """Keys of a section with their nodes; unknown ones (unless ``known`` is None) and repeated ones are told."""
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        known = None if known is None else list(known)
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            place = f"{where}.{key}" if where else key
            if not isinstance(key_node, ScalarNode):
                self.problem(key_node, where, "settings_key_form")
            elif key in lines:
                self.problem(key_node, place, "settings_twice", first=lines[key])
            elif known is not None and key not in known:
                lines[key] = line_of(key_node)
                self.problem(key_node, place, "settings_unknown", known=", ".join(known), near=near(key, known))
            else:
                lines[key] = line_of(key_node)
                found[key] = value
        return found

    def values(
        self, section: MappingNode, entries: Mapping[str, Node], where: str, known: Iterable[Key]
    ) -> dict[str, Any]:
        """Parsed scalars of a section; a key without a value counts as not written."""
        parsed: dict[str, Any] = {}
        for key in known:
            place = f"{where}.{key.name}" if where else key.name
            node = entries.get(key.name)
            if node is None or is_empty(node):
                if key.required:
                    self.problem(node or section, place, "settings_required")
                continue
            for value in self.scalar(node, place, key.parse):
                parsed[key.name] = value
        return parsed

    def scalar(self, node: Node, where: str, parse: Callable[[str], Any]) -> list[Any]:
        """The parsed value of one scalar, alone in a list; nothing where there is a problem."""
        if not isinstance(node, ScalarNode):
            self.problem(node, where, "settings_not_scalar")
            return []
        try:
            return [parse(node.value)]
        except Bad as bad:
            self.problem(node, where, bad.code, **bad.params)
            return []

    def items(self, node: Node, where: str, parse: Callable[[str], Any]) -> tuple[Any, ...]:
        """The parsed values of a list; one word alone is a list of one. What is no good is told and left out."""
        if is_empty(node):
            return ()
        if isinstance(node, SequenceNode):
            found = [value for item in node.value for value in self.scalar(item, where, parse)]
        elif isinstance(node, ScalarNode):
            found = self.scalar(node, where, parse)
        else:
            self.problem(node, where, "settings_not_list")
            found = []
        return tuple(dict.fromkeys(found))

    def section(self, node: Node, where: str) -> MappingNode | None:
        """The node as a section; nothing, and a problem, where it is none."""
        if isinstance(node, MappingNode):
            return node
        self.problem(node, where, "settings_not_section")
        return None
