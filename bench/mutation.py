"""A mutation run over the engine: each small change of its code must make a test fail. `make mutation`.

Works on a copy, because mutants are written beside the code. mutmut is no dependency of the house: it is asked for by
name. The tests that count lines and look at imports are left out, since they would kill every mutant.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WANTED = "mutmut==3.8.1"
HOUSE = Path(__file__).parent.parent
NEEDED = ("hub", "connectors", "mappings", "schedules", "dedup", "stand", "tests", "pyproject.toml")
SETTINGS = f"""
[tool.mutmut]
source_paths = ["hub/engine"]
also_copy = {list(NEEDED)!r}
pytest_add_cli_args_test_selection = [
    "tests/engine", "-m", "not slow", "-p", "no:cacheprovider", "--timeout=0",
    "-k", "not imports_nothing and not stays_small",
]
"""
#: A mutant is dead once a history tells it from the code: nobody needs the shortest one, and each run is to be alike.
HISTORIES = """

from hypothesis import Phase, settings

settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
settings.load_profile("mutation")
"""


def copy(folder: Path) -> None:
    """The house in ``folder``, with what mutmut is to do."""
    for name in NEEDED:
        source = HOUSE / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    project = folder / "pyproject.toml"
    lines = project.read_text(encoding="utf-8").splitlines()
    with (folder / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(HISTORIES)
    kept = ['addopts = ["--import-mode=importlib"]' if line.startswith("addopts = ") else line for line in lines]
    project.write_text("\n".join(kept) + "\n" + SETTINGS, encoding="utf-8")


def main() -> int:
    """Run, then show each survivor as a difference."""
    if importlib.util.find_spec("mutmut") is None:
        print(f"mutmut is not here. Install it for this run: {sys.executable} -m pip install {WANTED}")
        return 2
    with tempfile.TemporaryDirectory(prefix="obmen_mutation_") as name:
        folder = Path(name) / "house"
        folder.mkdir()
        copy(folder)
        mutmut = [sys.executable, "-m", "mutmut"]
        subprocess.run([*mutmut, "run", "--max-children", "2"], cwd=folder, check=False)
        told = subprocess.run([*mutmut, "results"], cwd=folder, check=True, capture_output=True, text=True).stdout
        survivors = [line.split(":")[0].strip() for line in told.splitlines() if line.endswith("survived")]
        for survivor in survivors:
            shown = subprocess.run([*mutmut, "show", survivor], cwd=folder, check=False, capture_output=True, text=True)
            print(survivor, *(line for line in shown.stdout.splitlines() if line[:1] in "+-"), sep="\n  ")
        print(f"survived: {len(survivors)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
