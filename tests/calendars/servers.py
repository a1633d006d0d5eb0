"""Real servers of calendars on loopback: Radicale and Xandikos, and the way past the connector that people take."""

from __future__ import annotations

import base64
import http.client
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dulwich.repo import Repo
from lxml import etree

from connectors.calendars.account import Account
from connectors.web import Patience
from tests.connectors.installed import free_port
from tests.connectors.server import Reply, Request, Scripted, serving

USER, PASSWORD = "manager", "Пароль-7%"
NAMES = ("radicale", "xandikos")
#: Servers are met at once: tests do not wait.
EAGER = Patience(retries=3, first=0.0)
_CONFIG = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/store
[web]
type = none
[logging]
level = error
"""


@dataclass
class DavServer:
    """A running server. ``folder``: where a calendar of path ``/…/name/`` is kept."""

    name: str
    port: int
    folder: Path
    templates: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> str:
        """Path that calendars are in."""
        return f"/{USER}/" if self.name == "radicale" else "/user/calendars/"

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """What a person's own program asks, past the connector."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        told = {"Authorization": f"Basic {login}", **{name.replace("_", "-"): v for name, v in headers.items()}}
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body.encode() if isinstance(body, str) else body, told)
            answer = link.getresponse()
            data = answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data
        finally:
            link.close()

    def calendar(self, name: str = "") -> str:
        """Path of a new, empty calendar."""
        path = f"{self.home}{name or uuid.uuid4().hex[:12]}/"
        status, _, body = self.ask("MKCALENDAR", path)
        assert status == 201, (status, body)
        return path

    def copy(self, path: str) -> str:
        """Path of a new calendar with what is in another."""
        new = f"{self.home}{uuid.uuid4().hex[:12]}/"
        shutil.copytree(self._place(path), self._place(new))
        return new

    def pack(self, path: str) -> None:
        """Make few files of a calendar that is to be copied often: Xandikos keeps it in a git repository."""
        if self.name == "xandikos":
            with Repo(str(self._place(path))) as repo:
                repo.object_store.pack_loose_objects()

    def forget(self, path: str) -> None:
        """Take a calendar away behind the server's back."""
        shutil.rmtree(self._place(path), ignore_errors=True)

    def _place(self, path: str) -> Path:
        below = "store/collection-root" if self.name == "radicale" else ""
        return self.folder / below / path.strip("/")

    def put(self, href: str, data: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Store a resource as it is given."""
        return self.ask(
            "PUT", href, data.replace("\r\n", "\n").replace("\n", "\r\n"), Content_Type="text/calendar", **headers
        )

    def get(self, href: str) -> str | None:
        """The text of a resource; ``None`` where there is none."""
        status, _, body = self.ask("GET", href)
        return body.decode() if status == 200 else None

    def edit(self, href: str, old: str, new: str) -> None:
        """Change a text within a resource."""
        text = self.get(href)
        assert text is not None
        assert old in text, text
        status, _, body = self.put(href, text.replace(old, new))
        assert status in {200, 201, 204}, (status, body)

    def delete(self, href: str) -> None:
        """Delete a resource for good."""
        assert self.ask("DELETE", href)[0] in {200, 204}

    def hrefs(self, calendar: str) -> list[str]:
        """Paths of all resources in a calendar."""
        ask = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        status, _, body = self.ask("PROPFIND", calendar, ask, Depth="1", Content_Type="application/xml")
        assert status == 207
        found = [str(one.text) for one in etree.fromstring(body).iter("{DAV:}href")]
        return sorted(href for href in found if href.endswith(".ics"))


@contextmanager
def running(name: str) -> Iterator[DavServer]:
    """A server that runs until the block ends, and is ended by its own id."""
    folder, port = Path(tempfile.mkdtemp(prefix=f"obmen_{name}_")), free_port()
    if name == "radicale":
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
        (folder / "config").write_text(_CONFIG.format(port=port, folder=folder), encoding="utf-8")
        command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    else:
        command = [sys.executable, "-m", "xandikos", "serve", "-d", str(folder), "--defaults", "-l", "127.0.0.1"]
        command += ["-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        server = DavServer(name, port, folder)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            shutil.rmtree(folder, ignore_errors=True)


def _wait(server: DavServer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError((server.folder / "log").read_text(encoding="utf-8")[-2000:])
        try:
            if server.ask("PROPFIND", "/", Depth="0")[0] == 207:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{server.name} did not come up")


def account(url: str, **more: Any) -> Account:
    """An account on a server, met at once."""
    told = {"title": "Календарь", "timezone": "Europe/Moscow", "user": USER, "secret": PASSWORD, "patience": EAGER}
    return Account(url=url, **{**told, "timeout": 20.0, **more})


@dataclass
class Between:
    """A way to a server on which a request may get lost, or get another answer."""

    server: DavServer
    orders: list[tuple[str, Any]] = field(default_factory=list)
    always: Any = None
    rule: Callable[[Request], Reply | None] | None = None
    scripted: Scripted | None = None

    @property
    def root(self) -> str:
        """The address of this way."""
        assert self.scripted is not None
        return self.scripted.url.removesuffix("/base")

    @property
    def requests(self) -> list[Request]:
        """What came along."""
        assert self.scripted is not None
        return self.scripted.requests

    def on(self, method: str, *acts: Any) -> None:
        """The next requests with that method (``*``: any): ``before`` and ``after`` lose them, a ``Reply`` is given."""
        self.orders += [(method, act) for act in acts]

    def answer(self, request: Request) -> Reply:
        """Pass it on, unless something was ordered."""
        act = (self.rule(request) if self.rule is not None else None) or self._due(request)
        if isinstance(act, Reply):
            return act
        if act == "before":
            return Reply(cut=-1)
        if callable(act):
            act()
        wanted = {name: v for name, v in request.headers.items() if name in _PASSED}
        headers = {name.title().replace("-", "_"): value for name, value in wanted.items()}
        status, told, body = self.server.ask(request.method, request.raw, request.body, **headers)
        kept = {name.title(): value for name, value in told.items() if name in {"etag", "location", "dav"}}
        if act == "after":
            return Reply(cut=-1)
        half = len(body) // 2 if act == "half" else None
        return Reply(status, body, told.get("content-type", "text/plain"), kept, half)

    def _due(self, request: Request) -> Any:
        for place, (method, act) in enumerate(self.orders):
            if method in {"*", request.method}:
                del self.orders[place]
                return act
        return self.always


_PASSED = {"content-type", "depth", "if-match", "if-none-match"}


@contextmanager
def between(server: DavServer) -> Iterator[Between]:
    """Such a way until the block ends."""
    made = Between(server)
    with serving(made.answer) as made.scripted:
        yield made


def event(uid: str, start: str = ";TZID=Europe/Moscow:20260210T100000", **lines: str) -> str:
    """A meeting of an hour, as programs write it."""
    return component("VEVENT", uid, {"DTSTART": start, "DURATION": ":PT1H", **lines})


def todo(uid: str, **lines: str) -> str:
    """A task."""
    return component("VTODO", uid, lines)


def component(name: str, uid: str, lines: Mapping[str, str], inner: str = "") -> str:
    """A resource of one component; ``lines``: what follows the name of each property, its colon too."""
    told = {"UID": f":{uid}", "DTSTAMP": ":20260101T000000Z", "SUMMARY": f":Встреча {uid}", **lines}
    body = "".join(f"{prop.replace('_', '-')}{value}\n" for prop, value in told.items() if value)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//RU\nBEGIN:{name}\n{body}{inner}END:{name}\nEND:VCALENDAR\n"
