"""``$expand``: what of a record's references is answered in place, how deep, and with which fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stand.onec.errors import bad_option, segment_not_found
from stand.onec.model import NAMESPACE, EntitySet, Kind, Prop
from stand.onec.projection import Projection, project
from stand.onec.veil import hidden
from stand.onec.world import Record, World

Path = tuple[str, ...]


@dataclass(slots=True)
class Expansion:
    """One reference to be answered in place. ``key``: under which name; ``fields``: what of its target."""

    key: str
    prop: Prop
    target: str
    fields: Projection

    def find(self, world: World, record: Record) -> Record | None:
        """The record that the reference leads to; ``None`` when it is empty, broken or of another type."""
        if self.prop.kind is Kind.COMPOSITE and record.get(f"{self.prop.name}_Type") != NAMESPACE + self.target:
            return None
        return world.get(self.target, record.get(self.prop.name, self.prop.empty))


def paths(words: Iterable[str]) -> list[Path]:
    """Names of an option taken apart at their slashes."""
    return [tuple(part for part in word.split("/") if part) for word in words]


def expanded(world: World, item: EntitySet, select: Path, asked: list[Path], levels: int) -> Projection:
    """The fields of a set with its expansions. ``levels``: how many steps are left.

    A reference that is not selected is silently not expanded. A composite one is named with the type it is to be
    followed as (``ДокументОснование/Document_ЗаказКлиента``) and comes as ``…_Expanded``. Code 6 for what is no
    reference or is not published, 14 for too many steps.
    """
    wanted: dict[str, list[Path]] = {}
    for path in asked:
        wanted.setdefault(path[0], []).extend([path[1:]] if path[1:] else [])
    if "*" in wanted:
        del wanted["*"]
        published = (p.navigation for p in item.shape.navigable if not hidden(world, p.targets[0]))
        wanted = {name: [] for name in published} | wanted
    own, inner = _split(select, wanted)
    fields = project(item, own)
    chosen = {name for name, _ in (*fields.before, *fields.after)}
    for name, rest in wanted.items():
        for key, prop, target, more in _targets(item, name, rest):
            if hidden(world, target):
                raise segment_not_found(name)
            if prop.name not in chosen:
                continue
            if more and levels <= 1:
                raise bad_option("$expand", "/".join((name, *more[0])))
            below = expanded(world, world.set_of(target), inner.get(name, ()), more, levels - 1)
            fields.expanded.append(Expansion(key, prop, target, below))
    return fields


def _split(select: Path, wanted: dict[str, list[Path]]) -> tuple[Path, dict[str, Path]]:
    """The set's own fields, and those of what is expanded; naming one of the latter selects the reference too."""
    own: dict[str, None] = {}
    inner: dict[str, Path] = {}
    for word in select:
        head, _, rest = word.partition("/")
        if rest and head in wanted:
            inner[head] = (*inner.get(head, ()), rest)
            own[head] = None
        else:
            own[word] = None
    return (*own,), inner


def _targets(item: EntitySet, name: str, rest: list[Path]) -> Iterable[tuple[str, Prop, str, list[Path]]]:
    """Under which name, by which field, to which set, and what is to be expanded there."""
    plain = next((prop for prop in item.shape.navigable if prop.navigation == name), None)
    if plain is not None:
        return [(name, plain, plain.targets[0], rest)]
    composite = next((prop for prop in item.shape.composites if prop.name == name), None)
    kinds = {*(path[0] for path in rest)}
    if composite is None or not kinds or kinds - {*composite.targets}:
        raise segment_not_found(name)
    return [
        (f"{name}_Expanded", composite, kind, [path[1:] for path in rest if path[0] == kind and path[1:]])
        for kind in sorted(kinds)
    ]
