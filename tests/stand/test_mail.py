"""The mailbox of the demo: what a client of the standard library sees of it, and letters that arrive while it runs."""

from __future__ import annotations

import email
import imaplib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.policy import default
from pathlib import Path

import pytest

from stand.mail import mime, send
from stand.mail.boxes import Account
from stand.mail.content import USER, clients, fill
from stand.mail.server import MailStand
from stand.mail.words import Bad, from_utf7, numbers, read, to_utf7

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stand() -> Iterator[MailStand]:
    """A running stand with some letters."""
    account = Account(USER, "слово".encode().hex())
    fill(account, letters=40)
    with MailStand([account]) as running:
        yield running


@pytest.fixture
def client(stand: MailStand) -> Iterator[imaplib.IMAP4]:
    """A client that has logged in."""
    with imaplib.IMAP4("127.0.0.1", stand.port, timeout=20) as made:
        made.login(USER, stand.accounts[USER].password)
        yield made


def test_equal_seeds_make_equal_letters() -> None:
    """The same words make the same mailbox, another seed another."""
    made = []
    for seed in (1, 1, 2):
        account = Account(USER, "w")
        fill(account, seed=seed, letters=20)
        made.append([letter.raw for folder in account.folders.values() for letter in folder.letters.values()])
    assert made[0] == made[1] != made[2]


def test_letters_are_of_clients_of_the_1c_stand(stand: MailStand) -> None:
    """Senders are e-mail addresses of the clients of that seed; strangers and robots besides; answers make threads."""
    known = {client.email for client in clients(1)}
    folders = stand.accounts[USER].folders
    letters = [email.message_from_bytes(one.raw, policy=default) for one in folders["INBOX"].letters.values()]
    senders = [letter["From"].addresses[0].addr_spec for letter in letters]
    assert sum(sender in known for sender in senders) >= len(senders) - 8
    assert any(sender not in known for sender in senders)
    ids = {letter["Message-ID"] for letter in letters}
    answers = [email.message_from_bytes(one.raw, policy=default) for one in folders["Отправленные"].letters.values()]
    assert answers
    assert {answer["In-Reply-To"] for answer in answers} <= ids


def test_a_plain_client_reads_it(stand: MailStand, client: imaplib.IMAP4) -> None:
    """List, open, search, head, body in pieces, structure: as imaplib asks for them."""
    assert len(client.list()[1]) == 4
    kind, (number,) = client.select("INBOX", readonly=True)
    assert (kind, int(number or 0)) == ("OK", len(stand.accounts[USER].folders["INBOX"].letters))
    found = client.search(None, "HEADER", "List-Id", "vestnik")[1][0].split()
    assert len(found) == 1
    whole = client.fetch(found[0].decode(), "(BODY.PEEK[])")[1][0]
    assert isinstance(whole, tuple)
    piece = client.fetch(found[0].decode(), "(BODY.PEEK[]<10.20>)")[1][0]
    assert isinstance(piece, tuple)
    assert piece[1] == whole[1][10:30]
    told = client.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)")[1]
    assert len([item for item in told if isinstance(item, tuple | bytes)]) >= int(number or 0)
    assert client.store("1", "+FLAGS", "\\Seen")[0] == "NO"


def test_a_second_client_hears_of_changes(stand: MailStand, client: imaplib.IMAP4) -> None:
    """A letter that came and one that went are told at the next command, each once."""
    client.select("INBOX", readonly=True)
    before = len(stand.accounts[USER].folders["INBOX"].letters)
    stand.accounts[USER].deliver(b"From: a@b.example\n\nHello")
    del stand.accounts[USER].folders["INBOX"].letters[1]
    client.noop()
    assert client.response("EXPUNGE")[1] == [b"1"]
    assert client.response("EXISTS")[1][-1:] == [str(before).encode()]


def test_wrong_words_get_a_no_or_a_bad(stand: MailStand, client: imaplib.IMAP4) -> None:
    """What makes no sense is told so, and the session goes on."""
    assert client.select("Нет".encode("utf-7").decode())[0] == "NO"
    for wrong in ("FETCH 1 (NONSENSE)", "UID FETCH a:b (FLAGS)"):
        client.select("INBOX")
        name, _, rest = wrong.partition(" ")
        with pytest.raises(imaplib.IMAP4.error):
            client._simple_command(name, rest)
    assert client.noop()[0] == "OK"


def test_logging_in_is_needed(stand: MailStand) -> None:
    """Nothing is told to who has not logged in, and a wrong password lets nobody in."""
    with imaplib.IMAP4("127.0.0.1", stand.port, timeout=20) as made:
        with pytest.raises(imaplib.IMAP4.error):
            made.login(USER, "wrong")
        made.state = "AUTH"
        assert made.list()[0] == "NO"


def test_a_letter_sent_while_it_runs(stand: MailStand, capsys: pytest.CaptureFixture[str]) -> None:
    """``stand.mail.send`` puts a letter into the folder and prints its id; a thread goes on with ``--reply-to``."""
    told = ["--port", str(stand.port), "--password", stand.accounts[USER].password, "--from", "a@b.example"]
    assert send.main([*told, "--name", "Анна", "--subject", "Проба", "--reply-to", "<1@x>"]) == 0
    letter = list(stand.accounts[USER].folders["INBOX"].letters.values())[-1]
    read_back = email.message_from_bytes(letter.raw, policy=default)
    assert (read_back["Subject"], read_back["In-Reply-To"]) == ("Проба", "<1@x>")
    assert str(read_back["From"].addresses[0].display_name) == "Анна"
    assert capsys.readouterr().out.strip() == read_back["Message-ID"]


def test_the_program() -> None:
    """``python -m stand.mail`` says where it is, serves, and ends with SIGTERM."""
    command = [sys.executable, "-m", "stand.mail", "--letters", "10"]
    told = {**os.environ, "STAND_PASSWORD": "word"}
    with subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        with imaplib.IMAP4("127.0.0.1", int(ready["url"].rpartition(":")[2]), timeout=20) as made:
            assert made.login(ready["user"], "word")[0] == "OK"
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def test_words_and_sets() -> None:
    """Quoted texts, lists, literals, sets of numbers, names of folders: as RFC 3501 has them."""
    assert read(b'a "b \\" c" (d (e)) {3}\r\nxyz BODY.PEEK[HEADER.FIELDS (TO)]<0.5>') == [
        "a",
        'b " c',
        ["d", ["e"]],
        b"xyz",
        "BODY.PEEK[HEADER.FIELDS (TO)]<0.5>",
    ]
    for wrong in (b"(a", b"a)", b'"a'):
        with pytest.raises(Bad):
            read(wrong)
    assert numbers("5:*,2", [1, 2, 3]) == [2, 3]
    assert from_utf7(to_utf7('Тест & "x"').decode()) == 'Тест & "x"'


def test_a_letter_in_parts() -> None:
    """Sections by number, heads of parts, a letter within a letter; a broken one is text."""
    inner = b"Subject: in\r\n\r\nInner"
    raw = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText\r\n'
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n"
    )
    root = mime.parse(raw)
    assert mime.section(root, "1") == b"Text"
    assert mime.section(root, "2.HEADER") == b"Subject: in\r\n\r\n"
    assert mime.section(root, "2.TEXT") == b"Inner"
    assert mime.section(root, "3") is None
    assert mime.parse(b"Content-Type: multipart/mixed\r\n\r\nText").kind == "text/plain"
