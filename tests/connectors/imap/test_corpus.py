"""Other people's letters, all of them: parsed directly, through Dovecot, through the stand."""

from __future__ import annotations

import json
from hashlib import blake2b
from zoneinfo import ZoneInfo

import pytest

from connectors.base import ReadRequest
from connectors.imap import whole
from connectors.imap.letter import Mailbox, record
from stand.mail.boxes import Account
from stand.mail.server import MailStand
from tests.connectors.imap import corpus
from tests.connectors.imap.boxes import Box
from tests.connectors.imap.dovecot import PASSWORD

pytestmark = pytest.mark.skipif(not corpus.FOLDER.is_dir(), reason=corpus.NO_CORPUS)
#: Letters that nothing can be made of: none, so far.
UNREADABLE: frozenset[str] = frozenset()
#: What the keys of all of them come to. A store keeps letters by these keys: where another version of this program
#: makes others of the same letters, whatever is read again (a folder whose numbers began anew) stands there twice. So a
#: change here needs a migration of ``activity.external_key``.
KEYS = "c15a5a6a10fc2189"


def compare(via: str, found: dict[str, list[str]]) -> None:
    """Every file is there and shows what was seen in it."""
    wanted = corpus.expected(via)
    assert set(found) | UNREADABLE == {corpus.name_of(path) for path in corpus.files()}
    assert len(UNREADABLE) <= 5
    assert {name: told for name, told in found.items() if told != wanted.get(name)} == {}


def through(box: Box, names: dict[int, str]) -> dict[str, list[str]]:
    """What is seen in each letter of INBOX; ``names``: of the files by uid."""
    connector = box.open(timezone="Europe/Moscow")
    found = {}
    for page in connector.read(ReadRequest("messages", key=("location",), page_size=100)):
        for raw in page.records:
            told = json.loads(raw)
            uid = int(told["location"].partition(":")[2].partition("@")[0])
            assert (told["kind"] == "unreadable") == (names[uid] in UNREADABLE), names[uid]
            found[names[uid]] = corpus.seen(told)
    return found


def test_parsed_directly() -> None:
    """Each file becomes a record with sender, date, subject and text as people see them; none breaks the parser."""
    mailbox = Mailbox("me@own.example", frozenset({"me@own.example"}), ZoneInfo("Europe/Moscow"))
    found, keys = {}, blake2b(digest_size=8)
    for path in corpus.files():
        told = record(whole.read(path.read_bytes(), "1:1@INBOX", "INBOX", corpus.ARRIVED), mailbox)
        found[corpus.name_of(path)] = corpus.seen(told)
        keys.update(f"{corpus.name_of(path)} {told['message_key']}\n".encode())
    compare("direct", found)
    assert keys.hexdigest() == KEYS


def test_through_dovecot(on_dovecot: Box) -> None:
    """The same by what a real server tells of structure and text: no letter is lost, none is unreadable."""
    assert on_dovecot.dovecot is not None
    paths = corpus.files()
    for number, path in enumerate(paths):
        name = f"{1_700_000_000 + number}.M{number}P1.host"
        on_dovecot.dovecot.drop(on_dovecot.user, name, path.read_bytes(), corpus.ARRIVED.timestamp())
    with on_dovecot.client("INBOX") as client:
        assert len(client.search("ALL")) == len(paths)
    listed = (on_dovecot.dovecot.base / "mail" / on_dovecot.user / "dovecot-uidlist").read_text().splitlines()[1:]
    names = {}
    for line in listed:
        uid, _, told = line.partition(" ")
        number = int(told.rpartition(".M")[2].partition("P")[0])
        names[int(uid)] = corpus.name_of(paths[number])
    compare("dovecot", through(on_dovecot, names))


def test_through_the_stand() -> None:
    """The same by a server that takes letters apart in another way."""
    account = Account("me@own.example", PASSWORD)
    names = {}
    for path in corpus.files():
        letter = account.folders["INBOX"].add(path.read_bytes(), corpus.ARRIVED)
        names[letter.uid] = corpus.name_of(path)
    with MailStand([account]) as stand:
        box = Box(account.user, stand.port, PASSWORD, stand=stand)
        found = through(box, names)
        box.close()
    compare("stand", found)
