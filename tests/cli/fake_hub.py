"""``python -m tests.cli.fake_hub HOME``: a supervisor over two small processes, as ``obmen up`` is one over Dagster's.

One service ends politely, the other one ignores being asked and has a process of its own. Events go to standard output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hub.cli.lock import HomeLock
from hub.cli.processes import Child, Service
from hub.cli.supervisor import Supervisor, clear_left_over
from hub.model.errors import HubError

POLITE = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('up', flush=True); time.sleep(600)"
)


def tell(event: str, **params: Any) -> None:
    """One JSON line."""
    print(json.dumps({"event": event, **{name: str(value) for name, value in params.items()}}), flush=True)


def main(home: Path) -> int:
    """Supervise until asked to stop; 2 with the code of what refused the start."""
    scripts = {"polite": POLITE, "stubborn": STUBBORN}
    services = [
        Service(name, [sys.executable, "-c", script], home / "logs" / f"{name}.log", patience=0.5, firm=0.5)
        for name, script in scripts.items()
    ]
    try:
        with HomeLock(home):
            clear_left_over(home, tell, 0.5)
            Supervisor(home, "", [Child(service) for service in services], tell).run()
    except HubError as error:
        tell(error.code, **error.params)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
