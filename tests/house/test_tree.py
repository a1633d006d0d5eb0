"""What may lie in the repository: nothing of one machine, locks that are whole, one version of the truth."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest

from tests.house.source import ROOT, modules, tracked

TEXT_BYTES = 2_000_000
# Home folders and work folders of a person or a build machine. "/tmp" alone is everyone's.
MACHINE = re.compile(rb"(?<![\w.:/$})-])/(?:work|root|home|farm|Users|tmp/scratch)/|[A-Z]:\\Users\\")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
#: What both contestants of the benchmark of duplicates run on.
SHARED = ("polars", "duckdb", "phonenumbers")
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)(?: ; ([^\\]+?))? \\$")


def read_lock(name: str) -> dict[tuple[str, str], tuple[str, int]]:
    """(package, marker) -> version and number of hashes; fails on a line that is nothing of a lock's."""
    pins: dict[tuple[str, str], tuple[str, int]] = {}
    last = ("", "")
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        found = PIN.match(line)
        if found:
            last = (found[1], found[3] or "")
            pins[last] = (found[2], 0)
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            pins[last] = (pins[last][0], pins[last][1] + 1)
        else:
            assert line.lstrip().startswith("#"), f"{name}: {line}"
    return pins


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_address(name: str) -> None:
    """Every package has an exact version and a hash; no index, no link, no path of who made the lock."""
    pins = read_lock(name)
    assert len(pins) > (20 if "bench" in name else 60)
    assert [package for package, (_, hashes) in pins.items() if not hashes] == []
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"\w+://|--(?:extra-)?index|--find-links|file:", text) == []


def test_the_locks_agree() -> None:
    """What the tests run on is what the product runs on, and duplicates are measured on what they are found with."""
    runtime, dev, bench = (read_lock(name) for name in LOCKS)
    assert {name: bench[name, ""][0] for name in SHARED} == {name: runtime[name, ""][0] for name in SHARED}
    assert {pin: version for pin, (version, _) in runtime.items()}.items() <= {
        pin: version for pin, (version, _) in dev.items()
    }.items()


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    """A dependency written in pyproject.toml but not locked would be missing after the set-up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for lock, wanted in (
        ("requirements.lock", [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
        ("requirements-bench.lock", project["dependency-groups"]["bench"]),
    ):
        names = {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower().replace("_", "-") for line in wanted}
        assert names - {package for package, _ in read_lock(lock)} == set(), lock


def test_what_is_installed_fits_together() -> None:
    """Pip finds no requirement that is missing or of a wrong version: the lock needs no resolving."""
    answer = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    """A path of the machine that wrote a file means nothing on the next one."""
    found = []
    for path in tracked():
        if (ROOT / path).stat().st_size <= TEXT_BYTES:
            body = (ROOT / path).read_bytes()
            found += [f"{path}: {hit.group().decode()}" for hit in MACHINE.finditer(body)]
    assert found == []


def test_the_search_for_machine_paths_finds_one() -> None:
    """The pattern above knows a home folder when it sees one, and leaves addresses and SQL alone."""
    assert MACHINE.search(b"open('/ho" + b"me/ivan/x')")
    assert not MACHINE.search(b"http://host/home/x")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no executable bit")
@pytest.mark.parametrize("name", [".ci/run"])
def test_scripts_can_be_started(name: str) -> None:
    """A script that is documented as a command has its executable bit."""
    assert os.access(ROOT / name, os.X_OK)


def test_every_package_says_what_it_is() -> None:
    """Each package of the product has an ``__init__`` with a docstring: the map of the house is readable in place."""
    silent = [m.name for m in modules() if m.path.name == "__init__.py" and not ast.get_docstring(m.tree)]
    assert silent == []
