"""One connection to a mail server: imapclient, and the little that it does not wrap.

Nothing is ever changed: folders are opened with EXAMINE, bodies are asked for with PEEK. Several traps of imapclient 4
are met here: it takes no ranges of numbers (they are written here), its log would hold letters (it is off), a dead
server looks like silence while waiting (``idle``).
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import Any

import imapclient
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.response_parser import parse_response

from connectors.base import Traffic
from connectors.imap.answers import Told, fetched
from connectors.imap.config import ImapSettings, Place, place_of
from connectors.imap.faults import RAISED, Faults
from connectors.imap.folders import Folder, Listed, folders_of
from connectors.imap.ranges import Ranges
from connectors.imap.tokens import Tokens
from hub.model.errors import HubError, RetryLater

_STATUS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")


@dataclass(slots=True)
class Selected:
    """A folder as it was when it was opened. ``vanished``: what went since the place named, ``None`` where the server
    did not say. ``uidnext`` and ``modseq`` are 0 where it did not say either.
    """

    uidvalidity: int
    uidnext: int
    modseq: int
    exists: int
    vanished: Ranges | None = None


class Session:
    """Logged in while it lives; not to be shared by threads. Errors are those of the house."""

    def __init__(self, settings: ImapSettings, tokens: Tokens, traffic: Traffic) -> None:
        self.settings = settings
        #: The folder that is open, and what its numbers hold under.
        self.folder, self.uidvalidity = "", 0
        self._faults = Faults(settings)
        self._traffic = traffic
        self._place = place_of(settings)
        self._enabled: bool | None = None
        self._client = self._logged_in(tokens)

    # --- beginning and end --------------------------------------------------------------------------------------

    def _logged_in(self, tokens: Tokens) -> Any:
        """A client that is logged in. A token that is refused is asked for anew once, and never again."""
        token = tokens.token() if self.settings.auth != "password" else ""
        client = self._connected()
        try:
            try:
                self._login(client, token)
            except RAISED as error:
                found = self._faults.login(error, token=bool(token))
                if isinstance(found, RetryLater) or not token:
                    raise found from None
                another = tokens.another(token)
                if another == token:
                    raise found from None
                _end(client)
                client = self._connected()
                self._relogin(client, another)
        except BaseException:
            _end(client)
            raise
        return client

    def _relogin(self, client: Any, token: str) -> None:
        try:
            self._login(client, token)
        except RAISED as error:
            raise self._faults.login(error, token=True) from None

    def _connected(self) -> Any:
        place, timeout = self._place, self.settings.timeout
        waits = imapclient.SocketTimeout(min(timeout, 30.0), timeout)
        self._traffic.requests += 1
        try:
            client = imapclient.IMAPClient(
                place.host,
                place.port,
                ssl=place.secured == "tls",
                ssl_context=self._tls() if place.secured == "tls" else None,
                timeout=waits,
            )
        except RAISED as error:
            raise self._faults.connecting(error) from None
        imap = client._imap
        imap.debug = 0
        imap.is_readonly = True
        # Commands are sent in pieces: without this each waits for the answer to the piece before, 40 ms at a time.
        imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.normalise_times = False
        self._count(imap)
        if place.secured == "starttls":
            self._starttls(client)
        return client

    def _starttls(self, client: Any) -> None:
        if not client.has_capability("STARTTLS"):
            _end(client)
            raise self._faults.no_tls()
        try:
            client.starttls(self._tls())
        except RAISED as error:
            _end(client)
            raise self._faults.connecting(error) from None

    def _tls(self) -> ssl.SSLContext:
        verify = self.settings.verify
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        if verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _count(self, imap: Any) -> None:
        """Every command is counted where all of them pass; imaplib wants a method there."""
        send = imap._command

        def counted(_imap: Any, name: str, *arguments: Any) -> Any:
            self._traffic.requests += 1
            return send(name, *arguments)

        imap._command = MethodType(counted, imap)

    def _login(self, client: Any, token: str) -> None:
        user, auth = self.settings.user, self.settings.auth
        if auth != "password":
            steps = _bearer(auth, user, token, self._place)
            client.sasl_login(auth.upper(), lambda _challenge: next(steps, b""))
            return
        password = self.settings.password()
        if user.isascii() and password.isascii() and not client.has_capability("LOGINDISABLED"):
            client.login(user, password)
        else:  # LOGIN has no letters but those of ASCII
            said = f"\0{user}\0{password}".encode()
            client.sasl_login("PLAIN", lambda _challenge: said)

    def close(self) -> None:
        """Log out, if anybody is there to hear it."""
        _end(self._client, politely=True)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Any]:
        """Commands within; what they raise becomes an error of the house."""
        try:
            yield self._client
        except HubError:
            raise
        except RAISED as error:
            raise self._faults.asked(error) from None

    # --- what there is ------------------------------------------------------------------------------------------

    def can(self, capability: str) -> bool:
        """Whether the server offers it."""
        with self._asking() as client:
            return bool(client.has_capability(capability))

    def product(self) -> str:
        """What the server calls itself."""
        with self._asking() as client:
            if client.has_capability("ID"):
                told = client.id_(None)
                fields = told[0] if told and isinstance(told[0], tuple) else ()
                named = dict(zip(fields[::2], fields[1::2], strict=False))
                name, version = named.get(b"name"), named.get(b"version")
                said = b" ".join(part for part in (name, version) if isinstance(part, bytes)).decode("utf-8", "replace")
                if said:
                    return f"IMAP, {said}"[:100]
            return "IMAP"

    def folders(self, *, status: bool) -> list[Folder]:
        """All folders that hold letters; with ``status`` where one command tells it for all (LIST-STATUS)."""
        with self._asking() as client:
            self._leave(client)
            imap, told = client._imap, status and client.has_capability("LIST-STATUS")
            options = []
            if told:
                options.append("SPECIAL-USE") if client.has_capability("SPECIAL-USE") else None
                options.append(f"STATUS ({' '.join(self._status_items(client))})")
            arguments = [f"RETURN ({' '.join(options)})"] if options else []
            for kind in ("LIST", "STATUS"):
                imap.untagged_responses.pop(kind, None)
            kind, data = imap._simple_command("LIST", '""', '"*"', *arguments)
            client._checkok("LIST", kind, data)
            found = folders_of(_listed(imap.untagged_responses.pop("LIST", [])))
            if told:
                known = _statuses(imap.untagged_responses.pop("STATUS", []))
                for folder in found:
                    folder.status = known.get(_plain(folder.name), {})
            return found

    @staticmethod
    def _status_items(client: Any) -> tuple[str, ...]:
        return (*_STATUS, "HIGHESTMODSEQ") if client.has_capability("CONDSTORE") else _STATUS

    def status(self, folder: Folder) -> Mapping[str, int]:
        """How a folder stands: as the list told it, else by asking; one that is gone meanwhile has nothing to tell."""
        if not folder.status:
            with self._asking() as client:
                if self.folder == folder.name:
                    self._leave(client)
                try:
                    told = client.folder_status(folder.name, self._status_items(client))
                except imaplib.IMAP4.abort:
                    raise
                except imaplib.IMAP4.error as error:
                    if "NONEXISTENT" not in str(error).upper():
                        raise
                    return {}
                folder.status = {key.decode(): int(value) for key, value in told.items() if isinstance(value, int)}
        return folder.status

    def _leave(self, client: Any) -> None:
        """Close the open folder: how it stands is told as this session saw it last, as long as it is open.

        CLOSE deletes nothing in a folder that was opened for reading.
        """
        if self.folder:
            self.folder, self.uidvalidity = "", 0
            imap = client._imap
            client._checkok("CLOSE", *imap._simple_command("CLOSE"))
            imap.state = "AUTH"

    # --- one folder ---------------------------------------------------------------------------------------------

    def examine(self, folder: str, uidvalidity: int = 0, modseq: int = 0) -> Selected:
        """Open a folder for reading. ``uidvalidity`` and ``modseq``: the place that ``vanished`` counts from."""
        with self._asking() as client:
            imap = client._imap
            quick = self._resync(client) and uidvalidity > 0 and modseq > 0
            arguments = [f"(QRESYNC ({uidvalidity} {modseq}))"] if quick else []
            self.folder, self.uidvalidity = "", 0
            imap.untagged_responses = {}
            imap.state = "AUTH"
            kind, data = imap._simple_command("EXAMINE", client._normalise_folder(folder), *arguments)
            client._checkok("EXAMINE", kind, data)
            imap.state = "SELECTED"
            self.folder = folder
            told = imap.untagged_responses
            uid, next_, seq, exists = (
                _number(told, name) for name in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "EXISTS")
            )
            self.uidvalidity = uid
            vanished = _vanished(told.pop("VANISHED", [])) if quick and uid == uidvalidity else None
            told.pop("FETCH", None)  # flags that changed: nobody keeps them
            return Selected(uid, next_, seq, exists, vanished)

    def _resync(self, client: Any) -> bool:
        """Whether QRESYNC is on; it is asked for once, before the first folder is opened."""
        if self._enabled is None:
            self._enabled = False
            if client.has_capability("QRESYNC") and client.has_capability("ENABLE"):
                self._enabled = b"QRESYNC" in [word.upper() for word in client.enable("QRESYNC")]
        return self._enabled

    def search(self, criteria: str) -> list[int]:
        """Uids of the open folder that meet ``criteria``, in order."""
        with self._asking() as client:
            return sorted(client.search(criteria))

    def after(self, last: int) -> list[int]:
        """Uids above ``last``. ``n:*`` names the highest letter even where it is below n."""
        return [uid for uid in self.search(f"UID {last + 1}:*") if uid > last]

    def present(self, uids: Sequence[int]) -> list[int]:
        """Those of ``uids`` that are still there."""
        return [uid for uid in self.search(f"UID {Ranges(uids)}") if uid in set(uids)] if uids else []

    def fetch(self, uids: Iterable[int], *items: str) -> dict[int, Told]:
        """What the server tells of letters of the open folder, by uid; those that are gone are left out."""
        wanted = set(uids)
        if not wanted:
            return {}
        with self._asking() as client:
            imap = client._imap
            imap.untagged_responses.pop("FETCH", None)
            imap.untagged_responses.pop("VANISHED", None)
            tag = imap._command("UID", "FETCH", str(Ranges(wanted)), f"({' '.join(items)})")
            kind, data = imap._command_complete("FETCH", tag)
            client._checkok("FETCH", kind, data)
            answer = imap.untagged_responses.pop("FETCH", [])
            self._traffic.bytes_read += sum(
                len(p) for item in answer for p in (item if type(item) is tuple else (item,))
            )
            found = fetched(answer)
            return {uid: told for uid, told in found.items() if uid in wanted}

    # --- waiting ------------------------------------------------------------------------------------------------

    def idle(self, seconds: float) -> bool:
        """Wait until something happens in the open folder; ``False`` when nothing did.

        imapclient tells a server that is gone as nothing at once, and would again and again: that is a link cut.
        """
        with self._asking() as client:
            client.idle()
            began = time.monotonic()
            heard = False
            while not heard:
                left = seconds - (time.monotonic() - began)
                if left <= 0:
                    break
                told = client.idle_check(left)
                if any(item[0] == b"BYE" for item in told) or (not told and time.monotonic() - began < seconds - 0.05):
                    raise imaplib.IMAP4.abort("the link was cut while waiting")
                heard = any(_is_news(item) for item in told)
            client.idle_done()
            return heard


def _end(client: Any, *, politely: bool = False) -> None:
    with contextlib.suppress(*RAISED):
        if politely:
            client.logout()
            return
    with contextlib.suppress(*RAISED):
        client.shutdown()


def _bearer(auth: str, user: str, token: str, place: Place) -> Iterator[bytes]:
    """What is said at each turn of the server: the token, then, to its refusal, nothing more."""
    if auth == "xoauth2":
        yield f"user={user}\1auth=Bearer {token}\1\1".encode()
        yield b""
    else:
        name = user.replace("=", "=3D").replace(",", "=2C")
        yield f"n,a={name},\1host={place.host}\1port={place.port}\1auth=Bearer {token}\1\1".encode()
        yield b"\1"


def _listed(data: list[Any]) -> Iterator[Listed]:
    parsed = parse_response([item for item in data if item not in (b"", None)] or [None])
    for attributes, delimiter, name in zip(parsed[::3], parsed[1::3], parsed[2::3], strict=False):
        text = decode_utf7(name) if isinstance(name, bytes) else str(name)
        marks = tuple(mark.decode("ascii", "ignore") for mark in attributes if isinstance(mark, bytes))
        yield Listed(text, marks, delimiter.decode() if isinstance(delimiter, bytes) else "")


def _statuses(data: list[Any]) -> dict[str, dict[str, int]]:
    parsed = parse_response([item for item in data if item not in (b"", None)] or [None])
    found = {}
    for name, items in zip(parsed[::2], parsed[1::2], strict=False):
        text = decode_utf7(name) if isinstance(name, bytes) else str(name)
        pairs = zip(items[::2], items[1::2], strict=False)
        found[_plain(text)] = {key.decode().upper(): value for key, value in pairs if isinstance(value, int)}
    return found


def _plain(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name


def _number(told: Mapping[str, list[Any]], name: str) -> int:
    try:
        return int((told.get(name) or [0])[-1] or 0)
    except (TypeError, ValueError):
        return 0


def _vanished(data: list[Any]) -> Ranges:
    """``(EARLIER) 3,5:7``, perhaps in several pieces."""
    pieces = [item.decode("ascii").replace("(EARLIER)", "").strip() for item in data if isinstance(item, bytes)]
    return Ranges.parse(",".join(filter(None, pieces)))


def _is_news(item: Any) -> bool:
    """Whether what was heard is a letter that came or went; a keep-alive is none."""
    return any(word in {b"EXISTS", b"EXPUNGE", b"VANISHED"} for word in item if isinstance(word, bytes))
