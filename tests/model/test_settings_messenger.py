"""What ``hub.yaml`` tells of a messenger."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.settings import FILE_NAME, SettingsInvalid, load_settings
from hub.model.settings_comms import MessengerSettings

BOT = """company_timezone: Europe/Moscow
systems:
  bot:
    kind: messenger
    timezone: Europe/Moscow
    profile: messenger
"""


def test_a_messenger_is_read_from_the_file(tmp_path: Path) -> None:
    """Its service, names and chats of ours; a word that is no service, and none at all, are told with their line."""
    told = "    messenger: {service: matrix, own: '@a:x.ru, @b:x.ru', except_chats: Отдел, unknown: create}\n"
    system = load_settings(_home(tmp_path, BOT + told)).systems["bot"]
    assert system.messenger == MessengerSettings("matrix", ("@a:x.ru", "@b:x.ru"), ("Отдел",), "create")
    for wrong, code in (("{service: icq}", "settings_choice"), ("{own: a}", "settings_required")):
        with pytest.raises(SettingsInvalid) as caught:
            load_settings(_home(tmp_path, f"{BOT}    messenger: {wrong}\n"))
        assert [problem.code for problem in caught.value.problems] == [code]


def _home(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return folder
