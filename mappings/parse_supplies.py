"""What a new record takes from the one that it refers to: ``supplies`` of a mapping."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from hub.model.entities import ENTITIES, Entity
from hub.model.fields import Field, Kind
from mappings.parse_expr import Reader
from mappings.source import Tree
from mappings.spec import Plain, Supply

#: Keys of one entry.
SUPPLY_KEYS = ("of", "take", "only", "where")


@dataclass(slots=True)
class SupplyReader(Reader):
    """Reads ``supplies``."""

    def supplies(self, tree: Tree | None, entity: Entity, mapped: Container[str]) -> tuple[Supply, ...]:
        """Fields of the entity with where their references come from; ``mapped``: those that the mapping fills.

        An entry that an overlay has taken away is none.
        """
        if tree is None:
            return ()
        if tree.kind != "map":
            self.complain("mapping_wrong_type", tree.place, what="supplies", wanted="field: {of: …, take: …}")
            return ()
        own = {name: item for name, item in references(entity.fields).items() if name in mapped}
        entries = {name: item for name, item in tree.items.items() if item.kind != "scalar" or item.value is not None}
        found = (self._supply(tree, name, item, own) for name, item in entries.items())
        return tuple(one for one in found if one is not None)

    def _supply(self, tree: Tree, name: str, item: Tree, own: Mapping[str, Field]) -> Supply | None:
        if item.kind != "map":
            self.complain("mapping_wrong_type", item.place, what=name, wanted="{of: …, take: …}")
            return None
        self._strange_keys(item, SUPPLY_KEYS)
        if ("take" in item.items) == ("only" in item.items) or "of" not in item.items:
            self.complain("mapping_wrong_type", item.place, what=name, wanted="of + take, of + only")
            return None
        if name not in own:
            self.unknown("mapping_unknown_word", tree.key_places[name], name, own, key="supplies")
            return None
        of = self.one_of(item, "of", own)
        if of is None:
            return None
        if "take" in item.items:
            take = self.one_of(item, "take", references(ENTITIES[own[of].target].fields))
            return None if take is None else Supply(name, of, take=take)
        only = self.one_of(item, "only", [own[name].target])
        if only is None:
            return None
        if of not in references(ENTITIES[only].fields):
            self.unknown(
                "mapping_unknown_word", item.items["of"].place, of, references(ENTITIES[only].fields), key="of"
            )
            return None
        return Supply(name, of, only=only, where=self._where(item.get("where"), ENTITIES[only]))

    def _where(self, tree: Tree | None, entity: Entity) -> tuple[tuple[str, Plain], ...]:
        if tree is None:
            return ()
        if tree.kind != "map":
            self.complain("mapping_wrong_type", tree.place, what="where", wanted="field: value")
            return ()
        enums = {item.name: item for item in entity.fields if item.kind is Kind.ENUM}
        found = []
        for name in tree.items:
            if name not in enums:
                self.unknown("mapping_unknown_word", tree.key_places[name], name, enums, key="where")
                continue
            value = self.one_of(tree, name, enums[name].choices)
            if value is not None:
                found.append((name, value))
        return tuple(found)


def references(fields: Iterable[Field]) -> dict[str, Field]:
    """Reference fields by name."""
    return {item.name: item for item in fields if item.kind is Kind.REF}
