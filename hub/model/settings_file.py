"""Reading ``hub.yaml``: every problem at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from hub.model import settings_keys as keys
from hub.model.errors import NeedsPerson
from hub.model.settings_comms import SECTIONS, CallSettings, check_notices, imap_url, names
from hub.model.settings_keys import Bad, Key
from hub.model.settings_nodes import Nodes, is_empty
from hub.model.settings_routes import ORIGIN, ROLES, role_of
from hub.model.settings_routes_file import read_routes
from hub.model.settings_tables import TABLE_KEYS, TableSettings, sql_url
from hub.model.settings_types import Kind, Problem, SecretRef, Settings, SettingsInvalid, SystemSettings

FILE_NAME = "hub.yaml"
DEFAULT_STORE = "sqlite:///{home}/store.db"
SECRET_KINDS = ("env", "file", "keyring", "plain")

#: Keys of the top of the file that are single values.
TOP_KEYS = (
    Key("locale", keys.one_of("ru", "en")),
    Key("company_timezone", keys.zone, required=True),
    Key("store_url", keys.store_url),
    Key("nightly", keys.clock),
    Key("duplicates", keys.one_of("off", "propose", "merge")),
    Key("demo", keys.yes_no),
    Key("ui_port", keys.integer(1, 65535)),
    Key("notices_port", keys.integer(1, 65535)),
    Key("own_domains", names),
    Key("own_addresses", names),
    Key("own_phones", names),
)
SYSTEM_KEYS = (
    Key("kind", keys.one_of(*get_args(Kind)), required=True),
    Key("timezone", keys.zone, required=True),
    Key("profile", keys.word(r"[a-z][a-z0-9_]*", "onec_ut11"), required=True),
    Key("title", keys.anything),
    Key("role", keys.one_of(*ROLES)),
    Key("url", keys.anything),
    Key("user", keys.anything),
    Key("overlay", keys.anything),
    Key("max_sessions", keys.integer(1, 64)),
    Key("page_size", keys.integer(1, 100_000)),
    Key("request_days", keys.integer(1, 3660)),
    Key("timeout", keys.seconds),
    Key("first_timeout", keys.seconds),
    Key("allowed_only", keys.yes_no),
    Key("verify", keys.anything),
    Key("proxy", keys.proxy),
    Key("exchange_plan", keys.anything),
    Key("node", keys.anything),
    Key("sensor", keys.interval),
    Key("quiet_hours", keys.hours),
)
#: How the address of a system is written, by its kind; of a kind that is not here it is any text, or none.
ADDRESSES: dict[str, Callable[[str], str]] = {
    "onec_odata": keys.url,
    "sql": sql_url,
    "imap": imap_url,
    "pbx_db": sql_url,
    "caldav": keys.url,
    "ics": keys.url,
    "mailing": keys.url,
}


def read_settings(path: Path) -> Settings:
    """Settings of the file; ``NeedsPerson(settings_missing|settings_unreadable)``, ``SettingsInvalid``."""
    return _Reader(path).read()


class _Reader(Nodes):
    """One reading of one file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.home = path.parent

    def read(self) -> Settings:
        root = self._compose()
        values: dict[str, Any] = {}
        if not isinstance(root, MappingNode):
            raise SettingsInvalid(self.path, [Problem(1, "", "settings_not_mapping")])
        top = self.entries(root, "", [*(key.name for key in TOP_KEYS), "store_password", "systems", "routes"])
        values = self.values(root, top, "", TOP_KEYS)
        demo = bool(values.get("demo", False))
        if "store_password" in top:
            values["store_password"] = self.secret(top["store_password"], "store_password", demo)
        systems = self.systems(root, top.get("systems"), demo)
        routes = read_routes(self, top.get("routes"), systems)
        if self.problems:
            raise SettingsInvalid(self.path, self.problems)
        values["store_url"] = self.store_url(values.get("store_url", DEFAULT_STORE))
        ready = {code: system for code, system in systems.items() if system}
        return Settings(home=self.home, path=self.path, systems=ready, routes=routes, **values)

    def store_url(self, url: str) -> str:
        """``{home}`` filled in; a relative file of SQLite lies in the home, wherever the command is called from."""
        scheme, _, path = url.replace("{home}", self.home.as_posix()).partition("///")
        return f"{scheme}///{(self.home / path).as_posix()}" if scheme == "sqlite:" else url

    def _compose(self) -> Node | None:
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise NeedsPerson("settings_missing", path=str(self.path)) from error
        except OSError as error:
            raise NeedsPerson("settings_unreadable", path=str(self.path), detail=error.strerror) from error
        except UnicodeDecodeError as error:
            raise SettingsInvalid(self.path, [Problem(0, "", "settings_not_utf8")]) from error
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            problem = Problem(line, "", "settings_yaml", {"detail": error.problem or error.context or ""})
            raise SettingsInvalid(self.path, [problem]) from error
        except yaml.YAMLError as error:  # a character that YAML does not allow at all
            line = text[: getattr(error, "position", 0)].count("\n") + 1
            raise SettingsInvalid(self.path, [Problem(line, "", "settings_yaml_char")]) from error

    def systems(self, root: Node, node: Node | None, demo: bool) -> dict[str, SystemSettings | None]:
        """Systems by code; one that has a problem is there without settings, so that its routes are not blamed."""
        if node is None or is_empty(node) or (isinstance(node, MappingNode) and not node.value):
            self.problem(node or root, "systems", "settings_no_systems")
            return {}
        if not isinstance(node, MappingNode):
            self.problem(node, "systems", "settings_not_section")
            return {}
        return {
            code: self.system(code, body, demo)
            for code, body in self.entries(node, "systems", None).items()
            if self.good_code(code, body)
        }

    def good_code(self, code: str, node: Node) -> bool:
        try:
            keys.name(code)
        except Bad as bad:
            self.problem(node, f"systems.{code}", bad.code, **bad.params)
            return False
        return True

    def system(self, code: str, node: Node, demo: bool) -> SystemSettings | None:
        where = f"systems.{code}"
        before = len(self.problems)
        if not isinstance(node, MappingNode):
            self.problem(node, where, "settings_not_section")
            return None
        entries = self.entries(node, where, [*(key.name for key in SYSTEM_KEYS), "password", "tables", *SECTIONS])
        values = self.values(node, entries, where, SYSTEM_KEYS)
        if "password" in entries and not is_empty(entries["password"]):
            values["password"] = self.secret(entries["password"], f"{where}.password", demo)
        kind = str(values.get("kind"))
        if kind in ADDRESSES:
            values["url"] = self.store_url(self.address(node, entries.get("url"), f"{where}.url", ADDRESSES[kind]))
        if "tables" in entries:
            values["tables"] = self.tables(entries["tables"], f"{where}.tables", kind)
        values |= self.sections(entries, where, kind)
        if isinstance(values.get("calls"), CallSettings) and len(self.problems) == before:
            self.notices(entries.get("calls", node), where, values)
        if ("node" in values) != ("exchange_plan" in values):
            self.problem(node, where, "settings_plan_and_node")
        if "verify" in values:
            values["verify"] = self.verify(entries["verify"], f"{where}.verify", values["verify"])
        if "overlay" in values:
            values["overlay"] = self.existing(entries["overlay"], f"{where}.overlay", values["overlay"])
        if code in {ORIGIN, *ROLES} and code != (values.get("role") or role_of(values.get("profile", ""))):
            self.problem(node, where, "settings_code_is_role", value=code)  # an order could mean either
        if len(self.problems) > before:
            return None
        system = SystemSettings(code=code, **({"title": code} | values))
        if system.first_timeout is not None and system.first_timeout < system.timeout:
            place = f"{where}.first_timeout"
            self.problem(entries["first_timeout"], place, "settings_first_timeout", timeout=f"{system.timeout:g}")
            return None
        return system

    def sections(self, entries: Mapping[str, Node], where: str, kind: str) -> dict[str, Any]:
        """Sections that the kind of system has, each with its defaults where the file does not mention it."""
        found: dict[str, Any] = {}
        for name, section in SECTIONS.items():
            node, place = entries.get(name), f"{where}.{name}"
            if kind not in section.kinds:
                if node is not None:
                    self.problem(node, place, "settings_section_kind", kinds=", ".join(section.kinds), kind=kind)
                continue
            body = self.section(node, place) if node is not None and not is_empty(node) else None
            told = self.entries(body, place, [key.name for key in section.keys]) if body is not None else {}
            found[name] = section.make(**(self.values(body, told, place, section.keys) if body is not None else {}))
        return found

    def notices(self, node: Node, where: str, values: Mapping[str, Any]) -> None:
        """That notices can come and be of use."""
        try:
            check_notices(values["calls"], values.get("sensor"))
        except Bad as bad:
            self.problem(node, f"{where}.calls.notices", bad.code, **bad.params)

    def tables(self, node: Node, where: str, kind: str) -> dict[str, TableSettings]:
        """What is told of single tables of a database."""
        if kind != "sql":
            self.problem(node, where, "settings_tables_sql", kind=kind)
            return {}
        found: dict[str, TableSettings] = {}
        for name, body in (self.entries(node, where, None) if isinstance(node, MappingNode) else {}).items():
            if not isinstance(body, MappingNode):
                self.problem(body, f"{where}.{name}", "settings_not_section")
                continue
            entries = self.entries(body, f"{where}.{name}", [key.name for key in TABLE_KEYS])
            found[name] = TableSettings(**self.values(body, entries, f"{where}.{name}", TABLE_KEYS))
        if not isinstance(node, MappingNode) and not is_empty(node):
            self.problem(node, where, "settings_not_section")
        return found

    def address(self, section: Node, node: Node | None, where: str, parse: Callable[[str], str]) -> str:
        """Where a base is published or a database is; only a system in memory has no address."""
        if not isinstance(node, ScalarNode) or is_empty(node):
            if node is None or is_empty(node):
                self.problem(node or section, where, "settings_required")
            return ""
        try:
            return parse(node.value)
        except Bad as bad:
            self.problem(node, where, bad.code, **bad.params)
            return ""

    def verify(self, node: Node, where: str, text: str) -> bool | str:
        try:
            return keys.yes_no(text)
        except Bad:
            return str(self.existing(node, where, text))

    def existing(self, node: Node, where: str, text: str) -> Path:
        """A path, relative ones from the home; what is not there is a problem."""
        path = (self.home / Path(text).expanduser()).resolve()
        if not path.exists():
            self.problem(node, where, "settings_no_file", path=str(path))
        return path

    def secret(self, node: Node, where: str, demo: bool) -> SecretRef | None:
        """A reference to a secret; what stands there instead of one is never repeated."""
        if not isinstance(node, MappingNode):
            self.problem(node, where, "settings_secret_literal")
            return None
        entries = self.entries(node, where, SECRET_KINDS)
        if len(entries) != 1:
            if not any(problem.where.startswith(f"{where}.") for problem in self.problems):
                self.problem(node, where, "settings_secret_form")
            return None
        kind, value = next(iter(entries.items()))
        if not isinstance(value, ScalarNode) or not self.good_secret(kind, value.value):
            self.problem(value, where, f"settings_secret_{kind}" if kind != "plain" else "settings_secret_form")
            return None
        if kind == "plain" and not demo:
            self.problem(value, where, "settings_secret_literal")
            return None
        name = str((self.home / Path(value.value).expanduser()).resolve()) if kind == "file" else value.value
        return SecretRef(kind, name)  # type: ignore[arg-type]  # `entries` let only the four kinds pass

    @staticmethod
    def good_secret(kind: str, value: str) -> bool:
        patterns = {"env": r"[A-Za-z_][A-Za-z0-9_]*", "keyring": r".+/[^/]+", "file": r".+", "plain": r"(?s).+"}
        return re.fullmatch(patterns[kind], value) is not None
