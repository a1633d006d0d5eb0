"""The server: an event loop in a thread of its own, on the loopback."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from stand.mail.boxes import Account
from stand.mail.session import Session


@dataclass
class Quirks:
    """What the server does wrong, for tests. ``refuse``: what it says to every login. ``list_status``: whether it
    offers LIST-STATUS. ``broken``: uids that no FETCH may name, or it is refused as a whole. ``hidden``: uids that
    FETCH is silent about. ``cut_after``: the link is cut after so many letters were told. ``closed``: folders that
    nobody may open.
    """

    refuse: str = ""
    list_status: bool = False
    broken: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    cut_after: int | None = None
    closed: set[str] = field(default_factory=set)


class MailStand:
    """``with MailStand([Account(…)]) as stand: stand.port``. ``commands``: the last ones that clients sent;
    ``longest``: bytes of the longest command, literals included.
    """

    def __init__(self, accounts: Iterable[Account], port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.accounts = {account.user: account for account in accounts}
        self.port = port
        self.quirks = Quirks()
        self.commands: deque[str] = deque(maxlen=20_000)
        self.longest = 0
        self._tls = tls
        self._sessions: set[Session] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(20)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    def cut(self) -> None:
        """Break every connection off; new ones are served."""

        async def abort() -> None:
            for session in list(self._sessions):
                session.writer.transport.abort()

        asyncio.run_coroutine_threadsafe(abort(), self._loop).result(20)

    def stop(self) -> None:
        """End with every connection."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            for session in list(self._sessions):
                session.writer.transport.abort()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
