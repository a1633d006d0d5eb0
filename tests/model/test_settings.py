"""hub.yaml: what it may say, and what an admin is told about what it must not."""

from __future__ import annotations

import dataclasses
import re
import sys
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from hub.model import settings_file, settings_routes_file
from hub.model.errors import NeedsPerson
from hub.model.settings import (
    RouteSettings,
    SecretRef,
    Settings,
    SettingsInvalid,
    SystemSettings,
    find_home,
    load_settings,
)
from hub.model.settings_comms import (
    SECTIONS,
    CalendarSettings,
    CallSettings,
    MailingSettings,
    MailSettings,
    MessengerSettings,
)
from hub.model.settings_keys import Key
from hub.model.settings_tables import TABLE_KEYS, TableSettings

DOCS = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
SECRET = "hunter2-Пароль"
SYSTEM = """\
company_timezone: Europe/Moscow
systems:
  ut:
    kind: onec_odata
    url: http://srv/ut
    timezone: Asia/Yekaterinburg
    profile: onec_ut11
"""


def write(home: Path, text: str) -> Path:
    """The home, with ``text`` as its settings."""
    (home / "hub.yaml").write_text(text, encoding="utf-8")
    return home


def problems(home: Path, text: str) -> list[tuple[int, str, str]]:
    """(line, place, code) of every problem that the text is refused for."""
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(home, text))
    return [(problem.line, problem.where, problem.code) for problem in caught.value.problems]


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """What is mandatory suffices; everything else has the documented default."""
    settings = load_settings(write(tmp_path, SYSTEM))
    assert settings == Settings(
        home=tmp_path,
        path=tmp_path / "hub.yaml",
        company_timezone="Europe/Moscow",
        store_url=f"sqlite:///{tmp_path.as_posix()}/store.db",
        systems={
            "ut": SystemSettings(
                code="ut",
                kind="onec_odata",
                title="ut",
                url="http://srv/ut",
                timezone="Asia/Yekaterinburg",
                profile="onec_ut11",
            )
        },
    )
    assert settings.route("ut.party") == RouteSettings("ut.party")


def test_every_key_is_read(tmp_path: Path) -> None:
    """Each key of the file reaches its field, with its type."""
    (tmp_path / "ca.pem").write_text("", encoding="utf-8")
    (tmp_path / "site").mkdir()
    text = SYSTEM.replace("    profile", "    title: База УТ\n    profile") + (
        "    user: 007\n    password: {file: secrets/ut}\n    overlay: site\n    max_sessions: 3\n    page_size: 50\n"
        "    request_days: 7\n    first_timeout: 90\n    allowed_only: yes\n"
        "    timeout: 12.5\n    verify: ca.pem\n    proxy: http://proxy:3128\n    exchange_plan: Обмен\n    node: 01\n"
        "routes:\n  ut.party:\n  ut.sales_order: {enabled: no, read: window, window_days: 7, not_before: 2025-01-31}\n"
        "locale: en\nstore_url: postgresql+psycopg://hub@db/obmen\nstore_password: {keyring: obmen/store}\n"
        "nightly: 12:15\ndemo: false\nui_port: 3100\n"
    )
    settings = load_settings(write(tmp_path, text))
    system = settings.systems["ut"]
    assert (system.title, system.user, system.max_sessions, system.page_size) == ("База УТ", "007", 3, 50)
    assert system.password == SecretRef("file", str(tmp_path / "secrets" / "ut"))
    assert (system.timeout, system.verify, system.overlay) == (12.5, str(tmp_path / "ca.pem"), tmp_path / "site")
    assert (system.request_days, system.first_timeout, system.allowed_only) == (7, 90.0, True)
    assert (system.proxy, system.exchange_plan, system.node) == ("http://proxy:3128", "Обмен", "01")
    assert settings.route("ut.party").enabled
    expected = RouteSettings(
        "ut.sales_order", enabled=False, read="window", window_days=7, not_before=date(2025, 1, 31)
    )
    assert settings.route("ut.sales_order") == expected
    assert (settings.locale, settings.nightly, settings.ui_port) == ("en", "12:15", 3100)
    assert settings.store_url == "postgresql+psycopg://hub@db/obmen"
    assert settings.store_password == SecretRef("keyring", "obmen/store")


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """A file full of mistakes is refused once, not mistake by mistake, in the order of its lines."""
    text = (
        "company_timezone: Moscow\ncolour: red\nui_port: 0\nstore_url: mysql://h/db\n"
        "systems:\n  ut:\n    kind: odata\n    kind: memory\n    timezone:\n    max_sessions: 0\n"
        "  Bad: {}\nroutes:\n  ux.party: {}\n  ut.partie: {window_days: x}\n"
    )
    assert problems(tmp_path, text) == [
        (1, "company_timezone", "settings_zone"),
        (2, "colour", "settings_unknown"),
        (3, "ui_port", "settings_number"),
        (4, "store_url", "settings_store_url"),
        (7, "systems.ut.kind", "settings_choice"),
        (7, "systems.ut.profile", "settings_required"),
        (8, "systems.ut.kind", "settings_twice"),
        (9, "systems.ut.timezone", "settings_required"),
        (10, "systems.ut.max_sessions", "settings_number"),
        (11, "systems.Bad", "settings_form"),
        (13, "routes.ux.party", "settings_route_system"),
        (14, "routes.ut.partie", "settings_route_entity"),
        (14, "routes.ut.partie.window_days", "settings_number"),
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("kind: onec_odata", "kind: memory"), None),
        (("    url: http://srv/ut\n", ""), "settings_required"),
        (("http://srv/ut", "ftp://srv/ut"), "settings_url"),
        (("http://srv/ut", "http://srv:port/ut"), "settings_url"),
        (("http://srv/ut", "[http://srv/ut]"), "settings_not_scalar"),
        (("profile: onec_ut11", "profile: onec_ut11\n    node: x"), "settings_plan_and_node"),
        (("profile: onec_ut11", "profile: onec_ut11\n    verify: no.pem"), "settings_no_file"),
        (("profile: onec_ut11", "profile: onec_ut11\n    timeout: 0"), "settings_number"),
        (("profile: onec_ut11", "profile: onec_ut11\n    first_timeout: 90"), "settings_first_timeout"),
        (("profile: onec_ut11", "profile: onec_ut11\n    first_timeout: 30\n    timeout: 30"), None),
        (("profile: onec_ut11", "profile: onec_ut11\nnightly: 25:00"), "settings_form"),
        (("profile: onec_ut11", "profile: onec_ut11\nroutes: {ut.party: {not_before: 31.01.2025}}"), "settings_form"),
        (("profile: onec_ut11", "profile: onec_ut11\nroutes: [ut.party]"), "settings_not_section"),
        (("profile: onec_ut11", "profile: onec_ut11\nroutes: {ut.party: off}"), "settings_not_section"),
        (("company_timezone: Europe/Moscow\n", ""), "settings_required"),
        ((SYSTEM[SYSTEM.index("systems") :], ""), "settings_no_systems"),
        ((SYSTEM, "- a\n- b\n"), "settings_not_mapping"),
        ((SYSTEM, ""), "settings_not_mapping"),
        (("systems:", "systems: [ut]\nrest:"), "settings_not_section"),
        (("  ut:\n", "  ut: odata\n  other:\n"), "settings_not_section"),
        (("systems:", "? [a, b]\n: c\nsystems:"), "settings_key_form"),
        (("    url", "\turl"), "settings_yaml"),
        (("ut:", "ut: &x *y"), "settings_yaml"),
        (("ut:", "ut\x07:"), "settings_yaml_char"),
    ],
)
def test_one_mistake_is_named(tmp_path: Path, change: tuple[str, str], code: str | None) -> None:
    """Each kind of mistake has its own sentence, in both languages, and only what is wrong is refused."""
    text = SYSTEM.replace(*change)
    if code is None:
        assert load_settings(write(tmp_path, text)).systems
        return
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(tmp_path, text))
    assert code in {problem.code for problem in caught.value.problems}
    for lang in ("ru", "en"):
        told = caught.value.sentence(lang)
        assert str(tmp_path / "hub.yaml") in told
        assert "{" not in told.replace("{env", "").replace("{file", "").replace("{keyring", "")


def test_a_first_answer_that_is_given_less_time_is_refused_at_its_line(tmp_path: Path) -> None:
    """A base that has to start needs longer: less is a mistake, told where it stands and with the other number."""
    text = SYSTEM + "    timeout: 60\n    first_timeout: 12.5\n"
    assert problems(tmp_path, text) == [(9, "systems.ut.first_timeout", "settings_first_timeout")]
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(tmp_path, text))
    assert "60 с" in caught.value.sentence("ru")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Europe/Mosow", "Europe/Moscow"),
        ("moscow", "Europe/Moscow"),
        ("MSK", "Europe/Moscow"),
        ("UTC+3", "Europe/Moscow"),
        ("UTC+05:00", "Asia/Yekaterinburg"),
        ("MSK+2", "Asia/Yekaterinburg"),
        ("asia/yekaterinburg ", "Asia/Yekaterinburg"),
    ],
)
def test_a_time_zone_is_guessed(tmp_path: Path, written: str, meant: str) -> None:
    """The ways in which people write Russian time zones lead to the right name."""
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(tmp_path, SYSTEM.replace("Asia/Yekaterinburg", f"'{written}'")))
    (problem,) = caught.value.problems
    assert problem.params["near"] == meant
    assert f"Возможно, вы имели в виду «{meant}»." in problem.text("ru")


def test_a_misspelt_key_is_guessed_and_the_valid_ones_are_listed(tmp_path: Path) -> None:
    """An unknown key names its nearest neighbour and every key that may stand there."""
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(tmp_path, SYSTEM + "    max_session: 1\n"))
    told = caught.value.sentence("en")
    assert "line 8, systems.ut.max_session" in told
    assert "Did you mean “max_sessions”?" in told
    assert all(key.name in told for key in settings_file.SYSTEM_KEYS)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"    password: {SECRET}", "settings_secret_literal"),
        (f"    password: '{SECRET}'", "settings_secret_literal"),
        (f"    password: [{SECRET}]", "settings_secret_literal"),
        (f"    password: {{plain: {SECRET}}}", "settings_secret_literal"),
        (f"    password: {{env: {SECRET}}}", "settings_secret_env"),
        (f"    password: {{env: [{SECRET}]}}", "settings_secret_env"),
        (f"    password: {{keyring: {SECRET}}}", "settings_secret_keyring"),
        ("    password: {file: ''}", "settings_secret_file"),
        ("    password: {}", "settings_secret_form"),
        (f"    password: {{env: A, file: {SECRET}}}", "settings_secret_form"),
        (f"    password: {{value: {SECRET}}}", "settings_unknown"),
        (f"    url: http://me:{SECRET}@srv/ut", "settings_url_login"),
        (f"    proxy: http://me:{SECRET}@srv", "settings_proxy_login"),
        (f"store_url: postgresql+psycopg://me:{SECRET}@srv/db", "settings_store_password"),
        (f"store_url: postgresql+psycopg://srv/db?password={SECRET}", "settings_store_password"),
        (f"store_password: {SECRET}", "settings_secret_literal"),
        (f"    password: {{env: {SECRET}", "settings_yaml"),
        (f'    password: "{SECRET}', "settings_yaml"),
    ],
)
def test_a_password_in_the_file_is_refused_and_never_repeated(tmp_path: Path, line: str, code: str) -> None:
    """Wherever a password is written down, the file is refused and no text repeats it."""
    text = SYSTEM.replace("    url: http://srv/ut\n", "") if "url: http" in line else SYSTEM
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(write(tmp_path, f"{text}{line}\n"))
    error = caught.value
    assert [problem.code for problem in error.problems] == [code]
    told = [error.sentence("ru"), error.sentence("en"), error.advice("ru"), str(error), repr(error), repr(error.params)]
    assert not [text for text in told if SECRET in text]


def test_a_plain_password_belongs_to_the_demo_alone(tmp_path: Path) -> None:
    """The demo's stand may have its password in the file; even then it is not shown."""
    text = SYSTEM + f"    password: {{plain: '{SECRET}'}}\ndemo: true\n"
    settings = load_settings(write(tmp_path, text))
    password = settings.systems["ut"].password
    assert password is not None
    assert password.resolve() == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in str(password)


def test_secrets_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable and a file give their password; the newline that an editor adds is no part of it."""
    monkeypatch.setenv("UT_PASSWORD", SECRET)
    assert SecretRef("env", "UT_PASSWORD").resolve() == SECRET
    (tmp_path / "secret").write_text(f"\ufeff{SECRET} \r\n", encoding="utf-8")
    assert SecretRef("file", str(tmp_path / "secret")).resolve() == f"{SECRET} "


@pytest.mark.parametrize(
    "ref", [SecretRef("env", "NOT_SET"), SecretRef("file", "/nowhere/at/all"), SecretRef("keyring", "obmen/none")]
)
def test_a_missing_secret_says_where_it_was_looked_for(ref: SecretRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset variable, a missing file and an absent keyring are the admin's to mend, not a traceback."""
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(NeedsPerson) as caught:
        ref.resolve()
    assert caught.value.code in {"secret_missing", "secret_no_keyring"}
    assert ref.name in caught.value.sentence("ru")
    assert caught.value.advice("ru")


def test_a_keyring_is_asked_for_service_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part after the last slash is the name; a locked or empty keyring is a missing secret, not a traceback."""
    keyring = ModuleType("keyring")
    failure = type("KeyringError", (Exception,), {})
    asked: list[tuple[str, str]] = []

    def get_password(service: str, name: str) -> str | None:
        asked.append((service, name))
        if name == "locked":
            raise failure(SECRET)
        return SECRET if name == "ut" else None

    keyring.__dict__.update(get_password=get_password, errors=SimpleNamespace(KeyringError=failure))
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert SecretRef("keyring", "obmen/main/ut").resolve() == SECRET
    assert asked == [("obmen/main", "ut")]
    for name in ("locked", "empty"):
        with pytest.raises(NeedsPerson) as caught:
            SecretRef("keyring", f"obmen/{name}").resolve()
        assert caught.value.code == "secret_missing"
        assert SECRET not in str(caught.value)


def test_relative_paths_are_counted_from_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file means the same store wherever the command is called from."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = load_settings(write(tmp_path, SYSTEM + "store_url: sqlite:///data/hub.db\n"))
    assert settings.store_url == f"sqlite:///{tmp_path.as_posix()}/data/hub.db"


def test_a_file_of_notepad_is_read(tmp_path: Path) -> None:
    """A byte-order mark and Windows line ends are no mistake."""
    (tmp_path / "hub.yaml").write_bytes(b"\xef\xbb\xbf" + SYSTEM.replace("\n", "\r\n").encode())
    assert load_settings(tmp_path).systems["ut"].url == "http://srv/ut"


def test_other_encodings_are_named(tmp_path: Path) -> None:
    """A file saved in the Windows code page is told as such, not as a decoding traceback."""
    (tmp_path / "hub.yaml").write_bytes((SYSTEM + "    title: База\n").encode("cp1251"))
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["settings_not_utf8"]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """Without settings the admin is sent to ``obmen init``."""
    with pytest.raises(NeedsPerson) as caught:
        load_settings(tmp_path)
    assert caught.value.code == "settings_missing"
    assert "obmen init" in caught.value.advice("ru")


def test_a_folder_in_place_of_the_file_is_no_traceback(tmp_path: Path) -> None:
    """What cannot be opened is told in a sentence."""
    (tmp_path / "hub.yaml").mkdir()
    with pytest.raises(NeedsPerson) as caught:
        load_settings(tmp_path)
    assert caught.value.code == "settings_unreadable"


def test_the_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--home beats the variable, the variable beats the current folder, that beats the user's own."""
    monkeypatch.delenv("OBMEN_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    assert find_home(None) == tmp_path / "user" / ".obmen"
    write(tmp_path, SYSTEM)
    assert find_home(None) == tmp_path
    monkeypatch.setenv("OBMEN_HOME", str(tmp_path / "set"))
    assert find_home(None) == tmp_path / "set"
    assert find_home(str(tmp_path / "given")) == tmp_path / "given"


def documented(heading: str) -> dict[str, str]:
    """Keys of one table of the documentation, each with its default as written there."""
    section = DOCS.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", section, flags=re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize(
    ("heading", "kind", "left_out", "known"),
    [
        ("The installation", Settings, {"home", "path"}, settings_file.TOP_KEYS),
        ("A system", SystemSettings, {"code", "schema_seconds"}, settings_file.SYSTEM_KEYS),
        ("A table", TableSettings, set(), TABLE_KEYS),
        ("A mailbox", MailSettings, set(), SECTIONS["mail"].keys),
        ("A telephone exchange", CallSettings, set(), SECTIONS["calls"].keys),
        ("A mailing service", MailingSettings, set(), SECTIONS["mailing"].keys),
        ("A messenger", MessengerSettings, set(), SECTIONS["messenger"].keys),
        ("A calendar", CalendarSettings, set(), SECTIONS["calendar"].keys),
        ("A route", RouteSettings, {"code", "lines"}, settings_routes_file.ROUTE_KEYS),
    ],
)
def test_docs_dataclasses_and_reader_agree(
    heading: str, kind: type, left_out: set[str], known: tuple[Key, ...]
) -> None:
    """Every setting is documented with its default, every documented one exists and is read."""
    fields = {item.name: item for item in dataclasses.fields(kind) if item.name not in left_out}
    told = documented(heading)
    assert set(told) == set(fields)
    sections = {
        "store_password",
        "systems",
        "routes",
        "password",
        "tables",
        *SECTIONS,
        *settings_routes_file.ROUTE_SECTIONS,
    }
    assert {key.name for key in known} == set(fields) - sections
    for key in known:
        assert key.required == ("mandatory" in told[key.name] and key.name != "url"), key.name
        default = fields[key.name].default
        if isinstance(default, (bool, int, float, str)) and default != "":
            unit = "s" if key.name == "skew" else ""
            assert told[key.name] == f"`{str(default).lower().removesuffix('.0')}{unit}`", key.name


CRM = """\
company_timezone: Europe/Moscow
systems:
  crm:
    kind: sql
    url: {url}
    timezone: Europe/Moscow
    profile: crm_sql
"""


def test_a_database_and_its_tables(tmp_path: Path) -> None:
    """Names with commas become lists, what is not said stays unsaid, a relative file lies in the home."""
    text = CRM.format(url="sqlite:///crm.db") + (
        "    tables:\n"
        "      orders: {parts: 'order_lines, notes', changed: modified_at}\n"
        "      debts: {key: client_id}\n"
        "      tags: {parts: ''}\n"
    )
    crm = load_settings(write(tmp_path, text)).systems["crm"]
    assert crm.url == f"sqlite:///{tmp_path.resolve().as_posix()}/crm.db"
    assert crm.tables == {
        "orders": TableSettings(parts=("order_lines", "notes"), changed="modified_at"),
        "debts": TableSettings(key=("client_id",)),
        "tags": TableSettings(parts=()),
    }


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"postgresql+psycopg://obmen:{SECRET}@db/crm", "settings_sql_password"),
        (f"postgresql+psycopg://obmen@db/crm?password={SECRET}", "settings_sql_password"),
        (f"mssql+pyodbc://db/crm?PWD={SECRET}", "settings_sql_password"),
        ("sqlite://", "settings_sql_url"),
        ("'sqlite:///:memory:'", "settings_sql_url"),
        ("crm.db", "settings_sql_url"),
        ("", "settings_required"),
    ],
)
def test_an_address_of_a_database_is_checked(tmp_path: Path, url: str, code: str) -> None:
    """No password in it, a file for SQLite; the password that stood there is not repeated."""
    assert problems(tmp_path, CRM.format(url=url)) == [(5, "systems.crm.url", code)]
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(tmp_path)
    assert SECRET not in str(caught.value)


def test_what_is_wrong_with_tables_is_told_by_its_line(tmp_path: Path) -> None:
    """A key that no table has, a table that is no section, tables of a system that has none."""
    text = CRM.format(url="sqlite:////srv/crm.db") + "    tables:\n      orders: {part: lines}\n      clients: id\n"
    assert problems(tmp_path, text) == [
        (9, "systems.crm.tables.orders.part", "settings_unknown"),
        (10, "systems.crm.tables.clients", "settings_not_section"),
    ]
    assert problems(tmp_path, SYSTEM + "    tables: {a: {key: id}}\n") == [
        (8, "systems.ut.tables", "settings_tables_sql")
    ]
    assert problems(tmp_path, CRM.format(url="sqlite:////srv/crm.db") + "    tables: all\n") == [
        (8, "systems.crm.tables", "settings_not_section")
    ]
