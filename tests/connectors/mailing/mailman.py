"""A real GNU Mailman 3 for the tests: its REST interface on loopback, a folder of its own, gone with the session.

It is no dependency of this project: where ``OBMEN_MAILMAN_PYTHON`` names an interpreter that has it, or ``mailman`` is
on the PATH, the tests on it run; else they are skipped with a sentence. (Mailman 3.3.10 does not work with SQLAlchemy
2.1.)
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.connectors.installed import free_port

NO_MAILMAN = (
    "GNU Mailman is not installed: tests of mailing lists are skipped (pip install mailman 'sqlalchemy<2.1' in an "
    "environment of its own, then OBMEN_MAILMAN_PYTHON=…/bin/python)"
)
USER, PASSWORD = "restadmin", "restpass-7"
DOMAIN = "lists.firma.example"
#: No letter is taken or sent: only the REST interface runs.
_IDLE = re.findall(r"\w+", "archive bounces command digest in lmtp nntp out pipeline retry shunt task virgin")
#: Seconds after which a server that nobody stopped ends by itself.
_LONGEST = 1800
_CONFIG = """
[mailman]
layout: here
[paths.here]
var_dir: {folder}/var
[webservice]
hostname: 127.0.0.1
port: {port}
admin_user: {user}
admin_pass: {password}
workers: 1
[mta]
incoming: mailman.mta.null.NullMTA
"""


@dataclass
class MailmanServer:
    """A running server; what people and owners of lists do goes through its methods."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, python: str) -> MailmanServer:
        """Start it and wait until it answers; ``RuntimeError`` with the end of its log when it does not."""
        folder, port = Path(tempfile.mkdtemp(prefix="obmen_mailman_")), free_port()
        (folder / "var").mkdir()
        told = _CONFIG.format(folder=folder, port=port, user=USER, password=PASSWORD)
        told += "".join(f"[runner.{name}]\nstart: no\n" for name in _IDLE)
        (folder / "mailman.cfg").write_text(told, encoding="utf-8")
        bounded = ["timeout", str(_LONGEST)] if shutil.which("timeout") else []
        command = [*bounded, python, str(Path(python).with_name("master")), "-C", str(folder / "mailman.cfg")]
        environment = {**os.environ, "HOME": str(folder), "MAILMAN_CONFIG_FILE": str(folder / "mailman.cfg")}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        made = cls(port, folder, process)
        until = time.monotonic() + 90
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if made.ask("GET", "/system/versions")[0] == 200:
                    assert made.ask("POST", "/domains", {"mail_host": DOMAIN})[0] == 201
                    return made
            time.sleep(0.2)
        said = (folder / "log").read_text(errors="replace")[-2000:]
        made.stop()
        raise RuntimeError(f"Mailman did not start: {said}")

    def stop(self) -> None:
        """End the master by its own id, and take its folder away."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.folder / "var" / "master.pid").read_text()), signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Address of the interface."""
        return f"http://127.0.0.1:{self.port}/3.1"

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """One request past the connector."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            link.request(method, f"/3.1{path}", urlencode(form) if form is not None else None, headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            link.close()

    def list(self, name: str = "") -> str:
        """A new list; its id."""
        local = f"{name or 'news'}-{uuid.uuid4().hex[:8]}"
        status, told = self.ask("POST", "/lists", {"fqdn_listname": f"{local}@{DOMAIN}"})
        assert status == 201, told
        return f"{local}.{DOMAIN}"

    def subscribe(self, list_id: str, email: str) -> None:
        """Somebody subscribes."""
        flags = dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), "true")
        form = {"list_id": list_id, "subscriber": email, **flags, "send_welcome_message": "false"}
        status, told = self.ask("POST", "/members", form)
        assert status == 201, told

    def unsubscribe(self, list_id: str, email: str) -> None:
        """Somebody leaves."""
        form = {"list_id": list_id, "subscriber": email, "role": "member"}
        (one,) = self.ask("POST", "/members/find", form)[1]["entries"]
        assert self.ask("DELETE", f"/members/{one['member_id']}")[0] == 204

    def ban(self, list_id: str, email: str) -> None:
        """The owner of a list does not want somebody."""
        assert self.ask("POST", f"/lists/{list_id}/bans", {"email": email})[0] == 201

    def members(self, list_id: str) -> set[str]:
        """Who is on it."""
        status, told = self.ask("GET", f"/lists/{list_id}/roster/member")
        assert status == 200
        return {one["email"] for one in told.get("entries", [])}
