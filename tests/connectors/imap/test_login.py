"""Logging in: passwords, certificates, what a server says when it lets nobody in."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from connectors.imap.config import ImapSettings
from connectors.imap.connector import Imap
from hub.model.errors import HubError, RetryLater, StopSystem
from hub.texts import LANGS
from stand.mail.boxes import Account
from stand.mail.server import MailStand
from tests.connectors.imap.boxes import Box, mail, read
from tests.connectors.installed import free_port

NO_OPENSSL = "openssl is not installed: tests of certificates are skipped"


def problem(connector: Imap) -> HubError:
    """The one problem that the check reports, with words for people that hold no secret."""
    (found,) = connector.check().problems
    for lang in LANGS:
        said = found.sentence(lang) + found.advice(lang)
        assert found.advice(lang)
        assert "тайна-42" not in said
    return found


def test_a_wrong_password(box: Box) -> None:
    """The system stops, the sentence names the user, nothing repeats the password."""
    found = problem(box.open(password=lambda: "тайна-42"))
    assert isinstance(found, StopSystem)
    assert (found.code, found.params["user"]) == ("mail_auth_failed", box.user)


def test_a_wrong_password_is_sent_once(on_stand: Box) -> None:
    """A server locks whoever tries again and again: one login for one question."""
    with pytest.raises(StopSystem):
        read(on_stand.open(password=lambda: "тайна-42"))
    assert [word for word in on_stand.running.commands if word in {"LOGIN", "AUTHENTICATE"}] == ["AUTHENTICATE"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("[AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled sc=abc", "mail_auth_or_off"),
        (
            "[AUTHENTICATIONFAILED] NEOBHODIMO parol prilozheniya / Application password REQUIRED",
            "mail_app_password",
        ),
        ("[ALERT] Application-specific password required: https://support.google.com/", "mail_app_password"),
        ("[ALERT] Please enable IMAP access in your settings", "mail_auth_or_off"),
        ("[AUTHENTICATIONFAILED] Authentication failed.", "mail_auth_failed"),
        ("[UNAVAILABLE] Temporary authentication failure", "mail_busy"),
        ("[LIMIT] Too many simultaneous connections", "mail_busy"),
    ],
)
def test_what_servers_say(on_stand: Box, said: str, code: str) -> None:
    """IMAP switched off, an application password wanted, busy for now: each has its sentence and its advice."""
    on_stand.running.quirks.refuse = said
    found = problem(on_stand.open())
    assert found.code == code
    assert isinstance(found, RetryLater) == (code == "mail_busy")


def test_providers_whose_passwords_are_apart() -> None:
    """Yandex and Mail.ru say no more than "failed": by their names the advice is the application password."""
    from connectors.imap.faults import Faults

    faults = Faults(ImapSettings("imaps://imap.yandex.ru", "me@yandex.ru", title="Почта"))
    found = faults.login(Exception("b'[AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials'"), token=False)
    assert found.code == "mail_auth_or_off"
    assert "парол" in found.advice("ru")


def test_letters_of_any_alphabet_in_a_password() -> None:
    """A Cyrillic password does not fit LOGIN: it is handed over by AUTHENTICATE PLAIN."""
    account = Account("Иван@firma.example", "Пароль №7")
    account.deliver(mail("Письмо"))
    with MailStand([account]) as stand:
        url = f"imap://127.0.0.1:{stand.port}"
        connector = Imap(ImapSettings(url, account.user, lambda: "Пароль №7", title="Почта"))
        assert read(connector).subjects == ["Письмо"]
        connector.close()


def test_nobody_is_there() -> None:
    """A port that nobody listens on: wait and try again."""
    found = problem(Imap(ImapSettings(f"imap://127.0.0.1:{free_port()}", "me@own.example", title="Почта", patience=0)))
    assert isinstance(found, RetryLater)
    assert found.code == "mail_unreachable"


def test_no_password_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not this machine and offers no STARTTLS gets no password."""
    with MailStand([Account("me@own.example", "тайна-42")]) as stand:
        monkeypatch.setattr("connectors.imap.config.is_loopback", lambda _host: False)
        url = f"imap://127.0.0.1:{stand.port}"
        found = problem(Imap(ImapSettings(url, "me@own.example", lambda: "тайна-42", title="Почта")))
        assert found.code == "mail_no_tls"
        assert set(stand.commands) <= {"CAPABILITY", "LOGOUT"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that no authority signed, with its key, for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip(NO_OPENSSL)
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.mark.parametrize(("verify", "code"), [(True, "mail_certificate"), ("own", ""), (False, "")])
def test_certificates_are_looked_at(certificate: Path, verify: bool | str, code: str) -> None:
    """A certificate of nobody known stops the system; named as an authority, or with verify off, it is let pass."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    account = Account("me@own.example", "word")
    account.deliver(mail("Письмо"))
    with MailStand([account], tls=context) as stand:
        trusted = str(certificate.with_suffix(".crt")) if verify == "own" else verify
        url = f"imaps://127.0.0.1:{stand.port}"
        connector = Imap(ImapSettings(url, account.user, lambda: "word", title="Почта", verify=trusted, patience=0))
        if code:
            assert problem(connector).code == code
            assert list(stand.commands) == []
        else:
            assert read(connector).subjects == ["Письмо"]
        connector.close()


def test_a_port_that_speaks_no_tls(on_stand: Box) -> None:
    """imaps:// at a port without TLS is a mistake of the settings, told as one."""
    connector = on_stand.open(url=f"imaps://127.0.0.1:{on_stand.port}")
    assert problem(connector).code in {"mail_tls_failed", "mail_unreachable"}


def test_a_server_that_says_goodbye_at_once() -> None:
    """A greeting of BYE (too many connections) is to be waited out."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            client, _ = listener.accept()
            client.sendall(b"* BYE Too many connections from your address\r\n")
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    url = f"imap://127.0.0.1:{listener.getsockname()[1]}"
    found = problem(Imap(ImapSettings(url, "me@own.example", title="Почта", patience=0)))
    listener.close()
    assert isinstance(found, RetryLater)
