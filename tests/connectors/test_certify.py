"""The certification as authors of connectors use it: outside this repository, with nothing but the plugin."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from zipfile import ZipFile

import pytest

from connectors.certify.kit import POINTS, Kit
from connectors.certify.subject import Fault, Writable
from tests.connectors.running import PLUGIN, run
from tests.house.source import ROOT, tracked

TEST = """
from acme import Acme
from connectors.certify.kit import Kit

class TestAcme(Kit):
    subject_type = Acme
"""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of a stranger: a connector, its subject, and nothing of ours."""
    shutil.copy(ROOT / "tests/connectors/foreign/acme.py", tmp_path)
    return tmp_path


def test_a_foreign_connector_is_certified(outside: Path) -> None:
    """Three lines of test certify it; what it cannot do is left out with a sentence, and the summary says so."""
    (outside / "test_acme.py").write_text(TEST, encoding="utf-8")
    done, found = run(outside, "-p", PLUGIN)
    assert done.returncode == 0, done.stdout
    assert "test_acme.py::TestAcme: certified by" in done.stdout
    points = found["test_acme.py::TestAcme"]
    assert {name for name, verdict in points.items() if verdict["passed"]} == set(POINTS)
    assert list(points["deletes"]["left_out"]) == [
        "the connector's change feed tells no deletions (Capabilities.deletes_in_feed is False)"
    ]


def test_a_subject_is_certified_without_a_file_of_tests(outside: Path) -> None:
    """``pytest --pyargs connectors.certify --certify module:Subject``, here one point of it."""
    chosen = ["--pyargs", "connectors.certify", "--certify", "acme:Acme", "--point", "cursors"]
    done, found = run(outside, "-p", PLUGIN, *chosen)
    assert done.returncode == 0, done.stdout
    ((place, points),) = found.items()
    assert place.endswith("test_subject.py::TestSubject")
    assert list(points) == ["cursors"]


def test_a_wrong_subject_is_told(outside: Path) -> None:
    """A name that is no subject ends the run with the reason."""
    done, _ = run(outside, "-p", PLUGIN, "--pyargs", "connectors.certify", "--certify", "acme:Server")
    assert done.returncode != 0
    assert "acme has no subject Server" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``pip install .`` puts into site-packages: the wheel of the tree as git would carry it, unpacked."""
    tree, target = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("site")
    for path in tracked():
        if path.parts[0] not in {"tests", "bench", "docs"}:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tree / path)
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(target)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True, timeout=100)
    (wheel,) = target.glob("*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(target)
    wheel.unlink()
    return target


def test_an_installed_product_brings_the_plugin_along(outside: Path, site: Path) -> None:
    """Out of the wheel, without ``-p``: pytest finds the plugin by its entry point, and only once with ``-p``."""
    (outside / "test_acme.py").write_text(TEST, encoding="utf-8")
    for arguments in (["--point", "paging"], ["-p", PLUGIN, "--point", "paging"]):
        done, found = run(outside, *arguments, path=site, entry_points=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(found["test_acme.py::TestAcme"]) == ["paging"]


def test_every_module_of_points_is_in_the_kit() -> None:
    """A point is named after its module, and the kit is made of all of them."""
    there = {path.stem for path in (ROOT / "connectors/certify/points").glob("[a-z]*.py")}
    assert {kind.__module__.rpartition(".")[2]: name for name, kind in POINTS.items()} == {name: name for name in there}
    assert set(POINTS.values()) <= set(Kit.__mro__)


def test_the_page_for_authors_leaves_nothing_out() -> None:
    """Each point, each ability, what a subject may tell of writes and faults, and each option is explained."""
    text = (ROOT / "docs/connectors.md").read_text(encoding="utf-8")
    told = {*POINTS, *(part.name for part in (*fields(Writable), *fields(Fault)) if part.name not in ("stream", "key"))}
    told |= {"Changing", "Writing", "Faulty"}
    assert sorted(name for name in told if f"`{name}`" not in text) == []
    assert [option for option in ("--certify", "--point", "--certificate") if option not in text] == []


def test_the_plugin_is_registered_under_its_own_name() -> None:
    """The entry point bears the module's name: with another one, ``-p`` would load the plugin a second time."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["entry-points"]["pytest11"] == {PLUGIN: PLUGIN}
    (pytest_bounds,) = pyproject["project"]["optional-dependencies"]["certify"]
    assert pytest_bounds in pyproject["dependency-groups"]["dev"]
