"""Files of letters are told and not brought; what is large does not come by itself."""

from __future__ import annotations

import pytest

from connectors.base import ReadRequest
from hub.model.errors import NeedsPerson
from stand.mail.writing import File, letter, word
from tests.connectors.imap.boxes import Box, mail, read

HEAD = {"From": "client@firma.example", "To": "me@own.example", "Date": "Mon, 02 Mar 2026 12:00:00 +0300"}


def test_fifteen_megabytes_stay_where_they_are(box: Box) -> None:
    """A letter of 15 MB comes with its text, the file's name, kind and size; less than 64 KiB were brought."""
    data = bytes(range(256)) * 44_000
    raw = letter(HEAD | {"Subject": "Big"}, "Фото во вложении", files=[File("снимок экрана.png", "image/png", data)])
    assert len(raw) > 15_000_000
    box.put(raw)
    connector = box.open()
    (record,) = read(connector).records
    assert record["text"] == "Фото во вложении"
    (told,) = record["files"]
    assert (told["name"], told["mime"], told["part"]) == ("снимок экрана.png", "image/png", "2")
    assert 15_000_000 < told["size"] < 16_000_000
    assert connector.traffic.bytes_read < 65_536
    found = connector.fetch_attachment(record["location"], told["part"])
    assert (found.name, found.mime, found.data == data) == ("снимок экрана.png", "image/png", True)


@pytest.mark.parametrize("change", ["part", "moved", "uidvalidity", "nonsense"])
def test_a_file_that_is_not_there(box: Box, change: str) -> None:
    """Another part, a letter that was moved, numbers that began anew: not there, never another letter's file."""
    box.put(letter(HEAD | {"Subject": "One"}, "Текст", files=[File("a.txt", "text/plain", b"abc")]), mail("Другое"))
    connector = box.open()
    location = read(connector).records[0]["location"]
    part = "2"
    if change == "part":
        part = "7"
    elif change == "moved":
        box.move(1, "Архив")
    elif change == "uidvalidity":
        box.renumber(1_900_000_500)
    else:
        location, part = "не письмо", "2; LOGOUT"
    with pytest.raises(NeedsPerson) as error:
        connector.fetch_attachment(location, part)
    assert error.value.code == "mail_no_attachment"


def test_a_file_larger_than_wanted(box: Box) -> None:
    """Nothing is brought of a file that is larger than the caller allows."""
    box.put(letter(HEAD | {"Subject": "One"}, "Текст", files=[File("a.bin", "application/zip", bytes(9000))]))
    connector = box.open()
    location = read(connector).records[0]["location"]
    with pytest.raises(NeedsPerson) as error:
        connector.fetch_attachment(location, "2", most=1000)
    assert error.value.code == "mail_attachment_large"


def test_a_line_of_64_kib(box: Box) -> None:
    """A head with one line of 64 KiB and a text of one line as long are read, cut where nobody reads on."""
    people = ", ".join(f"Получатель {n} <p{n}@long.example>" for n in range(2000)).encode().decode("ascii", "ignore")
    box.put(mail("Long", "слово " * 12_000, To=people, Cc=word("x" * 66_000)), mail("После"))
    found = read(box.open())
    long = found.one("Long")
    assert 0 < sum(one["role"] == "to" for one in long["people"]) <= 200
    assert len(long["text"]) <= 65_536
    assert found.subjects == ["Long", "После"]


def test_lists_of_numbers_stay_short(on_stand: Box) -> None:
    """Numbers with gaps between them make long lists, and servers refuse lines above 64 KiB: no command grows so."""
    folder = on_stand.running.accounts[on_stand.user].folders["INBOX"]
    raw = mail("Письмо")
    for _ in range(1500):
        folder.add(raw)
    for uid in range(2, 1501, 2):
        del folder.letters[uid]
    connector = on_stand.open()
    found = [
        raw for page in connector.read(ReadRequest("messages", ("folder",), ("location",))) for raw in page.records
    ]
    assert len(found) == 750
    assert on_stand.running.longest < 2500
