"""What is wrong with an account is told so that an admin can put it right, and no key or number is told with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.certify.reading import told
from connectors.cloud_pbx.config import CloudSettings
from connectors.cloud_pbx.connector import CloudPbx
from connectors.cloud_pbx.services import SERVICES
from connectors.registry import open_connector
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem, exit_code
from hub.model.settings import SecretRef, SystemSettings, load_settings
from hub.model.settings_comms import CLOUDS, CallSettings
from hub.texts import LANGS
from tests.connectors.cloud_pbx.base import NAMES, Account
from tests.connectors.cloud_pbx.fake import NOW, SECRET, USER, FakeCall, FakeCloud, Got, Reply

At = Callable[[str], Account]

#: What the wrong key, or the wrong second part of it, is to each service.
WRONG = {
    "mango": "cloud_sign_refused",
    "megafon": "cloud_key_refused",
    "uis": "cloud_key_refused",
    "novofon": "cloud_key_refused",
    "zadarma": "cloud_sign_refused",
    "beeline": "cloud_key_refused",
    "telphin": "cloud_key_refused",
    "sipuni": "cloud_sign_refused",
}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that our own code logs."""
    with caplog.at_level(logging.DEBUG, logger="obmen"):
        yield caplog


def problem(connector: CloudPbx) -> HubError:
    (found,) = connector.check().problems
    assert told(found)
    return found


def quiet(error: HubError, *secrets: str) -> bool:
    """Whether neither sentence, advice, parameters nor the chain behind an error name a secret."""
    said = [error.sentence(lang) + error.advice(lang) for lang in LANGS]
    said += [str(error), repr(error), repr(error.params), repr(error.__cause__), str(error.__context__ or "")]
    return not any(secret in text for secret in secrets for text in said)


@pytest.mark.parametrize("service", NAMES)
def test_a_wrong_key_is_told_as_one(at: At, service: str, logged: pytest.LogCaptureFixture) -> None:
    """Each service's own way to say no is understood, is never tried again, and shows no key."""
    account = at(service)
    found = problem(account.open(password="wrong-9981"))
    assert (type(found), found.code) == (StopSystem, WRONG[service])
    assert exit_code(found) == 2
    assert quiet(found, "wrong-9981", USER)
    assert account.slept == []
    assert not any(word in record.getMessage() for record in logged.records for word in ("wrong-9981", USER, "sign"))


def answering(account: Account, reply: Reply) -> CloudPbx:
    """A connector to a service that always answers so."""

    def answer(cloud: FakeCloud, got: Got) -> Reply:
        return reply

    account.cloud._answer = answer
    return account.open()


def said(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body, ensure_ascii=False).encode())


def rpc(mnemonic: str) -> Reply:
    return said({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "m", "data": {"mnemonic": mnemonic}}})


@pytest.mark.parametrize(
    ("service", "reply", "kind", "code"),
    [
        ("mango", said({"result": 3102}, 401), StopSystem, "cloud_sign_refused"),
        ("mango", said({"result": 3101}, 401), StopSystem, "cloud_key_refused"),
        ("mango", said({"result": 5008}, 503), RetryLater, "cloud_busy"),
        ("mango", said({"result": 3300, "message": "no"}, 400), StopRoute, "cloud_refused"),
        ("mango", said({"strange": 1}), StopRoute, "cloud_unexpected"),
        ("megafon", Reply(403, b"forbidden", "text/plain"), StopSystem, "cloud_ip_refused"),
        ("megafon", Reply(404, b"", "text/plain"), StopSystem, "cloud_not_service"),
        ("uis", rpc("access_token_expired"), StopSystem, "cloud_key_refused"),
        ("uis", rpc("ip_not_whitelisted"), StopSystem, "cloud_ip_refused"),
        ("uis", rpc("limit_exceeded"), RetryLater, "cloud_busy"),
        ("uis", rpc("forbidden"), StopSystem, "cloud_right_missing"),
        ("uis", rpc("internal_error"), RetryLater, "cloud_failed"),
        ("uis", rpc("missing_parameter"), StopRoute, "cloud_refused"),
        ("zadarma", said({"status": "error", "message": "Not authorized"}, 401), StopSystem, "cloud_sign_refused"),
        ("zadarma", said({"status": "error", "message": "Limit exceeded"}), RetryLater, "cloud_busy"),
        ("zadarma", said({"status": "error", "message": "no rights"}, 403), StopSystem, "cloud_right_missing"),
        ("telphin", said({"error": "invalid_client"}, 400), StopSystem, "cloud_key_refused"),
        ("telphin", said({"no": "token"}), StopSystem, "cloud_not_service"),
        ("sipuni", said({"success": False, "message": "Hash does not match"}), StopSystem, "cloud_sign_refused"),
        ("sipuni", Reply(200, b"user not found", "text/html"), StopSystem, "cloud_key_refused"),
        ("beeline", Reply(500, b"oops", "text/plain"), RetryLater, "cloud_failed"),
        ("beeline", Reply(301, b"", headers={"Location": "http://evil.example/?t=1"}), StopSystem, "cloud_moved"),
    ],
)
def test_what_a_service_says_is_understood(at: At, service: str, reply: Reply, kind: type[HubError], code: str) -> None:
    """Wrong key, signature, address, right, limit, fault and refusal are told apart, whatever the status is."""
    found = problem(answering(at(service), reply))
    assert (type(found), found.code) == (kind, code)


def test_texts_of_a_service_are_passed_on_masked(at: At) -> None:
    """What a service repeats of our question names no key, no telephone, and is short."""
    text = f"bad key {SECRET} of {USER}, caller +7 (916) 123-45-67, {'long ' * 100}"
    found = problem(answering(at("zadarma"), said({"status": "error", "message": text})))
    assert found.code == "cloud_refused"
    assert quiet(found, SECRET, USER, "916", "123-45")
    assert len(found.params["text"]) <= 200


@pytest.mark.parametrize(
    ("service", "key"), [("megafon", "ключ-7"), ("beeline", "a\r\nX-Evil: 1"), ("zadarma", "word-8")]
)
def test_a_key_that_no_header_can_hold_is_refused_here(at: At, service: str, key: str) -> None:
    """A Cyrillic letter or a line break in a key is told as such, before anything is sent."""
    account = at(service)
    found = problem(account.open(password=key, user="кл" if service == "zadarma" else ""))
    assert found.code == "cloud_key_letters"
    assert quiet(found, key)
    assert account.cloud.got == []


def test_a_server_that_is_not_there_is_waited_for(at: At) -> None:
    """No connection: tried again within patience, then told with the host and nothing else."""
    account = at("uis")
    connector = account.open(url="http://127.0.0.1:1", connect=1.0)
    found = problem(connector)
    assert (type(found), found.code, found.params["host"]) == (RetryLater, "cloud_unreachable", "127.0.0.1")
    assert len(account.slept) == 3
    assert connector.traffic.retries == 3


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"service": ""}, "cloud_service_missing"),
        ({"service": "mango", "password": "x"}, "cloud_needs"),
        ({"service": "uis"}, "cloud_needs"),
        ({"service": "megafon", "password": "x"}, "cloud_url_needed"),
        ({"service": "megafon", "password": "x", "url": "https://u:p@x.megapbx.ru"}, "cloud_url_needed"),
        ({"service": "megafon", "password": "x", "url": "ftp://x.megapbx.ru"}, "cloud_url_needed"),
        ({"service": "megafon", "password": "x", "url": "http://x.megapbx.ru"}, "cloud_url_bare"),
    ],
)
def test_what_the_settings_lack_is_told_when_the_account_is_opened(settings: dict[str, str], code: str) -> None:
    """Service, keys and address are looked at before anything is asked."""
    with pytest.raises(NeedsPerson) as error:
        CloudPbx(replace(CloudSettings("", title="АТС"), **settings), "pbx")  # type: ignore[arg-type]
    assert error.value.code == code
    assert told(error.value)


def test_settings_of_an_account_show_no_key() -> None:
    """Printing them shows neither key nor the word of notices."""
    text = repr(CloudSettings("mango", user="u", password="p-4451", hook="h-4452", proxy="http://q-4453"))
    assert not any(secret in text for secret in ("p-4451", "h-4452", "q-4453"))


def test_the_settings_name_the_services_that_there_are(tmp_path: Path) -> None:
    """``calls.service`` takes exactly the names that have a description, and the account is opened from the file."""
    assert tuple(SERVICES) == CLOUDS
    file = tmp_path / "hub.yaml"
    file.write_text(
        "company_timezone: Europe/Moscow\nsystems:\n  pbx:\n    kind: pbx_cloud\n    timezone: Europe/Moscow\n"
        "    profile: calls\n    user: '000123'\n    password: {env: OBMEN_TEST_CLOUD}\n"
        "    calls: {service: sipuni, history_days: 3}\n",
        encoding="utf-8",
    )
    system = load_settings(tmp_path).systems["pbx"]
    assert system.calls == CallSettings(service="sipuni", history_days=3)
    file.write_text(file.read_text(encoding="utf-8").replace("sipuni", "sipuny"), encoding="utf-8")
    with pytest.raises(NeedsPerson) as error:
        load_settings(tmp_path)
    assert "sipuni" in error.value.sentence("ru")


def test_an_account_is_opened_from_its_settings(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys by reference, address, zone and days of the settings reach the wire; opening it asks nothing."""
    monkeypatch.setenv("OBMEN_TEST_CLOUD", SECRET)
    account = at("sipuni")
    calls = CallSettings(service="sipuni", history_days=2)
    system = SystemSettings(
        "pbx", "pbx_cloud", "Europe/Moscow", "calls", "АТС", account.cloud.url, USER,
        SecretRef("env", "OBMEN_TEST_CLOUD"), calls=calls,
    )  # fmt: skip
    connector = open_connector(system)
    assert account.cloud.got == []
    assert connector.check().problems == []
    connector.close()
    assert {got.params["user"] for got in account.cloud.got} == {USER}


def test_novofon_has_two_interfaces(at: At) -> None:
    """A key alone is of the new one; a key with its secret is of the older one, which signs as Zadarma does."""
    account = at("zadarma")
    account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
    account.cloud.service = "novofon"
    found, _ = account.read(user=USER)
    assert found["1"]["recording"] == '{"provider":"novofon","recording_id":"1"}'
    assert account.cloud.got[-1].path == "/v1/statistics/pbx/"
