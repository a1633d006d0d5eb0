"""A run launcher that notices when a run's process is gone.

Dagster's own launcher has no health check: after a power cut a run stays STARTED, and holds its pool slot, until
``max_runtime_seconds``. With this one the daemon's run monitoring fails such a run (``run_retries`` then starts it
again), and leaves a run alone whose process still works.

The story its rules come from: the code server dies and is started again on the same port while the run's process A
lives on as an orphan. Asked about A, the new server says "not mine", though A is at work and will end by itself. So
the process is asked first: its id is in the run's first engine event, and a process that started after that event is
another one that was given the same id (after a reboot ids start anew). Only where the process cannot be asked (another
machine, a platform that does not tell when a process started) does the server's word decide. A run that is failed
wrongly all the same does no harm: the retry takes the lease of its routes, and it writes nothing more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

from dagster import DagsterEventType, DagsterRun, Field, Int
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value
from dagster._serdes.config_class import ConfigurableClassData
from dagster._time import get_current_timestamp

from hub.model.process import alive, process_mark

#: Clocks of the event and of the process table may differ by this many seconds.
_SLACK = 5.0
_SERVER_TIMEOUT = 5
#: The process id stands in one of the first engine events of a run.
_FIRST_EVENTS = 40
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class HubRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster does and tells whether their processes live.

    ``misses``: how many looks in a row must find nothing. ``grace_seconds``: age of a run before it is looked at.
    """

    def __init__(
        self, inst_data: ConfigurableClassData | None = None, misses: int = 2, grace_seconds: int = 30
    ) -> None:
        super().__init__(inst_data)
        self._limit = misses
        self._grace = grace_seconds
        self._missed: dict[str, int] = {}

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """What ``dagster.yaml`` may say about this launcher."""
        return {
            "misses": Field(Int, is_required=False, default_value=2),
            "grace_seconds": Field(Int, is_required=False, default_value=30),
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Build from the ``config`` part of ``dagster.yaml``."""
        return cls(inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Makes run monitoring ask ``check_run_worker_health`` about each started run."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the run's process lives or nothing certain is known yet; NOT_FOUND once it is surely gone."""
        lives, why = self._look(run)
        if lives or self._young(run):
            self._missed.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING, why)
        missed = self._missed.get(run.run_id, 0) + 1
        if missed < self._limit:
            self._missed[run.run_id] = missed
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"{why}; looking again")
        self._missed.pop(run.run_id, None)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, why)

    def _look(self, run: DagsterRun) -> tuple[bool, str]:
        """Does the run's process live, and what tells so."""
        worker = self._worker(run) if _local(run) else None
        if worker is not None:
            pid, told_at = worker
            if not alive(pid, ""):
                return False, f"process {pid} is gone"
            started = started_at(pid)
            if started is not None:
                same = started <= told_at + _SLACK
                return same, f"process {pid} is at work" if same else f"process {pid} is another one now"
        return self._ask_server(run)

    def _worker(self, run: DagsterRun) -> tuple[int, float] | None:
        """Id of the run's process and when it was told (seconds since 1970); None before it reported itself."""
        records = self._instance.get_records_for_run(
            run.run_id, of_type=DagsterEventType.ENGINE_EVENT, limit=_FIRST_EVENTS
        ).records
        for record in records:
            event = record.event_log_entry.dagster_event
            pid = event.engine_event_data.metadata.get("pid") if event else None
            if pid is not None:
                return int(str(pid.value)), record.event_log_entry.timestamp
        return None

    def _ask_server(self, run: DagsterRun) -> tuple[bool, str]:
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return False, "the run names no code server"
        try:
            answer = deserialize_value(
                client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=_SERVER_TIMEOUT),
                CanCancelExecutionResult,
            )
        except DagsterUserCodeUnreachableError:
            return False, "the code server does not answer"
        return answer.can_cancel, "the code server knows it" if answer.can_cancel else "the code server knows it not"

    def _young(self, run: DagsterRun) -> bool:
        record = self._instance.get_run_record_by_id(run.run_id)
        since = record.start_time if record else None
        return since is not None and get_current_timestamp() - since < self._grace


def _local(run: DagsterRun) -> bool:
    """True when the run's code server, and so its process, is on this machine."""
    address = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return bool(address.get("socket")) or address.get("host") in _HERE


@cache
def _booted_at() -> float | None:
    """When this machine started (seconds since 1970), where it tells (Linux)."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), None)


def started_at(pid: int) -> float | None:
    """When the process started (seconds since 1970); None where the platform does not tell."""
    mark, booted = process_mark(pid), _booted_at()
    return booted + int(mark) / os.sysconf("SC_CLK_TCK") if mark and booted is not None else None
