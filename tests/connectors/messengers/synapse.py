"""A real Matrix server for the tests: Synapse on loopback with a database file of its own, gone with the session.

It is no dependency of this project: where ``OBMEN_SYNAPSE_PYTHON`` names an interpreter that has it, or
``synapse_homeserver`` is on the PATH, the tests on it run; else they are skipped with a sentence.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.connectors.installed import free_port

NO_SYNAPSE = (
    "Synapse is not installed: tests of Matrix are skipped "
    "(pip install matrix-synapse in an environment of its own, then OBMEN_SYNAPSE_PYTHON=…/bin/python)"
)
SERVER = "hub.test"
#: The application service of the tests: it may write as anybody, and date what it writes.
TOKEN = "as-token-of-the-tests"

#: Synapse repeats its answer to a first sync for two minutes unless it is told not to: tests begin anew more often.
_CONFIG = """
server_name: "{server}"
report_stats: false
pid_file: {folder}/pid
listeners:
  - {{bind_addresses: ["127.0.0.1"], port: {port}, tls: false, type: http, resources: [{{names: [client]}}]}}
database: {{name: sqlite3, args: {{database: {folder}/db}}}}
log_config: {folder}/log.yaml
media_store_path: {folder}/media
signing_key_path: {folder}/key
registration_shared_secret: secret
macaroon_secret_key: secret
form_secret: secret
trusted_key_servers: []
app_service_config_files: [{folder}/as.yaml]
federation_domain_whitelist: []
enable_metrics: false
presence: {{enabled: false}}
caches: {{sync_response_cache_duration: 0s}}
rc_message: {{per_second: 10000, burst_count: 10000}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}}}
rc_invites: {{per_room: {{per_second: 1000, burst_count: 1000}}, per_user: {{per_second: 1000, burst_count: 1000}}}}
"""
_SERVICE = """
id: tests
url: null
as_token: {token}
hs_token: nobody-asks
sender_localpart: tests
rate_limited: false
namespaces:
  users: [{{exclusive: false, regex: "@.*"}}]
"""
_LOG = """
version: 1
handlers: {file: {class: logging.FileHandler, filename: LOG}}
root: {level: WARNING, handlers: [file]}
"""


@dataclass
class Synapse:
    """A running server. Everything a person does goes through ``act``."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, python: str) -> Synapse:
        """Start it and wait until it answers; ``RuntimeError`` with the end of its log when it does not."""
        folder, port = Path(tempfile.mkdtemp(prefix="obmen_synapse_")), free_port()
        (folder / "h.yaml").write_text(_CONFIG.format(server=SERVER, folder=folder, port=port))
        (folder / "as.yaml").write_text(_SERVICE.format(token=TOKEN))
        (folder / "log.yaml").write_text(_LOG.replace("LOG", str(folder / "log")))
        command = [python, "-m", "synapse.app.homeserver", "--config-path", str(folder / "h.yaml")]
        quiet: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([*command, "--generate-keys"], timeout=60, check=True, stderr=subprocess.DEVNULL, **quiet)
        with (folder / "errors").open("wb") as errors:
            process = subprocess.Popen(command, stderr=errors, **quiet)
        made = cls(port, folder, process)
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                if made.ask("GET", "/_matrix/client/versions")[0] == 200:
                    return made
            time.sleep(0.2)
        said = (folder / "errors").read_text(errors="replace")[-2000:]
        made.stop()
        raise RuntimeError(f"Synapse did not start: {said}")

    def stop(self) -> None:
        """End the process and take its folder away."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, dict[str, Any]]:
        """One request past the connector."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            link.close()

    def person(self, name: str = "") -> str:
        """A new user; the Matrix id."""
        local = f"{name or 'user'}-{uuid.uuid4().hex[:8]}"
        told = {"type": "m.login.application_service", "username": local}
        status, answer = self.ask("POST", "/_matrix/client/v3/register", told, TOKEN)
        assert status == 200, answer
        self.tokens[answer["user_id"]] = answer["access_token"]
        return str(answer["user_id"])

    def act(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """What a person does: below ``/_matrix/client/v3``."""
        told = "&".join(f"{name}={quote(str(value))}" for name, value in {"user_id": who, **query}.items())
        status, answer = self.ask(method, f"/_matrix/client/v3{path}?{told}", body, TOKEN)
        assert status == 200, (path, answer)
        return answer

    def room(self, owner: str, *others: str, name: str = "", **more: Any) -> str:
        """A room with these people in it."""
        told = {"preset": "private_chat", "name": name, "invite": list(others), **more}
        room = str(self.act(owner, "POST", "/createRoom", told)["room_id"])
        for who in others:
            self.act(who, "POST", f"/rooms/{quote(room)}/join", {})
        return room

    def say(self, who: str, room: str, text: str, *, ts: int | None = None, **content: Any) -> str:
        """Somebody writes; the event's id. ``ts``: milliseconds, instead of now."""
        told = {"msgtype": "m.text", "body": text, **content}
        return self.send(who, room, "m.room.message", told, ts)

    def send(self, who: str, room: str, kind: str, content: Any, ts: int | None = None) -> str:
        """Any event."""
        more = {} if ts is None else {"ts": ts}
        path = f"/rooms/{quote(room)}/send/{kind}/{uuid.uuid4().hex}"
        return str(self.act(who, "PUT", path, content, **more)["event_id"])

    def edit(self, who: str, room: str, event: str, text: str) -> str:
        """Somebody changes what he wrote."""
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": event}
        told = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        return self.send(who, room, "m.room.message", told)

    def redact(self, who: str, room: str, event: str) -> str:
        """Somebody takes back what he wrote."""
        path = f"/rooms/{quote(room)}/redact/{quote(event)}/{uuid.uuid4().hex}"
        return str(self.act(who, "PUT", path, {})["event_id"])
