"""The files of a profile with a site's overlay over them, checked as a whole and put in load order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hub.model.errors import NeedsPerson
from mappings.parse import parse_mapping
from mappings.problems import MappingInvalid, Place, Problem, closest
from mappings.scope import all_refs
from mappings.source import Tree, load
from mappings.spec import MappingSpec

ROOT = Path(__file__).parent


def profiles() -> list[str]:
    """Names of the profiles that are shipped."""
    return sorted(path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.yaml")))


def read_profile(profile: str, overlay: Path | None = None) -> list[MappingSpec]:
    """All mappings of a profile in load order; ``MappingInvalid`` lists every problem of every file."""
    if profile not in profiles():
        known = profiles()
        raise NeedsPerson("unknown_profile", profile=profile, known=", ".join(known), guess=closest(profile, known))
    return read_folder(profile, ROOT / profile, overlay)


def read_folder(profile: str, folder: Path, overlay: Path | None = None) -> list[MappingSpec]:
    """The same for a folder of files anywhere."""
    problems: list[Problem] = []
    trees = {path.stem: tree for path in sorted(folder.glob("*.yaml")) if (tree := load(path, problems))}
    if overlay is not None:
        _lay_over(trees, overlay, problems)
    specs = [parse_mapping(name, profile, tree, problems) for name, tree in trees.items()]
    whole = [spec for spec in specs if spec is not None]
    problems += _together(whole, set() if len(whole) == len(specs) else _streams(trees.values()))
    if problems:
        raise MappingInvalid(profile, problems)
    return in_order(whole)


def _lay_over(trees: dict[str, Tree], overlay: Path, problems: list[Problem]) -> None:
    """Merge each overlay file into the shipped file of its name; a file of a new name is a mapping of its own."""
    if not overlay.is_dir():
        problems.append(Problem("overlay_missing", Place(overlay.name), path=overlay.name))
        return
    for path in sorted(overlay.glob("*.yaml")):
        tree = load(path, problems)
        if tree is None:
            continue
        base = trees.get(path.stem)
        if base is None and "stream" not in tree.items:
            guess = closest(path.stem, trees)
            problems.append(Problem("overlay_unknown_file", tree.place, name=path.stem, guess=guess))
            continue
        trees[path.stem] = tree if base is None else merged(base, tree)


def merged(base: Tree, over: Tree) -> Tree:
    """``over`` laid over ``base``: fields and what a new record begins with are added or replaced one by one (``null``
    takes one away), rules and guesses are added, a child table or any other key is replaced as a whole.
    """
    result = Tree("map", base.place, items=dict(base.items), key_places=dict(base.key_places))
    for key, item in over.items.items():
        result.items[key] = _merged_value(key, base.items.get(key), item)
        result.key_places[key] = over.key_places[key]
    return result


def _merged_value(key: str, had: Tree | None, item: Tree) -> Tree:
    if key in ("fields", "children", "initial") and had is not None and had.kind == "map" and item.kind == "map":
        return _merged_entries(had, item)
    if key in ("skip", "guessed") and had is not None and had.kind == "list" and item.kind == "list":
        return Tree("list", item.place, parts=[*had.parts, *item.parts])
    return item


def _merged_entries(base: Tree, over: Tree) -> Tree:
    result = Tree("map", base.place, items=dict(base.items), key_places=dict(base.key_places))
    for name, item in over.items.items():
        if item.kind == "scalar" and item.value is None:
            result.items.pop(name, None)
        else:
            result.items[name] = item
            result.key_places[name] = over.key_places[name]
    return result


def _streams(trees: Iterable[Tree]) -> set[str]:
    return {str(tree.items["stream"].value) for tree in trees if "stream" in tree.items}


def _together(specs: Sequence[MappingSpec], also: set[str]) -> list[Problem]:
    """Problems between files. ``also``: streams of files that could not be read whole."""
    problems: list[Problem] = []
    entities: dict[str, set[str]] = {}
    seen: dict[tuple[str, str, str], str] = {}
    for spec in specs:
        if spec.table == "set":
            entities.setdefault(spec.stream, set()).add(spec.entity.name)
        other = seen.setdefault((spec.stream, spec.table, spec.part), spec.name)
        if other != spec.name:
            problems.append(Problem("mapping_stream_twice", spec.place, stream=spec.stream, other=other))
    for spec in specs:
        for item, ref in all_refs(spec):
            for target in ref.targets:
                if target in entities:
                    if item.field.target not in entities[target]:
                        problems.append(
                            Problem(
                                "mapping_ref_entity",
                                item.place,
                                field=item.field.name,
                                wanted=item.field.target,
                                stream=target,
                                actual=", ".join(sorted(entities[target])),
                            )
                        )
                elif target not in also:
                    guess = closest(target, entities)
                    problems.append(Problem("mapping_ref_nowhere", item.place, stream=target, guess=guess))
    return problems


def in_order(specs: Iterable[MappingSpec]) -> list[MappingSpec]:
    """References first: what is required by others, then what is merely mentioned; cycles give way there first."""
    left, done, ordered = list(specs), set[str](), list[MappingSpec]()
    while left:
        streams = {spec.stream for spec in left if spec.table == "set"}

        def waits(spec: MappingSpec, streams: set[str] = streams) -> tuple[int, int]:
            needed: set[str] = set()
            mentioned: set[str] = set()
            for item, ref in all_refs(spec):
                (needed if item.required else mentioned).update(set(ref.targets) & streams - {spec.stream})
            return len(needed), len(mentioned)

        chosen = min(left, key=waits)
        left.remove(chosen)
        done.add(chosen.stream)
        ordered.append(chosen)
    return ordered
