"""One client's session: the commands of IMAP4rev1, a line at a time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stand.mail import fetching
from stand.mail.boxes import Account, Folder, Letter
from stand.mail.searching import search
from stand.mail.words import MONTHS, Bad, from_utf7, joined, numbers, read, text, to_utf7

if TYPE_CHECKING:
    from stand.mail.server import MailStand

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")
_MOST = 64 * 1_048_576
_DATE = re.compile(r"\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})")
Words = list[Any]


class Refused(Exception):
    """The server says NO."""


class Session:
    """``view``: uids of the open folder in the order in which this client knows them."""

    def __init__(self, stand: MailStand, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stand, self.reader, self.writer = stand, reader, writer
        self.account: Account | None = None
        self.folder: Folder | None = None
        self.read_only = True
        self.view: list[int] = []
        self.news = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Serve until the client leaves."""
        self._say(b"* OK [CAPABILITY %b] ready\r\n" % self._capabilities())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await self._line():
                tag, _, rest = line.partition(b" ")
                if not await self._command(tag, rest):
                    break
        self._leave()

    async def _line(self) -> bytes:
        """A command with its literals; empty when the client is gone."""
        line = await self.reader.readline()
        while found := _LITERAL.search(line):
            if int(found[1]) > _MOST:
                return b""
            if not found[2]:
                self._say(b"+ go on\r\n")
            line += await self.reader.readexactly(int(found[1])) + await self.reader.readline()
        return line

    async def _command(self, tag: bytes, rest: bytes) -> bool:
        """One command; whether there may be another."""
        name, _, said = rest.partition(b" ")
        word = name.strip().upper().decode("ascii", "ignore")
        self.stand.commands.append(word)
        self.stand.longest = max(self.stand.longest, len(rest))
        try:
            if word == "LOGOUT":
                self._say(b"* BYE see you\r\n" + tag + b" OK LOGOUT\r\n")
                await self.writer.drain()
                return False
            done = await self._do(word, said)
            if word not in {"FETCH", "STORE", "SEARCH"}:
                self._tell_news()
            self._say(tag + b" OK " + done + b"\r\n")
        except Refused as error:
            self._say(tag + b" NO " + str(error).encode() + b"\r\n")
        except (Bad, ValueError, IndexError, KeyError) as error:
            self._say(tag + b" BAD " + str(error).encode("ascii", "replace") + b"\r\n")
        await self.writer.drain()
        return True

    async def _do(self, word: str, said: bytes) -> bytes:
        if word in {"IDLE", "AUTHENTICATE"}:
            return await (self._idle() if word == "IDLE" else self._authenticate(said))
        open_ = {"CAPABILITY": self._capability, "NOOP": self._noop, "LOGIN": self._login}
        inside: dict[str, Callable[[Words], bytes]] = {
            "LIST": self._list,
            "LSUB": self._list,
            "STATUS": self._status,
            "SELECT": lambda words: self._open(words, read_only=False),
            "EXAMINE": lambda words: self._open(words, read_only=True),
            "CREATE": self._create,
            "DELETE": self._delete,
            "APPEND": self._append,
        }
        selected: dict[str, Callable[[Words, bool], Awaitable[bytes]]] = {
            "FETCH": self._fetch,
            "STORE": self._store,
            "SEARCH": self._search,
            "COPY": self._copy,
            "MOVE": self._move,
            "EXPUNGE": self._expunge,
        }
        words = read(said.rstrip(b"\r\n"))
        if word in open_:
            return open_[word](words)
        if self.account is None:
            raise Refused("log in first")
        if word in inside:
            return inside[word](words)
        if word in {"CLOSE", "UNSELECT"}:
            self.folder, self.view = None, []
            return b"closed"
        uid = word == "UID"
        name = text(words.pop(0)).upper() if uid else word
        if name not in selected:
            raise Bad(f"unknown command {name}")
        if self.folder is None:
            raise Refused("open a folder first")
        return await selected[name](words, uid)

    # --- logging in ---------------------------------------------------------------------------------------------

    def _capabilities(self) -> bytes:
        more = ["LIST-STATUS"] if self.stand.quirks.list_status else []
        return joined(
            ["IMAP4rev1", "LITERAL+", "IDLE", "SPECIAL-USE", "UNSELECT", "MOVE", "AUTH=PLAIN", "SASL-IR", *more]
        )

    def _capability(self, words: Words) -> bytes:
        self._say(b"* CAPABILITY %b\r\n" % self._capabilities())
        return b"that is all"

    def _noop(self, words: Words) -> bytes:
        return b"done"

    def _login(self, words: Words) -> bytes:
        return self._enter(text(words[0]), text(words[1]))

    async def _authenticate(self, said: bytes) -> bytes:
        words = said.split()
        if not words or words[0].upper() != b"PLAIN":
            raise Refused("PLAIN only")
        if len(words) == 1:
            self._say(b"+ \r\n")
            words.append(await self.reader.readline())
        _, user, password = base64.b64decode(words[1]).decode().split("\0")
        return self._enter(user, password)

    def _enter(self, user: str, password: str) -> bytes:
        if self.stand.quirks.refuse:
            raise Refused(self.stand.quirks.refuse)
        account = self.stand.accounts.get(user)
        if account is None or account.password != password:
            raise Refused("[AUTHENTICATIONFAILED] Authentication failed.")
        self.account = account
        account.listeners.append(self._heard)
        return b"[CAPABILITY %b] welcome" % self._capabilities()

    def _leave(self) -> None:
        if self.account is not None:
            self.account.listeners.remove(self._heard)
        with contextlib.suppress(RuntimeError):
            self.writer.close()

    def _heard(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.news.set)

    # --- folders ------------------------------------------------------------------------------------------------

    def _folder(self, word: Any) -> Folder:
        name = from_utf7(text(word))
        name = "INBOX" if name.upper() == "INBOX" else name
        assert self.account is not None
        if name not in self.account.folders:
            raise Refused("[NONEXISTENT] no such folder")
        return self.account.folders[name]

    def _list(self, words: Words) -> bytes:
        assert self.account is not None
        pattern = from_utf7(text(words[1]))
        if not pattern:
            self._say(b'* LIST (\\Noselect) "/" ""\r\n')
            return b"listed"
        shown = re.compile(re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*"), re.IGNORECASE)
        asked = next((part for part in words[3] if isinstance(part, list)), None) if len(words) > 3 else None
        for folder in list(self.account.folders.values()):
            if shown.fullmatch(folder.name):
                marks = joined(["\\HasNoChildren", *filter(None, [folder.use])])
                self._say(b'* LIST (%b) "/" "%b"\r\n' % (marks, _escaped(folder.name)))
                if asked:
                    self._standing(folder, asked)
        return b"listed"

    def _status(self, words: Words) -> bytes:
        self._standing(self._folder(words[0]), words[1])
        return b"told"

    def _standing(self, folder: Folder, asked: Words) -> None:
        unseen = sum("\\Seen" not in letter.flags for letter in folder.letters.values())
        known = {
            "MESSAGES": len(folder.letters),
            "UIDNEXT": folder.uidnext,
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": unseen,
            "RECENT": 0,
        }
        said = joined(f"{name.upper()} {known[name.upper()]}" for name in asked)
        self._say(b'* STATUS "%b" (%b)\r\n' % (_escaped(folder.name), said))

    def _open(self, words: Words, *, read_only: bool) -> bytes:
        self.folder = None
        folder = self._folder(words[0])
        if folder.name in self.stand.quirks.closed:
            raise Refused("[NOPERM] permission denied")
        self.folder, self.view, self.read_only = folder, list(folder.letters), read_only
        self._say(b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* %d EXISTS\r\n" % len(self.view))
        self._say(b"* 0 RECENT\r\n* OK [UIDVALIDITY %d] ok\r\n" % folder.uidvalidity)
        self._say(b"* OK [UIDNEXT %d] ok\r\n" % folder.uidnext)
        return b"[READ-ONLY] opened" if read_only else b"[READ-WRITE] opened"

    def _create(self, words: Words) -> bytes:
        assert self.account is not None
        name = from_utf7(text(words[0]))
        if name in self.account.folders:
            raise Refused("[ALREADYEXISTS] there is one")
        self.account.create(name)
        return b"created"

    def _delete(self, words: Words) -> bytes:
        assert self.account is not None
        folder = self._folder(words[0])
        del self.account.folders[folder.name]
        return b"deleted"

    def _append(self, words: Words) -> bytes:
        assert self.account is not None
        folder = self._folder(words[0])
        flags = next((part for part in words[1:] if isinstance(part, list)), [])
        when = next((part for part in words[1:-1] if isinstance(part, str)), "")
        raw = words[-1] if isinstance(words[-1], bytes) else text(words[-1]).encode()
        letter = folder.add(raw, _moment(when), flags)
        self.account.changed()
        return b"[APPENDUID %d %d] appended" % (folder.uidvalidity, letter.uid)

    # --- letters ------------------------------------------------------------------------------------------------

    def _letters(self) -> list[tuple[int, Letter]]:
        """Letters that are still there, with their places in this client's view."""
        assert self.folder is not None
        there = self.folder.letters
        return [(place, there[uid]) for place, uid in enumerate(self.view, 1) if uid in there]

    def _chosen(self, spec: str, *, uid: bool) -> list[tuple[int, Letter]]:
        found = self._letters()
        chosen = set(numbers(spec, [letter.uid if uid else place for place, letter in found]))
        return [(place, letter) for place, letter in found if (letter.uid if uid else place) in chosen]

    async def _fetch(self, words: Words, uid: bool) -> bytes:
        asked, quirks = fetching.items(words[1], uid=uid), self.stand.quirks
        chosen = self._chosen(text(words[0]), uid=uid)
        if any(letter.uid in quirks.broken for _, letter in chosen):
            raise Refused("[CANNOT] the letter is damaged")
        for place, letter in chosen:
            if letter.uid in quirks.hidden:
                continue
            if quirks.cut_after is not None:
                quirks.cut_after -= 1
                if quirks.cut_after < 0:
                    quirks.cut_after = None
                    self.writer.transport.abort()
                    raise ConnectionResetError
            self._say(fetching.told(place, letter, asked))
            if fetching.marks_read(asked) and not self.read_only:
                letter.flags.add("\\Seen")
            await self.writer.drain()
        return b"fetched"

    async def _store(self, words: Words, uid: bool) -> bytes:
        self._writable()
        how, flags = text(words[1]).upper(), set(map(text, words[2] if isinstance(words[2], list) else words[2:]))
        for place, letter in self._chosen(text(words[0]), uid=uid):
            letter.flags = letter.flags | flags if how[0] == "+" else letter.flags - flags if how[0] == "-" else flags
            if "SILENT" not in how:
                self._say(fetching.told(place, letter, ["UID", "FLAGS"] if uid else ["FLAGS"]))
        return b"stored"

    def _writable(self) -> None:
        if self.read_only:
            raise Refused("[READ-ONLY] the folder is open for reading only")

    async def _search(self, words: Words, uid: bool) -> bytes:
        found = self._letters()
        places = {letter.uid: place for place, letter in found}
        uids = search(words, [letter for _, letter in found])
        self._say(b"* SEARCH" + b"".join(b" %d" % (one if uid else places[one]) for one in uids) + b"\r\n")
        return b"searched"

    async def _copy(self, words: Words, uid: bool) -> bytes:
        assert self.account is not None
        target = self._folder(words[1])
        for _, letter in self._chosen(text(words[0]), uid=uid):
            target.add(letter.raw, letter.arrived, letter.flags)
        self.account.changed()
        return b"copied"

    async def _move(self, words: Words, uid: bool) -> bytes:
        assert self.account is not None
        assert self.folder is not None
        self._writable()
        target = self._folder(words[1])
        for _, letter in self._chosen(text(words[0]), uid=uid):
            target.add(letter.raw, letter.arrived, letter.flags)
            del self.folder.letters[letter.uid]
        self.account.changed()
        return b"moved"

    async def _expunge(self, words: Words, uid: bool) -> bytes:
        assert self.account is not None
        assert self.folder is not None
        self._writable()
        for _, letter in self._chosen(text(words[0]), uid=True) if uid else self._letters():
            if "\\Deleted" in letter.flags:
                del self.folder.letters[letter.uid]
        self.account.changed()
        return b"expunged"

    # --- news ---------------------------------------------------------------------------------------------------

    def _tell_news(self) -> None:
        """What happened in the open folder since it was told last."""
        self.news.clear()
        if self.folder is None:
            return
        there = self.folder.letters
        for place in range(len(self.view), 0, -1):
            if self.view[place - 1] not in there:
                del self.view[place - 1]
                self._say(b"* %d EXPUNGE\r\n" % place)
        new = [uid for uid in there if not self.view or uid > self.view[-1]]
        if new:
            self.view += new
            self._say(b"* %d EXISTS\r\n" % len(self.view))

    async def _idle(self) -> bytes:
        if self.account is None:
            raise Refused("log in first")
        self._say(b"+ idling\r\n")
        done = asyncio.ensure_future(self.reader.readline())
        try:
            while not done.done():
                self._tell_news()
                await self.writer.drain()
                heard = asyncio.ensure_future(self.news.wait())
                await asyncio.wait({done, heard}, return_when=asyncio.FIRST_COMPLETED)
                heard.cancel()
        finally:
            done.cancel()
        return b"idled"

    def _say(self, data: bytes) -> None:
        self.writer.write(data)


def _escaped(name: str) -> bytes:
    """The name of a folder, fit to stand between quotation marks."""
    return to_utf7(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _moment(said: str) -> datetime:
    found = _DATE.fullmatch(said)
    if found is None:
        return datetime.now(UTC)
    day, month, year, hour, minute, second, zone = found.groups()
    number = MONTHS.index(month.title()) + 1
    return datetime.strptime(f"{year}-{number}-{day} {hour}:{minute}:{second} {zone}", "%Y-%m-%d %H:%M:%S %z")
