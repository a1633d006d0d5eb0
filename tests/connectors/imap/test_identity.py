"""By what a letter is known again: in another folder, in another mailbox, without an id, with somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from connectors.imap import whole
from connectors.imap.letter import Mailbox, record
from stand.mail.writing import letter, person, word
from tests.connectors.imap.boxes import Box, mail, read
from tests.connectors.imap.corpus import ARRIVED


def test_letters_without_an_id_are_told_apart(box: Box) -> None:
    """No Message-ID: two letters that differ in a word have keys of their own, and keep them when they move."""
    box.put(mail("Заявка", "Два ящика.", Message_ID=""), mail("Заявка", "Три ящика.", Message_ID=""))
    connector = box.open()
    first = read(connector)
    keys = [record["message_key"] for record in first.records]
    assert len(set(keys)) == 2
    assert all(
        key.startswith("#") and record["message_id"] is None for key, record in zip(keys, first.records, strict=True)
    )
    box.move(1, "Архив")
    assert [record["message_key"] for record in read(connector, first.position).records] == keys[:1]


def test_one_id_on_two_letters(box: Box) -> None:
    """One Message-ID, sender, date and subject over another text is another letter; over the same text it is not."""
    same = {"Message_ID": "<1@robot.example>"}
    box.put(mail("Счёт", "Сумма 100", **same), mail("Счёт", "Сумма 200", **same), mail("Счёт", "Сумма  100\n", **same))
    keys = [record["message_key"] for record in read(box.open()).records]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]
    assert all(key.startswith("1@robot.example#") for key in keys)


def test_no_date_no_id(box: Box) -> None:
    """Without id and date the day of arrival tells letters apart that a robot sends every day."""
    raw = mail("Отчёт", "Всё в порядке.", Message_ID="", Date="")
    box.put(raw, when=datetime(2026, 3, 1, tzinfo=UTC))
    box.put(raw, when=datetime(2026, 3, 2, tzinfo=UTC))
    found = read(box.open()).records
    assert len({record["message_key"] for record in found}) == 2
    assert [record["date"] for record in found] == ["2026-03-01T00:00:00", "2026-03-02T00:00:00"]


def test_sent_here_and_received_there(box: Box, another: Callable[[], Box]) -> None:
    """What lies in the sender's Sent and, packed anew on its way, in a colleague's INBOX has one key in both."""
    other = another()
    told = {
        "From": f"Иван <{box.user}>".encode().decode("ascii", "ignore"),
        "To": other.user,
        "Message_ID": "<7@own.example>",
    }
    sent = mail("Договор на подпись", "Добрый день, коллеги!\nПосмотрите, пожалуйста.", **told)
    way = (
        b"Return-Path: <me@own.example>\r\nReceived: from a by b; Mon, 2 Mar 2026 12:00:01 +0300\r\nX-Scanned: yes\r\n"
    )
    packed = sent.replace(b"charset=utf-8", b"charset=UTF-8").replace(b"\r\n\r\n=", b"\r\n\r\n=", 1)
    box.put(sent, folder=box.sent)
    other.put(way + packed + b"\r\n\r\n")
    (here,), (there,) = read(box.open()).records, read(other.open(own=())).records
    assert here["message_key"] == there["message_key"]
    assert (here["direction"], there["direction"]) == ("outbound", "inbound")
    assert here["location"] != there["location"]
    assert (here["line"], there["line"]) == (box.user, other.user)


def test_direction(box: Box) -> None:
    """From us, to us, among ourselves: by our addresses and whole domains, and by the folder of sent letters."""
    box.put(mail("Нам"), mail("От нас", From="boss@own.example", To="a@client.example"))
    box.put(mail("Себе", From="boss@own.example", To="me@own.example, chief@own.example"))
    box.put(mail("С чужого адреса", From="me@phone.example", To="a@client.example"), folder=box.sent)
    found = {record["subject"]: record["direction"] for record in read(box.open(own=("@own.example",))).records}
    assert found == {"Нам": "inbound", "От нас": "outbound", "Себе": "internal", "С чужого адреса": "outbound"}


def test_keys_are_those_of_earlier_versions() -> None:
    """A store keeps letters by these keys: another one for the same letter is a double when its folder is read anew."""
    mailbox = Mailbox("me@own.example", frozenset(), ZoneInfo("Europe/Moscow"))
    keys = []
    for charset, text, html in [
        ("utf-8", "Добрый день!\n\nСчёт № 12-А, 1 000,50 ₽ — до пятницы…", ""),
        ("windows-1251", "Ещё раз: где ЗАКАЗ?", ""),
        ("koi8-r", "", "<p>Здравствуйте,<br>это <b>мы</b>.</p>"),
    ]:
        head = {
            "From": person("Клиент", "Client@Firm.example", charset),
            "To": "me@own.example",
            "Subject": word("Re: Заявка", charset),
            "Date": "Mon, 02 Mar 2026 12:00:00 +0300",
        }
        raw = letter(head, text, html=html, charset=charset)
        keys.append(record(whole.read(raw, "1:1@INBOX", "INBOX", ARRIVED), mailbox)["message_key"])
    assert keys == [
        "#4bb7fc3ba4090edfac04",
        "#c198b627ea90e76f5154",
        "#ac824c8be1801520daa2",
    ]
