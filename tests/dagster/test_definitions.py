"""What an admin finds in the UI: assets, groups, lineage, jobs; and a home that is not set up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, Definitions

from hub.assets.duplicates import STAGES
from hub.assets.nodes import route_nodes
from hub.assets.workplace import Workplace
from hub.definitions import build, load
from hub.exchange.hub import Hub
from hub.model.settings import load_settings
from tests.dagster.base import opener, write_home
from tests.dagster.conftest import Site

ROOT = Path(__file__).resolve().parents[2]
ENTITIES = [
    "contract", "currency", "invoice", "party", "payment", "price", "price_list", "product", "product_variant",
    "sales_order", "settlement_balance", "shipment", "stock_balance", "task", "unit", "vat_rate", "warehouse",
]  # fmt: skip


def keys(defs: Definitions) -> list[str]:
    """Asset keys as the UI writes them."""
    return sorted(spec.key.to_user_string() for spec in defs.resolve_all_asset_specs())


def never() -> Hub:
    """Stands for a store and a network that must not be touched."""
    raise AssertionError("the hub was opened")


def test_definitions_load_without_store_and_network(tmp_path: Path) -> None:
    """Nothing is opened, no store file is made, and Dagster finds nothing to complain of."""
    home = write_home(tmp_path, "nowhere")
    defs = build(load_settings(home), Workplace(never))
    Definitions.validate_loadable(defs)
    assert sorted(path.name for path in home.iterdir()) == ["hub.yaml"]


def test_an_asset_for_each_route_and_table(site: Site) -> None:
    """Keys are [system, entity] and [obmen, entity]; a renamed key would lose its history."""
    expected = [f"ut/{name}" for name in ENTITIES] + [f"obmen/{name}" for name in ENTITIES]
    found = [f"dedup/{stage}" for stage in STAGES]
    assert keys(site.defs) == sorted([*expected, *found, "obmen/morning_summary", "ut/source"])


def test_nodes_are_the_routes_of_the_hub(site: Site) -> None:
    """What is shown is what is exchanged, in the same order."""
    assert [node.code for node in route_nodes(site.hub.settings)] == list(site.hub.routes)


def test_groups_read_in_order(site: Site) -> None:
    """Groups are numbered; each kind of thing is where an admin looks for it."""
    group_of = {spec.key.to_user_string(): spec.group_name for spec in site.defs.resolve_all_asset_specs()}
    assert sorted({group or "" for group in group_of.values()}) == [
        "g00_summary", "g10_sources", "g15_catalogue", "g20_clients", "g30_sales", "g40_stock",
        "g50_communications",
    ]  # fmt: skip
    assert group_of["ut/source"] == "g10_sources"
    assert group_of["ut/product"] == "g15_catalogue"
    assert group_of["ut/party"] == group_of["obmen/party"] == "g20_clients"
    assert group_of["ut/sales_order"] == "g30_sales"
    assert group_of["ut/stock_balance"] == "g40_stock"
    assert group_of["ut/task"] == group_of["obmen/task"] == "g50_communications"


def test_lineage_follows_the_references_of_the_mappings(site: Site) -> None:
    """Orders stand below the tables of what they name; a table stands below its routes; nothing runs because of it."""
    graph = site.defs.resolve_asset_graph()
    parents = {key.to_user_string() for key in graph.get(AssetKey(["ut", "sales_order"])).parent_keys}
    assert {"ut/source", "obmen/party", "obmen/product", "obmen/contract", "obmen/warehouse"} <= parents
    assert "obmen/invoice" not in parents
    assert not {key for key in parents if key.startswith("ut/")} - {"ut/source"}
    assert graph.get(AssetKey(["obmen", "party"])).parent_keys == {AssetKey(["ut", "party"])}


def test_every_asset_is_described_and_owned(site: Site) -> None:
    """Descriptions are Russian by the settings' locale and name the source's stream; every asset has an owner."""
    specs = {spec.key.to_user_string(): spec for spec in site.defs.resolve_all_asset_specs()}
    assert all(spec.description and spec.owners for spec in specs.values())
    text = specs["ut/sales_order"].description or ""
    assert "Заказы" in text
    assert "Document_ЗаказКлиента" in text
    assert "Europe/Moscow" in text
    assert specs["ut/sales_order"].kinds == {"memory"}


def test_pool_per_system(site: Site) -> None:
    """Every step that may open a session of the system is in its pool, checks and connection test included."""
    steps = {
        node.name: node.definition.pool  # type: ignore[attr-defined]
        for job in ("nightly_exchange", "check_connections")
        for node in site.defs.resolve_job_def(job).nodes
    }
    assert {name for name, pool in steps.items() if pool != "system_ut"} == {
        "obmen__morning_summary",
        "ut__source_system_state",
        "duplicates",
        "duplicates__checks",
        *(f"ut__{name}__checks" for name in ENTITIES if name not in {"sales_order", "invoice", "shipment", "payment"}),
    }


def test_a_route_that_is_off_is_shown_and_not_run(tmp_path: Path) -> None:
    """A switched-off route stays visible, says so, and is in no job."""
    home = write_home(tmp_path, "off", extra="routes:\n  ut.party: {enabled: false}\n")
    defs = build(load_settings(home), Workplace(lambda: Hub.open(home, opener)))
    spec = next(spec for spec in defs.resolve_all_asset_specs() if spec.key == AssetKey(["ut", "party"]))
    assert "выключено" in (spec.description or "")
    assert "ut__party" not in {node.name for node in defs.resolve_job_def("nightly_exchange").nodes}


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "obmen init"), ("systems: {}\n", "company_timezone"), ("company_timezone: [", "hub.yaml")],
    ids=["no file", "wrong settings", "broken yaml"],
)
def test_a_home_that_is_not_set_up_explains_itself(tmp_path: Path, text: str | None, told: str) -> None:
    """One asset whose page says what is missing; no traceback, no other asset."""
    if text is not None:
        (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    defs = load(tmp_path)
    Definitions.validate_loadable(defs)
    (spec,) = defs.resolve_all_asset_specs()
    assert told in (spec.description or "")
    assert spec.group_name == "g00_summary"


@pytest.mark.slow
def test_the_module_loads_as_dagster_loads_it(tmp_path: Path) -> None:
    """`dagster definitions validate` with the workspace's module finds a home by OBMEN_HOME."""
    write_home(tmp_path, "cli")
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(ROOT / "workspace.yaml")],
        env={**os.environ, "OBMEN_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
