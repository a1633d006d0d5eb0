"""Small mappings out of a text, for tests of the language."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from connectors.base import StreamInfo
from mappings.compiled import CompiledMapping, CompiledProfile, compile_specs
from mappings.parse import parse_mapping
from mappings.problems import Problem
from mappings.profile import profiles, read_folder
from mappings.source import parse
from mappings.spec import MappingSpec

#: The profiles of 1C's configurations.
ONEC = [name for name in profiles() if name.startswith("onec_")]
ZERO = "00000000-0000-0000-0000-000000000000"


def guid(number: int) -> str:
    """A guid that shows its number."""
    return f"{number:08x}-0000-11ec-8104-60a44ccf99dc"


def read(text: str, name: str = "it") -> tuple[MappingSpec | None, list[Problem]]:
    """One file and everything that is wrong with it."""
    problems: list[Problem] = []
    tree = parse(textwrap.dedent(text), f"{name}.yaml", problems)
    return (None, problems) if tree is None else (parse_mapping(name, "test", tree, problems), problems)


def compiled(text: str, timezone: str = "Europe/Moscow") -> CompiledMapping:
    """One mapping that must be right; the sets it refers to need no mappings."""
    spec, problems = read(text)
    assert not problems, [problem.sentence() for problem in problems]
    assert spec is not None
    return compile_specs("test", timezone, [spec]).mappings["it"]


def folder(path: Path, **files: str) -> Path:
    """A folder of mapping files."""
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def profile_of(
    path: Path, overlay: Path | None = None, streams: Mapping[str, StreamInfo] | None = None
) -> CompiledProfile:
    """The mappings of a folder, compiled."""
    return compile_specs("test", "Europe/Moscow", read_folder("test", path, overlay), streams)
