"""Reading on from a position: what is new, what is gone, and what it costs; on both servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.base import ReadRequest, Traffic
from connectors.imap.session import Session
from connectors.imap.tokens import Tokens
from hub.model.errors import StopRoute
from hub.model.records import Page
from tests.connectors.imap.boxes import Box, mail, read


def positioned(position: Any) -> ReadRequest:
    """The request that goes on from there."""
    return ReadRequest("messages", key=("location",), position=position)


def test_only_what_is_new_comes(box: Box) -> None:
    """The first read brings everything, the next what arrived since, in any folder, and then nothing."""
    box.put(mail("Первое"), mail("Второе"))
    connector = box.open()
    first = read(connector)
    assert first.subjects == ["Первое", "Второе"]
    box.put(mail("Третье"))
    box.put(mail("Четвёртое"), folder="Клиенты")
    second = read(connector, first.position)
    assert sorted(second.subjects) == ["Третье", "Четвёртое"]
    assert [record["folder"] for record in second.records] == ["INBOX", "Клиенты"]
    assert read(connector, second.position).records == []


def test_what_is_deleted_is_told_by_its_place(box: Box) -> None:
    """A letter deleted by another program is told as gone, once; the others are not touched."""
    box.put(*(mail(f"Письмо {n}") for n in range(5)))
    connector = box.open()
    first = read(connector)
    box.drop(2, 4)
    second = read(connector, first.position)
    assert second.records == []
    assert second.deleted == [first.records[1]["location"], first.records[3]["location"]]
    assert read(connector, second.position).deleted == []


def test_a_letter_that_came_and_one_that_went_are_both_seen(box: Box) -> None:
    """One in and one out leave the number of letters as it was, and are seen all the same."""
    box.put(mail("Останется"), mail("Уйдёт"))
    connector = box.open()
    first = read(connector)
    box.drop(2)
    box.put(mail("Пришло"))
    second = read(connector, first.position)
    assert (second.subjects, second.deleted) == (["Пришло"], [first.one("Уйдёт")["location"]])


def test_numbers_above_the_last_are_above_it(box: Box) -> None:
    """``n:*`` names the last letter where there is none from n on: it is no new one."""
    box.put(mail("Письмо"))
    session = Session(box.open()._settings, Tokens(box.open()._settings), Traffic())
    session.examine("INBOX")
    assert (session.after(0), session.after(1), session.after(100)) == ([1], [], [])
    session.close()


def test_came_and_went_between_two_reads(box: Box) -> None:
    """A letter that arrived and was deleted again leaves a gap in the numbers and nothing else."""
    box.put(mail("Первое"))
    connector = box.open()
    first = read(connector)
    box.put(mail("Мелькнуло"))
    box.drop(2)
    second = read(connector, first.position)
    assert (second.records, second.deleted) == ([], [])


def test_expunged_while_reading(box: Box) -> None:
    """Letters deleted between two pages are not there any more, and cost none of the others."""
    box.put(*(mail(f"Письмо {n}") for n in range(12)))
    connector = box.open()
    gone: list[int] = []

    def drop(_page: object) -> None:
        if not gone:
            gone.extend((1, 7, 12))
            box.drop(*gone)

    found = read(connector, size=4, each=drop)
    numbers = [int(record["location"].partition(":")[2].partition("@")[0]) for record in found.records]
    assert set(range(1, 13)) - set(gone) <= set(numbers)
    assert len(numbers) == len(set(numbers))
    again = read(connector, found.position)
    assert {one.partition(":")[2].partition("@")[0] for one in [*again.deleted]} <= {"1", "7", "12"}
    assert read(connector, again.position).records == []


def test_moved_between_folders(box: Box) -> None:
    """A moved letter is new where it lies now and gone where it lay; its key says that it is the same."""
    box.put(mail("Договор"), mail("Другое"))
    connector = box.open()
    first = read(connector)
    box.move(1, "Клиенты")
    second = read(connector, first.position)
    assert second.subjects == ["Договор"]
    assert second.deleted == [first.one("Договор")["location"]]
    assert second.records[0]["message_key"] == first.one("Договор")["message_key"]
    assert second.records[0]["folder"] == "Клиенты"


def test_a_renamed_folder_keeps_its_letters(box: Box) -> None:
    """Letters are told under the new name first, then as gone under the old one; by their keys none is another."""
    box.put(mail("Договор"), folder="Старое имя")
    connector = box.open()
    first = read(connector)
    with box.client() as client:
        client.create_folder("Новое имя")
        client.select_folder("Старое имя")
        client.move([1], "Новое имя")
        client.unselect_folder()
        client.delete_folder("Старое имя")
    second = read(connector, first.position)
    assert second.deleted == [first.records[0]["location"]]
    assert [record["message_key"] for record in second.records] == [first.records[0]["message_key"]]
    assert [bool(page.records) for page in second.pages if page.records or page.deleted] == [True, False]


def test_numbers_that_begin_anew(box: Box) -> None:
    """UIDVALIDITY changed: all letters come again under new places and the same keys, then the old places are gone."""
    box.put(mail("Первое"), mail("Второе"))
    connector = box.open()
    first = read(connector)
    box.renumber(1_900_000_001)
    second = read(connector, first.position)
    assert [r["message_key"] for r in second.records] == [r["message_key"] for r in first.records]
    assert all(record["location"].startswith("1900000001:") for record in second.records)
    assert second.deleted == [record["location"] for record in first.records]
    assert read(connector, second.position).deleted == []
    assert read(connector, second.position).records == []


def test_numbers_that_begin_anew_every_time_are_not_believed(box: Box) -> None:
    """More than three changes in a row: the folder is put off and named, others are read; then it heals by itself."""
    box.put(mail("Письмо"))
    box.put(mail("Другое"), folder="Клиенты")
    connector, position = box.open(), read(box.open()).position
    for n in range(3):
        box.renumber(1_900_000_010 + n)
        position = read(connector, position).position
    box.renumber(1_900_000_020)
    box.put(mail("Новое"), folder="Клиенты")
    pages: list[Page] = []
    with pytest.raises(StopRoute) as error:
        pages.extend(connector.read(positioned(position)))
    assert (error.value.code, error.value.params["folder"]) == ("mail_folder_parked", "INBOX")
    assert sum(len(page.records) for page in pages) == 1
    assert pages[-1].last
    healed = read(connector, pages[-1].position)
    assert healed.subjects == ["Письмо"]
    assert read(connector, healed.position).records == []


def test_stable_numbers_begin_the_count_anew(box: Box) -> None:
    """Three changes with quiet reads between them are not three in a row: nothing is put off."""
    box.put(mail("Письмо"))
    connector, position = box.open(), read(box.open()).position
    for n in range(5):
        box.renumber(1_900_000_100 + n)
        position = read(connector, position).position
        position = read(connector, position).position
    assert position["folders"]["INBOX"].get("r", 0) == 0


def test_modseq_that_went_down_loses_nothing(on_dovecot: Box) -> None:
    """HIGHESTMODSEQ below the one kept: the server is not asked what vanished since; nothing is lost."""
    on_dovecot.put(mail("Первое"), mail("Второе"))
    connector = on_dovecot.open()
    position = read(connector).position
    position["folders"]["INBOX"]["m"] += 100_000
    on_dovecot.drop(1)
    on_dovecot.put(mail("Третье"))
    second = read(connector, position)
    assert (second.subjects, len(second.deleted)) == (["Третье"], 1)
    assert second.position["folders"]["INBOX"]["m"] < 100_000
    assert read(connector, second.position).records == []


def test_who_has_read_a_letter_is_nobodys_news(on_dovecot: Box) -> None:
    """Letters that are read elsewhere come not again, though HIGHESTMODSEQ grows."""
    on_dovecot.put(mail("Первое"), mail("Второе"))
    connector = on_dovecot.open()
    first = read(connector)
    with on_dovecot.client("INBOX") as client:
        client.add_flags([1, 2], ["\\Seen"])
    second = read(connector, first.position)
    assert (second.records, second.deleted) == ([], [])


def test_answered_and_flagged_letters_come_again(on_dovecot: Box) -> None:
    """Those whose marks changed, and no other, each time that they do; a mailbox at rest costs what it did."""
    on_dovecot.put(mail("Первое"), mail("Второе"), mail("Третье"), flags=("\\Flagged",))
    connector = on_dovecot.open()
    told = read(connector)
    assert [(one["answered"], one["flagged"]) for one in told.records] == [(False, True)] * 3
    with on_dovecot.client("INBOX") as client:
        client.add_flags([1], ["\\Answered", "\\Seen"])
        client.remove_flags([2], ["\\Flagged"])
    told = read(connector, told.position)
    marks = {one["subject"]: (one["answered"], one["flagged"]) for one in told.records}
    assert marks == {"Первое": (True, True), "Второе": (False, False)}
    before = connector.traffic.requests
    assert read(connector, told.position).records == []
    assert connector.traffic.requests - before <= 5
    with on_dovecot.client("INBOX") as client:
        client.remove_flags([1], ["\\Answered"])
    on_dovecot.put(mail("Четвёртое"))
    on_dovecot.drop(3)
    told = read(connector, told.position)
    assert {one["subject"]: one["answered"] for one in told.records} == {"Первое": False, "Четвёртое": False}
    assert len(told.deleted) == 1
    assert read(connector, told.position).records == []


def test_a_plain_server_tells_marks_when_its_folder_is_opened(on_stand: Box) -> None:
    """Without CONDSTORE nothing says that flags moved: they are compared when something else has changed."""
    on_stand.put(mail("Первое"), mail("Второе"))
    connector = on_stand.open()
    told = read(connector)
    with on_stand.client("INBOX") as client:
        client.add_flags([2], ["\\Answered"])
    told = read(connector, told.position)
    assert told.records == []
    on_stand.put(mail("Третье"))
    told = read(connector, told.position)
    assert {one["subject"]: one["answered"] for one in told.records} == {"Второе": True, "Третье": False}


def test_a_place_from_before_there_were_marks(box: Box) -> None:
    """What an earlier version read without its marks is read again where it bears one, once something changes."""
    box.put(mail("Первое"), mail("Второе"), flags=("\\Answered",))
    connector = box.open()
    told = read(connector)
    for place in told.position["folders"].values():
        place.pop("a", None)
    box.put(mail("Третье"))
    told = read(connector, told.position)
    assert sorted(one["subject"] for one in told.records) == ["Второе", "Первое", "Третье"]
    assert read(connector, told.position).records == []


def test_nothing_is_marked_read(box: Box) -> None:
    """After everything was read, files included, no letter is seen and no flag is another."""
    box.put(mail("Первое"), mail("Второе"))
    connector = box.open()
    read(connector)
    connector.fetch(ReadRequest("messages", key=("location",)), [read(connector).records[0]["location"]])
    with box.client("INBOX") as client:
        flags = client.get_flags(client.search("ALL"))
        assert client.search("UNSEEN") == [1, 2]
    assert all(not {flag for flag in told if flag != b"\\Recent"} for told in flags.values())


def test_a_quiet_mailbox_costs_five_commands(on_dovecot: Box) -> None:
    """With LIST-STATUS an unchanged account is at most five commands, however many folders it has."""
    for n in range(8):
        on_dovecot.put(mail(f"Письмо {n}"), folder=f"Папка {n}")
    first = read(on_dovecot.open())
    connector = on_dovecot.open()
    assert read(connector, first.position).records == []
    connector.close()
    assert connector.traffic.requests - 1 <= 5  # the first is the connection itself


def test_a_quiet_mailbox_of_a_plain_server(on_stand: Box) -> None:
    """Without LIST-STATUS it is one command a folder more, and no folder is opened."""
    for n in range(4):
        on_stand.put(mail(f"Письмо {n}"), folder=f"Папка {n}")
    first = read(on_stand.open())
    on_stand.running.commands.clear()
    connector = on_stand.open()
    assert read(connector, first.position).records == []
    connector.close()
    commands = list(on_stand.running.commands)
    folders = len(first.position["folders"])
    assert len(commands) <= 5 + folders
    assert commands.count("STATUS") == folders
    assert "EXAMINE" not in commands


def test_a_plain_server_with_list_status(on_stand: Box) -> None:
    """LIST-STATUS without QRESYNC: all folders are told of at once, what vanished is found by comparing."""
    on_stand.running.quirks.list_status = True
    on_stand.put(*(mail(f"Письмо {n}") for n in range(3)))
    connector = on_stand.open()
    first = read(connector)
    on_stand.running.commands.clear()
    assert read(connector, first.position).records == []
    assert list(on_stand.running.commands) == ["CLOSE", "LIST"]
    on_stand.drop(2)
    assert len(read(connector, first.position).deleted) == 1


def test_the_place_stays_small(box: Box) -> None:
    """Twelve hundred letters are one range in the position."""
    with box.client() as client:
        for n in range(75):
            client.append("INBOX", mail(f"Письмо {n}"))
        client.select_folder("INBOX")
        for _ in range(4):
            client.copy(client.search("ALL"), "INBOX")
    found = read(box.open(), size=500)
    assert len(found.records) == 1200
    assert found.position["folders"]["INBOX"]["u"] == "1:1200"
    assert len(str(found.position)) < 400


def test_two_programs_read_at_once(box: Box, another: Callable[[], Box]) -> None:
    """Several accounts are several connectors; what one reads is no place of the other."""
    other = another()
    box.put(mail("Моё"))
    other.put(mail("Чужое"))
    assert read(box.open()).subjects == ["Моё"]
    assert read(other.open()).subjects == ["Чужое"]
