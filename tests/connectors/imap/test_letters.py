"""Single letters as they are in the real world: encodings, dates, people, robots, texts."""

from __future__ import annotations

import json
import random
import struct
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.imap import tnef, whole
from connectors.imap.addresses import addresses
from connectors.imap.charset import decode
from connectors.imap.headers import Head, parameter, words
from connectors.imap.letter import Mailbox, record
from connectors.imap.position import Place
from connectors.imap.ranges import Ranges
from connectors.imap.text import html_text, transferred
from stand.mail.writing import letter

BOX = Mailbox("me@own.example", frozenset({"me@own.example"}), ZoneInfo("Europe/Moscow"))
ARRIVED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PHRASE = "Прошу выставить счёт на оплату"


def parsed(raw: bytes) -> dict[str, Any]:
    """The record of a letter's source."""
    return record(whole.read(raw, "1:1@INBOX", "INBOX", ARRIVED), BOX)


def headed(**fields: str | bytes) -> dict[str, Any]:
    """The record of a letter with these fields, as raw bytes where they are bytes."""
    lines = []
    for name, value in fields.items():
        lines.append(name.replace("_", "-").encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return parsed(b"\r\n".join(lines) + b"\r\n\r\nText\r\n")


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", "cp866"])
def test_raw_bytes_in_a_head(charset: str) -> None:
    """A subject and a name without RFC 2047, in whatever charset of Russian, are read as Russian."""
    raw = headed(Subject=PHRASE.encode(charset), From="Иванов Пётр <ivanov@a.example>".encode(charset))
    assert raw["subject"] == PHRASE
    assert raw["people"][0]["name"] == "Иванов Пётр"


@pytest.mark.parametrize("named", ["koi8r", "KOI8-R", "koi8"])
@pytest.mark.parametrize("where", ["head", "body"])
def test_charsets_under_wrong_names(named: str, where: str) -> None:
    """Charsets go by many names; the text is the same."""
    if where == "head":
        packed = "".join(f"={byte:02X}" for byte in PHRASE.encode("koi8-r"))
        assert headed(Subject=f"=?{named}?Q?{packed}?=")["subject"] == PHRASE
        return
    head = f"Content-Type: text/plain; charset={named}\r\n\r\n".encode()
    assert parsed(head + PHRASE.encode("koi8-r"))["text"] == PHRASE


@pytest.mark.parametrize("named", ["", "us-ascii", "X-UNKNOWN", "_iso-2022-jp$ESC"])
def test_a_body_without_a_charset(named: str) -> None:
    """No charset, a wrong one, one that there is none of: Russian is told by its letters."""
    told = f"; charset={named}" if named else ""
    assert parsed(f"Content-Type: text/plain{told}\r\n\r\n".encode() + PHRASE.encode("cp1251"))["text"] == PHRASE


def test_a_charset_that_is_a_lie() -> None:
    """Bytes that are UTF-8 are UTF-8, whatever is said beside them; accents among Latin letters are Western."""
    assert decode(PHRASE.encode(), "gb2312") == PHRASE
    assert decode("Müller grüßt Frau Lefèvre".encode("latin-1")) == "Müller grüßt Frau Lefèvre"
    assert decode(b"\xff\xfe" + bytes(range(128, 256)), "utf-8")


def test_letters_cut_between_encoded_words() -> None:
    """Two words whose border runs through a letter are put together before they are decoded."""
    data = "Счёт".encode()
    first, second = data[:3].hex("=").upper(), data[3:].hex("=").upper()
    assert headed(Subject=f"=?utf-8?Q?={first}?=\r\n =?utf-8?Q?={second}?=")["subject"] == "Счёт"


def test_a_subject_with_line_ends_in_it() -> None:
    """An encoded word that decodes to line ends makes no second field: it is one line."""
    assert headed(Subject="=?utf-8?B?QQ0KQmNjOiB4QHkuZXhhbXBsZQ==?=")["subject"] == "A Bcc: x@y.example"


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"filename": b"=?koi8-r?B?88/LxdQucGRm?="}, "Сокет.pdf"),
        ({"filename*": b"utf-8''%D0%A1%D1%87%D1%91%D1%82.pdf"}, "Счёт.pdf"),
        ({"filename*0*": b"utf-8''%D0%A1%D1%87", "filename*1*": b"%D1%91%D1%82", "filename*2": b".pdf"}, "Счёт.pdf"),
        ({"filename*0": b"=?utf-8?B?0KHRh9GR", "filename*1": b"0YI=?=.pdf"}, "Счёт.pdf"),
        ({"filename": "Счёт.pdf".encode("cp1251")}, "Счёт.pdf"),
        ({}, ""),
    ],
)
def test_names_of_files(params: dict[str, bytes], shown: str) -> None:
    """RFC 2231 whole and in pieces, RFC 2047 where it should not stand, raw bytes."""
    assert parameter(params, "filename") == shown


def test_people() -> None:
    """Commas in names and in encoded words, groups, comments, brackets missing, each address once."""
    told = addresses(
        b'"Ivanov, Petr" <IVANOV@A.example>, =?utf-8?Q?=D0=90=2C_=D0=91?= <ab@b.example>, c@c.example (Anna),'
        b" Team: d@d.example, <e@e.example>; undisclosed-recipients:;, ivanov@a.example, nonsense,"
        b" f@xn--80a1acny.xn--p1ai"
    )
    assert [(one.handle, one.name) for one in told] == [
        ("ivanov@a.example", "Ivanov, Petr"),
        ("ab@b.example", "А, Б"),
        ("c@c.example", "Anna"),
        ("d@d.example", ""),
        ("e@e.example", ""),
        ("f@почта.рф", ""),
    ]


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        ("Mon, 02 Mar 2026 09:30:00 +0300", "2026-03-02T09:30:00"),
        ("Mon, 02 Mar 2026 06:30:00", "2026-03-02T09:30:00"),
        ("Fri, 31 Dec 2099 00:00:00 +0000", "2026-03-02T15:00:00"),
        ("Thu, 01 Jan 1970 00:00:00 +0000", "2026-03-02T15:00:00"),
        ("позавчера", "2026-03-02T15:00:00"),
    ],
)
def test_dates(date: str, shown: str) -> None:
    """The letter's own date in the system's zone; one that cannot be true is the moment of arrival."""
    assert headed(Date=date)["date"] == shown


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ({}, None),
        ({"Auto-Submitted": "no"}, None),
        ({"Auto-Submitted": "auto-replied"}, "auto_reply"),
        ({"Auto-Submitted": "auto-generated"}, "bulk"),
        ({"X-Autoreply": "yes"}, "auto_reply"),
        ({"Subject": "Автоответ: я в отпуске до понедельника"}, "auto_reply"),
        ({"Subject": "Automatic reply: Invoice"}, "auto_reply"),
        ({"Subject": "Автоответчик: нет на месте"}, "auto_reply"),
        ({"Subject": "Автоответчик для офиса: коммерческое предложение"}, None),
        ({"Content-Type": "multipart/report; report-type=disposition-notification; boundary=x"}, "auto_reply"),
        ({"Content-Type": "multipart/report; report-type=delivery-status; boundary=x"}, "bounce"),
        ({"X-Failed-Recipients": "a@b.example"}, "bounce"),
        ({"Return-Path": "<>", "From": "MAILER-DAEMON@a.example", "Subject": "Undeliverable: Счёт"}, "bounce"),
        ({"Return-Path": "<>"}, "auto_reply"),
        ({"List-Id": "<news.a.example>", "List-Unsubscribe": "<mailto:x@a.example>"}, "list"),
        ({"List-Unsubscribe": "<https://a.example/stop>"}, "bulk"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"From": "No-Reply <no-reply@shop.example>"}, "no_reply"),
        ({"From": "noreply+123@shop.example"}, "no_reply"),
        ({"From": "norman@shop.example"}, None),
    ],
)
def test_robots(head: dict[str, str], kind: str | None) -> None:
    """Answers by themselves, bounces, lists, bulk mail and senders nobody answers to are told from people."""
    told = headed(**{"From": "client@a.example", "Subject": "Счёт", **head})
    assert (told["auto"], told["is_auto"]) == (kind, kind is not None)


def test_html_where_there_is_no_text() -> None:
    """A line per block, no scripts and styles, entities and links as words; broken HTML is read as far as it goes."""
    source = (
        "<style>p{}</style><p>Добрый&nbsp;день!<br>Счёт <b>№&nbsp;5</b></p><script>x()</script><table><tr><td>А<td>Б"
    )
    assert html_text(source) == "Добрый день!\nСчёт № 5\n\nА Б"
    assert parsed(letter({"From": "a@b.example"}, "", html="<p>Первый</p><p>Второй</p>"))["text"] == "Первый\n\nВторой"
    both = letter({"From": "a@b.example"}, "Просто текст", html="<p>HTML</p>")
    assert parsed(both)["text"] == "Просто текст"


def test_a_whole_head_of_nonsense() -> None:
    """A first line that is a continuation, a line without a colon, a field without a value: the others are read."""
    head = Head(b" continued\r\nno colon here\r\nX:\r\nSubject: One\r\n two\r\n")
    assert head.text("subject") == "One two"
    assert head.raw("x") == b""


def test_winmail() -> None:
    """Text and file names out of TNEF, in Unicode and in a code page; a cut one is read up to the cut."""

    def attribute(name: int, data: bytes) -> bytes:
        return struct.pack("<BII", 1, name, len(data)) + data + b"\0\0"

    long = "Счёт на оплату.pdf".encode("utf-16-le") + b"\0\0"
    props = struct.pack("<I", 1) + struct.pack("<HHII", 0x1F, 0x3707, 1, len(long)) + long + bytes(-len(long) % 4)
    body = struct.pack("<IH", 0x223E9F78, 1) + attribute(0x00069007, struct.pack("<II", 1251, 0))
    body += attribute(0x0002800C, "Добрый день\0".encode("cp1251")) + attribute(0x00018010, b"SCHET~1.PDF\0")
    body += attribute(0x00069005, props)
    found = tnef.read(body)
    assert (found.text, found.names) == ("Добрый день", ["Счёт на оплату.pdf"])
    assert tnef.read(body[:60]).text == "Добрый день"
    assert tnef.read(b"no tnef at all").names == []
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n" + body
    told = parsed(raw)
    assert told["text"] == "Добрый день"
    assert [one["name"] for one in told["files"]] == ["winmail.dat", "Счёт на оплату.pdf"]


def test_base64_with_rubbish() -> None:
    """Blanks, a missing end, a cut in the middle: what can be decoded is."""
    assert transferred(b"0KHR\r\nh9GR0YI", "base64").decode() == "Счёт"
    assert transferred(b"0KHRh9GR0Y", "BASE64").startswith("Счё".encode())


@given(st.binary(max_size=400))
def test_nothing_breaks_the_parser(raw: bytes) -> None:
    """Whatever the bytes are, a record comes out that a store can take."""
    told = parsed(b"Subject: " + raw[:100] + b"\r\nFrom: " + raw[100:200] + b"\r\nContent-Type: " + raw[200:300] + raw)
    assert told["kind"] == "email"
    text = "".join(str(told[name] or "") for name in ("subject", "text", "message_key"))
    assert "\0" not in text
    text.encode()
    assert isinstance(words(raw), str)


@given(st.sets(st.integers(1, 200)), st.sets(st.integers(1, 200)))
def test_ranges_are_sets(one: set[int], other: set[int]) -> None:
    """Adding, taking out, meeting and writing down do what they do to sets of numbers."""
    ranges = Ranges(one)
    assert list(Ranges.parse(str(ranges))) == sorted(one)
    assert ranges.within(Ranges(other)) == sorted(one & other)
    assert [number in ranges for number in range(1, 202)] == [number in one for number in range(1, 202)]
    ranges.add(other)
    assert (list(ranges), len(ranges), ranges.last) == (
        sorted(one | other),
        len(one | other),
        max(one | other, default=0),
    )
    ranges.discard(one)
    assert list(ranges) == sorted((one | other) - one)


def test_a_place_with_many_holes_stays_small() -> None:
    """A mailbox of which a third was deleted here and there: the place is packed, and comes back as it was."""
    luck = random.Random(1)
    numbers = {n for n in range(1, 60_000) if luck.random() > 0.33}
    place = Place(7, Ranges(numbers), 60_000, 5, len(numbers), 1, {3: Ranges(numbers)})
    told = json.dumps(place.told())
    assert len(told) < len(str(place.have)) / 2 < 100_000
    back = Place.of(json.loads(told))
    assert set(back.have) == numbers
    assert back.told() == place.told()
