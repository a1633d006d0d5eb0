from __future__ import annotations

import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.imap.connector import Imap
from connectors.mailing.connector import Mailing
from connectors.memory import BASES, MemoryConnector
from connectors.messengers.connector import Messenger
from connectors.onec_odata.connector import OneC
from connectors.registry import KINDS, open_connector
from hub.model.errors import NeedsPerson, RetryLater
from hub.model.settings import SecretRef, SystemSettings
from hub.model.settings_comms import MailingSettings, MailSettings, MessengerSettings
from tests.connectors.server import collection, serving


def test_a_1c_base_is_opened_from_its_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Address, login from its secret, limits: all of the settings reach the wire."""
    monkeypatch.setenv("OBMEN_TEST_PASSWORD", "тайна")
    with serving(lambda r: collection([])) as server:
        system = SystemSettings(
            "ut", "onec_odata", "Europe/Moscow", "onec_ut11", "УТ", server.url, "Обмен",
            SecretRef("env", "OBMEN_TEST_PASSWORD"), max_sessions=1, page_size=7,
        )  # fmt: skip
        connector = open_connector(system, tmp_path)
        assert isinstance(connector, OneC)
        list(connector.read(ReadRequest("Catalog_X")))
        connector.close()
        assert server.requests[0].number("$top") == 7
        assert server.requests[0].headers["authorization"].startswith("Basic ")


def test_opening_touches_no_network() -> None:
    """A base that is down is opened like any other: the fault comes with the first request."""
    system = SystemSettings("ut", "onec_odata", "Europe/Moscow", "onec_ut11", url="http://127.0.0.1:1/b")
    connector = open_connector(system)
    assert connector.traffic.requests == 0
    connector.close()


def test_a_mailbox_is_opened_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Login, own addresses, folders, the token endpoint with its secrets: all of it reaches the connector."""
    monkeypatch.setenv("OBMEN_TEST_REFRESH", "refresh-1")
    monkeypatch.setenv("OBMEN_TEST_SECRET", "тайна")
    mail = MailSettings(
        own=("@own.example",), folders=("INBOX",), auth="xoauth2", token_url="https://login.example/token",
        client_id="c", client_secret="env:OBMEN_TEST_SECRET", scope="s",
    )  # fmt: skip
    system = SystemSettings(
        "m", "imap", "Europe/Moscow", "mail", "Ящик", "imaps://imap.own.example", "me@own.example",
        SecretRef("env", "OBMEN_TEST_REFRESH"), page_size=2000, mail=mail,
    )  # fmt: skip
    connector = open_connector(system)
    assert isinstance(connector, Imap)
    told = connector._settings
    assert (told.user, told.auth, told.folders, told.page_size) == ("me@own.example", "xoauth2", ("INBOX",), 500)
    assert told.own_handles == {"me@own.example", "@own.example"}
    assert told.tokens is not None
    assert (told.tokens.url, told.tokens.scope) == ("https://login.example/token", "s")
    assert (told.tokens.refresh(), told.tokens.secret()) == ("refresh-1", "тайна")
    assert "тайна" not in repr(told)
    connector.close()


def test_a_messenger_is_opened_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Service, token, names of ours, chats passed over: all of it reaches the connector, and it is never shown."""
    monkeypatch.setenv("OBMEN_TEST_TOKEN", "7012345678:AAsome-token_of-a-test-0123456789ab")
    section = MessengerSettings("telegram", own=("@Anna",), except_chats=("Отдел",), history_days=7)
    system = SystemSettings(
        "bot", "messenger", "Europe/Moscow", "messenger", "Бот", password=SecretRef("env", "OBMEN_TEST_TOKEN"),
        page_size=2000, messenger=section,
    )  # fmt: skip
    connector = open_connector(system)
    assert isinstance(connector, Messenger)
    told = connector._account
    assert (set(told.own_names), told.except_chats, told.history_days) == ({"@anna"}, ("Отдел",), 7)
    assert told.page_size == 500
    assert "AAsome" not in repr(told)
    connector.close()
    with pytest.raises(NeedsPerson) as error:
        open_connector(SystemSettings("bot", "messenger", "Europe/Moscow", "messenger", "Бот"))
    assert (error.value.code, error.value.params["valid"]) == ("chat_service_missing", "telegram, matrix")


def test_a_mailing_service_is_opened_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Login, lists: all of it reaches the connector, and nothing shows the password."""
    monkeypatch.setenv("OBMEN_TEST_PASSWORD", "тайна")
    system = SystemSettings(
        "mm", "mailing", "Europe/Moscow", "mailing", "Рассылки", "https://lists.example/3.1", "restadmin",
        SecretRef("env", "OBMEN_TEST_PASSWORD"), mailing=MailingSettings("mailman", ("news@lists.example",)),
    )  # fmt: skip
    connector = open_connector(system)
    assert isinstance(connector, Mailing)
    assert (connector._account.user, connector._account.lists) == ("restadmin", ("news@lists.example",))
    assert "тайна" not in repr(connector._account)
    connector.close()
    with pytest.raises(NeedsPerson) as error:
        open_connector(SystemSettings("mm", "mailing", "Europe/Moscow", "mailing", "Рассылки"))
    assert (error.value.code, error.value.params["valid"]) == ("mailing_service_missing", "mailman")


def test_a_missing_secret_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request goes out with an empty password."""
    monkeypatch.delenv("OBMEN_TEST_PASSWORD", raising=False)
    secret = SecretRef("env", "OBMEN_TEST_PASSWORD")
    with pytest.raises(NeedsPerson) as error:
        open_connector(SystemSettings("ut", "onec_odata", "UTC", "p", url="http://127.0.0.1:1/b", password=secret))
    assert error.value.code == "secret_missing"


def test_a_memory_base_is_shared_by_name_or_read_from_a_file(tmp_path: Path) -> None:
    """``memory://name`` is the process's own; a path is a JSON file that any process can read."""
    shared = open_connector(SystemSettings("m", "memory", "UTC", "p", url="memory://tests"))
    assert isinstance(shared, MemoryConnector)
    assert shared.base is BASES["tests"]
    file = tmp_path / "base.json"
    stream = {"key": ["Ref_Key"], "fields": {"Ref_Key": "Edm.String"}, "records": [{"Ref_Key": "1"}, {"Ref_Key": "2"}]}
    file.write_text(json.dumps({"Catalog_X": stream}), encoding="utf-8")
    read = open_connector(SystemSettings("m", "memory", "UTC", "p", url=str(file)))
    assert decoded(read.read(ReadRequest("Catalog_X"))) == [{"Ref_Key": "1"}, {"Ref_Key": "2"}]


def test_faults_on_order_come_one_by_one() -> None:
    """A memory base fails as it is told to, request by request, then works again."""
    connector = open_connector(SystemSettings("m", "memory", "UTC", "p", url="memory://faulty"))
    assert isinstance(connector, MemoryConnector)
    connector.base.define("Catalog_X", {"Ref_Key": "Edm.String"})
    connector.base.fail(RetryLater("source_busy", system="m", status=406))
    with pytest.raises(RetryLater):
        connector.streams()
    assert connector.check().problems == []
    connector.base.fail(RetryLater("source_busy", system="m", status=406))
    assert [problem.code for problem in connector.check().problems] == ["source_busy"]


def test_every_kind_of_the_settings_has_a_connector() -> None:
    """What ``hub.yaml`` may say, the registry can open."""
    assert set(get_args(get_type_hints(SystemSettings)["kind"])) == set(KINDS)
