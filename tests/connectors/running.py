"""Runs pytest apart from this run, as an author of a connector would, and reads the certificate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.house.source import ROOT

PLUGIN = "connectors.certify.plugin"


def run(
    folder: Path, *arguments: str, path: Path = ROOT, entry_points: bool = False
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run pytest in a folder of its own; its outcome and the certificate.

    ``path``: where the product lies. ``entry_points``: let pytest find installed plugins by itself.
    """
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--certificate", "certificate.json"]
    environment = os.environ | {"PYTHONPATH": str(path), "PYTEST_ADDOPTS": ""}
    if not entry_points:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    file = folder / "certificate.json"
    return done, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
