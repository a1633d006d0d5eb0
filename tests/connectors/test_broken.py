"""The kit finds what is broken: for each of its points connectors that fail there, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connectors.certify.kit import POINTS
from tests.connectors.broken.everyone import BROKEN
from tests.connectors.running import PLUGIN, run
from tests.house.source import ROOT

Verdicts = dict[str, dict[str, Any]]
QUIET = ("-p", PLUGIN, "-c", os.devnull, "-q", "--tb=no", "-r", "N")


def certified(name: str, folder: Path) -> Verdicts:
    """Verdicts of all broken connectors, by their names, out of one run of pytest."""
    _, found = run(folder, *QUIET, "--rootdir", str(ROOT), str(ROOT / "tests/connectors/broken" / name))
    return {place.rpartition("::Test")[2]: points for place, points in found.items()}


@pytest.fixture(scope="module")
def at_their_points(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Each against the point that its defect belongs to."""
    return certified("at_its_point.py", tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Each against the whole kit."""
    return certified("whole.py", tmp_path_factory.mktemp("broken"))


def failed(points: dict[str, Any]) -> set[str]:
    """Names of the points that failed."""
    return {name for name, verdict in points.items() if verdict["failed"]}


@pytest.mark.parametrize("name", BROKEN)
def test_a_defect_is_found_at_its_point(name: str, at_their_points: Verdicts) -> None:
    """The connector fails at the point that its defect belongs to, with a test that says which."""
    assert failed(at_their_points[name]) == {BROKEN[name].at}


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("name", BROKEN)
def test_a_defect_is_found_nowhere_else(name: str, whole: Verdicts) -> None:
    """Of the whole kit, the connector fails at that point and at those that cannot overlook it, and at no other."""
    assert failed(whole[name]) == {BROKEN[name].at, *BROKEN[name].also}


def test_every_point_has_a_connector_that_fails_there() -> None:
    """No point of the kit is one that anything passes; each has a connector that fails there and nowhere else."""
    assert {caught.at for caught in BROKEN.values() if not caught.also} == set(POINTS)
