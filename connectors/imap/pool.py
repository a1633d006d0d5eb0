"""Connections of one account, handed out for a few commands at a time and kept open between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition
from typing import TypeVar

from connectors.base import Traffic
from connectors.imap.config import ImapSettings
from connectors.imap.session import Session
from connectors.imap.tokens import Tokens
from hub.model.errors import HubError, RetryLater

T = TypeVar("T")


class Pool:
    """At most ``max_sessions`` connections; whoever comes later waits."""

    def __init__(self, settings: ImapSettings, traffic: Traffic) -> None:
        self.settings, self._traffic = settings, traffic
        self._tokens = Tokens(settings)
        self._free: list[Session] = []
        self._out = 0
        self._room = Condition()

    def run(self, work: Callable[[Session], T], folder: str = "") -> T:
        """``work`` on a session, one that has ``folder`` open where there is one.

        A link that was cut is made anew and the work done once more: reading can be repeated. What fails again, or
        otherwise, is raised.
        """
        session = self._take(folder)
        try:
            found = work(session)
        except RetryLater as error:
            self._drop(session)
            if error.code != "mail_cut":
                raise
        except HubError:
            # The server said no; the connection is as good as it was.
            self._give(session)
            raise
        except BaseException:
            self._drop(session)
            raise
        else:
            self._give(session)
            return found
        time.sleep(self.settings.patience)
        return self._again(work)

    def _again(self, work: Callable[[Session], T]) -> T:
        self.close()  # the others are of the same time, and probably cut as well
        session = self._take("")
        try:
            found = work(session)
        except BaseException:
            self._drop(session)
            raise
        self._give(session)
        return found

    def _take(self, folder: str) -> Session:
        with self._room:
            while not self._free and self._out >= self.settings.max_sessions:
                self._room.wait()
            self._out += 1
            if self._free:
                place = next((n for n, session in enumerate(self._free) if session.folder == folder), -1)
                return self._free.pop(place)
        try:
            return Session(self.settings, self._tokens, self._traffic)
        except BaseException:
            self._leave()
            raise

    def _give(self, session: Session) -> None:
        with self._room:
            self._free.append(session)
            self._out -= 1
            self._room.notify()

    def _leave(self) -> None:
        with self._room:
            self._out -= 1
            self._room.notify()

    def _drop(self, session: Session) -> None:
        self._leave()
        session.close()

    def close(self) -> None:
        """End the connections that nobody uses at the moment."""
        with self._room:
            free, self._free = self._free, []
        for session in free:
            session.close()
