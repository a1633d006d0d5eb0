"""What ``hub.yaml`` tells of systems that have a section of their own: mailboxes, messengers, mailing services."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.settings import FILE_NAME, SettingsInvalid, load_settings
from hub.model.settings_comms import MailingSettings, MailSettings, MessengerSettings

MAILBOX = """\
company_timezone: Europe/Moscow
systems:
  post:
    kind: imap
    url: {url}
    timezone: Europe/Moscow
    profile: mail
"""


def test_a_section_of_one_kind(tmp_path: Path) -> None:
    """A mailbox has its section even where the file does not mention it; lists are written with commas."""
    home = _home(tmp_path, MAILBOX.format(url="imaps://imap.example.test") + "    mail: {own: 'a@b.ru, c@d.ru'}\n")
    system = load_settings(home).systems["post"]
    assert system.mail == MailSettings(own=("a@b.ru", "c@d.ru"))
    assert (system.calls, system.calendar) == (None, None)
    plain = load_settings(_home(tmp_path, MAILBOX.format(url="imaps://imap.example.test"))).systems["post"]
    assert plain.mail == MailSettings()


@pytest.mark.parametrize(
    ("url", "more", "code"),
    [
        ("imaps://boss@imap.example.test", "", "settings_url_login"),
        ("https://imap.example.test", "", "settings_imap_url"),
        ("imaps://imap.example.test", "    calls: {}\n", "settings_section_kind"),
        ("imaps://imap.example.test", "    mail: {unknown: maybe}\n", "settings_choice"),
        ("imaps://imap.example.test", "    mail: [own]\n", "settings_not_section"),
    ],
)
def test_a_section_that_is_wrong(tmp_path: Path, url: str, more: str, code: str) -> None:
    """A section of another kind, a wrong word, an address with a login: each is told."""
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(_home(tmp_path, MAILBOX.format(url=url) + more))
    assert [problem.code for problem in caught.value.problems] == [code]


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


LISTS = """company_timezone: Europe/Moscow
systems:
  mm:
    kind: mailing
    url: https://lists.firma.ru/3.1
    timezone: Europe/Moscow
    profile: mailing
"""


def test_a_mailing_service_is_read_from_the_file(tmp_path: Path) -> None:
    """Lists by id or address, segments in Russian; what is no pair is told, and so is an address that is none."""
    told = "    mailing: {service: mailman, lists: a@x.ru, subscribe: 'a@X.ru=Розница, b.x.ru=*'}\n"
    system = load_settings(_home(tmp_path, LISTS + told)).systems["mm"]
    assert system.mailing == MailingSettings("mailman", ("a@x.ru",), (("a.x.ru", "Розница"), ("b.x.ru", "*")))
    for wrong, code in (
        ("{service: mailman, subscribe: a@x.ru}", "settings_form"),
        ("{service: mailman, subscribe: =Розница}", "settings_form"),
        ("{lists: a}", "settings_required"),
    ):
        with pytest.raises(SettingsInvalid) as caught:
            load_settings(_home(tmp_path, f"{LISTS}    mailing: {wrong}\n"))
        assert [problem.code for problem in caught.value.problems] == [code]
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(_home(tmp_path, LISTS.replace("https://", "https://me:word@")))
    assert [problem.code for problem in caught.value.problems] == ["settings_url_login"]


def _home(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return folder
