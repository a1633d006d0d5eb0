"""The stand as an HTTP server: connections, keep-alive, what reaches the wire.

``OneCStand`` runs in a background thread of a test; ``python -m stand.onec`` runs the same as a process.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stand.onec.doors import ODATA
from stand.onec.engine import Engine
from stand.onec.enterprise.exchange import Synchronisation
from stand.onec.enterprise.folder import Folder
from stand.onec.generate.build import build
from stand.onec.quirks import Quirks
from stand.onec.restore import Snapshots
from stand.onec.script import Script
from stand.onec.service import Login, RequestLog, Service
from stand.onec.sessions import Sessions
from stand.onec.volume import Volume
from stand.onec.world import World

__all__ = ["PEER", "OneCStand"]

#: The peer that a base exchanges with unless told otherwise.
PEER = "ХАБ"
_PUBLICATION = re.compile(r"[A-Za-z0-9_-]+")


class Handler(BaseHTTPRequestHandler):
    """One connection; kept alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service: Service

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response, faults = self.service.answer(self.command, self.path, headers, body)
        if faults is not None and (faults.drop_before_commit or faults.drop_after_commit):
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            # Location holds raw UTF-8 bytes, as 1C sends it; header text is latin-1 on its way out.
            self.send_header(name, value.encode().decode("latin-1"))
        self.end_headers()
        self.service.log.bytes_sent += len(response.body)
        if faults is not None and faults.drop_connection:
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
            return
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: requests are counted in ``RequestLog``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class OneCStand:
    """A running stand. As a context manager it serves from a background thread until left.

    ``url``: the root of OData, ``path`` its path, ``address`` the server's without one. ``publication``: the first step
    of every address, the configuration's own unless given. ``world``: the data, to look into and edit. ``quirks``:
    switches. ``requests``: what was asked. ``sessions``: how many were open. ``script``: edits while pages are read.
    ``snapshots``: the base at earlier moments. ``exchange``: EnterpriseData, with a node for each of ``peers``;
    ``folder``: the same through files of that folder, ``None`` without one. With ``user`` empty no login is needed.
    ``volumes``: sets that are served from packed files.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        user: str = "",
        password: str = "",
        control: bool = False,
        volumes: Iterable[Volume] = (),
        publication: str = "",
        peers: Iterable[str] = (PEER,),
        folder: Path | None = None,
    ) -> None:
        self.world = world if world is not None else build()
        self.publication = publication or self.world.configuration.publication
        if not _PUBLICATION.fullmatch(self.publication):
            raise ValueError(f"a publication is latin letters, digits, - and _, not {self.publication!r}")
        self.quirks = Quirks()
        self._server = _Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.path = f"/{self.publication}/{ODATA}"
        self.url = f"{self.address}{self.path}"
        self.engine = Engine(self.world, self.url, self.quirks)
        for volume in volumes:
            self.engine.serve(volume)
        self.exchange = Synchronisation(self.world, self.quirks, peers)
        self.folder = Folder(self.exchange, folder) if folder is not None else None
        self.service = Service(
            self.engine, Login(user, password), self.quirks, control, self.publication, self.exchange, self.folder
        )  # fmt: skip
        self._server.RequestHandlerClass = type("BoundHandler", (Handler,), {"service": self.service})
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        return self.service.log

    @property
    def sessions(self) -> Sessions:
        """Sessions and requests at once, counted."""
        return self.service.sessions

    @property
    def script(self) -> Script:
        """Edits that happen when a page is asked for."""
        return self.service.script

    @property
    def snapshots(self) -> Snapshots:
        """Moments of the base that it can be put back to."""
        return self.service.snapshots

    def restart(self, seconds: float) -> None:
        """503 for that long, as while 1C restarts; sessions are lost."""
        self.service.restart(seconds)

    def serve(self) -> None:
        """Serve in this thread until ``stop``."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> Self:
        """Serve from a background thread."""
        self._thread = threading.Thread(target=self.serve, name="onec-stand", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self.close()
        if self._thread is not None:
            self._thread.join(5)

    def close(self) -> None:
        """Free the port and the files of a stand that does not serve."""
        self._server.server_close()
        for volume in self.engine.volumes.values():
            volume.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
