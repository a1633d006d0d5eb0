"""What ``hub.yaml`` says, typed: one dataclass per section, named as its keys (``docs/settings.md`` explains each)."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any, Literal

from hub.model.errors import NeedsPerson
from hub.model.settings_comms import (
    CalendarSettings,
    CallSettings,
    MailingSettings,
    MailSettings,
    MessengerSettings,
)
from hub.model.settings_routes import Role, RouteSettings
from hub.model.settings_tables import TableSettings
from hub.texts import advice, sentence


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """Where a password is kept; the password itself never stands here (but for ``plain``, the demo's own stand).

    ``name`` by ``kind``: a variable's name (``env``), an absolute path (``file``), ``service/name`` (``keyring``),
    the value itself (``plain``, refused outside a demo home).
    """

    kind: Literal["env", "file", "keyring", "plain"]
    name: str

    def __repr__(self) -> str:
        return f"SecretRef({self})"

    def __str__(self) -> str:
        return "plain:***" if self.kind == "plain" else f"{self.kind}:{self.name}"

    def resolve(self) -> str:
        """The password; ``NeedsPerson`` (``secret_missing``, ``secret_no_keyring``) names where it was looked for."""
        value = {"env": self._from_env, "file": self._from_file, "keyring": self._from_keyring}.get(
            self.kind, lambda: self.name
        )()
        if not value:
            raise NeedsPerson("secret_missing", where=str(self))
        return value

    def _from_env(self) -> str:
        return os.environ.get(self.name, "")

    def _from_file(self) -> str:
        try:
            return Path(self.name).read_text(encoding="utf-8-sig").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            return ""

    def _from_keyring(self) -> str:
        service, _, name = self.name.rpartition("/")
        try:
            keyring: Any = importlib.import_module("keyring")
        except ImportError as error:
            raise NeedsPerson("secret_no_keyring", where=str(self)) from error
        try:
            return keyring.get_password(service, name) or ""
        except keyring.errors.KeyringError as error:
            raise NeedsPerson("secret_missing", where=str(self)) from error


#: Kinds of systems.
Kind = Literal[
    "onec_odata",
    "sql",
    "imap",
    "pbx_db",
    "pbx_files",
    "pbx_cloud",
    "messenger",
    "mailing",
    "caldav",
    "ics",
    "google_calendar",
    "ms_calendar",
    "memory",
]


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """One system to exchange with.

    ``timezone``: IANA name, the zone its dates are in. ``timeout``: seconds of silence on a connection. ``verify``:
    ``False`` trusts any certificate, a text is the path of a CA file. ``page_size``: records asked for at once, the
    most there may be. ``max_sessions``: requests in flight at once, each of them holds a licence of 1C.
    ``request_days``: days of dated records that one request covers at most. ``first_timeout``: as ``timeout``, for a
    system that may have to start first. ``allowed_only``: leave out what the user has no right to see. ``sensor``:
    seconds between two questions whether there is anything new, ``None`` to ask none. ``quiet_hours``: from, to, by the
    system's own clocks: nothing is asked then. ``role``: what the system is to the others, ``None`` by its profile.
    ``schema_seconds`` is no key of the file: runs that only take changes believe a schema that was read so lately.
    ``tables``: by name, of kind ``sql`` alone. ``mail``, ``calls``, ``messenger``, ``calendar``: of a mailbox, a
    telephone exchange, a messenger, a calendar alone.
    """

    code: str
    kind: Kind
    timezone: str
    profile: str
    title: str = ""
    url: str = ""
    user: str = ""
    password: SecretRef | None = None
    overlay: Path | None = None
    max_sessions: int = 2
    page_size: int = 1000
    request_days: int = 31
    timeout: float = 180.0
    first_timeout: float | None = None
    allowed_only: bool = False
    verify: bool | str = True
    proxy: str | None = None
    exchange_plan: str | None = None
    node: str | None = None
    sensor: int | None = None
    quiet_hours: tuple[time, time] | None = None
    role: Role | None = None
    schema_seconds: float = 0.0
    tables: Mapping[str, TableSettings] = field(default_factory=dict)
    mail: MailSettings | None = None
    calls: CallSettings | None = None
    calendar: CalendarSettings | None = None
    messenger: MessengerSettings | None = None
    mailing: MailingSettings | None = None

    @property
    def takes_notices(self) -> bool:
        """Whether what the system sends by itself is heard."""
        return self.calls is not None and self.calls.notices


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole installation. ``routes`` holds only those the file mentions; ask ``route()`` for any other.

    ``notices_port``: of this machine, where notices are heard if a system takes any.
    ``own_domains``, ``own_addresses``, ``own_phones``: ours, whoever writes or calls from there is no client.
    """

    home: Path
    path: Path
    company_timezone: str
    store_url: str
    locale: Literal["ru", "en"] = "ru"
    store_password: SecretRef | None = None
    systems: dict[str, SystemSettings] = field(default_factory=dict)
    routes: dict[str, RouteSettings] = field(default_factory=dict)
    nightly: str = "02:15"
    duplicates: Literal["off", "propose", "merge"] = "propose"
    demo: bool = False
    ui_port: int = 3000
    notices_port: int = 3080
    own_domains: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    own_phones: tuple[str, ...] = ()

    @property
    def notified(self) -> list[str]:
        """Codes of systems whose notices are heard; without any there is no listener."""
        return [code for code, system in self.systems.items() if system.takes_notices]

    def route(self, code: str) -> RouteSettings:
        """Settings of the route, the defaults when the file does not mention it."""
        return self.routes.get(code) or RouteSettings(code)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the file. ``line`` counts from 1, 0 is the file as a whole; ``where``: path of the key."""

    line: int
    where: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def text(self, lang: str) -> str:
        """The problem with its advice, in one line; ``near`` among the parameters is what was probably meant."""
        place = sentence("settings_line", lang, line=self.line) + ", " if self.line else ""
        name = f"{self.where}: " if self.where else ""
        said = [sentence(self.code, lang, **self.params)]
        if self.params.get("near"):
            said.append(sentence("settings_did_you_mean", lang, **self.params))
        said.append(advice(self.code, lang, **self.params))
        return f"{place}{name}{' '.join(said)}".strip()


class SettingsInvalid(NeedsPerson):
    """The file can be read, what it says cannot be used; ``problems`` are all of them, in the order of the file."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        super().__init__("settings_invalid", path=str(path), number=len(problems))
        self.path = path
        self.problems = sorted(problems, key=lambda problem: problem.line)

    def sentence(self, lang: str = "ru") -> str:
        """How many problems there are, then each of them on a line of its own."""
        return "\n".join([super().sentence(lang), *(f"  {problem.text(lang)}" for problem in self.problems)])
