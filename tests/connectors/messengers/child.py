"""Reads a bot's queue and kills itself with signal 9; run as a process by ``test_through_hub``.

Usage: ``python -m tests.connectors.messengers.child STORE_URL BOT_URL HOME WHERE NTH``. ``WHERE``: ``before`` the
commit of the NTH page, or ``after`` it, when Telegram has not heard of its place yet.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from hub.exchange.pull import Pull
from hub.exchange.service import run_exchange
from hub.store.database import open_store
from tests.connectors.messengers.opening import hub_of, on_telegram


def main() -> None:
    url, bot, home, where, nth = sys.argv[1:]
    commit, left = Pull.commit, [int(nth)]

    def dying(self: Pull, *parts: Any, **more: Any) -> None:
        left[0] -= 1
        if not left[0] and where == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, *parts, **more)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    Pull.commit = dying  # type: ignore[method-assign]
    run_exchange(hub_of(open_store(url), Path(home), on_telegram(bot)))


if __name__ == "__main__":
    main()
