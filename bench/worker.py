"""One contestant, one phase, one process: prints its CPU seconds and memory as one line of JSON.

Start-up (imports, opening the store, compiling mappings) is measured apart from the work.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench import measure
from bench.files import SETS, PageFiles
from bench.yardstick import Yardstick
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import Settings, SystemSettings
from hub.store import bulk
from hub.store.database import Store, open_store

ROUTES = ["ut.product", "ut.party", "ut.sales_order"]


def _hub(store: Store, files: dict[str, list[Path]], home: Path) -> Hub:
    system = SystemSettings(code="ut", kind="memory", timezone="Europe/Moscow", profile="onec_ut11")
    settings = Settings(home, home / "hub.yaml", "Europe/Moscow", "", systems={"ut": system})
    connector = PageFiles(files)
    return Hub(settings, store, lambda _system, _cache: connector)


def main() -> None:
    contestant, url, folder, phase = sys.argv[1:]
    store = open_store(url)
    store.migrate()
    files = {name: sorted((Path(folder) / name).glob("*.json")) for name in SETS}
    hub = _hub(store, files, Path(folder))
    hub.profile("ut")
    before = measure.cpu()
    if contestant == "hub":
        report = run_exchange(hub, ROUTES)
        records = sum(route.counters.received for route in report.routes)
        assert report.state == "completed", report.routes
        counts = {route.route: [route.counters.created, route.counters.updated] for route in report.routes}
    else:
        yardstick = Yardstick(store)
        yardstick.load(files)
        records, counts = yardstick.records, {}
    if phase == "first":
        with store.begin() as conn:
            bulk.analyze(conn)
    used = measure.cpu() - before
    print(json.dumps({"start": before, "cpu": used, "rss": measure.peak_rss_mb(), "records": records, "did": counts}))


if __name__ == "__main__":
    main()
