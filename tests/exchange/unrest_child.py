"""One pass over a stand in a process of its own, which a test kills with signal 9.

Usage: ``python -m tests.exchange.unrest_child STORE HOME CASE URL PAGE_SIZE MODE``; ``MODE``: ``night``, ``changes``.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from hub.exchange import ways
from hub.store.database import open_store
from tests.exchange.restless_stand import CASES
from tests.exchange.test_unrest_stand import take


def main() -> None:
    url, home, case, address, size, mode = sys.argv[1:]
    ways._DUE.update(nightly=timedelta(0), weekly=timedelta(0))
    store = open_store(url)
    take(store, Path(home), CASES[case], address, int(size), night=mode == "night")
    store.close()


if __name__ == "__main__":
    main()
