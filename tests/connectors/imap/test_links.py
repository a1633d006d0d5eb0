"""Links that are cut, servers that are silent, letters that nobody can read."""

from __future__ import annotations

import threading
from base64 import b64decode

import pytest
from imapclient import IMAPClient

from connectors.imap.letter import record as plain_record
from hub.model.errors import RetryLater, StopRoute
from hub.model.records import Page
from tests.connectors.imap.boxes import Box, mail, read


def test_cut_in_the_middle_of_a_batch(on_stand: Box) -> None:
    """The link breaks after seven letters of an answer: it is made anew, and every letter comes once."""
    on_stand.put(*(mail(f"Письмо {n}") for n in range(20)))
    connector = on_stand.open()
    on_stand.running.quirks.cut_after = 7
    found = read(connector, size=10)
    assert sorted(found.subjects) == sorted(f"Письмо {n}" for n in range(20))
    assert on_stand.running.commands.count("LOGIN") == 3  # the other program, and the connector twice


def test_cut_between_pages(box: Box) -> None:
    """A server that is started anew between two pages costs no letter and brings none twice."""
    box.put(*(mail(f"Письмо {n}") for n in range(12)))
    cut: list[bool] = []

    def once(_page: object) -> None:
        if not cut:
            cut.append(True)
            box.cut()

    found = read(box.open(), size=5, each=once)
    assert found.subjects == [f"Письмо {n}" for n in range(12)]


def test_cut_for_good_is_told_and_gone_on_with(on_stand: Box) -> None:
    """A link that cannot be made again is told; what was delivered before is enough to go on from."""
    on_stand.put(*(mail(f"Письмо {n}") for n in range(12)))
    connector, pages = on_stand.open(), list[Page]()

    def end(page: Page) -> None:
        pages.append(page)
        on_stand.running.quirks.refuse = "[UNAVAILABLE] down for maintenance"
        on_stand.running.cut()

    with pytest.raises(RetryLater) as error:
        read(connector, size=5, each=end)
    assert error.value.code == "mail_busy"
    on_stand.running.quirks.refuse = ""
    rest = read(connector, pages[-1].position)
    assert rest.subjects == [f"Письмо {n}" for n in range(5, 12)]


def test_news_are_heard(box: Box) -> None:
    """A letter that arrives ends the waiting; silence is told as silence after the time asked for."""
    box.put(mail("Первое"))
    connector = box.open()
    timer = threading.Timer(0.4, lambda: box.put(mail("Второе")))
    timer.start()
    assert connector.wait_for_news(20.0)
    timer.join()
    assert not connector.wait_for_news(0.3)


def test_cut_while_waiting_is_no_busy_loop(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that dies while we wait gives empty answers at once: the link is made anew once, nothing spins."""
    looks: list[float] = []
    look = IMAPClient.idle_check

    def counted(client: IMAPClient, timeout: float) -> object:
        looks.append(timeout)
        return look(client, timeout)

    monkeypatch.setattr(IMAPClient, "idle_check", counted)
    connector = box.open()
    connector.wait_for_news(0.1)
    timer = threading.Timer(0.3, box.cut)
    timer.start()
    assert not connector.wait_for_news(1.5)
    timer.join()
    assert len(looks) < 8
    assert connector.traffic.requests < 20


def test_cut_for_good_while_waiting(on_stand: Box) -> None:
    """A server that is gone for good ends the waiting with an error, not with a hint to be followed for ever."""
    connector = on_stand.open()
    connector.wait_for_news(0.1)

    def end() -> None:
        on_stand.running.quirks.refuse = "[UNAVAILABLE] gone"
        on_stand.running.cut()

    timer = threading.Timer(0.2, end)
    timer.start()
    with pytest.raises(RetryLater):
        connector.wait_for_news(10.0)
    timer.join()


def test_a_letter_the_server_does_not_give(on_stand: Box) -> None:
    """One damaged letter among many: a record that says so, all the others whole, and it is not asked for again."""
    on_stand.put(*(mail(f"Письмо {n}") for n in range(9)))
    on_stand.running.quirks.broken = {4}
    connector = on_stand.open()
    found = read(connector)
    (bad,) = [record for record in found.records if record["kind"] == "unreadable"]
    assert bad["location"].endswith(":4@INBOX")
    assert bad["problem"] == "mail_refused"
    assert len(found.records) == 9
    on_stand.running.quirks.broken = set()
    assert read(connector, found.position).records == []


def test_a_letter_the_server_is_silent_about(on_stand: Box) -> None:
    """SEARCH names it, FETCH does not: it is not taken for deleted, it becomes a record that says so."""
    on_stand.put(*(mail(f"Письмо {n}") for n in range(5)))
    on_stand.running.quirks.hidden = {2}
    found = read(on_stand.open())
    assert [record["problem"] for record in found.records if record["kind"] == "unreadable"] == ["not_given"]
    assert len(found.records) == 5


def test_a_server_that_gives_no_letter_is_broken_itself(on_stand: Box) -> None:
    """When all letters of a batch are refused none is blamed: the route stops, and the next read begins there."""
    on_stand.put(*(mail(f"Письмо {n}") for n in range(6)))
    on_stand.running.quirks.broken = set(range(1, 7))
    connector = on_stand.open()
    with pytest.raises(StopRoute) as error:
        read(connector)
    assert error.value.code == "mail_refused"
    on_stand.running.quirks.broken = set()
    assert len(read(connector).records) == 6


def test_a_letter_that_breaks_the_parser(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a letter breaks in the program costs that letter alone, and its source is kept in the record."""
    box.put(mail("Хорошее"), mail("Плохое", "Это сломает разбор"), mail("Тоже хорошее"))

    def fragile(letter: object, mailbox: object) -> object:
        told = plain_record(letter, mailbox)  # type: ignore[arg-type]
        if told["subject"] == "Плохое":
            raise ZeroDivisionError
        return told

    monkeypatch.setattr("connectors.imap.letters.record", fragile)
    found = read(box.open())
    (bad,) = [record for record in found.records if record["kind"] == "unreadable"]
    assert bad["problem"] == "ZeroDivisionError"
    assert b"To: me@own.example" in b64decode(bad["raw"])
    assert len(found.records) == 3


def test_a_structure_that_cannot_be_understood(on_stand: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server's BODYSTRUCTURE is nonsense the letter is read by its source, and is whole."""
    on_stand.put(mail("Письмо", "Текст письма"))
    monkeypatch.setattr("connectors.imap.letters.of_server", lambda _body: 1 / 0)
    (record,) = read(on_stand.open()).records
    assert (record["kind"], record["subject"], record["text"]) == ("email", "Письмо", "Текст письма")
