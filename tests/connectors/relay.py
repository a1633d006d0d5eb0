"""A way to a PostgreSQL server that can be cut: at a COMMIT, before or after the server has done it, or for good."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from connectors.certify.subject import Lost

#: The statement alone: ``READ COMMITTED`` is another word.
_COMMIT = b"COMMIT\0"


class Relay:
    """Listens on a loopback port and passes on to ``target`` (makes a new connection to the server)."""

    def __init__(self, target: Callable[[], socket.socket]) -> None:
        self._target = target
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self.losing: list[Lost] = []
        self.refusing = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            server = self._target()
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._forth, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                lost = self.losing.pop(0) if _COMMIT in data and self.losing else None
                if lost == "before":
                    break
                if lost == "after":
                    client.shutdown(socket.SHUT_WR)  # whatever the server answers goes nowhere
                server.sendall(data)
                if lost == "after":
                    server.recv(65536)
                    break
        _end(client, server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        _end(client, server)

    def cut(self) -> None:
        """Break every connection there is off."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for client, server in pairs:
            _end(client, server)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()
        self.cut()


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
