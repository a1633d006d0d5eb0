"""The launcher tells living runs from dead ones, by real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from hub import launcher
from hub.launcher import HubRunLauncher, started_at

CONFIG = """
telemetry: {enabled: false}
run_launcher: {module: hub.launcher, class: HubRunLauncher, config: {misses: 2, grace_seconds: 0}}
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """A Dagster home of its own whose launcher has no grace."""
    (tmp_path / "dagster.yaml").write_text(CONFIG, encoding="utf-8")
    with DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait(30)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started_run(instance: DagsterInstance, host: str = "127.0.0.1", port: int | None = None) -> DagsterRun:
    """A run that Dagster believes to be going on, launched by a code server at that address."""
    address = json.dumps({"host": host, "port": port or closed_port()})
    run = create_run_for_test(instance, status=DagsterRunStatus.STARTING, tags={GRPC_INFO_TAG: address})
    instance.report_dagster_event(
        DagsterEvent(DagsterEventType.RUN_START.value, run.job_name, message="started"), run.run_id
    )
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is DagsterRunStatus.STARTED
    return found


def report_worker(instance: DagsterInstance, run: DagsterRun, pid: int) -> None:
    """What a run's process writes first."""
    instance.report_engine_event(f"Started process for run (pid: {pid}).", run, EngineEventData.in_process(pid))


def look(instance: DagsterInstance, run: DagsterRun) -> WorkerStatus:
    """One look of run monitoring."""
    return instance.run_launcher.check_run_worker_health(run).status


def test_the_instance_uses_it_for_monitoring(instance: DagsterInstance) -> None:
    """dagster.yaml leads to our launcher, and monitoring will ask it."""
    assert isinstance(instance.run_launcher, HubRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health


def test_living_process_is_running_though_its_server_is_gone(
    instance: DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    """An orphan that still works is left alone, however often one looks."""
    run = started_run(instance)
    report_worker(instance, run, worker.pid)
    assert [look(instance, run) for _ in range(3)] == [WorkerStatus.RUNNING] * 3


def test_killed_process_is_found_at_the_second_look(instance: DagsterInstance, worker: subprocess.Popen[bytes]) -> None:
    """Kill -9: the first look may be a race with the process's own ending, the second is not."""
    run = started_run(instance)
    report_worker(instance, run, worker.pid)
    assert look(instance, run) is WorkerStatus.RUNNING
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(30)
    assert worker.returncode == -signal.SIGKILL
    assert [look(instance, run), look(instance, run)] == [WorkerStatus.RUNNING, WorkerStatus.NOT_FOUND]


def test_a_sign_of_life_starts_the_count_anew(
    instance: DagsterInstance, worker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two misses must be in a row."""
    run = started_run(instance)
    report_worker(instance, run, worker.pid)
    monkeypatch.setattr(launcher, "alive", lambda _pid, _mark: False)
    look(instance, run)
    monkeypatch.undo()
    look(instance, run)
    monkeypatch.setattr(launcher, "alive", lambda _pid, _mark: False)
    assert look(instance, run) is WorkerStatus.RUNNING


def test_another_process_with_the_same_id_is_not_the_run(
    instance: DagsterInstance, worker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reboot the id belongs to a process that started long after the run's first event."""
    run = started_run(instance)
    report_worker(instance, run, worker.pid)
    monkeypatch.setattr(launcher, "started_at", lambda _pid: time.time() + 600)
    assert [look(instance, run), look(instance, run)] == [WorkerStatus.RUNNING, WorkerStatus.NOT_FOUND]


def test_without_a_process_id_the_server_decides(instance: DagsterInstance) -> None:
    """No engine event yet and nobody at the address: gone."""
    run = started_run(instance)
    assert [look(instance, run), look(instance, run)] == [WorkerStatus.RUNNING, WorkerStatus.NOT_FOUND]


def test_process_ids_of_other_machines_say_nothing(instance: DagsterInstance, worker: subprocess.Popen[bytes]) -> None:
    """A code server elsewhere: a process here with that id is somebody else's."""
    run = started_run(instance, host="198.51.100.1", port=1)
    report_worker(instance, run, worker.pid)
    asked: list[str] = []

    def no_answer(self: HubRunLauncher, about: DagsterRun) -> tuple[bool, str]:
        asked.append(about.run_id)
        return False, "the code server does not answer"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HubRunLauncher, "_ask_server", no_answer)
        assert [look(instance, run), look(instance, run)] == [WorkerStatus.RUNNING, WorkerStatus.NOT_FOUND]
    assert asked == [run.run_id] * 2


def test_a_young_run_is_left_alone(tmp_path: Path) -> None:
    """Within the grace nothing is counted, whatever one sees."""
    text = CONFIG.replace("grace_seconds: 0", "grace_seconds: 3600")
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    with DagsterInstance.from_config(str(tmp_path)) as made:
        run = started_run(made)
        report_worker(made, run, 2**22 + 1)
        assert [look(made, run) for _ in range(4)] == [WorkerStatus.RUNNING] * 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells here when a process started")
def test_start_of_a_process_is_told(worker: subprocess.Popen[bytes]) -> None:
    """Its start lies within the last seconds; a process that is not there has none."""
    started = started_at(worker.pid)
    assert started is not None
    assert abs(time.time() - started) < 60
    assert started_at(2**22 + 1) is None
