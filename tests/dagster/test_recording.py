"""The job that fetches a recording leaves what the command leaves, and tells Dagster nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster import DagsterInstance, ExecuteInProcessResult
from sqlalchemy import select

from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.service import run_exchange
from hub.model.settings import load_settings
from hub.store import core
from tests.cli.recorded_home import SOUND, recorded_home


def carried_out(home: Path, work: Workplace, **config: Any) -> ExecuteInProcessResult:
    """The job with that run config."""
    job = build(load_settings(home), work).resolve_job_def("fetch_recording")
    with DagsterInstance.ephemeral(tempdir=str(home)) as instance:
        run_config = {"ops": {"get_recording": {"config": config}}}
        return job.execute_in_process(instance=instance, run_config=run_config, raise_on_error=False)


def test_the_job_is_the_command(tmp_path: Path) -> None:
    """The file lies in the installation's folder, the journal names the person and the run; no telephone is told."""
    home = tmp_path / "home"
    recorded_home(home)
    work = Workplace.at(home)
    run_exchange(work.hub, None, mode="manual", initiator="test")
    result = carried_out(home, work, id="1", file="call.wav", by="Анна")
    assert result.success
    assert (home / "recordings/call.wav").read_bytes() == SOUND
    with work.hub.store.read() as conn:
        run = conn.execute(select(core.exchange_run).order_by(core.exchange_run.c.id.desc())).first()
        rows = conn.execute(select(core.change_log).where(core.change_log.c.op == "recording")).all()
    assert run is not None
    assert (run.mode, run.initiator, run.dagster_run_id) == ("recording", "Анна", result.run_id)
    assert [(row.run_id, row.record_id, row.after) for row in rows] == [(run.id, 1, "pbx")]
    told = str([event.message for event in result.all_events])
    outputs = [event for event in result.events_for_node("get_recording") if event.is_successful_output]
    told += str([event.step_output_data.metadata for event in outputs])
    assert "9161234567" not in told
    work.close()


def test_the_job_writes_nowhere_else(tmp_path: Path) -> None:
    """A path instead of a name fails the run with its sentence; so does a second file of one name."""
    home = tmp_path / "home"
    recorded_home(home)
    work = Workplace.at(home)
    run_exchange(work.hub, None, mode="manual", initiator="test")
    for name, word in (("../x.wav", "имя файла"), ("call.wav", ""), ("call.wav", "уже есть")):
        result = carried_out(home, work, id="1", file=name)
        assert result.success == (not word)
        failed = [event for event in result.all_events if event.is_step_failure]
        assert not failed or word in str(failed[0].step_failure_data.error.message)  # type: ignore[union-attr]
    assert not (home / "x.wav").exists()
    work.close()
