"""Settings of notices: what could be of no use is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.settings import SettingsInvalid, load_settings
from tests.model.test_settings import write

NOTICED = """\
company_timezone: Europe/Moscow
systems:
  office:
    kind: pbx_cloud
    timezone: Europe/Moscow
    profile: calls
    sensor: {sensor}
    calls: {{{calls}}}
"""


@pytest.mark.parametrize(
    ("calls", "sensor", "code"),
    [
        ("service: beeline, notices: yes", "5m", "settings_notices_service"),
        ("notices: yes", "5m", "settings_notices_service"),
        ("service: megafon, notices: yes", "5m", "settings_notices_word"),
        ("service: megafon, notices: yes, notices_word: topsecret", "5m", "settings_secret_word"),
        ("service: zadarma, notices: yes", "off", "settings_notices_sensor"),
        ("service: mango, notices: perhaps", "5m", "settings_choice"),
    ],
)
def test_notices_that_could_be_of_no_use_are_refused(tmp_path: Path, calls: str, sensor: str, code: str) -> None:
    """Nobody sends them, nobody proves them, nobody reads on for them; a secret is not repeated."""
    write(tmp_path, NOTICED.format(calls=calls, sensor=sensor))
    with pytest.raises(SettingsInvalid) as error:
        load_settings(tmp_path)
    (problem,) = error.value.problems
    assert (problem.code, problem.line) == (code, 8)
    assert "topsecret" not in error.value.sentence("ru")


def test_notices_that_are_heard(tmp_path: Path) -> None:
    """The systems that take them, the port they come to, and where the word is kept."""
    calls = "service: megafon, notices: yes, notices_word: env:MEGAFON_WORD"
    write(tmp_path, NOTICED.format(calls=calls, sensor="5m"))
    settings = load_settings(tmp_path)
    assert (settings.notified, settings.notices_port) == (["office"], 3080)
    found = settings.systems["office"].calls
    assert found is not None
    assert found.notices_word == "env:MEGAFON_WORD"
    write(tmp_path, NOTICED.format(calls="service: megafon", sensor="5m"))
    assert load_settings(tmp_path).notified == []
