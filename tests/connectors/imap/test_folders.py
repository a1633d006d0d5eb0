"""Which folders are read, and what they are for: by attributes, by names in the languages of mail programs."""

from __future__ import annotations

import pytest

from connectors.base import ReadRequest
from connectors.imap.config import ImapSettings
from connectors.imap.folders import Listed, chosen, folders_of
from hub.model.errors import StopRoute
from hub.model.records import Page
from tests.connectors.imap.boxes import Box, mail, read


def names(*listed: Listed, **more: tuple[str, ...]) -> list[tuple[str, str]]:
    """Folders that are read with their uses."""
    settings = ImapSettings("imap://127.0.0.1", "me@own.example", **more)  # type: ignore[arg-type]
    return [(folder.name, folder.use) for folder in chosen(folders_of(listed), settings)]


def plain(*folders: str) -> list[Listed]:
    """Folders without attributes."""
    return [Listed(name, ("\\HasNoChildren",), "/") for name in folders]


def test_attributes_tell() -> None:
    """Special use decides whatever the names are; trash, drafts and junk are left out, sent letters are read second."""
    listed = [
        Listed("Яя", ("\\Sent",), "/"),
        Listed("Бб", ("\\Drafts",), "/"),
        Listed("Вв", ("\\Junk",), "/"),
        Listed("Гг", ("\\Trash",), "/"),
        Listed("Клиенты", (), "/"),
        Listed("INBOX", (), "/"),
        Listed("Верхняя", ("\\Noselect",), "/"),
    ]
    assert names(*listed) == [("INBOX", "inbox"), ("Яя", "sent"), ("Клиенты", "")]


@pytest.mark.parametrize(
    ("sent", "others"),
    [
        ("Отправленные", ("Черновики", "Удаленные", "Спам")),
        ("INBOX/Sent Items", ("INBOX/Drafts", "INBOX/Deleted Items", "INBOX/Junk E-mail")),
        ("Отправленные элементы", ("Удалённые элементы", "Нежелательная почта")),
        ("Gesendete Elemente", ("Entwürfe", "Papierkorb")),
    ],
)
def test_names_tell_where_attributes_do_not(sent: str, others: tuple[str, ...]) -> None:
    """Localised names of programs and providers stand for the attributes that a server does not give."""
    assert names(*plain("INBOX", sent, *others, "Разное")) == [("INBOX", "inbox"), (sent, "sent"), ("Разное", "")]


def test_a_name_means_nothing_where_an_attribute_speaks() -> None:
    """A folder «Корзина» that somebody made beside the real one may hold letters of clients: it is read."""
    listed = [*plain("INBOX", "Корзина"), Listed("Deleted", ("\\Trash",), "/")]
    assert names(*listed) == [("INBOX", "inbox"), ("Корзина", "")]


def test_a_folder_of_everything_stands_for_all() -> None:
    """Gmail's All Mail holds each letter once: it alone is read."""
    listed = [
        *plain("INBOX", "Клиенты"),
        Listed("[Gmail]", ("\\Noselect",), "/"),
        Listed("[Gmail]/Вся почта", ("\\All",), "/"),
        Listed("[Gmail]/Отправленные", ("\\Sent",), "/"),
        Listed("[Gmail]/Помеченные", ("\\Flagged",), "/"),
    ]
    assert names(*listed) == [("[Gmail]/Вся почта", "all")]


def test_settings_have_the_last_word() -> None:
    """Named folders alone are read, junk too if it is named; folders that are excepted never."""
    listed = plain("INBOX", "Спам", "Клиенты", "Личное")
    assert names(*listed, folders=("Спам", "Клиенты")) == [("Клиенты", ""), ("Спам", "junk")]
    assert names(*listed, except_folders=("Личное",)) == [("INBOX", "inbox"), ("Клиенты", "")]


def test_folders_of_a_real_mailbox(box: Box) -> None:
    """Cyrillic names, quotes and ampersands travel both ways; letters in trash are left out."""
    for name in ("Клиенты", 'Проект "Ромашка" & Ко', "Клиенты/Опт"):
        box.put(mail(name), folder=name)
    box.put(mail("Мусор"), folder="Trash" if box.dovecot else "Корзина")
    found = read(box.open())
    assert sorted(found.subjects) == sorted(["Клиенты", 'Проект "Ромашка" & Ко', "Клиенты/Опт"])
    assert {record["folder"] for record in found.records} == set(found.subjects)


def test_what_the_check_tells(box: Box) -> None:
    """A folder of the settings that is not there is named; one that leaves nothing to read is a problem."""
    report = box.open(except_folders=("Личное",)).check()
    assert [note.code for note in report.notes if note.code == "mail_folder_unknown"] == ["mail_folder_unknown"]
    assert report.problems == []
    (problem,) = box.open(folders=("Нет такой",)).check().problems
    assert problem.code == "mail_no_folders"


def test_a_list_without_inbox_is_no_list(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that suddenly lists nothing has not deleted everything: the route stops, nothing is told as gone."""
    box.put(mail("Письмо"))
    connector = box.open()
    first = read(connector)
    monkeypatch.setattr("connectors.imap.session.folders_of", lambda _listed: [])
    with pytest.raises(StopRoute) as error:
        read(connector, first.position)
    assert error.value.code == "mail_no_folders"


def test_a_folder_that_nobody_may_open(on_stand: Box) -> None:
    """A shared folder without the right to read stops no other: the others are read, then it is named."""
    on_stand.put(mail("Моё"))
    on_stand.put(mail("Чужое"), folder="Общая")
    on_stand.put(mail("Тоже моё"), folder="Папка")
    on_stand.running.quirks.closed = {"Общая"}
    connector = on_stand.open()
    pages: list[Page] = []
    with pytest.raises(StopRoute) as error:
        pages.extend(connector.read(ReadRequest("messages", key=("location",))))
    assert (error.value.code, error.value.params["folder"]) == ("mail_folder_closed", "Общая")
    assert sum(len(page.records) for page in pages) == 2
    on_stand.running.quirks.closed = set()
    assert read(connector, pages[-1].position).subjects == ["Чужое"]
