"""Recordings fetched from a FAKE: with the account's keys, by links that work once, and from nowhere unsafe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.certify.reading import told
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.config import safe_host
from connectors.cloud_pbx.recording import Fetcher
from connectors.cloud_pbx.services import SERVICES, uis
from connectors.recordings import Recorded, Recording, recording_of
from hub.model.errors import HubError, NeedsPerson, RetryLater
from tests.connectors.cloud_pbx.base import NAMES, Account
from tests.connectors.cloud_pbx.fake import AUDIO, NOW, FakeCall, FakeCloud, Got, Reply

At = Callable[[str], Account]


@pytest.fixture
def recorded(at: At, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Account, str]]:
    """An account with one answered call, and the reference that the call keeps."""

    def make(service: str) -> tuple[Account, str]:
        account = at(service)
        account.cloud.add(FakeCall("1", NOW - timedelta(hours=1)))
        if service in {"uis", "novofon"}:  # its files lie under an address that is no setting
            media = replace(SERVICES[service], recording=uis._recording(f"{account.cloud.url}/media"))
            monkeypatch.setitem(SERVICES, service, media)
        (record,) = account.read()[0].values()
        return account, record["recording"]

    return make


def fault(account: Account, reference: str) -> HubError:
    with pytest.raises(HubError) as error, account.open().fetch_recording(reference):
        pass
    assert told(error.value)
    return error.value


@pytest.mark.parametrize("service", NAMES)
def test_a_recording_comes_whole(recorded: Callable[[str], tuple[Account, str]], service: str) -> None:
    """From each service the bytes that it keeps, again whenever it is asked for."""
    account, reference = recorded(service)
    connector = account.open()
    assert isinstance(connector, Recorded)
    for _ in range(2):
        with connector.fetch_recording(reference) as file:
            assert file.read() == AUDIO


@pytest.mark.parametrize("service", NAMES)
def test_what_is_not_ready_can_be_asked_for_later(recorded: Callable[[str], tuple[Account, str]], service: str) -> None:
    """Not there yet is a fault that passes, and then it is there."""
    account, reference = recorded(service)
    account.cloud.recording_waits = 1
    found = fault(account, reference)
    assert (type(found), found.code) == (RetryLater, "recording_not_ready")
    with account.open().fetch_recording(reference) as file:
        assert file.read(3) == b"ID3"


@pytest.mark.parametrize("service", NAMES)
def test_a_reference_holds_no_link_that_runs_out(recorded: Callable[[str], tuple[Account, str]], service: str) -> None:
    """What a call keeps names the service and the recording; only MegaFon's lasting address stands there too."""
    account, reference = recorded(service)
    found = recording_of(reference)
    assert (found.provider, found.expires) == (service, "")
    assert found.recording_id
    assert found.url == (f"{account.cloud.url}/records/1.mp3" if service == "megafon" else "")


def test_keys_go_to_the_own_address_only(at: At) -> None:
    """A row that names a file elsewhere gets no key to it: the request is bare."""
    account, other = at("megafon"), at("sipuni")
    seen: list[Got] = []

    def listening(cloud: FakeCloud, got: Got) -> Reply:
        seen.append(got)
        return Reply(200, AUDIO, "audio/mpeg")

    other.cloud._answer = listening
    url = other.cloud.url.replace("127.0.0.1", "localhost") + "/stolen.mp3"
    with account.open().fetch_recording(Recording("megafon", "1", url).text()) as file:
        assert file.read() == AUDIO
    assert [got.path for got in seen] == ["/stolen.mp3"]
    assert "x-api-key" not in seen[0].headers


@pytest.mark.parametrize(
    "link",
    [
        "http://files.example.com/1.mp3",
        "https://127.0.0.1/1.mp3",
        "https://10.0.0.7/1.mp3",
        "https://[::1]/1.mp3",
        "https://localhost/1.mp3",
        "https://intranet/1.mp3",
        "https://user:word@files.example.com/1.mp3",
        "ftp://files.example.com/1.mp3",
        "file:///etc/passwd",
        "//[broken",
        "",
    ],
)
def test_no_unsafe_address_is_followed(link: str) -> None:
    """Named hosts over TLS only; no addresses of this machine or of numbers, no logins, no other schemes."""
    assert not safe_host(link, "https://app.mango-office.ru/vpbx")
    assert safe_host("https://files.example.com/1.mp3?t=1", "https://app.mango-office.ru/vpbx")


def test_an_unsafe_redirect_is_told(recorded: Callable[[str], tuple[Account, str]]) -> None:
    """Who sends us on to where there is no TLS is refused, and nothing is asked there."""
    account, reference = recorded("mango")
    account.cloud._answer = lambda cloud, got: Reply(302, b"", headers={"Location": "http://example.com/x"})
    before = len(account.cloud.got)
    assert fault(account, reference).code == "recording_unsafe"
    assert len(account.cloud.got) == before + 1


def test_redirects_end(recorded: Callable[[str], tuple[Account, str]]) -> None:
    """A circle of redirects is left after a few."""
    account, reference = recorded("mango")
    account.cloud._answer = lambda cloud, got: Reply(302, b"", headers={"Location": f"{cloud.url}/again"})
    before = len(account.cloud.got)
    assert fault(account, reference).code == "recording_unsafe"
    assert len(account.cloud.got) - before < 6


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"<html>please log in</html>", "text/html"), "recording_not_audio"),
        (Reply(200, b"no such record", "text/plain"), "recording_not_audio"),
        (Reply(200, b'{"success": true}'), "recording_not_audio"),
        (Reply(200, b"", "audio/mpeg"), "recording_not_ready"),
        (Reply(409, b"", "text/plain"), "recording_not_ready"),
        (Reply(410, b"", "text/plain"), "recording_gone"),
        (Reply(401, b"{}"), "cloud_key_refused"),
        (Reply(503, b"", "text/plain"), "cloud_busy"),
        (Reply(200, b'{"success": false, "message": "Hash does not match"}'), "cloud_sign_refused"),
    ],
)
def test_what_is_no_recording_is_not_taken_for_one(
    recorded: Callable[[str], tuple[Account, str]], reply: Reply, code: str
) -> None:
    """Pages, texts, nothing at all and refusals are told apart and give no file."""
    account, reference = recorded("sipuni")
    account.cloud._answer = lambda cloud, got: reply
    assert fault(account, reference).code == code


def test_a_sound_file_of_a_wrong_type_is_one_all_the_same(recorded: Callable[[str], tuple[Account, str]]) -> None:
    """What begins like a recording is a recording, whatever type the service declares."""
    account, reference = recorded("sipuni")
    account.cloud._answer = lambda cloud, got: Reply(200, AUDIO, "text/html")
    with account.open().fetch_recording(reference) as file:
        assert file.read() == AUDIO


def test_a_file_without_end_is_given_up(recorded: Callable[[str], tuple[Account, str]]) -> None:
    """More than the limit is not read to its end, whether its length is told or not."""
    account, reference = recorded("sipuni")
    connector = account.open()
    client, service = connector._client, connector._service
    assert isinstance(client, Client)
    with pytest.raises(NeedsPerson) as error:
        Fetcher(client, service, limit=5000).fetch(reference)
    assert error.value.code == "recording_too_big"
    assert told(error.value)


def test_a_reference_of_another_service_is_not_asked_for(at: At) -> None:
    """An account whose service was changed does not send old references to the new one."""
    account = at("sipuni")
    assert fault(account, Recording("mango", "r1").text()).code == "recording_gone"
    assert fault(account, "2026/11/20/x.wav").code == "recording_gone"
    assert account.cloud.got == []


def test_beeline_takes_the_recording_of_that_very_call(at: At) -> None:
    """Of two calls of one client the one that begins at the moment; of none of that moment: gone."""
    account = at("beeline")
    first = FakeCall("1", NOW - timedelta(hours=1))
    account.cloud.add(first, replace(first, id="2", start=first.start + timedelta(seconds=40)))
    for record in account.read()[0].values():
        with account.open().fetch_recording(record["recording"]):
            asked = account.cloud.got[-1].path
        assert asked == (
            "/v2/records/rec1/download" if record["start"].endswith("00:00") else "/v2/records/rec2/download"
        )
    reference = record["recording"]
    account.cloud.calls.clear()
    assert fault(account, reference).code == "recording_gone"
