"""The sources of the house, parsed once: what the tests beside this read."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "connectors", "mappings", "schedules", "dedup", "stand")
AROUND = ("tests", "bench", "deploy")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Module:
    """One Python file: its dotted name, its text, its tree."""

    name: str
    path: Path
    lines: int
    tree: ast.Module

    def functions(self) -> list[Function]:
        """Every function and method, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@cache
def modules(*tops: str) -> tuple[Module, ...]:
    """All modules under the given folders, the product's packages when none is given."""
    found = []
    for top in tops or PACKAGES:
        for path in sorted((ROOT / top).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path.relative_to(ROOT), text.count("\n"), ast.parse(text, str(path))))
    return tuple(found)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git would carry to another machine, relative to the root; all files where there is no git."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        caches = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
        hidden = {".venv", ".venv-bench", ".git", *caches}
        everything = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return tuple(path for path in everything if not hidden & set(path.parts))
    return tuple(Path(name) for name in listing.split("\0") if name and (ROOT / name).is_file())
