"""Letters and calls in Dagster: a person's word as a job, the checks of an account, days that are filled in again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance, Definitions

from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.comms import hand
from hub.store import comms_tables, core
from hub.store.database import open_store
from mappings import profile
from tests.exchange.comms.world import PROFILES, Firm, make_firm


@pytest.fixture
def firm(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    """A firm that has read its systems once."""
    monkeypatch.setattr(profile, "ROOT", PROFILES)
    (tmp_path / "store.db").write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    made = make_firm(store, tmp_path, unknown="create")
    made.night()
    yield made
    store.close()


def definitions(firm: Firm) -> Definitions:
    """What Dagster would load."""
    return build(firm.hub.settings, Workplace(lambda: firm.hub))


def run(firm: Firm, instance: DagsterInstance, job: str, **how: Any) -> Any:
    """Carry a job out here."""
    found = definitions(firm).resolve_job_def(job)
    return found.execute_in_process(instance=instance, raise_on_error=False, **how)


def test_a_word_in_dagster_leaves_what_the_command_leaves(firm: Firm) -> None:
    """The same rows, the same journal, and nothing personal in what Dagster keeps."""
    firm.client("romashka", "Ромашка")
    firm.letter("1", "ivan@gmail.com", "sales@firm.ru", auto=True)
    firm.letter("2", "petr@gmail.com", "sales@firm.ru", auto=True)
    firm.night()
    one, two = (str(firm.record("post", key)) for key in ("1", "2"))
    config = {"activity": one, "word": "link", "client": "romashka"}
    with DagsterInstance.ephemeral() as instance:
        result = run(firm, instance, "match_activity", run_config={"ops": {"say_whose": {"config": config}}})
    assert result.success
    hand.link(firm.hub, two, "romashka", by="dagster")
    assert firm.match("post", "1") == firm.match("post", "2") == ("manual", "manual", {("matched", "Ромашка")})
    runs = [row for row in firm.rows(core.exchange_run) if row["mode"] == "decide"]
    assert [(row["initiator"], row["state"]) for row in runs] == [("dagster", "completed")] * 2
    assert runs[0]["dagster_run_id"] == result.run_id
    kept = str([event.message for event in result.all_events])
    (told,) = [e for e in result.events_for_node("say_whose") if e.is_successful_output]
    kept += str(told.step_output_data.metadata)
    assert f"activity № {one}" in kept
    assert "Ромашка" not in kept
    assert "ivan@gmail.com" not in kept


def test_a_day_of_calls_is_filled_in_again_without_work_for_anybody(firm: Firm) -> None:
    """Calls and letters have days: one that was not read comes with its partition, silently; the checks are told."""
    firm.at -= timedelta(days=1)
    firm.call("1", "+79160000001", minutes=-120)
    firm.letter("1", "who@gmail.com", "sales@firm.ru", minutes=-120)
    day = (firm.at - timedelta(hours=2)).date().isoformat()
    keys = {AssetKey(["pbx", "activity"]), AssetKey(["post", "activity"])}
    checks = {AssetCheckKey(key, name) for key in keys for name in ("unmatched_share", "missed_without_call_back")}
    whole = definitions(firm).resolve_implicit_global_asset_job_def()
    job = whole.get_subset(asset_selection=keys, asset_check_selection=checks)
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key=day, raise_on_error=False)
        told = {(one.check_name, one.passed) for one in result.get_asset_check_evaluations()}
    assert result.success
    assert told >= {("unmatched_share", True), ("missed_without_call_back", False)}
    assert len(firm.root("activity")) == 2
    assert (firm.root("task"), firm.root("lead")) == ([], [])
    assert [row["task_id"] for row in firm.rows(comms_tables.call_back)] == [None]
    runs = [(row["mode"], bool(row["silent"])) for row in firm.rows(core.exchange_run)]
    assert runs[-1] == ("backfill", True)
    days = {str(row["window_start"]) for row in firm.rows(core.run_route) if row["received"]}
    assert days == {day}
