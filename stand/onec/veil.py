"""References to objects that are not published: no link leads there, a composite one does not even tell its type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stand.onec.model import NAMESPACE, Shape

if TYPE_CHECKING:
    from stand.onec.world import World

UNAVAILABLE = "UnavailableEntities.UnavailableEntity_"


def hidden(world: World, target: str) -> bool:
    """Whether a set exists and is not published."""
    return target in world.unpublished


def type_shown(world: World, stored: str) -> str:
    """The type of a composite reference as it is answered; an unavailable one is always the same for one set."""
    name = stored.removeprefix(NAMESPACE)
    return f"{UNAVAILABLE}{world.identifier(name)}" if hidden(world, name) else stored


def veil(world: World, shape: Shape, tables: dict[str, Shape], record: dict[str, Any]) -> None:
    """Replace types that must not be told in a record that is about to be answered."""
    if not world.unpublished:
        return
    _veil(world, shape, (record,))
    for name, rows in tables.items():
        _veil(world, rows, record.get(name, ()))


def _veil(world: World, shape: Shape, rows: Iterable[dict[str, Any]]) -> None:
    names = [f"{prop.name}_Type" for prop in shape.composites if prop.targets]
    for row in rows:
        row.update({name: type_shown(world, row[name]) for name in names if name in row})
