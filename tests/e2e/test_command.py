"""The command and the UI on one home: what one does the other shows, and neither gets in the other's way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import ROOT, Site, running_site, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="obmen up is started and ended by POSIX signals here"),
]

LATEST = """
{assetNodeOrError(assetKey: {path: ["ut", "sales_order"]}) {... on AssetNode {
  assetMaterializations(limit: 1) {runId metadataEntries {label ... on IntMetadataEntry {intValue}}}
}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running installation that has exchanged nothing yet."""
    with running_site(tmp_path / "home") as made:
        yield made


def latest(site: Site) -> dict[str, Any]:
    """Numbers of the last materialization of the orders, with the id of the Dagster run that made it."""
    found = site.nodes(LATEST, "assetNodeOrError", "assetMaterializations")
    if not found:
        return {}
    entries = {entry["label"]: entry.get("intValue") for entry in found[0]["metadataEntries"]}
    return {"run": found[0]["runId"], **entries}


def test_an_exchange_by_the_command_is_shown(site: Site) -> None:
    """`obmen exchange` beside the running hub: its numbers are on the asset's page within a minute or two."""
    assert latest(site) == {}
    line = [sys.executable, "-m", "hub.cli", "--home", str(site.home), "--json", "exchange"]
    done = subprocess.run(line, cwd=ROOT, env=site.environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
    shown = until(lambda: latest(site), "the exchange on the asset's page")
    orders = len(site.world.records("Document_ЗаказКлиента"))
    assert (shown["получено"], shown["создано"], shown["dagster/row_count"]) == (orders, orders, orders)
    assert site.runs() == [], "Dagster ran nothing itself"
