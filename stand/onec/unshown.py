"""Contact information that 1C stores and shows to nobody: rows without a kind, or with one of another catalogue."""

from __future__ import annotations

from typing import Any

from stand.onec.generate.kinds import CONTACTS, KINDS, owners
from stand.onec.world import World


def unshown(world: World) -> list[dict[str, Any]]:
    """Such rows as ``set``, ``key``, ``row`` (its number) and ``why``: ``no kind``, ``other owner``, ``other type``.

    Rows that the base was made with are not looked at.
    """
    found: list[dict[str, Any]] = []
    for owner in owners(world):
        for record in world.tables[f"Catalog_{owner}"]:
            rows = record.get(CONTACTS)
            found += [
                {"set": f"Catalog_{owner}", "key": record["Ref_Key"], "row": row["LineNumber"], "why": why}
                for row in (rows if isinstance(rows, list) else ())
                if (why := _why(world, owner, row))
            ]
    return found


def _why(world: World, owner: str, row: dict[str, Any]) -> str:
    kind = world.get(KINDS, row.get("Вид_Key", ""))
    if kind is None:
        return "no kind"
    group = world.get(KINDS, kind.get("Parent_Key", "")) or {}
    if f"Справочник{owner}" not in (group.get("PredefinedDataName"), group.get("ИмяПредопределенногоВида")):
        return "other owner"
    return "" if kind.get("Тип") == row.get("Тип") else "other type"
