"""Where the recorded answers of a real УТ base lie, and whether they are here."""

from __future__ import annotations

from pathlib import Path

import pytest

ONEC = Path(__file__).parents[3] / "shared" / "data" / "onec"
METADATA = ONEC / "trade_demo" / "msg001_metadata.xml"
FEEDS = tuple(
    ONEC / "trade_demo" / name
    for name in ("msg002_nomenklatura.xml", "msg003_zakaz_klienta.xml", "msg004_kontragenti.xml")
)
CASES = ONEC / "edmx_cases"

needed = pytest.mark.skipif(
    not METADATA.is_file(), reason="../shared/data is absent: answers recorded from a real УТ base are not tested"
)
