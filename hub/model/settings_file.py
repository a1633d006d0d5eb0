"""Reading ``hub.yaml``: every problem at once, each with its line.

The file is composed into nodes, not loaded into values: nodes know their lines, and the raw text of a scalar is kept
(YAML 1.1 would read the time ``12:15`` as the number 735).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from hub.model import settings_keys as keys
from hub.model.entities import ENTITIES
from hub.model.errors import NeedsPerson
from hub.model.settings_keys import Bad, Key, near
from hub.model.settings_tables import TABLE_KEYS, TableSettings, sql_url
from hub.model.settings_types import Problem, RouteSettings, SecretRef, Settings, SettingsInvalid, SystemSettings

FILE_NAME = "hub.yaml"
DEFAULT_STORE = "sqlite:///{home}/store.db"
SECRET_KINDS = ("env", "file", "keyring", "plain")

#: Keys of the top of the file that are single values.
TOP_KEYS = (
    Key("locale", keys.one_of("ru", "en")),
    Key("company_timezone", keys.zone, required=True),
    Key("store_url", keys.store_url),
    Key("nightly", keys.clock),
    Key("demo", keys.yes_no),
    Key("ui_port", keys.integer(1, 65535)),
)
SYSTEM_KEYS = (
    Key("kind", keys.one_of("onec_odata", "sql", "memory"), required=True),
    Key("timezone", keys.zone, required=True),
    Key("profile", keys.word(r"[a-z][a-z0-9_]*", "onec_ut11"), required=True),
    Key("title", keys.anything),
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
ROUTE_KEYS = (
    Key("enabled", keys.yes_no),
    Key("read", keys.one_of("auto", "feed", "modified", "window", "full")),
    Key("sweep", keys.one_of("nightly", "weekly", "never")),
    Key("window_days", keys.integer(1, 3660)),
    Key("not_before", keys.day),
)


def read_settings(path: Path) -> Settings:
    """Settings of the file; ``NeedsPerson(settings_missing|settings_unreadable)``, ``SettingsInvalid``."""
    return _Reader(path).read()


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


class _Reader:
    """One reading of one file; problems pile up, and what could be read goes on being checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path.parent
        self.problems: list[Problem] = []

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
        routes = self.routes(top.get("routes"), systems)
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

    def problem(self, node: Node, where: str, code: str, **params: Any) -> None:
        self.problems.append(Problem(_line(node), where, code, params))

    def entries(self, node: MappingNode, where: str, known: Iterable[str] | None) -> dict[str, Node]:
        """Keys of a section with their nodes; unknown ones (unless ``known`` is None) and repeated ones are told."""
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        known = None if known is None else list(known)
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            place = f"{where}.{key}" if where else key
            if not isinstance(key_node, ScalarNode):
                self.problem(key_node, where, "settings_key_form")
            elif key in lines:
                self.problem(key_node, place, "settings_twice", first=lines[key])
            elif known is not None and key not in known:
                lines[key] = _line(key_node)
                self.problem(key_node, place, "settings_unknown", known=", ".join(known), near=near(key, known))
            else:
                lines[key] = _line(key_node)
                found[key] = value
        return found

    def values(
        self, section: MappingNode, entries: Mapping[str, Node], where: str, known: tuple[Key, ...]
    ) -> dict[str, Any]:
        """Parsed scalars of a section; a key without a value counts as not written."""
        parsed: dict[str, Any] = {}
        for key in known:
            place = f"{where}.{key.name}" if where else key.name
            node = entries.get(key.name)
            if node is None or _empty(node):
                if key.required:
                    self.problem(node or section, place, "settings_required")
                continue
            if not isinstance(node, ScalarNode):
                self.problem(node, place, "settings_not_scalar")
                continue
            try:
                parsed[key.name] = key.parse(node.value)
            except Bad as bad:
                self.problem(node, place, bad.code, **bad.params)
        return parsed

    def systems(self, root: Node, node: Node | None, demo: bool) -> dict[str, SystemSettings | None]:
        """Systems by code; one that has a problem is there without settings, so that its routes are not blamed."""
        if node is None or _empty(node) or (isinstance(node, MappingNode) and not node.value):
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
        entries = self.entries(node, where, [*(key.name for key in SYSTEM_KEYS), "password", "tables"])
        values = self.values(node, entries, where, SYSTEM_KEYS)
        if "password" in entries and not _empty(entries["password"]):
            values["password"] = self.secret(entries["password"], f"{where}.password", demo)
        if values.get("kind") == "onec_odata":
            values["url"] = self.address(node, entries.get("url"), f"{where}.url", keys.url)
        elif values.get("kind") == "sql":
            values["url"] = self.store_url(self.address(node, entries.get("url"), f"{where}.url", sql_url))
        if "tables" in entries:
            values["tables"] = self.tables(entries["tables"], f"{where}.tables", str(values.get("kind")))
        if ("node" in values) != ("exchange_plan" in values):
            self.problem(node, where, "settings_plan_and_node")
        if "verify" in values:
            values["verify"] = self.verify(entries["verify"], f"{where}.verify", values["verify"])
        if "overlay" in values:
            values["overlay"] = self.existing(entries["overlay"], f"{where}.overlay", values["overlay"])
        if len(self.problems) > before:
            return None
        return SystemSettings(code=code, **({"title": code} | values))

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
        if not isinstance(node, MappingNode) and not _empty(node):
            self.problem(node, where, "settings_not_section")
        return found

    def address(self, section: Node, node: Node | None, where: str, parse: Callable[[str], str]) -> str:
        """Where a base is published or a database is; only a system in memory has no address."""
        if not isinstance(node, ScalarNode) or _empty(node):
            if node is None or _empty(node):
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

    def routes(self, node: Node | None, systems: Mapping[str, SystemSettings | None]) -> dict[str, RouteSettings]:
        """Routes the file mentions; their system and their entity must exist."""
        if node is None or _empty(node):
            return {}
        if not isinstance(node, MappingNode):
            self.problem(node, "routes", "settings_not_section")
            return {}
        routes: dict[str, RouteSettings] = {}
        for code, body in self.entries(node, "routes", None).items():
            where = f"routes.{code}"
            system, _, entity = code.partition(".")
            if system not in systems:
                self.problem(body, where, "settings_route_system", value=system, near=near(system, systems))
            if entity not in ENTITIES:
                known = ", ".join(ENTITIES)
                self.problem(
                    body, where, "settings_route_entity", value=entity, known=known, near=near(entity, ENTITIES)
                )
            if _empty(body):
                routes[code] = RouteSettings(code)
            elif isinstance(body, MappingNode):
                entries = self.entries(body, where, [key.name for key in ROUTE_KEYS])
                routes[code] = RouteSettings(code, **self.values(body, entries, where, ROUTE_KEYS))
                its = systems.get(system)
                if routes[code].read == "feed" and its is not None and not its.node:
                    self.problem(entries["read"], f"{where}.read", "settings_feed_without_node", system=system)
            else:
                self.problem(body, where, "settings_not_section")
        return routes
