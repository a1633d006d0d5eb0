"""Sends what is owed to a mailing service and kills itself with signal 9; run as a process by ``test_through_hub``.

Usage: ``python -m tests.connectors.mailing.child STORE_URL MAILMAN_URL HOME PROFILES LIST``: right after the service
has answered, before anything of it is stored.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from hub.exchange.push.push import Push
from hub.exchange.service import run_exchange
from hub.store.database import open_store
from mappings import profile
from tests.connectors.mailing.opening import on_mailman
from tests.connectors.mailing.world import SEGMENT, WRITES, mailing_system
from tests.exchange.installation import make_hub


def main() -> None:
    url, mailman, home, profiles, list_id = sys.argv[1:]
    profile.ROOT = Path(profiles)

    def dying(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Push._settle = dying  # type: ignore[method-assign, assignment]
    connectors = {"mm": on_mailman(mailman, list_id)}
    systems = {"mm": mailing_system((list_id, SEGMENT))}
    run_exchange(make_hub(open_store(url), Path(home), connectors, systems, {"mm.subscription": WRITES}))


if __name__ == "__main__":
    main()
