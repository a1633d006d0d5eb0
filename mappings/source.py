"""YAML text to a tree that knows its lines, without ever constructing objects from it.

Only mappings, lists and plain scalars exist here; tags, anchors and aliases are refused, so a file cannot make the
loader build anything or blow up in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from mappings.problems import Place, Problem

Scalar = str | bool | int | float | None
#: A file larger than this is no mapping.
MAX_BYTES = 1_000_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Tree:
    """A node: ``items`` of a mapping, ``parts`` of a list, or the ``value`` of a scalar; told apart by ``kind``."""

    kind: str
    place: Place
    value: Scalar = None
    parts: list[Tree] = field(default_factory=list)
    items: dict[str, Tree] = field(default_factory=dict)
    key_places: dict[str, Place] = field(default_factory=dict)

    def get(self, key: str) -> Tree | None:
        """The value of a key, ``None`` if the key is absent."""
        return self.items.get(key)

    def plain(self) -> object:
        """The tree as dicts, lists and scalars, without places: what a fingerprint is made of."""
        if self.kind == "map":
            return {key: item.plain() for key, item in self.items.items()}
        return [part.plain() for part in self.parts] if self.kind == "list" else self.value


def load(path: Path, problems: list[Problem]) -> Tree | None:
    """The tree of a file, or ``None`` with the reasons added to ``problems``."""
    name = f"{path.parent.name}/{path.name}"
    place = Place(name, 1)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig") if len(data) <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem("mapping_unreadable", place, detail=str(error)))
        return None
    if len(data) > MAX_BYTES:
        problems.append(Problem("mapping_unreadable", place, detail=f"> {MAX_BYTES} bytes"))
        return None
    return parse(text, name, problems)


def parse(text: str, file: str, problems: list[Problem]) -> Tree | None:
    """The tree of a text; ``file`` is the name problems are told by."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        detail = str(getattr(error, "problem", None) or error).splitlines()[0]
        problems.append(Problem("mapping_not_yaml", Place(file, line), detail=detail))
        return None
    if not isinstance(node, yaml.MappingNode):
        problems.append(Problem("mapping_not_a_map", Place(file, 1)))
        return None
    return _Reader(file, problems).read(node)


class _Reader:
    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._seen: set[int] = set()

    def read(self, node: yaml.Node) -> Tree:
        place = Place(self._file, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._problems.append(Problem("mapping_alias", place))
            return Tree("scalar", place)
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._map(node, place)
        if isinstance(node, yaml.SequenceNode):
            return Tree("list", place, parts=[self.read(part) for part in node.value])
        return Tree("scalar", place, self._scalar(node, place))

    def _map(self, node: yaml.MappingNode, place: Place) -> Tree:
        tree = Tree("map", place)
        for key_node, value_node in node.value:
            where = Place(self._file, key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.append(Problem("mapping_bad_key", where))
                continue
            key = str(key_node.value)
            if key in tree.items:
                self._problems.append(Problem("mapping_key_twice", where, key=key))
                continue
            tree.items[key] = self.read(value_node)
            tree.key_places[key] = where
        return tree

    def _scalar(self, node: yaml.Node, place: Place) -> Scalar:
        tag, text = node.tag.removeprefix(_PREFIX), str(node.value)
        if tag == "null":
            return None
        if tag == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        bare = text.removeprefix("-")
        if tag == "int" and bare.isdigit() and (bare == "0" or not bare.startswith("0")):
            return int(text)
        if tag == "float":
            try:
                return float(text)
            except ValueError:
                return text
        if tag not in ("str", "bool", "int", "float", "timestamp", "merge", "value"):
            self._problems.append(Problem("mapping_tag", place, tag=tag))
        return text
