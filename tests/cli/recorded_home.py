"""An installation with a FreePBX: two calls in its table, the recording of one of them in its folder."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.telephony.asterisk import InTable, leg

SOUND = b"RIFF" + b"\0" * 5000


def recorded_home(home: Path) -> None:
    """Settings, calls and the recording, under ``home``; beside its folder lies a file that is no recording of ours."""
    home.mkdir(exist_ok=True)
    url, monitor = f"sqlite:///{home}/cdr.db", home / "monitor"
    (monitor / "2026/11/02").mkdir(parents=True)
    (monitor / "2026/11/02/in-1.wav").write_bytes(SOUND)
    (home / "secret.wav").write_bytes(b"RIFF secret")
    exchange = InTable(url)
    exchange.write(
        leg("1793602800.1", 1, "2026-11-02T10:00:00", 30, 20, recordingfile="in-1.wav"),
        leg("1793602900.2", 2, "2026-11-02T10:05:00", 15),
    )
    exchange.engine.dispose()
    (home / "hub.yaml").write_text(
        "company_timezone: Europe/Moscow\nsystems:\n  pbx:\n    kind: pbx_db\n    title: Офис\n"
        f"    timezone: Europe/Moscow\n    profile: calls\n    url: {url}\n    calls: {{recordings: {monitor}}}\n",
        encoding="utf-8",
    )
