"""A small authority: a token endpoint for clients, and introspection for Dovecot, which asks it about each token."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs


class OAuth:
    """``good``: tokens that are let in, with their user. ``asked``: forms that clients sent to the endpoint;
    ``answers``: what it gives them, one after another (status, JSON), the last one for ever.
    """

    def __init__(self) -> None:
        self.good: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.introspected: list[str] = []
        self.answers: list[tuple[int, Any]] = []
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(size).decode()).items()}
                status, told = authority.answer(self.path, form)
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/token"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        """Of both kinds of question."""
        if path.startswith("/introspect"):
            token = form.get("token", "")
            self.introspected.append(token)
            user = self.good.get(token)
            return 200, {"active": user is not None, "username": user or ""}
        self.asked.append(form)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def clear(self) -> None:
        """Begin anew."""
        self.good, self.asked, self.answers, self.introspected = {}, [], [], []

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
